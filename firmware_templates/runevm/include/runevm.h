/* runevm: loads a .rune in place, runs it, writes its outputs. The only header an application needs.
 *
 * No globals, no heap after runevm_load(), no stdio. Every function returns a runevm_error; after an
 * error the context stays usable: runevm_run() instantiates the rune anew.
 * Format and rules: docs/spec/rune.md. Limits: runevm_limits.h.
 */
#ifndef RUNEVM_H
#define RUNEVM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runevm_limits.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    RUNEVM_OK = 0,
    /* The file (1xx): nothing of it has been run. */
    RUNEVM_ERR_TRUNCATED = 101,      /* the file ends inside a section */
    RUNEVM_ERR_NOT_A_RUNE = 102,     /* no WebAssembly magic, or no rune sections */
    RUNEVM_ERR_MALFORMED = 103,      /* sections out of order, bad graph, bad resource */
    RUNEVM_ERR_DIGEST = 104,         /* the SHA-256 does not fit the bytes */
    RUNEVM_ERR_ABI = 105,            /* another ABI than this firmware speaks */
    RUNEVM_ERR_LIMIT = 106,          /* more stages, names, tensors ... than runevm_limits.h allows */
    /* What the board gives (2xx). */
    RUNEVM_ERR_MEMORY = 201,         /* linear memory larger than the firmware's */
    RUNEVM_ERR_ARENA = 202,          /* model arena too small */
    RUNEVM_ERR_HEAP = 203,           /* engine pool too small */
    RUNEVM_ERR_CAPABILITY = 204,     /* a capability that this board does not have */
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
    RUNEVM_ERR_TIME = 307,           /* the time budget is over */
    RUNEVM_ERR_ENGINE = 308,         /* the engine refused the module */
    /* The world outside (4xx). */
    RUNEVM_ERR_NO_DATA = 401,        /* a capability had nothing to give */
    RUNEVM_ERR_LINK = 402,           /* the computer does not answer */
    RUNEVM_ERR_SENSOR = 403          /* the board's own sensor does not answer */
} runevm_error;

/* The name without the prefix, such as "OUT_OF_BOUNDS". */
const char *runevm_error_name(runevm_error error);

typedef enum {
    RUNEVM_RAND = 1, RUNEVM_SOUND = 2, RUNEVM_ACCEL = 3, RUNEVM_IMAGE = 4, RUNEVM_RAW = 5, RUNEVM_FLOAT_IMAGE = 6
} runevm_capability_kind;

typedef enum {
    RUNEVM_SERIAL = 1, RUNEVM_BLE = 2, RUNEVM_PIN = 3, RUNEVM_WIFI = 4, RUNEVM_TENSOR = 5
} runevm_output_kind;

typedef enum { RUNEVM_LOG_ERROR = 0, RUNEVM_LOG_WARNING = 1, RUNEVM_LOG_INFO = 2, RUNEVM_LOG_DEBUG = 3 } runevm_log_level;

typedef struct { const char *at; uint32_t length; } runevm_text; /* not terminated; points into the .rune */

typedef enum {
    RUNEVM_U8, RUNEVM_I8, RUNEVM_U16, RUNEVM_I16, RUNEVM_U32, RUNEVM_I32, RUNEVM_U64, RUNEVM_I64,
    RUNEVM_F32, RUNEVM_F64, RUNEVM_UTF8
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
    bool is_tflite;                  /* its format; there are engines for no other one */
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
    const uint8_t *data;             /* NULL: given at run time, which devices do not support */
    uint32_t size_bytes;
} runevm_resource;

/* What a .rune says, read in place. Filled by runevm_rune_read() only after every check passed. */
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

/* Callbacks. Rules for each: called only from inside runevm_load() or runevm_run(); must not call
 * runevm but for runevm_set_detail(); return RUNEVM_OK or the error that ends the run. */
typedef struct {
    void *user;
    /* Fill `buffer` with exactly `length` bytes of the capability's data. */
    runevm_error (*provide)(void *user, const runevm_capability *capability, uint8_t *buffer, uint32_t length);
    /* A piece of the result text (or of TENSOR bytes). Pieces come in order; `length` may be 0 to 65535. */
    runevm_error (*write)(void *user, const uint8_t *bytes, uint32_t length);
    void (*log)(void *user, runevm_log_level level, const char *text, uint32_t length);
    /* The clock of the time budget; wraps. NULL: there is none, and a rune that never ends is not stopped. */
    uint32_t (*milliseconds)(void *user);
    /* Set the pin of a PIN to a level. NULL: this firmware drives no pins, and refuses a rune with a PIN. */
    runevm_error (*drive)(void *user, const runevm_output *output, bool level);
} runevm_callbacks;

typedef struct {
    const struct runevm_engine *engine;
    void *engine_context;            /* what the engine's init made; see runevm_engine.h */
    const struct runevm_model_engine *model_engine;
    void *model_context;
    uint32_t memory_limit_bytes;     /* refuse a rune that declares more linear memory */
    uint32_t arena_limit_bytes;      /* refuse a rune whose models declare more arena in sum */
    uint32_t capability_kinds;       /* bit n: capability kind n can be provided */
    uint32_t time_budget_ms;         /* of one run, at most 2^31 - 1; 0: RUNEVM_TIME_BUDGET_MS */
    runevm_callbacks callbacks;
} runevm_config;

#include "runevm_state.h"

/* Reads the rune, checks it against the configuration, instantiates it and calls `_manifest`. */
runevm_error runevm_load(runevm *vm, const runevm_config *config, const uint8_t *file, size_t file_bytes);

/* One `_call`. The outputs go to callbacks.write. After an error the next call instantiates anew. */
runevm_error runevm_run(runevm *vm);

/* For callbacks: what was found, told with the error that they return. */
void runevm_set_detail(runevm *vm, const char *detail);

/* Where the last error happened: a stage or a host function ("" if nowhere), and what was found. */
const char *runevm_error_place(const runevm *vm);
const char *runevm_error_detail(const runevm *vm);

#ifdef __cplusplus
}
#endif
#endif
