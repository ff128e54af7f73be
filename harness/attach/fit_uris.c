/* SPDX-License-Identifier: Apache-2.0
 *
 * Server URIs for a client that does not take one without a port (RFC 7252 section 6.1 gives the default): the
 * scenarios about everything else write it into every URI, so that one deviation does not hide all others.
 */
#define _GNU_SOURCE
#include <string.h>

#include "attach/fit.h"

static const struct {
    const char *scheme;
    const char *port;
} defaults[] = {
    { "coap://", ":5683" }, { "coaps://", ":5684" }, { "coap+tcp://", ":5683" }, { "coaps+tcp://", ":5684" }
};

/* Where the port belongs in it; NULL: it has one, or it is no such URI. *port is then what it says. */
static const char *place_of_port(const bj_string *text, const char **port) {
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        size_t length = strlen(defaults[i].scheme);
        if (text->length <= length || memcmp(text->bytes, defaults[i].scheme, length) != 0) {
            continue;
        }
        const char *host = text->bytes + length;
        const char *end = host + strcspn(host, "/?#");
        const char *literal = *host == '[' ? memchr(host, ']', (size_t) (end - host)) : host;
        *port = defaults[i].port;
        return end > host && literal && !memchr(literal, ':', (size_t) (end - literal)) ? end : NULL;
    }
    return NULL;
}

static bj_string with_port(bj_arena *arena, const bj_string *text) {
    const char *port;
    const char *place = place_of_port(text, &port);
    if (!place) {
        return *text;
    }
    size_t room = text->length + strlen(port) + 1;
    bj_text fresh = bj_text_over(bj_arena_alloc(arena, room), room);
    bj_text_add_bytes(&fresh, text->bytes, (size_t) (place - text->bytes));
    bj_text_add(&fresh, port);
    bj_text_add_bytes(&fresh, place, text->length - (size_t) (place - text->bytes));
    return (bj_string){ fresh.start, fresh.used };
}

/* What becomes of the texts of a scenario. */
typedef struct mapping {
    bj_arena *arena;
    const char *endpoint; /* takes the place of `instead`; NULL: server URIs get their ports */
    const char *instead;
} mapping;

/* "ep=NAME" of a query. */
static bj_string with_endpoint(const mapping *m, const bj_string *text) {
    size_t length = strlen(m->instead), room = strlen(m->endpoint) + 4;
    if (text->length != length + 3 || memcmp(text->bytes, "ep=", 3) != 0 || strcmp(text->bytes + 3, m->instead) != 0) {
        return *text;
    }
    bj_text fresh = bj_text_over(bj_arena_alloc(m->arena, room), room);
    bj_text_printf(&fresh, "ep=%s", m->endpoint);
    return (bj_string){ fresh.start, fresh.used };
}

static const bj_node *adapt_nodes(const mapping *m, const bj_node *nodes, size_t count) {
    bj_node *fresh = bj_arena_copy(m->arena, nodes, (count ? count : 1) * sizeof *nodes);
    for (size_t i = 0; i < count; i++) {
        if (fresh[i].kind == BJ_N_STRING) {
            fresh[i].bytes = with_port(m->arena, &nodes[i].bytes);
        } else if (fresh[i].child_count) {
            fresh[i].children = (bj_node *) (uintptr_t) adapt_nodes(m, nodes[i].children, nodes[i].child_count);
        }
    }
    return fresh;
}

static const bj_record *adapt(const mapping *m, const bj_record *record);

static const bj_record *const *adapt_list(const mapping *m, const bj_record *const *list, size_t count) {
    const bj_record **fresh = bj_record_list(m->arena, count);
    for (size_t i = 0; i < count; i++) {
        fresh[i] = adapt(m, list[i]);
    }
    return fresh;
}

static void adapt_named(const mapping *m, bj_value *value) {
    bj_named *fresh = bj_arena_copy(m->arena, value->as.named.items,
                                    (value->as.named.count ? value->as.named.count : 1) * sizeof *fresh);
    for (size_t i = 0; i < value->as.named.count; i++) {
        fresh[i].records = adapt_list(m, fresh[i].records, fresh[i].count);
    }
    value->as.named.items = fresh;
}

static bool is_text_of_write(const bj_record *record, unsigned field) {
    return record->kind == BJ_K_WRITE && field == BJ_F(WRITE, TEXT);
}

static void adapt_query(const mapping *m, bj_value *value) {
    size_t count = value->as.strings.count;
    bj_string *fresh = bj_arena_calloc(m->arena, count ? count : 1, sizeof *fresh);
    for (size_t i = 0; i < count; i++) {
        fresh[i] = with_endpoint(m, &value->as.strings.items[i]);
    }
    value->as.strings.items = fresh;
}

static bj_value adapt_value(const mapping *m, const bj_record *record, unsigned field) {
    bj_value value = *record->fields[field];
    switch ((bj_type) value.type) {
    case BJ_T_VALUES:
        if (!m->endpoint) {
            value.as.nodes.items = adapt_nodes(m, value.as.nodes.items, value.as.nodes.count);
        }
        break;
    case BJ_T_STRING:
        if (!m->endpoint && is_text_of_write(record, field)) {
            value.as.string = with_port(m->arena, &value.as.string);
        }
        break;
    case BJ_T_QUERY:
        if (m->endpoint) {
            adapt_query(m, &value);
        }
        break;
    case BJ_T_RECORD:
    case BJ_T_RECORDS:
    case BJ_T_STEPS:
        value.as.records.items = adapt_list(m, value.as.records.items, value.as.records.count);
        break;
    case BJ_T_NAMED:
    case BJ_T_NAMED_LISTS:
    case BJ_T_BRANCHES:
        adapt_named(m, &value);
        break;
    default:
        break;
    }
    return value;
}

static const bj_record *adapt(const mapping *m, const bj_record *record) {
    bj_record *fresh = bj_record_new(m->arena, (bj_kind) record->kind, record->position);
    for (unsigned i = 0; i < record->field_limit; i++) {
        if (record->fields[i]) {
            bj_value value = adapt_value(m, record, i);
            bj_set(m->arena, fresh, i, &value);
        }
    }
    if (m->endpoint && record->kind == BJ_K_CLIENT) {
        bj_value name = { .type = BJ_T_STRING, .as.string = { m->endpoint, strlen(m->endpoint) } };
        bj_set(m->arena, fresh, BJ_F(CLIENT, ENDPOINT), &name);
    }
    return fresh;
}

const bj_record *bj_fit_uris(bj_arena *arena, const bj_record *profile, const bj_record *scenario) {
    const mapping m = { .arena = arena };
    bool wanted = bj_get_bool(profile, BJ_F(PROFILE, URI_PORTS), false);
    return wanted && !bj_get_bool(scenario, BJ_F(SCENARIO, VERBATIM), false) ? adapt(&m, scenario) : scenario;
}

const bj_record *bj_fit_endpoint(bj_arena *arena, const char *endpoint, const bj_record *scenario) {
    const bj_record *client = bj_get_record(scenario, BJ_F(SCENARIO, CLIENT));
    const mapping m = { .arena = arena,
                        .endpoint = endpoint,
                        .instead = bj_get_string(client, BJ_F(CLIENT, ENDPOINT), "dev-1") };
    return adapt(&m, scenario);
}
