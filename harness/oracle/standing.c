/* SPDX-License-Identifier: Apache-2.0
 *
 * What a registration that stands asks of the client: it is refreshed in time, at the place that the server gave it;
 * what a server changed or triggered is told; what the server forgot, or a bootstrap ended, is over (LwM2M Core 1.1
 * §6.2.1 to §6.2.3, §6.1.3.3, E.2; Transport 1.1 §6.4.3). Judged in virtual time alone, where everything is seen.
 *
 * A duty is what must follow within a time; any Update or Register is taken for it when the time is over, what it says
 * is looked at when it is sent. Whatever may keep a lawful client from it ends the duty: a bootstrap, a lost
 * connection, a message that nobody acknowledges, its end.
 */
#include "oracle/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FORMAT_LINK = 40, DEFAULT_LIFETIME = 86400, DEFAULT_DISABLE = 86400, LISTED = 64 };
enum { SERVER_DISABLE = 4, SERVER_DISABLE_TIMEOUT = 5, SERVER_TRIGGER = 8, SERVER_RETRY_TIMER = 18 };
enum { DELETED = BJ_COAP_CODE(2, 2), FOUND_NOT = BJ_COAP_CODE(4, 4), CREATED = BJ_COAP_CODE(2, 1) };

/* What a bootstrap did to a registration (oracle_standing.ended). */
enum { STAYS = 0, WITHOUT_KEYS, MOVED, BORN_AGAIN };

static bool is_judged(const bj_oracle *o) {
    return o->config.exact && !o->config.captured;
}

/* --- duties --------------------------------------------------------------------------------------------------- */

/* How long a lawful client may take for what it does at once. */
static bj_time patience(const bj_oracle *o) {
    return o->config.ack_timeout + 20 * BJ_SECOND;
}

static void oblige(bj_oracle *o, oracle_peer *p, oracle_duty duty, bj_time until) {
    oracle_standing *st = &p->standing;
    if (!is_judged(o) || o->stopping || (st->secure && !o->lossless)) {
        return;
    }
    st->due[duty] = until;
    o->standing.next = o->standing.next ? oracle_min(o->standing.next, until) : until;
}

static void relieve(oracle_peer *p) {
    memset(p->standing.due, 0, sizeof p->standing.due);
}

static void relieve_all(bj_oracle *o) {
    for (unsigned i = 0; i < o->peer_count; i++) {
        relieve(&o->peers[i]);
    }
    o->standing.next = 0;
}

/* RFC 7252 §4.7: something that the server has not acknowledged holds up what comes next; an Update without an answer
 * the one behind it, over a stream, too, as long as that may come (§4.8.2). Then that one comes at once. */
static bool holds_up(const bj_oracle *o, const oracle_own *own) {
    bool stream = own->connection >= 0, confirmable = !stream && own->type == BJ_COAP_CON;
    bool unanswered = own->purpose == ORACLE_UPDATE && own->answered == BJ_NEVER && (stream || confirmable);
    bool unacknowledged = confirmable && own->acknowledged == BJ_NEVER;
    bj_time wait = unanswered       ? o->config.exchange_lifetime + patience(o)
                   : unacknowledged ? oracle_transmit_wait(o)
                                    : 0;
    return wait && own->first + wait + oracle_late(o) > o->now;
}

static bool is_held_up(bj_oracle *o, const oracle_peer *p) {
    const oracle_own *own;
    for (uint64_t age = 0; (own = oracle_own_at(o, age)); age++) {
        if (bj_addr_equal(&own->peer, &p->address) && holds_up(o, own)) {
            return true;
        }
    }
    return false;
}

static const struct {
    bj_rule rule;
    const char *text;
} duties[ORACLE_DUTIES] = {
    [ORACLE_DUTY_REFRESH] = { BJ_RULE_REG_UPDATE, "the lifetime of a registration ends without an Update" },
    [ORACLE_DUTY_LIFETIME] = { BJ_RULE_REG_LIFETIME, "a Lifetime was written, and the server is not told" },
    [ORACLE_DUTY_BINDING] = { BJ_RULE_REG_BINDING, "a Binding was written, and the server is not told" },
    [ORACLE_DUTY_LISTS] = { BJ_RULE_REG_LISTS, "a bootstrap changed the instances of /1, and the server is not told" },
    [ORACLE_DUTY_TRIGGER] = { BJ_RULE_REG_TRIGGER,
                              "the Registration Update Trigger was executed, and no Update comes" },
    [ORACLE_DUTY_RENEW] = { BJ_RULE_REG_FORGOTTEN, "an Update was answered with 4.04, and no Register comes" },
};

static void fall_due(bj_oracle *o, oracle_peer *p, unsigned duty) {
    oracle_standing *st = &p->standing;
    bool open = o->attempt.phase == ORACLE_SESSION || o->attempt.phase == ORACLE_REQUESTED;
    bool may_wait = open && duty == ORACLE_DUTY_RENEW; /* nobody need register while a bootstrap goes on */
    /* It may have been what is missing; its account may have gone. */
    if (st->unread || o->attempt.followed_none || may_wait) {
        relieve(p);
        return;
    }
    if (is_held_up(o, p)) {
        st->due[duty] = o->now + oracle_transmit_wait(o);
        return;
    }
    BJ_TEXT(server, 60);
    bj_addr_print(&server, &p->address);
    oracle_break(o, duties[duty].rule, st->due[duty], 0, "%s: %s, until %.3f s", server.start, duties[duty].text,
                 (double) st->due[duty] / 1e6);
    relieve(p);
}

