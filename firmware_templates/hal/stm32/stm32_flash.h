/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the flash controllers of STM32F1, F2 and F4: the first registers, the keys, waiting, errors.
 * ST's PM0075, 2.3 and 3; RM0090, 3.6 and 3.9. The driver defines before it includes this: FLASH_BASE; of SR, BSY, EOP
 * and ERRORS; of CR, LOCK; and POLLS, which take longer than the slowest operation. */
#ifndef STM32_FLASH_H
#define STM32_FLASH_H

#include "register.h"

#define FLASH_KEYR REGISTER(FLASH_BASE + 0x04u)
#define FLASH_SR REGISTER(FLASH_BASE + 0x0Cu)
#define FLASH_CR REGISTER(FLASH_BASE + 0x10u)

static inline int stm32_flash_is_ready(void)
{
    register_barrier();
    for (uint32_t i = 0; i < POLLS; i++) {
        if ((FLASH_SR & BSY) == 0) return 1;
    }
    return 0;
}

/* Waits for an operation's end: 0, or -1. */
static inline int stm32_flash_done(void)
{
    return stm32_flash_is_ready() && (FLASH_SR & ERRORS) == 0 ? 0 : -1;
}

/* flash_chip_open() */
static inline int stm32_flash_unlock(void)
{
    if (!stm32_flash_is_ready()) return -1;
    FLASH_SR = EOP | ERRORS;
    /* A key too many, or a wrong one, locks the controller until the next reset. */
    if ((FLASH_CR & LOCK) != 0) {
        FLASH_KEYR = 0x45670123u;
        FLASH_KEYR = 0xCDEF89ABu;
    }
    return (FLASH_CR & LOCK) == 0 ? 0 : -1;
}

/* flash_chip_close() */
static inline void stm32_flash_lock(void)
{
    if ((FLASH_SR & BSY) == 0) FLASH_CR = LOCK;
}

#endif
