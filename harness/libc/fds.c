/* SPDX-License-Identifier: Apache-2.0
 *
 * Descriptors: which are virtual, and what happens to them whatever they stand for. Behind each virtual descriptor lies
 * a real one of the same number and a harmless kind (an unconnected AF_UNIX socket, a timerfd that is never set, an
 * epoll set), so that the kernel keeps numbers, flags and close-on-exec.
 */
#define _GNU_SOURCE
#include "libc/disk.h"

#include <assert.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <unistd.h>

bj_file *bj_file_of(int fd) {
    return fd >= 0 && fd < BJ_DESCRIPTORS ? bj_the_run.files[fd] : NULL;
}

static void enter(int fd, bj_file *file) {
    assert(fd >= 0 && fd < BJ_DESCRIPTORS && !bj_the_run.files[fd]);
    bj_the_run.files[fd] = file;
    bj_the_run.highest = fd > bj_the_run.highest ? fd : bj_the_run.highest;
    file->references++;
}

int bj_ghost(void) {
    for (int fd = bj_the_run.ghosts; fd < FD_SETSIZE; fd++) {
        if (!bj_the_run.files[fd]) {
            return fd;
        }
    }
    errno = EMFILE;
    return -1;
}

bj_file *bj_file_new(int placeholder, bj_file_kind kind, bool nonblocking) {
    if (placeholder < 0) {
        return NULL;
    }
    if (placeholder >= BJ_DESCRIPTORS) {
        REAL(close)(placeholder);
        errno = EMFILE;
        return NULL;
    }
    bj_file *file = bj_arena_alloc(bj_the_run.arena, sizeof *file);
    file->kind = kind;
    file->nonblocking = nonblocking;
    file->ghost = bj_the_run.ghosts || bj_crew_is_ghost(placeholder);
    enter(placeholder, file);
    return file;
}

void bj_files_each(void (*visit)(bj_file *file, void *context), void *context) {
    int first = bj_the_run.ghosts; /* below which none is virtual */
    for (int fd = first; fd <= bj_the_run.highest; fd++) {
        bj_file *file = bj_the_run.files[fd];
        bool met = !file;
        for (int earlier = first; file && file->references > 1 && earlier < fd && !met; earlier++) {
            met = bj_the_run.files[earlier] == file;
        }
        if (!met) {
            visit(file, context);
        }
    }
}

static void leave_epoll(bj_file *set, void *closed) {
    if (set->kind == BJ_FILE_EPOLL) {
        bj_epoll_forget(set, closed);
    }
}

static void destroy(bj_file *file) {
    if (file->sets) {
        bj_files_each(leave_epoll, file);
    }
    if (file->kind == BJ_FILE_SOCKET) {
        bj_crew_leave(file);
        bj_socket_close(file);
    } else if (file->kind == BJ_FILE_EPOLL) {
        bj_epoll_close(file);
    } else if (file->kind == BJ_FILE_DISK) {
        bj_disk_file_close(file);
    }
    bj_arena_free(bj_the_run.arena, file);
}

bool bj_file_release(bj_file *file) {
    if (--file->references > 0) {
        return false;
    }
    destroy(file);
    return true;
}

static int another_descriptor(const bj_file *file) {
    int fd = bj_the_run.highest;
    while (fd >= 0 && bj_the_run.files[fd] != file) {
        fd--;
    }
    return fd;
}

/* The descriptor is closed; the file with its last descriptor. */
static void drop(int fd) {
    bj_file *file = bj_file_of(fd);
    if (!file) {
        return;
    }
    bj_the_run.files[fd] = NULL;
    while (bj_the_run.highest >= 0 && !bj_the_run.files[bj_the_run.highest]) {
        bj_the_run.highest--;
    }
    if (!bj_file_release(file) && file->kind == BJ_FILE_EPOLL && file->epoll.fd == fd) {
        file->epoll.fd = another_descriptor(file);
    }
}

int bj_files_close_all(void) {
    int count = 0;
    while (bj_the_run.highest >= 0) {
        int fd = bj_the_run.highest;
        bool ghost = bj_the_run.files[fd]->ghost;
        drop(fd);
        if (!ghost) {
            REAL(close)(fd);
        }
        count++;
    }
    return count;
}

