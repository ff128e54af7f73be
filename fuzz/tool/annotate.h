/* SPDX-License-Identifier: Apache-2.0
 *
 * A finding for people: the scenario's text, and between its steps, as comments, what was seen then and which rule
 * broke.
 */
#ifndef BJ_FUZZ_ANNOTATE_H
#define BJ_FUZZ_ANNOTATE_H

#include <stdio.h>

#include "script/program.h"
#include "session.h"

/* The same program with the positions that it has in its own print, which is *text. Both in the arena. */
const bj_record *annotate_place(bj_arena *arena, const bj_record *program, bj_string *text);

/* Writes the text with the comments; `result` is that of the program that annotate_place() gave. */
bool annotate_write(FILE *file, bj_string text, const session_result *result);

#endif
