/* SPDX-License-Identifier: Apache-2.0
 *
 * An alphabet of events: a scenario file with cases. What stands before the note "search" is how every sequence begins,
 * what stands behind it in a case is that case's event.
 */
#ifndef BJ_FUZZ_ALPHABET_H
#define BJ_FUZZ_ALPHABET_H

#include "script/program.h"

enum { ALPHABET_MOST = 64, ALPHABET_DEPTH = 16 };

typedef struct alphabet_event {
    const char *name;
    const bj_record *const *steps;
    size_t count;
} alphabet_event;

typedef struct alphabet {
    const bj_record *scenario; /* of the first case */
    const bj_record *const *prologue;
    size_t prologue_count;
    alphabet_event events[ALPHABET_MOST];
    size_t count;
} alphabet;

/* Lives in the arena. false: mistakes were printed. */
bool alphabet_load(bj_arena *arena, const char *file, alphabet *out);

/* How many sequences there are of one event up to `depth` of them; 0 when that is no number of 64 bits. */
uint64_t alphabet_sequences(const alphabet *a, unsigned depth);
/* The events of a sequence by its number, the shorter ones first. Returns how many. */
unsigned alphabet_sequence(const alphabet *a, uint64_t number, unsigned events[ALPHABET_DEPTH]);
/* The scenario of a sequence, in the arena. */
const bj_record *alphabet_program(bj_arena *arena, const alphabet *a, const unsigned *events, unsigned count);

#endif
