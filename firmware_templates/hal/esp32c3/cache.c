/* SPDX-License-Identifier: Apache-2.0 */
/* The ESP32-C3's part of hal/esp/spi_flash.c: its cache, whose registers stand in Espressif's headers and SVD file
 * alone (EXTMEM). A program without a loader sees flash as it is, from the start of either bus's window on: the boot
 * ROM maps 4 MiB so. */
#include "esp.h"
#include "flash.h"
#include "register.h"

#define CACHE_CONTROL REGISTER(0x600C4000u)  /* EXTMEM_ICACHE_CTRL_REG */
#define SYNC_CONTROL REGISTER(0x600C4028u)   /* EXTMEM_ICACHE_SYNC_CTRL_REG */
#define SYNC_ADDRESS REGISTER(0x600C402Cu)
#define SYNC_LINES REGISTER(0x600C4030u)
#define AUTOLOAD REGISTER(0x600C4040u)       /* EXTMEM_ICACHE_AUTOLOAD_CTRL_REG */
#define CACHE_STATE (REGISTER(0x600C40B0u) & 0xFFFu) /* EXTMEM_CACHE_STATE_REG */

#define DATA_WINDOW 0x3C000000u
#define ENABLE (1u << 0)
#define FORGET (1u << 0)
#define FORGOTTEN (1u << 1)
#define LOADS_AHEAD (1u << 2)
#define LOADED (1u << 3)
#define IDLE 1u

enum { LINE_BYTES = 32, POLLS = 100000 };

static uint32_t loads_ahead;

RUNEC_RAM_CODE int esp_cache_off(void)
{
    const runevm_flash_range nothing = {0, 0};
    loads_ahead = AUTOLOAD & LOADS_AHEAD;
    AUTOLOAD &= ~LOADS_AHEAD;
    for (int i = 0; i < POLLS && (AUTOLOAD & LOADED) == 0; i++) { }
    CACHE_CONTROL &= ~ENABLE;
    for (int i = 0; i < POLLS; i++) {
        if (CACHE_STATE == IDLE) return 1;
    }
    esp_cache_on(nothing);
    return 0;
}

RUNEC_RAM_CODE void esp_cache_on(runevm_flash_range changed)
{
    if (changed.size_bytes > 0) {
        SYNC_ADDRESS = changed.first & ~(LINE_BYTES - 1u);
        SYNC_LINES = (changed.size_bytes + LINE_BYTES - 1u) / LINE_BYTES;
        SYNC_CONTROL |= FORGET;
        for (int i = 0; i < POLLS && (SYNC_CONTROL & FORGOTTEN) == 0; i++) { }
    }
    CACHE_CONTROL |= ENABLE;
    AUTOLOAD |= loads_ahead;
}

int esp_flash_is_mapped(void)
{
    return 1;
}

uint32_t esp_flash_offset(uint32_t address)
{
    return address - DATA_WINDOW;
}
