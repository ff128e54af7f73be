/* SPDX-License-Identifier: Apache-2.0
 *
 * Changes programs of the scenario language in their byte form, as somebody would who knows the language: steps are
 * swapped, dropped, repeated, spliced in from another program, made from the grammar or taken from the phrase book
 * (phrases.h); values, formats, blocks, lengths, moments change; faults and power cuts come in. A share is plain havoc
 * on the bytes. What comes out is canonical (its encoding decoded and encoded again is the same), and the same for the
 * same input and seed.
 *
 * One core, two faces: mutator_faces/libfuzzer.c for libFuzzer, mutator_faces/afl.c for AFL++.
 */
#ifndef BJ_FUZZ_MUTATOR_H
#define BJ_FUZZ_MUTATOR_H

#include <stddef.h>
#include <stdint.h>

/* X(NAME, "what it does"). Append only: seeds reproduce. */
#define MUTATOR_KINDS(X)                                                                                               \
    X(SWAP, "swap two steps")                                                                                          \
    X(DROP, "drop steps")                                                                                              \
    X(REPEAT, "repeat a step")                                                                                         \
    X(MOVE, "move a step")                                                                                             \
    X(INSERT, "insert a step made from the grammar")                                                                   \
    X(VALUE, "change a value")                                                                                         \
    X(FIELD, "give or take a field")                                                                                   \
    X(FORMAT, "write a payload in another format")                                                                     \
    X(BLOCKS, "split a payload in blocks")                                                                             \
    X(LENGTHS, "lie about a length in a payload")                                                                      \
    X(DEADLINE, "move a step to just before or after a deadline")                                                      \
    X(FAULT, "add a fault of the network, of a name, of a server or of the disk")                                      \
    X(POWER, "cut the client's power, or stop it, and start it again")                                                 \
    X(CUT_SHORT, "end the script early")                                                                               \
    X(HAVOC, "change bytes")                                                                                           \
    X(PHRASE, "insert a phrase of the book")                                                                           \
    X(SITUATION, "begin anew with a situation of the book")

typedef enum mutator_kind {
#define MUTATOR_ENUM(NAME, text) MUTATOR_##NAME,
    MUTATOR_KINDS(MUTATOR_ENUM)
#undef MUTATOR_ENUM
        MUTATOR_COUNT
} mutator_kind;

typedef struct mutator mutator;

/* `swarm`: of this run: some kinds are likelier than others in it, some do not happen (TigerBeetle calls that swarm
 * testing). NULL: no memory, or the phrase book has mistakes, which stderr tells. */
mutator *mutator_new(uint64_t swarm);
void mutator_free(mutator *m);
unsigned mutator_weight(const mutator *m, mutator_kind kind);
const char *mutator_text(mutator_kind kind);

/* Changes the `size` bytes at `data`, in a place of `room` bytes; the new size, 0 only where there is no room. */
size_t mutator_mutate(mutator *m, uint8_t *data, size_t size, size_t room, uint64_t seed);
/* The n-th phrase of the book (phrases.h) as it stands there, behind what brings its situation about, as bytes at
 * `out`: an engine begins with all of them, whatever its inputs are. 0: there are not so many, or there is not enough
 * room. */
size_t mutator_recite(mutator *m, size_t n, uint8_t *out, size_t room);
/* The next that fits, of each mutator once; 0: they are over. */
size_t mutator_recite_next(mutator *m, uint8_t *out, size_t room);
/* How many phrases there are. */
size_t mutator_phrase_count(const mutator *m);
/* One kind of change, whatever its weight. */
size_t mutator_mutate_as(mutator *m, mutator_kind kind, uint8_t *data, size_t size, size_t room, uint64_t seed);
/* Steps of both programs, in a copy of the first. */
size_t mutator_cross(mutator *m, const uint8_t *one, size_t one_size, const uint8_t *other, size_t other_size,
                     uint8_t *out, size_t room, uint64_t seed);

#endif
