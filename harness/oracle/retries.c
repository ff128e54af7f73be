/* SPDX-License-Identifier: Apache-2.0
 *
 * Attempts to register: in which order, when, how often, and what follows them (LwM2M Core 1.1 §6.2.1.1, E.2: /1/x/13
 * to /1/x/20); that a client which was stopped and starts again needs no bootstrap for what it has (§6.1.2).
 *
 * Only what was written to /1 counts: where nothing was, a client may have defaults of its own. Attempts are counted as
 * they are seen, so that a time that is too short, or a number that is too great, is certain.
 */
#include "oracle/internal.h"

#include <string.h>

enum {
    PRIORITY = 13,
    DELAY = 14,
    BLOCK = 15,
    RETURNS = 16,
    COUNT = 17,
    TIMER = 18,
    SEQUENCE_DELAY = 19,
    SEQUENCES = 20
};
enum { CREATED = BJ_COAP_CODE(2, 1), VERSION_REFUSED = BJ_COAP_CODE(4, 12), STORM = 12, REFUSED_STATE = 3 };

/* LwM2M Core 1.1 E.2: /1/x/19 of this value means no other sequence at all. */
static const int64_t NEVER_AGAIN = UINT32_MAX;

static bool is_judged(const bj_oracle *o) {
    return o->config.exact && !o->config.captured && o->config.server_resources && !o->config.legacy;
}

static void begin_anew(bj_oracle *o) {
    for (unsigned i = 0; i < o->peer_count; i++) {
        o->peers[i].trying = (oracle_trying){ .attempts = 0 };
    }
    o->retries.excused = false;
}

/* --- what was written ----------------------------------------------------------------------------------------- */

/* False: it was not written, or the client has no such resource. */
static bool setting(const bj_oracle *o, const oracle_instance *server, unsigned id, int64_t *value) {
    *value = server->settings[id];
    return *value >= 0 && o->config.server_resources >> id & 1;
}

static bool is_true(const bj_oracle *o, const oracle_instance *server, unsigned id) {
    int64_t value;
    return setting(o, server, id, &value) && value;
}

/* How many attempts there are until a registration counts as failed; 0: not known. */
static uint64_t most_attempts(const bj_oracle *o, const oracle_instance *server) {
    int64_t count, sequences, delay = 0;
    if (!setting(o, server, COUNT, &count) || !setting(o, server, SEQUENCES, &sequences) || count > INT32_MAX ||
        sequences > INT32_MAX) {
        return 0;
    }
    bool known = setting(o, server, SEQUENCE_DELAY, &delay);
    bool alone = known && delay >= NEVER_AGAIN;
    return known || sequences == 1 ? (uint64_t) count * (uint64_t) (alone && sequences ? 1 : sequences) : 0;
}

/* How many there are at least. */
static uint64_t least_attempts(const bj_oracle *o, const oracle_instance *server) {
    int64_t count;
    uint64_t most = most_attempts(o, server);
    return most ? most : setting(o, server, COUNT, &count) && count <= INT32_MAX ? (uint64_t) count : 0;
}

static bool is_plain(const oracle_instance *security) {
    return !security->vague && !strncmp(security->uri, "coap://", 7);
}

/* The only one with that Short Server ID; NULL. */
static const oracle_instance *security_of(const bj_oracle *o, const oracle_instance *server) {
    const oracle_instance *found = NULL;
    for (unsigned i = 0; i < o->accounts.count; i++) {
        const oracle_instance *one = &o->accounts.items[i];
        bool fits = one->used && !one->deleted && one->object == 0 && one->bootstrap != 1 && one->ssid == server->ssid;
        if (fits && found) {
            return NULL;
        }
        found = fits ? one : found;
    }
    return found && is_plain(found) ? found : NULL;
}

