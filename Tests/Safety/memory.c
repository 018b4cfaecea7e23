/* Whatever memory the system refuses, and whenever, each call fails with GRAFT_ERROR_OUT_OF_MEMORY
 * or does what it should, and the process lives; with memory again the same call succeeds.
 *
 *     memory MODEL GOLDENS SCRATCH
 *
 * Each call runs in processes of its own: with a limit on the address space, 64 kB more each time,
 * from none that is left to enough; and with allocations that fail: the k-th alone, or all from the
 * k-th on, for growing k. */
#define _GNU_SOURCE
#include "process.h"
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* ---- Allocations that fail ---- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

enum { NONE, ONE, ALL };
static int failing = NONE;
static long counted, fails_at;

/* Whether this allocation is to fail. OpenMP's runtime ends the process by itself where it has no
 * memory. */
static int fails(const void *caller) {
    Dl_info where;
    if (failing == NONE)
        return 0;
    int mode = failing;
    failing = NONE;
    int is_openmp = dladdr(caller, &where) && where.dli_fname && strstr(where.dli_fname, "libomp");
    failing = mode;
    if (is_openmp)
        return 0;
    counted++;
    errno = ENOMEM;
    return failing == ONE ? counted == fails_at : counted >= fails_at;
}

#define CALLER __builtin_extract_return_addr(__builtin_return_address(0))

