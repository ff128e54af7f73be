/* SPDX-License-Identifier: Apache-2.0
 *
 * After the script: the world is healed, and the client must become registered within a bounded time (verdicts.md,
 * "After the script"). Faults and bad links are off, names resolve, every server is there and well-behaved; where the
 * client tries a name or an address that no server of the scenario has, one appears. A Bootstrap-Server that is asked
 * clears the client, writes one account that can be used, and finishes; servers accept registrations.
 *
 * The script's verdict is kept meanwhile; what became of the client stands in the log, and oracles judge it.
 */
#include "script/engine_internal.h"

#include <stdio.h>
#include <string.h>

enum {
    HEALED_ID = 100,
    HEALED_SPACE = 16 << 20,
    TICK_S = 5,
    TICKS = 1 << 17, /* a tick is no shorter than this part of what is left, which counts beyond a week */
    GRACE_MS = 100,
    LONG_LIFE_S = 8 * 86400,
    MOST_STEPS = BJ__HEAL_STEPS,
    FORMAT_TLV = 11542
};

static const char healed_host[] = "192.0.2.250";

/* --- what is written ------------------------------------------------------------------------------------------ */

static void set_text(bj_engine *e, bj_record *record, unsigned field, const char *text) {
    char *copy = bj_arena_strdup(e->arena, text);
    bj_set(e->arena, record, field, &(bj_value){ .type = BJ_T_STRING, .as.string = { copy, strlen(copy) } });
}

static bj_record *step(bj_engine *e, bj_kind kind, const char *path) {
    bj_record *record = bj_record_new(e->arena, kind, (bj_position){ 0, 0 });
    if (path) {
        set_text(e, record, BJ_F(WRITE, PATH), path);
    }
    return record;
}

static bj_record *write_step(bj_engine *e, const char *path, const bj_node *nodes, size_t count, uint32_t format) {
    bj_record *record = step(e, BJ_K_WRITE, path);
    bj_node *kept = bj_arena_copy(e->arena, nodes, count * sizeof *nodes);
    bj_set(e->arena, record, BJ_F(WRITE, VALUES), &(bj_value){ .type = BJ_T_VALUES, .as.nodes = { kept, count } });
    bj_set(e->arena, record, BJ_F(WRITE, FORMAT), &(bj_value){ .type = BJ_T_UINT, .as.uint = format });
    return record;
}

static bj_node text_node(uint16_t id, const char *text) {
    return (bj_node){ .id = id, .kind = BJ_N_STRING, .bytes = { text, strlen(text) } };
}

static bj_node number_node(uint16_t id, uint8_t kind, int64_t number) {
    return (bj_node){ .id = id, .kind = kind, .integer = number };
}

/* Clears the client, writes an account for the healed server, and finishes. */
static void plan_session(bj_engine *e, uint32_t format) {
    const bj_node security[] = {
        text_node(0, "coap://192.0.2.250:5683"), /* some clients deviate in wanting the port */
        number_node(1, BJ_N_BOOL, 0),
        number_node(2, BJ_N_INT, 3),
        { .id = 3, .kind = BJ_N_OPAQUE, .bytes = { "", 0 } },
        { .id = 4, .kind = BJ_N_OPAQUE, .bytes = { "", 0 } },
        { .id = 5, .kind = BJ_N_OPAQUE, .bytes = { "", 0 } },
        number_node(10, BJ_N_INT, HEALED_ID),
    };
    const bj_node server[] = { number_node(0, BJ_N_INT, HEALED_ID), number_node(1, BJ_N_INT, 86400),
                               number_node(6, BJ_N_BOOL, 0), text_node(7, "U") };
    bj__heal *h = &e->heal;
    h->steps[0] = step(e, BJ_K_DELETE, "/");
    h->steps[1] = write_step(e, "/0/100", security, sizeof security / sizeof security[0], format);
    h->steps[2] = write_step(e, "/1/100", server, sizeof server / sizeof server[0], format);
    h->steps[3] = step(e, BJ_K_FINISH, NULL);
    h->next = 0;
    h->outbound = 0;
}

/* The format that the client prefers, as its request says (`pct`); TLV if it says nothing. */
static uint32_t preferred_format(const bj__exchange *x) {
    bj_coap m;
    unsigned long format = FORMAT_TLV;
    BJ_TEXT(text, 16);
    if (bj__exchange_read(x, &m) && bj_coap_query(&m, "pct", &text)) {
        sscanf(text.start, "%lu", &format);
    }
    return bj_entries_writable((uint32_t) format) ? (uint32_t) format : FORMAT_TLV;
}

