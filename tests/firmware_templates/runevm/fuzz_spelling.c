/* libFuzzer: every number is spelt so that it reads back as itself, and every text is walked to its
 * end. The input is taken as f64, as f32 and as text. */
#include <stdlib.h>
#include <string.h>

#include "shortest_float.h"
#include "utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_f64(const uint8_t *data)
{
    char text[RUNEVM_FLOAT_TEXT_BYTES + 1];
    uint64_t bits;
    double value, again;
    memcpy(&bits, data, sizeof bits);
    memcpy(&value, data, sizeof value);
    unsigned int length = runevm_spell_f64(bits, text);
    require(length > 0 && length <= RUNEVM_FLOAT_TEXT_BYTES);
    text[length] = '\0';
    again = strtod(text, NULL);
    require(value - value != 0 || memcmp(&again, &value, sizeof value) == 0);
}

static void check_f32(const uint8_t *data)
{
    char text[RUNEVM_FLOAT_TEXT_BYTES + 1];
    uint32_t bits;
    float value, again;
    memcpy(&bits, data, sizeof bits);
    memcpy(&value, data, sizeof value);
    unsigned int length = runevm_spell_f32(bits, text);
    require(length > 0 && length <= RUNEVM_FLOAT_TEXT_BYTES);
    text[length] = '\0';
    again = strtof(text, NULL);
    require(value - value != 0 || memcmp(&again, &value, sizeof value) == 0);
}

static void check_text(const uint8_t *data, size_t size)
{
    bool is_all_good = true;
    for (size_t at = 0; at < size;) {
        bool good = false;
        size_t step = runevm_utf8_step(data + at, size - at, &good);
        require(step >= 1 && step <= 4 && step <= size - at);
        is_all_good = is_all_good && good;
        at += step;
    }
    size_t room = size / 2;
    size_t cut = runevm_utf8_cut((const char *)data, size, room);
    require(cut <= room && cut + 3 >= room);
    bool good = true;
    for (size_t at = 0; is_all_good && at < cut;) {
        at += runevm_utf8_step(data + at, cut - at, &good);
        require(good);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size >= sizeof(uint64_t)) {
        check_f64(data);
    }
    if (size >= sizeof(uint32_t)) {
        check_f32(data);
    }
    if (size > 0) {
        check_text(data, size);
    }
    return 0;
}
