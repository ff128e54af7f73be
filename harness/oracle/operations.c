/* SPDX-License-Identifier: Apache-2.0
 *
 * Effects of bootstrap operations, as Bootstrap-Discover shows them: what was written with success is there, what was
 * deleted is not, and what no Delete may remove has stayed.
 */
#include "oracle/internal.h"

#include <string.h>

#include "wire/link.h"

enum { MOST = 64 };

typedef struct listing {
    bj_path scope; /* of the Discover */
    struct {
        uint16_t object, id;
        int64_t ssid; /* 0: not given */
        const char *uri;
        size_t uri_length; /* 0: not given */
    } instances[MOST];
    unsigned count;
    bool whole;
} listing;

static int64_t ssid_of(const bj_core_link *link) {
    int64_t ssid = 0;
    for (size_t i = 0; i < link->attr_count; i++) {
        const bj_link_attr *a = &link->attrs[i];
        bool named = a->name_length == 4 && !memcmp(a->name, "ssid", 4) && a->value_length < 7;
        for (size_t n = 0; named && n < a->value_length && a->value[n] >= '0' && a->value[n] <= '9'; n++) {
            ssid = ssid * 10 + (a->value[n] - '0');
        }
    }
    return ssid;
}

static void add(listing *l, const bj_core_link *link) {
    BJ_TEXT(target, 64);
    size_t length = link->target_length;
    length -= length > 1 && link->target[length - 1] == '/'; /* as some examples of the specification have it */
    bj_text_add_bytes(&target, link->target, length);
    bj_path path = bj_path_of(target.start);
    if (path.depth != 2) {
        return;
    }
    if (l->count == MOST) {
        l->whole = false;
        return;
    }
    l->instances[l->count].object = path.ids[0];
    l->instances[l->count].id = path.ids[1];
    l->instances[l->count].uri = NULL;
    l->instances[l->count].uri_length = 0;
    for (size_t i = 0; i < link->attr_count; i++) {
        const bj_link_attr *a = &link->attrs[i];
        if (a->name_length == 3 && !memcmp(a->name, "uri", 3)) {
            l->instances[l->count].uri = a->value;
            l->instances[l->count].uri_length = a->value_length;
        }
    }
    l->instances[l->count++].ssid = ssid_of(link);
}

static bool read_listing(const oracle_foreign *f, const bj_coap *m, listing *l) {
    uint32_t block;
    *l = (listing){ .scope = f->path, .whole = true };
    const char *text = m->payload ? (const char *) m->payload : "";
    size_t length = m->payload_length;
    BJ_TEXT(why, 100);
    bj_core_link link;
    if (bj_coap_find_uint(m, BJ_COAP_BLOCK2, &block) && (block >> 4 || block & 8)) {
        return false;
    }
    while (bj_link_next(&text, &length, &link, &why)) {
        if (link.target) {
            add(l, &link);
        }
    }
    return length == 0 && l->whole;
}

static bool covers(const listing *l, unsigned object) {
    return l->scope.depth == 0 || (l->scope.depth == 1 && l->scope.ids[0] == object);
}

static int place_of(const listing *l, unsigned object, unsigned id) {
    for (unsigned i = 0; i < l->count; i++) {
        if (l->instances[i].object == object && l->instances[i].id == id) {
            return (int) i;
        }
    }
    return -1;
}

/* --- the rules ------------------------------------------------------------------------------------------------ */

static void check_known(bj_oracle *o, const oracle_seen *s, const listing *l) {
    for (unsigned i = 0; i < o->accounts.count; i++) {
        const oracle_instance *one = &o->accounts.items[i];
        if (!one->used || one->id == ORACLE_ANYWHERE || !covers(l, one->object)) {
            continue;
        }
        bool listed = place_of(l, one->object, one->id) >= 0;
        bool maybe_bootstrap = one->object == 0 && oracle_instance_of(&o->accounts, 0, ORACLE_ANYWHERE);
        if (one->deleted && listed && !maybe_bootstrap) {
            oracle_break(o, BJ_RULE_BS_DELETE, s->time, s->event->sequence,
                         "/%u/%u was deleted with success, and Discover lists it", one->object, one->id);
        } else if (!one->deleted && !listed && one->bootstrap == 1) {
            oracle_break(o, BJ_RULE_BS_DELETE_SURVIVORS, s->time, s->event->sequence,
                         "the bootstrap account /0/%u is not there any more", one->id);
        } else if (!one->deleted && !listed && !one->alone) {
            oracle_break(o, BJ_RULE_BS_WRITE, s->time, s->event->sequence,
                         "/%u/%u was written with success, and Discover does not list it", one->object, one->id);
        }
    }
}

/* After Delete of a whole object, only what was written behind it is there, and the bootstrap account. */
static void check_emptied(bj_oracle *o, const oracle_seen *s, const listing *l) {
    for (unsigned i = 0; i < l->count && !o->accounts.vague; i++) {
        unsigned object = l->instances[i].object, id = l->instances[i].id;
        if (object > 1 || !o->accounts.emptied[object] || oracle_instance_of(&o->accounts, object, id)) {
            continue;
        }
        if (object == 1 || !oracle_instance_of(&o->accounts, 0, ORACLE_ANYWHERE)) {
            oracle_break(o, BJ_RULE_BS_DELETE, s->time, s->event->sequence,
                         "all instances of /%u were deleted with success, and Discover lists /%u/%u", object, object,
                         id);
        }
    }
}

