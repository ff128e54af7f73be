/* SPDX-License-Identifier: Apache-2.0
 *
 * The byte form: total, canonical, stable, and cheap to decode.
 */
#include "programs.h"

static void assert_same_bytes(const bj_string *a, const bj_string *b) {
    assert_int_equal(a->length, b->length);
    assert_memory_equal(a->bytes, b->bytes, a->length);
}

/* decode(encode(p)) = p, and the bytes stay the same. */
static void assert_round_trip(bj_arena *arena, const bj_record *root) {
    bj_string bytes = bj_program_encode(arena, root);
    const bj_record *again = bj_program_decode(arena, (bj_kind) root->kind, bytes.bytes, bytes.length, NULL, 0);
    assert_true(bj_record_equal(root, again));
    bj_string bytes_again = bj_program_encode(arena, again);
    assert_same_bytes(&bytes, &bytes_again);
}

static void test_loaded_programs(void **state) {
    (void) state;
    bj_arena *arena = arena_for_test();
    assert_round_trip(arena, must_load(arena, BJ_K_SCENARIO, sample));
    assert_round_trip(arena, must_load(arena, BJ_K_SCENARIO, all_examples(arena)));
    assert_round_trip(arena, must_load(arena, BJ_K_PROFILE,
                                       "name: n\nattach: network\nfacts: [strict, legacy]\nholdoff-grows: false\n"
                                       "deviations: [{scenario: '*', reason: because, text: expected}]\n"));
    bj_arena_unmap(arena);
}

static void test_every_type(void **state) {
    (void) state;
    bj_arena *arena = arena_for_test();
    assert_round_trip(
        arena,
        must_load(arena, BJ_K_SCENARIO,
                  "title: t\nclient: {bootstrap: {uri: \"coap://b\", identity: 00ff, key: !text secret}}\n"
                  "servers: {bs: ~, mgmt: {port: 7, network: {latency: 3ms}}}\n"
                  "dns: {a.example: [{status: nxdomain, times: 2}, {addresses: [mgmt, \"2001:db8::1\"]}]}\n"
                  "steps:\n"
                  "  - request: {query: {ep: x, Q: ~, b: \"\"}, without: [a, b], at: ..15s}\n"
                  "  - request: {at: due(holdoff)-1ms..+1h}\n"
                  "  - request: {at: ..wake}\n"
                  "  - request: {at: wake..}\n"
                  "  - request: {at: 10s..}\n"
                  "  - write: /\n"
                  "    tlv: {0: {1: {0: -1, 1: 1.5, 2: [1, 2], 3: !hex 0001, 4: !objlnk 3:0, 5: ~, 6: true}}}\n"
                  "    expect: [2.xx, 4.00, 5.31]\n"
                  "    options: [{number: uri-query, text: x}, {number: 65001, hex: ''}, {number: 6, uint: 256}]\n"));
    bj_arena_unmap(arena);
}

static void test_no_bytes(void **state) {
    (void) state;
    bj_arena *arena = arena_for_test();
    const bj_record *root = bj_program_decode(arena, BJ_K_SCENARIO, NULL, 0, NULL, 0);
    assert_string_equal(bj_get_string(root, BJ_F(SCENARIO, TITLE), NULL), "");
    assert_int_equal(bj_get(root, BJ_F(SCENARIO, STEPS))->as.records.count, 0);
    assert_null(bj_get(root, BJ_F(SCENARIO, CLIENT)));
    assert_round_trip(arena, root);
    bj_arena_unmap(arena);
}

/* Whatever bytes: a program, with all that its records need, the same when encoded and decoded again, in memory in
 * proportion to the bytes. */
static void assert_required(const bj_record *record) {
    const bj_record_def *def = bj_record_def_of((bj_kind) record->kind);
    for (size_t i = 0; i < def->field_count; i++) {
        const bj_value *value = bj_get(record, def->fields[i].number);
        const bj_record *inner;
        const bj_string *name;
        assert_true(value || !(def->fields[i].flags & BJ_REQUIRED));
        for (size_t j = 0; value && (inner = bj_value_record(value, j, &name)); j++) {
            assert_required(inner);
        }
    }
}

