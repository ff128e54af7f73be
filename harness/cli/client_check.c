/* SPDX-License-Identifier: Apache-2.0
 *
 * `bootjack client check PROFILE`: does the client start, speak, fail a nonsense, pass a plain bootstrap, and live in
 * virtual time? What can it not be told? What it has beside what its profile claims is client_claims.c's.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/command.h"
#include "attach/fit.h"
#include "attach/program_file.h"
#include "cli/canary.h"
#include "cli/cli.h"
#include "cli/client_tools.h"
#include "cli/report.h"
#include "cli/scenarios.h"
#include "script/load.h"

static const char help[] =
    "usage: bootjack client check PROFILE [OPTION...]\n"
    "Proves a profile (a file, the name of one of harness/clients, or what `bootjack run --client` takes): the client\n"
    "starts and speaks, a nonsense scenario does not pass, a plain bootstrap does, and time is virtual. Says what is\n"
    "missing and what to do about it.\n"
    "\n"
    "  --scenarios FOLDER  counts the scenarios there that this client cannot be told, by reason; none is run\n"
    "  --no-probes         does not probe which optional features the client has\n"
    "  --probe WORD        only the probes of that feature or fact: each as a scenario, and the end of its "
    "conversation\n"
    "  --limit SECONDS     real time that each run may take; 30 if not given\n"
    "  --share-network     network: no namespace of its own, as for `bootjack run`\n"
    "  --preload FILE      the preload library, as for `bootjack run`\n"
    "  -h, --help          this\n"
    "\n"
    "Exit status: 0 the profile is good, 1 the client does not do what it must, 2 it could not be run, 64 wrong "
    "usage.\n";

typedef struct checking {
    bj_arena *arena;
    cli_client client;
    bj_run_options options;
    const char *scenarios;
    const char *probe; /* the only one that is wanted */
    bool probes;
    unsigned failed;
} checking;

