/* SPDX-License-Identifier: Apache-2.0
 *
 * Sockets: making, naming, connecting, accepting. AF_INET and AF_INET6 belong to the world; everything else (AF_UNIX,
 * AF_NETLINK) stays the kernel's. What goes through them is in messages.c, their options in options.c.
 */
#define _GNU_SOURCE
#include "libc/internal.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* --- addresses --- */

static bj_addr unspecified(const bj_file *file) {
    return (bj_addr){ .family = file->socket.family == AF_INET6 ? 6 : 4 };
}

void bj_socket_give_address(const bj_file *file, const bj_addr *addr, struct sockaddr *to, socklen_t *length) {
    if (!to || !length) {
        return;
    }
    struct sockaddr_storage storage;
    bj_addr given = addr->family ? *addr : unspecified(file);
    socklen_t size = (socklen_t) bj_addr_to_sockaddr(&given, &storage);
    memcpy(to, &storage, size < *length ? size : *length);
    *length = size;
}

int bj_socket_take_address(const struct sockaddr *from, socklen_t length, bj_addr *addr) {
    if (!from) {
        return -EFAULT;
    }
    if (length < sizeof from->sa_family) {
        return -EINVAL;
    }
    if (from->sa_family == AF_UNSPEC) {
        *addr = (bj_addr){ .family = 0 };
        return 0;
    }
    if (!bj_addr_from_sockaddr(from, length, addr)) {
        return from->sa_family == AF_INET || from->sa_family == AF_INET6 ? -EINVAL : -EAFNOSUPPORT;
    }
    return 0;
}

/* --- making --- */

/* The descriptor, or -1 and errno. `accepted`: a connection that is there already. */
static int new_socket(int family, int type, int flags, bj_sim_socket *accepted) {
    int fd = BJ_PLACEHOLDER(REAL(socket)(AF_UNIX, type | flags, 0));
    bj_file *file = bj_file_new(fd, BJ_FILE_SOCKET, (flags & SOCK_NONBLOCK) != 0);
    if (!file) {
        return -1;
    }
    file->socket.family = family;
    file->socket.type = type;
    file->socket.receive_timeout = BJ_NEVER;
    file->socket.send_timeout = BJ_NEVER;
    file->socket.sim =
        accepted ? accepted : bj_sim_socket_new(bj_the_run.sim, family == AF_INET6 ? 6 : 4, type == SOCK_STREAM);
    bj_crew_take(file);
    bj_file_events(file, &file->poke_edges);
    file->touched = accepted != NULL; /* what came before accept() is news */
    return fd;
}

static int open_socket(int family, int type, int protocol) {
    int flags = type & (SOCK_NONBLOCK | SOCK_CLOEXEC);
    int plain = type & ~flags;
    bool stream = plain == SOCK_STREAM;
    if (plain == SOCK_RAW) {
        return bj_fail(EPERM);
    }
    if (!stream && plain != SOCK_DGRAM) {
        return bj_fail(ESOCKTNOSUPPORT);
    }
    if (protocol != 0 && protocol != (stream ? IPPROTO_TCP : IPPROTO_UDP)) {
        return bj_fail(EPROTONOSUPPORT);
    }
    return new_socket(family, plain, flags, NULL);
}

BJ_EXPORT int socket(int family, int type, int protocol) {
    if (bj_inside() && (family == AF_INET || family == AF_INET6)) {
        return open_socket(family, type, protocol);
    }
    return REAL(socket)(family, type, protocol);
}

