/* SPDX-License-Identifier: Apache-2.0
 *
 * Attempts to register: their times, their number, their order, and what follows them.
 */
#include "oracle_fixture.h"

enum {
    PRIORITY = 13,
    DELAY = 14,
    BLOCK = 15,
    RETURNS = 16,
    COUNT = 17,
    TIMER = 18,
    SEQUENCE_DELAY = 19,
    SEQUENCES = 20
};
enum { SECOND = BJ_ACTOR_SERVER_0 + 2 };

/* A resource of /1 and its value. */
typedef struct value {
    int id, value;
} value;

static int set_up_retries(void **state) {
    set_up(state);
    config.server_resources = UINT32_MAX;
    declare(SECOND, "second", "second.example");
    return 0;
}

static void writes_settings(unsigned ms, uint16_t mid, const char *path, int ssid, const value *values, size_t count) {
    uint8_t bytes[200];
    bj_tlv_writer w = { .out = bytes, .room = sizeof bytes };
    bj_tlv_put_int(&w, BJ_TLV_RESOURCE, 0, ssid);
    bj_tlv_put_int(&w, BJ_TLV_RESOURCE, 1, 300);
    bj_tlv_put_bool(&w, BJ_TLV_RESOURCE, 6, false);
    bj_tlv_put(&w, BJ_TLV_RESOURCE, 7, "U", 1);
    for (size_t i = 0; i < count; i++) {
        bj_tlv_put_int(&w, BJ_TLV_RESOURCE, (uint16_t) values[i].id, values[i].value);
    }
    writes(ms, mid, path, bytes, w.used, C(2, 4));
}

/* From 10 s to 11 s: the server mgmt, /1/0, has these settings. */
static void is_told(const value *values, size_t count) {
    opens();
    writes_security(10200, 100, "/0/1", "coap://mgmt.example", false, 101, C(2, 4));
    writes_settings(10300, 101, "/1/0", 101, values, count);
    command(10900, 102, POST, "/bs", C(2, 4));
}

#define TOLD(...) is_told((const value[]){ __VA_ARGS__ }, sizeof((const value[]){ __VA_ARGS__ }) / sizeof(value))

/* As is_told(), and the server second, /1/1, has those. */
static void are_told(const value *first, const value *second, size_t count) {
    opens();
    writes_security(10200, 100, "/0/1", "coap://mgmt.example", false, 101, C(2, 4));
    writes_security(10250, 103, "/0/2", "coap://second.example", false, 102, C(2, 4));
    writes_settings(10300, 101, "/1/0", 101, first, count);
    writes_settings(10350, 104, "/1/1", 102, second, count);
    command(10900, 102, POST, "/bs", C(2, 4));
}

static void tries(unsigned ms, int server, uint16_t mid) {
    CLIENT(ms, server, .type = BJ_COAP_NON, .code = POST, .mid = mid, .token = "tr", .path = "/rd",
           .query = { "ep=dev-1", "lt=300", "lwm2m=1.1" }, .format = 41, .payload = "</1/0>,</1/1>");
}

static void gets(unsigned ms, int server, uint16_t mid, uint8_t code) {
    SERVER(ms, server, .type = BJ_COAP_NON, .code = code, .mid = mid, .token = "tr");
}

/* --- times ---------------------------------------------------------------------------------------------------- */

static void an_attempt_after_its_time_is_fine(void **state) {
    (void) state;
    TOLD({ COUNT, 3 }, { TIMER, 20 });
    tries(12000, MGMT, 900);
    tries(32000, MGMT, 901);
    tries(72000, MGMT, 902);
    judge(73000);
    assert_nothing_broken();
}

static void a_time_that_does_not_grow_breaks_the_rule(void **state) {
    (void) state;
    TOLD({ COUNT, 3 }, { TIMER, 20 });
    tries(12000, MGMT, 900);
    tries(32000, MGMT, 901);
    tries(52000, MGMT, 902);
    judge(53000);
    assert_broken(BJ_RULE_REG_RETRY, "after attempt 2 failed");
}

static void defaults_are_the_clients_own(void **state) {
    (void) state;
    TOLD({ COUNT, 3 });
    tries(12000, MGMT, 900);
    tries(13000, MGMT, 901);
    judge(14000);
    assert_nothing_broken();
}

static void a_resource_that_the_client_lacks_is_not_judged(void **state) {
    (void) state;
    config.server_resources = 0xff;
    TOLD({ COUNT, 3 }, { TIMER, 20 });
    tries(12000, MGMT, 900);
    tries(13000, MGMT, 901);
    judge(14000);
    assert_nothing_broken();
}

