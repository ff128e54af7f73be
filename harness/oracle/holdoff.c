/* SPDX-License-Identifier: Apache-2.0
 *
 * How the hold-off grows with each failure, up to a cap, and begins anew with a registration; that a trigger is
 * followed by an attempt; that a bootstrap account whose time is over is not used any more. The growth is each client's
 * own: it is judged where the profile says `holdoff-grows: true`, and with it what the formula of that growth bounds.
 *
 * How many attempts have failed is known from below and from above. A wait may not be shorter than the fewest explain,
 * nor longer than the most.
 */
#include "oracle/internal.h"

#include <string.h>

enum { SLACK = 10 }; /* s, for what only must follow, sometime */

static void init(bj_oracle *o) {
    o->growth.due = BJ_NEVER;
    for (unsigned i = 0; i < o->config.account_count; i++) {
        const bj_oracle_account *account = &o->config.accounts[i];
        o->growth.broken |= account->bootstrap && (account->contradicts || strncmp(account->uri, "coap://", 7) != 0);
    }
}

/* --- the formula ---------------------------------------------------------------------------------------------- */

static bj_time times(bj_time time, uint64_t millionths) {
    return time / 1000 * (millionths / 1000);
}

/* max(h * j, min(h * 2^k * j, cap)), h = max(1 s, /0/x/11); for the smallest j, which is 1, or the greatest. */
static bj_time wait_of(const bj_oracle *o, bj_time holdoff, unsigned failures, uint64_t jitter) {
    const bj_oracle_config *c = &o->config;
    bj_time h = oracle_max(BJ_SECOND, holdoff), grown = h;
    for (unsigned k = 0; k < failures && grown < c->holdoff_cap; k++) {
        grown *= 2;
    }
    return oracle_max(times(h, jitter), oracle_min(times(grown, jitter), c->holdoff_cap));
}

static bj_time shortest(const bj_oracle *o) {
    return wait_of(o, o->attempt.holdoff, o->growth.least, 1000000);
}

/* /0/x/11 holds whole seconds: a client that was told of a part of one may wait for the next. */
static bj_time longest_after(const bj_oracle *o, unsigned failures) {
    bj_time whole = (o->attempt.holdoff + BJ_SECOND - 1) / BJ_SECOND * BJ_SECOND;
    return wait_of(o, whole, failures, o->config.holdoff_jitter);
}

bj_time oracle_growth_least(const bj_oracle *o) {
    return o->config.holdoff_grows && !o->config.legacy ? shortest(o) : o->attempt.holdoff;
}

static bj_time longest(const bj_oracle *o) {
    return longest_after(o, o->growth.most);
}

/* --- the bounds ----------------------------------------------------------------------------------------------- */

static bool is_judged(const bj_oracle *o) {
    return o->config.holdoff_grows && o->config.exact && !o->damages && !o->config.captured && !o->config.legacy &&
           !o->growth.broken;
}

/* Is /0/x/11 what the factory gave, and every message seen? */
static bool is_plain(const bj_oracle *o, const oracle_seen *s) {
    return !o->growth.rewritten && !o->growth.unsettled && !s->secure && !s->stream && !o->attempt.excused &&
           !o->attempt.overtaken;
}

static void too_soon(bj_oracle *o, const oracle_seen *s, bj_time began, bj_time need) {
    bj_time least = shortest(o);
    if (o->growth.least && began + oracle_early(o) + ORACLE_GRACE < need + least) {
        oracle_break(
            o, BJ_RULE_BS_HOLDOFF_GROWTH, s->time, s->event->sequence,
            "a bootstrap attempt begins %.3f s after the last that belongs to the one before; with %u failures "
            "the hold-off is %.3f s at least",
            (double) oracle_less(began, need) / 1e6, o->growth.least, (double) least / 1e6);
    }
}

/* RFC 7252 §4.8.2, MAX_TRANSMIT_WAIT: by then nobody waits for an answer any more. Clients count in ticks of their own,
 * and round each of the waits. */
static bj_time transmit_wait(const bj_oracle *o) {
    return BJ_SECOND +
           times(o->config.ack_timeout * (((bj_time) 2 << o->config.max_retransmit) - 1), o->config.ack_random_factor);
}

/* Did anything of that server reach the client since, by which a session may have begun? */
static bool was_spoken_to(bj_oracle *o, const oracle_own *own) {
    const oracle_foreign *f;
    for (uint64_t age = 0; (f = oracle_foreign_at(o, age)) && f->last + ORACLE_GRACE >= own->first; age++) {
        if (bj_addr_equal(&f->peer, &own->peer)) {
            return true;
        }
    }
    return false;
}

