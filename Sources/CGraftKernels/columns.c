/** What is one number for each column: scales and their gradients, and columns of tables. */
#include "ranges.h"

#define GK_KERNELS "columns_kernels.inc"
#include "each_path.inc"

void gk_scale_columns(const gk_team *team, int64_t m, int64_t h, const float *x, int64_t ldx,
                      const float *scale, float *y, int64_t ldy) {
    gk_for_ranges(team, m * h, m, 1, ^(gk_range rows) {
      for (int64_t r = rows.begin; r < rows.end; r++)
          GK_ON_PATH(scale_row)(h, x + r * ldx, scale, y + r * ldy);
    });
}

void gk_add_column_products(const gk_team *team, int64_t m, int64_t h, const float *x, int64_t ldx,
                            const float *y, int64_t ldy, float *out) {
    gk_for_ranges(team, m * h, h, GK_COLUMNS_TOGETHER, ^(gk_range columns) {
      GK_ON_PATH(add_column_products)(columns.begin, columns.end, m, x, ldx, y, ldy, out);
    });
}

void gk_row_products(const gk_team *team, int64_t m, int64_t h, const float *x, const float *y, float *out) {
    gk_for_ranges(team, m * h, m, 1, ^(gk_range rows) {
      for (int64_t r = rows.begin; r < rows.end; r++)
          out[r] = GK_ON_PATH(row_product)(h, x + r * h, y + r * h);
    });
}

void gk_square_roots(int64_t count, float *x) {
    for (int64_t i = 0; i < count; i++)
        x[i] = __builtin_sqrtf(x[i]);
}

void gk_divide(int64_t count, const float *x, const float *y, float *quotients) {
    for (int64_t i = 0; i < count; i++)
        quotients[i] = x[i] / y[i];
}

void gk_gather_columns(const gk_team *team, int64_t m, int64_t h, const int32_t *ids, const float *table,
                       int64_t ldt, float *y) {
    gk_for_ranges(team, m * h, m, 1, ^(gk_range rows) {
      for (int64_t r = rows.begin; r < rows.end; r++)
          for (int64_t i = 0; i < h; i++)
              y[r * h + i] = table[i * ldt + ids[r]];
    });
}

void gk_scatter_add_columns(const gk_team *team, int64_t m, int64_t h, const int32_t *ids, int32_t frozen,
                            const float *x, float *table, int64_t ldt) {
    gk_for_ranges(team, m * h, h, 1, ^(gk_range rows) {
      for (int64_t r = 0; r < m; r++)
          for (int64_t i = rows.begin; ids[r] != frozen && i < rows.end; i++)
              table[i * ldt + ids[r]] += x[r * h + i];
    });
}
