/* SPDX-License-Identifier: Apache-2.0
 *
 * The simulated world: a clock that jumps, an event queue, hosts, links, faults, DNS, UDP and TCP between
 * the client's sockets and the scripted servers. Implements bj_world_ops for the engine on one side; on the
 * other it offers what an operating system offers a client: sockets and waiting (used by harness/libc, and by
 * tests directly).
 *
 * Events are ordered by (time, a tie drawn from the seed, sequence number); one direction of one link stays in order
 * unless a fault or the link's `reorder` says otherwise. Code costs no virtual time; the quantum (bj_sim_config) is
 * what a call costs that polls without waiting. When the client's deadline and an event fall on one moment, the seed
 * decides which comes first; a wait whose deadline is not in the future lets happen what is due now, and costs nothing.
 *
 * What the client sends to an address of its own host is there at once and stands in no log. TCP's segments are never
 * lost for good short of its time-outs: loss on a link shows as delay.
 *
 * Everything lives in one arena; no descriptors, no real time, no threads, no malloc. Function pointers are kept apart
 * (bj_sim_attach), so that another process can take the arena over at the same address.
 */
#ifndef BJ_WORLD_SIM_H
#define BJ_WORLD_SIM_H

#include "base/arena.h"
#include "log/eventlog.h"
#include "script/engine.h"
#include "world.h"
#include "world/disk.h"

typedef struct bj_sim bj_sim;

typedef struct bj_sim_config {
    uint64_t seed;
    bj_time budget; /* of virtual time, a century at most (0: that); then the engine hears bj_engine_client_stuck() */
    uint64_t spin_limit; /* calls in a row that do not wait and move nothing: the client spins; 0 = 200000 */
    int64_t epoch;       /* Unix time (seconds) at virtual time 0 */
    bj_time quantum;     /* cost of a call that polls without waiting; 0 = 10 us */
    uint16_t first_port; /* of the ephemeral ones; 0 = 49152 */
} bj_sim_config;

bj_sim *bj_sim_new(bj_arena *arena, bj_log *log, const bj_sim_config *config);
const bj_world_ops *bj_sim_ops(void);
static inline bj_world *bj_sim_world(bj_sim *sim) {
    return (bj_world *) sim;
}
/* Whom the world tells what happens. NULL: nobody (tests that script with their own handler use bj_sim_set_peer()). */
void bj_sim_set_engine(bj_sim *sim, bj_engine *engine);

/* In place of an engine, for the world's own tests and for simple peers. */
typedef struct bj_sim_peer {
    void *context;
    void (*datagram)(void *context, int endpoint, const bj_addr *from, const uint8_t *data, size_t length,
                     uint32_t event);
    void (*stream_opened)(void *context, int endpoint, int connection, const bj_addr *from, uint32_t event);
    void (*stream_data)(void *context, int connection, const uint8_t *data, size_t length, uint32_t event);
    void (*stream_closed)(void *context, int connection, bool reset, uint32_t event);
    void (*tick)(void *context);
} bj_sim_peer;
void bj_sim_set_peer(bj_sim *sim, const bj_sim_peer *peer);

/* Another process (or a reloaded library) takes over: signals go to `deliver_signal` from now on. */
typedef void bj_sim_signal_fn(void *context, int signal_number);
void bj_sim_attach(bj_sim *sim, bj_sim_signal_fn *deliver_signal, void *context);

/* Likewise for what is typed at its standard input: as ops->client_input(). Without one there is none. */
typedef int bj_sim_input_fn(void *context, const char *line, size_t length, bool end);
void bj_sim_set_input(bj_sim *sim, bj_sim_input_fn *input, void *context);

/* --- time ----------------------------------------------------------------------------------------------------- */

bj_time bj_sim_now(const bj_sim *sim);
int64_t bj_sim_epoch(const bj_sim *sim); /* Unix seconds at virtual time 0 */
/* Time of the next event, BJ_NEVER when nothing is to come. */
bj_time bj_sim_next_event(const bj_sim *sim);

typedef enum bj_sim_wait {
    BJ_SIM_READY = 0,    /* the predicate holds */
    BJ_SIM_DEADLINE = 1, /* the deadline came first */
    BJ_SIM_SIGNAL = 2,   /* a signal for the client is pending (it was given to deliver_signal) */
    BJ_SIM_OVER = 3,     /* the run is over: the caller must not let the client go on */
} bj_sim_wait;

