/** What choosing a token reads of a row of logits, on the caller's thread. */
#ifndef GRAFT_LOGIT_KERNELS_H
#define GRAFT_LOGIT_KERNELS_H

#include <stdint.h>

/** log Σ e^z of n numbers, one of which is finite, and the others -infinity at least. */
double gk_log_sum(int64_t n, const float *z);

/** The place of the largest of n > 0 numbers, the first of equals; -1 where one is not a number. */
int64_t gk_largest(int64_t n, const float *z);

/** How many of n numbers, none of which is NaN, are `least` or more; their places in order to
 *  `places`, which has room for n. Fast where they are few. */
int64_t gk_reaching(int64_t n, const float *z, float least, int32_t *places);

#endif
