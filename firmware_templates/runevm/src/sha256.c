/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 of FIPS 180-4, of contiguous bytes in memory. */
#include "sha256.h"

#include <string.h>

static const uint32_t ROUND[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t value, unsigned int by)
{
    return (value >> by) | (value << (32u - by));
}

/* One round of section 6.2.2. The next one is called with the letters one place on, so that values stay in their
 * registers. Ch and Maj are written with fewer operations. */
#define DIGEST_ROUND(a, b, c, d, e, f, g, h, i)                                                         \
    h += (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + (g ^ (e & (f ^ g))) + ROUND[i] + schedule[i]; \
    d += h;                                                                                             \
    h += (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) | (c & (a | b)))

static void compress(uint32_t state[8], const uint8_t *block)
{
    uint32_t schedule[64];
    for (unsigned int i = 0; i < 16; i++) {
        const uint8_t *at = block + 4u * i;
        schedule[i] = ((uint32_t)at[0] << 24) | ((uint32_t)at[1] << 16) | ((uint32_t)at[2] << 8) | at[3];
    }
    for (unsigned int i = 16; i < 64; i++) {
        uint32_t early = schedule[i - 15u], late = schedule[i - 2u];
        schedule[i] = (rotate(early, 7) ^ rotate(early, 18) ^ (early >> 3)) + schedule[i - 7u]
                      + (rotate(late, 17) ^ rotate(late, 19) ^ (late >> 10)) + schedule[i - 16u];
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (unsigned int i = 0; i < 64; i += 8) {
        DIGEST_ROUND(a, b, c, d, e, f, g, h, i);
        DIGEST_ROUND(h, a, b, c, d, e, f, g, i + 1u);
        DIGEST_ROUND(g, h, a, b, c, d, e, f, i + 2u);
        DIGEST_ROUND(f, g, h, a, b, c, d, e, i + 3u);
        DIGEST_ROUND(e, f, g, h, a, b, c, d, i + 4u);
        DIGEST_ROUND(d, e, f, g, h, a, b, c, i + 5u);
        DIGEST_ROUND(c, d, e, f, g, h, a, b, i + 6u);
        DIGEST_ROUND(b, c, d, e, f, g, h, a, i + 7u);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
}

void runevm_sha256(const uint8_t *bytes, size_t length, uint8_t digest[32])
{
    uint32_t state[8] = {
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    };
    size_t left = length;
    for (; left >= 64; left -= 64, bytes += 64) {
        compress(state, bytes);
    }
    uint8_t block[64] = {0};
    if (left > 0) {
        memcpy(block, bytes, left);
    }
    block[left] = 0x80;
    if (left >= 56) {
        compress(state, block);
        memset(block, 0, sizeof block);
    }
    uint64_t bits = (uint64_t)length * 8u;
    for (unsigned int i = 0; i < 8; i++) {
        block[56u + i] = (uint8_t)(bits >> (56u - 8u * i));
    }
    compress(state, block);
    for (unsigned int i = 0; i < 32; i++) {
        digest[i] = (uint8_t)(state[i / 4u] >> (24u - 8u * (i % 4u)));
    }
}
