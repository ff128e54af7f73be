/* SPDX-License-Identifier: Apache-2.0
 *
 * Signals that the world sends (and those that the client sends itself): which thread gets one, and when. A handler
 * runs on its own thread, while that thread holds the baton, and ends its wait as signal(7) says. What every thread
 * blocks is left pending in the kernel, where sigwait() and signalfd() find it.
 */
#define _GNU_SOURCE
#include "libc/internal.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint64_t bit(int number) {
    return (uint64_t) 1 << (number - 1);
}

static int lowest(uint64_t bits) {
    return __builtin_ctzll(bits) + 1;
}

void bj_signals_block_all(sigset_t *before) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, before);
}

void bj_signals_restore(const sigset_t *mask) {
    pthread_sigmask(SIG_SETMASK, mask, NULL);
}

/* Called by the world, in the middle of its own work: only noted here. */
void bj_signal_arrives(void *context, int number) {
    (void) context;
    if (number >= 1 && number <= 64) {
        bj_the_run.arrived |= bit(number);
    }
}

void bj_signal_describe(int number, int code, union sigval value) {
    siginfo_t *info = &bj_the_run.signal_infos[number];
    memset(info, 0, sizeof *info);
    info->si_code = code;
    info->si_value = value;
}

static bool blocks(const bj_thread *thread, int number) {
    sigset_t own;
    if (thread->waiter && thread->waiter->mask) {
        return sigismember(thread->waiter->mask, number) == 1;
    }
    if (thread != bj_this.self) {
        return sigismember(&thread->mask, number) == 1;
    }
    pthread_sigmask(SIG_SETMASK, NULL, &own);
    return sigismember(&own, number) == 1;
}

static bool ignored(int number) {
    struct sigaction action;
    if (sigaction(number, NULL, &action) != 0) {
        return true;
    }
    if (action.sa_handler != SIG_DFL) {
        return action.sa_handler == SIG_IGN;
    }
    return number == SIGCHLD || number == SIGURG || number == SIGWINCH || number == SIGCONT;
}

/* The main thread first, as the kernel would; NULL: all block it. */
static bj_thread *receiver(int number) {
    if (bj_the_run.main.state != BJ_ENDED && !blocks(&bj_the_run.main, number)) {
        return &bj_the_run.main;
    }
    for (bj_thread *t = bj_the_run.threads; t; t = t->next) {
        if (t->state != BJ_ENDED && !blocks(t, number)) {
            return t;
        }
    }
    return NULL;
}

/* By the kernel, with what its handler is to be told; `thread_id` 0: to the process. */
static void raise_really(pid_t thread_id, int number) {
    siginfo_t info = bj_the_run.signal_infos[number];
    int saved = errno;
    info.si_signo = number;
    if (info.si_code == SI_USER) {
        info.si_pid = getpid();
        info.si_uid = getuid();
    }
    if (thread_id) {
        REAL(syscall)(SYS_rt_tgsigqueueinfo, getpid(), thread_id, number, &info);
    } else {
        REAL(syscall)(SYS_rt_sigqueueinfo, getpid(), number, &info);
    }
    errno = saved;
}

void bj_signals_dispatch(void) {
    while (bj_the_run.arrived) {
        int number = lowest(bj_the_run.arrived);
        bj_the_run.arrived &= ~bit(number);
        bj_thread *thread = receiver(number);
        if (thread) {
            bj_signal_post(thread, number);
        } else {
            raise_really(0, number);
        }
    }
}

void bj_signal_post(bj_thread *thread, int number) {
    if (!thread) {
        bj_the_run.arrived |= bit(number);
        bj_signals_dispatch();
    } else if (blocks(thread, number) || !ignored(number)) {
        thread->signals |= bit(number);
        bj_thread_interrupt(thread);
    }
}

bj_wait_result bj_signals_take(const sigset_t *mask) {
    bj_thread *self = bj_this.self;
    bj_wait_result result = BJ_WAIT_READY;
    sigset_t own, in_force;
    pthread_sigmask(SIG_SETMASK, mask, &own);
    in_force = mask ? *mask : own;
    while (self->signals) {
        int number = lowest(self->signals);
        self->signals &= ~bit(number);
        struct sigaction action;
        bool runs = sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_IGN &&
                    action.sa_handler != SIG_DFL && sigismember(&in_force, number) == 0;
        raise_really(self->id, number);
        if (runs) {
            result = (action.sa_flags & SA_RESTART) && result != BJ_WAIT_SIGNAL ? BJ_WAIT_RESTART : BJ_WAIT_SIGNAL;
        }
    }
    if (mask) {
        bj_signals_restore(&own);
    }
    return result;
}

