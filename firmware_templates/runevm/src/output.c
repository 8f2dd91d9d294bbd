/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <string.h>

#include "json_writer.h"
#include "nan.h"
#include "run_context.h"

void runevm_output_begin(runevm *vm)
{
    vm->output_started = false;
    vm->output_index = 0;
    vm->output_tensors = 0;
    memset(vm->outputs_done, 0, sizeof vm->outputs_done);
}

static uint32_t little_endian(const uint8_t *at)
{
    return at[0] | ((uint32_t)at[1] << 8) | ((uint32_t)at[2] << 16) | ((uint32_t)at[3] << 24);
}

static uint32_t element_count(const runevm_tensor *tensor)
{
    uint32_t count = 1;
    for (uint32_t i = 0; i < tensor->rank; i++) {
        count *= tensor->dimensions[i]; /* does not overflow: the reader of the graph has looked */
    }
    return count;
}

/* How many bytes the elements of a utf8 tensor take; false if they do not fit into `length`. */
static bool measure_utf8(const runevm_tensor *tensor, const uint8_t *bytes, uint32_t length, uint32_t *taken)
{
    *taken = 0;
    for (uint32_t i = element_count(tensor); i > 0; i--) {
        if (length - *taken < 4) {
            return false;
        }
        uint32_t element = little_endian(bytes + *taken);
        *taken += 4;
        if (element > length - *taken) {
            return false;
        }
        *taken += element;
    }
    return true;
}

/* The dimensions, with `between` them. */
static void write_dimensions(runevm_writer *writer, const runevm_tensor *tensor, const char *between)
{
    for (uint32_t i = 0; i < tensor->rank; i++) {
        runevm_write_text(writer, i > 0 ? between : "");
        runevm_write_integer(writer, false, tensor->dimensions[i]);
    }
}

static void write_json(runevm_writer *writer, const runevm_tensor *tensor, const uint8_t *bytes)
{
    bool utf8 = tensor->element == RUNEVM_UTF8;
    runevm_write_text(writer, utf8 ? "{\"element_type\":\"" : "{\"element-type\":\"");
    runevm_write_text(writer, runevm_element_name(tensor->element));
    runevm_write_text(writer, "\",\"dimensions\":[");
    write_dimensions(writer, tensor, ",");
    runevm_write_text(writer, "],\"elements\":[");
    uint32_t count = element_count(tensor);
    for (uint32_t i = 0; writer->error == RUNEVM_OK && i < count; i++) {
        runevm_write_text(writer, i > 0 ? "," : "");
        if (utf8) {
            uint32_t length = little_endian(bytes);
            runevm_write_string(writer, bytes + 4, length);
            bytes += 4u + length;
        } else {
            runevm_write_element(writer, tensor->element, bytes);
            bytes += runevm_element_bytes(tensor->element);
        }
    }
    runevm_write_text(writer, "]}");
}

static uint32_t decimal_digits(uint32_t number)
{
    uint32_t count = 1;
    for (; number >= 10; number /= 10) {
        count++;
    }
    return count;
}

static void write_elements(runevm_writer *writer, runevm_element element, const uint8_t *bytes, uint32_t length)
{
    if (element != RUNEVM_F32 && element != RUNEVM_F64) {
        runevm_write_bytes(writer, bytes, length);
        return;
    }
    uint32_t size = runevm_element_bytes(element);
    for (uint32_t at = 0; writer->error == RUNEVM_OK && at < length; at += size) {
        runevm_write_bytes(writer, runevm_one_nan(element, bytes + at), size);
    }
}

