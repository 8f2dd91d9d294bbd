/* SPDX-License-Identifier: Apache-2.0 */
/* The ESP32's part of esp.h: its clocks. Espressif's technical reference manual of the ESP32, version 5: 3.2.3 (sources and
 * dividers of CPU_CLK and APB_CLK), chapters "DPort Registers" and "RTC_CNTL"; "ESP32 Series SoC Errata", version 2.7, 3.5.
 * What a loader leaves and notes is read in ESP-IDF's bootloader_clock_init.c and rtc_clk.c. The board file gives HAL_CLOCK_FIXED
 * and HAL_CLOCK_HZ: with the first not 0 the latter is the processor's clock, and nothing changes it. */
#include "esp.h"
#include "register.h"

#define CPU_PERIOD REGISTER(0x3FF0003Cu) /* DPORT_CPU_PER_CONF_REG */
#define CLOCK_SOURCE REGISTER(0x3FF48070u) /* RTC_CNTL_CLK_CONF_REG */
#define CRYSTAL_NOTE REGISTER(0x3FF480B0u) /* RTC_CNTL_STORE4_REG */
#define CRYSTAL_DIVIDER REGISTER(0x3FF66000u) /* APB_CTRL_SYSCLK_CONF_REG */

#define PERIOD 3u
#define SOURCE (3u << 27)
#define SOURCE_PLL (1u << 27)
#define DIVIDER 0x3FFu

enum { PERIOD_80_MHZ, PERIOD_160_MHZ, PERIOD_240_MHZ, SETTLING_LOOPS = 1000, CRYSTAL_MHZ = 40 };

#define MHZ 1000000u

/* A loader notes the crystal in both halves of a register that a reset keeps; the lowest bit of each says something else. */
static uint32_t crystal_hz(void)
{
    const uint32_t note = CRYSTAL_NOTE, mhz = note & 0xFFFEu;
    const int is_valid = (note & 0xFFFFu) == note >> 16 && mhz >= 20u && mhz <= 60u;
    return (is_valid ? mhz : (uint32_t)CRYSTAL_MHZ) * MHZ;
}

RUNEC_RAM_CODE static void set_source(uint32_t period, uint32_t source)
{
    CPU_PERIOD = (CPU_PERIOD & ~PERIOD) | period;
    CRYSTAL_DIVIDER &= ~DIVIDER;
    CLOCK_SOURCE = (CLOCK_SOURCE & ~SOURCE) | source;
    for (volatile int i = 0; i < SETTLING_LOOPS; i++) { }
}

/* The loader leaves the PLL at 320 MHz and the processor at a quarter of it. Half of it needs no other voltage; 240 MHz needs
 * one and a PLL at 480 MHz, which is set up through registers that no manual describes. Who has set up that has it left: the
 * first revision may not leave it (erratum 3.5). */
esp_clocks esp_clocks_start(void)
{
    esp_clocks clocks = {HAL_CLOCK_HZ, 80u * MHZ};
    if (HAL_CLOCK_FIXED) return clocks;
    if ((CLOCK_SOURCE & SOURCE) == SOURCE_PLL) {
        if ((CPU_PERIOD & PERIOD) == PERIOD_240_MHZ) {
            clocks.cpu_hz = 240u * MHZ;
            return clocks;
        }
        esp_ram_code_load();
        set_source(PERIOD_160_MHZ, SOURCE_PLL);
        clocks.cpu_hz = 160u * MHZ;
        return clocks;
    }
    /* Without a PLL: the crystal, not divided, which both buses have. */
    esp_ram_code_load();
    set_source(PERIOD_80_MHZ, 0);
    clocks.cpu_hz = clocks.apb_hz = crystal_hz();
    return clocks;
}
