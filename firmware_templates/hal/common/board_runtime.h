/* SPDX-License-Identifier: Apache-2.0 */
/* What start-up code, main() and the HAL share on bare metal. Symbols in capitals of the linker script are places. */
#ifndef BOARD_RUNTIME_H
#define BOARD_RUNTIME_H

#include <stdint.h>

extern uint8_t runec_stack_bottom[], runec_stack_top[];
extern uint32_t runec_data_load[], runec_data_start[], runec_data_end[];
extern uint32_t runec_bss_start[], runec_bss_end[];

int main(void);

/* Fills .data and .bss. Called by the start-up code before anything else in C. */
void runec_init_memory(void);

/* Prints the error on the console, then restarts the chip. Needs a stack only. */
void runec_fault(const char *what) __attribute__((noreturn));

#endif
