/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of capabilities, as the graph lists them and as a rune sets them. */
#ifndef RUNEVM_PARAMETER_H
#define RUNEVM_PARAMETER_H

#include "runevm.h"

/* Bytes of a value of a type of request_capability_set_param, or 0 where there is no such type. */
uint32_t runevm_value_bytes(uint32_t type);

/* Does the JSON object `parameters` list this value under this key? Of a listed float counts what it
 * is when rounded to f32. `value` has as many bytes as its type says. */
bool runevm_parameter_listed(runevm_text parameters, const uint8_t *key, uint32_t key_bytes, const uint8_t *value,
                             uint32_t type);

#endif
