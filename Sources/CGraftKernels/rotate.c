/** Rotary position embedding. */
#include "ranges.h"

#define GK_KERNELS "rotate_kernels.inc"
#include "each_path.inc"

void gk_rotate(const gk_team *team, int64_t m, int32_t head_count, int32_t head_width,
               const int32_t *positions, const float *frequencies, float magnitude, bool inverse, float *x,
               int64_t ldx) {
#pragma omp parallel num_threads(gk_threads_for(team, m *head_count *head_width))
    {
        gk_range rows = gk_thread_range(m, 1);
        GK_ON_PATH(rotate)
        (rows.begin, rows.end, head_count, head_width, positions, frequencies, magnitude, inverse, x, ldx);
    }
}
