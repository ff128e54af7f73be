/* SPDX-License-Identifier: Apache-2.0
 *
 * The oracles of the Bootstrap and Registration interfaces, judged themselves: each rule is broken in a hand-made log
 * and is found broken, and is not found broken in one that keeps it.
 */
#include "oracle_fixture.h"

/* --- the request ---------------------------------------------------------------------------------------------- */

static void a_bootstrap_request_with_a_payload_is_found(void **state) {
    (void) state;
    CLIENT(10000, BS, .type = BJ_COAP_CON, .code = POST, .mid = 1, .path = "/bs", .query = { "ep=dev-1" },
           .payload = "x");
    judge(11000);
    assert_broken(BJ_RULE_BS_REQUEST, "payload");
}

static void a_bootstrap_request_that_is_not_confirmable_is_found(void **state) {
    (void) state;
    CLIENT(10000, BS, .type = BJ_COAP_NON, .code = POST, .mid = 1, .path = "/bs", .query = { "ep=dev-1" });
    judge(11000);
    assert_broken(BJ_RULE_BS_REQUEST, "confirmable");
}

static void another_endpoint_name_is_found(void **state) {
    (void) state;
    CLIENT(10000, BS, .type = BJ_COAP_CON, .code = POST, .mid = 1, .path = "/bs", .query = { "ep=dev-2" });
    judge(11000);
    assert_broken(BJ_RULE_BS_REQUEST, "ep");
}

static void a_preferred_format_that_is_none_is_found(void **state) {
    (void) state;
    CLIENT(10000, BS, .type = BJ_COAP_CON, .code = POST, .mid = 1, .path = "/bs", .query = { "ep=dev-1", "pct=60" });
    judge(11000);
    assert_broken(BJ_RULE_BS_REQUEST, "pct");
}

static void a_request_without_a_name_is_found(void **state) {
    (void) state;
    CLIENT(10000, BS, .type = BJ_COAP_CON, .code = POST, .mid = 1, .path = "/bs");
    judge(11000);
    assert_broken(BJ_RULE_BS_REQUEST, "whose it is");
}

static void an_update_may_have_its_path(void **state) {
    (void) state;
    bootstraps();
    registers(11000, 50, "lt=300");
    registered(11100, 50);
    CLIENT(100000, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 51, .token = "tu", .path = "/bs");
    judge(101000);
    for (size_t i = 0; i < found_count; i++) {
        assert_int_not_equal(found[i].rule, BJ_RULE_BS_REQUEST);
    }
}

static void a_preferred_format_of_the_first_release_is_found(void **state) {
    (void) state;
    config.first_release = true;
    CLIENT(10000, BS, .type = BJ_COAP_CON, .code = POST, .mid = 1, .path = "/bs", .query = { "ep=dev-1", "pct=110" });
    judge(11000);
    assert_broken(BJ_RULE_BS_REQUEST_FORMAT, "110");
}

static void asks_for_a_pack(unsigned ms, uint16_t mid) {
    CLIENT(ms, BS, .type = BJ_COAP_CON, .code = GET, .mid = mid, .token = "tb", .path = "/bspack",
           .query = { "ep=dev-1" });
}

static void a_pack_that_is_refused_and_asked_for_again_is_found(void **state) {
    (void) state;
    asks_for_a_pack(10000, 1);
    SERVER(10100, BS, .type = BJ_COAP_ACK, .code = C(5, 1), .mid = 1, .token = "tb");
    asks_for_a_pack(20200, 2);
    judge(21000);
    assert_broken(BJ_RULE_BS_PACK_FALLBACK, "5.01");
}

static void a_pack_that_nobody_answers_may_be_asked_for_again(void **state) {
    (void) state;
    asks_for_a_pack(10000, 1);
    asks_for_a_pack(120000, 2);
    SERVER(120100, BS, .type = BJ_COAP_ACK, .code = C(5, 1), .mid = 2, .token = "tb");
    asks(120200, 3);
    judge(121000);
    assert_nothing_broken();
}

/* It is read when the client has asked for a session already, whose answer it overtakes. */
static void a_command_beside_a_refused_pack_may_begin_a_session(void **state) {
    (void) state;
    opens();
    writes_security(10200, 100, "/0/1", "coap://mgmt.example", false, 101, C(2, 4));
    writes_server(10300, 101, "/1/0", 101, 300, C(2, 4));
    command(10400, 102, DELETE_, "/1/1", C(2, 2));
    command(10900, 103, POST, "/bs", C(2, 4));
    asks_for_a_pack(30000, 10);
    SERVER(30100, BS, .type = BJ_COAP_ACK, .code = C(2, 1), .mid = 10, .token = "tb");
    SERVER(30100, BS, .type = BJ_COAP_CON, .code = PUT, .mid = 104, .token = "to", .path = "/1/1", .format = 11543,
           .payload = "\xc1\x00\x65", .length = 3);
    asks(30101, 11);
    answers(30102, BS, 104, C(2, 4));
    accepts(30200, 11);
    discovers(30300, 12, "/1", "</1/0>;ssid=101,</1/1>;ssid=101");
    judge(31000);
    assert_nothing_broken();
}

static void anything_else_to_the_bootstrap_server_is_found(void **state) {
    (void) state;
    bootstraps();
    CLIENT(11000, BS, .type = BJ_COAP_CON, .code = GET, .mid = 2, .path = "/3");
    judge(12000);
    assert_broken(BJ_RULE_BS_ONLY_REQUESTS, "GET /3");
}

/* --- the hold-off --------------------------------------------------------------------------------------------- */

static void an_attempt_before_the_hold_off_is_found(void **state) {
    (void) state;
    asks(9990, 1);
    judge(11000);
    assert_broken(BJ_RULE_BS_HOLDOFF, "/0/x/11 is 10 s");
}

