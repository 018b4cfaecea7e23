/** Blocks of a product: the tiles they are made of, and where the chains of a tile start and end. */
#include "products.h"
#include <string.h>

static const float zeros[GK_PANEL];

/** A tile of c, when it is multiplied in c itself or in a copy. */
typedef struct target {
    int64_t row, rows, column, width;
    float *c;
    const float *bias;
} target;

/** Whether the chains of this block go on from what c holds. */
static bool continues(const gk_multiplication *product, const gk_block *block) {
    return !block->is_first || product->result.beta != 0;
}

static void load_copy(const gk_multiplication *product, const gk_block *block, const target *tile,
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

static void store_copy(const gk_result *result, const target *tile, const float *copy) {
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
static void activate(const gk_result *result, const target *tile) {
    gk_products()->activate(result->activation, tile->rows, tile->width,
                            result->sums + tile->row * result->row_stride + tile->column, result->row_stride,
                            result->activated + tile->row * result->activated_stride + tile->column,
                            result->activated_stride);
}

static void multiply_tile(const gk_multiplication *product, const gk_block *block, int64_t index,
                          int64_t panel) {
    const gk_result *result = &product->result;
    int64_t first = gk_share(block->row_count, block->tile_count, index);
    target tile = {.row = block->first_row + first,
                   .rows = gk_share(block->row_count, block->tile_count, index + 1) - first,
                   .column = (block->first_panel + panel) * GK_PANEL};
    tile.width = gk_minimum(GK_PANEL, product->n - tile.column);
    tile.c = result->sums + tile.row * result->row_stride + tile.column * result->column_stride;
    tile.bias = result->bias ? result->bias + tile.column : NULL;
    const gk_word *a = block->rows + first * product->tile->row_distance;
    const gk_word *b = block->panels + panel * block->panel_stride;

    bool is_plain = tile.width == GK_PANEL && result->column_stride == 1;
    if (is_plain && continues(product, block) && (!block->is_first || result->beta == 1)) {
        product->tile->multiply(tile.rows, tile.width, a, b, block->depth, tile.c, result->row_stride, tile.c,
                                result->row_stride);
    } else if (is_plain && !continues(product, block)) {
        product->tile->multiply(tile.rows, tile.width, a, b, block->depth, tile.bias ? tile.bias : zeros, 0,
                                tile.c, result->row_stride);
    } else {
        float copy[GK_TILE_ROWS * GK_PANEL];
        load_copy(product, block, &tile, copy);
        product->tile->multiply(tile.rows, tile.width, a, b, block->depth, copy, GK_PANEL, copy, GK_PANEL);
        store_copy(result, &tile, copy);
    }
    if (block->is_last && result->activated)
        activate(result, &tile);
}

void gk_multiply_block(const gk_multiplication *product, const gk_block *block) {
    /* Panels that fit the second cache level stay there while rows of c are written one after the other; else
     * a panel stays in the first level while the row block streams past it. */
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
