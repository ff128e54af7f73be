/* SPDX-License-Identifier: Apache-2.0
 *
 * RFC 8323: Capabilities and Settings first (§5.3), Pings answered (§5.4), nothing new behind a Release (§5.5).
 */
#include "oracle/internal.h"

#include <string.h>

enum { CSM = BJ_COAP_CODE(7, 1), PING = BJ_COAP_CODE(7, 2), PONG = BJ_COAP_CODE(7, 3), RELEASE = BJ_COAP_CODE(7, 4) };

static void broken(bj_oracle *o, const oracle_seen *s, const char *what) {
    oracle_break(o, BJ_RULE_TCP_SIGNALLING, s->time, s->event->sequence, "%s", what);
}

/* RFC 8323 §5.4: of several Pings each has a Pong of its own. */
static void ponged(bj_oracle *o, oracle_connection *c, const oracle_seen *s) {
    for (unsigned i = 0; i < c->ping_count; i++) {
        const oracle_ping *ping = &c->pings[i];
        if (ping->length == s->m.token_length && !memcmp(ping->token, s->m.token, ping->length)) {
            c->ping_count--;
            memmove(&c->pings[i], &c->pings[i + 1], (c->ping_count - i) * sizeof *ping);
            return;
        }
    }
    if (!c->pings_lost) {
        broken(o, s, "a Pong whose token is that of no Ping (RFC 8323 §5.4)");
    }
}

static void pinged(oracle_connection *c, const oracle_seen *s, bool owed) {
    if (c->ping_count == ORACLE_PINGS) {
        c->pings_lost = true;
        return;
    }
    oracle_ping *ping = &c->pings[c->ping_count++];
    *ping = (oracle_ping){ .at = owed ? s->time : BJ_NEVER, .length = s->m.token_length };
    memcpy(ping->token, s->m.token, s->m.token_length);
}

static void client_said(bj_oracle *o, oracle_connection *c, const oracle_seen *s) {
    if (!c->csm && s->m.code != CSM) {
        broken(o, s, "the first message of the client on a connection is not a CSM (RFC 8323 §5.3)");
    }
    c->csm = true;
    if (s->m.code == PONG) {
        ponged(o, c, s);
    }
    if (c->released && bj_coap_is_request(s->m.code) && s->time > c->released_at + ORACLE_GRACE) {
        broken(o, s, "a new request on a connection that the server has released (RFC 8323 §5.5)");
    }
    c->released |= c->missed;
    c->released_at = c->missed ? s->time : c->released_at;
    c->missed = false;
}

/* LwM2M Core 1.1 §6.5: who need not listen may read it behind what it says next, and what it never says is missed by
 * nobody. */
static void server_said(bj_oracle *o, oracle_connection *c, const oracle_seen *s) {
    const oracle_peer *p = oracle_peer_of(o, &s->peer, false);
    bool asleep = p && oracle_asleep(o, p, s->time + ORACLE_GRACE);
    if (s->m.code == PING) {
        pinged(c, s, !asleep);
    } else if (asleep) {
        c->missed |= s->m.code == RELEASE;
    } else if (s->m.code == RELEASE) {
        c->released = true;
        c->released_at = s->time;
    }
}

static void seen(bj_oracle *o, const oracle_seen *s) {
    oracle_connection *c = s->stream ? oracle_connection_of(o, s->connection) : NULL;
    if (!c || s->fault != BJ_COAP_OK) {
        return;
    }
    if (s->from_client) {
        client_said(o, c, s);
    } else {
        server_said(o, c, s);
    }
}

static bj_time unanswered_since(const oracle_connection *c) {
    bj_time since = BJ_NEVER;
    for (unsigned i = 0; i < c->ping_count; i++) {
        since = c->pings[i].at < since ? c->pings[i].at : since;
    }
    return since;
}

static void end(bj_oracle *o) {
    for (unsigned i = 0; o->connections && i < ORACLE_CONNECTIONS; i++) {
        const oracle_connection *c = &o->connections[i];
        bool open = c->used && !c->closed && !c->released && c->csm;
        bj_time since = unanswered_since(c);
        if (open && since != BJ_NEVER && o->alive && !o->stopping && o->config.exact &&
            o->now > since + o->config.ack_timeout + oracle_late(o)) {
            oracle_break(o, BJ_RULE_TCP_SIGNALLING, since, 0, "a Ping gets no Pong (RFC 8323 §5.4)");
        }
    }
}

const oracle_def oracle_stream = { .id = "stream", .seen = seen, .end = end };
