#include "rune_math.h"

/* One column of the spectrogram at a time: the frame is transformed where it lies, its power takes the
 * place of its spectrum, and the column goes to the output as f32, scaled at the end. */

enum {
    SIZE = 512,
    HALF = SIZE / 2,
    QUARTER = SIZE / 4,
    COLUMNS = 49,
    ROWS = 241,
    FILTERS = 40,
    HOP = (int32_t)((float)RUNE_ARG_BINS * (1.0f - RUNE_ARG_WINDOW_OVERLAP)),
    SAMPLES = RUNE_IN0_COUNT,
    /* Frames until one reaches the end of the sound, which is padded with zeros. */
    FRAMES = SAMPLES <= RUNE_ARG_BINS ? 1 : (SAMPLES - RUNE_ARG_BINS + HOP - 1) / HOP + 1,
};

/* Tables and room to work in. Nothing of it carries from one run to the next. */
static float sine[QUARTER + 1];  /* sin(2 pi n / 512): a quarter of a turn */
static float window[HALF];       /* Hann; its other half mirrors it */
static uint8_t edges[FILTERS + 2]; /* where filter i begins, i + 1 culminates and i + 2 ends */
static float frame[SIZE];
static bool ready;

/* Frequencies at equal distances on the mel scale, as rows of the spectrum. Equal distances of
 * 2595 log10(1 + h / 700) are equal ones of ln(1 + h / 700). */
static void prepare(void)
{
    for (uint32_t i = 0; i <= QUARTER; i++) {
        sine[i] = rune_sinf_turns(i, SIZE);
    }
    for (uint32_t i = 0; i < HALF; i++) {
        window[i] = 0.5f * (1.0f - rune_cosf_turns(i, SIZE - 1));
    }
    const double top = RUNE_ARG_SAMPLE_RATE / 2.0;
    double first = rune_log(1.0 + RUNE_ARG_SAMPLE_RATE / 480.0 / 700.0);
    double last = rune_log(1.0 + top / 700.0);
    for (uint32_t i = 0; i <= FILTERS; i++) {
        double frequency = 700.0 * (rune_exp(first + (last - first) * i / (FILTERS + 1)) - 1.0);
        edges[i] = (uint8_t)(int32_t)(frequency / top * ROWS);
    }
    edges[FILTERS + 1] = ROWS; /* the top itself, which rounding must not move */
    ready = true;
}

/* e^(-2 pi i n / 512) for n < 256: half a turn. */
static inline float twiddle_real(uint32_t n) { return n <= QUARTER ? sine[QUARTER - n] : -sine[n - QUARTER]; }
static inline float twiddle_imaginary(uint32_t n) { return n <= QUARTER ? -sine[n] : -sine[HALF - n]; }

static inline float sample_at(const int16_t *sound, uint32_t start, uint32_t n)
{
    uint32_t at = start + n;
    return n < RUNE_ARG_BINS && at < SAMPLES ? window[n < HALF ? n : SIZE - 1 - n] * (float)sound[at] : 0.0f;
}

/* The windowed frame as 256 complex numbers (even samples real, odd ones imaginary), in the order that
 * the transform begins with: number i at the place whose bits are those of i reversed. */
static void load(const int16_t *sound, uint32_t start)
{
    uint32_t place = 0;
    for (uint32_t i = 0; i < HALF; i++) {
        frame[2 * place] = sample_at(sound, start, 2 * i);
        frame[2 * place + 1] = sample_at(sound, start, 2 * i + 1);
        uint32_t bit = HALF / 2;
        while (place & bit) {
            place ^= bit;
            bit >>= 1;
        }
        place |= bit;
    }
}

/* J. W. Cooley and J. W. Tukey, An Algorithm for the Machine Calculation of Complex Fourier Series
 * (1965): radix 2, decimation in time, in place. */
static void transform(void)
{
    for (uint32_t half = 1; half < HALF; half *= 2) {
        for (uint32_t j = 0; j < half; j++) {
            float real = twiddle_real(j * (HALF / half));
            float imaginary = twiddle_imaginary(j * (HALF / half));
            for (uint32_t i = j; i < HALF; i += 2 * half) {
                float *a = frame + 2 * i;
                float *b = frame + 2 * (i + half);
                float b_real = b[0] * real - b[1] * imaginary;
                float b_imaginary = b[0] * imaginary + b[1] * real;
                b[0] = a[0] - b_real;
                b[1] = a[1] - b_imaginary;
                a[0] += b_real;
                a[1] += b_imaginary;
            }
        }
    }
}

/* The power of the real signal's spectrum at n, to frame[2 n], out of the packed one at n and 256 - n:
 * X(n) = (Z(n) + Z*(256 - n)) / 2 - i e^(-2 pi i n / 512) (Z(n) - Z*(256 - n)) / 2. */
static void to_power(void)
{
    float zero = frame[0] + frame[1];
    frame[0] = zero * zero;
    for (uint32_t n = 1; n <= HALF / 2; n++) {
        float *a = frame + 2 * n;
        float *b = frame + 2 * (HALF - n);
        float even_real = 0.5f * (a[0] + b[0]);
        float even_imaginary = 0.5f * (a[1] - b[1]);
        float odd_real = 0.5f * (a[1] + b[1]);
        float odd_imaginary = 0.5f * (b[0] - a[0]);
        float real = twiddle_real(n) * odd_real - twiddle_imaginary(n) * odd_imaginary;
        float imaginary = twiddle_real(n) * odd_imaginary + twiddle_imaginary(n) * odd_real;
        float sum_real = even_real + real;
        float sum_imaginary = even_imaginary + imaginary;
        float difference_real = even_real - real;
        float difference_imaginary = even_imaginary - imaginary;
        a[0] = sum_real * sum_real + sum_imaginary * sum_imaginary;
        b[0] = difference_real * difference_real + difference_imaginary * difference_imaginary;
    }
}

/* The power in one triangle of the mel scale. */
static float filter(uint32_t number)
{
    uint32_t start = edges[number];
    uint32_t end = edges[number + 2];
    int32_t length = end > start ? (int32_t)(end - start) : 1;
    float sum = 0.0f;
    for (int32_t k = 0; k < length && start + (uint32_t)k < ROWS; k++) {
        int32_t distance = 2 * k - (length - 1); /* twice that from the middle */
        float weight = (float)(length - (distance < 0 ? -distance : distance)) / (float)(length * length);
        uint32_t bin = (start + (uint32_t)k) * HALF / ROWS;
        sum += weight * frame[2 * bin];
    }
    return rune_sqrtf(sum);
}

RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    if (!ready) {
        prepare();
    }
    float low = RUNE_INFINITY_F32;
    float high = 0.0f;
    const float ratio = (float)FRAMES / COLUMNS;
    for (uint32_t column = 0; column < COLUMNS; column++) {
        load(in0, (uint32_t)((float)column * ratio) * HOP);
        transform();
        to_power();
        for (uint32_t i = 0; i < FILTERS; i++) {
            float value = filter(i);
            low = value < low ? value : low;
            high = value > high ? value : high;
            out0[FILTERS * column + i] = rune_bits_f32(value);
        }
    }
    for (uint32_t i = 0; i < RUNE_OUT0_COUNT; i++) {
        /* 0 / 0 when all values are equal: the NaN becomes 0. */
        out0[i] = rune_u32_from_f32(65536.0f * (rune_f32_of_bits(out0[i]) - low) / (high - low));
    }
    return RUNE_OK;
}
