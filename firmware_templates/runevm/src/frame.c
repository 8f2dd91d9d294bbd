/* SPDX-License-Identifier: Apache-2.0 */
/* COBS: S. Cheshire and M. Baker, "Consistent Overhead Byte Stuffing", IEEE/ACM Transactions on
 * Networking 7(2), 1999. A frame is so short that no run without a zero reaches 254 bytes, so that
 * each zero, and the place before the first byte, just holds the way to the next zero. */
#include "frame.h"

#include <string.h>

#include "crc32.h"

#define CRC_BYTES 4u
#define HEAD_BYTES 2u
#define RUN_BYTES_MAX 254u

_Static_assert(HEAD_BYTES + RUNEVM_LINK_BODY_BYTES + CRC_BYTES < RUN_BYTES_MAX, "one COBS byte is enough");
_Static_assert(HEAD_BYTES + RUNEVM_LINK_BODY_BYTES + CRC_BYTES + 3u == RUNEVM_LINK_FRAME_BYTES, "frame length");

size_t runevm_frame_write(uint8_t frame[RUNEVM_LINK_FRAME_BYTES], uint8_t kind, uint8_t seq, const uint8_t *body,
                          size_t body_bytes)
{
    uint8_t *payload = frame + 2; /* behind the 00 and the COBS byte */
    size_t length = HEAD_BYTES + body_bytes;
    payload[0] = kind;
    payload[1] = seq;
    if (body_bytes > 0) {
        memcpy(payload + HEAD_BYTES, body, body_bytes);
    }
    uint32_t crc = runevm_crc32(0, payload, length);
    for (unsigned int i = 0; i < CRC_BYTES; i++) {
        payload[length++] = (uint8_t)(crc >> (8u * i));
    }
    size_t zero = 1, end = 2 + length;
    frame[0] = 0;
    for (size_t i = 2; i < end; i++) {
        if (frame[i] == 0) {
            frame[zero] = (uint8_t)(i - zero);
            zero = i;
        }
    }
    frame[zero] = (uint8_t)(end - zero);
    frame[end] = 0;
    return end + 1;
}

size_t runevm_frame_read(uint8_t *bytes, size_t length)
{
    if (length < 1 + HEAD_BYTES + CRC_BYTES || length > 1 + RUN_BYTES_MAX) {
        return 0;
    }
    for (size_t at = 0; at < length;) {
        size_t way = bytes[at];
        if (way == 0 || way > RUN_BYTES_MAX || way > length - at) {
            return 0;
        }
        bytes[at] = 0;
        at += way;
    }
    size_t payload_bytes = length - 1 - CRC_BYTES;
    uint32_t crc = runevm_crc32(0, bytes + 1, payload_bytes);
    for (unsigned int i = 0; i < CRC_BYTES; i++) {
        if (bytes[1 + payload_bytes + i] != (uint8_t)(crc >> (8u * i))) {
            return 0;
        }
    }
    return payload_bytes;
}
