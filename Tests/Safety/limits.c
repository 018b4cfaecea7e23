/* What the system refuses is an error of the call that needed it, and never the end of the process:
 * threads, memory. And a process forked amid calls works.
 *
 *     limits GOLDENS SCRATCH
 *
 * Each case runs in a process of its own, which must end by itself and print nothing. */
#define _GNU_SOURCE
#include "process.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { ROW_COUNT = 32, LENGTH = 60, WIDTH = 32, NOBODY = 65534 };

static const char *goldens, *scratch;
static graft_model *model;
static graft_batch *batch;
static graft_tokenizer *tokenizer;
static float vectors[ROW_COUNT * WIDTH], same[ROW_COUNT * WIDTH];
static int held, failed;

static const char *join(const char *folder, const char *name) {
    static char path[1000];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* Runs `body` in a child that has 60 seconds; it returns what went wrong, or NULL. */
static void check(const char *(*body)(void), const char *sentence) {
    char path[1000], output[400] = "";
    snprintf(path, sizeof path, "%s", join(scratch, "output"));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (!freopen(path, "w", stdout) || dup2(fileno(stdout), 2) < 0)
            _exit(3);
        alarm(60);
        const char *wrong = body();
        if (wrong)
            printf("%s: %s", wrong, graft_last_error_message());
        fflush(stdout);
        _exit(wrong != NULL);
    }
    int status = 0;
    waitpid(child, &status, 0);
    FILE *file = fopen(path, "r");
    size_t size = file ? fread(output, 1, sizeof output - 1, file) : 0;
    if (file)
        fclose(file);
    if (status == 0 && size == 0) {
        held++;
        return;
    }
    failed++;
    printf("FAILED  %s: wait status %#x, output: %s\n", sentence, (unsigned)status, output);
}

static graft_status embed_with(graft_session *session, float *out) {
    return graft_session_embed(session, batch, GRAFT_POOLING_MEAN, 1, out, ROW_COUNT * WIDTH);
}

static graft_status embed(float *out) {
    graft_session *session = NULL;
    graft_session_options options;
    graft_session_options_init(&options, sizeof options);
    options.thread_count = 64;
    graft_status status = graft_session_create(model, &options, &session);
    if (status == GRAFT_OK)
        status = embed_with(session, out);
    graft_session_release(session);
    return status;
}

/* The administrator's threads have no limit, so this is tried as nobody. */
static const char *with_one_thread(void) {
    struct rlimit one = {1, 1};
    if ((geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)) ||
        setrlimit(RLIMIT_NPROC, &one) != 0)
        return "the limit cannot be set";
    if (embed(same) != GRAFT_OK)
        return "embedding failed";
    return memcmp(vectors, same, sizeof same) == 0 ? NULL : "other vectors";
}

static const char *with_little_memory(void) {
    enum { TEXT = 4 << 20 };
    char *text = malloc(TEXT);
    graft_session *session = NULL;
    graft_encoding *encoding = NULL;
    graft_dataset *dataset = NULL;
    graft_batch *rows = NULL;
    int32_t *tokens = calloc(TEXT, sizeof *tokens), length = TEXT;
    if (!text || !tokens)
        return "there is no memory for the test itself";
    for (int i = 0; i < TEXT; i++)
        text[i] = i % 4 ? 'a' : ' ';
    text[TEXT - 1] = '\0';
    if (!limit_memory(8 << 20, 0))
        return "the limit cannot be set";
    if (graft_session_create(model, NULL, &session) != GRAFT_ERROR_OUT_OF_MEMORY)
        return "a session was made";
    if (graft_tokenizer_encode(tokenizer, text, NULL, NULL, &encoding) != GRAFT_ERROR_OUT_OF_MEMORY)
        return "a long text was encoded";
    if (graft_batch_create(tokens, NULL, &length, 1, &rows) != GRAFT_ERROR_OUT_OF_MEMORY)
        return "a large batch was made";
    if (graft_dataset_create(&dataset) != GRAFT_OK || graft_dataset_append(dataset, batch) != GRAFT_OK)
        return "a small data set was refused";
    return NULL;
}