static const struct option long_options[] = {
    { "scenarios", required_argument, NULL, 's' },
    { "no-probes", no_argument, NULL, 'n' },
    { "probe", required_argument, NULL, 'p' },
    { "limit", required_argument, NULL, 'L' },
    { "share-network", no_argument, NULL, 'N' },
    { "preload", required_argument, NULL, 'P' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static int take_option(void *context, int option) {
    checking *c = context;
    switch (option) {
    case 's':
        c->scenarios = optarg;
        return -1;
    case 'n':
        c->probes = false;
        return -1;
    case 'p':
        c->probe = optarg;
        return -1;
    case 'L':
        return cli_take_limit("client check", optarg, &c->options.real_limit_ms);
    case 'N':
        c->options.share_network = true;
        return -1;
    case 'P':
        c->options.preload = optarg;
        return -1;
    default:
        fputs(help, stdout);
        return CLI_PASSED;
    }
}

static int parse(int argc, char **argv, checking *c) {
    int status = cli_read_options("client check", argc, argv, "h", long_options, take_option, c);
    if (status >= 0) {
        return status;
    }
    return optind + 1 == argc ? -1 : cli_usage_error("client check", "expected one profile");
}

/* --- what is said --------------------------------------------------------------------------------------------- */

void cli_check_say(const char *mark, const char *what, const char *more) {
    printf("%-8s %s%s%s\n", mark, what, *more ? ": " : "", more);
}

void cli_check_advise(const char *advice) {
    printf("         -> %s\n", advice);
}

static void failed(checking *c, const char *what, const char *more, const char *advice) {
    c->failed++;
    cli_check_say("FAILED", what, more);
    cli_check_advise(advice);
}

/* --- the program ---------------------------------------------------------------------------------------------- */

/* The command with what a plain bootstrap tells. NULL: said. */
static bool has_program(checking *c) {
    if (c->client.attach == BJ_ATTACH_LINKED) {
        return true;
    }
    bj_mistakes mistakes = { 0 };
    const bj_record *scenario =
        bj_load_bytes(c->arena, BJ_K_SCENARIO, "plain", cli_probe_plain, strlen(cli_probe_plain), &mistakes);
    BJ_TEXT(reason, 1024);
    char **words = scenario ? bj_run_command(c->arena, c->client.profile, scenario, &reason) : NULL;
    if (!words) {
        failed(c, "the command cannot be made", reason.start,
               "look at `command`: a word that needs a value which is not always set must begin with '?'");
        return false;
    }
    const char *program = bj_program_find(c->arena, words[0], &reason);
    if (!program) {
        failed(c, "the program", reason.start,
               "give its path as the first word of `command`; {profiledir} is the profile's");
        return false;
    }
    if (c->client.attach == BJ_ATTACH_EXEC && !bj_program_preloadable(program, &reason)) {
        failed(c, "virtual time", reason.start, "write `attach: network`: it then runs in real time");
        return false;
    }
    cli_check_say("ok", "the program", program);
    return true;
}

/* --- how one sees that it is ready ---------------------------------------------------------------------------- */

static const bj_event *line_with(const bj_log *log, const char *text, bj_event *event) {
    for (size_t cursor = 0; log && bj_log_next(log, &cursor, event);) {
        bool said = event->kind == BJ_EV_CLIENT_OUTPUT && event->text;
        if (said && memmem(event->text, event->text_length, text, strlen(text))) {
            return event;
        }
    }
    return NULL;
}

/* `result` is that of the plain bootstrap. */
static void ready(checking *c, const bj_run_result *result) {
    const bj_record *how = bj_get_record(c->client.profile, BJ_F(PROFILE, READY));
    const char *text = bj_get_string(how, BJ_F(READY, OUTPUT), NULL);
    bj_event event;
    BJ_TEXT(line, 300);
    if (!text) {
        return;
    }
    bj_text_printf(&line, "'%s'", text);
    if (line_with(result->log, text, &event)) {
        bj_text_printf(&line, " at %.6f s", (double) event.time / 1e6);
        cli_check_say("ok", "it says that it is ready", line.start);
    } else {
        failed(c, "it does not say that it is ready", line.start,
               "no line of its output holds this: `-v` shows what it writes, with times; a part of a line is enough");
    }
}

/* --- the runs ------------------------------------------------------------------------------------------------- */

/* On a network the client's own side is not seen: what reaches a server counts. */
static bool has_spoken(const bj_log *log) {
    bj_event event;
    for (size_t cursor = 0; log && bj_log_next(log, &cursor, &event);) {
        bool arrives = event.kind == BJ_EV_RECEIVED || event.kind == BJ_EV_STREAM_RECEIVED;
        bool out = event.kind == BJ_EV_SENT || event.kind == BJ_EV_STREAM_SENT;
        if ((arrives && event.actor >= BJ_ACTOR_SERVER_0) || (out && event.actor == BJ_ACTOR_CLIENT)) {
            return true;
        }
    }
    return false;
}

static void show_output(const bj_run_result *result) {
    size_t from = result->output_count > 8 ? result->output_count - 8 : 0;
    for (size_t i = from; i < result->output_count; i++) {
        printf("         | %s\n", result->output[i].text);
    }
}

static const char *advice_for_silence(const bj_run_result *result) {
    if (result->signal_number || result->exit_status) {
        return "it ended by itself: try the command by hand; is an argument missing, or a file that it needs?";
    }
    return "it sends nothing: does `command` tell it {bs_uri} (or {bs_host}, {bs_port}), and that it is a bootstrap "
           "server? Does it wait for a command on its standard input (`input`)?";
}

/* Starts and speaks, and passes a plain bootstrap. */
static bool plain(checking *c) {
    bj_run_result result;
    if (!cli_probe_run(c->arena, &c->options, cli_probe_plain, &result)) {
        return false;
    }
    bool spoke = has_spoken(result.log);
    bool good = result.script_verdict == BJ_PASS || result.script_verdict == BJ_WARN;
    if (result.verdict == BJ_ERROR) {
        failed(c, "the client does not run", result.reason, "the message says what is in the way");
    } else if (!spoke) {
        failed(c, "the client does not speak", result.reason, advice_for_silence(&result));
    } else {
        cli_check_say("ok", "it starts and speaks", "");
    }
    if (spoke && !good) {
        failed(c, "a plain bootstrap does not pass", result.reason,
               "the conversation is below; a hold-off that cannot be told goes into `built-in`, a slow start into "
               "`tolerance`");
        cli_print_conversation(stdout, result.log, 14, "         | ");
    } else if (spoke) {
        cli_check_say("ok", "a plain bootstrap passes", "");
    }
    if (spoke) {
        ready(c, &result);
    }
    if (!good) {
        show_output(&result);
    }
    bj_run_release(&result);
    return good;
}

static void nonsense(checking *c) {
    if (cli_canary(&c->options)) {
        cli_check_say("ok", "a nonsense scenario does not pass", "");
    } else {
        failed(c, "a nonsense scenario passes", "",
               "its results cannot be believed: what answers in the client's place?");
    }
}

static const char patience[] = "title: An hour of silence\nclient: {bootstrap: {uri: \"coap://bs.example\"}}\n"
                               "recovery: {off: \"a probe\"}\nsteps:\n"
                               "  - request: {to: bs, method: POST, path: /bs}\n  - ignore: {}\n  - advance: 1h\n";

/* An hour in which no server answers, in a moment of real time. What the client does in it is no matter. */
static void virtual_time(checking *c) {
    if (c->client.attach == BJ_ATTACH_NETWORK) {
        cli_check_say("note", "time is real", "attach is network; rules about long waits take as long as they say");
        return;
    }
    bj_run_result result;
    if (!cli_probe_run(c->arena, &c->options, patience, &result)) {
        return;
    }
    char took[80];
    snprintf(took, sizeof took, "%.0f s of virtual time in %.3f s", (double) result.virtual_time / 1e6,
             (double) result.real_us / 1e6);
    if (result.virtual_time >= 3600 * BJ_SECOND) {
        cli_check_say("ok", "time is virtual", took);
    } else {
        failed(
            c, "time is not virtual", result.reason,
            "it waits by a call that the world does not see: harness/libc/README.md lists them; or `attach: network`");
    }
    bj_run_release(&result);
}

/* --- how it stops --------------------------------------------------------------------------------------------- */

static const char *stop_text(const checking *c, bj_arena *arena) {
    const bj_record *how = bj_get_record(c->client.profile, BJ_F(PROFILE, STOP));
    BJ_TEXT(text, 4096);
    BJ_TEXT(within, 40);
    bj_duration_print(&within, bj_get_duration(how, BJ_F(STOPPING, WITHIN), 60 * BJ_SECOND));
    bj_text_printf(&text, "%s  - stop: term\n  - exit: {within: %s}\n", cli_probe_plain, within.start);
    return bj_arena_strdup(arena, text.start);
}

static void stops(checking *c) {
    bj_run_result result;
    bool told = bj_get(c->client.profile, BJ_F(PROFILE, STOP)) != NULL;
    if (c->client.attach == BJ_ATTACH_LINKED ||
        !cli_probe_run(c->arena, &c->options, stop_text(c, c->arena), &result)) {
        return;
    }
    bool good = result.script_verdict == BJ_PASS || result.script_verdict == BJ_WARN;
    if (good) {
        cli_check_say("ok", told ? "it stops as the profile says" : "it stops at SIGTERM", "");
    } else if (told) {
        failed(c, "it does not stop as the profile says", result.reason,
               "`stop` names a signal, a line for its standard input, or the end of that");
    } else {
        cli_check_say("note", "it does not stop in order at SIGTERM", result.reason);
        cli_check_advise(
            "say in `stop` what it takes: another signal, a line at its standard input, or the end of that");
    }
    bj_run_release(&result);
}

/* --- what it cannot be told ----------------------------------------------------------------------------------- */

enum { REASONS = 100 };

typedef struct tally {
    const char *reason;
    unsigned count;
} tally;

static void count_reason(bj_arena *arena, tally *tallies, const char *reason) {
    unsigned i = 0;
    while (i < REASONS - 1 && tallies[i].reason && strcmp(tallies[i].reason, reason) != 0) {
        i++;
    }
    tallies[i].reason = tallies[i].reason ? tallies[i].reason : bj_arena_strdup(arena, reason);
    tallies[i].count++;
}

static int by_count(const void *a, const void *b) {
    unsigned first = ((const tally *) a)->count, second = ((const tally *) b)->count;
    return (first < second) - (first > second);
}

/* Would it be skipped, and why? */
static bool is_skipped(checking *c, bj_arena *arena, const char *file, bj_text *reason) {
    bj_mistakes mistakes = { 0 };
    const bj_record *scenario = bj_load_file(arena, BJ_K_SCENARIO, file, &mistakes);
    if (!scenario || !bj_fit_has_all(c->client.profile, scenario, reason)) {
        return scenario != NULL;
    }
    scenario = bj_fit_adapt(arena, c->client.profile, scenario);
    return !bj_run_command(arena, c->client.profile, scenario, reason);
}

static bool count_skips(checking *c) {
    cli_files files = { 0 };
    tally tallies[REASONS] = { 0 };
    unsigned skipped = 0;
    if (!cli_files_add(&files, c->scenarios)) {
        return false;
    }
    for (size_t i = 0; i < files.count; i++) {
        BJ_TEXT(reason, 1024);
        bj_arena *arena = cli_arena();
        if (is_skipped(c, arena, files.names[i], &reason)) {
            count_reason(c->arena, tallies, reason.start);
            skipped++;
        }
        bj_arena_unmap(arena);
    }
    qsort(tallies, REASONS, sizeof *tallies, by_count);
    printf("%zu scenarios below %s, of which %u would be skipped\n", files.count, c->scenarios, skipped);
    for (unsigned i = 0; i < REASONS && tallies[i].reason; i++) {
        printf("%8u %s\n", tallies[i].count, tallies[i].reason);
    }
    cli_files_free(&files);
    return true;
}

/* --- the command ---------------------------------------------------------------------------------------------- */

static int check(checking *c) {
    if (has_program(c) && plain(c)) {
        nonsense(c);
        virtual_time(c);
        stops(c);
        if (c->probes) {
            cli_claims(c->arena, &c->options);
        }
    }
    fflush(stdout);
    if (c->scenarios && c->client.attach != BJ_ATTACH_LINKED && !count_skips(c)) {
        return CLI_COULD_NOT_RUN;
    }
    if (cli_interrupted) {
        cli_complain("interrupted by signal %d", (int) cli_interrupted);
        return CLI_COULD_NOT_RUN;
    }
    puts(c->failed ? "the profile is not good yet" : "the profile is good");
    return c->failed ? CLI_FAILED : CLI_PASSED;
}

static int show_probe(const checking *c) {
    return cli_claims_show(c->arena, &c->options, c->probe) ? CLI_PASSED : CLI_COULD_NOT_RUN;
}

int cli_client_check(int argc, char **argv) {
    checking c = { .probes = true, .options = { .seed = 1, .real_limit_ms = 30000, .listen = "127.0.0.1" } };
    int status = parse(argc, argv, &c);
    if (status >= 0) {
        return status;
    }
    cli_catch_signals();
    c.arena = cli_arena();
    status = CLI_COULD_NOT_RUN;
    if (cli_client_find(c.arena, argv[optind], &c.client)) {
        c.options.attach = c.client.attach;
        c.options.profile = c.client.profile;
        c.options.preload = cli_preload_path(c.arena, c.options.preload);
        status = c.probe ? show_probe(&c) : check(&c);
    }
    bj_arena_unmap(c.arena);
    return status;
}
