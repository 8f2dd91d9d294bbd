/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a bare-metal C environment that is the same on every chip. */
#include "board_runtime.h"

#include <stdlib.h>

#include "console.h"
#include "firmware.h"
#include "runevm_hal.h"

enum { STACK_PATTERN = 0xA5, STACK_SLACK = 128 };

#define STACK_PATTERN_WORD (STACK_PATTERN * 0x01010101u)

void runec_init_memory(void)
{
    /* By words and volatile, or the compiler would call memcpy() before .data is there. */
    volatile uint32_t *to = runec_data_start;
    const uint32_t *from = runec_data_load;
    while (to < runec_data_end) *to++ = *from++;
    for (to = runec_bss_start; to < runec_bss_end; to++) *to = 0;
}

static void paint_stack(void)
{
    const uint8_t *here = (const uint8_t *)__builtin_frame_address(0) - STACK_SLACK;
    /* The bottom is at a multiple of 4. */
    for (volatile uint32_t *at = (volatile uint32_t *)(void *)runec_stack_bottom; (const uint8_t *)(at + 1) <= here;
         at++) {
        *at = STACK_PATTERN_WORD;
    }
}

static uint32_t stack_used_bytes(void *user)
{
    const uint8_t *at = runec_stack_bottom;
    (void)user;
    while (at < runec_stack_top && *at == STACK_PATTERN) at++;
    return (uint32_t)(runec_stack_top - at);
}

int main(void)
{
    const runec_stack stack = {runec_stack_bottom, stack_used_bytes};
    paint_stack();
    runec_firmware_start(stack);
    for (;;) runec_firmware_serve();
}

void runec_fault(const char *what)
{
    runec_console_last_words("\r\nrunec: ");
    runec_console_last_words(what);
    runec_console_last_words(", restarting\r\n");
    runevm_hal_reset();
}

/* The C library's own would pull in its files, signals and process ids. */
void abort(void)
{
    runec_fault("abort");
}
