/* SPDX-License-Identifier: Apache-2.0
 *
 * See memory.h.
 */
#include "memory.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#endif
#endif
#ifndef ASAN_POISON_MEMORY_REGION
#define ASAN_POISON_MEMORY_REGION(address, size)   ((void) (address), (void) (size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void) (address), (void) (size))
#endif

enum { ROOM = 1 << 20, ZONE = 32 }; /* in front of each block: its size, then nothing */

static alignas(16) uint8_t room[ROOM];
static size_t used, live;
static uint8_t *copy;

static bool ours(const uint8_t *block) {
    return block >= room && block < room + ROOM;
}

/* What does not fit any more comes from malloc(). */
static void *allocate(void *context, size_t size) {
    static bool poisoned;
    (void) context;
    if (!poisoned) {
        poisoned = true;
        ASAN_POISON_MEMORY_REGION(room, ROOM);
    }
    size_t whole = ZONE + ((size + 15) & ~(size_t) 15);
    live++;
    if (whole > ROOM - used) {
        return malloc(size);
    }
    uint8_t *zone = room + used;
    used += whole;
    ASAN_UNPOISON_MEMORY_REGION(zone, ZONE + size);
    memcpy(zone, &size, sizeof size);
    ASAN_POISON_MEMORY_REGION(zone, ZONE);
    return zone + ZONE;
}

static void release(void *context, void *block) {
    (void) context;
    live--;
    if (!ours(block)) {
        free(block);
        return;
    }
    uint8_t *zone = (uint8_t *) block - ZONE;
    size_t size;
    ASAN_UNPOISON_MEMORY_REGION(zone, ZONE);
    memcpy(&size, zone, sizeof size);
    ASAN_POISON_MEMORY_REGION(zone, ZONE + size);
}

const bootjack_allocator memory_allocator = { allocate, release, NULL };

uint8_t *memory_copy(const fuzz_input *input) {
    copy = allocate(NULL, input->left);
    FUZZ_HOLDS(copy != NULL, "there is memory for an input");
    if (input->left) {
        memcpy(copy, input->at, input->left);
    }
    return copy;
}

void memory_done(void) {
    if (copy) {
        release(NULL, copy);
        copy = NULL;
    }
    FUZZ_HOLDS(live == 0, "everything that an input made is released");
    ASAN_POISON_MEMORY_REGION(room, used);
    used = 0;
}
