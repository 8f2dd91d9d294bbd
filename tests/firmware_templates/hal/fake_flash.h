/* Takes the place of hal/common/register.h, so that the flash drivers run on the computer: compiled as C++, where an
 * access to a register or to flash becomes a call, with its width. fake_flash.cpp answers as the manuals say. */
#define REGISTER_H

#include <cstdint>

uint32_t fake_read(uint32_t address, unsigned bytes);
void fake_write(uint32_t address, uint32_t value, unsigned bytes);
void fake_barrier();

template <typename T> class FakeRegister {
  public:
    explicit FakeRegister(uint32_t address) : address_(address) {}
    operator T() const { return static_cast<T>(fake_read(address_, sizeof(T))); }
    void operator=(T value) const { fake_write(address_, value, sizeof(T)); }
    void operator|=(T value) const { *this = static_cast<T>(*this | value); }
    void operator&=(T value) const { *this = static_cast<T>(*this & value); }

  private:
    uint32_t address_;
};

#define REGISTER(address) (FakeRegister<uint32_t>(address))
#define REGISTER16(address) (FakeRegister<uint16_t>(address))

static inline void register_barrier(void)
{
    fake_barrier();
}

static inline void register_code_barrier(void)
{
}
