/* SPDX-License-Identifier: Apache-2.0
 *
 * See program.h: what of it takes the loader.
 */
#include "memory.h"
#include "program.h"
#include "room.h"
#include "script/print.h"

enum { SCRATCH = 256 << 20 };

bj_record *program_load(bj_arena *arena, bj_kind kind, const char *text, size_t length, bj_mistakes *mistakes,
                        bool check) {
    static bj_arena *scratch;
    bj_record *root = bj_load_within(fuzz_room(&scratch, SCRATCH), arena, kind, "input", text, length, mistakes, check);
    memory_forget(); /* libfyaml leaves the text of some mistakes behind: memory_calls.h */
    return root;
}

void program_prints_back(bj_arena *arena, const bj_record *root) {
    bj_mistakes mistakes;
    bj_string text = bj_program_print(arena, root);
    const bj_record *again = program_load(arena, (bj_kind) root->kind, text.bytes, text.length, &mistakes, false);
    FUZZ_HOLDS(again != NULL, "what is printed of a program can be loaded");
    FUZZ_HOLDS(bj_record_equal(root, again), "and is the same program");
    FUZZ_HOLDS(program_same_text(text, bj_program_print(arena, again)), "which is printed to the same text");
}
