#include "rune_gain.h"

/* The audio front end of TensorFlow's micro_speech, bit by bit: README.md has its arithmetic. */

enum {
    WINDOW = RUNE_ARG_SAMPLE_RATE * RUNE_ARG_WINDOW_MS / 1000,
    STRIDE = RUNE_ARG_SAMPLE_RATE * RUNE_ARG_STRIDE_MS / 1000,
    SIZE_BITS = WINDOW <= 64 ? 6 : WINDOW <= 128 ? 7 : WINDOW <= 256 ? 8 : WINDOW <= 512 ? 9 : WINDOW <= 1024 ? 10 : 11,
    SIZE = 1 << SIZE_BITS, /* of the transform */
    HALF = SIZE / 2,
    QUARTER = SIZE / 4,
    CHANNELS = RUNE_ARG_CHANNELS,
    FRAMES = RUNE_ARG_FRAMES,
    SAMPLES = RUNE_IN0_COUNT,
    /* The transform divides by its size, and the root leaves half of the weights' 12 bits. */
    LOST_BITS = SIZE_BITS - 6,
    SNR_SHIFT = RUNE_ARG_GAIN_BITS - LOST_BITS - 12,
    /* Each run gives all the frames of the output; otherwise the block keeps the last ones. */
    LATEST_START = STRIDE > WINDOW ? STRIDE - WINDOW : 0,
    WHOLE = SAMPLES >= LATEST_START + WINDOW + (FRAMES - 1) * STRIDE,
};

/* Outlives a run: see README.md. */
static int32_t start;          /* of the next window, counted from the first sample of a run */
static int16_t recent[WINDOW]; /* where it began in an earlier run: its samples */
static uint32_t estimate[CHANNELS];
static RUNE_OUT0_T history[WHOLE ? 1 : RUNE_OUT0_COUNT];

/* 65536 (log2(1 + n / 128) - n / 128) */
static const uint16_t curve[128] = {
    0, 224, 442, 654, 861, 1063, 1259, 1450, 1636, 1817, 1992, 2163, 2329, 2490, 2646, 2797, 2944, 3087, 3224,
    3358, 3487, 3611, 3732, 3848, 3960, 4068, 4172, 4272, 4368, 4460, 4549, 4633, 4714, 4791, 4864, 4934,
    5001, 5063, 5123, 5178, 5231, 5280, 5326, 5368, 5408, 5444, 5477, 5507, 5533, 5557, 5578, 5595, 5610,
    5622, 5631, 5637, 5640, 5641, 5638, 5633, 5626, 5615, 5602, 5586, 5568, 5547, 5524, 5498, 5470, 5439,
    5406, 5370, 5332, 5291, 5249, 5203, 5156, 5106, 5054, 5000, 4944, 4885, 4825, 4762, 4697, 4630, 4561,
    4490, 4416, 4341, 4264, 4184, 4103, 4020, 3935, 3848, 3759, 3668, 3575, 3481, 3384, 3286, 3186, 3084,
    2981, 2875, 2768, 2659, 2549, 2437, 2323, 2207, 2090, 1971, 1851, 1729, 1605, 1480, 1353, 1224, 1094, 963,
    830, 695, 559, 421, 282, 142,
};

/* Tables, made in the first run. */
static int16_t window[WINDOW];        /* Hann, 4096 is 1 */
static int16_t wave[SIZE + QUARTER];  /* sin(2 pi n / SIZE), 32767 is 1 */
static uint16_t edge[CHANNELS + 2];   /* band c of the mel scale: bins from edge[c] to edge[c + 1] */
static int16_t rising[HALF];          /* a bin's weight in the channel that its band ends */
static int16_t falling[HALF];         /* and in the one that it begins; 4096 is 1 */
static uint16_t place[HALF];          /* where the transform wants a number: digits reversed */
static bool ready;

/* Room to work in: numbers of the transform, then the power of each. */
static union {
    int16_t part[2];
    uint32_t power;
} bins[HALF];

/* The nearest integer to a number that is not negative; of two as near the larger one. */
static int32_t rounded(double x) { return (int32_t)(x + 0.5); }

/* cos(turn (i + 1/2)) out of the last two: 2 cos a cos b = cos(a + b) + cos(a - b). f64 is slow on small
 * machines; this is off by less than 2^-34 after the longest window. */
