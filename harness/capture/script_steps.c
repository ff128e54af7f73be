/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of a scenario, from the messages of a conversation in their order. What one step says of several messages
 * (an answer that a step expects, blocks, copies) is marked as done; what no step can say stands in comments.
 */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "capture/script_internal.h"
#include "script/print.h"
#include "wire/entries.h"
#include "wire/link.h"

enum { MOST_STEPS = 4000 };

/* --- all of it ------------------------------------------------------------------------------------------------ */

static void put_message(bj_script *s, int index) {
    const bj_message *m = script_message(s, index);
    switch (m->kind) {
    case BJ_TALK_REQUEST:
        if (m->by_client && m->repeats != BJ_TALK_NONE) {
            script_clients_copy(s, index);
        } else if (m->by_client) {
            script_overtaking_requests(s, index);
            script_client_request(s, index, false);
            script_unanswered(s, index);
        } else if (m->repeats != BJ_TALK_NONE) {
            script_repeated_request(s, index);
        } else {
            script_servers_request(s, index);
        }
        break;
    case BJ_TALK_RESPONSE:
        if (m->by_client) {
            script_clients_response(s, index);
        } else {
            script_servers_response(s, index);
        }
        break;
    case BJ_TALK_EMPTY:
        if (m->by_client) {
            script_clients_empty(s, index);
        } else {
            script_servers_empty(s, index);
        }
        break;
    case BJ_TALK_BROKEN:
        if (!m->by_client) {
            script_raw(s, m, m->cut ? "the capture holds only a part of it" : "no well-formed CoAP");
        } else {
            script_say(s, "frame %u: the client sends %zu bytes that are no well-formed CoAP", m->frame, m->length);
            s->unsaid++;
        }
        break;
    case BJ_TALK_RECORD:
        if (m->record == BJ_RECORD_CLIENT_HELLO && m->by_client) {
            script_handshake(s, index);
        }
        break;
    case BJ_TALK_OPEN:
        script_connection(s, index);
        break;
    case BJ_TALK_CLOSE:
        script_hang_up(s, index);
        break;
    default:
        break;
    }
}

/* A client that is only followed may say what no step awaits until the capture ends. */
static void follow_to_the_end(bj_script *s) {
    bj_time end = s->talk->count ? s->talk->messages[s->talk->count - 1].time : 0;
    bj_time gap = script_pause(s, script_since(s, end) ? script_since(s, end) * 3 / 2 + BJ_SECOND : 0);
    if (s->follows && gap > BJ_SECOND) {
        script_put_when(s, script_step(s, BJ_K_ADVANCE), BJ_F(ADVANCE, FOR),
                        (bj_when){ .earliest = (int64_t) gap, .latest = (int64_t) gap });
    }
}

void script_put_steps(bj_script *s) {
    s->comment = bj_text_over(s->comment_room, sizeof s->comment_room);
    s->done = bj_arena_calloc(s->arena, s->talk->count + 1, sizeof *s->done);
    script_count_observations(s);
    s->kept = bj_arena_calloc(s->arena, s->talk->count + 1, sizeof *s->kept);
    s->awaited = BJ_TALK_NONE;
    for (size_t i = 0; i < s->talk->count; i++) {
        if (s->count >= MOST_STEPS) {
            script_assume(s, "a scenario holds no more steps: what comes behind frame %u is left out",
                          s->talk->messages[i].frame);
            break;
        }
        s->current = (int) i;
        script_noted_steps(s, s->talk->messages[i].frame);
        if (!s->done[i]) {
            put_message(s, (int) i);
        }
    }
    script_noted_steps(s, UINT32_MAX);
    follow_to_the_end(s);
    if (!s->count) {
        script_set_text(s, script_step(s, BJ_K_NOTE), BJ_F(NOTE, TEXT),
                        "the capture shows nothing that a step can say");
    }
    bj_value v = { .type = BJ_T_STEPS };
    v.as.records.items = s->steps;
    v.as.records.count = s->count;
    bj_set(s->arena, s->root, BJ_F(SCENARIO, STEPS), &v);
}