/* Of a server that has the address of the Bootstrap-Server, and does not let the client in. */
static void a_handshake_that_failed_was_no_attempt(void **state) {
    (void) state;
    static const uint8_t hello[20] = { 22, 254, 253, [13] = 1 };
    static const char text[] = "ended: unknown PSK identity";
    bootstraps();
    client_raw(11100, BS, hello, sizeof hello);
    put_event((bj_event){ .kind = BJ_EV_TLS_STATE,
                          .actor = BS,
                          .time = 11200 * BJ_MS,
                          .from = address_of(BS),
                          .to = local,
                          .text = text,
                          .text_length = sizeof text - 1 });
    asks(30000, 2);
    judge(31000);
    assert_nothing_broken();
}

/* The attempt before has failed; a server accepts a Register when the next one has begun, or is about to. */
static void is_accepted_as_it_asks_again(bool begun) {
    static const uint8_t hello[20] = { 22, 254, 253, [13] = 1 };
    bootstraps();
    registers(12000, 900, "lt=300");
    registered(12100, 900);
    SERVER(20000, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 70, .token = "to", .path = "/1/0/9");
    answers(20010, MGMT, 70, C(2, 4));
    asks(31000, 2);
    registers(100000, 901, "lt=300");
    if (begun) {
        client_raw(145000, BS, hello, sizeof hello);
    }
    registered(145010, 901);
    client_raw(145020, BS, hello, sizeof hello); /* with the server's cookie */
    asks(145030, 3);
    judge(146000);
}

static void an_attempt_that_has_begun_goes_on_when_a_register_is_accepted(void **state) {
    (void) state;
    is_accepted_as_it_asks_again(true);
    assert_nothing_broken();
}

static void a_register_that_is_accepted_puts_off_the_next_attempt(void **state) {
    (void) state;
    is_accepted_as_it_asks_again(false);
    assert_broken(BJ_RULE_BS_HOLDOFF, "0.010 s after");
}

static void a_second_attempt_before_the_hold_off_is_found(void **state) {
    (void) state;
    asks(10000, 1);
    SERVER(10100, BS, .type = BJ_COAP_ACK, .code = C(4, 0), .mid = 1, .token = "tb");
    asks(20000, 2);
    judge(21000);
    assert_broken(BJ_RULE_BS_HOLDOFF, "9.900 s");
}

static void a_second_attempt_after_the_hold_off_is_lawful(void **state) {
    (void) state;
    asks(10000, 1);
    SERVER(10100, BS, .type = BJ_COAP_ACK, .code = C(4, 0), .mid = 1, .token = "tb");
    asks(20100, 2);
    judge(21000);
    assert_nothing_broken();
}

static void asks_for(unsigned at_ms, unsigned mid, const char *preferred, uint8_t refused) {
    CLIENT(at_ms, BS, .type = BJ_COAP_CON, .code = POST, .mid = mid, .token = "tb", .path = "/bs",
           .query = { "ep=dev-1", preferred });
    SERVER(at_ms + 100, BS, .type = BJ_COAP_ACK, .code = refused, .mid = mid, .token = "tb");
}

static void a_request_again_without_its_format_is_the_same_attempt(void **state) {
    (void) state;
    asks_for(10000, 1, "pct=112", C(4, 0));
    asks_for(10200, 2, NULL, C(4, 0));
    asks(20400, 3);
    judge(21000);
    assert_nothing_broken();
}

static void a_request_again_without_its_format_after_5_00_is_found(void **state) {
    (void) state;
    asks_for(10000, 1, "pct=112", C(5, 0));
    asks_for(10200, 2, NULL, C(4, 0));
    judge(11000);
    assert_broken(BJ_RULE_BS_HOLDOFF, "/0/x/11 is 10 s");
}

static void a_third_request_without_a_format_is_found(void **state) {
    (void) state;
    asks_for(10000, 1, "pct=112", C(4, 0));
    asks_for(10200, 2, NULL, C(4, 0));
    asks(10400, 3);
    judge(11000);
    assert_broken(BJ_RULE_BS_HOLDOFF, "/0/x/11 is 10 s");
}

static void the_hold_off_counts_from_the_refused_registration(void **state) {
    (void) state;
    bootstraps();
    registers(11000, 50, "lt=300");
    SERVER(30000, MGMT, .type = BJ_COAP_ACK, .code = C(4, 3), .mid = 50, .token = "tr");
    asks(39000, 2);
    judge(41000);
    assert_broken(BJ_RULE_BS_HOLDOFF, "9.000 s");
}

static void the_hold_off_of_the_account_that_was_written_counts(void **state) {
    (void) state;
    uint8_t bytes[100];
    bj_tlv_writer w = { .out = bytes, .room = sizeof bytes };
    bj_tlv_put_int(&w, BJ_TLV_RESOURCE, 11, 60);
    opens();
    writes(10200, 99, "/0/0", bytes, w.used, C(2, 4));
    command(10900, 102, POST, "/bs", C(2, 4));
    asks(50000, 2);
    judge(61000);
    /* It is not known to be the bootstrap account any more, so that the smaller of both hold-offs counts. */
    assert_broken(BJ_RULE_BS_CHECK_MANDATORY, "/0/0 lacks a mandatory Resource");
}

static void a_register_beside_a_failed_attempt_holds_nothing_off(void **state) {
    (void) state;
    config.accounts[1] = (bj_oracle_account){
        .uri = "coap://mgmt.example", .instance = 1, .ssid = 101, .lifetime_s = 300, .binding = "U"
    };
    config.account_count = 2;
    asks(10000, 1);
    SERVER(10100, BS, .type = BJ_COAP_ACK, .code = C(4, 3), .mid = 1, .token = "tb");
    registers(10200, 50, "lt=300");
    registers(12200, 50, "lt=300");
    asks(20200, 2);
    judge(21000);
    assert_nothing_broken();
}

