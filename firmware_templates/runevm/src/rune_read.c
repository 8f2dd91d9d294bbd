/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "graph.h"
#include "json_reader.h"
#include "sections.h"
#include "sha256.h"

/* {"version":"0.1.0"} */
static runevm_error check_version(runevm_text text)
{
    runevm_json json = {text.at, text.at + text.length, RUNEVM_OK};
    runevm_json_expect(&json, "{\"version\":");
    (void)runevm_json_string(&json);
    runevm_json_expect(&json, "}");
    if (json.at != json.end) {
        runevm_json_fail(&json, RUNEVM_ERR_MALFORMED);
    }
    return json.error;
}

runevm_error runevm_rune_read(runevm_rune *rune, const uint8_t *file, size_t file_bytes)
{
    memset(rune, 0, sizeof *rune);
    runevm_sections sections;
    runevm_error error = runevm_sections_read(&sections, file, file_bytes);
    if (error != RUNEVM_OK) {
        return error;
    }
    uint8_t digest[RUNEVM_DIGEST_BYTES];
    runevm_sha256(file, sections.digest_at, digest);
    if (memcmp(digest, sections.digest, sizeof digest) != 0) {
        return RUNEVM_ERR_DIGEST;
    }
    error = check_version(sections.version);
    if (error == RUNEVM_OK) {
        error = runevm_graph_read(rune, &sections);
    }
    if (error != RUNEVM_OK) {
        memset(rune, 0, sizeof *rune);
        return error;
    }
    rune->file = file;
    rune->file_bytes = file_bytes;
    rune->digest = sections.digest;
    return RUNEVM_OK;
}
