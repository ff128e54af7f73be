/* SPDX-License-Identifier: Apache-2.0
 *
 * One direction of a TCP connection, put together from segments. Private to capture/.
 */
#ifndef BJ_CAPTURE_STREAM_H
#define BJ_CAPTURE_STREAM_H

#include "capture/capture.h"

typedef struct bj_stream {
    bj_addr from;
    bj_addr to;
    bool known;     /* `next` is known */
    bool lost;      /* bytes are missing: where messages begin is not known any more */
    uint32_t next;  /* sequence number expected */
    uint8_t *bytes; /* not yet consumed */
    size_t length, room;
} bj_stream;

typedef struct bj_streams {
    bj_stream *all;
    size_t count;
} bj_streams;

/* Adds a segment to its direction. NULL when memory runs out. Segments in order, and repeated ones, are understood;
 * after a gap the direction is `lost` until it begins anew. */
bj_stream *bj_streams_take(bj_streams *streams, const bj_packet *packet);
void bj_stream_consume(bj_stream *stream, size_t length);
void bj_streams_free(bj_streams *streams);

#endif
