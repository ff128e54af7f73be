/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations of servers and observations: what `execute`, `create`, `write-attributes` and the composites send, what
 * counts as a notification, what `notification` asks of one, and both ways to cancel.
 */
#include "engine_fixture.h"

#define BEGUN "  - request: {to: bs, method: POST, path: /bs}\n  - respond: 2.04\n"

static void begin_session(const char *steps) {
    char text[3000];
    snprintf(text, sizeof text, BEGUN "%s", steps);
    begin_steps(text);
    pass_until(1200 * BJ_MS);
    client_requests(BS, POST, "/bs", "ep=dev-1");
    assert_int_equal(client_gets().code, CODE(2, 4));
}

/* --- what is sent --- */

static void assert_sent(const bj_coap *m, uint8_t code, const char *path, const char *query, int64_t format,
                        const char *payload) {
    BJ_TEXT(seen, 100);
    uint32_t number = 0;
    assert_int_equal(m->code, code);
    bj_coap_path(m, BJ_COAP_URI_PATH, &seen);
    assert_string_equal(seen.start, path);
    const bj_coap_option *option = bj_coap_find(m, BJ_COAP_URI_QUERY, 0);
    assert_int_equal(option ? option->length : 0, strlen(query));
    assert_memory_equal(option ? option->value : (const void *) "", query, strlen(query));
    assert_int_equal(bj_coap_find_uint(m, BJ_COAP_CONTENT_FORMAT, &number) ? (int64_t) number : -1, format);
    assert_int_equal(m->payload_length, strlen(payload));
    assert_memory_equal(m->payload_length ? m->payload : (const void *) "", payload, strlen(payload));
}

static void sent(const char *step, uint8_t code, const char *path, const char *query, int64_t format,
                 const char *payload) {
    begin_session(step);
    bj_coap m = client_obeys(CODE(2, 4));
    assert_sent(&m, code, path, query, format, payload);
    expect_pass();
}

static void operations(void **state) {
    (void) state;
    sent("  - execute: /1/0/8\n    expect: 2.04\n", POST, "/1/0/8", "", -1, "");
    sent("  - execute: /1/0/8\n    arguments: \"0='a'\"\n    expect: 2.04\n", POST, "/1/0/8", "", 0, "0='a'");
    sent("  - create: /9\n    resources: {1: A}\n    expect: 2.04\n", POST, "/9", "", 11542,
         "\xC1\x01"
         "A");
    sent("  - create: /9\n    tlv: {5: {1: A}}\n    expect: 2.04\n", POST, "/9", "", 11542,
         "\x03\x05\xC1\x01"
         "A");
    sent("  - create: /9\n    values: {5: {1: A}}\n    format: senml-json\n    expect: 2.04\n", POST, "/9", "", 110,
         "[{\"bn\":\"/9/\",\"n\":\"5/1\",\"vs\":\"A\"}]");
    sent("  - write-attributes: /3/0\n    set: {pmin: 10}\n    expect: 2.04\n", PUT, "/3/0", "pmin=10", -1, "");
    sent("  - write-attributes: /3/0\n    set: {pmin: ~}\n    expect: 2.04\n", PUT, "/3/0", "pmin", -1, "");
    sent("  - read-composite: [/1/0/1, /3]\n    format: senml-json\n    expect: 2.04\n", 5, "/", "", 110,
         "[{\"n\":\"/1/0/1\"},{\"n\":\"/3\"}]");
    sent("  - write-composite: {format: senml-json, values: {1: {0: {1: 60}}}, expect: 2.04}\n", 7, "/", "", 110,
         "[{\"bn\":\"/\",\"n\":\"1/0/1\",\"v\":60}]");
}

static void paths_in_cbor(void **state) {
    static const uint8_t senml[] = "\x82\xA1\x00\x64/3/0\xA1\x00\x69/1000/0/1",
                         lwm2m[] = "\xA1\x83\x01\x19\x03\xE8\x18\x20\xF6";
    (void) state;
    begin_session("  - read-composite: [/3/0, /1000/0/1]\n    expect: 2.05\n");
    bj_coap m = client_obeys(CODE(2, 5));
    assert_int_equal(m.payload_length, sizeof senml - 1);
    assert_memory_equal(m.payload, senml, sizeof senml - 1);
    expect_pass();
    begin_session("  - read-composite: /1/1000/32\n    format: lwm2m-cbor\n    expect: 2.05\n");
    m = client_obeys(CODE(2, 5));
    assert_int_equal(m.payload_length, sizeof lwm2m - 1);
    assert_memory_equal(m.payload, lwm2m, sizeof lwm2m - 1);
    expect_pass();
}

