/** Layer norm, with the residual sum around it, and RMS norm. */
#include "dropout_threshold.h"
#include "ranges.h"

/** Where vector r of h numbers begins: `groups` of them stand end to end in each row of `ld`. */
static inline int64_t grouped(int64_t r, int64_t h, int64_t groups, int64_t ld) {
    return groups == 1 ? r * ld : r / groups * ld + r % groups * h;
}

#define GK_KERNELS "norm_kernels.inc"
#include "each_path.inc"

void gk_layer_norm_forward(const gk_team *team, int64_t m, int64_t h, const float *x,
                           const gk_dropout *dropout, const float *residual, const float *gamma,
                           const float *beta, float epsilon, float *sum, float *y, float *mean,
                           float *inverse_deviation) {
    if (!gk_drops(dropout))
        dropout = NULL;
    gk_for_ranges(team, m * h, m, 1, ^(gk_range rows) {
      GK_ON_PATH(layer_norm_forward)
      (rows.begin, rows.end, h, x, dropout, residual, gamma, beta, epsilon, sum, y, mean, inverse_deviation);
    });
}

/** Columns are divided, never rows: each column is one sum in the order of the rows. */
static void add_column_sums(const gk_team *team, int64_t m, int64_t h, int64_t groups, const float *dy,
                            const float *sum, int64_t ld, const float *mean, const float *inverse,
                            float *dgamma, float *dbeta) {
    gk_for_ranges(team, m * h, h, GK_COLUMNS_TOGETHER, ^(gk_range columns) {
      GK_ON_PATH(norm_column_sums)
      (columns.begin, columns.end, m, h, groups, dy, sum, ld, mean, inverse, dgamma, dbeta);
    });
}

void gk_layer_norm_backward(const gk_team *team, int64_t m, int64_t h, const float *dy, const float *sum,
                            const float *mean, const float *inverse_deviation, const float *gamma, float *ds,
                            float *dgamma, float *dbeta) {
    /* Before ds, which may replace dy. */
    if (dgamma || dbeta)
        add_column_sums(team, m, h, 1, dy, sum, h, mean, inverse_deviation, dgamma, dbeta);
    gk_for_ranges(team, m * h, m, 1, ^(gk_range rows) {
      GK_ON_PATH(layer_norm_backward)(rows.begin, rows.end, h, dy, sum, mean, inverse_deviation, gamma, ds);
    });
}

void gk_rms_norm_forward(const gk_team *team, int64_t m, int64_t h, int64_t groups, const float *x,
                         int64_t ldx, const float *gamma, float unit, float epsilon, float *y,
                         float *inverse_root) {
    gk_for_ranges(team, m * h, m, 1, ^(gk_range rows) {
      GK_ON_PATH(rms_norm_forward)
      (rows.begin, rows.end, h, groups, x, ldx, gamma, unit, epsilon, y, inverse_root);
    });
}

void gk_rms_norm_backward(const gk_team *team, int64_t m, int64_t h, int64_t groups, const float *dy,
                          const float *x, int64_t ldx, const float *inverse_root, const float *gamma,
                          float unit, float *dx, int64_t lddx, float *dgamma) {
    if (dgamma)
        add_column_sums(team, m, h, groups, dy, x, ldx, NULL, inverse_root, dgamma, NULL);
    gk_for_ranges(team, m * h, m, 1, ^(gk_range rows) {
      GK_ON_PATH(rms_norm_backward)
      (rows.begin, rows.end, h, groups, dy, x, ldx, inverse_root, gamma, unit, dx, lddx);
    });
}
