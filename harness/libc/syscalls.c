/* SPDX-License-Identifier: Apache-2.0
 *
 * syscall(): how runtimes call what libc did not offer when they were written. What concerns the world goes to our own
 * functions; a futex is a condition like any other. The rest is the kernel's.
 */
#define _GNU_SOURCE
#include "libc/internal.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* --- futexes --- */

typedef struct bj_word {
    const volatile uint32_t *at;
    uint32_t value;
} bj_word;

static bool has_changed(void *context) {
    const bj_word *word = context;
    return *word->at != word->value;
}

static long futex_wait(const uint32_t *at, uint32_t value, bj_time deadline) {
    bj_word word = { at, value };
    if (has_changed(&word)) {
        bj_glance();
        return bj_fail(EAGAIN);
    }
    bj_waiter waiter = { .ready = has_changed, .context = &word, .object = at, .deadline = deadline };
    return bj_result(bj_wait_error(bj_wait(&waiter), false, ETIMEDOUT));
}

static long futex_wake(const uint32_t *at, uint32_t most) {
    long count = 0;
    while ((uint32_t) count < most && bj_wake(at, false)) {
        count++;
    }
    return count;
}

static bj_time futex_deadline(int operation, const struct timespec *t) {
    if (!t) {
        return BJ_NEVER;
    }
    if ((operation & FUTEX_CMD_MASK) == FUTEX_WAIT) {
        return bj_later(bj_now(), bj_from_timespec(t));
    }
    return bj_point(operation & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC, t);
}

static long futex(const long *a) {
    const uint32_t *at = (const uint32_t *) a[0];
    int operation = (int) a[1];
    switch (operation & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
        return futex_wait(at, (uint32_t) a[2], futex_deadline(operation, (const struct timespec *) a[3]));
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET: {
        long woken = futex_wake(at, (uint32_t) a[2]);
        return woken ? woken : REAL(syscall)(SYS_futex, a[0], a[1], a[2], a[3], a[4], a[5]);
    }
    default:
        return REAL(syscall)(SYS_futex, a[0], a[1], a[2], a[3], a[4], a[5]);
    }
}

/* --- the others --- */

/* The kernel's signal set is 8 bytes long. */
static const sigset_t *mask_of(long address, sigset_t *mask) {
    if (!address) {
        return NULL;
    }
    sigemptyset(mask);
    memcpy(mask, (const void *) address, 8);
    return mask;
}

static long about_time(long number, const long *a, bool *known) {
    switch (number) {
    case SYS_clock_gettime:
        return clock_gettime((clockid_t) a[0], (struct timespec *) a[1]);
    case SYS_clock_getres:
        return clock_getres((clockid_t) a[0], (struct timespec *) a[1]);
    case SYS_gettimeofday:
        return gettimeofday((struct timeval *) a[0], (void *) a[1]);
#ifdef SYS_time
    case SYS_time:
        return time((time_t *) a[0]);
#endif
    case SYS_nanosleep:
        return nanosleep((const struct timespec *) a[0], (struct timespec *) a[1]);
    case SYS_clock_nanosleep:
        return bj_result(
            -clock_nanosleep((clockid_t) a[0], (int) a[1], (const struct timespec *) a[2], (struct timespec *) a[3]));
    case SYS_sched_yield:
        return sched_yield();
    case SYS_getrandom:
        return getrandom((void *) a[0], (size_t) a[1], (unsigned) a[2]);
    case SYS_timerfd_create:
        return timerfd_create((clockid_t) a[0], (int) a[1]);
    case SYS_timerfd_settime:
        return timerfd_settime((int) a[0], (int) a[1], (const struct itimerspec *) a[2], (struct itimerspec *) a[3]);
    case SYS_timerfd_gettime:
        return timerfd_gettime((int) a[0], (struct itimerspec *) a[1]);
    default:
        *known = false;
        return 0;
    }
}

