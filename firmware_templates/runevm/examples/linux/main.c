/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a .rune on Linux, without runec: run_rune FILE.rune [INPUT...]
 *
 * The first capability of the rune reads the first INPUT, the second one the second, as raw bytes. The result goes to
 * stdout, messages of the rune to stderr. On a microcontroller everything but the files is the same: the .rune lies in
 * flash, provide() reads a sensor, write_result() sends to a UART. */
#include <stdio.h>
#include <time.h>

#include "engine_wasm3.h"
#include "runevm.h"

#ifdef RUN_RUNE_MODELS
#include "model_tflm.h"
#endif

/* What the application reserves. `runec size` and `runec inspect` print what a rune needs. */
enum { RUNE_BYTES_MAX = 1 << 20, POOL_BYTES = 512 * 1024, MEMORY_BYTES = 256 * 1024, ARENA_BYTES = 256 * 1024 };

static runevm vm;
static runevm_wasm3 engine;
static _Alignas(16) uint8_t rune[RUNE_BYTES_MAX];
static _Alignas(16) uint8_t pool[POOL_BYTES];

#ifdef RUN_RUNE_MODELS
enum { MODELS = RUNEVM_MAX_MODELS };
static runevm_tflm models;
static runevm_tflm_slot slots[MODELS];
static _Alignas(16) uint8_t arena[ARENA_BYTES];
#endif

static char **inputs;
static int input_count;

static size_t read_file(const char *path, uint8_t *bytes, size_t room)
{
    FILE *file = fopen(path, "rb");
    size_t length = file == NULL ? 0 : fread(bytes, 1, room, file);
    if (file != NULL) fclose(file);
    return length;
}

static runevm_error provide(void *user, const runevm_capability *capability, uint8_t *buffer, uint32_t length)
{
    (void)user;
    int number = (int)(capability - vm.rune.capabilities);
    if (number >= input_count) {
        runevm_set_detail(&vm, "there is no input file for it");
        return RUNEVM_ERR_NO_DATA;
    }
    if (read_file(inputs[number], buffer, length) != length) {
        runevm_set_detail(&vm, "its input file is missing or too short");
        return RUNEVM_ERR_NO_DATA;
    }
    return RUNEVM_OK;
}

static runevm_error write_result(void *user, const uint8_t *bytes, uint32_t length)
{
    (void)user;
    return fwrite(bytes, 1, length, stdout) == length ? RUNEVM_OK : RUNEVM_ERR_LINK;
}

static void write_log(void *user, runevm_log_level level, const char *text, uint32_t length)
{
    (void)user;
    (void)level;
    fwrite(text, 1, length, stderr);
    fputc('\n', stderr);
}

static uint32_t milliseconds(void *user)
{
    (void)user;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)now.tv_sec * 1000u + (uint32_t)(now.tv_nsec / 1000000);
}

static int failed(runevm_error error)
{
    fprintf(stderr, "run_rune: %s %s: %s\n", runevm_error_name(error), runevm_error_place(&vm),
            runevm_error_detail(&vm));
    return 1;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: %s FILE.rune [INPUT...]\n", argv[0]);
        return 2;
    }
    inputs = argv + 2;
    input_count = argc - 2;

    runevm_wasm3_init(&engine, pool, sizeof pool, NULL);
    runevm_config config = {
        .engine = &runevm_engine_wasm3,
        .engine_context = &engine,
        .memory_limit_bytes = MEMORY_BYTES,
        .capability_kinds = ~0u,
        .callbacks = {.provide = provide, .write = write_result, .log = write_log, .milliseconds = milliseconds},
    };
#ifdef RUN_RUNE_MODELS
    runevm_tflm_init(&models, arena, sizeof arena, slots, MODELS, runevm_tflm_operators());
    config.model_engine = &runevm_model_engine_tflm;
    config.model_context = &models;
    config.arena_limit_bytes = sizeof arena;
#endif

    runevm_error error = runevm_load(&vm, &config, rune, read_file(argv[1], rune, sizeof rune));
    if (error == RUNEVM_OK) error = runevm_run(&vm);
    return error == RUNEVM_OK ? 0 : failed(error);
}
