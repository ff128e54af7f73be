/* SPDX-License-Identifier: Apache-2.0
 *
 * When and how the client asks for a bootstrap: the form of the request, the hold-off before it, the time-out of a
 * session without Finish.
 *
 * When an attempt failed is often not to be seen; that it did not fail before the last message that belongs to it is.
 * So a hold-off is too short for certain when less than /0/x/11 lies between that message and the next attempt.
 */
#include "oracle/internal.h"

#include <string.h>

enum { CHANGED = 0x44 }; /* 2.04 */

static void init(bj_oracle *o) {
    o->attempt = (oracle_attempt){ .failed = BJ_NEVER,
                                   .trigger = BJ_NEVER,
                                   .dialled = BJ_NEVER,
                                   .holdoff = o->config.holdoff,
                                   .holdoff_pending = BJ_NEVER };
}

bool oracle_in_session(const bj_oracle *o, const bj_addr *peer) {
    const oracle_attempt *a = &o->attempt;
    bj_time timeout = a->stream ? o->config.stream_finish_timeout : o->config.finish_timeout;
    return a->phase == ORACLE_SESSION && bj_addr_equal(&a->peer, peer) &&
           o->now < a->session_last + oracle_less(timeout, oracle_late(o));
}

/* --- the form of the request ---------------------------------------------------------------------------------- */

/* LwM2M Transport 1.1 §6.4.2, Table 6.4.2-1: formats that `pct` may name. */
static bool is_preferred_format(const char *text, size_t length) {
    static const char *const lawful[] = { "110", "112", "11542", "11544" };
    for (unsigned i = 0; i < sizeof lawful / sizeof lawful[0]; i++) {
        if (strlen(lawful[i]) == length && !memcmp(lawful[i], text, length)) {
            return true;
        }
    }
    return false;
}

static const char *query_mistake(const bj_oracle *o, const bj_coap *m) {
    const bj_coap_option *option;
    for (size_t i = 0; (option = bj_coap_find(m, BJ_COAP_URI_QUERY, i)); i++) {
        const char *text = (const char *) option->value;
        if (option->length >= 4 && !memcmp(text, "pct=", 4) && !is_preferred_format(text + 4, option->length - 4)) {
            return "pct names a format that is none of 110, 112, 11542, 11544";
        }
        size_t known = o->config.endpoint ? strlen(o->config.endpoint) : 0;
        if (known && option->length >= 3 && !memcmp(text, "ep=", 3) &&
            (option->length - 3 != known || memcmp(text + 3, o->config.endpoint, known) != 0)) {
            return "ep is not the Endpoint Client Name";
        }
    }
    return NULL;
}

/* LwM2M Transport 1.1 §6.4.2: the name may be left out when the security layer tells it. A server with which the client
 * registered may have given /bs as Location-Path. */
static bool is_nameless(bj_oracle *o, const oracle_seen *s) {
    const oracle_peer *p = oracle_peer_of(o, &s->peer, false);
    BJ_TEXT(name, 300);
    return !(p && (p->registered || p->ever)) && o->config.endpoint && !s->secure && !bj_coap_query(&s->m, "ep", &name);
}

/* Table 6.4.2-1: LwM2M 1.0 has no preferred format. */
static void check_release(bj_oracle *o, const oracle_seen *s) {
    BJ_TEXT(format, 300);
    if (o->config.first_release && s->m.code == 2 && bj_coap_query(&s->m, "pct", &format)) {
        oracle_break(o, BJ_RULE_BS_REQUEST_FORMAT, s->time, s->event->sequence,
                     "a client of LwM2M 1.0 names a preferred format in its Bootstrap-Request: %s", format.start);
    }
}

static void check_form(bj_oracle *o, const oracle_seen *s) {
    const char *mistake = query_mistake(o, &s->m);
    mistake = mistake || !is_nameless(o, s) ? mistake : "it does not say whose it is, and nothing else does";
    check_release(o, s);
    if (!s->stream && s->m.type != BJ_COAP_CON) {
        mistake = "it is not confirmable";
    } else if (s->m.payload_length) {
        mistake = "it has a payload";
    }
    if (mistake) {
        oracle_break(o, BJ_RULE_BS_REQUEST, s->time, s->event->sequence, "a Bootstrap-Request: %s", mistake);
    }
}

