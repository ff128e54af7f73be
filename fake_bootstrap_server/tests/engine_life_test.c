/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's own life as the script sees it: power cuts, starts, what its disk holds.
 */
#include "engine_fixture.h"

static struct {
    bool runs;
    int cuts, starts;
    bj_power_cut cut;
    bj_disk_order order;
    bool there;
    char name[32], content[100];
    bj_file_look file;
} life;

static int64_t fake_cut(bj_world *world, const bj_power_cut *cut) {
    (void) world;
    life.cut = *cut;
    if (!life.runs) {
        return -ESRCH;
    }
    if (cut->at_operation) {
        return 0;
    }
    life.cuts++;
    life.runs = false;
    return 1;
}

static int fake_start(bj_world *world) {
    (void) world;
    if (life.runs) {
        return -EALREADY;
    }
    life.starts++;
    life.runs = true;
    return 0;
}

static void fake_order(bj_world *world, const bj_disk_order *order) {
    (void) world;
    life.order = *order;
}

static void fake_put(bj_world *world, const char *name, const bj_file_look *file) {
    (void) world;
    snprintf(life.name, sizeof life.name, "%s", name);
    snprintf(life.content, sizeof life.content, "%.*s", (int) file->length, (const char *) file->data);
    life.file = *file;
    life.file.data = (const uint8_t *) life.content;
    life.there = true;
}

static bool fake_look(bj_world *world, const char *name, bj_file_look *file) {
    (void) world;
    *file = life.file;
    return life.there && !strcmp(name, "state");
}

static uint32_t cut_step;

static void live(const char *head, const char *steps, uint32_t can) {
    char yaml[4096];
    world_reset();
    memset(&life, 0, sizeof life);
    life.runs = true;
    w.ops.can |= can;
    w.ops.power_cut = fake_cut;
    w.ops.client_start = fake_start;
    w.ops.order_disk = fake_order;
    w.ops.put_file = fake_put;
    w.ops.look_at_file = fake_look;
    snprintf(yaml, sizeof yaml, "title: t\n%ssteps:\n%s", head, steps);
    bj_mistakes mistakes = { 0 };
    const bj_record *scenario = bj_load_bytes(w.arena, BJ_K_SCENARIO, "test", yaml, strlen(yaml), &mistakes);
    assert_non_null(scenario);
    w.engine = bj_engine_new(w.arena, scenario, NULL, &w, &w.ops);
    bj_engine_cut_at_step(w.engine, cut_step, 5);
    bj_engine_start(w.engine);
}

#define CLIENT "client: {bootstrap: {uri: \"coap://bs.example\", holdoff: 2s}, state: {}}\n"
#define ASK    "  - request: {to: bs, method: POST, path: /bs}\n"

static void live_steps(const char *steps) {
    live(CLIENT, steps, BJ_CAN_POWER_CUT | BJ_CAN_DISK);
}

static void dies_at_an_operation(void) {
    life.runs = false;
    bj_engine_power_cut(w.engine, 1);
}

static void cut_and_started_again(void **state) {
    (void) state;
    live_steps(ASK "  - power-cut: torn\n  - advance: 1h\n  - start: {}\n" ASK);
    pass(2500 * BJ_MS);
    client_requests(BS, POST, "/bs", NULL);
    assert_int_equal(life.cuts, 1);
    assert_int_equal(life.cut.keeps, BJ_KEEPS_TORN);
    assert_int_equal(life.cut.outcome, -1);
    pass(3599 * BJ_SECOND);
    assert_int_equal(life.starts, 0);
    pass(BJ_SECOND);
    assert_int_equal(life.starts, 1);
    expect_running();
    client_requests(BS, POST, "/bs", NULL);
    expect_pass();
}

static void the_dead_say_nothing(void **state) {
    (void) state;
    live_steps("  - power-cut: {outcome: 3}\n" ASK);
    assert_int_equal(life.cut.outcome, 3);
    expect_fail("the client's power was cut");
}

static void the_holdoff_counts_from_the_start(void **state) {
    (void) state;
    live_steps("  - power-cut: {}\n  - advance: 10s\n  - start: {}\n" ASK "    at: due(holdoff)\n");
    pass(10 * BJ_SECOND);
    pass(1900 * BJ_MS);
    client_requests(BS, POST, "/bs", NULL);
    expect_fail("not before");
    live_steps("  - power-cut: {}\n  - advance: 10s\n  - start: {}\n" ASK "    at: due(holdoff)\n");
    pass(10 * BJ_SECOND);
    pass(2100 * BJ_MS);
    client_requests(BS, POST, "/bs", NULL);
    expect_pass();
}

static void at_an_operation(void **state) {
    (void) state;
    live_steps("  - power-cut: {at-operation: 3, keeps: none}\n  - start: {}\n" ASK);
    assert_int_equal(life.cut.at_operation, 3);
    pass(BJ_SECOND);
    assert_int_equal(life.starts, 0);
    dies_at_an_operation();
    assert_int_equal(life.starts, 1);
    pass(2 * BJ_SECOND);
    client_requests(BS, POST, "/bs", NULL);
    expect_pass();
}

