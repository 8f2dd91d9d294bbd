/* Drives an engine on the host: engine_harness WASM MEMORY POOL C_STACK COMMAND...
 * Prints a line for each command: error, result, the engine's text. HARNESS_AOT: the engine of compiled modules. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HARNESS_AOT
#include "engine_aot.h"
#define ENGINE runevm_engine_aot
static runevm_aot engine;
#else
#include "engine_wasm3.h"
#define ENGINE runevm_engine_wasm3
static runevm_wasm3 engine;
#endif

static uint32_t host_calls;

/* Engines hand it to host functions; they read nothing of it. */
static runevm owner;

runevm_error runevm_host_request_provider_response(runevm *vm, const uint32_t *arguments, uint32_t *result)
{
    host_calls++;
    *result = arguments[0] + 10u * arguments[1] + 100u * arguments[2] + (vm == &owner ? 0u : 1u);
    return RUNEVM_OK;
}

runevm_error runevm_host_rune_resource_close(runevm *vm, const uint32_t *arguments, uint32_t *result)
{
    (void)vm, (void)result;
    host_calls += arguments[0];
    return RUNEVM_OK;
}

runevm_error runevm_host_request_capability(runevm *vm, const uint32_t *arguments, uint32_t *result)
{
    (void)vm, (void)arguments, (void)result;
    return RUNEVM_ERR_NO_DATA;
}

const runevm_import runevm_imports[] = {
    {"request_provider_response", 3, true, runevm_host_request_provider_response},
    {"rune_resource_close", 1, false, runevm_host_rune_resource_close},
    {"request_capability", 1, true, runevm_host_request_capability},
};
const uint32_t runevm_import_count = 3;

/* The clock says that the time is over at the 1000th look since the command began. */
static uint32_t looks;

bool runevm_time_is_over(runevm *vm)
{
    (void)vm;
    return ++looks >= 1000u;
}

static uint8_t *read_whole(const char *path, uint32_t *bytes)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data;
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) exit(2);
    *bytes = (uint32_t)ftell(file);
    data = malloc(*bytes);
    rewind(file);
    if (fread(data, 1, *bytes, file) != *bytes) exit(2);
    fclose(file);
    return data;
}

int main(int count, char **words)
{
    uint8_t here;
    uint32_t bytes;
    uint8_t *code = read_whole(words[1], &bytes);
    const uint32_t memory_bytes = (uint32_t)atoi(words[2]), pool_bytes = (uint32_t)atoi(words[3]);
    uint8_t *pool = malloc(pool_bytes);
#ifdef HARNESS_AOT
    runevm_aot_init(&engine, &runevm_aot_rune, &here - atoi(words[4]));
#else
    runevm_wasm3_init(&engine, pool, pool_bytes, &here - atoi(words[4]));
#endif
    for (int i = 5; i < count; i++) {
        const char *detail = "";
        uint32_t result = 0;
        looks = 0;
        runevm_error error = RUNEVM_OK;
        if (strcmp(words[i], "load") == 0) {
            error = ENGINE.instantiate(&engine, &owner, code, bytes, memory_bytes, &detail);
        } else if (strcmp(words[i], "manifest") == 0) {
            error = ENGINE.call(&engine, RUNEVM_EXPORT_MANIFEST, 0, &result, &detail);
        } else if (strcmp(words[i], "call") == 0) {
            error = ENGINE.call(&engine, RUNEVM_EXPORT_CALL, 0, &result, &detail);
        } else if (strncmp(words[i], "stage:", 6) == 0) {
            uint32_t stage = (uint32_t)atoi(words[i] + 6);
            error = ENGINE.call(&engine, RUNEVM_EXPORT_CALL, stage, &result, &detail);
        } else if (strcmp(words[i], "memory") == 0) {
            uint8_t *memory = ENGINE.memory(&engine, &result);
            detail = memory == NULL ? "none" : memory[0] == 0 ? "zero" : "not zero";
        } else if (strcmp(words[i], "heap") == 0) {
            result = ENGINE.heap_used_bytes(&engine);
        } else if (strcmp(words[i], "spent") == 0) {
            (void)ENGINE.call(&engine, RUNEVM_EXPORT_CALL, 0, &result, &detail);
            result = looks;
        } else {
            result = host_calls;
        }
        printf("%d %u %s\n", error, result, detail);
    }
    free(pool);
    free(code);
    return 0;
}