static void an_answer_that_comes_late_holds_nothing_off(void **state) {
    (void) state;
    asks(10000, 1);
    command(10100, 100, POST, "/bs", C(2, 4));
    accepts(15000, 1);
    asks(20200, 2);
    judge(21000);
    assert_nothing_broken();
}

static void a_trigger_is_held_off_too(void **state) {
    (void) state;
    bootstraps();
    registers(11000, 50, "lt=300");
    registered(11100, 50);
    SERVER(60000, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 9, .token = "to", .path = "/1/0/9");
    answers(60010, MGMT, 9, C(2, 4));
    asks(61000, 2);
    judge(62000);
    assert_broken(BJ_RULE_BS_HOLDOFF, "1.000 s");
}

static void an_attempt_beyond_the_profiles_bound_is_a_warning(void **state) {
    (void) state;
    config.holdoff_latest = 20 * BJ_SECOND;
    asks(10000, 1);
    SERVER(10100, BS, .type = BJ_COAP_ACK, .code = C(4, 0), .mid = 1, .token = "tb");
    asks(50000, 2);
    judge(61000);
    assert_broken(BJ_RULE_BS_HOLDOFF_BOUND, "bound");
    assert_int_equal(bj_rule_level(BJ_RULE_BS_HOLDOFF_BOUND), BJ_LEVEL_SHOULD);
}

/* --- a session without Finish --------------------------------------------------------------------------------- */

static void a_session_given_up_early_is_found(void **state) {
    (void) state;
    opens();
    command(100000, 9, DELETE_, "/1", C(2, 2));
    asks(100000 + 246000, 2);
    judge(400000);
    assert_broken(BJ_RULE_BS_FINISH_TIMEOUT, "246.000 s");
}

/* RFC 7252 §5.4.5, §5.4.1: one occurrence too many is an option that is not known; what is critical and not
 * confirmable is passed over without a word. */
static void what_must_be_passed_over_prolongs_nothing(void **state) {
    (void) state;
    opens();
    SERVER(100000, BS, .type = BJ_COAP_NON, .code = GET, .mid = 9, .token = "to", .path = "/", .accept = 41,
           .option = BJ_COAP_ACCEPT);
    asks(10100 + 247000 + 20000, 2);
    judge(400000);
    assert_nothing_broken();
}

/* LwM2M Transport 1.1 §6.4.2: no command has a Uri-Query, or a Request-Tag; RFC 7252 §4.6: nor need a client take what
 * is larger than 1152 bytes. What is refused for that may be no command. */
static void a_refused_request_that_is_no_command_may_prolong_nothing(void **state) {
    (void) state;
    static char large[1160];
    const msg asked[] = { { .path = "/0", .query = { "a=b" }, .format = 11543 },
                          { .path = "/1", .option = BJ_COAP_REQUEST_TAG, .option_value = "a", .format = 11543 },
                          { .path = "/1", .payload = large, .length = sizeof large, .format = 11543 },
                          { .path = "/1", .format = 11543 } };
    for (unsigned i = 0; i < 4; i++) {
        tear_down(state);
        set_up(state);
        msg m = asked[i];
        m.type = BJ_COAP_CON;
        m.code = PUT;
        m.mid = 9;
        m.token = "to";
        opens();
        server_says(100000, BS, &m);
        answers(100010, BS, 9, i == 2 ? C(5, 0) : C(4, 0));
        asks(10100 + 247000 + 20000, 2);
        judge(400000);
        if (i < 3) {
            assert_nothing_broken();
        } else {
            assert_broken(BJ_RULE_BS_FINISH_TIMEOUT, "177.100 s");
        }
    }
}

static void a_session_given_up_in_time_is_lawful(void **state) {
    (void) state;
    opens();
    command(100000, 9, DELETE_, "/1", C(2, 2));
    asks(100000 + 247000 + 10000, 2);
    judge(400000);
    assert_nothing_broken();
}

/* A client that gave the session up has nothing to say to it: its hold-off began with the time-out, not with what came
 * later. */
static void a_finish_after_the_time_out_begins_no_hold_off(void **state) {
    (void) state;
    asks(10000, 1);
    accepts(10100, 1);
    for (unsigned ms = 257110; ms < 267000; ms += 3000) {
        SERVER(ms, BS, .type = BJ_COAP_CON, .code = POST, .mid = 9, .token = "tf", .path = "/bs");
    }
    asks(267200, 2);
    judge(267300);
    for (size_t i = 0; i < found_count; i++) {
        assert_int_not_equal(found[i].rule, BJ_RULE_BS_HOLDOFF);
    }
}

/* The same for an answer, and what follows it, that come when the request was given up. */
static void an_answer_after_the_last_time_out_begins_no_hold_off(void **state) {
    (void) state;
    asks(10000, 1);
    accepts(104000, 1);
    SERVER(104100, BS, .type = BJ_COAP_CON, .code = DELETE_, .mid = 9, .token = "td", .path = "/1");
    asks(113500, 2);
    judge(113600);
    for (size_t i = 0; i < found_count; i++) {
        assert_int_not_equal(found[i].rule, BJ_RULE_BS_HOLDOFF);
    }
}

static void a_repeated_command_prolongs_nothing(void **state) {
    (void) state;
    opens();
    command(100000, 9, DELETE_, "/1", C(2, 2));
    command(115000, 9, DELETE_, "/1", C(2, 2));
    asks(100000 + 247000 + 10000, 2);
    judge(400000);
    assert_nothing_broken();
}

static void an_answer_that_no_table_has_may_be_taken_for_a_refusal(void **state) {
    (void) state;
    asks(10000, 1);
    SERVER(10100, BS, .type = BJ_COAP_ACK, .code = C(2, 1), .mid = 1, .token = "tb");
    asks(10100 + 20000, 2);
    judge(400000);
    assert_nothing_broken();
}

/* --- accounts ------------------------------------------------------------------------------------------------- */

