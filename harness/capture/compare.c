/* SPDX-License-Identifier: Apache-2.0
 *
 * See compare.h. Messages are aligned by what they are (the longest common sequence); where both sides have one, code
 * and content are compared, and when it came.
 */
#define _GNU_SOURCE
#include "capture/compare.h"
#include "capture/readable.h"

#include <stdlib.h>
#include <string.h>

#include "wire/entries.h"

enum { TEXT = 3000, COLUMN = 62 };

/* --- one side ------------------------------------------------------------------------------------------------- */

static const char *server_name(const bj_script *s, const bj_talk *t, const bj_message *m, bool here) {
    const bj_addr *a = &t->servers[m->server].address;
    for (unsigned i = 0; i < s->talk->server_count; i++) {
        if (bj_addr_equal(here ? &s->servers[i].here : &s->servers[i].seen, a)) {
            return s->servers[i].name;
        }
    }
    return "?";
}

static void add_values(bj_text *out, const bj_script *s, const bj_coap *c, uint32_t format, const bj_path *target) {
    bj_entries in;
    bj_entry e;
    BJ_TEXT(why, 100);
    uint8_t *room = malloc(c->payload_length + 16);
    bj_path above = bj_entries_single(format) ? *target : bj_path_above_resources(target);
    bj_entries_begin(&in, format, &above, c->payload, c->payload_length, room, c->payload_length + 16);
    while (room && bj_entries_next(&in, &e, &why)) {
        bj_text_add(out, " ");
        bj_path_print(out, &e.path);
        bj_text_add(out, "=");
        BJ_TEXT(uri, 600);
        if (e.kind == BJ_ENTRY_STRING || e.kind == BJ_ENTRY_RAW) {
            bj_script_uri(s, (const char *) e.bytes, e.length, &uri);
            e.bytes = (const uint8_t *) uri.start;
            e.length = uri.used;
        }
        bj_entry_print(out, &e);
    }
    free(room);
}

/* Content by its meaning; addresses as the scenario has them. */
static void add_content(bj_text *out, const bj_script *s, const bj_coap *c, const char *path) {
    uint32_t format = 65536;
    bj_path target = bj_path_of(path);
    bj_coap_find_uint(c, BJ_COAP_CONTENT_FORMAT, &format);
    if (!c->payload_length || bj_coap_find(c, BJ_COAP_BLOCK1, 0)) { /* a part of a Write is read by nobody alone */
        return;
    }
    if (bj_entries_known(format)) {
        add_values(out, s, c, format, &target);
    } else if (format == 0 || format == 40) {
        bj_text_add(out, " ");
        for (size_t i = 0; i < c->payload_length; i++) {
            const char *text = (const char *) c->payload + i;
            size_t left = c->payload_length - i;
            bool uri = left > 7 && !memcmp(text, "coap", 4);
            const char *end = uri ? memchr(text, '"', left) : NULL;
            if (end) {
                bj_script_uri(s, text, (size_t) (end - text), out);
                i += (size_t) (end - text) - 1;
            } else {
                bj_text_add_bytes(out, text, 1);
            }
        }
    } else {
        bj_text_add(out, " ");
        bj_text_hex(out, c->payload, c->payload_length);
    }
}

static void path_of(const bj_message *m, bj_text *out) {
    bj_coap c;
    bj_message_decode(m, &c);
    bj_coap_path(&c, BJ_COAP_URI_PATH, out);
}

static int order(const bj_coap_option *a, const bj_coap_option *b) {
    size_t length = a->length < b->length ? a->length : b->length;
    int by_bytes = length ? memcmp(a->value, b->value, length) : 0;
    return by_bytes ? by_bytes : (a->length > b->length) - (a->length < b->length);
}

/* Whatever their order. The format that the client prefers (pct) is its own choice. */
static void add_queries(bj_text *out, const bj_coap *c) {
    const bj_coap_option *last = NULL, *next;
    do {
        next = NULL;
        for (size_t i = 0; i < c->option_count; i++) {
            const bj_coap_option *q = &c->options[i];
            bool counts = q->number == BJ_COAP_URI_QUERY && (q->length < 4 || memcmp(q->value, "pct=", 4) != 0);
            if (counts && (!last || order(q, last) > 0) && (!next || order(q, next) < 0)) {
                next = q;
            }
        }
        if (next) {
            bj_text_add(out, " ");
            bj_text_add_bytes(out, (const char *) next->value, next->length);
        }
        last = next;
    } while (next);
}

