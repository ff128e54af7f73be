/* SPDX-License-Identifier: Apache-2.0
 *
 * See gather.h.
 */
#define _GNU_SOURCE
#include "capture/gather.h"

#include <stdlib.h>
#include <string.h>

#include "capture/owners.h"

#define NONE UINT32_MAX

static bj_party *add_party(bj_parties *p, const bj_flow *f) {
    bj_party *all = realloc(p->all, (p->count + 1) * sizeof *all);
    if (!all) {
        return NULL;
    }
    p->all = all;
    bj_party *one = &all[p->count++];
    *one = (bj_party){ .host = f->client, .first_frame = f->first_frame, .first = f->first, .instance = -1 };
    one->host.port = 0;
    memcpy(one->endpoint, f->endpoint, sizeof one->endpoint);
    return one;
}

static void join(bj_parties *p, bj_flow *f, uint32_t number) {
    bj_party *one = &p->all[number];
    f->party = number;
    one->flows++;
    one->first_frame = f->first_frame < one->first_frame ? f->first_frame : one->first_frame;
    one->first = f->first < one->first ? f->first : one->first;
    one->last_frame = f->last_frame > one->last_frame ? f->last_frame : one->last_frame;
    one->last = f->last > one->last ? f->last : one->last;
    if (f->bootstrap) {
        bool first = !one->bootstrap.family;
        one->bootstrap = first ? f->server : one->bootstrap;
        one->asked_first = first || f->asked_first < one->asked_first ? f->asked_first : one->asked_first;
        one->asked_last = f->asked_last > one->asked_last ? f->asked_last : one->asked_last;
    }
    one->instance = one->instance < 0 ? f->instance : one->instance;
    if (!*one->endpoint) {
        memcpy(one->endpoint, f->endpoint, sizeof one->endpoint);
    }
}

/* --- lists ---------------------------------------------------------------------------------------------------- */

/* Numbers in ascending order, in several lists. */
typedef struct lists {
    uint32_t *first, *next; /* NONE: no more */
} lists;

static bool begin_lists(lists *l, size_t count, size_t members) {
    l->first = malloc(count * sizeof *l->first + 1);
    l->next = malloc(members * sizeof *l->next + 1);
    if (l->first) {
        memset(l->first, 0xFF, count * sizeof *l->first);
    }
    return l->first && l->next;
}

/* In front of those that are there: the greatest is put first. */
static void put(lists *l, uint32_t list, uint32_t member) {
    l->next[member] = l->first[list];
    l->first[list] = member;
}

static void free_lists(lists *l) {
    free(l->first);
    free(l->next);
}

/* Of each client. */
static bool list_flows(const bj_parties *p, lists *flows) {
    if (!begin_lists(flows, p->count, p->flow_count)) {
        return false;
    }
    for (size_t i = p->flow_count; i-- > 0;) {
        if (p->flows[i].party != NONE) {
            put(flows, p->flows[i].party, (uint32_t) i);
        }
    }
    return true;
}

static void join_all(bj_parties *p, const lists *flows, uint32_t from, uint32_t to) {
    p->all[from].flows = 0;
    for (uint32_t k = flows->first[from]; k != NONE; k = flows->next[k]) {
        join(p, &p->flows[k], to);
    }
}

/* --- bootstraps ----------------------------------------------------------------------------------------------- */

static uint64_t hash_host(uint64_t hash, const bj_addr *addr) {
    return bj_lookup_hash(hash, addr->ip, addr->family == 6 ? 16 : 4);
}

static uint64_t hash_bootstrap(const bj_flow *f) {
    uint64_t hash = hash_host(BJ_LOOKUP_START, &f->client);
    hash = hash_host(bj_lookup_hash(hash, f->endpoint, strlen(f->endpoint)), &f->server);
    return bj_lookup_hash(hash, &f->server.port, sizeof f->server.port);
}

typedef struct sought {
    const bj_parties *p;
    const bj_flow *flow;
    uint32_t party;
} sought;

static bool is_bootstrap_of(const void *context, uint32_t number) {
    const sought *s = context;
    const bj_party *one = &s->p->all[number];
    return bj_addr_same_host(&one->host, &s->flow->client) && !strcmp(one->endpoint, s->flow->endpoint) &&
           bj_addr_equal(&one->bootstrap, &s->flow->server);
}

static bool gather_bootstrap(bj_parties *p, bj_lookup *known, bj_flow *f) {
    uint64_t hash = hash_bootstrap(f);
    const uint32_t *found = bj_lookup_find(known, hash, is_bootstrap_of, &(sought){ .p = p, .flow = f });
    uint32_t number = found ? *found : (uint32_t) p->count;
    if (!found && (!add_party(p, f) || !bj_lookup_add(known, hash, number))) {
        return false;
    }
    join(p, f, number);
    return true;
}

/* Flows that begin a bootstrap: one client for each address, name and Bootstrap-Server. */
static bool gather_bootstraps(bj_parties *p) {
    bj_lookup known = { .room = 0 };
    bool good = true;
    for (size_t i = 0; good && i < p->flow_count; i++) {
        good = !p->flows[i].bootstrap || gather_bootstrap(p, &known, &p->flows[i]);
    }
    bj_lookup_free(&known);
    return good;
}

/* --- clients that move ---------------------------------------------------------------------------------------- */

