#include "rune_math.h"

/* Noise reduction and gain control as the audio front end of TensorFlow's micro_speech describes them
 * (per-channel energy normalisation: Y. Wang et al., Trainable Frontend For Robust and Far-Field Keyword
 * Spotting, 2017), with what the original made of them: README.md. */

#define Q14(x) ((uint32_t)((x)*16384.0f))

enum {
    SNR_SHIFT = RUNE_ARG_GAIN_BITS + 1 - 12,
    INPUT_BITS = RUNE_ARG_SMOOTHING_BITS + 1,
    LUT_SIZE = 125,
};

/* Outlives a run: see README.md. */
static uint32_t estimate[RUNE_IN0_COUNT];

static int16_t lut[LUT_SIZE];
static bool ready;

static int32_t gain_of(uint32_t noise)
{
    float x = (float)noise / (float)(1u << INPUT_BITS) + RUNE_ARG_OFFSET;
    float gain = (float)(1u << RUNE_ARG_GAIN_BITS) * rune_powf(x, -RUNE_ARG_STRENGTH);
    return (int32_t)((gain < 32767.0f ? gain : 32767.0f) + 0.5f);
}

/* A parabola for each power of two: its value at the lower end and two differences. */
static void prepare(void)
{
    lut[0] = (int16_t)gain_of(0);
    lut[1] = (int16_t)gain_of(1);
    for (uint32_t i = 2; i <= 32; i++) {
        uint32_t x0 = UINT32_C(1) << (i - 1);
        int32_t y0 = gain_of(x0);
        int32_t y1 = gain_of(x0 + (x0 >> 1));
        int32_t y2 = gain_of(i == 32 ? UINT32_MAX : x0 * 2);
        int32_t a1 = 4 * (y1 - y0) - (y2 - y0);
        int32_t a2 = (y2 - y0) - a1;
        lut[4 * i - 6] = (int16_t)y0;
        lut[4 * i - 5] = (int16_t)a1;
        lut[4 * i - 4] = (int16_t)a2;
    }
    ready = true;
}

static uint32_t look_up(uint32_t noise)
{
    if (noise <= 2) {
        return (uint32_t)lut[noise];
    }
    uint32_t bits = 32 - (uint32_t)__builtin_clz(noise);
    const int16_t *entry = lut + (4 * bits - 6);
    /* Ten bits behind the leading one. */
    int32_t fraction = (int32_t)((bits < 11 ? noise << (11 - bits) : noise >> (bits - 11)) & 0x3ff);
    int32_t result = ((entry[2] * fraction) >> 5) + entry[1] * 32;
    result = (result * fraction + (1 << 14)) >> 15;
    return (uint32_t)(entry[0] + result);
}

static uint32_t shifted(uint32_t signal)
{
    uint64_t wide = (uint64_t)signal << RUNE_ARG_SMOOTHING_BITS;
    return wide > UINT32_MAX ? UINT32_MAX : (uint32_t)wide;
}

/* Learn from one run. */
static void learn(uint32_t index, uint32_t signal)
{
    uint32_t smoothing = index % 2 == 0 ? Q14(RUNE_ARG_EVEN_SMOOTHING) : Q14(RUNE_ARG_ODD_SMOOTHING);
    uint64_t sum = (uint64_t)estimate[index] + (((uint64_t)shifted(signal) * smoothing) >> 14);
    estimate[index] = sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
}

/* What is left of an element: noise reduction, then gain control. It depends on the state after this
 * run's learning only, so that it can be computed twice and needs no memory between. */
static uint32_t cleaned(uint32_t index, uint32_t signal)
{
    uint32_t scaled = shifted(signal);
    uint32_t noise = estimate[index] < scaled ? estimate[index] : scaled;
    uint32_t floor = (uint32_t)(((uint64_t)signal * Q14(RUNE_ARG_MIN_SIGNAL_REMAINING)) >> 14);
    uint32_t rest = (scaled - noise) >> RUNE_ARG_SMOOTHING_BITS;
    uint64_t snr = ((uint64_t)(rest > floor ? rest : floor) * look_up(estimate[index])) >> SNR_SHIFT;
    if (snr < 8192) {
        return (uint32_t)(snr * snr) >> 20;
    }
    snr = (snr >> 6) - 64;
    return snr > UINT32_MAX ? UINT32_MAX : (uint32_t)snr;
}

RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    if (!ready) {
        prepare();
    }
    uint32_t least = UINT32_MAX;
    uint32_t most = 0;
    for (uint32_t i = 0; i < RUNE_IN0_COUNT; i++) {
        learn(i, in0[i]);
        uint32_t value = cleaned(i, in0[i]);
        least = value < least ? value : least;
        most = value > most ? value : most;
    }
    double low = rune_log2((double)least + 1.0);
    double range = rune_log2((double)most + 1.0) - low;
    for (uint32_t i = 0; i < RUNE_IN0_COUNT; i++) {
        double value = rune_log2((double)cleaned(i, in0[i]) + 1.0);
        double scaled = 255.0 * (value - low) / range - 128.0;
        /* 0 / 0 when all values are equal: the NaN becomes 0. */
        out0[i] = (int8_t)__builtin_wasm_trunc_saturate_s_i32_f64(scaled);
    }
    return RUNE_OK;
}
