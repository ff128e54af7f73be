/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs to YAML and to lines of a log. See print.h.
 *
 * Strings are printed plain where that is safe, else in double quotes; what is not UTF-8 becomes
 * `!bytes HEX`. A step that fits one line is printed as one, any other as one field a line.
 */
#define _GNU_SOURCE
#include "script/print.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* --- small things ----------------------------------------------------------------------------- */

size_t bj_utf8_sequence(const char *bytes, size_t left) {
    const unsigned char *s = (const unsigned char *) bytes;
    size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    if (n == 1) {
        return 1;
    }
    if (s[0] < 0xC2 || s[0] > 0xF4 || n > left) {
        return 0;
    }
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    bool overlong = (s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xF0 && s[1] < 0x90);
    bool outside = (s[0] == 0xED && s[1] > 0x9F) || (s[0] == 0xF4 && s[1] > 0x8F);
    return overlong || outside ? 0 : n;
}

bool bj_code_parse(const char *text, size_t length, uint8_t *code) {
    if (length != 4 || text[0] < '0' || text[0] > '7' || text[1] != '.' || text[2] < '0' || text[2] > '3' ||
        text[3] < '0' || text[3] > '9') {
        return false;
    }
    unsigned detail = (unsigned) (text[2] - '0') * 10 + (unsigned) (text[3] - '0');
    *code = (uint8_t) ((unsigned) (text[0] - '0') << 5 | (detail & 31));
    return detail < 32;
}

static const struct {
    uint32_t number;
    const char *name;
} option_names[] = {
    { 1, "if-match" },      { 3, "uri-host" },        { 4, "etag" },          { 5, "if-none-match" },
    { 6, "observe" },       { 7, "uri-port" },        { 8, "location-path" }, { 9, "oscore" },
    { 11, "uri-path" },     { 12, "content-format" }, { 14, "max-age" },      { 15, "uri-query" },
    { 17, "accept" },       { 20, "location-query" }, { 23, "block2" },       { 27, "block1" },
    { 28, "size2" },        { 35, "proxy-uri" },      { 39, "proxy-scheme" }, { 60, "size1" },
    { 258, "no-response" },
};
enum { OPTION_NAMES = sizeof option_names / sizeof option_names[0] };

bool bj_option_named(const char *name, uint32_t *number) {
    for (size_t i = 0; i < OPTION_NAMES; i++) {
        if (!strcmp(option_names[i].name, name)) {
            *number = option_names[i].number;
            return true;
        }
    }
    return false;
}

const char *bj_option_name(uint32_t number) {
    for (size_t i = 0; i < OPTION_NAMES; i++) {
        if (option_names[i].number == number) {
            return option_names[i].name;
        }
    }
    return NULL;
}

/* --- points of time --------------------------------------------------------------------------- */

static const char *const due_names[] = { NULL,       "wake",   "finish", "retransmit", "holdoff",
                                         "lifetime", "giveup", "update", "queue" };

const char *bj_due_name(bj_due due) {
    return (unsigned) due <= BJ_DUE_LAST ? due_names[due] : NULL;
}

typedef struct cursor {
    const char *at;
    const char *end;
} cursor;

static bool skip(cursor *c, const char *text) {
    size_t length = strlen(text);
    if ((size_t) (c->end - c->at) < length || memcmp(c->at, text, length) != 0) {
        return false;
    }
    c->at += length;
    return true;
}

static void skip_blanks(cursor *c) {
    while (c->at < c->end && *c->at == ' ') {
        c->at++;
    }
}

/* "wake", "due(finish)": BJ_DUE_NONE and nothing skipped when there is none of them. */
static uint8_t parse_due(cursor *c) {
    cursor before = *c;
    if (skip(c, "wake")) {
        return BJ_DUE_WAKE;
    }
    for (uint8_t due = BJ_DUE_FINISH; skip(c, "due(") && due <= BJ_DUE_LAST; due++) {
        if (skip(c, due_names[due]) && skip(c, ")")) {
            return due;
        }
        *c = before;
    }
    *c = before;
    return BJ_DUE_NONE;
}

/* A duration up to "..", a blank or the end. */
static bool parse_duration(cursor *c, int64_t *us) {
    const char *start = c->at;
    bj_time duration;
    while (c->at < c->end && *c->at != ' ' && !(c->end - c->at >= 2 && c->at[0] == '.' && c->at[1] == '.')) {
        c->at++;
    }
    if (!bj_duration_parse(start, (size_t) (c->at - start), &duration) || duration > BJ_DURATION_MAX) {
        return false;
    }
    *us = (int64_t) duration;
    return true;
}