/* Called before anything of this moment is looked at, so that what happens in it is in time. */
static void look_at_the_clock(bj_oracle *o) {
    if (!o->standing.next || o->now <= o->standing.next + oracle_late(o) || !o->alive) {
        return;
    }
    bj_time next = 0;
    for (unsigned i = 0; i < o->peer_count; i++) {
        for (unsigned duty = 0; duty < ORACLE_DUTIES; duty++) {
            bj_time *due = &o->peers[i].standing.due[duty];
            if (*due && o->now > *due + oracle_late(o)) {
                fall_due(o, &o->peers[i], duty);
            }
            next = *due && (!next || *due < next) ? *due : next;
        }
    }
    o->standing.next = next;
}

/* --- locations ------------------------------------------------------------------------------------------------ */

/* False: it does not fit. */
static bool read_location(const bj_coap *m, uint32_t number, oracle_location *out) {
    const bj_coap_option *option;
    size_t used = 0;
    for (size_t i = 0; (option = bj_coap_find(m, number, i)); i++) {
        if (used + 1 + option->length > ORACLE_LOCATION || option->length > 255) {
            return false;
        }
        out->bytes[used] = (uint8_t) option->length;
        memcpy(out->bytes + used + 1, option->value, option->length);
        used += 1 + option->length;
    }
    out->length = (uint8_t) used;
    return true;
}

static bool same_location(const oracle_location *a, const oracle_location *b) {
    return a->length == b->length && !memcmp(a->bytes, b->bytes, a->length);
}

/* Any answer 2.01 counts, whichever Register the client takes it for. */
static void note_location(oracle_standing *st, const bj_coap *m) {
    oracle_location fresh;
    unsigned place = 0;
    if (!read_location(m, BJ_COAP_LOCATION_PATH, &fresh)) {
        st->unsure = true;
        return;
    }
    while (place + 1 < ORACLE_LOCATIONS && !same_location(&st->locations[place], &fresh)) {
        place++;
    }
    st->unsure |= st->locations[place].length && !same_location(&st->locations[place], &fresh); /* one is forgotten */
    memmove(&st->locations[1], &st->locations[0], place * sizeof fresh);
    st->locations[0] = fresh;
    if (same_location(&st->dead, &fresh)) {
        st->dead.length = 0;
    }
}

static bool is_known_location(const oracle_standing *st, const oracle_location *where) {
    bool known = st->unsure || !st->locations[0].length;
    for (unsigned i = 0; i < ORACLE_LOCATIONS && !known; i++) {
        known = same_location(&st->locations[i], where);
    }
    return known;
}

bool oracle_is_location(const oracle_peer *p, const bj_coap *m) {
    oracle_location where;
    bool given = false;
    for (unsigned i = 0; i < ORACLE_LOCATIONS && read_location(m, BJ_COAP_URI_PATH, &where) && !given; i++) {
        given = where.length && same_location(&p->standing.locations[i], &where);
    }
    return given;
}

static void check_location(bj_oracle *o, const oracle_standing *st, const oracle_own *own, const oracle_seen *s) {
    oracle_location where;
    BJ_TEXT(what, 200);
    if (!read_location(&s->m, BJ_COAP_URI_PATH, &where)) {
        return;
    }
    oracle_describe(own, &what);
    if (!is_known_location(st, &where)) {
        oracle_break(o, BJ_RULE_REG_LOCATION, s->time, s->event->sequence,
                     "%s goes to no Location-Path that this server gave", what.start);
    } else if (own->purpose == ORACLE_UPDATE && st->dead.length && same_location(&st->dead, &where) && !st->unsure) {
        oracle_break(o, BJ_RULE_REG_FORGOTTEN, s->time, s->event->sequence,
                     "%s, and the Update before was answered with 4.04", what.start);
    }
}

/* --- what the client said of itself --------------------------------------------------------------------------- */

/* The Binding without its queue mode: "U" for what is not there. */
static void plain_binding(const char *binding, char out[12]) {
    size_t used = 0;
    for (size_t i = 0; binding[i] && used < 11; i++) {
        if (binding[i] != 'Q') {
            out[used++] = binding[i];
        }
    }
    snprintf(out + used, 12 - used, "%s", used ? "" : "U");
}