/* A packet before and behind a translation of addresses, both of which were captured; whoever moves takes longer. */
static bool is_translated(const bj_party *a, const bj_party *b) {
    bj_time apart = a->asked_first > b->asked_first ? a->asked_first - b->asked_first : b->asked_first - a->asked_first;
    return !bj_addr_same_host(&a->host, &b->host) && bj_addr_equal(&a->bootstrap, &b->bootstrap) && apart < BJ_SECOND;
}

/* Of one name; or without one, on one host. */
static bool is_namesake(const void *context, uint32_t number) {
    const sought *s = context;
    const bj_party *a = &s->p->all[s->party], *b = &s->p->all[number];
    return !strcmp(a->endpoint, b->endpoint) && (*a->endpoint || bj_addr_same_host(&a->host, &b->host));
}

/* A list for each of them, by one of its clients. */
static bool list_namesakes(const bj_parties *p, lists *namesakes) {
    bj_lookup known = { .room = 0 };
    bool good = begin_lists(namesakes, p->count, p->count);
    for (size_t i = p->count; good && i-- > 0;) {
        const bj_party *one = &p->all[i];
        uint64_t hash = *one->endpoint ? bj_lookup_hash(BJ_LOOKUP_START, one->endpoint, strlen(one->endpoint))
                                       : hash_host(BJ_LOOKUP_START, &one->host);
        const uint32_t *found = bj_lookup_find(&known, hash, is_namesake, &(sought){ .p = p, .party = (uint32_t) i });
        good = found || bj_lookup_add(&known, hash, (uint32_t) i);
        put(namesakes, found ? *found : (uint32_t) i, (uint32_t) i);
    }
    bj_lookup_free(&known);
    return good;
}

/* One client that goes from one Bootstrap-Server to another is not at both at the same time. */
static void merge_into(bj_parties *p, uint32_t number, uint32_t *next, const lists *flows) {
    for (uint32_t *at = &next[number]; *at != NONE;) {
        const bj_party *a = &p->all[number], *b = &p->all[*at];
        if (is_translated(a, b) || !(a->asked_last < b->asked_first || b->asked_last < a->asked_first)) {
            at = &next[*at];
            continue;
        }
        join_all(p, flows, *at, number);
        *at = next[*at];
    }
}

static bool merge_moved(bj_parties *p) {
    lists flows = { NULL, NULL }, namesakes = { NULL, NULL };
    bool good = list_flows(p, &flows) && list_namesakes(p, &namesakes);
    for (size_t i = 0; good && i < p->count; i++) {
        for (uint32_t n = namesakes.first[i]; n != NONE; n = namesakes.next[n]) {
            merge_into(p, n, namesakes.next, &flows);
        }
    }
    free_lists(&flows);
    free_lists(&namesakes);
    return good;
}

/* --- the rest ------------------------------------------------------------------------------------------------- */

static bool gather_one(bj_parties *p, bj_owners *owners, uint32_t number) {
    bj_flow *f = &p->flows[number];
    uint32_t owner = bj_owners_find(owners, p, f);
    if (owner == NONE) {
        owner = (uint32_t) p->count;
        if (!add_party(p, f)) {
            return false;
        }
    }
    bool nameless = !*p->all[owner].endpoint;
    join(p, f, owner);
    if (nameless && *p->all[owner].endpoint && !bj_owners_named(owners, p, owner)) {
        return false;
    }
    return bj_owners_add(owners, p, number);
}

static bool gather_rest(bj_parties *p) {
    bj_owners owners = { .count = 0 };
    bool good = true;
    for (size_t i = 0; good && i < p->flow_count; i++) {
        good = p->flows[i].party == NONE || bj_owners_add(&owners, p, (uint32_t) i);
    }
    for (int named = 1; named >= 0; named--) {
        for (size_t i = 0; good && i < p->flow_count; i++) {
            const bj_flow *f = &p->flows[i];
            good = f->party != NONE || (*f->endpoint != '\0') != named || gather_one(p, &owners, (uint32_t) i);
        }
    }
    bj_owners_free(&owners);
    return good;
}

/* Those that were merged into others are no more. */
static bool drop_empty(bj_parties *p) {
    uint32_t *numbers = malloc(p->count * sizeof *numbers + 1);
    size_t kept = 0;
    if (!numbers) {
        return false;
    }
    for (size_t i = 0; i < p->count; i++) {
        numbers[i] = (uint32_t) kept;
        if (p->all[i].flows) {
            p->all[kept++] = p->all[i];
        }
    }
    for (size_t k = 0; k < p->flow_count; k++) {
        p->flows[k].party = p->flows[k].party == NONE ? NONE : numbers[p->flows[k].party];
    }
    free(numbers);
    p->count = kept;
    return true;
}

bool bj_parties_gather(bj_parties *p) {
    return gather_bootstraps(p) && merge_moved(p) && gather_rest(p) && drop_empty(p);
}

bool bj_parties_join(bj_parties *p, const char *endpoint) {
    lists flows = { NULL, NULL };
    bool good = list_flows(p, &flows);
    uint32_t one = NONE;
    for (size_t i = 0; good && i < p->count; i++) {
        bool same = !*p->all[i].endpoint || !strcmp(p->all[i].endpoint, endpoint);
        if (same && one != NONE) {
            join_all(p, &flows, (uint32_t) i, one);
        }
        one = same && one == NONE ? (uint32_t) i : one;
    }
    free_lists(&flows);
    return good && drop_empty(p);
}
