/* SPDX-License-Identifier: Apache-2.0
 *
 * See bench.h. Each device is looked after by a process of its own, at ports of its own, case after case. A result is
 * written as soon as it is there, so that a run that was stopped goes on where it was; the page comes from all of them.
 */
#define _GNU_SOURCE
#include "cli/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach/command.h"
#include "attach/fit.h"
#include "cli/cli.h"
#include "cli/door.h"
#include "cli/report.h"
#include "cli/report_forms.h"
#include "cli/scenarios.h"
#include "script/load.h"

static const char help[] =
    "usage: bootjack serve --suite PATH... --listen ADDRESS[:PORT] --report FOLDER (--interactive | --reset-cmd "
    "COMMAND)\n"
    "Plays the servers of one scenario after the other on real sockets, for devices that are restarted before each.\n"
    "\n"
    "  --suite PATH             a scenario, or all below a folder; may be given several times\n"
    "  --listen ADDRESS[:PORT]  where the bootstrap server of the first device listens; port 5683 if not given. The "
    "other\n"
    "                           servers of a scenario follow, and the next device begins 16 ports further on\n"
    "  --one-port               the bootstrap servers of all devices are reached at the port of --listen: who comes "
    "is\n"
    "                           told apart by its Endpoint Client Name or, as with DTLS and TCP it must be, by its "
    "address\n"
    "  --report FOLDER          results, a file a device, and the page. What stands there already is not run again\n"
    "  --device NAME[@ADDRESS]  Endpoint Client Name of a device, and with --one-port the address from which it comes; "
    "several\n"
    "                           times for several at once. dev-1 if not given\n"
    "  --profile CLIENT         what is known of the devices: `built-in` says what they are, so that scenarios which "
    "need\n"
    "                           another are skipped, and which hold-off and pre-shared key they have. Once for all, or "
    "once\n"
    "                           for each, in the order of --device\n"
    "  --interactive            says when the device is to be restarted, and waits for a line: Enter goes on, s leaves "
    "the\n"
    "                           case out, q stops\n"
    "  --reset-cmd COMMAND      a command of the shell that restarts the device and ends; $BOOTJACK_DEVICE,\n"
    "                           $BOOTJACK_SCENARIO and $BOOTJACK_SERVER (the bootstrap server's address and port) tell "
    "it\n"
    "                           what for\n"
    "  --limit SECONDS          gives a case up after so much time; 900 if not given\n"
    "  --seed N                 as for `bootjack run`\n"
    "  -h, --help               this\n"
    "\n"
    "Exit status: 0 all passed, 1 some failed, 2 could not run or was stopped, 64 wrong usage.\n";

enum { DEVICES = 64, PORTS = 16 };

typedef struct bench {
    cli_files files;
    cli_client clients[DEVICES]; /* one for all devices, or one for each */
    bj_addr listen;
    uint32_t interface;
    bool interactive, one_port;
    const char *listen_text, *reset, *folder;
    const char *profiles[DEVICES];
    const char *devices[DEVICES];
    bj_addr addresses[DEVICES]; /* of the devices; family 0: not known */
    size_t device_count, profile_count;
    uint64_t seed;
    unsigned limit_ms;
} bench;

/* --- the command line ----------------------------------------------------------------------------------------- */

static const struct option long_options[] = {
    { "suite", required_argument, NULL, 'S' },  { "listen", required_argument, NULL, 'l' },
    { "one-port", no_argument, NULL, 'o' },     { "report", required_argument, NULL, 'R' },
    { "device", required_argument, NULL, 'd' }, { "profile", required_argument, NULL, 'c' },
    { "interactive", no_argument, NULL, 'i' },  { "reset-cmd", required_argument, NULL, 'r' },
    { "limit", required_argument, NULL, 'L' },  { "seed", required_argument, NULL, 's' },
    { "help", no_argument, NULL, 'h' },         { NULL, 0, NULL, 0 },
};

