/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparing what the client sent with what a step says: requests, answers, payloads. A field that is left out is a
 * wildcard; the first difference is told in words.
 */
#include "script/engine_internal.h"

#include <assert.h>
#include <string.h>

#include "wire/link.h"

bool bj__decode(bj_coap *message, const uint8_t *bytes, size_t length, bool stream) {
    bj_coap_fault fault = stream ? bj_coap_tcp_decode(message, bytes, length) : bj_coap_decode(message, bytes, length);
    return fault == BJ_COAP_OK;
}

/* --- describing --- */

static void describe(const bj_coap *m, bj_text *out) {
    const char *method = bj_coap_method_name(m->code);
    if (method) {
        bj_text_add(out, method);
    } else {
        bj_coap_code_print(out, m->code);
    }
    bj_text_add(out, " ");
    bj_coap_path(m, BJ_COAP_URI_PATH, out);
    const bj_coap_option *query;
    for (size_t i = 0; (query = bj_coap_find(m, BJ_COAP_URI_QUERY, i)); i++) {
        bj_text_add(out, i ? "&" : "?");
        bj_text_add_bytes(out, (const char *) query->value, query->length);
    }
}

static void describe_bytes(const uint8_t *bytes, size_t length, bool stream, bj_text *out) {
    bj_coap m;
    if (bj__decode(&m, bytes, length, stream)) {
        describe(&m, out);
    } else {
        bj_text_printf(out, "%zu bytes", length);
    }
}

void bj__describe(const bj__exchange *x, bj_text *out) {
    describe_bytes(x->bytes, x->length, x->from.connection >= 0, out);
}

void bj__describe_outbound(const bj__outbound *o, bj_text *out) {
    describe_bytes(o->bytes, o->length, o->to.connection >= 0, out);
}

void bj__describe_request(bj_engine *e, const bj_record *step, bj_text *out) {
    (void) e;
    const bj_value *method = bj_get(step, BJ_F(REQUEST, METHOD));
    const bj_value *path = bj_get(step, BJ_F(REQUEST, PATH));
    const bj_value *query = bj_get(step, BJ_F(REQUEST, QUERY));
    const char *name = method ? bj_coap_method_name((uint8_t) method->as.uint) : NULL;
    bj_text_add(out, name ? name : "a request");
    if (path) {
        bj_text_add(out, name ? " " : " to ");
        bj_text_add_bytes(out, path->as.string.bytes, path->as.string.length);
    }
    for (size_t i = 0; query && i < query->as.strings.count; i++) {
        bj_text_add(out, i ? "&" : "?");
        bj_text_add_bytes(out, query->as.strings.items[i].bytes, query->as.strings.items[i].length);
    }
    if (bj_get(step, BJ_F(REQUEST, TO))) {
        bj_text_printf(out, " at %s", bj_get_string(step, BJ_F(REQUEST, TO), ""));
    }
}

/* --- paths and queries --- */

/* `*` stands for one segment, a trailing `/\**` for any rest. */
static bool path_matches(const char *pattern, size_t length, const char *path) {
    size_t p = 0;
    while (p < length) {
        if (length - p == 3 && !memcmp(pattern + p, "/**", 3)) {
            return !*path || *path == '/';
        }
        if (pattern[p] == '*' && (!p || pattern[p - 1] == '/') && (p + 1 == length || pattern[p + 1] == '/')) {
            if (!*path || *path == '/') {
                return false;
            }
            while (*path && *path != '/') {
                path++;
            }
            p++;
            continue;
        }
        if (pattern[p++] != *path++) {
            return false;
        }
    }
    return !*path;
}

/* Does "ep=dev-1" fit `wanted`: the same, or "ep=*" for any value? */
static bool query_fits(const bj_coap_option *query, const char *wanted, size_t length) {
    if (length >= 2 && wanted[length - 1] == '*' && wanted[length - 2] == '=') {
        return query->length >= length - 1 && !memcmp(query->value, wanted, length - 1);
    }
    return query->length == length && !memcmp(query->value, wanted, length);
}

static bool has_query(const bj_coap *m, const char *wanted, size_t length) {
    const bj_coap_option *query;
    for (size_t i = 0; (query = bj_coap_find(m, BJ_COAP_URI_QUERY, i)); i++) {
        if (query_fits(query, wanted, length)) {
            return true;
        }
    }
    return false;
}

