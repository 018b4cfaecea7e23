/** Attention: how its work is divided among threads. What a thread does is in
 *  attention_kernels.inc. */
#include "attention.h"
#include "ranges.h"

#define GK_PAIRS 0
#define GK_KERNELS "attention_kernels.inc"
#include "each_path.inc"

static bool uses_pairs(const gk_attention *attention) {
    return attention->precision == GK_BFLOAT16 && gk_path() == GK_PATH_AVX512_BF16;
}

static void forward(const gk_attention_inputs *inputs, const gk_attention_results *results,
                    const gk_sequence *sequence, int64_t key_value_head, int64_t first_row, int64_t rows,
                    void *scratch) {
#if defined(__x86_64__)
    if (uses_pairs(inputs->attention)) {
        gk_attention_forward_avx512bf16(inputs, results, sequence, key_value_head, first_row, rows, scratch);
        return;
    }
#endif
    GK_ON_PATH(attention_forward)(inputs, results, sequence, key_value_head, first_row, rows, scratch);
}

static void backward(const gk_attention_inputs *inputs, const gk_attention_gradients *gradients,
                     const gk_sequence *sequence, int64_t key_value_head, void *scratch) {
#if defined(__x86_64__)
    if (uses_pairs(inputs->attention)) {
        gk_attention_backward_avx512bf16(inputs, gradients, sequence, key_value_head, scratch);
        return;
    }
#endif
    GK_ON_PATH(attention_backward)(inputs, gradients, sequence, key_value_head, scratch);
}

/** As many threads as the work is worth, in the measure of a plain loop. */
static int32_t threads_for(const gk_team *team, const gk_attention *attention) {
    int64_t scores = 0;
    for (int64_t i = 0; i < attention->sequence_count; i++)
        scores += attention->sequences[i].query_count * (attention->sequences[i].key_count + 8);
    int64_t elements = scores * attention->head_count * (attention->head_width + 16) / 16;
    return gk_threads(team, elements / GK_ELEMENTS_PER_THREAD);
}

/**
 * Into how many parts the rows of a key/value head are cut: enough to fit in scratch, and for every
 * thread to have some where there are fewer heads than threads could share evenly. Cutting costs
 * packing the keys once more.
 */
static int64_t parts_of_head(int32_t threads, const gk_attention *attention, int64_t longest) {
    int64_t items = attention->sequence_count * attention->key_value_head_count;
    int64_t parts = (longest + GK_FORWARD_ROWS - 1) / GK_FORWARD_ROWS;
    bool even = items >= 4 * threads || items % threads == 0;
    int64_t wanted = even ? 1 : (4 * threads + items - 1) / items;
    return parts < wanted ? wanted : parts;
}

static int64_t longest_rows(const gk_attention *attention) {
    int64_t longest = 0;
    for (int64_t i = 0; i < attention->sequence_count; i++)
        if (attention->sequences[i].query_count > longest)
            longest = attention->sequences[i].query_count;
    return longest * gk_attention_group(attention);
}

void gk_attention_forward(const gk_team *team, const gk_attention *attention, const float *q, int64_t ldq,
                          const float *k, int64_t ldk, const float *v, int64_t ldv, float *out, int64_t ldo,
                          float *log_sum) {
    if (attention->sequence_count == 0 || attention->head_count == 0)
        return;
    const gk_attention_inputs inputs = {attention, q, k, v, ldq, ldk, ldv};
    const gk_attention_results results = {out, ldo, log_sum};
    const int64_t heads = attention->key_value_head_count, group = gk_attention_group(attention);
    const int32_t threads = threads_for(team, attention);
    const int64_t longest = longest_rows(attention), parts = parts_of_head(threads, attention, longest);
    const int64_t smallest = 28, share = parts > 0 ? (longest + parts - 1) / parts : 0;
    const int64_t part_rows = share < smallest ? smallest : share;
    const int64_t items = attention->sequence_count * heads * parts;
    gk_run(team, threads, items, ^(int64_t item, int32_t seat) {
      const gk_sequence *sequence = &attention->sequences[item / parts / heads];
      int64_t row = item % parts * part_rows, left = group * sequence->query_count - row;
      if (left > 0)
          forward(&inputs, &results, sequence, item / parts % heads, row, left < part_rows ? left : part_rows,
                  gk_thread_scratch(team, seat));
    });
}

void gk_attention_backward(const gk_team *team, const gk_attention *attention, const float *q, int64_t ldq,
                           const float *k, int64_t ldk, const float *v, int64_t ldv, const float *out,
                           int64_t ldo, const float *log_sum, const float *dout, int64_t lddo, float *dq,
                           int64_t lddq, float *dk, int64_t lddk, float *dv, int64_t lddv) {
    const gk_attention_inputs inputs = {attention, q, k, v, ldq, ldk, ldv};
    const gk_attention_gradients gradients = {out, log_sum, dout, dq, dk, dv, ldo, lddo, lddq, lddk, lddv};
    const int64_t heads = attention->key_value_head_count, items = attention->sequence_count * heads;
    gk_run(team, threads_for(team, attention), items, ^(int64_t item, int32_t seat) {
      backward(&inputs, &gradients, &attention->sequences[item / heads], item % heads,
               gk_thread_scratch(team, seat));
    });
}
