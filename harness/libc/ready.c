/* SPDX-License-Identifier: Apache-2.0
 *
 * poll() and select() in all their forms, over virtual and foreign descriptors together: the foreign ones are asked
 * without waiting whenever the world has moved.
 */
#define _GNU_SOURCE
#include "libc/internal.h"

#include <string.h>
#include <sys/select.h>
#include <sys/time.h>

short bj_poll_events(short events) {
    events |= events & POLLIN ? POLLRDNORM : 0;
    events |= events & POLLOUT ? POLLWRNORM : 0;
    return events;
}

/* One call of poll(). `foreign` is a copy in which the virtual descriptors are struck out, NULL when all are virtual.
 */
typedef struct bj_question {
    struct pollfd *fds;
    struct pollfd *foreign;
    nfds_t count;
} bj_question;

static void prepare(bj_question *question, struct pollfd *fds, nfds_t count) {
    *question = (bj_question){ .fds = fds, .count = count };
    bool any = false;
    for (nfds_t i = 0; i < count; i++) {
        any = any || (fds[i].fd >= 0 && !bj_file_of(fds[i].fd));
    }
    if (!any) {
        return;
    }
    question->foreign = bj_arena_copy(bj_the_run.arena, fds, count * sizeof *fds);
    for (nfds_t i = 0; i < count; i++) {
        if (bj_file_of(fds[i].fd)) {
            question->foreign[i].fd = -1;
        }
    }
}

static int ask_foreign(bj_question *question) {
    if (!question->foreign) {
        return 0;
    }
    int saved = errno;
    int ready = REAL(poll)(question->foreign, question->count, 0);
    errno = saved;
    for (nfds_t i = 0; i < question->count; i++) {
        if (question->foreign[i].fd >= 0) {
            question->fds[i].revents = ready > 0 ? question->foreign[i].revents : 0;
        }
    }
    return ready > 0 ? ready : 0;
}

static int ask(bj_question *question) {
    int ready = ask_foreign(question);
    for (nfds_t i = 0; i < question->count; i++) {
        struct pollfd *p = &question->fds[i];
        bj_file *file = bj_file_of(p->fd);
        if (file) {
            short wanted = p->events | POLLERR | POLLHUP;
            p->revents = (short) (bj_poll_events(bj_file_events(file, NULL)) & wanted);
            ready += p->revents != 0;
        } else if (p->fd < 0) {
            p->revents = 0;
        } else if (!question->foreign || question->foreign[i].fd < 0) {
            p->revents = POLLNVAL; /* closed by another thread meanwhile */
            ready++;
        }
    }
    return ready;
}

static bool any_ready(void *context) {
    return ask(context) > 0;
}

static bj_time wakes(void *context) {
    const bj_question *question = context;
    bj_time earliest = BJ_NEVER;
    for (nfds_t i = 0; i < question->count; i++) {
        bj_file *file = bj_file_of(question->fds[i].fd);
        bj_time time = file ? bj_file_wakes(file) : BJ_NEVER;
        earliest = time < earliest ? time : earliest;
    }
    return earliest;
}

/* The number of descriptors that are ready, or a negative errno. */
static int answer(bj_question *question, bj_time timeout, const sigset_t *mask) {
    bj_time deadline = bj_later(bj_now(), timeout);
    bj_waiter waiter = { .ready = any_ready,
                         .wakes = wakes,
                         .context = question,
                         .deadline = deadline,
                         .mask = mask,
                         .cancel = BJ_CANCEL_ENDS };
    int ready = ask(question);
    if (ready > 0) {
        bj_glance();
        return ready;
    }
    if (timeout == 0) {
        bj_polled();
        return ask(question);
    }
    do {
        bj_wait_result result = bj_wait(&waiter);
        if (result == BJ_WAIT_DEADLINE || result == BJ_WAIT_OVER) {
            return ask(question);
        }
        if (result != BJ_WAIT_READY) {
            return -EINTR;
        }
        ready = ask(question);
    } while (ready == 0);
    return ready;
}

static int poll_for(struct pollfd *fds, nfds_t count, bj_time timeout, const sigset_t *mask) {
    bj_question question;
    sigset_t during;
    if (mask) {
        during = *mask;
    }
    prepare(&question, fds, count);
    int ready = answer(&question, timeout, mask ? &during : NULL);
    bj_arena_free(bj_the_run.arena, question.foreign);
    return (int) bj_result(ready);
}

BJ_EXPORT int poll(struct pollfd *fds, nfds_t count, int timeout_ms) {
    if (!bj_inside()) {
        return REAL(poll)(fds, count, timeout_ms);
    }
    return poll_for(fds, count, timeout_ms < 0 ? BJ_NEVER : (bj_time) timeout_ms * BJ_MS, NULL);
}

