/* SPDX-License-Identifier: Apache-2.0
 *
 * The oracles of reporting, judged themselves: each rule is broken in a hand-made log and is found broken, and is not
 * found broken in one that keeps it, or does not tell.
 */
#include "oracle_managed.h"

static uint16_t notification_mid;

static void attributes(const char *path, const char *one, const char *two, uint8_t code) {
    ASKS(ARG(.code = PUT, .path = path, .query = ARG(one, two)), ARG(.code = code));
}

static void discovers_managed(const char *path, const char *links) {
    ASKS(ARG(.code = GET, .path = path, .accept = LINK + 1),
         ARG(.code = C(2, 5), .format = LINK + 1, .payload = links));
}

/* /1/0/5 is observed, and is 100; nothing is known of /1/0/2 and /1/0/3 but that they are not there. */
static void observes_with(uint16_t mid) {
    SERVER(at_ms, MGMT, .type = BJ_COAP_CON, .code = GET, .mid = mid, .token = "ob", .path = "/1/0/5", .observe = 1);
    CLIENT(at_ms + 10, MGMT, .type = BJ_COAP_ACK, .code = C(2, 5), .mid = mid, .token = "ob", .observe = 2, .format = 1,
           .payload = "100");
    at_ms += 100;
}

static void observes(void) {
    manages();
    config.notifies_writer = true;
    notification_mid = 5000;
    writes_text("/1/0/2", "0", C(2, 4));
    writes_text("/1/0/3", "0", C(2, 4));
    observes_with(900);
}

static void notifies(uint8_t type, unsigned sequence, const char *text) {
    uint16_t mid = notification_mid++;
    CLIENT(at_ms, MGMT, .type = type, .code = C(2, 5), .mid = mid, .token = "ob", .observe = sequence + 1, .format = 1,
           .payload = text);
    if (type == BJ_COAP_CON) {
        SERVER(at_ms + 1, MGMT, .type = BJ_COAP_ACK, .mid = mid);
    }
    at_ms += 100;
}

static void runs_until(unsigned ms) {
    put_event((bj_event){ .kind = BJ_EV_NOTE, .time = ms * BJ_MS });
    at_ms = ms;
}

/* --- attributes ----------------------------------------------------------------------------------------------- */

static void attributes_that_were_set_are_shown(void **state) {
    (void) state;
    manages();
    attributes("/1/0/5", "pmin=10", NULL, C(2, 4));
    discovers_managed("/1/0/5", "</1/0/5>;pmin=10");
    judge(20000);
    assert_nothing_broken();
    discovers_managed("/1/0/5", "</1/0/5>");
    judge(20000);
    assert_broken(BJ_RULE_MGMT_DISCOVER, "pmin=10");
}

static void attributes_that_were_taken_away_are_not(void **state) {
    (void) state;
    manages();
    attributes("/1/0/5", "pmin=10", NULL, C(2, 4));
    attributes("/1/0/5", "pmin=", NULL, C(2, 4));
    discovers_managed("/1/0/5", "</1/0/5>");
    judge(20000);
    assert_nothing_broken();
    discovers_managed("/1/0/5", "</1/0/5>;pmin=10");
    judge(20000);
    assert_broken(BJ_RULE_MGMT_ATTRIBUTES, "took away");
}

static void inherited_attributes_are_lawful(void **state) {
    (void) state;
    manages();
    attributes("/1/0", "pmin=10", NULL, C(2, 4));
    attributes("/1/0/5", "pmin=10", NULL, C(2, 4));
    attributes("/1/0/5", "pmin", NULL, C(2, 4));
    discovers_managed("/1/0/5", "</1/0/5>;pmin=10");
    judge(20000);
    assert_nothing_broken();
}

static void attributes_that_contradict_earlier_ones_are_found(void **state) {
    (void) state;
    manages();
    attributes("/1/0/5", "gt=100", NULL, C(2, 4));
    attributes("/1/0/5", "lt=79.5", "st=10", C(2, 4));
    judge(20000);
    assert_nothing_broken();
    attributes("/1/0/5", "lt=80", NULL, C(2, 4));
    judge(20000);
    assert_broken(BJ_RULE_MGMT_ATTRIBUTES, "contradict");
}

static void attributes_of_an_earlier_life_may_be_shown(void **state) {
    (void) state;
    manages();
    attributes("/1/0/5", "pmin=10", NULL, C(2, 4));
    put_event((bj_event){ .kind = BJ_EV_CLIENT_START, .actor = BJ_ACTOR_CLIENT, .time = at_ms * BJ_MS });
    registers(at_ms + 1, 60, "lt=1000000");
    registered(at_ms + 2, 60);
    at_ms += 100;
    discovers_managed("/1/0/5", "</1/0/5>;pmin=10");
    discovers_managed("/1/0/5", "</1/0/5>");
    judge(20000);
    assert_nothing_broken();
}

