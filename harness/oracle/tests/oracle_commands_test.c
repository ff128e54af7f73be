/* SPDX-License-Identifier: Apache-2.0
 *
 * The oracle of what a Bootstrap-Server's commands must be answered with, judged itself.
 */
#include "oracle_fixture.h"

/* --- what may not succeed ------------------------------------------------------------------------------------- */

static void reads(unsigned ms, uint16_t mid, const char *path, uint8_t answer) {
    SERVER(ms, BS, .type = BJ_COAP_CON, .code = GET, .mid = mid, .token = "to", .path = path);
    if (answer == C(2, 5)) {
        CLIENT(ms + 10, BS, .type = BJ_COAP_ACK, .code = answer, .mid = mid, .token = "to", .format = 11543,
               .payload = "\xc1\x00\x65", .length = 3);
    } else {
        answers(ms + 10, BS, mid, answer);
    }
}

static void a_read_of_the_security_object_is_found(void **state) {
    (void) state;
    opens();
    reads(10200, 100, "/0/1", C(2, 5));
    judge(11000);
    assert_broken(BJ_RULE_BS_SECRETS, "GET /0/1 is answered with 2.05");
}

static void a_read_of_another_object_is_found(void **state) {
    (void) state;
    opens();
    reads(10200, 100, "/3/0", C(2, 5));
    judge(11000);
    assert_broken(BJ_RULE_BS_READ, "GET /3/0");
}

static void reads_of_accounts_and_refused_ones_are_lawful(void **state) {
    (void) state;
    opens();
    reads(10200, 100, "/1/0", C(2, 5));
    reads(10300, 101, "/0", C(4, 5));
    reads(10400, 102, "/3", C(4, 5));
    judge(11000);
    assert_nothing_broken();
}

static void a_delete_of_a_resource_is_found(void **state) {
    (void) state;
    opens();
    command(10200, 100, DELETE_, "/1/0/1", C(2, 2));
    judge(11000);
    assert_broken(BJ_RULE_BS_DELETE_BAD, "DELETE /1/0/1");
}

static void a_delete_of_no_path_is_found(void **state) {
    (void) state;
    opens();
    command(10200, 100, DELETE_, "/bs", C(2, 2));
    judge(11000);
    assert_broken(BJ_RULE_BS_DELETE_BAD, "DELETE /bs");
}

static void a_payload_that_is_damaged_and_taken_is_found(void **state) {
    (void) state;
    opens();
    writes(10200, 100, "/1/0", "\xc8\x00\x20", 3, C(2, 4));
    judge(11000);
    assert_broken(BJ_RULE_BS_WRITE_FORMAT, "PUT /1/0 is answered with 2.04");
}

static void one_with_a_message_id_of_before_may_be_answered_as_that(void **state) {
    (void) state;
    opens();
    writes(10200, 100, "/3/0", "\xc1\x0e\x65", 3, C(2, 4));
    writes(10300, 100, "/3/0", "\xc8\x0e\x20", 3, C(2, 4));
    judge(11000);
    assert_nothing_broken();
}

/* RFC 8428 §4.4: fields that are not known are passed over, and then there is nothing in it. */
static void a_record_of_nothing_may_be_taken(void **state) {
    static const char *const payloads[] = { "[{\"n\":\"/3/0/14\",\"vs\":\"+01\"},{\"x\":1}]",
                                            "[{\"n\":\"/3/0/14\",\"vs\":\"+01\"},{\"n\":\"/3/0/15\"}]",
                                            "[{\"n\":\"/3/0/14\",\"vs\":\"+01\"},{\"n\":\"x\",\"v\":1}]" };
    for (unsigned i = 0; i < 3; i++) {
        tear_down(state);
        set_up(state);
        opens();
        SERVER(10200, BS, .type = BJ_COAP_CON, .code = PUT, .mid = 100, .token = "to", .path = "/3/0", .format = 111,
               .payload = payloads[i]);
        answers(10210, BS, 100, C(2, 4));
        judge(11000);
        if (i < 2) {
            assert_nothing_broken();
        } else {
            assert_broken(BJ_RULE_BS_WRITE_FORMAT, "no path");
        }
    }
}

