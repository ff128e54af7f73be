/* SPDX-License-Identifier: Apache-2.0
 *
 * `bootjack COMMAND ...`: finds the command. Data goes to standard output, everything else to standard error; exit
 * statuses are those of cli.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/capture.h"
#include "capture/field.h"
#include "capture/script.h"
#include "cli/cli.h"
#include "script/load.h"

typedef struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *about;
} command;

static int report_main(int argc, char **argv) {
    return cli_report_page(argc, (const char *const *) argv);
}

static const command commands[] = {
    { "run", cli_run, "run scenarios against a client, in virtual time" },
    { "serve", cli_serve, "play a scenario's servers on real sockets, for a client on the network" },
    { "client", cli_client_command, "write a profile for a client, and prove it" },
    { "control", cli_control, "servers that another program scripts step by step (docs/control-channel.md)" },
    { "minimise", cli_minimise, "make a scenario small in which a client crashes or hangs" },
    { "check", bj_check_main, "check scenario files without running them" },
    { "program", bj_program_main, "a scenario's byte form, and back" },
    { "report", report_main, "the page of a report from results; what changed between two runs" },
    { "bench-server", cli_bench_server, "what a real Bootstrap-Server does with many clients, and with bad ones" },
    { "decode", bj_decode_main, "print the CoAP messages of a capture" },
    { "from-capture", bj_from_capture_main, "a scenario of what a client did in a capture" },
    { "replay", cli_replay, "what a client did in a capture, played again to a client; both side by side" },
    { "judge", bj_judge_main, "the rules that a client broke, by a capture alone" },
};

enum { COMMANDS = sizeof commands / sizeof *commands };

/* Commands of bootjack-fuzz, the program beside this one, which is built upon it. */
static const command of_fuzzing[] = {
    { "triage", NULL, "put findings of fuzzing in order, and make each small (bootjack-fuzz triage)" },
    { "search", NULL, "every sequence of a few events (bootjack-fuzz search)" },
    { "foreign", NULL, "session fuzzing of an unmodified program (bootjack-fuzz foreign)" },
};

enum { OF_FUZZING = sizeof of_fuzzing / sizeof *of_fuzzing };

static void help(FILE *stream) {
    fputs("usage: bootjack COMMAND [ARGUMENT...]\n"
          "Tests what an LwM2M client does while it is being bootstrapped.\n\n",
          stream);
    for (size_t i = 0; i < COMMANDS; i++) {
        fprintf(stream, "  %-12s  %s\n", commands[i].name, commands[i].about);
    }
    for (size_t i = 0; i < OF_FUZZING; i++) {
        fprintf(stream, "  %-12s  %s\n", of_fuzzing[i].name, of_fuzzing[i].about);
    }
    fputs("\n  --help, -h     this; after a command: that command's help\n"
          "  --version      the version\n\n"
          "Exit status: 0 all passed, 1 some failed, 2 could not run, 64 wrong usage.\n",
          stream);
}

volatile sig_atomic_t cli_interrupted;

static void interrupt(int number) {
    cli_interrupted = number;
}

void cli_catch_signals(void) {
    struct sigaction action = { .sa_handler = interrupt };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

void cli_complain(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("bootjack: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

int cli_usage_error(const char *name, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "bootjack %s: ", name);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\nTry 'bootjack %s --help'.\n", name);
    va_end(arguments);
    return CLI_USAGE;
}

bool cli_parse_u64(const char *text, uint64_t least, uint64_t most, uint64_t *number) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 0);
    if (errno || end == text || *end || *text == '-' || value < least || value > most) {
        return false;
    }
    *number = value;
    return true;
}

bool cli_parse_seconds(const char *text, unsigned *milliseconds) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= 0.001) || value > 4e6) {
        return false;
    }
    *milliseconds = (unsigned) (value * 1000 + 0.5);
    return true;
}

/* Where there is no such file yet its folder says. */
static bool folder_takes(const char *file) {
    const char *slash = strrchr(file, '/');
    char *folder = slash ? strndup(file, (size_t) (slash - file) + 1) : strdup(".");
    bool good = *file && folder && access(folder, W_OK | X_OK) == 0;
    int error = errno;
    free(folder);
    errno = error;
    return good;
}

bool cli_can_write(const char *file) {
    int descriptor = open(file, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor >= 0) {
        close(descriptor);
        return true;
    }
    if (errno == ENXIO || (errno == ENOENT && folder_takes(file))) { /* a pipe that nobody reads yet */
        return true;
    }
    cli_complain("%s: %s", file, strerror(errno));
    return false;
}

const char *cli_preload_path(bj_arena *arena, const char *given) {
    const char *named = given ? given : getenv("BOOTJACK_PRELOAD_LIBRARY");
    char own[4096];
    ssize_t length = named ? -1 : readlink("/proc/self/exe", own, sizeof own - 1);
    if (named) {
        char *whole = realpath(named, NULL);
        named = bj_arena_strdup(arena, whole ? whole : named);
        free(whole);
        return named;
    }
    own[length > 0 ? length : 0] = '\0';
    for (int i = 0; i < 2 && strrchr(own, '/'); i++) {
        *strrchr(own, '/') = '\0';
    }
    BJ_TEXT(path, 4200);
    bj_text_printf(&path, "%s/lib/libbootjack-preload.so", own);
    return bj_arena_strdup(arena, path.start);
}

bj_record *cli_load(bj_arena *arena, bj_kind kind, const char *file) {
    bj_mistakes mistakes = { 0 };
    bj_record *record = bj_load_file(arena, kind, file, &mistakes);
    bj_mistakes_tell(&mistakes);
    return record;
}

bj_arena *cli_arena(void) {
    bj_arena *arena = bj_arena_map((size_t) 256 << 20);
    if (!arena) {
        perror("bootjack");
        exit(CLI_COULD_NOT_RUN);
    }
    return arena;
}

/* What was printed must have arrived: a full disk is no success. */
static int finished(int status) {
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("bootjack: standard output");
        return status == CLI_PASSED ? CLI_COULD_NOT_RUN : status;
    }
    return status;
}

/* Becomes bootjack-fuzz; returns when there is none. `arguments` begins with the command's name. */
static int become_fuzz(char **arguments) {
    char own[4096];
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
    own[length > 0 ? length : 0] = '\0';
    BJ_TEXT(path, 4200);
    bj_text_printf(&path, "%s-fuzz", own);
    execv(path.start, arguments - 1); /* what stands before the command is the program's name */
    cli_complain("%s is a command of bootjack-fuzz, which cannot be run beside this program: %s", arguments[0],
                 strerror(errno));
    return CLI_COULD_NOT_RUN;
}

int main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        help(stdout);
        return finished(CLI_PASSED);
    }
    if (strcmp(name, "--version") == 0) {
        puts("bootjack " BOOTJACK_VERSION);
        return finished(CLI_PASSED);
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(name, commands[i].name) == 0) {
            return finished(commands[i].run(argc - 1, argv + 1));
        }
    }
    for (size_t i = 0; i < OF_FUZZING; i++) {
        if (strcmp(name, of_fuzzing[i].name) == 0) {
            return become_fuzz(argv + 1);
        }
    }
    if (*name) {
        fprintf(stderr, "bootjack: there is no command '%s'\n\n", name);
    }
    help(stderr);
    return CLI_USAGE;
}
