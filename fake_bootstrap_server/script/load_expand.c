/* SPDX-License-Identifier: Apache-2.0
 *
 * `${parameter}` and `include:`. See load_expand.h.
 *
 * A scalar that is nothing but `${name}` becomes the value itself, whatever it is: a list in a list, or steps among
 * steps, are put in one by one. Inside a longer text the value's text is put in.
 */
#define _GNU_SOURCE
#include "script/load_expand.h"

#include <string.h>

enum { NODES_MOST = 4 * BJ_LIMIT_ITEMS, NAME_SHOWN = 40, TEXT_MOST = 1 << 16 };

static bj_yaml *expand(bj_loading *loading, bj_scope *scope, const bj_yaml *node);

const bj_yaml *bj_yaml_member(const bj_yaml *map, const char *key) {
    for (size_t i = 0; map->kind == BJ_YAML_MAP && i < map->count; i++) {
        if (bj_yaml_is(map->keys[i], key)) {
            return map->items[i];
        }
    }
    return NULL;
}

/* --- parameters ------------------------------------------------------------------------------- */

static bool is_name(const bj_string *text) {
    return text->length && text->length < NAME_SHOWN && !strpbrk(text->bytes, ".{}$ ") &&
           strlen(text->bytes) == text->length;
}

static bj_parameter *find(bj_scope *scope, const char *name, size_t length) {
    for (size_t i = 0; i < scope->count; i++) {
        if (scope->items[i].name.length == length && !memcmp(scope->items[i].name.bytes, name, length)) {
            return &scope->items[i];
        }
    }
    return NULL;
}

bool bj_scope_add(bj_loading *loading, bj_scope *scope, const bj_yaml *key, const bj_yaml *value) {
    if (key->kind != BJ_YAML_SCALAR || !is_name(&key->text)) {
        return bj_mistake_expected(loading, key, NULL, "the name of a parameter, without any of . { } $ and blanks");
    }
    bj_parameter *known = find(scope, key->text.bytes, key->text.length);
    if (!known && scope->count == BJ_LIMIT_NAMES) {
        return bj_mistake_at(loading, key->position, NULL, "more than %d parameters", BJ_LIMIT_NAMES);
    }
    known = known ? known : &scope->items[scope->count++];
    *known = (bj_parameter){ .name = key->text, .position = key->position, .value = value };
    return true;
}

static const char *nearest(bj_scope *scope, const char *name, size_t length) {
    const char *names[BJ_LIMIT_NAMES + 1] = { 0 };
    for (size_t i = 0; i < scope->count; i++) {
        names[i] = scope->items[i].name.bytes;
    }
    return bj_nearest(names, name, length);
}

/* The value of a parameter, expanded; NULL after a mistake. */
static bj_yaml *value_of(bj_loading *loading, bj_scope *scope, bj_parameter *parameter, const bj_yaml *at) {
    if (parameter->open) {
        bj_mistake_at(loading, at->position, NULL, "the parameter '%s' stands for itself", parameter->name.bytes);
        return NULL;
    }
    parameter->used = parameter->open = true;
    bj_yaml *value = expand(loading, scope, parameter->value);
    parameter->open = false;
    return value;
}

/* --- texts ------------------------------------------------------------------------------------ */

/* The next `${name}` in `text` at or behind `from`: its start, its name; false when there is none. */
static bool next_reference(const bj_string *text, size_t from, size_t *start, const char **name, size_t *length) {
    const char *open = memmem(text->bytes + from, text->length - from, "${", 2);
    const char *end = text->bytes + text->length;
    const char *close = open ? memchr(open, '}', (size_t) (end - open)) : NULL;
    if (!close) {
        return false;
    }
    *start = (size_t) (open - text->bytes);
    *name = open + 2;
    *length = (size_t) (close - open) - 2;
    return true;
}

/* The parameter that the whole scalar stands for, or NULL. */
static bj_parameter *whole(bj_scope *scope, const bj_yaml *node) {
    size_t start, length;
    const char *name;
    if (node->kind != BJ_YAML_SCALAR || node->tag.length || !next_reference(&node->text, 0, &start, &name, &length) ||
        start || length + 3 != node->text.length) {
        return NULL;
    }
    return find(scope, name, length);
}

static bool unknown(bj_loading *loading, bj_scope *scope, const bj_yaml *node, const char *name, size_t length) {
    if (!scope->closed) {
        return true;
    }
    return bj_mistake_at(loading, node->position, nearest(scope, name, length), "there is no parameter '%.*s'",
                         (int) (length < NAME_SHOWN ? length : NAME_SHOWN), name);
}

