/* SPDX-License-Identifier: Apache-2.0 */
/* runevm_rtt: a console in RAM that a debugger reads and writes while the program runs; section 5 of docs/spec/link.md. The
 * memory layout is that of SEGGER's RTT, so that debug probes and their tools find it. No lock is needed: each offset has
 * one writer. */
#ifndef RUNEVM_RTT_H
#define RUNEVM_RTT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runevm_limits.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Full when one more byte would make `write` equal to `read`: empty is when they are equal. */
typedef struct {
    const char *name;
    uint8_t *bytes;
    uint32_t size;
    volatile uint32_t write; /* the next place to be written; only the writing side changes it */
    volatile uint32_t read; /* the next place to be read; only the reading side changes it */
    volatile uint32_t flags; /* a debugger may change it; the device does not look at it */
} runevm_rtt_ring;

typedef struct {
    volatile char id[16];
    int32_t up_count;
    int32_t down_count;
    runevm_rtt_ring up; /* to the host */
    runevm_rtt_ring down; /* from the host */
} runevm_rtt;

/* Rules:
 *  1. `rtt` is a static variable with the symbol _SEGGER_RTT (hal/common/console.c), where tools look for it.
 *  2. Both buffers are aligned to 4, with sizes that are multiples of 4 and at least 8; they outlive `rtt`. */
void runevm_rtt_init(runevm_rtt *rtt, uint8_t *up, uint32_t up_bytes, uint8_t *down, uint32_t down_bytes);

/* One byte from the host, or -1. */
int runevm_rtt_read(runevm_rtt *rtt);

/* Takes as many bytes as there is room for now; returns how many. */
size_t runevm_rtt_write(runevm_rtt *rtt, const uint8_t *bytes, size_t length);

/* Has the host read everything? */
bool runevm_rtt_drained(const runevm_rtt *rtt);

#ifdef __cplusplus
}
#endif
#endif
