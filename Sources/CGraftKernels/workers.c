#define _GNU_SOURCE
#include "workers.h"
#include "environment.h"
#include "processors.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/** What a worker does. One word, on which it or its caller sleeps. */
enum {
    IDLE,    /**< Nothing; looks for an offer. */
    OFFERED, /**< There is a region for it. The caller may take that back. */
    RUNNING, /**< In the region: the caller has to wait. */
    AWAITED, /**< The same, and the caller sleeps until it is done. */
    PARKED,  /**< Sleeps until there is an offer. */
    ENDING   /**< Is to end. */
};

typedef struct gk_worker {
    _Alignas(64) _Atomic(uint32_t) state;
    /** Of a caller, who may soon have something for it. */
    atomic_bool is_held;
    int32_t seat;
    const gk_region *region;
    /** The next of the same caller's, of the free ones, or of those that are no threads now. */
    struct gk_worker *next;
    cpu_set_t processors;
    pthread_t thread;
} gk_worker;

/** What the calling thread has. */
static _Thread_local struct {
    gk_worker *workers;
    int32_t worker_count;
    /** Counted for this thread beside itself: its workers, or another executor's threads. */
    int32_t claimed;
    /** Calls of the library that the thread is in, below each other. */
    int32_t depth;
    /** Where it may run, and how many threads that is good for; found out when a call first wants
     *  several. */
    int32_t processor_count;
    cpu_set_t processors;
    /** So many more regions are cut finely: one in which a worker lagged was not long ago. */
    int32_t fine_count;
    /** Until that time no more threads than so many are used: others were set aside for another
     *  program. */
    int32_t limit;
    int64_t limited_until, limited_for;
    /** The system has refused a thread in this call. */
    bool is_refused;
    /** Workers were left free and awake. */
    bool has_left_some_awake;
    gk_environment host;
} crew;

static gk_worker workers[GK_MAXIMUM_THREADS - 1];

/** Changed under the lock. The counts are looked at without it. */
static struct {
    pthread_mutex_t lock;
    gk_worker *free, *unused;
    bool is_ready;
    /** Those who may want workers: without any, none is kept. */
    int32_t holder_count;
    /** Threads in a call, those of them that want more threads, and what these have got. */
    _Atomic(int32_t) caller_count, sharer_count, claimed_count;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- Waiting ---- */

/** Nanoseconds that a worker looks for its caller's next offer, and a caller for the end of what a
 *  worker has begun, before they sleep. Between two regions of a call there are some
 *  microseconds. */
static const int64_t patience = 200000;

static void sleep_on(_Atomic(uint32_t) *word, uint32_t value) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void wake(_Atomic(uint32_t) *word) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static int64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void pause_shortly(void) {
    for (int i = 0; i < 16; i++) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        __asm__ volatile("yield");
#endif
    }
}

/** Looks at a worker's state until it is not `state` any more; false where patience ended first. A
 *  worker's look ends with its caller's call. */
static bool sees_change(gk_worker *worker, uint32_t state, bool is_worker) {
    for (int64_t start = 0;;) {
        if (atomic_load_explicit(&worker->state, memory_order_acquire) != state)
            return true;
        if (is_worker && !atomic_load_explicit(&worker->is_held, memory_order_relaxed))
            return false;
        int64_t now = nanoseconds();
        if (start == 0)
            start = now;
        if (now - start > patience)
            return false;
        pause_shortly();
    }
}

/* ---- A worker's life ---- */

/** Returns when there is an offer, or when the worker is to end. */
static uint32_t await_offer(gk_worker *worker) {
    for (;;) {
        if (!sees_change(worker, IDLE, true)) {
            uint32_t expected = IDLE;
            if (atomic_compare_exchange_strong(&worker->state, &expected, PARKED))
                while (atomic_load(&worker->state) == PARKED)
                    sleep_on(&worker->state, PARKED);
        }
        uint32_t state = atomic_load(&worker->state);
        if (state == OFFERED || state == ENDING)
            return state;
    }
}

