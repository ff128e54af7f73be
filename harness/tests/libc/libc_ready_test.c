/* SPDX-License-Identifier: Apache-2.0
 *
 * The readiness calls: poll, select, epoll in its triggers, timerfd, and foreign descriptors among virtual ones.
 */
#define _GNU_SOURCE
#include "libc_fixture.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/timerfd.h>

/* --- poll() and select() --- */

static void poll_waits_until_something_arrives(void **state) {
    int fd = udp_client(0);
    struct pollfd pollfd = { .fd = fd, .events = POLLIN };
    assert_int_equal(poll(&pollfd, 1, 5000), 0);
    assert_int_equal(now_in(state), 5 * BJ_SECOND);
    send(fd, "x", 1, 0);
    assert_int_equal(poll(&pollfd, 1, 5000), 1);
    assert_int_equal(pollfd.revents, POLLIN);
    assert_int_equal(now_in(state), 5 * BJ_SECOND + 2 * BJ_MS);
    pollfd.events = POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM;
    assert_int_equal(poll(&pollfd, 1, 0), 1);
    assert_int_equal(pollfd.revents, pollfd.events);
    close(fd);
    assert_int_equal(poll(&pollfd, 1, -1), 1);
    assert_int_equal(pollfd.revents, POLLNVAL);
    pollfd.fd = -1;
    assert_int_equal(poll(&pollfd, 1, 1000), 0);
    assert_int_equal(pollfd.revents, 0);
    assert_int_equal(poll(NULL, 0, 1000), 0);
}

static void polling_without_waiting_costs_a_quantum(void **state) {
    int fd = udp_client(0);
    struct pollfd pollfd = { .fd = fd, .events = POLLIN };
    for (int i = 0; i < 100; i++) {
        assert_int_equal(poll(&pollfd, 1, 0), 0);
    }
    assert_int_equal(now_in(state), 1000);
    close(fd);
}

static void select_marks_what_is_ready(void **state) {
    int fd = udp_client(0), silent = udp_client(0);
    struct timeval timeout = { .tv_sec = 10 };
    fd_set reads, writes;
    FD_ZERO(&reads);
    FD_SET(fd, &reads);
    FD_SET(silent, &reads);
    send(fd, "x", 1, 0);
    assert_int_equal(select(silent + 1, &reads, NULL, NULL, &timeout), 1);
    assert_true(FD_ISSET(fd, &reads));
    assert_false(FD_ISSET(silent, &reads));
    assert_int_equal(timeout.tv_sec, 9);
    assert_int_equal(timeout.tv_usec, 998000);
    FD_ZERO(&reads);
    FD_SET(silent, &reads);
    writes = reads;
    assert_int_equal(select(silent + 1, &reads, &writes, NULL, NULL), 1);
    assert_false(FD_ISSET(silent, &reads));
    assert_true(FD_ISSET(silent, &writes));
    timeout = (struct timeval){ .tv_usec = 300000 };
    assert_int_equal(select(0, NULL, NULL, NULL, &timeout), 0);
    assert_int_equal(now_in(state), 302 * BJ_MS);
    close(silent);
    FD_SET(silent, &reads);
    assert_errno(select(silent + 1, &reads, NULL, NULL, NULL), EBADF);
    struct timespec none = { 0 };
    FD_ZERO(&reads);
    FD_SET(fd, &reads);
    assert_int_equal(pselect(fd + 1, &reads, NULL, NULL, &none, NULL), 1);
    close(fd);
}

static void foreign_descriptors_are_asked_too(void **state) {
    int pipes[2], fd = udp_client(0);
    char byte;
    assert_int_equal(pipe(pipes), 0);
    struct pollfd pollfds[] = { { .fd = pipes[0], .events = POLLIN }, { .fd = fd, .events = POLLIN } };
    assert_int_equal(poll(pollfds, 2, 1000), 0);
    assert_int_equal(now_in(state), BJ_SECOND);
    assert_int_equal(write(pipes[1], "x", 1), 1);
    assert_int_equal(poll(pollfds, 2, 1000), 1);
    assert_int_equal(pollfds[0].revents, POLLIN);
    assert_int_equal(pollfds[1].revents, 0);
    assert_int_equal(now_in(state), BJ_SECOND);
    send(fd, "x", 1, 0);
    usleep(2000);
    assert_int_equal(poll(pollfds, 2, 0), 2);
    assert_int_equal(read(pipes[0], &byte, 1), 1);
    close(pipes[0]);
    close(pipes[1]);
    close(fd);
}

