/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a run begins and ends: passing through outside of it, harness code inside of it, and its end in the middle of
 * a call.
 */
#define _GNU_SOURCE
#include "libc_fixture.h"

#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

static bool clock_is_real(void) {
    struct timespec a, b;
    clock_gettime(CLOCK_REALTIME, &a);
    usleep(1000);
    clock_gettime(CLOCK_REALTIME, &b);
    return a.tv_sec > 1700000000 + 3600 && (b.tv_sec > a.tv_sec || b.tv_nsec >= a.tv_nsec + 1000000);
}

static void *add_one(void *number) {
    ++*(int *) number;
    return NULL;
}

static void outside_a_run_everything_is_real(void **state) {
    (void) state;
    assert_false(bj_libc_active());
    assert_true(clock_is_real());
    struct sockaddr_in own = ipv4("127.0.0.1", 0);
    socklen_t length = sizeof own;
    char data[8];
    int a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(a, (struct sockaddr *) &own, sizeof own), 0);
    assert_int_equal(getsockname(a, (struct sockaddr *) &own, &length), 0);
    assert_int_equal(connect(b, (struct sockaddr *) &own, sizeof own), 0);
    assert_int_equal(send(b, "real", 4, 0), 4);
    int set = epoll_create1(0);
    struct epoll_event event = { .events = EPOLLIN };
    assert_int_equal(epoll_ctl(set, EPOLL_CTL_ADD, a, &event), 0);
    assert_int_equal(epoll_wait(set, &event, 1, 1000), 1);
    assert_int_equal(recv(a, data, sizeof data, 0), 4);
    close(a);
    close(b);
    close(set);
    struct itimerspec soon = { .it_value.tv_nsec = 1000 };
    uint64_t count;
    int timer = timerfd_create(CLOCK_MONOTONIC, 0), number = 0;
    assert_int_equal(timerfd_settime(timer, 0, &soon, NULL), 0);
    assert_int_equal(read(timer, &count, sizeof count), 8);
    close(timer);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, add_one, &number), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(number, 1);
    pid_t child = fork();
    if (child == 0) {
        _exit(0);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void harness_code_inside_a_run_passes_through(void **state) {
    bj_libc_outside();
    bj_libc_outside();
    assert_true(clock_is_real());
    bj_libc_inside();
    assert_true(clock_is_real());
    int fd = socket(AF_INET, SOCK_DGRAM, 0), type;
    socklen_t size = sizeof type;
    bj_libc_inside();
    assert_int_equal(time(NULL), 1700000000);
    assert_int_equal(now_in(state), 0);
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size), 0); /* foreign, and stays so */
    struct pollfd pollfd = { .fd = fd, .events = POLLIN };
    assert_int_equal(poll(&pollfd, 1, 3000), 0);
    assert_int_equal(now_in(state), 3 * BJ_SECOND);
    close(fd);
}

static void one_run_after_another_starts_afresh(void **state) {
    (void) state;
    for (int i = 0; i < 50; i++) {
        fixture *f = fixture_new(7, 0);
        bj_libc_enter(f->sim, on_over, f);
        assert_int_equal(time(NULL), 1700000000);
        int fd = socket(AF_INET, SOCK_DGRAM, 0);
        struct sockaddr_in own = { .sin_family = AF_INET };
        socklen_t length = sizeof own;
        assert_int_equal(bind(fd, (struct sockaddr *) &own, sizeof own), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *) &own, &length), 0);
        assert_int_equal(ntohs(own.sin_port), 49152);
        sleep(100);
        if (i % 2) {
            close(fd);
        }
        assert_int_equal(bj_libc_leave(), i % 2 ? 0 : 1);
        assert_errno(fstat(fd, &(struct stat){ 0 }), EBADF);
        fixture_free(f);
    }
}

/* --- the end --- */

static void the_run_ends_inside_a_call(void **state) {
    fixture *f = *state;
    sigjmp_buf jump;
    over_jump = &jump;
    if (sigsetjmp(jump, 1) == 0) {
        sleep(100000); /* more than the budget */
        fail_msg("came back");
    }
    assert_int_equal(overs, 1);
    assert_true(bj_sim_over(f->sim));
    assert_int_equal(bj_libc_leave(), 0);
    overs = 0;
    assert_true(clock_is_real());
}

