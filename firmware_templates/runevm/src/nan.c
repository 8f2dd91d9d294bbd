/* SPDX-License-Identifier: Apache-2.0 */
#include "nan.h"

#include <stdbool.h>
#include <string.h>

#include "json_writer.h"

static bool is_nan(runevm_element element, const uint8_t *bytes)
{
    if (element == RUNEVM_F32) {
        uint32_t bits;
        memcpy(&bits, bytes, sizeof bits);
        return (bits & 0x7fffffffu) > 0x7f800000u;
    }
    if (element == RUNEVM_F64) {
        uint64_t bits;
        memcpy(&bits, bytes, sizeof bits);
        return (bits & 0x7fffffffffffffffu) > 0x7ff0000000000000u;
    }
    return false;
}

const uint8_t *runevm_one_nan(runevm_element element, const uint8_t *bytes)
{
    static const uint8_t F32[4] = {0, 0, 0xc0, 0x7f};
    static const uint8_t F64[8] = {0, 0, 0, 0, 0, 0, 0xf8, 0x7f};
    if (!is_nan(element, bytes)) {
        return bytes;
    }
    return element == RUNEVM_F32 ? F32 : F64;
}

void runevm_one_nan_each(const runevm_tensor *tensor, uint8_t *bytes)
{
    uint32_t size = runevm_element_bytes(tensor->element);
    if (tensor->element != RUNEVM_F32 && tensor->element != RUNEVM_F64) {
        return;
    }
    for (uint32_t at = 0; at < tensor->size_bytes; at += size) {
        if (is_nan(tensor->element, bytes + at)) {
            memcpy(bytes + at, runevm_one_nan(tensor->element, bytes + at), size);
        }
    }
}
