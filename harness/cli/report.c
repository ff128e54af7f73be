/* SPDX-License-Identifier: Apache-2.0
 *
 * See report.h. The forms for programs (JSON, JUnit) are in report_json.c and report_junit.c.
 */
#define _GNU_SOURCE
#include "cli/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach/conversation.h"
#include "attach/job.h"
#include "capture/capture.h"
#include "cli/cli.h"
#include "cli/report_forms.h"
#include "script/load.h"

enum { LAST_LINES = 20, LAST_OUTPUT = 12, LINE = 4096 };

/* --- the conversation ----------------------------------------------------------------------------------------- */

/* What the client writes is no part of a conversation that is cut: it has a list of its own. */
static bool is_line(bj_conversation *conversation, const bj_event *event, bool cut, bj_text *line) {
    return bj_conversation_line(conversation, event, line) && !(cut && event->kind == BJ_EV_CLIENT_OUTPUT);
}

static size_t count_lines(bj_conversation *conversation, const bj_log *log) {
    size_t count = 0;
    bj_event event;
    for (size_t cursor = 0; bj_log_next(log, &cursor, &event);) {
        BJ_TEXT(line, LINE);
        count += is_line(conversation, &event, true, &line);
    }
    return count;
}

void cli_print_conversation(FILE *stream, const bj_log *log, size_t most, const char *indent) {
    bj_conversation *conversation = log ? bj_conversation_new(log) : NULL;
    if (!conversation) {
        return;
    }
    size_t total = most ? count_lines(conversation, log) : 0;
    size_t left_out = total > most ? total - most : 0;
    if (left_out) {
        fprintf(stream, "%s(%zu earlier lines)\n", indent, left_out);
    }
    bj_event event;
    for (size_t cursor = 0, number = 0; bj_log_next(log, &cursor, &event);) {
        BJ_TEXT(line, LINE);
        if (is_line(conversation, &event, most > 0, &line) && number++ >= left_out) {
            fputs(indent, stream);
            cli_put(stream, line.start);
            fputc('\n', stream);
        }
    }
    bj_conversation_free(conversation);
}

static void print_output_line(const bj_output_line *line) {
    BJ_TEXT(time, 32);
    if (line->left_out) {
        printf("        (%zu lines were not kept)\n", line->left_out);
    }
    if (line->time != BJ_NEVER) {
        bj_text_printf(&time, "%10.6f  ", (double) line->time / 1e6);
    }
    printf("        %s", time.start);
    cli_put(stdout, line->text);
    putchar('\n');
}

/* The last lines, with the time at which they were written; or (most 0) those that no conversation has. */
static void print_output(const bj_run_result *result, size_t most) {
    size_t first = most && result->output_count > most ? result->output_count - most : 0, before = first;
    bool any = false;
    for (size_t i = 0; i < first; i++) {
        before += result->output[i].left_out;
    }
    for (size_t i = first; i < result->output_count; i++) {
        const bj_output_line *line = &result->output[i];
        if (line->logged && !most) {
            continue;
        }
        if (!any) {
            printf("      the client's own output%s:\n", first ? ", last lines" : most ? "" : " at its end");
        }
        if (!any && before) {
            printf("        (%zu earlier lines)\n", before);
        }
        any = true;
        print_output_line(line);
    }
}

/* --- one scenario --------------------------------------------------------------------------------------------- */

void cli_shell_word(bj_text *out, const char *word) {
    if (*word &&
        strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./:,=@%") == strlen(word)) {
        bj_text_add(out, word);
        return;
    }
    bj_text_add(out, "'");
    for (; *word; word++) {
        bj_text_add_bytes(out, *word == '\'' ? "'\\''" : word, *word == '\'' ? 4 : 1);
    }
    bj_text_add(out, "'");
}

void cli_reproduce(const cli_report *report, const cli_case *one, bj_text *out) {
    if (report->again) {
        bj_text_add(out, report->again);
        return;
    }
    cli_shell_word(out, program_invocation_name);
    bj_text_add(out, " run ");
    cli_shell_word(out, one->file);
    if (strcmp(report->client->argument, "linked") != 0) {
        bj_text_add(out, " --client ");
        cli_shell_word(out, report->client->argument);
    }
    if (one->cut_operation || one->cut_step) {
        bj_text_printf(out, " --power-cut %s%llu:%u", one->cut_step ? "step-" : "",
                       (unsigned long long) (one->cut_step ? one->cut_step : one->cut_operation), one->cut_outcome);
    }
    bj_text_add(out, report->variants ? " --variants" : "");
    bj_text_printf(out, " --seed %llu -v", (unsigned long long) report->seed);
}

