/* SPDX-License-Identifier: Apache-2.0
 *
 * The servers of a scenario: their names, addresses and ports; what names resolve to; the conditions of links; and
 * what a scenario needs of a world.
 */
#define _GNU_SOURCE
#include "script/engine_internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* --- looking up --- */

bj__server *bj__server_named(bj_engine *e, const char *name) {
    for (unsigned i = 0; i < e->server_count; i++) {
        if (!strcmp(e->servers[i].name, name)) {
            return &e->servers[i];
        }
    }
    return NULL;
}

bj__server *bj__server_at_endpoint(bj_engine *e, int endpoint) {
    for (unsigned i = 0; i < e->server_count; i++) {
        for (size_t a = 0; a < e->servers[i].address_count; a++) {
            if (e->servers[i].endpoints[a] == endpoint) {
                return &e->servers[i];
            }
        }
    }
    return NULL;
}

bj__server *bj__server_at(bj_engine *e, const bj_addr *address) {
    for (unsigned i = 0; i < e->server_count; i++) {
        for (size_t a = 0; a < e->servers[i].address_count; a++) {
            if (bj_addr_equal(&e->servers[i].addresses[a], address)) {
                return &e->servers[i];
            }
        }
    }
    return NULL;
}

static bool has_address(const bj__server *s, const char *host, size_t length) {
    bj_addr wanted;
    if (!bj_addr_parse(host, length, &wanted)) {
        return false;
    }
    for (size_t a = 0; a < s->address_count; a++) {
        if (bj_addr_same_host(&s->addresses[a], &wanted)) {
            return true;
        }
    }
    return false;
}

bj__server *bj__server_of_host(const bj_engine *e, const char *host, size_t length) {
    for (unsigned i = 0; i < e->server_count; i++) {
        const bj__server *s = &e->servers[i];
        if ((strlen(s->host) == length && !memcmp(s->host, host, length)) || has_address(s, host, length)) {
            return (bj__server *) (uintptr_t) s;
        }
    }
    return NULL;
}

/* --- making them --- */

/* The scenario's bootstrap URI, or what stands for it. */
static void bootstrap_uri(const bj_engine *e, bj__uri *uri) {
    const bj_record *client = bj_get_record(e->scenario, BJ_F(SCENARIO, CLIENT));
    const bj_record *account = bj_get_record(client, BJ_F(CLIENT, BOOTSTRAP));
    const char *text = bj_get_string(account, BJ_F(ACCOUNT, URI), "coap://bs.example");
    if (!bj__uri_parse(text, strlen(text), uri)) {
        static const char otherwise[] = "coap://bs.example";
        bj__uri_parse(otherwise, sizeof otherwise - 1, uri);
    }
}

void bj__read_link(const bj_record *record, bj_link *link) {
    link->latency = bj_get_duration(record, BJ_F(LINK, LATENCY), link->latency);
    link->jitter = bj_get_duration(record, BJ_F(LINK, JITTER), link->jitter);
    link->loss = bj_get_uint(record, BJ_F(LINK, LOSS), link->loss);
    link->duplicate = bj_get_uint(record, BJ_F(LINK, DUPLICATE), link->duplicate);
    link->reorder = bj_get_uint(record, BJ_F(LINK, REORDER), link->reorder);
    link->mtu = bj_get_uint(record, BJ_F(LINK, MTU), link->mtu);
}

