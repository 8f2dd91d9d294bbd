/* The host functions of docs/spec/rune.md for the peer. Ids are given as a rune-vm gives them. */
#include "peer.h"

#include <stdlib.h>
#include <string.h>

#include "firmware.h"
#include "runevm_hal.h"

int32_t rune_manifest(void);
int32_t rune_call(int32_t kind, int32_t type, int32_t index);

enum { OPEN_MAX = 8 };

static uint32_t next_id = 1;
static uint32_t ids_of_calls; /* where those begin that are given in a run */
static struct {
    const peer_resource *resource;
    uint32_t id, offset;
} opened[OPEN_MAX];

__attribute__((noinline)) void peer_begin(void) { __asm volatile("" ::: "memory"); }
__attribute__((noinline)) void peer_end(void) { __asm volatile("" ::: "memory"); }

__attribute__((noinline)) void peer_fill(uint32_t capability, void *buffer, uint32_t length)
{
    __asm volatile("" ::"r"(capability), "r"(buffer), "r"(length) : "memory");
}

__attribute__((noinline)) void peer_take(uint32_t output, const void *buffer, uint32_t length)
{
    __asm volatile("" ::"r"(output), "r"(buffer), "r"(length) : "memory");
}

static int is_called(const char *name, const char *text, uint32_t length)
{
    return strlen(name) == length && memcmp(name, text, length) == 0;
}

uint32_t request_capability(uint32_t kind)
{
    (void)kind;
    return next_id++;
}

uint32_t request_capability_set_param(uint32_t id, const char *key, uint32_t key_length, const void *value,
                                      uint32_t value_length, uint32_t value_type)
{
    (void)id, (void)key, (void)key_length, (void)value, (void)value_length, (void)value_type;
    return 0;
}

uint32_t request_provider_response(void *buffer, uint32_t length, uint32_t id)
{
    peer_fill(id, buffer, length);
    return 0;
}

uint32_t rune_model_open(const char *name, uint32_t length)
{
    for (uint32_t i = 0; peer_models[i].name != NULL; i++) {
        peer_model *model = &peer_models[i];
        if (is_called(model->name, name, length)) {
            if (!peer_model_open(i, model->data, model->arena, model->arena_bytes)) abort();
            return model->id = next_id++;
        }
    }
    abort();
}

uint32_t rune_model_infer(uint32_t id, const void *const *inputs, void *const *outputs)
{
    for (uint32_t i = 0; peer_models[i].name != NULL; i++) {
        if (peer_models[i].id == id) {
            if (!peer_model_infer(i, inputs, outputs)) abort();
            return 0;
        }
    }
    abort();
}

uint32_t request_output(uint32_t kind)
{
    (void)kind;
    return next_id++;
}

uint32_t consume_output(uint32_t id, const void *buffer, uint32_t length)
{
    peer_take(id, buffer, length);
    return 0;
}

int32_t rune_debug(const char *message, uint32_t length)
{
    (void)message, (void)length;
    return 0;
}

int32_t rune_resource_open(const char *name, uint32_t length)
{
    for (const peer_resource *resource = peer_resources; resource->name != NULL; resource++) {
        if (!is_called(resource->name, name, length)) continue;
        for (uint32_t i = 0; i < OPEN_MAX; i++) {
            if (opened[i].resource == NULL) {
                opened[i].resource = resource;
                opened[i].id = next_id++;
                opened[i].offset = 0;
                return (int32_t)opened[i].id;
            }
        }
    }
    abort();
}

int32_t rune_resource_read(int32_t id, void *buffer, uint32_t length)
{
    for (uint32_t i = 0; i < OPEN_MAX; i++) {
        if (opened[i].resource != NULL && opened[i].id == (uint32_t)id) {
            const uint8_t *from = opened[i].resource->start + opened[i].offset;
            uint32_t left = (uint32_t)(opened[i].resource->end - from);
            uint32_t count = length < left ? length : left;
            memcpy(buffer, from, count);
            opened[i].offset += count;
            return (int32_t)count;
        }
    }
    abort();
}

void rune_resource_close(int32_t id)
{
    for (uint32_t i = 0; i < OPEN_MAX; i++) {
        if (opened[i].id == (uint32_t)id) opened[i].resource = NULL;
    }
}

void runec_firmware_start(runec_stack stack)
{
    (void)stack;
    runevm_hal_init();
    if (rune_manifest() != 1) abort();
    ids_of_calls = next_id;
}

void runec_firmware_serve(void)
{
    peer_begin();
    next_id = ids_of_calls;
    if (rune_call(0, 0, 0) != 0) abort();
    peer_end();
}
