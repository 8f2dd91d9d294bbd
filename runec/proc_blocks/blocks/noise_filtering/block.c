#include "rune_gain.h"

/* Noise reduction and gain control as the audio front end of TensorFlow's micro_speech describes them,
 * with what the original made of them: README.md. */

enum {
    SNR_SHIFT = RUNE_ARG_GAIN_BITS + 1 - 12,
    INPUT_BITS = RUNE_ARG_SMOOTHING_BITS + 1,
};

/* Outlives a run: see README.md. */
static uint32_t estimate[RUNE_IN0_COUNT];

static bool ready;

static uint32_t shifted(uint32_t signal)
{
    uint64_t wide = (uint64_t)signal << RUNE_ARG_SMOOTHING_BITS;
    return wide > UINT32_MAX ? UINT32_MAX : (uint32_t)wide;
}

/* Learn from one run. */
static void learn(uint32_t index, uint32_t signal)
{
    uint32_t smoothing = index % 2 == 0 ? RUNE_Q14(RUNE_ARG_EVEN_SMOOTHING) : RUNE_Q14(RUNE_ARG_ODD_SMOOTHING);
    uint64_t sum = (uint64_t)estimate[index] + (((uint64_t)shifted(signal) * smoothing) >> 14);
    estimate[index] = sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
}

/* What is left of an element: noise reduction, then gain control. It depends on the state after this
 * run's learning only, so that it can be computed twice and needs no memory between. */
static uint32_t cleaned(uint32_t index, uint32_t signal)
{
    uint32_t scaled = shifted(signal);
    uint32_t noise = estimate[index] < scaled ? estimate[index] : scaled;
    uint32_t floor = (uint32_t)(((uint64_t)signal * RUNE_Q14(RUNE_ARG_MIN_SIGNAL_REMAINING)) >> 14);
    uint32_t rest = (scaled - noise) >> RUNE_ARG_SMOOTHING_BITS;
    uint64_t snr = ((uint64_t)(rest > floor ? rest : floor) * rune_gain(estimate[index])) >> SNR_SHIFT;
    if (snr < 8192) {
        return (uint32_t)(snr * snr) >> 20;
    }
    snr = (snr >> 6) - 64;
    return snr > UINT32_MAX ? UINT32_MAX : (uint32_t)snr;
}

RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    if (!ready) {
        rune_gain_prepare(INPUT_BITS);
        ready = true;
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
