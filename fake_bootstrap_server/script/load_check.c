/* SPDX-License-Identifier: Apache-2.0
 *
 * What no type can say: names of servers and captures, what a step needs before it, fields that exclude each other,
 * limits, forms of paths, URIs and addresses. All that can be said in a line is a line of a table here.
 *
 * Steps are followed in the order of the file; after `either` and `when` holds what held after any of the
 * branches, so that nothing that can be reached is refused.
 */
#define _GNU_SOURCE
#include <string.h>

#include "script/load_yaml.h"
#include "script/print.h"
#include "wire/entries.h"
#include "world.h"

enum { CAPTURES = 64 };

typedef struct bj_checked {
    bj_loading *loading;
    const char *servers[BJ_LIMIT_NAMES + 2]; /* a NULL at the end */
    size_t server_count;
    bool servers_unknown; /* the map of servers could not be read */
    const char *captures[CAPTURES + 1];
    size_t capture_count;
    bool request; /* one was awaited before */
    bool sent;    /* a server sent something of its own before */
    bool waiting; /* an answer is still to be awaited by `response` */
} check;

static bool is_damaged(const check *c, const bj_record *record) {
    for (size_t i = 0; i < c->loading->damaged_count; i++) {
        if (c->loading->damaged[i] == record) {
            return true;
        }
    }
    return false;
}

static const bj_value *value_named(const bj_record *record, const char *name) {
    const bj_field_def *field = bj_field_named(bj_record_def_of((bj_kind) record->kind), name, strlen(name));
    return field ? bj_get(record, field->number) : NULL;
}

static const char *verb_of(const bj_record *record) {
    return bj_record_def_of((bj_kind) record->kind)->name;
}

static bool has_captures(const bj_string *text) {
    return memmem(text->bytes, text->length, "${", 2) != NULL;
}

static bool is_listed(const char *const *names, const char *name) {
    for (; *names; names++) {
        if (!strcmp(*names, name)) {
            return true;
        }
    }
    return false;
}

/* --- limits ----------------------------------------------------------------------------------- */

/* Greatest values of fields of this name, in every kind of record that has one. */
static const struct {
    const char *name;
    uint32_t least;
    uint32_t most;
} limits[] = {
    { "instance", 0, 65534 },    { "ssid", 0, 65535 },        { "port", 1, 65535 },
    { "mid", 0, 65535 },         { "version", 0, 3 },         { "token-length", 0, 15 },
    { "status", 0, 255 },        { "format", 0, 65536 },      { "accept", 0, 65536 },
    { "loss", 0, 1000000 },      { "duplicate", 0, 1000000 }, { "reorder", 0, 1000000 },
    { "mtu", 1, 65507 },         { "matching-type", 0, 255 }, { "certificate-usage", 0, 255 },
    { "max-retransmit", 0, 20 }, { "block", 16, 65536 },      { "number", 1, 20 },
    { "which", 0, 255 },         { "pieces", 1, 65535 },
};

static void check_limits(check *c, const bj_record *record) {
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        const bj_value *value = value_named(record, limits[i].name);
        if (value && value->type == BJ_T_UINT &&
            (value->as.uint < limits[i].least || value->as.uint > limits[i].most)) {
            bj_mistake_at(c->loading, value->position, NULL, "expected a number from %u to %u, found %u",
                          limits[i].least, limits[i].most, value->as.uint);
        }
    }
}

/* --- fields that exclude or need each other ----------------------------------------------------- */

