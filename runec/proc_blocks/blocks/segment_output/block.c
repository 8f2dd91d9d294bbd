#include "rune_block.h"

#define CLASSES (RUNE_IN0_COUNT / RUNE_OUT0_COUNT)

RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0), RUNE_OUT(1))
{
    static uint8_t seen[(CLASSES + 7) / 8];
    for (uint32_t i = 0; i < sizeof seen; i++) {
        seen[i] = 0;
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
        seen[best / 8] = (uint8_t)(seen[best / 8] | 1u << best % 8);
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < CLASSES && count < RUNE_OUT1_COUNT; i++) {
        if ((seen[i / 8] >> i % 8 & 1) != 0) {
            out1[count++] = i;
        }
    }
    while (count < RUNE_OUT1_COUNT) {
        out1[count++] = RUNE_NO_INDEX;
    }
    return RUNE_OK;
}
