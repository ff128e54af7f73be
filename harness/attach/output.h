/* SPDX-License-Identifier: Apache-2.0
 *
 * What the client writes to its standard output and standard error, line by line. The world hears it while it goes on,
 * and logs it (CLIENT_OUTPUT); what it did not hear, for the client died or there is no world around it, comes from the
 * pipes, each line with the number of the event that was the last when the line was seen.
 */
#ifndef BJ_ATTACH_OUTPUT_H
#define BJ_ATTACH_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "attach/output_tail.h"
#include "attach/run.h"

typedef struct bj_output {
    bj_output_line *lines;
    size_t count;
    size_t room;
    bj_output_tail *tail; /* what came behind the first BJ_OUTPUT_KEPT; NULL: nothing */
    struct {
        char bytes[BJ_OUTPUT_LINE];
        size_t used;
    } partial[2];
} bj_output;

/* Bytes that came on descriptor 1 or 2; `after` is the last event's number. Memory is from malloc(). */
void bj_output_take(bj_output *output, int descriptor, const char *bytes, size_t length, uint32_t after);
/* The lines that stand in the log, before any that were taken: only for the first call. `heard`: what the world heard
 * behind them (child_output.c), or NULL. */
void bj_output_from_log(bj_output *output, const bj_log *log, const bj_output_tail *heard);
/* The end: what stands without a newline becomes a line, and the last lines follow the first. */
void bj_output_end(bj_output *output, uint32_t after);
void bj_output_free(bj_output *output);

/* The line in which a sanitizer says what it found ("==1==ERROR: AddressSanitizer: ..."), from where it gets
 * interesting; NULL when none did. */
const char *bj_output_sanitizer(const bj_output *output);

#endif
