/* SPDX-License-Identifier: Apache-2.0
 *
 * Clocks. Calendar time starts at the world's epoch; the monotonic clocks start as on a machine that has been up for a
 * while, for programs take a zero to mean "never". Code costs no time, but a clock of CPU time must move for who
 * measures it: each read of one adds a microsecond.
 */
#define _GNU_SOURCE
#include "libc/internal.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <unistd.h>

static const bj_time up_before = 1000 * BJ_SECOND;

/* --- conversions --- */

bj_time bj_later(bj_time now, bj_time duration) {
    return duration >= BJ_NEVER - now ? BJ_NEVER : now + duration;
}

static bj_time from_parts(int64_t seconds, int64_t nanoseconds) {
    if (seconds < 0) {
        return 0;
    }
    if (seconds > INT64_MAX / 1000000 - 1) {
        return BJ_NEVER;
    }
    return (bj_time) seconds * BJ_SECOND + (bj_time) ((nanoseconds + 999) / 1000);
}

bj_time bj_from_timespec(const struct timespec *duration) {
    return from_parts(duration->tv_sec, duration->tv_nsec);
}

bj_time bj_from_timeval(const struct timeval *duration) {
    return from_parts(duration->tv_sec, (int64_t) duration->tv_usec * 1000);
}

bool bj_timespec_valid(const struct timespec *t) {
    return t->tv_sec >= 0 && t->tv_nsec >= 0 && t->tv_nsec < 1000000000;
}

void bj_to_timespec(bj_time duration, struct timespec *t) {
    t->tv_sec = (time_t) (duration / BJ_SECOND);
    t->tv_nsec = (long) (duration % BJ_SECOND) * 1000;
}

void bj_to_timeval(bj_time duration, struct timeval *t) {
    t->tv_sec = (time_t) (duration / BJ_SECOND);
    t->tv_usec = (suseconds_t) (duration % BJ_SECOND);
}

static bool is_calendar(clockid_t clock) {
    return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI ||
           clock == CLOCK_REALTIME_ALARM;
}

static bool is_cpu(clockid_t clock) {
    return clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID || clock < 0;
}

bool bj_clock_known(clockid_t clock) {
    return clock <= CLOCK_TAI && clock != 10 /* once CLOCK_SGI_CYCLE */;
}

/* What the clock shows at virtual time 0, in microseconds. */
static bj_time start_of(clockid_t clock) {
    return is_calendar(clock) ? (bj_time) bj_sim_epoch(bj_the_run.sim) * BJ_SECOND : up_before;
}

bj_time bj_point(clockid_t clock, const struct timespec *t) {
    bj_time shown = bj_from_timespec(t), start = start_of(clock);
    if (shown == BJ_NEVER) {
        return BJ_NEVER;
    }
    return shown > start ? shown - start : 0;
}

void bj_on_clock(clockid_t clock, bj_time time, struct timespec *t) {
    bj_to_timespec(start_of(clock) + time, t);
}

/* --- clocks --- */

static bj_time cpu_time(void) {
    return ++bj_the_run.cpu;
}

static int read_clock(clockid_t clock, struct timespec *t) {
    if (!bj_clock_known(clock)) {
        return bj_fail(EINVAL);
    }
    bj_glance();
    if (is_cpu(clock)) {
        bj_to_timespec(cpu_time(), t);
    } else {
        bj_on_clock(clock, bj_now(), t);
    }
    return 0;
}

BJ_EXPORT int clock_gettime(clockid_t clock, struct timespec *t) {
    return bj_inside() ? read_clock(clock, t) : REAL(clock_gettime)(clock, t);
}

BJ_EXPORT int clock_getres(clockid_t clock, struct timespec *t) {
    if (!bj_inside()) {
        return REAL(clock_getres)(clock, t);
    }
    if (!bj_clock_known(clock)) {
        return bj_fail(EINVAL);
    }
    if (t) {
        *t = (struct timespec){ .tv_nsec = 1000 };
    }
    return 0;
}

BJ_EXPORT int clock_settime(clockid_t clock, const struct timespec *t) {
    return bj_inside() ? bj_fail(EPERM) : REAL(clock_settime)(clock, t);
}

BJ_EXPORT int gettimeofday(struct timeval *restrict t, void *restrict zone) {
    if (!bj_inside()) {
        return REAL(gettimeofday)(t, zone);
    }
    struct timespec now;
    read_clock(CLOCK_REALTIME, &now);
    if (zone) {
        memset(zone, 0, sizeof(struct timezone));
    }
    *t = (struct timeval){ .tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000 };
    return 0;
}

BJ_EXPORT time_t time(time_t *t) {
    if (!bj_inside()) {
        return REAL(time)(t);
    }
    struct timespec now;
    read_clock(CLOCK_REALTIME, &now);
    if (t) {
        *t = now.tv_sec;
    }
    return now.tv_sec;
}

BJ_EXPORT int timespec_get(struct timespec *t, int base) {
    if (!bj_inside()) {
        return REAL(timespec_get)(t, base);
    }
    return base == TIME_UTC && read_clock(CLOCK_REALTIME, t) == 0 ? base : 0;
}

/* --- CPU time --- */

BJ_EXPORT clock_t clock(void) {
    return bj_inside() ? (clock_t) cpu_time() : REAL(clock)();
}

BJ_EXPORT clock_t times(struct tms *buffer) {
    if (!bj_inside()) {
        return REAL(times)(buffer);
    }
    if (buffer) {
        memset(buffer, 0, sizeof *buffer);
    }
    bj_glance();
    return (clock_t) ((up_before + bj_now()) / (BJ_SECOND / 100));
}

BJ_EXPORT int getrusage(__rusage_who_t who, struct rusage *usage) {
    if (!bj_inside()) {
        return REAL(getrusage)(who, usage);
    }
    memset(usage, 0, sizeof *usage);
    bj_to_timeval(cpu_time(), &usage->ru_utime);
    return 0;
}
