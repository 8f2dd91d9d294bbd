#include "link_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_engines.h"
#include "runevm_link.h"

typedef struct {
    uint32_t now_ms;
    bool restart, over;
} world;

static int world_read(void *user)
{
    world *here = user;
    if (here->restart || here->over) {
        return -1;
    }
    int order = getc(stdin);
    if (order == 'B') {
        return getc(stdin);
    }
    if (order == 'T') {
        uint32_t passed = 0;
        for (unsigned int i = 0; i < 4; i++) {
            passed |= (uint32_t)getc(stdin) << (8 * i);
        }
        here->now_ms += passed;
        /* The bytes before it have all been read by now. */
        putc('I', stdout);
        fflush(stdout);
    } else if (order == 'R') {
        here->restart = true;
    } else {
        here->over = true;
    }
    return -1;
}

static void world_write(void *user, const uint8_t *bytes, size_t length)
{
    (void)user;
    putc('W', stdout);
    putc((int)(length & 0xff), stdout);
    putc((int)(length >> 8), stdout);
    fwrite(bytes, 1, length, stdout);
}

static uint32_t world_milliseconds(void *user)
{
    return ((world *)user)->now_ms;
}

static uint32_t world_stack(void *user)
{
    (void)user;
    return 4321;
}

static bool world_stopped(void *user)
{
    world *here = user;
    return here->restart || here->over;
}

/* Says the request backwards; nothing to one that begins with FF, too much to one that begins with FE. */
static size_t world_selftest(void *user, const uint8_t *request, size_t bytes, uint8_t *answer)
{
    (void)user;
    for (size_t i = 0; i < bytes; i++) {
        answer[i] = request[bytes - 1 - i];
    }
    return request[0] == 0xff ? 0 : request[0] == 0xfe ? RUNEVM_LINK_BODY_BYTES + 1u : bytes;
}

int link_session(const char *rune_path)
{
    FILE *file = fopen(rune_path, "rb");
    if (file == NULL) {
        return 4;
    }
    uint8_t *rune = aligned_alloc(16, 1 << 16);
    size_t rune_bytes = fread(rune, 1, 1 << 16, file);
    fclose(file);

    world here = {.now_ms = 0xfffffc00u}; /* the clock wraps soon */
    fake_engine engine = {0};
    fake_models models = {0};
    const runevm_link_io io = {&here, world_read, world_write, world_milliseconds, world_milliseconds, world_stack, world_stopped};
    const runevm_link_identity identity = {"probe", "0.1.0", "fake+fake", 7000};
    while (!here.over) {
        static runevm vm;
        static runevm_link link;
        here.restart = false;
        runevm_link_init(&link, &io, &identity);
        if (getenv("WITH_SELFTEST") != NULL) {
            runevm_link_answer_selftest(&link, world_selftest, &here);
        }
        runevm_config config = {
            .engine = &FAKE_ENGINE,
            .engine_context = &engine,
            .model_engine = &FAKE_MODEL_ENGINE,
            .model_context = &models,
            .memory_limit_bytes = 8192,
            .arena_limit_bytes = 4096,
            .capability_kinds = 0x7e,
            .callbacks = {&link, runevm_link_provide, runevm_link_write, runevm_link_log,
                          runevm_link_milliseconds, NULL},
        };
        (void)runevm_load(&vm, &config, rune, rune_bytes);
        runevm_link_serve(&link, &vm);
    }
    fake_engine_free(&engine);
    free(rune);
    return 0;
}
