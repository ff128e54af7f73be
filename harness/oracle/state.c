/* SPDX-License-Identifier: Apache-2.0
 *
 * The state machines of a client that tells of them (attach/linked.h: "machine: old -> new: cause"): a machine moves on
 * from the state that it is in, and a server is registered when a Register was accepted, not before.
 */
#define _GNU_SOURCE
#include "oracle/internal.h"
#include "oracle/words.h"

#include <string.h>

static bool same(const word *w, const char *text) {
    return strlen(text) == w->length && !memcmp(w->at, text, w->length);
}

static void keep(char *room, size_t size, const word *w) {
    size_t length = w->length < size ? w->length : size - 1;
    memcpy(room, w->at, length);
    room[length] = '\0';
}

static oracle_machine *machine_of(bj_oracle *o, const word *name) {
    for (unsigned i = 0; i < o->machine_count; i++) {
        if (same(name, o->machines[i].name)) {
            return &o->machines[i];
        }
    }
    if (o->machine_count == ORACLE_MACHINES || name->length >= sizeof o->machines[0].name) {
        return NULL;
    }
    oracle_machine *m = &o->machines[o->machine_count++];
    *m = (oracle_machine){ .state = "" };
    keep(m->name, sizeof m->name, name);
    return m;
}

/* Under DTLS and TLS what reaches the client is seen when it arrives, so that this is certain in every transport. */
static bool any_registered(const bj_oracle *o) {
    for (unsigned i = 0; i < o->peer_count; i++) {
        if (o->peers[i].registered || o->peers[i].doubtful) {
            return true;
        }
    }
    return false;
}

/* Two servers of the factory have one Short Server ID: their machines have one name. */
static bool shares_its_name(const bj_oracle *o, const oracle_machine *m) {
    bool shares = false;
    if (strncmp(m->name, "server ", 7) != 0) {
        return false;
    }
    for (unsigned i = 0; i < o->config.account_count; i++) {
        for (unsigned n = 0; n < i; n++) {
            const bj_oracle_account *a = &o->config.accounts[i], *b = &o->config.accounts[n];
            shares |= !a->bootstrap && !b->bootstrap && a->ssid == b->ssid;
        }
    }
    return shares;
}

static void moved(bj_oracle *o, const bj_event *e) {
    const char *at = e->text, *end = e->text + e->text_length;
    word name = word_until(&at, end, ": "), from = word_until(&at, end, " -> "), to = word_until(&at, end, ": ");
    oracle_machine *m = from.length && to.length ? machine_of(o, &name) : NULL;
    if (!m) {
        return;
    }
    if (!*m->state) {
        keep(m->initial, sizeof m->initial, &from);
    }
    bool another = same(&from, m->initial) || shares_its_name(o, m); /* one that begins anew is another */
    if (*m->state && !same(&from, m->state) && !another) {
        oracle_break(o, BJ_RULE_CLIENT_STATE, e->time, e->sequence, "'%s' moves on from '%.*s', but was in '%s'",
                     m->name, (int) from.length, from.at, m->state);
    }
    if (same(&to, "registered") && !any_registered(o)) {
        oracle_break(o, BJ_RULE_CLIENT_STATE, e->time, e->sequence, "'%s' is registered, and no Register was accepted",
                     m->name);
    }
    keep(m->state, sizeof m->state, &to);
}

static void event(bj_oracle *o, const bj_event *e) {
    if (e->kind == BJ_EV_CLIENT_STATE && e->text) {
        moved(o, e);
    } else if (e->kind == BJ_EV_CLIENT_START || e->kind == BJ_EV_CLIENT_EXIT) {
        o->machine_count = 0;
    }
}

const oracle_def oracle_states = { .id = "state",
                                   .hears = ORACLE_HEARS(CLIENT_STATE) | ORACLE_HEARS(CLIENT_START) |
                                            ORACLE_HEARS(CLIENT_EXIT),
                                   .event = event };
