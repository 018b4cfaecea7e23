/* Eight sessions on eight threads over one model and three adapters: every result has the bits of
 * the same call alone.
 *
 *     threads MODEL */
#include <graft.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREAD_COUNT = 8, ROUND_COUNT = 12, ROW_COUNT = 4, ADAPTER_COUNT = 3, LABEL_COUNT = 5 };

static const char *const texts[ROW_COUNT] = {
    "short", "a text of middling length, with a comma",
    "the third text is rather longer than the others are, so that rows differ", "?"};
static const char *const labels[LABEL_COUNT] = {"one", "two", "three", "four", "five"};

static graft_model *model;
static graft_tokenizer *tokenizer;
static graft_composition *compositions[ADAPTER_COUNT];
static int64_t width;
static float *expected_vectors;                        /* [ROW_COUNT, width], of the plain model */
static float expected_logits[ROW_COUNT * LABEL_COUNT]; /* row r with adapter r % ADAPTER_COUNT */

static void check(graft_status status, const char *what) {
    if (status == GRAFT_OK)
        return;
    fprintf(stderr, "%s: %s: %s\n", what, graft_status_name(status), graft_last_error_message());
    exit(1);
}

static void run(graft_session *session, float *vectors, float *logits) {
    const graft_composition *rows[ROW_COUNT];
    for (int row = 0; row < ROW_COUNT; row++)
        rows[row] = compositions[row % ADAPTER_COUNT];
    graft_batch *plain = NULL, *mixed = NULL;
    check(graft_batch_encode(tokenizer, texts, NULL, ROW_COUNT, NULL, &plain), "encoding");
    check(graft_batch_encode(tokenizer, texts, NULL, ROW_COUNT, NULL, &mixed), "encoding");
    check(graft_batch_set_adapters(mixed, rows, ROW_COUNT), "naming the rows' adapters");
    check(graft_session_embed(session, plain, GRAFT_POOLING_MEAN, 1, vectors, ROW_COUNT * width),
          "embedding");
    check(graft_session_classify(session, mixed, logits, ROW_COUNT * LABEL_COUNT, NULL), "classifying");
    graft_batch_release(plain);
    graft_batch_release(mixed);
}

/* Returns how many rounds differ from what is expected. */
static void *work(void *number) {
    graft_session_options options;
    graft_session_options_init(&options, sizeof options);
    options.thread_count = 1 + (int32_t)(intptr_t)number % 2;
    float *vectors = malloc((size_t)(ROW_COUNT * width) * sizeof *vectors);
    float logits[ROW_COUNT * LABEL_COUNT];
    intptr_t differences = 0;
    for (int round = 0; round < ROUND_COUNT && vectors; round++) {
        graft_session *session = NULL;
        check(graft_session_create(model, &options, &session), "making a session");
        run(session, vectors, logits);
        differences +=
            memcmp(vectors, expected_vectors, (size_t)(ROW_COUNT * width) * sizeof *vectors) != 0 ||
            memcmp(logits, expected_logits, sizeof logits) != 0;
        graft_session_release(session);
    }
    free(vectors);
    return (void *)differences;
}

int main(int argument_count, char **arguments) {
    if (argument_count != 2)
        return 2;
    check(graft_model_load(arguments[1], NULL, &model), "loading the model");
    check(graft_tokenizer_load(arguments[1], &tokenizer), "loading the tokenizer");
    for (int i = 0; i < ADAPTER_COUNT; i++) {
        graft_adapter *adapter = NULL;
        /* Without init_lora_weights an adapter changes what the model computes before it is
         * trained. */
        check(graft_adapter_create(model, "lora", "{\"init_lora_weights\": false}", (uint64_t)i, &adapter),
              "making");
        check(graft_adapter_set_head(adapter, "sequence_classification", labels, LABEL_COUNT, NULL),
              "adding a head");
        check(graft_composition_create(adapter, 1, &compositions[i]), "composing");
        graft_adapter_release(adapter);
    }
    width = graft_model_hidden_size(model);
    expected_vectors = malloc((size_t)(ROW_COUNT * width) * sizeof *expected_vectors);
    if (!expected_vectors)
        return 2;
    graft_session *session = NULL;
    check(graft_session_create(model, NULL, &session), "making a session");
    run(session, expected_vectors, expected_logits);
    graft_session_release(session);

    pthread_t threads[THREAD_COUNT];
    intptr_t differences = 0;
    for (intptr_t i = 0; i < THREAD_COUNT; i++)
        if (pthread_create(&threads[i], NULL, work, (void *)i) != 0)
            return 2;
    for (int i = 0; i < THREAD_COUNT; i++) {
        void *found = NULL;
        pthread_join(threads[i], &found);
        differences += (intptr_t)found;
    }
    printf("%ld of %d rounds differ\n", (long)differences, THREAD_COUNT * ROUND_COUNT);

    for (int i = 0; i < ADAPTER_COUNT; i++)
        graft_composition_release(compositions[i]);
    free(expected_vectors);
    graft_tokenizer_release(tokenizer);
    graft_model_release(model);
    return differences != 0;
}
