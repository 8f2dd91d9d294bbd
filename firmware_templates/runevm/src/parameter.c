/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing is converted from decimal: floats are compared by the digits of the two numbers halfway to
 * their neighbours, between which whatever rounds to them lies. */
#include "parameter.h"

#include "json_reader.h"
#include "shortest_float.h"

#define DECIMAL_DIGITS_MAX 20u
#define POINT_MAX 9999

enum { I32 = 1, F32 = 2, U8 = 5, I16 = 6, I8 = 7 };

/* Without its sign: 0.DIGITS x 10^point, no zero at either end of the digits; none at all is 0. */
typedef struct {
    char digits[DECIMAL_DIGITS_MAX];
    unsigned int count;
    int point;
} decimal;

/* mantissa x 2^exponent, the mantissa below 2^24. */
typedef struct {
    bool negative;
    uint32_t mantissa;
    int exponent;
} binary;

uint32_t runevm_value_bytes(uint32_t type)
{
    switch (type) {
    case I32:
    case F32: return 4;
    case I16: return 2;
    case U8:
    case I8: return 1;
    default: return 0;
    }
}

/* The number that the graph lists under the key, or no text. */
static runevm_text find(runevm_text parameters, const uint8_t *key, uint32_t key_bytes)
{
    runevm_json json = {parameters.at, parameters.at + parameters.length, RUNEVM_OK};
    runevm_json_expect(&json, "{");
    for (uint32_t count = 0; runevm_json_more(&json, '}', &count);) {
        runevm_text name = runevm_json_string(&json);
        runevm_json_expect(&json, ":");
        const char *start = json.at;
        runevm_json_skip_number(&json);
        if (json.error == RUNEVM_OK && runevm_text_is(name, key, key_bytes)) {
            return (runevm_text){start, (uint32_t)(json.at - start)};
        }
    }
    return (runevm_text){NULL, 0};
}

static bool is_integer(runevm_text number)
{
    for (uint32_t i = 0; i < number.length; i++) {
        if (number.at[i] == '.' || number.at[i] == 'e' || number.at[i] == 'E') {
            return false;
        }
    }
    return true;
}

/* Removes a leading minus; returns whether there was one. */
static bool take_sign(runevm_text *number)
{
    bool negative = number->length > 0 && number->at[0] == '-';
    number->at += negative ? 1 : 0;
    number->length -= negative ? 1u : 0u;
    return negative;
}

/* An integer has one canonical form, so the text is compared. */
static bool is_this_integer(runevm_text number, bool negative, uint64_t magnitude)
{
    if (take_sign(&number) != negative) {
        return false;
    }
    do {
        if (number.length == 0 || number.at[--number.length] != (char)('0' + magnitude % 10u)) {
            return false;
        }
        magnitude /= 10u;
    } while (magnitude != 0);
    return number.length == 0;
}

/* The exponent after `e`; false if it is beyond all that a float has. */
static bool read_exponent(runevm_text text, int *exponent)
{
    bool negative = take_sign(&text);
    *exponent = 0;
    for (uint32_t i = text.length > 0 && text.at[0] == '+' ? 1 : 0; i < text.length; i++) {
        *exponent = *exponent * 10 + (text.at[i] - '0');
        if (*exponent > POINT_MAX) {
            return false;
        }
    }
    *exponent = negative ? -*exponent : *exponent;
    return true;
}

/* A number of JSON, without its sign; false if it has more digits than a float is ever spelled with. */
static bool read_decimal(runevm_text number, decimal *value)
{
    bool behind = false; /* the point */
    uint32_t at = 0;
    *value = (decimal){.count = 0, .point = 0};
    for (; at < number.length && number.at[at] != 'e' && number.at[at] != 'E'; at++) {
        char digit = number.at[at];
        if (digit == '.') {
            behind = true;
            continue;
        }
        if (value->count > 0 || digit != '0') {
            if (value->count == DECIMAL_DIGITS_MAX) {
                return false;
            }
            value->digits[value->count++] = digit;
        }
        value->point += (value->count > 0 && !behind) - (value->count == 0 && behind);
    }
    while (value->count > 0 && value->digits[value->count - 1] == '0') {
        value->count--;
    }
    int exponent = 0;
    bool good =
        at == number.length || read_exponent((runevm_text){number.at + at + 1, number.length - at - 1}, &exponent);
    value->point += exponent;
    return good;
}

/* What mantissa x 2^exponent, an f64 that is not 0, is spelled with. */
static decimal shortest(uint64_t mantissa, int exponent)
{
    decimal value;
    while (mantissa >> 52 == 0) {
        mantissa <<= 1;
        exponent--;
    }
    value.count = runevm_shortest_digits(mantissa, exponent, mantissa == (uint64_t)1 << 52, value.digits, &value.point);
    return value;
}

