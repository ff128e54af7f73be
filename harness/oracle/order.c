/* SPDX-License-Identifier: Apache-2.0
 *
 * Events in the order in which they were so for the client. The log says what a datagram of DTLS carried when the
 * server that can read it has got it, some milliseconds behind; by then the client has done other things, which lean on
 * what it said there. So in virtual time, where every step of a datagram is seen, events wait behind a record of the
 * client until what is in it was told, or nobody will tell; and what is told is taken with the record.
 */
#include "oracle/internal.h"

#include <string.h>

enum { APPLICATION_DATA = 23, MOST_WAITING = ORACLE_RECENT / 4 };

/* RFC 6347 §4.1. */
static bool is_veiled(const bj_oracle *o, const bj_event *e) {
    return o->config.exact && !o->config.transient && e->kind == BJ_EV_SENT && e->actor == BJ_ACTOR_CLIENT &&
           e->raw_length >= 13 && e->raw[0] == APPLICATION_DATA && e->raw[1] == 254;
}

static oracle_waiting *waiting_for(bj_oracle *o, uint32_t sequence) {
    for (unsigned i = o->order.first; i < o->order.end; i++) {
        if (o->order.items[i].veiled && o->order.items[i].event.sequence == sequence) {
            return &o->order.items[i];
        }
    }
    return NULL;
}

static void add(bj_oracle *o, const bj_event *e, bool veiled) {
    if (o->order.first == o->order.end) {
        o->order.first = o->order.end = 0;
    }
    if (o->order.end == o->order.room) {
        o->order.room = o->order.room ? o->order.room * 2 : 64;
        o->order.items = bj_arena_realloc(o->arena, o->order.items, o->order.room * sizeof *o->order.items);
    }
    o->order.items[o->order.end++] = (oracle_waiting){ .event = *e, .veiled = veiled };
}

/* What this event says of a record that is waited for: that a server has it, what is in it, that it is lost. A record
 * that a server passes over, being damaged or there twice, is followed by something else, but for news of its
 * sessions. */
static bool unveils(bj_oracle *o, const bj_event *e) {
    if (o->order.arrived && e->kind != BJ_EV_PLAIN_RECEIVED && e->kind != BJ_EV_TLS_STATE) {
        oracle_waiting *passed_over = waiting_for(o, o->order.arrived);
        if (passed_over) {
            passed_over->veiled = false;
            passed_over->unread = true;
        }
        o->order.arrived = 0;
    }
    oracle_waiting *w = e->cause ? waiting_for(o, e->cause) : NULL;
    if (w && e->kind == BJ_EV_LOST) {
        w->veiled = false;
    } else if (w && e->kind == BJ_EV_RECEIVED) {
        o->order.arrived = e->cause;
        o->order.arrival = e->sequence;
    } else if (o->order.arrived && e->kind == BJ_EV_PLAIN_RECEIVED && e->cause == o->order.arrival) {
        w = waiting_for(o, o->order.arrived);
        w->veiled = false;
        w->told = true;
        w->plain = *e;
        o->order.arrived = 0;
        return true;
    }
    return false;
}

static void take(bj_oracle *o, bool all) {
    while (o->order.first < o->order.end && (all || !o->order.items[o->order.first].veiled)) {
        oracle_waiting w = o->order.items[o->order.first++];
        o->lossless &= !w.unread;
        oracle_take(o, &w.event);
        if (w.told) {
            oracle_take(o, &w.plain);
        }
    }
}

/* RFC 7252 §4.8.2: what is told of a record for which nothing has waited any more, EXCHANGE_LIFETIME behind it. The
 * client has forgotten it as well; taken now, it would stand behind what the client has said since. A record that is
 * not remembered is older than all that are. */
static bool comes_too_late(const bj_oracle *o, const bj_event *e) {
    if (!o->config.exact || o->config.transient || e->kind != BJ_EV_PLAIN_RECEIVED || e->number >= 0) {
        return false;
    }
    bool arrived = o->recent[e->cause % ORACLE_RECENT].sequence == e->cause;
    uint32_t record = arrived ? o->recent[e->cause % ORACLE_RECENT].cause : 0;
    bool remembered = o->recent[record % ORACLE_RECENT].sequence == record;
    bj_time sent = o->recent[(remembered ? record : e->sequence + 1) % ORACLE_RECENT].time;
    return record && e->time >= sent + o->config.exchange_lifetime;
}

void oracle_order(bj_oracle *o, const bj_event *e) {
    bool veiled = is_veiled(o, e), waiting = o->order.first != o->order.end;
    bool told = waiting && unveils(o, e);
    if (!told && comes_too_late(o, e)) {
        o->lossless = false;
        return;
    }
    if (!waiting && !veiled) {
        oracle_take(o, e);
        return;
    }
    if (!told) {
        add(o, e, veiled);
    }
    take(o, o->order.end - o->order.first > MOST_WAITING);
}

void oracle_order_end(bj_oracle *o) {
    take(o, true);
}
