/* SPDX-License-Identifier: Apache-2.0
 *
 * The real world's life: its clock, its loop on epoll, whom it tells what. Ports and datagrams are in real_port.c,
 * TCP in real_stream.c.
 */
#define _GNU_SOURCE
#include "world/real.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "world/real_internal.h"
#include "world/real_port.h"

static bj_time monotonic(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (bj_time) now.tv_sec * BJ_SECOND + (bj_time) now.tv_nsec / 1000;
}

bj_time real_now(const bj_real_world *real) {
    return real->held ? 0 : monotonic() - real->start;
}

uint32_t real_log(bj_real_world *real, bj_event event) {
    if (real->over || !real->log) {
        return 0;
    }
    event.time = real_now(real);
    return bj_log_append(real->log, &event);
}

/* --- descriptors ---------------------------------------------------------------------------------------------- */

int real_watch(bj_real_world *real, real_source *source, uint32_t events) {
    struct epoll_event event = { .events = events, .data = { .ptr = source } };
    return epoll_ctl(real->epoll, EPOLL_CTL_ADD, source->fd, &event) == 0 ? 0 : -errno;
}

void real_unwatch(bj_real_world *real, real_source *source) {
    if (source->fd >= 0) {
        epoll_ctl(real->epoll, EPOLL_CTL_DEL, source->fd, NULL);
        close(source->fd);
        source->fd = -1;
    }
}

/* --- telling -------------------------------------------------------------------------------------------------- */

void real_tell_datagram(bj_real_world *real, int endpoint, const bj_addr *from, const uint8_t *data, size_t length,
                        uint32_t event) {
    real->handling = event;
    if (real->engine) {
        bj_engine_datagram(real->engine, endpoint, from, data, length, event);
    } else if (real->peer.datagram) {
        real->peer.datagram(real->peer.context, endpoint, from, data, length, event);
    }
    real->handling = 0;
}

void real_tell_opened(bj_real_world *real, const real_conn *conn, uint32_t event) {
    real->handling = event;
    if (real->engine) {
        bj_engine_stream_opened(real->engine, conn->endpoint, conn->number, &conn->peer, event);
    } else if (real->peer.stream_opened) {
        real->peer.stream_opened(real->peer.context, conn->endpoint, conn->number, &conn->peer, event);
    }
    real->handling = 0;
}

void real_tell_data(bj_real_world *real, int connection, const uint8_t *data, size_t length, uint32_t event) {
    real->handling = event;
    if (real->engine) {
        bj_engine_stream_data(real->engine, connection, data, length, event);
    } else if (real->peer.stream_data) {
        real->peer.stream_data(real->peer.context, connection, data, length, event);
    }
    real->handling = 0;
}

void real_tell_closed(bj_real_world *real, int connection, bool reset, uint32_t event) {
    real->handling = event;
    if (real->engine) {
        bj_engine_stream_closed(real->engine, connection, reset, event);
    } else if (real->peer.stream_closed) {
        real->peer.stream_closed(real->peer.context, connection, reset, event);
    }
    real->handling = 0;
}

static void tell_tick(bj_real_world *real) {
    real->timer = BJ_NEVER;
    if (real->engine) {
        bj_engine_tick(real->engine);
    } else if (real->peer.tick) {
        real->peer.tick(real->peer.context);
    }
}

/* --- where we are --------------------------------------------------------------------------------------------- */

static bool unspecified(const bj_addr *address) {
    static const uint8_t zero[16];
    return !memcmp(address->ip, zero, address->family == 4 ? 4 : 16);
}

static bj_addr loopback(uint8_t family) {
    bj_addr address = { .family = family };
    address.ip[0] = family == 4 ? 127 : 0;
    address.ip[family == 4 ? 3 : 15] = 1;
    return address;
}

bool real_listens_on_all(const bj_real_world *real) {
    return unspecified(&real->listen);
}

