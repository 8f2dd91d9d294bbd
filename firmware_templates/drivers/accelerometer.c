/* SPDX-License-Identifier: Apache-2.0 */
/* Common code of all accelerometers: sampling times and units. */
#include "accelerometer.h"

#include <string.h>

#include "runevm_hal.h"

volatile uint32_t runec_accelerometer_taken;

int runec_sensor_set(uint8_t address, uint8_t number, uint8_t value)
{
    const uint8_t bytes[] = {number, value};
    return runevm_hal_i2c_write(address, bytes, sizeof bytes) == 0 ? RUNEC_SENSOR_OK : RUNEC_SENSOR_SILENT;
}

int runec_sensor_identify(uint8_t address, uint8_t number, uint8_t identity)
{
    uint8_t found;
    if (runevm_hal_i2c_read(address, number, &found, 1) != 0) {
        return RUNEC_SENSOR_SILENT;
    }
    return found == identity ? RUNEC_SENSOR_OK : RUNEC_SENSOR_ANOTHER;
}

/* Until `milliseconds` have passed since `start`. */
static void wait_until(uint32_t start, uint32_t milliseconds)
{
    while (runevm_hal_milliseconds() - start < milliseconds) { }
}

int runec_accelerometer_start(runec_accelerometer *sensor)
{
    runevm_hal_i2c_init();
    const int settling = sensor->part->start(sensor->address, sensor->hz);
    sensor->started = settling >= 0;
    if (!sensor->started) {
        return settling;
    }
    /* The clock stands anywhere within its first millisecond. */
    wait_until(runevm_hal_milliseconds(), (uint32_t)settling + 1u);
    return RUNEC_SENSOR_OK;
}

int runec_accelerometer_sample(runec_accelerometer *sensor, uint8_t *bytes, uint32_t samples)
{
    int status = sensor->started ? RUNEC_SENSOR_OK : runec_accelerometer_start(sensor);
    const uint32_t start = runevm_hal_milliseconds();
    runec_accelerometer_taken = 0;
    for (uint32_t i = 0; i < samples && status == RUNEC_SENSOR_OK; i++) {
        int16_t counts[3];
        wait_until(start, (uint32_t)((uint64_t)i * 1000u / sensor->hz));
        status = sensor->part->read(sensor->address, counts);
        runec_accelerometer_taken = i + 1u;
        for (int axis = 0; axis < 3 && status == RUNEC_SENSOR_OK; axis++) {
            const float value = (float)counts[axis] * sensor->part->unit;
            memcpy(bytes, &value, sizeof value);
            bytes += sizeof value;
        }
    }
    sensor->started = status == RUNEC_SENSOR_OK;
    return status;
}
