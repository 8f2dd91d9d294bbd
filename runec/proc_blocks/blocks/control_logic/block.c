#include "rune_block.h"

RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_IN(1), RUNE_OUT(0))
{
    out0[0] = in0[0] == RUNE_ARG_EXPECTED ? in1[0] : RUNE_ARG_OTHERWISE;
    return RUNE_OK;
}
