/** Blocks of a product: the tiles they are made of, and where the chains of a tile start and
 *  end. */
#include "products.h"
#include <string.h>

static const float zeros[GK_PANEL];

/** Where a tile lies in c. */
typedef struct place {
    int64_t row, rows, column, width;
    float *c;
    const float *bias;
} place;

/** Whether the chains of this block go on from what c holds. */
static bool continues(const gk_multiplication *product, const gk_block *block) {
    return !block->is_first || product->result.beta != 0;
}

static void load_copy(const gk_multiplication *product, const gk_block *block, const place *tile,
                      float *copy) {
    const gk_result *result = &product->result;
    memset(copy, 0, (size_t)tile->rows * GK_PANEL * sizeof(float));
    if (continues(product, block)) {
        float factor = block->is_first ? result->beta : 1;
        for (int64_t i = 0; i < tile->rows; i++)
            for (int64_t j = 0; j < tile->width; j++)
                copy[i * GK_PANEL + j] = factor * tile->c[i * result->row_stride + j * result->column_stride];
    } else if (tile->bias) {
        for (int64_t i = 0; i < tile->rows; i++)
            memcpy(copy + i * GK_PANEL, tile->bias, (size_t)tile->width * sizeof(float));
    }
}

static void store_copy(const gk_result *result, const place *tile, const float *copy) {
    if (result->column_stride == 1)
        for (int64_t i = 0; i < tile->rows; i++)
            memcpy(tile->c + i * result->row_stride, copy + i * GK_PANEL,
                   (size_t)tile->width * sizeof(float));
    else
        for (int64_t j = 0; j < tile->width; j++)
            for (int64_t i = 0; i < tile->rows; i++)
                tile->c[i * result->row_stride + j * result->column_stride] = copy[i * GK_PANEL + j];
}

/** While the tile is in the first cache level. */
static void activate(const gk_multiplication *product, const place *tile) {
    const gk_result *result = &product->result;
    product->path->activate(result->activation, tile->rows, tile->width,
                            result->sums + tile->row * result->row_stride + tile->column, result->row_stride,
                            result->activated + tile->row * result->activated_stride + tile->column,
                            result->activated_stride);
}

/** The tile below is usually the next one; its part of c is fetched while this one is multiplied:
 *  into the second cache level, because rows of c often lie a multiple of a page apart and crowd a
 *  few sets of the first. */
static void fetch_below(const gk_result *result, const place *tile) {
    const float *below = tile->c + tile->rows * result->row_stride;
    for (int64_t i = 0; i < tile->rows; i++, below += result->row_stride) {
        __builtin_prefetch(below, 0, 2);
        __builtin_prefetch(below + GK_PANEL / 2, 0, 2);
    }
}

/** Each tile fetches its share of the rows that come next. */
static void fetch_next(const gk_block *block, int64_t tile, int64_t tiles) {
    int64_t end = gk_share(block->next_count, tiles, tile + 1);
    for (int64_t i = gk_share(block->next_count, tiles, tile); i < end; i++)
        for (int64_t j = 0; j < block->next_width; j += 16)
            __builtin_prefetch(block->next + i * block->next_stride + j, 0, 2);
}

static void multiply_tile(const gk_multiplication *product, const gk_block *block, int64_t index,
                          int64_t panel) {
    const gk_result *result = &product->result;
    int64_t first = gk_share(block->row_count, block->tile_count, index);
    place tile = {.row = block->first_row + first,
                  .rows = gk_share(block->row_count, block->tile_count, index + 1) - first,
                  .column = (block->first_panel + panel) * GK_PANEL};
    tile.width = gk_minimum(GK_PANEL, product->n - tile.column);
    tile.c = result->sums + tile.row * result->row_stride + tile.column * result->column_stride;
    tile.bias = result->bias ? result->bias + tile.column : NULL;
    fetch_below(result, &tile);
    fetch_next(block, panel * block->tile_count + index, block->panel_count * block->tile_count);

    gk_tile_work work = {.rows = tile.rows,
                         .width = tile.width,
                         .block = block->rows + first * product->tile->row_distance,
                         .panel = block->panels + panel * block->panel_stride,
                         .depth = block->depth,
                         .out = tile.c,
                         .out_stride = result->row_stride};
    /* Each tile fetches its share of the next panel. */
    work.fetch_step = gk_divide_up(128, block->tile_count);
    work.fetch = (const char *)(work.panel + block->panel_stride) + index * work.fetch_step * block->depth;

    float copy[GK_TILE_ROWS * GK_PANEL];
    bool is_continued = continues(product, block);
    bool is_scaled = block->is_first && result->beta != 0 && result->beta != 1;
    bool is_copied = tile.width < GK_PANEL || result->column_stride != 1 || is_scaled;
    if (is_copied) {
        load_copy(product, block, &tile, copy);
        work.out = copy;
        work.out_stride = GK_PANEL;
    }
    if (is_copied || is_continued) {
        work.start = work.out;
        work.start_stride = work.out_stride;
    } else {
        work.start = tile.bias ? tile.bias : zeros;
        work.start_stride = 0;
    }
    product->tile->multiply(&work);
    if (is_copied)
        store_copy(result, &tile, copy);
    if (block->is_last && result->activated)
        activate(product, &tile);
}

void gk_multiply_block(const gk_multiplication *product, const gk_block *block) {
    /* Panels that fit the second cache level stay there while rows of c are written one after the
     * other; else a panel stays in the first level while the row block streams past it. */
    const int64_t resident_words = 64 << 10;
    if (block->panel_count * block->depth * GK_PANEL <= resident_words) {
        for (int64_t tile = 0; tile < block->tile_count; tile++)
            for (int64_t panel = 0; panel < block->panel_count; panel++)
                multiply_tile(product, block, tile, panel);
    } else {
        for (int64_t panel = 0; panel < block->panel_count; panel++)
            for (int64_t tile = 0; tile < block->tile_count; tile++)
                multiply_tile(product, block, tile, panel);
    }
}
