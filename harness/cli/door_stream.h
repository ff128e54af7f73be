/* SPDX-License-Identifier: Apache-2.0
 *
 * TCP through the door (door.h): each connection of a device goes on as one to its server. What is sent, either side's
 * end and a reset come through; that nobody listens there shows as a reset.
 */
#ifndef BJ_CLI_DOOR_STREAM_H
#define BJ_CLI_DOOR_STREAM_H

#include <poll.h>

#include "base/addr.h"

enum { CLI_DOOR_PAIRS = 64, CLI_DOOR_PAIR_ROOM = 16384 };

/* Of a device (0) and its server (1). */
typedef struct cli_door_pair {
    int fd[2];
    size_t used[2]; /* what came from there, and did not go on yet */
    bool end[2];    /* nothing more comes from there */
    bool told[2];   /* which the other one knows */
    uint8_t bytes[2][CLI_DOOR_PAIR_ROOM];
} cli_door_pair;

typedef struct cli_door_streams {
    int street; /* where they come */
    size_t count;
    cli_door_pair pairs[CLI_DOOR_PAIRS];
} cli_door_streams;

/* Who comes from `peer` is led to *server; false: nowhere. */
typedef bool cli_door_lead(void *context, const bj_addr *peer, bj_addr *server);

/* false: the port cannot be opened (errno). */
bool cli_door_streams_open(cli_door_streams *streams, const bj_addr *listen);
/* What poll() is to look at: at most 1 + 2 * CLI_DOOR_PAIRS; returns how many. */
size_t cli_door_streams_watch(const cli_door_streams *streams, struct pollfd *set);
/* What poll() found, in the set of the latest cli_door_streams_watch(). */
void cli_door_streams_go_on(cli_door_streams *streams, const struct pollfd *set, cli_door_lead *lead, void *context);

#endif
