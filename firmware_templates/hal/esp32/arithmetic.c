/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic that Debian's libgcc for Xtensa lx106 lacks: whole numbers of 32 and 64 bits, float and
 * double. IEEE 754, round to nearest, ties to even, with subnormal numbers and infinities; each result is
 * rounded once; every NaN that comes out is the quiet one with no payload (7fc00000, 7ff8000000000000).
 *
 * A float is passed in the register of its bits, so the functions accept and return bits. Nothing here may
 * divide, multiply 64 bits or calculate with floats: the compiler would call this very file.
 *
 * Compiled for the host under other names (RUNEC_NAME) it is compared with the processor's
 * arithmetic bit by bit; see tests/firmware_templates/hal. */
#include <stdbool.h>
#include <stdint.h>

#ifndef RUNEC_NAME
#define RUNEC_NAME(name) __##name
#endif

#define F_SIGN 0x80000000u
#define F_INFINITE 0x7F800000u
#define F_NAN 0x7FC00000u
#define F_IMPLIED 0x00800000u
#define D_SIGN 0x8000000000000000u
#define D_INFINITE 0x7FF0000000000000u
#define D_NAN 0x7FF8000000000000u
#define D_IMPLIED 0x0010000000000000u

/* While a result is made, three bits stand below its last one: two more bits and "something below". */
enum { EXTRA = 3, F_BITS = 23, D_BITS = 52, F_BIAS = 127, D_BIAS = 1023 };

uint64_t RUNEC_NAME(umulsidi3)(uint32_t a, uint32_t b);
uint64_t RUNEC_NAME(muldi3)(uint64_t a, uint64_t b);
uint32_t RUNEC_NAME(udivsi3)(uint32_t a, uint32_t b);
uint32_t RUNEC_NAME(umodsi3)(uint32_t a, uint32_t b);
int32_t RUNEC_NAME(divsi3)(int32_t a, int32_t b);
int32_t RUNEC_NAME(modsi3)(int32_t a, int32_t b);
uint64_t RUNEC_NAME(udivdi3)(uint64_t a, uint64_t b);
uint64_t RUNEC_NAME(umoddi3)(uint64_t a, uint64_t b);
int64_t RUNEC_NAME(divdi3)(int64_t a, int64_t b);
int64_t RUNEC_NAME(moddi3)(int64_t a, int64_t b);
uint32_t RUNEC_NAME(addsf3)(uint32_t a, uint32_t b);
uint32_t RUNEC_NAME(subsf3)(uint32_t a, uint32_t b);
uint32_t RUNEC_NAME(mulsf3)(uint32_t a, uint32_t b);
uint32_t RUNEC_NAME(divsf3)(uint32_t a, uint32_t b);
uint64_t RUNEC_NAME(adddf3)(uint64_t a, uint64_t b);
uint64_t RUNEC_NAME(subdf3)(uint64_t a, uint64_t b);
uint64_t RUNEC_NAME(muldf3)(uint64_t a, uint64_t b);
uint64_t RUNEC_NAME(divdf3)(uint64_t a, uint64_t b);
uint32_t RUNEC_NAME(floatunsisf)(uint32_t a);
uint32_t RUNEC_NAME(floatsisf)(int32_t a);
uint64_t RUNEC_NAME(floatunsidf)(uint32_t a);
uint64_t RUNEC_NAME(floatsidf)(int32_t a);
uint32_t RUNEC_NAME(fixunssfsi)(uint32_t a);
uint32_t RUNEC_NAME(fixunsdfsi)(uint64_t a);
int32_t RUNEC_NAME(fixdfsi)(uint64_t a);
uint32_t RUNEC_NAME(truncdfsf2)(uint64_t a);
uint64_t RUNEC_NAME(extendsfdf2)(uint32_t a);

static int leading_zeros(uint64_t value)
{
    uint32_t high = (uint32_t)(value >> 32);
    return high != 0 ? __builtin_clz(high) : 32 + __builtin_clz((uint32_t)value);
}

/* --- Whole numbers -------------------------------------------------------------------------------- */

uint64_t RUNEC_NAME(umulsidi3)(uint32_t a, uint32_t b)
{
    uint32_t low_a = a & 0xFFFFu, high_a = a >> 16, low_b = b & 0xFFFFu, high_b = b >> 16;
    uint32_t low = low_a * low_b;
    uint32_t middle = high_a * low_b + (low >> 16);
    uint32_t other = low_a * high_b + (middle & 0xFFFFu);
    uint32_t high = high_a * high_b + (middle >> 16) + (other >> 16);
    return ((uint64_t)high << 32) | (other << 16) | (low & 0xFFFFu);
}

uint64_t RUNEC_NAME(muldi3)(uint64_t a, uint64_t b)
{
    uint32_t low_a = (uint32_t)a, low_b = (uint32_t)b;
    uint32_t cross = (uint32_t)(a >> 32) * low_b + low_a * (uint32_t)(b >> 32);
    return RUNEC_NAME(umulsidi3)(low_a, low_b) + ((uint64_t)cross << 32);
}

