/* SPDX-License-Identifier: Apache-2.0 */
/* The device's end of docs/spec/link.md, section 6: sub-tests of a board, on request. Portable: everything of the chip is
 * behind runevm_hal.h and selftest_chip.h. With SELFTEST_HAS_I2C the board has the functions of runevm_hal.h for I2C. */
#ifndef SELFTEST_H
#define SELFTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SELFTEST_ANSWER_BYTES = 240, /* the longest body of a frame */
    SELFTEST_NAME_BYTES_MAX = 40, /* of a register or a clock */
    SELFTEST_I2C_READ_BYTES_MAX = 128,
    SELFTEST_I2C_ADDRESSES_MAX = 16, /* of one scan */
    SELFTEST_RANDOM_WORDS_MAX = 59
};

/* What the firmware knows of itself. */
typedef struct {
    uint32_t starts; /* since the supply was switched on: the first one is 1 */
    uint32_t reset_cause; /* of the last one */
    bool i2c_is_on; /* private */
    uint32_t overruns; /* counted by whoever reads the console; UINT32_MAX: the chip does not report them */
    void (*fault)(void); /* executes an invalid instruction */
    void (*restart)(void);
} selftest;

/* runevm_link_selftest: `user` is the selftest. Sub-tests that restart the chip return nothing. */
size_t selftest_answer(void *user, const uint8_t *request, size_t bytes, uint8_t *answer);

#endif
