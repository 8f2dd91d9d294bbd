/* SPDX-License-Identifier: Apache-2.0 */
/* What noise_filtering and audio_frontend share: the gain of per-channel energy normalisation (Y. Wang
 * et al., Trainable Frontend For Robust and Far-Field Keyword Spotting, 2017) in the fixed point of the
 * audio front end of TensorFlow's micro_speech.
 *
 * Arguments: strength, offset, gain_bits.
 */
#ifndef RUNE_GAIN_H
#define RUNE_GAIN_H

#include "rune_math.h"

#define RUNE_Q14(x) ((uint32_t)((x) * 16384.0f))

static int16_t rune_gain_table[125];

static int32_t rune_gain_exactly(uint32_t noise, int32_t noise_bits)
{
    float x = (float)noise / (float)(1u << noise_bits) + RUNE_ARG_OFFSET;
    float gain = (float)(1u << RUNE_ARG_GAIN_BITS) * rune_powf(x, -RUNE_ARG_STRENGTH);
    return (int32_t)((gain < 32767.0f ? gain : 32767.0f) + 0.5f);
}

/* 2^gain_bits (noise / 2^noise_bits + offset)^-strength as a parabola for each power of two: its value
 * at the lower end and two differences. */
static inline void rune_gain_prepare(int32_t noise_bits)
{
    rune_gain_table[0] = (int16_t)rune_gain_exactly(0, noise_bits);
    rune_gain_table[1] = (int16_t)rune_gain_exactly(1, noise_bits);
    int32_t y2 = rune_gain_exactly(2, noise_bits);
    for (uint32_t i = 2; i <= 32; i++) {
        uint32_t x0 = UINT32_C(1) << (i - 1);
        int32_t y0 = y2;
        int32_t y1 = rune_gain_exactly(x0 + (x0 >> 1), noise_bits);
        y2 = rune_gain_exactly(i == 32 ? UINT32_MAX : x0 * 2, noise_bits);
        int32_t a1 = 4 * (y1 - y0) - (y2 - y0);
        int32_t a2 = (y2 - y0) - a1;
        rune_gain_table[4 * i - 6] = (int16_t)y0;
        rune_gain_table[4 * i - 5] = (int16_t)a1;
        rune_gain_table[4 * i - 4] = (int16_t)a2;
    }
}

static inline uint32_t rune_gain(uint32_t noise)
{
    if (noise <= 2) {
        return (uint32_t)rune_gain_table[noise];
    }
    uint32_t bits = 32 - (uint32_t)__builtin_clz(noise);
    const int16_t *entry = rune_gain_table + (4 * bits - 6);
    /* Ten bits behind the leading one. */
    int32_t fraction = (int32_t)((bits < 11 ? noise << (11 - bits) : noise >> (bits - 11)) & 0x3ff);
    int32_t result = ((entry[2] * fraction) >> 5) + entry[1] * 32;
    result = (result * fraction + (1 << 14)) >> 15;
    return (uint32_t)(int16_t)(entry[0] + result);
}

#endif
