/* SPDX-License-Identifier: Apache-2.0
 *
 * A target that breaks its property on purpose, four comparisons deep: a campaign that sees which branches an input
 * took finds it in moments, one that does not would take hours.
 */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input input = { data, size };
    int depth = 0;
    depth += fuzz_byte(&input) == 'B';
    depth += depth == 1 && fuzz_byte(&input) == 'o';
    depth += depth == 2 && fuzz_byte(&input) == 'o';
    depth += depth == 3 && fuzz_byte(&input) == 't';
    FUZZ_HOLDS(depth < 4, "the canary sings");
    return 0;
}
