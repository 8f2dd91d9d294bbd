/* SPDX-License-Identifier: Apache-2.0 */
/* InvenSense MPU-6050, its accelerometer. Register numbers and codes: "MPU-6000 and MPU-6050 Register Map and
 * Descriptions", revision 4.2; times: the product specification, revision 3.4. Addresses 0x68, and 0x69 with AD0 high. */
#include "accelerometer.h"
#include "runevm_hal.h"

enum {
    SMPLRT_DIV = 0x19,
    CONFIG = 0x1A,
    ACCEL_CONFIG = 0x1C,
    FIFO_EN = 0x23,
    INT_ENABLE = 0x38,
    ACCEL_XOUT_H = 0x3B,
    PWR_MGMT_1 = 0x6B,
    PWR_MGMT_2 = 0x6C,
    WHO_AM_I = 0x75,
    IDENTITY = 0x68,
    AWAKE = 0x00,
    GYROSCOPES_OFF = 0x07,
    RANGE_8_G = 0x10,  /* 4096 counts for 1 g */
    SETTLING_MS = 100  /* 30 ms to wake, and the slowest filter is 19 ms late */
};

/* The widest filter that passes nothing above half the samples a second. */
static uint8_t filter_for(uint32_t hz)
{
    static const uint8_t bandwidth_hz[] = {94, 44, 21, 10}; /* of DLPF_CFG 2 to 5; the last one, 6, is 5 Hz */
    uint8_t code = 0;
    while (code < sizeof bandwidth_hz && 2u * bandwidth_hz[code] > hz) {
        code++;
    }
    return (uint8_t)(code + 2u);
}

static int start(uint8_t address, uint32_t hz)
{
    int status = runec_sensor_identify(address, WHO_AM_I, IDENTITY);
    const uint8_t settings[][2] = {
        {PWR_MGMT_1, AWAKE}, {PWR_MGMT_2, GYROSCOPES_OFF}, {INT_ENABLE, 0},           {FIFO_EN, 0},
        {SMPLRT_DIV, 0},     {CONFIG, filter_for(hz)},     {ACCEL_CONFIG, RANGE_8_G},
    };
    for (uint32_t i = 0; i < sizeof settings / sizeof settings[0] && status == RUNEC_SENSOR_OK; i++) {
        status = runec_sensor_set(address, settings[i][0], settings[i][1]);
    }
    return status == RUNEC_SENSOR_OK ? SETTLING_MS : status;
}

static int read(uint8_t address, int16_t counts[3])
{
    uint8_t data[RUNEC_AXES_READ_BYTES];
    if (runevm_hal_i2c_read(address, ACCEL_XOUT_H, data, sizeof data) != 0) {
        return RUNEC_SENSOR_SILENT;
    }
    for (int axis = 0; axis < 3; axis++) {
        counts[axis] = (int16_t)(uint16_t)((data[2 * axis] << 8) | data[2 * axis + 1]);
    }
    return RUNEC_SENSOR_OK;
}

const runec_accelerometer_part runec_mpu6050 = {(float)(RUNEC_GRAVITY / 4096.0), start, read};
