/* SPDX-License-Identifier: Apache-2.0
 *
 * One change each of mutator.h, on the program and on the list of steps that were chosen. A change for which the
 * program has no place is another one instead.
 */
#include "mutator_internal.h"

#include <string.h>

#include "wire/entries.h"
#include "wire/payload.h"

enum { PAYLOAD = 2048 };

/* --- the order of steps --------------------------------------------------------------------------------------- */

static void swap(mutator *m) {
    step_list *l = &m->list;
    size_t a = mutator_below(m, l->count), b = mutator_one_in(m, 2) ? a + 1 : mutator_below(m, l->count);
    if (a < l->count && b < l->count) {
        const bj_record *step = l->steps[a];
        l->steps[a] = l->steps[b];
        l->steps[b] = step;
    }
}

static void drop(mutator *m) {
    step_list *l = &m->list;
    size_t at = mutator_below(m, l->count), count = mutator_one_in(m, 3) ? 1 + mutator_below(m, 4) : 1;
    mutator_take_out(m, at, count < l->count - at ? count : l->count - at);
}

static void repeat(mutator *m) {
    size_t at = mutator_below(m, m->list.count);
    if (at < m->list.count) {
        mutator_insert(m, mutator_one_in(m, 2) ? at + 1 : mutator_below(m, m->list.count), m->list.steps[at]);
    }
}

static void move(mutator *m) {
    step_list *l = &m->list;
    size_t from = mutator_below(m, l->count);
    if (from < l->count) {
        const bj_record *step = l->steps[from];
        mutator_take_out(m, from, 1);
        mutator_insert(m, mutator_below(m, l->count + 1), step);
    }
}

static size_t somewhere(mutator *m) {
    return mutator_below(m, m->list.count + 1);
}

/* --- one record ----------------------------------------------------------------------------------------------- */

static bj_record *any_record(mutator *m) {
    return m->records[mutator_below(m, m->record_count)];
}

/* A field of the kinds that are not of lists of steps, which other changes take care of. */
static const bj_field_def *any_field(mutator *m, const bj_record *record, bool given) {
    const bj_record_def *def = bj_record_def_of((bj_kind) record->kind);
    for (unsigned tries = 0; tries < 8; tries++) {
        const bj_field_def *field = &def->fields[mutator_below(m, def->field_count)];
        bool steps = field->type == BJ_T_STEPS || field->type == BJ_T_BRANCHES;
        if (!steps && (bj_get(record, field->number) != NULL) == given) {
            return field;
        }
    }
    return NULL;
}

static void set_any(mutator *m, bj_record *record, const bj_field_def *field) {
    bj_value value;
    mutator_make_value(m, field, 1, &value);
    bj_set(m->arena, record, field->number, &value);
}

/* Numbers and nodes change a little as often as they change altogether. */
static bool nudge(mutator *m, bj_record *record, const bj_field_def *field) {
    bj_value value = *bj_get(record, field->number);
    if (field->type == BJ_T_UINT && !field->values) {
        value.as.uint += mutator_below(m, 3) - 1;
    } else if (field->type == BJ_T_DURATION) {
        value.as.duration += mutator_one_in(m, 2) ? BJ_MS : -(value.as.duration > BJ_MS ? BJ_MS : 0);
    } else if (field->type == BJ_T_VALUES && value.as.nodes.count) {
        bj_node *nodes = bj_arena_copy(m->arena, value.as.nodes.items, value.as.nodes.count * sizeof *nodes);
        bj_value fresh;
        mutator_make_value(m, field, 1, &fresh);
        bj_node *chosen = &nodes[mutator_below(m, value.as.nodes.count)];
        uint16_t id = chosen->id;
        *chosen = fresh.as.nodes.count ? fresh.as.nodes.items[0] : (bj_node){ .kind = BJ_N_INT };
        chosen->id = id;
        value.as.nodes.items = nodes;
    } else {
        return false;
    }
    bj_set(m->arena, record, field->number, &value);
    return true;
}

void mutator_change_value(mutator *m) {
    for (unsigned tries = 0; tries < 8; tries++) {
        bj_record *record = any_record(m);
        const bj_field_def *field = any_field(m, record, true);
        if (field) {
            if (mutator_one_in(m, 2) || !nudge(m, record, field)) {
                set_any(m, record, field);
            }
            return;
        }
    }
}

static void change_fields(mutator *m) {
    bj_record *record = any_record(m);
    bool gives = mutator_one_in(m, 2);
    const bj_field_def *field = any_field(m, record, !gives);
    if (field && gives) {
        set_any(m, record, field);
    } else if (field && field->number < record->field_limit && !(field->flags & BJ_REQUIRED)) {
        record->fields[field->number] = NULL;
    }
}

