/* SPDX-License-Identifier: Apache-2.0
 *
 * `bootjack run`: scenarios against a client, one process each, several at once if asked for.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/command.h"
#include "cli/canary.h"
#include "cli/cli.h"
#include "cli/power_cuts.h"
#include "cli/report.h"
#include "cli/scenarios.h"
#include "cli/variants.h"
#include "script/load.h"

static const char help[] =
    "usage: bootjack run [OPTION...] SCENARIO...\n"
    "Runs scenario files, or all scenarios below a folder, against a client. One line a scenario on standard output.\n"
    "\n"
    "  --client CLIENT   linked             our client, inside this program (the default)\n"
    "                    linked:LIBRARY.so  a shared object that exports bootjack_client\n"
    "                    exec:COMMAND       an unmodified program, in virtual time; {bs_uri}, {endpoint} and the\n"
    "                                       other placeholders of profiles are filled in\n"
    "                    network:COMMAND    a program, over the loopback interface in real time\n"
    "                    FILE.yaml, NAME    a profile; NAME is one of harness/clients\n"
    "  --variants        each scenario in every way of saying the same (the formats of Writes, in blocks or whole,\n"
    "                    every datagram once or twice): the client must do the same in all of them\n"
    "  --seed N          seed of the simulated world, 1 if not given\n"
    "  -v, --verbose     the whole conversation, one line an event, with virtual times\n"
    "  --json            one JSON object a line for each scenario; with -v, all of its events\n"
    "  --pcap FILE       the conversation as a capture; for several scenarios FILE is a folder\n"
    "  --log FILE        the event log as JSON lines; for several scenarios FILE is a folder\n"
    "  --junit FILE      results in JUnit's XML\n"
    "  --report FOLDER   a report for people: FOLDER/index.html, with results.json, JUnit's XML and captures beside "
    "it\n"
    "  --power-cuts      scenarios that say what must follow a power cut, once for each operation on the client's "
    "disk\n"
    "                    and each step, with each state in which the disk may be left\n"
    "  --power-cut N:M   one of those: behind operation N, with state M; step-N:M when N steps have begun\n"
    "  -j, --jobs N      that many scenarios at once, 1 if not given\n"
    "  --fail-fast       stop at the first scenario that fails; those after it are not run\n"
    "  --limit SECONDS   real time that a scenario may take, 60 if not given (network: no limit)\n"
    "  --share-network   network: clients run in this machine's network, not in a namespace with a loopback of its "
    "own\n"
    "  --no-canary       do not first run the nonsense scenario that must not pass\n"
    "  --preload FILE    the preload library; also $BOOTJACK_PRELOAD_LIBRARY\n"
    "  -h, --help        this\n"
    "\n"
    "Exit status: 0 all passed (or warned, were skipped, inconclusive, failed as expected), 1 some failed, 2 could "
    "not\n"
    "run (a scenario with a mistake, a missing file, a client that does not start, a canary that passed), 64 wrong "
    "usage.\n";

static void print_help(void) {
    BJ_TEXT(placeholders, 1000);
    bj_command_placeholders(&placeholders);
    printf("%s\nPlaceholders of commands, for what the scenario tells the client:\n%s\n"
           "A word that begins with '?' is left out, with all that stands in it, where a value is not set.\n",
           help, placeholders.start);
}

enum { MOST_JOBS = 256 };

typedef struct arguments {
    bool variants;
    const char *client;
    uint64_t seed;
    bool verbose, json, no_canary, fail_fast, share_network, power_cuts;
    cli_power_cut cut;
    const char *pcap, *log, *junit, *preload, *report;
    uint64_t jobs;
    unsigned limit_ms;
} arguments;

/* --- the command line ----------------------------------------------------------------------------------------- */

