/* SPDX-License-Identifier: Apache-2.0 */
/* The device's end of docs/spec/link.md. It listens only while it waits: for a request, or for the
 * answer to what it sent last. The host sends only when the device waits, so a console without
 * interrupts loses nothing. */
#include "runevm_link.h"

#include <string.h>

#include "crc32.h"
#include "frame.h"
#include "runevm_engine.h"
#include "runevm_model.h"
#include "utf8.h"

#define TEXT_BYTES_MAX 60u
#define DETAIL_BYTES_MAX 128u
#define ABI 1u
#define BYTES_AT_ONCE 256u
#define OFFSET_BYTES 4u

enum {
    IN_HELLO = 0x01,
    IN_RUN = 0x02,
    IN_DATA = 0x03,
    IN_ACK = 0x04,
    IN_NODATA = 0x05,
    IN_STATS = 0x06,
    IN_SELFTEST = 0x07,
    OUT_ACK = 0x80,
    OUT_HELLO = 0x81,
    OUT_NEED = 0x82,
    OUT_RESULT = 0x83,
    OUT_DONE = 0x84,
    OUT_ERROR = 0x85,
    OUT_LOG = 0x86,
    OUT_STATS = 0x87,
    OUT_SELFTEST = 0x88
};

void runevm_link_init(runevm_link *link, const runevm_link_io *io, const runevm_link_identity *identity)
{
    memset(link, 0, sizeof *link);
    link->io = *io;
    link->identity = *identity;
}

#ifdef RUNEVM_LINK_SELFTEST
void runevm_link_answer_selftest(runevm_link *link, runevm_link_selftest selftest, void *user)
{
    link->selftest = selftest;
    link->selftest_user = user;
}
#endif

static uint8_t *put_u16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
    return at + 2;
}

static uint8_t *put_u32(uint8_t *at, uint32_t value)
{
    return put_u16(put_u16(at, value & 0xffffu), value >> 16);
}

/* u8 length, bytes. */
static uint8_t *put_text(uint8_t *at, const char *text, size_t length, size_t room)
{
    size_t kept = runevm_utf8_cut(text, length, room);
    *at++ = (uint8_t)kept;
    memcpy(at, text, kept);
    return at + kept;
}

static uint32_t get_u32(const uint8_t *at)
{
    return at[0] | ((uint32_t)at[1] << 8) | ((uint32_t)at[2] << 16) | ((uint32_t)at[3] << 24);
}

static uint32_t ticks(const runevm_link *link)
{
    return link->io.ticks != NULL ? link->io.ticks(link->io.user) : 0;
}

static bool stopped(const runevm_link *link)
{
    return link->io.stopped != NULL && link->io.stopped(link->io.user);
}

static void send(runevm_link *link, uint8_t kind, uint8_t seq, const uint8_t *body, size_t body_bytes)
{
    size_t length = runevm_frame_write(link->frame_out, kind, seq, body, body_bytes);
    link->io.write(link->io.user, link->frame_out, length);
}

/* The last good frame: kind, seq, body. It stays until the next byte is read. */
static uint8_t in_kind(const runevm_link *link)
{
    return link->frame_in[1];
}

static uint8_t in_seq(const runevm_link *link)
{
    return link->frame_in[2];
}

static const uint8_t *in_body(const runevm_link *link)
{
    return link->frame_in + 3;
}

static uint32_t in_body_bytes(const runevm_link *link)
{
    return link->payload_bytes - 2u;
}

static bool fits_kind(const runevm_link *link)
{
    uint32_t bytes = in_body_bytes(link);
    switch (in_kind(link)) {
    case IN_HELLO: return bytes == 1;
    case IN_RUN:
    case IN_ACK:
    case IN_STATS: return bytes == 0;
    case IN_DATA: return bytes > OFFSET_BYTES && bytes <= OFFSET_BYTES + RUNEVM_LINK_PART_BYTES;
    case IN_NODATA: return bytes >= 2;
#ifdef RUNEVM_LINK_SELFTEST
    case IN_SELFTEST: return bytes >= 1 && bytes <= RUNEVM_LINK_BODY_BYTES;
#endif
    default: return false;
    }
}

