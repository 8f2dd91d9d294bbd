/* The drivers over a bus made of memory. Each line of stdin is a session, and each session a line of stdout:
 *   PART ADDRESS HZ SAMPLES FAILS_AT N  then N times: REGISTER-BYTES (7 in hex), what the data registers hold from then on
 * The answer: status, statuses of two runs, the writes, the times of the reads, the bytes given. */
#include <stdio.h>
#include <string.h>

#include "accelerometer.h"
#include "runevm_hal.h"

enum { MEASUREMENTS_MAX = 64 };

static struct {
    uint8_t address, identity_register, identity, data_register;
    uint8_t measurements[MEASUREMENTS_MAX][7];
    int count, next, transfers, fails_at, started;
    uint32_t milliseconds, polls;
    char log[8192];
} bus;

static void note(const char *text)
{
    strncat(bus.log, text, sizeof bus.log - strlen(bus.log) - 1);
}

static int fails(uint8_t address)
{
    return ++bus.transfers == bus.fails_at || bus.started == 0 || address != bus.address;
}

uint32_t runevm_hal_milliseconds(void)
{
    if (++bus.polls % 4 == 0) bus.milliseconds++;
    return bus.milliseconds;
}

void runevm_hal_i2c_init(void)
{
    bus.started = 1;
    note(" init");
}

int runevm_hal_i2c_write(uint8_t address, const uint8_t *bytes, size_t length)
{
    char text[32];
    if (fails(address)) return -1;
    snprintf(text, sizeof text, " %02x=%02x%s", bytes[0], bytes[1], length == 2 ? "" : "?");
    note(text);
    return 0;
}

int runevm_hal_i2c_read(uint8_t address, uint8_t first, uint8_t *bytes, size_t length)
{
    char text[32];
    if (fails(address)) return -1;
    if (first == bus.identity_register && length == 1) {
        *bytes = bus.identity;
        return 0;
    }
    if (first != bus.data_register || length != 7) return -1;
    memcpy(bytes, bus.measurements[bus.next % bus.count], 7);
    bus.next++;
    snprintf(text, sizeof text, " @%u", (unsigned)bus.milliseconds);
    note(text);
    return 0;
}

static const runec_accelerometer_part *named(const char *name)
{
    if (strcmp(name, "adxl345") == 0) return &runec_adxl345;
    return strcmp(name, "mpu6050") == 0 ? &runec_mpu6050 : &runec_lis3dh;
}

int main(void)
{
    char name[16];
    unsigned address, at, identity_register, identity, data_register, hz, samples;
    while (scanf("%15s %x %x %x %x %x %u %u %d %d", name, &address, &at, &identity_register, &identity, &data_register, &hz,
                 &samples, &bus.fails_at, &bus.count) == 10) {
        static uint8_t given[12 * MEASUREMENTS_MAX];
        const int count = bus.count, fails_at = bus.fails_at;
        memset(&bus, 0, sizeof bus);
        bus.count = count;
        bus.fails_at = fails_at;
        bus.address = (uint8_t)at;
        bus.identity_register = (uint8_t)identity_register;
        bus.identity = (uint8_t)identity;
        bus.data_register = (uint8_t)data_register;
        for (int i = 0; i < 7 * count; i++) {
            unsigned byte;
            if (scanf("%2x", &byte) != 1) return 1;
            bus.measurements[i / 7][i % 7] = (uint8_t)byte;
        }
        runec_accelerometer sensor = {named(name), (uint8_t)address, hz, false};
        memset(given, 0xA5, sizeof given);
        const int first = runec_accelerometer_sample(&sensor, given, samples);
        printf("%d", first);
        bus.fails_at = 0;
        printf(" %d%s |", first == 0 ? 0 : runec_accelerometer_sample(&sensor, given, samples), bus.log);
        for (unsigned i = 0; i < 12 * samples; i++) printf("%s%02x", i ? "" : " ", given[i]);
        printf("\n");
    }
    return 0;
}