void real_reached_by(bj_real_world *real, const bj_addr *client, const bj_addr *here) {
    if (!unspecified(&real->listen) || (!here->family && bj_addr_same_host(client, &real->last_client))) {
        return;
    }
    if (here->family) {
        real->reached = *here;
        real->last_client = *client;
        return;
    }
    struct sockaddr_storage storage;
    socklen_t size = (socklen_t) bj_addr_to_sockaddr(client, &storage);
    int fd = socket(client->family == 6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    /* Connecting a UDP socket sends nothing, but chooses the address from which the client is reached. */
    if (fd >= 0 && connect(fd, (struct sockaddr *) &storage, size) == 0) {
        real->reached = real_local(fd);
        real->last_client = *client;
    }
    if (fd >= 0) {
        close(fd);
    }
}

bj_addr real_seen_as(const bj_real_world *real, const real_port *port) {
    bj_addr address = unspecified(&real->listen) ? real->reached : real->listen;
    address.port = port->local.port;
    return address;
}

bool bj_real_world_address(bj_real_world *real, unsigned server, uint16_t port, bj_addr *address) {
    real_port *p;
    if (server > UINT8_MAX - BJ_ACTOR_SERVER_0 || !real->names[BJ_ACTOR_SERVER_0 + server]) {
        errno = ENOENT;
        return false;
    }
    int problem = real_port_for(real, (uint8_t) (BJ_ACTOR_SERVER_0 + server), port, &p);
    if (problem) {
        errno = -problem;
        return false;
    }
    *address = real_seen_as(real, p);
    return true;
}

static bool world_real_address(bj_world *w, const char *name, uint16_t port, bj_addr *address) {
    bj_real_world *real = real_of(w);
    for (unsigned actor = BJ_ACTOR_SERVER_0; actor <= UINT8_MAX; actor++) {
        if (real->names[actor] && !strcmp(real->names[actor], name)) {
            return bj_real_world_address(real, actor - BJ_ACTOR_SERVER_0, port, address);
        }
    }
    return false;
}

static void world_declare(bj_world *w, uint8_t actor, const char *name, const bj_addr *addresses, size_t count) {
    bj_real_world *real = real_of(w);
    (void) addresses;
    (void) count;
    bj_arena_free(real->arena, real->names[actor]);
    real->names[actor] = bj_arena_strdup(real->arena, name);
}

/* --- what else the engine may ask ----------------------------------------------------------------------------- */

static bj_time world_now(bj_world *w) {
    return real_now(real_of(w));
}

static bj_time world_came(bj_world *w) {
    const bj_real_world *real = real_of(w);
    return real->came == BJ_NEVER ? real_now(real) : real->came;
}

static uint64_t world_random(bj_world *w) {
    return bj_rng_next(&real_of(w)->rng);
}

static bj_log *world_log(bj_world *w) {
    return real_of(w)->log;
}

static void world_set_timer(bj_world *w, bj_time when) {
    real_of(w)->timer = when;
}

static void world_finish(bj_world *w) {
    real_of(w)->over = true;
}

static int world_client_signal(bj_world *w, int signal_number) {
    bj_real_world *real = real_of(w);
    if (real->client <= 0 || real->client_ended) {
        return -ESRCH;
    }
    real_log(real, (bj_event){ .kind = BJ_EV_CLIENT_SIGNAL, .cause = real->handling, .number = signal_number });
    return kill(real->client, signal_number) == 0 ? 0 : -errno;
}

static int world_client_input(bj_world *w, const char *line, size_t length, bool end) {
    bj_real_world *real = real_of(w);
    if (!real->input) {
        return -ENOTSUP;
    }
    if (real->client <= 0 || real->client_ended) {
        return -ESRCH;
    }
    real_log(
        real,
        (bj_event){
            .kind = BJ_EV_CLIENT_INPUT, .cause = real->handling, .number = end, .text = line, .text_length = length });
    return real->input(real->input_context, line, length, end);
}

/* A process that is killed leaves its files as the kernel has them: all of it is kept. */
static int64_t world_power_cut(bj_world *w, const bj_power_cut *cut) {
    bj_real_world *real = real_of(w);
    if (cut->at_operation || cut->outcome > 0 || cut->keeps == BJ_KEEPS_NONE || cut->keeps == BJ_KEEPS_TORN) {
        return -ENOTSUP;
    }
    if (real->client <= 0 || real->client_ended || kill(real->client, SIGKILL) != 0) {
        return -ESRCH;
    }
    real->cut = true;
    return real_log(real, (bj_event){ .kind = BJ_EV_POWER_CUT,
                                      .actor = BJ_ACTOR_CLIENT,
                                      .cause = real->handling,
                                      .other = 1,
                                      .text = "its process is killed, its files are as it left them" });
}

static int world_client_start(bj_world *w) {
    bj_real_world *real = real_of(w);
    if (real->client > 0 && !real->cut) {
        return -EALREADY;
    }
    real->start_due = true;
    return 0;
}

static int64_t world_epoch(bj_world *w) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t) now.tv_sec - (int64_t) (real_now(real_of(w)) / BJ_SECOND);
}

