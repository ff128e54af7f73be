/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's sockets as its operating system would show them: binding, connecting, sending and receiving datagrams,
 * readiness, errors. TCP's own business is in sim_stream.c. What the client sends to itself is there at once, and
 * stands in no log: it never leaves the host.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "world/sim_internal.h"

/* --- addresses as the client sees them ------------------------------------------------------------------------ */

static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

/* RFC 4291 §2.5.5.2: ::ffff:a.b.c.d is how an IPv6 socket names an IPv4 address. */
static bj_addr from_client(const bj_addr *address) {
    if (address->family != 6 || memcmp(address->ip, mapped_prefix, 12) != 0) {
        return *address;
    }
    bj_addr plain = { .family = 4, .port = address->port };
    memcpy(plain.ip, address->ip + 12, 4);
    return plain;
}

static bj_addr to_client(const bj_sim_socket *s, const bj_addr *address) {
    if (s->family != 6 || address->family != 4) {
        return *address;
    }
    bj_addr mapped = { .family = 6, .port = address->port };
    memcpy(mapped.ip, mapped_prefix, 12);
    memcpy(mapped.ip + 12, address->ip, 4);
    return mapped;
}

/* May this socket speak to (or be bound to) an address of that family? */
static int check_family(const bj_sim_socket *s, const bj_addr *wire) {
    if (wire->family != 4 && wire->family != 6) {
        return -EAFNOSUPPORT;
    }
    if (s->family == 4 && wire->family != 4) {
        return -EAFNOSUPPORT;
    }
    return s->family == 6 && wire->family == 4 && s->v6only ? -ENETUNREACH : 0;
}

/* --- life ----------------------------------------------------------------------------------------------------- */

bj_sim_socket *bj_sim_socket_new(bj_sim *sim, int family, bool stream) {
    bj_sim_socket *s = bj_arena_alloc(sim->arena, sizeof *s);
    s->sim = sim;
    s->family = family == 6 ? 6 : 4;
    s->stream = stream;
    s->local.family = s->family;
    return s;
}

static void release_port(bj_sim_socket *s) {
    if (!s->bound) {
        return;
    }
    bj_sim_socket **at = &s->sim->ports[s->local.port % SIM_PORT_BUCKETS];
    while (*at != s) {
        at = &(*at)->next;
    }
    *at = s->next;
    s->bound = false;
}

static void drop_queue(bj_sim_socket *s) {
    while (s->first) {
        sim_packet *packet = s->first;
        s->first = packet->next;
        sim_packet_free(s->sim, packet);
    }
    s->last = NULL;
    s->queued = 0;
}

static void drop_refused(bj_sim_socket *s) {
    while (s->refused) {
        sim_packet *packet = s->refused;
        s->refused = packet->next;
        sim_packet_free(s->sim, packet);
    }
    s->refused_count = 0;
}

static void vanish(bj_sim_socket *s) {
    for (bj_sim_socket *waiting = s->accept_first; waiting; waiting = waiting->accept_next) {
        vanish(waiting); /* those have none waiting */
    }
    if (s->conn) {
        sim_stream_vanish(s);
    }
    release_port(s);
    drop_queue(s);
    drop_refused(s);
}

void sim_sockets_vanish(bj_sim *sim) {
    for (int bucket = 0; bucket < SIM_PORT_BUCKETS; bucket++) {
        while (sim->ports[bucket]) {
            vanish(sim->ports[bucket]);
        }
    }
}

static void turn_away(bj_sim_socket *s) {
    while (s->accept_first) {
        bj_sim_socket *waiting = s->accept_first;
        s->accept_first = waiting->accept_next;
        bj_sim_socket_abort(waiting);
    }
    s->accept_last = NULL;
    s->accept_count = 0;
}

void bj_sim_socket_close(bj_sim_socket *s) {
    turn_away(s);
    if (s->conn) {
        /* RFC 1122 §4.2.2.13: closing with data unread is a reset. */
        sim_stream_leave(s, s->queued > 0);
    }
    release_port(s);
    drop_queue(s);
    drop_refused(s);
    bj_arena_free(s->sim->arena, s);
}

