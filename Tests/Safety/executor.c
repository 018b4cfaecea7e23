/* What a host meets of the threads that a call is helped by: how many there are, when they run,
 * what they leave.
 *
 *     executor GOLDENS
 *
 * Each case runs in a process of its own. GRAFT_EXECUTOR=openmp leaves out what only the library's
 * own threads promise. */
#define _GNU_SOURCE
#include <dirent.h>
#include <graft.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROW_COUNT = 48, LENGTH = 60, WIDTH = 32, CALLER_COUNT = 50, CALLS_OF_EACH = 2, REQUEST_COUNT = 30 };

static const char *goldens;
static graft_model *model;
static graft_batch *batch;
static float expected[ROW_COUNT * WIDTH];
static int held, failed, is_own;

static void need(graft_status status, const char *what) {
    if (status == GRAFT_OK)
        return;
    printf("%s: %s: %s\n", what, graft_status_name(status), graft_last_error_message());
    fflush(stdout);
    _exit(1);
}

/* Runs `body` in a child that has two minutes; it returns what went wrong, or NULL. */
static void check(const char *(*body)(void), const char *sentence) {
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(120);
        const char *wrong = body();
        if (wrong)
            printf("%s\n", wrong);
        fflush(stdout);
        _exit(wrong != NULL);
    }
    waitpid(child, &status, 0);
    if (status == 0) {
        held++;
        return;
    }
    failed++;
    printf("FAILED  %s: wait status %#x\n", sentence, (unsigned)status);
}

static const char *say(const char *format, double a, double b) {
    static char text[200];
    snprintf(text, sizeof text, format, a, b);
    return text;
}

static void load(void) {
    static int32_t tokens[ROW_COUNT * LENGTH], lengths[ROW_COUNT];
    char path[1000];
    for (int i = 0; i < ROW_COUNT * LENGTH; i++)
        tokens[i] = 2 + i * 7 % 100;
    for (int i = 0; i < ROW_COUNT; i++)
        lengths[i] = LENGTH;
    snprintf(path, sizeof path, "%s/bert-tiny/base", goldens);
    need(graft_model_load(path, NULL, &model), "loading bert-tiny");
    need(graft_batch_create(tokens, NULL, lengths, ROW_COUNT, &batch), "making a batch");
}

static void unload(void) {
    graft_batch_release(batch);
    graft_model_release(model);
}

static graft_session *make_session(int32_t threads) {
    graft_session *session = NULL;
    graft_session_options options;
    graft_session_options_init(&options, sizeof options);
    options.thread_count = threads;
    need(graft_session_create(model, &options, &session), "making a session");
    return session;
}

static void embed(graft_session *session, float *out) {
    need(graft_session_embed(session, batch, GRAFT_POOLING_MEAN, 1, out, ROW_COUNT * WIDTH), "embedding");
}

static int embeds_the_same(graft_session *session) {
    float vectors[ROW_COUNT * WIDTH];
    embed(session, vectors);
    return memcmp(vectors, expected, sizeof vectors) == 0;
}

static void expect_of_one_thread(void) {
    load();
    graft_session *session = make_session(1);
    embed(session, expected);
    graft_session_release(session);
}

static int count_threads(void) {
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    if (!tasks)
        return -1;
    for (const struct dirent *entry; (entry = readdir(tasks));)
        count += entry->d_name[0] != '.';
    closedir(tasks);
    return count;
}

