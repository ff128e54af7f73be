/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the mutator share: mutator.c (programs), mutator_make.c (the grammar), mutator_change.c (one change
 * each), mutator_phrases.c (the phrase book).
 */
#ifndef BJ_FUZZ_MUTATOR_INTERNAL_H
#define BJ_FUZZ_MUTATOR_INTERNAL_H

#include "base/arena.h"
#include "mutator.h"
#include "phrases.h"
#include "script/program.h"
#include "world/random.h"

enum { MUTATOR_RECORDS = 1024, MUTATOR_LISTS = 64, MUTATOR_STEPS = 256 };

/* A list of steps somewhere in the program, as a copy that may be changed; mutator_put_back() makes it the program's.
 */
typedef struct step_list {
    bj_record *owner;
    uint8_t field;
    uint8_t type;  /* BJ_T_STEPS, BJ_T_BRANCHES */
    size_t branch; /* BRANCHES: which */
    size_t count;
    const bj_record *steps[MUTATOR_STEPS];
} step_list;

struct mutator {
    bj_arena *arena;
    bj_rng rng;
    unsigned weights[MUTATOR_COUNT];
    unsigned total;
    bj_arena *book_arena;
    const phrase_book *book;
    size_t recited; /* phrases of the book, as they stand */
    bj_record *program;
    bj_record *records[MUTATOR_RECORDS]; /* all of the program */
    size_t record_count;
    step_list list; /* the one that is being changed */
};

/* --- mutator.c --- */

static inline uint64_t mutator_random(mutator *m) {
    return bj_rng_next(&m->rng);
}
/* 0 .. below-1; 0 where below is 0. */
static inline uint32_t mutator_below(mutator *m, size_t below) {
    return below ? (uint32_t) (bj_rng_next(&m->rng) % below) : 0;
}
static inline bool mutator_one_in(mutator *m, unsigned n) {
    return mutator_below(m, n) == 0;
}
/* The program is another one now: its script is the list that is changed. */
void mutator_take_script(mutator *m);
/* Adds a record and all those in it to `records`. */
void mutator_collect(mutator *m, bj_record *record);
void mutator_put_back(mutator *m);
/* Puts a step in front of the one at `at`; nothing where the list is full. */
void mutator_insert(mutator *m, size_t at, const bj_record *step);
/* Takes steps out that are there. */
void mutator_take_out(mutator *m, size_t at, size_t count);

/* --- mutator_make.c --- */

/* A record of that kind with some of its fields. */
bj_record *mutator_make_record(mutator *m, bj_kind kind, unsigned depth);
bj_record *mutator_make_step(mutator *m, unsigned depth);
/* Any value for that field. */
void mutator_make_value(mutator *m, const bj_field_def *field, unsigned depth, bj_value *value);
void mutator_set_uint(mutator *m, bj_record *record, unsigned field, uint32_t number);
void mutator_set_when(mutator *m, bj_record *record, unsigned field, bj_when when);

/* --- mutator_change.c --- */

void mutator_change(mutator *m, mutator_kind kind);
/* A value of one of `records`, a little or altogether. */
void mutator_change_value(mutator *m);

/* --- mutator_phrases.c --- */

/* A phrase into the list. */
void mutator_phrase(mutator *m);
/* Another program in place of the one there is: a situation, and some phrases in the list. */
void mutator_situation(mutator *m);

#endif
