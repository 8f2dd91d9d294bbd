/* Applies one function of rune_math.h to arrays, for test_sdk_maths.py. */
#define RUNE_STAGE "maths"
#include "rune_math.h"

enum { LONGEST = 4096 };

static double first[LONGEST];
static double second[LONGEST];
static double results[LONGEST];

#define EXPORT(name) __attribute__((export_name(name)))

EXPORT("first") double *where_first(void);
double *where_first(void) { return first; }
EXPORT("second") double *where_second(void);
double *where_second(void) { return second; }
EXPORT("results") double *where_results(void);
double *where_results(void) { return results; }

#define F64(name)                                                      \
    EXPORT("rune_" #name) void apply_##name(uint32_t count);           \
    void apply_##name(uint32_t count)                                  \
    {                                                                  \
        for (uint32_t i = 0; i < count; i++) {                         \
            results[i] = rune_##name(first[i]);                        \
        }                                                              \
    }
#define F32(name)                                                      \
    EXPORT("rune_" #name) void apply_##name(uint32_t count);           \
    void apply_##name(uint32_t count)                                  \
    {                                                                  \
        for (uint32_t i = 0; i < count; i++) {                         \
            results[i] = (double)rune_##name((float)first[i]);         \
        }                                                              \
    }
#define TURNS(name)                                                                        \
    EXPORT("rune_" #name) void apply_##name(uint32_t count);                               \
    void apply_##name(uint32_t count)                                                      \
    {                                                                                      \
        for (uint32_t i = 0; i < count; i++) {                                             \
            results[i] = (double)rune_##name((uint32_t)first[i], (uint32_t)second[i]);     \
        }                                                                                  \
    }

F64(exp)
F64(log)
F64(log2)
F64(sqrt)
F64(cos)
F32(expf)
F32(logf)
F32(log2f)
F32(sqrtf)
F32(tanhf)
TURNS(sin_turns)
TURNS(sinf_turns)
TURNS(cosf_turns)

EXPORT("rune_powf") void apply_powf(uint32_t count);
void apply_powf(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        results[i] = (double)rune_powf((float)first[i], (float)second[i]);
    }
}
