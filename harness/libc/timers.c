/* SPDX-License-Identifier: Apache-2.0
 *
 * Timers that send a signal or start a thread: alarm(), setitimer(ITIMER_REAL), timer_create(). They go off while the
 * world moves, whoever waits then. Timers of CPU time never go off: code costs none.
 */
#define _GNU_SOURCE
#include "libc/internal.h"

#include <sys/time.h>
#include <unistd.h>

typedef struct bj_timer {
    struct bj_timer *next;
    clockid_t clock;
    bj_time expiry; /* BJ_NEVER: disarmed */
    bj_time interval;
    int overrun;
    struct sigevent event;
    bool is_alarm; /* the process' one ITIMER_REAL */
} bj_timer;

static bj_timer *new_timer(clockid_t clock, const struct sigevent *event) {
    bj_timer *timer = bj_arena_alloc(bj_the_run.arena, sizeof *timer);
    timer->clock = clock;
    timer->expiry = BJ_NEVER;
    timer->event = *event;
    timer->next = bj_the_run.timers;
    bj_the_run.timers = timer;
    return timer;
}

void bj_timers_forget(void) {
    while (bj_the_run.timers) {
        bj_timer *timer = bj_the_run.timers;
        bj_the_run.timers = timer->next;
        bj_arena_free(bj_the_run.arena, timer);
    }
}

bj_time bj_timers_next(void) {
    bj_time next = BJ_NEVER;
    for (const bj_timer *t = bj_the_run.timers; t; t = t->next) {
        next = t->expiry < next ? t->expiry : next;
    }
    return next;
}

/* --- going off --- */

typedef struct bj_notice {
    void (*function)(union sigval value);
    union sigval value;
} bj_notice;

static void *notify(void *argument) {
    bj_notice notice = *(bj_notice *) argument;
    bj_arena_free(bj_the_run.arena, argument);
    notice.function(notice.value);
    return NULL;
}

static void start_thread(const struct sigevent *event) {
    bj_notice *notice = bj_arena_alloc(bj_the_run.arena, sizeof *notice);
    *notice = (bj_notice){ event->sigev_notify_function, event->sigev_value };
    pthread_t thread;
    if (pthread_create(&thread, event->sigev_notify_attributes, notify, notice) == 0) {
        pthread_detach(thread);
    }
}

static bj_thread *thread_of(const struct sigevent *event) {
    for (bj_thread *t = bj_the_run.threads; event->sigev_notify == SIGEV_THREAD_ID && t; t = t->next) {
        if (t->id == event->_sigev_un._tid) {
            return t;
        }
    }
    return NULL;
}

static void go_off(bj_timer *timer) {
    const struct sigevent *event = &timer->event;
    if (event->sigev_notify == SIGEV_THREAD) {
        start_thread(event);
    } else if (event->sigev_notify != SIGEV_NONE && event->sigev_signo > 0 && event->sigev_signo <= 64) {
        bj_signal_describe(event->sigev_signo, timer->is_alarm ? SI_KERNEL : SI_TIMER, event->sigev_value);
        bj_signal_post(thread_of(event), event->sigev_signo);
    }
}

static void run_timer(bj_timer *timer, bj_time now) {
    if (timer->interval) {
        bj_time missed = (now - timer->expiry) / timer->interval;
        timer->overrun = (int) missed;
        timer->expiry += (missed + 1) * timer->interval;
    } else {
        timer->overrun = 0;
        timer->expiry = BJ_NEVER;
    }
    go_off(timer);
}

void bj_timers_run(void) {
    bj_time now = bj_now();
    for (bj_timer *t = bj_the_run.timers; t; t = t->next) {
        if (t->expiry <= now) {
            run_timer(t, now);
        }
    }
}

static void arm(bj_timer *timer, bj_time expiry, bj_time interval) {
    timer->expiry = expiry;
    timer->interval = interval;
    timer->overrun = 0;
}

static bj_time left_of(const bj_timer *timer) {
    bj_time now = bj_now();
    if (timer->expiry == BJ_NEVER) {
        return 0;
    }
    return timer->expiry > now ? timer->expiry - now : 1;
}

/* --- the process' own --- */

static bj_timer *alarm_timer(void) {
    for (bj_timer *t = bj_the_run.timers; t; t = t->next) {
        if (t->is_alarm) {
            return t;
        }
    }
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
    bj_timer *timer = new_timer(CLOCK_MONOTONIC, &event);
    timer->is_alarm = true;
    return timer;
}

static bj_time set_alarm(bj_time duration, bj_time interval) {
    bj_timer *timer = alarm_timer();
    bj_time left = left_of(timer);
    arm(timer, duration ? bj_later(bj_now(), duration) : BJ_NEVER, interval);
    return left;
}

BJ_EXPORT unsigned alarm(unsigned seconds) {
    if (!bj_inside()) {
        return REAL(alarm)(seconds);
    }
    return (unsigned) ((set_alarm(seconds * BJ_SECOND, 0) + BJ_SECOND - 1) / BJ_SECOND);
}

