/** Products of small or trained float32 matrices: both operands are copied into blocks. */
#include "products.h"
#include "ranges.h"
#include <string.h>

static void load_panels(const gk_multiplication *product, int64_t first_panel, int64_t panel_count,
                        int64_t first_k, int64_t k_count, gk_word *panels, int64_t panel_stride) {
    const gk_operand *b = product->b;
    int64_t first = first_panel * GK_PANEL;
    int64_t count = gk_minimum(panel_count * GK_PANEL, product->n - first);
    if (count < panel_count * GK_PANEL)
        memset(panels + (panel_count - 1) * panel_stride, 0, (size_t)(k_count * GK_PANEL) * sizeof(gk_word));
    if (b->is_transposed)
        for (int64_t p = 0; p < panel_count; p++)
            product->path->transpose(
                gk_minimum(GK_PANEL, count - p * GK_PANEL), k_count,
                (const gk_word *)(b->data + (first + p * GK_PANEL) * b->stride + first_k), b->stride,
                panels + p * panel_stride, GK_PANEL);
    else
        product->path->copy_panels(k_count, count, (const gk_word *)(b->data + first_k * b->stride + first),
                                   b->stride, panels, panel_stride);
    if (b->factor != 1)
        for (int64_t p = 0; p < panel_count; p++)
            product->path->scale(k_count * GK_PANEL, b->factor, (float *)(panels + p * panel_stride));
}

void gk_gemm(const gk_team *team, bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
             float alpha, const float *a, int64_t lda, const float *b, int64_t ldb, float beta, float *c,
             int64_t ldc) {
    const gk_product_path *path = gk_products();
    gk_operand left = {a, lda, transpose_a, 1}, right = {b, ldb, transpose_b, alpha};
    gk_multiplication product = {.path = path,
                                 .tile = &path->tiles[GK_FLOAT32],
                                 .type = GK_FLOAT32,
                                 .m = m,
                                 .n = n,
                                 .k = alpha == 0 ? 0 : k,
                                 .a = left,
                                 .b = &right,
                                 .load_panels = load_panels,
                                 .result = {.sums = c, .row_stride = ldc, .column_stride = 1, .beta = beta}};
    /* With a tall a stored transposed, as in weight gradients, cᵀ = op(b)ᵀ op(a)ᵀ copies a as it
     * lies. */
    if (transpose_a && m >= 2 * n) {
        product.m = n;
        product.n = m;
        product.a = right;
        product.a.is_transposed = !transpose_b;
        right = left;
        right.is_transposed = false;
        product.result.row_stride = 1;
        product.result.column_stride = ldc;
    }
    product.panel_cost = right.is_transposed ? 0.4 : 0.15;
    gk_multiply(team, &product);
}

void gk_add_column_sums(const gk_team *team, int64_t m, int64_t n, const float *x, int64_t ldx, float *out) {
    const gk_product_path *path = gk_products();
    gk_for_ranges(team, m * n, n, GK_COLUMNS_TOGETHER, ^(gk_range columns) {
      path->add_column_sums(m, columns.end - columns.begin, x + columns.begin, ldx, out + columns.begin);
    });
}