/* --- payloads ------------------------------------------------------------------------------------------------- */

/* A Write (or what has its fields) with values; NULL: there is none. */
static bj_record *with_payload(mutator *m) {
    for (unsigned tries = 0; tries < 16; tries++) {
        bj_record *record = any_record(m);
        if (record->kind == BJ_K_WRITE && (bj_get(record, BJ_F(WRITE, TLV)) || bj_get(record, BJ_F(WRITE, VALUES)))) {
            return record;
        }
    }
    return NULL;
}

static const bj_value *values_of(const bj_record *write) {
    const bj_value *values = bj_get(write, BJ_F(WRITE, VALUES));
    return values ? values : bj_get(write, BJ_F(WRITE, TLV));
}

static uint32_t any_format(mutator *m) {
    static const uint32_t formats[] = { BJ_FORMAT_TLV,        BJ_FORMAT_SENML_JSON, BJ_FORMAT_SENML_CBOR,
                                        BJ_FORMAT_LWM2M_CBOR, BJ_FORMAT_TEXT,       BJ_FORMAT_JSON,
                                        BJ_FORMAT_OPAQUE,     BJ_FORMAT_CBOR };
    return formats[mutator_below(m, mutator_one_in(m, 4) ? 8 : 4)];
}

static bool change_format(mutator *m) {
    bj_record *write = with_payload(m);
    if (!write) {
        return false;
    }
    bj_value values = *values_of(write);
    write->fields[BJ_F(WRITE, TLV)] = NULL;
    bj_set(m->arena, write, BJ_F(WRITE, VALUES), &values);
    mutator_set_uint(m, write, BJ_F(WRITE, FORMAT), any_format(m));
    return true;
}

static bool split(mutator *m) {
    bj_record *write = with_payload(m);
    if (write) {
        mutator_set_uint(m, write, BJ_F(WRITE, BLOCK), mutator_one_in(m, 8) ? 17 : 16u << mutator_below(m, 4));
    }
    return write != NULL;
}

static bj_entry entry_of(const bj_path *path, const bj_node *node) {
    static const uint8_t kinds[] = {
        [BJ_N_STRING] = BJ_ENTRY_STRING, [BJ_N_INT] = BJ_ENTRY_INT,       [BJ_N_BOOL] = BJ_ENTRY_BOOL,
        [BJ_N_FLOAT] = BJ_ENTRY_FLOAT,   [BJ_N_OPAQUE] = BJ_ENTRY_OPAQUE, [BJ_N_OBJLNK] = BJ_ENTRY_OBJLNK,
        [BJ_N_ANY] = BJ_ENTRY_STRING
    };
    return (bj_entry){ .path = *path,
                       .kind = kinds[node->kind],
                       .integer = node->integer,
                       .real = node->real,
                       .bytes = (const uint8_t *) node->bytes.bytes,
                       .length = node->bytes.length };
}

static void write_nodes(bj_entry_writer *w, const bj_path *above, const bj_node *nodes, size_t count) {
    for (size_t i = 0; i < count && above->depth < 4; i++) {
        bj_path path = *above;
        path.ids[path.depth++] = nodes[i].id;
        if (nodes[i].kind == BJ_N_TREE) {
            write_nodes(w, &path, nodes[i].children, nodes[i].child_count);
        } else if (path.depth >= 3) {
            bj_entry entry = entry_of(&path, &nodes[i]);
            bj_entries_write(w, &entry);
        }
    }
}

/* The payload as bytes, one of which says what is not so. */
static bool lie(mutator *m) {
    bj_record *write = with_payload(m);
    if (!write) {
        return false;
    }
    const bj_value *values = values_of(write);
    uint32_t format = bj_get_uint(write, BJ_F(WRITE, FORMAT), BJ_FORMAT_TLV);
    format = bj_entries_writable(format) ? format : BJ_FORMAT_TLV;
    bj_path path = bj_path_of(bj_get_string(write, BJ_F(WRITE, PATH), "/"));
    uint8_t *out = bj_arena_alloc(m->arena, PAYLOAD);
    bj_entry_writer w;
    bj_entries_write_begin(&w, format, &path, out, PAYLOAD);
    write_nodes(&w, &path, values->as.nodes.items, values->as.nodes.count);
    size_t length = bj_entries_write_end(&w);
    if (!length) {
        return false;
    }
    size_t at = mutator_below(m, mutator_one_in(m, 2) ? 4 : length);
    at = at < length ? at : 0;
    out[at] = (uint8_t) (mutator_one_in(m, 2) ? out[at] + mutator_below(m, 5) - 2 : mutator_random(m));
    length = mutator_one_in(m, 3) ? mutator_below(m, length + 1) : length;
    write->fields[BJ_F(WRITE, TLV)] = write->fields[BJ_F(WRITE, VALUES)] = NULL;
    bj_value bytes = { .type = BJ_T_BYTES, .as.string = { (const char *) out, length } };
    bj_set(m->arena, write, BJ_F(WRITE, HEX), &bytes);
    mutator_set_uint(m, write, BJ_F(WRITE, FORMAT), format);
    return true;
}

