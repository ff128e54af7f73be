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

#include "wire/tlv.h"

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

static const bj_time DAY = 86400 * BJ_SECOND;
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

/* --- keys that the client holds ------------------------------------------------------------------------------- */

static const bj_node *node_of(const bj_node *nodes, size_t count, uint16_t id) {
    const bj_node *node = bj_node_find(nodes, count, id);
    return node && node->kind != BJ_N_TREE ? node : NULL;
}

static bj__held *held_of(bj_engine *e, unsigned instance) {
    bj__heal *h = &e->heal;
    for (unsigned i = 0; i < h->held_count; i++) {
        if (h->held[i].instance == instance && h->held[i].pending) {
            return &h->held[i];
        }
    }
    if (h->held_count == BJ__HELD) {
        return NULL;
    }
    bj__held *one = &h->held[h->held_count++];
    *one = (bj__held){ .instance = (uint16_t) instance, .pending = true };
    for (unsigned i = 0; i + 1 < h->held_count; i++) { /* what it was before */
        if (h->held[i].instance == instance && !h->held[i].deleted) {
            *one = h->held[i];
            one->pending = true;
        }
    }
    return one;
}

static const bj_record *bootstrap_account(const bj_engine *e) {
    const bj_record *client = bj_get_record(e->scenario, BJ_F(SCENARIO, CLIENT));
    return bj_get_record(client, BJ_F(CLIENT, BOOTSTRAP));
}

/* Where no scenario says it, it is 0 (docs/porting.md). */
static uint32_t place_of(const bj_record *account) {
    return bj_get_uint(account, BJ_F(ACCOUNT, INSTANCE), 0);
}

/* Is the bootstrap account that the client had from the factory in that instance of /0? */
static bool is_own(const bj_engine *e, unsigned instance) {
    const bj_record *account = bootstrap_account(e);
    return account && place_of(account) == instance;
}

/* What a client holds that was told this: in TLV, which has no types, a number or a Boolean is bytes as any other. */
static bj_string bytes_told(bj_engine *e, const bj_node *node, bool tlv) {
    uint8_t room[16];
    bj_tlv_writer w = { .out = room, .room = sizeof room };
    if (node->kind == BJ_N_STRING || node->kind == BJ_N_OPAQUE) {
        return node->bytes;
    }
    if (tlv && node->kind == BJ_N_INT) {
        bj_tlv_put_int(&w, BJ_TLV_RESOURCE, node->id, node->integer);
    } else if (tlv && node->kind == BJ_N_BOOL) {
        bj_tlv_put_bool(&w, BJ_TLV_RESOURCE, node->id, node->integer != 0);
    }
    const uint8_t *at = room;
    bj_tlv entry = { .length = 0 };
    bj_tlv_next(&at, &w.used, &entry);
    return (bj_string){ bj_arena_strndup(e->arena, (const char *) entry.value, entry.length), entry.length };
}

/* Is it known, from a Write that was accepted, that the instance has a key? */
static bool has_key(const bj_engine *e, unsigned instance) {
    const bj__heal *h = &e->heal;
    for (unsigned i = 0; i < h->held_count && !h->guessing; i++) {
        if (h->held[i].instance == instance) {
            return true;
        }
    }
    return false;
}

static void note_instance(bj_engine *e, unsigned instance, const bj_node *nodes, size_t count, bool tlv) {
    const bj_node *identity = node_of(nodes, count, 3), *key = node_of(nodes, count, 5);
    bool matters = identity && key && (bytes_told(e, key, tlv).length || has_key(e, instance));
    bj__held *one = matters ? held_of(e, instance) : NULL;
    if (one) {
        const bj_node *bootstrap = node_of(nodes, count, 1);
        one->named = true;
        one->bootstrap = bootstrap && bootstrap->kind == BJ_N_BOOL && bootstrap->integer;
        one->identity = bytes_told(e, identity, tlv);
        one->key = bytes_told(e, key, tlv);
    }
}

/* One resource, as bytes or text. */
static void note_resource(bj_engine *e, const bj_record *step, const bj_path *path) {
    const bj_value *bytes = bj_get(step, BJ_F(WRITE, HEX)), *text = bj_get(step, BJ_F(WRITE, TEXT));
    const bj_value *value = bytes ? bytes : text;
    bool matters = value && (path->ids[2] == 3 || path->ids[2] == 5);
    bj__held *one = matters ? held_of(e, path->ids[1]) : NULL;
    if (one && path->ids[2] == 3) {
        one->named = true;
        one->identity = value->as.string;
    } else if (one) {
        one->key = value->as.string;
    }
}

