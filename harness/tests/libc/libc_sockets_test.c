/* SPDX-License-Identifier: Apache-2.0
 *
 * Sockets of a client in the simulated world: datagrams, streams, their options and their ancillary data.
 */
#define _GNU_SOURCE
#include "libc_fixture.h"

#include <fcntl.h>
#include <linux/errqueue.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>

/* --- datagrams --- */

static void a_blocking_receive_waits_in_virtual_time(void **state) {
    char data[16];
    int fd = udp_client(0);
    assert_int_equal(send(fd, "hello", 5, 0), 5);
    assert_int_equal(now_in(state), 0);
    assert_int_equal(recv(fd, data, sizeof data, 0), 5);
    assert_memory_equal(data, "hello", 5);
    assert_int_equal(now_in(state), 2 * BJ_MS);
    assert_int_equal(write(fd, "again", 5), 5);
    assert_int_equal(read(fd, data, sizeof data), 5);
    assert_int_equal(close(fd), 0);
}

static void a_nonblocking_receive_does_not_wait(void **state) {
    char data[16];
    int fd = udp_client(SOCK_NONBLOCK);
    assert_errno(recv(fd, data, sizeof data, 0), EAGAIN);
    assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
    assert_errno(recv(fd, data, sizeof data, MSG_DONTWAIT), EAGAIN);
    int on = 1;
    assert_int_equal(ioctl(fd, FIONBIO, &on), 0);
    assert_errno(recv(fd, data, sizeof data, 0), EAGAIN);
    assert_int_equal(now_in(state), 0);
    close(fd);
}

static void a_receive_timeout_is_honoured(void **state) {
    char data[16];
    int fd = udp_client(0);
    struct timeval timeout = { .tv_sec = 3, .tv_usec = 500000 }, shown;
    socklen_t size = sizeof shown;
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout), 0);
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &shown, &size), 0);
    assert_memory_equal(&shown, &timeout, sizeof timeout);
    assert_errno(recv(fd, data, sizeof data, 0), EAGAIN);
    assert_int_equal(now_in(state), 3500 * BJ_MS);
    close(fd);
}

static void addresses_are_given_and_taken(void **state) {
    (void) state;
    struct sockaddr_in server = ipv4("192.0.2.10", 5683), from, own = ipv4("0.0.0.0", 4000);
    socklen_t length = sizeof from;
    char data[16];
    int fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
    assert_int_equal(bind(fd, (struct sockaddr *) &own, sizeof own), 0);
    assert_errno(send(fd, "x", 1, 0), EDESTADDRREQ);
    assert_errno(getpeername(fd, (struct sockaddr *) &from, &length), ENOTCONN);
    assert_int_equal(sendto(fd, "hi", 2, 0, (struct sockaddr *) &server, sizeof server), 2);
    length = sizeof from;
    assert_int_equal(recvfrom(fd, data, sizeof data, 0, (struct sockaddr *) &from, &length), 2);
    assert_int_equal(length, sizeof from);
    assert_memory_equal(&from, &server, sizeof from);
    length = sizeof from;
    assert_int_equal(getsockname(fd, (struct sockaddr *) &from, &length), 0);
    assert_int_equal(ntohs(from.sin_port), 4000);
    close(fd);
    fd = udp_client(0);
    length = sizeof from;
    assert_int_equal(getpeername(fd, (struct sockaddr *) &from, &length), 0);
    assert_memory_equal(&from, &server, sizeof from);
    length = sizeof from;
    assert_int_equal(getsockname(fd, (struct sockaddr *) &from, &length), 0);
    assert_int_equal(from.sin_addr.s_addr, inet_addr("192.0.2.1"));
    close(fd);
}

