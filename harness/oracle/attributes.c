/* SPDX-License-Identifier: Apache-2.0
 *
 * The attributes that each server has set, by its accepted Write-Attributes (LwM2M Core 1.1 §5.1.2, §6.3.4), as
 * Discover must show them (§6.3.2), and as observations.c counts with them.
 *
 * What stood before the first that was seen is not known when the client may have kept it from an earlier life, nor
 * after a registration anew, which may end them.
 */
#include "oracle/management.h"

#include <math.h>
#include <string.h>

enum { CHANGED = BJ_COAP_CODE(2, 4), CONTENT = BJ_COAP_CODE(2, 5) };

static const char *const names[ORACLE_ATTRIBUTES] = { "pmin", "pmax", "gt", "lt", "st", "epmin", "epmax", "con" };

static oracle_attributes *find(bj_oracle *o, const bj_addr *peer, const bj_path *path) {
    for (unsigned i = 0; i < o->managed.attributes_count; i++) {
        oracle_attributes *a = &o->managed.attributes[i];
        if (a->path.depth == path->depth && bj_path_begins(&a->path, path) && bj_addr_equal(&a->peer, peer)) {
            return a;
        }
    }
    return NULL;
}

void oracle_attributes_forget(bj_oracle *o) {
    o->managed.attributes_unsure |= o->managed.attributes_ever;
    o->managed.attributes_count = 0;
}

static bool everything_known(const bj_oracle *o) {
    return !o->managed.attributes_unsure && o->lives < 2 && !o->config.state_given;
}

oracle_knowledge oracle_attribute_of(bj_oracle *o, const bj_addr *peer, const bj_path *path, oracle_attribute which,
                                     double *value, bj_time *since) {
    bj_path at = *path;
    for (; at.depth; at.depth--) {
        const oracle_attributes *a = find(o, peer, &at);
        bool told = a && a->known & 1U << which;
        if (a) {
            *since = oracle_max(*since, a->changed);
        }
        if (told && a->set & 1U << which) {
            *value = a->values[which];
            return ORACLE_KNOWN;
        }
        if (!told && !everything_known(o)) {
            return ORACLE_UNSURE;
        }
    }
    return ORACLE_KNOWN_ABSENT;
}

/* --- Write-Attributes ----------------------------------------------------------------------------------------- */

typedef struct change {
    uint8_t set, unset;
    double values[ORACLE_ATTRIBUTES];
} change;

static int attribute_named(const char *name, size_t length) {
    for (int i = 0; i < ORACLE_ATTRIBUTES; i++) {
        if (strlen(names[i]) == length && !memcmp(names[i], name, length)) {
            return i;
        }
    }
    return -1;
}

/* "pmin=10" sets, "pmin=" and "pmin" take away; false: it is neither. */
static bool read_one(const bj_coap_option *option, change *c) {
    BJ_TEXT(value, 40);
    const char *text = (const char *) option->value;
    const char *equals = option->length ? memchr(text, '=', option->length) : NULL;
    size_t name = equals ? (size_t) (equals - text) : option->length;
    int which = attribute_named(text, name);
    if (which < 0 || (c->set | c->unset) & 1U << which) {
        return false;
    }
    if (!equals || name + 1 == option->length) {
        c->unset |= (uint8_t) (1U << which);
        return true;
    }
    bj_text_add_bytes(&value, equals + 1, option->length - name - 1);
    c->set |= (uint8_t) (1U << which);
    return oracle_real_of(value.start, &c->values[which]);
}

static bool read_change(const bj_coap *request, change *c) {
    const bj_coap_option *option;
    bool good = true;
    for (size_t i = 0; good && (option = bj_coap_find(request, BJ_COAP_URI_QUERY, i)); i++) {
        good = read_one(option, c);
    }
    return good;
}

static double threshold(const oracle_attributes *a, oracle_attribute which) {
    return a->set & 1U << which ? a->values[which] : 0;
}

/* LwM2M Core 1.1 §5.1.2: lt + 2 * st < gt. */
static void check_thresholds(bj_oracle *o, const oracle_managed *x, const oracle_attributes *a) {
    unsigned both = 1U << ORACLE_GT | 1U << ORACLE_LT;
    double low = threshold(a, ORACLE_LT), high = threshold(a, ORACLE_GT), step = threshold(a, ORACLE_ST);
    if ((a->set & both) == both && a->path.depth >= 3 && low + 2 * step >= high) {
        BJ_TEXT(what, 200);
        oracle_describe_managed(x, &what);
        oracle_break(o, BJ_RULE_MGMT_ATTRIBUTES, x->s->time, x->s->event->sequence,
                     "%s is accepted, and leaves attributes that contradict each other: lt=%g, gt=%g, st=%g",
                     what.start, low, high, step);
    }
}

static void accepted(bj_oracle *o, const oracle_managed *x, const change *c) {
    oracle_attributes *a = find(o, &x->f->peer, &x->f->path);
    o->managed.attributes_ever = true;
    if (!a && o->managed.attributes_count == ORACLE_ATTRIBUTED) {
        oracle_attributes_forget(o);
        return;
    }
    if (!a) {
        a = &o->managed.attributes[o->managed.attributes_count++];
        *a = (oracle_attributes){ .peer = x->f->peer, .path = x->f->path };
        a->known = everything_known(o) ? 0xFF : 0;
    }
    for (unsigned i = 0; i < ORACLE_ATTRIBUTES; i++) {
        if (c->set & 1U << i) {
            a->values[i] = c->values[i];
        }
    }
    a->set = (uint8_t) ((a->set | c->set) & ~(unsigned) c->unset);
    a->unset = (uint8_t) ((a->unset | c->unset) & ~(unsigned) c->set);
    a->known |= c->set | c->unset;
    a->changed = x->s->time;
    check_thresholds(o, x, a);
}

