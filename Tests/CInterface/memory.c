/* What handles say that they hold is what the process grew by, to a tenth.
 *
 *     memory MODEL
 */
#include <graft.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ADAPTER_COUNT = 20, ROW_COUNT = 96, LENGTH = 100 };

static int failed;

static void need(graft_status status, const char *what) {
    if (status == GRAFT_OK)
        return;
    printf("%s: %s: %s\n", what, graft_status_name(status), graft_last_error_message());
    exit(1);
}

/* Bytes of the process's own memory that are resident: no pages of files. */
static int64_t resident(void) {
    FILE *file = fopen("/proc/self/status", "r");
    char line[200];
    long long kilobytes = -1;
    while (file && fgets(line, sizeof line, file))
        sscanf(line, "RssAnon: %lld kB", &kilobytes);
    if (!file || fclose(file) != 0 || kilobytes < 0) {
        printf("/proc/self/status has no RssAnon\n");
        exit(1);
    }
    return kilobytes * 1024;
}

/* `said` is within a tenth of `grown`, or a quarter of a megabyte of the process's own doings. */
static void compare(const char *what, int64_t said, int64_t grown) {
    int64_t difference = said > grown ? said - grown : grown - said;
    int holds = said > 0 && difference <= grown / 10 + (1 << 18);
    printf("%-8s %s: says %lld bytes, the process grew by %lld\n", holds ? "" : "FAILED", what,
           (long long)said, (long long)grown);
    failed += !holds;
}

static graft_batch *make_batch(const graft_model *model) {
    static int32_t tokens[ROW_COUNT * LENGTH], lengths[ROW_COUNT], labels[ROW_COUNT];
    for (int i = 0; i < ROW_COUNT * LENGTH; i++)
        tokens[i] = i * 37 % graft_model_vocabulary_size(model);
    for (int row = 0; row < ROW_COUNT; row++) {
        lengths[row] = LENGTH;
        labels[row] = row % 2;
    }
    graft_batch *batch = NULL;
    need(graft_batch_create(tokens, NULL, lengths, ROW_COUNT, &batch), "making a batch");
    need(graft_batch_set_integers(batch, "labels", labels, ROW_COUNT, 1), "labelling it");
    return batch;
}

int main(int argument_count, char **arguments) {
    if (argument_count != 2)
        return 2;
    static const char *const names[] = {"a", "b"};
    static const char settings[] = "{\"r\": 64, \"target_modules\": \"all-linear\"}";
    graft_model *first = NULL, *model = NULL;
    graft_session *session = NULL;
    graft_trainer *trainer = NULL;
    graft_adapter *adapters[ADAPTER_COUNT];

    need(graft_model_load(arguments[1], NULL, &first), "loading once, for what a first load takes");
    int64_t before = resident();
    need(graft_model_load(arguments[1], NULL, &model), "loading");
    compare("a model", graft_model_memory(model), resident() - before);
    int64_t width = graft_model_hidden_size(model), tables = graft_model_mapped_memory(model);
    int64_t least = graft_model_vocabulary_size(model) * width * 4;
    int64_t most = graft_model_parameter_count(model) * 4 - graft_model_memory(model) / 2;
    if (tables < least || tables > most) {
        printf("FAILED   a model says that %lld bytes are mapped, expected %lld to %lld\n", (long long)tables,
               (long long)least, (long long)most);
        failed++;
    }
    graft_model_release(first);

    before = resident();
    int64_t said = 0;
    for (int i = 0; i < ADAPTER_COUNT; i++) {
        need(graft_adapter_create(model, "lora", settings, (uint64_t)i, &adapters[i]), "making an adapter");
        need(graft_adapter_set_head(adapters[i], "sequence_classification", names, 2, NULL), "with a head");
        said += graft_adapter_memory(adapters[i]);
    }
    compare("twenty adapters", said, resident() - before);

    graft_batch *batch = make_batch(model);
    float *vectors = malloc((size_t)(ROW_COUNT * width) * sizeof *vectors);
    if (!vectors)
        return 2;
    memset(vectors, 1, (size_t)(ROW_COUNT * width) * sizeof *vectors);
    graft_session_options options;
    graft_session_options_init(&options, sizeof options);
    options.thread_count = 1;
    options.pass_token_count = ROW_COUNT * LENGTH;
    before = resident();
    need(graft_session_create(model, &options, &session), "making a session");
    need(graft_session_embed(session, batch, GRAFT_POOLING_MEAN, 1, vectors, ROW_COUNT * width), "embedding");
    compare("a session", graft_session_memory(session), resident() - before);

    graft_trainer_options training;
    graft_trainer_options_init(&training, sizeof training);
    training.thread_count = 1;
    before = resident();
    need(graft_trainer_create(model, adapters[0], &training, &trainer), "making a trainer");
    need(graft_trainer_step(trainer, batch, NULL), "training a step");
    compare("a trainer", graft_trainer_memory(trainer), resident() - before);

    before = resident();
    said = graft_session_memory(session) + graft_trainer_memory(trainer);
    graft_session_release(session);
    graft_trainer_release(trainer);
    compare("session and trainer, released", said, before - resident());
    for (int i = 0; i < ADAPTER_COUNT; i++)
        graft_adapter_release(adapters[i]);
    graft_batch_release(batch);
    graft_model_release(model);
    free(vectors);
    return failed != 0;
}
