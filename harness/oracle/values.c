/* SPDX-License-Identifier: Apache-2.0
 *
 * A reference model of single resources that only servers change: what accepted Writes left, what Reads showed, and
 * what a Read must show then (LwM2M Core 1.1 §6.3.1, §6.3.3, §6.3.8, §6.3.9). A refused Write changes nothing; a
 * partial update leaves what it does not name; a replacement takes away what it does not name and the instance can be
 * without.
 */
#include "oracle/management.h"

#include <string.h>

enum { CHANGED = BJ_COAP_CODE(2, 4), CONTENT = BJ_COAP_CODE(2, 5), NOT_FOUND = BJ_COAP_CODE(4, 4) };

static oracle_resource *find(bj_oracle *o, const bj_path *path) {
    for (unsigned i = 0; i < o->managed.resource_count; i++) {
        oracle_resource *r = &o->managed.resources[i];
        if (r->path.ids[2] == path->ids[2] && bj_path_begins(&r->path, path) && path->depth == 3) {
            return r;
        }
    }
    return NULL;
}

const oracle_resource *oracle_resource_known(bj_oracle *o, const bj_path *path) {
    return find(o, path);
}

static void drop(bj_oracle *o, oracle_resource *r) {
    *r = o->managed.resources[--o->managed.resource_count];
}

void oracle_values_forget(bj_oracle *o, const bj_path *scope) {
    for (unsigned i = o->managed.resource_count; i-- > 0;) {
        oracle_resource *r = &o->managed.resources[i];
        if (bj_path_begins(&r->path, scope) || bj_path_begins(scope, &r->path)) {
            drop(o, r);
        }
    }
}

static oracle_resource *learn(bj_oracle *o, const bj_path *path, const oracle_value *value, bj_time at) {
    oracle_resource *r = find(o, path);
    if (!r && o->managed.resource_count == ORACLE_RESOURCES) {
        return NULL;
    }
    r = r ? r : &o->managed.resources[o->managed.resource_count++];
    *r = (oracle_resource){ .path = *path, .value = *value, .at = at };
    return r;
}

/* The definition of a resource that is followed, and what an entry says of it; false: it is not followed. */
static bool followed(const bj_entry *entry, oracle_value *value) {
    oracle_definition d = oracle_definition_of(&entry->path);
    if (entry->path.depth != 3 || !d.stays || d.multiple) {
        return false;
    }
    *value = oracle_value_of(entry, d.type);
    return true;
}

void oracle_values_learn(bj_oracle *o, const bj_entry *entry, bj_time at) {
    oracle_value value;
    if (followed(entry, &value) && value.kind != ORACLE_VALUE_NONE && !find(o, &entry->path)) {
        learn(o, &entry->path, &value, at);
    }
}

void oracle_values_learn_absent(bj_oracle *o, const bj_path *path, bj_time at) {
    static const oracle_value none = { .kind = ORACLE_VALUE_NONE };
    oracle_resource *r = find(o, path) ? NULL : learn(o, path, &none, at);
    if (r) {
        r->absent = true;
    }
}

/* The default periods, which count for all observations of their server, and Mute Send. */
static void learn_bare(bj_oracle *o, unsigned instance, bj_time at) {
    static const uint16_t resources[] = { 2, 3, 23 };
    for (unsigned i = 0; i < sizeof resources / sizeof resources[0]; i++) {
        oracle_values_learn_absent(o, &(bj_path){ .ids = { 1, (uint16_t) instance, resources[i] }, .depth = 3 }, at);
    }
}

/* --- Write ---------------------------------------------------------------------------------------------------- */

typedef struct walk {
    const oracle_managed *x;
    bool named[ORACLE_RESOURCES]; /* by their place */
    bj_rule rule;
} walk;

/* What it is now is not known. The last takes its place. */
static void forget_one(bj_oracle *o, walk *w, oracle_resource *r) {
    w->named[r - o->managed.resources] = w->named[o->managed.resource_count - 1];
    w->named[o->managed.resource_count - 1] = false;
    drop(o, r);
}

