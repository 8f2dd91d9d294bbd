/* SPDX-License-Identifier: Apache-2.0 */
/* I2C of runevm_hal.h on the controllers of ESP32 and ESP32-C3, as master at 100 kHz, polled. Espressif's
 * technical reference manuals of the ESP32, version 5, and of the ESP32-C3, version 1.0, chapter "I2C
 * Controller". The board file sets HAL_I2C_BASE, HAL_SCL_PIN and HAL_SDA_PIN.
 *
 * The controller executes a list of commands on the bytes of a FIFO, up to STOP, or up to END, where it holds
 * SCL low until the next list goes on. Both FIFOs hold 32 bytes, so longer transfers use several lists. */
#include "esp.h"
#include "esp_chip.h"
#include "register.h"
#include "runevm_hal.h"

#define CONTROL REGISTER(HAL_I2C_BASE + 0x04u)
#define FIFO_SETTINGS REGISTER(HAL_I2C_BASE + 0x18u)
#define RECEIVED REGISTER(HAL_I2C_BASE + 0x1Cu)
#define EVENTS REGISTER(HAL_I2C_BASE + 0x20u)
#define EVENTS_CLEAR REGISTER(HAL_I2C_BASE + 0x24u)
#define COMMAND(number) REGISTER(HAL_I2C_BASE + 0x58u + 4u * (number))

#define CLOCK_AND_RESET_BIT (1u << 7) /* I2C_EXT0, in either register of either chip */
/* Registers clocked, master, and pins that are let go and not driven high. On an ESP32-C3, where these are 1
 * after a reset: no arbitration, since the bus has one master; and bytes are acknowledged even if the FIFO is full. */
#define MASTER ((1u << 8) | (1u << 4) | (1u << 1) | (1u << 0))
#define START (1u << 5)
#define FIFO_RESETS ((1u << 13) | (1u << 12))
#define ENDED (1u << 3)
#define STOPPED (1u << 7)
#define FAILED ((1u << 5) | (1u << 8) | (1u << 10)) /* arbitration lost, time-out, no acknowledge */

/* Commands: operation, expected acknowledge, sent acknowledge, number of bytes. */
#define COMMAND_OF(operation) ((uint32_t)(operation) << 11)
#define RESTART COMMAND_OF(ESP_I2C_RESTART)
#define WRITE(bytes) (COMMAND_OF(ESP_I2C_WRITE) | (1u << 8) | (uint32_t)(bytes))
#define READ(bytes) (COMMAND_OF(ESP_I2C_READ) | (uint32_t)(bytes))
#define READ_LAST (COMMAND_OF(ESP_I2C_READ) | (1u << 10) | 1u)
#define END COMMAND_OF(ESP_I2C_END)
#define STOP COMMAND_OF(ESP_I2C_STOP)

/* 32 bytes take 3 ms, and a part may hold SCL low until the controller's own time-out, 13 ms. */
enum { FIFO_BYTES = 32, READ_BYTES_MAX = 255, LIST_MS_MAX = 25, CLOCKS_OF_A_BYTE = 9 };

/* At least 5 us: each round takes more than four cycles. */
static void half_a_period(void)
{
    for (volatile uint32_t i = 0; i < ESP_CLOCK_HZ_MAX / 800000u; i++) { }
}

static void scl(int level)
{
    half_a_period();
    runevm_hal_pin_write(HAL_SCL_PIN, level);
    half_a_period();
}

/* An interrupted part may hold SDA low until it has sent its byte: clock it manually, and
 * a stop (NXP's UM10204, 3.1.16). */
static void clear_bus(void)
{
    esp_pin_drain(HAL_SCL_PIN, ESP_OWN_BIT);
    esp_pin_drain(HAL_SDA_PIN, ESP_OWN_BIT);
    half_a_period();
    for (int i = 0; i < CLOCKS_OF_A_BYTE && !esp_pin_level(HAL_SDA_PIN); i++) {
        scl(0);
        scl(1);
    }
    scl(0);
    runevm_hal_pin_write(HAL_SDA_PIN, 0);
    scl(1);
    runevm_hal_pin_write(HAL_SDA_PIN, 1);
    half_a_period();
}