#define COMMON_OPS                                                                                                     \
    .now = world_now, .came = world_came, .random = world_random, .log = world_log, .declare = world_declare,          \
    .open = real_open, .close = real_close, .send = real_send, .stream_send = real_stream_send,                        \
    .stream_close = real_stream_close, .set_timer = world_set_timer, .finish = world_finish,                           \
    .real_address = world_real_address, .epoch = world_epoch

static const bj_world_ops ops_alone = { COMMON_OPS };
static const bj_world_ops ops_with_client = { COMMON_OPS,
                                              .can = BJ_CAN_CLIENT_LIFE | BJ_CAN_POWER_CUT | BJ_CAN_INPUT,
                                              .client_signal = world_client_signal,
                                              .client_input = world_client_input,
                                              .power_cut = world_power_cut,
                                              .client_start = world_client_start };

const bj_world_ops *bj_real_world_ops(const bj_real_world *real) {
    return real->ops;
}

/* --- life ----------------------------------------------------------------------------------------------------- */

bj_real_world *bj_real_world_new(bj_arena *arena, bj_log *log, const bj_real_config *config) {
    bj_real_world *real = bj_arena_alloc(arena, sizeof *real);
    real->arena = arena;
    real->log = log;
    real->ops = config->client_life ? &ops_with_client : &ops_alone;
    real->listen = config->listen;
    real->interface = config->interface;
    real->input = config->input;
    real->input_context = config->input_context;
    real->outputs[0].fd = real->outputs[1].fd = -1;
    real->reached = loopback(config->listen.family);
    real->timer = real->armed = real->came = BJ_NEVER;
    real->stamps = real_begin_stamps();
    real->start = monotonic();
    real->client_source = (real_source){ .kind = REAL_CLIENT, .fd = -1 };
    bj_rng_seed(&real->rng, config->seed, 2);
    real->spare = real_spare();
    real->epoll = epoll_create1(EPOLL_CLOEXEC);
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    real->timer_source = (real_source){ .kind = REAL_TIMER, .fd = fd };
    if (real->epoll < 0 || fd < 0 || real_watch(real, &real->timer_source, EPOLLIN) != 0) {
        int problem = errno;
        bj_real_world_free(real);
        errno = problem;
        return NULL;
    }
    return real;
}

void bj_real_world_free(bj_real_world *real) {
    real_free_connections(real);
    for (int i = 0; i < real->port_count; i++) {
        real_unwatch(real, &real->ports[i]->ways[0].source);
        real_unwatch(real, &real->ports[i]->ways[1].source);
        bj_arena_free(real->arena, real->ports[i]);
    }
    real_unwatch(real, &real->timer_source);
    real_unwatch(real, &real->client_source);
    if (real->epoll >= 0) {
        close(real->epoll);
    }
    if (real->spare >= 0) {
        close(real->spare);
    }
    if (real->stamps >= 0) {
        close(real->stamps);
    }
    for (int actor = 0; actor <= UINT8_MAX; actor++) {
        bj_arena_free(real->arena, real->names[actor]);
    }
    bj_arena_free(real->arena, real->ports);
    bj_arena_free(real->arena, real);
}

void bj_real_world_set_engine(bj_real_world *real, bj_engine *engine) {
    real->engine = engine;
}

void bj_real_world_set_peer(bj_real_world *real, const bj_sim_peer *peer) {
    real->peer = *peer;
}

int bj_real_world_set_client(bj_real_world *real, pid_t pid) {
    int fd = (int) syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0) {
        return -errno;
    }
    real_unwatch(real, &real->client_source);
    real->client = pid;
    real->client_ended = false;
    real->client_source.fd = fd;
    return real_watch(real, &real->client_source, EPOLLIN);
}

int bj_real_world_listen(bj_real_world *real, int fd, bj_real_heard_fn *heard, void *context) {
    real_source *source = &real->outputs[real->outputs[0].fd >= 0];
    *source = (real_source){ .kind = REAL_OUTPUT, .fd = fd };
    real->heard = heard;
    real->heard_context = context;
    return real_watch(real, source, EPOLLIN);
}

/* --- the loop ------------------------------------------------------------------------------------------------- */

static void arm(bj_real_world *real, bj_time when) {
    if (when == real->armed) {
        return;
    }
    struct itimerspec setting = { 0 };
    if (when <= BJ_NEVER - real->start) {
        bj_time absolute = real->start + when;
        setting.it_value.tv_sec = (time_t) (absolute / BJ_SECOND);
        setting.it_value.tv_nsec = (long) (absolute % BJ_SECOND) * 1000;
    }
    timerfd_settime(real->timer_source.fd, TFD_TIMER_ABSTIME, &setting, NULL);
    real->armed = when;
}

