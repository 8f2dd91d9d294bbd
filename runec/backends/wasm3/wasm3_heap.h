/* Included before every file of wasm3 (-include): its allocations go to the engine's pool. */
#ifndef RUNEVM_WASM3_HEAP_H
#define RUNEVM_WASM3_HEAP_H

#include <stddef.h>
#include <stdlib.h>

void *runevm_wasm3_calloc(size_t count, size_t size);
void *runevm_wasm3_realloc(void *at, size_t size);
void runevm_wasm3_free(void *at);

#define calloc(count, size) runevm_wasm3_calloc((count), (size))
#define realloc(at, size) runevm_wasm3_realloc((at), (size))
#define free(at) runevm_wasm3_free(at)

#endif
