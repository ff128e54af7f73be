/* SPDX-License-Identifier: Apache-2.0
 *
 * See output.h.
 */
#define _GNU_SOURCE
#include "attach/output.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bj_output_tail *tail_of(bj_output *output) {
    output->tail = output->tail ? output->tail : calloc(1, sizeof *output->tail);
    if (!output->tail) {
        perror("bootjack");
        exit(2);
    }
    return output->tail;
}

static void append_line(bj_output *output, bj_output_line line, const char *bytes, size_t length) {
    if (output->count == output->room) {
        size_t room = output->room ? output->room * 2 : 64;
        bj_output_line *more = realloc(output->lines, room * sizeof *more);
        if (!more) {
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

static void keep_line(bj_output *output, bj_output_line line, const char *bytes, size_t length) {
    if (output->tail || output->count == BJ_OUTPUT_KEPT) {
        bj_output_tail_put(tail_of(output), line.descriptor, line.after, line.time, bytes, length);
    } else {
        append_line(output, line, bytes, length);
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

static void take_tail(bj_output *output, const bj_output_tail *heard) {
    size_t kept = bj_output_tail_kept(heard);
    bj_output_tail *tail = tail_of(output);
    tail->count += heard->count - kept;
    if (!*tail->report) {
        memcpy(tail->report, heard->report, sizeof tail->report);
    }
    for (size_t i = 0; i < kept; i++) {
        const bj_tail_line *line = bj_output_tail_line(heard, i);
        bj_output_tail_put(tail, line->descriptor, line->after, line->time, line->text, strlen(line->text));
    }
}

void bj_output_from_log(bj_output *output, const bj_log *log, const bj_output_tail *heard) {
    bj_event event;
    for (size_t cursor = 0; log && bj_log_next(log, &cursor, &event);) {
        if (event.kind == BJ_EV_CLIENT_OUTPUT) {
            keep_line(
                output,
                (bj_output_line){
                    .descriptor = (int) event.number, .after = event.sequence, .logged = true, .time = event.time },
                event.text ? event.text : "", event.text_length);
        }
    }
    if (heard && heard->count) {
        take_tail(output, heard);
    }
}

void bj_output_end(bj_output *output, uint32_t after) {
    for (int descriptor = 1; descriptor <= 2; descriptor++) {
        if (output->partial[descriptor - 1].used) {
            add_line(output, descriptor, after);
        }
    }
    size_t kept = output->tail ? bj_output_tail_kept(output->tail) : 0;
    for (size_t i = 0; i < kept; i++) {
        const bj_tail_line *line = bj_output_tail_line(output->tail, i);
        append_line(output,
                    (bj_output_line){ .descriptor = line->descriptor,
                                      .after = line->after,
                                      .time = line->time,
                                      .left_out = i == 0 ? (size_t) output->tail->count - kept : 0 },
                    line->text, strlen(line->text));
    }
}

void bj_output_free(bj_output *output) {
    for (size_t i = 0; i < output->count; i++) {
        free(output->lines[i].text);
    }
    free(output->lines);
    free(output->tail);
    *output = (bj_output){ 0 };
}

const char *bj_output_sanitizer(const bj_output *output) {
    const char *report = NULL;
    for (size_t i = 0; !report && i < output->count; i++) {
        bool behind = output->lines[i].left_out && *output->tail->report;
        report = behind ? output->tail->report : bj_output_report(output->lines[i].text);
    }
    return report;
}