/* Reads the console up to one valid frame; true if there is one. Everything that is no
 * frame of ours is dropped. Bounded, so that a console that never rests cannot stop the clock. */
static bool receive(runevm_link *link)
{
    for (uint32_t i = 0; i < BYTES_AT_ONCE; i++) {
        int byte = link->io.read(link->io.user);
        if (byte < 0) {
            return false;
        }
        if (byte != 0) {
            if (link->received < sizeof link->frame_in) {
                link->frame_in[link->received++] = (uint8_t)byte;
            } else {
                link->overlong = true;
            }
            continue;
        }
        size_t length = link->overlong ? 0 : link->received;
        link->overlong = false;
        link->received = 0;
        link->payload_bytes = (uint16_t)runevm_frame_read(link->frame_in, length);
        if (link->payload_bytes != 0 && fits_kind(link)) {
            return true;
        }
    }
    return false;
}

/* A frame that came while the device waits for an answer: true if it ends the run. */
static bool interrupts(runevm_link *link)
{
    if (in_kind(link) == IN_RUN && link->has_last_run && in_seq(link) == link->last_run_seq) {
        send(link, OUT_ACK, in_seq(link), NULL, 0);
        return false;
    }
    link->interrupted = in_kind(link) == IN_RUN || in_kind(link) == IN_HELLO;
    return link->interrupted;
}

/* Is the frame the answer to `kind`? For NEED, `offset` is wanted and `room` bytes at most. */
static bool answers(const runevm_link *link, uint8_t kind, uint32_t offset, uint32_t room)
{
    if (in_seq(link) != link->seq) {
        return false;
    }
    if (kind != OUT_NEED) {
        return in_kind(link) == IN_ACK;
    }
    if (in_kind(link) == IN_DATA) {
        return get_u32(in_body(link)) == offset && in_body_bytes(link) - OFFSET_BYTES <= room;
    }
    return in_kind(link) == IN_NODATA;
}

static runevm_error wait_for_answer(runevm_link *link, uint8_t kind, const uint8_t *body, size_t body_bytes,
                                    uint32_t offset, uint32_t room)
{
    for (uint32_t tries = 0; tries <= RUNEVM_LINK_TRIES; tries++) {
        send(link, kind, link->seq, body, body_bytes);
        uint32_t start = link->io.milliseconds(link->io.user);
        do {
            if (stopped(link)) {
                return RUNEVM_ERR_LINK;
            }
            if (!receive(link)) {
                continue;
            }
            if (answers(link, kind, offset, room)) {
                return RUNEVM_OK;
            }
            if (interrupts(link)) {
                return RUNEVM_ERR_LINK;
            }
        } while (link->io.milliseconds(link->io.user) - start < RUNEVM_LINK_WAIT_MS);
    }
    return RUNEVM_ERR_LINK;
}

/* Sends a frame of the device's own and waits for its answer, which then is the last frame. */
static runevm_error ask(runevm_link *link, uint8_t kind, const uint8_t *body, size_t body_bytes, uint32_t offset,
                        uint32_t room)
{
    uint32_t start = ticks(link);
    link->seq++;
    runevm_error error = wait_for_answer(link, kind, body, body_bytes, offset, room);
    link->waited_ticks += ticks(link) - start;
    return error;
}

/* The code in NODATA. LINK would mean that the host is lost. */
static runevm_error nodata_code(const runevm_link *link)
{
    runevm_error code = (runevm_error)(in_body(link)[0] | (in_body(link)[1] << 8));
    bool known = strcmp(runevm_error_name(code), "UNKNOWN") != 0;
    return known && code != RUNEVM_OK && code != RUNEVM_ERR_LINK ? code : RUNEVM_ERR_NO_DATA;
}