static void wrote(bj_oracle *o, const oracle_managed *x) {
    change c = { .set = 0 };
    bool read = read_change(x->request, &c);
    if (x->s->m.code == CHANGED && x->alone && x->plain && read && x->f->path.depth) {
        accepted(o, x, &c);
    } else if (x->s->m.code >> 5 != 4 || !x->alone) {
        o->managed.attributes_ever = true;
        oracle_attributes_forget(o);
    }
}

/* --- Discover ------------------------------------------------------------------------------------------------- */

/* The value of an attribute of a link; false: it has none, or one that is no number. */
static bool shown(const bj_core_link *link, unsigned which, double *value) {
    for (size_t i = 0; i < link->attr_count; i++) {
        const bj_link_attr *a = &link->attrs[i];
        if (a->name_length == strlen(names[which]) && !memcmp(a->name, names[which], a->name_length) && a->value) {
            BJ_TEXT(text, 40);
            bj_text_add_bytes(&text, a->value, a->value_length);
            return oracle_real_of(text.start, value);
        }
    }
    return false;
}

static bool same(double a, double b) {
    return fabs(a - b) <= (fabs(a) + fabs(b)) * 1e-6;
}

static void check_shown(bj_oracle *o, const oracle_managed *x, const bj_core_link *link, const oracle_attributes *a) {
    for (unsigned i = 0; i < ORACLE_ATTRIBUTES; i++) {
        double value;
        if (a->set & 1U << i && !(shown(link, i, &value) && same(value, a->values[i]))) {
            BJ_TEXT(path, 64);
            bj_path_print(&path, &a->path);
            oracle_break(o, BJ_RULE_MGMT_DISCOVER, x->s->time, x->s->event->sequence,
                         "the server set %s=%g at %s with success, and Discover does not show it there", names[i],
                         a->values[i], path.start);
        }
    }
}

/* Set at that path by another server, with that value. */
static bool is_of_another(const bj_oracle *o, const oracle_managed *x, const bj_path *path, unsigned which,
                          double value) {
    for (unsigned i = 0; i < o->managed.attributes_count; i++) {
        const oracle_attributes *a = &o->managed.attributes[i];
        if (a->path.depth == path->depth && bj_path_begins(&a->path, path) && a->set & 1U << which &&
            same(a->values[which], value) && !bj_addr_equal(&a->peer, &x->f->peer)) {
            return true;
        }
    }
    return false;
}

/* Taken away at that path or above it, with that value. */
static bool was_taken_away(bj_oracle *o, const oracle_managed *x, const bj_path *path, unsigned which, double value) {
    bj_path at = *path;
    bool found = false;
    for (; at.depth && !found; at.depth--) {
        const oracle_attributes *a = find(o, &x->f->peer, &at);
        found = a && a->unset & 1U << which && same(a->values[which], value);
    }
    return found;
}

static void check_strange(bj_oracle *o, const oracle_managed *x, const bj_core_link *link, const bj_path *path) {
    for (unsigned i = 0; i < ORACLE_ATTRIBUTES; i++) {
        double value, own;
        bj_time since = 0;
        if (!shown(link, i, &value) ||
            oracle_attribute_of(o, &x->f->peer, path, (oracle_attribute) i, &own, &since) != ORACLE_KNOWN_ABSENT) {
            continue;
        }
        bool stays = was_taken_away(o, x, path, i, value);
        if (stays || is_of_another(o, x, path, i, value)) {
            BJ_TEXT(where, 64);
            bj_path_print(&where, path);
            oracle_break(o, BJ_RULE_MGMT_ATTRIBUTES, x->s->time, x->s->event->sequence,
                         "Discover shows %s=%g at %s, which %s", names[i], value, where.start,
                         stays ? "the server took away" : "another server set, and the asking one did not");
        }
    }
}

/* Of what is asked for, and of the Resources of an Object Instance. */
static void discovered(bj_oracle *o, const oracle_managed *x) {
    const char *text = (const char *) x->s->m.payload;
    size_t length = x->s->m.payload_length;
    bj_core_link link;
    BJ_TEXT(why, 64);
    while (text && bj_link_next(&text, &length, &link, &why)) {
        bj_path path = oracle_path_of_link(&link);
        bool asked = path.depth == x->f->path.depth || (x->f->path.depth == 2 && path.depth == 3);
        if (!path.depth || !asked || !bj_path_begins(&path, &x->f->path) || link.attr_count == BJ_LINK_ATTRS) {
            continue;
        }
        const oracle_attributes *a = find(o, &x->f->peer, &path);
        if (a) {
            check_shown(o, x, &link, a);
        }
        check_strange(o, x, &link, &path);
    }
}

void oracle_attributes_answered(bj_oracle *o, const oracle_managed *x) {
    if (x->kind == ORACLE_MANAGES_ATTRIBUTES) {
        wrote(o, x);
    } else if (x->kind == ORACLE_MANAGES_DISCOVER) {
        if (x->s->m.code == CONTENT && x->alone && x->plain && x->whole &&
            !bj_coap_find(x->request, BJ_COAP_URI_QUERY, 0)) {
            discovered(o, x);
        }
    } else if ((x->kind == ORACLE_MANAGES_DELETE || x->kind == ORACLE_MANAGES_CREATE || !x->kind) &&
               x->s->m.code >> 5 != 4 && x->request->code != 1) {
        oracle_attributes_forget(o); /* those of an instance that is gone may stay for one with its id */
    }
}