static void read_host(bj_engine *e, bj__server *s, const bj_record *record) {
    bj__uri uri;
    bootstrap_uri(e, &uri);
    bool bootstrap = !strcmp(s->name, "bs");
    uint8_t transport = bootstrap ? (uint8_t) ((uri.stream ? 1 : 0) + (uri.secure ? 2 : 0)) : BJ_UDP;
    s->transport = (uint8_t) bj_get_uint(record, BJ_F(SERVER, TRANSPORT), transport);
    const char *host = bj_get_string(record, BJ_F(SERVER, HOST), NULL);
    BJ_TEXT(otherwise, 300);
    if (bootstrap) {
        bj_text_add_bytes(&otherwise, uri.host, uri.host_length);
    } else {
        bj_text_add(&otherwise, s->name);
        bj_text_add(&otherwise, ".example");
    }
    s->host = bj_arena_strdup(e->arena, host ? host : otherwise.start);
    bool secure = s->transport >= BJ_DTLS;
    uint16_t port = bootstrap && uri.secure == secure ? uri.port : secure ? 5684 : 5683;
    s->port = (uint16_t) bj_get_uint(record, BJ_F(SERVER, PORT), port);
}

static void add_address(bj__server *s, const char *text, size_t length) {
    bj_addr address;
    if (s->address_count < BJ__ADDRESSES && bj_addr_parse(text, length, &address) && !bj_is_clients_address(&address)) {
        address.port = s->port;
        s->endpoints[s->address_count] = -1;
        s->addresses[s->address_count++] = address;
    }
}

/* 192.0.2.(10+index) and 2001:db8::(10+index) unless given; a host that is an address stands for itself. */
static void read_addresses(bj__server *s, const bj_record *record) {
    const bj_value *given = bj_get(record, BJ_F(SERVER, ADDRESSES));
    for (size_t i = 0; given && i < given->as.strings.count; i++) {
        add_address(s, given->as.strings.items[i].bytes, given->as.strings.items[i].length);
    }
    s->addresses_given = s->address_count > 0;
    if (!s->address_count) {
        add_address(s, s->host, strlen(s->host));
    }
    if (!s->address_count) {
        BJ_TEXT(text, 64);
        bj_text_add(&text, "192.0.2.");
        bj_text_add_number(&text, 10U + s->index);
        add_address(s, text.start, text.used);
        text = bj_text_over(text_room, sizeof text_room);
        bj_text_printf(&text, "2001:db8::%x", 0x10U + s->index);
        add_address(s, text.start, text.used);
    }
}

static void add_server(bj_engine *e, const char *name, size_t length, const bj_record *record) {
    if (e->server_count == (e->heal.on ? BJ__SERVERS_MOST : BJ__SERVERS)) {
        return;
    }
    bj__server *s = &e->servers[e->server_count];
    *s = (bj__server){ .index = (uint8_t) e->server_count, .record = record, .link = { .latency = BJ_MS } };
    s->name = bj_arena_strndup(e->arena, name, length);
    s->deduplicates = bj_get_bool(record, BJ_F(SERVER, DEDUPLICATES), true);
    s->state = (uint8_t) bj_get_uint(record, BJ_F(SERVER, STATE), 0);
    read_host(e, s, record);
    read_addresses(s, record);
    if (!e->heal.on) {
        bj__read_link(bj_get_record(e->scenario, BJ_F(SCENARIO, NETWORK)), &s->link);
    }
    bj__read_link(bj_get_record(record, BJ_F(SERVER, NETWORK)), &s->link);
    e->server_count++;
}

void bj__servers_new(bj_engine *e) {
    bj__uri uri;
    bootstrap_uri(e, &uri);
    e->bootstrap_host = bj_arena_strndup(e->arena, uri.host, uri.host_length);
    e->bootstrap_port = uri.port;
    const bj_value *given = bj_get(e->scenario, BJ_F(SCENARIO, SERVERS));
    if (!given) {
        add_server(e, "bs", 2, NULL);
        add_server(e, "mgmt", 4, NULL);
        return;
    }
    for (size_t i = 0; i < given->as.named.count; i++) {
        const bj_named *named = &given->as.named.items[i];
        add_server(e, named->name.bytes, named->name.length, named->count ? named->records[0] : NULL);
    }
}

/* --- names --- */

