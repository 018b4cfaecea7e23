/**
 * @file products.h
 * @brief What the product files share: how operands lie in memory, and the kernels of one path.
 *
 * A product is c [m, n] = a [m, k] b [k, n]. Its inner loop is a tile: up to 14 rows of c by the 32
 * columns of a panel, held in registers while it walks along k. Everything around the tile serves
 * it from cache:
 *
 * - A panel is 32 columns of b, [k words][32 columns]. Frozen weights are stored that way; other
 *   operands are copied into panels block by block.
 * - A word is 32 bits: one float32, or two bfloat16 neighbours along k, the lower k in the lower
 *   half and zero for a missing last one. Depth, the length along k, is counted in words.
 * - A row block is rows of a, converted to what the tile multiplies, with a fixed distance between
 *   rows.
 *
 * Every element of c is one chain of multiply-adds along k, starting from the bias, from zero or
 * from what c held. Between depth blocks the chain waits in c itself, so blocks, tiles and threads
 * leave no trace in the bits.
 */
#ifndef GK_PRODUCTS_H
#define GK_PRODUCTS_H

#include "gk_internal.h"

/** A 32-bit word of unknown content. */
typedef uint32_t __attribute__((may_alias)) gk_word;

enum {
    GK_PANEL = 32,        /**< Columns of a panel. */
    GK_BLOCK_DEPTH = 384, /**< Words along k of a block: a panel's share stays close to the core. */
    GK_BLOCK_ROWS = 224,  /**< Rows of a row block. */
    GK_TILE_ROWS = 14,    /**< Most rows that a tile of any path has. */
    GK_BLOCK_PANELS = 24, /**< Panels copied at once, when b has to be copied. */
    GK_PADDING = 16,      /**< Words between rows and copied panels: they share no cache set. */
    GK_ROW_BLOCK_BYTES = GK_BLOCK_ROWS * (2 * GK_BLOCK_DEPTH + GK_PADDING) * 4,
    GK_PANEL_BLOCK_BYTES = GK_BLOCK_PANELS * (GK_BLOCK_DEPTH * GK_PANEL + GK_PADDING) * 4,
};
_Static_assert(GK_ROW_BLOCK_BYTES + GK_PANEL_BLOCK_BYTES <= GK_THREAD_SCRATCH,
               "blocks fit a thread's scratch");

/** One tile: out = start + block · panel. */
typedef struct gk_tile_work {
    int64_t rows, width; /**< Columns beyond the width are computed, to whole vectors. */
    const gk_word *block, *panel;
    int64_t depth;
    const float *start;
    int64_t start_stride;
    float *out;
    int64_t out_stride;
    /** Fetched into the second cache level meanwhile, `fetch_step` (at most 128) bytes per word of
     *  depth. */
    const char *fetch;
    int64_t fetch_step;
} gk_tile_work;

/** The tile of one path and one element type. */
typedef struct gk_tile {
    int64_t rows;         /**< Most rows of a tile. */
    int64_t row_distance; /**< Words between rows of a row block. */
    /** Fills a row block with `count` elements of each row, and a zero where the last word lacks
     *  one. */
    void (*load_rows)(int64_t rows, int64_t count, const float *source, int64_t stride, gk_word *block);
    void (*multiply)(const gk_tile_work *work);
} gk_tile;

