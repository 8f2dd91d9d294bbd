/* SPDX-License-Identifier: Apache-2.0 */
/* runevm_hal.h for ESP32: UART0 polled; the processor's cycle counter. Register numbers: Espressif's technical
 * reference manual of the ESP32, version 5. The board file gives HAL_CLOCK_HZ, HAL_BAUD, HAL_UART_BASE and
 * HAL_UART_SEND: bytes go out by another address, because by the first one those in a row get lost on the first
 * revision ("ESP32 Series SoC Errata", version 2.7, 3.3). */
#include "runevm_hal.h"

#include "board_runtime.h"
#include "esp.h"
#include "register.h"

#define UART_FIFO REGISTER(HAL_UART_BASE + 0x00u)
#define UART_DIVIDER REGISTER(HAL_UART_BASE + 0x14u)
#define UART_STATUS REGISTER(HAL_UART_BASE + 0x1Cu)
#define UART_CONFIG REGISTER(HAL_UART_BASE + 0x20u)
#define UART_RECEIVED REGISTER(HAL_UART_BASE + 0x60u)
#define UART_SEND REGISTER(HAL_UART_SEND)
#define RTC_OPTIONS0 REGISTER(0x3FF48000u)
#define RTC_WDTCONFIG0 REGISTER(0x3FF4808Cu)
#define RTC_WDTWPROTECT REGISTER(0x3FF480A4u)
#define TIMG0_WDTCONFIG0 REGISTER(0x3FF5F048u)
#define TIMG0_WDTWPROTECT REGISTER(0x3FF5F064u)

#define UART_CLOCK_IS_APB (1u << 27)
#define UART_SENDING 0x0FFF0000u /* bytes in the FIFO, and what the transmitter does */

enum { FIFO_ROOM = 120, RESET_POLLS = 10000, SENT_POLLS = 1000000 };
#define WDT_UNLOCK 0x50D83AA1u

/* The counter has 32 bits, which is 18 seconds: its carries are counted whenever somebody asks. */
static uint32_t last_cycles, carries, cycles_per_ms;

void runec_start(void) __attribute__((noreturn));

/* Some time at most: a transmitter that is held up sends nothing. */
static void wait_until_sent(void)
{
    for (int i = 0; i < SENT_POLLS && (UART_STATUS & UART_SENDING) != 0; i++) { }
}

void runevm_hal_init(void)
{
    /* The loader leaves two watchdogs running. */
    RTC_WDTWPROTECT = WDT_UNLOCK;
    RTC_WDTCONFIG0 = 0;
    TIMG0_WDTWPROTECT = WDT_UNLOCK;
    TIMG0_WDTCONFIG0 = 0;
    wait_until_sent(); /* what the loader says */
    const esp_clocks clocks = esp_clocks_start();
    const uint32_t sixteenths = clocks.apb_hz * 16u / HAL_BAUD;
    cycles_per_ms = clocks.cpu_hz / 1000u;
    UART_CONFIG |= UART_CLOCK_IS_APB;
    UART_DIVIDER = (sixteenths >> 4) | ((sixteenths & 15u) << 20);
}

/* The count of bytes is wrong where they are read by this address: the places where the FIFO is written and read say more. */
int runevm_hal_read(void)
{
    const uint32_t places = UART_RECEIVED;
    const int is_empty = ((places >> 2) & 0x7FFu) == ((places >> 13) & 0x7FFu) && (UART_STATUS & 0xFFu) == 0;
    return is_empty ? -1 : (int)(UART_FIFO & 0xFFu);
}

void runevm_hal_write(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        while (((UART_STATUS >> 16) & 0xFFu) >= FIFO_ROOM) { }
        UART_SEND = bytes[i];
    }
}

uint32_t runevm_hal_ticks(void)
{
    uint32_t cycles;
    __asm volatile("rsr.ccount %0" : "=r"(cycles));
    return cycles;
}

uint32_t runevm_hal_milliseconds(void)
{
    const uint32_t cycles = runevm_hal_ticks();
    if (cycles < last_cycles) {
        carries++;
    }
    last_cycles = cycles;
    return (uint32_t)((((uint64_t)carries << 32) | cycles) / cycles_per_ms);
}

/* The register 0x3FF75144 is random only while radio or ADC feed it (chapter 24), and both are off. */
int runevm_hal_random(uint32_t *bits)
{
    (void)bits;
    return -1;
}

void runevm_hal_reset(void)
{
    wait_until_sent();
    RTC_OPTIONS0 |= 1u << 31;
    /* A simulator may not implement that: jump to the start. */
    for (volatile int i = 0; i < RESET_POLLS; i++) { }
    runec_start();
}
