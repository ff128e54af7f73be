/* SPDX-License-Identifier: Apache-2.0
 *
 * Protocol deadlines of the client, from the formulas, the profile and what was seen: the hold-off before the next
 * bootstrap attempt, the Finish time-out, retransmission and giving up (RFC 7252 §4.2, §4.8), the lifetime of the
 * registration.
 *
 * A deadline that begins when something reached the client begins at that arrival. While a message is on its way, its
 * arrival is estimated from the link's latency; the log corrects it.
 */
#include "script/engine_internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define LONGEST_FLIGHT (60 * BJ_SECOND)

static bj_time scaled(bj_time time, uint64_t millionths) {
    if (time == BJ_NEVER) {
        return BJ_NEVER;
    }
    bj_time whole = time / 1000000, part = time % 1000000;
    if (millionths && whole > (BJ_NEVER / 2) / millionths) {
        return BJ_NEVER;
    }
    return whole * millionths + part * millionths / 1000000;
}

/* --- hold-off: verdicts.md --- */

static const bj_record *client_of(const bj_engine *e) {
    return bj_get_record(e->scenario, BJ_F(SCENARIO, CLIENT));
}

/* /0/x/11; absent = 0. */
static bj_time own_holdoff(const bj_engine *e) {
    const bj_record *account = bj_get_record(client_of(e), BJ_F(CLIENT, BOOTSTRAP));
    return e->due.holdoff_rewritten ? e->due.holdoff : bj_get_duration(account, BJ_F(ACCOUNT, HOLDOFF), 0);
}

bj_time bj__holdoff_least(const bj_engine *e) {
    return bj__max(BJ_SECOND, own_holdoff(e));
}

static bj_time holdoff_cap(const bj_engine *e) {
    bj_time known = bj_get_duration(e->profile, BJ_F(PROFILE, HOLDOFF_CAP), 20 * BJ_SECOND);
    return bj_get_duration(client_of(e), BJ_F(CLIENT, HOLDOFF_CAP), known);
}

static uint64_t holdoff_jitter(const bj_engine *e) {
    uint64_t known = bj_get_factor(e->profile, BJ_F(PROFILE, HOLDOFF_JITTER), 1500000);
    return bj_get_factor(client_of(e), BJ_F(CLIENT, HOLDOFF_JITTER), known);
}

bj__range bj__holdoff(const bj_engine *e, unsigned attempts) {
    bj_time h = bj__holdoff_least(e);
    if (!bj_get_bool(e->profile, BJ_F(PROFILE, HOLDOFF_GROWS), true)) {
        bj_time latest = bj__add(h, (int64_t) (86400 * BJ_SECOND)); /* who waits longer has given up */
        return (bj__range){ own_holdoff(e), latest };               /* that a second passes at least is our own */
    }
    bj_time cap = holdoff_cap(e), grown = h;
    for (unsigned k = 0; k < attempts && grown < cap; k++) {
        grown = grown > BJ_NEVER / 4 ? BJ_NEVER / 4 : grown * 2;
    }
    uint64_t j = holdoff_jitter(e);
    return (bj__range){ bj__max(h, bj__min(grown, cap)), bj__max(scaled(h, j), bj__min(scaled(grown, j), cap)) };
}

/* --- what the client does --- */

static bool ends_with(const bj_text *path, const char *end) {
    size_t n = strlen(end);
    return path->used >= n && !strcmp(path->start + path->used - n, end);
}

static bool is_location(const bj__server *s, const char *path) {
    for (unsigned i = 0; i < s->location_count; i++) {
        if (!strcmp(s->locations[i], path)) {
            return true;
        }
    }
    return false;
}

