/* SPDX-License-Identifier: Apache-2.0
 *
 * What a registration that stands asks of the client: duties that are met, that are not, and that nobody can judge.
 */
#include "oracle_fixture.h"

/* Bootstrapped with the Lifetime 300, registered at 12.1 s at that place. */
static void stands_at(const char *location) {
    bootstraps();
    registers(12000, 900, "lt=300");
    uint8_t bytes[64];
    bj_coap c = { .version = 1, .type = BJ_COAP_ACK, .code = C(2, 1), .mid = 900, .token_length = 2, .token = "tr" };
    bj_coap_add_path(&c, BJ_COAP_LOCATION_PATH, location);
    server_raw(12100, MGMT, bytes, bj_coap_encode(&c, bytes, sizeof bytes));
}

static void stands(void) {
    stands_at("/rd/a/b/c");
}

static void updates_at(unsigned ms, uint16_t mid, const char *path, const char *query) {
    CLIENT(ms, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = mid, .token = "tu", .path = path, .query = { query });
}

static void updated(unsigned ms, uint16_t mid, uint8_t code) {
    SERVER(ms, MGMT, .type = BJ_COAP_ACK, .code = code, .mid = mid, .token = "tu");
}

/* The server's request, answered 10 ms later. */
static void manages(unsigned ms, uint16_t mid, uint8_t method, const char *path, const char *text, uint8_t answer) {
    SERVER(ms, MGMT, .type = BJ_COAP_CON, .code = method, .mid = mid, .token = "to", .path = path,
           .format = text ? 1 : NO_FORMAT, .payload = text);
    answers(ms + 10, MGMT, mid, answer);
}

/* --- in time, and at its place -------------------------------------------------------------------------------- */

static void an_update_in_time_is_fine(void **state) {
    (void) state;
    stands();
    updates_at(200000, 901, "/rd/a/b/c", NULL);
    updated(200100, 901, C(2, 4));
    judge(500000);
    assert_nothing_broken();
}

static void an_update_at_bs_is_no_bootstrap_request(void **state) {
    (void) state;
    stands_at("/bs");
    CLIENT(13000, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 901, .token = "tu", .path = "/bs", .format = 41,
           .payload = "</1/0>,</3/0>,</3/1>");
    updated(13100, 901, C(2, 4));
    updates_at(200000, 902, "/bs", NULL);
    updated(200100, 902, C(2, 4));
    judge(400000);
    assert_nothing_broken();
}

/* So many other places were given since that the first is forgotten here. */
static void moves_on(unsigned ms) {
    static const char *const places[] = { "/rd/2", "/rd/3", "/rd/4" };
    for (unsigned i = 0; i < 3; i++) {
        SERVER(ms + i, MGMT, .type = BJ_COAP_ACK, .code = C(2, 1), .mid = 900, .token = "tr", .location = places[i]);
    }
}

static void an_update_at_a_bs_of_long_before_is_no_bootstrap_request(void **state) {
    (void) state;
    stands_at("/bs");
    moves_on(12200);
    updates_at(200000, 902, "/bs", NULL);
    updated(200100, 902, C(2, 4));
    manages(201000, 70, DELETE_, "/", NULL, C(4, 5));
    judge(400000);
    assert_nothing_broken();
}

static void an_update_at_an_rd_of_long_before_is_no_register(void **state) {
    (void) state;
    stands_at("/rd");
    moves_on(12200);
    CLIENT(200000, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 902, .token = "tu", .path = "/rd", .format = 41,
           .payload = "</1/0>,</3/0>,</3/1>");
    updated(200100, 902, C(2, 4));
    judge(600000);
    assert_broken(BJ_RULE_REG_UPDATE, "lifetime"); /* of the Update, which the 2.04 has answered with success */
}

static void a_lifetime_that_ends_breaks_the_rule(void **state) {
    (void) state;
    stands();
    judge(313000);
    assert_broken(BJ_RULE_REG_UPDATE, "the lifetime of a registration ends");
}

static void a_lifetime_without_end_asks_for_nothing(void **state) {
    (void) state;
    opens();
    writes_security(10200, 100, "/0/1", "coap://mgmt.example", false, 101, C(2, 4));
    writes_server(10300, 101, "/1/0", 101, 0, C(2, 4));
    command(10900, 102, POST, "/bs", C(2, 4));
    registers(12000, 900, "lt=0");
    registered(12100, 900);
    judge(9000000);
    assert_nothing_broken();
}

static void who_is_being_bootstrapped_may_forget_the_time(void **state) {
    (void) state;
    stands();
    asks(300000, 7);
    judge(320000);
    assert_nothing_broken();
}

static void an_exchange_that_is_open_holds_up_the_update(void **state) {
    (void) state;
    stands();
    CLIENT(280000, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 950, .token = "tn", .path = "/x/dp");
    judge(320000);
    assert_nothing_broken();
}

static void a_client_that_was_told_to_stop_has_no_duty(void **state) {
    (void) state;
    stands();
    put_event(
        (bj_event){ .kind = BJ_EV_CLIENT_SIGNAL, .actor = BJ_ACTOR_CLIENT, .time = 300000 * BJ_MS, .number = 15 });
    judge(320000);
    assert_nothing_broken();
}

static void an_update_goes_to_the_whole_location(void **state) {
    (void) state;
    stands();
    updates_at(200000, 901, "/rd/a/b", NULL);
    judge(201000);
    assert_broken(BJ_RULE_REG_LOCATION, "/rd/a/b");
}

static void a_location_of_before_is_let_pass(void **state) {
    (void) state;
    stands();
    registers(100000, 902, "lt=300");
    uint8_t bytes[64];
    bj_coap c = { .version = 1, .type = BJ_COAP_ACK, .code = C(2, 1), .mid = 902, .token_length = 2, .token = "tr" };
    bj_coap_add_path(&c, BJ_COAP_LOCATION_PATH, "/other");
    server_raw(100100, MGMT, bytes, bj_coap_encode(&c, bytes, sizeof bytes));
    updates_at(200000, 901, "/rd/a/b/c", NULL);
    updates_at(201000, 903, "/other", NULL);
    judge(202000);
    assert_nothing_broken();
}

/* --- answers in blocks: a Register has none that could come so, and a client may take it for damaged ------------ */

/* At 12 s; answered with the first of two blocks, and the second, which the client asks for. */
static void is_answered_in_blocks(uint8_t first) {
    bootstraps();
    registers(12000, 900, "lt=300");
    SERVER(12100, MGMT, .type = BJ_COAP_ACK, .code = first, .mid = 900, .token = "tr", .location = "/rd/1",
           .block2 = 1 + 8, .payload = "0123456789abcdef");
    CLIENT(12200, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 901, .token = "ts", .path = "/rd",
           .query = { "ep=dev-1", "lt=300", "b=U" }, .block2 = 1 + 16, .format = 41, .payload = "</1/0>,</3/0>");
    SERVER(12300, MGMT, .type = BJ_COAP_ACK, .code = C(2, 1), .mid = 901, .token = "ts", .location = "/rd/1");
    judge(400000);
    assert_nothing_broken();
}

static void an_acceptance_in_blocks_may_be_none(void **state) {
    (void) state;
    is_answered_in_blocks(C(2, 1));
}

static void an_acceptance_behind_another_block_may_be_none(void **state) {
    (void) state;
    is_answered_in_blocks(C(2, 5));
}