/* "10s", "wake", "due(finish)-1ms"; behind "..", "+5s" counts from the due time of the first end. */
static bool parse_point(cursor *c, uint8_t *due, bool second, int64_t *us) {
    uint8_t named = parse_due(c);
    bool from_due = named || (second && *due);
    if (named) {
        if (second && *due != named) {
            return false;
        }
        *due = named;
    }
    *us = 0;
    skip_blanks(c);
    bool negative = from_due && skip(c, "-");
    if (!negative && !(from_due && skip(c, "+"))) {
        return named || (!from_due && parse_duration(c, us));
    }
    skip_blanks(c);
    bool fine = parse_duration(c, us);
    *us = negative ? -*us : *us;
    return fine;
}

static bool parse_range(cursor *c, bj_when *when) {
    bool open_early = skip(c, "..");
    skip_blanks(c);
    if (open_early) {
        bool fine = parse_point(c, &when->due, false, &when->latest);
        when->earliest = when->due ? BJ_WHEN_OPEN_EARLY : 0;
        return fine;
    }
    if (!parse_point(c, &when->due, false, &when->earliest)) {
        return false;
    }
    when->latest = when->earliest;
    skip_blanks(c);
    if (!skip(c, "..")) {
        return true;
    }
    skip_blanks(c);
    when->latest = BJ_WHEN_OPEN;
    return c->at == c->end || parse_point(c, &when->due, true, &when->latest);
}

bool bj_when_parse(const char *text, size_t length, bj_when *when) {
    cursor c = { .at = text, .end = text + length };
    bj_when result = { 0 };
    if (!length || !parse_range(&c, &result)) {
        return false;
    }
    skip_blanks(&c);
    if (c.at != c.end || result.latest < result.earliest) {
        return false;
    }
    bj_when_tidy(&result);
    *when = result;
    return true;
}

static void print_point(bj_text *out, uint8_t due, int64_t us) {
    bool named = due != BJ_DUE_NONE && due <= BJ_DUE_LAST;
    if (named) {
        bj_text_add(out, due == BJ_DUE_WAKE ? "" : "due(");
        bj_text_add(out, due_names[due]);
        bj_text_add(out, due == BJ_DUE_WAKE ? "" : ")");
    }
    if (us || !named) {
        bj_text_add(out, us < 0 ? "-" : named ? "+" : "");
        bj_duration_print(out, us < 0 ? 0 - (bj_time) us : (bj_time) us);
    }
}

void bj_when_print(bj_text *out, const bj_when *when) {
    bool open_early = when->due && when->earliest == BJ_WHEN_OPEN_EARLY && when->latest != when->earliest;
    if (!open_early) {
        print_point(out, when->due, when->earliest);
    }
    if (when->latest == when->earliest) {
        return;
    }
    bj_text_add(out, "..");
    if (when->latest != BJ_WHEN_OPEN) {
        print_point(out, when->due, when->latest);
    }
}

void bj_codes_print(bj_text *out, const bj_codes *codes) {
    BJ_TEXT(list, 2048);
    unsigned count = 0;
    for (unsigned class = 0; class < 8; class ++) {
        uint32_t details = (uint32_t) (codes->bits[class >> 1] >> (class & 1) * 32);
        if (details == UINT32_MAX) {
            bj_text_add(&list, count++ ? ", " : "");
            bj_text_add_number(&list, class);
            bj_text_add(&list, ".xx");
            continue;
        }
        for (unsigned detail = 0; detail < 32; detail++) {
            if (details >> detail & 1) {
                bj_text_add(&list, count++ ? ", " : "");
                bj_text_add_number(&list, class);
                bj_text_add(&list, detail < 10 ? ".0" : ".");
                bj_text_add_number(&list, detail);
            }
        }
    }
    bj_text_add(out, count == 1 ? "" : "[");
    bj_text_add_bytes(out, list.start, list.used);
    bj_text_add(out, count == 1 ? "" : "]");
}

/* --- strings ---------------------------------------------------------------------------------- */

/* May stand without quotes, also where other YAML readers guess types. */
static bool is_plain(const bj_string *s) {
    static const char *const words[] = { "true", "false", "null", "yes", "no", "on", "off", "y", "n" };
    if (!s->length || s->length > 400 || !strspn(s->bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz/") ||
        s->bytes[s->length - 1] == ' ') {
        return false;
    }
    for (size_t i = 0; i < s->length; i++) {
        char c = s->bytes[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && (!c || !strchr("/._-+*;<>=@$() ", c))) {
            return false;
        }
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!strcasecmp(words[i], s->bytes)) {
            return false;
        }
    }
    return true;
}

