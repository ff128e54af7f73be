/* SPDX-License-Identifier: Apache-2.0
 *
 * What a fleet talks to: one Bootstrap-Server and some LwM2M Servers, in place of an engine. They do the same for every
 * client, well-behaved and at once: bootstrap, registration, observations, acknowledgements. They repeat nothing: the
 * fleet's network loses nothing.
 */
#ifndef BJ_FLEET_SERVERS_H
#define BJ_FLEET_SERVERS_H

#include "world/sim.h"

enum { FLEET_SERVERS_MOST = 4, FLEET_OBSERVATIONS_MOST = 10, FLEET_NAME = 32 };

/* How many of each came, from all clients. */
typedef struct fleet_counts {
    uint64_t bootstrap_requests, bootstraps; /* that came; that ended with an accepted Finish */
    uint64_t registers, updates, observations, notifications;
    uint64_t refused;  /* answers that were none of 2.xx, and messages that nobody understands */
    uint64_t received; /* datagrams in all */
    uint64_t sent;
} fleet_counts;

typedef struct fleet_servers fleet_servers;

typedef struct fleet_servers_config {
    bj_sim *sim;
    unsigned clients, servers, observations;
    uint32_t lifetime_s, pmax_s; /* /1/x/1; /1/x/3, 0 = absent */
    unsigned curve_s;            /* so many seconds of the curve are kept */
} fleet_servers_config;

/* Declares the servers' hosts and opens their ports. Free with fleet_servers_free(). */
fleet_servers *fleet_servers_new(const fleet_servers_config *config);
void fleet_servers_free(fleet_servers *servers);
const fleet_counts *fleet_servers_counts(const fleet_servers *servers);
/* Clients that are registered with every server and observed as often as it was asked for. */
unsigned fleet_servers_complete(const fleet_servers *servers);
/* When the last of them became so; BJ_NEVER: not all are. */
bj_time fleet_servers_complete_at(const fleet_servers *servers);
/* Bootstrap-Requests in each second from the start, `curve_s` of them; borrowed. */
const uint32_t *fleet_servers_curve(const fleet_servers *servers);
/* The Endpoint Client Name of a client, and the URI of the Bootstrap-Server. */
void fleet_name(unsigned client, char name[FLEET_NAME]);
extern const char fleet_bootstrap_uri[];

#endif
