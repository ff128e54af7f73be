/* SPDX-License-Identifier: Apache-2.0
 *
 * Who runs. Threads take turns in the order in which they became runnable; when all of them wait, the world moves until
 * one of them need not wait any longer.
 *
 * The world is moved by the thread that came to wait last, on its own stack. A thread that is parked sleeps on a futex
 * of its own with all signals blocked, so that handlers run only where the baton is.
 */
#define _GNU_SOURCE
#include "libc/internal.h"

#include <assert.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* --- the list of threads --- */

static void append(bj_thread *thread) {
    bj_thread **end = &bj_the_run.threads;
    while (*end) {
        end = &(*end)->next;
    }
    thread->next = NULL;
    *end = thread;
}

static void unlink_thread(bj_thread *thread) {
    bj_thread **at = &bj_the_run.threads;
    while (*at && *at != thread) {
        at = &(*at)->next;
    }
    if (*at) {
        *at = thread->next;
    }
}

bj_thread *bj_thread_new(void) {
    bj_thread *thread = bj_arena_alloc(bj_the_run.arena, sizeof *thread);
    thread->state = BJ_RUNNABLE;
    thread->turn = ++bj_the_run.turns;
    append(thread);
    return thread;
}

void bj_thread_free(bj_thread *thread) {
    unlink_thread(thread);
    if (thread != &bj_the_run.main) {
        bj_arena_free(bj_the_run.arena, thread);
    }
}

bj_thread *bj_thread_by_handle(pthread_t handle) {
    for (bj_thread *t = bj_the_run.threads; t; t = t->next) {
        if (pthread_equal(t->handle, handle)) {
            return t;
        }
    }
    return NULL;
}

/* --- what they wait for --- */

static bool holds(const bj_thread *thread) {
    const bj_waiter *waiter = thread->waiter;
    return thread->woken || (waiter->ready && waiter->ready(waiter->context));
}

/* Asked by the world after each event. */
static bool any_holds(void *context) {
    (void) context;
    for (const bj_thread *t = bj_the_run.threads; t; t = t->next) {
        if (t->state == BJ_WAITING && holds(t)) {
            return true;
        }
    }
    return false;
}

static bj_time earliest_end(void) {
    bj_time earliest = bj_timers_next();
    for (const bj_thread *t = bj_the_run.threads; t; t = t->next) {
        if (t->state == BJ_WAITING) {
            bj_time wakes = t->waiter->wakes ? t->waiter->wakes(t->waiter->context) : BJ_NEVER;
            wakes = t->waiter->deadline < wakes ? t->waiter->deadline : wakes;
            earliest = wakes < earliest ? wakes : earliest;
        }
    }
    return earliest;
}

static void make_runnable(bj_thread *thread, bj_wait_result result) {
    thread->state = BJ_RUNNABLE;
    thread->turn = ++bj_the_run.turns;
    thread->result = result;
}

void bj_thread_interrupt(bj_thread *thread) {
    if (thread->state == BJ_WAITING) {
        make_runnable(thread, BJ_WAIT_SIGNAL);
    }
}

void bj_thread_first(bj_thread *thread) {
    if (thread->state == BJ_WAITING) {
        make_runnable(thread, BJ_WAIT_OVER);
    }
    thread->turn = 0;
}

static void wake_ready(void) {
    bj_time now = bj_now();
    for (bj_thread *t = bj_the_run.threads; t; t = t->next) {
        if (t->state != BJ_WAITING) {
            continue;
        }
        if (holds(t)) {
            make_runnable(t, BJ_WAIT_READY);
        } else if (t->waiter->deadline <= now) {
            make_runnable(t, BJ_WAIT_DEADLINE);
        } else if (bj_the_run.ended) {
            make_runnable(t, BJ_WAIT_OVER);
        }
    }
}

static bool waits_for(const bj_thread *thread, const void *object) {
    /* One whose wait a signal interrupted is still waiting for its lock. */
    bool waits = thread->state == BJ_WAITING || (thread->state == BJ_RUNNABLE && thread->result == BJ_WAIT_SIGNAL);
    return waits && thread->waiter && thread->waiter->object == object && !thread->woken;
}

bj_thread *bj_wake(const void *object, bool all) {
    bj_thread *first = NULL;
    for (bj_thread *t = bj_the_run.threads; t && (all || !first); t = t->next) {
        if (waits_for(t, object)) {
            t->woken = true;
            first = first ? first : t;
            if (t->state == BJ_WAITING) {
                make_runnable(t, BJ_WAIT_READY);
            }
        }
    }
    return first;
}

size_t bj_waiting_for(const void *object) {
    size_t count = 0;
    for (const bj_thread *t = bj_the_run.threads; t; t = t->next) {
        count += waits_for(t, object);
    }
    return count;
}

/* --- the baton --- */

