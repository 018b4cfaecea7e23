/** Embedding rows, sums and means of rows. */
#include "ranges.h"

#define GK_KERNELS "rows_kernels.inc"
#include "each_path.inc"

/** Elements of a stored row that are converted together before they are added. */
enum { CONVERTED = 256 };

static void gather_row(int64_t h, const void *row, gk_type type, bool accumulate, float *y) {
    if (!accumulate) {
        gk_to_float32(h, row, type, y);
        return;
    }
    for (int64_t i = 0; i < h; i += CONVERTED) {
        float converted[CONVERTED];
        int64_t count = h - i < CONVERTED ? h - i : CONVERTED;
        gk_to_float32(count, (const char *)row + i * gk_element_size(type), type, converted);
        GK_ON_PATH(add)(count, 1, converted, y + i);
    }
}

void gk_gather_rows(const gk_team *team, int64_t m, int64_t h, const int32_t *ids, const void *table,
                    gk_type type, bool accumulate, float *y, int64_t ldy) {
    gk_for_ranges(team, m * h, m, 1, ^(gk_range rows) {
      for (int64_t r = rows.begin; r < rows.end; r++) {
          const char *row = (const char *)table + ids[r] * h * gk_element_size(type);
          gather_row(h, row, type, accumulate, y + r * ldy);
      }
    });
}

void gk_scatter_add_rows(const gk_team *team, int64_t m, int64_t h, const int32_t *ids, const float *x,
                         int64_t ldx, float *table) {
    gk_for_ranges(team, m * h, h, GK_COLUMNS_TOGETHER, ^(gk_range columns) {
      GK_ON_PATH(scatter_add_rows)(columns.begin, columns.end, m, h, ids, x, ldx, table);
    });
}

void gk_add(const gk_team *team, int64_t count, float alpha, const float *x, float *y) {
    gk_for_ranges(team, count, count, 64, ^(gk_range range) {
      GK_ON_PATH(add)(range.end - range.begin, alpha, x + range.begin, y + range.begin);
    });
}

void gk_blend(const gk_team *team, int64_t m, int64_t h, float alpha, const float *x, int64_t ldx, float *y,
              int64_t ldy) {
    gk_for_ranges(team, m * h, m, 1, ^(gk_range rows) {
      for (int64_t r = rows.begin; r < rows.end; r++)
          GK_ON_PATH(blend)(h, alpha, x + r * ldx, y + r * ldy);
    });
}

void gk_mean_rows_backward(const gk_team *team, int64_t count, const int64_t *starts, int64_t h,
                           const float *dy, float *dx) {
    if (count == 0)
        return;
    gk_for_ranges(team, (starts[count] - starts[0]) * h, count, 1, ^(gk_range sequences) {
      for (int64_t i = sequences.begin; i < sequences.end; i++)
          GK_ON_PATH(spread_row)(starts[i], starts[i + 1], h, dy + i * h, dx);
    });
}

void gk_pool_rows(const gk_team *team, gk_pool pool, int64_t count, const int64_t *starts, int64_t h,
                  const float *x, float *y, int64_t ldy) {
    if (count == 0)
        return;
    gk_for_ranges(team, (starts[count] - starts[0]) * h, h, GK_COLUMNS_TOGETHER, ^(gk_range columns) {
      int64_t begin = columns.begin, end = columns.end;
      for (int64_t i = 0; i < count; i++) {
          int64_t first = starts[i], last = starts[i + 1];
          float *row = y + i * ldy, length = (float)(last - first);
          switch (pool) {
          case GK_POOL_LARGEST:
              GK_ON_PATH(largest_rows)(begin, end, first, last, h, x, row);
              break;
          case GK_POOL_PLACE:
              GK_ON_PATH(placed_rows)
              (begin, end, first, last, h, x, 2.0f / (length * (length + 1)), row);
              break;
          default:
              GK_ON_PATH(mean_rows)(begin, end, first, last, h, x, row);
              if (pool == GK_POOL_ROOT)
                  for (int64_t c = begin; c < end; c++)
                      row[c] *= __builtin_sqrtf(length);
          }
      }
    });
}

void gk_row_lengths(const gk_team *team, int64_t m, int64_t h, const float *x, float *lengths) {
    gk_for_ranges(team, m * h, m, 1, ^(gk_range rows) {
      for (int64_t r = rows.begin; r < rows.end; r++)
          lengths[r] = GK_ON_PATH(row_length)(h, x + r * h);
    });
}

void gk_normalize_rows(const gk_team *team, int64_t m, int64_t h, float *x) {
    gk_for_ranges(team, m * h, m, 1, ^(gk_range rows) {
      GK_ON_PATH(normalize_rows)(rows.begin, rows.end, h, x);
    });
}
