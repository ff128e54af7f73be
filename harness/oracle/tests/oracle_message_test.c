/* SPDX-License-Identifier: Apache-2.0
 *
 * The oracles of RFC 7252 and RFC 8323, judged themselves: each rule is broken in a hand-made log and is found broken,
 * and is not found broken in one that keeps it.
 */
#include "oracle_fixture.h"

static void a_whole_course_breaks_nothing(void **state) {
    (void) state;
    bootstraps();
    registers(11000, 50, "lt=300");
    registered(11100, 50);
    judge(20000);
    assert_nothing_broken();
}

/* --- form ----------------------------------------------------------------------------------------------------- */

static void a_damaged_message_is_found(void **state) {
    (void) state;
    client_raw(10000, BS, "\x4f\x02\x00\x01", 4);
    judge(20000);
    assert_broken(BJ_RULE_COAP_FORMAT, "token length");
}

/* How many options there may be, RFC 7252 does not say; how many our decoder keeps is no fault of the client. */
static void more_options_than_we_keep_are_no_fault(void **state) {
    (void) state;
    char message[4 + BJ_COAP_OPTIONS + 1] = "\x60\x82\x00\x07";
    client_raw(10000, BS, message, sizeof message); /* each option of 0x00: no number more, no value */
    judge(20000);
    for (unsigned i = 0; i < found_count; i++) {
        assert_int_not_equal(found[i].rule, BJ_RULE_COAP_FORMAT);
    }
}

static void a_request_in_an_acknowledgement_is_found(void **state) {
    (void) state;
    SERVER(5000, MGMT, .type = BJ_COAP_CON, .code = 0, .mid = 7);
    CLIENT(6000, MGMT, .type = BJ_COAP_ACK, .code = GET, .mid = 7);
    judge(20000);
    assert_true(found_count >= 1 && found[0].rule == BJ_RULE_COAP_FORMAT);
}

static void an_option_too_long_is_found(void **state) {
    (void) state;
    CLIENT(10000, BS, .type = BJ_COAP_CON, .code = POST, .mid = 1, .path = "/bs", .query = { "ep=dev-1" },
           .option = BJ_COAP_URI_HOST);
    judge(20000);
    assert_broken(BJ_RULE_COAP_FORMAT, "not valid");
}

/* --- Message IDs ---------------------------------------------------------------------------------------------- */

static void a_message_id_used_again_is_found(void **state) {
    (void) state;
    bootstraps();
    registers(11000, 1, "lt=300");
    registered(11100, 1);
    judge(20000);
    assert_nothing_broken(); /* another endpoint */
    CLIENT(30000, BS, .type = BJ_COAP_CON, .code = POST, .mid = 1, .token = "tx", .path = "/bs",
           .query = { "ep=dev-1" });
    judge(40000);
    assert_broken(BJ_RULE_COAP_MESSAGE_ID, "Message ID 1 is used again");
}

static void a_message_id_may_be_used_after_exchange_lifetime(void **state) {
    (void) state;
    opens();
    CLIENT(10000 + 600000, BS, .type = BJ_COAP_CON, .code = POST, .mid = 1, .token = "tx", .path = "/bs",
           .query = { "ep=dev-1" });
    judge(700000);
    assert_nothing_broken();
}

/* The server happens to count where the client does; the request is long forgotten here. */
static void one_that_a_response_had_of_its_request_may_be_used(void **state) {
    (void) state;
    bootstraps();
    registers(11000, 50, "lt=300");
    registered(11100, 50);
    SERVER(12000, MGMT, .type = BJ_COAP_NON, .code = GET, .mid = 60, .token = "tn", .path = "/3/0/4");
    CLIENT(12010, MGMT, .type = BJ_COAP_NON, .code = C(4, 5), .mid = 60, .token = "tn");
    for (unsigned i = 0; i < 300; i++) {
        SERVER(13000 + 10 * i, MGMT, .type = BJ_COAP_CON, .code = GET, .mid = (uint16_t) (1000 + i), .token = "to",
               .path = "/3/0/4");
        CLIENT(13001 + 10 * i, MGMT, .type = BJ_COAP_ACK, .code = C(4, 5), .mid = (uint16_t) (1000 + i), .token = "to");
    }
    CLIENT(20000, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 60, .token = "tu", .path = "/rd/1");
    SERVER(20010, MGMT, .type = BJ_COAP_ACK, .code = C(2, 4), .mid = 60, .token = "tu");
    judge(21000);
    assert_nothing_broken();
}

/* --- acknowledgements and responses --------------------------------------------------------------------------- */

static void an_acknowledgement_of_nothing_is_found(void **state) {
    (void) state;
    opens();
    CLIENT(10200, BS, .type = BJ_COAP_ACK, .mid = 999);
    judge(20000);
    assert_broken(BJ_RULE_COAP_ACK, "999");
}

static void a_wrong_token_is_found(void **state) {
    (void) state;
    opens();
    SERVER(10200, BS, .type = BJ_COAP_CON, .code = DELETE_, .mid = 9, .token = "to", .path = "/1");
    CLIENT(10210, BS, .type = BJ_COAP_ACK, .code = C(2, 2), .mid = 9, .token = "tx");
    judge(20000);
    assert_broken(BJ_RULE_COAP_TOKEN, "token");
}

