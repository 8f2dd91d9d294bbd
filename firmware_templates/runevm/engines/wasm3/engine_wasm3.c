/* SPDX-License-Identifier: Apache-2.0 */
/* runevm_engine.h over wasm3. */
#include "engine_wasm3.h"

#include <setjmp.h>
#include <string.h>

#include "module_check.h"
#include "runevm_jump.h"
#include "wasm3_clock.h"
#include "wasm3_config.h"

#include "m3_env.h"
#include "wasm3.h"

/* wasm3's allocator has no context, and neither has its yield hook. */
static runevm_wasm3 *active;

/* wasm3 does not survive every failed allocation, so one that fails while a module is being built
 * leaves wasm3 altogether: whatever it had lies in the pool. */
static jmp_buf when_pool_is_full;
static bool building;

/* --- the pool: first fit over a list of blocks that lie one after another ------------------- */

typedef struct {
    uint32_t size;     /* of the block with this header, a multiple of 8; the lowest bit: in use */
    uint32_t previous; /* size of the block before; 0 for the first */
} block;

enum { IN_USE = 1, HEADER = sizeof(block) };

static uint32_t block_size(const block *at)
{
    return at->size & ~(uint32_t)IN_USE;
}

static block *block_after(block *at)
{
    uint8_t *next = (uint8_t *)at + block_size(at);
    return next < active->pool + active->pool_bytes ? (block *)(void *)next : NULL;
}

static void pool_reset(runevm_wasm3 *engine)
{
    block *first = (block *)(void *)engine->pool;
    engine->pool_bytes &= ~7u;
    engine->used_bytes = engine->peak_bytes = 0;
    engine->out_of_memory = engine->pool_bytes < HEADER;
    if (!engine->out_of_memory) {
        first->size = engine->pool_bytes;
        first->previous = 0;
    }
}

/* Gives back what is behind the first `size` bytes of a used block. */
static void block_trim(block *at, uint32_t size)
{
    uint32_t rest = block_size(at) - size;
    block *tail, *next;
    if (rest < 2 * HEADER) return;
    next = block_after(at);
    tail = (block *)(void *)((uint8_t *)at + size);
    if (next != NULL && !(next->size & IN_USE)) {
        rest += block_size(next);
        next = (uint8_t *)next + block_size(next) < active->pool + active->pool_bytes
                   ? (block *)(void *)((uint8_t *)next + block_size(next))
                   : NULL;
        active->used_bytes -= block_size(at) - size;
    } else {
        active->used_bytes -= rest;
    }
    at->size = size | IN_USE;
    tail->size = rest;
    tail->previous = size;
    if (next != NULL) next->previous = rest;
}

static void note_peak(void)
{
    if (active->used_bytes > active->peak_bytes) active->peak_bytes = active->used_bytes;
}

static uint32_t rounded(size_t size)
{
    return size > active->pool_bytes ? UINT32_MAX : ((uint32_t)size + HEADER + 7u) & ~7u;
}

static void *pool_take(size_t size)
{
    uint32_t wanted = rounded(size);
    block *at;
    if (active == NULL || active->out_of_memory) return NULL;
    for (at = (block *)(void *)active->pool; at != NULL; at = block_after(at)) {
        if (!(at->size & IN_USE) && at->size >= wanted) {
            active->used_bytes += at->size;
            at->size |= IN_USE;
            block_trim(at, wanted);
            note_peak();
            return at + 1;
        }
    }
    active->out_of_memory = true;
    if (building) longjmp(when_pool_is_full, 1);
    return NULL;
}

void *runevm_wasm3_calloc(size_t count, size_t size)
{
    void *at = size != 0 && count > SIZE_MAX / size ? NULL : pool_take(count * size);
    if (at != NULL) memset(at, 0, count * size);
    return at;
}

void runevm_wasm3_free(void *memory)
{
    block *at, *next, *before;
    if (memory == NULL || active == NULL) return;
    at = (block *)memory - 1;
    at->size = block_size(at);
    active->used_bytes -= at->size;
    next = block_after(at);
    if (next != NULL && !(next->size & IN_USE)) at->size += next->size;
    before = at->previous ? (block *)(void *)((uint8_t *)at - at->previous) : NULL;
    if (before != NULL && !(before->size & IN_USE)) {
        before->size += at->size;
        at = before;
    }
    next = block_after(at);
    if (next != NULL) next->previous = at->size;
}

void *runevm_wasm3_realloc(void *memory, size_t size)
{
    block *at = memory == NULL ? NULL : (block *)memory - 1;
    block *next;
    uint32_t wanted;
    void *moved;
    if (at == NULL) return pool_take(size);
    wanted = rounded(size);
    next = block_after(at);
    if (wanted > block_size(at) && next != NULL && !(next->size & IN_USE) && wanted <= block_size(at) + next->size) {
        active->used_bytes += next->size;
        at->size += next->size;
        next = block_after(at);
        if (next != NULL) next->previous = block_size(at);
    }
    if (wanted <= block_size(at)) {
        block_trim(at, wanted);
        note_peak();
        return memory;
    }
    moved = pool_take(size);
    if (moved != NULL) {
        memcpy(moved, memory, block_size(at) - HEADER);
        runevm_wasm3_free(memory);
    }
    return moved;
}