/* --- the world ------------------------------------------------------------------------------------------------ */

static bool is_stream(unsigned transport) {
    return transport == BJ_TCP || transport == BJ_TLS;
}

/* Whether a server takes what comes to that address in this way: a port of UDP is none of TCP. */
static bool stands(const bj_engine *e, const bj_addr *address, bj_transport transport) {
    for (unsigned i = 0; i < e->server_count; i++) {
        const bj__server *s = &e->servers[i];
        for (size_t a = 0; a < s->address_count && is_stream(s->transport) == is_stream(transport); a++) {
            if (bj_addr_equal(&s->addresses[a], address)) {
                return true;
            }
        }
    }
    return false;
}

/* A server where no server of the scenario is. */
static void appear(bj_engine *e, const bj_addr *address, bj_transport transport) {
    if (e->server_count == BJ__SERVERS_MOST || stands(e, address, transport)) {
        return;
    }
    bj_record *record = bj_record_new(e->arena, BJ_K_SERVER, (bj_position){ 0, 0 });
    if (transport >= BJ_DTLS && !bj__secure_has_keys(e)) {
        return; /* there is none with which it could be trusted */
    }
    BJ_TEXT(name, 32);
    BJ_TEXT(host, 64);
    bj_addr bare = *address;
    bare.port = 0;
    bj_addr_print(&host, &bare);
    bj_text_printf(&name, "healed-%u", e->server_count);
    set_text(e, record, BJ_F(SERVER, HOST), host.start);
    bj_set(e->arena, record, BJ_F(SERVER, PORT), &(bj_value){ .type = BJ_T_UINT, .as.uint = address->port });
    bj_set(e->arena, record, BJ_F(SERVER, TRANSPORT), &(bj_value){ .type = BJ_T_ENUM, .as.uint = transport });
    bj__server_appear(e, name.start, record);
}

static void resolve(bj_engine *e, const char *name) {
    bj_dns_answer answer = { .status = BJ_DNS_OK, .count = 1 };
    bj_addr_parse(healed_host, sizeof healed_host - 1, &answer.addresses[0]);
    e->ops->set_dns(e->world, name, &answer, 1);
}

void bj__heal_name_failed(bj_engine *e, const char *name) {
    if (e->heal.on) {
        resolve(e, name);
    }
}

/* The client sends something, or connects, maybe to nobody. `data` is NULL for a connection. */
void bj__heal_sends_to(bj_engine *e, const bj_addr *to, const uint8_t *data, size_t length) {
    bool record = length > 1 && data[0] >= 20 && data[0] <= 25 && data[1] == 254;
    bool secure = data ? record : to->port == 5684;
    if (e->heal.on && to->port) {
        appear(e, to, data ? (secure ? BJ_DTLS : BJ_UDP) : secure ? BJ_TLS : BJ_TCP);
    }
}

static void heal_network(bj_engine *e) {
    if (e->ops->clear_faults) {
        e->ops->clear_faults(e->world);
    }
    if (e->ops->order_disk) {
        e->ops->order_disk(e->world, &(bj_disk_order){ .space = HEALED_SPACE });
    }
    for (unsigned i = 0; i < e->server_count && !e->done; i++) {
        bj__server *s = &e->servers[i];
        s->link = (bj_link){ .latency = BJ_MS, .reorder = 1000000 }; /* what was slow before is overtaken */
        s->deduplicates = true;
        if (e->ops->set_link) {
            e->ops->set_link(e->world, (uint8_t) (BJ_ACTOR_SERVER_0 + i), &s->link);
        }
        bj__port(e, s, 0);
        bj__secure_heal(e, s);
    }
    bj_addr address;
    bj_addr_parse(healed_host, sizeof healed_host - 1, &address);
    address.port = 5683;
    appear(e, &address, BJ_UDP);
    bj__heal_names(e, resolve);
    resolve(e, "*"); /* and every other name, when it is asked for */
}

/* --- the course of it ----------------------------------------------------------------------------------------- */