static const char *model_with_little_memory(void) {
    char path[1000];
    graft_model *second = NULL;
    struct stat status;
    snprintf(path, sizeof path, "%s", join(scratch, "large/model.safetensors"));
    if (stat(path, &status) != 0 || !limit_memory(16 << 20, 0))
        return "the limit cannot be set";
    return graft_model_load(join(scratch, "large"), NULL, &second) == GRAFT_ERROR_OUT_OF_MEMORY
               ? NULL
               : "a model larger than the memory was not out of memory";
}

static void *call_forever(void *unused) {
    for (;;) {
        graft_cancel_token *token = NULL;
        if (graft_cancel_token_create(&token) != GRAFT_OK)
            return unused;
        graft_cancel_token_release(token);
    }
}

static const char *with_forks(void) {
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, call_forever, NULL) != 0)
            return "there are no threads";
    for (int i = 0; i < 300; i++) {
        pid_t child = fork();
        if (child == 0) {
            alarm(20);
            graft_cancel_token *token = NULL;
            _exit(graft_cancel_token_create(&token) != GRAFT_OK);
        }
        int status = 0;
        waitpid(child, &status, 0);
        if (status != 0)
            return "a fork waits for a thread that it does not have";
    }
    return NULL;
}

static const char *in_a_fork(void) {
    if (embed(same) != GRAFT_OK)
        return "embedding failed";
    return memcmp(vectors, same, sizeof same) == 0 ? NULL : "other vectors";
}

/* Where a thread may use one processor it needs no worker; then it may use all, and there is no
 * memory for one. */
static const char *without_memory_for_workers(void) {
    cpu_set_t all, one;
    graft_session *session = NULL;
    CPU_ZERO(&one);
    if (graft_session_create(model, NULL, &session) != GRAFT_OK ||
        sched_getaffinity(0, sizeof all, &all) != 0)
        return "there is no session";
    for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &all))
            CPU_SET(i, &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0 || embed_with(session, same) != GRAFT_OK ||
        !limit_memory(64 << 10, 0) || sched_setaffinity(0, sizeof all, &all) != 0 ||
        embed_with(session, same) != GRAFT_OK)
        return "embedding failed";
    return memcmp(vectors, same, sizeof same) == 0 ? NULL : "other vectors";
}

/* A model folder whose weights are a hole of 64 MB. */
static void make_large_model(void) {
    char path[1000];
    snprintf(path, sizeof path, "%s", join(scratch, "large"));
    mkdir(path, 0755);
    FILE *config = fopen(join(scratch, "large/config.json"), "w");
    FILE *weights = fopen(join(scratch, "large/model.safetensors"), "w");
    if (!config || !weights || fputs("{\"model_type\": \"bert\"}", config) < 0 || fclose(config) != 0 ||
        fclose(weights) != 0 || truncate(join(scratch, "large/model.safetensors"), 64 << 20) != 0)
        exit(1);
}

int main(int argument_count, char **arguments) {
    static int32_t tokens[ROW_COUNT * LENGTH], lengths[ROW_COUNT];
    if (argument_count != 3)
        return 2;
    goldens = arguments[1];
    scratch = arguments[2];
    for (int i = 0; i < ROW_COUNT * LENGTH; i++)
        tokens[i] = 2 + i * 7 % 100;
    for (int i = 0; i < ROW_COUNT; i++)
        lengths[i] = LENGTH;
    FILE *vocabulary = fopen(join(scratch, "vocab.txt"), "w");
    if (!vocabulary || fputs("[UNK]\n[CLS]\n[SEP]\na\n##a\n", vocabulary) < 0 || fclose(vocabulary) != 0)
        return 1;
    make_large_model();
    need(graft_model_load(join(goldens, "bert-tiny/base"), NULL, &model), "loading bert-tiny");
    need(graft_tokenizer_load(scratch, &tokenizer), "loading a tokenizer");
    need(graft_batch_create(tokens, NULL, lengths, ROW_COUNT, &batch), "making a batch");
    need(embed(vectors), "embedding");

    check(in_a_fork, "a forked process computes the same");
    check(with_one_thread, "without more threads one computes the same");
    check(without_memory_for_workers, "without memory for more threads one computes the same");
    check(with_little_memory, "without memory calls say so");
    check(model_with_little_memory, "without memory for a model its loading says so");
    check(with_forks, "forks amid calls of other threads do not hang");

    graft_batch_release(batch);
    graft_tokenizer_release(tokenizer);
    graft_model_release(model);
    printf("%d held\n", held);
    return failed != 0;
}
