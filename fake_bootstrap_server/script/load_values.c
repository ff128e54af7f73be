/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of fields that hold no records: from a YAML node to a bj_value, or to a mistake that says what was expected.
 * A scalar's own text decides, never YAML's idea of it: 2.10 is a code and not the number 2.1.
 */
#define _GNU_SOURCE
#include "script/load_yaml.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "script/print.h"

static bool is_scalar(const bj_yaml *yaml) {
    return yaml->kind == BJ_YAML_SCALAR && !bj_yaml_is_null(yaml);
}

static bool is_untagged_scalar(const bj_yaml *yaml) {
    return is_scalar(yaml) && !yaml->tag.length;
}

bool bj_take_items(bj_loading *loading, const bj_yaml *yaml, size_t count) {
    if (loading->full) {
        return false;
    }
    if (count > loading->items) {
        loading->full = true;
        return bj_mistake_at(loading, yaml->position, NULL, "a program holds at most %d items", BJ_LIMIT_ITEMS);
    }
    loading->items -= count;
    return true;
}

static bj_string kept(bj_loading *loading, const char *bytes, size_t length) {
    return (bj_string){ .bytes = bj_arena_strndup(loading->arena, bytes, length), .length = length };
}

/* --- bytes and texts -------------------------------------------------------------------------- */

static int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool is_blank(char c) {
    return c == ' ' || c == '_' || c == '\t' || c == '\n' || c == '\r';
}

static bool parse_hex(const bj_string *text, char *out, size_t *length) {
    unsigned pending = 0;
    bool half = false;
    *length = 0;
    for (size_t i = 0; i < text->length; i++) {
        int digit = hex_digit(text->bytes[i]);
        if (digit < 0 && (half || !is_blank(text->bytes[i]))) {
            return false;
        }
        if (digit >= 0 && half) {
            out[(*length)++] = (char) (pending << 4 | (unsigned) digit);
        }
        if (digit >= 0) {
            pending = (unsigned) digit;
            half = !half;
        }
    }
    return !half;
}

static bool load_hex(bj_loading *loading, const bj_yaml *yaml, bj_string *out) {
    if (yaml->kind != BJ_YAML_SCALAR) {
        return bj_mistake_expected(loading, yaml, NULL, "bytes in hexadecimal such as 00ff");
    }
    char *bytes = bj_arena_alloc(loading->arena, yaml->text.length / 2 + 1);
    size_t length;
    if (bj_yaml_is_null(yaml) || !parse_hex(&yaml->text, bytes, &length)) {
        return bj_mistake_expected(loading, yaml, NULL, "bytes in hexadecimal such as 00ff");
    }
    bytes[length] = '\0';
    *out = (bj_string){ .bytes = bytes, .length = length };
    return true;
}

bool bj_load_text(bj_loading *loading, const bj_yaml *yaml, const char *what, bj_string *out) {
    if (!is_scalar(yaml)) {
        return bj_mistake_expected(loading, yaml, NULL, what);
    }
    if (bj_yaml_tagged(yaml, "!bytes")) {
        return load_hex(loading, yaml, out);
    }
    if (yaml->tag.length) {
        return bj_mistake_at(loading, yaml->position, NULL, "expected %s, found the tag %s", what, yaml->tag.bytes);
    }
    *out = kept(loading, yaml->text.bytes, yaml->text.length);
    return true;
}

/* BYTES: hexadecimal, a text under the tag !text, or a file under the tag !file. */
static bool load_bytes(bj_loading *loading, const bj_yaml *yaml, bj_string *out) {
    if (yaml->kind == BJ_YAML_SCALAR && bj_yaml_tagged(yaml, "!text")) {
        *out = kept(loading, yaml->text.bytes, yaml->text.length);
        return true;
    }
    if (bj_yaml_tagged(yaml, "!file")) {
        return bj_load_file_bytes(loading, yaml, out);
    }
    if (yaml->tag.length && !bj_yaml_tagged(yaml, "!hex")) {
        return bj_mistake_at(loading, yaml->position, NULL, "expected !hex, !text or !file, found the tag %s",
                             yaml->tag.bytes);
    }
    return load_hex(loading, yaml, out);
}

/* --- numbers and names ------------------------------------------------------------------------ */

