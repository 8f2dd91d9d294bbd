/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNEVM_CRC32_H
#define RUNEVM_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* The CRC-32 of zlib. `crc` is 0 for the first piece, then what the last call returned. */
uint32_t runevm_crc32(uint32_t crc, const uint8_t *bytes, size_t length);

#endif