static void an_update_that_is_answered_in_blocks_may_have_failed(void **state) {
    (void) state;
    stands();
    updates_at(200000, 901, "/rd/a/b/c", NULL);
    SERVER(200100, MGMT, .type = BJ_COAP_ACK, .code = C(2, 4), .mid = 901, .token = "tu", .block2 = 1 + 8,
           .payload = "0123456789abcdef");
    judge(600000);
    assert_nothing_broken();
}

/* --- what the server forgot ----------------------------------------------------------------------------------- */

static void after_4_04_an_update_breaks_the_rule(void **state) {
    (void) state;
    stands();
    updates_at(200000, 901, "/rd/a/b/c", NULL);
    updated(200100, 901, C(4, 4));
    updates_at(205000, 902, "/rd/a/b/c", NULL);
    judge(206000);
    assert_broken(BJ_RULE_REG_FORGOTTEN, "answered with 4.04");
}

static void after_4_04_nothing_breaks_the_rule(void **state) {
    (void) state;
    stands();
    updates_at(200000, 901, "/rd/a/b/c", NULL);
    updated(200100, 901, C(4, 4));
    judge(240000);
    assert_broken(BJ_RULE_REG_FORGOTTEN, "no Register comes");
}

/* What 7.04 means over UDP is the client's: libcoap takes it for a Reset to the Update, which may be sent again. */
static void a_4_04_behind_signalling_may_be_passed_over(void **state) {
    (void) state;
    stands();
    updates_at(200000, 901, "/rd/a/b/c", NULL);
    SERVER(200050, MGMT, .type = BJ_COAP_NON, .code = C(7, 4), .mid = 69, .token = "ti");
    updated(200100, 901, C(4, 4));
    updates_at(205000, 902, "/rd/a/b/c", NULL);
    updated(205100, 902, C(2, 4));
    judge(240000);
    assert_nothing_broken();
}

static void after_4_04_a_register_is_right(void **state) {
    (void) state;
    stands();
    updates_at(200000, 901, "/rd/a/b/c", NULL);
    updated(200100, 901, C(4, 4));
    registers(201000, 902, "lt=300");
    judge(240000);
    assert_nothing_broken();
}

/* --- what is written, and what is executed -------------------------------------------------------------------- */

static void a_lifetime_that_is_written_is_told(void **state) {
    (void) state;
    stands();
    manages(20000, 70, PUT, "/1/0/1", "120", C(2, 4));
    updates_at(20100, 901, "/rd/a/b/c", "lt=120");
    updated(20200, 901, C(2, 4));
    judge(60000);
    assert_nothing_broken();
}

/* Signalling over UDP may have ended the Update that tells it; the client may have heard that it was accepted, or not.
 */
static void a_lifetime_that_may_be_told_is_not_told_again(void **state) {
    (void) state;
    stands();
    manages(20000, 70, PUT, "/1/0/1", "120", C(2, 4));
    updates_at(20100, 901, "/rd/a/b/c", "lt=120");
    SERVER(20150, MGMT, .type = BJ_COAP_CON, .code = C(7, 2), .mid = 71, .token = "tp");
    updated(20200, 901, C(2, 4));
    updates_at(100000, 902, "/rd/a/b/c", NULL);
    updated(100100, 902, C(2, 4));
    updates_at(200000, 903, "/rd/a/b/c", NULL);
    updated(200100, 903, C(2, 4));
    manages(300000, 72, PUT, "/1/0/1", "120", C(2, 4)); /* again, which changes nothing */
    judge(360000);
    assert_nothing_broken();
}

static void a_lifetime_that_is_not_told_breaks_the_rule(void **state) {
    (void) state;
    stands();
    manages(20000, 70, PUT, "/1/0/1", "120", C(2, 4));
    judge(60000);
    assert_broken(BJ_RULE_REG_LIFETIME, "the server is not told");
}

static void one_that_is_held_up_is_told_later(void **state) {
    (void) state;
    stands();
    manages(20000, 70, PUT, "/1/0/1", "120", C(2, 4));
    for (unsigned i = 0; i < 5; i++) { /* of what libcoap sends by itself no more than one is under way either */
        CLIENT(20020 + 2500 * ((1 << i) - 1), MGMT, .type = BJ_COAP_CON, .code = C(7, 3), .mid = 0, .token = "ti");
    }
    judge(60000);
    assert_broken(BJ_RULE_COAP_FORMAT, "signalling");
}

/* It is told at the moment at which the Update before has no answer any more, or shortly after. */
static void one_behind_an_update_without_answer(unsigned ms) {
    stands();
    updates_at(19000, 901, "/rd/a/b/c", NULL);
    SERVER(19050, MGMT, .type = BJ_COAP_ACK, .mid = 901);
    manages(20000, 70, PUT, "/1/0/1", "120", C(2, 4));
    judge(19000 + 247001);
    registers(ms, 902, "lt=120");
    registered(ms + 50, 902);
    judge(ms + 60000);
}

static void one_behind_an_update_without_answer_is_told_when_that_is_given_up(void **state) {
    (void) state;
    one_behind_an_update_without_answer(19000 + 247002);
    assert_nothing_broken();
}

static void and_not_much_later(void **state) {
    (void) state;
    one_behind_an_update_without_answer(19000 + 247000 + 150000);
    assert_broken(BJ_RULE_REG_LIFETIME, "the server is not told");
}

static void an_update_that_does_not_tell_it_is_not_enough(void **state) {
    (void) state;
    stands();
    manages(20000, 70, PUT, "/1/0/1", "120", C(2, 4));
    updates_at(20100, 901, "/rd/a/b/c", NULL);
    updated(20200, 901, C(2, 4));
    judge(60000);
    assert_broken(BJ_RULE_REG_LIFETIME, "the server is not told");
}

/* The server posts 120 to a Resource of its account, in CBOR: a partial update, where that is not executed. */
static void posts(const char *path, uint8_t answer) {
    stands();
    SERVER(20000, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 70, .token = "to", .path = path, .format = 61,
           .payload = "\x18\x78");
    answers(20010, MGMT, 70, answer);
}

static void a_lifetime_that_is_posted_is_told(void **state) {
    (void) state;
    posts("/1/0/1", C(2, 4));
    updates_at(20100, 901, "/rd/a/b/c", "lt=120");
    updated(20200, 901, C(2, 4));
    judge(60000);
    assert_nothing_broken();
}

static void and_is_that_of_the_next_registration(void **state) {
    (void) state;
    posts("/1/0/1", C(2, 4));
    registers(20100, 901, "lt=120");
    registered(20200, 901);
    judge(60000);
    assert_nothing_broken();
}

static void one_that_is_posted_and_not_told_breaks_the_rule(void **state) {
    (void) state;
    posts("/1/0/1", C(2, 4));
    judge(60000);
    assert_broken(BJ_RULE_REG_LIFETIME, "the server is not told");
}

static void one_that_may_not_be_posted_is_as_it_was(void **state) {
    (void) state;
    posts("/1/0/1", C(4, 5));
    judge(60000);
    assert_nothing_broken();
}

/* What the client takes a text for, which should have been the arguments of an Execute, nobody knows. */
static void a_lifetime_that_is_posted_as_text_may_be_told(void **state) {
    (void) state;
    stands();
    manages(20000, 70, POST, "/1/0/1", "120", C(2, 4));
    registers(20100, 901, "lt=120");
    registered(20200, 901);
    judge(60000);
    assert_broken(BJ_RULE_MGMT_EXECUTE, "not executable");
}

