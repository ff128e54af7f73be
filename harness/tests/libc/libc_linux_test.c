/* SPDX-License-Identifier: Apache-2.0
 *
 * Sequences of calls whose outcome on Linux is not what one would guess. What is expected here was printed by the same
 * calls on a Linux kernel, over its loopback.
 */
#define _GNU_SOURCE
#include "libc_fixture.h"

#include <linux/errqueue.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/time.h>
#include <sys/timerfd.h>

/* The events that hold now. */
static short events_of(int fd) {
    struct pollfd pollfd = { .fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP };
    assert_true(poll(&pollfd, 1, 0) >= 0);
    return pollfd.revents;
}

/* A UDP socket on the loopback, with its address. */
static int udp_at_home(struct sockaddr_in *own) {
    socklen_t length = sizeof *own;
    *own = ipv4("127.0.0.1", 0);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *) own, length), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *) own, &length), 0);
    return fd;
}

/* --- shutdown() of a UDP socket ------------------------------------------------------------------------------- */

static void *shut_in_a_second(void *fd) {
    sleep(1);
    assert_errno(shutdown((int) (intptr_t) fd, SHUT_RDWR), ENOTCONN);
    return NULL;
}

/* Many programs end a thread that is in recv() in this way, whatever shutdown() says. */
static void shutdown_wakes_who_receives_on_an_unconnected_socket(void **state) {
    char data[4];
    struct sockaddr_in own;
    int fd = udp_at_home(&own);
    pthread_t other;
    assert_int_equal(pthread_create(&other, NULL, shut_in_a_second, (void *) (intptr_t) fd), 0);
    assert_int_equal(recv(fd, data, sizeof data, 0), 0);
    assert_int_equal(now_in(state), BJ_SECOND);
    assert_int_equal(pthread_join(other, NULL), 0);
    assert_int_equal(events_of(fd), POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
    assert_errno(sendto(fd, "x", 1, MSG_NOSIGNAL, (struct sockaddr *) &own, sizeof own), EPIPE);
    close(fd);
}

static void datagrams_still_arrive_behind_shut_rd(void **state) {
    (void) state;
    char data[4];
    struct sockaddr_in own;
    int fd = udp_at_home(&own);
    assert_errno(shutdown(fd, SHUT_RD), ENOTCONN);
    assert_errno(recv(fd, data, sizeof data, MSG_DONTWAIT), EAGAIN);
    assert_int_equal(recv(fd, data, sizeof data, 0), 0);
    assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *) &own, sizeof own), 1);
    assert_int_equal(recv(fd, data, sizeof data, 0), 1);
    close(fd);
}

static void ipv6_only_is_decided_before_bind(void **state) {
    (void) state;
    struct sockaddr_in6 any = ipv6("::", 4000);
    int fd = socket(AF_INET6, SOCK_DGRAM, 0), on = 1;
    assert_int_equal(bind(fd, (struct sockaddr *) &any, sizeof any), 0);
    assert_errno(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on), EINVAL);
    close(fd);
}

/* --- connect() of a UDP socket -------------------------------------------------------------------------------- */

static struct sockaddr_in name_of(int fd) {
    struct sockaddr_in name;
    socklen_t length = sizeof name;
    assert_int_equal(getsockname(fd, (struct sockaddr *) &name, &length), 0);
    return name;
}

static int connect_to(int fd, const struct sockaddr_in *peer) {
    return connect(fd, (const struct sockaddr *) peer, sizeof *peer);
}

/* The next datagram leaves from another port. What bind() named stays. */
static void who_disconnects_loses_the_port_that_it_did_not_choose(void **state) {
    (void) state;
    struct sockaddr_in server = ipv4("192.0.2.10", 5683), none = { .sin_family = AF_UNSPEC };
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(connect_to(fd, &server), 0);
    in_port_t before = name_of(fd).sin_port;
    assert_int_equal(connect_to(fd, &none), 0);
    assert_int_equal(name_of(fd).sin_port, 0);
    assert_int_equal(connect_to(fd, &server), 0);
    assert_int_not_equal(name_of(fd).sin_port, before);
    close(fd);
    struct sockaddr_in own = ipv4("0.0.0.0", 4000);
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *) &own, sizeof own), 0);
    assert_int_equal(connect_to(fd, &server), 0);
    assert_int_equal(connect_to(fd, &none), 0);
    assert_int_equal(name_of(fd).sin_port, htons(4000));
    assert_int_equal(name_of(fd).sin_addr.s_addr, 0);
    close(fd);
}

