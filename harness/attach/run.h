/* SPDX-License-Identifier: Apache-2.0
 *
 * Running one scenario against one client, and what came of it. One child process a run; the parent supervises and
 * reads the event log from shared memory, so that nothing is lost when the client dies.
 */
#ifndef BJ_ATTACH_RUN_H
#define BJ_ATTACH_RUN_H

#include "base/arena.h"
#include "log/eventlog.h"
#include "oracle/oracle.h"
#include "script/engine.h"
#include "script/program.h"

typedef enum bj_attach { BJ_ATTACH_LINKED = 1, BJ_ATTACH_EXEC = 2, BJ_ATTACH_NETWORK = 3 } bj_attach;

typedef struct bj_run_options {
    bj_attach attach;
    const bj_record *profile; /* BJ_K_PROFILE, never NULL */
    uint64_t seed;
    uint64_t cut_operation; /* not 0: the power goes behind that operation on the client's disk, ... */
    uint32_t cut_step;      /* not 0: or when so many steps have begun, ... */
    uint32_t cut_outcome;   /* ... which is left in that state; then `power-cuts` of the scenario holds */
    unsigned real_limit_ms; /* watchdog: real time that a run may take; 0 = 60000 (network: none) */
    const char *preload;    /* path of the preload library (exec) */
    const char *listen;     /* network: address of the servers, "127.0.0.1" */
    uint32_t interface;     /* network: of a link-local `listen`; 0 = none */
    uint16_t port;          /* network: of the first server, the others follow; 0 = any that are free */
    bool serve;             /* network: start no client, wait for one */
    /* With `serve`: nobody says when the client starts. Where it speaks first, its first message begins the scenario's
     * clock, at the hold-off that the scenario tells it; its profile's `ready` goes before. */
    bool starts_unseen;
    bool share_network; /* network: no namespace of its own for a client that is started */
    bool grows;         /* the script goes on with what bj_job_feed() gives */
    /* Called now and then while it goes on (may be NULL): for a live view of the log. */
    void (*look)(void *context, const bj_log *log);
    void *look_context;
} bj_run_options;

/* A line of the client's own output. */
typedef struct bj_output_line {
    int descriptor;  /* 1 or 2 */
    uint32_t after;  /* its event in the log, or else the last event when it was seen, about */
    bool logged;     /* it is in the log */
    bj_time time;    /* when it was written, in the run's time; BJ_NEVER: it is not known */
    size_t left_out; /* so many lines came before it that were not kept */
    char *text;
} bj_output_line;

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
    bj_output_line *output;
    size_t output_count;
    bj_verdict script_verdict; /* what it would be without oracles */
    const bj_finding *broken;  /* rules that oracles found broken, whatever the script says; in the arena */
    size_t broken_count;
    bj_recovery recovery; /* what became of the client once the world was healed */
    void *held;           /* what bj_run_release() gives back */
} bj_run_result;

/* Runs it. Never fails: what goes wrong becomes a verdict (BJ_ERROR, with the reason). */
void bj_run(bj_arena *arena, const bj_record *scenario, const bj_run_options *options, bj_run_result *result);
void bj_run_release(bj_run_result *result);

/* The same in pieces, so that several runs can go on at once. `arena`, `scenario` and what `options` points to must
 * outlive the job; *options itself is copied. */
typedef struct bj_job bj_job;
bj_job *bj_job_start(bj_arena *arena, const bj_record *scenario, const bj_run_options *options);
/* Looks after the jobs until one is finished, but only for a moment (and not beyond a signal to this process), so that
 * a caller can look at what else is to be done. NULL entries are passed over. */
void bj_job_wait(bj_job *const *jobs, size_t count);
bool bj_job_finished(const bj_job *job);
/* With options.grows: the script is through with all that it has, and the world stands still (in real time: its servers
 * do). *now is the run's time, *wake the end of the client's present wait, BJ_NEVER when it has none. bj_job_wait()
 * returns then. No budget of real time runs until bj_job_feed(). */
bool bj_job_asks(const bj_job *job, bj_time *now, bj_time *wake);
/* Lets a job that asks go on: with steps (a BJ_K_SCENARIO record that has only them), or to its end. */
void bj_job_feed(bj_job *job, bj_fed fed, const bj_record *steps);
/* The log of the run as far as it has come; NULL when there is none. */
const bj_log *bj_job_log(const bj_job *job);
/* Takes the result of a finished job; the job is gone. */
void bj_job_result(bj_job *job, bj_run_result *result);
/* Ends the job's processes and the job. */
void bj_job_kill(bj_job *job);

/* Does this system let a program have the same addresses in every run (personality(2))? Where not, with errno, a client
 * that depends on its pointers may differ from run to run. */
bool bj_run_fixes_addresses(void);

/* Has the profile a command, and is every placeholder in it one that there is? Where not, no scenario can start the
 * client, and the reason is an error, not a skip. */
bool bj_run_has_command(const bj_record *profile, bj_text *reason);

/* The command line of a profile with its placeholders filled in, or NULL and the reason (a skip) when the scenario
 * demands what the client cannot be told. `client` is the scenario's BJ_K_CLIENT record or NULL. */
char **bj_run_command(bj_arena *arena, const bj_record *profile, const bj_record *scenario, bj_text *reason);

#endif
