/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the real world share. Nobody else includes this.
 */
#ifndef BJ_WORLD_REAL_INTERNAL_H
#define BJ_WORLD_REAL_INTERNAL_H

#include <sys/socket.h>

#include "world/random.h"
#include "world/real.h"

/* What an epoll event points to; the first member of what it stands for. */
typedef enum real_kind { REAL_UDP = 1, REAL_LISTENER, REAL_CONNECTION, REAL_TIMER, REAL_CLIENT, REAL_OUTPUT } real_kind;

typedef struct real_source {
    uint8_t kind; /* real_kind */
    int fd;       /* -1 = none */
} real_source;

/* One transport of one port. */
typedef struct real_way {
    real_source source;
    int endpoint; /* the number by which the engine knows it */
    uint8_t actor;
    bool open; /* for the engine; a silent one keeps its descriptor */
} real_way;

/* A server's port of the scenario, and what it is mapped to. */
typedef struct real_port {
    uint8_t actor;
    uint16_t port;    /* in the scenario */
    bj_addr local;    /* here */
    real_way ways[2]; /* UDP, TCP */
} real_port;

typedef struct real_conn {
    real_source source;
    struct real_conn *next;
    int number;
    int endpoint;
    uint8_t actor;
    bool closing;  /* nothing more is for the engine; goes when all is said and the client has closed */
    bool finished; /* FIN was sent */
    bj_addr peer;
    bj_addr local;
    uint8_t *out; /* what the kernel did not take yet */
    size_t out_used;
} real_conn;

/* A client of a UDP port, and the address of ours that it called on. */
typedef struct real_caller {
    int endpoint;
    bj_addr peer; /* family 0: none */
    bj_addr here; /* family 0: not known */
    uint32_t interface;
} real_caller;

enum { REAL_CALLERS = 64 };

struct bj_real_world {
    bj_arena *arena;
    bj_log *log;
    bj_engine *engine;
    bj_sim_peer peer;
    const bj_world_ops *ops;
    bj_addr listen;
    bj_addr reached; /* our address as the last client saw it, when we listen on all */
    bj_addr last_client;
    uint32_t interface; /* of a link-local `listen` */
    real_caller callers[REAL_CALLERS];
    unsigned next_caller;
    bj_time start; /* of the monotonic clock */
    bool held;     /* it has not begun yet */
    bj_time begun; /* where the clock stood then */
    bj_time timer; /* the engine's */
    bj_time came;  /* when what is being told reached this machine; BJ_NEVER: nobody knows */
    bool over;
    uint32_t handling; /* the event of which the engine is being told */
    int epoll;
    int spare; /* a descriptor kept to refuse connections with, where there are no others */
    real_source timer_source;
    bj_time armed; /* what the descriptor of the timer is set to */
    real_source client_source;
    pid_t client;
    bj_sim_input_fn *input;
    void *input_context;
    real_source outputs[2];
    bj_real_heard_fn *heard;
    void *heard_context;
    bool cut;       /* its end was the script's wish */
    bool start_due; /* the script starts it */
    bool client_ended;
    int stamps; /* real_begin_stamps() */
    bj_rng rng;
    char *names[256]; /* by actor */
    real_port **ports;
    int port_count;
    real_conn *conns;
    int last_connection;
    uint8_t buffer[65536]; /* what is being received */
};

static inline bj_real_world *real_of(bj_world *w) {
    return (bj_real_world *) w;
}

bj_time real_now(const bj_real_world *real);
uint32_t real_log(bj_real_world *real, bj_event event);
/* Where recvmsg() puts what is said about a message. */
typedef union real_control {
    char room[256];
    struct cmsghdr aligned;
} real_control;

/* Of what recvmsg() read, on sockets of real_bind() and those accepted there; BJ_NEVER: it does not say. */
bj_time real_came(const bj_real_world *real, struct msghdr *message);
/* The kernel stamps what comes from a moment after the machine's first socket asked for it; what came before, it stamps
 * when it is read. Waits for that moment. The socket that asks, for as long as stamps count; -1: there is none, and
 * stamps are as good as they are. */
int real_begin_stamps(void);

/* 0 or a negative errno. */
int real_watch(bj_real_world *real, real_source *source, uint32_t events);
void real_unwatch(bj_real_world *real, real_source *source); /* and closes it */
/* The address under which clients reach a socket of ours. */
bj_addr real_local(int fd);

/* Between ours and the system's; an IPv4 address of a socket for both families is one. `interface` counts for
 * link-local ones. */
bool real_from_sockaddr(const struct sockaddr_storage *storage, socklen_t size, bj_addr *address);
socklen_t real_to_sockaddr(const bj_real_world *real, const bj_addr *address, uint32_t interface,
                           struct sockaddr_storage *storage);

bool real_listens_on_all(const bj_real_world *real);
/* Remembers how the client reaches us: at the address `here`; by the route to it where that is not known (family 0). */
void real_reached_by(bj_real_world *real, const bj_addr *client, const bj_addr *here);

/* A port as the client sees it. */
bj_addr real_seen_as(const bj_real_world *real, const real_port *port);

/* A socket bound to *local (whose port is filled in when it was 0); a negative errno. */
int real_bind(const bj_real_world *real, bj_addr *local, bool stream);

/* A descriptor of nothing; -1: there is none left. */
int real_spare(void);
void real_accept(bj_real_world *real, real_way *way);
void real_connection_event(bj_real_world *real, real_conn *conn, uint32_t events);
void real_drop_connections(bj_real_world *real, int endpoint);
void real_free_connections(bj_real_world *real);
int64_t real_stream_send(bj_world *w, int connection, const uint8_t *data, size_t length, uint32_t cause);
void real_stream_close(bj_world *w, int connection, bool reset);

void real_tell_datagram(bj_real_world *real, int endpoint, const bj_addr *from, const uint8_t *data, size_t length,
                        uint32_t event);
void real_tell_opened(bj_real_world *real, const real_conn *conn, uint32_t event);
void real_tell_data(bj_real_world *real, int connection, const uint8_t *data, size_t length, uint32_t event);
void real_tell_closed(bj_real_world *real, int connection, bool reset, uint32_t event);

#endif
