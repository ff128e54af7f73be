/* SPDX-License-Identifier: Apache-2.0
 *
 * Which Object Instances there are: what the last registration lists, what servers made and removed since (LwM2M Core
 * 1.1 §6.2.1, §6.3.6, §6.3.7).
 */
#include "oracle/management.h"

#include <string.h>

enum { FORMAT_LINK = 40, CREATED = BJ_COAP_CODE(2, 1), DELETED = BJ_COAP_CODE(2, 2), NOT_FOUND = BJ_COAP_CODE(4, 4) };

bj_path oracle_path_of_link(const bj_core_link *link) {
    BJ_TEXT(target, 64);
    bj_text_add_bytes(&target, link->target ? link->target : "", link->target ? link->target_length : 0);
    return bj_path_of(target.start);
}

static oracle_managed_instance *find(bj_oracle *o, unsigned object, unsigned id) {
    for (unsigned i = 0; i < o->managed.instance_count; i++) {
        if (o->managed.instances[i].object == object && o->managed.instances[i].id == id) {
            return &o->managed.instances[i];
        }
    }
    return NULL;
}

static void set(bj_oracle *o, unsigned object, unsigned id, oracle_presence presence) {
    oracle_managed_instance *one = find(o, object, id);
    if (!one && o->managed.instance_count == ORACLE_MANAGED_INSTANCES) {
        o->managed.listed = false; /* too many to be followed */
        return;
    }
    one = one ? one : &o->managed.instances[o->managed.instance_count++];
    *one = (oracle_managed_instance){
        .object = (uint16_t) object, .id = (uint16_t) id, .presence = (uint8_t) presence, .since = o->now
    };
}

oracle_presence oracle_instance_presence(const bj_oracle *o, unsigned object, unsigned id) {
    for (unsigned i = 0; i < o->managed.instance_count; i++) {
        const oracle_managed_instance *one = &o->managed.instances[i];
        if (one->object == object && one->id == id) {
            return (oracle_presence) one->presence;
        }
    }
    return ORACLE_PRESENCE_UNKNOWN;
}

bool oracle_object_is_missing(const bj_oracle *o, unsigned object) {
    bool found = false;
    for (unsigned i = 0; i < o->managed.instance_count; i++) {
        found |= o->managed.instances[i].object == object;
    }
    for (unsigned i = 0; i < o->managed.empty_count; i++) {
        found |= o->managed.empty[i] == object;
    }
    return o->managed.listed && !found;
}

unsigned oracle_instance_count(const bj_oracle *o, unsigned object) {
    unsigned count = 0;
    for (unsigned i = 0; i < o->managed.instance_count; i++) {
        const oracle_managed_instance *one = &o->managed.instances[i];
        count += one->object == object && one->presence != ORACLE_PRESENCE_DELETED;
    }
    return count;
}

int oracle_only_instance(const bj_oracle *o, unsigned object) {
    int id = -1;
    unsigned count = 0;
    for (unsigned i = 0; i < o->managed.instance_count; i++) {
        const oracle_managed_instance *one = &o->managed.instances[i];
        if (one->object == object && one->presence != ORACLE_PRESENCE_DELETED) {
            id = one->id;
            count++;
        }
    }
    return o->managed.listed && count == 1 ? id : -1;
}

uint8_t oracle_release_of(const bj_oracle *o, unsigned object) {
    return object == 1 && o->managed.server_release ? o->managed.server_release : o->managed.release;
}

void oracle_instances_forget(bj_oracle *o) {
    o->managed.instance_count = o->managed.empty_count = 0;
    o->managed.listed = false;
}

/* --- registrations -------------------------------------------------------------------------------------------- */

static uint8_t release(const char *text, size_t length) {
    return length == 3 && text[0] == '1' && text[1] == '.' && text[2] >= '0' && text[2] <= '2'
               ? (uint8_t) (10 + text[2] - '0')
               : 0;
}

/* A client that falls back to an earlier release keeps its Objects: the latest that it ever named counts. */
static void note_release(bj_oracle *o, const bj_coap *m) {
    BJ_TEXT(version, 16);
    if (bj_coap_query(m, "lwm2m", &version)) {
        uint8_t named = release(version.start, version.used);
        o->managed.release = named > o->managed.release ? named : o->managed.release;
    }
}

static void note_version(bj_oracle *o, const bj_core_link *link, const bj_path *path) {
    for (size_t i = 0; i < link->attr_count && path->ids[0] == 1; i++) {
        const bj_link_attr *a = &link->attrs[i];
        if (a->name_length == 3 && !memcmp(a->name, "ver", 3)) {
            uint8_t named = a->value ? release(a->value, a->value_length) : 0;
            o->managed.server_release = named ? named : 12; /* one that is not known may have anything */
        }
    }
}

