/* SPDX-License-Identifier: Apache-2.0
 *
 * An unmodified program under the preload library, started once and forked for each input (attach/fork_server.h).
 */
#ifndef BJ_FUZZ_FORK_CLIENT_H
#define BJ_FUZZ_FORK_CLIENT_H

#include "attach/run.h"
#include "log/eventlog.h"

typedef struct fork_client fork_client;

/* How one input ended. */
typedef enum fork_end {
    FORK_WELL = 0,
    FORK_CRASHED, /* by the signal `number` */
    FORK_HUNG,    /* it took longer than it may in real time, and was killed */
    FORK_LOST,    /* the program that is forked is gone: nothing can be run any more */
} fork_end;

enum { FORK_MAP = 1 << 18 };

/* Starts the program of the profile, which plays the scenario's own steps and stands still then. `preload` is the path
 * of the library; `limit_ms` of real time is what an input may take. NULL: a message was printed. */
fork_client *fork_client_start(bj_arena *arena, const bj_record *scenario, const bj_record *profile,
                               const char *preload, uint64_t seed, unsigned limit_ms);
void fork_client_stop(fork_client *client);

/* Plays the steps of the byte form of a scenario, at most BJ_FORK_INPUT_MOST bytes. *number is the signal of a crash.
 */
fork_end fork_client_run(fork_client *client, const uint8_t *input, size_t length, int *number);

/* Of the last run: its events, ... */
const bj_log *fork_client_log(const fork_client *client);
/* ... and what a program that was compiled by AFL++ says of its edges: FORK_MAP bytes, all zero in every other. */
uint8_t *fork_client_map(fork_client *client);

#endif
