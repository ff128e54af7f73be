/* SPDX-License-Identifier: Apache-2.0
 *
 * The byte form of programs; bytes.h says what it promises.
 *
 *   record   = field count, { field number, value }        (fields in ascending order)
 *   step     = kind, record
 *   string   = length, bytes                                list = count, items
 *   when     = due (3 low bits) | form << 3 | due (the others) << 5, one or two signed numbers
 *   codes = count, one byte a code in ascending order
 *   node     = id, kind, value or list of nodes             named = string, record or list
 *
 * All numbers are LEB128, signed ones zigzag. The decoder takes time and memory in proportion to the bytes: every
 * item of a list costs at least one byte (lists end where the bytes end), and what a required field gets that is
 * missing is of constant size.
 */
#include "script/bytes.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* --- writing ---------------------------------------------------------------------------------- */

typedef struct writer {
    bj_arena *arena;
    char *out;
    size_t used;
    size_t room;
} writer;

static void put_bytes(writer *w, const void *bytes, size_t length) {
    if (w->room - w->used < length) {
        w->room = 2 * w->room + length;
        w->out = bj_arena_realloc(w->arena, w->out, w->room);
    }
    if (length) {
        memcpy(w->out + w->used, bytes, length);
    }
    w->used += length;
}

static void put_number(writer *w, uint64_t number) {
    uint8_t bytes[10];
    size_t length = 0;
    if (number < 0x80 && w->used < w->room) { /* as nearly all are */
        w->out[w->used++] = (char) number;
        return;
    }
    while (number >= 0x80) {
        bytes[length++] = (uint8_t) (number | 0x80);
        number >>= 7;
    }
    bytes[length++] = (uint8_t) number;
    put_bytes(w, bytes, length);
}

static void put_signed(writer *w, int64_t number) {
    put_number(w, ((uint64_t) number << 1) ^ (number < 0 ? UINT64_MAX : 0));
}

static void put_string(writer *w, const bj_string *string) {
    put_number(w, string->length);
    put_bytes(w, string->bytes, string->length);
}

static void put_codes(writer *w, const bj_codes *codes) {
    uint8_t listed[256];
    size_t count = 0;
    for (unsigned word = 0; word < sizeof codes->bits / sizeof codes->bits[0]; word++) {
        for (uint64_t bits = codes->bits[word]; bits; bits &= bits - 1) {
            listed[count++] = (uint8_t) (64 * word + (unsigned) __builtin_ctzll(bits));
        }
    }
    put_number(w, count);
    put_bytes(w, listed, count);
}

enum { EXACT = 0, RANGE = 1, OPEN = 2, OPEN_EARLY = 3 };

static void put_when(writer *w, const bj_when *when) {
    unsigned form = when->latest == BJ_WHEN_OPEN                        ? OPEN
                    : when->latest == when->earliest                    ? EXACT
                    : when->due && when->earliest == BJ_WHEN_OPEN_EARLY ? OPEN_EARLY
                                                                        : RANGE;
    put_number(w, (when->due & 7u) | form << 3 | (when->due & 0x38u) << 2);
    put_signed(w, form == OPEN_EARLY ? when->latest : when->earliest);
    if (form == RANGE) {
        put_number(w, (uint64_t) (when->latest - when->earliest));
    }
}

/* IEEE 754, least significant byte first. */
static void put_double(writer *w, double real) {
    uint8_t bytes[8];
    uint64_t bits;
    memcpy(&bits, &real, sizeof bits);
    for (unsigned i = 0; i < 8; i++) {
        bytes[i] = (uint8_t) (bits >> 8 * i);
    }
    put_bytes(w, bytes, sizeof bytes);
}

static void put_nodes(writer *w, const bj_node *nodes, size_t count) {
    put_number(w, count);
    for (size_t i = 0; i < count; i++) {
        const bj_node *node = &nodes[i];
        put_number(w, node->id);
        put_number(w, node->kind);
        switch ((bj_node_kind) node->kind) {
        case BJ_N_TREE:
            put_nodes(w, node->children, node->child_count);
            break;
        case BJ_N_STRING:
        case BJ_N_OPAQUE:
            put_string(w, &node->bytes);
            break;
        case BJ_N_INT:
        case BJ_N_OBJLNK:
            put_signed(w, node->integer);
            break;
        case BJ_N_BOOL:
            put_number(w, node->integer != 0);
            break;
        case BJ_N_FLOAT:
            put_double(w, node->real);
            break;
        case BJ_N_ANY:
            break;
        }
    }
}

