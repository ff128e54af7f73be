/* SPDX-License-Identifier: Apache-2.0
 *
 * A bump allocator with free lists by power-of-two size class. See arena.h.
 */
#define _GNU_SOURCE
#include "base/arena.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CLASSES = 40, SMALLEST = 5 };
/* What was used of the first so many bytes is cleared at once when the arena is emptied, not block by block. */
enum { FRONT = 32 << 10 };

typedef struct block {
    size_t size; /* of the payload; the size class follows from it */
    struct block *next_free;
} block;

struct bj_arena {
    size_t size;
    size_t top;
    size_t dirty; /* below it what is behind FRONT was used before: zeroed when given out, which is less than all */
    size_t in_use;
    size_t peak;
    block *free_lists[CLASSES];
};

_Static_assert(sizeof(block) == 16, "a block header keeps its payload aligned to 16");

static void report_and_abort(size_t wanted) {
    (void) wanted;
    static const char text[] = "bootjack: the world's arena is exhausted\n";
    (void) !syscall(SYS_write, 2, text, sizeof text - 1);
    abort();
}

static bj_arena_exhausted_fn *on_exhausted = report_and_abort;

void bj_arena_on_exhausted(bj_arena_exhausted_fn *handler) {
    on_exhausted = handler ? handler : report_and_abort;
}

static unsigned size_class(size_t size) {
    return size <= (size_t) 1 << SMALLEST ? SMALLEST : 64 - (unsigned) __builtin_clzll(size - 1);
}

bj_arena *bj_arena_create(void *memory, size_t size) {
    assert(size >= 4096 && ((uintptr_t) memory & 15) == 0);
    bj_arena *arena = memory;
    memset(arena, 0, sizeof *arena);
    arena->size = size;
    arena->top = (sizeof *arena + 15) & ~(size_t) 15;
    return arena;
}

void bj_arena_reset(bj_arena *arena) {
    size_t size = arena->size, used = arena->top, dirty = used > arena->dirty ? used : arena->dirty;
    memset(arena, 0, used < FRONT ? used : FRONT);
    bj_arena_create(arena, size);
    arena->dirty = dirty;
}

bj_arena *bj_arena_map(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : bj_arena_create(memory, size);
}

void bj_arena_unmap(bj_arena *arena) {
    if (arena) {
        munmap(arena, arena->size);
    }
}

static block *take_block(bj_arena *arena, size_t size, bool zeroed) {
    unsigned class = size_class(size);
    size_t room = (size_t) 1 << class;
    block *b = arena->free_lists[class];
    bool dirty = b != NULL || (arena->top < arena->dirty && arena->top + sizeof(block) + room > FRONT);
    if (b) {
        arena->free_lists[class] = b->next_free;
    } else {
        if (class >= CLASSES || arena->size - arena->top < room + sizeof(block)) {
            on_exhausted(size);
            abort();
        }
        b = (block *) ((char *) arena + arena->top);
        arena->top += room + sizeof(block);
    }
    if (dirty && zeroed) {
        memset(b + 1, 0, size);
    }
    b->size = size;
    b->next_free = NULL;
    arena->in_use += room;
    if (arena->in_use > arena->peak) {
        arena->peak = arena->in_use;
    }
    return b;
}

void *bj_arena_alloc(bj_arena *arena, size_t size) {
    return take_block(arena, size, true) + 1;
}

void *bj_arena_alloc_raw(bj_arena *arena, size_t size) {
    return take_block(arena, size, false) + 1;
}

void *bj_arena_calloc(bj_arena *arena, size_t count, size_t size) {
    if (size && count > SIZE_MAX / size) {
        on_exhausted(SIZE_MAX);
        abort();
    }
    return bj_arena_alloc(arena, count * size);
}

void bj_arena_free(bj_arena *arena, void *payload) {
    if (!payload) {
        return;
    }
    block *b = (block *) payload - 1;
    unsigned class = size_class(b->size);
    arena->in_use -= (size_t) 1 << class;
    b->next_free = arena->free_lists[class];
    arena->free_lists[class] = b;
}

void *bj_arena_realloc(bj_arena *arena, void *payload, size_t size) {
    if (!payload) {
        return bj_arena_alloc(arena, size);
    }
    block *b = (block *) payload - 1;
    if (size_class(b->size) == size_class(size)) {
        if (size > b->size) {
            memset((char *) payload + b->size, 0, size - b->size);
        }
        b->size = size;
        return payload;
    }
    void *moved = bj_arena_alloc(arena, size);
    memcpy(moved, payload, b->size < size ? b->size : size);
    bj_arena_free(arena, payload);
    return moved;
}

void *bj_arena_copy(bj_arena *arena, const void *bytes, size_t size) {
    void *copy = bj_arena_alloc_raw(arena, size);
    if (size) {
        memcpy(copy, bytes, size);
    }
    return copy;
}

char *bj_arena_strndup(bj_arena *arena, const char *text, size_t length) {
    char *copy = bj_arena_alloc_raw(arena, length + 1);
    if (length) {
        memcpy(copy, text, length);
    }
    copy[length] = '\0';
    return copy;
}

char *bj_arena_strdup(bj_arena *arena, const char *text) {
    return bj_arena_strndup(arena, text, strlen(text));
}

size_t bj_arena_in_use(const bj_arena *arena) {
    return arena->in_use;
}

size_t bj_arena_peak(const bj_arena *arena) {
    return arena->peak;
}
