/* SPDX-License-Identifier: Apache-2.0
 *
 * See fuzz.h.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void fuzz_broken(const char *property, const char *condition, const char *file, int line) {
    fprintf(stderr, "BROKEN: %s\n  %s:%d: %s\n", property, file, line, condition);
    abort();
}

uint8_t fuzz_byte(fuzz_input *input) {
    if (!input->left) {
        return 0;
    }
    input->left--;
    return *input->at++;
}

uint16_t fuzz_short(fuzz_input *input) {
    uint16_t high = fuzz_byte(input);
    return (uint16_t) (high << 8 | fuzz_byte(input));
}
