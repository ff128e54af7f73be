/* SPDX-License-Identifier: Apache-2.0
 *
 * Datagrams in the real world. An answer comes from the address on which the client called (RFC 7252 §5.3.2): the
 * kernel would take that of the best route, which on a socket that listens on all addresses may be another. So it is
 * kept by client, as is the interface of a link-local one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "world/real_port.h"

/* --- addresses ------------------------------------------------------------------------------------------------ */

static const uint8_t mapped[12] = { [10] = 0xFF, [11] = 0xFF }; /* RFC 4291 §2.5.5.2 */

/* An IPv4 client of a socket for both families is an IPv4 client: what it is told, URIs above all, it must understand.
 */
static bj_addr unmapped(bj_addr address) {
    if (address.family == 6 && !memcmp(address.ip, mapped, sizeof mapped)) {
        bj_addr four = { .family = 4, .port = address.port };
        memcpy(four.ip, address.ip + sizeof mapped, 4);
        return four;
    }
    return address;
}

bool real_from_sockaddr(const struct sockaddr_storage *storage, socklen_t size, bj_addr *address) {
    bool known = bj_addr_from_sockaddr((const struct sockaddr *) storage, size, address);
    *address = known ? unmapped(*address) : *address;
    return known;
}

socklen_t real_to_sockaddr(const bj_real_world *real, const bj_addr *address, uint32_t interface,
                           struct sockaddr_storage *storage) {
    bj_addr there = *address;
    if (real->listen.family == 6 && address->family == 4) {
        there.family = 6;
        memcpy(there.ip, mapped, sizeof mapped);
        memcpy(there.ip + sizeof mapped, address->ip, 4);
    }
    socklen_t size = (socklen_t) bj_addr_to_sockaddr(&there, storage);
    if (there.family == 6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *) storage;
        in6->sin6_scope_id = IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr) ? interface : 0;
    }
    return size;
}

bj_addr real_local(int fd) {
    struct sockaddr_storage storage;
    socklen_t size = sizeof storage;
    bj_addr local = { 0 };
    if (getsockname(fd, (struct sockaddr *) &storage, &size) == 0) {
        real_from_sockaddr(&storage, size, &local);
    }
    return local;
}

/* --- who called on what --------------------------------------------------------------------------------------- */

static bj_addr from_bytes(uint8_t family, const void *ip) {
    bj_addr address = { .family = family };
    memcpy(address.ip, ip, family == 4 ? 4 : 16);
    address = unmapped(address);
    bool of_many = address.ip[0] >= (address.family == 4 ? 224 : 0xFF); /* multicast, broadcast: nobody's source */
    return of_many ? (bj_addr){ 0 } : address;
}

/* The address of ours to which it was sent; family 0: nobody knows, or it has many. */
static bj_addr called_on(struct msghdr *message) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            return from_bytes(4, &info.ipi_spec_dst); /* of a broadcast, the address of the interface that heard it */
        }
        if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            return from_bytes(6, &info.ipi6_addr);
        }
    }
    return (bj_addr){ 0 };
}

static const real_caller *find_caller(const bj_real_world *real, int endpoint, const bj_addr *peer) {
    for (int i = 0; i < REAL_CALLERS; i++) {
        const real_caller *c = &real->callers[i];
        if (c->peer.family && c->endpoint == endpoint && bj_addr_equal(&c->peer, peer)) {
            return c;
        }
    }
    return NULL;
}

/* The oldest makes room. */
static void note_caller(bj_real_world *real, int endpoint, const bj_addr *peer, const bj_addr *here,
                        const struct sockaddr_storage *storage) {
    const real_caller *known = find_caller(real, endpoint, peer);
    size_t place = known ? (size_t) (known - real->callers) : real->next_caller++ % REAL_CALLERS;
    real_caller caller = { .endpoint = endpoint, .peer = *peer, .here = *here };
    if (storage->ss_family == AF_INET6) {
        caller.interface = ((const struct sockaddr_in6 *) storage)->sin6_scope_id;
    }
    real->callers[place] = caller;
}

/* --- when it came --------------------------------------------------------------------------------------------- */

static bool stamp_of(struct msghdr *message, struct timespec *stamp) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            memcpy(stamp, CMSG_DATA(c), sizeof *stamp);
            return true;
        }
    }
    return false;
}

static int64_t nanoseconds(const struct timespec *later, const struct timespec *earlier) {
    return ((int64_t) later->tv_sec - earlier->tv_sec) * 1000000000 + (later->tv_nsec - earlier->tv_nsec);
}

bj_time real_came(const bj_real_world *real, struct msghdr *message) {
    struct timespec stamp, today;
    if (!stamp_of(message, &stamp)) {
        return BJ_NEVER;
    }
    bj_time now = real_now(real); /* before the other clock: rather too early than too late */
    clock_gettime(CLOCK_REALTIME, &today);
    int64_t age = nanoseconds(&today, &stamp);
    bj_time waited = age > 0 ? ((bj_time) age + 999) / 1000 : 0; /* somebody may have set the clock */
    return now - real->begun > waited ? now - waited : real->begun;
}

/* Sends itself a datagram. False: its stamp is of when it was read. */
static bool is_stamped(int fd) {
    real_control control;
    uint8_t byte = 0;
    struct iovec vector = { &byte, 1 };
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
    };
    struct timespec sent, stamp;
    bool gone = send(fd, &byte, 1, 0) == 1;
    clock_gettime(CLOCK_REALTIME, &sent);
    struct pollfd ready = { .fd = fd, .events = POLLIN };
    bool there = gone && poll(&ready, 1, 100) == 1 && recvmsg(fd, &message, 0) == 1 && stamp_of(&message, &stamp);
    return there && nanoseconds(&stamp, &sent) <= 0;
}

