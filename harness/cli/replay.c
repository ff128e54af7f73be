/* SPDX-License-Identifier: Apache-2.0
 *
 * `bootjack replay FILE --client ...`: a client of a capture as a scenario, the scenario against a client, and both
 * conversations side by side, with the first difference judged.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/capture.h"
#include "capture/compare.h"
#include "capture/readable.h"
#include "cli/canary.h"
#include "cli/cli.h"
#include "cli/replay_report.h"

enum { FINDINGS = BJ_RULES, SLACK = 500000 };

typedef struct replay {
    bj_field_options options, again_options;
    bj_field field, again; /* the capture; the one of the replay */
    const char *client_name, *preload, *pcap, *report;
    bool loose, no_canary;
    uint64_t seed, repeat;
    bj_arena *lasting; /* the client's profile */
    bj_arena *arena;   /* all that belongs to one client of the capture */
    size_t number;     /* which one of those that were chosen */
    cli_client client;
    bj_talk talk, talk_again;
    bj_script script;
    bj_run_options run;
    bj_run_result result;
    bj_comparison comparison;
    bj_field_finding found[FINDINGS], found_again[FINDINGS];
    size_t found_count, found_again_count;
    int argc;
    char **argv;
    const char *said[CLI_REPLAY_SAID]; /* what the comparison comes to, a line each */
    size_t said_count;
    char temporary[64];
} replay;

/* --- the command line ----------------------------------------------------------------------------------------- */

static void print_help(void) {
    printf(
        "usage: bootjack replay [OPTION...] FILE\n"
        "\n"
        "Makes a scenario of what a client did in a capture, runs it against a client, and prints both conversations\n"
        "side by side. The first difference is marked and judged: by a rule that the captured client broke there, or\n"
        "the replaying one; else both are lawful.\n"
        "\n"
        "  --client CLIENT     the client that replays, as for bootjack run; linked if not given\n"
        "  --captured WHICH    the client of the capture: its address, address:port or Endpoint Client Name\n"
        "  --loose             order and codes only, and not the times\n"
        "  --repeat N          and N times more with losses, doubled and late datagrams, each with a seed of its own:\n"
        "                      which rules are broken then\n"
        "  --pcap FILE         the replay as a capture; with --all FILE, FILE-2, ...\n"
        "  --report FOLDER     a report with both conversations as charts; with --all FOLDER, FOLDER-2, ...\n"
        "  --seed N            seed of the simulated world, 1 if not given\n"
        "  --preload FILE      the preload library\n"
        "  --no-canary         do not first run the nonsense scenario that must not pass\n"
        "%s"
        "  --help              this text\n"
        "\n"
        "Marks: ~ another code or other content, t at another time, < only captured, > only replayed.\n"
        "Exit status: 0 the replay shows what the capture shows, 1 it differs, 2 could not run, 64 wrong usage.\n",
        strstr(bj_field_help, "  --all"));
}

/* false: *why says what the value must be. */
static bool take_valued(replay *r, const char *name, const char *value, bj_text *why) {
    if (!strcmp(name, "--client")) {
        r->client_name = value;
    } else if (!strcmp(name, "--captured")) {
        r->options.client = value;
    } else if (!strcmp(name, "--pcap")) {
        r->pcap = value;
    } else if (!strcmp(name, "--report")) {
        r->report = value;
    } else if (!strcmp(name, "--preload")) {
        r->preload = value;
    } else if (!strcmp(name, "--seed") && !cli_parse_u64(value, 0, INT64_MAX, &r->seed)) {
        bj_text_printf(why, "--seed %s: not a number", value);
    } else if (!strcmp(name, "--repeat") && !cli_parse_u64(value, 1, 10000, &r->repeat)) {
        bj_text_printf(why, "--repeat %s: expected 1 to 10000", value);
    }
    return why->used == 0;
}

static int take_option(void *context, int argc, char **argv, int *at, bj_text *why) {
    static const char *const valued[] = { "--client",  "--captured", "--pcap",  "--report",
                                          "--preload", "--seed",     "--repeat" };
    replay *r = context;
    const char *word = argv[*at];
    for (unsigned i = 0; i < sizeof valued / sizeof valued[0]; i++) {
        size_t n = strlen(valued[i]);
        if (!strncmp(word, valued[i], n) && (!word[n] || word[n] == '=')) {
            const char *value = word[n] ? word + n + 1 : *at + 1 < argc ? argv[++*at] : "";
            if (!*value) {
                bj_text_printf(why, "%s: a value is needed", valued[i]);
            }
            return *value && take_valued(r, valued[i], value, why) ? 1 : -1;
        }
    }
    if (!strcmp(word, "--loose")) {
        r->loose = true;
    } else if (!strcmp(word, "--no-canary")) {
        r->no_canary = true;
    } else {
        return 0;
    }
    return 1;
}