/* --- the hold-off --------------------------------------------------------------------------------------------- */

/* Of several, one may have failed unseen: its name led nowhere, its URI cannot be used. */
static bool has_several_servers(const bj_oracle *o) {
    unsigned count = 0;
    for (unsigned i = 0; i < o->accounts.count; i++) {
        count += o->accounts.items[i].used && !o->accounts.items[i].deleted && o->accounts.items[i].object == 1;
    }
    return count > 1 || o->accounts.vague;
}

/* The earliest moment at which the bootstrap may have become necessary. */
static bj_time needed(const bj_oracle *o) {
    bj_time need = BJ_NEVER;
    for (unsigned i = 0; i < o->peer_count; i++) {
        need = o->peers[i].registering ? oracle_min(need, o->peers[i].register_last) : need;
    }
    bool another = o->attempt.phase != ORACLE_FINISHED && o->attempt.phase != ORACLE_IDLE; /* the attempt that failed */
    need = need != BJ_NEVER && (another || has_several_servers(o)) ? oracle_min(need, o->attempt.last) : need;
    need = oracle_min(need, o->attempt.trigger);
    /* A trigger does not put off the attempt that one which failed has made necessary already, nor that of a server
     * whose name leads nowhere. */
    bool failed = another || has_several_servers(o);
    need = o->attempt.trigger != BJ_NEVER && failed ? oracle_min(need, o->attempt.last) : need;
    return need != BJ_NEVER ? need : o->attempt.last;
}

static void check_holdoff(bj_oracle *o, const oracle_seen *s, bj_time began) {
    bj_time need = needed(o), least = o->attempt.holdoff;
    if (began + oracle_early(o) < need + least) {
        oracle_break(o, BJ_RULE_BS_HOLDOFF, s->time, s->event->sequence,
                     "a bootstrap attempt begins %.3f s after the last that belongs to the one before; /0/x/11 is "
                     "%.0f s",
                     (double) oracle_less(began, need) / 1e6, (double) least / 1e6);
    }
    if (o->config.holdoff_latest != BJ_NEVER && o->attempt.failed != BJ_NEVER &&
        began > o->attempt.failed + least + o->config.holdoff_latest + oracle_late(o)) {
        oracle_break(o, BJ_RULE_BS_HOLDOFF_BOUND, s->time, s->event->sequence,
                     "a bootstrap attempt begins %.3f s after the failure; the profile's bound is %.3f s",
                     (double) (began - o->attempt.failed) / 1e6, (double) (least + o->config.holdoff_latest) / 1e6);
    }
}

static void check_finish_timeout(bj_oracle *o, const oracle_seen *s, bj_time began) {
    const oracle_attempt *a = &o->attempt;
    bj_time timeout = a->stream ? o->config.stream_finish_timeout : o->config.finish_timeout;
    /* A capture does not show that the client was started anew. */
    bj_time holdoff = oracle_growth_least(o);
    if (o->config.captured || a->phase != ORACLE_SESSION || a->excused || a->overtaken || a->trigger != BJ_NEVER ||
        o->damages || began + oracle_early(o) >= a->session_last + timeout + holdoff) {
        return;
    }
    oracle_break(o, BJ_RULE_BS_FINISH_TIMEOUT, s->time, s->event->sequence,
                 "the next attempt begins %.3f s after the last command of a session without Finish; its time-out is "
                 "%.3f s, and the hold-off %.0f s",
                 (double) oracle_less(began, a->session_last) / 1e6, (double) timeout / 1e6, (double) holdoff / 1e6);
}

/* --- the course of it ----------------------------------------------------------------------------------------- */

