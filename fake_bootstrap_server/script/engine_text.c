/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts of a script that change while it runs: `${name}` stands for something of a captured exchange, and a URI
 * that names a server of the scenario is rewritten to where that server really is (in the real world; the simulated
 * one leaves names alone).
 *
 *   ${x}            the Location-Path that was given in the answer, else the request's path
 *   ${x.path}       the request's path          ${x.location}   the Location-Path given
 *   ${x.query.ep}   a Uri-Query's value         ${x.payload}    the request's payload
 */
#include "script/engine_internal.h"

#include <assert.h>
#include <string.h>

static bool starts(const char *text, size_t length, const char *with) {
    size_t n = strlen(with);
    return length >= n && !memcmp(text, with, n);
}

/* The host and port behind "scheme://"; false: not an authority. */
static bool authority(const char *text, size_t length, bj__uri *uri) {
    size_t end = 0;
    while (end < length && text[end] != '/' && text[end] != '?' && text[end] != '#') {
        end++;
    }
    uri->rest = text + end;
    uri->rest_length = length - end;
    size_t host_end;
    if (end && text[0] == '[') {
        const char *close = memchr(text, ']', end);
        if (!close) {
            return false;
        }
        uri->bracketed = true;
        uri->host = text + 1;
        uri->host_length = (size_t) (close - text) - 1;
        host_end = (size_t) (close - text) + 1;
    } else {
        const char *colon = memchr(text, ':', end);
        host_end = colon ? (size_t) (colon - text) : end;
        uri->host = text;
        uri->host_length = host_end;
    }
    if (host_end < end && text[host_end] != ':') {
        return false;
    }
    uint32_t port = 0;
    for (size_t i = host_end + 1; i < end; i++) {
        if (text[i] < '0' || text[i] > '9' || port > 6553) {
            return false;
        }
        port = port * 10 + (uint32_t) (text[i] - '0');
    }
    if (port) {
        uri->port = (uint16_t) port;
    }
    uri->port_0 = !port && host_end + 1 < end;
    return uri->host_length && port <= 65535;
}

bool bj__uri_parse(const char *text, size_t length, bj__uri *uri) {
    static const struct {
        const char *prefix;
        bool secure, stream;
    } schemes[] = { { "coap://", false, false },
                    { "coaps://", true, false },
                    { "coap+tcp://", false, true },
                    { "coaps+tcp://", true, true } };
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (starts(text, length, schemes[i].prefix)) {
            size_t n = strlen(schemes[i].prefix);
            *uri = (bj__uri){ .scheme = text,
                              .scheme_length = n - 3,
                              .secure = schemes[i].secure,
                              .stream = schemes[i].stream,
                              .port = schemes[i].secure ? 5684 : 5683 };
            return authority(text + n, length - n, uri);
        }
    }
    return false;
}

/* --- captured values --- */

static uint64_t captured(const bj__thread *t, const char *name, size_t length) {
    for (unsigned i = 0; t && i < t->capture_count; i++) {
        if (t->captures[i].name.length == length && !memcmp(t->captures[i].name.bytes, name, length)) {
            return t->captures[i].exchange;
        }
    }
    return 0;
}

static void add_query(const bj_coap *m, const char *key, size_t length, bj_text *out) {
    const bj_coap_option *option;
    for (size_t i = 0; (option = bj_coap_find(m, BJ_COAP_URI_QUERY, i)); i++) {
        if (option->length > length && option->value[length] == '=' && !memcmp(option->value, key, length)) {
            bj_text_add_bytes(out, (const char *) option->value + length + 1, option->length - length - 1);
            return;
        }
    }
}

/* What "${name.part}" stands for; nothing when there is no such thing. */
static void add_captured(bj_engine *e, const bj__thread *t, const char *name, size_t length, bj_text *out) {
    const char *dot = memchr(name, '.', length);
    size_t name_length = dot ? (size_t) (dot - name) : length;
    const char *part = dot ? dot + 1 : "";
    size_t part_length = dot ? length - name_length - 1 : 0;
    const bj__exchange *x = bj__exchange_of(e, captured(t, name, name_length));
    bj_coap m;
    if (!x || !bj__exchange_read(x, &m)) {
        return;
    }
    bool location = part_length == 8 && starts(part, part_length, "location");
    if ((location || !part_length) && x->location) {
        bj_text_add(out, x->location);
    } else if (!part_length || (part_length == 4 && starts(part, part_length, "path"))) {
        bj_coap_path(&m, BJ_COAP_URI_PATH, out);
    } else if (starts(part, part_length, "query.")) {
        add_query(&m, part + 6, part_length - 6, out);
    } else if (part_length == 7 && starts(part, part_length, "payload")) {
        bj_text_add_bytes(out, (const char *) m.payload, m.payload_length);
    }
}

/* `text` with its ${...} put in. */
static void substitute(bj_engine *e, const bj__thread *t, bj_string text, bj_text *out) {
    size_t at = 0;
    while (at < text.length) {
        if (starts(text.bytes + at, text.length - at, "${")) {
            const char *close = memchr(text.bytes + at, '}', text.length - at);
            if (close) {
                const char *name = text.bytes + at + 2;
                add_captured(e, t, name, (size_t) (close - name), out);
                at = (size_t) (close - text.bytes) + 1;
                continue;
            }
        }
        bj_text_add_bytes(out, text.bytes + at, 1);
        at++;
    }
}

static bool has_captures(bj_string text) {
    for (size_t i = 0; i + 1 < text.length; i++) {
        if (text.bytes[i] == '$' && text.bytes[i + 1] == '{') {
            return true;
        }
    }
    return false;
}

/* --- URIs --- */

/* The real address in place of the name; false: nothing to rewrite. */
static bool rewrite(bj_engine *e, const char *text, size_t length, bj_text *out) {
    bj__uri uri;
    if (!e->ops->real_address || !bj__uri_parse(text, length, &uri)) {
        return false;
    }
    const bj__server *s = bj__server_of_host(e, uri.host, uri.host_length);
    bj_addr real;
    if (!s || !e->ops->real_address(e->world, s->name, uri.port, &real)) {
        return false;
    }
    bj_text_add_bytes(out, uri.scheme, uri.scheme_length);
    bj_text_add(out, "://");
    bj_addr_print(out, &real);
    if (uri.port_0) {
        while (out->used && out->start[out->used - 1] != ':') {
            out->used--;
        }
        bj_text_add_char(out, '0');
    }
    bj_text_add_bytes(out, uri.rest, uri.rest_length);
    return true;
}

enum { EXPANDED_ROOM = 4096 };

bj__expanded bj__expand(bj_engine *e, const bj__thread *t, bj_string text) {
    bj__expanded result = { text.bytes, text.length, NULL };
    if (has_captures(text)) {
        size_t room = text.length + EXPANDED_ROOM;
        bj_text out = bj_text_over(bj_arena_alloc(e->arena, room), room);
        substitute(e, t, text, &out);
        result = (bj__expanded){ out.start, out.used, out.start };
    }
    if (starts(result.bytes, result.length, "coap")) {
        size_t room = result.length + 128;
        bj_text out = bj_text_over(bj_arena_alloc(e->arena, room), room);
        if (rewrite(e, result.bytes, result.length, &out)) {
            bj_arena_free(e->arena, result.owned);
            return (bj__expanded){ out.start, out.used, out.start };
        }
        bj_arena_free(e->arena, out.start);
    }
    return result;
}
