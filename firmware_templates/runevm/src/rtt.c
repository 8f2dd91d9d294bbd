/* SPDX-License-Identifier: Apache-2.0 */
/* Section 5 of docs/spec/link.md. The debugger's offsets are checked: while one is past the end of its buffer,
 * nothing moves. */
#include "runevm_rtt.h"

#include <stdatomic.h>

#define BLOCK_IF_FULL 2u

_Static_assert(sizeof(void *) != 4 || sizeof(runevm_rtt) == 72, "the layout that debuggers know");
_Static_assert(RUNEVM_RTT_UP_BYTES % 4 == 0 && RUNEVM_RTT_DOWN_BYTES % 4 == 0, "whole words");

/* Reversed, so that a search of the memory finds the control block only. */
static const char di[] = "TTR REGGES";

static void set_ring(runevm_rtt_ring *ring, const char *name, uint8_t *bytes, uint32_t size)
{
    ring->name = name;
    ring->bytes = bytes;
    ring->size = size;
    ring->write = 0;
    ring->read = 0;
    ring->flags = BLOCK_IF_FULL;
}

static bool is_sound(const runevm_rtt_ring *ring, uint32_t write, uint32_t read)
{
    return write < ring->size && read < ring->size;
}

void runevm_rtt_init(runevm_rtt *rtt, uint8_t *up, uint32_t up_bytes, uint8_t *down, uint32_t down_bytes)
{
    for (size_t i = 0; i < sizeof rtt->id; i++) rtt->id[i] = 0;
    atomic_thread_fence(memory_order_seq_cst);
    rtt->up_count = 1;
    rtt->down_count = 1;
    set_ring(&rtt->up, "runec", up, up_bytes);
    set_ring(&rtt->down, "runec", down, down_bytes);
    /* The id is written last: a reader of the whole id sees the rest. */
    atomic_thread_fence(memory_order_seq_cst);
    for (size_t i = sizeof di - 1; i-- > 0;) rtt->id[sizeof di - 2 - i] = di[i];
    atomic_thread_fence(memory_order_seq_cst);
}

int runevm_rtt_read(runevm_rtt *rtt)
{
    runevm_rtt_ring *ring = &rtt->down;
    uint32_t write = ring->write, read = ring->read;
    if (write == read || !is_sound(ring, write, read)) {
        return -1;
    }
    atomic_thread_fence(memory_order_seq_cst);
    int byte = *(volatile uint8_t *)(ring->bytes + read);
    atomic_thread_fence(memory_order_seq_cst);
    ring->read = read + 1 == ring->size ? 0 : read + 1;
    return byte;
}

size_t runevm_rtt_write(runevm_rtt *rtt, const uint8_t *bytes, size_t length)
{
    runevm_rtt_ring *ring = &rtt->up;
    uint32_t write = ring->write, read = ring->read;
    size_t taken = 0;
    if (!is_sound(ring, write, read)) {
        return 0;
    }
    while (taken < length) {
        uint32_t next = write + 1 == ring->size ? 0 : write + 1;
        if (next == read) {
            break;
        }
        *(volatile uint8_t *)(ring->bytes + write) = bytes[taken++];
        write = next;
    }
    atomic_thread_fence(memory_order_seq_cst);
    ring->write = write;
    return taken;
}

bool runevm_rtt_drained(const runevm_rtt *rtt)
{
    return rtt->up.write == rtt->up.read;
}