/* Long after the request was forgotten. */
static void a_notification_belongs_to_its_observation(void **state) {
    (void) state;
    opens();
    SERVER(10200, BS, .type = BJ_COAP_CON, .code = GET, .mid = 9, .token = "ob", .path = "/1/0/1", .option = 6);
    CLIENT(10210, BS, .type = BJ_COAP_ACK, .code = C(2, 5), .mid = 9, .token = "ob", .option = 6, .format = 1,
           .payload = "1");
    for (unsigned i = 0; i < 300; i++) {
        command(10300 + 10 * i, (uint16_t) (100 + i), DELETE_, "/1", C(2, 2));
    }
    CLIENT(14000, BS, .type = BJ_COAP_CON, .code = C(2, 5), .mid = 60, .token = "ob", .option = 6, .format = 1,
           .payload = "2");
    SERVER(14010, BS, .type = BJ_COAP_ACK, .mid = 60);
    CLIENT(14100, BS, .type = BJ_COAP_CON, .code = C(2, 5), .mid = 61, .token = "oc", .option = 6, .format = 1,
           .payload = "2");
    SERVER(14110, BS, .type = BJ_COAP_ACK, .mid = 61);
    judge(20000);
    assert_broken(BJ_RULE_COAP_TOKEN, "no request");
}

/* A server asks with the token of its observation, and a notification comes before the answer. */
static void a_notification_answers_no_request_with_its_token(void **state) {
    (void) state;
    opens();
    SERVER(10200, BS, .type = BJ_COAP_CON, .code = GET, .mid = 9, .token = "ob", .path = "/1/0/1", .option = 6);
    CLIENT(10210, BS, .type = BJ_COAP_ACK, .code = C(2, 5), .mid = 9, .token = "ob", .option = 6, .format = 1,
           .payload = "1");
    SERVER(10300, BS, .type = BJ_COAP_CON, .code = DELETE_, .mid = 10, .token = "ob", .path = "/1");
    CLIENT(10305, BS, .type = BJ_COAP_CON, .code = C(2, 5), .mid = 60, .token = "ob", .option = 6, .format = 1,
           .payload = "2");
    CLIENT(10310, BS, .type = BJ_COAP_ACK, .code = C(2, 2), .mid = 10, .token = "ob");
    SERVER(10400, BS, .type = BJ_COAP_ACK, .mid = 60);
    judge(20000);
    assert_nothing_broken();
}

static void a_second_response_is_found(void **state) {
    (void) state;
    opens();
    command(10200, 9, DELETE_, "/1", C(2, 2));
    CLIENT(10300, BS, .type = BJ_COAP_CON, .code = C(2, 2), .mid = 60, .token = "to");
    judge(20000);
    assert_broken(BJ_RULE_COAP_ONE_RESPONSE, "2 responses");
}

static void a_separate_response_is_one(void **state) {
    (void) state;
    opens();
    SERVER(10200, BS, .type = BJ_COAP_CON, .code = DELETE_, .mid = 9, .token = "to", .path = "/1");
    CLIENT(10210, BS, .type = BJ_COAP_ACK, .mid = 9);
    CLIENT(10300, BS, .type = BJ_COAP_CON, .code = C(2, 2), .mid = 60, .token = "to");
    SERVER(10310, BS, .type = BJ_COAP_ACK, .mid = 60);
    judge(20000);
    assert_nothing_broken();
}

static void a_request_without_an_answer_is_found(void **state) {
    (void) state;
    opens();
    SERVER(10200, BS, .type = BJ_COAP_CON, .code = DELETE_, .mid = 9, .token = "to", .path = "/1");
    judge(12000);
    assert_nothing_broken(); /* there is time yet */
    put_event((bj_event){ .kind = BJ_EV_RUN_END, .time = 13000 * BJ_MS });
    judge(13000);
    assert_broken(BJ_RULE_COAP_ANSWERED, "DELETE /1");
}

/* A request of a server that the client is registered with; a millisecond later it registers anew, from that port. */
static void is_asked_as_it_registers_anew(uint16_t port) {
    config.accounts[1] = (bj_oracle_account){
        .uri = "coap://mgmt.example", .instance = 1, .ssid = 1, .lifetime_s = 86400, .binding = "U"
    };
    config.account_count = 2;
    const msg m = {
        .type = BJ_COAP_CON, .code = POST, .mid = 7, .token = "tr", .path = "/rd", .query = { "ep=dev-1" }
    };
    client_says(1000, MGMT, &m);
    SERVER(1100, MGMT, .type = BJ_COAP_ACK, .code = C(2, 1), .mid = 7, .token = "tr", .location = "/rd/1");
    SERVER(20000, MGMT, .type = BJ_COAP_CON, .code = GET, .mid = 9, .token = "to", .path = "/3");
    msg again = m;
    again.mid = 8;
    const uint16_t before = local.port;
    local.port = port;
    client_says(20001, MGMT, &again);
    local.port = before;
    SERVER(20100, MGMT, .type = BJ_COAP_ACK, .code = C(2, 1), .mid = 8, .token = "tr", .location = "/rd/2");
    judge(30000);
}

static void who_left_a_port_reads_there_no_more(void **state) {
    (void) state;
    is_asked_as_it_registers_anew(49153);
    assert_nothing_broken();
}

static void who_stays_at_its_port_reads_on(void **state) {
    (void) state;
    is_asked_as_it_registers_anew(local.port);
    assert_broken(BJ_RULE_COAP_ANSWERED, "GET /3");
}

/* Two accounts lead to one address: the Register of the former, from one port, is accepted, that of the latter, from
 * another, is not answered. The server asks for something at one of them. */
