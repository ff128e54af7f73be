/* SPDX-License-Identifier: Apache-2.0
 *
 * See alphabet.h.
 */
#include "tool/alphabet.h"

#include <string.h>

#include "script/load.h"
#include "tool/tool.h"

static bool is_mark(const bj_record *step) {
    return step->kind == BJ_K_NOTE && strcmp(bj_get_string(step, BJ_F(NOTE, TEXT), ""), "search") == 0;
}

/* Takes the event of a case apart. */
static bool take(alphabet *out, const char *file, const char *name, const bj_record *scenario) {
    const bj_value *steps = bj_get(scenario, BJ_F(SCENARIO, STEPS));
    size_t count = steps ? steps->as.records.count : 0, mark = 0;
    const bj_record *const *items = steps ? steps->as.records.items : NULL;
    while (mark < count && !is_mark(items[mark])) {
        mark++;
    }
    if (mark + 1 >= count) {
        tool_complain("%s::%s: there is no step behind the step `note: search`", file, name);
        return false;
    }
    if (!out->scenario) {
        out->scenario = scenario;
        out->prologue = items;
        out->prologue_count = mark;
    }
    out->events[out->count++] = (alphabet_event){ name, items + mark + 1, count - mark - 1 };
    return true;
}

static bool take_case(bj_arena *arena, const char *file, const char *name, alphabet *out) {
    BJ_TEXT(whole, 4096);
    bj_mistakes mistakes = { 0 };
    bj_text_printf(&whole, "%s::%s", file, name);
    const bj_record *scenario = bj_load_file(arena, BJ_K_SCENARIO, whole.start, &mistakes);
    if (!scenario) {
        tool_print_mistakes(&mistakes);
        return false;
    }
    return take(out, file, name, scenario);
}

bool alphabet_load(bj_arena *arena, const char *file, alphabet *out) {
    bj_mistakes mistakes = { 0 };
    const char **names = NULL;
    size_t count = 0;
    *out = (alphabet){ 0 };
    if (!bj_load_cases(arena, file, &names, &count, &mistakes)) {
        tool_print_mistakes(&mistakes);
        return false;
    }
    if (count < 1 || count > ALPHABET_MOST) {
        tool_complain("%s: an alphabet has from 1 to %d cases, each an event; this file has %zu", file, ALPHABET_MOST,
                      count);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!take_case(arena, file, names[i], out)) {
            return false;
        }
    }
    return true;
}

uint64_t alphabet_sequences(const alphabet *a, unsigned depth) {
    uint64_t all = 0, power = 1;
    for (unsigned i = 0; i < depth; i++) {
        if (power > UINT64_MAX / a->count || all > UINT64_MAX - power * a->count) {
            return 0;
        }
        power *= a->count;
        all += power;
    }
    return all;
}

unsigned alphabet_sequence(const alphabet *a, uint64_t number, unsigned events[ALPHABET_DEPTH]) {
    unsigned length = 1;
    for (uint64_t power = a->count; number >= power && length < ALPHABET_DEPTH; power *= a->count) {
        number -= power;
        length++;
    }
    for (unsigned i = length; i-- > 0; number /= a->count) {
        events[i] = (unsigned) (number % a->count);
    }
    return length;
}

static bj_string title_of(bj_arena *arena, const alphabet *a, const unsigned *events, unsigned count) {
    BJ_TEXT(title, 1024);
    for (unsigned i = 0; i < count; i++) {
        bj_text_printf(&title, "%s%s", i ? ", " : "", a->events[events[i]].name);
    }
    return (bj_string){ bj_arena_strndup(arena, title.start, title.used), title.used };
}

const bj_record *alphabet_program(bj_arena *arena, const alphabet *a, const unsigned *events, unsigned count) {
    size_t total = a->prologue_count, used = 0;
    for (unsigned i = 0; i < count; i++) {
        total += a->events[events[i]].count;
    }
    const bj_record **steps = bj_record_list(arena, total);
    for (; used < a->prologue_count; used++) {
        steps[used] = a->prologue[used];
    }
    for (unsigned i = 0; i < count; i++) {
        const alphabet_event *event = &a->events[events[i]];
        for (size_t step = 0; step < event->count; step++) {
            steps[used++] = event->steps[step];
        }
    }
    bj_record *scenario = bj_record_copy(arena, a->scenario);
    bj_value list = { .type = BJ_T_STEPS, .as.records = { steps, total } };
    bj_value title = { .type = BJ_T_STRING, .as.string = title_of(arena, a, events, count) };
    bj_set(arena, scenario, BJ_F(SCENARIO, STEPS), &list);
    bj_set(arena, scenario, BJ_F(SCENARIO, TITLE), &title);
    return scenario;
}
