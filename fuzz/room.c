/* SPDX-License-Identifier: Apache-2.0
 *
 * See room.h.
 */
#include "room.h"

#include "fuzz.h"

bj_arena *fuzz_room(bj_arena **arena, size_t size) {
    if (*arena) {
        bj_arena_reset(*arena);
    } else {
        *arena = bj_arena_map(size);
        FUZZ_HOLDS(*arena != NULL, "memory can be mapped");
    }
    return *arena;
}
