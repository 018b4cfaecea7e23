/** How rows and elements are divided among threads: contiguous ranges, whatever is computed in
 *  them. */
#ifndef GK_RANGES_H
#define GK_RANGES_H

#include "executor.h"

/** Below this much work for each thread, a region costs more than it saves. */
enum { GK_ELEMENTS_PER_THREAD = 8192 };

/** Columns that a thread sums together, at least: two cache lines of each row. */
enum { GK_COLUMNS_TOGETHER = 32 };

typedef struct gk_range {
    int64_t begin, end;
} gk_range;

/** Calls `body` with ranges that cover [0, count) and begin at multiples of `unit`, and with the
 *  seat, of so many threads as `gk_threads` said, that it is called on. */
static inline void gk_for_ranges_on(const gk_team *team, int32_t threads, int64_t count, int64_t unit,
                                    __attribute__((noescape)) void (^body)(gk_range range, int32_t seat)) {
    if (threads < 2) {
        body((gk_range){0, count}, 0);
        return;
    }
    int64_t units = (count + unit - 1) / unit, most = gk_parts_for(threads);
    int64_t parts = units < most ? units : most;
    gk_run(team, threads, parts, ^(int64_t part, int32_t seat) {
      int64_t begin = units * part / parts * unit, end = units * (part + 1) / parts * unit;
      body((gk_range){begin, end < count ? end : count}, seat);
    });
}

/** The same on as many threads as `elements` of work, in the measure of a plain loop, are worth. */
static inline void gk_for_ranges(const gk_team *team, int64_t elements, int64_t count, int64_t unit,
                                 __attribute__((noescape)) void (^body)(gk_range range)) {
    gk_for_ranges_on(team, gk_threads(team, elements / GK_ELEMENTS_PER_THREAD), count, unit,
                     ^(gk_range range, int32_t seat) {
                       (void)seat;
                       body(range);
                     });
}

#endif
