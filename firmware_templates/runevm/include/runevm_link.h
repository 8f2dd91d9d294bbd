/* runevm_link: the device's end of docs/spec/link.md. One struct, no globals, no heap.
 *
 *   static runevm vm; static runevm_link link;
 *   runevm_link_init(&link, &io, &identity);
 *   config.callbacks = (runevm_callbacks){&link, runevm_link_provide, runevm_link_write, runevm_link_log,
 *                                         runevm_link_milliseconds, NULL};
 *   (void)runevm_load(&vm, &config, rune, rune_bytes);     an error is kept and told to the computer
 *   runevm_link_serve(&link, &vm);                         for ever
 */
#ifndef RUNEVM_LINK_H
#define RUNEVM_LINK_H

#include "runevm.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RUNEVM_LINK_VERSION 1
#define RUNEVM_LINK_BODY_BYTES 240u   /* the longest body of a frame */
#define RUNEVM_LINK_PART_BYTES 232u   /* the most bytes of DATA or RESULT in a frame */
#define RUNEVM_LINK_FRAME_BYTES 249u  /* 00, overhead 1, kind, seq, body, CRC 4, 00 */

#ifndef RUNEVM_LINK_WAIT_MS
#define RUNEVM_LINK_WAIT_MS 1000u     /* then the same frame is sent again */
#endif
#ifndef RUNEVM_LINK_TRIES
#define RUNEVM_LINK_TRIES 8u          /* resends, then the computer is taken for gone */
#endif

/* What the link needs from the board. The first three may be thin wraps of runevm_hal.h; `user` is
 * passed back. The last three may be NULL. None may call runevm. */
typedef struct {
    void *user;
    int (*read)(void *user);                                         /* one byte, or -1; never waits */
    void (*write)(void *user, const uint8_t *bytes, size_t length);  /* all of them; waits */
    uint32_t (*milliseconds)(void *user);                            /* wraps */
    uint32_t (*ticks)(void *user);                                   /* time unit of STATS; wraps */
    uint32_t (*stack_used_bytes)(void *user);                        /* the most so far, for STATS */
    bool (*stopped)(void *user);                                     /* true: runevm_link_serve() returns */
} runevm_link_io;

/* What HELLO says beside the rune. The texts must outlive the link; each at most 60 bytes. */
typedef struct {
    const char *board;
    const char *firmware;            /* version */
    const char *engine;              /* such as "wasm3+tflm" */
    uint32_t engine_heap_bytes;      /* what the engine's pool was given */
} runevm_link_identity;

/* All private. */
typedef struct {
    runevm_link_io io;
    runevm_link_identity identity;
    uint32_t result_bytes;           /* of the result so far, sent or waiting in `part` */
    uint32_t result_crc;
    uint32_t waited_ticks;           /* of this run, for the computer */
    uint32_t last_run_ticks;         /* without them */
    uint16_t received;               /* bytes in `frame_in` since the last 00 */
    uint16_t payload_bytes;          /* of the last good frame in `frame_in` */
    uint16_t part_bytes;
    uint8_t seq;                     /* the device's own */
    uint8_t last_run_seq;
    bool has_last_run;
    bool overlong;                   /* more bytes since the last 00 than a frame has */
    bool interrupted;                /* HELLO or RUN in `frame_in` ended the run and is to be served */
    bool nodata;                     /* NODATA in `frame_in` ended the run; it says why */
    uint8_t frame_in[RUNEVM_LINK_FRAME_BYTES];
    uint8_t frame_out[RUNEVM_LINK_FRAME_BYTES];
    uint8_t part[4u + RUNEVM_LINK_PART_BYTES]; /* offset, then bytes of the result */
} runevm_link;

void runevm_link_init(runevm_link *link, const runevm_link_io *io, const runevm_link_identity *identity);

/* The callbacks of runevm_callbacks, with `user` = the link. Outside a run that the computer
 * asked for, runevm_link_provide() and runevm_link_write() must not be called. */
runevm_error runevm_link_provide(void *user, const runevm_capability *capability, uint8_t *buffer, uint32_t length);
runevm_error runevm_link_write(void *user, const uint8_t *bytes, uint32_t length);
void runevm_link_log(void *user, runevm_log_level level, const char *text, uint32_t length);
uint32_t runevm_link_milliseconds(void *user);

/* Says hello, then answers requests. Returns only when io.stopped() says so. `vm` has seen
 * runevm_load(); if that failed, HELLO carries the error and RUN is answered by it. */
void runevm_link_serve(runevm_link *link, runevm *vm);

#ifdef __cplusplus
}
#endif
#endif