/* At most one of these may be given; kind NONE: in every kind of record. */
static const struct {
    bj_kind kind;
    const char *names[4];
} alternatives[] = {
    { BJ_K_NONE, { "tlv", "values", "text", "hex" } },
    { BJ_K_CREATE, { "tlv", "values", "resources", "hex" } },
    { BJ_K_CANCEL, { "reset", "expect" } },
    { BJ_K_REPEAT, { "times", "until" } },
    { BJ_K_RESPOND, { "reset", "code" } },
    { BJ_K_RESPOND, { "reset", "separate" } },
    { BJ_K_RESPOND, { "reset", "wrong" } },
    { BJ_K_RESPOND, { "reset", "text", "hex", "tlv" } },
    { BJ_K_RESPOND, { "reset", "location" } },
    { BJ_K_RESPOND, { "reset", "options" } },
    { BJ_K_REQUEST, { "tlv", "has" } },
    { BJ_K_REQUEST, { "text", "has" } },
    { BJ_K_REQUEST, { "hex", "has" } },
    { BJ_K_REQUEST, { "values", "has" } },
    { BJ_K_RESPOND, { "reset", "values" } },
    { BJ_K_RESPOND, { "reset", "block" } },
    { BJ_K_POWER_CUT, { "keeps", "outcome" } },
    { BJ_K_INPUT, { "line", "command" } },
    { BJ_K_STOPPING, { "signal", "input", "end" } },
};

static void check_alternatives(check *c, const bj_record *record, const char *const names[4]) {
    const char *given = NULL;
    for (size_t i = 0; i < 4 && names[i]; i++) {
        const bj_value *value = value_named(record, names[i]);
        bool counts = value && (value->type != BJ_T_BOOL || value->as.boolean);
        if (counts && given) {
            bj_mistake_at(c->loading, value->position, NULL, "'%s' and '%s' exclude each other", given, names[i]);
            return;
        }
        given = counts ? names[i] : given;
    }
}

/* At least one of these must be given. */
static const struct {
    bj_kind kind;
    const char *names[3];
} needs[] = {
    { BJ_K_WRITE, { "path" } },
    { BJ_K_DELETE, { "path" } },
    { BJ_K_DISCOVER, { "path" } },
    { BJ_K_READ, { "path" } },
    { BJ_K_EXECUTE, { "path" } },
    { BJ_K_CREATE, { "path" } },
    { BJ_K_WRITE_ATTRIBUTES, { "path" } },
    { BJ_K_WRITE_ATTRIBUTES, { "set", "query" } },
    { BJ_K_OBSERVE, { "path" } },
    { BJ_K_READ_COMPOSITE, { "paths" } },
    { BJ_K_OBSERVE_COMPOSITE, { "paths" } },
    { BJ_K_WRITE_COMPOSITE, { "values", "hex" } },
    { BJ_K_MESSAGE, { "code" } },
    { BJ_K_REPEAT, { "times", "until" } },
    { BJ_K_RESPOND, { "code", "reset" } },
    { BJ_K_DISK, { "fault", "space" } },
    { BJ_K_INPUT, { "line", "command", "end" } },
    { BJ_K_READY, { "output", "request", "after" } },
    { BJ_K_STOPPING, { "signal", "input", "end" } },
};

static void check_need(check *c, const bj_record *record, const char *const names[3]) {
    BJ_TEXT(which, 160);
    for (size_t i = 0; i < 3 && names[i]; i++) {
        bj_text_printf(&which, "%s'%s'", i ? " or " : "", names[i]);
        if (value_named(record, names[i])) {
            return;
        }
    }
    bj_mistake_at(c->loading, record->position, NULL, "%s needs the field %s", verb_of(record), which.start);
}

static void check_combinations(check *c, const bj_record *record) {
    for (size_t i = 0; i < sizeof alternatives / sizeof alternatives[0]; i++) {
        if (alternatives[i].kind == BJ_K_NONE || alternatives[i].kind == (bj_kind) record->kind) {
            check_alternatives(c, record, alternatives[i].names);
        }
    }
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++) {
        if (needs[i].kind == (bj_kind) record->kind) {
            check_need(c, record, needs[i].names);
        }
    }
}

static size_t leaves_of(const bj_node *nodes, size_t count) { /* no deeper than BJ_LIMIT_NODE_DEPTH */
    size_t leaves = 0;
    for (size_t i = 0; i < count; i++) {
        leaves += nodes[i].kind == BJ_N_TREE ? leaves_of(nodes[i].children, nodes[i].child_count) : 1;
    }
    return leaves;
}

