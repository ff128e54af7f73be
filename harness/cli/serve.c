/* SPDX-License-Identifier: Apache-2.0
 *
 * `bootjack serve`: the servers of one scenario on real sockets, in real time, for a client that somebody else starts.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/conversation.h"
#include "capture/capture.h"
#include "cli/bench.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/report.h"
#include "script/load.h"

static const char help[] =
    "usage: bootjack serve SCENARIO --listen ADDRESS[:PORT] [OPTION...]\n"
    "       bootjack serve --suite PATH... (a whole suite, for devices on a bench: bootjack serve --suite . --help)\n"
    "Plays the scenario's servers on real sockets and waits for a client. Says on standard error which server listens\n"
    "where: the first server of the scenario at PORT, the others at the ports that follow (PORT 0: any free ones).\n"
    "URIs that are written to the client point there. The verdict is as for `bootjack run`. The scenario's clock "
    "begins\n"
    "with the client's first message, at the hold-off that the scenario tells it, where the scenario awaits one "
    "first.\n"
    "\n"
    "  --listen ADDRESS[:PORT]  where the servers listen; port 5683 if not given. 0.0.0.0 or [::] are all addresses; "
    "a\n"
    "                           link-local one needs its interface, [fe80::1%eth0]:5683\n"
    "  --profile CLIENT         what is known of the client: a profile's file or name, as for `bootjack run --client`\n"
    "  --seed N                 seed of the servers' tokens and Message IDs, 1 if not given\n"
    "  -v, --verbose            the conversation, while it goes on\n"
    "  --json                   the result as a JSON object; with -v, with all events\n"
    "  --pcap FILE              the conversation as a capture\n"
    "  --limit SECONDS          gives up after so much time; no limit if not given\n"
    "  -h, --help               this\n"
    "\n"
    "Exit status: 0 passed, 1 failed, 2 could not run, 64 wrong usage.\n";

typedef struct arguments {
    const char *scenario;
    bj_addr listen;
    uint32_t interface;
    const char *listen_text;
    const char *profile, *pcap;
    uint64_t seed;
    bool verbose, json;
    unsigned limit_ms;
} arguments;

/* What is printed while it goes on. */
typedef struct live {
    size_t cursor;
    bool verbose;
    bool unread; /* nobody reads it any more */
    bj_conversation *conversation;
} live;

/* --- the command line ----------------------------------------------------------------------------------------- */