static bool prefers_format(const bj_coap *m) {
    BJ_TEXT(format, 8);
    return bj_coap_query(m, "pct", &format) && format.used > 0;
}

/* It goes on with the attempt before it: after a Bootstrap-Pack-Request; or it is the request that was refused with
 * 4.xx, now without its preferred format. */
static bool goes_on(const oracle_attempt *a, const oracle_own *own, const oracle_seen *s) {
    bool bootstrap = own->purpose == ORACLE_BOOTSTRAP && a->phase != ORACLE_SESSION;
    return bootstrap && (a->pack || (a->phase == ORACLE_FAILED && a->refused && !prefers_format(&s->m)));
}

/* RFC 6724 §2: nobody has answered at one address of the server's name, and the next is tried. Who asks for the name
 * again begins another attempt. */
static bool goes_to_next_address(bj_oracle *o, const oracle_seen *s) {
    const oracle_attempt *a = &o->attempt;
    const oracle_instance *account = oracle_bootstrap_account(&o->accounts);
    return a->phase == ORACLE_REQUESTED && !o->growth.queries && !bj_addr_equal(&a->peer, &s->peer) && account &&
           oracle_uri_leads_to(o, account->uri, &a->peer) == 1 && oracle_uri_leads_to(o, account->uri, &s->peer) == 1;
}

/* LwM2M Core 1.2 §6.1.3.3, §6.1.7.7: an error in answer to the request for a pack is followed by a Bootstrap-Request,
 * and not by another of its kind. */
static void check_fallback(bj_oracle *o, const oracle_own *own, const oracle_seen *s) {
    const oracle_attempt *a = &o->attempt;
    const oracle_own *before;
    bool again = own->purpose == ORACLE_PACK && a->pack && a->phase == ORACLE_REQUESTED && !a->excused;
    for (uint64_t age = 1; again && (before = oracle_own_at(o, age)); age++) {
        if (before->purpose != ORACLE_PACK) {
            continue;
        }
        if (before->exact && before->answer >= 0x80 && before->answered < s->time) {
            oracle_break(o, BJ_RULE_BS_PACK_FALLBACK, s->time, s->event->sequence,
                         "a Bootstrap-Pack-Request that was answered with %u.%02u is followed by another, and not by a "
                         "Bootstrap-Request",
                         before->answer >> 5, before->answer & 31u);
        }
        return;
    }
}

void oracle_attempt_left_open(bj_oracle *o) {
    oracle_attempt *a = &o->attempt;
    a->ever_finished = a->excused = true;
    a->holdoff = oracle_min(a->holdoff, a->holdoff_pending);
    oracle_model_forget(o);
    o->deferred_count = 0;
}

static void begins(bj_oracle *o, const oracle_own *own, const oracle_seen *s) {
    oracle_attempt *a = &o->attempt;
    if (oracle_finish_pending(o)) {
        oracle_attempt_left_open(o);
    }
    bj_time began = oracle_min(s->time, a->dialled);
    bool next = goes_to_next_address(o, s), same = next || goes_on(a, own, s);
    oracle_model_asked(o);
    a->preferred = prefers_format(&s->m);
    a->refused = false;
    check_fallback(o, own, s);
    if (!same && (a->any || o->started)) {
        check_holdoff(o, s, began);
        check_finish_timeout(o, s, began);
        oracle_growth_begins(o, s, began, needed(o));
    }
    if (!same || next || a->phase == ORACLE_FAILED) { /* which a client may count as a failure */
        oracle_growth_asked(o);
    }
    if (a->phase == ORACLE_SESSION) {
        oracle_model_session(o, false, false);
    }
    a->was = a->phase;
    a->told = a->trigger != BJ_NEVER;
    a->any = true;
    a->phase = ORACLE_REQUESTED;
    a->pack = own->purpose == ORACLE_PACK;
    a->peer = s->peer;
    a->stream = s->stream;
    a->connection = s->connection;
    a->excused = a->late = oracle_was_signalled(o, &s->peer);
    a->unasked = a->overtaken = false;
    a->session_last = a->session_before = a->session_heard = 0;
    a->failed = a->trigger = a->dialled = a->holdoff_pending = BJ_NEVER;
    a->last = s->time;
    for (unsigned i = 0; i < o->peer_count; i++) {
        o->peers[i].registering = false;
    }
}

