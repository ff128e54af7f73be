/* SPDX-License-Identifier: Apache-2.0
 *
 * What the targets over programs of the scenario language share.
 */
#ifndef BJ_FUZZ_PROGRAM_H
#define BJ_FUZZ_PROGRAM_H

#include "base/arena.h"
#include "fuzz.h"
#include "script/load.h"

/* The arena of this input; what the last one left in it is gone. */
bj_arena *program_arena(void);
/* As bj_load_bytes(), or bj_load_unchecked(). */
bj_record *program_load(bj_arena *arena, bj_kind kind, const char *text, size_t length, bj_mistakes *mistakes,
                        bool check);
bool program_same_text(bj_string left, bj_string right);
/* load(print(p)) = p, and printing that gives the same text. */
void program_prints_back(bj_arena *arena, const bj_record *root);
/* decode(encode(p)) = p, and encoding that gives the same bytes. */
void program_encodes_back(bj_arena *arena, const bj_record *root);

#endif
