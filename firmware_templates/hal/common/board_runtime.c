/* The part of a bare-metal C environment that is the same on every chip. */
#include "board_runtime.h"

#include <stdlib.h>
#include <string.h>

#include "runevm_hal.h"

void runec_init_memory(void)
{
    /* By words and volatile, or the compiler would call memcpy() before .data is there. */
    volatile uint32_t *to = runec_data_start;
    const uint32_t *from = runec_data_load;
    while (to < runec_data_end) *to++ = *from++;
    for (to = runec_bss_start; to < runec_bss_end; to++) *to = 0;
}

static void say(const char *text)
{
    runevm_hal_write((const uint8_t *)text, strlen(text));
}

void runec_fault(const char *what)
{
    say("\r\nrunec: ");
    say(what);
    say(", restarting\r\n");
    runevm_hal_reset();
}

/* The C library's own would pull in its files, signals and process ids. */
void abort(void)
{
    runec_fault("abort");
}