static uint32_t code_point(const char *bytes, size_t n) {
    const unsigned char *s = (const unsigned char *) bytes;
    uint32_t point = n == 1 ? s[0] : s[0] & (0xFFu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        point = point << 6 | (s[i] & 0x3F);
    }
    return point;
}

/* What YAML does not take for printable, and what a reader would not see. */
static bool must_be_escaped(uint32_t point) {
    return point < 0x20 || (point >= 0x7F && point <= 0xA0) || (point >= 0x2000 && point <= 0x200F) ||
           (point >= 0x2028 && point <= 0x202F) || (point >= 0xE000 && point <= 0xF8FF) || point == 0xFEFF ||
           (point & 0xFFFE) == 0xFFFE || (point >= 0xFFF0 && point <= 0xFFFF) || point >= 0x20000;
}

static void print_escaped(bj_text *out, uint32_t point) {
    static const char letters[][3] = { { '"', '"' }, { '\\', '\\' }, { '\n', 'n' }, { '\t', 't' }, { '\r', 'r' } };
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++) {
        if (point == (uint32_t) letters[i][0]) {
            bj_text_printf(out, "\\%c", letters[i][1]);
            return;
        }
    }
    bj_text_printf(out, point < 0x100 ? "\\x%02" PRIx32 : point < 0x10000 ? "\\u%04" PRIx32 : "\\U%08" PRIx32, point);
}

static bool is_utf8(const bj_string *s) {
    for (size_t i = 0; i < s->length;) {
        size_t n = bj_utf8_sequence(s->bytes + i, s->length - i);
        if (!n) {
            return false;
        }
        i += n;
    }
    return true;
}

static void print_hex(bj_text *out, const bj_string *s) {
    bool letter_first = s->length && (unsigned char) s->bytes[0] >= 0xA0;
    bj_text_add(out, letter_first ? "" : "\"");
    bj_text_hex(out, s->bytes, s->length);
    bj_text_add(out, letter_first ? "" : "\"");
}

static void print_quoted(bj_text *out, const bj_string *s) {
    if (!is_utf8(s)) {
        bj_text_add(out, "!bytes ");
        print_hex(out, s);
        return;
    }
    bj_text_add(out, "\"");
    for (size_t i = 0; i < s->length;) {
        size_t n = bj_utf8_sequence(s->bytes + i, s->length - i);
        uint32_t point = code_point(s->bytes + i, n);
        if (must_be_escaped(point) || point == '"' || point == '\\') {
            print_escaped(out, point);
        } else {
            bj_text_add_bytes(out, s->bytes + i, n);
        }
        i += n;
    }
    bj_text_add(out, "\"");
}

static void print_string(bj_text *out, const bj_string *s) {
    if (is_plain(s)) {
        bj_text_add_bytes(out, s->bytes, s->length);
    } else {
        print_quoted(out, s);
    }
}

/* YAML takes a key of at most 1024 characters without the question mark. */
static void print_key(bj_text *out, const bj_string *name) {
    if (name->length > 120) {
        bj_text_add(out, "? ");
    }
    print_string(out, name);
    bj_text_add(out, name->length > 120 ? " :" : ":");
}

/* --- values on one line ----------------------------------------------------------------------- */

/* How something is printed: as YAML, or for a log, where secrets and long strings are left out. */
typedef struct style {
    bool log;
    bool secrets;   /* what is printed belongs to /0 */
    unsigned level; /* of the nodes printed next: 0 Object, 1 Object Instance, 2 Resource, 3 Resource Instance */
} style;

enum { LOG_STRING = 40 };

/* In a log a long string is shortened. */
static void print_value_string(bj_text *out, const style *how, const bj_string *s, bool quoted) {
    bool cut = how->log && s->length > LOG_STRING && is_utf8(s);
    bj_string part = *s;
    while (cut && part.length > LOG_STRING - 3) {
        part.length--;
        while (part.length && ((unsigned char) s->bytes[part.length] & 0xC0) == 0x80) {
            part.length--;
        }
    }
    if (quoted || cut) {
        print_quoted(out, &part);
    } else {
        print_string(out, &part);
    }
    bj_text_add(out, cut ? "\xe2\x80\xa6" : "");
}

static void print_bytes(bj_text *out, const style *how, const bj_string *s) {
    if (how->log && s->length > LOG_STRING) {
        bj_text_printf(out, "<%zu bytes>", s->length);
    } else {
        print_hex(out, s);
    }
}