static void bootstrap_sent(bj_oracle *o, const oracle_own *own, const oracle_seen *s, bool first) {
    oracle_peer *p = oracle_peer_of(o, &s->peer, true);
    if (p) {
        p->bootstrap = true;
    }
    if (first && !oracle_asks_for_more(&s->m)) {
        check_form(o, s);
        begins(o, own, s);
    } else {
        o->attempt.last = oracle_max(o->attempt.last, s->time);
    }
}

/* What stood between the client and that server stands no more for it; but it may have been another account's, where
 * several lead to one address. */
static void stands_no_more(bj_oracle *o, oracle_peer *p) {
    const oracle_instance *security, *server;
    unsigned count = 0;
    oracle_account_at(o, &p->address, &security, &server, &count);
    p->doubtful |= p->registered && (count > 1 || o->accounts.vague);
    p->registered = false;
}

static void register_sent(bj_oracle *o, const oracle_seen *s) {
    oracle_peer *p = oracle_peer_of(o, &s->peer, true);
    if (p) {
        p->registering = true;
        p->register_last = s->time;
    }
    o->attempt.dialled = BJ_NEVER;
}

void oracle_attempt_sent(bj_oracle *o, const oracle_own *own, const oracle_seen *s, bool first) {
    if (own->purpose == ORACLE_BOOTSTRAP || own->purpose == ORACLE_PACK) {
        bootstrap_sent(o, own, s, first);
        return;
    }
    if (own->answered != BJ_NEVER) {
        return; /* a repetition that left while the answer waited to be read changes nothing */
    }
    oracle_peer *p = oracle_peer_of(o, &s->peer, false);
    if (p && (own->purpose == ORACLE_REGISTER || own->purpose == ORACLE_DEREGISTER)) {
        stands_no_more(o, p); /* whatever the answer will be */
    }
    if (own->purpose == ORACLE_REGISTER) {
        register_sent(o, s);
    }
}

/* RFC 7252 §4.8.2, MAX_TRANSMIT_WAIT without its random part: the client may not wait any more. */
static bj_time shortest_wait(const bj_oracle *o) {
    return o->config.ack_timeout * (((bj_time) 2 << o->config.max_retransmit) - 1);
}

/* It belongs to the attempt: that has not failed before. One whose answer came late the client may have given up. */
static void goes_with(oracle_attempt *a, bj_time time) {
    a->last = a->late ? a->last : oracle_max(a->last, time);
}

bool oracle_comes_as_it_is_given_up(const oracle_own *own, const oracle_seen *s) {
    bj_time gap = oracle_less(own->last, own->before);
    return !s->stream && own->copies > 1 && own->acknowledged == s->time &&
           s->time + ORACLE_GRACE >= own->last + 2 * gap;
}

