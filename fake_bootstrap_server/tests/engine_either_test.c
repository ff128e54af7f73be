/* SPDX-License-Identifier: Apache-2.0
 *
 * Alternatives: which branch wins, what is said when none does, and that everything behind an `either` goes on.
 */
#include "engine_fixture.h"

#define BEGUN "  - request: {path: /bs}\n  - respond: 2.04\n"

static void bootstrap_begins(void) {
    pass_until(1200 * BJ_MS);
    client_requests(BS, POST, "/bs", "ep=dev-1");
    client_gets();
}

static void expect_branch(const char *name) {
    bj_event branch = logged(BJ_EV_BRANCH);
    assert_int_equal(count_logged(BJ_EV_BRANCH), 1);
    assert_int_equal(branch.text_length, strlen(name));
    assert_memory_equal(branch.text, name, branch.text_length);
}

#define REFUSED_OR_LATER                                                                                               \
    BEGUN "  - either:\n"                                                                                              \
          "      refused:\n        - finish: {expect: 4.06}\n"                                                         \
          "      later:\n        - finish: {expect: 2.04}\n        - request: {to: bs, path: /bs, at: due(holdoff)}\n"

static void the_answer_chooses(void **state) {
    (void) state;
    begin_steps(REFUSED_OR_LATER);
    bootstrap_begins();
    client_obeys(CODE(4, 6));
    expect_pass();
    expect_branch("refused");
    begin_steps(REFUSED_OR_LATER);
    bootstrap_begins();
    client_obeys(CODE(2, 4));
    expect_running();
    expect_branch("later");
    pass_until(taken.time + 2 * BJ_SECOND);
    client_requests(BS, POST, "/bs", "ep=dev-1");
    expect_pass();
    assert_int_equal(w.inbox_count, 0);
}

static void no_branch_fits(void **state) {
    (void) state;
    begin_steps(REFUSED_OR_LATER);
    bootstrap_begins();
    client_obeys(CODE(5, 0));
    expect_fail(
        "no branch fits: 'refused': expected 4.06 to POST /bs, the client answered 5.00; 'later': expected 2.04 to "
        "POST /bs, the client answered 5.00");
}

static void the_chosen_branch_fails_later(void **state) {
    (void) state;
    begin_steps(REFUSED_OR_LATER);
    bootstrap_begins();
    client_obeys(CODE(2, 4));
    client_requests(MGMT, POST, "/rd", NULL);
    expect_fail("expected a request to /bs at bs, the client sent POST /rd to mgmt");
}

static void requests_choose(void **state) {
    (void) state;
    static const char steps[] = BEGUN "  - either:\n"
                                      "      registers:\n        - request: {path: /rd}\n        - respond: 2.01\n"
                                      "      begins again:\n        - request: {path: /bs}\n        - respond: 4.00\n"
                                      "  - silence: 1s\n";
    begin_steps(steps);
    bootstrap_begins();
    client_requests(MGMT, POST, "/rd", NULL);
    assert_int_equal(client_gets().code, CODE(2, 1));
    pass(2 * BJ_SECOND);
    expect_pass();
    expect_branch("registers");
    begin_steps(steps);
    bootstrap_begins();
    client_requests(BS, POST, "/bs", NULL);
    assert_int_equal(client_gets().code, CODE(4, 0));
    pass(2 * BJ_SECOND);
    expect_pass();
    expect_branch("begins again");
    begin_steps(steps);
    bootstrap_begins();
    client_requests(BS, POST, "/other", NULL);
    expect_fail(
        "no branch fits: 'registers': expected a request to /rd, the client sent POST /other to bs; 'begins again'");
}

static void silence_or_a_request(void **state) {
    (void) state;
    static const char steps[] =
        BEGUN "  - either:\n"
              "      quiet:\n        - silence: 5s\n"
              "      loud:\n        - request: {path: /rd, within: 5s}\n        - respond: 2.01\n"
              "  - request: {path: /end}\n";
    begin_steps(steps);
    bootstrap_begins();
    pass(6 * BJ_SECOND);
    client_requests(MGMT, GET, "/end", NULL);
    expect_pass();
    expect_branch("quiet");
    begin_steps(steps);
    bootstrap_begins();
    client_requests(MGMT, POST, "/rd", NULL);
    client_gets();
    client_requests(MGMT, GET, "/end", NULL);
    expect_pass();
    expect_branch("loud");
}

