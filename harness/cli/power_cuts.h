/* SPDX-License-Identifier: Apache-2.0
 *
 * All power cuts of a scenario: every operation on the client's disk and every step of the script, with every state in
 * which the disk may be left.
 */
#ifndef BJ_CLI_POWER_CUTS_H
#define BJ_CLI_POWER_CUTS_H

#include "cli/report.h"
#include "cli/scenarios.h"

typedef struct cli_power_cut {
    const char *file;
    const char *where;  /* "operation 2 of 5 (write state.new: 300 bytes at 0), state 3 of 6" */
    uint64_t operation; /* 0: at a step */
    uint32_t step;
    uint32_t outcome;
} cli_power_cut;

typedef struct cli_power_cuts {
    cli_power_cut *items;
    size_t count, room;
} cli_power_cuts;

/* Runs each file that says what must follow a power cut (`power-cuts`) once, to learn its steps and the operations of
 * its client, and once for each of them, to learn the states that a cut there may leave. Files that say nothing of it
 * are passed over. false: a message was printed. */
bool cli_power_cuts_find(cli_power_cuts *cuts, const cli_files *files, const bj_run_options *options, bj_arena *arena);
void cli_power_cuts_free(cli_power_cuts *cuts);

/* "3:2": behind operation 3, with state 2; "step-3:2": when three steps have begun. Fills those three. */
bool cli_power_cut_parse(const char *text, cli_power_cut *cut);

#endif
