/* SPDX-License-Identifier: Apache-2.0
 *
 * A script that grows: its head first, then its steps, each loaded by itself and checked by what was given before. So a
 * script of any length costs the same for each of its steps.
 */
#include "script/load.h"

#include <string.h>

#include "script/load_expand.h"

struct bj_script {
    bj_arena *arena;
    const char *name;
    const bj_record *head;
    bj_checked *checked;
    const bj_record **steps; /* all, those of the head among them */
    size_t count, room;
};

static void keep(bj_script *script, const bj_record *const *steps, size_t count) {
    if (script->room - script->count < count) {
        script->room = 2 * script->room + count;
        script->steps = bj_arena_realloc(script->arena, script->steps, script->room * sizeof(void *));
    }
    for (size_t i = 0; i < count; i++) {
        script->steps[script->count++] = steps[i];
    }
}

static void set_steps(bj_arena *arena, bj_record *scenario, const bj_record *const *steps, size_t count) {
    bj_value value = { .type = BJ_T_STEPS, .as.records = { .items = steps, .count = count } };
    bj_set(arena, scenario, BJ_F(SCENARIO, STEPS), &value);
}

/* A script without a name is called something: its title stands in logs and results. */
static void give_title(bj_arena *arena, bj_record *head) {
    static const char title[] = "a script over the control channel";
    bj_value value = { .type = BJ_T_STRING, .as.string = { .bytes = title, .length = sizeof title - 1 } };
    if (!bj_get(head, BJ_F(SCENARIO, TITLE))) {
        bj_set(arena, head, BJ_F(SCENARIO, TITLE), &value);
    }
}

bj_script *bj_script_begin(bj_arena *arena, const char *name, const char *bytes, size_t length, bj_mistakes *mistakes) {
    bj_loading loading = { .growing = true };
    bj_script *script = bj_arena_alloc(arena, sizeof *script);
    bj_record *head = bj_loading_begin(&loading, arena, name, length, mistakes)
                          ? bj_load_document(&loading, BJ_K_SCENARIO, bytes, length)
                          : NULL;
    if (head) {
        script->checked = bj_check_head(&loading, head);
        script->checked = mistakes->count ? NULL : script->checked;
    }
    if (head && !mistakes->count && loading.source_count) {
        bj_settle_positions(&loading, head);
    }
    script->arena = arena;
    script->name = bj_arena_strdup(arena, name);
    script->head = head;
    if (!bj_loading_end(&loading)) {
        return NULL;
    }
    const bj_value *own = bj_get(head, BJ_F(SCENARIO, STEPS));
    give_title(arena, head);
    if (own) {
        keep(script, own->as.records.items, own->as.records.count);
    }
    return script;
}

static void place(bj_arena *arena, bj_record *record, bj_position position) {
    record->position = position;
    for (unsigned i = 0; i < record->field_limit; i++) {
        const bj_string *name;
        const bj_record *inner;
        if (!record->fields[i]) {
            continue;
        }
        bj_value *value = bj_arena_copy(arena, record->fields[i], sizeof *value);
        value->position = position;
        record->fields[i] = value;
        for (size_t n = 0; (inner = bj_value_record(value, n, &name)); n++) {
            place(arena, (bj_record *) (uintptr_t) inner, position);
        }
    }
}

/* The document as a list of steps, what it includes put in; NULL after a mistake. */
static const bj_yaml *list_of(bj_loading *loading, const char *bytes, size_t length) {
    bj_yaml *document = bj_yaml_read(loading, bytes, length);
    if (!document) {
        return NULL;
    }
    if (document->kind == BJ_YAML_SCALAR || !document->count) {
        bj_mistake_expected(loading, document, NULL, "a step such as 'finish: {expect: 2.04}', or a list of steps");
        return NULL;
    }
    bj_yaml list = { .kind = BJ_YAML_LIST, .position = document->position, .items = &document, .count = 1 };
    bj_scope *none = bj_arena_alloc(loading->scratch, sizeof *none);
    return bj_expand(loading, none, document->kind == BJ_YAML_LIST ? document : &list);
}

static const bj_record **load_steps(bj_script *script, bj_loading *loading, const char *bytes, size_t length,
                                    size_t *count) {
    const bj_yaml *list = list_of(loading, bytes, length);
    if (!list) {
        return NULL;
    }
    const bj_record **steps = bj_load_step_list(loading, list, count);
    bj_check_steps(script->checked, loading, steps, *count);
    return steps;
}

const bj_record *bj_script_take(bj_script *script, const char *bytes, size_t length, bj_position position,
                                bj_mistakes *mistakes) {
    bj_loading loading = { 0 };
    size_t count = 0;
    const bj_record **steps = NULL;
    if (bj_loading_begin(&loading, script->arena, script->name, length, mistakes)) {
        steps = load_steps(script, &loading, bytes, length, &count);
    }
    bj_record *taken = bj_record_new(script->arena, BJ_K_SCENARIO, position);
    set_steps(script->arena, taken, steps, count);
    if (steps && !mistakes->count && position.line) {
        place(script->arena, taken, position);
    } else if (steps && !mistakes->count && loading.source_count) {
        bj_settle_positions(&loading, taken);
    }
    if (!bj_loading_end(&loading)) {
        return NULL;
    }
    keep(script, steps, count);
    return taken;
}

bj_record *bj_script_whole(const bj_script *script) {
    bj_record *whole = bj_record_new(script->arena, BJ_K_SCENARIO, script->head->position);
    for (unsigned i = 0; i < script->head->field_limit; i++) {
        if (script->head->fields[i]) {
            bj_set(script->arena, whole, i, script->head->fields[i]);
        }
    }
    if (script->count) {
        set_steps(script->arena, whole, bj_arena_copy(script->arena, script->steps, script->count * sizeof(void *)),
                  script->count);
    }
    return whole;
}
