/** Rotary position embedding. */
#include "ranges.h"

#define GK_KERNELS "rotate_kernels.inc"
#include "each_path.inc"

void gk_rotate(const gk_team *team, int64_t m, int32_t head_count, int32_t head_width, int32_t turned_width,
               const int32_t *positions, const float *frequencies, float magnitude, bool inverse, float *x,
               int64_t ldx) {
    gk_for_ranges(team, m * head_count * head_width, m, 1, ^(gk_range rows) {
      GK_ON_PATH(rotate)
      (rows.begin, rows.end, head_count, head_width, turned_width, positions, frequencies, magnitude, inverse,
       x, ldx);
    });
}
