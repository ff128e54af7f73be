/* SPDX-License-Identifier: Apache-2.0
 *
 * The client that sessions are played against. A program that plays sessions is linked with one definition of
 * `session_client_played`: that of session_client_bootjack.c, our own client with all that can be had of it, or, where
 * BOOTJACK_FUZZ_CLIENT names another (docs/porting.md), that of session_client_other.c, which has its attachment and
 * nothing else.
 */
#ifndef BJ_FUZZ_SESSION_CLIENT_H
#define BJ_FUZZ_SESSION_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "attach/linked.h"

struct bootjack_allocator; /* bootjack/client.h */

/* A move that a state machine of the client can make, as its state_changed() tells it. */
typedef struct session_move {
    const char *machine, *from, *to;
} session_move;

/* What is NULL or 0 the client does not offer; sessions do without. */
typedef struct session_client {
    const bootjack_linked_client *functions;
    const char *profile; /* its profile, as YAML */
    bool promises;       /* to keep what SHOULD be kept, too: a broken SHOULD is a finding */
    unsigned piece;      /* bytes: over TCP servers send it no less at a time; what fails below is known */
    /* In place of functions->create(): its memory comes from `allocator` (copied), is limited, and is counted. */
    void *(*create)(const bootjack_linked_config *config, const struct bootjack_allocator *allocator);
    void (*prepare)(void); /* once, before the first session */
    void (*begin)(void);   /* before a session; what libraries of the client allocate is counted from here on */
    size_t (*end)(void);   /* behind it: how many blocks of theirs were not released */
    const session_move *moves;
    size_t move_count;
} session_client;

extern const session_client session_client_played;

#endif
