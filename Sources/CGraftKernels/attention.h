/** What the parts of attention share: the arguments of a call, the blocks it works in, who sees
 *  which keys. */
#ifndef GK_ATTENTION_H
#define GK_ATTENTION_H

#include "dropout_threshold.h"
#include "gk_internal.h"
#include <string.h>

enum {
    GK_KEY_BLOCK = 256,       /**< Keys packed together; the softmax streams over these blocks. */
    GK_FORWARD_ROWS = 512,    /**< Most rows that share packed keys forward. */
    GK_BACKWARD_ROWS = 56,    /**< Rows whose probabilities exist at a time backward. */
    GK_TILE_STRIDE = 256 + 16 /**< Units between rows of a tile: a width or a key block, and
                                 a cache line, so that rows share no cache sets. */
};

typedef struct gk_attention_inputs {
    const gk_attention *attention;
    const float *q, *k, *v;
    int64_t ldq, ldk, ldv;
} gk_attention_inputs;

typedef struct gk_attention_results {
    float *out;
    int64_t ldo;
    float *log_sum; /**< Base 2, of the scaled scores. */
} gk_attention_results;

typedef struct gk_attention_gradients {
    const float *out, *log_sum, *dout;
    float *dq, *dk, *dv;
    int64_t ldo, lddo, lddq, lddk, lddv;
} gk_attention_gradients;

/**
 * Rows are numbered over the heads that share a key/value head, head by head, so that grouped heads
 * fill tiles even where a sequence has one query.
 */
typedef struct gk_attention_row {
    int64_t head, query; /**< Head of the model, query within the sequence. */
    int64_t visible;     /**< Keys it sees: the first so many, */
    int64_t hidden;      /**< but not the first so many of these, which a window leaves behind. */
} gk_attention_row;

static inline int64_t gk_attention_group(const gk_attention *attention) {
    return attention->head_count / attention->key_value_head_count;
}

/** n within 0 … most. */
static inline int64_t gk_clamped(int64_t n, int64_t most) {
    return n < 0 ? 0 : n < most ? n : most;
}

/** Keys that a query of a sequence sees. */
static inline int64_t gk_attention_keys_of(const gk_attention *attention, const gk_sequence *sequence,
                                           int64_t query) {
    if (!attention->causal && attention->window == 0)
        return sequence->key_count;
    int64_t later = attention->causal ? 1 : attention->window;
    return gk_clamped(sequence->query_position + query + later, sequence->key_count);
}

/** Keys before the window of a query that sees `visible`. */
static inline int64_t gk_attention_hidden(const gk_attention *attention, const gk_sequence *sequence,
                                          int64_t query, int64_t visible) {
    if (attention->window == 0)
        return 0;
    return gk_clamped(sequence->query_position + query + 1 - attention->window, visible);
}

/** Rows [first, first + count) of one key/value head. */
static inline void gk_attention_rows(const gk_attention *attention, const gk_sequence *sequence,
                                     int64_t key_value_head, int64_t first, int64_t count,
                                     gk_attention_row *rows) {
    if (count == 0)
        return;
    int64_t head = key_value_head * gk_attention_group(attention) + first / sequence->query_count;
    int64_t query = first % sequence->query_count;
    for (int64_t r = 0; r < count; r++) {
        int64_t visible = gk_attention_keys_of(attention, sequence, query);
        rows[r] = (gk_attention_row){head, query, visible,
                                     gk_attention_hidden(attention, sequence, query, visible)};
        if (++query == sequence->query_count) {
            query = 0;
            head++;
        }
    }
}

/** Most keys that one of the rows [first, last) sees. */
static inline int64_t gk_attention_visible(const gk_attention *attention, const gk_sequence *sequence,
                                           int64_t first, int64_t last) {
    /* The last query of a head sees most; a range that crosses into the next head contains one. */
    int64_t count = sequence->query_count;
    int64_t query = first / count != (last - 1) / count ? count - 1 : (last - 1) % count;
    return gk_attention_keys_of(attention, sequence, query);
}

/** Rows [first_row, first_row + rows) of one key/value head, at most GK_FORWARD_ROWS, with bfloat16
 * instructions. */
void gk_attention_forward_avx512bf16(const gk_attention_inputs *inputs, const gk_attention_results *results,
                                     const gk_sequence *sequence, int64_t key_value_head, int64_t first_row,
                                     int64_t rows, void *scratch);
/** One key/value head of a sequence, with bfloat16 instructions. */
void gk_attention_backward_avx512bf16(const gk_attention_inputs *inputs,
                                      const gk_attention_gradients *gradients, const gk_sequence *sequence,
                                      int64_t key_value_head, void *scratch);

/** Takes bytes from scratch, in whole cache lines. */
static inline void *gk_take(char **scratch, int64_t bytes) {
    void *taken = *scratch;
    *scratch += (bytes + 63) / 64 * 64;
    return taken;
}

#endif