static void prepare_window(void)
{
    const double turn = (double)(float)(RUNE_PI * 2.0 / (double)WINDOW);
    const double twice = 2.0 * rune_cos(turn);
    double cosine = rune_cos(turn * 0.5);
    double last = cosine;
    for (uint32_t i = 0; i < WINDOW; i++) {
        float value = (float)(0.5 - 0.5 * cosine);
        window[i] = (int16_t)rounded((double)(value * 4096.0f));
        double next = twice * cosine - last;
        last = cosine;
        cosine = next;
    }
}

/* The digits of i from the last to the first, one for each stage of the transform, to its base. */
static void prepare_places(void)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < HALF; i++) {
        place[i] = (uint16_t)at;
        uint32_t unit = HALF;
        while (unit > 1) {
            uint32_t above = unit;
            unit /= unit % 4 == 0 ? 4 : 2;
            at += unit;
            if (at < above) {
                break;
            }
            at -= above; /* and carry on */
        }
    }
}

static void prepare_wave(void)
{
    for (uint32_t i = 0; i <= QUARTER; i++) {
        int16_t value = (int16_t)rounded(32767 * rune_sin_turns(i, SIZE));
        wave[i] = value;
        wave[HALF - i] = value;
        wave[HALF + i] = (int16_t)-value;
        wave[i == 0 ? 0 : SIZE - i] = (int16_t)(i == 0 ? 0 : -value);
    }
    for (uint32_t i = 0; i < QUARTER; i++) {
        wave[SIZE + i] = wave[i];
    }
}

static double mel(float frequency) { return 1127.0 * rune_log(1.0 + (double)frequency / 700.0); }

/* The same, step by step: ln(b / a) = 2 artanh((b - a) / (b + a)). */
static double mel_step(float from, float to)
{
    double part = ((double)to - (double)from) / (1400.0 + (double)from + (double)to);
    double square = part * part;
    double sum = part;
    for (uint32_t n = 3; part > 0x1p-56; n += 2) {
        part *= square;
        sum += part / n;
    }
    return 2254.0 * sum;
}

/* False when the bands leave the spectrum. */
static bool prepare_bands(void)
{
    const float low = (float)mel(RUNE_ARG_LOWER_HZ);
    const float distance = ((float)mel(RUNE_ARG_UPPER_HZ) - low) / (float)(CHANNELS + 1);
    const float bin_hz = (float)(0.5 * RUNE_ARG_SAMPLE_RATE / (double)HALF);
    uint32_t bin = (uint32_t)(1.5 + (double)(RUNE_ARG_LOWER_HZ / bin_hz));
    double at = mel((float)bin * bin_hz);
    float begin = low;
    for (uint32_t i = 0; i <= CHANNELS; i++) {
        float end = low + distance * (float)(i + 1);
        edge[i] = (uint16_t)bin;
        while ((float)at <= end) {
            if (bin >= HALF) {
                return false;
            }
            float weight = (end - (float)at) / (end - begin);
            rising[bin] = (int16_t)rounded((double)(weight * 4096.0f));
            falling[bin] = (int16_t)rounded((1.0 - (double)weight) * 4096.0);
            at += mel_step((float)bin * bin_hz, (float)(bin + 1) * bin_hz);
            bin++;
        }
        begin = end;
    }
    edge[CHANNELS + 1] = (uint16_t)bin;
    return RUNE_ARG_LOWER_HZ < RUNE_ARG_UPPER_HZ;
}

static bool prepare(void)
{
    prepare_window();
    prepare_places();
    prepare_wave();
    rune_gain_prepare(RUNE_ARG_SMOOTHING_BITS - LOST_BITS);
    return prepare_bands();
}

static inline int32_t magnitude(int32_t x)
{
    int32_t sign = x >> 31;
    return (x ^ sign) - sign;
}

/* The windowed samples as complex numbers (even ones real, odd ones imaginary). Returns how far the
 * largest can be shifted up. */
