/* A program of nothing but the HAL, for its flash: takes commands of one letter and numbers of four bytes, lowest
 * first; answers in hexadecimal. */
#include "firmware.h"
#include "runevm_hal.h"

/* A byte and 256, from a simulator whose UART receives nothing; 0 when it is taken. */
volatile uint32_t probe_mailbox;

static uint32_t next(void)
{
    int byte;
    do {
        byte = runevm_hal_read();
        if (probe_mailbox != 0) {
            byte = (int)(probe_mailbox & 0xFFu);
            probe_mailbox = 0;
        }
    } while (byte < 0);
    return (uint32_t)byte;
}

static uint32_t number(void)
{
    uint32_t value = next();
    value |= next() << 8;
    value |= next() << 16;
    return value | next() << 24;
}

static void put(uint32_t value)
{
    for (unsigned digits = 8; digits-- > 0;) {
        const uint8_t digit = (uint8_t)"0123456789abcdef"[(value >> (4u * digits)) & 15u];
        runevm_hal_write(&digit, 1);
    }
}

static void put_range(runevm_flash_range range)
{
    put(range.first);
    put(range.size_bytes);
}

/* What is written, in .data, whose first values are the last of the program in flash. */
static uint8_t bytes[256] = {1};

static runevm_flash_status write_flash(void)
{
    const uint32_t address = number(), length = number();
    for (uint32_t i = 0; i < length && i < sizeof bytes; i++) bytes[i] = (uint8_t)next();
    return runevm_hal_flash_write(address, bytes, length);
}

void runec_firmware_serve(void)
{
}

void runec_firmware_start(runec_stack stack)
{
    (void)stack;
    runevm_hal_init();
    runevm_hal_write((const uint8_t *)"ready\n", 6); /* who sends before this is not heard everywhere */
    for (;;) {
        switch (next()) {
        case 's': put_range(runevm_hal_flash_sector(number())); break;
        case 'f': put_range(runevm_hal_flash_free()); break;
        case 'e': put((uint32_t)runevm_hal_flash_erase(number())); break;
        case 'w': put((uint32_t)write_flash()); break;
        default: put(0xEEEEEEEEu);
        }
        runevm_hal_write((const uint8_t *)"\n", 1);
    }
}
