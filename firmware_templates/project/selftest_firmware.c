/* SPDX-License-Identifier: Apache-2.0 */
/* The firmware of the self test: the link and the HAL of every firmware, no rune, no engine. */
#include <string.h>

#include "console.h"
#include "firmware.h"
#include "runevm.h"
#include "runevm_hal.h"
#include "runevm_link.h"
#include "selftest.h"
#include "selftest_chip.h"
#include "selftest_config.h"

static runevm vm;
static runevm_link serial;
static selftest tests;

/* Survives a restart, and not the loss of the supply. */
static struct {
    uint32_t magic, starts;
} kept __attribute__((section(".noinit")));

enum { KEPT = 0x53544B54 };

static int console_read(void *user)
{
    (void)user;
    /* Before the byte is taken, which takes the flag away on some chips. */
    if (tests.overruns != UINT32_MAX) tests.overruns += selftest_chip_overrun() == 1 ? 1u : 0u;
    return runec_console_read();
}

static void console_write(void *user, const uint8_t *bytes, size_t length)
{
    (void)user;
    runec_console_write(bytes, length);
}

static uint32_t clock_milliseconds(void *user)
{
    (void)user;
    return runevm_hal_milliseconds();
}

static uint32_t clock_ticks(void *user)
{
    (void)user;
    return runevm_hal_ticks();
}

static runevm_error take_nothing(void *user, const uint8_t *bytes, uint32_t length)
{
    (void)user;
    (void)bytes;
    (void)length;
    return RUNEVM_OK;
}

static void fault(void)
{
#if defined __arm__
    __asm volatile("udf #0");
#elif defined __riscv
    __asm volatile(".4byte 0"); /* never an instruction */
#elif defined __xtensa__
    __asm volatile(".byte 0, 0, 0"); /* ill */
#else
#error "an instruction that is none"
#endif
}

void runec_firmware_start(runec_stack stack)
{
    static const uint8_t NO_RUNE[1];
    const runevm_link_io io = {NULL,        console_read,     console_write, clock_milliseconds,
                               clock_ticks, stack.used_bytes, NULL};
    const runevm_link_identity identity = {SELFTEST_BOARD, SELFTEST_VERSION, SELFTEST_ENGINE, 0};
    runevm_config config;

    runevm_hal_init();
    runec_console_init();
    tests.reset_cause = selftest_chip_reset_cause();
    kept.starts = kept.magic == KEPT ? kept.starts + 1u : 1u;
    kept.magic = KEPT;
    tests.starts = kept.starts;
    tests.overruns = selftest_chip_overrun() < 0 ? UINT32_MAX : 0;
    tests.fault = fault;
    tests.restart = runevm_hal_reset;
    selftest_chip_start();

    runevm_link_init(&serial, &io, &identity);
    runevm_link_answer_selftest(&serial, selftest_answer, &tests);
    memset(&config, 0, sizeof config);
    config.callbacks.user = &serial;
    config.callbacks.write = take_nothing;
    config.callbacks.milliseconds = runevm_link_milliseconds;
    (void)runevm_load(&vm, &config, NO_RUNE, 0); /* HELLO reports that there is no rune */
    runec_console_say("\r\nrunec " SELFTEST_VERSION " " SELFTEST_BOARD " " SELFTEST_ENGINE "\r\n");
}

void runec_firmware_serve(void)
{
    runevm_link_serve(&serial, &vm);
}