bj__purpose bj__purpose_of(const bj_engine *e, const bj__server *s, const bj_coap *m) {
    (void) e;
    BJ_TEXT(path, 300);
    bj_coap_path(m, BJ_COAP_URI_PATH, &path);
    if (m->code == 1) {
        uint32_t block = 0;
        bool further = bj_coap_find_uint(m, BJ_COAP_BLOCK2, &block) && block >> 4; /* of an answer that came */
        return ends_with(&path, "/bspack") && !further ? BJ__PACK : BJ__OTHER;
    }
    if (m->code == 4) {
        return is_location(s, path.start) ? BJ__DEREGISTER : BJ__OTHER;
    }
    if (m->code != 2) {
        return BJ__OTHER;
    }
    if (is_location(s, path.start)) {
        return BJ__UPDATE;
    }
    return ends_with(&path, "/bs") ? BJ__BOOTSTRAP : ends_with(&path, "/rd") ? BJ__REGISTER : BJ__OTHER;
}

void bj__due_know(bj__server *s) {
    s->lifetime_s = 86400;
    s->registered_at = s->perhaps_at = s->exchanged_at = BJ_NEVER;
}

void bj__due_start(bj_engine *e) {
    e->due = (bj__due_state){ .stage = BJ__NEEDED,
                              .failed = { e->now, e->now },
                              .session_from = BJ_NEVER,
                              .last_command = BJ_NEVER,
                              .command_before = BJ_NEVER,
                              .dns_failed = BJ_NEVER,
                              .connection = -1 };
    for (unsigned i = 0; i < e->server_count; i++) {
        bj__due_know(&e->servers[i]);
    }
}

static void set_failed(bj_engine *e, bj_time when) {
    e->due.stage = BJ__FAILURE;
    e->due.failed = (bj__range){ when, when };
}

static void note_lifetime(bj__server *s, const bj_coap *m) {
    const bj_coap_option *option;
    for (size_t i = 0; (option = bj_coap_find(m, BJ_COAP_URI_QUERY, i)); i++) {
        if (option->length > 3 && option->length < 14 && !memcmp(option->value, "lt=", 3)) {
            uint64_t seconds = 0;
            for (size_t at = 3; at < option->length && option->value[at] >= '0' && option->value[at] <= '9'; at++) {
                seconds = seconds * 10 + (uint64_t) (option->value[at] - '0');
            }
            s->lifetime_s = seconds;
        }
    }
}

/* An attempt to bootstrap begins with what the client sends now, or with the look-up of the name before it. */
static void attempt_begins(bj_engine *e, const bj__server *s, bj_time sent) {
    bj__due_state *d = &e->due;
    BJ_TEXT(why, 64);
    d->request_known = bj__due(e, BJ_DUE_HOLDOFF, NULL, 0, 0, &d->request, &why);
    bool looked_up = e->lookup_ended && e->lookup_ended <= sent && sent - e->lookup_ended < 10 * BJ_MS;
    d->acted = looked_up ? e->lookup_began : sent;
    d->attempts++;
    bj__factory_session(e, false);
    d->server = s->index;
    d->session_server = s->index;
    d->session_from = d->last_command = d->command_before = BJ_NEVER;
    d->holdoff_written = false;
}

static bool prefers_format(const bj_coap *m) {
    const bj_coap_option *query;
    for (size_t i = 0; (query = bj_coap_find(m, BJ_COAP_URI_QUERY, i)); i++) {
        if (query->length > 4 && !memcmp(query->value, "pct=", 4)) {
            return true;
        }
    }
    return false;
}

/* Is this the request of the attempt that failed, but for its preferred format, and before the hold-off is over? */
static bool again_without(bj_engine *e, const bj_coap *m, bj_time sent) {
    const bj__due_state *d = &e->due;
    bj__range range;
    BJ_TEXT(why, 64);
    return d->stage == BJ__FAILURE && d->preferred && d->refused >> 5 == 4 && !prefers_format(m) &&
           bj__due(e, BJ_DUE_HOLDOFF, NULL, 0, 0, &range, &why) && sent < range.early;
}