/* A client that does not have the Resource need not look at what its text says; every client has the Secret Key. */
static void what_a_text_says_of_a_resource_that_no_client_need_have_may_be_passed_over(void **state) {
    static const struct {
        uint32_t format;
        const char *payload, *broken;
    } cases[] = {
        { 111, "[{\"n\":\"/0/1/111\",\"vlo\":\"65535:6548C\"},{\"n\":\"/0/1/112\",\"vs\":\"\"}]", NULL },
        { 111, "[{\"n\":\"/0/1/17\",\"vlo\":\"21\"}]", NULL },
        { 111, "[{\"n\":\"/0/1/111\",\"vd\":\"AA==\"}]", NULL },
        { 113, "\x81\xa2\x21\x67/0/1/17\x63vlo\x62:1", NULL },
        { 11544, "{\"bn\":\"/0/1/\",\"e\":[{\"n\":\"17\",\"ov\":\"x\"}]}", NULL },
        { 111, "[{\"n\":\"/0/1/5\",\"vd\":\"AA==\"}]", "base64url" },
        { 111, "[{\"n\":\"/0/1/1\",\"vlo\":\"0\"}]", "Object Link" },
        { 111, "[{\"n\":\"/0/2/111\",\"vlo\":\"0\"}]", "Object Link" },
        { 111, "[{\"n\":\"/0/1/111\",\"vlo\":65535}]", "vlo" },
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tear_down(state);
        set_up(state);
        opens();
        SERVER(10200, BS, .type = BJ_COAP_CON, .code = PUT, .mid = 100, .token = "to", .path = "/0/1",
               .format = cases[i].format, .payload = cases[i].payload);
        answers(10210, BS, 100, C(2, 4));
        judge(11000);
        if (cases[i].broken) {
            assert_broken(BJ_RULE_BS_WRITE_FORMAT, cases[i].broken);
        } else {
            assert_nothing_broken();
        }
    }
}

static void a_format_that_carries_no_values_is_found(void **state) {
    (void) state;
    opens();
    SERVER(10200, BS, .type = BJ_COAP_CON, .code = PUT, .mid = 100, .token = "to", .path = "/3/0", .format = 5000,
           .payload = "x");
    answers(10210, BS, 100, C(2, 4));
    judge(11000);
    assert_broken(BJ_RULE_BS_WRITE_FORMAT, "Content-Format");
}

static void resources_of_no_instance_are_found(void **state) {
    (void) state;
    opens();
    writes(10200, 100, "/1", "\xc1\x00\x65", 3, C(2, 4));
    judge(11000);
    assert_broken(BJ_RULE_BS_WRITE_INSTANCE_IDS, "PUT /1");
}

static void a_write_to_the_root_is_found(void **state) {
    (void) state;
    opens();
    writes(10200, 100, "/", "\xc1\x00\x65", 3, C(2, 4));
    judge(11000);
    assert_broken(BJ_RULE_BS_TARGETS, "PUT /");
}

static void what_is_wrong_may_be_refused(void **state) {
    (void) state;
    opens();
    writes(10200, 100, "/1/0", "\xc8\x00\x20", 3, C(4, 0));
    writes(10300, 101, "/1", "\xc1\x00\x65", 3, C(4, 0));
    command(10400, 102, DELETE_, "/1/0/1", C(4, 0));
    writes(10500, 103, "/some/path/1/0", "\xc1\x00\x65", 3, C(4, 0));
    command(10600, 104, DELETE_, "/some/path/1", C(4, 0));
    judge(11000);
    assert_nothing_broken();
}

static void a_finish_with_a_payload_may_be_taken(void **state) {
    (void) state;
    opens();
    SERVER(10200, BS, .type = BJ_COAP_CON, .code = POST, .mid = 100, .token = "to", .path = "/bs", .payload = "x");
    answers(10210, BS, 100, C(2, 4));
    judge(10300);
    assert_nothing_broken();
}

static void what_only_looks_like_a_finish_is_found(void **state) {
    (void) state;
    opens();
    command(10200, 100, POST, "/b", C(2, 4));
    judge(10300);
    assert_broken(BJ_RULE_BS_TARGETS, "POST /b");
}

