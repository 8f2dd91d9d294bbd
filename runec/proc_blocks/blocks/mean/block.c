#include "rune_block.h"

RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    double sum = 0.0;
    for (uint32_t i = 0; i < RUNE_IN0_COUNT; i++) {
        sum += (double)in0[i];
    }
    out0[0] = rune_canonical_f32((float)(sum / RUNE_IN0_COUNT));
    return RUNE_OK;
}
