/** Whether the system lets a team have its threads: OpenMP ends the process where it cannot make one. */
#define _GNU_SOURCE
#include "gk_internal.h"
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

int omp_get_thread_limit(void);
size_t kmp_get_stacksize_s(void);

/** What the calling thread has had, and in which process: a forked one has none of it. */
static _Thread_local struct {
    int32_t threads;
    pid_t process;
} had;

static void *wait_for(void *gate) {
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return NULL;
}

/** Makes as many threads at once as the system allows, at most `wanted`, lets them end, and counts them. */
static int32_t count_possible(int32_t wanted) {
    pthread_t threads[GK_MAXIMUM_THREADS];
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_attr_t attributes;
    sigset_t all, before;
    int32_t count = 0;
    if (pthread_attr_init(&attributes) != 0)
        return 0;
    if (pthread_attr_setstacksize(&attributes, kmp_get_stacksize_s()) == 0) {
        /* None of them is to run a signal's handler. */
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        pthread_mutex_lock(&gate);
        while (count < wanted && pthread_create(&threads[count], &attributes, wait_for, &gate) == 0)
            count++;
        pthread_mutex_unlock(&gate);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    pthread_attr_destroy(&attributes);
    for (int32_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    return count;
}

int32_t gk_available_threads(int32_t wanted) {
    int32_t limit = omp_get_thread_limit();
    if (wanted > limit)
        wanted = limit;
    if (wanted > GK_MAXIMUM_THREADS)
        wanted = GK_MAXIMUM_THREADS;
    if (wanted < 2)
        return 1;
    if (had.process != getpid())
        had.threads = 1;
    if (wanted > had.threads) {
        int32_t threads = 1 + count_possible(wanted - 1);
        if (threads > had.threads) {
            /* OpenMP takes its threads now, before something else may. */
#pragma omp parallel num_threads(threads)
            {}
            had.threads = threads;
        }
        had.process = getpid();
    }
    return wanted < had.threads ? wanted : had.threads;
}
