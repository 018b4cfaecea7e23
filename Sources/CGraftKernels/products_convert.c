/** Conversions between element types, on the chosen path. */
#include "products.h"
#include <string.h>

void gk_to_float32(int64_t count, const void *source, gk_type type, float *out) {
    gk_products()->to_float32(count, source, type, out);
}

/** Elements looked at together. */
enum { CHUNK = 1024 };

/** Whether the exponent has all its bits. */
static bool is_not_finite(float x) {
    uint32_t bits;
    memcpy(&bits, &x, 4);
    return (bits & 0x7f800000) == 0x7f800000;
}

int64_t gk_first_not_finite(int64_t count, const float *x) {
    for (int64_t start = 0; start < count; start += CHUNK) {
        int64_t end = start + CHUNK < count ? start + CHUNK : count;
        unsigned found = 0;
        for (int64_t i = start; i < end; i++)
            found |= is_not_finite(x[i]);
        for (int64_t i = start; found && i < end; i++)
            if (is_not_finite(x[i]))
                return i;
    }
    return -1;
}

void gk_from_float32(int64_t count, const float *source, gk_type type, void *out) {
    gk_products()->from_float32(count, source, type, out);
}