void bj_sim_socket_abort(bj_sim_socket *s) {
    if (s->conn) {
        sim_stream_leave(s, true);
    }
    bj_sim_socket_close(s);
}

void bj_sim_set_v6only(bj_sim_socket *s, bool on) {
    s->v6only = on;
}

void bj_sim_set_reuse(bj_sim_socket *s, bool on) {
    s->reuse = on;
}

/* --- ports ---------------------------------------------------------------------------------------------------- */

static bool overlap(const bj_sim_socket *a, const bj_sim_socket *b) {
    if (a->local.family != b->local.family) {
        const bj_sim_socket *six = a->local.family == 6 ? a : b;
        return !six->v6only && sim_is_any(&six->local);
    }
    return sim_is_any(&a->local) || sim_is_any(&b->local) || bj_addr_same_host(&a->local, &b->local);
}

/* Would binding `s` to its `local` take a port that is in use? Two UDP sockets that both allow it may share one. */
static bool port_taken(const bj_sim_socket *s) {
    for (const bj_sim_socket *o = s->sim->ports[s->local.port % SIM_PORT_BUCKETS]; o; o = o->next) {
        bool shared = s->reuse && o->reuse && !(s->stream && o->listening);
        if (o != s && o->stream == s->stream && o->local.port == s->local.port && overlap(s, o) && !shared) {
            return true;
        }
    }
    return false;
}

static bool find_port(bj_sim_socket *s) {
    int first = s->sim->first_port, count = 65536 - first;
    for (int i = 0; i < count; i++) {
        s->local.port = (uint16_t) (first + s->sim->next_port);
        s->sim->next_port = (uint16_t) ((s->sim->next_port + 1) % count);
        if (!port_taken(s)) {
            return true;
        }
    }
    s->local.port = 0;
    return false;
}

static int take_port(bj_sim_socket *s) {
    if (s->local.port == 0 ? !find_port(s) : port_taken(s)) {
        s->local.port = 0;
        return -EADDRINUSE;
    }
    bj_sim_socket **bucket = &s->sim->ports[s->local.port % SIM_PORT_BUCKETS];
    s->next = *bucket;
    *bucket = s;
    s->bound = true;
    return 0;
}

int sim_socket_autobind(bj_sim_socket *s) {
    return s->bound ? 0 : take_port(s);
}

int bj_sim_bind(bj_sim_socket *s, const bj_addr *local) {
    bj_addr wire = from_client(local);
    int problem = check_family(s, &wire);
    if (s->bound) {
        return -EINVAL;
    }
    if (problem) {
        return problem == -ENETUNREACH ? -EINVAL : problem;
    }
    if (!sim_is_any(&wire) && !sim_is_own(s->sim, &wire)) {
        return -EADDRNOTAVAIL;
    }
    bj_addr before = s->local;
    s->local = wire;
    problem = take_port(s);
    if (problem) {
        s->local = before;
        return problem;
    }
    s->own_address = !sim_is_any(&wire);
    s->own_port = wire.port != 0;
    return 0;
}

void bj_sim_local(const bj_sim_socket *s, bj_addr *local) {
    *local = to_client(s, &s->local);
    /* An IPv6 socket that is bound to no address shows "::", not the mapped form of 0.0.0.0. */
    if (s->family == 6 && sim_is_any(&s->local)) {
        *local = (bj_addr){ .family = 6, .port = s->local.port };
    }
}

/* The address from which something for `peer` leaves, with the socket's port. */
bj_addr sim_source_for(const bj_sim_socket *s, const bj_addr *peer) {
    bj_addr source = { .family = peer->family, .port = s->local.port };
    if (s->local.family == peer->family && !sim_is_any(&s->local)) {
        source = s->local;
    } else if (sim_is_own(s->sim, peer)) {
        memcpy(source.ip, peer->ip, sizeof source.ip);
    } else {
        sim_host_address(s->sim, BJ_ACTOR_CLIENT, peer->family, &source);
        source.port = s->local.port;
    }
    return source;
}

/* --- connecting ----------------------------------------------------------------------------------------------- */

