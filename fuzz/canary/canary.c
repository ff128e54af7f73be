/* SPDX-License-Identifier: Apache-2.0
 *
 * A target that breaks its property on purpose, four comparisons deep: what a campaign that can see finds in moments.
 */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input input = { data, size };
    int depth = 0;
    depth += fuzz_byte(&input) == 'B';
    depth += depth == 1 && fuzz_byte(&input) == 'o';
    depth += depth == 2 && fuzz_short(&input) == 0x6F74;
    FUZZ_HOLDS(depth < 3, "the canary sings");
    return 0;
}
