/* SPDX-License-Identifier: Apache-2.0
 *
 * `bootjack-fuzz COMMAND ...`: finds the command.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "tool/tool.h"

typedef struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *about;
} command;

static const command commands[] = {
    { "search", tool_search, "play all sequences of an alphabet of events, up to a length" },
    { "triage", tool_triage, "group findings, make them as short as they can be, and write them as scenarios" },
    { "sift", tool_sift, "say which of many inputs show a finding" },
    { "replay", tool_replay, "play one finding, and print the conversation" },
    { "foreign", tool_foreign, "session fuzzing of an unmodified program under the preload library" },
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static void help(FILE *stream) {
    fputs("usage: bootjack-fuzz COMMAND [ARGUMENT...]\n"
          "Looks for what breaks the client that is linked in: whole sessions in virtual time, judged by the "
          "oracles.\n\n",
          stream);
    for (size_t i = 0; i < COMMANDS; i++) {
        fprintf(stream, "  %-8s  %s\n", commands[i].name, commands[i].about);
    }
    fputs("\n  --help, -h     this; after a command: that command's help\n\n"
          "Exit status: 0 nothing was found, 1 something was, 2 could not run, 64 wrong usage.\n",
          stream);
}

__attribute__((format(printf, 2, 0))) static void complain(const char *name, const char *format, va_list arguments) {
    fprintf(stderr, "bootjack-fuzz%s%s: ", name ? " " : "", name ? name : "");
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

void tool_complain(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    complain(NULL, format, arguments);
    va_end(arguments);
}

int tool_usage(const char *name, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    complain(name, format, arguments);
    va_end(arguments);
    fprintf(stderr, "Try 'bootjack-fuzz %s --help'.\n", name);
    return TOOL_USAGE;
}

bool tool_number(const char *text, unsigned long least, unsigned long most, unsigned long *number) {
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || value < least || value > most) {
        return false;
    }
    *number = value;
    return true;
}

bj_arena *tool_arena(size_t size) {
    bj_arena *arena = bj_arena_map(size);
    if (!arena) {
        perror("bootjack-fuzz");
        exit(TOOL_COULD_NOT_RUN);
    }
    return arena;
}

bool tool_make_folder(const char *name) {
    if (mkdir(name, 0777) == 0 || errno == EEXIST) {
        return true;
    }
    tool_complain("%s: %s", name, strerror(errno));
    return false;
}

void tool_file_name(bj_text *out, const char *folder, const char *key, const char *ending) {
    bj_text_printf(out, "%s/", folder);
    for (; *key; key++) {
        bool plain = (*key >= '0' && *key <= '9') || (*key >= 'A' && *key <= 'Z') || (*key >= 'a' && *key <= 'z') ||
                     *key == '-' || *key == '_' || *key == '.';
        bj_text_add_bytes(out, plain ? key : "-", 1);
    }
    bj_text_add(out, ending);
}

void tool_print_mistakes(const bj_mistakes *mistakes) {
    for (size_t i = 0; i < mistakes->count && i < BJ_MISTAKES; i++) {
        BJ_TEXT(line, 1024);
        bj_mistake_print(&line, &mistakes->items[i]);
        fprintf(stderr, "%s\n", line.start);
    }
}

double tool_seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        help(stdout);
        return fflush(stdout) == 0 ? TOOL_FINE : TOOL_COULD_NOT_RUN;
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(name, commands[i].name) == 0) {
            int status = commands[i].run(argc - 1, argv + 1);
            return fflush(stdout) == 0 ? status : TOOL_COULD_NOT_RUN;
        }
    }
    if (*name) {
        fprintf(stderr, "bootjack-fuzz: there is no command '%s'\n\n", name);
    }
    help(stderr);
    return TOOL_USAGE;
}
