/* SPDX-License-Identifier: Apache-2.0
 *
 * RFC 7252 §4.2: a confirmable message is repeated after a random time of ACK_TIMEOUT to ACK_TIMEOUT *
 * ACK_RANDOM_FACTOR, then after twice that, MAX_RETRANSMIT times at most and not once it is acknowledged. §4.7: one
 * interaction at a time with one endpoint.
 *
 * That it is repeated no more is never held against a client: it may give up whenever it likes (§4.2).
 */
#include "oracle/internal.h"

/* Times that are kept in fixed point, in sixty-fourths of a second in libcoap, are rounded up at their best. */
static const bj_time FRACTION = BJ_SECOND / 64;

static bj_time scaled(bj_time time, uint64_t millionths) {
    return time / 1000 * (millionths / 1000);
}

/* The window in which repetition number `n` (from 1) may come. */
static bool in_time(const bj_oracle *o, const oracle_own *own, bj_time *early, bj_time *late) {
    bj_time gap = own->last - own->before;
    if (own->copies == 2) {
        *early = oracle_less(o->config.ack_timeout, oracle_early(o));
        *late = scaled(o->config.ack_timeout, o->config.ack_random_factor) + FRACTION + oracle_late(o);
    } else {
        /* Of three moments, each rounded by the client, the one in the middle counts three times: gap - 2 * gap before
         * is the last, less three times the middle one, and twice the first. */
        bj_time expected = 2 * own->gap;
        *early = oracle_less(expected, 3 * (oracle_early(o) + o->config.tolerance));
        *late = expected + 3 * oracle_late(o);
    }
    *late = oracle_certain(o) ? *late : BJ_NEVER; /* repetitions before it may have been lost unseen */
    return gap >= *early && gap <= *late;
}

static void timing(bj_oracle *o, const oracle_own *own, const oracle_seen *s) {
    bj_time early, late;
    if (in_time(o, own, &early, &late)) {
        return;
    }
    BJ_TEXT(what, 200);
    BJ_TEXT(end, 40);
    oracle_describe(own, &what);
    if (late == BJ_NEVER) {
        bj_text_add(&end, ", or later");
    } else {
        bj_text_printf(&end, " to %.3f s", (double) late / 1e6);
    }
    oracle_break(o, BJ_RULE_COAP_RETRANSMIT, s->time, s->event->sequence,
                 "%s is repeated %.3f s after it was sent before; repetition %u is due after %.3f s%s", what.start,
                 (double) (own->last - own->before) / 1e6, own->copies - 1, (double) early / 1e6, end.start);
}

static void count(bj_oracle *o, const oracle_own *own, const oracle_seen *s) {
    if (own->copies <= o->config.max_retransmit + 1) {
        return;
    }
    BJ_TEXT(what, 200);
    oracle_describe(own, &what);
    oracle_break(o, BJ_RULE_COAP_RETRANSMIT, s->time, s->event->sequence, "%s is sent %u times; MAX_RETRANSMIT is %u",
                 what.start, own->copies, o->config.max_retransmit);
}

static void after_answer(bj_oracle *o, const oracle_own *own, const oracle_seen *s) {
    if (!oracle_certain(o) || own->acknowledged == BJ_NEVER ||
        s->time <= own->acknowledged + ORACLE_GRACE + o->config.tolerance) {
        return;
    }
    BJ_TEXT(what, 200);
    oracle_describe(own, &what);
    oracle_break(o, BJ_RULE_COAP_RETRANSMIT, s->time, s->event->sequence,
                 "%s is repeated %.3f s after it was acknowledged", what.start,
                 (double) (s->time - own->acknowledged) / 1e6);
}

/* Two are outstanding when the older one is repeated after the newer one was sent: then it was not given up. */
static void nstart(bj_oracle *o, const oracle_own *own, const oracle_seen *s) {
    const oracle_own *other;
    for (uint64_t age = 0; (other = oracle_own_at(o, age)) && other != own; age++) {
        if (bj_coap_is_request(other->code) && other->type == BJ_COAP_CON && other->connection < 0 &&
            bj_addr_equal(&other->peer, &own->peer) && bj_addr_equal(&other->local, &own->local) &&
            bj_coap_is_request(own->code)) {
            BJ_TEXT(what, 200);
            BJ_TEXT(older, 200);
            const oracle_peer *p = oracle_peer_of(o, &own->peer, false);
            oracle_describe(other, &what);
            oracle_describe(own, &older);
            oracle_break(o, BJ_RULE_COAP_NSTART, s->time, s->event->sequence,
                         "%s was sent while %s was outstanding, and both go on (NSTART is 1)%s", what.start,
                         older.start, p && p->reset_strangely ? ", after a Reset to what was not outstanding" : "");
            return;
        }
    }
}

void oracle_own_repeated(bj_oracle *o, oracle_own *own, const oracle_seen *s) {
    if (own->type != BJ_COAP_CON) {
        return;
    }
    if (own->exact || !o->config.exact) {
        count(o, own, s);
        after_answer(o, own, s);
        nstart(o, own, s);
    }
    if (own->exact) {
        timing(o, own, s);
    }
    own->gap = own->last - own->before;
}
