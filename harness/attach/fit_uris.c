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

static const bj_node *adapt_nodes(bj_arena *arena, const bj_node *nodes, size_t count) {
    bj_node *fresh = bj_arena_copy(arena, nodes, (count ? count : 1) * sizeof *nodes);
    for (size_t i = 0; i < count; i++) {
        if (fresh[i].kind == BJ_N_STRING) {
            fresh[i].bytes = with_port(arena, &nodes[i].bytes);
        } else if (fresh[i].child_count) {
            fresh[i].children = (bj_node *) (uintptr_t) adapt_nodes(arena, nodes[i].children, nodes[i].child_count);
        }
    }
    return fresh;
}

static const bj_record *adapt(bj_arena *arena, const bj_record *record);

static const bj_record *const *adapt_list(bj_arena *arena, const bj_record *const *list, size_t count) {
    const bj_record **fresh = bj_record_list(arena, count);
    for (size_t i = 0; i < count; i++) {
        fresh[i] = adapt(arena, list[i]);
    }
    return fresh;
}

static void adapt_named(bj_arena *arena, bj_value *value) {
    bj_named *fresh = bj_arena_copy(arena, value->as.named.items,
                                    (value->as.named.count ? value->as.named.count : 1) * sizeof *fresh);
    for (size_t i = 0; i < value->as.named.count; i++) {
        fresh[i].records = adapt_list(arena, fresh[i].records, fresh[i].count);
    }
    value->as.named.items = fresh;
}

static bool is_text_of_write(const bj_record *record, unsigned field) {
    return record->kind == BJ_K_WRITE && field == BJ_F(WRITE, TEXT);
}

static bj_value adapt_value(bj_arena *arena, const bj_record *record, unsigned field) {
    bj_value value = *record->fields[field];
    switch ((bj_type) value.type) {
    case BJ_T_VALUES:
        value.as.nodes.items = adapt_nodes(arena, value.as.nodes.items, value.as.nodes.count);
        break;
    case BJ_T_STRING:
        value.as.string = is_text_of_write(record, field) ? with_port(arena, &value.as.string) : value.as.string;
        break;
    case BJ_T_RECORD:
    case BJ_T_RECORDS:
    case BJ_T_STEPS:
        value.as.records.items = adapt_list(arena, value.as.records.items, value.as.records.count);
        break;
    case BJ_T_NAMED:
    case BJ_T_NAMED_LISTS:
    case BJ_T_BRANCHES:
        adapt_named(arena, &value);
        break;
    default:
        break;
    }
    return value;
}

static const bj_record *adapt(bj_arena *arena, const bj_record *record) {
    bj_record *fresh = bj_record_new(arena, (bj_kind) record->kind, record->position);
    for (unsigned i = 0; i < record->field_limit; i++) {
        if (record->fields[i]) {
            bj_value value = adapt_value(arena, record, i);
            bj_set(arena, fresh, i, &value);
        }
    }
    return fresh;
}

const bj_record *bj_fit_uris(bj_arena *arena, const bj_record *profile, const bj_record *scenario) {
    bool wanted = bj_get_bool(profile, BJ_F(PROFILE, URI_PORTS), false);
    return wanted && !bj_get_bool(scenario, BJ_F(SCENARIO, VERBATIM), false) ? adapt(arena, scenario) : scenario;
}