static void test_random_bytes(void **state) {
    (void) state;
    dice d = { .state = 88172645463325252u };
    bj_arena *keep = arena_for_test();
    bj_string examples = bj_program_encode(keep, must_load(keep, BJ_K_SCENARIO, all_examples(keep)));
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t bytes[RANDOM_ROOM];
        size_t length = random_program(&d, &examples, bytes);
        bj_arena *arena = bj_arena_map((size_t) 16 << 20);
        const bj_record *root = bj_program_decode(arena, i % 8 ? BJ_K_SCENARIO : BJ_K_PROFILE, bytes, length, NULL, 0);
        assert_true(bj_arena_in_use(arena) <= 4096 + 1024 * length);
        assert_required(root);
        assert_round_trip(arena, root);
        bj_arena_unmap(arena);
    }
    bj_arena_unmap(keep);
}

/* The worst that can be packed into a few bytes: lists in lists, the longest counts. */
static void test_memory(void **state) {
    (void) state;
    static uint8_t bytes[60000];
    static const uint8_t begin[] = { 1, BJ_F(SCENARIO, STEPS), 0xFF, 0xFF, 0x7F };
    bj_arena *arena = arena_for_test();
    for (unsigned value = 0; value < 256; value++) {
        memset(bytes, (int) value, sizeof bytes);
        memcpy(bytes, begin, sizeof begin);
        bj_arena *small = bj_arena_map((size_t) 256 << 20);
        bj_program_decode(small, BJ_K_SCENARIO, bytes, sizeof bytes, NULL, 0);
        bj_arena_unmap(small);
    }
    bj_arena_unmap(arena);
}

/* Corpora live as long as these bytes do: numbers of kinds, fields and values are only ever appended. */
static void test_stable(void **state) {
    (void) state;
    static const char expected[] = "04"
                                   "010174"   /* title: t */
                                   "02010152" /* rules: R */
                                   "03"
                                   "01"
                                   "02"
                                   "02" /* client, bootstrap */
                                   "0108636f61703a2f2f62"
                                   "0580ade204" /* uri, holdoff: 10s */
                                   "0903"       /* steps */
                                   "2003"
                                   "01026273"
                                   "0202"
                                   "0d04cf0f" /* request: bs, POST, due(holdoff)-1ms */
                                   "2101"
                                   "010144" /* respond: 2.04 */
                                   "2303"
                                   "01042f312f30"
                                   "03024480"
                                   "1002"
                                   "0002ca01"
                                   "07010155"; /* write */
    bj_arena *arena = arena_for_test();
    bj_string bytes = bj_program_encode(
        arena, must_load(arena, BJ_K_SCENARIO,
                         "title: t\nrules: R\nclient: {bootstrap: {uri: \"coap://b\", holdoff: 10s}}\nsteps:\n"
                         "  - request: {to: bs, method: POST, at: due(holdoff)-1ms}\n  - respond: 2.04\n"
                         "  - write: /1/0\n    tlv: {0: 101, 7: U}\n    expect: [2.04, 4.00]\n"));
    BJ_TEXT(hex, 400);
    bj_text_hex(&hex, bytes.bytes, bytes.length);
    assert_string_equal(hex.start, expected);
    bj_arena_unmap(arena);
}

static void test_positions(void **state) {
    (void) state;
    bj_arena *arena = arena_for_test();
    const bj_record *root = must_load(arena, BJ_K_SCENARIO, sample);
    bj_string bytes = bj_program_encode(arena, root);
    size_t count;
    bj_position *positions = bj_program_positions(arena, root, &count);
    assert_int_equal(count, 11);
    const bj_record *again = bj_program_decode(arena, BJ_K_SCENARIO, bytes.bytes, bytes.length, positions, count);
    size_t count_again;
    bj_position *positions_again = bj_program_positions(arena, again, &count_again);
    assert_int_equal(count_again, count);
    assert_memory_equal(positions, positions_again, count * sizeof *positions);
    const bj_value *steps = bj_get(again, BJ_F(SCENARIO, STEPS));
    assert_int_equal(steps->as.records.items[0]->position.line, 7);
    assert_int_equal(steps->as.records.items[0]->position.column, 5);
    assert_int_equal(steps->as.records.items[2]->position.line, 9);
    const bj_named *last = &bj_get(steps->as.records.items[4], BJ_F(EITHER, BRANCHES))->as.named.items[1];
    assert_int_equal(last->records[1]->position.line, 19);
    assert_int_equal(last->records[1]->position.column, 11);
    bj_arena_unmap(arena);
}

