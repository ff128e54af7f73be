/* SPDX-License-Identifier: Apache-2.0
 *
 * `bootjack-fuzz foreign`: session fuzzing of an unmodified program. Inputs are byte forms of scenarios; kept are those
 * after which something followed something for the first time in the log, or, where AFL++ compiled the program, new
 * edges were reached. A crash, a hang and a broken rule are findings.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach/fork_server.h"
#include "capture/capture.h"
#include "script/bytes.h"
#include "script/load.h"
#include "script/print.h"
#include "tool/annotate.h"
#include "tool/fork_client.h"
#include "tool/input.h"
#include "tool/tool.h"
#include "world/random.h"

enum { LONGEST = 4096, QUEUE_MOST = 20000, KEYS_MOST = 64, PAIRS = 1 << 16, JUDGE_ARENA = 64 << 20 };

typedef struct bytes {
    uint8_t *at;
    size_t length;
} bytes;

typedef struct foreign {
    const char *begin, *profile_file, *preload, *folder, *seeds, *rules;
    char **command;
    unsigned long seconds, runs, seed, limit_ms;
    const bj_record *scenario, *profile;
    fork_client *client;
    bytes queue[QUEUE_MOST];
    size_t queue_count;
    uint8_t seen_pairs[PAIRS], seen_edges[FORK_MAP];
    size_t pairs, edges;
    char keys[KEYS_MOST][96];
    size_t key_count;
    uint64_t played;
    bj_rng random;
    bj_arena *judge;
} foreign;

/* The same seed, the same inputs. */
static size_t below(foreign *f, size_t limit) {
    return (size_t) bj_rng_below(&f->random, limit);
}

/* --- what is new -------------------------------------------------------------------------------------------------- */

/* What a reader of the log would call the same: who, what, with which type and code. */
static uint32_t class_of(const bj_event *event) {
    uint32_t class = (uint32_t) event->kind << 24 | (uint32_t) event->actor << 16;
    if ((event->kind == BJ_EV_SENT || event->kind == BJ_EV_LOST) && event->raw_length > 1) {
        class |= (uint32_t) (event->raw[0] & 0x30) << 8 | event->raw[1];
    }
    return class;
}

static bool new_pairs(foreign *f) {
    uint32_t before = 0;
    size_t known = f->pairs;
    bj_event event;
    for (size_t cursor = 0; bj_log_next(fork_client_log(f->client), &cursor, &event);) {
        if (event.kind == BJ_EV_WAIT || event.kind == BJ_EV_STEP_BEGIN || event.kind == BJ_EV_STEP_END) {
            continue;
        }
        uint32_t class = class_of(&event);
        uint32_t place = (before * UINT32_C(2654435761) ^ class * UINT32_C(40503)) >> 7 & (PAIRS - 1);
        f->pairs += !f->seen_pairs[place];
        f->seen_pairs[place] = 1;
        before = class;
    }
    return f->pairs > known;
}

static bool new_edges(foreign *f) {
    const uint8_t *map = fork_client_map(f->client);
    size_t known = f->edges;
    for (size_t i = 0; i < FORK_MAP; i += 8) {
        uint64_t eight;
        memcpy(&eight, map + i, sizeof eight);
        for (size_t k = i; eight && k < i + 8; k++) {
            unsigned count = map[k] ? 1u << (31 - __builtin_clz(map[k])) : 0; /* 1, 2, 4, ... 128 times: not the same */
            if (count & ~f->seen_edges[k] & 0xFF) {
                f->seen_edges[k] |= (uint8_t) count;
                f->edges++;
            }
        }
    }
    return f->edges > known;
}

static void keep(foreign *f, const uint8_t *input, size_t length) {
    uint8_t *copy = f->queue_count < QUEUE_MOST ? malloc(length ? length : 1) : NULL;
    if (copy) {
        memcpy(copy, input, length);
        f->queue[f->queue_count++] = (bytes){ copy, length };
    }
}

/* --- findings ------------------------------------------------------------------------------------------------------
 */

static bool counts(const foreign *f, const bj_finding *finding) {
    const char *id = bj_rule_id(finding->rule);
    size_t length;
    for (const char *at = f->rules; *at; at += length + (at[length] == ',')) {
        length = strcspn(at, ",");
        if (length && strncmp(id, at, length) == 0) {
            return session_counts(finding, false);
        }
    }
    return false;
}