static void a_finish_below_another_path_is_found(void **state) {
    (void) state;
    opens();
    command(10200, 100, POST, "/some/bs", C(2, 4));
    judge(10300);
    assert_broken(BJ_RULE_BS_ROOTED, "POST /some/bs");
}

static void a_write_below_another_path_is_found(void **state) {
    (void) state;
    opens();
    writes(10200, 100, "/some/1/0", "\xc1\x00\x65", 3, C(2, 4));
    judge(10300);
    assert_broken(BJ_RULE_BS_ROOTED, "PUT /some/1/0");
}

/* --- when no session is open ---------------------------------------------------------------------------------- */

static void a_command_behind_the_finish_that_succeeds_is_found(void **state) {
    (void) state;
    bootstraps();
    command(11000, 110, DELETE_, "/3", C(2, 2));
    judge(11100);
    assert_broken(BJ_RULE_BS_SESSION_OVER, "DELETE /3");
}

/* The answer to the Bootstrap-Request comes last: whether another session begins with it nobody knows. */
static void a_command_behind_a_late_answer_is_not_judged(void **state) {
    (void) state;
    asks(10000, 1);
    writes_security(10200, 101, "/0/1", "coap://mgmt.example", false, 101, C(2, 4));
    writes_server(10300, 121, "/1/0", 101, 300, C(2, 4));
    command(10400, 141, POST, "/bs", C(2, 4));
    accepts(10500, 1);
    command(11000, 110, DELETE_, "/3", C(2, 2));
    judge(11100);
    for (size_t i = 0; i < found_count; i++) {
        assert_int_not_equal(found[i].rule, BJ_RULE_BS_SESSION_OVER);
    }
}

static void a_command_behind_the_finish_that_is_refused_is_lawful(void **state) {
    (void) state;
    bootstraps();
    command(11000, 110, DELETE_, "/", C(4, 0));
    judge(11100);
    assert_nothing_broken();
}

static void a_client_that_takes_unasked_sessions_may_take_it(void **state) {
    (void) state;
    config.legacy = true;
    bootstraps();
    command(11000, 110, DELETE_, "/3", C(2, 2));
    judge(11100);
    assert_nothing_broken();
}

/* Its first copies were lost in the session before; nobody finishes what this one begins. */
static void a_repetition_behind_the_finish_may_begin_one_too(void **state) {
    (void) state;
    static const msg lost = { .type = BJ_COAP_CON,
                              .code = PUT,
                              .mid = 110,
                              .token = "to",
                              .path = "/1/0",
                              .format = 11543,
                              .payload = "\xc1\x00\x65\xc1\x01\x4d",
                              .length = 6 };
    config.legacy = true;
    opens();
    server_says(10150, BS, &lost);
    writes_security(10200, 100, "/0/1", "coap://mgmt.example", false, 101, C(2, 4));
    writes_server(10300, 101, "/1/0", 101, 300, C(2, 4));
    command(10900, 102, POST, "/bs", C(2, 4));
    server_says(12000, BS, &lost);
    answers(12010, BS, 110, C(2, 4));
    registers(300000, 50, "lt=300");
    judge(301000);
    assert_nothing_broken();
}

static void a_command_after_a_refusal_that_succeeds_is_found(void **state) {
    (void) state;
    asks(10000, 1);
    SERVER(10100, BS, .type = BJ_COAP_ACK, .code = C(4, 15), .mid = 1, .token = "tb");
    command(10200, 110, DELETE_, "/3", C(2, 2));
    judge(10300);
    assert_broken(BJ_RULE_BS_NO_SESSION, "was refused");
}

/* Over TCP; a command comes, perhaps, before the request is refused, and another behind that. */
static void is_refused_over_tcp(bool overtaken) {
    config.tcp = true;
    config.accounts[0].uri = "coap+tcp://bs.example";
    stream_opens(10000, BS, 1);
    STREAM(SENT, 10000, 1, .code = C(7, 1));
    STREAM(RECEIVED, 10000, 1, .code = C(7, 1));
    STREAM(SENT, 10010, 1, .code = POST, .token = "tb", .path = "/bs", .query = { "ep=dev-1" });
    if (overtaken) {
        STREAM(RECEIVED, 10100, 1, .code = DELETE_, .token = "to", .path = "/");
        STREAM(SENT, 10110, 1, .code = C(2, 2), .token = "to");
    }
    STREAM(RECEIVED, 60000, 1, .code = C(4, 4), .token = "tb");
    STREAM(RECEIVED, 60100, 1, .code = DELETE_, .token = "to", .path = "/3");
    STREAM(SENT, 60110, 1, .code = C(2, 2), .token = "to");
    judge(61000);
}

