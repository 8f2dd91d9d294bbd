// The models of the peer: TensorFlow Lite Micro and nothing around it.
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <new>

#include "model_tflm.h"
#include "peer.h"
#include "quantize_tflm.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace {

constexpr uint32_t kModels = 4;

class Silent : public tflite::ErrorReporter {
 public:
    int Report(const char *, va_list) override { return 0; }
};

alignas(Silent) uint8_t reporter_storage[sizeof(Silent)];
alignas(tflite::MicroInterpreter) uint8_t interpreters[kModels][sizeof(tflite::MicroInterpreter)];

tflite::MicroInterpreter *interpreter_of(uint32_t index) {
    return reinterpret_cast<tflite::MicroInterpreter *>(interpreters[index]);
}

}  // namespace

// Set by QUANTIZE, where a model has it: then its answers are those of the rune for every float.
void (*runevm_tflm_clamp_inputs)(tflite::MicroInterpreter *interpreter);

extern "C" {

int peer_model_open(uint32_t index, const uint8_t *data, uint8_t *arena, uint32_t arena_bytes) {
    static const void *operators = runevm_tflm_operators();
    static tflite::ErrorReporter *reporter = new (reporter_storage) Silent;
    if (index >= kModels) return 0;
    auto *interpreter = new (interpreters[index]) tflite::MicroInterpreter(
        tflite::GetModel(data), *static_cast<const tflite::MicroOpResolver *>(operators), arena, arena_bytes, reporter);
    return interpreter->AllocateTensors() == kTfLiteOk;
}

int peer_model_infer(uint32_t index, const void *const *inputs, void *const *outputs) {
    tflite::MicroInterpreter *interpreter = interpreter_of(index);
    for (size_t i = 0, count = interpreter->inputs_size(); i < count; i++) {
        TfLiteTensor *tensor = interpreter->input(i);
        std::memcpy(tensor->data.raw, inputs[i], tensor->bytes);
    }
    if (runevm_tflm_clamp_inputs != nullptr) runevm_tflm_clamp_inputs(interpreter);
    if (interpreter->Invoke() != kTfLiteOk) return 0;
    for (size_t i = 0, count = interpreter->outputs_size(); i < count; i++) {
        const TfLiteTensor *tensor = interpreter->output(i);
        std::memcpy(outputs[i], tensor->data.raw, tensor->bytes);
    }
    return 1;
}

void DebugLog(const char *) {}
void __cxa_pure_virtual(void) { abort(); }

}  // extern "C"

void operator delete(void *) noexcept {}
void operator delete(void *, std::size_t) noexcept {}
