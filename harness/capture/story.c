/* SPDX-License-Identifier: Apache-2.0
 *
 * See story.h. A capture shows a datagram once, and with it that it was sent and, as far as anybody can tell, that it
 * arrived: both events have its time. Under DTLS the record comes first in the file and what was in it behind: the
 * record waits for it.
 */
#include "capture/story.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint32_t tell(bj_story *s, const bj_unit *unit, bj_event event) {
    event.sequence = ++s->sequence;
    event.time = unit->time;
    s->tell(s->context, &event, unit);
    return event.sequence;
}

static uint8_t actor_of(bj_story *s, const bj_addr *server) {
    for (unsigned i = 0; i < s->server_count; i++) {
        if (bj_addr_equal(&s->servers[i], server)) {
            return (uint8_t) (BJ_ACTOR_SERVER_0 + i);
        }
    }
    s->servers[s->server_count] = *server;
    s->server_count += s->server_count + 1 < BJ_STORY_SERVERS;
    return (uint8_t) (BJ_ACTOR_SERVER_0 + s->server_count - 1);
}

/* --- datagrams ------------------------------------------------------------------------------------------------ */

/* `plain`: what was in it; NULL: it is no record, or nobody decrypted it. */
static void datagram(bj_story *s, const bj_flow *f, const bj_unit *carrier, const bj_unit *plain) {
    bool by_client = bj_addr_equal(&carrier->from, &f->client);
    uint8_t server = actor_of(s, &f->server);
    bj_event e = { .kind = BJ_EV_SENT,
                   .actor = by_client ? BJ_ACTOR_CLIENT : server,
                   .from = carrier->from,
                   .to = carrier->to,
                   .other = carrier->cut,
                   .raw = carrier->bytes,
                   .raw_length = carrier->length };
    uint32_t sent = tell(s, carrier, e);
    bj_event inner = { .from = carrier->from, .to = carrier->to, .actor = server, .number = -1, .cause = sent };
    if (plain) {
        inner.raw = plain->bytes;
        inner.raw_length = plain->length;
    }
    if (plain && !by_client) {
        inner.kind = BJ_EV_PLAIN_SENT;
        tell(s, plain, inner);
    }
    e.kind = BJ_EV_RECEIVED;
    e.actor = by_client ? server : BJ_ACTOR_CLIENT;
    e.cause = sent;
    inner.cause = tell(s, carrier, e);
    if (plain && by_client) {
        inner.kind = BJ_EV_PLAIN_RECEIVED;
        tell(s, plain, inner);
    }
}

static void flush_carrier(bj_story *s) {
    bj_unit carrier = s->carrier;
    s->carrier.kind = 0;
    const bj_flow *f = carrier.kind ? bj_parties_flow(s->parties, &carrier) : NULL;
    if (f) {
        datagram(s, f, &carrier, NULL);
    }
}

static void keep_carrier(bj_story *s, const bj_unit *unit) {
    if (s->carried_room < unit->length) {
        uint8_t *grown = realloc(s->carried, unit->length);
        if (!grown) {
            return;
        }
        s->carried = grown;
        s->carried_room = unit->length;
    }
    memcpy(s->carried, unit->bytes, unit->length);
    s->carrier = *unit;
    s->carrier.bytes = s->carried;
}

/* What a record says of its session. */
static void session(bj_story *s, const bj_flow *f, const bj_unit *unit) {
    BJ_TEXT(text, 100);
    if (unit->record == BJ_RECORD_CLIENT_HELLO) {
        bj_text_add(&text, "a handshake begins");
    } else if (unit->record == BJ_RECORD_ALERT && unit->encrypted) {
        bj_text_add(&text, "an alert, which is encrypted");
    } else if (unit->record == BJ_RECORD_ALERT) {
        bj_text_printf(&text, "alert %u", unit->alert);
    } else {
        return;
    }
    bool known = unit->record == BJ_RECORD_ALERT && !unit->encrypted;
    tell(s, unit,
         (bj_event){ .kind = BJ_EV_TLS_STATE,
                     .actor = actor_of(s, &f->server),
                     .from = f->server,
                     .to = f->client,
                     .number = known ? unit->alert : -1,
                     .text = text.start,
                     .text_length = text.used });
}

static void record(bj_story *s, const bj_flow *f, const bj_unit *unit) {
    session(s, f, unit);
    if (!unit->stream) {
        keep_carrier(s, unit);
    }
}

/* --- connections ---------------------------------------------------------------------------------------------- */

static bj_story_connection *connection_of(bj_story *s, const bj_flow *f) {
    for (int i = s->connection_count - 1; i >= 0 && i >= s->connection_count - 64; i--) {
        bj_story_connection *c = &s->connections[i % 64];
        if (bj_addr_equal(&c->client, &f->client) && bj_addr_equal(&c->server, &f->server)) {
            return c;
        }
    }
    return NULL;
}