static void note_format(bj_engine *e, const bj_coap *m, bj_time sent) {
    bj__due_state *d = &e->due;
    d->without = again_without(e, m, sent);
    d->preferred = prefers_format(m);
    d->attempts -= d->without && d->attempts ? 1 : 0; /* it is the same attempt */
    d->refused = d->without ? d->refused : 0;
}

bool bj__due_goes_on_without(const bj_engine *e, const bj__exchange *x) {
    return x->purpose == BJ__BOOTSTRAP && e->due.without;
}

void bj__due_client_sent(bj_engine *e, bj__server *s, const bj_coap *m, bj_time sent) {
    bj__due_state *d = &e->due;
    bj__purpose purpose = bj__purpose_of(e, s, m);
    if (purpose == BJ__BOOTSTRAP) {
        note_format(e, m, sent);
    }
    if (purpose == BJ__BOOTSTRAP && d->packed) { /* the same attempt goes on */
        d->packed = false;
        d->stage = BJ__REQUESTED;
    } else if (purpose == BJ__BOOTSTRAP || purpose == BJ__PACK) {
        d->packed = false;
        bj__heal_note_session(e, false);
        if (d->stage != BJ__CONTACT || d->server != s->index) { /* else the attempt has begun already */
            attempt_begins(e, s, sent);
            d->connection = -1;
        }
        d->stage = BJ__REQUESTED;
    } else if (purpose == BJ__REGISTER) {
        note_lifetime(s, m);
        d->packed = false;
        d->stage = BJ__REGISTERING;
        d->server = s->index;
    } else if (purpose == BJ__UPDATE) {
        note_lifetime(s, m);
    }
}

/* --- what reaches the client --- */

/* LwM2M Transport 1.1 §6.7: of the codes of success each request has one; another is a refusal like any. */
static bool succeeds(const bj__exchange *x, uint8_t code) {
    return !x->reply_reset && x->reply_code == code;
}

static void bootstrap_replied(bj_engine *e, const bj__exchange *x, bj_time when) {
    bj__due_state *d = &e->due;
    if (d->stage != BJ__REQUESTED && d->source != x->id) {
        return; /* the answer to an attempt that is over */
    }
    d->source = x->id;
    bool refused = !succeeds(x, x->purpose == BJ__PACK ? BJ_COAP_CODE(2, 5) : BJ_COAP_CODE(2, 4));
    if (refused && x->purpose == BJ__PACK) { /* not a failure: a Bootstrap-Request must follow */
        d->packed = true;
    } else if (refused) {
        set_failed(e, when);
        d->refused = x->reply_code;
    } else if (x->purpose == BJ__PACK) {
        d->packed = true; /* a client that cannot use it sends a Bootstrap-Request, and the attempt goes on */
        d->stage = BJ__FINISHED;
        d->failed = (bj__range){ when, when };
    } else if (d->stage == BJ__REQUESTED || d->stage == BJ__SESSION) {
        d->stage = BJ__SESSION;
        d->session_from = when;
    }
}

static void register_replied(bj_engine *e, const bj__exchange *x, bj_time when) {
    bj__due_state *d = &e->due;
    if (succeeds(x, BJ_COAP_CODE(2, 1))) {
        d->stage = BJ__REGISTERED;
        d->attempts = 0;
        e->servers[x->server].registered_at = when;
        d->source = x->id;
    } else if (d->stage == BJ__REGISTERING || d->source == x->id) {
        set_failed(e, when);
        d->source = x->id;
    }
}

void bj__due_replied(bj_engine *e, const bj__exchange *x) {
    bj__outgoing *o = &e->servers[x->server].outgoing;
    if (!x->reply_code && !x->reply_reset) {
        if (o->used && o->mid == x->mid) {
            o->acknowledged = x->reply.arrived;
        }
        return;
    }
    if (x->reply_code && x->reply_code >> 5 < 2) {
        return; /* a message that is none: a request's code (RFC 7252 section 4.2) */
    }
    e->servers[x->server].exchanged_at = x->reply.arrived;
    if (x->purpose == BJ__BOOTSTRAP || x->purpose == BJ__PACK) {
        bootstrap_replied(e, x, x->reply.arrived);
    } else if (x->purpose == BJ__REGISTER) {
        register_replied(e, x, x->reply.arrived);
    } else if (x->purpose == BJ__UPDATE && x->reply_code >> 5 == 2) {
        e->servers[x->server].registered_at = x->reply.arrived;
    } else if (x->purpose == BJ__DEREGISTER && x->reply_code >> 5 == 2) {
        e->servers[x->server].registered_at = BJ_NEVER;
    }
}

