/** Losses and their gradients: softmax cross-entropy over labels and over a row's tokens, and those
 * that are a mean over a row's numbers. */
#include <math.h>

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

/** -t log σ(x) - (1 - t) log(1 - σ(x)), without overflow for any x. */
static double logistic_loss(double x, double t, double *slope) {
    double e = exp(-fabs(x));
    *slope = (x >= 0 ? 1 / (1 + e) : e / (1 + e)) - t;
    return (x > 0 ? x : 0) - x * t + log1p(e);
}

static double squared_loss(double x, double t, double *slope) {
    *slope = 2 * (x - t);
    return (x - t) * (x - t);
}

static double row_mean_loss(gk_loss kind, int64_t n, const float *x, const float *targets, float scale,
                            float *dx) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        double slope, t = (double)targets[i];
        sum += kind == GK_LOSS_LOGISTIC ? logistic_loss((double)x[i], t, &slope)
                                        : squared_loss((double)x[i], t, &slope);
        if (dx)
            dx[i] = (float)(slope * (double)scale / (double)n);
    }
    return sum / (double)n;
}

void gk_mean_loss(const gk_team *team, gk_loss kind, int64_t m, int64_t n, const float *x, int64_t ldx,
                  const float *targets, float scale, float *dx, int64_t lddx, double *loss) {
    double *row_losses = team->scratch;
    for (int64_t first = 0; first < m; first += ROWS_IN_PASS) {
        int64_t count = m - first < ROWS_IN_PASS ? m - first : ROWS_IN_PASS;
        gk_for_ranges(team, count * n * 16, count, 1, ^(gk_range rows) {
          for (int64_t r = rows.begin; r < rows.end; r++)
              row_losses[r] = row_mean_loss(kind, n, x + (first + r) * ldx, targets + (first + r) * n, scale,
                                            dx ? dx + (first + r) * lddx : NULL);
        });
        for (int64_t r = 0; r < count; r++)
            *loss += row_losses[r];
    }
}

/** -log softmax(z)[place] of n numbers, each `stride` from the next; dz, which may be z, or NULL,
 * gets slope · its gradient. */
static double place_loss(int64_t n, const float *z, int64_t stride, int64_t place, double slope, float *dz,
                         int64_t dstride) {
    double largest = (double)z[0], sum = 0, margin;
    for (int64_t i = 1; i < n; i++)
        largest = fmax(largest, (double)z[i * stride]);
    for (int64_t i = 0; i < n; i++)
        sum += exp((double)z[i * stride] - largest);
    margin = largest - (double)z[place * stride];
    for (int64_t i = 0; dz && i < n; i++) {
        double p = exp((double)z[i * stride] - largest) / sum;
        dz[i * dstride] = (float)(slope * (p - (i == place)));
    }
    return log(sum) + margin;
}

void gk_span_loss(const gk_team *team, int64_t m, const int64_t *starts, const float *logits, int64_t ldl,
                  const int32_t *spans, float scale, float *dlogits, int64_t lddl, double *loss,
                  double *weight) {
    double *row_losses = team->scratch, *row_weights = row_losses + ROWS_IN_PASS;
    for (int64_t first = 0; first < m; first += ROWS_IN_PASS) {
        int64_t count = m - first < ROWS_IN_PASS ? m - first : ROWS_IN_PASS;
        int64_t tokens = starts[first + count] - starts[first];
        gk_for_ranges(team, tokens * 64, count, 1, ^(gk_range rows) {
          for (int64_t r = rows.begin; r < rows.end; r++) {
              int64_t start = starts[first + r] - starts[0], n = starts[first + r + 1] - starts[first + r];
              row_losses[r] = row_weights[r] = 0;
              for (int64_t side = 0; side < 2; side++) {
                  int64_t place = spans[2 * (first + r) + side];
                  float *d = dlogits ? dlogits + start * lddl + side : NULL;
                  if (place < 0 || place >= n) {
                      for (int64_t i = 0; d && i < n; i++)
                          d[i * lddl] = 0;
                      continue;
                  }
                  row_weights[r] += 0.5;
                  row_losses[r] += 0.5 * place_loss(n, logits + start * ldl + side, ldl, place,
                                                    0.5 * (double)scale, d, lddl);
              }
          }
        });
        for (int64_t r = 0; r < count; r++) {
            *loss += row_losses[r];
            *weight += row_weights[r];
        }
    }
}
