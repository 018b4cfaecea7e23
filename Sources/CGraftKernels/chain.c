/** Linear-chain conditional random fields (Lafferty et al. 2001): the likelihood of a row's labels
 *  by the forward and backward recursions, its gradients, and the likeliest labels (Viterbi
 *  1967). */
#include <math.h>

#include "graft_chain_kernels.h"
#include "ranges.h"

/* E is the number of a label at a place (logits), A the forward sums, which have E of their place,
 * and B the backward sums with E of their place; all are logarithms. */

/** log Σ e^(a[i] + b[i · stride]), without overflow. */
static double log_sum(int64_t n, const double *a, const float *b, int64_t stride) {
    double largest = a[0] + (double)b[0], sum = 0;
    for (int64_t i = 1; i < n; i++)
        largest = fmax(largest, a[i] + (double)b[i * stride]);
    for (int64_t i = 0; i < n; i++)
        sum += exp(a[i] + (double)b[i * stride] - largest);
    return largest + log(sum);
}

/** The logarithm of a probability, which rounding of large numbers may have put above 0. */
static double at_most_1(double logarithm) {
    return logarithm > 0 ? 0 : logarithm;
}

/** The next place of the chain from `place`, by `step`; -1 where there is none. */
static int64_t next_place(const int32_t *labels, int64_t n, int64_t place, int64_t step) {
    while (place >= 0 && place < n && labels[place] < 0)
        place += step;
    return place < n ? place : -1;
}

/** Fills A and B of a row of n tokens; returns log Σ e^score of all labellings, 0 without any. */
static double fill(const gk_chain *chain, int64_t n, const float *logits, int64_t ldl, const int32_t *labels,
                   double *a, double *b) {
    int64_t k = chain->classes, before = -1, last = -1;
    for (int64_t t = next_place(labels, n, 0, 1); t >= 0; t = next_place(labels, n, t + 1, 1)) {
        for (int64_t j = 0; j < k; j++) {
            double sum =
                before < 0 ? (double)chain->starts[j] : log_sum(k, a + before * k, chain->transitions + j, k);
            a[t * k + j] = sum + (double)logits[t * ldl + j];
        }
        before = last = t;
    }
    if (last < 0)
        return 0;
    int64_t after = -1;
    for (int64_t t = last; t >= 0; t = next_place(labels, n, t - 1, -1)) {
        for (int64_t i = 0; i < k; i++) {
            double sum =
                after < 0 ? (double)chain->ends[i] : log_sum(k, b + after * k, chain->transitions + i * k, 1);
            b[t * k + i] = sum + (double)logits[t * ldl + i];
        }
        after = t;
    }
    return log_sum(k, a + last * k, chain->ends, 1);
}

/** The loss of a row; writes its gradient of logits, where d is not NULL: it may be logits. */
static double row_loss(const gk_chain *chain, int64_t n, const float *logits, int64_t ldl,
                       const int32_t *labels, double slope, const double *a, const double *b, double total,
                       float *d, int64_t ldd) {
    int64_t k = chain->classes, before = -1;
    double score = 0;
    for (int64_t t = 0; t < n; t++) {
        int64_t label = labels[t];
        if (label >= 0) {
            score += (double)logits[t * ldl + label];
            score += (double)(before < 0 ? chain->starts[label] : chain->transitions[before * k + label]);
            before = label;
        }
        for (int64_t j = 0; d && j < k; j++) {
            double e = (double)logits[t * ldl + j];
            d[t * ldd + j] =
                label < 0 ? 0
                          : (float)(slope *
                                    (exp(at_most_1(a[t * k + j] + b[t * k + j] - e - total)) - (j == label)));
        }
    }
    return before < 0 ? 0 : total - (score + (double)chain->ends[before]);
}

/** Σ over a row's chain of P(i before j) less how often its labels are that. */
static double pair_slope(const gk_chain *chain, int64_t n, const int32_t *labels, const double *a,
                         const double *b, double total, int64_t i, int64_t j) {
    int64_t k = chain->classes, before = next_place(labels, n, 0, 1);
    double sum = 0, t_ij = (double)chain->transitions[i * k + j];
    if (before < 0)
        return 0;
    for (int64_t t = next_place(labels, n, before + 1, 1); t >= 0; t = next_place(labels, n, t + 1, 1)) {
        sum += exp(at_most_1(a[before * k + i] + t_ij + b[t * k + j] - total));
        sum -= labels[before] == i && labels[t] == j;
        before = t;
    }
    return sum;
}

