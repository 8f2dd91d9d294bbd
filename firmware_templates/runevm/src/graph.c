/* SPDX-License-Identifier: Apache-2.0 */
#include "graph.h"

#include <string.h>

#include "json_reader.h"

_Static_assert(RUNEVM_MAX_STAGES <= 32, "stages are bits of a word");
_Static_assert(RUNEVM_MAX_TENSORS <= 255 && RUNEVM_MAX_STAGE_TENSORS <= 255, "tensor numbers are bytes");

#define ABI 1u
#define CODE_MAP_MINOR 1u
#define TENSOR_ALIGNMENT 8u
#define ELEMENTS_MAX (0x7fffffffu / 8u)
#define NO_STAGE 0xffu

typedef struct {
    runevm_json json;
    runevm_rune *rune;
    uint32_t stages_named;                   /* bit n: stage n has its entry */
    uint32_t blocks;                         /* bit n: stage n is a block */
    uint32_t stage_next;                     /* within a map, entries rise from here */
    uint32_t id_last;                        /* ids count on over capabilities, models, outputs */
    bool gap_allowed;                        /* blocks opened resources before the next id */
    uint8_t made_by[RUNEVM_MAX_TENSORS];     /* the stage whose output the tensor is */
    uint8_t used_first[RUNEVM_MAX_TENSORS];  /* the first stage that takes it */
    runevm_text model_resources[RUNEVM_MAX_MODELS];
} reader;

static bool ok(const reader *graph)
{
    return graph->json.error == RUNEVM_OK;
}

static void malformed(reader *graph)
{
    runevm_json_fail(&graph->json, RUNEVM_ERR_MALFORMED);
}

/* True while another entry follows; more than `limit` are too many. */
static bool more(reader *graph, char close, uint32_t *count, uint32_t limit)
{
    if (!runevm_json_more(&graph->json, close, count)) {
        return false;
    }
    if (*count > limit) {
        runevm_json_fail(&graph->json, RUNEVM_ERR_LIMIT);
    }
    return ok(graph);
}

static runevm_text read_name(reader *graph)
{
    runevm_text name = runevm_json_string(&graph->json);
    if (ok(graph) && name.length == 0) {
        malformed(graph);
    }
    if (ok(graph) && runevm_text_bytes(name) > RUNEVM_MAX_NAME_BYTES) {
        runevm_json_fail(&graph->json, RUNEVM_ERR_LIMIT);
    }
    return name;
}