void bj__due_reply_lost(bj_engine *e, const bj__exchange *x) {
    bj__due_state *d = &e->due;
    if (d->source != x->id) {
        return;
    }
    if (x->purpose == BJ__BOOTSTRAP || x->purpose == BJ__PACK) {
        d->stage = BJ__REQUESTED;
    } else if (x->purpose == BJ__REGISTER) {
        d->stage = BJ__REGISTERING;
    }
}

void bj__due_commanded(bj_engine *e, const bj__outbound *o) {
    bj__due_state *d = &e->due;
    if (!o->is_command) {
        return;
    }
    if (d->command != o->id) {
        d->command_before = d->last_command;
        d->command = o->id;
    }
    d->last_command = o->delivery.arrived;
}

void bj__due_command_lost(bj_engine *e, const bj__outbound *o) {
    if (o->is_command && e->due.command == o->id) {
        e->due.last_command = e->due.command_before;
    }
}

void bj__due_answered(bj_engine *e, const bj__outbound *o, uint8_t code) {
    bj__due_state *d = &e->due;
    e->servers[o->server].exchanged_at = o->delivery.arrived;
    if (code >> 5 != 2) {
        return;
    }
    bj__factory_commanded(e, o);
    if (o->is_finish) {
        bj__heal_note_session(e, true);
    }
    if (o->is_finish && o->is_command) {
        bj__factory_session(e, true);
        if (d->holdoff_written) {
            d->holdoff_rewritten = true;
            d->holdoff = d->written_holdoff;
        }
        if (d->stage == BJ__SESSION) { /* else its Register is under way already */
            d->stage = BJ__FINISHED;
            d->failed = (bj__range){ o->delivery.arrived, o->delivery.arrived };
            d->last_command = d->command_before = BJ_NEVER;
        }
    } else if (o->is_trigger) {
        d->attempts = 0;
        set_failed(e, o->delivery.arrived);
    }
}

int64_t bj__node_number(const bj_node *node) {
    int64_t number = 0;
    if (node->kind == BJ_N_STRING || node->kind == BJ_N_OPAQUE) {
        for (size_t i = 0; i < node->bytes.length && node->bytes.length <= 4; i++) {
            number = number << 8 | (uint8_t) node->bytes.bytes[i];
        }
        return number;
    }
    return node->kind == BJ_N_INT || node->kind == BJ_N_OBJLNK ? node->integer : 0;
}

static void account_written(bj_engine *e, const bj_node *nodes, size_t count) {
    const bj_node *bootstrap = bj_node_find(nodes, count, 1), *holdoff = bj_node_find(nodes, count, 11);
    if (bootstrap && bootstrap->kind == BJ_N_BOOL && bootstrap->integer) {
        int64_t seconds = holdoff ? bj__node_number(holdoff) : 0;
        seconds = seconds > 0 ? seconds : 0;
        e->due.holdoff_written = true;
        e->due.written_holdoff = (bj_time) (seconds > INT32_MAX ? INT32_MAX : seconds) * BJ_SECOND;
    }
}

