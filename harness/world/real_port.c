/* SPDX-License-Identifier: Apache-2.0
 *
 * The servers' ports in the real world: which of this machine they are mapped to, opening, closing. Datagrams are in
 * real_datagram.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "world/real_port.h"

int real_bind(const bj_real_world *real, bj_addr *local, bool stream) {
    struct sockaddr_storage storage;
    socklen_t size = real_to_sockaddr(real, local, real->interface, &storage);
    int type = (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
    int fd = socket(local->family == 6 ? AF_INET6 : AF_INET, type, 0);
    if (fd < 0) {
        return -errno;
    }
    /* A server that restarts must not wait for the connections of its former life. */
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    if (stream) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    } else if (local->family == 6) { /* of IPv4 datagrams, too, as those of ::ffff:0:0/96 */
        setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
    } else {
        setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    }
    if (bind(fd, (struct sockaddr *) &storage, size) != 0) {
        int problem = -errno;
        close(fd);
        return problem;
    }
    *local = real_local(fd);
    return fd;
}

/* --- which port ----------------------------------------------------------------------------------------------- */

/* Finds a port that is free for UDP and for TCP; a port that was asked for is taken on trust. */
static int choose_port(const bj_real_world *real, bj_addr *local) {
    enum { TRIES = 16 };
    for (int i = 0; i < TRIES && !local->port; i++) {
        bj_addr tried = *local;
        int udp = real_bind(real, &tried, false);
        int tcp = udp < 0 ? -1 : real_bind(real, &tried, true);
        if (udp < 0) {
            return udp;
        }
        if (tcp >= 0) {
            close(tcp);
            local->port = tried.port;
        }
        close(udp);
    }
    return local->port ? 0 : -EADDRINUSE;
}

static real_port *find_port(const bj_real_world *real, uint8_t actor, uint16_t port) {
    for (int i = 0; i < real->port_count; i++) {
        if (real->ports[i]->actor == actor && (port == 0 || real->ports[i]->port == port)) {
            return real->ports[i];
        }
    }
    return NULL;
}

int real_port_for(bj_real_world *real, uint8_t actor, uint16_t port, real_port **found) {
    *found = find_port(real, actor, port);
    if (*found) {
        return 0;
    }
    bj_addr local = real->listen;
    bool first = !find_port(real, actor, 0);
    unsigned wanted = local.port + (unsigned) (actor - BJ_ACTOR_SERVER_0);
    local.port = local.port && first && wanted <= UINT16_MAX ? (uint16_t) wanted : 0;
    int problem = choose_port(real, &local);
    if (problem) {
        return problem;
    }
    real_port *p = bj_arena_alloc(real->arena, sizeof *p);
    *p = (real_port){ .actor = actor, .port = port, .local = local };
    for (int stream = 0; stream < 2; stream++) {
        p->ways[stream] = (real_way){ .source = { .kind = stream ? REAL_LISTENER : REAL_UDP, .fd = -1 },
                                      .actor = actor,
                                      .endpoint = real->port_count * 2 + stream };
    }
    size_t size = ((size_t) real->port_count + 1) * sizeof(real_port *);
    real->ports = bj_arena_realloc(real->arena, real->ports, size);
    real->ports[real->port_count++] = p;
    *found = p;
    return 0;
}

real_way *real_way_of(const bj_real_world *real, int endpoint) {
    bool known = endpoint >= 0 && endpoint < real->port_count * 2;
    return known ? &real->ports[endpoint / 2]->ways[endpoint % 2] : NULL;
}

/* --- opening and closing -------------------------------------------------------------------------------------- */

static int open_socket(bj_real_world *real, real_port *p, bool stream) {
    bj_addr local = p->local;
    real_way *way = &p->ways[stream];
    int fd = real_bind(real, &local, stream);
    if (fd < 0) {
        return fd;
    }
    if (stream && listen(fd, SOMAXCONN) != 0) {
        int problem = -errno;
        close(fd);
        return problem;
    }
    way->source.fd = fd;
    int problem = real_watch(real, &way->source, EPOLLIN);
    if (problem) {
        close(fd);
        way->source.fd = -1;
    }
    return problem;
}

int real_open(bj_world *w, uint8_t actor, bj_transport transport, const bj_addr *local) {
    bj_real_world *real = real_of(w);
    bool stream = transport == BJ_TCP || transport == BJ_TLS;
    bool known = find_port(real, actor, 0) != NULL;
    real_port *p;
    if (!local->port || actor < BJ_ACTOR_SERVER_0) {
        return -EINVAL;
    }
    int problem = real_port_for(real, actor, local->port, &p);
    if (problem) {
        return problem;
    }
    real_way *way = &p->ways[stream];
    if (way->open) {
        return -EADDRINUSE; /* another address of the same server: it has but one here */
    }
    if (way->source.fd < 0) {
        problem = open_socket(real, p, stream);
    } else if (stream) {
        problem = real_watch(real, &way->source, EPOLLIN); /* it was silent */
    }
    if (problem) {
        return problem;
    }
    way->open = true;
    if (!known) {
        const char *name = real->names[actor] ? real->names[actor] : "";
        real_log(real, (bj_event){ .kind = BJ_EV_ACTOR, .actor = actor, .from = real_seen_as(real, p), .text = name });
    }
    return way->endpoint;
}

void real_close(bj_world *w, int endpoint, bool silent) {
    bj_real_world *real = real_of(w);
    real_way *way = real_way_of(real, endpoint);
    if (!way || !way->open) {
        return;
    }
    way->open = false;
    if (silent) {
        /* Connections that wait to be taken stay where they are; datagrams are read and thrown away. */
        if (way->source.kind == REAL_LISTENER) {
            epoll_ctl(real->epoll, EPOLL_CTL_DEL, way->source.fd, NULL);
        }
        return;
    }
    real_unwatch(real, &way->source);
    real_drop_connections(real, endpoint);
}
