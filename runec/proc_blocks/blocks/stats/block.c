#include "rune_math.h"

RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0), RUNE_OUT(1))
{
    double sum = 0.0;
    for (uint32_t i = 0; i < RUNE_IN0_COUNT; i++) {
        sum += (double)in0[i];
    }
    double mean = sum / RUNE_IN0_COUNT;
    double squares = 0.0;
    for (uint32_t i = 0; i < RUNE_IN0_COUNT; i++) {
        double distance = (double)in0[i] - mean;
        squares += distance * distance;
    }
    out0[0] = rune_canonical_f32((float)mean);
    out1[0] = rune_canonical_f32((float)rune_sqrt(squares / (RUNE_IN0_COUNT - 1)));
    return RUNE_OK;
}
