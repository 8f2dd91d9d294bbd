/* Everything that a compiler asks the ESP32's libraries for, on operands from the test, on the chip. */
#include <stdint.h>

typedef struct {
    float a, b;
    double c, d;
} operands;

typedef struct {
    float sum, difference, product, quotient, from_double, from_int;
    int32_t order, whole;
    double sum2, difference2, product2, quotient2, from_float, from_int2;
    int32_t order2, whole2;
    int64_t long_quotient, long_rest;
} results;

extern const operands on_chip_operands[];
extern const uint32_t on_chip_count;
volatile uint32_t on_chip_done;
results on_chip_results[512];

#define ORDER(x, y) \
    ((x < y) | (x <= y) << 1 | (x == y) << 2 | (x >= y) << 3 | (x > y) << 4 | (x != y) << 5 | \
     __builtin_isunordered(x, y) << 6)

static int64_t bits_of(double x)
{
    union {
        double x;
        int64_t bits;
    } both = {x};
    return both.bits;
}

int main(void)
{
    for (uint32_t i = 0; i < on_chip_count; i++) {
        const volatile operands *from = &on_chip_operands[i];
        results *to = &on_chip_results[i];
        float a = from->a, b = from->b;
        double c = from->c, d = from->d;
        int64_t left = bits_of(c), right = bits_of(d) | 1;
        to->sum = a + b;
        to->difference = a - b;
        to->product = a * b;
        to->quotient = a / b;
        to->from_double = (float)c;
        to->from_int = (float)(int32_t)(left >> 32);
        to->order = ORDER(a, b);
        to->whole = a > -1e9f && a < 1e9f ? (int32_t)a : 0;
        to->sum2 = c + d;
        to->difference2 = c - d;
        to->product2 = c * d;
        to->quotient2 = c / d;
        to->from_float = a;
        to->from_int2 = (int32_t)left;
        to->order2 = ORDER(c, d);
        to->whole2 = c > -1e9 && c < 1e9 ? (int32_t)c : 0;
        to->long_quotient = left / right;
        to->long_rest = left % right;
    }
    on_chip_done = 1;
    for (;;) { }
}

void runec_fault(const char *what)
{
    (void)what;
    for (;;) { }
}

void runec_init_memory(void)
{
}
