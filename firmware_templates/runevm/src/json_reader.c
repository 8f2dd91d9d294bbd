/* SPDX-License-Identifier: Apache-2.0 */
#include "json_reader.h"

#include <string.h>

#include "utf8.h"

#define INTEGER_MAX 0x7fffffffu

void runevm_json_fail(runevm_json *json, runevm_error error)
{
    if (json->error == RUNEVM_OK) {
        json->error = error;
    }
}

static size_t left(const runevm_json *json)
{
    return (size_t)(json->end - json->at);
}

/* The next byte; 0, which no JSON contains, at the end or after a mistake. */
static char peek(const runevm_json *json)
{
    return json->error == RUNEVM_OK && json->at < json->end ? *json->at : '\0';
}

bool runevm_json_take(runevm_json *json, const char *text)
{
    size_t length = strlen(text);
    if (json->error != RUNEVM_OK || left(json) < length || memcmp(json->at, text, length) != 0) {
        return false;
    }
    json->at += length;
    return true;
}

void runevm_json_expect(runevm_json *json, const char *text)
{
    if (!runevm_json_take(json, text)) {
        runevm_json_fail(json, RUNEVM_ERR_MALFORMED);
    }
}

/* The value of a lower-case hex digit, or 16. */
static uint8_t hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return (uint8_t)(digit - '0');
    }
    return digit >= 'a' && digit <= 'f' ? (uint8_t)(digit - 'a' + 10) : 16;
}

/* The length of the escape at `at`, which is a backslash, and its byte; 0 if it is none of ours. */
static size_t read_escape(const char *at, size_t length, uint8_t *byte)
{
    if (length < 2) {
        return 0;
    }
    switch (at[1]) {
    case '"':
    case '\\': *byte = (uint8_t)at[1]; return 2;
    case 'n': *byte = '\n'; return 2;
    case 't': *byte = '\t'; return 2;
    case 'u': break;
    default: return 0;
    }
    if (length < 6 || at[2] != '0' || at[3] != '0' || (at[4] != '0' && at[4] != '1') || hex_digit(at[5]) > 15) {
        return 0;
    }
    *byte = (uint8_t)((at[4] == '1' ? 16 : 0) + hex_digit(at[5]));
    return *byte == '\n' || *byte == '\t' ? 0 : 6;
}

runevm_text runevm_json_string(runevm_json *json)
{
    runevm_text text = {NULL, 0};
    runevm_json_expect(json, "\"");
    const char *start = json->at;
    while (json->error == RUNEVM_OK) {
        char next = peek(json);
        size_t step = 1;
        if (next == '"') {
            text.at = start;
            text.length = (uint32_t)(json->at - start);
            json->at++;
            return text;
        }
        if (next == '\\') {
            uint8_t byte;
            step = read_escape(json->at, left(json), &byte);
        } else if ((uint8_t)next < 0x20) {
            step = 0;
        } else {
            bool good;
            step = runevm_utf8_step((const uint8_t *)json->at, left(json), &good);
            step = good ? step : 0;
        }
        if (step == 0) {
            runevm_json_fail(json, RUNEVM_ERR_MALFORMED);
        }
        json->at += step;
    }
    return text;
}

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

/* One digit or more; how many. */
static size_t skip_digits(runevm_json *json)
{
    size_t count = 0;
    for (; is_digit(peek(json)); count++) {
        json->at++;
    }
    if (count == 0) {
        runevm_json_fail(json, RUNEVM_ERR_MALFORMED);
    }
    return count;
}

uint32_t runevm_json_integer(runevm_json *json)
{
    const char *start = json->at;
    size_t count = skip_digits(json);
    uint32_t value = 0;
    if (count > 10 || (count > 1 && *start == '0')) {
        runevm_json_fail(json, RUNEVM_ERR_MALFORMED);
    }
    for (size_t i = 0; json->error == RUNEVM_OK && i < count; i++) {
        uint32_t digit = (uint32_t)(start[i] - '0');
        if (value > (INTEGER_MAX - digit) / 10u) {
            runevm_json_fail(json, RUNEVM_ERR_MALFORMED);
        }
        value = value * 10u + digit;
    }
    return json->error == RUNEVM_OK ? value : 0;
}

void runevm_json_skip_number(runevm_json *json)
{
    (void)runevm_json_take(json, "-");
    const char *start = json->at;
    if (skip_digits(json) > 1 && *start == '0') {
        runevm_json_fail(json, RUNEVM_ERR_MALFORMED);
    }
    if (runevm_json_take(json, ".")) {
        (void)skip_digits(json);
    }
    if (runevm_json_take(json, "e") || runevm_json_take(json, "E")) {
        if (!runevm_json_take(json, "-")) {
            (void)runevm_json_take(json, "+");
        }
        (void)skip_digits(json);
    }
}

static void skip_scalar(runevm_json *json)
{
    if (peek(json) == '"') {
        (void)runevm_json_string(json);
    } else {
        runevm_json_skip_number(json);
    }
}

void runevm_json_skip_value(runevm_json *json)
{
    if (!runevm_json_take(json, "[")) {
        skip_scalar(json);
        return;
    }
    for (uint32_t count = 0; runevm_json_more(json, ']', &count);) {
        skip_scalar(json);
    }
}

bool runevm_json_more(runevm_json *json, char close, uint32_t *count)
{
    if (peek(json) == close) {
        json->at++;
        return false;
    }
    if (*count > 0) {
        runevm_json_expect(json, ",");
    }
    ++*count;
    return json->error == RUNEVM_OK;
}

/* The next byte that the text stands for, or -1 at its end. */
static int next_byte(runevm_text *text)
{
    if (text->length == 0) {
        return -1;
    }
    uint8_t byte = (uint8_t)*text->at;
    size_t step = byte == '\\' ? read_escape(text->at, text->length, &byte) : 1;
    text->at += step;
    text->length -= (uint32_t)step;
    return step > 0 ? byte : -1;
}

uint32_t runevm_text_bytes(runevm_text text)
{
    uint32_t count = 0;
    while (next_byte(&text) >= 0) {
        count++;
    }
    return count;
}

bool runevm_text_is(runevm_text text, const uint8_t *bytes, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++) {
        if (next_byte(&text) != bytes[i]) {
            return false;
        }
    }
    return text.length == 0;
}

bool runevm_text_same(runevm_text one, runevm_text other)
{
    return one.length == other.length && (one.length == 0 || memcmp(one.at, other.at, one.length) == 0);
}

bool runevm_text_before(runevm_text one, runevm_text other)
{
    int byte, other_byte;
    do {
        byte = next_byte(&one);
        other_byte = next_byte(&other);
    } while (byte == other_byte && byte >= 0);
    return byte < other_byte;
}

void runevm_text_copy(runevm_text text, char *room, size_t room_bytes)
{
    size_t length = 0;
    int byte = next_byte(&text);
    for (; byte >= 0 && length + 1 < room_bytes; byte = next_byte(&text)) {
        room[length++] = (char)byte;
    }
    /* What did not fit must not leave half a character. */
    if (byte >= 0x80 && byte < 0xc0) {
        while (length > 0 && ((uint8_t)room[length - 1] & 0xc0) == 0x80) {
            length--;
        }
        length -= length > 0 ? 1u : 0u;
    }
    room[length] = '\0';
}