/* The client waits: events happen, time jumps, until `ready(context)` holds or `deadline` (absolute; BJ_NEVER) comes.
 * The predicate is asked after every event (and first of all). A client that waits for ever while nothing is to come is
 * reported to the engine (blocked for ever), and the run is over. Everything the client does between two waits happens
 * at one moment of virtual time. */
bj_sim_wait bj_sim_wait_until(bj_sim *sim, bool (*ready)(void *context), void *context, bj_time deadline);
/* A call that polled without waiting: costs the quantum (events within it happen), counts towards the spin limit. */
bj_sim_wait bj_sim_polled(bj_sim *sim);
/* A read of a clock, or another call that a busy loop could consist of: counts towards the spin limit, costs nothing
 * until a thousand of them came in a row, then the quantum each. */
bj_sim_wait bj_sim_glanced(bj_sim *sim);

uint64_t bj_sim_random(bj_sim *sim); /* what the client gets from getrandom() and the like: a stream of its own */
bool bj_sim_over(const bj_sim *sim); /* the client must not go on */
bool bj_sim_spun(const bj_sim *sim); /* ... because it went on and on without waiting */

/* --- sockets of the client ------------------------------------------------------------------------------------ */

typedef struct bj_sim_socket bj_sim_socket;

/* Results are >= 0 or a negative errno, as the system call's would be. A call that would block returns -EAGAIN (or
 * -EINPROGRESS for connect): waiting is the caller's business, with bj_sim_wait_until() and bj_sim_socket_events(). */
bj_sim_socket *bj_sim_socket_new(bj_sim *sim, int family /* 4 or 6 */, bool stream);
void bj_sim_socket_close(
    bj_sim_socket *s); /* a TCP connection is closed in an orderly way, or reset when unread data is left */
int bj_sim_bind(bj_sim_socket *s, const bj_addr *local); /* port 0: an ephemeral one, drawn in order from 49152 */
int bj_sim_connect(bj_sim_socket *s,
                   const bj_addr *peer); /* UDP: fixes the peer; TCP: -EINPROGRESS, asked again -EALREADY, then the
                                            outcome, then -EISCONN. Family 0: unfixes it, breaks the connection. */
int bj_sim_listen(bj_sim_socket *s);
bj_sim_socket *bj_sim_accept(bj_sim_socket *s, bj_addr *peer); /* NULL: none waiting */
/* UDP: one datagram (peer NULL: the connected one). TCP: as much as the window takes. An ICMP error that is pending is
 * returned once. Sending (or receiving) without end at one moment ends the run: bj_sim_over(). */
int64_t bj_sim_send(bj_sim_socket *s, const bj_addr *peer, const uint8_t *data, size_t length);
typedef struct bj_sim_received {
    bj_addr from;
    bj_addr to;         /* for IP_PKTINFO */
    size_t full_length; /* of the datagram, before it was cut to the buffer */
    bj_time time;       /* arrival */
} bj_sim_received;
int64_t bj_sim_receive(bj_sim_socket *s, uint8_t *data, size_t room, bool peek, bj_sim_received *about);
/* Linux shuts a UDP socket without a peer, too, while it says -ENOTCONN. One that is shut for reading still receives:
 * only waiting for a datagram is over (-EAGAIN stays -EAGAIN; POLLRDHUP holds). */
int bj_sim_shutdown(bj_sim_socket *s, bool reading, bool writing);
void bj_sim_local(const bj_sim_socket *s, bj_addr *local);
int bj_sim_peer_of(const bj_sim_socket *s, bj_addr *peer); /* -ENOTCONN */
int bj_sim_take_error(bj_sim_socket *s);                   /* SO_ERROR: a positive errno, then 0 */
size_t bj_sim_pending(const bj_sim_socket *s);             /* FIONREAD: bytes of the next datagram, or of the stream */
/* IP_RECVERR, IPV6_RECVERR (`family` 4, 6): ICMP errors also for sockets that are not connected, and a queue of what
 * they are about, which switching it off empties. */
