/** What choosing a token reads of rows of logits; of one row on the caller's thread. */
#ifndef GRAFT_LOGIT_KERNELS_H
#define GRAFT_LOGIT_KERNELS_H

#include "graft_kernels.h"

/** What is made of a row. */
typedef enum gk_logit_reading {
    GK_READ_LARGEST = 0,
    GK_READ_LOG_SUM = 1,           /**< And log Σ e^z. */
    GK_READ_LOG_PROBABILITIES = 2, /**< And log softmax in the place of the logits. */
} gk_logit_reading;

typedef struct gk_logit_row {
    float *z;
    int64_t n;
    int32_t reading; /**< gk_logit_reading. */
    int32_t padding;
    int64_t largest; /**< Gets what gk_largest() finds. */
    double log_sum;  /**< Gets what gk_log_sum() finds; 0 where it is not read. */
} gk_logit_row;

/** Reads m rows. Of one whose largest number is not finite, no more than that is read. */
void gk_read_logits(const gk_team *team, int64_t m, gk_logit_row *rows);

/** log Σ e^z of n numbers, the largest of which is finite and `largest`. */
double gk_log_sum(int64_t n, const float *z, float largest);

/** The place of the largest of n > 0 numbers, the first of equals; -1 where one is not a number. */
int64_t gk_largest(int64_t n, const float *z);

/** How many of n numbers, none of which is NaN, are `least` or more; their places in order to
 *  `places`, which has room for n. Fast where they are few. */
int64_t gk_reaching(int64_t n, const float *z, float least, int32_t *places);

#endif
