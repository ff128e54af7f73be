/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the simulated world share: the event queue, hosts and links, packets on their way, sockets and
 * TCP connections. Nobody else includes this.
 *
 * Inside, addresses are in the form that a wire would see: IPv4 is IPv4 even when an IPv6 socket speaks it. Only the
 * functions of sim.h turn them into IPv4-mapped ones for the client.
 */
#ifndef BJ_WORLD_SIM_INTERNAL_H
#define BJ_WORLD_SIM_INTERNAL_H

#include "world/random.h"
#include "world/sim.h"

struct sim_packet;
struct sim_conn;

/* --- the queue (sim_queue.c) ---------------------------------------------------------------------------------- */

typedef enum sim_event_kind {
    SIM_TICK = 1,       /* the engine's timer; never in the heap */
    SIM_DATAGRAM,       /* what: sim_packet, arrives at its receiver */
    SIM_ICMP,           /* what: sim_packet that met a closed port, its beginning; its sender hears of it */
    SIM_SEGMENT,        /* what: sim_packet of a TCP connection */
    SIM_STREAM_TIMEOUT, /* what: sim_packet without data; its connection gave up */
} sim_event_kind;

typedef struct sim_event {
    bj_time time;
    uint32_t tie;
    uint32_t kind; /* sim_event_kind */
    uint64_t sequence;
    struct sim_packet *what;
} sim_event;

typedef struct sim_queue {
    sim_event *heap;
    size_t count;
    size_t room;
    uint64_t sequence; /* of the last event that was put in order */
} sim_queue;

/* a happens before b: (time, tie, sequence). */
bool sim_before(const sim_event *a, const sim_event *b);
void sim_queue_push(bj_sim *sim, bj_time time, uint32_t tie, sim_event_kind kind, struct sim_packet *what);
/* The earliest event of the heap, NULL when it is empty. Discards those that concern nobody any more. */
const sim_event *sim_queue_first(bj_sim *sim);
sim_event sim_queue_pop(bj_sim *sim);

/* --- hosts and links (sim_net.c) ------------------------------------------------------------------------------ */

/* One direction of one link: what was last put on it, so that order can be kept. */
typedef struct sim_direction {
    bj_time last;
    uint32_t last_tie;
} sim_direction;

typedef struct sim_host {
    char *name;
    bj_addr *addresses;
    size_t address_count;
    bj_link link; /* between the client and this server */
    sim_direction to_server;
    sim_direction to_client;
} sim_host;

enum { SIM_HOSTS = 256 };

typedef struct sim_endpoint {
    bool open;
    bool silent; /* closed, and nothing answers there */
    bool stream;
    uint8_t actor;
    bj_addr local;
} sim_endpoint;

typedef enum sim_segment {
    SIM_SYN = 1,
    SIM_SYN_ACK,
    SIM_ACK,    /* the third of the handshake */
    SIM_DATA,   /* data */
    SIM_WINDOW, /* `length` bytes were taken */
    SIM_FIN,
    SIM_RST,
} sim_segment;

/* A datagram or TCP segment on its way, and then in the queue of a socket. */
typedef struct sim_packet {
    struct sim_packet *next;
    struct sim_conn *conn; /* of a segment; counted in its references */
    bj_addr from;
    bj_addr to;
    bj_time time;  /* of arrival */
    uint32_t sent; /* the event by which it left */
    uint8_t from_actor;
    uint8_t to_actor;
    uint8_t segment; /* sim_segment */
    uint8_t to_side; /* of the connection */
    uint8_t attempt; /* of a SYN */
    size_t length;
    size_t offset; /* of what was already read of a stream */
    uint8_t data[];
} sim_packet;

sim_packet *sim_packet_new(bj_sim *sim, const bj_addr *from, const bj_addr *to, const uint8_t *data, size_t length);
/* The connection's reference is given back with it. NULL is allowed. */
void sim_packet_free(bj_sim *sim, sim_packet *packet);

