/* SPDX-License-Identifier: Apache-2.0
 *
 * Recovery: whatever happened, once every server behaves the client is registered within a bounded time, or it is
 * configured to do nothing, or lawful commands have taken every account from it (verdicts.md, "healing and recovery").
 */
#include "oracle/internal.h"

#include <stdlib.h>
#include <string.h>

/* attach/linked.h: the exit status of a client that finds its state damaged. When the scenario made it so, the client
 * rests lawfully. */
enum { STATE_REFUSED = 3 };
/* /0/x/2, Security Mode */
enum { NO_SEC = 3 };

static void event(bj_oracle *o, const bj_event *e) {
    if (e->kind == BJ_EV_HEALED) {
        o->recovery.tried = true;
        o->recovery.endless = e->other != 0;
        o->recovery.how = "the run ended before its bound";
        o->recovery.how_length = sizeof "the run ended before its bound" - 1;
    } else if (e->kind == BJ_EV_RECOVERED && e->text) {
        o->recovery.registered = e->number != 0;
        o->recovery.how = e->text;
        o->recovery.how_length = e->text_length;
    } else if (e->kind == BJ_EV_CLIENT_EXIT && e->number == STATE_REFUSED && o->config.state_given) {
        o->recovery.refused = true;
    } else if (e->kind == BJ_EV_FAULT && oracle_begins(e, "struck: corrupt")) {
        o->recovery.corrupted = true;
    }
}

static bool exists(const oracle_instance *one, unsigned object) {
    return one->used && !one->deleted && one->object == object;
}

/* LwM2M Core 1.1 §6.1.3.3: with /0/x/12 the account is purged that long after a successful bootstrap. */
static bool is_purged(const bj_oracle *o, const oracle_instance *account) {
    return account->timeout && o->attempt.ever_finished && o->now > o->attempt.finished_at + account->timeout;
}

/* Numbers, however they are written (RFC 3986 §7.4), that are no address at which a server can be: 0, 0.0.0.0, 0x7f.1.
 */
static bool is_odd_number(const char *at, size_t length) {
    bj_addr address;
    bool number = strspn(at, "0123456789.") >= length || (at[0] == '0' && (at[1] | 32) == 'x');
    bool plain = number && bj_addr_parse(at, length, &address) && address.family == 4;
    return number && !(plain && address.ip[0] && address.ip[0] < 224);
}

static bool is_host(const char *at, size_t length) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    bool literal = length > 2 && at[0] == '[' && at[length - 1] == ']';
    bj_addr address;
    if (literal) {
        return bj_addr_parse(at + 1, length - 2, &address) && address.family == 6;
    }
    return length && length < 200 && strspn(at, plain) >= length && !is_odd_number(at, length);
}

static bool is_port(const char *at) {
    size_t length = strspn(at, "0123456789");
    unsigned long port = length && length <= 5 ? strtoul(at, NULL, 10) : 0;
    return port > 0 && port <= UINT16_MAX && !at[length];
}

/* Is that the plain URI of a server: coap://host:port? What is not so plain a client may refuse. */
static bool leads_somewhere(const char *uri) {
    static const char *const schemes[] = { "coap://", "coaps://", "coap+tcp://", "coaps+tcp://" };
    for (unsigned i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t length = strlen(schemes[i]);
        if (!strncmp(uri, schemes[i], length)) {
            const char *host = uri + length, *end = strchr(host, ']'), *colon = strchr(end ? end : host, ':');
            return is_host(host, colon ? (size_t) (colon - host) : strlen(host)) && (!colon || is_port(colon + 1));
        }
    }
    return false;
}

static bool is_nonsense(const bj_oracle_account *account) {
    return account->contradicts || !leads_somewhere(account->uri);
}