static void ipv6_and_mapped_addresses_work(void **state) {
    (void) state;
    struct sockaddr_in6 server = ipv6("2001:db8::a", 5683), mapped = ipv6("::ffff:192.0.2.10", 5683), from;
    socklen_t length = sizeof from;
    char data[16];
    int fd = socket(AF_INET6, SOCK_DGRAM, 0), on = 1;
    assert_int_equal(sendto(fd, "six", 3, 0, (struct sockaddr *) &server, sizeof server), 3);
    assert_int_equal(recvfrom(fd, data, sizeof data, 0, (struct sockaddr *) &from, &length), 3);
    assert_memory_equal(&from.sin6_addr, &server.sin6_addr, 16);
    assert_int_equal(sendto(fd, "four", 4, 0, (struct sockaddr *) &mapped, sizeof mapped), 4);
    assert_int_equal(recvfrom(fd, data, sizeof data, 0, (struct sockaddr *) &from, &length), 4);
    assert_memory_equal(&from.sin6_addr, &mapped.sin6_addr, 16);
    close(fd);
    fd = socket(AF_INET6, SOCK_DGRAM, 0);
    assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on), 0);
    assert_errno(sendto(fd, "four", 4, 0, (struct sockaddr *) &mapped, sizeof mapped), ENETUNREACH);
    close(fd);
}

static void long_datagrams_are_cut_and_say_so(void **state) {
    (void) state;
    char data[4];
    int fd = udp_client(0);
    send(fd, "0123456789", 10, 0);
    assert_int_equal(recv(fd, data, sizeof data, MSG_PEEK), 4);
    assert_int_equal(recv(fd, data, sizeof data, MSG_PEEK | MSG_TRUNC), 10);
    int pending = 0;
    assert_int_equal(ioctl(fd, FIONREAD, &pending), 0);
    assert_int_equal(pending, 10);
    struct iovec piece = { data, sizeof data };
    struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
    assert_int_equal(recvmsg(fd, &message, 0), 4);
    assert_int_equal(message.msg_flags, MSG_TRUNC);
    assert_errno(recv(fd, data, sizeof data, MSG_DONTWAIT), EAGAIN);
    close(fd);
}

static void pieces_are_gathered_and_scattered(void **state) {
    (void) state;
    char a[3], b[3], c[10];
    int fd = udp_client(0);
    struct iovec out[] = { { (char[]){ "abc" }, 3 }, { NULL, 0 }, { (char[]){ "defgh" }, 5 } };
    struct iovec in[] = { { a, sizeof a }, { b, sizeof b }, { c, sizeof c } };
    assert_int_equal(writev(fd, out, 3), 8);
    assert_int_equal(readv(fd, in, 3), 8);
    assert_memory_equal(a, "abc", 3);
    assert_memory_equal(b, "def", 3);
    assert_memory_equal(c, "gh", 2);
    assert_int_equal(send(fd, "", 0, 0), 0);
    assert_int_equal(recv(fd, a, sizeof a, 0), 0);
    close(fd);
}

static void many_messages_go_in_one_call(void **state) {
    char bytes[3][8];
    struct iovec out[] = { { (char[]){ "one" }, 3 }, { (char[]){ "three" }, 5 } };
    struct iovec in[] = { { bytes[0], 8 }, { bytes[1], 8 }, { bytes[2], 8 } };
    struct mmsghdr sent[] = { { .msg_hdr = { .msg_iov = &out[0], .msg_iovlen = 1 } },
                              { .msg_hdr = { .msg_iov = &out[1], .msg_iovlen = 1 } } };
    struct mmsghdr received[3] = { 0 };
    for (int i = 0; i < 3; i++) {
        received[i].msg_hdr = (struct msghdr){ .msg_iov = &in[i], .msg_iovlen = 1 };
    }
    int fd = udp_client(0);
    assert_int_equal(sendmmsg(fd, sent, 2, 0), 2);
    assert_int_equal(sent[1].msg_len, 5);
    usleep(5000);
    assert_int_equal(recvmmsg(fd, received, 3, MSG_WAITFORONE, NULL), 2);
    assert_int_equal(received[0].msg_len, 3);
    assert_int_equal(received[1].msg_len, 5);
    assert_memory_equal(bytes[1], "three", 5);
    assert_int_equal(now_in(state), 5 * BJ_MS);
    close(fd);
}

