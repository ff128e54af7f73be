/* SPDX-License-Identifier: Apache-2.0
 *
 * Which message belongs to which: what the client sent on its own, what reached it of the servers, who answered whom
 * (RFC 7252 §4.4, §5.3.2; RFC 8323 §3.2). It judges nothing; the other oracles look at what it keeps.
 */
#include "oracle/management.h"

#include <string.h>

/* --- peers ---------------------------------------------------------------------------------------------------- */

oracle_peer *oracle_peer_of(bj_oracle *o, const bj_addr *address, bool make) {
    for (unsigned i = 0; i < o->peer_count; i++) {
        if (bj_addr_equal(&o->peers[i].address, address)) {
            return &o->peers[i];
        }
    }
    if (!make || o->peer_count == ORACLE_PEERS) {
        return NULL;
    }
    oracle_peer *p = &o->peers[o->peer_count++];
    *p = (oracle_peer){ .address = *address };
    return p;
}

bool oracle_is_bootstrap(bj_oracle *o, const bj_addr *address) {
    const oracle_peer *p = oracle_peer_of(o, address, false);
    bool found = p && p->bootstrap;
    for (unsigned i = 0; !found && i < o->config.account_count; i++) {
        const bj_oracle_account *account = &o->config.accounts[i];
        found = account->bootstrap && oracle_uri_leads_to(o, account->uri, address) == 1;
    }
    return found;
}

/* --- what is kept --------------------------------------------------------------------------------------------- */

oracle_own *oracle_own_at(bj_oracle *o, uint64_t age) {
    bool kept = age < o->own_count && age < ORACLE_OWN;
    return kept ? &o->own[(o->own_count - 1 - age) % ORACLE_OWN] : NULL;
}

oracle_foreign *oracle_foreign_at(bj_oracle *o, uint64_t age) {
    bool kept = age < o->foreign_count && age < ORACLE_FOREIGN;
    return kept ? &o->foreign[(o->foreign_count - 1 - age) % ORACLE_FOREIGN] : NULL;
}

static bool same_ends(const bj_addr *peer, const bj_addr *local, int connection, const oracle_seen *s) {
    return connection == s->connection && bj_addr_equal(peer, &s->peer) && bj_addr_equal(local, &s->local);
}

static bool same_token(const uint8_t *token, size_t length, const bj_coap *m) {
    return length == m->token_length && !memcmp(token, m->token, length);
}

oracle_own *oracle_own_with_mid(bj_oracle *o, const oracle_seen *s) {
    oracle_own *own;
    for (uint64_t age = 0; (own = oracle_own_at(o, age)); age++) {
        if (own->mid == s->m.mid && same_ends(&own->peer, &own->local, own->connection, s)) {
            return own;
        }
    }
    return NULL;
}

oracle_own *oracle_own_with_token(bj_oracle *o, const oracle_seen *s) {
    oracle_own *own;
    for (uint64_t age = 0; (own = oracle_own_at(o, age)); age++) {
        if (bj_coap_is_request(own->code) && same_token(own->token, own->token_length, &s->m) &&
            same_ends(&own->peer, &own->local, own->connection, s)) {
            return own;
        }
    }
    return NULL;
}

/* Of several messages with that Message ID: a message that was damaged on its way has that of its repetition which was
 * not, and so has what is no CoAP of this version. What is confirmable is acknowledged. A response is for the one whose
 * token it has; what is owed goes before what is not, and what has got no answer yet before what has. */
static unsigned fitness(const oracle_foreign *f, const oracle_seen *s) {
    bool response = s->from_client && bj_coap_is_response(s->m.code);
    unsigned token = response && same_token(f->token, f->token_length, &s->m) ? 4 : 0;
    unsigned kind = s->from_client && s->m.type == BJ_COAP_ACK && f->type == BJ_COAP_CON ? 8 : 0;
    return 1 + kind + token + (s->from_client && f->owed ? 2 : 0) + (s->from_client && f->acks < f->copies ? 1 : 0);
}

oracle_foreign *oracle_foreign_with_mid(bj_oracle *o, const oracle_seen *s) {
    if (s->from_client && o->matched && o->matched_event == s->event->sequence) {
        return o->matched;
    }
    oracle_foreign *f, *best = NULL;
    unsigned most = 0;
    for (uint64_t age = 0; (f = oracle_foreign_at(o, age)); age++) {
        bool fits = f->mid == s->m.mid && f->type <= BJ_COAP_NON && same_ends(&f->peer, &f->local, f->connection, s);
        if (fits && fitness(f, s) > most) {
            best = f;
            most = fitness(f, s);
        }
    }
    return best;
}

/* Of several requests with that token: a response that is not confirmable often has the Message ID of its request
 * (libcoap's have); one to a confirmable request is piggybacked, unless an empty Acknowledgement came before it. */
static unsigned aptness(const oracle_foreign *f, const oracle_seen *s) {
    bool plain = !s->stream && s->from_client && s->m.type == BJ_COAP_NON;
    bool awaited = f->type == BJ_COAP_NON || f->acks;
    return 1 + (plain && f->mid == s->m.mid ? 2 : 0) + (plain && awaited ? 1 : 0);
}

/* What has the Observe option, and the token of an observation, is for that: the token may have come once more. */
bool oracle_is_notification(const bj_oracle *o, const oracle_seen *s) {
    return s->from_client && bj_coap_find(&s->m, BJ_COAP_OBSERVE, 0) && oracle_is_observed(o, s);
}

/* One that has got no response yet goes before those that have, but for observations; of those the likeliest, and the
 * newest. */
