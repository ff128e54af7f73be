/* SPDX-License-Identifier: Apache-2.0
 *
 * A run while it goes on, as the parts of the supervisor see it.
 */
#ifndef BJ_ATTACH_JOB_H
#define BJ_ATTACH_JOB_H

#include <sys/types.h>

#include "attach/feed.h"
#include "attach/output.h"
#include "attach/run.h"
#include "attach/shared.h"

struct bj_job {
    bj_arena *arena;
    const bj_record *scenario;
    bj_run_options options;
    bj_shared *shared;
    bj_log *log;
    int descriptor; /* of the shared memory */
    pid_t process;
    int process_descriptor; /* readable when the process has ended; -1 where the system has no such thing */
    int pipes[2];           /* what it writes to 1 and 2; -1 when closed */
    int waiting[2];         /* bytes in them at the last look, while the world hears the client */
    int feed, feed_child;   /* the two ends from which the script grows; -1 */
    bool asks;              /* for steps, since then: */
    bj_feed_question question;
    uint64_t asked_us, thought_us; /* and how long that took in all */
    char *state_folder;            /* network: a real one for the client's state file, removed at the end; NULL */
    int input;                     /* the write end of its standard input, which stays open and empty */
    bj_output output;

    uint64_t started_us;
    uint64_t ended_us;
    uint64_t progress; /* of the event log, to notice a client that stands still */
    uint64_t progress_us;
    unsigned floods; /* since then: how often a pipe of its output was full again */

    bool finished;
    bool timed_out;   /* the watchdog ended it */
    bool stood_still; /* because nothing happened for so long */
    uint64_t still_us;
    uint64_t processor_us; /* that it had used then */
    bool was_running;      /* and was it computing? */
    int wait_status;
    bj_verdict verdict; /* decided without a child, or by outcome.c */
    const char *reason;
    bj_position position;
    uint32_t cause;
    bj_verdict script_verdict; /* before the oracles were asked */
    bj_finding *broken;        /* what the oracles found */
    size_t broken_count;
    bj_recovery recovery;
};

/* exec.c: the command and whether it can be started; false: job->verdict and reason say why not. */
typedef struct bj_exec_plan {
    const char *program;
    char **arguments;
    char **environment;
} bj_exec_plan;
bool bj_exec_prepare(bj_job *job, bj_exec_plan *plan);
/* This process's environment with the profile's own in it, and room for so many more entries. */
char **bj_exec_environment(bj_arena *arena, const bj_record *profile, size_t room);
/* In the forked child. */
_Noreturn void bj_exec_run(bj_job *job, const bj_exec_plan *plan);
/* Loses what the parent has set for itself: signal handlers, mask, address randomisation. */
void bj_exec_clean_process(void);

/* linked.c, network.c: the forked child's whole life. */
_Noreturn void bj_linked_run(bj_job *job);
_Noreturn void bj_network_run(bj_job *job);
/* network.c: can it be started? As bj_exec_prepare(). */
bool bj_network_prepare(bj_job *job);
/* Removes what it left in the file system. */
void bj_network_clean_up(bj_job *job);

/* outcome.c: what came of it, from the log and the way in which the process ended. */
void bj_job_judge(bj_job *job);
/* A verdict that the supervisor gives itself, into the job and into the log. */
void bj_job_decide(bj_job *job, bj_verdict verdict, const char *format, ...) __attribute__((format(printf, 3, 4)));

uint64_t bj_real_us(void);

#endif
