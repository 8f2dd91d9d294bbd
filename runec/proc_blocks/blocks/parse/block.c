#include "rune_block.h"

#define T RUNE_OUT0_T
#define IS_FLOAT _Generic((T)0, float : 1, double : 1, default : 0)
#define IS_SIGNED ((T)-1 < (T)1)
#define BITS (8 * (uint32_t)sizeof(T))
#define TYPE_NAME                                                                        \
    _Generic((T)0, int8_t                                                                \
             : "i8", int16_t                                                             \
             : "i16", int32_t                                                            \
             : "i32", int64_t                                                            \
             : "i64", uint8_t                                                            \
             : "u8", uint16_t                                                            \
             : "u16", uint32_t                                                           \
             : "u32", uint64_t                                                           \
             : "u64", float                                                              \
             : "f32", double                                                             \
             : "f64")

/* Of an f32 or an f64: bits of the significand, and the exponent of the smallest normal number. */
#define FLOAT_BITS (BITS == 32 ? 32 : 64)
#define PRECISION (BITS == 32 ? 24 : 53)
#define LOWEST (BITS == 32 ? -126 : -1022)

enum {
    DIGITS_MAX = 40,
    /* 10^310 or more is infinite, less than 10^-330 zero: 10^370 has 1230 bits. */
    EXPONENT_MAX = 310,
    EXPONENT_MIN = -330,
    WORDS = 40,
};

/* Room to work in, for floats only. Nothing of it carries from one run to the next. */
static uint32_t numerator[WORDS];
static uint32_t denominator[WORDS];

static void set(uint32_t *number, uint32_t value)
{
    for (uint32_t i = 0; i < WORDS; i++) {
        number[i] = 0;
    }
    number[0] = value;
}

