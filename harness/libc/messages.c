/* SPDX-License-Identifier: Apache-2.0
 *
 * What goes through sockets: send() and recv() in all their forms, with ancillary data, and read() and write() on
 * everything virtual.
 */
#define _GNU_SOURCE
#include "libc/disk.h"

#include <limits.h>
#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

static bj_file *socket_of(int fd) {
    bj_file *file = bj_inside() ? bj_file_of(fd) : NULL;
    return file && file->kind == BJ_FILE_SOCKET ? file : NULL;
}

/* --- sending --- */

typedef struct bj_route {
    bool has_peer;
    bj_addr peer;
    bj_addr source; /* family 0: the socket's own */
} bj_route;

/* For connection-oriented sockets, as the kernel does it. */
static int64_t broken_pipe(int64_t result, int flags) {
    if (result == -EPIPE && !(flags & MSG_NOSIGNAL)) {
        REAL(tgkill)(getpid(), bj_this.self->id, SIGPIPE);
    }
    return result;
}

/* Waits until there is room; 0 or a negative errno. */
static int await_room(bj_file *file, int flags, bj_time deadline) {
    if (file->nonblocking || (flags & MSG_DONTWAIT)) {
        bj_glance();
        return -EAGAIN;
    }
    bj_time timeout = file->socket.send_timeout;
    return bj_wait_error(bj_socket_wait(file, POLLOUT, deadline), timeout == BJ_NEVER, EAGAIN);
}

static int64_t send_stream(bj_file *file, const uint8_t *data, size_t length, int flags) {
    bj_time deadline = bj_later(bj_now(), file->socket.send_timeout);
    size_t sent = 0;
    for (;;) {
        int64_t result = bj_sim_send(file->socket.sim, NULL, data + sent, length - sent);
        bj_check_over();
        if (result >= 0) {
            sent += (size_t) result;
        }
        if (sent == length || (result < 0 && result != -EAGAIN)) {
            return sent ? (int64_t) sent : broken_pipe(result, flags);
        }
        int error = await_room(file, flags, deadline);
        if (error) {
            return sent ? (int64_t) sent : error;
        }
    }
}

static int64_t send_bytes(bj_file *file, const bj_route *route, const void *data, size_t length, int flags) {
    if (bj_the_run.ended) {
        return (int64_t) length;
    }
    if (flags & MSG_OOB) {
        return -EOPNOTSUPP;
    }
    if (file->socket.type == SOCK_STREAM) {
        return send_stream(file, data, length, flags);
    }
    int64_t result = bj_sim_send_from(file->socket.sim, route->source.family ? &route->source : NULL,
                                      route->has_peer ? &route->peer : NULL, data, length);
    bj_check_over();
    return result;
}

static int take_peer(bj_route *route, const struct sockaddr *to, socklen_t length) {
    *route = (bj_route){ .has_peer = to != NULL && length > 0 };
    if (!route->has_peer) {
        return 0;
    }
    int error = bj_socket_take_address(to, length, &route->peer);
    route->has_peer = route->peer.family != 0;
    return error;
}

/* The source address that a client with several would choose by IP_PKTINFO. */
static void take_source(bj_route *route, const struct cmsghdr *header) {
    if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO &&
        header->cmsg_len >= CMSG_LEN(sizeof(struct in_pktinfo))) {
        struct in_pktinfo info;
        memcpy(&info, CMSG_DATA(header), sizeof info);
        route->source.family = info.ipi_spec_dst.s_addr ? 4 : 0;
        memcpy(route->source.ip, &info.ipi_spec_dst, sizeof info.ipi_spec_dst);
    } else if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO &&
               header->cmsg_len >= CMSG_LEN(sizeof(struct in6_pktinfo))) {
        struct in6_pktinfo info;
        memcpy(&info, CMSG_DATA(header), sizeof info);
        route->source.family = IN6_IS_ADDR_UNSPECIFIED(&info.ipi6_addr) ? 0 : 6;
        memcpy(route->source.ip, &info.ipi6_addr, sizeof info.ipi6_addr);
    }
}

