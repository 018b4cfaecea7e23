/* Four threads serve while a fifth brings newer adapters, without a lock of the host's: every
 * prediction is that of the adapter whose label it names, and every old adapter goes when the last
 * one lets go of it.
 *
 *     swap GOLDENS
 *
 * Tests/Safety/sanitizers runs it with the library built for the thread sanitizer as well. */
#include <graft.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SERVER_COUNT = 4, SWAP_COUNT = 300, KIND_COUNT = 2, LABEL_COUNT = 2, LEAST_SERVED = 40 };

static const char *const label_names[KIND_COUNT][LABEL_COUNT] = {{"old", "old, too"}, {"new", "new, too"}};

static graft_model *model;
static graft_file files[KIND_COUNT][2]; /* an adapter of each kind, in memory */
static int32_t expected_label[KIND_COUNT];
static float expected_probability[KIND_COUNT];
static _Atomic(graft_composition *) current;
static _Atomic(graft_session *) sessions[SERVER_COUNT]; /* of the threads that serve */
static atomic_int is_over, served, retries, differences;

static void check(graft_status status, const char *what) {
    if (status == GRAFT_OK)
        return;
    fprintf(stderr, "%s: %s: %s\n", what, graft_status_name(status), graft_last_error_message());
    exit(1);
}

static int32_t keep(void *user_data, const graft_file *file) {
    graft_file *kept = user_data;
    while (kept->name)
        kept++;
    char *name = malloc(strlen(file->name) + 1), *data = malloc((size_t)file->size);
    if (!name || !data)
        exit(1);
    strcpy(name, file->name);
    memcpy(data, file->data, (size_t)file->size);
    *kept = (graft_file){.name = name, .data = data, .size = file->size};
    return 0;
}

static graft_composition *load(int kind) {
    graft_adapter *adapter = NULL;
    graft_composition *composition = NULL;
    check(graft_adapter_load_files(model, files[kind], 2, &adapter), "loading from memory");
    check(graft_composition_create(adapter, 1, &composition), "composing");
    graft_adapter_release(adapter);
    return composition;
}

static graft_batch *make_batch(void) {
    static const int32_t tokens[] = {2, 17, 33, 64, 3, 2, 90, 3}, lengths[] = {5, 3};
    graft_batch *batch = NULL;
    check(graft_batch_create(tokens, NULL, lengths, 2, &batch), "making a batch");
    return batch;
}

static graft_session *make_session(void) {
    graft_session_options options;
    graft_session_options_init(&options, sizeof options);
    options.thread_count = 1;
    graft_session *session = NULL;
    check(graft_session_create(model, &options, &session), "making a session");
    return session;
}

/* The composition of the moment, with this thread as one more owner. */
static graft_composition *acquire(void) {
    graft_composition *found = atomic_load(&current);
    while (graft_composition_retain(found) != GRAFT_OK) {
        atomic_fetch_add(&retries, 1);
        found = atomic_load(&current);
    }
    return found;
}

static void *serve(void *number) {
    graft_session *session = make_session();
    atomic_store(&sessions[(intptr_t)number], session);
    graft_batch *batch = make_batch();
    while (!atomic_load(&is_over) || atomic_load(&served) < LEAST_SERVED) {
        int32_t labels[2];
        float probabilities[2];
        graft_composition *mine = acquire();
        const graft_composition *rows[] = {mine, mine};
        check(graft_batch_set_adapters(batch, rows, 2), "naming adapters");
        check(graft_session_predict(session, batch, 1, labels, probabilities, 2), "predicting");
        const char *name = graft_composition_label(mine, labels[0]);
        int kind = name && strncmp(name, "new", 3) == 0;
        if (!name || labels[0] != expected_label[kind] || probabilities[0] != expected_probability[kind] ||
            strcmp(name, label_names[kind][labels[0]]) != 0)
            atomic_fetch_add(&differences, 1);
        graft_adapter *adapter = NULL;
        check(graft_composition_adapter(mine, 0, &adapter), "asking for the adapter");
        if (graft_adapter_label_count(adapter) != LABEL_COUNT || graft_adapter_memory(adapter) <= 0 ||
            graft_session_memory(session) <= 0)
            atomic_fetch_add(&differences, 1);
        graft_adapter_release(adapter);
        graft_composition_release(mine);
        atomic_fetch_add(&served, 1);
    }
    graft_batch_release(batch);
    graft_session_release(session);
    return NULL;
}

/* Brings newer adapters, and watches the memory of sessions that are at work. */
static void *swap(void *unused) {
    for (int i = 0; i < SWAP_COUNT; i++) {
        graft_composition_release(atomic_exchange(&current, load(i % KIND_COUNT)));
        graft_session *session = atomic_load(&sessions[i % SERVER_COUNT]);
        if (session && graft_session_memory(session) <= 0)
            atomic_fetch_add(&differences, 1);
    }
    atomic_store(&is_over, 1);
    return unused;
}

static void make_kind(int kind) {
    graft_adapter *adapter = NULL;
    check(graft_adapter_create(model, "lora", "{\"init_lora_weights\": false}", (uint64_t)kind, &adapter),
          "making an adapter");
    check(graft_adapter_set_head(adapter, "sequence_classification", label_names[kind], LABEL_COUNT, NULL),
          "adding a head");
    check(graft_adapter_save_files(adapter, keep, files[kind]), "saving to memory");
    graft_adapter_release(adapter);

    graft_session *session = make_session();
    graft_batch *batch = make_batch();
    graft_composition *composition = load(kind);
    int32_t labels[2];
    float probabilities[2];
    check(graft_session_set_adapters(session, composition), "attaching");
    check(graft_session_predict(session, batch, 1, labels, probabilities, 2), "predicting");
    expected_label[kind] = labels[0];
    expected_probability[kind] = probabilities[0];
    graft_composition_release(composition);
    graft_batch_release(batch);
    graft_session_release(session);
}

int main(int argument_count, char **arguments) {
    if (argument_count != 2)
        return 2;
    char path[1000];
    snprintf(path, sizeof path, "%s/bert-tiny/base", arguments[1]);
    check(graft_model_load(path, NULL, &model), "loading bert-tiny");
    for (int kind = 0; kind < KIND_COUNT; kind++)
        make_kind(kind);
    atomic_store(&current, load(0));

    pthread_t threads[SERVER_COUNT + 1];
    for (intptr_t i = 0; i <= SERVER_COUNT; i++)
        if (pthread_create(&threads[i], NULL, i < SERVER_COUNT ? serve : swap, (void *)i) != 0)
            return 2;
    for (int i = 0; i <= SERVER_COUNT; i++)
        pthread_join(threads[i], NULL);

    graft_composition *last = atomic_load(&current);
    graft_composition_release(last);
    if (graft_composition_retain(last) == GRAFT_OK) {
        printf("someone forgot to release the last composition\n");
        atomic_fetch_add(&differences, 1);
    }
    graft_model_release(model);
    for (int kind = 0; kind < KIND_COUNT; kind++)
        for (int i = 0; i < 2; i++) {
            free((void *)files[kind][i].name);
            free((void *)files[kind][i].data);
        }
    printf("%d predictions, %d found a composition that had just gone, %d differences\n",
           atomic_load(&served), atomic_load(&retries), atomic_load(&differences));
    return atomic_load(&differences) != 0;
}
