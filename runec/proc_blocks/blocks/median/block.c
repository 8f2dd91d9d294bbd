#include "rune_block.h"

#define BITS (8 * (uint32_t)sizeof(RUNE_IN0_T))
#define TOP (UINT64_C(1) << (BITS - 1))
#define IS_FLOAT _Generic((RUNE_IN0_T)0, float : 1, double : 1, default : 0)
#define IS_SIGNED ((RUNE_IN0_T)-1 < 0)

/* A number for each element that is ordered as the elements are. */
static uint64_t key_of(const RUNE_IN0_T *element)
{
    uint64_t bits = 0;
    __builtin_memcpy(&bits, element, sizeof *element);
    if (IS_FLOAT && (bits & TOP) != 0) {
        return ~bits & (TOP | (TOP - 1));
    }
    return IS_SIGNED ? bits ^ TOP : bits;
}

static double element_of(uint64_t key)
{
    RUNE_IN0_T element;
    uint64_t bits = !IS_SIGNED ? key : !IS_FLOAT || (key & TOP) != 0 ? key ^ TOP : ~key;
    __builtin_memcpy(&element, &bits, sizeof element);
    return (double)element;
}

/* The element that stands at `place` in ascending order, found bit by bit: no memory, and the input
 * stays as it is. */
static double at_place(const RUNE_IN0_T *elements, uint32_t place)
{
    uint64_t found = 0;
    for (uint64_t bit = TOP; bit != 0; bit >>= 1) {
        uint32_t below = 0;
        for (uint32_t i = 0; i < RUNE_IN0_COUNT; i++) {
            below += key_of(elements + i) < (found | bit);
        }
        if (below <= place) {
            found |= bit;
        }
    }
    return element_of(found);
}

RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    for (uint32_t i = 0; i < RUNE_IN0_COUNT; i++) {
        if (RUNE_IS_NAN(in0[i])) {
            out0[0] = RUNE_NAN_F32;
            return RUNE_OK;
        }
    }
    double low = at_place(in0, (RUNE_IN0_COUNT - 1) / 2);
    double high = RUNE_IN0_COUNT % 2 != 0 ? low : at_place(in0, RUNE_IN0_COUNT / 2);
    out0[0] = rune_canonical_f32((float)(0.5 * low + 0.5 * high));
    return RUNE_OK;
}