static void a_command_after_a_refusal_over_tcp_that_succeeds_is_found(void **state) {
    (void) state;
    is_refused_over_tcp(false);
    assert_broken(BJ_RULE_BS_NO_SESSION, "was refused");
}

static void a_refusal_over_tcp_that_a_command_overtook_may_be_passed_over(void **state) {
    (void) state;
    is_refused_over_tcp(true);
    assert_nothing_broken();
}

/* --- what may not be refused ---------------------------------------------------------------------------------- */

static void a_refused_delete_of_all_is_found(void **state) {
    (void) state;
    opens();
    command(10200, 100, DELETE_, "/", C(4, 0));
    judge(10300);
    assert_broken(BJ_RULE_BS_DELETE, "DELETE /");
}

static void a_refused_write_without_a_mistake_is_found(void **state) {
    (void) state;
    opens();
    writes_server(10200, 100, "/1/0", 101, 300, C(4, 0));
    judge(10300);
    assert_broken(BJ_RULE_BS_WRITE, "nothing is wrong with it");
}

static void a_client_without_room_may_refuse_it(void **state) {
    (void) state;
    opens();
    writes_server(10200, 100, "/1/0", 101, 300, C(5, 0));
    writes_server(10300, 101, "/1/0", 101, 300, C(4, 15));
    judge(10400);
    assert_nothing_broken();
}

static void a_value_out_of_range_may_be_refused(void **state) {
    (void) state;
    opens();
    writes_server(10200, 100, "/1/0", 0, 300, C(4, 0));
    writes_server(10300, 101, "/1/0", 101, -1, C(4, 0));
    judge(10400);
    assert_nothing_broken();
}

static void a_refused_resource_of_an_instance_that_is_not_there_is_found(void **state) {
    (void) state;
    opens();
    writes(10200, 100, "/1/7/1", "\xc1\x01\x3c", 3, C(4, 4));
    judge(10300);
    for (size_t i = 0; i < found_count; i++) {
        assert_true(found[i].rule == BJ_RULE_BS_WRITE_REGARDLESS || bj_rule_level(found[i].rule) == BJ_LEVEL_SHOULD);
    }
    assert_int_equal(found_count, 2);
}

static void a_refused_resource_that_nobody_has_is_found(void **state) {
    (void) state;
    opens();
    writes(10200, 100, "/1/0", "\xc1\x00\x65\xe1\x01\x2c\x05", 7, C(4, 0));
    judge(10300);
    assert_broken(BJ_RULE_BS_WRITE_UNKNOWN_OPTIONAL, "PUT /1/0");
}

static void a_correction_that_is_refused_is_found(void **state) {
    (void) state;
    opens();
    command(10200, 100, POST, "/bs", C(4, 6));
    writes_server(10300, 101, "/1/0", 101, 300, C(4, 0));
    judge(10400);
    assert_broken(BJ_RULE_BS_FINISH_CORRECTION, "the session is open");
}

static void a_client_that_lost_its_session_may_refuse_everything(void **state) {
    (void) state;
    opens();
    put_event((bj_event){ .kind = BJ_EV_ICMP, .actor = BJ_ACTOR_CLIENT, .time = 10150 * BJ_MS });
    writes_server(10200, 100, "/1/0", 101, 300, C(4, 0));
    command(10300, 101, DELETE_, "/", C(4, 0));
    judge(10400);
    assert_nothing_broken();
}

/* --- conditions, overtaking ----------------------------------------------------------------------------------- */

static void conditional(uint8_t answer) {
    uint8_t bytes[100];
    bj_coap c = { .version = 1, .type = BJ_COAP_CON, .code = DELETE_, .mid = 100, .token_length = 2, .token = "to" };
    bj_coap_add(&c, BJ_COAP_IF_MATCH, "\x01\x02", 2);
    bj_coap_add_path(&c, BJ_COAP_URI_PATH, "/3");
    server_raw(10200, BS, bytes, bj_coap_encode(&c, bytes, sizeof bytes));
    answers(10210, BS, 100, answer);
}