/* u32 length, shape text such as `f32[1, 2, 3]`, the elements. */
static void write_binary(runevm_writer *writer, const runevm_tensor *tensor, const uint8_t *bytes, uint32_t length)
{
    const char *name = runevm_element_name(tensor->element);
    uint32_t shape = (uint32_t)strlen(name) + 2u;
    for (uint32_t i = 0; i < tensor->rank; i++) {
        shape += decimal_digits(tensor->dimensions[i]) + (i > 0 ? 2u : 0u);
    }
    /* At most 4 + 2 + 8 * 12 bytes: one byte of the length says it. */
    const uint8_t head[4] = {(uint8_t)shape, 0, 0, 0};
    runevm_write_bytes(writer, head, sizeof head);
    runevm_write_text(writer, name);
    runevm_write_text(writer, "[");
    write_dimensions(writer, tensor, ", ");
    runevm_write_text(writer, "]");
    write_elements(writer, tensor->element, bytes, length);
}

/* Is one number 0? Of both zeros of a float the sign does not count. */
static bool is_zero(runevm_element element, const uint8_t *bytes)
{
    uint32_t length = runevm_element_bytes(element);
    uint8_t bits = 0;
    for (uint32_t i = 0; i < length; i++) {
        bool sign = (element == RUNEVM_F32 || element == RUNEVM_F64) && i + 1 == length;
        bits = (uint8_t)(bits | (bytes[i] & (sign ? 0x7fu : 0xffu)));
    }
    return bits == 0;
}

static void write_pin(runevm_writer *writer, const runevm_output *output, bool level)
{
    runevm_write_text(writer, "{\"pin\":\"");
    runevm_write_bytes(writer, (const uint8_t *)output->pin.at, output->pin.length);
    runevm_write_text(writer, level ? "\",\"level\":1}" : "\",\"level\":0}");
}

runevm_error runevm_output_consume(runevm *vm, uint32_t index, const uint8_t *bytes, uint32_t length)
{
    const runevm_output *output = &vm->rune.outputs[index];
    bool first = vm->output_tensors == 0;
    if (vm->outputs_done[index] != 0 || (!first && vm->output_index != index)) {
        runevm_set_detail(vm, "an output's tensors come once and together");
        return RUNEVM_ERR_HOST_CALL;
    }
    const runevm_tensor *tensor = &vm->rune.tensors[output->inputs[vm->output_tensors]];
    uint32_t taken = tensor->size_bytes;
    bool fits = tensor->element == RUNEVM_UTF8 ? measure_utf8(tensor, bytes, length, &taken) : taken == length;
    if (!fits) {
        runevm_set_detail(vm, "the length is not the tensor's");
        return RUNEVM_ERR_HOST_CALL;
    }
    vm->output_index = (uint8_t)index;
    bool last = ++vm->output_tensors == output->input_count;
    if (last) {
        vm->output_tensors = 0;
        vm->outputs_done[index] = 1;
    }
    runevm_writer writer = {&vm->config.callbacks, RUNEVM_OK};
    if (output->kind == RUNEVM_TENSOR) {
        write_binary(&writer, tensor, bytes, taken);
        return writer.error;
    }
    if (first) {
        runevm_write_text(&writer, vm->output_started ? ",\"" : "{\"");
        runevm_write_integer(&writer, false, output->id);
        runevm_write_text(&writer, "\":");
        vm->output_started = true;
    }
    if (output->kind == RUNEVM_PIN) {
        bool level = is_zero(tensor->element, bytes) == output->active_low;
        write_pin(&writer, output, level);
        return writer.error == RUNEVM_OK ? vm->config.callbacks.drive(vm->config.callbacks.user, output, level)
                                         : writer.error;
    }
    runevm_write_text(&writer, first ? "[" : ",");
    write_json(&writer, tensor, bytes);
    runevm_write_text(&writer, last ? "]" : "");
    return writer.error;
}

runevm_error runevm_output_end(runevm *vm)
{
    for (uint32_t i = 0; i < vm->rune.output_count; i++) {
        if (vm->outputs_done[i] == 0) {
            runevm_set_place(vm, vm->rune.outputs[i].name);
            runevm_set_detail(vm, "the run ended before this output had its tensors");
            return RUNEVM_ERR_HOST_CALL;
        }
    }
    runevm_writer writer = {&vm->config.callbacks, RUNEVM_OK};
    runevm_write_text(&writer, vm->output_started ? "}\n" : "");
    return writer.error;
}
