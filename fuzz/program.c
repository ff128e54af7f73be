/* SPDX-License-Identifier: Apache-2.0
 *
 * See program.h.
 */
#include "program.h"

#include <string.h>

#include "script/bytes.h"
#include "script/print.h"

enum { ARENA = 64 << 20, SCRATCH = 256 << 20 };

/* Mapped once, and empty. */
static bj_arena *emptied(bj_arena **arena, size_t size) {
    if (!*arena) {
        *arena = bj_arena_map(size);
        FUZZ_HOLDS(*arena != NULL, "memory can be mapped");
    } else {
        bj_arena_reset(*arena);
    }
    return *arena;
}

bj_arena *program_arena(void) {
    static bj_arena *arena;
    return emptied(&arena, ARENA);
}

bj_record *program_load(bj_arena *arena, bj_kind kind, const char *text, size_t length, bj_mistakes *mistakes,
                        bool check) {
    static bj_arena *scratch;
    return bj_load_within(emptied(&scratch, SCRATCH), arena, kind, "input", text, length, mistakes, check);
}

static bool same(bj_string left, bj_string right) {
    return left.length == right.length && memcmp(left.bytes, right.bytes, left.length) == 0;
}

void program_prints_back(bj_arena *arena, const bj_record *root) {
    bj_mistakes mistakes;
    bj_string text = bj_program_print(arena, root);
    const bj_record *again = program_load(arena, (bj_kind) root->kind, text.bytes, text.length, &mistakes, false);
    FUZZ_HOLDS(again != NULL, "what is printed of a program can be loaded");
    FUZZ_HOLDS(bj_record_equal(root, again), "and is the same program");
    FUZZ_HOLDS(same(text, bj_program_print(arena, again)), "which is printed to the same text");
}

void program_encodes_back(bj_arena *arena, const bj_record *root) {
    bj_string bytes = bj_program_encode(arena, root);
    const bj_record *again = bj_program_decode(arena, (bj_kind) root->kind, bytes.bytes, bytes.length, NULL, 0);
    FUZZ_HOLDS(bj_record_equal(root, again), "a program comes back from its byte form");
    FUZZ_HOLDS(same(bytes, bj_program_encode(arena, again)), "and is written to the same bytes");
}