void bj__due_account_written(bj_engine *e, const bj_record *step) {
    const char *path = bj_get_string(step, BJ_F(WRITE, PATH), "");
    const bj_value *tlv = bj_get(step, BJ_F(WRITE, TLV)), *values = bj_get(step, BJ_F(WRITE, VALUES));
    values = values ? values : tlv;
    if (!values || strncmp(path, "/0", 2) != 0 || (path[2] && path[2] != '/')) {
        return;
    }
    const bj_node *nodes = values->as.nodes.items;
    if (path[2] && !strchr(path + 3, '/')) {
        account_written(e, nodes, values->as.nodes.count);
    }
    for (size_t i = 0; !path[2] && i < values->as.nodes.count; i++) {
        if (nodes[i].kind == BJ_N_TREE) {
            account_written(e, nodes[i].children, nodes[i].child_count);
        }
    }
}

/* A client may ask for IPv4 and IPv6 one after the other; that one of them is not there is no failure. */
void bj__due_name_resolved(bj_engine *e, const char *name) {
    bj__due_state *d = &e->due;
    if (d->dns_failed != BJ_NEVER && e->now - d->dns_failed < BJ_SECOND && !strcmp(name, d->dns_name)) {
        d->attempts = d->dns_attempts;
        d->stage = d->dns_stage;
        d->failed = d->dns_before;
        d->dns_failed = BJ_NEVER;
    }
}

void bj__due_name_failed(bj_engine *e, const char *name) {
    bj__due_state *d = &e->due;
    bool again = d->dns_failed == e->now;
    if (!again) {
        d->dns_attempts = d->attempts;
        d->dns_stage = d->stage;
        d->dns_before = d->failed;
        snprintf(d->dns_name, sizeof d->dns_name, "%s", name);
    }
    d->dns_failed = e->now;
    if (!strcmp(name, e->bootstrap_host)) {
        if (!again) {
            d->attempts++;
        }
        set_failed(e, e->now);
    } else if (d->stage == BJ__FINISHED || d->stage == BJ__REGISTERING || d->stage == BJ__NEEDED ||
               d->stage == BJ__FAILURE) {
        set_failed(e, e->now);
    }
}

static bool leads_to_bootstrap(const bj_engine *e, const bj__server *s) {
    return !strcmp(s->host, e->bootstrap_host) && s->port == e->bootstrap_port;
}

/* Is what begins now a part of the attempt that goes on: the next address of the same server, with no look-up between?
 */
static bool goes_on(const bj_engine *e, const bj__server *s, const bj__contact *c) {
    const bj__due_state *d = &e->due;
    bool open = d->stage == BJ__CONTACT || d->stage == BJ__FAILURE;
    return open && d->contact.family && d->server == s->index && !bj_addr_equal(&d->contact, &c->to) &&
           (!e->lookup_began || e->lookup_began <= d->acted);
}

void bj__due_contact_begins(bj_engine *e, const bj__server *s, bj__contact *c) {
    bj__due_state *d = &e->due;
    bool bootstrap = leads_to_bootstrap(e, s);
    if (!bootstrap && d->stage != BJ__FINISHED && d->stage != BJ__NEEDED) {
        return;
    }
    if (bootstrap && !goes_on(e, s, c)) {
        attempt_begins(e, s, c->began);
    } else if (!bootstrap) {
        d->server = s->index;
        d->acted = c->began;
        d->request_known = false;
    }
    c->acted = d->acted;
    c->due_known = bootstrap && d->request_known;
    c->due = d->request;
    d->stage = BJ__CONTACT;
    d->active = c->began;
    d->contact = c->to;
    d->connection = c->connection;
}

void bj__due_contact_active(bj_engine *e, const bj__server *s, bj_time when) {
    if (e->due.stage == BJ__CONTACT && e->due.server == s->index) {
        e->due.active = when;
    }
}

void bj__due_handshake_failed(bj_engine *e, const bj__server *s, bj_time when) {
    bj__due_state *d = &e->due;
    bool this = d->stage == BJ__CONTACT && d->server == s->index;
    bool other = !leads_to_bootstrap(e, s) && (d->stage == BJ__FINISHED || d->stage == BJ__REGISTERING ||
                                               d->stage == BJ__NEEDED || d->stage == BJ__FAILURE);
    if (this || other) {
        set_failed(e, when);
    }
}

