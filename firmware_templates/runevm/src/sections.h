/* SPDX-License-Identifier: Apache-2.0 */
/* The sections of a .rune: section 1 of docs/spec/rune.md. */
#ifndef RUNEVM_SECTIONS_H
#define RUNEVM_SECTIONS_H

#include "runevm.h"

#define RUNEVM_DIGEST_BYTES 32u

typedef struct {
    const uint8_t *file;
    uint32_t file_bytes;
    uint32_t code_bytes;
    runevm_text version, graph;      /* the JSON of .rune_version and .rune_graph */
    uint32_t resources_at;           /* offset of the first .rune_pad, or of .rune_digest */
    uint32_t resource_count;
    uint32_t digest_at;              /* offset of the section .rune_digest */
    const uint8_t *digest;
} runevm_sections;

/* One resource of the file. */
typedef struct {
    const uint8_t *name;
    uint32_t name_bytes;
    const uint8_t *data;
    uint32_t data_bytes;
} runevm_section_resource;

/* Walks the whole file. Checks order, sizes, padding and the names' order, not the digest and not
 * what the JSON says. */
runevm_error runevm_sections_read(runevm_sections *sections, const uint8_t *file, size_t file_bytes);

/* The resource whose .rune_pad stands at *at, which moves behind it. */
runevm_error runevm_sections_next_resource(const runevm_sections *sections, uint32_t *at,
                                           runevm_section_resource *resource);

#endif