static bool parse_uint(const bj_string *text, uint64_t limit, uint64_t *out) {
    uint64_t number = 0;
    if (!text->length || text->length > 20) {
        return false;
    }
    for (size_t i = 0; i < text->length; i++) {
        unsigned digit = (unsigned) (unsigned char) text->bytes[i] - '0';
        if (digit > 9 || number > (limit - digit) / 10) {
            return false;
        }
        number = number * 10 + digit;
    }
    *out = number;
    return true;
}

static const bj_enum_value *value_named(const bj_enum_value *values, const bj_yaml *yaml) {
    for (; values && values->name && !yaml->tag.length; values++) {
        if (bj_yaml_is(yaml, values->name)) { /* also the name `null` */
            return values;
        }
    }
    return NULL;
}

enum { NAMES = 64 };

static const char *nearest_value(const bj_enum_value *values, const bj_yaml *yaml) {
    const char *names[NAMES + 1] = { 0 };
    for (size_t i = 0; i < NAMES && values[i].name; i++) {
        names[i] = values[i].name;
    }
    return yaml->kind == BJ_YAML_SCALAR ? bj_nearest(names, yaml->text.bytes, yaml->text.length) : NULL;
}

static void list_values(bj_text *out, const bj_enum_value *values) {
    for (size_t i = 0; values[i].name; i++) {
        bj_text_printf(out, i ? ", %s" : "%s", values[i].name);
    }
}

static bool load_enum(bj_loading *loading, const bj_field_def *field, const bj_yaml *yaml, uint32_t *out) {
    const bj_enum_value *value = value_named(field->values, yaml);
    if (value) {
        *out = value->number;
        return true;
    }
    BJ_TEXT(what, 400);
    bj_text_add(&what, "one of ");
    list_values(&what, field->values);
    return bj_mistake_expected(loading, yaml, nearest_value(field->values, yaml), what.start);
}

static bool load_uint(bj_loading *loading, const bj_field_def *field, const bj_yaml *yaml, uint32_t *out) {
    uint64_t number;
    const bj_enum_value *value = value_named(field->values, yaml);
    if (value) {
        *out = value->number;
        return true;
    }
    if (is_untagged_scalar(yaml) && parse_uint(&yaml->text, UINT32_MAX, &number)) {
        *out = (uint32_t) number;
        return true;
    }
    BJ_TEXT(what, 400);
    bj_text_add(&what, "a number from 0 to 4294967295");
    if (field->values) {
        bj_text_add(&what, ", or one of ");
        list_values(&what, field->values);
    }
    return bj_mistake_expected(loading, yaml, field->values ? nearest_value(field->values, yaml) : NULL, what.start);
}

static bool load_bool(bj_loading *loading, const bj_yaml *yaml, bool *out) {
    *out = bj_yaml_is(yaml, "true");
    if (is_untagged_scalar(yaml) && yaml->plain && (*out || bj_yaml_is(yaml, "false"))) {
        return true;
    }
    static const char *const names[] = { "true", "false", NULL };
    return bj_mistake_expected(loading, yaml, bj_nearest(names, yaml->text.bytes, yaml->text.length), "true or false");
}

static bool load_duration(bj_loading *loading, const bj_yaml *yaml, bj_time *out) {
    if (!is_untagged_scalar(yaml) || !bj_duration_parse(yaml->text.bytes, yaml->text.length, out)) {
        return bj_mistake_expected(loading, yaml, NULL, "a duration such as 10s");
    }
    if (*out > BJ_DURATION_MAX) {
        return bj_mistake_expected(loading, yaml, NULL, "a duration of at most 36500d");
    }
    return true;
}

/* --- points of time --------------------------------------------------------------------------- */

/* "10s..5s": each end can be read, the whole cannot. */
static bool is_reversed(const bj_string *text) {
    const char *dots = text->length > 2 ? memmem(text->bytes, text->length, "..", 2) : NULL;
    bj_when end;
    return dots && bj_when_parse(text->bytes, (size_t) (dots - text->bytes), &end) &&
           bj_when_parse(dots + 2, text->length - (size_t) (dots + 2 - text->bytes), &end);
}

