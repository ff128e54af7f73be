/* SPDX-License-Identifier: Apache-2.0
 *
 * RFC 7252, the message layer: form, Message IDs, tokens, and that everything gets its answer, once.
 */
#include "oracle/internal.h"

#include <string.h>

/* --- form ----------------------------------------------------------------------------------------------------- */

/* Table 1 of §4.3: what may be carried by which type. */
static const char *mistyped(const bj_coap *m) {
    bool request = bj_coap_is_request(m->code), response = bj_coap_is_response(m->code);
    if (m->code >> 5 == 7) {
        return "a code of signalling (RFC 8323 §5), which there is over TCP only";
    }
    if (m->code && !request && !response) {
        return "a code of a reserved class";
    }
    if (m->type == BJ_COAP_RST && m->code) {
        return "a Reset message that is not empty (RFC 7252 §4.2)";
    }
    if (m->type == BJ_COAP_ACK && request) {
        return "a request in an Acknowledgement (RFC 7252 §4.3, Table 1)";
    }
    return m->type == BJ_COAP_NON && !m->code ? "an empty Non-confirmable message (RFC 7252 §4.3)" : NULL;
}

static void form(bj_oracle *o, const oracle_seen *s) {
    BJ_TEXT(why, 200);
    if (s->fault == BJ_COAP_OPTIONS_MANY) {
        return; /* a limit of ours: a client that gives the options back which it did not understand (§5.4.1) breaks
                   none */
    }
    if (s->fault != BJ_COAP_OK) {
        oracle_break(o, BJ_RULE_COAP_FORMAT, s->time, s->event->sequence, "a message that is not well-formed: %s",
                     bj_coap_fault_text(s->fault));
        return;
    }
    const char *mistake = s->stream ? NULL : mistyped(&s->m);
    if (mistake) {
        oracle_break(o, BJ_RULE_COAP_FORMAT, s->time, s->event->sequence, "%s", mistake);
    } else if (s->m.code >> 5 != 7 && !bj_coap_options_valid(&s->m, &why)) {
        oracle_break(o, BJ_RULE_COAP_FORMAT, s->time, s->event->sequence, "an option that is not valid: %s", why.start);
    }
}

/* --- Message IDs ---------------------------------------------------------------------------------------------- */

/* A client may give a response that is not confirmable the Message ID of its request, which may be one that is not read
 * here: that the server used that one again, or happens to count where the client does, is not its fault. */
static bool has_that_of_its_request(bj_oracle *o, const oracle_seen *s) {
    const oracle_foreign *f = bj_coap_is_response(s->m.code) ? oracle_request_of(o, s) : NULL;
    bool unread = bj_coap_is_response(s->m.code) && s->m.type == BJ_COAP_NON && oracle_heard_malformed(o, s, true);
    return unread || (f && f->mid == s->m.mid && (f->reused || (f->type == BJ_COAP_NON && f->responses < 2)));
}

/* §4.4: no Message ID is used again within EXCHANGE_LIFETIME for the same endpoint. */
static void message_id(bj_oracle *o, const oracle_seen *s) {
    oracle_own *newest = oracle_own_at(o, 0), *own;
    if (!newest || newest->copies > 1 || newest->event != s->event->sequence) {
        return; /* a repetition */
    }
    newest->borrowed = has_that_of_its_request(o, s);
    if (newest->borrowed || s->m.code >> 5 == 7) {
        return; /* signalling, which there is over TCP only: another rule's */
    }
    for (uint64_t age = 1; (own = oracle_own_at(o, age)); age++) {
        bool same = own->mid == newest->mid && !own->borrowed && own->connection < 0 &&
                    bj_addr_equal(&own->peer, &newest->peer) && bj_addr_equal(&own->local, &newest->local);
        if (same && newest->first - own->last < o->config.exchange_lifetime) {
            BJ_TEXT(what, 200);
            oracle_describe(own, &what);
            oracle_break(o, BJ_RULE_COAP_MESSAGE_ID, s->time, s->event->sequence,
                         "Message ID %u is used again %.3f s after %s used it", newest->mid,
                         (double) (newest->first - own->last) / 1e6, what.start);
            return;
        }
    }
}

/* --- acknowledgements ----------------------------------------------------------------------------------------- */