static void print_float(bj_text *out, double real) {
    char digits[40];
    if (isnan(real) || isinf(real)) {
        bj_text_add(out, isnan(real) ? ".nan" : real < 0 ? "-.inf" : ".inf");
        return;
    }
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, real);
        double again = 0;
        if (sscanf(digits, "%lf", &again) == 1 && again == real) {
            break;
        }
    }
    for (char *c = digits; (c = strchr(c, ','));) {
        *c = '.'; /* the client's locale is not ours */
    }
    bj_text_add(out, digits);
    bj_text_add(out, strpbrk(digits, ".e") ? "" : ".0");
}

/* Secret: /0/x/3 (Public Key or Identity) and /0/x/5 (Secret Key), LwM2M Core 1.1 appendix E.1. */
static bool is_secret(const style *how, const bj_node *node) {
    return how->log && how->secrets && how->level == 2 && (node->id == 3 || node->id == 5);
}

static void print_nodes(bj_text *out, const style *how, const bj_node *nodes, size_t count);

static void print_node(bj_text *out, const style *how, const bj_node *node) {
    if (is_secret(how, node) && node->kind != BJ_N_ANY) {
        bool bytes = node->kind == BJ_N_STRING || node->kind == BJ_N_OPAQUE;
        bj_text_printf(out, bytes ? "<%zu bytes>" : "<hidden>", node->bytes.length);
        return;
    }
    switch ((bj_node_kind) node->kind) {
    case BJ_N_TREE: {
        style inner = *how;
        inner.secrets = how->secrets && (how->level > 0 || node->id == 0);
        inner.level++;
        print_nodes(out, &inner, node->children, node->child_count);
        break;
    }
    case BJ_N_STRING:
        print_value_string(out, how, &node->bytes, true);
        break;
    case BJ_N_INT:
        bj_text_add_signed(out, node->integer);
        break;
    case BJ_N_BOOL:
        bj_text_add(out, node->integer ? "true" : "false");
        break;
    case BJ_N_FLOAT:
        print_float(out, node->real);
        break;
    case BJ_N_OPAQUE:
        bj_text_add(out, "!hex ");
        print_bytes(out, how, &node->bytes);
        break;
    case BJ_N_OBJLNK:
        bj_text_printf(out, "!objlnk \"%u:%u\"", (unsigned) (node->integer >> 16 & 0xFFFF),
                       (unsigned) (node->integer & 0xFFFF));
        break;
    case BJ_N_ANY:
        bj_text_add(out, "~");
        break;
    }
}

static void print_nodes(bj_text *out, const style *how, const bj_node *nodes, size_t count) {
    bj_text_add(out, "{");
    for (size_t i = 0; i < count; i++) {
        bj_text_add(out, i ? ", " : "");
        bj_text_add_number(out, nodes[i].id);
        bj_text_add(out, ": ");
        print_node(out, how, &nodes[i]);
    }
    bj_text_add(out, "}");
}

static void print_strings(bj_text *out, const style *how, const bj_value *value) {
    bj_text_add(out, "[");
    for (size_t i = 0; i < value->as.strings.count; i++) {
        bj_text_add(out, i ? ", " : "");
        print_value_string(out, how, &value->as.strings.items[i], false);
    }
    bj_text_add(out, "]");
}

/* "ep=dev-1" in two. */
static bool split(const bj_string *pair, char *key, size_t room, bj_string *name, bj_string *rest) {
    const char *equals = memchr(pair->bytes, '=', pair->length);
    *name = (bj_string){ .bytes = key, .length = equals ? (size_t) (equals - pair->bytes) : pair->length };
    if (name->length >= room) {
        return false;
    }
    memcpy(key, pair->bytes, name->length);
    key[name->length] = '\0';
    *rest = (bj_string){ .bytes = equals ? equals + 1 : NULL };
    rest->length = equals ? pair->length - name->length - 1 : 0;
    return true;
}

enum { QUERY_KEY = 64 };

/* A query that can be a map: short keys that differ, all of it text. */
static bool query_is_map(const bj_value *value) {
    char keys[BJ_LIMIT_NAMES][QUERY_KEY];
    bj_string rest;
    for (size_t i = 0; i < value->as.strings.count; i++) {
        bj_string name;
        if (i >= BJ_LIMIT_NAMES || !is_utf8(&value->as.strings.items[i]) ||
            !split(&value->as.strings.items[i], keys[i], QUERY_KEY, &name, &rest) || !name.length ||
            memchr(name.bytes, '\0', name.length)) {
            return false;
        }
        for (size_t j = 0; j < i; j++) {
            if (!strcmp(keys[i], keys[j])) {
                return false;
            }
        }
    }
    return value->as.strings.count > 0;
}