oracle_foreign *oracle_foreign_with_token(bj_oracle *o, const oracle_seen *s) {
    if (s->from_client && o->answered && o->answered_event == s->event->sequence && !s->stream) {
        return o->answered;
    }
    oracle_foreign *f, *newest = NULL, *best = NULL;
    unsigned most = 0;
    bool notifies = oracle_is_notification(o, s);
    for (uint64_t age = 0; (f = oracle_foreign_at(o, age)); age++) {
        bool fits = !f->malformed && bj_coap_is_request(f->code) && same_token(f->token, f->token_length, &s->m) &&
                    same_ends(&f->peer, &f->local, f->connection, s) && (f->observes || !notifies);
        if (fits && (f->observes || f->responses < f->copies) && aptness(f, s) > most) {
            best = f;
            most = aptness(f, s);
        }
        newest = fits && !newest ? f : newest;
    }
    return best ? best : newest;
}

static void note_observation(bj_oracle *o, const oracle_foreign *f) {
    unsigned at = (unsigned) (o->observed_count++ % ORACLE_OBSERVED);
    o->observed[at].peer = f->peer;
    o->observed[at].token_length = f->token_length;
    memcpy(o->observed[at].token, f->token, sizeof f->token);
}

bool oracle_is_observed(const bj_oracle *o, const oracle_seen *s) {
    bool found = o->observed_count > ORACLE_OBSERVED; /* the oldest were forgotten */
    for (unsigned i = 0; i < o->observed_count && i < ORACLE_OBSERVED && !found; i++) {
        found = bj_addr_equal(&o->observed[i].peer, &s->peer) &&
                same_token(o->observed[i].token, o->observed[i].token_length, &s->m);
    }
    return found;
}

uint8_t oracle_answers_acknowledgement(const bj_oracle *o, const oracle_seen *s) {
    uint8_t method = 0;
    for (unsigned i = 0; i < ORACLE_ACKNOWLEDGED; i++) {
        uint8_t code = o->acknowledged[i].code;
        bool same = o->acknowledged[i].mid == s->m.mid && bj_addr_equal(&o->acknowledged[i].peer, &s->peer);
        method = same && bj_coap_is_request(code) && code > method ? code : method;
    }
    return method;
}

oracle_foreign *oracle_request_of(bj_oracle *o, const oracle_seen *s) {
    if (s->stream || s->m.type != BJ_COAP_ACK) {
        oracle_foreign *f = oracle_foreign_with_token(o, s);
        bool other = f && !s->stream && s->m.type == BJ_COAP_NON && f->mid != s->m.mid && !f->observes &&
                     oracle_answers_acknowledgement(o, s);
        return other ? NULL : f;
    }
    oracle_foreign *f = oracle_foreign_with_mid(o, s);
    return f && !f->malformed && bj_coap_is_request(f->code) ? f : NULL;
}

void oracle_describe(const oracle_own *own, bj_text *out) {
    bj_coap m;
    if (own->connection >= 0) {
        bj_coap_tcp_decode(&m, own->bytes, own->length);
    } else {
        bj_coap_decode(&m, own->bytes, own->length);
    }
    const char *method = bj_coap_method_name(own->code);
    if (method) {
        bj_text_printf(out, "%s ", method);
        bj_coap_path(&m, BJ_COAP_URI_PATH, out);
    } else {
        bj_coap_code_print(out, own->code);
    }
}

void oracle_describe_foreign(const oracle_foreign *f, bj_text *out) {
    if (f->malformed || !f->code) {
        bj_text_add(out, f->malformed ? "a malformed message" : "a CoAP ping");
        return;
    }
    bj_coap m;
    if (f->connection >= 0) {
        bj_coap_tcp_decode(&m, f->bytes, f->length);
    } else {
        bj_coap_decode(&m, f->bytes, f->length);
    }
    const char *method = bj_coap_method_name(f->code);
    if (method) {
        bj_text_printf(out, "%s ", method);
        bj_coap_path(&m, BJ_COAP_URI_PATH, out);
    } else {
        bj_coap_code_print(out, f->code);
    }
}

/* --- what the client says ------------------------------------------------------------------------------------- */

static bool ends_with(const bj_text *path, const char *end) {
    size_t n = strlen(end);
    return path->used >= n && !strcmp(path->start + path->used - n, end);
}

/* By the request's path: a Location-Path may be anything, /rd as well, so that any other POST counts as an Update. */
oracle_purpose oracle_purpose_of(const bj_coap *m) {
    BJ_TEXT(path, 300);
    bj_coap_path(m, BJ_COAP_URI_PATH, &path);
    if (m->code == 1) {
        return ends_with(&path, "/bspack") && !oracle_asks_for_more(m) ? ORACLE_PACK : ORACLE_OTHER;
    }
    if (m->code == 4) {
        return ORACLE_DEREGISTER;
    }
    if (m->code != 2 || ends_with(&path, "/dp")) {
        return ORACLE_OTHER;
    }
    BJ_TEXT(ep, 256);
    bool registers = ends_with(&path, "/rd") && (bj_coap_query(m, "ep", &ep) || m->payload_length);
    return ends_with(&path, "/bs") ? ORACLE_BOOTSTRAP : registers ? ORACLE_REGISTER : ORACLE_UPDATE;
}

/* Of a server that gave so many places, or one that is not read here, that any may be its Location-Path: what goes to a
 * Bootstrap-Server, whose session may tell it whose it is, is what it looks like. */
static bool may_be_location(bj_oracle *o, const oracle_peer *p, const oracle_seen *s) {
    return p->standing.unsure && p->ever && (!s->secure || !oracle_is_bootstrap(o, &s->peer));
}

/* A server that gave /bs as Location-Path gets Updates there, which have a payload, or do not say whose they are; one
 * that gave /dp gets them beside what is sent (LwM2M Core 1.1 §6.4.7), which has a payload, and no list of links; one
 * that gave /rd gets Registers there, too, which say their version (§6.2.1). */
