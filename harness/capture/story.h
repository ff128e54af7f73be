/* SPDX-License-Identifier: Apache-2.0
 *
 * The conversations of one client of a capture, as events of a log (log/eventlog.h): what oracles read of a run they
 * can read of a capture. Private to capture/.
 */
#ifndef BJ_CAPTURE_STORY_H
#define BJ_CAPTURE_STORY_H

#include "capture/parties.h"

enum { BJ_STORY_SERVERS = 200 };

typedef struct bj_story_connection {
    bj_addr client, server;
    int number;
    bool open;
} bj_story_connection;

/* Called for each event; `event` and what it points to are gone when it returns. */
typedef void bj_story_fn(void *context, const bj_event *event, const bj_unit *unit);

typedef struct bj_story {
    const bj_parties *parties;
    uint32_t party;
    bj_story_fn *tell;
    void *context;
    uint32_t sequence;
    bj_addr servers[BJ_STORY_SERVERS]; /* actor BJ_ACTOR_SERVER_0 and on; the last stands for all that are more */
    unsigned server_count;
    bj_story_connection connections[64];
    int connection_count;
    bj_unit carrier; /* a record that waits for what was in it; kind 0: none */
    uint8_t *carried;
    size_t carried_room;
} bj_story;

/* *story is the caller's; bj_story_end() gives back what it holds. */
void bj_story_begin(bj_story *story, const bj_parties *parties, uint32_t party, bj_story_fn *tell, void *context);
/* The next unit of the capture; those of other clients are passed over. */
void bj_story_take(bj_story *story, const bj_unit *unit);
void bj_story_end(bj_story *story);

#endif
