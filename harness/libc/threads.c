/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads: their beginning, their end, and waiting for it. Each is a real thread that runs only while it has the baton.
 */
#define _GNU_SOURCE
#include "libc/internal.h"

#include <limits.h>
#include <unistd.h>

/* The world runs on the stack of the thread that waits last: servers with TLS need room there. */
enum { STACK_AT_LEAST = 512 << 10 };

/* --- the end --- */

/* The destructor of a key of ours. A thread still runs the client's code in the destructors of other keys: it gives the
 * baton away in the last round only. */
static void says_farewell(void *argument) {
    bj_thread *thread = argument;
    if (!bj_the_run.active || bj_this.self != thread) {
        return;
    }
    if (++thread->farewells < PTHREAD_DESTRUCTOR_ITERATIONS) {
        pthread_setspecific(bj_the_run.thread_key, thread);
    } else {
        bj_thread_ends(thread);
    }
}

static void make_key(void) {
    if (!bj_the_run.has_thread_key) {
        bj_the_run.has_thread_key = pthread_key_create(&bj_the_run.thread_key, says_farewell) == 0;
    }
    /* The main thread may end by pthread_exit(), too. */
    if (bj_this.self == &bj_the_run.main) {
        pthread_setspecific(bj_the_run.thread_key, &bj_the_run.main);
    }
}

/* --- the beginning --- */

static void *begin(void *argument) {
    bj_thread *thread = argument;
    thread->id = gettid();
    pthread_setspecific(bj_the_run.thread_key, thread);
    bj_thread_begins(thread);
    return thread->start(thread->argument);
}

/* A copy whose stack is large enough. What the attributes point to is only read. */
static void enlarge(pthread_attr_t *copy) {
    size_t size = 0;
    void *own_stack = NULL;
    pthread_attr_getstack(copy, &own_stack, &size);
    if (!own_stack && size > 0 && size < STACK_AT_LEAST) {
        pthread_attr_setstacksize(copy, STACK_AT_LEAST);
    }
}

static int create(bj_thread *thread, const pthread_attr_t *attributes) {
    sigset_t before;
    pthread_attr_t copy;
    if (attributes) {
        int detached = PTHREAD_CREATE_JOINABLE;
        copy = *attributes;
        enlarge(&copy);
        pthread_attr_getdetachstate(attributes, &detached);
        thread->detached = detached == PTHREAD_CREATE_DETACHED;
    }
    bj_signals_block_all(&before); /* the new thread inherits that, and gets the mask with the baton */
    thread->mask = before;
    int error = REAL(pthread_create)(&thread->handle, attributes ? &copy : NULL, begin, thread);
    bj_signals_restore(&before);
    return error;
}

BJ_EXPORT int pthread_create(pthread_t *restrict handle, const pthread_attr_t *restrict attributes,
                             void *(*start)(void *), void *restrict argument) {
    if (!bj_inside()) {
        return REAL(pthread_create)(handle, attributes, start, argument);
    }
    make_key();
    bj_thread *thread = bj_thread_new();
    thread->start = start;
    thread->argument = argument;
    int error = create(thread, attributes);
    if (error) {
        bj_thread_free(thread);
        return error;
    }
    *handle = thread->handle;
    return 0;
}

/* --- waiting for the end --- */

static bool has_ended(void *context) {
    const bj_thread *thread = context;
    return thread->state == BJ_ENDED;
}

static int join_until(pthread_t handle, void **result, bj_time deadline) {
    bj_thread *thread = bj_thread_by_handle(handle);
    if (!thread) {
        return ESRCH;
    }
    if (thread == bj_this.self) {
        return EDEADLK;
    }
    bj_waiter waiter = { .ready = has_ended,
                         .context = thread,
                         .deadline = deadline,
                         .object = thread,
                         .takes_no_signals = true,
                         .cancel = BJ_CANCEL_ENDS };
    bj_wait(&waiter);
    if (thread->state != BJ_ENDED) {
        return ETIMEDOUT;
    }
    int error = REAL(pthread_join)(handle, result); /* it has given the baton away: this is at once */
    if (!error) {
        bj_thread_free(thread);
    }
    return error;
}

BJ_EXPORT int pthread_join(pthread_t handle, void **result) {
    if (!bj_inside() || !bj_thread_by_handle(handle)) {
        return REAL(pthread_join)(handle, result);
    }
    return join_until(handle, result, BJ_NEVER);
}

BJ_EXPORT int pthread_tryjoin_np(pthread_t handle, void **result) {
    if (!bj_inside()) {
        return REAL(pthread_tryjoin_np)(handle, result);
    }
    bj_thread *thread = bj_thread_by_handle(handle);
    if (thread && thread->state != BJ_ENDED) {
        bj_glance();
        return EBUSY;
    }
    return join_until(handle, result, BJ_NEVER);
}

BJ_EXPORT int pthread_clockjoin_np(pthread_t handle, void **result, clockid_t clock, const struct timespec *end) {
    if (!bj_inside()) {
        return REAL(pthread_clockjoin_np)(handle, result, clock, end);
    }
    return join_until(handle, result, end ? bj_point(clock, end) : BJ_NEVER);
}

BJ_EXPORT int pthread_timedjoin_np(pthread_t handle, void **result, const struct timespec *end) {
    if (!bj_inside()) {
        return REAL(pthread_timedjoin_np)(handle, result, end);
    }
    return join_until(handle, result, end ? bj_point(CLOCK_REALTIME, end) : BJ_NEVER);
}

BJ_EXPORT int pthread_detach(pthread_t handle) {
    bj_thread *thread = bj_inside() ? bj_thread_by_handle(handle) : NULL;
    int error = REAL(pthread_detach)(handle);
    if (thread && !error) {
        thread->detached = true;
        if (thread->state == BJ_ENDED) {
            bj_thread_free(thread);
        }
    }
    return error;
}

BJ_EXPORT int pthread_cancel(pthread_t handle) {
    bj_thread *thread = bj_inside() ? bj_thread_by_handle(handle) : NULL;
    int error = REAL(pthread_cancel)(handle);
    if (thread && !error) {
        thread->cancelled = true;
        if (thread->waiter && thread->waiter->cancel != BJ_CANCEL_NEVER) {
            bj_thread_interrupt(thread);
        }
    }
    return error;
}
