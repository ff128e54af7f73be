/* SPDX-License-Identifier: Apache-2.0
 *
 * The scenario files that a command line means.
 */
#ifndef BJ_CLI_SCENARIOS_H
#define BJ_CLI_SCENARIOS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct cli_files {
    char **names;
    size_t count;
    size_t room;
} cli_files;

/* Adds a file, every case of a file that has cases (as FILE::CASE), one case (FILE::CASE), or the scenarios below a
 * folder: all *.yaml files that have steps, sorted; hidden folders and folders named `canary` are left out unless they
 * are named themselves. false: a message was printed. */
bool cli_files_add(cli_files *files, const char *path);
void cli_files_free(cli_files *files);

#endif