static void a_registration_begins_the_count_anew(void **state) {
    (void) state;
    TOLD({ COUNT, 3 }, { TIMER, 20 });
    tries(12000, MGMT, 900);
    gets(12100, MGMT, 50, C(2, 1));
    tries(13000, MGMT, 901);
    judge(14000);
    assert_nothing_broken();
}

/* RFC 7959 §2.4: who asks for the next block of an answer registers no second time. */
static void a_further_block_of_an_answer_is_no_attempt(void **state) {
    (void) state;
    TOLD({ COUNT, 5 }, { TIMER, 30 });
    tries(11000, MGMT, 1);
    SERVER(11100, MGMT, .type = BJ_COAP_NON, .code = C(2, 5), .mid = 1, .token = "tr", .block2 = 1 + 8,
           .payload = "0123456789abcdef");
    CLIENT(11110, MGMT, .type = BJ_COAP_NON, .code = POST, .mid = 2, .token = "ts", .path = "/rd",
           .query = { "ep=dev-1", "lt=300", "lwm2m=1.1" }, .format = 41, .block2 = 1 + 16, .payload = "</1/0>,</1/1>");
    judge(12000);
    assert_nothing_broken();
}

static void a_delay_before_the_first_is_kept(void **state) {
    (void) state;
    TOLD({ DELAY, 30 });
    tries(12000, MGMT, 900);
    judge(13000);
    assert_broken(BJ_RULE_REG_DELAY, "asks for 30 s");
}

static void a_delay_is_for_the_first_alone(void **state) {
    (void) state;
    TOLD({ DELAY, 30 });
    tries(42000, MGMT, 900);
    gets(42100, MGMT, 50, C(2, 1));
    tries(43000, MGMT, 901);
    judge(44000);
    assert_nothing_broken();
}

/* --- numbers -------------------------------------------------------------------------------------------------- */

static void a_sequence_after_its_delay_is_fine(void **state) {
    (void) state;
    TOLD({ COUNT, 2 }, { TIMER, 1 }, { SEQUENCE_DELAY, 100 }, { SEQUENCES, 2 });
    tries(12000, MGMT, 900);
    tries(13000, MGMT, 901);
    tries(113000, MGMT, 902);
    judge(113500);
    assert_nothing_broken();
}

static void a_sequence_before_its_delay_breaks_the_rule(void **state) {
    (void) state;
    TOLD({ COUNT, 2 }, { TIMER, 1 }, { SEQUENCE_DELAY, 100 }, { SEQUENCES, 2 });
    tries(12000, MGMT, 900);
    tries(13000, MGMT, 901);
    tries(60000, MGMT, 902);
    judge(60500);
    assert_broken(BJ_RULE_REG_SEQUENCE, "a sequence begins 47.000 s after the last");
}

static void what_follows_the_last_sequence_is_the_clients_own(void **state) {
    (void) state;
    TOLD({ COUNT, 2 }, { TIMER, 1 }, { SEQUENCE_DELAY, 100 }, { SEQUENCES, 1 });
    tries(12000, MGMT, 900);
    tries(13000, MGMT, 901);
    tries(60000, MGMT, 902);
    judge(60500);
    assert_nothing_broken();
}

static void one_attempt_too_many_breaks_the_rule(void **state) {
    (void) state;
    TOLD({ COUNT, 2 }, { TIMER, 0 }, { SEQUENCES, 1 }, { RETURNS, 1 });
    tries(12000, MGMT, 900);
    tries(13000, MGMT, 901);
    tries(14000, MGMT, 902);
    judge(15000);
    assert_broken(BJ_RULE_REG_SEQUENCE, "should bootstrap");
}

static void who_need_not_bootstrap_may_go_on(void **state) {
    (void) state;
    TOLD({ COUNT, 2 }, { TIMER, 0 }, { SEQUENCES, 1 }, { RETURNS, 0 });
    tries(12000, MGMT, 900);
    tries(13000, MGMT, 901);
    tries(14000, MGMT, 902);
    judge(15000);
    assert_nothing_broken();
}

static void a_bootstrap_before_the_last_sequence_breaks_the_rule(void **state) {
    (void) state;
    TOLD({ COUNT, 2 }, { TIMER, 0 }, { SEQUENCE_DELAY, 5 }, { SEQUENCES, 2 }, { RETURNS, 1 });
    tries(12000, MGMT, 900);
    tries(13000, MGMT, 901);
    asks(40000, 7);
    judge(41000);
    assert_broken(BJ_RULE_REG_SEQUENCE, "asks for 4");
}