/* Programs connect to a host without a port to learn from which address they would send. */
static void a_udp_socket_connects_to_a_host_without_a_port(void **state) {
    (void) state;
    struct sockaddr_in host = ipv4("192.0.2.10", 0), peer;
    socklen_t length = sizeof peer;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(connect_to(fd, &host), 0);
    assert_int_equal(name_of(fd).sin_addr.s_addr, inet_addr("192.0.2.1"));
    assert_errno(getpeername(fd, (struct sockaddr *) &peer, &length), ENOTCONN);
    assert_errno(sendto(fd, "x", 1, 0, (struct sockaddr *) &host, sizeof host), EINVAL);
    close(fd);
}

/* --- the error queue of a UDP socket -------------------------------------------------------------------------- */

/* What the error queue says next: whether it said anything, of whose port, and about which datagram. */
static bool next_refusal(int fd, struct sockaddr_in6 *who, char text[16], struct sock_extended_err *error) {
    _Alignas(struct cmsghdr) char control[128];
    struct iovec piece = { text, 15 };
    struct msghdr message = { .msg_name = who,
                              .msg_namelen = sizeof *who,
                              .msg_iov = &piece,
                              .msg_iovlen = 1,
                              .msg_control = control,
                              .msg_controllen = sizeof control };
    ssize_t length = recvmsg(fd, &message, MSG_ERRQUEUE);
    if (length < 0) {
        assert_int_equal(errno, EAGAIN);
        return false;
    }
    text[length] = 0;
    assert_int_equal(message.msg_flags, MSG_ERRQUEUE);
    assert_non_null(CMSG_FIRSTHDR(&message));
    memcpy(error, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof *error);
    assert_int_equal(error->ee_errno, ECONNREFUSED);
    return true;
}

/* One socket for several servers can tell which of them is not there, also when recv() was told before. */
static void the_error_queue_names_who_refused_and_what(void **state) {
    (void) state;
    char text[16];
    struct sock_extended_err error;
    struct sockaddr_in one = ipv4("192.0.2.10", 1), two = ipv4("192.0.2.10", 2);
    struct sockaddr_in6 who;
    int fd = socket(AF_INET, SOCK_DGRAM, 0), on = 1, off = 0;
    assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on), 0);
    assert_int_equal(sendto(fd, "first", 5, 0, (struct sockaddr *) &one, sizeof one), 5);
    assert_int_equal(sendto(fd, "second", 6, 0, (struct sockaddr *) &two, sizeof two), 6);
    sleep(1);
    assert_errno(recv(fd, text, sizeof text, MSG_DONTWAIT), ECONNREFUSED);
    assert_errno(recv(fd, text, sizeof text, MSG_DONTWAIT), EAGAIN);
    assert_int_equal(events_of(fd), POLLOUT | POLLERR);
    assert_true(next_refusal(fd, &who, text, &error));
    assert_memory_equal(&who, &one, sizeof one);
    assert_string_equal(text, "first");
    assert_int_equal(events_of(fd), POLLOUT | POLLERR);
    assert_true(next_refusal(fd, &who, text, &error));
    assert_memory_equal(&who, &two, sizeof two);
    assert_string_equal(text, "second");
    assert_int_equal(events_of(fd), POLLOUT);
    assert_false(next_refusal(fd, &who, text, &error));
    assert_int_equal(sendto(fd, "third", 5, 0, (struct sockaddr *) &one, sizeof one), 5);
    sleep(1);
    assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_RECVERR, &off, sizeof off), 0);
    assert_false(next_refusal(fd, &who, text, &error));
    close(fd);
}

/* IPV6_RECVERR is for what came by IPv6; of IPv4 destinations that are mapped IP_RECVERR tells. */
static void errors_of_mapped_destinations_are_asked_for_apart(void **state) {
    (void) state;
    char text[16];
    struct sock_extended_err error;
    struct sockaddr_in6 mapped = ipv6("::ffff:192.0.2.10", 1), plain = ipv6("2001:db8::a", 1), who;
    int fd = socket(AF_INET6, SOCK_DGRAM, 0), on = 1;
    assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on), 0);
    assert_int_equal(sendto(fd, "six", 3, 0, (struct sockaddr *) &plain, sizeof plain), 3);
    assert_int_equal(sendto(fd, "four", 4, 0, (struct sockaddr *) &mapped, sizeof mapped), 4);
    sleep(1);
    assert_true(next_refusal(fd, &who, text, &error));
    assert_memory_equal(&who, &plain, sizeof plain);
    assert_int_equal(error.ee_origin, SO_EE_ORIGIN_ICMP6);
    assert_false(next_refusal(fd, &who, text, &error));
    assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on), 0);
    assert_int_equal(sendto(fd, "four", 4, 0, (struct sockaddr *) &mapped, sizeof mapped), 4);
    sleep(1);
    assert_true(next_refusal(fd, &who, text, &error));
    assert_memory_equal(&who, &mapped, sizeof mapped);
    assert_int_equal(error.ee_origin, SO_EE_ORIGIN_ICMP);
    assert_string_equal(text, "four");
    close(fd);
}

