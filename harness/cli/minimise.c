/* SPDX-License-Identifier: Apache-2.0
 *
 * `bootjack minimise`: a scenario in which a client crashes, is caught by a sanitizer, or hangs, made as small as it
 * goes, and written with what was seen as comments.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "attach/conversation.h"
#include "attach/shrink.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "script/load.h"
#include "script/print.h"

static const char help[] =
    "usage: bootjack minimise SCENARIO --client CLIENT [-o FILE] [OPTION...]\n"
    "Plays a scenario in which the client crashes (a signal, a sanitizer's report) or hangs (it spins, it blocks), "
    "takes\n"
    "away steps, fields and bytes as long as the same is seen, and writes what is left as a scenario: signal, report "
    "or\n"
    "frames, and the last packets stand in it as comments. What is found in the client of others is told to them "
    "first.\n"
    "\n"
    "  --client CLIENT  as for `bootjack run`\n"
    "  -o FILE          where it is written; standard output if not given\n"
    "  --tries N        at most so many runs, 1000 if not given\n"
    "  --limit SECONDS  real time that a run may take, 4 if not given: a hang is one after half of it\n"
    "  --seed N         as for `bootjack run`\n"
    "  --preload FILE   as for `bootjack run`\n"
    "  -h, --help       this\n"
    "\n"
    "Exit status: 0 written, 1 the scenario shows no crash and no hang, 2 could not be run, 64 wrong usage.\n";

typedef struct arguments {
    const char *scenario, *client, *file, *preload;
    uint64_t seed, tries;
    unsigned limit_ms;
} arguments;

static const struct option long_options[] = {
    { "client", required_argument, NULL, 'c' },
    { "tries", required_argument, NULL, 't' },
    { "limit", required_argument, NULL, 'L' },
    { "seed", required_argument, NULL, 's' },
    { "preload", required_argument, NULL, 'P' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static int take_option(void *context, int option) {
    arguments *a = context;
    switch (option) {
    case 'c':
        a->client = optarg;
        return -1;
    case 'o':
        a->file = optarg;
        return -1;
    case 'P':
        a->preload = optarg;
        return -1;
    case 't':
        return cli_parse_u64(optarg, 1, 1000000, &a->tries)
                   ? -1
                   : cli_usage_error("minimise", "--tries %s: not a number", optarg);
    case 's':
        return cli_take_seed("minimise", optarg, &a->seed);
    case 'L':
        return cli_take_limit("minimise", optarg, &a->limit_ms);
    default:
        fputs(help, stdout);
        return CLI_PASSED;
    }
}

static int parse(int argc, char **argv, arguments *a) {
    *a = (arguments){ .seed = 1, .tries = 1000, .limit_ms = 4000 };
    int status = cli_read_options("minimise", argc, argv, "o:h", long_options, take_option, a);
    if (status >= 0) {
        return status;
    }
    if (optind + 1 != argc || !a->client) {
        return cli_usage_error("minimise", "expected one scenario and --client");
    }
    a->scenario = argv[optind];
    return -1;
}

/* --- what was found ------------------------------------------------------------------------------------------- */

enum { KEY = 256 };

/* The first frame that an output line names: of a sanitizer ("#0 0x... in f"), or of the preload library. */
static const char *first_frame(const bj_run_result *result) {
    for (size_t i = 0; i < result->output_count; i++) {
        const char *mark = strstr(result->output[i].text, "#0 ");
        if (mark) {
            const char *in = strstr(mark, " in ");
            return in ? in + 4 : mark + 3;
        }
    }
    return "";
}

static const char *sanitizer_kind(const bj_run_result *result) {
    static const char *const marks[] = { "AddressSanitizer: ", "LeakSanitizer: ", "MemorySanitizer: ",
                                         "ThreadSanitizer: ", "runtime error: " };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        const char *found = strstr(result->reason, marks[i]);
        if (found) {
            return found;
        }
    }
    return NULL;
}

/* What tells this finding from others: addresses and times are no part of it. false: there is none. */
static bool find_key(const bj_run_result *result, bj_text *key) {
    static const char *const hangs[] = { "spins", "writes without end", "blocks for ever", "blocks for real" };
    const char *sanitizer = sanitizer_kind(result);
    if (sanitizer) {
        const char *end = strstr(sanitizer, " on ");
        bj_text_add_bytes(key, sanitizer, end ? (size_t) (end - sanitizer) : strcspn(sanitizer, "0123456789"));
        bj_text_printf(key, " in %.100s", first_frame(result));
        return true;
    }
    if (result->verdict == BJ_FAIL && result->signal_number && strstr(result->reason, "crashed")) {
        bj_text_printf(key, "signal %d at %.100s", result->signal_number, first_frame(result));
        return true;
    }
    for (size_t i = 0; result->verdict == BJ_FAIL && i < sizeof hangs / sizeof *hangs; i++) {
        if (strstr(result->reason, hangs[i])) {
            bj_text_add(key, hangs[i]);
            return true;
        }
    }
    return false;
}

typedef struct search {
    const bj_run_options *options;
    const char *key;
    unsigned runs;
} search;

/* What is written must be a scenario that can be loaded. */
static bool is_scenario(bj_arena *arena, const bj_record *candidate) {
    bj_mistakes mistakes = { 0 };
    bj_string yaml = bj_program_print(arena, candidate);
    return bj_load_bytes(arena, BJ_K_SCENARIO, "candidate", yaml.bytes, yaml.length, &mistakes) != NULL;
}

