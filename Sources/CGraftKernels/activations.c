/** Activations on arrays. */
#include "ranges.h"

#define GK_KERNELS "activation_kernels.inc"
#include "each_path.inc"

void gk_activation_forward(const gk_team *team, gk_activation f, int64_t count, const float *x, float *y) {
    gk_for_ranges(team, count, count, 64, ^(gk_range range) {
      GK_ON_PATH(activation_forward)(f, range.end - range.begin, x + range.begin, y + range.begin);
    });
}

void gk_activation_backward(const gk_team *team, gk_activation f, int64_t count, const float *x,
                            const float *dy, float *dx) {
    gk_for_ranges(team, count, count, 64, ^(gk_range range) {
      GK_ON_PATH(activation_backward)
      (f, range.end - range.begin, x + range.begin, dy + range.begin, dx + range.begin);
    });
}

void gk_soft_cap(const gk_team *team, int64_t count, float cap, float *x) {
    gk_for_ranges(team, count, count, 64, ^(gk_range range) {
      GK_ON_PATH(soft_cap)(range.end - range.begin, cap, x + range.begin);
    });
}

void gk_soft_cap_backward(const gk_team *team, int64_t count, float cap, const float *y, float *dy) {
    gk_for_ranges(team, count, count, 64, ^(gk_range range) {
      GK_ON_PATH(soft_cap_backward)(range.end - range.begin, cap, y + range.begin, dy + range.begin);
    });
}

void gk_gated_forward(const gk_team *team, gk_activation f, int64_t m, int64_t h, const float *x, float *y) {
    gk_for_ranges(team, m * h, m, 1, ^(gk_range rows) {
      GK_ON_PATH(gated_forward)(f, rows.begin, rows.end, h, x, y);
    });
}

void gk_gated_backward(const gk_team *team, gk_activation f, int64_t m, int64_t h, const float *x,
                       const float *dy, float *dx) {
    gk_for_ranges(team, m * h, m, 1, ^(gk_range rows) {
      GK_ON_PATH(gated_backward)(f, rows.begin, rows.end, h, x, dy, dx);
    });
}
