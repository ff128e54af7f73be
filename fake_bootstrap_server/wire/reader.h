/* SPDX-License-Identifier: Apache-2.0
 *
 * A cursor and an end: the one way in which this folder reads bytes that came from outside. A read past the end gives
 * nothing and says so; the cursor never leaves the bytes.
 */
#ifndef BJ_WIRE_READER_H
#define BJ_WIRE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bj_reader {
    const uint8_t *at;
    const uint8_t *end;
} bj_reader;

static inline bj_reader bj_reader_over(const uint8_t *data, size_t length) {
    /* NULL with length 0 is an empty input, too; arithmetic on NULL is undefined. */
    static const uint8_t nothing[1];
    const uint8_t *start = length ? data : nothing;
    return (bj_reader){ .at = start, .end = start + length };
}

static inline size_t bj_reader_left(const bj_reader *r) {
    return (size_t) (r->end - r->at);
}

/* The next `length` bytes, or NULL when there are fewer. */
static inline const uint8_t *bj_reader_take(bj_reader *r, size_t length) {
    if (bj_reader_left(r) < length) {
        return NULL;
    }
    const uint8_t *start = r->at;
    r->at += length;
    return start;
}

/* An unsigned big-endian number of 0 to 4 bytes; false when there are fewer. */
static inline bool bj_reader_uint(bj_reader *r, size_t size, uint32_t *value) {
    const uint8_t *bytes = bj_reader_take(r, size);
    if (!bytes) {
        return false;
    }
    *value = 0;
    for (size_t i = 0; i < size; i++) {
        *value = *value << 8 | bytes[i];
    }
    return true;
}

#endif