/* Did an Acknowledgement with this Message ID get there lately? §4.2: rejecting one is to ignore it silently. */
static bool rejects_acknowledgement(const bj_oracle *o, const oracle_seen *s) {
    for (unsigned i = 0; i < ORACLE_ACKNOWLEDGED; i++) {
        if (o->acknowledged[i].peer.family && o->acknowledged[i].mid == s->m.mid &&
            bj_addr_equal(&o->acknowledged[i].peer, &s->peer)) {
            return true;
        }
    }
    return false;
}

/* True: it was one. Its token may be that of a request which has its response already. */
static bool answers_acknowledgement(bj_oracle *o, const oracle_seen *s) {
    uint8_t method = oracle_answers_acknowledgement(o, s);
    const oracle_foreign *f = oracle_request_of(o, s);
    if (!method || s->m.type == BJ_COAP_ACK || (f && f->responses < 2) || oracle_heard_malformed(o, s, true)) {
        return false;
    }
    BJ_TEXT(code, 16);
    bj_coap_code_print(&code, s->m.code);
    oracle_break(o, BJ_RULE_COAP_ACK, s->time, s->event->sequence, "an Acknowledgement with a %s gets a response, %s",
                 method > 7 ? "method that is not known" : "request", code.start);
    return true;
}

/* What came before and is remembered takes no place more: many copies do not push the others out. */
static void note_acknowledgement(bj_oracle *o, const oracle_seen *s) {
    for (unsigned i = 0; i < ORACLE_ACKNOWLEDGED; i++) {
        if (o->acknowledged[i].mid == s->m.mid && o->acknowledged[i].code == s->m.code &&
            bj_addr_equal(&o->acknowledged[i].peer, &s->peer)) {
            return;
        }
    }
    unsigned at = (unsigned) (o->acknowledged_count++ % ORACLE_ACKNOWLEDGED);
    o->acknowledged[at].peer = s->peer;
    o->acknowledged[at].mid = s->m.mid;
    o->acknowledged[at].code = s->m.code;
}

/* How many answers a client keeps is its own affair (RFC 7252 §4.5 says when it may forget one, and §4.8.2 that a small
 * device may do so earlier); some it does. */
static bool is_recent(const bj_oracle *o, const oracle_foreign *f) {
    enum { KEPT = 8 };
    const oracle_foreign *other = NULL;
    for (uint64_t age = 0; age < KEPT && other != f; age++) {
        other = oracle_foreign_at((bj_oracle *) (uintptr_t) o, age);
    }
    return other == f;
}

/* A response behind which that server sent another, whatever for: which of them a client remembers is its own affair.
 */
static bool is_outdone(const bj_oracle *o, const oracle_foreign *f) {
    const oracle_foreign *other = NULL;
    bool outdone = false;
    for (uint64_t age = 0; age < ORACLE_FOREIGN && bj_coap_is_response(f->code) && other != f && !outdone; age++) {
        other = oracle_foreign_at((bj_oracle *) (uintptr_t) o, age);
        outdone = other && other != f && bj_coap_is_response(other->code) && bj_addr_equal(&other->peer, &f->peer);
    }
    return outdone;
}

/* Did so much come lately that not all of it is remembered here? */
static bool forgets(bj_oracle *o) {
    const oracle_foreign *oldest = oracle_foreign_at(o, ORACLE_FOREIGN - 1);
    return oldest && o->now - oldest->last < o->config.exchange_lifetime;
}

/* A capture may not show what the client answers: it began behind it, misses it, or has one direction only. Where
 * something else of that server waits for its answer at that moment, it is that one which was answered wrongly. */
static bool may_have_been_missed(bj_oracle *o, const oracle_seen *s) {
    const oracle_foreign *f;
    const oracle_connection *c = s->stream ? oracle_connection_of(o, s->connection) : NULL;
    bool missed = o->config.captured, unsure = o->config.disordered || (c && c->gap);
    for (uint64_t age = 0; missed && !unsure && (f = oracle_foreign_at(o, age)); age++) {
        bool waits = bj_coap_is_response(s->m.code) ? bj_coap_is_request(f->code) && !f->responses : !f->acks;
        missed = !waits || f->malformed || f->connection != s->connection || !bj_addr_equal(&f->peer, &s->peer) ||
                 s->time - f->last > o->config.ack_timeout + oracle_late(o);
    }
    return missed;
}