/* Instances of /1 with ids below 64; 0: none, or the payload says nothing of them. */
static uint64_t listed_servers(const bj_coap *m) {
    const char *text = (const char *) m->payload;
    size_t length = m->payload_length;
    uint32_t format = FORMAT_LINK;
    uint64_t listed = 0;
    bj_path path;
    bj_coap_find_uint(m, BJ_COAP_CONTENT_FORMAT, &format);
    if (format != FORMAT_LINK || bj_coap_find(m, BJ_COAP_BLOCK1, 0)) {
        return 0;
    }
    while (oracle_next_target(&text, &length, &path)) {
        if (path.depth == 2 && path.ids[0] == 1 && path.ids[1] < LISTED) {
            listed |= UINT64_C(1) << path.ids[1];
        }
    }
    return length ? 0 : listed;
}

static void note_said(oracle_standing *st, const oracle_own *own) {
    bj_coap m;
    BJ_TEXT(lifetime, 24);
    BJ_TEXT(binding, 12);
    if (own->connection >= 0) {
        bj_coap_tcp_decode(&m, own->bytes, own->length);
    } else {
        bj_coap_decode(&m, own->bytes, own->length);
    }
    bool registers = own->purpose == ORACLE_REGISTER;
    bool says = bj_coap_query(&m, "lt", &lifetime);
    st->lifetime = says ? strtoll(lifetime.start, NULL, 10) : registers ? DEFAULT_LIFETIME : st->lifetime;
    if (bj_coap_query(&m, "b", &binding) || registers) {
        plain_binding(binding.start, st->binding);
    }
    if (registers) {
        BJ_TEXT(version, 8);
        st->first_release = bj_coap_query(&m, "lwm2m", &version) && !strcmp(version.start, "1.0");
    }
    if (registers || m.payload_length) {
        st->listed = listed_servers(&m);
    }
}

/* Those that must be there; 0: not known. `*doubtful` are those that may. */
static uint64_t servers_of(const oracle_accounts *a, uint64_t *doubtful) {
    uint64_t servers = 0;
    *doubtful = 0;
    for (unsigned i = 0; i < a->count; i++) {
        const oracle_instance *one = &a->items[i];
        bool counts = one->used && !one->deleted && one->object == 1;
        if (counts && one->id >= LISTED) {
            return 0;
        }
        if (counts) {
            *(one->alone ? doubtful : &servers) |= UINT64_C(1) << one->id;
        }
    }
    return servers;
}

/* --- when the accounts change --------------------------------------------------------------------------------- */

/* A transport that the client has not shown need not be one that it has; LwM2M 1.0 has no word for TCP. */
static bool can_be_told(const bj_oracle *o, const oracle_standing *st, const char *binding) {
    return strspn(binding, o->config.tcp && !st->first_release ? "UT" : "U") == strlen(binding);
}

/* What that server has been told, by an Update that is under way, too. */
static oracle_standing what_was_told(bj_oracle *o, const oracle_peer *p) {
    oracle_standing told = p->standing;
    const oracle_own *own;
    for (uint64_t age = 0; (own = oracle_own_at(o, age)); age++) {
        if (own->purpose != ORACLE_OTHER && bj_addr_equal(&own->peer, &p->address)) {
            if (own->purpose == ORACLE_UPDATE && own->answered == BJ_NEVER) {
                note_said(&told, own);
            }
            break;
        }
    }
    return told;
}

static void compare_settings(bj_oracle *o, oracle_peer *p, const oracle_instance *server) {
    oracle_standing *st = &p->standing;
    const oracle_standing told = what_was_told(o, p);
    char binding[12];
    plain_binding(server->binding, binding);
    st->due[ORACLE_DUTY_LIFETIME] = st->due[ORACLE_DUTY_BINDING] = 0;
    if (server->lifetime >= 0 && server->lifetime != told.lifetime) {
        oblige(o, p, ORACLE_DUTY_LIFETIME, o->now + patience(o));
    }
    if (*server->binding && can_be_told(o, st, binding) && can_be_told(o, st, st->binding) &&
        strcmp(binding, told.binding) != 0) {
        oblige(o, p, ORACLE_DUTY_BINDING, o->now + patience(o));
    }
}

static bool had_its_keys_deleted(const bj_oracle *o, const oracle_peer *p) {
    for (unsigned i = 0; i < o->accounts.count; i++) {
        const oracle_instance *one = &o->accounts.items[i];
        if (one->used && one->deleted && one->object == 0 && oracle_uri_leads_to(o, one->uri, &p->address) == 1) {
            return true;
        }
    }
    return false;
}

static uint64_t account_mark(const oracle_instance *security) {
    uint64_t ssid = (uint64_t) security->ssid;
    return oracle_mark((const uint8_t *) security->uri, strlen(security->uri)) ^ ssid << 32;
}

/* LwM2M Core 1.1 §6.1.6: with such accounts a client goes back to its Bootstrap-Server, and may leave all servers be.
 */
static bool has_server_without_keys(const bj_oracle *o) {
    bool any = false;
    for (unsigned i = 0; i < o->accounts.count && !any; i++) {
        const oracle_instance *server = &o->accounts.items[i];
        any = server->used && !server->deleted && server->object == 1 && server->ssid;
        for (unsigned n = 0; n < o->accounts.count && any; n++) {
            const oracle_instance *security = &o->accounts.items[n];
            bool there = security->used && !security->deleted && security->object == 0;
            any = !there || security->ssid != server->ssid;
        }
    }
    return any;
}

