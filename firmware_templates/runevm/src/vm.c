/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "imports.h"
#include "json_reader.h"
#include "output.h"
#include "run_context.h"
#include "runevm_engine.h"
#include "runevm_model.h"

static runevm_error check_outputs(runevm *vm)
{
    bool text = false, binary = false;
    for (uint32_t i = 0; i < vm->rune.output_count; i++) {
        runevm_output_kind kind = vm->rune.outputs[i].kind;
        bool pin = kind == RUNEVM_PIN && vm->config.callbacks.drive != NULL;
        text = text || kind == RUNEVM_SERIAL || kind == RUNEVM_PIN;
        binary = binary || kind == RUNEVM_TENSOR;
        if ((kind != RUNEVM_SERIAL && kind != RUNEVM_TENSOR && !pin) || (text && binary)) {
            runevm_set_place(vm, vm->rune.outputs[i].name);
            runevm_set_detail(vm,
                              text && binary ? "text and TENSOR together" : "this firmware does not write its kind");
            return RUNEVM_ERR_OUTPUT_KIND;
        }
    }
    return RUNEVM_OK;
}

static runevm_error check_models(runevm *vm)
{
    uint32_t arena_left = vm->config.arena_limit_bytes;
    for (uint32_t i = 0; i < vm->rune.model_count; i++) {
        const runevm_model_info *model = &vm->rune.models[i];
        runevm_set_place(vm, model->name);
        if (!model->is_tflite) {
            runevm_set_detail(vm, "no engine runs its format");
            return RUNEVM_ERR_MODEL;
        }
        bool aligned = (uintptr_t)model->data % 16u == 0;
        if (vm->config.model_engine == NULL || !aligned) {
            runevm_set_detail(vm, aligned ? "this firmware runs no models" : "the .rune must lie at a multiple of 16");
            return RUNEVM_ERR_MODEL;
        }
        if (model->arena_bytes > arena_left) {
            runevm_set_detail(vm, "the models need more arena than there is");
            return RUNEVM_ERR_ARENA;
        }
        arena_left -= model->arena_bytes;
        vm->place[0] = '\0';
    }
    return RUNEVM_OK;
}

/* Unsupported features are reported before the rune runs. */
static runevm_error check_board(runevm *vm)
{
    if (vm->rune.memory_bytes > vm->config.memory_limit_bytes) {
        runevm_set_detail(vm, "the rune needs more linear memory than there is");
        return RUNEVM_ERR_MEMORY;
    }
    for (uint32_t i = 0; i < vm->rune.capability_count; i++) {
        const runevm_capability *capability = &vm->rune.capabilities[i];
        bool known = (vm->config.capability_kinds >> (uint32_t)capability->kind & 1u) != 0;
        if (!known || vm->config.callbacks.provide == NULL) {
            runevm_set_place(vm, capability->name);
            runevm_set_detail(vm, "this board does not have the capability");
            return RUNEVM_ERR_CAPABILITY;
        }
    }
    for (uint32_t i = 0; i < vm->rune.resource_count; i++) {
        if (vm->rune.resources[i].data == NULL) {
            runevm_set_place(vm, vm->rune.resources[i].name);
            runevm_set_detail(vm, "its data is not in the rune");
            return RUNEVM_ERR_NO_DATA;
        }
    }
    runevm_error error = check_outputs(vm);
    return error == RUNEVM_OK ? check_models(vm) : error;
}

static const runevm_text MANIFEST = {"_manifest", 9}, CALL = {"_call", 5};

/* Calls an export; of `_call` one stage, or 0 for all. */
static runevm_error call(runevm *vm, runevm_export which, uint32_t stage, uint32_t *result)
{
    const char *detail = NULL;
    vm->phase = which == RUNEVM_EXPORT_CALL ? RUNEVM_PHASE_CALL : RUNEVM_PHASE_MANIFEST;
    runevm_error error = vm->config.engine->call(vm->config.engine_context, which, stage, result, &detail);
    vm->phase = RUNEVM_PHASE_NONE;
    if (error != RUNEVM_OK) {
        runevm_text all = which == RUNEVM_EXPORT_CALL ? CALL : MANIFEST;
        runevm_set_place(vm, stage == 0 ? all : vm->rune.stages[stage - 1]);
        runevm_set_detail(vm, detail);
    }
    return error;
}