static void lay_request(bj_compared *x, const bj_script *s, const bj_talk *t, const bj_message *m, const char *server,
                        bj_arena *a) {
    BJ_TEXT(name, 500);
    BJ_TEXT(key, 700);
    BJ_TEXT(said, TEXT);
    BJ_TEXT(path, 400);
    bj_coap c;
    const bj_coap_option *q;
    bj_message_decode(m, &c);
    bj_coap_path(&c, BJ_COAP_URI_PATH, &path);
    bj_request_name(&name, t, m);
    bj_text_printf(&key, m->by_client ? "client > %s: %s" : "%s > client: %s", server, name.start);
    x->key = bj_arena_strdup(a, key.start);
    for (size_t i = 0; (q = bj_coap_find(&c, BJ_COAP_URI_QUERY, i)); i++) {
        bj_text_printf(&key, "%s%.*s", i ? "&" : " ?", (int) q->length, (const char *) q->value);
    }
    add_queries(&said, &c);
    add_content(&said, s, &c, path.start);
    bj_text_add(&said, m->unreachable ? " (port unreachable)" : "");
    x->said = bj_arena_strdup(a, said.start);
    add_content(&key, s, &c, path.start);
    bj_text_add(&key, m->unreachable ? " (port unreachable)" : "");
    x->text = bj_arena_strdup(a, key.start);
}

static void lay_response(bj_compared *x, const bj_script *s, const bj_talk *t, const bj_message *m, const char *server,
                         bj_arena *a) {
    const bj_message *request = m->request == BJ_TALK_NONE ? NULL : &t->messages[m->request];
    BJ_TEXT(name, 500);
    BJ_TEXT(key, 700);
    BJ_TEXT(said, TEXT);
    BJ_TEXT(path, 400);
    BJ_TEXT(text, TEXT);
    BJ_TEXT(location, 300);
    bj_coap c;
    bj_message_decode(m, &c);
    if (request) {
        bj_request_name(&name, t, request);
        path_of(request, &path);
    }
    bj_text_printf(&key, m->by_client ? "client > %s: answer to %s" : "%s > client: answer to %s", server,
                   request ? name.start : "nothing");
    bj_text_add(&key, m->notifies ? ", notification" : "");
    x->key = bj_arena_strdup(a, key.start);
    bj_coap_code_print(&said, m->code);
    if (bj_coap_find(&c, BJ_COAP_LOCATION_PATH, 0)) {
        bj_coap_path(&c, BJ_COAP_LOCATION_PATH, &location);
        bj_text_printf(&said, " %s", location.start);
    }
    add_content(&said, s, &c, path.start);
    x->said = bj_arena_strdup(a, said.start);
    bj_text_printf(&text, m->by_client ? "client > %s: %s" : "%s > client: %s", server, said.start);
    x->text = bj_arena_strdup(a, text.start);
}

static void lay_other(bj_compared *x, const bj_message *m, const char *server, bj_arena *a, const char *what) {
    BJ_TEXT(key, 300);
    bj_text_printf(&key, m->by_client ? "client > %s: %s" : "%s > client: %s", server, what);
    x->key = x->text = bj_arena_strdup(a, key.start);
    x->said = "";
}

/* The first ClientHello of a pair of ports: the one with the cookie, and copies, go with it. */
static bool begins_handshake(const bj_talk *t, const bj_message *m) {
    for (const bj_message *o = t->messages; o < m; o++) {
        if (o->kind == BJ_TALK_RECORD && o->server == m->server && bj_addr_equal(&o->client, &m->client)) {
            return false;
        }
    }
    return m->record == BJ_RECORD_CLIENT_HELLO && m->by_client;
}

static const char *other_name(const bj_message *m) {
    return m->kind == BJ_TALK_EMPTY       ? "RST"
           : m->kind == BJ_TALK_BROKEN    ? "no well-formed CoAP"
           : m->record == BJ_RECORD_ALERT ? "alert"
                                          : "handshake";
}

/* What is no message of its own: acknowledgements, what the message layer repeats, handshakes. */
static bool counts(const bj_talk *t, const bj_message *m) {
    bool copy = m->repeats != BJ_TALK_NONE;
    switch (m->kind) {
    case BJ_TALK_REQUEST:
        return !copy || (m->by_client && !t->messages[m->repeats].unreachable);
    case BJ_TALK_RESPONSE:
        return !copy;
    case BJ_TALK_EMPTY:
        return m->type == BJ_COAP_RST;
    case BJ_TALK_BROKEN:
        return true;
    case BJ_TALK_RECORD:
        return (m->record == BJ_RECORD_ALERT && !m->encrypted) || begins_handshake(t, m);
    default:
        return false;
    }
}

static void lay(bj_compared *x, const bj_script *s, const bj_talk *t, const bj_message *m, const char *server,
                bj_arena *a) {
    if (m->kind == BJ_TALK_REQUEST && m->repeats == BJ_TALK_NONE) {
        lay_request(x, s, t, m, server, a);
    } else if (m->kind == BJ_TALK_REQUEST) {
        BJ_TEXT(what, 600);
        bj_request_name(&what, t, m);
        bj_text_add(&what, ", once more");
        lay_other(x, m, server, a, what.start);
    } else if (m->kind == BJ_TALK_RESPONSE) {
        lay_response(x, s, t, m, server, a);
    } else {
        lay_other(x, m, server, a, other_name(m));
    }
}