/* A divisor of 0 returns all ones and the dividend as the remainder, as in RISC-V: undefined in C. */
static uint32_t divide32(uint32_t a, uint32_t b, uint32_t *rest)
{
    uint32_t quotient = 0;
    if (b == 0) {
        *rest = a;
        return UINT32_MAX;
    }
    if (a >= b) {
        int shift = __builtin_clz(b) - __builtin_clz(a);
        uint32_t divisor = b << shift;
        for (; shift >= 0; shift--, divisor >>= 1) {
            quotient <<= 1;
            if (a >= divisor) {
                a -= divisor;
                quotient |= 1;
            }
        }
    }
    *rest = a;
    return quotient;
}

static uint64_t divide64(uint64_t a, uint64_t b, uint64_t *rest)
{
    uint64_t quotient = 0;
    if (((a | b) >> 32) == 0) {
        uint32_t small_rest;
        uint32_t small = divide32((uint32_t)a, (uint32_t)b, &small_rest);
        *rest = small_rest;
        return b == 0 ? UINT64_MAX : small;
    }
    if (b == 0) {
        *rest = a;
        return UINT64_MAX;
    }
    if (a >= b) {
        int shift = leading_zeros(b) - leading_zeros(a);
        uint64_t divisor = b << shift;
        for (; shift >= 0; shift--, divisor >>= 1) {
            quotient <<= 1;
            if (a >= divisor) {
                a -= divisor;
                quotient |= 1;
            }
        }
    }
    *rest = a;
    return quotient;
}

static uint32_t magnitude32(int32_t a)
{
    return a < 0 ? 0u - (uint32_t)a : (uint32_t)a;
}

static uint64_t magnitude64(int64_t a)
{
    return a < 0 ? 0u - (uint64_t)a : (uint64_t)a;
}

uint32_t RUNEC_NAME(udivsi3)(uint32_t a, uint32_t b)
{
    uint32_t rest;
    return divide32(a, b, &rest);
}

uint32_t RUNEC_NAME(umodsi3)(uint32_t a, uint32_t b)
{
    uint32_t rest;
    (void)divide32(a, b, &rest);
    return rest;
}

int32_t RUNEC_NAME(divsi3)(int32_t a, int32_t b)
{
    uint32_t rest;
    uint32_t quotient = divide32(magnitude32(a), magnitude32(b), &rest);
    return (int32_t)((a ^ b) < 0 && b != 0 ? 0u - quotient : quotient);
}

int32_t RUNEC_NAME(modsi3)(int32_t a, int32_t b)
{
    uint32_t rest;
    (void)divide32(magnitude32(a), magnitude32(b), &rest);
    return (int32_t)(a < 0 ? 0u - rest : rest);
}

uint64_t RUNEC_NAME(udivdi3)(uint64_t a, uint64_t b)
{
    uint64_t rest;
    return divide64(a, b, &rest);
}

uint64_t RUNEC_NAME(umoddi3)(uint64_t a, uint64_t b)
{
    uint64_t rest;
    (void)divide64(a, b, &rest);
    return rest;
}

int64_t RUNEC_NAME(divdi3)(int64_t a, int64_t b)
{
    uint64_t rest;
    uint64_t quotient = divide64(magnitude64(a), magnitude64(b), &rest);
    return (int64_t)((a ^ b) < 0 && b != 0 ? 0u - quotient : quotient);
}

int64_t RUNEC_NAME(moddi3)(int64_t a, int64_t b)
{
    uint64_t rest;
    (void)divide64(magnitude64(a), magnitude64(b), &rest);
    return (int64_t)(a < 0 ? 0u - rest : rest);
}

/* --- float ---------------------------------------------------------------------------------------- */

/* The upper 32 bits of a product; the last bit is also set if any below it is. */
static uint32_t f_high_product(uint32_t a, uint32_t b)
{
    uint64_t product = RUNEC_NAME(umulsidi3)(a, b);
    return (uint32_t)(product >> 32) | ((uint32_t)product != 0);
}

#define NUMBER uint32_t
#define PART(name) f_##name
#define OPERATION(name) RUNEC_NAME(name##sf3)
#define MANTISSA F_BITS
#define BIAS F_BIAS
#define LEADING_ZEROS(value) __builtin_clz(value)
#define HIGH_PRODUCT f_high_product
#include "float_width.h"

/* --- double --------------------------------------------------------------------------------------- */

/* The same of 64 bits. */
static uint64_t d_high_product(uint64_t a, uint64_t b)
{
    uint32_t low_a = (uint32_t)a, high_a = (uint32_t)(a >> 32), low_b = (uint32_t)b, high_b = (uint32_t)(b >> 32);
    uint64_t low = RUNEC_NAME(umulsidi3)(low_a, low_b);
    uint64_t middle = RUNEC_NAME(umulsidi3)(high_a, low_b) + (low >> 32);
    uint64_t other = RUNEC_NAME(umulsidi3)(low_a, high_b) + (uint32_t)middle;
    uint64_t high = RUNEC_NAME(umulsidi3)(high_a, high_b) + (middle >> 32) + (other >> 32);
    return high | (((uint32_t)other | (uint32_t)low) != 0);
}