/* --- numbers -------------------------------------------------------------------------------------------------- */

static void an_observe_option_that_stands_still_is_found(void **state) {
    (void) state;
    observes();
    notifies(BJ_COAP_CON, 2, "7");
    notifies(BJ_COAP_CON, 2, "7"); /* may be the same again */
    judge(20000);
    assert_nothing_broken();
    notifies(BJ_COAP_CON, 2, "8");
    judge(20000);
    assert_broken(BJ_RULE_REP_OBSERVE, "Observe option");
}

/* --- the end -------------------------------------------------------------------------------------------------- */

static void cancels(void) {
    SERVER(at_ms, MGMT, .type = BJ_COAP_CON, .code = GET, .mid = 901, .token = "ob", .path = "/1/0/5", .observe = 2);
    CLIENT(at_ms + 10, MGMT, .type = BJ_COAP_ACK, .code = C(2, 5), .mid = 901, .token = "ob", .format = 1,
           .payload = "100");
    at_ms += 100;
}

static void a_notification_after_the_end_is_found(void **state) {
    (void) state;
    observes();
    notifies(BJ_COAP_CON, 2, "7");
    cancels();
    judge(20000);
    assert_nothing_broken();
    notifies(BJ_COAP_CON, 3, "8");
    judge(20000);
    assert_broken(BJ_RULE_REP_CANCEL, "cancelled");
}

static void one_that_was_on_its_way_is_lawful(void **state) {
    (void) state;
    observes();
    CLIENT(at_ms, MGMT, .type = BJ_COAP_CON, .code = C(2, 5), .mid = 70, .token = "ob", .observe = 3, .format = 1,
           .payload = "7");
    cancels();
    notifies(BJ_COAP_CON, 3, "8");
    judge(20000);
    assert_nothing_broken();
}

/* What was made before it waits for the one before (NSTART), and that for its Acknowledgement. */
static void those_that_waited_for_one_another_are_lawful(void **state) {
    (void) state;
    observes();
    SERVER(at_ms, MGMT, .type = BJ_COAP_CON, .code = GET, .mid = 902, .token = "oc", .path = "/1/0/7", .observe = 1);
    CLIENT(at_ms, MGMT, .type = BJ_COAP_ACK, .code = C(2, 5), .mid = 902, .token = "oc", .observe = 2, .format = 1,
           .payload = "U");
    CLIENT(at_ms, MGMT, .type = BJ_COAP_CON, .code = C(2, 5), .mid = 70, .token = "ob", .observe = 3, .format = 1,
           .payload = "7");
    SERVER(at_ms + 40000, MGMT, .type = BJ_COAP_ACK, .mid = 70);
    at_ms += 40000;
    cancels(); /* in the moment in which the Acknowledgement comes */
    CLIENT(at_ms - 90, MGMT, .type = BJ_COAP_CON, .code = C(2, 5), .mid = 71, .token = "oc", .observe = 3, .format = 1,
           .payload = "U");
    SERVER(at_ms + 40000, MGMT, .type = BJ_COAP_ACK, .mid = 71);
    at_ms += 40000;
    notifies(BJ_COAP_CON, 4, "8");
    judge(200000);
    assert_nothing_broken();
    at_ms += 1000; /* nothing has waited since */
    notifies(BJ_COAP_CON, 5, "9");
    judge(200000);
    assert_broken(BJ_RULE_REP_CANCEL, "cancelled");
}

/* Its end has no Observe option (RFC 7641 §4.2); another request has come with its token. */
static void the_end_of_an_observation_is_no_response_to_another_request(void **state) {
    (void) state;
    observes();
    for (unsigned i = 0; i < 300; i++) { /* of so many messages nobody keeps all */
        reads("/1/0/2", "0");
    }
    SERVER(at_ms, MGMT, .type = BJ_COAP_NON, .code = IPATCH, .mid = 903, .token = "ob", .path = "/", .format = 1,
           .payload = "x");
    CLIENT(at_ms + 10, MGMT, .type = BJ_COAP_NON, .code = C(4, 15), .mid = 903, .token = "ob");
    CLIENT(at_ms + 20, MGMT, .type = BJ_COAP_CON, .code = C(4, 4), .mid = 70, .token = "ob");
    SERVER(at_ms + 30, MGMT, .type = BJ_COAP_ACK, .mid = 70);
    judge(60000);
    assert_nothing_broken();
}