static void bootstrap_answered(bj_oracle *o, const oracle_own *own, const oracle_seen *s) {
    oracle_attempt *a = &o->attempt;
    bool success = own->answer == (own->purpose == ORACLE_PACK ? BJ_COAP_CODE(2, 5) : BJ_COAP_CODE(2, 4));
    uint32_t block = 0;
    /* How long a client waits over a stream is its own choice (RFC 8323 names no time): in the session that commands
     * have begun it may have given the answer up, and a refusal ends nothing. */
    bool passed_over = s->stream && a->phase == ORACLE_SESSION && own->answer >= 0x80;
    a->late |= s->time > own->first + shortest_wait(o) || oracle_comes_as_it_is_given_up(own, s) || passed_over;
    a->excused |= a->late;
    if ((a->phase != ORACLE_REQUESTED && a->phase != ORACLE_SESSION) || (a->late && a->phase == ORACLE_SESSION)) {
        return; /* what comes late belongs to nothing */
    }
    goes_with(a, s->time);
    if (own->purpose == ORACLE_BOOTSTRAP && bj_coap_find_uint(&s->m, BJ_COAP_BLOCK2, &block)) {
        a->excused = true; /* it has no content that could come in blocks: a client may take it for damaged */
        if (block & ~UINT32_C(7)) {
            a->late = true; /* and may be in the session that a command began, or have ended it */
            return;
        }
    }
    if (success && own->purpose == ORACLE_PACK) {
        a->phase = ORACLE_FINISHED;
        a->ever_finished = true;
        oracle_model_forget(o); /* what is in a pack is not read */
        o->told.incomplete = true;
        o->growth.rewritten = true;
        a->holdoff = 0;
        a->failed = s->time;
    } else if (success) {
        if (a->phase != ORACLE_SESSION) {
            oracle_model_session(o, true, false);
        }
        a->phase = ORACLE_SESSION;
        a->session_before = a->session_last ? a->session_last : s->time;
        a->session_last = oracle_max(s->time, a->session_last);
    } else if (own->purpose != ORACLE_PACK && oracle_finish_pending(o)) {
        /* A command had overtaken the refusal: the session may be over for the client, with success. */
        a->ever_finished = a->excused = true;
        oracle_model_doubt(o);
    } else if (own->purpose != ORACLE_PACK) {
        if (a->phase == ORACLE_SESSION) { /* a command had overtaken the refusal, and began a session that now ends */
            oracle_model_session(o, false, false);
        }
        a->phase = ORACLE_FAILED;
        a->failed = s->time;
        a->refused = a->preferred && own->answer >> 5 == 4;
    }
}

static void decode(const oracle_own *own, bj_coap *m) {
    if (own->connection >= 0) {
        bj_coap_tcp_decode(m, own->bytes, own->length);
    } else {
        bj_coap_decode(m, own->bytes, own->length);
    }
}

/* What answers a Register or an Update has no content that could come in blocks: a client may take it for damaged. */
static bool comes_in_blocks(const oracle_own *own, const oracle_seen *s) {
    bj_coap m;
    decode(own, &m);
    return bj_coap_find(&s->m, BJ_COAP_BLOCK2, 0) || oracle_asks_for_more(&m);
}

/* A Register or an Update says it: the flag Q, in LwM2M 1.0 the binding. One that says nothing changes nothing. */
static void note_queue_mode(oracle_peer *p, const oracle_own *own) {
    const bj_coap_option *option;
    bj_coap m;
    decode(own, &m);
    bool said = own->purpose == ORACLE_REGISTER, queue = false;
    for (size_t i = 0; (option = bj_coap_find(&m, BJ_COAP_URI_QUERY, i)); i++) {
        bool flag = option->length == 1 && option->value[0] == 'Q';
        bool binding = option->length > 2 && !memcmp(option->value, "b=", 2);
        said |= flag || binding;
        queue |= flag || (binding && memchr(option->value, 'Q', option->length));
    }
    p->queue = said ? queue : p->queue;
}

/* A Location-Path that is one: of empty segments alone it may be taken for none. */
static bool names_a_place(const bj_coap *m) {
    const bj_coap_option *option;
    bool named = false;
    for (size_t i = 0; (option = bj_coap_find(m, BJ_COAP_LOCATION_PATH, i)); i++) {
        named |= option->length > 0;
    }
    return named;
}