/* A destination of 0.0.0.0 or :: is this host. */
static bj_addr destination(const bj_addr *peer) {
    bj_addr wire = from_client(peer);
    if (sim_is_any(&wire)) {
        wire.ip[0] = wire.family == 4 ? 127 : 0;
        wire.ip[wire.family == 4 ? 3 : 15] = 1;
    }
    return wire;
}

/* Linux: only what bind() named stays. */
static void forget_name(bj_sim_socket *s) {
    if (!s->own_port) {
        release_port(s);
        s->local.port = 0;
    }
    if (!s->own_address) {
        s->local = (bj_addr){ .family = s->family, .port = s->local.port };
    }
}

static int disconnect(bj_sim_socket *s) {
    s->connected = false;
    memset(&s->peer, 0, sizeof s->peer);
    forget_name(s);
    return 0;
}

static int connect_datagram(bj_sim_socket *s, const bj_addr *wire) {
    int problem = sim_socket_autobind(s);
    if (problem) {
        return problem;
    }
    if (!s->own_address) {
        s->local = (bj_addr){ .family = s->family, .port = s->local.port };
        s->local = sim_source_for(s, wire);
    }
    s->peer = *wire;
    s->connected = true;
    s->error = 0;
    return 0;
}

/* A stream as it was before connect() or listen(), but for what bind() named. */
static void start_over(bj_sim_socket *s) {
    turn_away(s);
    drop_queue(s);
    forget_name(s);
    s->phase = SIM_UNCONNECTED;
    s->listening = s->end = s->finished = s->shut_read = s->shut_write = false;
    s->error = 0;
}

static int disconnect_stream(bj_sim_socket *s) {
    bool breaks = s->conn != NULL;
    if (breaks) {
        sim_stream_leave(s, true);
    }
    start_over(s);
    s->error = breaks ? ECONNRESET : 0;
    sim_touch(s);
    return 0;
}

/* What became of the handshake. */
static int connect_again(bj_sim_socket *s) {
    if (s->phase == SIM_CONNECTED) {
        return -EISCONN;
    }
    if (s->connecting) {
        return -EALREADY;
    }
    if (s->conn) {
        s->phase = SIM_CONNECTED;
        return 0;
    }
    int error = bj_sim_take_error(s);
    start_over(s);
    return error ? -error : -ECONNABORTED;
}

int bj_sim_connect(bj_sim_socket *s, const bj_addr *peer) {
    if (peer->family == 0) {
        return s->stream ? disconnect_stream(s) : disconnect(s);
    }
    if (s->phase != SIM_UNCONNECTED) {
        return connect_again(s);
    }
    if (s->listening) {
        return -EISCONN;
    }
    bj_addr wire = destination(peer);
    int problem = check_family(s, &wire);
    if (problem) {
        return problem;
    }
    if (!s->stream) {
        return connect_datagram(s, &wire);
    }
    return sim_stream_connect(s, &wire);
}

/* A stream that both ends have closed has no peer any more. */
static bool has_peer(const bj_sim_socket *s) {
    return s->stream ? s->conn && !s->connecting && !(s->end && s->shut_write) : s->connected;
}

int bj_sim_peer_of(const bj_sim_socket *s, bj_addr *peer) {
    if (!has_peer(s) || !s->peer.port) {
        return -ENOTCONN;
    }
    *peer = to_client(s, &s->peer);
    return 0;
}

int bj_sim_listen(bj_sim_socket *s) {
    if (!s->stream) {
        return -EOPNOTSUPP;
    }
    if (s->conn) {
        return -EINVAL;
    }
    int problem = sim_socket_autobind(s);
    s->listening = problem == 0;
    return problem;
}

bj_sim_socket *bj_sim_accept(bj_sim_socket *s, bj_addr *peer) {
    bj_sim_socket *taken = s->accept_first;
    if (!taken) {
        return NULL;
    }
    s->accept_first = taken->accept_next;
    s->accept_last = s->accept_first ? s->accept_last : NULL;
    s->accept_count--;
    taken->accept_next = NULL;
    if (peer) {
        *peer = to_client(taken, &taken->peer);
    }
    sim_moved(s->sim);
    return taken;
}