/* What 7.04 means over UDP is the client's: libcoap takes it for a Reset to what it has under way. */
static void signalling_over_udp_may_end_it(void **state) {
    (void) state;
    observes();
    attributes("/1/0/5", "pmax=30", NULL, C(2, 4));
    CLIENT(at_ms, MGMT, .type = BJ_COAP_CON, .code = C(2, 5), .mid = 70, .token = "ob", .observe = 3, .format = 1,
           .payload = "7");
    SERVER(at_ms + 1, MGMT, .type = BJ_COAP_CON, .code = C(7, 4), .mid = 99, .token = "ti");
    SERVER(at_ms + 2, MGMT, .type = BJ_COAP_ACK, .mid = 70);
    judge(400000);
    assert_nothing_broken();
}

/* Or has waiting behind it (NSTART). */
static void signalling_over_udp_may_end_what_waits_for_its_turn(void **state) {
    (void) state;
    observes();
    attributes("/1/0/5", "pmax=30", NULL, C(2, 4));
    SERVER(at_ms, MGMT, .type = BJ_COAP_CON, .code = GET, .mid = 901, .token = "oc", .path = "/1/0/5", .observe = 1);
    CLIENT(at_ms + 10, MGMT, .type = BJ_COAP_ACK, .code = C(2, 5), .mid = 901, .token = "oc", .observe = 2, .format = 1,
           .payload = "100");
    CLIENT(at_ms + 30000, MGMT, .type = BJ_COAP_CON, .code = C(2, 5), .mid = 70, .token = "ob", .observe = 3,
           .format = 1, .payload = "100");
    SERVER(at_ms + 30010, MGMT, .type = BJ_COAP_CON, .code = C(7, 4), .mid = 99, .token = "ti");
    SERVER(at_ms + 30011, MGMT, .type = BJ_COAP_ACK, .mid = 70);
    judge(400000);
    assert_nothing_broken();
}

static void a_reset_ends_it(void **state) {
    (void) state;
    observes();
    CLIENT(at_ms, MGMT, .type = BJ_COAP_CON, .code = C(2, 5), .mid = 70, .token = "ob", .observe = 3, .format = 1,
           .payload = "7");
    SERVER(at_ms + 10, MGMT, .type = BJ_COAP_RST, .mid = 70);
    at_ms += 100;
    judge(20000);
    assert_nothing_broken();
    notifies(BJ_COAP_CON, 3, "8");
    judge(20000);
    assert_broken(BJ_RULE_REP_CANCEL, "RST");
}

/* Its Message ID need not be known any more (RFC 7252 §4.2); who knows it ends the observation. */
static void a_reset_to_what_was_given_up_may_be_passed_over(void **state) {
    (void) state;
    observes();
    attributes("/1/0/5", "pmax=300", NULL, C(2, 4));
    for (unsigned i = 0; i < 5; i++) {
        CLIENT(at_ms + 2500 * ((1u << i) - 1), MGMT, .type = BJ_COAP_CON, .code = C(2, 5), .mid = 70, .token = "ob",
               .observe = 3, .format = 1, .payload = "7");
    }
    SERVER(at_ms + 78000, MGMT, .type = BJ_COAP_RST, .mid = 70);
    at_ms += 78100;
    judge(600000);
    assert_nothing_broken();
    at_ms = 600000;
    notifies(BJ_COAP_CON, 4, "8");
    judge(at_ms);
    assert_nothing_broken();
}

/* libcoap answers it with the token that it has, which is no notification. */
static void the_answer_to_a_request_in_an_acknowledgement_is_no_notification(void **state) {
    (void) state;
    observes();
    CLIENT(at_ms, MGMT, .type = BJ_COAP_CON, .code = C(2, 5), .mid = 70, .token = "ob", .observe = 3, .format = 1,
           .payload = "7");
    SERVER(at_ms + 10, MGMT, .type = BJ_COAP_RST, .mid = 70);
    SERVER(at_ms + 1000, MGMT, .type = BJ_COAP_ACK, .code = POST, .mid = 70, .token = "ob");
    CLIENT(at_ms + 1010, MGMT, .type = BJ_COAP_NON, .code = C(4, 4), .mid = 70, .token = "ob");
    judge(20000);
    assert_broken(BJ_RULE_COAP_ACK, "an Acknowledgement with a request gets a response, 4.04");
}

/* What the server says before it, with the same token, libcoap takes for the answer to a notification that waits. */
static void a_reset_behind_a_response_may_be_for_nothing(void **state) {
    (void) state;
    observes();
    SERVER(at_ms, MGMT, .type = BJ_COAP_NON, .code = C(2, 4), .mid = 30, .token = "ob");
    CLIENT(at_ms, MGMT, .type = BJ_COAP_CON, .code = C(2, 5), .mid = 70, .token = "ob", .observe = 3, .format = 1,
           .payload = "7");
    SERVER(at_ms + 10, MGMT, .type = BJ_COAP_RST, .mid = 70);
    at_ms += 100;
    notifies(BJ_COAP_CON, 3, "8");
    judge(20000);
    assert_nothing_broken();
}

