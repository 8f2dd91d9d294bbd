/* What the tests in Python drive: `probe WHAT`, records u32 length, bytes on stdin, one line for
 * each on stdout. Each record is copied to a block of exactly its size, so that a sanitizer sees
 * any read past its end.
 *
 *   read     a .rune -> the error's name, and what was read
 *   sha256   bytes -> hex
 *   crc32    bytes -> decimal, computed in two pieces
 *   f32 f64  bits -> their spellings, separated by spaces
 *   unframe  bytes between two zeros -> the payload in hex, or "none"
 *   frame    kind, seq, body -> the frame in hex
 *   run      u8 runs, u8 flags, a .rune -> the story of load and runs
 *   link     see link_session.h; not records
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crc32.h"
#include "fake_engines.h"
#include "frame.h"
#include "link_session.h"
#include "sha256.h"
#include "shortest_float.h"

static void print_hex(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        printf("%02x", bytes[i]);
    }
}

static void print_text(const char *label, runevm_text text)
{
    printf(" %s=%.*s", label, (int)text.length, text.at);
}

static void print_numbers(const char *label, const uint8_t *numbers, uint32_t count)
{
    printf(" %s=", label);
    for (uint32_t i = 0; i < count; i++) {
        printf("%s%u", i > 0 ? "," : "", (unsigned int)numbers[i]);
    }
}

static void print_rune(const runevm_rune *rune)
{
    print_text("name", rune->name);
    printf(" code=%u memory=%u stack=%u digest=", (unsigned int)rune->code_bytes, (unsigned int)rune->memory_bytes, (unsigned int)rune->stack_bytes);
    print_hex(rune->digest, 32);
    printf(" mapped=%d", rune->has_code_map ? 1 : 0);
    for (uint32_t i = 0; i < rune->stage_count; i++) {
        print_text("stage", rune->stages[i]);
    }
    for (uint32_t i = 0; i < rune->capability_count; i++) {
        const runevm_capability *capability = &rune->capabilities[i];
        print_text("capability", capability->name);
        printf(" id=%u kind=%d tensor=%u", (unsigned int)capability->id, (int)capability->kind, (unsigned int)capability->tensor);
        print_text("parameters", capability->parameters);
    }
    for (uint32_t i = 0; i < rune->model_count; i++) {
        const runevm_model_info *model = &rune->models[i];
        print_text("model", model->name);
        printf(" id=%u at=%ld bytes=%u arena=%u", (unsigned int)model->id, (long)(model->data == NULL ? -1 : model->data - rune->file),
               (unsigned int)model->size_bytes, (unsigned int)model->arena_bytes);
        print_numbers("inputs", model->inputs, model->input_count);
        print_numbers("outputs", model->outputs, model->output_count);
    }
    for (uint32_t i = 0; i < rune->output_count; i++) {
        const runevm_output *output = &rune->outputs[i];
        print_text("output", output->name);
        printf(" id=%u kind=%d", (unsigned int)output->id, (int)output->kind);
        print_numbers("inputs", output->inputs, output->input_count);
    }
    for (uint32_t i = 0; i < rune->resource_count; i++) {
        const runevm_resource *resource = &rune->resources[i];
        print_text("resource", resource->name);
        printf(" at=%ld bytes=%u", (long)(resource->data == NULL ? -1 : resource->data - rune->file), (unsigned int)resource->size_bytes);
    }
    for (uint32_t i = 0; i < rune->tensor_count; i++) {
        const runevm_tensor *tensor = &rune->tensors[i];
        printf(" tensor=%d", (int)tensor->element);
        for (uint32_t k = 0; k < tensor->rank; k++) {
            printf(":%u", (unsigned int)tensor->dimensions[k]);
        }
        printf(" size=%u", (unsigned int)tensor->size_bytes);
    }
}

static void probe_read(uint8_t *bytes, size_t length)
{
    static runevm_rune rune;
    runevm_error error = runevm_rune_read(&rune, bytes, length);
    printf("%s", runevm_error_name(error));
    if (error == RUNEVM_OK) {
        print_rune(&rune);
    } else {
        static const runevm_rune NOTHING;
        printf("%s", memcmp(&rune, &NOTHING, sizeof rune) == 0 ? "" : " BUT FILLED");
    }
}

static void probe_sha256(uint8_t *bytes, size_t length)
{
    uint8_t digest[32];
    runevm_sha256(bytes, length, digest);
    print_hex(digest, sizeof digest);
}

static void probe_crc32(uint8_t *bytes, size_t length)
{
    size_t first = length / 3;
    printf("%lu", (unsigned long)runevm_crc32(runevm_crc32(0, bytes, first), bytes + first, length - first));
}

static void probe_f32(uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i + 4 <= length; i += 4) {
        uint32_t bits;
        char text[RUNEVM_FLOAT_TEXT_BYTES];
        memcpy(&bits, bytes + i, sizeof bits);
        printf("%.*s ", (int)runevm_spell_f32(bits, text), text);
    }
}

static void probe_f64(uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i + 8 <= length; i += 8) {
        uint64_t bits;
        char text[RUNEVM_FLOAT_TEXT_BYTES];
        memcpy(&bits, bytes + i, sizeof bits);
        printf("%.*s ", (int)runevm_spell_f64(bits, text), text);
    }
}

static void probe_unframe(uint8_t *bytes, size_t length)
{
    size_t payload = runevm_frame_read(bytes, length);
    if (payload == 0) {
        printf("none");
    } else {
        print_hex(bytes + 1, payload);
    }
}

static void probe_frame(uint8_t *bytes, size_t length)
{
    uint8_t frame[RUNEVM_LINK_FRAME_BYTES];
    print_hex(frame, runevm_frame_write(frame, bytes[0], bytes[1], bytes + 2, length - 2));
}

/* Data: the bytes 1, 2, 3 ... over the whole session. The clock goes on by 1 ms whenever it is looked at, and by an
 * hour while data is provided or taken. */
