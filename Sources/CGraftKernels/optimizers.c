/** Optimizer steps on flat arrays, and the sum of squares that clipping needs. */
#include "ranges.h"
#include <math.h>

/** What an Adam step multiplies by, worked out once in double. */
typedef struct gk_adam_step {
    float decay;                   /**< 1 - learning rate · weight decay. */
    float first_share;             /**< 1 - beta1. */
    float second_share;            /**< 1 - beta2. */
    float step_size;               /**< learning rate / (1 - beta1^step). */
    float inverse_root_correction; /**< 1 / √(1 - beta2^step). */
} gk_adam_step;

#define GK_KERNELS "optimizer_kernels.inc"
#include "each_path.inc"

void gk_adam_update(const gk_team *team, const gk_adam *settings, int64_t count, float *parameters,
                    const float *gradients, float *first_moment, float *second_moment) {
    double rate = settings->learning_rate, beta1 = settings->beta1, beta2 = settings->beta2;
    const gk_adam_step step = {
        .decay = (float)(1 - rate * (double)settings->weight_decay),
        .first_share = (float)(1 - beta1),
        .second_share = (float)(1 - beta2),
        .step_size = (float)(rate / (1 - pow(beta1, (double)settings->step))),
        .inverse_root_correction = (float)(1 / sqrt(1 - pow(beta2, (double)settings->step))),
    };
    gk_for_ranges(team, count, count, 64, ^(gk_range range) {
      GK_ON_PATH(adam_update)
      (settings, &step, range.end - range.begin, parameters + range.begin, gradients + range.begin,
       first_moment + range.begin, second_moment + range.begin);
    });
}

void gk_sgd_update(const gk_team *team, const gk_sgd *settings, int64_t count, float *parameters,
                   const float *gradients, float *velocity) {
    gk_for_ranges(team, count, count, 64, ^(gk_range range) {
      GK_ON_PATH(sgd_update)
      (settings, range.end - range.begin, parameters + range.begin, gradients + range.begin,
       velocity ? velocity + range.begin : NULL);
    });
}

void gk_adagrad_update(const gk_team *team, const gk_adagrad *settings, int64_t count, float *parameters,
                       const float *gradients, float *sum_of_squares) {
    gk_for_ranges(team, count, count, 64, ^(gk_range range) {
      GK_ON_PATH(adagrad_update)
      (settings, range.end - range.begin, parameters + range.begin, gradients + range.begin,
       sum_of_squares + range.begin);
    });
}

void gk_update_importance(const gk_team *team, const gk_importance *settings, int64_t count,
                          const float *parameters, const float *gradients, float *sensitivity,
                          float *uncertainty) {
    const float share1 = 1 - settings->beta1, share2 = 1 - settings->beta2;
    gk_for_ranges(team, count, count, 64, ^(gk_range range) {
      GK_ON_PATH(update_importance)
      (settings, share1, share2, range.end - range.begin, parameters + range.begin, gradients + range.begin,
       sensitivity + range.begin, uncertainty + range.begin);
    });
}

/** Elements of one double sum; blocks are then added in order. */
enum { BLOCK = 4096, BLOCKS_IN_PASS = GK_THREAD_SCRATCH / sizeof(double) };

double gk_sum_of_squares(const gk_team *team, int64_t count, const float *x) {
    double total = 0, *sums = team->scratch;
    for (int64_t first = 0; first < count; first += (int64_t)BLOCK * BLOCKS_IN_PASS) {
        int64_t left = count - first, blocks = (left + BLOCK - 1) / BLOCK;
        if (blocks > BLOCKS_IN_PASS)
            blocks = BLOCKS_IN_PASS;
        gk_for_ranges(team, blocks * BLOCK, blocks, 1, ^(gk_range range) {
          for (int64_t b = range.begin; b < range.end; b++)
              sums[b] = GK_ON_PATH(sum_of_squares)(left - b * BLOCK < BLOCK ? left - b * BLOCK : BLOCK,
                                                   x + first + b * BLOCK);
        });
        for (int64_t b = 0; b < blocks; b++)
            total += sums[b];
    }
    return total;
}