static void *work(void *argument) {
    gk_worker *worker = argument;
    prctl(PR_SET_NAME, "graft-worker");
    gk_set_default_environment();
    while (await_offer(worker) != ENDING) {
        uint32_t expected = OFFERED;
        if (!atomic_compare_exchange_strong(&worker->state, &expected, RUNNING))
            continue;
        gk_work_at(worker->region, worker->seat);
        if (atomic_exchange(&worker->state, IDLE) == AWAITED)
            wake(&worker->state);
    }
    return NULL;
}

static bool start(gk_worker *worker) {
    /* The kernels need a few kilobytes; race checkers and what the host's libraries keep for each
     * thread need more. Pages that are not touched cost nothing. */
    const size_t stack_size = 512 << 10;
    pthread_attr_t attributes;
    sigset_t all, before;
    bool is_started = false;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    atomic_store(&worker->state, IDLE);
    atomic_store(&worker->is_held, true);
    worker->processors = crew.processors;
    if (pthread_attr_setstacksize(&attributes, stack_size) == 0) {
        /* The host's signals are not for it to handle. */
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        is_started = pthread_create(&worker->thread, &attributes, work, worker) == 0;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    pthread_attr_destroy(&attributes);
    return is_started;
}

static void end(gk_worker *worker) {
    if (atomic_exchange(&worker->state, ENDING) == PARKED)
        wake(&worker->state);
    pthread_join(worker->thread, NULL);
}

/* ---- The pool ---- */

static gk_worker *pop(gk_worker **list) {
    gk_worker *first = *list;
    if (first)
        *list = first->next;
    return first;
}

static void push(gk_worker **list, gk_worker *worker) {
    worker->next = *list;
    *list = worker;
}

static void forget_threads(void) {
    pool.free = pool.unused = NULL;
    for (int i = GK_MAXIMUM_THREADS - 2; i >= 0; i--)
        push(&pool.unused, &workers[i]);
}

static void before_fork(void) {
    pthread_mutex_lock(&pool.lock);
}

static void after_fork_in_parent(void) {
    pthread_mutex_unlock(&pool.lock);
}

/** A child has its parent's sessions, and of its threads only the one that forked. */
static void after_fork_in_child(void) {
    forget_threads();
    crew.workers = NULL;
    crew.worker_count = crew.claimed = 0;
    atomic_store(&pool.caller_count, crew.depth > 0);
    atomic_store(&pool.sharer_count, crew.processor_count > 0);
    atomic_store(&pool.claimed_count, 0);
    pthread_mutex_unlock(&pool.lock);
}

static void lock_pool(void) {
    pthread_mutex_lock(&pool.lock);
    if (pool.is_ready)
        return;
    forget_threads();
    pool.is_ready = true;
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

/** Takes the free workers out of the pool where nobody is left who may want them; to be ended
 *  without the lock. */
static gk_worker *unwanted(void) {
    gk_worker *list = pool.holder_count == 0 ? pool.free : NULL;
    if (list)
        pool.free = NULL;
    return list;
}

static void end_all(gk_worker *list) {
    for (gk_worker *worker = list, *next; worker; worker = next) {
        next = worker->next;
        end(worker);
        pthread_mutex_lock(&pool.lock);
        push(&pool.unused, worker);
        pthread_mutex_unlock(&pool.lock);
    }
}

/** A worker for the calling thread, which runs where that may run; NULL where the system makes
 *  none. */
static gk_worker *hire(void) {
    gk_worker *worker = pop(&pool.free);
    if (worker) {
        atomic_store_explicit(&worker->is_held, true, memory_order_relaxed);
        if (!CPU_EQUAL(&worker->processors, &crew.processors) &&
            pthread_setaffinity_np(worker->thread, sizeof crew.processors, &crew.processors) == 0)
            worker->processors = crew.processors;
        return worker;
    }
    worker = crew.is_refused ? NULL : pop(&pool.unused);
    if (!worker || start(worker))
        return worker;
    crew.is_refused = true;
    push(&pool.unused, worker);
    return NULL;
}

static void let_rest(gk_worker *worker) {
    atomic_store_explicit(&worker->is_held, false, memory_order_relaxed);
}

static void dismiss(void) {
    gk_worker *worker = pop(&crew.workers);
    push(&pool.free, worker);
    crew.worker_count--;
}

/** Counts so many threads for the caller beside itself. */
static void claim(int32_t count) {
    atomic_fetch_add_explicit(&pool.claimed_count, count - crew.claimed, memory_order_relaxed);
    crew.claimed = count;
}

static int32_t least(int32_t a, int32_t b) {
    return a < b ? a : b;
}

static int32_t load(_Atomic(int32_t) *count) {
    return atomic_load_explicit(count, memory_order_relaxed);
}

/** How many threads the caller may have beside itself, of `wanted`: what is free, up to its
 *  part. */
static int32_t allowed(int32_t wanted) {
    int32_t sharers = load(&pool.sharer_count), alone = load(&pool.caller_count) - sharers;
    int32_t processors = crew.processor_count - (alone > 0 ? alone : 0);
    int32_t free = processors - sharers - (load(&pool.claimed_count) - crew.claimed);
    int32_t part = (processors + sharers - 1) / sharers - 1;
    int32_t count = least(wanted, least(free, part));
    return count > 0 ? count : 0;
}

/** Whether the caller should count anew: it lacks threads and there are some, or there are too
 *  many. */
static bool is_unsettled(int32_t wanted) {
    int32_t in_use = load(&pool.caller_count) + load(&pool.claimed_count);
    return crew.processor_count == 0 || (in_use > crew.processor_count && crew.claimed > 0) ||
           (in_use < crew.processor_count && crew.claimed < wanted);
}

/** Locks the pool for a caller that wants threads of it. */
static void begin_claim(void) {
    if (crew.processor_count == 0) {
        crew.processor_count = gk_processors(&crew.processors);
        atomic_fetch_add_explicit(&pool.sharer_count, 1, memory_order_relaxed);
    }
    lock_pool();
}

int32_t gk_claim_processors(int32_t wanted) {
    if (is_unsettled(wanted - 1)) {
        begin_claim();
        claim(allowed(wanted - 1));
        pthread_mutex_unlock(&pool.lock);
    }
    return least(wanted, crew.claimed + 1);
}

int32_t gk_claim_workers(int32_t wanted) {
    if (crew.limit > 0) {
        if (nanoseconds() < crew.limited_until)
            wanted = least(wanted, crew.limit);
        else
            crew.limit = 0;
        if (wanted < 2)
            return 1;
    }
    if (is_unsettled(wanted - 1) || crew.claimed > crew.worker_count) {
        begin_claim();
        int32_t count = allowed(wanted - 1);
        while (crew.worker_count > count) {
            let_rest(crew.workers);
            dismiss();
        }
        for (gk_worker *worker; crew.worker_count < count && (worker = hire());) {
            push(&crew.workers, worker);
            crew.worker_count++;
            /* It is hardly awake. */
            crew.fine_count = crew.fine_count > 1 ? crew.fine_count : 1;
        }
        claim(crew.worker_count);
        pthread_mutex_unlock(&pool.lock);
    }
    return least(wanted, crew.worker_count + 1);
}

/** What the caller has claimed is free again. */
static void give_back(bool stays_awake) {
    if (crew.processor_count == 0 && !(crew.has_left_some_awake && !stays_awake))
        return;
    lock_pool();
    while (crew.worker_count > 0)
        dismiss();
    claim(0);
    if (!stays_awake)
        for (gk_worker *worker = pool.free; worker; worker = worker->next)
            let_rest(worker);
    gk_worker *list = unwanted();
    pthread_mutex_unlock(&pool.lock);
    if (crew.processor_count > 0)
        atomic_fetch_sub_explicit(&pool.sharer_count, 1, memory_order_relaxed);
    crew.processor_count = 0;
    crew.is_refused = false;
    crew.has_left_some_awake = stays_awake;
    end_all(list);
}

void gk_end_region(void) {
    if (crew.depth == 0)
        give_back(false);
}

int64_t gk_parts_for(int32_t threads) {
    const int64_t fine = 4;
    return threads < 2 ? 1 : crew.fine_count > 0 ? fine * threads : threads;
}

/** Waits for the end of a worker's part; whether another program must have taken its processor
 *  meanwhile. */
static bool waits_long(gk_worker *worker) {
    const int64_t long_time = 1000000;
    uint32_t expected = RUNNING;
    if (sees_change(worker, RUNNING, false))
        return false;
    int64_t start = nanoseconds();
    if (atomic_compare_exchange_strong(&worker->state, &expected, AWAITED))
        while (atomic_load(&worker->state) == AWAITED)
            sleep_on(&worker->state, AWAITED);
    return nanoseconds() - start > long_time;
}

/** Does without so many of the region's threads for a while: for longer each time that this comes
 *  again soon. A processor that is shared takes a thread away amid a part every few milliseconds,
 *  for as long, and the others wait for it: then it is no help. */
static void limit(const gk_region *region, int32_t lagging_count) {
    const int64_t soon = 50000000, shortest = 5000000, longest = 160000000;
    int64_t now = nanoseconds();
    bool is_soon = now - crew.limited_until < (crew.limited_for > soon ? crew.limited_for : soon);
    crew.limited_for = !is_soon ? shortest : crew.limited_for < longest / 2 ? 2 * crew.limited_for : longest;
    crew.limited_until = now + crew.limited_for;
    crew.limit = region->seat_count - lagging_count;
}

void gk_workers_run(const gk_region *region) {
    /* Another program that takes a processor has it for some milliseconds. */
    const int32_t regions_of_lag = 32;
    int32_t seat = 1;
    for (gk_worker *worker = crew.workers; worker && seat < region->seat_count; worker = worker->next) {
        worker->region = region;
        worker->seat = seat++;
        if (atomic_exchange(&worker->state, OFFERED) == PARKED)
            wake(&worker->state);
    }
    if (crew.fine_count > 0)
        crew.fine_count--;
    gk_work_at(region, 0);
    int32_t count = seat, lagging_count = 0;
    gk_worker **place = &crew.workers, *lagging = NULL;
    for (seat = 1; seat < count; seat++) {
        gk_worker *worker = *place;
        uint32_t expected = OFFERED;
        bool is_absent = atomic_compare_exchange_strong(&worker->state, &expected, IDLE);
        if (is_absent)
            crew.fine_count = regions_of_lag;
        if (!is_absent && waits_long(worker)) {
            pop(place);
            push(&lagging, worker);
            lagging_count++;
        } else {
            place = &worker->next;
        }
    }
    if (lagging_count > 0) {
        crew.fine_count = regions_of_lag;
        limit(region, lagging_count);
        /* They come last from now on. */
        while (*place)
            place = &(*place)->next;
        *place = lagging;
    }
}

/* ---- Calls, and who may want workers ---- */

void gk_begin_call(void) {
    if (crew.depth++ > 0)
        return;
    atomic_fetch_add_explicit(&pool.caller_count, 1, memory_order_relaxed);
    crew.host = gk_set_default_environment();
}

static void leave(bool stays_awake) {
    if (--crew.depth > 0)
        return;
    give_back(stays_awake);
    atomic_fetch_sub_explicit(&pool.caller_count, 1, memory_order_relaxed);
    gk_restore_environment(&crew.host);
}

void gk_end_call(void) {
    leave(false);
}

void gk_pause_call(void) {
    leave(true);
}

void gk_hold_workers(void) {
    lock_pool();
    pool.holder_count++;
    pthread_mutex_unlock(&pool.lock);
}

void gk_release_workers(void) {
    lock_pool();
    pool.holder_count--;
    gk_worker *list = unwanted();
    pthread_mutex_unlock(&pool.lock);
    end_all(list);
}
