/* SPDX-License-Identifier: Apache-2.0 */
/* The functions that a rune imports from `env` (runevm_imports, runevm_engine.h). */
#ifndef RUNEVM_IMPORTS_H
#define RUNEVM_IMPORTS_H

#include "runevm.h"

/* Forgets every id. Before _manifest. */
void runevm_imports_begin(runevm *vm);

/* Before each _call: resource ids of the previous one are reused. */
void runevm_imports_begin_call(runevm *vm);

#endif