/* What a step sends as `values` must be such that its format can hold them. */
static void check_values(check *c, const bj_record *record) {
    const bj_value *values = value_named(record, "values"), *format = value_named(record, "format");
    if (!values || !format || record->kind == BJ_K_REQUEST) {
        return;
    }
    uint32_t number = format->as.uint;
    if (number < 65536 && !bj_entries_known(number)) {
        bj_mistake_at(c->loading, format->position, NULL, "'values' cannot be written in this format: %s",
                      "text, opaque, cbor, senml-json, senml-cbor, tlv, json, lwm2m-cbor, old-tlv, old-json can be");
    } else if (bj_entries_single(number) && leaves_of(values->as.nodes.items, values->as.nodes.count) != 1) {
        bj_mistake_at(c->loading, values->position, NULL, "a payload of this format holds exactly one value");
    }
}

static bool is_contact(const bj_record *record) {
    return record->kind == BJ_K_CLIENT_HELLO || record->kind == BJ_K_CONNECTION;
}

/* A time that has a late end leaves `within` nothing to say. */
static void check_at_within(check *c, const bj_record *record) {
    bool awaits = record->kind == BJ_K_REQUEST || record->kind == BJ_K_RESPONSE || record->kind == BJ_K_NOTIFICATION ||
                  is_contact(record);
    const bj_value *at = value_named(record, "at");
    const bj_value *within = value_named(record, "within");
    if (awaits && at && within && at->as.when.latest != BJ_WHEN_OPEN) {
        bj_mistake_at(c->loading, within->position, NULL, "'at' with a late end and 'within' exclude each other");
    }
}

/* `wait: false` leaves the answer to a later `response`, and so all that is said about it. */
static void check_wait(check *c, const bj_record *record) {
    static const char *const about_answers[] = { "expect", "within", "tolerate", "has", "lacks" };
    const bj_value *wait = value_named(record, "wait");
    for (size_t i = 0; wait && !wait->as.boolean && i < sizeof about_answers / sizeof about_answers[0]; i++) {
        const bj_value *value = value_named(record, about_answers[i]);
        if (value) {
            bj_mistake_at(c->loading, value->position, NULL,
                          "'%s' and 'wait: false' exclude each other: the answer is awaited by `response`",
                          about_answers[i]);
        }
    }
}

/* --- codes and times -------------------------------------------------------------------------- */

static size_t count_codes(const bj_codes *codes) {
    size_t count = 0;
    for (unsigned code = 0; code < 256; code++) {
        count += bj_codes_has(codes, (uint8_t) code);
    }
    return count;
}

static void check_codes(check *c, const bj_record *record, const bj_field_def *field, const bj_value *value) {
    size_t count = count_codes(&value->as.codes);
    bool one = !strcmp(field->name, "code"); /* what is sent, not what is expected */
    if (!count || (one && count > 1)) {
        bj_mistake_at(c->loading, value->position, NULL, one ? "%s sends one code, found %zu" : "%s: no code at all",
                      verb_of(record), count);
    }
}

static void check_when(check *c, const bj_record *record, const bj_value *value) {
    const bj_when *when = &value->as.when;
    bool open_early = when->due ? when->earliest == BJ_WHEN_OPEN_EARLY : !when->earliest && when->latest;
    bool awaits = record->kind == BJ_K_REQUEST || record->kind == BJ_K_RESPONSE ||
                  record->kind == BJ_K_RETRANSMISSION || record->kind == BJ_K_DEPARTURE ||
                  record->kind == BJ_K_NOTIFICATION || is_contact(record);
    bool lasts = record->kind == BJ_K_SILENCE || record->kind == BJ_K_ADVANCE;
    if (!awaits && open_early) {
        bj_mistake_at(c->loading, value->position, NULL, "%s %s the early end of its range, which is open here",
                      verb_of(record), lasts ? "lasts until" : "happens at");
    }
    bool of_a_request = when->due == BJ_DUE_FINISH || when->due == BJ_DUE_LIFETIME || when->due == BJ_DUE_UPDATE ||
                        when->due == BJ_DUE_QUEUE;
    if (of_a_request && !c->request && !c->loading->lost_step) {
        bj_mistake_at(c->loading, value->position, NULL, "due(%s) cannot be known here: no request was awaited before",
                      bj_due_name((bj_due) when->due));
    }
}

