/* What blocks ask of the compiler for WebAssembly, on an Arm: its conversions to 32 bits are the same, saturated and NaN
 * to 0; those to 64 bits are the same for what fits. */
#ifndef WASM_BUILTINS_H
#define WASM_BUILTINS_H

#include <stdint.h>

#define __builtin_wasm_trunc_saturate_s_i32_f32(x) ((int32_t)(x))
#define __builtin_wasm_trunc_saturate_s_i32_f64(x) ((int32_t)(x))
#define __builtin_wasm_trunc_saturate_u_i32_f32(x) ((uint32_t)(x))
#define __builtin_wasm_trunc_saturate_s_i64_f32(x) ((int64_t)(x))
#define __builtin_wasm_trunc_saturate_s_i64_f64(x) ((int64_t)(x))
#define __builtin_wasm_trunc_saturate_u_i64_f32(x) ((uint64_t)(x))

#endif
