/* SPDX-License-Identifier: Apache-2.0
 *
 * See stream.h.
 */
#include "capture/stream.h"

#include <stdlib.h>
#include <string.h>

static size_t place_of(const bj_addr *from, const bj_addr *to) {
    size_t h = (size_t) from->port * 31 + (size_t) to->port * 17;
    for (unsigned i = 0; i < 16; i++) {
        bool counts = from->family == 6 || i < 4;
        h = counts ? h * 33 + from->ip[i] + 7U * to->ip[i] : h;
    }
    return h % BJ_STREAM_PLACES;
}

static bj_stream **find(bj_streams *streams, const bj_addr *from, const bj_addr *to) {
    bj_stream **at = &streams->places[place_of(from, to)];
    while (*at && !(bj_addr_equal(&(*at)->from, from) && bj_addr_equal(&(*at)->to, to))) {
        at = &(*at)->other;
    }
    return at;
}

static void drop_early(bj_stream *s) {
    for (size_t i = 0; i < s->early_count; i++) {
        free(s->early[i].bytes);
    }
    s->early_count = 0;
    s->waits = false;
}

static void remove_stream(bj_streams *streams, bj_stream **at) {
    bj_stream *s = *at;
    if (s) {
        streams->count--;
        *at = s->other;
        drop_early(s);
        free(s->bytes);
        free(s);
    }
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

static bool keep_early(bj_stream *s, uint32_t sequence, const uint8_t *data, size_t length) {
    if (s->early_count == BJ_STREAM_EARLY) {
        drop_early(s);
        s->lost = true;
        s->length = 0;
        return true;
    }
    uint8_t *copy = malloc(length);
    if (!copy) {
        return false;
    }
    memcpy(copy, data, length);
    s->early[s->early_count++] = (bj_stream_early){ .sequence = sequence, .bytes = copy, .length = length };
    s->waits = true;
    return true;
}

/* Adds what continues the direction. Sequence numbers wrap: the distance counts. What lies before `next` was there
 * already. */
static bool add(bj_stream *s, uint32_t sequence, const uint8_t *data, size_t length) {
    uint32_t ahead = sequence - s->next;
    if (ahead && ahead <= INT32_MAX) {
        return !length || keep_early(s, sequence, data, length);
    }
    size_t repeated = (size_t) (uint32_t) -ahead;
    if (length <= repeated) {
        return true;
    }
    s->next = sequence + (uint32_t) length;
    return append(s, data + repeated, length - repeated);
}

/* Those that came early and whose turn it is now. */
static bool add_early(bj_stream *s) {
    for (size_t i = 0; i < s->early_count;) {
        bj_stream_early e = s->early[i];
        uint32_t ahead = e.sequence - s->next;
        if (ahead && ahead <= INT32_MAX) {
            i++;
            continue;
        }
        s->early[i] = s->early[--s->early_count];
        bool added = add(s, e.sequence, e.bytes, e.length);
        free(e.bytes);
        if (!added) {
            return false;
        }
        i = 0;
    }
    s->waits = s->early_count > 0;
    return true;
}

static void begin(bj_stream *s, uint32_t next, bool begun) {
    drop_early(s);
    s->known = true;
    s->begun = begun;
    s->lost = false;
    s->length = 0;
    s->next = next;
}

/* RFC 9293 3.4: what is acknowledged had arrived. false: no memory. */
static bool acknowledge(bj_streams *streams, const bj_packet *packet) {
    bj_stream *s = packet->tcp_flags & BJ_TCP_ACK ? *find(streams, &packet->to, &packet->from) : NULL;
    if (!s || s->lost || !s->early_count || (int32_t) (packet->tcp_acknowledged - s->next) <= 0) {
        return true;
    }
    uint32_t nearest = UINT32_MAX;
    for (size_t i = 0; i < s->early_count; i++) {
        uint32_t ahead = s->early[i].sequence - s->next;
        nearest = ahead < nearest ? ahead : nearest;
    }
    if ((int32_t) (packet->tcp_acknowledged - (s->next + nearest)) <= 0) {
        return true; /* of what came behind the gap nothing is acknowledged yet: it may still be filled */
    }
    s->next += nearest;
    s->length = 0;
    s->begun = false;
    streams->resumed = s;
    return add_early(s);
}

bj_stream *bj_streams_take(bj_streams *streams, const bj_packet *packet) {
    streams->places = streams->places ? streams->places : calloc(BJ_STREAM_PLACES, sizeof(void *));
    if (!streams->places) {
        return NULL;
    }
    streams->resumed = NULL;
    if (!acknowledge(streams, packet)) {
        return NULL;
    }
    bj_stream **at = find(streams, &packet->from, &packet->to), *s = *at;
    if (!s) {
        s = *at = calloc(1, sizeof *s);
        if (!s) {
            return NULL;
        }
        streams->count++;
        s->from = packet->from;
        s->to = packet->to;
    }
    if (packet->tcp_flags & BJ_TCP_SYN) {
        begin(s, packet->tcp_sequence + 1, true);
        return s;
    }
    if (!s->known) {
        begin(s, packet->tcp_sequence, false);
    }
    if (s->lost) {
        return s;
    }
    return add(s, packet->tcp_sequence, packet->data, packet->length) && add_early(s) ? s : NULL;
}

void bj_stream_consume(bj_stream *s, size_t length) {
    s->length -= length;
    if (s->length) {
        memmove(s->bytes, s->bytes + length, s->length);
    }
}

void bj_streams_forget(bj_streams *streams, const bj_packet *packet) {
    if (streams->count) {
        remove_stream(streams, find(streams, &packet->from, &packet->to));
        remove_stream(streams, find(streams, &packet->to, &packet->from));
    }
}

void bj_streams_free(bj_streams *streams) {
    for (size_t i = 0; streams->count; i++) {
        while (streams->places[i]) {
            remove_stream(streams, &streams->places[i]);
        }
    }
    free(streams->places);
    streams->places = NULL;
}
