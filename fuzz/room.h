/* SPDX-License-Identifier: Apache-2.0
 *
 * Arenas that are kept from input to input: to map one for each input takes longer than many an input does.
 */
#ifndef BJ_FUZZ_ROOM_H
#define BJ_FUZZ_ROOM_H

#include <stddef.h>

#include "base/arena.h"

/* *arena, which is NULL at first, and empty: what the last input left in it is gone. `size`: in bytes, of address
 * space; only what is used becomes memory. Never NULL. */
bj_arena *fuzz_room(bj_arena **arena, size_t size);

#endif