static void written(bj_oracle *o, void *context, const bj_entry *entry) {
    walk *w = context;
    oracle_value value;
    if (!followed(entry, &value)) {
        return;
    }
    oracle_resource *known = find(o, &entry->path);
    if (value.kind == ORACLE_VALUE_NONE) {
        if (known) {
            forget_one(o, w, known);
        }
        return;
    }
    bool other = known && (known->absent || !oracle_value_same(&known->value, &value));
    oracle_resource *r = learn(o, &entry->path, &value, w->x->s->time);
    if (r) {
        r->written = true;
        r->other = other;
        w->named[r - o->managed.resources] = true;
    }
}

/* The rest of an instance that was replaced. Of what it cannot be without nobody knows what a client makes. */
static void replace_rest(bj_oracle *o, const walk *w) {
    for (unsigned i = o->managed.resource_count; i-- > 0;) {
        oracle_resource *r = &o->managed.resources[i];
        if (w->named[i] || !bj_path_begins(&r->path, &w->x->f->path)) {
            continue;
        }
        r->replaced = r->written && !r->absent && !oracle_definition_of(&r->path).mandatory;
        r->absent = true;
        r->attempt.kind = ORACLE_VALUE_NONE;
    }
}

static void note_update(bj_oracle *o, const walk *w) {
    for (unsigned i = 0; i < o->managed.resource_count; i++) {
        oracle_resource *r = &o->managed.resources[i];
        r->updated |= !w->named[i] && bj_path_begins(&r->path, &w->x->f->path);
    }
}

static void accepted(bj_oracle *o, const oracle_managed *x) {
    static const bj_path root = { .depth = 0 };
    walk w = { .x = x };
    bool composite = x->kind == ORACLE_MANAGES_WRITE_COMPOSITE;
    if (!oracle_entries_of(o, composite ? &root : &x->f->path, x->request, written, &w)) {
        oracle_values_forget(o, composite ? &root : &x->f->path);
    } else if (x->kind == ORACLE_MANAGES_REPLACE && x->f->path.depth == 2) {
        replace_rest(o, &w);
    } else if (x->kind == ORACLE_MANAGES_REPLACE && x->f->path.depth < 2) {
        oracle_values_forget(o, &x->f->path);
    } else if (x->kind == ORACLE_MANAGES_UPDATE) {
        note_update(o, &w);
    }
}

static void attempted(bj_oracle *o, void *context, const bj_entry *entry) {
    const walk *w = context;
    oracle_value value;
    oracle_resource *r = followed(entry, &value) ? find(o, &entry->path) : NULL;
    if (r && value.kind != ORACLE_VALUE_NONE && !oracle_value_same(&value, &r->value)) {
        r->attempt = value;
        r->attempted_by = (uint8_t) w->rule;
    }
}

/* LwM2M Core 1.1 §6.3.3, §6.3.9: as a whole, or not at all. */
static void refused(bj_oracle *o, const oracle_managed *x) {
    static const bj_path root = { .depth = 0 };
    bool composite = x->kind == ORACLE_MANAGES_WRITE_COMPOSITE;
    walk w = { .x = x, .rule = composite ? BJ_RULE_MGMT_COMPOSITE : BJ_RULE_MGMT_WRITE };
    oracle_entries_of(o, composite ? &root : &x->f->path, x->request, attempted, &w);
}

static void wrote(bj_oracle *o, const oracle_managed *x) {
    static const bj_path root = { .depth = 0 };
    bool composite = x->kind == ORACLE_MANAGES_WRITE_COMPOSITE;
    if (!x->alone || !x->plain) {
        oracle_values_forget(o, composite ? &root : &x->f->path);
    } else if (x->s->m.code == CHANGED) {
        accepted(o, x);
    } else if (x->s->m.code >> 5 == 4) {
        refused(o, x);
    } else {
        oracle_values_forget(o, composite ? &root : &x->f->path);
    }
}

/* --- Read ----------------------------------------------------------------------------------------------------- */

static void reproach(bj_oracle *o, const oracle_managed *x, const oracle_resource *r, bj_rule rule, const char *but) {
    BJ_TEXT(path, 64);
    BJ_TEXT(value, 64);
    bj_path_print(&path, &r->path);
    if (r->absent && !r->replaced) {
        bj_text_add(&value, "not there");
    } else {
        oracle_value_print(&value, &r->value);
    }
    oracle_break(o, rule, x->s->time, x->s->event->sequence, "%s was %s %.6f s before, and %s", path.start, value.start,
                 (double) (x->s->time - r->at) / 1e6, but);
}

