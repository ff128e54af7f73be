/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that belongs to the world and to nobody else.
 *
 * World and script engine may live inside the process of the client under test. They therefore never
 * call malloc(): everything they keep lies in one arena, a mapping whose address and size the caller
 * chooses (shared and at a fixed address when a run must outlive a process). Blocks are zeroed and
 * aligned to 16 bytes; freed blocks are kept in lists by size class and used again.
 */
#ifndef BJ_BASE_ARENA_H
#define BJ_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bj_arena bj_arena;

/* Lays an arena over `memory` (at least 4096 zeroed bytes, aligned to 16). The arena's own header is
 * inside. The caller keeps owning the memory. */
bj_arena *bj_arena_create(void *memory, size_t size);

/* Maps `size` bytes of private anonymous memory and lays an arena over them; NULL when the mapping
 * fails. Release with bj_arena_unmap(). */
bj_arena *bj_arena_map(size_t size);
void bj_arena_unmap(bj_arena *arena);

/* Everything in it is gone: it is as bj_arena_create() made it. Takes no longer for having been used much. */
void bj_arena_reset(bj_arena *arena);

/* A zeroed block of `size` bytes. Never NULL: an exhausted arena calls the handler set below, which
 * must not return (the default writes a line to descriptor 2 and aborts). */
void *bj_arena_alloc(bj_arena *arena, size_t size);
/* The same, holding anything: for scratch space that is written before it is read. */
void *bj_arena_alloc_raw(bj_arena *arena, size_t size);
void *bj_arena_calloc(bj_arena *arena, size_t count, size_t size);
/* Grows or shrinks; new bytes are zero. `block` may be NULL. */
void *bj_arena_realloc(bj_arena *arena, void *block, size_t size);
/* Gives a block back. NULL is allowed. */
void bj_arena_free(bj_arena *arena, void *block);

void *bj_arena_copy(bj_arena *arena, const void *bytes, size_t size);
/* A copy of `length` bytes with a NUL behind them. */
char *bj_arena_strndup(bj_arena *arena, const char *text, size_t length);
char *bj_arena_strdup(bj_arena *arena, const char *text);

size_t bj_arena_in_use(const bj_arena *arena);
size_t bj_arena_peak(const bj_arena *arena);

typedef void bj_arena_exhausted_fn(size_t wanted);
void bj_arena_on_exhausted(bj_arena_exhausted_fn *handler);

#endif
