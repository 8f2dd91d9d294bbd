/* SPDX-License-Identifier: Apache-2.0 */
/* The firmware: the rune in flash, its engines, and the link that runs it on request. */
#include <string.h>

#include "console.h"
#include "firmware.h"
#include "firmware_config.h"
#include "runevm.h"
#include "runevm_hal.h"
#include "runevm_link.h"

#ifdef FIRMWARE_ENGINE_AOT
#include "engine_aot.h"
#else
#include "engine_wasm3.h"
#endif

#if FIRMWARE_MODELS > 0
#include "model_tflm.h"
#endif

#ifdef FIRMWARE_ACCELEROMETER
#include "accelerometer.h"
#endif

extern const uint8_t firmware_rune[], firmware_rune_end[];

static runevm vm;
static runevm_link serial;
#ifdef FIRMWARE_ENGINE_AOT
static runevm_aot engine;
#else
static runevm_wasm3 engine;
static uint8_t pool[FIRMWARE_POOL_BYTES] __attribute__((aligned(16)));
#endif

#if FIRMWARE_MODELS > 0
static runevm_tflm models;
static runevm_tflm_slot model_slots[FIRMWARE_MODELS];
static uint8_t arena[FIRMWARE_ARENA_BYTES] __attribute__((aligned(16)));
#endif

#ifdef FIRMWARE_ACCELEROMETER
static runec_accelerometer accelerometer = {&FIRMWARE_ACCELEROMETER, FIRMWARE_ACCELEROMETER_ADDRESS,
                                            FIRMWARE_ACCELEROMETER_HZ, false};
#endif

/* Survives a restart. A rune that kills the chip while it is being loaded would do so for ever: the
 * second time it is left alone, so that the host receives the error. */
static struct {
    uint32_t magic, attempt;
} loading FIRMWARE_KEPT;

enum { LOADING = 0x4C4F4144 };

static int console_read(void *user)
{
    (void)user;
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

/* Data of a capability: from the sensor on the board if the firmware has its driver, else from the host. */
static runevm_error provide(void *user, const runevm_capability *capability, uint8_t *buffer, uint32_t length)
{
#ifdef FIRMWARE_ACCELEROMETER
    if (capability->kind == RUNEVM_ACCEL) {
        int status = runec_accelerometer_sample(&accelerometer, buffer, length / FIRMWARE_ACCELEROMETER_SAMPLE_BYTES);
        if (status == RUNEC_SENSOR_OK) {
            return RUNEVM_OK;
        }
        runevm_set_detail(&vm, status == RUNEC_SENSOR_ANOTHER ? "another part than the " FIRMWARE_ACCELEROMETER_NAME
                                                              : "no answer from the " FIRMWARE_ACCELEROMETER_NAME);
        return RUNEVM_ERR_SENSOR;
    }
#endif
    return runevm_link_provide(user, capability, buffer, length);
}

#ifdef FIRMWARE_PINS
/* Pins of the outputs. `inverted`: the part on the board is on when the pin is low. */
static const struct {
    uint32_t output, pin;
    bool inverted, level_of_0;
} PINS[] = {FIRMWARE_PINS};

enum { PIN_COUNT = sizeof PINS / sizeof PINS[0] };

static void configure_pins(void)
{
    for (uint32_t i = 0; i < PIN_COUNT; i++) {
        runevm_hal_pin_configure(PINS[i].pin, PINS[i].level_of_0 != PINS[i].inverted);
    }
}

static runevm_error drive(void *user, const runevm_output *output, bool level)
{
    (void)user;
    for (uint32_t i = 0; i < PIN_COUNT; i++) {
        if (PINS[i].output == output->id) {
            runevm_hal_pin_write(PINS[i].pin, level != PINS[i].inverted);
            return RUNEVM_OK;
        }
    }
    runevm_set_detail(&vm, "the firmware was made for other pins");
    return RUNEVM_ERR_OUTPUT_KIND;
}
#endif

void runec_firmware_start(runec_stack stack)
{
    const runevm_link_io io = {NULL,        console_read,     console_write, clock_milliseconds,
                               clock_ticks, stack.used_bytes, NULL};
    const runevm_link_identity identity = {FIRMWARE_BOARD, FIRMWARE_VERSION, FIRMWARE_ENGINE,
                                           FIRMWARE_POOL_BYTES - FIRMWARE_MEMORY_BYTES};
    const size_t rune_bytes = (size_t)(firmware_rune_end - firmware_rune);
    runevm_config config;
    runevm_error error;

    runevm_hal_init();
    runec_console_init();
#ifdef FIRMWARE_PINS
    configure_pins();
#endif
    runevm_link_init(&serial, &io, &identity);
    memset(&config, 0, sizeof config);
#ifdef FIRMWARE_ENGINE_AOT
    runevm_aot_init(&engine, &runevm_aot_rune, stack.bottom + FIRMWARE_HOST_STACK_BYTES);
    config.engine = &runevm_engine_aot;
#else
    runevm_wasm3_init(&engine, pool, sizeof pool, stack.bottom + FIRMWARE_HOST_STACK_BYTES);
    config.engine = &runevm_engine_wasm3;
#endif
    config.engine_context = &engine;
#if FIRMWARE_MODELS > 0
    runevm_tflm_init(&models, arena, sizeof arena, model_slots, FIRMWARE_MODELS, runevm_tflm_operators());
    config.model_engine = &runevm_model_engine_tflm;
    config.model_context = &models;
    config.arena_limit_bytes = FIRMWARE_ARENA_BYTES;
#endif
    config.memory_limit_bytes = FIRMWARE_MEMORY_BYTES;
    config.capability_kinds = FIRMWARE_CAPABILITIES;
    config.callbacks.user = &serial;
    config.callbacks.provide = provide;
    config.callbacks.write = runevm_link_write;
    config.callbacks.log = runevm_link_log;
#ifdef FIRMWARE_PINS
    config.callbacks.drive = drive;
#endif
    config.callbacks.milliseconds = runevm_link_milliseconds;
    config.time_budget_ms = FIRMWARE_TIME_BUDGET_MS;

    runec_console_say("\r\nrunec " FIRMWARE_VERSION " " FIRMWARE_BOARD " " FIRMWARE_ENGINE "\r\n");
#ifdef FIRMWARE_ACCELEROMETER
    if (runec_accelerometer_start(&accelerometer) != RUNEC_SENSOR_OK) {
        runec_console_say("runec: the " FIRMWARE_ACCELEROMETER_NAME " is not there\r\n");
    }
#endif
    if (loading.magic == LOADING && loading.attempt == 1) {
        loading.magic = 0;
        runec_console_say("runec: the rune stopped the chip while it was loaded; it is left out\r\n");
        (void)runevm_load(&vm, &config, firmware_rune, 0);
        error = vm.status = RUNEVM_ERR_ENGINE;
    } else {
        loading.magic = LOADING;
        loading.attempt = 1;
        error = runevm_load(&vm, &config, firmware_rune, rune_bytes);
        loading.magic = 0;
    }
    if (error != RUNEVM_OK) {
        runec_console_say("runec: ");
        runec_console_say(runevm_error_name(error));
        runec_console_say(" ");
        runec_console_say(runevm_error_place(&vm));
        runec_console_say(" ");
        runec_console_say(runevm_error_detail(&vm));
        runec_console_say("\r\n");
    }
}

void runec_firmware_serve(void)
{
    runevm_link_serve(&serial, &vm);
}