static oracle_purpose purpose_of(bj_oracle *o, const oracle_seen *s) {
    enum { FORMAT_LINK = 40 };
    oracle_purpose purpose = oracle_purpose_of(&s->m);
    bool may = purpose == ORACLE_BOOTSTRAP || purpose == ORACLE_REGISTER || (purpose == ORACLE_OTHER && s->m.code == 2);
    const oracle_peer *p = may ? oracle_peer_of(o, &s->peer, false) : NULL;
    if (!p || (!oracle_is_location(p, &s->m) && !may_be_location(o, p, s))) {
        return purpose;
    }
    uint32_t format = FORMAT_LINK;
    BJ_TEXT(name, 256);
    bj_coap_find_uint(&s->m, BJ_COAP_CONTENT_FORMAT, &format);
    bool update = purpose == ORACLE_OTHER ? !s->m.payload_length || format == FORMAT_LINK
                  : purpose == ORACLE_REGISTER
                      ? !bj_coap_query(&s->m, "ep", &name) && !bj_coap_query(&s->m, "lwm2m", &name)
                      : s->m.payload_length || !bj_coap_query(&s->m, "ep", &name);
    return update ? ORACLE_UPDATE : purpose;
}

/* Of signalling (RFC 8323 §5), which nobody sends over UDP but libcoap, in messages that have one Message ID. */
static bool is_signal(const oracle_seen *s) {
    return !s->stream && s->m.code >> 5 == 7;
}

/* RFC 7252 §4.2: the same bytes to the same endpoint, while the exchange may last. */
static bool repeats(const bj_oracle *o, const oracle_own *own, const oracle_seen *s) {
    return own && !s->stream && own->length == s->length && !memcmp(own->bytes, s->bytes, s->length) &&
           s->time - own->first < o->config.exchange_lifetime && !(is_signal(s) && own->acknowledged != BJ_NEVER);
}

/* Something may yet come for it. */
static bool is_awaited(const bj_oracle *o, const oracle_own *own) {
    bool open = bj_coap_is_request(own->code) ? own->answered == BJ_NEVER
                                              : own->type == BJ_COAP_CON && own->acknowledged == BJ_NEVER;
    return open && o->now < own->last + o->config.exchange_lifetime;
}

/* Where another message is kept: of so many the oldest is forgotten for which nothing is awaited. */
static oracle_own *room_for_another(bj_oracle *o) {
    uint64_t age = ORACLE_OWN - 1;
    while (age && o->own_count >= ORACLE_OWN && is_awaited(o, oracle_own_at(o, age))) {
        age--;
    }
    age = age ? age : ORACLE_OWN - 1;
    oracle_own *own = oracle_own_at(o, age);
    if (own) {
        o->own_forgotten = oracle_max(o->own_forgotten, own->last);
        oracle_drop(o, own->bytes);
        for (; age < ORACLE_OWN - 1; age++) {
            *oracle_own_at(o, age) = *oracle_own_at(o, age + 1);
        }
    }
    return &o->own[o->own_count++ % ORACLE_OWN];
}

/* The system tells of a refusal to who sends next: nothing leaves then, and what is seen first is the repetition. */
static bool is_first_transmission(bj_oracle *o, const oracle_seen *s) {
    const oracle_peer *p = oracle_peer_of(o, &s->peer, false);
    return !p || s->stream || !p->failing || s->time > p->failing;
}

static void said_anew(bj_oracle *o, const oracle_seen *s) {
    oracle_own *own = room_for_another(o);
    *own = (oracle_own){ .used = true,
                         .peer = s->peer,
                         .local = s->local,
                         .connection = s->connection,
                         .secure = s->secure,
                         .exact = o->config.exact && (!s->secure || s->secure_certain) && !is_signal(s) &&
                                  is_first_transmission(o, s),
                         .type = s->m.type,
                         .code = s->m.code,
                         .token_length = s->m.token_length,
                         .mid = s->m.mid,
                         .bytes = oracle_keep(o, s->bytes, s->length),
                         .length = s->length,
                         .first = s->time,
                         .last = s->time,
                         .copies = 1,
                         .event = s->event->sequence,
                         .acknowledged = BJ_NEVER,
                         .answered = BJ_NEVER };
    memcpy(own->token, s->m.token, sizeof own->token);
    own->purpose = bj_coap_is_request(own->code) ? (uint8_t) purpose_of(o, s) : ORACLE_OTHER;
    oracle_attempt_sent(o, own, s, true);
}

static void said_itself(bj_oracle *o, const oracle_seen *s) {
    oracle_own *own = s->stream ? NULL : oracle_own_with_mid(o, s);
    if (!repeats(o, own, s)) {
        said_anew(o, s);
        return;
    }
    own->before = own->last;
    own->last = s->time;
    own->copies++;
    own->exact &= !s->secure || s->secure_certain;
    oracle_own_repeated(o, own, s);
    oracle_attempt_sent(o, own, s, false);
}

static void note_disable(bj_oracle *o, const oracle_foreign *f) {
    enum { SERVER = 1, DISABLE = 4 };
    oracle_peer *p = oracle_peer_of(o, &f->peer, false);
    bool executed = f->code == 2 && f->path.depth == 3 && f->path.ids[0] == SERVER && f->path.ids[2] == DISABLE;
    if (p && executed && !f->root_named) {
        p->sends_away = true;
    }
}

/* A part of a request, one with a path that is none of LwM2M, or with an option that no command has, or larger than a
 * client need take (RFC 7252 §4.6): refused, it may be no command for the client. */
static bool is_unclear(const oracle_foreign *f) {
    return f->block1 || f->beyond || f->length > ORACLE_MOST_EXPECTED ||
           (f->root_named && f->operation != ORACLE_OP_FINISH);
}