/** The kernels of one instruction set. */
typedef struct gk_product_path {
    gk_tile tiles[2]; /**< By gk_type. */

    /** out [columns, rows] = words [rows, columns] transposed. */
    void (*transpose)(int64_t rows, int64_t columns, const gk_word *words, int64_t stride, gk_word *out,
                      int64_t out_stride);
    /** Turns pairs along rows into pairs along columns. Words [rows, 2 · column_pairs] hold the
     *  elements of rows 2 r and 2 r + 1; out [column_pairs, 2 · rows] holds the elements of columns
     *  2 c and 2 c + 1. */
    void (*transpose_pairs)(int64_t rows, int64_t column_pairs, const gk_word *words, int64_t stride,
                            gk_word *out, int64_t out_stride);
    /** y = f(x) on [rows, width]; y may be x. */
    void (*activate)(gk_activation f, int64_t rows, int64_t width, const float *x, int64_t x_stride, float *y,
                     int64_t y_stride);
    /** Copies words [rows, columns] into panels [rows][32] that lie `panel_stride` words apart. */
    void (*copy_panels)(int64_t rows, int64_t columns, const gk_word *words, int64_t stride, gk_word *panels,
                        int64_t panel_stride);
    void (*scale)(int64_t count, float factor, float *x);
    void (*to_float32)(int64_t count, const void *source, gk_type type, float *out);
    void (*from_float32)(int64_t count, const float *source, gk_type type, void *out);
    void (*add_column_sums)(int64_t rows, int64_t columns, const float *x, int64_t stride, float *out);
} gk_product_path;

extern const gk_product_path gk_products_portable;
extern const gk_product_path gk_products_avx2;
extern const gk_product_path gk_products_avx512;
extern const gk_product_path gk_products_avx512bf16;

/** The kernels of the chosen path. */
const gk_product_path *gk_products(void);

static inline int64_t gk_minimum(int64_t a, int64_t b) {
    return a < b ? a : b;
}
static inline int64_t gk_divide_up(int64_t a, int64_t b) {
    return (a + b - 1) / b;
}

/** Elements in a word of `type`. */
static inline int64_t gk_word_elements(gk_type type) {
    return type == GK_FLOAT32 ? 1 : 2;
}
/** Words along `count` elements. */
static inline int64_t gk_depth(gk_type type, int64_t count) {
    return gk_divide_up(count, gk_word_elements(type));
}

/** Where part `index` of `parts` nearly equal parts of `total` starts. */
static inline int64_t gk_share(int64_t total, int64_t parts, int64_t index) {
    return total / parts * index + gk_minimum(index, total % parts);
}

/** What becomes of a product. */
typedef struct gk_result {
    float *sums; /**< c: result, and partial sums between depth blocks. */
    int64_t row_stride, column_stride;
    const float *bias;        /**< [n]: where chains start when beta is 0; NULL for zero. */
    float beta;               /**< Chains start from beta c, unless it is 0. */
    gk_activation activation; /**< Of finished sums, in `activated` unless that is NULL. */
    float *activated;
    int64_t activated_stride;
} gk_result;

/** A stored float32 matrix, or its transpose, times a factor. */
typedef struct gk_operand {
    const float *data;
    int64_t stride;
    bool is_transposed;
    float factor;
} gk_operand;

/** A product to be done. */
typedef struct gk_multiplication {
    const gk_product_path *path;
    const gk_tile *tile;
    gk_type type;
    int64_t m, n, k;
    gk_operand a; /**< With GK_BFLOAT16 neither transposed nor scaled. */
    const void *b;
    /** Makes panels of b that lie `panel_stride` words apart; NULL when b is stored in panels. */
    void (*load_panels)(const struct gk_multiplication *product, int64_t first_panel, int64_t panel_count,
                        int64_t first_k, int64_t k_count, gk_word *panels, int64_t panel_stride);
    double panel_cost; /**< Cycles that a thread spends to load an element of b. */
    gk_result result;
} gk_multiplication;

/** Divides a product among the threads of a team and does it. */
void gk_multiply(const gk_team *team, const gk_multiplication *product);

/** Part of a product: some rows by some panels by some words of depth. */
typedef struct gk_block {
    const gk_word *rows;
    int64_t first_row, row_count, tile_count;
    const gk_word *panels;
    int64_t panel_stride;
    int64_t first_panel, panel_count;
    int64_t depth;
    bool is_first, is_last; /**< Of the blocks along k. */
    /** Rows of a that are wanted next, fetched meanwhile: `next_count` of them, `next_width` floats
     *  each. */
    const float *next;
    int64_t next_stride, next_count, next_width;
} gk_block;

/** Multiplies a block and adds it to the result. */
void gk_multiply_block(const gk_multiplication *product, const gk_block *block);

#endif