static const struct cmsghdr *control_of(struct msghdr *message, int level, int type) {
    for (struct cmsghdr *h = CMSG_FIRSTHDR(message); h; h = CMSG_NXTHDR(message, h)) {
        if (h->cmsg_level == level && h->cmsg_type == type) {
            return h;
        }
    }
    fail_msg("no ancillary data of level %d and type %d", level, type);
    return NULL;
}

static void ancillary_data_tells_destination_and_time(void **state) {
    (void) state;
    char data[16];
    _Alignas(struct cmsghdr) char control[256];
    int fd = udp_client(0), on = 1;
    assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_TIMESTAMP, &on, sizeof on), 0);
    assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &on, sizeof on), 0);
    send(fd, "hello", 5, 0);
    sleep(1);
    struct iovec piece = { data, sizeof data };
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
    };
    assert_int_equal(recvmsg(fd, &message, 0), 5);
    struct in_pktinfo info;
    memcpy(&info, CMSG_DATA(control_of(&message, IPPROTO_IP, IP_PKTINFO)), sizeof info);
    assert_int_equal(info.ipi_addr.s_addr, inet_addr("192.0.2.1"));
    struct timeval arrival;
    memcpy(&arrival, CMSG_DATA(control_of(&message, SOL_SOCKET, SCM_TIMESTAMP)), sizeof arrival);
    assert_int_equal(arrival.tv_sec, 1700000000);
    assert_int_equal(arrival.tv_usec, 2000);
    control_of(&message, IPPROTO_IP, IP_TTL);
    send(fd, "hello", 5, 0);
    message.msg_controllen = CMSG_LEN(sizeof arrival) - 1;
    assert_int_equal(recvmsg(fd, &message, 0), 5);
    assert_true(message.msg_flags & MSG_CTRUNC);
    close(fd);
}

static void destinations_of_ipv6_are_told(void **state) {
    (void) state;
    char data[16];
    _Alignas(struct cmsghdr) char control[256];
    struct sockaddr_in6 server = ipv6("2001:db8::a", 5683), from;
    int fd = socket(AF_INET6, SOCK_DGRAM, 0), on = 1;
    assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on), 0);
    sendto(fd, "x", 1, 0, (struct sockaddr *) &server, sizeof server);
    struct iovec piece = { data, sizeof data };
    struct msghdr message = { .msg_name = &from,
                              .msg_namelen = sizeof from,
                              .msg_iov = &piece,
                              .msg_iovlen = 1,
                              .msg_control = control,
                              .msg_controllen = sizeof control };
    assert_int_equal(recvmsg(fd, &message, 0), 1);
    assert_memory_equal(&from.sin6_addr, &server.sin6_addr, 16);
    struct in6_pktinfo info;
    memcpy(&info, CMSG_DATA(control_of(&message, IPPROTO_IPV6, IPV6_PKTINFO)), sizeof info);
    struct sockaddr_in6 own = ipv6("2001:db8::1", 0);
    assert_memory_equal(&info.ipi6_addr, &own.sin6_addr, 16);
    close(fd);
}

/* --- errors --- */

static void a_closed_port_is_refused(void **state) {
    struct sockaddr_in server = ipv4("192.0.2.10", 1);
    char data[16];
    int error = 0, fd = socket(AF_INET, SOCK_DGRAM, 0);
    socklen_t size = sizeof error;
    assert_int_equal(connect(fd, (struct sockaddr *) &server, sizeof server), 0);
    send(fd, "x", 1, 0);
    assert_errno(recv(fd, data, sizeof data, 0), ECONNREFUSED);
    assert_int_equal(now_in(state), 2 * BJ_MS);
    send(fd, "x", 1, 0);
    usleep(2000);
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size), 0);
    assert_int_equal(error, ECONNREFUSED);
    assert_errno(recv(fd, data, sizeof data, MSG_DONTWAIT), EAGAIN);
    close(fd);
}

