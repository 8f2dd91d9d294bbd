/* SPDX-License-Identifier: Apache-2.0 */
/* Every fixed limit of runevm. */
#ifndef RUNEVM_LIMITS_H
#define RUNEVM_LIMITS_H

/* Of the file format, docs/spec/rune.md, section 3: a rune over one of them is refused with RUNEVM_ERR_LIMIT. The sizes of
 * public structs follow from them, so they are the same for every file of a firmware. */
#define RUNEVM_MAX_NAME_BYTES 64
#define RUNEVM_MAX_STAGES 32
#define RUNEVM_MAX_CAPABILITIES 8
#define RUNEVM_MAX_PARAMETERS 8
#define RUNEVM_MAX_MODELS 8
#define RUNEVM_MAX_OUTPUTS 8
#define RUNEVM_MAX_PIN_BYTES 32
#define RUNEVM_MAX_RESOURCES 16
#define RUNEVM_MAX_TENSORS 64
#define RUNEVM_MAX_RANK 8
#define RUNEVM_MAX_STAGE_TENSORS 32
#define RUNEVM_MAX_GRAPH_BYTES 16384
/* Blocks of a module in one another, a function's own included: engines may compile them by recursion. */
#define RUNEVM_MAX_NESTING 48

/* Of this library: resources that a rune has open at a time, and the length of runevm_error_detail(). */
#define RUNEVM_MAX_OPEN_RESOURCES 8
#define RUNEVM_ERROR_TEXT_BYTES 64

/* No struct depends on the rest; each may be defined otherwise on the compiler's command line. */

/* Time limit of one run if it is 0 in runevm_config, and how many steps of an engine (turns of loops, calls of
 * functions) lie between two looks at the clock. */
#ifndef RUNEVM_TIME_BUDGET_MS
#define RUNEVM_TIME_BUDGET_MS 30000u
#endif
#ifndef RUNEVM_STEPS_BETWEEN_LOOKS
#define RUNEVM_STEPS_BETWEEN_LOOKS 1024u
#endif

/* The console in RAM (runevm_rtt.h): its two buffers, and the time-out of a full one before bytes are dropped. */
#ifndef RUNEVM_RTT_UP_BYTES
#define RUNEVM_RTT_UP_BYTES 1024
#endif
#ifndef RUNEVM_RTT_DOWN_BYTES
#define RUNEVM_RTT_DOWN_BYTES 512
#endif
#ifndef RUNEVM_RTT_WAIT_MS
#define RUNEVM_RTT_WAIT_MS 250
#endif

#endif
