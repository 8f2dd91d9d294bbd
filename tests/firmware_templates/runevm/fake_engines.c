#include "fake_engines.h"

#include <stdlib.h>
#include <string.h>

static uint32_t u16_at(const uint8_t *at)
{
    return at[0] | ((uint32_t)at[1] << 8);
}

static uint32_t u32_at(const uint8_t *at)
{
    return u16_at(at) | (u16_at(at + 2) << 16);
}

void fake_engine_free(fake_engine *engine)
{
    free(engine->memory);
    engine->memory = NULL;
}

static runevm_error instantiate(void *context, runevm *vm, const uint8_t *code, uint32_t code_bytes, uint32_t memory_bytes, const char **detail)
{
    fake_engine *engine = context;
    fake_engine_free(engine);
    if (engine->refuse != RUNEVM_OK) {
        *detail = "fake refusal";
        return engine->refuse;
    }
    engine->vm = vm;
    engine->instances++;
    engine->memory = calloc(1, memory_bytes > 0 ? memory_bytes : 1);
    engine->memory_bytes = memory_bytes;
    uint32_t at = 9; /* behind the magic and the id: the section's LEB128 length */
    while (code[at++] >= 0x80) {
    }
    engine->orders = code + at;
    engine->orders_bytes = code_bytes - at;
    return RUNEVM_OK;
}

static runevm_error trap(const char **detail)
{
    *detail = "fake trap";
    return RUNEVM_ERR_TRAP;
}

static runevm_error call(void *context, runevm_export which, uint32_t stage, uint32_t *result, const char **detail)
{
    fake_engine *engine = context;
    uint32_t manifest_bytes = u16_at(engine->orders);
    const uint8_t *at = engine->orders + 2;
    const uint8_t *end = at + manifest_bytes;
    if (which == RUNEVM_EXPORT_CALL) {
        at = end;
        end = engine->orders + engine->orders_bytes;
    }
    uint32_t kept = 0;
    *result = 0;
    while (at < end) {
        uint8_t order = *at++;
        if (order == 1) {
            const runevm_import *import = &runevm_imports[*at++];
            uint32_t arguments[8];
            for (uint32_t i = 0; i < import->parameters; i++, at += 4) {
                arguments[i] = u32_at(at);
            }
            runevm_error error = import->function(engine->vm, arguments, &kept);
            if (error != RUNEVM_OK) {
                return error;
            }
        } else if (order == 2) {
            if (kept != u32_at(at)) {
                return trap(detail);
            }
            at += 4;
        } else if (order == 3) {
            memcpy(engine->memory + u32_at(at), at + 5, at[4]);
            at += 5u + at[4];
        } else if (order == 4) {
            *result = u32_at(at);
            return RUNEVM_OK;
        } else if (order == 5) {
            *detail = "fake trap";
            return (runevm_error)u16_at(at);
        } else if (order == 6) {
            if (engine->memory[u32_at(at)] == at[4]) {
                return trap(detail);
            }
            at += 5;
        } else if (order == 7) {
            while (engine->memory[u32_at(at)] == at[4]) {
                if (runevm_time_is_over(engine->vm)) {
                    *detail = "fake end of time";
                    return RUNEVM_ERR_TIME;
                }
            }
            at += 5;
        } else if (order == 8) {
            uint32_t skipped = stage == 0 || stage == at[0] ? 0u : u16_at(at + 1);
            at += 3u + skipped;
        } else {
            *detail = "no such order";
            return RUNEVM_ERR_ENGINE;
        }
    }
    return RUNEVM_OK;
}

static uint8_t *memory(void *context, uint32_t *bytes)
{
    fake_engine *engine = context;
    *bytes = engine->memory_bytes;
    return engine->memory;
}

static uint32_t heap_used_bytes(void *context)
{
    return 1000u + ((fake_engine *)context)->instances;
}

const runevm_engine FAKE_ENGINE = {"fake", instantiate, call, memory, heap_used_bytes};

static runevm_error model_open(void *context, uint32_t index, const runevm_rune *rune, const runevm_model_info *info, const char **detail)
{
    fake_models *models = context;
    if (index != models->open || info->size_bytes == 0) {
        *detail = "opened out of order";
        return RUNEVM_ERR_MODEL;
    }
    if (info->data[0] == 0xe0) {
        *detail = "SOFTMAX";
        return RUNEVM_ERR_OPERATOR;
    }
    if (info->data[0] == 0xe1) {
        *detail = "too small";
        return RUNEVM_ERR_ARENA;
    }
    models->rune = rune;
    models->models[models->open++] = info;
    return RUNEVM_OK;
}

static runevm_error model_invoke(void *context, uint32_t index, const uint8_t *const *inputs, uint8_t *const *outputs, const char **detail)
{
    fake_models *models = context;
    const runevm_model_info *info = models->models[index];
    if (info->data[0] == 0xe2) {
        *detail = "node 3 failed";
        return RUNEVM_ERR_INVOKE;
    }
    if (info->data[0] == 0xe3 && inputs[0][0] == 1) {
        *models->clock_ms += 40000;
    }
    uint32_t input = 0, taken = 0;
    for (uint32_t i = 0; i < info->output_count; i++) {
        for (uint32_t k = 0; k < models->rune->tensors[info->outputs[i]].size_bytes; k++) {
            while (taken == models->rune->tensors[info->inputs[input]].size_bytes) {
                taken = 0;
                input = (input + 1) % info->input_count;
            }
            outputs[i][k] = inputs[input][taken++] ^ info->data[0];
        }
    }
    return RUNEVM_OK;
}

static void close_all(void *context)
{
    ((fake_models *)context)->open = 0;
}

static uint32_t arena_used_bytes(void *context)
{
    return 100u * ((fake_models *)context)->open;
}

const runevm_model_engine FAKE_MODEL_ENGINE = {"fake", model_open, model_invoke, close_all, arena_used_bytes};
