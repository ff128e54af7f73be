/* SPDX-License-Identifier: Apache-2.0
 *
 * All waiting of a client.
 */
#define _GNU_SOURCE
#include "util/scheduler.h"

#include <assert.h>
#include <stddef.h>
#include <time.h>

/* More than any chain of immediate timers that the machines of a client make. */
#define ROUNDS_AT_ONE_MOMENT 64

bjc_time bjc_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (bjc_time) now.tv_sec * BJC_SECOND + now.tv_nsec;
}

void bjc_timer_init(bjc_timer *timer, void (*fire)(void *context), void *context) {
    *timer = (bjc_timer){ .fire = fire, .context = context };
}

void bjc_timer_cancel(bjc_scheduler *scheduler, bjc_timer *timer) {
    if (!timer->armed) {
        return;
    }
    bjc_timer **link = &scheduler->first;
    while (*link != timer) {
        assert(*link);
        link = &(*link)->next;
    }
    *link = timer->next;
    timer->next = NULL;
    timer->armed = false;
}

void bjc_timer_arm(bjc_scheduler *scheduler, bjc_timer *timer, bjc_time delay_ns) {
    assert(timer->fire);
    bjc_timer_cancel(scheduler, timer);
    bjc_time now = bjc_now();
    delay_ns = delay_ns < 0 ? 0 : delay_ns;
    timer->deadline = delay_ns > BJC_TIME_NEVER - 1 - now ? BJC_TIME_NEVER - 1 : now + delay_ns;
    timer->armed = true;
    bjc_timer **link = &scheduler->first;
    while (*link && (*link)->deadline <= timer->deadline) {
        link = &(*link)->next;
    }
    timer->next = *link;
    *link = timer;
}

void bjc_scheduler_run(bjc_scheduler *scheduler, bjc_time now) {
    for (int round = 0; round < ROUNDS_AT_ONE_MOMENT; round++) {
        bjc_timer *timer = scheduler->first;
        if (!timer || timer->deadline > now) {
            return;
        }
        bjc_timer_cancel(scheduler, timer);
        timer->fire(timer->context);
    }
}

bjc_time bjc_scheduler_next(const bjc_scheduler *scheduler) {
    return scheduler->first ? scheduler->first->deadline : BJC_TIME_NEVER;
}
