/* What a board gives. One implementation a chip, in firmware_templates/hal/<chip family>/. */
#ifndef RUNEVM_HAL_H
#define RUNEVM_HAL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Console up, clocks and timer running. Called first, from main(). */
void runevm_hal_init(void);

/* One byte from the console, or -1 when none is there. Never waits. */
int runevm_hal_read(void);

/* Sends all bytes; waits for the console. */
void runevm_hal_write(const uint8_t *bytes, size_t length);

/* Milliseconds since start; wraps. */
uint32_t runevm_hal_milliseconds(void);

/* A free-running counter of the finest unit there is (cycles where the chip counts them); wraps. */
uint32_t runevm_hal_ticks(void);

/* Restart the chip. Does not return. */
void runevm_hal_reset(void) __attribute__((noreturn));

#ifdef __cplusplus
}
#endif
#endif
