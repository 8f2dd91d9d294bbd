/* A rune as rustc made them: a stack of a megabyte, a heap that memory.grow feeds, its model in the data, calls through a
 * table, JSON that it writes itself. Clang compiles it for the tests; MODEL is the bytes of a .tflite, f32[1, 1] to f32[1, 1]. */
#include <stdint.h>

#define IMPORT(name) __attribute__((import_module("env"), import_name(#name)))
#define EXPORT(name) __attribute__((export_name(#name)))

typedef struct {
    const char *at;
    uint32_t length;
} text;

IMPORT(_debug) uint32_t host_debug(const char *message, uint32_t length);
IMPORT(request_capability) uint32_t request_capability(uint32_t kind);
IMPORT(request_capability_set_param)
uint32_t set_parameter(uint32_t id, const char *key, uint32_t key_length, const void *value, uint32_t length, uint32_t type);
IMPORT(request_provider_response) uint32_t provide(void *buffer, uint32_t length, uint32_t id);
IMPORT(rune_model_load)
uint32_t model_load(const char *mime, uint32_t mime_length, const uint8_t *model, uint32_t length, const text *inputs,
                    uint32_t input_count, const text *outputs, uint32_t output_count);
IMPORT(rune_model_infer) uint32_t model_infer(uint32_t id, const void *const *inputs, void *const *outputs);
IMPORT(request_output) uint32_t request_output(uint32_t kind);
IMPORT(consume_output) uint32_t consume_output(uint32_t id, const char *bytes, uint32_t length);
IMPORT(rune_resource_open) int32_t resource_open(const char *name, uint32_t length);
IMPORT(rune_resource_read) uint32_t resource_read(int32_t id, char *buffer, uint32_t length);
IMPORT(rune_resource_close) void resource_close(int32_t id);

static const uint8_t model[] = {MODEL};
static uint32_t input, output, net;
static char *label;

/* A heap that never frees, as far as memory goes. */
static uint32_t heap_at, heap_end;

static void *allocate(uint32_t bytes)
{
    bytes = (bytes + 15) & ~15u;
    if (heap_at + bytes > heap_end) {
        uint32_t pages = (bytes + 65535) / 65536;
        uint32_t before = (uint32_t)__builtin_wasm_memory_grow(0, pages);
        if (before == 0xffffffffu) {
            __builtin_trap();
        }
        if (before * 65536u != heap_end) {
            heap_at = before * 65536u;
        }
        heap_end = (before + pages) * 65536u;
    }
    void *given = (void *)heap_at;
    heap_at += bytes;
    return given;
}

typedef char *writer(char *at, float value);

static char *put(char *at, const char *words)
{
    while (*words != '\0') {
        *at++ = *words++;
    }
    return at;
}

static char *put_number(char *at, uint32_t number)
{
    char digits[10];
    int count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
    } while ((number /= 10) != 0);
    while (count > 0) {
        *at++ = digits[--count];
    }
    return at;
}

/* As a number with a fraction and an exponent, as Rust's first versions did. */
static char *put_float(char *at, float value)
{
    if (value < 0) {
        *at++ = '-';
        value = -value;
    }
    at = put_number(at, (uint32_t)(value * 1000000.0f));
    return put(at, "e-6");
}

static char *put_rounded(char *at, float value)
{
    return put_number(at, (uint32_t)(value < 0 ? 0 : value * 100.0f));
}

/* Through a table: which one is known only when it runs. */
static writer *volatile writers[] = {put_float, put_rounded};

static char *put_tensor(char *at, const char *type, float value, writer *write)
{
    at = put(put(put(at, "{\"type_name\":\""), type), "\",\"channel\":");
    at = put(put_number(at, output), ",\"elements\":[");
    return put(write(at, value), "],\"dimensions\":[1,1]}");
}

EXPORT(_manifest) uint32_t manifest(void)
{
    static const char MIME[] = "application/tflite-model", KEY[] = "length", NAME[] = "label";
    const text shape = {"f32[1, 1]", 9};
    const uint32_t length = 4;
    input = request_capability(5);
    set_parameter(input, KEY, sizeof KEY - 1, &length, sizeof length, 1);
    int32_t resource = resource_open(NAME, sizeof NAME - 1);
    label = allocate(100000);
    label[resource_read(resource, label, 32)] = '\0';
    resource_close(resource);
    net = model_load(MIME, sizeof MIME - 1, model, sizeof model, &shape, 1, &shape, 1);
    output = request_output(1);
    return 1;
}

EXPORT(_call) int32_t call(int32_t a, int32_t b, int32_t c)
{
    (void)a, (void)b, (void)c;
    static const char SAID[] = "{\"level\":\"INFO\",\"message\":\"one run\",\"target\":\"lib\",\"line\":7}";
    float given, made;
    const void *inputs[] = {&given};
    void *outputs[] = {&made};
    heap_at = (uint32_t)label + 100000;
    host_debug(SAID, sizeof SAID - 1);
    provide(&given, sizeof given, input);
    model_infer(net, inputs, outputs);
    char *page = allocate(70000), *at = page;
    at = put_tensor(put(at, "["), "f32", made, writers[0]);
    at = put_tensor(put(at, ","), "u32", made, writers[1]);
    at = put(put(put(at, ",{\"type_name\":\"utf8\",\"channel\":"), "9,\"dimensions\":[1],\"elements\":[\""), label);
    at = put(at, "\"]}]");
    consume_output(output, page, (uint32_t)(at - page));
    return 0;
}