static void acknowledgement(bj_oracle *o, const oracle_seen *s) {
    const oracle_foreign *f = oracle_foreign_with_mid(o, s);
    const char *type = s->m.type == BJ_COAP_ACK ? "an Acknowledgement" : "a Reset message";
    bool spare = !f || f->acks > f->copies;
    if (spare && s->m.type == BJ_COAP_RST && rejects_acknowledgement(o, s)) {
        oracle_break(o, BJ_RULE_COAP_ACK, s->time, s->event->sequence,
                     "an Acknowledgement is rejected with a Reset message, and not silently");
        return;
    }
    if (!f && s->m.type == BJ_COAP_RST && !s->m.mid) {
        o->attempt.excused |= oracle_in_session(o, &s->peer); /* of whatever it was that was rejected */
    }
    if (!f && !forgets(o) && !may_have_been_missed(o, s)) {
        oracle_break(o, BJ_RULE_COAP_ACK, s->time, s->event->sequence,
                     "%s with Message ID %u, which belongs to nothing that the client got", type, s->m.mid);
    }
    if (!f) {
        return;
    }
    if (s->m.type == BJ_COAP_ACK && f->type != BJ_COAP_CON) {
        oracle_break(o, BJ_RULE_COAP_ACK, s->time, s->event->sequence,
                     "an Acknowledgement of a message that is not confirmable");
    } else if (s->m.type == BJ_COAP_ACK && !f->malformed && !f->code) {
        oracle_break(o, BJ_RULE_COAP_PING, s->time, s->event->sequence,
                     "an empty confirmable message is answered with an Acknowledgement, and not with RST");
    }
    bool strays = f->malformed || f->reused || (s->m.type == BJ_COAP_RST && oracle_heard_malformed(o, s, false));
    if (f->acks > f->copies && !strays && oracle_certain(o)) {
        oracle_break(o, BJ_RULE_COAP_ONE_RESPONSE, s->time, s->event->sequence,
                     "%s for a message that has got its answer already", type);
    } else if (f->acks > 1 && !strays && !f->reused && !o->damages && is_recent(o, f) && !is_outdone(o, f) &&
               (s->length != f->ack_length || memcmp(s->bytes, f->ack, s->length) != 0)) {
        BJ_TEXT(what, 200);
        oracle_describe_foreign(f, &what);
        oracle_break(o, BJ_RULE_COAP_DUPLICATE, s->time, s->event->sequence,
                     "a repetition of %s gets another answer than the first", what.start);
    }
}

/* --- responses ------------------------------------------------------------------------------------------------ */

static void piggybacked(bj_oracle *o, const oracle_seen *s, const oracle_foreign *f) {
    bool same = s->m.token_length == f->token_length && !memcmp(s->m.token, f->token, f->token_length);
    if (!same) {
        oracle_break(o, BJ_RULE_COAP_TOKEN, s->time, s->event->sequence,
                     "a response whose token is not that of the request with its Message ID");
    }
}

/* Was its Message ID used again, for another message? */
static bool has_twin(const bj_oracle *o, const oracle_foreign *f) {
    const oracle_foreign *other;
    bool twin = f->reused;
    for (uint64_t age = 0; (other = oracle_foreign_at((bj_oracle *) (uintptr_t) o, age)) && other != f && !twin;
         age++) {
        twin = other->reused && other->mid == f->mid && bj_addr_equal(&other->peer, &f->peer);
    }
    return twin;
}

/* §5.4.1: a request with an option that is critical and not known gets 4.02. */
static void critical(bj_oracle *o, const oracle_seen *s, const oracle_foreign *f) {
    /* That may be the one it answers. */
    bool known = f->critical && !has_twin(o, f) && !oracle_heard_malformed(o, s, true);
    if (known && s->m.code != BJ_COAP_CODE(4, 2)) {
        BJ_TEXT(code, 16);
        bj_coap_code_print(&code, s->m.code);
        oracle_break(o, BJ_RULE_COAP_CRITICAL_OPTION, s->time, s->event->sequence,
                     "a request with a critical option that nobody knows is answered with %s", code.start);
    }
}

