/* SPDX-License-Identifier: Apache-2.0 */
/* Interface of a chip family for the flash of runevm_hal.h. The callers ensure that the sector or word
 * may be changed, that the word is erased, and that every flash_chip_open() is followed by flash_chip_close(). */
#ifndef FLASH_H
#define FLASH_H

#include <stdint.h>

#include "runevm_hal.h"

/* Places of the linker script: the board's `code`, and where in it the program ends. */
extern const uint8_t runec_flash_start[], runec_flash_end[], runec_program_end[];

#define FLASH_START ((uint32_t)(uintptr_t)runec_flash_start)
#define FLASH_END ((uint32_t)(uintptr_t)runec_flash_end)
#define PROGRAM_END ((uint32_t)(uintptr_t)runec_program_end)

/* The sector around an address of flash; of no bytes where this controller has none. */
runevm_flash_range flash_chip_sector(uint32_t address);

/* Waits for the controller, unlocks it, forgets earlier errors: 0, or -1. */
int flash_chip_open(void);

/* Each waits for its end: 0, or -1 when the controller reports an error or takes far too long. */
int flash_chip_erase(runevm_flash_range sector);
int flash_chip_program(uint32_t address, uint32_t word);

/* Locks the controller, on every way out; not while it is busy, when it would hold the processor up. */
void flash_chip_close(void);

#endif