static long about_readiness(long number, const long *a, bool *known) {
    sigset_t mask;
    switch (number) {
#ifdef SYS_poll
    case SYS_poll:
        return poll((struct pollfd *) a[0], (nfds_t) a[1], (int) a[2]);
#endif
    case SYS_ppoll:
        return ppoll((struct pollfd *) a[0], (nfds_t) a[1], (const struct timespec *) a[2], mask_of(a[3], &mask));
    case SYS_epoll_create1:
        return epoll_create1((int) a[0]);
    case SYS_epoll_ctl:
        return epoll_ctl((int) a[0], (int) a[1], (int) a[2], (struct epoll_event *) a[3]);
#ifdef SYS_epoll_wait
    case SYS_epoll_wait:
        return epoll_wait((int) a[0], (struct epoll_event *) a[1], (int) a[2], (int) a[3]);
#endif
    case SYS_epoll_pwait:
        return epoll_pwait((int) a[0], (struct epoll_event *) a[1], (int) a[2], (int) a[3], mask_of(a[4], &mask));
    case SYS_epoll_pwait2:
        return epoll_pwait2((int) a[0], (struct epoll_event *) a[1], (int) a[2], (const struct timespec *) a[3],
                            mask_of(a[4], &mask));
    default:
        *known = false;
        return 0;
    }
}

static long about_sockets(long number, const long *a, bool *known) {
    switch (number) {
    case SYS_socket:
        return socket((int) a[0], (int) a[1], (int) a[2]);
    case SYS_close:
        return close((int) a[0]);
    case SYS_read:
        return read((int) a[0], (void *) a[1], (size_t) a[2]);
    case SYS_write:
        return write((int) a[0], (const void *) a[1], (size_t) a[2]);
    case SYS_accept4:
        return accept4((int) a[0], (struct sockaddr *) a[1], (socklen_t *) a[2], (int) a[3]);
    case SYS_sendmsg:
        return sendmsg((int) a[0], (const struct msghdr *) a[1], (int) a[2]);
    case SYS_recvmsg:
        return recvmsg((int) a[0], (struct msghdr *) a[1], (int) a[2]);
    case SYS_sendmmsg:
        return sendmmsg((int) a[0], (struct mmsghdr *) a[1], (unsigned) a[2], (int) a[3]);
    case SYS_recvmmsg:
        return recvmmsg((int) a[0], (struct mmsghdr *) a[1], (unsigned) a[2], (int) a[3], (struct timespec *) a[4]);
    case SYS_futex:
        return futex(a);
    default:
        *known = false;
        return 0;
    }
}

static long about_files(long number, const long *a, bool *known) {
    switch (number) {
#ifdef SYS_open
    case SYS_open:
        return open((const char *) a[0], (int) a[1], (mode_t) a[2]);
#endif
    case SYS_openat:
        return openat((int) a[0], (const char *) a[1], (int) a[2], (mode_t) a[3]);
    case SYS_lseek:
        return lseek((int) a[0], (off_t) a[1], (int) a[2]);
    case SYS_pread64:
        return pread((int) a[0], (void *) a[1], (size_t) a[2], (off_t) a[3]);
    case SYS_pwrite64:
        return pwrite((int) a[0], (const void *) a[1], (size_t) a[2], (off_t) a[3]);
    case SYS_ftruncate:
        return ftruncate((int) a[0], (off_t) a[1]);
    case SYS_fsync:
        return fsync((int) a[0]);
    case SYS_fdatasync:
        return fdatasync((int) a[0]);
    case SYS_renameat2:
        return renameat2((int) a[0], (const char *) a[1], (int) a[2], (const char *) a[3], (unsigned) a[4]);
    case SYS_unlinkat:
        return unlinkat((int) a[0], (const char *) a[1], (int) a[2]);
    case SYS_mkdirat:
        return mkdirat((int) a[0], (const char *) a[1], (mode_t) a[2]);
    case SYS_statx:
        return statx((int) a[0], (const char *) a[1], (int) a[2], (unsigned) a[3], (struct statx *) a[4]);
    default:
        *known = false;
        return 0;
    }
}

/* Six arguments are read, as the kernel reads six registers, however many the caller gave. */
__attribute__((no_sanitize_address)) BJ_EXPORT long syscall(long number, ...) {
    long a[6];
    va_list arguments;
    va_start(arguments, number);
    for (int i = 0; i < 6; i++) {
        a[i] = va_arg(arguments, long);
    }
    va_end(arguments);
    static long (*const groups[])(long, const long *, bool *) = { about_time, about_readiness, about_sockets,
                                                                  about_files };
    for (size_t i = 0; bj_inside() && i < sizeof groups / sizeof groups[0]; i++) {
        bool known = true;
        long result = groups[i](number, a, &known);
        if (known) {
            return result;
        }
    }
    return REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