/* --- moments, faults ------------------------------------------------------------------------------------------ */

static void deadline(mutator *m) {
    static const int64_t off[] = { -1000, -1, 0, 1, 1000, -(int64_t) BJ_SECOND, (int64_t) BJ_SECOND };
    bj_when when = { .due = (uint8_t) (1 + mutator_below(m, BJ_DUE_LAST)) };
    when.earliest = when.latest = off[mutator_below(m, sizeof off / sizeof off[0])];
    bj_record *wait = bj_record_new(m->arena, BJ_K_ADVANCE, (bj_position){ 0, 0 });
    mutator_set_when(m, wait, BJ_F(ADVANCE, FOR), when);
    mutator_insert(m, somewhere(m), wait);
}

static void fault(mutator *m) {
    static const bj_kind kinds[] = {
        BJ_K_FAULT, BJ_K_FAULT, BJ_K_NETWORK, BJ_K_PORT, BJ_K_RESTART, BJ_K_DNS, BJ_K_DISK
    };
    bj_kind kind = kinds[mutator_below(m, sizeof kinds / sizeof kinds[0])];
    mutator_insert(m, somewhere(m), mutator_make_record(m, kind, 1));
}

/* Without a file the client has nothing to start from but its factory: half of the time it gets one. */
static void power(mutator *m) {
    bool stop = mutator_one_in(m, 4);
    size_t at = somewhere(m);
    mutator_insert(m, at, mutator_make_record(m, stop ? BJ_K_STOP : BJ_K_POWER_CUT, 1));
    if (!mutator_one_in(m, 4)) {
        mutator_insert(m, at + 1, bj_record_new(m->arena, BJ_K_START, (bj_position){ 0, 0 }));
    }
    const bj_record *client = bj_get_record(m->program, BJ_F(SCENARIO, CLIENT));
    if (client && mutator_one_in(m, 2) && !bj_get(client, BJ_F(CLIENT, STATE))) {
        bj_set_record(m->arena, (bj_record *) (uintptr_t) client, BJ_F(CLIENT, STATE),
                      bj_record_new(m->arena, BJ_K_STATE_FILE, (bj_position){ 0, 0 }));
    }
}

/* --- all of them ---------------------------------------------------------------------------------------------- */

static bool change(mutator *m, mutator_kind kind) {
    switch (kind) {
    case MUTATOR_SWAP:
        swap(m);
        return true;
    case MUTATOR_DROP:
        drop(m);
        return true;
    case MUTATOR_REPEAT:
        repeat(m);
        return true;
    case MUTATOR_MOVE:
        move(m);
        return true;
    case MUTATOR_INSERT:
        mutator_insert(m, somewhere(m), mutator_make_step(m, 1));
        return true;
    case MUTATOR_FORMAT:
        return change_format(m);
    case MUTATOR_BLOCKS:
        return split(m);
    case MUTATOR_LENGTHS:
        return lie(m);
    case MUTATOR_DEADLINE:
        deadline(m);
        return true;
    case MUTATOR_FAULT:
        fault(m);
        return true;
    case MUTATOR_POWER:
        power(m);
        return true;
    case MUTATOR_CUT_SHORT:
        m->list.count = mutator_below(m, m->list.count + 1);
        return true;
    case MUTATOR_PHRASE:
        mutator_phrase(m);
        return true;
    case MUTATOR_SITUATION:
        mutator_situation(m);
        return true;
    default:
        return false;
    }
}

void mutator_change(mutator *m, mutator_kind kind) {
    if (kind == MUTATOR_FIELD) {
        change_fields(m);
    } else if (kind == MUTATOR_VALUE || !change(m, kind)) {
        mutator_change_value(m);
    } else if (kind != MUTATOR_FORMAT && kind != MUTATOR_BLOCKS && kind != MUTATOR_LENGTHS) {
        mutator_put_back(m);
    }
}
