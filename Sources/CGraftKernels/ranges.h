/** How rows and elements are divided among threads: contiguous ranges, whatever is computed in them. */
#ifndef GK_RANGES_H
#define GK_RANGES_H

#include "gk_internal.h"

/** Below this much work for each thread, a region costs more than it saves. */
enum { GK_ELEMENTS_PER_THREAD = 8192 };

/** Threads worth starting for so many elements of work, at most the team's. */
static inline int gk_threads_for(const gk_team *team, int64_t elements) {
    int64_t useful = elements / GK_ELEMENTS_PER_THREAD;
    return useful < 2 ? 1 : useful < team->thread_count ? (int)useful : team->thread_count;
}

typedef struct gk_range {
    int64_t begin, end;
} gk_range;

/** The part of [0, count) that is the calling thread's, inside a parallel region; begins at a multiple of
 * `unit`. */
static inline gk_range gk_thread_range(int64_t count, int64_t unit) {
    int64_t units = (count + unit - 1) / unit;
    int64_t thread = omp_get_thread_num(), threads = omp_get_num_threads();
    int64_t begin = units * thread / threads * unit, end = units * (thread + 1) / threads * unit;
    return (gk_range){begin < count ? begin : count, end < count ? end : count};
}

/** Next item of a loop whose threads take what is left: clang's own dynamic schedule needs a newer libomp. */
static inline int64_t gk_next_item(int64_t *next) {
    return __atomic_fetch_add(next, 1, __ATOMIC_RELAXED);
}

#endif