/* --- the ends of a stream ------------------------------------------------------------------------------------- */

/* Who listens on the loopback, with its address. */
static int listener(struct sockaddr_in *own) {
    socklen_t length = sizeof *own;
    *own = ipv4("127.0.0.1", 0);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *) own, length), 0);
    assert_int_equal(listen(fd, 5), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *) own, &length), 0);
    return fd;
}

/* Two ends of one connection: [0] connected, [1] accepted. */
static void tcp_pair(int ends[2]) {
    struct sockaddr_in own;
    int fd = listener(&own);
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(ends[0], (struct sockaddr *) &own, sizeof own), 0);
    ends[1] = accept(fd, NULL, NULL);
    assert_true(ends[1] >= 0);
    close(fd);
}

static volatile sig_atomic_t pipes;

static void on_pipe(int number) {
    (void) number;
    pipes++;
}

/* The first is answered with a reset; a client that does not ignore SIGPIPE dies of the second. */
static void two_sends_after_the_peer_has_closed_are_a_broken_pipe(void **state) {
    (void) state;
    int ends[2];
    void (*before)(int) = signal(SIGPIPE, on_pipe);
    pipes = 0;
    tcp_pair(ends);
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(send(ends[0], "x", 1, 0), 1);
    assert_int_equal(pipes, 0);
    assert_errno(send(ends[0], "x", 1, 0), EPIPE);
    assert_int_equal(pipes, 1);
    close(ends[0]);
    signal(SIGPIPE, before);
}