const char *cli_file_of(const cli_case *one, const char **case_name) {
    size_t length = bj_case_split(one->file, case_name);
    return *case_name ? bj_arena_strndup(one->arena, one->file, length) : one->file;
}

void cli_rules_of(const cli_case *one, bj_text *out) {
    const bj_value *rules = bj_get(one->scenario, BJ_F(SCENARIO, RULES));
    for (size_t i = 0; rules && i < rules->as.strings.count; i++) {
        bj_text_printf(out, "%s%s", i ? ", " : "", rules->as.strings.items[i].bytes);
    }
}

/* What the scenario is about: the reason names what was expected, and no clause. */
static void print_rules(const cli_case *one) {
    BJ_TEXT(rules, LINE);
    cli_rules_of(one, &rules);
    if (rules.used && one->result.verdict == BJ_FAIL) {
        fputs("      rules: ", stdout);
        cli_put(stdout, rules.start);
        putchar('\n');
    }
}

static void print_failure(const cli_report *report, const cli_case *one) {
    const bj_run_result *r = &one->result;
    const char *case_name;
    if (r->position.line) {
        printf("      at %s:%u:%u\n", cli_file_of(one, &case_name), r->position.line, r->position.column);
    }
    print_rules(one);
    if (!report->verbose && r->log) {
        printf("      the conversation:\n");
        cli_print_conversation(stdout, r->log, LAST_LINES, "        ");
    }
    if (!report->verbose) {
        print_output(r, LAST_OUTPUT);
    }
    if (one->scenario) {
        BJ_TEXT(again, LINE);
        cli_reproduce(report, one, &again);
        printf("      again: %s\n", again.start);
    }
}

static void print_case(const cli_report *report, const cli_case *one) {
    const bj_run_result *r = &one->result;
    BJ_TEXT(took, 96);
    if (report->client->attach != BJ_ATTACH_NETWORK) {
        bj_duration_print(&took, r->virtual_time / BJ_MS * BJ_MS);
        bj_text_add(&took, " virtual, ");
    }
    bj_text_printf(&took, "%.1f ms real", (double) r->real_us / 1000);
    if (report->verbose && one->ran) {
        cli_print_conversation(stdout, r->log, 0, "      ");
        print_output(r, 0);
    }
    printf("%-12s  %s: ", bj_verdict_name(r->verdict), one->file);
    cli_put(stdout, one->title);
    printf("  (%s)\n", took.start);
    if (r->verdict != BJ_PASS && r->reason && *r->reason) {
        fputs("      ", stdout);
        cli_put(stdout, r->reason);
        putchar('\n');
    }
    if (r->verdict == BJ_FAIL || r->verdict == BJ_ERROR) {
        print_failure(report, one);
    }
    fflush(stdout);
}

/* --- files beside it ------------------------------------------------------------------------------------------ */

/* FILE itself, or FOLDER/path-of-the-scenario.EXTENSION, with the case behind the path. */
static void file_name(const cli_report *report, const cli_case *one, const char *to, const char *extension,
                      bj_text *out) {
    bj_text_add(out, to);
    if (!report->several) {
        return;
    }
    bj_text_add(out, "/");
    const char *case_name;
    const char *file = cli_file_of(one, &case_name);
    size_t length = strlen(file);
    length -= length > 5 && strcmp(file + length - 5, ".yaml") == 0 ? 5 : 0;
    const char *from = file + strspn(file, "./");
    for (; from < file + length; from++) {
        bj_text_add_bytes(out, *from == '/' ? "-" : from, 1);
    }
    bj_text_printf(out, "%s%s%s", case_name ? "-" : "", case_name ? case_name : "", extension);
}

void cli_capture_name(const cli_report *report, const cli_case *one, bj_text *out) {
    file_name(report, one, report->pcap, ".pcapng", out);
}

static void write_capture(cli_report *report, const cli_case *one) {
    BJ_TEXT(name, LINE);
    BJ_TEXT(why, 512);
    cli_capture_name(report, one, &name);
    if (!bj_capture_write(one->result.log, name.start, &why)) {
        cli_complain("%s", why.start);
        report->broken = true;
    }
}

