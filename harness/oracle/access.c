/* SPDX-License-Identifier: Apache-2.0
 *
 * Access control, where the client has several servers (LwM2M Core 1.1 §8.1, §8.2): what bootstrap sessions wrote to
 * /2, what servers made and owners changed since, and whether each server may do then what it does.
 *
 * Only rights on instances that an instance of /2 names are judged, for a client may make others itself; and nothing of
 * /1, which is each server's own. When a session touches accounts and leaves /2 alone, what became of rights is not
 * followed (§8.1, TS 1.0 E.1.3).
 */
#include "oracle/management.h"

#include <string.h>

enum { ACL = 2, CREATED = BJ_COAP_CODE(2, 1), DELETED = BJ_COAP_CODE(2, 2), CHANGED = BJ_COAP_CODE(2, 4) };
enum { UNAUTHORIZED = BJ_COAP_CODE(4, 1), CONTINUE = BJ_COAP_CODE(2, 31), OBJECT_LEVEL = 65535 };
enum { RIGHT_READ = 1, RIGHT_WRITE = 2, RIGHT_EXECUTE = 4, RIGHT_DELETE = 8, RIGHT_CREATE = 16, RIGHTS = 31 };

static oracle_rights *with_id(bj_oracle *o, int id) {
    for (unsigned i = 0; i < o->managed.rights_count; i++) {
        if (o->managed.rights[i].id == id) {
            return &o->managed.rights[i];
        }
    }
    return NULL;
}

/* NULL: none, or several. */
static oracle_rights *of_instance(bj_oracle *o, unsigned object, unsigned instance) {
    oracle_rights *found = NULL;
    unsigned count = 0;
    for (unsigned i = 0; i < o->managed.rights_count; i++) {
        oracle_rights *r = &o->managed.rights[i];
        if (r->object == (int) object && r->instance == (int) instance) {
            found = r;
            count++;
        }
    }
    return count == 1 ? found : NULL;
}

static void drop(bj_oracle *o, oracle_rights *r) {
    *r = o->managed.rights[--o->managed.rights_count];
}

void oracle_access_forget(bj_oracle *o) {
    o->managed.rights_count = 0;
}

/* --- reading what is written ---------------------------------------------------------------------------------- */

/* NULL: there are too many. */
static oracle_rights *make(bj_oracle *o, int id) {
    if (o->managed.rights_count == ORACLE_ACCESSES) {
        oracle_access_forget(o);
        return NULL;
    }
    oracle_rights *r = &o->managed.rights[o->managed.rights_count++];
    *r = (oracle_rights){ .id = id, .object = -1, .instance = -1, .owner = -1, .known = true };
    return r;
}

static void set_entry(oracle_rights *r, unsigned ssid, int64_t value) {
    unsigned at = 0;
    while (at < r->count && r->entries[at].ssid != ssid) {
        at++;
    }
    if (value < 0 || value > RIGHTS || at == ORACLE_ENTRIES) {
        r->known = false;
        return;
    }
    r->entries[at].ssid = (uint16_t) ssid;
    r->entries[at].rights = (uint8_t) value;
    r->count += at == r->count;
}

static void take(bj_oracle *o, void *context, const bj_entry *entry) {
    (void) context;
    const bj_path *path = &entry->path;
    oracle_rights *r = path->depth >= 3 && path->ids[0] == ACL ? with_id(o, path->ids[1]) : NULL;
    oracle_value value = oracle_value_of(entry, 'I');
    if (!r) {
        return;
    }
    bool good = value.kind == ORACLE_VALUE_INTEGER && path->ids[2] <= 3 && (path->depth == 4) == (path->ids[2] == 2);
    if (!good) {
        r->known &= entry->kind == BJ_ENTRY_NONE; /* no entries at all */
    } else if (path->ids[2] == 2) {
        set_entry(r, path->ids[3], value.integer);
    } else {
        int *const places[] = { &r->object, &r->instance, NULL, &r->owner };
        *places[path->ids[2]] = value.integer >= 0 && value.integer <= OBJECT_LEVEL ? (int) value.integer : -1;
    }
}