/* --- texts ------------------------------------------------------------------------------------ */

static bool is_number(const char *text, size_t length, unsigned most) {
    unsigned number = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || number > 65535) {
            return false;
        }
        number = number * 10 + (unsigned) (text[i] - '0');
    }
    return length > 0 && number <= most;
}

/* "/", "/1", "/1/0", ... up to a Resource Instance: numbers only. Or a path that is not of the data model, "/bs". */
static bool is_target(const bj_string *path) {
    const char *at = path->bytes + 1;
    unsigned levels = 0;
    if (*at < '0' || *at > '9') {
        return true;
    }
    for (;; at++) {
        size_t length = strcspn(at, "/");
        if (!is_number(at, length, 65535) || ++levels > 4) {
            return false;
        }
        at += length;
        if (!*at) {
            return at == path->bytes + path->length;
        }
    }
}

/* One star stands for a segment; two stand for any rest, at the end only. */
static bool is_pattern(const bj_string *path) {
    const char *rest = memmem(path->bytes, path->length, "**", 2);
    return !rest || (rest > path->bytes && rest[-1] == '/' && rest + 2 == path->bytes + path->length);
}

static void check_path(check *c, const bj_record *record, const bj_value *value) {
    const bj_string *path = &value->as.string;
    const char *what = NULL;
    const bj_record_def *def = bj_record_def_of((bj_kind) record->kind);
    bool operation = record->kind != BJ_K_FINISH && bj_field_named(def, "empty-segment", 13);
    if (has_captures(path)) {
        return;
    }
    if (!path->length || path->bytes[0] != '/') {
        what = "a path that begins with /";
    } else if (operation && !is_target(path)) {
        what = "a path such as /, /1, /1/0 or /1/0/1 with ids up to 65535 (`message` sends any path)";
    } else if (record->kind == BJ_K_REQUEST && !is_pattern(path)) {
        what = "/** at the end of the path only";
    }
    if (what) {
        bj_mistake_at(c->loading, value->position, NULL, "expected %s, found '%.64s'", what, path->bytes);
    }
}

/* Links and paths in `has` and `lacks`. */
static void check_links(check *c, const bj_value *value) {
    for (size_t i = 0; i < value->as.strings.count; i++) {
        const bj_string *link = &value->as.strings.items[i];
        if (!link->length || !strchr("/<$", link->bytes[0])) {
            bj_mistake_at(c->loading, value->position, NULL,
                          "expected a path such as /1/0 or a link such as </1/0>;ssid=101, found '%.64s'", link->bytes);
        }
    }
}

static void check_uri(check *c, const bj_value *value) {
    static const char *const schemes[] = { "coap://", "coaps://", "coap+tcp://", "coaps+tcp://" };
    const bj_string *uri = &value->as.string;
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t length = strlen(schemes[i]);
        if (uri->length > length && !memcmp(uri->bytes, schemes[i], length)) {
            return;
        }
    }
    bj_mistake_at(c->loading, value->position, NULL, "expected a URI such as coap://bs.example, found '%.64s'",
                  uri->bytes);
}

/* Factors: RFC 7252 section 4.8 and the jitter of the hold-off are at least 1. */
static void check_factor(check *c, const bj_value *value) {
    uint64_t millionths;
    if (!bj_factor_parse(value->as.string.bytes, value->as.string.length, &millionths)) {
        bj_mistake_at(c->loading, value->position, NULL, "expected a factor of at least 1 such as 1.5, found '%.32s'",
                      value->as.string.bytes);
    }
}