static bool shows(void *context, const bj_record *candidate) {
    search *s = context;
    bj_run_result result;
    BJ_TEXT(key, KEY);
    if (cli_interrupted) {
        return false;
    }
    bj_arena *arena = cli_arena();
    bool same = is_scenario(arena, candidate);
    if (same) {
        bj_run(arena, candidate, s->options, &result);
        s->runs++;
        same = find_key(&result, &key) && strcmp(key.start, s->key) == 0;
        bj_run_release(&result);
    }
    bj_arena_unmap(arena);
    return same;
}

/* --- what is written ------------------------------------------------------------------------------------------ */

enum { PACKETS = 12, REPORT = 40 };

static void put_comment(FILE *out, const char *text) {
    fprintf(out, "#   %.*s\n", (int) strcspn(text, "\r\n"), text);
}

/* The last lines of the conversation. */
static void put_packets(FILE *out, const bj_log *log) {
    bj_conversation *conversation = bj_conversation_new(log);
    char lines[PACKETS][200];
    size_t count = 0;
    bj_event event;
    for (size_t cursor = 0; conversation && bj_log_next(log, &cursor, &event);) {
        BJ_TEXT(line, 4096);
        if (event.kind != BJ_EV_VERDICT && bj_conversation_line(conversation, &event, &line)) {
            snprintf(lines[count++ % PACKETS], sizeof lines[0], "%s", line.start);
        }
    }
    bj_conversation_free(conversation);
    fputs("# The end of the conversation:\n", out);
    for (size_t i = count > PACKETS ? count - PACKETS : 0; i < count; i++) {
        put_comment(out, lines[i % PACKETS]);
    }
}

/* The report of a sanitizer, or the frames: what was written to standard error from there on. */
static void put_report(FILE *out, const bj_run_result *result) {
    unsigned put = 0;
    for (size_t i = 0; i < result->output_count && put < REPORT; i++) {
        const char *text = result->output[i].text;
        bool begins = strstr(text, "Sanitizer: ") || strstr(text, "runtime error: ") || strstr(text, "bootjack: #0 ");
        if (put || begins) {
            fputs(put++ ? "" : "# What was said at that moment:\n", out);
            put_comment(out, text);
        }
    }
}

static void put_scenario(FILE *out, bj_arena *arena, const arguments *a, const bj_record *program,
                         const bj_run_result *result) {
    bj_string yaml = bj_program_print(arena, program);
    fprintf(out, "# Found by `bootjack minimise` in %s with --client %s --seed %llu.\n#\n# %.*s\n", a->scenario,
            a->client, (unsigned long long) a->seed, (int) strcspn(result->reason, "\r\n"), result->reason);
    fprintf(out, "# Exit status %d, signal %d.\n", result->exit_status, result->signal_number);
    put_report(out, result);
    put_packets(out, result->log);
    fwrite(yaml.bytes, 1, yaml.length, out);
}

static int write_scenario(bj_arena *arena, const arguments *a, const bj_record *program,
                          const bj_run_options *options) {
    bj_run_result result;
    bj_run(arena, program, options, &result);
    FILE *out = a->file ? fopen(a->file, "we") : stdout;
    if (out) {
        put_scenario(out, arena, a, program, &result);
    }
    bool good = out && (a->file ? cli_close_file(out) : fflush(out) == 0);
    if (!good) {
        cli_complain("%s: %s", a->file ? a->file : "standard output", strerror(errno));
    }
    bj_run_release(&result);
    return good ? CLI_PASSED : CLI_COULD_NOT_RUN;
}

/* --- the command ---------------------------------------------------------------------------------------------- */

static size_t steps_of(const bj_record *program) {
    return bj_get(program, BJ_F(SCENARIO, STEPS))->as.records.count;
}

static int run_minimise(const arguments *a, bj_arena *arena, const bj_record *scenario, const bj_run_options *options) {
    bj_run_result result;
    BJ_TEXT(key, KEY);
    bj_run(arena, scenario, options, &result);
    bool found = find_key(&result, &key);
    if (!found) {
        cli_complain("%s: no crash and no hang: %s: %s", a->scenario, bj_verdict_name(result.verdict), result.reason);
    }
    int status = result.verdict == BJ_ERROR ? CLI_COULD_NOT_RUN : CLI_FAILED;
    bj_run_release(&result);
    if (!found) {
        return status;
    }
    search s = { .options = options, .key = key.start };
    const bj_record *small = bj_shrink(arena, scenario, shows, &s, (unsigned) a->tries);
    if (cli_interrupted) {
        cli_complain("interrupted by signal %d", (int) cli_interrupted);
        return CLI_COULD_NOT_RUN;
    }
    fprintf(stderr, "%s; %zu steps are left of %zu, after %u runs\n", key.start, steps_of(small), steps_of(scenario),
            s.runs);
    return write_scenario(arena, a, small, options);
}

int cli_minimise(int argc, char **argv) {
    arguments a;
    int status = parse(argc, argv, &a);
    if (status >= 0) {
        return status;
    }
    cli_catch_signals();
    bj_arena *arena = bj_arena_map((size_t) 2 << 30);
    cli_client client;
    const bj_record *scenario = arena ? cli_load(arena, BJ_K_SCENARIO, a.scenario) : NULL;
    status = CLI_COULD_NOT_RUN;
    if (scenario && cli_client_find(arena, a.client, &client) && (!a.file || cli_can_write(a.file))) {
        bj_run_options options = { .attach = client.attach,
                                   .profile = client.profile,
                                   .seed = a.seed,
                                   .real_limit_ms = a.limit_ms,
                                   .preload = cli_preload_path(arena, a.preload),
                                   .listen = "127.0.0.1" };
        status = run_minimise(&a, arena, scenario, &options);
    }
    if (arena) {
        bj_arena_unmap(arena);
    }
    return status;
}
