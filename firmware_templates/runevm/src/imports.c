/* SPDX-License-Identifier: Apache-2.0 */
/* The functions that a rune imports from `env`: section 2.2 of docs/spec/rune.md. Nothing that
 * comes from the rune is used before it was checked. */
#include "imports.h"

#include <string.h>

#include "json_reader.h"
#include "nan.h"
#include "output.h"
#include "parameter.h"
#include "run_context.h"
#include "runevm_engine.h"
#include "runevm_model.h"
#include "utf8.h"

#define ID_MAX 0x7fffffffu
#define NOT_FOUND 0xffffffffu

static runevm_text text_of(const char *text)
{
    return (runevm_text){text, (uint32_t)strlen(text)};
}

static runevm_error refuse(runevm *vm, const char *function, runevm_error error, const char *detail)
{
    runevm_set_place(vm, text_of(function));
    runevm_set_detail(vm, detail);
    return error;
}

/* The linear memory that the rune may use, which is what its graph declares. */
static uint8_t *linear_memory(runevm *vm, uint32_t *bytes)
{
    uint8_t *memory = vm->config.engine->memory(vm->config.engine_context, bytes);
    if (memory == NULL) {
        *bytes = 0;
    } else if (*bytes > vm->rune.memory_bytes) {
        *bytes = vm->rune.memory_bytes;
    }
    return memory;
}

/* `length` bytes at `pointer`, or NULL where they are not all in linear memory. */
static uint8_t *in_memory(runevm *vm, uint32_t pointer, uint32_t length)
{
    uint32_t bytes;
    uint8_t *memory = linear_memory(vm, &bytes);
    return memory != NULL && pointer <= bytes && length <= bytes - pointer ? memory + pointer : NULL;
}

static runevm_error out_of_bounds(runevm *vm, const char *function)
{
    return refuse(vm, function, RUNEVM_ERR_OUT_OF_BOUNDS, "a pointer lies outside linear memory");
}

static runevm_error wrong_place(runevm *vm, const char *function)
{
    return refuse(vm, function, RUNEVM_ERR_HOST_CALL, "called in the wrong export");
}

static runevm_error unknown_id(runevm *vm, const char *function)
{
    return refuse(vm, function, RUNEVM_ERR_HOST_CALL, "an id that was not given");
}

static runevm_error not_in_graph(runevm *vm, const char *function)
{
    return refuse(vm, function, RUNEVM_ERR_HOST_CALL, "the graph lists something else next");
}

void runevm_imports_begin(runevm *vm)
{
    vm->next_id = 1;
    vm->capabilities_given = 0;
    vm->models_given = 0;
    vm->outputs_given = 0;
    memset(vm->open_resources, 0, sizeof vm->open_resources);
}

void runevm_imports_begin_call(runevm *vm)
{
    for (uint32_t i = 0; i < RUNEVM_MAX_OPEN_RESOURCES; i++) {
        if (vm->open_resources[i].id >= vm->first_id_of_calls) {
            vm->open_resources[i].id = 0;
        }
    }
    vm->next_id = vm->first_id_of_calls;
}

/* Stores a text for error details, and passes it on. */
static void log_text(runevm *vm, const char *message, uint32_t length)
{
    size_t kept = runevm_utf8_cut(message, length, sizeof vm->debug - 1);
    memcpy(vm->debug, message, kept);
    vm->debug[kept] = '\0';
    if (vm->config.callbacks.log != NULL) {
        vm->config.callbacks.log(vm->config.callbacks.user, RUNEVM_LOG_INFO, message, length);
    }
}

runevm_error runevm_host_debug(runevm *vm, const uint32_t *arguments, uint32_t *result)
{
    *result = 0;
    const char *message = (const char *)in_memory(vm, arguments[0], arguments[1]);
    if (message == NULL) {
        return out_of_bounds(vm, "_debug");
    }
    log_text(vm, message, arguments[1]);
    return RUNEVM_OK;
}

runevm_error runevm_host_request_capability(runevm *vm, const uint32_t *arguments, uint32_t *result)
{
    static const char FUNCTION[] = "request_capability";
    if (vm->phase != RUNEVM_PHASE_MANIFEST) {
        return wrong_place(vm, FUNCTION);
    }
    uint32_t index = vm->capabilities_given;
    const runevm_capability *capability = &vm->rune.capabilities[index];
    if (index >= vm->rune.capability_count || (uint32_t)capability->kind != arguments[0]
        || capability->id != vm->next_id) {
        return not_in_graph(vm, FUNCTION);
    }
    vm->capabilities_given++;
    *result = vm->next_id++;
    return RUNEVM_OK;
}