/* NAME or NAME@ADDRESS. */
static int take_device(bench *b, char *name) {
    char *at = strchr(name, '@');
    if (b->device_count == DEVICES) {
        return cli_usage_error("serve", "at most %d devices", DEVICES);
    }
    if (at) {
        *at++ = '\0';
    }
    if (!*name || name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:_-")]) {
        return cli_usage_error("serve", "--device %s: expected letters, digits and . : _ -", name);
    }
    bj_addr *address = &b->addresses[b->device_count];
    if (at && !bj_addr_parse(at, strlen(at), address)) {
        return cli_usage_error("serve", "--device %s@%s: expected an IPv4 or IPv6 address behind the @", name, at);
    }
    b->devices[b->device_count++] = name;
    return -1;
}

static int take_profile(bench *b, const char *profile) {
    if (b->profile_count == DEVICES) {
        return cli_usage_error("serve", "at most %d profiles", DEVICES);
    }
    b->profiles[b->profile_count++] = profile;
    return -1;
}

static int take_listen(bench *b, const char *text) {
    b->listen_text = text;
    int status = cli_take_listen("serve", text, &b->listen, &b->interface);
    return status >= 0 || b->listen.port ? status
                                         : cli_usage_error("serve", "--listen %s: expected ADDRESS:PORT", text);
}

static int take_option(void *context, int option) {
    bench *b = context;
    switch (option) {
    case 'S':
        return cli_files_add(&b->files, optarg) ? -1 : CLI_COULD_NOT_RUN;
    case 'l':
        return take_listen(b, optarg);
    case 'o':
        b->one_port = true;
        return -1;
    case 'R':
        b->folder = optarg;
        return -1;
    case 'd':
        return take_device(b, optarg);
    case 'c':
        return take_profile(b, optarg);
    case 'i':
        b->interactive = true;
        return -1;
    case 'r':
        b->reset = optarg;
        return -1;
    case 'L':
        return cli_take_limit("serve", optarg, &b->limit_ms);
    case 's':
        return cli_take_seed("serve", optarg, &b->seed);
    default:
        fputs(help, stdout);
        return CLI_PASSED;
    }
}

static bool is_unspecified(const bj_addr *address) {
    static const uint8_t zero[16];
    return memcmp(address->ip, zero, address->family == 4 ? 4 : 16) == 0;
}

/* The door takes the first of the ports, and the devices those behind. */
static unsigned port_of(const bench *b, size_t index) {
    return b->listen.port + (unsigned) (index + b->one_port) * PORTS;
}

static int check(bench *b) {
    if (!b->listen_text || !b->folder) {
        return cli_usage_error("serve", "--suite needs --listen and --report");
    }
    if (!b->interactive == !b->reset) {
        return cli_usage_error("serve", "--suite needs one of --interactive and --reset-cmd");
    }
    if (b->interactive && b->device_count > 1) {
        return cli_usage_error("serve", "several devices at once need --reset-cmd");
    }
    if (b->one_port && is_unspecified(&b->listen)) {
        return cli_usage_error("serve", "--one-port needs an address of this machine in --listen");
    }
    if (b->one_port && b->interface) {
        return cli_usage_error("serve", "--one-port needs an address that is not link-local in --listen");
    }
    if (b->profile_count > 1 && b->profile_count != b->device_count) {
        return cli_usage_error("serve", "--profile is given once, or once for each --device");
    }
    b->devices[0] = b->device_count ? b->devices[0] : "dev-1";
    b->device_count += !b->device_count;
    unsigned last = port_of(b, b->device_count - 1);
    return last <= UINT16_MAX ? -1
                              : cli_usage_error("serve",
                                                "--listen %s: the last device would begin at port %u, behind the "
                                                "last there is, %d (each begins %d further on)",
                                                b->listen_text, last, UINT16_MAX, PORTS);
}

static int parse(int argc, char **argv, bench *b) {
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) { /* whatever else is wrong */
            fputs(help, stdout);
            return CLI_PASSED;
        }
    }
    int status = cli_read_options("serve", argc, argv, "h", long_options, take_option, b);
    if (status >= 0) {
        return status;
    }
    return optind == argc ? check(b)
                          : cli_usage_error("serve", "%s: with --suite, each path needs its own", argv[optind]);
}