/* Below 0, 0 or above 0, as memcmp(). */
static int compare(const decimal *one, const decimal *other)
{
    if (one->count == 0 || other->count == 0) {
        return (one->count > 0) - (other->count > 0);
    }
    if (one->point != other->point) {
        return one->point < other->point ? -1 : 1;
    }
    for (unsigned int i = 0; i < one->count && i < other->count; i++) {
        if (one->digits[i] != other->digits[i]) {
            return one->digits[i] < other->digits[i] ? -1 : 1;
        }
    }
    return (one->count > other->count) - (one->count < other->count);
}

/* Does the listed f64 round to this f32? Shortest spellings of f64 are in the order of their numbers,
 * so that they can be compared in place of them. A tie goes to the even mantissa. */
static bool rounds_to(runevm_text number, binary given)
{
    decimal listed;
    bool negative = take_sign(&number);
    if (!read_decimal(number, &listed)) {
        return false;
    }
    if (given.mantissa != 0 && negative != given.negative) {
        return false;
    }
    uint64_t mantissa = given.mantissa;
    int ties = given.mantissa % 2u == 0 ? 0 : -1; /* possible results of a comparison with a limit */
    decimal above = shortest(2u * mantissa + 1u, given.exponent - 1);
    if (compare(&listed, &above) > ties) {
        return false;
    }
    if (mantissa == 0) {
        return true;
    }
    /* At a power of two the neighbour below is half as far away as the one above. */
    bool at_power = mantissa == 0x800000u && given.exponent > -149;
    decimal below =
        at_power ? shortest(4u * mantissa - 1u, given.exponent - 2) : shortest(2u * mantissa - 1u, given.exponent - 1);
    return compare(&below, &listed) <= ties;
}

/* An f32 that is an integer below 2^64; its magnitude. */
static bool is_whole(binary given, uint64_t *magnitude)
{
    *magnitude = given.mantissa;
    for (; given.exponent < 0 && *magnitude % 2u == 0 && *magnitude != 0; given.exponent++) {
        *magnitude /= 2u;
    }
    if (*magnitude == 0) {
        return true;
    }
    if (given.exponent < 0 || given.exponent > 40) {
        return false;
    }
    *magnitude <<= given.exponent;
    return true;
}

/* The f32 that a magnitude below 2^33 is, if it is one. */
static bool is_f32(uint64_t magnitude, binary *given)
{
    given->exponent = 0;
    for (; magnitude >= 0x1000000u; magnitude /= 2u, given->exponent++) {
        if (magnitude % 2u != 0) {
            return false;
        }
    }
    for (; magnitude != 0 && magnitude < 0x800000u; magnitude *= 2u) {
        given->exponent--;
    }
    given->mantissa = (uint32_t)magnitude;
    given->exponent = magnitude == 0 ? -149 : given->exponent;
    return true;
}

static bool lists_float(runevm_text number, uint32_t bits)
{
    int biased = (int)(bits >> 23 & 0xffu);
    uint32_t fraction = bits & 0x7fffffu;
    binary given = {bits >> 31 != 0, biased > 0 ? fraction | 0x800000u : fraction, (biased > 0 ? biased : 1) - 150};
    if (biased == 0xff) {
        return false;
    }
    if (!is_integer(number)) {
        return rounds_to(number, given);
    }
    uint64_t magnitude;
    return is_whole(given, &magnitude) && is_this_integer(number, given.negative && magnitude != 0, magnitude);
}

static bool lists_integer(runevm_text number, int64_t value)
{
    uint64_t magnitude = value < 0 ? (uint64_t)-value : (uint64_t)value;
    if (is_integer(number)) {
        return is_this_integer(number, value < 0, magnitude);
    }
    binary given = {.negative = value < 0};
    return is_f32(magnitude, &given) && rounds_to(number, given);
}

bool runevm_parameter_listed(runevm_text parameters, const uint8_t *key, uint32_t key_bytes, const uint8_t *value,
                             uint32_t type)
{
    runevm_text number = find(parameters, key, key_bytes);
    if (number.at == NULL) {
        return false;
    }
    uint32_t bits = 0;
    uint32_t bytes = runevm_value_bytes(type);
    for (uint32_t i = 0; i < bytes; i++) {
        bits |= (uint32_t)value[i] << (8u * i);
    }
    if (type == F32) {
        return lists_float(number, bits);
    }
    uint32_t sign = type == U8 ? 0 : (uint32_t)1 << (8u * bytes - 1u);
    /* The least of them is its own magnitude. */
    return lists_integer(number, (bits & sign) == 0 ? (int64_t)bits : (int64_t)(bits ^ sign) - (int64_t)sign);
}