static void write_log(cli_report *report, const cli_case *one) {
    BJ_TEXT(name, LINE);
    file_name(report, one, report->log, ".jsonl", &name);
    FILE *file = fopen(name.start, "we");
    if (file) {
        size_t cursor = 0;
        cli_json_events(file, one->result.log, &cursor, "\n", false);
        fputc('\n', file);
    }
    if (!file || !cli_close_file(file)) {
        cli_complain("%s: %s", name.start, strerror(errno));
        report->broken = true;
    }
}

/* --- deviations ----------------------------------------------------------------------------------------------- */

void cli_apply_deviation(const cli_client *client, cli_case *one) {
    const bj_record *deviation = cli_client_deviation(client, one->file, one->title);
    if (!deviation) {
        return;
    }
    bj_run_result *r = &one->result;
    const char *why = bj_get_string(deviation, BJ_F(DEVIATION, REASON), "");
    const char *text = bj_get_string(deviation, BJ_F(DEVIATION, TEXT), "");
    BJ_TEXT(reason, 2048);
    if (r->verdict == BJ_FAIL && strstr(r->reason, text)) {
        r->verdict = BJ_XFAIL;
        bj_text_printf(&reason, "%s: %s", why, r->reason);
    } else if (r->verdict == BJ_PASS) {
        r->verdict = BJ_FAIL;
        bj_text_printf(&reason, "expected to fail (%s), passes now", why);
    } else if (r->verdict == BJ_FAIL) {
        bj_text_printf(&reason, "%s (expected to fail with '%s': %s)", r->reason, text, why);
    } else {
        return;
    }
    r->reason = bj_arena_strndup(one->arena, reason.start, reason.used);
}

/* --- the whole ------------------------------------------------------------------------------------------------ */

static bool make_folder(const char *name) {
    struct stat about;
    if (mkdir(name, 0777) == 0 || (errno == EEXIST && stat(name, &about) == 0 && S_ISDIR(about.st_mode))) {
        return true;
    }
    cli_complain("%s: %s", name, strerror(errno == EEXIST ? ENOTDIR : errno));
    return false;
}

static FILE *create(const char *name) {
    FILE *file = fopen(name, "we");
    if (!file) {
        cli_complain("%s: %s", name, strerror(errno));
    }
    return file;
}

/* As create(), for a file that two runs at once would spoil for each other: locked until it is closed, and left as it
 * is if another run has it. */
