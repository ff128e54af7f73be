/* SPDX-License-Identifier: Apache-2.0
 *
 * The event log: what is appended is read back, a full or damaged log is survived, the same events are the same bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "log/eventlog.h"

enum { SIZE = 128 * 1024 };
static _Alignas(16) char memory[SIZE];
static _Alignas(16) char second[SIZE];

static const bj_event sample = {
    .time = 1500000,
    .kind = BJ_EV_SENT,
    .actor = BJ_ACTOR_CLIENT,
    .cause = 7,
    .position = { 12, 3 },
    .number = -1,
    .other = 2,
    .from = { 4, { 192, 0, 2, 1 }, 5683 },
    .to = { 6, { 0x20, 1, 0xd, 0xb8, [15] = 1 }, 5684 },
    .text = "text \"quoted\"",
    .raw = (const uint8_t *) "\x40\x00\xff",
    .raw_length = 3,
};

static void what_is_appended_is_read_back(void **state) {
    (void) state;
    bj_log *log = bj_log_create(memory, SIZE);
    assert_int_equal(bj_log_append(log, &sample), 1);
    assert_int_equal(bj_log_append(log, &(bj_event){ .kind = BJ_EV_RUN_END }), 2);
    bj_log *reader = bj_log_open(memory, SIZE);
    assert_non_null(reader);
    size_t cursor = 0;
    bj_event e;
    assert_true(bj_log_next(reader, &cursor, &e));
    assert_int_equal(e.sequence, 1);
    assert_int_equal(e.cause, 7);
    assert_int_equal(e.position.line, 12);
    assert_int_equal(e.number, -1);
    assert_true(bj_addr_equal(&e.from, &sample.from) && bj_addr_equal(&e.to, &sample.to));
    assert_memory_equal(e.text, sample.text, e.text_length);
    assert_int_equal(e.text_length, strlen(sample.text));
    assert_memory_equal(e.raw, sample.raw, 3);
    assert_true(bj_log_next(reader, &cursor, &e));
    assert_null(e.text);
    assert_null(e.raw);
    assert_false(bj_log_next(reader, &cursor, &e));
}

static void json_is_the_published_schema(void **state) {
    (void) state;
    BJ_TEXT(out, 512);
    bj_event e = sample;
    e.sequence = 9;
    e.text_length = strlen(e.text);
    bj_event_json(&out, &e, NULL);
    assert_string_equal(out.start,
                        "{\"v\":1,\"seq\":9,\"t\":1.500000,\"kind\":\"sent\",\"actor\":1,\"cause\":7,\"line\":12,"
                        "\"column\":3,\"number\":-1,\"other\":2,\"from\":\"192.0.2.1:5683\","
                        "\"to\":\"[2001:db8::1]:5684\",\"text\":\"text \\\"quoted\\\"\",\"raw\":\"4000ff\"}");
}

static void a_full_log_counts_what_it_lost(void **state) {
    (void) state;
    bj_log *log = bj_log_create(memory, SIZE);
    uint32_t kept = 0;
    for (int i = 0; i < 10000; i++) {
        kept += bj_log_append(log, &sample) != 0;
    }
    assert_true(kept > 100 && kept < 10000);
    assert_int_equal(bj_log_lost(log), 10000 - kept);
    bj_event e;
    size_t cursor = 0;
    uint32_t read = 0;
    while (bj_log_next(log, &cursor, &e)) {
        read++;
    }
    assert_int_equal(read, kept);
    assert_true(bj_log_find(log, kept, &e) && e.sequence == kept);
    assert_true(bj_log_find(log, 1, &e) && e.sequence == 1);
    assert_false(bj_log_find(log, kept + 1, &e));
    assert_false(bj_log_find(log, 0, &e));
}

static void old_events_are_found_by_walking(void **state) {
    (void) state;
    size_t size = 4 << 20;
    char *big = aligned_alloc(16, size);
    bj_log *log = bj_log_create(big, size);
    for (int i = 0; i < 9000; i++) {
        assert_int_not_equal(bj_log_append(log, &(bj_event){ .kind = BJ_EV_NOTE, .number = i }), 0);
    }
    bj_event e;
    assert_true(bj_log_find(log, 3, &e));
    assert_int_equal(e.number, 2);
    assert_true(bj_log_find(log, 8999, &e));
    assert_int_equal(e.number, 8998);
    free(big);
}

static void a_damaged_log_ends_early(void **state) {
    (void) state;
    bj_log *log = bj_log_create(memory, SIZE);
    bj_log_append(log, &sample);
    bj_log_append(log, &sample);
    for (size_t at = 0; at < 40000; at += 3) {
        memcpy(second, memory, SIZE);
        second[at] = (char) (second[at] ^ 0x5A);
        bj_log *damaged = bj_log_open(second, SIZE);
        bj_event e;
        size_t cursor = 0;
        int read = 0;
        while (damaged && bj_log_next(damaged, &cursor, &e)) {
            assert_true(++read <= 2);
        }
    }
    memset(second, 0, SIZE);
    assert_null(bj_log_open(second, SIZE));
}

static void same_events_are_same_bytes(void **state) {
    (void) state;
    memset(memory, 0x11, SIZE);
    memset(second, 0x22, SIZE);
    bj_log *logs[] = { bj_log_create(memory, SIZE), bj_log_create(second, SIZE) };
    bj_event dirty = sample;
    memset(dirty.from.ip + 4, 0x33, 12); /* unused bytes of an IPv4 address */
    bj_log_append(logs[0], &sample);
    bj_log_append(logs[1], &dirty);
    size_t end = 0;
    for (bj_event e; bj_log_next(logs[0], &end, &e);) {
    }
    assert_memory_equal(memory, second, end);
}

static void every_kind_has_a_name(void **state) {
    (void) state;
    for (int kind = BJ_EV_RUN_BEGIN; kind <= BJ_EV_RULE; kind++) {
        assert_non_null(bj_event_kind_name((bj_event_kind) kind));
    }
    assert_null(bj_event_kind_name((bj_event_kind) 200));
    assert_string_equal(bj_verdict_name(BJ_INCONCLUSIVE), "inconclusive");
    assert_null(bj_verdict_name(BJ_VERDICT_NONE));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_appended_is_read_back),  cmocka_unit_test(json_is_the_published_schema),
        cmocka_unit_test(a_full_log_counts_what_it_lost), cmocka_unit_test(old_events_are_found_by_walking),
        cmocka_unit_test(a_damaged_log_ends_early),       cmocka_unit_test(same_events_are_same_bytes),
        cmocka_unit_test(every_kind_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