static void compare_after_bootstrap(bj_oracle *o, oracle_peer *p) {
    oracle_standing *st = &p->standing;
    const oracle_instance *security = NULL, *server = NULL;
    unsigned count = 0;
    uint64_t doubtful, servers = servers_of(&o->accounts, &doubtful);
    bool found = oracle_account_at(o, &p->address, &security, &server, &count);
    bool vague = count && !found && (count == 1 || security->vague || server->vague);
    if (o->accounts.vague || vague) {
        relieve(p); /* whether its account is still there is not known */
        return;
    }
    if (!count) {
        st->ended = had_its_keys_deleted(o, p) ? WITHOUT_KEYS : MOVED;
        relieve(p);
    } else if (found && st->known && (security->born != st->born[0] || server->born != st->born[1])) {
        st->ended = BORN_AGAIN;
    } else if (found && st->known && account_mark(security) != st->account) {
        st->held = false; /* another server's, or to be reached in another way */
        relieve(p);
    } else if (found && st->listed && servers && servers != (st->listed & ~doubtful)) {
        oblige(o, p, ORACLE_DUTY_LISTS, o->now + patience(o));
    }
    if (has_server_without_keys(o)) {
        relieve(p);
    }
}

/* Not while they are being written. */
static void accounts_changed(bj_oracle *o) {
    bool open = o->attempt.phase == ORACLE_SESSION || o->attempt.phase == ORACLE_REQUESTED;
    if (o->standing.changes == o->account_changes || open) {
        return;
    }
    o->standing.changes = o->account_changes;
    for (unsigned i = 0; i < o->peer_count; i++) {
        oracle_peer *p = &o->peers[i];
        const oracle_instance *security, *server;
        bool finished = o->attempt.phase == ORACLE_FINISHED && o->attempt.finished_at == o->now;
        if (p->standing.held && finished) {
            compare_after_bootstrap(o, p);
        }
        /* It is told when the client has come back, which may wait for its Retry Timer where no bootstrap ended. */
        bool told = p->standing.held && !p->standing.ended && (finished || !p->standing.parted);
        if (told && oracle_account_at(o, &p->address, &security, &server, NULL)) {
            compare_settings(o, p, server);
        }
    }
}

/* --- the client asks ------------------------------------------------------------------------------------------ */

/* What it does not say is still to be told. */
static void relieve_what_is_told(oracle_peer *p, const bj_coap *m) {
    static const struct {
        oracle_duty duty;
        const char *key;
    } told[] = { { ORACLE_DUTY_LIFETIME, "lt" }, { ORACLE_DUTY_BINDING, "b" }, { ORACLE_DUTY_LISTS, NULL } };
    oracle_standing *st = &p->standing;
    bj_time due[ORACLE_DUTIES];
    memcpy(due, st->due, sizeof due);
    relieve(p);
    for (unsigned i = 0; i < sizeof told / sizeof told[0]; i++) {
        BJ_TEXT(value, 40);
        bool says = told[i].key ? bj_coap_query(m, told[i].key, &value) : m->payload_length > 0;
        st->due[told[i].duty] = says ? 0 : due[told[i].duty];
    }
}

static void check_ended(bj_oracle *o, const oracle_standing *st, const oracle_seen *s) {
    bj_rule rule = st->ended == WITHOUT_KEYS ? BJ_RULE_BS_DELETE_PAIR : BJ_RULE_REG_AFTER_BOOTSTRAP;
    static const char *const why[] = { "", "its Security instance was deleted", "no account leads there any more",
                                       "its account was deleted, and written anew" };
    if (st->ended && s->time > o->attempt.finished_at + ORACLE_GRACE) {
        oracle_break(o, rule, s->time, s->event->sequence, "an Update of a registration that a bootstrap has ended: %s",
                     why[st->ended]);
    }
}

/* The Update before this one to that server; NULL. */
static const oracle_own *update_before(bj_oracle *o, const oracle_own *own) {
    const oracle_own *before;
    for (uint64_t age = 1; (before = oracle_own_at(o, age)); age++) {
        if (before->purpose != ORACLE_OTHER && bj_addr_equal(&before->peer, &own->peer)) {
            return before->purpose == ORACLE_UPDATE ? before : NULL;
        }
    }
    return NULL;
}

static bool says_nothing(const bj_coap *m) {
    return !m->payload_length && !bj_coap_find(m, BJ_COAP_URI_QUERY, 0);
}

/* LwM2M Core 1.2 E.2 (/1/x/1): a Lifetime of 0 has no end, which needs no refreshing; nothing else asks for it. */
static void check_infinite(bj_oracle *o, const oracle_standing *st, const oracle_own *own, const oracle_seen *s) {
    const oracle_own *before = update_before(o, own);
    const oracle_foreign *asked = oracle_foreign_at(o, 0);
    bool again = before && before->answer == BJ_COAP_CODE(2, 4) && s->time < before->first + 60 * BJ_SECOND;
    bool quiet = before && (!asked || asked->last < before->first) && o->managed.disturbed < before->first;
    bool due = false;
    for (unsigned i = 0; i < ORACLE_DUTIES; i++) {
        due |= st->due[i] != 0;
    }
    bj_coap m;
    if (st->held && !st->lifetime && is_judged(o) && again && quiet && !due && says_nothing(&s->m) && !s->stream &&
        bj_coap_decode(&m, before->bytes, before->length) == BJ_COAP_OK && says_nothing(&m)) {
        oracle_break(o, BJ_RULE_REG_LIFETIME_INFINITE, s->time, s->event->sequence,
                     "a second Update within a minute, which says nothing, of a registration whose Lifetime is 0");
    }
}

