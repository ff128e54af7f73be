/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is who in a capture, by what they say: clients ask for bootstraps, register, begin handshakes and connections;
 * whom they ask is a Bootstrap-Server or a server. Private to capture/.
 */
#ifndef BJ_CAPTURE_PARTIES_H
#define BJ_CAPTURE_PARTIES_H

#include "capture/unit.h"

/* Two endpoints that exchange datagrams, or connections of one pair of ports. */
typedef struct bj_flow {
    bj_addr client, server;
    bool stream, secure;
    bool certain;   /* somebody said something that only a client, or only a server, says */
    uint32_t party; /* of the client; UINT32_MAX: not told yet */
    uint32_t first_frame, last_frame;
    bj_time first, last;
    bool bootstrap; /* a Bootstrap-Request goes to `server`: the first and the last */
    bj_time asked_first, asked_last;
    bj_addr nameless;   /* who asked for a bootstrap without a name first, or said Finish; family 0: nobody */
    bool lwm2m;         /* a Bootstrap-Request or a Register does */
    char endpoint[128]; /* the Endpoint Client Name, as far as it was said here; "" */
    int instance;       /* of the bootstrap account, as the first Bootstrap-Discover shows it; -1 */
} bj_flow;

/* A client: an address and a name, and the Bootstrap-Server where one address has several clients of that name. */
typedef struct bj_party {
    bj_addr host; /* without a port */
    char endpoint[128];
    bj_addr bootstrap; /* family 0: none was asked */
    uint32_t first_frame, last_frame;
    bj_time first, last;
    bj_time asked_first, asked_last; /* Bootstrap-Requests */
    uint32_t flows;
    int instance; /* of its bootstrap account, as its first Bootstrap-Discover shows it; -1 */
} bj_party;

typedef struct bj_parties {
    bj_flow *flows;
    size_t flow_count, flow_room;
    uint32_t *index; /* of flows by their addresses; UINT32_MAX: free */
    size_t index_room;
    bj_party *all;
    size_t count;
    uint32_t not_understood;    /* frames */
    const char *examples[8];    /* what they are, */
    uint32_t example_frames[8]; /* the first of each, */
    uint32_t example_counts[8]; /* and how many */
    bj_units_seen seen;
    bool overflow;    /* there are more conversations than are kept */
    char damage[300]; /* where the file cannot be read further; "" */
} bj_parties;

/* Reads the whole capture, twice where there is something to decrypt or a port was known too late, and leaves `units`
 * at its beginning. false: *why.
 */
bool bj_parties_find(bj_parties *parties, bj_units *units, bj_text *why);
/* All of that name are one client, whatever their addresses and Bootstrap-Servers; those without a name are, too.
 * false: no memory. */
bool bj_parties_join(bj_parties *parties, const char *endpoint);
/* The conversation that this unit belongs to; NULL: none. */
const bj_flow *bj_parties_flow(const bj_parties *parties, const bj_unit *unit);
/* The clients that `text` names: an address, one with a port, or an Endpoint Client Name. The first; -1: none. */
int bj_parties_named(const bj_parties *parties, const char *text);
/* "127.0.0.1 (dev-1, Bootstrap-Server 192.0.2.1:5683)" */
void bj_party_print(bj_text *out, const bj_party *party);
void bj_parties_free(bj_parties *parties);

#endif