/* The client's only server account, when all is known of it; NULL. */
static const oracle_instance *only_server(const bj_oracle *o) {
    const oracle_instance *found = NULL;
    unsigned count = 0;
    for (unsigned i = 0; i < o->accounts.count; i++) {
        const oracle_instance *one = &o->accounts.items[i];
        if (one->used && !one->deleted && one->object == 1) {
            count++;
            found = one;
        }
    }
    return count == 1 && !o->accounts.vague && !found->vague && security_of(o, found) ? found : NULL;
}

/* The place to which that account leads and where the client has been; NULL. */
static oracle_peer *peer_of(bj_oracle *o, const oracle_instance *security) {
    for (unsigned i = 0; i < o->peer_count; i++) {
        if (oracle_uri_leads_to(o, security->uri, &o->peers[i].address) == 1) {
            return &o->peers[i];
        }
    }
    return NULL;
}

static unsigned places_of(bj_oracle *o, const oracle_instance *security) {
    unsigned count = 0;
    for (unsigned i = 0; i < o->peer_count; i++) {
        count += oracle_uri_leads_to(o, security->uri, &o->peers[i].address) == 1;
    }
    return count;
}

/* --- the next attempt ----------------------------------------------------------------------------------------- */

static void check_retry(bj_oracle *o, const oracle_trying *t, const oracle_instance *server, unsigned place,
                        const oracle_seen *s) {
    int64_t timer;
    if (!setting(o, server, TIMER, &timer) || timer > INT32_MAX) {
        return;
    }
    bj_time wait = ((bj_time) timer * BJ_SECOND) << (place < 20 ? place : 20);
    if (s->time + oracle_early(o) < t->last + wait) {
        oracle_break(o, BJ_RULE_REG_RETRY, s->time, s->event->sequence,
                     "a Register %.3f s after attempt %u failed; /1/%u/18 asks for %.0f s",
                     (double) oracle_less(s->time, t->last) / 1e6, place + 1, server->id, (double) wait / 1e6);
    }
}

/* Behind the last sequence the registration has failed, and what follows is the client's own. */
static void check_sequence(bj_oracle *o, const oracle_trying *t, const oracle_instance *server, const oracle_seen *s) {
    int64_t delay;
    bool another = t->attempts < most_attempts(o, server);
    if (another && setting(o, server, SEQUENCE_DELAY, &delay) && delay <= INT32_MAX &&
        s->time + oracle_early(o) < t->last + (bj_time) delay * BJ_SECOND) {
        oracle_break(o, BJ_RULE_REG_SEQUENCE, s->time, s->event->sequence,
                     "a sequence begins %.3f s after the last; /1/%u/19 asks for %.0f s",
                     (double) oracle_less(s->time, t->last) / 1e6, server->id, (double) delay);
    }
}

static void check_timer(bj_oracle *o, const oracle_peer *p, const oracle_instance *server, const oracle_seen *s) {
    const oracle_trying *t = &p->trying;
    int64_t count;
    /* Attempts that led nowhere, since the name was not found, were not seen: which one this is, is not known. */
    if (!t->attempts || o->retries.excused || !setting(o, server, COUNT, &count) || count < 1 ||
        !bj_addr_same_host(&t->local, &s->local)) {
        return;
    }
    unsigned place = (unsigned) ((t->attempts - 1) % (uint64_t) count);
    if (place + 1 < count) {
        check_retry(o, t, server, place, s);
    } else {
        check_sequence(o, t, server, s);
    }
}

/* The Bootstrap-Server must be asked where it can be seen to be. */
static bool may_see_bootstraps(bj_oracle *o) {
    const oracle_instance *account = oracle_bootstrap_account(&o->accounts);
    return account && is_plain(account) && !account->timeout && places_of(o, account);
}

static void check_number(bj_oracle *o, const oracle_peer *p, const oracle_instance *server, const oracle_seen *s) {
    uint64_t most = most_attempts(o, server);
    if (most && p->trying.attempts >= most && is_true(o, server, RETURNS) && may_see_bootstraps(o) &&
        !o->retries.excused) {
        oracle_break(o, BJ_RULE_REG_SEQUENCE, s->time, s->event->sequence,
                     "a Register after %u attempts failed, which /1/%u allows; the client should bootstrap",
                     p->trying.attempts, server->id);
    }
}

