/* SPDX-License-Identifier: Apache-2.0
 *
 * The inner half of the control channel: what the child of a run asks for and its supervisor gives, the next steps of a
 * script that grows. A pair of sockets. The child asks with what it has of its script done, and waits for real: while
 * it does, virtual time stands still. It is asked for nothing itself, so nothing crosses while the client runs.
 */
#ifndef BJ_ATTACH_FEED_H
#define BJ_ATTACH_FEED_H

#include "base/arena.h"
#include "script/engine.h"

/* What the child says when it asks. */
typedef struct bj_feed_question {
    bj_time now;
    bj_time wake; /* the end of the client's present wait; BJ_NEVER: it waits for ever, or that is not known */
} bj_feed_question;

/* --- the child's end. Compiled into the preload library: no malloc(). --- */

typedef struct bj_child bj_child;

/* Gives the engine its feed, when the run has one. Again in a process that goes on with the run of one before it. */
void bj_feed_take_up(bj_child *child);

/* --- the supervisor's --- */

/* A question that is there; false: there is none. */
bool bj_feed_asked(int descriptor, bj_feed_question *question);
/* Answers it. `steps` with BJ_FED_STEPS; `arena` is for the moment. A child that is gone is not told, which its
 * supervisor learns otherwise. */
void bj_feed_answer(int descriptor, bj_arena *arena, bj_fed fed, const bj_record *steps);

#endif
