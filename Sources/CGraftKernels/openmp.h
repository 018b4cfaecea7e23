/** The executor for hosts that run an OpenMP already: their runtime, opened when it is first asked
 *  for. */
#ifndef GK_OPENMP_H
#define GK_OPENMP_H

#include "executor.h"

/** Whether there is a runtime: one that the process holds, or else one of the system's. */
bool gk_openmp_open(void);

/** How many of `wanted` threads the calling thread can have: some runtimes end the process where
 *  they cannot make one. Costs nothing once as many were there. */
int32_t gk_openmp_threads(int32_t wanted);

void gk_openmp_run(const gk_region *region);

#endif
