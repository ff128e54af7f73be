/* SPDX-License-Identifier: Apache-2.0
 *
 * Arena, text, addresses and durations.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/arena.h"

static void arena_blocks_are_zeroed_aligned_and_used_again(void **state) {
    (void) state;
    bj_arena *arena = bj_arena_map(1 << 20);
    char *a = bj_arena_alloc(arena, 100);
    assert_int_equal((uintptr_t) a & 15, 0);
    memset(a, 0xFF, 100);
    bj_arena_free(arena, a);
    char *b = bj_arena_alloc(arena, 90);
    assert_ptr_equal(a, b);
    for (int i = 0; i < 90; i++) {
        assert_int_equal(b[i], 0);
    }
    size_t before = bj_arena_in_use(arena);
    for (int i = 0; i < 100000; i++) { /* far more than the arena holds */
        bj_arena_free(arena, bj_arena_alloc(arena, 1000));
    }
    assert_int_equal(bj_arena_in_use(arena), before);
    assert_true(bj_arena_peak(arena) >= before + 1000);
    bj_arena_unmap(arena);
}

static void arena_realloc_keeps_and_zeroes(void **state) {
    (void) state;
    bj_arena *arena = bj_arena_map(1 << 20);
    char *a = bj_arena_realloc(arena, NULL, 4);
    a[0] = 'a';
    a[1] = 'b';
    a[2] = 'c';
    a[3] = 'd';
    a = bj_arena_realloc(arena, a, 2);
    a = bj_arena_realloc(arena, a, 30);
    assert_memory_equal(a, "ab\0\0", 4);
    a = bj_arena_realloc(arena, a, 5000);
    assert_memory_equal(a, "ab\0\0", 4);
    assert_int_equal(a[4999], 0);
    bj_arena_unmap(arena);
}

static void arena_reset_makes_it_new(void **state) {
    (void) state;
    bj_arena *arena = bj_arena_map(1 << 20);
    char *first = bj_arena_alloc(arena, 1000);
    memset(first, 'x', 1000);
    bj_arena_free(arena, bj_arena_strdup(arena, "freed"));
    bj_arena_reset(arena);
    assert_int_equal(bj_arena_in_use(arena), 0);
    char *again = bj_arena_alloc(arena, 1000);
    assert_ptr_equal(again, first);
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(again[i], 0);
    }
    bj_arena_unmap(arena);
}

/* Blocks at the front, across its end and behind it, used and given back in some inputs and not in others. */
static void arena_reset_often_leaves_no_bytes_behind(void **state) {
    static const size_t sizes[] = { 1000, 30, 40000, 5000, 1000, 100000 };
    (void) state;
    bj_arena *arena = bj_arena_map(1 << 20);
    for (size_t round = 0; round < 12; round++) {
        for (size_t i = round % 3; i < sizeof sizes / sizeof sizes[0] - round % 2; i++) {
            char *block = bj_arena_alloc(arena, sizes[i]);
            for (size_t at = 0; at < sizes[i]; at++) {
                assert_int_equal(block[at], 0);
            }
            memset(block, 'x', sizes[i]);
            if (i % 2) {
                bj_arena_free(arena, block);
            }
        }
        bj_arena_reset(arena);
    }
    bj_arena_unmap(arena);
}

static void text_is_cut_and_says_so(void **state) {
    (void) state;
    char buffer[8];
    bj_text t = bj_text_over(buffer, sizeof buffer);
    bj_text_add(&t, "1234567");
    assert_false(t.cut);
    bj_text_add(&t, "8");
    assert_true(t.cut);
    assert_string_equal(buffer, "1234\xe2\x80\xa6");
    bj_text_printf(&t, "%d", 9);
    assert_string_equal(buffer, "1234\xe2\x80\xa6");
    t = bj_text_over(buffer, sizeof buffer);
    bj_text_add(&t, "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"); /* never half a character */
    assert_string_equal(buffer, "\xc3\xa4\xc3\xa4\xe2\x80\xa6");
}

static void text_grows_by_characters_and_numbers(void **state) {
    (void) state;
    BJ_TEXT(text, 100);
    bj_text_add_char(&text, 'a');
    bj_text_add_number(&text, 0);
    bj_text_add_char(&text, ' ');
    bj_text_add_number(&text, UINT64_MAX);
    assert_string_equal(text.start, "a0 18446744073709551615");
    bj_text_add_char(&text, ' ');
    bj_text_add_signed(&text, INT64_MIN);
    bj_text_add_signed(&text, -1);
    bj_text_add_char(&text, ' ');
    bj_text_add_signed(&text, INT64_MAX);
    assert_string_equal(text.start, "a0 18446744073709551615 -9223372036854775808-1 9223372036854775807");
    assert_false(text.cut);
    BJ_TEXT(small, 6);
    for (unsigned i = 0; i < 5; i++) {
        bj_text_add_char(&small, 'x');
    }
    assert_string_equal(small.start, "xxxxx");
    bj_text_add_char(&small, 'x');
    assert_string_equal(small.start, "xx\xe2\x80\xa6");
    bj_text_add_char(&small, 'x');
    bj_text_add_number(&small, 1);
    assert_string_equal(small.start, "xx\xe2\x80\xa6");
    assert_true(small.cut);
}

