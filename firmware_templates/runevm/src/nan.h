/* SPDX-License-Identifier: Apache-2.0 */
/* Processors make NaNs of different signs; what leaves a model or the device has one: section 2.5 of docs/spec/rune.md. */
#ifndef RUNEVM_NAN_H
#define RUNEVM_NAN_H

#include "runevm.h"

/* The bytes to write for one element: the element's own, or those of the one NaN. */
const uint8_t *runevm_one_nan(runevm_element element, const uint8_t *bytes);

/* The same in place, for a whole tensor. */
void runevm_one_nan_each(const runevm_tensor *tensor, uint8_t *bytes);

#endif
