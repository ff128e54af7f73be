/* SPDX-License-Identifier: Apache-2.0
 *
 * `bootjack client new`: writes a profile from options, and from answers on standard input to what no option said. And
 * the command `bootjack client` that holds the two.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach/command.h"
#include "cli/cli.h"
#include "cli/client_tools.h"
#include "script/load.h"

static const char help[] =
    "usage: bootjack client new [OPTION...]\n"
    "Writes a profile. What no option says is asked; answers are read from standard input, a line each.\n"
    "\n"
    "  --name NAME        short name of the client\n"
    "  --command COMMAND  program and arguments, quoted as for a shell, with the placeholders of `bootjack run "
    "--help`\n"
    "  --attach HOW       exec (virtual time) or network (real time)\n"
    "  --holdoff TIME     its Client Hold Off Time, where the command has no {holdoff}; empty: none is known\n"
    "  --features LIST    optional features that it has, with commas between; empty: not known yet\n"
    "  --facts LIST       facts, likewise: lwm2m-1.0, lwm2m-1.1, lwm2m-1.2, discover, ...\n"
    "  --ready TEXT       a line of its output holds this when it is ready; empty: no line says so\n"
    "  --stop LINE        what one types at its standard input to stop it, ^D for the end of that; empty: it is sent "
    "SIGTERM\n"
    "  -o FILE            the file to write; NAME.yaml if not given\n"
    "  --force            writes over a file that is there\n"
    "  -h, --help         this\n"
    "\n"
    "Exit status: 0 written, 2 could not be written or is no profile, 64 wrong usage.\n";

enum { NAME, COMMAND, ATTACH, HOLDOFF, FEATURES, FACTS, READY, STOP, ANSWERS };
enum { FILE_NAME = 300 };

static const char there_is_one[] = "%s: %s (--force writes over it)";

static const struct {
    const char *option;
    const char *question;
} questions[ANSWERS] = {
    { "name", "A short name for the client" },
    { "command", "Its command line, with {endpoint}, {bs_uri} (or {bs_host}, {bs_port}) and others in it;\n"
                 "put what stands only when a value is set between quotes with a ? in front, as '?--key {key}'" },
    { "attach", "exec (a program of this machine, in virtual time) or network (in real time)" },
    { "holdoff", "How long does it wait before its first bootstrap, if it cannot be told (as 10s; empty: not known)" },
    { "features",
      "Which optional features has it (with commas between; empty: to be probed by `bootjack client check`)" },
    { "facts", "Which versions and facts (as lwm2m-1.1, discover; empty: none)" },
    { "ready", "What does it write when it is ready (a part of the line; empty: nothing)" },
    { "stop", "What does one type to stop it (^D: the end of its input; empty: nothing, it is sent SIGTERM)" },
};

typedef struct answers {
    char *of[ANSWERS];
    const char *file;
    bool force;
} answers;

static const struct option long_options[] = {
    { "name", required_argument, NULL, NAME },
    { "command", required_argument, NULL, COMMAND },
    { "attach", required_argument, NULL, ATTACH },
    { "holdoff", required_argument, NULL, HOLDOFF },
    { "features", required_argument, NULL, FEATURES },
    { "facts", required_argument, NULL, FACTS },
    { "ready", required_argument, NULL, READY },
    { "stop", required_argument, NULL, STOP },
    { "force", no_argument, NULL, 'f' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static int take_option(void *context, int option) {
    answers *a = context;
    if (option == 'h') {
        fputs(help, stdout);
        return CLI_PASSED;
    }
    if (option == 'o') {
        a->file = optarg;
    } else if (option == 'f') {
        a->force = true;
    } else {
        a->of[option] = strdup(optarg);
    }
    return -1;
}

static int parse(int argc, char **argv, answers *a) {
    int status = cli_read_options("client new", argc, argv, "o:h", long_options, take_option, a);
    if (status >= 0) {
        return status;
    }
    return optind == argc ? -1 : cli_usage_error("client new", "%s: not expected", argv[optind]);
}

/* --- writing -------------------------------------------------------------------------------------------------- */

