/* SPDX-License-Identifier: Apache-2.0
 *
 * A script that grows: steps come when the script is through with those that it has, while nothing moves; and it all
 * means the same as in one piece.
 */
#include "engine_fixture.h"
#include "script/print.h"

/* What is given, one after the other; then the end. */
static struct {
    const char *steps[24];
    unsigned count, given;
    bj_fed end;
    bj_time asked; /* when it was asked last */
    bj_script *script;
} food;

static bj_fed feed(void *context, const bj_record **steps) {
    bj_mistakes mistakes = { 0 };
    assert_ptr_equal(context, &food);
    food.asked = w.now;
    if (food.given == food.count) {
        return food.end;
    }
    const char *text = food.steps[food.given++];
    *steps = bj_script_take(food.script, text, strlen(text), (bj_position){ 100 + food.given, 7 }, &mistakes);
    if (!*steps) {
        fail_msg("%s", mistakes.items[0].text);
    }
    return BJ_FED_STEPS;
}

static void begin_fed(const char *head, const char *const *steps, bj_fed end) {
    bj_mistakes mistakes = { 0 };
    world_reset();
    memset(&food, 0, sizeof food);
    food.end = end;
    while (steps[food.count]) {
        food.steps[food.count] = steps[food.count];
        food.count++;
    }
    food.script = bj_script_begin(w.arena, "test", head, strlen(head), &mistakes);
    assert_non_null(food.script);
    w.engine = bj_engine_new(w.arena, bj_script_whole(food.script), NULL, &w, &w.ops);
    bj_engine_set_feed(w.engine, feed, &food);
    bj_engine_start(w.engine);
}

static void bootstrap_begins(void) {
    pass_until(1200 * BJ_MS);
    client_requests(BS, POST, "/bs", "ep=dev-1");
    client_gets();
}

static void steps_come_when_they_are_needed(void **state) {
    (void) state;
    begin_fed(
        SCENARIO_1S,
        (const char *[]){ "request: {path: /bs}", "respond: 2.04", "[advance: 3s, finish: {expect: 2.04}]", NULL },
        BJ_FED_END);
    assert_int_equal(food.given, 1);
    expect_running();
    pass_until(1200 * BJ_MS);
    client_requests(BS, POST, "/bs", "ep=dev-1");
    assert_int_equal(client_gets().code, CODE(2, 4));
    assert_int_equal(food.given, 3);
    bj_time begun = food.asked;
    pass(4 * BJ_SECOND);
    client_obeys(CODE(2, 4));
    expect_pass();
    assert_true(food.asked >= begun + 3 * BJ_SECOND);
    assert_int_equal(logged(BJ_EV_STEP_END).position.line, 103);
}

static void a_failure_is_where_the_step_stands(void **state) {
    (void) state;
    begin_fed(SCENARIO_1S, (const char *[]){ "request: {path: /bs}", "respond: 2.04", "finish: {expect: 2.04}", NULL },
              BJ_FED_END);
    bootstrap_begins();
    client_obeys(CODE(4, 6));
    expect_fail("expected 2.04 to POST /bs, the client answered 4.06");
    assert_int_equal(logged(BJ_EV_VERDICT).position.line, 103);
    assert_int_equal(logged(BJ_EV_VERDICT).position.column, 7);
}

/* The end is asked for as in any script: nothing may be left that was not awaited. */
static void the_end_is_an_end(void **state) {
    (void) state;
    begin_fed(SCENARIO_1S "steps:\n  - advance: 5s\n", (const char *[]){ NULL }, BJ_FED_END);
    pass_until(1200 * BJ_MS);
    client_requests(BS, POST, "/bs", "ep=dev-1");
    expect_running();
    pass(5 * BJ_SECOND);
    expect_fail("expected nothing more, the client sent POST /bs?ep=dev-1 to bs");
}

#define EITHER "either: {quiet: [silence: 5s], loud: [{request: {path: /rd, within: 5s}}, respond: 2.01]}"

/* Behind an `either` whose branches are all possible still, the first that is through asks, and the others go on with
 * the same steps. */
static void branches_go_on_with_what_the_first_was_given(void **state) {
    (void) state;
    const char *const steps[] = { "request: {path: /bs}", "respond: 2.04", EITHER, "request: {path: /end}", NULL };
    begin_fed(SCENARIO_1S, steps, BJ_FED_END);
    bootstrap_begins();
    pass(6 * BJ_SECOND);
    client_requests(MGMT, GET, "/end", NULL);
    expect_pass();
    begin_fed(SCENARIO_1S, steps, BJ_FED_END);
    bootstrap_begins();
    client_requests(MGMT, POST, "/rd", NULL);
    assert_int_equal(client_gets().code, CODE(2, 1));
    client_requests(MGMT, GET, "/end", NULL);
    expect_pass();
}