/* --- notifications --- */

static bj_coap observing; /* the request that began it */

static void client_says(uint8_t type, uint16_t mid, uint8_t code, int64_t observe, const char *text) {
    uint8_t rooms[2][4];
    bj_coap m = { .version = 1,
                  .type = type,
                  .code = code,
                  .mid = mid,
                  .token_length = observing.token_length,
                  .payload = (const uint8_t *) text,
                  .payload_length = strlen(text) };
    memcpy(m.token, observing.token, sizeof m.token);
    if (observe >= 0) {
        bj_coap_add_uint(&m, BJ_COAP_OBSERVE, (uint32_t) observe, rooms[0]);
    }
    bj_coap_add_uint(&m, BJ_COAP_CONTENT_FORMAT, 0, rooms[1]);
    client_sends(&taken.from, &m);
    pass(w.latency);
}

static void notify(uint8_t type, uint16_t mid, int64_t observe, const char *text) {
    client_says(type, mid, CODE(2, 5), observe, text);
}

/* Answers the `observe` that comes next. */
static void client_observes(const char *text) {
    observing = client_gets();
    assert_int_equal(observing.code, GET);
    client_says(BJ_COAP_ACK, observing.mid, CODE(2, 5), 5, text);
}

#define OBSERVE "  - observe: /3/0/14\n    expect: 2.05\n    text: a\n"

static void a_notification_is_awaited_and_acknowledged(void **state) {
    (void) state;
    begin_session(OBSERVE "  - notification: {text: b, type: CON, format: text}\n");
    client_observes("a");
    notify(BJ_COAP_CON, 77, 6, "b");
    assert_int_equal(client_gets().type, BJ_COAP_ACK);
    expect_pass();
}

static void differs(const char *step, uint8_t type, uint8_t code, int64_t observe, const char *text, const char *part) {
    char steps[300];
    snprintf(steps, sizeof steps, OBSERVE "%s", step);
    begin_session(steps);
    client_observes("a");
    client_says(type, 77, code, observe, text);
    expect_fail(part);
}

static void what_is_asked_of_it(void **state) {
    (void) state;
    differs("  - notification: {text: c}\n", BJ_COAP_CON, CODE(2, 5), 6, "b", "the payload is");
    differs("  - notification: {}\n", BJ_COAP_CON, CODE(2, 5), 5, "b", "not newer");
    differs("  - notification: {}\n", BJ_COAP_CON, CODE(2, 5), 4, "b", "not newer");
    differs("  - notification: {}\n", BJ_COAP_CON, CODE(2, 5), -1, "b", "no Observe option");
    differs("  - notification: {}\n", BJ_COAP_CON, CODE(4, 4), -1, "", "its code is 4.04");
    differs("  - notification: {type: NON}\n", BJ_COAP_CON, CODE(2, 5), 6, "b", "it is confirmable");
    differs("  - notification: {type: CON}\n", BJ_COAP_NON, CODE(2, 5), 6, "b", "it is not confirmable");
    differs("  - notification: {values: {14: c}}\n", BJ_COAP_CON, CODE(2, 5), 6, "b", "the value 14 is");
    differs("  - notification: {format: tlv}\n", BJ_COAP_CON, CODE(2, 5), 6, "b", "its Content-Format is 0");
    differs("  - notification: {at: 1s}\n", BJ_COAP_CON, CODE(2, 5), 6, "b", "not before");
    differs("  - silence: 1s\n", BJ_COAP_CON, CODE(2, 5), 6, "b", "expected silence");
    differs("  - request: {path: /rd}\n", BJ_COAP_CON, CODE(2, 5), 6, "b", "a notification");
}

static void none_comes(void **state) {
    (void) state;
    begin_session(OBSERVE "  - notification: {within: 5s}\n");
    client_observes("a");
    pass(6 * BJ_SECOND);
    expect_fail("expected a notification until");
}

static void numbers_wrap(void **state) {
    (void) state;
    begin_session(OBSERVE "  - notification: {}\n  - notification: {}\n");
    observing = client_gets();
    client_says(BJ_COAP_ACK, observing.mid, CODE(2, 5), 0xFFFFFF, "a");
    notify(BJ_COAP_NON, 77, 0, "b");
    notify(BJ_COAP_NON, 78, 1, "b");
    expect_pass();
}