static void what_is_executed_is_no_value_in_any_format(void **state) {
    (void) state;
    posts("/1/0/8", C(2, 4));
    updates_at(20100, 901, "/rd/a/b/c", NULL);
    updated(20200, 901, C(2, 4));
    manages(21000, 71, PUT, "/1/0/1", "120", C(2, 4));
    judge(60000);
    assert_broken(BJ_RULE_REG_LIFETIME, "the server is not told");
}

static void a_write_that_was_refused_asks_for_nothing(void **state) {
    (void) state;
    stands();
    manages(20000, 70, PUT, "/1/0/1", "120", C(4, 1));
    judge(60000);
    assert_nothing_broken();
}

static void attributes_change_no_account(void **state) {
    (void) state;
    stands();
    SERVER(20000, MGMT, .type = BJ_COAP_CON, .code = PUT, .mid = 70, .token = "to", .path = "/1/0/1",
           .query = { "pmin=1" });
    answers(20010, MGMT, 70, C(2, 4));
    manages(21000, 71, PUT, "/1/0/1", "120", C(2, 4));
    judge(60000);
    assert_broken(BJ_RULE_REG_LIFETIME, "the server is not told");
}

static void a_transport_that_the_client_may_lack_need_not_be_told(void **state) {
    (void) state;
    stands();
    manages(20000, 70, PUT, "/1/0/7", "UT", C(2, 4));
    judge(60000);
    assert_nothing_broken();
}

/* A Register of LwM2M 1.0 has no word for TCP. */
static void what_the_first_release_cannot_say_need_not_be_told(void **state) {
    (void) state;
    config.tcp = true;
    bootstraps();
    CLIENT(12000, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 900, .token = "tr", .path = "/rd",
           .query = { "ep=dev-1", "lt=300", "lwm2m=1.0" }, .format = 41, .payload = "</1/0>");
    registered(12100, 900);
    manages(20000, 70, PUT, "/1/0/7", "UT", C(2, 4));
    judge(60000);
    assert_nothing_broken();
}

static void a_binding_that_is_not_told_breaks_the_rule(void **state) {
    (void) state;
    config.tcp = true;
    stands();
    manages(20000, 70, PUT, "/1/0/7", "UT", C(2, 4));
    judge(60000);
    assert_broken(BJ_RULE_REG_BINDING, "the server is not told");
}

/* It comes again with another token, changed on its way: by its Message ID it is the one that an Update has answered.
 */
static void a_trigger_that_is_taken_for_a_repetition_brings_none(void **state) {
    (void) state;
    stands();
    manages(20000, 70, POST, "/1/0/8", NULL, C(2, 4));
    updates_at(20100, 901, "/rd/a/b/c", NULL);
    updated(20110, 901, C(2, 4));
    SERVER(20200, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 70, .token = "??", .path = "/1/0/8");
    CLIENT(20210, MGMT, .type = BJ_COAP_ACK, .code = C(2, 4), .mid = 70, .token = "??");
    judge(60000);
    assert_nothing_broken();
}

static void a_trigger_without_an_update_breaks_the_rule(void **state) {
    (void) state;
    stands();
    manages(20000, 70, POST, "/1/0/8", NULL, C(2, 4));
    judge(60000);
    assert_broken(BJ_RULE_REG_TRIGGER, "no Update comes");
}

static void a_trigger_that_names_a_transport_may_lead_elsewhere(void **state) {
    (void) state;
    stands();
    manages(20000, 70, POST, "/1/0/8", "0='T'", C(2, 4));
    judge(60000);
    assert_nothing_broken();
}

static void a_trigger_of_another_instance_is_not_judged(void **state) {
    (void) state;
    stands();
    manages(20000, 70, POST, "/1/3/8", NULL, C(2, 4));
    judge(60000);
    assert_nothing_broken();
}

static void comes_in_a_block(unsigned ms, uint16_t mid, unsigned block, const char *tag, const uint8_t *payload,
                             size_t length, uint8_t answer) {
    SERVER(ms, BS, .type = BJ_COAP_CON, .code = PUT, .mid = mid, .token = "to", .path = "/1/0", .format = 11543,
           .block1 = block + 1, .option = 292, .option_value = tag, .payload = (const char *) payload,
           .length = length);
    CLIENT(ms + 1, BS, .type = BJ_COAP_ACK, .code = answer, .mid = mid, .token = "to", .block1 = block + 1);
}

/* A second bootstrap writes /1/0 in blocks, beside another that does: which of them it is now is not followed here. */
static void is_rewritten(bool beside) {
    uint8_t bytes[18] = { 0xc1, 0, 101, 0xc4, 1, 0, 0, 1, 44, 0xc1, 6, 0, 0xc1, 7, 'U', 0xc1, 2, 0 };
    bootstraps();
    registers(12000, 900, "lt=300");
    registered(12100, 900);
    manages(20000, 70, POST, "/1/0/9", NULL, C(2, 4));
    asks(30000, 2);
    accepts(30100, 2);
    updates_at(30110, 902, "/rd/1", NULL);
    updated(30120, 902, C(2, 4));
    comes_in_a_block(30200, 110, 8, "1", bytes, 16, C(2, 31));
    if (beside) {
        comes_in_a_block(30210, 111, 8, "2", bytes, 16, C(2, 31));
    }
    comes_in_a_block(30220, 112, 16, "1", bytes + 16, 2, C(2, 4));
    command(30300, 113, POST, "/bs", C(2, 4));
    judge(350000);
}

static void whose_account_may_be_anothers_owes_no_update(void **state) {
    (void) state;
    is_rewritten(true);
    assert_nothing_broken();
}

static void whose_account_is_as_it_was_owes_an_update(void **state) {
    (void) state;
    is_rewritten(false);
    assert_broken(BJ_RULE_REG_UPDATE, "the lifetime of a registration ends");
}

/* A Register, or an Update, is answered when a second bootstrap has just finished: with an account of that server, with
 * none any more, or with another one whose server has no keys. */
static void is_answered_behind_a_bootstrap(bool registering, const char *uri, int ssid) {
    bootstraps();
    registers(12000, 900, "lt=300");
    registered(12100, 900);
    manages(20000, 70, POST, "/1/0/9", NULL, C(2, 4));
    asks(30000, 2);
    if (registering) {
        registers(30050, 902, "lt=300");
    } else {
        updates_at(30050, 902, "/rd/1", NULL);
    }
    accepts(30100, 2);
    writes_security(30200, 110, "/0/1", uri, false, 101, C(2, 4));
    writes_server(30220, 111, "/1/4", ssid, 300, C(2, 4));
    writes_security(30240, 112, "/0/4", "coap://four.example", false, 104, C(2, 4));
    command(30300, 113, POST, "/bs", C(2, 4));
    SERVER(30310, MGMT, .type = BJ_COAP_ACK, .code = registering ? C(2, 1) : C(2, 4), .mid = 902,
           .token = registering ? "tr" : "tu", .location = registering ? "/rd/1" : NULL);
    judge(400000);
}

static void whose_account_is_gone_owes_no_update_for_an_answer(void **state) {
    (void) state;
    is_answered_behind_a_bootstrap(true, "coap://elsewhere.example", 104);
    assert_nothing_broken();
}

static void who_goes_back_for_accounts_owes_no_update_for_an_answer(void **state) {
    (void) state;
    is_answered_behind_a_bootstrap(false, "coap://mgmt.example", 108);
    assert_nothing_broken();
}

static void whose_account_is_there_owes_an_update_for_an_answer(void **state) {
    (void) state;
    is_answered_behind_a_bootstrap(true, "coap://mgmt.example", 104);
    assert_broken(BJ_RULE_REG_UPDATE, "the lifetime of a registration ends");
}

