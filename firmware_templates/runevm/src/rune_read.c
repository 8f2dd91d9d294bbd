#include <string.h>

#include "graph.h"
#include "json_reader.h"
#include "layout.h"
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
    runevm_layout layout;
    runevm_error error = runevm_layout_read(&layout, file, file_bytes);
    if (error != RUNEVM_OK) {
        return error;
    }
    uint8_t digest[RUNEVM_DIGEST_BYTES];
    runevm_sha256(file, layout.digest_at, digest);
    if (memcmp(digest, layout.digest, sizeof digest) != 0) {
        return RUNEVM_ERR_DIGEST;
    }
    error = check_version(layout.version);
    if (error == RUNEVM_OK) {
        error = runevm_graph_read(rune, &layout);
    }
    if (error != RUNEVM_OK) {
        memset(rune, 0, sizeof *rune);
        return error;
    }
    rune->file = file;
    rune->file_bytes = file_bytes;
    rune->digest = layout.digest;
    return RUNEVM_OK;
}
