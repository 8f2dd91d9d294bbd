/* runevm_rings: a console in RAM that a debugger reads and writes while the program runs; section 5 of
 * docs/spec/link.md. The layout is that of SEGGER's RTT, so that the tools that know it can be used.
 * No lock is needed: each offset has one writer. */
#ifndef RUNEVM_RINGS_H
#define RUNEVM_RINGS_H

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
    volatile uint32_t write;  /* the next place to be written; only the writing side changes it */
    volatile uint32_t read;   /* the next place to be read; only the reading side changes it */
    volatile uint32_t flags;  /* a debugger may change it; the device does not look at it */
} runevm_ring;

typedef struct {
    volatile char id[16];
    int32_t up_count;
    int32_t down_count;
    runevm_ring up;    /* to the computer */
    runevm_ring down;  /* from the computer */
} runevm_rings;

/* Both buffers must be aligned to words, with sizes that are multiples of 4. */
void runevm_rings_init(runevm_rings *rings, uint8_t *up, uint32_t up_bytes, uint8_t *down, uint32_t down_bytes);

/* One byte from the computer, or -1. */
int runevm_rings_read(runevm_rings *rings);

/* Takes as many bytes as there is room for now; returns how many. */
size_t runevm_rings_write(runevm_rings *rings, const uint8_t *bytes, size_t length);

/* Has the computer read everything? */
bool runevm_rings_drained(const runevm_rings *rings);

#ifdef __cplusplus
}
#endif
#endif
