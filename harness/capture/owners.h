/* SPDX-License-Identifier: Apache-2.0
 *
 * Conversations whose client is told, found again by host, name and port. Private to capture/.
 */
#ifndef BJ_CAPTURE_OWNERS_H
#define BJ_CAPTURE_OWNERS_H

#include "capture/lookup.h"
#include "capture/parties.h"

typedef struct bj_owner_set bj_owner_set;

/* All zero is empty. Numbers are of parties->flows and parties->all. */
typedef struct bj_owners {
    bj_owner_set *sets;
    size_t count, room;
    bj_lookup by_key, by_port;
    uint32_t *next; /* for each flow of a client without a name: the next of its host */
    uint32_t ids;
} bj_owners;

/* The flow belongs to a client now. false: no memory. */
bool bj_owners_add(bj_owners *owners, const bj_parties *parties, uint32_t flow);
/* A client whose flows were added without a name has one now. false: no memory. */
bool bj_owners_named(bj_owners *owners, const bj_parties *parties, uint32_t party);
/* The client that this flow, which was not added, belongs to: one of that name, or one without a name on its host; for
 * a flow without a name, one on its host. Its own host comes first, then the same port, then who spoke last before.
 * UINT32_MAX: none. */
uint32_t bj_owners_find(const bj_owners *owners, const bj_parties *parties, const bj_flow *flow);
void bj_owners_free(bj_owners *owners);

#endif