static void put_record(writer *w, const bj_record *record);

static void put_records(writer *w, const bj_record *const *records, size_t count, bool steps) {
    put_number(w, count);
    for (size_t i = 0; i < count; i++) {
        if (steps) {
            put_number(w, records[i]->kind);
        }
        put_record(w, records[i]);
    }
}

static void put_named(writer *w, const bj_value *value) {
    put_number(w, value->as.named.count);
    for (size_t i = 0; i < value->as.named.count; i++) {
        const bj_named *named = &value->as.named.items[i];
        put_string(w, &named->name);
        if (value->type == BJ_T_NAMED) {
            put_record(w, named->records[0]);
        } else {
            put_records(w, named->records, named->count, value->type == BJ_T_BRANCHES);
        }
    }
}

static void put_strings(writer *w, const bj_value *value) {
    put_number(w, value->as.strings.count);
    for (size_t i = 0; i < value->as.strings.count; i++) {
        put_string(w, &value->as.strings.items[i]);
    }
}

static void put_uints(writer *w, const bj_value *value) {
    put_number(w, value->as.uints.count);
    for (size_t i = 0; i < value->as.uints.count; i++) {
        put_number(w, value->as.uints.items[i]);
    }
}

static void put_options(writer *w, const bj_value *value) {
    put_number(w, value->as.options.count);
    for (size_t i = 0; i < value->as.options.count; i++) {
        put_number(w, value->as.options.items[i].number);
        put_string(w, &value->as.options.items[i].value);
    }
}

static void put_value(writer *w, const bj_value *value) {
    switch ((bj_type) value->type) {
    case BJ_T_BOOL:
        put_number(w, value->as.boolean);
        break;
    case BJ_T_UINT:
    case BJ_T_ENUM:
        put_number(w, value->as.uint);
        break;
    case BJ_T_STRING:
    case BJ_T_BYTES:
        put_string(w, &value->as.string);
        break;
    case BJ_T_CODES:
        put_codes(w, &value->as.codes);
        break;
    case BJ_T_DURATION:
        put_number(w, value->as.duration);
        break;
    case BJ_T_WHEN:
        put_when(w, &value->as.when);
        break;
    case BJ_T_STRINGS:
    case BJ_T_QUERY:
        put_strings(w, value);
        break;
    case BJ_T_UINTS:
        put_uints(w, value);
        break;
    case BJ_T_VALUES:
        put_nodes(w, value->as.nodes.items, value->as.nodes.count);
        break;
    case BJ_T_OPTIONS:
        put_options(w, value);
        break;
    case BJ_T_RECORD:
        put_record(w, value->as.records.items[0]);
        break;
    case BJ_T_RECORDS:
    case BJ_T_STEPS:
        put_records(w, value->as.records.items, value->as.records.count, value->type == BJ_T_STEPS);
        break;
    case BJ_T_NAMED:
    case BJ_T_NAMED_LISTS:
    case BJ_T_BRANCHES:
        put_named(w, value);
        break;
    }
}

/* The count stands in front of what is counted, in the one byte that BJ_LIMIT_FIELDS takes. */
static void put_record(writer *w, const bj_record *record) {
    size_t at = w->used;
    uint8_t count = 0;
    put_number(w, count);
    for (unsigned word = 0; word < 2; word++) {
        for (uint64_t bits = record->given[word]; bits; bits &= bits - 1) {
            unsigned field = 64 * word + (unsigned) __builtin_ctzll(bits);
            const bj_value *value = record->fields[field];
            if (value) {
                put_number(w, field);
                put_value(w, value);
                count++;
            }
        }
    }
    w->out[at] = (char) count;
}

bj_string bj_program_encode(bj_arena *arena, const bj_record *root) {
    enum { ROOM = 240 }; /* to begin with: enough for most programs */
    writer w = { .arena = arena, .out = bj_arena_alloc_raw(arena, ROOM), .room = ROOM };
    put_record(&w, root);
    put_bytes(&w, "", 1);
    return (bj_string){ .bytes = w.out, .length = w.used - 1 };
}

/* --- reading ---------------------------------------------------------------------------------- */

typedef struct reader {
    bj_arena *arena;
    const uint8_t *at;
    const uint8_t *end;
    size_t items; /* that may still come */
    unsigned depth;
    const bj_position *positions;
    size_t positions_left;
} reader;

static size_t left(const reader *r) {
    return (size_t) (r->end - r->at);
}

