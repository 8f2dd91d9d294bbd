/* Drives a libFuzzer target where libFuzzer is not installed: mutates seed files, deterministically.
 *
 *   fuzz_X RUNS SEED FILE...
 *
 * An input that makes a sanitizer speak can be had again with the same arguments. With clang's
 * libFuzzer leave this file out and add -fsanitize=fuzzer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stdint.h>

#define INPUT_BYTES_MAX 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* G. Marsaglia, "Xorshift RNGs", Journal of Statistical Software 8(14), 2003. */
static uint32_t random_below(uint32_t *state, uint32_t limit)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state % limit;
}

static size_t mutate(uint8_t *input, size_t size, uint32_t *state)
{
    static const uint8_t TELLING[] = {0x00, 0x01, 0x7f, 0x80, 0xff, 0xfd, 0xfe, '"', '\\', ',', '0', '9'};
    for (uint32_t changes = 1 + random_below(state, 6); changes > 0 && size > 0; changes--) {
        uint32_t at = random_below(state, (uint32_t)size);
        uint32_t count = 1 + random_below(state, 16);
        switch (random_below(state, 5)) {
        case 0:
            input[at] ^= (uint8_t)(1u << random_below(state, 8));
            break;
        case 1:
            input[at] = TELLING[random_below(state, sizeof TELLING)];
            break;
        case 2: /* delete */
            count = count < size - at ? count : (uint32_t)(size - at);
            memmove(input + at, input + at + count, size - at - count);
            size -= count;
            break;
        case 3: /* copy a piece to another place */
            if (size + count <= INPUT_BYTES_MAX) {
                uint8_t piece[16];
                uint32_t from = random_below(state, (uint32_t)size);
                count = count < size - from ? count : (uint32_t)(size - from);
                memcpy(piece, input + from, count);
                memmove(input + at + count, input + at, size - at);
                memcpy(input + at, piece, count);
                size += count;
            }
            break;
        default: /* cut short */
            size = random_below(state, 8) == 0 ? at : size;
        }
    }
    return size;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        return 2;
    }
    uint32_t state = (uint32_t)strtoul(argv[2], NULL, 10) * 2654435761u + 1u;
    for (unsigned long run = strtoul(argv[1], NULL, 10); run > 0; run--) {
        uint8_t whole[INPUT_BYTES_MAX];
        FILE *file = fopen(argv[3 + run % (unsigned long)(argc - 3)], "rb");
        if (file == NULL) {
            return 3;
        }
        size_t size = fread(whole, 1, sizeof whole, file);
        fclose(file);
        size = mutate(whole, size, &state);
        uint8_t *exact = malloc(size > 0 ? size : 1);
        if (exact == NULL) {
            return 4;
        }
        memcpy(exact, whole, size);
        LLVMFuzzerTestOneInput(exact, size);
        free(exact);
    }
    return 0;
}
