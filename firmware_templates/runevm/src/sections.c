/* SPDX-License-Identifier: Apache-2.0 */
#include "sections.h"

#include <string.h>

#define FILE_BYTES_MAX 0x7fffffffu
#define ALIGNMENT 16u

static const uint8_t MAGIC[8] = {0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00};

typedef struct {
    const uint8_t *content;
    uint32_t bytes;
} span;

/* LEB128 of WebAssembly, u32; `shortest` if it must be spelled so. */
static runevm_error read_leb(const runevm_sections *sections, uint32_t *at, uint32_t end, bool shortest,
                             uint32_t *value)
{
    *value = 0;
    for (uint32_t shift = 0;; shift += 7) {
        if (*at >= end) {
            return end == sections->file_bytes ? RUNEVM_ERR_TRUNCATED : RUNEVM_ERR_MALFORMED;
        }
        uint8_t byte = sections->file[(*at)++];
        if ((shift == 28 && byte > 0x0f) || (shortest && shift > 0 && byte == 0)) {
            return RUNEVM_ERR_MALFORMED;
        }
        *value |= (uint32_t)(byte & 0x7fu) << shift;
        if (byte < 0x80) {
            return RUNEVM_OK;
        }
    }
}

/* The head of the section at *at, which moves to the content; `end` is where the content ends. */
static runevm_error read_head(const runevm_sections *sections, uint32_t *at, bool shortest, uint8_t *id, uint32_t *end)
{
    if (*at >= sections->file_bytes) {
        return RUNEVM_ERR_TRUNCATED;
    }
    *id = sections->file[(*at)++];
    uint32_t bytes;
    runevm_error error = read_leb(sections, at, sections->file_bytes, shortest, &bytes);
    if (error == RUNEVM_OK && bytes > sections->file_bytes - *at) {
        error = RUNEVM_ERR_TRUNCATED;
    }
    if (error == RUNEVM_OK) {
        *end = *at + bytes;
    }
    return error;
}

static bool is_name(span name, const char *expected)
{
    return name.bytes == strlen(expected) && memcmp(name.content, expected, name.bytes) == 0;
}

/* The custom section at *at, which moves behind it. */
static runevm_error read_custom(const runevm_sections *sections, uint32_t *at, span *name, span *content)
{
    uint8_t id;
    uint32_t end, name_bytes;
    runevm_error error = read_head(sections, at, true, &id, &end);
    if (error != RUNEVM_OK) {
        return error;
    }
    if (id != 0) {
        return RUNEVM_ERR_MALFORMED;
    }
    error = read_leb(sections, at, end, true, &name_bytes);
    if (error != RUNEVM_OK || name_bytes > end - *at) {
        return error != RUNEVM_OK ? error : RUNEVM_ERR_MALFORMED;
    }
    *name = (span){sections->file + *at, name_bytes};
    *content = (span){sections->file + *at + name_bytes, end - *at - name_bytes};
    *at = end;
    return RUNEVM_OK;
}

/* The same, when it must have this name. */
static runevm_error read_named(const runevm_sections *sections, uint32_t *at, const char *expected, span *content)
{
    span name;
    runevm_error error = read_custom(sections, at, &name, content);
    return error != RUNEVM_OK || is_name(name, expected) ? error : RUNEVM_ERR_MALFORMED;
}

/* Magic and standard sections, each once, in order: their numbers rise, but for the data count (12)
 * between 9 and 10. A start section (8) is not ours. */
static runevm_error read_module(runevm_sections *sections)
{
    uint32_t at = sections->file_bytes < sizeof MAGIC ? sections->file_bytes : (uint32_t)sizeof MAGIC;
    if (memcmp(sections->file, MAGIC, at) != 0) {
        return RUNEVM_ERR_NOT_A_RUNE;
    }
    if (at < sizeof MAGIC) {
        return RUNEVM_ERR_TRUNCATED;
    }
    uint32_t last = 0;
    while (at < sections->file_bytes && sections->file[at] != 0) {
        uint8_t id;
        uint32_t end;
        runevm_error error = read_head(sections, &at, false, &id, &end);
        if (error != RUNEVM_OK) {
            return error;
        }
        uint32_t place = id == 12 ? 19u : 2u * id;
        if (place <= last || id == 8 || id > 12) {
            return RUNEVM_ERR_MALFORMED;
        }
        last = place;
        at = end;
    }
    sections->code_bytes = at;
    return at < sections->file_bytes ? RUNEVM_OK : RUNEVM_ERR_NOT_A_RUNE;
}