static void calls_after_the_end_fail_and_do_not_hang(void **state) {
    (void) state;
    char data[8];
    struct addrinfo *list;
    int fd = udp_client(0);
    struct pollfd pollfd = { .fd = fd, .events = POLLIN };
    assert_int_equal(poll(&pollfd, 1, -1), 0); /* for ever, and nothing is to come */
    assert_int_equal(overs, 1);
    assert_int_equal(poll(&pollfd, 1, -1), 0);
    assert_errno(recv(fd, data, sizeof data, 0), EAGAIN);
    assert_int_equal(send(fd, "x", 1, 0), 1);
    assert_int_equal(getaddrinfo("bs.example", NULL, NULL, &list), EAI_AGAIN);
    sleep(1);
    time(NULL);
    assert_int_equal(overs, 1);
    overs = 0;
    close(fd);
}

static void *wait_for_ever(void *unused) {
    (void) unused;
    poll(NULL, 0, -1);
    return NULL;
}

static void a_deadlock_of_threads_ends_the_run(void **state) {
    fixture *f = *state;
    sigjmp_buf jump;
    pthread_t thread;
    bj_event event;
    over_jump = &jump;
    assert_int_equal(pthread_create(&thread, NULL, wait_for_ever, NULL), 0);
    if (sigsetjmp(jump, 1) == 0) {
        pthread_join(thread, NULL);
        fail_msg("came back");
    }
    assert_true(find_event(f, BJ_EV_WAIT, 0, &event));
    assert_text(&event, "blocks for ever");
    overs = 0;
}

static void a_client_that_spins_is_told_off(void **state) {
    fixture *f = *state;
    bj_event event;
    int fd = udp_client(SOCK_NONBLOCK);
    char data[8];
    while (!overs) {
        recv(fd, data, sizeof data, 0);
    }
    assert_true(find_event(f, BJ_EV_WAIT, 0, &event));
    assert_text(&event, "spins");
    overs = 0;
    close(fd);
}

static void a_client_that_sends_without_end_is_told_off(void **state) {
    int fd = udp_client(SOCK_NONBLOCK);
    while (!overs) {
        send(fd, "x", 1, 0); /* so often that the log, too, is full long before */
    }
    assert_int_equal(now_in(state), 0);
    overs = 0;
    close(fd);
}

/* --- processes --- */

static void children_are_refused_with_a_reason(void **state) {
    (void) state;
    int pipes[2], saved = dup(2);
    char text[256];
    assert_int_equal(pipe(pipes), 0);
    dup2(pipes[1], 2);
    pid_t child = fork();
    int error = errno;
    dup2(saved, 2);
    assert_int_equal(child, -1);
    assert_int_equal(error, EAGAIN);
    ssize_t length = read(pipes[0], text, sizeof text - 1);
    assert_true(length > 0);
    text[length] = 0;
    assert_non_null(strstr(text, "fork() refused"));
    assert_int_equal(system("exit 3"), 3 << 8);
    close(saved);
    close(pipes[0]);
    close(pipes[1]);
}

static void what_is_hidden_stays_open(void **state) {
    (void) state;
    bj_libc_outside();
    int fd = fcntl(STDERR_FILENO, F_DUPFD, 950);
    bj_libc_inside();
    assert_true(fd >= 950);
    bj_libc_hide(fd);
    int before = dup(STDERR_FILENO), behind = fcntl(STDERR_FILENO, F_DUPFD, fd + 1);
    assert_errno(close(fd), EBADF);
    assert_errno(dup2(STDERR_FILENO, fd), EBADF);
    closefrom(before);
    assert_errno(fcntl(before, F_GETFD), EBADF);
    assert_errno(fcntl(behind, F_GETFD), EBADF);
    assert_true(fcntl(fd, F_GETFD) >= 0);
    assert_int_equal(close_range((unsigned) fd, (unsigned) fd, 0), 0);
    assert_true(fcntl(fd, F_GETFD) >= 0);
    bj_libc_outside();
    assert_int_equal(close(fd), 0); /* the harness may */
    bj_libc_inside();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outside_a_run_everything_is_real),
        in_world(harness_code_inside_a_run_passes_through),
        in_world(what_is_hidden_stays_open),
        cmocka_unit_test(one_run_after_another_starts_afresh),
        in_world(the_run_ends_inside_a_call),
        in_world(calls_after_the_end_fail_and_do_not_hang),
        in_world(a_deadlock_of_threads_ends_the_run),
        in_world(a_client_that_spins_is_told_off),
        in_world(a_client_that_sends_without_end_is_told_off),
        in_world(children_are_refused_with_a_reason),
        cmocka_unit_test(outside_a_run_everything_is_real),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