static void registers_anew(void) {
    registers(at_ms, 60, "lt=1000000");
    registered(at_ms + 10, 60);
    at_ms += 100;
}

static void a_registration_ends_it(void **state) {
    (void) state;
    observes();
    registers_anew();
    notifies(BJ_COAP_CON, 2, "100"); /* may have been stored */
    judge(20000);
    assert_nothing_broken();
    writes_text("/1/0/5", "7", C(2, 4));
    notifies(BJ_COAP_CON, 3, "7");
    judge(20000);
    assert_broken(BJ_RULE_REP_END, "registered anew");
}

static void what_was_stored_may_come_after_it(void **state) {
    (void) state;
    observes();
    writes_text("/1/0/5", "7", C(2, 4));
    registers_anew();
    notifies(BJ_COAP_CON, 3, "7");
    judge(20000);
    assert_nothing_broken();
}

/* One that waited for another (NSTART) was made before the Write, of which the next is to tell: that is stored. */
static void behind_one_that_had_waited_it_may_come_too(void **state) {
    (void) state;
    observes();
    ASKS(ARG(.code = GET, .path = "/1/0/7", .observe = 1),
         ARG(.code = C(2, 5), .observe = 2, .format = 1, .payload = "U"));
    CLIENT(at_ms, MGMT, .type = BJ_COAP_CON, .code = C(2, 5), .mid = 70, .token = "tm", .observe = 3, .format = 1,
           .payload = "U");
    writes_text("/1/0/5", "7", C(2, 4));
    SERVER(at_ms, MGMT, .type = BJ_COAP_ACK, .mid = 70);
    notifies(BJ_COAP_CON, 2, "100");
    registers_anew();
    notifies(BJ_COAP_CON, 3, "7");
    judge(20000);
    assert_nothing_broken();
}

/* One that did not wait told of the Write. */
static void behind_one_that_had_not_it_may_not(void **state) {
    (void) state;
    observes();
    writes_text("/1/0/5", "7", C(2, 4));
    notifies(BJ_COAP_CON, 2, "7");
    registers_anew();
    notifies(BJ_COAP_CON, 3, "8");
    judge(20000);
    assert_broken(BJ_RULE_REP_END, "registered anew");
}

/* A clock goes on while it is stored. */
static void what_changes_by_itself_may_have_been_stored(void **state) {
    (void) state;
    observes();
    ASKS(ARG(.code = GET, .path = "/3/0/13", .observe = 1),
         ARG(.code = C(2, 5), .observe = 2, .format = 1, .payload = "1700000000"));
    registers_anew();
    at_ms += 100;
    CLIENT(at_ms, MGMT, .type = BJ_COAP_NON, .code = C(2, 5), .mid = 70, .token = "tm", .observe = 4, .format = 1,
           .payload = "1700000001");
    judge(20000);
    assert_nothing_broken();
}

static void leaves(unsigned wait_ms) {
    CLIENT(at_ms, MGMT, .type = BJ_COAP_CON, .code = DELETE_, .mid = 80, .token = "td", .path = "/rd/1");
    SERVER(at_ms + 10, MGMT, .type = BJ_COAP_ACK, .code = C(2, 2), .mid = 80, .token = "td");
    at_ms += wait_ms;
}

static void is_found_long_after(void) {
    at_ms += 1000000;
    notifies(BJ_COAP_CON, 5, "100");
    judge(at_ms);
    assert_broken(BJ_RULE_REP_END, "long after");
}

/* LwM2M Core 1.1 E.2, /1/x/6: what was stored, and could not all be told when it was there again, is told the next
 * time. */
static void what_was_stored_may_wait_for_another_registration(void **state) {
    (void) state;
    observes();
    registers_anew();
    notifies(BJ_COAP_CON, 3, "100");
    leaves(1000000);
    registers(at_ms, 61, "lt=1000000");
    registered(at_ms + 10, 61);
    at_ms += 100;
    notifies(BJ_COAP_CON, 4, "100");
    judge(at_ms);
    assert_nothing_broken();
    is_found_long_after();
}

/* The server was out of reach, for longer than an exchange lasts, and is there again. */
static void what_was_stored_may_wait_for_the_server(void **state) {
    (void) state;
    observes();
    registers_anew();
    CLIENT(at_ms, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 81, .token = "tu", .path = "/rd/1");
    at_ms += 2000000;
    CLIENT(at_ms, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 82, .token = "tv", .path = "/rd/1");
    SERVER(at_ms + 10, MGMT, .type = BJ_COAP_ACK, .code = C(2, 4), .mid = 82, .token = "tv");
    at_ms += 100;
    notifies(BJ_COAP_CON, 4, "100");
    judge(at_ms);
    assert_nothing_broken();
    is_found_long_after();
}

