/* SPDX-License-Identifier: Apache-2.0
 *
 * <threads.h>: in glibc these are the POSIX functions under other names, and call them behind our back.
 */
#define _GNU_SOURCE
#include "libc/internal.h"

#include <sched.h>
#include <stdlib.h>
#include <threads.h>

static int result_of(int error) {
    switch (error) {
    case 0:
        return thrd_success;
    case EBUSY:
        return thrd_busy;
    case ETIMEDOUT:
        return thrd_timedout;
    case ENOMEM:
        return thrd_nomem;
    default:
        return thrd_error;
    }
}

/* --- threads --- */

typedef struct bj_start {
    thrd_start_t function;
    void *argument;
} bj_start;

static void *start_thread(void *argument) {
    bj_start start = *(bj_start *) argument;
    free(argument);
    return (void *) (intptr_t) start.function(start.argument);
}

BJ_EXPORT int thrd_create(thrd_t *thread, thrd_start_t function, void *argument) {
    bj_start *start = malloc(sizeof *start); /* as the client's own memory: it may outlive the run */
    if (!start) {
        return thrd_nomem;
    }
    *start = (bj_start){ function, argument };
    int error = pthread_create(thread, NULL, start_thread, start);
    if (error) {
        free(start);
    }
    return result_of(error);
}

BJ_EXPORT int thrd_join(thrd_t thread, int *result) {
    void *returned = NULL;
    int error = pthread_join(thread, &returned);
    if (!error && result) {
        *result = (int) (intptr_t) returned;
    }
    return result_of(error);
}

BJ_EXPORT int thrd_detach(thrd_t thread) {
    return result_of(pthread_detach(thread));
}

BJ_EXPORT void thrd_yield(void) {
    sched_yield();
}

BJ_EXPORT int thrd_sleep(const struct timespec *duration, struct timespec *left) {
    int error = clock_nanosleep(CLOCK_REALTIME, 0, duration, left);
    return error == 0 ? 0 : error == EINTR ? -1 : -2;
}

/* --- mutexes: glibc's mtx_t is a pthread_mutex_t --- */

static pthread_mutex_t *mutex_of(mtx_t *mutex) {
    return (pthread_mutex_t *) mutex;
}

BJ_EXPORT int mtx_lock(mtx_t *mutex) {
    return result_of(pthread_mutex_lock(mutex_of(mutex)));
}

BJ_EXPORT int mtx_trylock(mtx_t *mutex) {
    return result_of(pthread_mutex_trylock(mutex_of(mutex)));
}

BJ_EXPORT int mtx_timedlock(mtx_t *restrict mutex, const struct timespec *restrict end) {
    return result_of(pthread_mutex_timedlock(mutex_of(mutex), end));
}

BJ_EXPORT int mtx_unlock(mtx_t *mutex) {
    return result_of(pthread_mutex_unlock(mutex_of(mutex)));
}

/* --- conditions --- */

static pthread_cond_t *condition_of(cnd_t *condition) {
    return (pthread_cond_t *) condition;
}

BJ_EXPORT int cnd_wait(cnd_t *condition, mtx_t *mutex) {
    return result_of(pthread_cond_wait(condition_of(condition), mutex_of(mutex)));
}

BJ_EXPORT int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict end) {
    return result_of(pthread_cond_timedwait(condition_of(condition), mutex_of(mutex), end));
}

BJ_EXPORT int cnd_signal(cnd_t *condition) {
    return result_of(pthread_cond_signal(condition_of(condition)));
}

BJ_EXPORT int cnd_broadcast(cnd_t *condition) {
    return result_of(pthread_cond_broadcast(condition_of(condition)));
}

BJ_EXPORT void call_once(once_flag *flag, void (*initialise)(void)) {
    pthread_once((pthread_once_t *) flag, initialise);
}