/* The name in `due(NAME)` when it is none that exists; *suggestion may get a better one. */
static bool has_unknown_due(const bj_string *text, bj_string *name, const char **suggestion) {
    const char *open = memmem(text->bytes, text->length, "due(", 4);
    const char *close = open ? memchr(open, ')', text->length - (size_t) (open - text->bytes)) : NULL;
    const char *names[BJ_DUE_LAST + 1] = { 0 };
    if (!close) {
        return false;
    }
    *name = (bj_string){ .bytes = open + 4, .length = (size_t) (close - open - 4) };
    for (unsigned due = BJ_DUE_FINISH; due <= BJ_DUE_LAST; due++) {
        names[due - BJ_DUE_FINISH] = bj_due_name((bj_due) due);
        if (strlen(bj_due_name((bj_due) due)) == name->length &&
            !memcmp(bj_due_name((bj_due) due), name->bytes, name->length)) {
            return false;
        }
    }
    *suggestion = bj_nearest(names, name->bytes, name->length);
    return true;
}

static bool load_when(bj_loading *loading, const bj_yaml *yaml, bj_when *out) {
    static const char expected[] = "a time such as 10s, 10s..15s, wake or due(finish)-1ms";
    bj_string name;
    const char *suggestion = NULL;
    if (!is_untagged_scalar(yaml)) {
        return bj_mistake_expected(loading, yaml, NULL, expected);
    }
    if (bj_when_parse(yaml->text.bytes, yaml->text.length, out)) {
        return true;
    }
    if (has_unknown_due(&yaml->text, &name, &suggestion)) {
        return bj_mistake_at(loading, yaml->position, suggestion,
                             "expected due(finish), due(retransmit), due(holdoff), due(lifetime), due(giveup), "
                             "due(update) or due(queue), found 'due(%.*s)'",
                             (int) (name.length < 32 ? name.length : 32), name.bytes);
    }
    if (is_reversed(&yaml->text)) {
        return bj_mistake_expected(loading, yaml, NULL, "a range whose early end is not after its late end");
    }
    return bj_mistake_expected(loading, yaml, NULL, expected);
}

/* --- codes ------------------------------------------------------------------------------------ */

static void add_code(bj_codes *codes, unsigned code) {
    codes->bits[code >> 6] |= (uint64_t) 1 << (code & 63);
}

static bool load_code(bj_loading *loading, const bj_yaml *yaml, bj_codes *codes) {
    const char *text = yaml->text.bytes;
    uint8_t code;
    if (is_untagged_scalar(yaml) && yaml->text.length == 4 && text[0] >= '0' && text[0] <= '7' &&
        !memcmp(text + 1, ".xx", 3)) {
        for (unsigned detail = 0; detail < 32; detail++) {
            add_code(codes, (unsigned) (text[0] - '0') << 5 | detail);
        }
        return true;
    }
    if (!is_untagged_scalar(yaml) || !bj_code_parse(text, yaml->text.length, &code)) {
        return bj_mistake_expected(loading, yaml, NULL, "a code such as 2.04 or 4.xx");
    }
    add_code(codes, code);
    return true;
}

static bool load_codes(bj_loading *loading, const bj_yaml *yaml, bj_codes *codes) {
    bool fine = true;
    *codes = (bj_codes){ { 0 } };
    if (yaml->kind != BJ_YAML_LIST) {
        return load_code(loading, yaml, codes);
    }
    for (size_t i = 0; i < yaml->count; i++) {
        fine &= load_code(loading, yaml->items[i], codes);
    }
    return fine;
}

/* --- lists ------------------------------------------------------------------------------------ */

static bool load_strings(bj_loading *loading, const bj_yaml *yaml, bj_value *value) {
    bool one = yaml->kind == BJ_YAML_SCALAR;
    size_t count = one ? 1 : yaml->count;
    bool fine = true;
    if (yaml->kind == BJ_YAML_MAP || bj_yaml_is_null(yaml)) {
        return bj_mistake_expected(loading, yaml, NULL, "a text or a list of texts");
    }
    if (!bj_take_items(loading, yaml, count)) {
        return false;
    }
    bj_string *items = bj_arena_calloc(loading->arena, count, sizeof *items);
    for (size_t i = 0; i < count; i++) {
        fine &= bj_load_text(loading, one ? yaml : yaml->items[i], "a text", &items[i]);
    }
    value->as.strings.items = items;
    value->as.strings.count = count;
    return fine;
}