static bool has_query_key(const bj_coap *m, const bj_string *key) {
    const bj_coap_option *query;
    for (size_t i = 0; (query = bj_coap_find(m, BJ_COAP_URI_QUERY, i)); i++) {
        bool prefix = query->length >= key->length && !memcmp(query->value, key->bytes, key->length);
        if (prefix && (query->length == key->length || query->value[key->length] == '=')) {
            return true;
        }
    }
    return false;
}

static bool queries_match(bj_engine *e, const bj__thread *t, const bj_record *step, const bj_coap *m, bj_text *why) {
    const bj_value *query = bj_get(step, BJ_F(REQUEST, QUERY)), *without = bj_get(step, BJ_F(REQUEST, WITHOUT));
    for (size_t i = 0; query && i < query->as.strings.count; i++) {
        bj__expanded wanted = bj__expand(e, t, query->as.strings.items[i]);
        bool found = has_query(m, wanted.bytes, wanted.length);
        if (!found) {
            bj_text_printf(why, "Uri-Query \"%.*s\" is missing", (int) wanted.length, wanted.bytes);
        }
        bj_arena_free(e->arena, wanted.owned);
        if (!found) {
            return false;
        }
    }
    for (size_t i = 0; without && i < without->as.strings.count; i++) {
        if (has_query_key(m, &without->as.strings.items[i])) {
            bj_text_printf(why, "Uri-Query \"%s\" must not be there", without->as.strings.items[i].bytes);
            return false;
        }
    }
    return true;
}

/* --- links --- */

enum { BJ__NO_FIELD = UINT8_MAX };

static bool links_match(const bj_record *step, unsigned has, unsigned lacks, const char *text, size_t length,
                        bj_text *why) {
    const bj_value *wanted = bj_get(step, has), *unwanted = bj_get(step, lacks);
    for (size_t i = 0; wanted && i < wanted->as.strings.count; i++) {
        if (!bj_links_have(text, length, wanted->as.strings.items[i].bytes)) {
            bj_text_printf(why, "the link %s is missing", wanted->as.strings.items[i].bytes);
            return false;
        }
    }
    for (size_t i = 0; unwanted && i < unwanted->as.strings.count; i++) {
        if (bj_links_have(text, length, unwanted->as.strings.items[i].bytes)) {
            bj_text_printf(why, "the link %s must not be there", unwanted->as.strings.items[i].bytes);
            return false;
        }
    }
    return true;
}

/* What must be there is looked for in all of it, what must not without what the factory left (engine_factory.c). */
static bool links_as_told(const bj_engine *e, const bj_record *step, unsigned has, unsigned lacks, const bj_coap *m,
                          bj_text *why) {
    BJ_TEXT(shown, 16384);
    const char *text = m->payload ? (const char *) m->payload : "";
    if (!bj_get(step, has) && !bj_get(step, lacks)) {
        return true;
    }
    bj__factory_hide(e, text, m->payload_length, &shown);
    return links_match(step, has, BJ__NO_FIELD, text, m->payload_length, why) &&
           links_match(step, BJ__NO_FIELD, lacks, shown.start, shown.used, why);
}

bool bj__text_equal(bj_engine *e, const bj__thread *t, const bj_value *wanted, const bj_coap *m, bj_text *why) {
    bj__expanded text = bj__expand(e, t, wanted->as.string);
    bool equal = text.length == m->payload_length && (!text.length || !memcmp(text.bytes, m->payload, text.length));
    bj_arena_free(e->arena, text.owned);
    if (!equal) {
        bj_text_add(why, "the payload is ");
        bj_text_json_string(why, (const char *) m->payload, m->payload_length > 64 ? 64 : m->payload_length);
    }
    return equal;
}

/* --- requests --- */

static bool number_matches(const bj_record *step, unsigned field, const bj_coap *m, uint32_t option, const char *name,
                           bj_text *why) {
    const bj_value *wanted = bj_get(step, field);
    uint32_t seen = 65536;
    if (!wanted) {
        return true;
    }
    if (!bj_coap_find_uint(m, option, &seen)) {
        seen = 65536;
    }
    if (seen == wanted->as.uint) {
        return true;
    }
    if (seen == 65536) {
        bj_text_printf(why, "%s is missing", name);
    } else {
        bj_text_printf(why, "%s is %u", name, (unsigned) seen);
    }
    return false;
}

