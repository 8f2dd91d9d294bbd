/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 by table 3-7 of the Unicode standard; "maximal ill-formed part" is the maximal subpart of
 * its section 3.9. */
#include "utf8.h"

size_t runevm_utf8_step(const uint8_t *bytes, size_t length, bool *good)
{
    uint8_t lead = bytes[0];
    size_t need = 0;
    uint8_t low = 0x80, high = 0xbf; /* of the second byte */
    *good = true;
    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xc2 && lead <= 0xdf) {
        need = 1;
    } else if (lead >= 0xe0 && lead <= 0xef) {
        need = 2;
        low = lead == 0xe0 ? 0xa0 : 0x80;
        high = lead == 0xed ? 0x9f : 0xbf;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        need = 3;
        low = lead == 0xf0 ? 0x90 : 0x80;
        high = lead == 0xf4 ? 0x8f : 0xbf;
    }
    *good = false;
    if (need == 0) {
        return 1;
    }
    size_t step = 1;
    for (; step <= need; step++) {
        if (step >= length || bytes[step] < low || bytes[step] > high) {
            return step;
        }
        low = 0x80;
        high = 0xbf;
    }
    *good = true;
    return step;
}

size_t runevm_utf8_cut(const char *text, size_t length, size_t room)
{
    if (length <= room) {
        return length;
    }
    size_t cut = room;
    while (cut > 0 && room - cut < 3 && ((uint8_t)text[cut] & 0xc0) == 0x80) {
        cut--;
    }
    return ((uint8_t)text[cut] & 0xc0) == 0x80 ? room : cut;
}
