/* SPDX-License-Identifier: Apache-2.0
 *
 * A scenario made small: the fewest steps, then the fewest fields and values, then the shortest texts that still show
 * what the caller looks for.
 */
#ifndef BJ_ATTACH_SHRINK_H
#define BJ_ATTACH_SHRINK_H

#include "base/arena.h"
#include "script/program.h"

/* Does this candidate show it, too? */
typedef bool bj_shrink_shows(void *context, const bj_record *candidate);

/* The smallest program found, in the arena; `shows` is asked at most `tries` times. The program itself when nothing can
 * be left out. */
const bj_record *bj_shrink(bj_arena *arena, const bj_record *program, bj_shrink_shows *shows, void *context,
                           unsigned tries);

#endif
