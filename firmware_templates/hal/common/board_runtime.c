/* The part of a bare-metal C environment that is the same on every chip. */
#include "board_runtime.h"

#include <stdlib.h>

#include "console.h"
#include "runevm_hal.h"

void runec_init_memory(void)
{
    /* By words and volatile, or the compiler would call memcpy() before .data is there. */
    volatile uint32_t *to = runec_data_start;
    const uint32_t *from = runec_data_load;
    while (to < runec_data_end) *to++ = *from++;
    for (to = runec_bss_start; to < runec_bss_end; to++) *to = 0;
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
