/* SPDX-License-Identifier: Apache-2.0
 *
 * See owners.h. Flows stand in sets: those of a host, those of a host and a name, those of a name. Each set knows its
 * first flow, its first of each port, and the one that spoke last of those that began until any time.
 */
#define _GNU_SOURCE
#include "capture/owners.h"

#include <stdlib.h>
#include <string.h>

#include "capture/grow.h"

#define NONE UINT32_MAX

struct bj_owner_set {
    bool of_host, of_name;
    uint32_t flow;  /* one of its flows, for the host */
    uint32_t party; /* one of its clients, for the name; NONE: those without a name */
    uint32_t id;    /* of its ports */
    uint32_t lowest;
    uint32_t head, tail; /* all its flows, where they may leave it: clients without a name get one */
    /* Flows by the time when they began: whoever stands further back spoke later. Others are never the answer. */
    uint32_t *late;
    uint32_t late_count;
    size_t late_room;
};

/* --- sets ----------------------------------------------------------------------------------------------------- */

/* NULL: any. */
typedef struct set_key {
    const bj_owners *owners;
    const bj_parties *parties;
    const bj_addr *host;
    const char *name;
} set_key;

static uint64_t hash_of(const set_key *key) {
    uint64_t hash = BJ_LOOKUP_START + (key->host ? 1 : 0) + (key->name ? 2 : 0);
    if (key->host) {
        hash = bj_lookup_hash(hash, key->host->ip, key->host->family == 6 ? 16 : 4);
    }
    return key->name ? bj_lookup_hash(hash, key->name, strlen(key->name)) : hash;
}

static bool is_key_of(const void *context, uint32_t number) {
    const set_key *key = context;
    const bj_owner_set *set = &key->owners->sets[number];
    const char *name = set->party == NONE ? "" : key->parties->all[set->party].endpoint;
    return set->of_host == (key->host != NULL) && set->of_name == (key->name != NULL) &&
           (!key->host || bj_addr_same_host(key->host, &key->parties->flows[set->flow].client)) &&
           (!key->name || !strcmp(key->name, name));
}

static bj_owner_set *find_set(const set_key *key) {
    const uint32_t *number = bj_lookup_find(&key->owners->by_key, hash_of(key), is_key_of, key);
    return number ? &key->owners->sets[*number] : NULL;
}

static void empty(bj_owners *o, bj_owner_set *set) {
    set->id = o->ids++;
    set->lowest = set->head = set->tail = NONE;
    set->late_count = 0;
}

static bj_owner_set *add_set(bj_owners *o, const set_key *key, uint32_t flow) {
    bj_owner_set *sets = bj_grown(o->sets, o->count, &o->room, sizeof *sets, 64);
    if (!sets) {
        return NULL;
    }
    o->sets = sets;
    if (!bj_lookup_add(&o->by_key, hash_of(key), (uint32_t) o->count)) {
        return NULL;
    }
    bj_owner_set *set = &o->sets[o->count++];
    bool named = key->name && *key->name;
    *set = (bj_owner_set){ .of_host = key->host,
                           .of_name = key->name,
                           .flow = flow,
                           .party = named ? key->parties->flows[flow].party : NONE };
    empty(o, set);
    return set;
}

/* --- flows in a set ------------------------------------------------------------------------------------------- */

/* Of two that spoke last at the same time, the later in the capture. */
static bool speaks_later(const bj_parties *p, uint32_t a, uint32_t b) {
    return p->flows[a].last != p->flows[b].last ? p->flows[a].last > p->flows[b].last : a > b;
}

