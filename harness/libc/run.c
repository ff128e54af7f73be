/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a run begins and ends. The one place with global state that changes: libc's functions have no argument that
 * could carry it.
 */
#define _GNU_SOURCE
#include "libc/internal.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

enum { ARENA_SIZE = 64 << 20 }; /* of address space; pages come when they are touched */
enum { GHOSTS = 200 };          /* below them lie the descriptors of fuzzing engines, too */

bj_run bj_the_run;
static bool without_descriptors;
BJ_THREAD bj_here bj_this;

/* Kept from run to run, for its pages are warm; a new one when look-ups that are never freed have filled the old. */
static bj_arena *arena_for_run(bj_arena *before) {
    bool usable = before && bj_arena_in_use(before) < ARENA_SIZE / 4;
    bj_arena *arena = usable ? before : bj_arena_map(ARENA_SIZE);
    assert(arena);
    return arena;
}

/* What else a former run left behind does not belong to this one. */
static void reset(bj_run *run) {
    bj_arena *arena = arena_for_run(run->arena);
    bool has_key = run->has_thread_key;
    pthread_key_t key = run->thread_key;
    for (int i = 0; i <= run->highest; i++) { /* of all of them, few were used */
        run->files[i] = NULL;
    }
    memset(run, 0, offsetof(bj_run, files));
    run->arena = arena;
    run->has_thread_key = has_key;
    run->thread_key = key;
    run->main.handle = pthread_self();
    run->main.id = gettid();
    run->threads = &run->main;
    run->highest = -1;
    run->ghosts = without_descriptors ? GHOSTS : 0;
}

void bj_libc_without_descriptors(void) {
    without_descriptors = true;
}

void bj_libc_enter(bj_sim *sim, bj_libc_over_fn *over, void *context) {
    bj_run *run = &bj_the_run;
    assert(!run->active && sim);
    bj_real_find_all();
    reset(run);
    run->sim = sim;
    run->over = over;
    run->over_context = context;
    bj_sim_attach(sim, bj_signal_arrives, NULL);
    bj_this = (bj_here){ .self = &run->main };
    run->active = true;
}

int bj_libc_leave(void) {
    bj_run *run = &bj_the_run;
    if (!run->active) {
        return 0;
    }
    int left = bj_files_close_all();
    bj_crew_free();
    bj_arena_free(run->arena, run->folder);
    run->folder = NULL;
    bj_timers_forget();
    run->active = false;
    bj_this = (bj_here){ .self = NULL };
    return left;
}

void bj_libc_before_moving(void (*notice)(void *context), void *context) {
    bj_the_run.notice = notice;
    bj_the_run.notice_context = context;
}

void bj_before_moving(void) {
    if (bj_the_run.notice) {
        bj_the_run.notice(bj_the_run.notice_context);
    }
}

bool bj_libc_active(void) {
    return bj_the_run.active;
}

void bj_libc_outside(void) {
    bj_this.outside++;
}

void bj_libc_inside(void) {
    assert(bj_this.outside > 0 || !bj_the_run.active);
    if (bj_this.outside > 0) {
        bj_this.outside--;
    }
}

static bool hidden[BJ_DESCRIPTORS];

void bj_libc_hide(int fd) {
    if (fd >= 0 && fd < BJ_DESCRIPTORS) {
        hidden[fd] = true;
    }
}

bool bj_is_hidden(int fd) {
    return fd >= 0 && fd < BJ_DESCRIPTORS && hidden[fd];
}

bool bj_libc_poked(void) {
    return bj_the_run.active && bj_files_poked();
}

bool bj_is_ours(const void *block) {
    uintptr_t start = (uintptr_t) bj_the_run.arena;
    return start && (uintptr_t) block >= start && (uintptr_t) block < start + ARENA_SIZE;
}

void bj_end_run(void) {
    bj_run *run = &bj_the_run;
    run->ended = true;
    if (bj_this.self != &run->main && run->main.state != BJ_ENDED) {
        run->over_due = true; /* in linked mode it jumps, and may do so on its own stack only */
        bj_thread_first(&run->main);
        return;
    }
    run->over_due = false;
    run->over(run->over_context);
}

void bj_settle(bj_sim_wait outcome) {
    if (outcome == BJ_SIM_OVER) {
        if (!bj_the_run.ended) {
            bj_end_run();
        }
        return;
    }
    bj_timers_run();
    if (bj_the_run.arrived) {
        bj_signals_dispatch();
    }
}

void bj_check_over(void) {
    if (bj_sim_over(bj_the_run.sim)) {
        bj_settle(BJ_SIM_OVER);
        if (bj_the_run.over_due) {
            bj_yield();
        }
    }
}

/* A clock read or a poll in between: at the same moment, or a quantum later. */
static void moved(bj_sim_wait outcome) {
    bj_settle(outcome);
    if (bj_the_run.over_due) {
        bj_yield();
    } else if (bj_this.self->signals) {
        bj_signals_take(NULL);
    }
}

void bj_glance(void) {
    bj_run *run = &bj_the_run;
    if (run->ended) {
        return;
    }
    bj_this.outside++;
    bj_sim_wait outcome = bj_sim_glanced(run->sim);
    bj_this.outside--;
    moved(outcome);
    /* It may wait in a loop for what another thread does. */
    if (++run->glances % 1000 == 0) {
        bj_yield();
    }
}

void bj_polled(void) {
    bj_run *run = &bj_the_run;
    if (run->ended) {
        return;
    }
    bj_this.outside++;
    bj_before_moving();
    bj_sim_wait outcome = bj_sim_polled(run->sim);
    bj_this.outside--;
    moved(outcome);
    bj_yield();
}

int bj_wait_error(bj_wait_result result, bool restarts, int at_deadline) {
    switch (result) {
    case BJ_WAIT_READY:
        return 0;
    case BJ_WAIT_RESTART:
        return restarts ? 0 : -EINTR;
    case BJ_WAIT_DEADLINE:
        return -at_deadline;
    case BJ_WAIT_CLOSED:
        return -EBADF;
    case BJ_WAIT_OVER:
        return at_deadline ? -at_deadline : -EINTR;
    default:
        return -EINTR;
    }
}
