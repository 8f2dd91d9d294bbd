// Drives model_tflm on this computer: model_harness MODEL ARENA DECLARED INS OUTS DATA...
// INS and OUTS are lists of element:bytes, separated by commas, and so is DATA of hex. Prints the error of
// open(), then for each DATA the error and the outputs of invoke() in hex.
// model_harness - does that for each line of stdin, in a process of its own with 1 s of CPU time, and prints "exit N" after it.
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <iostream>
#include <new>
#include <sstream>
#include <string>
#include <vector>

#include "model_tflm.h"
#include "quantize_tflm.h"
#include "tensorflow/lite/micro/kernels/micro_ops.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

typedef std::vector<std::string> Words;

static Words split(const std::string &text, char at) {
    Words parts;
    std::istringstream stream(text);
    for (std::string part; std::getline(stream, part, at);) parts.push_back(part);
    return parts;
}

static uint32_t add_tensors(runevm_rune *rune, uint8_t *indices, uint32_t first, const std::string &text) {
    uint32_t count = 0;
    for (const std::string &part : split(text, ',')) {
        unsigned element = 0, bytes = 0;
        std::sscanf(part.c_str(), "%u:%u", &element, &bytes);
        runevm_tensor &tensor = rune->tensors[first + count];
        tensor.element = static_cast<runevm_element>(element);
        tensor.size_bytes = bytes;
        indices[count] = static_cast<uint8_t>(first + count);
        count++;
    }
    return count;
}

static std::vector<uint8_t> bytes_of(const std::string &hex) {
    std::vector<uint8_t> bytes(hex.size() / 2);
    for (size_t i = 0; i < bytes.size(); i++) {
        bytes[i] = static_cast<uint8_t>(std::stoi(hex.substr(2 * i, 2), nullptr, 16));
    }
    return bytes;
}

static int run(const Words &words) {
    const void *operators = runevm_tflm_operators();
    static tflite::MicroMutableOpResolver<1> one;
    if (getenv("ONLY_FULLY_CONNECTED") != nullptr) {
        one.AddBuiltin(tflite::BuiltinOperator_FULLY_CONNECTED, tflite::ops::micro::Register_FULLY_CONNECTED(), 0);
        operators = static_cast<const tflite::MicroOpResolver *>(&one);
    }

    std::FILE *file = std::fopen(words[0].c_str(), "rb");
    if (file == nullptr) return 2;
    std::vector<uint8_t> buffer(1 << 20);
    const size_t model_bytes = std::fread(buffer.data(), 1, buffer.size(), file);
    std::fclose(file);
    // Of just its size, so that a sanitizer sees what reads beyond it.
    void *model = nullptr;
    if (posix_memalign(&model, 16, model_bytes) != 0) return 2;
    std::memcpy(model, buffer.data(), model_bytes);

    const uint32_t arena_bytes = static_cast<uint32_t>(atoi(words[1].c_str()));
    void *room = nullptr;
    if (posix_memalign(&room, 16, arena_bytes) != 0) return 2;
    // A device's arena holds what was there before.
    std::memset(room, 0xa5, arena_bytes);
    uint8_t *arena = static_cast<uint8_t *>(room);
    static runevm_rune rune;
    static runevm_tflm engine;
    static runevm_tflm_slot slots[2];
    runevm_model_info info = {};
    info.data = static_cast<const uint8_t *>(model);
    info.size_bytes = static_cast<uint32_t>(model_bytes);
    // Sizes are those of this computer; a graph's are those of 32-bit processors.
    info.arena_bytes = static_cast<uint32_t>(atoi(words[2].c_str())) * 4 / sizeof(void *);
    info.input_count = add_tensors(&rune, info.inputs, 0, words[3]);
    info.output_count = add_tensors(&rune, info.outputs, info.input_count, words[4]);
    runevm_tflm_init(&engine, arena, arena_bytes, slots, 2, operators);

    const char *detail = "";
    const runevm_model_engine &tflm = runevm_model_engine_tflm;
    const auto open = [&](uint32_t index) {
        const runevm_error error = tflm.open(&engine, index, &rune, &info, &detail);
        std::printf("%d %s\n", error, detail);
        std::fflush(stdout);
    };
    open(0);
    for (size_t i = 5; i < words.size(); i++) {
        std::vector<std::vector<uint8_t>> data, results;
        std::vector<const uint8_t *> inputs;
        std::vector<uint8_t *> outputs;
        for (const std::string &hex : split(words[i], ',')) data.push_back(bytes_of(hex));
        for (uint32_t k = 0; k < info.output_count; k++) {
            results.emplace_back(rune.tensors[info.outputs[k]].size_bytes);
        }
        for (const auto &bytes : data) inputs.push_back(bytes.data());
        for (auto &bytes : results) outputs.push_back(bytes.data());
        std::printf("%d ", tflm.invoke(&engine, 0, inputs.data(), outputs.data(), &detail));
        for (size_t k = 0; k < results.size(); k++) {
            if (k != 0) std::printf(",");
            for (uint8_t byte : results[k]) std::printf("%02x", byte);
        }
        std::printf("\n");
        std::fflush(stdout);
    }
    tflm.close_all(&engine);
    open(0);
    open(1);
    free(room);
    free(model);
    return 0;
}

int main(int count, char **words) {
    if (count != 2) return run(Words(words + 1, words + count));
    for (std::string line; std::getline(std::cin, line);) {
        std::fflush(stdout);
        const pid_t child = fork();
        if (child < 0) return 2;
        if (child == 0) {
            const struct rlimit seconds = {1, 1};
            setrlimit(RLIMIT_CPU, &seconds);
            const int result = run(split(line, ' '));
            std::fflush(stdout);
            _exit(result);
        }
        int status = 0;
        waitpid(child, &status, 0);
        std::printf("exit %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    }
    return 0;
}