/* LwM2M Core 1.1 §6.2.1: a Register is answered with a Location-Path. Without one the client may register once more,
 * and what it stored waits until then. */
static void a_registration_without_a_place_may_end_nothing(void **state) {
    (void) state;
    observes();
    registers(at_ms, 60, "lt=1000000");
    SERVER(at_ms + 10, MGMT, .type = BJ_COAP_ACK, .code = C(2, 1), .mid = 60, .token = "tr");
    at_ms += 1000000;
    registers(at_ms, 61, "lt=1000000");
    registered(at_ms + 10, 61);
    at_ms += 100;
    notifies(BJ_COAP_CON, 3, "100");
    judge(at_ms);
    assert_nothing_broken();
}

/* pmax is over while the server is disabled. */
static void is_disabled_meanwhile(const char *stores) {
    observes();
    registers(at_ms, 59, "lt=1000000");
    SERVER(at_ms + 10, MGMT, .type = BJ_COAP_ACK, .code = C(2, 1), .mid = 59, .token = "tr", .location = "/rd/1");
    at_ms += 100;
    observes_with(901);
    writes_text("/1/0/6", stores, C(2, 4));
    attributes("/1/0/5", "pmax=60", NULL, C(2, 4));
    simple(POST, "/1/0/4", C(2, 4));
    CLIENT(at_ms, MGMT, .type = BJ_COAP_CON, .code = DELETE_, .mid = 80, .token = "td", .path = "/rd/1");
    SERVER(at_ms + 10, MGMT, .type = BJ_COAP_ACK, .code = C(2, 2), .mid = 80, .token = "td");
    at_ms = 86500000;
    registers_anew();
}

static void what_was_not_to_be_stored_is_found(void **state) {
    (void) state;
    is_disabled_meanwhile("0");
    notifies(BJ_COAP_CON, 3, "100");
    judge(at_ms);
    assert_broken(BJ_RULE_REP_STORING, "/1/x/6 is false");
}

static void what_comes_long_after_a_registration_is_found(void **state) {
    (void) state;
    observes();
    registers_anew();
    at_ms += 1000000;
    notifies(BJ_COAP_CON, 3, "100");
    judge(at_ms);
    assert_broken(BJ_RULE_REP_END, "long after");
}

static void what_was_stored_must_be_told(void **state) {
    (void) state;
    is_disabled_meanwhile("1");
    runs_until(86700000);
    judge(86700000);
    assert_broken(BJ_RULE_REP_STORING, "/1/x/6 is true");
}

static void what_was_told_was_stored(void **state) {
    (void) state;
    is_disabled_meanwhile("1");
    notifies(BJ_COAP_CON, 3, "100");
    runs_until(86700000);
    judge(86700000);
    assert_nothing_broken();
}

/* --- what must come ------------------------------------------------------------------------------------------- */

static void a_change_is_told(void **state) {
    (void) state;
    observes();
    writes_text("/1/0/5", "7", C(2, 4));
    notifies(BJ_COAP_CON, 2, "7");
    runs_until(90000);
    judge(90000);
    assert_nothing_broken();
    writes_text("/1/0/5", "8", C(2, 4));
    runs_until(200000);
    judge(200000);
    assert_broken(BJ_RULE_REP_OBSERVE, "/1/0/5");
}

static void a_change_that_is_taken_back_need_not_be_told(void **state) {
    (void) state;
    observes();
    writes_text("/1/0/5", "7", C(2, 4));
    writes_text("/1/0/5", "100", C(2, 4));
    runs_until(200000);
    judge(200000);
    assert_nothing_broken();
}

static void a_client_need_not_tell_who_wrote(void **state) {
    (void) state;
    observes();
    config.notifies_writer = false;
    writes_text("/1/0/5", "7", C(2, 4));
    runs_until(200000);
    judge(200000);
    assert_nothing_broken();
}

static void a_change_waits_for_an_acknowledgement(void **state) {
    (void) state;
    observes();
    CLIENT(at_ms, MGMT, .type = BJ_COAP_NON, .code = C(2, 5), .mid = 70, .token = "oc", .payload = "7", .format = 1);
    CLIENT(at_ms, MGMT, .type = BJ_COAP_CON, .code = 0, .mid = 71);
    at_ms += 10;
    writes_text("/1/0/5", "7", C(2, 4));
    runs_until(200000);
    judge(200000);
    for (unsigned i = 0; i < found_count; i++) {
        assert_int_not_equal(found[i].rule, BJ_RULE_REP_OBSERVE);
    }
}

/* --- attributes that count ------------------------------------------------------------------------------------ */

