/* SPDX-License-Identifier: Apache-2.0
 *
 * `bootjack-fuzz sift`: which of many inputs show a finding. One process plays one after the other, as a fuzzing engine
 * does; where an input ends it, that is a finding, and another process goes on behind it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool/input.h"
#include "tool/tool.h"
#include "tool/trial.h"

enum { WORK_ARENA = 64 << 20, SILENT = 0, UNREADABLE = 1, SHOWS = 2 };

/* What the process that plays tells: it lies in memory that outlives it. */
typedef struct board {
    size_t present; /* the input that is being played */
    uint8_t outcome[];
} board;

static uint8_t outcome_of(fuzz_session *session, bj_arena *arena, const char *name) {
    bj_arena_reset(arena);
    const bj_record *program = input_load(arena, name);
    if (!program) {
        return UNREADABLE;
    }
    return session_is_finding(session_run_program(session, program)) ? SHOWS : SILENT;
}

_Noreturn static void work(const input_list *inputs, board *b) {
    fuzz_session *session = session_open(NULL);
    bj_arena *arena = bj_arena_map(WORK_ARENA);
    if (!session || !arena) {
        _exit(TOOL_COULD_NOT_RUN);
    }
    for (; b->present < inputs->count; b->present++) {
        b->outcome[b->present] = outcome_of(session, arena, inputs->names[b->present]);
    }
    _exit(TOOL_FINE);
}

/* Plays on from the present input. false: no process could be made. */
static bool play_on(const input_list *inputs, board *b) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        work(inputs, b);
    }
    int status = -1;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (child < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == TOOL_COULD_NOT_RUN)) {
        tool_complain("no process could play the inputs");
        return false;
    }
    if (b->present < inputs->count) {
        b->outcome[b->present++] = SHOWS; /* it ended the process */
    }
    return true;
}

static int conclude(const input_list *inputs, const board *b) {
    size_t shown = 0, unreadable = 0;
    for (size_t i = 0; i < inputs->count; i++) {
        shown += b->outcome[i] == SHOWS;
        unreadable += b->outcome[i] == UNREADABLE;
        if (b->outcome[i] == SHOWS) {
            puts(inputs->names[i]);
        }
    }
    fprintf(stderr, "%zu of %zu inputs show a finding, %zu cannot be read\n", shown, inputs->count, unreadable);
    return unreadable ? TOOL_COULD_NOT_RUN : shown ? TOOL_FOUND : TOOL_FINE;
}

static int sift(const input_list *inputs) {
    size_t size = sizeof(board) + inputs->count;
    board *b = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (b == MAP_FAILED) {
        perror("bootjack-fuzz: mmap");
        return TOOL_COULD_NOT_RUN;
    }
    bool fine = true;
    while (fine && b->present < inputs->count) {
        fine = play_on(inputs, b);
    }
    int status = fine ? conclude(inputs, b) : TOOL_COULD_NOT_RUN;
    munmap(b, size);
    return status;
}

int tool_sift(int argc, char **argv) {
    input_list inputs = { 0 };
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        puts("usage: bootjack-fuzz sift FILE|FOLDER...\n"
             "Plays inputs (as for triage) once each, and prints the names of those that show a finding, a line "
             "each.\n\n"
             "Exit status: 0 none does, 1 some do, 2 could not run, or could not read one, 64 wrong usage.");
        return TOOL_FINE;
    }
    if (argc < 2 || argv[1][0] == '-') {
        return tool_usage("sift", "at least one file or folder is to be named");
    }
    if (!inputs_add_all(&inputs, argv + 1, argc - 1)) {
        return TOOL_COULD_NOT_RUN;
    }
    int status = sift(&inputs);
    inputs_free(&inputs);
    return status;
}
