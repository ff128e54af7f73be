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

/* What a probe is about: a word of the profile's `features`, of its `facts`, or a placeholder of its command. */
typedef enum cli_probe_of { CLI_PROBE_FEATURE = 1, CLI_PROBE_FACT = 2, CLI_PROBE_TOLD = 3 } cli_probe_of;

/* What came of one, or of all that are about a word. */
typedef enum cli_answer { CLI_NOT_ASKED, CLI_NOT_SEEN, CLI_SEEN, CLI_INTERRUPTED } cli_answer;

typedef struct cli_probe {
    cli_probe_of of;
    const char *name;        /* the word; several probes may be about the same, which has it if one is passed */
    const char *also;        /* a second word of the same kind that the same scenario shows, or NULL */
    bool instead;            /* it is asked only where the probe before it could not be */
    const char *placeholder; /* that the command must hold, or NULL */
    const char *version;     /* of LwM2M, which the client is told where it can be; NULL: any */
    const char *client;      /* fields of `client`; NULL: a bootstrap account for coap */
    const char *servers;     /* the field, as a line; NULL: bs and mgmt */
    const char *steps;       /* behind the Bootstrap-Request's answer; YAML, at the indentation of a list of steps */
    bool registered;         /* they come behind a whole bootstrap and its registration */
    bool alone;              /* they are all */
    bool patient;            /* it takes minutes of the client's time */
    bool copies;             /* cli_probe_copy() asks */
    bool observes;           /* and an answer of the client has the Observe option */
} cli_probe;

size_t cli_probe_count(void);
const cli_probe *cli_probe_at(size_t index);

/* The whole scenario of a probe, in the arena. */
const char *cli_probe_text(bj_arena *arena, const bj_record *profile, const cli_probe *probe);
/* Can the client be told it? By its command; one that is linked is handed everything. */
bool cli_probe_told(const bj_record *profile, const char *placeholder);
/* Begins to ask the client; the profile of *options must not say `features`, or what is not there is not asked. NULL:
 * it is answered already, or the probe is no scenario (a defect here: CLI_INTERRUPTED). *why: the reason where it was
 * not asked or not seen. */
bj_job *cli_probe_start(bj_arena *arena, const bj_run_options *options, const cli_probe *probe, cli_answer *answer,
                        const char **why);
/* Takes the answer of a job that is finished; the job is gone. */
cli_answer cli_probe_answer(bj_arena *arena, const cli_probe *probe, bj_job *job, const char **why);
/* What a run says of what it asked for, and the reason, in the arena. */
cli_answer cli_probe_answer_of(bj_arena *arena, const bj_run_result *result, const char **why);
/* Can a server create an instance of one of the client's own Objects (client_probe_copy.c)? Seen or not asked: that one
 * is refused does not say that none could be created. */
cli_answer cli_probe_copy(bj_arena *arena, const bj_run_options *options, const char **why);
/* Runs one scenario that is given as text. The result is in *result, which bj_run_release() gives back; false: the
 * command was interrupted, or it is no scenario. */
bool cli_probe_run(bj_arena *arena, const bj_run_options *options, const char *text, bj_run_result *result);

/* The plain bootstrap that every client must pass. */
extern const char cli_probe_plain[];

/* --- what is said (client_check.c), and what of the profile's claims is so (client_claims.c) --- */

void cli_check_say(const char *mark, const char *what, const char *more);
void cli_check_advise(const char *advice);
/* Asks everything and says what was seen, what of it the profile does not claim, and the other way round. Nothing of it
 * is a failure. */
void cli_claims(bj_arena *arena, const bj_run_options *options);
/* The same for fields beside `features` and `facts` (client_fields.c). *proved: the names of those that are so. */
void cli_claims_fields(bj_arena *arena, const bj_run_options *options, bj_text *proved);
/* Prints the probes of one word, each as a scenario with what came of it as comments behind. false: there are none, or
 * it was interrupted. */
bool cli_claims_show(bj_arena *arena, const bj_run_options *options, const char *word);

#endif
