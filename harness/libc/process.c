/* SPDX-License-Identifier: Apache-2.0
 *
 * A run is one process: a child would share the world's memory and move it behind its parent's back. fork() and what
 * stands on it are refused with a line that says why. system() and posix_spawn() do work: what they start lives
 * outside.
 */
#define _GNU_SOURCE
#include "libc/internal.h"

#include <pty.h>
#include <stdio.h>
#include <unistd.h>

static int refuse(const char *function) {
    char line[160];
    int length =
        snprintf(line, sizeof line, "bootjack: %s() refused: the simulated world belongs to one process\n", function);
    if (REAL(write)(2, line, (size_t) length) != length) {
        return bj_fail(EAGAIN);
    }
    return bj_fail(EAGAIN);
}

BJ_EXPORT pid_t fork(void) {
    return bj_inside() ? refuse("fork") : REAL(fork)();
}

/* Outside a run as fork(): POSIX allows it, and a real vfork() cannot be wrapped. */
BJ_EXPORT pid_t vfork(void) {
    return bj_inside() ? refuse("vfork") : REAL(fork)();
}

BJ_EXPORT int daemon(int stays, int keeps_descriptors) {
    return bj_inside() ? refuse("daemon") : REAL(daemon)(stays, keeps_descriptors);
}

BJ_EXPORT int forkpty(int *terminal, char *name, const struct termios *attributes, const struct winsize *size) {
    return bj_inside() ? refuse("forkpty") : REAL(forkpty)(terminal, name, attributes, size);
}