/* What the oracles say; the first rule that counts in *result. */
static void judge(foreign *f, session_result *result) {
    bj_arena_reset(f->judge);
    *result = (session_result){ .log = fork_client_log(f->client) };
    session_judge(result, f->judge, f->scenario, f->profile, true);
    for (size_t i = 0; i < result->finding_count && !result->broken; i++) {
        result->broken = counts(f, &result->findings[i]) ? &result->findings[i] : NULL;
    }
}

static void add_steps(bj_arena *arena, bj_value *to, const bj_record *from) {
    const bj_value *steps = bj_get(from, BJ_F(SCENARIO, STEPS));
    size_t more = steps ? steps->as.records.count : 0, count = to->as.records.count;
    const bj_record **items = bj_arena_calloc(arena, count + more + 1, sizeof(bj_record *));
    for (size_t i = 0; i < count + more; i++) {
        items[i] = i < count ? to->as.records.items[i] : steps->as.records.items[i - count];
    }
    to->as.records.items = items;
    to->as.records.count = count + more;
}

/* The whole session as one scenario, which needs no fork: the steps that led to where the program was forked, and those
 * of the input behind them. */
static bj_record *program_of(foreign *f, const char *key, const uint8_t *input, size_t length) {
    const bj_record *program = bj_program_decode(f->judge, BJ_K_SCENARIO, input, length, NULL, 0);
    bj_record *whole = bj_record_copy(f->judge, f->scenario);
    bj_value title = { .type = BJ_T_STRING, .as.string = { key, strlen(key) } };
    bj_value steps = { .type = BJ_T_STEPS };
    add_steps(f->judge, &steps, f->scenario);
    add_steps(f->judge, &steps, program);
    bj_set(f->judge, whole, BJ_F(SCENARIO, TITLE), &title);
    bj_set(f->judge, whole, BJ_F(SCENARIO, STEPS), &steps);
    return whole;
}

/* Takes out the first step that the loader has a mistake in: an input may hold what no file may. False: there is none.
 */
static bool drop_mistake(foreign *f, bj_record *program) {
    bj_string text;
    bj_mistakes mistakes = { 0 };
    const bj_record *placed = annotate_place(f->judge, program, &text);
    if (bj_load_bytes(f->judge, BJ_K_SCENARIO, "finding", text.bytes, text.length, &mistakes) || !mistakes.count) {
        return false;
    }
    const bj_value *steps = bj_get(program, BJ_F(SCENARIO, STEPS)), *where = bj_get(placed, BJ_F(SCENARIO, STEPS));
    size_t count = steps ? steps->as.records.count : 0, at = 0;
    while (at + 1 < count && where->as.records.items[at + 1]->position.line <= mistakes.items[0].position.line) {
        at++;
    }
    if (!count) {
        return false;
    }
    bj_value fewer = { .type = BJ_T_STEPS };
    const bj_record **items = bj_record_list(f->judge, count - 1);
    for (size_t i = 0; i + 1 < count; i++) {
        items[i] = steps->as.records.items[i < at ? i : i + 1];
    }
    fewer.as.records.items = items;
    fewer.as.records.count = count - 1;
    bj_set(f->judge, program, BJ_F(SCENARIO, STEPS), &fewer);
    return true;
}

/* Which client it was, as `bootjack minimise --client` takes it, and the seed: ci/triage plays the scenarios with it.
 */
static bool write_client(const foreign *f) {
    BJ_TEXT(name, 4096);
    BJ_TEXT(file, 4096);
    bj_text_printf(&name, "%s/client.yaml", f->folder);
    bj_text_printf(&file, "%s/client", f->folder);
    char *own = realpath(f->profile_file ? f->profile_file : f->folder, NULL);
    FILE *profile = f->profile_file ? NULL : fopen(name.start, "we");
    FILE *out = fopen(file.start, "we");
    bj_string text = bj_program_print(f->judge, f->profile);
    bool fine =
        own && out && (f->profile_file || (profile && fwrite(text.bytes, 1, text.length, profile) == text.length));
    fine = (!profile || fclose(profile) == 0) && fine;
    fine = fine && fprintf(out, "%s%s\n%lu\n", own, f->profile_file ? "" : "/client.yaml", f->seed) > 0;
    fine = (!out || fclose(out) == 0) && fine;
    free(own);
    if (!fine) {
        tool_complain("%s cannot be written", file.start);
    }
    return fine;
}