static void a_refusal_may_lead_to_a_bootstrap_at_once(void **state) {
    (void) state;
    TOLD({ COUNT, 2 }, { TIMER, 0 }, { SEQUENCE_DELAY, 5 }, { SEQUENCES, 2 }, { RETURNS, 1 });
    tries(12000, MGMT, 900);
    gets(12100, MGMT, 50, C(4, 3));
    asks(40000, 7);
    judge(41000);
    assert_nothing_broken();
}

static void a_bootstrap_that_nobody_wants_breaks_the_rule(void **state) {
    (void) state;
    TOLD({ RETURNS, 0 });
    tries(12000, MGMT, 900);
    gets(12100, MGMT, 50, C(4, 3));
    asks(40000, 7);
    judge(41000);
    assert_broken(BJ_RULE_REG_BOOTSTRAP_ON_FAILURE, "/1/0/16 is false");
}

static void a_name_that_leads_nowhere_is_an_excuse(void **state) {
    (void) state;
    TOLD({ RETURNS, 0 });
    tries(12000, MGMT, 900);
    gets(12100, MGMT, 50, C(4, 3));
    put_event((bj_event){
        .kind = BJ_EV_DNS_ANSWER, .actor = BJ_ACTOR_CLIENT, .time = 13000 * BJ_MS, .text = "mgmt.example: NXDOMAIN" });
    asks(40000, 7);
    judge(41000);
    assert_nothing_broken();
}

/* --- order ---------------------------------------------------------------------------------------------------- */

static void the_first_in_the_order_comes_first(void **state) {
    (void) state;
    are_told((const value[]){ { PRIORITY, 1 } }, (const value[]){ { PRIORITY, 2 } }, 1);
    tries(12000, MGMT, 900);
    gets(12100, MGMT, 50, C(2, 1));
    tries(12200, SECOND, 901);
    judge(13000);
    assert_nothing_broken();
}

/* The first may have taken an answer that it may pass over: then its registration goes on behind another bootstrap. */
static void the_first_may_be_registered_still(void **state) {
    (void) state;
    are_told((const value[]){ { PRIORITY, 1 } }, (const value[]){ { PRIORITY, 2 } }, 1);
    tries(12000, MGMT, 900);
    SERVER(12100, MGMT, .type = BJ_COAP_NON, .code = C(2, 1), .mid = 50, .token = "tr", .location = "/rd/1",
           .option = 3, .option_value = "x");
    tries(12200, SECOND, 901);
    gets(12300, SECOND, 51, C(4, 3));
    asks(40000, 7);
    accepts(40100, 7);
    command(40200, 8, POST, "/bs", C(2, 4));
    tries(40400, SECOND, 902);
    judge(41000);
    assert_nothing_broken();
}

static void the_second_in_the_order_first_breaks_the_rule(void **state) {
    (void) state;
    are_told((const value[]){ { PRIORITY, 1 } }, (const value[]){ { PRIORITY, 2 } }, 1);
    tries(12200, SECOND, 901);
    judge(13000);
    assert_broken(BJ_RULE_REG_PRIORITY, "it was not tried");
}

static void the_second_before_all_attempts_breaks_the_rule(void **state) {
    (void) state;
    are_told((const value[]){ { PRIORITY, 1 }, { COUNT, 3 }, { SEQUENCES, 1 } },
             (const value[]){ { PRIORITY, 2 }, { COUNT, 3 }, { SEQUENCES, 1 } }, 3);
    tries(12000, MGMT, 900);
    tries(12200, SECOND, 901);
    judge(13000);
    assert_broken(BJ_RULE_REG_PRIORITY, "its attempts are not over");
}

static void a_failure_that_blocks_blocks(void **state) {
    (void) state;
    are_told((const value[]){ { PRIORITY, 1 }, { BLOCK, 1 } }, (const value[]){ { PRIORITY, 2 }, { BLOCK, 0 } }, 2);
    tries(12000, MGMT, 900);
    gets(12100, MGMT, 50, C(4, 3));
    tries(12200, SECOND, 901);
    judge(13000);
    assert_broken(BJ_RULE_REG_BLOCK, "its failure blocks");
}

static void servers_without_an_order_come_as_they_like(void **state) {
    (void) state;
    are_told((const value[]){ { BLOCK, 1 } }, (const value[]){ { BLOCK, 0 } }, 1);
    tries(12200, SECOND, 901);
    judge(13000);
    assert_nothing_broken();
}

/* --- lives and connections ------------------------------------------------------------------------------------ */