static void conclude(bj_engine *e, bool recovered, const char *how) {
    bj__heal *h = &e->heal;
    bj_event event = { .time = e->ops->now(e->world),
                       .kind = BJ_EV_RECOVERED,
                       .actor = BJ_ACTOR_SCRIPT,
                       .cause = e->cause,
                       .number = recovered,
                       .text = how };
    bj_log_append(e->ops->log(e->world), &event);
    h->on = false;
    bj__end(e, (bj_verdict) h->verdict, h->position, h->cause, h->reason);
}

/* A registration that stands needs not be made again: the Update that keeps it up shows that it does. Which may be
 * long after; of one that lasts longer than the run could wait it is taken on trust. */
static bj_time proof_since(const bj_engine *e, const bj__server *s, bj_time since) {
    bool endless = !s->lifetime_s || s->lifetime_s > LONG_LIFE_S; /* LwM2M Core 1.1 E.2: 0 is for ever */
    bj_time lifetime = endless ? 0 : s->lifetime_s * BJ_SECOND;
    bool stands = since != BJ_NEVER && (endless || since + lifetime > e->now);
    return stands && endless ? BJ_NEVER : stands ? since + lifetime : 0;
}

/* BJ_NEVER: one is taken on trust; 0: none stands. */
static bj_time proof_of_registration(const bj_engine *e) {
    bj_time latest = 0;
    for (unsigned i = 0; i < e->server_count; i++) {
        const bj__server *s = &e->servers[i];
        latest = bj__max(latest, proof_since(e, s, s->registered_at));
        latest = bj__max(latest, proof_since(e, s, s->perhaps_at));
    }
    return latest;
}

static void note_recovery(bj_engine *e) {
    e->heal.recovered_at = bj__min(e->heal.recovered_at, e->now + GRACE_MS * BJ_MS);
}

/* Of an answer that the client awaits its registration is taken on trust; what comes later it may drop. */
static bool is_awaited(const bj_engine *e, const bj__exchange *x) {
    return e->now - x->arrived <= bj__transmit_wait(e);
}

/* What the script left without an answer gets one now, for which the client may have waited, or not. */
static void note_late_answers(bj_engine *e) {
    for (const bj__exchange *x = e->oldest; x; x = x->newer) {
        if (!x->settled && x->purpose == BJ__REGISTER) {
            e->servers[x->server].perhaps_at = e->now;
        }
    }
}

static void accept_registration(bj_engine *e, bj__exchange *x) {
    bj_record *reply = bj_record_new(e->arena, BJ_K_RESPOND, (bj_position){ 0, 0 });
    bj_codes created = { { 0 } };
    created.bits[1] |= (uint64_t) 1 << (BJ_COAP_CODE(2, 1) & 63);
    bj_set(e->arena, reply, BJ_F(RESPOND, CODE), &(bj_value){ .type = BJ_T_CODES, .as.codes = created });
    set_text(e, reply, BJ_F(RESPOND, LOCATION), "/rd/healed");
    bj__send_reply(e, NULL, x, reply, x->event, false);
    if (is_awaited(e, x)) {
        note_recovery(e);
    }
}

/* The script accepted that Register, and what it said to it has been said once more, over a link that loses nothing. */
void bj__heal_repeated(bj_engine *e, const bj__exchange *x) {
    if (e->heal.on && x->purpose == BJ__REGISTER && x->location) {
        note_recovery(e);
    }
}

static void answer(bj_engine *e, bj__exchange *x) {
    bj__heal *h = &e->heal;
    switch (x->purpose) {
    case BJ__BOOTSTRAP:
        bj__send_plain_reply(e, x, BJ_COAP_CODE(2, 4), x->event);
        h->server = x->server;
        plan_session(e, preferred_format(x));
        h->begins = e->now + 10 * BJ_MS;
        break;
    case BJ__REGISTER:
        accept_registration(e, x);
        break;
    case BJ__UPDATE:
        bj__send_plain_reply(e, x, BJ_COAP_CODE(2, 4), x->event);
        note_recovery(e);
        break;
    case BJ__PACK:
        bj__send_plain_reply(e, x, BJ_COAP_CODE(5, 1), x->event);
        break;
    case BJ__DEREGISTER:
        bj__send_plain_reply(e, x, BJ_COAP_CODE(2, 2), x->event);
        break;
    default: /* an Update of a registration that nobody knows: the client registers anew */
        bj__send_plain_reply(e, x, BJ_COAP_CODE(4, 4), x->event);
        break;
    }
}

static void answer_all(bj_engine *e) {
    for (bj__exchange *x = e->oldest; x && !e->done; x = x->newer) {
        if (!x->settled) {
            answer(e, x);
        }
    }
    e->first_observation = e->end_observation;
}

