/* libFuzzer: whatever comes over the console, the device neither crashes nor stops listening. The
 * input is bytes for the console; 0xfe 0xfe lets time pass, and 0xfd KIND starts a well-formed frame
 * of that kind whose body is the next 12 bytes. */
#include <string.h>

#include "fake_engines.h"
#include "frame.h"
#include "runevm_link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    const uint8_t *at, *end;
    uint8_t queue[RUNEVM_LINK_FRAME_BYTES];
    size_t queued, taken;
    uint8_t device_seq;
    uint32_t now_ms;
} world;

static int world_read(void *user)
{
    world *here = user;
    if (here->taken < here->queued) {
        return here->queue[here->taken++];
    }
    if (here->end - here->at >= 2 && here->at[0] == 0xfe && here->at[1] == 0xfe) {
        here->at += 2;
        here->now_ms += 1000;
        return -1;
    }
    if (here->end - here->at >= 14 && here->at[0] == 0xfd) {
        /* An even byte in place of the seq means the one that the device waits for. */
        uint8_t seq = here->at[2] % 2 == 0 ? here->device_seq : here->at[2];
        here->queued = runevm_frame_write(here->queue, here->at[1], seq, here->at + 3, here->at[2] % 12u);
        here->taken = 0;
        here->at += 14;
        return -1;
    }
    if (here->at < here->end) {
        return *here->at++;
    }
    here->now_ms += 1000;
    return -1;
}

static void world_write(void *user, const uint8_t *bytes, size_t length)
{
    uint8_t copy[RUNEVM_LINK_FRAME_BYTES];
    memcpy(copy, bytes + 1, length - 2);
    if (runevm_frame_read(copy, length - 2) > 0) {
        ((world *)user)->device_seq = copy[2];
    }
}

static uint32_t world_milliseconds(void *user)
{
    return ((world *)user)->now_ms;
}

static bool world_stopped(void *user)
{
    const world *here = user;
    return here->at == here->end && here->now_ms > 100000;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    world here = {.at = data, .end = data + size};
    static runevm vm;
    static runevm_link link;
    static uint8_t buffer[300];
    static fake_engine engine;
    static const runevm_capability CAPABILITY = {.id = 1};
    const runevm_link_io io = {&here, world_read, world_write, world_milliseconds, NULL, NULL, world_stopped};
    const runevm_link_identity identity = {"fuzz", "0", "fake", 0};
    runevm_link_init(&link, &io, &identity);
    memset(&vm, 0, sizeof vm);
    vm.status = RUNEVM_ERR_NOT_A_RUNE;
    vm.config.engine = &FAKE_ENGINE;
    vm.config.engine_context = &engine;
    if (size > 0 && data[0] % 2 == 0) {
        (void)runevm_link_provide(&link, &CAPABILITY, buffer, sizeof buffer);
        (void)runevm_link_write(&link, buffer, sizeof buffer);
    }
    runevm_link_serve(&link, &vm);
    return 0;
}