short bj_file_events(bj_file *file, uint64_t *edges) {
    if (edges) {
        *edges = 0;
    }
    switch (file->kind) {
    case BJ_FILE_SOCKET:
        return bj_sim_socket_events(file->socket.sim, edges);
    case BJ_FILE_TIMER:
        return bj_timerfd_events(file, edges);
    case BJ_FILE_EPOLL:
        return bj_epoll_events(file, edges);
    default:
        return POLLIN | POLLOUT;
    }
}

bj_time bj_file_wakes(bj_file *file) {
    if (file->kind == BJ_FILE_TIMER) {
        return bj_timerfd_wakes(file);
    }
    return file->kind == BJ_FILE_EPOLL ? bj_epoll_wakes(file) : BJ_NEVER;
}

/* --- linked mode: is there anything to do? --- */

static void is_poked(bj_file *file, void *poked) {
    uint64_t edges;
    if (file->kind == BJ_FILE_EPOLL || file->kind == BJ_FILE_RANDOM || file->kind == BJ_FILE_DISK) {
        return;
    }
    short events = bj_file_events(file, &edges);
    bool changed = edges != file->poke_edges;
    bool more = file->touched && (events & (POLLIN | POLLERR | POLLHUP));
    file->poke_edges = edges;
    file->touched = false;
    if (more || (changed && events)) {
        *(bool *) poked = true;
    }
}

bool bj_files_poked(void) {
    bool poked = false;
    bj_files_each(is_poked, &poked);
    return poked;
}

/* --- foreign descriptors --- */

short bj_foreign_events(int fd, short events) {
    struct pollfd pollfd = { .fd = fd, .events = events };
    int saved = errno;
    int count = REAL(poll)(&pollfd, 1, 0);
    errno = saved;
    return count > 0 ? pollfd.revents : 0;
}

static bool foreign_ready(void *context) {
    const struct pollfd *pollfd = context;
    return bj_foreign_events(pollfd->fd, pollfd->events) != 0;
}

/* SO_RCVTIMEO and SO_SNDTIMEO of a foreign socket count in virtual time, too. */
static bj_time foreign_timeout(int fd, short events) {
    struct timeval timeout = { 0 };
    socklen_t size = sizeof timeout;
    int name = events & POLLIN ? SO_RCVTIMEO : SO_SNDTIMEO;
    if (REAL(getsockopt)(fd, SOL_SOCKET, name, &timeout, &size) != 0) {
        return BJ_NEVER;
    }
    bj_time duration = bj_from_timeval(&timeout);
    return duration ? duration : BJ_NEVER;
}

int bj_foreign_wait(int fd, short events) {
    int saved = errno;
    struct pollfd pollfd = { .fd = fd, .events = events };
    if (foreign_ready(&pollfd)) {
        return 0;
    }
    int flags = REAL(fcntl)(fd, F_GETFL);
    bool waits = flags >= 0 && !(flags & O_NONBLOCK);
    bj_time timeout = waits ? foreign_timeout(fd, events) : 0;
    errno = saved;
    if (!waits) {
        return 0;
    }
    bj_waiter waiter = {
        .ready = foreign_ready, .context = &pollfd, .deadline = bj_later(bj_now(), timeout), .cancel = BJ_CANCEL_ENDS
    };
    int error;
    bj_wait_result result;
    do {
        result = bj_wait(&waiter);
        error = bj_wait_error(result, timeout == BJ_NEVER, EAGAIN);
    } while (result == BJ_WAIT_RESTART && error == 0);
    return error;
}

/* --- closing and duplicating --- */

static bool is_ghost(int fd) {
    const bj_file *file = bj_inside() ? bj_file_of(fd) : NULL;
    return file && file->ghost;
}

BJ_EXPORT int close(int fd) {
    bool ghost = is_ghost(fd);
    if (bj_inside()) {
        if (bj_is_hidden(fd)) {
            return bj_fail(EBADF);
        }
        drop(fd);
    }
    return ghost ? 0 : REAL(close)(fd);
}

static void drop_range(unsigned first, unsigned last) {
    for (int fd = bj_the_run.highest; fd >= 0 && (unsigned) fd >= first; fd--) {
        if ((unsigned) fd <= last) {
            drop(fd);
        }
    }
}

