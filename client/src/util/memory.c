/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory through the application's allocator, and a byte buffer that grows.
 */
#define _GNU_SOURCE
#include "util/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *malloc_allocate(void *context, size_t size) {
    (void) context;
    return malloc(size);
}

static void malloc_release(void *context, void *memory) {
    (void) context;
    free(memory);
}

const bootjack_allocator bjc_malloc_allocator = { malloc_allocate, malloc_release, NULL };

void *bjc_allocate(const bootjack_allocator *allocator, size_t size) {
    void *memory = allocator->allocate(allocator->context, size ? size : 1);
    if (memory) {
        memset(memory, 0, size ? size : 1);
    }
    return memory;
}

void bjc_release(const bootjack_allocator *allocator, void *memory) {
    if (memory) {
        allocator->release(allocator->context, memory);
    }
}

void bjc_release_wiped(const bootjack_allocator *allocator, void *memory, size_t size) {
    if (memory) {
        explicit_bzero(memory, size);
        allocator->release(allocator->context, memory);
    }
}

uint8_t *bjc_copy_bytes(const bootjack_allocator *allocator, const void *data, size_t length) {
    uint8_t *copy = bjc_allocate(allocator, length + 1);
    if (copy && length) {
        memcpy(copy, data, length);
    }
    return copy;
}

char *bjc_copy_text(const bootjack_allocator *allocator, const char *text) {
    return (char *) bjc_copy_bytes(allocator, text, strlen(text));
}

void bjc_buffer_init(bjc_buffer *buffer, const bootjack_allocator *allocator) {
    *buffer = (bjc_buffer){ .allocator = allocator };
}

void bjc_buffer_free(bjc_buffer *buffer) {
    bjc_release_wiped(buffer->allocator, buffer->data, buffer->capacity);
    bjc_buffer_init(buffer, buffer->allocator);
}

static bool grow(bjc_buffer *buffer, size_t needed) {
    size_t capacity = buffer->capacity ? buffer->capacity : 64;
    while (capacity < needed) {
        capacity *= 2;
    }
    uint8_t *data = bjc_allocate(buffer->allocator, capacity);
    if (!data) {
        buffer->failed = true;
        return false;
    }
    if (buffer->length) {
        memcpy(data, buffer->data, buffer->length);
    }
    bjc_release_wiped(buffer->allocator, buffer->data, buffer->capacity);
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

bool bjc_buffer_append(bjc_buffer *buffer, const void *data, size_t length) {
    if (buffer->failed || length > SIZE_MAX / 4 - buffer->length) {
        buffer->failed = true;
        return false;
    }
    if (buffer->length + length > buffer->capacity && !grow(buffer, buffer->length + length)) {
        return false;
    }
    if (length) {
        memcpy(buffer->data + buffer->length, data, length);
        buffer->length += length;
    }
    return true;
}

bool bjc_buffer_byte(bjc_buffer *buffer, unsigned byte) {
    uint8_t value = (uint8_t) byte;
    if (buffer->failed || buffer->length == buffer->capacity) {
        return bjc_buffer_append(buffer, &value, 1);
    }
    buffer->data[buffer->length++] = value;
    return true;
}

bool bjc_buffer_text(bjc_buffer *buffer, const char *text) {
    return bjc_buffer_append(buffer, text, strlen(text));
}

bool bjc_buffer_format(bjc_buffer *buffer, const char *format, ...) {
    char text[320];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t) length >= sizeof text) {
        buffer->failed = true;
        return false;
    }
    return bjc_buffer_append(buffer, text, (size_t) length);
}
