// Drives model_tflm on this computer: model_harness MODEL ARENA DECLARED IN OUT DATA...
// IN and OUT are element:bytes. Prints the error of open(), then for each DATA (hex) the error and the
// output of invoke() in hex.
#include <stdlib.h>

#include <cstdio>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include "model_tflm.h"
#include "quantize_tflm.h"
#include "tensorflow/lite/micro/kernels/micro_ops.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

static runevm_tensor tensor_of(const char *text) {
    runevm_tensor tensor = {};
    unsigned element = 0, bytes = 0;
    std::sscanf(text, "%u:%u", &element, &bytes);
    tensor.element = static_cast<runevm_element>(element);
    tensor.size_bytes = bytes;
    return tensor;
}

int main(int count, char **words) {
    const void *operators = runevm_tflm_operators();
    static tflite::MicroMutableOpResolver<1> one;
    if (getenv("ONLY_FULLY_CONNECTED") != nullptr) {
        one.AddBuiltin(tflite::BuiltinOperator_FULLY_CONNECTED, tflite::ops::micro::Register_FULLY_CONNECTED(), 0);
        operators = static_cast<const tflite::MicroOpResolver *>(&one);
    }

    std::FILE *file = std::fopen(words[1], "rb");
    std::vector<uint8_t> model(1 << 20);
    if (file == nullptr) return 2;
    model.resize(std::fread(model.data(), 1, model.size(), file));
    std::fclose(file);

    const uint32_t arena_bytes = static_cast<uint32_t>(atoi(words[2]));
    void *room = nullptr;
    if (posix_memalign(&room, 16, arena_bytes) != 0) return 2;
    uint8_t *arena = static_cast<uint8_t *>(room);
    static runevm_rune rune;
    static runevm_tflm engine;
    static runevm_tflm_slot slots[2];
    runevm_model_info info = {};
    info.data = model.data();
    info.size_bytes = static_cast<uint32_t>(model.size());
    info.arena_bytes = static_cast<uint32_t>(atoi(words[3]));
    info.input_count = info.output_count = 1;
    info.outputs[0] = 1;
    rune.tensors[0] = tensor_of(words[4]);
    rune.tensors[1] = tensor_of(words[5]);
    runevm_tflm_init(&engine, arena, arena_bytes, slots, 2, operators);

    const char *detail = "";
    const runevm_model_engine &tflm = runevm_model_engine_tflm;
    const auto open = [&](uint32_t index) {
        const runevm_error error = tflm.open(&engine, index, &rune, &info, &detail);
        std::printf("%d %s\n", error, detail);
    };
    open(0);
    for (int i = 6; i < count; i++) {
        std::vector<uint8_t> input(std::strlen(words[i]) / 2), output(rune.tensors[1].size_bytes);
        for (size_t k = 0; k < input.size(); k++) {
            input[k] = static_cast<uint8_t>(std::stoi(std::string(words[i] + 2 * k, 2), nullptr, 16));
        }
        const uint8_t *inputs[] = {input.data()};
        uint8_t *outputs[] = {output.data()};
        std::printf("%d ", tflm.invoke(&engine, 0, inputs, outputs, &detail));
        for (uint8_t byte : output) std::printf("%02x", byte);
        std::printf("\n");
    }
    tflm.close_all(&engine);
    open(0);
    open(1);
    free(room);
    return 0;
}