/* Values that a client may have by default: 0, 1, a day. */
static bool is_usual(const oracle_value *value) {
    return value->kind != ORACLE_VALUE_INTEGER || value->integer == 0 || value->integer == 1 || value->integer == 86400;
}

static void compare(bj_oracle *o, const oracle_managed *x, const oracle_resource *r, const oracle_value *value) {
    if (r->absent && r->attempt.kind && oracle_value_same(&r->attempt, value)) {
        if (!is_usual(value)) {
            reproach(o, x, r, (bj_rule) r->attempted_by, "a refused Write brought it");
        }
    } else if (r->absent) {
        if (r->replaced && oracle_value_same(&r->value, value) && !is_usual(value)) {
            reproach(o, x, r, BJ_RULE_MGMT_WRITE, "is still there after its instance was replaced without it");
        }
    } else if (!oracle_value_same(&r->value, value)) {
        BJ_TEXT(what, 100);
        oracle_value_print(&what, value);
        if (r->attempt.kind && oracle_value_same(&r->attempt, value)) {
            bj_text_add(&what, " is there, which a refused Write brought");
            reproach(o, x, r, (bj_rule) r->attempted_by, what.start);
        } else if (r->written) {
            bj_text_add(&what, " is there");
            reproach(o, x, r, BJ_RULE_MGMT_WRITE, what.start);
        }
    }
}

static void shown(bj_oracle *o, void *context, const bj_entry *entry) {
    walk *w = context;
    oracle_value value;
    if (!followed(entry, &value)) {
        return;
    }
    oracle_resource *r = find(o, &entry->path);
    if (value.kind == ORACLE_VALUE_NONE) {
        if (r) {
            w->named[r - o->managed.resources] = true;
        }
        return;
    }
    if (r) {
        compare(o, w->x, r, &value);
    }
    if (r && !r->absent && oracle_value_same(&r->value, &value)) {
        r->attempt.kind = ORACLE_VALUE_NONE;
    } else {
        r = learn(o, &entry->path, &value, w->x->s->time);
    }
    if (r) {
        w->named[r - o->managed.resources] = true;
    }
}

/* Resources of an instance that was shown, which were not among them. */
static void check_rest(bj_oracle *o, const walk *w) {
    for (unsigned i = o->managed.resource_count; i-- > 0;) {
        oracle_resource *r = &o->managed.resources[i];
        if (w->named[i] || r->absent || !bj_path_begins(&r->path, &w->x->f->path)) {
            continue;
        }
        if (r->written || r->updated) {
            reproach(o, w->x, r, BJ_RULE_MGMT_WRITE, "is not there");
        }
        r->absent = true;
        r->replaced = false;
    }
}

static void read_again(bj_oracle *o, const oracle_managed *x) {
    const oracle_resource *r;
    walk w = { .x = x };
    if (!x->alone || !x->plain) {
        return;
    }
    if (x->s->m.code == CONTENT && x->whole) {
        bool good = oracle_entries_of(o, &x->f->path, &x->s->m, shown, &w);
        if (good && x->f->path.depth == 2) {
            check_rest(o, &w);
        }
        if (good && x->f->path.depth == 2 && x->f->path.ids[0] == 1) {
            learn_bare(o, x->f->path.ids[1], x->s->time);
        }
    } else if (x->s->m.code == NOT_FOUND && (r = find(o, &x->f->path)) && r->written && !r->absent) {
        reproach(o, x, r, BJ_RULE_MGMT_WRITE, "is not found");
    }
}

/* --- Read-Composite ------------------------------------------------------------------------------------------- */

static bool names_what_is_there(bj_oracle *o, const bj_coap *request) {
    oracle_paths paths;
    bool any = false, good = oracle_paths_of(request, &paths);
    for (unsigned i = 0; good && i < paths.count; i++) {
        const oracle_resource *r = find(o, &paths.paths[i]);
        any |= r && !r->absent && r->path.ids[0] == 1;
    }
    return good && any && oracle_only_instance(o, 1) >= 0; /* of several servers each has rights of its own */
}

