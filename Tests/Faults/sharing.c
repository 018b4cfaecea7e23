/* Calls that use what another call has: from its callback, or from another thread. They are
 * refused, and the other is as if they had not been. */
#include "malformed.h"
#include <pthread.h>

enum { ROW_COUNT = 24, LENGTH = 6, CAPACITY = 1 << 12, THREAD_COUNT = 4 };

static graft_session *session;
static graft_trainer *trainer;
static graft_dataset *dataset;
static graft_batch *batch;
static graft_adapter *trained;
static graft_composition *composition;
/* Whether callbacks call back. */
static int calls_back;

static void expect_busy(graft_status found, const char *sentence) {
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "in use by another call", found, sentence);
}

static void make_rows(void) {
    int32_t tokens[ROW_COUNT * LENGTH], lengths[ROW_COUNT], labels[ROW_COUNT];
    for (int i = 0; i < ROW_COUNT * LENGTH; i++)
        tokens[i] = 2 + i * 7 % 100;
    for (int i = 0; i < ROW_COUNT; i++) {
        lengths[i] = LENGTH;
        labels[i] = i % 2;
    }
    need(graft_batch_create(tokens, NULL, lengths, ROW_COUNT, &batch), "making a batch");
    need(graft_batch_set_integers(batch, "labels", labels, ROW_COUNT, 1), "labelling it");
    need(graft_dataset_create(&dataset), "making a dataset");
    need(graft_dataset_append(dataset, batch), "filling it");
}

static int32_t on_progress(void *user_data, const graft_metrics *metrics) {
    const char *folder = user_data;
    if (!calls_back || metrics->step > 1 || metrics->evaluation)
        return 0;
    graft_evaluation *evaluation = NULL;
    expect_busy(graft_trainer_step(trainer, batch, NULL), "a step while it trains is refused");
    expect_busy(graft_trainer_evaluate(trainer, dataset, &evaluation),
                "an evaluation while it trains is refused");
    expect_busy(graft_trainer_fit(trainer, dataset, NULL, NULL, NULL, NULL, NULL),
                "a training within a training is refused");
    expect_busy(graft_trainer_save(trainer, folder), "a checkpoint amid a step is refused");
    expect_busy(graft_trainer_resume(trainer, folder), "a checkpoint is not read amid a step");
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "being trained by another call", graft_adapter_save(trained, folder),
           "an adapter is not saved amid a step");
    static float numbers[CAPACITY];
    expect(GRAFT_OK, "", graft_session_set_adapters(session, composition),
           "an adapter in training is attached");
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "being trained by another call",
           graft_session_embed(session, batch, GRAFT_POOLING_MEAN, 0, numbers, CAPACITY),
           "an adapter is not run amid a step");
    expect(GRAFT_OK, "", graft_dataset_append(dataset, batch), "rows are added to what is being trained on");
    graft_trainer_release(trainer);
    graft_dataset_release(dataset);
    return 0;
}

/* What is open to all between a trainer's calls. */
static void use_between(const char *folder) {
    static float numbers[CAPACITY];
    char path[1000];
    graft_adapter *saved = NULL;
    graft_trainer *second = NULL;
    snprintf(path, sizeof path, "%s/saved", folder);
    expect(GRAFT_OK, "", graft_adapter_save(trained, path), "an adapter whose trainer lives is saved");
    expect(GRAFT_OK, "", graft_adapter_load(tiny, path, &saved), "and loaded");
    expect(GRAFT_OK, "", graft_session_set_adapters(session, composition), "it is attached");
    expect(GRAFT_OK, "", graft_session_embed(session, batch, GRAFT_POOLING_MEAN, 0, numbers, CAPACITY),
           "it is run");
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "has a trainer", graft_adapter_set_head(trained, "", NULL, 0, NULL),
           "it gets no other head");
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "already has a trainer",
           graft_trainer_create(tiny, trained, NULL, &second), "it gets no second trainer");
    expect(GRAFT_OK, "", graft_trainer_step(trainer, batch, NULL), "and its trainer goes on");
    graft_adapter_release(saved);
}

/* A training's last loss. */
static double train(void) {
    static const char *const labels[] = {"a", "b"};
    make_rows();
    need(graft_adapter_create(tiny, "lora", NULL, 1, &trained), "making an adapter");
    need(graft_adapter_set_head(trained, "sequence_classification", labels, 2, NULL), "adding a head");
    need(graft_composition_create(trained, 1, &composition), "composing");
    need(graft_session_create(tiny, NULL, &session), "making a session");
    need(graft_trainer_create(tiny, trained, NULL, &trainer), "making a trainer");
    graft_metrics metrics;
    graft_metrics_init(&metrics, sizeof metrics);
    char folder[1000];
    snprintf(folder, sizeof folder, "%s/amid", scratch);
    expect(GRAFT_OK, "", graft_trainer_fit(trainer, dataset, dataset, on_progress, folder, &metrics, NULL),
           "a training whose callback calls back, and releases everything");
    if (!calls_back)
        use_between(scratch);
    graft_session_release(session);
    graft_composition_release(composition);
    graft_trainer_release(trainer);
    graft_dataset_release(dataset);
    graft_batch_release(batch);
    graft_adapter_release(trained);
    return metrics.loss;
}

