/* SPDX-License-Identifier: Apache-2.0 */
/* The console that the link uses: the HAL's own, or with HAL_LINK_RTT the RTT buffers that a debugger
 * reads and writes. The HAL's own then shows the log lines. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stddef.h>
#include <stdint.h>

/* After runevm_hal_init(). */
void runec_console_init(void);

/* One byte, or -1. Never waits. */
int runec_console_read(void);

/* Sends all bytes; if the host does not read a full buffer in time, the rest is dropped, and the link
 * sends them again on request. */
void runec_console_write(const uint8_t *bytes, size_t length);

/* A line of the log. */
void runec_console_say(const char *text);

/* The same before a restart: waits until it was read, or the host stops reading. Needs no clock and no interrupts. */
void runec_console_last_words(const char *text);

#endif
