/* SPDX-License-Identifier: Apache-2.0
 *
 * See mutator.h. Here: programs out of bytes and back, lists of steps, the weights of a run.
 */
#include "mutator_internal.h"

#include <stdlib.h>
#include <string.h>

#include "script/bytes.h"

enum { ARENA = 64 << 20, BOOK = 64 << 20, MOST_CHANGES = 4, HAVOC_CHANGES = 8 };

const char *mutator_text(mutator_kind kind) {
    static const char *const texts[] = {
#define MUTATOR_TEXT(NAME, text) text,
        MUTATOR_KINDS(MUTATOR_TEXT)
#undef MUTATOR_TEXT
    };
    return texts[kind];
}

/* One kind in four does not happen in a run, one in four is eight times as likely as usual. */
static void draw_weights(mutator *m, uint64_t swarm) {
    bj_rng_seed(&m->rng, swarm, 7);
    for (unsigned i = 0; i < MUTATOR_COUNT; i++) {
        uint32_t luck = mutator_below(m, 4);
        m->weights[i] = luck == 0 ? 0 : luck == 1 ? 8 : 1;
    }
    m->weights[MUTATOR_VALUE] += 2; /* never a run without the plainest of all */
    m->weights[MUTATOR_HAVOC] += 1;
    m->weights[MUTATOR_PHRASE] += 4;
    m->weights[MUTATOR_SITUATION] += 1;
    for (unsigned i = 0; i < MUTATOR_COUNT; i++) {
        m->total += m->weights[i];
    }
}

mutator *mutator_new(uint64_t swarm) {
    mutator *m = calloc(1, sizeof *m);
    if (!m) {
        return NULL;
    }
    m->arena = bj_arena_map(ARENA);
    m->book_arena = bj_arena_map(BOOK);
    m->book = m->book_arena ? phrase_book_read(m->book_arena) : NULL;
    if (!m->arena || !m->book) {
        mutator_free(m);
        return NULL;
    }
    draw_weights(m, swarm);
    return m;
}

void mutator_free(mutator *m) {
    if (m) {
        bj_arena_unmap(m->arena);
        bj_arena_unmap(m->book_arena);
        free(m);
    }
}

unsigned mutator_weight(const mutator *m, mutator_kind kind) {
    return m->weights[kind];
}

static mutator_kind draw_kind(mutator *m) {
    uint32_t at = mutator_below(m, m->total);
    unsigned kind = 0;
    while (at >= m->weights[kind]) {
        at -= m->weights[kind++];
    }
    return (mutator_kind) kind;
}

/* --- the program ---------------------------------------------------------------------------------------------- */

/* The tree was decoded into our own arena: it may be changed. */
static bj_record *own(const bj_record *record) {
    return (bj_record *) (uintptr_t) record;
}

void mutator_collect(mutator *m, bj_record *record) {
    if (m->record_count == MUTATOR_RECORDS) {
        return;
    }
    m->records[m->record_count++] = record;
    const bj_string *name;
    const bj_record *inner;
    for (unsigned f = 0; f < record->field_limit; f++) {
        for (size_t i = 0; record->fields[f] && (inner = bj_value_record(record->fields[f], i, &name)); i++) {
            mutator_collect(m, own(inner));
        }
    }
}

typedef struct place {
    bj_record *owner;
    const bj_value *value;
    uint8_t field;
    size_t branch;
} place;

static size_t lists_of(mutator *m, place *places) {
    size_t n = 0;
    for (size_t r = 0; r < m->record_count; r++) {
        bj_record *record = m->records[r];
        for (unsigned f = 0; f < record->field_limit && n < MUTATOR_LISTS; f++) {
            const bj_value *value = record->fields[f];
            size_t count = !value                         ? 0
                           : value->type == BJ_T_STEPS    ? 1
                           : value->type == BJ_T_BRANCHES ? value->as.named.count
                                                          : 0;
            for (size_t b = 0; b < count && n < MUTATOR_LISTS; b++) {
                places[n++] = (place){ record, value, (uint8_t) f, b };
            }
        }
    }
    return n;
}

static void copy_steps(const bj_record **to, const bj_record *const *from, size_t count) {
    for (size_t i = 0; i < count; i++) {
        to[i] = from[i];
    }
}

