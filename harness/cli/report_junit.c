/* SPDX-License-Identifier: Apache-2.0
 *
 * `--junit`. See report_forms.h.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "attach/job.h"
#include "cli/cli.h"
#include "cli/report_forms.h"

/* Text as XML takes it; what XML 1.0 cannot hold is left out. */
static void put_xml(FILE *stream, const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char) text[i];
        switch (c) {
        case '<':
            fputs("&lt;", stream);
            break;
        case '>':
            fputs("&gt;", stream);
            break;
        case '&':
            fputs("&amp;", stream);
            break;
        case '"':
            fputs("&quot;", stream);
            break;
        default:
            if (c >= 0x20 || c == '\n' || c == '\t') {
                fputc(c, stream);
            }
        }
    }
}

static void put_attribute(FILE *stream, const char *name, const char *text) {
    fprintf(stream, " %s=\"", name);
    put_xml(stream, text ? text : "", text ? strlen(text) : 0);
    fputc('"', stream);
}

void cli_junit_begin(FILE *stream, const cli_report *report) {
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites><testsuite name=\"bootjack\"", stream);
    put_attribute(stream, "hostname", report->client->argument);
    fputs(">\n", stream);
}

/* The element inside a test case that says what became of it; NULL: it passed. */
static const char *element(bj_verdict verdict) {
    switch (verdict) {
    case BJ_FAIL:
        return "failure";
    case BJ_ERROR:
        return "error";
    case BJ_SKIP:
    case BJ_INCONCLUSIVE:
    case BJ_XFAIL:
        return "skipped";
    default:
        return NULL;
    }
}

static void put_details(FILE *stream, const cli_report *report, const cli_case *one) {
    BJ_TEXT(again, 4096);
    cli_reproduce(report, one, &again);
    fputc('\n', stream);
    if (one->result.position.line) {
        const char *case_name;
        const char *file = cli_file_of(one, &case_name);
        put_xml(stream, file, strlen(file));
        fprintf(stream, ":%u:%u\n", one->result.position.line, one->result.position.column);
    }
    BJ_TEXT(rules, 4096);
    cli_rules_of(one, &rules);
    if (rules.used) {
        fputs("rules: ", stream);
        put_xml(stream, rules.start, rules.used);
        fputc('\n', stream);
    }
    char *text = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);
    if (memory) {
        cli_print_conversation(memory, one->result.log, 40, "");
        fclose(memory);
        put_xml(stream, text, length);
        free(text);
    }
    put_xml(stream, again.start, again.used);
    fputc('\n', stream);
}

void cli_junit_case(FILE *stream, const cli_report *report, const cli_case *one) {
    const bj_run_result *r = &one->result;
    const char *inside = element(r->verdict);
    const char *case_name;
    const char *file = cli_file_of(one, &case_name);
    BJ_TEXT(name, 4096);
    bj_text_printf(&name, "%s%s%s", case_name ? case_name : "", case_name ? ": " : "", one->title);
    fputs("<testcase", stream);
    put_attribute(stream, "classname", file);
    put_attribute(stream, "name", name.start);
    put_attribute(stream, "file", file);
    fprintf(stream, " time=\"%.6f\">", (double) r->real_us / 1e6);
    fprintf(stream, "<properties><property name=\"verdict\" value=\"%s\"/>", bj_verdict_name(r->verdict));
    fprintf(stream, "<property name=\"virtual_seconds\" value=\"%.6f\"/>", (double) r->virtual_time / 1e6);
    BJ_TEXT(rules, 4096);
    cli_rules_of(one, &rules);
    if (rules.used) {
        fputs("<property name=\"rules\"", stream);
        put_attribute(stream, "value", rules.start);
        fputs("/>", stream);
    }
    for (size_t i = 0; i < r->broken_count; i++) {
        fputs("<property name=\"broken\"", stream);
        put_attribute(stream, "value", bj_rule_id(r->broken[i].rule));
        fputs("/>", stream);
    }
    fputs("</properties>", stream);
    if (inside) {
        fprintf(stream, "<%s", inside);
        put_attribute(stream, "message", r->reason);
        fputs(">", stream);
        if (r->verdict == BJ_FAIL || r->verdict == BJ_ERROR) {
            put_details(stream, report, one);
        }
        fprintf(stream, "</%s>", inside);
    }
    fputs("</testcase>\n", stream);
}

void cli_junit_not_run(FILE *stream, size_t count, const char *why, bool error) {
    const char *inside = error ? "error" : "skipped";
    fprintf(stream, "<testcase classname=\"bootjack\" name=\"%zu scenarios were not run\"><%s", count, inside);
    put_attribute(stream, "message", why);
    fputs("/></testcase>\n", stream);
}

bool cli_junit_end(FILE *stream) {
    fputs("</testsuite></testsuites>\n", stream);
    return cli_close_file(stream);
}
