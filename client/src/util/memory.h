/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory through the application's allocator, and a byte buffer that grows. Every allocation may fail.
 */
#ifndef BJC_UTIL_MEMORY_H
#define BJC_UTIL_MEMORY_H

#include <stdarg.h>

#include "bootjack/client.h"

extern const bootjack_allocator bjc_malloc_allocator;

/* Zeroed memory, or NULL. */
void *bjc_allocate(const bootjack_allocator *allocator, size_t size);
void bjc_release(const bootjack_allocator *allocator, void *memory);
/* Wiped first: for what may hold a secret. */
void bjc_release_wiped(const bootjack_allocator *allocator, void *memory, size_t size);
char *bjc_copy_text(const bootjack_allocator *allocator, const char *text);
/* A copy with a NUL behind it (not counted). */
uint8_t *bjc_copy_bytes(const bootjack_allocator *allocator, const void *data, size_t length);

typedef struct bjc_buffer {
    const bootjack_allocator *allocator;
    uint8_t *data;
    size_t length, capacity;
    bool failed; /* an allocation failed; appending does nothing from then on */
} bjc_buffer;

void bjc_buffer_init(bjc_buffer *buffer, const bootjack_allocator *allocator);
void bjc_buffer_free(bjc_buffer *buffer);
bool bjc_buffer_append(bjc_buffer *buffer, const void *data, size_t length);
bool bjc_buffer_byte(bjc_buffer *buffer, unsigned byte);
bool bjc_buffer_text(bjc_buffer *buffer, const char *text);
bool bjc_buffer_format(bjc_buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