static void two_bootstrap_accounts_are_found(void **state) {
    (void) state;
    opens();
    writes_security(10200, 100, "/0/1", "coap://other.example", true, 0, C(2, 4));
    judge(11000);
    assert_broken(BJ_RULE_BS_ONE_ACCOUNT, "/0/0 and /0/1");
}

static void a_second_bootstrap_account_that_is_refused_is_lawful(void **state) {
    (void) state;
    opens();
    writes_security(10200, 100, "/0/1", "coap://other.example", true, 0, C(4, 0));
    judge(11000);
    assert_nothing_broken();
}

static void an_account_that_moves_is_lawful(void **state) {
    (void) state;
    opens();
    writes_security(10200, 100, "/0/0", "coap://mgmt.example", false, 101, C(2, 4));
    writes_security(10300, 101, "/0/1", "coap://other.example", true, 0, C(2, 4));
    judge(11000);
    assert_nothing_broken();
}

static void a_bootstrap_account_that_delete_takes_is_found(void **state) {
    (void) state;
    opens();
    command(10200, 9, DELETE_, "/", C(2, 2));
    discovers(10300, 10, "/", "</>;lwm2m=1.1,</3/0>");
    judge(11000);
    assert_true(found_count >= 1 && found[0].rule == BJ_RULE_BS_DELETE_SURVIVORS);
}

static void a_device_object_that_delete_takes_is_found(void **state) {
    (void) state;
    opens();
    command(10200, 9, DELETE_, "/3/0", C(2, 2));
    discovers(10300, 10, "/", "</>;lwm2m=1.1,</0/0>");
    judge(11000);
    assert_broken(BJ_RULE_BS_DELETE_SURVIVORS, "/3/0");
}

static void what_delete_leaves_is_found(void **state) {
    (void) state;
    opens();
    writes_server(10200, 100, "/1/0", 101, 300, C(2, 4));
    command(10300, 9, DELETE_, "/1", C(2, 2));
    discovers(10400, 10, "/", "</>;lwm2m=1.1,</0/0>,</1/0>;ssid=101,</3/0>");
    judge(11000);
    assert_true(found_count == 1 && found[0].rule == BJ_RULE_BS_DELETE);
}

static void an_instance_that_delete_never_took_is_found(void **state) {
    (void) state;
    opens();
    command(10300, 9, DELETE_, "/1", C(2, 2));
    discovers(10400, 10, "/1", "</1/7>;ssid=101");
    judge(11000);
    assert_broken(BJ_RULE_BS_DELETE, "/1/7");
}

static void a_write_without_effect_is_found(void **state) {
    (void) state;
    opens();
    writes_server(10200, 100, "/1/0", 101, 300, C(2, 4));
    discovers(10400, 10, "/1", "");
    judge(11000);
    assert_true(found_count >= 1 && found[found_count - 1].rule == BJ_RULE_BS_WRITE);
}

static void what_discover_lists_as_written_is_lawful(void **state) {
    (void) state;
    opens();
    command(10110, 9, DELETE_, "/", C(2, 2));
    writes_security(10200, 100, "/0/1", "coap://mgmt.example", false, 101, C(2, 4));
    writes_server(10300, 101, "/1/0", 101, 300, C(2, 4));
    discovers(10400, 10, "/",
              "</>;lwm2m=1.1,</0/0>,</0/1>;ssid=101;uri=\"coap://mgmt.example\",</1/0>;ssid=101,</3/0>");
    judge(11000);
    assert_nothing_broken();
}

static void another_short_server_id_is_found(void **state) {
    (void) state;
    opens();
    writes_server(10200, 100, "/1/0", 101, 300, C(2, 4));
    discovers(10400, 10, "/1", "</1/0>;ssid=102");
    judge(11000);
    assert_broken(BJ_RULE_BS_WRITE, "102");
}

static void a_write_in_blocks_counts_as_a_whole(void **state) {
    (void) state;
    opens();
    uint8_t bytes[64];
    bj_tlv_writer w = { .out = bytes, .room = sizeof bytes };
    bj_tlv_put_int(&w, BJ_TLV_RESOURCE, 0, 101);
    bj_tlv_put_int(&w, BJ_TLV_RESOURCE, 1, 86400);
    bj_tlv_put(&w, BJ_TLV_RESOURCE, 7, "UUUUUUU", 7);
    SERVER(10200, BS, .type = BJ_COAP_CON, .code = PUT, .mid = 100, .token = "to", .path = "/1/0", .format = 11543,
           .block1 = 1 + (0 << 4 | 8 | 0), .payload = (char *) bytes, .length = 16);
    CLIENT(10210, BS, .type = BJ_COAP_ACK, .code = C(2, 31), .mid = 100, .token = "to", .block1 = 1 + 8);
    SERVER(10300, BS, .type = BJ_COAP_CON, .code = PUT, .mid = 101, .token = "tp", .path = "/1/0", .format = 11543,
           .block1 = 1 + (1 << 4), .payload = (char *) bytes + 16, .length = w.used - 16);
    CLIENT(10310, BS, .type = BJ_COAP_ACK, .code = C(2, 4), .mid = 101, .token = "tp", .block1 = 1 + (1 << 4));
    discovers(10400, 10, "/1", "</1/0>;ssid=102");
    judge(11000);
    assert_broken(BJ_RULE_BS_WRITE, "Short Server ID 101");
}

static void part(unsigned ms, uint16_t mid, const char *token, const char *path, uint32_t block, const uint8_t *bytes,
                 size_t length) {
    uint8_t code = block & 8 ? C(2, 31) : C(2, 4);
    SERVER(ms, BS, .type = BJ_COAP_CON, .code = PUT, .mid = mid, .token = token, .path = path, .format = 11543,
           .block1 = 1 + block, .payload = (const char *) bytes, .length = length);
    CLIENT(ms + 10, BS, .type = BJ_COAP_ACK, .code = code, .mid = mid, .token = token, .block1 = 1 + block);
}