static void a_condition_that_cannot_hold_is_found_when_it_is_passed_over(void **state) {
    (void) state;
    opens();
    conditional(C(2, 2));
    judge(10400);
    assert_broken(BJ_RULE_COAP_CRITICAL_OPTION, "If-Match");
}

static void a_condition_that_does_not_hold_is_lawful(void **state) {
    (void) state;
    opens();
    conditional(C(4, 12));
    judge(10400);
    assert_int_equal(found_count, 1);
    assert_int_equal(bj_rule_level(found[0].rule), BJ_LEVEL_SHOULD);
}

/* A part of a body is no command yet, and begins no session; what comes behind it, as the request is given up, finds
 * nobody. */
static void a_part_of_a_body_that_overtakes_may_begin_nothing(void **state) {
    (void) state;
    asks(10000, 1);
    SERVER(10100, BS, .type = BJ_COAP_CON, .code = PUT, .mid = 100, .token = "to", .path = "/1", .format = 11543,
           .block1 = 0x08 + 1, .payload = "0123456789abcdef");
    SERVER(10100, BS, .type = BJ_COAP_CON, .code = DELETE_, .mid = 101, .token = "tp", .path = "/3");
    answers(10101, BS, 100, C(2, 31));
    asks(130000, 2);
    judge(140000);
    assert_nothing_broken();
}

/* What follows finds nobody, where the one that overtook has begun nothing. */
static void is_left_behind_what_overtook(uint16_t option, const char *value, uint8_t type, uint8_t answer) {
    asks(10000, 1);
    SERVER(10100, BS, .type = type, .code = GET, .mid = 100, .token = "to", .path = "/1", .option = option,
           .option_value = value);
    if (answer) {
        answers(10101, BS, 100, answer);
    }
    SERVER(103000, BS, .type = BJ_COAP_CON, .code = DELETE_, .mid = 101, .token = "tp", .path = "/3");
    judge(140000);
}

/* RFC 7252 §5.4.1: what is rejected for an option has not been looked at as a command. */
static void a_rejected_command_that_overtakes_may_begin_nothing(void **state) {
    (void) state;
    is_left_behind_what_overtook(BJ_COAP_OSCORE, "\x01", BJ_COAP_CON, C(4, 2));
    assert_nothing_broken();
}

static void one_that_is_passed_over_may_begin_nothing(void **state) {
    (void) state;
    is_left_behind_what_overtook(BJ_COAP_OSCORE, "\x01", BJ_COAP_NON, 0);
    assert_nothing_broken();
}

static void one_that_is_taken_begins_a_session(void **state) {
    (void) state;
    is_left_behind_what_overtook(0, NULL, BJ_COAP_CON, C(2, 5));
    assert_broken(BJ_RULE_COAP_ANSWERED, "DELETE /3");
}

/* The client registers with an account that leads to the Bootstrap-Server's address, from another port than the one
 * that it asks from: what comes there may find nobody, or somebody who is not in a session. */
static void is_commanded_at_the_port_of_a_register(bool accepts_first, bool rejects) {
    const uint16_t port = local.port;
    config.accounts[1] = (bj_oracle_account){
        .uri = "coap://bs.example", .instance = 1, .ssid = 1, .lifetime_s = 86400, .binding = "U"
    };
    config.account_count = 2;
    local.port = 49153;
    CLIENT(5000, BS, .type = BJ_COAP_CON, .code = POST, .mid = 7, .token = "tr", .path = "/rd",
           .query = { "ep=dev-1", "lt=86400", "lwm2m=1.1" });
    local.port = port;
    asks(20000, 1);
    if (accepts_first) {
        accepts(20050, 1);
    }
    local.port = 49153;
    SERVER(20100, BS, .type = BJ_COAP_CON, .code = DELETE_, .mid = 100, .token = "to", .path = "/3");
    if (rejects) {
        CLIENT(20110, BS, .type = BJ_COAP_RST, .mid = 100);
    } else {
        SERVER(20120, BS, .type = BJ_COAP_CON, .code = POST, .mid = 101, .token = "tp", .path = "/bs");
    }
    local.port = port;
    judge(25000);
}

