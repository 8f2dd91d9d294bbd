/* SPDX-License-Identifier: Apache-2.0 */
/* Flash of an nRF52, by words. Nordic's nRF52832 and nRF52840 product specifications, chapter NVMC. Its cache is of
 * instructions only, so data is read back as it is. */
#include "flash.h"
#include "register.h"

#define NVMC_READY REGISTER(0x4001E400u)
#define NVMC_CONFIG REGISTER(0x4001E504u)
#define NVMC_ERASEPAGE REGISTER(0x4001E508u)

enum { READ_ONLY = 0, WRITE = 1, ERASE = 2 };

#define PAGE_BYTES 4096u

/* The specifications' most is 90 ms; a poll takes more than 4 cycles. */
#define POLLS (HAL_CLOCK_HZ / 16u)

runevm_flash_range flash_chip_sector(uint32_t address)
{
    runevm_flash_range page = {0, 0};
    page.first = address & ~(PAGE_BYTES - 1u);
    page.size_bytes = PAGE_BYTES;
    return page;
}

static int done(void)
{
    register_barrier();
    for (uint32_t i = 0; i < POLLS; i++) {
        if ((NVMC_READY & 1u) != 0) return 0;
    }
    return -1;
}

int flash_chip_open(void)
{
    return done();
}

int flash_chip_erase(runevm_flash_range sector)
{
    NVMC_CONFIG = ERASE;
    NVMC_ERASEPAGE = sector.first;
    return done();
}

int flash_chip_program(uint32_t address, uint32_t word)
{
    NVMC_CONFIG = WRITE;
    register_barrier();
    REGISTER(address) = word;
    return done();
}

void flash_chip_close(void)
{
    if ((NVMC_READY & 1u) != 0) NVMC_CONFIG = READ_ONLY;
}
