/** What a dropout probability becomes: a threshold on 16 random bits, and the factor of what is
 *  kept. */
#ifndef GK_DROPOUT_THRESHOLD_H
#define GK_DROPOUT_THRESHOLD_H

#include "graft_kernels.h"

/** probability · 65536, rounded, below 65536: a decision keeps its element when 16 random bits are
 *  at least this. */
static inline uint16_t gk_dropout_threshold(float probability) {
    int32_t threshold = (int32_t)(probability * 65536.0f + 0.5f);
    return (uint16_t)(threshold < 0 ? 0 : threshold > 65535 ? 65535 : threshold);
}

/** The inverse of the exact chance to be kept. */
static inline float gk_dropout_scale(uint16_t threshold) {
    return 65536.0f / (float)(65536 - threshold);
}

/** Whether a dropout, which may be NULL, drops anything. */
static inline bool gk_drops(const gk_dropout *dropout) {
    return dropout && gk_dropout_threshold(dropout->probability) > 0;
}

#endif