static void check_version(check *c, const bj_value *value) {
    static const char *const versions[] = { "1.0", "1.1", "1.2", NULL };
    const char *text = value->as.string.bytes;
    if (!is_listed(versions, text)) {
        bj_mistake_at(c->loading, value->position, NULL, "expected one of 1.0, 1.1, 1.2, found '%.32s'", text);
    }
}

static void check_fact(check *c, const bj_value *value) {
    const bj_field_def *fact = bj_field_numbered(bj_record_def_of(BJ_K_WHEN), BJ_F(WHEN, FACT));
    const char *names[64] = { 0 };
    for (size_t i = 0; i < 63 && fact->values[i].name; i++) {
        names[i] = fact->values[i].name;
    }
    for (size_t i = 0; i < value->as.strings.count; i++) {
        const bj_string *text = &value->as.strings.items[i];
        if (!is_listed(names, text->bytes)) {
            bj_mistake_at(c->loading, value->position, bj_nearest(names, text->bytes, text->length),
                          "expected a fact that `when` may ask, found '%.40s'", text->bytes);
        }
    }
}

/* An address, with a port where `port` is set, or (for answers of the DNS) the name of a server. */
static void check_address(check *c, const bj_value *value, const bj_string *text, bool port, bool or_server) {
    bj_addr address;
    if (bj_addr_parse(text->bytes, text->length, &address) && (address.port != 0) == port) {
        return;
    }
    if (or_server && (c->servers_unknown || is_listed(c->servers, text->bytes))) {
        return;
    }
    bj_mistake_at(c->loading, value->position, or_server ? bj_nearest(c->servers, text->bytes, text->length) : NULL,
                  "expected %s, found '%.64s'",
                  port        ? "an address and port such as 192.0.2.7:5683"
                  : or_server ? "an address such as 192.0.2.7 or 2001:db8::7, or the name of a server"
                              : "an address such as 192.0.2.7 or 2001:db8::7",
                  text->bytes);
}

static void check_addresses(check *c, const bj_record *record, const bj_value *value) {
    bool answer = record->kind == BJ_K_DNS_ANSWER;
    for (size_t i = 0; i < value->as.strings.count; i++) {
        const bj_string *text = &value->as.strings.items[i];
        bj_addr address;
        check_address(c, value, text, false, answer);
        if (!answer && bj_addr_parse(text->bytes, text->length, &address) && bj_is_clients_address(&address)) {
            bj_mistake_at(c->loading, value->position, NULL, "%s is the client's own address", text->bytes);
        }
    }
    if (answer && bj_get_uint(record, BJ_F(DNS_ANSWER, STATUS), 0) != 0 && value->as.strings.count) {
        bj_mistake_at(c->loading, value->position, NULL, "an answer that is not 'ok' has no addresses");
    }
}

static void check_environment(check *c, const bj_value *value) {
    for (size_t i = 0; i < value->as.strings.count; i++) {
        const bj_string *text = &value->as.strings.items[i];
        if (!memchr(text->bytes, '=', text->length) || text->bytes[0] == '=') {
            bj_mistake_at(c->loading, value->position, NULL, "expected NAME=VALUE, found '%.64s'", text->bytes);
        }
    }
}

/* --- names ------------------------------------------------------------------------------------ */

static void check_server_name(check *c, const bj_value *value, bool or_client) {
    const char *name = value->as.string.bytes;
    if (c->servers_unknown || is_listed(c->servers, name) || (or_client && !strcmp(name, "client"))) {
        return;
    }
    BJ_TEXT(known, 200);
    for (size_t i = 0; c->servers[i]; i++) {
        bj_text_printf(&known, i ? ", %s" : "%s", c->servers[i]);
    }
    bj_mistake_at(c->loading, value->position, bj_nearest(c->servers, name, value->as.string.length),
                  "there is no server '%.40s': the servers are %s%s", name, or_client ? "client, " : "", known.start);
}

