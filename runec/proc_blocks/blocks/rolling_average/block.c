#include "rune_block.h"

/* Outlives a run: see README.md. */
static double average[RUNE_IN0_COUNT];
static uint32_t runs;

RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    runs += runs < UINT32_MAX;
    for (uint32_t i = 0; i < RUNE_IN0_COUNT; i++) {
        average[i] = average[i] * (((double)runs - 1) / runs) + (double)in0[i] / runs;
        out0[i] = RUNE_CANONICAL((RUNE_OUT0_T)average[i]);
    }
    return RUNE_OK;
}