/* How many of set->late began before `time`, or then. */
static uint32_t begun(const bj_parties *p, const bj_owner_set *set, bj_time time) {
    uint32_t low = 0, high = set->late_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (p->flows[set->late[middle]].first <= time) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool add_late(const bj_parties *p, bj_owner_set *set, uint32_t flow) {
    bj_time first = p->flows[flow].first;
    uint32_t from = begun(p, set, first);
    if (from && speaks_later(p, set->late[from - 1], flow)) {
        return true;
    }
    uint32_t until = from;
    from -= from && p->flows[set->late[from - 1]].first == first;
    while (until < set->late_count && speaks_later(p, flow, set->late[until])) {
        until++;
    }
    uint32_t *late = bj_grown(set->late, set->late_count, &set->late_room, sizeof *late, 2);
    if (!late) {
        return false;
    }
    set->late = late;
    memmove(set->late + from + 1, set->late + until, (set->late_count - until) * sizeof *set->late);
    set->late[from] = flow;
    set->late_count = set->late_count - (until - from) + 1;
    return true;
}

static uint64_t port_key(const bj_owner_set *set, uint16_t port) {
    return bj_lookup_hash_number((uint64_t) set->id << 16 | port);
}

static bool add_port(bj_owners *o, const bj_owner_set *set, uint16_t port, uint32_t flow) {
    uint32_t *first = bj_lookup_find(&o->by_port, port_key(set, port), NULL, NULL);
    if (first) {
        *first = flow < *first ? flow : *first;
        return true;
    }
    return bj_lookup_add(&o->by_port, port_key(set, port), flow);
}

static void chain(bj_owners *o, bj_owner_set *set, uint32_t flow) {
    o->next[flow] = NONE;
    *(set->tail == NONE ? &set->head : &o->next[set->tail]) = flow;
    set->tail = flow;
}

static bool put(bj_owners *o, const bj_parties *p, uint32_t flow, const bj_addr *host, const char *name) {
    const set_key key = { o, p, host, name };
    bj_owner_set *set = find_set(&key);
    set = set ? set : add_set(o, &key, flow);
    if (!set) {
        return false;
    }
    if (name && !*name) {
        chain(o, set, flow);
    }
    set->lowest = flow < set->lowest ? flow : set->lowest;
    return add_port(o, set, p->flows[flow].client.port, flow) && add_late(p, set, flow);
}

static bool put_named(bj_owners *o, const bj_parties *p, uint32_t flow, const char *name) {
    return put(o, p, flow, &p->flows[flow].client, name) && (!*name || put(o, p, flow, NULL, name));
}

/* --- asking --------------------------------------------------------------------------------------------------- */

bool bj_owners_add(bj_owners *o, const bj_parties *p, uint32_t flow) {
    o->next = o->next ? o->next : malloc(p->flow_count * sizeof *o->next);
    return o->next && put(o, p, flow, &p->flows[flow].client, NULL) &&
           put_named(o, p, flow, p->all[p->flows[flow].party].endpoint);
}

bool bj_owners_named(bj_owners *o, const bj_parties *p, uint32_t party) {
    const bj_party *one = &p->all[party];
    const set_key nameless = { o, p, &one->host, "" };
    bj_owner_set *set = find_set(&nameless);
    if (!set) {
        return true;
    }
    uint32_t next = set->head;
    empty(o, set);
    while (next != NONE) {
        uint32_t flow = next;
        next = o->next[flow];
        if (!put_named(o, p, flow, p->flows[flow].party == party ? one->endpoint : "")) {
            return false;
        }
    }
    return true;
}

/* What sets say together. */
typedef struct answer {
    uint32_t lowest, port, late;
} answer;

static void ask(const set_key *key, const bj_flow *f, answer *a) {
    const bj_owner_set *set = find_set(key);
    if (!set || set->lowest == NONE) {
        return;
    }
    const uint32_t *port = bj_lookup_find(&key->owners->by_port, port_key(set, f->client.port), NULL, NULL);
    uint32_t before = begun(key->parties, set, f->first);
    a->lowest = set->lowest < a->lowest ? set->lowest : a->lowest;
    a->port = port && *port < a->port ? *port : a->port;
    if (before && (a->late == NONE || speaks_later(key->parties, set->late[before - 1], a->late))) {
        a->late = set->late[before - 1];
    }
}

uint32_t bj_owners_find(const bj_owners *o, const bj_parties *p, const bj_flow *f) {
    answer a = { NONE, NONE, NONE };
    const bool named = *f->endpoint;
    ask(&(set_key){ o, p, &f->client, named ? f->endpoint : NULL }, f, &a);
    if (named) {
        ask(&(set_key){ o, p, &f->client, "" }, f, &a);
    }
    if (named && a.lowest == NONE) {
        ask(&(set_key){ o, p, NULL, f->endpoint }, f, &a);
    }
    if (a.lowest == NONE || a.port != NONE) {
        return a.port == NONE ? NONE : p->flows[a.port].party;
    }
    bool later = a.late != NONE && p->flows[a.late].last >= p->flows[a.lowest].last;
    return p->flows[later ? a.late : a.lowest].party;
}

void bj_owners_free(bj_owners *o) {
    for (size_t i = 0; i < o->count; i++) {
        free(o->sets[i].late);
    }
    free(o->sets);
    free(o->next);
    bj_lookup_free(&o->by_key);
    bj_lookup_free(&o->by_port);
    *o = (bj_owners){ .count = 0 };
}