/* --- bootstrap ------------------------------------------------------------------------------------------------ */

static void replace_instance(bj_oracle *o, void *context, const bj_entry *entry) {
    (void) context;
    bool there = entry->path.depth >= 2 && entry->path.ids[0] == ACL;
    oracle_rights *r = there ? with_id(o, entry->path.ids[1]) : NULL;
    if (r) {
        *r = (oracle_rights){ .id = r->id, .object = -1, .instance = -1, .owner = -1, .known = true };
    } else if (there) {
        make(o, entry->path.ids[1]);
    }
}

static void bootstrap_write(bj_oracle *o, const oracle_managed *x) {
    bool good = x->plain && x->s->m.code == CHANGED && x->f->path.depth < 3;
    if (!good || !oracle_entries_of(o, &x->f->path, x->request, replace_instance, NULL) ||
        !oracle_entries_of(o, &x->f->path, x->request, take, NULL)) {
        oracle_access_forget(o);
    }
}

void oracle_access_bootstrapped(bj_oracle *o, const oracle_managed *x) {
    const bj_path *path = &x->f->path;
    bool success = x->s->m.code >> 5 == 2, deletes = x->f->code == 4;
    bool all = path->depth == 0 || (path->ids[0] == ACL && path->depth == 1);
    if (x->f->code == 3 && path->depth && path->ids[0] == ACL) {
        bootstrap_write(o, x);
    } else if (deletes && all && success) {
        oracle_access_forget(o);
        o->managed.rights_begun = true;
    } else if (deletes && path->depth == 2 && path->ids[0] == ACL && success) {
        oracle_rights *r = with_id(o, path->ids[1]);
        if (r) {
            drop(o, r);
        }
    } else if ((deletes || x->f->code == 3) && (!path->depth || path->ids[0] < 2) && !o->managed.rights_begun) {
        oracle_access_forget(o);
    }
}

/* --- who a server is ------------------------------------------------------------------------------------------ */

void oracle_access_registered(bj_oracle *o, oracle_peer *p) {
    unsigned count = 0;
    p->ssid = 0;
    for (unsigned i = 0; i < o->accounts.count && !o->accounts.vague; i++) {
        const oracle_instance *one = &o->accounts.items[i];
        bool server = one->used && !one->deleted && one->object == 0 && one->bootstrap != 1;
        if (server && (one->vague || oracle_uri_leads_to(o, one->uri, &p->address) != 0)) {
            p->ssid = one->vague ? 0 : one->ssid;
            count++;
        }
    }
    p->ssid = count == 1 ? p->ssid : 0;
}

/* Does access control count (§8.2), and who asks? 0: it does not, or nobody knows. */
static int64_t asking(bj_oracle *o, const oracle_managed *x) {
    const oracle_peer *p = oracle_peer_of(o, &x->f->peer, false);
    bool several = oracle_instance_count(o, 1) > 1 && !oracle_object_is_missing(o, ACL);
    return several && o->managed.listed && x->alone && x->plain && p && p->ssid > 0 ? p->ssid : 0;
}

/* Of an instance; -1: not known. */
static int rights_of(const oracle_rights *r, int64_t ssid) {
    int others = 0;
    if (!r || !r->known || r->owner < 0) {
        return -1;
    }
    for (unsigned i = 0; i < r->count; i++) {
        if (r->entries[i].ssid == ssid) {
            return r->entries[i].rights;
        }
        others = r->entries[i].ssid == 0 ? r->entries[i].rights : others;
    }
    bool owns = r->owner == ssid && r->instance != OBJECT_LEVEL;
    return owns ? RIGHTS & ~RIGHT_CREATE : others;
}

/* --- what is judged ------------------------------------------------------------------------------------------- */

