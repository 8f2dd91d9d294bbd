#include "rune_block.h"

RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    uint32_t length = rune_text_length(in0, RUNE_IN0_COUNT);
    uint32_t valid = rune_utf8_valid(in0, length);
    if (valid != length) {
        rune_message message;
        message.length = 0;
        RUNE_MESSAGE_TEXT(&message, RUNE_STAGE ": the bytes are not UTF-8 from byte ");
        rune_message_u64(&message, valid);
        RUNE_MESSAGE_TEXT(&message, " on");
        RUNE_FAIL_MESSAGE(&message);
    }
    (void)rune_utf8_append(out0, (const char *)in0, length);
    return RUNE_OK;
}
