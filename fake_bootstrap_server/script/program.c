/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading, building and comparing program trees. See program.h.
 */
#include "script/program.h"

#include <assert.h>
#include <string.h>

uint8_t bj_codes_first(const bj_codes *codes) {
    for (unsigned code = 0; code < 256; code++) {
        if (bj_codes_has(codes, (uint8_t) code)) {
            return (uint8_t) code;
        }
    }
    return 0;
}

static int64_t clamp(int64_t value, int64_t lowest) {
    const int64_t highest = (int64_t) BJ_DURATION_MAX;
    return value < lowest ? lowest : value > highest ? highest : value;
}

void bj_when_tidy(bj_when *when) {
    bool open = when->latest == BJ_WHEN_OPEN;
    if (when->due > BJ_DUE_LAST) {
        when->due = BJ_DUE_NONE;
    }
    int64_t lowest = when->due ? BJ_WHEN_OPEN_EARLY : 0;
    when->earliest = clamp(when->earliest, lowest);
    when->latest = open ? BJ_WHEN_OPEN : clamp(when->latest, lowest);
    if (when->latest < when->earliest) {
        when->latest = when->earliest;
    }
    if (when->due && open && when->earliest == BJ_WHEN_OPEN_EARLY) {
        *when = (bj_when){ .latest = BJ_WHEN_OPEN }; /* any time at all needs no due */
    }
}

/* --- reading ---------------------------------------------------------------------------------- */

const bj_value *bj_get(const bj_record *record, unsigned field) {
    return record && field < record->field_limit ? record->fields[field] : NULL;
}

bool bj_get_bool(const bj_record *record, unsigned field, bool otherwise) {
    const bj_value *value = bj_get(record, field);
    return value ? value->as.boolean : otherwise;
}

uint32_t bj_get_uint(const bj_record *record, unsigned field, uint32_t otherwise) {
    const bj_value *value = bj_get(record, field);
    return value ? value->as.uint : otherwise;
}

bj_time bj_get_duration(const bj_record *record, unsigned field, bj_time otherwise) {
    const bj_value *value = bj_get(record, field);
    return value ? value->as.duration : otherwise;
}

const char *bj_get_string(const bj_record *record, unsigned field, const char *otherwise) {
    const bj_value *value = bj_get(record, field);
    return value ? value->as.string.bytes : otherwise;
}

uint64_t bj_get_factor(const bj_record *record, unsigned field, uint64_t otherwise) {
    const bj_value *value = bj_get(record, field);
    uint64_t millionths;
    bool good = value && bj_factor_parse(value->as.string.bytes, value->as.string.length, &millionths);
    return good ? millionths : otherwise;
}

const bj_record *bj_get_record(const bj_record *record, unsigned field) {
    const bj_value *value = bj_get(record, field);
    return value && value->as.records.count ? value->as.records.items[0] : NULL;
}

static const bj_record *named_record(const bj_value *value, size_t index, const bj_string **name) {
    for (size_t i = 0; i < value->as.named.count; i++) {
        const bj_named *named = &value->as.named.items[i];
        if (index < named->count) {
            *name = &named->name;
            return named->records[index];
        }
        index -= named->count;
    }
    return NULL;
}

const bj_record *bj_value_record(const bj_value *value, size_t index, const bj_string **name) {
    *name = NULL;
    switch (value->type) {
    case BJ_T_RECORD:
    case BJ_T_RECORDS:
    case BJ_T_STEPS:
        return index < value->as.records.count ? value->as.records.items[index] : NULL;
    case BJ_T_NAMED:
    case BJ_T_NAMED_LISTS:
    case BJ_T_BRANCHES:
        return named_record(value, index, name);
    default:
        return NULL;
    }
}

/* --- building --------------------------------------------------------------------------------- */

bj_record *bj_record_new(bj_arena *arena, bj_kind kind, bj_position position) {
    const bj_record_def *def = bj_record_def_of(kind);
    assert(def);
    bj_record *record = bj_arena_alloc(arena, sizeof *record + def->field_limit * sizeof(void *));
    record->kind = (uint8_t) kind;
    record->position = position;
    record->field_limit = def->field_limit;
    record->fields = (const bj_value **) (record + 1);
    return record;
}

bj_record *bj_record_copy(bj_arena *arena, const bj_record *record) {
    bj_record *copy = bj_record_new(arena, (bj_kind) record->kind, record->position);
    memcpy(copy->fields, record->fields, record->field_limit * sizeof(void *));
    memcpy(copy->given, record->given, sizeof copy->given);
    return copy;
}

const bj_record **bj_record_list(bj_arena *arena, size_t count) {
    return bj_arena_calloc(arena, count, sizeof(void *));
}

bj_value *bj_value_new(bj_arena *arena, const bj_field_def *field, bj_position position) {
    bj_value *value = bj_arena_alloc(arena, sizeof *value);
    value->type = field->type;
    value->position = position;
    return value;
}

void bj_set(bj_arena *arena, bj_record *record, unsigned field, const bj_value *value) {
    assert(field < record->field_limit);
    bj_share(record, field, bj_arena_copy(arena, value, sizeof *value));
}

void bj_set_record(bj_arena *arena, bj_record *record, unsigned field, const bj_record *inside) {
    const bj_record **list = bj_record_list(arena, 1);
    list[0] = inside;
    bj_value value = { .type = BJ_T_RECORD, .position = inside->position, .as.records = { list, 1 } };
    bj_set(arena, record, field, &value);
}

/* --- comparing -------------------------------------------------------------------------------- */

static bool string_equal(const bj_string *a, const bj_string *b) {
    return a->length == b->length && (!a->length || !memcmp(a->bytes, b->bytes, a->length));
}

