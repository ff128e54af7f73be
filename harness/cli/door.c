/* SPDX-License-Identifier: Apache-2.0
 *
 * See door.h. A visitor is an address and port from which datagrams come; it has a socket of its own towards the
 * server, so that answers find their way back.
 */
#define _GNU_SOURCE
#include "cli/door.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/door_stream.h"
#include "wire/coap.h"

enum { VISITORS = 256, DATAGRAM = 65536 };

typedef struct visitor {
    bj_addr peer;
    size_t device;
    int server; /* connected to that device's server */
} visitor;

typedef struct door {
    bj_addr listen;
    int street; /* where the visitors come */
    const cli_door_device *devices;
    size_t device_count;
    visitor visitors[VISITORS];
    size_t visitor_count;
    cli_door_streams streams;
    uint8_t bytes[DATAGRAM];
} door;

static int open_socket(const bj_addr *at, bool connects) {
    struct sockaddr_storage storage;
    socklen_t size = (socklen_t) bj_addr_to_sockaddr(at, &storage);
    int fd = socket(at->family == 6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int result = fd < 0     ? -1
                 : connects ? connect(fd, (struct sockaddr *) &storage, size)
                            : bind(fd, (struct sockaddr *) &storage, size);
    if (result != 0 && fd >= 0) {
        int problem = errno;
        close(fd);
        errno = problem;
        return -1;
    }
    return fd;
}

/* --- who comes -------------------------------------------------------------------------------------------------- */

/* The device that a datagram names; device_count: none. */
static size_t named(const door *d, size_t length) {
    bj_coap message;
    BJ_TEXT(name, 300);
    size_t i = d->device_count;
    if (bj_coap_decode(&message, d->bytes, length) == BJ_COAP_OK && bj_coap_is_request(message.code) &&
        bj_coap_query(&message, "ep", &name)) {
        for (i = 0; i < d->device_count && strcmp(d->devices[i].name, name.start) != 0; i++) {
        }
    }
    return i;
}

static bool is_from(const bj_addr *address, const bj_addr *peer) {
    bj_addr there = *peer;
    there.port = address->port;
    return address->family && bj_addr_equal(address, &there);
}

/* The device whose address that is; device_count: nobody knows. One alone is it, wherever it comes from. */
static size_t device_at(const door *d, const bj_addr *peer) {
    size_t i = 0;
    if (d->device_count == 1 && !d->devices[0].address.family) {
        return i;
    }
    while (i < d->device_count && !is_from(&d->devices[i].address, peer)) {
        i++;
    }
    return i;
}

/* The device that a datagram comes from; device_count: nobody knows. */
static size_t device_of(const door *d, const bj_addr *peer, size_t length) {
    size_t known = device_at(d, peer);
    return known < d->device_count ? known : named(d, length);
}

static visitor *find(door *d, const bj_addr *peer) {
    for (size_t i = 0; i < d->visitor_count; i++) {
        if (bj_addr_equal(&d->visitors[i].peer, peer)) {
            return &d->visitors[i];
        }
    }
    return NULL;
}

/* The oldest makes room. */
static visitor *new_visitor(door *d, const bj_addr *peer) {
    if (d->visitor_count == VISITORS) {
        close(d->visitors[0].server);
        memmove(&d->visitors[0], &d->visitors[1], (VISITORS - 1) * sizeof d->visitors[0]);
        d->visitor_count--;
    }
    visitor *v = &d->visitors[d->visitor_count++];
    *v = (visitor){ .peer = *peer, .device = d->device_count, .server = -1 };
    return v;
}

static bool lead(const door *d, visitor *v, size_t device) {
    bj_addr server = d->listen;
    server.port = d->devices[device].port;
    if (v->server >= 0) {
        close(v->server);
    }
    v->device = device;
    v->server = open_socket(&server, true);
    return v->server >= 0;
}

/* What of its datagrams nobody can place is dropped: it is repeated, or was nobody's. */
static void from_street(door *d) {
    struct sockaddr_storage storage;
    socklen_t size = sizeof storage;
    bj_addr peer;
    ssize_t got = recvfrom(d->street, d->bytes, sizeof d->bytes, 0, (struct sockaddr *) &storage, &size);
    if (got < 0 || !bj_addr_from_sockaddr((struct sockaddr *) &storage, size, &peer)) {
        return;
    }
    size_t device = device_of(d, &peer, (size_t) got);
    visitor *v = find(d, &peer);
    if (device < d->device_count) {
        v = v ? v : new_visitor(d, &peer);
        if (v->device != device && !lead(d, v, device)) {
            return;
        }
    }
    if (v && v->server >= 0) {
        (void) !send(v->server, d->bytes, (size_t) got, 0);
    }
}

static void from_server(door *d, const visitor *v) {
    struct sockaddr_storage storage;
    socklen_t size = (socklen_t) bj_addr_to_sockaddr(&v->peer, &storage);
    ssize_t got = recv(v->server, d->bytes, sizeof d->bytes, 0); /* an ICMP error: nobody plays there now */
    if (got >= 0) {
        (void) !sendto(d->street, d->bytes, (size_t) got, 0, (struct sockaddr *) &storage, size);
    }
}

static bool lead_stream(void *context, const bj_addr *peer, bj_addr *server) {
    const door *d = context;
    size_t device = device_at(d, peer);
    if (device == d->device_count) {
        return false;
    }
    *server = d->listen;
    server->port = d->devices[device].port;
    return true;
}

_Noreturn static void serve(door *d) {
    struct pollfd set[VISITORS + 1 + 1 + 2 * CLI_DOOR_PAIRS];
    for (;;) {
        size_t count = d->visitor_count;
        set[0] = (struct pollfd){ .fd = d->street, .events = POLLIN };
        for (size_t i = 0; i < count; i++) {
            set[i + 1] = (struct pollfd){ .fd = d->visitors[i].server, .events = POLLIN };
        }
        size_t streams = cli_door_streams_watch(&d->streams, set + count + 1);
        if (poll(set, count + 1 + streams, -1) < 0 && errno != EINTR) {
            _exit(1);
        }
        for (size_t i = 0; i < count; i++) {
            if (set[i + 1].revents) {
                from_server(d, &d->visitors[i]);
            }
        }
        if (set[0].revents) {
            from_street(d);
        }
        cli_door_streams_go_on(&d->streams, set + count + 1, lead_stream, d);
    }
}

/* --- opening and closing ---------------------------------------------------------------------------------------- */

pid_t cli_door_open(const bj_addr *listen, const cli_door_device *devices, size_t count) {
    static door d;
    d = (door){ .listen = *listen, .devices = devices, .device_count = count };
    d.street = open_socket(listen, false);
    if (d.street < 0 || !cli_door_streams_open(&d.streams, listen)) {
        cli_complain("--one-port: %s", strerror(errno));
        return -1;
    }
    pid_t parent = getpid();
    pid_t process = fork();
    if (process == 0) {
        signal(SIGTERM, SIG_DFL);
        signal(SIGINT, SIG_IGN); /* the bench closes it, when its devices are through */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == parent) {
            serve(&d);
        }
        _exit(1);
    }
    close(d.street);
    close(d.streams.street);
    if (process < 0) {
        cli_complain("--one-port: %s", strerror(errno));
    }
    return process;
}

void cli_door_close(pid_t process) {
    if (process > 0) {
        kill(process, SIGTERM);
        while (waitpid(process, NULL, 0) < 0 && errno == EINTR) {
        }
    }
}