static uint32_t load(const int16_t *samples)
{
    int32_t all = 0;
    for (uint32_t i = 0; i < (WINDOW + 1) / 2; i++) {
        uint32_t odd = 2 * i + 1;
        int32_t real = (samples[2 * i] * window[2 * i]) >> 12;
        int32_t imaginary = WINDOW % 2 == 0 || odd < WINDOW ? (samples[odd] * window[odd]) >> 12 : 0;
        all |= magnitude(real) | magnitude(imaginary);
        bins[place[i]].part[0] = (int16_t)real;
        bins[place[i]].part[1] = (int16_t)imaginary;
    }
    for (uint32_t i = (WINDOW + 1) / 2; i < HALF; i++) {
        bins[place[i]].power = 0;
    }
    /* The magnitude of -32768 has no 16 bits and does not count. */
    all &= INT16_MAX;
    return all == 0 ? 15 : (uint32_t)__builtin_clz((uint32_t)all) - 17;
}

static inline int32_t q15(int32_t x) { return (x + (1 << 14)) >> 15; }

/* Multiplied by e^(-2 pi i angle / SIZE). */
#define TURNED_REAL(real, imaginary, angle) q15((real)*wave[(angle) + QUARTER] - (imaginary)*wave[(angle) + HALF])
#define TURNED_IMAGINARY(real, imaginary, angle) q15((real)*wave[(angle) + HALF] + (imaginary)*wave[(angle) + QUARTER])

/* The first stage multiplies by 1 only, in Q15 by 32767 / 32768, which changes no number so small. */
static void first_stage_of_2(uint32_t shift)
{
    for (uint32_t i = 0; i < HALF; i += 2) {
        for (uint32_t part = 0; part < 2; part++) {
            int32_t a = q15((int16_t)(bins[i].part[part] * (1 << shift)) * (32767 / 2));
            int32_t b = q15((int16_t)(bins[i + 1].part[part] * (1 << shift)) * (32767 / 2));
            bins[i].part[part] = (int16_t)(a + b);
            bins[i + 1].part[part] = (int16_t)(a - b);
        }
    }
}

static inline int32_t quarter(int32_t x, uint32_t shift) { return q15((int16_t)(x * (1 << shift)) * (32767 / 4)); }

static void first_stage_of_4(uint32_t shift)
{
    for (uint32_t i = 0; i < HALF; i += 4) {
        int16_t *x = bins[i].part;
        int32_t a_real = quarter(x[0], shift);
        int32_t a_imaginary = quarter(x[1], shift);
        int32_t b_real = quarter(x[2], shift);
        int32_t b_imaginary = quarter(x[3], shift);
        int32_t c_real = quarter(x[4], shift);
        int32_t c_imaginary = quarter(x[5], shift);
        int32_t d_real = quarter(x[6], shift);
        int32_t d_imaginary = quarter(x[7], shift);
        x[0] = (int16_t)(a_real + c_real + b_real + d_real);
        x[1] = (int16_t)(a_imaginary + c_imaginary + b_imaginary + d_imaginary);
        x[2] = (int16_t)(a_real - c_real + b_imaginary - d_imaginary);
        x[3] = (int16_t)(a_imaginary - c_imaginary - b_real + d_real);
        x[4] = (int16_t)(a_real + c_real - b_real - d_real);
        x[5] = (int16_t)(a_imaginary + c_imaginary - b_imaginary - d_imaginary);
        x[6] = (int16_t)(a_real - c_real - b_imaginary + d_imaginary);
        x[7] = (int16_t)(a_imaginary - c_imaginary + b_real - d_real);
    }
}

static void stage_of_4(uint32_t length)
{
    for (uint32_t j = 0; j < length; j++) {
        uint32_t angle = j * (QUARTER / length);
        for (uint32_t i = j; i < HALF; i += 4 * length) {
            int16_t *a = bins[i].part;
            int16_t *b = bins[i + length].part;
            int16_t *c = bins[i + 2 * length].part;
            int16_t *d = bins[i + 3 * length].part;
            int32_t real = q15(b[0] * (32767 / 4));
            int32_t imaginary = q15(b[1] * (32767 / 4));
            int32_t b_real = TURNED_REAL(real, imaginary, angle);
            int32_t b_imaginary = TURNED_IMAGINARY(real, imaginary, angle);
            real = q15(c[0] * (32767 / 4));
            imaginary = q15(c[1] * (32767 / 4));
            int32_t c_real = TURNED_REAL(real, imaginary, 2 * angle);
            int32_t c_imaginary = TURNED_IMAGINARY(real, imaginary, 2 * angle);
            real = q15(d[0] * (32767 / 4));
            imaginary = q15(d[1] * (32767 / 4));
            int32_t d_real = TURNED_REAL(real, imaginary, 3 * angle);
            int32_t d_imaginary = TURNED_IMAGINARY(real, imaginary, 3 * angle);
            real = q15(a[0] * (32767 / 4));
            imaginary = q15(a[1] * (32767 / 4));
            a[0] = (int16_t)(real + c_real + b_real + d_real);
            a[1] = (int16_t)(imaginary + c_imaginary + b_imaginary + d_imaginary);
            b[0] = (int16_t)(real - c_real + b_imaginary - d_imaginary);
            b[1] = (int16_t)(imaginary - c_imaginary - b_real + d_real);
            c[0] = (int16_t)(real + c_real - b_real - d_real);
            c[1] = (int16_t)(imaginary + c_imaginary - b_imaginary - d_imaginary);
            d[0] = (int16_t)(real - c_real - b_imaginary + d_imaginary);
            d[1] = (int16_t)(imaginary - c_imaginary + b_real - d_real);
        }
    }
}