BJ_EXPORT int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask) {
    if (!bj_inside()) {
        return REAL(ppoll)(fds, count, timeout, mask);
    }
    if (timeout && !bj_timespec_valid(timeout)) {
        return bj_fail(EINVAL);
    }
    return poll_for(fds, count, timeout ? bj_from_timespec(timeout) : BJ_NEVER, mask);
}

/* --- select() --- */

/* The kernel reads the sets as arrays of long, however long the caller made them. */
static bool is_set(const fd_set *set, int fd) {
    return set && (((const unsigned long *) (const void *) set)[fd / 64] >> (fd % 64) & 1);
}

static void mark(fd_set *set, int fd, bool on) {
    unsigned long bit = 1UL << (fd % 64);
    if (set && !on) {
        ((unsigned long *) (void *) set)[fd / 64] &= ~bit;
    }
}

static nfds_t from_sets(struct pollfd *fds, int limit, const fd_set *reads, const fd_set *writes,
                        const fd_set *others) {
    nfds_t count = 0;
    for (int fd = 0; fd < limit; fd++) {
        short events = 0;
        events |= is_set(reads, fd) ? POLLIN : 0;
        events |= is_set(writes, fd) ? POLLOUT : 0;
        events |= is_set(others, fd) ? POLLPRI : 0;
        if (events) {
            fds[count++] = (struct pollfd){ .fd = fd, .events = events };
        }
    }
    return count;
}

static bool any_bad(const struct pollfd *fds, nfds_t count) {
    for (nfds_t i = 0; i < count; i++) {
        if (fds[i].revents & POLLNVAL) {
            return true;
        }
    }
    return false;
}

/* select(2) says which events each set stands for. Every bit that is on in a set was asked. */
static int into_sets(const struct pollfd *fds, nfds_t count, fd_set *reads, fd_set *writes, fd_set *others) {
    int bits = 0;
    for (nfds_t i = 0; i < count; i++) {
        short events = fds[i].revents;
        int fd = fds[i].fd;
        bool in = (fds[i].events & POLLIN) && (events & (POLLIN | POLLHUP | POLLERR));
        bool out = (fds[i].events & POLLOUT) && (events & (POLLOUT | POLLERR));
        bool other = (fds[i].events & POLLPRI) && (events & POLLPRI);
        mark(reads, fd, in);
        mark(writes, fd, out);
        mark(others, fd, other);
        bits += in + out + other;
    }
    return bits;
}

static int select_for(int limit, fd_set *reads, fd_set *writes, fd_set *others, bj_time timeout, const sigset_t *mask) {
    if (limit < 0) {
        return bj_fail(EINVAL);
    }
    limit = limit < FD_SETSIZE ? limit : FD_SETSIZE;
    struct pollfd *fds = bj_arena_alloc(bj_the_run.arena, ((size_t) limit + 1) * sizeof *fds);
    nfds_t count = from_sets(fds, limit, reads, writes, others);
    int ready = poll_for(fds, count, timeout, mask);
    if (ready >= 0 && any_bad(fds, count)) {
        ready = bj_fail(EBADF);
    }
    if (ready >= 0) {
        ready = into_sets(fds, count, reads, writes, others);
    }
    bj_arena_free(bj_the_run.arena, fds);
    return ready;
}

BJ_EXPORT int select(int limit, fd_set *restrict reads, fd_set *restrict writes, fd_set *restrict others,
                     struct timeval *restrict timeout) {
    if (!bj_inside()) {
        return REAL(select)(limit, reads, writes, others, timeout);
    }
    if (!timeout) {
        return select_for(limit, reads, writes, others, BJ_NEVER, NULL);
    }
    if (timeout->tv_sec < 0 || timeout->tv_usec < 0) {
        return bj_fail(EINVAL);
    }
    bj_time duration = bj_from_timeval(timeout), began = bj_now();
    int ready = select_for(limit, reads, writes, others, duration, NULL);
    bj_time passed = bj_now() - began;
    bj_to_timeval(passed < duration ? duration - passed : 0, timeout); /* Linux tells what is left */
    return ready;
}

BJ_EXPORT int pselect(int limit, fd_set *restrict reads, fd_set *restrict writes, fd_set *restrict others,
                      const struct timespec *restrict timeout, const sigset_t *restrict mask) {
    if (!bj_inside()) {
        return REAL(pselect)(limit, reads, writes, others, timeout, mask);
    }
    if (timeout && !bj_timespec_valid(timeout)) {
        return bj_fail(EINVAL);
    }
    return select_for(limit, reads, writes, others, timeout ? bj_from_timespec(timeout) : BJ_NEVER, mask);
}
