/* SPDX-License-Identifier: Apache-2.0 */
/* selftest_chip.h for Arm's MPS2+ with the image AN386. Register numbers: Arm's "Cortex-M System Design Kit", 4.3 (UART);
 * application note AN386, 4 (LEDs, counters, identification). The second clock is the counter of 100 Hz of the FPGA. */
#include "selftest_chip.h"

#include "register.h"
#include "runevm_hal.h"

#define UART_STATE REGISTER(HAL_UART_BASE + 0x04u)
#define USER_LEDS REGISTER(0x40028000u)
#define COUNTER_100_HZ REGISTER(0x40028014u)

#define OVERRUN (1u << 3)

enum { LEDS = 2, PERIODS = 20, COUNTER_HZ = 100 };

const selftest_register selftest_registers[] = {
    {"CPUID", 0xE000ED00u},
    {"SCC_AID", 0x4002FFF8u},
    {"SCC_ID", 0x4002FFFCu},
};
const uint32_t selftest_register_count = sizeof selftest_registers / sizeof selftest_registers[0];
const char selftest_reset_name[] = "CMSDK_SYSCTRL_RSTINFO";

#define RSTINFO REGISTER(0x4001F010u)

uint32_t selftest_chip_reset_cause(void)
{
    return RSTINFO;
}

void selftest_chip_start(void)
{
}

/* Waits until the counter has gone on, 100 ms at most. */
static int next_period(void)
{
    const uint32_t now = COUNTER_100_HZ, began = runevm_hal_milliseconds();
    while (COUNTER_100_HZ == now) {
        if (runevm_hal_milliseconds() - began > 100u) return -1;
    }
    return 0;
}

int selftest_chip_clock(selftest_clock *clock)
{
    uint32_t from;
    if (next_period() != 0) return -1;
    from = runevm_hal_ticks();
    for (int i = 0; i < PERIODS; i++) {
        if (next_period() != 0) return -1;
    }
    clock->name = "processor, by the counter of 100 Hz";
    clock->nominal_hz = HAL_CLOCK_HZ;
    clock->measured_hz = (runevm_hal_ticks() - from) * (COUNTER_HZ / PERIODS);
    return 0;
}

int selftest_chip_overrun(void)
{
    const int lost = (UART_STATE & OVERRUN) != 0;
    if (lost) UART_STATE = OVERRUN;
    return lost;
}

/* Its memory is RAM of the FPGA. */
int selftest_chip_cache(int on)
{
    (void)on;
    return -1;
}

int selftest_chip_level(uint32_t pin)
{
    return pin < LEDS ? (int)(USER_LEDS >> pin & 1u) : -1;
}

/* The pins that can be inputs belong to other blocks. */
int selftest_chip_release(uint32_t pin)
{
    (void)pin;
    return -1;
}
