/* What the calling thread has set for its floating-point arithmetic changes no bit and traps
 * nowhere; after a call and in callbacks it is as the thread has set it.
 *
 *     environment GOLDENS DATA SCRATCH */
#define _GNU_SOURCE
#include <fenv.h>
#include <graft.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROW_COUNT = 24, LENGTH = 60, WIDTH = 32, LABEL_COUNT = 2, STEP_COUNT = 3, TOKEN_COUNT = 12 };

/* All that is computed. */
typedef struct results {
    float vectors[ROW_COUNT * WIDTH], logits[ROW_COUNT * LABEL_COUNT];
    double losses[STEP_COUNT], norms[STEP_COUNT];
    int32_t tokens[TOKEN_COUNT];
    uint64_t checksum;
    char settings[2000];
} results;

static const char *goldens, *data, *scratch;
static int32_t thread_count;
static int differences_in_callbacks, held, failed;
static fenv_t expected;

static void need(graft_status status, const char *what) {
    if (status == GRAFT_OK)
        return;
    fesetenv(FE_DFL_ENV);
    printf("FAILED  %s: %s: %s\n", what, graft_status_name(status), graft_last_error_message());
    exit(1);
}

static const char *path_of(const char *folder, const char *name) {
    static char path[1000];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* Settings, without what has happened so far. */
static int is_as_set(void) {
    fenv_t now;
    fegetenv(&now);
    return fegetround() >= 0 && now.__control_word == expected.__control_word &&
           (now.__mxcsr & ~0x3fU) == (expected.__mxcsr & ~0x3fU);
}

static int32_t look(void *unused, const graft_metrics *metrics) {
    (void)unused;
    (void)metrics;
    differences_in_callbacks += !is_as_set();
    return 0;
}

static int32_t take_token(void *place, const graft_token *token) {
    int32_t **next = place;
    *(*next)++ = token->id;
    differences_in_callbacks += !is_as_set();
    return 0;
}

static graft_batch *make_batch(void) {
    static int32_t tokens[ROW_COUNT * LENGTH], lengths[ROW_COUNT], labels[ROW_COUNT];
    graft_batch *batch = NULL;
    for (int i = 0; i < ROW_COUNT * LENGTH; i++)
        tokens[i] = 3 + i * 7 % 100;
    for (int i = 0; i < ROW_COUNT; i++) {
        lengths[i] = 1 + i * 11 % LENGTH;
        labels[i] = i % LABEL_COUNT;
    }
    need(graft_batch_create(tokens, NULL, lengths, ROW_COUNT, &batch), "making a batch");
    need(graft_batch_set_integers(batch, "labels", labels, ROW_COUNT, 1), "labelling it");
    return batch;
}

static void train_and_classify(graft_model *model, graft_batch *batch, results *out) {
    static const char *const labels[] = {"a", "b"};
    graft_adapter *adapter = NULL, *again = NULL;
    graft_trainer *trainer = NULL;
    graft_session *session = NULL;
    graft_composition *composition = NULL;
    graft_dataset *dataset = NULL;
    need(graft_adapter_create(
             model, "lora", "{\"lora_alpha\": 12.345678901234567, \"lora_dropout\": 0.1, \"bias\": \"all\"}",
             1, &adapter),
         "creating an adapter");
    need(graft_adapter_set_head(adapter, "sequence_classification", labels, LABEL_COUNT, NULL),
         "adding a head");
    snprintf(out->settings, sizeof out->settings, "%s %s %s %d %d", graft_adapter_config_json(adapter),
             graft_adapter_method(adapter), graft_adapter_label(adapter, 1),
             (int)graft_adapter_label_count(adapter), (int)graft_adapter_parameter_count(adapter));
    graft_trainer_options options;
    graft_trainer_options_init(&options, sizeof options);
    options.thread_count = thread_count;
    options.epoch_count = 1;
    options.maximum_gradient_norm = 0.1f;
    need(graft_trainer_create(model, adapter, &options, &trainer), "creating a trainer");
    for (int i = 0; i < STEP_COUNT; i++) {
        graft_metrics metrics;
        graft_metrics_init(&metrics, sizeof metrics);
        need(graft_trainer_step(trainer, batch, &metrics), "a step");
        out->losses[i] = metrics.loss;
        out->norms[i] = metrics.gradient_norm;
    }
    need(graft_dataset_create(&dataset), "a data set");
    need(graft_dataset_append(dataset, batch), "filling it");
    need(graft_trainer_fit(trainer, dataset, NULL, look, NULL, NULL, NULL), "training");
    graft_trainer_release(trainer);
    need(graft_adapter_save(adapter, path_of(scratch, "adapter")), "saving it");
    need(graft_adapter_load(model, path_of(scratch, "adapter"), &again), "loading it");
    need(graft_composition_create(again, 1, &composition), "composing");
    graft_session_options of_session;
    graft_session_options_init(&of_session, sizeof of_session);
    of_session.thread_count = thread_count;
    need(graft_session_create(model, &of_session, &session), "creating a session");
    need(graft_session_embed(session, batch, GRAFT_POOLING_MEAN, 1, out->vectors, ROW_COUNT * WIDTH),
         "embedding");
    need(graft_session_set_adapters(session, composition), "attaching");
    need(graft_session_classify(session, batch, out->logits, ROW_COUNT * LABEL_COUNT, NULL), "classifying");
    graft_session_release(session);
    graft_dataset_release(dataset);
    graft_composition_release(composition);
    graft_adapter_release(adapter);
    graft_adapter_release(again);
}

static void run(results *out) {
    static const char *const text = "Once upon a time there was";
    graft_model *bert = NULL, *llama = NULL;
    graft_tokenizer *tokenizer = NULL;
    graft_session *session = NULL;
    graft_batch *prompt = NULL, *batch = make_batch();
    graft_generate_options options;
    int32_t *next = out->tokens;
    graft_model_options of_model;
    graft_model_options_init(&of_model, sizeof of_model);
    of_model.precision = GRAFT_PRECISION_BFLOAT16;
    need(graft_model_load(path_of(goldens, "bert-tiny/base"), NULL, &bert), "loading bert-tiny");
    train_and_classify(bert, batch, out);
    need(graft_model_load(path_of(data, "models/stories260K/hf"), &of_model, &llama), "loading stories260K");
    out->checksum = graft_model_checksum(bert) * 31 + graft_model_checksum(llama);
    need(graft_tokenizer_load(path_of(data, "models/stories260K/hf"), &tokenizer), "loading its tokenizer");
    need(graft_session_create(llama, NULL, &session), "creating a session");
    need(graft_batch_encode(tokenizer, &text, NULL, 1, NULL, &prompt), "encoding");
    graft_generate_options_init(&options, sizeof options);
    options.maximum_tokens = TOKEN_COUNT;
    options.temperature = 0.9f;
    options.top_p = 0.95f;
    need(graft_session_generate(session, tokenizer, prompt, &options, take_token, &next), "generating");
    graft_session_release(session);
    graft_batch_release(prompt);
    graft_batch_release(batch);
    graft_tokenizer_release(tokenizer);
    graft_model_release(llama);
    graft_model_release(bert);
}

static results usual, now;

static void check(const char *sentence) {
    fegetenv(&expected);
    memset(&now, 0, sizeof now);
    differences_in_callbacks = 0;
    run(&now);
    int is_kept = is_as_set();
    fesetenv(FE_DFL_ENV);
    if (memcmp(&usual, &now, sizeof usual) == 0 && is_kept && differences_in_callbacks == 0) {
        held++;
        return;
    }
    failed++;
    printf("FAILED  with %s and %d threads: bits %s, settings afterwards %s, in callbacks %d others\n",
           sentence, (int)thread_count, memcmp(&usual, &now, sizeof usual) == 0 ? "equal" : "differ",
           is_kept ? "kept" : "changed", differences_in_callbacks);
}

#if defined(__x86_64__)
static void set_vectors(unsigned bits) {
    fenv_t environment;
    fegetenv(&environment);
    environment.__mxcsr |= bits;
    fesetenv(&environment);
}
#endif

int main(int argument_count, char **arguments) {
    static const struct {
        int direction;
        const char *sentence;
    } roundings[] = {{FE_TONEAREST, "rounding to nearest"},
                     {FE_UPWARD, "rounding upward"},
                     {FE_DOWNWARD, "rounding downward"},
                     {FE_TOWARDZERO, "rounding toward zero"}};
    if (argument_count != 4)
        return 2;
    goldens = arguments[1];
    data = arguments[2];
    scratch = arguments[3];
    for (thread_count = 1; thread_count <= 2; thread_count++) {
        memset(&usual, 0, sizeof usual);
        fegetenv(&expected);
        run(&usual);
        for (size_t i = 0; i < sizeof roundings / sizeof *roundings; i++) {
            fesetround(roundings[i].direction);
            check(roundings[i].sentence);
        }
#if defined(__x86_64__)
        set_vectors(1 << 15);
        check("results flushed to zero");
        set_vectors(1 << 6);
        check("subnormal operands taken for zero");
#endif
        feenableexcept(FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW | FE_UNDERFLOW | FE_INEXACT);
        check("traps");
    }
    printf("%d held\n", held);
    return failed != 0;
}
