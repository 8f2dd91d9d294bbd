/* SPDX-License-Identifier: Apache-2.0 */
#include "json_writer.h"

#include <string.h>

#include "shortest_float.h"
#include "utf8.h"

#define PIECE_BYTES_MAX 32768u

static const char NAMES[][5] = {"u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64", "utf8"};
static const uint8_t BYTES[] = {1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 0};

uint32_t runevm_element_bytes(runevm_element element)
{
    return BYTES[element];
}

const char *runevm_element_name(runevm_element element)
{
    return NAMES[element];
}

void runevm_write_bytes(runevm_writer *writer, const uint8_t *bytes, uint32_t length)
{
    while (writer->error == RUNEVM_OK && length > 0) {
        uint32_t piece = length < PIECE_BYTES_MAX ? length : PIECE_BYTES_MAX;
        writer->error = writer->callbacks->write(writer->callbacks->user, bytes, piece);
        bytes += piece;
        length -= piece;
    }
}

void runevm_write_text(runevm_writer *writer, const char *text)
{
    runevm_write_bytes(writer, (const uint8_t *)text, (uint32_t)strlen(text));
}

void runevm_write_integer(runevm_writer *writer, bool negative, uint64_t magnitude)
{
    uint8_t text[21];
    uint32_t at = sizeof text;
    do {
        text[--at] = (uint8_t)('0' + magnitude % 10u);
        magnitude /= 10u;
    } while (magnitude != 0);
    if (negative) {
        text[--at] = '-';
    }
    runevm_write_bytes(writer, text + at, (uint32_t)sizeof text - at);
}

/* The escape of a byte that needs one in a string; its length, or 0. */
static uint32_t escape(uint8_t byte, uint8_t text[6])
{
    static const char HEX[] = "0123456789abcdef";
    static const char LETTERS[] = "btn\0fr"; /* 08 to 0d; 0b has none */
    text[0] = '\\';
    if (byte == '"' || byte == '\\') {
        text[1] = byte;
        return 2;
    }
    if (byte >= 0x20) {
        return 0;
    }
    if (byte >= 0x08 && byte <= 0x0d && byte != 0x0b) {
        text[1] = (uint8_t)LETTERS[byte - 0x08];
        return 2;
    }
    memcpy(text + 1, "u00", 3);
    text[4] = (uint8_t)HEX[byte >> 4];
    text[5] = (uint8_t)HEX[byte & 15u];
    return 6;
}

void runevm_write_string(runevm_writer *writer, const uint8_t *bytes, uint32_t length)
{
    static const uint8_t REPLACEMENT[3] = {0xef, 0xbf, 0xbd};
    uint32_t start = 0, at = 0; /* bytes[start .. at) are copied unchanged */
    runevm_write_text(writer, "\"");
    while (at < length) {
        uint8_t text[6];
        bool good;
        uint32_t step = (uint32_t)runevm_utf8_step(bytes + at, length - at, &good);
        uint32_t instead = good ? escape(bytes[at], text) : sizeof REPLACEMENT;
        if (instead > 0) {
            runevm_write_bytes(writer, bytes + start, at - start);
            runevm_write_bytes(writer, good ? text : REPLACEMENT, instead);
            start = at + step;
        }
        at += step;
    }
    runevm_write_bytes(writer, bytes + start, at - start);
    runevm_write_text(writer, "\"");
}

void runevm_write_element(runevm_writer *writer, runevm_element element, const uint8_t *bytes)
{
    uint32_t size = runevm_element_bytes(element);
    uint64_t value = 0;
    for (uint32_t i = size; i-- > 0;) {
        value = value << 8 | bytes[i];
    }
    if (element == RUNEVM_F32 || element == RUNEVM_F64) {
        char text[RUNEVM_FLOAT_TEXT_BYTES];
        uint32_t length =
            element == RUNEVM_F32 ? runevm_spell_f32((uint32_t)value, text) : runevm_spell_f64(value, text);
        runevm_write_bytes(writer, (const uint8_t *)text, length);
        return;
    }
    bool is_signed = element == RUNEVM_I8 || element == RUNEVM_I16 || element == RUNEVM_I32 || element == RUNEVM_I64;
    uint64_t sign = (uint64_t)1 << (8u * size - 1u);
    bool negative = is_signed && (value & sign) != 0;
    /* The least of them is its own magnitude. */
    runevm_write_integer(writer, negative, negative ? sign - (value ^ sign) : value);
}
