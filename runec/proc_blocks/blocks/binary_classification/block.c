#include "rune_block.h"

RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    out0[0] = in0[0] > (RUNE_IN0_T)RUNE_ARG_THRESHOLD;
    return RUNE_OK;
}
