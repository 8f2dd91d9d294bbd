/* SPDX-License-Identifier: Apache-2.0 */
/* Analog Devices ADXL345. Register numbers, codes and times: its data sheet, Rev. E, "Register map" and
 * "Register definitions"; addresses 0x53, and 0x1D with ALT ADDRESS high. */
#include "accelerometer.h"
#include "runevm_hal.h"

enum {
    DEVID = 0x00,
    BW_RATE = 0x2C,
    POWER_CTL = 0x2D,
    INT_ENABLE = 0x2E,
    DATA_FORMAT = 0x31,
    DATAX0 = 0x32,
    FIFO_CTL = 0x38,
    IDENTITY = 0xE5,
    STANDBY = 0x00,
    MEASURE = 0x08,
    FULL_RESOLUTION_8_G = 0x0A, /* 256 counts for 1 g in every range */
    RATE_6_25_HZ = 0x06,        /* each code further is twice as fast */
    RATE_200_HZ = 0x0B          /* the most at 100 kHz: "I2C", "Serial communications" */
};

static int start(uint8_t address, uint32_t hz)
{
    int status = runec_sensor_identify(address, DEVID, IDENTITY);
    uint32_t hundredths = 625; /* of a hertz */
    uint8_t rate = RATE_6_25_HZ;
    /* Twice the rate of reading, so that each sample is new and at most half a period old. */
    while (rate < RATE_200_HZ && hundredths < 200u * hz) {
        rate++;
        hundredths *= 2;
    }
    const uint8_t settings[][2] = {
        {POWER_CTL, STANDBY}, {INT_ENABLE, 0}, {FIFO_CTL, 0}, {BW_RATE, rate}, {DATA_FORMAT, FULL_RESOLUTION_8_G},
        {POWER_CTL, MEASURE},
    };
    for (uint32_t i = 0; i < sizeof settings / sizeof settings[0] && status == RUNEC_SENSOR_OK; i++) {
        status = runec_sensor_set(address, settings[i][0], settings[i][1]);
    }
    /* One period of the output and 1.1 ms: "Turn-on time" in table 1. */
    return status == RUNEC_SENSOR_OK ? (int)(100000u / hundredths + 3u) : status;
}

static int read(uint8_t address, int16_t counts[3])
{
    uint8_t data[RUNEC_AXES_READ_BYTES];
    if (runevm_hal_i2c_read(address, DATAX0, data, sizeof data) != 0) {
        return RUNEC_SENSOR_SILENT;
    }
    for (int axis = 0; axis < 3; axis++) {
        counts[axis] = (int16_t)(uint16_t)(data[2 * axis] | (data[2 * axis + 1] << 8));
    }
    return RUNEC_SENSOR_OK;
}

const runec_accelerometer_part runec_adxl345 = {(float)(RUNEC_GRAVITY / 256.0), start, read};
