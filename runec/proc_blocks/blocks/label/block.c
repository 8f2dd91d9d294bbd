#include "rune_block.h"

#if !RUNE_HAS_ARG_FALLBACK
static int32_t out_of_bounds(uint32_t count, RUNE_IN0_T requested)
{
    rune_message message;
    message.length = 0;
    RUNE_MESSAGE_TEXT(&message, RUNE_STAGE ": index out of bounds: there are ");
    rune_message_u64(&message, count);
    RUNE_MESSAGE_TEXT(&message, " labels but label ");
    RUNE_MESSAGE_NUMBER(&message, requested);
    RUNE_MESSAGE_TEXT(&message, " was requested");
    RUNE_FAIL_MESSAGE(&message);
}
#endif

RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    const uint32_t count = RUNE_ARG_WORDLIST_COUNT;
    uint8_t *end = out0;
    for (uint32_t i = 0; i < RUNE_IN0_COUNT; i++) {
        /* Small integers are exact in f64, larger ones stay larger; a NaN fails both. */
        double index = (double)in0[i];
        if (index > -1.0 && index < count) {
            end = RUNE_ARG_WORDLIST_APPEND(end, 0, (uint32_t)index);
            if (end == NULL) {
                return RUNE_FAILED;
            }
        } else {
#if RUNE_HAS_ARG_FALLBACK
            end = rune_utf8_append(end, RUNE_ARG_FALLBACK_TEXT, RUNE_ARG_FALLBACK_LENGTH);
#else
            return out_of_bounds(count, in0[i]);
#endif
        }
    }
    return RUNE_OK;
}
