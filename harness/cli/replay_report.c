/* SPDX-License-Identifier: Apache-2.0
 *
 * See replay_report.h. The page is made by `bootjack report` of the two conversations (results.jsonl) and of how they
 * compare (comparison.json).
 */
#define _GNU_SOURCE
#include "cli/replay_report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "capture/story.h"
#include "cli/cli.h"
#include "cli/report_forms.h"

enum { LOG = 64 << 20 };

/* --- the captured conversation -------------------------------------------------------------------------------- */

static void append_event(void *context, const bj_event *event, const bj_unit *unit) {
    (void) unit;
    bj_log_append(context, event);
}

/* As a log with the names of the scenario. */
static bj_log *captured_log(const cli_replay_report *r) {
    bj_log *log = bj_log_create(bj_arena_alloc(r->arena, LOG), LOG);
    bj_story story;
    bj_unit unit;
    BJ_TEXT(why, 300);
    uint32_t until = r->field->options->until;
    bj_log_append(log, &(bj_event){ .kind = BJ_EV_ACTOR,
                                    .actor = BJ_ACTOR_CLIENT,
                                    .text = "client",
                                    .from = r->field->parties.all[r->party].host });
    for (unsigned i = 0; i < r->script->talk->server_count; i++) {
        bj_log_append(log, &(bj_event){ .kind = BJ_EV_ACTOR,
                                        .actor = (uint8_t) (BJ_ACTOR_SERVER_0 + i),
                                        .text = r->script->servers[i].name,
                                        .from = r->script->servers[i].seen });
    }
    bj_story_begin(&story, &r->field->parties, r->party, append_event, log);
    story.sequence = bj_log_last(log);
    while (bj_units_next(r->field->units, &unit, &why) == 1 && (!until || unit.frame <= until)) {
        bj_story_take(&story, &unit);
    }
    bj_story_end(&story);
    return log;
}

/* --- comparison.json ------------------------------------------------------------------------------------------ */

static void put_string(FILE *out, const char *name, const char *text) {
    fprintf(out, "\"%s\":", name);
    cli_json_string(out, text, strlen(text));
}

static void put_side(FILE *out, const char *name, const bj_conversation_side *side, int place, bj_time begun) {
    fprintf(out, ",\"%s\":", name);
    if (place < 0) {
        fputs("null", out);
        return;
    }
    const bj_compared *x = &side->all[place];
    fprintf(out, "{\"frame\":%u,\"t\":%.6f,\"at\":%.6f,\"by_client\":%s,", x->frame, (double) x->time / 1e6,
            (double) (x->time + begun) / 1e6, x->by_client ? "true" : "false");
    put_string(out, "text", x->text);
    putc('}', out);
}

static void put_rows(FILE *out, const bj_comparison *c, bj_time begun) {
    static const char *const marks[] = { "", "t", "~", "<", ">" };
    fputs(",\n\"rows\":[", out);
    for (size_t i = 0; i < c->count; i++) {
        fprintf(out, "%s{\"mark\":\"%s\"", i ? ",\n" : "\n", marks[c->rows[i].difference]);
        put_side(out, "captured", &c->captured, c->rows[i].captured, 0);
        put_side(out, "replayed", &c->replayed, c->rows[i].replayed, begun);
        putc('}', out);
    }
    fputs("]", out);
}

static void put_lines(FILE *out, const char *name, const char *const *lines, size_t count) {
    fprintf(out, ",\n\"%s\":[", name);
    for (size_t i = 0; i < count; i++) {
        fputs(i ? ",\n" : "\n", out);
        cli_json_string(out, lines[i], strlen(lines[i]));
    }
    fputs("]", out);
}

static void put_comparison(FILE *out, const cli_replay_report *r) {
    BJ_TEXT(who, 300);
    bj_party_print(&who, &r->field->parties.all[r->party]);
    fputs("{\"version\":1,", out);
    put_string(out, "file", r->field->options->units.source.name);
    putc(',', out);
    put_string(out, "captured", who.start);
    putc(',', out);
    put_string(out, "client", r->client_name ? r->client_name : "linked");
    fprintf(out, ",\"seed\":%llu,\"first\":%d", (unsigned long long) r->seed, r->comparison->first);
    put_lines(out, "said", r->said, r->said_count);
    put_lines(out, "assumed", r->script->assumptions, r->script->assumption_count);
    put_rows(out, r->comparison, r->begun);
    fputs("}\n", out);
}

static bool write_comparison(const cli_replay_report *r, const char *name) {
    FILE *out = fopen(name, "w");
    if (out) {
        put_comparison(out, r);
    }
    if (!out || !cli_close_file(out)) {
        cli_complain("%s: %s", name, strerror(errno));
        return false;
    }
    return true;
}

/* --- the folder ----------------------------------------------------------------------------------------------- */

static bj_run_result captured_result(const cli_replay_report *r) {
    bool same = r->comparison->first < 0;
    return (bj_run_result){ .verdict = same ? BJ_PASS : BJ_WARN,
                            .script_verdict = BJ_PASS,
                            .reason = same ? "" : "the replay differs",
                            .log = captured_log(r) };
}

bool cli_replay_write_report(const cli_replay_report *r) {
    cli_report report = { .client = r->client, .seed = r->seed, .quiet = true, .again = r->again };
    const char *file = r->field->options->units.source.name;
    BJ_TEXT(comparison, 4200);
    cli_case captured = { .file = file,
                          .arena = r->arena,
                          .scenario = r->script->root,
                          .title = "Captured",
                          .finished = true,
                          .result = captured_result(r) };
    cli_case replayed = captured;
    replayed.title = "Replayed";
    replayed.result = *r->result;
    replayed.ran = true;
    bj_text_printf(&comparison, "%s/comparison.json", r->folder);
    report.comparison = comparison.start;
    if (!cli_report_begin(&report, NULL, r->folder, 2) || !write_comparison(r, comparison.start)) {
        return false;
    }
    cli_report_case(&report, &captured);
    cli_report_case(&report, &replayed);
    cli_report_end(&report);
    return !report.broken;
}
