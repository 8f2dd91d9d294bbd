/* SPDX-License-Identifier: Apache-2.0 */
/* Included before m3_compile.c (-include): the two operations that jump back to the head of a loop
 * are replaced by ones that count, so that a rune that never ends is stopped. */
#ifndef RUNEVM_WASM3_LOOPS_H
#define RUNEVM_WASM3_LOOPS_H

#include "wasm3_config.h"

#include "m3_exec.h"
#include "wasm3_clock.h"

d_m3Op(CountedContinueLoop)
{
    void *loop = immediate(void *);
    m3ret_t stop = runevm_wasm3_step();
    if (stop != NULL) newTrap(stop);
    return loop;
}

d_m3Op(CountedContinueLoopIf)
{
    i32 condition = (i32)_r0;
    void *loop = immediate(void *);
    if (!condition) nextOp();
    m3ret_t stop = runevm_wasm3_step();
    if (stop != NULL) newTrap(stop);
    return loop;
}

#define op_ContinueLoop op_CountedContinueLoop
#define op_ContinueLoopIf op_CountedContinueLoopIf

#endif
