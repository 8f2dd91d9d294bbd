/* SPDX-License-Identifier: Apache-2.0 */
/* Frames: section 1 of docs/spec/link.md. */
#ifndef RUNEVM_FRAME_H
#define RUNEVM_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "runevm_link.h"

/* Writes a whole frame with both its zeros; `body_bytes` is at most RUNEVM_LINK_BODY_BYTES. Returns
 * its length. */
size_t runevm_frame_write(uint8_t frame[RUNEVM_LINK_FRAME_BYTES], uint8_t kind, uint8_t seq, const uint8_t *body,
                          size_t body_bytes);

/* `bytes` stood between two zeros. Undoes COBS in place and checks the CRC. Returns the length of
 * the payload, which then starts at bytes + 1, or 0 where this is no frame. */
size_t runevm_frame_read(uint8_t *bytes, size_t length);

#endif
