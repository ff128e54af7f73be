/* SPDX-License-Identifier: Apache-2.0
 *
 * State feedback: what the client's state machines did in a session, as counters beside edge coverage. One counter
 * stands for (state, class of the event that arrived, outcome): a move to another state, or the code of an answer. A
 * fuzzing engine that sees them keeps inputs that bring the client somewhere new, though no new line of code was run.
 */
#ifndef BJ_FUZZ_SESSION_STATES_H
#define BJ_FUZZ_SESSION_STATES_H

#include <stdio.h>

#include "log/eventlog.h"

enum { SESSION_COUNTERS = 4096 };

/* libFuzzer reads and clears these (its section __libfuzzer_extra_counters); for AFL++ the same stands in its map. */
extern uint8_t session_counters[SESSION_COUNTERS];

/* Reads a session's log: bumps the counters, and remembers which moves of the state machines were seen since the
 * process began. */
void session_note_states(const bj_log *log);

/* Moves that were seen, of all that are possible, those that the client's table (session_client.h) does not have, which
 * is out of date then, and triples of (state, event class, outcome). Where there is no table the triples alone. */
typedef struct session_reach {
    unsigned reached, reachable, unknown, triples;
} session_reach;
session_reach session_states_reached(void);
/* "transitions: 27 of 30 reached (412 with what led to them and what came of it)" and a line for each that was not;
 * without a table "transitions: 412 with what led to them and what came of them". */
void session_print_states(FILE *out);

#endif
