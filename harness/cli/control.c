/* SPDX-License-Identifier: Apache-2.0
 *
 * `bootjack control`: another program scripts the servers of a run step by step. It writes a JSON object a line on
 * standard input and reads one a line from standard output; between two of them the world stands still.
 * docs/control-channel.md describes what they say.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "capture/capture.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/control_state.h"
#include "cli/control_wire.h"
#include "cli/report_forms.h"
#include "script/load.h"
#include "script/print.h"

enum { CONTROL_VERSION = 1 };

static const char help[] =
    "usage: bootjack control\n"
    "Lets another program script the servers of a run step by step, in virtual time: a JSON object a line on standard\n"
    "input, one a line in answer on standard output. Between two of them the world stands still. The objects are\n"
    "described in docs/control-channel.md; `from bootjack import World` is the same in Python.\n"
    "\n"
    "  --preload FILE   the preload library; also $BOOTJACK_PRELOAD_LIBRARY\n"
    "  -h, --help       this\n"
    "\n"
    "Exit status: 0 the input has ended, 2 it ended while a run was going on (which is ended, too) or nothing could "
    "be\n"
    "written, 64 wrong usage.\n";

/* One run, from `start` to the next one or the end. */
typedef struct run {
    bj_arena *arena; /* NULL: there is no run */
    bj_script *script;
    cli_client client;
    bj_run_options options;
    const char *name;
    bj_job *job;    /* until it is finished */
    cli_case one;   /* its result then */
    size_t told;    /* events before this place in the log were told */
    uint32_t steps; /* that were given */
    bool decode;
} run;

typedef struct control {
    bj_arena *arena; /* of the present request */
    control_request request;
    control_value id;
    const char *preload;
    control_input input;
    bool quit;
    run run;
} control;

/* --- the other side -------------------------------------------------------------------------------------------- */

