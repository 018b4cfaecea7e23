/** What choosing a token reads of rows of logits. */
#include "graft_logit_kernels.h"

#include <math.h>

#include "ranges.h"

#define GK_KERNELS "logits_kernels.inc"
#include "each_path.inc"

double gk_log_sum(int64_t n, const float *z, float largest) {
    return GK_ON_PATH(log_sum)(n, z, largest);
}

int64_t gk_largest(int64_t n, const float *z) {
    return GK_ON_PATH(largest_place)(n, z);
}

int64_t gk_reaching(int64_t n, const float *z, float least, int32_t *places) {
    return GK_ON_PATH(reaching)(n, z, least, places);
}

static void read_row(gk_logit_row *row) {
    row->largest = gk_largest(row->n, row->z);
    row->log_sum = 0;
    if (row->reading == GK_READ_LARGEST || row->largest < 0 || !isfinite(row->z[row->largest]))
        return;
    row->log_sum = gk_log_sum(row->n, row->z, row->z[row->largest]);
    if (row->reading == GK_READ_LOG_PROBABILITIES)
        for (int64_t i = 0; i < row->n; i++)
            row->z[i] = (float)((double)row->z[i] - row->log_sum);
}

void gk_read_logits(const gk_team *team, int64_t m, gk_logit_row *rows) {
    int64_t work = 0;
    for (int64_t r = 0; r < m; r++)
        work += rows[r].reading == GK_READ_LARGEST ? rows[r].n / 4 : 4 * rows[r].n;
    gk_for_ranges(team, work, m, 1, ^(gk_range range) {
      for (int64_t r = range.begin; r < range.end; r++)
          read_row(rows + r);
    });
}