/* --- epoll --- */

static int epoll_with(int fd, uint32_t events) {
    int set = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = { .events = events, .data.u64 = 0x1122334455667788 };
    assert_true(set >= 0);
    assert_int_equal(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event), 0);
    return set;
}

static void level_triggered_sets_repeat_themselves(void **state) {
    struct epoll_event event;
    char data[8];
    int fd = udp_client(0), set = epoll_with(fd, EPOLLIN);
    assert_int_equal(epoll_wait(set, &event, 1, 250), 0);
    assert_int_equal(now_in(state), 250 * BJ_MS);
    send(fd, "x", 1, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(epoll_wait(set, &event, 1, -1), 1);
        assert_int_equal(event.events, EPOLLIN);
        assert_true(event.data.u64 == 0x1122334455667788);
    }
    recv(fd, data, sizeof data, 0);
    assert_int_equal(epoll_wait(set, &event, 1, 0), 0);
    close(set);
    close(fd);
}

static void edge_triggered_sets_tell_each_arrival_once(void **state) {
    (void) state;
    struct epoll_event event;
    int fd = udp_client(0), set = epoll_with(fd, EPOLLIN | EPOLLOUT | EPOLLET);
    assert_int_equal(epoll_wait(set, &event, 1, 0), 1);
    assert_int_equal(event.events, EPOLLOUT);
    assert_int_equal(epoll_wait(set, &event, 1, 10), 0);
    send(fd, "x", 1, 0);
    assert_int_equal(epoll_wait(set, &event, 1, 10), 1);
    assert_int_equal(event.events, EPOLLIN | EPOLLOUT);
    assert_int_equal(epoll_wait(set, &event, 1, 10), 0);
    send(fd, "y", 1, 0);
    assert_int_equal(epoll_wait(set, &event, 1, 10), 1);
    event.events = EPOLLIN | EPOLLET;
    assert_int_equal(epoll_ctl(set, EPOLL_CTL_MOD, fd, &event), 0);
    assert_int_equal(epoll_wait(set, &event, 1, 10), 1);
    assert_int_equal(epoll_wait(set, &event, 1, 10), 0);
    close(set);
    close(fd);
}

static void one_shot_members_rest_until_they_are_set_again(void **state) {
    (void) state;
    struct epoll_event event;
    int fd = udp_client(0), set = epoll_with(fd, EPOLLOUT | EPOLLONESHOT);
    assert_int_equal(epoll_wait(set, &event, 1, 10), 1);
    assert_int_equal(epoll_wait(set, &event, 1, 10), 0);
    event.events = EPOLLOUT | EPOLLONESHOT;
    assert_int_equal(epoll_ctl(set, EPOLL_CTL_MOD, fd, &event), 0);
    assert_int_equal(epoll_wait(set, &event, 1, 10), 1);
    assert_int_equal(epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL), 0);
    assert_errno(epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL), ENOENT);
    assert_errno(epoll_ctl(set, EPOLL_CTL_MOD, fd, &event), ENOENT);
    assert_int_equal(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event), 0);
    assert_errno(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event), EEXIST);
    assert_errno(epoll_ctl(set, EPOLL_CTL_ADD, set, &event), EINVAL);
    assert_errno(epoll_wait(set, &event, 0, 0), EINVAL);
    close(set);
    close(fd);
}

