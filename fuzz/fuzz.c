/* SPDX-License-Identifier: Apache-2.0
 *
 * See fuzz.h.
 */
#define _GNU_SOURCE
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

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

const char *fuzz_file(const uint8_t *data, size_t size) {
    static int file = -1;
    static char name[64];
    static size_t length; /* of the last one: a longer one needs no cutting */
    if (file < 0) {
        file = memfd_create("input", MFD_CLOEXEC);
        snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    }
    bool written = file >= 0 && pwrite(file, data, size, 0) == (ssize_t) size;
    written = written && (size >= length || ftruncate(file, (off_t) size) == 0);
    length = size;
    FUZZ_HOLDS(written, "a file can be made");
    return name;
}
