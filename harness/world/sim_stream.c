/* SPDX-License-Identifier: Apache-2.0
 *
 * TCP between the client's sockets and the servers, and between two sockets of the client. What a client can see of
 * TCP is here: the round trip of the handshake, data in order and late, a window, orderly and abrupt ends, give-up
 * times. Sequence numbers are not; a lost segment is one that comes later, by its retransmissions.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "world/sim_internal.h"

enum { TO_CLIENT = 0, TO_SERVER = 1 };

/* Linux: a SYN is sent again 1, 3, 7, 15, 31 and 63 s after the first; 127 s after it connect() gives up. */
static const bj_time syn_times[] = { 0, 1, 3, 7, 15, 31, 63 };
enum { SYN_ATTEMPTS = sizeof syn_times / sizeof *syn_times };
#define CONNECT_GIVES_UP (127 * BJ_SECOND)
/* Linux: tcp_retries2 = 15 with a first retransmission after 200 ms, doubled up to 120 s. */
enum { DATA_RETRIES = 15 };
#define DATA_FIRST_RETRY (200 * BJ_MS)
#define DATA_LAST_RETRY  (120 * BJ_SECOND)
#define DATA_GIVES_UP    (924600 * BJ_MS)

/* --- connections ---------------------------------------------------------------------------------------------- */

static sim_conn *find_conn(bj_sim *sim, int number) {
    sim_conn *conn = sim->conns;
    while (conn && (conn->local || conn->number != number)) {
        conn = conn->next;
    }
    return conn;
}

void sim_conn_unref(bj_sim *sim, sim_conn *conn) {
    assert(conn->references > 0);
    if (--conn->references > 0) {
        return;
    }
    sim_conn **at = &sim->conns;
    while (*at != conn) {
        at = &(*at)->next;
    }
    *at = conn->next;
    bj_arena_free(sim->arena, conn);
}

static sim_side *other_side(sim_conn *conn, const sim_side *side) {
    return side == &conn->side[0] ? &conn->side[1] : &conn->side[0];
}

/* This end has no part in the connection any more. */
static void side_ends(bj_sim *sim, sim_conn *conn, sim_side *side) {
    if (side->gone) {
        return;
    }
    side->gone = true;
    if (side->socket) {
        side->socket->conn = NULL;
        side->socket->connecting = false;
        side->socket = NULL;
    }
    sim_conn_unref(sim, conn);
}

static uint32_t log_stream(bj_sim *sim, sim_conn *conn, bj_event_kind kind, const sim_side *actor, uint32_t cause,
                           int64_t other) {
    if (conn->local) {
        return 0;
    }
    return sim_log(sim, (bj_event){ .kind = (uint8_t) kind,
                                    .actor = actor->actor,
                                    .cause = cause,
                                    .number = conn->number,
                                    .other = other,
                                    .from = conn->side[0].address,
                                    .to = conn->side[1].address });
}

static uint32_t log_bytes(bj_sim *sim, const sim_packet *packet, bj_event_kind kind, uint8_t actor, uint32_t cause) {
    if (packet->conn->local) {
        return 0;
    }
    return sim_log(sim, (bj_event){ .kind = (uint8_t) kind,
                                    .actor = actor,
                                    .cause = cause,
                                    .number = packet->conn->number,
                                    .from = packet->from,
                                    .to = packet->to,
                                    .raw = packet->data,
                                    .raw_length = packet->length });
}

bool sim_segment_is_stale(const sim_packet *packet) {
    bool waits = packet->segment == SIM_SYN || packet->segment == 0;
    const sim_conn *conn = packet->conn;
    return waits && conn->side[0].gone && (conn->side[1].gone || !conn->established);
}

/* --- segments on their way ------------------------------------------------------------------------------------ */

static sim_packet *new_segment(bj_sim *sim, sim_conn *conn, int to, sim_segment kind, const uint8_t *data,
                               size_t length) {
    sim_packet *packet = sim_packet_new(sim, &conn->side[1 - to].address, &conn->side[to].address, data, length);
    packet->conn = conn;
    packet->segment = (uint8_t) kind;
    packet->to_side = (uint8_t) to;
    packet->from_actor = conn->side[1 - to].actor;
    packet->to_actor = conn->side[to].actor;
    conn->references++;
    return packet;
}