static void all_members_get_their_turn(void **state) {
    (void) state;
    struct epoll_event event = { .events = EPOLLOUT };
    int set = epoll_create(1), fds[3], seen[3] = { 0 };
    for (int i = 0; i < 3; i++) {
        fds[i] = udp_client(0);
        event.data.u32 = (uint32_t) i;
        epoll_ctl(set, EPOLL_CTL_ADD, fds[i], &event);
    }
    for (int i = 0; i < 6; i++) {
        assert_int_equal(epoll_wait(set, &event, 1, -1), 1);
        seen[event.data.u32]++;
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(seen[i], 2);
        close(fds[i]);
    }
    assert_int_equal(epoll_wait(set, &event, 1, 10), 0);
    close(set);
}

static void foreign_members_and_nested_sets_work(void **state) {
    struct epoll_event event, events[4];
    int fd = udp_client(0), set = epoll_with(fd, EPOLLIN), wake = eventfd(0, EFD_NONBLOCK);
    event = (struct epoll_event){ .events = EPOLLIN, .data.u64 = 7 };
    assert_int_equal(epoll_ctl(set, EPOLL_CTL_ADD, wake, &event), 0);
    int outer = epoll_with(set, EPOLLIN);
    assert_int_equal(epoll_wait(outer, events, 4, 1000), 0);
    assert_int_equal(eventfd_write(wake, 3), 0);
    assert_int_equal(epoll_wait(outer, events, 4, 1000), 1);
    assert_int_equal(epoll_wait(set, events, 4, -1), 1);
    assert_true(events[0].data.u64 == 7);
    eventfd_t value;
    assert_int_equal(eventfd_read(wake, &value), 0);
    assert_int_equal(value, 3);
    assert_errno(eventfd_read(wake, &value), EAGAIN);
    send(fd, "x", 1, 0);
    struct pollfd pollfd = { .fd = outer, .events = POLLIN };
    assert_int_equal(poll(&pollfd, 1, 1000), 1);
    assert_int_equal(now_in(state), BJ_SECOND + 2 * BJ_MS);
    eventfd_write(wake, 1);
    assert_int_equal(epoll_wait(set, events, 4, -1), 2);
    int copy = dup(set);
    close(set);
    assert_int_equal(epoll_wait(copy, events, 4, -1), 2);
    close(copy);
    close(outer);
    close(wake);
    close(fd);
}

/* --- timerfd --- */

static struct itimerspec in_ms(long first, long interval) {
    return (struct itimerspec){ .it_value = { first / 1000, first % 1000 * 1000000 },
                                .it_interval = { interval / 1000, interval % 1000 * 1000000 } };
}

static void a_timer_expires_in_virtual_time(void **state) {
    uint64_t count;
    struct itimerspec once = in_ms(1500, 0), left;
    int timer = timerfd_create(CLOCK_MONOTONIC, 0);
    assert_int_equal(timerfd_settime(timer, 0, &once, NULL), 0);
    usleep(500000);
    assert_int_equal(timerfd_gettime(timer, &left), 0);
    assert_int_equal(left.it_value.tv_sec, 1);
    assert_int_equal(read(timer, &count, sizeof count), sizeof count);
    assert_int_equal(count, 1);
    assert_int_equal(now_in(state), 1500 * BJ_MS);
    fcntl(timer, F_SETFL, O_NONBLOCK);
    assert_errno(read(timer, &count, sizeof count), EAGAIN);
    assert_errno(read(timer, &count, 4), EINVAL);
    assert_errno(write(timer, &count, 8), EINVAL);
    close(timer);
}

static void an_absolute_timer_follows_its_clock(void **state) {
    uint64_t count;
    struct itimerspec at_time = { .it_value = { .tv_sec = 1700000060 } };
    int timer = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC);
    assert_int_equal(timerfd_settime(timer, TFD_TIMER_ABSTIME, &at_time, NULL), 0);
    assert_int_equal(read(timer, &count, sizeof count), sizeof count);
    assert_int_equal(now_in(state), 60 * BJ_SECOND);
    close(timer);
}