/* A branch that is through waits for one that has seen the same; the next observation settles it. */
static void the_complete_branch_waits(void **state) {
    (void) state;
    static const char steps[] =
        BEGUN "  - either:\n"
              "      done:\n        - finish: {expect: 2.04}\n"
              "      more:\n        - finish: {expect: 2.04}\n        - request: {path: /bs}\n        - respond: 4.00\n"
              "  - request: {path: /rd}\n  - respond: 2.01\n";
    begin_steps(steps);
    bootstrap_begins();
    client_obeys(CODE(2, 4));
    expect_running();
    assert_int_equal(count_logged(BJ_EV_BRANCH), 0);
    client_requests(MGMT, POST, "/rd", NULL);
    expect_pass();
    expect_branch("done");
    begin_steps(steps);
    bootstrap_begins();
    client_obeys(CODE(2, 4));
    client_requests(BS, POST, "/bs", NULL);
    assert_int_equal(client_gets().code, CODE(4, 0));
    expect_branch("more");
    client_requests(MGMT, POST, "/rd", NULL);
    expect_pass();
}

/* Both are through: the first of the script is said to have been seen, and the servers answer once. */
static void both_fit(void **state) {
    (void) state;
    begin_steps(
        "  - either:\n      one:\n        - request: {path: /bs}\n      two:\n        - request: {method: POST}\n"
        "  - respond: 2.04\n  - silence: 1s\n");
    bootstrap_begins();
    assert_int_equal(w.inbox_count, 0);
    pass(2 * BJ_SECOND);
    expect_pass();
    expect_branch("one");
}

/* A branch that acts wins over one that only waits (a clock chose, not a message). */
static void acting_wins_over_waiting(void **state) {
    (void) state;
    static const char steps[] =
        BEGUN "  - either:\n"
              "      goes on:\n        - silence: 20s\n        - delete: /0\n          expect: 2.02\n"
              "      begins again:\n        - request: {path: /bs, at: 5s..50s}\n";
    begin_steps(steps);
    bootstrap_begins();
    pass(20 * BJ_SECOND);
    client_obeys(CODE(2, 2));
    expect_pass();
    expect_branch("goes on");
    begin_steps(steps);
    bootstrap_begins();
    pass(10 * BJ_SECOND);
    client_requests(BS, POST, "/bs", NULL);
    expect_pass();
    expect_branch("begins again");
}

/* One took a request that the other, waiting for an answer, did not: it wins. */
static void who_took_the_request_wins(void **state) {
    (void) state;
    begin_steps(BEGUN "  - finish: {wait: false}\n  - either:\n      no answer:\n        - silence: 5s\n"
                      "      refused:\n        - response: 4.00\n        - silence: 5s\n"
                      "  - request: {path: /bs}\n  - respond: 5.03\n");
    bootstrap_begins();
    client_gets();
    pass(6 * BJ_SECOND);
    w.inbox_count = 0;
    client_requests(BS, POST, "/bs", "again=1");
    assert_int_equal(client_gets().code, CODE(5, 3));
    expect_pass();
    expect_branch("no answer");
}

static void an_answer_breaks_the_silence_of_its_branch(void **state) {
    (void) state;
    begin_steps(BEGUN "  - finish: {wait: false}\n  - either:\n      no answer:\n        - silence: 5s\n"
                      "      refused:\n        - response: 4.00\n        - silence: 5s\n"
                      "  - request: {path: /bs}\n  - respond: 5.03\n");
    bootstrap_begins();
    client_obeys(CODE(4, 0));
    expect_branch("refused");
    pass(6 * BJ_SECOND);
    client_requests(BS, POST, "/bs", "again=1");
    expect_pass();
}

#define NESTED                                                                                                         \
    "  - either:\n"                                                                                                    \
    "      a:\n        - request: {path: /a}\n        - respond: 2.05\n"                                               \
    "        - either:\n"                                                                                              \
    "            aa:\n              - request: {path: /aa}\n              - respond: 2.05\n"                           \
    "            ab:\n              - request: {path: /ab}\n              - respond: 4.04\n"                           \
    "      b:\n        - request: {path: /b}\n        - respond: 2.05\n"                                               \
    "  - request: {path: /end}\n"

static void nested(const char *one, const char *two, const char *branches) {
    begin_steps(NESTED);
    client_requests(BS, GET, one, NULL);
    client_gets();
    if (two) {
        client_requests(BS, GET, two, NULL);
        client_gets();
    }
    client_requests(BS, GET, "/end", NULL);
    expect_pass();
    char seen[64] = "";
    size_t cursor = 0;
    bj_event event;
    while (bj_log_next(w.log, &cursor, &event)) {
        if (event.kind == BJ_EV_BRANCH) {
            snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%.*s ", (int) event.text_length, event.text);
        }
    }
    assert_string_equal(seen, branches);
}

