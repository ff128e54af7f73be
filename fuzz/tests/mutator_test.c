/* SPDX-License-Identifier: Apache-2.0
 *
 * The mutator: whatever it is given, what it gives is a canonical program, the same for the same seed, within the room;
 * each kind of change does what its name says; no run does nothing.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mutator.h"
#include "script/bytes.h"
#include "script/load.h"
#include "script/print.h"

enum { ROOM = 4096, ROUNDS = 400, LONGEST_INPUT = 1024 };

static const char text[] = "title: a bootstrap\nrules: [BS-WRITE]\nclient: {bootstrap: {uri: \"coap://bs.example\"}}\n"
                           "steps:\n  - request: {path: /bs}\n  - respond: 2.04\n"
                           "  - write: /0/1\n    tlv: {0: \"coap://mgmt.example\", 1: false, 2: 3, 10: 101}\n"
                           "  - write: /1/0\n    tlv: {0: 101, 1: 86400}\n  - finish: {expect: 2.04}\n"
                           "  - request: {to: mgmt, path: /rd}\n  - respond: {code: 2.01, location: /rd/1}\n";

typedef struct fixture {
    bj_arena *arena;
    mutator *mutator;
    uint8_t seed_bytes[ROOM];
    size_t seed_size;
} fixture;

static int set_up(void **state) {
    static fixture f;
    bj_mistakes mistakes = { 0 };
    f.arena = bj_arena_map(64 << 20);
    f.mutator = mutator_new(3);
    const bj_record *program = bj_load_bytes(f.arena, BJ_K_SCENARIO, "test", text, sizeof text - 1, &mistakes);
    if (!f.arena || !f.mutator || !program) {
        return -1;
    }
    bj_string bytes = bj_program_encode(f.arena, program);
    memcpy(f.seed_bytes, bytes.bytes, bytes.length);
    f.seed_size = bytes.length;
    *state = &f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    mutator_free(f->mutator);
    bj_arena_unmap(f->arena);
    return 0;
}

static void assert_canonical(fixture *f, const uint8_t *data, size_t size) {
    bj_arena_reset(f->arena);
    const bj_record *program = bj_program_decode(f->arena, BJ_K_SCENARIO, data, size, NULL, 0);
    bj_string bytes = bj_program_encode(f->arena, program);
    assert_int_equal(bytes.length, size);
    assert_memory_equal(bytes.bytes, data, size);
}

static bool holds(fixture *f, const uint8_t *data, size_t size, const char *words) {
    const bj_record *program = bj_program_decode(f->arena, BJ_K_SCENARIO, data, size, NULL, 0);
    return strstr(bj_program_print(f->arena, program).bytes, words) != NULL;
}

static void what_comes_out_is_canonical_and_repeats(void **state) {
    fixture *f = *state;
    uint8_t one[ROOM], two[ROOM];
    size_t size = f->seed_size;
    memcpy(one, f->seed_bytes, size);
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        memcpy(two, one, size);
        size_t again = mutator_mutate(f->mutator, two, size, ROOM, seed);
        size = mutator_mutate(f->mutator, one, size, ROOM, seed);
        assert_true(size > 0 && size <= ROOM);
        assert_int_equal(size, again);
        assert_memory_equal(one, two, size);
        assert_canonical(f, one, size);
    }
}

/* An engine that begins with nothing gets to whole situations. */
static void nothing_becomes_a_situation(void **state) {
    fixture *f = *state;
    unsigned registers = 0, asks = 0;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        uint8_t data[ROOM] = { '\n' };
        size_t size = mutator_mutate(f->mutator, data, 1, ROOM, seed);
        assert_canonical(f, data, size);
        registers += holds(f, data, size, "path: /rd");
        asks += holds(f, data, size, "path: /bs");
    }
    assert_true(registers > ROUNDS / 8 && asks > ROUNDS / 8);
}

/* Of each there is room in an input of a campaign. */
static void phrases_are_recited(void **state) {
    fixture *f = *state;
    size_t count = mutator_phrase_count(f->mutator), observed = 0;
    uint8_t data[ROOM];
    for (size_t n = 0; n < count; n++) {
        size_t size = mutator_recite(f->mutator, n, data, LONGEST_INPUT);
        assert_true(size > 0);
        assert_canonical(f, data, size);
        assert_true(holds(f, data, size, "steps:"));
        observed += holds(f, data, size, "observe:");
        assert_int_equal(mutator_recite(f->mutator, n, data, size - 1), 0);
    }
    assert_in_range(observed, 5, count - 5);
    assert_int_equal(mutator_recite(f->mutator, count, data, ROOM), 0);
    for (size_t n = 0; n < count; n++) {
        assert_true(mutator_recite_next(f->mutator, data, LONGEST_INPUT) > 0);
    }
    assert_int_equal(mutator_recite_next(f->mutator, data, ROOM), 0);
}

static void any_bytes_can_be_changed(void **state) {
    fixture *f = *state;
    uint8_t data[ROOM];
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        size_t size = (size_t) seed % 64;
        for (size_t i = 0; i < size; i++) {
            data[i] = (uint8_t) (seed * 37 + i * 101);
        }
        size = mutator_mutate(f->mutator, data, size, ROOM, seed);
        assert_true(size > 0);
        assert_canonical(f, data, size);
    }
}

static void there_may_be_little_room(void **state) {
    fixture *f = *state;
    uint8_t data[ROOM];
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        memcpy(data, f->seed_bytes, f->seed_size);
        memset(data + f->seed_size, 0xa5, ROOM - f->seed_size);
        size_t size = mutator_mutate(f->mutator, data, f->seed_size, f->seed_size, seed);
        assert_true(size <= f->seed_size);
        assert_int_equal(data[f->seed_size], 0xa5);
    }
}