static void take_list(mutator *m, const place *p) {
    bool steps = p->value->type == BJ_T_STEPS;
    const bj_named *branch = steps ? NULL : &p->value->as.named.items[p->branch];
    const bj_record *const *items = steps ? p->value->as.records.items : branch->records;
    size_t count = steps ? p->value->as.records.count : branch->count;
    m->list = (step_list){ .owner = p->owner, .field = p->field, .type = p->value->type, .branch = p->branch };
    m->list.count = count < MUTATOR_STEPS ? count : MUTATOR_STEPS;
    copy_steps(m->list.steps, items, m->list.count);
}

void mutator_take_script(mutator *m) {
    const bj_value *steps = bj_get(m->program, BJ_F(SCENARIO, STEPS));
    if (steps) {
        take_list(m, &(place){ m->program, steps, BJ_F(SCENARIO, STEPS), 0 });
    } else {
        m->list = (step_list){ .owner = m->program, .field = BJ_F(SCENARIO, STEPS), .type = BJ_T_STEPS };
    }
}

/* Mostly the script itself, which may have none. */
static void choose_list(mutator *m) {
    place places[MUTATOR_LISTS];
    size_t count = mutator_one_in(m, 4) ? lists_of(m, places) : 0;
    if (count) {
        take_list(m, &places[mutator_below(m, count)]);
    } else {
        mutator_take_script(m);
    }
}

void mutator_put_back(mutator *m) {
    step_list *l = &m->list;
    const bj_record **items = bj_record_list(m->arena, l->count);
    copy_steps(items, l->steps, l->count);
    bj_value value = { .type = l->type };
    if (l->type == BJ_T_STEPS) {
        value.as.records.items = items;
        value.as.records.count = l->count;
    } else {
        const bj_value *old = bj_get(l->owner, l->field);
        bj_named *branches = bj_arena_copy(m->arena, old->as.named.items, old->as.named.count * sizeof *branches);
        branches[l->branch].records = items;
        branches[l->branch].count = l->count;
        value.as.named.items = branches;
        value.as.named.count = old->as.named.count;
    }
    bj_set(m->arena, l->owner, l->field, &value);
}

void mutator_insert(mutator *m, size_t at, const bj_record *step) {
    step_list *l = &m->list;
    if (l->count >= MUTATOR_STEPS) {
        return;
    }
    at = at < l->count ? at : l->count;
    for (size_t i = l->count++; i > at; i--) {
        l->steps[i] = l->steps[i - 1];
    }
    l->steps[at] = step;
}

void mutator_take_out(mutator *m, size_t at, size_t count) {
    step_list *l = &m->list;
    copy_steps(&l->steps[at], &l->steps[at + count], l->count - at - count);
    l->count -= count;
}

static void take_program(mutator *m, const uint8_t *data, size_t size) {
    m->program = bj_program_decode(m->arena, BJ_K_SCENARIO, data, size, NULL, 0);
    m->record_count = 0;
    mutator_collect(m, m->program);
    choose_list(m);
}

/* As canonical bytes: what is decoded again may be less than what was made (nesting is cut, numbers are reduced). One
 * that has become too long loses its last steps. */
static size_t give_program(mutator *m, uint8_t *out, size_t room) {
    for (unsigned tries = 0; tries < 16; tries++) {
        bj_string bytes = bj_program_encode(m->arena, m->program);
        m->program = bj_program_decode(m->arena, BJ_K_SCENARIO, bytes.bytes, bytes.length, NULL, 0);
        bytes = bj_program_encode(m->arena, m->program);
        if (bytes.length <= room) {
            memcpy(out, bytes.bytes, bytes.length);
            return bytes.length;
        }
        const bj_value *steps = bj_get(m->program, BJ_F(SCENARIO, STEPS));
        size_t count = steps ? steps->as.records.count : 0;
        bj_value fewer = { .type = BJ_T_STEPS };
        fewer.as.records.items = steps ? steps->as.records.items : NULL;
        fewer.as.records.count = count / 2;
        bj_set(m->arena, m->program, BJ_F(SCENARIO, STEPS), &fewer);
    }
    return 0;
}

/* --- havoc ---------------------------------------------------------------------------------------------------- */

