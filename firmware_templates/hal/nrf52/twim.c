/* SPDX-License-Identifier: Apache-2.0 */
/* I2C of runevm_hal.h on an nRF52: TWIM0 as master at 100 kHz, polled. Register numbers: Nordic's nRF52832
 * and nRF52840 product specifications, chapter TWIM. */
#include <string.h>

#include "nrf52.h"
#include "register.h"
#include "runevm_hal.h"

#define TWIM_BASE 0x40003000u
#define TWIM_STARTRX REGISTER(TWIM_BASE + 0x000u)
#define TWIM_STARTTX REGISTER(TWIM_BASE + 0x008u)
#define TWIM_STOP REGISTER(TWIM_BASE + 0x014u)
#define TWIM_STOPPED REGISTER(TWIM_BASE + 0x104u)
#define TWIM_ERROR REGISTER(TWIM_BASE + 0x124u)
#define TWIM_SHORTS REGISTER(TWIM_BASE + 0x200u)
#define TWIM_ERRORSRC REGISTER(TWIM_BASE + 0x4C4u)
#define TWIM_ENABLE REGISTER(TWIM_BASE + 0x500u)
#define TWIM_PSEL_SCL REGISTER(TWIM_BASE + 0x508u)
#define TWIM_PSEL_SDA REGISTER(TWIM_BASE + 0x50Cu)
#define TWIM_FREQUENCY REGISTER(TWIM_BASE + 0x524u)
#define TWIM_RXD_PTR REGISTER(TWIM_BASE + 0x534u)
#define TWIM_RXD_MAXCNT REGISTER(TWIM_BASE + 0x538u)
#define TWIM_RXD_AMOUNT REGISTER(TWIM_BASE + 0x53Cu)
#define TWIM_TXD_PTR REGISTER(TWIM_BASE + 0x544u)
#define TWIM_TXD_MAXCNT REGISTER(TWIM_BASE + 0x548u)
#define TWIM_ADDRESS REGISTER(TWIM_BASE + 0x588u)

#define LASTTX_STARTRX (1u << 7)
#define LASTTX_STOP (1u << 9)
#define LASTRX_STOP (1u << 12)

/* DMA reads from RAM only, so writes use a buffer; an nRF52832 counts up to 255. */
enum { WRITE_BYTES_MAX = 32, READ_BYTES_MAX = 255, POLLS = 200000 };

void runevm_hal_i2c_init(void)
{
    const uint32_t open_drain = (6u << 8) | (3u << 2); /* S0D1, pulled up, input connected */
    nrf52_pin(HAL_SCL_PIN, open_drain);
    nrf52_pin(HAL_SDA_PIN, open_drain);
    TWIM_PSEL_SCL = HAL_SCL_PIN;
    TWIM_PSEL_SDA = HAL_SDA_PIN;
    TWIM_FREQUENCY = 0x01980000u;
    TWIM_ENABLE = 6;
}

static int transfer(uint8_t address, uint32_t shorts)
{
    TWIM_STOPPED = 0;
    TWIM_ERROR = 0;
    TWIM_ERRORSRC = 7;
    TWIM_SHORTS = shorts;
    TWIM_ADDRESS = address;
    TWIM_STARTTX = 1;
    for (int i = 0; i < POLLS; i++) {
        if (TWIM_ERROR != 0) break;
        if (TWIM_STOPPED != 0) return 0;
    }
    TWIM_ERROR = 0;
    TWIM_STOP = 1;
    for (int i = 0; i < POLLS && TWIM_STOPPED == 0; i++) { }
    return -1;
}

int runevm_hal_i2c_write(uint8_t address, const uint8_t *bytes, size_t length)
{
    uint8_t buffer[WRITE_BYTES_MAX];
    if (length == 0 || length > sizeof buffer) return -1;
    memcpy(buffer, bytes, length);
    TWIM_TXD_PTR = (uint32_t)(uintptr_t)buffer;
    TWIM_TXD_MAXCNT = (uint32_t)length;
    __asm volatile("dsb" ::: "memory");
    return transfer(address, LASTTX_STOP);
}

int runevm_hal_i2c_read(uint8_t address, uint8_t first, uint8_t *bytes, size_t length)
{
    const volatile uint8_t number = first;
    if (length == 0 || length > READ_BYTES_MAX) return -1;
    TWIM_TXD_PTR = (uint32_t)(uintptr_t)&number;
    TWIM_TXD_MAXCNT = 1;
    TWIM_RXD_PTR = (uint32_t)(uintptr_t)bytes;
    TWIM_RXD_MAXCNT = (uint32_t)length;
    __asm volatile("dsb" ::: "memory");
    if (transfer(address, LASTTX_STARTRX | LASTRX_STOP) != 0) return -1;
    __asm volatile("dsb" ::: "memory");
    return TWIM_RXD_AMOUNT == (uint32_t)length ? 0 : -1;
}
