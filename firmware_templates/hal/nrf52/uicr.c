/* SPDX-License-Identifier: Apache-2.0 */
/* Debug port and reset pin of an nRF52: what its UICR, which outlives programs, says of them. Register numbers: Nordic's nRF52832
 * and nRF52840 product specifications, chapters UICR, FICR and "Debug and trace"; which chips lock their port:
 * nrf52_configuration_249() of mdk/nrf52_erratas.h in Nordic's nrfx, and system_nrf52_approtect.h beside it. The board file gives
 * HAL_RESET_PIN where the board has a reset button there. */
#include "flash.h"
#include "nrf52.h"
#include "register.h"

#define FICR_PART REGISTER(0x10000130u)
#define FICR_REVISION REGISTER(0x10000134u)
#define UICR_PSELRESET(copy) REGISTER(0x10001200u + 4u * (copy))
#define UICR_PSELRESET_ADDRESS(copy) (0x10001200u + 4u * (copy))
#define UICR_APPROTECT REGISTER(0x10001208u)
#define APPROTECT_DISABLE REGISTER(0x40000558u)

enum { NRF52832 = 6, NRF52840 = 8, PSELRESET_COPIES = 2 };

#define ERASED 0xFFFFFFFFu

/* Chips of build code Fxx and later: after a reset their port is locked until the program opens it. */
static int locks_itself(void)
{
    const uint32_t part = FICR_PART, revision = FICR_REVISION;
    return (part == NRF52840 && revision >= 5u) || (part == NRF52832 && revision >= 7u);
}

/* Erasing all, as unlocking does, takes the reset pin away: it is one again from the next reset on. */
static void restore_reset_pin(void)
{
#ifdef HAL_RESET_PIN
    if (UICR_PSELRESET(0u) != ERASED || UICR_PSELRESET(1u) != ERASED || flash_chip_open() != 0) return;
    for (uint32_t i = 0; i < PSELRESET_COPIES; i++) (void)flash_chip_program(UICR_PSELRESET_ADDRESS(i), HAL_RESET_PIN);
    flash_chip_close();
#endif
}

void nrf52_open_port(void)
{
    /* Open where UICR has 0x5A, which says that; whatever else leaves it locked. */
    if (locks_itself()) {
        const uint32_t wanted = UICR_APPROTECT;
        APPROTECT_DISABLE = wanted;
    }
    restore_reset_pin();
}
