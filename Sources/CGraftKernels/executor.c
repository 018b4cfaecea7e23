/** Which executor this process uses, how many threads a caller has of it, and what a region does
 *  with them. */
#include "executor.h"
#include "openmp.h"
#include "workers.h"
#include <stdlib.h>
#include <string.h>

enum { THREADS = 0, OPENMP = 1, NOT_CHOSEN = -1 };

static const char *const names[] = {"threads", "openmp"};

/** What the compiler puts into a block that nobody copies; nothing reads it. Without it the library
 *  would need a runtime for blocks. */
void *_NSConcreteGlobalBlock[32];

static atomic_int chosen = NOT_CHOSEN;

static int named_executor(const char *name) {
    for (int executor = THREADS; executor <= OPENMP; executor++)
        if (strcmp(name, names[executor]) == 0)
            return executor;
    return NOT_CHOSEN;
}

static gk_executor_status choose(const char *name) {
    int executor = named_executor(name);
    if (executor == NOT_CHOSEN)
        return GK_EXECUTOR_UNKNOWN;
    if (executor == OPENMP && !gk_openmp_open())
        return GK_EXECUTOR_MISSING;
    atomic_store(&chosen, executor);
    return GK_EXECUTOR_READY;
}

gk_executor_status gk_open_executor(const char **asked) {
    const char *forced = getenv("GRAFT_EXECUTOR");
    *asked = forced ? forced : names[THREADS];
    return atomic_load(&chosen) != NOT_CHOSEN ? GK_EXECUTOR_READY : choose(*asked);
}

gk_executor_status gk_choose_executor(const char *name) {
    return choose(name);
}

static int executor(void) {
    const char *asked;
    int now = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (now != NOT_CHOSEN)
        return now;
    return gk_open_executor(&asked) == GK_EXECUTOR_READY ? atomic_load(&chosen) : THREADS;
}

const char *gk_executor_name(void) {
    return names[executor()];
}

size_t gk_scratch_size(int32_t thread_count) {
    return (size_t)thread_count * (GK_THREAD_SCRATCH + sizeof(gk_queue));
}

int32_t gk_threads(const gk_team *team, int64_t useful) {
    int32_t wanted = useful < team->thread_count ? (int32_t)useful : team->thread_count;
    if (wanted < 2)
        return 1;
    return executor() == OPENMP ? gk_openmp_threads(gk_claim_processors(wanted)) : gk_claim_workers(wanted);
}

void gk_work_at(const gk_region *region, int32_t seat) {
    for (int32_t i = 0; i < region->seat_count; i++) {
        gk_queue *queue = &region->queues[(seat + i) % region->seat_count];
        while (atomic_load_explicit(&queue->next, memory_order_relaxed) < queue->end) {
            int64_t part = atomic_fetch_add_explicit(&queue->next, 1, memory_order_relaxed);
            if (part < queue->end)
                region->run(part, seat);
        }
    }
}

void gk_run(const gk_team *team, int32_t threads, int64_t part_count, gk_part run) {
    if (threads > part_count)
        threads = (int32_t)part_count;
    if (threads < 2) {
        for (int64_t part = 0; part < part_count; part++)
            run(part, 0);
        gk_end_region();
        return;
    }
    const gk_region region = {run, gk_queues(team), threads};
    for (int32_t seat = 0; seat < threads; seat++) {
        region.queues[seat].end = part_count * (seat + 1) / threads;
        atomic_store_explicit(&region.queues[seat].next, part_count * seat / threads, memory_order_relaxed);
    }
    if (executor() == OPENMP)
        gk_openmp_run(&region);
    else
        gk_workers_run(&region);
    gk_end_region();
}