static const struct option long_options[] = {
    { "listen", required_argument, NULL, 'l' },
    { "profile", required_argument, NULL, 'c' },
    { "seed", required_argument, NULL, 's' },
    { "verbose", no_argument, NULL, 'v' },
    { "json", no_argument, NULL, 'J' },
    { "pcap", required_argument, NULL, 'p' },
    { "limit", required_argument, NULL, 'L' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static int take_option(void *context, int option) {
    arguments *a = context;
    switch (option) {
    case 'l':
        a->listen_text = optarg;
        return cli_take_listen("serve", optarg, &a->listen, &a->interface);
    case 'c':
        a->profile = optarg;
        return -1;
    case 's':
        return cli_take_seed("serve", optarg, &a->seed);
    case 'v':
        a->verbose = true;
        return -1;
    case 'J':
        a->json = true;
        return -1;
    case 'p':
        a->pcap = optarg;
        return -1;
    case 'L':
        return cli_take_limit("serve", optarg, &a->limit_ms);
    default:
        fputs(help, stdout);
        return CLI_PASSED;
    }
}

static int parse(int argc, char **argv, arguments *a) {
    *a = (arguments){ .seed = 1 };
    int status = cli_read_options("serve", argc, argv, "vh", long_options, take_option, a);
    if (status >= 0) {
        return status;
    }
    if (optind + 1 != argc) {
        return cli_usage_error("serve", "expected one scenario");
    }
    a->scenario = argv[optind];
    return a->listen_text ? -1 : cli_usage_error("serve", "--listen is missing");
}

/* --- the live view -------------------------------------------------------------------------------------------- */

static void show(live *view, const bj_log *log, const bj_event *event) {
    if (event->kind == BJ_EV_NOTE && event->actor >= BJ_ACTOR_SERVER_0) {
        fprintf(stderr, "%.*s\n", (int) event->text_length, event->text);
        return;
    }
    if (!view->verbose) {
        return;
    }
    if (!view->conversation) {
        view->conversation = bj_conversation_new(log); /* the actors stand before anything else */
    }
    BJ_TEXT(line, 4096);
    if (view->conversation && bj_conversation_line(view->conversation, event, &line)) {
        cli_put(stdout, line.start);
        putchar('\n');
    }
}

static void look(void *context, const bj_log *log) {
    live *view = context;
    bj_event event;
    while (log && bj_log_next(log, &view->cursor, &event)) {
        show(view, log, &event);
    }
    view->unread |= fflush(stdout) != 0 && errno == EPIPE;
}

/* --- the run -------------------------------------------------------------------------------------------------- */

static int report_result(const arguments *a, const cli_client *client, cli_case *one) {
    BJ_TEXT(again, 4096);
    bj_text_printf(&again, "%s serve %s --listen %s --seed %llu", program_invocation_name, a->scenario, a->listen_text,
                   (unsigned long long) a->seed);
    cli_report report = {
        .client = client,
        .seed = a->seed,
        .verbose = a->verbose && a->json,
        .json = a->json,
        .again = again.start,
        .pcap = a->pcap,
    };
    if (!cli_report_begin(&report, NULL, NULL, 1)) {
        return CLI_COULD_NOT_RUN;
    }
    cli_report_case(&report, one);
    return cli_report_end(&report);
}

/* Who stops a device that hangs wants to see what it did, and so does who reads no more of what is printed. */
static void keep_conversation(const arguments *a, const bj_job *job) {
    BJ_TEXT(why, 512);
    if (a->pcap && bj_job_log(job) && !bj_capture_write(bj_job_log(job), a->pcap, &why)) {
        cli_complain("%s", why.start);
    }
}

static int serve(const arguments *a, const cli_client *client, cli_case *one) {
    BJ_TEXT(address, 64);
    bj_addr host = a->listen;
    host.port = 0;
    bj_addr_print(&address, &host);
    live view = { .verbose = a->verbose && !a->json };
    bj_run_options options = {
        .attach = BJ_ATTACH_NETWORK,
        .profile = client->profile,
        .seed = a->seed,
        .real_limit_ms = a->limit_ms,
        .listen = address.start,
        .interface = a->interface,
        .port = a->listen.port,
        .serve = true,
        .starts_unseen = true,
        .look = look,
        .look_context = &view,
    };
    bj_job *job = bj_job_start(one->arena, one->scenario, &options);
    while (!bj_job_finished(job) && !cli_interrupted && !view.unread) {
        bj_job_wait(&job, 1);
    }
    if (cli_interrupted || !bj_job_finished(job)) {
        keep_conversation(a, job);
        bj_job_kill(job);
        bj_conversation_free(view.conversation);
        if (cli_interrupted) {
            cli_complain("interrupted by signal %d", (int) cli_interrupted);
        }
        return CLI_COULD_NOT_RUN;
    }
    bj_job_result(job, &one->result);
    one->ran = one->finished = true;
    look(&view, one->result.log);
    bj_conversation_free(view.conversation);
    int status = report_result(a, client, one);
    bj_run_release(&one->result);
    return status;
}

static bool is_suite(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--suite", 7) == 0) {
            return true;
        }
    }
    return false;
}

int cli_serve(int argc, char **argv) {
    arguments a;
    if (is_suite(argc, argv)) {
        return cli_bench(argc, argv);
    }
    int status = parse(argc, argv, &a);
    if (status >= 0) {
        return status;
    }
    cli_catch_signals();
    signal(SIGPIPE, SIG_IGN); /* whoever does not read any more is noticed where it is written to */
    cli_case one = { .file = a.scenario, .arena = cli_arena() };
    cli_client client;
    one.scenario = cli_load(one.arena, BJ_K_SCENARIO, a.scenario);
    status = CLI_COULD_NOT_RUN;
    if (one.scenario && cli_client_find(one.arena, a.profile, &client) && (!a.pcap || cli_can_write(a.pcap))) {
        one.title = bj_get_string(one.scenario, BJ_F(SCENARIO, TITLE), "");
        status = serve(&a, &client, &one);
    }
    bj_arena_unmap(one.arena);
    return status;
}