/* The input, the scenario that it is, with what was seen, and the capture. */
static bool write_finding(foreign *f, const char *key, const session_result *result, const uint8_t *input,
                          size_t length) {
    BJ_TEXT(name, 4096);
    BJ_TEXT(why, 512);
    bj_string text;
    bj_text_printf(&name, "%s/%s", f->folder, key);
    FILE *raw = fopen(name.start, "we");
    bool fine = raw && fwrite(input, 1, length, raw) == length && fclose(raw) == 0;
    bj_text_add(&name, ".pcapng");
    fine = fine && bj_capture_write(result->log, name.start, &why);
    name.used -= strlen(".pcapng");
    bj_text_add(&name, ".yaml");
    FILE *file = fine ? fopen(name.start, "we") : NULL;
    bj_record *program = program_of(f, key, input, length);
    while (drop_mistake(f, program)) {
    }
    annotate_place(f->judge, program, &text);
    fine = file && annotate_write(file, text, result);
    fine = file && fclose(file) == 0 && fine;
    if (!fine) {
        tool_complain("%s cannot be written%s%s", name.start, why.used ? ": " : "", why.start);
    }
    return fine;
}

/* A finding of this key, the first time. */
static bool is_new(foreign *f, const char *key) {
    for (size_t i = 0; i < f->key_count; i++) {
        if (strcmp(f->keys[i], key) == 0) {
            return false;
        }
    }
    if (f->key_count < KEYS_MOST) {
        snprintf(f->keys[f->key_count++], sizeof f->keys[0], "%s", key);
        return true;
    }
    return false;
}

/* What an input showed; false: nothing. */
static bool look(foreign *f, fork_end end, int number, char *key, size_t size, session_result *result) {
    judge(f, result);
    if (end == FORK_CRASHED) {
        snprintf(key, size, "crash-signal-%d", number);
    } else if (end == FORK_HUNG) {
        snprintf(key, size, "hang");
    } else if (result->broken) {
        snprintf(key, size, "%s", bj_rule_id(result->broken->rule));
    }
    return end != FORK_WELL || result->broken;
}

/* Played once more: it must show the same. */
static bool tell(foreign *f, const char *key, const uint8_t *input, size_t length) {
    char again[96] = "";
    session_result result;
    int number;
    fork_end end = fork_client_run(f->client, input, length, &number);
    bool same = end != FORK_LOST && look(f, end, number, again, sizeof again, &result) && strcmp(key, again) == 0;
    printf("%s, after %" PRIu64 " sessions%s%s%s\n", key, f->played, same ? "" : ": does not repeat",
           same && result.broken ? ": " : "", same && result.broken ? result.broken->text : "");
    fflush(stdout);
    return !same || !f->folder || write_finding(f, key, &result, input, length);
}

/* --- the loop -------------------------------------------------------------------------------------------------------
 */

/* One of the inputs that were kept, changed a little. */
static size_t mutate(foreign *f, uint8_t *out) {
    const bytes *from = &f->queue[below(f, f->queue_count)];
    size_t length = from->length < LONGEST ? from->length : LONGEST;
    memcpy(out, from->at, length);
    for (size_t changes = 1 + below(f, 6); changes > 0; changes--) {
        size_t at = below(f, length + 1), left = length - at, size = 1 + below(f, 24);
        const bytes *other = &f->queue[below(f, f->queue_count)];
        size_t start = below(f, other->length), most = other->length - start;
        switch (below(f, 5)) {
        case 0:
            if (left) {
                out[at] = (uint8_t) bj_rng_next(&f->random);
            }
            break;
        case 1:
            if (left) {
                out[at] ^= (uint8_t) (1u << below(f, 8));
            }
            break;
        case 2:
            size = size < left ? size : left;
            memmove(out + at, out + at + size, left - size);
            length -= size;
            break;
        default: /* from another, or from itself: put in, or over what is there */
            size = size < most ? size : most;
            size = length + size <= LONGEST ? size : 0;
            memmove(out + at + size, out + at, left);
            memcpy(out + at, other->at + start, size);
            length += size;
        }
    }
    return length;
}

