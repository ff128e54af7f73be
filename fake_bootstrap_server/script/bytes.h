/* SPDX-License-Identifier: Apache-2.0
 *
 * The byte form of a program: what the parent hands to the engine, and what the stateful fuzzer mutates.
 *
 * Total: every byte string decodes to some program (missing bytes read as zeros, lengths are cut to what is
 * left, numbers of kinds, fields and enumerated values are reduced to existing ones, nesting is cut).
 * Canonical: encode(decode(encode(decode(b)))) = encode(decode(b)), and decode(encode(p)) = p for every tree
 * that the loader makes. Numbers are those of schema.h, which are only ever appended.
 */
#ifndef BJ_SCRIPT_BYTES_H
#define BJ_SCRIPT_BYTES_H

#include "script/program.h"

/* The canonical byte form of `root` (of any record kind: a scenario, a profile), in `arena`. */
bj_string bj_program_encode(bj_arena *arena, const bj_record *root);

/* A tree of kind `kind`, in `arena`. Never fails. Positions are those of `positions` or none. */
bj_record *bj_program_decode(bj_arena *arena, bj_kind kind, const void *bytes, size_t length,
                             const bj_position *positions, size_t position_count);

/* The positions of all records of a tree, in the order in which the byte form holds them; the count in *count. */
bj_position *bj_program_positions(bj_arena *arena, const bj_record *root, size_t *count);

#endif
