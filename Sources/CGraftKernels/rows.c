/** Embedding rows, sums and means of rows. */
#include "ranges.h"

/** A row is divided by its length, but by no less than this. */
#define GK_LEAST_LENGTH 1e-12f

#define GK_KERNELS "rows_kernels.inc"
#include "each_path.inc"

/** Elements of a stored row that are converted together before they are added: whole blocks of
 *  every type. */
enum { CONVERTED = 256 };

static void gather_row(int64_t h, const void *row, gk_type type, bool accumulate, float *y) {
    if (!accumulate) {
        gk_to_float32(h, row, type, y);
        return;
    }
    for (int64_t i = 0; i < h; i += CONVERTED) {
        float converted[CONVERTED];
        int64_t count = h - i < CONVERTED ? h - i : CONVERTED;
        gk_to_float32(count, (const char *)row + gk_row_size(type, i), type, converted);
        GK_ON_PATH(add)(count, 1, converted, y + i);
    }
}

void gk_gather_rows(const gk_team *team, int64_t m, int64_t h, const int32_t *ids, const void *table,
                    gk_type type, bool accumulate, float *y, int64_t ldy) {
    gk_for_ranges(team, m * h, m, 1, ^(gk_range rows) {
      for (int64_t r = rows.begin; r < rows.end; r++) {
          const char *row = (const char *)table + ids[r] * gk_row_size(type, h);
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

void gk_scale(const gk_team *team, int64_t count, float alpha, float *x) {
    gk_for_ranges(team, count, count, 64, ^(gk_range range) {
      GK_ON_PATH(scale)(range.end - range.begin, alpha, x + range.begin);
    });
}

void gk_blend(const gk_team *team, int64_t m, int64_t h, float alpha, const float *x, int64_t ldx, float *y,
              int64_t ldy) {
    gk_for_ranges(team, m * h, m, 1, ^(gk_range rows) {
      for (int64_t r = rows.begin; r < rows.end; r++)
          GK_ON_PATH(blend)(h, alpha, x + r * ldx, y + r * ldy);
    });
}

/** What the first of a sequence's rows counts in what they become; a later one counts as much, or
 *  by its place as often. */
static float pool_factor(gk_pool pool, int64_t count) {
    float length = (float)count;
    switch (pool) {
    case GK_POOL_LARGEST:
        return 1;
    case GK_POOL_PLACE:
        return 2.0f / (length * (length + 1));
    case GK_POOL_ROOT:
        return 1.0f / __builtin_sqrtf(length);
    default:
        return 1.0f / length;
    }
}

void gk_pool_rows(const gk_team *team, gk_pool pool, int64_t count, const int64_t *starts, int64_t h,
                  const float *x, float *y, int64_t ldy) {
    if (count == 0)
        return;
    gk_for_ranges(team, (starts[count] - starts[0]) * h, h, GK_COLUMNS_TOGETHER, ^(gk_range columns) {
      int64_t begin = columns.begin, end = columns.end;
      for (int64_t i = 0; i < count; i++) {
          int64_t first = starts[i], last = starts[i + 1];
          float *row = y + i * ldy;
          switch (pool) {
          case GK_POOL_LARGEST:
              GK_ON_PATH(largest_rows)(begin, end, first, last, h, x, row);
              break;
          case GK_POOL_PLACE:
              GK_ON_PATH(placed_rows)
              (begin, end, first, last, h, x, pool_factor(pool, last - first), row);
              break;
          default:
              GK_ON_PATH(mean_rows)(begin, end, first, last, h, x, row);
              if (pool == GK_POOL_ROOT)
                  for (int64_t c = begin; c < end; c++)
                      row[c] *= __builtin_sqrtf((float)(last - first));
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

void gk_pool_rows_backward(const gk_team *team, gk_pool pool, int64_t count, const int64_t *starts, int64_t h,
                           const float *x, const float *dy, int64_t lddy, float *dx) {
    if (count == 0)
        return;
    gk_for_ranges(team, (starts[count] - starts[0]) * h, count, 1, ^(gk_range sequences) {
      for (int64_t i = sequences.begin; i < sequences.end; i++) {
          int64_t first = starts[i], last = starts[i + 1];
          const float *row = dy + i * lddy;
          if (pool == GK_POOL_LARGEST)
              GK_ON_PATH(largest_row_backward)(first, last, h, x, row, dx);
          else if (last > first)
              GK_ON_PATH(spread_row)
          (first, last, h, pool_factor(pool, last - first), pool == GK_POOL_PLACE, row, dx);
      }
    });
}

void gk_normalize_rows(const gk_team *team, int64_t m, int64_t h, float *x, float *lengths) {
    gk_for_ranges(team, m * h, m, 1, ^(gk_range rows) {
      GK_ON_PATH(normalize_rows)(rows.begin, rows.end, h, x, lengths);
    });
}

void gk_normalize_rows_backward(const gk_team *team, int64_t m, int64_t h, const float *y,
                                const float *lengths, float *dy) {
    gk_for_ranges(team, m * h, m, 1, ^(gk_range rows) {
      GK_ON_PATH(normalize_rows_backward)(rows.begin, rows.end, h, y, lengths, dy);
    });
}
