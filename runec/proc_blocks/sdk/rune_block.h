/* SPDX-License-Identifier: Apache-2.0 */
/* What a processing block is written against.
 *
 * A block is one file, `block.c`. Each use of it in a pipeline is compiled on its own, after a
 * generated header that says everything about that use:
 *
 *   RUNE_SYMBOL, RUNE_STAGE              the function's name; the stage's name, a string literal
 *   RUNE_INPUTS, RUNE_OUTPUTS            how many tensors come in and go out
 *   RUNE_INn_T, RUNE_OUTn_T              C type of an element (uint8_t for utf8)
 *   RUNE_INn_COUNT, RUNE_OUTn_COUNT      number of elements
 *   RUNE_INn_SIZE, RUNE_OUTn_SIZE        bytes of them (0 for utf8, whose elements vary)
 *   RUNE_INn_RANK, RUNE_INn_DIMENSIONS   `1, 128, 3`: for an array initialiser; OUTn alike
 *   RUNE_OUTn_CAPACITY                   bytes there is room for
 *   RUNE_OUTn_IN_PLACE                   1: outn and inn are the same memory
 *   RUNE_EACH_INPUT(M)                   M(0) M(1) ...
 *   RUNE_ALL_TENSORS                     the parameters of a block that takes any number of tensors
 *   RUNE_HAS_ARG_X                       1 when the argument x has a value
 *   RUNE_ARG_X                           int: a constant; float: an f32 constant
 *   RUNE_ARG_X_TEXT, RUNE_ARG_X_LENGTH   string: its UTF-8 and its bytes (no NUL)
 *   RUNE_ARG_X_COUNT, RUNE_ARG_X_APPEND  string-list: how many words; one of them (rune_words.h)
 *
 * The rules of a block:
 *   1. No libc, no allocation, no recursion, no function pointers, no writable statics that outlive a
 *      run unless its README says so. Frames stay within `stack_bytes` of block.toml.
 *   2. Read inputs, write every byte of every output (utf8: every element, in order).
 *   3. With `in_place` in block.toml, outn[i] is written only after inn[i] was read for the last time.
 *   4. The same input gives the same bytes in every engine. WebAssembly leaves a NaN's sign and
 *      payload open, so a NaN that was computed is stored through rune_canonical_f32 or _f64.
 *   5. What cannot be done ends with RUNE_FAIL and a sentence, never with a trap.
 */
#ifndef RUNE_BLOCK_H
#define RUNE_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- the host (docs/spec/rune.md, section 2.2) ---- */

#define RUNE_IMPORT(name) __attribute__((import_module("env"), import_name(name))) extern

RUNE_IMPORT("_debug") int32_t rune_debug(const char *message, uint32_t length);
RUNE_IMPORT("rune_resource_open") int32_t rune_resource_open(const char *name, uint32_t length);
RUNE_IMPORT("rune_resource_read")
int32_t rune_resource_read(int32_t id, void *buffer, uint32_t length);
RUNE_IMPORT("rune_resource_close") void rune_resource_close(int32_t id);

/* ---- the shape of a block ---- */

#define RUNE_OK 0
#define RUNE_FAILED 1

/* `RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0)) { ... return RUNE_OK; }` */
#define RUNE_BLOCK_RUN(...)           \
    int32_t RUNE_SYMBOL(__VA_ARGS__); \
    int32_t RUNE_SYMBOL(__VA_ARGS__)
#define RUNE_IN(n) const RUNE_IN##n##_T *RUNE_RESTRICT in##n
#define RUNE_OUT(n) RUNE_OUT##n##_T *RUNE_RESTRICT out##n

/* End the run: the stage failed because of `text`, a string literal. */
#define RUNE_FAIL(text) return rune_fail(RUNE_STAGE ": " text, sizeof(RUNE_STAGE ": " text) - 1)

static inline int32_t rune_fail(const char *message, uint32_t length)
{
    (void)rune_debug(message, length);
    return RUNE_FAILED;
}

/* ---- messages with numbers in them; what does not fit is cut off ---- */

#define RUNE_MESSAGE_BYTES 192

typedef struct {
    uint32_t length;
    char text[RUNE_MESSAGE_BYTES];
} rune_message;

static inline void rune_message_bytes(rune_message *message, const char *text, uint32_t length)
{
    for (uint32_t i = 0; i < length && message->length < RUNE_MESSAGE_BYTES; i++) {
        message->text[message->length++] = text[i];
    }
}

#define RUNE_MESSAGE_TEXT(message, text) rune_message_bytes((message), (text), sizeof(text) - 1)

static inline void rune_message_u64(rune_message *message, uint64_t value)
{
    char digits[20];
    uint32_t first = sizeof digits;
    do {
        digits[--first] = (char)('0' + (int)(value % 10));
        value /= 10;
    } while (value != 0);
    rune_message_bytes(message, digits + first, (uint32_t)sizeof digits - first);
}