/* The client's side hears of it when its patience ends. */
static void time_out(bj_sim *sim, sim_conn *conn, bj_time when) {
    if (!conn->timing_out) {
        conn->timing_out = true;
        sim_packet *packet = new_segment(sim, conn, TO_CLIENT, 0, NULL, 0);
        sim_queue_push(sim, when, sim_tie(sim), SIM_STREAM_TIMEOUT, packet);
    }
}

/* How much later than its first copy a segment arrives on a link that loses some; BJ_NEVER = not at all. */
static bj_time retransmissions(bj_sim *sim, uint32_t loss) {
    bj_time retry = DATA_FIRST_RETRY;
    bj_time later = 0;
    for (int lost = 0; bj_rng_chance(&sim->world, loss); lost++) {
        if (lost == DATA_RETRIES) {
            return BJ_NEVER;
        }
        later += retry;
        retry = retry * 2 < DATA_LAST_RETRY ? retry * 2 : DATA_LAST_RETRY;
    }
    return later;
}

static void put_in_order(bj_sim *sim, sim_packet *packet, bj_time time, uint32_t tie) {
    sim_direction *arrivals = &packet->conn->side[packet->to_side].arrivals;
    if (time <= arrivals->last) {
        time = arrivals->last;
        tie = arrivals->last_tie;
    }
    arrivals->last = time;
    arrivals->last_tie = tie;
    sim_queue_push(sim, time, tie, SIM_SEGMENT, packet);
}

/* A SYN sets out, again and again while it is lost. */
static void launch_syn(bj_sim *sim, sim_packet *packet) {
    sim_conn *conn = packet->conn;
    const bj_link *link = NULL;
    if (!conn->side[1].deaf) {
        sim_direction *way;
        link = &sim_link_between(sim, packet->from_actor, packet->to_actor, &way)->link;
        while (packet->attempt < SYN_ATTEMPTS && bj_rng_chance(&sim->world, link->loss)) {
            packet->attempt++;
        }
    }
    if (!link || packet->attempt >= SYN_ATTEMPTS) {
        time_out(sim, conn, conn->began + CONNECT_GIVES_UP);
        sim_packet_free(sim, packet);
        return;
    }
    bj_time leaves = conn->began + syn_times[packet->attempt] * BJ_SECOND;
    bj_time arrives = sim_later(leaves > sim->now ? leaves : sim->now, link->latency);
    put_in_order(sim, packet, arrives, sim_tie(sim));
}

static void launch_over_link(bj_sim *sim, sim_packet *packet) {
    sim_direction *way;
    const bj_link *link = &sim_link_between(sim, packet->from_actor, packet->to_actor, &way)->link;
    bj_time delay = sim_later(link->latency, link->jitter ? bj_rng_below(&sim->world, link->jitter + 1) : 0);
    bj_time later = retransmissions(sim, link->loss);
    if (later == BJ_NEVER) {
        packet->conn->side[1].deaf = true;
        time_out(sim, packet->conn, sim_later(sim->now, DATA_GIVES_UP));
        sim_packet_free(sim, packet);
    } else if (later || (link->reorder && bj_rng_chance(&sim->world, link->reorder))) {
        /* Behind its own connection's segments it stays, but for them overtakes what else is on the link. */
        put_in_order(sim, packet, sim_later(sim->now, sim_later(delay, later)), sim_tie(sim));
    } else {
        uint32_t tie;
        bj_time time = sim_arrival(sim, way, delay, &tie);
        put_in_order(sim, packet, time, tie);
    }
}