runevm_error runevm_link_provide(void *user, const runevm_capability *capability, uint8_t *buffer, uint32_t length)
{
    runevm_link *link = (runevm_link *)user;
    for (uint32_t offset = 0; offset < length;) {
        uint8_t body[12];
        (void)put_u32(put_u32(put_u32(body, capability->id), length), offset);
        runevm_error error = ask(link, OUT_NEED, body, sizeof body, offset, length - offset);
        if (error != RUNEVM_OK) {
            return error;
        }
        if (in_kind(link) == IN_NODATA) {
            link->nodata = true;
            return nodata_code(link);
        }
        uint32_t bytes = in_body_bytes(link) - OFFSET_BYTES;
        memcpy(buffer + offset, in_body(link) + OFFSET_BYTES, bytes);
        offset += bytes;
    }
    return RUNEVM_OK;
}

static runevm_error send_part(runevm_link *link)
{
    if (link->part_bytes == 0) {
        return RUNEVM_OK;
    }
    (void)put_u32(link->part, link->result_bytes - link->part_bytes);
    runevm_error error = ask(link, OUT_RESULT, link->part, OFFSET_BYTES + link->part_bytes, 0, 0);
    link->part_bytes = 0;
    return error;
}

runevm_error runevm_link_write(void *user, const uint8_t *bytes, uint32_t length)
{
    runevm_link *link = (runevm_link *)user;
    link->result_crc = runevm_crc32(link->result_crc, bytes, length);
    while (length > 0) {
        uint32_t room = RUNEVM_LINK_PART_BYTES - link->part_bytes;
        uint32_t count = length < room ? length : room;
        memcpy(link->part + OFFSET_BYTES + link->part_bytes, bytes, count);
        link->part_bytes = (uint16_t)(link->part_bytes + count);
        link->result_bytes += count;
        bytes += count;
        length -= count;
        runevm_error error = link->part_bytes == RUNEVM_LINK_PART_BYTES ? send_part(link) : RUNEVM_OK;
        if (error != RUNEVM_OK) {
            return error;
        }
    }
    return RUNEVM_OK;
}

void runevm_link_log(void *user, runevm_log_level level, const char *text, uint32_t length)
{
    runevm_link *link = (runevm_link *)user;
    uint8_t body[RUNEVM_LINK_BODY_BYTES];
    size_t kept = runevm_utf8_cut(text, length, sizeof body - 1);
    body[0] = (uint8_t)level;
    memcpy(body + 1, text, kept);
    send(link, OUT_LOG, 0, body, 1 + kept);
}

uint32_t runevm_link_milliseconds(void *user)
{
    const runevm_link *link = (const runevm_link *)user;
    return link->io.milliseconds(link->io.user);
}

static void send_hello(runevm_link *link, const runevm *vm, uint8_t seq)
{
    uint8_t body[RUNEVM_LINK_BODY_BYTES] = {RUNEVM_LINK_VERSION, ABI};
    uint8_t *at = put_u16(body + 2, (uint32_t)vm->status);
    if (vm->rune.digest != NULL) {
        memcpy(at, vm->rune.digest, 32);
    }
    at = put_u32(at + 32, vm->config.memory_limit_bytes);
    at = put_u32(at, vm->config.arena_limit_bytes);
    at = put_u32(at, link->identity.engine_heap_bytes);
    at = put_text(at, link->identity.board, strlen(link->identity.board), TEXT_BYTES_MAX);
    at = put_text(at, link->identity.firmware, strlen(link->identity.firmware), TEXT_BYTES_MAX);
    at = put_text(at, link->identity.engine, strlen(link->identity.engine), TEXT_BYTES_MAX);
    send(link, OUT_HELLO, seq, body, (size_t)(at - body));
}

static uint8_t *put_figure(uint8_t *at, uint8_t key, uint32_t value)
{
    *at = key;
    return put_u32(at + 1, value);
}

static void send_stats(runevm_link *link, const runevm *vm, uint8_t seq)
{
    uint8_t body[4 + 7 * 5];
    uint8_t *at = put_u32(body, vm->runs);
    if (vm->status == RUNEVM_OK) {
        const runevm_config *config = &vm->config;
        if (config->model_engine != NULL) {
            at = put_figure(at, 1, config->model_engine->arena_used_bytes(config->model_context));
        }
        at = put_figure(at, 2, config->engine->heap_used_bytes(config->engine_context));
        at = put_figure(at, 3, vm->rune.memory_bytes);
    }
    if (link->io.stack_used_bytes != NULL) {
        at = put_figure(at, 4, link->io.stack_used_bytes(link->io.user));
    }
    if (link->io.ticks != NULL) {
        at = put_figure(at, 5, link->last_run_ticks);
    }
    at = put_figure(at, 6, vm->config.time_budget_ms);
    at = put_figure(at, 7, vm->last_run_ms);
    send(link, OUT_STATS, seq, body, (size_t)(at - body));
}

