/* SPDX-License-Identifier: Apache-2.0
 *
 * Values, records and steps out of nothing: types, fields and enumerations are those of the schema's table, so that a
 * new verb is in the grammar without a line here. Texts and numbers are drawn from those that mean something to
 * somebody.
 */
#include "mutator_internal.h"

#include <string.h>

enum { MOST_ITEMS = 3, MOST_FIELDS = 5, DEEPEST = 3 };

/* --- what means something ------------------------------------------------------------------------------------- */

static const char *const texts[] = {
    "/",
    "/0",
    "/0/0",
    "/0/1",
    "/1",
    "/1/0",
    "/1/1",
    "/2",
    "/3",
    "/3/0",
    "/3/0/0",
    "/1/0/1",
    "/1/0/8",
    "/1/0/9",
    "/0/0/0",
    "/0/1/10",
    "/3442/0",
    "/bs",
    "/rd",
    "/rd/1",
    "/dp",
    "/3442/0/1",
    "/65535",
    "/1/65535",
    "/0/1/0",
    "/1/0/7",
    "/3/0/4",
    "bs",
    "mgmt",
    "client",
    "dev-1",
    "",
    "U",
    "UQ",
    "T",
    "102",
    "bs.example",
    "mgmt.example",
    "192.0.2.1",
    "coap://bs.example",
    "coap://mgmt.example",
    "coap://192.0.2.77:5683",
    "coap+tcp://mgmt.example",
    "coaps://mgmt.example",
    "x",
    "86400",
    "-1",
    "1.5",
    "</0/0>",
    "</1/0>;ssid=101",
};

static const int64_t numbers[] = { 0,         1,         2,          3,         4,        5,     6,     7,    8,
                                   10,        13,        16,         32,        60,       64,    100,   101,  102,
                                   112,       127,       128,        255,       256,      300,   512,   1024, 11542,
                                   11543,     11544,     32767,      65534,     65535,    65536, 86400, -1,   -128,
                                   INT32_MAX, INT32_MIN, UINT32_MAX, INT64_MAX, INT64_MIN };

static const bj_time durations[] = { 0,
                                     1,
                                     BJ_MS,
                                     10 * BJ_MS,
                                     BJ_SECOND,
                                     2 * BJ_SECOND,
                                     10 * BJ_SECOND,
                                     20 * BJ_SECOND,
                                     60 * BJ_SECOND,
                                     93 * BJ_SECOND,
                                     247 * BJ_SECOND,
                                     300 * BJ_SECOND,
                                     3600 * BJ_SECOND,
                                     86400 * BJ_SECOND };

static const uint8_t codes[] = { 0x00, 0x01, 0x02, 0x03, 0x04, 0x41, 0x42, 0x43, 0x44, 0x45, 0x5f, 0x80, 0x81, 0x82,
                                 0x83, 0x84, 0x85, 0x86, 0x88, 0x8c, 0x8d, 0x8f, 0xa0, 0xa1, 0xa3, 0xa4, 0xe1, 0xff };

static int64_t number(mutator *m) {
    return numbers[mutator_below(m, sizeof numbers / sizeof numbers[0])];
}

static bj_time duration(mutator *m) {
    return durations[mutator_below(m, sizeof durations / sizeof durations[0])];
}

/* A text of the program itself, so that names are those of its servers and captures; or one of the table. */
static bj_string text(mutator *m) {
    if (m->record_count && !mutator_one_in(m, 3)) {
        const bj_record *record = m->records[mutator_below(m, m->record_count)];
        const bj_value *value = record->field_limit ? record->fields[mutator_below(m, record->field_limit)] : NULL;
        if (value && value->type == BJ_T_STRING) {
            return value->as.string;
        }
    }
    const char *chosen = texts[mutator_below(m, sizeof texts / sizeof texts[0])];
    return (bj_string){ chosen, strlen(chosen) };
}

static bj_string bytes(mutator *m) {
    size_t length = mutator_one_in(m, 8) ? mutator_below(m, 300) : mutator_below(m, 24);
    char *made = bj_arena_alloc(m->arena, length + 1);
    for (size_t i = 0; i < length; i++) {
        made[i] = (char) mutator_random(m);
    }
    return (bj_string){ made, length };
}

