#include "rune_block.h"

#define ROW (RUNE_IN0_COUNT / (RUNE_OUT0_COUNT / 6))
#define NEAR 0.01f

static bool near(float a, float b)
{
    float distance = a - b;
    return distance <= NEAR && distance >= -NEAR;
}

static void copy_row(float *to, const float *from)
{
    for (uint32_t i = 0; i < 6; i++) {
        to[i] = from[i];
    }
}

/* Close the gap that row `gone` leaves. */
static void remove_row(float *rows, uint32_t gone, uint32_t count)
{
    for (uint32_t i = gone; i + 1 < count; i++) {
        copy_row(rows + 6 * i, rows + 6 * (i + 1));
    }
}

RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    uint32_t count = 0;
    for (const float *row = in0; row != in0 + RUNE_IN0_COUNT; row += ROW) {
        if (row[4] > RUNE_ARG_THRESHOLD) {
            uint32_t best = 5;
            for (uint32_t i = 6; i < ROW; i++) {
                best = RUNE_ABOVE(row[i], row[best]) ? i : best;
            }
            float *object = out0 + 6 * count++;
            for (uint32_t i = 0; i < 4; i++) {
                object[i] = rune_canonical_f32(row[i]);
            }
            object[4] = rune_canonical_f32(row[best]);
            object[5] = (float)(best - 5);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        float *first = out0 + 6 * i;
        uint32_t j = i + 1;
        while (j < count) {
            const float *second = out0 + 6 * j;
            if (!near(first[0], second[0]) || !near(first[1], second[1])) {
                j++;
            } else if (first[4] > second[4]) {
                remove_row(out0, j, count--);
            } else {
                /* Its place is taken by the next row, which is compared with all that follow. */
                remove_row(out0, i, count--);
                j = i + 1;
            }
        }
    }
    for (uint32_t i = 6 * count; i < RUNE_OUT0_COUNT; i++) {
        out0[i] = 0.0f;
    }
    return RUNE_OK;
}
