/* SPDX-License-Identifier: Apache-2.0
 *
 * Clocks, sleeps, timers that send signals, and signals from the world.
 */
#define _GNU_SOURCE
#include "libc_fixture.h"

#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>

static volatile sig_atomic_t handled, last_value;

static void count(int number) {
    (void) number;
    handled++;
}

static void count_value(int number, siginfo_t *info, void *context) {
    (void) number;
    (void) context;
    handled++;
    last_value = info->si_value.sival_int;
}

static void on_signal(int number, int flags) {
    struct sigaction action = { .sa_handler = count, .sa_flags = flags };
    assert_int_equal(sigaction(number, &action, NULL), 0);
    handled = 0;
}

static int leave_signals(void **state) {
    signal(SIGUSR1, SIG_DFL);
    signal(SIGALRM, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    return leave_world(state);
}

/* The world sends SIGUSR1 at its next tick. */
static void signal_tick(void *context) {
    fixture *f = context;
    f->ops->client_signal(f->world, SIGUSR1);
}

static void signal_after(fixture *f, bj_time delay) {
    f->peer.tick = signal_tick;
    bj_sim_set_peer(f->sim, &f->peer);
    f->ops->set_timer(f->world, bj_sim_now(f->sim) + delay);
}

/* --- clocks --- */

static void all_clocks_show_virtual_time(void **state) {
    (void) state;
    struct timespec real, before, after, raw, boot;
    struct timeval day;
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &real), 0);
    assert_int_equal(real.tv_sec, 1700000000);
    assert_int_equal(real.tv_nsec, 0);
    clock_gettime(CLOCK_MONOTONIC, &before);
    assert_true(before.tv_sec > 0);
    assert_int_equal(usleep(1234567), 0);
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_int_equal((after.tv_sec - before.tv_sec) * 1000000 + (after.tv_nsec - before.tv_nsec) / 1000, 1234567);
    clock_gettime(CLOCK_MONOTONIC_RAW, &raw);
    syscall(SYS_clock_gettime, CLOCK_BOOTTIME, &boot);
    assert_memory_equal(&raw, &after, sizeof raw);
    assert_memory_equal(&boot, &after, sizeof boot);
    assert_int_equal(time(NULL), 1700000001);
    assert_int_equal(gettimeofday(&day, NULL), 0);
    assert_int_equal(day.tv_usec, 234567);
    assert_int_equal(timespec_get(&real, TIME_UTC), TIME_UTC);
    assert_int_equal(real.tv_nsec, 234567000);
    clock_gettime(CLOCK_REALTIME_COARSE, &real);
    assert_int_equal(real.tv_nsec, 234567000);
    assert_errno(clock_gettime(77, &real), EINVAL);
    assert_errno(clock_settime(CLOCK_REALTIME, &real), EPERM);
    assert_int_equal(clock_getres(CLOCK_MONOTONIC, &real), 0);
}

static void cpu_time_moves_with_each_look(void **state) {
    struct timespec first, second;
    struct rusage usage;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &first);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &second);
    assert_int_equal(second.tv_nsec - first.tv_nsec, 1000);
    clock_t c = clock();
    assert_int_equal(clock(), c + 1);
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    struct tms all;
    clock_t ticks = times(&all);
    sleep(1);
    assert_int_equal(times(&all), ticks + 100);
    assert_int_equal(now_in(state), BJ_SECOND);
}

static void a_loop_around_a_clock_does_not_hang(void **state) {
    time_t until = time(NULL) + 1;
    while (time(NULL) < until) {
    }
    assert_true(now_in(state) >= BJ_SECOND);
}

/* --- sleeping --- */

static void sleeps_take_their_time(void **state) {
    struct timespec second = { .tv_sec = 1 }, end, left = { .tv_sec = 9 };
    assert_int_equal(sleep(3600 - 100), 0);
    assert_int_equal(now_in(state), 3500 * BJ_SECOND);
    assert_int_equal(nanosleep(&second, &left), 0);
    assert_int_equal(left.tv_sec, 9);
    assert_int_equal(clock_nanosleep(CLOCK_MONOTONIC, 0, &second, NULL), 0);
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += 3;
    assert_int_equal(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL), 0);
    assert_int_equal(now_in(state), 3505 * BJ_SECOND);
    assert_int_equal(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL), 0);
    second.tv_nsec = -1;
    assert_errno(nanosleep(&second, NULL), EINVAL);
    assert_int_equal(clock_nanosleep(CLOCK_MONOTONIC, 0, &second, NULL), EINVAL);
    assert_true(now_in(state) < 3505 * BJ_SECOND + BJ_MS);
    usleep(0);
}

