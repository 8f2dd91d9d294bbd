/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic of floats of one width; arithmetic.c includes this file for float and for double, with
 *   NUMBER          the type of the bits          LEADING_ZEROS(value)  of a NUMBER other than 0
 *   MANTISSA, BIAS  of the format                 HIGH_PRODUCT(a, b)    the upper half; its last bit also
 *   PART(name)      a function's name here                              says whether any below it is set
 *   OPERATION(name) the name of add, sub, mul, div */
#define WIDTH ((int32_t)(8 * sizeof(NUMBER)))
#define SIGN ((NUMBER)1 << (WIDTH - 1))
#define IMPLIED ((NUMBER)1 << MANTISSA)
#define INFINITE ((NUMBER)(2 * BIAS + 1) << MANTISSA)
#define QUIET_NAN (INFINITE | IMPLIED >> 1)

static bool PART(is_nan)(NUMBER a)
{
    return (a & ~SIGN) > INFINITE;
}

/* Shifts right; the last bit that stays is set if it or any shifted-out bit was set. */
static NUMBER PART(shift)(NUMBER value, int32_t by)
{
    if (by > WIDTH - 1) {
        return value != 0;
    }
    return (value >> by) | ((value & (((NUMBER)1 << by) - 1u)) != 0);
}

/* The number 1.f or 0.f as MANTISSA + 1 bits and its exponent field; a subnormal number has field 1. */
static NUMBER PART(split)(NUMBER a, int32_t *exponent)
{
    uint32_t field = (uint32_t)((a & ~SIGN) >> MANTISSA);
    *exponent = field == 0 ? 1 : (int32_t)field;
    return (a & (IMPLIED - 1u)) | (field == 0 ? 0 : IMPLIED);
}

/* The same with the implied bit set: the field of a subnormal number is below 1. Not for 0. */
static NUMBER PART(split_normal)(NUMBER a, int32_t *exponent)
{
    NUMBER value = PART(split)(a, exponent);
    int zeros = LEADING_ZEROS(value) - (WIDTH - 1 - MANTISSA);
    *exponent -= zeros;
    return value << zeros;
}

/* Rounds `value`, whose implied bit stands EXTRA places higher than in a float: set, or the field is 1. */
static NUMBER PART(round)(NUMBER sign, int32_t exponent, NUMBER value)
{
    uint32_t below = (uint32_t)value & 7u;
    if (exponent > 2 * BIAS) {
        return sign | INFINITE;
    }
    value >>= EXTRA;
    value += below > 4u || (below == 4u && (value & 1u) != 0);
    /* The implied bit, and a carry out of the bits below it, go into the field by themselves. */
    return sign | ((((NUMBER)(uint32_t)exponent - 1u) << MANTISSA) + value);
}

/* The same for a `value` with its implied bit, and any exponent. */
static NUMBER PART(round_any)(NUMBER sign, int32_t exponent, NUMBER value)
{
    if (exponent < 1) {
        value = PART(shift)(value, 1 - exponent);
        exponent = 1;
    }
    return PART(round)(sign, exponent, value);
}

NUMBER OPERATION(add)(NUMBER a, NUMBER b)
{
    if ((a & ~SIGN) < (b & ~SIGN)) {
        NUMBER smaller = a;
        a = b;
        b = smaller;
    }
    NUMBER sign = a & SIGN;
    bool differ = ((a ^ b) & SIGN) != 0;
    if ((a & ~SIGN) >= INFINITE) {
        bool has_no_sum = (b & ~SIGN) == INFINITE && differ;
        return PART(is_nan)(a) || has_no_sum ? QUIET_NAN : a;
    }
    int32_t exponent, other;
    NUMBER value = PART(split)(a, &exponent) << EXTRA;
    NUMBER part = PART(split)(b, &other) << EXTRA;
    part = PART(shift)(part, exponent - other);
    if (!differ) {
        value += part;
        if ((value >> (MANTISSA + EXTRA + 1)) != 0) {
            value = PART(shift)(value, 1);
            exponent++;
        }
        return PART(round)(sign, exponent, value);
    }
    value -= part;
    if (value == 0) {
        return 0;
    }
    int zeros = LEADING_ZEROS(value) - (WIDTH - 1 - MANTISSA - EXTRA);
    if (zeros >= exponent) {
        zeros = exponent - 1;
    }
    return PART(round)(sign, exponent - zeros, value << zeros);
}

NUMBER OPERATION(sub)(NUMBER a, NUMBER b)
{
    return OPERATION(add)(a, b ^ SIGN);
}

NUMBER OPERATION(mul)(NUMBER a, NUMBER b)
{
    NUMBER sign = (a ^ b) & SIGN;
    NUMBER size_a = a & ~SIGN, size_b = b & ~SIGN;
    if (size_a >= INFINITE || size_b >= INFINITE) {
        bool has_no_product = PART(is_nan)(a) || PART(is_nan)(b) || size_a == 0 || size_b == 0;
        return has_no_product ? QUIET_NAN : sign | INFINITE;
    }
    if (size_a == 0 || size_b == 0) {
        return sign;
    }
    int32_t exponent, other;
    NUMBER left = PART(split_normal)(a, &exponent) << 4;
    NUMBER right = PART(split_normal)(b, &other) << (WIDTH - 1 - MANTISSA);
    NUMBER value = HIGH_PRODUCT(left, right);
    exponent += other - BIAS;
    if ((value >> (MANTISSA + EXTRA + 1)) != 0) {
        value = PART(shift)(value, 1);
        exponent++;
    }
    return PART(round_any)(sign, exponent, value);
}

NUMBER OPERATION(div)(NUMBER a, NUMBER b)
{
    NUMBER sign = (a ^ b) & SIGN;
    NUMBER size_a = a & ~SIGN, size_b = b & ~SIGN;
    if (size_a >= INFINITE || size_b >= INFINITE) {
        bool has_no_quotient = PART(is_nan)(a) || PART(is_nan)(b) || size_a == size_b;
        return has_no_quotient ? QUIET_NAN : size_b == INFINITE ? sign : sign | INFINITE;
    }
    if (size_b == 0) {
        return size_a == 0 ? QUIET_NAN : sign | INFINITE;
    }
    if (size_a == 0) {
        return sign;
    }
    int32_t exponent, other;
    NUMBER rest = PART(split_normal)(a, &exponent), divisor = PART(split_normal)(b, &other), value = 0;
    exponent += BIAS - other;
    if (rest < divisor) {
        rest <<= 1;
        exponent--;
    }
    for (int i = 0; i <= MANTISSA + EXTRA; i++, rest <<= 1) {
        value <<= 1;
        if (rest >= divisor) {
            rest -= divisor;
            value |= 1;
        }
    }
    return PART(round_any)(sign, exponent, value | (rest != 0));
}

#undef NUMBER
#undef PART
#undef OPERATION
#undef MANTISSA
#undef BIAS
#undef LEADING_ZEROS
#undef HIGH_PRODUCT
#undef WIDTH
#undef SIGN
#undef IMPLIED
#undef INFINITE
#undef QUIET_NAN