/* What has been written in a session that only the client knows of nobody can say. */
static void who_finishes_a_session_of_its_own_owes_no_update(void **state) {
    (void) state;
    stands();
    manages(20000, 70, POST, "/1/0/9", NULL, C(2, 4));
    asks(30000, 2);
    accepts(30100, 2);
    updates_at(140000, 902, "/rd/a/b/c", NULL);
    updated(140100, 902, C(2, 4));
    asks(290000, 3);
    SERVER(290100, BS, .type = BJ_COAP_ACK, .code = C(4, 0), .mid = 3, .token = "tb");
    updates_at(291000, 903, "/rd/a/b/c", NULL);
    updated(291100, 903, C(2, 4));
    command(300300, 113, POST, "/bs", C(2, 4));
    judge(700000);
    assert_broken(BJ_RULE_BS_NO_SESSION, "there is no session"); /* and of the registration nothing is said */
}

/* A second bootstrap adds /1/4: of a server with another Short Server ID than that of any Security instance, or not.
 * The registration that stands has a lifetime of 2 s. */
static void gets_a_server(int ssid) {
    bootstraps();
    registers(12000, 900, "lt=300");
    registered(12100, 900);
    manages(20000, 70, POST, "/1/0/9", NULL, C(2, 4));
    manages(32000, 71, PUT, "/1/0/1", "2", C(2, 4));
    asks(33000, 2);
    accepts(33010, 2);
    updates_at(33020, 902, "/rd/1", "lt=2");
    updated(33030, 902, C(2, 4));
    writes_security(33040, 110, "/0/4", "coap://four.example", false, 104, C(2, 4));
    writes_server(33060, 111, "/1/4", ssid, 300, C(2, 4));
    command(33080, 113, POST, "/bs", C(2, 4));
    judge(37000);
}

static void who_goes_back_for_accounts_owes_no_update(void **state) {
    (void) state;
    gets_a_server(108);
    assert_nothing_broken();
}

static void whose_accounts_can_be_used_owes_an_update(void **state) {
    (void) state;
    gets_a_server(104);
    assert_broken(BJ_RULE_REG_UPDATE, "the lifetime of a registration ends");
}

/* At 100 s the client registers at another address: of the same account, or of the second one. */
static void registers_elsewhere(const char *host) {
    enum { OTHER = MGMT + 1 };
    declare(OTHER, "other", host);
    opens();
    writes_security(10200, 100, "/0/1", "coap://mgmt.example", false, 101, C(2, 4));
    writes_security(10250, 101, "/0/2", "coap://other.example", false, 102, C(2, 4));
    writes_server(10300, 102, "/1/0", 101, 300, C(2, 4));
    writes_server(10400, 103, "/1/1", 102, 300, C(2, 4));
    command(10900, 104, POST, "/bs", C(2, 4));
    registers(12000, 900, "lt=300");
    registered(12100, 900);
    CLIENT(100000, OTHER, .type = BJ_COAP_CON, .code = POST, .mid = 901, .token = "ts", .path = "/rd",
           .query = { "ep=dev-1", "lt=300", "b=U" }, .format = 41, .payload = "</1/0>,</3/0>");
    SERVER(100100, OTHER, .type = BJ_COAP_ACK, .code = C(2, 1), .mid = 901, .token = "ts", .location = "/rd/2");
    judge(350000);
}

static void a_registration_at_another_address_of_a_server_replaces_the_first(void **state) {
    (void) state;
    registers_elsewhere("mgmt.example");
    assert_nothing_broken();
}

static void a_registration_with_another_server_replaces_none(void **state) {
    (void) state;
    registers_elsewhere("other.example");
    assert_broken(BJ_RULE_REG_UPDATE, "the lifetime of a registration ends");
}

/* --- Disable -------------------------------------------------------------------------------------------------- */

/* At 20 s, with a Disable Timeout of 60 s; it has left by 20.2 s. */
static void is_disabled(void) {
    stands();
    manages(19000, 69, PUT, "/1/0/5", "60", C(2, 4));
    manages(20000, 70, POST, "/1/0/4", NULL, C(2, 4));
    CLIENT(20100, MGMT, .type = BJ_COAP_CON, .code = DELETE_, .mid = 904, .token = "td", .path = "/rd/a/b/c");
    SERVER(20200, MGMT, .type = BJ_COAP_ACK, .code = C(2, 2), .mid = 904, .token = "td");
}

static void who_comes_back_in_time_is_right(void **state) {
    (void) state;
    is_disabled();
    registers(80200, 905, "lt=300");
    registered(80300, 905);
    judge(90000);
    assert_nothing_broken();
}

static void who_comes_back_early_breaks_the_rule(void **state) {
    (void) state;
    is_disabled();
    registers(60000, 905, "lt=300");
    judge(61000);
    assert_broken(BJ_RULE_REG_DISABLE, "before the Disable Timeout is over");
}

/* It comes back early, behind a session that began at 31 s. */
static void comes_back_behind_a_session(void) {
    command(32000, 120, POST, "/bs", C(2, 4));
    registers(32100, 905, "lt=300");
    judge(33000);
}

static void begins_a_session(void) {
    asks(31000, 7);
    accepts(31010, 7);
}

static void an_account_that_was_written_anew_has_no_disable_timeout(void **state) {
    (void) state;
    is_disabled();
    begins_a_session();
    command(31100, 110, DELETE_, "/1/0", C(2, 2));
    writes_server(31200, 111, "/1/0", 101, 300, C(2, 4));
    comes_back_behind_a_session();
    assert_nothing_broken();
}

static void one_that_was_written_over_may_have_none(void **state) {
    (void) state;
    is_disabled();
    begins_a_session();
    writes_security(31100, 110, "/0/1", "coap://mgmt.example:5683", false, 101, C(2, 4));
    comes_back_behind_a_session();
    assert_nothing_broken();
}

static void one_whose_disable_timeout_was_written_may_have_another(void **state) {
    (void) state;
    is_disabled();
    begins_a_session();
    SERVER(31100, BS, .type = BJ_COAP_CON, .code = PUT, .mid = 110, .token = "to", .path = "/1/0/5", .format = 1,
           .payload = "1");
    answers(31110, BS, 110, C(2, 4));
    comes_back_behind_a_session();
    assert_nothing_broken();
}

static void one_that_a_bootstrap_left_alone_is_still_disabled(void **state) {
    (void) state;
    is_disabled();
    begins_a_session();
    writes_server(31100, 110, "/1/7", 107, 300, C(2, 4));
    writes_security(31200, 111, "/0/7", "coap://192.0.2.77", false, 107, C(2, 4));
    comes_back_behind_a_session();
    assert_broken(BJ_RULE_REG_DISABLE, "before the Disable Timeout is over");
}

static void what_was_rolled_back_was_not_written(void **state) {
    (void) state;
    stands();
    manages(19000, 69, PUT, "/1/0/5", "600", C(2, 4));
    manages(20000, 70, POST, "/1/0/4", NULL, C(2, 4));
    begins_a_session();
    command(31100, 110, DELETE_, "/1/0", C(2, 2));
    writes_server(31200, 111, "/1/0", 101, 300, C(2, 4));
    asks(290000, 8);
    accepts(290010, 8);
    command(290100, 120, POST, "/bs", C(2, 4));
    registers(290200, 905, "lt=300");
    judge(291000);
    assert_broken(BJ_RULE_REG_DISABLE, "before the Disable Timeout is over");
}