static void an_operation_that_does_not_come(void **state) {
    (void) state;
    live_steps("  - power-cut: {at-operation: 3, within: 5s}\n");
    pass(5 * BJ_SECOND);
    expect_running();
    pass(BJ_SECOND);
    expect_fail("expected 3 operations on the client's disk, which did not come");
}

static void wherever_the_power_goes(void **state) {
    (void) state;
    live(CLIENT "power-cuts:\n  - start: {}\n  - request: {to: mgmt, path: /rd}\n", ASK ASK,
         BJ_CAN_POWER_CUT | BJ_CAN_DISK);
    pass(2500 * BJ_MS);
    client_requests(BS, POST, "/bs", NULL);
    dies_at_an_operation();
    assert_int_equal(life.starts, 1);
    client_requests(MGMT, POST, "/rd", NULL);
    expect_pass();
    live_steps(ASK);
    dies_at_an_operation();
    expect_verdict(BJ_ERROR, "the scenario says nothing of power cuts");
}

static void at_a_step(void **state) {
    (void) state;
    cut_step = 3;
    live(CLIENT "power-cuts:\n  - start: {}\n  - request: {to: mgmt, path: /rd}\n", ASK "  - respond: 2.04\n" ASK,
         BJ_CAN_POWER_CUT | BJ_CAN_DISK);
    cut_step = 0;
    pass(2500 * BJ_MS);
    assert_int_equal(life.cuts, 0);
    client_requests(BS, POST, "/bs", NULL);
    assert_int_equal(life.cuts, 1);
    assert_int_equal(life.cut.outcome, 5);
    assert_int_equal(life.starts, 1);
    client_requests(MGMT, POST, "/rd", NULL);
    expect_pass();
}

static void what_the_dead_had_sent_is_passed_over(void **state) {
    (void) state;
    live(CLIENT "power-cuts:\n  - start: {}\n  - request: {to: mgmt, path: /rd}\n  - respond: 2.01\n", ASK ASK,
         BJ_CAN_POWER_CUT | BJ_CAN_DISK);
    pass(2500 * BJ_MS);
    bj_coap m = { .version = 1, .type = BJ_COAP_CON, .code = 2, .mid = 77 };
    bj_addr mgmt = server_address(MGMT);
    bj_coap_add_path(&m, BJ_COAP_URI_PATH, "/rd");
    client_sends(&mgmt, &m);
    pass(BJ_MS / 2);
    dies_at_an_operation();
    pass(BJ_MS);
    expect_running();
    assert_int_equal(count_logged(BJ_EV_PASSED_OVER), 1);
    client_requests(MGMT, POST, "/rd", NULL);
    expect_pass();
}

static void who_runs_is_not_started(void **state) {
    (void) state;
    live_steps("  - start: {}\n");
    expect_verdict(BJ_ERROR, "the client cannot be started: it runs");
    live_steps("  - power-cut: {}\n  - power-cut: {}\n");
    expect_verdict(BJ_ERROR, "the client's power cannot be cut: it does not run");
}

static void a_client_that_ended_may_be_started(void **state) {
    (void) state;
    live_steps("  - exit: 0\n  - start: {}\n" ASK);
    life.runs = false;
    bj_engine_client_exited(w.engine, 0, 0, 0);
    assert_int_equal(life.starts, 1);
    pass(2500 * BJ_MS);
    client_requests(BS, POST, "/bs", NULL);
    expect_pass();
}

static void an_exit_is_no_power_cut(void **state) {
    (void) state;
    live_steps("  - power-cut: {}\n  - exit: 0\n");
    expect_fail("expected the client's end; the client's power was cut");
}

static void the_message_id_must_be_another(void **state) {
    (void) state;
    static const char steps[] = ASK "    capture: first\n" ASK "    other-mid-than: first\n";
    live_steps(steps);
    pass(2500 * BJ_MS);
    client_requests(BS, POST, "/bs", NULL);
    client_requests(BS, POST, "/bs", NULL);
    expect_pass();
    live_steps(steps);
    pass(2500 * BJ_MS);
    client_requests(BS, POST, "/bs", NULL);
    w.mid--;
    bj_addr_parse("192.0.2.1:50001", 15, &w.client);
    client_requests(BS, POST, "/bs", NULL);
    expect_fail("it has Message ID 1000 again");
}

/* --- the disk --- */

static void a_file_that_is_there_before(void **state) {
    (void) state;
    live("client: {state: {text: old, mode: \"0644\"}}\n",
         "  - file: state\n    mode: \"644\"\n    text: old\n    without: [new]\n", BJ_CAN_POWER_CUT | BJ_CAN_DISK);
    assert_string_equal(life.name, "state");
    expect_pass();
    live_steps("  - file: {exists: false}\n");
    expect_pass();
}