BJ_EXPORT useconds_t ualarm(useconds_t duration, useconds_t interval) {
    return bj_inside() ? (useconds_t) set_alarm(duration, interval) : REAL(ualarm)(duration, interval);
}

BJ_EXPORT int getitimer(__itimer_which_t which, struct itimerval *value) {
    if (!bj_inside()) {
        return REAL(getitimer)(which, value);
    }
    if ((int) which < ITIMER_REAL || which > ITIMER_PROF) {
        return bj_fail(EINVAL);
    }
    *value = (struct itimerval){ .it_value.tv_sec = 0 };
    if (which == ITIMER_REAL) {
        bj_to_timeval(left_of(alarm_timer()), &value->it_value);
        bj_to_timeval(alarm_timer()->interval, &value->it_interval);
    }
    return 0;
}

static bool valid(const struct timeval *t) {
    return t->tv_sec >= 0 && t->tv_usec >= 0 && t->tv_usec < 1000000;
}

BJ_EXPORT int setitimer(__itimer_which_t which, const struct itimerval *restrict value,
                        struct itimerval *restrict old) {
    if (!bj_inside()) {
        return REAL(setitimer)(which, value, old);
    }
    bool known = (int) which >= ITIMER_REAL && which <= ITIMER_PROF;
    if (!known || (value && (!valid(&value->it_value) || !valid(&value->it_interval)))) {
        return bj_fail(EINVAL);
    }
    if (old) {
        getitimer(which, old);
    }
    if (which == ITIMER_REAL && value) {
        set_alarm(bj_from_timeval(&value->it_value), bj_from_timeval(&value->it_interval));
    }
    return 0;
}

/* --- timer_create() and its relatives --- */

static bj_timer *timer_of(timer_t id) {
    for (bj_timer *t = bj_the_run.timers; t; t = t->next) {
        if ((timer_t) t == id && !t->is_alarm) {
            return t;
        }
    }
    errno = EINVAL;
    return NULL;
}

BJ_EXPORT int timer_create(clockid_t clock, struct sigevent *restrict event, timer_t *restrict id) {
    if (!bj_inside()) {
        return REAL(timer_create)(clock, event, id);
    }
    if (!bj_clock_known(clock)) {
        return bj_fail(EINVAL);
    }
    struct sigevent ordinary = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
    bj_timer *timer = new_timer(clock, event ? event : &ordinary);
    *id = (timer_t) timer;
    if (!event) {
        timer->event.sigev_value.sival_ptr = timer;
    }
    return 0;
}

BJ_EXPORT int timer_gettime(timer_t id, struct itimerspec *value) {
    if (!bj_inside()) {
        return REAL(timer_gettime)(id, value);
    }
    const bj_timer *timer = timer_of(id);
    if (!timer) {
        return -1;
    }
    bj_to_timespec(left_of(timer), &value->it_value);
    bj_to_timespec(timer->interval, &value->it_interval);
    return 0;
}

static void set_timer(bj_timer *timer, int flags, const struct itimerspec *value) {
    bj_time expiry = BJ_NEVER;
    if (timer->clock < 0 || timer->clock == CLOCK_PROCESS_CPUTIME_ID || timer->clock == CLOCK_THREAD_CPUTIME_ID) {
        expiry = BJ_NEVER;
    } else if (value->it_value.tv_sec || value->it_value.tv_nsec) {
        expiry = flags & TIMER_ABSTIME ? bj_point(timer->clock, &value->it_value)
                                       : bj_later(bj_now(), bj_from_timespec(&value->it_value));
    }
    arm(timer, expiry, bj_from_timespec(&value->it_interval));
}

BJ_EXPORT int timer_settime(timer_t id, int flags, const struct itimerspec *restrict value,
                            struct itimerspec *restrict old) {
    if (!bj_inside()) {
        return REAL(timer_settime)(id, flags, value, old);
    }
    bj_timer *timer = timer_of(id);
    if (!timer || !bj_timespec_valid(&value->it_value) || !bj_timespec_valid(&value->it_interval)) {
        return bj_fail(EINVAL);
    }
    if (old) {
        timer_gettime(id, old);
    }
    set_timer(timer, flags, value);
    return 0;
}

BJ_EXPORT int timer_getoverrun(timer_t id) {
    if (!bj_inside()) {
        return REAL(timer_getoverrun)(id);
    }
    const bj_timer *timer = timer_of(id);
    return timer ? timer->overrun : -1;
}

BJ_EXPORT int timer_delete(timer_t id) {
    if (!bj_inside()) {
        return REAL(timer_delete)(id);
    }
    bj_timer *timer = timer_of(id);
    if (!timer) {
        return -1;
    }
    bj_timer **at = &bj_the_run.timers;
    while (*at != timer) {
        at = &(*at)->next;
    }
    *at = timer->next;
    bj_arena_free(bj_the_run.arena, timer);
    return 0;
}
