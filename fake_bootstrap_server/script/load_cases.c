/* SPDX-License-Identifier: Apache-2.0
 *
 * One file, many cases. See load_expand.h.
 *
 * `cases` is a map from the names of cases to what their parameters are; `parameters` gives each parameter the values
 * that it takes in turn. The file stands for every case with every combination of values. A case that gives a parameter
 * of `parameters` itself does not vary it.
 */
#define _GNU_SOURCE
#include "script/load_expand.h"

#include <string.h>

enum { CASES_MOST = 512, NAME_ROOM = 200 };

/* One parameter of `parameters` and where it stands among its values. */
typedef struct axis {
    const bj_yaml *name;
    const bj_yaml *values; /* a list, or a map from names to values */
    size_t index;
    bool fixed; /* the present case gives it itself */
} axis;

typedef struct cases {
    bj_loading *loading;
    const bj_yaml *listed; /* `cases`, or NULL */
    axis axes[BJ_LIMIT_NAMES];
    size_t axis_count;
    const char *names[CASES_MOST]; /* of all cases so far */
    size_t count;
    bj_scope scope; /* of the case that is wanted */
    bool found;
} cases;

/* --- names ------------------------------------------------------------------------------------ */

static bool is_name(const bj_string *text) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+";
    return text->length && strspn(text->bytes, letters) == text->length;
}

static bool check_name(cases *c, const bj_yaml *key, const char *what) {
    if (key->kind == BJ_YAML_SCALAR && is_name(&key->text)) {
        return true;
    }
    return bj_mistake_expected(c->loading, key, NULL, what);
}

static bool is_digits(const bj_string *text) {
    return strspn(text->bytes, "0123456789") == text->length;
}

/* The name of an axis' present value, nothing where there is only one. A bare number has its parameter before it. */
static void put_value_name(bj_text *out, const axis *a) {
    const bj_yaml *named = a->values->kind == BJ_YAML_MAP ? a->values->keys[a->index] : a->values->items[a->index];
    if (a->fixed || a->values->count < 2) {
        return;
    }
    bj_text_add(out, out->used ? "-" : "");
    if (is_digits(&named->text)) {
        bj_text_printf(out, "%s-", a->name->text.bytes);
    }
    bj_text_add(out, named->text.bytes);
}

/* --- the axes --------------------------------------------------------------------------------- */

static bool check_values(cases *c, const bj_yaml *values) {
    if (values->kind == BJ_YAML_SCALAR || !values->count) {
        return bj_mistake_expected(c->loading, values, NULL, "a list of values, or a map from names to values");
    }
    const bj_yaml *const *named = (const bj_yaml *const *) (values->kind == BJ_YAML_MAP ? values->keys : values->items);
    for (size_t i = 0; values->count > 1 && i < values->count; i++) {
        if (!check_name(c, named[i],
                        "a value that can be part of a case's name (letters, digits, - _ . +); others need a name: "
                        "`{root: /, account: /0/1}`")) {
            return false;
        }
    }
    return true;
}

static bool take_axes(cases *c, const bj_yaml *parameters) {
    if (!parameters) {
        return true;
    }
    if (parameters->kind != BJ_YAML_MAP || parameters->count > BJ_LIMIT_NAMES) {
        return bj_mistake_expected(c->loading, parameters, NULL, "a map from up to 64 parameters to their values");
    }
    for (size_t i = 0; i < parameters->count; i++) {
        const bj_yaml *key = parameters->keys[i];
        if (!check_name(c, key, "the name of a parameter (letters, digits, - _ . +)") ||
            !check_values(c, parameters->items[i])) {
            return false;
        }
        c->axes[c->axis_count++] = (axis){ .name = key, .values = parameters->items[i] };
    }
    return true;
}

static bool take_listed(cases *c, const bj_yaml *listed) {
    if (listed && (listed->kind != BJ_YAML_MAP || !listed->count)) {
        return bj_mistake_expected(c->loading, listed, NULL, "a map from names of cases to their parameters");
    }
    for (size_t i = 0; listed && i < listed->count; i++) {
        const bj_yaml *one = listed->items[i];
        if (!check_name(c, listed->keys[i], "the name of a case (letters, digits, - _ . +)")) {
            return false;
        }
        if (one->kind != BJ_YAML_MAP && !bj_yaml_is_null(one)) {
            return bj_mistake_expected(c->loading, one, NULL, "a map from parameters to values");
        }
    }
    c->listed = listed;
    return true;
}

/* To the next combination of values; false when all were there. The last axis moves first. */
static bool next_values(cases *c) {
    for (size_t i = c->axis_count; i-- > 0;) {
        axis *a = &c->axes[i];
        if (!a->fixed && ++a->index < a->values->count) {
            return true;
        }
        a->index = 0;
    }
    return false;
}

/* --- the cases -------------------------------------------------------------------------------- */

static bool fill_scope(cases *c, const bj_yaml *own) {
    bool fine = true;
    for (size_t i = 0; fine && i < c->axis_count; i++) {
        const axis *a = &c->axes[i];
        fine = bj_scope_add(c->loading, &c->scope, a->name, a->values->items[a->index]);
    }
    for (size_t i = 0; fine && own && i < own->count; i++) {
        fine = bj_scope_add(c->loading, &c->scope, own->keys[i], own->items[i]);
    }
    c->found = true;
    return fine;
}

