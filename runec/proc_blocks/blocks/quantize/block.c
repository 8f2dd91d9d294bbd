#include "rune_block.h"

#define WIDTH (8 * (uint32_t)sizeof(RUNE_OUT0_T))
#define IS_SIGNED ((RUNE_OUT0_T)-1 < (RUNE_OUT0_T)1)

/* Half away from zero. */
static float rounded(float x)
{
    float whole = __builtin_truncf(x);
    float rest = x - whole;
    return rest >= 0.5f ? whole + 1.0f : rest <= -0.5f ? whole - 1.0f : whole;
}

RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    const int64_t low = IS_SIGNED ? -(INT64_C(1) << (WIDTH - 1)) : 0;
    const int64_t high = low + (INT64_C(1) << WIDTH) - 1;
    for (uint32_t i = 0; i < RUNE_IN0_COUNT; i++) {
        /* Saturated to 32 bits: no sum of two of them leaves 64. A NaN becomes the zero point. */
        int64_t value = (int64_t)rune_i32_from_f32(rounded((float)in0[i] / RUNE_ARG_SCALE)) + RUNE_ARG_ZERO_POINT;
        out0[i] = (RUNE_OUT0_T)(value < low ? low : value > high ? high : value);
    }
    return RUNE_OK;
}
