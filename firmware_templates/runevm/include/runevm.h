/* SPDX-License-Identifier: Apache-2.0 */
/* runevm: loads a .rune in place, runs it, writes its outputs. The only header an application needs,
 * beside that of an engine (engines/) and of a model engine (models/).
 *
 * No variables of its own, no heap, no stdio, no recursion. What can fail returns a runevm_error; after
 * an error the context stays usable: the next runevm_run() instantiates the rune anew.
 * File format: docs/spec/rune.md. Limits: runevm_limits.h; they are part of the format, so that the size of
 * no struct depends on how a file was compiled.
 */
#ifndef RUNEVM_H
#define RUNEVM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runevm_limits.h"

/* Semantic versioning: what this header declares changes incompatibly with MAJOR (with MINOR while MAJOR is 0). */
#define RUNEVM_VERSION_MAJOR 0
#define RUNEVM_VERSION_MINOR 1
#define RUNEVM_VERSION_PATCH 0
#define RUNEVM_VERSION "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    RUNEVM_OK = 0,
    /* The file (1xx): nothing of it was executed. */
    RUNEVM_ERR_TRUNCATED = 101,      /* the file ends inside a section */
    RUNEVM_ERR_NOT_A_RUNE = 102,     /* no WebAssembly magic, or no rune sections */
    RUNEVM_ERR_MALFORMED = 103,      /* sections out of order, bad graph, bad resource */
    RUNEVM_ERR_DIGEST = 104,         /* SHA-256 mismatch */
    RUNEVM_ERR_ABI = 105,            /* another ABI than this runevm reads, such as a legacy rune's */
    RUNEVM_ERR_LIMIT = 106,          /* more stages, names, tensors ... than runevm_limits.h allows */
    /* What the board provides (2xx). */
    RUNEVM_ERR_MEMORY = 201,         /* linear memory larger than the firmware's */
    RUNEVM_ERR_ARENA = 202,          /* model arena too small */
    RUNEVM_ERR_HEAP = 203,           /* engine pool too small */
    RUNEVM_ERR_CAPABILITY = 204,     /* a capability that the configuration does not provide */
    RUNEVM_ERR_OUTPUT_KIND = 205,    /* an output kind that this firmware does not write */
    RUNEVM_ERR_OPERATOR = 206,       /* a model operator that this firmware lacks */
    RUNEVM_ERR_MODEL = 207,          /* the model is malformed or its tensors are not the graph's */
    /* The run (3xx). */
    RUNEVM_ERR_TRAP = 301,           /* unreachable, division by zero, bad conversion ... */
    RUNEVM_ERR_OUT_OF_BOUNDS = 302,  /* access outside linear memory, by the rune or for it */
    RUNEVM_ERR_STACK = 303,          /* call depth or stack used up */
    RUNEVM_ERR_STAGE = 304,          /* _call returned the number of a failed stage */
    RUNEVM_ERR_HOST_CALL = 305,      /* unknown id, wrong length, call in the wrong place */
    RUNEVM_ERR_INVOKE = 306,         /* the model engine failed */
    RUNEVM_ERR_TIME = 307,           /* the time budget is used up */
    RUNEVM_ERR_ENGINE = 308,         /* the engine refused the module */
    /* The world outside (4xx). */
    RUNEVM_ERR_NO_DATA = 401,        /* a capability has no data */
    RUNEVM_ERR_LINK = 402,           /* the host does not answer */
    RUNEVM_ERR_SENSOR = 403          /* the board's own sensor does not answer */
} runevm_error;

/* The name without the prefix, such as "OUT_OF_BOUNDS". */
const char *runevm_error_name(runevm_error error);

typedef enum {
    RUNEVM_RAND = 1,
    RUNEVM_SOUND = 2,
    RUNEVM_ACCEL = 3,
    RUNEVM_IMAGE = 4,
    RUNEVM_RAW = 5,
    RUNEVM_FLOAT_IMAGE = 6
} runevm_capability_kind;

typedef enum {
    RUNEVM_SERIAL = 1,
    RUNEVM_BLE = 2,
    RUNEVM_PIN = 3,
    RUNEVM_WIFI = 4,
    RUNEVM_TENSOR = 5
} runevm_output_kind;

typedef enum {
    RUNEVM_LOG_ERROR = 0,
    RUNEVM_LOG_WARNING = 1,
    RUNEVM_LOG_INFO = 2,
    RUNEVM_LOG_DEBUG = 3
} runevm_log_level;

typedef struct {
    const char *at;
    uint32_t length;
} runevm_text; /* not terminated; points into the .rune */