/* --- values --------------------------------------------------------------------------------------------------- */

/* Room for some items, or for none. */
static void *a_few(mutator *m, size_t size, size_t *count) {
    *count = mutator_below(m, MOST_ITEMS + 1);
    return bj_arena_calloc(m->arena, *count, size);
}

static bj_node node(mutator *m, unsigned depth) {
    bj_node made = { .id = (uint16_t) mutator_below(m, mutator_one_in(m, 4) ? 65536 : 24) };
    made.kind = (uint8_t) mutator_below(m, BJ_N_ANY + 1u);
    made.integer = number(m);
    made.real = (double) number(m) / 10;
    made.bytes = made.kind == BJ_N_OPAQUE ? bytes(m) : text(m);
    if (made.kind == BJ_N_TREE && depth < BJ_LIMIT_NODE_DEPTH) {
        made.children = a_few(m, sizeof made, &made.child_count);
        for (size_t i = 0; i < made.child_count; i++) {
            made.children[i] = node(m, depth + 1);
        }
    } else if (made.kind == BJ_N_TREE) {
        made.kind = BJ_N_INT;
    }
    return made;
}

static void make_nodes(mutator *m, bj_value *value) {
    bj_node *made = a_few(m, sizeof *made, &value->as.nodes.count);
    value->as.nodes.items = made;
    for (size_t i = 0; i < value->as.nodes.count; i++) {
        made[i] = node(m, 1);
    }
}

static void make_strings(mutator *m, bj_value *value) {
    bj_string *made = a_few(m, sizeof *made, &value->as.strings.count);
    value->as.strings.items = made;
    for (size_t i = 0; i < value->as.strings.count; i++) {
        made[i] = text(m);
    }
}

static void make_uints(mutator *m, bj_value *value) {
    uint32_t *made = a_few(m, sizeof *made, &value->as.uints.count);
    value->as.uints.items = made;
    for (size_t i = 0; i < value->as.uints.count; i++) {
        made[i] = (uint32_t) number(m);
    }
}

static void make_options(mutator *m, bj_value *value) {
    bj_raw_option *made = a_few(m, sizeof *made, &value->as.options.count);
    value->as.options.items = made;
    for (size_t i = 0; i < value->as.options.count; i++) {
        made[i] = (bj_raw_option){ mutator_one_in(m, 4) ? (uint32_t) number(m) : mutator_below(m, 64), bytes(m) };
    }
}

static void make_records(mutator *m, const bj_field_def *field, unsigned depth, bj_value *value) {
    size_t count = depth >= DEEPEST ? 0 : field->type == BJ_T_RECORD ? 1 : mutator_below(m, MOST_ITEMS + 1);
    const bj_record **made = bj_record_list(m->arena, count);
    for (size_t i = 0; i < count; i++) {
        made[i] = field->type == BJ_T_STEPS ? mutator_make_step(m, depth + 1)
                                            : mutator_make_record(m, (bj_kind) field->kind, depth + 1);
    }
    value->as.records.items = made;
    value->as.records.count = count;
}

static void make_named(mutator *m, const bj_field_def *field, unsigned depth, bj_value *value) {
    size_t count = depth >= DEEPEST ? 0 : 1 + mutator_below(m, 2);
    bj_named *made = bj_arena_calloc(m->arena, count, sizeof *made);
    for (size_t i = 0; i < count; i++) {
        bj_field_def inside = *field;
        bj_value records = { 0 };
        inside.type = field->type == BJ_T_BRANCHES ? BJ_T_STEPS
                      : field->type == BJ_T_NAMED  ? BJ_T_RECORD
                                                   : BJ_T_RECORDS;
        make_records(m, &inside, depth, &records);
        made[i] = (bj_named){ text(m), records.as.records.items, records.as.records.count };
    }
    value->as.named.items = made;
    value->as.named.count = count;
}

