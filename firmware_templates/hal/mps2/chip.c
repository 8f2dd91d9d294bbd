/* Console and chance of the Cortex-M4 in Arm's MPS2+ FPGA board, image AN386. Register numbers: Arm's
 * "Cortex-M System Design Kit", 4.3 (UART); addresses: application note AN386, 3 and 4. Clocks and pins are
 * the image's own. The board file gives HAL_UART_BASE, HAL_UART_CLOCK_HZ and HAL_BAUD. */
#include "register.h"
#include "runevm_hal.h"
#include "systick.h"

#define UART_DATA REGISTER(HAL_UART_BASE + 0x00u)
#define UART_STATE REGISTER(HAL_UART_BASE + 0x04u)
#define UART_CTRL REGISTER(HAL_UART_BASE + 0x08u)
#define UART_BAUDDIV REGISTER(HAL_UART_BASE + 0x10u)

enum { TX_FULL = 1, RX_FULL = 2 };

void runevm_hal_init(void)
{
    UART_BAUDDIV = (HAL_UART_CLOCK_HZ + HAL_BAUD / 2u) / HAL_BAUD;
    UART_CTRL = 3u; /* sends, receives */
    systick_start();
}

int runevm_hal_read(void)
{
    return (UART_STATE & RX_FULL) != 0 ? (int)(UART_DATA & 0xFFu) : -1;
}

void runevm_hal_write(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        while ((UART_STATE & TX_FULL) != 0) { }
        UART_DATA = bytes[i];
    }
}

int runevm_hal_random(uint32_t *bits)
{
    (void)bits;
    return -1;
}
