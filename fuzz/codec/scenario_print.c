/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs in print: what is printed of any program loads to the same one, and is printed to the same text.
 */
#include "program.h"
#include "script/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bj_arena *arena = program_arena();
    const bj_record *root = bj_program_decode(arena, BJ_K_SCENARIO, data, size, NULL, 0);
    FUZZ_HOLDS(root != NULL, "every byte string is some program");
    program_prints_back(arena, root);
    return 0;
}
