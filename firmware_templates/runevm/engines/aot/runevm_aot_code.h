/* SPDX-License-Identifier: Apache-2.0 */
/* What C made from a module by `runec` consists of. Only such C includes it.
 *
 * Linear memory is a static array of a constant size, and every address is compared with a constant before it is used:
 * `address > size - offset - bytes` in 32 bits is all of the check, since the sum cannot wrap once the compare passed. */
#ifndef RUNEVM_AOT_CODE_H
#define RUNEVM_AOT_CODE_H

#include <math.h>
#include <string.h>

#include "engine_aot.h"

#define AOT_UNLIKELY(condition) __builtin_expect((condition), 0)

/* A turn of a loop: `steps` is the function's copy of runevm_aot_steps. */
#define AOT_STEP()                        \
    do {                                  \
        if (AOT_UNLIKELY(--steps == 0)) { \
            steps = runevm_aot_look();    \
        }                                 \
    } while (0)

#if defined(__GNUC__) && !defined(__clang__) && defined(__arm__)
#define AOT_STACK_POINTER()                            \
    ({                                                 \
        const uint8_t *aot_sp;                         \
        __asm__ volatile("mov %0, sp" : "=r"(aot_sp)); \
        aot_sp;                                        \
    })
#else
#define AOT_STACK_POINTER() ((const uint8_t *)__builtin_frame_address(0))
#endif

/* --- memory ---------------------------------------------------------------------------------------- */

#if defined(__ARM_FEATURE_UNALIGNED) || defined(__x86_64__)
#define AOT_IS_ALIGNED(at, bytes) 1
#else
#define AOT_IS_ALIGNED(at, bytes) __builtin_expect(((uintptr_t)(at) & ((bytes) - 1)) == 0, 1)
#endif

#define AOT_ACCESS(bits)                                                                 \
    static inline uint##bits##_t aot_load##bits(const uint8_t *at)                       \
    {                                                                                    \
        uint##bits##_t value;                                                            \
        if (AOT_IS_ALIGNED(at, bits / 8)) {                                              \
            at = (const uint8_t *)__builtin_assume_aligned(at, AOT_ALIGNMENT(bits / 8)); \
            memcpy(&value, at, sizeof value);                                            \
        } else {                                                                         \
            value = aot_load_bytes##bits(at);                                            \
        }                                                                                \
        return value;                                                                    \
    }                                                                                    \
    static inline void aot_store##bits(uint8_t *at, uint##bits##_t value)                \
    {                                                                                    \
        if (AOT_IS_ALIGNED(at, bits / 8)) {                                              \
            at = (uint8_t *)__builtin_assume_aligned(at, AOT_ALIGNMENT(bits / 8));       \
            memcpy(at, &value, sizeof value);                                            \
        } else {                                                                         \
            aot_store_bytes##bits(at, value);                                            \
        }                                                                                \
    }

#if defined(__ARM_FEATURE_UNALIGNED) || defined(__x86_64__)
#define AOT_ALIGNMENT(bytes) 1
#else
#define AOT_ALIGNMENT(bytes) (bytes)
#endif