/* --- who gets what arrives ------------------------------------------------------------------------------------ */

static int fit(const bj_sim_socket *s, bool stream, const bj_addr *from, const bj_addr *to) {
    bool any = sim_is_any(&s->local);
    bool dual = s->local.family == 6 && to->family == 4 && !s->v6only;
    if (s->stream != stream || s->local.port != to->port || (stream && !s->listening)) {
        return -1;
    }
    if (s->local.family != to->family && !(dual && any)) {
        return -1;
    }
    if (!any && !bj_addr_same_host(&s->local, to)) {
        return -1;
    }
    if (s->connected) {
        return bj_addr_equal(&s->peer, from) ? 4 : -1;
    }
    return any ? (dual ? 1 : 2) : 3;
}

bj_sim_socket *sim_socket_for(const bj_sim *sim, bool stream, const bj_addr *from, const bj_addr *to) {
    bj_sim_socket *best = NULL;
    int best_fit = 0;
    for (bj_sim_socket *s = sim->ports[to->port % SIM_PORT_BUCKETS]; s; s = s->next) {
        int f = fit(s, stream, from, to);
        if (f > best_fit) {
            best = s;
            best_fit = f;
        }
    }
    return best;
}

void sim_touch(bj_sim_socket *s) {
    s->edges++;
    s->sim->changes++;
    if (s->subject && s->sim->touched) {
        s->sim->touched(s->sim->touched_context, s->subject);
    }
}

void bj_sim_watch(bj_sim *sim, bj_sim_touched_fn *touched, void *context) {
    sim->touched = touched;
    sim->touched_context = context;
}

void bj_sim_socket_set_subject(bj_sim_socket *s, void *subject) {
    s->subject = subject;
}

bool sim_socket_take(bj_sim_socket *s, sim_packet *packet) {
    if (!s->stream && s->queued + packet->length > SIM_RECEIVE_ROOM) {
        return false;
    }
    packet->next = NULL;
    if (s->last) {
        s->last->next = packet;
    } else {
        s->first = packet;
    }
    s->last = packet;
    s->queued += packet->length;
    sim_touch(s);
    return true;
}

static void keep_refused(bj_sim_socket *s, const bj_addr *closed, const uint8_t *data, size_t length) {
    if (s->refused_count == SIM_REFUSED_ROOM) {
        return;
    }
    sim_packet **end = &s->refused;
    while (*end) {
        end = &(*end)->next;
    }
    *end = sim_packet_new(s->sim, closed, &s->local, data, length);
    (*end)->time = s->sim->now;
    s->refused_count++;
}

bool sim_sockets_refused(bj_sim *sim, const bj_addr *sender, const bj_addr *closed, const uint8_t *data,
                         size_t length) {
    bool heard = false;
    for (bj_sim_socket *s = sim->ports[sender->port % SIM_PORT_BUCKETS]; s; s = s->next) {
        bool wants = s->want_errors[closed->family == 6];
        bool spoke = s->connected ? bj_addr_equal(&s->peer, closed) : wants;
        if (!s->stream && s->local.port == sender->port && spoke) {
            s->error = ECONNREFUSED;
            if (wants) {
                keep_refused(s, closed, data, length);
            }
            sim_touch(s);
            heard = true;
        }
    }
    return heard;
}

/* --- datagrams ------------------------------------------------------------------------------------------------ */

static void send_to_self(bj_sim_socket *s, const bj_addr *from, const bj_addr *to, const uint8_t *data, size_t length) {
    bj_sim *sim = s->sim;
    bj_sim_socket *receiver = sim_socket_for(sim, false, from, to);
    if (!receiver) {
        sim_sockets_refused(sim, from, to, data, length);
        return;
    }
    sim_packet *packet = sim_packet_new(sim, from, to, data, length);
    packet->time = sim->now;
    if (!sim_socket_take(receiver, packet)) {
        sim_packet_free(sim, packet);
    }
}