static int right_for(oracle_manages kind) {
    switch (kind) {
    case ORACLE_MANAGES_READ:
    case ORACLE_MANAGES_DISCOVER:
    case ORACLE_MANAGES_ATTRIBUTES:
        return RIGHT_READ;
    case ORACLE_MANAGES_REPLACE:
    case ORACLE_MANAGES_UPDATE:
        return RIGHT_WRITE;
    case ORACLE_MANAGES_EXECUTE:
        return RIGHT_EXECUTE;
    case ORACLE_MANAGES_DELETE:
        return RIGHT_DELETE;
    case ORACLE_MANAGES_CREATE:
        return RIGHT_CREATE;
    default:
        return 0;
    }
}

static void breaks(bj_oracle *o, const oracle_managed *x, bj_rule rule, int64_t ssid, const char *why) {
    BJ_TEXT(what, 200);
    BJ_TEXT(code, 16);
    oracle_describe_managed(x, &what);
    bj_coap_code_print(&code, x->s->m.code);
    oracle_break(o, rule, x->s->time, x->s->event->sequence, "%s (Short Server ID %lld) is answered with %s: %s",
                 what.start, (long long) ssid, code.start, why);
}

static void check(bj_oracle *o, const oracle_managed *x, int64_t ssid) {
    const bj_path *path = &x->f->path;
    int right = right_for(x->kind);
    unsigned depth = x->kind == ORACLE_MANAGES_CREATE ? 1 : 2;
    bool judged = right && path->depth >= depth && (depth == 2 || path->depth == 1) && path->ids[0] > 2;
    const oracle_rights *r = judged ? of_instance(o, path->ids[0], depth == 1 ? OBJECT_LEVEL : path->ids[1]) : NULL;
    int rights = rights_of(r, ssid);
    bj_rule rule = depth == 1 || (r && r->id < 0) ? BJ_RULE_ACL_CREATE : BJ_RULE_ACL_RIGHTS;
    bool success = x->s->m.code >> 5 == 2 && x->s->m.code != CONTINUE;
    if (rights >= 0 && success && !(rights & right)) {
        breaks(o, x, rule, ssid, "that server has no right to it");
    } else if (rights >= 0 && x->s->m.code == UNAUTHORIZED && rights & right) {
        breaks(o, x, rule, ssid, "that server has the right to it");
    }
}

/* §8.1: rights are changed by the owner alone. */
static void check_owner(bj_oracle *o, const oracle_managed *x, int64_t ssid, const oracle_rights *r) {
    bool known = ssid && r && r->owner >= 0 && x->f->path.depth >= 3 && x->f->path.ids[2] == 2;
    if (known && x->s->m.code == CHANGED && r->owner != ssid) {
        breaks(o, x, BJ_RULE_ACL_OWNER, ssid, "that server is not the owner");
    } else if (known && x->s->m.code == UNAUTHORIZED && r->owner == ssid) {
        breaks(o, x, BJ_RULE_ACL_OWNER, ssid, "that server is the owner");
    }
}

/* A Write of a server to /2. */
static void changes_rights(bj_oracle *o, const oracle_managed *x, int64_t ssid) {
    const bj_path *path = &x->f->path;
    oracle_rights *r = path->depth >= 2 ? with_id(o, path->ids[1]) : NULL;
    check_owner(o, x, ssid, r);
    if (x->s->m.code >> 5 == 4) {
        return;
    }
    bool replaces = x->kind == ORACLE_MANAGES_REPLACE && path->depth == 3 && path->ids[2] == 2;
    bool adds = x->kind == ORACLE_MANAGES_UPDATE || (x->kind == ORACLE_MANAGES_REPLACE && path->depth == 4);
    if (!r || !x->alone || !x->plain || (!replaces && !adds)) {
        oracle_access_forget(o);
        return;
    }
    r->count = replaces ? 0 : r->count;
    r->known &= oracle_entries_of(o, path, x->request, take, NULL);
}