void runevm_hal_i2c_init(void)
{
    clear_bus();
    REGISTER(ESP_CLOCK_ENABLE) |= CLOCK_AND_RESET_BIT;
    REGISTER(ESP_RESET_ENABLE) |= CLOCK_AND_RESET_BIT;
    REGISTER(ESP_RESET_ENABLE) &= ~CLOCK_AND_RESET_BIT;
    CONTROL = MASTER;
    esp_i2c_times();
    CONTROL = MASTER | ESP_I2C_UPDATE;
    FIFO_SETTINGS |= FIFO_RESETS;
    FIFO_SETTINGS &= ~FIFO_RESETS;
    esp_pin_drain(HAL_SCL_PIN, ESP_I2C_SCL_SIGNAL);
    esp_pin_drain(HAL_SDA_PIN, ESP_I2C_SDA_SIGNAL);
}

/* Pull-ups may need a few microseconds. */
static int bus_is_free(void)
{
    for (int i = 0; i < 4; i++) {
        if (esp_pin_level(HAL_SCL_PIN) && esp_pin_level(HAL_SDA_PIN)) return 1;
        half_a_period();
    }
    return 0;
}

static void fill(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) REGISTER(ESP_I2C_FIFO) = bytes[i];
}

static void take(uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bytes[i] = (uint8_t)RECEIVED;
        esp_i2c_between_reads();
    }
}

/* Executes a list up to its last command, which is END or STOP: 0, or -1. */
static int execute(const uint32_t *list, uint32_t length)
{
    const uint32_t done = list[length - 1u] == STOP ? STOPPED : ENDED;
    const uint32_t began = runevm_hal_milliseconds();
    for (uint32_t i = 0; i < length; i++) COMMAND(i) = list[i];
    EVENTS_CLEAR = ~0u;
    CONTROL = MASTER | ESP_I2C_UPDATE;
    CONTROL = MASTER | START;
    while (runevm_hal_milliseconds() - began <= LIST_MS_MAX) {
        const uint32_t events = EVENTS;
        if ((events & FAILED) != 0) return -1;
        if ((events & done) != 0) return 0;
    }
    return -1;
}

#define LENGTH(list) ((uint32_t)(sizeof(list) / sizeof((list)[0])))

static int write(uint8_t address, const uint8_t *bytes, size_t length)
{
    const uint8_t part = (uint8_t)(address << 1);
    const uint32_t call[] = {RESTART, WRITE(1), END};
    const uint32_t send[] = {WRITE(length), STOP};
    fill(&part, 1);
    if (execute(call, LENGTH(call)) != 0) return -1;
    fill(bytes, length);
    return execute(send, LENGTH(send));
}

static int read(uint8_t address, uint8_t first, uint8_t *bytes, size_t length)
{
    const uint8_t part[] = {(uint8_t)(address << 1), first, (uint8_t)((address << 1) | 1)};
    const uint32_t call[] = {RESTART, WRITE(2), RESTART, WRITE(1), END};
    const uint32_t full[] = {READ(FIFO_BYTES), END};
    fill(part, sizeof part);
    if (execute(call, LENGTH(call)) != 0) return -1;
    for (; length > FIFO_BYTES; length -= FIFO_BYTES, bytes += FIFO_BYTES) {
        if (execute(full, LENGTH(full)) != 0) return -1;
        take(bytes, FIFO_BYTES);
    }
    /* The last byte is not acknowledged. Reading no bytes would never end. */
    const uint32_t rest[] = {READ(length - 1), READ_LAST, STOP};
    const uint32_t begun = length > 1 ? 0 : 1;
    if (execute(rest + begun, LENGTH(rest) - begun) != 0) return -1;
    take(bytes, length);
    return 0;
}

/* A line that stays low looks like acknowledges and zeros, so both are looked at before and after. */
static int begin(void)
{
    if (!bus_is_free()) runevm_hal_i2c_init();
    return bus_is_free() ? 0 : -1;
}

static int end(int result)
{
    if (result == 0 && bus_is_free()) return 0;
    runevm_hal_i2c_init(); /* a controller that was refused an acknowledge may hold SCL low for ever */
    return -1;
}

int runevm_hal_i2c_write(uint8_t address, const uint8_t *bytes, size_t length)
{
    if (length == 0 || length > FIFO_BYTES || begin() != 0) return -1;
    return end(write(address, bytes, length));
}

int runevm_hal_i2c_read(uint8_t address, uint8_t first, uint8_t *bytes, size_t length)
{
    if (length == 0 || length > READ_BYTES_MAX || begin() != 0) return -1;
    return end(read(address, first, bytes, length));
}