static void send_away(bj_sim *sim, const bj_addr *from, const bj_addr *to, const uint8_t *data, size_t length) {
    sim_packet *packet = sim_packet_new(sim, from, to, data, length);
    packet->from_actor = BJ_ACTOR_CLIENT;
    packet->sent = sim_log(sim, (bj_event){ .kind = BJ_EV_SENT,
                                            .actor = BJ_ACTOR_CLIENT,
                                            .from = *from,
                                            .to = *to,
                                            .raw = data,
                                            .raw_length = length });
    sim_transmit(sim, packet);
}

static int check_datagram(bj_sim_socket *s, const bj_addr *peer, size_t length) {
    if (s->shut_write) {
        return -EPIPE;
    }
    if (!peer && !s->connected) {
        return -EDESTADDRREQ;
    }
    if (length > 65507) {
        return -EMSGSIZE;
    }
    return s->error ? -bj_sim_take_error(s) : 0;
}

static int64_t send_datagram(bj_sim_socket *s, const bj_addr *source, const bj_addr *peer, const uint8_t *data,
                             size_t length) {
    int problem = check_datagram(s, peer, length);
    if (problem) {
        return problem;
    }
    bj_addr to = peer ? destination(peer) : s->peer;
    problem = check_family(s, &to);
    if (!problem) {
        problem = to.port || !peer ? sim_socket_autobind(s) : -EINVAL;
    }
    if (problem) {
        return problem;
    }
    bj_addr from = sim_source_for(s, &to);
    if (source && !sim_is_any(source)) {
        from = from_client(source);
        from.port = s->local.port;
    }
    sim_moved(s->sim);
    if (bj_sim_over(s->sim)) {
        return (int64_t) length;
    }
    if (sim_is_own(s->sim, &to)) {
        send_to_self(s, &from, &to, data, length);
    } else {
        send_away(s->sim, &from, &to, data, length);
    }
    return (int64_t) length;
}

int64_t bj_sim_send_from(bj_sim_socket *s, const bj_addr *source, const bj_addr *peer, const uint8_t *data,
                         size_t length) {
    if (s->stream) {
        return sim_stream_write(s, data, length);
    }
    if (source && !sim_is_any(source)) {
        bj_addr wire = from_client(source);
        if (!sim_is_own(s->sim, &wire)) {
            return -EINVAL;
        }
    }
    return send_datagram(s, source, peer, data, length);
}

int64_t bj_sim_send(bj_sim_socket *s, const bj_addr *peer, const uint8_t *data, size_t length) {
    return bj_sim_send_from(s, NULL, peer, data, length);
}

static void unqueue_first(bj_sim_socket *s) {
    sim_packet *packet = s->first;
    s->first = packet->next;
    s->last = s->first ? s->last : NULL;
    sim_packet_free(s->sim, packet);
}

static size_t read_out(const bj_sim_socket *s, const sim_packet *packet, uint8_t *data, size_t room,
                       bj_sim_received *about) {
    size_t length = packet->length < room ? packet->length : room;
    if (length) {
        memcpy(data, packet->data, length);
    }
    if (about) {
        about->from = to_client(s, &packet->from);
        about->to = to_client(s, &packet->to);
        about->full_length = packet->length;
        about->time = packet->time;
    }
    return length;
}

int64_t bj_sim_receive_error(bj_sim_socket *s, uint8_t *data, size_t room, bj_sim_received *about) {
    sim_packet *packet = s->refused;
    if (!packet) {
        return -EAGAIN;
    }
    size_t length = read_out(s, packet, data, room, about);
    s->refused = packet->next;
    s->refused_count--;
    sim_packet_free(s->sim, packet);
    s->error = s->refused ? ECONNREFUSED : 0; /* Linux: SO_ERROR follows the queue */
    sim_moved(s->sim);
    return (int64_t) length;
}

static int64_t receive_datagram(bj_sim_socket *s, uint8_t *data, size_t room, bool peek, bj_sim_received *about) {
    const sim_packet *packet = s->first;
    size_t length = read_out(s, packet, data, room, about);
    if (!peek) {
        s->queued -= packet->length;
        unqueue_first(s);
        sim_moved(s->sim);
    }
    return (int64_t) length;
}

