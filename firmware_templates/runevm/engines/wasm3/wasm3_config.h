/* SPDX-License-Identifier: Apache-2.0 */
/* How wasm3 is compiled for runevm. Every file of wasm3 is compiled with `-include wasm3_config.h`; m3_compile.c with
 * `-include wasm3_loops.h`, which includes it. */
#ifndef RUNEVM_WASM3_CONFIG_H
#define RUNEVM_WASM3_CONFIG_H

#include <stddef.h>
#include <stdlib.h>

/* Metacode lies in pages of this size; wasm3's own choice, 4096, wastes up to 4 KB a rune. */
#define d_m3CodePageAlignSize 1024
/* Depth of the operand stack of one function. It sizes the compiler's tables: 7 bytes each. */
#define d_m3MaxFunctionStackHeight 256
#define d_m3LogOutput 0
#define d_m3VerboseErrorMessages 0
/* wasm3's own, which m3_config_platforms.h changes under ARDUINO, ESP32 or the name of a board. */
#define d_m3MaxConstantTableSize 120
#define d_m3FixedHeap 0

/* All memory comes from the engine's pool. */
void *runevm_wasm3_calloc(size_t count, size_t size);
void *runevm_wasm3_realloc(void *at, size_t size);
void runevm_wasm3_free(void *at);

#define calloc(count, size) runevm_wasm3_calloc((count), (size))
#define realloc(at, size) runevm_wasm3_realloc((at), (size))
#define free(at) runevm_wasm3_free(at)

#endif