static void a_file_that_is_otherwise(void **state) {
    (void) state;
    static const struct {
        const char *step, *reason;
    } cases[] = {
        { "{mode: \"0600\"}", "expected file 'state' with mode 0600, it has 0644" },
        { "{text: older}", "expected other content of file 'state', which has 3 bytes" },
        { "{hex: 00}", "expected other content" },
        { "{without: [ol]}", "expected file 'state' without 'ol'" },
        { "{exists: false}", "expected no file 'state' on the client's disk, there is one" },
        { "other", "expected a file 'other' on the client's disk, there is none" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char step[100];
        snprintf(step, sizeof step, "  - file: %s\n", cases[i].step);
        live("client: {state: {text: old, mode: \"0644\"}}\n", step, BJ_CAN_POWER_CUT | BJ_CAN_DISK);
        expect_fail(cases[i].reason);
    }
}

static void a_disk_that_fails(void **state) {
    (void) state;
    live_steps("  - disk: eio\n    on: sync\n    skip: 2\n    count: 0\n" ASK);
    assert_int_equal(life.order.error, EIO);
    assert_int_equal(life.order.operation, 4);
    assert_int_equal(life.order.skip, 2);
    assert_int_equal(life.order.count, UINT32_MAX);
    live_steps("  - disk: {space: 100}\n" ASK);
    assert_int_equal(life.order.error, -1);
    assert_int_equal(life.order.space, 100);
    live_steps("  - disk: well\n" ASK);
    assert_int_equal(life.order.error, 0);
}

static void what_a_world_cannot(void **state) {
    (void) state;
    static const struct {
        const char *steps;
        uint32_t can;
        const char *reason;
    } cases[] = {
        { "  - start: {}\n", 0, "the client cannot be started again from here" },
        { "  - power-cut: {}\n", 0, "the client's power cannot be cut from here" },
        { "  - power-cut: none\n", BJ_CAN_POWER_CUT, "what the client's disk keeps" },
        { "  - power-cut: {at-operation: 1}\n", BJ_CAN_POWER_CUT, "what the client's disk keeps" },
        { "  - disk: eio\n", BJ_CAN_POWER_CUT, "the client's files are not the world's" },
        { "  - file: state\n", BJ_CAN_POWER_CUT, "the client's files are not the world's" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        live(CLIENT, cases[i].steps, cases[i].can);
        expect_verdict(BJ_SKIP, cases[i].reason);
    }
    live("client: {state: {hex: \"\"}}\n", ASK, BJ_CAN_POWER_CUT);
    expect_verdict(BJ_SKIP, "the client's files are not the world's");
    live(CLIENT, "  - power-cut: all\n  - start: {}\n" ASK, BJ_CAN_POWER_CUT);
    expect_running();
}

/* How often the world wakes the engine until it gives up a client that does nothing; no more than `most`. */
static unsigned ticks_until_given_up(const char *holdoff, unsigned most) {
    char head[200];
    unsigned ticks = 0;
    snprintf(head, sizeof head, "client: {bootstrap: {uri: \"coap://bs.example\", holdoff: %s}, state: {}}\n", holdoff);
    live(head, "  - note: over\n", BJ_CAN_POWER_CUT | BJ_CAN_DISK | BJ_CAN_HEAL);
    assert_true(bj_engine_is_healing(w.engine));
    bj_time bound = (bj_time) logged(BJ_EV_HEALED).number;
    while (!bj_engine_done(w.engine) && ticks < most) {
        pass_until(w.timer);
        ticks++;
    }
    assert_true(!bj_engine_done(w.engine) || w.now == bound);
    return ticks;
}

static void a_healed_world_that_waits_for_years_does_little(void **state) {
    (void) state;
    assert_in_range(ticks_until_given_up("10s", 100000), 300, 5000); /* it looks every few seconds */
    assert_in_range(ticks_until_given_up("4890d", 2000000), 1000, 1999999);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_and_started_again),
        cmocka_unit_test(the_dead_say_nothing),
        cmocka_unit_test(the_holdoff_counts_from_the_start),
        cmocka_unit_test(at_an_operation),
        cmocka_unit_test(an_operation_that_does_not_come),
        cmocka_unit_test(wherever_the_power_goes),
        cmocka_unit_test(at_a_step),
        cmocka_unit_test(what_the_dead_had_sent_is_passed_over),
        cmocka_unit_test(who_runs_is_not_started),
        cmocka_unit_test(a_client_that_ended_may_be_started),
        cmocka_unit_test(an_exit_is_no_power_cut),
        cmocka_unit_test(the_message_id_must_be_another),
        cmocka_unit_test(a_file_that_is_there_before),
        cmocka_unit_test(a_file_that_is_otherwise),
        cmocka_unit_test(a_disk_that_fails),
        cmocka_unit_test(what_a_world_cannot),
        cmocka_unit_test(a_healed_world_that_waits_for_years_does_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
