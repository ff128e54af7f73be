/* SPDX-License-Identifier: Apache-2.0
 *
 * See vary.h. Programs are never changed once made: a variant is another tree, which shares with the first what is the
 * same.
 */
#include "cli/vary.h"

#include <string.h>

#include "wire/entries.h"
#include "wire/resources.h"

enum { BLOCK = 32, LARGE = 200, TLV = 11542, ALL = 1000000 };

typedef struct vary {
    bj_arena *arena;
    const cli_variant *variant;
    bool any;             /* a Write was found that can be varied */
    const char *obstacle; /* what cannot be; NULL */
} vary;

/* --- values --------------------------------------------------------------------------------------------------- */

/* What an untyped format carries as bytes, others carry with a type: it must be the resource's. */
static bool typed(vary *v, bj_node *node, int object, int resource) {
    char type = bj_resource_type(object, resource);
    bool string = node->kind == BJ_N_STRING, number = node->kind == BJ_N_INT;
    switch (type) {
    case 'O':
    case 'K':
        node->kind = string ? (uint8_t) BJ_N_OPAQUE : node->kind;
        return node->kind == BJ_N_OPAQUE;
    case 'S':
        return string;
    case 'I':
    case 'U':
    case 'T':
        return number;
    case 'B':
        return node->kind == BJ_N_BOOL;
    case '?': /* passed over by the client, whatever it is */
        return node->kind != BJ_N_ANY && node->kind != BJ_N_TREE;
    default:
        return false;
    }
    (void) v;
}

static bj_node *typed_nodes(vary *v, const bj_node *nodes, size_t count, int object, unsigned depth) {
    bj_node *copy = bj_arena_calloc(v->arena, count ? count : 1, sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        copy[i] = nodes[i];
        if (nodes[i].bytes.length > LARGE) {
            v->obstacle = "it writes a value of which the size matters";
        }
        bool tree = nodes[i].kind == BJ_N_TREE;
        if (depth == 1 && tree && nodes[i].child_count) {
            copy[i].children = typed_nodes(v, nodes[i].children, nodes[i].child_count, object, 2);
        } else if (depth == 1 || tree || !typed(v, &copy[i], object, nodes[i].id)) {
            v->obstacle = "it writes values of another type than their resources have, or none";
        }
    }
    return copy;
}

/* Is it a Write of values on Object or Object Instance level that the specification allows in every format? */
static bool can_vary(const bj_record *step, bj_path *path) {
    const bj_value *tlv = bj_get(step, BJ_F(WRITE, TLV)), *values = bj_get(step, BJ_F(WRITE, VALUES));
    uint32_t format = bj_get_uint(step, BJ_F(WRITE, FORMAT), TLV);
    *path = bj_path_of(bj_get_string(step, BJ_F(WRITE, PATH), ""));
    bool plain = bj_get_uint(step, BJ_F(WRITE, METHOD), 3) == 3 && !bj_get(step, BJ_F(WRITE, OPTIONS)) &&
                 !strcmp(bj_get_string(step, BJ_F(WRITE, SERVER), "bs"), "bs");
    bool usual = tlv ? format == TLV : format == TLV || format == 110 || format == 112 || format == 11544;
    return plain && usual && (tlv || values) && (path->depth == 1 || path->depth == 2);
}

static void vary_write(vary *v, bj_record *step) {
    bj_path path;
    if (!can_vary(step, &path)) {
        return;
    }
    const bj_value *tlv = bj_get(step, BJ_F(WRITE, TLV)), *values = bj_get(step, BJ_F(WRITE, VALUES));
    bj_value changed = values ? *values : *tlv;
    changed.as.nodes.items = typed_nodes(v, changed.as.nodes.items, changed.as.nodes.count, path.ids[0], path.depth);
    step->fields[BJ_F(WRITE, TLV)] = NULL;
    bj_set(v->arena, step, BJ_F(WRITE, VALUES), &changed);
    bj_set(v->arena, step, BJ_F(WRITE, FORMAT), &(bj_value){ .type = BJ_T_UINT, .as.uint = v->variant->format });
    if (v->variant->blocks && !bj_get(step, BJ_F(WRITE, BLOCK))) {
        bj_set(v->arena, step, BJ_F(WRITE, BLOCK), &(bj_value){ .type = BJ_T_UINT, .as.uint = BLOCK });
    }
    v->any = true;
}

/* --- trees ---------------------------------------------------------------------------------------------------- */

static const bj_record *vary_record(vary *v, const bj_record *record);

static bj_record *looking(vary *v, bj_kind kind, const char *path) {
    bj_record *step = bj_record_new(v->arena, kind, (bj_position){ 0, 0 });
    bj_set(v->arena, step, BJ_F(WRITE, PATH), &(bj_value){ .type = BJ_T_STRING, .as.string = { path, strlen(path) } });
    return step;
}