/* §8.1: who creates an instance owns it. */
static void created(bj_oracle *o, const oracle_managed *x, int64_t ssid) {
    BJ_TEXT(location, 64);
    bj_coap_path(&x->s->m, BJ_COAP_LOCATION_PATH, &location);
    bj_path path = bj_path_of(location.start);
    bool clear = ssid && path.depth == 2 && path.ids[0] == x->f->path.ids[0];
    oracle_rights *old = clear ? of_instance(o, path.ids[0], path.ids[1]) : NULL;
    oracle_rights *r = clear && !old ? make(o, -1) : NULL;
    if (r) {
        r->object = path.ids[0];
        r->instance = path.ids[1];
        r->owner = (int) ssid;
    } else {
        oracle_access_forget(o);
    }
}

static void removed(bj_oracle *o, const oracle_managed *x) {
    oracle_rights *r = x->f->path.depth == 2 ? of_instance(o, x->f->path.ids[0], x->f->path.ids[1]) : NULL;
    if (r) {
        drop(o, r);
    }
}

/* --- servers that are gone ------------------------------------------------------------------------------------ */

/* Did a bootstrap take the account of that server away, which it had not itself just written, and is none there now? */
static bool is_gone(const bj_oracle *o, unsigned ssid) {
    bool gone = false;
    for (unsigned i = 0; i < o->accounts.count; i++) {
        const oracle_instance *one = &o->accounts.items[i];
        bool same = one->used && one->ssid == (int64_t) ssid;
        if (one->used && !one->deleted && one->object == 1 && (one->vague || same)) {
            return false;
        }
        gone |= same && one->deleted && one->settled && !one->vague && one->object == 1;
    }
    return gone;
}

static void shown_rights(bj_oracle *o, void *context, const bj_entry *entry) {
    int *found = context;
    bool right = entry->path.depth == 4 && entry->path.ids[0] == ACL && entry->path.ids[2] == 2;
    if (right && entry->path.ids[3] && is_gone(o, entry->path.ids[3])) {
        *found = entry->path.ids[3];
    }
}

/* TS 1.0 E.1.3: with its account its rights go. */
static void check_gone(bj_oracle *o, const oracle_managed *x) {
    int found = -1;
    bool read = x->kind == ORACLE_MANAGES_READ && x->f->path.depth && x->f->path.ids[0] == ACL &&
                x->s->m.code == BJ_COAP_CODE(2, 5) && x->whole && x->plain;
    if (read && o->attempt.phase == ORACLE_FINISHED && !o->attempt.pack && !o->accounts.vague &&
        !o->managed.rights_written) {
        oracle_entries_of(o, &x->f->path, &x->s->m, shown_rights, &found);
    }
    if (found >= 0) {
        breaks(o, x, BJ_RULE_ACL_CLEANUP, found, "a bootstrap has taken the account of that server away");
    }
}

void oracle_access_answered(bj_oracle *o, const oracle_managed *x) {
    int64_t ssid = o->managed.rights_count ? asking(o, x) : 0;
    bool writes = x->kind == ORACLE_MANAGES_REPLACE || x->kind == ORACLE_MANAGES_UPDATE;
    bool composite = x->kind == ORACLE_MANAGES_WRITE_COMPOSITE || !x->kind;
    o->managed.rights_written |= composite || (writes && x->f->path.depth && x->f->path.ids[0] == ACL);
    check_gone(o, x);
    if (!o->managed.rights_count) {
        return;
    }
    if (ssid) {
        check(o, x, ssid);
    }
    if (writes && x->f->path.depth && x->f->path.ids[0] == ACL) {
        changes_rights(o, x, ssid);
    } else if (x->s->m.code >> 5 == 4 || (x->kind == ORACLE_MANAGES_EXECUTE && x->f->path.ids[0] != 3)) {
        return;
    } else if (x->kind == ORACLE_MANAGES_CREATE && x->s->m.code == CREATED) {
        created(o, x, ssid);
    } else if (x->kind == ORACLE_MANAGES_DELETE && x->s->m.code == DELETED && x->alone) {
        removed(o, x);
    } else if (right_for(x->kind) != RIGHT_READ && !writes && x->kind != ORACLE_MANAGES_READ_COMPOSITE) {
        oracle_access_forget(o);
    }
}
