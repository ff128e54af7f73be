/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the event log as the world writes it. Only there does it stand when the client sent something (the engine
 * sees arrivals, and nothing of what was lost or met a closed port) and when something of ours reached the client.
 * Every event is read once. A real world logs neither; then sending and arriving are one moment.
 */
#include "script/engine_internal.h"

#include <assert.h>
#include <string.h>

static uint32_t digest(const uint8_t *data, size_t length) {
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ data[i]) * 16777619U;
    }
    return hash;
}

/* Is it a repetition of the last message to that server? (RFC 7252 §4.2: the same bytes from the same endpoint.) */
static bool repeats(const bj__outgoing *o, const bj_addr *from, const bj_coap *m, uint32_t hash) {
    return o->used && !o->stream && o->mid == m->mid && o->digest == hash && bj_addr_equal(&o->from, from);
}

void bj__outgoing_note(bj_engine *e, bj__server *s, const bj_addr *from, const bj_coap *m, const uint8_t *data,
                       size_t length, bj_time sent, bool stream) {
    if (!bj_coap_is_request(m->code) || m->type > BJ_COAP_NON) {
        return;
    }
    bj__outgoing *o = &s->outgoing;
    uint32_t hash = digest(data, length);
    if (!stream && repeats(o, from, m, hash)) {
        if (o->count < BJ__COPIES) {
            o->sent[o->count++] = sent;
        }
        return;
    }
    bj__purpose purpose = bj__purpose_of(e, s, m);
    bj__due_client_sent(e, s, m, sent);
    *o = (bj__outgoing){ .used = true,
                         .lawful = purpose == BJ__UPDATE || purpose == BJ__DEREGISTER,
                         .stream = stream,
                         .from = *from,
                         .mid = m->mid,
                         .code = m->code,
                         .digest = hash,
                         .sent = { sent },
                         .count = 1,
                         .acknowledged = BJ_NEVER };
}

static bj__recent *recent_at(bj_engine *e, uint32_t sequence) {
    return &e->recent[sequence & (BJ__RECENT - 1)];
}

void bj__watch(bj_engine *e, uint32_t sequence, uint8_t kind, uint64_t id) {
    *recent_at(e, sequence) = (bj__recent){ .sequence = sequence, .kind = kind, .time = e->now, .id = id };
}

static void client_sent(bj_engine *e, const bj_event *event) {
    bj__recent *r = recent_at(e, event->sequence);
    *r = (bj__recent){ .sequence = event->sequence, .kind = 1, .time = event->time, .first = event->time };
    bj__server *s = bj__server_at(e, &event->to);
    bj_coap m;
    bj__heal_sends_to(e, &event->to, event->raw, event->raw_length);
    if (s && s->guard) {
        bj__contact_datagram(e, s, event);
        return;
    }
    if (!s || bj_coap_decode(&m, event->raw, event->raw_length) != BJ_COAP_OK) {
        return;
    }
    bj__outgoing_note(e, s, &event->from, &m, event->raw, event->raw_length, event->time, false);
    if (s->outgoing.mid == m.mid && bj_coap_is_request(m.code)) {
        s->outgoing.event = event->sequence;
        r->first = s->outgoing.sent[0];
    }
}

/* --- deliveries of what we sent --- */

static void reply_arrived(bj_engine *e, uint64_t id, bj_time time) {
    bj__exchange *x = bj__exchange_of(e, id);
    if (!x || x->reply.seen) {
        return;
    }
    x->reply.seen = true;
    x->reply.arrived = time;
    bj__due_replied(e, x);
}

static void outbound_arrived(bj_engine *e, uint64_t id, bj_time time) {
    bj__outbound *o = bj__outbound_of(e, id);
    if (!o || o->delivery.seen) {
        return;
    }
    o->delivery.seen = true;
    o->delivery.arrived = time;
    if (o->replies_to) {
        reply_arrived(e, o->replies_to, time);
    } else {
        bj__due_commanded(e, o);
    }
}