static size_t havoc_once(mutator *m, uint8_t *data, size_t size, size_t room) {
    static const uint8_t telling[] = { 0, 1, 0x7f, 0x80, 0xff, 2, 13, 44, 60 };
    size_t at = mutator_below(m, size);
    size_t length = 1 + mutator_below(m, size - at < 32 ? size - at : 32);
    switch (mutator_below(m, 6)) {
    case 0:
        data[at] ^= (uint8_t) (1u << mutator_below(m, 8));
        break;
    case 1:
        data[at] = (uint8_t) mutator_random(m);
        break;
    case 2:
        data[at] = telling[mutator_below(m, sizeof telling)];
        break;
    case 3:
        memmove(&data[at], &data[at + length], size - at - length);
        size = size > length ? size - length : size;
        break;
    case 4:
        length = length < room - size ? length : room - size;
        memmove(&data[at + length], &data[at], size - at);
        size += length;
        break;
    default:
        data[at] = (uint8_t) (data[at] + mutator_below(m, 9) - 4);
        break;
    }
    return size;
}

static size_t havoc(mutator *m, uint8_t *data, size_t size, size_t room) {
    unsigned changes = 1 + mutator_below(m, HAVOC_CHANGES);
    for (unsigned i = 0; i < changes && size; i++) {
        size = havoc_once(m, data, size, room);
    }
    return size;
}

/* --- both faces ------------------------------------------------------------------------------------------------ */

static void begin(mutator *m, uint64_t seed) {
    bj_arena_reset(m->arena);
    bj_rng_seed(&m->rng, seed, 8);
}

static size_t change(mutator *m, mutator_kind kind, uint8_t *data, size_t size, size_t room) {
    if (kind == MUTATOR_HAVOC) {
        size = havoc(m, data, size, room);
    }
    take_program(m, data, size);
    if (kind != MUTATOR_HAVOC) {
        mutator_change(m, kind);
    }
    return give_program(m, data, room);
}

size_t mutator_mutate_as(mutator *m, mutator_kind kind, uint8_t *data, size_t size, size_t room, uint64_t seed) {
    begin(m, seed);
    return change(m, kind, data, size, room);
}

/* What has no steps gets some, mostly: there is little else to change. */
static mutator_kind fitting(mutator *m, mutator_kind kind, const uint8_t *data, size_t size) {
    const bj_record *program = bj_program_decode(m->arena, BJ_K_SCENARIO, data, size, NULL, 0);
    const bj_value *steps = bj_get(program, BJ_F(SCENARIO, STEPS));
    bool bare = !steps || !steps->as.records.count;
    return bare && kind != MUTATOR_HAVOC && !mutator_one_in(m, 4) ? MUTATOR_SITUATION : kind;
}

size_t mutator_mutate(mutator *m, uint8_t *data, size_t size, size_t room, uint64_t seed) {
    begin(m, seed);
    unsigned changes = 1 + mutator_below(m, MOST_CHANGES);
    for (unsigned i = 0; i < changes; i++) {
        mutator_kind kind = draw_kind(m);
        size = change(m, i ? kind : fitting(m, kind, data, size), data, size, room);
    }
    return size;
}

/* A piece of the other's script at some place of this one; or this one's beginning and the other's end. */
static void splice(mutator *m, const bj_value *steps) {
    const bj_record *const *items = steps->as.records.items;
    size_t count = steps->as.records.count, from = mutator_below(m, count);
    size_t length = 1 + mutator_below(m, count - from), at = mutator_below(m, m->list.count + 1);
    if (mutator_one_in(m, 2)) {
        m->list.count = at;
        length = count - from;
    }
    for (size_t i = 0; i < length; i++) {
        mutator_insert(m, at + i, items[from + i]);
    }
    mutator_put_back(m);
}

size_t mutator_cross(mutator *m, const uint8_t *one, size_t one_size, const uint8_t *other, size_t other_size,
                     uint8_t *out, size_t room, uint64_t seed) {
    begin(m, seed);
    take_program(m, one, one_size);
    const bj_record *second = bj_program_decode(m->arena, BJ_K_SCENARIO, other, other_size, NULL, 0);
    const bj_value *steps = bj_get(second, BJ_F(SCENARIO, STEPS));
    if (steps && steps->as.records.count) {
        splice(m, steps);
    }
    return give_program(m, out, room);
}