/* Notes the present case; when it is the wanted one, its parameters. */
static bool take_case(cases *c, const bj_yaml *key, const bj_yaml *own) {
    BJ_TEXT(name, NAME_ROOM);
    bj_text_add(&name, key ? key->text.bytes : "");
    for (size_t i = 0; i < c->axis_count; i++) {
        put_value_name(&name, &c->axes[i]);
    }
    bj_position position = key ? key->position : c->axes[0].name->position;
    if (!name.used) {
        return bj_mistake_at(c->loading, position, NULL, "a parameter with one value makes no case");
    }
    for (size_t i = 0; i < c->count; i++) {
        if (!strcmp(c->names[i], name.start)) {
            return bj_mistake_at(c->loading, position, NULL, "two cases are called '%s'", name.start);
        }
    }
    if (c->count == CASES_MOST || name.cut) {
        return bj_mistake_at(c->loading, position, NULL, "more than %d cases in one file, or a name that is too long",
                             CASES_MOST);
    }
    c->names[c->count++] = bj_arena_strndup(c->loading->arena, name.start, name.used);
    bool wanted = c->loading->case_name && !strcmp(name.start, c->loading->case_name);
    return !wanted || fill_scope(c, own);
}

static bool take_combinations(cases *c, const bj_yaml *key, const bj_yaml *own) {
    for (size_t i = 0; i < c->axis_count; i++) {
        c->axes[i].index = 0;
        c->axes[i].fixed = own && bj_yaml_member(own, c->axes[i].name->text.bytes);
    }
    do {
        if (!take_case(c, key, own)) {
            return false;
        }
    } while (next_values(c));
    return true;
}

/* All cases of the document in c->names, the wanted one in c->scope. false after a mistake. */
static bool enumerate(cases *c, const bj_yaml *document) {
    const bj_yaml *parameters = bj_yaml_member(document, "parameters");
    if (!take_axes(c, parameters) || !take_listed(c, bj_yaml_member(document, "cases"))) {
        return false;
    }
    if (!c->listed) {
        return !c->axis_count || take_combinations(c, NULL, NULL);
    }
    for (size_t i = 0; i < c->listed->count; i++) {
        const bj_yaml *own = bj_yaml_is_null(c->listed->items[i]) ? NULL : c->listed->items[i];
        if (!take_combinations(c, c->listed->keys[i], own)) {
            return false;
        }
    }
    return true;
}

bool bj_list_cases(bj_loading *loading, const bj_yaml *document, const char ***names, size_t *count) {
    cases *c = bj_arena_alloc(loading->scratch, sizeof *c);
    c->loading = loading;
    bool fine = enumerate(c, document);
    *names = bj_arena_copy(loading->arena, c->names, (c->count + 1) * sizeof c->names[0]);
    *count = fine ? c->count : 0;
    return fine;
}

/* --- one case --------------------------------------------------------------------------------- */

static bool find_wanted(cases *c, const bj_yaml *document) {
    const char *wanted = c->loading->case_name;
    if (c->found || (!wanted && !c->count)) {
        return true;
    }
    bj_position position = document->count ? document->keys[0]->position : document->position;
    if (!c->count) {
        return bj_mistake_at(c->loading, position, NULL, "this file has no cases: there is none called '%.64s'",
                             wanted);
    }
    if (!wanted) {
        return bj_mistake_at(c->loading, position, NULL, "this file holds %zu cases: name one, FILE::%s", c->count,
                             c->names[0]);
    }
    c->names[c->count < CASES_MOST ? c->count : CASES_MOST - 1] = NULL;
    return bj_mistake_at(c->loading, position, bj_nearest(c->names, wanted, strlen(wanted)),
                         "there is no case '%.64s' in this file", wanted);
}

/* In `steps` a `${name}` may be a captured request; elsewhere it must be a parameter. */
static bool expand_member(cases *c, bj_yaml *out, const bj_yaml *key, const bj_yaml *value) {
    if (c->count && (bj_yaml_is(key, "cases") || bj_yaml_is(key, "parameters"))) {
        return true;
    }
    c->scope.closed = c->count && !bj_yaml_is(key, "steps");
    bj_yaml *expanded = bj_expand(c->loading, &c->scope, value);
    if (!expanded) {
        return false;
    }
    if (!bj_yaml_tagged(expanded, "!none")) {
        out->keys[out->count] = bj_arena_copy(c->loading->scratch, key, sizeof *key);
        out->items[out->count++] = expanded;
    }
    return true;
}

static bool all_used(cases *c) {
    bool fine = true;
    for (size_t i = 0; i < c->scope.count; i++) {
        const bj_parameter *p = &c->scope.items[i];
        if (!p->used) {
            fine = bj_mistake_at(c->loading, p->position, NULL, "the parameter '%s' is used nowhere", p->name.bytes);
        }
    }
    return fine;
}

bj_yaml *bj_pick_case(bj_loading *loading, const bj_yaml *document) {
    cases *c = bj_arena_alloc(loading->scratch, sizeof *c);
    c->loading = loading;
    if (!enumerate(c, document) || !find_wanted(c, document)) {
        return NULL;
    }
    bj_yaml *out = bj_arena_copy(loading->scratch, document, sizeof *document);
    out->keys = bj_arena_calloc(loading->scratch, document->count + 1, sizeof(void *));
    out->items = bj_arena_calloc(loading->scratch, document->count + 1, sizeof(void *));
    out->count = 0;
    for (size_t i = 0; i < document->count; i++) {
        if (!expand_member(c, out, document->keys[i], document->items[i])) {
            return NULL;
        }
    }
    return all_used(c) ? out : NULL;
}