/* The index of the stage with this id among those given, or NOT_FOUND. */
static uint32_t find_capability(const runevm *vm, uint32_t id)
{
    for (uint32_t i = 0; i < vm->capabilities_given; i++) {
        if (vm->rune.capabilities[i].id == id) {
            return i;
        }
    }
    return NOT_FOUND;
}

/* Checked only: providers use the parameters in the graph. */
runevm_error runevm_host_request_capability_set_param(runevm *vm, const uint32_t *arguments, uint32_t *result)
{
    static const char FUNCTION[] = "request_capability_set_param";
    if (vm->phase != RUNEVM_PHASE_MANIFEST) {
        return wrong_place(vm, FUNCTION);
    }
    uint32_t index = find_capability(vm, arguments[0]);
    if (index == NOT_FOUND) {
        return unknown_id(vm, FUNCTION);
    }
    const uint8_t *key = in_memory(vm, arguments[1], arguments[2]);
    const uint8_t *value = in_memory(vm, arguments[3], arguments[4]);
    if (key == NULL || value == NULL) {
        return out_of_bounds(vm, FUNCTION);
    }
    if (arguments[4] == 0 || arguments[4] != runevm_value_bytes(arguments[5])) {
        return refuse(vm, FUNCTION, RUNEVM_ERR_HOST_CALL, "the value's length is not its type's");
    }
    if (!runevm_parameter_listed(vm->rune.capabilities[index].parameters, key, arguments[2], value, arguments[5])) {
        return refuse(vm, FUNCTION, RUNEVM_ERR_HOST_CALL, "the graph does not list the parameter with this value");
    }
    *result = 0;
    return RUNEVM_OK;
}

runevm_error runevm_host_request_provider_response(runevm *vm, const uint32_t *arguments, uint32_t *result)
{
    static const char FUNCTION[] = "request_provider_response";
    if (vm->phase != RUNEVM_PHASE_CALL) {
        return wrong_place(vm, FUNCTION);
    }
    uint32_t index = find_capability(vm, arguments[2]);
    if (index == NOT_FOUND) {
        return unknown_id(vm, FUNCTION);
    }
    const runevm_capability *capability = &vm->rune.capabilities[index];
    uint8_t *buffer = in_memory(vm, arguments[0], arguments[1]);
    if (buffer == NULL) {
        return out_of_bounds(vm, FUNCTION);
    }
    if (arguments[1] != vm->rune.tensors[capability->tensor].size_bytes) {
        return refuse(vm, FUNCTION, RUNEVM_ERR_HOST_CALL, "the length is not the tensor's");
    }
    uint32_t since = runevm_begin_wait(vm);
    runevm_error error = vm->config.callbacks.provide(vm->config.callbacks.user, capability, buffer, arguments[1]);
    runevm_end_wait(vm, since);
    if (error != RUNEVM_OK) {
        runevm_set_place(vm, capability->name);
    }
    *result = arguments[1];
    return error;
}

/* The next model of the graph. */
static runevm_error open_model(runevm *vm, const runevm_model_info *model, uint32_t index, uint32_t *result)
{
    const char *detail = NULL;
    runevm_error error = vm->config.model_engine->open(vm->config.model_context, index, &vm->rune, model, &detail);
    if (error != RUNEVM_OK) {
        runevm_set_place(vm, model->name);
        runevm_set_detail(vm, detail);
        return error;
    }
    vm->models_given++;
    *result = vm->next_id++;
    return RUNEVM_OK;
}

runevm_error runevm_host_rune_model_open(runevm *vm, const uint32_t *arguments, uint32_t *result)
{
    static const char FUNCTION[] = "rune_model_open";
    if (vm->phase != RUNEVM_PHASE_MANIFEST) {
        return wrong_place(vm, FUNCTION);
    }
    const uint8_t *name = in_memory(vm, arguments[0], arguments[1]);
    if (name == NULL) {
        return out_of_bounds(vm, FUNCTION);
    }
    uint32_t index = vm->models_given;
    const runevm_model_info *model = &vm->rune.models[index];
    if (index >= vm->rune.model_count || !runevm_text_is(model->name, name, arguments[1]) || model->id != vm->next_id) {
        return not_in_graph(vm, FUNCTION);
    }
    return open_model(vm, model, index, result);
}

