/* SPDX-License-Identifier: Apache-2.0
 *
 * Mutexes, read-write locks, conditions, semaphores, barriers. The real objects keep their state (ownership, recursion,
 * robustness, counts) by their real try-functions; only waiting is ours: a thread that must wait is parked, and whoever
 * unlocks wakes the first.
 */
#define _GNU_SOURCE
#include "libc/internal.h"

#include <semaphore.h>

/* --- waiting for a lock --- */

/* Takes the lock, or says EBUSY. */
typedef int bj_try(void *lock);

/* 0, an error of the lock's, or ETIMEDOUT. */
static int lock_until(bj_try *try_lock, void *lock, bj_time deadline) {
    bj_thread *self = bj_this.self;
    bj_waiter waiter = { .object = lock, .deadline = deadline, .takes_no_signals = true };
    int error = try_lock(lock);
    while (error == EBUSY) {
        bj_wait_result result = bj_wait(&waiter);
        error = try_lock(lock);
        if (error == EBUSY && result == BJ_WAIT_DEADLINE) {
            error = ETIMEDOUT;
        } else if (error == EBUSY && result == BJ_WAIT_OVER) {
            error = EDEADLK;
        }
        self->barged = error == EBUSY; /* another thread was faster: the next time it is our turn at once */
    }
    self->barged = false;
    return error;
}

/* After an unlock: the first that waits may go on. One that came too late once gets the baton now. */
static void let_next(const void *lock, bool all, bool may_switch) {
    if (!bj_threaded()) {
        return;
    }
    const bj_thread *next = bj_wake(lock, all);
    if (next && next->barged && may_switch) {
        bj_yield();
    }
}

static bool valid(const struct timespec *t) {
    return t->tv_nsec >= 0 && t->tv_nsec < 1000000000;
}

static bool is_clock(clockid_t clock) {
    return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC;
}

/* --- mutexes --- */

static int try_mutex(void *lock) {
    return REAL(pthread_mutex_trylock)(lock);
}

/* An error-checking mutex tells its owner; the others would wait for ever, and do. */
static bool owner_asks_again(const pthread_mutex_t *mutex) {
    return (mutex->__data.__kind & 3) == PTHREAD_MUTEX_ERRORCHECK_NP && mutex->__data.__owner == bj_this.self->id;
}

static int lock_mutex(pthread_mutex_t *mutex, bj_time deadline) {
    int error = try_mutex(mutex);
    if (error != EBUSY) {
        return error;
    }
    return owner_asks_again(mutex) ? EDEADLK : lock_until(try_mutex, mutex, deadline);
}

BJ_EXPORT int pthread_mutex_lock(pthread_mutex_t *mutex) {
    return bj_inside() ? lock_mutex(mutex, BJ_NEVER) : REAL(pthread_mutex_lock)(mutex);
}

BJ_EXPORT int pthread_mutex_trylock(pthread_mutex_t *mutex) {
    int error = REAL(pthread_mutex_trylock)(mutex);
    if (error == EBUSY && bj_inside()) {
        bj_glance();
    }
    return error;
}

BJ_EXPORT int pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock, const struct timespec *end) {
    if (!bj_inside()) {
        return REAL(pthread_mutex_clocklock)(mutex, clock, end);
    }
    return valid(end) && is_clock(clock) ? lock_mutex(mutex, bj_point(clock, end)) : EINVAL;
}

BJ_EXPORT int pthread_mutex_timedlock(pthread_mutex_t *restrict mutex, const struct timespec *restrict end) {
    if (!bj_inside()) {
        return REAL(pthread_mutex_timedlock)(mutex, end);
    }
    return valid(end) ? lock_mutex(mutex, bj_point(CLOCK_REALTIME, end)) : EINVAL;
}

static int unlock_mutex(pthread_mutex_t *mutex, bool may_switch) {
    int error = REAL(pthread_mutex_unlock)(mutex);
    if (!error) {
        let_next(mutex, false, may_switch);
    }
    return error;
}

BJ_EXPORT int pthread_mutex_unlock(pthread_mutex_t *mutex) {
    return bj_inside() ? unlock_mutex(mutex, true) : REAL(pthread_mutex_unlock)(mutex);
}

/* --- conditions --- */

/* glibc keeps the attribute's clock in bit 1 of __wrefs. */
static clockid_t clock_of(const pthread_cond_t *condition) {
    return condition->__data.__wrefs & 2 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
}

