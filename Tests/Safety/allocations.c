/* What a training step and an inference call ask of the system's memory, once they have run before:
 * nothing.
 *
 *     allocations GOLDENS
 *
 * The program's own malloc and its kin stand before the C library's, for the library as well. A
 * second argument lists where each allocation came from. */
#define _GNU_SOURCE
#include <execinfo.h>
#include <graft.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static atomic_int is_counting;
static atomic_long count, count_of_maps;
static int lists;

static void note(const char *name, size_t size) {
    if (!atomic_load(&is_counting))
        return;
    atomic_store(&is_counting, 0);
    atomic_fetch_add(&count, 1);
    if (lists) {
        void *frames[12];
        fprintf(stderr, "%s %zu\n", name, size);
        backtrace_symbols_fd(frames, backtrace(frames, 12), 2);
    }
    atomic_store(&is_counting, 1);
}

void *malloc(size_t size) {
    note("malloc", size);
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    note("calloc", number * size);
    return __libc_calloc(number, size);
}

void *realloc(void *block, size_t size) {
    note("realloc", size);
    return __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size) {
    note("memalign", size);
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    note("aligned_alloc", size);
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size) {
    note("posix_memalign", size);
    *out = __libc_memalign(alignment, size);
    return *out ? 0 : 12;
}

void *mmap(void *address, size_t size, int protection, int flags, int descriptor, off_t offset) {
    note("mmap", size);
    atomic_fetch_add(&count_of_maps, 1);
    return (void *)syscall(SYS_mmap, address, size, protection, flags, descriptor, offset);
}

static void check(graft_status status, const char *what) {
    if (status == GRAFT_OK)
        return;
    printf("FAILED  %s: %s: %s\n", what, graft_status_name(status), graft_last_error_message());
    exit(1);
}

static int held, failed;
static long in_steps;

/* Begins and ends a stretch in which `sentence` says how many allocations there may be. */
static void begin(void) {
    atomic_store(&count, 0);
    atomic_store(&is_counting, 1);
}

static long end(long most, const char *sentence) {
    atomic_store(&is_counting, 0);
    long found = atomic_load(&count);
    if (found <= most) {
        held++;
    } else {
        failed++;
        printf("FAILED  %s: %ld allocations, at most %ld expected\n", sentence, found, most);
    }
    return found;
}

enum { ROW_COUNT = 16 };
static graft_model *model;

/* Rows of these lengths, with labels. */
static graft_batch *make_batch(int32_t longest) {
    int32_t tokens[ROW_COUNT * 64], lengths[ROW_COUNT], labels[ROW_COUNT];
    for (int i = 0; i < ROW_COUNT * 64; i++)
        tokens[i] = 2 + i * 7 % 110;
    for (int i = 0; i < ROW_COUNT; i++) {
        lengths[i] = 1 + (longest - 1) * i / (ROW_COUNT - 1);
        labels[i] = i % 3;
    }
    graft_batch *batch = NULL;
    check(graft_batch_create(tokens, NULL, lengths, ROW_COUNT, &batch), "making a batch");
    check(graft_batch_set_integers(batch, "labels", labels, ROW_COUNT, 1), "labelling it");
    return batch;
}

static graft_adapter *make_adapter(const char *method, const char *settings) {
    static const char *const labels[] = {"a", "b", "c"};
    graft_adapter *adapter = NULL;
    check(graft_adapter_create(model, method, settings, 1, &adapter), "making an adapter");
    check(graft_adapter_set_head(adapter, "sequence_classification", labels, 3, NULL), "adding a head");
    return adapter;
}

static void test_steps(const char *method, const char *settings, const char *optimizer, int32_t threads,
                       int64_t pass, const char *sentence) {
    static const float weights[] = {1, 2, 0.5f};
    graft_adapter *adapter = make_adapter(method, settings);
    graft_batch *large = make_batch(60), *small = make_batch(20);
    graft_trainer *trainer = NULL;
    graft_trainer_options options;
    graft_trainer_options_init(&options, sizeof options);
    options.optimizer = optimizer;
    options.thread_count = threads;
    options.pass_token_count = pass;
    options.class_weights = weights;
    check(graft_trainer_create(model, adapter, &options, &trainer), "making a trainer");
    graft_metrics metrics;
    graft_metrics_init(&metrics, sizeof metrics);
    check(graft_trainer_step(trainer, large, &metrics), "the first step");
    begin();
    for (int i = 0; i < 5; i++) {
        check(graft_trainer_step(trainer, i % 2 ? small : large, &metrics), "a step");
    }
    in_steps += end(0, sentence);
    graft_trainer_release(trainer);
    graft_adapter_release(adapter);
    graft_batch_release(large);
    graft_batch_release(small);
}