static void the_error_queue_tells_of_a_closed_port(void **state) {
    (void) state;
    struct sockaddr_in server = ipv4("192.0.2.10", 1);
    char data[16];
    _Alignas(struct cmsghdr) char control[256];
    int fd = socket(AF_INET, SOCK_DGRAM, 0), on = 1;
    assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on), 0);
    sendto(fd, "x", 1, 0, (struct sockaddr *) &server, sizeof server);
    struct pollfd pollfd = { .fd = fd };
    assert_int_equal(poll(&pollfd, 1, -1), 1);
    assert_int_equal(pollfd.revents, POLLERR);
    struct iovec piece = { data, sizeof data };
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
    };
    assert_int_equal(recvmsg(fd, &message, MSG_ERRQUEUE), 1);
    assert_int_equal(message.msg_flags, MSG_ERRQUEUE);
    struct sock_extended_err error;
    memcpy(&error, CMSG_DATA(control_of(&message, IPPROTO_IP, IP_RECVERR)), sizeof error);
    assert_int_equal(error.ee_errno, ECONNREFUSED);
    assert_int_equal(error.ee_origin, SO_EE_ORIGIN_ICMP);
    assert_errno(recvmsg(fd, &message, MSG_ERRQUEUE), EAGAIN);
    close(fd);
}

static void wrong_calls_get_the_errors_of_linux(void **state) {
    (void) state;
    struct sockaddr_in elsewhere = ipv4("192.0.2.77", 0);
    struct sockaddr_un local = { .sun_family = AF_UNIX };
    int value = 1, fd = udp_client(0);
    socklen_t size = sizeof value;
    assert_errno(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), EPERM);
    assert_errno(socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP), EPROTONOSUPPORT);
    assert_errno(bind(fd, (struct sockaddr *) &elsewhere, sizeof elsewhere), EINVAL);
    int other = socket(AF_INET, SOCK_DGRAM, 0);
    assert_errno(bind(other, (struct sockaddr *) &elsewhere, sizeof elsewhere), EADDRNOTAVAIL);
    assert_errno(bind(other, (struct sockaddr *) &elsewhere, 3), EINVAL);
    assert_errno(connect(fd, (struct sockaddr *) &local, sizeof local), EAFNOSUPPORT);
    assert_errno(listen(fd, 1), EOPNOTSUPP);
    assert_errno(accept(fd, NULL, NULL), EOPNOTSUPP);
    assert_errno(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, sizeof value), ENOPROTOOPT);
    assert_errno(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, sizeof value), ENOPROTOOPT);
    assert_errno(getsockopt(fd, IPPROTO_IP, 12345, &value, &size), ENOPROTOOPT);
    assert_errno(send(999, "x", 1, 0), EBADF);
    assert_errno(shutdown(fd, 77), EINVAL);
    close(other);
    close(fd);
    assert_errno(send(fd, "x", 1, 0), EBADF);
}

static int int_option(int fd, int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    assert_int_equal(getsockopt(fd, level, name, &value, &size), 0);
    assert_int_equal(size, sizeof value);
    return value;
}

