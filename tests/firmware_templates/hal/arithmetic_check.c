/* Compares the routines of hal/esp32/arithmetic.c with this processor's arithmetic, bit by bit; NaN with the
 * one NaN that they give. Prints each kind of operation with the numbers of comparisons and of mismatches.
 *
 *   arithmetic_check SEED COUNT   COUNT random operands for each operation, and the grid of edge cases
 *   arithmetic_check              operands as "operation a b" in hexadecimal on stdin; one line each
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ONE(result, name, a) result my_##name(a);
#define TWO(result, name, a) result my_##name(a, a);
TWO(uint32_t, addsf3, uint32_t) TWO(uint32_t, subsf3, uint32_t) TWO(uint32_t, mulsf3, uint32_t)
TWO(uint32_t, divsf3, uint32_t) TWO(uint64_t, adddf3, uint64_t) TWO(uint64_t, subdf3, uint64_t)
TWO(uint64_t, muldf3, uint64_t) TWO(uint64_t, divdf3, uint64_t) TWO(uint64_t, umulsidi3, uint32_t)
TWO(uint64_t, muldi3, uint64_t) TWO(uint32_t, udivsi3, uint32_t) TWO(uint32_t, umodsi3, uint32_t)
TWO(int32_t, divsi3, int32_t) TWO(int32_t, modsi3, int32_t) TWO(uint64_t, udivdi3, uint64_t)
TWO(uint64_t, umoddi3, uint64_t) TWO(int64_t, divdi3, int64_t) TWO(int64_t, moddi3, int64_t)
ONE(uint32_t, floatunsisf, uint32_t) ONE(uint32_t, floatsisf, int32_t) ONE(uint64_t, floatunsidf, uint32_t)
ONE(uint64_t, floatsidf, int32_t) ONE(uint32_t, fixunssfsi, uint32_t) ONE(uint32_t, fixunsdfsi, uint64_t)
ONE(int32_t, fixdfsi, uint64_t) ONE(uint32_t, truncdfsf2, uint64_t) ONE(uint64_t, extendsfdf2, uint32_t)

static uint64_t of_float(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, 4);
    return x != x ? 0x7FC00000u : bits;
}

static uint64_t of_double(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, 8);
    return x != x ? 0x7FF8000000000000u : bits;
}

static float to_float(uint64_t a)
{
    uint32_t bits = (uint32_t)a;
    float x;
    memcpy(&x, &bits, 4);
    return x;
}

static double to_double(uint64_t a)
{
    double x;
    memcpy(&x, &a, 8);
    return x;
}

typedef enum { WORD, LONG, FLOAT, DOUBLE } kind;
typedef struct {
    const char *name;
    kind operands;
    uint64_t (*ours)(uint64_t, uint64_t);
    uint64_t (*theirs)(uint64_t, uint64_t);
    int (*defined)(uint64_t, uint64_t); /* NULL: always */
} operation;

#define PAIR(name, mine, its)                                                                        \
    static uint64_t ours_##name(uint64_t a, uint64_t b) { (void)b; return (uint64_t)(mine); }         \
    static uint64_t theirs_##name(uint64_t a, uint64_t b) { (void)b; return (uint64_t)(its); }