/* J. W. Cooley and J. W. Tukey, An Algorithm for the Machine Calculation of Complex Fourier Series
 * (1965): decimation in time, in place. Each stage divides by its base; sums wrap. */
static void transform(uint32_t shift)
{
    uint32_t length = 4;
    if (SIZE_BITS % 2 == 0) { /* HALF is not a power of 4 */
        first_stage_of_2(shift);
        length = 2;
    } else {
        first_stage_of_4(shift);
    }
    for (; length < HALF; length *= 4) {
        stage_of_4(length);
    }
}

static inline uint32_t power(int32_t real, int32_t imaginary)
{
    return (uint32_t)(real * real) + (uint32_t)(imaginary * imaginary);
}

/* The power of the real signal's spectrum at n and HALF - n, out of the packed one there (block fft has
 * the formula). */
static void to_power(void)
{
    for (uint32_t n = 1; n <= HALF / 2; n++) {
        int16_t *a = bins[n].part;
        int16_t *b = bins[HALF - n].part;
        int32_t a_real = q15(a[0] * (32767 / 2));
        int32_t a_imaginary = q15(a[1] * (32767 / 2));
        int32_t b_real = q15(b[0] * (32767 / 2));
        int32_t b_imaginary = q15((int16_t)-b[1] * (32767 / 2));
        int32_t real = a_real - b_real;
        int32_t imaginary = a_imaginary - b_imaginary;
        /* e^(-2 pi i n / SIZE), a quarter of a turn further */
        int32_t odd_real = (int16_t)TURNED_REAL(real, imaginary, n + QUARTER);
        int32_t odd_imaginary = (int16_t)TURNED_IMAGINARY(real, imaginary, n + QUARTER);
        real = a_real + b_real;
        imaginary = a_imaginary + b_imaginary;
        bins[n].power = power((real + odd_real) >> 1, (imaginary + odd_imaginary) >> 1);
        bins[HALF - n].power = power((real - odd_real) >> 1, (odd_imaginary - imaginary) >> 1);
    }
}

/* The nearest integer, but the largest one of 16 and of 32 bits does not become one more. */
static uint32_t root(uint64_t x)
{
    uint32_t whole = (uint32_t)rune_sqrt((double)x); /* exact: x < 2^53 */
    bool up = x - (uint64_t)whole * whole > whole;
    return whole + (up && !(whole == UINT16_MAX && x <= UINT32_MAX));
}

/* Noise reduction, then gain control. */
static uint32_t cleaned(uint32_t channel, uint32_t signal)
{
    const uint32_t smoothing = channel % 2 == 0 ? RUNE_Q14(RUNE_ARG_EVEN_SMOOTHING) : RUNE_Q14(RUNE_ARG_ODD_SMOOTHING);
    uint32_t scaled = signal << RUNE_ARG_SMOOTHING_BITS;
    uint64_t sum = (uint64_t)scaled * smoothing + (uint64_t)estimate[channel] * (16384 - smoothing);
    uint32_t noise = (uint32_t)(sum >> 14);
    estimate[channel] = noise;
    uint32_t rest = (scaled - (noise < scaled ? noise : scaled)) >> RUNE_ARG_SMOOTHING_BITS;
    uint32_t least = (uint32_t)(((uint64_t)signal * RUNE_Q14(RUNE_ARG_MIN_SIGNAL_REMAINING)) >> 14);
    uint32_t snr = (uint32_t)(((uint64_t)(rest > least ? rest : least) * rune_gain(noise)) >> SNR_SHIFT);
    return snr < 8192 ? (snr * snr) >> 20 : (snr >> 6) - 64;
}

