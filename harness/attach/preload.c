/* SPDX-License-Identifier: Apache-2.0
 *
 * exec: what the preload library does in an unmodified client. Its constructor lays the world around the process
 * before main() runs; when the engine has its verdict, the process ends. When the client ends first, the rest of the
 * script is played without it, and its exit status stays its own.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attach/child.h"
#include "attach/preload.h"
#include "libc/libc.h"

/* The one run of this process. Interposition needs it global: a constructor and exit handlers have no context. */
static bj_child run;
static int run_descriptor = -1;

static int process_id(void) {
    return (int) syscall(SYS_getpid);
}

bool bj_preload_owns_process(void) {
    return run.shared && run.shared->process == process_id();
}

int bj_preload_descriptor(void) {
    return run_descriptor;
}

const bj_shared *bj_preload_shared(void) {
    return run.shared;
}

/* What the client has said so far must not be lost with it. Its lock is only tried: a thread may sleep with it. */
static void flush_output(FILE *stream) {
    if (ftrylockfile(stream) == 0) {
        fflush_unlocked(stream);
        funlockfile(stream);
    }
}

/* The client is dead, or has ended: the script goes on, and may start it again. */
static void play_on(void) {
    if (bj_child_without_client(&run) && !bj_preload_is_forked()) {
        bj_preload_start_again(&run);
    }
    bj_child_over(&run);
}

/* The engine has its verdict: nothing the client could still do matters. Or its power was cut. */
static void over(void *context) {
    (void) context;
    bj_libc_outside();
    flush_output(stdout);
    flush_output(stderr);
    if (bj_sim_was_cut(run.sim)) {
        bj_child_hear_last(&run);
        play_on();
    } else {
        bj_child_over(&run);
    }
    bj_child_vanish(0);
}

void bj_preload_client_ends(int status) {
    if (!bj_preload_owns_process() || atomic_load(&run.shared->phase) == BJ_PHASE_OVER) {
        return;
    }
    bj_libc_leave();
    flush_output(stdout);
    bj_child_exited(&run, status & 0xff, 0);
    play_on();
}

/* The client waits: its supervisor sees that it lives, and what it has written is heard. */
static void waits(void *context) {
    bj_child *child = context;
    atomic_store_explicit(&child->shared->now, bj_sim_now(child->sim), memory_order_relaxed);
    bj_child_hear(child);
}

static void at_exit(int status, void *context) {
    (void) context;
    bj_preload_client_ends(status);
}

/* A process that the client forks is not part of the run: the world is its parent's. */
static void in_forked_child(void) {
    bj_libc_outside();
}

/* The program was started over by execve(): what the one before it left is taken away. */
static void empty(bj_shared *shared) {
    char *memory = bj_shared_at(shared, &shared->log);
    madvise(memory, shared->size - shared->log.at, MADV_REMOVE);
}

/* Takes this library out of the variable, and the variable away when nothing else is in it. */
static void forget_preload(void) {
    Dl_info about;
    const char *list = getenv("LD_PRELOAD");
    if (!list || !dladdr(&run, &about) || !about.dli_fname) {
        return;
    }
    size_t own = strlen(about.dli_fname);
    if (strncmp(list, about.dli_fname, own) == 0 && (list[own] == ':' || list[own] == ' ')) {
        setenv("LD_PRELOAD", list + own + 1, 1);
    } else {
        unsetenv("LD_PRELOAD");
    }
}

/* The run begins with this process, or goes on with it. */
static void take_up(bj_shared *shared) {
    if (shared->child) {
        bj_child_resume(&run, shared);
        return;
    }
    if (atomic_load(&shared->phase) >= BJ_PHASE_WORLD) {
        empty(shared);
    }
    bj_child_open(&run, shared);
    run.prepare = bj_preload_fork_wanted() ? bj_preload_fork_prepare : NULL;
    bj_child_simulate(&run);
}

__attribute__((constructor)) static void enter(int count, char **arguments, char **environment) {
    const char *number = getenv(BJ_SHARED_VARIABLE);
    if (!number) {
        return;
    }
    run_descriptor = atoi(number);
    bj_shared *shared = bj_shared_map(run_descriptor);
    if (!shared) {
        static const char text[] = "bootjack: the preload library cannot take up its run\n";
        (void) !write(2, text, sizeof text - 1);
        bj_child_vanish(127);
    }
    if (shared->process != process_id()) {
        return; /* a child of the client, started with the client's own environment put back */
    }
    take_up(shared);
    bj_preload_remember(run.arena, count, arguments, environment);
    unsetenv(BJ_SHARED_VARIABLE);
    forget_preload();
    setvbuf(stdout, NULL, _IOLBF, 0);
    on_exit(at_exit, NULL);
    pthread_atfork(NULL, NULL, in_forked_child);
    bj_preload_watch_for_crashes();
    bj_child_starts(&run, run.shared->randomised
                              ? "a process under the preload library; its addresses are drawn anew in each "
                                "run, for personality(2) is forbidden here"
                              : "a process under the preload library");
    if (bj_sim_over(run.sim)) {
        over(NULL); /* a skip: this world cannot do what the scenario needs */
    }
    bj_libc_enter(run.sim, over, NULL);
    bj_libc_before_moving(waits, &run);
}