static void check_delay(bj_oracle *o, const oracle_peer *p, const oracle_instance *server, const oracle_seen *s) {
    int64_t delay;
    bool first = o->retries.finished && !p->trying.attempts && !p->trying.ever && !p->standing.held;
    if (first && setting(o, server, DELAY, &delay) && delay < INT32_MAX &&
        s->time + oracle_early(o) < o->retries.finished + (bj_time) delay * BJ_SECOND) {
        oracle_break(o, BJ_RULE_REG_DELAY, s->time, s->event->sequence,
                     "the first Register comes %.3f s after Bootstrap-Finish; /1/%u/14 asks for %.0f s",
                     (double) (s->time - o->retries.finished) / 1e6, server->id, (double) delay);
    }
}

/* --- the order ------------------------------------------------------------------------------------------------ */

static void break_order(bj_oracle *o, bj_rule rule, const oracle_instance *server, const oracle_instance *before,
                        const char *why, const oracle_seen *s) {
    oracle_break(o, rule, s->time, s->event->sequence, "a Register with the server of /1/%u; /1/%u comes before it: %s",
                 server->id, before->id, why);
}

/* `before` comes first by its number: has it had its turn? */
static void check_turn(bj_oracle *o, const oracle_instance *server, const oracle_instance *before,
                       const oracle_seen *s) {
    const oracle_instance *security = security_of(o, before);
    const oracle_peer *p = security ? peer_of(o, security) : NULL;
    if (!security || before->vague || places_of(o, security) > 1 || o->retries.questions) {
        return;
    }
    bool registered = p && (p->trying.ever || p->standing.held || p->standing.back || p->doubtful); /* or may be */
    if (!registered && !(p && p->trying.attempts)) {
        break_order(o, BJ_RULE_REG_PRIORITY, server, before, "it was not tried", s);
    } else if (registered || p->trying.unsure) {
        return;
    } else if (is_true(o, before, BLOCK)) {
        break_order(o, BJ_RULE_REG_BLOCK, server, before, "its failure blocks, and it is not registered with", s);
    } else if (!p->trying.answered && p->trying.attempts < least_attempts(o, before)) {
        break_order(o, BJ_RULE_REG_PRIORITY, server, before, "its attempts are not over", s);
    }
}

static void check_order(bj_oracle *o, const oracle_peer *p, const oracle_instance *server, const oracle_seen *s) {
    int64_t mine, other;
    bool first = o->retries.finished && !p->trying.ever && !p->standing.held && !o->retries.excused;
    if (!first || !setting(o, server, PRIORITY, &mine)) {
        return;
    }
    for (unsigned i = 0; i < o->accounts.count; i++) {
        const oracle_instance *one = &o->accounts.items[i];
        if (one->used && !one->deleted && one->object == 1 && one != server && setting(o, one, PRIORITY, &other) &&
            other < mine) {
            check_turn(o, server, one, s);
        }
    }
}

/* --- what the client does ------------------------------------------------------------------------------------- */

static void register_sent(bj_oracle *o, oracle_peer *p, const oracle_seen *s) {
    const oracle_instance *security, *server;
    BJ_TEXT(version, 12);
    bool newer = bj_coap_query(&s->m, "lwm2m", &version) && strncmp(version.start, "1.0", 3) != 0;
    bool open = o->attempt.phase == ORACLE_SESSION || o->attempt.phase == ORACLE_REQUESTED;
    if (newer && !open && !p->trying.unsure && oracle_account_at(o, &s->peer, &security, &server, NULL)) {
        check_timer(o, p, server, s);
        check_number(o, p, server, s);
        check_delay(o, p, server, s);
        check_order(o, p, server, s);
    }
    p->trying.attempts++;
    p->trying.newer = newer;
    p->trying.last = s->time;
    p->trying.local = s->local;
}

