#include "rune_block.h"

RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_IN(1), RUNE_IN(2), RUNE_OUT(0))
{
    uint32_t length = rune_text_length(in0, RUNE_IN0_COUNT);
    if (rune_utf8_valid(in0, length) != length) {
        RUNE_FAIL("the words are not UTF-8");
    }
    uint8_t *text = out0 + 4;
    uint32_t written = 0;
    uint32_t line = 0;
    uint32_t at = 0;
    for (; at < length; line++) {
        uint32_t end = at;
        while (end < length && in0[end] != '\n') {
            end++;
        }
        if (line >= in1[0] && line <= in2[0]) {
            if (end - at >= 2 && in0[at] == '#' && in0[at + 1] == '#') {
                at += 2;
            } else if (line > in1[0]) {
                text[written++] = ' ';
            }
            while (at < end) {
                text[written++] = in0[at++];
            }
        }
        at = end + 1;
    }
    if (in1[0] > in2[0] || in2[0] >= line) {
        RUNE_FAIL("the indices are not those of words, or the first is above the last");
    }
    for (uint32_t shift = 0; shift < 32; shift += 8) {
        out0[shift / 8] = (uint8_t)(written >> shift);
    }
    return RUNE_OK;
}
