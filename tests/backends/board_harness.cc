// The engine for models and its float functions on an emulated Cortex-M4 (MPS2+, AN386), with files of the host by
// semihosting: reads the requests from `requests`, writes the answers to `answers`.
// A request begins with two words, what and count.
//   0 N: one of a model: bytes and size of its arena; N tensors, the inputs first, each element and bytes; how many of them are
//        inputs; the model, padded to words; the inputs, each padded to words. Answer: the error of open(), that of
//        invoke(), the outputs padded to words.
//   1 N: number of a function and N floats. Answer: N floats.
#include <cmath>
#include <cstdint>
#include <cstring>

#include "model_tflm.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

enum { SYS_OPEN = 0x01, SYS_WRITE = 0x05, SYS_READ = 0x06, SYS_FLEN = 0x0C, SYS_EXIT = 0x18 };
enum { OPEN_READ = 1, OPEN_WRITE = 5, EXIT_OK = 0x20026, EXIT_FAILED = 0x20023 };
enum { ARENA_MAX = 256 * 1024, MODEL_MAX = 1024 * 1024, RESULT_MAX = 64 * 1024 };

extern "C" {
void _start(void);
void abort(void) __attribute__((noreturn));
extern uint32_t harness_stack_top[], harness_bss_start[], harness_bss_end[];
extern uint32_t harness_data_load[], harness_data_start[], harness_data_end[];
}

static int semihosting(int operation, const void *block) {
    register int r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = block;
    __asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static void end(uint32_t reason) {
    semihosting(SYS_EXIT, reinterpret_cast<const void *>(reason));
    for (;;) {}
}

void abort(void) {
    end(EXIT_FAILED);
    __builtin_unreachable();
}

static int open_file(const char *name, uint32_t mode) {
    const uint32_t block[] = {reinterpret_cast<uint32_t>(name), mode, static_cast<uint32_t>(std::strlen(name))};
    return semihosting(SYS_OPEN, block);
}

static uint32_t *const requests = reinterpret_cast<uint32_t *>(0x21000000);  // 16 MiB of PSRAM
static int answers;

static void answer(const void *data, uint32_t size) {
    const uint32_t block[] = {static_cast<uint32_t>(answers), reinterpret_cast<uint32_t>(data), size};
    if (semihosting(SYS_WRITE, block) != 0) abort();
}

static uint32_t words(uint32_t bytes) {
    return (bytes + 3) / 4;
}

alignas(16) static uint8_t arena[ARENA_MAX], model[MODEL_MAX], results[RESULT_MAX];

static const uint32_t *infer(const uint32_t *at, uint32_t count) {
    static runevm_rune rune;
    static runevm_tflm engine;
    static runevm_tflm_slot slots[1];
    const uint32_t model_bytes = *at++, arena_bytes = *at++;
    runevm_model_info info = {};
    info.data = model;
    info.size_bytes = model_bytes;
    info.arena_bytes = arena_bytes;
    for (uint32_t i = 0; i < count; i++) {
        rune.tensors[i].element = static_cast<runevm_element>(*at++);
        rune.tensors[i].size_bytes = *at++;
    }
    info.input_count = *at++;
    info.output_count = count - info.input_count;
    if (model_bytes > sizeof model || arena_bytes > sizeof arena) abort();
    std::memcpy(model, at, model_bytes);
    at += words(model_bytes);
    const uint8_t *inputs[8];
    uint8_t *outputs[8];
    uint32_t used = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t bytes = 4 * words(rune.tensors[i].size_bytes);
        if (i < info.input_count) {
            info.inputs[i] = static_cast<uint8_t>(i);
            inputs[i] = reinterpret_cast<const uint8_t *>(at);
            at += bytes / 4;
        } else {
            info.outputs[i - info.input_count] = static_cast<uint8_t>(i);
            outputs[i - info.input_count] = results + used;
            used += bytes;
            if (used > sizeof results) abort();
        }
    }
    std::memset(arena, 0xa5, sizeof arena);
    std::memset(results, 0, used);
    const char *detail = "";
    runevm_tflm_init(&engine, arena, arena_bytes, slots, 1, runevm_tflm_operators());
    const runevm_model_engine &tflm = runevm_model_engine_tflm;
    int32_t errors[2] = {tflm.open(&engine, 0, &rune, &info, &detail), -1};
    if (errors[0] == 0) errors[1] = tflm.invoke(&engine, 0, inputs, outputs, &detail);
    tflm.close_all(&engine);
    answer(errors, sizeof errors);
    answer(results, used);
    return at;
}

typedef float (*function)(float);

static const uint32_t *compute(const uint32_t *at, uint32_t count) {
    static const function functions[] = {expf, logf, sinf, cosf, tanhf, sqrtf};
    const function chosen = functions[*at++];
    const float *from = reinterpret_cast<const float *>(at);
    float *to = reinterpret_cast<float *>(results);
    if (4 * count > sizeof results) abort();
    for (uint32_t i = 0; i < count; i++) to[i] = chosen(from[i]);
    answer(results, 4 * count);
    return at + count;
}

__attribute__((noinline)) static int serve() {
    const int file = open_file("requests", OPEN_READ);
    answers = open_file("answers", OPEN_WRITE);
    const uint32_t handle[] = {static_cast<uint32_t>(file)};
    const uint32_t size = static_cast<uint32_t>(semihosting(SYS_FLEN, handle));
    const uint32_t block[] = {handle[0], reinterpret_cast<uint32_t>(requests), size};
    if (file < 0 || answers < 0 || semihosting(SYS_READ, block) != 0) abort();
    const uint32_t *at = requests, *last = requests + words(size);
    while (at < last) {
        const uint32_t what = *at++, count = *at++;
        at = what == 0 ? infer(at, count) : compute(at, count);
    }
    return 0;
}

__attribute__((section(".vectors"), used)) static const uintptr_t vectors[] = {
    reinterpret_cast<uintptr_t>(harness_stack_top), reinterpret_cast<uintptr_t>(_start)};

__attribute__((target("general-regs-only"))) void _start(void) {
#ifdef __ARM_FP
    *reinterpret_cast<volatile uint32_t *>(0xE000ED88) |= 0xFu << 20;
    __asm volatile("dsb\n\tisb" ::: "memory");
#endif
    for (volatile uint32_t *to = harness_data_start, *from = harness_data_load; to < harness_data_end;) *to++ = *from++;
    for (volatile uint32_t *to = harness_bss_start; to < harness_bss_end;) *to++ = 0;
    end(serve() == 0 ? EXIT_OK : EXIT_FAILED);
}
