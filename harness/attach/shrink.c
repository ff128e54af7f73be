/* SPDX-License-Identifier: Apache-2.0
 *
 * See shrink.h. Programs are never changed: each attempt is another tree.
 */
#include "attach/shrink.h"

#include <string.h>

typedef struct attempt {
    bj_arena *arena;
    const bj_record *best;
    bj_shrink_shows *shows;
    void *context;
    unsigned tries;
} attempt;

/* Whether the candidate shows the same; then it is the best so far. */
static bool keeps(attempt *a, const bj_record *candidate) {
    if (!a->tries) {
        return false;
    }
    a->tries--;
    if (!a->shows(a->context, candidate)) {
        return false;
    }
    a->best = candidate;
    return true;
}

/* --- steps ---------------------------------------------------------------------------------------------------- */

static size_t step_count(const bj_record *program) {
    const bj_value *steps = bj_get(program, BJ_F(SCENARIO, STEPS));
    return steps ? steps->as.records.count : 0;
}

static bj_record *with_steps(bj_arena *arena, const bj_record *program, const bj_record *const *steps, size_t count) {
    bj_record *copy = bj_record_copy(arena, program);
    bj_value list = { .type = BJ_T_STEPS, .as.records = { steps, count } };
    bj_set(arena, copy, BJ_F(SCENARIO, STEPS), &list);
    return copy;
}

/* Without `count` steps from the step `from` on; what `inner` lists in their place. */
static const bj_record *replaced(attempt *a, size_t from, size_t count, const bj_value *inner) {
    const bj_value *steps = bj_get(a->best, BJ_F(SCENARIO, STEPS));
    size_t all = steps->as.records.count, more = inner ? inner->as.records.count : 0;
    const bj_record **kept = bj_record_list(a->arena, all - count + more + 1);
    memcpy(kept, steps->as.records.items, from * sizeof(void *));
    if (more) {
        memcpy(kept + from, inner->as.records.items, more * sizeof(void *));
    }
    memcpy(kept + from + more, steps->as.records.items + from + count, (all - from - count) * sizeof(void *));
    return with_steps(a->arena, a->best, kept, all - count + more);
}

static bool drop_steps(attempt *a) {
    bool any = false;
    for (size_t chunk = step_count(a->best); chunk > 0; chunk /= 2) {
        for (size_t at = 0; at < step_count(a->best);) {
            size_t left = step_count(a->best) - at, count = chunk < left ? chunk : left;
            bool kept = keeps(a, replaced(a, at, count, NULL));
            any = any || kept;
            at += kept ? 0 : count;
        }
    }
    return any;
}

/* The steps inside a step, where it has a list of them. */
static const bj_value *inner_steps(const bj_record *step) {
    for (unsigned i = 0; i < step->field_limit; i++) {
        if (step->fields[i] && step->fields[i]->type == BJ_T_STEPS) {
            return step->fields[i];
        }
    }
    return NULL;
}

static bool unwrap_steps(attempt *a) {
    bool any = false;
    for (size_t at = 0; at < step_count(a->best); at++) {
        const bj_value *inner = inner_steps(bj_get(a->best, BJ_F(SCENARIO, STEPS))->as.records.items[at]);
        any = (inner && keeps(a, replaced(a, at, 1, inner))) || any;
    }
    return any;
}

/* --- fields, values, texts ------------------------------------------------------------------------------------ */

typedef enum change { OMIT_FIELD, OMIT_NODE, HALVE_TEXT } change;

/* One change at one place of a tree: the places that it could be made at are counted while the tree is copied. */
typedef struct edit {
    bj_arena *arena;
    change change;
    size_t place, counted;
} edit;

static bool here(edit *e) {
    return e->counted++ == e->place;
}

static const bj_record *copy_record(edit *e, const bj_record *record);

static const bj_record *const *copy_records(edit *e, const bj_record *const *items, size_t count) {
    const bj_record **copy = bj_record_list(e->arena, count + 1);
    for (size_t i = 0; i < count; i++) {
        copy[i] = copy_record(e, items[i]);
    }
    return copy;
}

static void copy_named(edit *e, bj_value *value) {
    size_t count = value->as.named.count;
    bj_named *items = bj_arena_calloc(e->arena, count + 1, sizeof *items);
    for (size_t i = 0; i < count; i++) {
        items[i] = value->as.named.items[i];
        items[i].records = copy_records(e, items[i].records, items[i].count);
    }
    value->as.named.items = items;
}

static void copy_nodes(edit *e, bj_value *value) {
    size_t used = 0;
    bj_node *items = bj_arena_calloc(e->arena, value->as.nodes.count + 1, sizeof *items);
    for (size_t i = 0; i < value->as.nodes.count; i++) {
        if (e->change != OMIT_NODE || !here(e)) {
            items[used++] = value->as.nodes.items[i];
        }
    }
    value->as.nodes.items = items;
    value->as.nodes.count = used;
}

static void copy_value(edit *e, bj_value *value) {
    switch (value->type) {
    case BJ_T_RECORD:
    case BJ_T_RECORDS:
    case BJ_T_STEPS:
        value->as.records.items = copy_records(e, value->as.records.items, value->as.records.count);
        break;
    case BJ_T_NAMED:
    case BJ_T_NAMED_LISTS:
    case BJ_T_BRANCHES:
        copy_named(e, value);
        break;
    case BJ_T_VALUES:
        copy_nodes(e, value);
        break;
    case BJ_T_STRING:
    case BJ_T_BYTES:
        if (e->change == HALVE_TEXT && value->as.string.length > 1 && here(e)) {
            value->as.string.length /= 2;
            value->as.string.bytes = bj_arena_strndup(e->arena, value->as.string.bytes, value->as.string.length);
        }
        break;
    default:
        break;
    }
}

static bool is_required(const bj_record *record, unsigned number) {
    const bj_record_def *def = bj_record_def_of((bj_kind) record->kind);
    for (size_t i = 0; i < def->field_count; i++) {
        if (def->fields[i].number == number) {
            return def->fields[i].flags & BJ_REQUIRED;
        }
    }
    return true;
}

static const bj_record *copy_record(edit *e, const bj_record *record) {
    bj_record *copy = bj_record_new(e->arena, (bj_kind) record->kind, record->position);
    for (unsigned i = 0; i < record->field_limit; i++) {
        if (!record->fields[i] || (e->change == OMIT_FIELD && !is_required(record, i) && here(e))) {
            continue;
        }
        bj_value value = *record->fields[i];
        copy_value(e, &value);
        bj_set(e->arena, copy, i, &value);
    }
    return copy;
}

static bool try_everywhere(attempt *a, change kind) {
    bool any = false;
    for (size_t place = 0; a->tries;) {
        edit e = { .arena = a->arena, .change = kind, .place = place };
        const bj_record *candidate = copy_record(&e, a->best);
        if (e.counted <= place) {
            break;
        }
        bool kept = keeps(a, candidate);
        any = any || kept;
        place += !kept; /* what came up to that place is another thing now */
    }
    return any;
}

const bj_record *bj_shrink(bj_arena *arena, const bj_record *program, bj_shrink_shows *shows, void *context,
                           unsigned tries) {
    attempt a = { .arena = arena, .best = program, .shows = shows, .context = context, .tries = tries };
    for (bool any = true; any;) { /* what one leaves the other may take */
        any = drop_steps(&a);
        any = unwrap_steps(&a) || any;
    }
    try_everywhere(&a, OMIT_FIELD);
    try_everywhere(&a, OMIT_NODE);
    try_everywhere(&a, HALVE_TEXT);
    return a.best;
}