/* false: nothing can be run any more. */
static bool play(foreign *f, const uint8_t *input, size_t length, bool always) {
    char key[96] = "";
    session_result result;
    int number;
    fork_end end = fork_client_run(f->client, input, length, &number);
    if (end == FORK_LOST) {
        tool_complain("the program that is forked is gone");
        return false;
    }
    f->played++;
    bool pairs = new_pairs(f), edges = new_edges(f);
    bool found = look(f, end, number, key, sizeof key, &result);
    if (end != FORK_HUNG && (pairs || edges || always)) { /* hangs would eat the time */
        keep(f, input, length);
    }
    return !found || !is_new(f, key) || tell(f, key, input, length);
}

static bool play_seeds(foreign *f) {
    input_list list = { 0 };
    bool fine = !f->seeds || inputs_add(&list, f->seeds);
    fine = fine && play(f, (const uint8_t *) "", 0, true);
    for (size_t i = 0; fine && i < list.count; i++) {
        static uint8_t input[LONGEST];
        FILE *file = fopen(list.names[i], "re");
        size_t length = file ? fread(input, 1, sizeof input, file) : 0;
        fine = play(f, input, length, false);
        if (file) {
            fclose(file);
        }
    }
    inputs_free(&list);
    return fine;
}

static int fuzz(foreign *f) {
    static uint8_t input[LONGEST + 64];
    double begin = tool_seconds_now(), took = 0;
    bool fine = play_seeds(f);
    while (fine && took < (double) f->seconds && (!f->runs || f->played < f->runs)) {
        fine = play(f, input, mutate(f, input), false);
        took = tool_seconds_now() - begin;
    }
    took = tool_seconds_now() - begin;
    printf("%" PRIu64 " sessions in %.1f s, %.0f a second; %zu inputs kept, %zu pairs of events, %zu of edges; %zu "
           "kinds of findings\n",
           f->played, took, (double) f->played / (took > 0 ? took : 1), f->queue_count, f->pairs, f->edges,
           f->key_count);
    return !fine ? TOOL_COULD_NOT_RUN : f->key_count ? TOOL_FOUND : TOOL_FINE;
}

/* --- the command -----------------------------------------------------------------------------------------------------
 */

static void help(void) {
    puts("usage: bootjack-fuzz foreign [OPTION...] -- COMMAND [ARGUMENT...]\n"
         "Session fuzzing of an unmodified program under the preload library. The program is started once; when the "
         "steps of\n"
         "the scenario that leads it to where it is to be tried are done, it is forked for each input. {bs_uri} and "
         "other\n"
         "placeholders stand in arguments for what the scenario tells a client.\n\n"
         "  --begin FILE     the scenario; if none is given, the program's first wait is where it begins\n"
         "  --profile FILE   a profile with the command, in place of COMMAND\n"
         "  --seeds DIR      inputs to begin with: byte forms of scenarios\n"
         "  --seconds N      (60)    --runs N   sessions at most\n"
         "  --limit MS       real time of one session (1000)\n"
         "  --rules LIST     which rules of the oracles count, by how their ids begin (COAP-); crashes and hangs "
         "always do\n"
         "  --findings DIR   write input, scenario and capture of the first finding of each kind, and which client it "
         "was: "
         "ci/triage\n                   makes them small\n"
         "  --seed N         of the world and of chance (1)\n"
         "  --preload FILE   the preload library\n"
         "  --help           this\n\n"
         "Exit status: 0 nothing was found, 1 something was, 2 could not run, 64 wrong usage.");
}

static int take_option(foreign *f, int option) {
    unsigned long *numbers[] = { ['s'] = &f->seconds, ['r'] = &f->runs, ['l'] = &f->limit_ms, ['x'] = &f->seed };
    const char **texts[] = { ['b'] = &f->begin, ['p'] = &f->profile_file, ['i'] = &f->seeds,
                             ['R'] = &f->rules, ['f'] = &f->folder,       ['P'] = &f->preload };
    if (strchr("srlx", option)) {
        return tool_number(optarg, option == 'r' ? 0 : 1, 100000000, numbers[option])
                   ? TOOL_FINE
                   : tool_usage("foreign", "a number from 1 to 100000000 is wanted, not '%s'", optarg);
    }
    if (!strchr("bpiRfP", option)) {
        return tool_usage("foreign", "wrong option");
    }
    *texts[option] = optarg;
    return TOOL_FINE;
}