static void register_answered(bj_oracle *o, const oracle_own *own, const oracle_seen *s) {
    oracle_peer *p = oracle_peer_of(o, &s->peer, true);
    if (!p) {
        return;
    }
    stands_no_more(o, p);
    p->registered = own->answer == BJ_COAP_CODE(2, 1); /* no other success is one of a Register */
    bool unclear = p->registered && (oracle_comes_as_it_is_given_up(own, s) || comes_in_blocks(own, s));
    p->placed = names_a_place(&s->m) && !unclear;
    p->doubtful |= unclear;
    p->sends_away = false;
    p->registering = !p->registered;
    p->ever |= p->registered;
    p->register_last = s->time;
    /* That the attempt before failed had made another necessary, and it had begun: nothing has to call it off. */
    bool begun = p->registered && o->attempt.phase == ORACLE_REQUESTED && o->attempt.dialled != BJ_NEVER;
    o->attempt.dialled = begun ? o->attempt.dialled : BJ_NEVER;
    if (p->registered) {
        oracle_growth_registered(o, own, s, p->placed && !has_several_servers(o));
        note_queue_mode(p, own);
        bool beside = begun || has_several_servers(o) || o->attempt.phase == ORACLE_SESSION ||
                      o->attempt.phase == ORACLE_FAILED; /* what it led to has come to nothing before */
        o->attempt.last = beside ? o->attempt.last : oracle_max(o->attempt.last, s->time);
        o->attempt.failed = BJ_NEVER;
    } else {
        o->attempt.failed = s->time;
    }
}

void oracle_attempt_answered(bj_oracle *o, const oracle_own *own, const oracle_seen *s) {
    oracle_peer *p = oracle_peer_of(o, &s->peer, false);
    switch (own->purpose) {
    case ORACLE_BOOTSTRAP:
    case ORACLE_PACK:
        bootstrap_answered(o, own, s);
        break;
    case ORACLE_REGISTER:
        register_answered(o, own, s);
        break;
    case ORACLE_UPDATE:
        if (p && own->answer >> 5 != 2) {
            stands_no_more(o, p);
            p->registering = true;
            p->register_last = s->time;
        } else if (p) {
            p->placed &= own->answer == CHANGED && !comes_in_blocks(own, s); /* no other success is one of an Update */
            note_queue_mode(p, own);
        }
        break;
    case ORACLE_DEREGISTER:
        if (p) {
            stands_no_more(o, p);
        }
        break;
    default:
        break;
    }
}

/* /1/x/9, Bootstrap-Request Trigger (LwM2M Core 1.1 E.2). */
static bool is_trigger(const oracle_foreign *f) {
    return f->code == 2 && f->path.depth == 3 && f->path.ids[0] == 1 && f->path.ids[2] == 9;
}

/* It comes when the client may just have given the session up, or not yet: nobody knows what becomes of it. */
static bool comes_at_the_end(const bj_oracle *o, const oracle_seen *s) {
    const oracle_attempt *a = &o->attempt;
    bj_time timeout = a->stream ? o->config.stream_finish_timeout : o->config.finish_timeout;
    bj_time heard = oracle_max(a->session_last, a->session_heard);
    return a->phase == ORACLE_SESSION && bj_addr_equal(&a->peer, &s->peer) && !oracle_in_session(o, &s->peer) &&
           s->time <= heard + timeout + oracle_late(o);
}