/* --- timers --- */

static void an_alarm_interrupts_a_sleep(void **state) {
    on_signal(SIGALRM, SA_RESTART);
    assert_int_equal(alarm(5), 0);
    assert_int_equal(alarm(2), 5);
    assert_int_equal(sleep(10), 8);
    assert_int_equal(handled, 1);
    assert_int_equal(now_in(state), 2 * BJ_SECOND);
    struct timespec long_time = { .tv_sec = 10 }, left;
    alarm(1);
    assert_errno(nanosleep(&long_time, &left), EINTR);
    assert_int_equal(left.tv_sec, 9);
    assert_int_equal(alarm(0), 0);
}

static void an_interval_timer_goes_on(void **state) {
    struct itimerval every = { .it_value.tv_usec = 100000, .it_interval.tv_usec = 300000 }, left;
    on_signal(SIGALRM, 0);
    assert_int_equal(setitimer(ITIMER_REAL, &every, NULL), 0);
    for (int i = 0; i < 4; i++) {
        assert_errno(pause(), EINTR);
    }
    assert_int_equal(handled, 4);
    assert_int_equal(now_in(state), 1000 * BJ_MS);
    assert_int_equal(getitimer(ITIMER_REAL, &left), 0);
    assert_int_equal(left.it_value.tv_usec, 300000);
    every = (struct itimerval){ .it_value.tv_sec = 0 };
    assert_int_equal(setitimer(ITIMER_REAL, &every, NULL), 0);
    assert_int_equal(sleep(10), 0);
    assert_int_equal(handled, 4);
}

static void a_posix_timer_carries_its_value(void **state) {
    struct sigaction action = { .sa_sigaction = count_value, .sa_flags = SA_SIGINFO };
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 42 };
    struct itimerspec at_time = { .it_value.tv_sec = 7 }, left;
    timer_t timer;
    sigaction(SIGUSR1, &action, NULL);
    handled = 0;
    assert_int_equal(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    assert_int_equal(timer_settime(timer, 0, &at_time, NULL), 0);
    assert_int_equal(timer_gettime(timer, &left), 0);
    assert_int_equal(left.it_value.tv_sec, 7);
    assert_errno(pause(), EINTR);
    assert_int_equal(handled, 1);
    assert_int_equal(last_value, 42);
    assert_int_equal(now_in(state), 7 * BJ_SECOND);
    assert_int_equal(timer_getoverrun(timer), 0);
    assert_int_equal(timer_delete(timer), 0);
    assert_errno(timer_delete(timer), EINVAL);
}

static void note(union sigval value) {
    handled++;
    last_value = value.sival_int;
}

static void a_posix_timer_can_start_a_thread(void **state) {
    struct sigevent event = { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = note, .sigev_value.sival_int = 5 };
    struct itimerspec every = { .it_value.tv_sec = 1, .it_interval.tv_sec = 1 };
    timer_t timer;
    handled = 0;
    assert_int_equal(timer_create(CLOCK_REALTIME, &event, &timer), 0);
    assert_int_equal(timer_settime(timer, 0, &every, NULL), 0);
    assert_int_equal(usleep(3500000), 0);
    assert_int_equal(handled, 3);
    assert_int_equal(last_value, 5);
    assert_int_equal(now_in(state), 3500 * BJ_MS);
    timer_delete(timer);
}

/* --- signals from the world --- */

static void a_signal_interrupts_what_linux_interrupts(void **state) {
    fixture *f = *state;
    char data[8];
    int fd = udp_client(0);
    struct pollfd pollfd = { .fd = fd, .events = POLLIN };
    on_signal(SIGUSR1, SA_RESTART); /* signal(7): it restarts none of these but recv() */
    signal_after(f, BJ_SECOND);
    assert_errno(poll(&pollfd, 1, 5000), EINTR);
    assert_int_equal(handled, 1);
    assert_int_equal(now_in(state), BJ_SECOND);
    signal_after(f, BJ_SECOND);
    assert_int_equal(sleep(3), 2);
    signal_after(f, BJ_SECOND);
    struct timeval timeout = { .tv_sec = 5 };
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout), 0);
    assert_errno(recv(fd, data, sizeof data, 0), EINTR);
    timeout.tv_sec = 0;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    send(fd, "x", 1, 0);
    signal_after(f, BJ_MS);
    assert_int_equal(recv(fd, data, sizeof data, 0), 1);
    assert_int_equal(handled, 4);
    on_signal(SIGUSR1, 0);
    signal_after(f, BJ_SECOND);
    assert_errno(recv(fd, data, sizeof data, 0), EINTR);
    assert_int_equal(handled, 1);
    close(fd);
}

