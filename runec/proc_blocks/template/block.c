#include "rune_block.h"

RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    for (uint32_t i = 0; i < RUNE_IN0_COUNT; i++) {
        out0[i] = rune_canonical_f32(in0[i] * RUNE_ARG_FACTOR);
    }
    return RUNE_OK;
}
