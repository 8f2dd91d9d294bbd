/* A device whose console is rings in RAM, for tests, in virtual time. The computer sees a memory of 32 bits:
 * the control block at BLOCK, the buffers at UP and DOWN.
 *
 *   rtt_session UP_BYTES DOWN_BYTES            the device does what it is told
 *   rtt_session UP_BYTES DOWN_BYTES X.rune     the device speaks the link
 *
 * stdin:  'M' u32 u32    read memory: address, length; answered with the bytes
 *         'P' u32 u32    write a word: address, value
 *         'T' u32        so many milliseconds pass; answered with 'I'
 *         'R'            the chip restarts
 *         'W' u16 bytes  (without a rune) the device writes; answered with u16, how many fitted
 *         'G' u16        (without a rune) the device reads at most so many; answered with u16 and the bytes
 *         'D'            (without a rune) answered with u8, all was read
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_engines.h"
#include "runevm_link.h"
#include "runevm_rtt.h"

enum { BLOCK = 0x20000000, UP = 0x20100000, DOWN = 0x20200000, BLOCK_BYTES = 72 };

static runevm_rtt rings;
static uint8_t *up, *down;
static uint32_t up_bytes, down_bytes, now_ms = 0xfffffc00u;
static bool restart, over, is_read = true;

static uint32_t number(unsigned int bytes)
{
    uint32_t value = 0;
    for (unsigned int i = 0; i < bytes; i++) value |= (uint32_t)getc(stdin) << (8 * i);
    return value;
}

static void put(uint8_t *at, uint32_t value)
{
    for (unsigned int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> (8 * i));
}

static void put_ring(uint8_t *at, const runevm_rtt_ring *ring, uint32_t address)
{
    const uint32_t words[6] = {BLOCK, address, ring->size, ring->write, ring->read, ring->flags};
    for (unsigned int i = 0; i < 6; i++) put(at + 4 * i, words[i]);
}

static void show_memory(uint32_t address, uint32_t length)
{
    uint8_t block[BLOCK_BYTES];
    const uint8_t *from = NULL;
    for (unsigned int i = 0; i < 16; i++) block[i] = (uint8_t)rings.id[i];
    put(block + 16, (uint32_t)rings.up_count);
    put(block + 20, (uint32_t)rings.down_count);
    put_ring(block + 24, &rings.up, UP);
    put_ring(block + 48, &rings.down, DOWN);
    if (address >= BLOCK && address - BLOCK + length <= BLOCK_BYTES) from = block + (address - BLOCK);
    if (address >= UP && address - UP + length <= up_bytes) from = up + (address - UP);
    if (address >= DOWN && address - DOWN + length <= down_bytes) from = down + (address - DOWN);
    if (from == NULL) abort();
    fwrite(from, 1, length, stdout);
    fflush(stdout);
}

static void poke(uint32_t address, uint32_t value)
{
    if (address == BLOCK + 24 + 16) {
        rings.up.read = value;
    } else if (address == BLOCK + 48 + 12) {
        rings.down.write = value;
    } else if (address >= DOWN && address - DOWN + 4 <= down_bytes) {
        put(down + (address - DOWN), value);
    } else {
        abort(); /* nothing else is the computer's to write */
    }
}

/* True for an order that is for the caller. */
static bool order(int *what)
{
    *what = getc(stdin);
    uint32_t first;
    switch (*what) {
    case 'M':
        first = number(4);
        show_memory(first, number(4));
        return false;
    case 'P':
        first = number(4);
        poke(first, number(4));
        return false;
    case 'T':
        now_ms += number(4);
        putc('I', stdout);
        fflush(stdout);
        return true;
    case 'R': restart = true; return true;
    case EOF: over = true; return true;
    default: return true;
    }
}

static int device_read(void *user)
{
    (void)user;
    int what, byte = runevm_rtt_read(&rings);
    while (byte < 0 && !restart && !over && !order(&what)) byte = runevm_rtt_read(&rings);
    return byte;
}

static void device_write(void *user, const uint8_t *bytes, size_t length)
{
    uint32_t since = now_ms;
    int what;
    (void)user;
    while (length > 0 && !restart && !over) {
        size_t taken = runevm_rtt_write(&rings, bytes, length);
        bytes += taken;
        length -= taken;
        if (taken > 0) {
            is_read = true;
        } else if (!is_read || now_ms - since >= RUNEVM_RTT_WAIT_MS) {
            is_read = false;
            return;
        } else {
            (void)order(&what);
        }
    }
}

static uint32_t device_milliseconds(void *user)
{
    (void)user;
    return now_ms;
}

static bool device_stopped(void *user)
{
    (void)user;
    return restart || over;
}

static void follow(void)
{
    int what;
    while (!over) {
        if (!order(&what)) continue;
        if (what == 'R') {
            runevm_rtt_init(&rings, up, up_bytes, down, down_bytes);
        } else if (what == 'W') {
            uint8_t bytes[65536];
            uint32_t length = number(2);
            length = (uint32_t)fread(bytes, 1, length, stdin);
            uint32_t taken = (uint32_t)runevm_rtt_write(&rings, bytes, length);
            putc((int)(taken & 0xff), stdout);
            putc((int)(taken >> 8), stdout);
        } else if (what == 'G') {
            uint8_t bytes[65536];
            uint32_t most = number(2), count = 0;
            for (int byte; count < most && (byte = runevm_rtt_read(&rings)) >= 0;) bytes[count++] = (uint8_t)byte;
            putc((int)(count & 0xff), stdout);
            putc((int)(count >> 8), stdout);
            fwrite(bytes, 1, count, stdout);
        } else if (what == 'D') {
            putc(runevm_rtt_drained(&rings), stdout);
        }
        fflush(stdout);
    }
}

static int speak(const char *path)
{
    const runevm_link_io io = {NULL, device_read, device_write, device_milliseconds, NULL, NULL, device_stopped};
    const runevm_link_identity identity = {"rings", "0.1.0", "fake", 7000};
    static runevm vm;
    static runevm_link link;
    fake_engine engine = {0};
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return 4;
    }
    uint8_t *rune = aligned_alloc(16, 1 << 16);
    size_t rune_bytes = fread(rune, 1, 1 << 16, file);
    fclose(file);
    while (!over) {
        restart = false;
        runevm_rtt_init(&rings, up, up_bytes, down, down_bytes);
        runevm_link_init(&link, &io, &identity);
        runevm_config config = {
            .engine = &FAKE_ENGINE,
            .engine_context = &engine,
            .memory_limit_bytes = 1 << 18,
            .capability_kinds = 0x7e,
            .callbacks = {&link, runevm_link_provide, runevm_link_write, runevm_link_log,
                          runevm_link_milliseconds, NULL},
        };
        (void)runevm_load(&vm, &config, rune, rune_bytes);
        runevm_link_serve(&link, &vm);
    }
    fake_engine_free(&engine);
    free(rune);
    return 0;
}

int main(int count, char **words)
{
    if (count < 3) {
        return 2;
    }
    up_bytes = (uint32_t)strtoul(words[1], NULL, 10);
    down_bytes = (uint32_t)strtoul(words[2], NULL, 10);
    up = malloc(up_bytes);
    down = malloc(down_bytes);
    int status = 0;
    if (count > 3) {
        status = speak(words[3]);
    } else {
        follow();
    }
    free(up);
    free(down);
    return status;
}
