/* SPDX-License-Identifier: Apache-2.0 */
/* I2C of runevm_hal.h on an STM32 controller of the first version, as master at 100 kHz, polled:
 * ST's RM0090, 27.3.3 and 27.6; RM0368, 18.3.3; RM0008, 26.3.3 and 26.6. Reading ends as these say
 * for a master that is not held up: while the last byte is on its way, 90 us, nothing else happens here.
 * CR1 is not written while START or STOP is pending: a second one could follow (note in RM0090, 27.6.1). */
#include "register.h"
#include "runevm_hal.h"
#include "stm32.h"

#define I2C_CR1 REGISTER(HAL_I2C_BASE + 0x00u)
#define I2C_CR2 REGISTER(HAL_I2C_BASE + 0x04u)
#define I2C_DR REGISTER(HAL_I2C_BASE + 0x10u)
#define I2C_SR1 REGISTER(HAL_I2C_BASE + 0x14u)
#define I2C_SR2 REGISTER(HAL_I2C_BASE + 0x18u)
#define I2C_CCR REGISTER(HAL_I2C_BASE + 0x1Cu)
#define I2C_TRISE REGISTER(HAL_I2C_BASE + 0x20u)

#define PE (1u << 0)
#define START (1u << 8)
#define STOP (1u << 9)
#define ACK (1u << 10)
#define SWRST (1u << 15)
#define SB (1u << 0)
#define ADDR (1u << 1)
#define BTF (1u << 2)
#define RXNE (1u << 6)
#define TXE (1u << 7)
#define FAILED ((1u << 8) | (1u << 9) | (1u << 10)) /* bus error, arbitration lost, no acknowledge */
#define BUSY (1u << 1)

enum { BUS_HZ = 100000, POLLS = 20000 };

static uint32_t bus_clock_hz;

void stm32_i2c_start(uint32_t clock_hz)
{
    const uint32_t megahertz = clock_hz / 1000000u;
    bus_clock_hz = clock_hz;
    I2C_CR1 = SWRST; /* a part that was cut short may have left the controller busy */
    I2C_CR1 = 0;
    I2C_CR2 = megahertz;
    I2C_CCR = clock_hz / (2u * BUS_HZ);
    I2C_TRISE = megahertz + 1u; /* 1000 ns */
    I2C_CR1 = PE;
}

/* Waits until the controller has sent STOP; it begins anew where it does not. */
static void stop_is_sent(void)
{
    for (int i = 0; i < POLLS; i++) {
        if ((I2C_CR1 & STOP) == 0) return;
    }
    stm32_i2c_start(bus_clock_hz);
}

static void let_go(void)
{
    I2C_SR1 = 0;
    if ((I2C_CR1 & (START | STOP)) == 0) I2C_CR1 = PE | STOP;
    if ((I2C_CR1 & START) != 0) {
        stm32_i2c_start(bus_clock_hz); /* nothing else takes START back */
    } else {
        stop_is_sent();
    }
}

/* Waits for a flag of SR1: 0, or -1 after a failure, with the bus let go. */
static int await(uint32_t flag)
{
    for (int i = 0; i < POLLS; i++) {
        const uint32_t status = I2C_SR1;
        if ((status & FAILED) != 0) break;
        if ((status & flag) != 0) return 0;
    }
    let_go();
    return -1;
}

static int start(uint8_t address, uint32_t direction)
{
    I2C_CR1 |= START;
    if (await(SB) != 0) return -1;
    I2C_DR = ((uint32_t)address << 1) | direction;
    return await(ADDR);
}

/* With SR1 read before, reading SR2 takes ADDR away. */
static void go_on(void)
{
    const uint32_t status = I2C_SR2;
    (void)status;
}

static int send(const uint8_t *bytes, size_t length)
{
    go_on();
    for (size_t i = 0; i < length; i++) {
        if (await(TXE) != 0) return -1;
        I2C_DR = bytes[i];
    }
    return await(BTF);
}

static int bus_is_free(void)
{
    for (int i = 0; i < POLLS; i++) {
        if ((I2C_SR2 & BUSY) == 0) return 1;
    }
    return 0;
}

int runevm_hal_i2c_write(uint8_t address, const uint8_t *bytes, size_t length)
{
    if (length == 0 || !bus_is_free()) return -1;
    if (start(address, 0) != 0 || send(bytes, length) != 0) return -1;
    I2C_CR1 |= STOP;
    stop_is_sent();
    return 0;
}

static int receive(uint8_t *bytes, size_t length)
{
    /* The last byte is not acknowledged, and stop follows it: both must be asked for before it is there. */
    if (length == 1) I2C_CR1 &= ~ACK;
    go_on(); /* the first byte begins */
    if (length == 1) I2C_CR1 |= STOP;
    for (size_t i = 0; i < length; i++) {
        if (await(RXNE) != 0) return -1;
        bytes[i] = (uint8_t)I2C_DR;
        if (i + 2 == length) I2C_CR1 = (I2C_CR1 & ~ACK) | STOP;
    }
    return 0;
}

int runevm_hal_i2c_read(uint8_t address, uint8_t first, uint8_t *bytes, size_t length)
{
    int result;
    if (length == 0 || !bus_is_free()) return -1;
    if (start(address, 0) != 0 || send(&first, 1) != 0) return -1;
    I2C_CR1 |= ACK;
    if (start(address, 1) != 0) return -1;
    result = receive(bytes, length);
    if (result == 0) stop_is_sent();
    I2C_CR1 &= ~ACK;
    return result;
}