static void is_asked_at(uint16_t port) {
    const uint16_t first = local.port, latter = 49153;
    for (uint16_t i = 1; i <= 2; i++) {
        config.accounts[i] = (bj_oracle_account){
            .uri = "coap://mgmt.example", .instance = i, .ssid = i, .lifetime_s = 86400, .binding = "U"
        };
    }
    config.account_count = 3;
    msg m = { .type = BJ_COAP_CON, .code = POST, .mid = 7, .token = "tr", .path = "/rd", .query = { "ep=dev-1" } };
    client_says(1000, MGMT, &m);
    m.mid = 8;
    m.token = "ts";
    local.port = latter;
    client_says(1000, MGMT, &m);
    local.port = first;
    SERVER(1100, MGMT, .type = BJ_COAP_ACK, .code = C(2, 1), .mid = 7, .token = "tr", .location = "/rd/1");
    local.port = port;
    SERVER(1200, MGMT, .type = BJ_COAP_CON, .code = GET, .mid = 9, .token = "to", .path = "/3");
    local.port = first;
    judge(6000);
}

static void who_is_registered_from_that_port_answers(void **state) {
    (void) state;
    is_asked_at(local.port);
    assert_broken(BJ_RULE_COAP_ANSWERED, "GET /3");
}

static void who_is_registered_from_another_port_need_not(void **state) {
    (void) state;
    is_asked_at(49153);
    assert_nothing_broken();
}

/* The client is registered, and asks for a bootstrap at 22.1 s, which its server has triggered. */
static void is_triggered(void) {
    bootstraps();
    registers(11000, 50, "lt=300");
    registered(11100, 50);
    SERVER(12000, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 9, .token = "to", .path = "/1/0/9");
    answers(12010, MGMT, 9, C(2, 4));
    asks(22100, 2);
}

/* A refusal that is not piggybacked; something else had its Message ID before, and was rejected. */
static void is_asked_behind_a_refusal(bool reused) {
    is_triggered();
    SERVER(22200, BS, .type = BJ_COAP_ACK, .mid = 2);
    if (reused) {
        SERVER(22300, BS, .type = BJ_COAP_CON, .code = C(2, 4), .mid = 20, .token = "tx");
        CLIENT(22301, BS, .type = BJ_COAP_RST, .mid = 20);
    }
    for (unsigned i = 0; i < 2; i++) { /* the latter a repetition of the former */
        SERVER(22400 + 100 * i, BS, .type = BJ_COAP_CON, .code = C(5, 3), .mid = 20, .token = "tb");
        CLIENT(22401 + 100 * i, BS, .type = reused ? BJ_COAP_RST : BJ_COAP_ACK, .mid = 20);
    }
    SERVER(23000, MGMT, .type = BJ_COAP_CON, .code = GET, .mid = 10, .token = "to", .path = "/3");
    judge(26000);
}

static void who_hears_a_refusal_answers(void **state) {
    (void) state;
    is_asked_behind_a_refusal(false);
    assert_broken(BJ_RULE_COAP_ANSWERED, "GET /3");
}

/* RFC 7252 §4.5: it may have been taken for a repetition, so that the session is awaited still. */
static void who_may_not_have_heard_it_need_not(void **state) {
    (void) state;
    is_asked_behind_a_refusal(true);
    assert_nothing_broken();
}

/* The Bootstrap-Request of a client that is registered is rejected; then that server asks for something. */
static void is_asked_behind_a_rejected_request(bool acknowledged) {
    is_triggered();
    if (acknowledged) {
        SERVER(22200, BS, .type = BJ_COAP_ACK, .code = POST, .mid = 2, .token = "tb");
    }
    SERVER(22210, BS, .type = BJ_COAP_RST, .mid = 2);
    SERVER(23000, MGMT, .type = BJ_COAP_CON, .code = GET, .mid = 10, .token = "to", .path = "/3");
    judge(26000);
}

static void who_is_refused_answers(void **state) {
    (void) state;
    is_asked_behind_a_rejected_request(false);
    assert_broken(BJ_RULE_COAP_ANSWERED, "GET /3");
}

/* To whom any Acknowledgement ends its repetitions (RFC 7252 §4.2) the Reset comes too late: it awaits the session. */
static void who_may_await_a_session_need_not(void **state) {
    (void) state;
    is_asked_behind_a_rejected_request(true);
    assert_nothing_broken();
}

/* What is no command comes before the refusal, of which the client may have heard nothing any more. */
static void who_may_have_begun_a_session_need_not(void **state) {
    (void) state;
    is_triggered();
    SERVER(22200, BS, .type = BJ_COAP_CON, .code = POST, .mid = 20, .token = "to", .path = "/odd");
    answers(22201, BS, 20, C(4, 0));
    SERVER(22400, BS, .type = BJ_COAP_ACK, .code = C(5, 3), .mid = 2, .token = "tb");
    SERVER(23000, MGMT, .type = BJ_COAP_CON, .code = GET, .mid = 10, .token = "to", .path = "/3");
    judge(26000);
    assert_nothing_broken();
}