void *malloc(size_t size) {
    return fails(CALLER) ? NULL : __libc_malloc(size);
}
void *calloc(size_t count, size_t size) {
    return fails(CALLER) ? NULL : __libc_calloc(count, size);
}
void *realloc(void *block, size_t size) {
    return fails(CALLER) ? NULL : __libc_realloc(block, size);
}
void *memalign(size_t alignment, size_t size) {
    return fails(CALLER) ? NULL : __libc_memalign(alignment, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
    return memalign(alignment, size);
}
int posix_memalign(void **out, size_t alignment, size_t size) {
    void *block = fails(CALLER) ? NULL : __libc_memalign(alignment, size);
    if (!block)
        return ENOMEM;
    *out = block;
    return 0;
}
void *mmap(void *address, size_t size, int protection, int flags, int descriptor, off_t offset) {
    return fails(CALLER) ? MAP_FAILED
                         : (void *)syscall(SYS_mmap, address, size, protection, flags, descriptor, offset);
}

/* ---- What the calls work on ---- */

enum { ROWS = 4000, LENGTH = 24, TEXT = 1 << 20, CONTEXT = 64, WIDTH = 32, VECTORS = 16 };

static const char *goldens, *scratch, *folder;
static graft_model *model, *tiny, *language;
static graft_tokenizer *tokenizer;
static graft_adapter *adapter, *tiny_adapter;
static graft_composition *composition;
static graft_batch *batch, *small, *prompt;
static graft_dataset *dataset;
static graft_session *session, *writer;
static graft_trainer *trainer;
static char *text;
static const char *texts[ROWS];
static char label_names[ROWS][16];
static const char *labels[ROWS];
static int32_t tokens[ROWS * LENGTH], lengths[ROWS], numbers[ROWS], token_labels[ROWS * LENGTH];
static const graft_composition *compositions[ROWS];

static const char *in(const char *parent, const char *name) {
    static char path[1000];
    snprintf(path, sizeof path, "%s/%s", parent, name);
    return path;
}

static graft_adapter *make_adapter(const graft_model *of, const char *method, const char *settings,
                                   int64_t label_count) {
    graft_adapter *made = NULL;
    need(graft_adapter_create(of, method, settings, 1, &made), "making an adapter");
    need(graft_adapter_set_head(made, "sequence_classification", labels, label_count, NULL), "adding a head");
    return made;
}

static void make_objects(void) {
    text = malloc(TEXT);
    for (int i = 0; i < TEXT; i++)
        text[i] = i % 6 == 5 ? ' ' : (char)('a' + i * 7 % 26);
    text[TEXT - 1] = '\0';
    for (int i = 0; i < ROWS; i++) {
        snprintf(label_names[i], sizeof label_names[i], "label %d", i);
        labels[i] = label_names[i];
        texts[i] = "my card was charged twice, and my parcel is lost";
        lengths[i] = LENGTH;
        numbers[i] = i % 3;
    }
    for (int i = 0; i < ROWS * LENGTH; i++)
        token_labels[i] = tokens[i] = 2 + i * 7 % 100;
    need(graft_model_load(folder, NULL, &model), "loading the model");
    need(graft_model_load(in(goldens, "bert-tiny/sequence-classification"), NULL, &tiny),
         "loading bert-tiny");
    need(graft_model_load(in(goldens, "llama-tiny/everything"), NULL, &language), "loading llama-tiny");
    need(graft_tokenizer_load(folder, &tokenizer), "loading a tokenizer");
    adapter = make_adapter(model, "lora", "{\"r\": 32, \"target_modules\": \"all-linear\"}", ROWS);
    need(graft_adapter_save(adapter, in(scratch, "lora")), "saving an adapter");
    graft_adapter *bottleneck = make_adapter(model, "bottleneck", NULL, 3);
    need(graft_adapter_save(bottleneck, in(scratch, "bottleneck")), "saving an adapter");
    graft_adapter_release(bottleneck);
    tiny_adapter = make_adapter(tiny, "lora", NULL, 3);
    need(graft_composition_create(tiny_adapter, 1, &composition), "composing");
    for (int i = 0; i < ROWS; i++)
        compositions[i] = i % 2 ? composition : NULL;
    need(graft_batch_create(tokens, NULL, lengths, ROWS, &batch), "making a batch");
    need(graft_batch_set_integers(batch, "labels", numbers, ROWS, 1), "labelling it");
    need(graft_batch_create(tokens, NULL, lengths, VECTORS, &small), "making a batch");
    need(graft_batch_set_integers(small, "labels", numbers, VECTORS, 1), "labelling it");
    need(graft_batch_create(tokens, NULL, lengths, 3, &prompt), "making a batch");
    need(graft_dataset_create(&dataset), "making a data set");
    need(graft_dataset_append(dataset, small), "filling it");
    graft_session_options options;
    graft_session_options_init(&options, sizeof options);
    options.thread_count = 1;
    need(graft_session_create(tiny, &options, &session), "making a session");
    need(graft_session_create(language, &options, &writer), "making a session");
    graft_trainer_options training;
    graft_trainer_options_init(&training, sizeof training);
    training.thread_count = 1;
    training.epoch_count = 2;
    need(graft_trainer_create(tiny, tiny_adapter, &training, &trainer), "making a trainer");
    need(graft_trainer_save(trainer, in(scratch, "checkpoint")), "saving a checkpoint");
    /* OpenMP's runtime starts where it has memory. */
    static float vectors[VECTORS * WIDTH];
    need(graft_session_embed(session, small, GRAFT_POOLING_MEAN, 1, vectors, VECTORS * WIDTH), "embedding");
}

/* ---- The calls ---- */

/* A call that makes an object, which goes again. */
#define MAKES(name, type, call)                                                                              \
    static graft_status name(void) {                                                                         \
        type *out = NULL;                                                                                    \
        graft_status status = call;                                                                          \
        type##_release(out);                                                                                 \
        return status;                                                                                       \
    }
MAKES(load_model, graft_model, graft_model_load(in(goldens, "bert-tiny/base"), NULL, &out))
MAKES(load_language_model, graft_model, graft_model_load(in(goldens, "llama-tiny/everything"), NULL, &out))
MAKES(load_tokenizer, graft_tokenizer, graft_tokenizer_load(folder, &out))
MAKES(load_vocabulary, graft_tokenizer, graft_tokenizer_load(in(scratch, "vocabulary"), &out))
MAKES(encode, graft_encoding, graft_tokenizer_encode(tokenizer, text, NULL, NULL, &out))
MAKES(encode_batch, graft_batch, graft_batch_encode(tokenizer, texts, texts, ROWS, NULL, &out))
MAKES(create_batch, graft_batch, graft_batch_create(tokens, NULL, lengths, ROWS, &out))
MAKES(create_dataset, graft_dataset, graft_dataset_create(&out))
MAKES(create_token, graft_cancel_token, graft_cancel_token_create(&out))
MAKES(load_adapter, graft_adapter, graft_adapter_load(model, in(scratch, "lora"), &out))
MAKES(load_bottleneck, graft_adapter, graft_adapter_load(model, in(scratch, "bottleneck"), &out))
MAKES(create_adapter, graft_adapter,
      graft_adapter_create(model, "lora", "{\"r\": 32, \"target_modules\": \".*(query|value)\"}", 1, &out))
MAKES(create_bottleneck, graft_adapter, graft_adapter_create(model, "bottleneck", NULL, 1, &out))
MAKES(create_composition, graft_composition, graft_composition_create(adapter, 1, &out))
MAKES(create_session, graft_session, graft_session_create(tiny, NULL, &out))

static graft_status decode(void) {
    static char out[ROWS * LENGTH * 20];
    static int32_t words[ROWS * LENGTH];
    for (int i = 0; i < ROWS * LENGTH; i++)
        words[i] = 2000 + i % 20000;
    return graft_tokenizer_decode(tokenizer, words, ROWS * LENGTH, 0, out, sizeof out, NULL);
}

static graft_status set_labels(void) {
    return graft_batch_set_integers(batch, "labels", numbers, ROWS, 1);
}
static graft_status set_token_labels(void) {
    return graft_batch_set_integers(batch, "token_labels", token_labels, ROWS * LENGTH, 1);
}
static graft_status set_adapters(void) {
    return graft_batch_set_adapters(batch, compositions, ROWS);
}
static graft_status append(void) {
    return graft_dataset_append(dataset, batch);
}

static graft_status set_head(void) {
    return graft_adapter_set_head(adapter, "sequence_classification", labels, ROWS, NULL);
}

static graft_status save_adapter(void) {
    return graft_adapter_save(adapter, in(scratch, "saved"));
}

static graft_status read_adapter(void) {
    const char *found = graft_adapter_config_json(adapter);
    const char *label = graft_adapter_label(adapter, ROWS - 1);
    return found && label && strcmp(label, labels[ROWS - 1]) == 0 ? GRAFT_OK : GRAFT_ERROR_OUT_OF_MEMORY;
}

static graft_status attach(void) {
    return graft_session_set_adapters(session, composition);
}

static graft_status embed(void) {
    static float vectors[ROWS * WIDTH];
    return graft_session_embed(session, batch, GRAFT_POOLING_MEAN, 1, vectors, ROWS * WIDTH);
}

static graft_status classify(void) {
    static float logits[ROWS * 3];
    return graft_session_classify(session, batch, logits, ROWS * 3, NULL);
}

static graft_status hidden_states(void) {
    static float states[VECTORS * LENGTH * WIDTH];
    return graft_session_hidden_states(session, small, -1, states, VECTORS * LENGTH * WIDTH);
}

static int32_t take(void *user_data, const graft_token *token) {
    (void)user_data, (void)token;
    return 0;
}

static graft_status generate(void) {
    graft_generate_options options;
    graft_generate_options_init(&options, sizeof options);
    options.maximum_tokens = 8;
    options.temperature = 1;
    options.top_k = 20;
    options.top_p = 0.9f;
    options.repetition_penalty = 1.1f;
    options.typical_p = 0.9f;
    options.no_repeat_ngram_size = 3;
    options.sample_count = 2;
    options.likely_count = 4;
    options.stop_tokens = tokens;
    options.stop_token_count = 0;
    return graft_session_generate(writer, NULL, prompt, &options, take, NULL);
}

static graft_status create_trainer(void) {
    graft_trainer *out = NULL;
    graft_trainer_options options;
    graft_trainer_options_init(&options, sizeof options);
    options.thread_count = 1;
    graft_status status = graft_trainer_create(model, adapter, &options, &out);
    graft_trainer_release(out);
    return status;
}

static graft_status step(void) {
    return graft_trainer_step(trainer, small, NULL);
}
static graft_status fit(void) {
    return graft_trainer_fit(trainer, dataset, dataset, NULL, NULL, NULL, NULL);
}
static graft_status evaluate(void) {
    graft_evaluation *evaluation = NULL;
    graft_status status = graft_trainer_evaluate(trainer, dataset, &evaluation);
    graft_evaluation_release(evaluation);
    return status;
}
static graft_status save_trainer(void) {
    return graft_trainer_save(trainer, in(scratch, "another"));
}
static graft_status resume(void) {
    return graft_trainer_resume(trainer, in(scratch, "checkpoint"));
}

static const struct {
    const char *name;
    graft_status (*run)(void);
} calls[] = {
    {"graft_cancel_token_create", create_token},
    {"graft_model_load of BERT", load_model},
    {"graft_model_load of Llama", load_language_model},
    {"graft_tokenizer_load of tokenizer.json", load_tokenizer},
    {"graft_tokenizer_load of vocab.txt", load_vocabulary},
    {"graft_tokenizer_encode", encode},
    {"graft_tokenizer_decode", decode},
    {"graft_batch_encode", encode_batch},
    {"graft_batch_create", create_batch},
    {"graft_batch_set_integers of rows", set_labels},
    {"graft_batch_set_integers of tokens", set_token_labels},
    {"graft_batch_set_adapters", set_adapters},
    {"graft_dataset_create", create_dataset},
    {"graft_dataset_append", append},
    {"graft_adapter_create of LoRA", create_adapter},
    {"graft_adapter_create of bottlenecks", create_bottleneck},
    {"graft_adapter_set_head", set_head},
    {"graft_adapter_load of PEFT's", load_adapter},
    {"graft_adapter_load of AdapterHub's", load_bottleneck},
    {"graft_adapter_save", save_adapter},
    {"graft_adapter_config_json and graft_adapter_label", read_adapter},
    {"graft_composition_create", create_composition},
    {"graft_session_create", create_session},
    {"graft_session_set_adapters", attach},
    {"graft_session_embed", embed},
    {"graft_session_classify", classify},
    {"graft_session_hidden_states", hidden_states},
    {"graft_session_generate", generate},
    {"graft_trainer_create", create_trainer},
    {"graft_trainer_step", step},
    {"graft_trainer_evaluate", evaluate},
    {"graft_trainer_save", save_trainer},
    {"graft_trainer_resume", resume},
    {"graft_trainer_fit", fit},
};

/* ---- Running them ---- */

enum { SERVED, REFUSED, OTHER, DIED };

/* What becomes of a call with little memory, or, where `mode` says so, with failing allocations. */
static int outcome(graft_status (*run)(void), int mode, long number, char *message, size_t size) {
    char path[1000];
    snprintf(path, sizeof path, "%s", in(scratch, "output"));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (!freopen(path, "w", stdout) || dup2(fileno(stdout), 2) < 0)
            _exit(OTHER);
        alarm(60);
        fails_at = number;
        if (mode == NONE && !limit_memory((size_t)number, RLIM_INFINITY))
            _exit(OTHER);
        failing = mode;
        graft_status status = run();
        int reached = mode == NONE || counted >= fails_at;
        failing = NONE;
        setrlimit(RLIMIT_AS, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
        if (status != GRAFT_OK && status != GRAFT_ERROR_OUT_OF_MEMORY) {
            printf("%s: %s", graft_status_name(status), graft_last_error_message());
            fflush(stdout);
            _exit(OTHER);
        }
        if (status != GRAFT_OK && mode != ONE && run() != GRAFT_OK) {
            printf("with memory again: %s", graft_last_error_message());
            fflush(stdout);
            _exit(OTHER);
        }
        /* A call that allocates less often than asked for is served as ever. */
        _exit(status == GRAFT_OK && (mode == NONE || !reached) ? SERVED : REFUSED);
    }
    int status = 0;
    waitpid(child, &status, 0);
    FILE *file = fopen(path, "r");
    message[file ? fread(message, 1, size - 1, file) : 0] = '\0';
    if (file)
        fclose(file);
    return WIFEXITED(status) ? WEXITSTATUS(status) : DIED;
}

int main(int argument_count, char **arguments) {
    static const char *const ways[] = {"%ld bytes more than it has", "allocation %ld failing",
                                       "all allocations from number %ld failing"};
    if (argument_count < 4)
        return 2;
    folder = arguments[1];
    goldens = arguments[2];
    scratch = arguments[3];
    int held = 0, failed = 0;
    char command[3000];
    snprintf(command, sizeof command, "mkdir -p %s/vocabulary && cp %s/vocab.txt %s/vocabulary", scratch,
             folder, scratch);
    if (system(command) != 0)
        return 2;
    make_objects();
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (argument_count > 4 && !strstr(calls[i].name, arguments[4]))
            continue;
        for (int mode = NONE; mode <= ALL; mode++) {
            char message[400], way[100];
            long number = mode == NONE ? 0 : 1, tries = 0;
            int served = 0, wrong = 0;
            while (served < 3 && tries++ < 2000) {
                int found = outcome(calls[i].run, mode, number, message, sizeof message);
                served = found == SERVED ? served + 1 : 0;
                if (found > REFUSED && wrong++ < 3) {
                    snprintf(way, sizeof way, ways[mode], number);
                    printf("FAILED  %s with %s %s: %s\n", calls[i].name, way,
                           found == DIED ? "ended the process" : "went wrong", message);
                }
                number += mode == NONE ? (64 << 10) + number / 6 : 1 + number / 6;
            }
            if (served < 3 && !wrong++)
                printf("FAILED  %s is never served\n", calls[i].name);
            held += wrong == 0;
            failed += wrong != 0;
            if (argument_count > 4)
                printf("%s: %ld tries, last %ld, %d wrong\n", calls[i].name, tries, number, wrong);
        }
    }
    printf("%d held\n", held);
    return failed != 0;
}