static void update_sent(bj_oracle *o, oracle_peer *p, const oracle_own *own, const oracle_seen *s) {
    check_location(o, &p->standing, own, s);
    check_infinite(o, &p->standing, own, s);
    if (p->standing.held) {
        check_ended(o, &p->standing, s);
    }
    relieve_what_is_told(p, &s->m);
}

/* Whether the client says a version of LwM2M from 1.1 on. */
static bool is_newer(const bj_coap *m) {
    BJ_TEXT(version, 12);
    return bj_coap_query(m, "lwm2m", &version) && strncmp(version.start, "1.0", 3) != 0;
}

static bool says_queue_mode(const bj_coap *m) {
    const bj_coap_option *option;
    BJ_TEXT(binding, 24);
    for (size_t i = 0; (option = bj_coap_find(m, BJ_COAP_URI_QUERY, i)); i++) {
        if (option->length == 1 && option->value[0] == 'Q') {
            return true;
        }
    }
    return bj_coap_query(m, "b", &binding) && strchr(binding.start, 'Q');
}

static void check_queue(bj_oracle *o, const oracle_seen *s) {
    const oracle_instance *security, *server;
    bool open = o->attempt.phase == ORACLE_SESSION;
    bool written = !is_newer(&s->m) && !open && oracle_account_at(o, &s->peer, &security, &server, NULL) &&
                   strchr(server->binding, 'Q');
    if ((written || (o->config.queue && is_newer(&s->m))) && !says_queue_mode(&s->m)) {
        oracle_break(o, BJ_RULE_QUEUE_FLAG, s->time, s->event->sequence,
                     "a Register of a client in queue mode that does not say so");
    }
}

/* Its account is the one whose Disable was executed, which nobody has written since: another has no Disable Timeout, or
 * not that one. */
static bool is_still_disabled(bj_oracle *o, const oracle_peer *p) {
    const oracle_instance *security, *server;
    return oracle_account_at(o, &p->address, &security, &server, NULL) &&
           security->edition == p->standing.editions[0] && server->edition == p->standing.editions[1];
}

/* LwM2M Core 1.1 §6.2.1.2, E.2 (/1/x/8, /1/x/22): a server has several transports, or addresses; who registers over one
 * of them has left the others, and tells them nothing. */
static void leave_other_transports(bj_oracle *o, const oracle_peer *p) {
    for (unsigned i = 0; i < o->peer_count; i++) {
        oracle_peer *other = &o->peers[i];
        if (other != p && other->standing.held && oracle_may_share_account(o, &p->address, &other->address)) {
            other->standing.held = false;
            relieve(other);
        }
    }
}

static void register_sent(bj_oracle *o, oracle_peer *p, const oracle_seen *s) {
    oracle_standing *st = &p->standing;
    check_queue(o, s);
    if (st->back && s->time + oracle_early(o) < st->back && is_still_disabled(o, p)) {
        oracle_break(o, BJ_RULE_REG_DISABLE, s->time, s->event->sequence,
                     "a Register %.3f s before the Disable Timeout is over", (double) (st->back - s->time) / 1e6);
    }
    st->held = false;
    st->back = 0;
    relieve(p);
    leave_other_transports(o, p);
}

static void deregister_sent(bj_oracle *o, oracle_peer *p, const oracle_own *own, const oracle_seen *s) {
    oracle_standing *st = &p->standing;
    check_location(o, st, own, s);
    if (st->held && st->sent_away && !st->dismissed && !o->stopping && o->attempt.trigger == BJ_NEVER &&
        o->attempt.last <= st->since && s->time < st->since + BJ_SECOND) {
        oracle_break(o, BJ_RULE_REG_DISABLE, s->time, s->event->sequence,
                     "Disable was over, and the client de-registers again as soon as it has registered");
    }
    st->sent_away = st->dismissed;
    st->dismissed = st->held = false;
    relieve(p);
}

static void client_asked(bj_oracle *o, const oracle_seen *s) {
    const oracle_own *own = oracle_own_at(o, 0);
    oracle_peer *p = oracle_peer_of(o, &s->peer, true);
    bool anew = own && own->event == s->event->sequence && own->copies == 1 && own->length == s->length;
    if (!anew || !p) {
        return;
    }
    if (own->purpose == ORACLE_BOOTSTRAP || own->purpose == ORACLE_PACK) {
        relieve_all(o);
    } else if (own->purpose == ORACLE_REGISTER) {
        register_sent(o, p, s);
    } else if (own->purpose == ORACLE_UPDATE) {
        update_sent(o, p, own, s);
    } else if (own->purpose == ORACLE_DEREGISTER) {
        deregister_sent(o, p, own, s);
    }
}