#define FLOATS(name, sign)                                                                           \
    PAIR(name##sf3, my_##name##sf3((uint32_t)a, (uint32_t)b), of_float(to_float(a) sign to_float(b))) \
    PAIR(name##df3, my_##name##df3(a, b), of_double(to_double(a) sign to_double(b)))
FLOATS(add, +)
FLOATS(sub, -)
FLOATS(mul, *)
FLOATS(div, /)
PAIR(umulsidi3, my_umulsidi3((uint32_t)a, (uint32_t)b), (a & 0xFFFFFFFFu) * (b & 0xFFFFFFFFu))
PAIR(muldi3, my_muldi3(a, b), a * b)
PAIR(udivsi3, my_udivsi3((uint32_t)a, (uint32_t)b), (uint32_t)a / (uint32_t)b)
PAIR(umodsi3, my_umodsi3((uint32_t)a, (uint32_t)b), (uint32_t)a % (uint32_t)b)
PAIR(divsi3, my_divsi3((int32_t)a, (int32_t)b), (int32_t)a / (int32_t)b)
PAIR(modsi3, my_modsi3((int32_t)a, (int32_t)b), (int32_t)a % (int32_t)b)
PAIR(udivdi3, my_udivdi3(a, b), a / b)
PAIR(umoddi3, my_umoddi3(a, b), a % b)
PAIR(divdi3, my_divdi3((int64_t)a, (int64_t)b), (int64_t)a / (int64_t)b)
PAIR(moddi3, my_moddi3((int64_t)a, (int64_t)b), (int64_t)a % (int64_t)b)
PAIR(floatunsisf, my_floatunsisf((uint32_t)a), of_float((float)(uint32_t)a))
PAIR(floatsisf, my_floatsisf((int32_t)a), of_float((float)(int32_t)a))
PAIR(floatunsidf, my_floatunsidf((uint32_t)a), of_double((double)(uint32_t)a))
PAIR(floatsidf, my_floatsidf((int32_t)a), of_double((double)(int32_t)a))
PAIR(fixunssfsi, my_fixunssfsi((uint32_t)a), (uint32_t)to_float(a))
PAIR(fixunsdfsi, my_fixunsdfsi(a), (uint32_t)to_double(a))
PAIR(fixdfsi, my_fixdfsi(a), (int32_t)to_double(a))
PAIR(truncdfsf2, my_truncdfsf2(a), of_float((float)to_double(a)))
PAIR(extendsfdf2, my_extendsfdf2((uint32_t)a), of_double((double)to_float(a)))

static int has_quotient32(uint64_t a, uint64_t b)
{
    return (uint32_t)b != 0 && !((uint32_t)a == 0x80000000u && (uint32_t)b == 0xFFFFFFFFu);
}

static int has_quotient64(uint64_t a, uint64_t b)
{
    return b != 0 && !(a == (uint64_t)1 << 63 && b == UINT64_MAX);
}

static int fits_unsigned_float(uint64_t a, uint64_t b)
{
    (void)b;
    return to_float(a) > -1.0f && to_float(a) < 4294967296.0f;
}

static int fits_unsigned(uint64_t a, uint64_t b)
{
    (void)b;
    return to_double(a) > -1.0 && to_double(a) < 4294967296.0;
}

static int fits_signed(uint64_t a, uint64_t b)
{
    (void)b;
    return to_double(a) > -2147483649.0 && to_double(a) < 2147483648.0;
}

#define ROW(name, operands, defined) {#name, operands, ours_##name, theirs_##name, defined}
static const operation operations[] = {
    ROW(addsf3, FLOAT, NULL), ROW(subsf3, FLOAT, NULL), ROW(mulsf3, FLOAT, NULL), ROW(divsf3, FLOAT, NULL),
    ROW(adddf3, DOUBLE, NULL), ROW(subdf3, DOUBLE, NULL), ROW(muldf3, DOUBLE, NULL), ROW(divdf3, DOUBLE, NULL),
    ROW(umulsidi3, WORD, NULL), ROW(muldi3, LONG, NULL),
    ROW(udivsi3, WORD, has_quotient32), ROW(umodsi3, WORD, has_quotient32),
    ROW(divsi3, WORD, has_quotient32), ROW(modsi3, WORD, has_quotient32),
    ROW(udivdi3, LONG, has_quotient64), ROW(umoddi3, LONG, has_quotient64),
    ROW(divdi3, LONG, has_quotient64), ROW(moddi3, LONG, has_quotient64),
    ROW(floatunsisf, WORD, NULL), ROW(floatsisf, WORD, NULL),
    ROW(floatunsidf, WORD, NULL), ROW(floatsidf, WORD, NULL),
    ROW(fixunssfsi, FLOAT, fits_unsigned_float), ROW(fixunsdfsi, DOUBLE, fits_unsigned),
    ROW(fixdfsi, DOUBLE, fits_signed), ROW(truncdfsf2, DOUBLE, NULL), ROW(extendsfdf2, FLOAT, NULL),
};
enum { OPERATIONS = sizeof operations / sizeof operations[0] };

static const uint32_t word_edges[] = {
    0, 1, 2, 3, 5, 7, 10, 16, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 65537, 0x00FFFFFFu, 0x01000000u,
    0x01000001u, 0x01000003u, 0x7FFFFF80u, 0x7FFFFFBFu, 0x7FFFFFC0u, 0x7FFFFFFEu, 0x7FFFFFFFu, 0x80000000u,
    0x80000001u, 0xFFFF0000u, 0xFFFFFF7Fu, 0xFFFFFF80u, 0xFFFFFFFEu, 0xFFFFFFFFu,
};

static uint64_t seen, wrong;

static void check(const operation *op, uint64_t a, uint64_t b)
{
    if (op->defined != NULL && !op->defined(a, b)) {
        return;
    }
    uint64_t mine = op->ours(a, b), its = op->theirs(a, b);
    seen++;
    if (mine != its) {
        if (wrong++ < 5) {
            fprintf(stderr, "%s %" PRIx64 " %" PRIx64 ": %" PRIx64 ", should be %" PRIx64 "\n", op->name, a, b, mine, its);
        }
    }
}

static uint64_t state;

static uint64_t any(void) /* splitmix64: G. Steele, D. Lea, C. Flood, OOPSLA 2014 */
{
    uint64_t z = state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* Half are any bits; the others have long runs of equal bits, or an exponent near another's. */
static uint64_t operand(kind of, uint64_t near)
{
    uint64_t bits = any(), how = any();
    int wide = of == DOUBLE || of == LONG;
    if ((how & 3) == 1) {
        bits = (bits >> (how >> 8) % 64) << (how >> 16) % 64;
    } else if ((how & 3) == 2) {
        uint64_t mask = wide ? 0xFC00000000000000u : 0xE0000000u;
        bits = (near & mask) | (bits & ~mask);
    } else if ((how & 15) == 3) {
        bits = near ^ (how & 16 ? (wide ? (uint64_t)1 << 63 : 0x80000000u) : 0) ^ ((how >> 5) & 7);
    }
    return wide ? bits : (uint32_t)bits;
}

static size_t edges(kind of, uint64_t *list)
{
    size_t count = 0;
    const size_t words = sizeof word_edges / sizeof word_edges[0];
    for (size_t i = 0; i < words; i++) {
        list[count++] = word_edges[i];
        if (of == LONG) {
            list[count++] = (uint64_t)word_edges[i] << 32;
            list[count++] = ((uint64_t)word_edges[i] << 32) | word_edges[words - 1 - i];
        }
    }
    if (of == WORD || of == LONG) {
        return count;
    }
    count = 0;
    const int field = of == FLOAT ? 23 : 52, top = of == FLOAT ? 255 : 2047, bias = top / 2;
    const uint64_t all = ((uint64_t)1 << field) - 1, sign = of == FLOAT ? 0x80000000u : (uint64_t)1 << 63;
    const int exponents[] = {0, 1, 2, field, bias - field - 2, bias - 1, bias, bias + 1, bias + field, bias + 31, bias + 32, top - 1, top};
    const uint64_t parts[] = {0, 1, all / 2, all / 2 + 1, all / 2 + 2, all - 1, all};
    for (size_t e = 0; e < sizeof exponents / sizeof *exponents; e++) {
        for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
            uint64_t bits = ((uint64_t)exponents[e] << field) | parts[p];
            list[count++] = bits;
            list[count++] = bits | sign;
        }
    }
    if (of == DOUBLE) { /* the edges of what a float can hold */
        for (int e = 1023 - 152; e < 1023 - 124; e++) {
            for (int p = 0; p < 6; p++) {
                list[count++] = ((uint64_t)e << 52) | ((uint64_t)1 << 28) * (uint64_t)p | (uint64_t)(p & 1);
            }
        }
        for (int p = -4; p <= 4; p++) {
            list[count++] = 0x47EFFFFFF0000000u + (uint64_t)p;
            list[count++] = 0x47EFFFFFE0000000u + (uint64_t)p * 0x8000000u;
        }
    }
    return count;
}

static int from_stdin(void)
{
    char name[32];
    uint64_t a, b;
    while (scanf("%31s %" SCNx64 " %" SCNx64, name, &a, &b) == 3) {
        for (size_t i = 0; i < OPERATIONS; i++) {
            if (strcmp(operations[i].name, name) == 0) {
                check(&operations[i], a, b);
            }
        }
    }
    printf("%" PRIu64 " %" PRIu64 "\n", seen, wrong);
    return 0;
}

int main(int count, char **words)
{
    static uint64_t list[1024];
    if (count != 3) {
        return from_stdin();
    }
    state = strtoull(words[1], NULL, 10);
    const uint64_t times = strtoull(words[2], NULL, 10);
    for (size_t i = 0; i < OPERATIONS; i++) {
        const operation *op = &operations[i];
        seen = wrong = 0;
        size_t length = edges(op->operands, list);
        for (size_t left = 0; left < length; left++) {
            for (size_t right = 0; right < length; right++) {
                check(op, list[left], list[right]);
            }
        }
        for (uint64_t n = 0; n < times; n++) {
            uint64_t a = operand(op->operands, 0x3F8000003F800000u);
            check(op, a, operand(op->operands, a));
        }
        printf("%s %" PRIu64 " %" PRIu64 "\n", op->name, seen, wrong);
    }
    return 0;
}