static size_t total_of(const struct iovec *pieces, size_t count) {
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        total += pieces[i].iov_len;
    }
    return total;
}

static int64_t send_pieces(bj_file *file, const bj_route *route, const struct iovec *pieces, size_t count, int flags) {
    if (count == 1) {
        return send_bytes(file, route, pieces[0].iov_base, pieces[0].iov_len, flags);
    }
    size_t total = total_of(pieces, count), used = 0;
    uint8_t *whole = bj_arena_alloc(bj_the_run.arena, total + 1);
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].iov_len) {
            memcpy(whole + used, pieces[i].iov_base, pieces[i].iov_len);
        }
        used += pieces[i].iov_len;
    }
    int64_t result = send_bytes(file, route, whole, total, flags);
    bj_arena_free(bj_the_run.arena, whole);
    return result;
}

static int64_t send_message(bj_file *file, const struct msghdr *message, int flags) {
    bj_route route;
    int error = take_peer(&route, message->msg_name, message->msg_namelen);
    if (error) {
        return error;
    }
    if (message->msg_iovlen > IOV_MAX) {
        return -EMSGSIZE;
    }
    for (struct cmsghdr *h = CMSG_FIRSTHDR(message); h; h = CMSG_NXTHDR((struct msghdr *) (uintptr_t) message, h)) {
        take_source(&route, h);
    }
    return send_pieces(file, &route, message->msg_iov, message->msg_iovlen, flags);
}

/* A foreign socket or pipe whose reader is another thread of the client: that one must run. */
static int await_foreign_room(int fd, int flags) {
    return bj_inside() && bj_threaded() && !(flags & MSG_DONTWAIT) ? bj_foreign_wait(fd, POLLOUT) : 0;
}

static int await_foreign_data(int fd, int flags) {
    return bj_inside() && !(flags & (MSG_DONTWAIT | MSG_ERRQUEUE)) ? bj_foreign_wait(fd, POLLIN) : 0;
}

BJ_EXPORT ssize_t sendto(int fd, const void *data, size_t length, int flags, __CONST_SOCKADDR_ARG to,
                         socklen_t to_length) {
    bj_file *file = socket_of(fd);
    if (!file) {
        int foreign = await_foreign_room(fd, flags);
        return foreign ? bj_fail(-foreign) : REAL(sendto)(fd, data, length, flags, to, to_length);
    }
    bj_route route;
    int error = take_peer(&route, to.__sockaddr__, to_length);
    return bj_result(error ? error : send_bytes(file, &route, data, length, flags));
}

BJ_EXPORT ssize_t send(int fd, const void *data, size_t length, int flags) {
    bj_file *file = socket_of(fd);
    if (!file) {
        int foreign = await_foreign_room(fd, flags);
        return foreign ? bj_fail(-foreign) : REAL(send)(fd, data, length, flags);
    }
    const bj_route route = { .has_peer = false };
    return bj_result(send_bytes(file, &route, data, length, flags));
}

BJ_EXPORT ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    bj_file *file = socket_of(fd);
    if (!file) {
        int foreign = await_foreign_room(fd, flags);
        return foreign ? bj_fail(-foreign) : REAL(sendmsg)(fd, message, flags);
    }
    return bj_result(send_message(file, message, flags));
}

BJ_EXPORT int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) {
    bj_file *file = socket_of(fd);
    if (!file) {
        return REAL(sendmmsg)(fd, messages, count, flags);
    }
    for (unsigned i = 0; i < count; i++) {
        int64_t result = send_message(file, &messages[i].msg_hdr, flags);
        if (result < 0) {
            return i ? (int) i : bj_fail((int) -result);
        }
        messages[i].msg_len = (unsigned) result;
    }
    return (int) count;
}

/* --- receiving --- */

/* Waits until there is something; 0 or a negative errno. -ESHUTDOWN: a UDP socket that is shut for reading, where who
 * would wait for a datagram gets nothing instead. */
