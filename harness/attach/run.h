/* SPDX-License-Identifier: Apache-2.0
 *
 * Running one scenario against one client, and what came of it. One child process a run; the parent supervises and
 * reads the event log from shared memory, so that nothing is lost when the client dies.
 */
#ifndef BJ_ATTACH_RUN_H
#define BJ_ATTACH_RUN_H

#include "base/arena.h"
#include "log/eventlog.h"
#include "script/program.h"

typedef enum bj_attach { BJ_ATTACH_LINKED = 1, BJ_ATTACH_EXEC = 2, BJ_ATTACH_NETWORK = 3 } bj_attach;

typedef struct bj_run_options {
    bj_attach attach;
    const bj_record *profile; /* BJ_K_PROFILE, never NULL */
    uint64_t seed;
    unsigned real_limit_ms; /* watchdog: real time that a run may take; 0 = 60000 */
    const char *preload;    /* path of the preload library (exec) */
    const char *listen;     /* network: address of the servers, "127.0.0.1" */
    bool keep_output;       /* the client's output as CLIENT_OUTPUT events */
} bj_run_options;

typedef struct bj_run_result {
    bj_verdict verdict;
    const char *reason;   /* one line, in the arena */
    bj_position position; /* of the step that failed */
    uint32_t cause;       /* event that led to the verdict */
    bj_time virtual_time; /* that the run covered */
    uint64_t real_us;     /* that it took */
    bj_log *log;          /* mapped until bj_run_release() */
    int exit_status;      /* of the client's process */
    int signal_number;    /* that killed it, 0 = none */
} bj_run_result;

/* Runs it. Never fails: what goes wrong becomes a verdict (BJ_ERROR, with the reason). */
void bj_run(bj_arena *arena, const bj_record *scenario, const bj_run_options *options, bj_run_result *result);
void bj_run_release(bj_run_result *result);

/* The command line of a profile with its placeholders filled in, or NULL and the reason (a skip) when the scenario
 * demands what the client cannot be told. `client` is the scenario's BJ_K_CLIENT record or NULL. */
char **bj_run_command(bj_arena *arena, const bj_record *profile, const bj_record *scenario, bj_text *reason);

#endif
