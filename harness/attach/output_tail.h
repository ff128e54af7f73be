/* SPDX-License-Identifier: Apache-2.0
 *
 * What is kept of a client's output beyond its first lines: the last ones, and the first report of a sanitizer. Of one
 * size, whatever comes; it lies in the shared memory of a run, so that it is there when the client has died. Compiled
 * into the preload library too: no malloc().
 */
#ifndef BJ_ATTACH_OUTPUT_TAIL_H
#define BJ_ATTACH_OUTPUT_TAIL_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h" /* bj_time */

/* Bytes of a line; a longer one becomes several. Lines that are kept from the beginning, and from the end. */
enum { BJ_OUTPUT_LINE = 1024, BJ_OUTPUT_KEPT = 20000, BJ_OUTPUT_LAST = 150 };

typedef struct bj_tail_line {
    bj_time time; /* as in bj_output_line, and so are the others */
    uint32_t after;
    int descriptor;
    char text[BJ_OUTPUT_LINE + 1];
} bj_tail_line;

typedef struct bj_output_tail {
    uint64_t count; /* lines that came; line i is, or was, at i % BJ_OUTPUT_LAST */
    char report[BJ_OUTPUT_LINE + 1];
    bj_tail_line lines[BJ_OUTPUT_LAST];
} bj_output_tail;

/* A line of at most BJ_OUTPUT_LINE bytes. */
void bj_output_tail_put(bj_output_tail *tail, int descriptor, uint32_t after, bj_time time, const char *text,
                        size_t length);
/* How many lines it still has, and each of them, in the order in which they came. */
size_t bj_output_tail_kept(const bj_output_tail *tail);
const bj_tail_line *bj_output_tail_line(const bj_output_tail *tail, size_t index);

/* Does a sanitizer say in this line what it found ("==1==ERROR: AddressSanitizer: ...")? From where it gets
 * interesting, or NULL. */
const char *bj_output_report(const char *line);

#endif
