/* runevm_hal.h for STM32F4: one polled USART, SysTick. Register numbers: ST's RM0090.
 * The board file gives HAL_CLOCK_HZ, HAL_BAUD and the HAL_* of its console. */
#include "runevm_hal.h"

#include "board_runtime.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))

#define RCC_CR REGISTER(0x40023800u)
#define RCC_PLLCFGR REGISTER(0x40023804u)
#define RCC_CFGR REGISTER(0x40023808u)
#define RCC_AHB1ENR REGISTER(0x40023830u)
#define FLASH_ACR REGISTER(0x40023C00u)
#define SYST_CSR REGISTER(0xE000E010u)
#define SYST_RVR REGISTER(0xE000E014u)
#define SYST_CVR REGISTER(0xE000E018u)
#define AIRCR REGISTER(0xE000ED0Cu)

#define USART_SR REGISTER(HAL_USART_BASE + 0x00u)
#define USART_DR REGISTER(HAL_USART_BASE + 0x04u)
#define USART_BRR REGISTER(HAL_USART_BASE + 0x08u)
#define USART_CR1 REGISTER(HAL_USART_BASE + 0x0Cu)
#define GPIO_MODER REGISTER(HAL_GPIO_BASE + 0x00u)
#define GPIO_AFR(pin) REGISTER(HAL_GPIO_BASE + 0x20u + 4u * ((uint32_t)(pin) / 8u))

enum { RXNE = 0x20, TXE = 0x80, READY_POLLS = 5000 };

static volatile uint32_t milliseconds;

static int becomes(volatile uint32_t *at, uint32_t mask, uint32_t value)
{
    for (int i = 0; i < READY_POLLS; i++) {
        if ((*at & mask) == value) return 1;
    }
    return 0;
}

/* 168 MHz from the internal 16 MHz oscillator. An emulator without clock control never reports an
 * oscillator as ready; it runs at the board's speed from the start, so everything is left as it is. */
static void clocks_up(void)
{
    RCC_CR |= 1u;
    if (!becomes(&RCC_CR, 2u, 2u)) return;
    FLASH_ACR = 0x705u;                                    /* caches, 5 wait states */
    RCC_CFGR = (5u << 10) | (4u << 13);                    /* APB1 a quarter, APB2 a half */
    RCC_PLLCFGR = 16u | (336u << 6) | (0u << 16) | (7u << 24);
    RCC_CR |= 1u << 24;
    if (!becomes(&RCC_CR, 1u << 25, 1u << 25)) return;
    RCC_CFGR |= 2u;
    (void)becomes(&RCC_CFGR, 0xCu, 8u);
}

static void console_pin(uint32_t pin)
{
    GPIO_AFR(pin) = (GPIO_AFR(pin) & ~(0xFu << (4u * (pin % 8u)))) | ((uint32_t)HAL_PIN_FUNCTION << (4u * (pin % 8u)));
    GPIO_MODER = (GPIO_MODER & ~(3u << (2u * pin))) | (2u << (2u * pin));
}

void runevm_hal_init(void)
{
    clocks_up();
    RCC_AHB1ENR |= 1u << HAL_GPIO_CLOCK_BIT;
    REGISTER(HAL_USART_CLOCK_REGISTER) |= 1u << HAL_USART_CLOCK_BIT;
    console_pin(HAL_TX_PIN);
    console_pin(HAL_RX_PIN);
    USART_BRR = (HAL_USART_CLOCK_HZ + HAL_BAUD / 2u) / HAL_BAUD;
    USART_CR1 = (1u << 13) | (1u << 3) | (1u << 2);        /* on, sends, receives */
    SYST_RVR = HAL_CLOCK_HZ / 1000u - 1u;
    SYST_CVR = 0;
    SYST_CSR = 7u;                                         /* core clock, interrupt, on */
}

void runec_systick(void);

void runec_systick(void)
{
    milliseconds++;
}

int runevm_hal_read(void)
{
    return (USART_SR & RXNE) != 0 ? (int)(USART_DR & 0xFFu) : -1;
}

void runevm_hal_write(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        while ((USART_SR & TXE) == 0) { }
        USART_DR = bytes[i];
    }
}

uint32_t runevm_hal_milliseconds(void)
{
    return milliseconds;
}

uint32_t runevm_hal_ticks(void)
{
    uint32_t before, counter;
    do {
        before = milliseconds;
        counter = SYST_CVR;
    } while (before != milliseconds);
    return before * (HAL_CLOCK_HZ / 1000u) + (HAL_CLOCK_HZ / 1000u - 1u - counter);
}

void runevm_hal_reset(void)
{
    __asm volatile("dsb" ::: "memory");
    AIRCR = 0x05FA0004u;
    for (;;) { }
}
