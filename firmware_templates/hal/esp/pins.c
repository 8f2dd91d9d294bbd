/* SPDX-License-Identifier: Apache-2.0 */
/* Pins of ESP32 and ESP32-C3. Espressif's technical reference manuals of the ESP32, version 5, and of the
 * ESP32-C3, version 1.0, chapters "IO_MUX and GPIO Matrix" and "IO MUX and GPIO Matrix". Pins from 32 on,
 * which the ESP32 alone has, stand in a second bank of registers. Its pads that are RTC_GPIO as well cannot be
 * pulled up from here (ESP32 Series SoC Errata, 3.6). */
#include "esp.h"
#include "esp_chip.h"
#include "register.h"
#include "runevm_hal.h"

#define BANK(offset, stride, pin) REGISTER(ESP_GPIO_BASE + (offset) + (stride) * ((pin) / 32u))
#define OUT_SET(pin) BANK(0x08u, 12u, pin)
#define OUT_CLEAR(pin) BANK(0x0Cu, 12u, pin)
#define ENABLE_SET(pin) BANK(0x24u, 12u, pin)
#define IN(pin) BANK(0x3Cu, 4u, pin)
#define PIN(pin) REGISTER(ESP_GPIO_BASE + ESP_PIN0 + 4u * (pin))
#define IN_SELECT(signal) REGISTER(ESP_GPIO_BASE + ESP_IN_SELECT0 + 4u * (signal))
#define OUT_SELECT(pin) REGISTER(ESP_GPIO_BASE + ESP_OUT_SELECT0 + 4u * (pin))
#define BIT(pin) (1u << ((pin) % 32u))

#define OPEN_DRAIN (1u << 2)      /* GPIO_PINn_PAD_DRIVER */
#define PULL_UP (1u << 8)         /* IO_MUX_FUN_WPU */
#define INPUT (1u << 9)           /* IO_MUX_FUN_IE */
#define STRENGTH_2_OF_3 (2u << 10)

void runevm_hal_pin_write(uint32_t pin, int level)
{
    if (level) {
        OUT_SET(pin) = BIT(pin);
    } else {
        OUT_CLEAR(pin) = BIT(pin);
    }
}

void runevm_hal_pin_configure(uint32_t pin, int level)
{
    const uint32_t pad = esp_pad(pin);
    if (pad == 0) return;
    runevm_hal_pin_write(pin, level);
    PIN(pin) = 0;
    OUT_SELECT(pin) = ESP_OWN_BIT;
    REGISTER(pad) = ESP_PAD_GPIO | STRENGTH_2_OF_3;
    ENABLE_SET(pin) = BIT(pin);
}

void esp_pin_drain(uint32_t pin, uint32_t signal)
{
    const uint32_t pad = esp_pad(pin);
    if (pad == 0) return;
    runevm_hal_pin_write(pin, 1);
    PIN(pin) = OPEN_DRAIN;
    OUT_SELECT(pin) = signal;
    if (signal != ESP_OWN_BIT) IN_SELECT(signal) = ESP_IN_BY_MATRIX | pin;
    REGISTER(pad) = ESP_PAD_GPIO | STRENGTH_2_OF_3 | INPUT | PULL_UP;
    ENABLE_SET(pin) = BIT(pin);
}

int esp_pin_level(uint32_t pin)
{
    return (IN(pin) & BIT(pin)) != 0;
}
