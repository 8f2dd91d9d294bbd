/* SPDX-License-Identifier: Apache-2.0 */
/* Start-up of an ESP32-C3 that runs from flash in place: the boot ROM jumps to the word that follows
 * the header, which is where the linker script puts .text.start. */
    .option arch, +zicsr
    .section .text.start, "ax"
    .globl runec_start
    .type runec_start, @function
runec_start:
    csrci mstatus, 8            /* no interrupts */
    la sp, runec_stack_top
    la t0, runec_trap
    ori t0, t0, 1               /* vectored, the only mode of this core; traps take entry 0 */
    csrw mtvec, t0
    call runec_init_memory
    call main
    la a0, text_returned
    call runec_fault

    .section .text.trap, "ax"
    .balign 256
    .type runec_trap, @function
runec_trap:
    /* The stack pointer may be what faulted. */
    la sp, runec_stack_top
    la a0, text_fault
    call runec_fault

    .section .rodata
text_returned:
    .string "main() returned"
text_fault:
    .string "fault"
