/* SPDX-License-Identifier: Apache-2.0
 *
 * A finding made small: the fewest steps, then the fewest fields and values, then the shortest texts that still show
 * it.
 */
#ifndef BJ_FUZZ_MINIMISE_H
#define BJ_FUZZ_MINIMISE_H

#include "script/program.h"

/* A program, in the arena, that a trial finds the same key for; at most `tries` trials are made. The program itself
 * when nothing can be left out. */
const bj_record *minimise(bj_arena *arena, const bj_record *program, const char *key, unsigned tries);

#endif