/* Steps that mean `bs` when they name no server. */
static void check_default_server(check *c, const bj_record *record) {
    const bj_record_def *def = bj_record_def_of((bj_kind) record->kind);
    bool means_all = record->kind == BJ_K_SILENCE || record->kind == BJ_K_NETWORK ||
                     record->kind == BJ_K_NOTIFICATION || record->kind == BJ_K_CANCEL;
    if (!def->verb || means_all || !bj_field_named(def, "server", 6) || value_named(record, "server") ||
        c->servers_unknown || is_listed(c->servers, "bs")) {
        return;
    }
    bj_mistake_at(c->loading, record->position, NULL, "%s names no server, and there is no 'bs' to mean", def->name);
}

static void check_capture(check *c, const bj_value *value, const char *name, size_t length) {
    for (size_t i = 0; i < c->capture_count; i++) {
        if (strlen(c->captures[i]) == length && !memcmp(c->captures[i], name, length)) {
            return;
        }
    }
    if (!c->loading->lost_step) {
        bj_mistake_at(c->loading, value->position, bj_nearest(c->captures, name, length),
                      "no request was captured as '%.*s' before this", (int) (length < 40 ? length : 40), name);
    }
}

/* ${name}, ${name.path}, ${name.query.ep}: the name must be captured. */
static void check_substitutions(check *c, const bj_value *value, const bj_string *text) {
    const char *end = text->bytes + text->length;
    const char *at = text->bytes;
    while ((at = memmem(at, (size_t) (end - at), "${", 2))) {
        at += 2;
        const char *close = memchr(at, '}', (size_t) (end - at));
        if (!close) {
            bj_mistake_at(c->loading, value->position, NULL, "'${' without '}'");
            return;
        }
        const char *dot = memchr(at, '.', (size_t) (close - at));
        check_capture(c, value, at, (size_t) ((dot ? dot : close) - at));
    }
}

static void add_capture(check *c, const bj_value *value) {
    const char *name = value->as.string.bytes;
    if (!value->as.string.length || strpbrk(name, ".{}$")) {
        bj_mistake_at(c->loading, value->position, NULL, "expected a name without any of . { } $, found '%.40s'", name);
    } else if (c->capture_count < CAPTURES && !is_listed(c->captures, name)) {
        c->captures[c->capture_count++] = name;
    }
}

/* --- fields ----------------------------------------------------------------------------------- */

static bool is_server_field(const bj_record *record, const char *name) {
    bool to = !strcmp(name, "to") && record->kind != BJ_K_RESPOND && record->kind != BJ_K_PACK;
    bool from = !strcmp(name, "from") && record->kind == BJ_K_FAULT;
    return to || from || !strcmp(name, "server");
}

static void check_mode(check *c, const bj_value *value) {
    const char *text = value->as.string.bytes;
    size_t digits = strspn(text, "01234567");
    if (!digits || digits > 4 || text[digits] || value->as.string.length != digits) {
        bj_mistake_at(c->loading, value->position, NULL,
                      "expected permission bits in octal, as \"0600\", found '%.40s'", text);
    }
}

static void check_string(check *c, const bj_record *record, const bj_field_def *field, const bj_value *value) {
    const char *name = field->name;
    if (is_server_field(record, name)) {
        check_server_name(c, value, record->kind == BJ_K_FAULT);
    } else if (!strcmp(name, "to")) {
        check_capture(c, value, value->as.string.bytes, value->as.string.length);
    } else if (record->kind == BJ_K_REQUEST && field->number == BJ_F(REQUEST, OTHER_MID_THAN)) {
        check_capture(c, value, value->as.string.bytes, value->as.string.length);
    } else if (!strcmp(name, "mode")) {
        check_mode(c, value);
    } else if (record->kind == BJ_K_REQUEST && field->number == BJ_F(REQUEST, FROM)) {
        if (strcmp(value->as.string.bytes, "client") != 0) {
            bj_mistake_at(c->loading, value->position, NULL, "expected client, found '%.40s'", value->as.string.bytes);
        }
    } else if (!strcmp(name, "capture")) {
        add_capture(c, value);
    } else if (!strcmp(name, "path") || !strcmp(name, "location")) {
        check_path(c, record, value);
    } else if (!strcmp(name, "uri")) {
        check_uri(c, value);
    } else if (!strcmp(name, "source")) {
        check_address(c, value, &value->as.string, true, false);
    } else if (!strcmp(name, "holdoff-jitter") || !strcmp(name, "ack-random-factor")) {
        check_factor(c, value);
    } else if (!strcmp(name, "version")) {
        check_version(c, value);
    } else if ((field->flags & BJ_REQUIRED) && !value->as.string.length) {
        bj_mistake_at(c->loading, value->position, NULL, "'%s' must not be empty", name);
    }
    if (record->kind >= BJ_K_REQUEST) {
        check_substitutions(c, value, &value->as.string);
    }
}