/* All that was tried brought no answer: is it time for a bootstrap? */
static void check_sequences(bj_oracle *o, const oracle_instance *server, const oracle_peer *p, const oracle_seen *s) {
    uint64_t least = least_attempts(o, server);
    if (p->trying.attempts && !p->trying.answered && p->trying.attempts < least) {
        oracle_break(o, BJ_RULE_REG_SEQUENCE, s->time, s->event->sequence,
                     "a bootstrap after %u attempts to register without an answer; /1/%u asks for %u",
                     p->trying.attempts, server->id, (unsigned) least);
    }
}

/* Nobody asked for this bootstrap: there is one server, which could be found, and the attempts to register failed. */
static void check_bootstrap(bj_oracle *o, const oracle_seen *s) {
    const oracle_instance *server = only_server(o);
    const oracle_peer *p = server ? peer_of(o, security_of(o, server)) : NULL;
    int64_t returns;
    bool plain = o->attempt.was == ORACLE_FINISHED && !o->attempt.told && !o->retries.excused && o->retries.finished;
    if (!p || !plain || !p->trying.newer || p->trying.unsure || places_of(o, security_of(o, server)) > 1) {
        return;
    }
    if (p->trying.attempts && setting(o, server, RETURNS, &returns) && !returns) {
        oracle_break(o, BJ_RULE_REG_BOOTSTRAP_ON_FAILURE, s->time, s->event->sequence,
                     "a bootstrap after a registration failed, though /1/%u/16 is false", server->id);
    } else {
        check_sequences(o, server, p, s);
    }
}

/* LwM2M Core 1.1 §6.1.2: it was registered when it was stopped in order, and its first word now is a bootstrap. */
static void check_resumption(bj_oracle *o, const oracle_seen *s) {
    if (o->retries.resumes && !o->retries.spoke && only_server(o) && !o->retries.excused) {
        oracle_break(o, BJ_RULE_LIFE_ACCOUNTS_PERSIST, s->time, s->event->sequence,
                     "the client was registered when it was stopped, and begins its next life with a bootstrap");
    }
}

static void client_asked(bj_oracle *o, const oracle_seen *s) {
    const oracle_own *own = oracle_own_at(o, 0);
    oracle_peer *p = oracle_peer_of(o, &s->peer, true);
    bool anew = own && own->event == s->event->sequence && own->copies == 1 && own->length == s->length;
    bool bootstraps = anew && (own->purpose == ORACLE_BOOTSTRAP || own->purpose == ORACLE_PACK);
    if (!p) {
        return;
    }
    if (bootstraps) {
        check_resumption(o, s);
        check_bootstrap(o, s);
        begin_anew(o);
        o->retries.finished = 0;
    } else if (anew && own->purpose == ORACLE_REGISTER && !oracle_asks_for_more(&s->m)) {
        register_sent(o, p, s);
    } else if (!anew) {
        p->trying.last = oracle_max(p->trying.last, s->time);
    }
    o->retries.spoke = true;
}

/* --- what reaches it ------------------------------------------------------------------------------------------ */

static void answered(bj_oracle *o, oracle_peer *p, const oracle_own *own, const oracle_seen *s) {
    oracle_trying *t = &p->trying;
    bool taken = own->answered == s->time && own->answer == s->m.code;
    t->answered = true;
    t->last = oracle_max(t->last, s->time);
    /* What has no Location-Path, or comes late or in blocks, a client may take for refused. */
    t->unsure |= !taken || (s->m.code == CREATED && !p->placed);
    if (s->m.code == CREATED) {
        t->ever = true;
        t->attempts = 0;
        t->answered = false;
        o->retries.registered |= taken;
    } else if (taken && s->m.code == VERSION_REFUSED && t->attempts) {
        t->attempts--; /* the client may say a lower version at once */
        t->last = 0;
    }
}

static void client_heard(bj_oracle *o, const oracle_seen *s) {
    const oracle_own *own =
        s->stream || s->m.type != BJ_COAP_ACK ? oracle_own_with_token(o, s) : oracle_own_with_mid(o, s);
    oracle_peer *p = oracle_peer_of(o, &s->peer, false);
    if (p && s->fault != BJ_COAP_OK) {
        p->trying.unsure = true;
    } else if (p && own && own->purpose == ORACLE_REGISTER && s->m.code) {
        answered(o, p, own, s);
    }
}