static void add_answer_address(bj_engine *e, bj_dns_answer *answer, const bj_string *text) {
    bj_addr address;
    const bj__server *s = bj__server_named(e, text->bytes);
    if (!s && !bj_addr_parse(text->bytes, text->length, &address)) {
        return;
    }
    size_t count = s ? (s->addresses_given ? s->address_count : 1) : 1;
    for (size_t i = 0; i < count && answer->count < BJ_DNS_ADDRESSES; i++) {
        answer->addresses[answer->count++] = s ? s->addresses[i] : address;
    }
}

static void read_answer(bj_engine *e, const bj_record *record, bj_dns_answer *answer) {
    *answer = (bj_dns_answer){ .status = (uint8_t) bj_get_uint(record, BJ_F(DNS_ANSWER, STATUS), BJ_DNS_OK),
                               .delay = bj_get_duration(record, BJ_F(DNS_ANSWER, DELAY), 0),
                               .times = bj_get_uint(record, BJ_F(DNS_ANSWER, TIMES), 0) };
    const bj_value *addresses = bj_get(record, BJ_F(DNS_ANSWER, ADDRESSES));
    for (size_t i = 0; addresses && i < addresses->as.strings.count; i++) {
        add_answer_address(e, answer, &addresses->as.strings.items[i]);
    }
    if (answer->status == BJ_DNS_OK && !answer->count) {
        answer->status = BJ_DNS_NODATA;
    }
}

void bj__set_names(bj_engine *e, const char *name, const bj_record *const *answers, size_t count) {
    if (!e->ops->set_dns || !count) {
        return;
    }
    bj_dns_answer *list = bj_arena_calloc(e->arena, count, sizeof *list);
    for (size_t i = 0; i < count; i++) {
        read_answer(e, answers[i], &list[i]);
    }
    e->ops->set_dns(e->world, name, list, count);
    bj_arena_free(e->arena, list);
}

/* Every server's name leads to its addresses, the IPv4 one alone when none were given. */
static void set_own_name(bj_engine *e, const bj__server *s) {
    bj_addr literal;
    if (!e->ops->set_dns || bj_addr_parse(s->host, strlen(s->host), &literal)) {
        return;
    }
    bj_dns_answer answer = { .status = BJ_DNS_OK };
    size_t count = s->addresses_given ? s->address_count : 1;
    for (size_t i = 0; i < count; i++) {
        answer.addresses[answer.count++] = s->addresses[i];
    }
    e->ops->set_dns(e->world, s->host, &answer, 1);
}

static void set_all_names(bj_engine *e) {
    for (unsigned i = 0; i < e->server_count; i++) {
        set_own_name(e, &e->servers[i]);
    }
    const bj_value *names = bj_get(e->scenario, BJ_F(SCENARIO, DNS));
    for (size_t i = 0; names && i < names->as.named.count; i++) {
        const bj_named *named = &names->as.named.items[i];
        bj__set_names(e, named->name.bytes, named->records, named->count);
    }
}

/* --- ports --- */

static bool open_port(bj_engine *e, bj__server *s) {
    for (size_t a = 0; a < s->address_count; a++) {
        if (s->endpoints[a] >= 0) {
            continue;
        }
        int endpoint = e->ops->open(e->world, (uint8_t) (BJ_ACTOR_SERVER_0 + s->index), (bj_transport) s->transport,
                                    &s->addresses[a]);
        if (endpoint < 0 && a == 0) {
            bj__conclude_printf(e, BJ_ERROR, (bj_position){ 0, 0 }, "server '%s': its port cannot be opened: %s",
                                s->name, strerror(-endpoint));
            return false;
        }
        s->endpoints[a] = endpoint;
    }
    return true;
}

bool bj__port(bj_engine *e, bj__server *s, unsigned state) {
    s->state = (uint8_t) state;
    if (state == 0) {
        return open_port(e, s);
    }
    bj__stream_close_all(e, s, state == 1);
    for (size_t a = 0; a < s->address_count; a++) {
        if (s->endpoints[a] >= 0) {
            e->ops->close(e->world, s->endpoints[a], state == 2);
            s->endpoints[a] = -1;
        }
    }
    return true;
}

