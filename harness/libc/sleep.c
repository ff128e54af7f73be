/* SPDX-License-Identifier: Apache-2.0
 *
 * Sleeping.
 */
#define _GNU_SOURCE
#include "libc/internal.h"

#include <sched.h>
#include <unistd.h>

static bj_wait_result sleep_until(bj_time deadline) {
    if (deadline <= bj_now()) {
        bj_polled(); /* sleep(0): others may run */
        return BJ_WAIT_DEADLINE;
    }
    bj_waiter waiter = { .deadline = deadline, .cancel = BJ_CANCEL_ENDS };
    return bj_wait(&waiter);
}

/* What is left when a signal ended it, or BJ_NEVER when it was slept out. */
static bj_time sleep_for(bj_time duration) {
    bj_time deadline = bj_later(bj_now(), duration);
    bj_wait_result result = sleep_until(deadline);
    if (result != BJ_WAIT_SIGNAL && result != BJ_WAIT_RESTART) {
        return BJ_NEVER;
    }
    return deadline > bj_now() ? deadline - bj_now() : 0;
}

/* Clocks that can be read only; glibc refuses the thread's own. */
static int refuses_sleep(clockid_t clock) {
    switch (clock) {
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_REALTIME_COARSE:
        return ENOTSUP;
    default:
        return clock == CLOCK_THREAD_CPUTIME_ID || !bj_clock_known(clock) ? EINVAL : 0;
    }
}

/* A positive error number, as clock_nanosleep() returns it. */
static int sleep_on(clockid_t clock, int flags, const struct timespec *request, struct timespec *left) {
    int refused = refuses_sleep(clock);
    if (refused || !bj_timespec_valid(request)) {
        return refused ? refused : EINVAL;
    }
    if (flags & TIMER_ABSTIME) {
        bj_wait_result result = sleep_until(bj_point(clock, request));
        return result == BJ_WAIT_SIGNAL || result == BJ_WAIT_RESTART ? EINTR : 0;
    }
    bj_time rest = sleep_for(bj_from_timespec(request));
    if (rest == BJ_NEVER) {
        return 0;
    }
    if (left) {
        bj_to_timespec(rest, left);
    }
    return EINTR;
}

BJ_EXPORT int clock_nanosleep(clockid_t clock, int flags, const struct timespec *request, struct timespec *left) {
    return bj_inside() ? sleep_on(clock, flags, request, left) : REAL(clock_nanosleep)(clock, flags, request, left);
}

BJ_EXPORT int nanosleep(const struct timespec *request, struct timespec *left) {
    if (!bj_inside()) {
        return REAL(nanosleep)(request, left);
    }
    int error = sleep_on(CLOCK_MONOTONIC, 0, request, left);
    return error ? bj_fail(error) : 0;
}

BJ_EXPORT int usleep(useconds_t microseconds) {
    if (!bj_inside()) {
        return REAL(usleep)(microseconds);
    }
    return sleep_for(microseconds) == BJ_NEVER ? 0 : bj_fail(EINTR);
}

BJ_EXPORT unsigned sleep(unsigned seconds) {
    if (!bj_inside()) {
        return REAL(sleep)(seconds);
    }
    bj_time rest = sleep_for(seconds * BJ_SECOND);
    return rest == BJ_NEVER ? 0 : (unsigned) (rest / BJ_SECOND);
}

/* A single thread that yields waits for something outside of the world (LeakSanitizer for its tracer, at the end of a
 * process): how often it does so differs from run to run, and must not count. */
BJ_EXPORT int sched_yield(void) {
    if (!bj_inside() || !bj_threaded()) {
        return REAL(sched_yield)();
    }
    bj_yield();
    bj_glance();
    return 0;
}
