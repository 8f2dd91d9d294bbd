// SPDX-License-Identifier: Apache-2.0
/* runevm_hal.h and the firmware's entry on every core that has Arduino's API; nothing else is used. Restarting
 * the chip is no part of that API, and nothing here needs it: faults are handled by the core.
 * The project provides HAL_BAUD, HAL_STACK_BYTES and HAL_CORE_STACK_BYTES (stack of the core above setup()), and
 * HAL_RX_PIN and HAL_TX_PIN if the variant of the core has Serial on other pins. */
#include <Arduino.h>

extern "C" {
#include "firmware.h"
}
#include "runevm_hal.h"
#include "runevm_limits.h"

/* The task of the ESP32's core that runs setup() and loop() calls this for the size of its stack. */
size_t getArduinoLoopTaskStackSize(void);

size_t getArduinoLoopTaskStackSize(void)
{
    return HAL_STACK_BYTES + HAL_CORE_STACK_BYTES;
}

#if defined(ARDUINO_ARCH_ESP32) || defined(ARDUINO_NRF52_ADAFRUIT)

/* These cores run setup() and loop() in a task of FreeRTOS, which fills its stack with a pattern. */
static uint32_t stack_used_bytes(void *)
{
    const uint32_t size = HAL_STACK_BYTES + HAL_CORE_STACK_BYTES;
    const uint32_t unused = static_cast<uint32_t>(uxTaskGetStackHighWaterMark(nullptr) * sizeof(StackType_t));
    return unused < size ? size - unused : 0;
}

static void paint_stack(const uint8_t *)
{
}

#elif defined(ARDUINO_ARCH_STM32) || defined(ARDUINO_ARCH_NRF5)

/* These run it on the chip's own stack, with nothing below it, which the build checks. */
enum { STACK_PATTERN = 0xA5, STACK_SLACK = 128 };

static const uint8_t *stack_top;

static uint32_t stack_used_bytes(void *)
{
    const volatile uint8_t *at = stack_top - HAL_STACK_BYTES;
    while (at < stack_top && *at == STACK_PATTERN) at++;
    return static_cast<uint32_t>(stack_top - at);
}

static void paint_stack(const uint8_t *top)
{
    stack_top = top;
    for (volatile uint8_t *at = const_cast<uint8_t *>(top) - HAL_STACK_BYTES; at < top - STACK_SLACK; at++) {
        *at = STACK_PATTERN;
    }
}

#else

/* The memory around the stack of other cores is unknown. */
static uint32_t (*const stack_used_bytes)(void *) = nullptr;

static void paint_stack(const uint8_t *)
{
}

#endif

void runevm_hal_init(void)
{
#if defined(ARDUINO_ARCH_ESP32) && defined(CONFIG_FREERTOS_UNICORE)
    /* With one core a run keeps the idle task, which a watchdog of 5 s looks at, from running; runs have a time budget. */
    disableCore0WDT();
#endif
#ifdef HAL_RX_PIN
    Serial.setPins(HAL_RX_PIN, HAL_TX_PIN);
#endif
    Serial.begin(HAL_BAUD);
}

int runevm_hal_read(void)
{
    return Serial.read();
}

void runevm_hal_write(const uint8_t *bytes, size_t length)
{
    /* A USB port without a host accepts nothing; the bytes are dropped. */
    uint32_t since = runevm_hal_milliseconds();
    while (length > 0) {
        const size_t taken = Serial.write(bytes, length);
        bytes += taken;
        length -= taken;
        if (taken > 0) {
            since = runevm_hal_milliseconds();
        } else if (runevm_hal_milliseconds() - since >= RUNEVM_RTT_WAIT_MS) {
            return;
        } else {
            yield();
        }
    }
}

uint32_t runevm_hal_milliseconds(void)
{
    return static_cast<uint32_t>(millis());
}

uint32_t runevm_hal_ticks(void)
{
    return static_cast<uint32_t>(micros());
}

void runevm_hal_pin_configure(uint32_t pin, int level)
{
    pinMode(pin, OUTPUT);
    runevm_hal_pin_write(pin, level);
}

void runevm_hal_pin_write(uint32_t pin, int level)
{
    digitalWrite(pin, level ? HIGH : LOW);
}

void setup()
{
    uint8_t *here = static_cast<uint8_t *>(__builtin_frame_address(0));
    runec_stack stack = {here - HAL_STACK_BYTES, stack_used_bytes};
    paint_stack(here);
    runec_firmware_start(stack);
}

void loop()
{
    runec_firmware_serve();
}