/* --- its answers ---------------------------------------------------------------------------------------------- */

static bool executes_own(bj_oracle *o, const oracle_foreign *f, unsigned resource) {
    const oracle_instance *security, *server;
    return f->code == 2 && f->path.depth == 3 && f->path.ids[0] == 1 && f->path.ids[2] == resource &&
           oracle_account_at(o, &f->peer, &security, &server, NULL) && server->id == f->path.ids[1];
}

/* LwM2M Core 1.1 E.2, /1/x/5: a day where it is not written. */
static bj_time disable_timeout(const oracle_instance *server) {
    int64_t seconds = server->settings[SERVER_DISABLE_TIMEOUT];
    return (bj_time) (seconds < 0 ? DEFAULT_DISABLE : seconds > INT32_MAX ? INT32_MAX : seconds) * BJ_SECOND;
}

static void disabled(bj_oracle *o, oracle_peer *p, bj_time now) {
    const oracle_instance *security, *server;
    oracle_standing *st = &p->standing;
    bool known = is_judged(o) && oracle_account_at(o, &p->address, &security, &server, NULL);
    relieve(p);
    st->dismissed = true;
    st->back = known ? now + disable_timeout(server) : 0;
    st->editions[0] = known ? security->edition : 0;
    st->editions[1] = known ? server->edition : 0;
}

static void executed(bj_oracle *o, oracle_peer *p, const oracle_foreign *f, const oracle_seen *s) {
    oracle_standing *st = &p->standing;
    bj_coap request;
    bool argued = f->connection >= 0 ? bj_coap_tcp_decode(&request, f->bytes, f->length) != BJ_COAP_OK
                                     : bj_coap_decode(&request, f->bytes, f->length) != BJ_COAP_OK;
    argued = argued || request.payload_length > 1; /* names a transport, which may lead elsewhere */
    if (st->held && !argued && !st->dismissed && executes_own(o, f, SERVER_TRIGGER) && !f->reused) {
        oblige(o, p, ORACLE_DUTY_TRIGGER, s->time + patience(o));
    } else if (st->held && executes_own(o, f, SERVER_DISABLE)) {
        disabled(o, p, s->time);
    } else if (f->code == 2 && f->path.depth == 3 && f->path.ids[0] == 1 && f->path.ids[2] == SERVER_DISABLE) {
        st->sent_away = false; /* whose account that is nobody knows: it may be sent away once more */
    }
}

/* The client said something on its own, a second or more after that request was sent: it listens again since. */
static bool spoke_since_it_was_sent(bj_oracle *o, const oracle_foreign *f, const oracle_seen *s) {
    const oracle_own *own;
    const oracle_peer *p = oracle_peer_of(o, &s->peer, false);
    bj_time from = f->first + BJ_SECOND < s->time ? f->first + BJ_SECOND : p ? p->dozed : s->time;
    for (uint64_t age = 0; (own = oracle_own_at(o, age)); age++) {
        if (bj_coap_is_request(own->code) && own->first >= from && bj_addr_equal(&own->peer, &f->peer)) {
            return true;
        }
    }
    return false;
}

/* §6.5: it came when nobody had exchanged anything with the client for longer than it must listen. */
static bool comes_to_a_sleeper(bj_oracle *o, const oracle_foreign *f) {
    const oracle_own *own;
    bool asleep = !f->secure && f->connection < 0;
    for (uint64_t age = 0; asleep && (own = oracle_own_at(o, age)); age++) { /* it may wait for an answer */
        asleep = own->type != BJ_COAP_CON || own->answered != BJ_NEVER || own->last + 400 * BJ_SECOND < f->first;
    }
    for (unsigned i = 0; i < o->peer_count && asleep; i++) {
        const oracle_peer *p = &o->peers[i];
        bool same = bj_addr_equal(&p->address, &f->peer);
        bj_time last = same && p->woke >= f->first ? p->dozed : oracle_falls_asleep(o, p);
        asleep = last + BJ_SECOND < f->first;
    }
    return asleep;
}

static void client_answered(bj_oracle *o, const oracle_seen *s) {
    oracle_foreign *f = oracle_request_of(o, s);
    oracle_peer *p = f ? oracle_peer_of(o, &s->peer, false) : NULL;
    if (!p || f->responses != 1 || f->acks > 1) {
        return;
    }
    bool finishes = f->operation == ORACLE_OP_FINISH && s->m.code >> 5 == 2;
    if (finishes && (o->attempt.phase != ORACLE_FINISHED || o->attempt.finished_at != s->time)) {
        relieve_all(o); /* of a session that only the client knows of, and what was written in it */
    }
    bool done = s->m.code != BJ_COAP_CODE(4, 2); /* a library may refuse an option by itself, whoever listens */
    if (is_judged(o) && done && f->slept && spoke_since_it_was_sent(o, f, s)) {
        BJ_TEXT(what, 200);
        oracle_describe_foreign(f, &what);
        oracle_break(o, BJ_RULE_QUEUE_WAKE, s->time, s->event->sequence,
                     "%s was sent while the client did not listen, and is done when it does again", what.start);
    } else if (is_judged(o) && done && f->slept && s->time < f->first + BJ_SECOND && comes_to_a_sleeper(o, f)) {
        oracle_break(o, BJ_RULE_QUEUE_AWAKE, s->time, s->event->sequence,
                     "the client listens for more than MAX_TRANSMIT_WAIT after the last exchange");
    }
    if (s->m.code >> 5 == 2) {
        executed(o, p, f, s);
    }
}

