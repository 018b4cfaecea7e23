/* Eight threads over one model: sessions that mix shared adapters, a training, failures, and
 * handles that one thread gives back while others use them. Results have the bits of the same call
 * alone.
 *
 *     races GOLDENS SCRATCH THREADS_OF_A_SESSION
 *
 * Tests/Safety/sanitizers runs it with the library built for a sanitizer as well. */
#include <graft.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREAD_COUNT = 8, ROUND_COUNT = 20, ROW_COUNT = 6, ADAPTER_COUNT = 3, LABEL_COUNT = 3, WIDTH = 32 };

static graft_model *model;
static graft_tokenizer *tokenizer;
static graft_adapter *adapters[ADAPTER_COUNT];
static graft_composition *compositions[ADAPTER_COUNT];
static int32_t thread_count = 1;
static float expected_vectors[ROW_COUNT * WIDTH], expected_logits[ROW_COUNT * LABEL_COUNT];
static atomic_int differences;
/* Handles that one thread replaces while others read them. */
static _Atomic(graft_composition *) exchanged;
static atomic_int is_over;

static void check(graft_status status, const char *what) {
    if (status == GRAFT_OK)
        return;
    fprintf(stderr, "%s: %s: %s\n", what, graft_status_name(status), graft_last_error_message());
    exit(1);
}

static graft_batch *make_batch(int has_adapters) {
    static const int32_t lengths[ROW_COUNT] = {1, 9, 30, 2, 17, 5};
    static const int32_t labels[ROW_COUNT] = {0, 1, 2, 0, 1, 2};
    int32_t tokens[64];
    for (int i = 0; i < 64; i++)
        tokens[i] = 2 + i * 11 % 110;
    graft_batch *batch = NULL;
    check(graft_batch_create(tokens, NULL, lengths, ROW_COUNT, &batch), "making a batch");
    check(graft_batch_set_integers(batch, "labels", labels, ROW_COUNT, 1), "labelling it");
    const graft_composition *rows[ROW_COUNT];
    for (int row = 0; row < ROW_COUNT; row++)
        rows[row] = row % (ADAPTER_COUNT + 1) ? compositions[row % (ADAPTER_COUNT + 1) - 1] : NULL;
    if (has_adapters)
        check(graft_batch_set_adapters(batch, rows, ROW_COUNT), "naming the rows' adapters");
    return batch;
}

static graft_session *make_session(void) {
    graft_session_options options;
    graft_session_options_init(&options, sizeof options);
    options.thread_count = thread_count;
    graft_session *session = NULL;
    check(graft_session_create(model, &options, &session), "making a session");
    return session;
}

static void run(graft_session *session, float *vectors, float *logits) {
    graft_batch *plain = make_batch(0), *mixed = make_batch(1);
    int64_t columns = 0;
    check(graft_session_embed(session, plain, GRAFT_POOLING_MEAN, 1, vectors, ROW_COUNT * WIDTH),
          "embedding");
    check(graft_session_classify(session, mixed, logits, ROW_COUNT * LABEL_COUNT, &columns), "classifying");
    graft_batch_release(plain);
    graft_batch_release(mixed);
}

static void compare(graft_session *session) {
    float vectors[ROW_COUNT * WIDTH], logits[ROW_COUNT * LABEL_COUNT];
    run(session, vectors, logits);
    atomic_fetch_add(&differences, memcmp(vectors, expected_vectors, sizeof vectors) != 0 ||
                                       memcmp(logits, expected_logits, sizeof logits) != 0);
}

/* A session of its own, made anew each time. */
static void *serve(void *unused) {
    for (int round = 0; round < ROUND_COUNT; round++) {
        graft_session *session = make_session();
        compare(session);
        compare(session);
        graft_session_release(session);
    }
    return unused;
}

/* Uses a composition that may be gone by then: the call works, or says that the handle is not
 * live. */