bool sim_is_any(const bj_addr *address);
bool sim_is_loopback(const bj_addr *address);
/* The client's own: one of its host's addresses, or a loopback address. */
bool sim_is_own(const bj_sim *sim, const bj_addr *address);
/* The actor whose host has this address; -1 = none. */
int sim_host_of(const bj_sim *sim, const bj_addr *address);
const char *sim_actor_name(const bj_sim *sim, uint8_t actor);
/* The first address of that family of an actor's host; false when it has none. */
bool sim_host_address(const bj_sim *sim, uint8_t actor, uint8_t family, bj_addr *address);
/* The endpoint that `to` names, or did before it was closed; -1 = none. */
int sim_endpoint_at(const bj_sim *sim, bool stream, const bj_addr *to);
/* The same when something gets there: while the world heals, the engine may put a server where nobody is. */
int sim_endpoint_reached(bj_sim *sim, bool stream, const bj_addr *to);

/* When something that leaves now with `delay` arrives, in order with all that went the same way, and its tie. */
bj_time sim_arrival(bj_sim *sim, sim_direction *way, bj_time delay, uint32_t *tie);
/* The link and the direction between two actors, of whom at least one is a server. */
sim_host *sim_link_between(bj_sim *sim, uint8_t from, uint8_t to, sim_direction **way);

/* A datagram that was logged as SENT (packet->sent) sets out. Takes the packet over. */
void sim_transmit(bj_sim *sim, sim_packet *packet);
void sim_datagram_arrives(bj_sim *sim, sim_packet *packet);
void sim_icmp_arrives(bj_sim *sim, sim_packet *packet);

void sim_declare(bj_world *w, uint8_t actor, const char *name, const bj_addr *addresses, size_t count);
int sim_open(bj_world *w, uint8_t actor, bj_transport transport, const bj_addr *local);
void sim_close(bj_world *w, int endpoint, bool silent);
int64_t sim_send(bj_world *w, int endpoint, const bj_addr *source, const bj_addr *peer, const uint8_t *data,
                 size_t length, uint32_t cause);
void sim_set_link(bj_world *w, uint8_t actor, const bj_link *link);

/* --- faults (sim_fault.c) ------------------------------------------------------------------------------------- */

typedef struct sim_fault {
    bj_fault fault;
    uint64_t seen; /* matching datagrams so far, up to skip + count */
} sim_fault;

/* What the faults do to a datagram that sets out; they change its bytes in place. */
typedef struct sim_struck {
    bool dropped;
    bool delayed;
    bj_time delay;
    bool duplicated;
    bj_time apart;
} sim_struck;

sim_struck sim_strike(bj_sim *sim, sim_packet *packet);
void sim_add_fault(bj_world *w, const bj_fault *fault);
void sim_clear_faults(bj_world *w);

/* --- sockets (sim_socket.c) ----------------------------------------------------------------------------------- */

enum {
    SIM_PORT_BUCKETS = 512,
    SIM_RECEIVE_ROOM = 212992,
    SIM_ACCEPT_ROOM = 128,
    SIM_REFUSED_ROOM = 64,
    SIM_WINDOW_SIZE = 65536
};

/* What connect() has come to, as Linux keeps it: a connection that broke leaves its socket CONNECTED. */
typedef enum sim_phase { SIM_UNCONNECTED, SIM_CONNECTING, SIM_CONNECTED } sim_phase;

struct bj_sim_socket {
    bj_sim *sim;
    bj_sim_socket *next; /* in its port's bucket */
    uint8_t family;
    bool stream;
    bool v6only;
    bool reuse;
    bool want_errors[2]; /* those of IPv4, of IPv6 */
    bool bound;          /* has a port: stands in a bucket */
    bool own_address;    /* bind() named the address: connect() leaves it */
    bool own_port;       /* bind() named the port: who disconnects keeps it */
    bool connected;      /* UDP: has a peer */
    bool shut_read;
    bool shut_write;
    bj_addr local;
    bj_addr peer;
    int error; /* pending, a positive errno */
    uint64_t edges;
    void *subject;     /* of bj_sim_watch() */
    sim_packet *first; /* received, not yet read */
    sim_packet *last;
    size_t queued;       /* bytes in there */
    sim_packet *refused; /* UDP: what met closed ports, for who wants errors; from there */
    unsigned refused_count;

