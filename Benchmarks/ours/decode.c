/*
 * Decoding at batch 1 next to the bandwidth of this machine's memory: decode MODEL PRECISION
 * THREADS TOKENS.
 *
 * Every new token reads all weights once, the head too. Before and after the tokens the same number
 * of threads reads a block of that size as fast as it can. Prints the median milliseconds of a
 * token and the least of reading the block.
 */
#define _GNU_SOURCE
#include "measure.h"
#include <pthread.h>
#include <sys/mman.h>

enum { MOST_THREADS = 64, ROUNDS = 10, READS = 3, MOST_TOKENS = 1000, PROMPT = 16 };

static void sort(double *times, int count) {
    qsort(times, (size_t)count, sizeof *times, ascending);
}

typedef struct part {
    const uint64_t *words;
    size_t count;
    uint64_t sum;
} part;

/* Reads a part of the block; several sums and lines asked for ahead, so that nothing but memory is
 * waited for. */
static void *read_part(void *argument) {
    part *own = argument;
    uint64_t sums[8] = {0};
    for (size_t i = 0; i + 8 <= own->count; i += 8) {
        __builtin_prefetch(own->words + i + 512);
        for (int j = 0; j < 8; j++)
            sums[j] += own->words[i + (size_t)j];
    }
    for (int j = 0; j < 8; j++)
        own->sum += sums[j];
    return NULL;
}

static double read_block(const uint64_t *words, size_t count, int threads) {
    pthread_t thread[MOST_THREADS];
    part parts[MOST_THREADS] = {0};
    double start = milliseconds();
    for (int t = 0; t < threads; t++) {
        size_t first = count / (size_t)threads * (size_t)t & ~(size_t)7;
        size_t end = t + 1 == threads ? count : count / (size_t)threads * (size_t)(t + 1) & ~(size_t)7;
        parts[t] = (part){words + first, end - first, 0};
        if (pthread_create(&thread[t], NULL, read_part, &parts[t]) != 0)
            exit(EXIT_FAILURE);
    }
    volatile uint64_t sum = 0;
    for (int t = 0; t < threads; t++) {
        pthread_join(thread[t], NULL);
        sum += parts[t].sum;
    }
    return milliseconds() - start;
}

typedef struct clock_record {
    int count;
    double times[MOST_TOKENS / ROUNDS];
} clock_record;

static int32_t note_time(void *user_data, const graft_token *token) {
    (void)token;
    clock_record *record = user_data;
    if (record->count < MOST_TOKENS / ROUNDS)
        record->times[record->count++] = milliseconds();
    return 0;
}

int main(int argument_count, char **arguments) {
    if (argument_count != 5)
        return EXIT_FAILURE;
    int threads = atoi(arguments[3]), tokens = atoi(arguments[4]);
    if (threads < 1 || threads > MOST_THREADS || tokens < 2 * ROUNDS || tokens > MOST_TOKENS)
        return EXIT_FAILURE;
    graft_model_options options;
    graft_model_options_init(&options, sizeof options);
    options.precision = atoi(arguments[2]);
    graft_model *model = NULL;
    check(graft_model_load(arguments[1], &options, &model));

    size_t bytes = (size_t)graft_model_parameter_count(model) * (options.precision ? 2 : 4);
    uint64_t *words = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (words == MAP_FAILED)
        return EXIT_FAILURE;
    madvise(words, bytes, MADV_HUGEPAGE);
    for (size_t i = 0; i < bytes / 8; i++)
        words[i] = i * 0x9e3779b97f4a7c15u; /* some memory reads zeros faster */

    graft_session_options session_options;
    graft_session_options_init(&session_options, sizeof session_options);
    session_options.thread_count = threads;
    graft_session *session = NULL;
    check(graft_session_create(model, &session_options, &session));
    int32_t prompt[PROMPT], length = PROMPT;
    for (int i = 0; i < PROMPT; i++)
        prompt[i] = 1 + i * 7;
    graft_batch *batch = NULL;
    check(graft_batch_create(prompt, NULL, &length, 1, &batch));
    graft_generate_options generate;
    graft_generate_options_init(&generate, sizeof generate);
    int32_t no_stop = 0;
    generate.maximum_tokens = tokens / ROUNDS;
    generate.stop_tokens = &no_stop; /* of which there are none */
    generate.stop_token_count = 0;
    double reads[ROUNDS * READS], steps[MOST_TOKENS];
    int read_count = 0, step_count = 0;
    /* The library's threads look for work for a fifth of a second before they sleep. */
    const struct timespec pause = {.tv_nsec = 300000000};
    for (int round = 0; round < ROUNDS; round++) {
        nanosleep(&pause, NULL);
        for (int i = 0; i < READS; i++)
            reads[read_count++] = read_block(words, bytes / 8, threads);
        clock_record record = {0};
        check(graft_session_generate(session, NULL, batch, &generate, note_time, &record));
        for (int i = 1; i < record.count; i++)
            steps[step_count++] = record.times[i] - record.times[i - 1];
    }
    sort(steps, step_count);
    sort(reads, read_count);
    printf("%g %g %zu\n", steps[step_count / 2], reads[0], bytes);
    graft_batch_release(batch);
    graft_session_release(session);
    graft_model_release(model);
    return EXIT_SUCCESS;
}