/* --- results -------------------------------------------------------------------------------------------------- */

/* One device and its file of results. */
typedef struct device {
    const bench *bench;
    const char *name;
    cli_client client; /* whose argument is the device's name */
    uint16_t port;
    bool nameless; /* it is known to the door by its name alone, which only CoAP over UDP shows */
    FILE *results;
    char file[4096];
    unsigned failed, not_run;
} device;

static bool is_error(const char *line) {
    return strstr(line, "\"verdict\":\"error\",\"script") != NULL;
}

/* What stands in the file of a bench before: but for what could not be run, which is tried again, and a line that was
 * not written to its end and says nothing. */
static bool keep_results(const char *file, FILE *kept) {
    FILE *results = fopen(file, "re");
    char *line = NULL;
    size_t space = 0;
    for (ssize_t length; results && (length = getline(&line, &space, results)) > 0;) {
        if (line[length - 1] == '\n' && !is_error(line)) {
            fwrite(line, 1, (size_t) length, kept);
        }
    }
    bool read = results ? !ferror(results) : errno == ENOENT;
    free(line);
    if (results) {
        fclose(results);
    }
    return read;
}

static bool clean_results(const char *file) {
    char name[4200];
    snprintf(name, sizeof name, "%s.new", file);
    FILE *kept = fopen(name, "we");
    if (!kept) {
        return false;
    }
    bool good = keep_results(file, kept);
    good = cli_close_file(kept) && good && rename(name, file) == 0;
    if (!good) {
        int problem = errno;
        remove(name);
        errno = problem;
    }
    return good;
}

static bool open_results(device *d) {
    snprintf(d->file, sizeof d->file, "%s/%s.jsonl", d->bench->folder, d->name);
    d->results = clean_results(d->file) ? fopen(d->file, "a+e") : NULL;
    if (!d->results) {
        cli_complain("%s: %s", d->file, strerror(errno));
        return false;
    }
    return true;
}

/* Is there a result of this scenario? Those that failed count for the exit status. */
static bool is_done(device *d, const char *scenario) {
    char room[8192];
    bj_text start = bj_text_over(room, sizeof room);
    bj_text_add(&start, "{\"scenario\":");
    bj_text_json_string(&start, scenario, strlen(scenario));
    bj_text_add(&start, ",");
    char *line = NULL;
    size_t space = 0;
    bool done = false;
    rewind(d->results);
    while (!done && getline(&line, &space, d->results) >= 0) {
        done = strncmp(line, start.start, start.used) == 0;
    }
    d->failed += done && strstr(line, "\"verdict\":\"fail\",\"script");
    free(line);
    fseek(d->results, 0, SEEK_END);
    return done;
}

static void keep_result(device *d, const cli_case *one, size_t number) {
    BJ_TEXT(again, 4096);
    bj_text_printf(&again, "%s serve %s --listen %s --seed %llu", program_invocation_name, one->file,
                   d->bench->listen_text, (unsigned long long) d->bench->seed);
    cli_report report = { .client = &d->client, .seed = d->bench->seed, .again = again.start };
    cli_json_case(d->results, &report, one, true);
    putc('\n', d->results);
    if (fflush(d->results) != 0 || fdatasync(fileno(d->results)) != 0) {
        cli_complain("%s: %s", d->file, strerror(errno));
    }
    d->failed += one->result.verdict == BJ_FAIL;
    d->not_run += one->result.verdict == BJ_ERROR;
    printf("%s: %zu of %zu: %s %s%s%s\n", d->name, number, d->bench->files.count, bj_verdict_name(one->result.verdict),
           one->file, one->result.verdict == BJ_PASS ? "" : ": ",
           one->result.verdict == BJ_PASS ? "" : one->result.reason);
    fflush(stdout);
}

/* --- what the device cannot be told --------------------------------------------------------------------------- */

