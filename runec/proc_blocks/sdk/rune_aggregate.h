/* SPDX-License-Identifier: Apache-2.0 */
/* What gesture_agg, microspeech_agg, person_detection_agg and debounce share: the mean of the last vectors
 * of probabilities, the largest of them, and its word at most once in so many runs.
 *
 * Arguments: wordlist, fallback, history, throttle_interval. One input, a vector; one output, utf8[1].
 */
#ifndef RUNE_AGGREGATE_H
#define RUNE_AGGREGATE_H

#include "rune_block.h"

/* Outlives a run. */
static RUNE_IN0_T rune_history[RUNE_ARG_HISTORY][RUNE_IN0_COUNT];
static uint32_t rune_history_length;
static uint32_t rune_history_next;
static uint32_t rune_countdown;

static inline double rune_history_sum(uint32_t element)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < rune_history_length; i++) {
        sum += (double)rune_history[i][element];
    }
    return sum;
}

static inline int32_t rune_aggregate(const RUNE_IN0_T *probabilities, uint8_t *text)
{
    for (uint32_t i = 0; i < RUNE_IN0_COUNT; i++) {
        rune_history[rune_history_next][i] = probabilities[i];
    }
    rune_history_next = rune_history_next + 1 < RUNE_ARG_HISTORY ? rune_history_next + 1 : 0;
    rune_history_length += rune_history_length < RUNE_ARG_HISTORY;
    if (rune_countdown > 1) {
        rune_countdown--;
        (void)rune_utf8_append(text, RUNE_ARG_FALLBACK_TEXT, RUNE_ARG_FALLBACK_LENGTH);
        return RUNE_OK;
    }
    rune_countdown = RUNE_ARG_THROTTLE_INTERVAL;
    /* All means have the same divisor, so the sums are compared. */
    uint32_t best = 0;
    double largest = rune_history_sum(0);
    for (uint32_t i = 1; i < RUNE_IN0_COUNT; i++) {
        double sum = rune_history_sum(i);
        if (RUNE_ABOVE(sum, largest)) {
            best = i;
            largest = sum;
        }
    }
    return RUNE_ARG_WORDLIST_APPEND(text, 0, best) != NULL ? RUNE_OK : RUNE_FAILED;
}

#endif