/* When the request before was given up, at the latest; BJ_NEVER: something else came of it. */
static bj_time given_up_by(bj_oracle *o) {
    const oracle_own *own;
    for (uint64_t age = 1; (own = oracle_own_at(o, age)); age++) {
        if (own->purpose == ORACLE_BOOTSTRAP) {
            bool alone = own->acknowledged == BJ_NEVER && own->exact && !was_spoken_to(o, own);
            return alone ? own->first + transmit_wait(o) : BJ_NEVER;
        }
    }
    return BJ_NEVER;
}

/* The latest moment at which the attempt before may have failed, or the trigger come; BJ_NEVER: not known. */
static bj_time failed_by(bj_oracle *o) {
    const oracle_attempt *a = &o->attempt;
    if (a->trigger != BJ_NEVER) {
        return a->phase == ORACLE_FINISHED && !o->growth.most ? a->trigger : BJ_NEVER;
    }
    if (a->phase == ORACLE_FAILED) {
        return a->failed;
    }
    return a->phase == ORACLE_REQUESTED && !a->pack ? given_up_by(o) : BJ_NEVER;
}

static void too_late(bj_oracle *o, const oracle_seen *s, bj_time began) {
    bj_time failed = failed_by(o), most = longest(o);
    if (failed == BJ_NEVER || began <= failed + most + oracle_late(o) + ORACLE_GRACE) {
        return;
    }
    bool capped = began - failed > oracle_max(o->config.holdoff_cap, longest_after(o, 0));
    bj_rule rule = o->attempt.trigger != BJ_NEVER ? BJ_RULE_BS_HOLDOFF_RESET
                   : capped                       ? BJ_RULE_BS_HOLDOFF_CAP
                                                  : BJ_RULE_BS_HOLDOFF_GROWTH;
    oracle_break(
        o, rule, s->time, s->event->sequence,
        "a bootstrap attempt begins %.3f s after it was needed; with %u failures the hold-off is %.3f s at most",
        (double) (began - failed) / 1e6, o->growth.most, (double) most / 1e6);
}

/* One that stood before a bootstrap that ended well needs no Register to go on: nothing tells that it ended the growth.
 */
static bool registration_stands(const bj_oracle *o) {
    bool any = false;
    for (unsigned i = 0; i < o->peer_count; i++) {
        any |= o->peers[i].registered;
    }
    return any && o->attempt.phase == ORACLE_FINISHED;
}

/* Likewise, or for all that is known. */
static bool registration_may_stand(const bj_oracle *o) {
    bool any = registration_stands(o);
    for (unsigned i = 0; i < o->peer_count; i++) {
        any |= o->peers[i].doubtful && o->attempt.phase == ORACLE_FINISHED;
    }
    return any;
}

/* --- the account's time --------------------------------------------------------------------------------------- */

/* LwM2M Core 1.1 §6.1.3.3, E.1: until when the account can be there, by /0/x/12 after a bootstrap that succeeded; a
 * need that arose before holds it off. BJ_NEVER: that is not known. */
static bj_time account_ends(bj_oracle *o, const oracle_instance *account) {
    const oracle_attempt *a = &o->attempt;
    bool known = account && !account->vague && account->timeout && a->ever_finished && a->phase == ORACLE_FINISHED &&
                 !a->pack && o->config.exact && !o->config.captured && !o->config.legacy;
    bj_time from = oracle_max(a->finished_at, o->growth.started);
    return known ? from + account->timeout + oracle_late(o) + SLACK * BJ_SECOND : BJ_NEVER;
}

/* The client's life ends, with everything in order, long after its account was purged: it has saved that. */
static void note_purged(bj_oracle *o, const bj_event *e) {
    bool orderly = registration_stands(o) && o->attempt.trigger == BJ_NEVER && o->config.persistent && !o->disk_strange;
    o->growth.purged |= orderly && e->time > account_ends(o, oracle_bootstrap_account(&o->accounts));
}

static void check_purged(bj_oracle *o, const oracle_seen *s, bj_time need) {
    const oracle_instance *account = oracle_bootstrap_account(&o->accounts);
    if (o->growth.purged && !o->disk_strange) {
        oracle_break(o, BJ_RULE_LIFE_ACCOUNTS_PERSIST, s->time, s->event->sequence,
                     "a bootstrap attempt begins, with an account whose time was over in a life before");
    }
    if (need > account_ends(o, account)) {
        bj_time from = oracle_max(o->attempt.finished_at, o->growth.started);
        oracle_break(o, BJ_RULE_BS_ACCOUNT_TIMEOUT, s->time, s->event->sequence,
                     "a bootstrap attempt begins %.0f s after the one that succeeded, with an account whose /0/x/12 is "
                     "%.0f s",
                     (double) (s->time - from) / 1e6, (double) account->timeout / 1e6);
    }
}

/* --- the course of it ----------------------------------------------------------------------------------------- */