static void who_leaves_again_at_once_breaks_the_rule(void **state) {
    (void) state;
    is_disabled();
    registers(80200, 905, "lt=300");
    SERVER(80300, MGMT, .type = BJ_COAP_ACK, .code = C(2, 1), .mid = 905, .token = "tr", .location = "/rd/a/b/c");
    CLIENT(80310, MGMT, .type = BJ_COAP_CON, .code = DELETE_, .mid = 906, .token = "td", .path = "/rd/a/b/c");
    judge(81000);
    assert_broken(BJ_RULE_REG_DISABLE, "as soon as it has registered");
}

/* While an Update is under way, which the server refuses; the client de-registers before, or takes itself for
 * forgotten. */
static void is_disabled_in_an_update(bool leaves) {
    stands();
    manages(19000, 69, PUT, "/1/0/5", "60", C(2, 4));
    updates_at(19900, 901, "/rd/a/b/c", NULL);
    manages(20000, 70, POST, "/1/0/4", NULL, C(2, 4));
    if (leaves) {
        CLIENT(20100, MGMT, .type = BJ_COAP_CON, .code = DELETE_, .mid = 904, .token = "td", .path = "/rd/a/b/c");
    }
    updated(20150, 901, C(4, 4));
    if (leaves) {
        SERVER(20200, MGMT, .type = BJ_COAP_ACK, .code = C(4, 4), .mid = 904, .token = "td");
    }
    judge(70000);
}

static void who_has_left_when_an_update_fails_owes_no_register(void **state) {
    (void) state;
    is_disabled_in_an_update(true);
    assert_nothing_broken();
}

static void who_is_disabled_when_an_update_fails_owes_no_register(void **state) {
    (void) state;
    is_disabled_in_an_update(false);
    assert_nothing_broken();
}

/* --- after a bootstrap ---------------------------------------------------------------------------------------- */

/* Another session from 30 s on; what comes before its Finish is the test's. */
static void asks_again(void) {
    manages(20000, 70, POST, "/1/0/9", NULL, C(2, 4));
    asks(31000, 7);
    accepts(31010, 7);
}

static void finishes(void) {
    command(32000, 120, POST, "/bs", C(2, 4));
}

static void a_registration_without_its_keys_is_over(void **state) {
    (void) state;
    stands();
    asks_again();
    command(31100, 110, DELETE_, "/0/1", C(2, 2));
    writes_security(31200, 111, "/0/2", "coap://bs.example", false, 102, C(2, 4));
    writes_server(31300, 112, "/1/1", 102, 300, C(2, 4));
    finishes();
    updates_at(33000, 908, "/rd/a/b/c", NULL);
    judge(34000);
    assert_broken(BJ_RULE_BS_DELETE_PAIR, "Security instance was deleted");
}

/* Its server asks for something before it can have heard of that. */
static void is_asked_behind_a_bootstrap(const char *deleted) {
    stands();
    asks_again();
    command(31100, 110, DELETE_, deleted, C(2, 2));
    writes_security(31200, 111, "/0/2", "coap://bs.example", false, 102, C(2, 4));
    writes_server(31300, 112, "/1/1", 102, 300, C(2, 4));
    finishes();
    SERVER(32500, MGMT, .type = BJ_COAP_CON, .code = GET, .mid = 71, .token = "to", .path = "/3");
    judge(42000);
}

static void who_has_no_account_any_more_is_not_heard(void **state) {
    (void) state;
    is_asked_behind_a_bootstrap("/0/1");
    assert_nothing_broken();
}

static void who_may_have_none_need_not_be_heard(void **state) {
    (void) state;
    config.state_given = config.known = false;
    is_asked_behind_a_bootstrap("/3");
    assert_nothing_broken();
}

static void who_has_one_still_is_heard(void **state) {
    (void) state;
    is_asked_behind_a_bootstrap("/3");
    assert_broken(BJ_RULE_COAP_ANSWERED, "GET /3");
}

static void an_account_that_was_written_anew_has_no_registration(void **state) {
    (void) state;
    stands();
    asks_again();
    command(31100, 110, DELETE_, "/1/0", C(2, 2));
    writes_server(31300, 112, "/1/0", 101, 300, C(2, 4));
    finishes();
    updates_at(33000, 908, "/rd/a/b/c", NULL);
    judge(34000);
    assert_broken(BJ_RULE_REG_AFTER_BOOTSTRAP, "written anew");
}

static void an_account_that_stays_keeps_its_registration(void **state) {
    (void) state;
    stands();
    asks_again();
    writes_server(31300, 112, "/1/0", 101, 300, C(2, 4));
    finishes();
    updates_at(33000, 908, "/rd/a/b/c", NULL);
    judge(34000);
    assert_nothing_broken();
}

static void instances_that_a_bootstrap_added_are_told(void **state) {
    (void) state;
    stands();
    asks_again();
    writes_security(31200, 111, "/0/2", "coap://bs.example", false, 102, C(2, 4));
    writes_server(31300, 112, "/1/1", 102, 300, C(2, 4));
    finishes();
    updates_at(33000, 908, "/rd/a/b/c", NULL);
    updated(33100, 908, C(2, 4));
    judge(70000);
    assert_broken(BJ_RULE_REG_LISTS, "the server is not told");
}

/* Its Lifetime is that of another registration, which the client makes when it gets there. */
static void an_account_that_is_another_servers_now_obliges_to_nothing(void **state) {
    (void) state;
    stands();
    asks_again();
    writes_security(31200, 111, "/0/1", "coap+tcp://mgmt.example", false, 102, C(2, 4));
    writes_server(31300, 112, "/1/0", 102, 86400, C(2, 4));
    finishes();
    judge(400000);
    assert_nothing_broken();
}

/* --- over TCP ------------------------------------------------------------------------------------------------- */

static void registers_over_tcp(unsigned ms, unsigned number, const char *lifetime) {
    stream_opens(ms, MGMT, number);
    STREAM(SENT, ms, number, .code = C(7, 1));
    STREAM(RECEIVED, ms, number, .code = C(7, 1));
    STREAM(SENT, ms + 10, number, .code = POST, .token = "tr", .path = "/rd", .query = { "ep=dev-1", lifetime },
           .format = 41, .payload = "</1/0>,</3/0>");
    STREAM(RECEIVED, ms + 20, number, .code = C(2, 1), .token = "tr", .location = "/rd/1");
}

/* A session writes another Lifetime, while the server is out of reach; behind it the server of the bootstrap asks for
 * something once more. */
static void loses_its_connection(unsigned attempts) {
    config.tcp = true;
    opens();
    writes_security(10200, 100, "/0/1", "coap+tcp://mgmt.example", false, 101, C(2, 4));
    writes_server(10300, 101, "/1/0", 101, 300, C(2, 4));
    command(10900, 102, POST, "/bs", C(2, 4));
    registers_over_tcp(12000, 1, "lt=300");
    manages(20000, 70, POST, "/1/0/9", NULL, C(2, 4));
    stream_event(BJ_EV_STREAM_CLOSED, 20100, 1, NULL, 0);
    asks(31000, 7);
    accepts(31010, 7);
    writes_server(31300, 112, "/1/0", 101, 60, C(2, 4));
    finishes();
    for (unsigned i = 0; i < attempts; i++) {
        stream_opens(32020, MGMT, 2);
        stream_event(BJ_EV_STREAM_CLOSED, 32030, 2, NULL, 0);
    }
    command(33000, 121, DELETE_, "/1/0", C(4, 0));
}

