/* SPDX-License-Identifier: Apache-2.0
 *
 * exec: the client is started again. Its program replaces itself in the same process, so that the supervisor need not
 * know; world, engine and log lie in the shared memory, at the same address, and go on (bj_child_resume()).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attach/preload.h"
#include "libc/libc.h"

enum { SAVED_DESCRIPTORS = 910 };

/* The one program of this process; see preload.c. */
static struct {
    char *program;
    char **arguments;
    char **environment;
    char folder[4096];
    mode_t mask;
    int standard[3]; /* copies, closed on exec; -1: there was none */
} start;

static char **copy_list(bj_arena *arena, char **list, size_t count) {
    char **copy = bj_arena_calloc(arena, count + 1, sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        copy[i] = bj_arena_strdup(arena, list[i]);
    }
    return copy;
}

enum { OWN = 5 };

/* Descriptors that a run needs as long as it goes on, in ascending order; how many they are. */
static size_t own_descriptors(int own[OWN]) {
    const bj_shared *shared = bj_preload_shared();
    const int all[OWN] = { bj_preload_descriptor(), shared->feed, shared->input, shared->said[0], shared->said[1] };
    size_t count = 0;
    for (size_t i = 0; i < OWN; i++) {
        size_t at = count;
        if (all[i] <= 0) {
            continue;
        }
        for (; at > 0 && own[at - 1] > all[i]; at--) {
            own[at] = own[at - 1];
        }
        own[at] = all[i];
        count++;
    }
    return count;
}

void bj_preload_remember(bj_arena *arena, int count, char **arguments, char **environment) {
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    size_t variables = 0;
    while (environment[variables]) {
        variables++;
    }
    start.program = bj_arena_strndup(arena, path, length > 0 ? (size_t) length : 0);
    start.arguments = copy_list(arena, arguments, (size_t) count);
    start.environment = copy_list(arena, environment, variables);
    if (!getcwd(start.folder, sizeof start.folder)) {
        start.folder[0] = '\0';
    }
    start.mask = umask(0);
    umask(start.mask);
    for (int fd = 0; fd < 3; fd++) {
        start.standard[fd] = fcntl(fd, F_DUPFD_CLOEXEC, SAVED_DESCRIPTORS);
        bj_libc_hide(start.standard[fd]);
    }
    int own[OWN];
    for (size_t i = 0, n = own_descriptors(own); i < n; i++) {
        bj_libc_hide(own[i]);
    }
}

/* Handlers go with the program; what it ignores and blocks would stay. */
static void reset_signals(void) {
    sigset_t none;
    struct sigaction standard = { .sa_handler = SIG_DFL };
    for (int number = 1; number < NSIG; number++) {
        sigaction(number, &standard, NULL);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* All but the three and the run's own are closed. */
static void reset_descriptors(void) {
    int own[OWN], first = 3;
    size_t count = own_descriptors(own);
    for (int fd = 0; fd < 3; fd++) {
        if (start.standard[fd] >= 0) {
            dup2(start.standard[fd], fd);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (own[i] > first) {
            syscall(SYS_close_range, first, own[i] - 1, 0);
        }
        first = own[i] >= first ? own[i] + 1 : first;
    }
    syscall(SYS_close_range, first, ~0U, 0);
}

_Noreturn void bj_preload_start_again(const bj_child *child) {
    bj_shared *shared = child->shared;
    int kept = bj_preload_descriptor();
    if (fcntl(kept, F_GETFD) < 0) {
        bj_shared_trouble(
            shared, "the client cannot be started again: it has closed descriptor %d, which is not its own", kept);
        bj_child_vanish(1);
    }
    bj_child *goes_on = bj_arena_copy(child->arena, child, sizeof *child);
    shared->child = (uint64_t) (uintptr_t) goes_on;
    reset_signals();
    reset_descriptors();
    if (!bj_child_reopen_input(shared, true)) {
        bj_shared_trouble(shared, "the client cannot be started again: no standard input: %s", strerror(errno));
        bj_child_vanish(1);
    }
    umask(start.mask);
    if (*start.folder && chdir(start.folder) != 0) {
        bj_shared_trouble(shared, "the client cannot be started again: %s: %s", start.folder, strerror(errno));
        bj_child_vanish(1);
    }
    syscall(SYS_execve, start.program, start.arguments, start.environment);
    bj_shared_trouble(shared, "the client cannot be started again: %s: %s", start.program, strerror(errno));
    bj_child_vanish(1);
}
