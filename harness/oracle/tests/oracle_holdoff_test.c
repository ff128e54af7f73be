/* SPDX-License-Identifier: Apache-2.0
 *
 * The oracle of how the hold-off grows, what a trigger brings, and when the bootstrap account's time is over, judged
 * itself. The hold-off is 10 s, its cap 60 s, and the random factor 1.5 at most.
 */
#include "oracle_fixture.h"

static void grows(void) {
    config.holdoff_grows = true;
    config.holdoff_cap = 60 * BJ_SECOND;
    config.holdoff_jitter = 1500000;
}

/* An attempt that is refused after 100 ms. */
static void is_refused(unsigned ms, uint16_t mid) {
    asks(ms, mid);
    SERVER(ms + 100, BS, .type = BJ_COAP_ACK, .code = C(4, 3), .mid = mid, .token = "tb");
}

static void a_hold_off_that_doubles_to_its_cap_is_lawful(void **state) {
    (void) state;
    grows();
    is_refused(10000, 1);
    is_refused(35000, 2);
    is_refused(80000, 3);
    is_refused(140100, 4);
    is_refused(200200, 5);
    asks(260300, 6);
    judge(261000);
    assert_nothing_broken();
}

static void one_that_does_not_grow_is_found(void **state) {
    (void) state;
    grows();
    is_refused(10000, 1);
    asks(29000, 2);
    judge(30000);
    assert_broken(BJ_RULE_BS_HOLDOFF_GROWTH, "20.000 s at least");
}

static void nobody_knows_how_that_of_another_client_grows(void **state) {
    (void) state;
    is_refused(10000, 1);
    is_refused(29000, 2);
    is_refused(600000, 3);
    judge(700000);
    assert_nothing_broken();
}

static void one_that_grows_too_fast_is_found(void **state) {
    (void) state;
    grows();
    is_refused(10000, 1);
    asks(50000, 2);
    judge(51000);
    assert_broken(BJ_RULE_BS_HOLDOFF_GROWTH, "30.000 s at most");
}

static void one_that_passes_its_cap_is_found(void **state) {
    (void) state;
    grows();
    is_refused(10000, 1);
    is_refused(35000, 2);
    is_refused(80000, 3);
    asks(160000, 4);
    judge(161000);
    assert_broken(BJ_RULE_BS_HOLDOFF_CAP, "60.000 s at most");
}

enum { OTHER = MGMT + 1 };

static void asks_the_other(unsigned ms, uint16_t mid) {
    CLIENT(ms, OTHER, .type = BJ_COAP_CON, .code = POST, .mid = mid, .token = "tn", .path = "/bs",
           .query = { "ep=dev-1" });
}

/* Its session is over for want of a Finish; its hold-off runs while it registers with an account of the factory. */
static void registers_during_a_hold_off(unsigned ms, bool finished) {
    config.accounts[1] = (bj_oracle_account){
        .uri = "coap://mgmt.example", .instance = 1, .ssid = 1, .lifetime_s = 86400, .binding = "U"
    };
    config.account_count = 2;
    opens();
    if (finished) {
        command(ms - 1000, 9, POST, "/bs", C(2, 4));
    }
    CLIENT(ms, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 2, .token = "tr", .path = "/rd",
           .query = { "ep=dev-1", "lt=86400", "lwm2m=1.1" }, .format = 41, .payload = "</1/0>");
    SERVER(ms + 2400, MGMT, .type = BJ_COAP_ACK, .code = C(2, 1), .mid = 2, .token = "tr", .location = "/rd/1");
    asks(ms + 2500, 3);
    judge(ms + 3000);
}

static void a_registration_beside_a_failed_session_puts_nothing_off(void **state) {
    (void) state;
    registers_during_a_hold_off(300000, false);
    assert_nothing_broken();
}

static void one_behind_a_finish_belongs_to_its_attempt(void **state) {
    (void) state;
    registers_during_a_hold_off(20000, true);
    assert_broken(BJ_RULE_BS_HOLDOFF, "0.100 s after");
}

/* RFC 6724 §2: a name leads to two addresses, and where nobody is at the first the next is tried. */
static void the_next_address_of_a_name_is_no_other_attempt(void **state) {
    (void) state;
    grows();
    declare(OTHER, "other", "bs.example");
    asks(10000, 1);
    asks_the_other(10010, 2);
    asks(10010 + 93000 + 58000, 3); /* who keeps addresses may count a failure for each */
    judge(162000);
    assert_nothing_broken();
}