/* What was deleted may be written by a transfer that is not followed, since another goes on beside it. */
static void a_write_beside_another_may_bring_back_what_was_deleted(void **state) {
    (void) state;
    static const uint8_t instance[] = { 0x08, 0x01, 18,  0xc1, 0,   101, 0xc8, 7,   12, 'U',
                                        'U',  'U',  'U', 'U',  'U', 'U', 'U',  'U', 'U' };
    opens();
    writes_server(10200, 100, "/1/1", 101, 300, C(2, 4));
    command(10250, 101, DELETE_, "/1/1", C(2, 2));
    part(10300, 102, "ta", "/1", 8, instance, 16);
    part(10320, 103, "tb", "/0", 8, instance, 16);
    part(10340, 104, "ta", "/1", 1 << 4, instance + 16, sizeof instance - 16);
    discovers(10400, 10, "/1", "</1/1>;ssid=101");
    judge(11000);
    assert_nothing_broken();
}

/* --- signalling over UDP --------------------------------------------------------------------------------------- */

/* RFC 8323 §5.5: over TCP it ends the connection. */
static void who_is_told_to_release_may_end_the_session(void **state) {
    (void) state;
    opens();
    SERVER(10200, BS, .type = BJ_COAP_NON, .code = C(7, 4), .mid = 99, .token = "ti");
    SERVER(10201, BS, .type = BJ_COAP_CON, .code = DELETE_, .mid = 100, .token = "to", .path = "/1");
    asks(20500, 3);
    accepts(20600, 3);
    judge(30000);
    assert_nothing_broken();
}

/* What comes again may end the request that the first has led to. */
static void who_is_told_to_release_twice_may_end_two_requests(void **state) {
    (void) state;
    CLIENT(10000, BS, .type = BJ_COAP_CON, .code = GET, .mid = 1, .token = "tp", .path = "/bspack",
           .query = { "ep=dev-1" }, .accept = 113);
    SERVER(10100, BS, .type = BJ_COAP_CON, .code = C(7, 4), .mid = 99, .token = "ti");
    asks(10100, 2);
    SERVER(10100, BS, .type = BJ_COAP_CON, .code = C(7, 4), .mid = 99, .token = "ti");
    SERVER(10110, BS, .type = BJ_COAP_CON, .code = POST, .mid = 100, .token = "to", .path = "/bs");
    SERVER(10111, BS, .type = BJ_COAP_CON, .code = POST, .mid = 101, .token = "to", .path = "/bs");
    asks(20200, 3);
    accepts(20600, 3);
    judge(30000);
    assert_nothing_broken();
}

/* Both have come when it reads the first. */
static void who_is_told_to_release_twice_at_once_may_end_two_requests(void **state) {
    (void) state;
    CLIENT(10000, BS, .type = BJ_COAP_CON, .code = GET, .mid = 1, .token = "tp", .path = "/bspack",
           .query = { "ep=dev-1" }, .accept = 113);
    SERVER(10100, BS, .type = BJ_COAP_CON, .code = C(7, 4), .mid = 98, .token = "ti");
    SERVER(10100, BS, .type = BJ_COAP_CON, .code = C(7, 4), .mid = 99, .token = "ti");
    asks(10100, 2);
    accepts(10110, 2);
    SERVER(10111, BS, .type = BJ_COAP_CON, .code = DELETE_, .mid = 100, .token = "to", .path = "/1");
    asks(20200, 3);
    accepts(20300, 3);
    judge(30000);
    assert_nothing_broken();
}

/* Before the answer to its request it may end that, and then what the answer opens. */
static void who_is_told_to_abort_may_end_its_request(void **state) {
    (void) state;
    asks(10000, 1);
    SERVER(10100, BS, .type = BJ_COAP_CON, .code = C(7, 5), .mid = 99, .token = "ti");
    accepts(10100, 1);
    SERVER(10101, BS, .type = BJ_COAP_CON, .code = GET, .mid = 100, .token = "to", .path = "/", .accept = 41);
    put_event((bj_event){
        .kind = BJ_EV_LOST, .time = 12000 * BJ_MS, .from = address_of(BS), .to = local, .text = "the port is closed" });
    asks(20500, 3);
    accepts(20600, 3);
    judge(30000);
    assert_nothing_broken();
}

/* Its Register, too: it makes another one later. */
static void who_is_told_to_abort_may_end_its_register(void **state) {
    (void) state;
    bootstraps();
    registers(11000, 50, "lt=300");
    SERVER(11100, MGMT, .type = BJ_COAP_CON, .code = C(7, 5), .mid = 99, .token = "ti");
    registered(11100, 50);
    SERVER(11100, MGMT, .type = BJ_COAP_CON, .code = GET, .mid = 100, .token = "to", .path = "/1/0/1");
    registers(71100, 51, "lt=300");
    registered(71200, 51);
    judge(80000);
    assert_nothing_broken();
}

static void who_passes_it_over_is_registered(void **state) {
    (void) state;
    bootstraps();
    registers(11000, 50, "lt=300");
    SERVER(11100, MGMT, .type = BJ_COAP_CON, .code = C(7, 5), .mid = 99, .token = "ti");
    CLIENT(11100, MGMT, .type = BJ_COAP_RST, .mid = 99);
    registered(11101, 50);
    SERVER(11200, MGMT, .type = BJ_COAP_CON, .code = GET, .mid = 100, .token = "to", .path = "/1/0/1");
    CLIENT(11210, MGMT, .type = BJ_COAP_ACK, .code = C(2, 5), .mid = 100, .token = "to", .format = 1, .payload = "300");
    CLIENT(200000, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 51, .token = "tu", .path = "/rd/1");
    SERVER(200010, MGMT, .type = BJ_COAP_ACK, .code = C(2, 4), .mid = 51, .token = "tu");
    judge(210000);
    assert_nothing_broken();
}

