#include "rune_block.h"

RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    for (uint32_t i = 0; i < RUNE_IN0_COUNT; i++) {
        float scaled = (float)in0[i] / 32767.0f;
        out0[i] = scaled < -1.0f ? -1.0f : scaled;
    }
    return RUNE_OK;
}