static void the_address_of_another_server_is_another_attempt(void **state) {
    (void) state;
    declare(OTHER, "other", "other.example");
    asks(10000, 1);
    asks_the_other(10010, 2);
    judge(11000);
    assert_broken(BJ_RULE_BS_HOLDOFF, "0.010 s after");
}

static void another_query_is_another_attempt(void **state) {
    (void) state;
    declare(OTHER, "other", "bs.example");
    asks(10000, 1);
    put_event(
        (bj_event){ .kind = BJ_EV_DNS_QUERY, .actor = BJ_ACTOR_CLIENT, .time = 10005 * BJ_MS, .text = "bs.example" });
    asks_the_other(10010, 2);
    judge(11000);
    assert_broken(BJ_RULE_BS_HOLDOFF, "0.010 s after");
}

static void an_attempt_that_nobody_answered_has_failed_when_it_was_given_up(void **state) {
    (void) state;
    grows();
    asks(10000, 1);
    is_refused(10000 + 93000 + 30000, 2);
    judge(134000);
    assert_nothing_broken();
}

static void after_that_it_is_late_too(void **state) {
    (void) state;
    grows();
    asks(10000, 1);
    is_refused(10000 + 93000 + 32000, 2);
    judge(136000);
    assert_broken(BJ_RULE_BS_HOLDOFF_GROWTH, "at most");
}

static void accepted(unsigned ms, uint16_t mid) {
    uint8_t bytes[100];
    bj_coap c = { .version = 1, .type = BJ_COAP_ACK, .code = C(2, 1), .mid = mid, .token_length = 2, .token = "tr" };
    bj_coap_add_path(&c, BJ_COAP_LOCATION_PATH, "/rd/1");
    server_raw(ms, MGMT, bytes, bj_coap_encode(&c, bytes, sizeof bytes));
}

static void a_whole_bootstrap(unsigned ms, uint16_t mid) {
    asks(ms, mid);
    accepts(ms + 100, mid);
    writes_security(ms + 200, 100 + mid, "/0/1", "coap://mgmt.example", false, 101, C(2, 4));
    writes_server(ms + 300, 120 + mid, "/1/0", 101, 300, C(2, 4));
    command(ms + 400, 140 + mid, POST, "/bs", C(2, 4));
    registers(ms + 500, 60 + mid, "lt=300");
}

static void triggers(unsigned ms) {
    SERVER(ms, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 9, .token = "to", .path = "/1/0/9");
    answers(ms + 10, MGMT, 9, C(2, 4));
}

static void a_registration_ends_the_growth(void **state) {
    (void) state;
    grows();
    is_refused(10000, 1);
    a_whole_bootstrap(35000, 2);
    accepted(35600, 62);
    triggers(50000);
    asks(64000, 3);
    judge(65000);
    assert_nothing_broken();
}

static void growth_that_outlives_it_is_found(void **state) {
    (void) state;
    grows();
    is_refused(10000, 1);
    a_whole_bootstrap(35000, 2);
    accepted(35600, 62);
    triggers(50000);
    asks(71000, 3);
    judge(72000);
    assert_int_equal(found_count, 1);
    assert_int_equal(found[0].rule, BJ_RULE_BS_HOLDOFF_RESET);
}

static void a_bootstrap_without_a_registration_does_not_end_it(void **state) {
    (void) state;
    grows();
    a_whole_bootstrap(10000, 1);
    SERVER(10600, MGMT, .type = BJ_COAP_ACK, .code = C(4, 3), .mid = 61, .token = "tr");
    asks(22000, 2);
    judge(23000);
    assert_broken(BJ_RULE_BS_HOLDOFF_GROWTH, "with 1 failures");
}

static void a_registration_that_stands_ends_it_unseen(void **state) {
    (void) state;
    grows();
    a_whole_bootstrap(10000, 1);
    accepted(10600, 61);
    asks(22000, 2);
    accepts(22100, 2);
    command(22200, 170, POST, "/bs", C(2, 4));
    asks(33000, 3);
    judge(34000);
    assert_nothing_broken();
}

/* An Acknowledgement that answers nothing comes before the 2.01: whether the client takes that, too, is its own. */
static void registers_perhaps(void) {
    a_whole_bootstrap(10000, 1);
    SERVER(10600, MGMT, .type = BJ_COAP_ACK, .code = GET, .mid = 61, .token = "tr");
    accepted(10700, 61);
    triggers(50000);
}

static void a_registration_that_may_have_been_made_may_have_ended_it(void **state) {
    (void) state;
    grows();
    registers_perhaps();
    is_refused(61000, 2);
    asks(84000, 3);
    judge(85000);
    assert_nothing_broken();
}