typedef enum {
    RUNEVM_U8,
    RUNEVM_I8,
    RUNEVM_U16,
    RUNEVM_I16,
    RUNEVM_U32,
    RUNEVM_I32,
    RUNEVM_U64,
    RUNEVM_I64,
    RUNEVM_F32,
    RUNEVM_F64,
    RUNEVM_UTF8
} runevm_element;

typedef struct {
    runevm_element element;
    uint8_t rank;
    uint32_t dimensions[RUNEVM_MAX_RANK];
    uint32_t size_bytes;             /* of the packed elements; 0 for utf8 */
} runevm_tensor;

typedef struct {
    runevm_text name;
    uint32_t id;
    runevm_capability_kind kind;
    uint8_t tensor;
    runevm_text parameters;          /* the JSON object of the graph */
} runevm_capability;

typedef struct {
    runevm_text name;
    uint32_t id;
    const uint8_t *data;             /* in the .rune, aligned to 16 when the .rune is */
    uint32_t size_bytes;
    uint32_t arena_bytes;
    bool is_tflite;                  /* its format; no engine executes another one */
    uint8_t input_count, output_count;
    uint8_t inputs[RUNEVM_MAX_STAGE_TENSORS], outputs[RUNEVM_MAX_STAGE_TENSORS];
} runevm_model_info;

typedef struct {
    runevm_text name;
    uint32_t id;
    runevm_output_kind kind;
    uint8_t input_count;
    uint8_t inputs[RUNEVM_MAX_STAGE_TENSORS];
    runevm_text pin;                 /* of a PIN: what it drives */
    bool active_low;                 /* of a PIN: low for what is not 0 */
} runevm_output;

typedef struct {
    runevm_text name;
    const uint8_t *data;             /* NULL: supplied at run time, which devices do not support */
    uint32_t size_bytes;
} runevm_resource;

/* What a .rune declares, read in place. Filled by runevm_rune_read() only after every check passed. */
typedef struct {
    const uint8_t *file;
    size_t file_bytes;
    const uint8_t *digest;           /* 32 bytes */
    uint32_t code_bytes;             /* the module is file[0 .. code_bytes) */
    uint32_t memory_bytes, stack_bytes;
    bool has_code_map;               /* `_call` runs any range of stages */
    runevm_text name;
    uint8_t stage_count, capability_count, model_count, output_count, resource_count, tensor_count;
    runevm_text stages[RUNEVM_MAX_STAGES];
    runevm_capability capabilities[RUNEVM_MAX_CAPABILITIES];
    runevm_model_info models[RUNEVM_MAX_MODELS];
    runevm_output outputs[RUNEVM_MAX_OUTPUTS];
    runevm_resource resources[RUNEVM_MAX_RESOURCES];
    runevm_tensor tensors[RUNEVM_MAX_TENSORS];
} runevm_rune;

/* Reads and checks a .rune. `file` stays where it is and must outlive `rune`. Never reads past
 * file + file_bytes, whatever the bytes are. */
runevm_error runevm_rune_read(runevm_rune *rune, const uint8_t *file, size_t file_bytes);

struct runevm_engine;
struct runevm_model_engine;

/* What runevm needs from the application. Rules for every callback:
 *  1. It is called from inside runevm_load() and runevm_run() only, by their caller's thread.
 *  2. It does not call runevm_load() or runevm_run(). It may call runevm_set_detail().
 *  3. `user` is runevm_callbacks.user, unchanged.
 *  4. What its pointers point to is valid until it returns.
 *  5. It returns RUNEVM_OK, or the error with which runevm_run() then ends. runevm_error_place() is the stage
 *     that was served.
 */