static void futex(int *word, int operation, int value) {
    int saved = errno;
    REAL(syscall)(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
    errno = saved;
}

static void hand_to(bj_thread *thread) {
    assert(thread->state == BJ_RUNNABLE);
    thread->state = BJ_RUNNING;
    __atomic_store_n(&thread->baton, 1, __ATOMIC_RELEASE);
    futex(&thread->baton, FUTEX_WAKE, 1);
}

static void park(bj_thread *thread) {
    while (!__atomic_load_n(&thread->baton, __ATOMIC_ACQUIRE)) {
        futex(&thread->baton, FUTEX_WAIT, 0);
    }
    thread->baton = 0;
}

static void move_world(void) {
    bj_this.outside++;
    bj_before_moving();
    bj_sim_wait outcome = bj_sim_wait_until(bj_the_run.sim, any_holds, NULL, earliest_end());
    bj_this.outside--;
    bj_settle(outcome);
}

static bj_thread *first_runnable(void) {
    bj_thread *first = NULL;
    for (bj_thread *t = bj_the_run.threads; t; t = t->next) {
        if (t->state == BJ_RUNNABLE && (!first || t->turn < first->turn)) {
            first = t;
        }
    }
    return first;
}

static bool any_waits(void) {
    for (const bj_thread *t = bj_the_run.threads; t; t = t->next) {
        if (t->state == BJ_WAITING) {
            return true;
        }
    }
    return false;
}

/* NULL: no thread of the run lives any more. */
static bj_thread *choose(void) {
    for (;;) {
        wake_ready();
        bj_thread *next = first_runnable();
        if (next || !any_waits()) {
            return next;
        }
        move_world();
    }
}

static void give_up(bj_thread *self) {
    bj_thread *next = choose();
    if (next == self) {
        self->state = BJ_RUNNING;
        return;
    }
    bj_signals_block_all(&self->mask);
    hand_to(next);
    park(self);
    bj_signals_restore(&self->mask);
    if (bj_the_run.over_due) {
        bj_end_run();
    }
}

/* --- what the other files call --- */

bool bj_thread_cancelled(void) {
    if (!bj_this.self->cancelled) {
        return false;
    }
    int state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    pthread_setcancelstate(state, NULL);
    return state == PTHREAD_CANCEL_ENABLE;
}

static bool cancelled_here(const bj_waiter *waiter) {
    if (waiter->cancel == BJ_CANCEL_NEVER || !bj_thread_cancelled()) {
        return false;
    }
    if (waiter->cancel == BJ_CANCEL_ENDS) {
        pthread_testcancel();
    }
    return true;
}

/* Waits once. Then handlers may run: `*handled` tells which. */
static bj_wait_result wait_once(bj_thread *self, const bj_waiter *waiter, bj_wait_result *handled) {
    self->waiter = waiter;
    self->result = BJ_WAIT_READY;
    self->state = BJ_WAITING;
    if (bj_threaded()) {
        unlink_thread(self);
        append(self);
    }
    give_up(self);
    bj_wait_result result = self->result;
    self->waiter = NULL;
    *handled = self->signals ? bj_signals_take(waiter->mask) : BJ_WAIT_READY;
    return result;
}

bj_wait_result bj_wait(const bj_waiter *waiter) {
    bj_thread *self = bj_this.self;
    if (bj_the_run.ended) {
        return BJ_WAIT_OVER;
    }
    bj_wait_result handled = waiter->mask ? bj_signals_unblocked(waiter->mask) : BJ_WAIT_READY;
    bj_the_run.glances = 0;
    self->woken = false;
    for (;;) {
        if (cancelled_here(waiter)) {
            return BJ_WAIT_CANCELLED;
        }
        if (handled != BJ_WAIT_READY && !waiter->takes_no_signals) {
            return handled;
        }
        if (self->woken || (waiter->ready && waiter->ready(waiter->context))) {
            return BJ_WAIT_READY;
        }
        bj_wait_result result = wait_once(self, waiter, &handled);
        if (result != BJ_WAIT_SIGNAL) {
            return result;
        }
    }
}

void bj_yield(void) {
    bj_thread *self = bj_this.self;
    if (!bj_threaded() || (bj_the_run.ended && !bj_the_run.over_due)) {
        return;
    }
    make_runnable(self, BJ_WAIT_READY);
    give_up(self);
    if (self->signals) {
        bj_signals_take(NULL);
    }
}

void bj_thread_begins(bj_thread *thread) {
    bj_this = (bj_here){ .self = thread };
    park(thread);
    bj_signals_restore(&thread->mask);
}

void bj_thread_ends(bj_thread *thread) {
    thread->state = BJ_ENDED;
    bj_wake(thread, true);
    if (thread->detached) {
        unlink_thread(thread);
    }
    bj_thread *next = choose();
    bj_this.self = NULL;
    if (thread->detached && thread != &bj_the_run.main) {
        bj_arena_free(bj_the_run.arena, thread);
    }
    if (next) {
        hand_to(next);
    }
}