static void who_tries_in_vain_to_connect_cannot_tell(void **state) {
    (void) state;
    loses_its_connection(1);
    judge(200000);
    assert_nothing_broken();
}

static void who_does_not_try_breaks_the_rule(void **state) {
    (void) state;
    loses_its_connection(0);
    judge(200000);
    assert_broken(BJ_RULE_REG_LIFETIME, "the server is not told");
}

static void who_has_got_there_tells(void **state) {
    (void) state;
    loses_its_connection(1);
    registers_over_tcp(92000, 3, "lt=60");
    STREAM(RECEIVED, 93000, 3, .code = PUT, .token = "tm", .path = "/1/0/1", .format = 1, .payload = "30");
    STREAM(SENT, 93010, 3, .code = C(2, 4), .token = "tm");
    judge(140000);
    assert_broken(BJ_RULE_REG_LIFETIME, "the server is not told");
}

/* An Update is under way as another resource of that account is written. */
static void is_written_to_as_it_updates(const char *query) {
    loses_its_connection(1);
    registers_over_tcp(92000, 3, "lt=60");
    STREAM(RECEIVED, 93000, 3, .code = PUT, .token = "tm", .path = "/1/0/1", .format = 1, .payload = "30");
    STREAM(SENT, 93010, 3, .code = C(2, 4), .token = "tm");
    STREAM(SENT, 93020, 3, .code = POST, .token = "tu", .path = "/rd/1", .query = { query });
    STREAM(RECEIVED, 93100, 3, .code = PUT, .token = "tn", .path = "/1/0/3", .format = 1, .payload = "10");
    STREAM(SENT, 93110, 3, .code = C(2, 4), .token = "tn");
}

static void an_update_under_way_tells(void **state) {
    (void) state;
    is_written_to_as_it_updates("lt=30");
    judge(140000);
    assert_nothing_broken();
}

static void one_that_says_another_lifetime_does_not(void **state) {
    (void) state;
    is_written_to_as_it_updates("lt=40");
    STREAM(RECEIVED, 93120, 3, .code = C(2, 4), .token = "tu");
    judge(117000);
    assert_broken(BJ_RULE_REG_LIFETIME, "the server is not told");
}

/* --- over DTLS ------------------------------------------------------------------------------------------------ */

static void record_of(bj_event event, uint8_t type, const msg *m) {
    const uint8_t record[20] = { type, 254, 253, 0, 1 };
    bool by_client = event.actor == BJ_ACTOR_CLIENT;
    uint8_t bytes[200];
    event.kind = BJ_EV_SENT;
    event.from = by_client ? local : address_of(MGMT);
    event.to = by_client ? address_of(MGMT) : local;
    event.raw = record;
    event.raw_length = sizeof record;
    event.cause = put_event(event);
    bj_event plain = event, arrival = event;
    arrival.kind = BJ_EV_RECEIVED;
    arrival.actor = by_client ? MGMT : BJ_ACTOR_CLIENT;
    plain.kind = by_client ? BJ_EV_PLAIN_RECEIVED : BJ_EV_PLAIN_SENT;
    plain.actor = MGMT;
    plain.number = -1;
    plain.raw = bytes;
    plain.raw_length = m ? encode(m, bytes, sizeof bytes, false) : 0;
    if (by_client) {
        plain.cause = put_event(arrival);
        put_event(plain);
        return;
    }
    if (m) {
        put_event(plain);
    }
    put_event(arrival);
}

#define SECRETLY(ms, who, ...) record_of((bj_event){ .actor = (who), .time = (ms) *BJ_MS }, 23, &(msg){ __VA_ARGS__ })

/* The server ends the session at 14 s; alerts cannot be read. */
static void is_hung_up_on(void) {
    record_of((bj_event){ .actor = MGMT, .time = 14000 * BJ_MS }, 21, NULL);
}

static void registers_secretly(const char *lifetime) {
    SECRETLY(12000, BJ_ACTOR_CLIENT, .type = BJ_COAP_CON, .code = POST, .mid = 900, .token = "tr", .path = "/rd",
             .query = { "ep=dev-1", lifetime }, .format = 41, .payload = "</1/0>,</3/0>");
    SECRETLY(12010, MGMT, .type = BJ_COAP_ACK, .code = C(2, 1), .mid = 900, .token = "tr", .location = "/rd/1");
}

static void has_a_short_lifetime(bool hung_up) {
    opens();
    writes_security(10200, 100, "/0/1", "coaps://mgmt.example:5683", false, 101, C(2, 4));
    writes_server(10300, 101, "/1/0", 101, 5, C(2, 4));
    command(10900, 102, POST, "/bs", C(2, 4));
    registers_secretly("lt=5");
    if (hung_up) {
        is_hung_up_on();
    }
    judge(60000);
}

/* It waits for its Retry Timer, as after a failed attempt. */
static void whose_session_the_server_ended_owes_no_update(void **state) {
    (void) state;
    has_a_short_lifetime(true);
    assert_nothing_broken();
}

static void who_has_a_session_owes_an_update(void **state) {
    (void) state;
    has_a_short_lifetime(false);
    assert_broken(BJ_RULE_REG_UPDATE, "the lifetime of a registration ends");
}

/* Another server writes its Lifetime when there is a session, or none any more. */
static void has_its_lifetime_written_by_another(const char *uri) {
    enum { OTHER = MGMT + 1 };
    declare(OTHER, "other", "other.example");
    config.tcp = true;
    opens();
    writes_security(10200, 100, "/0/1", uri, false, 101, C(2, 4));
    writes_security(10250, 101, "/0/2", "coap://other.example", false, 102, C(2, 4));
    writes_server(10300, 102, "/1/0", 101, 300, C(2, 4));
    writes_server(10400, 103, "/1/1", 102, 300, C(2, 4));
    command(10900, 104, POST, "/bs", C(2, 4));
    CLIENT(11000, OTHER, .type = BJ_COAP_CON, .code = POST, .mid = 901, .token = "ts", .path = "/rd",
           .query = { "ep=dev-1", "lt=300" }, .format = 41, .payload = "</1/0>,</1/1>,</3/0>");
    SERVER(11100, OTHER, .type = BJ_COAP_ACK, .code = C(2, 1), .mid = 901, .token = "ts", .location = "/rd/2");
}

static void the_other_writes(void) {
    enum { OTHER = MGMT + 1 };
    SERVER(15000, OTHER, .type = BJ_COAP_CON, .code = PUT, .mid = 70, .token = "to", .path = "/1/0/1", .format = 1,
           .payload = "500");
    answers(15010, OTHER, 70, C(2, 4));
    judge(60000);
}

static void who_has_no_session_need_not_tell(void **state) {
    (void) state;
    has_its_lifetime_written_by_another("coaps://mgmt.example:5683");
    registers_secretly("lt=300");
    is_hung_up_on();
    the_other_writes();
    assert_nothing_broken();
}

static void who_has_a_session_tells(void **state) {
    (void) state;
    has_its_lifetime_written_by_another("coaps://mgmt.example:5683");
    registers_secretly("lt=300");
    the_other_writes();
    assert_broken(BJ_RULE_REG_LIFETIME, "the server is not told");
}

static void who_has_no_connection_need_not_tell(void **state) {
    (void) state;
    has_its_lifetime_written_by_another("coap+tcp://mgmt.example");
    registers_over_tcp(12000, 1, "lt=300");
    stream_event(BJ_EV_STREAM_CLOSED, 14000, 1, NULL, 0);
    the_other_writes();
    assert_nothing_broken();
}

