/* SPDX-License-Identifier: Apache-2.0
 *
 * What every child process of a run does, whatever its client: it takes the scenario out of the shared memory, lays the
 * log, and makes world and engine in the arena. Compiled into the preload library too: nothing here calls malloc().
 */
#ifndef BJ_ATTACH_CHILD_H
#define BJ_ATTACH_CHILD_H

#include "attach/shared.h"
#include "script/engine.h"
#include "world/sim.h"

/* Unix time at virtual time 0: 2024-01-01 00:00:00 UTC, so that a client's log is the same on every day. */
#define BJ_EPOCH ((int64_t) 1704067200)

typedef struct bj_child bj_child;
struct bj_child {
    bj_shared *shared;
    bj_arena *arena;
    bj_log *log;
    const bj_record *scenario;
    const bj_record *profile;
    bj_sim *sim; /* NULL in the real world */
    bj_world *world;
    const bj_world_ops *ops;
    bj_engine *engine;
    struct bj_hearing *hearing;       /* child_output.c; NULL: nothing is heard of what the client writes */
    void (*prepare)(bj_child *child); /* called when the engine is made and has not begun; NULL */
};

/* Takes up the shared memory: log (with RUN_BEGIN in it), arena, scenario and profile. */
void bj_child_open(bj_child *child, bj_shared *shared);
/* Makes the engine in `world`. The caller lets the world know of it, then calls bj_child_begin(). */
void bj_child_engine(bj_child *child, bj_world *world, const bj_world_ops *ops);
/* The engine begins its script; the parent hears that the world stands. */
void bj_child_begin(bj_child *child);
/* The simulated world around it, with the engine in it; the engine has begun its script afterwards. */
void bj_child_simulate(bj_child *child);
/* Logs CLIENT_START; `how` is a line for the reader. */
void bj_child_starts(bj_child *child, const char *how);
/* The client ended by itself: logs it and tells the engine. In the simulated world bj_child_without_client() follows.
 */
void bj_child_exited(bj_child *child, int status, int signal_number);
/* Plays the script without a client, who ended or whose power was cut: true: it is to be started again (and
 * bj_child_starts() to be called). false: the run is over. */
bool bj_child_without_client(bj_child *child);
/* In a process that goes on with the run of one before it (bj_shared.child). */
void bj_child_resume(bj_child *child, bj_shared *shared);
/* From now on what the client writes to its standard output and standard error is heard, and it can be typed to. */
void bj_child_hears(bj_child *child);
/* What it has written since, line by line, into the log: CLIENT_OUTPUT events of the present time. False: nothing more
 * will come. Keeps errno. */
bool bj_child_hear(void *child);
/* The end: what stands without a newline is a line, too. */
void bj_child_hear_last(bj_child *child);
/* For bj_sim_set_input() and bj_real_config: types a line. */
int bj_child_type(void *child, const char *line, size_t length, bool end);
/* For a client that starts again: a new pipe at descriptor 0 where the script ended the input of its life before.
 * `over_exec`: the end at which is typed stays open behind execve(). False and errno: the system gives none. */
bool bj_child_reopen_input(bj_shared *shared, bool over_exec);
/* Closes the log (RUN_END) and tells the parent that the verdict is there. */
void bj_child_over(bj_child *child);

/* Ends the process at once, without any handler of it. */
_Noreturn void bj_child_vanish(int status);

#endif