static void print_query(bj_text *out, const style *how, const bj_value *value) {
    if (!query_is_map(value)) {
        print_strings(out, how, value);
        return;
    }
    bj_text_add(out, "{");
    for (size_t i = 0; i < value->as.strings.count; i++) {
        char key[QUERY_KEY];
        bj_string name;
        bj_string rest = { 0 };
        split(&value->as.strings.items[i], key, sizeof key, &name, &rest);
        bj_text_add(out, i ? ", " : "");
        print_key(out, &name);
        bj_text_add(out, " ");
        if (rest.bytes) {
            print_value_string(out, how, &rest, false);
        } else {
            bj_text_add(out, "~");
        }
    }
    bj_text_add(out, "}");
}

static void print_uint(bj_text *out, const bj_field_def *field, uint32_t number) {
    const char *name = bj_enum_name(field->values, number);
    if (name) {
        bj_text_add(out, name);
    } else {
        bj_text_add_number(out, number);
    }
}

static void print_uints(bj_text *out, const bj_field_def *field, const bj_value *value) {
    bj_text_add(out, "[");
    for (size_t i = 0; i < value->as.uints.count; i++) {
        bj_text_add(out, i ? ", " : "");
        print_uint(out, field, value->as.uints.items[i]);
    }
    bj_text_add(out, "]");
}

static void print_options(bj_text *out, const style *how, const bj_value *value) {
    bj_text_add(out, "[");
    for (size_t i = 0; i < value->as.options.count; i++) {
        const bj_raw_option *option = &value->as.options.items[i];
        const char *name = bj_option_name(option->number);
        bj_text_add(out, i ? ", {number: " : "{number: ");
        if (name) {
            bj_text_add(out, name);
        } else {
            bj_text_add_number(out, option->number);
        }
        bj_text_add(out, ", hex: ");
        print_bytes(out, how, &option->value);
        bj_text_add(out, "}");
    }
    bj_text_add(out, "]");
}

static void print_flow_record(bj_text *out, const style *how, const bj_record *record);
static void print_flow_step(bj_text *out, const style *how, const bj_record *step);

static void print_flow_records(bj_text *out, const style *how, const bj_record *const *records, size_t count,
                               bool steps) {
    if (how->log && steps) {
        bj_text_printf(out, count == 1 ? "(%zu step)" : "(%zu steps)", count);
        return;
    }
    bj_text_add(out, "[");
    for (size_t i = 0; i < count; i++) {
        bj_text_add(out, i ? ", " : "");
        if (steps) {
            bj_text_add(out, "{");
            print_flow_step(out, how, records[i]);
            bj_text_add(out, "}");
        } else {
            print_flow_record(out, how, records[i]);
        }
    }
    bj_text_add(out, "]");
}

static void print_flow_named(bj_text *out, const style *how, const bj_value *value) {
    bj_text_add(out, "{");
    for (size_t i = 0; i < value->as.named.count; i++) {
        const bj_named *named = &value->as.named.items[i];
        bj_text_add(out, i ? ", " : "");
        print_key(out, &named->name);
        bj_text_add(out, " ");
        if (value->type == BJ_T_NAMED) {
            print_flow_record(out, how, named->records[0]);
        } else {
            print_flow_records(out, how, named->records, named->count, value->type == BJ_T_BRANCHES);
        }
    }
    bj_text_add(out, "}");
}

static void print_flow(bj_text *out, const style *how, const bj_field_def *field, const bj_value *value) {
    switch ((bj_type) value->type) {
    case BJ_T_BOOL:
        bj_text_add(out, value->as.boolean ? "true" : "false");
        break;
    case BJ_T_UINT:
    case BJ_T_ENUM:
        print_uint(out, field, value->as.uint);
        break;
    case BJ_T_STRING:
        print_value_string(out, how, &value->as.string, false);
        break;
    case BJ_T_BYTES:
        print_bytes(out, how, &value->as.string);
        break;
    case BJ_T_CODES:
        bj_codes_print(out, &value->as.codes);
        break;
    case BJ_T_DURATION:
        bj_duration_print(out, value->as.duration);
        break;
    case BJ_T_WHEN:
        bj_when_print(out, &value->as.when);
        break;
    case BJ_T_STRINGS:
        print_strings(out, how, value);
        break;
    case BJ_T_UINTS:
        print_uints(out, field, value);
        break;
    case BJ_T_QUERY:
        print_query(out, how, value);
        break;
    case BJ_T_VALUES:
        print_nodes(out, how, value->as.nodes.items, value->as.nodes.count);
        break;
    case BJ_T_OPTIONS:
        print_options(out, how, value);
        break;
    case BJ_T_RECORD:
        print_flow_record(out, how, value->as.records.items[0]);
        break;
    case BJ_T_RECORDS:
    case BJ_T_STEPS:
        print_flow_records(out, how, value->as.records.items, value->as.records.count, value->type == BJ_T_STEPS);
        break;
    case BJ_T_NAMED:
    case BJ_T_NAMED_LISTS:
    case BJ_T_BRANCHES:
        print_flow_named(out, how, value);
        break;
    }
}

