/* SPDX-License-Identifier: Apache-2.0
 *
 * `bootjack client new` and `bootjack client check`: a profile for a client, and the proof that it is one.
 */
#ifndef BJ_CLI_CLIENT_TOOLS_H
#define BJ_CLI_CLIENT_TOOLS_H

#include "cli/client.h"

/* The subcommands; argv[0] is the subcommand. They return the exit status of cli.h. */
int cli_client_new(int argc, char **argv);
int cli_client_check(int argc, char **argv);

/* --- probing (client_probe.c) --- */

/* What a probe is about: a word of the profile's `features`, or of its `facts`. */
typedef enum cli_probe_of { CLI_PROBE_FEATURE = 1, CLI_PROBE_FACT = 2 } cli_probe_of;

typedef struct cli_probe {
    cli_probe_of of;
    const char *name;
    const char *steps; /* behind the Bootstrap-Request's answer; YAML, at the indentation of a list of steps */
    bool registered;   /* they come behind a whole bootstrap and its registration */
} cli_probe;

size_t cli_probe_count(void);
const cli_probe *cli_probe_at(size_t index);

/* Runs one scenario that is given as text, whatever the profile says of features. The result is in *result, which
 * bj_run_release() gives back; false: it is no scenario (a defect here), or the command was interrupted. */
bool cli_probe_run(bj_arena *arena, const bj_run_options *options, const char *text, bj_run_result *result);
/* The whole scenario of a probe, in the arena. */
const char *cli_probe_text(bj_arena *arena, const cli_probe *probe);

/* The plain bootstrap that every client must pass. */
extern const char cli_probe_plain[];

#endif
