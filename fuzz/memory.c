/* SPDX-License-Identifier: Apache-2.0
 *
 * See memory.h. Never instrumented itself: it writes where nobody else may.
 */
#include "memory.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#ifdef BJ_SHADOW
#include <sanitizer/asan_interface.h>
#endif

enum { ROOM = 4 << 20, ZONE = 32 }; /* of a zone in front of each block */
enum { UNWRITTEN = 0xBE };          /* what AddressSanitizer's malloc() fills memory with */

typedef struct zone {
    size_t size;
    bool live;
} zone;
_Static_assert(sizeof(zone) <= ZONE, "a zone has room for what stands in it");

static alignas(16) uint8_t room[ROOM];
static size_t used, live;
static uint8_t *copy;

bool memory_holds(const void *block) {
    return (const uint8_t *) block >= room && (const uint8_t *) block < room + ROOM;
}

static size_t with_zone(size_t size) {
    return ZONE + ((size + 15) & ~(size_t) 15);
}

bool memory_has_room(size_t size) {
    return size <= ROOM && with_zone(size) <= ROOM - used;
}

/* --- AddressSanitizer's shadow: a byte for eight of memory ------------------------------------------------------ */

enum { POISON = 0xF7, GRAIN = 8 }; /* poisoned by the program itself */

#ifdef BJ_SHADOW
static uint8_t *shadow_of(const uint8_t *at) {
    static size_t scale, offset;
    if (!offset) {
        __asan_get_shadow_mapping(&scale, &offset);
    }
    return (uint8_t *) (((uintptr_t) at >> scale) + offset);
}
#endif

/* Poisons so many bytes from a multiple of GRAIN on. The runtime's own functions take as long as malloc(). */
static void poison(const uint8_t *at, size_t size) {
#ifdef BJ_SHADOW
    uint8_t *shadow = shadow_of(at);
    for (size_t i = 0; i < (size + GRAIN - 1) / GRAIN; i++) {
        shadow[i] = POISON;
    }
#else
    (void) at, (void) size;
#endif
}

static void unpoison(const uint8_t *at, size_t size) {
#ifdef BJ_SHADOW
    uint8_t *shadow = shadow_of(at);
    for (size_t i = 0; i < size / GRAIN; i++) {
        shadow[i] = 0;
    }
    if (size % GRAIN) {
        shadow[size / GRAIN] = size % GRAIN;
    }
#else
    (void) at, (void) size;
#endif
}

/* -------------------------------------------------------------------------------------------------------------- */

static void *fill(uint8_t *block, size_t size) {
    for (size_t i = 0; i < size; i++) {
        block[i] = UNWRITTEN;
    }
    return block;
}

/* What does not fit any more comes from malloc(). */
static void *allocate(void *context, size_t size) {
    static bool poisoned;
    (void) context;
    if (!poisoned) {
        poisoned = true;
        poison(room, ROOM);
    }
    uint8_t *place = room + used;
    live++;
    if (memory_has_room(size)) {
        used += with_zone(size);
    } else {
        place = malloc(ZONE + size);
        if (!place) {
            return NULL;
        }
        poison(place, ZONE);
    }
    *(zone *) (void *) place = (zone){ size, true };
    unpoison(place + ZONE, size);
    return fill(place + ZONE, size);
}

static zone *zone_of(const void *block) {
    return (zone *) (uintptr_t) ((const uint8_t *) block - ZONE);
}

static void release(void *context, void *block) {
    (void) context;
    zone *z = zone_of(block);
    FUZZ_HOLDS(z->live, "what was released is not released again");
    z->live = false;
    live--;
    if (memory_holds(block)) {
        poison(block, z->size);
    } else {
        free(z);
    }
}

size_t memory_size(const void *block) {
    return zone_of(block)->size;
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
    memory_forget();
}

void memory_forget(void) {
    poison(room, used);
    used = live = 0;
}