void bj_value_print(bj_text *out, const bj_field_def *field, const bj_value *value) {
    const style how = { 0 };
    print_flow(out, &how, field, value);
}

/* --- records on one line ---------------------------------------------------------------------- */

static bool holds_steps(const bj_field_def *field) {
    return field->type == BJ_T_STEPS || field->type == BJ_T_BRANCHES;
}

/* The fields of a record that were given, in the order in which they are printed. */
typedef struct field_walk {
    const bj_record *record;
    const bj_record_def *def;
    unsigned pass, passes; /* which are to come, by bits, as far as the first has shown */
    size_t at;
} field_walk;

/* The primary field and LwM2M values come first, steps last. */
static unsigned pass_of(const bj_field_def *field) {
    return holds_steps(field) ? 2 : !(field->flags & BJ_PRIMARY) && field->type != BJ_T_VALUES;
}

static const bj_field_def *next_field(field_walk *walk) {
    const bj_value *const *values = walk->record->fields;
    for (; walk->pass < 3; walk->pass++, walk->at = 0) {
        bool any = !walk->pass || walk->passes >> walk->pass & 1;
        while (any && walk->at < walk->def->field_count) {
            const bj_field_def *field = &walk->def->fields[walk->at++];
            unsigned pass = values[field->number] ? pass_of(field) : 3;
            walk->passes |= 1u << pass;
            if (pass == walk->pass) {
                return field;
            }
        }
    }
    return NULL;
}

static field_walk fields_of(const bj_record *record) {
    return (field_walk){ .record = record, .def = bj_record_def_of((bj_kind) record->kind) };
}

static void print_flow_record(bj_text *out, const style *how, const bj_record *record) {
    field_walk walk = fields_of(record);
    const char *separator = "";
    bj_text_add(out, "{");
    for (const bj_field_def *field; (field = next_field(&walk)); separator = ", ") {
        bj_text_add(out, separator);
        bj_text_add(out, field->name);
        bj_text_add(out, ": ");
        print_flow(out, how, field, bj_get(record, field->number));
    }
    bj_text_add(out, "}");
}

/* The primary field's value when it is given and nothing else is. */
static const bj_field_def *only_primary(const bj_record *step) {
    field_walk walk = fields_of(step);
    const bj_field_def *first = next_field(&walk);
    return first && (first->flags & BJ_PRIMARY) && !next_field(&walk) ? first : NULL;
}

/* `verb: value` or `verb: {fields}`, without the braces of the step itself. */
static void print_flow_step(bj_text *out, const style *how, const bj_record *step) {
    const bj_field_def *primary = only_primary(step);
    bj_text_add(out, bj_record_def_of((bj_kind) step->kind)->name);
    bj_text_add(out, ": ");
    if (primary) {
        print_flow(out, how, primary, bj_get(step, primary->number));
    } else {
        print_flow_record(out, how, step);
    }
}

/* How far below / the path of an operation lies, and whether it is under /0: "/0/1" is 2 and true. */
static style style_of_step(const bj_record *step) {
    style how = { .log = true };
    const bj_record_def *def = bj_record_def_of((bj_kind) step->kind);
    const bj_field_def *field = bj_field_named(def, "path", 4);
    const char *path = field ? bj_get_string(step, field->number, "") : "";
    how.secrets = !strcmp(path, "/") || (!strncmp(path, "/0", 2) && (!path[2] || path[2] == '/'));
    for (const char *c = path; *c; c++) {
        how.level += c[0] == '/' && c[1];
    }
    if (how.level > 2) {
        how.level = 2;
    }
    return how;
}

/* A payload that is given as bytes or text may hold keys when it belongs to /0. */
static bool is_secret_payload(const style *how, const bj_field_def *field) {
    return how->secrets && (field->type == BJ_T_BYTES || !strcmp(field->name, "text"));
}