/* clang-format off */
static const struct option long_options[] = {
    { "variants", no_argument, NULL, 'V' },
    { "client", required_argument, NULL, 'c' },
    { "seed", required_argument, NULL, 's' },
    { "verbose", no_argument, NULL, 'v' },
    { "json", no_argument, NULL, 'J' },
    { "pcap", required_argument, NULL, 'p' },
    { "log", required_argument, NULL, 'l' },
    { "junit", required_argument, NULL, 'u' },
    { "report", required_argument, NULL, 'R' },
    { "jobs", required_argument, NULL, 'j' },
    { "fail-fast", no_argument, NULL, 'F' },
    { "share-network", no_argument, NULL, 'N' },
    { "power-cuts", no_argument, NULL, 'W' },
    { "power-cut", required_argument, NULL, 'w' },
    { "limit", required_argument, NULL, 'L' },
    { "no-canary", no_argument, NULL, 'C' },
    { "preload", required_argument, NULL, 'P' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};
/* clang-format on */

static int take_option(void *context, int option) {
    arguments *a = context;
    switch (option) {
    case 'V':
        a->variants = true;
        return -1;
    case 'c':
        a->client = optarg;
        return -1;
    case 's':
        return cli_take_seed("run", optarg, &a->seed);
    case 'v':
        a->verbose = true;
        return -1;
    case 'J':
        a->json = true;
        return -1;
    case 'p':
        a->pcap = optarg;
        return -1;
    case 'l':
        a->log = optarg;
        return -1;
    case 'u':
        a->junit = optarg;
        return -1;
    case 'j':
        return cli_parse_u64(optarg, 1, MOST_JOBS, &a->jobs)
                   ? -1
                   : cli_usage_error("run", "-j %s: expected 1 to 256", optarg);
    case 'L':
        return cli_take_limit("run", optarg, &a->limit_ms);
    case 'R':
        a->report = optarg;
        return -1;
    case 'N':
        a->share_network = true;
        return -1;
    case 'F':
        a->fail_fast = true;
        return -1;
    case 'W':
        a->power_cuts = true;
        return -1;
    case 'w':
        return cli_power_cut_parse(optarg, &a->cut)
                   ? -1
                   : cli_usage_error("run", "--power-cut %s: expected OPERATION:STATE or step-NUMBER:STATE, as 3:1",
                                     optarg);
    case 'C':
        a->no_canary = true;
        return -1;
    case 'P':
        a->preload = optarg;
        return -1;
    default:
        print_help();
        return CLI_PASSED;
    }
}

static int parse(int argc, char **argv, arguments *a) {
    *a = (arguments){ .seed = 1, .jobs = 1 };
    int status = cli_read_options("run", argc, argv, "vj:h", long_options, take_option, a);
    if (status >= 0) {
        return status;
    }
    if (a->power_cuts && (a->pcap || a->log || a->report || a->cut.operation || a->cut.step)) {
        return cli_usage_error("run", "--power-cuts goes with none of --pcap, --log, --report and --power-cut; "
                                      "--power-cut N:M runs one of them with --pcap and --log");
    }
    return optind < argc ? -1 : cli_usage_error("run", "no scenario was given");
}

/* --- the runs ------------------------------------------------------------------------------------------------- */

typedef struct suite {
    bool variants;
    cli_case *cases;
    size_t count;
    size_t started; /* cases before this one were started */
    size_t told;    /* cases before this one were reported */
    size_t running;
    size_t jobs;
    bool fail_fast;
    bj_run_options options;
    const cli_client *client;
    cli_report report;
} suite;

/* The file's mistakes: all on standard error, the first as the reason. */
static void tell_mistakes(cli_case *one, const bj_mistakes *mistakes) {
    bj_mistakes_tell(mistakes);
    if (mistakes->count) {
        BJ_TEXT(line, 2048);
        bj_mistake_print(&line, &mistakes->items[0]);
        one->result.reason = bj_arena_strndup(one->arena, line.start, line.used);
        one->result.position = mistakes->items[0].position;
    }
    one->result.verdict = BJ_ERROR;
    one->title = "a mistake in the scenario file";
    one->finished = true;
}

static const char *title_of(const cli_case *one) {
    const char *title = bj_get_string(one->scenario, BJ_F(SCENARIO, TITLE), "");
    if (!one->cut_where) {
        return title;
    }
    BJ_TEXT(text, 1000);
    bj_text_printf(&text, "%s [power cut at %s]", title, one->cut_where);
    return bj_arena_strdup(one->arena, text.start);
}

static void start(suite *s, cli_case *one) {
    bj_mistakes mistakes = { 0 };
    one->arena = cli_arena();
    one->scenario = bj_load_file(one->arena, BJ_K_SCENARIO, one->file, &mistakes);
    if (!one->scenario) {
        tell_mistakes(one, &mistakes);
        return;
    }
    one->title = title_of(one);
    if (s->variants) {
        cli_variants(one, &s->options, s->jobs);
        return;
    }
    bj_run_options options = s->options;
    options.cut_operation = one->cut_operation;
    options.cut_step = one->cut_step;
    options.cut_outcome = one->cut_outcome;
    one->job = bj_job_start(one->arena, one->scenario, &options);
    s->running++;
}

static void take_result(suite *s, cli_case *one) {
    bj_job_result(one->job, &one->result);
    one->job = NULL;
    one->finished = one->ran = true;
    s->running--;
    cli_apply_deviation(s->client, one);
}

static void forget(cli_case *one) {
    if (one->ran) {
        bj_run_release(&one->result);
    }
    bj_arena_unmap(one->arena);
    one->arena = NULL;
}

static void wait_for_one(suite *s) {
    bj_job *jobs[MOST_JOBS] = { NULL };
    cli_case *owners[MOST_JOBS];
    size_t n = 0;
    for (size_t i = s->told; i < s->started && n < MOST_JOBS; i++) {
        if (s->cases[i].job) {
            owners[n] = &s->cases[i];
            jobs[n++] = s->cases[i].job;
        }
    }
    bj_job_wait(jobs, n);
    for (size_t i = 0; i < n; i++) {
        if (bj_job_finished(jobs[i])) {
            take_result(s, owners[i]);
        }
    }
}

static void kill_running(suite *s) {
    for (size_t i = s->told; i < s->started; i++) {
        if (s->cases[i].job) {
            bj_job_kill(s->cases[i].job);
        }
    }
}

static bool is_bad(bj_verdict verdict) {
    return verdict == BJ_FAIL || verdict == BJ_ERROR;
}

/* Cases are reported in their order; a slow one keeps finished ones waiting, each with its log: so many, and no more.
 */
static void run_all(suite *s) {
    enum { AHEAD = 256 };
    bool enough = false;
    while (s->told < s->count && !cli_interrupted && !enough) {
        while (s->started < s->count && s->running < s->jobs && s->started - s->told < AHEAD) {
            start(s, &s->cases[s->started++]);
        }
        if (s->running) {
            wait_for_one(s);
        }
        while (s->told < s->started && s->cases[s->told].finished && !enough) {
            cli_report_case(&s->report, &s->cases[s->told]);
            enough = s->fail_fast && is_bad(s->cases[s->told].result.verdict);
            forget(&s->cases[s->told++]);
        }
    }
    kill_running(s);
}

static bool make_power_cuts(suite *s, const cli_files *files, bj_arena *arena) {
    cli_power_cuts cuts = { 0 };
    bool good = cli_power_cuts_find(&cuts, files, &s->options, arena);
    s->count = cuts.count;
    s->cases = bj_arena_calloc(arena, cuts.count + 1, sizeof *s->cases);
    for (size_t i = 0; i < cuts.count; i++) {
        s->cases[i] = (cli_case){ .file = cuts.items[i].file,
                                  .cut_operation = cuts.items[i].operation,
                                  .cut_step = cuts.items[i].step,
                                  .cut_outcome = cuts.items[i].outcome,
                                  .cut_where = cuts.items[i].where };
    }
    cli_power_cuts_free(&cuts);
    return good;
}

static bool make_cases(suite *s, const arguments *a, const cli_files *files, bj_arena *arena) {
    if (a->power_cuts) {
        return make_power_cuts(s, files, arena);
    }
    const cli_power_cut *cut = &a->cut;
    bool cuts = cut->operation || cut->step;
    BJ_TEXT(where, 80);
    bj_text_printf(&where, "%s %llu, state %u", cut->step ? "step" : "operation",
                   (unsigned long long) (cut->step ? cut->step : cut->operation), cut->outcome);
    s->count = files->count;
    s->cases = bj_arena_calloc(arena, files->count, sizeof *s->cases);
    for (size_t i = 0; i < files->count; i++) {
        s->cases[i] = (cli_case){ .file = files->names[i],
                                  .cut_operation = cut->operation,
                                  .cut_step = cut->step,
                                  .cut_outcome = cut->outcome,
                                  .cut_where = cuts ? bj_arena_strdup(arena, where.start) : NULL };
    }
    return true;
}

static int run_suite(const arguments *a, const cli_client *client, const cli_files *files, bj_arena *arena) {
    suite s = {
        .variants = a->variants,
        .jobs = (size_t) a->jobs,
        .fail_fast = a->fail_fast,
        .client = client,
        .options = { .attach = client->attach,
                     .profile = client->profile,
                     .seed = a->seed,
                     .real_limit_ms = a->limit_ms,
                     .preload = cli_preload_path(arena, a->preload),
                     .share_network = a->share_network,
                     .listen = "127.0.0.1" },
        .report = { .client = client,
                    .seed = a->seed,
                    .verbose = a->verbose,
                    .json = a->json,
                    .variants = a->variants,
                    .pcap = a->pcap,
                    .log = a->log },
    };
    if (client->attach == BJ_ATTACH_EXEC && !bj_run_fixes_addresses()) {
        cli_complain("a program cannot have the same addresses in every run here (personality: %s): what a client does "
                     "with its pointers may differ, verdicts of others hold",
                     strerror(errno));
    }
    if (!client->own && !a->no_canary && !cli_canary(&s.options)) {
        return CLI_COULD_NOT_RUN;
    }
    if (!make_cases(&s, a, files, arena)) {
        return CLI_COULD_NOT_RUN;
    }
    if (!cli_report_begin(&s.report, a->junit, a->report, s.count)) {
        return CLI_COULD_NOT_RUN;
    }
    run_all(&s);
    int status = cli_report_end(&s.report);
    if (cli_interrupted) {
        cli_complain("interrupted by signal %d; the clients that ran were ended", (int) cli_interrupted);
        return CLI_COULD_NOT_RUN;
    }
    return status;
}

int cli_run(int argc, char **argv) {
    arguments a;
    int status = parse(argc, argv, &a);
    if (status >= 0) {
        return status;
    }
    cli_catch_signals();
    cli_files files = { 0 };
    cli_client client;
    bj_arena *arena = cli_arena();
    bool good = cli_client_find(arena, a.client, &client);
    for (int i = optind; good && i < argc; i++) {
        good = cli_files_add(&files, argv[i]);
    }
    status = good ? run_suite(&a, &client, &files, arena) : CLI_COULD_NOT_RUN;
    cli_files_free(&files);
    bj_arena_unmap(arena);
    return status;
}