/* A command has begun the session, and then its request is refused with the first block of something. */
static void who_is_refused_in_blocks_need_not(void **state) {
    (void) state;
    asks(10000, 1);
    SERVER(10100, BS, .type = BJ_COAP_CON, .code = DELETE_, .mid = 20, .token = "to", .path = "/");
    answers(10101, BS, 20, C(2, 2));
    SERVER(10200, BS, .type = BJ_COAP_ACK, .mid = 1);
    SERVER(10201, BS, .type = BJ_COAP_CON, .code = C(4, 4), .mid = 21, .token = "tb", .block2 = 9,
           .payload = "0123456789abcdef");
    SERVER(10201, BS, .type = BJ_COAP_CON, .code = PUT, .mid = 22, .token = "tx", .path = "/");
    CLIENT(10202, BS, .type = BJ_COAP_ACK, .mid = 21);
    judge(14000);
    assert_nothing_broken();
}

/* Signalling over UDP may have ended its Update; then an answer comes that is none of one, which it may have taken. */
static void who_may_have_lost_its_registration_need_not(void **state) {
    (void) state;
    bootstraps();
    registers(11000, 50, "lt=300");
    registered(11100, 50);
    CLIENT(12000, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 51, .token = "tu", .path = "/rd/1");
    SERVER(12001, MGMT, .type = BJ_COAP_CON, .code = C(7, 2), .mid = 9, .token = "tp");
    SERVER(12001, MGMT, .type = BJ_COAP_ACK, .code = C(2, 5), .mid = 51, .token = "tu");
    SERVER(12001, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 10, .token = "tx", .path = "/");
    judge(16000);
    assert_nothing_broken();
}

/* Two requests have one Message ID; which of them the Reset is for it does not say. */
static void a_reset_may_be_for_either_of_two(void **state) {
    (void) state;
    bootstraps();
    registers(11000, 50, "lt=300");
    registered(11100, 50);
    SERVER(12000, MGMT, .type = BJ_COAP_CON, .code = GET, .mid = 9, .token = "ta", .path = "/3", .option = 16);
    SERVER(12000, MGMT, .type = BJ_COAP_CON, .code = GET, .mid = 9, .token = "tb", .path = "/1");
    CLIENT(12001, MGMT, .type = BJ_COAP_RST, .mid = 9);
    CLIENT(12001, MGMT, .type = BJ_COAP_ACK, .code = C(4, 5), .mid = 9, .token = "tb");
    judge(16000);
    assert_nothing_broken();
}

static void a_server_without_a_session_gets_no_answer(void **state) {
    (void) state;
    SERVER(200, MGMT, .type = BJ_COAP_CON, .code = GET, .mid = 9, .token = "to", .path = "/3");
    judge(9000);
    assert_nothing_broken();
}

static void another_answer_to_a_duplicate_is_found(void **state) {
    (void) state;
    opens();
    command(10200, 9, DELETE_, "/1", C(2, 2));
    command(12200, 9, DELETE_, "/1", C(4, 0));
    judge(20000);
    assert_broken(BJ_RULE_COAP_DUPLICATE, "another answer");
}

static void the_same_answer_to_a_duplicate_is_lawful(void **state) {
    (void) state;
    opens();
    command(10200, 9, DELETE_, "/1", C(2, 2));
    command(12200, 9, DELETE_, "/1", C(2, 2));
    judge(20000);
    assert_nothing_broken();
}

/* The answer to the Bootstrap-Request comes twice, and is acknowledged, then rejected; between them comes another. */
static void is_answered_twice(bool another) {
    asks(10000, 1);
    SERVER(10050, BS, .type = BJ_COAP_ACK, .mid = 1);
    SERVER(10100, BS, .type = BJ_COAP_CON, .code = C(2, 4), .mid = 60, .token = "tb");
    CLIENT(10110, BS, .type = BJ_COAP_ACK, .mid = 60);
    if (another) {
        SERVER(10200, BS, .type = BJ_COAP_CON, .code = C(4, 8), .mid = 61, .token = "tx");
        CLIENT(10210, BS, .type = BJ_COAP_RST, .mid = 61);
    }
    SERVER(12100, BS, .type = BJ_COAP_CON, .code = C(2, 4), .mid = 60, .token = "tb");
    CLIENT(12110, BS, .type = BJ_COAP_RST, .mid = 60);
    judge(20000);
}

static void a_response_that_is_rejected_when_it_comes_again_is_found(void **state) {
    (void) state;
    is_answered_twice(false);
    assert_broken(BJ_RULE_COAP_DUPLICATE, "another answer");
}

static void one_behind_which_another_came_may_be_forgotten(void **state) {
    (void) state;
    is_answered_twice(true);
    assert_nothing_broken();
}

static void more_answers_than_copies_are_found(void **state) {
    (void) state;
    opens();
    command(10200, 9, DELETE_, "/1", C(2, 2));
    answers(10300, BS, 9, C(2, 2));
    judge(20000);
    assert_broken(BJ_RULE_COAP_ONE_RESPONSE, "answer already");
}

static void a_ping_is_answered_with_reset(void **state) {
    (void) state;
    opens();
    SERVER(10200, BS, .type = BJ_COAP_CON, .mid = 9);
    CLIENT(10210, BS, .type = BJ_COAP_RST, .mid = 9);
    judge(20000);
    assert_nothing_broken();
}

static void a_ping_that_is_acknowledged_is_found(void **state) {
    (void) state;
    opens();
    SERVER(10200, BS, .type = BJ_COAP_CON, .mid = 9);
    CLIENT(10210, BS, .type = BJ_COAP_ACK, .mid = 9);
    judge(20000);
    assert_broken(BJ_RULE_COAP_PING, "Acknowledgement");
}