static void listed_again(bj_oracle *o, const oracle_seen *s, const bj_path *path) {
    const oracle_managed_instance *one = find(o, path->ids[0], path->ids[1]);
    bool deleted = one && one->presence == ORACLE_PRESENCE_DELETED && s->time > one->since + ORACLE_GRACE;
    bj_time wait = deleted ? oracle_longest_wait(o, &s->peer, one->since, s->event->sequence) : BJ_NEVER;
    if (!o->managed.outstanding && wait < BJ_SECOND && s->time > one->since + wait + ORACLE_GRACE) {
        oracle_break(o, BJ_RULE_MGMT_DELETE, s->time, s->event->sequence,
                     "/%u/%u was removed with success, and a registration lists it", path->ids[0], path->ids[1]);
    }
}

static void list(bj_oracle *o, const oracle_seen *s) {
    oracle_managed_instance before[ORACLE_MANAGED_INSTANCES];
    unsigned count = o->managed.instance_count;
    const char *text = (const char *) s->m.payload;
    size_t length = s->m.payload_length;
    bj_core_link link;
    BJ_TEXT(why, 64);
    memcpy(before, o->managed.instances, count * sizeof before[0]);
    for (const char *at = text; bj_link_next(&at, &length, &link, &why);) {
        bj_path path = oracle_path_of_link(&link);
        if (path.depth == 2) {
            listed_again(o, s, &path);
        }
    }
    oracle_instances_forget(o);
    o->managed.listed = length == 0;
    for (unsigned i = 0; i < count; i++) { /* what was removed is remembered */
        if (before[i].presence == ORACLE_PRESENCE_DELETED) {
            o->managed.instances[o->managed.instance_count++] = before[i];
        }
    }
    for (length = s->m.payload_length; bj_link_next(&text, &length, &link, &why);) {
        bj_path path = oracle_path_of_link(&link);
        if (path.depth >= 1) {
            note_version(o, &link, &path);
        }
        if (path.depth == 2) {
            set(o, path.ids[0], path.ids[1], ORACLE_PRESENCE_LISTED);
        } else if (path.depth == 1 && o->managed.empty_count < ORACLE_EMPTY_OBJECTS) {
            o->managed.empty[o->managed.empty_count++] = path.ids[0];
        } else if (path.depth == 1) {
            o->managed.listed = false;
        }
    }
}

/* LwM2M Core 1.1 §6.2.1: `lt` is /1/x/1 of the account. */
static void note_lifetime(bj_oracle *o, const oracle_seen *s) {
    BJ_TEXT(lifetime, 24);
    int id = oracle_only_instance(o, 1);
    if (id >= 0 && !o->managed.outstanding && bj_coap_query(&s->m, "lt", &lifetime)) {
        bj_entry entry = { .path = { .ids = { 1, (uint16_t) id, 1 }, .depth = 3 },
                           .kind = BJ_ENTRY_TEXT,
                           .bytes = (const uint8_t *) lifetime.start,
                           .length = lifetime.used };
        oracle_values_learn(o, &entry, s->time);
    }
}

/* Nothing but the factory has written the account: that is its place. */
static void note_factory(bj_oracle *o, const oracle_seen *s) {
    const bj_oracle_config *c = &o->config;
    int id = oracle_only_instance(o, 1);
    bool untouched = c->known && !o->attempt.any && o->lives < 2 && !c->state_given && !c->legacy &&
                     !o->managed.ever_changed && !o->managed.outstanding;
    if (untouched && id >= 0) {
        oracle_model_listed(o, (unsigned) id);
    }
    if (untouched && id >= 0 && c->bare_accounts) {
        oracle_values_from_factory(o, (unsigned) id, s->time);
    }
}

void oracle_instances_registered(bj_oracle *o, const oracle_seen *s) {
    uint32_t block, format = FORMAT_LINK;
    bool part = bj_coap_find_uint(&s->m, BJ_COAP_BLOCK1, &block) && (block >> 4 || block & 8);
    bj_coap_find_uint(&s->m, BJ_COAP_CONTENT_FORMAT, &format);
    note_release(o, &s->m);
    if (s->m.payload_length && (part || format != FORMAT_LINK)) {
        oracle_instances_forget(o);
    } else if (s->m.payload_length) {
        list(o, s);
        note_lifetime(o, s);
        note_factory(o, s);
    }
}

/* --- Create, Delete ------------------------------------------------------------------------------------------- */