/* A profile that is told what every device on a bench has been told: its server, its name, its key. */
static const bj_record *told(bj_arena *arena, const bj_record *profile) {
    static const bj_string words[] = {
        { "device", 6 }, { "{bs_uri}", 8 }, { "{endpoint}", 10 }, { "?{identity} {key}", 17 }
    };
    bool key = bj_get(bj_get_record(profile, BJ_F(PROFILE, BUILT_IN)), BJ_F(BUILT_IN, KEY)) != NULL;
    bj_record *copy = bj_record_copy(arena, profile);
    bj_value command = { .type = BJ_T_STRINGS, .as.strings = { words, key ? 4 : 3 } };
    bj_set(arena, copy, BJ_F(PROFILE, COMMAND), &command);
    return copy;
}

/* What cannot be read before a server has answered names no device. */
static void check_door(const device *d, const bj_record *bootstrap, bj_text *reason) {
    const char *uri = bj_get_string(bootstrap, BJ_F(ACCOUNT, URI), "");
    size_t scheme = strcspn(uri, ":");
    if (d->nameless && uri[scheme] && !(scheme == 4 && strncmp(uri, "coap", 4) == 0)) {
        bj_text_printf(reason,
                       "at one port, a device that comes with %.*s is known by its address alone: --device %s@ADDRESS",
                       (int) scheme, uri, d->name);
    }
}

/* false: the case is skipped, for this reason. */
static bool fits(const device *d, cli_case *one) {
    BJ_TEXT(reason, 1024);
    const bj_record *profile = d->client.profile;
    const bj_record *scenario = bj_fit_adapt(one->arena, profile, one->scenario);
    const bj_record *bootstrap =
        bj_get_record(bj_get_record(scenario, BJ_F(SCENARIO, CLIENT)), BJ_F(CLIENT, BOOTSTRAP));
    bool plain = bj_get_uint(bootstrap, BJ_F(ACCOUNT, SECURITY), 3) == 3;
    bool has_key = bj_get(bj_get_record(profile, BJ_F(PROFILE, BUILT_IN)), BJ_F(BUILT_IN, KEY)) != NULL;
    check_door(d, bootstrap, &reason);
    if (!reason.used && plain && has_key) {
        bj_text_add(&reason, "the device's bootstrap account has a pre-shared key, that of the scenario has none");
    } else if (!reason.used) {
        bj_run_command(one->arena, told(one->arena, profile), scenario, &reason);
    }
    one->result.verdict = one->result.script_verdict = BJ_SKIP;
    one->result.reason = bj_arena_strndup(one->arena, reason.start, reason.used);
    return reason.used == 0;
}

/* --- the restart ---------------------------------------------------------------------------------------------- */

typedef enum answer { GO_ON = 0, LEAVE_OUT = 1, STOP = 2 } answer;

static answer ask_operator(const device *d, const cli_case *one, size_t number) {
    char line[100];
    fprintf(stderr,
            "%s: %zu of %zu: %s\nRestart the device, as it left the factory, and press Enter (s: leave out, q: stop) ",
            d->name, number, d->bench->files.count, one->title);
    if (!fgets(line, sizeof line, stdin) || *line == 'q') {
        return STOP;
    }
    return *line == 's' ? LEAVE_OUT : GO_ON;
}

/* What the look at the log finds: where the servers are. */
typedef struct waiting {
    const device *device;
    const cli_case *one;
    size_t cursor;
    bool started; /* the reset command */
    pid_t reset;
    char server[128];
} waiting;

static pid_t start_reset(const waiting *w) {
    pid_t process = fork();
    if (process == 0) {
        setpgid(0, 0);
        setenv("BOOTJACK_DEVICE", w->device->name, 1);
        setenv("BOOTJACK_SCENARIO", w->one->file, 1);
        setenv("BOOTJACK_SERVER", w->server, 1);
        execl("/bin/sh", "sh", "-c", w->device->bench->reset, (char *) NULL);
        _exit(127);
    }
    return process;
}

/* The device is told of the port that all share. */
static void name_door(waiting *w) {
    BJ_TEXT(address, 64);
    bj_addr_print(&address, &w->device->bench->listen);
    snprintf(w->server, sizeof w->server, "%s", address.start);
}