static int await_data(bj_file *file, int flags, bj_time deadline) {
    if (file->nonblocking || (flags & MSG_DONTWAIT) || bj_the_run.ended) {
        bj_glance();
        return -EAGAIN;
    }
    if (file->socket.type == SOCK_DGRAM && (bj_file_events(file, NULL) & POLLRDHUP)) {
        return -ESHUTDOWN;
    }
    bj_time timeout = file->socket.receive_timeout;
    return bj_wait_error(bj_socket_wait(file, POLLIN, deadline), timeout == BJ_NEVER, EAGAIN);
}

static int64_t receive_once(bj_file *file, void *data, size_t room, int flags, bj_sim_received *about,
                            bj_time deadline) {
    if (flags & MSG_OOB) {
        return -EINVAL;
    }
    for (;;) {
        int64_t result = bj_sim_receive(file->socket.sim, data, room, (flags & MSG_PEEK) != 0, about);
        if (result != -EAGAIN) {
            file->touched = true;
            bj_check_over();
            return result;
        }
        int error = await_data(file, flags, deadline);
        if (error) {
            return error == -ESHUTDOWN ? 0 : error;
        }
    }
}

static int64_t receive_bytes(bj_file *file, void *data, size_t room, int flags, bj_sim_received *about) {
    bj_time deadline = bj_later(bj_now(), file->socket.receive_timeout);
    memset(about, 0, sizeof *about);
    if (flags & MSG_ERRQUEUE) { /* never waits */
        bj_glance();
        return bj_sim_receive_error(file->socket.sim, data, room, about);
    }
    int64_t result = receive_once(file, data, room, flags, about, deadline);
    bool whole = (flags & MSG_WAITALL) && !(flags & MSG_PEEK) && file->socket.type == SOCK_STREAM;
    while (whole && result > 0 && (size_t) result < room) {
        int64_t more = receive_once(file, (uint8_t *) data + result, room - (size_t) result, flags, about, deadline);
        if (more <= 0) {
            break;
        }
        result += more;
    }
    return result;
}

/* What recv() returns of a datagram that was longer than the buffer. */
static int64_t received_length(const bj_file *file, int64_t result, int flags, const bj_sim_received *about) {
    bool full = result >= 0 && (flags & MSG_TRUNC) && file->socket.type == SOCK_DGRAM;
    return full ? (int64_t) about->full_length : result;
}

BJ_EXPORT ssize_t recvfrom(int fd, void *restrict data, size_t room, int flags, __SOCKADDR_ARG from,
                           socklen_t *restrict from_length) {
    bj_file *file = socket_of(fd);
    if (!file) {
        int foreign = await_foreign_data(fd, flags);
        return foreign ? bj_fail(-foreign) : REAL(recvfrom)(fd, data, room, flags, from, from_length);
    }
    bj_sim_received about;
    int64_t result = receive_bytes(file, data, room, flags, &about);
    if (result >= 0) {
        if (file->socket.type == SOCK_DGRAM) {
            bj_socket_give_address(file, &about.from, from.__sockaddr__, from_length);
        } else if (from_length) {
            *from_length = 0;
        }
    }
    return bj_result(received_length(file, result, flags, &about));
}

BJ_EXPORT ssize_t recv(int fd, void *data, size_t room, int flags) {
    bj_file *file = socket_of(fd);
    if (!file) {
        int foreign = await_foreign_data(fd, flags);
        return foreign ? bj_fail(-foreign) : REAL(recv)(fd, data, room, flags);
    }
    bj_sim_received about;
    int64_t result = receive_bytes(file, data, room, flags, &about);
    return bj_result(received_length(file, result, flags, &about));
}

/* --- ancillary data --- */

typedef struct bj_control {
    struct msghdr *message;
    size_t used;
} bj_control;