static void said_response(bj_oracle *o, const oracle_seen *s) {
    oracle_foreign *f = oracle_request_of(o, s);
    bool interim = s->m.code == BJ_COAP_CODE(2, 31);
    if (!f) {
        return;
    }
    bool first = !f->responses;
    bool repeated = !first && !s->stream && f->response_mid == s->m.mid;
    o->answered = f;
    o->answered_event = s->event->sequence;
    f->responses += !repeated;
    f->response_mid = s->m.mid;
    f->response = s->m.code;
    if (first && !interim) {
        oracle_commands_answered(o, f, s);
    }
    if (first && s->m.code >> 5 == 2 && !interim) {
        note_disable(o, f);
        oracle_attempt_took(o, f, s);
    } else if (first && (interim || s->m.code == BJ_COAP_CODE(4, 2) || oracle_does_not_forward(f, s->m.code) ||
                         (is_unclear(f) && s->m.code >> 5 >= 4))) {
        oracle_attempt_rejected(o, f);
    }
    if (first && s->m.code >> 5 > 2) {
        oracle_attempt_refused(o, f);
    }
    if (first && (f->bootstrap || f->operation == ORACLE_OP_FINISH) && !interim) {
        oracle_attempt_finished(o, f, s);
    }
    if (first) {
        oracle_model_answered(o, f, s);
    }
}

bool oracle_heard_malformed(bj_oracle *o, const oracle_seen *s, bool crowded) {
    const oracle_foreign *f;
    for (uint64_t age = 0; (f = oracle_foreign_at(o, age)) && s->time - f->last <= o->config.ack_timeout; age++) {
        if ((crowded ? f->crowded : f->malformed) && bj_addr_equal(&f->peer, &s->peer)) {
            return true;
        }
    }
    return false;
}

/* A Reset does not say which of several messages with its Message ID it is for. */
static void rejects_twins(bj_oracle *o, const oracle_foreign *f) {
    oracle_foreign *twin;
    for (uint64_t age = 0; (twin = oracle_foreign_at(o, age)); age++) {
        twin->owed &= twin->mid != f->mid || !bj_addr_equal(&twin->peer, &f->peer);
    }
}

static void said_acknowledgement(bj_oracle *o, const oracle_seen *s) {
    oracle_foreign *f = oracle_foreign_with_mid(o, s);
    o->matched = f;
    o->matched_event = s->event->sequence;
    if (!f) {
        return;
    }
    f->owed = false;
    if (s->m.type == BJ_COAP_RST) {
        rejects_twins(o, f);
    }
    f->reused |= s->m.type == BJ_COAP_RST && oracle_heard_malformed(o, s, false); /* it may be for that one */
    if (!f->acks++) {
        f->ack = oracle_keep(o, s->bytes, s->length);
        f->ack_length = s->length;
        if (bj_coap_is_response(s->m.code)) {
            said_response(o, s);
        } else if (s->m.type == BJ_COAP_RST) {
            oracle_commands_reset(o, f, s);
            oracle_attempt_rejected(o, f);
        }
    }
}

static void note_exchange(const bj_oracle *o, oracle_peer *p, bj_time now) {
    if (p->queue && now > oracle_falls_asleep(o, p)) {
        p->dozed = oracle_falls_asleep(o, p);
        p->woke = now;
    }
    p->exchanged = now;
}

/* What it rejects, or was asked before, need not; nor what it refuses for an option, which a library may do by itself.
 */
static bool keeps_awake(bj_oracle *o, const oracle_seen *s) {
    const oracle_foreign *f = !s->stream && s->m.type == BJ_COAP_ACK ? oracle_foreign_with_mid(o, s) : NULL;
    return s->stream ||
           (s->m.type != BJ_COAP_RST && s->m.code != BJ_COAP_CODE(4, 2) && !is_signal(s) && !(f && f->acks > 1));
}

/* It speaks from another port: what came to the last one in that moment may lie there unread. */
static void leave_port(bj_oracle *o, const oracle_seen *s) {
    oracle_foreign *f;
    for (uint64_t age = 0; (f = oracle_foreign_at(o, age)); age++) {
        bool here = bj_addr_equal(&f->peer, &s->peer) && !bj_addr_equal(&f->local, &s->local);
        f->owed &= !here || f->last + ORACLE_GRACE < s->time;
    }
}

static void client_said(bj_oracle *o, const oracle_seen *s) {
    oracle_peer *p = oracle_peer_of(o, &s->peer, true);
    if (s->fault != BJ_COAP_OK) {
        return;
    }
    if (!s->stream && s->m.type >= BJ_COAP_ACK) {
        said_acknowledgement(o, s);
    } else if (bj_coap_is_response(s->m.code)) {
        said_response(o, s);
        if (!s->stream) {
            said_itself(o, s);
        }
    } else if (bj_coap_is_request(s->m.code) || is_signal(s) || (!s->stream && !s->m.code)) {
        said_itself(o, s);
    }
    if (p) {
        p->spoke = true;
        p->secure = s->secure;
    }
    if (!s->stream) {
        leave_port(o, s);
    }
    if (p && p->failing == BJ_NEVER) {
        p->failing = s->time + o->config.ack_timeout / 1000 * (o->config.ack_random_factor / 1000) + oracle_late(o);
    }
    if (p && keeps_awake(o, s)) {
        note_exchange(o, p, s->time);
    } else if (p) {
        p->perhaps = s->time;
    }
}

/* --- what reaches it ------------------------------------------------------------------------------------------ */

bj_time oracle_transmit_wait(const bj_oracle *o) {
    const bj_oracle_config *c = &o->config;
    return c->ack_timeout * (((bj_time) 2 << c->max_retransmit) - 1) / 1000 * (c->ack_random_factor / 1000);
}

bool oracle_asleep(const bj_oracle *o, const oracle_peer *p, bj_time now) {
    return p->queue && now > p->exchanged + oracle_transmit_wait(o);
}

bj_time oracle_falls_asleep(const bj_oracle *o, const oracle_peer *p) {
    return oracle_max(p->exchanged, p->perhaps) + oracle_transmit_wait(o);
}