static void client_received(bj_engine *e, const bj_event *event) {
    const bj__recent *r = recent_at(e, event->cause);
    if (!event->cause || r->sequence != event->cause) {
        return;
    }
    if (r->kind == 2) {
        reply_arrived(e, r->id, event->time);
    } else if (r->kind == 3) {
        outbound_arrived(e, r->id, event->time);
    }
}

static bool all_lost(bj__delivery *d) {
    d->lost++;
    return !d->seen && d->lost >= d->copies;
}

static void was_lost(bj_engine *e, const bj_event *event) {
    const bj__recent *r = recent_at(e, event->cause);
    if (!event->cause || r->sequence != event->cause) {
        return;
    }
    bj__exchange *x = r->kind == 2 ? bj__exchange_of(e, r->id) : NULL;
    bj__outbound *o = r->kind == 3 ? bj__outbound_of(e, r->id) : NULL;
    if (x && all_lost(&x->reply)) {
        bj__due_reply_lost(e, x);
    }
    if (o && all_lost(&o->delivery)) {
        const bj__exchange *answered = o->replies_to ? bj__exchange_of(e, o->replies_to) : NULL;
        if (answered) {
            bj__due_reply_lost(e, answered);
        } else {
            bj__due_command_lost(e, o);
        }
    }
}

/* Connections as the client sees them; where the log shows only the server's side, that is where they begin. */
static void stream(bj_engine *e, const bj_event *event) {
    bool client = event->actor == BJ_ACTOR_CLIENT;
    const bj__server *s = bj__server_at(e, &event->to);
    if (!s) {
        return;
    }
    if (event->kind == BJ_EV_STREAM_OPEN && client) {
        bj__contact_opens(e, s, event);
    } else if (event->kind == BJ_EV_STREAM_OPEN) {
        bj__contact_accepted(e, s, event);
    } else if (event->kind == BJ_EV_STREAM_CLOSED && client) {
        bj__contact_closes(e, s, event);
    } else if (event->kind == BJ_EV_STREAM_SENT && client && s->guard) {
        bj__contact_stream(e, s, event);
    }
}

void bj__follow(bj_engine *e) {
    bj_event event;
    const bj_log *log = e->ops->log(e->world);
    while (bj_log_next(log, &e->log_cursor, &event)) {
        switch (event.kind) {
        case BJ_EV_SENT:
            if (event.actor == BJ_ACTOR_CLIENT) {
                client_sent(e, &event);
            }
            break;
        case BJ_EV_RECEIVED:
            if (event.actor == BJ_ACTOR_CLIENT) {
                client_received(e, &event);
            } else {
                e->received_event = event.sequence;
                e->received_cause = event.cause;
            }
            break;
        case BJ_EV_LOST:
            was_lost(e, &event);
            break;
        case BJ_EV_STREAM_OPEN:
            bj__heal_sends_to(e, &event.to, NULL, 0);
            stream(e, &event);
            break;
        case BJ_EV_STREAM_SENT:
        case BJ_EV_STREAM_CLOSED:
            stream(e, &event);
            break;
        case BJ_EV_DNS_QUERY:
            e->looking_up = true;
            e->lookup_began = event.time;
            break;
        case BJ_EV_DNS_ANSWER:
            e->looking_up = false;
            e->lookup_ended = event.time;
            break;
        default:
            break;
        }
    }
}

bj_time bj__sent_unseen(const bj_engine *e, const bj__server *s) {
    bj_time latency = e->ops->can & BJ_CAN_VIRTUAL_TIME ? s->link.latency : 0;
    bj_time came = e->ops->came ? bj__min(e->ops->came(e->world), e->now) : e->now;
    return came - bj__min(came, latency);
}

bool bj__sent_time(const bj_engine *e, uint32_t event, bj_time *sent, bj_time *first) {
    if (!event || e->received_event != event || !e->received_cause) {
        return false;
    }
    const bj__recent *r = &e->recent[e->received_cause & (BJ__RECENT - 1)];
    if (r->sequence == e->received_cause && r->kind == 1) {
        *sent = r->time;
        *first = r->first;
        return true;
    }
    bj_event cause;
    if (!bj_log_find(e->ops->log(e->world), e->received_cause, &cause)) {
        return false;
    }
    *sent = *first = cause.time;
    return true;
}
