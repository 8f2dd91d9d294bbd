#include "rune_block.h"

RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < RUNE_IN0_COUNT; i++) {
        if (RUNE_ABOVE(in0[i], in0[best])) {
            best = i;
        }
    }
    if (in0[best] > 0) {
        return RUNE_ARG_WORDLIST_APPEND(out0, 0, best) != NULL ? RUNE_OK : RUNE_FAILED;
    }
    (void)rune_utf8_append(out0, RUNE_ARG_FALLBACK_TEXT, RUNE_ARG_FALLBACK_LENGTH);
    return RUNE_OK;
}