/* Its Bootstrap-Request was rejected behind an Acknowledgement that may have ended it: it may await the session still.
 * So may it where the refusal may have been nothing to it: something had begun a session before, or it was too late. */
static bool may_await_a_session(bj_oracle *o) {
    const oracle_own *own;
    if (o->attempt.phase == ORACLE_FAILED && o->attempt.excused) {
        return true;
    }
    for (uint64_t age = 0; o->attempt.phase == ORACLE_FAILED && (own = oracle_own_at(o, age)); age++) {
        if (own->purpose == ORACLE_BOOTSTRAP) {
            return own->ended_otherwise;
        }
    }
    return false;
}

/* Two accounts lead to that server, and the one that speaks from there is not registered: its Register is under way, or
 * came to nothing. */
static bool registers_from_there(bj_oracle *o, const oracle_seen *s) {
    const oracle_own *own;
    for (uint64_t age = 0; (own = oracle_own_at(o, age)); age++) {
        if (own->purpose == ORACLE_REGISTER && same_ends(&own->peer, &own->local, own->connection, s)) {
            return own->answered == BJ_NEVER || own->answer != BJ_COAP_CODE(2, 1);
        }
    }
    return false;
}

/* A bootstrap ended its registration, or nobody knows whether its account is still there and the client has not spoken
 * with it since. */
static bool may_be_gone(const bj_oracle *o, const oracle_peer *p) {
    return p->standing.ended ||
           (o->accounts.vague && o->attempt.phase == ORACLE_FINISHED && p->exchanged <= o->attempt.finished_at);
}

/* The last Bootstrap-Request to that server went out where this comes: elsewhere a client may have another account's
 * session, to the same address, or none. */
bool oracle_asked_from_there(bj_oracle *o, const oracle_seen *s) {
    const oracle_own *own;
    for (uint64_t age = 0; (own = oracle_own_at(o, age)); age++) {
        if (own->purpose == ORACLE_BOOTSTRAP && bj_addr_equal(&own->peer, &s->peer)) {
            return same_ends(&own->peer, &own->local, own->connection, s);
        }
    }
    return true; /* it is long ago */
}

/* Would a request of that server now find somebody who must answer it? */
static bool expected(bj_oracle *o, const oracle_seen *s) {
    const oracle_peer *p = oracle_peer_of(o, &s->peer, false);
    /* One that began with a command, and with an answer that may be passed over, may have begun and ended otherwise. */
    bool doubtful = o->attempt.overtaken && o->attempt.excused;
    bool session = oracle_in_session(o, &s->peer) && !doubtful && oracle_asked_from_there(o, s);
    bool stands = p && p->registered && p->placed && !p->sends_away && !may_be_gone(o, p);
    bool registered = stands && !oracle_asleep(o, p, s->time + ORACLE_GRACE) && o->attempt.phase != ORACLE_SESSION &&
                      o->attempt.phase != ORACLE_REQUESTED && !o->attempt.unasked && !may_await_a_session(o) &&
                      !registers_from_there(o, s);
    bool reached =
        !p || (s->secure ? !p->hung_up && !p->let_go : !p->secure); /* in clear nobody in a secure session listens */
    return o->alive && !o->stopping && reached && ((session && !o->attempt.late) || registered);
}

static oracle_operation operation_of(const bj_coap *m, const oracle_foreign *f, const char *path) {
    switch (m->code) {
    case 1:
        return f->has_accept && f->accept == 40 ? ORACLE_OP_DISCOVER : ORACLE_OP_READ;
    case 2:
        return !strcmp(path, "/bs") ? ORACLE_OP_FINISH : ORACLE_OP_NONE;
    case 3:
        return ORACLE_OP_WRITE;
    case 4:
        return ORACLE_OP_DELETE;
    default:
        return ORACLE_OP_NONE;
    }
}

/* RFC 7252 §5.4.1, §5.4.6: odd numbers are critical; those of §5.10 and of the RFCs beside it a client may know. */
static bool is_strange(uint32_t number) {
    return (number & 1) && !bj_coap_option_name(number);
}

/* Critical, and none that every client must take in a request of LwM2M. */
static bool need_not_be_taken(uint32_t number) {
    static const uint32_t taken[] = { BJ_COAP_URI_HOST, BJ_COAP_URI_PORT, BJ_COAP_URI_PATH, BJ_COAP_URI_QUERY,
                                      BJ_COAP_ACCEPT };
    bool must = false;
    for (unsigned i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        must |= number == taken[i];
    }
    return (number & 1) && !must;
}

/* RFC 7252 §5.4.5: one occurrence too many counts as an option that is not known. */
static bool is_one_too_many(const bj_coap *m, size_t i) {
    uint32_t number = m->options[i].number;
    bool single = number == BJ_COAP_URI_HOST || number == BJ_COAP_URI_PORT || number == BJ_COAP_ACCEPT;
    return single && i && m->options[i - 1].number == number;
}

/* LwM2M Transport 1.1 §6.4.2, §6.7: a command has a path, and the format of what it brings or asks for. */
static bool has_no_command(uint32_t number) {
    return number != BJ_COAP_URI_HOST && number != BJ_COAP_URI_PORT && number != BJ_COAP_URI_PATH &&
           number != BJ_COAP_CONTENT_FORMAT && number != BJ_COAP_ACCEPT;
}