static void before_pmin_is_found(void **state) {
    (void) state;
    observes();
    attributes("/1/0/5", "pmin=10", NULL, C(2, 4));
    notifies(BJ_COAP_CON, 2, "7");
    judge(20000);
    assert_nothing_broken(); /* it was set meanwhile */
    notifies(BJ_COAP_CON, 3, "8");
    judge(20000);
    assert_broken(BJ_RULE_REP_PERIODS, "pmin");
}

static void before_the_default_period_is_found(void **state) {
    (void) state;
    observes();
    writes_text("/1/0/2", "10", C(2, 4));
    notifies(BJ_COAP_CON, 2, "7");
    at_ms += 10000;
    notifies(BJ_COAP_CON, 3, "8");
    judge(40000);
    assert_nothing_broken();
    notifies(BJ_COAP_CON, 4, "9");
    judge(40000);
    assert_broken(BJ_RULE_REP_PERIODS, "pmin");
}

static void after_pmax_is_found(void **state) {
    (void) state;
    observes();
    attributes("/1/0/5", "pmax=20", NULL, C(2, 4));
    at_ms += 20000;
    notifies(BJ_COAP_CON, 2, "100");
    runs_until(at_ms + 20000);
    judge(at_ms);
    assert_nothing_broken();
    runs_until(at_ms + 10000);
    judge(at_ms);
    assert_broken(BJ_RULE_REP_PERIODS, "pmax");
}

/* RFC 7252 §4.7, NSTART: and then, in the moment of its Acknowledgement, it may be that the next has not left yet. */
static void behind_one_that_is_on_its_way_it_waits(void **state) {
    (void) state;
    observes();
    attributes("/1/0/5", "pmax=20", NULL, C(2, 4));
    unsigned sent = at_ms;
    static const unsigned copies[] = { 0, 2500, 7500, 17500, 37500 };
    for (unsigned i = 0; i < sizeof copies / sizeof copies[0]; i++) {
        CLIENT(sent + copies[i], MGMT, .type = BJ_COAP_CON, .code = C(2, 5), .mid = 70, .token = "ob", .observe = 3,
               .format = 1, .payload = "100");
    }
    SERVER(sent + 39990, MGMT, .type = BJ_COAP_ACK, .mid = 70);
    at_ms = sent + 39990;
    writes_text("/1/0/5", "101", C(2, 4));
    CLIENT(sent + 40001, MGMT, .type = BJ_COAP_CON, .code = C(2, 5), .mid = 71, .token = "ob", .observe = 4,
           .format = 1, .payload = "101");
    judge(sent + 40100);
    assert_nothing_broken();
}

static void a_pmax_that_is_shorter_than_pmin_does_not_count(void **state) {
    (void) state;
    observes();
    attributes("/1/0/5", "pmax=20", "pmin=30", C(2, 4));
    runs_until(200000);
    judge(200000);
    assert_nothing_broken();
}

static void an_evaluation_before_epmin_is_found(void **state) {
    (void) state;
    observes();
    attributes("/1/0/5", "epmin=10", NULL, C(2, 4));
    notifies(BJ_COAP_CON, 2, "7");
    at_ms += 10000;
    notifies(BJ_COAP_CON, 3, "8");
    judge(40000);
    assert_nothing_broken();
    notifies(BJ_COAP_CON, 4, "9");
    judge(40000);
    assert_broken(BJ_RULE_REP_EVALUATION, "epmin");
}

static void thresholds_count(void) {
    observes();
    attributes("/1/0/5", "gt=150", "lt=50", C(2, 4));
    notifies(BJ_COAP_CON, 2, "100");
}

static void no_threshold_is_found(void **state) {
    (void) state;
    thresholds_count();
    writes_text("/1/0/5", "160", C(2, 4));
    writes_text("/1/0/5", "120", C(2, 4));
    notifies(BJ_COAP_CON, 3, "120"); /* it was above meanwhile */
    judge(40000);
    assert_nothing_broken();
    writes_text("/1/0/5", "130", C(2, 4));
    notifies(BJ_COAP_CON, 4, "130");
    judge(40000);
    assert_broken(BJ_RULE_REP_THRESHOLDS, "no threshold");
}

/* It had waited on its way, and tells what was there before the latest Write. */
static void one_that_is_told_late_does_not_hide_what_was_crossed_since(void **state) {
    (void) state;
    thresholds_count();
    writes_text("/1/0/5", "160", C(2, 4));
    writes_text("/1/0/5", "120", C(2, 4));
    notifies(BJ_COAP_CON, 3, "160");
    writes_text("/1/0/5", "170", C(2, 4));
    notifies(BJ_COAP_CON, 4, "170");
    judge(40000);
    assert_nothing_broken();
}

