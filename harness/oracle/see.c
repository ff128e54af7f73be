/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages out of events. In virtual time the log says when the client sent and when something reached it; on a real
 * network it has the servers' side alone, and sending and arriving are one moment. What DTLS and TLS carry stands in
 * events of its own, which lead to the records that carried it.
 */
#include "oracle/internal.h"

#include <stddef.h>
#include <string.h>

enum { PLAIN_PLACES = ORACLE_RECENT / 4, MOST_FRAME = 1 << 20 };

/* RFC 6347 §4.1: a record of DTLS, whose first byte no message of CoAP's version 1 has. */
static bool is_record(const bj_event *event) {
    return event->raw_length >= 13 && event->raw[0] >= 20 && event->raw[0] <= 26 && event->raw[1] == 254;
}

/* When did what led to this event happen? */
static bj_time cause_time(const bj_oracle *o, uint32_t cause, unsigned steps, bj_time otherwise) {
    bj_time time = otherwise;
    for (; steps && cause && o->recent[cause % ORACLE_RECENT].sequence == cause; steps--) {
        time = o->recent[cause % ORACLE_RECENT].time;
        cause = o->recent[cause % ORACLE_RECENT].cause;
    }
    return time;
}

static void give(bj_oracle *o, oracle_seen *s, const uint8_t *bytes, size_t length) {
    s->bytes = bytes;
    s->length = length;
    s->fault = s->stream ? bj_coap_tcp_decode(&s->m, bytes, length) : bj_coap_decode(&s->m, bytes, length);
    if (s->cut) {
        s->fault = BJ_COAP_OPTIONS_MANY; /* as what is beyond a limit of ours: it may be well-formed */
    }
    oracle_dispatch(o, s);
}

static void datagram(bj_oracle *o, const bj_event *event, bool from_client, bool secure, bj_time time,
                     const bj_event *carried) {
    const bj_event *e = carried ? carried : event;
    oracle_seen s;
    memset(&s, 0, offsetof(oracle_seen, m));
    s.event = event;
    s.time = time;
    s.from_client = from_client;
    s.secure = secure;
    s.secure_certain = o->lossless && o->config.exact;
    s.connection = -1;
    s.cut = o->config.captured && e->other;
    s.peer = from_client ? e->to : e->from;
    s.local = from_client ? e->from : e->to;
    give(o, &s, e->raw, e->raw_length);
}

/* --- streams -------------------------------------------------------------------------------------------------- */

oracle_connection *oracle_connection_of(bj_oracle *o, int64_t number) {
    oracle_connection *c = o->connections ? &o->connections[(uint64_t) number % ORACLE_CONNECTIONS] : NULL;
    return c && c->used && c->number == (int) number ? c : NULL;
}

static void stream_opened(bj_oracle *o, const bj_event *event) {
    if (!o->connections) {
        o->connections = bj_arena_calloc(o->arena, ORACLE_CONNECTIONS, sizeof *o->connections);
    }
    oracle_connection *c = &o->connections[(uint64_t) event->number % ORACLE_CONNECTIONS];
    if (c->used && c->number == (int) event->number) {
        return; /* both sides tell of it */
    }
    for (unsigned side = 0; side < 2; side++) {
        bj_arena_free(o->arena, c->buffer[side]);
    }
    *c = (oracle_connection){ .used = true, .number = (int) event->number, .local = event->from, .peer = event->to };
}

static void keep(bj_oracle *o, oracle_connection *c, unsigned side, const uint8_t *bytes, size_t length) {
    if (c->held[side] + length > c->room[side]) {
        c->room[side] = (c->held[side] + length) * 2;
        c->buffer[side] = bj_arena_realloc(o->arena, c->buffer[side], c->room[side]);
    }
    memcpy(c->buffer[side] + c->held[side], bytes, length);
    c->held[side] += length;
}

/* The frames that are whole; returns how many bytes they take. */
static size_t frames(bj_oracle *o, const oracle_connection *c, const bj_event *event, bool from_client, bool secure,
                     bj_time time, const uint8_t *bytes, size_t length) {
    size_t at = 0;
    for (size_t frame; (frame = bj_coap_tcp_frame(bytes + at, length - at)) && frame <= length - at; at += frame) {
        oracle_seen s = { .event = event,
                          .time = time,
                          .from_client = from_client,
                          .stream = true,
                          .secure = secure,
                          .connection = c->number,
                          .peer = c->peer,
                          .local = c->local };
        /* A message must stay where it is: later ones are compared with it. */
        bool stays = !o->config.transient;
        give(o, &s, stays ? bj_arena_copy(o->arena, bytes + at, frame) : bytes + at, frame);
    }
    return at;
}

static void stream_bytes(bj_oracle *o, const bj_event *event, bool from_client, bool secure, bj_time time) {
    oracle_connection *c = oracle_connection_of(o, event->number);
    if (!c || c->broken || (c->tls && !secure) || !event->raw_length) {
        return;
    }
    unsigned side = from_client ? 0 : 1;
    if (!c->spoke[side] && !secure && event->raw_length > 1 && event->raw[0] == 22 && event->raw[1] == 3) {
        c->tls = true;
        return;
    }
    c->gap |= o->config.captured && event->other;
    c->csm |= c->gap && from_client; /* it may have been before */
    c->spoke[side] = true;
    keep(o, c, side, event->raw, event->raw_length);
    size_t taken = frames(o, c, event, from_client, secure, time, c->buffer[side], c->held[side]);
    memmove(c->buffer[side], c->buffer[side] + taken, c->held[side] - taken);
    c->held[side] -= taken;
    c->broken = c->held[side] > MOST_FRAME;
}

