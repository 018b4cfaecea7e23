/** How many threads this process should use. */
#ifndef GK_PROCESSORS_H
#define GK_PROCESSORS_H

#include "graft_kernels.h"
#include <sched.h>

/** Processors that the calling thread may use now: those it may run on, which it puts into `set`,
 *  at most as many as the limits that gk_read_limits() found. */
int32_t gk_processors(cpu_set_t *set);

#endif
