/* Compares the firmware's float functions, compiled under other names, with those of this computer's C
 * library, bit by bit: sweep NAME COUNT SEED prints how many results differ, and the first that does.
 *
 * Half of the arguments are any bit pattern (each exponent as often as another), a quarter is evenly spread over
 * -110 to 110, where the functions are neither 0 nor infinite, and a quarter is small. NaN equals NaN. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

float runec_expf(float x);
float runec_logf(float x);
float runec_sinf(float x);
float runec_cosf(float x);
float runec_tanhf(float x);
float runec_sqrtf(float x);

typedef float (*function)(float);

static const struct {
    const char *name;
    function mine, theirs;
} functions[] = {{"expf", runec_expf, expf},    {"logf", runec_logf, logf}, {"sinf", runec_sinf, sinf},
                 {"cosf", runec_cosf, cosf},    {"tanhf", runec_tanhf, tanhf}, {"sqrtf", runec_sqrtf, sqrtf}};

/* xorshift64*: Vigna, 2016. */
static uint64_t next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545F4914F6CDD1Du;
}

static float argument(uint64_t number)
{
    const uint32_t pattern = (uint32_t)(number >> 32);
    const float unit = (float)(int32_t)pattern * 0x1p-31f;
    float x;

    switch (number & 3u) {
    case 0: return unit * 110.0f;
    case 1: return unit * 2.0f;
    default: memcpy(&x, &pattern, sizeof x); return x;
    }
}

static int differ(float a, float b)
{
    if (isnan(a) || isnan(b)) return !(isnan(a) && isnan(b));
    return memcmp(&a, &b, sizeof a) != 0;
}

int main(int count, char **words)
{
    if (count != 4) return 2;
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        uint64_t wrong = 0, state = strtoull(words[3], NULL, 10) * 2u + 1u;
        const uint64_t wanted = strtoull(words[2], NULL, 10);
        if (strcmp(functions[i].name, words[1]) != 0) continue;
        for (uint64_t n = 0; n < wanted; n++) {
            const float x = argument(next(&state));
            const float mine = functions[i].mine(x), theirs = functions[i].theirs(x);
            if (differ(mine, theirs) && wrong++ == 0) fprintf(stderr, "%a: %a, not %a\n", (double)x, (double)mine, (double)theirs);
        }
        printf("%" PRIu64 "\n", wrong);
        return 0;
    }
    return 2;
}