static void check_strings(check *c, const bj_record *record, const bj_field_def *field, const bj_value *value) {
    if (!strcmp(field->name, "has") || !strcmp(field->name, "lacks") || !strcmp(field->name, "paths")) {
        check_links(c, value);
    } else if (!strcmp(field->name, "addresses")) {
        check_addresses(c, record, value);
    } else if (!strcmp(field->name, "facts")) {
        check_fact(c, value);
    } else if (!strcmp(field->name, "environment")) {
        check_environment(c, value);
    }
    for (size_t i = 0; record->kind >= BJ_K_REQUEST && i < value->as.strings.count; i++) {
        check_substitutions(c, value, &value->as.strings.items[i]);
    }
}

static void check_field(check *c, const bj_record *record, const bj_field_def *field, const bj_value *value) {
    switch ((bj_type) field->type) {
    case BJ_T_STRING:
        check_string(c, record, field, value);
        break;
    case BJ_T_STRINGS:
    case BJ_T_QUERY:
        check_strings(c, record, field, value);
        break;
    case BJ_T_CODES:
        check_codes(c, record, field, value);
        break;
    case BJ_T_WHEN:
        check_when(c, record, value);
        break;
    case BJ_T_STEPS:
        if (((field->flags & BJ_REQUIRED) || record->kind == BJ_K_SCENARIO) && !value->as.records.count &&
            !c->loading->lost_step) {
            bj_mistake_at(c->loading, value->position, NULL, "expected at least one step");
        }
        break;
    case BJ_T_BRANCHES:
        if (!value->as.named.count) {
            bj_mistake_at(c->loading, value->position, NULL, "expected at least one branch");
        }
        break;
    default:
        break;
    }
}

/* --- steps in their order --------------------------------------------------------------------- */

static void needs_before(check *c, const bj_record *step, bool there, const char *what) {
    if (!there && !c->loading->lost_step) {
        bj_mistake_at(c->loading, step->position, NULL, "%s: %s before this step", verb_of(step), what);
    }
}

static bool sends_command(const bj_record *step) {
    const bj_record_def *def = bj_record_def_of((bj_kind) step->kind);
    return bj_field_named(def, "empty-segment", 13) || step->kind == BJ_K_MESSAGE;
}

static void check_order(check *c, const bj_record *step) {
    switch ((bj_kind) step->kind) {
    case BJ_K_RESPOND:
    case BJ_K_PACK:
    case BJ_K_IGNORE:
        needs_before(c, step, c->request, "no request was awaited");
        break;
    case BJ_K_RESPONSE:
        needs_before(c, step, c->waiting, "nothing was sent with `wait: false`, and no `message`,");
        break;
    case BJ_K_RESET:
    case BJ_K_ACK:
    case BJ_K_AGAIN:
        needs_before(c, step, c->sent, "no server sent anything of its own");
        break;
    case BJ_K_FAULT:
        if (bj_get_uint(step, BJ_F(FAULT, KIND), 0) == 1 && !bj_get(step, BJ_F(FAULT, DELAY))) {
            check_need(c, step, (const char *const[3]){ "delay" });
        }
        break;
    default:
        break;
    }
}

