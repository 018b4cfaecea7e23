/** Frozen weights: W [n, k] stored as panels of 32 rows of W, [k words][32] each, and read back. */
#include "products.h"
#include "ranges.h"
#include <string.h>

enum { CHUNK = 256 /**< Elements of a row of W converted at once: whole blocks of every type. */ };

size_t gk_packed_size(gk_type type, int64_t n, int64_t k) {
    return (size_t)gk_divide_up(n, GK_PANEL) * (size_t)gk_depth(type, k) * GK_PANEL * sizeof(gk_word);
}

/** Where the word at depth 0 of a row of W lies; the next word is GK_PANEL further. */
static int64_t row_offset(gk_type type, int64_t k, int64_t row) {
    return row / GK_PANEL * gk_depth(type, k) * GK_PANEL + row % GK_PANEL;
}

/** One element of a stored matrix, by its index. */
static float element(const gk_product_path *path, const void *rows, gk_type source, int64_t index) {
    float value;
    path->to_float32(1, (const char *)rows + index * gk_element_size(source), source, &value);
    return value;
}

/** Reads a chunk of up to GK_PANEL rows as float32. */
static void read_chunk(const gk_product_path *path, const void *rows, gk_type source, int64_t row_stride,
                       int64_t column_stride, int64_t first_row, int64_t row_count, int64_t first_column,
                       int64_t column_count, float chunk[GK_PANEL][CHUNK]) {
    for (int64_t i = 0; i < row_count; i++) {
        int64_t start = (first_row + i) * row_stride + first_column * column_stride;
        if (column_stride == 1)
            path->to_float32(column_count, (const char *)rows + gk_row_size(source, start), source, chunk[i]);
        else
            for (int64_t j = 0; j < column_count; j++)
                chunk[i][j] = element(path, rows, source, start + j * column_stride);
    }
}

/** Packs up to GK_PANEL rows of one panel, from `row` of W on; through scratch, since a stack may
 *  be small. */
static void pack_rows(const gk_product_path *path, gk_type type, int64_t k, void *packed, int64_t row,
                      int64_t height, const void *rows, gk_type source, int64_t first, int64_t row_stride,
                      int64_t column_stride, void *scratch) {
    float(*chunk)[CHUNK] = scratch;
    uint16_t(*halves)[CHUNK] = (void *)(chunk + GK_PANEL);
    gk_word *panel = (gk_word *)packed + row_offset(type, k, row);
    for (int64_t column = 0; column < k; column += CHUNK) {
        int64_t width = gk_minimum(CHUNK, k - column);
        int64_t depth = gk_depth(type, width);
        read_chunk(path, rows, source, row_stride, column_stride, first, height, column, width, chunk);
        gk_word *out = panel + column / gk_word_elements(type) * GK_PANEL;
        if (type == GK_FLOAT32) {
            path->transpose(height, depth, (const gk_word *)chunk, CHUNK, out, GK_PANEL);
            continue;
        }
        for (int64_t i = 0; i < height; i++) {
            path->from_float32(width, chunk[i], GK_BFLOAT16, halves[i]);
            if (width % 2)
                halves[i][width] = 0;
        }
        path->transpose(height, depth, (const gk_word *)halves, CHUNK / 2, out, GK_PANEL);
    }
}

void gk_pack(const gk_team *team, gk_type type, int64_t n, int64_t k, void *packed, int64_t first_row,
             int64_t row_count, const void *rows, gk_type source, int64_t row_stride, int64_t column_stride) {
    (void)n;
    const gk_product_path *path = gk_products();
    int64_t end = first_row + row_count, panels = gk_divide_up(end, GK_PANEL) - first_row / GK_PANEL;
    int32_t threads = gk_threads(team, row_count * k / GK_ELEMENTS_PER_THREAD);
    gk_run(team, threads, panels, ^(int64_t p, int32_t seat) {
      int64_t start = (first_row / GK_PANEL + p) * GK_PANEL, row = start > first_row ? start : first_row;
      pack_rows(path, type, k, packed, row, gk_minimum(start + GK_PANEL, end) - row, rows, source,
                row - first_row, row_stride, column_stride, gk_thread_scratch(team, seat));
    });
}

void gk_unpack(gk_type type, int64_t n, int64_t k, const void *packed, int64_t first_row, int64_t row_count,
               float *rows) {
    (void)n;
    const gk_product_path *path = gk_products();
    for (int64_t i = 0; i < row_count; i++) {
        const gk_word *word = (const gk_word *)packed + row_offset(type, k, first_row + i);
        float *row = rows + i * k;
        if (type == GK_FLOAT32)
            path->transpose(k, 1, word, GK_PANEL, (gk_word *)row, k);
        else
            for (int64_t j = 0; j < k; j++) {
                uint16_t half = (uint16_t)(word[j / 2 * GK_PANEL] >> (j % 2 * 16));
                path->to_float32(1, &half, GK_BFLOAT16, row + j);
            }
    }
}
