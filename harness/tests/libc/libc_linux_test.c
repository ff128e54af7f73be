/* SPDX-License-Identifier: Apache-2.0
 *
 * Sequences of calls whose outcome on Linux is not what one would guess. What is expected here was printed by the same
 * calls on a Linux kernel, over its loopback.
 */
#define _GNU_SOURCE
#include "libc_fixture.h"

#include <pthread.h>

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

int main(void) {
    const struct CMUnitTest tests[] = {
        in_world(shutdown_wakes_who_receives_on_an_unconnected_socket),
        in_world(datagrams_still_arrive_behind_shut_rd),
        in_world(two_sends_after_the_peer_has_closed_are_a_broken_pipe),
        in_world(a_reset_behind_the_end_does_not_spoil_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