static void options_are_remembered(void **state) {
    (void) state;
    int fd = udp_client(0), tcp = socket(AF_INET6, SOCK_STREAM, 0), value = 5000;
    assert_int_equal(int_option(fd, SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
    assert_int_equal(int_option(fd, SOL_SOCKET, SO_DOMAIN), AF_INET);
    assert_int_equal(int_option(fd, SOL_SOCKET, SO_PROTOCOL), IPPROTO_UDP);
    assert_int_equal(int_option(tcp, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
    assert_int_equal(int_option(tcp, SOL_SOCKET, SO_ACCEPTCONN), 0);
    assert_int_equal(int_option(fd, IPPROTO_IP, IP_TTL), 64);
    assert_int_equal(int_option(fd, IPPROTO_IP, IP_MTU), 1500);
    assert_int_equal(int_option(tcp, IPPROTO_TCP, TCP_NODELAY), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &value, sizeof value), 0);
    assert_int_equal(int_option(fd, SOL_SOCKET, SO_RCVBUF), 10000);
    value = 1;
    assert_int_equal(setsockopt(tcp, IPPROTO_TCP, TCP_NODELAY, &value, sizeof value), 0);
    assert_int_equal(int_option(tcp, IPPROTO_TCP, TCP_NODELAY), 1);
    struct ip_mreq group = { .imr_multiaddr.s_addr = inet_addr("224.0.1.187") };
    assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group), 0);
    close(fd);
    close(tcp);
}

/* --- descriptors --- */

static void duplicates_share_one_socket(void **state) {
    (void) state;
    char data[8];
    int fd = udp_client(0), copy = dup(fd), third = fcntl(fd, F_DUPFD_CLOEXEC, 100);
    assert_true(third >= 100 && third < 1024);
    assert_int_equal(dup2(fd, 200), 200);
    close(fd);
    assert_int_equal(send(copy, "x", 1, 0), 1);
    assert_int_equal(recv(third, data, sizeof data, 0), 1);
    fcntl(third, F_SETFL, O_NONBLOCK);
    assert_errno(recv(copy, data, sizeof data, 0), EAGAIN);
    int other = udp_client(0);
    assert_int_equal(dup3(other, 200, O_CLOEXEC), 200);
    close(copy);
    close(third);
    assert_int_equal(send(200, "y", 1, 0), 1);
    close(200);
    close(other);
    fd = udp_client(0);
    close_range((unsigned) fd, 900, 0);
    assert_errno(send(fd, "z", 1, 0), EBADF);
}

static void descriptors_look_like_sockets(void **state) {
    (void) state;
    struct stat about;
    int fd = udp_client(SOCK_CLOEXEC);
    assert_int_equal(fstat(fd, &about), 0);
    assert_true(S_ISSOCK(about.st_mode));
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_errno(lseek(fd, 0, SEEK_SET), ESPIPE);
    close(fd);
}

static void foreign_sockets_stay_the_kernels(void **state) {
    (void) state;
    char data[8];
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(write(pair[0], "abc", 3), 3);
    assert_int_equal(recv(pair[1], data, sizeof data, 0), 3);
    assert_errno(recv(pair[1], data, sizeof data, MSG_DONTWAIT), EAGAIN);
    close(pair[0]);
    close(pair[1]);
}

/* --- streams --- */

static int tcp_client(int flags) {
    struct sockaddr_in server = ipv4("192.0.2.10", 5683);
    int fd = socket(AF_INET, SOCK_STREAM | flags, 0);
    int result = connect(fd, (struct sockaddr *) &server, sizeof server);
    assert_int_equal(result, flags & SOCK_NONBLOCK ? -1 : 0);
    return fd;
}

static void a_blocking_connect_waits_for_the_handshake(void **state) {
    char data[16];
    int fd = tcp_client(0);
    assert_int_equal(now_in(state), 2 * BJ_MS);
    assert_int_equal(send(fd, "hello", 5, 0), 5);
    assert_int_equal(recv(fd, data, 5, MSG_WAITALL), 5);
    assert_int_equal(now_in(state), 4 * BJ_MS);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_errno(send(fd, "x", 1, MSG_NOSIGNAL), EPIPE);
    fixture *f = *state;
    usleep(2000);
    assert_true(f->closed && !f->reset);
    close(fd);
}

static void a_nonblocking_connect_becomes_writable(void **state) {
    (void) state;
    int fd = tcp_client(SOCK_NONBLOCK);
    assert_int_equal(errno, EINPROGRESS);
    struct pollfd pollfd = { .fd = fd, .events = POLLOUT };
    assert_int_equal(poll(&pollfd, 1, 0), 0);
    assert_int_equal(poll(&pollfd, 1, 1000), 1);
    assert_int_equal(pollfd.revents, POLLOUT);
    assert_int_equal(int_option(fd, SOL_SOCKET, SO_ERROR), 0);
    close(fd);
}

static void a_refused_connect_says_so(void **state) {
    (void) state;
    struct sockaddr_in server = ipv4("192.0.2.10", 1);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_errno(connect(fd, (struct sockaddr *) &server, sizeof server), ECONNREFUSED);
    close(fd);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_errno(connect(fd, (struct sockaddr *) &server, sizeof server), EINPROGRESS);
    struct pollfd pollfd = { .fd = fd, .events = POLLOUT };
    assert_int_equal(poll(&pollfd, 1, -1), 1);
    assert_true(pollfd.revents & POLLERR);
    assert_int_equal(int_option(fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
    close(fd);
}

static void the_server_ends_the_stream(void **state) {
    fixture *f = *state;
    char data[16];
    int fd = tcp_client(0);
    usleep(2000);
    f->ops->stream_send(f->world, f->connection, (const uint8_t *) "bye", 3, 0);
    f->ops->stream_close(f->world, f->connection, false);
    assert_int_equal(recv(fd, data, sizeof data, 0), 3);
    assert_int_equal(recv(fd, data, sizeof data, 0), 0);
    close(fd);
}

static void connections_within_the_host_are_accepted(void **state) {
    (void) state;
    char data[8];
    struct sockaddr_in own = ipv4("127.0.0.1", 7000), peer;
    socklen_t length = sizeof peer;
    int server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(server, (struct sockaddr *) &own, sizeof own), 0);
    assert_int_equal(listen(server, 5), 0);
    assert_errno(accept(server, NULL, NULL), EAGAIN);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (struct sockaddr *) &own, sizeof own), 0);
    int accepted = accept4(server, (struct sockaddr *) &peer, &length, SOCK_NONBLOCK);
    assert_true(accepted >= 0);
    assert_int_equal(peer.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    assert_errno(recv(accepted, data, sizeof data, 0), EAGAIN);
    send(client, "in", 2, 0);
    assert_int_equal(recv(accepted, data, sizeof data, 0), 2);
    close(client);
    assert_int_equal(recv(accepted, data, sizeof data, 0), 0);
    close(accepted);
    close(server);
}

static void a_stream_can_be_a_file(void **state) {
    (void) state;
    char line[32];
    int fd = tcp_client(0);
    FILE *out = fdopen(dup(fd), "w"), *in = fdopen(fd, "r");
    fprintf(out, "GET /%d\n", 42);
    fflush(out);
    assert_non_null(fgets(line, sizeof line, in));
    assert_string_equal(line, "GET /42\n");
    fclose(out);
    fclose(in);
}

static void descriptors_left_open_are_counted(void **state) {
    udp_client(0);
    int fd = udp_client(0);
    dup(fd);
    assert_int_equal(bj_libc_leave(), 3);
    assert_false(bj_libc_active());
    bj_libc_enter(((fixture *) *state)->sim, on_over, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        in_world(a_blocking_receive_waits_in_virtual_time),
        in_world(a_nonblocking_receive_does_not_wait),
        in_world(a_receive_timeout_is_honoured),
        in_world(addresses_are_given_and_taken),
        in_world(ipv6_and_mapped_addresses_work),
        in_world(long_datagrams_are_cut_and_say_so),
        in_world(pieces_are_gathered_and_scattered),
        in_world(many_messages_go_in_one_call),
        in_world(ancillary_data_tells_destination_and_time),
        in_world(destinations_of_ipv6_are_told),
        in_world(a_closed_port_is_refused),
        in_world(the_error_queue_tells_of_a_closed_port),
        in_world(wrong_calls_get_the_errors_of_linux),
        in_world(options_are_remembered),
        in_world(duplicates_share_one_socket),
        in_world(descriptors_look_like_sockets),
        in_world(foreign_sockets_stay_the_kernels),
        in_world(a_blocking_connect_waits_for_the_handshake),
        in_world(a_nonblocking_connect_becomes_writable),
        in_world(a_refused_connect_says_so),
        in_world(the_server_ends_the_stream),
        in_world(connections_within_the_host_are_accepted),
        in_world(a_stream_can_be_a_file),
        in_world(descriptors_left_open_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