    /* TCP */
    struct sim_conn *conn;
    uint8_t side;
    uint8_t phase;   /* sim_phase */
    bool connecting; /* the handshake is not over */
    bool end;        /* nothing more comes: the peer closed, or it was reset, refused or timed out */
    bool finished;   /* ... the peer closed: who reads is told of that, whatever comes behind it */
    bool listening;
    bj_sim_socket *accept_first;
    bj_sim_socket *accept_last;
    bj_sim_socket *accept_next;
    unsigned accept_count;
};

/* Something that edge-triggered readiness must see. */
void sim_touch(bj_sim_socket *s);
/* Who gets a datagram (or a connection) for `to`; NULL = nobody. */
bj_sim_socket *sim_socket_for(const bj_sim *sim, bool stream, const bj_addr *from, const bj_addr *to);
/* Puts a packet into the socket's queue; false when there is no room (the packet stays the caller's). A stream always
 * takes it: its window was watched before. */
bool sim_socket_take(bj_sim_socket *s, sim_packet *packet);
/* The client's sockets that sent a datagram from `sender` to the closed port hear of it; true when any did. */
bool sim_sockets_refused(bj_sim *sim, const bj_addr *sender, const bj_addr *closed, const uint8_t *data, size_t length);
/* Gives an unbound socket a port; a negative errno when there is none. */
int sim_socket_autobind(bj_sim_socket *s);
bj_addr sim_source_for(const bj_sim_socket *s, const bj_addr *peer);

/* The client's host loses its power: nothing is sent, nothing is heard there any more. The sockets stay until they are
 * closed. */
void sim_sockets_vanish(bj_sim *sim);

/* --- TCP (sim_stream.c) --------------------------------------------------------------------------------------- */

typedef struct sim_side {
    bj_sim_socket *socket; /* of the client */
    int endpoint;          /* of a server, -1 = a socket's side */
    uint8_t actor;
    bool gone;        /* closed from here: answers data with a reset */
    bool deaf;        /* a dead host: answers nothing */
    bool fin_sent;    /* says no more */
    size_t in_flight; /* sent and not yet taken by the other side */
    bj_addr address;
    sim_direction arrivals; /* what comes here stays in order */
} sim_side;

typedef struct sim_conn {
    struct sim_conn *next;
    int number;
    uint32_t references; /* sides that are not gone, and packets on their way */
    bool local;          /* both ends are the client's: no latency, no events */
    bool established;    /* as the acceptor sees it */
    bool timing_out;
    bj_time began;
    uint32_t open_event;
    sim_side side[2]; /* 0 connected to 1 */
} sim_conn;

/* Does it concern nobody any more, because the client closed its end? */
bool sim_segment_is_stale(const sim_packet *packet);
int sim_stream_connect(bj_sim_socket *s, const bj_addr *peer);
int64_t sim_stream_write(bj_sim_socket *s, const uint8_t *data, size_t length);
size_t sim_stream_room(const bj_sim_socket *s);
/* The client read `length` bytes. */
void sim_stream_taken(bj_sim_socket *s, size_t length);
/* The client says no more. */
void sim_stream_finish(bj_sim_socket *s);
/* The client's end is gone without a word. */
void sim_stream_vanish(bj_sim_socket *s);
/* The client's socket goes away. */
void sim_stream_leave(bj_sim_socket *s, bool reset);
void sim_segment_arrives(bj_sim *sim, sim_packet *packet);
void sim_stream_timed_out(bj_sim *sim, sim_packet *packet);
void sim_conn_unref(bj_sim *sim, sim_conn *conn);
/* An endpoint was closed: its connections are reset, or (silent) just go dead. */
void sim_streams_of_endpoint_end(bj_sim *sim, int endpoint, bool silent);
int64_t sim_stream_send(bj_world *w, int connection, const uint8_t *data, size_t length, uint32_t cause);
void sim_stream_close(bj_world *w, int connection, bool reset);

/* --- names (sim_dns.c) ---------------------------------------------------------------------------------------- */

typedef struct sim_name {
    struct sim_name *next;
    char *name;
    bj_dns_answer *answers;
    size_t count;
    size_t present;         /* the answer in use */
    uint32_t answers_given; /* of the present one */
} sim_name;

struct bj_sim_query {
    char *name;
    bool local; /* "localhost": nobody is asked */
    uint32_t event;
    bj_time due;
    bj_dns_answer answer;
};

