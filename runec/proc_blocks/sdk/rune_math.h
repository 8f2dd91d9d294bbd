/* SPDX-License-Identifier: Apache-2.0 */
/* Mathematical functions for blocks: no libm, the same bits in every engine.
 *
 * The f64 functions are within 1 ulp (measured: under 0.8). The f32 functions compute in f64 and
 * round once, which leaves them within 0.51 ulp. A NaN comes out canonical. Sources: the argument
 * reductions are those of W. J. Cody and W. Waite, Software Manual for the Elementary Functions (1980);
 * results in two parts follow T. J. Dekker, A Floating-Point Technique for Extending the Available
 * Precision (1971); the series are Taylor's where nothing else is said.
 */
#ifndef RUNE_MATH_H
#define RUNE_MATH_H

#include "rune_block.h"

static inline uint64_t rune_bits_f64(double value)
{
    uint64_t bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* 2^exponent, for exponents of normal numbers. */
static inline double rune_power_of_two(int32_t exponent)
{
    return rune_f64_of_bits((uint64_t)(exponent + 1023) << 52);
}

/* The upper 26 bits of the significand: the product of two such numbers is exact. */
static inline double rune_upper_half(double x)
{
    return rune_f64_of_bits(rune_bits_f64(x) & 0xfffffffff8000000u);
}

/* One instruction each, correctly rounded. */
static inline float rune_sqrtf(float x)
{
    return rune_canonical_f32(__builtin_sqrtf(x));
}
static inline double rune_sqrt(double x)
{
    return rune_canonical_f64(__builtin_sqrt(x));
}

#define RUNE_LN2_HIGH 0x1.62e42fefa0000p-1 /* 20 zeros at its end: times an exponent it is exact */
#define RUNE_LN2_LOW 0x1.cf79abc9e3b3ap-40
#define RUNE_LOG2E 0x1.71547652b82fep+0
#define RUNE_LOG2E_HIGH 0x1.7154760000000p+0
#define RUNE_LOG2E_LOW 0x1.4ae0bf85ddf44p-26
#define RUNE_PI 0x1.921fb54442d18p+1

/* e^x = 2^k e^r with |r| <= ln 2 / 2. */
static inline double rune_exp(double x)
{
    /* 1 / n! for n = 14 to 2 */
    static const double series[] = {
        0x1.93974a8c07c9dp-37, 0x1.6124613a86d09p-33, 0x1.1eed8eff8d898p-29, 0x1.ae64567f544e4p-26,
        0x1.27e4fb7789f5cp-22, 0x1.71de3a556c734p-19, 0x1.a01a01a01a01ap-16, 0x1.a01a01a01a01ap-13,
        0x1.6c16c16c16c17p-10, 0x1.1111111111111p-7,  0x1.5555555555555p-5,  0x1.5555555555555p-3,
        0x1.0000000000000p-1,
    };
    if (x != x) {
        return RUNE_NAN_F64;
    }
    if (x > 710.0) {
        return __builtin_inf();
    }
    if (x < -746.0) {
        return 0.0;
    }
    int32_t k = (int32_t)(x * RUNE_LOG2E + (x < 0 ? -0.5 : 0.5));
    double high = x - k * RUNE_LN2_HIGH;
    double low = k * RUNE_LN2_LOW;
    double r = high - low;
    double sum = 0.0;
    for (uint32_t i = 0; i < sizeof series / sizeof series[0]; i++) {
        sum = sum * r + series[i];
    }
    /* What r lost when it was rounded, and the square, join the small part first. */
    double small = r * r * sum + ((high - r) - low);
    double whole = 1.0 + r;
    small += r - (whole - 1.0);
    /* In two steps, because 2^k alone may not be a normal number. */
    int32_t half = k / 2;
    return (whole + small) * rune_power_of_two(half) * rune_power_of_two(k - half);
}

/* ln of a positive finite x as k ln 2 + high + low: ln m = 2 artanh((m - 1) / (m + 1)). */
static inline double rune_log_parts(double x, int32_t *k, double *low)
{
    /* 2 / n for n = 25, 23, ... 3 */
    static const double series[] = {
        0x1.47ae147ae147bp-4, 0x1.642c8590b2164p-4, 0x1.8618618618618p-4, 0x1.af286bca1af28p-4,
        0x1.e1e1e1e1e1e1ep-4, 0x1.1111111111111p-3, 0x1.3b13b13b13b14p-3, 0x1.745d1745d1746p-3,
        0x1.c71c71c71c71cp-3, 0x1.2492492492492p-2, 0x1.999999999999ap-2, 0x1.5555555555555p-1,
    };
    *k = 0;
    if (x < 0x1p-1022) {
        x *= 0x1p54;
        *k = -54;
    }
    uint64_t bits = rune_bits_f64(x);
    *k += (int32_t)(bits >> 52) - 1023;
    double m = rune_f64_of_bits((bits & 0xfffffffffffffu) | 0x3ff0000000000000u);
    if (m > 0x1.6a09e667f3bcdp+0) {
        m *= 0.5;
        *k += 1;
    }
    double f = m - 1.0;
    double d = m + 1.0;
    double d_high = rune_upper_half(d);
    double d_low = (d - d_high) + (m - (d - 1.0));
    double s = f / d;
    double s_high = rune_upper_half(s);
    double s_low = ((f - s_high * d_high) - s_high * d_low) / d;
    double z = s * s;
    double sum = 0.0;
    for (uint32_t i = 0; i < sizeof series / sizeof series[0]; i++) {
        sum = sum * z + series[i];
    }
    double high = 2.0 * s_high;
    double rest = 2.0 * s_low + s * z * sum;
    double whole = high + rest;
    *low = rest - (whole - high);
    return whole;
}

/* 0: an ordinary argument of a logarithm; otherwise *result is its value. */
static inline bool rune_log_special(double x, double *result)
{
    *result = x != x || x < 0 ? RUNE_NAN_F64 : x == 0 ? -__builtin_inf() : __builtin_inf();
    return !(x > 0 && x < __builtin_inf());
}

static inline double rune_log(double x)
{
    double result;
    if (rune_log_special(x, &result)) {
        return result;
    }
    int32_t k;
    double low;
    double high = rune_log_parts(x, &k, &low);
    double whole = k * RUNE_LN2_HIGH;
    double sum = whole + high;
    return sum + (((whole - sum) + high) + (low + k * RUNE_LN2_LOW));
}

static inline double rune_log2(double x)
{
    double result;
    if (rune_log_special(x, &result)) {
        return result;
    }
    int32_t k;
    double low;
    double high = rune_log_parts(x, &k, &low);
    double upper = rune_upper_half(high);
    double product = upper * RUNE_LOG2E_HIGH;
    double rest = upper * RUNE_LOG2E_LOW + ((high - upper) + low) * RUNE_LOG2E;
    double sum = k + product;
    return sum + (((k - sum) + product) + rest);
}

static inline float rune_expf(float x)
{
    return rune_canonical_f32((float)rune_exp((double)x));
}
static inline float rune_logf(float x)
{
    return rune_canonical_f32((float)rune_log((double)x));
}
static inline float rune_log2f(float x)
{
    return rune_canonical_f32((float)rune_log2((double)x));
}

/* x^y with the special cases of C99, annex F.9.4.4. */
static inline float rune_powf(float x, float y)
{
    if (x == 1.0f || y == 0.0f) {
        return 1.0f;
    }
    if (x != x || y != y) {
        return RUNE_NAN_F32;
    }
    /* Every f32 from 2^24 on is an even integer. */
    bool large = y >= 0x1p24f || y <= -0x1p24f;
    bool whole = large || (float)(int32_t)y == y;
    bool odd = !large && whole && ((int32_t)y & 1);
    float magnitude = x < 0 ? -x : x;
    float sign = odd && (rune_bits_f32(x) >> 31) ? -1.0f : 1.0f;
    if (x == 0) {
        return y < 0 ? sign * RUNE_INFINITY_F32 : sign * 0.0f;
    }
    if (magnitude == 1.0f) {
        return whole ? sign : RUNE_NAN_F32;
    }
    if (x < 0 && x > -RUNE_INFINITY_F32 && !whole) {
        return RUNE_NAN_F32;
    }
    return sign * (float)rune_exp((double)y * rune_log((double)magnitude));
}

static inline float rune_tanhf(float x)
{
    float magnitude = x < 0 ? -x : x;
    if (x != x) {
        return RUNE_NAN_F32;
    }
    /* x - x^3/3: what is left out is under 2^-26 x. */
    if (magnitude < 0x1p-13f) {
        return x;
    }
    if (magnitude > 10.0f) {
        return x < 0 ? -1.0f : 1.0f;
    }
    double power = rune_exp(2.0 * (double)x);
    return (float)((power - 1.0) / (power + 1.0));
}

/* sin (octant + 2: cos) of an angle of at most pi / 4, in two parts, in that octant; angles of odd octants
 * count backwards. Constants and order of operations: fdlibm's kernels (Sun Microsystems, 1993). */
static inline double rune_sin_octant(uint32_t octant, double x, double low)
{
    static const double sine[] = {
        0x1.5d93a5acfd57cp-33,  -0x1.ae5e68a2b9cebp-26, 0x1.71de357b1fe7dp-19,
        -0x1.a01a019c161d5p-13, 0x1.111111110f8a6p-7,
    };
    static const double cosine[] = {
        -0x1.8fae9be8838d4p-37, 0x1.1ee9ebdb4b1c4p-29,  -0x1.27e4f809c52adp-22,
        0x1.a01a019cb1590p-16,  -0x1.6c16c16c15177p-10, 0x1.555555555554cp-5,
    };
    bool is_cosine = ((octant + 1) & 2) != 0;
    double square = x * x;
    double sum = 0.0;
    double value;
    if (is_cosine) {
        for (uint32_t i = 0; i < sizeof cosine / sizeof cosine[0]; i++) {
            sum = sum * square + cosine[i];
        }
        double half = 0.5 * square;
        double whole = 1.0 - half;
        value = whole + (((1.0 - whole) - half) + (square * (square * sum) - x * low));
    } else {
        for (uint32_t i = 0; i < sizeof sine / sizeof sine[0]; i++) {
            sum = sum * square + sine[i];
        }
        double cube = square * x;
        value = x - ((square * (0.5 * low - cube * sum) - low) + cube * 0x1.5555555555549p-3);
    }
    return octant & 4 ? -value : value;
}

/* sin(2 pi n / turn): the angle as a fraction of a turn is reduced exactly, in integers. `turn` is at
 * most 2^28. */
static inline double rune_sin_turns(uint32_t n, uint32_t turn)
{
    n = (n % turn) * 8; /* in eighths of 1 / turn: an octant is `turn` of them */
    uint32_t octant = n / turn;
    uint32_t rest = n - octant * turn;
    if (octant & 1) {
        rest = turn - rest;
    }
    /* pi / 4 rest / turn in two parts: what each rounding lost is added to the small one. */
    double high = rest * 0x1.921fbp-1; /* 22 digits of pi / 4: exact */
    double low = rest * 0x1.5110b4611a626p-23;
    double product = high + low;
    double lost = low - (product - high);
    double x = product / turn;
    double upper = rune_f64_of_bits(rune_bits_f64(x) & 0xfffffffff0000000u); /* 25 digits: times turn exact */
    double remainder = (product - upper * turn) - (x - upper) * turn;
    return rune_sin_octant(octant, x, (remainder + lost) / turn);
}

/* cos x for x from 0 to 2 pi. */
static inline double rune_cos(double x)
{
    uint32_t quarter = (uint32_t)(x * (2.0 / RUNE_PI) + 0.5);
    /* pi / 2 in three parts, the first two of which are exact times a quarter's number. */
    double near = x - quarter * 0x1.921fb544p+0;
    double second = quarter * 0x1.0b4611a6p-34;
    double high = near - second;
    double back = high + second;
    double lost = (near - back) + ((back - high) - second); /* of that difference; D. E. Knuth, volume 2 */
    double low = lost - quarter * 0x1.3198a2e037073p-69;
    double angle = high + low;
    double small = low - (angle - high);
    /* The kernel takes an angle of either sign: cos = sin a quarter later. */
    return rune_sin_octant(2 * quarter + 2, angle, small);
}

static inline float rune_sinf_turns(uint32_t n, uint32_t turn)
{
    return (float)rune_sin_turns(n, turn);
}

/* cos(2 pi n / turn) = sin(2 pi (4n + turn) / 4 turn). `turn` is at most 2^26. */
static inline float rune_cosf_turns(uint32_t n, uint32_t turn)
{
    return rune_sinf_turns((n % turn) * 4 + turn, turn * 4);
}

#endif
