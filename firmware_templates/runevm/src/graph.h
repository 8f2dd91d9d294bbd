/* SPDX-License-Identifier: Apache-2.0 */
/* .rune_graph: section 3 of docs/spec/rune.md. */
#ifndef RUNEVM_GRAPH_H
#define RUNEVM_GRAPH_H

#include "sections.h"

/* Parses the graph into `rune`, which is all zeros, and checks its consistency
 * and against the file's sections. The SHA-256 of the parts are checked for their form only:
 * .rune_digest, which the caller has checked, covers the same bytes. */
runevm_error runevm_graph_read(runevm_rune *rune, const runevm_sections *sections);

#endif
