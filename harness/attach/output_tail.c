/* SPDX-License-Identifier: Apache-2.0
 *
 * See output_tail.h.
 */
#include "attach/output_tail.h"

#include <stdbool.h>
#include <string.h>

void bj_output_tail_put(bj_output_tail *tail, int descriptor, uint32_t after, bj_time time, const char *text,
                        size_t length) {
    bj_tail_line *line = &tail->lines[tail->count++ % BJ_OUTPUT_LAST];
    length = length < BJ_OUTPUT_LINE ? length : BJ_OUTPUT_LINE;
    line->descriptor = descriptor;
    line->after = after;
    line->time = time;
    memcpy(line->text, text, length);
    line->text[length] = '\0';
    const char *report = *tail->report ? NULL : bj_output_report(line->text);
    if (report) {
        memcpy(tail->report, report, strlen(report) + 1);
    }
}

size_t bj_output_tail_kept(const bj_output_tail *tail) {
    return tail->count < BJ_OUTPUT_LAST ? (size_t) tail->count : BJ_OUTPUT_LAST;
}

const bj_tail_line *bj_output_tail_line(const bj_output_tail *tail, size_t index) {
    return &tail->lines[(tail->count - bj_output_tail_kept(tail) + index) % BJ_OUTPUT_LAST];
}

const char *bj_output_report(const char *line) {
    static const char *const marks[] = { "AddressSanitizer: ", "LeakSanitizer: ", "MemorySanitizer: ",
                                         "ThreadSanitizer: " };
    if (strstr(line, "runtime error: ")) {
        return line;
    }
    bool serious = strstr(line, "ERROR: ") || strstr(line, "WARNING: ");
    for (size_t i = 0; serious && i < sizeof marks / sizeof *marks; i++) {
        const char *found = strstr(line, marks[i]);
        if (found) {
            return found;
        }
    }
    return NULL;
}