/* 64 lower-case hex digits. */
static void read_sha256(reader *graph)
{
    runevm_text digits = runevm_json_string(&graph->json);
    bool good = ok(graph) && digits.length == 64;
    for (uint32_t i = 0; good && i < digits.length; i++) {
        char digit = digits.at[i];
        good = (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f');
    }
    if (!good) {
        malformed(graph);
    }
}

/* The name of an entry in one of the four maps of stages, and what follows up to its members. */
static uint32_t read_stage(reader *graph, runevm_text *name)
{
    *name = runevm_json_string(&graph->json);
    runevm_json_expect(&graph->json, ":{");
    uint32_t stage = graph->stage_next;
    while (ok(graph) && stage < graph->rune->stage_count && !runevm_text_same(*name, graph->rune->stages[stage])) {
        stage++;
    }
    if (!ok(graph) || stage >= graph->rune->stage_count || (graph->stages_named >> stage & 1u) != 0) {
        malformed(graph);
        return 0;
    }
    graph->stages_named |= 1u << stage;
    graph->stage_next = stage + 1;
    return stage;
}

static uint32_t read_id(reader *graph)
{
    runevm_json_expect(&graph->json, "\"id\":");
    uint32_t id = runevm_json_integer(&graph->json);
    if (graph->gap_allowed ? id <= graph->id_last : id != graph->id_last + 1) {
        malformed(graph);
    }
    graph->id_last = id;
    graph->gap_allowed = false;
    return id;
}

static uint8_t read_tensor_number(reader *graph)
{
    uint32_t number = runevm_json_integer(&graph->json);
    if (number >= RUNEVM_MAX_TENSORS) {
        runevm_json_fail(&graph->json, RUNEVM_ERR_LIMIT);
        return 0;
    }
    return (uint8_t)number;
}

/* `,"inputs":[...]`, at least `least`. `numbers` may be NULL. */
static uint8_t read_inputs(reader *graph, uint32_t stage, uint8_t *numbers, uint32_t least)
{
    uint32_t count = 0;
    runevm_json_expect(&graph->json, ",\"inputs\":[");
    while (more(graph, ']', &count, RUNEVM_MAX_STAGE_TENSORS)) {
        uint8_t number = read_tensor_number(graph);
        if (stage < graph->used_first[number]) {
            graph->used_first[number] = (uint8_t)stage;
        }
        if (numbers != NULL) {
            numbers[count - 1] = number;
        }
    }
    if (count < least) {
        malformed(graph);
    }
    return (uint8_t)count;
}

/* `,"outputs":[...]`, at least one, numbered one after another. `numbers` may be NULL. */
static uint8_t read_outputs(reader *graph, uint32_t stage, uint8_t *numbers, uint32_t limit)
{
    uint32_t count = 0, next = 0;
    runevm_json_expect(&graph->json, ",\"outputs\":[");
    while (more(graph, ']', &count, limit)) {
        uint8_t number = read_tensor_number(graph);
        if (graph->made_by[number] != NO_STAGE || (count > 1 && number != next)) {
            malformed(graph);
        }
        next = number + 1u;
        graph->made_by[number] = (uint8_t)stage;
        if (numbers != NULL) {
            numbers[count - 1] = number;
        }
    }
    if (count == 0) {
        malformed(graph);
    }
    return (uint8_t)count;
}

/* A string that is one of `names`; its index. */
static uint32_t read_choice(reader *graph, const char *const *names, uint32_t count)
{
    runevm_text text = runevm_json_string(&graph->json);
    for (uint32_t i = 0; ok(graph) && i < count; i++) {
        if (names[i] != NULL && text.length == strlen(names[i]) && memcmp(text.at, names[i], text.length) == 0) {
            return i;
        }
    }
    malformed(graph);
    return 0;
}

static void read_stages(reader *graph)
{
    runevm_rune *rune = graph->rune;
    uint32_t count = 0;
    while (more(graph, ']', &count, RUNEVM_MAX_STAGES)) {
        runevm_text name = read_name(graph);
        for (uint32_t i = 0; i + 1 < count; i++) {
            if (runevm_text_same(name, rune->stages[i])) {
                malformed(graph);
            }
        }
        rune->stages[count - 1] = name;
    }
    rune->stage_count = (uint8_t)count;
}

static void read_capabilities(reader *graph)
{
    static const char *const KINDS[] = {NULL, "RAND", "SOUND", "ACCEL", "IMAGE", "RAW", "FLOAT_IMAGE"};
    runevm_rune *rune = graph->rune;
    uint32_t count = 0;
    graph->stage_next = 0;
    while (more(graph, '}', &count, RUNEVM_MAX_CAPABILITIES)) {
        runevm_capability *capability = &rune->capabilities[count - 1];
        uint32_t stage = read_stage(graph, &capability->name);
        capability->id = read_id(graph);
        runevm_json_expect(&graph->json, ",\"kind\":");
        capability->kind = (runevm_capability_kind)read_choice(graph, KINDS, sizeof KINDS / sizeof KINDS[0]);
        runevm_json_expect(&graph->json, ",\"parameters\":");
        const char *start = graph->json.at;
        runevm_json_expect(&graph->json, "{");
        for (uint32_t parameters = 0; more(graph, '}', &parameters, RUNEVM_MAX_PARAMETERS);) {
            (void)read_name(graph);
            runevm_json_expect(&graph->json, ":");
            runevm_json_skip_number(&graph->json);
        }
        capability->parameters = (runevm_text){start, (uint32_t)(graph->json.at - start)};
        (void)read_outputs(graph, stage, &capability->tensor, 1);
        runevm_json_expect(&graph->json, "}");
    }
    rune->capability_count = (uint8_t)count;
}

static void read_proc_blocks(reader *graph)
{
    uint32_t count = 0;
    graph->stage_next = 0;
    while (more(graph, '}', &count, RUNEVM_MAX_STAGES)) {
        runevm_text name;
        uint32_t stage = read_stage(graph, &name);
        graph->blocks |= 1u << stage;
        runevm_json_expect(&graph->json, "\"block\":");
        (void)runevm_json_string(&graph->json);
        runevm_json_expect(&graph->json, ",\"path\":");
        (void)runevm_json_string(&graph->json);
        runevm_json_expect(&graph->json, ",\"arguments\":{");
        for (uint32_t arguments = 0; runevm_json_more(&graph->json, '}', &arguments);) {
            (void)runevm_json_string(&graph->json);
            runevm_json_expect(&graph->json, ":");
            if (runevm_json_take(&graph->json, "{\"resource\":")) {
                (void)read_name(graph);
                runevm_json_expect(&graph->json, "}");
            } else {
                runevm_json_skip_value(&graph->json);
            }
        }
        (void)read_inputs(graph, stage, NULL, 0);
        (void)read_outputs(graph, stage, NULL, RUNEVM_MAX_STAGE_TENSORS);
        runevm_json_expect(&graph->json, "}");
    }
}

static void read_models(reader *graph)
{
    static const char TFLITE[] = "tensorflow-lite";
    runevm_rune *rune = graph->rune;
    uint32_t count = 0;
    graph->stage_next = 0;
    while (more(graph, '}', &count, RUNEVM_MAX_MODELS)) {
        runevm_model_info *model = &rune->models[count - 1];
        uint32_t stage = read_stage(graph, &model->name);
        model->id = read_id(graph);
        runevm_json_expect(&graph->json, ",\"format\":");
        runevm_text format = read_name(graph);
        model->is_tflite = ok(graph) && runevm_text_is(format, (const uint8_t *)TFLITE, sizeof TFLITE - 1);
        runevm_json_expect(&graph->json, ",\"resource\":");
        graph->model_resources[count - 1] = read_name(graph);
        model->input_count = read_inputs(graph, stage, model->inputs, 1);
        model->output_count = read_outputs(graph, stage, model->outputs, RUNEVM_MAX_STAGE_TENSORS);
        runevm_json_expect(&graph->json, ",\"arena\":");
        model->arena_bytes = runevm_json_integer(&graph->json);
        runevm_json_expect(&graph->json, ",\"operators\":[");
        for (uint32_t operators = 0; runevm_json_more(&graph->json, ']', &operators);) {
            runevm_json_expect(&graph->json, "{\"name\":");
            (void)read_name(graph);
            runevm_json_expect(&graph->json, ",\"version\":");
            (void)runevm_json_integer(&graph->json);
            runevm_json_expect(&graph->json, "}");
        }
        runevm_json_expect(&graph->json, "}");
    }
    rune->model_count = (uint8_t)count;
}

/* `,"pin":NAME,"active-low":0|1`; a name of a few plain characters, which needs no escapes in JSON. */
static void read_pin(reader *graph, runevm_output *output)
{
    runevm_json_expect(&graph->json, ",\"pin\":");
    output->pin = runevm_json_string(&graph->json);
    bool good = ok(graph) && output->pin.length > 0 && output->pin.length <= RUNEVM_MAX_PIN_BYTES;
    for (uint32_t i = 0; good && i < output->pin.length; i++) {
        char sign = output->pin.at[i];
        bool letter = (sign >= 'a' && sign <= 'z') || (sign >= 'A' && sign <= 'Z') || (sign >= '0' && sign <= '9');
        good = letter || (i > 0 && (sign == '.' || sign == '_' || sign == '-'));
    }
    runevm_json_expect(&graph->json, ",\"active-low\":");
    uint32_t low = runevm_json_integer(&graph->json);
    output->active_low = low == 1;
    if (!good || low > 1) {
        malformed(graph);
    }
}

static void read_output_stages(reader *graph)
{
    static const char *const KINDS[] = {NULL, "SERIAL", "BLE", "PIN", "WIFI", "TENSOR"};
    runevm_rune *rune = graph->rune;
    uint32_t count = 0;
    graph->stage_next = 0;
    while (more(graph, '}', &count, RUNEVM_MAX_OUTPUTS)) {
        runevm_output *output = &rune->outputs[count - 1];
        uint32_t stage = read_stage(graph, &output->name);
        output->id = read_id(graph);
        runevm_json_expect(&graph->json, ",\"kind\":");
        output->kind = (runevm_output_kind)read_choice(graph, KINDS, sizeof KINDS / sizeof KINDS[0]);
        output->input_count = read_inputs(graph, stage, output->inputs, 1);
        if (output->kind == RUNEVM_PIN) {
            read_pin(graph, output);
        }
        runevm_json_expect(&graph->json, "}");
    }
    rune->output_count = (uint8_t)count;
}

/* In order of name; those with bytes stand in the file in the same order. */
static void read_resources(reader *graph, const runevm_sections *sections)
{
    runevm_rune *rune = graph->rune;
    uint32_t count = 0, in_file = 0, at = sections->resources_at;
    while (more(graph, '}', &count, RUNEVM_MAX_RESOURCES)) {
        runevm_resource *resource = &rune->resources[count - 1];
        resource->name = read_name(graph);
        if (count > 1 && !runevm_text_before(rune->resources[count - 2].name, resource->name)) {
            malformed(graph);
        }
        runevm_json_expect(&graph->json, ":{\"bytes\":");
        if (!runevm_json_take(&graph->json, "null")) {
            resource->size_bytes = runevm_json_integer(&graph->json);
            runevm_json_expect(&graph->json, ",\"sha256\":");
            read_sha256(graph);
            runevm_section_resource found = {0};
            if (!ok(graph) || in_file++ >= sections->resource_count
                || runevm_sections_next_resource(sections, &at, &found) != RUNEVM_OK
                || !runevm_text_is(resource->name, found.name, found.name_bytes)
                || found.data_bytes != resource->size_bytes) {
                malformed(graph);
            }
            resource->data = found.data;
        }
        runevm_json_expect(&graph->json, "}");
    }
    if (in_file != sections->resource_count) {
        malformed(graph);
    }
    rune->resource_count = (uint8_t)count;
}

/* How many elements there are, of 8 bytes at most, all together below 2^31. */
static uint32_t read_dimensions(reader *graph, runevm_tensor *tensor)
{
    uint32_t rank = 0, elements = 1;
    runevm_json_expect(&graph->json, ",\"dimensions\":[");
    while (more(graph, ']', &rank, RUNEVM_MAX_RANK)) {
        uint32_t dimension = runevm_json_integer(&graph->json);
        if (dimension == 0) {
            malformed(graph);
            return 0;
        }
        if (elements > ELEMENTS_MAX / dimension) {
            runevm_json_fail(&graph->json, RUNEVM_ERR_LIMIT);
            return 0;
        }
        tensor->dimensions[rank - 1] = dimension;
        elements *= dimension;
    }
    tensor->rank = (uint8_t)rank;
    if (rank == 0) {
        malformed(graph);
    }
    return elements;
}

static void read_tensors(reader *graph)
{
    static const char *const TYPES[] = {"u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64", "utf8"};
    static const uint8_t BYTES[] = {1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 0};
    runevm_rune *rune = graph->rune;
    uint32_t count = 0;
    while (more(graph, ']', &count, RUNEVM_MAX_TENSORS)) {
        runevm_tensor *tensor = &rune->tensors[count - 1];
        runevm_json_expect(&graph->json, "{\"element-type\":");
        uint32_t type = read_choice(graph, TYPES, sizeof TYPES / sizeof TYPES[0]);
        tensor->element = (runevm_element)type;
        tensor->size_bytes = read_dimensions(graph, tensor) * BYTES[type];
        runevm_json_expect(&graph->json, "}");
    }
    rune->tensor_count = (uint8_t)count;
}

/* `,"functions":{...}`, a number for each block in execution order; what they are is the host's to check. */
static void read_functions(reader *graph)
{
    const runevm_rune *rune = graph->rune;
    uint32_t left = graph->blocks, stage = 0, count = 0;
    runevm_json_expect(&graph->json, ",\"functions\":{");
    while (runevm_json_more(&graph->json, '}', &count)) {
        runevm_text name = runevm_json_string(&graph->json);
        runevm_json_expect(&graph->json, ":");
        (void)runevm_json_integer(&graph->json);
        while (left != 0 && (left >> stage & 1u) == 0) {
            stage++;
        }
        if (left == 0 || !runevm_text_same(name, rune->stages[stage])) {
            malformed(graph);
        }
        left &= left - 1u;
    }
    if (left != 0) {
        malformed(graph);
    }
}

/* `,"addresses":[...]`, one for each tensor, which lies inside linear memory. */
static void read_addresses(reader *graph)
{
    const runevm_rune *rune = graph->rune;
    uint32_t count = 0;
    runevm_json_expect(&graph->json, ",\"addresses\":[");
    while (runevm_json_more(&graph->json, ']', &count)) {
        uint32_t address = runevm_json_integer(&graph->json);
        if (count > rune->tensor_count || address % TENSOR_ALIGNMENT != 0 || address > rune->memory_bytes
            || rune->tensors[count - 1].size_bytes > rune->memory_bytes - address) {
            malformed(graph);
        }
    }
    if (count != rune->tensor_count) {
        malformed(graph);
    }
}

/* The minor version stands behind the ABI in a graph with a code map. */
static bool read_minor(reader *graph)
{
    if (!runevm_json_take(&graph->json, ",\"minor\":")) {
        return true;
    }
    uint32_t minor = runevm_json_integer(&graph->json);
    graph->rune->has_code_map = true;
    if (minor == 0) {
        malformed(graph);
    }
    return minor <= CODE_MAP_MINOR;
}

static bool is_one_number(const runevm_tensor *tensor)
{
    bool one = tensor->element != RUNEVM_UTF8;
    for (uint32_t i = 0; i < tensor->rank; i++) {
        one = one && tensor->dimensions[i] == 1;
    }
    return one;
}

/* Tensors are numbered as they are made, and made before they are taken. */
static void check_tensors(reader *graph)
{
    runevm_rune *rune = graph->rune;
    for (uint32_t i = 0; i < RUNEVM_MAX_TENSORS; i++) {
        uint8_t made = graph->made_by[i], used = graph->used_first[i];
        bool exists = i < rune->tensor_count;
        if ((made != NO_STAGE) != exists || (!exists && used != NO_STAGE) || (exists && used <= made)
            || (exists && i > 0 && made < graph->made_by[i - 1])) {
            malformed(graph);
        }
    }
}

/* Every stage has its entry, every model its resource. */
static void check_references(reader *graph)
{
    runevm_rune *rune = graph->rune;
    uint32_t all = rune->stage_count == 0 ? 0 : 0xffffffffu >> (32u - rune->stage_count);
    if (graph->stages_named != all) {
        malformed(graph);
    }
    check_tensors(graph);
    for (uint32_t i = 0; i < rune->output_count; i++) {
        const runevm_output *output = &rune->outputs[i];
        if (output->kind == RUNEVM_PIN
            && !(output->input_count == 1 && is_one_number(&rune->tensors[output->inputs[0]]))) {
            malformed(graph);
        }
    }
    for (uint32_t i = 0; i < rune->model_count; i++) {
        uint32_t k = 0;
        while (k < rune->resource_count && !runevm_text_same(rune->resources[k].name, graph->model_resources[i])) {
            k++;
        }
        if (k == rune->resource_count) {
            malformed(graph);
            return;
        }
        rune->models[i].data = rune->resources[k].data;
        rune->models[i].size_bytes = rune->resources[k].size_bytes;
    }
}

runevm_error runevm_graph_read(runevm_rune *rune, const runevm_sections *sections)
{
    reader graph = {.json = {sections->graph.at, sections->graph.at + sections->graph.length, RUNEVM_OK}, .rune = rune};
    memset(graph.made_by, NO_STAGE, sizeof graph.made_by);
    memset(graph.used_first, NO_STAGE, sizeof graph.used_first);
    runevm_json *json = &graph.json;

    if (!runevm_json_take(json, "{\"abi\":") || runevm_json_integer(json) != ABI || !read_minor(&graph)) {
        return RUNEVM_ERR_ABI;
    }
    runevm_json_expect(json, ",\"rune\":{\"name\":");
    rune->name = read_name(&graph);
    runevm_json_expect(json, "},\"code\":{\"bytes\":");
    rune->code_bytes = runevm_json_integer(json);
    runevm_json_expect(json, ",\"sha256\":");
    read_sha256(&graph);
    runevm_json_expect(json, "},\"memory\":{\"used\":");
    rune->memory_bytes = runevm_json_integer(json);
    runevm_json_expect(json, ",\"stack\":");
    rune->stack_bytes = runevm_json_integer(json);
    if (rune->code_bytes != sections->code_bytes || rune->stack_bytes > rune->memory_bytes) {
        malformed(&graph);
    }
    runevm_json_expect(json, "},\"stages\":[");
    read_stages(&graph);
    runevm_json_expect(json, ",\"capabilities\":{");
    read_capabilities(&graph);
    runevm_json_expect(json, ",\"proc-blocks\":{");
    read_proc_blocks(&graph);
    graph.gap_allowed = true;
    runevm_json_expect(json, ",\"models\":{");
    read_models(&graph);
    runevm_json_expect(json, ",\"outputs\":{");
    read_output_stages(&graph);
    runevm_json_expect(json, ",\"resources\":{");
    read_resources(&graph, sections);
    runevm_json_expect(json, ",\"tensors\":[");
    read_tensors(&graph);
    if (rune->has_code_map) {
        read_functions(&graph);
        read_addresses(&graph);
    }
    runevm_json_expect(json, "}");
    if (ok(&graph) && json->at != json->end) {
        malformed(&graph);
    }
    if (ok(&graph)) {
        check_references(&graph);
    }
    return json->error;
}
