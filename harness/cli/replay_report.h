/* SPDX-License-Identifier: Apache-2.0
 *
 * The report of `bootjack replay`: both conversations side by side and as charts, the first difference marked, and what
 * it comes to.
 */
#ifndef BJ_CLI_REPLAY_REPORT_H
#define BJ_CLI_REPLAY_REPORT_H

#include "capture/compare.h"
#include "cli/report.h"

enum { CLI_REPLAY_SAID = 64 };

typedef struct cli_replay_report {
    const char *folder;
    bj_field *field; /* the capture, at its beginning */
    uint32_t party;
    const bj_script *script;
    const bj_comparison *comparison;
    const bj_run_result *result;
    const cli_client *client;
    const char *client_name; /* as the command line has it; NULL */
    uint64_t seed;
    bj_time begun;           /* when the replay's first message left: its times count from there */
    const char *again;       /* the command that does it again */
    const char *const *said; /* what the comparison comes to, a line each */
    size_t said_count;
    bj_arena *arena;
} cli_replay_report;

/* Writes index.html, comparison.json, results.json and the replay's capture into the folder, and prints where. false: a
 * message was printed. */
bool cli_replay_write_report(const cli_replay_report *report);

#endif
