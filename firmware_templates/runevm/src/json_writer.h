/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of JSON, straight to callbacks.write: section 4 of docs/spec/rune.md. The first error
 * sticks: afterwards nothing is written. */
#ifndef RUNEVM_JSON_WRITER_H
#define RUNEVM_JSON_WRITER_H

#include "runevm.h"

typedef struct {
    const runevm_callbacks *callbacks;
    runevm_error error;
} runevm_writer;

void runevm_write_bytes(runevm_writer *writer, const uint8_t *bytes, uint32_t length);
void runevm_write_text(runevm_writer *writer, const char *text);
void runevm_write_integer(runevm_writer *writer, bool negative, uint64_t magnitude);

/* Quoted and escaped; what is not UTF-8 becomes U+FFFD. */
void runevm_write_string(runevm_writer *writer, const uint8_t *bytes, uint32_t length);

/* One number of a tensor, at `bytes` in little-endian; not utf8. */
void runevm_write_element(runevm_writer *writer, runevm_element element, const uint8_t *bytes);

/* Bytes of one element, 0 for utf8; its name. */
uint32_t runevm_element_bytes(runevm_element element);
const char *runevm_element_name(runevm_element element);

#endif
