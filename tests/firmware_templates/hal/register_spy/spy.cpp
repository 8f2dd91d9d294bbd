/* Beside the files of a HAL: who is told of registers, and the clock. */
#include "register.h"
#include "runevm_hal.h"

uint32_t (*spy_read)(uint32_t address);
void (*spy_write)(uint32_t address, uint32_t value);
static uint32_t (*spy_milliseconds)();

extern "C" void spy_on(uint32_t (*read)(uint32_t), void (*write)(uint32_t, uint32_t), uint32_t (*milliseconds)())
{
    spy_read = read;
    spy_write = write;
    spy_milliseconds = milliseconds;
}

extern "C" uint32_t runevm_hal_milliseconds(void)
{
    return spy_milliseconds();
}