static void read_request(oracle_foreign *f, const bj_coap *m) {
    BJ_TEXT(path, 300);
    bj_coap_path(m, BJ_COAP_URI_PATH, &path);
    f->path = bj_path_of(path.start);
    BJ_TEXT(plain, 40);
    bj_path_print(&plain, &f->path);
    f->root_named = strcmp(path.start, plain.start) != 0; /* below another path, or none at all */
    f->has_accept = bj_coap_find_uint(m, BJ_COAP_ACCEPT, &f->accept);
    f->format = 65536;
    bj_coap_find_uint(m, BJ_COAP_CONTENT_FORMAT, &f->format);
    f->operation = (uint8_t) operation_of(m, f, path.start);
    f->observes = bj_coap_find(m, BJ_COAP_OBSERVE, 0) != NULL;
    f->block1 = bj_coap_find(m, BJ_COAP_BLOCK1, 0) != NULL;
    for (size_t i = 0; i < m->option_count; i++) {
        uint32_t number = m->options[i].number;
        f->critical |= is_strange(number);
        f->beyond |= has_no_command(number);
        f->ignored |=
            f->connection < 0 && f->type == BJ_COAP_NON && (need_not_be_taken(number) || is_one_too_many(m, i));
        f->hops |= number == BJ_COAP_HOP_LIMIT;
        f->proxied |= number == BJ_COAP_PROXY_URI || number == BJ_COAP_PROXY_SCHEME;
    }
}

/* RFC 7252 §4.8.2: EXCHANGE_LIFETIME, or NON_LIFETIME, after which a copy may be taken for another message. */
static bj_time lifetime_of(const bj_oracle *o, const oracle_foreign *f) {
    const bj_time max_latency = 100 * BJ_SECOND, processing_delay = o->config.ack_timeout;
    return o->config.exchange_lifetime - (f->type == BJ_COAP_CON ? 0 : max_latency + processing_delay);
}

static bool is_repeated(const bj_oracle *o, const oracle_foreign *f, const oracle_seen *s) {
    return f && f->length == s->length && !memcmp(f->bytes, s->bytes, s->length) &&
           s->time - f->first < lifetime_of(o, f);
}

/* Another message, which has the Message ID of this one; or this one, in the moment in which it may be forgotten. */
static bool is_reused(const bj_oracle *o, const oracle_foreign *before, const oracle_seen *s) {
    return before && s->time - before->last < o->config.exchange_lifetime + BJ_SECOND;
}

/* Was it sent while the client need not have listened? It may be read at once, or when it listens again. */
static bool was_slept_through(bj_oracle *o, const oracle_seen *s) {
    const oracle_peer *p = oracle_peer_of(o, &s->peer, false);
    uint32_t cause = s->event->cause;
    bool known = p && p->queue && p->registered && cause && o->recent[cause % ORACLE_RECENT].sequence == cause;
    bj_time sent = known ? o->recent[cause % ORACLE_RECENT].time : 0;
    return known &&
           (s->time > oracle_falls_asleep(o, p) || (p->dozed && sent > p->dozed && sent + BJ_SECOND < p->woke));
}

/* Signalling over UDP: what it means is the client's. It may end the session, and what is on its way to that server,
 * with what waits behind that (RFC 7252 §4.7, NSTART). */
static void hear_signal(bj_oracle *o, const oracle_seen *s) {
    bool asked = o->attempt.phase == ORACLE_REQUESTED && bj_addr_equal(&o->attempt.peer, &s->peer);
    if (asked || oracle_in_session(o, &s->peer)) {
        o->attempt.excused = o->attempt.late = true;
    }
    oracle_own *own;
    bool any = false;
    for (uint64_t age = 0; (own = oracle_own_at(o, age)); age++) {
        bool waits = own->acknowledged == BJ_NEVER && own->type == BJ_COAP_CON && own->connection < 0 &&
                     bj_addr_equal(&own->peer, &s->peer);
        bool registration = own->purpose >= ORACLE_REGISTER && own->purpose <= ORACLE_DEREGISTER;
        if (waits && registration) {
            own->ended_otherwise = true;
            own->exact = false;
        }
        any |= waits;
    }
    if (any) {
        oracle_observations_doubted(o, &s->peer);
    }
}

bool oracle_was_signalled(bj_oracle *o, const bj_addr *peer) {
    const oracle_foreign *f;
    bool was = false;
    for (uint64_t age = 0; !was && (f = oracle_foreign_at(o, age)) && f->last + ORACLE_GRACE >= o->now; age++) {
        was = !f->malformed && f->connection < 0 && f->code >> 5 == 7 && bj_addr_equal(&f->peer, peer);
    }
    return was;
}

static void heard_anew(bj_oracle *o, const oracle_seen *s) {
    bool reused = !s->stream && is_reused(o, oracle_foreign_with_mid(o, s), s);
    oracle_foreign *f = &o->foreign[o->foreign_count % ORACLE_FOREIGN];
    o->matched = o->answered = NULL;
    if (o->foreign_count++ >= ORACLE_FOREIGN) {
        oracle_drop(o, f->bytes);
        oracle_drop(o, f->ack);
    }
    *f = (oracle_foreign){ .used = true,
                           .peer = s->peer,
                           .local = s->local,
                           .connection = s->connection,
                           .secure = s->secure,
                           .malformed = s->fault != BJ_COAP_OK,
                           .crowded = s->fault == BJ_COAP_OPTIONS_MANY || s->fault == BJ_COAP_OPTION_NUMBER,
                           .reused = reused,
                           .type = s->m.type,
                           .code = s->m.code,
                           .token_length = s->m.token_length,
                           .mid = s->m.mid,
                           .bytes = oracle_keep(o, s->bytes, s->length),
                           .length = s->length,
                           .first = s->time,
                           .last = s->time,
                           .copies = 1,
                           .event = s->event->sequence };
    memcpy(f->token, s->m.token, sizeof f->token);
    if (!f->malformed && is_signal(s)) {
        hear_signal(o, s);
    }
    if (f->malformed) {
        return;
    }
    bool request = bj_coap_is_request(f->code);
    f->owed = !s->stream && f->type == BJ_COAP_CON && (request || !f->code) && s->length <= ORACLE_MOST_EXPECTED &&
              expected(o, s);
    if (request) {
        f->slept = !s->stream && was_slept_through(o, s);
        read_request(f, &s->m);
        if (f->observes) {
            note_observation(o, f);
        }
        oracle_attempt_commanded(o, f, s);
    }
}

