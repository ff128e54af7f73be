/* SPDX-License-Identifier: Apache-2.0
 *
 * See session_client.h. Our own client: its memory and libcoap's are counted, what GnuTLS makes once is kept, and all
 * moves of its state machines are known.
 */
#include "session_client.h"

#include <string.h>

#include "attach/linked_bootjack.h"
#include "session_coap.h"
#include "session_gnutls.h"

/* The moves that client/src/bootstrap/bootstrap.c and client/src/registration/registration.c can make. */
#define MOVES(X)                                                                                                       \
    X("bootstrap", "idle", "holding off")                                                                              \
    X("bootstrap", "idle", "receiving")                                                                                \
    X("bootstrap", "holding off", "holding off")                                                                       \
    X("bootstrap", "holding off", "asking for a pack")                                                                 \
    X("bootstrap", "holding off", "requesting")                                                                        \
    X("bootstrap", "holding off", "receiving")                                                                         \
    X("bootstrap", "holding off", "idle")                                                                              \
    X("bootstrap", "asking for a pack", "requesting")                                                                  \
    X("bootstrap", "asking for a pack", "holding off")                                                                 \
    X("bootstrap", "asking for a pack", "idle")                                                                        \
    X("bootstrap", "requesting", "holding off")                                                                        \
    X("bootstrap", "requesting", "receiving")                                                                          \
    X("bootstrap", "requesting", "idle")                                                                               \
    X("bootstrap", "receiving", "holding off")                                                                         \
    X("bootstrap", "receiving", "idle")                                                                                \
    X("server", "queued", "waiting")                                                                                   \
    X("server", "queued", "gone")                                                                                      \
    X("server", "waiting", "registering")                                                                              \
    X("server", "waiting", "waiting")                                                                                  \
    X("server", "waiting", "failed")                                                                                   \
    X("server", "registering", "registered")                                                                           \
    X("server", "registering", "waiting")                                                                              \
    X("server", "registering", "failed")                                                                               \
    X("server", "registered", "updating")                                                                              \
    X("server", "registered", "waiting")                                                                               \
    X("server", "registered", "leaving")                                                                               \
    X("server", "updating", "registered")                                                                              \
    X("server", "updating", "waiting")                                                                                 \
    X("server", "updating", "leaving")                                                                                 \
    X("server", "updating", "failed")                                                                                  \
    X("server", "leaving", "disabled")                                                                                 \
    X("server", "leaving", "gone")                                                                                     \
    X("server", "waiting", "gone")                                                                                     \
    X("server", "registering", "gone")                                                                                 \
    X("server", "registered", "gone")                                                                                  \
    X("server", "updating", "gone")                                                                                    \
    X("server", "failed", "gone")                                                                                      \
    X("server", "disabled", "gone")                                                                                    \
    X("server", "disabled", "waiting")

static const session_move moves[] = {
#define MOVE(machine, from, to) { machine, from, to },
    MOVES(MOVE)
#undef MOVE
};

static void *create(const bootjack_linked_config *config, const struct bootjack_allocator *allocator) {
    return bj_linked_bootjack_create(config, allocator, NULL);
}

static void begin(void) {
    session_gnutls_begin();
    session_coap_begin();
}

const session_client session_client_played = {
    .functions = &bootjack_client_linked,
    .promises = true,
    .piece = 16, /* libcoap 4.3.1 loses its place in a stream where a header, of at most 14 bytes, comes in two */
    .profile = bj_linked_profile,
    .create = create,
    .prepare = session_gnutls_keep,
    .begin = begin,
    .end = session_coap_end,
    .moves = moves,
    .move_count = sizeof moves / sizeof *moves,
};
