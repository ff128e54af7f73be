/* SPDX-License-Identifier: Apache-2.0
 *
 * The forms of a report that programs read: JSON and JUnit's XML.
 */
#ifndef BJ_CLI_REPORT_FORMS_H
#define BJ_CLI_REPORT_FORMS_H

#include "cli/report.h"

/* One object: docs/event-log.md says what is in it. */
void cli_json_case(FILE *stream, const cli_report *report, const cli_case *one, bool events);
/* Every event from *cursor on (0: the first), which moves to the end, as an object, with `separator` between two;
 * `decode`: with the decoded form of messages. */
void cli_json_events(FILE *stream, const bj_log *log, size_t *cursor, const char *separator, bool decode);
/* A string with its quotes. */
void cli_json_string(FILE *stream, const char *text, size_t length);

void cli_junit_begin(FILE *stream, const cli_report *report);
void cli_junit_case(FILE *stream, const cli_report *report, const cli_case *one);
/* Closes it; false, and errno: it was not written. */
/* So many scenarios were not run; an error where somebody waits for them. */
void cli_junit_not_run(FILE *stream, size_t count, const char *why, bool error);
bool cli_junit_end(FILE *stream);

/* FILE of FILE::CASE; `*case_name` is CASE or NULL. In the case's arena. */
const char *cli_file_of(const cli_case *one, const char **case_name);
/* The rules that the scenario shows, "BS-REQUEST, BS-WRITE"; nothing where it names none. */
void cli_rules_of(const cli_case *one, bj_text *out);
/* The command that runs this scenario again in the same way. */
void cli_reproduce(const cli_report *report, const cli_case *one, bj_text *out);
/* Where its capture is (with --pcap). */
void cli_capture_name(const cli_report *report, const cli_case *one, bj_text *out);

#endif
