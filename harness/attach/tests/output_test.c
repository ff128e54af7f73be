/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's output: lines out of pieces, and what sanitizers say in it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "attach/output.h"

static void say(bj_output *output, int descriptor, const char *text) {
    bj_output_take(output, descriptor, text, strlen(text), 7);
}

static void lines_out_of_pieces(void **state) {
    (void) state;
    bj_output output = { 0 };
    say(&output, 1, "one\ntw");
    say(&output, 2, "err");
    say(&output, 1, "o\n\nthree");
    bj_output_end(&output, 9);
    static const char *const expected[] = { "one", "two", "", "three", "err" };
    assert_int_equal(output.count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(output.lines[i].text, expected[i]);
    }
    assert_int_equal(output.lines[0].after, 7);
    assert_int_equal(output.lines[4].descriptor, 2);
    assert_int_equal(output.lines[4].after, 9);
    bj_output_free(&output);
}

static void a_line_without_end(void **state) {
    (void) state;
    bj_output output = { 0 };
    char text[BJ_OUTPUT_LINE + 10];
    memset(text, 'x', sizeof text);
    bj_output_take(&output, 1, text, sizeof text, 0);
    bj_output_end(&output, 0);
    assert_int_equal(output.count, 2);
    assert_int_equal(strlen(output.lines[0].text), BJ_OUTPUT_LINE);
    assert_int_equal(strlen(output.lines[1].text), 10);
    bj_output_free(&output);
}

static void what_sanitizers_say(void **state) {
    (void) state;
    static const struct {
        const char *line, *found;
    } cases[] = {
        { "==12==ERROR: AddressSanitizer: heap-use-after-free on address 0x1",
          "AddressSanitizer: heap-use-after-free" },
        { "==12==ERROR: LeakSanitizer: detected memory leaks", "LeakSanitizer: detected" },
        { "a.c:3:4: runtime error: signed integer overflow", "a.c:3:4: runtime error" },
        { "AddressSanitizer: is a fine tool", NULL },
        { "all is well", NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bj_output output = { 0 };
        say(&output, 2, cases[i].line);
        bj_output_end(&output, 0);
        const char *found = bj_output_sanitizer(&output);
        if (!cases[i].found) {
            assert_null(found);
        } else {
            assert_non_null(found);
            assert_true(found && strncmp(found, cases[i].found, strlen(cases[i].found)) == 0);
        }
        bj_output_free(&output);
    }
}

static void first_and_last_of_a_flood(void **state) {
    (void) state;
    bj_output output = { 0 };
    for (unsigned i = 0; i < BJ_OUTPUT_KEPT + 1000; i++) {
        bool report = i == BJ_OUTPUT_KEPT + 200 || i == BJ_OUTPUT_KEPT + 999;
        say(&output, 2, report ? "==1==ERROR: AddressSanitizer: " : "line ");
        char number[20];
        snprintf(number, sizeof number, "%u\n", i);
        say(&output, 2, number);
    }
    bj_output_end(&output, 0);
    assert_int_equal(output.count, BJ_OUTPUT_KEPT + BJ_OUTPUT_LAST);
    assert_string_equal(output.lines[BJ_OUTPUT_KEPT - 1].text, "line 19999");
    assert_int_equal(output.lines[BJ_OUTPUT_KEPT].left_out, 1000 - BJ_OUTPUT_LAST);
    assert_string_equal(output.lines[BJ_OUTPUT_KEPT].text, "line 20850");
    assert_string_equal(output.lines[output.count - 1].text, "==1==ERROR: AddressSanitizer: 20999");
    assert_string_equal(bj_output_sanitizer(&output), "AddressSanitizer: 20200"); /* though it was not kept */
    bj_output_free(&output);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_out_of_pieces),
        cmocka_unit_test(a_line_without_end),
        cmocka_unit_test(what_sanitizers_say),
        cmocka_unit_test(first_and_last_of_a_flood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
