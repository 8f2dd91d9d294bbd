/* A program of the HAL alone for the FPU of a Cortex-M: takes commands of one letter, answers in hexadecimal. Linked with
 * --wrap=runec_console_last_words, so that the path of a fault uses the FPU as well. */
#include <string.h>

#include "board_runtime.h"
#include "console.h"
#include "firmware.h"
#include "register.h"
#include "runevm_hal.h"

#define ICSR REGISTER(0xE000ED04u)
#define VTOR REGISTER(0xE000ED08u)
#define CPACR REGISTER(0xE000ED88u)
#define FPCCR REGISTER(0xE000EF34u)
#define FPDSCR REGISTER(0xE000EF3Cu)

enum { VECTORS = 16, PENDSV = 14, REGISTERS = 32 };

void runec_start(void);

/* Kept over a restart: what the last one began with, and what the path of a fault computed. */
static volatile struct {
    uint32_t poisoned, product, pending;
} kept __attribute__((section(".noinit")));

static uint32_t vectors[VECTORS] __attribute__((aligned(128)));
static volatile uint32_t handled, handler_fpscr, handler_pending;

static uint32_t fpscr(void)
{
    uint32_t value;
    __asm volatile("vmrs %0, fpscr" : "=r"(value));
    return value;
}

static void put(uint32_t value)
{
    for (unsigned digits = 8; digits-- > 0;) {
        const uint8_t digit = (uint8_t)"0123456789abcdef"[(value >> (4u * digits)) & 15u];
        runevm_hal_write(&digit, 1);
    }
}

static void put_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    put(bits);
}

/* A handler that uses every register of the FPU, in another rounding mode. */
static __attribute__((noinline)) void use_fpu(void)
{
    handler_fpscr = fpscr();
    __asm volatile("vmsr fpscr, %0\n\t"
                   "vmov s0, %1\n\tvmov s1, %1\n\tvmov s2, %1\n\tvmov s3, %1\n\t"
                   "vmov s4, %1\n\tvmov s5, %1\n\tvmov s6, %1\n\tvmov s7, %1\n\t"
                   "vmov s8, %1\n\tvmov s9, %1\n\tvmov s10, %1\n\tvmov s11, %1\n\t"
                   "vmov s12, %1\n\tvmov s13, %1\n\tvmov s14, %1\n\tvmov s15, %1\n\t"
                   "vmov s16, %1\n\tvmov s31, %1"
                   :
                   : "r"(3u << 22), "r"(0xFFFFFFFFu)
                   : "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "s12", "s13", "s14", "s15",
                     "s16", "s31");
    handled++;
}

/* Nothing was saved yet: that waits for the first instruction of the FPU. */
__attribute__((target("general-regs-only"))) static void pendsv(void)
{
    handler_pending = FPCCR & 1u;
    use_fpu();
}

/* The registers before and after an interrupt between two instructions: 0 where they are the same. */
static uint32_t interrupted(void)
{
    uint32_t before[REGISTERS], after[REGISTERS], status;
    memcpy(vectors, (const void *)(uintptr_t)VTOR, sizeof vectors); /* flash or RAM, from where they are */
    vectors[PENDSV] = (uint32_t)(uintptr_t)pendsv;
    for (uint32_t i = 0; i < REGISTERS; i++) before[i] = 0x3F800000u + 0x01010101u * i;
    register_barrier();
    VTOR = (uint32_t)(uintptr_t)vectors;
    __asm volatile("vldmia %[before], {s0-s31}\n\t"
                   "vmsr fpscr, %[mode]\n\t"
                   "str %[pend], [%[icsr]]\n\tdsb\n\tisb\n\t"
                   "vstmia %[after], {s0-s31}\n\t"
                   "vmrs %[status], fpscr\n\t"
                   : [status] "=&r"(status)
                   : [before] "r"(before), [after] "r"(after), [mode] "r"(1u << 22), [pend] "r"(1u << 28), [icsr] "r"(&ICSR)
                   : "memory", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "s12", "s13", "s14",
                     "s15", "s16", "s17", "s18", "s19", "s20", "s21", "s22", "s23", "s24", "s25", "s26", "s27", "s28", "s29",
                     "s30", "s31");
    __asm volatile("vmsr fpscr, %0" : : "r"(0u));
    return (uint32_t)memcmp(before, after, sizeof before) | (status ^ (1u << 22));
}