void oracle_attempt_commanded(bj_oracle *o, oracle_foreign *f, const oracle_seen *s) {
    oracle_attempt *a = &o->attempt;
    const oracle_peer *p = s->secure ? oracle_peer_of(o, &s->peer, false) : NULL;
    if (p && (p->hung_up || p->let_go)) { /* nobody reads it: the server has not heard yet that its session is over */
        return;
    }
    bool here = a->any && bj_addr_equal(&a->peer, &s->peer) && s->connection == a->connection;
    bool overtakes = a->phase == ORACLE_REQUESTED && !a->pack; /* no session follows the request for a pack */
    /* A repetition is the same command (RFC 7252 §4.2), and what may be ignored (§5.4.1) is none; a part of a body may
     * count when the body is whole (RFC 7959 §2.5): a client that does not count it is not early. */
    bool anew = f->copies == 1 && !f->reused && !f->ignored && !f->block1;
    if (here && overtakes && f->operation) { /* the answer */
        oracle_model_session(o, true, false);
        a->overtaken = true;
        a->excused |= !anew || !oracle_asked_from_there(o, s); /* it may begin nothing */
        a->phase = ORACLE_SESSION;
        a->session_last = a->session_before = s->time;
    }
    a->excused |= here && overtakes && !f->operation; /* a client may take it for the first command, too */
    if (here && oracle_in_session(o, &s->peer) && f->operation) {
        f->bootstrap = true;
        a->session_before = anew ? a->session_last : a->session_before;
        a->session_last = anew ? oracle_max(a->session_last, s->time) : a->session_last;
        /* That a Finish comes again shows that its answer was lost, not that the client had not taken it. */
        goes_with(a, f->operation == ORACLE_OP_FINISH ? f->first : s->time);
    }
    if (comes_at_the_end(o, s)) { /* of a client that has given up already, the wait began then and not now */
        oracle_model_forget(o);
        a->ever_finished = a->excused = true;
    }
    a->session_heard = here && a->phase == ORACLE_SESSION ? oracle_max(a->session_heard, s->time) : a->session_heard;
    if (is_trigger(f) && !here) {
        a->trigger = oracle_min(a->trigger, s->time);
        o->growth.unsettled |= f->copies > 1; /* which of them the client took is not known */
        a->dialled = BJ_NEVER;
    }
    /* Also one of an earlier session, which only now gets there. */
    bool outside = !f->bootstrap || (!f->responses && !oracle_in_session(o, &s->peer));
    if (o->config.legacy && f->operation && outside && oracle_is_bootstrap(o, &s->peer)) {
        a->unasked = true; /* TS 1.0 §5.2.3.4; what becomes of it is not followed, nor what it makes of /0/x/11 */
        a->holdoff = 0;
        oracle_model_forget(o);
    }
}

/* It came at the session's very end: the client says that it was in time. */
void oracle_attempt_took(bj_oracle *o, oracle_foreign *f, const oracle_seen *s) {
    oracle_attempt *a = &o->attempt;
    bj_time timeout = a->stream ? o->config.stream_finish_timeout : o->config.finish_timeout;
    bool here = a->phase == ORACLE_SESSION && bj_addr_equal(&a->peer, &s->peer) && f->operation;
    a->overtaken &= !here; /* its session is open */
    if (here && !f->bootstrap && f->first <= a->session_last + timeout) {
        f->bootstrap = true;
        a->session_before = a->session_last;
        a->session_last = oracle_max(a->session_last, f->first);
        a->last = oracle_max(a->last, f->first);
    }
}

void oracle_attempt_refused(bj_oracle *o, const oracle_foreign *f) {
    bool noted = is_trigger(f) && o->attempt.trigger == f->first;
    o->attempt.trigger = noted ? BJ_NEVER : o->attempt.trigger;
}

void oracle_attempt_rejected(bj_oracle *o, const oracle_foreign *f) {
    oracle_attempt *a = &o->attempt;
    if (f->bootstrap && a->phase == ORACLE_SESSION && f->first == a->session_last) {
        a->session_last = oracle_min(a->session_last, a->session_before);
        a->excused |= a->overtaken; /* and may have begun no session */
    }
}

void oracle_attempt_finished(bj_oracle *o, const oracle_foreign *f, const oracle_seen *s) {
    oracle_attempt *a = &o->attempt;
    bool current = a->phase == ORACLE_SESSION && bj_addr_equal(&a->peer, &f->peer);
    if (f->operation != ORACLE_OP_FINISH || s->m.code >> 5 != 2) {
        return;
    }
    a->followed_none |= !current && o->config.legacy;
    if (!current && bj_addr_equal(&a->peer, &f->peer)) { /* the client is in a session that nobody else knows of */
        a->ever_finished = a->excused = true;
        a->holdoff = oracle_min(a->holdoff, a->holdoff_pending); /* what was written in it counts, or not */
        oracle_model_doubt(o);
        oracle_growth_doubted(o);
    }
    if (!current) {
        return;
    }
    a->phase = ORACLE_FINISHED;
    a->ever_finished = true;
    a->finished_at = s->time;
    a->failed = f->last;
    a->holdoff = a->holdoff_pending == BJ_NEVER ? a->holdoff : a->holdoff_pending;
    oracle_growth_finished(o);
    oracle_model_session(o, false, true);
}