static bool payload_matches(bj_engine *e, const bj__thread *t, const bj_record *step, const bj_coap *m, bj_text *why) {
    const bj_value *text = bj_get(step, BJ_F(REQUEST, TEXT)), *hex = bj_get(step, BJ_F(REQUEST, HEX));
    const bj_value *tlv = bj_get(step, BJ_F(REQUEST, TLV)), *values = bj_get(step, BJ_F(REQUEST, VALUES));
    const bj_path anywhere = { .depth = 0 };
    values = values ? values : tlv;
    if (text && !bj__text_equal(e, t, text, m, why)) {
        return false;
    }
    if (hex && (hex->as.string.length != m->payload_length ||
                (m->payload_length && memcmp(hex->as.string.bytes, m->payload, m->payload_length) != 0))) {
        bj_text_add(why, "the payload is ");
        bj_text_hex(why, m->payload, m->payload_length > 32 ? 32 : m->payload_length);
        return false;
    }
    if (values && bj__values_match(e, t, values, &anywhere, m, why) != BJ__SAME) {
        return false;
    }
    return links_as_told(e, step, BJ_F(REQUEST, HAS), BJ_F(REQUEST, LACKS), m, why);
}

static bool target_matches(bj_engine *e, const bj__thread *t, const bj_record *step, const bj__exchange *x,
                           const bj_coap *m) {
    const char *to = bj_get_string(step, BJ_F(REQUEST, TO), NULL);
    const bj_value *method = bj_get(step, BJ_F(REQUEST, METHOD)), *path = bj_get(step, BJ_F(REQUEST, PATH));
    if ((to && strcmp(to, e->servers[x->server].name) != 0) || (method && method->as.uint != m->code)) {
        return false;
    }
    if (!path) {
        return true;
    }
    BJ_TEXT(seen, 1100);
    bj_coap_path(m, BJ_COAP_URI_PATH, &seen);
    bj__expanded wanted = bj__expand(e, t, path->as.string);
    bool same = path_matches(wanted.bytes, wanted.length, seen.start);
    bj_arena_free(e->arena, wanted.owned);
    return same;
}

/* Is its Message ID another than that of a captured exchange, where the step says so? */
static bool mid_differs(const bj_engine *e, const bj__thread *t, const bj_record *step, const bj_coap *m,
                        bj_text *why) {
    const bj_value *name = bj_get(step, BJ_F(REQUEST, OTHER_MID_THAN));
    for (unsigned i = 0; name && i < t->capture_count; i++) {
        const bj__capture *c = &t->captures[i];
        const bj__exchange *x = bj__exchange_of(e, c->exchange);
        bool meant =
            c->name.length == name->as.string.length && !memcmp(c->name.bytes, name->as.string.bytes, c->name.length);
        if (meant && x && x->mid == m->mid) {
            bj_text_printf(why, "it has Message ID %u again", (unsigned) m->mid);
            return false;
        }
    }
    return true;
}

bool bj__match_request(bj_engine *e, const bj__thread *t, const bj_record *step, const bj__exchange *x, bj_text *why) {
    bj_coap m;
    if (!bj__exchange_read(x, &m)) {
        bj_text_add(why, "it cannot be decoded");
        return false;
    }
    if (!target_matches(e, t, step, x, &m)) {
        return false;
    }
    if (bj_get_bool(step, BJ_F(REQUEST, PART), false) && !bj_coap_find(&m, BJ_COAP_BLOCK1, 0)) {
        bj_text_add(why, "it does not come in blocks");
        return false;
    }
    const bj_value *type = bj_get(step, BJ_F(REQUEST, TYPE));
    if (type && x->from.connection < 0 && type->as.uint != m.type) {
        bj_text_add(why, m.type == BJ_COAP_CON ? "it is confirmable" : "it is not confirmable");
        return false;
    }
    return mid_differs(e, t, step, &m, why) && queries_match(e, t, step, &m, why) &&
           number_matches(step, BJ_F(REQUEST, FORMAT), &m, BJ_COAP_CONTENT_FORMAT, "Content-Format", why) &&
           number_matches(step, BJ_F(REQUEST, ACCEPT), &m, BJ_COAP_ACCEPT, "Accept", why) &&
           payload_matches(e, t, step, &m, why);
}

/* --- answers to operations --- */

static void describe_answer(const bj__outbound *o, const bj_coap *m, bj_text *out) {
    if (o->outcome == BJ__REJECTED) {
        bj_text_add(out, "the client rejected it with RST");
    } else if (o->outcome == BJ__GIVEN_UP) {
        bj_text_printf(out, "the client did not answer (given up after %u retransmissions)", o->retransmissions);
    } else if (o->outcome == BJ__WRONG_TOKEN) {
        bj_text_add(out, "the client's acknowledgement carries another token");
    } else {
        bj_text_add(out, "the client answered ");
        bj_coap_code_print(out, m->code);
        if (m->code >> 5 > 2 && m->payload_length) {
            bj_text_add(out, " ");
            bj_text_json_string(out, (const char *) m->payload, m->payload_length > 80 ? 80 : m->payload_length);
        }
    }
}