static void heard_itself(bj_oracle *o, const oracle_seen *s) {
    oracle_foreign *f = s->stream ? NULL : oracle_foreign_with_mid(o, s);
    if (!is_repeated(o, f, s)) {
        heard_anew(o, s);
        return;
    }
    f->copies++;
    f->last = s->time;
    f->slept = false;
    if (is_signal(s)) { /* its first copy may have ended something else */
        hear_signal(o, s);
    }
    if (bj_coap_is_request(f->code)) {
        oracle_attempt_commanded(o, f, s);
    }
}

static void answered(bj_oracle *o, oracle_own *own, const oracle_seen *s) {
    own->acknowledged = oracle_min(own->acknowledged, s->time);
    if (own->answered == BJ_NEVER) {
        own->answered = s->time;
        oracle_peer *p = oracle_peer_of(o, &s->peer, false);
        if (p && own->code >> 5 != 7) { /* signalling keeps nobody awake */
            note_exchange(o, p, s->time);
        }
        own->answer = s->m.type == BJ_COAP_RST && !s->stream ? 0 : s->m.code;
        oracle_attempt_answered(o, own, s);
    }
}

/* A response with a critical option that responses do not have, but for those of blocks, or with one of a wrong length:
 * the client may reject it, which leaves its request unanswered (RFC 7252 §5.4.1, §5.4.3, §4.2). */
static bool is_hard_to_take(const bj_coap *m) {
    for (size_t i = 0; i < m->option_count; i++) {
        uint32_t number = m->options[i].number;
        if ((number & 1) && number != BJ_COAP_BLOCK1 && number != BJ_COAP_BLOCK2) {
            return true;
        }
    }
    BJ_TEXT(why, 100);
    return !bj_coap_options_valid(m, &why);
}

/* A client may take this for the answer to its Register, or to its Bootstrap-Pack-Request, or for a refusal of its
 * Update, or of a session that a command has begun, or pass it over. */
static void doubt_answer(bj_oracle *o, const oracle_own *own, const oracle_seen *s) {
    bool session = own->purpose == ORACLE_BOOTSTRAP && o->attempt.phase == ORACLE_SESSION;
    o->attempt.excused |= session;
    o->attempt.late |= session;
    oracle_peer *p = oracle_peer_of(o, &s->peer, false);
    if (p && own->purpose == ORACLE_REGISTER && s->m.code == BJ_COAP_CODE(2, 1)) {
        p->doubtful = true;
        oracle_growth_doubted(o);
    } else if (p && own->purpose == ORACLE_UPDATE) {
        p->placed = false; /* what was told, and whether the registration stands */
    } else if (own->purpose == ORACLE_PACK && s->m.code == BJ_COAP_CODE(2, 5)) {
        o->attempt.ever_finished = o->attempt.excused = true;
        oracle_model_forget(o);
    }
}

/* RFC 7252 §4.5: a response with the Message ID of something else, of which a client may take it for a repetition. */
static bool may_be_taken_for_a_repetition(bj_oracle *o, const oracle_seen *s) {
    const oracle_foreign *f = s->stream || s->m.type > BJ_COAP_NON ? NULL : oracle_foreign_with_mid(o, s);
    return f && is_reused(o, f, s) && (f->reused || !is_repeated(o, f, s));
}

/* What the client may reject, or pass over, has not happened for it, nor does it end its repetitions. */
static void take_answer(bj_oracle *o, oracle_own *own, const oracle_seen *s) {
    if (is_hard_to_take(&s->m) || (!s->stream && s->length > ORACLE_MOST_EXPECTED) ||
        may_be_taken_for_a_repetition(o, s)) {
        own->exact = false;
        own->ended_otherwise |= !s->stream && s->m.type == BJ_COAP_ACK; /* so that the next may come too late */
        o->attempt.excused |= own->purpose == ORACLE_BOOTSTRAP;
        o->attempt.late |= own->purpose == ORACLE_BOOTSTRAP; /* taken for a refusal, it ends what a command began */
        doubt_answer(o, own, s);
    } else {
        answered(o, own, s);
    }
}

bool oracle_was_given_up(bj_oracle *o, const oracle_own *own) {
    const oracle_own *other;
    for (uint64_t age = 0; (other = oracle_own_at(o, age)) && other != own; age++) {
        if (other->type == BJ_COAP_CON && other->first > own->last && bj_addr_equal(&other->peer, &own->peer)) {
            return true;
        }
    }
    return false;
}

static void heard_acknowledgement(bj_oracle *o, const oracle_seen *s) {
    oracle_own *own = oracle_own_with_mid(o, s);
    if (!own) {
        return;
    }
    bool over = own->type == BJ_COAP_NON || own->acknowledged != BJ_NEVER || oracle_was_given_up(o, own);
    if (s->m.type == BJ_COAP_RST && over) {
        oracle_peer *p = oracle_peer_of(o, &s->peer, false);
        if (p) {
            p->reset_strangely = true;
        }
    }
    if (s->m.type == BJ_COAP_RST && s->m.code) { /* §4.2, §4.3: it must be empty, and a client may pass it over */
        doubt_answer(o, own, s);
        o->attempt.excused |= own->purpose == ORACLE_BOOTSTRAP;
        own->exact = false;
        own->ended_otherwise = true;
    } else if (s->m.type == BJ_COAP_RST && own->acknowledged == BJ_NEVER) {
        o->attempt.excused |= own->ended_otherwise && own->purpose == ORACLE_BOOTSTRAP; /* it may be passed over */
        answered(o, own, s);
    } else if (s->m.type == BJ_COAP_RST) {
        own->exact = false; /* behind an ACK: the message has been taken already, and a client may pass it over */
    } else if (!s->m.code) {
        own->acknowledged = oracle_min(own->acknowledged, s->time);
    } else if ((own->acknowledged != BJ_NEVER || own->ended_otherwise) && own->answered == BJ_NEVER) {
        doubt_answer(o, own, s);
        own->exact = false; /* an ACK behind an empty one brings no response (§5.2.2): a client may pass it over */
    } else if (bj_coap_is_response(s->m.code) && same_token(own->token, own->token_length, &s->m)) {
        take_answer(o, own, s);
    } else {
        doubt_answer(o, own, s);
        own->ended_otherwise = true;
        own->exact = false; /* an ACK that answers something else: whether it ends the repetitions is the client's */
    }
}

