/* SPDX-License-Identifier: Apache-2.0
 *
 * Many clients in one run: who has something to read is named, once, in order, and nobody else.
 */
#define _GNU_SOURCE
#include "tests/libc/libc_fixture.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/resource.h>

static void tell(int fd) {
    assert_int_equal(send(fd, "x", 1, 0), 1);
}

static void take(int fd) {
    char byte[4];
    assert_int_equal(recv(fd, byte, sizeof byte, 0), 1);
}

static bool any(void *context) {
    (void) context;
    return bj_libc_any_poked();
}

static bj_sim_wait await(void **state, bj_time duration) {
    bj_sim *sim = ((fixture *) *state)->sim;
    return bj_sim_wait_until(sim, any, NULL, bj_sim_now(sim) + duration);
}

static void assert_next(unsigned expected) {
    unsigned client = 99;
    assert_true(bj_libc_next_poked(&client));
    assert_int_equal(client, expected);
}

static void the_one_that_was_answered_is_named(void **state) {
    int sockets[40];
    unsigned client;
    for (unsigned i = 0; i < 40; i++) {
        bj_libc_act_for(i);
        sockets[i] = udp_client(SOCK_NONBLOCK);
    }
    while (bj_libc_next_poked(&client)) { /* whatever a new socket's state is worth */
    }
    tell(sockets[17]);
    assert_int_equal(await(state, BJ_SECOND), BJ_SIM_READY);
    assert_next(17);
    assert_false(bj_libc_next_poked(&client));
    take(sockets[17]);
    bj_libc_acted(17);
    assert_false(bj_libc_any_poked());
    assert_int_equal(await(state, BJ_SECOND), BJ_SIM_DEADLINE);
    for (unsigned i = 0; i < 40; i++) {
        close(sockets[i]);
    }
}

static void each_is_named_once_and_again_when_it_left_something(void **state) {
    unsigned client;
    bj_libc_act_for(3);
    int fd = udp_client(SOCK_NONBLOCK);
    while (bj_libc_next_poked(&client)) {
    }
    tell(fd);
    tell(fd);
    assert_int_equal(await(state, BJ_SECOND), BJ_SIM_READY);
    bj_sim_wait_until(((fixture *) *state)->sim, NULL, NULL, now_in(state) + BJ_SECOND);
    assert_next(3);
    assert_false(bj_libc_any_poked());
    take(fd);
    bj_libc_acted(3);
    assert_next(3);
    take(fd);
    bj_libc_acted(3);
    assert_false(bj_libc_any_poked());
    close(fd);
}

static void a_socket_that_was_closed_names_nobody(void **state) {
    unsigned client;
    bj_libc_act_for(0);
    int first = udp_client(SOCK_NONBLOCK), second = udp_client(SOCK_NONBLOCK);
    while (bj_libc_next_poked(&client)) {
    }
    tell(first);
    close(first);
    assert_int_equal(await(state, BJ_SECOND), BJ_SIM_DEADLINE);
    tell(second);
    assert_int_equal(await(state, BJ_SECOND), BJ_SIM_READY);
    assert_next(0);
    take(second);
    bj_libc_acted(0);
    close(second);
}

/* When the kernel has no descriptor left, a crew goes on. */
static void more_sockets_than_descriptors(void **state) {
    enum { SOCKETS = 60 };
    int sockets[SOCKETS], epoll = -1;
    unsigned client;
    struct rlimit before, little;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    little = before;
    little.rlim_cur = 32;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &little), 0);
    bj_libc_act_for(0);
    for (int i = 0; i < SOCKETS; i++) {
        sockets[i] = udp_client(SOCK_NONBLOCK);
        assert_true(i == 0 || sockets[i] != sockets[i - 1]);
    }
    int last = sockets[SOCKETS - 1];
    assert_true(last >= 32);
    epoll = epoll_create1(0);
    struct epoll_event event = { .events = EPOLLIN, .data.fd = last };
    assert_int_equal(epoll_ctl(epoll, EPOLL_CTL_ADD, last, &event), 0);
    assert_int_equal(fcntl(last, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    assert_int_equal(fcntl(last, F_SETFD, FD_CLOEXEC), 0);
    assert_errno(dup(last), EBADF);
    while (bj_libc_next_poked(&client)) {
    }
    tell(last);
    assert_int_equal(await(state, BJ_SECOND), BJ_SIM_READY);
    event.data.fd = -1;
    assert_int_equal(epoll_wait(epoll, &event, 1, 0), 1);
    assert_int_equal(event.data.fd, last);
    take(last);
    assert_int_equal(close(epoll), 0);
    for (int i = 0; i < SOCKETS; i++) {
        assert_int_equal(close(sockets[i]), 0);
    }
    assert_errno(send(last, "x", 1, 0), EBADF);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void without_a_crew_nobody_is_named(void **state) {
    unsigned client;
    int fd = udp_client(SOCK_NONBLOCK);
    tell(fd);
    bj_sim *sim = ((fixture *) *state)->sim;
    (void) bj_sim_wait_until(sim, any, NULL, bj_sim_now(sim) + BJ_SECOND);
    assert_false(bj_libc_next_poked(&client));
    take(fd);
    close(fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        in_world(the_one_that_was_answered_is_named),    in_world(each_is_named_once_and_again_when_it_left_something),
        in_world(a_socket_that_was_closed_names_nobody), in_world(more_sockets_than_descriptors),
        in_world(without_a_crew_nobody_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
