/* Engines for tests. The "module" is a list of orders, in the content of its only section:
 *   u16 length of the orders of _manifest, these, those of _call.
 * Numbers are little-endian. Orders:
 *   01 n arguments...   call host import n with u32 arguments; its result is kept
 *   02 u32              trap unless the kept result is this
 *   03 u32 u8 bytes     write bytes into linear memory at an address
 *   04 u32              return this
 *   05 u16              trap with this error
 *   06 u32 u8           trap if the byte at an address is this
 *   07 u32 u8           if the byte at an address is this, go on until the time budget is over
 *   08 u8 u16           the orders of this length that follow are those of a stage: skip them when another one is called
 * The end of the orders returns 0.
 *
 * A "model" is one byte: outputs are the inputs' bytes, one after another and again from the start,
 * each xor that byte. e0: open() lacks an operator. e1: open() finds the arena too small. e2:
 * invoke() fails. e3: invoke() takes 40 s where the first input begins with 1. */
#ifndef FAKE_ENGINES_H
#define FAKE_ENGINES_H

#include "runevm_engine.h"
#include "runevm_model.h"

typedef struct {
    runevm *vm;
    const uint8_t *orders;
    uint32_t orders_bytes;
    uint8_t *memory;                 /* from malloc, so that a sanitizer knows its end */
    uint32_t memory_bytes;
    uint32_t instances;
    runevm_error refuse;             /* what instantiate() returns */
} fake_engine;

typedef struct {
    const runevm_rune *rune;
    const runevm_model_info *models[RUNEVM_MAX_MODELS];
    uint32_t open;
    uint32_t *clock_ms;              /* for e3 */
} fake_models;

extern const runevm_engine FAKE_ENGINE;
extern const runevm_model_engine FAKE_MODEL_ENGINE;

void fake_engine_free(fake_engine *engine);

#endif
