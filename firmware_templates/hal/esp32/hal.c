/* SPDX-License-Identifier: Apache-2.0 */
/* runevm_hal.h for ESP32: UART0 polled; the processor's cycle counter. The clocks and the baud rate are as
 * the loader left them. Register numbers: Espressif's technical reference manual of the ESP32, version 5.
 * The board file sets HAL_CLOCK_HZ and HAL_UART_BASE. */
#include "runevm_hal.h"

#include "board_runtime.h"
#include "register.h"

#define UART_FIFO REGISTER(HAL_UART_BASE + 0x00u)
#define UART_STATUS REGISTER(HAL_UART_BASE + 0x1Cu)
#define RTC_OPTIONS0 REGISTER(0x3FF48000u)
#define RTC_WDTCONFIG0 REGISTER(0x3FF4808Cu)
#define RTC_WDTWPROTECT REGISTER(0x3FF480A4u)
#define TIMG0_WDTCONFIG0 REGISTER(0x3FF5F048u)
#define TIMG0_WDTWPROTECT REGISTER(0x3FF5F064u)

enum { FIFO_ROOM = 120, RESET_POLLS = 10000 };
#define WDT_UNLOCK 0x50D83AA1u

/* The counter has 32 bits, which is 18 seconds: its carries are counted at each call. */
static uint32_t last_cycles, carries;

void runec_start(void) __attribute__((noreturn));

void runevm_hal_init(void)
{
    /* The loader leaves two watchdogs running. */
    RTC_WDTWPROTECT = WDT_UNLOCK;
    RTC_WDTCONFIG0 = 0;
    TIMG0_WDTWPROTECT = WDT_UNLOCK;
    TIMG0_WDTCONFIG0 = 0;
}

int runevm_hal_read(void)
{
    return (UART_STATUS & 0xFFu) != 0 ? (int)(UART_FIFO & 0xFFu) : -1;
}

void runevm_hal_write(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        while (((UART_STATUS >> 16) & 0xFFu) >= FIFO_ROOM) { }
        UART_FIFO = bytes[i];
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
    return (uint32_t)((((uint64_t)carries << 32) | cycles) / (HAL_CLOCK_HZ / 1000u));
}

/* The register 0x3FF75144 is random only while radio or ADC feed it (chapter 24), and both are off. */
int runevm_hal_random(uint32_t *bits)
{
    (void)bits;
    return -1;
}

void runevm_hal_reset(void)
{
    RTC_OPTIONS0 |= 1u << 31;
    /* A simulator may not implement that: jump to the start. */
    for (volatile int i = 0; i < RESET_POLLS; i++) { }
    runec_start();
}