static int wait_for(pthread_cond_t *condition, pthread_mutex_t *mutex, bj_time deadline) {
    int error = unlock_mutex(mutex, false);
    if (error) {
        return error;
    }
    bj_waiter waiter = {
        .object = condition, .deadline = deadline, .takes_no_signals = true, .cancel = BJ_CANCEL_RETURNS
    };
    bj_wait_result result = bj_wait(&waiter);
    error = lock_mutex(mutex, BJ_NEVER);
    if (result == BJ_WAIT_CANCELLED) {
        pthread_testcancel();
    }
    return result == BJ_WAIT_DEADLINE && !error ? ETIMEDOUT : error;
}

BJ_EXPORT int pthread_cond_wait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex) {
    return bj_inside() ? wait_for(condition, mutex, BJ_NEVER) : REAL(pthread_cond_wait)(condition, mutex);
}

BJ_EXPORT int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                                     const struct timespec *restrict end) {
    if (!bj_inside()) {
        return REAL(pthread_cond_timedwait)(condition, mutex, end);
    }
    return valid(end) ? wait_for(condition, mutex, bj_point(clock_of(condition), end)) : EINVAL;
}

BJ_EXPORT int pthread_cond_clockwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                                     clockid_t clock, const struct timespec *restrict end) {
    if (!bj_inside()) {
        return REAL(pthread_cond_clockwait)(condition, mutex, clock, end);
    }
    return valid(end) && is_clock(clock) ? wait_for(condition, mutex, bj_point(clock, end)) : EINVAL;
}

/* A thread that is not of the run may wait for it really. */
BJ_EXPORT int pthread_cond_signal(pthread_cond_t *condition) {
    if (bj_inside() && bj_wake(condition, false)) {
        return 0;
    }
    return REAL(pthread_cond_signal)(condition);
}

BJ_EXPORT int pthread_cond_broadcast(pthread_cond_t *condition) {
    if (bj_inside()) {
        bj_wake(condition, true);
    }
    return REAL(pthread_cond_broadcast)(condition);
}

/* --- read-write locks --- */

static int try_read(void *lock) {
    return REAL(pthread_rwlock_tryrdlock)(lock);
}

static int try_write(void *lock) {
    return REAL(pthread_rwlock_trywrlock)(lock);
}

static int lock_rw(pthread_rwlock_t *lock, bj_try *try_lock, bj_time deadline) {
    if (lock->__data.__cur_writer == bj_this.self->id) {
        return EDEADLK;
    }
    return lock_until(try_lock, lock, deadline);
}

BJ_EXPORT int pthread_rwlock_rdlock(pthread_rwlock_t *lock) {
    return bj_inside() ? lock_rw(lock, try_read, BJ_NEVER) : REAL(pthread_rwlock_rdlock)(lock);
}

BJ_EXPORT int pthread_rwlock_wrlock(pthread_rwlock_t *lock) {
    return bj_inside() ? lock_rw(lock, try_write, BJ_NEVER) : REAL(pthread_rwlock_wrlock)(lock);
}

BJ_EXPORT int pthread_rwlock_tryrdlock(pthread_rwlock_t *lock) {
    int error = REAL(pthread_rwlock_tryrdlock)(lock);
    if (error == EBUSY && bj_inside()) {
        bj_glance();
    }
    return error;
}

BJ_EXPORT int pthread_rwlock_trywrlock(pthread_rwlock_t *lock) {
    int error = REAL(pthread_rwlock_trywrlock)(lock);
    if (error == EBUSY && bj_inside()) {
        bj_glance();
    }
    return error;
}

BJ_EXPORT int pthread_rwlock_clockrdlock(pthread_rwlock_t *restrict lock, clockid_t clock,
                                         const struct timespec *restrict end) {
    if (!bj_inside()) {
        return REAL(pthread_rwlock_clockrdlock)(lock, clock, end);
    }
    return valid(end) && is_clock(clock) ? lock_rw(lock, try_read, bj_point(clock, end)) : EINVAL;
}

BJ_EXPORT int pthread_rwlock_clockwrlock(pthread_rwlock_t *restrict lock, clockid_t clock,
                                         const struct timespec *restrict end) {
    if (!bj_inside()) {
        return REAL(pthread_rwlock_clockwrlock)(lock, clock, end);
    }
    return valid(end) && is_clock(clock) ? lock_rw(lock, try_write, bj_point(clock, end)) : EINVAL;
}

BJ_EXPORT int pthread_rwlock_timedrdlock(pthread_rwlock_t *restrict lock, const struct timespec *restrict end) {
    if (!bj_inside()) {
        return REAL(pthread_rwlock_timedrdlock)(lock, end);
    }
    return pthread_rwlock_clockrdlock(lock, CLOCK_REALTIME, end);
}

BJ_EXPORT int pthread_rwlock_timedwrlock(pthread_rwlock_t *restrict lock, const struct timespec *restrict end) {
    if (!bj_inside()) {
        return REAL(pthread_rwlock_timedwrlock)(lock, end);
    }
    return pthread_rwlock_clockwrlock(lock, CLOCK_REALTIME, end);
}

