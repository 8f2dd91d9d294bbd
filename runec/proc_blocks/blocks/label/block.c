#include "rune_block.h"

#define IS_U32 _Generic((RUNE_IN0_T)0, uint32_t : true, default : false)

#if !RUNE_HAS_ARG_FALLBACK
static int32_t out_of_bounds(RUNE_IN0_T requested)
{
    rune_message message;
    message.length = 0;
    RUNE_MESSAGE_TEXT(&message, RUNE_STAGE ": index out of bounds: there are ");
    rune_message_u64(&message, RUNE_ARG_WORDLIST_COUNT);
    RUNE_MESSAGE_TEXT(&message, " labels but label ");
    RUNE_MESSAGE_NUMBER(&message, requested);
    RUNE_MESSAGE_TEXT(&message, " was requested");
    RUNE_FAIL_MESSAGE(&message);
}
#endif

RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    uint8_t *end = out0;
    for (uint32_t i = 0; i < RUNE_IN0_COUNT; i++) {
        /* Small integers are exact in f64, larger ones stay larger; a NaN fails both. */
        double index = (double)in0[i];
        uint8_t *next = end;
        if (IS_U32 && index == (double)RUNE_NO_INDEX) {
            end = rune_utf8_append(end, "", 0);
            continue;
        }
        if (index > -1.0 && index < (double)UINT32_MAX) {
            next = RUNE_ARG_WORDLIST_FIND(end, 0, (uint32_t)index);
        }
        if (next == NULL) {
            return RUNE_FAILED;
        }
        if (next == end) {
#if RUNE_HAS_ARG_FALLBACK
            next = rune_utf8_append(end, RUNE_ARG_FALLBACK_TEXT, RUNE_ARG_FALLBACK_LENGTH);
#else
            return out_of_bounds(in0[i]);
#endif
        }
        end = next;
    }
    return RUNE_OK;
}
