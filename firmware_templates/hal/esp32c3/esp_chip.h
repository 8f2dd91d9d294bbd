/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of the ESP32-C3 for firmware_templates/hal/esp. Espressif's technical reference manual, version 1.0:
 * chapters "IO MUX and GPIO Matrix" (with the table of its signals), "System Registers", "I2C Controller". */
#ifndef ESP_CHIP_H
#define ESP_CHIP_H

#define ESP_CLOCK_HZ_MAX 160000000u /* of the processor, for what must not be too short */

#define ESP_GPIO_BASE 0x60004000u
#define ESP_PIN0 0x074u
#define ESP_IN_SELECT0 0x154u
#define ESP_OUT_SELECT0 0x554u
#define ESP_IN_BY_MATRIX (1u << 6)
#define ESP_OWN_BIT 128u
#define ESP_PAD_GPIO (1u << 12) /* function 1 */

#define ESP_SPI1_BASE 0x60002000u
#define ESP_SPI_STATUS 0x2Cu
#define ESP_SPI_CLOCK 0x14u
#define ESP_SPI_USER 0x18u
#define ESP_SPI_DATA 0x58u
#define ESP_SPI_20_MHZ ((3u << 16) | (1u << 8) | 3u) /* every fourth of 80 MHz: period, high, low */

#define ESP_CLOCK_ENABLE 0x600C0010u /* SYSTEM_PERIP_CLK_EN0_REG */
#define ESP_RESET_ENABLE 0x600C0018u /* SYSTEM_PERIP_RST_EN0_REG */
#define ESP_I2C_SCL_SIGNAL 53u
#define ESP_I2C_SDA_SIGNAL 54u
#define ESP_I2C_FIFO (HAL_I2C_BASE + 0x1Cu)
#define ESP_I2C_UPDATE (1u << 11) /* I2C_CONF_UPGATE: what was written takes effect */

/* Operations of the command list. */
enum { ESP_I2C_WRITE = 1, ESP_I2C_STOP = 2, ESP_I2C_READ = 3, ESP_I2C_END = 4, ESP_I2C_RESTART = 6 };

static inline void esp_i2c_between_reads(void)
{
}

#endif
