/* SPDX-License-Identifier: Apache-2.0 */
/* Free-format digit generation with exact integers: G. L. Steele and J. L. White, "How to print
 * floating-point numbers accurately", PLDI 1990, in the form of R. G. Burger and R. K. Dybvig,
 * "Printing floating-point numbers quickly and accurately", PLDI 1996, section 3: a number is
 * r / s; low and high are the halves of the gaps to its neighbours, in units of 1 / s. Digits are
 * taken from r / s until what is left is within a gap. Exact for every f32 and f64; no table of
 * powers, half a kilobyte of stack. */
#include "shortest_float.h"

#include <string.h>

/* The largest integer is s for 5e-324 and r for 1.8e308, both below 2^1130. */
#define WORDS 36u

typedef struct {
    unsigned int count;              /* words in use; the highest is not 0 */
    uint32_t words[WORDS];
} big;

static void set(big *number, uint64_t value)
{
    number->words[0] = (uint32_t)value;
    number->words[1] = (uint32_t)(value >> 32);
    number->count = number->words[1] != 0 ? 2u : 1u;
}

static void multiply(big *number, uint32_t factor)
{
    uint64_t carry = 0;
    for (unsigned int i = 0; i < number->count; i++) {
        carry += (uint64_t)number->words[i] * factor;
        number->words[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry != 0) {
        number->words[number->count++] = (uint32_t)carry;
    }
}

static void multiply_power_of_ten(big *number, unsigned int power)
{
    for (; power >= 9; power -= 9) {
        multiply(number, 1000000000u);
    }
    for (; power > 0; power--) {
        multiply(number, 10);
    }
}

static void shift_left(big *number, unsigned int bits)
{
    unsigned int words = bits / 32u;
    if (words > 0) {
        memmove(number->words + words, number->words, number->count * sizeof number->words[0]);
        memset(number->words, 0, words * sizeof number->words[0]);
        number->count += words;
    }
    multiply(number, (uint32_t)1 << (bits % 32u));
}

static int compare(const big *one, const big *other)
{
    if (one->count != other->count) {
        return one->count < other->count ? -1 : 1;
    }
    for (unsigned int i = one->count; i-- > 0;) {
        if (one->words[i] != other->words[i]) {
            return one->words[i] < other->words[i] ? -1 : 1;
        }
    }
    return 0;
}

static uint32_t word(const big *number, unsigned int index)
{
    return index < number->count ? number->words[index] : 0;
}

/* The sign of one + more - other, without making the sum: from the highest word down, the
 * difference so far decides as soon as what is below cannot turn it. */
static int compare_sum(const big *one, const big *more, const big *other)
{
    unsigned int count = one->count > more->count ? one->count : more->count;
    count = other->count > count ? other->count : count;
    int64_t difference = 0;
    for (unsigned int i = count; i-- > 0;) {
        difference =
            difference * ((int64_t)1 << 32) + (int64_t)word(one, i) + (int64_t)word(more, i) - (int64_t)word(other, i);
        /* What is below adds at least -1 and less than 2 in units of this word. */
        if (difference > 1) {
            return 1;
        }
        if (difference < -2) {
            return -1;
        }
    }
    return difference > 0 ? 1 : difference < 0 ? -1 : 0;
}

/* number -= other, which is not larger. */
static void subtract(big *number, const big *other)
{
    uint32_t borrow = 0;
    for (unsigned int i = 0; i < number->count; i++) {
        uint64_t take = (uint64_t)word(other, i) + borrow;
        borrow = number->words[i] < take ? 1u : 0u;
        number->words[i] -= (uint32_t)take;
    }
    while (number->count > 1 && number->words[number->count - 1] == 0) {
        number->count--;
    }
}

static int bit_length(uint64_t value)
{
    int length = 0;
    for (; value != 0; value >>= 1) {
        length++;
    }
    return length;
}

/* A lower bound of the place of the point, at most one below it: ceil(log10(value)) from the
 * binary exponent, with log10(2) as a fraction that is right for every exponent of f64. */
static int estimate_point(uint64_t mantissa, int exponent)
{
    int log2_floor = exponent + bit_length(mantissa) - 1;
    int scaled = log2_floor * 78913; /* log10(2) = 78913 / 2^18 - 7e-8 */
    int floor = scaled >= 0 ? scaled / 262144 : -((-scaled + 262143) / 262144);
    return floor + 1;
}

unsigned int runevm_shortest_digits(uint64_t mantissa, int exponent, bool at_power, char digits[RUNEVM_FLOAT_DIGITS],
                                    int *point)
{
    big r, s, low;
    unsigned int high_shift = at_power ? 1u : 0u; /* high = low x 2^high_shift */
    bool even = (mantissa & 1u) == 0;             /* a tie reads back as an even mantissa */

    /* Everything doubled, once more at a power of two, so that half gaps are whole numbers. */
    set(&r, mantissa);
    set(&s, 1);
    set(&low, 1);
    shift_left(&r, 1 + high_shift);
    shift_left(&s, 1 + high_shift);
    if (exponent >= 0) {
        shift_left(&r, (unsigned int)exponent);
        shift_left(&low, (unsigned int)exponent);
    } else {
        shift_left(&s, (unsigned int)-exponent);
    }
    int place = estimate_point(mantissa, exponent);
    if (place >= 0) {
        multiply_power_of_ten(&s, (unsigned int)place);
    } else {
        multiply_power_of_ten(&r, (unsigned int)-place);
        multiply_power_of_ten(&low, (unsigned int)-place);
    }
    big high = low;
    shift_left(&high, high_shift);

    int above = compare_sum(&r, &high, &s);
    if (above > 0 || (above == 0 && even)) {
        place++;
    } else {
        multiply(&r, 10);
        multiply(&low, 10);
        multiply(&high, 10);
    }
    *point = place;

    for (unsigned int count = 0;;) {
        unsigned int digit = 0;
        while (compare(&r, &s) >= 0) {
            subtract(&r, &s);
            digit++;
        }
        int below_low = compare(&r, &low);
        int above_high = compare_sum(&r, &high, &s);
        bool down = below_low < 0 || (below_low == 0 && even);
        bool up = above_high > 0 || (above_high == 0 && even);
        if (down && up) {
            int half = compare_sum(&r, &r, &s);
            up = half > 0 || (half == 0 && (digit & 1u) != 0);
        }
        if (up) {
            digit++;
        }
        digits[count++] = (char)('0' + digit);
        if (down || up || count == RUNEVM_FLOAT_DIGITS) {
            return count;
        }
        multiply(&r, 10);
        multiply(&low, 10);
        multiply(&high, 10);
    }
}

static unsigned int append(char *text, unsigned int at, const char *bytes, unsigned int count)
{
    memcpy(text + at, bytes, count);
    return at + count;
}

static unsigned int append_zeros(char *text, unsigned int at, int count)
{
    for (; count > 0; count--) {
        text[at++] = '0';
    }
    return at;
}

static unsigned int append_exponent(char *text, unsigned int at, int exponent)
{
    text[at++] = 'e';
    if (exponent < 0) {
        text[at++] = '-';
        exponent = -exponent;
    }
    if (exponent >= 100) {
        text[at++] = (char)('0' + exponent / 100);
    }
    if (exponent >= 10) {
        text[at++] = (char)('0' + exponent / 10 % 10);
    }
    text[at++] = (char)('0' + exponent % 10);
    return at;
}

/* `point_max` and `point_min`: within these the number is spelled without an exponent. */
static unsigned int spell(bool negative, uint64_t mantissa, int exponent, bool at_power, int point_min, int point_max,
                          char *text)
{
    unsigned int at = 0;
    if (negative) {
        text[at++] = '-';
    }
    if (mantissa == 0) {
        return append(text, at, "0.0", 3);
    }
    char digits[RUNEVM_FLOAT_DIGITS];
    int point;
    unsigned int count = runevm_shortest_digits(mantissa, exponent, at_power, digits, &point);
    if (point > 0 && point <= point_max) {
        if ((unsigned int)point >= count) {
            at = append(text, at, digits, count);
            at = append_zeros(text, at, point - (int)count);
            return append(text, at, ".0", 2);
        }
        at = append(text, at, digits, (unsigned int)point);
        text[at++] = '.';
        return append(text, at, digits + point, count - (unsigned int)point);
    }
    if (point <= 0 && point > point_min) {
        at = append(text, at, "0.", 2);
        at = append_zeros(text, at, -point);
        return append(text, at, digits, count);
    }
    text[at++] = digits[0];
    if (count > 1) {
        text[at++] = '.';
        at = append(text, at, digits + 1, count - 1);
    }
    return append_exponent(text, at, point - 1);
}

static unsigned int spell_null(char *text)
{
    return append(text, 0, "null", 4);
}

unsigned int runevm_spell_f32(uint32_t bits, char text[RUNEVM_FLOAT_TEXT_BYTES])
{
    uint32_t fraction = bits & 0x7fffffu;
    int biased = (int)(bits >> 23 & 0xffu);
    if (biased == 0xff) {
        return spell_null(text);
    }
    uint32_t mantissa = biased > 0 ? fraction | 0x800000u : fraction;
    int exponent = (biased > 0 ? biased : 1) - 150;
    return spell(bits >> 31 != 0, mantissa, exponent, fraction == 0 && biased > 1, -6, 13, text);
}

unsigned int runevm_spell_f64(uint64_t bits, char text[RUNEVM_FLOAT_TEXT_BYTES])
{
    uint64_t fraction = bits & 0xfffffffffffffu;
    int biased = (int)(bits >> 52 & 0x7ffu);
    if (biased == 0x7ff) {
        return spell_null(text);
    }
    uint64_t mantissa = biased > 0 ? fraction | 0x10000000000000u : fraction;
    int exponent = (biased > 0 ? biased : 1) - 1075;
    return spell(bits >> 63 != 0, mantissa, exponent, fraction == 0 && biased > 1, -5, 16, text);
}
