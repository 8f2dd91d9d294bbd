// SPDX-License-Identifier: Apache-2.0
// runevm_model.h over TensorFlow Lite Micro.
#include "model_tflm.h"

#include <csetjmp>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <new>

#include "quantize_tflm.h"
#include "runevm_jump.h"
#include "tensorflow/lite/micro/memory_helpers.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_op_resolver.h"
#include "tensorflow/lite/micro/simple_memory_allocator.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace
{

constexpr uint32_t kArenaAlignment = 16;
constexpr uint32_t kSchemaVersion = 3;
// The graph states arenas for 32-bit processors. Where pointers are larger, so are the library's records in the arena: at
// most as many times.
constexpr uint32_t kPointerScale = sizeof(void *) / 4;

bool starts_with(const char *text, const char *start)
{
    return std::strncmp(text, start, std::strlen(start)) == 0;
}

// Keeps the first message since forget(): its format is a text in flash, which is all that a static
// `detail` can be; the numbers in it are dropped.
//
// The library says so when its arena is used up, and then goes on with the null pointer: parameters
// of operators are constructed there, kernels write their state there. So that no place needs a check
// of its own, a report of that ends what prepare() began.
class FirstMessage : public tflite::ErrorReporter
{
  public:
    int Report(const char *format, va_list) override
    {
        if (message_ == nullptr) message_ = format;
        if (when_full != nullptr && starts_with(format, "Failed to allocate memory.")) std::longjmp(*when_full, 1);
        return 0;
    }
    void forget()
    {
        message_ = nullptr;
    }
    const char *message(const char *otherwise) const
    {
        return message_ != nullptr ? message_ : otherwise;
    }
    bool says(const char *start) const
    {
        return message_ != nullptr && starts_with(message_, start);
    }

    std::jmp_buf *when_full = nullptr;

  private:
    const char *message_ = nullptr;
};

alignas(FirstMessage) uint8_t reporter_storage[sizeof(FirstMessage)];
FirstMessage *reporter;

tflite::MicroInterpreter *interpreter_of(runevm_tflm *engine, uint32_t index)
{
    return reinterpret_cast<tflite::MicroInterpreter *>(engine->slots[index].words);
}

bool element_of(TfLiteType type, runevm_element *element)
{
    switch (type) {
    case kTfLiteFloat32: *element = RUNEVM_F32; return true;
    case kTfLiteInt8: *element = RUNEVM_I8; return true;
    case kTfLiteUInt8: *element = RUNEVM_U8; return true;
    case kTfLiteBool: *element = RUNEVM_U8; return true;
    case kTfLiteInt16: *element = RUNEVM_I16; return true;
    case kTfLiteInt32: *element = RUNEVM_I32; return true;
    case kTfLiteInt64: *element = RUNEVM_I64; return true;
    default: return false;
    }
}

bool tensor_fits(const TfLiteTensor *tensor, const runevm_tensor *declared)
{
    runevm_element element;
    return tensor != nullptr && tensor->data.raw != nullptr && element_of(tensor->type, &element)
           && element == declared->element && tensor->bytes == declared->size_bytes;
}

runevm_error check_tensors(tflite::MicroInterpreter *interpreter, const runevm_rune *rune,
                           const runevm_model_info *info, const char **detail)
{
    if (interpreter->inputs_size() != info->input_count || interpreter->outputs_size() != info->output_count) {
        *detail = "other number of inputs or outputs than the graph says";
        return RUNEVM_ERR_MODEL;
    }
    for (uint32_t i = 0; i < info->input_count; i++) {
        if (!tensor_fits(interpreter->input(i), &rune->tensors[info->inputs[i]])) {
            *detail = "an input is not the tensor that the graph says";
            return RUNEVM_ERR_MODEL;
        }
    }
    for (uint32_t i = 0; i < info->output_count; i++) {
        if (!tensor_fits(interpreter->output(i), &rune->tensors[info->outputs[i]])) {
            *detail = "an output is not the tensor that the graph says";
            return RUNEVM_ERR_MODEL;
        }
    }
    return RUNEVM_OK;
}

// Missing operator of the last check_model(). Static, as every `detail`.
char lacking[128];

void add_text(const char *text)
{
    const size_t used = std::strlen(lacking);
    const size_t room = sizeof lacking - 1 - used;
    const size_t size = std::strlen(text) < room ? std::strlen(text) : room;
    std::memcpy(lacking + used, text, size);
    lacking[used + size] = '\0';
}

const char *name_lacking(const tflite::OperatorCode *code)
{
    const bool is_custom = code->builtin_code() == tflite::BuiltinOperator_CUSTOM;
    const char *name = tflite::EnumNameBuiltinOperator(code->builtin_code());
    if (is_custom && code->custom_code() != nullptr) name = code->custom_code()->c_str();
    lacking[0] = '\0';
    add_text("the firmware lacks the operator ");
    // The library knows the names of 2020; the number of a newer operator does not fit its byte.
    add_text(name[0] != '\0' ? name : "that the model uses: it is newer than the library");
    return lacking;
}

const TfLiteRegistration *find_operator(const tflite::MicroOpResolver *operators, const tflite::OperatorCode *code)
{
    if (code->builtin_code() != tflite::BuiltinOperator_CUSTOM) {
        return operators->FindOp(code->builtin_code(), code->version());
    }
    return code->custom_code() == nullptr ? nullptr : operators->FindOp(code->custom_code()->c_str(), code->version());
}

// The table of operator codes may hold codes that no operator uses: only those of operators count.
runevm_error check_model(const tflite::Model *model, const tflite::MicroOpResolver *operators, const char **detail)
{
    const auto *codes = model->operator_codes();
    if (model->version() != kSchemaVersion || model->subgraphs() == nullptr || codes == nullptr
        || model->buffers() == nullptr) {
        *detail = "not a TensorFlow Lite model of schema 3";
        return RUNEVM_ERR_MODEL;
    }
    for (const auto *graph : *model->subgraphs()) {
        if (graph->operators() == nullptr) continue;
        for (const auto *use : *graph->operators()) {
            if (use->opcode_index() >= codes->size()) {
                *detail = "an operator of the model has no code";
                return RUNEVM_ERR_MODEL;
            }
            const auto *code = codes->Get(use->opcode_index());
            if (find_operator(operators, code) == nullptr) {
                *detail = name_lacking(code);
                return RUNEVM_ERR_OPERATOR;
            }
        }
    }
    return RUNEVM_OK;
}

// The library's allocator lies in the arena itself and is put there without a check.
constexpr uint32_t kLeastArena = sizeof(tflite::SimpleMemoryAllocator) + kArenaAlignment;

// --- tensors that nothing reads --------------------------------------------------------------------
//
// The planner of 2020 takes such a tensor for an error: an input that no operator reads, one output of
// several that the model leaves unused, one that nothing touches at all. It plans only what has no place
// yet, so each of them is given one before: the end of the arena, which they share.

using Indices = flatbuffers::Vector<int32_t>;

bool holds(const Indices *indices, int32_t wanted)
{
    if (indices == nullptr) return false;
    for (const int32_t index : *indices) {
        if (index == wanted) return true;
    }
    return false;
}

bool is_read(const tflite::SubGraph *graph, int32_t index)
{
    if (holds(graph->outputs(), index)) return true;
    for (const auto *use : *graph->operators()) {
        if (holds(use->inputs(), index)) return true;
    }
    return false;
}

bool is_constant(const tflite::Model *model, const tflite::Tensor *tensor)
{
    const auto *data = model->buffers()->Get(tensor->buffer())->data();
    return data != nullptr && data->size() != 0;
}

bool is_unread(const tflite::Model *model, const tflite::SubGraph *graph, int32_t index)
{
    const tflite::Tensor *tensor = graph->tensors()->Get(static_cast<uint32_t>(index));
    return !tensor->is_variable() && !is_constant(model, tensor) && !is_read(graph, index);
}

// The bytes of the largest, rounded up to the arena's alignment.
uint32_t unread_bytes(const tflite::Model *model)
{
    const tflite::SubGraph *graph = model->subgraphs()->Get(0);
    size_t most = 0;
    for (uint32_t i = 0; i < graph->tensors()->size(); i++) {
        size_t bytes = 0, type_bytes = 0;
        if (!is_unread(model, graph, static_cast<int32_t>(i))) continue;
        // Of a type that the library does not know it says so itself, to the same reporter.
        if (tflite::BytesRequiredForTensor(*graph->tensors()->Get(i), &bytes, &type_bytes, reporter) != kTfLiteOk)
            continue;
        if (bytes > most) most = bytes;
    }
    return static_cast<uint32_t>((most + kArenaAlignment - 1) & ~static_cast<size_t>(kArenaAlignment - 1));
}

void place_unread(tflite::MicroInterpreter *interpreter, const tflite::Model *model, uint8_t *place)
{
    const tflite::SubGraph *graph = model->subgraphs()->Get(0);
    for (uint32_t i = 0; i < graph->tensors()->size(); i++) {
        if (is_unread(model, graph, static_cast<int32_t>(i)))
            interpreter->tensor(i)->data.raw = reinterpret_cast<char *>(place);
    }
}

// Makes the interpreter and lets it take its arena. Nothing that longjmp() leaves behind has a
// destructor that does anything.
runevm_error prepare(runevm_tflm_slot *slot, const tflite::Model *model, const tflite::MicroOpResolver *operators,
                     uint8_t *arena, uint32_t room)
{
    const uint32_t shared_bytes = unread_bytes(model);
    if (room < kLeastArena || room - kLeastArena < shared_bytes) return RUNEVM_ERR_ARENA;
    const uint32_t arena_bytes = room - shared_bytes;
    std::jmp_buf full;
    RUNEVM_KEEP_FPU_REGISTERS();
    if (setjmp(full) != 0) {
        reporter->when_full = nullptr;
        return RUNEVM_ERR_ARENA;
    }
    reporter->when_full = &full;
    auto *interpreter = ::new (slot->words) tflite::MicroInterpreter(model, *operators, arena, arena_bytes, reporter);
    bool is_ready = interpreter->initialization_status() == kTfLiteOk;
    if (is_ready) {
        place_unread(interpreter, model, arena + arena_bytes);
        is_ready = interpreter->AllocateTensors() == kTfLiteOk;
    }
    reporter->when_full = nullptr;
    if (is_ready) return RUNEVM_OK;
    // The planner's complaints: of its result, and of the room for its tables.
    const bool is_full = reporter->says("Arena size is too small") || reporter->says("Too many buffers");
    return is_full ? RUNEVM_ERR_ARENA : RUNEVM_ERR_MODEL;
}

runevm_error open_model(void *context, uint32_t index, const runevm_rune *rune, const runevm_model_info *info,
                        const char **detail)
{
    runevm_tflm *engine = static_cast<runevm_tflm *>(context);
    const uint32_t room = engine->arena_bytes - engine->taken_bytes;
    *detail = "";
    if (index != engine->open_count || index >= engine->slot_count || index >= RUNEVM_MAX_MODELS) {
        *detail = "more models than the firmware has room for";
        return RUNEVM_ERR_MODEL;
    }
    const bool is_too_large = info->arena_bytes > room / kPointerScale;
    const uint32_t wanted = (info->arena_bytes * kPointerScale + kArenaAlignment - 1) & ~(kArenaAlignment - 1);
    if (is_too_large || wanted > room) {
        *detail = "the arena is smaller than the models declare";
        return RUNEVM_ERR_ARENA;
    }
    const tflite::Model *model = tflite::GetModel(info->data);
    const auto *operators = static_cast<const tflite::MicroOpResolver *>(engine->operators);
    runevm_error error = check_model(model, operators, detail);
    if (error != RUNEVM_OK) return error;

    reporter->forget();
    error = prepare(&engine->slots[index], model, operators, engine->arena + engine->taken_bytes, wanted);
    if (error != RUNEVM_OK) {
        *detail =
            reporter->message(error == RUNEVM_ERR_ARENA ? "the arena is too small" : "the model cannot be prepared");
        return error;
    }
    tflite::MicroInterpreter *interpreter = interpreter_of(engine, index);
    error = check_tensors(interpreter, rune, info, detail);
    if (error != RUNEVM_OK) return error;
    engine->rune = rune;
    engine->models[index] = info;
    engine->taken_bytes += wanted;
    engine->used_bytes += static_cast<uint32_t>(interpreter->arena_used_bytes());
    engine->open_count = index + 1;
    return RUNEVM_OK;
}

runevm_error invoke_model(void *context, uint32_t index, const uint8_t *const *inputs, uint8_t *const *outputs,
                          const char **detail)
{
    runevm_tflm *engine = static_cast<runevm_tflm *>(context);
    *detail = "";
    if (index >= engine->open_count) {
        *detail = "the model is not open";
        return RUNEVM_ERR_INVOKE;
    }
    tflite::MicroInterpreter *interpreter = interpreter_of(engine, index);
    const runevm_model_info *info = engine->models[index];
    reporter->forget();
    for (uint32_t i = 0; i < info->input_count; i++) {
        TfLiteTensor *tensor = interpreter->input(i);
        std::memcpy(tensor->data.raw, inputs[i], tensor->bytes);
    }
    if (runevm_tflm_clamp_inputs != nullptr) runevm_tflm_clamp_inputs(interpreter);
    if (interpreter->Invoke() != kTfLiteOk) {
        *detail = reporter->message("an operator failed");
        return RUNEVM_ERR_INVOKE;
    }
    // Before anything is written: a kernel may have changed the shape of its result.
    const char *changed = "";
    if (check_tensors(interpreter, engine->rune, info, &changed) != RUNEVM_OK) {
        *detail = changed;
        return RUNEVM_ERR_INVOKE;
    }
    for (uint32_t i = 0; i < info->output_count; i++) {
        const TfLiteTensor *tensor = interpreter->output(i);
        std::memcpy(outputs[i], tensor->data.raw, tensor->bytes);
    }
    return RUNEVM_OK;
}

void close_all(void *context)
{
    runevm_tflm *engine = static_cast<runevm_tflm *>(context);
    // No destructors: an interpreter owns nothing outside its arena.
    engine->open_count = 0;
    engine->taken_bytes = 0;
    engine->used_bytes = 0;
}

uint32_t arena_used_bytes(void *context)
{
    return static_cast<runevm_tflm *>(context)->used_bytes;
}

static_assert(sizeof(tflite::MicroInterpreter) <= sizeof(runevm_tflm_slot), "runevm_tflm_slot is too small");
static_assert(alignof(tflite::MicroInterpreter) <= alignof(runevm_tflm_slot), "slots are aligned to 8");

} // namespace