static void note_step(check *c, const bj_record *step) {
    const bj_value *wait = value_named(step, "wait");
    bool command = sends_command(step);
    c->request |= step->kind == BJ_K_REQUEST;
    c->sent |= command || step->kind == BJ_K_RAW || step->kind == BJ_K_RESPOND || step->kind == BJ_K_PACK;
    c->waiting |= (command && wait && !wait->as.boolean) || step->kind == BJ_K_MESSAGE || step->kind == BJ_K_RAW ||
                  step->kind == BJ_K_AGAIN;
}

static void check_record(check *c, const bj_record *record);

/* Each branch begins with what holds now; behind them holds what held after any of them. */
static void check_branches(check *c, const bj_value *value) {
    check before = *c;
    check after = *c;
    for (size_t i = 0; i < value->as.named.count; i++) {
        c->request = before.request;
        c->sent = before.sent;
        c->waiting = before.waiting;
        for (size_t j = 0; j < value->as.named.items[i].count; j++) {
            check_record(c, value->as.named.items[i].records[j]);
        }
        after.request |= c->request;
        after.sent |= c->sent;
        after.waiting |= c->waiting;
    }
    c->request = after.request;
    c->sent = after.sent;
    c->waiting = after.waiting;
}

static void check_inner(check *c, const bj_value *value) {
    const bj_string *name;
    const bj_record *inner;
    if (value->type == BJ_T_BRANCHES) {
        check_branches(c, value);
        return;
    }
    for (size_t i = 0; (inner = bj_value_record(value, i, &name)); i++) {
        check_record(c, inner);
    }
}

static void check_record(check *c, const bj_record *record) {
    const bj_record_def *def = bj_record_def_of((bj_kind) record->kind);
    bool damaged = is_damaged(c, record);
    if (!damaged) {
        check_limits(c, record);
        check_values(c, record);
        check_combinations(c, record);
        check_at_within(c, record);
        check_wait(c, record);
        check_default_server(c, record);
        check_order(c, record);
    }
    for (size_t i = 0; i < def->field_count; i++) {
        const bj_value *value = bj_get(record, def->fields[i].number);
        if (value && !damaged) {
            check_field(c, record, &def->fields[i], value);
        }
        if (value) {
            check_inner(c, value);
        }
    }
    note_step(c, record);
}

/* --- documents -------------------------------------------------------------------------------- */

static void collect_servers(check *c, const bj_record *root) {
    const bj_value *servers = root->kind == BJ_K_SCENARIO ? bj_get(root, BJ_F(SCENARIO, SERVERS)) : NULL;
    if (!servers) {
        c->servers[c->server_count++] = "bs";
        c->servers[c->server_count++] = "mgmt";
        return;
    }
    c->servers_unknown = !servers->as.named.count && is_damaged(c, root);
    for (size_t i = 0; i < servers->as.named.count && i < BJ_LIMIT_NAMES; i++) {
        const bj_string *name = &servers->as.named.items[i].name;
        c->servers[c->server_count++] = name->bytes;
        if (!name->length || !strcmp(name->bytes, "client") || strlen(name->bytes) != name->length) {
            bj_mistake_at(c->loading, servers->position, NULL, "a server cannot be called '%.40s'", name->bytes);
        }
    }
}

static check *check_program(bj_loading *loading, bj_arena *arena, const bj_record *root) {
    check *c = bj_arena_alloc(arena, sizeof *c);
    c->loading = loading;
    collect_servers(c, root);
    if (root->kind == BJ_K_PROFILE && !is_damaged(c, root)) {
        bj_check_profile(loading, root);
    }
    check_record(c, root);
    return c;
}

void bj_check_program(bj_loading *loading, const bj_record *root) {
    check_program(loading, loading->scratch, root);
}

bj_checked *bj_check_head(bj_loading *loading, const bj_record *root) {
    return check_program(loading, loading->arena, root);
}

void bj_check_steps(bj_checked *checked, bj_loading *loading, const bj_record *const *steps, size_t count) {
    check before = *checked;
    checked->loading = loading;
    for (size_t i = 0; i < count; i++) {
        check_record(checked, steps[i]);
    }
    if (loading->mistakes->count) {
        *checked = before;
    }
    checked->loading = NULL;
}