/* Over what ended the server could reach the client, and nowhere else. */
static bool waits_for(const bj__due_state *d, const bj__server *s) {
    bool answer = (d->stage == BJ__REQUESTED || d->stage == BJ__REGISTERING) && d->server == s->index;
    return answer || (d->stage == BJ__SESSION && d->session_server == s->index);
}

void bj__due_session_ends(bj_engine *e, const bj__server *s, bj_time when) {
    if (waits_for(&e->due, s)) {
        set_failed(e, when);
    }
}

void bj__due_connection_ends(bj_engine *e, const bj__server *s, int connection, bj_time when) {
    const bj__due_state *d = &e->due;
    bool waits = waits_for(d, s) || (d->stage == BJ__CONTACT && d->server == s->index);
    if (waits && d->connection == connection) {
        set_failed(e, when);
    }
}

void bj__due_port_closed(bj_engine *e, const bj_addr *to) {
    const bj__server *s = bj__server_at(e, to);
    bool waits = e->due.stage == BJ__REQUESTED || e->due.stage == BJ__REGISTERING;
    if (s && waits && e->due.server == s->index) {
        set_failed(e, e->now);
    }
}

/* --- the deadlines --- */

static bool finish(const bj_engine *e, bj__range *range, bj_text *why);

bool bj__due_is_command(bj_engine *e, const bj__server *s) {
    BJ_TEXT(why, 64);
    bj__range deadline;
    return e->due.stage == BJ__SESSION && e->due.session_server == s->index && finish(e, &deadline, &why) &&
           e->now + s->link.latency <= deadline.late;
}

/* The n-th retransmission (RFC 7252 §4.2): first within [ACK_TIMEOUT, ACK_TIMEOUT * ACK_RANDOM_FACTOR] after the first
 * transmission, then every interval twice the one before. */
static bool retransmission(const bj_engine *e, const bj__server *s, unsigned number, bj__range *range, bj_text *why) {
    const bj__outgoing *o = s ? &s->outgoing : NULL;
    unsigned n = o && o->used ? (number ? number : o->count) : 0;
    if (!n || n > o->count || n > e->max_retransmit) {
        bj_text_add(why, n ? "no more retransmission is to come" : "the client has sent no confirmable request");
        return false;
    }
    if (n == 1) {
        *range = (bj__range){ o->sent[0] + e->ack_timeout, o->sent[0] + scaled(e->ack_timeout, e->ack_random_factor) };
        return true;
    }
    bj_time at = o->sent[n - 1] + 2 * (o->sent[n - 1] - o->sent[n - 2]);
    *range = (bj__range){ at - BJ_MS, at + BJ_MS };
    return true;
}

/* The last retransmission's time-out: MAX_TRANSMIT_WAIT when nothing was measured, else from the last interval. */
static bool giving_up(const bj_engine *e, const bj__server *s, bj__range *range, bj_text *why) {
    const bj__outgoing *o = s ? &s->outgoing : NULL;
    if (!o || !o->used) {
        bj_text_add(why, "the client has sent no confirmable request");
        return false;
    }
    if (o->acknowledged != BJ_NEVER || o->stream) {
        /* Nothing is retransmitted any more; RFC 7252 sets no limit. MAX_RTT is the least that makes sense. */
        bj_time from = o->stream ? o->sent[0] : o->acknowledged;
        *range = (bj__range){ o->stream ? from : from + 200 * BJ_SECOND + e->ack_timeout, BJ_NEVER };
        return true;
    }
    bj_time full = ((bj_time) 2 << e->max_retransmit) - 1;
    if (o->count < 2) {
        *range = (bj__range){ o->sent[0] + e->ack_timeout * full,
                              o->sent[0] + scaled(e->ack_timeout, e->ack_random_factor) * full };
        return true;
    }
    bj_time last = o->sent[o->count - 1], gap = last - o->sent[o->count - 2];
    bj_time early = last, late = last, less = gap > BJ_MS ? gap - BJ_MS : gap, more = gap + BJ_MS;
    for (unsigned n = o->count - 1; n <= e->max_retransmit; n++) {
        less *= 2;
        more *= 2;
        early += less;
        late += more;
    }
    *range = (bj__range){ early, late };
    return true;
}