/* The next command, once the one before is answered. A client that answers nothing is asked again by the message
 * layer, and asks again itself. */
static void play_session(bj_engine *e) {
    bj__heal *h = &e->heal;
    const bj__outbound *o = bj__outbound_of(e, h->outbound);
    bj__server *s = &e->servers[h->server];
    if (h->begins > e->now || h->next >= MOST_STEPS || (o && o->outcome == BJ__OPEN) || !s->peer.known) {
        return;
    }
    o = bj__send_operation(e, NULL, s, h->steps[h->next++], 0);
    h->outbound = o ? o->id : 0;
}

/* Does the scenario give the client an account? One that has none is no client of LwM2M, or has nothing to do. */
static bool has_account(const bj_engine *e) {
    const bj_record *client = bj_get_record(e->scenario, BJ_F(SCENARIO, CLIENT));
    return bj_get(client, BJ_F(CLIENT, BOOTSTRAP)) || bj_get(client, BJ_F(CLIENT, ACCOUNTS));
}

/* A client whose power is cut is given it again. */
static bool is_there(bj_engine *e) {
    return !e->gone || (e->cut && bj__life_begin_again(e) == 0);
}

bool bj__heal_begin(bj_engine *e, bj_verdict verdict, bj_position position, uint32_t cause, const char *reason) {
    const bj_record *given = bj_get_record(e->scenario, BJ_F(SCENARIO, RECOVERY));
    bool judged = e->lenient || verdict == BJ_PASS || verdict == BJ_WARN || verdict == BJ_INCONCLUSIVE;
    bool off = e->leave_unhealed || (given && bj_get(given, BJ_F(RECOVERY, OFF)));
    if (!judged || off || !has_account(e) || e->stopping || !(e->ops->can & BJ_CAN_HEAL) || !is_there(e)) {
        return false;
    }
    bj__heal *h = &e->heal;
    bj__heal_note_all(e);
    h->on = true;
    h->verdict = (uint8_t) verdict;
    h->position = position;
    h->cause = cause;
    h->next = MOST_STEPS;
    h->bound = e->now + bj__heal_bound(e);
    note_late_answers(e);
    bj_time proof = proof_of_registration(e);
    bool registered = e->due.stage == BJ__REGISTERED || proof == BJ_NEVER;
    h->recovered_at = registered ? e->now + GRACE_MS * BJ_MS : BJ_NEVER;
    h->bound = registered ? h->bound : bj__max(h->bound, proof + BJ_SECOND);
    snprintf(h->reason, sizeof h->reason, "%s", reason);
    BJ_TEXT(text, 160);
    bj_text_add(&text, "the script is over, and the world is healed: the client must be registered within ");
    bj_duration_print(&text, h->bound - e->now);
    bool lasts = !e->ops->extend_budget || e->ops->extend_budget(e->world, h->bound + BJ_SECOND);
    bj_event event = { .time = e->now,
                       .kind = BJ_EV_HEALED,
                       .actor = BJ_ACTOR_SCRIPT,
                       .number = (int64_t) h->bound,
                       .other = !lasts,
                       .text = text.start };
    bj_log_append(e->ops->log(e->world), &event);
    e->thread_count = 0;
    heal_network(e);
    bj__heal_go(e);
    return true;
}

void bj__heal_go(bj_engine *e) {
    bj__heal *h = &e->heal;
    answer_all(e);
    play_session(e);
    if (e->done) {
        return;
    }
    if (!is_there(e)) {
        conclude(e, false, "the client ended");
    } else if (e->now >= h->recovered_at) {
        conclude(e, true, "the client is registered");
    } else if (e->now >= h->bound) {
        conclude(e, false, "the client is not registered within the bound");
    }
}

void bj__heal_stuck(bj_engine *e, const char *how) {
    conclude(e, false, how);
}

bj_time bj__heal_timer(const bj_engine *e) {
    const bj__heal *h = &e->heal;
    if (!h->on) {
        return BJ_NEVER;
    }
    bj_time left = h->bound > e->now ? h->bound - e->now : 0;
    bj_time tick = bj__max(TICK_S * BJ_SECOND, left / TICKS);
    bj_time next = bj__min(bj__min(h->bound, h->recovered_at), e->now + tick);
    return h->next < MOST_STEPS && h->begins > e->now ? bj__min(next, h->begins) : next;
}
