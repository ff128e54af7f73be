/* SPDX-License-Identifier: Apache-2.0
 *
 * Payloads with LwM2M values as trees of values. TLV has no types: those of registered resources are known, a text is
 * one that reads as one, and the rest is opaque.
 */
#include <stdlib.h>
#include <string.h>

#include "capture/script.h"
#include "script/print.h"
#include "wire/entries.h"
#include "wire/resources.h"

enum { MOST_NODES = BJ_LIMIT_NODES };

typedef struct growing {
    bj_node node;
    struct growing *child, *next;
} growing;

static bool is_text(const uint8_t *bytes, size_t length) {
    for (size_t i = 0; i < length;) {
        size_t n = bj_utf8_sequence((const char *) bytes + i, length - i);
        if (!n || (n == 1 && (bytes[i] < 0x20 || bytes[i] == 0x7F))) {
            return false;
        }
        i += n;
    }
    return true;
}

/* A text of the scenario: URIs as the world has them; what would be a captured name there cannot be said. */
static bool set_text(const bj_script *s, bj_node *node, const uint8_t *bytes, size_t length) {
    BJ_TEXT(text, 2048);
    bj_script_uri(s, (const char *) bytes, length, &text);
    node->kind = BJ_N_STRING;
    node->bytes = (bj_string){ bj_arena_strndup(s->arena, text.start, text.used), text.used };
    return !text.cut && !strstr(text.start, "${");
}

static void set_bytes(const bj_script *s, bj_node *node, const uint8_t *bytes, size_t length) {
    node->kind = BJ_N_OPAQUE;
    node->bytes = (bj_string){ bj_arena_strndup(s->arena, length ? (const char *) bytes : "", length), length };
}

static bool set_number(bj_node *node, const bj_entry *e, bool boolean) {
    bj_tlv raw = { .value = e->bytes, .length = e->length };
    node->kind = boolean ? BJ_N_BOOL : BJ_N_INT;
    return bj_tlv_int(&raw, &node->integer) && (!boolean || (node->integer >> 1) == 0);
}

/* Bytes of TLV, by the type of the resource; where they are no value of it, as bytes. */
static bool set_raw(const bj_script *s, bj_node *node, const bj_entry *e, int object, int resource) {
    char type = e->path.depth >= 3 ? bj_resource_type(object, resource) : '?';
    bool number = type == 'I' || type == 'U' || type == 'T';
    if ((number && set_number(node, e, false)) || (type == 'B' && set_number(node, e, true))) {
        return true;
    }
    if (type == 'P' && e->length == 4) {
        node->kind = BJ_N_OBJLNK;
        node->integer = (int64_t) e->bytes[0] << 24 | e->bytes[1] << 16 | e->bytes[2] << 8 | e->bytes[3];
        return true;
    }
    bool text = (type == 'S' || (type == '?' && e->length > 2) || !e->length) && is_text(e->bytes, e->length);
    if (text) {
        return set_text(s, node, e->bytes, e->length);
    }
    set_bytes(s, node, e->bytes, e->length);
    return true;
}

/* JSON knows one kind of numbers: 86400.0 is 86400, and there is no infinity. */
static bool set_real(bj_node *node, bool json) {
    bool whole = node->real >= -9e15 && node->real <= 9e15 && node->real == (double) (int64_t) node->real;
    node->kind = json && whole ? BJ_N_INT : BJ_N_FLOAT;
    node->integer = json && whole ? (int64_t) node->real : node->integer;
    return !json || (node->real - node->real == 0);
}

static bool set_value(const bj_script *s, bj_node *node, const bj_entry *e, bool json) {
    node->integer = e->integer;
    node->real = e->real;
    switch (e->kind) {
    case BJ_ENTRY_STRING:
        return set_text(s, node, e->bytes, e->length);
    case BJ_ENTRY_INT:
        node->kind = BJ_N_INT;
        return true;
    case BJ_ENTRY_FLOAT:
        return set_real(node, json);
    case BJ_ENTRY_BOOL:
        node->kind = BJ_N_BOOL;
        return true;
    case BJ_ENTRY_OPAQUE:
        set_bytes(s, node, e->bytes, e->length);
        return true;
    case BJ_ENTRY_OBJLNK:
        node->kind = BJ_N_OBJLNK;
        return true;
    case BJ_ENTRY_RAW:
        return set_raw(s, node, e, e->path.ids[0], e->path.ids[2]);
    default:
        return false;
    }
}

static growing *child_of(const bj_script *s, growing *above, uint16_t id) {
    growing **at = &above->child;
    while (*at && (*at)->node.id != id) {
        at = &(*at)->next;
    }
    if (!*at) {
        *at = bj_arena_alloc(s->arena, sizeof **at);
        (*at)->node.id = id;
    }
    return *at;
}

