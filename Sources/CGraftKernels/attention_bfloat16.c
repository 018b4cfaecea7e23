/** Attention whose inner products are bfloat16 instructions. */
#include "attention.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma"))),   \
                             apply_to = function)
#define GK_NAME(name) name##_avx512bf16
#define GK_WIDTH 16
#define GK_PAIRS 1
#include "vectors.inc"
#include "attention_kernels.inc"

void gk_attention_forward_avx512bf16(const gk_attention_inputs *inputs, const gk_attention_results *results,
                                     const gk_sequence *sequence, int64_t key_value_head, int64_t first_row,
                                     int64_t rows, void *scratch) {
    attention_forward_avx512bf16(inputs, results, sequence, key_value_head, first_row, rows, scratch);
}

void gk_attention_backward_avx512bf16(const gk_attention_inputs *inputs,
                                      const gk_attention_gradients *gradients, const gk_sequence *sequence,
                                      int64_t key_value_head, void *scratch) {
    attention_backward_avx512bf16(inputs, gradients, sequence, key_value_head, scratch);
}
#pragma clang attribute pop
#endif