static void a_response_to_a_request_in_an_acknowledgement_is_found(void **state) {
    (void) state;
    opens();
    SERVER(10200, BS, .type = BJ_COAP_ACK, .code = POST, .mid = 9, .token = "to", .path = "/bs");
    CLIENT(10210, BS, .type = BJ_COAP_NON, .code = C(5, 5), .mid = 9, .token = "to");
    judge(20000);
    assert_broken(BJ_RULE_COAP_ACK, "an Acknowledgement with a request gets a response, 5.05");
}

static void an_unknown_critical_option_that_is_passed_over_is_found(void **state) {
    (void) state;
    opens();
    SERVER(10200, BS, .type = BJ_COAP_CON, .code = DELETE_, .mid = 9, .token = "to", .path = "/1", .option = 2049);
    answers(10210, BS, 9, C(2, 2));
    judge(20000);
    assert_broken(BJ_RULE_COAP_CRITICAL_OPTION, "2.02");
}

/* One with more options than are decoded here, and the same token, came at the same time. */
static void an_answer_may_be_that_of_a_message_that_is_not_read(void **state) {
    (void) state;
    uint8_t crowded[106] = { 0x52, GET, 0, 9, 't', 'o' };
    opens();
    SERVER(10200, BS, .type = BJ_COAP_NON, .code = GET, .mid = 9, .token = "to", .path = "/1", .option = 2049);
    server_raw(10200, BS, crowded, sizeof crowded);
    CLIENT(10210, BS, .type = BJ_COAP_RST, .mid = 9);
    CLIENT(10210, BS, .type = BJ_COAP_NON, .code = C(4, 4), .mid = 9, .token = "to");
    judge(20000);
    assert_nothing_broken();
}

/* Two requests that are not read, and one that is: of three answers two have the token of that, or its Message ID. */
static void so_may_two_and_beside_others(void **state) {
    (void) state;
    uint8_t crowded[106] = { 0x51, C(0, 25), 0, 9, 't' };
    opens();
    SERVER(10200, BS, .type = BJ_COAP_NON, .code = C(0, 25), .mid = 9, .token = "o", .path = "/");
    server_raw(10200, BS, crowded, sizeof crowded);
    SERVER(10200, BS, .type = BJ_COAP_NON, .code = C(0, 25), .mid = 10, .token = "t", .path = "/");
    SERVER(10200, BS, .type = BJ_COAP_ACK, .code = POST, .mid = 11, .token = "t");
    CLIENT(10210, BS, .type = BJ_COAP_NON, .code = C(4, 4), .mid = 9, .token = "o");
    CLIENT(10210, BS, .type = BJ_COAP_NON, .code = C(4, 4), .mid = 9, .token = "t");
    CLIENT(10210, BS, .type = BJ_COAP_NON, .code = C(4, 4), .mid = 10, .token = "t");
    judge(20000);
    assert_nothing_broken();
}

static void an_unknown_critical_option_is_refused_and_an_elective_one_is_not(void **state) {
    (void) state;
    opens();
    SERVER(10200, BS, .type = BJ_COAP_CON, .code = DELETE_, .mid = 9, .token = "to", .path = "/1", .option = 2049);
    answers(10210, BS, 9, C(4, 2));
    SERVER(10300, BS, .type = BJ_COAP_CON, .code = DELETE_, .mid = 10, .token = "tp", .path = "/1", .option = 2048);
    CLIENT(10310, BS, .type = BJ_COAP_ACK, .code = C(2, 2), .mid = 10, .token = "tp");
    judge(20000);
    assert_nothing_broken();
}

/* A server asks hundreds of times within 300 ms, and has its answers. */
static void is_flooded(unsigned ms) {
    for (unsigned i = 0; i < 300; i++) {
        SERVER(ms + i, MGMT, .type = BJ_COAP_NON, .code = GET, .mid = (uint16_t) (1000 + i), .token = "to",
               .path = "/3/0/4");
        CLIENT(ms + i, MGMT, .type = BJ_COAP_NON, .code = C(4, 0), .mid = (uint16_t) (3000 + i), .token = "to");
    }
}

static void a_request_behind_hundreds_of_answers_is_repeated(void **state) {
    (void) state;
    asks(10000, 1);
    is_flooded(10100);
    asks(12500, 1);
    accepts(12600, 1);
    command(12700, 100, DELETE_, "/", C(2, 2));
    judge(20000);
    assert_nothing_broken();
}

static void a_register_behind_hundreds_of_answers_is_accepted(void **state) {
    (void) state;
    bootstraps();
    registers(11000, 50, "lt=300");
    is_flooded(11100);
    registered(11500, 50);
    put_event((bj_event){ .kind = BJ_EV_CLIENT_STATE,
                          .actor = BJ_ACTOR_CLIENT,
                          .time = 11500 * BJ_MS,
                          .text = "server 101: registering -> registered: Register answered with 2.01" });
    judge(20000);
    assert_nothing_broken();
}

/* Of so many nobody keeps all. */
static void an_answer_behind_hundreds_of_requests_may_be_for_any(void **state) {
    (void) state;
    opens();
    for (unsigned i = 0; i < 300; i++) {
        SERVER(10200, BS, .type = BJ_COAP_CON, .code = GET, .mid = (uint16_t) (1000 + i), .token = "to", .path = "/x");
    }
    answers(10210, BS, 1000, C(4, 0));
    judge(10300);
    assert_nothing_broken();
}

