/* SPDX-License-Identifier: Apache-2.0
 *
 * See power_cuts.h.
 */
#define _GNU_SOURCE
#include "cli/power_cuts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "script/load.h"
#include "world/disk.h"

/* Of one operation; where there are more, so many are drawn evenly. */
enum { MOST_STATES = 1024 };

/* What a run did with the client's disk. */
typedef struct disk_use {
    uint64_t operations;
    uint32_t states; /* at the power cut, if there was one */
    char last[200];  /* the operation before it */
} disk_use;

static disk_use read_use(const bj_log *log) {
    disk_use use = { 0 };
    bj_event event;
    for (size_t cursor = 0; log && bj_log_next(log, &cursor, &event) && !use.states;) {
        if (event.kind == BJ_EV_DISK) {
            bj_text text = bj_text_over(use.last, sizeof use.last);
            bj_text_add_bytes(&text, event.text, event.text_length);
            use.operations = (uint64_t) event.number;
        } else if (event.kind == BJ_EV_POWER_CUT) {
            use.states = (uint32_t) event.other;
        }
    }
    return use;
}

/* One run; its verdict. */
static bj_verdict try_once(const char *file, const bj_record *scenario, bj_run_options options, uint64_t operation,
                           bj_arena *arena, disk_use *use) {
    bj_run_result result;
    options.cut_operation = operation;
    bj_run(arena, scenario, &options, &result);
    bj_verdict verdict = result.verdict;
    if (!operation && (verdict == BJ_FAIL || verdict == BJ_ERROR)) {
        cli_complain("%s: without a power cut: %s: %s", file, bj_verdict_name(verdict), result.reason);
    } else if (!operation && verdict == BJ_SKIP) {
        cli_complain("%s: skipped: %s", file, result.reason);
    }
    *use = read_use(result.log);
    bj_run_release(&result);
    return verdict;
}

static void add(cli_power_cuts *cuts, const cli_power_cut *cut) {
    if (cuts->count == cuts->room) {
        cuts->room = cuts->room ? cuts->room * 2 : 256;
        cuts->items = realloc(cuts->items, cuts->room * sizeof *cuts->items);
        if (!cuts->items) {
            abort();
        }
    }
    cuts->items[cuts->count++] = *cut;
}

static void add_states(cli_power_cuts *cuts, const char *file, uint64_t operation, uint64_t operations,
                       const disk_use *use, bj_arena *arena) {
    uint32_t tried = use->states < MOST_STATES ? use->states : MOST_STATES;
    if (tried < use->states) {
        cli_complain("%s: operation %" PRIu64 ": %u of %u states of the disk are tried", file, operation, tried,
                     use->states);
    }
    for (uint32_t i = 0; i < tried; i++) {
        uint32_t outcome = (uint32_t) ((uint64_t) i * use->states / tried);
        BJ_TEXT(where, 300);
        bj_text_printf(&where, "operation %" PRIu64 " of %" PRIu64 " (%s), state %u of %u", operation, operations,
                       use->last, outcome, use->states);
        add(cuts, &(cli_power_cut){ .file = file,
                                    .where = bj_arena_strdup(arena, where.start),
                                    .operation = operation,
                                    .outcome = outcome });
    }
}

/* false: the scenario itself fails. */
static bool find_in(cli_power_cuts *cuts, const char *file, const bj_record *scenario, const bj_run_options *options,
                    bj_arena *own, bj_arena *arena) {
    disk_use whole;
    bj_verdict verdict = try_once(file, scenario, *options, 0, own, &whole);
    if (verdict == BJ_FAIL || verdict == BJ_ERROR) {
        return false;
    }
    for (uint64_t n = 1; verdict != BJ_SKIP && n <= whole.operations && !cli_interrupted; n++) {
        disk_use use;
        try_once(file, scenario, *options, n, own, &use);
        add_states(cuts, file, n, whole.operations, &use, arena);
    }
    return true;
}

static void tell_mistakes(const bj_mistakes *mistakes) {
    for (size_t i = 0; i < mistakes->count && i < BJ_MISTAKES; i++) {
        BJ_TEXT(line, 2048);
        bj_mistake_print(&line, &mistakes->items[i]);
        cli_complain("%s", line.start);
    }
}

bool cli_power_cuts_find(cli_power_cuts *cuts, const cli_files *files, const bj_run_options *options, bj_arena *arena) {
    bool any = false, good = true;
    for (size_t i = 0; i < files->count && good; i++) {
        bj_mistakes mistakes = { 0 };
        bj_arena *own = cli_arena();
        const bj_record *scenario = bj_load_file(own, BJ_K_SCENARIO, files->names[i], &mistakes);
        if (!scenario) {
            tell_mistakes(&mistakes);
            good = false;
        } else if (bj_get(scenario, BJ_F(SCENARIO, POWER_CUTS))) {
            any = true;
            good = find_in(cuts, files->names[i], scenario, options, own, arena);
        }
        bj_arena_unmap(own);
    }
    if (good && !any) {
        cli_complain("no scenario says what must follow a power cut (the field power-cuts)");
    }
    return good && any;
}

void cli_power_cuts_free(cli_power_cuts *cuts) {
    free(cuts->items);
    *cuts = (cli_power_cuts){ 0 };
}

bool cli_power_cut_parse(const char *text, uint64_t *operation, uint32_t *outcome) {
    char first[24];
    const char *colon = strchr(text, ':');
    size_t length = colon ? (size_t) (colon - text) : 0;
    uint64_t state;
    if (!length || length >= sizeof first) {
        return false;
    }
    memcpy(first, text, length);
    first[length] = '\0';
    bool good = cli_parse_u64(first, 1, UINT32_MAX, operation) && cli_parse_u64(colon + 1, 0, UINT32_MAX, &state);
    *outcome = good ? (uint32_t) state : 0;
    return good;
}