static int64_t receive_stream(bj_sim_socket *s, uint8_t *data, size_t room, bool peek, bj_sim_received *about) {
    size_t copied = 0;
    if (about) {
        about->from = to_client(s, &s->peer);
        about->to = to_client(s, &s->local);
        about->time = s->first->time;
    }
    for (sim_packet *packet = s->first; packet && copied < room;) {
        sim_packet *next = packet->next;
        size_t left = packet->length - packet->offset;
        size_t length = left < room - copied ? left : room - copied;
        memcpy(data + copied, packet->data + packet->offset, length);
        copied += length;
        if (!peek) {
            packet->offset += length;
            if (packet->offset == packet->length) {
                unqueue_first(s);
            }
        }
        packet = next;
    }
    if (about) {
        about->full_length = copied;
    }
    if (!peek && copied) {
        s->queued -= copied;
        sim_stream_taken(s, copied);
        sim_moved(s->sim);
    }
    return (int64_t) copied;
}

int64_t bj_sim_receive(bj_sim_socket *s, uint8_t *data, size_t room, bool peek, bj_sim_received *about) {
    if (s->stream) {
        if (s->first) {
            return receive_stream(s, data, room, peek, about);
        }
        if (s->error && !s->finished) {
            return -bj_sim_take_error(s);
        }
        if (s->end || s->shut_read) {
            return 0;
        }
        return s->conn ? -EAGAIN : -ENOTCONN;
    }
    if (s->error) {
        return -bj_sim_take_error(s);
    }
    if (s->first) {
        return receive_datagram(s, data, room, peek, about);
    }
    return -EAGAIN;
}

int bj_sim_shutdown(bj_sim_socket *s, bool reading, bool writing) {
    if (s->connecting || (s->listening && reading)) {
        bool waits = s->connecting;
        disconnect_stream(s);
        s->phase = waits ? SIM_CONNECTING : SIM_UNCONNECTED; /* who waits in connect() is to hear of it */
        return 0;
    }
    bool had_peer = s->listening || has_peer(s);
    if (s->listening || (s->stream && !had_peer)) {
        return had_peer ? 0 : -ENOTCONN;
    }
    s->shut_read = s->shut_read || reading;
    if (writing && !s->shut_write) {
        s->shut_write = true;
        if (s->stream) {
            sim_stream_finish(s);
        }
    }
    sim_touch(s);
    return had_peer ? 0 : -ENOTCONN;
}

/* --- questions ------------------------------------------------------------------------------------------------ */

int bj_sim_take_error(bj_sim_socket *s) {
    int error = s->error;
    s->error = 0;
    return error;
}

size_t bj_sim_pending(const bj_sim_socket *s) {
    return s->stream ? s->queued : s->first ? s->first->length : 0;
}

void bj_sim_want_errors(bj_sim_socket *s, int family, bool on) {
    s->want_errors[family == 6] = on;
    if (!on) {
        drop_refused(s);
    }
}

bool bj_sim_is_stream(const bj_sim_socket *s) {
    return s->stream;
}

int bj_sim_family(const bj_sim_socket *s) {
    return s->family;
}

bool bj_sim_is_listening(const bj_sim_socket *s) {
    return s->listening;
}

static short stream_events(const bj_sim_socket *s) {
    if (s->listening) {
        return s->accept_first ? POLLIN : 0;
    }
    if (s->connecting) {
        return 0;
    }
    bool ended = s->end || s->shut_read;
    short events = s->first || ended ? POLLIN : 0;
    events |= ended ? POLLRDHUP : 0;
    events |= !s->conn || s->shut_write || sim_stream_room(s) ? POLLOUT : 0;
    events |= !s->conn || (ended && s->shut_write) ? POLLHUP : 0;
    return events;
}

short bj_sim_socket_events(const bj_sim_socket *s, uint64_t *edges) {
    short events;
    if (s->stream) {
        events = stream_events(s);
    } else {
        events = POLLOUT;
        events |= s->first ? POLLIN : 0;
        events |= s->shut_read ? POLLIN | POLLRDHUP : 0;
        events |= s->shut_read && s->shut_write ? POLLHUP : 0;
    }
    if (s->error || s->refused) {
        events |= POLLERR;
    }
    if (edges) {
        *edges = s->edges;
    }
    return events;
}