static void a_response_behind_hundreds_of_requests_may_be_for_any(void **state) {
    (void) state;
    opens();
    SERVER(10200, BS, .type = BJ_COAP_NON, .code = GET, .mid = 900, .token = "t1", .path = "/x");
    for (unsigned i = 0; i < 300; i++) {
        SERVER(10200, BS, .type = BJ_COAP_NON, .code = GET, .mid = (uint16_t) (1000 + i), .token = "to", .path = "/x");
    }
    CLIENT(10210, BS, .type = BJ_COAP_NON, .code = C(4, 0), .mid = 3000, .token = "t1");
    judge(10300);
    assert_nothing_broken();
}

/* Which of two requests with one Message ID it is that an answer is for nobody knows. */
static void of_two_with_one_message_id_the_other_may_be_answered(void **state) {
    (void) state;
    opens();
    SERVER(10200, BS, .type = BJ_COAP_CON, .code = DELETE_, .mid = 9, .token = "to", .path = "/1", .option = 2049);
    SERVER(10200, BS, .type = BJ_COAP_CON, .code = DELETE_, .mid = 9, .token = "to", .path = "/3");
    answers(10210, BS, 9, C(4, 2));
    answers(10210, BS, 9, C(2, 2));
    judge(20000);
    assert_nothing_broken();
}

/* --- repetitions ---------------------------------------------------------------------------------------------- */

static void lawful_repetitions(void **state) {
    (void) state;
    static const unsigned at[] = { 10000, 12500, 17500, 27500, 47500 };
    for (unsigned i = 0; i < 5; i++) {
        asks(at[i], 1);
    }
    judge(90000);
    assert_nothing_broken();
}

static void a_first_repetition_too_early_is_found(void **state) {
    (void) state;
    asks(10000, 1);
    asks(11990, 1);
    judge(20000);
    assert_broken(BJ_RULE_COAP_RETRANSMIT, "repetition 1");
}

/* The system holds a refusal for who sends next: a first transmission may have failed by it. That of the message which
 * is seen next did not leave then, nor did any of which the first repetition comes in time. */
static void repeats_behind_a_refusal(unsigned ms) {
    CLIENT(10000, MGMT, .type = BJ_COAP_NON, .code = C(2, 5), .mid = 1, .token = "tn", .observe = 2);
    put_event((bj_event){
        .kind = BJ_EV_ICMP, .actor = BJ_ACTOR_CLIENT, .time = 11000 * BJ_MS, .from = address_of(MGMT), .to = local });
    CLIENT(11000, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 2, .token = "tr", .path = "/rd");
    CLIENT(ms, MGMT, .type = BJ_COAP_CON, .code = C(2, 5), .mid = 3, .token = "tn", .observe = 3);
    CLIENT(ms + 5400, MGMT, .type = BJ_COAP_CON, .code = C(2, 5), .mid = 3, .token = "tn", .observe = 3);
    judge(ms + 5500);
}

static bool has_broken(bj_rule rule) {
    bool broken = false;
    for (size_t i = 0; i < found_count; i++) {
        broken |= found[i].rule == rule;
    }
    return broken;
}

static void behind_a_refusal_the_first_transmission_may_have_failed(void **state) {
    (void) state;
    repeats_behind_a_refusal(13700);
    assert_false(has_broken(BJ_RULE_COAP_RETRANSMIT));
}

static void later_behind_a_refusal_repetitions_double(void **state) {
    (void) state;
    repeats_behind_a_refusal(15000);
    assert_true(has_broken(BJ_RULE_COAP_RETRANSMIT));
}

static void a_repetition_that_does_not_double_is_found(void **state) {
    (void) state;
    asks(10000, 1);
    asks(12500, 1);
    asks(15000, 1);
    judge(20000);
    assert_broken(BJ_RULE_COAP_RETRANSMIT, "repetition 2");
}

/* A clock of milliseconds: each moment may be rounded by almost one, and the middle one counts three times. */
static void rounded_repetitions(void **state) {
    (void) state;
    static const unsigned at[] = { 10000, 12500, 17502, 27504, 47510 };
    for (unsigned i = 0; i < 5; i++) {
        asks(at[i], 1);
    }
    judge(90000);
    assert_nothing_broken();
}

static void more_than_rounding_is_found(void **state) {
    (void) state;
    asks(10000, 1);
    asks(12500, 1);
    asks(17503, 1);
    judge(20000);
    assert_broken(BJ_RULE_COAP_RETRANSMIT, "repetition 2");
}

/* Who asks for a name waits for its address, and repeats afterwards. */
static void a_repetition_that_a_name_holds_up(unsigned ms, unsigned asked) {
    asks(10000, 1);
    asks(12500, 1);
    uint32_t query =
        put_event((bj_event){ .kind = BJ_EV_DNS_QUERY, .actor = BJ_ACTOR_CLIENT, .time = asked * BJ_MS, .text = "x" });
    put_event((bj_event){ .kind = BJ_EV_DNS_ANSWER,
                          .actor = BJ_ACTOR_CLIENT,
                          .time = ms * BJ_MS,
                          .cause = query,
                          .text = "x: NXDOMAIN" });
    asks(ms, 1);
    judge(ms);
}

static void a_slow_name_holds_up_a_repetition(void **state) {
    (void) state;
    a_repetition_that_a_name_holds_up(19000, 15000);
    assert_nothing_broken();
}

static void a_quick_name_holds_up_nothing(void **state) {
    (void) state;
    a_repetition_that_a_name_holds_up(19000, 19000);
    assert_broken(BJ_RULE_COAP_RETRANSMIT, "repetition 2");
}

