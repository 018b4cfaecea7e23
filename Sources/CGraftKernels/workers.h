/**
 * @file workers.h
 * @brief The threads of the process's own executor, and who may have how many of them.
 *
 * There is one pool. The threads in use, callers and their workers together, are never more than
 * the processors: a caller that finds none free goes on alone, and one that has more than its part
 * gives them back at its next region. Workers come when they are first wanted, are kept by a caller
 * until its call ends, sleep between calls, and end with the last session.
 */
#ifndef GK_WORKERS_H
#define GK_WORKERS_H

#include "executor.h"

/** Workers of the calling thread from now on, as far as they are to be had, and itself. */
int32_t gk_claim_workers(int32_t wanted);
/** The same for threads that are not the pool's: only counted. */
int32_t gk_claim_processors(int32_t wanted);

/** To be called behind each region: outside of a call, nothing is kept for the next one. */
void gk_end_region(void);

/** Runs a region on the calling thread and the first of the workers it has. */
void gk_workers_run(const gk_region *region);

#endif