/* --- what reaches it ------------------------------------------------------------------------------------------ */

static void update_refused(bj_oracle *o, oracle_peer *p, const oracle_own *own, const oracle_seen *s) {
    const oracle_instance *security, *server;
    bool known = oracle_account_at(o, &p->address, &security, &server, NULL);
    int64_t timer = known ? server->settings[SERVER_RETRY_TIMER] : -1;
    bj_time more = (bj_time) (timer > 0 && timer < INT32_MAX ? timer : 0) * BJ_SECOND;
    bj_coap m;
    bool awaited = p->standing.held && !p->standing.dismissed; /* who leaves, by itself or by Disable, stays away */
    p->standing.held = false;
    bool read = own->connection >= 0 ? bj_coap_tcp_decode(&m, own->bytes, own->length) == BJ_COAP_OK
                                     : bj_coap_decode(&m, own->bytes, own->length) == BJ_COAP_OK;
    if (own->answer == FOUND_NOT && read && read_location(&m, BJ_COAP_URI_PATH, &p->standing.dead) && known &&
        awaited) {
        oblige(o, p, ORACLE_DUTY_RENEW, s->time + patience(o) + more + o->attempt.holdoff);
    }
}

static void note_account(bj_oracle *o, oracle_peer *p) {
    const oracle_instance *security, *server;
    oracle_standing *st = &p->standing;
    st->known = o->attempt.phase != ORACLE_SESSION && oracle_account_at(o, &p->address, &security, &server, NULL);
    if (st->known) {
        st->born[0] = security->born;
        st->born[1] = server->born;
        st->account = account_mark(security);
        compare_settings(o, p, server);
    }
}

/* By what is accepted now, and was said before something else was written. */
static void relieve_what_was_said(oracle_standing *st, const oracle_instance *server) {
    char binding[12];
    plain_binding(server->binding, binding);
    if (server->lifetime == st->lifetime) {
        st->due[ORACLE_DUTY_LIFETIME] = 0;
    }
    if (!strcmp(binding, st->binding)) {
        st->due[ORACLE_DUTY_BINDING] = 0;
    }
}

/* LwM2M Core 1.2 E.2: a Lifetime of 0 has no end. */
static void stands(bj_oracle *o, oracle_peer *p, const oracle_own *own, const oracle_seen *s) {
    oracle_standing *st = &p->standing;
    note_said(st, own);
    st->parted = false;
    if (!p->placed) {
        relieve(p); /* without a Location-Path, or in blocks, a client may take it for refused */
        st->held = false;
    } else if (own->purpose == ORACLE_REGISTER) {
        st->held = true;
        st->ended = STAYS;
        st->secure = s->secure;
        st->since = s->time;
        st->dismissed = false;
        note_account(o, p);
    }
    const oracle_instance *security, *server;
    bool known = oracle_account_at(o, &p->address, &security, &server, NULL);
    if (known) {
        relieve_what_was_said(st, server);
    }
    bool behind = o->attempt.phase == ORACLE_FINISHED && own->first <= o->attempt.finished_at;
    bool left = behind && (!known || has_server_without_keys(o)); /* whatever the server answers by now */
    if (st->held && !st->ended && !st->dismissed && !left && st->lifetime > 0 && st->lifetime < INT32_MAX) {
        oblige(o, p, ORACLE_DUTY_REFRESH, s->time + (bj_time) st->lifetime * BJ_SECOND);
    }
}

static void client_heard(bj_oracle *o, const oracle_seen *s) {
    oracle_own *own = s->stream || s->m.type != BJ_COAP_ACK ? oracle_own_with_token(o, s) : oracle_own_with_mid(o, s);
    oracle_peer *p = oracle_peer_of(o, &s->peer, true);
    if (!p) {
        return;
    }
    if (s->m.code == CREATED) {
        note_location(&p->standing, &s->m);
    }
    if (!own || own->answered != s->time || own->answer != s->m.code) {
        return;
    }
    if ((own->purpose == ORACLE_REGISTER && s->m.code == CREATED) ||
        (own->purpose == ORACLE_UPDATE && s->m.code == BJ_COAP_CODE(2, 4))) {
        stands(o, p, own, s);
    } else if (own->purpose == ORACLE_UPDATE) {
        update_refused(o, p, own, s);
    }
}

/* --- the log -------------------------------------------------------------------------------------------------- */

