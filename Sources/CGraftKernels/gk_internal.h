/** What the kernel files share and nobody else sees: chosen path, scratch. */
#ifndef GK_INTERNAL_H
#define GK_INTERNAL_H

#include "graft_kernels.h"

enum { GK_PATH_PORTABLE = 0, GK_PATH_AVX2 = 1, GK_PATH_AVX512 = 2, GK_PATH_AVX512_BF16 = 3 };

/** The chosen path, one of the above; chooses at first use. */
int gk_path(void);

/** Scratch bytes of one thread; the region of the thread at `seat` starts at scratch + seat *
 *  this. */
enum { GK_THREAD_SCRATCH = 2 << 20 };

static inline void *gk_thread_scratch(const gk_team *team, int32_t seat) {
    return (char *)team->scratch + (size_t)seat * GK_THREAD_SCRATCH;
}

#endif