void bj__heal_note_write(bj_engine *e, const bj_record *step) {
    bj_path path = bj_path_of(bj_get_string(step, BJ_F(WRITE, PATH), ""));
    const bj_value *tlv = bj_get(step, BJ_F(WRITE, TLV)), *values = bj_get(step, BJ_F(WRITE, VALUES));
    values = values ? values : tlv;
    if (!path.depth || path.ids[0] != 0) {
        return;
    }
    if (path.depth == 3) {
        note_resource(e, step, &path);
    } else if (path.depth == 2 && values) {
        note_instance(e, path.ids[1], values->as.nodes.items, values->as.nodes.count, values == tlv);
    }
    for (size_t i = 0; path.depth == 1 && values && i < values->as.nodes.count; i++) {
        const bj_node *node = &values->as.nodes.items[i];
        note_instance(e, node->id, node->children, node->child_count, values == tlv);
    }
}

/* The bootstrap account stays, whatever is deleted (LwM2M Core 1.1 §6.1.7.6). What was written in the same session is
 * gone at once, for nothing brings it back; of what was there before the end of the session decides. */
void bj__heal_note_delete(bj_engine *e, const bj_record *step) {
    bj__heal *h = &e->heal;
    bj_path path = bj_path_of(bj_get_string(step, BJ_F(DELETE, PATH), "/"));
    unsigned count = 0;
    for (unsigned i = 0; i < h->held_count; i++) {
        bj__held one = h->held[i];
        bj_path place = { .depth = 2, .ids = { 0, one.instance } };
        one.deleted |= bj_path_begins(&place, &path) && !one.bootstrap && !is_own(e, one.instance);
        h->held[count] = one;
        count += !one.deleted || !one.pending;
    }
    h->held_count = count;
}

/* What was written of an instance in the session that ends well is what the client has of it. */
static bool is_replaced(const bj__heal *h, unsigned held) {
    for (unsigned i = held + 1; i < h->held_count; i++) {
        if (h->held[i].instance == h->held[held].instance) {
            return true;
        }
    }
    return false;
}

void bj__heal_note_session(bj_engine *e, bool kept) {
    bj__heal *h = &e->heal;
    unsigned count = 0;
    for (unsigned i = 0; i < h->held_count; i++) {
        if (kept ? h->held[i].deleted || is_replaced(h, i) : h->held[i].pending) {
            continue;
        }
        h->held[count] = h->held[i];
        h->held[count].deleted = false;
        h->held[count++].pending = false;
    }
    h->held_count = count;
}

/* Where a key was written alone, that which the factory gave the account stays. */
static bj_secure_bytes identity_of(const bj_engine *e, const bj__held *one) {
    bool stays = !one->named && is_own(e, one->instance);
    const bj_value *factory = stays ? bj_get(bootstrap_account(e), BJ_F(ACCOUNT, IDENTITY)) : NULL;
    bj_string given = factory ? factory->as.string : one->identity;
    return (bj_secure_bytes){ (const uint8_t *) given.bytes, given.length };
}

/* What was written last comes first: of two keys for one identity it counts. */
static size_t held_keys(const bj_engine *e, bool pending, bj_secure_psk *psks, size_t n, size_t most) {
    const bj__heal *h = &e->heal;
    for (unsigned i = h->held_count; i-- && n < most;) {
        const bj__held *one = &h->held[i];
        if (one->pending == pending && one->key.length && one->key.length <= 32) {
            bj_secure_bytes key = { (const uint8_t *) one->key.bytes, one->key.length };
            psks[n++] = (bj_secure_psk){ identity_of(e, one), key };
        }
    }
    return n;
}

size_t bj__heal_keys(const bj_engine *e, bj_secure_psk *psks, size_t count, size_t most) {
    bj_secure_psk factory[BJ__HELD];
    size_t kept = count < BJ__HELD ? count : BJ__HELD, n = 0;
    memcpy(factory, psks, kept * sizeof *psks);
    n = held_keys(e, false, psks, n, most);
    for (size_t i = 0; i < kept && n < most; i++) {
        psks[n++] = factory[i];
    }
    return held_keys(e, true, psks, n, most); /* that may have been taken */
}

/* --- what the script wrote ------------------------------------------------------------------------------------ */

