#include "original.h"

#if RUNEVM_ORIGINALS

#include <string.h>

#include "host.h"
#include "json_reader.h"
#include "json_writer.h"

enum { HEAD_BYTES = 8 };

bool runevm_original_message(const char *json, uint32_t length, char room[RUNEVM_ORIGINAL_TEXT_BYTES])
{
    static const char KEY[] = "message";
    runevm_json reader = {json, json + length, RUNEVM_OK};
    runevm_json_expect(&reader, "{");
    for (uint32_t count = 0; runevm_json_more(&reader, '}', &count);) {
        runevm_text key = runevm_json_string(&reader);
        runevm_json_expect(&reader, ":");
        if (reader.error == RUNEVM_OK && runevm_text_is(key, (const uint8_t *)KEY, sizeof KEY - 1)) {
            runevm_text message = runevm_json_string(&reader);
            if (reader.error == RUNEVM_OK) {
                runevm_text_copy(message, room, RUNEVM_ORIGINAL_TEXT_BYTES);
                return true;
            }
        }
        runevm_json_skip_value(&reader);
    }
    return false;
}

bool runevm_is_originals_model(const runevm_rune *rune, uint32_t resource)
{
    bool found = false;
    for (uint32_t i = 0; rune->is_original && i < rune->model_count; i++) {
        found = found || rune->models[i].data == rune->resources[resource].data;
    }
    return found;
}

static uint8_t *put_u32(uint8_t *at, uint32_t value)
{
    for (uint32_t shift = 0; shift < 32; shift += 8) {
        *at++ = (uint8_t)(value >> shift);
    }
    return at;
}

/* The first byte of what a run writes: does TENSOR follow, or JSON? */
static void write_form(runevm *vm, runevm_writer *writer)
{
    if (!vm->output_started) {
        bool binary = vm->rune.output_count > 0 && vm->rune.outputs[0].kind == RUNEVM_TENSOR;
        const uint8_t form = binary ? RUNEVM_TENSOR : RUNEVM_SERIAL;
        vm->output_started = true;
        runevm_write_bytes(writer, &form, 1);
    }
}

runevm_error runevm_original_consume(runevm *vm, uint32_t index, const uint8_t *bytes, uint32_t length)
{
    if (length > RUNEVM_DOCUMENT_BYTES_MAX - vm->document_bytes) {
        runevm_set_detail(vm, "a run writes more than a device hands on");
        return RUNEVM_ERR_HOST_CALL;
    }
    vm->document_bytes += length;
    uint8_t head[HEAD_BYTES];
    (void)put_u32(put_u32(head, vm->rune.outputs[index].id), length);
    runevm_writer writer = {&vm->config.callbacks, RUNEVM_OK};
    write_form(vm, &writer);
    runevm_write_bytes(&writer, head, sizeof head);
    runevm_write_bytes(&writer, bytes, length);
    return writer.error;
}

runevm_error runevm_original_end(runevm *vm)
{
    runevm_writer writer = {&vm->config.callbacks, RUNEVM_OK};
    write_form(vm, &writer);
    return writer.error;
}

/* The model that lies in linear memory must be the one that the graph lists next. What is opened is the copy in the file: it
 * is aligned, and the rune cannot change it afterwards. */
static runevm_error open_next(runevm *vm, const char *function, uint32_t pointer, uint32_t length,
                              uint32_t inputs, uint32_t outputs, uint32_t *result)
{
    const uint8_t *bytes = runevm_in_memory(vm, pointer, length);
    if (bytes == NULL) {
        return runevm_out_of_bounds(vm, function);
    }
    uint32_t index = vm->models_given;
    const runevm_model_info *model = &vm->rune.models[index];
    if (index >= vm->rune.model_count || model->id != vm->next_id || model->size_bytes != length
        || memcmp(model->data, bytes, length) != 0) {
        return runevm_not_in_graph(vm, function);
    }
    if (model->input_count != inputs || model->output_count != outputs) {
        return runevm_refuse(vm, function, RUNEVM_ERR_HOST_CALL, "another number of tensors than the model has");
    }
    return runevm_open_model(vm, model, index, result);
}

runevm_error runevm_tfm_preload_model(runevm *vm, const uint32_t *arguments, uint32_t *result)
{
    static const char FUNCTION[] = "tfm_preload_model";
    if (vm->phase != RUNEVM_PHASE_MANIFEST || !vm->rune.is_original) {
        return runevm_wrong_place(vm, FUNCTION);
    }
    /* The last two arguments are numbers of elements or of tensors, by the version. The model's file decides. */
    return open_next(vm, FUNCTION, arguments[0], arguments[1], 1, 1, result);
}

runevm_error runevm_tfm_model_invoke(runevm *vm, const uint32_t *arguments, uint32_t *result)
{
    static const char FUNCTION[] = "tfm_model_invoke";
    if (vm->phase != RUNEVM_PHASE_CALL || !vm->rune.is_original) {
        return runevm_wrong_place(vm, FUNCTION);
    }
    uint32_t index = runevm_find_model(vm, arguments[0]);
    if (index == vm->models_given) {
        return runevm_unknown_id(vm, FUNCTION);
    }
    const runevm_model_info *model = &vm->rune.models[index];
    if (model->input_count != 1 || model->output_count != 1
        || arguments[2] != vm->rune.tensors[model->inputs[0]].size_bytes
        || arguments[4] != vm->rune.tensors[model->outputs[0]].size_bytes) {
        return runevm_refuse(vm, FUNCTION, RUNEVM_ERR_HOST_CALL, "the lengths are not those of the model's tensors");
    }
    uint8_t *input = runevm_in_memory(vm, arguments[1], arguments[2]);
    uint8_t *output = runevm_in_memory(vm, arguments[3], arguments[4]);
    if (input == NULL || output == NULL) {
        return runevm_out_of_bounds(vm, FUNCTION);
    }
    *result = 0;
    return runevm_run_model(vm, index, &input, &output);
}

/* Types were compared when the rune was described, with the model that it must bring again here. */
runevm_error runevm_rune_model_load(runevm *vm, const uint32_t *arguments, uint32_t *result)
{
    static const char FUNCTION[] = "rune_model_load";
    if (vm->phase != RUNEVM_PHASE_MANIFEST || !vm->rune.is_original) {
        return runevm_wrong_place(vm, FUNCTION);
    }
    bool few = arguments[5] <= RUNEVM_MAX_STAGE_TENSORS && arguments[7] <= RUNEVM_MAX_STAGE_TENSORS;
    if (!few || runevm_in_memory(vm, arguments[0], arguments[1]) == NULL
        || runevm_in_memory(vm, arguments[4], 8u * arguments[5]) == NULL
        || runevm_in_memory(vm, arguments[6], 8u * arguments[7]) == NULL) {
        return few ? runevm_out_of_bounds(vm, FUNCTION)
                   : runevm_refuse(vm, FUNCTION, RUNEVM_ERR_HOST_CALL, "more tensors than a model can have");
    }
    return open_next(vm, FUNCTION, arguments[2], arguments[3], arguments[5], arguments[7], result);
}

runevm_error runevm_log_backtrace(runevm *vm, const uint32_t *arguments, uint32_t *result)
{
    (void)vm;
    (void)arguments;
    *result = 0;
    return RUNEVM_OK; /* there is none to show */
}

#endif