static void an_ignored_signal_interrupts_nothing(void **state) {
    signal(SIGUSR1, SIG_IGN);
    signal_after(*state, BJ_SECOND);
    assert_int_equal(sleep(3), 0);
    assert_int_equal(now_in(state), 3 * BJ_SECOND);
}

static void a_mask_is_in_force_while_waiting(void **state) {
    fixture *f = *state;
    sigset_t blocked, none;
    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    on_signal(SIGUSR1, 0);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    signal_after(f, BJ_SECOND);
    struct timespec timeout = { .tv_sec = 3 };
    assert_int_equal(ppoll(NULL, 0, &timeout, NULL), 0);
    assert_int_equal(handled, 0);
    assert_errno(ppoll(NULL, 0, &timeout, &none), EINTR); /* it was pending */
    assert_int_equal(handled, 1);
    assert_int_equal(now_in(state), 3 * BJ_SECOND);
    signal_after(f, BJ_SECOND);
    assert_errno(pselect(0, NULL, NULL, NULL, &timeout, &none), EINTR);
    assert_int_equal(handled, 2);
    assert_int_equal(now_in(state), 4 * BJ_SECOND);
    signal_after(f, BJ_SECOND);
    assert_errno(sigsuspend(&none), EINTR);
    assert_int_equal(handled, 3);
    signal_after(f, BJ_SECOND);
    assert_int_equal(sleep(2), 0);
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);
    assert_int_equal(handled, 4);
}

static void blocked_signals_can_be_waited_for(void **state) {
    fixture *f = *state;
    int number = 0;
    siginfo_t info;
    struct timespec timeout = { .tv_sec = 3 };
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGUSR1);
    sigprocmask(SIG_BLOCK, &wanted, NULL);
    signal_after(f, BJ_SECOND);
    assert_int_equal(sigwait(&wanted, &number), 0);
    assert_int_equal(number, SIGUSR1);
    assert_int_equal(now_in(state), BJ_SECOND);
    assert_errno(sigtimedwait(&wanted, &info, &timeout), EAGAIN);
    assert_int_equal(now_in(state), 4 * BJ_SECOND);
    signal_after(f, BJ_SECOND);
    assert_int_equal(sigwaitinfo(&wanted, &info), SIGUSR1);
    int fd = signalfd(-1, &wanted, SFD_NONBLOCK);
    signal_after(f, BJ_SECOND);
    struct pollfd pollfd = { .fd = fd, .events = POLLIN };
    struct signalfd_siginfo taken;
    assert_int_equal(poll(&pollfd, 1, -1), 1);
    assert_int_equal(read(fd, &taken, sizeof taken), sizeof taken);
    assert_int_equal(taken.ssi_signo, SIGUSR1);
    assert_int_equal(now_in(state), 6 * BJ_SECOND);
    close(fd);
}

static void a_client_can_send_signals_to_itself(void **state) {
    (void) state;
    on_signal(SIGUSR1, 0);
    assert_int_equal(kill(getpid(), SIGUSR1), 0);
    assert_int_equal(handled, 1);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(handled, 2);
    assert_int_equal(kill(getpid(), 0), 0);
}

#define with_signals(test) cmocka_unit_test_setup_teardown(test, enter_world, leave_signals)

int main(void) {
    const struct CMUnitTest tests[] = {
        in_world(all_clocks_show_virtual_time),
        in_world(cpu_time_moves_with_each_look),
        in_world(a_loop_around_a_clock_does_not_hang),
        in_world(sleeps_take_their_time),
        with_signals(an_alarm_interrupts_a_sleep),
        with_signals(an_interval_timer_goes_on),
        with_signals(a_posix_timer_carries_its_value),
        with_signals(a_posix_timer_can_start_a_thread),
        with_signals(a_signal_interrupts_what_linux_interrupts),
        with_signals(an_ignored_signal_interrupts_nothing),
        with_signals(a_mask_is_in_force_while_waiting),
        with_signals(blocked_signals_can_be_waited_for),
        with_signals(a_client_can_send_signals_to_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