static void response(bj_oracle *o, const oracle_seen *s) {
    bool ack = !s->stream && s->m.type == BJ_COAP_ACK;
    const oracle_foreign *f = oracle_request_of(o, s);
    if (!f) {
        bool notifies = bj_coap_find(&s->m, BJ_COAP_OBSERVE, 0) != NULL; /* for long: observations are kept apart */
        if (!ack && !oracle_is_observed(o, s) && !oracle_heard_malformed(o, s, true) && (notifies || !forgets(o)) &&
            !may_have_been_missed(o, s)) { /* an ACK for nothing is another rule's */
            oracle_break(o, BJ_RULE_COAP_TOKEN, s->time, s->event->sequence,
                         "a response whose token belongs to no request that the client got");
        }
        return;
    }
    if (ack) {
        piggybacked(o, s, f);
    }
    critical(o, s, f);
    bool last = s->m.code >> 5 > 2 && oracle_is_observed(o, s); /* RFC 7641 §4.2: the end has no Observe option */
    if (f->responses > 1 && !f->observes && !last && !oracle_is_notification(o, s) &&
        !oracle_heard_malformed(o, s, true)) {
        BJ_TEXT(what, 200);
        oracle_describe_foreign(f, &what);
        oracle_break(o, BJ_RULE_COAP_ONE_RESPONSE, s->time, s->event->sequence, "%s gets %u responses", what.start,
                     f->responses);
    }
}

static void seen(bj_oracle *o, const oracle_seen *s) {
    if (!s->from_client) {
        if (!s->stream && s->m.type >= BJ_COAP_ACK) {
            note_acknowledgement(o, s);
        }
        return;
    }
    form(o, s);
    if (s->fault != BJ_COAP_OK) {
        return;
    }
    if (!s->stream && bj_coap_is_response(s->m.code) && answers_acknowledgement(o, s)) {
        return;
    }
    if (!s->stream && s->m.type >= BJ_COAP_ACK) {
        acknowledgement(o, s);
    } else if (!s->stream) {
        message_id(o, s);
    }
    if (bj_coap_is_response(s->m.code)) {
        response(o, s);
    }
}

/* --- what never came ------------------------------------------------------------------------------------------ */

static bool is_near(bj_time a, bj_time b) {
    return oracle_less(a, b) < BJ_SECOND && oracle_less(b, a) < BJ_SECOND;
}

/* A ping that is not answered, shortly after one that was, or after the client's clock began: clients that guard
 * against floods of them do so. */
static bool follows_ping(bj_oracle *o, const oracle_foreign *ping) {
    const oracle_foreign *f;
    if (ping->first < o->life_began + BJ_SECOND) {
        return true;
    }
    for (uint64_t age = 0; (f = oracle_foreign_at(o, age)); age++) {
        bool near = is_near(f->first, ping->first) || is_near(f->last, ping->first);
        bool before = f->first <= ping->first && near && f != ping;
        if (before && !f->code && !f->malformed && f->acks && bj_addr_equal(&f->peer, &ping->peer)) {
            return true;
        }
    }
    return false;
}

/* §4.2: a confirmable message is acknowledged or rejected; PROCESSING_DELAY is ACK_TIMEOUT. */
static void end(bj_oracle *o) {
    oracle_foreign *f;
    bj_time patience = o->config.ack_timeout + oracle_late(o);
    for (uint64_t age = 0; (f = oracle_foreign_at(o, age)); age++) {
        bool sure = o->config.exact && oracle_certain(o) && (!f->secure || o->lossless);
        if (!f->owed || !sure || !o->alive || o->stopping || o->now - f->last <= patience) {
            continue;
        }
        BJ_TEXT(what, 200);
        oracle_describe_foreign(f, &what);
        bj_rule rule = f->code ? BJ_RULE_COAP_ANSWERED : BJ_RULE_COAP_PING;
        oracle_break(o, rule, f->first, f->event, "%s%s, which is confirmable, is neither acknowledged nor rejected",
                     what.start, !f->code && follows_ping(o, f) ? " within a second of another or of the start" : "");
    }
}

const oracle_def oracle_message = { .id = "message", .seen = seen, .end = end };