#define NUMBER uint64_t
#define PART(name) d_##name
#define OPERATION(name) RUNEC_NAME(name##df3)
#define MANTISSA D_BITS
#define BIAS D_BIAS
#define LEADING_ZEROS(value) leading_zeros(value)
#define HIGH_PRODUCT d_high_product
#include "float_width.h"

/* --- From one kind to another --------------------------------------------------------------------- */

static uint32_t f_from(uint32_t sign, uint32_t size)
{
    if (size == 0) {
        return 0;
    }
    int zeros = __builtin_clz(size);
    /* 32 bits with the first set; the implied bit of a float in the making is bit 26. */
    return f_round(sign, F_BIAS + 31 - zeros, f_shift(size << zeros, 31 - F_BITS - EXTRA));
}

uint32_t RUNEC_NAME(floatunsisf)(uint32_t a)
{
    return f_from(0, a);
}

uint32_t RUNEC_NAME(floatsisf)(int32_t a)
{
    return f_from(a < 0 ? F_SIGN : 0, magnitude32(a));
}

static uint64_t d_from(uint64_t sign, uint32_t size)
{
    if (size == 0) {
        return 0;
    }
    int zeros = __builtin_clz(size);
    uint64_t value = (uint64_t)(size << zeros) << (D_BITS - 31);
    return sign | (((uint64_t)(uint32_t)(D_BIAS + 30 - zeros) << D_BITS) + value);
}

uint64_t RUNEC_NAME(floatunsidf)(uint32_t a)
{
    return d_from(0, a);
}

uint64_t RUNEC_NAME(floatsidf)(int32_t a)
{
    return d_from(a < 0 ? D_SIGN : 0, magnitude32(a));
}

/* Out of range is undefined in C: below 0 and NaN return 0, above returns all ones. */
uint32_t RUNEC_NAME(fixunssfsi)(uint32_t a)
{
    int32_t exponent;
    uint32_t value = f_split(a, &exponent);
    int32_t shift = exponent - F_BIAS - F_BITS;
    if ((a & F_SIGN) != 0 || f_is_nan(a) || shift < -F_BITS) {
        return 0;
    }
    if (shift > 31 - F_BITS) {
        return UINT32_MAX;
    }
    return shift < 0 ? value >> -shift : value << shift;
}

/* `most` if out of range. */
static uint32_t d_size(uint64_t a, uint32_t most)
{
    int32_t exponent;
    uint64_t value = d_split(a, &exponent);
    int32_t shift = D_BITS - (exponent - D_BIAS);
    if (shift > D_BITS) {
        return 0;
    }
    if (shift < D_BITS - 31 || (value >> shift) > most) {
        return most;
    }
    return (uint32_t)(value >> shift);
}

uint32_t RUNEC_NAME(fixunsdfsi)(uint64_t a)
{
    return (a & D_SIGN) != 0 || d_is_nan(a) ? 0 : d_size(a, UINT32_MAX);
}

/* Saturates; NaN returns 0. */
int32_t RUNEC_NAME(fixdfsi)(uint64_t a)
{
    if (d_is_nan(a)) {
        return 0;
    }
    if ((a & D_SIGN) != 0) {
        return (int32_t)(0u - d_size(a, 0x80000000u));
    }
    return (int32_t)d_size(a, 0x7FFFFFFFu);
}

uint32_t RUNEC_NAME(truncdfsf2)(uint64_t a)
{
    uint32_t sign = (uint32_t)(a >> 32) & F_SIGN;
    int32_t exponent;
    if ((a & ~D_SIGN) >= D_INFINITE) {
        return d_is_nan(a) ? F_NAN : sign | F_INFINITE;
    }
    uint64_t value = d_split(a, &exponent);
    if ((value & D_IMPLIED) == 0) {
        return sign; /* a subnormal double is far below half of the smallest float */
    }
    return f_round_any(sign, exponent - D_BIAS + F_BIAS, (uint32_t)d_shift(value, D_BITS - F_BITS - EXTRA));
}

uint64_t RUNEC_NAME(extendsfdf2)(uint32_t a)
{
    uint64_t sign = (uint64_t)(a & F_SIGN) << 32;
    int32_t exponent;
    if ((a & ~F_SIGN) >= F_INFINITE) {
        return f_is_nan(a) ? D_NAN : sign | D_INFINITE;
    }
    if ((a & ~F_SIGN) == 0) {
        return sign;
    }
    uint64_t value = f_split_normal(a, &exponent);
    return sign | (((uint64_t)(uint32_t)(exponent - F_BIAS + D_BIAS - 1) << D_BITS) + (value << (D_BITS - F_BITS)));
}