int real_begin_stamps(void) {
    enum { TRIES = 100 };
    static const struct timespec pause = { .tv_nsec = 1000000 };
    struct sockaddr_in own = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof own;
    int on = 1, fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool good = fd >= 0 && bind(fd, (struct sockaddr *) &own, size) == 0 &&
                getsockname(fd, (struct sockaddr *) &own, &size) == 0 &&
                connect(fd, (struct sockaddr *) &own, size) == 0 &&
                setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) == 0;
    for (int i = 0; good && i < TRIES && !is_stamped(fd); i++) {
        nanosleep(&pause, NULL);
    }
    return fd;
}

/* --- receiving ------------------------------------------------------------------------------------------------ */

void real_receive(bj_real_world *real, real_way *way) {
    uint8_t *data = real->buffer;
    struct sockaddr_storage storage;
    real_control control;
    struct iovec vector = { data, sizeof real->buffer };
    struct msghdr message = { .msg_name = &storage,
                              .msg_namelen = sizeof storage,
                              .msg_iov = &vector,
                              .msg_iovlen = 1,
                              .msg_control = &control,
                              .msg_controllen = sizeof control };
    ssize_t length = recvmsg(way->source.fd, &message, 0);
    bj_addr from;
    if (length < 0 || !real_from_sockaddr(&storage, message.msg_namelen, &from)) {
        return;
    }
    real->came = real_came(real, &message);
    bj_addr here = called_on(&message);
    note_caller(real, way->endpoint, &from, &here, &storage);
    real_reached_by(real, &from, &here);
    bj_event event = { .kind = way->open ? BJ_EV_RECEIVED : BJ_EV_LOST,
                       .actor = way->actor,
                       .from = from,
                       .to = real_seen_as(real, real->ports[way->endpoint / 2]),
                       .raw = data,
                       .raw_length = (size_t) length };
    event.text = way->open ? NULL : "the host is dead";
    uint32_t sequence = real_log(real, event);
    if (way->open) {
        real_tell_datagram(real, way->endpoint, &from, data, (size_t) length, sequence);
    }
}

/* --- sending -------------------------------------------------------------------------------------------------- */

/* The source, in the control data; `here` is of the socket's family, or IPv4 on one for both. */
static void put_source(struct msghdr *message, const bj_real_world *real, const bj_addr *here) {
    struct cmsghdr *c = CMSG_FIRSTHDR(message);
    if (real->listen.family == 4) {
        struct in_pktinfo info = { 0 };
        memcpy(&info.ipi_spec_dst, here->ip, 4);
        *c = (struct cmsghdr){ CMSG_LEN(sizeof info), IPPROTO_IP, IP_PKTINFO };
        memcpy(CMSG_DATA(c), &info, sizeof info);
        message->msg_controllen = CMSG_SPACE(sizeof info);
    } else {
        struct sockaddr_storage storage;
        struct in6_pktinfo info = { 0 };
        real_to_sockaddr(real, here, 0, &storage);
        info.ipi6_addr = ((struct sockaddr_in6 *) &storage)->sin6_addr;
        *c = (struct cmsghdr){ CMSG_LEN(sizeof info), IPPROTO_IPV6, IPV6_PKTINFO };
        memcpy(CMSG_DATA(c), &info, sizeof info);
        message->msg_controllen = CMSG_SPACE(sizeof info);
    }
}

static bool send_to(const bj_real_world *real, const real_way *way, const bj_addr *peer, const uint8_t *data,
                    size_t length) {
    const real_caller *caller = find_caller(real, way->endpoint, peer);
    struct sockaddr_storage storage;
    union {
        char room[64];
        struct cmsghdr aligned;
    } control = { { 0 } };
    struct iovec vector = { (void *) (uintptr_t) data, length };
    struct msghdr message = { .msg_name = &storage, .msg_iov = &vector, .msg_iovlen = 1 };
    message.msg_namelen = real_to_sockaddr(real, peer, caller ? caller->interface : real->interface, &storage);
    if (caller && caller->here.family && real_listens_on_all(real)) {
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
        put_source(&message, real, &caller->here);
    }
    return sendmsg(way->source.fd, &message, MSG_NOSIGNAL) >= 0;
}

int64_t real_send(bj_world *w, int endpoint, const bj_addr *source, const bj_addr *peer, const uint8_t *data,
                  size_t length, uint32_t cause) {
    bj_real_world *real = real_of(w);
    const real_way *way = real_way_of(real, endpoint);
    if (source) {
        return -ENOTSUP;
    }
    if (!way || !way->open || way->source.kind != REAL_UDP) {
        return -EBADF;
    }
    uint32_t event = real_log(real, (bj_event){ .kind = BJ_EV_SENT,
                                                .actor = way->actor,
                                                .cause = cause,
                                                .from = real_seen_as(real, real->ports[endpoint / 2]),
                                                .to = *peer,
                                                .raw = data,
                                                .raw_length = length });
    /* An ICMP error of an earlier datagram is reported once, by the next call. */
    for (int tries = 0; tries < 2; tries++) {
        if (send_to(real, way, peer, data, length)) {
            return event;
        }
    }
    int problem = errno;
    real_log(real, (bj_event){ .kind = BJ_EV_LOST, .cause = event, .to = *peer, .text = strerror(problem) });
    return -problem;
}
