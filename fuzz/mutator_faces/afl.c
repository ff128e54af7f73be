/* SPDX-License-Identifier: Apache-2.0
 *
 * The mutator's face for AFL++ (4.04c and later): a shared object for AFL_CUSTOM_MUTATOR_LIBRARY. Debian ships no
 * headers; AFL++'s own state is not looked at, so that a plain pointer stands for it.
 */
#include <stdlib.h>
#include <string.h>

#include "mutator.h"

#define EXPORT __attribute__((visibility("default")))

enum { LONGEST = 1 << 16 };

typedef struct face {
    mutator *mutator;
    uint64_t seed;
    uint8_t out[LONGEST];
    char told[64];
} face;

EXPORT void *afl_custom_init(void *afl, unsigned int seed);
EXPORT size_t afl_custom_fuzz(void *data, uint8_t *buffer, size_t size, uint8_t **out, uint8_t *other,
                              size_t other_size, size_t room);
EXPORT const char *afl_custom_describe(void *data, size_t room);
EXPORT void afl_custom_deinit(void *data);

EXPORT void *afl_custom_init(void *afl, unsigned int seed) {
    (void) afl;
    face *f = calloc(1, sizeof *f);
    if (f) {
        f->seed = seed;
        f->mutator = mutator_new(seed);
    }
    if (f && !f->mutator) {
        free(f);
        f = NULL;
    }
    return f;
}

/* A quarter of the time a piece of the other input is spliced in first. */
EXPORT size_t afl_custom_fuzz(void *data, uint8_t *buffer, size_t size, uint8_t **out, uint8_t *other,
                              size_t other_size, size_t room) {
    face *f = data;
    room = room < LONGEST ? room : LONGEST;
    size = size < room ? size : room;
    f->seed++;
    *out = f->out;
    size_t recited = mutator_recite_next(f->mutator, f->out, room);
    if (recited) {
        return recited;
    }
    if (other && other_size && f->seed % 4 == 0) {
        size = mutator_cross(f->mutator, buffer, size, other, other_size, f->out, room, f->seed);
    } else {
        memcpy(f->out, buffer, size);
    }
    return mutator_mutate(f->mutator, f->out, size, room, f->seed);
}

/* Part of a finding's file name. */
EXPORT const char *afl_custom_describe(void *data, size_t room) {
    face *f = data;
    strcpy(f->told, "program");
    return room > strlen(f->told) ? f->told : NULL;
}

EXPORT void afl_custom_deinit(void *data) {
    face *f = data;
    mutator_free(f->mutator);
    free(f);
}
