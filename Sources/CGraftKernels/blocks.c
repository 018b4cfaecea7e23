/** Quantised elements in blocks, as llama.cpp's files have them, to float32 on the chosen path. */
#include "blocks.h"
#include "half.h"
#include <math.h>

/** Converts one block. */
typedef void (*block_kernel)(const uint8_t *block, float *out);

/** A float16, two bytes anywhere. */
static inline float half_at(const uint8_t *bytes) {
    return gk_float16_value((uint16_t)(bytes[0] | bytes[1] << 8));
}

#define GK_KERNELS "blocks_kernels.inc"
#include "each_path.inc"

/** From GK_Q4_0 on. */
static const struct {
    int16_t elements, bytes;
} shapes[] = {{32, 18},   {32, 20},   {32, 22},   {32, 24},   {32, 34}, {256, 84},
              {256, 110}, {256, 144}, {256, 176}, {256, 210}, {32, 18}, {32, 17}};

int64_t gk_row_size(gk_type type, int64_t count) {
    if (type < GK_Q4_0)
        return count * gk_element_size(type);
    return count / shapes[type - GK_Q4_0].elements * shapes[type - GK_Q4_0].bytes;
}

void gk_blocks_to_float32(int64_t count, const void *source, gk_type type, float *out) {
    const uint8_t *block = source;
    block_kernel kernel = GK_ON_PATH(block_kernels)[type - GK_Q4_0];
    int64_t elements = shapes[type - GK_Q4_0].elements, bytes = shapes[type - GK_Q4_0].bytes;
    for (int64_t i = 0; i < count; i += elements, block += bytes)
        kernel(block, out + i);
}

/** Elements and bytes of a block of GK_Q8_0. */
enum { Q8_0_ELEMENTS = 32, Q8_0_BYTES = 34 };

void gk_to_q8_0(int64_t count, const float *source, void *out) {
    uint8_t *block = out;
    for (int64_t i = 0; i < count; i += Q8_0_ELEMENTS, block += Q8_0_BYTES) {
        float largest = 0;
        for (int j = 0; j < Q8_0_ELEMENTS; j++)
            largest = fmaxf(largest, fabsf(source[i + j]));
        float d = largest / 127;
        // The inverse of the smallest scales is infinite, and what they stand for is 0 in float16.
        float inverse = d > 0 && isfinite(1 / d) ? 1 / d : 0;
        uint16_t half = gk_float16_bits(d);
        block[0] = (uint8_t)half;
        block[1] = (uint8_t)(half >> 8);
        for (int j = 0; j < Q8_0_ELEMENTS; j++)
            block[2 + j] = (uint8_t)(int8_t)roundf(source[i + j] * inverse);
    }
}
