/* SPDX-License-Identifier: Apache-2.0 */
/* Flash of runevm_hal.h, independent of the controller: bounds, verification. */
#include "flash.h"

#include "register.h"

#define ERASED 0xFFFFFFFFu

/* A sector that is not wholly the board's is none. */
runevm_flash_range runevm_hal_flash_sector(uint32_t address)
{
    runevm_flash_range sector = {0, 0};
    if (address < FLASH_START || address >= FLASH_END) return sector;
    sector = flash_chip_sector(address);
    if (sector.first < FLASH_START || sector.size_bytes > FLASH_END - sector.first) sector.size_bytes = 0;
    if (sector.size_bytes == 0) sector.first = 0;
    return sector;
}

/* The first address after the sectors of the program, or FLASH_END. */
static uint32_t behind_program(void)
{
    const runevm_flash_range last = flash_chip_sector(PROGRAM_END - 1u);
    return last.size_bytes == 0 ? FLASH_END : last.first + last.size_bytes;
}

runevm_flash_range runevm_hal_flash_free(void)
{
    runevm_flash_range free = {behind_program(), 0};
    for (;;) {
        const runevm_flash_range sector = runevm_hal_flash_sector(free.first + free.size_bytes);
        if (sector.size_bytes == 0) break;
        free.size_bytes += sector.size_bytes;
    }
    if (free.size_bytes == 0) free.first = 0;
    return free;
}

static int is_free(uint32_t address, size_t length)
{
    const size_t last = length == 0 ? 0 : length - 1;
    return address >= behind_program() && address < FLASH_END && last < FLASH_END - address
           && runevm_hal_flash_sector(address + (uint32_t)last).size_bytes > 0;
}

runevm_flash_status runevm_hal_flash_erase(uint32_t address)
{
    const runevm_flash_range sector = runevm_hal_flash_sector(address);
    int result;
    if (sector.size_bytes == 0 || sector.first != address || !is_free(address, sector.size_bytes))
        return RUNEVM_FLASH_REFUSED;
    result = flash_chip_open();
    if (result == 0) result = flash_chip_erase(sector);
    flash_chip_close();
    if (result != 0) return RUNEVM_FLASH_FAILED;
    for (uint32_t at = 0; at < sector.size_bytes; at += 4u) {
        if (REGISTER(address + at) != ERASED) return RUNEVM_FLASH_DIFFERS;
    }
    return RUNEVM_FLASH_OK;
}

/* The bytes from `at` on as they lie in flash; behind the last one it stays erased. */
static uint32_t word_of(const uint8_t *bytes, size_t length, size_t at)
{
    uint32_t word = ERASED;
    for (unsigned i = 0; i < 4u && at + i < length; i++) {
        word = (word & ~(0xFFu << (8u * i))) | ((uint32_t)bytes[at + i] << (8u * i));
    }
    return word;
}

runevm_flash_status runevm_hal_flash_write(uint32_t address, const uint8_t *bytes, size_t length)
{
    int result;
    if (address % RUNEVM_FLASH_GRANULE != 0 || !is_free(address, length)) return RUNEVM_FLASH_REFUSED;
    for (size_t at = 0; at < length; at += 4u) {
        if (REGISTER(address + (uint32_t)at) != ERASED) return RUNEVM_FLASH_NOT_ERASED;
    }
    result = flash_chip_open();
    for (size_t at = 0; at < length && result == 0; at += 4u) {
        result = flash_chip_program(address + (uint32_t)at, word_of(bytes, length, at));
    }
    flash_chip_close();
    if (result != 0) return RUNEVM_FLASH_FAILED;
    for (size_t at = 0; at < length; at += 4u) {
        if (REGISTER(address + (uint32_t)at) != word_of(bytes, length, at)) return RUNEVM_FLASH_DIFFERS;
    }
    return RUNEVM_FLASH_OK;
}
