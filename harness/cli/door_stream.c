/* SPDX-License-Identifier: Apache-2.0
 *
 * See door_stream.h.
 */
#define _GNU_SOURCE
#include "cli/door_stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int stream_socket(const bj_addr *at, struct sockaddr_storage *storage, socklen_t *size) {
    *size = (socklen_t) bj_addr_to_sockaddr(at, storage);
    return socket(at->family == 6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

bool cli_door_streams_open(cli_door_streams *streams, const bj_addr *listens) {
    struct sockaddr_storage storage;
    socklen_t size;
    int on = 1;
    streams->street = stream_socket(listens, &storage, &size);
    if (streams->street < 0) {
        return false;
    }
    setsockopt(streams->street, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(streams->street, (struct sockaddr *) &storage, size) != 0 || listen(streams->street, SOMAXCONN) != 0) {
        int problem = errno;
        close(streams->street);
        errno = problem;
        return false;
    }
    return true;
}

size_t cli_door_streams_watch(const cli_door_streams *streams, struct pollfd *set) {
    size_t count = 0;
    set[count++] = (struct pollfd){ .fd = streams->street, .events = POLLIN };
    for (size_t i = 0; i < streams->count; i++) {
        const cli_door_pair *p = &streams->pairs[i];
        for (int side = 0; side < 2; side++) {
            short reads = p->end[side] || p->used[side] ? 0 : POLLIN, writes = p->used[!side] ? POLLOUT : 0;
            set[count++] = (struct pollfd){ .fd = p->fd[side], .events = (short) (reads | writes) };
        }
    }
    return count;
}

/* --- a pair ------------------------------------------------------------------------------------------------------- */

static bool later(void) {
    return errno == EAGAIN || errno == EINTR;
}

/* What came from one side goes to the other. false: that one is gone. */
static bool pass_on(cli_door_pair *p, int side) {
    if (p->used[side]) {
        ssize_t taken = send(p->fd[!side], p->bytes[side], p->used[side], MSG_NOSIGNAL);
        if (taken < 0) {
            return later();
        }
        p->used[side] -= (size_t) taken;
        memmove(p->bytes[side], p->bytes[side] + taken, p->used[side]);
    }
    if (p->end[side] && !p->used[side] && !p->told[side]) {
        p->told[side] = true;
        shutdown(p->fd[!side], SHUT_WR);
    }
    return true;
}

/* false: it is gone. */
static bool hear(cli_door_pair *p, int side, short found) {
    if (p->end[side] || p->used[side]) {
        return !(found & POLLERR);
    }
    ssize_t got = recv(p->fd[side], p->bytes[side], CLI_DOOR_PAIR_ROOM, 0);
    if (got < 0) {
        return later();
    }
    p->used[side] = (size_t) got;
    p->end[side] = got == 0;
    return true;
}

static void end(const cli_door_pair *p, bool reset) {
    struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
    for (int side = 0; side < 2; side++) {
        if (reset) {
            setsockopt(p->fd[side], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        }
        close(p->fd[side]);
    }
}

/* false: it is over. */
static bool go_on(cli_door_pair *p, const struct pollfd *set) {
    for (int side = 0; side < 2; side++) {
        if (set[side].revents & (POLLIN | POLLHUP | POLLERR) && !hear(p, side, set[side].revents)) {
            end(p, true);
            return false;
        }
    }
    if (!pass_on(p, 0) || !pass_on(p, 1)) {
        end(p, true);
        return false;
    }
    if (p->told[0] && p->told[1]) {
        end(p, false);
        return false;
    }
    return true;
}

/* --- who comes ---------------------------------------------------------------------------------------------------- */

/* A socket on its way to the server; -1. */
static int dial(const bj_addr *server) {
    struct sockaddr_storage storage;
    socklen_t size;
    int fd = stream_socket(server, &storage, &size);
    if (fd >= 0 && connect(fd, (struct sockaddr *) &storage, size) != 0 && errno != EINPROGRESS) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Whoever is led nowhere is reset, and so is who comes when there is no room. */
static void welcome(cli_door_streams *s, cli_door_lead *lead, void *context) {
    struct sockaddr_storage storage;
    socklen_t size = sizeof storage;
    bj_addr peer, server;
    int fd = accept4(s->street, (struct sockaddr *) &storage, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        return;
    }
    bool known = s->count < CLI_DOOR_PAIRS && bj_addr_from_sockaddr((struct sockaddr *) &storage, size, &peer) &&
                 lead(context, &peer, &server);
    int there = known ? dial(&server) : -1, on = 1;
    cli_door_pair *p = &s->pairs[s->count < CLI_DOOR_PAIRS ? s->count : 0];
    if (there < 0) {
        struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(fd);
        return;
    }
    for (int side = 0; side < 2; side++) {
        p->fd[side] = side ? there : fd;
        p->used[side] = 0;
        p->end[side] = p->told[side] = false;
        setsockopt(p->fd[side], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* `pieces` stay pieces */
    }
    s->count++;
}

void cli_door_streams_go_on(cli_door_streams *s, const struct pollfd *set, cli_door_lead *lead, void *context) {
    for (size_t i = s->count; i-- > 0;) { /* the last takes the place of one that is over */
        const struct pollfd *pair = &set[1 + 2 * i];
        if ((pair[0].revents || pair[1].revents) && !go_on(&s->pairs[i], pair)) {
            s->count--;
            if (i < s->count) {
                s->pairs[i] = s->pairs[s->count];
            }
        }
    }
    if (set[0].revents) {
        welcome(s, lead, context);
    }
}
