/* SPDX-License-Identifier: Apache-2.0
 *
 * What tests share that load scenarios and profiles from texts: an arena for each test.
 */
#ifndef BJ_TESTS_LOAD_FIXTURE_H
#define BJ_TESTS_LOAD_FIXTURE_H

/* cmocka.h wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "script/load.h"

static bj_arena *arena;

static inline int set_up(void **state) {
    (void) state;
    arena = bj_arena_map(16 << 20);
    return arena ? 0 : -1;
}

static inline int tear_down(void **state) {
    (void) state;
    bj_arena_unmap(arena);
    return 0;
}

static inline bj_record *load(bj_kind kind, const char *text) {
    bj_mistakes mistakes = { 0 };
    bj_record *record = bj_load_bytes(arena, kind, "test", text, strlen(text), &mistakes);
    if (!record) {
        fail_msg("%s", mistakes.items[0].text);
    }
    return record;
}

#endif
