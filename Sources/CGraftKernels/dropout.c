/**
 * Counter-based dropout.
 *
 * Element e of a site is decided by half e % 8 of the Philox counter {low 32 bits of e / 8, high 32
 * bits, 0, site}. Attention decides for query i and key j of head `head` of a sequence by half j %
 * 8 of {j / 8, i, head | identity << 16, site}. Both keep where the half is at least round(65536 ·
 * probability).
 */
#include "dropout_threshold.h"
#include "ranges.h"
#include <string.h>

#define GK_KERNELS "dropout_kernels.inc"
#include "each_path.inc"

void gk_philox(uint64_t key, const uint32_t counter[4], uint32_t out[4]) {
    uint32_t key0 = (uint32_t)key, key1 = (uint32_t)(key >> 32);
    uint32_t x0 = counter[0], x1 = counter[1], x2 = counter[2], x3 = counter[3];
    for (int round = 0; round < 10; round++) {
        uint64_t product0 = (uint64_t)x0 * 0xD2511F53, product1 = (uint64_t)x2 * 0xCD9E8D57;
        x0 = (uint32_t)(product1 >> 32) ^ x1 ^ key0;
        x1 = (uint32_t)product1;
        x2 = (uint32_t)(product0 >> 32) ^ x3 ^ key1;
        x3 = (uint32_t)product0;
        key0 += 0x9E3779B9;
        key1 += 0xBB67AE85;
    }
    out[0] = x0;
    out[1] = x1;
    out[2] = x2;
    out[3] = x3;
}

void gk_apply_dropout(const gk_team *team, const gk_dropout *dropout, int64_t count, const float *x,
                      float *y) {
    if (!gk_drops(dropout)) {
        if (x != y && count > 0)
            memcpy(y, x, (size_t)count * sizeof *y);
        return;
    }
    gk_for_ranges(team, count, count, 64, ^(gk_range range) {
      GK_ON_PATH(apply_dropout)(dropout, range.begin, range.end, x, y);
    });
}
