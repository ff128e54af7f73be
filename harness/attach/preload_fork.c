/* SPDX-License-Identifier: Apache-2.0
 *
 * See fork_server.h. Forks are made by the system call: the C library's own fork() would run the client's handlers, and
 * take the world away from the child as it does from every process that a client forks.
 */
#define _GNU_SOURCE
#include "attach/fork_server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach/output_tail.h"
#include "attach/preload.h"
#include "libc/libc.h"
#include "script/bytes.h"

/* Of the one server of this process: see preload.c. */
static struct {
    char input[4096];
    bj_log_mark mark;
    bj_output_tail tail; /* as it was there */
    bool forked, fed;
} server;

bool bj_preload_fork_wanted(void) {
    const char *input = getenv(BJ_FORK_VARIABLE);
    if (!input || strlen(input) >= sizeof server.input) {
        return false;
    }
    strcpy(server.input, input);
    unsetenv(BJ_FORK_VARIABLE);
    return true;
}

bool bj_preload_is_forked(void) {
    return server.forked;
}

static bool read_all(int fd, void *bytes, size_t length) {
    size_t got = 0;
    while (got < length) {
        ssize_t n = syscall(SYS_read, fd, (char *) bytes + got, length - got);
        if (n <= 0 && !(n < 0 && errno == EINTR)) {
            return false;
        }
        got += n > 0 ? (size_t) n : 0;
    }
    return true;
}

static bool write_word(uint32_t word) {
    return syscall(SYS_write, BJ_FORK_STATUS, &word, sizeof word) == sizeof word;
}

/* --- the server ------------------------------------------------------------------------------------------------- */

_Noreturn static void refuse(const bj_child *child, const char *why) {
    bj_shared_trouble(child->shared, "%s", why);
    bj_child_vanish(1);
}

/* The kernel keeps the number of threads as the links of this folder. */
static bool has_threads(void) {
    struct stat about;
    return syscall(SYS_newfstatat, AT_FDCWD, "/proc/self/task", &about, 0) == 0 && about.st_nlink > 3;
}

/* From now on what a fork changes in the world is its own. */
static void make_private(const bj_child *child) {
    const bj_range *arena = &child->shared->arena;
    void *place = bj_shared_at(child->shared, arena);
    void *got = mmap(place, arena->length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE,
                     bj_preload_descriptor(), (off_t) arena->at);
    if (got != place) {
        refuse(child, "the world's memory cannot be made private for forks");
    }
}

/* Serves until its supervisor is gone; comes back in each fork only. */
static void serve(bj_child *child) {
    uint32_t word;
    if (has_threads()) {
        refuse(child, "the client has threads: it cannot be forked in the middle of its run");
    }
    make_private(child);
    bj_output_tail *tail = bj_shared_at(child->shared, &child->shared->tail);
    server.mark = bj_log_marked(child->log);
    server.tail = *tail;
    if (!write_word(0)) {
        refuse(child, "there is nobody who wants forks");
    }
    while (read_all(BJ_FORK_CONTROL, &word, sizeof word)) {
        bj_log_rewind(child->log, server.mark);
        if (tail->count != server.tail.count) {
            *tail = server.tail;
        }
        atomic_store(&child->shared->phase, BJ_PHASE_WORLD);
        long fork = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
        int status = -1;
        if (fork == 0) {
            server.forked = true;
            child->shared->process = (int32_t) syscall(SYS_getpid);
            syscall(SYS_close, BJ_FORK_CONTROL);
            syscall(SYS_close, BJ_FORK_STATUS);
            return;
        }
        if (fork < 0 || !write_word((uint32_t) fork)) {
            break;
        }
        while (syscall(SYS_wait4, fork, &status, 0, NULL) < 0 && errno == EINTR) {
        }
        if (!write_word((uint32_t) status)) {
            break;
        }
    }
    bj_child_vanish(0);
}

/* --- a fork ------------------------------------------------------------------------------------------------------ */

static const bj_record *take_input(const bj_child *child) {
    char *bytes = bj_arena_alloc(child->arena, BJ_FORK_INPUT_MOST);
    int fd = (int) syscall(SYS_openat, AT_FDCWD, server.input, O_RDONLY | O_CLOEXEC, 0);
    ssize_t length = fd < 0 ? -1 : syscall(SYS_read, fd, bytes, BJ_FORK_INPUT_MOST);
    syscall(SYS_close, fd);
    return bj_program_decode(child->arena, BJ_K_SCENARIO, bytes, length > 0 ? (size_t) length : 0, NULL, 0);
}

/* The engine asks from inside a call of the client's: what is done here is none of the world's. */
static bj_fed feed(void *context, const bj_record **steps) {
    bj_child *child = context;
    if (server.fed) {
        return BJ_FED_END;
    }
    int kept = errno;
    server.fed = true;
    bj_libc_outside();
    serve(child);
    *steps = take_input(child);
    bj_libc_inside();
    errno = kept;
    return BJ_FED_STEPS;
}

void bj_preload_fork_prepare(bj_child *child) {
    bj_engine_be_lenient(child->engine);
    bj_engine_set_feed(child->engine, feed, child);
}
