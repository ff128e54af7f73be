/* SPDX-License-Identifier: Apache-2.0
 *
 * See memory_calls.h. Never instrumented itself.
 */
#include "memory_calls.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "memory.h"

void *memory_malloc(size_t size) {
    return memory_allocator.allocate(NULL, size);
}

void *memory_calloc(size_t count, size_t size) {
    if (size && count > SIZE_MAX / size) {
        return NULL;
    }
    void *block = memory_malloc(count * size);
    return block ? memset(block, 0, count * size) : NULL;
}

void *memory_realloc(void *block, size_t size) {
    void *other = memory_malloc(size);
    if (other && block) {
        size_t held = memory_size(block);
        memcpy(other, block, held < size ? held : size);
        memory_free(block);
    }
    return other;
}

void memory_free(void *block) {
    if (block) {
        memory_allocator.release(NULL, block);
    }
}

char *memory_strdup(const char *text) {
    size_t size = strlen(text) + 1;
    void *copy = memory_malloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

int memory___vasprintf_chk(char **out, int flag, const char *format, va_list list) {
    va_list again;
    (void) flag;
    va_copy(again, list);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    *out = length < 0 ? NULL : memory_malloc((size_t) length + 1);
    return *out ? vsnprintf(*out, (size_t) length + 1, format, list) : -1;
}

int memory___asprintf_chk(char **out, int flag, const char *format, ...) {
    va_list list;
    va_start(list, format);
    int length = memory___vasprintf_chk(out, flag, format, list);
    va_end(list);
    return length;
}
