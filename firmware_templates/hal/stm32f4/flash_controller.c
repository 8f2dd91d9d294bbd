/* Flash of an STM32F4, by words of 32 bits: a supply of 2.7 V or more. ST's RM0090, 3.3 (sectors), 3.5
 * (caches), 3.6 (erase and program) and 3.9 (registers); RM0368, 3.3, 3.4, 3.5 and 3.8. */
#include "flash.h"
#include "register.h"

#define FLASH_ACR REGISTER(0x40023C00u)
#define FLASH_KEYR REGISTER(0x40023C04u)
#define FLASH_SR 0x40023C0Cu
#define FLASH_CR REGISTER(0x40023C10u)

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

static int is_ready(void)
{
    register_barrier();
    for (uint32_t i = 0; i < POLLS; i++) {
        if ((REGISTER(FLASH_SR) & BSY) == 0) return 1;
    }
    return 0;
}

static int done(void)
{
    return is_ready() && (REGISTER(FLASH_SR) & ERRORS) == 0 ? 0 : -1;
}

int flash_chip_open(void)
{
    if (!is_ready()) return -1;
    REGISTER(FLASH_SR) = EOP | ERRORS;
    /* A key too many, or a wrong one, locks the controller until the next reset. */
    if ((FLASH_CR & LOCK) != 0) {
        FLASH_KEYR = 0x45670123u;
        FLASH_KEYR = 0xCDEF89ABu;
    }
    return (FLASH_CR & LOCK) == 0 ? 0 : -1;
}

/* What the caches hold of the sector is no longer true. They may be reset only while they are off. */
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
    result = done();
    forget_caches();
    return result;
}

int flash_chip_program(uint32_t address, uint32_t word)
{
    FLASH_CR = BY_WORDS | PG;
    register_barrier();
    REGISTER(address) = word;
    return done();
}

void flash_chip_close(void)
{
    if ((REGISTER(FLASH_SR) & BSY) == 0) FLASH_CR = LOCK;
}
