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

int main(void) {
    const struct CMUnitTest tests[] = {
        in_world(shutdown_wakes_who_receives_on_an_unconnected_socket),
        in_world(datagrams_still_arrive_behind_shut_rd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
