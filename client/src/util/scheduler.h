/* SPDX-License-Identifier: Apache-2.0
 *
 * All waiting of a client: timers with deadlines on the monotonic clock, in the order in which they are due.
 */
#ifndef BJC_UTIL_SCHEDULER_H
#define BJC_UTIL_SCHEDULER_H

#include <stdbool.h>
#include <stdint.h>

/* Nanoseconds of CLOCK_MONOTONIC; durations in nanoseconds where a name ends in _ns. */
typedef int64_t bjc_time;
#define BJC_MS         ((bjc_time) 1000000)
#define BJC_SECOND     ((bjc_time) 1000000000)
#define BJC_TIME_NEVER INT64_MAX

bjc_time bjc_now(void);

typedef struct bjc_timer {
    struct bjc_timer *next;
    bjc_time deadline;
    bool armed;
    void (*fire)(void *context);
    void *context;
} bjc_timer;

typedef struct bjc_scheduler {
    bjc_timer *first;
} bjc_scheduler;

void bjc_timer_init(bjc_timer *timer, void (*fire)(void *context), void *context);
/* Arms it, again if it was armed; negative delays count as none. */
void bjc_timer_arm(bjc_scheduler *scheduler, bjc_timer *timer, bjc_time delay_ns);
void bjc_timer_cancel(bjc_scheduler *scheduler, bjc_timer *timer);
/* Fires what is due at `now`, timers armed by that for the same moment included. */
void bjc_scheduler_run(bjc_scheduler *scheduler, bjc_time now);
bjc_time bjc_scheduler_next(const bjc_scheduler *scheduler);

#endif