static void one_that_may_stand_may_end_it_unseen(void **state) {
    (void) state;
    grows();
    registers_perhaps();
    is_refused(61000, 2);
    asks(84000, 3);
    accepts(84100, 3);
    command(84200, 170, POST, "/bs", C(2, 4));
    asks(95000, 4);
    judge(96000);
    assert_nothing_broken();
}

static void what_fails_after_it_counts(void **state) {
    (void) state;
    grows();
    registers_perhaps();
    is_refused(61000, 2);
    asks(72000, 3);
    judge(73000);
    assert_broken(BJ_RULE_BS_HOLDOFF_GROWTH, "with 1 failures");
}

/* A Finish beside the refusal of a pack: read when the client has asked for a session, which it begins and ends. */
static void a_finish_of_a_session_that_nobody_saw_may_have_ended_it(void **state) {
    (void) state;
    grows();
    a_whole_bootstrap(10000, 1);
    accepted(10600, 61);
    is_refused(22000, 2);
    is_refused(45000, 3);
    CLIENT(90000, BS, .type = BJ_COAP_CON, .code = GET, .mid = 4, .token = "tc", .path = "/bspack",
           .query = { "ep=dev-1" });
    SERVER(90100, BS, .type = BJ_COAP_ACK, .code = C(2, 1), .mid = 4, .token = "tc");
    SERVER(90100, BS, .type = BJ_COAP_CON, .code = POST, .mid = 170, .token = "to", .path = "/bs");
    asks(90100, 5);
    answers(90100, BS, 170, C(2, 4));
    is_refused(101000, 6);
    asks(124000, 7);
    judge(125000);
    assert_nothing_broken();
}

/* The second server's name may have led nowhere, which made it necessary at the Finish. */
static void a_trigger_does_not_put_off_what_another_server_may_have_made_necessary(void **state) {
    (void) state;
    a_whole_bootstrap(10000, 1);
    writes_server(10350, 125, "/1/1", 102, 300, C(2, 4));
    accepted(10600, 61);
    triggers(18000);
    asks(21000, 3);
    judge(22000);
    assert_nothing_broken();
}

static void a_trigger_that_nothing_follows_is_found(void **state) {
    (void) state;
    grows();
    a_whole_bootstrap(10000, 1);
    accepted(10600, 61);
    triggers(50000);
    judge(80000);
    assert_broken(BJ_RULE_BS_TRIGGER, "no bootstrap begins");
}

static void a_trigger_has_time_until_the_hold_off_is_over(void **state) {
    (void) state;
    grows();
    a_whole_bootstrap(10000, 1);
    accepted(10600, 61);
    triggers(50000);
    judge(65000);
    assert_nothing_broken();
}

static void an_account_whose_time_is_over_is_not_used(void **state) {
    (void) state;
    config.accounts[0].timeout = 100 * BJ_SECOND;
    a_whole_bootstrap(10000, 1);
    accepted(10600, 61);
    triggers(150000);
    asks(161000, 2);
    judge(165000);
    assert_broken(BJ_RULE_BS_ACCOUNT_TIMEOUT, "/0/x/12 is 100 s");
}

static void one_whose_time_is_not_over_is(void **state) {
    (void) state;
    config.accounts[0].timeout = 200 * BJ_SECOND;
    a_whole_bootstrap(10000, 1);
    accepted(10600, 61);
    triggers(150000);
    asks(161000, 2);
    judge(165000);
    assert_nothing_broken();
}

/* --- what is written of it where that is not followed ----------------------------------------------------------- */

/* The Bootstrap-Server's account, with a hold-off of one second. */
static void is_told_another(unsigned ms, uint16_t mid) {
    uint8_t bytes[100];
    bj_tlv_writer w = { .out = bytes, .room = sizeof bytes };
    bj_tlv_put(&w, BJ_TLV_RESOURCE, 0, "coap://bs.example", 17);
    bj_tlv_put_bool(&w, BJ_TLV_RESOURCE, 1, true);
    bj_tlv_put_int(&w, BJ_TLV_RESOURCE, 2, 3);
    bj_tlv_put_int(&w, BJ_TLV_RESOURCE, 11, 1);
    SERVER(ms, BS, .type = BJ_COAP_CON, .code = PUT, .mid = mid, .token = "to", .path = "/0/0", .format = 11543,
           .payload = (const char *) bytes, .length = w.used);
}

