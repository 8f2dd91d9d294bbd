#include "rune_block.h"

RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    /* A NaN fails both comparisons, so it does not take part in the range. */
    float low = RUNE_INFINITY_F32;
    float high = -RUNE_INFINITY_F32;
    for (uint32_t i = 0; i < RUNE_IN0_COUNT; i++) {
        float x = (float)in0[i];
        low = x < low ? x : low;
        high = x > high ? x : high;
    }

    float range = high - low;
    for (uint32_t i = 0; i < RUNE_IN0_COUNT; i++) {
        float x = (float)in0[i];
        float scaled = low == high ? 0.0f : (x - low) / range;
        out0[i] = x != x ? RUNE_NAN_F32 : rune_canonical_f32(scaled);
    }
    return RUNE_OK;
}
