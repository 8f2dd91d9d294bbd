/* SPDX-License-Identifier: Apache-2.0 */
/* runevm_hal.h for ESP32-C3: UART0 polled, from the crystal; the system timer. Register numbers: Espressif's
 * technical reference manual, version 1.0. The board file gives HAL_BAUD and HAL_UART_BASE, and HAL_TIMER_GROUP_HZ
 * where the time is a timer group's, at that clock: an emulated system timer may stand still. */
#include "runevm_hal.h"

#include "board_runtime.h"
#include "esp.h"
#include "register.h"

#define UART_FIFO REGISTER(HAL_UART_BASE + 0x00u)
#define UART_CLKDIV REGISTER(HAL_UART_BASE + 0x14u)
#define UART_STATUS REGISTER(HAL_UART_BASE + 0x1Cu)
#define UART_STATE REGISTER(HAL_UART_BASE + 0x6Cu)
#define UART_CLOCK REGISTER(HAL_UART_BASE + 0x78u)
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

#define UART_CLOCK_IS_CRYSTAL ((3u << 24) | (1u << 22) | (3u << 20)) /* to both sides, on; not divided */
#define CRYSTAL_HZ 40000000u

enum { FIFO_ROOM = 120, VALID_POLLS = 100, RESET_POLLS = 10000, SENT_POLLS = 1000000, WDT_TAKE_OVER = 1 << 22 };

#ifdef HAL_TIMER_GROUP_HZ
enum { COUNTS_PER_MS = HAL_TIMER_GROUP_HZ / 1000u };
#else
enum { COUNTS_PER_MS = 16000 }; /* of the system timer, which has the crystal's clock too */
#endif

void runec_start(void) __attribute__((noreturn));

/* Some time at most: a transmitter that is held up sends nothing. */
static void wait_until_sent(void)
{
    for (int i = 0; i < SENT_POLLS && ((UART_STATUS & 0x03FF0000u) != 0 || (UART_STATE & 0xF0u) != 0); i++) { }
}

static void set_baud(void)
{
    const uint32_t sixteenths = CRYSTAL_HZ * 16u / HAL_BAUD;
    UART_CLOCK = UART_CLOCK_IS_CRYSTAL;
    UART_CLKDIV = (sixteenths >> 4) | ((sixteenths & 15u) << 20);
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

#ifdef HAL_TIMER_GROUP_HZ
    TIMG0_CONFIG = (1u << 31) | (1u << 30) | (2u << 13);
#endif
    wait_until_sent(); /* what the boot ROM says */
    (void)esp_clocks_start();
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

static uint64_t counter(void)
{
#ifdef HAL_TIMER_GROUP_HZ
    TIMG0_UPDATE = 1;
    return ((uint64_t)TIMG0_HIGH << 32) | TIMG0_LOW;
#else
    SYSTIMER_UNIT0_OP = 1u << 30;
    for (int i = 0; i < VALID_POLLS && (SYSTIMER_UNIT0_OP & (1u << 29)) == 0; i++) { }
    return ((uint64_t)(SYSTIMER_UNIT0_HIGH & 0xFFFFFu) << 32) | SYSTIMER_UNIT0_LOW;
#endif
}

uint32_t runevm_hal_milliseconds(void)
{
    return (uint32_t)(counter() / COUNTS_PER_MS);
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
    wait_until_sent();
    RTC_OPTIONS0 |= 1u << 31;
    /* A simulator may not implement that register: jump to the start. */
    for (volatile int i = 0; i < RESET_POLLS; i++) { }
    runec_start();
}
