/* SPDX-License-Identifier: Apache-2.0
 *
 * The LwM2M values of a scenario as payloads: written in the format that a step names, and compared with what a
 * message of the client holds, whatever its format.
 */
#include <stdlib.h>
#include <string.h>

#include "script/engine_internal.h"

/* The value of a node; a string is expanded into `text`, which the caller frees. */
static bj_entry entry_of(bj_engine *e, const bj__thread *t, const bj_node *node, bj__expanded *text) {
    static const uint8_t kinds[] = {
        [BJ_N_TREE] = BJ_ENTRY_NONE,     [BJ_N_STRING] = BJ_ENTRY_STRING, [BJ_N_INT] = BJ_ENTRY_INT,
        [BJ_N_BOOL] = BJ_ENTRY_BOOL,     [BJ_N_FLOAT] = BJ_ENTRY_FLOAT,   [BJ_N_OPAQUE] = BJ_ENTRY_OPAQUE,
        [BJ_N_OBJLNK] = BJ_ENTRY_OBJLNK, [BJ_N_ANY] = BJ_ENTRY_NONE,
    };
    bj_entry entry = { .kind = node->kind < sizeof kinds ? kinds[node->kind] : (uint8_t) BJ_ENTRY_NONE,
                       .integer = node->integer,
                       .real = node->real,
                       .bytes = (const uint8_t *) node->bytes.bytes,
                       .length = node->bytes.length };
    *text = (bj__expanded){ .owned = NULL };
    if (node->kind == BJ_N_STRING) {
        *text = bj__expand(e, t, node->bytes);
        entry.bytes = (const uint8_t *) text->bytes;
        entry.length = text->length;
    }
    if (node->kind == BJ_N_BOOL) {
        entry.integer = node->integer != 0;
    }
    return entry;
}

bj_path bj__path_of(bj_engine *e, const bj__thread *t, const bj_record *step, unsigned field) {
    const bj_value *given = field ? bj_get(step, field) : NULL;
    bj_path path = { .depth = 0 };
    if (given) {
        bj__expanded text = bj__expand(e, t, given->as.string);
        path = bj_path_of(text.bytes);
        bj_arena_free(e->arena, text.owned);
    }
    return path;
}

/* --- writing --- */

static void write_nodes(bj_engine *e, const bj__thread *t, bj_entry_writer *w, const bj_node *nodes, size_t count,
                        const bj_path *above) { /* a path has four ids: that deep it goes */
    for (size_t i = 0; i < count && above->depth < 4; i++) {
        bj_path path = *above;
        path.ids[path.depth++] = nodes[i].id;
        if (nodes[i].kind == BJ_N_TREE && nodes[i].child_count) {
            write_nodes(e, t, w, nodes[i].children, nodes[i].child_count, &path);
            continue;
        }
        bj__expanded text;
        bj_entry entry = entry_of(e, t, &nodes[i], &text);
        entry.path = path;
        bj_entries_write(w, &entry);
        bj_arena_free(e->arena, text.owned);
    }
}

size_t bj__write_values(bj_engine *e, const bj__thread *t, const bj_value *values, uint32_t format, const bj_path *path,
                        uint8_t *out, size_t room) {
    bj_path above = bj_path_above_resources(path);
    bj_entry_writer w;
    bj_entries_write_begin(&w, format, path, out, room);
    write_nodes(e, t, &w, values->as.nodes.items, values->as.nodes.count, &above);
    return bj_entries_write_end(&w);
}

/* --- comparing --- */

typedef struct matching {
    bj_engine *e;
    const bj__thread *t;
    const bj_coap *m;
    uint32_t format;
    bj_path base;
    bj_text *why;
} matching;

static void begin(const matching *x, bj_entries *in) {
    bj_entries_begin(in, x->format, &x->base, x->m->payload, x->m->payload_length, x->e->payload, BJ__MESSAGE);
}

/* Does the payload keep all the rules of its format? */
static bool is_sound(const matching *x) {
    bj_entries in;
    bj_entry entry;
    begin(x, &in);
    while (bj_entries_next(&in, &entry, x->why)) {
    }
    return !in.damaged;
}

typedef enum place { NOWHERE, HERE, BELOW } place;

/* What the payload has at `path`: a value, or values below it. */
static place find(const matching *x, const bj_path *path, bj_entry *entry) {
    BJ_TEXT(ignored, 8);
    bj_entries in;
    begin(x, &in);
    while (bj_entries_next(&in, entry, &ignored)) {
        if (bj_path_begins(&entry->path, path)) {
            return entry->path.depth == path->depth && entry->kind != BJ_ENTRY_NONE ? HERE : BELOW;
        }
    }
    return NOWHERE;
}

static bool value_matches(const matching *x, const bj_node *node, const bj_entry *seen) {
    bj__expanded text;
    bj_entry wanted = entry_of(x->e, x->t, node, &text);
    bool same = node->kind == BJ_N_ANY || bj_entry_same(&wanted, seen);
    bj_arena_free(x->e->arena, text.owned);
    if (!same) {
        bj_text_printf(x->why, "the value %u is ", node->id);
        bj_entry_print(x->why, seen);
    }
    return same;
}

static bool node_matches(const matching *x, const bj_node *node, const bj_path *path, bool *has_parts) {
    bj_entry seen;
    place where = find(x, path, &seen);
    *has_parts = where == BELOW;
    if (where == NOWHERE) {
        bj_text_printf(x->why, "the value %u is missing", node->id);
    } else if (node->kind == BJ_N_ANY) {
        return true;
    } else if (node->kind == BJ_N_TREE && where == HERE) {
        bj_text_printf(x->why, "the value %u has no parts", node->id);
    } else if (node->kind != BJ_N_TREE && where == BELOW) {
        bj_text_printf(x->why, "the value %u has parts", node->id);
    } else {
        return node->kind == BJ_N_TREE || value_matches(x, node, &seen);
    }
    return false;
}