static int32_t on_token(void *user_data, const graft_token *token) {
    uint64_t *hash = user_data;
    static float numbers[CAPACITY];
    *hash = (*hash ^ (uint64_t)token->row << 32 ^ (uint32_t)token->id) * 0x100000001b3;
    if (!calls_back)
        return 0;
    expect_busy(graft_session_generate(session, NULL, batch, NULL, on_token, hash),
                "generating within generating is refused");
    expect_busy(graft_session_embed(session, batch, GRAFT_POOLING_MEAN, 0, numbers, CAPACITY),
                "embedding while generating is refused");
    expect_busy(graft_session_hidden_states(session, batch, 0, numbers, CAPACITY),
                "hidden states while generating are refused");
    expect_busy(graft_session_classify(session, batch, numbers, CAPACITY, NULL),
                "classifying while generating is refused");
    expect_busy(graft_session_set_adapters(session, NULL), "other adapters while generating are refused");
    return 0;
}

static uint64_t generate(void) {
    uint64_t hash = 0;
    static const int32_t none[1];
    graft_generate_options options;
    graft_generate_options_init(&options, sizeof options);
    options.maximum_tokens = 5;
    options.stop_tokens = none;
    expect(GRAFT_OK, "", graft_session_generate(session, NULL, batch, &options, on_token, &hash),
           "texts whose callback calls back");
    return hash;
}

static void *use_session(void *sentence) {
    float numbers[CAPACITY];
    int fair = 1;
    for (int i = 0; i < 200; i++) {
        graft_status status =
            i % 4 ? graft_session_embed(session, batch, GRAFT_POOLING_MEAN, 0, numbers, CAPACITY)
                  : graft_session_generate(session, NULL, batch, NULL, on_token, &(uint64_t){0});
        fair &= status == GRAFT_OK ||
                (status == GRAFT_ERROR_INVALID_ARGUMENT && strstr(graft_last_error_message(), "in use"));
    }
    return fair ? sentence : NULL;
}

static void *use_batch(void *sentence) {
    int32_t labels[ROW_COUNT] = {0};
    const graft_composition *none[ROW_COUNT] = {NULL};
    float numbers[CAPACITY];
    graft_session *own = NULL;
    int fair = graft_session_create(tiny, NULL, &own) == GRAFT_OK;
    for (int i = 0; i < 200; i++) {
        fair &= graft_batch_set_integers(batch, "labels", labels, ROW_COUNT, 1) == GRAFT_OK;
        fair &= graft_batch_set_adapters(batch, none, ROW_COUNT) == GRAFT_OK;
        fair &= graft_dataset_append(dataset, batch) == GRAFT_OK;
        fair &= graft_session_embed(own, batch, GRAFT_POOLING_MEAN, 0, numbers, CAPACITY) == GRAFT_OK;
    }
    graft_session_release(own);
    return fair ? sentence : NULL;
}

static void run_threads(void *(*body)(void *), const char *sentence) {
    pthread_t threads[THREAD_COUNT];
    for (int i = 0; i < THREAD_COUNT; i++)
        if (pthread_create(&threads[i], NULL, body, (void *)(uintptr_t)sentence) != 0)
            exit(1);
    for (int i = 0; i < THREAD_COUNT; i++) {
        void *fair = NULL;
        pthread_join(threads[i], &fair);
        claim(fair != NULL, sentence, "another status");
    }
}

void test_sharing(void) {
    double loss = train();
    calls_back = 1;
    double same = train();
    claim(memcmp(&loss, &same, sizeof loss) == 0, "refused calls leave a training as it is", "another loss");

    graft_model *language = NULL;
    need(graft_model_load(join(goldens, "llama-tiny/everything"), NULL, &language), "loading llama-tiny");
    need(graft_session_create(language, NULL, &session), "making a session");
    make_rows();
    uint64_t hash = generate();
    calls_back = 0;
    claim(hash == generate(), "refused calls leave texts as they are", "other tokens");
    run_threads(use_session, "threads that share a session are served or refused");
    run_threads(use_batch, "threads that share a batch and a data set are served");
    claim(graft_dataset_row_count(dataset) == ROW_COUNT * (1 + THREAD_COUNT * 200), "no row is lost",
          "fewer");
    graft_session_release(session);
    graft_model_release(language);
    graft_dataset_release(dataset);
    graft_batch_release(batch);
}
