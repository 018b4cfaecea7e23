/** Elements in blocks: what the conversions of all types call. */
#ifndef GK_BLOCKS_H
#define GK_BLOCKS_H

#include "gk_internal.h"

/** Converts whole blocks of a type that has them. */
void gk_blocks_to_float32(int64_t count, const void *source, gk_type type, float *out);

#endif