static void stops_and_starts(unsigned ms) {
    put_event((bj_event){ .kind = BJ_EV_CLIENT_SIGNAL, .actor = BJ_ACTOR_CLIENT, .time = ms * BJ_MS, .number = 15 });
    put_event((bj_event){ .kind = BJ_EV_CLIENT_EXIT, .actor = BJ_ACTOR_CLIENT, .time = (ms + 10) * BJ_MS });
    put_event((bj_event){ .kind = BJ_EV_CLIENT_START, .actor = BJ_ACTOR_CLIENT, .time = (ms + 20) * BJ_MS });
}

static void a_second_life_needs_no_bootstrap(void **state) {
    (void) state;
    config.persistent = true;
    TOLD({ RETURNS, 1 });
    tries(12000, MGMT, 900);
    gets(12100, MGMT, 50, C(2, 1));
    stops_and_starts(13000);
    asks(40000, 7);
    judge(41000);
    assert_broken(BJ_RULE_LIFE_ACCOUNTS_PERSIST, "begins its next life with a bootstrap");
}

static void without_a_state_file_it_does(void **state) {
    (void) state;
    TOLD({ RETURNS, 1 });
    tries(12000, MGMT, 900);
    gets(12100, MGMT, 50, C(2, 1));
    stops_and_starts(13000);
    asks(40000, 7);
    judge(41000);
    assert_nothing_broken();
}

static void a_damaged_state_after_a_power_cut_breaks_the_rule(void **state) {
    (void) state;
    config.persistent = config.linked = true;
    put_event((bj_event){ .kind = BJ_EV_POWER_CUT, .time = 1000 * BJ_MS });
    put_event((bj_event){ .kind = BJ_EV_CLIENT_START, .actor = BJ_ACTOR_CLIENT, .time = 2000 * BJ_MS });
    put_event((bj_event){ .kind = BJ_EV_CLIENT_EXIT, .actor = BJ_ACTOR_CLIENT, .time = 2001 * BJ_MS, .number = 3 });
    judge(3000);
    assert_broken(BJ_RULE_LIFE_SESSION_IS_ATOMIC, "damaged");
}

static void a_storm_of_connections_breaks_the_rule(void **state) {
    (void) state;
    for (unsigned i = 0; i < 20; i++) {
        put_event((bj_event){ .kind = BJ_EV_STREAM_OPEN,
                              .actor = BJ_ACTOR_CLIENT,
                              .time = (20000 + i) * BJ_MS,
                              .from = local,
                              .to = address_of(MGMT),
                              .number = i });
    }
    judge(21000);
    assert_broken(BJ_RULE_REG_SESSION_LOST, "storm");
}

#define RETRIES(name) cmocka_unit_test_setup_teardown(name, set_up_retries, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        RETRIES(an_attempt_after_its_time_is_fine),
        RETRIES(a_time_that_does_not_grow_breaks_the_rule),
        RETRIES(defaults_are_the_clients_own),
        RETRIES(a_resource_that_the_client_lacks_is_not_judged),
        RETRIES(a_registration_begins_the_count_anew),
        RETRIES(a_further_block_of_an_answer_is_no_attempt),
        RETRIES(a_delay_before_the_first_is_kept),
        RETRIES(a_delay_is_for_the_first_alone),
        RETRIES(a_sequence_after_its_delay_is_fine),
        RETRIES(a_sequence_before_its_delay_breaks_the_rule),
        RETRIES(what_follows_the_last_sequence_is_the_clients_own),
        RETRIES(one_attempt_too_many_breaks_the_rule),
        RETRIES(who_need_not_bootstrap_may_go_on),
        RETRIES(a_bootstrap_before_the_last_sequence_breaks_the_rule),
        RETRIES(a_refusal_may_lead_to_a_bootstrap_at_once),
        RETRIES(a_bootstrap_that_nobody_wants_breaks_the_rule),
        RETRIES(a_name_that_leads_nowhere_is_an_excuse),
        RETRIES(the_first_in_the_order_comes_first),
        RETRIES(the_first_may_be_registered_still),
        RETRIES(the_second_in_the_order_first_breaks_the_rule),
        RETRIES(the_second_before_all_attempts_breaks_the_rule),
        RETRIES(a_failure_that_blocks_blocks),
        RETRIES(servers_without_an_order_come_as_they_like),
        RETRIES(a_second_life_needs_no_bootstrap),
        RETRIES(without_a_state_file_it_does),
        RETRIES(a_damaged_state_after_a_power_cut_breaks_the_rule),
        RETRIES(a_storm_of_connections_breaks_the_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