static void test_sessions(int32_t threads) {
    graft_session *session = NULL;
    graft_session_options options;
    graft_session_options_init(&options, sizeof options);
    options.thread_count = threads;
    check(graft_session_create(model, &options, &session), "making a session");
    graft_batch *batch = make_batch(60);
    const graft_composition *rows[ROW_COUNT] = {NULL};
    graft_composition *compositions[2] = {NULL, NULL};
    for (int i = 0; i < 2; i++) {
        graft_adapter *adapter = make_adapter(i ? "bottleneck" : "lora", NULL);
        check(graft_composition_create(adapter, 1, &compositions[i]), "composing");
        graft_adapter_release(adapter);
    }
    for (int i = 0; i < ROW_COUNT; i++)
        rows[i] = i % 3 ? compositions[i % 3 - 1] : NULL;
    check(graft_batch_set_adapters(batch, rows, ROW_COUNT), "naming the rows' adapters");
    float vectors[ROW_COUNT * 32], logits[ROW_COUNT * 3], shares[ROW_COUNT * 2];
    int32_t best[ROW_COUNT * 2];
    static float states[ROW_COUNT * 64 * 32];
    int64_t columns = 0;
    for (int i = 0; i < 4; i++) {
        if (i == 1)
            begin();
        check(graft_session_embed(session, batch, GRAFT_POOLING_MEAN, 1, vectors, ROW_COUNT * 32),
              "embedding");
        check(graft_session_classify(session, batch, logits, ROW_COUNT * 3, &columns), "classifying");
        check(graft_session_predict(session, batch, 2, best, shares, ROW_COUNT * 2), "predicting");
        check(graft_session_hidden_states(session, batch, -1, states, ROW_COUNT * 64 * 32), "hidden states");
    }
    end(0, "embedding, classifying, predicting and hidden states of rows with several adapters allocate "
           "nothing");
    graft_batch_release(batch);
    graft_session_release(session);
    for (int i = 0; i < 2; i++)
        graft_composition_release(compositions[i]);
}

/* A short text's tokens come from the heap: pages of their own would take longer than the
 * encoding. */
static void test_encoding(void) {
    char folder[] = "/tmp/graft-allocations-XXXXXX", path[100];
    if (!mkdtemp(folder))
        exit(1);
    snprintf(path, sizeof path, "%s/vocab.txt", folder);
    FILE *file = fopen(path, "w");
    if (!file || fputs("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nshort\ntext\n", file) < 0 || fclose(file) != 0)
        exit(1);
    graft_tokenizer *tokenizer = NULL;
    graft_encoding *encoding = NULL;
    check(graft_tokenizer_load(folder, &tokenizer), "loading a tokenizer");
    for (int i = 0; i < 12; i++) {
        if (i == 2)
            atomic_store(&count_of_maps, 0);
        check(graft_tokenizer_encode(tokenizer, "A short text", NULL, NULL, &encoding), "encoding");
        if (graft_encoding_token_count(encoding) != 5) {
            printf("FAILED  the text has %lld tokens, expected 5\n",
                   (long long)graft_encoding_token_count(encoding));
            failed++;
        }
        graft_encoding_release(encoding);
    }
    if (atomic_load(&count_of_maps) == 0) {
        held++;
    } else {
        failed++;
        printf("FAILED  ten short texts map memory %ld times, expected 0\n", atomic_load(&count_of_maps));
    }
    graft_tokenizer_release(tokenizer);
    remove(path);
    rmdir(folder);
}

int main(int argument_count, char **arguments) {
    if (argument_count < 2)
        return 2;
    lists = argument_count > 2;
    void *frames[1];
    backtrace(frames, 1); /* loads what it needs */
    begin();
    void *volatile block = malloc(100);
    atomic_store(&is_counting, 0);
    free(block);
    if (atomic_load(&count) != 1) {
        printf("FAILED  the counter counts: it found %ld allocations, expected 1\n", atomic_load(&count));
        return 1;
    }
    for (graft_precision precision = GRAFT_PRECISION_FLOAT32; precision <= GRAFT_PRECISION_BFLOAT16;
         precision++) {
        char path[1000];
        graft_model_options options;
        snprintf(path, sizeof path, "%s/bert-tiny/sequence-classification", arguments[1]);
        graft_model_options_init(&options, sizeof options);
        options.precision = precision;
        check(graft_model_load(path, &options, &model), "loading bert-tiny");
        for (int32_t threads = 1; threads <= 2; threads++) {
            test_steps("lora", "{\"lora_dropout\": 0.1}", "adamw", threads, 0,
                       "a step with dropout and AdamW allocates nothing");
            test_steps("lora", "{\"target_modules\": \"all-linear\", \"bias\": \"all\", \"lora_bias\": true}",
                       "sgd", threads, 0, "a step on every product and bias with SGD allocates nothing");
            test_steps(
                "lora",
                "{\"target_modules\": [\"word_embeddings\"], \"modules_to_save\": [\"pooler\", \"key\"]}",
                "adamw", threads, 0, "a step on embeddings and modules of its own allocates nothing");
            test_steps("adalora", "{\"total_step\": 5, \"tfinal\": 2}", "adamw", threads, 0,
                       "a step that prunes ranks allocates nothing");
            test_steps("bottleneck", "{\"config\": \"double_seq_bn\", \"dropout\": 0.1}", "adamw", threads, 0,
                       "a step of bottlenecks with dropout allocates nothing");
            test_steps("bottleneck", "{\"mh_adapter\": true, \"residual_before_ln\": false}", "adamw",
                       threads, 0, "a step of bottlenecks after the norm allocates nothing");
            for (int32_t i = 0; i < graft_optimizer_count(); i++)
                test_steps("lora", NULL, graft_optimizer_name(i), threads, 0,
                           "a step of each optimizer allocates nothing");
            test_steps("lora", "{\"lora_dropout\": 0.1}", "adamw", threads, 100,
                       "a step of several passes allocates nothing");
            test_sessions(threads);
        }
        graft_model_release(model);
    }
    test_encoding();
    printf("in training steps after the first: %ld allocations\n", in_steps);
    printf("%d held\n", held);
    return failed != 0;
}