static bool start_server(bj_engine *e, bj__server *s) {
    uint8_t actor = (uint8_t) (BJ_ACTOR_SERVER_0 + s->index);
    e->ops->declare(e->world, actor, s->name, s->addresses, s->address_count);
    if (e->ops->set_link) {
        e->ops->set_link(e->world, actor, &s->link);
    } else {
        s->link.latency = 0;
    }
    s->next_mid = (uint16_t) e->ops->random(e->world);
    return bj__secure_start(e, s) && open_port(e, s) && (s->state == 0 || bj__port(e, s, s->state));
}

bool bj__server_appear(bj_engine *e, const char *name, const bj_record *record) {
    unsigned before = e->server_count;
    add_server(e, name, strlen(name), record);
    if (e->server_count == before) {
        return false;
    }
    bj__due_know(&e->servers[before]);
    return start_server(e, &e->servers[before]);
}

/* The first of its answers that has addresses. */
static const bj_record *good_answer(const bj_named *name) {
    for (size_t i = 0; i < name->count; i++) {
        bool ok = bj_get_uint(name->records[i], BJ_F(DNS_ANSWER, STATUS), BJ_DNS_OK) == BJ_DNS_OK;
        if (ok && bj_get(name->records[i], BJ_F(DNS_ANSWER, ADDRESSES))) {
            return name->records[i];
        }
    }
    return NULL;
}

void bj__heal_names(bj_engine *e, void (*otherwise)(bj_engine *e, const char *name)) {
    const bj_value *names = bj_get(e->scenario, BJ_F(SCENARIO, DNS));
    for (size_t i = 0; e->ops->set_dns && names && i < names->as.named.count; i++) {
        const bj_named *named = &names->as.named.items[i];
        const bj_record *good = good_answer(named);
        bj_dns_answer answer;
        if (!good) {
            otherwise(e, named->name.bytes);
            continue;
        }
        read_answer(e, good, &answer);
        answer.delay = 0;
        answer.times = 0;
        e->ops->set_dns(e->world, named->name.bytes, &answer, 1);
    }
    for (unsigned i = 0; i < e->server_count; i++) {
        set_own_name(e, &e->servers[i]);
    }
}

bool bj__servers_start(bj_engine *e) {
    for (unsigned i = 0; i < e->server_count; i++) {
        if (!start_server(e, &e->servers[i])) {
            return false;
        }
    }
    set_all_names(e);
    return true;
}

/* --- what a scenario needs --- */

bool bj__fact(const bj_engine *e, unsigned fact) {
    const bj_field_def *def = bj_field_numbered(bj_record_def_of(BJ_K_WHEN), BJ_F(WHEN, FACT));
    const char *name = bj_enum_name(def->values, fact);
    const bj_value *facts = bj_get(e->profile, BJ_F(PROFILE, FACTS));
    for (size_t i = 0; name && facts && i < facts->as.strings.count; i++) {
        if (!strcmp(facts->as.strings.items[i].bytes, name)) {
            return true;
        }
    }
    const bj_record *client = bj_get_record(e->scenario, BJ_F(SCENARIO, CLIENT));
    if (name && !strcmp(name, "strict")) {
        return bj_get_bool(client, BJ_F(CLIENT, STRICT), false);
    }
    if (name && !strcmp(name, "access-control")) {
        return bj_get_bool(client, BJ_F(CLIENT, ACCESS_CONTROL), false);
    }
    if (name && !strcmp(name, "legacy")) {
        return bj_get_bool(client, BJ_F(CLIENT, LEGACY), false);
    }
    return name && !strcmp(name, "linked") && bj_get_uint(e->profile, BJ_F(PROFILE, ATTACH), 2) == 1;
}

