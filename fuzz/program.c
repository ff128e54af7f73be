/* SPDX-License-Identifier: Apache-2.0
 *
 * See program.h. Without the loader, which is program_load.c's: a target that never calls it should not have its
 * counters, of which an engine looks at each after every input.
 */
#include "program.h"

#include <string.h>

#include "room.h"
#include "script/bytes.h"

enum { ARENA = 64 << 20 };

bj_arena *program_arena(void) {
    static bj_arena *arena;
    return fuzz_room(&arena, ARENA);
}

bool program_same_text(bj_string left, bj_string right) {
    return left.length == right.length && memcmp(left.bytes, right.bytes, left.length) == 0;
}

void program_encodes_back(bj_arena *arena, const bj_record *root) {
    bj_string bytes = bj_program_encode(arena, root);
    const bj_record *again = bj_program_decode(arena, (bj_kind) root->kind, bytes.bytes, bytes.length, NULL, 0);
    FUZZ_HOLDS(bj_record_equal(root, again), "a program comes back from its byte form");
    FUZZ_HOLDS(program_same_text(bytes, bj_program_encode(arena, again)), "and is written to the same bytes");
}
