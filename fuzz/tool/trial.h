/* SPDX-License-Identifier: Apache-2.0
 *
 * One session of a program in a process of its own, so that a client that crashes takes nobody with it.
 */
#ifndef BJ_FUZZ_TRIAL_H
#define BJ_FUZZ_TRIAL_H

#include "script/program.h"
#include "session.h"

typedef struct trial {
    bool found;
    char key[128];  /* what findings are grouped by: a rule's id, a kind of trouble, where the client crashed */
    char what[512]; /* one line */
    uint64_t trace; /* of the log, byte for byte where nothing is encrypted; 0 after a crash */
} trial;

/* The key and the line of what a session found. */
void trial_tell(const session_result *result, trial *out);

/* Plays the program. false: no process could be made; a message was printed. */
bool trial_run(const bj_record *program, trial *out);

/* Plays the program once more and writes it as a scenario, with what was seen as comments where it was seen, to `file`;
 * and the capture to `capture`, if that is not NULL. After a crash there are the last lines of the report, and no
 * capture. false: a message was printed. */
bool trial_write(const bj_record *program, const char *file, const char *capture);

#endif