void bj_step_line(bj_text *out, const bj_record *step) {
    const style how = style_of_step(step);
    field_walk walk = fields_of(step);
    bj_text_add(out, walk.def->name);
    for (const bj_field_def *field; (field = next_field(&walk));) {
        const bj_value *value = bj_get(step, field->number);
        bool branches = field->type == BJ_T_BRANCHES;
        bj_text_add_char(out, ' ');
        if (!(field->flags & BJ_PRIMARY)) {
            bj_text_add(out, field->name);
            bj_text_add_char(out, ' ');
        }
        if (is_secret_payload(&how, field)) {
            bj_text_printf(out, "<%zu bytes>", value->as.string.length);
        } else {
            print_flow(out, branches ? &(style){ .log = true } : &how, field, value);
        }
    }
}

/* --- documents -------------------------------------------------------------------------------- */

enum { LINE = 100 };

static void indent(bj_text *out, unsigned columns) {
    static const char blanks[] = "                                "; /* 32 */
    bj_text_add_char(out, '\n');
    for (; columns >= sizeof blanks; columns -= (unsigned) sizeof blanks - 1) {
        bj_text_add(out, blanks);
    }
    bj_text_add_bytes(out, blanks, columns);
}

static void print_block_record(bj_text *out, const bj_record *record, unsigned column, bool first_in_line);
static void print_block_step(bj_text *out, const bj_record *step, unsigned column);

/* Does this value fit the line, `used` columns of which are taken? Long scalars do not become better by a new line. */
static bool fits(const bj_field_def *field, const bj_value *value, unsigned used) {
    BJ_TEXT(line, 2 * LINE);
    if (field->type < BJ_T_VALUES) {
        return true;
    }
    bj_value_print(&line, field, value);
    return !line.cut && used + line.used <= LINE;
}

static void print_block_list(bj_text *out, const bj_record *const *records, size_t count, unsigned column, bool steps) {
    if (!count) {
        bj_text_add(out, " []");
    }
    for (size_t i = 0; i < count; i++) {
        indent(out, column);
        bj_text_add(out, "- ");
        if (steps) {
            print_block_step(out, records[i], column + 2);
        } else {
            print_block_record(out, records[i], column + 2, true);
        }
    }
}

static void print_block_named(bj_text *out, const bj_value *value, unsigned column) {
    if (!value->as.named.count) {
        bj_text_add(out, " {}");
    }
    for (size_t i = 0; i < value->as.named.count; i++) {
        const bj_named *named = &value->as.named.items[i];
        indent(out, column);
        if (named->name.length > 120) {
            bj_text_add(out, "? ");
            print_string(out, &named->name);
            indent(out, column);
            bj_text_add(out, ":");
        } else {
            print_key(out, &named->name);
        }
        if (value->type == BJ_T_NAMED) {
            print_block_record(out, named->records[0], column + 2, false);
        } else {
            print_block_list(out, named->records, named->count, column + 2, value->type == BJ_T_BRANCHES);
        }
    }
}

static void print_block_nodes(bj_text *out, const bj_value *value, unsigned column) {
    const style how = { 0 };
    if (!value->as.nodes.count) {
        bj_text_add(out, " {}");
    }
    for (size_t i = 0; i < value->as.nodes.count; i++) {
        indent(out, column);
        bj_text_add_number(out, value->as.nodes.items[i].id);
        bj_text_add(out, ": ");
        print_node(out, &how, &value->as.nodes.items[i]);
    }
}

/* What stands behind "name:". `column` is that of the name. */
static void print_block_value(bj_text *out, const bj_field_def *field, const bj_value *value, unsigned column,
                              unsigned used) {
    if (!holds_steps(field) && fits(field, value, used + 1)) {
        bj_text_add(out, " ");
        bj_value_print(out, field, value);
        return;
    }
    switch ((bj_type) value->type) {
    case BJ_T_VALUES:
        print_block_nodes(out, value, column + 2);
        break;
    case BJ_T_RECORD:
        print_block_record(out, value->as.records.items[0], column + 2, false);
        break;
    case BJ_T_RECORDS:
    case BJ_T_STEPS:
        print_block_list(out, value->as.records.items, value->as.records.count, column + 2, value->type == BJ_T_STEPS);
        break;
    case BJ_T_NAMED:
    case BJ_T_NAMED_LISTS:
    case BJ_T_BRANCHES:
        print_block_named(out, value, column + 2);
        break;
    default:
        bj_text_add(out, " ");
        bj_value_print(out, field, value);
        break;
    }
}

/* A text of several lines that can stand as they are, below a `|`. */
static bool is_literal(const bj_string *s) {
    const char *lines = s->bytes;
    if (!is_utf8(s) || !memchr(lines, '\n', s->length) || strchr(" \n", lines[0]) ||
        (s->length > 1 && !memcmp(lines + s->length - 2, "\n\n", 2))) {
        return false;
    }
    for (size_t i = 0; i < s->length;) {
        size_t n = bj_utf8_sequence(lines + i, s->length - i);
        bool blank_end = lines[i] == ' ' && (lines[i + 1] == '\n' || !lines[i + 1]);
        if (blank_end || (lines[i] != '\n' && must_be_escaped(code_point(lines + i, n)))) {
            return false;
        }
        i += n;
    }
    return true;
}

