/* SPDX-License-Identifier: Apache-2.0 */
/* What the self test needs of a chip beyond runevm_hal.h. One implementation a chip family, in
 * firmware_templates/hal/selftest/. */
#ifndef SELFTEST_CHIP_H
#define SELFTEST_CHIP_H

#include <stdint.h>

/* A register that the report shows, under its name in the vendor's manual. */
typedef struct {
    const char *name;
    uintptr_t address;
} selftest_register;

extern const selftest_register selftest_registers[];
extern const uint32_t selftest_register_count;

/* The register that holds the cause of the last reset. Reading it clears flags that would stay until the supply is
 * switched off. */
extern const char selftest_reset_name[];
uint32_t selftest_chip_reset_cause(void);

/* Starts the second oscillator, which may take seconds. Called once, after runevm_hal_init(). */
void selftest_chip_start(void);

/* A clock of the chip, measured by another one. */
typedef struct {
    const char *name;
    uint32_t measured_hz, nominal_hz;
} selftest_clock;

/* 0, or -1 where the chip or the board has no second clock, or it does not run. Takes less than 500 ms. */
int selftest_chip_clock(selftest_clock *clock);

/* Whether the receiver of the console lost a byte since the last call: 1, 0, or -1 where it cannot report that. */
int selftest_chip_overrun(void);

/* Switches the prefetch or cache of flash on or off. What it was: 1, 0, or -1 where there is none to be switched. */
int selftest_chip_cache(int on);

/* The level at a pin, an output as well: 0, 1, or -1 where there is no such pin. */
int selftest_chip_level(uint32_t pin);

/* Makes a pin an input that is pulled down: 0, or -1. */
int selftest_chip_release(uint32_t pin);

#endif
