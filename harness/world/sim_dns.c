/* SPDX-License-Identifier: Apache-2.0
 *
 * The scenario's names: what each gives, in which order over time, and how long an answer takes.
 */
#include <string.h>
#include <strings.h>

#include "world/sim_internal.h"

/* No resolver waits for ever. */
static const bj_time PATIENCE = 300 * BJ_SECOND;

/* The length of a name without the root's dot at its end. */
static size_t name_length(const char *name) {
    size_t length = strlen(name);
    return length > 1 && name[length - 1] == '.' ? length - 1 : length;
}

static bool same_name(const char *a, const char *b) {
    size_t length = name_length(a);
    return length == name_length(b) && strncasecmp(a, b, length) == 0;
}

static sim_name *find_name(const bj_sim *sim, const char *name) {
    for (sim_name *n = sim->names; n; n = n->next) {
        if (same_name(n->name, name)) {
            return n;
        }
    }
    return NULL;
}

void sim_set_dns(bj_world *w, const char *name, const bj_dns_answer *answers, size_t count) {
    bj_sim *sim = sim_of(w);
    sim_name *n = find_name(sim, name);
    if (!n) {
        n = bj_arena_alloc(sim->arena, sizeof *n);
        n->name = bj_arena_strdup(sim->arena, name);
        n->next = sim->names;
        sim->names = n;
    }
    bj_arena_free(sim->arena, n->answers);
    n->answers = bj_arena_copy(sim->arena, answers, count * sizeof *answers);
    n->count = count;
    n->present = 0;
    n->answers_given = 0;
}

/* The next answer that a name of the zone gives: each is used as often as it says, the last for good. */
static bj_dns_answer next_answer(sim_name *n) {
    if (n->count == 0) {
        return (bj_dns_answer){ .status = BJ_DNS_NXDOMAIN };
    }
    const bj_dns_answer *answer = &n->answers[n->present];
    n->answers_given++;
    if (answer->times && n->answers_given >= answer->times && n->present + 1 < n->count) {
        n->present++;
        n->answers_given = 0;
    }
    return *answer;
}

/* A name that stands in no zone: the first IPv4 address of the host that is called so, or the first that it has; else
 * what the zone says of all others (RFC 4592: "*"). */
static bj_dns_answer answer_of_host(const bj_sim *sim, const char *name) {
    sim_name *others = find_name(sim, "*");
    bj_dns_answer answer = { .status = BJ_DNS_NXDOMAIN };
    for (int actor = 0; actor <= sim->last_host; actor++) {
        const sim_host *host = sim->hosts[actor];
        if (host && host->address_count && same_name(host->name, name)) {
            answer.status = BJ_DNS_OK;
            answer.count = 1;
            if (!sim_host_address(sim, (uint8_t) actor, 4, &answer.addresses[0])) {
                answer.addresses[0] = host->addresses[0];
            }
            return answer;
        }
    }
    return others ? next_answer(others) : answer;
}

static bj_dns_answer answer_of_localhost(void) {
    bj_dns_answer answer = { .status = BJ_DNS_OK, .count = 2 };
    answer.addresses[0] = (bj_addr){ .family = 4, .ip = { 127, 0, 0, 1 } };
    answer.addresses[1] = (bj_addr){ .family = 6, .ip = { [15] = 1 } };
    return answer;
}

bj_sim_query *bj_sim_ask(bj_sim *sim, const char *name) {
    bj_sim_query *query = bj_arena_alloc(sim->arena, sizeof *query);
    sim_name *n = find_name(sim, name);
    query->name = bj_arena_strdup(sim->arena, name);
    query->due = sim->now;
    if (!n && same_name(name, "localhost")) {
        query->answer = answer_of_localhost();
        query->local = true;
        return query;
    }
    query->event = sim_log(sim, (bj_event){ .kind = BJ_EV_DNS_QUERY, .actor = BJ_ACTOR_CLIENT, .text = query->name });
    query->answer = n ? next_answer(n) : answer_of_host(sim, name);
    if (query->answer.delay > PATIENCE && query->answer.delay != BJ_NEVER) {
        query->answer = (bj_dns_answer){ .status = BJ_DNS_SERVFAIL, .delay = PATIENCE };
    }
    query->due = sim_later(sim->now, query->answer.delay);
    return query;
}

bj_time bj_sim_answer_due(const bj_sim_query *query) {
    return query->due;
}

static const char *status_text(int status) {
    switch (status) {
    case BJ_DNS_NXDOMAIN:
        return "NXDOMAIN";
    case BJ_DNS_NODATA:
        return "no address of the family asked for";
    default:
        return "SERVFAIL";
    }
}

/* The addresses of the family that was asked for; the count, or a negative bj_dns_status. */
static int pick_addresses(const bj_dns_answer *answer, int family, bj_addr *addresses, size_t room) {
    size_t count = 0;
    for (size_t i = 0; i < answer->count && i < BJ_DNS_ADDRESSES && count < room; i++) {
        if (family == 0 || answer->addresses[i].family == family) {
            addresses[count] = answer->addresses[i];
            addresses[count++].port = 0;
        }
    }
    if (answer->status != BJ_DNS_OK) {
        return -(int) answer->status;
    }
    return count ? (int) count : -BJ_DNS_NODATA;
}

static uint32_t log_answer(bj_sim *sim, const bj_sim_query *query, const bj_addr *addresses, int result) {
    BJ_TEXT(text, 700);
    bj_text_add(&text, query->name);
    if (result < 0) {
        bj_text_printf(&text, ": %s", status_text(-result));
    }
    for (int i = 0; i < result; i++) {
        bj_text_add(&text, i ? ", " : " = ");
        bj_addr_print(&text, &addresses[i]);
    }
    return sim_log(
        sim,
        (bj_event){ .kind = BJ_EV_DNS_ANSWER, .actor = BJ_ACTOR_CLIENT, .cause = query->event, .text = text.start });
}

int bj_sim_answer(bj_sim *sim, bj_sim_query *query, int family, bj_addr *addresses, size_t room) {
    int result = pick_addresses(&query->answer, family, addresses, room);
    if (!query->local) {
        uint32_t event = log_answer(sim, query, addresses, result);
        sim_tell_dns(sim, query->name, result < 0, event);
    }
    bj_arena_free(sim->arena, query->name);
    bj_arena_free(sim->arena, query);
    return bj_sim_over(sim) ? BJ_SIM_RESOLVE_OVER : result;
}

static bool never(void *context) {
    (void) context;
    return false;
}

int bj_sim_resolve(bj_sim *sim, const char *name, int family, bj_addr *addresses, size_t room) {
    if (bj_sim_over(sim) || bj_sim_glanced(sim) == BJ_SIM_OVER) {
        return BJ_SIM_RESOLVE_OVER;
    }
    bj_sim_query *query = bj_sim_ask(sim, name);
    while (sim->now < query->due) {
        if (bj_sim_wait_until(sim, never, NULL, query->due) == BJ_SIM_OVER) {
            return BJ_SIM_RESOLVE_OVER;
        }
    }
    return bj_sim_answer(sim, query, family, addresses, room);
}

const char *bj_sim_name_of(const bj_sim *sim, const bj_addr *address) {
    int actor = sim_host_of(sim, address);
    return actor < 0 ? NULL : sim->hosts[actor]->name;
}
