/* The words of string-list arguments; rune_block.h includes this.
 *
 *   RUNE_ARG_X_COUNT               how many there are
 *   RUNE_ARG_X_APPEND(end, n, i)   write the i-th as an element at `end`, where output n has room for
 *                                  one; gives where the next one goes, or NULL: return RUNE_FAILED
 *
 * A short list that the Runefile holds is compiled in: both cost nothing. A long one, and one that
 * the Runefile takes from a resource, stays in flash (one word a line): each use reads the resource
 * from its start, so keep the count in a variable. `i` is below the count. */
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

#define RUNE_NO_WORD UINT32_MAX

/* Go through the words of an open resource. Copy that numbered `wanted` to `text`, cut to `room`
 * bytes, and its whole length to `length`. Returns how many words there are; once the wanted one is
 * found it may return earlier, with a number above `wanted`.
 * A word is a line without the ASCII white space around it. Empty lines before the first word and
 * after the last one do not count. */
static inline uint32_t rune_scan_words(int32_t id, uint32_t wanted, uint8_t *text, uint32_t room, uint32_t *length)
{
    rune_resource_reader reader;
    reader.id = id;
    reader.at = 0;
    reader.length = 0;
    uint32_t line = 0;
    uint32_t count = 0;
    uint32_t size = 0;
    *length = 0;
    for (int32_t byte = rune_resource_byte(&reader); byte >= 0; byte = rune_resource_byte(&reader)) {
        if (byte == '\n') {
            if (line == wanted && *length > 0) {
                break;
            }
            line += count > 0;
            size = 0;
            continue;
        }
        bool is_space = byte == ' ' || (byte >= '\t' && byte <= '\r');
        if (is_space && size == 0) {
            continue;
        }
        if (line == wanted && size < room) {
            text[size] = (uint8_t)byte;
        }
        size++;
        if (!is_space) {
            count = line + 1;
            if (line == wanted) {
                *length = size;
            }
        }
    }
    return count;
}

/* How many words a resource holds. */
static inline uint32_t rune_count_words(const char *name, uint32_t name_length)
{
    int32_t id = rune_resource_open(name, name_length);
    if (id < 0) {
        return 0;
    }
    uint32_t length;
    uint32_t count = rune_scan_words(id, RUNE_NO_WORD, NULL, 0, &length);
    rune_resource_close(id);
    return count;
}

static inline void rune_word_message(const char *problem, uint32_t problem_length, uint32_t index, const char *name, uint32_t name_length)
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

/* Write a word of a resource as an element at `end`; NULL, with a message, when that cannot be. */
static inline uint8_t *rune_append_word_of(uint8_t *end, uint32_t room, const char *name, uint32_t name_length, uint32_t index)
{
    static const char MISSING[] = " does not exist";
    static const char LONG[] = " is longer than the words that the rune was built with";
    uint32_t length = 0;
    int32_t id = rune_resource_open(name, name_length);
    uint32_t count = id < 0 ? 0 : rune_scan_words(id, index, end + 4, room, &length);
    if (id >= 0) {
        rune_resource_close(id);
    }
    if (index >= count) {
        rune_word_message(MISSING, sizeof MISSING - 1, index, name, name_length);
        return NULL;
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

#endif
