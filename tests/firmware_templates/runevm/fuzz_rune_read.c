/* libFuzzer: whatever the bytes are, runevm_rune_read() reads nothing past them. Once as they come,
 * once with a right digest, so that the graph is reached. */
#include <stdlib.h>
#include <string.h>

#include "runevm.h"
#include "sha256.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t HEAD[15] = "\0\x2d\x0c.rune_digest";
    static runevm_rune rune;
    (void)runevm_rune_read(&rune, data, size);
    if (size >= 47) {
        uint8_t *whole = malloc(size);
        if (whole == NULL) {
            return 0;
        }
        memcpy(whole, data, size);
        memcpy(whole + size - 47, HEAD, sizeof HEAD);
        runevm_sha256(whole, size - 47, whole + size - 32);
        if (runevm_rune_read(&rune, whole, size) == RUNEVM_OK && rune.file_bytes != size) {
            abort();
        }
        free(whole);
    }
    return 0;
}