static inline void rune_message_i64(rune_message *message, int64_t value)
{
    uint64_t magnitude = (uint64_t)value;
    if (value < 0) {
        RUNE_MESSAGE_TEXT(message, "-");
        magnitude = 0 - magnitude;
    }
    rune_message_u64(message, magnitude);
}

/* The integer part; the nearest 64-bit integer where it is too large. */
static inline void rune_message_f64(rune_message *message, double value)
{
    if (value != value) {
        RUNE_MESSAGE_TEXT(message, "NaN");
    } else {
        rune_message_i64(message, __builtin_wasm_trunc_saturate_s_i64_f64(value));
    }
}

#define RUNE_MESSAGE_NUMBER(message, value) \
    _Generic((value),                       \
        float: rune_message_f64,            \
        double: rune_message_f64,           \
        uint64_t: rune_message_u64,         \
        default: rune_message_i64)((message), (value))

#define RUNE_FAIL_MESSAGE(message) return rune_fail((message)->text, (message)->length)

/* ---- memory ---- */

/* Copy a tensor's bytes; tensors lie at multiples of 8. As integers: some engines hold an f32 in a
 * wider register, and a signalling NaN does not come out of that as it went in. */
static inline void rune_copy(void *to, const void *from, uint32_t size)
{
    uint32_t i = 0;
    for (; i + 4 <= size; i += 4) {
        *(uint32_t *)((uint8_t *)to + i) = *(const uint32_t *)((const uint8_t *)from + i);
    }
    for (; i < size; i++) {
        ((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
    }
}

/* ---- numbers ---- */

#define RUNE_INFINITY_F32 __builtin_inff()

static inline uint32_t rune_bits_f32(float value)
{
    uint32_t bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float rune_f32_of_bits(uint32_t bits)
{
    float value;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}

static inline double rune_f64_of_bits(uint64_t bits)
{
    double value;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}

#define RUNE_NAN_F32 rune_f32_of_bits(0x7fc00000u)
#define RUNE_NAN_F64 rune_f64_of_bits(0x7ff8000000000000u)

static inline float rune_canonical_f32(float value)
{
    return value != value ? RUNE_NAN_F32 : value;
}
static inline double rune_canonical_f64(double value)
{
    return value != value ? RUNE_NAN_F64 : value;
}

#define RUNE_CANONICAL(value) _Generic((value), float: rune_canonical_f32, double: rune_canonical_f64)(value)

/* False for integers: their conversion to f64 is never a NaN, and the compiler knows. */
#define RUNE_IS_NAN(value) __builtin_isunordered((double)(value), (double)(value))

/* `a` comes before `b` in descending order; a NaN is smaller than every number. */
#define RUNE_ABOVE(a, b) ((a) > (b) || (RUNE_IS_NAN(b) && !RUNE_IS_NAN(a)))

/* From f32 to every element type: truncated, saturated, NaN to 0, as WebAssembly's trunc_sat. */
static inline int32_t rune_i32_from_f32(float x)
{
    return __builtin_wasm_trunc_saturate_s_i32_f32(x);
}
static inline int64_t rune_i64_from_f32(float x)
{
    return __builtin_wasm_trunc_saturate_s_i64_f32(x);
}
static inline uint32_t rune_u32_from_f32(float x)
{
    return (uint32_t)__builtin_wasm_trunc_saturate_u_i32_f32(x);
}
static inline uint64_t rune_u64_from_f32(float x)
{
    return (uint64_t)__builtin_wasm_trunc_saturate_u_i64_f32(x);
}
static inline int32_t rune_clamp(int32_t value, int32_t low, int32_t high)
{
    return value < low ? low : value > high ? high : value;
}
static inline int8_t rune_i8_from_f32(float x)
{
    return (int8_t)rune_clamp(rune_i32_from_f32(x), INT8_MIN, INT8_MAX);
}
static inline int16_t rune_i16_from_f32(float x)
{
    return (int16_t)rune_clamp(rune_i32_from_f32(x), INT16_MIN, INT16_MAX);
}
static inline uint8_t rune_u8_from_f32(float x)
{
    return (uint8_t)rune_clamp(rune_i32_from_f32(x), 0, UINT8_MAX);
}
static inline uint16_t rune_u16_from_f32(float x)
{
    return (uint16_t)rune_clamp(rune_i32_from_f32(x), 0, UINT16_MAX);
}
static inline double rune_f64_from_f32(float x)
{
    return x != x ? RUNE_NAN_F64 : (double)x;
}

#define RUNE_FROM_F32(type, value)   \
    _Generic((type)0,                \
        int8_t: rune_i8_from_f32,    \
        int16_t: rune_i16_from_f32,  \
        int32_t: rune_i32_from_f32,  \
        int64_t: rune_i64_from_f32,  \
        uint8_t: rune_u8_from_f32,   \
        uint16_t: rune_u16_from_f32, \
        uint32_t: rune_u32_from_f32, \
        uint64_t: rune_u64_from_f32, \
        float: rune_canonical_f32,   \
        double: rune_f64_from_f32)(value)

/* The significand of a finite f32 that is not zero, top bit at 2^23; `exponent` so that the
 * magnitude is significand * 2^(exponent - 150). */
static inline uint32_t rune_significand_f32(uint32_t magnitude, int32_t *exponent)
{
    *exponent = (int32_t)(magnitude >> 23);
    if (*exponent != 0) {
        return (magnitude & 0x7fffffu) | 0x800000u;
    }
    int32_t shift = __builtin_clz(magnitude) - 8;
    *exponent = 1 - shift;
    return magnitude << shift;
}

/* x - trunc(x / y) * y, exact, with the sign of x. `y` is finite and greater than zero.
 * Long division of the significands, eight bits of the quotient at a time: 24 + 8 = 32. */
static inline float rune_remainder_f32(float x, float y)
{
    uint32_t sign = rune_bits_f32(x) & 0x80000000u;
    uint32_t magnitude = rune_bits_f32(x) ^ sign;
    if (magnitude >= 0x7f800000u) {
        return RUNE_NAN_F32;
    }
    if (magnitude < rune_bits_f32(y)) {
        return x;
    }
    int32_t exponent;
    int32_t last;
    uint32_t rest = rune_significand_f32(magnitude, &exponent);
    uint32_t divisor = rune_significand_f32(rune_bits_f32(y), &last);
    rest %= divisor;
    while (exponent > last && rest != 0) {
        int32_t step = exponent - last < 8 ? exponent - last : 8;
        rest = (rest << step) % divisor;
        exponent -= step;
    }
    if (rest == 0) {
        return rune_f32_of_bits(sign);
    }
    /* Normalise again; a subnormal result keeps its scale of 2^-149. */
    int32_t shift = __builtin_clz(rest) - 8;
    if (shift >= exponent) {
        return rune_f32_of_bits(sign | (exponent > 0 ? rest << (exponent - 1) : rest >> (1 - exponent)));
    }
    return rune_f32_of_bits(sign | (((rest << shift) & 0x7fffffu) + ((uint32_t)(exponent - shift) << 23)));
}

/* Stands for "nothing" in a u32 tensor of indices: what fills it where there are fewer. */
#define RUNE_NO_INDEX UINT32_MAX

/* ---- utf8 tensors: elements of a u32 length and so many bytes ---- */

/* Write one element at `end` and return where the next one goes. Byte by byte: nothing is aligned. */
static inline uint8_t *rune_utf8_append(uint8_t *end, const char *text, uint32_t length)
{
    for (uint32_t shift = 0; shift < 32; shift += 8) {
        *end++ = (uint8_t)(length >> shift);
    }
    for (uint32_t i = 0; i < length; i++) {
        *end++ = (uint8_t)text[i];
    }
    return end;
}

/* Bytes that the `count` elements at `tensor` take. */
static inline uint32_t rune_utf8_size(const uint8_t *tensor, uint32_t count)
{
    uint32_t size = 0;
    for (; count > 0; count--) {
        const uint8_t *at = tensor + size;
        size += 4 + ((uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24);
    }
    return size;
}

/* The element at `*at`; moves `*at` to the next one. */
static inline const uint8_t *rune_utf8_next(const uint8_t **at, uint32_t *length)
{
    const uint8_t *text = *at + 4;
    *length = rune_utf8_size(*at, 1) - 4;
    *at = text + *length;
    return text;
}

/* How many of the bytes are well-formed UTF-8 (Unicode 15, table 3-7); all of them: `length`. */
static inline uint32_t rune_utf8_valid(const uint8_t *text, uint32_t length)
{
    uint32_t i = 0;
    while (i < length) {
        uint8_t lead = text[i];
        uint32_t more = lead < 0x80 ? 0 : lead < 0xc2 ? 4 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : 4;
        if (more == 4 || more >= length - i) {
            return i;
        }
        uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
        uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
        for (uint32_t j = 1; j <= more; j++) {
            if (text[i + j] < low || text[i + j] > high) {
                return i;
            }
            low = 0x80;
            high = 0xbf;
        }
        i += 1 + more;
    }
    return i;
}

/* Bytes of a text that a u8 tensor holds: up to the first NUL, which pads it, or all. */
static inline uint32_t rune_text_length(const uint8_t *bytes, uint32_t count)
{
    uint32_t length = 0;
    while (length < count && bytes[length] != 0) {
        length++;
    }
    return length;
}

/* The glue between the stages includes this file too, and is not a stage. */
#ifdef RUNE_STAGE
#include "rune_words.h"
#endif

#endif