/** The same of a label i at the chain's first place, or at its last. */
static double end_slope(const gk_chain *chain, int64_t n, const int32_t *labels, const double *a,
                        const double *b, double total, int64_t i, bool is_last) {
    int64_t k = chain->classes, place = next_place(labels, n, is_last ? n - 1 : 0, is_last ? -1 : 1);
    if (place < 0)
        return 0;
    double log_share =
        is_last ? a[place * k + i] + (double)chain->ends[i] : (double)chain->starts[i] + b[place * k + i];
    return exp(at_most_1(log_share - total)) - (labels[place] == i);
}

void gk_chain_loss(const gk_team *team, const gk_chain *chain, int64_t m, const int64_t *starts,
                   const float *logits, int64_t ldl, const int32_t *labels, float scale, double *work,
                   float *dlogits, int64_t lddl, const gk_chain_gradients *gradients, double *loss,
                   double *weight) {
    int64_t k = chain->classes, first = starts[0], tokens = starts[m] - first;
    double *a = work, *b = a + tokens * k, *totals = b + tokens * k, *losses = totals + m;
    gk_for_ranges(team, tokens * k * k * 8, m, 1, ^(gk_range rows) {
      for (int64_t r = rows.begin; r < rows.end; r++) {
          int64_t start = starts[r] - first, n = starts[r + 1] - starts[r];
          const float *e = logits + start * ldl;
          const int32_t *own = labels + start;
          totals[r] = fill(chain, n, e, ldl, own, a + start * k, b + start * k);
          losses[r] = row_loss(chain, n, e, ldl, own, (double)scale, a + start * k, b + start * k, totals[r],
                               dlogits ? dlogits + start * lddl : NULL, lddl);
      }
    });
    for (int64_t r = 0; r < m; r++)
        *loss += losses[r];
    for (int64_t t = 0; t < tokens; t++)
        *weight += labels[t] >= 0;
    if (!gradients->transitions)
        return;
    /* Each number is summed over the rows in their order, whoever does it. */
    gk_for_ranges(team, tokens * k * k * 4, k, 1, ^(gk_range range) {
      for (int64_t i = range.begin; i < range.end; i++) {
          double ends[2] = {0, 0};
          for (int64_t r = 0; r < m; r++) {
              int64_t start = starts[r] - first, n = starts[r + 1] - starts[r];
              for (int64_t side = 0; side < 2; side++)
                  ends[side] += end_slope(chain, n, labels + start, a + start * k, b + start * k, totals[r],
                                          i, side == 1);
          }
          gradients->starts[i] += (float)((double)scale * ends[0]);
          gradients->ends[i] += (float)((double)scale * ends[1]);
          for (int64_t j = 0; j < k; j++) {
              double sum = 0;
              for (int64_t r = 0; r < m; r++) {
                  int64_t start = starts[r] - first, n = starts[r + 1] - starts[r];
                  sum += pair_slope(chain, n, labels + start, a + start * k, b + start * k, totals[r], i, j);
              }
              gradients->transitions[i * k + j] += (float)((double)scale * sum);
          }
      }
    });
}

/** The first of the largest a[i] + b[i · stride]. */
static int64_t best_place(int64_t n, const double *a, const float *b, int64_t stride) {
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++)
        if (a[i] + (double)b[i * stride] > a[best] + (double)b[best * stride])
            best = i;
    return best;
}

void gk_chain_decode(const gk_chain *chain, int64_t n, const float *logits, int64_t ldl,
                     const int32_t *labels, double *work, int32_t *best, float *marginals, int64_t ldm) {
    int64_t k = chain->classes, before = -1;
    double *a = work, *b = a + n * k;
    for (int64_t t = 0; t < n; t++)
        best[t] = -1;
    for (int64_t t = next_place(labels, n, 0, 1); t >= 0; t = next_place(labels, n, t + 1, 1)) {
        for (int64_t j = 0; j < k; j++) {
            double most = (double)chain->starts[j];
            if (before >= 0) {
                int64_t i = best_place(k, a + before * k, chain->transitions + j, k);
                most = a[before * k + i] + (double)chain->transitions[i * k + j];
            }
            a[t * k + j] = most + (double)logits[t * ldl + j];
        }
        before = t;
    }
    if (before < 0)
        return;
    int64_t label = best_place(k, a + before * k, chain->ends, 1);
    for (int64_t t = before; t >= 0;) {
        best[t] = (int32_t)label;
        t = next_place(labels, n, t - 1, -1);
        if (t >= 0)
            label = best_place(k, a + t * k, chain->transitions + label, k);
    }
    if (!marginals)
        return;
    double total = fill(chain, n, logits, ldl, labels, a, b);
    for (int64_t t = next_place(labels, n, 0, 1); t >= 0; t = next_place(labels, n, t + 1, 1))
        for (int64_t j = 0; j < k; j++)
            marginals[t * ldm + j] =
                (float)at_most_1(a[t * k + j] + b[t * k + j] - (double)logits[t * ldl + j] - total);
}