static void print_literal(bj_text *out, const bj_string *s, unsigned column) {
    bool ended = s->bytes[s->length - 1] == '\n';
    bj_text_add(out, ended ? " |" : " |-");
    for (size_t i = 0; i < s->length;) {
        const char *end = memchr(s->bytes + i, '\n', s->length - i);
        size_t length = end ? (size_t) (end - s->bytes) - i : s->length - i;
        if (length) {
            indent(out, column);
        } else {
            bj_text_add(out, "\n");
        }
        bj_text_add_bytes(out, s->bytes + i, length);
        i += length + 1;
    }
}

static void print_block_field(bj_text *out, const bj_record *record, const bj_field_def *field, unsigned column) {
    const bj_value *value = bj_get(record, field->number);
    bj_text_add(out, field->name);
    bj_text_add_char(out, ':');
    if (field->type == BJ_T_STRING && is_literal(&value->as.string)) {
        print_literal(out, &value->as.string, column + 2);
        return;
    }
    print_block_value(out, field, value, column, column + (unsigned) strlen(field->name) + 1);
}

/* The fields, one a line. The first stands where the text is, or on a line of its own; a record without any is {}. */
static void print_block_record(bj_text *out, const bj_record *record, unsigned column, bool first_in_line) {
    field_walk walk = fields_of(record);
    bool any = false;
    for (const bj_field_def *field; (field = next_field(&walk)); any = true) {
        if (any || !first_in_line) {
            indent(out, column);
        }
        print_block_field(out, record, field, column);
    }
    if (!any) {
        bj_text_add(out, first_in_line ? "{}" : " {}");
    }
}

/* A map behind the verb is the primary field's value: without one, there is none, and the other fields stand beside. */
static bool lacks_map(const bj_record *step) {
    const bj_field_def *primary = bj_field_primary(bj_record_def_of((bj_kind) step->kind));
    return primary && primary->type == BJ_T_VALUES && !bj_get(step, primary->number);
}

/* A step that stands on one line: no steps and no LwM2M values in it, and short enough. `line` then holds it, unless it
 * is cut. */
static bool is_short(const bj_record *step, unsigned column, bj_text *line) {
    if (lacks_map(step)) {
        return false;
    }
    const style how = { 0 };
    field_walk walk = fields_of(step);
    for (const bj_field_def *field; (field = next_field(&walk));) {
        if (holds_steps(field) || field->type == BJ_T_VALUES) {
            return false;
        }
    }
    print_flow_step(line, &how, step);
    return only_primary(step) || (!line->cut && column + line->used <= LINE);
}

/* `verb: primary` and the other fields below; where there is no primary, all of them below `verb:`. */
static void print_block_step(bj_text *out, const bj_record *step, unsigned column) {
    const style how = { 0 };
    BJ_TEXT(line, 2 * LINE);
    if (is_short(step, column, &line)) {
        if (line.cut) {
            print_flow_step(out, &how, step);
        } else {
            bj_text_add_bytes(out, line.start, line.used);
        }
        return;
    }
    const bj_record_def *def = bj_record_def_of((bj_kind) step->kind);
    const bj_field_def *primary = bj_field_primary(def);
    const bj_value *value = primary ? bj_get(step, primary->number) : NULL;
    bj_text_add(out, def->name);
    bj_text_add_char(out, ':');
    if (lacks_map(step)) {
        bj_text_add(out, " ~");
    } else if (!value) {
        print_block_record(out, step, column + 2, false);
        return;
    } else {
        print_block_value(out, primary, value, column, column + (unsigned) strlen(def->name) + 1);
    }
    field_walk walk = fields_of(step);
    for (const bj_field_def *field; (field = next_field(&walk));) {
        if (field != primary) {
            indent(out, column);
            print_block_field(out, step, field, column);
        }
    }
}

bj_string bj_program_print(bj_arena *arena, const bj_record *root) {
    for (size_t room = 4096;; room *= 2) {
        char *buffer = bj_arena_alloc_raw(arena, room);
        bj_text out = bj_text_over(buffer, room);
        print_block_record(&out, root, 0, true);
        bj_text_add(&out, "\n");
        if (!out.cut) {
            return (bj_string){ .bytes = out.start, .length = out.used };
        }
        bj_arena_free(arena, buffer);
    }
}