static bool load_uints(bj_loading *loading, const bj_field_def *field, const bj_yaml *yaml, bj_value *value) {
    bool one = yaml->kind == BJ_YAML_SCALAR;
    size_t count = one ? 1 : yaml->count;
    bool fine = true;
    if (yaml->kind == BJ_YAML_MAP || bj_yaml_is_null(yaml)) {
        return bj_mistake_expected(loading, yaml, NULL, "a number or a list of numbers");
    }
    if (!bj_take_items(loading, yaml, count)) {
        return false;
    }
    uint32_t *items = bj_arena_calloc(loading->arena, count, sizeof *items);
    for (size_t i = 0; i < count; i++) {
        fine &= load_uint(loading, field, one ? yaml : yaml->items[i], &items[i]);
    }
    value->as.uints.items = items;
    value->as.uints.count = count;
    return fine;
}

/* `ep: dev-1` is "ep=dev-1"; `Q: ~` is "Q". */
static bool load_query_pair(bj_loading *loading, const bj_yaml *key, const bj_yaml *yaml, bj_string *out) {
    bj_string name = { .bytes = "", .length = 0 };
    bj_string text = name;
    if (!bj_load_text(loading, key, "a query key", &name)) {
        return false;
    }
    if (bj_yaml_is_null(yaml)) {
        *out = name;
        return true;
    }
    if (!bj_load_text(loading, yaml, "a query value, or ~ for none", &text)) {
        return false;
    }
    char *joined = bj_arena_alloc(loading->arena, name.length + text.length + 2);
    memcpy(joined, name.bytes, name.length);
    joined[name.length] = '=';
    memcpy(joined + name.length + 1, text.bytes, text.length);
    *out = (bj_string){ .bytes = joined, .length = name.length + 1 + text.length };
    return true;
}

static bool same_text(const bj_yaml *a, const bj_yaml *b) {
    return a->kind == BJ_YAML_SCALAR && b->kind == BJ_YAML_SCALAR && a->text.length == b->text.length &&
           !memcmp(a->text.bytes, b->text.bytes, a->text.length);
}

static bool load_query(bj_loading *loading, const bj_yaml *yaml, bj_value *value) {
    bool fine = true;
    if (yaml->kind != BJ_YAML_MAP) {
        return load_strings(loading, yaml, value);
    }
    if (yaml->count > BJ_LIMIT_NAMES) {
        return bj_mistake_at(loading, yaml->position, NULL, "more than %d names in one map", BJ_LIMIT_NAMES);
    }
    if (!bj_take_items(loading, yaml, yaml->count)) {
        return false;
    }
    bj_string *items = bj_arena_calloc(loading->arena, yaml->count, sizeof *items);
    for (size_t i = 0; i < yaml->count; i++) {
        fine &= load_query_pair(loading, yaml->keys[i], yaml->items[i], &items[i]);
        for (size_t j = 0; j < i; j++) {
            if (same_text(yaml->keys[i], yaml->keys[j])) {
                fine = bj_mistake_at(loading, yaml->keys[i]->position, NULL, "the query key '%s' is given twice",
                                     yaml->keys[i]->text.bytes);
            }
        }
    }
    value->as.strings.items = items;
    value->as.strings.count = yaml->count;
    return fine;
}

/* --- raw options ------------------------------------------------------------------------------ */

static bool load_option_number(bj_loading *loading, const bj_yaml *yaml, uint32_t *number) {
    uint64_t parsed;
    if (is_untagged_scalar(yaml) && parse_uint(&yaml->text, UINT32_MAX, &parsed)) {
        *number = (uint32_t) parsed;
        return true;
    }
    if (is_untagged_scalar(yaml) && bj_option_named(yaml->text.bytes, number)) {
        return true;
    }
    return bj_mistake_expected(loading, yaml, NULL, "an option's number, or its name such as uri-query");
}

/* A number as CoAP options hold it: big-endian, without leading zeros (RFC 7252 section 3.2). */
static bool load_option_uint(bj_loading *loading, const bj_yaml *yaml, bj_string *out) {
    uint64_t number;
    char bytes[8];
    size_t length = 0;
    if (!is_untagged_scalar(yaml) || !parse_uint(&yaml->text, UINT64_MAX, &number)) {
        return bj_mistake_expected(loading, yaml, NULL, "a number");
    }
    for (int shift = 56; shift >= 0; shift -= 8) {
        if (length || number >> shift) {
            bytes[length++] = (char) (number >> shift);
        }
    }
    *out = kept(loading, bytes, length);
    return true;
}

