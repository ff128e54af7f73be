/* SPDX-License-Identifier: Apache-2.0
 *
 * `bootjack-fuzz triage` and `replay`. Each finding is played twice: one that does not repeat (trial.h) is a
 * defect of the harness, and called so. Findings of one rule, one trouble or one place are one group; of each group the
 * smallest is made smaller and written as a scenario, with a capture.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/bytes.h"
#include "tool/input.h"
#include "tool/minimise.h"
#include "tool/tool.h"
#include "tool/trial.h"

enum { GROUPS_MOST = 256, WORK_ARENA = 256 << 20 };

typedef struct group {
    trial seen;
    size_t smallest; /* which input; the one with the shortest byte form */
    size_t size;
    unsigned count;
} group;

typedef struct triage {
    const char *folder;
    unsigned long tries;
    input_list inputs;
    group groups[GROUPS_MOST];
    size_t group_count, unrepeatable, silent, unreadable;
} triage;

static size_t size_of(bj_arena *arena, const bj_record *program) {
    return bj_program_encode(arena, program).length;
}

static void sort_in(triage *t, size_t number, const trial *seen, size_t size) {
    size_t at = 0;
    while (at < t->group_count && strcmp(t->groups[at].seen.key, seen->key) != 0) {
        at++;
    }
    if (at == GROUPS_MOST) {
        return;
    }
    if (at == t->group_count) {
        t->groups[t->group_count++] = (group){ .seen = *seen, .smallest = number, .size = SIZE_MAX };
    }
    group *g = &t->groups[at];
    g->count++;
    if (size < g->size) {
        g->seen = *seen;
        g->smallest = number;
        g->size = size;
    }
}

/* false: nothing could be run. */
static bool take(triage *t, size_t number) {
    bj_arena *arena = tool_arena(WORK_ARENA);
    trial first, second;
    const bj_record *program = input_load(arena, t->inputs.names[number]);
    bool fine = !program || (trial_run(program, &first) && trial_run(program, &second));
    if (!program) {
        t->unreadable++;
    } else if (fine &&
               (first.found != second.found || strcmp(first.key, second.key) != 0 || first.trace != second.trace)) {
        t->unrepeatable++;
        printf("%s: does not repeat: a defect of the harness\n", t->inputs.names[number]);
    } else if (fine && !first.found) {
        t->silent++;
        printf("%s: shows nothing any more\n", t->inputs.names[number]);
    } else if (fine) {
        sort_in(t, number, &first, size_of(arena, program));
    }
    bj_arena_unmap(arena);
    return fine;
}

/* --- what comes of it ----------------------------------------------------------------------------------------- */

static size_t steps_of(const bj_record *program) {
    const bj_value *steps = bj_get(program, BJ_F(SCENARIO, STEPS));
    return steps ? steps->as.records.count : 0;
}

static bool write_group(triage *t, const group *g) {
    bj_arena *arena = tool_arena((size_t) WORK_ARENA * 8);
    const bj_record *program = input_load(arena, t->inputs.names[g->smallest]);
    const bj_record *small = program ? minimise(arena, program, g->seen.key, (unsigned) t->tries) : NULL;
    BJ_TEXT(file, 4096);
    BJ_TEXT(capture, 4096);
    tool_file_name(&file, t->folder, g->seen.key, ".yaml");
    tool_file_name(&capture, t->folder, g->seen.key, ".pcapng");
    bool fine = small && trial_write(small, file.start, capture.start);
    if (fine) {
        printf("%s: %u findings; %zu steps are left of %zu: %s\n  %s\n", g->seen.key, g->count, steps_of(small),
               steps_of(program), file.start, g->seen.what);
    }
    bj_arena_unmap(arena);
    return fine;
}

static void put_xml(FILE *out, const char *text) {
    for (; *text; text++) {
        const char *instead = *text == '<'                   ? "&lt;"
                              : *text == '>'                 ? "&gt;"
                              : *text == '&'                 ? "&amp;"
                              : *text == '"'                 ? "&quot;"
                              : (unsigned char) *text < 0x20 ? " "
                                                             : NULL;
        instead ? fputs(instead, out) : fputc(*text, out);
    }
}