static void quoted(bj_text *out, const char *word) {
    bj_text_add_bytes(out, "\"", 1);
    for (; *word; word++) {
        if (*word == '"' || *word == '\\') {
            bj_text_add_bytes(out, "\\", 1);
        }
        bj_text_add_bytes(out, word, 1);
    }
    bj_text_add_bytes(out, "\"", 1);
}

static void print_command(bj_text *out, bj_arena *arena, const char *command) {
    size_t count;
    char **words = bj_command_words(arena, command, &count);
    bj_text_add(out, "command:\n");
    for (size_t i = 0; i < count; i++) {
        bj_text_add(out, "  - ");
        quoted(out, words[i]);
        bj_text_add(out, "\n");
    }
}

static void print_field(bj_text *out, const char *begin, const char *text) {
    if (*text) {
        bj_text_add(out, begin);
        quoted(out, text);
        bj_text_add(out, "}\n");
    }
}

static void print_profile(bj_text *out, bj_arena *arena, const answers *a) {
    bj_text_printf(out,
                   "# Written by `bootjack client new`; `bootjack client check` proves it. docs/porting.md explains "
                   "the fields.\nname: %s\nattach: %s\n",
                   a->of[NAME], a->of[ATTACH]);
    print_command(out, arena, a->of[COMMAND]);
    if (a->of[HOLDOFF] && *a->of[HOLDOFF]) {
        bj_text_printf(out, "built-in: {holdoff: %s}\n", a->of[HOLDOFF]);
    }
    if (*a->of[FEATURES]) {
        bj_text_printf(out, "features: [%s]\n", a->of[FEATURES]);
    }
    if (*a->of[FACTS]) {
        bj_text_printf(out, "facts: [%s]\n", a->of[FACTS]);
    }
    print_field(out, "ready: {output: ", a->of[READY]);
    if (strcmp(a->of[STOP], "^D") == 0) {
        bj_text_add(out, "stop: {end: true}\n");
    } else {
        print_field(out, "stop: {input: ", a->of[STOP]);
    }
}

static bool is_profile(bj_arena *arena, const bj_text *text) {
    bj_mistakes mistakes = { 0 };
    if (bj_load_bytes(arena, BJ_K_PROFILE, "the profile", text->start, text->used, &mistakes)) {
        return true;
    }
    bj_mistakes_tell(&mistakes);
    return false;
}

/* --- asking --------------------------------------------------------------------------------------------------- */

/* Is a profile good that has nothing but this to say? What is wrong with it is told. */
static bool is_good_alone(bj_arena *arena, int index, const char *answer) {
    static char name[] = "c", command[] = "c", attach[] = "exec", nothing[] = "";
    answers alone = { .of = { name, command, attach, nothing, nothing, nothing, nothing, nothing } };
    char room[16384];
    bj_text text = bj_text_over(room, sizeof room);
    alone.of[index] = (char *) (uintptr_t) answer;
    print_profile(&text, arena, &alone);
    return is_profile(arena, &text);
}