static void one_repetition_too_many_is_found(void **state) {
    (void) state;
    static const unsigned at[] = { 10000, 12000, 16000, 24000, 40000, 72000 };
    for (unsigned i = 0; i < 6; i++) {
        asks(at[i], 1);
    }
    judge(90000);
    assert_broken(BJ_RULE_COAP_RETRANSMIT, "6 times");
}

static void a_repetition_after_the_acknowledgement_is_found(void **state) {
    (void) state;
    asks(10000, 1);
    SERVER(10100, BS, .type = BJ_COAP_ACK, .mid = 1);
    asks(12000, 1);
    judge(20000);
    assert_broken(BJ_RULE_COAP_RETRANSMIT, "acknowledged");
}

static void two_interactions_at_once_are_found(void **state) {
    (void) state;
    bootstraps();
    registers(11000, 50, "lt=300");
    CLIENT(11500, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 51, .token = "tu", .path = "/rd/1");
    registers(13000, 50, "lt=300");
    judge(20000);
    assert_broken(BJ_RULE_COAP_NSTART, "outstanding");
}

/* libcoap counts a Reset for the message that is outstanding, whatever it rejects; profiles know it by the words. */
static void a_reset_to_what_was_given_up_is_told_of(void **state) {
    (void) state;
    bootstraps();
    registers(11000, 50, "lt=300");
    CLIENT(120000, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 51, .token = "tu", .path = "/rd/1");
    SERVER(121000, MGMT, .type = BJ_COAP_RST, .mid = 50);
    CLIENT(121000, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 52, .token = "tv", .path = "/rd/1");
    CLIENT(122500, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 51, .token = "tu", .path = "/rd/1");
    judge(123000);
    assert_broken(BJ_RULE_COAP_NSTART, "after a Reset to what was not outstanding");
}

static void a_request_that_was_given_up_is_not_outstanding(void **state) {
    (void) state;
    bootstraps();
    registers(11000, 50, "lt=300");
    CLIENT(11500, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 51, .token = "tu", .path = "/rd/1");
    judge(20000);
    assert_nothing_broken();
}

/* --- TCP ------------------------------------------------------------------------------------------------------ */

static void opens_stream(unsigned ms) {
    config.accounts[0].uri = "coap+tcp://bs.example";
    stream_opens(ms, BS, 3);
}

static void stream(unsigned ms, bool client, const void *bytes, size_t length) {
    stream_event(client ? BJ_EV_STREAM_SENT : BJ_EV_STREAM_RECEIVED, ms, 3, bytes, length);
}

static void a_connection_begins_with_settings(void **state) {
    (void) state;
    opens_stream(10000);
    stream(10001, true, "\x00", 1); /* in two pieces */
    stream(10002, true, "\xe1", 1);
    stream(10003, true,
           "\xc1\x02\xaa\xb2"
           "bs"
           "\x48"
           "ep=dev-1",
           15);
    stream(10004, false, "\x01\xe2\x42", 3);
    stream(10005, true, "\x01\xe3\x42", 3);
    judge(20000);
    assert_nothing_broken();
}

static void a_request_before_the_settings_is_found(void **state) {
    (void) state;
    opens_stream(10000);
    stream(10001, true,
           "\xc1\x02\xaa\xb2"
           "bs"
           "\x48"
           "ep=dev-1",
           15);
    judge(20000);
    assert_broken(BJ_RULE_TCP_SIGNALLING, "CSM");
}

static void a_ping_without_a_pong_is_found(void **state) {
    (void) state;
    opens_stream(10000);
    stream(10001, true, "\x00\xe1", 2);
    stream(10004, false, "\x01\xe2\x42", 3);
    judge(20000);
    assert_broken(BJ_RULE_TCP_SIGNALLING, "Pong");
}

static void each_of_two_pings_has_its_pong(void **state) {
    (void) state;
    opens_stream(10000);
    stream(10001, true, "\x00\xe1", 2);
    stream(10004, false, "\x01\xe2\x42", 3);
    stream(10004, false, "\x01\xe2\x43", 3);
    stream(10005, true, "\x01\xe3\x42", 3);
    stream(10005, true, "\x01\xe3\x43", 3);
    judge(20000);
    assert_nothing_broken();
}

static void a_second_pong_for_one_ping_is_found(void **state) {
    (void) state;
    opens_stream(10000);
    stream(10001, true, "\x00\xe1", 2);
    stream(10004, false, "\x01\xe2\x42", 3);
    stream(10005, true, "\x01\xe3\x42", 3);
    stream(10006, true, "\x01\xe3\x42", 3);
    judge(20000);
    assert_broken(BJ_RULE_TCP_SIGNALLING, "of no Ping");
}

/* It is registered in queue mode over TCP, at 10 s: from 103 s on it need not listen (LwM2M Core 1.1 §6.5). */
static void registers_in_queue_mode(void) {
    config.accounts[1] = (bj_oracle_account){
        .uri = "coap+tcp://mgmt.example", .instance = 1, .ssid = 1, .lifetime_s = 86400, .binding = "T"
    };
    config.account_count = 2;
    stream_opens(10000, MGMT, 3);
    stream(10001, true, "\x00\xe1", 2);
    stream(10002, true, "\x51\x02\xaa\xb2rd\x41Q", 8);
    stream(10003, false, "\x51\x41\xaa\x82rd\x01x", 8);
}

static void a_request_behind_a_release_is_found(void **state) {
    (void) state;
    registers_in_queue_mode();
    stream(60000, false, "\x00\xe4", 2);
    stream(61000, true, "\x51\x02\xab\xb2rd\x01x", 8);
    judge(62000);
    assert_broken(BJ_RULE_TCP_SIGNALLING, "released");
}