void sim_set_dns(bj_world *w, const char *name, const bj_dns_answer *answers, size_t count);

/* --- the client's life (sim_life.c) --------------------------------------------------------------------------- */

int64_t sim_power_cut(bj_world *w, const bj_power_cut *cut);
int sim_client_input(bj_world *w, const char *line, size_t length, bool end);
int sim_client_start(bj_world *w);
void sim_order_disk(bj_world *w, const bj_disk_order *order);
void sim_put_file(bj_world *w, const char *name, const bj_file_look *file);
bool sim_look_at_file(bj_world *w, const char *name, bj_file_look *file);

/* --- the world (sim.c) ---------------------------------------------------------------------------------------- */

struct bj_sim {
    bj_arena *arena;
    bj_log *log;
    bj_engine *engine;
    bj_sim_peer peer;
    bj_sim_input_fn *input;
    void *input_context;
    bj_sim_signal_fn *deliver_signal;
    void *signal_context;
    bj_sim_touched_fn *touched;
    void *touched_context;

    bj_time now;
    bj_time budget;
    bj_time quantum;
    uint64_t spin_limit;
    int64_t epoch;

    sim_queue queue;
    sim_event timer;  /* the engine's; time BJ_NEVER = none */
    bj_time wake;     /* while waiting */
    uint64_t signals; /* pending, one bit each */
    uint64_t idle;    /* calls in a row that neither waited nor moved anything */
    uint64_t burst;   /* datagrams and the like that were moved at one moment */
    bj_time burst_time;
    uint64_t changes;  /* of the readiness of any socket */
    uint32_t handling; /* the event of which the engine is being told */
    bool spun;         /* the client went on and on without waiting */
    bool over;
    bool waiting;

    bj_rng ties;
    bj_rng world;
    bj_rng client;

    sim_host *hosts[SIM_HOSTS]; /* by actor */
    bj_link default_link;
    sim_fault *faults;
    size_t fault_count;
    sim_name *names;
    sim_endpoint *endpoints;
    int endpoint_count;
    int last_host;
    int last_connection;
    uint16_t first_port;
    uint16_t next_port; /* counted from the first ephemeral one */
    sim_conn *conns;
    bj_sim_socket *ports[SIM_PORT_BUCKETS]; /* those that are bound */

    bj_disk *disk;
    uint64_t disk_operations; /* that were logged */
    uint64_t cut_at;          /* the power goes behind that operation; 0: it does not */
    int64_t cut_outcome;      /* then; -1: as cut_keeps says */
    uint8_t cut_keeps;
    bool cut;       /* the client must not go on, though the run does */
    bool absent;    /* there is none */
    bool off;       /* its power is off: nothing answers there */
    bool start_due; /* the script has started it */
};

static inline bj_sim *sim_of(bj_world *w) {
    return (bj_sim *) w;
}
static inline uint32_t sim_tie(bj_sim *sim) {
    return (uint32_t) (bj_rng_next(&sim->ties) >> 32);
}
/* The sum, BJ_NEVER when it overflows. */
static inline bj_time sim_later(bj_time time, bj_time delay) {
    return delay > BJ_NEVER - time ? BJ_NEVER : time + delay;
}
/* Appends to the log with the present time; nothing once the run is over. */
uint32_t sim_log(bj_sim *sim, bj_event event);
/* The client moved something: it does not spin. Ends the run when it does so without end at one moment. */
void sim_moved(bj_sim *sim);

/* The engine's timer is over, or there is something in the log that it should know of at once. */
void sim_tell_tick(bj_sim *sim);
void sim_tell_datagram(bj_sim *sim, int endpoint, const sim_packet *packet, uint32_t event);
void sim_tell_icmp(bj_sim *sim, const bj_addr *to, uint32_t event);
void sim_tell_opened(bj_sim *sim, int endpoint, int connection, const bj_addr *from, uint32_t event);
void sim_tell_data(bj_sim *sim, int connection, const uint8_t *data, size_t length, uint32_t event);
void sim_tell_closed(bj_sim *sim, int connection, bool reset, uint32_t event);
void sim_tell_dns(bj_sim *sim, const char *name, bool failed, uint32_t event);

#endif