/* LwM2M Core 1.1 §6.3.8: what is not there is left out. */
static void read_composite(bj_oracle *o, const oracle_managed *x) {
    static const bj_path root = { .depth = 0 };
    walk w = { .x = x };
    if (x->alone && x->plain && x->whole && x->s->m.code == CONTENT) {
        oracle_entries_of(o, &root, &x->s->m, shown, &w);
    }
    if (x->alone && x->plain && x->s->m.code == NOT_FOUND && names_what_is_there(o, x->request)) {
        BJ_TEXT(what, 200);
        oracle_describe_managed(x, &what);
        oracle_break(o, BJ_RULE_MGMT_COMPOSITE, x->s->time, x->s->event->sequence,
                     "%s names a Resource that is there, and is answered with 4.04", what.start);
    }
}

/* --- what changes resources otherwise ------------------------------------------------------------------------- */

/* Disable, and the Registration Update Trigger. */
bool oracle_changes_nothing(const oracle_managed *x) {
    return x->kind == ORACLE_MANAGES_EXECUTE && x->f->path.ids[0] == 1 &&
           (x->f->path.ids[2] == 4 || x->f->path.ids[2] == 8);
}

static void executed(bj_oracle *o, const oracle_managed *x) {
    static const bj_path root = { .depth = 0 };
    bj_path instance = bj_path_above_resources(&x->f->path);
    if (x->s->m.code >> 5 != 4 && !oracle_changes_nothing(x)) {
        oracle_values_forget(o, x->f->path.ids[0] == 3442 ? &instance : &root); /* /3/0/5 resets all there is */
    }
}

/* --- bootstrap ------------------------------------------------------------------------------------------------ */

/* LwM2M Core 1.1 §6.1.7.5: what a Bootstrap-Write of a whole instance does not name is not there. */
static void written_by_bootstrap(bj_oracle *o, void *context, const bj_entry *entry) {
    oracle_value value;
    bj_time at = *(const bj_time *) context;
    if (followed(entry, &value) && value.kind != ORACLE_VALUE_NONE) {
        learn(o, &entry->path, &value, at);
    } else if (entry->path.depth >= 3) {
        oracle_values_forget(o, &entry->path);
    }
}

void oracle_values_bootstrapped(bj_oracle *o, const oracle_managed *x) {
    bool instance = x->f->path.depth == 2 && x->f->path.ids[0] == 1;
    bj_time at = x->s->time;
    if (x->f->code != 3) {
        return;
    }
    if (!x->plain || x->s->m.code != CHANGED) {
        oracle_values_forget(o, &x->f->path);
        return;
    }
    if (x->f->path.depth < 3) {
        oracle_values_forget(o, &x->f->path);
    }
    if (!oracle_entries_of(o, &x->f->path, x->request, written_by_bootstrap, &at)) {
        oracle_values_forget(o, &x->f->path);
    } else if (instance) {
        learn_bare(o, x->f->path.ids[1], at);
    }
}

void oracle_values_from_factory(bj_oracle *o, unsigned instance, bj_time at) {
    learn_bare(o, instance, at);
}

void oracle_values_answered(bj_oracle *o, const oracle_managed *x) {
    static const bj_path root = { .depth = 0 }, rights = { .ids = { 2 }, .depth = 1 };
    switch (x->kind) {
    case ORACLE_MANAGES_READ:
        read_again(o, x);
        break;
    case ORACLE_MANAGES_READ_COMPOSITE:
        read_composite(o, x);
        break;
    case ORACLE_MANAGES_REPLACE:
    case ORACLE_MANAGES_UPDATE:
    case ORACLE_MANAGES_WRITE_COMPOSITE:
        wrote(o, x);
        break;
    case ORACLE_MANAGES_EXECUTE:
        executed(o, x);
        break;
    case ORACLE_MANAGES_CREATE:
    case ORACLE_MANAGES_DELETE:
        if (x->s->m.code >> 5 != 4) {
            oracle_values_forget(o, &x->f->path);
            oracle_values_forget(o, &rights); /* LwM2M Core 1.1 §8.2: they come and go with what they are for */
        }
        break;
    case ORACLE_MANAGES_DISCOVER:
    case ORACLE_MANAGES_ATTRIBUTES:
        break;
    default:
        if (x->request->code != 1) {
            oracle_values_forget(o, &root);
        }
        break;
    }
}