/* Puts one reference into `out`, or leaves it as it is written. */
static bool put_reference(bj_loading *loading, bj_scope *scope, const bj_yaml *node, bj_text *out, const char *name,
                          size_t length) {
    bj_parameter *parameter = find(scope, name, length);
    if (!parameter) {
        bj_text_add_bytes(out, name - 2, length + 3);
        return unknown(loading, scope, node, name, length);
    }
    const bj_yaml *value = value_of(loading, scope, parameter, node);
    if (!value) {
        return false;
    }
    if (value->kind != BJ_YAML_SCALAR) {
        return bj_mistake_at(loading, node->position, NULL, "'%s' is %s, and cannot stand inside a text",
                             parameter->name.bytes, value->kind == BJ_YAML_MAP ? "a map" : "a list");
    }
    bj_text_add_bytes(out, value->text.bytes, value->text.length);
    return true;
}

/* A scalar with all references inside it put in. */
static bj_yaml *expand_text(bj_loading *loading, bj_scope *scope, const bj_yaml *node) {
    size_t start, length, done = 0;
    const char *name;
    bj_yaml *copy = bj_arena_copy(loading->scratch, node, sizeof *node);
    if (!next_reference(&node->text, 0, &start, &name, &length)) {
        return copy;
    }
    char *room = bj_arena_alloc(loading->scratch, TEXT_MOST);
    bj_text out = bj_text_over(room, TEXT_MOST);
    for (; next_reference(&node->text, done, &start, &name, &length); done = start + length + 3) {
        bj_text_add_bytes(&out, node->text.bytes + done, start - done);
        if (!put_reference(loading, scope, node, &out, name, length)) {
            return NULL;
        }
    }
    bj_text_add_bytes(&out, node->text.bytes + done, node->text.length - done);
    copy->text = (bj_string){ .bytes = bj_arena_strndup(loading->scratch, out.start, out.used), .length = out.used };
    bj_arena_free(loading->scratch, room);
    if (out.cut) {
        bj_mistake_at(loading, node->position, NULL, "with its parameters this text is longer than 64 KiB");
        return NULL;
    }
    return copy;
}

/* --- include ---------------------------------------------------------------------------------- */

static bool take_defaults(bj_loading *loading, bj_scope *scope, const bj_yaml *document) {
    const bj_yaml *defaults = bj_yaml_member(document, "parameters");
    if (defaults && defaults->kind != BJ_YAML_MAP) {
        return bj_mistake_expected(loading, defaults, NULL, "a map from parameters to what they are if not given");
    }
    for (size_t i = 0; defaults && i < defaults->count; i++) {
        if (!bj_scope_add(loading, scope, defaults->keys[i], defaults->items[i])) {
            return false;
        }
    }
    return true;
}

/* What `with` gives, expanded where it stands, over what the included file has for it. */
static bool take_with(bj_loading *loading, bj_scope *outer, bj_scope *inner, const bj_yaml *with) {
    if (with->kind != BJ_YAML_MAP) {
        return bj_mistake_expected(loading, with, NULL, "a map from parameters of the included file to values");
    }
    for (size_t i = 0; i < with->count; i++) {
        const bj_yaml *key = with->keys[i];
        if (key->kind == BJ_YAML_SCALAR && !find(inner, key->text.bytes, key->text.length)) {
            return bj_mistake_at(loading, key->position, nearest(inner, key->text.bytes, key->text.length),
                                 "the included file has no parameter '%.*s'", NAME_SHOWN, key->text.bytes);
        }
        bj_yaml *value = expand(loading, outer, with->items[i]);
        if (!value || !bj_scope_add(loading, inner, key, value)) {
            return false;
        }
    }
    return true;
}

/* A parameter that stands for nothing (`~`) in the included file must be given. */
static bool all_given(bj_loading *loading, const bj_scope *scope, const bj_yaml *step) {
    for (size_t i = 0; i < scope->count; i++) {
        if (bj_yaml_is_null(scope->items[i].value)) {
            return bj_mistake_at(loading, step->position, NULL, "the included file needs `with: {%s: ...}`",
                                 scope->items[i].name.bytes);
        }
    }
    return true;
}

static bool only_these(bj_loading *loading, const bj_yaml *map, const char *const *names, const char *what) {
    for (size_t i = 0; i < map->count; i++) {
        size_t n = 0;
        while (names[n] && !bj_yaml_is(map->keys[i], names[n])) {
            n++;
        }
        if (!names[n]) {
            const bj_string *text = &map->keys[i]->text;
            return bj_mistake_at(loading, map->keys[i]->position, bj_nearest(names, text->bytes, text->length),
                                 "%s has no field '%.*s'", what, NAME_SHOWN, text->bytes ? text->bytes : "");
        }
    }
    return true;
}

