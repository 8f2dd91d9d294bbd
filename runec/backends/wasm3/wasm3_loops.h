/* Included before m3_compile.c (-include): the two operations that jump back to the head of a loop
 * are replaced by ones that count, so that a rune that never ends is stopped. */
#ifndef RUNEVM_WASM3_LOOPS_H
#define RUNEVM_WASM3_LOOPS_H

#include "wasm3_heap.h"

#include "m3_exec.h"

extern uint32_t runevm_wasm3_steps_left;
extern const char runevm_wasm3_out_of_time[];

d_m3Op(CountedContinueLoop) {
    void *loop = immediate(void *);
    if (runevm_wasm3_steps_left == 0) newTrap(runevm_wasm3_out_of_time);
    runevm_wasm3_steps_left--;
    return loop;
}

d_m3Op(CountedContinueLoopIf) {
    i32 condition = (i32)_r0;
    void *loop = immediate(void *);
    if (!condition) nextOp();
    if (runevm_wasm3_steps_left == 0) newTrap(runevm_wasm3_out_of_time);
    runevm_wasm3_steps_left--;
    return loop;
}

#define op_ContinueLoop op_CountedContinueLoop
#define op_ContinueLoopIf op_CountedContinueLoopIf

#endif
