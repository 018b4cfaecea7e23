/** A whole product: divided among threads, and each thread's part into blocks that fit the
 *  caches. */
#include "products.h"
#include "executor.h"

const gk_product_path *gk_products(void) {
#if defined(__x86_64__)
    static const gk_product_path *const paths[] = {&gk_products_portable, &gk_products_avx2,
                                                   &gk_products_avx512, &gk_products_avx512bf16};
    return paths[gk_path()];
#else
    return &gk_products_portable;
#endif
}

/** `rows` groups of rows times `columns` groups of panels; a part is one of each. */
typedef struct division {
    int64_t rows, columns;
} division;

/** The division in about so many parts whose slowest thread is done first. */
static division divide(const gk_multiplication *product, int64_t threads, int64_t parts) {
    const double row_cost = product->a.is_transposed ? 0.4 : 0.15;
    division best = {1, 1};
    double least_cycles = 0;
    for (int64_t rows = 1; rows <= parts; rows++) {
        division candidate = {rows, parts / rows};
        double own_rows = (double)gk_divide_up(product->m, candidate.rows);
        double own_columns = (double)gk_divide_up(product->n, candidate.columns * GK_PANEL) * GK_PANEL;
        double cycles = own_rows * own_columns / 32 + own_rows * row_cost + own_columns * product->panel_cost;
        cycles *= (double)gk_divide_up(candidate.rows * candidate.columns, threads);
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

static void load_rows(const gk_multiplication *product, int64_t first_row, int64_t row_count, int64_t first_k,
                      int64_t k_count, gk_word *block) {
    const gk_operand *a = &product->a;
    int64_t distance = product->tile->row_distance;
    if (a->is_transposed)
        product->path->transpose(k_count, row_count,
                                 (const gk_word *)(a->data + first_k * a->stride + first_row), a->stride,
                                 block, distance);
    else
        product->tile->load_rows(row_count, k_count, a->data + first_row * a->stride + first_k, a->stride,
                                 block);
    if (a->factor != 1)
        for (int64_t i = 0; i < row_count; i++)
            product->path->scale(k_count, a->factor, (float *)(block + i * distance));
}

/** How the rows and the depth of one thread's part fall into blocks. */
typedef struct blocking {
    range rows;
    int64_t tiles, row_blocks;
    int64_t k, block_k, depth_blocks;
} blocking;

static blocking make_blocks(const gk_multiplication *product, range rows) {
    blocking blocks = {.rows = rows, .k = product->k};
    blocks.tiles = gk_divide_up(rows.end - rows.first, product->tile->rows);
    blocks.row_blocks = gk_divide_up(blocks.tiles, GK_BLOCK_ROWS / product->tile->rows);
    int64_t depth = gk_depth(product->type, product->k);
    blocks.depth_blocks = depth > 0 ? gk_divide_up(depth, GK_BLOCK_DEPTH) : 1;
    /* Whole panels, since the turned panels of a frozen weight come from whole stored ones. */
    blocks.block_k = gk_divide_up(gk_divide_up(depth, blocks.depth_blocks), GK_PANEL) * GK_PANEL *
                     gk_word_elements(product->type);
    return blocks;
}

/** Tiles of one row block. */
static range block_tiles(const blocking *blocks, int64_t index) {
    return share(blocks->tiles, blocks->row_blocks, index);
}

static range block_rows(const blocking *blocks, int64_t index) {
    range tiles = block_tiles(blocks, index);
    int64_t count = blocks->rows.end - blocks->rows.first;
    return (range){blocks->rows.first + gk_share(count, blocks->tiles, tiles.first),
                   blocks->rows.first + gk_share(count, blocks->tiles, tiles.end)};
}

static range block_depth(const blocking *blocks, int64_t index) {
    int64_t first = gk_minimum(blocks->block_k * index, blocks->k);
    return (range){first, gk_minimum(first + blocks->block_k, blocks->k)};
}

/** Multiplies one row block by panels of one depth block; `next` and `next_k` are what comes
 *  then. */
static void multiply_row_block(const gk_multiplication *product, const blocking *blocks, int64_t index,
                               range k, int64_t next, range next_k, gk_word *row_block, gk_block *block) {
    range rows = block_rows(blocks, index), tiles = block_tiles(blocks, index);
    block->rows = row_block;
    block->first_row = rows.first;
    block->row_count = rows.end - rows.first;
    block->tile_count = tiles.end - tiles.first;
    block->next_count = 0;
    if (next < blocks->row_blocks && !product->a.is_transposed) {
        range next_rows = block_rows(blocks, next);
        block->next = product->a.data + next_rows.first * product->a.stride + next_k.first;
        block->next_stride = product->a.stride;
        block->next_count = next_rows.end - next_rows.first;
        block->next_width = next_k.end - next_k.first;
    }
    load_rows(product, rows.first, block->row_count, k.first, k.end - k.first, row_block);
    gk_multiply_block(product, block);
}

/** Stored panels: a row block is done along all of k before the next one, while its part of c is
 *  near. */
static void multiply_stored(const gk_multiplication *product, range rows, range panels, gk_word *row_block) {
    blocking blocks = make_blocks(product, rows);
    /* One row uses each word of a panel once: whole panels, one after the other, are how memory is
     * read fastest. */
    if (rows.end - rows.first == 1 && product->k <= GK_ROW_BLOCK_BYTES / 8) {
        blocks.depth_blocks = 1;
        blocks.block_k = product->k;
    }
    int64_t panel_stride = gk_depth(product->type, product->k) * GK_PANEL;
    for (int64_t r = 0; r < blocks.row_blocks; r++)
        for (int64_t d = 0; d < blocks.depth_blocks; d++) {
            range k = block_depth(&blocks, d);
            bool is_last = d == blocks.depth_blocks - 1;
            gk_block block = {.first_panel = panels.first,
                              .panel_count = panels.end - panels.first,
                              .panel_stride = panel_stride,
                              .depth = gk_depth(product->type, k.end - k.first),
                              .is_first = d == 0,
                              .is_last = is_last};
            block.panels = (const gk_word *)product->b + panels.first * panel_stride +
                           gk_depth(product->type, k.first) * GK_PANEL;
            multiply_row_block(product, &blocks, r, k, is_last ? r + 1 : r,
                               block_depth(&blocks, is_last ? 0 : d + 1), row_block, &block);
        }
}

/** Copied panels: they serve all row blocks before the next ones are copied. */
static void multiply_copied(const gk_multiplication *product, range rows, range panels, gk_word *row_block,
                            gk_word *panel_block) {
    blocking blocks = make_blocks(product, rows);
    for (int64_t d = 0; d < blocks.depth_blocks; d++) {
        range k = block_depth(&blocks, d);
        gk_block block = {.panels = panel_block,
                          .first_panel = panels.first,
                          .panel_count = panels.end - panels.first,
                          .depth = gk_depth(product->type, k.end - k.first),
                          .is_first = d == 0,
                          .is_last = d == blocks.depth_blocks - 1};
        block.panel_stride = block.depth * GK_PANEL + GK_PADDING;
        product->load_panels(product, panels.first, block.panel_count, k.first, k.end - k.first, panel_block,
                             block.panel_stride);
        for (int64_t r = 0; r < blocks.row_blocks; r++)
            multiply_row_block(product, &blocks, r, k, r + 1, k, row_block, &block);
    }
}

static void multiply_part(const gk_multiplication *product, range rows, range panels, void *scratch) {
    gk_word *row_block = scratch;
    gk_word *panel_block = (gk_word *)((char *)scratch + GK_ROW_BLOCK_BYTES);
    if (rows.first == rows.end || panels.first == panels.end)
        return;
    if (!product->load_panels) {
        multiply_stored(product, rows, panels, row_block);
        return;
    }
    int64_t count = panels.end - panels.first;
    int64_t groups = gk_divide_up(count, GK_BLOCK_PANELS);
    for (int64_t g = 0; g < groups; g++) {
        range group = share(count, groups, g);
        multiply_copied(product, rows, (range){panels.first + group.first, panels.first + group.end},
                        row_block, panel_block);
    }
}

void gk_multiply(const gk_team *team, const gk_multiplication *product) {
    /* Less is not worth a thread; and more is worth parts of its own, up to some for each
     * thread. */
    const double least_operations = 1 << 16, part_operations = 1 << 21;
    double work = (double)product->m * (double)product->n * (double)product->k;
    int32_t threads = gk_threads(team, (int64_t)(work / least_operations));
    /* Few rows wait for memory. */
    const int64_t least_rows = 6;
    if (product->m < least_rows)
        work *= (double)least_rows / (double)product->m;
    int64_t panels = gk_divide_up(product->n, GK_PANEL), most = gk_parts_for(threads), wanted = threads;
    while (wanted < most && work > (double)(2 * wanted) * part_operations)
        wanted *= 2;
    division parts = divide(product, threads, wanted);
    gk_run(team, threads, parts.rows * parts.columns, ^(int64_t part, int32_t seat) {
      multiply_part(product, share(product->m, parts.rows, part / parts.columns),
                    share(panels, parts.columns, part % parts.columns), gk_thread_scratch(team, seat));
    });
}
