/* SPDX-License-Identifier: Apache-2.0
 *
 * What a capture of a run says beside its packets (notes.h), in the scenario that is made of it: what client and
 * servers were given is not deduced then, and the steps that no packet shows stand at their times.
 */
#include <string.h>

#include "capture/script_internal.h"

enum { HANGS_NOTIFY = 3 };

/* Does it speak of this client? The run had one. */
static bool is_of_party(const bj_script *s) {
    const bj_party *one = &s->field->parties.all[s->talk->party];
    const bj_record *client = bj_get_record(s->noted.given, BJ_F(SCENARIO, CLIENT));
    const char *endpoint = bj_get_string(client, BJ_F(CLIENT, ENDPOINT), "dev-1");
    return client && (s->field->parties.count == 1 || !strcmp(one->endpoint, endpoint));
}

void script_read_notes(bj_script *s) {
    s->noted = s->field->noted;
    if (s->noted.given && !is_of_party(s)) {
        s->noted = (bj_noted){ .given = NULL };
    }
}

bool script_put_given(bj_script *s, unsigned field) {
    const bj_value *value = s->noted.given ? bj_get(s->noted.given, field) : NULL;
    if (value) {
        bj_set(s->arena, s->root, field, value);
    }
    return s->noted.given != NULL;
}

/* --- servers -------------------------------------------------------------------------------------------------- */

/* Where it is not given, the packets tell: that of a Bootstrap-Server follows from its URI. */
static bool is_carried(const bj_record *server, const bj_talk_server *t) {
    uint32_t transport = bj_get_uint(server, BJ_F(SERVER, TRANSPORT), t->stream ? BJ_TCP : BJ_UDP);
    return (transport == BJ_TCP || transport == BJ_TLS) == t->stream;
}

static bool is_at(const bj_record *server, const bj_addr *address) {
    const bj_value *all = bj_get(server, BJ_F(SERVER, ADDRESSES));
    bj_addr one;
    if (bj_get_uint(server, BJ_F(SERVER, PORT), 0) != address->port) {
        return false;
    }
    for (size_t i = 0; all && i < all->as.strings.count; i++) {
        const bj_string *text = &all->as.strings.items[i];
        if (bj_addr_parse(text->bytes, text->length, &one) && bj_addr_same_host(&one, address)) {
            return true;
        }
    }
    return false;
}

const bj_named *script_given_server(const bj_script *s, unsigned server) {
    const bj_value *all = s->noted.given ? bj_get(s->noted.given, BJ_F(SCENARIO, SERVERS)) : NULL;
    const bj_talk_server *t = &s->talk->servers[server];
    for (size_t i = 0; all && i < all->as.named.count; i++) {
        const bj_named *named = &all->as.named.items[i];
        if (named->count && is_carried(named->records[0], t) && is_at(named->records[0], &t->address)) {
            return named;
        }
    }
    return NULL;
}

/* Of the conditions of a link, the packets do not show how large they may be. */
static void put_link(bj_script *s, bj_record *in, unsigned field, const bj_record *given) {
    const bj_value *mtu = given ? bj_get(given, BJ_F(LINK, MTU)) : NULL;
    const bj_record *known = bj_get_record(in, field);
    bj_record *link = known && in->kind == BJ_K_SCENARIO ? bj_record_copy(s->arena, known)
                                                         : bj_record_new(s->arena, BJ_K_LINK, (bj_position){ 0 });
    if (mtu) {
        bj_set(s->arena, link, BJ_F(LINK, MTU), mtu);
        bj_set_record(s->arena, in, field, link);
    }
}

const char *script_given_endpoint(const bj_script *s) {
    const bj_record *client = s->noted.given ? bj_get_record(s->noted.given, BJ_F(SCENARIO, CLIENT)) : NULL;
    return client ? bj_get_string(client, BJ_F(CLIENT, ENDPOINT), "dev-1") : "";
}

bj_time script_given_latency(const bj_script *s) {
    const bj_record *network = bj_get_record(s->noted.given, BJ_F(SCENARIO, NETWORK));
    bj_time latency = network ? bj_get_duration(network, BJ_F(LINK, LATENCY), BJ_MS) : BJ_MS;
    return latency > 10 ? latency : 10;
}