static bool load_option(bj_loading *loading, const bj_yaml *yaml, bj_raw_option *out) {
    bool fine = true;
    unsigned numbers = 0;
    unsigned values = 0;
    if (yaml->kind != BJ_YAML_MAP) {
        return bj_mistake_expected(loading, yaml, NULL, "an option such as {number: 9, hex: 00}");
    }
    out->value = kept(loading, "", 0);
    for (size_t i = 0; i < yaml->count; i++) {
        const bj_yaml *key = yaml->keys[i];
        bool number = bj_yaml_is(key, "number");
        if (number) {
            fine &= load_option_number(loading, yaml->items[i], &out->number);
        } else if (bj_yaml_is(key, "hex")) {
            fine &= load_hex(loading, yaml->items[i], &out->value);
        } else if (bj_yaml_is(key, "text")) {
            fine &= bj_load_text(loading, yaml->items[i], "a text", &out->value);
        } else if (bj_yaml_is(key, "uint")) {
            fine &= load_option_uint(loading, yaml->items[i], &out->value);
        } else {
            static const char *const names[] = { "number", "hex", "text", "uint", NULL };
            fine = bj_mistake_expected(loading, key, bj_nearest(names, key->text.bytes, key->text.length),
                                       "number, hex, text or uint");
        }
        numbers += number;
        values += !number;
    }
    if (fine && (numbers != 1 || values > 1)) {
        return bj_mistake_at(loading, yaml->position, NULL,
                             "an option has a number, and a value as one of hex, text, uint");
    }
    return fine;
}

static bool load_options(bj_loading *loading, const bj_yaml *yaml, bj_value *value) {
    bool one = yaml->kind == BJ_YAML_MAP;
    size_t count = one ? 1 : yaml->count;
    bool fine = true;
    if (yaml->kind == BJ_YAML_SCALAR) {
        return bj_mistake_expected(loading, yaml, NULL, "a list of options such as [{number: 9, hex: 00}]");
    }
    if (!bj_take_items(loading, yaml, count)) {
        return false;
    }
    bj_raw_option *items = bj_arena_calloc(loading->arena, count, sizeof *items);
    for (size_t i = 0; i < count; i++) {
        fine &= load_option(loading, one ? yaml : yaml->items[i], &items[i]);
    }
    value->as.options.items = items;
    value->as.options.count = count;
    return fine;
}

/* --- LwM2M values ----------------------------------------------------------------------------- */

static bool parse_int(const bj_string *text, int64_t *out) {
    bool negative = text->length && text->bytes[0] == '-';
    size_t sign = negative || (text->length && text->bytes[0] == '+');
    bj_string digits = { .bytes = text->bytes + sign, .length = text->length - sign };
    uint64_t number;
    if (!parse_uint(&digits, (uint64_t) INT64_MAX + negative, &number)) {
        return false;
    }
    *out = negative ? (int64_t) (0 - number) : (int64_t) number;
    return true;
}

static bool is_named_float(const bj_string *text, double *out) {
    static const struct {
        const char *name;
        double real;
    } known[] = { { ".nan", (double) NAN },
                  { ".inf", (double) INFINITY },
                  { "+.inf", (double) INFINITY },
                  { "-.inf", -(double) INFINITY } };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strlen(known[i].name) == text->length && !memcmp(known[i].name, text->bytes, text->length)) {
            *out = known[i].real;
            return true;
        }
    }
    return false;
}

/* YAML 1.2's floats: digits with a point or an exponent. */
static bool parse_float(const bj_string *text, double *out) {
    bool digits = false;
    if (is_named_float(text, out)) {
        return true;
    }
    for (size_t i = 0; i < text->length; i++) {
        char c = text->bytes[i];
        bool digit = c >= '0' && c <= '9';
        digits |= digit;
        if (!digit && c != '.' && !(digits && (c == 'e' || c == 'E')) &&
            !((c == '-' || c == '+') && (!i || text->bytes[i - 1] == 'e' || text->bytes[i - 1] == 'E'))) {
            return false;
        }
    }
    char *end;
    *out = digits ? strtod(text->bytes, &end) : 0;
    return digits && end == text->bytes + text->length;
}

/* Only digits (and a sign): meant as an integer, whatever its size. */
static bool looks_like_int(const bj_string *text) {
    size_t sign = text->length && (text->bytes[0] == '-' || text->bytes[0] == '+');
    return text->length > sign && strspn(text->bytes + sign, "0123456789") == text->length - sign;
}