static size_t finish(const bj_script *s, growing *above, const bj_node **nodes) {
    size_t count = 0;
    for (const growing *g = above->child; g; g = g->next) {
        count++;
    }
    bj_node *all = bj_arena_calloc(s->arena, count + 1, sizeof *all);
    size_t at = 0;
    for (growing *g = above->child; g; g = g->next) {
        const bj_node *children;
        all[at] = g->node;
        if (g->child) {
            all[at].child_count = finish(s, g, &children);
            all[at].children = (bj_node *) (uintptr_t) children;
        }
        at++;
    }
    *nodes = all;
    return count;
}

/* --- TLV again ------------------------------------------------------------------------------------------------ */

static void put(bj_tlv_writer *w, const bj_node *nodes, size_t count, uint8_t type);

static void put_node(bj_tlv_writer *w, const bj_node *n, uint8_t type) {
    uint8_t link[4] = { (uint8_t) (n->integer >> 24), (uint8_t) (n->integer >> 16), (uint8_t) (n->integer >> 8),
                        (uint8_t) n->integer };
    size_t mark;
    switch (n->kind) {
    case BJ_N_TREE:
        mark = bj_tlv_begin(w);
        put(w, n->children, n->child_count, type == BJ_TLV_INSTANCE ? BJ_TLV_RESOURCE : BJ_TLV_RESOURCE_INSTANCE);
        bj_tlv_end(w, mark, type == BJ_TLV_INSTANCE ? BJ_TLV_INSTANCE : BJ_TLV_MULTIPLE, n->id);
        break;
    case BJ_N_INT:
        bj_tlv_put_int(w, type, n->id, n->integer);
        break;
    case BJ_N_BOOL:
        bj_tlv_put_bool(w, type, n->id, n->integer != 0);
        break;
    case BJ_N_FLOAT:
        bj_tlv_put_double(w, type, n->id, n->real);
        break;
    case BJ_N_OBJLNK:
        bj_tlv_put(w, type, n->id, link, sizeof link);
        break;
    default:
        bj_tlv_put(w, type, n->id, n->bytes.bytes, n->bytes.length);
        break;
    }
}

static void put(bj_tlv_writer *w, const bj_node *nodes, size_t count, uint8_t type) {
    for (size_t i = 0; i < count; i++) {
        put_node(w, &nodes[i],
                 nodes[i].kind != BJ_N_TREE && type == BJ_TLV_INSTANCE ? (uint8_t) BJ_TLV_RESOURCE : type);
    }
}

/* As long as the payload, and but for URIs that are others now the same. */
static bool same_tlv(const bj_script *s, const bj_value *v, unsigned depth, const uint8_t *data, size_t length,
                     bool moved) {
    size_t room = length + 4096;
    bj_tlv_writer w = { .out = bj_arena_alloc(s->arena, room), .room = room };
    put(&w, v->as.nodes.items, v->as.nodes.count, depth <= 1 ? BJ_TLV_INSTANCE : BJ_TLV_RESOURCE);
    bool same = !w.overflow && (moved || (w.used == length && !memcmp(w.out, data, length)));
    bj_arena_free(s->arena, w.out);
    return same;
}

static bool was_moved(const bj_script *s, const bj_entry *e) {
    BJ_TEXT(text, 2048);
    if (e->kind != BJ_ENTRY_RAW && e->kind != BJ_ENTRY_STRING) {
        return false;
    }
    bj_script_uri(s, (const char *) e->bytes, e->length, &text);
    return text.used != e->length || (e->length && memcmp(text.start, e->bytes, e->length) != 0);
}

/* --- the whole ------------------------------------------------------------------------------------------------ */

bool bj_script_values(const bj_script *s, uint32_t format, const bj_path *target, const uint8_t *data, size_t length,
                      bj_value *values, bool *tlv_exact) {
    bj_entries in;
    bj_entry e;
    growing top = { .child = NULL };
    unsigned count = 0;
    bool good = bj_entries_known(format) && !bj_entries_single(format) && length, moved = false;
    BJ_TEXT(why, 200);
    void *room = bj_arena_alloc(s->arena, length + 16);
    bj_path above = bj_path_above_resources(target);
    bj_entries_begin(&in, format, &above, data, length, room, length + 16);
    while (good && bj_entries_next(&in, &e, &why)) {
        growing *at = &top;
        good = e.path.depth > above.depth && ++count <= MOST_NODES;
        for (unsigned i = above.depth; good && i < e.path.depth; i++) {
            at = child_of(s, at, e.path.ids[i]);
        }
        bool empty = e.kind == BJ_ENTRY_NONE;
        bool twice = at->node.kind != BJ_N_TREE || at->child;
        good = good && (empty || (!twice && set_value(s, &at->node, &e, format == 110 || format == 11543)));
        moved |= was_moved(s, &e);
    }
    good = good && !in.damaged && count;
    *values = (bj_value){ .type = BJ_T_VALUES };
    if (good) {
        values->as.nodes.count = finish(s, &top, &values->as.nodes.items);
        *tlv_exact = format == 11542 && same_tlv(s, values, target->depth, data, length, moved);
    }
    return good;
}