static void note_read(bj_oracle *o, const oracle_seen *s) {
    oracle_peer *p = oracle_peer_of(o, &s->peer, false);
    if (p && s->time >= p->standing.unread) {
        p->standing.unread = 0;
    }
}

static void seen(bj_oracle *o, const oracle_seen *s) {
    oracle_peer *p = !s->from_client && s->fault != BJ_COAP_OK ? oracle_peer_of(o, &s->peer, true) : NULL;
    if (p) { /* the client may read what our decoder cannot */
        p->standing.unsure = true;
    }
    if (s->from_client && (s->stream ? s->fault == BJ_COAP_OK && s->m.code >> 5 != 7 : s->secure)) {
        note_read(o, s);
    }
    if (s->fault != BJ_COAP_OK) {
        return;
    }
    if (s->from_client && bj_coap_is_response(s->m.code)) {
        client_answered(o, s);
    } else if (s->from_client && bj_coap_is_request(s->m.code)) {
        client_asked(o, s);
    } else if (!s->from_client && bj_coap_is_response(s->m.code)) {
        client_heard(o, s);
    }
    accounts_changed(o);
}

/* What was lost under DTLS nobody saw. */
static void lose(bj_oracle *o) {
    for (unsigned i = 0; i < o->peer_count; i++) {
        if (o->peers[i].standing.secure) {
            relieve(&o->peers[i]);
        }
    }
}

static void begin_life(bj_oracle *o) {
    relieve_all(o);
    for (unsigned i = 0; i < o->peer_count; i++) {
        o->peers[i].standing.held = o->peers[i].standing.dismissed = o->peers[i].standing.sent_away = false;
        o->peers[i].standing.back = 0;
        o->peers[i].standing.dead.length = 0;
    }
}

/* Its session is over, or another begins: who is about to register over that may get nowhere, and try again much later.
 */
static void part(oracle_peer *p) {
    relieve(p);
    p->standing.parted = true;
}

/* A connection is made, or would be. */
static void connects(bj_oracle *o, const bj_event *e) {
    oracle_peer *p = e->to.family ? oracle_peer_of(o, &e->to, false) : NULL;
    if (p) {
        part(p);
    }
    if (p && e->actor == BJ_ACTOR_CLIENT) {
        p->standing.unread = e->time ? e->time : 1;
    }
}

static void disconnects(bj_oracle *o, const bj_event *e) {
    const oracle_connection *c = oracle_connection_of(o, e->number);
    oracle_peer *p = c && e->actor == BJ_ACTOR_CLIENT ? oracle_peer_of(o, &c->peer, false) : NULL;
    if (p) {
        part(p);
    }
    relieve_all(o);
}

enum { CIPHER = 20, ALERT = 21, HANDSHAKE = 22, DATA = 23 };

static bool is_record(const bj_event *e) {
    enum { RECORD_HEAD = 13 };
    return e->actor == BJ_ACTOR_CLIENT && e->raw_length >= RECORD_HEAD && e->raw[1] == 254;
}

/* Records of DTLS: a handshake means that the client is about to say something that may never be seen; a server that
 * has forgotten the session cannot read what the client says in it. */
static void note_record(bj_oracle *o, const bj_event *e) {
    oracle_peer *p = is_record(e) ? oracle_peer_of(o, &e->to, false) : NULL;
    if (p && (e->raw[0] == DATA || e->raw[0] == HANDSHAKE)) {
        p->standing.unread = e->time ? e->time : 1;
    }
    if (p && e->raw[0] >= CIPHER && e->raw[0] <= HANDSHAKE) {
        part(p);
    }
}

/* RFC 5246 §7.2.1: the server ends the session. In clear (RFC 6347 §4.1.2.7) it need not have been the server. */
static void note_alert(bj_oracle *o, const bj_event *e) {
    oracle_peer *p = is_record(e) && e->raw[0] == ALERT ? oracle_peer_of(o, &e->from, false) : NULL;
    bool in_clear = p && !e->raw[3] && !e->raw[4];
    if (p && p->standing.secure && !in_clear) {
        part(p);
    }
}

static void event(bj_oracle *o, const bj_event *e) {
    look_at_the_clock(o);
    switch (e->kind) {
    case BJ_EV_CLIENT_START:
        begin_life(o);
        break;
    case BJ_EV_CLIENT_EXIT:
    case BJ_EV_CLIENT_SIGNAL:
    case BJ_EV_CLIENT_INPUT:
    case BJ_EV_POWER_CUT:
        relieve_all(o);
        break;
    case BJ_EV_ICMP:
        relieve_all(o);
        break;
    case BJ_EV_LOST:
        lose(o);
        break;
    case BJ_EV_FAULT:
        if (!e->number) {
            lose(o);
        }
        break;
    case BJ_EV_SENT:
        note_record(o, e);
        break;
    case BJ_EV_RECEIVED:
        note_alert(o, e);
        break;
    case BJ_EV_STREAM_OPEN:
        connects(o, e);
        break;
    case BJ_EV_STREAM_CLOSED:
        disconnects(o, e);
        break;
    default:
        break;
    }
}

const oracle_def oracle_standings = { .id = "standing", .event = event, .seen = seen };