/* --- what wasm3 asks at every call, and at every turn of a loop (wasm3_loops.h) ---------------------------------------- */

uint32_t runevm_wasm3_steps_left;
static const char out_of_time[] = "[trap] the time budget is used up";

M3Result runevm_wasm3_look_at_clock(void)
{
    if (active != NULL && runevm_time_is_over(active->vm)) return out_of_time;
    runevm_wasm3_steps_left = RUNEVM_STEPS_BETWEEN_LOOKS;
    return m3Err_none;
}

M3Result m3_Yield(void)
{
    /* Each wasm call takes some C stack, and wasm3 bounds only its own value stack. */
    const uint8_t *here = (const uint8_t *)__builtin_frame_address(0);
    if (active != NULL && here < active->c_stack_floor) return m3Err_trapStackOverflow;
    return runevm_wasm3_step();
}

/* --- host functions ----------------------------------------------------------------------------- */

static const char host_stopped[] = "[trap] a host function stopped the rune";

enum { MAX_PARAMETERS = 8 };

static const void *call_host(IM3Runtime runtime, IM3ImportContext context, uint64_t *stack, void *memory)
{
    const runevm_import *import = (const runevm_import *)context->userdata;
    uint32_t arguments[MAX_PARAMETERS];
    uint32_t result = 0;
    uint64_t *first = stack + (import->has_result ? 1 : 0);
    (void)runtime;
    (void)memory;
    for (uint32_t i = 0; i < import->parameters; i++) memcpy(&arguments[i], &first[i], sizeof arguments[i]);
    active->host_error = import->function(active->vm, arguments, &result);
    if (active->host_error != RUNEVM_OK) return host_stopped;
    if (import->has_result) *stack = result;
    return m3Err_none;
}

static runevm_error error_of(M3Result result, const char **detail)
{
    *detail = result;
    if (result == host_stopped) {
        *detail = "";
        return active->host_error;
    }
    if (active->out_of_memory || result == m3Err_mallocFailed || result == m3Err_mallocFailedCodePage) {
        *detail = "the engine's pool is used up";
        return RUNEVM_ERR_HEAP;
    }
    if (result == m3Err_trapStackOverflow) return RUNEVM_ERR_STACK;
    if (result == out_of_time) return RUNEVM_ERR_TIME;
    if (result == m3Err_trapOutOfBoundsMemoryAccess) return RUNEVM_ERR_OUT_OF_BOUNDS;
    return strncmp(result, "[trap]", 6) == 0 ? RUNEVM_ERR_TRAP : RUNEVM_ERR_ENGINE;
}

static const runevm_import *find_import(const char *name)
{
    for (uint32_t i = 0; i < runevm_import_count; i++) {
        if (strcmp(runevm_imports[i].name, name) == 0) return &runevm_imports[i];
    }
    return NULL;
}

static bool signature_fits(const runevm_import *import, IM3FuncType type)
{
    if (type->numRets != (import->has_result ? 1 : 0) || type->numArgs != import->parameters
        || import->parameters > MAX_PARAMETERS) {
        return false;
    }
    for (uint32_t i = 0; i < (uint32_t)(type->numRets + type->numArgs); i++) {
        if (type->types[i] != c_m3Type_i32) return false;
    }
    return true;
}

static runevm_error link_imports(IM3Module module, const char **detail)
{
    for (uint32_t i = 0; i < module->numFuncImports; i++) {
        M3Function *function = &module->functions[i];
        const runevm_import *import = find_import(function->import.fieldUtf8);
        M3Result result;
        if (import == NULL || strcmp(function->import.moduleUtf8, "env") != 0) {
            *detail = "imports a function that is not a host function";
            return RUNEVM_ERR_ENGINE;
        }
        if (!signature_fits(import, function->funcType)) {
            *detail = "imports a host function with another signature";
            return RUNEVM_ERR_ENGINE;
        }
        result = m3_LinkRawFunctionEx(module, "env", import->name, NULL, call_host, import);
        if (result != m3Err_none) return error_of(result, detail);
    }
    return RUNEVM_OK;
}

/* --- the engine ------------------------------------------------------------------------------------ */

static runevm_error find_export(IM3Runtime runtime, const char *name, uint16_t arguments, void **found,
                                const char **detail)
{
    IM3Function function = NULL;
    M3Result result = m3_FindFunction(&function, runtime, name);
    if (result == m3Err_functionLookupFailed || (result == m3Err_none && function == NULL)) {
        *detail = "an export is missing";
        return RUNEVM_ERR_ENGINE;
    }
    if (result != m3Err_none) return error_of(result, detail);
    if (function->funcType->numArgs != arguments || function->funcType->numRets != 1) {
        *detail = "an export has another signature";
        return RUNEVM_ERR_ENGINE;
    }
    for (uint32_t i = 0; i < (uint32_t)arguments + 1u; i++) {
        if (function->funcType->types[i] != c_m3Type_i32) {
            *detail = "an export has another signature";
            return RUNEVM_ERR_ENGINE;
        }
    }
    *found = function;
    return RUNEVM_OK;
}

