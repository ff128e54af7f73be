/* SPDX-License-Identifier: Apache-2.0
 *
 * A data model of the client with one Object that has a resource of every type, single and multiple: what codec targets
 * write payloads to. It lives as long as the process; every input begins with an empty one.
 */
#ifndef BJ_FUZZ_EVERYTHING_H
#define BJ_FUZZ_EVERYTHING_H

#include "model/model.h"
#include "model/store.h"
#include "wire/entries.h"

#define EVERYTHING 9000

typedef struct everything {
    bjc_core core;
    bjc_model model;
    bjc_store store;
} everything;

/* Number 0 or 1, made when it is asked for the first time, emptied each time; empty it before memory_done(). */
everything *everything_empty(unsigned number);
/* As it is; it must have been made. */
everything *everything_now(unsigned number);
bool everything_same(const everything *left, const everything *right);
/* Every Object Instance has a resource: not every format can show one without. */
bool everything_is_shown(const everything *one);

/* A target below /9000 that the byte stands for: the Object, an Object Instance, a resource of some type, an
 * instance of one. */
bjc_path everything_target(uint8_t choice);

/* The value as the servers' codec would have it. */
bj_entry everything_entry(const bootjack_value *value);

#endif