#define AOT_BYTEWISE(bits)                                                                                   \
    static __attribute__((noinline, unused)) uint##bits##_t aot_load_bytes##bits(const uint8_t *at)          \
    {                                                                                                        \
        uint##bits##_t value = 0;                                                                            \
        for (unsigned i = 0; i < bits / 8; i++) value |= (uint##bits##_t)((uint##bits##_t)at[i] << (8 * i)); \
        return value;                                                                                        \
    }                                                                                                        \
    static __attribute__((noinline, unused)) void aot_store_bytes##bits(uint8_t *at, uint##bits##_t value)   \
    {                                                                                                        \
        for (unsigned i = 0; i < bits / 8; i++) at[i] = (uint8_t)(value >> (8 * i));                         \
    }                                                                                                        \
    AOT_ACCESS(bits)

static inline uint8_t aot_load8(const uint8_t *at)
{
    return *at;
}

static inline void aot_store8(uint8_t *at, uint8_t value)
{
    *at = value;
}

AOT_BYTEWISE(16)
AOT_BYTEWISE(32)
AOT_BYTEWISE(64)

/* --- numbers --------------------------------------------------------------------------------------- */

static inline uint32_t aot_bits32(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline uint64_t aot_bits64(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float aot_float32(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline double aot_float64(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t aot_clz32(uint32_t value)
{
    return value == 0 ? 32 : (uint32_t)__builtin_clzl((unsigned long)value) - (8 * sizeof(long) - 32);
}

static inline uint32_t aot_ctz32(uint32_t value)
{
    return value == 0 ? 32 : (uint32_t)__builtin_ctzl((unsigned long)value);
}

static inline uint32_t aot_popcnt32(uint32_t value)
{
    return (uint32_t)__builtin_popcountl((unsigned long)value);
}

static inline uint64_t aot_clz64(uint64_t value)
{
    return value == 0 ? 64 : (uint64_t)__builtin_clzll(value);
}

static inline uint64_t aot_ctz64(uint64_t value)
{
    return value == 0 ? 64 : (uint64_t)__builtin_ctzll(value);
}

static inline uint64_t aot_popcnt64(uint64_t value)
{
    return (uint64_t)__builtin_popcountll(value);
}

static inline uint32_t aot_rotl32(uint32_t value, uint32_t by)
{
    return value << (by & 31) | value >> (-by & 31);
}

static inline uint64_t aot_rotl64(uint64_t value, uint64_t by)
{
    return value << (by & 63) | value >> (-by & 63);
}

#define AOT_FLOATS(bits, type, unit)                                                        \
    static inline type aot_f##bits##_abs(type a)                                            \
    {                                                                                       \
        return aot_float##bits(aot_bits##bits(a) & ~((uint##bits##_t)1 << (bits - 1)));     \
    }                                                                                       \
    static inline type aot_f##bits##_neg(type a)                                            \
    {                                                                                       \
        return aot_float##bits(aot_bits##bits(a) ^ ((uint##bits##_t)1 << (bits - 1)));      \
    }                                                                                       \
    static inline type aot_f##bits##_copysign(type a, type b)                               \
    {                                                                                       \
        const uint##bits##_t sign = (uint##bits##_t)1 << (bits - 1);                        \
        return aot_float##bits((aot_bits##bits(a) & ~sign) | (aot_bits##bits(b) & sign));   \
    }                                                                                       \
    static inline type aot_f##bits##_ceil(type a)                                           \
    {                                                                                       \
        return ceil##unit(a);                                                               \
    }                                                                                       \
    static inline type aot_f##bits##_floor(type a)                                          \
    {                                                                                       \
        return floor##unit(a);                                                              \
    }                                                                                       \
    static inline type aot_f##bits##_trunc(type a)                                          \
    {                                                                                       \
        return trunc##unit(a);                                                              \
    }                                                                                       \
    static inline type aot_f##bits##_nearest(type a)                                        \
    {                                                                                       \
        return rint##unit(a);                                                               \
    }                                                                                       \
    static inline type aot_f##bits##_sqrt(type a)                                           \
    {                                                                                       \
        return sqrt##unit(a);                                                               \
    }                                                                                       \
    static inline type aot_f##bits##_min(type a, type b)                                    \
    {                                                                                       \
        if (a != a || b != b) return a + b;                                                 \
        if (a == b) return aot_float##bits(aot_bits##bits(a) | aot_bits##bits(b)); /* -0 */ \
        return a < b ? a : b;                                                               \
    }                                                                                       \
    static inline type aot_f##bits##_max(type a, type b)                                    \
    {                                                                                       \
        if (a != a || b != b) return a + b;                                                 \
        if (a == b) return aot_float##bits(aot_bits##bits(a) & aot_bits##bits(b)); /* +0 */ \
        return a > b ? a : b;                                                               \
    }

AOT_FLOATS(32, float, f)
AOT_FLOATS(64, double, )

#endif