static void a_threshold_that_is_crossed_is_told(void **state) {
    (void) state;
    thresholds_count();
    writes_text("/1/0/5", "149", C(2, 4));
    runs_until(200000);
    judge(200000);
    assert_nothing_broken();
    writes_text("/1/0/5", "49", C(2, 4));
    runs_until(300000);
    judge(300000);
    assert_broken(BJ_RULE_REP_THRESHOLDS, "/1/0/5");
}

/* Something that nobody follows may have given the observation's server other periods: nothing is due any more. */
static void where_the_periods_are_not_known_any_more_none_is_due(void **state) {
    (void) state;
    thresholds_count();
    writes_text("/1/0/5", "160", C(2, 4));
    simple(PUT, "/rd/1", C(4, 4));
    writes_text("/1/0/5", "120", C(2, 4));
    runs_until(300000);
    judge(300000);
    assert_nothing_broken();
}

static void a_step_is_told(void **state) {
    (void) state;
    observes();
    attributes("/1/0/5", "st=10", NULL, C(2, 4));
    writes_text("/1/0/5", "109", C(2, 4));
    runs_until(200000);
    judge(200000);
    assert_nothing_broken();
    writes_text("/1/0/5", "110", C(2, 4));
    runs_until(300000);
    judge(300000);
    assert_broken(BJ_RULE_REP_THRESHOLDS, "/1/0/5");
}

static void confirmable_though_con_is_0_is_found(void **state) {
    (void) state;
    observes();
    attributes("/1/0/5", "con=0", NULL, C(2, 4));
    notifies(BJ_COAP_CON, 2, "7"); /* none was before */
    notifies(BJ_COAP_NON, 3, "8");
    judge(40000);
    assert_nothing_broken();
    notifies(BJ_COAP_CON, 4, "9");
    judge(40000);
    assert_broken(BJ_RULE_REP_CONFIRMABLE, "con is 0");
}

/* That before was acknowledged when the client had given it up: it may ask again whether its server is there. */
static void confirmable_behind_one_that_was_given_up_is_fine(void **state) {
    (void) state;
    observes();
    attributes("/1/0/5", "con=0", NULL, C(2, 4));
    const uint16_t mid = notification_mid++;
    for (unsigned at = 0; at <= 30000; at += 2000 + at) { /* 0, 2, 6, 14 and 30 s */
        CLIENT(at_ms + at, MGMT, .type = BJ_COAP_CON, .code = C(2, 5), .mid = mid, .token = "ob", .observe = 3,
               .format = 1, .payload = "7");
    }
    SERVER(at_ms + 110000, MGMT, .type = BJ_COAP_ACK, .mid = mid);
    at_ms += 120000;
    notifies(BJ_COAP_CON, 3, "8");
    judge(at_ms + 1000);
    assert_nothing_broken();
}

static void not_confirmable_though_con_is_1_is_found(void **state) {
    (void) state;
    observes();
    attributes("/1/0/5", "con=1", NULL, C(2, 4));
    notifies(BJ_COAP_CON, 2, "7");
    notifies(BJ_COAP_NON, 3, "8");
    judge(40000);
    assert_broken(BJ_RULE_REP_CONFIRMABLE, "con is 1");
}

static void not_confirmable_for_a_day_is_found(void **state) {
    (void) state;
    observes();
    notifies(BJ_COAP_NON, 2, "7");
    at_ms += 90000000;
    notifies(BJ_COAP_NON, 3, "8");
    judge(90100000);
    assert_broken(BJ_RULE_REP_CONFIRMABLE, "24 hours");
}

/* --- Send ----------------------------------------------------------------------------------------------------- */

static void sends(uint16_t mid) {
    CLIENT(at_ms, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = mid, .token = "ts", .path = "/dp",
           .format = SENML_JSON + 1, .payload = "[{\"n\":\"/3/0/14\",\"vs\":\"+01:00\"}]");
    SERVER(at_ms + 1, MGMT, .type = BJ_COAP_ACK, .code = C(2, 4), .mid = mid, .token = "ts");
    at_ms += 100;
}

static void a_send_that_is_muted_is_found(void **state) {
    (void) state;
    manages();
    writes_text("/1/0/23", "0", C(2, 4));
    sends(70);
    judge(20000);
    assert_nothing_broken();
    writes_text("/1/0/23", "1", C(2, 4));
    sends(71);
    judge(20000);
    assert_broken(BJ_RULE_REP_SEND, "true");
}

static void without_its_resource_send_is_muted(void **state) {
    (void) state;
    manages(); /* a bootstrap wrote the account without it */
    sends(70);
    judge(20000);
    assert_broken(BJ_RULE_REP_SEND, "not there");
}

