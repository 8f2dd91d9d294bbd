/* SPDX-License-Identifier: Apache-2.0 */
#include "selftest.h"

#include <string.h>

#include "crc32.h"
#include "runevm_hal.h"
#include "selftest_chip.h"

/* Sub-tests, and the first byte of an answer. */
enum { ECHO, FACTS, CLOCK, CRC, SECOND_CLOCK, PIN, I2C_SCAN, I2C_READ, RANDOM, FAULT, RESTART };
enum { DONE = 0, ABSENT = 1, MALFORMED = 2, FAILED = 3 };
enum { PIN_LEVEL, PIN_LOW, PIN_HIGH, PIN_RELEASE };
enum { CACHE_AS_IT_IS, CACHE_OFF };
enum { CACHE_IS_OFF, CACHE_IS_ON, CACHE_ABSENT };

#define I2C_FIRST 0x08u
#define I2C_LAST 0x77u

static uint32_t get_u32(const uint8_t *at)
{
    return at[0] | ((uint32_t)at[1] << 8) | ((uint32_t)at[2] << 16) | ((uint32_t)at[3] << 24);
}

static uint8_t *put_u32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++) *at++ = (uint8_t)(value >> (8 * i));
    return at;
}

/* u8 length, bytes. */
static uint8_t *put_text(uint8_t *at, const char *text)
{
    size_t length = strlen(text);
    if (length > SELFTEST_NAME_BYTES_MAX) length = SELFTEST_NAME_BYTES_MAX;
    *at++ = (uint8_t)length;
    memcpy(at, text, length);
    return at + length;
}

static size_t only(uint8_t *answer, uint8_t status)
{
    answer[0] = status;
    return 1;
}

/* What stands between the status and `end`. */
static size_t done(uint8_t *answer, const uint8_t *end)
{
    answer[0] = DONE;
    return (size_t)(end - answer);
}

/* The cause of the reset, then the registers from `first` on, as many as fit. */
static size_t facts(const selftest *self, uint32_t first, uint8_t *answer)
{
    uint8_t *at = answer + 1;
    for (uint32_t i = first; i <= selftest_register_count; i++) {
        const char *name = i == 0 ? selftest_reset_name : selftest_registers[i - 1u].name;
        if ((size_t)(at - answer) + 4u + 1u + SELFTEST_NAME_BYTES_MAX > SELFTEST_ANSWER_BYTES) break;
        at = put_u32(at, i == 0 ? self->reset_cause : *(const volatile uint32_t *)selftest_registers[i - 1u].address);
        at = put_text(at, name);
    }
    return done(answer, at);
}

static size_t clocks(const selftest *self, uint8_t *answer)
{
    uint8_t *at = put_u32(answer + 1, runevm_hal_milliseconds());
    at = put_u32(at, runevm_hal_ticks());
    at = put_u32(at, self->starts);
    return done(answer, put_u32(at, self->overruns));
}

/* By words: on an ESP32 the bus of code has nothing smaller. */
static uint32_t crc_of(uintptr_t address, uint32_t length)
{
    const volatile uint32_t *from = (const volatile uint32_t *)address;
    uint32_t crc = 0;
    for (uint32_t at = 0; at < length; at += 4u) {
        uint8_t bytes[4];
        (void)put_u32(bytes, *from++);
        crc = runevm_crc32(crc, bytes, length - at < 4u ? length - at : 4u);
    }
    return crc;
}

static size_t checksum(const uint8_t *request, uint8_t *answer)
{
    const uintptr_t address = get_u32(request + 1);
    const uint32_t length = get_u32(request + 5), rounds = request[9] | ((uint32_t)request[10] << 8);
    uint32_t first = 0, differing = 0, began;
    int was = -1, is;
    if (request[0] > CACHE_OFF || address % 4u != 0 || length == 0 || rounds == 0) return only(answer, MALFORMED);
    was = selftest_chip_cache(0);
    if (was < 0 && request[0] == CACHE_OFF) return only(answer, ABSENT);
    is = request[0] == CACHE_OFF ? 0 : was;
    if (is == 1) (void)selftest_chip_cache(1);
    began = runevm_hal_ticks();
    for (uint32_t i = 0; i < rounds; i++) {
        const uint32_t crc = crc_of(address, length);
        if (i == 0) first = crc;
        if (crc != first) differing++;
    }
    began = runevm_hal_ticks() - began;
    if (was == 1) (void)selftest_chip_cache(1);
    uint8_t *at = put_u32(put_u32(put_u32(answer + 1, first), differing), began);
    *at++ = is < 0 ? CACHE_ABSENT : is == 1 ? CACHE_IS_ON : CACHE_IS_OFF;
    return done(answer, at);
}

static size_t second_clock(uint8_t *answer)
{
    selftest_clock clock = {"", 0, 0};
    if (selftest_chip_clock(&clock) != 0) return only(answer, ABSENT);
    return done(answer, put_text(put_u32(put_u32(answer + 1, clock.measured_hz), clock.nominal_hz), clock.name));
}

