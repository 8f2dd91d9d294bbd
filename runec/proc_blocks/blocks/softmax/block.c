#include "rune_math.h"

RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    double largest = (double)in0[0];
    for (uint32_t i = 1; i < RUNE_IN0_COUNT; i++) {
        double x = (double)in0[i];
        largest = x > largest ? x : largest;
    }
    double sum = 0.0;
    for (uint32_t i = 0; i < RUNE_IN0_COUNT; i++) {
        double power = rune_exp((double)in0[i] - largest);
        out0[i] = (RUNE_OUT0_T)power;
        sum += power;
    }
    for (uint32_t i = 0; i < RUNE_OUT0_COUNT; i++) {
        double share = (double)out0[i] / sum;
        out0[i] = RUNE_CANONICAL((RUNE_OUT0_T)share);
    }
    return RUNE_OK;
}