static void alternatives_within_alternatives(void **state) {
    (void) state;
    nested("/a", "/aa", "a aa ");
    nested("/a", "/ab", "a ab ");
    nested("/b", NULL, "b ");
    begin_steps(NESTED);
    client_requests(BS, GET, "/a", NULL);
    client_gets();
    client_requests(BS, GET, "/b", NULL);
    expect_fail("no branch fits: 'aa': expected a request to /aa, the client sent GET /b to bs; 'ab':");
}

/* Two levels that are both open at once. */
static void nested_at_the_first_step(void **state) {
    (void) state;
    begin_steps("  - either:\n      x:\n        - either:\n            xx: [{request: {path: /1}}]\n            xy: "
                "[{request: {path: /2}}]\n"
                "      y: [{request: {path: /3}}]\n  - respond: 2.05\n  - silence: 1s\n");
    client_requests(BS, GET, "/2", NULL);
    client_gets();
    pass(2 * BJ_SECOND);
    expect_pass();
    assert_int_equal(count_logged(BJ_EV_BRANCH), 2);
}

static void alternatives_in_a_loop(void **state) {
    (void) state;
    begin_steps(
        "  - repeat: 40\n    steps:\n      - either:\n"
        "          even:\n            - request: {path: /0}\n          odd:\n            - request: {path: /1}\n"
        "          any:\n            - request: {method: GET}\n"
        "      - respond: 2.05\n");
    for (int i = 0; i < 40; i++) {
        expect_running();
        client_requests(BS, GET, i % 2 ? "/1" : "/0", NULL);
        client_gets();
    }
    expect_pass();
    assert_int_equal(count_logged(BJ_EV_BRANCH), 40);
}

static void servers_cannot_act_in_two_ways(void **state) {
    (void) state;
    begin_steps(BEGUN "  - either:\n      one:\n        - delete: /0\n      two:\n        - delete: /1\n");
    bootstrap_begins();
    expect_verdict(BJ_ERROR, "the servers would act differently");
    assert_int_equal(logged(BJ_EV_VERDICT).position.line, 10);
}

static void captures_are_a_branchs_own(void **state) {
    (void) state;
    begin_steps("  - either:\n      one:\n        - request: {path: /a, capture: x}\n        - request: {path: /b}\n"
                "      two:\n        - request: {path: /a}\n        - request: {path: /c, capture: x}\n"
                "  - respond: {code: 2.05, text: \"${x.path}\"}\n");
    client_requests(BS, GET, "/a", NULL);
    client_requests(BS, GET, "/c", NULL);
    bj_coap m = client_gets();
    assert_int_equal(m.payload_length, 2);
    assert_memory_equal(m.payload, "/c", 2);
    expect_pass();
}

static void the_time_runs_out_for_all(void **state) {
    (void) state;
    begin_steps(BEGUN "  - either:\n      soon:\n        - request: {path: /rd, within: 5s}\n      late:\n"
                      "        - request: {path: /bs, within: 9s}\n");
    bootstrap_begins();
    pass(8 * BJ_SECOND);
    expect_running();
    expect_branch("late");
    pass(8 * BJ_SECOND);
    expect_fail("expected a request to /bs until 10.20");
    assert_non_null(strstr(reason(), "(the other branch: 'soon': expected a request to /rd until 6.20"));
}

static void a_gap_in_one_branch(void **state) {
    (void) state;
    static const char steps[] = BEGUN "  - either:\n      lawful:\n        - finish: {expect: 4.06}\n      gap:\n"
                                      "        - finish: {expect: 2.04}\n        - inconclusive: nobody knows\n";
    begin_steps(steps);
    bootstrap_begins();
    client_obeys(CODE(2, 4));
    expect_verdict(BJ_INCONCLUSIVE, "nobody knows");
    begin_steps(steps);
    bootstrap_begins();
    client_obeys(CODE(4, 6));
    expect_pass();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_answer_chooses),
        cmocka_unit_test(no_branch_fits),
        cmocka_unit_test(the_chosen_branch_fails_later),
        cmocka_unit_test(requests_choose),
        cmocka_unit_test(silence_or_a_request),
        cmocka_unit_test(the_complete_branch_waits),
        cmocka_unit_test(both_fit),
        cmocka_unit_test(acting_wins_over_waiting),
        cmocka_unit_test(who_took_the_request_wins),
        cmocka_unit_test(an_answer_breaks_the_silence_of_its_branch),
        cmocka_unit_test(alternatives_within_alternatives),
        cmocka_unit_test(nested_at_the_first_step),
        cmocka_unit_test(alternatives_in_a_loop),
        cmocka_unit_test(servers_cannot_act_in_two_ways),
        cmocka_unit_test(captures_are_a_branchs_own),
        cmocka_unit_test(the_time_runs_out_for_all),
        cmocka_unit_test(a_gap_in_one_branch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