static void *use_what_others_release(void *unused) {
    graft_session *session = make_session();
    graft_batch *batch = make_batch(0);
    float logits[ROW_COUNT * LABEL_COUNT];
    while (!atomic_load(&is_over)) {
        graft_composition *composition = atomic_load(&exchanged);
        graft_status status = graft_session_set_adapters(session, composition);
        if (status == GRAFT_OK)
            check(graft_session_classify(session, batch, logits, ROW_COUNT * LABEL_COUNT, NULL),
                  "classifying");
        else if (status != GRAFT_ERROR_INVALID_ARGUMENT || !strstr(graft_last_error_message(), "released"))
            check(status, "attaching");
        if (graft_adapter_label_count(adapters[0]) != LABEL_COUNT ||
            !graft_adapter_config_json(adapters[0]) || strcmp(graft_adapter_label(adapters[0], 1), "b") != 0)
            atomic_fetch_add(&differences, 1);
    }
    graft_batch_release(batch);
    graft_session_release(session);
    return unused;
}

/* Puts new compositions of new adapters in place of the old ones, which it gives back. */
static void *exchange(void *unused) {
    while (!atomic_load(&is_over)) {
        graft_adapter *adapter = NULL;
        graft_composition *composition = NULL;
        check(graft_adapter_create(model, "lora", NULL, 7, &adapter), "making an adapter");
        check(graft_composition_create(adapter, 0.5f, &composition), "composing");
        graft_adapter_release(adapter);
        graft_composition_release(atomic_exchange(&exchanged, composition));
    }
    return unused;
}

/* Letters of many scripts, which the shared tokenizer looks up for the first time on several
 * threads at once. */
static void *encode(void *unused) {
    for (int first = 0x100; first < 0xd800; first += 0x80) {
        char text[2 * 3 * 0x80 + 1];
        int length = 0, count = 0;
        for (int letter = first; letter < first + 0x80; letter += 3, count++) {
            if (letter >= 0x800)
                text[length++] = (char)(0xe0 | letter >> 12);
            text[length++] = (char)(letter >= 0x800 ? 0x80 | (letter >> 6 & 0x3f) : 0xc0 | letter >> 6);
            text[length++] = (char)(0x80 | (letter & 0x3f));
            text[length++] = ' ';
        }
        text[length] = '\0';
        graft_encoding *found = NULL, *again = NULL;
        check(graft_tokenizer_encode(tokenizer, text, NULL, NULL, &found), "encoding");
        check(graft_tokenizer_encode(tokenizer, text, NULL, NULL, &again), "encoding");
        int64_t tokens = graft_encoding_token_count(found);
        if (tokens > count * 4 || tokens != graft_encoding_token_count(again) ||
            memcmp(graft_encoding_byte_offsets(found), graft_encoding_byte_offsets(again),
                   (size_t)tokens * 2 * sizeof(int32_t)) != 0)
            atomic_fetch_add(&differences, 1);
        graft_encoding_release(found);
        graft_encoding_release(again);
    }
    return unused;
}

/* Trains an adapter of its own on the shared model, and cancels one training from here. */
static void *train(void *unused) {
    static const char *const labels[] = {"a", "b", "c"};
    for (int round = 0; round < 4; round++) {
        graft_adapter *adapter = NULL;
        graft_trainer *trainer = NULL;
        graft_dataset *rows = NULL;
        graft_cancel_token *token = NULL;
        graft_batch *batch = make_batch(0);
        check(graft_cancel_token_create(&token), "making a token");
        check(graft_adapter_create(model, "lora", NULL, 1, &adapter), "making an adapter");
        check(graft_adapter_set_head(adapter, "sequence_classification", labels, 3, NULL), "adding a head");
        check(graft_dataset_create(&rows), "making a data set");
        check(graft_dataset_append(rows, batch), "filling it");
        graft_trainer_options options;
        graft_trainer_options_init(&options, sizeof options);
        options.thread_count = thread_count;
        options.rows_per_batch = 3;
        options.cancel_token = token;
        check(graft_trainer_create(model, adapter, &options, &trainer), "making a trainer");
        check(graft_trainer_fit(trainer, rows, rows, NULL, NULL, NULL, NULL), "training");
        graft_cancel_token_cancel(token);
        if (graft_trainer_step(trainer, batch, NULL) != GRAFT_ERROR_CANCELLED)
            atomic_fetch_add(&differences, 1);
        graft_cancel_token_release(token);
        graft_trainer_release(trainer);
        graft_dataset_release(rows);
        graft_adapter_release(adapter);
        graft_batch_release(batch);
    }
    return unused;
}

