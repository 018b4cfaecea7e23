/** Products with frozen weights: forward on the stored panels, backward on panels turned block by block. */
#include "products.h"
#include <string.h>

typedef struct frozen_operands {
    const gk_product_path *path;
    const float *rows; /**< x or dy. */
    int64_t row_stride;
    const gk_word *packed; /**< W [n, k]. */
    int64_t n, k;
} frozen_operands;

static void load_rows(const gk_multiplication *product, int64_t first_row, int64_t row_count, int64_t first_k,
                      int64_t k_count, gk_word *block) {
    const frozen_operands *operands = product->operands;
    product->tile->load_rows(row_count, k_count, operands->rows + first_row * operands->row_stride + first_k,
                             operands->row_stride, block);
}

/** Panels of W itself, [n words][32 columns of W], from the stored panels of its transpose, [k words][32 rows
 * of W]. */
static void turn_panels(const gk_multiplication *product, int64_t first_panel, int64_t panel_count,
                        int64_t first_n, int64_t n_count, gk_word *panels, int64_t panel_stride) {
    const frozen_operands *operands = product->operands;
    bool is_float = product->type == GK_FLOAT32;
    int64_t k_words = gk_depth(product->type, operands->k);
    int64_t panel_words = GK_PANEL / gk_word_elements(product->type);
    for (int64_t p = 0; p < panel_count; p++) {
        int64_t first_word = (first_panel + p) * panel_words;
        int64_t word_count = gk_minimum(panel_words, k_words - first_word);
        gk_word *panel = panels + p * panel_stride;
        if (word_count < panel_words)
            memset(panel, 0, (size_t)gk_depth(product->type, n_count) * GK_PANEL * sizeof(gk_word));
        for (int64_t n = 0; n < n_count; n += GK_PANEL) {
            int64_t count = gk_minimum(GK_PANEL, n_count - n);
            const gk_word *source =
                operands->packed + ((first_n + n) / GK_PANEL * k_words + first_word) * GK_PANEL;
            gk_word *out = panel + n / gk_word_elements(product->type) * GK_PANEL;
            if (is_float)
                operands->path->transpose(word_count, count, source, GK_PANEL, out, GK_PANEL);
            else
                operands->path->transpose_pairs(word_count, gk_divide_up(count, 2), source, GK_PANEL, out,
                                                GK_PANEL);
        }
    }
}

void gk_product(const gk_team *team, gk_type type, int64_t n, int64_t k, const void *packed, int64_t m,
                const float *x, int64_t ldx, const gk_epilogue *epilogue, float *y, int64_t ldy) {
    const gk_product_path *path = gk_products();
    frozen_operands operands = {path, x, ldx, packed, n, k};
    gk_multiplication product = {.tile = &path->tiles[type],
                                 .type = type,
                                 .m = m,
                                 .n = n,
                                 .k = k,
                                 .operands = &operands,
                                 .load_rows = load_rows,
                                 .stored_panels = packed,
                                 .row_cost = 0.1,
                                 .panel_cost = 0.2,
                                 .result = {.sums = y, .row_stride = ldy, .column_stride = 1}};
    if (epilogue) {
        product.result.bias = epilogue->bias;
        if (epilogue->before_activation)
            product.result.sums = epilogue->before_activation;
        if (epilogue->before_activation || epilogue->activation != GK_IDENTITY) {
            product.result.activation = epilogue->activation;
            product.result.activated = y;
            product.result.activated_stride = ldy;
        }
    }
    gk_multiply(team, &product);
}

void gk_product_backward(const gk_team *team, gk_type type, int64_t n, int64_t k, const void *packed,
                         int64_t m, const float *dy, int64_t lddy, bool accumulate, float *dx, int64_t lddx) {
    const gk_product_path *path = gk_products();
    frozen_operands operands = {path, dy, lddy, packed, n, k};
    gk_multiplication product = {
        .tile = &path->tiles[type],
        .type = type,
        .m = m,
        .n = k,
        .k = n,
        .operands = &operands,
        .load_rows = load_rows,
        .load_panels = turn_panels,
        .row_cost = 0.1,
        .panel_cost = 0.6,
        .result = {.sums = dx, .row_stride = lddx, .column_stride = 1, .beta = accumulate ? 1 : 0}};
    gk_multiply(team, &product);
}