static bool lacking(const bj_engine *e, uint32_t capability, bj_text *why, const char *what) {
    if (e->ops->can & capability) {
        return false;
    }
    bj_text_printf(why, "this world cannot: %s", what);
    return true;
}

enum { LONG_WAIT_S = 60 };

static bool when_unmet(const bj_engine *e, const bj_when *when, bj_text *why) {
    if (when->due == BJ_DUE_WAKE) {
        return lacking(e, BJ_CAN_WAKE, why, "the client's present wait is not known (wake)");
    }
    if (when->due != BJ_DUE_NONE && when->due != BJ_DUE_RETRANSMIT && when->due != BJ_DUE_HOLDOFF) {
        return lacking(e, BJ_CAN_VIRTUAL_TIME, why, "deadlines of minutes need virtual time");
    }
    if (when->due != BJ_DUE_NONE) {
        int64_t least = when->earliest < 0 ? -when->earliest : when->earliest;
        return least && least < (int64_t) BJ_SECOND && lacking(e, BJ_CAN_VIRTUAL_TIME, why, "edges of a deadline");
    }
    return when->earliest > (int64_t) (LONG_WAIT_S * BJ_SECOND) &&
           lacking(e, BJ_CAN_VIRTUAL_TIME, why, "waits of more than a minute need virtual time");
}

/* A payload given as it stands, with a server's name inside: where names are not the scenario's, nothing can put the
 * real address in its place. A text that is nothing but a URI is rewritten when it is sent. */
static bool names_server(const bj_engine *e, const bj_value *value) {
    if (!value ||
        (value->type == BJ_T_STRING && value->as.string.length >= 4 && !memcmp(value->as.string.bytes, "coap", 4))) {
        return false;
    }
    for (unsigned i = 0; i < e->server_count; i++) {
        const char *host = e->servers[i].host;
        if (host[0] && memmem(value->as.string.bytes, value->as.string.length, host, strlen(host))) {
            return true;
        }
    }
    return false;
}

static bool write_unmet(const bj_engine *e, const bj_record *record, bj_text *why) {
    const char *path = bj_get_string(record, BJ_F(WRITE, PATH), "");
    /* A block of an account: the name may stand in two of them. */
    bool block = !strncmp(path, "/0", 2) && bj_get(record, BJ_F(WRITE, HEX)) && bj_get(record, BJ_F(WRITE, OPTIONS));
    bool named = e->ops->real_address && (block || names_server(e, bj_get(record, BJ_F(WRITE, TEXT))) ||
                                          names_server(e, bj_get(record, BJ_F(WRITE, HEX))));
    return named && lacking(e, BJ_CAN_DNS, why, "a payload names a server, and names are not the scenario's");
}

/* Does it say more than that the process ends and its files are as it left them? */
static bool tells_disk(const bj_record *cut) {
    uint32_t keeps = bj_get_uint(cut, BJ_F(POWER_CUT, KEEPS), BJ_KEEPS_DRAWN);
    bool lost = keeps == BJ_KEEPS_NONE || keeps == BJ_KEEPS_TORN;
    return lost || bj_get(cut, BJ_F(POWER_CUT, OUTCOME)) || bj_get(cut, BJ_F(POWER_CUT, AT_OPERATION));
}

/* A connection that a closed port refuses, or nobody takes: the server's side has nothing of it. */
static bool connection_unmet(const bj_engine *e, const bj_record *step, bj_text *why) {
    uint32_t ends = bj_get_uint(step, BJ_F(CLIENT_HELLO, ENDS), 0);
    return (ends == BJ__ENDS_REFUSED || ends == BJ__ENDS_GIVEN_UP) &&
           lacking(e, BJ_CAN_VIRTUAL_TIME, why, "a connection that is not accepted is seen by its client alone");
}