/* Follows the array of `count` pointers at `array`; false if anything lies outside. */
static bool follow(runevm *vm, uint32_t array, const uint8_t *tensors, uint32_t count, uint8_t **pointers)
{
    const uint8_t *at = in_memory(vm, array, 4u * count);
    for (uint32_t i = 0; at != NULL && i < count; i++, at += 4) {
        uint32_t pointer = at[0] | ((uint32_t)at[1] << 8) | ((uint32_t)at[2] << 16) | ((uint32_t)at[3] << 24);
        pointers[i] = in_memory(vm, pointer, vm->rune.tensors[tensors[i]].size_bytes);
        if (pointers[i] == NULL) {
            return false;
        }
    }
    return at != NULL;
}

/* The index of the open model with this id, or how many there are. */
static uint32_t find_model(const runevm *vm, uint32_t id)
{
    uint32_t index = 0;
    while (index < vm->models_given && vm->rune.models[index].id != id) {
        index++;
    }
    return index;
}

/* From and to checked pointers. */
static runevm_error run_model(runevm *vm, uint32_t index, uint8_t *const *inputs, uint8_t *const *outputs)
{
    const runevm_model_info *model = &vm->rune.models[index];
    const char *detail = NULL;
    runevm_error error = vm->config.model_engine->invoke(vm->config.model_context, index,
                                                         (const uint8_t *const *)inputs, outputs, &detail);
    for (uint32_t i = 0; error == RUNEVM_OK && i < model->output_count; i++) {
        runevm_one_nan_each(&vm->rune.tensors[model->outputs[i]], outputs[i]);
    }
    if (error == RUNEVM_OK && runevm_time_is_over(vm)) {
        error = RUNEVM_ERR_TIME; /* nothing stops a model engine half-way */
    }
    if (error != RUNEVM_OK) {
        runevm_set_place(vm, model->name);
        runevm_set_detail(vm, detail);
    }
    return error;
}

runevm_error runevm_host_rune_model_infer(runevm *vm, const uint32_t *arguments, uint32_t *result)
{
    static const char FUNCTION[] = "rune_model_infer";
    if (vm->phase != RUNEVM_PHASE_CALL) {
        return wrong_place(vm, FUNCTION);
    }
    uint32_t index = find_model(vm, arguments[0]);
    if (index == vm->models_given) {
        return unknown_id(vm, FUNCTION);
    }
    const runevm_model_info *model = &vm->rune.models[index];
    uint8_t *inputs[RUNEVM_MAX_STAGE_TENSORS];
    uint8_t *outputs[RUNEVM_MAX_STAGE_TENSORS];
    if (!follow(vm, arguments[1], model->inputs, model->input_count, inputs)
        || !follow(vm, arguments[2], model->outputs, model->output_count, outputs)) {
        return out_of_bounds(vm, FUNCTION);
    }
    *result = 0;
    return run_model(vm, index, inputs, outputs);
}

runevm_error runevm_host_request_output(runevm *vm, const uint32_t *arguments, uint32_t *result)
{
    static const char FUNCTION[] = "request_output";
    if (vm->phase != RUNEVM_PHASE_MANIFEST) {
        return wrong_place(vm, FUNCTION);
    }
    uint32_t index = vm->outputs_given;
    const runevm_output *output = &vm->rune.outputs[index];
    if (index >= vm->rune.output_count || (uint32_t)output->kind != arguments[0] || output->id != vm->next_id) {
        return not_in_graph(vm, FUNCTION);
    }
    vm->outputs_given++;
    *result = vm->next_id++;
    return RUNEVM_OK;
}

