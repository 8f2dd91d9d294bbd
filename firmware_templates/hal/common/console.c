/* SPDX-License-Identifier: Apache-2.0 */
#include "console.h"

#include <string.h>

#include "runevm_hal.h"

#ifdef HAL_LINK_RTT

#include "runevm_rtt.h"

/* The name is the one that debuggers look for. */
static runevm_rtt rtt __asm__("_SEGGER_RTT") __attribute__((used, aligned(4)));
static uint8_t up[RUNEVM_RTT_UP_BYTES] __attribute__((aligned(4)));
static uint8_t down[RUNEVM_RTT_DOWN_BYTES] __attribute__((aligned(4)));
static int is_read;

enum { LAST_WORDS_POLLS = 4000000 };

void runec_console_init(void)
{
    runevm_rtt_init(&rtt, up, sizeof up, down, sizeof down);
    is_read = 1;
}

int runec_console_read(void)
{
    return runevm_rtt_read(&rtt);
}

void runec_console_write(const uint8_t *bytes, size_t length)
{
    uint32_t since = runevm_hal_milliseconds();
    while (length > 0) {
        const size_t taken = runevm_rtt_write(&rtt, bytes, length);
        bytes += taken;
        length -= taken;
        if (taken > 0) {
            since = runevm_hal_milliseconds();
            is_read = 1;
        } else if (!is_read || runevm_hal_milliseconds() - since >= RUNEVM_RTT_WAIT_MS) {
            is_read = 0; /* from now on nothing waits, until there is room again */
            return;
        }
    }
}

void runec_console_say(const char *text)
{
    runevm_hal_write((const uint8_t *)text, strlen(text));
    runec_console_write((const uint8_t *)text, strlen(text));
}

void runec_console_last_words(const char *text)
{
    /* The clock may stand still where this is called from. */
    is_read = 0;
    runec_console_say(text);
    for (uint32_t polls = 0; polls < LAST_WORDS_POLLS && !runevm_rtt_drained(&rtt); polls++) { }
}

#else

void runec_console_init(void)
{
}

int runec_console_read(void)
{
    return runevm_hal_read();
}

void runec_console_write(const uint8_t *bytes, size_t length)
{
    runevm_hal_write(bytes, length);
}

void runec_console_say(const char *text)
{
    runevm_hal_write((const uint8_t *)text, strlen(text));
}

void runec_console_last_words(const char *text)
{
    runec_console_say(text);
}

#endif
