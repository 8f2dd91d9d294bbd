#include "rune_block.h"

#define COPY(n)                                    \
    if (!RUNE_OUT##n##_IN_PLACE) {                 \
        rune_copy(out##n, in##n, RUNE_IN##n##_SIZE); \
    }

RUNE_BLOCK_RUN(RUNE_ALL_TENSORS)
{
    RUNE_EACH_INPUT(COPY)
    return RUNE_OK;
}