/* Takes the packet over. Between two sockets of the client it arrives at once. */
static void launch(bj_sim *sim, sim_packet *packet) {
    sim_conn *conn = packet->conn;
    packet->time = sim->now;
    if (conn->local) {
        sim_segment_arrives(sim, packet);
    } else if (packet->segment == SIM_SYN) {
        launch_syn(sim, packet);
    } else if (conn->side[packet->to_side].deaf) {
        time_out(sim, conn, sim_later(sim->now, DATA_GIVES_UP));
        sim_packet_free(sim, packet);
    } else {
        launch_over_link(sim, packet);
    }
}

static void answer(bj_sim *sim, sim_conn *conn, int to, sim_segment kind, uint32_t cause) {
    sim_packet *packet = new_segment(sim, conn, to, kind, NULL, 0);
    packet->sent = cause;
    launch(sim, packet);
}

/* --- arrival: the handshake ----------------------------------------------------------------------------------- */

/* A connection between two sockets of the client: the listening one gets a new socket for it at once. */
static void accept_locally(bj_sim *sim, sim_conn *conn) {
    sim_side *side = &conn->side[1];
    bj_sim_socket *listener = sim_socket_for(sim, true, &conn->side[0].address, &side->address);
    if (!listener || listener->accept_count >= SIM_ACCEPT_ROOM) {
        answer(sim, conn, TO_CLIENT, SIM_RST, 0);
        side_ends(sim, conn, side);
        return;
    }
    bj_sim_socket *s = bj_sim_socket_new(sim, listener->family, true);
    s->local = side->address;
    s->peer = conn->side[0].address;
    s->own_address = true;
    s->phase = SIM_CONNECTED;
    s->conn = conn;
    s->side = 1;
    side->socket = s;
    conn->established = true;
    if (listener->accept_last) {
        listener->accept_last->accept_next = s;
    } else {
        listener->accept_first = s;
    }
    listener->accept_last = s;
    listener->accept_count++;
    sim_touch(listener);
    answer(sim, conn, TO_CLIENT, SIM_SYN_ACK, 0);
}

/* Takes the packet over: a dead host leaves it unanswered and gets it again. */
static void syn_arrives(bj_sim *sim, sim_packet *packet) {
    sim_conn *conn = packet->conn;
    sim_side *side = &conn->side[1];
    if (conn->local) {
        accept_locally(sim, conn);
        sim_packet_free(sim, packet);
        return;
    }
    int endpoint = sim_endpoint_reached(sim, true, &packet->to);
    const sim_endpoint *e = endpoint < 0 ? NULL : &sim->endpoints[endpoint];
    if (e && !e->open && e->silent) {
        packet->attempt++;
        launch_syn(sim, packet);
        return;
    }
    side->endpoint = endpoint;
    answer(sim, conn, TO_CLIENT, e && e->open ? SIM_SYN_ACK : SIM_RST, packet->sent);
    if (!e || !e->open) {
        side_ends(sim, conn, side);
    }
    sim_packet_free(sim, packet);
}

static void syn_ack_arrives(bj_sim *sim, sim_conn *conn) {
    bj_sim_socket *s = conn->side[0].socket;
    s->connecting = false;
    sim_touch(s);
    if (!conn->local) {
        answer(sim, conn, TO_SERVER, SIM_ACK, conn->open_event);
    }
}

static void ack_arrives(bj_sim *sim, sim_packet *packet) {
    sim_conn *conn = packet->conn;
    sim_side *side = &conn->side[1];
    const sim_endpoint *e = &sim->endpoints[side->endpoint];
    if (e->open) {
        conn->established = true;
        uint32_t event = log_stream(sim, conn, BJ_EV_STREAM_OPEN, side, packet->sent, 0);
        sim_tell_opened(sim, side->endpoint, conn->number, &conn->side[0].address, event);
    } else if (e->silent) {
        side->deaf = true;
        side_ends(sim, conn, side);
    } else {
        answer(sim, conn, TO_CLIENT, SIM_RST, packet->sent);
        side_ends(sim, conn, side);
    }
}

/* --- arrival: data and ends ----------------------------------------------------------------------------------- */