/* ln x times 2^scale_shift: the digits behind the leading one are log2 but for a curve; 45426 is
 * 65536 ln 2. Between its points the curve is nearly flat: the slope enters with a 128th of its weight. */
static uint32_t logarithm(uint32_t x)
{
    x <<= LOST_BITS;
    if (x <= 1) {
        return 0;
    }
    uint32_t whole = 31 - (uint32_t)__builtin_clz(x);
    uint32_t fraction = (whole < 16 ? x << (16 - whole) : x >> (whole - 16)) & 0xffff;
    uint32_t point = fraction >> 9;
    int32_t slope = (point < 127 ? curve[point + 1] : 0) - curve[point];
    int32_t part = (int32_t)(fraction + curve[point]) + ((slope * (int32_t)(fraction & 511)) >> 16);
    uint32_t log2 = (whole << 16) + (uint32_t)part;
    uint32_t natural = (uint32_t)(((uint64_t)log2 * 45426 + 32768) >> 16);
    uint32_t value = ((natural << RUNE_ARG_SCALE_SHIFT) + 32768) >> 16;
    return value < UINT16_MAX ? value : UINT16_MAX;
}

static inline uint16_t as_u16(uint32_t value) { return (uint16_t)value; }

/* As micro_speech feeds its models: 26 * 25.6 is their range. */
static inline int8_t as_i8(uint32_t value)
{
    return (int8_t)rune_clamp((int32_t)((value * 256 + 333) / 666) - 128, INT8_MIN, INT8_MAX);
}

#define AS_OUTPUT(value) _Generic((RUNE_OUT0_T)0, uint16_t : as_u16, int8_t : as_i8)(value)

/* One full window to one row of channels. */
static void frame(const int16_t *samples, RUNE_OUT0_T *row)
{
    uint32_t shift = load(samples);
    transform(shift);
    to_power();
    uint64_t sum = 0;
    for (uint32_t band = 0; band <= CHANNELS; band++) {
        uint64_t next = 0;
        for (uint32_t bin = edge[band]; bin < edge[band + 1]; bin++) {
            sum += (uint64_t)rising[bin] * bins[bin].power;
            next += (uint64_t)falling[bin] * bins[bin].power;
        }
        if (band > 0) {
            row[band - 1] = AS_OUTPUT(logarithm(cleaned(band - 1, root(sum) >> shift)));
        }
        sum = next;
    }
}

/* The row that the next frame goes to: behind the last one, or in its place when all move up. */
static RUNE_OUT0_T *next_row(RUNE_OUT0_T *rows, uint32_t *count)
{
    if (*count == FRAMES) {
        rune_copy(rows, rows + CHANNELS, sizeof(RUNE_OUT0_T) * (FRAMES - 1) * CHANNELS);
        *count -= 1;
    }
    return rows + CHANNELS * (*count)++;
}

static void copy_samples(int16_t *to, const int16_t *from, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        to[i] = from[i];
    }
}

RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    if (!ready) {
        if (!prepare()) {
            RUNE_FAIL("lower_hz must be less than upper_hz, and upper_hz less than half of sample_rate");
        }
        for (uint32_t i = 0; i < sizeof history / sizeof history[0]; i++) {
            history[i] = AS_OUTPUT(0);
        }
        ready = true;
    }
    RUNE_OUT0_T *rows = WHOLE ? out0 : history;
    uint32_t count = WHOLE ? 0 : FRAMES;
    for (; start + WINDOW <= SAMPLES; start += STRIDE) {
        RUNE_OUT0_T *row = next_row(rows, &count);
        if (start >= 0) {
            frame(in0 + start, row);
        } else {
            copy_samples(recent - start, in0, WINDOW + start);
            frame(recent, row);
            copy_samples(recent, recent + STRIDE, -start - STRIDE);
        }
    }
    if (start < 0) {
        copy_samples(recent - start, in0, SAMPLES);
    } else {
        copy_samples(recent, in0 + start, SAMPLES - start);
    }
    start -= SAMPLES;
    if (!WHOLE) {
        rune_copy(out0, history, RUNE_OUT0_SIZE);
    }
    return RUNE_OK;
}
