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
#ifndef RUNEVM_ERROR_TEXT_BYTES
#define RUNEVM_ERROR_TEXT_BYTES 64
#endif

#endif
