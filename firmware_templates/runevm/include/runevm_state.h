/* struct runevm: everything a running rune needs, in one place that the application owns. Included by
 * runevm.h; nobody but runevm's own files reads or writes the members marked private. */
#ifndef RUNEVM_STATE_H
#define RUNEVM_STATE_H

#ifndef RUNEVM_H
#error "include runevm.h"
#endif

#ifndef RUNEVM_MAX_OPEN_RESOURCES
#define RUNEVM_MAX_OPEN_RESOURCES 8
#endif

/* Private: one resource that the rune has open. `id` is 0 in a free slot. */
typedef struct {
    uint32_t id;
    uint32_t offset;
    uint8_t resource;
} runevm_open_resource;

typedef struct runevm {
    runevm_config config;            /* as given to runevm_load() */
    runevm_rune rune;                /* all zeros unless the .rune was read without an error */
    runevm_error status;             /* of the last runevm_load() */
    uint32_t runs;                   /* runs since runevm_load(), failed ones too */
    uint32_t last_run_ms;            /* what the last run took of its time budget */

    /* private from here */
    bool ready;                      /* instantiated, and no error since */
    uint32_t began_ms;               /* when the time budget began to count */
    uint32_t waited_ms;              /* of the time since then, for the world outside */
    uint8_t phase;                   /* which export is running: 0 none, 1 _manifest, 2 _call */
    uint32_t next_id;
    uint32_t first_id_of_calls;      /* where _manifest ended */
    uint8_t capabilities_given, models_given, outputs_given;
    runevm_open_resource open_resources[RUNEVM_MAX_OPEN_RESOURCES];

    bool output_started;             /* this run has written something */
    uint8_t output_index;            /* the output being consumed */
    uint8_t output_tensors;          /* how many of its tensors were */
    uint8_t outputs_done[RUNEVM_MAX_OUTPUTS];

    char place[RUNEVM_MAX_NAME_BYTES + 1];
    char detail[RUNEVM_ERROR_TEXT_BYTES];
    char debug[RUNEVM_ERROR_TEXT_BYTES]; /* the last text given to _debug in this call */
} runevm;

#endif