static void named_instance(bj_oracle *o, void *context, const bj_entry *entry) {
    (void) o;
    int *id = context;
    if (entry->path.depth >= 2) {
        *id = *id == -1 || *id == entry->path.ids[1] ? entry->path.ids[1] : -2;
    }
}

/* In the Location-Path, or, of a payload that names it, there. */
static bool created(bj_oracle *o, const oracle_managed *x, bj_path *path) {
    BJ_TEXT(location, 64);
    bj_coap_path(&x->s->m, BJ_COAP_LOCATION_PATH, &location);
    *path = bj_path_of(location.start);
    if (path->depth == 2 && path->ids[0] == x->f->path.ids[0]) {
        return true;
    }
    int id = -1;
    bool read = oracle_entries_of(o, &x->f->path, x->request, named_instance, &id);
    *path = (bj_path){ .ids = { x->f->path.ids[0], (uint16_t) id }, .depth = 2 };
    return read && id >= 0 && id < ORACLE_ANYWHERE;
}

static void check_presence(bj_oracle *o, const oracle_managed *x) {
    const bj_path *path = &x->f->path;
    if (path->depth < 2 || path->depth > 3 || (x->kind != ORACLE_MANAGES_READ && x->kind != ORACLE_MANAGES_DISCOVER)) {
        return;
    }
    oracle_presence presence = oracle_instance_presence(o, path->ids[0], path->ids[1]);
    if (presence == ORACLE_PRESENCE_DELETED && x->s->m.code == BJ_COAP_CODE(2, 5)) {
        oracle_break(o, BJ_RULE_MGMT_DELETE, x->s->time, x->s->event->sequence,
                     "/%u/%u was removed with success, and is there", path->ids[0], path->ids[1]);
    } else if (presence == ORACLE_PRESENCE_CREATED && x->s->m.code == NOT_FOUND && path->depth == 2) {
        oracle_break(o, BJ_RULE_MGMT_CREATE, x->s->time, x->s->event->sequence,
                     "/%u/%u was created with success, and is not there", path->ids[0], path->ids[1]);
    }
}

static bool is_creatable(const bj_oracle *o, unsigned object) {
    bool found = false;
    for (unsigned i = 0; i < o->managed.creatable_count; i++) {
        found |= o->managed.creatable[i] == object;
    }
    return found;
}

/* §6.3.6: one that is there already is a mistake of the request, 4.00; the Object allows the operation, as it showed.
 */
static void check_again(bj_oracle *o, const oracle_managed *x) {
    int id = -1;
    bool read = oracle_entries_of(o, &x->f->path, x->request, named_instance, &id) && id >= 0;
    oracle_presence presence = read ? oracle_instance_presence(o, x->f->path.ids[0], (unsigned) id) : 0;
    bool there = presence == ORACLE_PRESENCE_CREATED || presence == ORACLE_PRESENCE_LISTED;
    if (there && x->s->m.code == BJ_COAP_CODE(4, 5) && is_creatable(o, x->f->path.ids[0])) {
        oracle_break(o, BJ_RULE_MGMT_CREATE, x->s->time, x->s->event->sequence,
                     "Create of /%u/%d, which was created, is answered with 4.05 and not with 4.00", x->f->path.ids[0],
                     id);
    }
}

/* What is not known for sure any more, since several requests were under way. */
static void unsettle(bj_oracle *o, const oracle_managed *x) {
    bool changes = x->kind == ORACLE_MANAGES_CREATE || x->kind == ORACLE_MANAGES_DELETE || !x->kind;
    if (changes) {
        oracle_instances_forget(o);
    }
}

void oracle_instances_answered(bj_oracle *o, const oracle_managed *x) {
    bj_path path = x->f->path;
    if (!x->alone || !x->plain || !x->kind) {
        unsettle(o, x);
    } else if (x->kind == ORACLE_MANAGES_CREATE) {
        check_again(o, x);
        if (x->s->m.code == CREATED && created(o, x, &path)) {
            set(o, path.ids[0], path.ids[1], ORACLE_PRESENCE_CREATED);
            if (!is_creatable(o, path.ids[0]) && o->managed.creatable_count < ORACLE_CREATABLE) {
                o->managed.creatable[o->managed.creatable_count++] = path.ids[0];
            }
        } else if (x->s->m.code >> 5 != 4) {
            oracle_instances_forget(o);
        }
    } else if (x->kind == ORACLE_MANAGES_DELETE && path.depth == 2 && x->s->m.code == DELETED) {
        set(o, path.ids[0], path.ids[1], ORACLE_PRESENCE_DELETED);
    } else if (x->kind == ORACLE_MANAGES_DELETE && x->s->m.code >> 5 != 4) {
        oracle_instances_forget(o);
    } else {
        check_presence(o, x);
    }
}