/* --- the rest of the log -------------------------------------------------------------------------------------- */

static bool mine(const bj_oracle *o, const bj_addr *address) {
    return o->attempt.any && bj_addr_equal(&o->attempt.peer, address);
}

static void dialled(bj_oracle *o, const bj_event *e) {
    bool hello = e->kind == BJ_EV_SENT && e->raw_length > 13 && e->raw[0] == 22 && e->raw[1] == 254 && e->raw[13] == 1;
    bool open = e->kind == BJ_EV_STREAM_OPEN;
    if ((hello || open) && oracle_is_bootstrap(o, &e->to) && o->attempt.phase != ORACLE_SESSION) {
        o->attempt.dialled = oracle_min(o->attempt.dialled, e->time);
    }
}

/* A datagram of the Bootstrap-Server finds no port, though the session is open: the client has given it up. */
static void lost(bj_oracle *o, const bj_event *e) {
    const oracle_attempt *a = &o->attempt;
    bool closed = e->text && e->text_length == strlen("the port is closed") &&
                  !memcmp(e->text, "the port is closed", e->text_length);
    bool open = closed && o->config.exact && oracle_certain(o) && !o->config.captured && o->alive && !o->stopping &&
                !a->excused && !a->overtaken && !a->late && !a->stream && a->trigger == BJ_NEVER &&
                oracle_in_session(o, &e->from);
    const oracle_own *own = open ? oracle_own_at(o, 0) : NULL;
    bool known = own && !o->damages && (!own->secure || o->lossless); /* what reached it was what was sent */
    if (known && own->purpose == ORACLE_BOOTSTRAP && own->connection < 0 && bj_addr_equal(&own->local, &e->to)) {
        oracle_break(o, BJ_RULE_BS_FINISH_TIMEOUT, e->time, e->sequence,
                     "the client closes its port in a session that is open");
    }
}

static void event(bj_oracle *o, const bj_event *e) {
    oracle_attempt *a = &o->attempt;
    switch (e->kind) {
    case BJ_EV_LOST:
        lost(o, e);
        break;
    case BJ_EV_CLIENT_START:
        a->last = e->time;
        a->dialled = BJ_NEVER;
        a->phase = a->phase == ORACLE_FINISHED ? ORACLE_FINISHED : ORACLE_IDLE;
        for (unsigned i = 0; i < o->peer_count; i++) {
            o->peers[i].registering = o->peers[i].registered = false;
        }
        break;
    case BJ_EV_TLS_STATE:
        a->excused |= mine(o, &e->from);
        if (oracle_begins(e, "ended") && !oracle_begins(e, "ended: the client begins anew")) {
            a->dialled = BJ_NEVER; /* that was for something else: a server may have the same address */
        }
        break;
    case BJ_EV_ICMP:
    case BJ_EV_STREAM_CLOSED:
    case BJ_EV_CLIENT_SIGNAL:
        a->excused = true;
        break;
    case BJ_EV_SENT:
    case BJ_EV_STREAM_OPEN:
        /* What a server sees of a connection may be of a life that has ended meanwhile. */
        if (e->actor == BJ_ACTOR_CLIENT || (e->kind == BJ_EV_STREAM_OPEN && !o->config.exact)) {
            dialled(o, e);
        }
        break;
    default:
        break;
    }
}

const oracle_def oracle_attempts = { .id = "attempt",
                                     .hears = ORACLE_HEARS(CLIENT_START) | ORACLE_HEARS(LOST) |
                                              ORACLE_HEARS(TLS_STATE) | ORACLE_HEARS(ICMP) |
                                              ORACLE_HEARS(STREAM_CLOSED) | ORACLE_HEARS(CLIENT_SIGNAL) |
                                              ORACLE_HEARS(SENT) | ORACLE_HEARS(STREAM_OPEN),
                                     .init = init,
                                     .event = event };
