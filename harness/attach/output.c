/* SPDX-License-Identifier: Apache-2.0
 *
 * See output.h.
 */
#define _GNU_SOURCE
#include "attach/output.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void keep_line(bj_output *output, bj_output_line line, const char *bytes, size_t length) {
    if (output->count == BJ_OUTPUT_KEPT) {
        output->dropped++;
        return;
    }
    if (output->count == output->room) {
        size_t room = output->room ? output->room * 2 : 64;
        bj_output_line *more = realloc(output->lines, room * sizeof *more);
        if (!more) {
            output->dropped++;
            return;
        }
        output->lines = more;
        output->room = room;
    }
    line.text = strndup(bytes, length);
    if (line.text) {
        output->lines[output->count++] = line;
    }
}

static void add_line(bj_output *output, int descriptor, uint32_t after) {
    size_t length = output->partial[descriptor - 1].used;
    output->partial[descriptor - 1].used = 0;
    keep_line(output, (bj_output_line){ .descriptor = descriptor, .after = after, .time = BJ_NEVER },
              output->partial[descriptor - 1].bytes, length);
}

void bj_output_take(bj_output *output, int descriptor, const char *bytes, size_t length, uint32_t after) {
    assert(descriptor == 1 || descriptor == 2);
    char *line = output->partial[descriptor - 1].bytes;
    size_t *used = &output->partial[descriptor - 1].used;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\n' || *used == BJ_OUTPUT_LINE) {
            add_line(output, descriptor, after);
        }
        if (bytes[i] != '\n') {
            line[(*used)++] = bytes[i];
        }
    }
}

void bj_output_from_log(bj_output *output, const bj_log *log) {
    bj_event event;
    for (size_t cursor = 0; log && bj_log_next(log, &cursor, &event);) {
        if (event.kind == BJ_EV_CLIENT_OUTPUT) {
            keep_line(output,
                      (bj_output_line){ .descriptor = (int) event.number, .after = event.sequence, .time = event.time },
                      event.text ? event.text : "", event.text_length);
        }
    }
}

void bj_output_end(bj_output *output, uint32_t after) {
    for (int descriptor = 1; descriptor <= 2; descriptor++) {
        if (output->partial[descriptor - 1].used) {
            add_line(output, descriptor, after);
        }
    }
}

void bj_output_free(bj_output *output) {
    for (size_t i = 0; i < output->count; i++) {
        free(output->lines[i].text);
    }
    free(output->lines);
    *output = (bj_output){ 0 };
}

const char *bj_output_sanitizer(const bj_output *output) {
    static const char *const marks[] = { "AddressSanitizer: ", "LeakSanitizer: ", "MemorySanitizer: ",
                                         "ThreadSanitizer: ", "runtime error: " };
    for (size_t i = 0; i < output->count; i++) {
        const char *text = output->lines[i].text;
        for (size_t k = 0; k < sizeof marks / sizeof *marks; k++) {
            const char *found = strstr(text, marks[k]);
            bool report = found && (k == 4 || strstr(text, "ERROR: ") || strstr(text, "WARNING: "));
            if (report) {
                return k == 4 ? text : found;
            }
        }
    }
    return NULL;
}