static runevm_error send_error(runevm_link *link, const runevm *vm, runevm_error error)
{
    const char *place = runevm_error_place(vm);
    const char *detail = runevm_error_detail(vm);
    size_t detail_bytes = strlen(detail);
    if (link->nodata && in_body_bytes(link) > 2) {
        detail = (const char *)in_body(link) + 2;
        detail_bytes = in_body_bytes(link) - 2u;
    }
    /* The parts of a result that an error ends are of no use: their room is free. */
    uint8_t *at = put_u16(link->part, (uint32_t)error);
    at = put_text(at, place, strlen(place), RUNEVM_MAX_NAME_BYTES);
    at = put_text(at, detail, detail_bytes, DETAIL_BYTES_MAX);
    return ask(link, OUT_ERROR, link->part, (size_t)(at - link->part), 0, 0);
}

_Static_assert(2 + 1 + RUNEVM_MAX_NAME_BYTES + 1 + DETAIL_BYTES_MAX <= OFFSET_BYTES + RUNEVM_LINK_PART_BYTES,
               "ERROR fits");

#ifdef RUNEVM_LINK_SELFTEST
static void send_selftest(runevm_link *link, uint8_t seq)
{
    uint8_t body[RUNEVM_LINK_BODY_BYTES];
    size_t bytes;
    if (link->selftest == NULL) {
        return;
    }
    bytes = link->selftest(link->selftest_user, in_body(link), in_body_bytes(link), body);
    if (bytes > 0 && bytes <= sizeof body) {
        send(link, OUT_SELFTEST, seq, body, bytes);
    }
}
#endif

/* The rest of the result, its length and its CRC. */
static runevm_error send_done(runevm_link *link)
{
    runevm_error error = send_part(link);
    uint8_t body[8];
    (void)put_u32(put_u32(body, link->result_bytes), link->result_crc);
    return error == RUNEVM_OK ? ask(link, OUT_DONE, body, sizeof body, 0, 0) : error;
}

static void serve_run(runevm_link *link, runevm *vm)
{
    link->result_bytes = 0;
    link->result_crc = 0;
    link->part_bytes = 0;
    link->nodata = false;
    link->waited_ticks = 0;
    uint32_t start = ticks(link);
    runevm_error error = runevm_run(vm);
    link->last_run_ticks = ticks(link) - start - link->waited_ticks;
    if (error == RUNEVM_OK) {
        error = send_done(link);
    } else if (error != RUNEVM_ERR_LINK) {
        error = send_error(link, vm, error);
    }
    /* RUNEVM_ERR_LINK: the host is lost or sends another request. Both lead to the next request. */
    (void)error;
}

void runevm_link_serve(runevm_link *link, runevm *vm)
{
    send_hello(link, vm, 0);
    while (!stopped(link)) {
        if (!link->interrupted && !receive(link)) {
            continue;
        }
        link->interrupted = false;
        uint8_t seq = in_seq(link);
        switch (in_kind(link)) {
        case IN_HELLO:
            link->has_last_run = false; /* a new host may count from anywhere */
            send_hello(link, vm, seq);
            break;
        case IN_STATS:
            link->has_last_run = false;
            send_stats(link, vm, seq);
            break;
#ifdef RUNEVM_LINK_SELFTEST
        case IN_SELFTEST:
            link->has_last_run = false;
            send_selftest(link, seq);
            break;
#endif
        case IN_RUN: {
            bool known = link->has_last_run && seq == link->last_run_seq;
            link->has_last_run = true;
            link->last_run_seq = seq;
            send(link, OUT_ACK, seq, NULL, 0);
            if (!known) {
                serve_run(link, vm);
            }
            break;
        }
        default: break; /* an answer that nobody waits for */
        }
    }
}