static void handle(bj_real_world *real, const struct epoll_event *event) {
    real_source *source = event->data.ptr;
    switch ((real_kind) source->kind) {
    case REAL_UDP:
        real_receive(real, (real_way *) source);
        break;
    case REAL_LISTENER:
        real_accept(real, (real_way *) source);
        break;
    case REAL_CONNECTION:
        real_connection_event(real, (real_conn *) source, event->events);
        break;
    case REAL_TIMER: {
        uint64_t expirations;
        (void) !read(source->fd, &expirations, sizeof expirations);
        real->armed = BJ_NEVER;
        break;
    }
    case REAL_OUTPUT:
        if (!real->heard(real->heard_context)) {
            epoll_ctl(real->epoll, EPOLL_CTL_DEL, source->fd, NULL);
        }
        break;
    case REAL_CLIENT:
        real->client_ended = true;
        epoll_ctl(real->epoll, EPOLL_CTL_DEL, source->fd, NULL);
        close(source->fd);
        source->fd = -1;
    }
}

void bj_real_world_hold(bj_real_world *real) {
    real->held = true;
}

void bj_real_world_begin(bj_real_world *real, bj_time time) {
    real->held = false;
    real->start = monotonic() - time;
    real->begun = time;
    real->armed = BJ_NEVER;
}

/* What is there stays there: epoll reports by level, and nothing is read but the client's output. */
static bool is_contact(bj_real_world *real, const struct epoll_event *event) {
    real_source *source = event->data.ptr;
    if (source->kind == REAL_OUTPUT) {
        handle(real, event);
    }
    return source->kind == REAL_UDP || source->kind == REAL_LISTENER || source->kind == REAL_CLIENT;
}

bool bj_real_world_client_is_gone(const bj_real_world *real) {
    siginfo_t about = { 0 };
    return real->client > 0 && waitid(P_PID, (id_t) real->client, &about, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           about.si_pid == real->client;
}

bool bj_real_world_await_contact(bj_real_world *real, int ms) {
    struct epoll_event events[16];
    int count = epoll_wait(real->epoll, events, 16, ms);
    bool contact = false;
    for (int i = 0; i < count; i++) {
        contact = is_contact(real, &events[i]) || contact;
    }
    return contact;
}

/* One event, waited for up to `timeout` ms (-1 = without end); as epoll_wait(). */
static int turn(bj_real_world *real, int timeout) {
    struct epoll_event event;
    int count = epoll_wait(real->epoll, &event, 1, timeout);
    if (count > 0) {
        handle(real, &event);
        real->came = BJ_NEVER;
    }
    return count;
}

/* On a busy machine what came in time may wait here with a deadline: it is heard first. A flood does not stop the
 * clock. */
static void hear_what_waits(bj_real_world *real) {
    enum { AT_MOST = 256 };
    for (int i = 0; i < AT_MOST && !real->over && turn(real, 0) > 0; i++) {
    }
}

/* What the client said last is heard before its end; what it started may write for ever. */
static bj_real_end client_ended(bj_real_world *real, int *status) {
    hear_what_waits(real);
    waitpid(real->client, status, 0);
    real->client = 0;
    if (real->cut && !real->over) {
        real->cut = false;
        return BJ_REAL_CLIENT_CUT;
    }
    return real->over ? BJ_REAL_FINISHED : BJ_REAL_CLIENT_ENDED;
}

bj_real_end bj_real_world_run(bj_real_world *real, bj_time until, int *status) {
    while (!real->over) {
        bj_time now = real_now(real);
        if (real->timer <= now || until <= now) {
            hear_what_waits(real);
        }
        if (real->over) {
            break;
        }
        if (real->client_ended && real->client > 0) {
            return client_ended(real, status);
        }
        if (real->timer <= now) {
            tell_tick(real);
            continue;
        }
        if (until <= now) {
            return BJ_REAL_LIMIT;
        }
        if (real->start_due && real->client <= 0) {
            real->start_due = false;
            return BJ_REAL_START;
        }
        arm(real, real->timer < until ? real->timer : until);
        if (turn(real, -1) < 0) {
            return BJ_REAL_INTERRUPTED;
        }
    }
    return BJ_REAL_FINISHED;
}