/* The steps of an included file, its parameters put in; NULL after a mistake. */
static bj_yaml *steps_of(bj_loading *loading, bj_scope *outer, const bj_yaml *step, const bj_yaml *document) {
    static const char *const fields[] = { "description", "parameters", "sequence", NULL };
    const bj_yaml *sequence = bj_yaml_member(document, "sequence");
    const bj_yaml *with = bj_yaml_member(step, "with");
    if (!sequence || sequence->kind != BJ_YAML_LIST) {
        bj_mistake_expected(loading, sequence ? sequence : document, NULL,
                            "a file for `include`: a map with a list of steps under `sequence`");
        return NULL;
    }
    bj_scope *inner = bj_arena_alloc(loading->scratch, sizeof *inner);
    bool fine = only_these(loading, document, fields, "a file for `include`") &&
                take_defaults(loading, inner, document) && (!with || take_with(loading, outer, inner, with)) &&
                all_given(loading, inner, step);
    bj_yaml *steps = fine ? expand(loading, inner, sequence) : NULL;
    bj_arena_free(loading->scratch, inner);
    return steps;
}

static bj_yaml *include(bj_loading *loading, bj_scope *scope, const bj_yaml *step) {
    static const char *const fields[] = { "include", "with", NULL };
    bj_yaml *file = expand(loading, scope, bj_yaml_member(step, "include"));
    if (!file || !only_these(loading, step, fields, "include")) {
        return NULL;
    }
    unsigned outside = loading->source;
    const bj_yaml *document = bj_read_beside(loading, file);
    bj_yaml *steps = document ? steps_of(loading, scope, step, document) : NULL;
    loading->source = outside;
    return steps;
}

/* --- collections ------------------------------------------------------------------------------ */

static bool left_out(const bj_yaml *node) {
    return bj_yaml_tagged(node, "!none");
}

/* Room for one more; lists grow as a power of two. */
static bj_yaml **with_room(bj_loading *loading, bj_yaml **list, size_t count) {
    if (count & (count - 1)) {
        return list;
    }
    return bj_arena_realloc(loading->scratch, list, (count ? 2 * count : 1) * sizeof(void *));
}

static void append(bj_loading *loading, bj_yaml *list, bj_yaml *item) {
    list->items = with_room(loading, list->items, list->count);
    list->items[list->count++] = item;
}

static bool expand_item(bj_loading *loading, bj_scope *scope, const bj_yaml *item, bj_yaml *out) {
    bool include_step = item->kind == BJ_YAML_MAP && bj_yaml_member(item, "include");
    bool spread = include_step || whole(scope, item);
    bj_yaml *value = include_step ? include(loading, scope, item) : expand(loading, scope, item);
    if (!value) {
        return false;
    }
    if (spread && value->kind == BJ_YAML_LIST) {
        for (size_t i = 0; i < value->count; i++) {
            append(loading, out, value->items[i]);
        }
    } else if (!left_out(value)) {
        append(loading, out, value);
    }
    return true;
}

static bool expand_member(bj_loading *loading, bj_scope *scope, const bj_yaml *map, size_t index, bj_yaml *out) {
    bj_yaml *key = expand(loading, scope, map->keys[index]);
    bj_yaml *value = key ? expand(loading, scope, map->items[index]) : NULL;
    if (!value) {
        return false;
    }
    if (!left_out(value)) {
        out->keys = with_room(loading, out->keys, out->count);
        out->keys[out->count] = key;
        append(loading, out, value);
    }
    return true;
}

static bj_yaml *expand_collection(bj_loading *loading, bj_scope *scope, const bj_yaml *node) {
    bj_yaml *copy = bj_arena_copy(loading->scratch, node, sizeof *node);
    copy->items = copy->keys = NULL;
    copy->count = 0;
    for (size_t i = 0; i < node->count; i++) {
        bool fine = node->kind == BJ_YAML_MAP ? expand_member(loading, scope, node, i, copy)
                                              : expand_item(loading, scope, node->items[i], copy);
        if (!fine) {
            return NULL;
        }
    }
    return copy;
}

/* Bounded: files nest no deeper than the reader takes them, includes than BJ_SOURCES, parameters do not stand for
 * themselves. */
static bj_yaml *expand(bj_loading *loading, bj_scope *scope, const bj_yaml *node) {
    if (++loading->expanded > NODES_MOST) {
        bj_mistake_at(loading, node->position, NULL, "with its parameters the file holds too many values");
        return NULL;
    }
    bj_parameter *parameter = whole(scope, node);
    if (parameter) {
        return value_of(loading, scope, parameter, node);
    }
    return node->kind == BJ_YAML_SCALAR ? expand_text(loading, scope, node) : expand_collection(loading, scope, node);
}

bj_yaml *bj_expand(bj_loading *loading, bj_scope *scope, const bj_yaml *node) {
    return expand(loading, scope, node);
}
