/* SPDX-License-Identifier: Apache-2.0 */
/* ST LIS3DH. Register numbers, codes and times: its data sheet, DocID17530 rev 2, sections 2.1, 3.2, 7 and 8; addresses 0x18,
 * and 0x19 with SA0 high. */
#include "accelerometer.h"
#include "runevm_hal.h"

enum {
    WHO_AM_I = 0x0F,
    CTRL_REG1 = 0x20,
    CTRL_REG2 = 0x21,
    CTRL_REG3 = 0x22,
    CTRL_REG4 = 0x23,
    CTRL_REG5 = 0x24,
    OUT_X_L = 0x28,
    IDENTITY = 0x33,
    SEVERAL = 0x80, /* in a register's number: count it up from byte to byte */
    X_Y_Z = 0x07,
    RATE_SHIFT = 4,
    WHOLE_12_BITS_8_G = 0xA8 /* block data update, 8 g, high resolution: 4 mg a count, in the upper 12 bits */
};

static int start(uint8_t address, uint32_t hz)
{
    static const uint16_t rates_hz[] = {10, 25, 50, 100, 200, 400}; /* of the codes 2 to 7 */
    int status = runec_sensor_identify(address, WHO_AM_I, IDENTITY);
    uint32_t rate = 0;
    /* Twice the rate of reading, so that each sample is new and at most half a period old. */
    while (rate + 1u < sizeof rates_hz / sizeof rates_hz[0] && rates_hz[rate] < 2u * hz) {
        rate++;
    }
    const uint8_t settings[][2] = {
        {CTRL_REG2, 0},
        {CTRL_REG3, 0},
        {CTRL_REG4, WHOLE_12_BITS_8_G},
        {CTRL_REG5, 0},
        {CTRL_REG1, (uint8_t)(((rate + 2u) << RATE_SHIFT) | X_Y_Z)},
    };
    for (uint32_t i = 0; i < sizeof settings / sizeof settings[0] && status == RUNEC_SENSOR_OK; i++) {
        status = runec_sensor_set(address, settings[i][0], settings[i][1]);
    }
    /* Seven periods of the output: "Turn-on time" in high resolution. */
    return status == RUNEC_SENSOR_OK ? 7000 / rates_hz[rate] + 1 : status;
}

static int read(uint8_t address, int16_t counts[3])
{
    uint8_t data[RUNEC_AXES_READ_BYTES];
    if (runevm_hal_i2c_read(address, OUT_X_L | SEVERAL, data, sizeof data) != 0) {
        return RUNEC_SENSOR_SILENT;
    }
    for (int axis = 0; axis < 3; axis++) {
        counts[axis] = (int16_t)((int16_t)(uint16_t)(data[2 * axis] | (data[2 * axis + 1] << 8)) / 16);
    }
    return RUNEC_SENSOR_OK;
}

const runec_accelerometer_part runec_lis3dh = {(float)(RUNEC_GRAVITY * 0.004), start, read};
