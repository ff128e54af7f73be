/* SPDX-License-Identifier: Apache-2.0
 *
 * The real world: the same interface for the engine (bj_world_ops) over the machine's own sockets and clock, for
 * clients that are reached over a network. Time is what has passed since bj_real_world_new(). Names, links, faults and
 * the client's waits are not the world's here; ops->can says so.
 *
 * Every server of a scenario is mapped to the one listening address, each of its ports to a port there: the first port
 * of server number N (from 0) to `listen.port + N`, all others, and all when listen.port is 0, to free ones.
 * ops->real_address() and bj_real_world_address() tell which. A port that the script closes is closed for real (the
 * kernel then answers with ICMP, or a TCP reset) and taken up again under the same number. One that is closed
 * `silent`ly stays open and is not answered; a TCP connection to it is taken by the kernel and left alone.
 */
#ifndef BJ_WORLD_REAL_H
#define BJ_WORLD_REAL_H

#include <sys/types.h>

#include "base/arena.h"
#include "log/eventlog.h"
#include "script/engine.h"
#include "world.h"
#include "world/sim.h" /* bj_sim_peer */

typedef struct bj_real_world bj_real_world;

typedef struct bj_real_config {
    bj_addr listen;     /* unspecified address (0.0.0.0, ::): on all; URIs then carry the one the client reached */
    uint32_t interface; /* of a link-local `listen`, 0 = none */
    uint64_t seed;      /* of ops->random() */
    /* The client's standard input, as bj_sim_set_input(); NULL: there is none. Counts with `client_life` only. */
    bj_sim_input_fn *input;
    void *input_context;
    bool client_life; /* bj_real_world_set_client() will be called: the script may signal the client */
} bj_real_config;

/* NULL: the system refuses (errno). Everything but descriptors lies in the arena. */
bj_real_world *bj_real_world_new(bj_arena *arena, bj_log *log, const bj_real_config *config);
/* Closes all descriptors. */
void bj_real_world_free(bj_real_world *real);

const bj_world_ops *bj_real_world_ops(const bj_real_world *real);
static inline bj_world *bj_real_world_as_world(bj_real_world *real) {
    return (bj_world *) real;
}
void bj_real_world_set_engine(bj_real_world *real, bj_engine *engine);
void bj_real_world_set_peer(bj_real_world *real, const bj_sim_peer *peer); /* in place of an engine, for tests */

/* The client's process, a child of the caller: gets the script's signals, and its end ends bj_real_world_run().
 * A negative errno when it cannot be watched. */
int bj_real_world_set_client(bj_real_world *real, pid_t pid);

/* Where server number `server` (from 0) is reached on its scenario port `port`; 0 = its first. The port is reserved
 * when nothing has opened it (yet). false: no such server, or no port is free
 * (errno). */
bool bj_real_world_address(bj_real_world *real, unsigned server, uint16_t port, bj_addr *address);

/* The world's clock stands at 0 until bj_real_world_begin(), if this was called first; there it goes on at `time`. */
void bj_real_world_hold(bj_real_world *real);
void bj_real_world_begin(bj_real_world *real, bj_time time);
/* Waits up to `ms`, in which nothing is told to the engine but what the client says is heard. True: a message or a
 * connection of a client is there, or its process has ended. */
bool bj_real_world_await_contact(bj_real_world *real, int ms);
/* Has the client's process ended? bj_real_world_run() tells how. */
bool bj_real_world_client_is_gone(const bj_real_world *real);

/* `heard` is called while there is something to read at `fd`, which stays the caller's; false: at its end. At most two.
 */
typedef bool bj_real_heard_fn(void *context);
int bj_real_world_listen(bj_real_world *real, int fd, bj_real_heard_fn *heard, void *context);

typedef enum bj_real_end {
    BJ_REAL_FINISHED = 0,     /* the engine called finish() */
    BJ_REAL_LIMIT = 1,        /* `until` came */
    BJ_REAL_CLIENT_ENDED = 2, /* the client's process ended; it was waited for, its status is in *status */
    BJ_REAL_INTERRUPTED = 3,  /* a signal handler ran in this process */
    BJ_REAL_CLIENT_CUT = 4,   /* the script cut its power: its process was killed and waited for */
    BJ_REAL_START = 5,        /* the script starts the client: bj_real_world_set_client() is to be called again */
} bj_real_end;

/* Lets the world go on. `until`: in the world's time, BJ_NEVER = no limit. `status` as waitpid() gives it. May be
 * called again after any end but FINISHED, so that a caller can tell the engine (bj_engine_client_exited()) and let the
 * script go on without its client. */
bj_real_end bj_real_world_run(bj_real_world *real, bj_time until, int *status);

#endif
