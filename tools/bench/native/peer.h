/* The peer of a rune: the C that runec generates for a pipeline, compiled for the board itself and linked with the same
 * HAL and the same TensorFlow Lite Micro. No WebAssembly, no checks, no link, no JSON: what somebody would
 * write by hand for this one pipeline. */
#ifndef PEER_H
#define PEER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const char *name;
    const uint8_t *start, *end;
} peer_resource;

typedef struct {
    const char *name;
    const uint8_t *data;
    uint8_t *arena;
    uint32_t arena_bytes;
    uint32_t id; /* written when it is opened */
} peer_model;

/* Generated: what the pipeline has of them, and an entry without a name. */
extern const peer_resource peer_resources[];
extern peer_model peer_models[];

/* Models by their place in peer_models. False: it cannot be done. */
int peer_model_open(uint32_t index, const uint8_t *data, uint8_t *arena, uint32_t arena_bytes);
int peer_model_infer(uint32_t index, const void *const *inputs, void *const *outputs);

/* Where the bench stops: before and after a run, to fill an input and to look at an output. They do nothing. */
void peer_begin(void);
void peer_end(void);
void peer_fill(uint32_t capability, void *buffer, uint32_t length);
void peer_take(uint32_t output, const void *buffer, uint32_t length);

#ifdef __cplusplus
}
#endif
#endif