static bool kind_unmet(const bj_engine *e, const bj_record *record, bj_text *why) {
    switch (record->kind) {
    case BJ_K_WRITE:
        return write_unmet(e, record, why);
    case BJ_K_SERVER:
        return bj_get(record, BJ_F(SERVER, CERTIFICATE)) &&
               lacking(e, BJ_CAN_DNS, why, "a certificate names a server, and names are not the scenario's");
    case BJ_K_CONNECTION:
        return connection_unmet(e, record, why);
    case BJ_K_DEPARTURE:
        return lacking(e, BJ_CAN_VIRTUAL_TIME, why, "a request that does not arrive is seen by its client alone");
    case BJ_K_DNS:
    case BJ_K_DNS_ANSWER:
        return lacking(e, BJ_CAN_DNS, why, "names are not the scenario's");
    case BJ_K_FAULT:
    case BJ_K_NETWORK:
    case BJ_K_LINK:
        return lacking(e, BJ_CAN_FAULTS, why, "faults and conditions of the network");
    case BJ_K_STOP:
    case BJ_K_EXIT:
        return lacking(e, BJ_CAN_CLIENT_LIFE, why, "the client cannot be stopped from here");
    case BJ_K_INPUT:
        return lacking(e, BJ_CAN_INPUT, why, "nothing can be typed at the client's standard input from here");
    case BJ_K_START:
        return lacking(e, BJ_CAN_POWER_CUT, why, "the client cannot be started again from here");
    case BJ_K_POWER_CUT:
        return lacking(e, BJ_CAN_POWER_CUT, why, "the client's power cannot be cut from here") ||
               (tells_disk(record) && lacking(e, BJ_CAN_DISK, why, "what the client's disk keeps"));
    case BJ_K_STATE_FILE:
        return bj_get(record, BJ_F(STATE_FILE, TEXT)) || bj_get(record, BJ_F(STATE_FILE, HEX))
                   ? lacking(e, BJ_CAN_DISK, why, "the client's files are not the world's")
                   : false;
    case BJ_K_DISK:
    case BJ_K_FILE:
        return lacking(e, BJ_CAN_DISK, why, "the client's files are not the world's");
    default:
        return false;
    }
}

static bool records_unmet(const bj_engine *e, const bj_record *const *records, size_t count, unsigned depth,
                          bj_text *why);

static bool value_unmet(const bj_engine *e, const bj_value *value, unsigned depth, bj_text *why) {
    switch (value->type) {
    case BJ_T_WHEN:
        return when_unmet(e, &value->as.when, why);
    case BJ_T_RECORD:
    case BJ_T_RECORDS:
    case BJ_T_STEPS:
        return records_unmet(e, value->as.records.items, value->as.records.count, depth, why);
    case BJ_T_NAMED:
    case BJ_T_NAMED_LISTS:
    case BJ_T_BRANCHES:
        for (size_t i = 0; i < value->as.named.count; i++) {
            const bj_named *named = &value->as.named.items[i];
            if (records_unmet(e, named->records, named->count, depth, why)) {
                return true;
            }
        }
        return false;
    default:
        return false;
    }
}

static bool record_unmet(const bj_engine *e, const bj_record *record, unsigned depth, bj_text *why) {
    if (!record || !depth) {
        return false;
    }
    if (kind_unmet(e, record, why)) {
        return true;
    }
    for (unsigned f = 0; f < record->field_limit; f++) {
        if (record->fields[f] && value_unmet(e, record->fields[f], depth, why)) {
            return true;
        }
    }
    return false;
}

static bool records_unmet(const bj_engine *e, const bj_record *const *records, size_t count, unsigned depth,
                          bj_text *why) {
    for (size_t i = 0; i < count; i++) {
        if (record_unmet(e, records[i], depth - 1, why)) {
            return true;
        }
    }
    return false;
}

bool bj__needs_met(bj_engine *e, const bj_record *record, bj_text *why) {
    return !record_unmet(e, record, 32, why);
}
