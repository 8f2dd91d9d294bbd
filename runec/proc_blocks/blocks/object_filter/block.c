#include "rune_block.h"

#define SECOND(first, second, third) (second)
#define SECOND_OF(...) SECOND(__VA_ARGS__)
#define ROWS ((uint32_t)SECOND_OF(RUNE_IN0_DIMENSIONS))
#define ROW (RUNE_IN0_COUNT / ROWS)
#define ROOM (RUNE_OUT0_COUNT / 6)
#define NEAR 0.01f

/* A bit for each row of the input that is not an object, or the same as another one. */
static uint8_t gone[(ROWS + 7) / 8];

static bool is_gone(uint32_t row) { return (gone[row / 8] >> row % 8 & 1) != 0; }

static void drop(uint32_t row) { gone[row / 8] = (uint8_t)(gone[row / 8] | 1u << row % 8); }

static bool near(float a, float b)
{
    float distance = a - b;
    return distance <= NEAR && distance >= -NEAR;
}

static uint32_t likeliest(const float *row)
{
    uint32_t best = 5;
    for (uint32_t i = 6; i < ROW; i++) {
        best = RUNE_ABOVE(row[i], row[best]) ? i : best;
    }
    return best;
}

static void drop_doubles(const float *rows)
{
    for (uint32_t i = 0; i < ROWS; i++) {
        const float *first = rows + ROW * i;
        for (uint32_t j = i + 1; j < ROWS && !is_gone(i); j++) {
            const float *second = rows + ROW * j;
            if (!is_gone(j) && near(first[0], second[0]) && near(first[1], second[1])) {
                bool is_first = first[likeliest(first)] > second[likeliest(second)];
                drop(is_first ? j : i);
            }
        }
    }
}

/* Make room for one object: the least confident one goes, of equal ones the last. False when the
 * new one is not above it. */
static bool make_room(float *objects, float confidence)
{
    uint32_t least = 0;
    for (uint32_t i = 1; i < ROOM; i++) {
        if (!RUNE_ABOVE(objects[6 * i + 4], objects[6 * least + 4])) {
            least = i;
        }
    }
    if (!RUNE_ABOVE(confidence, objects[6 * least + 4])) {
        return false;
    }
    for (uint32_t i = 6 * least; i < 6 * (ROOM - 1); i++) {
        objects[i] = objects[i + 6];
    }
    return true;
}

RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < sizeof gone; i++) {
        gone[i] = 0;
    }
    for (uint32_t i = 0; i < ROWS; i++) {
        if (!(in0[ROW * i + 4] > RUNE_ARG_THRESHOLD)) {
            drop(i);
        }
    }
    drop_doubles(in0);
    for (uint32_t row = 0; row < ROWS; row++) {
        const float *given = in0 + ROW * row;
        if (is_gone(row)) {
            continue;
        }
        uint32_t best = likeliest(given);
        if (count == ROOM) {
            if (!make_room(out0, given[best])) {
                continue;
            }
            count--;
        }
        float *object = out0 + 6 * count++;
        for (uint32_t i = 0; i < 4; i++) {
            object[i] = rune_canonical_f32(given[i]);
        }
        object[4] = rune_canonical_f32(given[best]);
        object[5] = (float)(best - 5);
    }
    for (uint32_t i = 6 * count; i < RUNE_OUT0_COUNT; i++) {
        out0[i] = 0.0f;
    }
    return RUNE_OK;
}