/* All of the range but what is hidden. */
static int close_around(unsigned first, unsigned last, int flags) {
    for (unsigned fd = first; fd <= last && fd < BJ_DESCRIPTORS; fd++) {
        if (bj_is_hidden((int) fd)) {
            if (fd > first && REAL(close_range)(first, fd - 1, flags) != 0) {
                return -1;
            }
            first = fd + 1;
        }
    }
    return first <= last ? REAL(close_range)(first, last, flags) : 0;
}

BJ_EXPORT int close_range(unsigned first, unsigned last, int flags) {
    if (bj_inside() && !(flags & CLOSE_RANGE_CLOEXEC)) {
        drop_range(first, last);
        return close_around(first, last, flags);
    }
    return REAL(close_range)(first, last, flags);
}

BJ_EXPORT void closefrom(int first) {
    if (bj_inside() && first >= 0) {
        drop_range((unsigned) first, BJ_DESCRIPTORS - 1);
        close_around((unsigned) first, ~0U, 0);
        return;
    }
    REAL(closefrom)(first);
}

/* `copy` is what the kernel gave (or -1); what it stood for before is gone. */
static int duplicated(int fd, int copy) {
    if (!bj_inside() || copy < 0 || copy == fd) {
        return copy;
    }
    drop(copy);
    bj_file *file = bj_file_of(fd);
    if (file && copy >= BJ_DESCRIPTORS) {
        REAL(close)(copy);
        return bj_fail(EMFILE);
    }
    if (file) {
        enter(copy, file);
    }
    return copy;
}

BJ_EXPORT int dup(int fd) {
    return duplicated(fd, REAL(dup)(fd));
}

BJ_EXPORT int dup2(int fd, int copy) {
    if (bj_inside() && bj_is_hidden(copy)) {
        return bj_fail(EBADF);
    }
    return duplicated(fd, REAL(dup2)(fd, copy));
}

BJ_EXPORT int dup3(int fd, int copy, int flags) {
    if (bj_inside() && bj_is_hidden(copy)) {
        return bj_fail(EBADF);
    }
    return duplicated(fd, REAL(dup3)(fd, copy, flags));
}

static int ghost_fcntl(bj_file *file, int command, void *argument) {
    switch (command) {
    case F_GETFL:
        return O_RDWR | (file->nonblocking ? O_NONBLOCK : 0);
    case F_SETFL:
        file->nonblocking = ((intptr_t) argument & O_NONBLOCK) != 0;
        return 0;
    case F_GETFD:
        return FD_CLOEXEC;
    case F_SETFD:
        return 0;
    default:
        return bj_fail(EINVAL);
    }
}

BJ_EXPORT int fcntl(int fd, int command, ...) {
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    bj_file *on_disk = bj_disk_file(fd);
    int result;
    if (on_disk && bj_disk_fcntl(on_disk, command, argument, &result)) {
        return result;
    }
    if (is_ghost(fd)) {
        return ghost_fcntl(bj_file_of(fd), command, argument);
    }
    result = REAL(fcntl)(fd, command, argument);
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) {
        return duplicated(fd, result);
    }
    bj_file *file = bj_inside() ? bj_file_of(fd) : NULL;
    if (file && command == F_SETFL && result == 0) {
        file->nonblocking = ((intptr_t) argument & O_NONBLOCK) != 0;
    }
    return result;
}

BJ_EXPORT int fcntl64(int fd, int command, ...) __attribute__((alias("fcntl")));

BJ_EXPORT int ioctl(int fd, unsigned long request, ...) {
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    bj_file *file = bj_inside() ? bj_file_of(fd) : NULL;
    if (!file) {
        return REAL(ioctl)(fd, request, argument);
    }
    if (request == FIONBIO) {
        file->nonblocking = *(int *) argument != 0;
        return file->ghost ? 0 : REAL(ioctl)(fd, request, argument);
    }
    if (file->kind == BJ_FILE_SOCKET) {
        return (int) bj_result(bj_socket_ioctl(file, request, argument));
    }
    return REAL(ioctl)(fd, request, argument);
}
