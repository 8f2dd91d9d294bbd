/* SPDX-License-Identifier: Apache-2.0 */
/* A 32-bit register of the chip, by its address. */
#ifndef REGISTER_H
#define REGISTER_H

#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define REGISTER16(address) (*(volatile uint16_t *)(address))

/* Polls until the bits of `mask` are as in `value`: 1, or 0 when they never were. An emulator may
 * lack the register, so nothing waits for ever. */
static inline int register_becomes(uint32_t address, uint32_t mask, uint32_t value)
{
    for (int i = 0; i < 5000; i++) {
        if ((REGISTER(address) & mask) == value) return 1;
    }
    return 0;
}

/* What was stored has arrived before anything that follows: between registers and flash or RAM nothing else
 * says so to a Cortex-M. */
static inline void register_barrier(void)
{
    __asm volatile("dsb" ::: "memory");
}

/* Stored code is fetched from now on. */
static inline void register_code_barrier(void)
{
#if defined __riscv
    __asm volatile(".4byte 0x0000100F" ::: "memory"); /* fence.i, which the assembler takes for an extension */
#elif defined __xtensa__
    __asm volatile("isync" ::: "memory");
#endif
}

#endif
