// runevm_model.h over TensorFlow Lite Micro.
#include "model_tflm.h"

#include <csetjmp>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <new>

#include "quantize_tflm.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_op_resolver.h"
#include "tensorflow/lite/micro/simple_memory_allocator.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace {

constexpr uint32_t kArenaAlignment = 16;
constexpr uint32_t kSchemaVersion = 3;

bool starts_with(const char *text, const char *start) { return std::strncmp(text, start, std::strlen(start)) == 0; }

// Keeps the first message since forget(): its format is a text in flash, which is all that a static
// `detail` can be; the numbers in it are dropped.
//
// The library says so when its arena is used up, and then goes on with the null pointer: parameters
// of operators are constructed there, kernels write their state there. So that no place needs a check
// of its own, a report of that ends what prepare() began.
class FirstMessage : public tflite::ErrorReporter {
 public:
    int Report(const char *format, va_list) override {
        if (message_ == nullptr) message_ = format;
        if (when_full != nullptr && starts_with(format, "Failed to allocate memory.")) std::longjmp(*when_full, 1);
        return 0;
    }
    void forget() { message_ = nullptr; }
    const char *message(const char *otherwise) const { return message_ != nullptr ? message_ : otherwise; }
    bool says(const char *start) const { return message_ != nullptr && starts_with(message_, start); }

    std::jmp_buf *when_full = nullptr;

 private:
    const char *message_ = nullptr;
};

alignas(FirstMessage) uint8_t reporter_storage[sizeof(FirstMessage)];
FirstMessage *reporter;

tflite::MicroInterpreter *interpreter_of(runevm_tflm *engine, uint32_t index) {
    return reinterpret_cast<tflite::MicroInterpreter *>(engine->slots[index].bytes);
}

bool element_of(TfLiteType type, runevm_element *element) {
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

bool tensor_fits(const TfLiteTensor *tensor, const runevm_tensor *declared) {
    runevm_element element;
    return tensor != nullptr && tensor->data.raw != nullptr && element_of(tensor->type, &element) &&
           element == declared->element && tensor->bytes == declared->size_bytes;
}

runevm_error check_tensors(tflite::MicroInterpreter *interpreter, const runevm_rune *rune,
                           const runevm_model_info *info, const char **detail) {
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

runevm_error check_model(const tflite::Model *model, const tflite::MicroOpResolver *operators, const char **detail) {
    const auto *codes = model->operator_codes();
    if (model->version() != kSchemaVersion || model->subgraphs() == nullptr || codes == nullptr ||
        model->buffers() == nullptr) {
        *detail = "not a TensorFlow Lite model of schema 3";
        return RUNEVM_ERR_MODEL;
    }
    for (uint32_t i = 0; i < codes->size(); i++) {
        const auto *code = codes->Get(i);
        const TfLiteRegistration *found = nullptr;
        if (code->builtin_code() != tflite::BuiltinOperator_CUSTOM) {
            found = operators->FindOp(code->builtin_code(), code->version());
        } else if (code->custom_code() != nullptr) {
            found = operators->FindOp(code->custom_code()->c_str(), code->version());
        }
        if (found == nullptr) {
            *detail = "the firmware lacks an operator of the model";
            return RUNEVM_ERR_OPERATOR;
        }
    }
    return RUNEVM_OK;
}

// The library's allocator lies in the arena itself and is put there without a check.
constexpr uint32_t kLeastArena = sizeof(tflite::SimpleMemoryAllocator) + kArenaAlignment;

// Makes the interpreter and lets it take its arena. Nothing that longjmp() leaves behind has a
// destructor that does anything.
runevm_error prepare(runevm_tflm_slot *slot, const tflite::Model *model, const tflite::MicroOpResolver *operators,
                     uint8_t *arena, uint32_t arena_bytes) {
    if (arena_bytes < kLeastArena) return RUNEVM_ERR_ARENA;
    std::jmp_buf full;
    if (setjmp(full) != 0) {
        reporter->when_full = nullptr;
        return RUNEVM_ERR_ARENA;
    }
    reporter->when_full = &full;
    auto *interpreter = ::new (slot->bytes) tflite::MicroInterpreter(model, *operators, arena, arena_bytes, reporter);
    const bool is_ready =
        interpreter->initialization_status() == kTfLiteOk && interpreter->AllocateTensors() == kTfLiteOk;
    reporter->when_full = nullptr;
    if (is_ready) return RUNEVM_OK;
    // The planner's complaints: of its result, and of the room for its tables.
    const bool is_full = reporter->says("Arena size is too small") || reporter->says("Too many buffers");
    return is_full ? RUNEVM_ERR_ARENA : RUNEVM_ERR_MODEL;
}

runevm_error open_model(void *context, uint32_t index, const runevm_rune *rune, const runevm_model_info *info,
                        const char **detail) {
    runevm_tflm *engine = static_cast<runevm_tflm *>(context);
    const uint32_t room = engine->arena_bytes - engine->taken_bytes;
    *detail = "";
    if (index != engine->open_count || index >= engine->slot_count || index >= RUNEVM_MAX_MODELS) {
        *detail = "more models than the firmware has room for";
        return RUNEVM_ERR_MODEL;
    }
    const uint32_t wanted = (info->arena_bytes + kArenaAlignment - 1) & ~(kArenaAlignment - 1);
    if (wanted > room) {
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
        *detail = reporter->message(error == RUNEVM_ERR_ARENA ? "the arena is too small" : "the model cannot be prepared");
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
                          const char **detail) {
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
    for (uint32_t i = 0; i < info->output_count; i++) {
        const TfLiteTensor *tensor = interpreter->output(i);
        std::memcpy(outputs[i], tensor->data.raw, tensor->bytes);
    }
    return RUNEVM_OK;
}

void close_all(void *context) {
    runevm_tflm *engine = static_cast<runevm_tflm *>(context);
    // No destructors: an interpreter owns nothing outside its arena.
    engine->open_count = 0;
    engine->taken_bytes = 0;
    engine->used_bytes = 0;
}

uint32_t arena_used_bytes(void *context) { return static_cast<runevm_tflm *>(context)->used_bytes; }

static_assert(sizeof(tflite::MicroInterpreter) <= sizeof(runevm_tflm_slot), "RUNEVM_TFLM_SLOT_BYTES is too small");
static_assert(alignof(tflite::MicroInterpreter) <= alignof(runevm_tflm_slot), "slots are aligned to 8");

}  // namespace

void (*runevm_tflm_clamp_inputs)(tflite::MicroInterpreter *interpreter);

extern "C" {

const runevm_model_engine runevm_model_engine_tflm = {"tflm", open_model, invoke_model, close_all, arena_used_bytes};

void runevm_tflm_init(runevm_tflm *engine, uint8_t *arena, uint32_t arena_bytes, runevm_tflm_slot *slots,
                      uint32_t slot_count, const void *operators) {
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
void DebugLog(const char *) {}

// The three below are weak: Arduino cores bring their own, some of them in plain objects.
// A pure virtual function cannot be called here; the compiler names it in every abstract class.
__attribute__((weak)) void __cxa_pure_virtual(void) { abort(); }

}  // extern "C"

// Virtual destructors name it; nothing is ever deleted.
__attribute__((weak)) void operator delete(void *) noexcept {}
__attribute__((weak)) void operator delete(void *, std::size_t) noexcept {}