static size_t pin(const uint8_t *request, uint8_t *answer)
{
    const uint32_t number = request[1];
    int level = 0;
    switch (request[0]) {
    case PIN_LEVEL: level = selftest_chip_level(number); break;
    case PIN_LOW: runevm_hal_pin_configure(number, 0); break;
    case PIN_HIGH: runevm_hal_pin_configure(number, 1); break;
    case PIN_RELEASE: level = selftest_chip_release(number); break;
    default: return only(answer, MALFORMED);
    }
    if (level < 0) return only(answer, ABSENT);
    answer[1] = (uint8_t)level;
    return done(answer, answer + 2);
}

#ifdef SELFTEST_HAS_I2C

static void need_i2c(selftest *self)
{
    if (!self->i2c_is_on) runevm_hal_i2c_init();
    self->i2c_is_on = true;
}

static size_t i2c_scan(selftest *self, const uint8_t *request, uint8_t *answer)
{
    const uint32_t first = request[0], count = request[1];
    uint32_t found = 0;
    if (first < I2C_FIRST || count == 0 || count > SELFTEST_I2C_ADDRESSES_MAX || first + count - 1u > I2C_LAST)
        return only(answer, MALFORMED);
    need_i2c(self);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t byte;
        if (runevm_hal_i2c_read((uint8_t)(first + i), 0, &byte, 1) == 0) found |= 1u << i;
    }
    answer[1] = (uint8_t)found;
    answer[2] = (uint8_t)(found >> 8);
    return done(answer, answer + 3);
}

static size_t i2c_read(selftest *self, const uint8_t *request, uint8_t *answer)
{
    uint8_t bytes[SELFTEST_I2C_READ_BYTES_MAX];
    uint32_t began;
    if (request[0] < I2C_FIRST || request[0] > I2C_LAST || request[2] == 0 || request[2] > sizeof bytes)
        return only(answer, MALFORMED);
    need_i2c(self);
    began = runevm_hal_ticks();
    if (runevm_hal_i2c_read(request[0], request[1], bytes, request[2]) != 0) return only(answer, FAILED);
    return done(answer, put_u32(answer + 1, runevm_hal_ticks() - began));
}

#else

/* The board file names no bus. */
static size_t i2c_scan(selftest *self, const uint8_t *request, uint8_t *answer)
{
    (void)self;
    (void)request;
    return only(answer, ABSENT);
}

static size_t i2c_read(selftest *self, const uint8_t *request, uint8_t *answer)
{
    return i2c_scan(self, request, answer);
}

#endif

static size_t random_words(uint32_t count, uint8_t *answer)
{
    uint8_t *at = answer + 1;
    if (count == 0 || count > SELFTEST_RANDOM_WORDS_MAX) return only(answer, MALFORMED);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t bits = 0;
        if (runevm_hal_random(&bits) != 0) return only(answer, i == 0 ? ABSENT : FAILED);
        at = put_u32(at, bits);
    }
    return done(answer, at);
}

_Static_assert(1 + 4 * SELFTEST_RANDOM_WORDS_MAX <= SELFTEST_ANSWER_BYTES, "the words fit");
_Static_assert(1 + 4 + 4 + 1 + SELFTEST_NAME_BYTES_MAX <= SELFTEST_ANSWER_BYTES, "a clock fits");

/* How long a request of each sub-test is; an echo may have any length. */
static const uint8_t REQUEST_BYTES[] = {
    [FACTS] = 2,    [CLOCK] = 1,    [CRC] = 12,   [SECOND_CLOCK] = 1, [PIN] = 3,
    [I2C_SCAN] = 3, [I2C_READ] = 4, [RANDOM] = 2, [FAULT] = 1,        [RESTART] = 1,
};

size_t selftest_answer(void *user, const uint8_t *request, size_t bytes, uint8_t *answer)
{
    selftest *self = user;
    const uint8_t test = bytes > 0 ? request[0] : UINT8_MAX, *arguments = request + 1;
    if (test > RESTART || bytes > SELFTEST_ANSWER_BYTES) return only(answer, MALFORMED);
    if (test != ECHO && bytes != REQUEST_BYTES[test]) return only(answer, MALFORMED);
    switch (test) {
    case ECHO: memcpy(answer + 1, arguments, bytes - 1u); return done(answer, answer + bytes);
    case FACTS: return facts(self, arguments[0], answer);
    case CLOCK: return clocks(self, answer);
    case CRC: return checksum(arguments, answer);
    case SECOND_CLOCK: return second_clock(answer);
    case PIN: return pin(arguments, answer);
    case I2C_SCAN: return i2c_scan(self, arguments, answer);
    case I2C_READ: return i2c_read(self, arguments, answer);
    case RANDOM: return random_words(arguments[0], answer);
    case FAULT: self->fault(); return 0;
    default: self->restart(); return 0;
    }
}