/* --- running -------------------------------------------------------------------------------------------------- */

static bool run_once(replay *r, bj_arena *arena, const bj_record *scenario, bj_run_result *result) {
    bj_job *job = bj_job_start(arena, scenario, &r->run);
    while (!bj_job_finished(job) && !cli_interrupted) {
        bj_job_wait(&job, 1);
    }
    if (!bj_job_finished(job)) {
        bj_job_kill(job);
        return false;
    }
    bj_job_result(job, result);
    return true;
}

/* The run as a capture, and that read like the one of the field. */
static bool read_replay(replay *r) {
    BJ_TEXT(why, 500);
    BJ_TEXT(numbered, 4096);
    const char *file = NULL;
    if (r->pcap) {
        bj_field_file(&numbered, r->pcap, r->number);
        file = bj_arena_strdup(r->arena, numbered.start); /* the options of the reading keep it */
    }
    if (!file) {
        strcpy(r->temporary, "/tmp/bootjack-replay-XXXXXX");
        int descriptor = mkstemp(r->temporary);
        if (descriptor < 0) {
            cli_complain("%s: %s", r->temporary, strerror(errno));
            return false;
        }
        close(descriptor);
        file = r->temporary;
    }
    if (!bj_capture_write(r->result.log, file, &why)) {
        cli_complain("%s", why.start);
        return false;
    }
    bj_field_defaults(&r->again_options);
    r->again_options.units.source.name = file;
    r->again_options.holdoff = r->script.holdoff;
    r->again_options.tolerance = BJ_MS;
    r->again_options.units.port_count = r->script.talk->server_count;
    for (unsigned i = 0; i < r->script.talk->server_count; i++) {
        r->again_options.units.ports[i] = r->script.servers[i].here.port;
    }
    r->again_options.units.epoch = r->field.options->units.epoch; /* both count from a run's beginning, or neither */
    r->again = (bj_field){ .options = &r->again_options };
    r->again.units = bj_units_open(&r->again_options.units, &why);
    if (!r->again.units || !bj_parties_find(&r->again.parties, r->again.units, &why)) {
        cli_complain("%s", why.start);
        return false;
    }
    bj_talk_begin(&r->talk_again, &r->again.parties, 0);
    if (r->again.parties.seen.records && !r->again.parties.seen.decrypted) {
        cli_complain("nothing of the replay's DTLS or TLS is decrypted%s%s",
                     r->again.parties.seen.decryption ? ": " : "",
                     r->again.parties.seen.decryption ? r->again.parties.seen.decryption : "");
    }
    if (!r->again.parties.count) {
        return true; /* the client said nothing */
    }
    r->found_again_count = bj_field_findings(&r->again, 0, r->arena, r->found_again, FINDINGS);
    bj_talk_free(&r->talk_again);
    return bj_field_talk(&r->again, 0, &r->talk_again);
}

/* --- judging -------------------------------------------------------------------------------------------------- */

/* The finding of this frame, or of the one whose answer it is part of; NULL. */
static const bj_field_finding *at_frame(const bj_field_finding *all, size_t count, uint32_t frame) {
    for (size_t i = 0; i < count && frame; i++) {
        if (all[i].frame == frame) {
            return &all[i];
        }
    }
    return NULL;
}

/* A rule that one client broke at or behind the difference, and the other did not break at all. */
static const bj_field_finding *only_there(const bj_field_finding *all, size_t count, const bj_field_finding *others,
                                          size_t other_count, uint32_t frame) {
    for (size_t i = 0; i < count; i++) {
        bool both = false;
        for (size_t n = 0; n < other_count; n++) {
            both |= others[n].rule == all[i].rule;
        }
        if (!both && (!all[i].frame || all[i].frame >= frame)) {
            return &all[i];
        }
    }
    return NULL;
}