runevm_error runevm_host_consume_output(runevm *vm, const uint32_t *arguments, uint32_t *result)
{
    static const char FUNCTION[] = "consume_output";
    if (vm->phase != RUNEVM_PHASE_CALL) {
        return wrong_place(vm, FUNCTION);
    }
    uint32_t index = 0;
    while (index < vm->outputs_given && vm->rune.outputs[index].id != arguments[0]) {
        index++;
    }
    if (index == vm->outputs_given) {
        return unknown_id(vm, FUNCTION);
    }
    const uint8_t *bytes = in_memory(vm, arguments[1], arguments[2]);
    if (bytes == NULL) {
        return out_of_bounds(vm, FUNCTION);
    }
    uint32_t since = runevm_begin_wait(vm);
    runevm_error error = runevm_output_consume(vm, index, bytes, arguments[2]);
    runevm_end_wait(vm, since);
    if (error != RUNEVM_OK) {
        runevm_set_place(vm, vm->rune.outputs[index].name);
    }
    *result = 0;
    return error;
}

runevm_error runevm_host_rune_resource_open(runevm *vm, const uint32_t *arguments, uint32_t *result)
{
    static const char FUNCTION[] = "rune_resource_open";
    const uint8_t *name = in_memory(vm, arguments[0], arguments[1]);
    if (name == NULL) {
        return out_of_bounds(vm, FUNCTION);
    }
    uint32_t resource = 0;
    while (resource < vm->rune.resource_count
           && !runevm_text_is(vm->rune.resources[resource].name, name, arguments[1])) {
        resource++;
    }
    if (resource == vm->rune.resource_count) {
        *result = NOT_FOUND;
        return RUNEVM_OK;
    }
    for (uint32_t i = 0; i < RUNEVM_MAX_OPEN_RESOURCES && vm->next_id <= ID_MAX; i++) {
        runevm_open_resource *slot = &vm->open_resources[i];
        if (slot->id == 0) {
            *slot = (runevm_open_resource){.id = vm->next_id, .offset = 0, .resource = (uint8_t)resource};
            *result = vm->next_id++;
            return RUNEVM_OK;
        }
    }
    return refuse(vm, FUNCTION, RUNEVM_ERR_HOST_CALL, "too many open resources");
}

static runevm_open_resource *find_open(runevm *vm, uint32_t id)
{
    for (uint32_t i = 0; id != 0 && i < RUNEVM_MAX_OPEN_RESOURCES; i++) {
        if (vm->open_resources[i].id == id) {
            return &vm->open_resources[i];
        }
    }
    return NULL;
}

runevm_error runevm_host_rune_resource_read(runevm *vm, const uint32_t *arguments, uint32_t *result)
{
    static const char FUNCTION[] = "rune_resource_read";
    runevm_open_resource *open = find_open(vm, arguments[0]);
    if (open == NULL) {
        return unknown_id(vm, FUNCTION);
    }
    uint8_t *buffer = in_memory(vm, arguments[1], arguments[2]);
    if (buffer == NULL) {
        return out_of_bounds(vm, FUNCTION);
    }
    const runevm_resource *resource = &vm->rune.resources[open->resource];
    uint32_t left = resource->size_bytes - open->offset;
    uint32_t count = arguments[2] < left ? arguments[2] : left;
    if (count > 0) {
        memcpy(buffer, resource->data + open->offset, count);
    }
    open->offset += count;
    *result = count;
    return RUNEVM_OK;
}

runevm_error runevm_host_rune_resource_close(runevm *vm, const uint32_t *arguments, uint32_t *result)
{
    runevm_open_resource *open = find_open(vm, arguments[0]);
    if (open == NULL) {
        return unknown_id(vm, "rune_resource_close");
    }
    open->id = 0;
    *result = 0;
    return RUNEVM_OK;
}

const runevm_import runevm_imports[] = {
    {"_debug", 2, true, runevm_host_debug},
    {"request_capability", 1, true, runevm_host_request_capability},
    {"request_capability_set_param", 6, true, runevm_host_request_capability_set_param},
    {"request_provider_response", 3, true, runevm_host_request_provider_response},
    {"rune_model_open", 2, true, runevm_host_rune_model_open},
    {"rune_model_infer", 3, true, runevm_host_rune_model_infer},
    {"request_output", 1, true, runevm_host_request_output},
    {"consume_output", 3, true, runevm_host_consume_output},
    {"rune_resource_open", 2, true, runevm_host_rune_resource_open},
    {"rune_resource_read", 3, true, runevm_host_rune_resource_read},
    {"rune_resource_close", 1, false, runevm_host_rune_resource_close},
};
const uint32_t runevm_import_count = (uint32_t)(sizeof runevm_imports / sizeof runevm_imports[0]);
