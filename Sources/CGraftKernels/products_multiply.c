/** A whole product: divided among threads, and each thread's part into blocks that fit the caches. */
#include "products.h"

const gk_product_path *gk_products(void) {
#if defined(__x86_64__)
    static const gk_product_path *const paths[] = {&gk_products_portable, &gk_products_avx2,
                                                   &gk_products_avx512, &gk_products_avx512bf16};
    return paths[gk_path()];
#else
    return &gk_products_portable;
#endif
}

/** `rows` groups of rows times `columns` groups of panels; a thread takes one of each. */
typedef struct division {
    int64_t rows, columns;
} division;

/** The division whose slowest thread is done first. */
static division divide(const gk_multiplication *product, int64_t threads) {
    /* Waking a team costs about as much as this many multiply-adds. */
    const double least_operations = 1 << 17;
    division best = {1, 1};
    if ((double)product->m * (double)product->n * (double)product->k < least_operations)
        return best;
    double least_cycles = 0;
    for (int64_t rows = 1; rows <= threads; rows++) {
        division candidate = {rows, threads / rows};
        double own_rows = (double)gk_divide_up(product->m, candidate.rows);
        double own_columns = (double)gk_divide_up(product->n, candidate.columns * GK_PANEL) * GK_PANEL;
        double cycles =
            own_rows * own_columns / 32 + own_rows * product->row_cost + own_columns * product->panel_cost;
        if (rows == 1 || cycles < least_cycles) {
            least_cycles = cycles;
            best = candidate;
        }
    }
    return best;
}

/** Half-open. */
typedef struct range {
    int64_t first, end;
} range;

static range share(int64_t total, int64_t parts, int64_t index) {
    return (range){gk_share(total, parts, index), gk_share(total, parts, index + 1)};
}

/** One group of panels: the blocks along k, and for each the row blocks. */
static void multiply_panels(const gk_multiplication *product, range rows, range panels, gk_word *row_block,
                            gk_word *panel_block) {
    int64_t elements = gk_word_elements(product->type);
    int64_t depth = gk_depth(product->type, product->k);
    int64_t depth_blocks = depth > 0 ? gk_divide_up(depth, GK_BLOCK_DEPTH) : 1;
    int64_t block_depth = gk_divide_up(gk_divide_up(depth, depth_blocks), GK_PANEL) * GK_PANEL;

    int64_t tiles = gk_divide_up(rows.end - rows.first, product->tile->rows);
    int64_t row_blocks = gk_divide_up(tiles, GK_BLOCK_ROWS / product->tile->rows);
    /* Copied panels serve all row blocks; stored ones let a row block finish before the next. */
    int64_t rounds = product->stored_panels ? row_blocks : 1;

    for (int64_t round = 0; round < rounds; round++) {
        for (int64_t d = 0; d < depth_blocks; d++) {
            int64_t first_word = d * block_depth;
            int64_t first_k = first_word * elements;
            int64_t k_count = gk_minimum(block_depth * elements, product->k - first_k);
            gk_block block = {.first_panel = panels.first,
                              .panel_count = panels.end - panels.first,
                              .depth = gk_depth(product->type, k_count),
                              .is_first = d == 0,
                              .is_last = d == depth_blocks - 1};
            if (product->stored_panels) {
                block.panel_stride = depth * GK_PANEL;
                block.panels =
                    product->stored_panels + panels.first * block.panel_stride + first_word * GK_PANEL;
            } else {
                block.panel_stride = block.depth * GK_PANEL + GK_PADDING;
                block.panels = panel_block;
                product->load_panels(product, panels.first, block.panel_count, first_k, k_count, panel_block,
                                     block.panel_stride);
            }
            range own_blocks = share(row_blocks, rounds, round);
            for (int64_t b = own_blocks.first; b < own_blocks.end; b++) {
                range own_tiles = share(tiles, row_blocks, b);
                int64_t first = gk_share(rows.end - rows.first, tiles, own_tiles.first);
                block.first_row = rows.first + first;
                block.row_count = gk_share(rows.end - rows.first, tiles, own_tiles.end) - first;
                block.tile_count = own_tiles.end - own_tiles.first;
                block.rows = row_block;
                product->load_rows(product, block.first_row, block.row_count, first_k, k_count, row_block);
                gk_multiply_block(product, &block);
            }
        }
    }
}

static void multiply_part(const gk_multiplication *product, range rows, range panels, void *scratch) {
    gk_word *row_block = scratch;
    gk_word *panel_block = (gk_word *)((char *)scratch + GK_ROW_BLOCK_BYTES);
    if (rows.first == rows.end || panels.first == panels.end)
        return;
    int64_t count = panels.end - panels.first;
    int64_t groups = product->stored_panels ? 1 : gk_divide_up(count, GK_BLOCK_PANELS);
    for (int64_t g = 0; g < groups; g++) {
        range group = share(count, groups, g);
        multiply_panels(product, rows, (range){panels.first + group.first, panels.first + group.end},
                        row_block, panel_block);
    }
}

void gk_multiply(const gk_team *team, const gk_multiplication *product) {
    int64_t panels = gk_divide_up(product->n, GK_PANEL);
    division parts = divide(product, team->thread_count);
    int64_t part_count = parts.rows * parts.columns;
    if (part_count == 1) {
        multiply_part(product, (range){0, product->m}, (range){0, panels}, gk_thread_scratch(team, 0));
        return;
    }
#pragma omp parallel num_threads((int)part_count)
    {
        /* The system may grant fewer threads than were asked for. */
        int thread = omp_get_thread_num();
        for (int64_t part = thread; part < part_count; part += omp_get_num_threads())
            multiply_part(product, share(product->m, parts.rows, part / parts.columns),
                          share(panels, parts.columns, part % parts.columns),
                          gk_thread_scratch(team, thread));
    }
}