static void who_does_not_listen_reads_no_release(void **state) {
    (void) state;
    registers_in_queue_mode();
    stream(200000, false, "\x00\xe4", 2);
    stream(250000, true, "\x51\x02\xab\xb2rd\x01x", 8);
    judge(260000);
    assert_nothing_broken();
}

static void a_release_is_read_when_it_listens_again(void **state) {
    (void) state;
    registers_in_queue_mode();
    stream(200000, false, "\x00\xe4", 2);
    stream(250000, true, "\x51\x02\xab\xb2rd\x01x", 8);
    stream(251000, true, "\x51\x02\xac\xb2rd\x01x", 8);
    judge(260000);
    assert_broken(BJ_RULE_TCP_SIGNALLING, "released");
}

static void who_does_not_listen_answers_no_ping(void **state) {
    (void) state;
    registers_in_queue_mode();
    stream(200000, false, "\x01\xe2\x42", 3);
    judge(250000);
    assert_nothing_broken();
}

static void who_listens_again_may_answer_a_ping(void **state) {
    (void) state;
    registers_in_queue_mode();
    stream(200000, false, "\x01\xe2\x42", 3);
    stream(250000, true, "\x01\xe3\x42", 3);
    judge(260000);
    assert_nothing_broken();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_whole_course_breaks_nothing),
        TEST(a_damaged_message_is_found),
        TEST(more_options_than_we_keep_are_no_fault),
        TEST(a_request_in_an_acknowledgement_is_found),
        TEST(an_option_too_long_is_found),
        TEST(a_message_id_used_again_is_found),
        TEST(a_message_id_may_be_used_after_exchange_lifetime),
        TEST(one_that_a_response_had_of_its_request_may_be_used),
        TEST(an_acknowledgement_of_nothing_is_found),
        TEST(a_wrong_token_is_found),
        TEST(a_notification_belongs_to_its_observation),
        TEST(a_notification_answers_no_request_with_its_token),
        TEST(a_second_response_is_found),
        TEST(a_separate_response_is_one),
        TEST(a_request_without_an_answer_is_found),
        TEST(who_left_a_port_reads_there_no_more),
        TEST(who_stays_at_its_port_reads_on),
        TEST(who_is_registered_from_that_port_answers),
        TEST(who_is_registered_from_another_port_need_not),
        TEST(who_hears_a_refusal_answers),
        TEST(who_may_not_have_heard_it_need_not),
        TEST(who_is_refused_answers),
        TEST(who_may_await_a_session_need_not),
        TEST(who_may_have_begun_a_session_need_not),
        TEST(a_reset_may_be_for_either_of_two),
        TEST(who_is_refused_in_blocks_need_not),
        TEST(who_may_have_lost_its_registration_need_not),
        TEST(a_server_without_a_session_gets_no_answer),
        TEST(another_answer_to_a_duplicate_is_found),
        TEST(a_response_that_is_rejected_when_it_comes_again_is_found),
        TEST(one_behind_which_another_came_may_be_forgotten),
        TEST(the_same_answer_to_a_duplicate_is_lawful),
        TEST(more_answers_than_copies_are_found),
        TEST(a_ping_is_answered_with_reset),
        TEST(a_ping_that_is_acknowledged_is_found),
        TEST(an_unknown_critical_option_that_is_passed_over_is_found),
        TEST(an_answer_may_be_that_of_a_message_that_is_not_read),
        TEST(so_may_two_and_beside_others),
        TEST(a_request_behind_hundreds_of_answers_is_repeated),
        TEST(a_register_behind_hundreds_of_answers_is_accepted),
        TEST(an_answer_behind_hundreds_of_requests_may_be_for_any),
        TEST(a_response_behind_hundreds_of_requests_may_be_for_any),
        TEST(of_two_with_one_message_id_the_other_may_be_answered),
        TEST(an_unknown_critical_option_is_refused_and_an_elective_one_is_not),
        TEST(lawful_repetitions),
        TEST(rounded_repetitions),
        TEST(more_than_rounding_is_found),
        TEST(a_first_repetition_too_early_is_found),
        TEST(behind_a_refusal_the_first_transmission_may_have_failed),
        TEST(later_behind_a_refusal_repetitions_double),
        TEST(a_repetition_that_does_not_double_is_found),
        TEST(a_slow_name_holds_up_a_repetition),
        TEST(a_quick_name_holds_up_nothing),
        TEST(a_response_to_a_request_in_an_acknowledgement_is_found),
        TEST(one_repetition_too_many_is_found),
        TEST(a_repetition_after_the_acknowledgement_is_found),
        TEST(two_interactions_at_once_are_found),
        TEST(a_reset_to_what_was_given_up_is_told_of),
        TEST(a_request_that_was_given_up_is_not_outstanding),
        TEST(a_connection_begins_with_settings),
        TEST(a_request_before_the_settings_is_found),
        TEST(a_ping_without_a_pong_is_found),
        TEST(each_of_two_pings_has_its_pong),
        TEST(a_second_pong_for_one_ping_is_found),
        TEST(who_listens_again_may_answer_a_ping),
        TEST(a_request_behind_a_release_is_found),
        TEST(who_does_not_listen_reads_no_release),
        TEST(a_release_is_read_when_it_listens_again),
        TEST(who_does_not_listen_answers_no_ping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
