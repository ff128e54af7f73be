/* SPDX-License-Identifier: Apache-2.0
 *
 * A fleet: many linked clients (attach/linked.h) in one process and one simulated world, driven by one loop. An event
 * costs the same however large the fleet is: clients with something to read stand in a queue, those that wait in a heap
 * by their deadlines.
 */
#ifndef BJ_FLEET_FLEET_H
#define BJ_FLEET_FLEET_H

#include "attach/linked.h"
#include "fleet/servers.h"

typedef struct fleet_config {
    const bootjack_linked_client *client;
    unsigned clients, servers, observations;
    uint64_t seed;
    bj_time duration;   /* of virtual time */
    bj_time spread;     /* the clients are switched on within so long, at random; 0 = all at once */
    uint32_t holdoff_s; /* /0/x/11 */
    unsigned jitter;    /* a hold-off is longer at random by up to so many percent; 0: never */
    uint32_t lifetime_s, pmax_s;
    unsigned curve_s;
} fleet_config;

/* The defaults: a thousand of our clients, two servers, ten observations, twenty minutes, jitter of 50 percent. */
void fleet_config_init(fleet_config *config);

typedef struct fleet_result {
    fleet_counts counts;
    unsigned made, complete; /* clients */
    bj_time complete_at;     /* BJ_NEVER: not all were */
    bj_time virtual_time;
    uint64_t steps;             /* of all clients together */
    double real_s, real_made_s; /* seconds, in all and to make the clients */
    size_t heap;                /* bytes of malloc() at the end, of which `heap_before` were there before the clients */
    size_t heap_before;
    size_t world;    /* bytes of the world's memory at most */
    size_t resident; /* bytes of the process at most */
    uint32_t *curve; /* `curve_s` of them; free() */
} fleet_result;

/* Runs it. False with a line in `why`: it cannot be made, for want of memory or because the one host that the clients
 * share has no ports for so many. */
bool fleet_run(const fleet_config *config, fleet_result *result, char *why, size_t why_size);

#endif