/* As a boot loader could leave the FPU: everything off that start-up turns on, every mode other than IEEE 754's. */
static void poison(void)
{
    kept.poisoned = 0x900D900Du;
    FPDSCR = 0x07C00000u;
    FPCCR = 0;
    __asm volatile("vmsr fpscr, %0\n\tdsb\n\tisb" : : "r"(0x07C00000u));
    CPACR = 0;
    __asm volatile("dsb\n\tisb" ::: "memory");
    runec_start();
}

static volatile float factor = 1.25f;

/* A recursion that holds floats and never ends but below the RAM, with the FPU in use. */
static __attribute__((noinline)) float deep(volatile float *from)
{
    volatile float own[8];
    for (int i = 0; i < 8; i++) own[i] = from[i] * 1.5f;
    return factor == 0.0f ? own[3] : deep(own) + own[0] * own[7];
}

void __real_runec_console_last_words(const char *text);
void __wrap_runec_console_last_words(const char *text);

static __attribute__((noinline)) void multiply(void)
{
    const float product = factor * factor;
    uint32_t bits;
    memcpy(&bits, &product, sizeof bits);
    kept.product = bits;
}

__attribute__((target("general-regs-only"))) void __wrap_runec_console_last_words(const char *text)
{
    kept.pending |= FPCCR & 1u;
    multiply();
    __real_runec_console_last_words(text);
}

static void arithmetic(void)
{
    volatile float tiny = 0x1p-149f, small = 0x1.8p-126f, third = 1.0f, three = 3.0f, zero = 0.0f, negative = -1.0f;
    volatile float half_up = 8388609.0f;
    volatile uint32_t payload = 0x7FC12345u;
    float nan;
    memcpy(&nan, (const void *)&payload, sizeof nan);
    put_float(small * 0.5f);         /* a subnormal number: not flushed */
    put_float(tiny + tiny);          /* of subnormal numbers */
    put_float(third / three);        /* rounded to nearest */
    put_float(half_up + 0.5f);       /* a tie: to even */
    put_float(zero / zero);          /* the NaN that the FPU makes */
    put_float(nan + third);          /* a NaN that it passes on */
    put_float(__builtin_sqrtf(negative));
    put((uint32_t)(int32_t)(half_up * 0.5f));
}

void runec_firmware_serve(void)
{
}

void runec_firmware_start(runec_stack stack)
{
    volatile float numbers[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    (void)stack;
    runevm_hal_init();
    runec_console_init();
    runevm_hal_write((const uint8_t *)"ready\n", 6);
    for (;;) {
        int letter;
        do letter = runevm_hal_read();
        while (letter < 0);
        switch (letter) {
        case 's':
            put(fpscr());
            put(FPDSCR);
            put(FPCCR & 0xC0000000u);
            put(CPACR & 0x00F00000u);
            break;
        case 'k':
            put(kept.poisoned);
            put(kept.product);
            put(kept.pending);
            kept.poisoned = kept.product = kept.pending = 0;
            break;
        case 'p': poison(); break;
        case 'a': arithmetic(); break;
        case 'i':
            put(interrupted());
            put(handled);
            put(handler_fpscr);
            put(handler_pending);
            break;
        case 'f':
            put_float(numbers[0] * numbers[1]);
            (void)*(volatile uint32_t *)0xF0F0F0F0u;
            break;
        case 'd': put_float(deep(numbers)); break;
        default: put(0xEEEEEEEEu);
        }
        runevm_hal_write((const uint8_t *)"\n", 1);
    }
}