static void check_survivors(bj_oracle *o, const oracle_seen *s, const listing *l) {
    const oracle_instance *somewhere = oracle_instance_of(&o->accounts, 0, ORACLE_ANYWHERE);
    bool untouched = somewhere && somewhere->bootstrap == 1;
    unsigned security = 0;
    for (unsigned i = 0; i < l->count; i++) {
        security += l->instances[i].object == 0;
    }
    if (covers(l, 3) && place_of(l, 3, 0) < 0) {
        oracle_break(o, BJ_RULE_BS_DELETE_SURVIVORS, s->time, s->event->sequence, "/3/0 is not there");
    }
    if (covers(l, 0) && untouched && !security) {
        oracle_break(o, BJ_RULE_BS_DELETE_SURVIVORS, s->time, s->event->sequence,
                     "the bootstrap account is not there any more: Discover lists no instance of /0");
    }
}

static void check_ssids(bj_oracle *o, const oracle_seen *s, const listing *l) {
    for (unsigned i = 0; i < l->count; i++) {
        unsigned object = l->instances[i].object;
        const oracle_instance *one = object < 2 ? oracle_instance_of(&o->accounts, object, l->instances[i].id) : NULL;
        if (one && !one->vague && !one->deleted && one->ssid && l->instances[i].ssid &&
            one->ssid != l->instances[i].ssid) {
            oracle_break(o, BJ_RULE_BS_WRITE, s->time, s->event->sequence,
                         "/%u/%u has the Short Server ID %lld, and Discover says %lld", object, one->id,
                         (long long) one->ssid, (long long) l->instances[i].ssid);
        }
    }
}

/* LwM2M Core 1.1 §6.1.7.3: a server's Short Server ID stands beside its instances, and its URI (not in LwM2M 1.0), but
 * none beside the bootstrap account. */
static void check_attributes(bj_oracle *o, const oracle_seen *s, const listing *l) {
    for (unsigned i = 0; i < l->count; i++) {
        unsigned object = l->instances[i].object, id = l->instances[i].id;
        const oracle_instance *one = object < 2 ? oracle_instance_of(&o->accounts, object, id) : NULL;
        if (!one || one->vague || one->deleted) {
            continue;
        }
        bool server = object == 1 || one->bootstrap == 0;
        if (server && one->ssid > 0 && one->ssid < 65535 && !l->instances[i].ssid) {
            oracle_break(o, BJ_RULE_BS_DISCOVER, s->time, s->event->sequence,
                         "Discover shows no Short Server ID of /%u/%u", object, id);
        } else if (object == 0 && one->bootstrap == 1 && l->instances[i].ssid) {
            oracle_break(o, BJ_RULE_BS_DISCOVER, s->time, s->event->sequence,
                         "Discover shows a Short Server ID of the bootstrap account /0/%u", id);
        } else if (object == 0 && one->bootstrap == 0 && *one->uri && !l->instances[i].uri_length &&
                   !o->config.first_release) {
            oracle_break(o, BJ_RULE_BS_DISCOVER, s->time, s->event->sequence, "Discover shows no URI of /0/%u", id);
        }
    }
}

/* Nothing is there that nobody made. Of the factory's one account may be at a place that is not known. */
static void check_strangers(bj_oracle *o, const oracle_seen *s, const listing *l, const oracle_foreign *f) {
    bool known = o->config.known && !o->config.state_given && !o->config.others && !o->accounts.vague;
    for (unsigned object = 0; object < 2 && known && oracle_certain_of(o, f); object++) {
        unsigned strangers = 0, last = 0;
        for (unsigned i = 0; i < l->count; i++) {
            bool strange =
                l->instances[i].object == object && !oracle_instance_of(&o->accounts, object, l->instances[i].id);
            strangers += strange;
            last = strange ? l->instances[i].id : last;
        }
        if (!o->accounts.emptied[object] &&
            strangers > (oracle_instance_of(&o->accounts, object, ORACLE_ANYWHERE) ? 1 : 0)) {
            oracle_break(o, o->accounts.refused[object] ? BJ_RULE_BS_WRITE_UNDEFINED : BJ_RULE_BS_DISCOVER, s->time,
                         s->event->sequence, "Discover lists /%u/%u, which no Write that succeeded has made", object,
                         last);
        }
    }
}

/* What a Write has made, of any Object. */
static void check_made(bj_oracle *o, const oracle_seen *s, const listing *l) {
    for (unsigned i = 0; i < o->commands.made_count; i++) {
        unsigned object = o->commands.made[i].object, id = o->commands.made[i].id;
        if (covers(l, object) && place_of(l, object, id) < 0) {
            oracle_break(o, BJ_RULE_BS_WRITE, s->time, s->event->sequence,
                         "/%u/%u was written with success, and Discover does not list it", object, id);
        }
    }
}

/* LwM2M Core 1.1 §6.1.3.3: a refusal came behind the request, and undoes the session. Whether the client answered by
 * what that had written, before it read on, only the client knows. */
static bool is_undone(const bj_oracle *o) {
    return o->attempt.phase == ORACLE_FAILED;
}

static void seen(bj_oracle *o, const oracle_seen *s) {
    bool response = s->from_client && s->fault == BJ_COAP_OK && s->m.code == BJ_COAP_CODE(2, 5);
    const oracle_foreign *f = response ? oracle_request_of(o, s) : NULL;
    listing l;
    if (!f || !f->bootstrap || f->operation != ORACLE_OP_DISCOVER || f->path.depth > 1 || f->root_named || f->reused ||
        f->copies > 1 || is_undone(o) || !read_listing(f, &s->m, &l)) {
        return;
    }
    check_known(o, s, &l);
    check_emptied(o, s, &l);
    check_survivors(o, s, &l);
    check_ssids(o, s, &l);
    check_attributes(o, s, &l);
    check_strangers(o, s, &l, f);
    check_made(o, s, &l);
}

const oracle_def oracle_operations = { .id = "operations", .seen = seen };