void bj_socket_close(bj_file *file) {
    struct linger linger = { 0 };
    bj_option_get(file, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    if (file->socket.type == SOCK_STREAM && linger.l_onoff && linger.l_linger == 0) {
        bj_sim_socket_abort(file->socket.sim);
    } else {
        bj_sim_socket_close(file->socket.sim);
    }
    bj_options_free(file);
}

static bj_file *socket_of(int fd) {
    bj_file *file = bj_inside() ? bj_file_of(fd) : NULL;
    return file && file->kind == BJ_FILE_SOCKET ? file : NULL;
}

/* --- naming --- */

BJ_EXPORT int bind(int fd, __CONST_SOCKADDR_ARG address, socklen_t length) {
    bj_file *file = socket_of(fd);
    if (!file) {
        return REAL(bind)(fd, address, length);
    }
    bj_addr local;
    int error = bj_socket_take_address(address.__sockaddr__, length, &local);
    if (!error && local.family == 0) {
        local = unspecified(file); /* bind() to AF_UNSPEC and 0.0.0.0 is an old custom */
    }
    return (int) bj_result(error ? error : bj_sim_bind(file->socket.sim, &local));
}

BJ_EXPORT int getsockname(int fd, __SOCKADDR_ARG address, socklen_t *restrict length) {
    const bj_file *file = socket_of(fd);
    if (!file) {
        return REAL(getsockname)(fd, address, length);
    }
    bj_addr local;
    bj_sim_local(file->socket.sim, &local);
    bj_socket_give_address(file, &local, address.__sockaddr__, length);
    return 0;
}

BJ_EXPORT int getpeername(int fd, __SOCKADDR_ARG address, socklen_t *restrict length) {
    const bj_file *file = socket_of(fd);
    if (!file) {
        return REAL(getpeername)(fd, address, length);
    }
    bj_addr peer;
    int error = bj_sim_peer_of(file->socket.sim, &peer);
    if (!error) {
        bj_socket_give_address(file, &peer, address.__sockaddr__, length);
    }
    return (int) bj_result(error);
}

/* --- waiting on one socket --- */

typedef struct bj_awaited {
    bj_file *file;
    short events;
} bj_awaited;

static bool is_ready(void *context) {
    const bj_awaited *awaited = context;
    return (bj_file_events(awaited->file, NULL) & (awaited->events | POLLERR | POLLHUP)) != 0;
}

bj_wait_result bj_socket_wait(bj_file *file, short events, bj_time deadline) {
    bj_awaited awaited = { file, events };
    bj_waiter waiter = { .ready = is_ready, .context = &awaited, .deadline = deadline, .cancel = BJ_CANCEL_ENDS };
    file->references++; /* another thread may close it meanwhile */
    bj_wait_result result = bj_wait(&waiter);
    return bj_file_release(file) ? BJ_WAIT_CLOSED : result;
}

/* --- connections --- */

/* A blocking connect() waits for the handshake, and asks again what became of it. 0 or a negative errno. */
static int await_connection(bj_file *file, const bj_addr *peer) {
    bj_time timeout = file->socket.send_timeout;
    bj_time deadline = bj_later(bj_now(), timeout);
    int error;
    do {
        error = bj_wait_error(bj_socket_wait(file, POLLOUT, deadline), timeout == BJ_NEVER, EINPROGRESS);
        error = error ? error : bj_sim_connect(file->socket.sim, peer);
    } while (error == -EALREADY);
    return error;
}

static int connect_to(bj_file *file, const struct sockaddr *address, socklen_t length) {
    bj_addr peer;
    int error = bj_socket_take_address(address, length, &peer);
    if (error) {
        return error;
    }
    error = bj_sim_connect(file->socket.sim, &peer);
    bool waits = error == -EINPROGRESS || error == -EALREADY;
    return waits && !file->nonblocking ? await_connection(file, &peer) : error;
}

BJ_EXPORT int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t length) {
    bj_file *file = socket_of(fd);
    if (file) {
        return (int) bj_result(connect_to(file, address.__sockaddr__, length));
    }
    return REAL(connect)(fd, address, length);
}

BJ_EXPORT int listen(int fd, int backlog) {
    bj_file *file = socket_of(fd);
    return file ? (int) bj_result(bj_sim_listen(file->socket.sim)) : REAL(listen)(fd, backlog);
}

/* A connection that is there, waiting for one if need be; NULL and errno. */
static bj_sim_socket *take_connection(bj_file *file, bj_addr *peer) {
    bj_time timeout = file->socket.receive_timeout;
    bj_time deadline = bj_later(bj_now(), timeout);
    for (;;) {
        if (!bj_sim_is_listening(file->socket.sim)) { /* or not any more: shutdown() */
            errno = file->socket.type == SOCK_STREAM ? EINVAL : EOPNOTSUPP;
            return NULL;
        }
        bj_sim_socket *accepted = bj_sim_accept(file->socket.sim, peer);
        if (accepted) {
            return accepted;
        }
        int error = -EAGAIN;
        if (file->nonblocking) {
            bj_glance();
        } else {
            error = bj_wait_error(bj_socket_wait(file, POLLIN, deadline), timeout == BJ_NEVER, EAGAIN);
        }
        if (error) {
            errno = -error;
            return NULL;
        }
    }
}

static int accept_from(bj_file *file, struct sockaddr *address, socklen_t *length, int flags) {
    bj_addr peer;
    bj_sim_socket *accepted = take_connection(file, &peer);
    if (!accepted) {
        return -1;
    }
    int connection = new_socket(file->socket.family, SOCK_STREAM, flags, accepted);
    if (connection < 0) {
        int error = errno;
        bj_sim_socket_abort(accepted);
        return bj_fail(error);
    }
    bj_socket_give_address(file, &peer, address, length);
    return connection;
}

BJ_EXPORT int accept4(int fd, __SOCKADDR_ARG address, socklen_t *restrict length, int flags) {
    bj_file *file = socket_of(fd);
    if (file) {
        return accept_from(file, address.__sockaddr__, length, flags);
    }
    int error = bj_inside() ? bj_foreign_wait(fd, POLLIN) : 0;
    return error ? bj_fail(-error) : REAL(accept4)(fd, address, length, flags);
}

BJ_EXPORT int accept(int fd, __SOCKADDR_ARG address, socklen_t *restrict length) {
    return accept4(fd, address, length, 0);
}

BJ_EXPORT int shutdown(int fd, int how) {
    bj_file *file = socket_of(fd);
    if (!file) {
        return REAL(shutdown)(fd, how);
    }
    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR) {
        return bj_fail(EINVAL);
    }
    return (int) bj_result(bj_sim_shutdown(file->socket.sim, how != SHUT_WR, how != SHUT_RD));
}

int bj_socket_ioctl(bj_file *file, unsigned long request, void *argument) {
    switch (request) {
    case FIONREAD: /* the same as SIOCINQ */
        *(int *) argument = (int) bj_sim_pending(file->socket.sim);
        return 0;
    case TIOCOUTQ: /* the same as SIOCOUTQ: what was sent has left */
        *(int *) argument = 0;
        return 0;
    default:
        return bj_interface_ioctl(request, argument);
    }
}