/* The connection fails under a socket of the client. */
static void break_socket(bj_sim *sim, sim_conn *conn, sim_side *side, int error, uint32_t cause) {
    bj_sim_socket *s = side->socket;
    log_stream(sim, conn, BJ_EV_STREAM_CLOSED, side, cause, error);
    s->error = s->finished && error == ECONNRESET ? EPIPE : error; /* Linux, in CLOSE_WAIT */
    s->end = true;
    sim_touch(s);
    side_ends(sim, conn, side);
}

/* Takes the packet over. */
static void data_arrives(bj_sim *sim, sim_packet *packet) {
    sim_conn *conn = packet->conn;
    sim_side *side = &conn->side[packet->to_side];
    uint32_t event = log_bytes(sim, packet, BJ_EV_STREAM_RECEIVED, side->actor, packet->sent);
    packet->time = sim->now;
    if (side->socket && side->socket->shut_read && side->socket->shut_write) {
        answer(sim, conn, 1 - packet->to_side, SIM_RST, packet->sent); /* Linux, in FIN_WAIT */
        break_socket(sim, conn, side, ECONNRESET, packet->sent);
        sim_packet_free(sim, packet);
        return;
    }
    if (side->socket) {
        packet->conn = NULL;
        (void) sim_socket_take(side->socket, packet);
        sim_conn_unref(sim, conn);
        return;
    }
    sim_packet *window = new_segment(sim, conn, TO_CLIENT, SIM_WINDOW, NULL, 0);
    window->offset = packet->length;
    sim_tell_data(sim, conn->number, packet->data, packet->length, event);
    launch(sim, window);
    sim_packet_free(sim, packet);
}

static void window_opens(sim_packet *packet) {
    sim_side *side = &packet->conn->side[packet->to_side];
    assert(side->in_flight >= packet->offset);
    side->in_flight -= packet->offset;
    if (side->socket) {
        sim_touch(side->socket);
    }
}

static void send_end(bj_sim *sim, sim_conn *conn, sim_side *side, bool reset, uint32_t cause) {
    if (!reset && side->fin_sent) {
        return;
    }
    side->fin_sent = true;
    sim_segment kind = reset ? SIM_RST : SIM_FIN;
    int to = other_side(conn, side) == &conn->side[0] ? TO_CLIENT : TO_SERVER;
    uint32_t event = log_stream(sim, conn, BJ_EV_STREAM_CLOSED, side, cause, reset ? ECONNRESET : 0);
    answer(sim, conn, to, kind, event);
}

/* The server's side ends with the client's, once the engine has said what it had to say. */
static void server_hears_end(bj_sim *sim, sim_packet *packet, bool reset) {
    sim_conn *conn = packet->conn;
    sim_side *side = &conn->side[1];
    if (!conn->established) {
        side_ends(sim, conn, side);
        return;
    }
    uint32_t event = log_stream(sim, conn, BJ_EV_STREAM_CLOSED, side, packet->sent, reset ? ECONNRESET : 0);
    sim_tell_closed(sim, conn->number, reset, event);
    if (!side->gone && !reset) {
        send_end(sim, conn, side, false, event);
    }
    side_ends(sim, conn, side);
}

static void end_arrives(bj_sim *sim, sim_packet *packet) {
    sim_conn *conn = packet->conn;
    sim_side *side = &conn->side[packet->to_side];
    bool reset = packet->segment == SIM_RST;
    bj_sim_socket *s = side->socket;
    if (!s) {
        server_hears_end(sim, packet, reset);
    } else if (reset) {
        break_socket(sim, conn, side, s->connecting ? ECONNREFUSED : ECONNRESET, packet->sent);
    } else {
        log_stream(sim, conn, BJ_EV_STREAM_CLOSED, side, packet->sent, 0);
        s->end = s->finished = true;
        sim_touch(s);
    }
}

/* RFC 9293 §3.10.7.1: what reaches an end that is closed is answered with a reset. */
static void arrives_at_closed_end(bj_sim *sim, sim_packet *packet) {
    sim_conn *conn = packet->conn;
    bool carries = packet->segment == SIM_DATA || packet->segment == SIM_SYN_ACK;
    if (carries && !conn->side[1 - packet->to_side].gone) {
        answer(sim, conn, 1 - packet->to_side, SIM_RST, packet->sent);
    }
}