typedef struct {
    uint8_t next;
    int writes_left;
    uint32_t now_ms;
} story;

enum { HOUR_MS = 3600000 };

static runevm_error story_provide(void *user, const runevm_capability *capability, uint8_t *buffer, uint32_t length)
{
    story *told = user;
    printf("|provide %u %u", (unsigned int)capability->id, (unsigned int)length);
    told->now_ms += HOUR_MS;
    for (uint32_t i = 0; i < length; i++) {
        buffer[i] = ++told->next;
    }
    return RUNEVM_OK;
}

static runevm_error story_write(void *user, const uint8_t *bytes, uint32_t length)
{
    story *told = user;
    told->now_ms += HOUR_MS;
    if (told->writes_left-- == 0) {
        return RUNEVM_ERR_NO_DATA;
    }
    printf("|write ");
    print_hex(bytes, length);
    return RUNEVM_OK;
}

static void story_log(void *user, runevm_log_level level, const char *text, uint32_t length)
{
    (void)user;
    printf("|log %d ", (int)level);
    print_hex((const uint8_t *)text, length);
}

static uint32_t story_milliseconds(void *user)
{
    return ((story *)user)->now_ms++;
}

static runevm_error story_drive(void *user, const runevm_output *output, bool level)
{
    (void)user;
    printf("|drive %u %.*s %d", (unsigned int)output->id, (int)output->pin.length, output->pin.at, (int)level);
    return RUNEVM_OK;
}

static void tell(const char *what, const runevm *vm, runevm_error error)
{
    printf("|%s %s <%s> <%s>", what, runevm_error_name(error), runevm_error_place(vm), runevm_error_detail(vm));
}

/* flags: 1 no model engine, 2 memory of 64 bytes, 4 arena of 100 bytes, 8 no capabilities, 16 the
 * engine refuses, 32 the fourth write fails, 64 the .rune lies off alignment,
 * 128 no pins */
static void probe_run(uint8_t *bytes, size_t length)
{
    static runevm vm;
    fake_engine engine = {0};
    fake_models models = {0};
    uint8_t flags = bytes[1];
    story told = {0, flags & 32 ? 3 : -1, 0xffff0000u}; /* the clock wraps soon */
    models.clock_ms = &told.now_ms;
    runevm_config config = {
        .engine = &FAKE_ENGINE,
        .engine_context = &engine,
        .model_engine = flags & 1 ? NULL : &FAKE_MODEL_ENGINE,
        .model_context = &models,
        .memory_limit_bytes = flags & 2 ? 64 : 1u << 20,
        .arena_limit_bytes = flags & 4 ? 100 : 1u << 20,
        .capability_kinds = flags & 8 ? 0 : 0x7e,
        .callbacks = {&told, story_provide, story_write, story_log, story_milliseconds, flags & 128 ? NULL : story_drive},
    };
    engine.refuse = flags & 16 ? RUNEVM_ERR_HEAP : RUNEVM_OK;
    size_t off = flags & 64 ? 8 : 0;
    uint8_t *block = aligned_alloc(16, (length - 2 + off + 15) / 16 * 16);
    memcpy(block + off, bytes + 2, length - 2);
    tell("load", &vm, runevm_load(&vm, &config, block + off, length - 2));
    for (uint8_t i = 0; i < bytes[0]; i++) {
        tell("run", &vm, runevm_run(&vm));
    }
    printf("|runs %u instances %u", (unsigned int)vm.runs, (unsigned int)engine.instances);
    fake_engine_free(&engine);
    free(block);
}

static const struct {
    const char *name;
    void (*run)(uint8_t *bytes, size_t length);
} PROBES[] = {
    {"read", probe_read}, {"sha256", probe_sha256}, {"crc32", probe_crc32}, {"f32", probe_f32}, {"f64", probe_f64},
    {"unframe", probe_unframe}, {"frame", probe_frame}, {"run", probe_run},
};

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "link") == 0) {
        return link_session(argv[2]);
    }
    for (size_t i = 0; argc == 2 && i < sizeof PROBES / sizeof PROBES[0]; i++) {
        if (strcmp(argv[1], PROBES[i].name) != 0) {
            continue;
        }
        uint32_t length;
        while (fread(&length, sizeof length, 1, stdin) == 1) {
            uint8_t *bytes = malloc(length);
            if (bytes == NULL || fread(bytes, 1, length, stdin) != length) {
                free(bytes);
                return 3;
            }
            PROBES[i].run(bytes, length);
            putchar('\n');
            free(bytes);
        }
        return 0;
    }
    return 2;
}
