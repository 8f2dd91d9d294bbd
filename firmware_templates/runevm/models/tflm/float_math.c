/* SPDX-License-Identifier: Apache-2.0 */
/* The float functions of the C library that operators of TensorFlow Lite Micro call, the same on every
 * board, with the results of the C library that the host's interpreter runs on (glibc). C libraries differ in
 * the last bit; these files' algorithms do not. They compute in double, so -ffp-contract=off matters.
 *
 * expf, logf, sinf, cosf: the algorithms and the constants of Arm's optimized routines, which glibc has
 * used since 2.28 (S. Nagy, W. Dijkstra; github.com/ARM-software/optimized-routines, math/README).
 * tanhf: the formula and the constants of fdlibm (Sun Microsystems, 1993). errno is not set.
 * sqrtf: the one result that IEEE 754 allows, digit by digit, or by the FPU's instruction.
 * Written for runec; compared with glibc bit by bit in tests/backends. */
#include <stdint.h>
#include <string.h>

float expf(float x);
float logf(float x);
float sinf(float x);
float cosf(float x);
float tanhf(float x);
float sqrtf(float x);

static uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint64_t bits_of_double(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double double_of(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static const uint32_t SIGN = 0x80000000u, INFINITE = 0x7f800000u;
/* Adding it rounds a double to an integer, which then stands in the low bits of the sum. */
static const double ROUND = 0x1.8p52;

/* --- exp: 2^(k/32) from a table times a polynomial ----------------------------------------------- */

/* Bits of 2^(i/32) less i << 47: adding k << 47 then gives 2^(k/32) for every k. */
static const uint64_t exp2_table[32] = {
    0x3ff0000000000000u, 0x3fefd9b0d3158574u, 0x3fefb5586cf9890fu, 0x3fef9301d0125b51u, 0x3fef72b83c7d517bu,
    0x3fef54873168b9aau, 0x3fef387a6e756238u, 0x3fef1e9df51fdee1u, 0x3fef06fe0a31b715u, 0x3feef1a7373aa9cbu,
    0x3feedea64c123422u, 0x3feece086061892du, 0x3feebfdad5362a27u, 0x3feeb42b569d4f82u, 0x3feeab07dd485429u,
    0x3feea47eb03a5585u, 0x3feea09e667f3bcdu, 0x3fee9f75e8ec5f74u, 0x3feea11473eb0187u, 0x3feea589994cce13u,
    0x3feeace5422aa0dbu, 0x3feeb737b0cdc5e5u, 0x3feec49182a3f090u, 0x3feed503b23e255du, 0x3feee89f995ad3adu,
    0x3feeff76f2fb5e47u, 0x3fef199bdd85529cu, 0x3fef3720dcef9069u, 0x3fef5818dcfba487u, 0x3fef7c97337b9b5fu,
    0x3fefa4afa2a490dau, 0x3fefd0765b6e4540u,
};

float expf(float x)
{
    static const double per_step = 0x1.71547652b82fep0 * 32; /* 32 / ln 2 */
    static const double c3 = 0x1.c6af84b912394p-5 / 32 / 32 / 32;
    static const double c2 = 0x1.ebfce50fac4f3p-3 / 32 / 32;
    static const double c1 = 0x1.62e42ff0c52d6p-1 / 32;
    const uint32_t magnitude = bits_of(x) & ~SIGN;
    double steps, shifted, rest, square, scale;
    uint64_t k;

    if (magnitude >= 0x42b00000u) { /* 88 */
        if (magnitude > INFINITE) return x + x;
        if (bits_of(x) == (SIGN | INFINITE)) return 0.0f;
        if (x > 0x1.62e42ep6f) return float_of(INFINITE);
        if (x < -0x1.9fe368p6f) return 0.0f;
    }
    steps = per_step * (double)x;
    shifted = steps + ROUND;
    k = bits_of_double(shifted);
    rest = steps - (shifted - ROUND);
    scale = double_of(exp2_table[k % 32] + (k << 47));
    square = rest * rest;
    return (float)(((c3 * rest + c2) * square + (c1 * rest + 1.0)) * scale);
}

/* --- log: a table of 1/c and log c for c near x, and a polynomial in x/c - 1 --------------------- */

static const struct {
    double inverse, log;
} log_table[16] = {
    {0x1.661ec79f8f3bep+0, -0x1.57bf7808caadep-2}, {0x1.571ed4aaf883dp+0, -0x1.2bef0a7c06ddbp-2},
    {0x1.49539f0f010bp+0, -0x1.01eae7f513a67p-2},  {0x1.3c995b0b80385p+0, -0x1.b31d8a68224e9p-3},
    {0x1.30d190c8864a5p+0, -0x1.6574f0ac07758p-3}, {0x1.25e227b0b8eap+0, -0x1.1aa2bc79c81p-3},
    {0x1.1bb4a4a1a343fp+0, -0x1.a4e76ce8c0e5ep-4}, {0x1.12358f08ae5bap+0, -0x1.1973c5a611cccp-4},
    {0x1.0953f419900a7p+0, -0x1.252f438e10c1ep-5}, {0x1p+0, 0x0p+0},
    {0x1.e608cfd9a47acp-1, 0x1.aa5aa5df25984p-5},  {0x1.ca4b31f026aap-1, 0x1.c5e53aa362eb4p-4},
    {0x1.b2036576afce6p-1, 0x1.526e57720db08p-3},  {0x1.9c2d163a1aa2dp-1, 0x1.bc2860d22477p-3},
    {0x1.886e6037841edp-1, 0x1.1058bc8a07ee1p-2},  {0x1.767dcf5534862p-1, 0x1.4043057b6ee09p-2},
};

float logf(float x)
{
    static const double a3 = -0x1.00ea348b88334p-2, a2 = 0x1.5575b0be00b6ap-2, a1 = -0x1.ffffef20a4123p-2;
    static const double ln2 = 0x1.62e42fefa39efp-1;
    uint32_t bits = bits_of(x), from_start;
    double rest, base, square;

    if (bits == 0x3f800000u) return 0.0f;
    if (bits - 0x00800000u >= INFINITE - 0x00800000u) {
        if ((bits & ~SIGN) == 0) return float_of(SIGN | INFINITE);
        if (bits == INFINITE || (bits & ~SIGN) > INFINITE) return x + x;
        if (bits & SIGN) return float_of(0x7fc00000u);
        bits = bits_of(x * 0x1p23f) - (23u << 23); /* subnormal */
    }
    /* x = 2^k z with z from 0x1.66p-1 on */
    from_start = bits - 0x3f330000u;
    rest = (double)float_of(bits - (from_start & 0xff800000u)) * log_table[(from_start >> 19) % 16].inverse - 1.0;
    base = log_table[(from_start >> 19) % 16].log + (double)((int32_t)from_start >> 23) * ln2;
    square = rest * rest;
    return (float)((a3 * square + (a2 * rest + a1)) * square + (base + rest));
}

/* --- sin and cos: the argument in quarters of a turn, and a polynomial ------------------------------ */

/* Bits of 4/pi: 32 of them, ending 8 further at each entry. */
static const uint32_t four_over_pi[24] = {
    0x000000a2u, 0x0000a2f9u, 0x00a2f983u, 0xa2f9836eu, 0xf9836e4eu, 0x836e4e44u, 0x6e4e4415u, 0x4e441529u,
    0x441529fcu, 0x1529fc27u, 0x29fc2757u, 0xfc2757d1u, 0x2757d1f5u, 0x57d1f534u, 0xd1f534ddu, 0xf534ddc0u,
    0x34ddc0dbu, 0xddc0db62u, 0xc0db6295u, 0xdb629599u, 0x6295993cu, 0x95993c43u, 0x993c4390u, 0x3c439041u,
};

static const double HALF_PI = 0x1.921fb54442d18p0;

static double cosine_near_0(double square, double sign)
{
    const double c0 = sign * 0x1p0, c1 = sign * -0x1.ffffffd0c621cp-2, c2 = sign * 0x1.55553e1068f19p-5;
    const double c3 = sign * -0x1.6c087e89a359dp-10, c4 = sign * 0x1.99343027bf8c3p-16;
    const double fourth = square * square;
    const double low = c0 + square * c1;
    return (low + fourth * c2) + (fourth * square) * (c3 + square * c4);
}

static double sine_near_0(double x, double square)
{
    const double s1 = -0x1.555545995a603p-3, s2 = 0x1.1107605230bc4p-7, s3 = -0x1.994eb3774cf24p-13;
    const double third = x * square;
    return (x + third * s1) + (third * square) * (s2 + square * s3);
}

/* |x| < 120: the nearest multiple of pi/2 is taken off in double. */
static double reduce_small(double x, int32_t *quarter)
{
    const double scaled = x * 0x1.45f306dc9c883p+23; /* 2/pi in units of 2^-24 */
    *quarter = ((int32_t)scaled + 0x800000) >> 24;
    return x - (double)*quarter * HALF_PI;
}

/* Any x: its product with as many bits of 4/pi as matter, in 64-bit fixed point. */
static double reduce_large(uint32_t bits, int32_t *quarter)
{
    const uint32_t *inverse = &four_over_pi[(bits >> 26) & 15];
    const uint32_t mantissa = ((bits & 0xffffffu) | 0x800000u) << ((bits >> 23) & 7);
    uint64_t high = (uint64_t)(mantissa * inverse[0]) << 32; /* what is above a turn is lost, as it should */
    const uint64_t middle = (uint64_t)mantissa * inverse[4];
    const uint64_t low = (uint64_t)mantissa * inverse[8];
    uint64_t product, turns;
    product = (low >> 32) | high;
    product += middle;
    turns = (product + ((uint64_t)1 << 61)) >> 62;
    product -= turns << 62;
    *quarter = (int32_t)turns;
    return (double)(int64_t)product * 0x1.921fb54442d18p-62;
}

static float sine_or_cosine(float x, int32_t first)
{
    const uint32_t magnitude = bits_of(x) & ~SIGN;
    double reduced = x, square, sign;
    int32_t quarter = 0;

    if (magnitude >= INFINITE) return x - x;
    if (magnitude < 0x3f490000u) { /* below about pi/4 */
        square = reduced * reduced;
        if (first != 0) return magnitude < 0x39800000u ? 1.0f : (float)cosine_near_0(square, 1.0);
        return magnitude < 0x39800000u ? x : (float)sine_near_0(reduced, square);
    }
    if (magnitude < 0x42f00000u) {
        reduced = reduce_small(reduced, &quarter);
        sign = ((quarter + first) & 2) ? -1.0 : 1.0;
    } else {
        reduced = reduce_large(bits_of(x) & ~SIGN, &quarter);
        if ((bits_of(x) & SIGN) != 0) {
            reduced = -reduced;
            quarter = -quarter;
        }
        sign = ((quarter + first) & 2) ? -1.0 : 1.0;
    }
    square = reduced * reduced;
    if (((quarter + first) & 1) != 0) return (float)cosine_near_0(square, sign);
    return (float)sine_near_0(reduced * sign, square);
}

float sinf(float x)
{
    return sine_or_cosine(x, 0);
}

float cosf(float x)
{
    return sine_or_cosine(x, 1);
}

/* --- tanh: through exp(x) - 1, in float as fdlibm has it -------------------------------------------- */

static float expm1_of(float x)
{
    static const float ln2_high = 0x1.62e300p-1f, ln2_low = 0x1.2fefa2p-17f, per_ln2 = 0x1.715476p0f;
    static const float q1 = -0x1.111112p-5f, q2 = 0x1.a01a02p-10f, q3 = -0x1.4ce19ap-14f;
    static const float q4 = 0x1.0cfca8p-18f, q5 = -0x1.afdb76p-23f;
    const uint32_t magnitude = bits_of(x) & ~SIGN;
    const int negative = (bits_of(x) & SIGN) != 0;
    float high, low, correction = 0.0f, half, square, ratio, t, e;
    int32_t k = 0;

    if (negative && magnitude >= 0x4195b844u) return -1.0f; /* 27 ln 2 */
    if (magnitude > 0x3eb17218u) { /* half of ln 2 */
        if (magnitude < 0x3f851592u) { /* three halves */
            high = negative ? x + ln2_high : x - ln2_high;
            low = negative ? -ln2_low : ln2_low;
            k = negative ? -1 : 1;
        } else {
            k = (int32_t)(per_ln2 * x + (negative ? -0.5f : 0.5f));
            high = x - (float)k * ln2_high;
            low = (float)k * ln2_low;
        }
        x = high - low;
        correction = (high - x) - low;
    } else if (magnitude < 0x33000000u) {
        return x;
    }
    half = 0.5f * x;
    square = x * half;
    ratio = 1.0f + square * (q1 + square * (q2 + square * (q3 + square * (q4 + square * q5))));
    t = 3.0f - ratio * half;
    e = square * ((ratio - t) / (6.0f - x * t));
    if (k == 0) return x - (x * e - square);
    e = (x * (e - correction) - correction) - square;
    if (k == -1) return 0.5f * (x - e) - 0.5f;
    if (k == 1) return x < -0.25f ? -2.0f * (e - (x + 0.5f)) : 1.0f + 2.0f * (x - e);
    if (k <= -2 || k > 56) {
        t = 1.0f - (e - x);
        return float_of(bits_of(t) + ((uint32_t)k << 23)) - 1.0f;
    }
    if (k < 23) {
        t = float_of(0x3f800000u - (0x1000000u >> k)); /* 1 - 2^-k */
        t = t - (e - x);
    } else {
        t = float_of((uint32_t)(0x7f - k) << 23); /* 2^-k */
        t = (x - (e + t)) + 1.0f;
    }
    return float_of(bits_of(t) + ((uint32_t)k << 23));
}

float tanhf(float x)
{
    const uint32_t magnitude = bits_of(x) & ~SIGN;
    const int negative = (bits_of(x) & SIGN) != 0;
    float t, z;

    if (magnitude > INFINITE) return x + x;
    if (magnitude < 0x24000000u) return x; /* 2^-55 */
    if (magnitude >= 0x41b00000u) { /* 22 */
        z = 1.0f;
    } else if (magnitude >= 0x3f800000u) {
        t = expm1_of(2.0f * float_of(magnitude));
        z = 1.0f - 2.0f / (t + 2.0f);
    } else {
        t = expm1_of(-2.0f * float_of(magnitude));
        z = -t / (t + 2.0f);
    }
    return negative ? -z : z;
}

/* --- square root: correctly rounded, so any way to it is right ---------------------------------------- */

#if defined(__ARM_FP) && (__ARM_FP & 4)
float sqrtf(float x)
{
    float root;
    __asm("vsqrt.f32 %0, %1" : "=t"(root) : "t"(x));
    return root;
}
#else
float sqrtf(float x)
{
    uint32_t bits = bits_of(x), fraction = bits & 0x7fffffu, root = 0, rest = 0;
    int32_t exponent = (int32_t)((bits >> 23) & 0xffu);

    if ((bits & ~SIGN) == 0) return x;
    if ((bits & SIGN) != 0) return (x - x) / (x - x);
    if (exponent == 0xff) return x + x;
    if (exponent == 0) { /* subnormal: shift until the leading digit is where that of the others is */
        for (exponent = 1; (fraction & 0x800000u) == 0; exponent--) fraction <<= 1;
    } else {
        fraction |= 0x800000u;
    }
    exponent -= 127;
    fraction <<= 1; /* to 13 pairs of digits */
    if ((exponent & 1) != 0) { /* the exponent of the square has to be even */
        fraction <<= 1;
        exponent--;
    }
    /* 25 digits of the root: 24 that stay and one that says how to round. Two digits of the square each. */
    for (uint32_t i = 0; i < 25; i++) {
        const uint32_t pair = i < 13 ? (fraction >> (24u - 2u * i)) & 3u : 0;
        const uint32_t trial = (root << 2) | 1u;
        rest = (rest << 2) | pair;
        root <<= 1;
        if (rest >= trial) {
            rest -= trial;
            root |= 1u;
        }
    }
    /* A root is never half way between two floats: the last digit alone decides. */
    root = (root >> 1) + (root & 1u);
    return float_of(root + ((uint32_t)(exponent / 2 + 126) << 23));
}
#endif
