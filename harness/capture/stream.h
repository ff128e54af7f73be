/* SPDX-License-Identifier: Apache-2.0
 *
 * One direction of a TCP connection, put together from segments. Private to capture/.
 */
#ifndef BJ_CAPTURE_STREAM_H
#define BJ_CAPTURE_STREAM_H

#include "capture/capture.h"

enum { BJ_STREAM_EARLY = 64 };

/* A segment that came before those in front of it. */
typedef struct bj_stream_early {
    uint32_t sequence;
    uint8_t *bytes;
    size_t length;
} bj_stream_early;

typedef struct bj_stream {
    bj_addr from;
    bj_addr to;
    bool known;     /* `next` is known */
    bool begun;     /* the connection's beginning was seen, and nothing is missing since */
    bool lost;      /* bytes are missing: where messages begin is not known any more */
    bool secure;    /* for the caller: it carries TLS */
    bool waits;     /* segments are kept until those before them come */
    uint32_t next;  /* sequence number expected */
    uint8_t *bytes; /* not yet consumed */
    size_t length, room;
    bj_stream_early early[BJ_STREAM_EARLY];
    size_t early_count;
    struct bj_stream *other; /* of the same place in the table */
} bj_stream;

enum { BJ_STREAM_PLACES = 1024 };

/* The directions of connections that are open. All zero is empty. */
typedef struct bj_streams {
    size_t count;
    bj_stream **places; /* BJ_STREAM_PLACES of them; NULL: there was no connection yet */
    bj_stream *resumed; /* the packet says that bytes of the other direction will not come any more, which goes on
                           behind them; NULL */
} bj_streams;

/* Adds a segment to its direction. NULL when memory runs out. Segments out of order, and repeated ones, are understood;
 * after a gap that is not filled by the next BJ_STREAM_EARLY segments the direction is `lost` until it begins anew.
 * Where the other side acknowledges bytes that the capture missed, the direction goes on with what came behind them,
 * where a message may begin: `resumed`. */
bj_stream *bj_streams_take(bj_streams *streams, const bj_packet *packet);
void bj_stream_consume(bj_stream *stream, size_t length);
/* The connection is over: both directions are forgotten. */
void bj_streams_forget(bj_streams *streams, const bj_packet *packet);
void bj_streams_free(bj_streams *streams);

#endif
