/* SPDX-License-Identifier: Apache-2.0 */
/* runevm_engine.h over a module that was compiled to C. */
#include "engine_aot.h"

#include <setjmp.h>
#include <string.h>

#include "runevm_jump.h"

uint32_t runevm_aot_steps;
const uint8_t *runevm_aot_c_stack_floor;
runevm *runevm_aot_vm;

/* Compiled code has no context. */
static runevm_aot *active;
static jmp_buf when_trapped;

/* What wasm3 says of each. */
static const struct {
    runevm_error error;
    const char *text;
} TRAPS[] = {
    [AOT_TRAP_BOUNDS] = {RUNEVM_ERR_OUT_OF_BOUNDS, "[trap] out of bounds memory access"},
    [AOT_TRAP_CONVERSION] = {RUNEVM_ERR_TRAP, "[trap] invalid conversion to integer"},
    [AOT_TRAP_DIVIDE] = {RUNEVM_ERR_TRAP, "[trap] integer divide by zero"},
    [AOT_TRAP_ELEMENT] = {RUNEVM_ERR_TRAP, "[trap] undefined element"},
    [AOT_TRAP_HOST] = {RUNEVM_OK, ""},
    [AOT_TRAP_NULL] = {RUNEVM_ERR_TRAP, "[trap] null table element"},
    [AOT_TRAP_OVERFLOW] = {RUNEVM_ERR_TRAP, "[trap] integer overflow"},
    [AOT_TRAP_SIGNATURE] = {RUNEVM_ERR_TRAP, "[trap] indirect call type mismatch"},
    [AOT_TRAP_STACK] = {RUNEVM_ERR_STACK, "[trap] stack overflow"},
    [AOT_TRAP_TIME] = {RUNEVM_ERR_TIME, "[trap] the time budget is used up"},
    [AOT_TRAP_UNREACHABLE] = {RUNEVM_ERR_TRAP, "[trap] unreachable executed"},
};

_Noreturn void runevm_aot_trap(runevm_aot_trap_kind kind)
{
    longjmp(when_trapped, (int)kind + 1);
}

uint32_t runevm_aot_look(void)
{
    if (runevm_time_is_over(runevm_aot_vm)) runevm_aot_trap(AOT_TRAP_TIME);
    return RUNEVM_STEPS_BETWEEN_LOOKS;
}

_Noreturn void runevm_aot_host_failed(runevm_error error)
{
    active->host_error = error;
    runevm_aot_trap(AOT_TRAP_HOST);
}

/* What a trap left behind, as an error. */
static runevm_error trapped(const runevm_aot *engine, int jumped, const char **detail)
{
    runevm_aot_trap_kind kind = (runevm_aot_trap_kind)(jumped - 1);
    *detail = TRAPS[kind].text;
    return kind == AOT_TRAP_HOST ? engine->host_error : TRAPS[kind].error;
}

static runevm_error instantiate(void *context, runevm *vm, const uint8_t *code, uint32_t code_bytes,
                                uint32_t memory_bytes, const char **detail)
{
    runevm_aot *engine = (runevm_aot *)context;
    const runevm_aot_module *module = engine->module;
    int jumped;

    *detail = "";
    active = engine;
    runevm_aot_vm = vm;
    engine->ready = false;
    if (code_bytes != module->code_bytes || memory_bytes != module->memory_bytes) {
        *detail = "the firmware was made for another rune";
        return RUNEVM_ERR_ENGINE;
    }
    memset(module->memory, 0, module->memory_bytes);
    RUNEVM_KEEP_FPU_REGISTERS();
    jumped = setjmp(when_trapped);
    if (jumped != 0) return trapped(engine, jumped, detail);
    module->start(code);
    engine->ready = true;
    return RUNEVM_OK;
}

static runevm_error call(void *context, runevm_export which, uint32_t stage, uint32_t *result, const char **detail)
{
    runevm_aot *engine = (runevm_aot *)context;
    int jumped;

    *detail = "";
    if (!engine->ready || active != engine) {
        *detail = "the rune is not instantiated";
        return RUNEVM_ERR_ENGINE;
    }
    runevm_aot_steps = RUNEVM_STEPS_BETWEEN_LOOKS;
    runevm_aot_c_stack_floor = engine->c_stack_floor;
    RUNEVM_KEEP_FPU_REGISTERS();
    jumped = setjmp(when_trapped);
    if (jumped != 0) return trapped(engine, jumped, detail);
    *result = engine->module->run(which, stage);
    return RUNEVM_OK;
}

static uint8_t *memory(void *context, uint32_t *bytes)
{
    const runevm_aot *engine = (const runevm_aot *)context;
    *bytes = engine->ready ? engine->module->memory_bytes : 0;
    return engine->ready ? engine->module->memory : NULL;
}

static uint32_t heap_used_bytes(void *context)
{
    (void)context;
    return 0;
}

void runevm_aot_init(runevm_aot *engine, const runevm_aot_module *module, const uint8_t *c_stack_floor)
{
    memset(engine, 0, sizeof *engine);
    engine->module = module;
    engine->c_stack_floor = c_stack_floor;
}

const runevm_engine runevm_engine_aot = {"aot", instantiate, call, memory, heap_used_bytes};
