/* SPDX-License-Identifier: Apache-2.0 */
/* Start-up of a Cortex-M: vectors, FPU where the code uses one, memory; faults; restart.
 * Register numbers: ARM's ARMv7-M architecture reference manual, B3.2 and B3.4; of the FPU, B1.5.7 and B3.2.20 to B3.2.22. */
#include "board_runtime.h"
#include "cortex_m.h"
#include "register.h"
#include "runevm_hal.h"

#define CPACR REGISTER(0xE000ED88u)
#define AIRCR REGISTER(0xE000ED0Cu)
#define VTOR REGISTER(0xE000ED08u)
#define NVIC_ICER(word) REGISTER(0xE000E180u + 4u * (word))
#define FPCCR REGISTER(0xE000EF34u)
#define FPDSCR REGISTER(0xE000EF3Cu)

enum { NVIC_WORDS = 8 };

#define FPU_ACCESS (0xFu << 20) /* CP10 and CP11 */
#define FPCCR_ASPEN (1u << 31)
#define FPCCR_LSPEN (1u << 30)

void runec_start(void);

#ifdef __ARM_FP
/* A handler's first FPU instruction saves the interrupted program's registers to its stack, which may be what
 * faulted: FPCCR.LSPACT, bit 0, says that this is still to be done, and nothing returns to that program. */
#define FORGET_FPU_CONTEXT "ldr r0, =0xE000EF34\n\tldr r1, [r0]\n\tbic r1, r1, #1\n\tstr r1, [r0]\n\t"
#else
#define FORGET_FPU_CONTEXT ""
#endif

/* The stack pointer may be what faulted, so each handler takes a fresh stack before any C. */
#define FAULT_HANDLER(name, text)                                                                             \
    static void __attribute__((noreturn, used)) name##_report(void)                                           \
    {                                                                                                         \
        runec_fault(text);                                                                                    \
    }                                                                                                         \
    static void __attribute__((naked)) name(void)                                                             \
    {                                                                                                         \
        __asm volatile("ldr r0, =runec_stack_top\n\tmov sp, r0\n\t" FORGET_FPU_CONTEXT "b " #name "_report"); \
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

#ifdef __ARM_FP
/* IEEE 754 as in the host and in soft float: round to nearest, subnormal numbers, NaNs as they come (FZ, DN and RMode are
 * 0). A boot loader may have left others; interrupt handlers begin with those of FPDSCR. Registers of the FPU are saved
 * when a handler uses the FPU, and only then (ASPEN, LSPEN): one that does not costs no more time than without an FPU,
 * and 72 bytes more of stack. */
static inline void start_fpu(void)
{
    CPACR |= FPU_ACCESS;
    __asm volatile("dsb\n\tisb" ::: "memory");
    FPCCR = FPCCR_ASPEN | FPCCR_LSPEN;
    FPDSCR = 0;
    __asm volatile("dsb\n\tisb\n\tvmsr fpscr, %0" : : "r"(0u) : "memory");
}

/* The compiler may use the FPU's registers in any C, that before they are there as well. */
__attribute__((target("general-regs-only")))
#else
static inline void start_fpu(void)
{
}
#endif
void runec_start(void)
{
    start_fpu();
    VTOR = (uint32_t)(uintptr_t)vectors;
    /* Nothing here has an interrupt of its chip, but a boot loader may have. */
    for (uint32_t i = 0; i < NVIC_WORDS; i++) NVIC_ICER(i) = 0xFFFFFFFFu;
    __asm volatile("cpsie i" ::: "memory");
    runec_init_memory();
    (void)main();
    runec_fault("main() returned");
}

__attribute__((weak)) void runec_before_reset(void)
{
}

void runevm_hal_reset(void)
{
    runec_before_reset();
    __asm volatile("dsb" ::: "memory");
    AIRCR = 0x05FA0004u;
    for (;;) { }
}