/* What a server says that it has not asked is nothing to its request. */
static void another_server_that_tells_it_so_ends_nothing(void **state) {
    (void) state;
    asks(10000, 1);
    SERVER(10100, MGMT, .type = BJ_COAP_CON, .code = C(7, 5), .mid = 99, .token = "ti");
    accepts(10100, 1);
    asks(20500, 3);
    accepts(20600, 3);
    judge(30000);
    assert_broken(BJ_RULE_BS_FINISH_TIMEOUT, "of a session without Finish");
}

/* --- what answers carry --------------------------------------------------------------------------------------- */

static void a_blank_in_link_format_is_found(void **state) {
    (void) state;
    opens();
    discovers(10400, 10, "/", "</>;lwm2m=1.1, </0/0>,</3/0>");
    judge(11000);
    assert_true(found_count == 1 && found[0].rule == BJ_RULE_BS_DISCOVER_FORMAT);
}

static void a_payload_that_is_damaged_is_found(void **state) {
    (void) state;
    opens();
    SERVER(10200, BS, .type = BJ_COAP_CON, .code = GET, .mid = 100, .token = "to", .path = "/1/0");
    CLIENT(10210, BS, .type = BJ_COAP_ACK, .code = C(2, 5), .mid = 100, .token = "to", .format = 11543,
           .payload = "\xc8\x00\xff\x01", .length = 4);
    judge(11000);
    assert_broken(BJ_RULE_COAP_PAYLOAD, "11542");
}

static void a_format_that_was_not_asked_for_is_found(void **state) {
    (void) state;
    opens();
    SERVER(10200, BS, .type = BJ_COAP_CON, .code = GET, .mid = 100, .token = "to", .path = "/1/0", .accept = 113);
    CLIENT(10210, BS, .type = BJ_COAP_ACK, .code = C(2, 5), .mid = 100, .token = "to", .format = 11543,
           .payload = "\xc1\x00\x01", .length = 3);
    judge(11000);
    assert_broken(BJ_RULE_COAP_PAYLOAD, "accepts 112");
}

static void a_code_off_the_table_is_a_warning(void **state) {
    (void) state;
    opens();
    command(10200, 9, DELETE_, "/7", C(4, 4));
    judge(11000);
    assert_broken(BJ_RULE_BS_CODES, "4.04");
    assert_int_equal(bj_rule_level(BJ_RULE_BS_CODES), BJ_LEVEL_SHOULD);
}

static void the_generic_code_is_on_every_row(void **state) {
    (void) state;
    opens();
    command(10200, 9, DELETE_, "/7", C(5, 0));
    judge(11000);
    assert_nothing_broken();
}

/* --- registration --------------------------------------------------------------------------------------------- */

static void a_register_before_finish_is_found(void **state) {
    (void) state;
    opens();
    registers(11000, 50, "lt=300");
    judge(12000);
    assert_broken(BJ_RULE_BS_REGISTER, "before any bootstrap");
}

static void another_lifetime_is_found(void **state) {
    (void) state;
    bootstraps();
    registers(11000, 50, "lt=60");
    judge(12000);
    assert_broken(BJ_RULE_BS_REGISTER, "Lifetime");
}

static void a_register_elsewhere_is_found(void **state) {
    (void) state;
    opens();
    writes_security(10200, 100, "/0/1", "coap://third.example", false, 101, C(2, 4));
    writes_server(10300, 101, "/1/0", 101, 300, C(2, 4));
    command(10900, 102, POST, "/bs", C(2, 4));
    registers(11000, 50, "lt=300");
    judge(12000);
    assert_broken(BJ_RULE_BS_REGISTER, "leads elsewhere");
}

/* RFC 3986 §7.4: fewer than four numbers, or octal ones, are a name to some, and an address to others. */
static void a_register_at_a_rare_address_may_lead_anywhere(void **state) {
    (void) state;
    static const char *const hosts[] = { "coap://192.002.77", "coap://0xC0.0.2.11", "coap://3221225995",
                                         "coap://192.0.2.77" };
    for (unsigned i = 0; i < 4; i++) {
        tear_down(state);
        set_up(state);
        opens();
        writes_security(10200, 100, "/0/1", hosts[i], false, 101, C(2, 4));
        writes_server(10300, 101, "/1/0", 101, 300, C(2, 4));
        command(10900, 102, POST, "/bs", C(2, 4));
        registers(11000, 50, "lt=300");
        judge(12000);
        if (i < 3) {
            assert_nothing_broken();
        } else {
            assert_broken(BJ_RULE_BS_REGISTER, "leads elsewhere");
        }
    }
}

static void a_register_with_unmatched_ids_is_found(void **state) {
    (void) state;
    opens();
    writes_security(10200, 100, "/0/1", "coap://mgmt.example", false, 101, C(2, 4));
    writes_server(10300, 101, "/1/0", 102, 300, C(2, 4));
    command(10900, 102, POST, "/bs", C(2, 4));
    registers(11000, 50, "lt=300");
    judge(12000);
    assert_broken(BJ_RULE_BS_REGISTER, "Short Server ID");
}

static void what_a_failed_session_wrote_is_not_used(void **state) {
    (void) state;
    bootstraps();
    asks(30000, 2);
    accepts(30100, 2);
    writes_server(30300, 201, "/1/0", 101, 60, C(2, 4));
    asks(30310 + 247000 + 10000, 3);
    accepts(30310 + 247000 + 10100, 3);
    command(30310 + 247000 + 10200, 203, POST, "/bs", C(2, 4));
    registers(30310 + 247000 + 11000, 50, "lt=60");
    judge(400000);
    assert_broken(BJ_RULE_BS_REGISTER, "Lifetime");
}

static void a_registration_that_lists_the_security_object_is_found(void **state) {
    (void) state;
    bootstraps();
    CLIENT(11000, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 50, .token = "tr", .path = "/rd",
           .query = { "ep=dev-1", "lt=300" }, .format = 41, .payload = "</0/1>,</1/0>,</3/0>");
    judge(12000);
    assert_broken(BJ_RULE_REG_OBJECTS, "/0");
}