/* More steps than the list has room for at first, while a loop and a branch stand in it. */
static void the_list_grows_under_the_cursors(void **state) {
    (void) state;
    const char *steps[] = { "request: {path: /bs}",
                            "respond: 2.04",
                            "note: 3",
                            "note: 4",
                            "note: 5",
                            "note: 6",
                            "note: 7",
                            "note: 8",
                            "note: 9",
                            "note: 10",
                            "note: 11",
                            "note: 12",
                            "note: 13",
                            "note: 14",
                            EITHER,
                            "[note: 16, note: 17, note: 18, note: 19, note: 20]",
                            "request: {path: /end}",
                            NULL };
    begin_fed(SCENARIO_1S, steps, BJ_FED_END);
    bootstrap_begins();
    pass(1 * BJ_SECOND);
    client_requests(MGMT, POST, "/rd", NULL);
    client_gets();
    client_requests(MGMT, GET, "/end", NULL);
    expect_pass();
    assert_true(count_logged(BJ_EV_NOTE) >= 17);
}

static void what_the_world_cannot_do_is_a_skip(void **state) {
    (void) state;
    begin_fed(SCENARIO_1S, (const char *[]){ "file: state", NULL }, BJ_FED_END);
    expect_verdict(BJ_SKIP, "the client's files are not the world's");
}

static void steps_are_checked_by_those_before_them(void **state) {
    (void) state;
    static const char head[] = "client: {bootstrap: {uri: \"coap://bs.example\"}}\nservers: {bs: ~}\n";
    bj_mistakes mistakes;
    world_reset();
    bj_script *script = bj_script_begin(w.arena, "test", head, strlen(head), &mistakes);
    assert_non_null(script);
    static const struct {
        const char *step, *mistake, *suggestion; /* NULL: it is fine */
    } lines[] = {
        { "respond: 2.04", "respond: no request was awaited before this step", NULL },
        { "request: {path: /bs, capture: first}", NULL, NULL },
        { "respond: {code: 2.04, to: fist}", "no request was captured as 'fist' before this", "first" },
        { "respond: {code: 2.04, to: first}", NULL, NULL },
        { "writ: /0/1", "no verb in this step: 'writ' is none", "write" },
        { "{finish: {expected: 2.04}}", "finish has no field 'expected'", "expect" },
        { "{finish: {server: mgmt}}", "there is no server 'mgmt': the servers are bs", NULL },
        { "finish", "expected a step such as 'finish: {expect: 2.04}', or a list of steps, found 'finish'", NULL },
        { "{\"finish\": {\"expect\": \"2.04\"}}", NULL, NULL },
        { "[]", "expected a step such as 'finish: {expect: 2.04}', or a list of steps, found a list", NULL },
        { "{\"a\": ", "this is not YAML", NULL },
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const bj_record *step =
            bj_script_take(script, lines[i].step, strlen(lines[i].step), (bj_position){ 0, 0 }, &mistakes);
        assert_int_equal(step != NULL, lines[i].mistake == NULL);
        if (lines[i].mistake) {
            assert_non_null(strstr(mistakes.items[0].text, lines[i].mistake));
        }
        if (lines[i].suggestion) {
            assert_string_equal(mistakes.items[0].suggestion, lines[i].suggestion);
        }
    }
    bj_string text = bj_program_print(w.arena, bj_script_whole(script));
    assert_string_equal(text.bytes, "title: a script over the control channel\n"
                                    "client: {bootstrap: {uri: \"coap://bs.example\"}}\n"
                                    "servers: {bs: {}}\n"
                                    "steps:\n"
                                    "  - request: {path: /bs, capture: first}\n"
                                    "  - respond: {code: 2.04, to: first}\n"
                                    "  - finish: {expect: 2.04}\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_come_when_they_are_needed),
        cmocka_unit_test(a_failure_is_where_the_step_stands),
        cmocka_unit_test(the_end_is_an_end),
        cmocka_unit_test(branches_go_on_with_what_the_first_was_given),
        cmocka_unit_test(the_list_grows_under_the_cursors),
        cmocka_unit_test(what_the_world_cannot_do_is_a_skip),
        cmocka_unit_test(steps_are_checked_by_those_before_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
