/* A program of nothing but the HAL: takes commands of one letter, answers in hexadecimal. */
#include "console.h"
#include "firmware.h"
#include "runevm_hal.h"

static int initialised = 0x1234;
static int zeroed;

static int next(void)
{
    int byte;
    do byte = runec_console_read();
    while (byte < 0);
    return byte;
}

static void put(uint32_t value, unsigned digits)
{
    while (digits-- > 0) {
        const uint8_t digit = (uint8_t)"0123456789abcdef"[(value >> (4u * digits)) & 15u];
        runec_console_write(&digit, 1);
    }
}

static void end(void)
{
    runec_console_write((const uint8_t *)"\n", 1);
}

static void read_registers(void)
{
    uint8_t bytes[255];
    const uint8_t address = (uint8_t)next(), first = (uint8_t)next();
    const size_t length = (size_t)next();
    const int result = runevm_hal_i2c_read(address, first, bytes, length);
    put(result == 0 ? 0u : 0xEu, 1);
    for (size_t i = 0; result == 0 && i < length; i++) put(bytes[i], 2);
    end();
}

static void write_register(void)
{
    const uint8_t address = (uint8_t)next();
    uint8_t bytes[2];
    bytes[0] = (uint8_t)next();
    bytes[1] = (uint8_t)next();
    put(runevm_hal_i2c_write(address, bytes, 2) == 0 ? 0u : 0xEu, 1);
    end();
}

void runec_firmware_serve(void)
{
}

void runec_firmware_start(runec_stack stack)
{
    uint32_t bits = 0;
    (void)stack;
    runevm_hal_init();
    runec_console_init();
    for (;;) {
        switch (next()) {
        case 'm': /* memory: .data, .bss */
            put((uint32_t)initialised, 4);
            put((uint32_t)zeroed, 4);
            initialised = zeroed = 0x5555;
            end();
            break;
        case 't':
            put(runevm_hal_milliseconds(), 8);
            put(runevm_hal_ticks(), 8);
            end();
            break;
        case 'r': {
            const int result = runevm_hal_random(&bits);
            put(result == 0 ? 0u : 0xEu, 1);
            put(bits, 8);
            end();
            break;
        }
        case 'i': runevm_hal_i2c_init(); put(0, 1); end(); break;
        case 'g': read_registers(); break;
        case 'p': write_register(); break;
        case 'o': { /* a pin becomes an output, and gets the other level */
            const uint32_t pin = (uint32_t)next();
            runevm_hal_pin_configure(pin, next());
            put(0, 1);
            end();
            break;
        }
        case 'w': {
            const uint32_t pin = (uint32_t)next();
            runevm_hal_pin_write(pin, next());
            put(0, 1);
            end();
            break;
        }
        case 'f': /* a read where nothing is: must end in a restart, not in silence */
            (void)*(volatile uint32_t *)0xF0F0F0F0u;
            break;
        case 'x': runevm_hal_reset();
        default: put(0xEEEE, 4); end();
        }
    }
}
