/* As much of Arduino's API as the firmware may use, on a computer: Serial is stdin and stdout. */
#ifndef ARDUINO_H
#define ARDUINO_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
class SerialPort {
public:
    void begin(unsigned long baud);
    int read();
    size_t write(const uint8_t *bytes, size_t length);
};

extern SerialPort Serial;

extern "C" {
#endif

enum { LOW = 0, HIGH = 1, OUTPUT = 1, PA5 = 5 };

void pinMode(uint32_t pin, uint32_t mode);
void digitalWrite(uint32_t pin, uint32_t value);
unsigned long millis(void);
unsigned long micros(void);
void yield(void);

#ifdef __cplusplus
}

void setup();
void loop();
#endif

#endif
