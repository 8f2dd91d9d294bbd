/* SPDX-License-Identifier: Apache-2.0 */
/* The shortest decimal of a binary floating-point number. */
#ifndef RUNEVM_SHORTEST_FLOAT_H
#define RUNEVM_SHORTEST_FLOAT_H

#include <stdbool.h>
#include <stdint.h>

#define RUNEVM_FLOAT_DIGITS 17u
#define RUNEVM_FLOAT_TEXT_BYTES 28u

/* The shortest digits that read back as mantissa x 2^exponent (round to nearest, ties to even), and
 * of these the closest, ties to the even digit. `mantissa` is not 0 and below 2^53. `at_power`:
 * the next smaller number is only half as far away as the next larger one. Returns the count of
 * digits; *point is where the decimal point stands, counted from before the first digit. */
unsigned int runevm_shortest_digits(uint64_t mantissa, int exponent, bool at_power, char digits[RUNEVM_FLOAT_DIGITS],
                                    int *point);

/* Spells a number by the table in section 4 of docs/spec/rune.md; returns the count of bytes. */
unsigned int runevm_spell_f32(uint32_t bits, char text[RUNEVM_FLOAT_TEXT_BYTES]);
unsigned int runevm_spell_f64(uint64_t bits, char text[RUNEVM_FLOAT_TEXT_BYTES]);

#endif
