/** Conversions between element types, on the chosen path. */
#include "products.h"

void gk_to_float32(int64_t count, const void *source, gk_type type, float *out) {
    gk_products()->to_float32(count, source, type, out);
}

void gk_from_float32(int64_t count, const float *source, gk_type type, void *out) {
    gk_products()->from_float32(count, source, type, out);
}
