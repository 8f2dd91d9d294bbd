#include "rune_block.h"

#define CLASSES RUNE_OUT1_COUNT
#define NOT_SEEN UINT32_MAX

RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0), RUNE_OUT(1))
{
    for (uint32_t i = 0; i < CLASSES; i++) {
        out1[i] = NOT_SEEN;
    }
    for (uint32_t i = 0; i < RUNE_OUT0_COUNT; i++) {
        const RUNE_IN0_T *scores = in0 + i * CLASSES;
        uint32_t best = 0;
        for (uint32_t j = 1; j < CLASSES; j++) {
            if (RUNE_ABOVE(scores[j], scores[best])) {
                best = j;
            }
        }
        out0[i] = best;
        out1[best] = best;
    }
    uint32_t seen = 0;
    for (uint32_t i = 0; i < CLASSES; i++) {
        uint32_t class = out1[i];
        out1[i] = NOT_SEEN;
        if (class != NOT_SEEN) {
            out1[seen++] = class;
        }
    }
    return RUNE_OK;
}
