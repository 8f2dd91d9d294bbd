#include "rune_aggregate.h"

RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    return rune_aggregate(in0, out0);
}
