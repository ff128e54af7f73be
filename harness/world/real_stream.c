/* SPDX-License-Identifier: Apache-2.0
 *
 * TCP connections to the servers in the real world.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "world/real_internal.h"

/* From the side that ended it. */
static uint32_t log_end(bj_real_world *real, const real_conn *conn, bool by_client, int error, uint32_t cause) {
    return real_log(real, (bj_event){ .kind = BJ_EV_STREAM_CLOSED,
                                      .actor = conn->actor,
                                      .cause = cause,
                                      .number = conn->number,
                                      .other = error,
                                      .from = by_client ? conn->peer : conn->local,
                                      .to = by_client ? conn->local : conn->peer });
}

static void reset_on_close(int fd) {
    struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

int real_spare(void) {
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* A connection for which no descriptor is left would stay in the kernel, which reports it again and again, and its
 * client would wait for nothing: it is refused, with the descriptor that is kept for that. */
static void refuse(bj_real_world *real, const real_way *way, int problem) {
    close(real->spare);
    int fd = accept4(way->source.fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0) {
        reset_on_close(fd);
        close(fd);
        BJ_TEXT(line, 160);
        bj_text_printf(&line, "a connection to server %s is reset: %s", real->names[way->actor], strerror(problem));
        real_log(real, (bj_event){ .kind = BJ_EV_NOTE, .actor = way->actor, .text = line.start });
    }
    real->spare = real_spare();
}

void real_accept(bj_real_world *real, real_way *way) {
    struct sockaddr_storage storage;
    socklen_t size = sizeof storage;
    int fd = accept4(way->source.fd, (struct sockaddr *) &storage, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE) {
            refuse(real, way, errno);
        }
        return;
    }
    real_conn *conn = bj_arena_alloc(real->arena, sizeof *conn);
    conn->source = (real_source){ .kind = REAL_CONNECTION, .fd = fd };
    /* What a script sends leaves when the log says so, and in its `pieces`: Nagle's algorithm would hold it back until
     * the client's delayed acknowledgement, and join it. */
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    conn->number = ++real->last_connection;
    conn->endpoint = way->endpoint;
    conn->actor = way->actor;
    conn->local = real_local(fd);
    real_from_sockaddr(&storage, size, &conn->peer);
    if (real_watch(real, &conn->source, EPOLLIN) != 0) {
        close(fd);
        bj_arena_free(real->arena, conn);
        return;
    }
    conn->next = real->conns;
    real->conns = conn;
    real_reached_by(real, &conn->peer, &conn->local);
    uint32_t event = real_log(real, (bj_event){ .kind = BJ_EV_STREAM_OPEN,
                                                .actor = conn->actor,
                                                .number = conn->number,
                                                .from = conn->peer,
                                                .to = conn->local });
    real_tell_opened(real, conn, event);
}

static void free_conn(bj_real_world *real, real_conn *conn) {
    real_conn **at = &real->conns;
    while (*at != conn) {
        at = &(*at)->next;
    }
    *at = conn->next;
    real_unwatch(real, &conn->source);
    bj_arena_free(real->arena, conn->out);
    bj_arena_free(real->arena, conn);
}

static void abort_conn(bj_real_world *real, real_conn *conn) {
    reset_on_close(conn->source.fd);
    free_conn(real, conn);
}

static void watch_for(bj_real_world *real, real_conn *conn, uint32_t events) {
    struct epoll_event event = { .events = events, .data = { .ptr = &conn->source } };
    epoll_ctl(real->epoll, EPOLL_CTL_MOD, conn->source.fd, &event);
}

/* The client is to end it too. One that vanished would not: then the kernel says so after a while. */
static void ask_whether_it_is_there(int fd) {
    static const struct {
        int level, option, value;
    } options[] = { { IPPROTO_TCP, TCP_KEEPIDLE, 60 },
                    { IPPROTO_TCP, TCP_KEEPINTVL, 20 },
                    { IPPROTO_TCP, TCP_KEEPCNT, 3 },
                    { SOL_SOCKET, SO_KEEPALIVE, 1 } };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        setsockopt(fd, options[i].level, options[i].option, &options[i].value, sizeof options[i].value);
    }
}