static uint32_t big_endian(const uint8_t *at)
{
    return ((uint32_t)at[0] << 24) | ((uint32_t)at[1] << 16) | ((uint32_t)at[2] << 8) | at[3];
}

runevm_error runevm_sections_next_resource(const runevm_sections *sections, uint32_t *at,
                                           runevm_section_resource *resource)
{
    span pad, entry;
    runevm_error error = read_named(sections, at, ".rune_pad", &pad);
    if (error != RUNEVM_OK) {
        return error;
    }
    error = read_named(sections, at, ".rune_resource", &entry);
    if (error != RUNEVM_OK) {
        return error;
    }
    if (entry.bytes < 8) {
        return RUNEVM_ERR_MALFORMED;
    }
    resource->name_bytes = big_endian(entry.content);
    if (resource->name_bytes > entry.bytes - 8u) {
        return RUNEVM_ERR_MALFORMED;
    }
    resource->name = entry.content + 4;
    resource->data_bytes = big_endian(resource->name + resource->name_bytes);
    resource->data = resource->name + resource->name_bytes + 4;
    if (resource->data_bytes != entry.bytes - 8u - resource->name_bytes) {
        return RUNEVM_ERR_MALFORMED;
    }
    if (pad.bytes >= ALIGNMENT || (size_t)(resource->data - sections->file) % ALIGNMENT != 0) {
        return RUNEVM_ERR_MALFORMED;
    }
    for (uint32_t i = 0; i < pad.bytes; i++) {
        if (pad.content[i] != 0) {
            return RUNEVM_ERR_MALFORMED;
        }
    }
    return RUNEVM_OK;
}

/* Names rise strictly, by their bytes. */
static bool in_order(const runevm_section_resource *one, const runevm_section_resource *next)
{
    uint32_t common = one->name_bytes < next->name_bytes ? one->name_bytes : next->name_bytes;
    int order = memcmp(one->name, next->name, common);
    return order < 0 || (order == 0 && one->name_bytes < next->name_bytes);
}

/* Resources up to the digest, which ends the file. */
static runevm_error read_tail(runevm_sections *sections, uint32_t at)
{
    runevm_section_resource last = {0};
    sections->resources_at = at;
    for (;;) {
        span name, content;
        uint32_t behind = at;
        runevm_error error = read_custom(sections, &behind, &name, &content);
        if (error != RUNEVM_OK) {
            return error;
        }
        if (is_name(name, ".rune_digest")) {
            sections->digest_at = at;
            sections->digest = content.content;
            return content.bytes == RUNEVM_DIGEST_BYTES && behind == sections->file_bytes ? RUNEVM_OK
                                                                                          : RUNEVM_ERR_MALFORMED;
        }
        runevm_section_resource resource;
        error = runevm_sections_next_resource(sections, &at, &resource);
        if (error != RUNEVM_OK) {
            return error;
        }
        if (sections->resource_count > 0 && !in_order(&last, &resource)) {
            return RUNEVM_ERR_MALFORMED;
        }
        last = resource;
        sections->resource_count++;
    }
}

runevm_error runevm_sections_read(runevm_sections *sections, const uint8_t *file, size_t file_bytes)
{
    memset(sections, 0, sizeof *sections);
    if (file_bytes == 0) {
        return RUNEVM_ERR_TRUNCATED;
    }
    if (file_bytes > FILE_BYTES_MAX) {
        return RUNEVM_ERR_LIMIT;
    }
    sections->file = file;
    sections->file_bytes = (uint32_t)file_bytes;
    runevm_error error = read_module(sections);
    if (error != RUNEVM_OK) {
        return error;
    }
    uint32_t at = sections->code_bytes;
    span name, version, graph;
    error = read_custom(sections, &at, &name, &version);
    if (error != RUNEVM_OK) {
        return error;
    }
    if (!is_name(name, ".rune_version")) {
        /* Runes of 2020 to 2022 begin with one of the other two. */
        bool legacy = is_name(name, ".rune_graph") || is_name(name, ".rune_resource");
        return legacy ? RUNEVM_ERR_ABI : RUNEVM_ERR_NOT_A_RUNE;
    }
    error = read_named(sections, &at, ".rune_graph", &graph);
    if (error != RUNEVM_OK) {
        return error;
    }
    if (graph.bytes > RUNEVM_MAX_GRAPH_BYTES) {
        return RUNEVM_ERR_LIMIT;
    }
    sections->version = (runevm_text){(const char *)version.content, version.bytes};
    sections->graph = (runevm_text){(const char *)graph.content, graph.bytes};
    return read_tail(sections, at);
}
