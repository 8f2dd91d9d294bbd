/* SPDX-License-Identifier: Apache-2.0 */
/* A forward-only reader of canonical JSON: no white space, members in an order that the caller
 * knows. After the first error every function does nothing and returns nothing. */
#ifndef RUNEVM_JSON_READER_H
#define RUNEVM_JSON_READER_H

#include "runevm.h"

typedef struct {
    const char *at, *end;
    runevm_error error;
} runevm_json;

void runevm_json_fail(runevm_json *json, runevm_error error);

/* Consumes `text` if it is next; returns whether it was. */
bool runevm_json_take(runevm_json *json, const char *text);

/* `text` must stand here: RUNEVM_ERR_MALFORMED. */
void runevm_json_expect(runevm_json *json, const char *text);

/* A string; returns the text between the quotes, with escapes. */
runevm_text runevm_json_string(runevm_json *json);

/* An integer from 0 to 2^31 - 1. */
uint32_t runevm_json_integer(runevm_json *json);

/* Any number of JSON. */
void runevm_json_skip_number(runevm_json *json);

/* A number, a string, or a list of these. */
void runevm_json_skip_value(runevm_json *json);

/* For the members of an object or a list after its opening bracket: true while another one
 * follows. `count` starts at 0 and counts them. */
bool runevm_json_more(runevm_json *json, char close, uint32_t *count);

/* Texts of the graph. An escape is exactly one byte, and each byte has one form. */
uint32_t runevm_text_bytes(runevm_text text);
bool runevm_text_is(runevm_text text, const uint8_t *bytes, uint32_t length);
bool runevm_text_same(runevm_text one, runevm_text other);
bool runevm_text_before(runevm_text one, runevm_text other); /* in order of bytes */

/* Copies the unescaped text, truncated at a character, zero-terminated. */
void runevm_text_copy(runevm_text text, char *room, size_t room_bytes);

#endif