/* Gives the kernel what it takes; false when the connection broke. */
static bool flush(bj_real_world *real, real_conn *conn) {
    while (conn->out_used) {
        ssize_t taken = send(conn->source.fd, conn->out, conn->out_used, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (taken < 0 && (errno == EAGAIN || errno == EINTR)) {
            break;
        }
        if (taken < 0) {
            return false;
        }
        conn->out_used -= (size_t) taken;
        memmove(conn->out, conn->out + taken, conn->out_used);
    }
    if (!conn->out_used && conn->closing && !conn->finished) {
        conn->finished = true;
        shutdown(conn->source.fd, SHUT_WR);
        ask_whether_it_is_there(conn->source.fd);
    }
    watch_for(real, conn, conn->out_used ? EPOLLIN | EPOLLOUT : EPOLLIN);
    return true;
}

/* The client closed or the connection broke; the engine hears of it unless it closed before. */
static void ended(bj_real_world *real, real_conn *conn, int error) {
    if (!conn->closing) {
        int number = conn->number;
        uint32_t event = log_end(real, conn, true, error, 0);
        conn->closing = true;
        real_tell_closed(real, number, error != 0, event);
    }
    flush(real, conn);
    free_conn(real, conn);
}

void real_connection_event(bj_real_world *real, real_conn *conn, uint32_t events) {
    uint8_t *data = real->buffer;
    if ((events & EPOLLOUT) && !flush(real, conn)) {
        ended(real, conn, ECONNRESET);
        return;
    }
    if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) {
        return;
    }
    real_control control;
    struct iovec vector = { data, sizeof real->buffer };
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
    };
    ssize_t length = recvmsg(conn->source.fd, &message, MSG_DONTWAIT);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (length <= 0) {
        ended(real, conn, length < 0 ? errno : 0);
        return;
    }
    if (conn->closing) {
        abort_conn(real, conn); /* RFC 9293 §3.6.1: data after the close is answered with a reset */
        return;
    }
    real->came = real_came(real, &message);
    uint32_t event = real_log(real, (bj_event){ .kind = BJ_EV_STREAM_RECEIVED,
                                                .actor = conn->actor,
                                                .number = conn->number,
                                                .from = conn->peer,
                                                .to = conn->local,
                                                .raw = data,
                                                .raw_length = (size_t) length });
    real_tell_data(real, conn->number, data, (size_t) length, event);
}

static real_conn *find_conn(bj_real_world *real, int number) {
    real_conn *conn = real->conns;
    while (conn && (conn->number != number || conn->closing)) {
        conn = conn->next;
    }
    return conn;
}

int64_t real_stream_send(bj_world *w, int connection, const uint8_t *data, size_t length, uint32_t cause) {
    bj_real_world *real = real_of(w);
    real_conn *conn = find_conn(real, connection);
    if (!conn) {
        return -ENOTCONN;
    }
    int64_t event = real_log(real, (bj_event){ .kind = BJ_EV_STREAM_SENT,
                                               .actor = conn->actor,
                                               .cause = cause,
                                               .number = conn->number,
                                               .from = conn->local,
                                               .to = conn->peer,
                                               .raw = data,
                                               .raw_length = length });
    conn->out = bj_arena_realloc(real->arena, conn->out, conn->out_used + length);
    memcpy(conn->out + conn->out_used, data, length);
    conn->out_used += length;
    /* One that broke shows it in its next event. */
    (void) flush(real, conn);
    return event;
}

void real_stream_close(bj_world *w, int connection, bool reset) {
    bj_real_world *real = real_of(w);
    real_conn *conn = find_conn(real, connection);
    if (!conn) {
        return;
    }
    log_end(real, conn, false, reset ? ECONNRESET : 0, real->handling);
    /* Whoever told the engine about this connection does not look at it again. */
    if (reset) {
        abort_conn(real, conn);
        return;
    }
    conn->closing = true;
    (void) flush(real, conn);
}

void real_drop_connections(bj_real_world *real, int endpoint) {
    for (real_conn *conn = real->conns, *next; conn; conn = next) {
        next = conn->next;
        if (conn->endpoint == endpoint) {
            real_stream_close((bj_world *) real, conn->number, true);
        }
    }
}

void real_free_connections(bj_real_world *real) {
    while (real->conns) {
        free_conn(real, real->conns);
    }
}