static void seen(bj_oracle *o, const oracle_seen *s) {
    if (!is_judged(o)) {
        return;
    }
    if (o->attempt.phase == ORACLE_FINISHED && o->attempt.finished_at != o->retries.seen_finish) {
        begin_anew(o);
        o->retries.finished = o->retries.seen_finish = o->attempt.finished_at;
    }
    if (!s->from_client) {
        client_heard(o, s);
    } else if (s->fault == BJ_COAP_OK && bj_coap_is_request(s->m.code)) {
        client_asked(o, s);
    }
}

/* --- the log -------------------------------------------------------------------------------------------------- */

/* Connections to one place, one after the other in a second. */
static void opened(bj_oracle *o, const bj_event *e) {
    oracle_peer *p = is_judged(o) ? oracle_peer_of(o, &e->to, true) : NULL;
    if (!p) {
        return;
    }
    if (!p->opens || e->time > p->opens_since + BJ_SECOND) {
        p->opens = 0;
        p->opens_since = e->time;
    }
    if (++p->opens == STORM) {
        oracle_break(o, BJ_RULE_REG_SESSION_LOST, e->time, e->sequence,
                     "%u connections to one server within a second: sessions that do not last make a storm", STORM);
    }
}

/* A second life in which nothing was lost goes on where the first was stopped. */
static void begin_life(bj_oracle *o) {
    begin_anew(o);
    o->retries.resumes = o->retries.stopped && o->retries.registered && o->config.persistent && o->lossless &&
                         o->attempt.trigger == BJ_NEVER && only_server(o) && is_judged(o);
    o->retries.spoke = o->retries.stopped = o->retries.registered = false;
    o->retries.finished = 0;
}

static void ended(bj_oracle *o, const bj_event *e) {
    o->retries.stopped = o->stopping && !e->number && !e->other && o->attempt.phase == ORACLE_FINISHED;
    bool known = o->config.linked && !o->config.state_given && !o->disk_strange;
    if (e->number == REFUSED_STATE && known && o->retries.cut && o->lossless) {
        oracle_break(o, BJ_RULE_LIFE_SESSION_IS_ATOMIC, e->time, e->sequence,
                     "after a power cut the client finds what it saved damaged");
    }
}

static void event(bj_oracle *o, const bj_event *e) {
    switch (e->kind) {
    case BJ_EV_CLIENT_START:
        begin_life(o);
        break;
    case BJ_EV_CLIENT_EXIT:
        ended(o, e);
        break;
    case BJ_EV_POWER_CUT:
        o->retries.cut = true;
        begin_anew(o);
        break;
    case BJ_EV_CLIENT_INPUT:
        begin_anew(o);
        o->retries.excused = true;
        break;
    case BJ_EV_DNS_QUERY:
        o->retries.questions++;
        break;
    case BJ_EV_DNS_ANSWER: /* without an address, one of its servers cannot be found */
        o->retries.questions -= o->retries.questions > 0;
        o->retries.excused |= !e->text || !memchr(e->text, '=', e->text_length);
        break;
    case BJ_EV_ICMP:
        o->retries.excused = true;
        break;
    case BJ_EV_STREAM_OPEN:
        opened(o, e);
        break;
    default:
        break;
    }
}

const oracle_def oracle_retries = { .id = "retries",
                                    .hears = ORACLE_HEARS(CLIENT_START) | ORACLE_HEARS(CLIENT_EXIT) |
                                             ORACLE_HEARS(POWER_CUT) | ORACLE_HEARS(CLIENT_INPUT) |
                                             ORACLE_HEARS(DNS_QUERY) | ORACLE_HEARS(DNS_ANSWER) | ORACLE_HEARS(ICMP) |
                                             ORACLE_HEARS(STREAM_OPEN),
                                    .event = event,
                                    .seen = seen };