/* The first server says where it listens as soon as it does: then the device can be restarted. */
static void look(void *context, const bj_log *log) {
    waiting *w = context;
    bj_event event;
    while (log && !w->started && bj_log_next(log, &w->cursor, &event)) {
        const char *at = event.kind == BJ_EV_NOTE && event.actor == BJ_ACTOR_SERVER_0 && event.text
                             ? memmem(event.text, event.text_length, " listens on ", 12)
                             : NULL;
        if (at) {
            int length = (int) (event.text + event.text_length - at - 12);
            snprintf(w->server, sizeof w->server, "%.*s", length, at + 12);
            if (w->device->bench->one_port) {
                name_door(w);
            }
            w->started = true;
            w->reset = w->device->bench->reset ? start_reset(w) : 0;
        }
    }
}

/* true: it has failed, which is said. */
static bool reset_failed(waiting *w) {
    int status = 0;
    if (w->reset <= 0 || waitpid(w->reset, &status, WNOHANG) != w->reset) {
        return w->reset < 0;
    }
    w->reset = 0;
    if (status != 0) {
        cli_complain("%s: the reset command ended with status %d", w->device->name,
                     WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    }
    return status != 0;
}

/* --- a case --------------------------------------------------------------------------------------------------- */

/* false: stopped, or the device cannot be restarted. */
static bool play(device *d, cli_case *one) {
    BJ_TEXT(address, 64);
    bj_addr host = d->bench->listen;
    host.port = 0;
    bj_addr_print(&address, &host);
    waiting w = { .device = d, .one = one };
    bj_run_options options = { .attach = BJ_ATTACH_NETWORK,
                               .profile = d->client.profile,
                               .seed = d->bench->seed,
                               .real_limit_ms = d->bench->limit_ms,
                               .listen = address.start,
                               .interface = d->bench->interface,
                               .port = d->port,
                               .serve = true,
                               .look = look,
                               .look_context = &w };
    bj_job *job = bj_job_start(one->arena, one->scenario, &options);
    bool lost = false;
    while (!bj_job_finished(job) && !cli_interrupted && !lost) {
        bj_job_wait(&job, 1);
        lost = reset_failed(&w);
    }
    if (w.reset > 0) {
        waitpid(w.reset, NULL, WNOHANG);
    }
    if (!bj_job_finished(job)) {
        bj_job_kill(job);
        return false;
    }
    bj_job_result(job, &one->result);
    one->ran = one->finished = true;
    cli_apply_deviation(&d->client, one);
    return true;
}

/* false: the device's suite ends here. */
static bool run_case(device *d, cli_case *one, size_t number) {
    one->scenario = cli_load(one->arena, BJ_K_SCENARIO, one->file);
    if (!one->scenario) {
        return false;
    }
    one->title = bj_get_string(one->scenario, BJ_F(SCENARIO, TITLE), "");
    one->scenario = bj_fit_endpoint(one->arena, d->name, one->scenario);
    bool runs = fits(d, one);
    answer said = runs && d->bench->interactive ? ask_operator(d, one, number) : GO_ON;
    if (said == STOP || (said == GO_ON && runs && !play(d, one))) {
        return false;
    }
    one->result.reason = said == LEAVE_OUT ? "the operator left it out" : one->result.reason;
    keep_result(d, one, number);
    if (one->ran) {
        bj_run_release(&one->result);
    }
    return true;
}

/* --- the devices ---------------------------------------------------------------------------------------------- */

static int run_device(const bench *b, size_t index) {
    device d = { .bench = b, .name = b->devices[index], .client = b->clients[b->profile_count > 1 ? index : 0] };
    d.port = (uint16_t) port_of(b, index);
    d.nameless = b->one_port && b->device_count > 1 && !b->addresses[index].family;
    d.client.argument = d.name;
    bool going = open_results(&d);
    for (size_t i = 0; going && i < b->files.count && !cli_interrupted; i++) {
        if (!is_done(&d, b->files.names[i])) {
            cli_case one = { .file = b->files.names[i], .arena = cli_arena() };
            going = run_case(&d, &one, i + 1);
            bj_arena_unmap(one.arena);
        }
    }
    if (d.results) {
        fclose(d.results);
    }
    if (!going || cli_interrupted) {
        cli_complain("%s: stopped; the same command goes on from here", d.name);
        return CLI_COULD_NOT_RUN;
    }
    return d.not_run ? CLI_COULD_NOT_RUN : d.failed ? CLI_FAILED : CLI_PASSED;
}

/* Whoever stops the bench by its process alone, as a service manager does, stops all devices. */
static void pass_on(const pid_t *processes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (processes[i] > 0) {
            kill(processes[i], SIGTERM);
        }
    }
}