enum { USUAL_ATTEMPTS = 5 }; /* where no other number is written: Core E.2, /1/x/17 */

/* Every Write and Execute in the scenario is given to `step`; every list of a Write's values, its own ids first, to
 * `look`. Either may be NULL. */
typedef struct values_walk {
    void (*look)(struct values_walk *walk, const bj_node *nodes, size_t count);
    void (*step)(struct values_walk *walk, const bj_record *step);
    bj_engine *engine;
    bj_time waits;
    uint32_t account; /* the instance of /0 that holds the bootstrap account */
    bool struck, disabled, persists, alone;
} values_walk;

static void walk_nodes(values_walk *w, const bj_node *nodes, size_t count) { /* as deep as LwM2M's paths */
    if (w->look) {
        w->look(w, nodes, count);
    }
    for (size_t i = 0; i < count; i++) {
        if (nodes[i].kind == BJ_N_TREE) {
            walk_nodes(w, nodes[i].children, nodes[i].child_count);
        }
    }
}

static void walk_record(values_walk *w, const bj_record *record) { /* as deep as programs may be: BJ_LIMIT_DEPTH */
    if (w->step && (record->kind == BJ_K_WRITE || record->kind == BJ_K_EXECUTE)) {
        w->step(w, record);
    }
    for (unsigned f = 0; f < record->field_limit; f++) {
        const bj_value *value = record->fields[f];
        const bj_record *inside;
        const bj_string *name;
        if (value && value->type == BJ_T_VALUES && record->kind == BJ_K_WRITE) {
            walk_nodes(w, value->as.nodes.items, value->as.nodes.count);
        }
        for (size_t i = 0; value && (inside = bj_value_record(value, i, &name)); i++) {
            walk_record(w, inside);
        }
    }
}

/* /1/x/5, /14, /18 and /19 are times of waiting, in seconds, and so is /0/x/11, whether the engine heard of it or not;
 * /18 doubles with every attempt. */
static void look_for_waits(values_walk *w, const bj_node *nodes, size_t count) {
    static const struct {
        uint16_t id;
        unsigned times;
    } waits[] = { { 5, 1 }, { 11, 4 }, { 14, 1 }, { 18, 32 }, { 19, 1 } };
    for (unsigned i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        const bj_node *node = node_of(nodes, count, waits[i].id);
        int64_t seconds = node ? bj__node_number(node) : 0;
        w->waits += seconds > 0 && seconds < 10 * 86400 ? (bj_time) seconds * waits[i].times * BJ_SECOND : 0;
    }
}

static void walk_all(values_walk *w, const bj_engine *e) {
    walk_record(w, e->scenario);
    for (size_t i = e->fed_own; i < e->fed_count; i++) {
        walk_record(w, e->fed[i]);
    }
}

static bj_time written_waits(const bj_engine *e) {
    values_walk w = { .look = look_for_waits };
    walk_all(&w, e);
    return w.waits;
}

static bj_path path_of(const bj_record *step) {
    return bj_path_of(step->kind == BJ_K_WRITE ? bj_get_string(step, BJ_F(WRITE, PATH), "")
                                               : bj_get_string(step, BJ_F(EXECUTE, PATH), ""));
}

/* A Write that nobody heard an answer to may have been taken, with its Finish. */
static void look_for_keys(values_walk *w, const bj_record *step) {
    if (step->kind == BJ_K_WRITE) {
        bj__heal_note_write(w->engine, step);
    }
}

static void note_all_keys(bj_engine *e) {
    values_walk w = { .step = look_for_keys, .engine = e };
    bj__heal_note_session(e, false);
    e->heal.guessing = true;
    walk_all(&w, e);
    e->heal.guessing = false;
}

/* Is the bootstrap account written over? Then it may be one no more. */
static void look_for_account(values_walk *w, const bj_record *step) {
    bj_path path = path_of(step);
    w->struck |= path.depth && path.ids[0] == 0 && (path.depth == 1 || path.ids[1] == w->account);
}

static bool account_is_struck(const bj_engine *e, const bj_record *account) {
    values_walk w = { .step = look_for_account, .account = place_of(account) };
    walk_all(&w, e);
    return w.struck;
}

/* The client is told to try more often than is usual (Core E.2, /1/x/17), or how often cannot be read here: the wait
 * between two attempts doubles each time, so that it is no longer than all that were before it, and the first once
 * more. */
