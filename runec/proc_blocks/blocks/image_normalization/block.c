#include "rune_block.h"

#define IS_SIGNED ((RUNE_IN0_T)-1 < 0)
#define BITS (8 * (uint32_t)sizeof(RUNE_IN0_T))

RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    /* The distance from the type's smallest value, which is 0 or a signed type's top bit. */
    const uint64_t widest = ~UINT64_C(0) >> (64 - BITS);
    const uint64_t zero = IS_SIGNED ? UINT64_C(1) << (BITS - 1) : 0;
    for (uint32_t i = 0; i < RUNE_IN0_COUNT; i++) {
        uint64_t distance = ((uint64_t)in0[i] + zero) & widest;
        /* Up to 16 bits are exact in an f32, whose division is quicker on small machines. */
        out0[i] = BITS <= 16 ? (float)(uint32_t)distance / (float)(uint32_t)widest
                             : (float)((double)distance / (double)widest);
    }
    return RUNE_OK;
}