static void json_strings_survive_any_bytes(void **state) {
    (void) state;
    BJ_TEXT(t, 100);
    bj_text_json_string(&t, "a\"\\\n\x01\xff\xc3\xa4\xed\xa0\x80", 11);
    assert_string_equal(t.start, "\"a\\\"\\\\\\n\\u0001\\u00ff\xc3\xa4\\u00ed\\u00a0\\u0080\"");
}

static void addresses_are_parsed_and_printed(void **state) {
    (void) state;
    static const char *const good[] = { "192.0.2.1", "192.0.2.1:5683", "2001:db8::1", "[2001:db8::1]:5683", "::1" };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        bj_addr a;
        assert_true(bj_addr_parse(good[i], strlen(good[i]), &a));
        BJ_TEXT(t, 64);
        bj_addr_print(&t, &a);
        assert_string_equal(t.start, good[i]);
    }
    static const char *const bad[] = { "",       "host", "1.2.3",  "1.2.3.4:",      "1.2.3.4:x", "1.2.3.4:65536",
                                       "[::1]x", "[::1", "[::1]:", "1.2.3.4:123456" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        bj_addr a;
        assert_false(bj_addr_parse(bad[i], strlen(bad[i]), &a));
    }
}

static void durations_are_parsed_and_printed(void **state) {
    (void) state;
    static const struct {
        const char *text;
        bj_time us;
        const char *printed;
    } cases[] = {
        { "10s", 10 * BJ_SECOND, "10s" },
        { "1.5s", 1500 * BJ_MS, "1s500ms" },
        { "1.5ms", 1500, "1ms500us" },
        { "0", 0, "0" },
        { "1h30m", 5400 * BJ_SECOND, "1h30m" },
        { "2d", 172800 * BJ_SECOND, "2d" },
        { "7us", 7, "7us" },
        { "0.001s", 1000, "1ms" },
        { "90s", 90 * BJ_SECOND, "1m30s" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bj_time us;
        assert_true(bj_duration_parse(cases[i].text, strlen(cases[i].text), &us));
        assert_int_equal(us, cases[i].us);
        BJ_TEXT(t, 64);
        bj_duration_print(&t, us);
        assert_string_equal(t.start, cases[i].printed);
        assert_true(bj_duration_parse(t.start, t.used, &us));
        assert_int_equal(us, cases[i].us);
    }
    static const char *const bad[] = { "", "10", "ten", "10 s", "s", "1.s", "0.5us", "-1s", "99999999999999999999s" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        bj_time us;
        assert_false(bj_duration_parse(bad[i], strlen(bad[i]), &us));
    }
}

static void factors_are_parsed(void **state) {
    (void) state;
    static const struct {
        const char *text;
        uint64_t millionths;
    } cases[] = {
        { "1", 1000000 }, { "1.5", 1500000 }, { "1.000001", 1000001 }, { "999", 999000000 }, { "2.00000049", 2000000 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t found;
        assert_true(bj_factor_parse(cases[i].text, strlen(cases[i].text), &found));
        assert_int_equal(found, cases[i].millionths);
    }
    static const char *const bad[] = { "", "0.5", "01", "1000", "1.", ".5", "1.5.1", "192.0.2.1", "+1", "1e2", " 1" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t found = 7;
        assert_false(bj_factor_parse(bad[i], strlen(bad[i]), &found));
        assert_int_equal(found, 7);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_blocks_are_zeroed_aligned_and_used_again),
        cmocka_unit_test(arena_realloc_keeps_and_zeroes),
        cmocka_unit_test(arena_reset_makes_it_new),
        cmocka_unit_test(arena_reset_often_leaves_no_bytes_behind),
        cmocka_unit_test(text_is_cut_and_says_so),
        cmocka_unit_test(text_grows_by_characters_and_numbers),
        cmocka_unit_test(json_strings_survive_any_bytes),
        cmocka_unit_test(addresses_are_parsed_and_printed),
        cmocka_unit_test(durations_are_parsed_and_printed),
        cmocka_unit_test(factors_are_parsed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
