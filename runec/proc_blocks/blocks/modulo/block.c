#include "rune_block.h"

RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    for (uint32_t i = 0; i < RUNE_IN0_COUNT; i++) {
        float remainder = rune_remainder_f32((float)in0[i], RUNE_ARG_MODULUS);
        out0[i] = RUNE_FROM_F32(RUNE_OUT0_T, remainder);
    }
    return RUNE_OK;
}