static bj__progress answer_differs(bj_engine *e, bj__thread *t, const bj__outbound *o, const bj_codes *expect,
                                   const bj_coap *m, const char *detail) {
    BJ_TEXT(what, 200);
    BJ_TEXT(seen, 300);
    BJ_TEXT(codes, 80);
    bj__describe_outbound(o, &what);
    describe_answer(o, m, &seen);
    if (expect) {
        bj_codes_print(&codes, expect);
    } else {
        bj_text_add(&codes, "an answer");
    }
    bj__fail(e, t, "expected %s to %s, %s%s%s", codes.start, what.start, seen.start, *detail ? ": " : "", detail);
    t->failure_cause = o->answer_event ? o->answer_event : t->failure_cause;
    return BJ__FAILED;
}

static bool comes_in_blocks(const bj_coap *m) {
    uint32_t block;
    return bj_coap_find_uint(m, BJ_COAP_BLOCK2, &block) && (block & 8);
}

/* What a successful answer must hold. Of one in blocks the first alone is there: what it lacks may come. */
static bj_compared content_matches(bj_engine *e, const bj__thread *t, const bj_record *step, const bj_coap *m,
                                   bj_text *why) {
    if (m->code >> 5 != 2) {
        return BJ__SAME;
    }
    bj_compared result = BJ__SAME;
    if (step->kind != BJ_K_DISCOVER) {
        result = bj__content_matches(e, t, step, m, why);
    } else if (!links_as_told(e, step, BJ_F(DISCOVER, HAS), BJ_F(DISCOVER, LACKS), m, why)) {
        result = BJ__DIFFERENT;
    }
    if (result == BJ__DIFFERENT && comes_in_blocks(m)) {
        bj_text_add(why, " (the answer comes in blocks, of which the first alone was asked for)");
        return BJ__UNKNOWN;
    }
    return result;
}

/* An operation may be refused, and was, with a code that is not in its row of the table: a warning
 * (verdicts of the README). A Finish that is to be refused with 4.06 is not refused by an error of the client's own.
 * Where one special code is wanted, as 4.02 or 4.13, it is that one. */
static bool refused_otherwise(const bj__outbound *o, const bj_codes *expect, uint8_t code) {
    unsigned kind = code >> 5;
    if (!expect || !o->is_operation) {
        return false;
    }
    bool client_error = bj_codes_has(expect, BJ_COAP_CODE(4, 4)) || bj_codes_has(expect, BJ_COAP_CODE(4, 5)) ||
                        bj_codes_has(expect, BJ_COAP_CODE(4, 6));
    bool any = bj_codes_has(expect, BJ_COAP_CODE(4, 0)) || bj_codes_has(expect, BJ_COAP_CODE(4, 8));
    return (any && (kind == 4 || kind == 5)) || (client_error && kind == 4);
}

bj__progress bj__match_answer(bj_engine *e, bj__thread *t, const bj_record *step, const bj__outbound *o,
                              const bj_codes *expect, const bj_codes *tolerate) {
    bj_coap m = { .version = 1 };
    if (o->outcome != BJ__ANSWERED || !bj__decode(&m, o->answer, o->answer_length, o->to.connection >= 0)) {
        return answer_differs(e, t, o, expect, &m, "");
    }
    bool expected = !expect || bj_codes_has(expect, m.code);
    bool tolerated = (tolerate && bj_codes_has(tolerate, m.code)) || refused_otherwise(o, expect, m.code);
    if (!expected && !tolerated) {
        return answer_differs(e, t, o, expect, &m, "");
    }
    if (!expected && m.code != BJ_COAP_CODE(5, 0)) { /* verdicts.md: generic 5.00 is excepted */
        BJ_TEXT(what, 160);
        BJ_TEXT(code, 8);
        bj__describe_outbound(o, &what);
        bj_coap_code_print(&code, m.code);
        bj__warn(t, "code off the table: %s to %s", code.start, what.start);
    }
    BJ_TEXT(why, 300);
    bj_compared content = content_matches(e, t, step, &m, &why);
    if (content == BJ__DIFFERENT) {
        return answer_differs(e, t, o, expect, &m, why.start);
    }
    if (content == BJ__UNKNOWN) {
        bj__fail(e, t, "%s", why.start);
        t->ending = BJ_INCONCLUSIVE;
        return BJ__ENDS;
    }
    t->satisfied = o->answered;
    t->satisfied_event = o->answer_event;
    return BJ__DONE;
}