void bj_sim_want_errors(bj_sim_socket *s, int family, bool on);
/* The next of that queue: the beginning of the datagram, and in about->from the port that refused it. -EAGAIN: none. */
int64_t bj_sim_receive_error(bj_sim_socket *s, uint8_t *data, size_t room, bj_sim_received *about);
/* The source that IP_PKTINFO or IPV6_PKTINFO names (its port is ignored; NULL or unspecified: as bj_sim_send()).
 * -EINVAL: not an address of the client. */
int64_t bj_sim_send_from(bj_sim_socket *s, const bj_addr *source, const bj_addr *peer, const uint8_t *data,
                         size_t length);
void bj_sim_set_v6only(bj_sim_socket *s, bool on); /* IPV6_V6ONLY; off at first: IPv4-mapped addresses work */
void bj_sim_set_reuse(bj_sim_socket *s, bool on);  /* SO_REUSEADDR */
void bj_sim_socket_abort(bj_sim_socket *s);        /* close with SO_LINGER {1, 0}: a TCP connection is reset */
bool bj_sim_is_listening(const bj_sim_socket *s);
bool bj_sim_is_stream(const bj_sim_socket *s);
int bj_sim_family(const bj_sim_socket *s);

/* POLLIN, POLLOUT, POLLERR, POLLHUP, POLLRDHUP of <poll.h> that hold now. A counter grows with every change that
 * edge-triggered epoll must see. */
short bj_sim_socket_events(const bj_sim_socket *s, uint64_t *edges);
/* Told at every such change which socket it was: `subject` is what bj_sim_socket_set_subject() gave it (NULL: not
 * told). From inside events: it must not call the world. */
typedef void bj_sim_touched_fn(void *context, void *subject);
void bj_sim_watch(bj_sim *sim, bj_sim_touched_fn *touched, void *context);
void bj_sim_socket_set_subject(bj_sim_socket *s, void *subject);
/* Grows whenever the readiness of any socket changed for a reason other than the client's own reading and writing:
 * a caller that saw nothing ready need not look again before it did. */
uint64_t bj_sim_changes(const bj_sim *sim);

/* --- the client's life ---------------------------------------------------------------------------------------- */

/* Cuts the power behind the client's N-th operation on its disk, with that outcome, whatever the script says; the
 * engine hears bj_engine_power_cut(). */
void bj_sim_cut_at(bj_sim *sim, uint64_t operation, uint32_t outcome);
/* The power was cut: bj_sim_over() holds, and the caller's client is dead, but the run goes on. */
bool bj_sim_was_cut(const bj_sim *sim);
/* The client has ended; told before the engine is. */
void bj_sim_client_left(bj_sim *sim);
/* There is no client (it has ended, or the power was cut). Lets the world go on until the script starts one: true; then
 * the caller does so. false: the run is over. */
bool bj_sim_without_client(bj_sim *sim);

/* --- the client's disk ----------------------------------------------------------------------------------------- */

bj_disk *bj_sim_disk(bj_sim *sim);
/* Behind every call to it on behalf of the client: logs the operation, if it was one. */
void bj_sim_disk_used(bj_sim *sim);

/* --- names ---------------------------------------------------------------------------------------------------- */

enum { BJ_SIM_RESOLVE_OVER = -1000 };

/* One look-up: logs the query, waits the answer's delay in virtual time (through bj_sim_wait_until), tells the engine.
 * `family` 4, 6 or 0 = both. Fills `addresses`, returns their number, or a negative bj_dns_status. -1000: the run is
 * over. */
int bj_sim_resolve(bj_sim *sim, const char *name, int family, bj_addr *addresses, size_t room);
/* The same in two halves, for callers that park a thread until the answer is due: bj_sim_ask(), wait until
 * bj_sim_answer_due(), then bj_sim_answer(), which ends the query. BJ_SIM_RESOLVE_OVER: the run ended on it. */
typedef struct bj_sim_query bj_sim_query;
bj_sim_query *bj_sim_ask(bj_sim *sim, const char *name);
bj_time bj_sim_answer_due(const bj_sim_query *query);
int bj_sim_answer(bj_sim *sim, bj_sim_query *query, int family, bj_addr *addresses, size_t room);
/* The name of a scenario's address, for getnameinfo(); NULL. */
const char *bj_sim_name_of(const bj_sim *sim, const bj_addr *address);

#endif