/* LEB128; bits above the 64th fall off, and what is not there is zero. */
static uint64_t get_number(reader *r) {
    uint64_t number = 0;
    if (r->at < r->end && *r->at < 0x80) { /* as nearly all are */
        return *r->at++;
    }
    for (unsigned shift = 0; r->at < r->end; shift += 7) {
        uint8_t byte = *r->at++;
        if (shift < 64) {
            number |= (uint64_t) (byte & 0x7F) << shift;
        }
        if (!(byte & 0x80) || shift >= 63) {
            break;
        }
    }
    return number;
}

static int64_t get_signed(reader *r) {
    uint64_t number = get_number(r);
    return (int64_t) ((number >> 1) ^ (number & 1 ? UINT64_MAX : 0));
}

/* The count of a list, cut to the bytes that are left, to `limit`, and to the items that a program may have. */
static size_t get_count(reader *r, size_t limit) {
    uint64_t count = get_number(r);
    size_t most = left(r) < limit ? left(r) : limit;
    most = most < r->items ? most : r->items;
    count = count < most ? count : most;
    r->items -= (size_t) count;
    return (size_t) count;
}

static bj_string get_string(reader *r) {
    uint64_t wanted = get_number(r);
    size_t length = wanted < left(r) ? (size_t) wanted : left(r);
    bj_string string = { .bytes = bj_arena_strndup(r->arena, (const char *) r->at, length), .length = length };
    r->at += length;
    return string;
}

static void get_codes(reader *r, bj_codes *codes) {
    uint64_t count = get_number(r);
    for (; count && left(r); count--) {
        uint8_t code = *r->at++;
        codes->bits[code >> 6] |= (uint64_t) 1 << (code & 63);
    }
}

/* Brings a number that was read into the range of whens without losing the small ones. */
static int64_t within_duration(int64_t number) {
    return number % ((int64_t) BJ_DURATION_MAX + 1);
}

static void get_when(reader *r, bj_when *when) {
    unsigned head = (unsigned) (get_number(r) & 255);
    int64_t first = within_duration(get_signed(r));
    when->due = (uint8_t) ((head & 7) | (head >> 2 & 0x38));
    when->earliest = when->latest = first;
    switch (head >> 3 & 3) {
    case RANGE:
        when->latest += (int64_t) (get_number(r) % (BJ_DURATION_MAX + 1));
        break;
    case OPEN:
        when->latest = BJ_WHEN_OPEN;
        break;
    case OPEN_EARLY:
        when->earliest = BJ_WHEN_OPEN_EARLY;
        break;
    default:
        break;
    }
    bj_when_tidy(when);
}

static uint32_t get_enumerated(reader *r, const bj_enum_value *values) {
    uint64_t number = get_number(r);
    size_t count = 0;
    for (; values[count].name; count++) {
        if (values[count].number == number) {
            return (uint32_t) number;
        }
    }
    return count ? values[number % count].number : 0;
}

static double get_double(reader *r) {
    double real;
    uint64_t bits = 0;
    for (unsigned i = 0; i < 8 && left(r); i++) {
        bits |= (uint64_t) *r->at++ << 8 * i;
    }
    memcpy(&real, &bits, sizeof real);
    return isnan(real) ? (double) NAN : real;
}

static size_t get_nodes(reader *r, unsigned depth, bj_node **out);

static void get_node_value(reader *r, unsigned depth, bj_node *node) {
    switch ((bj_node_kind) node->kind) {
    case BJ_N_TREE:
        node->child_count = get_nodes(r, depth + 1, &node->children);
        break;
    case BJ_N_STRING:
    case BJ_N_OPAQUE:
        node->bytes = get_string(r);
        break;
    case BJ_N_INT:
        node->integer = get_signed(r);
        break;
    case BJ_N_OBJLNK:
        node->integer = get_signed(r) & UINT32_MAX;
        break;
    case BJ_N_BOOL:
        node->integer = get_number(r) & 1;
        break;
    case BJ_N_FLOAT:
        node->real = get_double(r);
        break;
    case BJ_N_ANY:
        break;
    }
}

/* A second node of an id that is taken is read and dropped: in YAML it would be a key given twice. */
static size_t get_nodes(reader *r, unsigned depth, bj_node **out) {
    size_t count = get_count(r, depth > BJ_LIMIT_NODE_DEPTH ? 0 : BJ_LIMIT_NODES);
    bj_node *nodes = bj_arena_calloc(r->arena, count, sizeof *nodes);
    size_t kept = 0;
    for (size_t i = 0; i < count && left(r); i++) {
        bj_node node = { .id = (uint16_t) get_number(r) };
        node.kind = get_number(r) % (BJ_N_ANY + 1);
        get_node_value(r, depth, &node);
        if (!bj_node_find(nodes, kept, node.id)) {
            nodes[kept++] = node;
        }
    }
    *out = nodes;
    return kept;
}