static bool finish(const bj_engine *e, bj__range *range, bj_text *why) {
    const bj__due_state *d = &e->due;
    if (d->stage != BJ__SESSION) {
        bj_text_add(why, "no bootstrap session is open");
        return false;
    }
    bj_time timeout = bj_get_duration(e->profile, BJ_F(PROFILE, FINISH_TIMEOUT), e->exchange_lifetime);
    bj_time from = d->last_command == BJ_NEVER ? d->session_from : bj__max(d->session_from, d->last_command);
    *range = (bj__range){ from + timeout, from + timeout };
    return true;
}

/* When did, or will, the last attempt fail? A client that gives a handshake up says so to nobody: not before its last
 * flight, nor later than that flight's timer (RFC 6347 §4.2.4.1). That of a connection, the log shows. */
static bool failure(bj_engine *e, bj__range *range, bj_text *why) {
    const bj__due_state *d = &e->due;
    switch (d->stage) {
    case BJ__CONTACT:
        *range = (bj__range){ d->active, d->connection < 0 ? d->active + LONGEST_FLIGHT : BJ_NEVER };
        return true;
    case BJ__REQUESTED:
    case BJ__REGISTERING:
        return giving_up(e, &e->servers[d->server], range, why);
    case BJ__SESSION:
        return finish(e, range, why);
    case BJ__REGISTERED:
        bj_text_add(why, "the client is registered: nothing calls for a bootstrap");
        return false;
    default:
        *range = d->failed;
        return true;
    }
}

static bj_time sum(bj_time a, bj_time b) {
    return a == BJ_NEVER || b == BJ_NEVER || a > BJ_NEVER - b ? BJ_NEVER : a + b;
}

static bool holdoff(bj_engine *e, bj__range *range, bj_text *why) {
    bj__range failed;
    if (!failure(e, &failed, why)) {
        return false;
    }
    bj__range wait = bj__holdoff(e, e->due.attempts);
    *range = (bj__range){ sum(failed.early, wait.early), sum(failed.late, wait.late) };
    return true;
}

/* The server that registered the client last, when the step names none that did. */
static const bj__server *registrar(const bj_engine *e, const bj__server *named) {
    const bj__server *best = NULL;
    for (unsigned i = 0; i < e->server_count; i++) {
        const bj__server *s = &e->servers[i];
        bool counts = s->registered_at != BJ_NEVER && (!named || s == named);
        best = counts && (!best || s->registered_at > best->registered_at) ? s : best;
    }
    return best;
}

static bool lifetime(const bj_engine *e, const bj__server *named, bj__range *range, bj_text *why) {
    const bj__server *s = registrar(e, named);
    if (!s || !s->lifetime_s) {
        bj_text_add(why, s ? "the lifetime is without end" : "the client is not registered");
        return false;
    }
    bj_time end = sum(s->registered_at, scaled(s->lifetime_s * BJ_SECOND, 1000000));
    *range = (bj__range){ end, end };
    return true;
}

/* LwM2M Core 1.1 section 6.2.2: when is the client's choice, but before the registration ends. */
static bool update(const bj_engine *e, const bj__server *named, bj__range *range, bj_text *why) {
    if (!lifetime(e, named, range, why)) {
        return false;
    }
    range->early = registrar(e, named)->registered_at;
    return true;
}