static void who_registers_need_not_hear_a_command_that_overtakes(void **state) {
    (void) state;
    is_commanded_at_the_port_of_a_register(false, false);
    assert_nothing_broken();
}

static void who_registers_need_not_hear_one_of_a_session(void **state) {
    (void) state;
    is_commanded_at_the_port_of_a_register(true, false);
    assert_nothing_broken();
}

static void who_registers_may_reject_a_command_that_overtakes(void **state) {
    (void) state;
    is_commanded_at_the_port_of_a_register(false, true);
    assert_nothing_broken();
}

static void who_registers_may_reject_one_of_a_session(void **state) {
    (void) state;
    is_commanded_at_the_port_of_a_register(true, true);
    assert_nothing_broken();
}

static void a_reset_of_a_command_that_overtakes_is_found(void **state) {
    (void) state;
    asks(10000, 1);
    SERVER(10100, BS, .type = BJ_COAP_CON, .code = DELETE_, .mid = 100, .token = "to", .path = "/");
    CLIENT(10110, BS, .type = BJ_COAP_RST, .mid = 100);
    accepts(10200, 1);
    judge(10400);
    assert_broken(BJ_RULE_BS_OVERTAKING, "DELETE /");
}

/* RFC 7252 §5.4.3: a segment of more than 255 bytes is a critical option that nobody knows; §4.6: nor need a client
 * take what is larger than 1152 bytes. */
static void one_that_nobody_need_take_may_be_rejected(void **state) {
    (void) state;
    char segment[300] = "/", large[1160];
    memset(segment + 1, 'a', sizeof segment - 2);
    segment[sizeof segment - 1] = '\0';
    memset(large, 0, sizeof large);
    asks(10000, 1);
    SERVER(10100, BS, .type = BJ_COAP_CON, .code = DELETE_, .mid = 100, .token = "to", .path = segment);
    CLIENT(10110, BS, .type = BJ_COAP_RST, .mid = 100);
    SERVER(10120, BS, .type = BJ_COAP_CON, .code = PUT, .mid = 101, .token = "to", .path = "/1/0", .format = 11543,
           .payload = large, .length = sizeof large);
    CLIENT(10130, BS, .type = BJ_COAP_RST, .mid = 101);
    accepts(10200, 1);
    judge(10400);
    assert_nothing_broken();
}

static void a_session_that_a_command_opened_is_not_given_up_early(void **state) {
    (void) state;
    asks(10000, 1);
    command(10100, 100, DELETE_, "/", C(2, 2));
    accepts(10200, 1);
    asks(21000, 2);
    judge(22000);
    assert_broken(BJ_RULE_BS_FINISH_TIMEOUT, "without Finish");
}

static void a_command_that_overtakes_may_be_refused(void **state) {
    (void) state;
    asks(10000, 1);
    command(10100, 100, DELETE_, "/", C(4, 0));
    accepts(10200, 1);
    asks(21000, 2);
    judge(22000);
    assert_nothing_broken();
}

static void an_account_of_the_bootstrap_server_may_not_be_refused(void **state) {
    (void) state;
    opens();
    writes_security(10200, 100, "/0/0", "coap://second.example", true, 0, C(4, 0)); /* it has a key: who knows */
    judge(20000);
    assert_nothing_broken();
    static const char account[] = "\xc8\x00\x15"
                                  "coap://second.example\xc1\x01\x01\xc1\x02\x03\xc0\x03";
    writes(10300, 101, "/0/7", account, sizeof account - 1, C(4, 0)); /* there would be two */
    judge(20000);
    assert_nothing_broken();
    writes(10400, 102, "/0/0", account, sizeof account - 1, C(4, 0));
    judge(20000);
    assert_broken(BJ_RULE_BS_ACCOUNT_REPLACED, "its own account");
}

static void a_port_that_is_closed_in_a_session_is_found(void **state) {
    (void) state;
    opens();
    command(10200, 100, DELETE_, "/", C(2, 2));
    put_event((bj_event){
        .kind = BJ_EV_LOST, .time = 30000 * BJ_MS, .from = address_of(BS), .to = local, .text = "the port is closed" });
    judge(31000);
    assert_broken(BJ_RULE_BS_FINISH_TIMEOUT, "closes its port");
}

