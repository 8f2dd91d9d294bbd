/* SPDX-License-Identifier: Apache-2.0 */
/* Accelerometers on an I2C bus: one interface, one file a part. They need runevm_hal.h alone.
 *
 *   static runec_accelerometer motion = {&runec_adxl345, 0x53, 50, false};
 *   (void)runec_accelerometer_start(&motion);                  the next call tries again
 *   status = runec_accelerometer_sample(&motion, bytes, 128);
 *
 * All parts measure from -8 g to 8 g along x, y and z, and are held there when there is more. */
#ifndef RUNEC_ACCELEROMETER_H
#define RUNEC_ACCELEROMETER_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Statuses. */
enum { RUNEC_SENSOR_OK = 0, RUNEC_SENSOR_SILENT = -1, RUNEC_SENSOR_ANOTHER = -2 };

/* Samples per second. A sample needs about 1 ms of the bus; 200 is what an ADXL345 converts at most at 100 kHz. */
enum { RUNEC_ACCELEROMETER_HZ_MAX = 200 };

/* Standard gravity [m/s^2]. */
#define RUNEC_GRAVITY 9.80665

/* A measurement starts at the first of these registers. Seven are read and six used: a controller has to
 * be told to stop before the last byte is there, and not every one delivers that byte (tests: labwired's STM32). */
enum { RUNEC_AXES_BYTES = 6, RUNEC_AXES_READ_BYTES = 7 };

typedef struct {
    float unit; /* of a count [m/s^2] */
    /* Reads the device id, and starts to measure so that `hz` samples a second can be taken: the milliseconds until the
     * first measurement is good, or a status below 0. */
    int (*start)(uint8_t address, uint32_t hz);
    int (*read)(uint8_t address, int16_t counts[3]); /* the newest measurement: a status */
} runec_accelerometer_part;

extern const runec_accelerometer_part runec_adxl345, runec_lis3dh, runec_mpu6050;

typedef struct {
    const runec_accelerometer_part *part;
    uint8_t address; /* 7 bits */
    uint32_t hz; /* 1 to RUNEC_ACCELEROMETER_HZ_MAX */
    bool started;
} runec_accelerometer;

/* Samples taken since the last runec_accelerometer_sample() began: read by simulators. */
extern volatile uint32_t runec_accelerometer_taken;

/* Switches the bus on, and the part: a status. Returns when the first measurement is good. */
int runec_accelerometer_start(runec_accelerometer *sensor);

/* Writes x, y, z of `samples` measurements as f32 [m/s^2], the first one taken at once and the others `hz` a
 * second by the chip's clock: a status. Starts the part if it was not started, or was lost in between. */
int runec_accelerometer_sample(runec_accelerometer *sensor, uint8_t *bytes, uint32_t samples);

/* For the parts' files: one register written, one compared with a part's identity. Statuses. */
int runec_sensor_set(uint8_t address, uint8_t number, uint8_t value);
int runec_sensor_identify(uint8_t address, uint8_t number, uint8_t identity);

#ifdef __cplusplus
}
#endif
#endif