/* Nobody is there to hear how the run goes on: the input has ended, and nothing waits to be read. */
static bool is_alone(const control *c) {
    struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
    char byte;
    if (cli_interrupted) {
        return true;
    }
    if (control_has_more(&c->input)) {
        return false;
    }
    if (poll(&input, 1, 0) <= 0) {
        return false;
    }
    if (input.revents & POLLIN) {
        return recv(STDIN_FILENO, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0; /* of a socket; a pipe's fails */
    }
    return input.revents & (POLLHUP | POLLERR);
}

static void refuse(const control *c, const char *why) {
    control_refuse(stdout, c->id, why, NULL);
}

static void end_reply(void) {
    fputs("}\n", stdout);
    fflush(stdout);
}

/* --- the run --------------------------------------------------------------------------------------------------- */

static void forget_run(run *r) {
    if (r->job) {
        bj_job_kill(r->job);
    }
    if (r->one.ran) {
        bj_run_release(&r->one.result);
    }
    if (r->arena) {
        bj_arena_unmap(r->arena);
    }
    *r = (run){ .arena = NULL };
}

static const bj_log *log_of(const run *r) {
    return r->job ? bj_job_log(r->job) : r->one.result.log;
}

/* Lets it go on until it asks for more, or is over. false: there is nobody to tell. */
static bool go_on(control *c) {
    run *r = &c->run;
    bj_time now, wake;
    while (!bj_job_finished(r->job) && !bj_job_asks(r->job, &now, &wake)) {
        bj_job_wait(&r->job, 1);
        if (is_alone(c)) {
            return false;
        }
    }
    if (bj_job_finished(r->job)) {
        bj_job_result(r->job, &r->one.result);
        r->one.ran = r->one.finished = true;
        r->job = NULL;
    }
    return true;
}

static void put_result(const run *r) {
    BJ_TEXT(again, 4200);
    bj_text_add(&again, "bootjack run ");
    cli_shell_word(&again, r->name);
    bj_text_add(&again, " --client ");
    cli_shell_word(&again, r->client.argument);
    bj_text_printf(&again, " --seed %llu -v", (unsigned long long) r->options.seed);
    const cli_report report = { .client = &r->client, .seed = r->options.seed, .again = again.start };
    fputs(",\"result\":", stdout);
    cli_json_case(stdout, &report, &r->one, false);
}

static void put_time(const char *name, bj_time time) {
    if (time == BJ_NEVER) {
        printf(",\"%s\":null", name);
    } else {
        printf(",\"%s\":%llu.%06llu", name, (unsigned long long) (time / BJ_SECOND),
               (unsigned long long) (time % BJ_SECOND));
    }
}

/* How things stand, and what happened since that was told last. */
static void tell(control *c) {
    run *r = &c->run;
    bj_time now = r->one.result.virtual_time, wake = BJ_NEVER;
    bool waits = r->job && bj_job_asks(r->job, &now, &wake);
    control_reply_begin(stdout, c->id, true);
    printf(",\"over\":%s", waits ? "false" : "true");
    put_time("now", now);
    put_time("wake", wake);
    fputs(",\"events\":[", stdout);
    cli_json_events(stdout, log_of(r), &r->told, ",", r->decode);
    fputs("]", stdout);
    if (r->one.ran) {
        put_result(r);
    }
    end_reply();
}

/* --- start ------------------------------------------------------------------------------------------------------ */

static bool read_options(control *c, run *r, bj_text *why) {
    const control_request *request = &c->request;
    const char *client = NULL;
    uint64_t seed = 1, limit = 0;
    r->name = "scenario.yaml";
    r->decode = true;
    bool share = false;
    if (!control_string(request, r->arena, "name", &r->name, why) ||
        !control_string(request, r->arena, "client", &client, why) ||
        !control_number(request, "seed", INT64_MAX, &seed, why) ||
        !control_number(request, "limit", 4000000, &limit, why) || !control_bool(request, "decode", &r->decode, why) ||
        !control_bool(request, "share-network", &share, why)) {
        return false;
    }
    if (!cli_client_find(r->arena, client, &r->client)) {
        bj_text_printf(why,
                       "client: there is none '%s': expected linked, linked:LIBRARY.so, exec:COMMAND, network:COMMAND, "
                       "a profile's file or name",
                       client ? client : "linked");
        return false;
    }
    r->options = (bj_run_options){ .attach = r->client.attach,
                                   .profile = r->client.profile,
                                   .seed = seed,
                                   .real_limit_ms = (unsigned) limit * 1000,
                                   .preload = cli_preload_path(r->arena, c->preload),
                                   .listen = "127.0.0.1",
                                   .share_network = share,
                                   .grows = true };
    return true;
}

static bool load_head(control *c, run *r) {
    control_value text = { NULL, 0 };
    BJ_TEXT(why, 400);
    bj_mistakes mistakes = { 0 };
    if (!control_text(&c->request, c->arena, "scenario", &text, &why)) {
        refuse(c, why.start);
        return false;
    }
    text = text.bytes ? text : (control_value){ "{}", 2 };
    r->script = bj_script_begin(r->arena, r->name, text.bytes, text.length, &mistakes);
    if (!r->script) {
        control_refuse(stdout, c->id, "the scenario has mistakes", &mistakes);
        return false;
    }
    const bj_record *head = bj_script_whole(r->script);
    r->one = (cli_case){ .file = r->name, .arena = r->arena, .scenario = head };
    r->one.title = bj_get_string(head, BJ_F(SCENARIO, TITLE), "");
    return true;
}

static void start(control *c) {
    BJ_TEXT(why, 400);
    forget_run(&c->run);
    run *r = &c->run;
    r->arena = cli_arena();
    if (!read_options(c, r, &why)) {
        refuse(c, why.start);
        forget_run(r);
        return;
    }
    if (!load_head(c, r)) {
        forget_run(r);
        return;
    }
    r->job = bj_job_start(r->arena, r->one.scenario, &r->options);
    if (go_on(c)) {
        tell(c);
    }
}

/* --- steps ------------------------------------------------------------------------------------------------------ */

/* Is there a run that goes on? Says so when there is none. */
static bool goes_on(const control *c) {
    BJ_TEXT(why, 2400);
    if (c->run.job) {
        return true;
    }
    if (c->run.one.ran) {
        bj_text_printf(&why, "the run is over (%s: %s); 'finish' gives its result",
                       bj_verdict_name(c->run.one.result.verdict), c->run.one.result.reason);
    } else {
        bj_text_add(&why, "there is no run: expected 'start' before this");
    }
    refuse(c, why.start);
    return false;
}

static void step(control *c) {
    run *r = &c->run;
    control_value text = { NULL, 0 };
    bj_mistakes mistakes = { 0 };
    uint64_t line = 0;
    BJ_TEXT(why, 400);
    if (!goes_on(c)) {
        return;
    }
    if (!control_text(&c->request, c->arena, "step", &text, &why) ||
        !control_number(&c->request, "line", (1 << 24) - 1, &line, &why)) {
        refuse(c, why.start);
        return;
    }
    if (!text.bytes) {
        refuse(c, "step: expected a step such as {\"finish\": {\"expect\": 2.04}}, or a list of steps");
        return;
    }
    bj_position position = { line ? (uint32_t) line : r->steps + 1, 1 };
    const bj_record *steps = bj_script_take(r->script, text.bytes, text.length, position, &mistakes);
    if (!steps) {
        control_refuse(stdout, c->id, "the step has mistakes", &mistakes);
        return;
    }
    r->steps++;
    bj_job_feed(r->job, BJ_FED_STEPS, steps);
    if (go_on(c)) {
        tell(c);
    }
}

/* --- the end of the script -------------------------------------------------------------------------------------- */

static void end_script(control *c, bj_fed how) {
    run *r = &c->run;
    bool there = r->job != NULL;
    if (there) {
        bj_job_feed(r->job, how, NULL);
    }
    if (!there || go_on(c)) {
        tell(c);
    }
}

static void heal(control *c) {
    if (goes_on(c)) {
        end_script(c, BJ_FED_END);
    }
}

static void finish(control *c) {
    bool healed = true;
    BJ_TEXT(why, 200);
    if (!control_bool(&c->request, "heal", &healed, &why)) {
        refuse(c, why.start);
    } else if (c->run.one.ran || goes_on(c)) {
        end_script(c, healed ? BJ_FED_END : BJ_FED_LEAVE);
    }
}

/* --- questions -------------------------------------------------------------------------------------------------- */

static bool has_run(const control *c) {
    if (!c->run.arena) {
        refuse(c, "there is no run: expected 'start' before this");
    }
    return c->run.arena != NULL;
}

static void state(control *c) {
    if (!has_run(c)) {
        return;
    }
    control_reply_begin(stdout, c->id, true);
    fputs(",\"state\":", stdout);
    control_state(stdout, log_of(&c->run));
    end_reply();
}

static void scenario(control *c) {
    if (!has_run(c)) {
        return;
    }
    bj_string text = bj_program_print(c->run.arena, bj_script_whole(c->run.script));
    control_reply_begin(stdout, c->id, true);
    fputs(",\"scenario\":", stdout);
    cli_json_string(stdout, text.bytes, text.length);
    end_reply();
}

static void capture(control *c) {
    const char *file = NULL;
    BJ_TEXT(why, 600);
    if (!has_run(c)) {
        return;
    }
    if (!control_string(&c->request, c->arena, "file", &file, &why)) {
        refuse(c, why.start);
    } else if (!file) {
        refuse(c, "file: expected the name of the file to write");
    } else if (!bj_capture_write(log_of(&c->run), file, &why)) {
        refuse(c, why.start);
    } else {
        control_reply_begin(stdout, c->id, true);
        end_reply();
    }
}

static void quit(control *c) {
    c->quit = true;
    control_reply_begin(stdout, c->id, true);
    end_reply();
}

/* --- requests --------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*handle)(control *c);
    const char *members[8];
} commands[] = {
    { "start", start, { "scenario", "name", "client", "seed", "limit", "decode", "share-network" } },
    { "step", step, { "step", "line" } },
    { "state", state, { NULL } },
    { "heal", heal, { NULL } },
    { "finish", finish, { "heal" } },
    { "scenario", scenario, { NULL } },
    { "capture", capture, { "file" } },
    { "quit", quit, { NULL } },
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static void unknown(const control *c, const char *name) {
    const char *names[COMMANDS + 1] = { NULL };
    BJ_TEXT(why, 400);
    bj_text_printf(&why, name ? "do: there is no '%.40s': expected " : "expected a member \"do\" that is one of ",
                   name);
    for (size_t i = 0; i < COMMANDS; i++) {
        names[i] = commands[i].name;
        bj_text_printf(&why, "%s%s", i ? ", " : "", names[i]);
    }
    const char *meant = name ? bj_nearest(names, name, strlen(name)) : NULL;
    if (meant) {
        bj_text_printf(&why, " (did you mean '%s'?)", meant);
    }
    refuse(c, why.start);
}

static void answer(control *c, const char *line, size_t length) {
    BJ_TEXT(why, 400);
    const char *name = NULL;
    c->id = (control_value){ NULL, 0 };
    if (!control_read(&c->request, c->arena, line, length, &why)) {
        refuse(c, why.start);
        return;
    }
    c->id = control_member(&c->request, "id");
    if (!control_string(&c->request, c->arena, "do", &name, &why)) {
        refuse(c, why.start);
        return;
    }
    for (size_t i = 0; name && i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) != 0) {
            continue;
        }
        if (control_only(&c->request, commands[i].members, &why)) {
            commands[i].handle(c);
        } else {
            refuse(c, why.start);
        }
        return;
    }
    unknown(c, name);
}

/* All that is asked, until the input ends. true: nothing was left half done. */
static bool converse(control *c) {
    const char *line;
    size_t length;
    printf("{\"bootjack\":\"control\",\"version\":%d,\"program\":\"%s\"}\n", CONTROL_VERSION, BOOTJACK_VERSION);
    fflush(stdout);
    while (!c->quit && !cli_interrupted && !ferror(stdout) && control_next_line(&c->input, &line, &length)) {
        c->arena = cli_arena();
        answer(c, line, length);
        bj_arena_unmap(c->arena);
    }
    free(c->input.bytes);
    return !c->run.job || c->quit;
}

static int parse(int argc, char **argv, control *c) {
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
            fputs(help, stdout);
            return CLI_PASSED;
        }
        if (!strcmp(argv[i], "--preload") && i + 1 < argc) {
            c->preload = argv[++i];
        } else {
            return cli_usage_error("control", "%s: unknown option, or its value is missing", argv[i]);
        }
    }
    return -1;
}

int cli_control(int argc, char **argv) {
    control c = { .quit = false };
    int status = parse(argc, argv, &c);
    if (status >= 0) {
        return status;
    }
    signal(SIGPIPE, SIG_IGN); /* whoever does not read any more is noticed where it is written to */
    cli_catch_signals();
    bool whole = converse(&c);
    forget_run(&c.run);
    if (!whole) {
        cli_complain("control: the other side is gone; its run was ended");
    }
    return whole ? CLI_PASSED : CLI_COULD_NOT_RUN;
}
