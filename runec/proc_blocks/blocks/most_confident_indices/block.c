#include "rune_block.h"

/* Insertion into a list as long as the output: no memory besides it, and equal values stay in
 * their order because a newcomer passes only what it is strictly above. */
RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < RUNE_IN0_COUNT; i++) {
        uint32_t place = found;
        while (place > 0 && RUNE_ABOVE(in0[i], in0[out0[place - 1]])) {
            place--;
            if (place + 1 < RUNE_OUT0_COUNT) {
                out0[place + 1] = out0[place];
            }
        }
        if (place < RUNE_OUT0_COUNT) {
            out0[place] = i;
        }
        if (found < RUNE_OUT0_COUNT) {
            found++;
        }
    }
    return RUNE_OK;
}