static void get_record(reader *r, bj_record *record, const bj_record_def *def);

static bj_record *get_new_record(reader *r, const bj_record_def *def) {
    bj_position position = { 0 };
    if (r->positions_left) {
        position = *r->positions++;
        r->positions_left--;
    }
    bj_record *record = bj_record_new(r->arena, (bj_kind) def->kind, position);
    r->depth++;
    get_record(r, record, def);
    r->depth--;
    return record;
}

/* The verb of this number, or another one in its place. */
static const bj_record_def *verb_numbered(uint64_t number) {
    const bj_record_def *def = number <= UINT8_MAX ? bj_record_def_of((bj_kind) number) : NULL;
    if (def && def->verb) {
        return def;
    }
    return bj_verb_at((size_t) (number % bj_verb_count()));
}

static size_t get_records(reader *r, const bj_field_def *field, const bj_record *const **out) {
    bool steps = field->type == BJ_T_STEPS || field->type == BJ_T_BRANCHES;
    size_t count = get_count(r, r->depth > BJ_LIMIT_DEPTH ? 0 : SIZE_MAX);
    const bj_record **records = bj_record_list(r->arena, count);
    size_t i = 0;
    for (; i < count && left(r); i++) {
        records[i] = get_new_record(r, steps ? verb_numbered(get_number(r)) : bj_record_def_of((bj_kind) field->kind));
    }
    *out = records;
    return i;
}

static bool name_is_taken(const bj_named *names, size_t count, const bj_string *name) {
    for (size_t i = 0; i < count; i++) {
        if (names[i].name.length == name->length && !memcmp(names[i].name.bytes, name->bytes, name->length)) {
            return true;
        }
    }
    return false;
}

static void get_named(reader *r, const bj_field_def *field, bj_value *value) {
    size_t count = get_count(r, r->depth > BJ_LIMIT_DEPTH ? 0 : BJ_LIMIT_NAMES);
    bj_named *names = bj_arena_calloc(r->arena, count, sizeof *names);
    size_t kept = 0;
    for (size_t i = 0; i < count && left(r); i++) {
        bj_named named = { .name = get_string(r) };
        if (field->type == BJ_T_NAMED) {
            const bj_record **one = bj_record_list(r->arena, 1);
            *one = get_new_record(r, bj_record_def_of((bj_kind) field->kind));
            named.records = one;
            named.count = 1;
        } else {
            named.count = get_records(r, field, &named.records);
        }
        if (!name_is_taken(names, kept, &named.name)) {
            names[kept++] = named;
        }
    }
    value->as.named.items = names;
    value->as.named.count = kept;
}

static void get_strings(reader *r, bj_value *value) {
    size_t count = get_count(r, SIZE_MAX);
    bj_string *strings = bj_arena_calloc(r->arena, count, sizeof *strings);
    for (; value->as.strings.count < count && left(r); value->as.strings.count++) {
        strings[value->as.strings.count] = get_string(r);
    }
    value->as.strings.items = strings;
}

static void get_uints(reader *r, bj_value *value) {
    size_t count = get_count(r, SIZE_MAX);
    uint32_t *numbers = bj_arena_calloc(r->arena, count, sizeof *numbers);
    for (; value->as.uints.count < count && left(r); value->as.uints.count++) {
        numbers[value->as.uints.count] = (uint32_t) get_number(r);
    }
    value->as.uints.items = numbers;
}

static void get_options(reader *r, bj_value *value) {
    size_t count = get_count(r, SIZE_MAX);
    bj_raw_option *options = bj_arena_calloc(r->arena, count, sizeof *options);
    for (; value->as.options.count < count && left(r); value->as.options.count++) {
        bj_raw_option *option = &options[value->as.options.count];
        option->number = (uint32_t) get_number(r);
        option->value = get_string(r);
    }
    value->as.options.items = options;
}

static void get_one_record(reader *r, const bj_field_def *field, bj_value *value) {
    const bj_record **one = bj_record_list(r->arena, 1);
    *one = get_new_record(r, bj_record_def_of((bj_kind) field->kind));
    value->as.records.items = one;
    value->as.records.count = 1;
}