static bool nodes_match(const matching *x, const bj_node *nodes, size_t count,
                        const bj_path *above) { /* a path has four ids: that deep it goes */
    for (size_t i = 0; i < count; i++) {
        bj_path path = *above;
        bool has_parts;
        if (path.depth == 4) {
            bj_text_printf(x->why, "the value %u is below a Resource Instance", nodes[i].id);
            return false;
        }
        path.ids[path.depth++] = nodes[i].id;
        if (!node_matches(x, &nodes[i], &path, &has_parts)) {
            return false;
        }
        if (nodes[i].kind == BJ_N_TREE && has_parts &&
            !nodes_match(x, nodes[i].children, nodes[i].child_count, &path)) {
            bj_text_printf(x->why, " (in %u)", nodes[i].id);
            return false;
        }
    }
    return true;
}

/* A payload of one value, which the only value of the step stands for. */
static bool single_matches(const matching *x, const bj_value *values) {
    BJ_TEXT(ignored, 8);
    bj_entries in;
    bj_entry seen;
    const bj_node *node = values->as.nodes.items;
    size_t count = values->as.nodes.count;
    while (count == 1 && node->kind == BJ_N_TREE) {
        count = node->child_count;
        node = node->children;
    }
    if (count != 1) {
        bj_text_add(x->why, "the payload is a single value");
        return false;
    }
    begin(x, &in);
    return bj_entries_next(&in, &seen, &ignored) && value_matches(x, node, &seen);
}

/* False: there is nothing to compare with. */
static bool begin_matching(matching *x, bj_compared *otherwise) {
    if (!bj_coap_find_uint(x->m, BJ_COAP_CONTENT_FORMAT, &x->format)) {
        bj_text_add(x->why, "the payload has no Content-Format");
        *otherwise = BJ__DIFFERENT;
        return false;
    }
    if (!bj_entries_known(x->format)) {
        bj_text_printf(x->why, "a payload of Content-Format %u cannot be compared", (unsigned) x->format);
        *otherwise = BJ__UNKNOWN;
        return false;
    }
    *otherwise = BJ__DIFFERENT;
    return is_sound(x);
}

bj_compared bj__values_match(bj_engine *e, const bj__thread *t, const bj_value *values, const bj_path *path,
                             const bj_coap *m, bj_text *why) {
    matching x = { .e = e, .t = t, .m = m, .base = *path, .why = why };
    bj_path above = bj_path_above_resources(path);
    bj_compared otherwise;
    if (!begin_matching(&x, &otherwise)) {
        return otherwise;
    }
    bool same = bj_entries_single(x.format) ? single_matches(&x, values)
                                            : nodes_match(&x, values->as.nodes.items, values->as.nodes.count, &above);
    return same ? BJ__SAME : BJ__DIFFERENT;
}

static int64_t whole_number(const bj__expanded *text, bool *is_one) {
    char digits[24], *end = digits;
    *is_one = text->length && text->length < sizeof digits;
    memcpy(digits, text->bytes, *is_one ? text->length : 0);
    digits[*is_one ? text->length : 0] = '\0';
    int64_t number = strtoll(digits, &end, 10);
    *is_one = *is_one && *end == '\0';
    return number;
}

/* Is it the value that the text says? */
static bool says(const bj__expanded *text, const bj_entry *seen) {
    bool is_number;
    bj_entry number = { .kind = BJ_ENTRY_INT, .integer = whole_number(text, &is_number) };
    bj_entry string = { .kind = BJ_ENTRY_STRING, .bytes = (const uint8_t *) text->bytes, .length = text->length };
    return bj_entry_same(&string, seen) || (is_number && bj_entry_same(&number, seen));
}

bj_compared bj__text_match(bj_engine *e, const bj__thread *t, const bj_value *wanted, const bj_path *path,
                           const bj_coap *m, bj_text *why) {
    uint32_t format = 0;
    matching x = { .e = e, .t = t, .m = m, .base = *path, .why = why };
    /* 0 is text/plain */
    bool plain = !bj_coap_find_uint(m, BJ_COAP_CONTENT_FORMAT, &format) || !format || !bj_entries_known(format);
    if (plain) {
        return bj__text_equal(e, t, wanted, m, why) ? BJ__SAME : BJ__DIFFERENT;
    }
    x.format = format;
    bj_entry seen;
    bj__expanded text = bj__expand(e, t, wanted->as.string);
    bool same = is_sound(&x) && find(&x, path, &seen) == HERE && says(&text, &seen);
    bj_arena_free(e->arena, text.owned);
    if (!same && !why->used) {
        bj_text_printf(why, "its payload of Content-Format %u does not say that", (unsigned) format);
    }
    return same ? BJ__SAME : BJ__DIFFERENT;
}

bj_compared bj__values_lack(bj_engine *e, const bj_value *lacks, const bj_path *path, const bj_coap *m, bj_text *why) {
    matching x = { .e = e, .m = m, .base = *path, .why = why };
    bj_compared otherwise;
    if (!m->payload_length) {
        return BJ__SAME;
    }
    if (!begin_matching(&x, &otherwise)) {
        return otherwise;
    }
    for (size_t i = 0; i < lacks->as.strings.count; i++) {
        bj_path wanted = bj_path_of(lacks->as.strings.items[i].bytes);
        bj_entry entry;
        if (wanted.depth && find(&x, &wanted, &entry) != NOWHERE) {
            bj_text_printf(why, "%s must not be there", lacks->as.strings.items[i].bytes);
            return BJ__DIFFERENT;
        }
    }
    return BJ__SAME;
}
