/* SPDX-License-Identifier: Apache-2.0 */
/* What a function that calls setjmp() needs beside it. */
#ifndef RUNEVM_JUMP_H
#define RUNEVM_JUMP_H

/* newlib's longjmp() restores the registers of an Arm processor that a function must keep, but for those of its FPU, s16 to
 * s31. With this before setjmp() the function itself restores them when it returns. */
#if defined(__arm__) && defined(__ARM_FP)
#define RUNEVM_KEEP_FPU_REGISTERS() __asm volatile("" : : : "d8", "d9", "d10", "d11", "d12", "d13", "d14", "d15")
#else
#define RUNEVM_KEEP_FPU_REGISTERS() ((void)0)
#endif

#endif