static void put(bj_control *control, int level, int type, const void *data, size_t size) {
    struct msghdr *message = control->message;
    if (!message->msg_control || message->msg_controllen - control->used < CMSG_LEN(size)) {
        message->msg_flags |= MSG_CTRUNC;
        return;
    }
    struct cmsghdr header = { .cmsg_len = CMSG_LEN(size), .cmsg_level = level, .cmsg_type = type };
    uint8_t *at = (uint8_t *) message->msg_control + control->used;
    memcpy(at, &header, sizeof header);
    memcpy(at + CMSG_LEN(0), data, size);
    size_t space = CMSG_SPACE(size), left = message->msg_controllen - control->used;
    control->used += space < left ? space : left;
}

static void put_int(bj_control *control, int level, int type, int value) {
    put(control, level, type, &value, sizeof value);
}

static void put_destination(bj_control *control, const bj_file *file, const bj_addr *to) {
    if (to->family == 4 && bj_option_flag(file, IPPROTO_IP, IP_PKTINFO)) {
        struct in_pktinfo info = { .ipi_ifindex = to->ip[0] == 127 ? BJ_IF_LO : BJ_IF_ETH };
        memcpy(&info.ipi_spec_dst, to->ip, 4);
        memcpy(&info.ipi_addr, to->ip, 4);
        put(control, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    }
    if (to->family == 6 && bj_option_flag(file, IPPROTO_IPV6, IPV6_RECVPKTINFO)) {
        struct in6_pktinfo info = { .ipi6_ifindex = BJ_IF_ETH };
        memcpy(&info.ipi6_addr, to->ip, 16);
        put(control, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
    }
}

static void put_time(bj_control *control, const bj_file *file, bj_time arrival) {
    struct timespec t;
    bj_on_clock(CLOCK_REALTIME, arrival, &t);
    struct timeval coarse = { t.tv_sec, t.tv_nsec / 1000 };
    if (bj_option_flag(file, SOL_SOCKET, SO_TIMESTAMPNS)) {
        put(control, SOL_SOCKET, SCM_TIMESTAMPNS, &t, sizeof t);
    } else if (bj_option_flag(file, SOL_SOCKET, SO_TIMESTAMP)) {
        put(control, SOL_SOCKET, SCM_TIMESTAMP, &coarse, sizeof coarse);
    }
}

static void put_header_fields(bj_control *control, const bj_file *file, int family) {
    const uint8_t no_tos = 0;
    if (family == 4 && bj_option_flag(file, IPPROTO_IP, IP_RECVTTL)) {
        put_int(control, IPPROTO_IP, IP_TTL, 64);
    }
    if (family == 4 && bj_option_flag(file, IPPROTO_IP, IP_RECVTOS)) {
        put(control, IPPROTO_IP, IP_TOS, &no_tos, sizeof no_tos);
    }
    if (family == 6 && bj_option_flag(file, IPPROTO_IPV6, IPV6_RECVHOPLIMIT)) {
        put_int(control, IPPROTO_IPV6, IPV6_HOPLIMIT, 64);
    }
    if (family == 6 && bj_option_flag(file, IPPROTO_IPV6, IPV6_RECVTCLASS)) {
        put_int(control, IPPROTO_IPV6, IPV6_TCLASS, 0);
    }
}

static size_t put_ancillary(const bj_file *file, struct msghdr *message, const bj_sim_received *about) {
    bj_control control = { .message = message };
    if (file->socket.options && file->socket.type == SOCK_DGRAM) {
        put_time(&control, file, about->time);
        put_destination(&control, file, &about->to);
        put_header_fields(&control, file, about->to.family);
    }
    return control.used;
}

/* ip(7), IP_RECVERR: what is said of the datagram that came back. The offender is the host, without a port. */
static size_t put_refusal(const bj_file *file, struct msghdr *message, const bj_sim_received *about) {
    bool six = file->socket.family == AF_INET6;
    bj_addr host = about->from;
    struct in6_addr ip;
    memcpy(&ip, host.ip, sizeof ip);
    struct {
        struct sock_extended_err about;
        struct sockaddr_in6 offender;
    } report = { .about = { .ee_errno = ECONNREFUSED,
                            .ee_origin = SO_EE_ORIGIN_ICMP,
                            .ee_type = ICMP_DEST_UNREACH,
                            .ee_code = ICMP_PORT_UNREACH } };
    if (six && !IN6_IS_ADDR_V4MAPPED(&ip)) {
        report.about.ee_origin = SO_EE_ORIGIN_ICMP6;
        report.about.ee_type = ICMP6_DST_UNREACH;
        report.about.ee_code = ICMP6_DST_UNREACH_NOPORT;
    }
    host.port = 0;
    socklen_t room = sizeof report.offender;
    bj_socket_give_address(file, &host, (struct sockaddr *) &report.offender, &room);
    bj_control control = { .message = message };
    put(&control, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_RECVERR : IP_RECVERR, &report,
        sizeof report.about + room);
    return control.used;
}

/* --- messages --- */

static void scatter(const struct iovec *pieces, size_t count, const uint8_t *whole, size_t length) {
    for (size_t i = 0; i < count && length > 0; i++) {
        size_t part = pieces[i].iov_len < length ? pieces[i].iov_len : length;
        if (part) {
            memcpy(pieces[i].iov_base, whole, part);
        }
        whole += part;
        length -= part;
    }
}

static int64_t receive_pieces(bj_file *file, const struct iovec *pieces, size_t count, int flags,
                              bj_sim_received *about) {
    if (count == 1) {
        return receive_bytes(file, pieces[0].iov_base, pieces[0].iov_len, flags, about);
    }
    size_t total = total_of(pieces, count);
    uint8_t *whole = bj_arena_alloc(bj_the_run.arena, total + 1);
    int64_t result = receive_bytes(file, whole, total, flags, about);
    if (result > 0) {
        scatter(pieces, count, whole, (size_t) result);
    }
    bj_arena_free(bj_the_run.arena, whole);
    return result;
}

static int64_t receive_message(bj_file *file, struct msghdr *message, int flags) {
    bj_sim_received about;
    int64_t result = receive_pieces(file, message->msg_iov, message->msg_iovlen, flags, &about);
    if (result < 0) {
        return result;
    }
    message->msg_flags = flags & MSG_ERRQUEUE;
    if (file->socket.type == SOCK_DGRAM) {
        bj_socket_give_address(file, &about.from, message->msg_name, &message->msg_namelen);
        message->msg_flags |= about.full_length > (size_t) result ? MSG_TRUNC : 0;
    } else {
        message->msg_namelen = 0;
    }
    message->msg_controllen =
        flags & MSG_ERRQUEUE ? put_refusal(file, message, &about) : put_ancillary(file, message, &about);
    return received_length(file, result, flags, &about);
}

BJ_EXPORT ssize_t recvmsg(int fd, struct msghdr *message, int flags) {
    bj_file *file = socket_of(fd);
    if (!file) {
        int foreign = await_foreign_data(fd, flags);
        return foreign ? bj_fail(-foreign) : REAL(recvmsg)(fd, message, flags);
    }
    return bj_result(receive_message(file, message, flags));
}

/* recvmmsg(2): the timeout is looked at only after each datagram; so is it here, on the virtual clock. */
static int64_t receive_messages(bj_file *file, struct mmsghdr *messages, unsigned count, int flags, bj_time deadline) {
    for (unsigned i = 0; i < count; i++) {
        int64_t result = receive_message(file, &messages[i].msg_hdr, flags & ~MSG_WAITFORONE);
        if (result < 0) {
            return i ? (int64_t) i : result;
        }
        messages[i].msg_len = (unsigned) result;
        if (flags & MSG_WAITFORONE) {
            flags |= MSG_DONTWAIT;
        }
        if (deadline != BJ_NEVER && bj_now() >= deadline) {
            return (int64_t) i + 1;
        }
    }
    return (int64_t) count;
}

BJ_EXPORT int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout) {
    bj_file *file = socket_of(fd);
    if (!file) {
        int foreign = await_foreign_data(fd, flags);
        return foreign ? bj_fail(-foreign) : REAL(recvmmsg)(fd, messages, count, flags, timeout);
    }
    bj_time deadline = timeout ? bj_later(bj_now(), bj_from_timespec(timeout)) : BJ_NEVER;
    return (int) bj_result(receive_messages(file, messages, count, flags, deadline));
}

/* --- read() and write() --- */

static int64_t read_from(bj_file *file, const struct iovec *pieces, size_t count) {
    bj_sim_received about;
    switch (file->kind) {
    case BJ_FILE_DISK:
        return bj_disk_read_pieces(file, pieces, count);
    case BJ_FILE_SOCKET:
        return receive_pieces(file, pieces, count, 0, &about);
    case BJ_FILE_TIMER:
        return count ? bj_timerfd_read(file, pieces[0].iov_base, pieces[0].iov_len) : 0;
    case BJ_FILE_RANDOM:
        for (size_t i = 0; i < count; i++) {
            bj_random_bytes(pieces[i].iov_base, pieces[i].iov_len);
        }
        return (int64_t) total_of(pieces, count);
    default:
        return -EINVAL;
    }
}

static int64_t write_to(bj_file *file, const struct iovec *pieces, size_t count) {
    const bj_route route = { .has_peer = false };
    switch (file->kind) {
    case BJ_FILE_DISK:
        return bj_disk_write_pieces(file, pieces, count);
    case BJ_FILE_SOCKET:
        return send_pieces(file, &route, pieces, count, 0);
    case BJ_FILE_RANDOM:
        return (int64_t) total_of(pieces, count); /* stirring the pool changes nothing */
    default:
        return -EINVAL;
    }
}

BJ_EXPORT ssize_t read(int fd, void *data, size_t room) {
    bj_file *file = bj_inside() ? bj_file_of(fd) : NULL;
    if (!file) {
        int foreign = await_foreign_data(fd, 0);
        return foreign ? bj_fail(-foreign) : REAL(read)(fd, data, room);
    }
    const struct iovec piece = { data, room };
    return bj_result(read_from(file, &piece, 1));
}

BJ_EXPORT ssize_t readv(int fd, const struct iovec *pieces, int count) {
    bj_file *file = bj_inside() ? bj_file_of(fd) : NULL;
    if (!file) {
        int foreign = await_foreign_data(fd, 0);
        return foreign ? bj_fail(-foreign) : REAL(readv)(fd, pieces, count);
    }
    return bj_result(count < 0 ? -EINVAL : read_from(file, pieces, (size_t) count));
}

BJ_EXPORT ssize_t write(int fd, const void *data, size_t length) {
    bj_file *file = bj_inside() ? bj_file_of(fd) : NULL;
    if (!file) {
        int foreign = await_foreign_room(fd, 0);
        return foreign ? bj_fail(-foreign) : REAL(write)(fd, data, length);
    }
    const struct iovec piece = { (void *) (uintptr_t) data, length };
    return bj_result(write_to(file, &piece, 1));
}

BJ_EXPORT ssize_t writev(int fd, const struct iovec *pieces, int count) {
    bj_file *file = bj_inside() ? bj_file_of(fd) : NULL;
    if (!file) {
        int foreign = await_foreign_room(fd, 0);
        return foreign ? bj_fail(-foreign) : REAL(writev)(fd, pieces, count);
    }
    return bj_result(count < 0 ? -EINVAL : write_to(file, pieces, (size_t) count));
}

/* glibc's own call read() and write() behind our back. */
BJ_EXPORT int eventfd_read(int fd, eventfd_t *value) {
    return read(fd, value, sizeof *value) == (ssize_t) sizeof *value ? 0 : -1;
}

BJ_EXPORT int eventfd_write(int fd, eventfd_t value) {
    return write(fd, &value, sizeof value) == (ssize_t) sizeof value ? 0 : -1;
}