/* Fewer positions than records: the rest has none. */
static void test_too_few_positions(void **state) {
    (void) state;
    bj_arena *arena = arena_for_test();
    bj_string bytes = bj_program_encode(arena, must_load(arena, BJ_K_SCENARIO, sample));
    const bj_position one = { 5, 6 };
    const bj_record *root = bj_program_decode(arena, BJ_K_SCENARIO, bytes.bytes, bytes.length, &one, 1);
    assert_int_equal(root->position.line, 5);
    assert_int_equal(bj_get(root, BJ_F(SCENARIO, STEPS))->as.records.items[0]->position.line, 0);
    bj_arena_unmap(arena);
}

static const bj_record *decode(bj_arena *arena, const char *bytes, size_t length) {
    return bj_program_decode(arena, BJ_K_SCENARIO, bytes, length, NULL, 0);
}

static void test_cutting(void **state) {
    (void) state;
    bj_arena *arena = arena_for_test();
    /* A string longer than what is left ends there. */
    assert_string_equal(bj_get_string(decode(arena,
                                             "\x01\x01\x7f"
                                             "abc",
                                             6),
                                      BJ_F(SCENARIO, TITLE), ""),
                        "abc");
    /* A verb that does not exist becomes one that does. */
    const bj_record *root = decode(arena, "\x01\x09\x01\xf0\x01", 5);
    assert_true(bj_record_def_of((bj_kind) bj_get(root, BJ_F(SCENARIO, STEPS))->as.records.items[0]->kind)->verb);
    /* A name that is taken is dropped: servers {a, a}. */
    root = decode(arena,
                  "\x01\x04\x02\x01"
                  "a\x00\x01"
                  "a\x00",
                  9);
    assert_int_equal(bj_get(root, BJ_F(SCENARIO, SERVERS))->as.named.count, 1);
    /* A field that was given twice: the last one stays. */
    assert_string_equal(bj_get_string(decode(arena,
                                             "\x02\x01\x01"
                                             "a\x01\x01"
                                             "b",
                                             7),
                                      BJ_F(SCENARIO, TITLE), ""),
                        "b");
    bj_arena_unmap(arena);
}

/* repeat in repeat in repeat ...: cut where the loader would refuse it. */
static void test_depth(void **state) {
    (void) state;
    bj_arena *arena = arena_for_test();
    static const char one_repeat[] = { 1, BJ_K_REPEAT, 1, BJ_F(REPEAT, STEPS) }; /* one step of one field */
    char bytes[200];
    size_t used = 0;
    bytes[used++] = 1;
    bytes[used++] = BJ_F(SCENARIO, STEPS);
    for (int i = 0; i < 20; i++) {
        memcpy(bytes + used, one_repeat, sizeof one_repeat);
        used += sizeof one_repeat;
    }
    const bj_record *record = decode(arena, bytes, used);
    assert_round_trip(arena, record);
    int depth = 0;
    const bj_value *steps = bj_get(record, BJ_F(SCENARIO, STEPS));
    for (; steps && steps->as.records.count; depth++) {
        steps = bj_get(steps->as.records.items[0], BJ_F(REPEAT, STEPS));
    }
    assert_int_equal(depth, BJ_LIMIT_DEPTH);
    bj_arena_unmap(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loaded_programs), cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_no_bytes),        cmocka_unit_test(test_random_bytes),
        cmocka_unit_test(test_memory),          cmocka_unit_test(test_stable),
        cmocka_unit_test(test_positions),       cmocka_unit_test(test_too_few_positions),
        cmocka_unit_test(test_cutting),         cmocka_unit_test(test_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
