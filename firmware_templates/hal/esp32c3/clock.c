/* SPDX-License-Identifier: Apache-2.0 */
/* The ESP32-C3's part of esp.h: its clocks. Espressif's technical reference manual, version 1.0: 6.2.4 (sources and dividers of
 * CPU_CLK), chapters "System Registers" and "Low-power Management"; SPI0, through which the program is read, stands in
 * Espressif's headers and SVD file alone. */
#include "esp.h"
#include "register.h"

#define RTC_OPTIONS0 REGISTER(0x60008000u)
#define CPU_PERIOD REGISTER(0x600C0008u) /* SYSTEM_CPU_PER_CONF_REG */
#define CLOCK_SOURCE REGISTER(0x600C0058u) /* SYSTEM_SYSCLK_CONF_REG */
#define FLASH_CLOCK REGISTER(0x60003014u) /* SPI_MEM_CLOCK_REG of SPI0 */

#define PLL_IS_OFF ((1u << 10) | (1u << 8) | (1u << 6)) /* forced: PLL, its bus, the bus's master */
#define PERIOD_160_MHZ ((1u << 2) | 1u) /* of a PLL of 480 MHz */
#define PERIOD 7u
#define SOURCE_PLL (1u << 10)
#define SOURCE (3u << 10)
#define DIVIDER 0x3FFu
#define FLASH_NOT_DIVIDED (1u << 31)
#define FLASH_HALF ((1u << 16) | 1u) /* a period of two: half high, half low */

#define MHZ 1000000u
#define CRYSTAL_HZ (40u * MHZ) /* this chip takes no other */

/* The clock of flash follows: 80 MHz divided, where it was the crystal divided. */
RUNEC_RAM_CODE static void to_pll(void)
{
    if ((FLASH_CLOCK & FLASH_NOT_DIVIDED) != 0) FLASH_CLOCK = FLASH_HALF;
    CPU_PERIOD = (CPU_PERIOD & ~PERIOD) | PERIOD_160_MHZ;
    CLOCK_SOURCE = (CLOCK_SOURCE & ~(SOURCE | DIVIDER)) | SOURCE_PLL;
}

/* The boot ROM leaves the processor on the crystal, and the PLL running for the chip's USB. */
esp_clocks esp_clocks_start(void)
{
    esp_clocks clocks = {160u * MHZ, 80u * MHZ};
    esp_ram_code_load();
    if ((RTC_OPTIONS0 & PLL_IS_OFF) == 0) {
        to_pll();
    } else {
        CLOCK_SOURCE &= ~(SOURCE | DIVIDER);
        clocks.cpu_hz = clocks.apb_hz = CRYSTAL_HZ;
    }
    return clocks;
}
