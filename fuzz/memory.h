/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory for what the client makes of one input, or of one session: an allocator that costs a tenth of malloc()
 * under AddressSanitizer and sees no less. A block is used once in an input; what lies around it, and what was
 * released, is poisoned; what it holds at first is the same in every input.
 */
#ifndef BJ_FUZZ_MEMORY_H
#define BJ_FUZZ_MEMORY_H

#include "bootjack/client.h"
#include "fuzz.h"

extern const bootjack_allocator memory_allocator;

/* Of a block that it gave. */
size_t memory_size(const void *block);
/* Is there room for a block of that size without malloc()? And does that block lie there? */
bool memory_has_room(size_t size);
bool memory_holds(const void *block);

/* A copy of what is left of the input, of exactly its size, so that a sanitizer sees what reads behind it. Lives until
 * memory_done(). */
uint8_t *memory_copy(const fuzz_input *input);

/* The input is over: everything that was allocated must have been released. */
void memory_done(void);
/* The same where somebody else counts: what was not released is gone. */
void memory_forget(void);

#endif