/* A server may give /dp as Location-Path. */
static void an_update_at_dp_is_no_send(void **state) {
    (void) state;
    manages();
    CLIENT(at_ms, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 70, .token = "tu", .path = "/rd/1");
    SERVER(at_ms + 1, MGMT, .type = BJ_COAP_ACK, .code = C(4, 4), .mid = 70, .token = "tu");
    registers(at_ms + 10, 71, "lt=1000000");
    SERVER(at_ms + 20, MGMT, .type = BJ_COAP_ACK, .code = C(2, 1), .mid = 71, .token = "tr", .location = "/dp");
    CLIENT(at_ms + 30, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 72, .token = "ts", .path = "/dp", .format = 41,
           .payload = "</1/0>,</3/0>");
    SERVER(at_ms + 31, MGMT, .type = BJ_COAP_ACK, .code = C(2, 4), .mid = 72, .token = "ts");
    judge(20000);
    assert_nothing_broken();
}

/* --- several paths -------------------------------------------------------------------------------------------- */

static void every_path_of_a_composite_is_told(void **state) {
    (void) state;
    manages();
    config.notifies_writer = true;
    writes_text("/1/0/2", "0", C(2, 4));
    writes_text("/1/0/5", "6", C(2, 4));
    SERVER(at_ms, MGMT, .type = BJ_COAP_CON, .code = FETCH, .mid = 900, .token = "ob", .observe = 1,
           .format = SENML_JSON + 1, .payload = "[{\"n\":\"/3/0/14\"},{\"n\":\"/1/0/5\"}]");
    CLIENT(at_ms + 10, MGMT, .type = BJ_COAP_ACK, .code = C(2, 5), .mid = 900, .token = "ob", .observe = 2,
           .format = SENML_JSON + 1, .payload = "[{\"n\":\"/1/0/5\",\"v\":6}]");
    at_ms += 100;
    writes_text("/1/0/5", "7", C(2, 4));
    runs_until(200000);
    judge(200000);
    assert_broken(BJ_RULE_REP_COMPOSITE, "/3/0/14, /1/0/5");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(attributes_that_were_set_are_shown),
        TEST(attributes_that_were_taken_away_are_not),
        TEST(inherited_attributes_are_lawful),
        TEST(attributes_that_contradict_earlier_ones_are_found),
        TEST(attributes_of_an_earlier_life_may_be_shown),
        TEST(an_observe_option_that_stands_still_is_found),
        TEST(a_notification_after_the_end_is_found),
        TEST(one_that_was_on_its_way_is_lawful),
        TEST(those_that_waited_for_one_another_are_lawful),
        TEST(the_end_of_an_observation_is_no_response_to_another_request),
        TEST(signalling_over_udp_may_end_it),
        TEST(signalling_over_udp_may_end_what_waits_for_its_turn),
        TEST(a_reset_ends_it),
        TEST(a_reset_to_what_was_given_up_may_be_passed_over),
        TEST(the_answer_to_a_request_in_an_acknowledgement_is_no_notification),
        TEST(a_reset_behind_a_response_may_be_for_nothing),
        TEST(a_registration_ends_it),
        TEST(what_was_stored_may_come_after_it),
        TEST(what_changes_by_itself_may_have_been_stored),
        TEST(behind_one_that_had_waited_it_may_come_too),
        TEST(behind_one_that_had_not_it_may_not),
        TEST(what_was_stored_may_wait_for_another_registration),
        TEST(what_was_stored_may_wait_for_the_server),
        TEST(what_was_not_to_be_stored_is_found),
        TEST(what_comes_long_after_a_registration_is_found),
        TEST(a_registration_without_a_place_may_end_nothing),
        TEST(what_was_stored_must_be_told),
        TEST(what_was_told_was_stored),
        TEST(a_change_is_told),
        TEST(a_change_that_is_taken_back_need_not_be_told),
        TEST(a_client_need_not_tell_who_wrote),
        TEST(a_change_waits_for_an_acknowledgement),
        TEST(before_pmin_is_found),
        TEST(before_the_default_period_is_found),
        TEST(after_pmax_is_found),
        TEST(behind_one_that_is_on_its_way_it_waits),
        TEST(a_pmax_that_is_shorter_than_pmin_does_not_count),
        TEST(an_evaluation_before_epmin_is_found),
        TEST(no_threshold_is_found),
        TEST(one_that_is_told_late_does_not_hide_what_was_crossed_since),
        TEST(a_threshold_that_is_crossed_is_told),
        TEST(where_the_periods_are_not_known_any_more_none_is_due),
        TEST(a_step_is_told),
        TEST(confirmable_though_con_is_0_is_found),
        TEST(confirmable_behind_one_that_was_given_up_is_fine),
        TEST(not_confirmable_though_con_is_1_is_found),
        TEST(not_confirmable_for_a_day_is_found),
        TEST(a_send_that_is_muted_is_found),
        TEST(without_its_resource_send_is_muted),
        TEST(an_update_at_dp_is_no_send),
        TEST(every_path_of_a_composite_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