BJ_EXPORT int pthread_rwlock_unlock(pthread_rwlock_t *lock) {
    int error = REAL(pthread_rwlock_unlock)(lock);
    if (!error && bj_inside()) {
        let_next(lock, true, true);
    }
    return error;
}

/* --- spin locks --- */

static int try_spin(void *lock) {
    return pthread_spin_trylock((pthread_spinlock_t *) lock);
}

/* Its unlocking is one store, and cannot be seen: ask whenever another thread was about to run. */
static bool spin_is_free(void *context) {
    volatile pthread_spinlock_t *lock = context;
    return *lock == 1;
}

BJ_EXPORT int pthread_spin_lock(pthread_spinlock_t *lock) {
    if (!bj_inside()) {
        return REAL(pthread_spin_lock)(lock);
    }
    bj_waiter waiter = {
        .ready = spin_is_free, .context = (void *) (uintptr_t) lock, .deadline = BJ_NEVER, .takes_no_signals = true
    };
    while (try_spin((void *) (uintptr_t) lock) == EBUSY) {
        if (bj_wait(&waiter) == BJ_WAIT_OVER) {
            return EDEADLK;
        }
    }
    return 0;
}

/* --- semaphores --- */

static bool can_take(void *context) {
    int value = 0;
    return sem_getvalue(context, &value) == 0 && value > 0;
}

static int take_until(sem_t *semaphore, bj_time deadline) {
    bj_waiter waiter = {
        .ready = can_take, .context = semaphore, .object = semaphore, .deadline = deadline, .cancel = BJ_CANCEL_ENDS
    };
    int saved = errno;
    while (REAL(sem_trywait)(semaphore) != 0) {
        if (errno != EAGAIN) {
            return -1;
        }
        int error = bj_wait_error(bj_wait(&waiter), true, ETIMEDOUT);
        if (error) {
            return bj_fail(-error);
        }
    }
    errno = saved;
    return 0;
}

BJ_EXPORT int sem_wait(sem_t *semaphore) {
    return bj_inside() ? take_until(semaphore, BJ_NEVER) : REAL(sem_wait)(semaphore);
}

BJ_EXPORT int sem_trywait(sem_t *semaphore) {
    int result = REAL(sem_trywait)(semaphore);
    if (result != 0 && bj_inside()) {
        int saved = errno;
        bj_glance();
        errno = saved;
    }
    return result;
}

BJ_EXPORT int sem_clockwait(sem_t *restrict semaphore, clockid_t clock, const struct timespec *restrict end) {
    if (!bj_inside()) {
        return REAL(sem_clockwait)(semaphore, clock, end);
    }
    return valid(end) && is_clock(clock) ? take_until(semaphore, bj_point(clock, end)) : bj_fail(EINVAL);
}

BJ_EXPORT int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict end) {
    if (!bj_inside()) {
        return REAL(sem_timedwait)(semaphore, end);
    }
    return valid(end) ? take_until(semaphore, bj_point(CLOCK_REALTIME, end)) : bj_fail(EINVAL);
}

BJ_EXPORT int sem_post(sem_t *semaphore) {
    int result = REAL(sem_post)(semaphore);
    if (result == 0 && bj_inside()) {
        bj_wake(semaphore, false);
    }
    return result;
}

/* --- barriers and once --- */

/* The third word of glibc's pthread_barrier_t is the number of threads that it waits for. */
static unsigned needed(const pthread_barrier_t *barrier) {
    return ((const unsigned *) (const void *) barrier)[2];
}

BJ_EXPORT int pthread_barrier_wait(pthread_barrier_t *barrier) {
    if (!bj_inside()) {
        return REAL(pthread_barrier_wait)(barrier);
    }
    if (bj_waiting_for(barrier) + 1 >= needed(barrier)) {
        bj_wake(barrier, true);
        return PTHREAD_BARRIER_SERIAL_THREAD;
    }
    bj_waiter waiter = { .object = barrier, .deadline = BJ_NEVER, .takes_no_signals = true };
    bj_wait(&waiter);
    return 0;
}

/* Bit 0: a thread is at it. That one may be parked, and glibc would wait for it with the baton in hand. */
static bool is_at_rest(void *context) {
    return (*(volatile pthread_once_t *) context & 1) == 0;
}

BJ_EXPORT int pthread_once(pthread_once_t *once, void (*initialise)(void)) {
    if (bj_inside() && bj_threaded() && !is_at_rest(once)) {
        bj_waiter waiter = { .ready = is_at_rest, .context = once, .deadline = BJ_NEVER, .takes_no_signals = true };
        bj_wait(&waiter);
    }
    return REAL(pthread_once)(once, initialise);
}
