/* Start-up of a Cortex-M4F: vectors, FPU, memory; faults. */
#include "board_runtime.h"

#define CPACR (*(volatile uint32_t *)0xE000ED88u)
#define VTOR (*(volatile uint32_t *)0xE000ED08u)

void runec_start(void);
void runec_systick(void);

/* The stack pointer may be what faulted, so each handler takes a fresh stack before any C. */
#define FAULT_HANDLER(name, text)                                             \
    static void __attribute__((noreturn, used)) name##_report(void)           \
    {                                                                         \
        runec_fault(text);                                                    \
    }                                                                         \
    static void __attribute__((naked)) name(void)                             \
    {                                                                         \
        __asm volatile("ldr r0, =runec_stack_top\n\tmov sp, r0\n\tb " #name "_report"); \
    }

FAULT_HANDLER(hard_fault, "hard fault")
FAULT_HANDLER(memory_fault, "memory fault")
FAULT_HANDLER(bus_fault, "bus fault")
FAULT_HANDLER(usage_fault, "usage fault")
FAULT_HANDLER(unexpected, "unexpected interrupt")

typedef void (*vector)(void);

__attribute__((section(".vectors"), used)) static const vector vectors[16] = {
    (vector)(uintptr_t)runec_stack_top, runec_start, unexpected, hard_fault, memory_fault, bus_fault, usage_fault,
    unexpected, unexpected, unexpected, unexpected, unexpected, unexpected, unexpected, unexpected, runec_systick,
};

void runec_start(void)
{
    CPACR |= 0xFu << 20; /* before any C that the compiler may have given FPU instructions */
    __asm volatile("dsb\n\tisb" ::: "memory");
    VTOR = (uint32_t)(uintptr_t)vectors;
    runec_init_memory();
    (void)main();
    runec_fault("main() returned");
}
