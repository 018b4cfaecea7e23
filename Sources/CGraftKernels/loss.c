/** Softmax cross-entropy and its gradient. */
#include "ranges.h"

#define GK_KERNELS "loss_kernels.inc"
#include "each_path.inc"

/** Rows whose losses fit in one thread's scratch: what one pass takes. */
enum { ROWS_IN_PASS = GK_THREAD_SCRATCH / (2 * sizeof(double)) };

void gk_cross_entropy(const gk_team *team, int64_t m, int64_t classes, const float *logits, int64_t ldl,
                      const int32_t *labels, const float *weights, float smoothing, float scale,
                      float *dlogits, int64_t lddl, double *loss, double *weight) {
    double weight_sum = weights ? 0 : (double)classes;
    for (int64_t i = 0; weights && i < classes; i++)
        weight_sum += (double)weights[i];
    double *row_losses = team->scratch, *row_weights = row_losses + ROWS_IN_PASS;
    for (int64_t first = 0; first < m; first += ROWS_IN_PASS) {
        int64_t count = m - first < ROWS_IN_PASS ? m - first : ROWS_IN_PASS;
        gk_for_ranges(team, count * classes * 4, count, 1, ^(gk_range rows) {
          GK_ON_PATH(cross_entropy)
          (rows.begin, rows.end, classes, logits + first * ldl, ldl, labels + first, weights, weight_sum,
           smoothing, scale, dlogits ? dlogits + first * lddl : NULL, lddl, row_losses, row_weights);
        });
        for (int64_t r = 0; r < count; r++) {
            *loss += row_losses[r];
            *weight += row_weights[r];
        }
    }
}