static bool load_plain(bj_loading *loading, const bj_yaml *yaml, bj_node *node) {
    node->kind = BJ_N_INT;
    if (looks_like_int(&yaml->text)) {
        return parse_int(&yaml->text, &node->integer) ||
               bj_mistake_expected(loading, yaml, NULL, "an integer of 64 bits");
    }
    if (bj_yaml_is(yaml, "true") || bj_yaml_is(yaml, "false")) {
        node->kind = BJ_N_BOOL;
        node->integer = bj_yaml_is(yaml, "true");
        return true;
    }
    node->kind = BJ_N_FLOAT;
    if (parse_float(&yaml->text, &node->real)) {
        return true;
    }
    node->real = 0;
    node->kind = BJ_N_STRING;
    node->bytes = kept(loading, yaml->text.bytes, yaml->text.length);
    return true;
}

/* "3:0" */
static bool parse_objlnk(const bj_string *text, int64_t *out) {
    const char *colon = memchr(text->bytes, ':', text->length);
    uint64_t object = 0;
    uint64_t instance = 0;
    if (!colon) {
        return false;
    }
    bj_string first = { .bytes = text->bytes, .length = (size_t) (colon - text->bytes) };
    bj_string second = { .bytes = colon + 1, .length = text->length - first.length - 1 };
    if (!parse_uint(&first, UINT16_MAX, &object) || !parse_uint(&second, UINT16_MAX, &instance)) {
        return false;
    }
    *out = (int64_t) (object << 16 | instance);
    return true;
}

static bool load_objlnk(bj_loading *loading, const bj_yaml *yaml, bj_node *node) {
    node->kind = BJ_N_OBJLNK;
    return parse_objlnk(&yaml->text, &node->integer) ||
           bj_mistake_expected(loading, yaml, NULL, "an Object Link such as 3:0");
}

static bool load_forced_int(bj_loading *loading, const bj_yaml *yaml, bj_node *node) {
    node->kind = BJ_N_INT;
    return parse_int(&yaml->text, &node->integer) || bj_mistake_expected(loading, yaml, NULL, "an integer of 64 bits");
}

static bool load_forced_float(bj_loading *loading, const bj_yaml *yaml, bj_node *node) {
    node->kind = BJ_N_FLOAT;
    return parse_float(&yaml->text, &node->real) || bj_mistake_expected(loading, yaml, NULL, "a number such as 1.5");
}

static bool load_forced_string(bj_loading *loading, const bj_yaml *yaml, bj_node *node) {
    node->kind = BJ_N_STRING;
    node->bytes = kept(loading, yaml->text.bytes, yaml->text.length);
    return true;
}

static bool load_opaque(bj_loading *loading, const bj_yaml *yaml, bj_node *node) {
    node->kind = BJ_N_OPAQUE;
    return load_hex(loading, yaml, &node->bytes);
}

static bool load_string_bytes(bj_loading *loading, const bj_yaml *yaml, bj_node *node) {
    node->kind = BJ_N_STRING;
    return load_hex(loading, yaml, &node->bytes);
}

static bool load_opaque_file(bj_loading *loading, const bj_yaml *yaml, bj_node *node) {
    node->kind = BJ_N_OPAQUE;
    return bj_load_file_bytes(loading, yaml, &node->bytes);
}

static const struct {
    const char *tag;
    bool (*load)(bj_loading *, const bj_yaml *, bj_node *);
} node_tags[] = {
    { "!hex", load_opaque },         { "!objlnk", load_objlnk },        { "!int", load_forced_int },
    { "!float", load_forced_float }, { "!string", load_forced_string }, { "!bytes", load_string_bytes },
    { "!file", load_opaque_file },
};

static bool load_tagged(bj_loading *loading, const bj_yaml *yaml, bj_node *node) {
    const char *names[sizeof node_tags / sizeof node_tags[0] + 1] = { 0 };
    for (size_t i = 0; i < sizeof node_tags / sizeof node_tags[0]; i++) {
        names[i] = node_tags[i].tag;
        if (yaml->kind == BJ_YAML_SCALAR && bj_yaml_tagged(yaml, node_tags[i].tag)) {
            return node_tags[i].load(loading, yaml, node);
        }
    }
    return bj_mistake_at(loading, yaml->position, bj_nearest(names, yaml->tag.bytes, yaml->tag.length),
                         "expected a value, perhaps with one of the tags !hex, !file, !objlnk, !int, !float, !string, "
                         "!bytes, found the tag %s",
                         yaml->tag.bytes);
}