/* An Update of which nobody knows what became: one at a time is under way. */
static void who_waits_for_an_answer_tells_later(void **state) {
    (void) state;
    has_its_lifetime_written_by_another("coap+tcp://mgmt.example");
    registers_over_tcp(12000, 1, "lt=300");
    STREAM(SENT, 14000, 1, .code = POST, .token = "tu", .path = "/rd/1");
    the_other_writes();
    assert_nothing_broken();
}

static void who_has_its_answer_tells(void **state) {
    (void) state;
    has_its_lifetime_written_by_another("coap+tcp://mgmt.example");
    registers_over_tcp(12000, 1, "lt=300");
    STREAM(SENT, 14000, 1, .code = POST, .token = "tu", .path = "/rd/1");
    STREAM(RECEIVED, 14010, 1, .code = C(2, 4), .token = "tu");
    the_other_writes();
    assert_broken(BJ_RULE_REG_LIFETIME, "the server is not told");
}

static void who_has_a_connection_tells(void **state) {
    (void) state;
    has_its_lifetime_written_by_another("coap+tcp://mgmt.example");
    registers_over_tcp(12000, 1, "lt=300");
    the_other_writes();
    assert_broken(BJ_RULE_REG_LIFETIME, "the server is not told");
}

/* --- queue mode ----------------------------------------------------------------------------------------------- */

static void queue_mode_is_said(void **state) {
    (void) state;
    config.queue = true;
    bootstraps();
    CLIENT(12000, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 900, .token = "tr", .path = "/rd",
           .query = { "ep=dev-1", "lt=300", "lwm2m=1.1" }, .format = 41, .payload = "</1/0>");
    judge(13000);
    assert_broken(BJ_RULE_QUEUE_FLAG, "does not say so");
}

static void queue_mode_of_a_client_of_1_0_is_not_judged(void **state) {
    (void) state;
    config.queue = true;
    bootstraps();
    CLIENT(12000, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 900, .token = "tr", .path = "/rd",
           .query = { "ep=dev-1", "lt=300", "lwm2m=1.0" }, .format = 41, .payload = "</1/0>");
    judge(13000);
    assert_nothing_broken();
}

/* It is registered in queue mode; a request is sent at 150 s, read at 200 s, and answered then. */
static void reads_late(bool again) {
    bootstraps();
    CLIENT(12000, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 900, .token = "tr", .path = "/rd",
           .query = { "ep=dev-1", "lt=300", "lwm2m=1.1", "Q" }, .format = 41, .payload = "</1/0>");
    registered(12100, 900);
    uint8_t bytes[64];
    size_t length = encode(&(msg){ .type = BJ_COAP_NON,
                                   .code = PUT,
                                   .mid = 70,
                                   .token = "to",
                                   .path = "/3/0/14",
                                   .format = 1,
                                   .payload = "+01" },
                           bytes, sizeof bytes, false);
    bj_event event = { .kind = BJ_EV_SENT,
                       .actor = MGMT,
                       .time = 150000 * BJ_MS,
                       .from = address_of(MGMT),
                       .to = local,
                       .raw = bytes,
                       .raw_length = length };
    uint32_t sent = put_event(event);
    updates_at(200000, 901, "/rd/1", NULL);
    event.time = 200001 * BJ_MS;
    uint32_t repeated = again ? put_event(event) : sent;
    event.kind = BJ_EV_RECEIVED;
    event.actor = BJ_ACTOR_CLIENT;
    event.cause = sent;
    put_event(event);
    if (again) {
        event.cause = repeated;
        put_event(event);
    }
    CLIENT(200002, MGMT, .type = BJ_COAP_NON, .code = C(2, 4), .mid = 960, .token = "to");
}

static void what_came_while_it_slept_is_not_done_late(void **state) {
    (void) state;
    reads_late(false);
    judge(201000);
    assert_broken(BJ_RULE_QUEUE_WAKE, "is done when it does again");
}

static void what_came_again_may_be_done(void **state) {
    (void) state;
    reads_late(true);
    judge(201000);
    assert_nothing_broken();
}

static void stands_in_queue_mode(void) {
    bootstraps();
    CLIENT(12000, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 900, .token = "tr", .path = "/rd",
           .query = { "ep=dev-1", "lt=300", "lwm2m=1.1", "Q" }, .format = 41, .payload = "</1/0>");
    SERVER(12100, MGMT, .type = BJ_COAP_ACK, .code = C(2, 1), .mid = 900, .token = "tr", .location = "/rd/1");
}

/* Its option is refused when the client listens again: by a library, which has read it before anybody could drop it. */
static void what_is_refused_late_is_not_done_late(void **state) {
    (void) state;
    stands_in_queue_mode();
    SERVER(199999, MGMT, .type = BJ_COAP_CON, .code = GET, .mid = 69, .token = "tk", .path = "/3/0/14", .option = 9);
    CLIENT(200000, MGMT, .type = BJ_COAP_ACK, .code = C(4, 2), .mid = 69, .token = "tk");
    updates_at(200000, 901, "/rd/1", NULL);
    judge(201000);
    assert_nothing_broken();
}

/* A request that comes at that time, and is answered at once. */
static void is_asked_in_queue_mode(unsigned ms) {
    stands_in_queue_mode();
    manages(ms, 70, GET, "/3/0/14", NULL, C(4, 4));
    judge(ms + 1000);
}

static void who_must_listen_answers(void **state) {
    (void) state;
    is_asked_in_queue_mode(100000);
    assert_nothing_broken();
}

/* A library may have refused the option by itself, so that the client need not know; one that does listens on. */
static void who_refused_an_option_may_listen_or_not(void **state) {
    (void) state;
    stands_in_queue_mode();
    SERVER(100000, MGMT, .type = BJ_COAP_CON, .code = GET, .mid = 69, .token = "tk", .path = "/3/0/14",
           .option = BJ_COAP_IF_NONE_MATCH);
    CLIENT(100010, MGMT, .type = BJ_COAP_ACK, .code = C(4, 2), .mid = 69, .token = "tk");
    manages(110000, 70, GET, "/3/0/14", NULL, C(4, 4));
    judge(111000);
    assert_nothing_broken();
}

static void who_should_sleep_and_answers_is_found(void **state) {
    (void) state;
    is_asked_in_queue_mode(110000);
    assert_broken(BJ_RULE_QUEUE_AWAKE, "MAX_TRANSMIT_WAIT");
}

/* libcoap's alone keeps nobody awake: RFC 8323 §5 is for TCP. */
static void signalling_over_udp_keeps_nobody_awake(void **state) {
    (void) state;
    bootstraps();
    CLIENT(12000, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 900, .token = "tr", .path = "/rd",
           .query = { "ep=dev-1", "lt=300", "lwm2m=1.1", "Q" }, .format = 41, .payload = "</1/0>");
    SERVER(12100, MGMT, .type = BJ_COAP_ACK, .code = C(2, 1), .mid = 900, .token = "tr", .location = "/rd/1");
    SERVER(90000, MGMT, .type = BJ_COAP_NON, .code = C(7, 2), .mid = 69, .token = "ti");
    CLIENT(90010, MGMT, .type = BJ_COAP_CON, .code = C(7, 3), .mid = 0, .token = "ti");
    SERVER(90020, MGMT, .type = BJ_COAP_RST, .mid = 0);
    SERVER(120000, MGMT, .type = BJ_COAP_CON, .code = GET, .mid = 70, .token = "to", .path = "/3/0/14");
    judge(150000);
    assert_broken(BJ_RULE_COAP_FORMAT, "signalling");
}

