/** Attention whose scores have parts for distances (He et al. 2021), of one head over one sequence:
 *  what stands between its products. */
#include "ranges.h"

#define GK_KERNELS "disentangled_kernels.inc"
#include "each_path.inc"

void gk_distance_softmax(const gk_team *team, const gk_distances *distances, int64_t queries, int64_t keys,
                         const float *c, int64_t ldc, const float *d, int64_t ldd, float *scores,
                         int64_t lds) {
    gk_for_ranges(team, queries * keys * 8, queries, 1, ^(gk_range rows) {
      GK_ON_PATH(distance_softmax)
      (rows.begin, rows.end, distances, keys, c, ldc, d, ldd, scores, lds);
    });
}

void gk_distance_softmax_backward(const gk_team *team, const gk_distances *distances, int64_t queries,
                                  int64_t keys, int64_t buckets, const float *p, int64_t ldp, float *dscores,
                                  int64_t lds, float *dc, int64_t ldc, float *dd, int64_t ldd) {
    gk_for_ranges(team, queries * keys * 4, queries, 1, ^(gk_range rows) {
      GK_ON_PATH(distance_softmax_backward)
      (rows.begin, rows.end, distances, keys, buckets, p, ldp, dscores, lds, dc, ldc);
    });
    if (!dd)
        return;
    gk_for_ranges(team, queries * keys * 2, keys, 1, ^(gk_range rows) {
      GK_ON_PATH(distance_keys_backward)
      (rows.begin, rows.end, distances, queries, buckets, dscores, lds, dd, ldd);
    });
}
