/* SPDX-License-Identifier: Apache-2.0 */
/* runevm_link: the device's end of docs/spec/link.md, so that `runec run --on serial:PORT` and `runec monitor` on a host run
 * the rune on this device. Optional: an application that supplies data itself does without.
 *
 *   static runevm vm; static runevm_link link;
 *   runevm_link_init(&link, &io, &identity);
 *   config.callbacks = (runevm_callbacks){&link, runevm_link_provide, runevm_link_write, runevm_link_log,
 *                                         runevm_link_milliseconds, NULL};
 *   (void)runevm_load(&vm, &config, rune, rune_bytes);     an error is stored and reported to the host
 *   runevm_link_serve(&link, &vm);                         does not return
 */
#ifndef RUNEVM_LINK_H
#define RUNEVM_LINK_H

#include "runevm.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RUNEVM_LINK_VERSION 1
#define RUNEVM_LINK_BODY_BYTES 240u /* the longest body of a frame */
#define RUNEVM_LINK_PART_BYTES 232u /* the most bytes of DATA or RESULT in a frame */
#define RUNEVM_LINK_FRAME_BYTES 249u /* 00, overhead 1, kind, seq, body, CRC 4, 00 */

#ifndef RUNEVM_LINK_WAIT_MS
#define RUNEVM_LINK_WAIT_MS 1000u /* then the same frame is sent again */
#endif
#ifndef RUNEVM_LINK_TRIES
#define RUNEVM_LINK_TRIES 8u /* resends, then the host is lost */
#endif

/* What the link needs from the board. Rules for every function:
 *  1. `user` is runevm_link_io.user, unchanged.
 *  2. It does not call runevm or runevm_link.
 */
typedef struct {
    void *user;
    int (*read)(void *user); /* one byte, or -1 at once */
    void (*write)(void *user, const uint8_t *bytes,
                  size_t length); /* all of them; may block. Dropped bytes are resent */
    uint32_t (*milliseconds)(void *user); /* as runevm_callbacks.milliseconds */
    uint32_t (*ticks)(void *user); /* time unit of STATS; wraps at 2^32. NULL: STATS has no times */
    uint32_t (*stack_used_bytes)(void *user); /* the most so far. NULL: STATS has no stack */
    bool (*stopped)(void *user); /* true: runevm_link_serve() returns. NULL: never */
} runevm_link_io;

/* Contents of HELLO in addition to the rune. The texts outlive the link and have at most 60 bytes each. */
typedef struct {
    const char *board;
    const char *firmware; /* version */
    const char *engine; /* such as "wasm3+tflm" */
    uint32_t engine_heap_bytes; /* of the engine's pool without the linear memory */
} runevm_link_identity;

/* Answers a SELFTEST request (docs/spec/link.md, section 6), for firmware that tests a board.
 *  1. `request` has 1 to RUNEVM_LINK_BODY_BYTES bytes; `answer` has room for as many.
 *  2. Returns the bytes of the answer, or 0 for none. */
typedef size_t (*runevm_link_selftest)(void *user, const uint8_t *request, size_t bytes, uint8_t *answer);

/* All private. */
typedef struct {
    runevm_link_io io;
    runevm_link_identity identity;
    runevm_link_selftest selftest;
    void *selftest_user;
    uint32_t result_bytes; /* of the result so far, sent or waiting in `part` */
    uint32_t result_crc;
    uint32_t waited_ticks; /* of this run, for the host */
    uint32_t last_run_ticks; /* without them */
    uint16_t received; /* bytes in `frame_in` since the last 00 */
    uint16_t payload_bytes; /* of the last good frame in `frame_in` */
    uint16_t part_bytes;
    uint8_t seq; /* the device's own */
    uint8_t last_run_seq;
    bool has_last_run;
    bool overlong; /* more bytes since the last 00 than a frame has */
    bool interrupted; /* HELLO or RUN in `frame_in` ended the run and is to be served */
    bool nodata; /* NODATA in `frame_in` ended the run, with the reason */
    uint8_t frame_in[RUNEVM_LINK_FRAME_BYTES];
    uint8_t frame_out[RUNEVM_LINK_FRAME_BYTES];
    uint8_t part[4u + RUNEVM_LINK_PART_BYTES]; /* offset, then bytes of the result */
} runevm_link;

void runevm_link_init(runevm_link *link, const runevm_link_io *io, const runevm_link_identity *identity);

/* From now on SELFTEST is answered; without it such a request is dropped. Only in a library that is compiled with
 * RUNEVM_LINK_SELFTEST: other firmware has no use for the code. */
void runevm_link_answer_selftest(runevm_link *link, runevm_link_selftest selftest, void *user);

/* Callbacks for runevm_callbacks, with `user` = the link. runevm_link_provide() and runevm_link_write() work only inside a
 * run that runevm_link_serve() started. */
runevm_error runevm_link_provide(void *user, const runevm_capability *capability, uint8_t *buffer, uint32_t length);
runevm_error runevm_link_write(void *user, const uint8_t *bytes, uint32_t length);
void runevm_link_log(void *user, runevm_log_level level, const char *text, uint32_t length);
uint32_t runevm_link_milliseconds(void *user);

/* Sends HELLO, then answers requests until io.stopped(). `vm` was given to runevm_load(); if that failed, HELLO reports the
 * error and RUN is answered by it. */
void runevm_link_serve(runevm_link *link, runevm *vm);

#ifdef __cplusplus
}
#endif
#endif