static void an_interval_timer_counts_what_was_missed(void **state) {
    uint64_t count;
    struct itimerspec every = in_ms(100, 250);
    struct epoll_event event;
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), set = epoll_with(timer, EPOLLIN | EPOLLET);
    timerfd_settime(timer, 0, &every, NULL);
    assert_int_equal(epoll_wait(set, &event, 1, -1), 1);
    assert_int_equal(epoll_wait(set, &event, 1, 500), 0); /* Linux: it goes off once until it is read */
    assert_int_equal(now_in(state), 600 * BJ_MS);
    assert_int_equal(read(timer, &count, sizeof count), 8);
    assert_int_equal(count, 3);
    sleep(1);
    read(timer, &count, sizeof count);
    assert_int_equal(count, 4);
    every = in_ms(0, 0);
    timerfd_settime(timer, 0, &every, NULL);
    assert_int_equal(epoll_wait(set, &event, 1, 5000), 0);
    close(set);
    close(timer);
}

static void an_expired_timer_that_nobody_reads_does_not_spin(void **state) {
    struct itimerspec once = in_ms(10, 0);
    struct epoll_event event;
    int timer = timerfd_create(CLOCK_MONOTONIC, 0), set = epoll_with(timer, EPOLLIN | EPOLLET);
    timerfd_settime(timer, 0, &once, NULL);
    assert_int_equal(epoll_wait(set, &event, 1, -1), 1);
    assert_int_equal(epoll_wait(set, &event, 1, 1000), 0);
    assert_int_equal(now_in(state), 1010 * BJ_MS);
    close(set);
    close(timer);
}

static void an_absolute_end_and_a_mask_can_be_given(void **state) {
    struct timespec timeout = { .tv_nsec = 1500 };
    struct epoll_event event;
    sigset_t none;
    sigemptyset(&none);
    int fd = udp_client(0), set = epoll_with(fd, EPOLLIN);
    assert_int_equal(epoll_pwait2(set, &event, 1, &timeout, &none), 0);
    assert_int_equal(now_in(state), 2); /* rounded up: never too early */
    assert_int_equal(epoll_pwait(set, &event, 1, 1, &none), 0);
    struct pollfd pollfd = { .fd = fd, .events = POLLIN };
    assert_int_equal(ppoll(&pollfd, 1, &timeout, &none), 0);
    timeout.tv_nsec = 1000000000;
    assert_errno(ppoll(&pollfd, 1, &timeout, NULL), EINVAL);
    close(set);
    close(fd);
}

/* --- linked mode --- */

static bool poked(void *context) {
    (void) context;
    return bj_libc_poked();
}

static void the_driver_hears_of_what_became_ready(void **state) {
    fixture *f = *state;
    char data[8];
    int fd = udp_client(SOCK_NONBLOCK);
    bj_libc_poked();
    assert_false(bj_libc_poked());
    send(fd, "one", 3, 0);
    send(fd, "two", 3, 0);
    assert_int_equal(bj_sim_wait_until(f->sim, poked, NULL, BJ_SECOND), BJ_SIM_READY);
    assert_int_equal(now_in(state), 2 * BJ_MS);
    usleep(1000);
    assert_true(bj_libc_poked());
    assert_false(bj_libc_poked());
    recv(fd, data, sizeof data, 0);
    assert_true(bj_libc_poked()); /* one was taken, the other is still there */
    recv(fd, data, sizeof data, 0);
    assert_false(bj_libc_poked());
    close(fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        in_world(poll_waits_until_something_arrives),
        in_world(polling_without_waiting_costs_a_quantum),
        in_world(select_marks_what_is_ready),
        in_world(foreign_descriptors_are_asked_too),
        in_world(level_triggered_sets_repeat_themselves),
        in_world(edge_triggered_sets_tell_each_arrival_once),
        in_world(one_shot_members_rest_until_they_are_set_again),
        in_world(all_members_get_their_turn),
        in_world(foreign_members_and_nested_sets_work),
        in_world(a_timer_expires_in_virtual_time),
        in_world(an_absolute_timer_follows_its_clock),
        in_world(an_interval_timer_counts_what_was_missed),
        in_world(an_expired_timer_that_nobody_reads_does_not_spin),
        in_world(an_absolute_end_and_a_mask_can_be_given),
        in_world(the_driver_hears_of_what_became_ready),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
