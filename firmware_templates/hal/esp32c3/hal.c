/* SPDX-License-Identifier: Apache-2.0 */
/* runevm_hal.h for ESP32-C3: UART0 polled; the system timer. The clocks are as the boot ROM left them.
 * Register numbers: Espressif's technical reference manual, version 1.0. The board file sets
 * HAL_CLOCK_HZ, HAL_BAUD and HAL_UART_BASE. */
#include "runevm_hal.h"

#include "board_runtime.h"
#include "register.h"

#define UART_FIFO REGISTER(HAL_UART_BASE + 0x00u)
#define UART_CLKDIV REGISTER(HAL_UART_BASE + 0x14u)
#define UART_STATUS REGISTER(HAL_UART_BASE + 0x1Cu)
#define UART_ID REGISTER(HAL_UART_BASE + 0x80u)
#define SYSTIMER_UNIT0_OP REGISTER(0x60023004u)
#define SYSTIMER_UNIT0_HIGH REGISTER(0x60023040u)
#define SYSTIMER_UNIT0_LOW REGISTER(0x60023044u)
#define RTC_OPTIONS0 REGISTER(0x60008000u)
#define RTC_WDTCONFIG0 REGISTER(0x60008090u)
#define RTC_WDTWPROTECT REGISTER(0x600080A8u)
#define RTC_SWD_CONF REGISTER(0x600080ACu)
#define RTC_SWD_WPROTECT REGISTER(0x600080B0u)
#define TIMG0_CONFIG REGISTER(0x6001F000u)
#define TIMG0_LOW REGISTER(0x6001F004u)
#define TIMG0_HIGH REGISTER(0x6001F008u)
#define TIMG0_UPDATE REGISTER(0x6001F00Cu)
#define TIMG0_WDTCONFIG0 REGISTER(0x6001F048u)
#define TIMG0_WDTWPROTECT REGISTER(0x6001F064u)

enum { FIFO_ROOM = 120, SYSTIMER_PER_MS = 16000, ROM_BAUD = 115200, VALID_POLLS = 100, RESET_POLLS = 10000 };
enum { DIVIDER_KNOWN = 0x44495649, WDT_TAKE_OVER = 1 << 22 };

/* The boot ROM's divider, for ROM_BAUD. It is kept over a restart that does not go through the ROM. */
static struct {
    uint32_t magic, sixteenths;
} divider __attribute__((section(".noinit")));

static int has_systimer;

void runec_start(void) __attribute__((noreturn));

static uint64_t counter(void);

static void set_baud(void)
{
    const uint32_t now = UART_CLKDIV;
    uint32_t wanted;
    if (divider.magic != DIVIDER_KNOWN) {
        divider.magic = DIVIDER_KNOWN;
        divider.sixteenths = (now & 0xFFFu) * 16u + ((now >> 20) & 15u);
    }
    wanted = (uint32_t)((uint64_t)divider.sixteenths * ROM_BAUD / HAL_BAUD);
    UART_CLKDIV = (wanted >> 4) | ((wanted & 15u) << 20);
    UART_ID |= 1u << 31; /* take the new configuration over */
}

void runevm_hal_init(void)
{
    /* The boot ROM leaves three watchdogs running. */
    RTC_WDTWPROTECT = 0x50D83AA1u;
    RTC_WDTCONFIG0 = 0;
    RTC_SWD_WPROTECT = 0x8F1D312Au;
    RTC_SWD_CONF |= 1u << 31;
    TIMG0_WDTWPROTECT = 0x50D83AA1u;
    TIMG0_WDTCONFIG0 = WDT_TAKE_OVER; /* its settings are latched: off only when taken over */

    has_systimer = 1;
    has_systimer = counter() != 0;
    if (!has_systimer) TIMG0_CONFIG = (1u << 31) | (1u << 30) | (2u << 13);
    set_baud();
}

int runevm_hal_read(void)
{
    return (UART_STATUS & 0x3FFu) != 0 ? (int)(UART_FIFO & 0xFFu) : -1;
}

void runevm_hal_write(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        while (((UART_STATUS >> 16) & 0x3FFu) >= FIFO_ROOM) { }
        UART_FIFO = bytes[i];
    }
}

/* A simulator may have a system timer that stands still; its timer group counts processor cycles. */
static uint64_t counter(void)
{
    if (!has_systimer) {
        TIMG0_UPDATE = 1;
        return ((uint64_t)TIMG0_HIGH << 32) | TIMG0_LOW;
    }
    SYSTIMER_UNIT0_OP = 1u << 30;
    for (int i = 0; i < VALID_POLLS && (SYSTIMER_UNIT0_OP & (1u << 29)) == 0; i++) { }
    return ((uint64_t)(SYSTIMER_UNIT0_HIGH & 0xFFFFFu) << 32) | SYSTIMER_UNIT0_LOW;
}

uint32_t runevm_hal_milliseconds(void)
{
    return (uint32_t)(counter() / (has_systimer ? SYSTIMER_PER_MS : HAL_CLOCK_HZ / 1000u));
}

uint32_t runevm_hal_ticks(void)
{
    return (uint32_t)counter();
}

/* The register 0x600260B0 is random only while radio or ADC feed it (chapter 24), and both are off. */
int runevm_hal_random(uint32_t *bits)
{
    (void)bits;
    return -1;
}

void runevm_hal_reset(void)
{
    RTC_OPTIONS0 |= 1u << 31;
    /* A simulator may not implement that register: jump to the start. */
    for (volatile int i = 0; i < RESET_POLLS; i++) { }
    runec_start();
}