static int count_processors(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

static double seconds_of(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void rest(long milliseconds) {
    nanosleep(&(struct timespec){milliseconds / 1000, milliseconds % 1000 * 1000000}, NULL);
}

/* ---- Waiting costs nothing ---- */

static double processor_time_of_requests(int32_t threads) {
    graft_session *session = make_session(threads);
    for (int i = 0; i < 3; i++)
        embeds_the_same(session);
    double start = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 0; i < REQUEST_COUNT; i++) {
        embeds_the_same(session);
        rest(30);
    }
    double time = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - start;
    graft_session_release(session);
    return time / REQUEST_COUNT * 1e3;
}

static const char *waits_cost_nothing(void) {
    expect_of_one_thread();
    double alone = processor_time_of_requests(1), helped = processor_time_of_requests(2);
    /* A tenth of a millisecond for each that is woken, and room for a busy machine. */
    return helped <= 1.5 * alone + 1
               ? NULL
               : say("%.2f ms of processor a request with one thread, %.2f ms with two", alone, helped);
}

/* ---- How many there are ---- */

static pthread_barrier_t all_are_there;
static atomic_int differences;

static void *call_at_once(void *threads) {
    graft_session *session = make_session((int32_t)(intptr_t)threads);
    atomic_fetch_add(&differences, !embeds_the_same(session));
    pthread_barrier_wait(&all_are_there);
    for (int i = 0; i < CALLS_OF_EACH; i++)
        atomic_fetch_add(&differences, !embeds_the_same(session));
    pthread_barrier_wait(&all_are_there);
    graft_session_release(session);
    return NULL;
}

/* Returns the seconds that so many callers at once take; `most` receives the most threads that were
 * seen. */
static double run_callers(int count, int32_t threads, int *most) {
    pthread_t callers[CALLER_COUNT];
    pthread_barrier_init(&all_are_there, NULL, (unsigned)count + 1);
    for (int i = 0; i < count; i++)
        if (pthread_create(&callers[i], NULL, call_at_once, (void *)(intptr_t)threads) != 0)
            _exit(2);
    pthread_barrier_wait(&all_are_there);
    double start = seconds_of(CLOCK_MONOTONIC);
    *most = 0;
    for (int i = 0; i < 10; i++) {
        int now = count_threads();
        *most = now > *most ? now : *most;
    }
    pthread_barrier_wait(&all_are_there);
    double time = seconds_of(CLOCK_MONOTONIC) - start;
    for (int i = 0; i < count; i++)
        pthread_join(callers[i], NULL);
    return time;
}

static const char *leaves_no_threads(void) {
    int most = 0, before = count_threads();
    expect_of_one_thread();
    for (int round = 0; round < 5; round++)
        run_callers(8, 8, &most);
    unload();
    if (atomic_load(&differences) > 0)
        return "other vectors";
    int after = count_threads();
    return after == before ? NULL
                           : say("%.0f threads before, %.0f after everything was released", before, after);
}

static const char *uses_no_more_than_processors(void) {
    expect_of_one_thread();
    int most = 0, processors = count_processors();
    run_callers(8, 8, &most);
    /* The callers, the main thread, and one less than processors. */
    return most <= 8 + 1 + processors - 1
               ? NULL
               : say("%.0f threads for eight callers on %.0f processors", most, processors);
}

static const char *many_callers_hold_each_other_up_no_more(void) {
    expect_of_one_thread();
    graft_session *session = make_session(1);
    double in_turn = 1e9, at_once = 1e9;
    int most = 0;
    for (int round = 0; round < 3; round++) {
        double start = seconds_of(CLOCK_MONOTONIC);
        for (int i = 0; i < CALLER_COUNT * CALLS_OF_EACH; i++)
            atomic_fetch_add(&differences, !embeds_the_same(session));
        double time = seconds_of(CLOCK_MONOTONIC) - start;
        in_turn = time < in_turn ? time : in_turn;
        time = run_callers(CALLER_COUNT, 8, &most);
        at_once = time < at_once ? time : at_once;
    }
    if (atomic_load(&differences) > 0)
        return "other vectors";
    return at_once <= 1.3 * in_turn
               ? NULL
               : say("%.1f ms in turn on one thread, %.1f ms at once", in_turn * 1e3, at_once * 1e3);
}

static const char *obeys_affinity(void) {
    cpu_set_t set, one;
    CPU_ZERO(&one);
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return "the affinity is unknown";
    for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &set))
            CPU_SET(i, &one);
    expect_of_one_thread();
    graft_session *session = make_session(8);
    embeds_the_same(session);
    int threads = count_threads();
    if (threads != (CPU_COUNT(&set) < 8 ? CPU_COUNT(&set) : 8))
        return say("%.0f threads on %.0f processors", threads, CPU_COUNT(&set));
    graft_session_release(session);
    unload();
    if (sched_setaffinity(0, sizeof one, &one) != 0)
        return "the affinity cannot be set";
    expect_of_one_thread();
    session = make_session(8);
    if (!embeds_the_same(session))
        return "other vectors";
    return count_threads() == 1 ? NULL : "there is a worker where only one processor may be used";
}

static const char *obeys_variables(void) {
    static const char *const ones[] = {"1", " 1,4", "1 "}, *const none[] = {"0", "-3", "many",
                                                                            "",  "1x", "99999999999"};
    expect_of_one_thread();
    unload();
    for (size_t i = 0; i < sizeof ones / sizeof *ones; i++) {
        setenv("OMP_NUM_THREADS", ones[i], 1);
        load();
        graft_session *session = make_session(0);
        embeds_the_same(session);
        if (count_threads() != 1)
            return "OMP_NUM_THREADS=1 leaves a worker";
        graft_session_release(session);
        unload();
    }
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        setenv("OMP_NUM_THREADS", none[i], 1);
        load();
        graft_session *session = make_session(0);
        embeds_the_same(session);
        if (count_threads() != count_processors())
            return "an OMP_NUM_THREADS that is no number of threads is obeyed";
        graft_session_release(session);
        unload();
    }
    return NULL;
}

/* ---- Forks ---- */

static const char *same_in_a_fork(void) {
    expect_of_one_thread();
    graft_session *session = make_session(2);
    embeds_the_same(session);
    for (int i = 0; i < 20; i++) {
        int status = 0;
        pid_t child = fork();
        if (child == 0) {
            alarm(20);
            int is_same = embeds_the_same(session) && embeds_the_same(session);
            graft_session_release(session);
            unload();
            _exit(!is_same || (is_own && count_threads() != 1));
        }
        waitpid(child, &status, 0);
        if (status != 0 || !embeds_the_same(session))
            return "a forked process or its parent computes something else, hangs, or keeps threads";
    }
    return NULL;
}

