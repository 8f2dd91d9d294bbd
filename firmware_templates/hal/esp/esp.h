/* SPDX-License-Identifier: Apache-2.0 */
/* What ESP32 and ESP32-C3 share: pins through the GPIO matrix, the I2C controller, and flash. The numbers in which
 * they differ stand in esp_chip.h of the chip's folder. */
#ifndef ESP_H
#define ESP_H

#include <stdint.h>

#include "runevm_hal.h"

/* Makes a pin an open drain, pulled up, that is read as well: driven by a signal of the matrix, or by the
 * pin's own bit (ESP_OWN_BIT), which begins with high. */
void esp_pin_drain(uint32_t pin, uint32_t signal);

/* 1 when the pin is high. */
int esp_pin_level(uint32_t pin);

/* Of the chip: the pad's register of the IO MUX, or 0. */
uint32_t esp_pad(uint32_t pin);

/* Of the chip: the times of the I2C controller, which was reset, for 100 kHz. */
void esp_i2c_times(void);

/* A function that runs from RAM, once esp_ram_code_load() has put it there, because flash is away meanwhile. It may
 * call nothing but its like, and read no constants that the compiler puts into flash: a test looks. */
#define RUNEC_RAM_CODE __attribute__((section(".ram_code"), noinline))
void esp_ram_code_load(void);

/* Of the chip, from RAM: its cache off, 1, or 0 when it does not come to rest; on again, with nothing in it of what
 * was changed. */
int esp_cache_off(void);
void esp_cache_on(runevm_flash_range changed);

/* Of the chip: where in flash the byte at an address lies; 1 when flash can be read from FLASH_START on. */
uint32_t esp_flash_offset(uint32_t address);
int esp_flash_is_mapped(void);

#endif