static bool write_junit(const triage *t) {
    BJ_TEXT(name, 4096);
    bj_text_printf(&name, "%s/triage.xml", t->folder);
    FILE *out = fopen(name.start, "we");
    if (!out) {
        perror(name.start);
        return false;
    }
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"bootjack-fuzz triage\" tests=\"%zu\" "
            "failures=\"%zu\">\n",
            t->group_count, t->group_count);
    for (size_t i = 0; i < t->group_count; i++) {
        fputs("  <testcase classname=\"fuzz\" name=\"", out);
        put_xml(out, t->groups[i].seen.key);
        fputs("\"><failure message=\"", out);
        put_xml(out, t->groups[i].seen.what);
        fputs("\"/></testcase>\n", out);
    }
    fputs("</testsuite>\n", out);
    return fclose(out) == 0;
}

static int triage_all(triage *t) {
    bool fine = true;
    for (size_t i = 0; fine && i < t->inputs.count; i++) {
        fine = take(t, i);
    }
    for (size_t i = 0; fine && i < t->group_count; i++) {
        fine = write_group(t, &t->groups[i]);
    }
    fine = fine && write_junit(t);
    printf("%zu inputs: %zu groups of findings, %zu do not repeat, %zu show nothing, %zu cannot be read\n",
           t->inputs.count, t->group_count, t->unrepeatable, t->silent, t->unreadable);
    return !fine || t->unreadable ? TOOL_COULD_NOT_RUN : t->group_count + t->unrepeatable ? TOOL_FOUND : TOOL_FINE;
}

/* --- the commands --------------------------------------------------------------------------------------------- */

static void triage_help(void) {
    puts("usage: bootjack-fuzz triage [OPTION...] FILE|FOLDER...\n"
         "Plays each finding of a session target twice, groups those of one rule, one trouble or one place, makes the "
         "smallest\n"
         "of each group as small as it can be (steps, then fields and values, then texts), and writes it as a scenario "
         "in\n"
         "which comments say what was seen, with a capture, and triage.xml (JUnit).\n\n"
         "Files are scenarios (*.yaml), inputs of datagrams and secure_session (datagrams-*, secure_session-*), or "
         "byte forms.\n\n"
         "  --out DIR    where to write (triage)\n"
         "  --tries N    sessions at most for making one smaller (2000)\n"
         "  --help       this\n\n"
         "Exit status: 0 nothing is shown any more, 1 findings, 2 could not run, 64 wrong usage.");
}

static int triage_options(int argc, char **argv, triage *t) {
    static const struct option known[] = { { "out", required_argument, NULL, 'o' },
                                           { "tries", required_argument, NULL, 't' },
                                           { "help", no_argument, NULL, 'h' },
                                           { 0 } };
    for (int option; (option = getopt_long(argc, argv, "o:t:h", known, NULL)) != -1;) {
        if (option == 'h') {
            triage_help();
            return -1;
        }
        if (option == 't' && !tool_number(optarg, 0, 1000000, &t->tries)) {
            return tool_usage("triage", "--tries takes a number up to 1000000, not '%s'", optarg);
        }
        t->folder = option == 'o' ? optarg : t->folder;
        if (option == '?') {
            return tool_usage("triage", "wrong option");
        }
    }
    return optind < argc ? TOOL_FINE : tool_usage("triage", "at least one file or folder is to be named");
}

int tool_triage(int argc, char **argv) {
    static triage t;
    t.folder = "triage";
    t.tries = 2000;
    int status = triage_options(argc, argv, &t);
    if (status) {
        return status < 0 ? TOOL_FINE : status;
    }
    if (!inputs_add_all(&t.inputs, argv + optind, argc - optind)) {
        return TOOL_COULD_NOT_RUN;
    }
    status = tool_make_folder(t.folder) ? triage_all(&t) : TOOL_COULD_NOT_RUN;
    inputs_free(&t.inputs);
    return status;
}

int tool_replay(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        puts("usage: bootjack-fuzz replay FILE\n"
             "Plays a finding (as for triage) in this process, prints the conversation to standard error, and what was "
             "found.\n\n"
             "Exit status: 0 nothing was found, 1 something was, 2 could not run, 64 wrong usage.");
        return TOOL_FINE;
    }
    if (argc != 2) {
        return tool_usage("replay", "one file is to be named");
    }
    bj_arena *arena = tool_arena(WORK_ARENA);
    const bj_record *program = input_load(arena, argv[1]);
    fuzz_session *session = program ? session_open(NULL) : NULL;
    if (!session) {
        return TOOL_COULD_NOT_RUN;
    }
    const session_result *result = session_run_program(session, program);
    trial seen;
    trial_tell(result, &seen);
    session_print(result);
    printf("%s%s%s\n", seen.found ? seen.key : "nothing is broken", seen.found ? ": " : "", seen.what);
    session_close(session);
    bj_arena_unmap(arena);
    return seen.found ? TOOL_FOUND : TOOL_FINE;
}