static void server_said(bj_oracle *o, const oracle_seen *s) {
    if (s->fault != BJ_COAP_OK) {
        if (!s->stream) {
            heard_anew(o, s);
        }
        return;
    }
    if (!s->stream && s->m.type >= BJ_COAP_ACK) {
        heard_acknowledgement(o, s);
        return;
    }
    if (bj_coap_is_response(s->m.code)) {
        oracle_own *own = oracle_own_with_token(o, s);
        if (own) {
            take_answer(o, own, s);
        }
    }
    if (!s->stream || bj_coap_is_request(s->m.code)) {
        heard_itself(o, s);
    }
}

/* It may have been any command, or the answer to any: what the client has, and what it owes, is not known any more. */
static void note_cut(bj_oracle *o, const oracle_seen *s) {
    oracle_foreign *f;
    oracle_peer *p = oracle_peer_of(o, &s->peer, true);
    if (p) {
        p->doubtful = true;
    }
    o->attempt.excused = true;
    oracle_model_forget(o);
    for (uint64_t age = 0; s->from_client && (f = oracle_foreign_at(o, age)); age++) {
        f->owed &= !bj_addr_equal(&f->peer, &s->peer);
    }
}

static void seen(bj_oracle *o, const oracle_seen *s) {
    if (s->cut) {
        note_cut(o, s);
    }
    if (s->from_client) {
        client_said(o, s);
    } else {
        server_said(o, s);
    }
}

/* --- the rest of the log -------------------------------------------------------------------------------------- */

/* RFC 5246 §7.2.1: who sent close_notify, or a fatal alert, reads nothing more; nor does who got one. */
static void note_record(bj_oracle *o, const bj_event *e, const bj_addr *peer) {
    enum { ALERT = 21, HANDSHAKE = 22, RECORD_HEAD = 13 };
    bool record = e->raw_length >= RECORD_HEAD && e->raw[1] == 254;
    oracle_peer *p = record ? oracle_peer_of(o, peer, false) : NULL;
    if (p && (e->raw[0] == ALERT || e->raw[0] == HANDSHAKE)) {
        p->hung_up = e->raw[0] == ALERT;
    }
}

/* The system tells it to who sends or receives next: a repetition may have been tried, and nothing have left. */
static void note_refusal(bj_oracle *o, const bj_event *e) {
    oracle_own *own;
    oracle_peer *p = oracle_peer_of(o, &e->from, false);
    if (p) {
        p->failing = BJ_NEVER;
    }
    for (uint64_t age = 0; (own = oracle_own_at(o, age)); age++) {
        own->exact &= own->acknowledged != BJ_NEVER || !bj_addr_equal(&own->peer, &e->from);
    }
}

/* Who asks for a name waits for it, and may do nothing else meanwhile: what it has to repeat may leave later. */
static void note_name(bj_oracle *o, const bj_event *e) {
    oracle_own *own;
    uint32_t asked = e->cause;
    bool known = asked && o->recent[asked % ORACLE_RECENT].sequence == asked;
    bool at_once = known && o->recent[asked % ORACLE_RECENT].time + ORACLE_GRACE >= e->time;
    for (uint64_t age = 0; !at_once && (own = oracle_own_at(o, age)); age++) {
        own->exact &= own->acknowledged != BJ_NEVER;
    }
}

/* A session with a server changed: what was to be answered in it may have been answered unseen, or by nobody. */
static void note_session(bj_oracle *o, const bj_event *e) {
    oracle_foreign *f;
    oracle_peer *p = oracle_peer_of(o, &e->from, false);
    if (p) {
        p->let_go = oracle_begins(e, "ended");
    }
    for (uint64_t age = 0; (f = oracle_foreign_at(o, age)); age++) {
        f->owed &= !f->secure || !bj_addr_equal(&f->peer, &e->from);
    }
}

/* Another life has other Message IDs; what it begins with is what the one before had saved. */
static void begin_life(bj_oracle *o) {
    if (oracle_finish_pending(o)) {
        oracle_attempt_left_open(o);
    }
    o->own_count = o->foreign_count = 0;
    o->matched = o->answered = NULL;
}

static void event(bj_oracle *o, const bj_event *e) {
    if (e->kind == BJ_EV_TLS_STATE) {
        note_session(o, e);
    }
    if (e->kind == BJ_EV_CLIENT_START) {
        begin_life(o);
    } else if (e->kind == BJ_EV_SENT && e->actor == BJ_ACTOR_CLIENT) {
        note_record(o, e, &e->to);
    } else if (e->kind == BJ_EV_RECEIVED && e->actor == BJ_ACTOR_CLIENT) {
        note_record(o, e, &e->from);
    } else if (e->kind == BJ_EV_ICMP && e->actor == BJ_ACTOR_CLIENT) {
        note_refusal(o, e);
    } else if (e->kind == BJ_EV_DNS_ANSWER) {
        note_name(o, e);
    }
}

const oracle_def oracle_exchange = { .id = "exchange",
                                     .hears = ORACLE_HEARS(TLS_STATE) | ORACLE_HEARS(CLIENT_START) |
                                              ORACLE_HEARS(SENT) | ORACLE_HEARS(RECEIVED) | ORACLE_HEARS(ICMP) |
                                              ORACLE_HEARS(DNS_ANSWER),
                                     .event = event,
                                     .seen = seen };
