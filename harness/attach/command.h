/* SPDX-License-Identifier: Apache-2.0
 *
 * Command lines of clients: placeholders, optional groups, quoting. bj_run_command() of run.h is the common case.
 */
#ifndef BJ_ATTACH_COMMAND_H
#define BJ_ATTACH_COMMAND_H

#include "attach/run.h"

/* A URI of the scenario as the client must be told it. */
typedef void bj_uri_translate(void *context, const char *uri, bj_text *out);

/* As bj_run_command(), with every URI translated (NULL: as it is), and {state} in another place than on the simulated
 * disk (NULL: there). */
char **bj_command_fill(bj_arena *arena, const bj_record *profile, const bj_record *scenario, const char *state,
                       bj_uri_translate *translate, void *context, bj_text *reason);

/* All placeholders, "{endpoint} {bs_uri} ...", six a line; {profiledir} stands in profiles only and is not among them.
 */
void bj_command_placeholders(bj_text *out);

/* The host (without brackets) and the port (by default 5683, coaps 5684) of a URI, in the arena. */
void bj_uri_split(bj_arena *arena, const char *uri, const char **host, const char **port);

/* Splits a command at blanks, as a shell would: '...', "..." and \ quote. Nothing else is special. NULL, and no words,
 * where a quote is not closed. */
char **bj_command_words(bj_arena *arena, const char *command, size_t *count);

#endif