/* --- a lifetime without end ----------------------------------------------------------------------------------- */

static void stands_without_end(void) {
    opens();
    writes_security(10200, 100, "/0/1", "coap://mgmt.example", false, 101, C(2, 4));
    writes_server(10300, 101, "/1/0", 101, 0, C(2, 4));
    command(10900, 102, POST, "/bs", C(2, 4));
    registers(12000, 900, "lt=0");
    SERVER(12100, MGMT, .type = BJ_COAP_ACK, .code = C(2, 1), .mid = 900, .token = "tr", .location = "/rd/1");
}

static void updates_without_need_are_found(void **state) {
    (void) state;
    stands_without_end();
    updates_at(13000, 901, "/rd/1", NULL);
    updated(13100, 901, C(2, 4));
    judge(14000);
    assert_nothing_broken();
    updates_at(14000, 902, "/rd/1", NULL);
    judge(15000);
    assert_broken(BJ_RULE_REG_LIFETIME_INFINITE, "which says nothing");
}

static void updates_that_are_asked_for_are_lawful(void **state) {
    (void) state;
    stands_without_end();
    for (unsigned i = 0; i < 3; i++) {
        manages(13000 + 1000 * i, (uint16_t) (70 + i), POST, "/1/0/8", NULL, C(2, 4));
        updates_at(13100 + 1000 * i, (uint16_t) (901 + i), "/rd/1", NULL);
        updated(13200 + 1000 * i, (uint16_t) (901 + i), C(2, 4));
    }
    judge(17000);
    assert_nothing_broken();
}

/* --- where nobody can tell ------------------------------------------------------------------------------------ */

static void nothing_is_judged_in_real_time(void **state) {
    (void) state;
    config.exact = false;
    stands();
    judge(500000);
    assert_nothing_broken();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_update_in_time_is_fine),
        TEST(an_update_at_bs_is_no_bootstrap_request),
        TEST(an_update_at_a_bs_of_long_before_is_no_bootstrap_request),
        TEST(an_update_at_an_rd_of_long_before_is_no_register),
        TEST(a_lifetime_that_ends_breaks_the_rule),
        TEST(a_lifetime_without_end_asks_for_nothing),
        TEST(who_is_being_bootstrapped_may_forget_the_time),
        TEST(an_exchange_that_is_open_holds_up_the_update),
        TEST(a_client_that_was_told_to_stop_has_no_duty),
        TEST(an_update_goes_to_the_whole_location),
        TEST(a_location_of_before_is_let_pass),
        TEST(an_acceptance_in_blocks_may_be_none),
        TEST(an_acceptance_behind_another_block_may_be_none),
        TEST(an_update_that_is_answered_in_blocks_may_have_failed),
        TEST(after_4_04_an_update_breaks_the_rule),
        TEST(after_4_04_nothing_breaks_the_rule),
        TEST(a_4_04_behind_signalling_may_be_passed_over),
        TEST(after_4_04_a_register_is_right),
        TEST(a_lifetime_that_is_written_is_told),
        TEST(a_lifetime_that_may_be_told_is_not_told_again),
        TEST(a_lifetime_that_is_not_told_breaks_the_rule),
        TEST(a_lifetime_that_is_posted_is_told),
        TEST(and_is_that_of_the_next_registration),
        TEST(one_that_is_posted_and_not_told_breaks_the_rule),
        TEST(one_that_may_not_be_posted_is_as_it_was),
        TEST(a_lifetime_that_is_posted_as_text_may_be_told),
        TEST(what_is_executed_is_no_value_in_any_format),
        TEST(one_that_is_held_up_is_told_later),
        TEST(one_behind_an_update_without_answer_is_told_when_that_is_given_up),
        TEST(and_not_much_later),
        TEST(an_update_that_does_not_tell_it_is_not_enough),
        TEST(a_write_that_was_refused_asks_for_nothing),
        TEST(attributes_change_no_account),
        TEST(a_transport_that_the_client_may_lack_need_not_be_told),
        TEST(what_the_first_release_cannot_say_need_not_be_told),
        TEST(a_binding_that_is_not_told_breaks_the_rule),
        TEST(a_trigger_that_is_taken_for_a_repetition_brings_none),
        TEST(a_trigger_without_an_update_breaks_the_rule),
        TEST(a_trigger_that_names_a_transport_may_lead_elsewhere),
        TEST(a_trigger_of_another_instance_is_not_judged),
        TEST(who_goes_back_for_accounts_owes_no_update),
        TEST(whose_account_is_gone_owes_no_update_for_an_answer),
        TEST(who_goes_back_for_accounts_owes_no_update_for_an_answer),
        TEST(whose_account_is_there_owes_an_update_for_an_answer),
        TEST(who_finishes_a_session_of_its_own_owes_no_update),
        TEST(whose_accounts_can_be_used_owes_an_update),
        TEST(whose_account_may_be_anothers_owes_no_update),
        TEST(whose_account_is_as_it_was_owes_an_update),
        TEST(a_registration_at_another_address_of_a_server_replaces_the_first),
        TEST(a_registration_with_another_server_replaces_none),
        TEST(who_comes_back_in_time_is_right),
        TEST(who_comes_back_early_breaks_the_rule),
        TEST(an_account_that_was_written_anew_has_no_disable_timeout),
        TEST(one_that_was_written_over_may_have_none),
        TEST(one_whose_disable_timeout_was_written_may_have_another),
        TEST(one_that_a_bootstrap_left_alone_is_still_disabled),
        TEST(what_was_rolled_back_was_not_written),
        TEST(who_leaves_again_at_once_breaks_the_rule),
        TEST(who_has_left_when_an_update_fails_owes_no_register),
        TEST(who_is_disabled_when_an_update_fails_owes_no_register),
        TEST(a_registration_without_its_keys_is_over),
        TEST(who_has_no_account_any_more_is_not_heard),
        TEST(who_may_have_none_need_not_be_heard),
        TEST(who_has_one_still_is_heard),
        TEST(an_account_that_was_written_anew_has_no_registration),
        TEST(an_account_that_stays_keeps_its_registration),
        TEST(instances_that_a_bootstrap_added_are_told),
        TEST(an_account_that_is_another_servers_now_obliges_to_nothing),
        TEST(who_tries_in_vain_to_connect_cannot_tell),
        TEST(who_does_not_try_breaks_the_rule),
        TEST(who_has_got_there_tells),
        TEST(an_update_under_way_tells),
        TEST(one_that_says_another_lifetime_does_not),
        TEST(whose_session_the_server_ended_owes_no_update),
        TEST(who_has_a_session_owes_an_update),
        TEST(who_has_no_session_need_not_tell),
        TEST(who_has_a_session_tells),
        TEST(who_has_no_connection_need_not_tell),
        TEST(who_waits_for_an_answer_tells_later),
        TEST(who_has_its_answer_tells),
        TEST(who_has_a_connection_tells),
        TEST(queue_mode_is_said),
        TEST(queue_mode_of_a_client_of_1_0_is_not_judged),
        TEST(what_came_while_it_slept_is_not_done_late),
        TEST(what_came_again_may_be_done),
        TEST(what_is_refused_late_is_not_done_late),
        TEST(who_must_listen_answers),
        TEST(who_refused_an_option_may_listen_or_not),
        TEST(who_should_sleep_and_answers_is_found),
        TEST(signalling_over_udp_keeps_nobody_awake),
        TEST(updates_without_need_are_found),
        TEST(updates_that_are_asked_for_are_lawful),
        TEST(nothing_is_judged_in_real_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