static uint32_t enumerated(mutator *m, const bj_field_def *field) {
    size_t count = 0;
    while (field->values && field->values[count].name) {
        count++;
    }
    return count ? field->values[mutator_below(m, count)].number : (uint32_t) number(m);
}

static bj_when when(mutator *m) {
    bj_when made = { .due = (uint8_t) mutator_below(m, BJ_DUE_LAST + 1u) };
    int64_t at =
        made.due ? (int64_t) mutator_below(m, 5) * (int64_t) BJ_MS - 2 * (int64_t) BJ_MS : (int64_t) duration(m);
    made.earliest = made.latest = at;
    bj_when_tidy(&made);
    return made;
}

static void make_codes(mutator *m, bj_codes *made) {
    size_t count = 1 + mutator_below(m, 2);
    for (size_t i = 0; i < count; i++) {
        uint8_t code = codes[mutator_below(m, sizeof codes)];
        made->bits[code >> 6] |= UINT64_C(1) << (code & 63);
    }
}

void mutator_make_value(mutator *m, const bj_field_def *field, unsigned depth, bj_value *value) {
    *value = (bj_value){ .type = field->type };
    switch ((bj_type) field->type) {
    case BJ_T_BOOL:
        value->as.boolean = mutator_one_in(m, 2);
        break;
    case BJ_T_UINT:
        value->as.uint = field->values && !mutator_one_in(m, 4) ? enumerated(m, field) : (uint32_t) number(m);
        break;
    case BJ_T_ENUM:
        value->as.uint = enumerated(m, field);
        break;
    case BJ_T_STRING:
        value->as.string = text(m);
        break;
    case BJ_T_BYTES:
        value->as.string = bytes(m);
        break;
    case BJ_T_CODES:
        make_codes(m, &value->as.codes);
        break;
    case BJ_T_DURATION:
        value->as.duration = duration(m);
        break;
    case BJ_T_WHEN:
        value->as.when = when(m);
        break;
    case BJ_T_STRINGS:
    case BJ_T_QUERY:
        make_strings(m, value);
        break;
    case BJ_T_UINTS:
        make_uints(m, value);
        break;
    case BJ_T_VALUES:
        make_nodes(m, value);
        break;
    case BJ_T_OPTIONS:
        make_options(m, value);
        break;
    case BJ_T_RECORD:
    case BJ_T_RECORDS:
    case BJ_T_STEPS:
        make_records(m, field, depth, value);
        break;
    case BJ_T_NAMED:
    case BJ_T_NAMED_LISTS:
    case BJ_T_BRANCHES:
        make_named(m, field, depth, value);
        break;
    }
}

/* --- records -------------------------------------------------------------------------------------------------- */

bj_record *mutator_make_record(mutator *m, bj_kind kind, unsigned depth) {
    const bj_record_def *def = bj_record_def_of(kind);
    bj_record *made = bj_record_new(m->arena, kind, (bj_position){ 0, 0 });
    unsigned more = mutator_below(m, MOST_FIELDS);
    for (size_t i = 0; i < def->field_count; i++) {
        const bj_field_def *field = &def->fields[i];
        bool wanted = (field->flags & (BJ_REQUIRED | BJ_PRIMARY)) || mutator_below(m, def->field_count) < more;
        if (wanted) {
            bj_value value;
            mutator_make_value(m, field, depth, &value);
            bj_set(m->arena, made, field->number, &value);
        }
    }
    return made;
}

bj_record *mutator_make_step(mutator *m, unsigned depth) {
    for (;;) {
        const bj_record_def *def = bj_record_def_at(mutator_below(m, bj_record_def_count()));
        if (def->verb) {
            return mutator_make_record(m, (bj_kind) def->kind, depth);
        }
    }
}

void mutator_set_uint(mutator *m, bj_record *record, unsigned field, uint32_t set) {
    bj_value value = { .type = BJ_T_UINT, .as.uint = set };
    bj_set(m->arena, record, field, &value);
}

void mutator_set_when(mutator *m, bj_record *record, unsigned field, bj_when set) {
    bj_value value = { .type = BJ_T_WHEN, .as.when = set };
    bj_set(m->arena, record, field, &value);
}
