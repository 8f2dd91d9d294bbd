/* In place of hal/common/register.h, in C++: each access to a register calls the test. */
#ifndef REGISTER_H
#define REGISTER_H

#include <stdint.h>

extern uint32_t (*spy_read)(uint32_t address);
extern void (*spy_write)(uint32_t address, uint32_t value);

class Register {
    const uint32_t address;

public:
    explicit Register(uint32_t at) : address(at) { }
    operator uint32_t() const { return spy_read(address); }
    void operator=(uint32_t value) const { spy_write(address, value); }
    void operator|=(uint32_t value) const { spy_write(address, spy_read(address) | value); }
    void operator&=(uint32_t value) const { spy_write(address, spy_read(address) & value); }
};

#define REGISTER(address) (Register(address))

static inline int register_becomes(uint32_t address, uint32_t mask, uint32_t value)
{
    for (int i = 0; i < 100; i++) {
        if ((REGISTER(address) & mask) == value) return 1;
    }
    return 0;
}

static inline void register_barrier(void) { }

#endif