typedef struct {
    void *user;

    /* Supplies a capability's data. NULL: a rune with capabilities is refused (RUNEVM_ERR_CAPABILITY).
     *  1. Fills all `length` bytes at `buffer`, or returns an error such as RUNEVM_ERR_NO_DATA.
     *  2. `length` is the size of the tensor rune.tensors[capability->tensor]: elements packed, row-major,
     *     little-endian.
     *  3. `buffer` is linear memory of the rune at any alignment: copy bytes, do not cast.
     *  4. `capability->parameters` is what the graph lists, as canonical JSON (docs/inputs.md).
     *  5. May block: the time does not count against the budget. */
    runevm_error (*provide)(void *user, const runevm_capability *capability, uint8_t *buffer, uint32_t length);

    /* Takes the result of a run, piece by piece. Not NULL.
     *  1. Pieces come in order and have 1 to 32768 bytes, most of them a few: gather them where a call is dear.
     *  2. All pieces of a run make one line of JSON that ends with a newline, or binary tensors (TENSOR):
     *     docs/spec/rune.md, section 4.
     *  3. The result is whole when runevm_run() returns RUNEVM_OK. After an error, drop the pieces of that run.
     *  4. May block: the time does not count against the budget. */
    runevm_error (*write)(void *user, const uint8_t *bytes, uint32_t length);

    /* Takes a message of the rune. NULL: messages are dropped.
     *  1. `text` has `length` bytes and no terminator. It comes from the rune: any bytes, up to all of linear memory.
     *  2. Its time counts against the budget. */
    void (*log)(void *user, runevm_log_level level, const char *text, uint32_t length);

    /* The clock of the time budget. NULL: there is no budget, and a rune that never ends is not stopped.
     *  1. Counts milliseconds up from any value and wraps at 2^32.
     *  2. Goes on while the rune executes: by an interrupt or a free-running counter.
     *  3. Is called often, once in RUNEVM_STEPS_BETWEEN_LOOKS steps: make it cheap. */
    uint32_t (*milliseconds)(void *user);

    /* Sets the pin of a PIN output. NULL: a rune with a PIN is refused (RUNEVM_ERR_OUTPUT_KIND).
     *  1. `output->pin` is the Runefile's name of the pin; `level` is high or low, `active-low` applied.
     *  2. The pin keeps its level until the next call, also after an error. */
    runevm_error (*drive)(void *user, const runevm_output *output, bool level);
} runevm_callbacks;

/* Engines and contexts outlive the runevm that uses them. */
typedef struct {
    const struct runevm_engine *engine;
    void *engine_context;            /* what the engine's init function filled */
    const struct runevm_model_engine *model_engine; /* NULL: runes with models are refused */
    void *model_context;
    uint32_t memory_limit_bytes;     /* refuse a rune that declares more linear memory */
    uint32_t arena_limit_bytes;      /* refuse a rune whose models declare more arena in sum */
    uint32_t capability_kinds;       /* bit n: capability kind n can be provided */
    uint32_t time_budget_ms;         /* of one run, at most 2^31 - 1; 0: RUNEVM_TIME_BUDGET_MS */
    runevm_callbacks callbacks;
} runevm_config;

/* Private: a resource that the rune has open. `id` is 0 in a free slot. */
typedef struct {
    uint32_t id;
    uint32_t offset;
    uint8_t resource;
} runevm_open_resource;

/* One loaded rune. The application owns it (static storage: about 5 KB on 32-bit chips) and reads the first members only. */
typedef struct runevm {
    runevm_config config; /* as given to runevm_load() */
    runevm_rune rune; /* all zeros unless the .rune was read without an error */
    runevm_error status; /* of the last runevm_load() */
    uint32_t runs; /* runs since runevm_load(), failed ones too */
    uint32_t last_run_ms; /* what the last run took of its time budget */

    /* private from here */
    bool ready; /* instantiated, and no error since */
    uint32_t began_ms; /* when the time budget began to count */
    uint32_t waited_ms; /* of the time since then, for the world outside */
    uint8_t phase; /* which export is running: 0 none, 1 _manifest, 2 _call */
    uint32_t next_id;
    uint32_t first_id_of_calls; /* where _manifest ended */
    uint8_t capabilities_given, models_given, outputs_given;
    runevm_open_resource open_resources[RUNEVM_MAX_OPEN_RESOURCES];

    bool output_started; /* this run has written something */
    uint8_t output_index; /* the output being consumed */
    uint8_t output_tensors; /* how many of its tensors were */
    uint8_t outputs_done[RUNEVM_MAX_OUTPUTS];

    char place[RUNEVM_MAX_NAME_BYTES + 1];
    char detail[RUNEVM_ERROR_TEXT_BYTES];
    char debug[RUNEVM_ERROR_TEXT_BYTES]; /* the last text given to _debug in this call */
} runevm;

/* Reads the rune, checks it against the configuration, instantiates it and calls `_manifest`.
 *  1. `file` lies at a multiple of 16 where the rune has models, stays where it is and does not change while `vm` is used.
 *  2. `config` is copied.
 *  3. After an error runevm_run() returns that error; runevm_load() may be called again. */
runevm_error runevm_load(runevm *vm, const runevm_config *config, const uint8_t *file, size_t file_bytes);

/* One run of the pipeline: `_call`. The results go to callbacks.write. After an error the next call instantiates anew. */
runevm_error runevm_run(runevm *vm);

/* For callbacks: the cause of the error that they return; the first call of a run counts. `detail` is copied. */
void runevm_set_detail(runevm *vm, const char *detail);

/* Where the last error happened, a stage or a host function ("" if nowhere), and its cause. */
const char *runevm_error_place(const runevm *vm);
const char *runevm_error_detail(const runevm *vm);

#ifdef __cplusplus
}
#endif
#endif