/* LwM2M Core 1.1 section 6.5: MAX_TRANSMIT_WAIT after the last exchange. */
static bool queue(const bj_engine *e, const bj__server *named, bj__range *range, bj_text *why) {
    bj_time last = BJ_NEVER, full = ((bj_time) 2 << e->max_retransmit) - 1;
    for (unsigned i = 0; i < e->server_count; i++) {
        const bj__server *s = &e->servers[i];
        if (s->exchanged_at != BJ_NEVER && (!named || s == named)) {
            last = last == BJ_NEVER ? s->exchanged_at : bj__max(last, s->exchanged_at);
        }
    }
    if (last == BJ_NEVER) {
        bj_text_add(why, "nothing was exchanged with the server yet");
        return false;
    }
    bj_time end = sum(last, scaled(e->ack_timeout, e->ack_random_factor) * full);
    *range = (bj__range){ end, end };
    return true;
}

/* The server whose answer the client waited for last, when the step names none. */
static const bj__server *busiest(const bj_engine *e) {
    const bj__server *best = NULL;
    for (unsigned i = 0; i < e->server_count; i++) {
        const bj__server *s = &e->servers[i];
        if (s->outgoing.used && (!best || s->outgoing.sent[0] > best->outgoing.sent[0])) {
            best = s;
        }
    }
    return best;
}

bool bj__due(bj_engine *e, bj_due due, const bj__server *s, unsigned number, bj_time wake, bj__range *range,
             bj_text *why) {
    switch (due) {
    case BJ_DUE_WAKE:
        *range = (bj__range){ wake, wake };
        if (wake == BJ_NEVER) {
            bj_text_add(why, "the client waits for ever");
        }
        return wake != BJ_NEVER;
    case BJ_DUE_FINISH:
        return finish(e, range, why);
    case BJ_DUE_RETRANSMIT:
        return retransmission(e, s ? s : busiest(e), number, range, why);
    case BJ_DUE_HOLDOFF:
        return holdoff(e, range, why);
    case BJ_DUE_LIFETIME:
        return lifetime(e, s, range, why);
    case BJ_DUE_GIVEUP:
        return giving_up(e, s ? s : busiest(e), range, why);
    case BJ_DUE_UPDATE:
        return update(e, s, range, why);
    case BJ_DUE_QUEUE:
        return queue(e, s, range, why);
    default:
        bj_text_add(why, "not a deadline");
        return false;
    }
}

/* A plain duration is what a server sees: what reached the client a latency later and came back another latency later
 * is still in time. */
static void plain_window(const bj_engine *e, const bj__thread *t, const bj_when *when, const bj__server *s,
                         bj__window *w) {
    bj_time latency = s ? s->link.latency + s->link.jitter : BJ_MS;
    w->from = bj__add(bj__add(t->base, when->earliest), -(int64_t) bj__min(latency, BJ_SECOND * 3600));
    w->to = sum(bj__add(t->base, when->latest), sum(2 * latency, e->tolerance + BJ__ROUNDING));
    w->from -= bj__min(w->from, e->earliness);
    w->due = false;
}

bool bj__due_window(bj_engine *e, const bj__thread *t, const bj_when *when, const bj__server *s, unsigned number,
                    bj__window *window, bj_text *why) {
    if (when->due == BJ_DUE_NONE) {
        plain_window(e, t, when, s, window);
        return true;
    }
    bj__range range;
    if (!bj__due(e, (bj_due) when->due, s, number, t->wake, &range, why)) {
        return false;
    }
    window->from = bj__add(range.early, when->earliest);
    window->from -= bj__min(window->from, BJ__ROUNDING + e->earliness);
    window->to = sum(bj__add(range.late, when->latest), e->tolerance + BJ__ROUNDING);
    window->due = true;
    return true;
}

bool bj__due_moment(bj_engine *e, const bj__thread *t, const bj_when *when, const bj__server *s, bj_time *moment,
                    bj_text *why) {
    bj__range range = { t->base, t->base };
    if (when->due != BJ_DUE_NONE && !bj__due(e, (bj_due) when->due, s, 0, t->wake, &range, why)) {
        return false;
    }
    *moment = bj__add(range.early, when->earliest == INT64_MAX ? 0 : when->earliest);
    return true;
}
