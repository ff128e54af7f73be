/* SPDX-License-Identifier: Apache-2.0
 *
 * timerfd: a deadline that is a descriptor. Expirations are counted when somebody looks.
 */
#define _GNU_SOURCE
#include "libc/internal.h"

#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* Expirations that were not read yet. */
static uint64_t due(const bj_file *file) {
    bj_time now = bj_now();
    if (file->timer.expiry > now) {
        return 0;
    }
    return file->timer.interval ? (now - file->timer.expiry) / file->timer.interval + 1 : 1;
}

short bj_timerfd_events(const bj_file *file, uint64_t *edges) {
    uint64_t expired = due(file);
    if (edges) {
        *edges = file->timer.edges + (expired > 0); /* one that is not read does not go off again */
    }
    return expired ? POLLIN : 0;
}

/* They are read now: the next is in the future. */
static void consume(bj_file *file, uint64_t expired) {
    file->timer.edges += expired;
    if (file->timer.interval) {
        file->timer.expiry += expired * file->timer.interval;
    } else {
        file->timer.expiry = BJ_NEVER;
    }
}

static bool is_due(void *context) {
    return due(context) > 0;
}

/* The next expiration that has not happened yet. */
bj_time bj_timerfd_wakes(const bj_file *file) {
    bj_time expiry = file->timer.expiry;
    if (expiry == BJ_NEVER || expiry > bj_now()) {
        return expiry;
    }
    return file->timer.interval ? expiry + due(file) * file->timer.interval : BJ_NEVER;
}

static bj_time expires(void *context) {
    return bj_timerfd_wakes(context);
}

static int await_expiry(bj_file *file) {
    if (file->nonblocking) {
        bj_glance();
        return -EAGAIN;
    }
    bj_waiter waiter = {
        .ready = is_due, .wakes = expires, .context = file, .deadline = BJ_NEVER, .cancel = BJ_CANCEL_ENDS
    };
    file->references++;
    bj_wait_result result = bj_wait(&waiter);
    return bj_file_release(file) ? -EBADF : bj_wait_error(result, true, EINTR);
}

int64_t bj_timerfd_read(bj_file *file, void *data, size_t room) {
    if (room < sizeof(uint64_t)) {
        return -EINVAL;
    }
    uint64_t expired;
    while ((expired = due(file)) == 0) {
        int error = await_expiry(file);
        if (error) {
            return error;
        }
    }
    consume(file, expired);
    file->touched = true;
    memcpy(data, &expired, sizeof expired);
    return sizeof expired;
}

static bj_file *timer_of(int fd) {
    bj_file *file = bj_inside() ? bj_file_of(fd) : NULL;
    return file && file->kind == BJ_FILE_TIMER ? file : NULL;
}

BJ_EXPORT int timerfd_create(clockid_t clock, int flags) {
    if (!bj_inside()) {
        return REAL(timerfd_create)(clock, flags);
    }
    int fd = BJ_PLACEHOLDER(REAL(timerfd_create)(clock, flags));
    bj_file *file = bj_file_new(fd, BJ_FILE_TIMER, (flags & TFD_NONBLOCK) != 0);
    if (!file) {
        return -1;
    }
    file->timer.clock = clock;
    file->timer.expiry = BJ_NEVER;
    return fd;
}

static void show(const bj_file *file, struct itimerspec *value) {
    bj_time now = bj_now(), left = 0;
    if (file->timer.expiry != BJ_NEVER) {
        uint64_t passed = due(file);
        bj_time next = file->timer.expiry + passed * file->timer.interval;
        left = next > now ? next - now : 0;
    }
    bj_to_timespec(left, &value->it_value);
    bj_to_timespec(file->timer.interval, &value->it_interval);
}

BJ_EXPORT int timerfd_gettime(int fd, struct itimerspec *value) {
    const bj_file *file = timer_of(fd);
    if (!file) {
        return REAL(timerfd_gettime)(fd, value);
    }
    show(file, value);
    return 0;
}

BJ_EXPORT int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old) {
    bj_file *file = timer_of(fd);
    if (!file) {
        return REAL(timerfd_settime)(fd, flags, value, old);
    }
    if (!bj_timespec_valid(&value->it_value) || !bj_timespec_valid(&value->it_interval)) {
        return bj_fail(EINVAL);
    }
    if (old) {
        show(file, old);
    }
    bool armed = value->it_value.tv_sec || value->it_value.tv_nsec;
    file->timer.edges += due(file);
    file->timer.interval = bj_from_timespec(&value->it_interval);
    file->timer.expiry = flags & TFD_TIMER_ABSTIME ? bj_point(file->timer.clock, &value->it_value)
                                                   : bj_later(bj_now(), bj_from_timespec(&value->it_value));
    if (!armed) {
        file->timer.expiry = BJ_NEVER;
    }
    return 0;
}
