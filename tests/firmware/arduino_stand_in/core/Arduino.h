/* As much of Arduino's API as the firmware may use, on a computer: Serial is stdin and stdout. */
#ifndef ARDUINO_H
#define ARDUINO_H

#include <stddef.h>
#include <stdint.h>

class SerialPort {
public:
    void begin(unsigned long baud);
    int read();
    size_t write(const uint8_t *bytes, size_t length);
};

extern SerialPort Serial;

extern "C" {
unsigned long millis(void);
unsigned long micros(void);
void yield(void);
}

void setup();
void loop();

#endif
