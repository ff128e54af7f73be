/* SPDX-License-Identifier: Apache-2.0
 *
 * `--json` and `--log`. See report_forms.h.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "attach/conversation.h"
#include "cli/cli.h"
#include "cli/report_forms.h"

/* An event holds at most a datagram, in hexadecimal and decoded. */
enum { EVENT_ROOM = 4 << 20 };

static char *room(void) {
    static char *memory;
    memory = memory ? memory : malloc(EVENT_ROOM);
    if (!memory) {
        perror("bootjack");
        exit(CLI_COULD_NOT_RUN);
    }
    return memory;
}

void cli_json_string(FILE *stream, const char *text, size_t length) {
    bj_text out = bj_text_over(room(), EVENT_ROOM);
    bj_text_json_string(&out, text, length);
    fputs(out.start, stream);
}

static void put_member(FILE *stream, const char *name, const char *text) {
    fprintf(stream, ",\"%s\":", name);
    cli_json_string(stream, text ? text : "", text ? strlen(text) : 0);
}

void cli_json_events(FILE *stream, const bj_log *log, size_t *cursor, const char *separator, bool decode) {
    bj_event event;
    bool first = true;
    for (; log && bj_log_next(log, cursor, &event); first = false) {
        bj_text out = bj_text_over(room(), EVENT_ROOM);
        bj_event_json(&out, &event, decode ? bj_conversation_decode : NULL);
        fprintf(stream, "%s%s", first ? "" : separator, out.start);
    }
}

static void put_rules(FILE *stream, const bj_record *scenario) {
    const bj_value *rules = bj_get(scenario, BJ_F(SCENARIO, RULES));
    fputs(",\"rules\":[", stream);
    for (size_t i = 0; rules && i < rules->as.strings.count; i++) {
        fputs(i ? "," : "", stream);
        cli_json_string(stream, rules->as.strings.items[i].bytes, rules->as.strings.items[i].length);
    }
    fputs("]", stream);
    const bj_field_def *shows = bj_field_numbered(bj_record_def_of(BJ_K_SCENARIO), BJ_F(SCENARIO, SHOWS));
    const char *side = bj_enum_name(shows->values, bj_get_uint(scenario, BJ_F(SCENARIO, SHOWS), 0));
    put_member(stream, "shows", side);
}

/* The alternatives of `either:` that were seen. */
static void put_branches(FILE *stream, const bj_log *log) {
    bj_event event;
    bool first = true;
    fputs(",\"branches\":[", stream);
    for (size_t cursor = 0; log && bj_log_next(log, &cursor, &event);) {
        if (event.kind == BJ_EV_BRANCH) {
            fputs(first ? "" : ",", stream);
            cli_json_string(stream, event.text, event.text_length);
            first = false;
        }
    }
    fputs("]", stream);
}

/* What the oracles found. */
static void put_broken(FILE *stream, const bj_run_result *r) {
    fputs(",\"broken\":[", stream);
    for (size_t i = 0; i < r->broken_count; i++) {
        const bj_finding *f = &r->broken[i];
        fprintf(stream, "%s{\"rule\":\"%s\",\"level\":\"%s\",\"t\":%.6f,\"event\":%u,\"count\":%u", i ? "," : "",
                bj_rule_id(f->rule), bj_rule_level(f->rule) == BJ_LEVEL_MUST ? "MUST" : "SHOULD",
                (double) f->time / 1e6, f->event, f->count);
        put_member(stream, "text", f->text);
        if (f->excuse) {
            put_member(stream, "excuse", f->excuse);
        }
        fputs("}", stream);
    }
    fputs("]", stream);
}

static void put_output(FILE *stream, const bj_run_result *result) {
    fputs(",\"output\":[", stream);
    for (size_t i = 0; i < result->output_count; i++) {
        const bj_output_line *line = &result->output[i];
        fprintf(stream, "%s{\"descriptor\":%d,\"after\":%u,", i ? "," : "", line->descriptor, line->after);
        if (line->time != BJ_NEVER) {
            fprintf(stream, "\"t\":%.6f,", (double) line->time / 1e6);
        }
        if (line->left_out) {
            fprintf(stream, "\"left_out\":%zu,", line->left_out);
        }
        fputs("\"text\":", stream);
        cli_json_string(stream, line->text, strlen(line->text));
        fputs("}", stream);
    }
    fputs("]", stream);
}

void cli_json_case(FILE *stream, const cli_report *report, const cli_case *one, bool events) {
    const bj_run_result *r = &one->result;
    BJ_TEXT(again, 4096);
    cli_reproduce(report, one, &again);
    fputs("{\"scenario\":", stream);
    cli_json_string(stream, one->file, strlen(one->file));
    put_member(stream, "title", one->title);
    put_member(stream, "client", report->client->argument);
    put_member(stream, "verdict", bj_verdict_name(r->verdict));
    put_member(stream, "script_verdict", bj_verdict_name(r->script_verdict));
    put_member(stream, "reason", r->reason);
    fprintf(stream,
            ",\"line\":%u,\"column\":%u,\"cause\":%u,\"seed\":%llu,\"virtual_us\":%llu,\"real_us\":%llu,"
            "\"exit_status\":%d,\"signal\":%d",
            r->position.line, r->position.column, r->cause, (unsigned long long) report->seed,
            (unsigned long long) r->virtual_time, (unsigned long long) r->real_us, r->exit_status, r->signal_number);
    put_rules(stream, one->scenario);
    put_branches(stream, r->log);
    put_broken(stream, r);
    put_member(stream, "recovery", bj_recovery_name(r->recovery));
    put_member(stream, "reproduce", again.start);
    if (report->pcap && one->ran) {
        BJ_TEXT(name, 4096);
        cli_capture_name(report, one, &name);
        put_member(stream, "capture", name.start);
    }
    put_output(stream, r);
    if (events) {
        fputs(",\"events\":[", stream);
        size_t cursor = 0;
        cli_json_events(stream, r->log, &cursor, ",", true);
        fputs("]", stream);
    }
    fputs("}", stream);
}
