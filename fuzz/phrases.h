/* SPDX-License-Identifier: Apache-2.0
 *
 * The phrase book of the mutator: what servers, networks and owners of clients say and do, as short pieces of scripts.
 * It is written in the scenario language, from the clauses, in phrases/NAME.yaml: each file is a situation. Its steps
 * up to the first `repeat` are how the situation comes about, each `repeat` is a phrase that means something in it.
 *
 * The texts are part of the program (phrases.cmake), and parsed once.
 */
#ifndef BJ_FUZZ_PHRASES_H
#define BJ_FUZZ_PHRASES_H

#include "base/arena.h"
#include "script/program.h"

typedef struct phrase_text {
    const char *name;
    const unsigned char *bytes;
    size_t length;
} phrase_text;

extern const phrase_text phrase_texts[];
extern const size_t phrase_text_count;

/* Byte forms of scenarios: that of a situation ends where phrases begin; that of a phrase has steps and nothing else.
 */
typedef struct situation {
    bj_string opening;
    bj_string *phrases;
    size_t phrase_count;
    bool secure; /* its Bootstrap-Server speaks DTLS */
} situation;

typedef struct phrase_book {
    situation *situations;
    size_t count;
    size_t phrase_count; /* of all situations */
} phrase_book;

/* Everything in the book lives in the arena. NULL: a file of phrases/ has mistakes, which were written to stderr. */
const phrase_book *phrase_book_read(bj_arena *arena);

#endif
