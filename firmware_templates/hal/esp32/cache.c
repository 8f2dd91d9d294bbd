/* SPDX-License-Identifier: Apache-2.0 */
/* The ESP32's part of hal/esp/spi_flash.c: the cache of the first processor, and the pages of 64 KiB by which it sees
 * flash. Espressif's technical reference manual of the ESP32, version 5: chapters "DPort Registers" and "Memory
 * Management and Protection Units". The board file sets HAL_STORAGE_OFFSET, the offset of `storage` in flash. */
#include "esp.h"
#include "flash.h"
#include "register.h"

#define CACHE_CONTROL REGISTER(0x3FF00040u) /* DPORT_PRO_CACHE_CTRL_REG */
#define CACHE_STATE ((REGISTER(0x3FF003F0u) >> 7) & 0xFFFu) /* DPORT_PRO_DCACHE_DBUG0_REG */
#define PAGE(address) REGISTER(0x3FF10000u + 4u * (((address) - DATA_WINDOW) / PAGE_BYTES))

#define DATA_WINDOW 0x3F400000u
#define PAGE_BYTES 0x10000u
#define UNMAPPED (1u << 8)
#define ENABLE (1u << 3)
#define FLUSH (1u << 4)
#define FLUSHED (1u << 5)
#define IDLE 1u

enum { POLLS = 100000 };

RUNEC_RAM_CODE int esp_cache_off(void)
{
    for (int i = 0; i < POLLS; i++) {
        if (CACHE_STATE == IDLE) {
            CACHE_CONTROL &= ~ENABLE;
            return 1;
        }
    }
    return 0;
}

RUNEC_RAM_CODE void esp_cache_on(runevm_flash_range changed)
{
    /* It forgets all or nothing. */
    if (changed.size_bytes > 0) {
        CACHE_CONTROL &= ~FLUSH;
        CACHE_CONTROL |= FLUSH;
        for (int i = 0; i < POLLS && (CACHE_CONTROL & FLUSHED) == 0; i++) { }
        CACHE_CONTROL &= ~FLUSH;
    }
    CACHE_CONTROL |= ENABLE;
    (void)CACHE_CONTROL; /* the store has arrived before anything is fetched from there */
    register_code_barrier();
}

RUNEC_RAM_CODE static void map(uint32_t address, uint32_t page)
{
    const runevm_flash_range whole = {address, PAGE_BYTES};
    if (!esp_cache_off()) return;
    PAGE(address) = page;
    esp_cache_on(whole);
}

/* The loader maps the program's image only. */
int esp_flash_is_mapped(void)
{
    for (uint32_t at = FLASH_START; at < FLASH_END; at += PAGE_BYTES) {
        const uint32_t page = esp_flash_offset(at) / PAGE_BYTES;
        if ((PAGE(at) & UNMAPPED) != 0) {
            esp_ram_code_load();
            map(at, page);
        }
        if (PAGE(at) != page) return 0;
    }
    return 1;
}

uint32_t esp_flash_offset(uint32_t address)
{
    return address - FLASH_START + HAL_STORAGE_OFFSET;
}
