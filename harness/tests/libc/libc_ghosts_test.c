/* SPDX-License-Identifier: Apache-2.0
 *
 * A run whose virtual descriptors have no real ones behind them: the kernel is asked for none, and a client notices no
 * difference.
 */
#define _GNU_SOURCE
#include "tests/libc/libc_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

static int enter(void **state) {
    bj_libc_without_descriptors();
    return enter_world(state);
}

#define without(test) cmocka_unit_test_setup_teardown(test, enter, leave_world)

/* Descriptors that the kernel knows. */
static int known_to_the_kernel(void) {
    int count = 0;
    bj_libc_outside();
    for (int fd = 0; fd < 1024; fd++) {
        count += fcntl(fd, F_GETFD) >= 0;
    }
    bj_libc_inside();
    return count;
}

static void the_kernel_is_asked_for_none(void **state) {
    (void) state;
    int before = known_to_the_kernel();
    int made[] = { udp_client(0), epoll_create1(0), timerfd_create(CLOCK_MONOTONIC, 0),
                   open(BJ_LIBC_DISK "/file", O_CREAT | O_RDWR, 0600), open("/dev/urandom", O_RDONLY) };
    assert_int_equal(known_to_the_kernel(), before);
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        assert_true(made[i] >= 200 && made[i] < 1024);
        assert_int_equal(close(made[i]), 0);
        assert_errno(close(made[i]), EBADF);
    }
    assert_int_equal(known_to_the_kernel(), before);
}

static void what_arrives_is_noticed(void **state) {
    (void) state;
    int fd = udp_client(0), set = epoll_create1(0), on = 1;
    assert_int_equal(ioctl(fd, FIONBIO, &on), 0);
    assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    char byte[4];
    assert_errno(recv(fd, byte, sizeof byte, 0), EAGAIN);
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
    assert_int_equal(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event), 0);
    assert_int_equal(send(fd, "x", 1, 0), 1);
    event.data.fd = -1;
    assert_int_equal(epoll_wait(set, &event, 1, 1000), 1);
    assert_int_equal(event.data.fd, fd);
    struct pollfd wanted = { .fd = fd, .events = POLLIN };
    assert_int_equal(poll(&wanted, 1, 0), 1);
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(fd, &readable);
    assert_int_equal(select(fd + 1, &readable, NULL, NULL, NULL), 1);
    assert_int_equal(recv(fd, byte, sizeof byte, 0), 1);
    close(set);
    close(fd);
}

static void a_timer_goes_off(void **state) {
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec in_a_second = { .it_value = { .tv_sec = 1 } };
    uint64_t expired = 0;
    bj_time begin = now_in(state);
    assert_int_equal(timerfd_settime(fd, 0, &in_a_second, NULL), 0);
    assert_int_equal(read(fd, &expired, sizeof expired), sizeof expired);
    assert_int_equal(expired, 1);
    assert_true(now_in(state) - begin >= BJ_SECOND);
    close(fd);
}

static void files_are_written_and_read(void **state) {
    (void) state;
    char text[8] = "";
    struct stat status;
    int fd = open(BJ_LIBC_DISK "/file", O_CREAT | O_RDWR, 0600);
    assert_int_equal(write(fd, "hello", 5), 5);
    assert_int_equal(fsync(fd), 0);
    assert_int_equal(fstat(fd, &status), 0);
    assert_int_equal(status.st_size, 5);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(read(fd, text, sizeof text), 5);
    assert_string_equal(text, "hello");
    close(fd);
    assert_errno(open(BJ_LIBC_DISK "/none", O_RDONLY), ENOENT);
}

/* The same numbers in every run, the lowest first; and an end of them. */
static void numbers_are_given_again_and_run_out(void **state) {
    (void) state;
    int first = udp_client(0), second = udp_client(0), last = second;
    assert_int_equal(first, 200);
    assert_int_equal(second, 201);
    close(first);
    assert_int_equal(udp_client(0), 200);
    for (int fd; (fd = socket(AF_INET, SOCK_DGRAM, 0)) >= 0;) {
        assert_int_equal(fd, ++last);
    }
    assert_int_equal(errno, EMFILE);
    assert_int_equal(last, 1023);
    for (int fd = 200; fd <= last; fd++) {
        assert_int_equal(close(fd), 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        without(the_kernel_is_asked_for_none),
        without(what_arrives_is_noticed),
        without(a_timer_goes_off),
        without(files_are_written_and_read),
        without(numbers_are_given_again_and_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
