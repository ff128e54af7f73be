/* SPDX-License-Identifier: Apache-2.0
 *
 * Scenario files: the loader takes a text or says what is wrong with it; what it takes has a byte form. That what is
 * printed of a program loads again is scenario_print's.
 */
#include "program.h"

/* libfyaml leaves the text of some mistakes behind; the loader runs once in a process. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
    return "leak:libfyaml\n";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bj_arena *arena = program_arena();
    bj_mistakes mistakes;
    const bj_record *root = program_load(arena, BJ_K_SCENARIO, (const char *) data, size, &mistakes, true);
    FUZZ_HOLDS(!root == (mistakes.count > 0), "a file is loaded, or has mistakes");
    if (root) {
        program_encodes_back(arena, root);
    }
    return 0;
}
