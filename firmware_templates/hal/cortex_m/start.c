/* SPDX-License-Identifier: Apache-2.0 */
/* Start-up of a Cortex-M: vectors, FPU if the code uses it, memory; faults; restart.
 * Register numbers: ARM's ARMv7-M architecture reference manual, B3.2. */
#include "board_runtime.h"
#include "cortex_m.h"
#include "register.h"
#include "runevm_hal.h"

#define CPACR REGISTER(0xE000ED88u)
#define AIRCR REGISTER(0xE000ED0Cu)
#define VTOR REGISTER(0xE000ED08u)

void runec_start(void);

/* The stack pointer may be what faulted, so each handler takes a fresh stack before any C. */
#define FAULT_HANDLER(name, text)                                                       \
    static void __attribute__((noreturn, used)) name##_report(void)                     \
    {                                                                                   \
        runec_fault(text);                                                              \
    }                                                                                   \
    static void __attribute__((naked)) name(void)                                       \
    {                                                                                   \
        __asm volatile("ldr r0, =runec_stack_top\n\tmov sp, r0\n\tb " #name "_report"); \
    }

FAULT_HANDLER(hard_fault, "hard fault")
FAULT_HANDLER(memory_fault, "memory fault")
FAULT_HANDLER(bus_fault, "bus fault")
FAULT_HANDLER(usage_fault, "usage fault")
FAULT_HANDLER(unexpected, "unexpected interrupt")

/* A chip whose clock is SysTick brings its own. */
void runec_systick(void) __attribute__((weak, alias("unexpected")));

/* Objects of newlib 4.5 (setjmp) name it in their unwind tables. Nothing unwinds here; without it the linker takes
 * libgcc's unwinder, 3 KB that need symbols of a linker script for it. */
void __aeabi_unwind_cpp_pr0(void);
void __aeabi_unwind_cpp_pr0(void)
{
}

typedef void (*vector)(void);

__attribute__((section(".vectors"), used)) static const vector vectors[16] = {
    (vector)(uintptr_t)runec_stack_top,
    runec_start,
    unexpected,
    hard_fault,
    memory_fault,
    bus_fault,
    usage_fault,
    unexpected,
    unexpected,
    unexpected,
    unexpected,
    unexpected,
    unexpected,
    unexpected,
    unexpected,
    runec_systick,
};

void runec_start(void)
{
#ifdef __ARM_FP
    CPACR |= 0xFu << 20; /* before C code that may contain FPU instructions */
    __asm volatile("dsb\n\tisb" ::: "memory");
#endif
    VTOR = (uint32_t)(uintptr_t)vectors;
    runec_init_memory();
    (void)main();
    runec_fault("main() returned");
}

void runevm_hal_reset(void)
{
    __asm volatile("dsb" ::: "memory");
    AIRCR = 0x05FA0004u;
    for (;;) { }
}