void sim_segment_arrives(bj_sim *sim, sim_packet *packet) {
    const sim_side *side = &packet->conn->side[packet->to_side];
    if (side->deaf || (sim->off && packet->to_actor == BJ_ACTOR_CLIENT)) {
        time_out(sim, packet->conn, sim_later(sim->now, DATA_GIVES_UP));
    } else if (side->gone) {
        arrives_at_closed_end(sim, packet);
    } else if (packet->segment == SIM_SYN) {
        syn_arrives(sim, packet);
        return;
    } else if (packet->segment == SIM_DATA) {
        data_arrives(sim, packet);
        return;
    } else if (packet->segment == SIM_SYN_ACK) {
        syn_ack_arrives(sim, packet->conn);
    } else if (packet->segment == SIM_ACK) {
        ack_arrives(sim, packet);
    } else if (packet->segment == SIM_WINDOW) {
        window_opens(packet);
    } else {
        end_arrives(sim, packet);
    }
    sim_packet_free(sim, packet);
}

void sim_stream_timed_out(bj_sim *sim, sim_packet *packet) {
    sim_conn *conn = packet->conn;
    sim_side *server = &conn->side[1];
    if (conn->side[0].socket) {
        break_socket(sim, conn, &conn->side[0], ETIMEDOUT, conn->open_event);
    }
    if (!server->gone && conn->established) {
        uint32_t event = log_stream(sim, conn, BJ_EV_STREAM_CLOSED, server, 0, ETIMEDOUT);
        sim_tell_closed(sim, conn->number, true, event);
    }
    side_ends(sim, conn, server);
    sim_packet_free(sim, packet);
}

/* --- what the client does ------------------------------------------------------------------------------------- */

static sim_conn *new_conn(bj_sim_socket *s) {
    bj_sim *sim = s->sim;
    sim_conn *conn = bj_arena_alloc(sim->arena, sizeof *conn);
    conn->local = sim_is_own(sim, &s->peer);
    conn->number = conn->local ? 0 : ++sim->last_connection;
    conn->began = sim->now;
    conn->next = sim->conns;
    conn->references = 2;
    conn->side[0] = (sim_side){ .socket = s, .endpoint = -1, .actor = BJ_ACTOR_CLIENT, .address = s->local };
    conn->side[1] = (sim_side){ .endpoint = -1, .actor = BJ_ACTOR_CLIENT, .address = s->peer };
    sim->conns = conn;
    s->conn = conn;
    s->side = 0;
    return conn;
}

int sim_stream_connect(bj_sim_socket *s, const bj_addr *peer) {
    bj_sim *sim = s->sim;
    int problem = peer->port ? sim_socket_autobind(s) : -EADDRNOTAVAIL;
    if (problem) {
        return problem;
    }
    s->local = sim_source_for(s, peer);
    s->peer = *peer;
    s->connecting = true;
    s->phase = SIM_CONNECTING;
    s->error = 0;
    sim_conn *conn = new_conn(s);
    if (!conn->local) {
        int host = sim_host_of(sim, peer);
        conn->side[1].actor = host < 0 ? BJ_ACTOR_WORLD : (uint8_t) host;
        conn->side[1].deaf = host < 0;
        conn->open_event = log_stream(sim, conn, BJ_EV_STREAM_OPEN, &conn->side[0], 0, 0);
    }
    sim_moved(sim);
    sim_packet *syn = new_segment(sim, conn, TO_SERVER, SIM_SYN, NULL, 0);
    syn->sent = conn->open_event;
    launch(sim, syn);
    return -EINPROGRESS;
}

size_t sim_stream_room(const bj_sim_socket *s) {
    return s->conn ? SIM_WINDOW_SIZE - s->conn->side[s->side].in_flight : 0;
}

