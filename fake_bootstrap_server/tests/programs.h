/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs for the tests of loader, byte form and printer: random bytes from a seed, and one program that holds every
 * example of the table.
 */
#ifndef BJ_TESTS_PROGRAMS_H
#define BJ_TESTS_PROGRAMS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "script/bytes.h"
#include "script/load.h"
#include "script/print.h"

static const char sample[] =
    "title: A Server account whose SSID matches no Security account sends the client back to bootstrap\n"
    "rules: [BS-CHECK-SSID-MATCH]\n"
    "client:\n"
    "  endpoint: dev-1\n"
    "  bootstrap: {uri: \"coap://bs.example\", security: nosec, holdoff: 10s}\n"
    "steps:\n"
    "  - request: {from: client, to: bs, method: POST, path: /bs, query: {ep: dev-1}}\n"
    "  - respond: 2.04\n"
    "  - write: /0/1\n"
    "    tlv: {0: \"coap://mgmt.example\", 1: false, 2: 3, 3: \"\", 4: \"\", 5: \"\", 10: 101}\n"
    "    expect: 2.04\n"
    "  - write: /1/0\n"
    "    tlv: {0: 102, 1: 86400, 6: false, 7: U}\n"
    "    expect: 2.04\n"
    "  - either:\n"
    "      refused at Finish: [{finish: {expect: 4.06}}]\n"
    "      refused afterwards:\n"
    "        - finish: {expect: 2.04}\n"
    "        - request: {from: client, to: bs, method: POST, path: /bs}\n"
    "          at: due(holdoff)\n";

static inline bj_arena *arena_for_test(void) {
    bj_arena *arena = bj_arena_map((size_t) 512 << 20);
    assert_non_null(arena);
    return arena;
}

static inline const bj_record *must_load(bj_arena *arena, bj_kind kind, const char *yaml) {
    bj_mistakes mistakes;
    const bj_record *root = bj_load_bytes(arena, kind, "test", yaml, strlen(yaml), &mistakes);
    if (!root) {
        BJ_TEXT(line, 2000);
        bj_mistake_print(&line, &mistakes.items[0]);
        fail_msg("%s\n%s", line.start, yaml);
    }
    return root;
}

/* A scenario of all examples of steps in the table, each after what it may need. */
static inline const char *all_examples(bj_arena *arena) {
    char *text = bj_arena_alloc(arena, 32768);
    bj_text out = bj_text_over(text, 32768);
    bj_text_add(&out, "title: All verbs\nsteps:\n  - request: bs\n  - write: /\n    wait: false\n");
    for (size_t i = 0; i < bj_record_def_count(); i++) {
        const char *example = bj_record_def_at(i)->example;
        if (!example) {
            continue;
        }
        bj_text_add(&out, "  - ");
        for (; *example; example++) {
            bj_text_add_bytes(&out, example, 1);
            if (*example == '\n') {
                bj_text_add(&out, "  ");
            }
        }
        bj_text_add(&out, "\n");
    }
    assert_false(out.cut);
    return text;
}

typedef struct dice {
    uint64_t state;
} dice;

static inline uint32_t roll(dice *d, uint32_t limit) {
    d->state ^= d->state << 13;
    d->state ^= d->state >> 7;
    d->state ^= d->state << 17;
    return (uint32_t) (d->state >> 20) % limit;
}

/* Random bytes of one of several characters: all values, small ones (which make more structure), or the byte form of
 * all examples with some bytes changed. Returns how many. */
enum { RANDOM_ROOM = 4096 };

static inline size_t random_program(dice *d, const bj_string *examples, uint8_t out[RANDOM_ROOM]) {
    static const uint8_t steps[] = { 1, BJ_F(SCENARIO, STEPS), 20 }; /* one field: twenty steps */
    uint32_t character = roll(d, 4);
    size_t length = roll(d, 700);
    if (character == 3) {
        length = examples->length;
        assert_true(length < RANDOM_ROOM);
        memcpy(out, examples->bytes, length);
        for (uint32_t changes = 1 + roll(d, 20); changes; changes--) {
            out[roll(d, (uint32_t) length)] = (uint8_t) roll(d, roll(d, 2) ? 256 : 16);
        }
        return length;
    }
    for (size_t i = 0; i < length; i++) {
        out[i] = (uint8_t) roll(d, character == 0 ? 256 : character == 1 ? 16 : roll(d, 4) ? 64 : 256);
    }
    if (character && length > 3 && roll(d, 4)) {
        memcpy(out, steps, sizeof steps);
    }
    return length;
}

#endif