void (*runevm_tflm_clamp_inputs)(tflite::MicroInterpreter *interpreter);

extern "C" {

const runevm_model_engine runevm_model_engine_tflm = {"tflm", open_model, invoke_model, close_all, arena_used_bytes};

void runevm_tflm_init(runevm_tflm *engine, uint8_t *arena, uint32_t arena_bytes, runevm_tflm_slot *slots,
                      uint32_t slot_count, const void *operators)
{
    std::memset(engine, 0, sizeof *engine);
    engine->arena = arena;
    engine->arena_bytes = arena_bytes;
    engine->slots = slots;
    engine->slot_count = slot_count;
    engine->operators = operators;
    reporter = ::new (reporter_storage) FirstMessage;
}

// What TensorFlow Lite Micro calls when a check fails for good: the message has nowhere to go, and
// abort() follows.
void DebugLog(const char *)
{
}

} // extern "C"

// The three below are weak: Arduino cores bring their own, some of them in plain objects. Linux has a whole C++ library.
#ifndef __linux__
// A pure virtual function cannot be called here; the compiler names it in every abstract class.
extern "C" __attribute__((weak)) void __cxa_pure_virtual(void)
{
    abort();
}

// Virtual destructors name it; nothing is ever deleted.
__attribute__((weak)) void operator delete(void *) noexcept
{
}
__attribute__((weak)) void operator delete(void *, std::size_t) noexcept
{
}
#endif
