#include "Arduino.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

SerialPort Serial;

void SerialPort::begin(unsigned long) {}

int SerialPort::read()
{
    struct pollfd input = {0, POLLIN, 0};
    uint8_t byte;
    if (poll(&input, 1, 0) <= 0) return -1;
    if (::read(0, &byte, 1) != 1) exit(0);
    return byte;
}

/* Takes three bytes at a time, as a port with a small buffer does. */
size_t SerialPort::write(const uint8_t *bytes, size_t length)
{
    const ssize_t taken = ::write(1, bytes, length < 3 ? length : 3);
    if (taken < 0) exit(1);
    return (size_t)taken;
}

unsigned long micros(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned long)now.tv_sec * 1000000u + (unsigned long)now.tv_nsec / 1000u;
}

unsigned long millis(void) { return micros() / 1000u; }

static int is_output[64];

void pinMode(uint32_t pin, uint32_t mode) { is_output[pin] = mode == OUTPUT; }

/* Pins are told on stderr. */
void digitalWrite(uint32_t pin, uint32_t value)
{
    dprintf(2, "pin %u %u%s\n", (unsigned)pin, (unsigned)value, is_output[pin] ? "" : " is no output");
}

void yield(void) {}

int main()
{
    setup();
    for (;;) loop();
}
