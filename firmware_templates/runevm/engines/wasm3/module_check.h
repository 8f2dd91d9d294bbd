/* SPDX-License-Identifier: Apache-2.0 */
/* What wasm3 takes on trust about a module, checked before wasm3 sees it. */
#ifndef RUNEVM_MODULE_CHECK_H
#define RUNEVM_MODULE_CHECK_H

#include <stdint.h>

/* Walks the sections of a module, the instructions of its functions and its data segments, without recursion and without
 * memory of its own. wasm3 compiles nested blocks by recursion, adds lengths to 32-bit pointers without a look at overflow,
 * and makes room for the branches of a table from a count that can wrap.
 *
 * Returns NULL, or what is wrong: the module is malformed, has an instruction that wasm3 does not know, or nests blocks
 * deeper than `nesting_max`, a function's own block included. */
const char *runevm_check_module(const uint8_t *code, uint32_t code_bytes, uint32_t nesting_max);

#endif
