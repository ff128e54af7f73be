/* SPDX-License-Identifier: Apache-2.0
 *
 * A table from keys to numbers, that grows: the keys stay with the caller. Private to capture/.
 */
#ifndef BJ_CAPTURE_LOOKUP_H
#define BJ_CAPTURE_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BJ_LOOKUP_START = 1 }; /* the hash of nothing */

typedef struct bj_lookup_slot {
    uint64_t hash;
    uint32_t value;
    bool used;
} bj_lookup_slot;

/* All zero is empty. */
typedef struct bj_lookup {
    bj_lookup_slot *slots;
    size_t room, count;
} bj_lookup;

/* The key of `value` is the one that is looked for. */
typedef bool bj_lookup_same(const void *context, uint32_t value);

/* The hash of bytes behind those that gave `hash`. */
uint64_t bj_lookup_hash(uint64_t hash, const void *bytes, size_t length);
/* Different numbers give different hashes. */
uint64_t bj_lookup_hash_number(uint64_t number);

/* The first value that was added with that hash and is the same; without `same` the hash is the key. NULL: none. Valid
 * until the next is added. */
uint32_t *bj_lookup_find(const bj_lookup *table, uint64_t hash, bj_lookup_same *same, const void *context);
/* Adds what is not there. false: no memory. */
bool bj_lookup_add(bj_lookup *table, uint64_t hash, uint32_t value);
void bj_lookup_free(bj_lookup *table);

#endif