/* A client that was told nonsense in the factory never gets to a Bootstrap-Server. */
static bool was_told_nonsense(const bj_oracle *o) {
    for (unsigned i = 0; i < o->config.account_count; i++) {
        if (o->config.accounts[i].bootstrap && is_nonsense(&o->config.accounts[i])) {
            return true;
        }
    }
    return false;
}

/* All that it has is from the factory, and none of it leads to any server. */
static bool has_nothing_but_nonsense(const bj_oracle *o) {
    bool useless = o->config.known && o->config.account_count > 0 && !o->attempt.ever_finished;
    for (unsigned i = 0; i < o->config.account_count; i++) {
        useless &= is_nonsense(&o->config.accounts[i]);
    }
    return useless;
}

static bool may_bootstrap(const bj_oracle *o) {
    if (was_told_nonsense(o)) {
        return false;
    }
    for (unsigned i = 0; i < o->accounts.count; i++) {
        const oracle_instance *one = &o->accounts.items[i];
        if (exists(one, 0) && one->bootstrap == 1 && !is_purged(o, one)) {
            return true;
        }
    }
    return o->accounts.vague && !has_nothing_but_nonsense(o);
}

/* Of a key that was changed on its way, with no harm to the rest of the message, no server knows. */
static bool may_be_used(const bj_oracle *o, const oracle_instance *security) {
    bool key_known = security->mode == NO_SEC || !o->recovery.corrupted;
    return security->bootstrap == 0 && !security->vague && key_known &&
           (!*security->uri || leads_somewhere(security->uri));
}

/* Is there a server account that a registration is to be expected of? */
static bool may_register(const bj_oracle *o) {
    for (unsigned i = 0; i < o->accounts.count && !has_nothing_but_nonsense(o); i++) {
        for (unsigned n = 0; n < o->accounts.count; n++) {
            const oracle_instance *security = &o->accounts.items[i], *server = &o->accounts.items[n];
            if (exists(security, 0) && exists(server, 1) && may_be_used(o, security) &&
                security->ssid == server->ssid && !server->vague && server->returns) {
                return true;
            }
        }
    }
    return false;
}

static bool is_told_to_rest(const bj_oracle *o) {
    bool any = o->recovery.refused;
    for (unsigned i = 0; i < o->accounts.count; i++) {
        any |= exists(&o->accounts.items[i], 1) && !o->accounts.items[i].returns;
    }
    return any || (o->config.known && !o->config.account_count);
}

static bj_recovery outcome(const bj_oracle *o) {
    if (o->recovery.registered) {
        return BJ_RECOVERY_REGISTERED;
    }
    if (is_told_to_rest(o)) {
        return BJ_RECOVERY_IDLE;
    }
    if ((o->recovery.corrupted || o->recovery.resting) && o->accounts.vague) {
        return BJ_RECOVERY_NONE; /* what it was told, and by whom, or whether it has it still, nobody knows */
    }
    if (o->recovery.endless) {
        return BJ_RECOVERY_NONE; /* the run was over before the client need have registered */
    }
    bool returns = may_register(o) && !was_told_nonsense(o); /* a failed registration leads to a bootstrap: to none */
    return may_bootstrap(o) || returns ? BJ_RECOVERY_FAILED : BJ_RECOVERY_BRICKED;
}

static void end(bj_oracle *o) {
    if (!o->recovery.tried) {
        return;
    }
    o->recovery.result = (uint8_t) outcome(o);
    if (o->recovery.result == BJ_RECOVERY_FAILED) {
        oracle_break(o, BJ_RULE_RECOVERY, o->now, 0, "once everything behaves, the client does not recover: %.*s",
                     (int) o->recovery.how_length, o->recovery.how);
    }
}

const oracle_def oracle_recovering = { .id = "recovery",
                                       .hears = ORACLE_HEARS(HEALED) | ORACLE_HEARS(RECOVERED) |
                                                ORACLE_HEARS(CLIENT_EXIT) | ORACLE_HEARS(FAULT),
                                       .event = event,
                                       .end = end };
