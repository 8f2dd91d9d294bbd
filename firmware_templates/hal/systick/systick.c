/* SPDX-License-Identifier: Apache-2.0 */
/* Time of runevm_hal.h from SysTick: ARM's ARMv7-M architecture reference manual, B3.3. */
#include "systick.h"
#include "cortex_m.h"
#include "register.h"
#include "runevm_hal.h"

#define SYST_CSR REGISTER(0xE000E010u)
#define SYST_RVR REGISTER(0xE000E014u)
#define SYST_CVR REGISTER(0xE000E018u)

static volatile uint32_t milliseconds;
static uint32_t cycles_per_ms;

void systick_start(uint32_t clock_hz)
{
    cycles_per_ms = clock_hz / 1000u;
    SYST_RVR = cycles_per_ms - 1u;
    SYST_CVR = 0;
    SYST_CSR = 7u; /* core clock, interrupt, on */
}

void runec_systick(void)
{
    milliseconds++;
}

uint32_t runevm_hal_milliseconds(void)
{
    return milliseconds;
}

uint32_t runevm_hal_ticks(void)
{
    uint32_t before, counter;
    do {
        before = milliseconds;
        counter = SYST_CVR;
    } while (before != milliseconds);
    return before * cycles_per_ms + (cycles_per_ms - 1u - counter);
}