/* A Finish whose time counts from the step before must keep that step. */
static bool takes_a_look(const vary *v, const bj_record *step) {
    return v->variant->looks && step->kind == BJ_K_FINISH && !bj_get(step, BJ_F(FINISH, AT)) &&
           !strcmp(bj_get_string(step, BJ_F(FINISH, SERVER), "bs"), "bs");
}

static const bj_record *const *vary_list(vary *v, const bj_record *const *records, size_t count, size_t *out) {
    const bj_record **list = bj_record_list(v->arena, count * 3 + 1);
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (takes_a_look(v, records[i])) {
            list[n++] = looking(v, BJ_K_DISCOVER, "/");
            if (v->variant->reads) {
                list[n++] = looking(v, BJ_K_READ, "/1");
            }
        }
        list[n++] = vary_record(v, records[i]);
    }
    *out = n;
    return list;
}

static void vary_named(vary *v, bj_value *value) {
    bj_named *copy = bj_arena_calloc(v->arena, value->as.named.count + 1, sizeof *copy);
    for (size_t i = 0; i < value->as.named.count; i++) {
        copy[i] = value->as.named.items[i];
        copy[i].records = vary_list(v, copy[i].records, copy[i].count, &copy[i].count);
    }
    value->as.named.items = copy;
}

static bj_value vary_value(vary *v, const bj_value *given) {
    bj_value value = *given;
    switch (value.type) {
    case BJ_T_RECORD:
    case BJ_T_RECORDS:
    case BJ_T_STEPS:
        value.as.records.items = vary_list(v, value.as.records.items, value.as.records.count, &value.as.records.count);
        break;
    case BJ_T_NAMED:
    case BJ_T_NAMED_LISTS:
    case BJ_T_BRANCHES:
        vary_named(v, &value);
        break;
    default:
        break;
    }
    return value;
}

/* What counts datagrams, or repeats one, means another thing when there are more of them. */
static const char *counting(const bj_record *record) {
    switch (record->kind) {
    case BJ_K_FAULT:
        return "its faults count datagrams";
    case BJ_K_AGAIN:
    case BJ_K_RETRANSMISSION:
        return "it repeats messages itself";
    case BJ_K_RAW:
        return "it sends hand-made bytes";
    case BJ_K_RESTART:
        return "its servers forget what they sent";
    default:
        return NULL;
    }
}

/* Programs are BJ_LIMIT_DEPTH deep at most. */
static const bj_record *vary_record(vary *v, const bj_record *record) {
    bj_record *copy = bj_record_new(v->arena, (bj_kind) record->kind, record->position);
    bool more = v->variant->blocks || v->variant->doubled;
    if (more && counting(record)) {
        v->obstacle = counting(record);
    }
    for (unsigned f = 0; f < record->field_limit; f++) {
        if (record->fields[f]) {
            bj_value value = vary_value(v, record->fields[f]);
            bj_set(v->arena, copy, f, &value);
        }
    }
    if (copy->kind == BJ_K_WRITE) {
        vary_write(v, copy);
    } else if (copy->kind == BJ_K_LINK && v->variant->doubled) {
        bj_set(v->arena, copy, BJ_F(LINK, DUPLICATE), &(bj_value){ .type = BJ_T_UINT, .as.uint = ALL });
    }
    return copy;
}

const bj_record *cli_vary(bj_arena *arena, const bj_record *scenario, const cli_variant *variant, bj_text *why) {
    vary v = { .arena = arena, .variant = variant };
    bj_record *copy = (bj_record *) (uintptr_t) vary_record(&v, scenario); /* made just now, and nobody else has it */
    if (variant->doubled && !bj_get(copy, BJ_F(SCENARIO, NETWORK))) {
        const bj_record **list = bj_record_list(arena, 1);
        bj_record *link = bj_record_new(arena, BJ_K_LINK, (bj_position){ 0, 0 });
        bj_set(arena, link, BJ_F(LINK, DUPLICATE), &(bj_value){ .type = BJ_T_UINT, .as.uint = ALL });
        list[0] = link;
        bj_set(arena, copy, BJ_F(SCENARIO, NETWORK), &(bj_value){ .type = BJ_T_RECORD, .as.records = { list, 1 } });
    }
    if (!v.any || v.obstacle) {
        bj_text_add(why, v.obstacle ? v.obstacle : "it has no Write of values on Object or Object Instance level");
        return NULL;
    }
    return copy;
}

void cli_variant_print(bj_text *out, const cli_variant *variant) {
    const bj_field_def *def = bj_field_numbered(bj_record_def_of(BJ_K_WRITE), BJ_F(WRITE, FORMAT));
    const char *name = bj_enum_name(def->values, variant->format);
    bj_text_printf(out, "%s%s%s", name ? name : "?", variant->blocks ? ", in blocks" : "",
                   variant->doubled ? ", every datagram twice" : "");
}
