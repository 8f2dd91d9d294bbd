/* SPDX-License-Identifier: Apache-2.0 */
/* Start-up of an ESP32 (Xtensa LX6) with code of the call0 ABI. The loader before it may have used register
 * windows: they are switched off here, and nothing in this program turns them on again. */
    .section .text.start, "ax"
    .literal_position
    .align 4
    .globl runec_start
    .type runec_start, @function
runec_start:
    movi a0, 0
    movi a2, 0x1F               /* PS: no interrupts, no register windows, exceptions as in an exception */
    wsr.ps a2
    rsync
    movi a2, runec_vectors
    wsr.vecbase a2
    movi a2, 0x0F               /* from here on a fault is a kernel exception, no double one */
    wsr.ps a2
    .byte 0x00, 0x02, 0x13      /* wsr.lcount a0, which an LX106 lacks: no loop of the loader goes on */
    rsync
    movi sp, runec_stack_top
    movi a2, runec_init_memory
    callx0 a2
    movi a2, main
    callx0 a2
    movi a2, text_returned
    movi a3, runec_fault
    callx0 a3

/* Only the places of the three exceptions are used: 0x300 kernel, 0x340 user, 0x3C0 double. */
    .section .text.vectors, "ax"
    .balign 1024
runec_vectors:
    .space 0x300
    j runec_trap
    .balign 0x40
    j runec_trap
    .balign 0x40
    .balign 0x40
    .space 0x40
    j runec_trap

    .literal_position
    .align 4
runec_trap:
    /* The stack pointer may be what faulted. */
    movi a2, 0x1F
    wsr.ps a2
    rsync
    movi sp, runec_stack_top
    movi a2, text_fault
    movi a3, runec_fault
    callx0 a3

    .section .rodata.start, "a"
text_returned:
    .string "main() returned"
text_fault:
    .string "fault"