/* A Reset behind an Acknowledgement that answers nothing: who passes it over goes on with what a command has begun. */
static void goes_on_behind_a_reset(unsigned asked_ms, unsigned answered_ms) {
    asks(10000, 1);
    SERVER(10010, BS, .type = BJ_COAP_ACK, .code = PUT, .mid = 1, .token = "tx");
    command(10100, 100, DELETE_, "/1", C(2, 2));
    for (unsigned ms = 10200; ms < 10900; ms += 100) {
        if (ms == 10500) {
            SERVER(ms, BS, .type = BJ_COAP_RST, .mid = 1);
        } else if (ms == asked_ms) {
            is_told_another(ms, 101);
        } else if (ms == answered_ms) {
            answers(ms, BS, 101, C(2, 4));
        }
    }
    command(10900, 103, POST, "/bs", C(2, 4));
    asks(13000, 2);
    judge(14000);
}

static void behind_a_reset_it_may_count(void **state) {
    static const unsigned times[][2] = { { 10200, 10300 }, { 10400, 10600 }, { 10600, 10700 } };
    for (unsigned i = 0; i < 3; i++) {
        tear_down(state);
        set_up(state);
        grows();
        goes_on_behind_a_reset(times[i][0], times[i][1]);
        assert_nothing_broken();
    }
}

static void where_nothing_was_written_nothing_else_counts(void **state) {
    (void) state;
    goes_on_behind_a_reset(0, 0);
    assert_broken(BJ_RULE_BS_HOLDOFF, "/0/x/11 is 10 s");
}

/* A request that is no command may have prolonged the session, for the client. */
static void at_the_sessions_very_end_it_may_count(void **state) {
    (void) state;
    opens();
    SERVER(20000, BS, .type = BJ_COAP_CON, .code = 5, .mid = 100, .token = "to", .path = "/");
    answers(20010, BS, 100, C(4, 5));
    command(257000, 101, PUT, "/x", C(4, 0));
    is_told_another(257200, 102);
    answers(257210, BS, 102, C(2, 4));
    command(257300, 103, POST, "/bs", C(2, 4));
    asks(259800, 2);
    judge(260000);
    assert_nothing_broken();
}

/* RFC 7252 §4.5: it was done, or taken for a repetition. */
static void with_a_message_id_of_before_it_may_count(void **state) {
    (void) state;
    opens();
    command(10200, 101, DELETE_, "/1", C(2, 2));
    is_told_another(10300, 101);
    answers(10310, BS, 101, C(2, 4));
    command(10400, 102, POST, "/bs", C(2, 4));
    asks(13000, 2);
    judge(14000);
    for (size_t i = 0; i < found_count; i++) {
        assert_int_not_equal(found[i].rule, BJ_RULE_BS_HOLDOFF);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_hold_off_that_doubles_to_its_cap_is_lawful),
        TEST(one_that_does_not_grow_is_found),
        TEST(nobody_knows_how_that_of_another_client_grows),
        TEST(one_that_grows_too_fast_is_found),
        TEST(one_that_passes_its_cap_is_found),
        TEST(a_registration_beside_a_failed_session_puts_nothing_off),
        TEST(one_behind_a_finish_belongs_to_its_attempt),
        TEST(the_next_address_of_a_name_is_no_other_attempt),
        TEST(the_address_of_another_server_is_another_attempt),
        TEST(another_query_is_another_attempt),
        TEST(an_attempt_that_nobody_answered_has_failed_when_it_was_given_up),
        TEST(after_that_it_is_late_too),
        TEST(a_registration_ends_the_growth),
        TEST(growth_that_outlives_it_is_found),
        TEST(a_bootstrap_without_a_registration_does_not_end_it),
        TEST(a_registration_that_stands_ends_it_unseen),
        TEST(a_registration_that_may_have_been_made_may_have_ended_it),
        TEST(one_that_may_stand_may_end_it_unseen),
        TEST(what_fails_after_it_counts),
        TEST(a_finish_of_a_session_that_nobody_saw_may_have_ended_it),
        TEST(a_trigger_does_not_put_off_what_another_server_may_have_made_necessary),
        TEST(a_trigger_that_nothing_follows_is_found),
        TEST(a_trigger_has_time_until_the_hold_off_is_over),
        TEST(an_account_whose_time_is_over_is_not_used),
        TEST(one_whose_time_is_not_over_is),
        TEST(behind_a_reset_it_may_count),
        TEST(where_nothing_was_written_nothing_else_counts),
        TEST(at_the_sessions_very_end_it_may_count),
        TEST(with_a_message_id_of_before_it_may_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
