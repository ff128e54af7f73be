/* SPDX-License-Identifier: Apache-2.0
 *
 * Parts of the lines in which a client tells of its state machines (attach/linked.h): for the oracle that judges them
 * and for fuzzing, which is led by them.
 */
#ifndef BJ_ORACLE_WORDS_H
#define BJ_ORACLE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* A part of a line. */
typedef struct word {
    const char *at;
    size_t length;
} word;

/* Up to `stop`, behind which *at goes on. The texts are short: memmem() takes longer to prepare than this to look. */
static inline word word_until(const char **at, const char *end, const char *stop) {
    size_t length = strlen(stop);
    const char *found = *at;
    while ((size_t) (end - found) >= length && (*found != *stop || memcmp(found, stop, length) != 0)) {
        found++;
    }
    bool any = (size_t) (end - found) >= length;
    word w = { *at, (size_t) ((any ? found : end) - *at) };
    *at = any ? found + length : end;
    return w;
}

#endif
