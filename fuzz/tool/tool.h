/* SPDX-License-Identifier: Apache-2.0
 *
 * The program `bootjack-fuzz`: exhaustive search, and what is to be done with findings. Data goes to standard output,
 * everything else to standard error.
 */
#ifndef BJ_FUZZ_TOOL_H
#define BJ_FUZZ_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/text.h"
#include "script/load.h"

enum { TOOL_FINE = 0, TOOL_FOUND = 1, TOOL_COULD_NOT_RUN = 2, TOOL_USAGE = 64 };

/* Each takes argv[0] as its own name and returns the exit status. */
int tool_search(int argc, char **argv);
int tool_triage(int argc, char **argv);
int tool_sift(int argc, char **argv);
int tool_replay(int argc, char **argv);
int tool_foreign(int argc, char **argv);

void tool_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* TOOL_USAGE, after a message that names the command. */
int tool_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A decimal number from `least` to `most`. */
bool tool_number(const char *text, unsigned long least, unsigned long most, unsigned long *number);
/* Ends the process when there is no memory. */
bj_arena *tool_arena(size_t size);
/* Makes the folder if it is not there; false after a message. */
bool tool_make_folder(const char *name);
/* FOLDER/KEY and the ending: where a finding goes. What is none of a file's name in the key becomes a dash. */
void tool_file_name(bj_text *out, const char *folder, const char *key, const char *ending);
/* What is wrong with a file, a line each. */
void tool_print_mistakes(const bj_mistakes *mistakes);
/* Of a clock that only goes forward. */
double tool_seconds_now(void);

#endif
