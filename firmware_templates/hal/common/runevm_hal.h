/* SPDX-License-Identifier: Apache-2.0 */
/* Interface of a board. One implementation per chip, in firmware_templates/hal/<chip family>/. */
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

/* A free-running counter of the finest available unit (cycles if the chip counts them); wraps. */
uint32_t runevm_hal_ticks(void);

/* 32 bits from the chip's random number generator: 0, or -1 when it has none or it does not work; then
 * the caller takes a seed that it states. */
int runevm_hal_random(uint32_t *bits);

/* Pins, by their number in `[hal.ports]` of the board file. The first makes a pin an output with an initial
 * level; the second sets the level of an output. */
void runevm_hal_pin_configure(uint32_t pin, int level);
void runevm_hal_pin_write(uint32_t pin, int level);

/* I2C at 100 kHz, for drivers of sensors. Switched on by its user. A board whose file names no
 * `i2c` has none of these three. */
void runevm_hal_i2c_init(void);

/* Sends bytes, of which the first is usually a register's number, to the part at a 7-bit address: 0, or -1
 * when the part does not answer. At most 32 bytes on chips whose controller reads them autonomously. */
int runevm_hal_i2c_write(uint8_t address, const uint8_t *bytes, size_t length);

/* Reads the registers from `first` on: 0, or -1. At most 255 bytes. */
int runevm_hal_i2c_read(uint8_t address, uint8_t first, uint8_t *bytes, size_t length);

/* Flash that the program may keep things in: the whole sectors behind its own end, up to the end of the board
 * file's `code`, or of its `constants`; or those of its `storage`, which can be read once
 * runevm_hal_flash_free() was called. Boards whose file shares no `flash`, and vendor builds, have none of
 * these four.
 *
 * While the controller works the processor stands still where it runs from the same flash: up to seconds for a
 * large sector, in which the console may lose bytes and the clock time. The supply must be 2.7 V or more. */
enum { RUNEVM_FLASH_GRANULE = 4 };

typedef struct {
    uint32_t first, size_bytes;
} runevm_flash_range;

typedef enum {
    RUNEVM_FLASH_OK = 0,
    RUNEVM_FLASH_REFUSED = -1,    /* the program's own, outside flash, or between two granules: nothing was done */
    RUNEVM_FLASH_NOT_ERASED = -2, /* something is written there: nothing was done */
    RUNEVM_FLASH_FAILED = -3,     /* the controller reports an error, or did not become ready in time */
    RUNEVM_FLASH_DIFFERS = -4     /* read back, it is not as it should be */
} runevm_flash_status;

/* The sector of an address; empty outside flash. */
runevm_flash_range runevm_hal_flash_sector(uint32_t address);

/* The writable region; empty if the program fills the flash. */
runevm_flash_range runevm_hal_flash_free(void);

/* Erases the sector at `address` to 0xFF. */
runevm_flash_status runevm_hal_flash_erase(uint32_t address);

/* Writes bytes, from anywhere in memory, to erased flash at a multiple of the granule. Any length: the last
 * granule is filled up with 0xFF, and each one is written once between two erasures. */
runevm_flash_status runevm_hal_flash_write(uint32_t address, const uint8_t *bytes, size_t length);

/* Restart the chip. Does not return. */
void runevm_hal_reset(void) __attribute__((noreturn));

#ifdef __cplusplus
}
#endif
#endif