static runevm_error load(runevm_wasm3 *engine, IM3Module module, IM3Runtime runtime, const char **detail)
{
    M3Result result;
    runevm_error error;
    if (module->startFunction >= 0 || module->memoryImported) {
        *detail = "the module has a start function or imports its memory";
        return RUNEVM_ERR_ENGINE;
    }
    result = m3_LoadModule(runtime, module);
    if (result != m3Err_none) return error_of(result, detail);
    error = link_imports(module, detail);
    if (error != RUNEVM_OK) return error;
    result = m3_CompileModule(module);
    if (result != m3Err_none) return error_of(result, detail);
    error = find_export(runtime, "_manifest", 0, &engine->manifest, detail);
    if (error != RUNEVM_OK) return error;
    return find_export(runtime, "_call", 3, &engine->call, detail);
}

static runevm_error build(runevm_wasm3 *engine, const uint8_t *code, uint32_t code_bytes, const char **detail)
{
    IM3Environment environment = m3_NewEnvironment();
    IM3Runtime runtime = m3_NewRuntime(environment, RUNEVM_WASM3_STACK_BYTES, NULL);
    IM3Module module = NULL;
    M3Result result;

    /* 0 would mean no limit; a rune without memory gets one byte out of reach. */
    runtime->memoryLimit = engine->memory_bytes > 0 ? engine->memory_bytes : 1;
    result = m3_ParseModule(environment, &module, code, code_bytes);
    if (result != m3Err_none) return error_of(result, detail);
    engine->runtime = runtime;
    return load(engine, module, runtime, detail);
}

static runevm_error instantiate(void *context, runevm *vm, const uint8_t *code, uint32_t code_bytes,
                                uint32_t memory_bytes, const char **detail)
{
    runevm_wasm3 *engine = (runevm_wasm3 *)context;
    runevm_error error;
    const char *wrong = runevm_check_module(code, code_bytes, RUNEVM_MAX_NESTING);

    *detail = "";
    active = engine;
    pool_reset(engine); /* the old instance goes with everything it had */
    engine->vm = vm;
    engine->runtime = engine->manifest = engine->call = NULL;
    engine->memory_bytes = memory_bytes;
    if (wrong != NULL) {
        *detail = wrong;
        return RUNEVM_ERR_ENGINE;
    }
    runevm_wasm3_steps_left = RUNEVM_STEPS_BETWEEN_LOOKS; /* initialisers are executed too */
    RUNEVM_KEEP_FPU_REGISTERS();
    if (engine->out_of_memory || setjmp(when_pool_is_full) != 0) {
        building = false;
        engine->runtime = NULL;
        return error_of(m3Err_mallocFailed, detail);
    }
    building = true;
    error = build(engine, code, code_bytes, detail);
    building = false;
    if (error != RUNEVM_OK) engine->runtime = NULL;
    return error;
}

static runevm_error call(void *context, runevm_export which, uint32_t stage, uint32_t *result, const char **detail)
{
    runevm_wasm3 *engine = (runevm_wasm3 *)context;
    IM3Function function = (IM3Function)(which == RUNEVM_EXPORT_MANIFEST ? engine->manifest : engine->call);
    const uint32_t zero = 0;
    const void *arguments[3] = {&zero, &stage, &stage};
    const void *results[1] = {result};
    M3Result outcome;

    *detail = "";
    if (engine->runtime == NULL || function == NULL || active != engine) {
        *detail = "the rune is not instantiated";
        return RUNEVM_ERR_ENGINE;
    }
    runevm_wasm3_steps_left = RUNEVM_STEPS_BETWEEN_LOOKS;
    outcome = m3_Call(function, which == RUNEVM_EXPORT_MANIFEST ? 0 : 3, arguments);
    if (outcome == m3Err_none) outcome = m3_GetResults(function, 1, results);
    return outcome == m3Err_none ? RUNEVM_OK : error_of(outcome, detail);
}

static uint8_t *memory(void *context, uint32_t *bytes)
{
    runevm_wasm3 *engine = (runevm_wasm3 *)context;
    *bytes = 0;
    return engine->runtime == NULL ? NULL : m3_GetMemory((IM3Runtime)engine->runtime, bytes, 0);
}

static uint32_t heap_used_bytes(void *context)
{
    runevm_wasm3 *engine = (runevm_wasm3 *)context;
    return engine->peak_bytes > engine->memory_bytes ? engine->peak_bytes - engine->memory_bytes : 0;
}

void runevm_wasm3_init(runevm_wasm3 *engine, uint8_t *pool, uint32_t pool_bytes, const uint8_t *c_stack_floor)
{
    memset(engine, 0, sizeof *engine);
    engine->pool = pool;
    engine->pool_bytes = pool_bytes;
    engine->c_stack_floor = c_stack_floor;
}

const runevm_engine runevm_engine_wasm3 = {"wasm3", instantiate, call, memory, heap_used_bytes};