/* --- security ------------------------------------------------------------------------------------------------- */

static void a_key_in_a_message_is_found(void **state) {
    (void) state;
    opens();
    writes_security(10200, 100, "/0/1", "coap://mgmt.example", false, 101, C(2, 4));
    SERVER(10300, BS, .type = BJ_COAP_CON, .code = GET, .mid = 101, .token = "to", .path = "/2");
    CLIENT(10310, BS, .type = BJ_COAP_ACK, .code = C(2, 5), .mid = 101, .token = "to", .format = 1,
           .payload = "0123456789abcdef");
    judge(11000);
    assert_broken(BJ_RULE_SEC_NO_SECRETS, "16 bytes");
}

/* RFC 7252 §5.4.1: an answer may say which option it was that is not known, as libcoap's do. */
static void a_key_that_the_server_put_into_an_option_may_come_back(void **state) {
    (void) state;
    const char *const there[] = { "0123456789abcdef", "another", "another" };
    const char *const back[] = { "0123456789abcdef", "0123456789abcdef", NULL };
    for (unsigned i = 0; i < 3; i++) {
        tear_down(state);
        set_up(state);
        opens();
        writes_security(10200, 100, "/0/1", "coap://mgmt.example", false, 101, C(2, 4));
        SERVER(10300, BS, .type = BJ_COAP_CON, .code = GET, .mid = 101, .token = "to", .path = "/", .accept = 41,
               .option = 49, .option_value = there[i]);
        CLIENT(10310, BS, .type = BJ_COAP_ACK, .code = C(4, 2), .mid = 101, .token = "to", .option = 49,
               .option_value = back[i], .payload = i == 2 ? "0123456789abcdef" : NULL);
        judge(11000);
        if (i == 0) {
            assert_nothing_broken();
        } else {
            assert_broken(BJ_RULE_SEC_NO_SECRETS, "16 bytes");
        }
    }
}

static void a_key_that_is_a_link_is_found_in_every_list(void **state) {
    (void) state;
    config.secrets[0] = (bj_string){ "</0/0>", 6 };
    config.secret_count = 1;
    opens();
    SERVER(10300, BS, .type = BJ_COAP_CON, .code = GET, .mid = 101, .token = "to", .path = "/", .accept = 41);
    CLIENT(10310, BS, .type = BJ_COAP_ACK, .code = C(2, 5), .mid = 101, .token = "to", .format = 41,
           .payload = "</>;lwm2m=1.1,</0/0>,</1>,</3/0>");
    judge(11000);
    assert_nothing_broken();
}

/* Discover lists the addresses of servers. */
static void a_key_that_is_the_address_of_a_server_is_found_there(void **state) {
    (void) state;
    config.secrets[0] = (bj_string){ "coap://mgmt.example", 19 };
    config.secret_count = 1;
    opens();
    writes_security(10200, 100, "/0/1", "coap://mgmt.example", false, 101, C(2, 4));
    SERVER(10300, BS, .type = BJ_COAP_CON, .code = GET, .mid = 101, .token = "to", .path = "/", .accept = 41);
    CLIENT(10310, BS, .type = BJ_COAP_ACK, .code = C(2, 5), .mid = 101, .token = "to", .format = 41,
           .payload = "</>;lwm2m=1.1,</0/0>,</0/1>;ssid=101;uri=\"coap://mgmt.example\",</1>,</3/0>");
    judge(11000);
    assert_nothing_broken();
}

static void writes_with_a_key(const char *key, const char *line) {
    config.secrets[0] = (bj_string){ key, strlen(key) };
    config.secret_count = 1;
    put_event((bj_event){ .kind = BJ_EV_CLIENT_OUTPUT, .actor = BJ_ACTOR_CLIENT, .text = line });
    judge(1000);
}

static void a_key_that_is_a_word_is_no_secret(void **state) {
    (void) state;
    writes_with_a_key("client", "client dev-1 starts");
    assert_nothing_broken();
}

static void a_key_that_is_a_path_is_no_secret(void **state) {
    (void) state;
    writes_with_a_key("/0/1/0", "refuses the configuration: /0/1/0: a scheme is missing");
    assert_nothing_broken();
}

static void a_key_of_figures_is_a_secret(void **state) {
    (void) state;
    writes_with_a_key("001100", "key 001100");
    assert_broken(BJ_RULE_SEC_NO_SECRETS, "6 bytes");
}

static void one_that_is_none_is(void **state) {
    (void) state;
    writes_with_a_key("cl1ent", "key cl1ent");
    assert_broken(BJ_RULE_SEC_NO_SECRETS, "6 bytes");
}

static void a_key_in_a_line_is_found_in_every_form(void **state) {
    (void) state;
    static const char *const lines[] = { "key 0123456789abcdef.", "key 30313233343536373839414243444546",
                                         "key 30313233343536373839616263646566", "key MDEyMzQ1Njc4OWFiY2RlZg==" };
    config.secrets[0] = (bj_string){ "0123456789abcdef", 16 };
    config.secret_count = 1;
    put_event((bj_event){ .kind = BJ_EV_CLIENT_OUTPUT, .actor = BJ_ACTOR_CLIENT, .text = lines[1] });
    judge(1000);
    assert_nothing_broken(); /* the bytes of another key */
    for (unsigned i = 0; i < 4; i += i == 0 ? 2 : 1) {
        tear_down(state);
        set_up(state);
        config.secrets[0] = (bj_string){ "0123456789abcdef", 16 };
        config.secret_count = 1;
        put_event((bj_event){ .kind = BJ_EV_CLIENT_OUTPUT, .actor = BJ_ACTOR_CLIENT, .text = lines[i] });
        judge(1000);
        assert_broken(BJ_RULE_SEC_NO_SECRETS, "writes");
    }
}

