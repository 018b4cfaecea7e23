/** Products with frozen weights: forward on the stored panels, backward on panels turned block by
 *  block. */
#include "products.h"
#include <string.h>

/** Panels of W itself, [n words][32 columns of W], from the stored panels of its transpose, [k
 *  words][32 rows of W]. */
static void turn_panels(const gk_multiplication *product, int64_t first_panel, int64_t panel_count,
                        int64_t first_n, int64_t n_count, gk_word *panels, int64_t panel_stride) {
    const gk_word *packed = product->b;
    int64_t k_words = gk_depth(product->type, product->n);
    int64_t panel_words = GK_PANEL / gk_word_elements(product->type);
    for (int64_t p = 0; p < panel_count; p++) {
        int64_t first_word = (first_panel + p) * panel_words;
        int64_t word_count = gk_minimum(panel_words, k_words - first_word);
        gk_word *panel = panels + p * panel_stride;
        if (word_count < panel_words)
            memset(panel, 0, (size_t)gk_depth(product->type, n_count) * GK_PANEL * sizeof(gk_word));
        for (int64_t n = 0; n < n_count; n += GK_PANEL) {
            int64_t count = gk_minimum(GK_PANEL, n_count - n);
            const gk_word *source = packed + ((first_n + n) / GK_PANEL * k_words + first_word) * GK_PANEL;
            /* The next square lies far away, where no hardware would look for it. */
            for (int64_t word = 0; word < word_count * GK_PANEL; word += 16)
                __builtin_prefetch(source + k_words * GK_PANEL + word, 0, 3);
            gk_word *out = panel + n / gk_word_elements(product->type) * GK_PANEL;
            if (product->type == GK_FLOAT32)
                product->path->transpose(word_count, count, source, GK_PANEL, out, GK_PANEL);
            else
                product->path->transpose_pairs(word_count, gk_divide_up(count, 2), source, GK_PANEL, out,
                                               GK_PANEL);
        }
    }
}

void gk_product(const gk_team *team, gk_type type, int64_t n, int64_t k, const void *packed, int64_t m,
                const float *x, int64_t ldx, const gk_epilogue *epilogue, float *y, int64_t ldy) {
    const gk_product_path *path = gk_products();
    gk_multiplication product = {.path = path,
                                 .tile = &path->tiles[type],
                                 .type = type,
                                 .m = m,
                                 .n = n,
                                 .k = k,
                                 .a = {.data = x, .stride = ldx, .factor = 1},
                                 .b = packed,
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
    gk_multiplication product = {
        .path = path,
        .tile = &path->tiles[type],
        .type = type,
        .m = m,
        .n = k,
        .k = n,
        .a = {.data = dy, .stride = lddy, .factor = 1},
        .b = packed,
        .load_panels = turn_panels,
        .panel_cost = 0.6,
        .result = {.sums = dx, .row_stride = lddx, .column_stride = 1, .beta = accumulate ? 1 : 0}};
    gk_multiply(team, &product);
}