static void a_port_that_is_closed_behind_it_is_lawful(void **state) {
    (void) state;
    opens();
    command(10200, 100, DELETE_, "/", C(2, 2));
    put_event((bj_event){ .kind = BJ_EV_LOST,
                          .time = 258000 * BJ_MS,
                          .from = address_of(BS),
                          .to = local,
                          .text = "the port is closed" });
    judge(259000);
    assert_nothing_broken();
}

static void a_client_that_takes_what_overtakes_does_not_refuse_it(void **state) {
    (void) state;
    config.overtaking = true;
    asks(10000, 1);
    command(10100, 100, DELETE_, "/", C(5, 0));
    accepts(10200, 1);
    judge(10400);
    assert_broken(BJ_RULE_BS_OVERTAKING, "changes nothing");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_read_of_the_security_object_is_found),
        TEST(a_read_of_another_object_is_found),
        TEST(reads_of_accounts_and_refused_ones_are_lawful),
        TEST(a_delete_of_a_resource_is_found),
        TEST(a_delete_of_no_path_is_found),
        TEST(a_payload_that_is_damaged_and_taken_is_found),
        TEST(one_with_a_message_id_of_before_may_be_answered_as_that),
        TEST(a_record_of_nothing_may_be_taken),
        TEST(what_a_text_says_of_a_resource_that_no_client_need_have_may_be_passed_over),
        TEST(a_format_that_carries_no_values_is_found),
        TEST(resources_of_no_instance_are_found),
        TEST(a_write_to_the_root_is_found),
        TEST(what_is_wrong_may_be_refused),
        TEST(a_finish_with_a_payload_may_be_taken),
        TEST(what_only_looks_like_a_finish_is_found),
        TEST(a_finish_below_another_path_is_found),
        TEST(a_write_below_another_path_is_found),
        TEST(a_command_behind_the_finish_that_succeeds_is_found),
        TEST(a_command_behind_a_late_answer_is_not_judged),
        TEST(a_command_behind_the_finish_that_is_refused_is_lawful),
        TEST(a_client_that_takes_unasked_sessions_may_take_it),
        TEST(a_repetition_behind_the_finish_may_begin_one_too),
        TEST(a_command_after_a_refusal_that_succeeds_is_found),
        TEST(a_command_after_a_refusal_over_tcp_that_succeeds_is_found),
        TEST(a_refusal_over_tcp_that_a_command_overtook_may_be_passed_over),
        TEST(a_refused_delete_of_all_is_found),
        TEST(a_refused_write_without_a_mistake_is_found),
        TEST(a_client_without_room_may_refuse_it),
        TEST(a_value_out_of_range_may_be_refused),
        TEST(a_refused_resource_of_an_instance_that_is_not_there_is_found),
        TEST(a_refused_resource_that_nobody_has_is_found),
        TEST(a_correction_that_is_refused_is_found),
        TEST(a_client_that_lost_its_session_may_refuse_everything),
        TEST(a_condition_that_cannot_hold_is_found_when_it_is_passed_over),
        TEST(a_condition_that_does_not_hold_is_lawful),
        TEST(a_part_of_a_body_that_overtakes_may_begin_nothing),
        TEST(a_rejected_command_that_overtakes_may_begin_nothing),
        TEST(one_that_is_passed_over_may_begin_nothing),
        TEST(one_that_is_taken_begins_a_session),
        TEST(who_registers_need_not_hear_a_command_that_overtakes),
        TEST(who_registers_need_not_hear_one_of_a_session),
        TEST(who_registers_may_reject_a_command_that_overtakes),
        TEST(who_registers_may_reject_one_of_a_session),
        TEST(a_reset_of_a_command_that_overtakes_is_found),
        TEST(one_that_nobody_need_take_may_be_rejected),
        TEST(a_session_that_a_command_opened_is_not_given_up_early),
        TEST(a_command_that_overtakes_may_be_refused),
        TEST(a_client_that_takes_what_overtakes_does_not_refuse_it),
        TEST(an_account_of_the_bootstrap_server_may_not_be_refused),
        TEST(a_port_that_is_closed_in_a_session_is_found),
        TEST(a_port_that_is_closed_behind_it_is_lawful),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
