/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNEVM_UTF8_H
#define RUNEVM_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length of the well-formed UTF-8 character at `bytes`, `*good` true; or of the maximal
 * ill-formed part there (at least 1), `*good` false. `length` is at least 1. */
size_t runevm_utf8_step(const uint8_t *bytes, size_t length, bool *good);

/* The longest part of the text from its start that has at most `room` bytes and ends between
 * characters, as far as the text is UTF-8. */
size_t runevm_utf8_cut(const char *text, size_t length, size_t room);

#endif