static bool is_valid(int index, const char *answer) {
    if (index == NAME) {
        return *answer && !answer[strspn(answer, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")];
    }
    if (index == ATTACH) {
        return strcmp(answer, "exec") == 0 || strcmp(answer, "network") == 0;
    }
    bj_arena *arena = cli_arena();
    size_t count;
    bool words = index != COMMAND || (bj_command_words(arena, answer, &count) && count);
    bool good = words && is_good_alone(arena, index, answer);
    bj_arena_unmap(arena);
    return good;
}

/* The next line of standard input; NULL at its end. */
static char *read_answer(void) {
    char *line = NULL;
    size_t room = 0;
    ssize_t length = getline(&line, &room, stdin);
    if (length < 0) {
        free(line);
        return NULL;
    }
    line[strcspn(line, "\r\n")] = '\0';
    return line;
}

static bool ask(answers *a, int index) {
    while (!a->of[index]) {
        fprintf(stderr, "%s: ", questions[index].question);
        a->of[index] = read_answer();
        if (!a->of[index]) {
            cli_complain("standard input ended before --%s was said", questions[index].option);
            return false;
        }
        if (!is_valid(index, a->of[index])) {
            cli_complain("'%s' is no answer to that", a->of[index]);
            free(a->of[index]);
            a->of[index] = NULL;
        }
    }
    return true;
}

/* Where the profile is written. */
static const char *file_of(const answers *a, char room[FILE_NAME]) {
    snprintf(room, FILE_NAME, "%s.yaml", a->of[NAME]);
    return a->file ? a->file : room;
}

/* Nobody answers seven questions for a file that is not written. */
static bool may_write(const answers *a) {
    char room[FILE_NAME];
    const char *file = file_of(a, room);
    if (a->force || access(file, F_OK) != 0) {
        return true;
    }
    cli_complain(there_is_one, file, strerror(EEXIST));
    return false;
}

static bool ask_all(answers *a) {
    for (int i = 0; i < ANSWERS; i++) {
        if (i == NAME + 1 && !may_write(a)) {
            return false;
        }
        if (a->of[i] && !is_valid(i, a->of[i])) {
            cli_complain("--%s '%s': not possible", questions[i].option, a->of[i]);
            return false;
        }
        bool known = i == HOLDOFF && a->of[COMMAND] && strstr(a->of[COMMAND], "{holdoff}");
        if (!known && !ask(a, i)) {
            return false;
        }
    }
    return true;
}

/* --- writing -------------------------------------------------------------------------------------------------- */

static int write_profile(const char *file, const bj_text *text, bool force) {
    int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC | (force ? O_TRUNC : O_EXCL), 0666);
    bool good = fd >= 0 && write(fd, text->start, text->used) == (ssize_t) text->used;
    if (fd >= 0) {
        good = close(fd) == 0 && good;
    }
    if (!good) {
        cli_complain(errno == EEXIST ? there_is_one : "%s: %s", file, strerror(errno));
        fwrite(text->start, 1, text->used, stdout); /* what was answered is not lost */
        return CLI_COULD_NOT_RUN;
    }
    fprintf(stderr, "%s was written; now: bootjack client check %s%s\n", file, strchr(file, '/') ? "" : "./", file);
    return CLI_PASSED;
}

static int make(answers *a) {
    char room[16384], name[FILE_NAME];
    bj_text text = bj_text_over(room, sizeof room);
    bj_arena *arena = cli_arena();
    int status = CLI_COULD_NOT_RUN;
    if (ask_all(a)) {
        print_profile(&text, arena, a);
        status = is_profile(arena, &text) ? write_profile(file_of(a, name), &text, a->force) : status;
    }
    bj_arena_unmap(arena);
    return status;
}

int cli_client_new(int argc, char **argv) {
    answers a = { 0 };
    int status = parse(argc, argv, &a);
    status = status >= 0 ? status : make(&a);
    for (int i = 0; i < ANSWERS; i++) {
        free(a.of[i]);
    }
    return status;
}

/* --- bootjack client ------------------------------------------------------------------------------------------ */

int cli_client_command(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "new") == 0) {
        return cli_client_new(argc - 1, argv + 1);
    }
    if (strcmp(name, "check") == 0) {
        return cli_client_check(argc - 1, argv + 1);
    }
    bool asked = strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0;
    fputs("usage: bootjack client new [OPTION...]\n"
          "       bootjack client check PROFILE [OPTION...]\n"
          "A profile says how a client is started and what is known of it; docs/porting.md is the guide.\n",
          asked ? stdout : stderr);
    return asked ? CLI_PASSED : CLI_USAGE;
}