static bool strings_equal(const bj_value *a, const bj_value *b) {
    bool equal = a->as.strings.count == b->as.strings.count;
    for (size_t i = 0; equal && i < a->as.strings.count; i++) {
        equal = string_equal(&a->as.strings.items[i], &b->as.strings.items[i]);
    }
    return equal;
}

static bool uints_equal(const bj_value *a, const bj_value *b) {
    return a->as.uints.count == b->as.uints.count &&
           (!a->as.uints.count ||
            !memcmp(a->as.uints.items, b->as.uints.items, a->as.uints.count * sizeof *a->as.uints.items));
}

/* Bit by bit: NaN is NaN, and -0 is not 0. */
static bool real_equal(double a, double b) {
    uint64_t x;
    uint64_t y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    return x == y;
}

static bool nodes_equal(const bj_node *a, size_t a_count, const bj_node *b, size_t b_count) {
    bool equal = a_count == b_count;
    for (size_t i = 0; equal && i < a_count; i++) {
        equal = a[i].id == b[i].id && a[i].kind == b[i].kind && a[i].integer == b[i].integer &&
                real_equal(a[i].real, b[i].real) && string_equal(&a[i].bytes, &b[i].bytes) &&
                nodes_equal(a[i].children, a[i].child_count, b[i].children, b[i].child_count);
    }
    return equal;
}

static bool options_equal(const bj_value *a, const bj_value *b) {
    bool equal = a->as.options.count == b->as.options.count;
    for (size_t i = 0; equal && i < a->as.options.count; i++) {
        equal = a->as.options.items[i].number == b->as.options.items[i].number &&
                string_equal(&a->as.options.items[i].value, &b->as.options.items[i].value);
    }
    return equal;
}

static bool records_equal(const bj_record *const *a, size_t a_count, const bj_record *const *b, size_t b_count) {
    bool equal = a_count == b_count;
    for (size_t i = 0; equal && i < a_count; i++) {
        equal = bj_record_equal(a[i], b[i]);
    }
    return equal;
}

static bool named_equal(const bj_value *a, const bj_value *b) {
    bool equal = a->as.named.count == b->as.named.count;
    for (size_t i = 0; equal && i < a->as.named.count; i++) {
        const bj_named *x = &a->as.named.items[i];
        const bj_named *y = &b->as.named.items[i];
        equal = string_equal(&x->name, &y->name) && records_equal(x->records, x->count, y->records, y->count);
    }
    return equal;
}

static bool when_equal(const bj_when *a, const bj_when *b) {
    return a->due == b->due && a->earliest == b->earliest && a->latest == b->latest;
}

static bool value_equal(const bj_value *a, const bj_value *b) {
    if (!a || !b || a->type != b->type) {
        return a == b;
    }
    switch ((bj_type) a->type) {
    case BJ_T_BOOL:
        return a->as.boolean == b->as.boolean;
    case BJ_T_UINT:
    case BJ_T_ENUM:
        return a->as.uint == b->as.uint;
    case BJ_T_STRING:
    case BJ_T_BYTES:
        return string_equal(&a->as.string, &b->as.string);
    case BJ_T_CODES:
        return !memcmp(&a->as.codes, &b->as.codes, sizeof a->as.codes);
    case BJ_T_DURATION:
        return a->as.duration == b->as.duration;
    case BJ_T_WHEN:
        return when_equal(&a->as.when, &b->as.when);
    case BJ_T_STRINGS:
    case BJ_T_QUERY:
        return strings_equal(a, b);
    case BJ_T_UINTS:
        return uints_equal(a, b);
    case BJ_T_VALUES:
        return nodes_equal(a->as.nodes.items, a->as.nodes.count, b->as.nodes.items, b->as.nodes.count);
    case BJ_T_OPTIONS:
        return options_equal(a, b);
    case BJ_T_RECORD:
    case BJ_T_RECORDS:
    case BJ_T_STEPS:
        return records_equal(a->as.records.items, a->as.records.count, b->as.records.items, b->as.records.count);
    case BJ_T_NAMED:
    case BJ_T_NAMED_LISTS:
    case BJ_T_BRANCHES:
        return named_equal(a, b);
    }
    return false;
}

bool bj_record_equal(const bj_record *a, const bj_record *b) {
    if (!a || !b || a->kind != b->kind) {
        return a == b;
    }
    const bj_value *const *left = a->fields, *const *right = b->fields;
    bool equal = true;
    for (unsigned word = 0; word < 2; word++) {
        for (uint64_t bits = a->given[word] | b->given[word]; bits && equal; bits &= bits - 1) {
            unsigned field = 64 * word + (unsigned) __builtin_ctzll(bits);
            equal = left[field] == right[field] || value_equal(left[field], right[field]);
        }
    }
    return equal;
}

const bj_string *bj_profile_command(const bj_record *profile, const char *name, bj_string *text) {
    const bj_value *commands = bj_get(profile, BJ_F(PROFILE, COMMANDS));
    size_t length = strlen(name);
    for (size_t i = 0; commands && i < commands->as.strings.count; i++) {
        const bj_string *entry = &commands->as.strings.items[i];
        if (entry->length > length && entry->bytes[length] == '=' && memcmp(entry->bytes, name, length) == 0) {
            *text = (bj_string){ entry->bytes + length + 1, entry->length - length - 1 };
            return text;
        }
    }
    return NULL;
}

const bj_node *bj_node_find(const bj_node *nodes, size_t count, uint16_t id) {
    for (size_t i = 0; i < count; i++) {
        if (nodes[i].id == id) {
            return &nodes[i];
        }
    }
    return NULL;
}
