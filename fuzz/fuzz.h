/* SPDX-License-Identifier: Apache-2.0
 *
 * What all fuzz targets share. A target is one function, LLVMFuzzerTestOneInput(); libFuzzer and AFL++ bring their own
 * main(), everywhere else replay.c does, which runs files.
 */
#ifndef BJ_FUZZ_FUZZ_H
#define BJ_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Defined by targets whose inputs are programs: their files may be text, NAME.yaml, which is compiled when it is
 * replayed; every other file is a byte form (what fuzz/program_seeds.py makes for the engines is called NAME). */
extern const bool fuzz_takes_programs __attribute__((weak));

/* A property that must hold for every input. One that does not ends the process, from a function that says which. */
#define FUZZ_HOLDS(condition, property)                                                                                \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fuzz_broken(property, #condition, __FILE__, __LINE__);                                                     \
        }                                                                                                              \
    } while (0)

_Noreturn void fuzz_broken(const char *property, const char *condition, const char *file, int line)
    __attribute__((noinline));

/* Takes bytes from the front of an input; zeros when there are none left. */
typedef struct fuzz_input {
    const uint8_t *at;
    size_t left;
} fuzz_input;

uint8_t fuzz_byte(fuzz_input *input);
uint16_t fuzz_short(fuzz_input *input);

#endif