int64_t sim_stream_write(bj_sim_socket *s, const uint8_t *data, size_t length) {
    bj_sim *sim = s->sim;
    if (s->error) {
        return -bj_sim_take_error(s);
    }
    if (!s->conn || s->shut_write) {
        return -EPIPE;
    }
    size_t room = s->connecting ? 0 : sim_stream_room(s);
    if (length == 0 || bj_sim_over(sim)) {
        return (int64_t) length;
    }
    if (room == 0) {
        return -EAGAIN;
    }
    length = length < room ? length : room;
    sim_conn *conn = s->conn;
    sim_packet *packet = new_segment(sim, conn, 1 - s->side, SIM_DATA, data, length);
    conn->side[s->side].in_flight += length;
    packet->sent = log_bytes(sim, packet, BJ_EV_STREAM_SENT, BJ_ACTOR_CLIENT, 0);
    sim_moved(sim);
    launch(sim, packet);
    return (int64_t) length;
}

void sim_stream_taken(bj_sim_socket *s, size_t length) {
    sim_conn *conn = s->conn;
    if (conn && conn->local && !conn->side[1 - s->side].gone) {
        sim_packet *window = new_segment(s->sim, conn, 1 - s->side, SIM_WINDOW, NULL, 0);
        window->offset = length;
        launch(s->sim, window);
    }
}

void sim_stream_finish(bj_sim_socket *s) {
    if (s->conn) {
        send_end(s->sim, s->conn, &s->conn->side[s->side], false, 0);
    }
}

void sim_stream_vanish(bj_sim_socket *s) {
    side_ends(s->sim, s->conn, &s->conn->side[s->side]);
}

void sim_stream_leave(bj_sim_socket *s, bool reset) {
    sim_conn *conn = s->conn;
    sim_side *side = &conn->side[s->side];
    if (s->connecting) {
        log_stream(s->sim, conn, BJ_EV_STREAM_CLOSED, side, 0, 0);
        conn->references++;
        side_ends(s->sim, conn, side);
        side_ends(s->sim, conn, &conn->side[1]);
        sim_conn_unref(s->sim, conn);
        return;
    }
    send_end(s->sim, conn, side, reset, 0);
    side_ends(s->sim, conn, side);
}

/* --- what the servers do -------------------------------------------------------------------------------------- */

static sim_conn *server_conn(bj_sim *sim, int number) {
    sim_conn *conn = find_conn(sim, number);
    return conn && conn->established && !conn->side[1].gone ? conn : NULL;
}

int64_t sim_stream_send(bj_world *w, int connection, const uint8_t *data, size_t length, uint32_t cause) {
    bj_sim *sim = sim_of(w);
    sim_conn *conn = server_conn(sim, connection);
    if (!conn) {
        return -ENOTCONN;
    }
    sim_packet *packet = new_segment(sim, conn, TO_CLIENT, SIM_DATA, data, length);
    packet->sent = log_bytes(sim, packet, BJ_EV_STREAM_SENT, conn->side[1].actor, cause);
    int64_t sequence = packet->sent;
    launch(sim, packet);
    return sequence;
}

void sim_stream_close(bj_world *w, int connection, bool reset) {
    bj_sim *sim = sim_of(w);
    sim_conn *conn = server_conn(sim, connection);
    if (conn) {
        send_end(sim, conn, &conn->side[1], reset, sim->handling);
        side_ends(sim, conn, &conn->side[1]);
    }
}

static void end_of_endpoint(bj_sim *sim, sim_conn *conn, bool silent) {
    sim_side *side = &conn->side[1];
    if (silent) {
        side->deaf = true;
    } else {
        send_end(sim, conn, side, true, sim->handling);
    }
    side_ends(sim, conn, side);
}

void sim_streams_of_endpoint_end(bj_sim *sim, int endpoint, bool silent) {
    for (sim_conn *conn = sim->conns, *next; conn; conn = next) {
        next = conn->next;
        bool concerned = conn->established && !conn->side[1].gone && conn->side[1].endpoint == endpoint;
        if (concerned && !conn->local) {
            end_of_endpoint(sim, conn, silent);
        }
    }
}