static void multiply_and_add(uint32_t *number, uint32_t factor, uint32_t value)
{
    uint64_t carry = value;
    for (uint32_t i = 0; i < WORDS; i++) {
        carry += (uint64_t)number[i] * factor;
        number[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

static int32_t bit_length(const uint32_t *number)
{
    for (uint32_t i = WORDS; i > 0; i--) {
        if (number[i - 1] != 0) {
            return (int32_t)(32 * i) - __builtin_clz(number[i - 1]);
        }
    }
    return 0;
}

static bool numerator_is_less(void)
{
    for (uint32_t i = WORDS; i > 0; i--) {
        if (numerator[i - 1] != denominator[i - 1]) {
            return numerator[i - 1] < denominator[i - 1];
        }
    }
    return false;
}

static void subtract_denominator(void)
{
    uint64_t borrow = 0;
    for (uint32_t i = 0; i < WORDS; i++) {
        uint64_t difference = (uint64_t)numerator[i] - denominator[i] - borrow;
        numerator[i] = (uint32_t)difference;
        borrow = difference >> 63;
    }
}

/* The bits of the float nearest to numerator / denominator, ties to even: long division, 64 bits of the
 * quotient and whether anything is left. */
static uint64_t nearest(void)
{
    int32_t exponent = bit_length(numerator) - bit_length(denominator);
    for (int32_t i = exponent; i > 0; i--) {
        multiply_and_add(denominator, 2, 0);
    }
    for (int32_t i = exponent; i < 0; i++) {
        multiply_and_add(numerator, 2, 0);
    }
    if (numerator_is_less()) {
        multiply_and_add(numerator, 2, 0);
        exponent--;
    }
    uint64_t quotient = 0;
    for (uint32_t i = 0; i < 64; i++) {
        quotient <<= 1;
        if (!numerator_is_less()) {
            subtract_denominator();
            quotient |= 1;
        }
        multiply_and_add(numerator, 2, 0);
    }
    const uint64_t infinity = ((UINT64_C(1) << (FLOAT_BITS - PRECISION)) - 1) << (PRECISION - 1);
    if (exponent > 1 - LOWEST) {
        return infinity;
    }
    int32_t surplus = 64 - PRECISION + (exponent < LOWEST ? LOWEST - exponent : 0);
    if (surplus > 64) {
        return 0;
    }
    uint64_t kept = surplus == 64 ? 0 : quotient >> surplus;
    uint64_t half = UINT64_C(1) << (surplus - 1);
    uint64_t rest = quotient & (half | (half - 1));
    kept += rest > half || (rest == half && (bit_length(numerator) != 0 || (kept & 1) != 0));
    /* A carry out of the significand goes to the exponent, as it should. */
    return exponent < LOWEST ? kept : kept + ((uint64_t)(exponent - LOWEST) << (PRECISION - 1));
}

static bool is_word(const uint8_t *text, uint32_t length, const char *word, uint32_t word_length)
{
    for (uint32_t i = 0; i < word_length && length == word_length; i++) {
        if ((text[i] | 0x20) != (uint8_t)word[i]) {
            return false;
        }
    }
    return length == word_length;
}

#define IS_WORD(text, length, word) is_word((text), (length), (word), sizeof(word) - 1)

static bool is_digit(uint8_t byte) { return byte >= '0' && byte <= '9'; }

/* Digits with a point somewhere and an exponent: to the bits of a float. */
static bool parse_float(const uint8_t *text, uint32_t length, uint64_t *bits)
{
    if (IS_WORD(text, length, "nan")) {
        *bits = BITS == 32 ? UINT64_C(0x7fc00000) : UINT64_C(0x7ff8000000000000);
        return true;
    }
    if (IS_WORD(text, length, "inf") || IS_WORD(text, length, "infinity")) {
        *bits = ((UINT64_C(1) << (FLOAT_BITS - PRECISION)) - 1) << (PRECISION - 1);
        return true;
    }
    set(numerator, 0);
    int32_t significant = 0; /* digits from the first that is not 0 on */
    int32_t scale = 0;
    bool point = false;
    bool any = false;
    uint32_t i = 0;
    for (; i < length && (is_digit(text[i]) || (text[i] == '.' && !point)); i++) {
        if (text[i] == '.') {
            point = true;
            continue;
        }
        any = true;
        uint32_t digit = text[i] - (uint32_t)'0';
        significant += significant > 0 || digit > 0;
        if (significant > DIGITS_MAX) {
            return false;
        }
        multiply_and_add(numerator, 10, digit);
        scale -= point;
    }
    if (i < length && any) {
        if ((text[i++] | 0x20) != 'e') {
            return false;
        }
        bool negative = i < length && text[i] == '-';
        i += i < length && (text[i] == '-' || text[i] == '+');
        any = i < length;
        int32_t exponent = 0;
        for (; i < length && is_digit(text[i]); i++) {
            exponent = exponent < 1000000 ? exponent * 10 + (text[i] - '0') : exponent;
        }
        scale += negative ? -exponent : exponent;
    }
    if (!any || i < length) {
        return false;
    }
    *bits = 0;
    if (significant == 0 || significant + scale < EXPONENT_MIN) {
        return true;
    }
    if (significant + scale > EXPONENT_MAX) {
        *bits = ((UINT64_C(1) << (FLOAT_BITS - PRECISION)) - 1) << (PRECISION - 1);
        return true;
    }
    set(denominator, 1);
    for (; scale > 0; scale--) {
        multiply_and_add(numerator, 10, 0);
    }
    for (; scale < 0; scale++) {
        multiply_and_add(denominator, 10, 0);
    }
    *bits = nearest();
    return true;
}

static bool parse_integer(const uint8_t *text, uint32_t length, bool negative, uint64_t *bits)
{
    const uint64_t all = ~UINT64_C(0) >> (64 - BITS);
    const uint64_t largest = IS_SIGNED ? (all >> 1) + negative : all;
    uint64_t value = 0;
    for (uint32_t i = 0; i < length; i++) {
        uint64_t digit = text[i] - (uint64_t)'0';
        if (!is_digit(text[i]) || value > (largest - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *bits = negative ? 0 - value : value;
    return length > 0 && (IS_SIGNED || !negative);
}

static bool parse(const uint8_t *text, uint32_t length, T *number)
{
    bool negative = length > 0 && text[0] == '-';
    uint32_t sign = negative || (length > 0 && text[0] == '+');
    uint64_t bits = 0;
    if (IS_FLOAT) {
        if (!parse_float(text + sign, length - sign, &bits)) {
            return false;
        }
        bits |= negative ? UINT64_C(1) << (BITS - 1) : 0;
    } else if (!parse_integer(text + sign, length - sign, negative, &bits)) {
        return false;
    }
    __builtin_memcpy(number, &bits, sizeof *number);
    return true;
}

static int32_t refuse(const uint8_t *text, uint32_t length)
{
    rune_message message;
    message.length = 0;
    RUNE_MESSAGE_TEXT(&message, RUNE_STAGE ": Unable to parse \"");
    rune_message_bytes(&message, (const char *)text, length < 48 ? length : rune_utf8_valid(text, 48));
    RUNE_MESSAGE_TEXT(&message, "\" as a ");
    rune_message_bytes(&message, TYPE_NAME, sizeof TYPE_NAME - 1);
    RUNE_FAIL_MESSAGE(&message);
}

static int32_t refuse_count(uint32_t count)
{
    rune_message message;
    message.length = 0;
    RUNE_MESSAGE_TEXT(&message, RUNE_STAGE ": the output has ");
    rune_message_u64(&message, RUNE_OUT0_COUNT);
    RUNE_MESSAGE_TEXT(&message, " elements, but the numbers in the texts are ");
    rune_message_u64(&message, count);
    RUNE_FAIL_MESSAGE(&message);
}

static bool is_space(uint8_t byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    uint32_t count = 0;
    const uint8_t *next = in0;
    for (uint32_t i = 0; i < RUNE_IN0_COUNT; i++) {
        uint32_t length;
        const uint8_t *text = rune_utf8_next(&next, &length);
        length = rune_text_length(text, length);
        for (uint32_t at = 0; at < length;) {
            uint32_t end = at;
            while (end < length && !is_space(text[end])) {
                end++;
            }
            if (end > at) {
                T number;
                if (!parse(text + at, end - at, &number)) {
                    return refuse(text + at, end - at);
                }
                if (count < RUNE_OUT0_COUNT) {
                    out0[count] = number;
                }
                count++;
            }
            at = end + 1;
        }
    }
    return count == RUNE_OUT0_COUNT ? RUNE_OK : refuse_count(count);
}
