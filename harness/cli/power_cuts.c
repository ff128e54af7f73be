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
    uint32_t steps;
    uint32_t states; /* at the power cut, if there was one */
    char last[200];  /* the operation before it */
    char step[200];  /* that began last */
} disk_use;

static void keep(char *room, size_t size, const bj_event *event) {
    bj_text text = bj_text_over(room, size);
    bj_text_add_bytes(&text, event->text, event->text_length);
}

static disk_use read_use(const bj_log *log) {
    disk_use use = { 0 };
    bj_event event;
    for (size_t cursor = 0; log && bj_log_next(log, &cursor, &event) && !use.states;) {
        if (event.kind == BJ_EV_DISK) {
            keep(use.last, sizeof use.last, &event);
            use.operations = (uint64_t) event.number;
        } else if (event.kind == BJ_EV_STEP_BEGIN) {
            keep(use.step, sizeof use.step, &event);
            use.steps++;
        } else if (event.kind == BJ_EV_POWER_CUT) {
            use.states = (uint32_t) event.other;
        }
    }
    return use;
}

/* One run; its verdict. */
static bj_verdict try_once(const char *file, const bj_record *scenario, bj_run_options options, uint64_t operation,
                           uint32_t step, bj_arena *arena, disk_use *use) {
    bj_run_result result;
    options.cut_operation = operation;
    options.cut_step = step;
    bool whole = !operation && !step;
    bj_run(arena, scenario, &options, &result);
    bj_verdict verdict = result.verdict;
    if (whole && (verdict == BJ_FAIL || verdict == BJ_ERROR)) {
        cli_complain("%s: without a power cut: %s: %s", file, bj_verdict_name(verdict), result.reason);
    } else if (whole && verdict == BJ_SKIP) {
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

/* Every state at one place, which is `model`. */
static void add_states(cli_power_cuts *cuts, const cli_power_cut *model, uint32_t states, bj_arena *arena) {
    uint32_t tried = states < MOST_STATES ? states : MOST_STATES;
    if (tried < states) {
        cli_complain("%s: %s: %u of %u states of the disk are tried", model->file, model->where, tried, states);
    }
    for (uint32_t i = 0; i < tried; i++) {
        cli_power_cut cut = *model;
        BJ_TEXT(where, 400);
        cut.outcome = (uint32_t) ((uint64_t) i * states / tried);
        bj_text_printf(&where, "%s, state %u of %u", model->where, cut.outcome, states);
        cut.where = bj_arena_strdup(arena, where.start);
        add(cuts, &cut);
    }
}

static void find_operations(cli_power_cuts *cuts, const char *file, const bj_record *scenario,
                            const bj_run_options *options, uint64_t operations, bj_arena *own, bj_arena *arena) {
    for (uint64_t n = 1; n <= operations && !cli_interrupted; n++) {
        disk_use use;
        BJ_TEXT(where, 300);
        try_once(file, scenario, *options, n, 0, own, &use);
        bj_text_printf(&where, "operation %" PRIu64 " of %" PRIu64 " (%s)", n, operations, use.last);
        add_states(cuts, &(cli_power_cut){ .file = file, .where = where.start, .operation = n }, use.states, arena);
    }
}

/* The first step begins before the client does. */
static void find_steps(cli_power_cuts *cuts, const char *file, const bj_record *scenario, const bj_run_options *options,
                       uint32_t steps, bj_arena *own, bj_arena *arena) {
    for (uint32_t n = 2; n <= steps && !cli_interrupted; n++) {
        disk_use use;
        BJ_TEXT(where, 300);
        try_once(file, scenario, *options, 0, n, own, &use);
        bj_text_printf(&where, "step %u of %u (%s)", n, steps, use.step);
        add_states(cuts, &(cli_power_cut){ .file = file, .where = where.start, .step = n }, use.states, arena);
    }
}

/* false: the scenario itself fails. */
static bool find_in(cli_power_cuts *cuts, const char *file, const bj_record *scenario, const bj_run_options *options,
                    bj_arena *own, bj_arena *arena) {
    disk_use whole;
    bj_verdict verdict = try_once(file, scenario, *options, 0, 0, own, &whole);
    if (verdict == BJ_FAIL || verdict == BJ_ERROR) {
        return false;
    }
    if (verdict != BJ_SKIP) {
        find_operations(cuts, file, scenario, options, whole.operations, own, arena);
        find_steps(cuts, file, scenario, options, whole.steps, own, arena);
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

bool cli_power_cut_parse(const char *text, cli_power_cut *cut) {
    static const char step[] = "step-";
    bool at_step = strncmp(text, step, sizeof step - 1) == 0;
    const char *first = at_step ? text + sizeof step - 1 : text;
    const char *colon = strchr(first, ':');
    size_t length = colon ? (size_t) (colon - first) : 0;
    char number[24];
    uint64_t place, state;
    if (!length || length >= sizeof number) {
        return false;
    }
    memcpy(number, first, length);
    number[length] = '\0';
    if (!cli_parse_u64(number, 1, UINT32_MAX, &place) || !cli_parse_u64(colon + 1, 0, UINT32_MAX, &state)) {
        return false;
    }
    *cut = (cli_power_cut){ .outcome = (uint32_t) state,
                            .operation = at_step ? 0 : place,
                            .step = at_step ? (uint32_t) place : 0 };
    return true;
}