static void a_server_that_reads_the_security_object_is_found(void **state) {
    (void) state;
    bootstraps();
    registers(11000, 50, "lt=300");
    registered(11100, 50);
    SERVER(11200, MGMT, .type = BJ_COAP_CON, .code = GET, .mid = 9, .token = "to", .path = "/0/1/0");
    CLIENT(11210, MGMT, .type = BJ_COAP_ACK, .code = C(2, 5), .mid = 9, .token = "to", .format = 1,
           .payload = "coap://mgmt.example");
    judge(12000);
    assert_broken(BJ_RULE_SEC_OBJECT_CLOSED, "/0/1/0");
}

static void a_server_that_is_refused_the_security_object_is_lawful(void **state) {
    (void) state;
    bootstraps();
    registers(11000, 50, "lt=300");
    registered(11100, 50);
    SERVER(11200, MGMT, .type = BJ_COAP_CON, .code = GET, .mid = 9, .token = "to", .path = "/0/1/0");
    answers(11210, MGMT, 9, C(4, 1));
    judge(12000);
    assert_nothing_broken();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_bootstrap_request_with_a_payload_is_found),
        TEST(a_bootstrap_request_that_is_not_confirmable_is_found),
        TEST(another_endpoint_name_is_found),
        TEST(a_preferred_format_that_is_none_is_found),
        TEST(a_request_without_a_name_is_found),
        TEST(an_update_may_have_its_path),
        TEST(a_preferred_format_of_the_first_release_is_found),
        TEST(a_pack_that_is_refused_and_asked_for_again_is_found),
        TEST(a_pack_that_nobody_answers_may_be_asked_for_again),
        TEST(a_command_beside_a_refused_pack_may_begin_a_session),
        TEST(anything_else_to_the_bootstrap_server_is_found),
        TEST(an_attempt_before_the_hold_off_is_found),
        TEST(a_handshake_that_failed_was_no_attempt),
        TEST(an_attempt_that_has_begun_goes_on_when_a_register_is_accepted),
        TEST(a_register_that_is_accepted_puts_off_the_next_attempt),
        TEST(a_second_attempt_before_the_hold_off_is_found),
        TEST(a_second_attempt_after_the_hold_off_is_lawful),
        TEST(a_request_again_without_its_format_is_the_same_attempt),
        TEST(a_request_again_without_its_format_after_5_00_is_found),
        TEST(a_third_request_without_a_format_is_found),
        TEST(the_hold_off_counts_from_the_refused_registration),
        TEST(the_hold_off_of_the_account_that_was_written_counts),
        TEST(a_register_beside_a_failed_attempt_holds_nothing_off),
        TEST(an_answer_that_comes_late_holds_nothing_off),
        TEST(a_trigger_is_held_off_too),
        TEST(an_attempt_beyond_the_profiles_bound_is_a_warning),
        TEST(a_session_given_up_early_is_found),
        TEST(what_must_be_passed_over_prolongs_nothing),
        TEST(a_refused_request_that_is_no_command_may_prolong_nothing),
        TEST(a_session_given_up_in_time_is_lawful),
        TEST(a_finish_after_the_time_out_begins_no_hold_off),
        TEST(an_answer_after_the_last_time_out_begins_no_hold_off),
        TEST(a_repeated_command_prolongs_nothing),
        TEST(an_answer_that_no_table_has_may_be_taken_for_a_refusal),
        TEST(two_bootstrap_accounts_are_found),
        TEST(a_second_bootstrap_account_that_is_refused_is_lawful),
        TEST(an_account_that_moves_is_lawful),
        TEST(a_bootstrap_account_that_delete_takes_is_found),
        TEST(a_device_object_that_delete_takes_is_found),
        TEST(what_delete_leaves_is_found),
        TEST(an_instance_that_delete_never_took_is_found),
        TEST(a_write_without_effect_is_found),
        TEST(what_discover_lists_as_written_is_lawful),
        TEST(another_short_server_id_is_found),
        TEST(who_is_told_to_release_may_end_the_session),
        TEST(who_is_told_to_release_twice_may_end_two_requests),
        TEST(who_is_told_to_release_twice_at_once_may_end_two_requests),
        TEST(who_is_told_to_abort_may_end_its_request),
        TEST(who_is_told_to_abort_may_end_its_register),
        TEST(who_passes_it_over_is_registered),
        TEST(another_server_that_tells_it_so_ends_nothing),
        TEST(a_write_in_blocks_counts_as_a_whole),
        TEST(a_write_beside_another_may_bring_back_what_was_deleted),
        TEST(a_blank_in_link_format_is_found),
        TEST(a_payload_that_is_damaged_is_found),
        TEST(a_format_that_was_not_asked_for_is_found),
        TEST(a_code_off_the_table_is_a_warning),
        TEST(the_generic_code_is_on_every_row),
        TEST(a_register_before_finish_is_found),
        TEST(another_lifetime_is_found),
        TEST(a_register_elsewhere_is_found),
        TEST(a_register_at_a_rare_address_may_lead_anywhere),
        TEST(a_register_with_unmatched_ids_is_found),
        TEST(what_a_failed_session_wrote_is_not_used),
        TEST(a_registration_that_lists_the_security_object_is_found),
        TEST(a_key_in_a_message_is_found),
        TEST(a_key_that_the_server_put_into_an_option_may_come_back),
        TEST(a_key_that_is_a_link_is_found_in_every_list),
        TEST(a_key_that_is_the_address_of_a_server_is_found_there),
        TEST(a_key_in_a_line_is_found_in_every_form),
        TEST(a_key_that_is_a_word_is_no_secret),
        TEST(a_key_that_is_a_path_is_no_secret),
        TEST(a_key_of_figures_is_a_secret),
        TEST(one_that_is_none_is),
        TEST(a_server_that_reads_the_security_object_is_found),
        TEST(a_server_that_is_refused_the_security_object_is_lawful),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