/* --- events --------------------------------------------------------------------------------------------------- */

/* What is read of it only where datagrams are damaged: the record as it was. */
static void note_record(bj_oracle *o, const bj_event *event) {
    if (o->damages && is_record(event)) {
        o->sent = (struct oracle_struck){ event->sequence, oracle_mark(event->raw, event->raw_length) };
    }
}

static void note_damage(bj_oracle *o, const bj_event *event) {
    bool struck = oracle_begins(event, "struck: corrupt") || oracle_begins(event, "struck: truncate");
    if (struck && event->cause && event->cause == o->sent.carrier) {
        o->damaged[o->damaged_count++ % ORACLE_DAMAGED] = o->sent;
    }
}

/* RFC 6347 §4.1.2.7: a record that does not authenticate is passed over. One that a fault struck may be as it was. */
static bool is_damaged(const bj_oracle *o, const bj_event *arrival) {
    bool damaged = false;
    for (unsigned i = 0; i < ORACLE_DAMAGED && i < o->damaged_count; i++) {
        bool this = o->damaged[i].carrier == arrival->cause;
        damaged |= this && o->damaged[i].digest != oracle_mark(arrival->raw, arrival->raw_length);
    }
    return damaged;
}

static void plain_sent(bj_oracle *o, const bj_event *event) {
    if (event->number >= 0) {
        stream_bytes(o, event, false, true, event->time);
    } else if (!o->config.exact) {
        datagram(o, event, false, true, event->time, NULL);
    } else {
        o->plain = o->plain ? o->plain : bj_arena_calloc(o->arena, PLAIN_PLACES, sizeof *o->plain);
        o->plain[o->plain_count++ % PLAIN_PLACES] = (struct oracle_plain){ event->cause, *event };
    }
}

static void plain_received(bj_oracle *o, const bj_event *event) {
    bj_time sent = cause_time(o, event->cause, 2, event->time);
    if (o->config.exact && sent < o->life_began) {
        return; /* of a life before this one, so long on its way that nothing waited for it (order.c) */
    }
    if (event->number >= 0) {
        stream_bytes(o, event, true, true, sent);
    } else {
        datagram(o, event, true, true, sent, NULL);
    }
}

/* What a server put into the record that is in this datagram; NULL: that is not known. */
static const bj_event *plain_in(const bj_oracle *o, uint32_t carrier) {
    for (unsigned age = 1; carrier && age <= PLAIN_PLACES && age <= o->plain_count; age++) {
        const struct oracle_plain *one = &o->plain[(o->plain_count - age) % PLAIN_PLACES];
        if (one->carrier == carrier) {
            return &one->event;
        }
    }
    return NULL;
}

/* A datagram arrived: at the client, or (on a real network, where nobody saw it leave) at a server. */
static void received(bj_oracle *o, const bj_event *event) {
    bool at_client = event->actor == BJ_ACTOR_CLIENT;
    if (!at_client && !event->cause && !o->config.exact && !is_record(event)) {
        datagram(o, event, true, false, event->time, NULL);
    } else if (at_client && is_record(event)) {
        const bj_event *plain = plain_in(o, event->cause);
        if (plain && !is_damaged(o, event)) {
            datagram(o, event, false, true, event->time, plain);
        }
    } else if (at_client) {
        const oracle_peer *p = oracle_peer_of(o, &event->from, false);
        o->lossless &= !p || !p->secure; /* in a session of DTLS it may cost the record behind it */
        datagram(o, event, false, false, event->time, NULL);
    }
}

void oracle_see(bj_oracle *o, const bj_event *event) {
    bool by_client = event->actor == BJ_ACTOR_CLIENT, by_server = event->actor >= BJ_ACTOR_SERVER_0;
    switch (event->kind) {
    case BJ_EV_SENT:
        if (by_server) {
            note_record(o, event);
        }
        if ((by_client || (by_server && !o->config.exact)) && !is_record(event)) {
            datagram(o, event, by_client, false, event->time, NULL);
        }
        break;
    case BJ_EV_RECEIVED:
        received(o, event);
        break;
    case BJ_EV_FAULT:
        note_damage(o, event);
        break;
    case BJ_EV_PLAIN_SENT:
        plain_sent(o, event);
        break;
    case BJ_EV_PLAIN_RECEIVED:
        plain_received(o, event);
        break;
    case BJ_EV_STREAM_OPEN:
        stream_opened(o, event);
        break;
    case BJ_EV_STREAM_SENT:
        if (by_client || (by_server && !o->config.exact)) {
            stream_bytes(o, event, by_client, false, event->time);
        }
        break;
    case BJ_EV_STREAM_RECEIVED:
        if (by_client || (by_server && !o->config.exact)) {
            stream_bytes(o, event, by_server, false, event->time);
        }
        break;
    case BJ_EV_STREAM_CLOSED: {
        oracle_connection *c = oracle_connection_of(o, event->number);
        if (c) {
            c->closed = true;
        }
        break;
    }
    default:
        break;
    }
}
