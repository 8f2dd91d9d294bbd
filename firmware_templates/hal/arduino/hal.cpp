/* runevm_hal.h and the firmware's entry on every core that has Arduino's API; nothing else is used. Restarting
 * the chip is no part of that API, and nothing here needs it: faults are handled by the core.
 * The project gives HAL_BAUD and HAL_STACK_BYTES. */
#include <Arduino.h>

extern "C" {
#include "firmware.h"
}
#include "runevm_hal.h"

/* The task of the ESP32's core that runs setup() and loop() asks for the size of its stack. */
size_t getArduinoLoopTaskStackSize(void);

size_t getArduinoLoopTaskStackSize(void)
{
    const size_t of_the_core = 2048;
    return HAL_STACK_BYTES + of_the_core;
}

void runevm_hal_init(void)
{
    Serial.begin(HAL_BAUD);
}

int runevm_hal_read(void)
{
    return Serial.read();
}

void runevm_hal_write(const uint8_t *bytes, size_t length)
{
    while (length > 0) {
        const size_t taken = Serial.write(bytes, length);
        bytes += taken;
        length -= taken;
        if (taken == 0) yield();
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
    runec_stack stack = {here - HAL_STACK_BYTES, nullptr};
    runec_firmware_start(stack);
}

void loop()
{
    runec_firmware_serve();
}
