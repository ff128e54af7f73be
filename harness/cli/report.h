/* SPDX-License-Identifier: Apache-2.0
 *
 * What `bootjack run` prints and writes about a scenario that was run.
 */
#ifndef BJ_CLI_REPORT_H
#define BJ_CLI_REPORT_H

#include <stdio.h>

#include "cli/client.h"

/* One scenario of a command line. */
typedef struct cli_case {
    const char *file; /* FILE or FILE::CASE */
    bj_arena *arena;
    const bj_record *scenario; /* NULL: the file has mistakes */
    const char *title;
    uint64_t cut_operation; /* see bj_run_options */
    uint32_t cut_step;
    uint32_t cut_outcome;
    const char *cut_where; /* in words */
    bj_job *job;           /* while it runs */
    bool finished;
    bool ran; /* `result` is that of a run, and must be released */
    bj_run_result result;
} cli_case;

typedef struct cli_report {
    const cli_client *client;
    uint64_t seed;
    bool verbose;
    bool json;
    bool quiet;             /* nothing is said of cases, and no sum of them */
    bool variants;          /* --variants */
    const char *comparison; /* of a replay: the page shows how its two cases compare, as this file says; NULL */
    const char *again;      /* the command that does it again; NULL: that of `bootjack run` */
    const char *pcap;       /* file, or folder when `several` */
    const char *log;        /* likewise */
    bool several;
    FILE *junit[2]; /* where it was asked for, and in the folder; NULL: not there */
    FILE *results;  /* as --json -v would print them, for `bootjack report` */
    size_t cases, done;
    bool progress;                   /* a bar on standard error, which is a terminal */
    unsigned counts[BJ_BRICKED + 1]; /* by verdict */
    uint64_t began_us;
    uint64_t virtual_us; /* covered by all runs */
    bool broken;         /* a file could not be written */
    const char *folder;
    char captures[4096];
} cli_report;

/* A known deviation of this client turns a failure into xfail, and a pass into a failure. */
void cli_apply_deviation(const cli_client *client, cli_case *one);

/* Opens files and folders; false: a message was printed. With `folder`, that is where results, captures and JUnit's
 * file go from which `bootjack report` makes the page; captures that were asked for elsewhere go there, a JUnit file
 * that was goes there, too. */
bool cli_report_begin(cli_report *report, const char *junit, const char *folder, size_t cases);
/* Prints the case, writes its capture and log, counts it. */
void cli_report_case(cli_report *report, const cli_case *one);
/* The summary, and the page of a report's folder; returns the exit status. */
int cli_report_end(cli_report *report);

/* A word as a shell takes it back. */
void cli_shell_word(bj_text *out, const char *word);

/* The last `most` lines of the conversation (0: all of them), each behind `indent`. */
void cli_print_conversation(FILE *stream, const bj_log *log, size_t most, const char *indent);

#endif
