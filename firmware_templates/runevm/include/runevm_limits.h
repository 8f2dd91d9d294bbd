/* Every fixed limit of runevm. Those of the file format are docs/spec/rune.md, section 3. A firmware
 * may define any of them smaller on the compiler's command line. */
#ifndef RUNEVM_LIMITS_H
#define RUNEVM_LIMITS_H

#ifndef RUNEVM_MAX_NAME_BYTES
#define RUNEVM_MAX_NAME_BYTES 64
#endif
#ifndef RUNEVM_MAX_STAGES
#define RUNEVM_MAX_STAGES 32
#endif
#ifndef RUNEVM_MAX_CAPABILITIES
#define RUNEVM_MAX_CAPABILITIES 8
#endif
#ifndef RUNEVM_MAX_PARAMETERS
#define RUNEVM_MAX_PARAMETERS 8
#endif
#ifndef RUNEVM_MAX_MODELS
#define RUNEVM_MAX_MODELS 8
#endif
#ifndef RUNEVM_MAX_OUTPUTS
#define RUNEVM_MAX_OUTPUTS 8
#endif
#ifndef RUNEVM_MAX_PIN_BYTES
#define RUNEVM_MAX_PIN_BYTES 32
#endif
#ifndef RUNEVM_MAX_RESOURCES
#define RUNEVM_MAX_RESOURCES 16
#endif
#ifndef RUNEVM_MAX_TENSORS
#define RUNEVM_MAX_TENSORS 64
#endif
#ifndef RUNEVM_MAX_RANK
#define RUNEVM_MAX_RANK 8
#endif
#ifndef RUNEVM_MAX_STAGE_TENSORS
#define RUNEVM_MAX_STAGE_TENSORS 32
#endif
#ifndef RUNEVM_MAX_GRAPH_BYTES
#define RUNEVM_MAX_GRAPH_BYTES 16384
#endif
/* Blocks of a module in one another, a function's own included: engines may compile them by recursion. */
#ifndef RUNEVM_MAX_NESTING
#define RUNEVM_MAX_NESTING 48
#endif
#ifndef RUNEVM_ERROR_TEXT_BYTES
#define RUNEVM_ERROR_TEXT_BYTES 64
#endif

/* The time that one run may take, unless the configuration says otherwise, and how many steps of an engine (turns of loops,
 * calls of functions) lie between two looks at the clock. */
#ifndef RUNEVM_TIME_BUDGET_MS
#define RUNEVM_TIME_BUDGET_MS 30000u
#endif
#ifndef RUNEVM_STEPS_BETWEEN_LOOKS
#define RUNEVM_STEPS_BETWEEN_LOOKS 1024u
#endif

/* The console in RAM: its two rings, and how long a full one is waited for before bytes are dropped. */
#ifndef RUNEVM_RINGS_UP_BYTES
#define RUNEVM_RINGS_UP_BYTES 1024
#endif
#ifndef RUNEVM_RINGS_DOWN_BYTES
#define RUNEVM_RINGS_DOWN_BYTES 512
#endif
#ifndef RUNEVM_RINGS_WAIT_MS
#define RUNEVM_RINGS_WAIT_MS 250
#endif

#endif
