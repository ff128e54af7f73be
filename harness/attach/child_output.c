/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's standard descriptors, from the world's side: what it writes goes into the event log with the world's
 * time, what the script types is written where it reads. Compiled into the preload library too: no malloc().
 *
 * They are pipes of which the child has the other ends, too. The supervisor reads what is left when the child is gone,
 * or when a pipe is full and the client waits for room, so that nothing is lost and nobody blocks for ever.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "attach/child.h"
#include "attach/output.h"

enum { CHUNK = 4096 };

/* Of one descriptor: the line that is not complete yet. */
typedef struct unfinished {
    char bytes[BJ_OUTPUT_LINE];
    size_t used;
} unfinished;

typedef struct bj_hearing {
    unfinished lines[2];
    size_t count; /* lines that were logged */
} bj_hearing;

void bj_child_hears(bj_child *child) {
    if (!child->hearing && child->shared->said[0]) {
        child->hearing = bj_arena_calloc(child->arena, 1, sizeof *child->hearing);
    }
    if (child->sim) {
        bj_sim_set_input(child->sim, child->shared->input ? bj_child_type : NULL, child);
    }
}

static void log_line(bj_child *child, int index) {
    unfinished *line = &child->hearing->lines[index];
    size_t length = line->used;
    line->used = 0;
    length -= length && line->bytes[length - 1] == '\r';
    if (++child->hearing->count > BJ_OUTPUT_KEPT) {
        bj_output_tail_put(bj_shared_at(child->shared, &child->shared->tail), index + 1, bj_log_last(child->log),
                           child->ops->now(child->world), length ? line->bytes : "", length);
        return;
    }
    bj_event said = { .kind = BJ_EV_CLIENT_OUTPUT,
                      .actor = BJ_ACTOR_CLIENT,
                      .time = child->ops->now(child->world),
                      .number = index + 1,
                      .text = length ? line->bytes : "",
                      .text_length = length };
    bj_log_append(child->log, &said);
}

static void take(bj_child *child, int index, const char *bytes, size_t length) {
    unfinished *line = &child->hearing->lines[index];
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\n' || line->used == BJ_OUTPUT_LINE) {
            log_line(child, index);
        }
        if (bytes[i] != '\n') {
            line->bytes[line->used++] = bytes[i];
        }
    }
}

/* No more than the pipe holds: who writes faster than is read here does not hold up the world. False: it is closed,
 * and all was read. */
static bool drain(bj_child *child, int index) {
    char bytes[CHUNK];
    int fd = child->shared->said[index];
    for (long room = syscall(SYS_fcntl, fd, F_GETPIPE_SZ); room > 0;) {
        ssize_t got = syscall(SYS_read, fd, bytes, sizeof bytes);
        if (got <= 0) {
            return got < 0 && (errno == EAGAIN || errno == EINTR);
        }
        take(child, index, bytes, (size_t) got);
        room -= got;
    }
    return true;
}

bool bj_child_hear(void *context) {
    bj_child *child = context;
    int kept = errno;
    bool more = false;
    for (int i = 0; child->hearing && i < 2; i++) {
        more = drain(child, i) || more;
    }
    errno = kept;
    return more;
}

void bj_child_hear_last(bj_child *child) {
    bj_child_hear(child);
    for (int i = 0; child->hearing && i < 2; i++) {
        if (child->hearing->lines[i].used) {
            log_line(child, i);
        }
    }
}

/* --- typing ----------------------------------------------------------------------------------------------------- */

/* A pipe takes a short line as a whole or not at all (PIPE_BUF, pipe(7)); a long one may be cut, and is typed on. */
static int type_line(int fd, const char *line, size_t length) {
    for (size_t done = 0; done <= length;) {
        const struct iovec parts[] = { { (char *) (uintptr_t) line + done, length - done },
                                       { (char *) (uintptr_t) "\n", 1 } };
        ssize_t n = syscall(SYS_writev, fd, parts, 2);
        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        done += n > 0 ? (size_t) n : 0;
    }
    return 0;
}

int bj_child_type(void *context, const char *line, size_t length, bool end) {
    bj_child *child = context;
    int kept = errno, result = 0;
    if (child->shared->input <= 0) {
        return child->shared->input < 0 ? -EPIPE : -ENOTSUP;
    }
    if (line) {
        result = type_line(child->shared->input, line, length);
    }
    if (end && result == 0) {
        syscall(SYS_close, child->shared->input);
        child->shared->input = -1;
    }
    errno = kept;
    return result;
}

bool bj_child_reopen_input(bj_shared *shared, bool over_exec) {
    int ends[2];
    if (shared->input >= 0) { /* it goes on, or there is none */
        return true;
    }
    if (syscall(SYS_pipe2, ends, O_CLOEXEC) != 0) {
        return false;
    }
    int high = (int) syscall(SYS_fcntl, ends[1], over_exec ? F_DUPFD : F_DUPFD_CLOEXEC, BJ_SHARED_DESCRIPTOR + 1);
    bool good =
        high >= 0 && syscall(SYS_fcntl, high, F_SETFL, O_NONBLOCK) == 0 && syscall(SYS_dup3, ends[0], 0, 0) == 0;
    int why = errno;
    if (good) {
        shared->input = high;
    }
    syscall(SYS_close, ends[0]);
    syscall(SYS_close, ends[1]);
    errno = why;
    return good;
}
