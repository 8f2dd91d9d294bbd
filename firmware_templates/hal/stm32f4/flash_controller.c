/* SPDX-License-Identifier: Apache-2.0 */
/* Flash of an STM32F4, by words of 32 bits: a supply of 2.7 V or more. ST's RM0090, 3.3 (sectors), 3.5
 * (caches), 3.6 (erase and program) and 3.9 (registers); RM0368, 3.3, 3.4, 3.5 and 3.8. */
#include "flash.h"
#include "register.h"

#define FLASH_BASE 0x40023C00u
#define FLASH_ACR REGISTER(FLASH_BASE)

#define CACHES (3u << 9)        /* ACR: ICEN, DCEN */
#define CACHE_RESETS (3u << 11) /* ACR: ICRST, DCRST */
#define EOP (1u << 0)
#define ERRORS ((1u << 1) | (0xFu << 4)) /* SR: operation, write protection, alignment, parallelism, sequence */
#define BSY (1u << 16)
#define PG (1u << 0)
#define SER (1u << 1)
#define SECTOR(number) ((number) << 3)
#define BY_WORDS (2u << 8) /* CR: PSIZE */
#define STRT (1u << 16)
#define LOCK (1u << 31)

#define FLASH_FIRST 0x08000000u
#define SMALL_END 0x10000u /* four sectors of 16 KiB, one of 64 KiB, then of 128 KiB */
#define LARGE_FIRST 0x20000u
#define FLASH_BYTES_MAX 0x100000u /* chips with a second MiB number its sectors in ways of their own */

/* The datasheets' most for 128 KiB is 2 s; a poll takes more than 4 cycles. */
#define POLLS HAL_CLOCK_HZ

#include "stm32_flash.h"

runevm_flash_range flash_chip_sector(uint32_t address)
{
    runevm_flash_range sector = {0, 0};
    const uint32_t offset = address - FLASH_FIRST;
    if (offset >= FLASH_BYTES_MAX) return sector;
    sector.size_bytes = offset < SMALL_END ? 0x4000u : offset < LARGE_FIRST ? 0x10000u : 0x20000u;
    sector.first = address & ~(sector.size_bytes - 1u);
    return sector;
}

static uint32_t number_of(runevm_flash_range sector)
{
    const uint32_t offset = sector.first - FLASH_FIRST;
    return offset < SMALL_END ? offset / 0x4000u : 4u + offset / 0x20000u;
}

int flash_chip_open(void)
{
    return stm32_flash_unlock();
}

/* The caches are stale for this sector. They may be reset only while disabled. */
static void forget_caches(void)
{
    const uint32_t access = FLASH_ACR;
    FLASH_ACR = access & ~CACHES;
    FLASH_ACR = (access & ~CACHES) | CACHE_RESETS;
    FLASH_ACR = access & ~CACHES;
    FLASH_ACR = access;
}

int flash_chip_erase(runevm_flash_range sector)
{
    int result;
    FLASH_CR = BY_WORDS | SER | SECTOR(number_of(sector));
    FLASH_CR |= STRT;
    result = stm32_flash_done();
    forget_caches();
    return result;
}

int flash_chip_program(uint32_t address, uint32_t word)
{
    FLASH_CR = BY_WORDS | PG;
    register_barrier();
    REGISTER(address) = word;
    return stm32_flash_done();
}

void flash_chip_close(void)
{
    stm32_flash_lock();
}