/* The connection of this flow, opened where the capture does not show how it began. */
static bj_story_connection *open_connection(bj_story *s, const bj_flow *f, const bj_unit *unit, bool anew) {
    bj_story_connection *c = connection_of(s, f);
    if (c && !anew) {
        return c;
    }
    c = &s->connections[s->connection_count % 64];
    *c = (bj_story_connection){
        .client = f->client, .server = f->server, .number = s->connection_count++, .open = true
    };
    actor_of(s, &f->server);
    tell(s, unit,
         (bj_event){ .kind = BJ_EV_STREAM_OPEN,
                     .actor = BJ_ACTOR_CLIENT,
                     .number = c->number,
                     .from = f->client,
                     .to = f->server });
    return c;
}

static void stream_message(bj_story *s, const bj_flow *f, const bj_unit *unit) {
    bj_story_connection *c = open_connection(s, f, unit, false);
    bool by_client = bj_addr_equal(&unit->from, &f->client);
    uint8_t server = actor_of(s, &f->server);
    bj_event e = { .number = c->number,
                   .other = unit->resumed,
                   .from = unit->from,
                   .to = unit->to,
                   .raw = unit->bytes,
                   .raw_length = unit->length };
    if (unit->secure) {
        e.kind = by_client ? BJ_EV_PLAIN_RECEIVED : BJ_EV_PLAIN_SENT;
        e.actor = server;
        tell(s, unit, e);
        return;
    }
    e.kind = BJ_EV_STREAM_SENT;
    e.actor = by_client ? BJ_ACTOR_CLIENT : server;
    e.cause = tell(s, unit, e);
    e.kind = BJ_EV_STREAM_RECEIVED;
    e.actor = by_client ? server : BJ_ACTOR_CLIENT;
    tell(s, unit, e);
}

static void close_connection(bj_story *s, const bj_flow *f, const bj_unit *unit) {
    bj_story_connection *c = connection_of(s, f);
    if (!c || !c->open) {
        return;
    }
    c->open = false;
    tell(s, unit,
         (bj_event){ .kind = BJ_EV_STREAM_CLOSED,
                     .actor = bj_addr_equal(&unit->from, &f->client) ? BJ_ACTOR_CLIENT : actor_of(s, &f->server),
                     .number = c->number,
                     .other = unit->reset ? ECONNRESET : 0 });
}

/* --- units ---------------------------------------------------------------------------------------------------- */

static void name_answer(bj_story *s, const bj_unit *unit) {
    BJ_TEXT(text, 1000);
    bj_text_printf(&text, unit->address_count ? "%s = " : "%s: no address", unit->name);
    for (unsigned i = 0; i < unit->address_count; i++) {
        bj_text_add(&text, i ? ", " : "");
        bj_addr_print(&text, &unit->addresses[i]);
    }
    tell(s, unit, (bj_event){ .kind = BJ_EV_DNS_ANSWER, .text = text.start, .text_length = text.used });
}

static void take(bj_story *s, const bj_flow *f, const bj_unit *unit) {
    switch (unit->kind) {
    case BJ_UNIT_COAP:
        if (unit->stream) {
            stream_message(s, f, unit);
        } else {
            datagram(s, f, unit, NULL);
        }
        break;
    case BJ_UNIT_RECORD:
        record(s, f, unit);
        break;
    case BJ_UNIT_ICMP:
        if (bj_addr_equal(&unit->from, &f->client)) {
            tell(s, unit,
                 (bj_event){ .kind = BJ_EV_ICMP, .actor = BJ_ACTOR_CLIENT, .from = unit->to, .to = unit->from });
        }
        break;
    case BJ_UNIT_OPEN:
        open_connection(s, f, unit, true);
        break;
    case BJ_UNIT_CLOSE:
        close_connection(s, f, unit);
        break;
    default:
        break;
    }
}

void bj_story_begin(bj_story *s, const bj_parties *parties, uint32_t party, bj_story_fn *fn, void *context) {
    *s = (bj_story){ .parties = parties, .party = party, .tell = fn, .context = context };
}

void bj_story_take(bj_story *s, const bj_unit *unit) {
    bool inside = unit->kind == BJ_UNIT_COAP && unit->secure && !unit->stream;
    if (inside && s->carrier.kind && s->carrier.frame == unit->frame) {
        bj_unit carrier = s->carrier;
        const bj_flow *f = bj_parties_flow(s->parties, unit);
        s->carrier.kind = 0;
        if (f) {
            datagram(s, f, &carrier, unit);
        }
        return;
    }
    flush_carrier(s);
    if (unit->kind == BJ_UNIT_DNS) {
        if (bj_addr_same_host(&unit->to, &s->parties->all[s->party].host)) {
            name_answer(s, unit);
        }
        return;
    }
    const bj_flow *f = unit->kind == BJ_UNIT_OTHER ? NULL : bj_parties_flow(s->parties, unit);
    if (f && f->party == s->party) {
        take(s, f, unit);
    }
}

void bj_story_end(bj_story *s) {
    flush_carrier(s);
    free(s->carried);
    *s = (bj_story){ .parties = NULL };
}
