/* What ESP32 and ESP32-C3 share: pins through the GPIO matrix, and the I2C controller. The numbers in which
 * they differ stand in esp_chip.h of the chip's folder. */
#ifndef ESP_H
#define ESP_H

#include <stdint.h>

/* Makes a pin an open drain, pulled up, that is read as well: driven by a signal of the matrix, or by the
 * pin's own bit (ESP_OWN_BIT), which begins with high. */
void esp_pin_drain(uint32_t pin, uint32_t signal);

/* 1 when the pin is high. */
int esp_pin_level(uint32_t pin);

/* Of the chip: the pad's register of the IO MUX, 0 where there is none. */
uint32_t esp_pad(uint32_t pin);

/* Of the chip: the times of the I2C controller, which was reset, for 100 kHz. */
void esp_i2c_times(void);

#endif