bj_wait_result bj_signals_unblocked(const sigset_t *mask) {
    sigset_t pending, own;
    sigpending(&pending);
    for (int number = 1; !sigisemptyset(&pending) && number < NSIG; number++) {
        if (sigismember(&pending, number) == 1 && sigismember(mask, number) == 0) {
            pthread_sigmask(SIG_SETMASK, mask, &own);
            bj_signals_restore(&own);
            return BJ_WAIT_SIGNAL;
        }
    }
    return BJ_WAIT_READY;
}

/* --- waiting for one --- */

static bool any_pending(void *context) {
    const sigset_t *wanted = context;
    sigset_t pending;
    sigpending(&pending);
    for (int number = 1; !sigisemptyset(&pending) && number < NSIG; number++) {
        if (sigismember(&pending, number) == 1 && sigismember(wanted, number) == 1) {
            return true;
        }
    }
    return false;
}

static int wait_for(const sigset_t *set, siginfo_t *info, bj_time deadline) {
    static const struct timespec at_once;
    sigset_t wanted = *set;
    bj_waiter waiter = { .ready = any_pending, .context = &wanted, .deadline = deadline, .cancel = BJ_CANCEL_ENDS };
    bj_wait_result result = bj_wait(&waiter);
    if (result == BJ_WAIT_READY) {
        return REAL(sigtimedwait)(set, info, &at_once);
    }
    return bj_fail(result == BJ_WAIT_DEADLINE ? EAGAIN : EINTR);
}

BJ_EXPORT int sigtimedwait(const sigset_t *restrict set, siginfo_t *restrict info,
                           const struct timespec *restrict timeout) {
    if (!bj_inside()) {
        return REAL(sigtimedwait)(set, info, timeout);
    }
    bj_time deadline = timeout ? bj_later(bj_now(), bj_from_timespec(timeout)) : BJ_NEVER;
    return wait_for(set, info, deadline);
}

BJ_EXPORT int sigwaitinfo(const sigset_t *restrict set, siginfo_t *restrict info) {
    return bj_inside() ? wait_for(set, info, BJ_NEVER) : REAL(sigwaitinfo)(set, info);
}

BJ_EXPORT int sigwait(const sigset_t *restrict set, int *restrict number) {
    if (!bj_inside()) {
        return REAL(sigwait)(set, number);
    }
    int taken;
    do {
        taken = wait_for(set, NULL, BJ_NEVER);
    } while (taken < 0 && errno == EINTR && !bj_the_run.ended);
    if (taken < 0) {
        return errno;
    }
    *number = taken;
    return 0;
}

BJ_EXPORT int pause(void) {
    if (!bj_inside()) {
        return REAL(pause)();
    }
    bj_waiter waiter = { .deadline = BJ_NEVER, .cancel = BJ_CANCEL_ENDS };
    bj_wait(&waiter);
    return bj_fail(EINTR);
}

BJ_EXPORT int sigsuspend(const sigset_t *mask) {
    if (!bj_inside()) {
        return REAL(sigsuspend)(mask);
    }
    sigset_t during = *mask;
    bj_waiter waiter = { .deadline = BJ_NEVER, .mask = &during, .cancel = BJ_CANCEL_ENDS };
    bj_wait(&waiter);
    return bj_fail(EINTR);
}

/* --- sending one to oneself --- */

static bool is_ours(int number) {
    return number >= 1 && number <= 64 && number != SIGKILL && number != SIGSTOP;
}

static int send_to(bj_thread *thread, int number) {
    bj_signal_describe(number, SI_USER, (union sigval){ 0 });
    bj_signal_post(thread, number);
    if (bj_this.self->signals) {
        bj_signals_take(NULL);
    }
    return 0;
}

BJ_EXPORT int kill(pid_t process, int number) {
    if (bj_inside() && process == getpid() && is_ours(number)) {
        return send_to(NULL, number);
    }
    return REAL(kill)(process, number);
}

BJ_EXPORT int tgkill(pid_t process, pid_t id, int number) {
    if (bj_inside() && process == getpid() && id != bj_this.self->id && is_ours(number)) {
        for (bj_thread *t = bj_the_run.threads; t; t = t->next) {
            if (t->id == id && t->state != BJ_ENDED) {
                return send_to(t, number);
            }
        }
    }
    return REAL(tgkill)(process, id, number);
}

BJ_EXPORT int pthread_kill(pthread_t handle, int number) {
    if (bj_inside() && !pthread_equal(handle, pthread_self()) && is_ours(number)) {
        bj_thread *thread = bj_thread_by_handle(handle);
        if (thread && thread->state != BJ_ENDED) {
            return send_to(thread, number);
        }
    }
    return REAL(pthread_kill)(handle, number);
}