/* A line of the outcome: printed, and kept for the report. */
static void say(replay *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(replay *r, const char *format, ...) {
    BJ_TEXT(line, 2000);
    va_list arguments;
    va_start(arguments, format);
    bj_text_vprintf(&line, format, arguments);
    va_end(arguments);
    bj_print_readable(stdout, line.start);
    putchar('\n');
    if (r->said_count < CLI_REPLAY_SAID) {
        r->said[r->said_count++] = bj_arena_strdup(r->arena, line.start);
    }
}

static const char *level_of(bj_rule rule) {
    return bj_rule_level(rule) == BJ_LEVEL_MUST ? "MUST" : "SHOULD";
}

static void tell_rule(replay *r, const char *who, const bj_field_finding *f) {
    BJ_TEXT(where, 40);
    if (f->frame) {
        bj_text_printf(&where, " in frame %u", f->frame);
    }
    say(r, "judged: the %s client breaks %s (%s)%s: %s", who, bj_rule_id(f->rule), level_of(f->rule), where.start,
        f->text);
}

/* Rules that the oracles of the run found, which know more than those over its capture. */
static bool tell_run_rules(replay *r) {
    for (size_t i = 0; i < r->result.broken_count; i++) {
        const bj_finding *f = &r->result.broken[i];
        bool both = false;
        for (size_t n = 0; n < r->found_count; n++) {
            both |= r->found[n].rule == f->rule;
        }
        if (!both) {
            say(r, "judged: the replaying client breaks %s (%s) at %.3f s: %s", bj_rule_id(f->rule), level_of(f->rule),
                (double) f->time / 1e6, f->text);
            return true;
        }
    }
    return false;
}

static uint32_t frame_near(const bj_conversation_side *side, const bj_comparison *c, size_t row, bool captured) {
    for (size_t i = row + 1; i-- > 0;) {
        int at = captured ? c->rows[i].captured : c->rows[i].replayed;
        if (at >= 0) {
            return side->all[at].frame;
        }
    }
    return 0;
}

/* How a time that is another one is called: what a client draws (RFC 7252 §4.8's random factor; the jitter of a
 * hold-off, which is less than twice it) has a name. */
static const char *time_name(const bj_compared *a, const bj_compared *b) {
    bj_time less = a->gap < b->gap ? a->gap : b->gap, more = a->gap < b->gap ? b->gap : a->gap;
    bool attempt = strstr(a->key, ": Bootstrap-Request") || strstr(a->key, ": Bootstrap-Pack-Request");
    if (!a->by_client) {
        return "servers are as fast as they are";
    }
    if (strstr(a->key, ", once more")) {
        return "a client draws when it repeats (ACK_RANDOM_FACTOR)";
    }
    if (!attempt) {
        return "no rule says when";
    }
    return more <= 2 * less ? "a client draws its hold-off (jitter)"
                            : "the captured client's hold-off is not known (--holdoff tells it)";
}

static void tell_lawful(replay *r) {
    const bj_row *row = &r->comparison.rows[r->comparison.first];
    if (row->difference != BJ_OTHER_TIME) {
        say(r, "judged: differs, both lawful as far as the oracles see");
        return;
    }
    const bj_compared *a = &r->comparison.captured.all[row->captured];
    const bj_compared *b = &r->comparison.replayed.all[row->replayed];
    say(r,
        "judged: differs, both lawful as far as the oracles see: %s; captured %.3f s after the message before, "
        "replayed "
        "%.3f s",
        time_name(a, b), (double) a->gap / 1e6, (double) b->gap / 1e6);
}

static void tell_judgement(replay *r) {
    const bj_comparison *c = &r->comparison;
    uint32_t here = frame_near(&c->captured, c, (size_t) c->first, true);
    uint32_t there = frame_near(&c->replayed, c, (size_t) c->first, false);
    const bj_field_finding *f = at_frame(r->found, r->found_count, here);
    const bj_field_finding *g = at_frame(r->found_again, r->found_again_count, there);
    bool same = f && g && f->rule == g->rule;
    f = f && !same ? f : only_there(r->found, r->found_count, r->found_again, r->found_again_count, here);
    g = g && !same ? g : only_there(r->found_again, r->found_again_count, r->found, r->found_count, there);
    if (f) {
        tell_rule(r, "captured", f);
    }
    if (g) {
        tell_rule(r, "replaying", g);
    }
    if (!g && !tell_run_rules(r) && !f) {
        tell_lawful(r);
    }
}

static void tell_first(replay *r) {
    static const char *const names[] = { "", "the same at another time", "another code, or other content",
                                         "only the captured client, or its servers, have this",
                                         "only the replaying client, or its servers, have this" };
    const bj_row *row = &r->comparison.rows[r->comparison.first];
    const bj_compared *a = row->captured < 0 ? NULL : &r->comparison.captured.all[row->captured];
    const bj_compared *b = row->replayed < 0 ? NULL : &r->comparison.replayed.all[row->replayed];
    say(r, "first difference: %s", names[row->difference]);
    if (a) {
        say(r, "  captured, frame %u, %.3f s: %s", a->frame, (double) a->time / 1e6, a->text);
    }
    if (b) {
        say(r, "  replayed, %.3f s: %s", (double) b->time / 1e6, b->text);
    }
    tell_judgement(r);
}

static int tell(replay *r) {
    bj_compare_print(&r->comparison, stdout);
    for (size_t i = 0; i < r->script.assumption_count; i++) {
        printf("assumed: %s\n", r->script.assumptions[i]);
    }
    bool nothing = !r->comparison.count || r->result.verdict == BJ_ERROR || r->result.verdict == BJ_SKIP;
    if (r->comparison.first >= 0) {
        tell_first(r);
    } else if (!nothing) {
        say(r, "reproduced: the replay shows what the capture shows");
        for (size_t i = 0; i < r->found_count; i++) {
            tell_rule(r, "captured", &r->found[i]);
        }
    }
    if (r->result.verdict == BJ_ERROR || r->result.verdict == BJ_SKIP) {
        say(r, "the run: %s: %s", bj_verdict_name(r->result.verdict), r->result.reason);
        return CLI_COULD_NOT_RUN;
    }
    if (r->result.verdict != BJ_PASS) {
        say(r, "the run ended with %s: %s", bj_verdict_name(r->result.verdict), r->result.reason);
    }
    if (!r->comparison.count) {
        say(r, "there is nothing to compare");
        return CLI_COULD_NOT_RUN;
    }
    return r->comparison.first >= 0 ? CLI_FAILED : CLI_PASSED;
}

/* --- with faults ---------------------------------------------------------------------------------------------- */

/* A bad day of the network: one datagram in twenty is lost, one comes twice, all are late. */
static void make_bad(replay *r, bj_record *scenario) {
    bj_record *link = bj_record_new(r->arena, BJ_K_LINK, (bj_position){ 0 });
    bj_value number = { .type = BJ_T_UINT }, time = { .type = BJ_T_DURATION }, network = { .type = BJ_T_RECORD };
    const bj_record **one = bj_record_list(r->arena, 1);
    number.as.uint = 50000;
    bj_set(r->arena, link, BJ_F(LINK, LOSS), &number);
    bj_set(r->arena, link, BJ_F(LINK, DUPLICATE), &number);
    time.as.duration = 20 * BJ_MS;
    bj_set(r->arena, link, BJ_F(LINK, LATENCY), &time);
    bj_set(r->arena, link, BJ_F(LINK, JITTER), &time);
    one[0] = link;
    network.as.records.items = one;
    network.as.records.count = 1;
    bj_set(r->arena, scenario, BJ_F(SCENARIO, NETWORK), &network);
}

static int repeat(replay *r) {
    unsigned broken[BJ_RULES] = { 0 }, crashed = 0;
    const char *why[BJ_RULES] = { NULL };
    uint64_t first[BJ_RULES] = { 0 }, runs = 0;
    bj_arena *arena = cli_arena(); /* of one run at a time */
    bj_run_result result;
    make_bad(r, r->script.root);
    for (; runs < r->repeat; runs++) {
        r->run.seed = r->seed + runs + 1;
        if (!run_once(r, arena, r->script.root, &result)) {
            break;
        }
        crashed += result.signal_number != 0;
        for (size_t n = 0; n < result.broken_count; n++) {
            bj_rule rule = result.broken[n].rule;
            first[rule] = broken[rule]++ ? first[rule] : r->run.seed;
            why[rule] = why[rule] ? why[rule] : bj_arena_strdup(r->arena, result.broken[n].text);
        }
        bj_run_release(&result);
        bj_arena_reset(arena);
    }
    bj_arena_unmap(arena);
    bool any = crashed > 0;
    printf("with faults, %llu runs: %u crashed\n", (unsigned long long) runs, crashed);
    for (unsigned rule = 0; rule < BJ_RULES; rule++) {
        if (broken[rule]) {
            any |= bj_rule_level((bj_rule) rule) == BJ_LEVEL_MUST;
            printf("  %s broken in %u of them, first with --seed %llu: %s\n", bj_rule_id((bj_rule) rule), broken[rule],
                   (unsigned long long) first[rule], why[rule]);
        }
    }
    return any ? CLI_FAILED : CLI_PASSED;
}

/* --- all of it ------------------------------------------------------------------------------------------------ */

static int compare(replay *r) {
    bj_compare_side(&r->comparison.captured, &r->script, &r->talk, false, r->arena);
    bj_compare_side(&r->comparison.replayed, &r->script, &r->talk_again, true, r->arena);
    bj_compare(&r->comparison, r->arena, !r->loose, r->options.tolerance + SLACK);
    return tell(r);
}

static bool write_report(replay *r) {
    static const uint64_t CAPTURED = BJ_CAPTURE_EPOCH * BJ_SECOND;
    BJ_TEXT(folder, 4096);
    BJ_TEXT(again, 4096);
    cli_shell_word(&again, program_invocation_name);
    for (int i = 0; i < r->argc; i++) {
        bj_text_add(&again, " ");
        cli_shell_word(&again, r->argv[i]);
    }
    bj_field_file(&folder, r->report, r->number);
    cli_replay_report report = { .folder = folder.start,
                                 .field = &r->field,
                                 .party = r->field.chosen[r->number],
                                 .script = &r->script,
                                 .comparison = &r->comparison,
                                 .result = &r->result,
                                 .client = &r->client,
                                 .client_name = r->client_name,
                                 .seed = r->seed,
                                 .begun = r->again.parties.seen.epoch > CAPTURED
                                              ? r->again.parties.seen.epoch - CAPTURED
                                              : 0,
                                 .again = again.start,
                                 .said = r->said,
                                 .said_count = r->said_count,
                                 .arena = r->arena };
    return cli_replay_write_report(&report);
}

static int play(replay *r) {
    r->run = (bj_run_options){ .attach = r->client.attach,
                               .profile = r->client.profile,
                               .seed = r->seed,
                               .preload = cli_preload_path(r->arena, r->preload),
                               .listen = "127.0.0.1" };
    if (!r->client.own && !r->no_canary && !cli_canary(&r->run)) {
        return CLI_COULD_NOT_RUN;
    }
    r->found_count = bj_field_findings(&r->field, r->field.chosen[r->number], r->arena, r->found, FINDINGS);
    if (!bj_field_talk(&r->field, r->field.chosen[r->number], &r->talk)) {
        return CLI_COULD_NOT_RUN;
    }
    bj_script_make(&r->script, &r->field, &r->talk, r->arena, r->loose, true);
    if (!run_once(r, r->arena, r->script.root, &r->result)) {
        return CLI_COULD_NOT_RUN;
    }
    int status = read_replay(r) ? compare(r) : CLI_COULD_NOT_RUN;
    if (r->report && !write_report(r)) {
        status = CLI_COULD_NOT_RUN;
    }
    bj_run_release(&r->result);
    if (status != CLI_COULD_NOT_RUN && r->repeat) {
        int faults = repeat(r);
        status = status ? status : faults;
    }
    return status;
}

/* What belongs to one client of the capture. */
static void forget_one(replay *r) {
    bj_talk_free(&r->talk);
    bj_talk_free(&r->talk_again);
    bj_field_close(&r->again);
    if (*r->temporary) {
        unlink(r->temporary);
    }
    bj_arena_unmap(r->arena);
    *r->temporary = '\0';
    r->arena = NULL;
    r->again = (bj_field){ .options = NULL };
    r->result = (bj_run_result){ .verdict = BJ_VERDICT_NONE };
    r->comparison = (bj_comparison){ .first = -1 };
    r->found_count = r->found_again_count = r->said_count = 0;
}

static int play_all(replay *r) {
    int status = CLI_PASSED;
    for (r->number = 0; r->number < r->field.chosen_count && status != CLI_COULD_NOT_RUN && !cli_interrupted;
         r->number++) {
        r->arena = cli_arena();
        if (r->field.chosen_count > 1) {
            BJ_TEXT(who, 300);
            bj_party_print(&who, &r->field.parties.all[r->field.chosen[r->number]]);
            fputs(r->number ? "\nclient " : "client ", stdout);
            bj_print_readable(stdout, who.start);
            putchar('\n');
        }
        int one = play(r);
        status = one > status ? one : status;
        forget_one(r);
    }
    return status;
}

static void forget(replay *r) {
    bj_field_close(&r->field);
    bj_arena_unmap(r->lasting);
    free(r);
}

int cli_replay(int argc, char **argv) {
    replay *r = calloc(1, sizeof *r);
    if (!r) {
        cli_complain("out of memory");
        return CLI_COULD_NOT_RUN;
    }
    r->seed = 1;
    r->argc = argc;
    r->argv = argv;
    r->lasting = cli_arena();
    bj_field_command command = { "replay", print_help, take_option, r };
    int status = bj_field_read_arguments(&r->options, &command, argc, argv);
    if (status < 0) {
        cli_catch_signals();
        status = cli_client_find(r->lasting, r->client_name, &r->client) ? bj_field_open(&r->field, &r->options)
                                                                         : CLI_COULD_NOT_RUN;
        status = status ? status : play_all(r);
        if (cli_interrupted) {
            cli_complain("interrupted by signal %d", (int) cli_interrupted);
            status = CLI_COULD_NOT_RUN;
        }
    }
    forget(r);
    return status;
}
