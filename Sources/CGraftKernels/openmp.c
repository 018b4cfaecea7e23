#define _GNU_SOURCE
#include "openmp.h"
#include "environment.h"
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/** What the runtimes of LLVM, Intel and GNU have in common, and what only LLVM's and Intel's
 *  have. */
static struct {
    void (*parallel)(void (*body)(void *), void *data, unsigned threads, unsigned flags);
    int (*thread_number)(void);
    int (*thread_limit)(void);
    size_t (*stack_size)(void);
    /** Where it was opened: GNU's runtime serves no forked process. */
    pid_t process;
} runtime;

static bool is_open;
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;

/* ---- Opening ---- */

enum { LONGEST = 1024 /**< Bytes of a path. */ };

static bool is_runtime(const char *path) {
    static const char *const beginnings[] = {"libomp.so", "libomp-", "libomp5", "libiomp5", "libgomp"};
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (strncmp(name, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

/** Copies the path of a runtime that the process holds, under whatever name its package gave it. */
static int note_runtime(struct dl_phdr_info *object, size_t size, void *path) {
    (void)size;
    if (!object->dlpi_name || !is_runtime(object->dlpi_name) || strlen(object->dlpi_name) >= LONGEST)
        return 0;
    strcpy(path, object->dlpi_name);
    return 1;
}

static bool take(void *library) {
    void *parallel = dlsym(library, "GOMP_parallel"), *number = dlsym(library, "omp_get_thread_num");
    void *limit = dlsym(library, "omp_get_thread_limit"), *size = dlsym(library, "kmp_get_stacksize_s");
    if (!parallel || !number || !limit)
        return false;
    memcpy(&runtime.parallel, &parallel, sizeof parallel);
    memcpy(&runtime.thread_number, &number, sizeof number);
    memcpy(&runtime.thread_limit, &limit, sizeof limit);
    memcpy(&runtime.stack_size, &size, sizeof size);
    runtime.process = getpid();
    return true;
}

static bool find(void) {
    static const char *const names[] = {"libomp.so.5", "libomp.so", "libiomp5.so", "libgomp.so.1"};
    char path[LONGEST] = "";
    /* Two runtimes in a process disturb each other, so that one which is there comes first. */
    if (take(RTLD_DEFAULT))
        return true;
    dl_iterate_phdr(note_runtime, path);
    void *library = path[0] ? dlopen(path, RTLD_LAZY | RTLD_NOLOAD) : NULL;
    if (library)
        return take(library);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if ((library = dlopen(names[i], RTLD_LAZY)) && take(library))
            return true;
    return false;
}

bool gk_openmp_open(void) {
    pthread_mutex_lock(&opening);
    if (!is_open)
        is_open = find();
    pthread_mutex_unlock(&opening);
    return is_open;
}

/* ---- Whether the system lets a caller have its threads ---- */

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

/** Makes as many threads at once as the system allows, at most `wanted`, lets them end, and counts
 *  them. */
static int32_t count_possible(int32_t wanted) {
    pthread_t threads[GK_MAXIMUM_THREADS];
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_attr_t attributes;
    sigset_t all, before;
    int32_t count = 0;
    if (pthread_attr_init(&attributes) != 0)
        return 0;
    if (!runtime.stack_size || pthread_attr_setstacksize(&attributes, runtime.stack_size()) == 0) {
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

static void do_nothing(void *unused) {
    (void)unused;
}

int32_t gk_openmp_threads(int32_t wanted) {
    int32_t limit = runtime.thread_limit();
    pid_t process = getpid();
    if (wanted > limit)
        wanted = limit;
    if (wanted < 2 || (!runtime.stack_size && process != runtime.process))
        return 1;
    if (had.process != process)
        had.threads = 1;
    if (wanted > had.threads) {
        int32_t threads = 1 + count_possible(wanted - 1);
        if (threads > had.threads) {
            /* The runtime takes its threads now, before something else may. */
            runtime.parallel(do_nothing, NULL, (unsigned)threads, 0);
            had.threads = threads;
        }
        had.process = process;
    }
    return wanted < had.threads ? wanted : had.threads;
}

/* ---- Running ---- */

static void work(void *data) {
    const gk_environment before = gk_set_default_environment();
    gk_work_at(data, runtime.thread_number());
    gk_restore_environment(&before);
}

void gk_openmp_run(const gk_region *region) {
    runtime.parallel(work, (void *)(uintptr_t)region, (unsigned)region->seat_count, 0);
}
