/* SPDX-License-Identifier: Apache-2.0
 *
 * The memory that a run's supervisor and its child share: what is to be run, the event log, the world's arena. One
 * memfd, mapped in the child at one fixed address (so that runs with one seed have the same pointers), anywhere in
 * the parent. It holds offsets, never pointers, but for the arena, which only the child uses.
 */
#ifndef BJ_ATTACH_SHARED_H
#define BJ_ATTACH_SHARED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attach/run.h"

/* Where the child maps it; free in every x86-64 and arm64 process, inside ASan's application memory. */
#define BJ_SHARED_ADDRESS ((void *) 0x200000000000)
/* Names the descriptor for the preload library's constructor: "FD". */
#define BJ_SHARED_VARIABLE "BOOTJACK_PRELOAD"

enum { BJ_SHARED_MAGIC = 0x424a5348, BJ_SHARED_VERSION = 4, BJ_SHARED_DESCRIPTOR = 900, BJ_SHARED_TROUBLE = 512 };

/* How far the child has come. */
typedef enum bj_phase {
    BJ_PHASE_NONE = 0,   /* nothing was heard of it */
    BJ_PHASE_FAILED = 1, /* it could not be started: `trouble` says why */
    BJ_PHASE_WORLD = 2,  /* the world stands around it */
    BJ_PHASE_OVER = 3,   /* the engine has its verdict, which is in the log */
} bj_phase;

typedef struct bj_range {
    uint64_t at; /* from the start of the mapping */
    uint64_t length;
} bj_range;

typedef struct bj_shared {
    uint32_t magic;
    uint32_t version;
    uint64_t size;
    uint64_t seed;
    uint64_t cut_operation; /* as in bj_run_options */
    uint32_t cut_step, cut_outcome;
    uint32_t attach; /* bj_attach */
    bj_range scenario, scenario_positions, profile, profile_positions;
    bj_range log, tail, arena; /* tail: a bj_output_tail */
    _Atomic uint64_t
        now; /* exec: the world's time when the client waited last: it lives, whether it does anything or not */
    _Atomic uint32_t phase;
    int32_t process;     /* the client's, in exec */
    int32_t feed;        /* the descriptor, in the child, from which the script grows (feed.h); 0: it does not */
    int32_t input;       /* likewise: what is written here the client reads at its standard input; 0: nobody does */
    uint32_t randomised; /* exec: the system does not let a program fix its addresses */
    int32_t said[2];     /* likewise: where its standard output and standard error are read */
    uint64_t
        child; /* exec, while the client is started again: the address of the bj_child that goes on, in the arena */
    char trouble[BJ_SHARED_TROUBLE];
} bj_shared;

/* Makes it, in the parent; NULL and errno when the system refuses. *descriptor is closed on exec. */
bj_shared *bj_shared_new(const bj_record *scenario, const bj_run_options *options, bj_arena *arena, int *descriptor);
/* Maps it in the child; NULL when that is not possible or it is not of this version. */
bj_shared *bj_shared_map(int descriptor);
void bj_shared_unmap(bj_shared *shared);

static inline void *bj_shared_at(const bj_shared *shared, const bj_range *range) {
    return (char *) (uintptr_t) shared + range->at;
}

/* Says why the child could not be started (phase FAILED). */
void bj_shared_trouble(bj_shared *shared, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
