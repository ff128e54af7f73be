/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the preload library: what ends or replaces the client's program.
 */
#ifndef BJ_ATTACH_PRELOAD_H
#define BJ_ATTACH_PRELOAD_H

#include <stdbool.h>

#include "attach/child.h"

/* Is this process the client (and not one that it forked)? */
bool bj_preload_owns_process(void);
/* The client ends with this status: the script is told, and played to its end. Returns; the process then may end. */
void bj_preload_client_ends(int status);
/* Of the shared memory, -1 outside a run. */
int bj_preload_descriptor(void);
/* The shared memory of the run. */
const bj_shared *bj_preload_shared(void);

/* How this program was started, in the arena: for bj_preload_start_again(). */
void bj_preload_remember(bj_arena *arena, int count, char **arguments, char **environment);
/* Starts the program over, in this process, with the same arguments, environment, folder and standard descriptors. The
 * run goes on in it. */
_Noreturn void bj_preload_start_again(const bj_child *child);

/* preload_fork.c: many runs of one process that was started once. */

/* The supervisor asks for it, by BJ_FORK_VARIABLE. */
bool bj_preload_fork_wanted(void);
/* For bj_child.prepare: the scenario goes on in a fork for each input. */
void bj_preload_fork_prepare(bj_child *child);
/* This process is such a fork: its client cannot be started again. */
bool bj_preload_is_forked(void);

/* preload_crash.c: from now on a deadly signal prints where it struck, unless somebody else handles it. */
void bj_preload_watch_for_crashes(void);

#endif