/* Stage by stage where the rune allows it, so that the stage of a trap is known. *failed: the number of the stage that
 * returned an error, or 0. */
static runevm_error call_stages(runevm *vm, uint32_t *failed)
{
    uint32_t last = vm->rune.has_code_map ? vm->rune.stage_count : 0;
    uint32_t stage = last > 0 ? 1 : 0;
    runevm_error error;
    runevm_begin_time(vm);
    do {
        error = call(vm, RUNEVM_EXPORT_CALL, stage, failed);
    } while (error == RUNEVM_OK && *failed == 0 && stage++ < last);
    if (last > 0 && *failed != 0) {
        *failed = stage;
    }
    vm->last_run_ms = runevm_time_taken_ms(vm);
    return error;
}

static runevm_error instantiate(runevm *vm)
{
    const char *detail = NULL;
    if (vm->config.model_engine != NULL) {
        vm->config.model_engine->close_all(vm->config.model_context);
    }
    runevm_imports_begin(vm);
    runevm_begin_time(vm);
    runevm_error error = vm->config.engine->instantiate(vm->config.engine_context, vm, vm->rune.file,
                                                        vm->rune.code_bytes, vm->rune.memory_bytes, &detail);
    if (error != RUNEVM_OK) {
        runevm_set_detail(vm, detail);
        return error;
    }
    uint32_t result = 0;
    runevm_begin_time(vm);
    error = call(vm, RUNEVM_EXPORT_MANIFEST, 0, &result);
    if (error != RUNEVM_OK) {
        return error;
    }
    if (result != 1 || vm->capabilities_given != vm->rune.capability_count || vm->models_given != vm->rune.model_count
        || vm->outputs_given != vm->rune.output_count) {
        runevm_set_place(vm, MANIFEST);
        runevm_set_detail(vm, result != 1 ? vm->debug : "it asks for less than the graph lists");
        return RUNEVM_ERR_HOST_CALL;
    }
    vm->first_id_of_calls = vm->next_id;
    vm->ready = true;
    return RUNEVM_OK;
}

runevm_error runevm_load(runevm *vm, const runevm_config *config, const uint8_t *file, size_t file_bytes)
{
    memset(vm, 0, sizeof *vm);
    vm->config = *config;
    if (vm->config.time_budget_ms == 0) {
        vm->config.time_budget_ms = RUNEVM_TIME_BUDGET_MS;
    }
    vm->status = runevm_rune_read(&vm->rune, file, file_bytes);
    if (vm->status == RUNEVM_OK) {
        vm->status = check_board(vm);
    }
    if (vm->status == RUNEVM_OK) {
        vm->status = instantiate(vm);
    }
    return vm->status;
}

/* Returns the name of a failed stage. */
static runevm_error stage_failed(runevm *vm, uint32_t number)
{
    if (number > vm->rune.stage_count) {
        runevm_set_place(vm, CALL);
        runevm_set_detail(vm, "the number returned is no stage");
        return RUNEVM_ERR_HOST_CALL;
    }
    runevm_set_place(vm, vm->rune.stages[number - 1]);
    runevm_set_detail(vm, vm->debug);
    return RUNEVM_ERR_STAGE;
}

runevm_error runevm_run(runevm *vm)
{
    if (vm->status != RUNEVM_OK) {
        return vm->status;
    }
    vm->runs++;
    runevm_forget_error(vm);
    runevm_error error = vm->ready ? RUNEVM_OK : instantiate(vm);
    uint32_t result = 0;
    if (error == RUNEVM_OK) {
        runevm_imports_begin_call(vm);
        runevm_output_begin(vm);
        error = call_stages(vm, &result);
    }
    if (error == RUNEVM_OK && result != 0) {
        error = stage_failed(vm, result);
    }
    if (error == RUNEVM_OK) {
        error = runevm_output_end(vm);
    }
    if (error != RUNEVM_OK) {
        vm->ready = false;
    }
    return error;
}