static atomic_int is_over;

static void *embed_until_over(void *unused) {
    graft_session *session = make_session(2);
    while (!atomic_load(&is_over))
        atomic_fetch_add(&differences, !embeds_the_same(session));
    graft_session_release(session);
    return unused;
}

static const char *forks_amid_calls(void) {
    pthread_t other;
    const char *wrong = NULL;
    expect_of_one_thread();
    graft_session *session = make_session(2);
    if (pthread_create(&other, NULL, embed_until_over, NULL) != 0)
        return "there is no thread";
    for (int i = 0; i < 100 && !wrong; i++) {
        int status = 0;
        pid_t child = fork();
        if (child == 0) {
            alarm(20);
            _exit(!embeds_the_same(session));
        }
        waitpid(child, &status, 0);
        if (status != 0)
            wrong = "a process that was forked amid a call computes something else or hangs";
    }
    atomic_store(&is_over, 1);
    pthread_join(other, NULL);
    return wrong ? wrong : atomic_load(&differences) ? "other vectors" : NULL;
}

/* ---- Signals ---- */

static atomic_int handled_count;

static void handle(int number) {
    (void)number;
    atomic_fetch_add(&handled_count, 1);
}

/* No thread of the host takes the signal now: it must wait for one. */
static const char *workers_take_no_signals(void) {
    sigset_t all, pending;
    struct sigaction action = {.sa_handler = handle};
    expect_of_one_thread();
    graft_session *session = make_session(2);
    embeds_the_same(session);
    if (count_processors() > 1 && count_threads() < 2)
        return "there is no worker";
    sigemptyset(&all);
    for (int number = SIGUSR1; number <= SIGTERM; number++) {
        if (number == SIGALRM || number == SIGSEGV)
            continue;
        sigaddset(&all, number);
        sigaction(number, &action, NULL);
    }
    sigaddset(&all, SIGCHLD);
    sigaction(SIGCHLD, &action, NULL);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGCHLD);
    for (int i = 0; i < 20; i++)
        embeds_the_same(session);
    rest(20);
    sigpending(&pending);
    if (atomic_load(&handled_count) > 0 || !sigismember(&pending, SIGUSR1) || !sigismember(&pending, SIGCHLD))
        return "a worker has run a handler";
    pthread_sigmask(SIG_UNBLOCK, &all, NULL);
    return atomic_load(&handled_count) == 2 ? NULL : "the host has not got its signals";
}

/* ---- Choosing ---- */

static void *switch_until_over(void *unused) {
    while (!atomic_load(&is_over)) {
        need(graft_set_executor("openmp"), "choosing OpenMP");
        need(graft_set_executor("threads"), "choosing threads");
    }
    return unused;
}

static const char *may_be_changed_amid_calls(void) {
    pthread_t other;
    expect_of_one_thread();
    graft_session *session = make_session(2);
    if (graft_set_executor("gears") != GRAFT_ERROR_UNSUPPORTED ||
        !strstr(graft_last_error_message(), "\"openmp\"") ||
        graft_set_executor(NULL) != GRAFT_ERROR_INVALID_ARGUMENT)
        return "an executor of another name was taken";
    need(graft_set_executor("openmp"), "choosing OpenMP");
    if (strcmp(graft_executor_name(), "openmp") != 0)
        return "OpenMP was chosen and is not named";
    if (!embeds_the_same(session))
        return "OpenMP gives other bits";
    if (pthread_create(&other, NULL, switch_until_over, NULL) != 0)
        return "there is no thread";
    int count = 0;
    for (int i = 0; i < 200; i++)
        count += !embeds_the_same(session);
    atomic_store(&is_over, 1);
    pthread_join(other, NULL);
    return count == 0 ? NULL : "other vectors while the executor changes";
}

int main(int argument_count, char **arguments) {
    if (argument_count != 2)
        return 2;
    goldens = arguments[1];
    const char *asked = getenv("GRAFT_EXECUTOR");
    is_own = !asked || strcmp(asked, "threads") == 0;
    if (is_own) {
        check(waits_cost_nothing, "requests far apart cost with two threads what they cost with one");
        check(leaves_no_threads, "no thread is left when everything was released");
        check(uses_no_more_than_processors, "eight callers have no more workers than processors");
        check(obeys_affinity, "a thread that may use one processor gets no worker");
        check(obeys_variables, "OMP_NUM_THREADS is obeyed where it is a number");
        check(workers_take_no_signals, "workers take no signal of the host's");
        check(forks_amid_calls, "processes that are forked amid calls of other threads compute the same");
    }
    check(same_in_a_fork, "forked processes compute the same");
    check(many_callers_hold_each_other_up_no_more,
          "fifty callers at once are no slower than one thread in turn");
    check(may_be_changed_amid_calls, "the executor may be changed while others compute");
    printf("%d held\n", held);
    return failed != 0;
}
