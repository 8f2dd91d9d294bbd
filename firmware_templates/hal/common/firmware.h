/* SPDX-License-Identifier: Apache-2.0 */
/* The firmware as the board's entry sees it: start once, then serve for ever. */
#ifndef FIRMWARE_H
#define FIRMWARE_H

#include <stdint.h>

/* Everything runs on one stack. `used_bytes` returns the maximum so far; NULL if unknown. */
typedef struct {
    uint8_t *bottom;
    uint32_t (*used_bytes)(void *user);
} runec_stack;

void runec_firmware_start(runec_stack stack);

/* Answers what came over the link, which may be a run. */
void runec_firmware_serve(void);

#endif