void oracle_growth_finished(bj_oracle *o) {
    o->growth.least = registration_may_stand(o) ? 0 : o->growth.least;
}

void oracle_growth_begins(bj_oracle *o, const oracle_seen *s, bj_time began, bj_time need) {
    bool queried = o->growth.queries == 1;
    check_purged(o, s, need);
    o->growth.least = registration_may_stand(o) ? 0 : o->growth.least;
    if (is_judged(o) && o->attempt.trigger == BJ_NEVER && !o->attempt.excused) {
        too_soon(o, s, began, need);
    }
    if (is_judged(o) && is_plain(o, s) && o->growth.queries < 2) {
        too_late(o, s, queried ? oracle_min(began, o->growth.query) : began);
    }
    o->growth.least++;
}

void oracle_growth_asked(bj_oracle *o) {
    o->growth.most += o->growth.queries > 1 ? o->growth.queries : 1; /* a name that was not found is a failure, too */
    o->growth.queries = 0;
    o->growth.unsettled = false;
    o->growth.due = BJ_NEVER;
}

/* A registration ends the growth, for certain when it is the only one, of the bootstrap that just ended. */
void oracle_growth_registered(bj_oracle *o, const oracle_own *own, const oracle_seen *s, bool alone) {
    bool taken = own->exact && own->purpose == ORACLE_REGISTER && bj_coap_find(&s->m, BJ_COAP_LOCATION_PATH, 0) &&
                 s->time < own->first + o->config.ack_timeout;
    o->growth.least = 0;
    if (taken && alone && o->attempt.phase == ORACLE_FINISHED) {
        o->growth.most = 0;
    }
}

void oracle_growth_doubted(bj_oracle *o) {
    o->growth.least = 0;
}

/* LwM2M Core 1.1 §6.1.3.4: the client said that it would. */
void oracle_growth_triggered(bj_oracle *o, const oracle_foreign *f) {
    const oracle_attempt *a = &o->attempt;
    const oracle_instance *account = oracle_bootstrap_account(&o->accounts);
    bool usable = account && !account->vague && !account->timeout && !o->growth.rewritten;
    bool idle = a->phase != ORACLE_REQUESTED && a->phase != ORACLE_SESSION;
    if (is_judged(o) && usable && idle && f->first == a->trigger && o->alive && !o->stopping) {
        o->growth.due = o->now + longest(o) + oracle_late(o) + SLACK * BJ_SECOND;
    }
}

static void check_due(bj_oracle *o, const bj_event *e) {
    if (e->time > o->growth.due && o->alive) {
        oracle_break(o, BJ_RULE_BS_TRIGGER, e->time, e->sequence,
                     "a Bootstrap-Request Trigger was answered with success, and no bootstrap begins until %.3f s",
                     (double) o->growth.due / 1e6);
        o->growth.due = BJ_NEVER;
    }
}

/* --- the rest of the log -------------------------------------------------------------------------------------- */

/* Is it the name of the Bootstrap-Server's host? */
static bool is_servers_name(bj_oracle *o, const bj_event *e) {
    const oracle_instance *account = oracle_bootstrap_account(&o->accounts);
    const char *host = account ? strstr(account->uri, "://") : NULL;
    return host && e->text && !strncmp(host + 3, e->text, e->text_length) && strcspn(host + 3, ":/?") == e->text_length;
}

static void looked_up(bj_oracle *o, const bj_event *e) {
    o->growth.due = BJ_NEVER;
    if (is_servers_name(o, e)) {
        o->growth.query = o->growth.queries++ ? o->growth.query : e->time;
    } else if (!oracle_bootstrap_account(&o->accounts)) {
        o->growth.unsettled = true;
        o->growth.most++;
    }
}

static void event(bj_oracle *o, const bj_event *e) {
    switch (e->kind) {
    case BJ_EV_CLIENT_START:
        o->growth.started = e->time;
        o->growth.least = 0;
        o->growth.due = BJ_NEVER;
        o->growth.unsettled = o->lives > 1;
        break;
    case BJ_EV_CLIENT_EXIT:
    case BJ_EV_CLIENT_SIGNAL:
    case BJ_EV_POWER_CUT:
        note_purged(o, e);
        o->growth.due = BJ_NEVER;
        break;
    case BJ_EV_DNS_QUERY:
        looked_up(o, e);
        break;
    default:
        check_due(o, e);
        break;
    }
}

/* What was written of /0/x/11 counts from the Finish on: from then on it is not known to the second. */
static void seen(bj_oracle *o, const oracle_seen *s) {
    if (s->from_client) {
        o->growth.rewritten |= o->attempt.holdoff_pending != BJ_NEVER;
    }
}

const oracle_def oracle_growing = { .id = "holdoff", .init = init, .event = event, .seen = seen };
