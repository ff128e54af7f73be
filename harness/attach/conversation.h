/* SPDX-License-Identifier: Apache-2.0
 *
 * The event log for people: one line an event, with virtual times and the names of the scenario.
 */
#ifndef BJ_ATTACH_CONVERSATION_H
#define BJ_ATTACH_CONVERSATION_H

#include "log/eventlog.h"

typedef struct bj_conversation bj_conversation;

/* Reads the names out of `log`. From malloc(); NULL when there is no memory. */
bj_conversation *bj_conversation_new(const bj_log *log);
void bj_conversation_free(bj_conversation *conversation);

/* The line for this event, in *out; false: it is of no interest to a reader (a wait, an arrival as expected). Events
 * are given in the order of the log. */
bool bj_conversation_line(bj_conversation *conversation, const bj_event *event, bj_text *out);

/* The "coap" member of a datagram's JSON: a bj_log_decode_fn. */
void bj_conversation_decode(bj_text *out, const bj_event *event);

#endif
