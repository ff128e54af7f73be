/* SPDX-License-Identifier: Apache-2.0
 *
 * Helpers of the codec tests: bytes written as in the specifications, and a seeded generator.
 */
#ifndef BJ_TESTS_WIRE_BYTES_H
#define BJ_TESTS_WIRE_BYTES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

typedef struct bytes {
    uint8_t at[4096];
    size_t length;
} bytes;

static inline unsigned digit(char c) {
    const char *digits = "0123456789abcdef";
    char low = (char) (c | 0x20);
    return (unsigned) (strchr(digits, low) - digits);
}

/* "42 02 12 34": blanks are free. */
static inline bytes hex(const char *text) {
    bytes b = { .length = 0 };
    while (*text) {
        if (*text == ' ') {
            text++;
            continue;
        }
        assert_true(b.length < sizeof b.at);
        b.at[b.length++] = (uint8_t) (digit(text[0]) << 4 | digit(text[1]));
        text += 2;
    }
    return b;
}

static inline void assert_hex(const uint8_t *have, size_t length, const char *want) {
    bytes b = hex(want);
    assert_int_equal(length, b.length);
    assert_memory_equal(have, b.at, length);
}

/* A copy at the end of an allocation of its own, so that AddressSanitizer sees a read behind it. */
static inline uint8_t *tight(const uint8_t *data, size_t length) {
    uint8_t *copy = malloc(length ? length : 1);
    assert_non_null(copy);
    if (length) {
        memcpy(copy, data, length);
    }
    return copy;
}

/* splitmix64: the same on every machine. */
static inline uint64_t next_random(uint64_t *state) {
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static inline uint32_t below(uint64_t *state, uint32_t bound) {
    return (uint32_t) (next_random(state) % bound);
}

static inline void fill_random(uint64_t *state, uint8_t *out, size_t length) {
    for (size_t i = 0; i < length; i++) {
        out[i] = (uint8_t) next_random(state);
    }
}

#endif