static void look_for_attempts(values_walk *w, const bj_node *nodes, size_t count) {
    const bj_node *attempts = node_of(nodes, count, 17);
    int64_t number = attempts ? bj__node_number(attempts) : USUAL_ATTEMPTS;
    w->persists |= number < 1 || number > USUAL_ATTEMPTS;
}

static void look_for_attempts_alone(values_walk *w, const bj_record *step) {
    bj_path path = path_of(step);
    w->persists |= path.depth == 3 && path.ids[0] == 1 && path.ids[2] == 17;
}

static bj_time tries_on(const bj_engine *e) {
    values_walk w = { .look = look_for_attempts, .step = look_for_attempts_alone };
    walk_all(&w, e);
    return w.persists ? e->now : 0;
}

/* A server sends the client away for a day, where nobody wrote another time (Core E.2, /1/x/4 and /5). */
static void look_for_disable(values_walk *w, const bj_record *step) {
    bj_path path = path_of(step);
    w->disabled |= path.depth == 3 && path.ids[0] == 1 && path.ids[2] == 4;
}

static bool is_sent_away(const bj_engine *e) {
    values_walk w = { .step = look_for_disable };
    walk_all(&w, e);
    return w.disabled;
}

/* The client shall not turn to its Bootstrap-Server when a registration fails, perhaps (Core E.2, /1/x/16). */
static void look_for_alone(values_walk *w, const bj_node *nodes, size_t count) {
    const bj_node *turns = node_of(nodes, count, 16);
    w->alone |= turns && (turns->kind != BJ_N_BOOL || !turns->integer);
}

static void look_for_alone_in_one(values_walk *w, const bj_record *step) {
    bj_path path = path_of(step);
    w->alone |= path.depth == 3 && path.ids[0] == 1 && path.ids[2] == 16;
}

static bool is_alone(const bj_engine *e) {
    values_walk w = { .look = look_for_alone, .step = look_for_alone_in_one };
    walk_all(&w, e);
    return w.alone;
}

/* --- how long it may take ------------------------------------------------------------------------------------- */

/* The longest that a registration may wait between attempts: what was written of /1/x/14, /18, /19 (Core E.2), or
 * the recommended defaults. */
static bj_time retry_sequence(const bj_engine *e, bj_time wait) {
    bj_time usual = (60 + 120 + 240 + 480) * BJ_SECOND + USUAL_ATTEMPTS * wait;
    return bj__add(usual, (int64_t) bj__min(written_waits(e), 30 * 86400 * BJ_SECOND));
}

/* Has the client a bootstrap account that nothing takes away: no Write, and no time-out (Core E.1, /0/x/12)? And may
 * it go there? */
static bool can_bootstrap_at_last(const bj_engine *e) {
    const bj_record *account = bootstrap_account(e);
    bool stays = account && !bj_get_duration(account, BJ_F(ACCOUNT, TIMEOUT), 0) && !account_is_struck(e, account);
    return stays && !is_alone(e);
}

/* RFC 7252 §4.8.2, MAX_TRANSMIT_WAIT. */
static bj_time transmit_wait(const bj_engine *e) {
    return e->ack_timeout * (((bj_time) 2 << e->max_retransmit) - 1) / 1000 * (e->ack_random_factor / 1000);
}

static bj_time bound(const bj_engine *e) {
    const bj_time wait = transmit_wait(e);
    bj_time finish = bj_get_duration(e->profile, BJ_F(PROFILE, FINISH_TIMEOUT), e->exchange_lifetime);
    bj__range holdoff = bj__holdoff(e, 30);
    bj_time cap = holdoff.late == BJ_NEVER ? 2 * holdoff.early + 3600 * BJ_SECOND : holdoff.late;
    bj_time margin = 60 * BJ_SECOND + 3 * wait + e->tolerance;
    /* Core E.2, /1/x/19: the recommended delay between sequences of registrations, where no bootstrap ends the waiting.
     */
    margin += can_bootstrap_at_last(e) ? 0 : DAY;
    margin += is_sent_away(e) ? DAY : 0;
    margin += tries_on(e);
    return bj__max(finish, e->exchange_lifetime) + 3 * cap + retry_sequence(e, wait) + margin;
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
    return e->now - x->arrived <= transmit_wait(e);
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
    note_all_keys(e);
    h->on = true;
    h->verdict = (uint8_t) verdict;
    h->position = position;
    h->cause = cause;
    h->next = MOST_STEPS;
    h->bound = e->now + bound(e);
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