void script_put_mtu(bj_script *s) {
    put_link(s, s->root, BJ_F(SCENARIO, NETWORK),
             s->noted.given ? bj_get_record(s->noted.given, BJ_F(SCENARIO, NETWORK)) : NULL);
}

/* A server that took nobody, and later did, has other keys and suites by then: a Bootstrap-Server those of the client's
 * account. */
static bool is_healed(const bj_script *s, const bj_named *given, bool *bootstrap) {
    bool refused = false;
    *bootstrap = false;
    for (size_t i = 0; i < s->talk->count; i++) {
        const bj_message *m = &s->talk->messages[i];
        if (!m->secure && m->kind != BJ_TALK_RECORD) {
            continue;
        }
        bool it = script_given_server(s, m->server) == given;
        bool alert = m->kind == BJ_TALK_RECORD && m->record == BJ_RECORD_ALERT && !m->encrypted && m->alert;
        refused |= it && alert;
        if (it && refused && m->kind != BJ_TALK_RECORD) {
            *bootstrap = s->talk->servers[m->server].bootstrap;
            return true;
        }
    }
    return false;
}

bj_record *script_given_record(bj_script *s, const bj_named *given) {
    bj_record *r = bj_record_copy(s->arena, given->records[0]);
    bool bootstrap;
    static const unsigned shown[] = { BJ_F(SERVER, NETWORK), BJ_F(SERVER, STATE), BJ_F(SERVER, SETTINGS),
                                      BJ_F(SERVER, MAX_MESSAGE_SIZE) };
    for (unsigned i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        r->fields[shown[i]] = NULL;
    }
    if (is_healed(s, given, &bootstrap)) {
        r->fields[BJ_F(SERVER, SUITES)] = NULL;
    }
    if (bootstrap) {
        r->fields[BJ_F(SERVER, IDENTITY)] = r->fields[BJ_F(SERVER, KEY)] = NULL;
    }
    put_link(s, r, BJ_F(SERVER, NETWORK), bj_get_record(given->records[0], BJ_F(SERVER, NETWORK)));
    return r;
}

/* --- steps ---------------------------------------------------------------------------------------------------- */

/* Its time as those of messages. */
static bj_time time_of(const bj_script *s, uint64_t clock) {
    uint64_t epoch = s->field->parties.seen.epoch;
    return clock > epoch ? clock - epoch : 0;
}

/* An alert in clear is a message like others; what ends a connection of TCP is, too. */
static bool is_shown(const bj_script *s, const bj_noted_step *one) {
    if (one->step->kind == BJ_K_HANG_UP) {
        return bj_get_uint(one->step, BJ_F(HANG_UP, HOW), 0) != HANGS_NOTIFY;
    }
    for (size_t i = 0; i < s->talk->count && one->step->kind == BJ_K_ALERT; i++) {
        const bj_message *m = &s->talk->messages[i];
        if (m->frame >= one->frame && m->kind == BJ_TALK_RECORD && m->record == BJ_RECORD_ALERT && !m->by_client) {
            return !m->encrypted;
        }
    }
    return false;
}

void script_noted_steps(bj_script *s, uint32_t frame) {
    for (; s->next_note < s->noted.count && s->noted.steps[s->next_note].frame <= frame; s->next_note++) {
        const bj_noted_step *one = &s->noted.steps[s->next_note];
        if (is_shown(s, one)) {
            continue;
        }
        bj_time begun = time_of(s, one->begun), gap = script_pause(s, script_since(s, begun));
        script_say(s, "%.3f s: no packet says so, but the run that was captured", (double) begun / 1e6);
        if (gap) {
            bj_record *r = script_step(s, BJ_K_ADVANCE);
            script_put_when(s, r, BJ_F(ADVANCE, FOR), (bj_when){ .earliest = (int64_t) gap, .latest = (int64_t) gap });
        }
        script_step(s, (bj_kind) one->step->kind);
        s->steps[s->count - 1] = one->step;
        s->base = time_of(s, one->ended) > s->base ? time_of(s, one->ended) : s->base;
    }
}
