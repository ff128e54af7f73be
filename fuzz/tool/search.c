/* SPDX-License-Identifier: Apache-2.0
 *
 * `bootjack-fuzz search`: all sequences of an alphabet of events, the shorter ones first, each a session of its own
 * that ends with a healed world. Several processes share the work; what they find lies in memory that outlives them, so
 * that a crash of the client is a finding like any other.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool/alphabet.h"
#include "tool/tool.h"
#include "tool/trial.h"

enum { JOBS_MOST = 64, KINDS_MOST = 64, WORK_ARENA = 16 << 20, CRASHES_MOST = 200 };

/* One kind of finding, and the first sequence that shows it to this worker. */
typedef struct kind {
    trial first;
    uint64_t sequence;
    uint64_t count;
} kind;

/* What one worker tells. It writes, the parent reads when the worker is gone. */
typedef struct board {
    uint64_t present; /* the sequence that is being played */
    uint64_t played;
    uint64_t virtual_seconds;
    uint32_t crashes;
    uint32_t kinds;
    kind kind[KINDS_MOST];
} board;

typedef struct search {
    alphabet alphabet;
    unsigned long depth, jobs;
    const char *folder; /* for what is found; NULL */
    uint64_t total;
    board *boards;
    pid_t workers[JOBS_MOST];
} search;

/* --- one worker ----------------------------------------------------------------------------------------------- */

static void note(board *b, const trial *seen, uint64_t sequence) {
    for (uint32_t i = 0; i < b->kinds; i++) {
        if (strcmp(b->kind[i].first.key, seen->key) == 0) {
            b->kind[i].count++;
            return;
        }
    }
    if (b->kinds < KINDS_MOST) {
        b->kind[b->kinds++] = (kind){ *seen, sequence, 1 };
    }
}

static void play(const search *s, board *b, fuzz_session *session, bj_arena *arena) {
    unsigned events[ALPHABET_DEPTH];
    trial seen;
    unsigned count = alphabet_sequence(&s->alphabet, b->present, events);
    bj_arena_reset(arena);
    const session_result *result = session_run_program(session, alphabet_program(arena, &s->alphabet, events, count));
    trial_tell(result, &seen);
    if (seen.found) {
        note(b, &seen, b->present);
    }
    b->played++;
    b->virtual_seconds += result->virtual_time / BJ_SECOND;
}

/* Begins at the board's present sequence. */
_Noreturn static void work(const search *s, board *b) {
    fuzz_session *session = session_open(NULL);
    bj_arena *arena = bj_arena_map(WORK_ARENA);
    if (!session || !arena) {
        _exit(TOOL_COULD_NOT_RUN);
    }
    for (; b->present < s->total; b->present += s->jobs) {
        play(s, b, session, arena);
    }
    _exit(TOOL_FINE);
}

static bool start(search *s, unsigned long number) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        work(s, &s->boards[number]);
    }
    s->workers[number] = child;
    if (child < 0) {
        perror("bootjack-fuzz: fork");
    }
    return child > 0;
}

/* --- all workers ---------------------------------------------------------------------------------------------- */

/* The client crashed in this sequence: plays it again on its own, to say how, and passes it over. */
static bool take_crash(search *s, board *b) {
    unsigned events[ALPHABET_DEPTH];
    trial seen;
    bj_arena *arena = tool_arena(WORK_ARENA);
    unsigned count = alphabet_sequence(&s->alphabet, b->present, events);
    bool fine = trial_run(alphabet_program(arena, &s->alphabet, events, count), &seen);
    bj_arena_unmap(arena);
    if (!seen.found || !fine) {
        tool_complain("sequence %" PRIu64 " ended a process, and does not when it is played alone", b->present);
        return false;
    }
    note(b, &seen, b->present);
    b->present += s->jobs;
    b->played++;
    return ++b->crashes < CRASHES_MOST;
}

static bool reap(search *s, pid_t child, int status) {
    for (unsigned long i = 0; i < s->jobs; i++) {
        if (s->workers[i] != child) {
            continue;
        }
        bool done = WIFEXITED(status) && (WEXITSTATUS(status) == TOOL_FINE || s->boards[i].present >= s->total);
        if (!done && !take_crash(s, &s->boards[i])) {
            return false;
        }
        return done || start(s, i);
    }
    return true;
}

static bool run_all(search *s) {
    bool fine = true;
    for (unsigned long i = 0; i < s->jobs; i++) {
        s->boards[i].present = i;
        fine = fine && start(s, i);
    }
    int status;
    for (pid_t child; (child = wait(&status)) > 0 || errno == EINTR;) {
        if (child > 0) {
            fine = reap(s, child, status) && fine;
        }
    }
    return fine;
}

/* --- what was found ------------------------------------------------------------------------------------------- */

static void merge(board *into, const board *from) {
    into->played += from->played;
    into->virtual_seconds += from->virtual_seconds;
    for (uint32_t i = 0; i < from->kinds; i++) {
        const kind *k = &from->kind[i];
        uint32_t at = 0;
        while (at < into->kinds && strcmp(into->kind[at].first.key, k->first.key) != 0) {
            at++;
        }
        if (at == into->kinds && into->kinds < KINDS_MOST) {
            into->kind[into->kinds++] = (kind){ .sequence = UINT64_MAX };
        }
        if (at < KINDS_MOST) {
            into->kind[at].count += k->count;
            bool earlier = k->sequence < into->kind[at].sequence;
            into->kind[at].first = earlier ? k->first : into->kind[at].first;
            into->kind[at].sequence = earlier ? k->sequence : into->kind[at].sequence;
        }
    }
}

