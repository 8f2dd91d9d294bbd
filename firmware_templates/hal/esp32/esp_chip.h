/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of the ESP32 for firmware_templates/hal/esp. Espressif's technical reference manual of the ESP32,
 * version 5: chapters "IO_MUX and GPIO Matrix" (with the table of its signals), "DPort Registers", "I2C
 * Controller"; "ESP32 Series SoC Errata", version 2.7. */
#ifndef ESP_CHIP_H
#define ESP_CHIP_H

#define ESP_CLOCK_HZ_MAX 240000000u /* of the processor, for what must not be too short */

#define ESP_GPIO_BASE 0x3FF44000u
#define ESP_PIN0 0x088u
#define ESP_IN_SELECT0 0x130u
#define ESP_OUT_SELECT0 0x530u
#define ESP_IN_BY_MATRIX (1u << 7)
#define ESP_OWN_BIT 256u
#define ESP_PAD_GPIO (2u << 12) /* function 2 */

#define ESP_SPI1_BASE 0x3FF42000u
#define ESP_SPI_STATUS 0x10u
#define ESP_SPI_CLOCK 0x18u
#define ESP_SPI_USER 0x1Cu
#define ESP_SPI_DATA 0x80u
#define ESP_SPI_20_MHZ ((3u << 12) | (1u << 6) | 3u) /* every fourth of the APB's 80 MHz: period, high, low */

#define ESP_CLOCK_ENABLE 0x3FF000C0u /* DPORT_PERIP_CLK_EN_REG */
#define ESP_RESET_ENABLE 0x3FF000C4u /* DPORT_PERIP_RST_EN_REG */
#define ESP_I2C_SCL_SIGNAL 29u
#define ESP_I2C_SDA_SIGNAL 30u
/* Written by its address on the other bus: by the first one bytes in a row get lost (errata, 3.3 and 3.18). */
#define ESP_I2C_FIFO 0x6001301Cu
#define ESP_I2C_UPDATE 0u /* writes take effect at once */

/* Operations of the command list. */
enum { ESP_I2C_RESTART = 0, ESP_I2C_WRITE = 1, ESP_I2C_READ = 2, ESP_I2C_STOP = 3, ESP_I2C_END = 4 };

/* A second read that comes too soon returns the same byte again (errata, 3.16: seven at 240 MHz). */
static inline void esp_i2c_between_reads(void)
{
    __asm volatile("nop; nop; nop; nop; nop; nop; nop");
}

#endif
