/* SPDX-License-Identifier: Apache-2.0 */
/* selftest_chip.h for an nRF52. Register numbers: Nordic's nRF52832 and nRF52840 product specifications, chapters CLOCK, FICR,
 * GPIO, NVMC, POWER, RTC, UART, UICR and WDT. The second clock is the crystal of 32.768 kHz, by which RTC0 counts. */
#include "selftest_chip.h"

#include "register.h"
#include "runevm_hal.h"

#define CLOCK_LFCLKSTART REGISTER(0x40000008u)
#define CLOCK_LFCLKSTARTED REGISTER(0x40000104u)
#define CLOCK_LFCLKSRC REGISTER(0x40000518u)
#define POWER_RESETREAS REGISTER(0x40000400u)
#define UART_ERRORSRC REGISTER(0x40002480u)
#define RTC_START REGISTER(0x4000B000u)
#define RTC_STOP REGISTER(0x4000B004u)
#define RTC_COUNTER REGISTER(0x4000B504u)
#define RTC_PRESCALER REGISTER(0x4000B508u)
#define NVMC_ICACHECNF REGISTER(0x4001E540u)
#define GPIO_BASE(pin) (0x50000000u + 0x300u * ((pin) / 32u))
#define GPIO_IN(pin) REGISTER(GPIO_BASE(pin) + 0x510u)
#define GPIO_CNF(pin) REGISTER(GPIO_BASE(pin) + 0x700u + 4u * ((pin) % 32u))

#define CRYSTAL 1u
#define OVERRUN 1u
#define INPUT_IS_OFF (1u << 1)
#define PULLED_DOWN (1u << 2)

enum { PINS = 48, PERIODS = 4096, NOMINAL_HZ = 32768 };

const selftest_register selftest_registers[] = {
    {"CPUID", 0xE000ED00u},
    {"FICR_INFO_PART", 0x10000100u},
    {"FICR_INFO_VARIANT", 0x10000104u},
    {"FICR_REVISION_PART", 0x10000130u}, /* what nrfx_approtect tells revisions by; no manual names them */
    {"FICR_REVISION", 0x10000134u},
    {"UICR_APPROTECT", 0x10001208u},
    {"UICR_PSELRESET0", 0x10001200u},
    {"CLOCK_HFCLKSTAT", 0x4000040Cu},
    {"CLOCK_LFCLKSTAT", 0x40000418u},
    {"NVMC_ICACHECNF", 0x4001E540u},
    {"WDT_RUNSTATUS", 0x40010400u},
};
const uint32_t selftest_register_count = sizeof selftest_registers / sizeof selftest_registers[0];
const char selftest_reset_name[] = "POWER_RESETREAS";

uint32_t selftest_chip_reset_cause(void)
{
    const uint32_t cause = POWER_RESETREAS;
    POWER_RESETREAS = cause; /* ones take flags away */
    return cause;
}

void selftest_chip_start(void)
{
    CLOCK_LFCLKSTARTED = 0;
    CLOCK_LFCLKSRC = CRYSTAL;
    CLOCK_LFCLKSTART = 1;
}

/* Waits until RTC0 has counted on to `value`, 300 ms at most: 0 with the time in us, or -1. */
static int wait_for(uint32_t value, uint32_t *ticks)
{
    const uint32_t began = runevm_hal_milliseconds();
    while (RTC_COUNTER < value) {
        if (runevm_hal_milliseconds() - began > 300u) return -1;
    }
    *ticks = runevm_hal_ticks();
    return 0;
}

int selftest_chip_clock(selftest_clock *clock)
{
    uint32_t first, from = 0, to = 0;
    int result;
    if (CLOCK_LFCLKSTARTED == 0) return -1;
    RTC_PRESCALER = 0;
    RTC_START = 1;
    first = RTC_COUNTER & 0x7FFFFFu; /* it has 24 bits, and wraps after 8 minutes */
    result = wait_for(first + 2u, &from) == 0 && wait_for(first + 2u + PERIODS, &to) == 0 ? 0 : -1;
    RTC_STOP = 1;
    if (result != 0 || to == from) return -1;
    clock->name = "crystal of 32.768 kHz";
    clock->nominal_hz = NOMINAL_HZ;
    clock->measured_hz = (uint32_t)(1000000ull * PERIODS / (to - from));
    return 0;
}

int selftest_chip_overrun(void)
{
    const uint32_t errors = UART_ERRORSRC;
    UART_ERRORSRC = errors; /* ones take flags away */
    return (errors & OVERRUN) != 0;
}

int selftest_chip_cache(int on)
{
    const int was = (NVMC_ICACHECNF & 1u) != 0;
    NVMC_ICACHECNF = on ? 1u : 0u;
    return was;
}

int selftest_chip_level(uint32_t pin)
{
    if (pin >= PINS) return -1;
    GPIO_CNF(pin) &= ~INPUT_IS_OFF;
    for (volatile int i = 0; i < 16; i++) { } /* until its input is connected */
    return (int)(GPIO_IN(pin) >> (pin % 32u) & 1u);
}

int selftest_chip_release(uint32_t pin)
{
    if (pin >= PINS) return -1;
    GPIO_CNF(pin) = PULLED_DOWN;
    return 0;
}