static bool write_finding(const search *s, const kind *k, const bj_record *program) {
    BJ_TEXT(file, 4096);
    tool_file_name(&file, s->folder, k->first.key, ".yaml");
    return trial_write(program, file.start, NULL);
}

static bool tell_finding(const search *s, const kind *k) {
    unsigned events[ALPHABET_DEPTH];
    bj_arena *arena = tool_arena(WORK_ARENA);
    unsigned count = alphabet_sequence(&s->alphabet, k->sequence, events);
    printf("%s: %" PRIu64 " sequences, the first:", k->first.key, k->count);
    for (unsigned i = 0; i < count; i++) {
        printf("%s %s", i ? "," : "", s->alphabet.events[events[i]].name);
    }
    printf("\n  %s\n", k->first.what);
    bool fine = !s->folder || write_finding(s, k, alphabet_program(arena, &s->alphabet, events, count));
    bj_arena_unmap(arena);
    return fine;
}

/* Of all workers, in seconds. */
static double processor_time(void) {
    struct rusage used;
    getrusage(RUSAGE_CHILDREN, &used);
    return (double) (used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double) (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static int conclude(const search *s, double took) {
    static board all;
    bool fine = true;
    for (unsigned long i = 0; i < s->jobs; i++) {
        merge(&all, &s->boards[i]);
    }
    for (uint32_t i = 0; i < all.kinds; i++) {
        fine = tell_finding(s, &all.kind[i]) && fine;
    }
    double used = processor_time();
    printf("%" PRIu64 " of %" PRIu64
           " sequences of up to %lu of %zu events in %.1f s (%.1f s of processor time, %.0f a "
           "second of it); %" PRIu64 " virtual hours; %u kinds of findings\n",
           all.played, s->total, s->depth, s->alphabet.count, took, used, (double) all.played / (used > 0 ? used : 1),
           all.virtual_seconds / 3600, (unsigned) all.kinds);
    return !fine || all.played != s->total ? TOOL_COULD_NOT_RUN : all.kinds ? TOOL_FOUND : TOOL_FINE;
}

/* --- the command ---------------------------------------------------------------------------------------------- */

static void help(void) {
    puts("usage: bootjack-fuzz search [OPTION...] ALPHABET.yaml\n"
         "Plays all sequences of the alphabet's events against the client that is linked in, in virtual time, each "
         "with the\n"
         "oracles on and with a healed world at its end. The alphabet is a scenario file with cases: what stands "
         "behind the\n"
         "step `note: search` is a case's event.\n\n"
         "  --depth N       sequences of up to N events (3)\n"
         "  --jobs N        processes at once (as many as there are cores)\n"
         "  --findings DIR  write for each kind of finding the first sequence that shows it, as a scenario\n"
         "  --help          this\n\n"
         "Exit status: 0 nothing was found, 1 something was, 2 could not run, 64 wrong usage.");
}

static int options(int argc, char **argv, search *s) {
    static const struct option known[] = { { "depth", required_argument, NULL, 'd' },
                                           { "jobs", required_argument, NULL, 'j' },
                                           { "findings", required_argument, NULL, 'f' },
                                           { "help", no_argument, NULL, 'h' },
                                           { 0 } };
    for (int option; (option = getopt_long(argc, argv, "d:j:f:h", known, NULL)) != -1;) {
        if (option == 'h') {
            help();
            return -1;
        }
        if (option == 'd' && !tool_number(optarg, 1, ALPHABET_DEPTH, &s->depth)) {
            return tool_usage("search", "--depth takes a number from 1 to %d, not '%s'", ALPHABET_DEPTH, optarg);
        }
        if (option == 'j' && !tool_number(optarg, 1, JOBS_MOST, &s->jobs)) {
            return tool_usage("search", "--jobs takes a number from 1 to %d, not '%s'", JOBS_MOST, optarg);
        }
        s->folder = option == 'f' ? optarg : s->folder;
        if (option == '?') {
            return tool_usage("search", "wrong option");
        }
    }
    return argc - optind == 1 ? TOOL_FINE : tool_usage("search", "one alphabet is to be named");
}

static int prepare(search *s, const char *file) {
    if (!alphabet_load(tool_arena(64 << 20), file, &s->alphabet) || (s->folder && !tool_make_folder(s->folder))) {
        return TOOL_COULD_NOT_RUN;
    }
    s->total = alphabet_sequences(&s->alphabet, (unsigned) s->depth);
    if (!s->total) {
        return tool_usage("search", "there are more sequences of %lu events than can be counted", s->depth);
    }
    void *memory = mmap(NULL, s->jobs * sizeof *s->boards, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    s->boards = memory == MAP_FAILED ? NULL : memory;
    if (!s->boards) {
        perror("bootjack-fuzz: mmap");
        return TOOL_COULD_NOT_RUN;
    }
    return TOOL_FINE;
}

int tool_search(int argc, char **argv) {
    static search s;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    s.depth = 3;
    s.jobs = cores < 1 ? 1 : cores > JOBS_MOST ? JOBS_MOST : (unsigned long) cores;
    int status = options(argc, argv, &s);
    if (status) {
        return status < 0 ? TOOL_FINE : status;
    }
    status = prepare(&s, argv[optind]);
    if (status) {
        return status;
    }
    double begin = tool_seconds_now();
    if (!run_all(&s)) {
        return TOOL_COULD_NOT_RUN;
    }
    return conclude(&s, tool_seconds_now() - begin);
}