static void a_reset_behind_the_end_does_not_spoil_the_end(void **state) {
    (void) state;
    char data[8];
    int ends[2], error;
    socklen_t size = sizeof error;
    tcp_pair(ends);
    assert_int_equal(send(ends[1], "data", 4, 0), 4);
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(send(ends[0], "x", 1, 0), 1);
    assert_int_equal(events_of(ends[0]), POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
    assert_int_equal(recv(ends[0], data, sizeof data, 0), 4);
    assert_int_equal(recv(ends[0], data, sizeof data, 0), 0);
    assert_int_equal(getsockopt(ends[0], SOL_SOCKET, SO_ERROR, &error, &size), 0);
    assert_int_equal(error, EPIPE);
    close(ends[0]);
}

static void a_stream_that_is_shut_both_ways_hangs_up(void **state) {
    (void) state;
    int ends[2];
    struct sockaddr_in peer;
    socklen_t length = sizeof peer;
    tcp_pair(ends);
    assert_int_equal(shutdown(ends[0], SHUT_RDWR), 0);
    assert_int_equal(events_of(ends[0]), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
    assert_int_equal(shutdown(ends[1], SHUT_RDWR), 0);
    assert_errno(getpeername(ends[0], (struct sockaddr *) &peer, &length), ENOTCONN);
    assert_errno(shutdown(ends[0], SHUT_RDWR), ENOTCONN);
    close(ends[0]);
    close(ends[1]);
}

static void data_for_a_stream_that_is_shut_both_ways_is_answered_with_a_reset(void **state) {
    (void) state;
    int ends[2], error;
    char data[4];
    socklen_t size = sizeof error;
    tcp_pair(ends);
    assert_int_equal(shutdown(ends[0], SHUT_RDWR), 0);
    assert_int_equal(send(ends[1], "y", 1, 0), 1);
    assert_int_equal(getsockopt(ends[1], SOL_SOCKET, SO_ERROR, &error, &size), 0);
    assert_int_equal(error, EPIPE);
    assert_errno(recv(ends[0], data, sizeof data, 0), ECONNRESET);
    close(ends[0]);
    close(ends[1]);
}

/* --- connect() again ------------------------------------------------------------------------------------------ */

static void what_was_connected_stays_it_even_when_it_broke(void **state) {
    (void) state;
    int ends[2];
    char data[4];
    struct sockaddr_in own;
    struct linger now = { .l_onoff = 1 };
    int fd = listener(&own);
    tcp_pair(ends);
    assert_errno(connect_to(ends[0], &own), EISCONN);
    assert_errno(connect_to(ends[1], &own), EISCONN);
    assert_int_equal(setsockopt(ends[1], SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    close(ends[1]);
    assert_errno(connect_to(ends[0], &own), EISCONN);
    assert_errno(recv(ends[0], data, sizeof data, 0), ECONNRESET);
    assert_errno(connect_to(ends[0], &own), EISCONN);
    assert_int_equal(events_of(fd), 0);
    close(ends[0]);
    close(fd);
}

static void a_socket_whose_connect_was_refused_can_connect_again(void **state) {
    (void) state;
    char data[4];
    struct sockaddr_in own, closed = ipv4("127.0.0.1", 9);
    int server = listener(&own), fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_errno(connect_to(fd, &closed), ECONNREFUSED);
    assert_int_equal(events_of(fd), POLLOUT | POLLHUP);
    assert_errno(recv(fd, data, sizeof data, 0), ENOTCONN);
    assert_int_equal(connect_to(fd, &own), 0);
    assert_int_equal(events_of(fd), POLLOUT);
    close(fd);
    close(server);
}

/* Whose error was fetched by SO_ERROR is told once more that nothing came of it. */
static void a_nonblocking_connect_that_failed_is_reported_before_the_next(void **state) {
    (void) state;
    int error;
    socklen_t size = sizeof error;
    struct sockaddr_in own, closed = ipv4("127.0.0.1", 9);
    int server = listener(&own), fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_errno(connect_to(fd, &closed), EINPROGRESS);
    assert_errno(connect_to(fd, &closed), ECONNREFUSED);
    assert_errno(connect_to(fd, &closed), EINPROGRESS);
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size), 0);
    assert_int_equal(error, ECONNREFUSED);
    assert_errno(connect_to(fd, &own), ECONNABORTED);
    assert_errno(connect_to(fd, &own), EINPROGRESS);
    assert_int_equal(connect_to(fd, &own), 0);
    assert_errno(connect_to(fd, &own), EISCONN);
    close(fd);
    close(server);
}

static void a_stream_is_dissolved_by_af_unspec(void **state) {
    (void) state;
    int ends[2];
    char data[4];
    struct sockaddr_in own, none = { .sin_family = AF_UNSPEC };
    socklen_t length = sizeof own;
    int server = listener(&own);
    tcp_pair(ends);
    assert_int_equal(connect_to(ends[0], &none), 0);
    assert_errno(recv(ends[1], data, sizeof data, 0), ECONNRESET);
    assert_errno(getpeername(ends[0], (struct sockaddr *) &none, &length), ENOTCONN);
    assert_int_equal(events_of(ends[0]), POLLOUT | POLLERR | POLLHUP);
    assert_int_equal(connect_to(ends[0], &own), 0);
    close(ends[0]);
    close(ends[1]);
    close(server);
}

static void *shut_stream_in_a_second(void *fd) {
    sleep(1);
    assert_int_equal(shutdown((int) (intptr_t) fd, SHUT_RDWR), 0);
    return NULL;
}

static void shutdown_wakes_who_connects(void **state) {
    struct sockaddr_in nobody = ipv4("192.0.2.77", 5683);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    pthread_t other;
    assert_int_equal(pthread_create(&other, NULL, shut_stream_in_a_second, (void *) (intptr_t) fd), 0);
    assert_errno(connect_to(fd, &nobody), ECONNRESET);
    assert_int_equal(now_in(state), BJ_SECOND);
    assert_int_equal(pthread_join(other, NULL), 0);
    assert_int_equal(events_of(fd), POLLOUT | POLLHUP);
    close(fd);
}

static void shutdown_wakes_who_accepts(void **state) {
    struct sockaddr_in own;
    int server = listener(&own), fd = socket(AF_INET, SOCK_STREAM, 0);
    pthread_t other;
    assert_int_equal(pthread_create(&other, NULL, shut_stream_in_a_second, (void *) (intptr_t) server), 0);
    assert_errno(accept(server, NULL, NULL), EINVAL);
    assert_int_equal(now_in(state), BJ_SECOND);
    assert_int_equal(pthread_join(other, NULL), 0);
    assert_errno(connect_to(fd, &own), ECONNREFUSED);
    close(fd);
    close(server);
}

/* --- epoll ----------------------------------------------------------------------------------------------------- */

static void sets_that_hold_each_other_are_refused(void **state) {
    (void) state;
    struct epoll_event event = { .events = EPOLLIN };
    int outer = epoll_create1(0), inner = epoll_create1(0), inmost = epoll_create1(0);
    assert_int_equal(epoll_ctl(outer, EPOLL_CTL_ADD, inner, &event), 0);
    assert_int_equal(epoll_ctl(inner, EPOLL_CTL_ADD, inmost, &event), 0);
    assert_errno(epoll_ctl(inmost, EPOLL_CTL_ADD, outer, &event), ELOOP);
    assert_int_equal(epoll_wait(outer, &event, 1, 1), 0);
    close(outer);
    close(inner);
    close(inmost);
}

/* --- time ------------------------------------------------------------------------------------------------------ */

static void times_that_linux_refuses(void **state) {
    const struct timespec second = { 1, 0 };
    struct itimerval timer = { .it_value = { 0, 1500000 } }; /* milliseconds that were not split */
    assert_errno(setitimer(ITIMER_REAL, &timer, NULL), EINVAL);
    timer = (struct itimerval){ .it_value = { 1, 0 }, .it_interval = { 0, 1000000 } };
    assert_errno(setitimer(ITIMER_REAL, &timer, NULL), EINVAL);
    timer.it_interval.tv_usec = 0;
    assert_errno(setitimer((__itimer_which_t) 9, &timer, NULL), EINVAL);
    assert_errno(getitimer((__itimer_which_t) 9, &timer), EINVAL);
    assert_int_equal(clock_nanosleep(CLOCK_MONOTONIC_RAW, 0, &second, NULL), ENOTSUP);
    assert_int_equal(clock_nanosleep(CLOCK_MONOTONIC_COARSE, TIMER_ABSTIME, &second, NULL), ENOTSUP);
    assert_int_equal(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &second, NULL), EINVAL);
    assert_int_equal(now_in(state), 0);
    assert_int_equal(clock_nanosleep(CLOCK_BOOTTIME, 0, &second, NULL), 0);
    assert_int_equal(now_in(state), BJ_SECOND);
}

static void on_alarm(int number) {
    (void) number;
}

static void what_sleep_leaves_is_rounded_down(void **state) {
    (void) state;
    void (*before)(int) = signal(SIGALRM, on_alarm);
    struct itimerval timer = { .it_value = { 0, 500000 } };
    assert_int_equal(setitimer(ITIMER_REAL, &timer, NULL), 0);
    assert_int_equal(sleep(3), 2);
    signal(SIGALRM, before);
}

/* The timer stands still until it is read or set. */
static void an_edge_triggered_timer_that_is_not_read_reports_once(void **state) {
    (void) state;
    uint64_t expired;
    struct epoll_event event = { .events = EPOLLIN | EPOLLET };
    int set = epoll_create1(0), fd = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec every = { .it_value = { 1, 0 }, .it_interval = { 1, 0 } };
    assert_int_equal(timerfd_settime(fd, 0, &every, NULL), 0);
    assert_int_equal(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event), 0);
    assert_int_equal(epoll_wait(set, &event, 1, 10000), 1);
    assert_int_equal(epoll_wait(set, &event, 1, 10000), 0);
    assert_int_equal(read(fd, &expired, sizeof expired), sizeof expired);
    assert_int_equal(expired, 11);
    assert_int_equal(epoll_wait(set, &event, 1, 10000), 1);
    assert_int_equal(timerfd_settime(fd, 0, &every, NULL), 0);
    assert_int_equal(epoll_wait(set, &event, 1, 10000), 1);
    close(fd);
    close(set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        in_world(shutdown_wakes_who_receives_on_an_unconnected_socket),
        in_world(datagrams_still_arrive_behind_shut_rd),
        in_world(ipv6_only_is_decided_before_bind),
        in_world(who_disconnects_loses_the_port_that_it_did_not_choose),
        in_world(a_udp_socket_connects_to_a_host_without_a_port),
        in_world(the_error_queue_names_who_refused_and_what),
        in_world(errors_of_mapped_destinations_are_asked_for_apart),
        in_world(two_sends_after_the_peer_has_closed_are_a_broken_pipe),
        in_world(a_reset_behind_the_end_does_not_spoil_the_end),
        in_world(a_stream_that_is_shut_both_ways_hangs_up),
        in_world(data_for_a_stream_that_is_shut_both_ways_is_answered_with_a_reset),
        in_world(what_was_connected_stays_it_even_when_it_broke),
        in_world(a_socket_whose_connect_was_refused_can_connect_again),
        in_world(a_nonblocking_connect_that_failed_is_reported_before_the_next),
        in_world(a_stream_is_dissolved_by_af_unspec),
        in_world(shutdown_wakes_who_connects),
        in_world(shutdown_wakes_who_accepts),
        in_world(sets_that_hold_each_other_are_refused),
        in_world(times_that_linux_refuses),
        in_world(what_sleep_leaves_is_rounded_down),
        in_world(an_edge_triggered_timer_that_is_not_read_reports_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
