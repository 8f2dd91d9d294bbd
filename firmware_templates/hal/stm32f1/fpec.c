/* Flash of an STM32F103, by half words. ST's PM0075, 2.3 (program and erase), 3 (registers) and tables 2 to 4 (pages);
 * it wants the internal oscillator, which is never switched off here. The board file gives HAL_FLASH_PAGE_BYTES:
 * 1024 up to 128 KiB of flash, else 2048. */
#include "flash.h"
#include "register.h"

#define FLASH_KEYR REGISTER(0x40022004u)
#define FLASH_SR 0x4002200Cu
#define FLASH_CR REGISTER(0x40022010u)
#define FLASH_AR REGISTER(0x40022014u)

#define BSY (1u << 0)
#define ERRORS ((1u << 2) | (1u << 4)) /* SR: not erased before, write protection */
#define EOP (1u << 5)
#define PG (1u << 0)
#define PER (1u << 1)
#define STRT (1u << 6)
#define LOCK (1u << 7)

#define FLASH_FIRST 0x08000000u
#define FLASH_BYTES_MAX (HAL_FLASH_PAGE_BYTES == 1024u ? 0x20000u : 0x80000u) /* more than that has a second controller */

/* The datasheets' most is 40 ms; a poll takes more than 4 cycles. */
#define POLLS (HAL_CLOCK_HZ / 16u)

runevm_flash_range flash_chip_sector(uint32_t address)
{
    runevm_flash_range page = {0, 0};
    /* Pages taken for smaller than they are would be erased with their neighbours. */
    if (address < FLASH_FIRST || FLASH_END - FLASH_FIRST > FLASH_BYTES_MAX) return page;
    page.first = address & ~(HAL_FLASH_PAGE_BYTES - 1u);
    page.size_bytes = HAL_FLASH_PAGE_BYTES;
    return page;
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

int flash_chip_erase(runevm_flash_range sector)
{
    FLASH_CR = PER;
    FLASH_AR = sector.first;
    FLASH_CR = PER | STRT;
    return done();
}

int flash_chip_program(uint32_t address, uint32_t word)
{
    FLASH_CR = PG;
    register_barrier();
    REGISTER16(address) = (uint16_t)word;
    if (done() != 0) return -1;
    REGISTER16(address + 2u) = (uint16_t)(word >> 16);
    return done();
}

void flash_chip_close(void)
{
    if ((REGISTER(FLASH_SR) & BSY) == 0) FLASH_CR = LOCK;
}