static int options(int argc, char **argv, foreign *f) {
    static const struct option known[] = {
        { "begin", required_argument, NULL, 'b' }, { "profile", required_argument, NULL, 'p' },
        { "seeds", required_argument, NULL, 'i' }, { "seconds", required_argument, NULL, 's' },
        { "runs", required_argument, NULL, 'r' },  { "limit", required_argument, NULL, 'l' },
        { "rules", required_argument, NULL, 'R' }, { "findings", required_argument, NULL, 'f' },
        { "seed", required_argument, NULL, 'x' },  { "preload", required_argument, NULL, 'P' },
        { "help", no_argument, NULL, 'h' },        { 0 }
    };
    for (int option; (option = getopt_long(argc, argv, "+h", known, NULL)) != -1;) {
        if (option == 'h') {
            help();
            return -1;
        }
        int status = take_option(f, option);
        if (status) {
            return status;
        }
    }
    f->command = argv + optind;
    return (optind < argc) == !f->profile_file
               ? TOOL_FINE
               : tool_usage("foreign", "a command or --profile is to be given, and not both");
}

static const bj_record *load(bj_arena *arena, bj_kind kind, const char *file, const char *otherwise) {
    bj_mistakes mistakes = { 0 };
    const bj_record *root = file ? bj_load_file(arena, kind, file, &mistakes)
                                 : bj_load_bytes(arena, kind, "built-in", otherwise, strlen(otherwise), &mistakes);
    tool_print_mistakes(&mistakes);
    return root;
}

static const bj_record *profile_of(bj_arena *arena, char **command) {
    size_t count = 0;
    while (command[count]) {
        count++;
    }
    bj_string *words = bj_arena_calloc(arena, count + 1, sizeof *words);
    for (size_t i = 0; i < count; i++) {
        words[i] = (bj_string){ command[i], strlen(command[i]) };
    }
    bj_record *profile = bj_record_new(arena, BJ_K_PROFILE, (bj_position){ 0, 0 });
    bj_value name = { .type = BJ_T_STRING, .as.string = { "foreign", 7 } };
    bj_value list = { .type = BJ_T_STRINGS, .as.strings = { words, count } };
    bj_set(arena, profile, BJ_F(PROFILE, NAME), &name);
    bj_set(arena, profile, BJ_F(PROFILE, COMMAND), &list);
    return profile;
}

/* Beside this program, in the build folder. */
static const char *preload_path(bj_arena *arena) {
    char own[4000];
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
    own[length > 0 ? length : 0] = '\0';
    for (int i = 0; i < 2 && strrchr(own, '/'); i++) {
        *strrchr(own, '/') = '\0';
    }
    BJ_TEXT(path, 4096);
    bj_text_printf(&path, "%s/lib/libbootjack-preload.so", own);
    return bj_arena_strdup(arena, path.start);
}

static bool prepare(foreign *f) {
    static const char first_wait[] = "title: Foreign\nclient: {bootstrap: {uri: \"coap://bs.example\"}}\n"
                                     "steps: [advance: 1ms]\n";
    bj_arena *arena = tool_arena(64 << 20);
    f->judge = tool_arena(JUDGE_ARENA);
    bj_rng_seed(&f->random, f->seed, 9);
    f->scenario = load(arena, BJ_K_SCENARIO, f->begin, first_wait);
    f->profile = f->profile_file ? load(arena, BJ_K_PROFILE, f->profile_file, NULL) : profile_of(arena, f->command);
    if (!f->scenario || !f->profile || (f->folder && !tool_make_folder(f->folder))) {
        return false;
    }
    if (f->folder && !write_client(f)) {
        return false;
    }
    f->preload = f->preload ? f->preload : preload_path(arena);
    f->client = fork_client_start(arena, f->scenario, f->profile, f->preload, f->seed, (unsigned) f->limit_ms);
    return f->client;
}

int tool_foreign(int argc, char **argv) {
    static foreign f;
    f.seconds = 60;
    f.limit_ms = 1000;
    f.seed = 1;
    f.rules = "COAP-";
    int status = options(argc, argv, &f);
    if (status) {
        return status < 0 ? TOOL_FINE : status;
    }
    status = prepare(&f) ? fuzz(&f) : TOOL_COULD_NOT_RUN;
    fork_client_stop(f.client);
    return status;
}