static void get_value(reader *r, const bj_field_def *field, bj_value *value) {
    bj_node *nodes;
    switch ((bj_type) field->type) {
    case BJ_T_BOOL:
        value->as.boolean = get_number(r) & 1;
        break;
    case BJ_T_UINT:
        value->as.uint = (uint32_t) get_number(r);
        break;
    case BJ_T_ENUM:
        value->as.uint = get_enumerated(r, field->values);
        break;
    case BJ_T_STRING:
    case BJ_T_BYTES:
        value->as.string = get_string(r);
        break;
    case BJ_T_CODES:
        get_codes(r, &value->as.codes);
        break;
    case BJ_T_DURATION:
        value->as.duration = get_number(r) % (BJ_DURATION_MAX + 1);
        break;
    case BJ_T_WHEN:
        get_when(r, &value->as.when);
        break;
    case BJ_T_STRINGS:
    case BJ_T_QUERY:
        get_strings(r, value);
        break;
    case BJ_T_UINTS:
        get_uints(r, value);
        break;
    case BJ_T_VALUES:
        value->as.nodes.count = get_nodes(r, 1, &nodes);
        value->as.nodes.items = nodes;
        break;
    case BJ_T_OPTIONS:
        get_options(r, value);
        break;
    case BJ_T_RECORD:
        get_one_record(r, field, value);
        break;
    case BJ_T_RECORDS:
    case BJ_T_STEPS:
        value->as.records.count = get_records(r, field, &value->as.records.items);
        break;
    case BJ_T_NAMED:
    case BJ_T_NAMED_LISTS:
    case BJ_T_BRANCHES:
        get_named(r, field, value);
        break;
    }
}

static void get_field(reader *r, bj_record *record, const bj_field_def *field) {
    if (field->type == BJ_T_RECORD && r->depth > BJ_LIMIT_DEPTH) {
        return;
    }
    bj_value *value = bj_value_new(r->arena, field, record->position);
    get_value(r, field, value);
    bj_share(record, field->number, value);
}

/* A required field that is not there is read from no bytes at all: every program has what its records need. */
static void fill_required(reader *r, bj_record *record, const bj_record_def *def) {
    const uint8_t *end = r->end;
    size_t looked_at = 0;
    r->end = r->at;
    for (const bj_field_def *field = def->fields; looked_at < def->required; field++) {
        if (field->flags & BJ_REQUIRED) {
            looked_at++;
            if (!bj_get(record, field->number)) {
                get_field(r, record, field);
            }
        }
    }
    r->end = end;
}

static void get_record(reader *r, bj_record *record, const bj_record_def *def) {
    size_t count = (size_t) (get_number(r) % (def->field_count + 1));
    for (size_t i = 0; i < count && left(r); i++) {
        uint64_t number = get_number(r);
        const bj_field_def *field = number <= UINT8_MAX ? bj_field_numbered(def, (unsigned) number) : NULL;
        get_field(r, record, field ? field : &def->fields[number % def->field_count]);
    }
    fill_required(r, record, def);
}

bj_record *bj_program_decode(bj_arena *arena, bj_kind kind, const void *bytes, size_t length,
                             const bj_position *positions, size_t position_count) {
    const bj_record_def *def = bj_record_def_of(kind);
    assert(def);
    const uint8_t *start = length ? bytes : (const void *) "";
    reader r = { .arena = arena,
                 .at = start,
                 .end = start + length,
                 .items = BJ_LIMIT_ITEMS,
                 .positions = positions,
                 .positions_left = positions ? position_count : 0 };
    return get_new_record(&r, def);
}

/* --- positions -------------------------------------------------------------------------------- */

/* Visits all records in the order of the byte form; writes their positions where there is an array. */
static size_t walk(const bj_record *record, bj_position *out, size_t count) {
    if (out) {
        out[count] = record->position;
    }
    count++;
    for (unsigned field = 0; field < record->field_limit; field++) {
        const bj_string *name;
        const bj_record *inner;
        for (size_t i = 0; record->fields[field] && (inner = bj_value_record(record->fields[field], i, &name)); i++) {
            count = walk(inner, out, count);
        }
    }
    return count;
}

bj_position *bj_program_positions(bj_arena *arena, const bj_record *root, size_t *count) {
    *count = walk(root, NULL, 0);
    bj_position *positions = bj_arena_calloc(arena, *count, sizeof *positions);
    walk(root, positions, 0);
    return positions;
}