static FILE *create_alone(const char *name) {
    FILE *file = fopen(name, "ae");
    if (!file) {
        cli_complain("%s: %s", name, strerror(errno));
        return NULL;
    }
    if (flock(fileno(file), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        cli_complain("%s: another run is writing it; give this one a folder of its own", name);
        fclose(file);
        return NULL;
    }
    if (ftruncate(fileno(file), 0) != 0) {
        cli_complain("%s: %s", name, strerror(errno));
        fclose(file);
        return NULL;
    }
    return file;
}

static bool open_junit(cli_report *report, int which, const char *name) {
    report->junit[which] = create(name);
    if (report->junit[which]) {
        cli_junit_begin(report->junit[which], report);
    }
    return report->junit[which] != NULL;
}

/* The folder of --report: captures of every case, whatever their number. */
static bool open_folder(cli_report *report) {
    char name[4096];
    if (!make_folder(report->folder)) {
        return false;
    }
    if (!report->pcap) {
        snprintf(report->captures, sizeof report->captures, "%s/captures", report->folder);
        report->pcap = report->captures;
        report->several = true;
    }
    snprintf(name, sizeof name, "%s/results.jsonl", report->folder);
    report->results = create_alone(name);
    snprintf(name, sizeof name, "%s/junit.xml", report->folder);
    return report->results && open_junit(report, 1, name);
}

bool cli_report_begin(cli_report *report, const char *junit, const char *folder, size_t cases) {
    report->several = cases > 1;
    report->cases = cases;
    report->began_us = bj_real_us();
    report->progress = cases > 1 && !report->verbose && isatty(STDERR_FILENO);
    report->folder = folder;
    if (folder && !open_folder(report)) {
        return false;
    }
    if (report->several &&
        ((report->pcap && !make_folder(report->pcap)) || (report->log && !make_folder(report->log)))) {
        return false;
    }
    return !junit || open_junit(report, 0, junit);
}

/* --- progress ------------------------------------------------------------------------------------------------- */

enum { BAR = 24 };

static void clear_progress(const cli_report *report) {
    if (report->progress) {
        fputs("\r\033[K", stderr);
    }
}

static void show_progress(const cli_report *report) {
    const unsigned *n = report->counts;
    if (!report->progress || report->done == report->cases) {
        return;
    }
    size_t full = BAR * report->done / report->cases;
    fprintf(stderr, "[%.*s%.*s] %zu of %zu: %u passed, %u failed", (int) full, "########################",
            (int) (BAR - full), "........................", report->done, report->cases, n[BJ_PASS] + n[BJ_WARN],
            n[BJ_FAIL] + n[BJ_ERROR]);
    fflush(stderr);
}

void cli_report_case(cli_report *report, const cli_case *one) {
    report->counts[one->result.verdict]++;
    report->virtual_us += one->result.virtual_time;
    report->done++;
    clear_progress(report);
    if (one->ran && report->pcap) {
        write_capture(report, one);
    }
    if (one->ran && report->log) {
        write_log(report, one);
    }
    if (report->json) {
        cli_json_case(stdout, report, one, report->verbose);
        putchar('\n');
        fflush(stdout);
    } else if (!report->quiet) {
        print_case(report, one);
    }
    for (int i = 0; i < 2; i++) {
        if (report->junit[i]) {
            cli_junit_case(report->junit[i], report, one);
        }
    }
    if (report->results) {
        cli_json_case(report->results, report, one, true);
        putc('\n', report->results);
        fflush(report->results);
    }
    show_progress(report);
}

static void put_count(bj_text *out, unsigned count, const char *name, bool always) {
    if (count || always) {
        bj_text_printf(out, "%s%u %s", out->used ? ", " : "", count, name);
    }
}

/* The page, from the results in the folder. */
static void make_page(cli_report *report) {
    char results[4200];
    snprintf(results, sizeof results, "%s/results.jsonl", report->folder);
    const char *arguments[] = { "report", results, "-o", report->folder, "--comparison", report->comparison, NULL };
    if (!cli_close_file(report->results)) {
        cli_complain("%s: %s", results, strerror(errno));
        report->broken = true;
    } else if (cli_report_page(report->comparison ? 6 : 4, arguments) != 0) {
        report->broken = true;
    }
    report->results = NULL;
}

/* What is not there has not passed: everything that is written says that it is a part. */
static size_t tell_not_run(cli_report *report) {
    size_t count = report->cases - report->done;
    BJ_TEXT(why, 80);
    if (!count) {
        return 0;
    }
    if (cli_interrupted) {
        bj_text_printf(&why, "interrupted by signal %d", (int) cli_interrupted);
    } else {
        bj_text_add(&why, "stopped at the first that failed");
    }
    for (int i = 0; i < 2; i++) {
        if (report->junit[i]) {
            cli_junit_not_run(report->junit[i], count, why.start, cli_interrupted);
        }
    }
    if (report->results) {
        fprintf(report->results, "{\"not_run\":%zu,\"why\":\"%s\"}\n", count, why.start);
    }
    return count;
}

int cli_report_end(cli_report *report) {
    clear_progress(report);
    unsigned not_run = (unsigned) tell_not_run(report);
    const unsigned *n = report->counts;
    BJ_TEXT(line, 256);
    put_count(&line, n[BJ_PASS], "passed", true);
    put_count(&line, n[BJ_FAIL], "failed", true);
    put_count(&line, n[BJ_ERROR], "could not run", false);
    put_count(&line, n[BJ_WARN], "with a warning", false);
    put_count(&line, n[BJ_INCONCLUSIVE], "inconclusive", false);
    put_count(&line, n[BJ_SKIP], "skipped", false);
    put_count(&line, n[BJ_XFAIL], "failed as expected", false);
    put_count(&line, n[BJ_BRICKED], "bricked by lawful commands", false);
    put_count(&line, not_run, "not run", false);
    bj_text_printf(&line, " (%.2f s", (double) (bj_real_us() - report->began_us) / 1e6);
    if (report->client->attach != BJ_ATTACH_NETWORK) {
        bj_text_add(&line, "; virtual ");
        bj_duration_print(&line, report->virtual_us / BJ_SECOND * BJ_SECOND);
    }
    if (!report->quiet) {
        fprintf(report->json ? stderr : stdout, "%s)\n", line.start);
    }
    for (int i = 0; i < 2; i++) {
        if (report->junit[i] && !cli_junit_end(report->junit[i])) {
            cli_complain("the JUnit file could not be written: %s", strerror(errno));
            report->broken = true;
        }
    }
    if (report->results) {
        make_page(report);
    }
    return n[BJ_ERROR] || report->broken ? CLI_COULD_NOT_RUN : n[BJ_FAIL] ? CLI_FAILED : CLI_PASSED;
}
