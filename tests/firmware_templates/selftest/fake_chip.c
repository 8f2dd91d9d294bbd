/* A chip for selftest.c on the computer: requests on stdin (length u16, bytes), answers on stdout the same way.
 * Its memory holds 1000 bytes of a pattern at an address below 4 GiB, which the first answer tells. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "runevm_hal.h"
#include "selftest.h"
#include "selftest_chip.h"

static uint32_t words[3] = {0x11223344u, 0xA5A5A5A5u, 7u};
static uint32_t ticks, pins, cache_on = 1, cache_changes, drawn;
static int has_second = 1, faults, restarts, i2c_starts;

const selftest_register selftest_registers[] = {
    {"FIRST", (uintptr_t)&words[0]}, {"SECOND_OF_THE_CHIP", (uintptr_t)&words[1]}, {"THIRD", (uintptr_t)&words[2]},
    {"FOURTH", (uintptr_t)&words[2]}, {"FIFTH", (uintptr_t)&words[2]}, {"SIXTH", (uintptr_t)&words[2]},
    {"SEVENTH", (uintptr_t)&words[2]}, {"A_NAME_THAT_IS_LONGER_THAN_FORTY_CHARACTERS_ARE", (uintptr_t)&words[2]},
    {"NINTH", (uintptr_t)&words[2]}, {"TENTH", (uintptr_t)&words[2]}, {"ELEVENTH", (uintptr_t)&words[2]},
    {"TWELFTH", (uintptr_t)&words[2]}, {"THIRTEENTH", (uintptr_t)&words[2]}, {"LAST", (uintptr_t)&words[2]},
};
const uint32_t selftest_register_count = sizeof selftest_registers / sizeof selftest_registers[0];
const char selftest_reset_name[] = "RESET";

uint32_t selftest_chip_reset_cause(void)
{
    return 0;
}

void selftest_chip_start(void)
{
}

int selftest_chip_clock(selftest_clock *clock)
{
    *clock = (selftest_clock){"crystal of 32.768 kHz", 32770u, 32768u};
    return has_second-- > 0 ? 0 : -1;
}

int selftest_chip_overrun(void)
{
    return 0;
}

int selftest_chip_cache(int on)
{
    const int was = (int)cache_on;
    cache_on = (uint32_t)on;
    cache_changes++;
    return was;
}

int selftest_chip_level(uint32_t pin)
{
    return pin < 32u ? (int)(pins >> pin & 1u) : -1;
}

int selftest_chip_release(uint32_t pin)
{
    if (pin >= 32u) return -1;
    pins &= ~(1u << pin);
    return 0;
}

void runevm_hal_pin_configure(uint32_t pin, int level)
{
    if (pin >= 32u) return;
    pins = (pins & ~(1u << pin)) | ((uint32_t)level << pin);
}

uint32_t runevm_hal_milliseconds(void)
{
    return 1234u;
}

/* What is read while the cache is on takes less. */
uint32_t runevm_hal_ticks(void)
{
    ticks += cache_on ? 10u : 25u;
    return ticks;
}

int runevm_hal_random(uint32_t *bits)
{
    if (drawn++ >= 70u) return -1;
    *bits = drawn;
    return 0;
}

void runevm_hal_i2c_init(void)
{
    i2c_starts++;
}

/* One part, at 0x53, with 100 registers; another at 0x68. */
int runevm_hal_i2c_read(uint8_t address, uint8_t first, uint8_t *bytes, size_t length)
{
    if (i2c_starts != 1 || (address != 0x53 && address != 0x68)) return -1;
    if (first + length > 100u) return -1;
    memset(bytes, 0x5A, length);
    return 0;
}

static void fault(void)
{
    faults++;
}

static void restart(void)
{
    restarts++;
}

int main(void)
{
    selftest self = {.starts = 3, .reset_cause = 0xCAFEu, .overruns = 5, .fault = fault, .restart = restart};
    uint8_t *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (memory == MAP_FAILED) return 1;
    for (uint32_t i = 0; i < 1000u; i++) memory[i] = (uint8_t)(i * 7u);
    printf("%zu\n", (size_t)(uintptr_t)memory);
    fflush(stdout);
    for (;;) {
        const int low = getchar(), high = getchar();
        if (high == EOF) break;
        const size_t length = (size_t)low | (size_t)high << 8;
        /* Of their own sizes, so that a sanitizer sees a byte too many. */
        uint8_t *request = malloc(length > 0 ? length : 1), *answer = malloc(SELFTEST_ANSWER_BYTES);
        if (request == NULL || answer == NULL || fread(request, 1, length, stdin) != length) return 1;
        const size_t bytes = selftest_answer(&self, request, length, answer);
        for (size_t i = 0; i < bytes; i++) printf("%02x", answer[i]);
        printf("\n");
        fflush(stdout);
        free(request);
        free(answer);
    }
    printf("%d faults, %d restarts, cache %u after %u changes\n", faults, restarts, (unsigned)cache_on,
           (unsigned)cache_changes);
    return 0;
}
