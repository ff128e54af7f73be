/* SPDX-License-Identifier: Apache-2.0
 *
 * See stream.h.
 */
#include "capture/stream.h"

#include <stdlib.h>
#include <string.h>

static bj_stream *find(bj_streams *streams, const bj_packet *packet) {
    for (size_t i = 0; i < streams->count; i++) {
        bj_stream *s = &streams->all[i];
        if (bj_addr_equal(&s->from, &packet->from) && bj_addr_equal(&s->to, &packet->to)) {
            return s;
        }
    }
    bj_stream *grown = realloc(streams->all, (streams->count + 1) * sizeof *grown);
    if (!grown) {
        return NULL;
    }
    streams->all = grown;
    grown[streams->count] = (bj_stream){ .from = packet->from, .to = packet->to };
    return &grown[streams->count++];
}

static bool append(bj_stream *s, const uint8_t *data, size_t length) {
    if (s->room - s->length < length) {
        size_t room = 2 * (s->length + length);
        uint8_t *grown = realloc(s->bytes, room);
        if (!grown) {
            return false;
        }
        s->bytes = grown;
        s->room = room;
    }
    if (length) {
        memcpy(s->bytes + s->length, data, length);
        s->length += length;
    }
    return true;
}

bj_stream *bj_streams_take(bj_streams *streams, const bj_packet *packet) {
    bj_stream *s = find(streams, packet);
    if (!s) {
        return NULL;
    }
    if (packet->tcp_flags & BJ_TCP_SYN) {
        s->known = true;
        s->lost = false;
        s->length = 0;
        s->next = packet->tcp_sequence + 1;
        return s;
    }
    if (!s->known) {
        s->known = true;
        s->next = packet->tcp_sequence;
    }
    /* Sequence numbers wrap: the distance counts. What lies before `next` was there already. */
    uint32_t ahead = packet->tcp_sequence - s->next;
    size_t repeated = ahead > INT32_MAX ? (size_t) (uint32_t) -ahead : 0;
    if (packet->length <= repeated) {
        return s;
    }
    if (ahead && ahead <= INT32_MAX) {
        s->lost = true;
        s->length = 0;
    }
    if (!s->lost && !append(s, packet->data + repeated, packet->length - repeated)) {
        return NULL;
    }
    s->next = packet->tcp_sequence + (uint32_t) packet->length;
    return s;
}

void bj_stream_consume(bj_stream *s, size_t length) {
    s->length -= length;
    if (s->length) {
        memmove(s->bytes, s->bytes + length, s->length);
    }
}

void bj_streams_free(bj_streams *streams) {
    for (size_t i = 0; i < streams->count; i++) {
        free(streams->all[i].bytes);
    }
    free(streams->all);
    *streams = (bj_streams){ 0 };
}
