/* An OpenMP runtime of the host's: beside the library's own threads, or as the one that it computes
 * with.
 *
 *     runtimes GOLDENS none|before|after RUNTIME
 *
 * The host opens RUNTIME and runs a region on it before or after the library is used. Prints which
 * executor computed, and the runtimes that the process holds. */
#define _GNU_SOURCE
#include "process.h"
#include <dlfcn.h>
#include <link.h>
#include <string.h>

enum { ROW_COUNT = 48, LENGTH = 60, WIDTH = 32 };

static char folder[1000];

static void add_one(void *count) {
    __atomic_fetch_add((int *)count, 1, __ATOMIC_RELAXED);
}

static void run_region_of(const char *path) {
    int count = 0;
    void *library = dlopen(path, RTLD_NOW), *symbol = library ? dlsym(library, "GOMP_parallel") : NULL;
    void (*parallel)(void (*)(void *), void *, unsigned, unsigned);
    if (!symbol) {
        printf("%s cannot be used: %s\n", path, dlerror());
        exit(1);
    }
    memcpy(&parallel, &symbol, sizeof parallel);
    parallel(add_one, &count, 2, 0);
    if (count != 2) {
        printf("%s ran a region on %d threads\n", path, count);
        exit(1);
    }
}

static int name_runtime(struct dl_phdr_info *object, size_t size, void *unused) {
    (void)size, (void)unused;
    const char *slash = strrchr(object->dlpi_name, '/'), *name = slash ? slash + 1 : object->dlpi_name;
    if (strstr(name, "omp"))
        printf(" %s", name);
    return 0;
}

static void embed(int32_t thread_count, float *vectors) {
    static int32_t tokens[ROW_COUNT * LENGTH], lengths[ROW_COUNT];
    graft_model *model = NULL;
    graft_batch *batch = NULL;
    graft_session *session = NULL;
    graft_session_options options;
    graft_session_options_init(&options, sizeof options);
    options.thread_count = thread_count;
    for (int i = 0; i < ROW_COUNT * LENGTH; i++)
        tokens[i] = 2 + i * 7 % 100;
    for (int i = 0; i < ROW_COUNT; i++)
        lengths[i] = LENGTH;
    need(graft_model_load(folder, NULL, &model), "loading");
    need(graft_batch_create(tokens, NULL, lengths, ROW_COUNT, &batch), "making a batch");
    need(graft_session_create(model, &options, &session), "making a session");
    need(graft_session_embed(session, batch, GRAFT_POOLING_MEAN, 1, vectors, ROW_COUNT * WIDTH), "embedding");
    graft_session_release(session);
    graft_batch_release(batch);
    graft_model_release(model);
}

int main(int argument_count, char **arguments) {
    static float alone[ROW_COUNT * WIDTH], together[ROW_COUNT * WIDTH];
    if (argument_count != 4)
        return 2;
    snprintf(folder, sizeof folder, "%s/bert-tiny/base", arguments[1]);
    if (strcmp(arguments[2], "before") == 0)
        run_region_of(arguments[3]);
    embed(1, alone);
    embed(2, together);
    if (strcmp(arguments[2], "after") == 0)
        run_region_of(arguments[3]);
    embed(2, together);
    if (memcmp(alone, together, sizeof alone) != 0) {
        printf("other vectors\n");
        return 1;
    }
    printf("%s:", graft_executor_name());
    dl_iterate_phdr(name_runtime, NULL);
    printf("\n");
    return 0;
}
