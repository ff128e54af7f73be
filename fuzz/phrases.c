/* SPDX-License-Identifier: Apache-2.0
 *
 * See phrases.h.
 */
#include "phrases.h"

#include <stdio.h>
#include <string.h>

#include "script/bytes.h"
#include "script/load.h"

static const bj_record *load(bj_arena *arena, const phrase_text *text) {
    bj_mistakes mistakes = { 0 };
    const bj_record *scenario =
        bj_load_bytes(arena, BJ_K_SCENARIO, text->name, (const char *) text->bytes, text->length, &mistakes);
    for (size_t i = 0; !scenario && i < mistakes.count && i < BJ_MISTAKES; i++) {
        fprintf(stderr, "%s:%u:%u: %s\n", text->name, mistakes.items[i].position.line,
                mistakes.items[i].position.column, mistakes.items[i].text);
    }
    return scenario;
}

static bj_string with_steps(bj_arena *arena, const bj_record *like, const bj_value *steps) {
    bj_record *made = like ? bj_record_copy(arena, like) : bj_record_new(arena, BJ_K_SCENARIO, (bj_position){ 0, 0 });
    bj_set(arena, made, BJ_F(SCENARIO, STEPS), steps);
    return bj_program_encode(arena, made);
}

static void take(bj_arena *arena, const bj_record *scenario, situation *out) {
    const bj_value *steps = bj_get(scenario, BJ_F(SCENARIO, STEPS));
    const bj_record *const *items = steps->as.records.items;
    size_t count = steps->as.records.count, at = 0;
    while (at < count && items[at]->kind != BJ_K_REPEAT) {
        at++;
    }
    bj_value opening = *steps;
    opening.as.records.count = at;
    out->opening = with_steps(arena, scenario, &opening);
    out->phrases = bj_arena_calloc(arena, count - at, sizeof *out->phrases);
    for (; at < count; at++) {
        const bj_value *inside = bj_get(items[at], BJ_F(REPEAT, STEPS));
        if (inside) {
            out->phrases[out->phrase_count++] = with_steps(arena, NULL, inside);
        }
    }
}

static bool is_secure(const bj_record *scenario) {
    const bj_record *client = bj_get_record(scenario, BJ_F(SCENARIO, CLIENT));
    const bj_record *account = bj_get_record(client, BJ_F(CLIENT, BOOTSTRAP));
    return strncmp(bj_get_string(account, BJ_F(ACCOUNT, URI), ""), "coaps", 5) == 0;
}

const phrase_book *phrase_book_read(bj_arena *arena) {
    phrase_book *book = bj_arena_alloc(arena, sizeof *book);
    book->situations = bj_arena_calloc(arena, phrase_text_count, sizeof *book->situations);
    for (size_t i = 0; i < phrase_text_count; i++) {
        const bj_record *scenario = load(arena, &phrase_texts[i]);
        if (!scenario) {
            return NULL;
        }
        situation *made = &book->situations[book->count++];
        made->secure = is_secure(scenario);
        take(arena, scenario, made);
        book->phrase_count += made->phrase_count;
    }
    return book;
}