static void one_that_comes_twice_counts_once(void **state) {
    (void) state;
    begin_session(OBSERVE "  - notification: {}\n  - silence: 5s\n");
    client_observes("a");
    notify(BJ_COAP_CON, 77, 6, "b");
    assert_int_equal(client_gets().type, BJ_COAP_ACK);
    pass(BJ_SECOND);
    notify(BJ_COAP_CON, 77, 6, "b");
    assert_int_equal(client_gets().type, BJ_COAP_ACK);
    pass(5 * BJ_SECOND);
    expect_pass();
}

static void declined(void **state) {
    (void) state;
    begin_session(OBSERVE "  - silence: 5s\n");
    observing = client_gets();
    client_says(BJ_COAP_ACK, observing.mid, CODE(2, 5), -1, "a");
    pass(6 * BJ_SECOND);
    expect_pass();
}

/* --- cancelling --- */

static void by_observe_1(void **state) {
    uint32_t number = 9;
    (void) state;
    begin_session(OBSERVE "  - cancel: {expect: 2.05}\n  - silence: 5s\n");
    client_observes("a");
    bj_coap cancel = client_gets();
    assert_true(bj_coap_find_uint(&cancel, BJ_COAP_OBSERVE, &number));
    assert_int_equal(number, 1);
    assert_memory_equal(cancel.token, observing.token, observing.token_length);
    assert_sent(&cancel, GET, "/3/0/14", "", -1, "");
    client_says(BJ_COAP_ACK, cancel.mid, CODE(2, 5), -1, "a");
    notify(BJ_COAP_CON, 77, 6, "b");
    assert_int_equal(client_gets().type, BJ_COAP_RST);
    expect_fail("a notification of an observation that is over");
}

/* It left before the client knew. */
static void a_notification_that_crosses_the_cancel(void **state) {
    (void) state;
    begin_session(OBSERVE "  - cancel: {expect: 2.05}\n  - notification: {text: b}\n  - silence: 5s\n");
    client_observes("a");
    bj_coap cancel = client_gets();
    notify(BJ_COAP_CON, 77, 6, "b");
    assert_int_equal(client_gets().type, BJ_COAP_ACK);
    client_says(BJ_COAP_ACK, cancel.mid, CODE(2, 5), -1, "b");
    pass(6 * BJ_SECOND);
    expect_pass();
}

static void by_reset(void **state) {
    (void) state;
    begin_session("  - observe: /3/0/14\n    name: it\n    expect: 2.05\n  - cancel: it\n    reset: true\n"
                  "  - notification: {of: it}\n  - silence: 5s\n");
    client_observes("a");
    notify(BJ_COAP_CON, 77, 6, "b");
    bj_coap answer = client_gets();
    assert_int_equal(answer.type, BJ_COAP_RST);
    assert_int_equal(answer.mid, 77);
    notify(BJ_COAP_CON, 78, 7, "c");
    expect_fail("a notification of an observation that is over");
}

static void an_error_ends_it(void **state) {
    (void) state;
    begin_session(OBSERVE "  - notification: {codes: 4.04}\n  - silence: 5s\n");
    client_observes("a");
    client_says(BJ_COAP_CON, 77, CODE(4, 4), -1, "");
    notify(BJ_COAP_CON, 78, 7, "c");
    expect_fail("a notification of an observation that is over");
}

static void there_is_none(void **state) {
    (void) state;
    begin_session("  - cancel: {}\n");
    expect_verdict(BJ_ERROR, "there is no observation");
    begin_session(OBSERVE "  - notification: other\n");
    client_observes("a");
    expect_verdict(BJ_ERROR, "there is no observation named other");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations),
        cmocka_unit_test(paths_in_cbor),
        cmocka_unit_test(a_notification_is_awaited_and_acknowledged),
        cmocka_unit_test(what_is_asked_of_it),
        cmocka_unit_test(none_comes),
        cmocka_unit_test(numbers_wrap),
        cmocka_unit_test(one_that_comes_twice_counts_once),
        cmocka_unit_test(declined),
        cmocka_unit_test(by_observe_1),
        cmocka_unit_test(a_notification_that_crosses_the_cancel),
        cmocka_unit_test(by_reset),
        cmocka_unit_test(an_error_ends_it),
        cmocka_unit_test(there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