void bj_compare_side(bj_conversation_side *side, const bj_script *s, const bj_talk *t, bool here, bj_arena *a) {
    bj_time before = 0;
    *side = (bj_conversation_side){ .all = bj_arena_calloc(a, BJ_COMPARED, sizeof *side->all) };
    for (size_t i = 0; i < t->count && side->count < BJ_COMPARED; i++) {
        const bj_message *m = &t->messages[i];
        if (!counts(t, m)) {
            continue;
        }
        bj_compared *x = &side->all[side->count++];
        before = side->count == 1 ? m->time : before;
        *x = (bj_compared){ .frame = m->frame, .time = m->time, .gap = m->time - before, .by_client = m->by_client };
        before = m->time;
        lay(x, s, t, m, server_name(s, t, m, here), a);
    }
}

/* --- aligning ------------------------------------------------------------------------------------------------- */

static unsigned likeness(const bj_compared *a, const bj_compared *b) {
    if (a->by_client != b->by_client || strcmp(a->key, b->key) != 0) {
        return 0;
    }
    return strcmp(a->said, b->said) ? 2 : 3;
}

static bool other_time(const bj_compared *a, const bj_compared *b, bj_time tolerance) {
    bj_time more = a->gap > b->gap ? a->gap - b->gap : b->gap - a->gap, larger = a->gap > b->gap ? a->gap : b->gap;
    return a->by_client && more > tolerance + larger / 10;
}

static void add_row(bj_comparison *c, int captured, int replayed, bj_difference difference) {
    c->rows[c->count] = (bj_row){ .captured = captured, .replayed = replayed, .difference = (uint8_t) difference };
    c->count++;
}

static void walk(bj_comparison *c, const uint16_t *score, bool timed, bj_time tolerance) {
    size_t n = c->captured.count, m = c->replayed.count, i = 0, k = 0;
    while (i < n || k < m) {
        const bj_compared *a = i < n ? &c->captured.all[i] : NULL, *b = k < m ? &c->replayed.all[k] : NULL;
        unsigned like = a && b ? likeness(a, b) : 0;
        if (like && score[i * (m + 1) + k] == score[(i + 1) * (m + 1) + k + 1] + like) {
            bool late = timed && other_time(a, b, tolerance);
            add_row(c, (int) i++, (int) k++, like == 2 ? BJ_OTHER_CONTENT : late ? BJ_OTHER_TIME : BJ_SAME);
        } else if (a && (!b || score[(i + 1) * (m + 1) + k] >= score[i * (m + 1) + k + 1])) {
            add_row(c, (int) i++, -1, BJ_ONLY_CAPTURED);
        } else {
            add_row(c, -1, (int) k++, BJ_ONLY_REPLAYED);
        }
    }
}

void bj_compare(bj_comparison *c, bj_arena *arena, bool timed, bj_time tolerance) {
    size_t n = c->captured.count, m = c->replayed.count;
    uint16_t *score = bj_arena_calloc(arena, (n + 1) * (m + 1), sizeof *score);
    c->rows = bj_arena_calloc(arena, n + m + 1, sizeof *c->rows);
    c->count = 0;
    for (size_t i = n; i-- > 0;) {
        for (size_t k = m; k-- > 0;) {
            uint16_t down = score[(i + 1) * (m + 1) + k], right = score[i * (m + 1) + k + 1];
            unsigned like = likeness(&c->captured.all[i], &c->replayed.all[k]);
            unsigned both = like ? score[(i + 1) * (m + 1) + k + 1] + like : 0;
            unsigned best = down > right ? down : right;
            score[i * (m + 1) + k] = (uint16_t) (both > best ? both : best);
        }
    }
    walk(c, score, timed, tolerance);
    bj_arena_free(arena, score);
    c->first = -1;
    for (size_t i = 0; i < c->count && c->first < 0; i++) {
        c->first = c->rows[i].difference ? (int) i : -1;
    }
}

/* --- printing ------------------------------------------------------------------------------------------------- */

static void put_half(FILE *out, const bj_compared *x, bool last) {
    BJ_TEXT(text, COLUMN + 4);
    if (x) {
        bj_text_printf(&text, "%9.3f  %.*s", (double) x->time / 1e6, COLUMN, x->text);
    }
    /* A cut text ends in a character of three bytes. */
    int width = (int) text.used - (text.cut ? 2 : 0);
    bj_print_readable(out, text.start);
    fprintf(out, "%*s", last ? 0 : COLUMN + 4 - width, "");
}

void bj_compare_print(const bj_comparison *c, FILE *out) {
    static const char marks[] = { ' ', 't', '~', '<', '>' };
    fprintf(out, "     %-*s    %s\n", COLUMN + 4, "captured", "replayed");
    for (size_t i = 0; i < c->count; i++) {
        const bj_row *r = &c->rows[i];
        fprintf(out, "%s%c ", (int) i == c->first ? "=> " : "   ", marks[r->difference]);
        put_half(out, r->captured < 0 ? NULL : &c->captured.all[r->captured], false);
        fputs("  | ", out);
        put_half(out, r->replayed < 0 ? NULL : &c->replayed.all[r->replayed], true);
        fputc('\n', out);
    }
}
