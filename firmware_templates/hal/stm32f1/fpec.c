/* SPDX-License-Identifier: Apache-2.0 */
/* Flash of an STM32F103, by half words. ST's PM0075, 2.3 (program and erase), 3 (registers) and tables 2 to 4 (pages);
 * it needs the internal oscillator, which is never switched off here. The board file sets HAL_FLASH_PAGE_BYTES:
 * 1024 up to 128 KiB of flash, else 2048. */
#include "flash.h"
#include "register.h"

#define FLASH_BASE 0x40022000u
#define FLASH_AR REGISTER(FLASH_BASE + 0x14u)

#define BSY (1u << 0)
#define ERRORS ((1u << 2) | (1u << 4)) /* SR: not erased before, write protection */
#define EOP (1u << 5)
#define PG (1u << 0)
#define PER (1u << 1)
#define STRT (1u << 6)
#define LOCK (1u << 7)

#define FLASH_FIRST 0x08000000u
#define FLASH_BYTES_MAX \
    (HAL_FLASH_PAGE_BYTES == 1024u ? 0x20000u : 0x80000u) /* more than that has a second controller */

/* The datasheets' most is 40 ms; a poll takes more than 4 cycles. */
#define POLLS (HAL_CLOCK_HZ / 16u)

#include "stm32_flash.h"

runevm_flash_range flash_chip_sector(uint32_t address)
{
    runevm_flash_range page = {0, 0};
    /* With too small a page size, neighbouring pages would be erased. */
    if (address < FLASH_FIRST || FLASH_END - FLASH_FIRST > FLASH_BYTES_MAX) return page;
    page.first = address & ~(HAL_FLASH_PAGE_BYTES - 1u);
    page.size_bytes = HAL_FLASH_PAGE_BYTES;
    return page;
}

int flash_chip_open(void)
{
    return stm32_flash_unlock();
}

int flash_chip_erase(runevm_flash_range sector)
{
    FLASH_CR = PER;
    FLASH_AR = sector.first;
    FLASH_CR = PER | STRT;
    return stm32_flash_done();
}

int flash_chip_program(uint32_t address, uint32_t word)
{
    FLASH_CR = PG;
    register_barrier();
    REGISTER16(address) = (uint16_t)word;
    if (stm32_flash_done() != 0) return -1;
    REGISTER16(address + 2u) = (uint16_t)(word >> 16);
    return stm32_flash_done();
}

void flash_chip_close(void)
{
    stm32_flash_lock();
}