/* Fails in one way again and again; the message is this thread's own. */
static void *blunder(void *unused) {
    for (int round = 0; round < 200; round++) {
        char path[64];
        graft_model *out = NULL;
        graft_tokenizer *words = NULL;
        snprintf(path, sizeof path, "/no/such/folder/%p/%d", (void *)&out, round);
        if (graft_model_load(path, NULL, &out) != GRAFT_ERROR_NOT_FOUND ||
            !strstr(graft_last_error_message(), path) ||
            graft_tokenizer_load(path, &words) != GRAFT_ERROR_NOT_FOUND ||
            !strstr(graft_last_error_message(), path))
            atomic_fetch_add(&differences, 1);
    }
    return unused;
}

int main(int argument_count, char **arguments) {
    static const char *const labels[] = {"a", "b", "c"};
    char path[1000];
    if (argument_count != 4)
        return 2;
    thread_count = atoi(arguments[3]);
    static const char words[] =
        "{\"model\": {\"type\": \"WordPiece\", \"unk_token\": \"?\", \"vocab\": {\"?\": 0}}, \"normalizer\": "
        "{\"type\": "
        "\"BertNormalizer\", \"clean_text\": true, \"handle_chinese_chars\": true, \"strip_accents\": null, "
        "\"lowercase\": true}, \"pre_tokenizer\": {\"type\": \"BertPreTokenizer\"}}";
    snprintf(path, sizeof path, "%s/tokenizer.json", arguments[2]);
    FILE *file = fopen(path, "w");
    if (!file || fputs(words, file) < 0 || fclose(file) != 0)
        return 2;
    check(graft_tokenizer_load(arguments[2], &tokenizer), "loading a tokenizer");
    snprintf(path, sizeof path, "%s/bert-tiny/sequence-classification", arguments[1]);
    check(graft_model_load(path, NULL, &model), "loading bert-tiny");
    uint64_t checksum = graft_model_checksum(model);
    for (int i = 0; i < ADAPTER_COUNT; i++) {
        check(graft_adapter_create(model, "lora",
                                   "{\"init_lora_weights\": false, \"target_modules\": \"all-linear\"}",
                                   (uint64_t)i, &adapters[i]),
              "making an adapter");
        check(graft_adapter_set_head(adapters[i], "sequence_classification", labels, LABEL_COUNT, NULL),
              "adding a head");
        check(graft_composition_create(adapters[i], 1, &compositions[i]), "composing");
    }
    graft_session *session = make_session();
    run(session, expected_vectors, expected_logits);
    graft_session_release(session);

    static void *(*const work[THREAD_COUNT])(void *) = {
        serve, serve, train, encode, encode, blunder, use_what_others_release, exchange,
    };
    pthread_t threads[THREAD_COUNT];
    for (int i = 0; i < THREAD_COUNT; i++)
        if (pthread_create(&threads[i], NULL, work[i], NULL) != 0)
            return 2;
    for (int i = 0; i < THREAD_COUNT; i++) {
        /* The last two go on until the others are done. */
        if (i == THREAD_COUNT - 2)
            atomic_store(&is_over, 1);
        pthread_join(threads[i], NULL);
    }
    /* And eight sessions at once. */
    for (int i = 0; i < THREAD_COUNT; i++)
        if (pthread_create(&threads[i], NULL, serve, NULL) != 0)
            return 2;
    for (int i = 0; i < THREAD_COUNT; i++)
        pthread_join(threads[i], NULL);

    graft_composition_release(atomic_load(&exchanged));
    atomic_fetch_add(&differences, graft_model_checksum(model) != checksum);
    for (int i = 0; i < ADAPTER_COUNT; i++) {
        graft_adapter_release(adapters[i]);
        graft_composition_release(compositions[i]);
    }
    graft_model_release(model);
    graft_tokenizer_release(tokenizer);
    printf("%d differences\n", atomic_load(&differences));
    return atomic_load(&differences) != 0;
}