static void every_kind_changes_something(void **state) {
    fixture *f = *state;
    static const char *const traces[MUTATOR_COUNT] = {
        [MUTATOR_FORMAT] = "format: senml-json",
        [MUTATOR_BLOCKS] = "block: 16",
        [MUTATOR_LENGTHS] = "hex:",
        [MUTATOR_DEADLINE] = "due(finish)",
        [MUTATOR_FAULT] = "fault:",
        [MUTATOR_POWER] = "power-cut",
        [MUTATOR_PHRASE] = "gt: ",
        [MUTATOR_SITUATION] = "access-control: true",
    };
    for (unsigned kind = 0; kind < MUTATOR_COUNT; kind++) {
        unsigned changed = 0, traced = 0;
        for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
            uint8_t data[ROOM];
            memcpy(data, f->seed_bytes, f->seed_size);
            size_t size = mutator_mutate_as(f->mutator, (mutator_kind) kind, data, f->seed_size, ROOM, seed);
            assert_canonical(f, data, size);
            changed += size != f->seed_size || memcmp(data, f->seed_bytes, size) != 0;
            traced += traces[kind] && holds(f, data, size, traces[kind]);
        }
        assert_true(changed > ROUNDS / 3);
        assert_true(!traces[kind] || traced > 0);
    }
}

static void programs_are_crossed(void **state) {
    fixture *f = *state;
    uint8_t other[ROOM], out[ROOM];
    memcpy(other, f->seed_bytes, f->seed_size);
    size_t size = mutator_mutate_as(f->mutator, MUTATOR_POWER, other, f->seed_size, ROOM, 1);
    unsigned crossed = 0;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        size_t length = mutator_cross(f->mutator, f->seed_bytes, f->seed_size, other, size, out, ROOM, seed);
        assert_canonical(f, out, length);
        crossed += holds(f, out, length, "power-cut") || holds(f, out, length, "stop:");
    }
    assert_in_range(crossed, 1, ROUNDS - 1);
}

#ifdef BJ_AFL_MUTATOR
typedef void *init_fn(void *afl, unsigned seed);
typedef size_t fuzz_fn(void *data, uint8_t *in, size_t size, uint8_t **out, uint8_t *other, size_t other_size,
                       size_t most);
typedef void deinit_fn(void *data);

static void function_of(void *handle, const char *name, void *function) {
    void *found = dlsym(handle, name);
    assert_non_null(found);
    memcpy(function, &found, sizeof found);
}

/* As AFL++ would call it. */
static void afl_gets_the_same_mutator(void **state) {
    fixture *f = *state;
    void *handle = dlopen(BJ_AFL_MUTATOR, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(handle);
    init_fn *init;
    fuzz_fn *fuzz;
    deinit_fn *deinit;
    function_of(handle, "afl_custom_init", &init);
    function_of(handle, "afl_custom_fuzz", &fuzz);
    function_of(handle, "afl_custom_deinit", &deinit);
    void *face = init(NULL, 3), *same = init(NULL, 3);
    size_t phrases = mutator_phrase_count(f->mutator);
    uint8_t first[ROOM];
    size_t recited = mutator_recite(f->mutator, 0, first, ROOM);
    for (size_t i = 0; i < phrases + ROUNDS; i++) {
        uint8_t *out, *again;
        size_t size = fuzz(face, f->seed_bytes, f->seed_size, &out, f->seed_bytes, f->seed_size, ROOM);
        assert_true(size > 0 && size <= ROOM);
        assert_canonical(f, out, size);
        assert_int_equal(fuzz(same, f->seed_bytes, f->seed_size, &again, f->seed_bytes, f->seed_size, ROOM), size);
        assert_memory_equal(out, again, size);
        assert_true(i || (size == recited && !memcmp(out, first, size)));
    }
    deinit(face);
    deinit(same);
    dlclose(handle);
}
#endif

static void each_run_has_its_own_swarm(void **state) {
    (void) state;
    unsigned differing = 0, off = 0;
    for (uint64_t swarm = 1; swarm <= 20; swarm++) {
        mutator *one = mutator_new(swarm), *two = mutator_new(swarm), *next = mutator_new(swarm + 1);
        for (unsigned kind = 0; kind < MUTATOR_COUNT; kind++) {
            assert_int_equal(mutator_weight(one, (mutator_kind) kind), mutator_weight(two, (mutator_kind) kind));
            differing += mutator_weight(one, (mutator_kind) kind) != mutator_weight(next, (mutator_kind) kind);
            off += mutator_weight(one, (mutator_kind) kind) == 0;
            assert_true(*mutator_text((mutator_kind) kind));
        }
        assert_true(mutator_weight(one, MUTATOR_VALUE) && mutator_weight(one, MUTATOR_HAVOC));
        mutator_free(one);
        mutator_free(two);
        mutator_free(next);
    }
    assert_true(differing > 20 && off > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_out_is_canonical_and_repeats),
        cmocka_unit_test(nothing_becomes_a_situation),
        cmocka_unit_test(phrases_are_recited),
        cmocka_unit_test(any_bytes_can_be_changed),
        cmocka_unit_test(there_may_be_little_room),
        cmocka_unit_test(every_kind_changes_something),
        cmocka_unit_test(programs_are_crossed),
        cmocka_unit_test(each_run_has_its_own_swarm),
#ifdef BJ_AFL_MUTATOR
        cmocka_unit_test(afl_gets_the_same_mutator),
#endif
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