static bool load_nodes(bj_loading *loading, const bj_yaml *yaml, unsigned depth, const bj_node **out, size_t *count);

static bool load_node(bj_loading *loading, const bj_yaml *yaml, unsigned depth, bj_node *node) {
    if (yaml->tag.length) {
        return load_tagged(loading, yaml, node);
    }
    if (yaml->kind != BJ_YAML_SCALAR) {
        const bj_node *children = NULL;
        node->kind = BJ_N_TREE;
        bool fine = load_nodes(loading, yaml, depth + 1, &children, &node->child_count);
        node->children = (bj_node *) (uintptr_t) children;
        return fine;
    }
    if (bj_yaml_is_null(yaml)) {
        node->kind = BJ_N_ANY;
        return true;
    }
    return yaml->plain ? load_plain(loading, yaml, node) : load_forced_string(loading, yaml, node);
}

static bool load_id(bj_loading *loading, const bj_yaml *key, const bj_node *before, size_t count, uint16_t *id) {
    uint64_t number;
    if (!is_untagged_scalar(key) || !parse_uint(&key->text, UINT16_MAX, &number)) {
        return bj_mistake_expected(loading, key, NULL, "an id from 0 to 65535");
    }
    for (size_t i = 0; i < count; i++) {
        if (before[i].id == number) {
            return bj_mistake_at(loading, key->position, NULL, "the id %u is given twice", (unsigned) number);
        }
    }
    *id = (uint16_t) number;
    return true;
}

/* A map from ids to values; a list stands for the ids 0, 1, 2, ... */
static bool load_nodes(bj_loading *loading, const bj_yaml *yaml, unsigned depth, const bj_node **out, size_t *count) {
    bool fine = true;
    if (yaml->kind == BJ_YAML_SCALAR) {
        return bj_mistake_expected(loading, yaml, NULL, "values by id such as {0: 101, 1: 86400}");
    }
    if (depth > BJ_LIMIT_NODE_DEPTH && yaml->count) {
        return bj_mistake_at(loading, yaml->position, NULL,
                             "values are nested deeper than Object, Object Instance, Resource, Resource Instance");
    }
    if (yaml->count > BJ_LIMIT_NODES) {
        return bj_mistake_at(loading, yaml->position, NULL, "more than %d values beside each other", BJ_LIMIT_NODES);
    }
    if (!bj_take_items(loading, yaml, yaml->count)) {
        return false;
    }
    bj_node *nodes = bj_arena_calloc(loading->arena, yaml->count, sizeof *nodes);
    for (size_t i = 0; i < yaml->count; i++) {
        nodes[i].id = (uint16_t) i;
        if (yaml->kind == BJ_YAML_MAP) {
            fine &= load_id(loading, yaml->keys[i], nodes, fine ? i : 0, &nodes[i].id);
        }
        fine &= load_node(loading, yaml->items[i], depth, &nodes[i]);
    }
    *out = nodes;
    *count = yaml->count;
    return fine;
}

bool bj_load_scalar(bj_loading *loading, const bj_field_def *field, const bj_yaml *yaml, bj_value *value) {
    switch ((bj_type) field->type) {
    case BJ_T_BOOL:
        return load_bool(loading, yaml, &value->as.boolean);
    case BJ_T_UINT:
        return load_uint(loading, field, yaml, &value->as.uint);
    case BJ_T_ENUM:
        return load_enum(loading, field, yaml, &value->as.uint);
    case BJ_T_STRING:
        return bj_load_text(loading, yaml, "a text", &value->as.string);
    case BJ_T_BYTES:
        return load_bytes(loading, yaml, &value->as.string);
    case BJ_T_CODES:
        return load_codes(loading, yaml, &value->as.codes);
    case BJ_T_DURATION:
        return load_duration(loading, yaml, &value->as.duration);
    case BJ_T_WHEN:
        return load_when(loading, yaml, &value->as.when);
    case BJ_T_STRINGS:
        return load_strings(loading, yaml, value);
    case BJ_T_UINTS:
        return load_uints(loading, field, yaml, value);
    case BJ_T_QUERY:
        return load_query(loading, yaml, value);
    case BJ_T_VALUES:
        return load_nodes(loading, yaml, 1, &value->as.nodes.items, &value->as.nodes.count);
    case BJ_T_OPTIONS:
        return load_options(loading, yaml, value);
    default:
        return bj_mistake_at(loading, yaml->position, NULL, "this field holds records");
    }
}
