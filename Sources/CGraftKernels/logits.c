/** What choosing a token reads of a row of logits. */
#include "graft_logit_kernels.h"

#include "gk_internal.h"

#define GK_KERNELS "logits_kernels.inc"
#include "each_path.inc"

double gk_log_sum(int64_t n, const float *z) {
    return GK_ON_PATH(log_sum)(n, z);
}

int64_t gk_largest(int64_t n, const float *z) {
    return GK_ON_PATH(largest_place)(n, z);
}

int64_t gk_reaching(int64_t n, const float *z, float least, int32_t *places) {
    return GK_ON_PATH(reaching)(n, z, least, places);
}