/* The worst exit status of them all. */
static int wait_for(pid_t *processes, size_t count) {
    enum { LOOK_MS = 100 };
    bool passed_on = false;
    int worst = CLI_PASSED;
    for (size_t i = 0; i < count;) {
        int status = 0;
        pid_t ended = processes[i] > 0 ? waitpid(processes[i], &status, WNOHANG) : -1;
        if (ended == 0) {
            if (cli_interrupted && !passed_on) {
                pass_on(processes, count);
                passed_on = true;
            }
            poll(NULL, 0, LOOK_MS);
            continue;
        }
        int one = ended > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : CLI_COULD_NOT_RUN;
        worst = one > worst ? one : worst;
        processes[i++] = 0;
    }
    return worst;
}

static int run_devices(const bench *b) {
    pid_t processes[DEVICES], parent = getpid();
    if (b->device_count == 1) {
        return run_device(b, 0);
    }
    fflush(NULL);
    for (size_t i = 0; i < b->device_count; i++) {
        processes[i] = fork();
        if (processes[i] == 0) {
            prctl(PR_SET_PDEATHSIG, SIGTERM);
            exit(getppid() == parent ? run_device(b, i) : CLI_COULD_NOT_RUN);
        }
    }
    return wait_for(processes, b->device_count);
}

static int run_behind_door(const bench *b) {
    cli_door_device devices[DEVICES];
    for (size_t i = 0; i < b->device_count; i++) {
        devices[i] =
            (cli_door_device){ .name = b->devices[i], .port = (uint16_t) port_of(b, i), .address = b->addresses[i] };
    }
    pid_t door = cli_door_open(&b->listen, devices, b->device_count);
    int status = door < 0 ? CLI_COULD_NOT_RUN : run_devices(b);
    cli_door_close(door);
    return status;
}

static int make_page(const bench *b) {
    char files[DEVICES][4096];
    const char *arguments[DEVICES + 4] = { "report" };
    int count = 1;
    for (size_t i = 0; i < b->device_count; i++) {
        snprintf(files[i], sizeof files[i], "%s/%s.jsonl", b->folder, b->devices[i]);
        struct stat about;
        if (stat(files[i], &about) == 0 && about.st_size > 0) {
            arguments[count++] = files[i];
        }
    }
    if (count == 1) {
        return CLI_PASSED;
    }
    arguments[count++] = "-o";
    arguments[count++] = b->folder;
    return cli_report_page(count, arguments);
}

/* false: there is none, which was said. */
static bool find_clients(bj_arena *arena, bench *b) {
    bool found = true;
    for (size_t i = 0; found && i < (b->profile_count ? b->profile_count : 1); i++) {
        found = cli_client_find(arena, b->profiles[i], &b->clients[i]);
    }
    return found;
}

int cli_bench(int argc, char **argv) {
    static bench b;
    b = (bench){ .seed = 1, .limit_ms = 900000 };
    int status = parse(argc, argv, &b);
    if (status >= 0) {
        cli_files_free(&b.files);
        return status;
    }
    cli_catch_signals();
    bj_arena *arena = cli_arena();
    status = CLI_COULD_NOT_RUN;
    if (mkdir(b.folder, 0777) != 0 && errno != EEXIST) {
        cli_complain("%s: %s", b.folder, strerror(errno));
    } else if (find_clients(arena, &b)) {
        status = b.one_port ? run_behind_door(&b) : run_devices(&b);
        int page = make_page(&b);
        status = page != CLI_PASSED ? CLI_COULD_NOT_RUN : status;
    }
    bj_arena_unmap(arena);
    cli_files_free(&b.files);
    return status;
}
