/* SPDX-License-Identifier: Apache-2.0 */
/* The words of string-list arguments; rune_block.h includes this.
 *
 *   RUNE_ARG_X_COUNT               how many there are
 *   RUNE_ARG_X_APPEND(end, n, i)   write the i-th as an element at `end`, where output n has room for
 *                                  one; gives where the next one goes. NULL: it could not, and has
 *                                  said why; return RUNE_FAILED
 *   RUNE_ARG_X_FIND(end, n, i)     the same, but gives `end` where there is no i-th word
 *
 * A short list that the Runefile holds is compiled in: all cost nothing, and `i` of APPEND is below
 * the count. A long one, and one that the Runefile takes from a resource, stays in flash, one word a
 * line: to find a word the resource is read up to it, to count them it is read whole. */
#ifndef RUNE_WORDS_H
#define RUNE_WORDS_H

#include "rune_block.h"

#define RUNE_ELEMENT_ROOM(n) (RUNE_OUT##n##_CAPACITY / RUNE_OUT##n##_COUNT - 4)

#define RUNE_READ_BYTES 64

typedef struct {
    int32_t id;
    uint32_t at;
    uint32_t length;
    uint8_t bytes[RUNE_READ_BYTES];
} rune_resource_reader;

/* The next byte of a resource, or -1 at its end. */
static inline int32_t rune_resource_byte(rune_resource_reader *reader)
{
    if (reader->at == reader->length) {
        int32_t length = rune_resource_read(reader->id, reader->bytes, RUNE_READ_BYTES);
        if (length <= 0) {
            return -1;
        }
        reader->at = 0;
        reader->length = (uint32_t)length;
    }
    return reader->bytes[reader->at++];
}

static inline void rune_start_reading(rune_resource_reader *reader, int32_t id)
{
    reader->id = id;
    reader->at = 0;
    reader->length = 0;
}

static inline bool rune_is_space(int32_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* A word is a line without the ASCII white space around it. Empty lines before the first word and
 * after the last one do not count. */

/* How many words a resource holds. */
static inline uint32_t rune_count_words(const char *name, uint32_t name_length)
{
    rune_resource_reader reader;
    uint32_t line = 0;
    uint32_t count = 0;
    int32_t id = rune_resource_open(name, name_length);
    if (id < 0) {
        return 0;
    }
    rune_start_reading(&reader, id);
    for (int32_t byte = rune_resource_byte(&reader); byte >= 0; byte = rune_resource_byte(&reader)) {
        if (byte == '\n') {
            line += count > 0;
        } else if (!rune_is_space(byte)) {
            count = line + 1;
        }
    }
    rune_resource_close(id);
    return count;
}

/* Copy a word of an open resource to `text`, cut to `room` bytes, and its whole length to `length`.
 * False when there is none of that number. */
static inline bool rune_find_word(int32_t id, uint32_t index, uint8_t *text, uint32_t room, uint32_t *length)
{
    rune_resource_reader reader;
    rune_start_reading(&reader, id);
    int32_t byte = rune_resource_byte(&reader);
    while (rune_is_space(byte)) {
        byte = rune_resource_byte(&reader);
    }
    for (uint32_t line = 0; line < index && byte >= 0; byte = rune_resource_byte(&reader)) {
        line += byte == '\n';
    }
    uint32_t size = 0;
    *length = 0;
    for (; byte >= 0 && byte != '\n'; byte = rune_resource_byte(&reader)) {
        bool is_space = rune_is_space(byte);
        if (is_space && size == 0) {
            continue;
        }
        if (size < room) {
            text[size] = (uint8_t)byte;
        }
        size++;
        if (!is_space) {
            *length = size;
        }
    }
    while (*length == 0 && rune_is_space(byte)) {
        byte = rune_resource_byte(&reader);
    }
    return *length > 0 || byte >= 0;
}

static inline void rune_word_message(const char *problem, uint32_t problem_length, uint32_t index, const char *name,
                                     uint32_t name_length)
{
    rune_message message;
    message.length = 0;
    RUNE_MESSAGE_TEXT(&message, RUNE_STAGE ": word ");
    rune_message_u64(&message, index);
    RUNE_MESSAGE_TEXT(&message, " of the resource ");
    rune_message_bytes(&message, name, name_length);
    rune_message_bytes(&message, problem, problem_length);
    (void)rune_debug(message.text, message.length);
}

/* RUNE_ARG_X_FIND for words in a resource. */
static inline uint8_t *rune_find_word_of(uint8_t *end, uint32_t room, const char *name, uint32_t name_length,
                                         uint32_t index)
{
    static const char LONG[] = " is longer than the words that the rune was built with";
    uint32_t length = 0;
    int32_t id = rune_resource_open(name, name_length);
    if (id < 0) {
        return end;
    }
    bool found = rune_find_word(id, index, end + 4, room, &length);
    rune_resource_close(id);
    if (!found) {
        return end;
    }
    if (length > room) {
        rune_word_message(LONG, sizeof LONG - 1, index, name, name_length);
        return NULL;
    }
    for (uint32_t i = 0; i < 4; i++) {
        end[i] = (uint8_t)(length >> 8 * i);
    }
    return end + 4 + length;
}

/* RUNE_ARG_X_APPEND for words in a resource. */
static inline uint8_t *rune_append_word_of(uint8_t *end, uint32_t room, const char *name, uint32_t name_length,
                                           uint32_t index)
{
    static const char MISSING[] = " does not exist";
    uint8_t *next = rune_find_word_of(end, room, name, name_length, index);
    if (next != end) {
        return next;
    }
    rune_word_message(MISSING, sizeof MISSING - 1, index, name, name_length);
    return NULL;
}

#endif
