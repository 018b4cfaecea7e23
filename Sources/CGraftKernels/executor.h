/**
 * @file executor.h
 * @brief Runs the parts of a kernel's work on the calling thread and on those that help it.
 *
 * A region is work that arithmetic has cut into parts, which any thread may do in any order: who
 * does a part changes no bit. Each thread begins with a queue of neighbouring parts, so that rows
 * stay near the core that had them before, and then takes what is left in the others'. So a thread
 * that comes late, or that the system has set aside, holds up nothing but the part that it has
 * begun.
 */
#ifndef GK_EXECUTOR_H
#define GK_EXECUTOR_H

#include "gk_internal.h"
#include <stdatomic.h>

/** Does one part. `seat` counts the threads of a region from 0, the caller's: it says whose scratch
 *  to use. */
typedef void (^gk_part)(int64_t part, int32_t seat);

/** Parts that one thread begins with. A cache line, so that threads do not disturb each other. */
typedef struct gk_queue {
    _Alignas(64) _Atomic(int64_t) next;
    int64_t end;
} gk_queue;

typedef struct gk_region {
    gk_part run;
    gk_queue *queues; /**< One for each seat. */
    int32_t seat_count;
} gk_region;

/** Does what is left of a region, the queue of `seat` first. */
void gk_work_at(const gk_region *region, int32_t seat);

/** How many threads the calling thread's next region has, itself among them: at most the team's and
 *  `useful`. A few nanoseconds, unless they have to be found. */
int32_t gk_threads(const gk_team *team, int64_t useful);

/** Runs all parts on so many threads as `gk_threads` said, or fewer. */
void gk_run(const gk_team *team, int32_t threads, int64_t part_count, __attribute__((noescape)) gk_part run);

/** Into how many parts to cut work for so many threads: one for each, which costs least, or some
 *  for each while one of them lags. */
int64_t gk_parts_for(int32_t threads);

/** The line of a seat's queue lies behind the scratch of all threads. */
static inline gk_queue *gk_queues(const gk_team *team) {
    return (gk_queue *)((char *)team->scratch + (size_t)team->thread_count * GK_THREAD_SCRATCH);
}

#endif
