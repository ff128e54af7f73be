/* SPDX-License-Identifier: Apache-2.0
 *
 * Every verb of the language, one time met and one time not, with the text of the failure.
 */
#include "engine_fixture.h"

#define ASK   "  - request: {to: bs, method: POST, path: /bs, query: {ep: dev-1}}\n"
#define BEGUN ASK "  - respond: 2.04\n"

/* The client asks after its hold-off, and gets its answer. */
static void bootstrap_begins(void) {
    pass_until(1200 * BJ_MS);
    client_requests(BS, POST, "/bs", "ep=dev-1");
    bj_coap m = client_gets();
    assert_int_equal(m.code, CODE(2, 4));
    assert_int_equal(m.type, BJ_COAP_ACK);
    assert_int_equal(m.mid, last_request.mid);
    assert_memory_equal(m.token, last_request.token, 2);
}

/* --- request --- */

static void request_is_met(void **state) {
    (void) state;
    begin_steps(ASK);
    pass_until(1200 * BJ_MS);
    client_requests(BS, POST, "/bs", "ep=dev-1&pct=112");
    expect_pass();
    assert_string_equal(reason(), "all steps were met");
}

static void request_of_another_kind(void **state) {
    (void) state;
    begin_steps("  - request: {to: mgmt, method: POST, path: /rd}\n");
    pass_until(1200 * BJ_MS);
    client_requests(BS, POST, "/bs", "ep=dev-1");
    expect_fail("expected POST /rd at mgmt, the client sent POST /bs?ep=dev-1 to bs");
    assert_int_equal(logged(BJ_EV_STEP_FAILED).position.line, 4);
    assert_int_equal(logged(BJ_EV_VERDICT).cause, logged(BJ_EV_RECEIVED).sequence);
}

static void request_with_another_query(void **state) {
    (void) state;
    begin_steps(ASK);
    pass_until(1200 * BJ_MS);
    client_requests(BS, POST, "/bs", "ep=dev-2");
    expect_fail("Uri-Query \"ep=dev-1\" is missing");
    begin_steps("  - request: {path: /bs, query: {ep: \"*\"}, without: [pct]}\n");
    pass_until(1200 * BJ_MS);
    client_requests(BS, POST, "/bs", "ep=x&pct=112");
    expect_fail("Uri-Query \"pct\" must not be there");
}

static void request_never_comes(void **state) {
    (void) state;
    begin_steps(ASK);
    pass_until(2500 * BJ_MS);
    expect_running();
    pass_until(60 * BJ_SECOND);
    expect_fail("expected POST /bs?ep=dev-1 at bs until 2.502000 s; the client sent nothing");
}

static void request_patterns(void **state) {
    (void) state;
    begin_steps("  - request: {path: \"/rd/*\"}\n  - respond: 2.04\n  - request: {path: \"/a/**\"}\n");
    pass_until(2 * BJ_SECOND);
    client_requests(MGMT, POST, "/rd/17", NULL);
    client_requests(MGMT, POST, "/a/b/c", NULL);
    expect_pass();
    begin_steps("  - request: {path: \"/rd/*\"}\n");
    client_requests(MGMT, POST, "/rd/17/8", NULL);
    expect_fail("expected a request to /rd/*, the client sent POST /rd/17/8 to mgmt");
}

static void request_in_its_window(void **state) {
    (void) state;
    begin_steps("  - request: {path: /bs, at: 2s..3s}\n");
    pass_until(2 * BJ_SECOND);
    client_requests(BS, POST, "/bs", NULL);
    expect_pass();
    begin_steps("  - request: {path: /bs, at: 2s..3s}\n");
    pass_until(1900 * BJ_MS);
    client_requests(BS, POST, "/bs", NULL);
    expect_fail("expected a request to /bs not before 1.999000 s, the client sent it at 1.900000 s");
    begin_steps("  - request: {path: /bs, at: 2s..3s}\n");
    pass_until(4 * BJ_SECOND);
    expect_fail("expected a request to /bs until 3.00");
}

static void request_is_judged_by_its_first_transmission(void **state) {
    (void) state;
    begin_steps("  - port: silent\n  - advance: 2s\n  - port: open\n  - request: {path: /bs, at: 0..500ms}\n");
    pass_until(1900 * BJ_MS);
    client_requests(BS, POST, "/bs", NULL);
    pass_until(4 * BJ_SECOND);
    expect_running();
    client_repeats();
    expect_pass();
}

static void strange_messages_fail(void **state) {
    (void) state;
    static const uint8_t cut[] = { 0x44, 0x02, 0x12, 0x34, 0xAA };
    begin_steps(ASK);
    bj_addr to = server_address(BS);
    client_sends_bytes(&to, cut, sizeof cut);
    pass(BJ_MS);
    expect_fail("the client sent ends inside the token to bs");
}

/* --- respond --- */

static void respond_piggybacked(void **state) {
    (void) state;
    begin_steps(BEGUN "  - silence: 1s\n");
    bootstrap_begins();
    pass(2 * BJ_SECOND);
    expect_pass();
}

static void respond_separate(void **state) {
    (void) state;
    begin_steps(ASK "  - respond: {code: 2.04, separate: true, after: 3s}\n  - ack: bs\n");
    pass_until(1200 * BJ_MS);
    client_requests(BS, POST, "/bs", "ep=dev-1");
    bj_coap ack = client_gets();
    assert_int_equal(ack.code, 0);
    assert_int_equal(ack.mid, last_request.mid);
    client_gets_nothing();
    pass(2990 * BJ_MS);
    client_gets_nothing();
    pass(20 * BJ_MS);
    bj_coap m = client_gets();
    assert_int_equal(m.type, BJ_COAP_CON);
    assert_int_equal(m.code, CODE(2, 4));
    assert_memory_equal(m.token, last_request.token, 2);
    expect_running();
    client_sends_empty(BJ_COAP_ACK, m.mid);
    expect_pass();
}

static void a_separate_response_is_retransmitted(void **state) {
    (void) state;
    begin_steps(ASK "  - respond: {code: 2.04, separate: true}\n  - advance: 100s\n");
    pass_until(1200 * BJ_MS);
    client_requests(BS, POST, "/bs", "ep=dev-1");
    client_gets();
    bj_coap first = client_gets();
    bj_time before = taken.time;
    bj_time gap = 0;
    for (int i = 0; i < 4; i++) {
        pass(50 * BJ_SECOND >> (4 - i));
        while (!w.inbox_count) {
            pass(BJ_SECOND);
        }
        bj_coap m = client_gets();
        assert_int_equal(m.mid, first.mid);
        assert_true(i ? taken.time - before == 2 * gap : taken.time - before >= 2 * BJ_SECOND);
        gap = taken.time - before;
        before = taken.time;
    }
    pass(100 * BJ_SECOND);
    expect_pass();
    assert_int_equal(w.inbox_count, 0);
}

static void respond_with_what_is_wrong(void **state) {
    (void) state;
    begin_steps(ASK "  - respond: {code: 2.04, wrong: token}\n");
    client_requests(BS, POST, "/bs", "ep=dev-1");
    bj_coap m = client_gets();
    assert_memory_not_equal(m.token, last_request.token, 2);
    begin_steps(ASK "  - respond: {code: 2.04, wrong: mid}\n");
    client_requests(BS, POST, "/bs", "ep=dev-1");
    m = client_gets();
    assert_int_not_equal(m.mid, last_request.mid);
    begin_steps(ASK "  - respond: {code: 2.04, wrong: source}\n");
    client_requests(BS, POST, "/bs", "ep=dev-1");
    client_gets();
    assert_int_equal(taken.from.port, 5684);
    begin_steps(ASK "  - respond: {reset: true}\n");
    client_requests(BS, POST, "/bs", "ep=dev-1");
    m = client_gets();
    assert_int_equal(m.type, BJ_COAP_RST);
    assert_int_equal(m.mid, last_request.mid);
}

static void an_empty_acknowledgement_alone(void **state) {
    (void) state;
    begin_steps(ASK "  - respond: \"0.00\"\n  - silence: 5s\n");
    pass_until(1200 * BJ_MS);
    client_requests(BS, POST, "/bs", "ep=dev-1");
    bj_coap m = client_gets();
    assert_int_equal(m.type, BJ_COAP_ACK);
    assert_int_equal(m.code, 0);
    pass(10 * BJ_SECOND);
    assert_int_equal(w.inbox_count, 0);
    expect_pass();
}

static void respond_to_non(void **state) {
    (void) state;
    begin_steps("  - request: {path: /bs, type: NON}\n  - respond: 2.04\n");
    client_requests_as(BJ_COAP_NON, BS, POST, "/bs", NULL);
    bj_coap m = client_gets();
    assert_int_equal(m.type, BJ_COAP_NON);
    assert_memory_equal(m.token, last_request.token, 2);
    expect_pass();
    begin_steps("  - request: {path: /bs, type: NON}\n");
    client_requests(BS, POST, "/bs", NULL);
    expect_fail("it is confirmable");
}

static void respond_with_payload_and_options(void **state) {
    (void) state;
    begin_steps("  - request: {path: /rd}\n  - respond: {code: 2.01, location: /rd/a, text: hello, options: [{number: "
                "2052, hex: \"01\"}]}\n");
    client_requests(MGMT, POST, "/rd", NULL);
    bj_coap m = client_gets();
    assert_int_equal(m.code, CODE(2, 1));
    BJ_TEXT(path, 64);
    bj_coap_path(&m, BJ_COAP_LOCATION_PATH, &path);
    assert_string_equal(path.start, "/rd/a");
    assert_int_equal(m.payload_length, 5);
    uint32_t format = 99;
    assert_true(bj_coap_find_uint(&m, BJ_COAP_CONTENT_FORMAT, &format));
    assert_int_equal(format, 0);
    assert_non_null(bj_coap_find(&m, 2052, 0));
}

static void respond_to_a_captured_exchange(void **state) {
    (void) state;
    begin_steps("  - request: {path: /a, capture: one}\n  - request: {path: /b}\n  - respond: {code: 2.05, to: one}\n"
                "  - respond: {code: 4.04, to: one}\n");
    client_requests(BS, GET, "/a", NULL);
    uint16_t first = last_request.mid;
    client_requests(BS, GET, "/b", NULL);
    bj_coap m = client_gets();
    assert_int_equal(m.mid, first);
    assert_int_equal(m.code, CODE(2, 5));
}

static void duplicates_get_the_same_answer(void **state) {
    (void) state;
    begin_steps(BEGUN "  - silence: 30s\n");
    bootstrap_begins();
    letter first = taken;
    pass(2 * BJ_SECOND);
    client_repeats();
    client_gets();
    assert_int_equal(taken.length, first.length);
    assert_memory_equal(taken.data, first.data, first.length);
    assert_int_equal(count_logged(BJ_EV_PASSED_OVER), 1);
    pass(60 * BJ_SECOND);
    expect_pass();
}

static void a_server_without_deduplication_sees_two_requests(void **state) {
    (void) state;
    begin("title: t\nservers: {bs: {deduplicates: false}}\nsteps:\n" BEGUN ASK "  - respond: 4.00\n");
    bootstrap_begins();
    client_repeats();
    bj_coap m = client_gets();
    assert_int_equal(m.code, CODE(4, 0));
    expect_pass();
}

static void ignored_requests_get_nothing(void **state) {
    (void) state;
    begin_steps(ASK "  - ignore: {}\n  - retransmission: 1\n");
    pass_until(1200 * BJ_MS);
    client_requests(BS, POST, "/bs", "ep=dev-1");
    client_gets_nothing();
    pass_until(1200 * BJ_MS + 2500 * BJ_MS);
    client_repeats();
    client_gets_nothing();
    expect_pass();
}

/* --- silence and advance --- */

static void silence_is_broken(void **state) {
    (void) state;
    begin_steps(BEGUN "  - silence: 10s\n");
    bootstrap_begins();
    pass(3 * BJ_SECOND);
    client_requests(MGMT, POST, "/rd", "ep=dev-1");
    expect_fail("expected silence until 11.201000 s, the client sent POST /rd?ep=dev-1 to mgmt: sent at 4.202000 s");
}

static void silence_towards_one_server(void **state) {
    (void) state;
    begin_steps(BEGUN "  - silence: {for: 10s, server: bs}\n  - request: {path: /rd}\n");
    bootstrap_begins();
    pass(3 * BJ_SECOND);
    client_requests(MGMT, POST, "/rd", "ep=dev-1");
    expect_running();
    pass(10 * BJ_SECOND);
    expect_pass();
}

static void silence_counts_what_is_sent_before_its_end(void **state) {
    (void) state;
    begin_steps(BEGUN "  - silence: 10s\n  - request: {path: /rd}\n");
    bootstrap_begins();
    pass_until(11200 * BJ_MS + 500);
    client_requests(MGMT, POST, "/rd", NULL);
    expect_fail("the client sent a request to mgmt at 11.200500 s, which has not arrived");
}

static void silence_sees_what_meets_a_closed_port(void **state) {
    (void) state;
    begin_steps(BEGUN "  - port: {state: closed, server: mgmt}\n  - silence: 10s\n");
    bootstrap_begins();
    pass(3 * BJ_SECOND);
    client_requests(MGMT, POST, "/rd", NULL);
    pass(20 * BJ_SECOND);
    expect_fail("the client sent a request to mgmt at 4.202000 s, which has not arrived");
}

static void advance_keeps_what_comes(void **state) {
    (void) state;
    begin_steps(BEGUN "  - advance: 10s\n  - request: {path: /rd}\n  - respond: 2.01\n");
    bootstrap_begins();
    client_requests(MGMT, POST, "/rd", NULL);
    expect_running();
    pass(20 * BJ_SECOND);
    expect_pass();
}

static void advance_to_the_clients_wake(void **state) {
    (void) state;
    begin_steps("  - request: {path: /bs}\n  - respond: 2.04\n  - advance: wake\n");
    w.wake = 7 * BJ_SECOND;
    client_requests(BS, POST, "/bs", NULL);
    pass_until(7 * BJ_SECOND - 1);
    expect_running();
    pass_until(7 * BJ_SECOND);
    expect_pass();
}

static void what_is_left_at_the_end_fails(void **state) {
    (void) state;
    begin_steps("  - advance: 10s\n");
    client_requests(MGMT, POST, "/rd", NULL);
    pass(20 * BJ_SECOND);
    expect_fail("expected nothing more, the client sent POST /rd to mgmt");
}

/* --- lawful traffic --- */

#define REGISTERED "  - request: {to: mgmt, path: /rd}\n  - respond: {code: 2.01, location: /rd/7}\n"

static void updates_are_passed_over(void **state) {
    (void) state;
    begin_steps(REGISTERED "  - silence: 100s\n");
    client_requests(MGMT, POST, "/rd", "lt=60");
    client_gets();
    pass(50 * BJ_SECOND);
    client_requests(MGMT, POST, "/rd/7", NULL);
    assert_int_equal(client_gets().code, CODE(2, 4));
    client_requests(MGMT, DELETE, "/rd/7", NULL);
    assert_int_equal(client_gets().code, CODE(2, 2));
    pass(60 * BJ_SECOND);
    expect_pass();
}

static void an_awaited_update_is_a_request(void **state) {
    (void) state;
    begin_steps(REGISTERED "  - request: {path: /rd/7}\n  - respond: 4.04\n");
    client_requests(MGMT, POST, "/rd", "lt=60");
    client_gets();
    client_requests(MGMT, POST, "/rd/7", NULL);
    assert_int_equal(client_gets().code, CODE(4, 4));
    expect_pass();
}

static void an_update_of_nothing_is_not_lawful(void **state) {
    (void) state;
    begin_steps(REGISTERED "  - silence: 100s\n");
    client_requests(MGMT, POST, "/rd", "lt=60");
    client_gets();
    client_requests(MGMT, POST, "/rd/8", NULL);
    expect_fail("the client sent POST /rd/8 to mgmt");
}

static void pings_are_answered(void **state) {
    (void) state;
    begin_steps(BEGUN "  - silence: 5s\n");
    bootstrap_begins();
    client_sends_empty(BJ_COAP_CON, 77);
    bj_coap m = client_gets();
    assert_int_equal(m.type, BJ_COAP_RST);
    assert_int_equal(m.mid, 77);
    pass(10 * BJ_SECOND);
    expect_pass();
}

/* --- operations --- */

static void write_is_a_put_with_tlv(void **state) {
    (void) state;
    static const uint8_t expected[] = { 0xC1, 0x00, 0x01, 0xC4, 0x01, 0x00, 0x01, 0x51,
                                        0x80, 0xC1, 0x06, 0x00, 0xC1, 0x07, 0x55 };
    begin_steps(BEGUN "  - write: /1/0\n    tlv: {0: 1, 1: 86400, 6: false, 7: U}\n    expect: 2.04\n");
    bootstrap_begins();
    bj_coap m = client_gets();
    uint32_t format = 0;
    assert_int_equal(m.type, BJ_COAP_CON);
    assert_int_equal(m.code, PUT);
    assert_true(bj_coap_find_uint(&m, BJ_COAP_CONTENT_FORMAT, &format));
    assert_int_equal(format, 11542);
    assert_int_equal(m.payload_length, sizeof expected);
    assert_memory_equal(m.payload, expected, sizeof expected);
    client_answers(&m, CODE(2, 4));
    expect_pass();
}

static void object_level_write_has_instances(void **state) {
    (void) state;
    static const uint8_t expected[] = { 0x08, 0x00, 0x0F, 0xC1, 0x00, 0x01, 0xC4, 0x01, 0x00,
                                        0x01, 0x51, 0x80, 0xC1, 0x06, 0x00, 0xC1, 0x07, 0x55 };
    begin_steps(BEGUN "  - write: /1\n    tlv: {0: {0: 1, 1: 86400, 6: false, 7: U}}\n    expect: 2.04\n");
    bootstrap_begins();
    bj_coap m = client_obeys(CODE(2, 4));
    assert_int_equal(m.payload_length, sizeof expected);
    assert_memory_equal(m.payload, expected, sizeof expected);
    expect_pass();
}

static void the_wrong_code_fails(void **state) {
    (void) state;
    begin_steps(BEGUN "  - delete: /0\n    expect: 2.02\n");
    bootstrap_begins();
    client_obeys(CODE(4, 0));
    expect_fail("expected 2.02 to DELETE /0, the client answered 4.00");
    assert_int_equal(logged(BJ_EV_VERDICT).position.line, 6);
}

static void a_tolerated_code_warns(void **state) {
    (void) state;
    begin_steps(BEGUN "  - delete: /0\n    expect: 2.02\n    tolerate: 4.xx\n");
    bootstrap_begins();
    client_obeys(CODE(4, 5));
    expect_verdict(BJ_WARN, "code off the table: 4.05 to DELETE /0");
    begin_steps(BEGUN "  - delete: /0\n    expect: 2.02\n    tolerate: [4.05, 5.00]\n");
    bootstrap_begins();
    client_obeys(CODE(5, 0));
    expect_pass();
}

/* An ordinary refusal is wanted, and it is one, with a code that is not in the row: verdicts of the README. */
static void a_refusal_with_another_code_warns(void **state) {
    (void) state;
    begin_steps(BEGUN "  - delete: /4\n    expect: [4.00, 5.00]\n");
    bootstrap_begins();
    client_obeys(CODE(4, 6));
    expect_verdict(BJ_WARN, "code off the table: 4.06 to DELETE /4");
    begin_steps(BEGUN "  - delete: /4\n    expect: [2.02, 4.00]\n");
    bootstrap_begins();
    client_obeys(CODE(4, 4));
    expect_verdict(BJ_WARN, "code off the table: 4.04 to DELETE /4");
    begin_steps(BEGUN "  - delete: /4\n    expect: [4.00, 5.00]\n");
    bootstrap_begins();
    client_obeys(CODE(2, 2));
    expect_fail("expected [4.00, 5.00] to DELETE /4, the client answered 2.02");
    begin_steps(BEGUN "  - delete: /4\n    expect: 4.02\n");
    bootstrap_begins();
    client_obeys(CODE(4, 0));
    expect_fail("expected 4.02 to DELETE /4, the client answered 4.00");
}

static void a_rejected_operation_fails(void **state) {
    (void) state;
    begin_steps(BEGUN "  - finish: {expect: 2.04}\n");
    bootstrap_begins();
    bj_coap m = client_gets();
    BJ_TEXT(path, 32);
    bj_coap_path(&m, BJ_COAP_URI_PATH, &path);
    assert_string_equal(path.start, "/bs");
    assert_int_equal(m.payload_length, 0);
    client_sends_empty(BJ_COAP_RST, m.mid);
    expect_fail("expected 2.04 to POST /bs, the client rejected it with RST");
}

static void an_unanswered_operation_is_retransmitted_and_fails(void **state) {
    (void) state;
    begin_steps(BEGUN "  - finish: {expect: 2.04}\n");
    bootstrap_begins();
    pass(200 * BJ_SECOND);
    assert_int_equal(w.inbox_count, 5);
    expect_fail("the client did not answer (given up after 4 retransmissions)");
}

static void an_answer_within_its_time(void **state) {
    (void) state;
    begin_steps(BEGUN "  - finish: {expect: 2.04, within: 1s}\n");
    bootstrap_begins();
    bj_coap m = client_gets();
    pass(2 * BJ_SECOND);
    expect_fail("expected 2.04 to POST /bs until 2.201001 s; the client sent nothing");
    (void) m;
}

static void a_separate_answer_is_acknowledged(void **state) {
    (void) state;
    begin_steps(BEGUN "  - finish: {expect: 2.04}\n");
    bootstrap_begins();
    bj_coap m = client_gets();
    client_sends_empty(BJ_COAP_ACK, m.mid);
    pass(100 * BJ_SECOND);
    expect_running();
    bj_coap answer = { .version = 1, .type = BJ_COAP_CON, .code = CODE(2, 4), .mid = 4242, .token_length = 4 };
    memcpy(answer.token, m.token, 8);
    client_sends(&taken.from, &answer);
    pass(BJ_MS);
    expect_pass();
    bj_coap ack = client_gets();
    assert_int_equal(ack.type, BJ_COAP_ACK);
    assert_int_equal(ack.mid, 4242);
}

static void an_answer_with_a_wrong_token(void **state) {
    (void) state;
    begin_steps(BEGUN "  - finish: {expect: 2.04}\n");
    bootstrap_begins();
    bj_coap m = client_gets();
    m.token[0] ^= 1;
    client_answers(&m, CODE(2, 4));
    expect_fail("the client's acknowledgement carries another token");
}

static void a_server_does_not_know_the_client(void **state) {
    (void) state;
    begin_steps("  - delete: /\n");
    expect_verdict(BJ_ERROR, "the server 'bs' does not know the client yet");
}

static void discover_checks_links(void **state) {
    (void) state;
    static const char links[] = "</>;lwm2m=1.1,</0/0>,</1/0>;ssid=101,</3/0>";
    begin_steps(BEGUN "  - discover: /\n    expect: 2.05\n    has: [/0/0, \"</1/0>;ssid=101\"]\n    lacks: [/0/1]\n");
    bootstrap_begins();
    bj_coap m = client_gets();
    uint32_t accept = 0;
    assert_true(bj_coap_find_uint(&m, BJ_COAP_ACCEPT, &accept));
    assert_int_equal(accept, 40);
    assert_null(bj_coap_find(&m, BJ_COAP_URI_PATH, 0));
    client_answers_with(&m, CODE(2, 5), 40, links, sizeof links - 1);
    expect_pass();
    begin_steps(BEGUN "  - discover: /\n    has: [/0/7]\n");
    bootstrap_begins();
    m = client_gets();
    client_answers_with(&m, CODE(2, 5), 40, links, sizeof links - 1);
    expect_fail("the link /0/7 is missing");
    begin_steps(BEGUN "  - discover: /\n    lacks: [\"/1/*\"]\n");
    bootstrap_begins();
    m = client_gets();
    client_answers_with(&m, CODE(2, 5), 40, links, sizeof links - 1);
    expect_fail("the link /1/* must not be there");
}

static void read_checks_values(void **state) {
    (void) state;
    static const uint8_t tlv[] = { 0xC1, 0x00, 0x65, 0xC2, 0x01, 0x0E, 0x10, 0xC1, 0x07, 0x55 };
    begin_steps(BEGUN "  - read: /1/0\n    expect: 2.05\n    tlv: {0: 101, 1: ~, 7: U}\n    lacks: [/1/0/5]\n");
    bootstrap_begins();
    bj_coap m = client_gets();
    client_answers_with(&m, CODE(2, 5), 11542, tlv, sizeof tlv);
    expect_pass();
    begin_steps(BEGUN "  - read: /1/0\n    tlv: {0: 102}\n");
    bootstrap_begins();
    m = client_gets();
    client_answers_with(&m, CODE(2, 5), 11542, tlv, sizeof tlv);
    expect_fail("the value 0 is 101");
    begin_steps(BEGUN "  - read: /1/0\n    lacks: [/1/0/1]\n");
    bootstrap_begins();
    m = client_gets();
    client_answers_with(&m, CODE(2, 5), 11542, tlv, sizeof tlv);
    expect_fail("/1/0/1 must not be there");
    begin_steps(BEGUN "  - read: /1/0\n    tlv: {0: 102}\n");
    bootstrap_begins();
    m = client_gets();
    client_answers_with(&m, CODE(2, 5), 112, tlv, sizeof tlv);
    expect_fail("no array of records");
}

static void client_takes_block(const bj_coap *request, uint8_t code, uint32_t block) {
    uint8_t room[4];
    bj_coap m = {
        .version = 1, .type = BJ_COAP_ACK, .code = code, .mid = request->mid, .token_length = request->token_length
    };
    memcpy(m.token, request->token, sizeof m.token);
    bj_coap_add_uint(&m, BJ_COAP_BLOCK1, block, room);
    client_sends(&taken.from, &m);
    pass(w.latency);
}

static void blocks_follow_each_other(void **state) {
    (void) state;
    begin_steps(
        BEGUN "  - write: /0/1\n    text: \"0123456789abcdef0123456789abcdefXYZ\"\n    block: 16\n    expect: 2.04\n");
    bootstrap_begins();
    uint8_t token[8] = { 0 };
    for (unsigned n = 0; n < 3; n++) {
        bj_coap m = client_gets();
        uint32_t block = 99;
        assert_true(bj_coap_find_uint(&m, BJ_COAP_BLOCK1, &block));
        assert_int_equal(block, n << 4 | (n < 2 ? 8 : 0));
        assert_int_equal(m.payload_length, n < 2 ? 16 : 3);
        assert_memory_not_equal(m.token, token, 4);
        memcpy(token, m.token, 8);
        client_takes_block(&m, n < 2 ? CODE(2, 31) : CODE(2, 4), block);
    }
    expect_pass();
}

static void a_transfer_that_breaks_off(void **state) {
    (void) state;
    begin_steps(
        BEGUN "  - write: /0/1\n    text: \"0123456789abcdef0123456789abcdefXYZ\"\n    block: 16\n    expect: 2.04\n");
    bootstrap_begins();
    client_obeys(CODE(4, 8));
    expect_fail("expected 2.04 to PUT /0/1, the client answered 4.08");
}

static void a_block_that_is_not_confirmed(void **state) {
    (void) state;
    begin_steps(
        BEGUN "  - write: /0/1\n    text: \"0123456789abcdef0123456789abcdefXYZ\"\n    block: 16\n    expect: 2.04\n");
    bootstrap_begins();
    client_obeys(CODE(2, 31));
    expect_fail("expected 2.04 to PUT /0/1, the client answered 2.31");
}

static void answers_that_are_awaited_later(void **state) {
    (void) state;
    begin_steps(
        BEGUN
        "  - delete: /0\n    wait: false\n  - delete: /1\n    wait: false\n  - response: 2.02\n  - response: 4.00\n");
    bootstrap_begins();
    bj_coap first = client_gets(), second = client_gets();
    client_answers(&second, CODE(4, 0));
    expect_running();
    client_answers(&first, CODE(2, 2));
    expect_pass();
    begin_steps(BEGUN "  - message: \"0.04\"\n    path: /1\n  - response: 2.02\n");
    bootstrap_begins();
    client_obeys(CODE(2, 2));
    expect_pass();
    begin_steps(BEGUN "  - message: \"0.04\"\n    path: /1\n  - silence: 1s\n");
    bootstrap_begins();
    client_obeys(CODE(2, 2));
    expect_fail("expected silence until 2.201000 s, the client answered DELETE /1");
    begin_steps(BEGUN "  - delete: /0\n    wait: false\n  - response: 2.02\n  - response: 2.02\n");
    bootstrap_begins();
    client_obeys(CODE(2, 2));
    expect_verdict(BJ_ERROR, "no request of 'bs' with `wait: false` waits for its answer");
}

static void non_confirmable_operations(void **state) {
    (void) state;
    begin_steps(BEGUN "  - delete: /0\n    type: NON\n    expect: 2.02\n");
    bootstrap_begins();
    bj_coap m = client_gets();
    assert_int_equal(m.type, BJ_COAP_NON);
    pass(50 * BJ_SECOND);
    assert_int_equal(w.inbox_count, 0);
    bj_coap answer = { .version = 1, .type = BJ_COAP_NON, .code = CODE(2, 2), .mid = 1, .token_length = 4 };
    memcpy(answer.token, m.token, 8);
    client_sends(&taken.from, &answer);
    pass(BJ_MS);
    expect_pass();
}

/* --- again --- */

static void again_the_same_answer(void **state) {
    (void) state;
    begin_steps(BEGUN "  - delete: /0\n    expect: 2.02\n  - again: bs\n");
    bootstrap_begins();
    bj_coap first = client_obeys(CODE(2, 2));
    bj_coap second = client_gets();
    assert_int_equal(first.mid, second.mid);
    client_answers(&second, CODE(2, 2));
    expect_pass();
}

static void again_another_answer(void **state) {
    (void) state;
    begin_steps(BEGUN "  - delete: /0\n    expect: 2.02\n  - again: bs\n");
    bootstrap_begins();
    client_obeys(CODE(2, 2));
    client_obeys(CODE(4, 4));
    expect_fail("executed twice, or a different answer: first 2.02, then 4.04");
}

static void again_no_answer(void **state) {
    (void) state;
    begin_steps(BEGUN "  - delete: /0\n    expect: 2.02\n  - again: bs\n");
    bootstrap_begins();
    client_obeys(CODE(2, 2));
    pass(20 * BJ_SECOND);
    expect_fail("expected the same answer again until");
}

/* --- hand-made messages --- */

static void raw_bytes_and_reset(void **state) {
    (void) state;
    begin_steps(BEGUN "  - raw: \"40 00 12 34\"\n  - reset: bs\n");
    bootstrap_begins();
    bj_coap m = client_gets();
    assert_int_equal(m.mid, 0x1234);
    client_sends_empty(BJ_COAP_RST, 0x1234);
    expect_pass();
    begin_steps(BEGUN "  - raw: \"40 00 12 34\"\n  - reset: bs\n");
    bootstrap_begins();
    client_gets();
    client_sends_empty(BJ_COAP_ACK, 0x1234);
    pass(20 * BJ_SECOND);
    expect_fail("expected RST until");
}

static void a_message_of_which_all_is_chosen(void **state) {
    (void) state;
    begin_steps(
        BEGUN
        "  - message: \"0.01\"\n    mid: 258\n    token: \"0102\"\n    path: /x\n    version: 2\n  - silence: 1s\n");
    bootstrap_begins();
    pass(BJ_MS);
    assert_int_equal(w.inbox_count, 1);
    assert_int_equal(w.inbox[0].data[0], 0x82);
    assert_int_equal(w.inbox[0].data[2] << 8 | w.inbox[0].data[3], 258);
    pass(2 * BJ_SECOND);
    expect_pass();
}

static void a_message_and_its_answer(void **state) {
    (void) state;
    begin_steps(BEGUN "  - message: \"0.02\"\n    path: /b\n    expect: [4.04, 4.05]\n");
    bootstrap_begins();
    client_obeys(CODE(4, 4));
    expect_pass();
    begin_steps(BEGUN "  - message: \"0.02\"\n    path: /b\n    expect: 4.04\n");
    bootstrap_begins();
    client_obeys(CODE(2, 4));
    expect_fail("expected 4.04 to POST /b, the client answered 2.04");
}

static void a_response_that_nobody_asked_for(void **state) {
    (void) state;
    begin_steps(BEGUN "  - silence: 5s\n");
    bootstrap_begins();
    bj_coap answer = { .version = 1, .type = BJ_COAP_CON, .code = CODE(2, 2), .mid = 1, .token_length = 4 };
    bj_addr to = server_address(BS);
    client_sends(&to, &answer);
    pass(BJ_MS);
    expect_fail("the client sent a response to no request of ours (token) to bs");
    assert_int_equal(client_gets().type, BJ_COAP_RST);
}

/* --- network, names, life --- */

static void faults_names_links(void **state) {
    (void) state;
    begin_steps(
        "  - fault: drop\n    from: client\n    to: bs\n    skip: 2\n    count: 3\n  - network: {latency: 5ms}\n"
        "  - dns: mgmt.example\n    answers: [{status: nxdomain}]\n");
    expect_pass();
    assert_int_equal(w.faults, 1);
    assert_int_equal(w.last_fault.from, BJ_ACTOR_CLIENT);
    assert_int_equal(w.last_fault.to, BJ_ACTOR_SERVER_0);
    assert_int_equal(w.last_fault.skip, 2);
    assert_int_equal(w.last_fault.count, 3);
    assert_int_equal(w.latency, 5 * BJ_MS);
    assert_string_equal(w.last_name, "mgmt.example");
    assert_int_equal(w.last_answer.status, BJ_DNS_NXDOMAIN);
}

static void a_restart_forgets(void **state) {
    (void) state;
    begin_steps(BEGUN "  - restart: bs\n" ASK "  - respond: 4.00\n");
    bootstrap_begins();
    client_repeats();
    assert_int_equal(client_gets().code, CODE(4, 0));
    expect_pass();
}

static void ports_close_and_open(void **state) {
    (void) state;
    begin_steps("  - port: closed\n  - advance: 1s\n  - port: open\n  - request: {path: /bs}\n");
    assert_false(w.open[0]);
    pass(2 * BJ_SECOND);
    assert_false(w.open[0]);
    client_requests(BS, POST, "/bs", NULL);
    expect_pass();
}

static void stop_and_exit(void **state) {
    (void) state;
    begin_steps(REGISTERED
                "  - stop: term\n  - request: {method: DELETE, path: /rd/7}\n  - respond: 2.02\n  - exit: 0\n");
    client_requests(MGMT, POST, "/rd", NULL);
    client_gets();
    pass(BJ_MS);
    assert_int_equal(w.signalled, 15);
    client_requests(MGMT, DELETE, "/rd/7", NULL);
    client_gets();
    bj_engine_client_exited(w.engine, 0, 0, 0);
    expect_pass();
}

static void exit_with_another_status(void **state) {
    (void) state;
    begin_steps("  - stop: term\n  - exit: 0\n");
    bj_engine_client_exited(w.engine, 3, 0, 0);
    expect_fail("expected exit status 0, the client ended by itself: exit status 3");
    begin_steps("  - stop: term\n  - exit: 0\n");
    bj_engine_client_exited(w.engine, 0, 11, 0);
    expect_fail("signal 11");
}

static void an_exit_that_nobody_awaits(void **state) {
    (void) state;
    begin_steps(ASK);
    bj_engine_client_exited(w.engine, 1, 0, 0);
    expect_fail("expected POST /bs?ep=dev-1 at bs; the client ended by itself: exit status 1");
}

static void a_client_that_is_stuck(void **state) {
    (void) state;
    begin_steps(ASK);
    bj_engine_client_stuck(w.engine, "the client blocks for ever", true, 0);
    expect_fail("expected POST /bs?ep=dev-1 at bs; the client blocks for ever");
}

static void notes_and_gaps(void **state) {
    (void) state;
    begin_steps("  - note: look here\n  - inconclusive: nobody knows\n");
    expect_verdict(BJ_INCONCLUSIVE, "nobody knows");
    assert_int_equal(count_logged(BJ_EV_NOTE), 1);
}

/* --- repeat, when --- */

static void repeat_so_often(void **state) {
    (void) state;
    begin_steps(
        "  - repeat: 3\n    steps:\n      - request: {path: /a}\n      - respond: 2.05\n  - request: {path: /b}\n");
    for (int i = 0; i < 3; i++) {
        client_requests(BS, GET, "/a", NULL);
        client_gets();
        expect_running();
    }
    client_requests(BS, GET, "/b", NULL);
    expect_pass();
}

static void repeat_until(void **state) {
    (void) state;
    begin_steps("  - repeat: ~\n    until: 10s\n    steps: [advance: 3s]\n");
    pass_until(12 * BJ_SECOND - 1);
    expect_running();
    pass_until(12 * BJ_SECOND);
    expect_pass();
}

static void a_loop_that_waits_for_nothing(void **state) {
    (void) state;
    begin_steps("  - repeat: ~\n    until: 10s\n    steps: [note: x]\n");
    expect_verdict(BJ_ERROR, "without waiting for anything");
}

static void when_a_fact_holds(void **state) {
    (void) state;
    static const char yaml[] = SCENARIO_1S "steps:\n  - when: transactional\n    steps: [inconclusive: yes it is]\n    "
                                           "otherwise: [inconclusive: it is not]\n";
    world_reset();
    begin_with(profile_of("name: x\ncommand: x\nfacts: [transactional]\n"), yaml);
    expect_verdict(BJ_INCONCLUSIVE, "yes it is");
    world_reset();
    begin_with(profile_of("name: x\ncommand: x\nfacts: [legacy]\n"), yaml);
    expect_verdict(BJ_INCONCLUSIVE, "it is not");
}

/* --- worlds that can do less --- */

static void needs(uint32_t can, const char *steps, const char *why) {
    char yaml[1024];
    snprintf(yaml, sizeof yaml, SCENARIO_1S "steps:\n  - request: {path: /bs}\n%s", steps);
    world_reset();
    w.ops.can = can;
    begin_with(NULL, yaml);
    expect_verdict(BJ_SKIP, why);
}

static void scenarios_need_a_world(void **state) {
    (void) state;
    needs(0, "  - fault: drop\n", "faults");
    needs(BJ_CAN_FAULTS, "  - dns: x\n    answers: [{status: nxdomain}]\n", "names");
    needs(BJ_CAN_FAULTS, "  - advance: wake\n", "wake");
    needs(BJ_CAN_FAULTS, "  - stop: term\n", "stopped");
    needs(BJ_CAN_FAULTS, "  - connection: bs\n    ends: refused\n", "its client alone");
    needs(BJ_CAN_FAULTS, "  - departure: {to: bs}\n", "its client alone");
    needs(BJ_CAN_FAULTS, "  - silence: due(finish)\n", "virtual time");
    needs(BJ_CAN_FAULTS, "  - silence: due(holdoff)-1ms\n", "edges");
    needs(BJ_CAN_FAULTS, "  - repeat: 2\n    steps: [advance: 1d]\n", "virtual time");
}

static void a_real_world(void **state) {
    (void) state;
    world_reset();
    w.ops.can = BJ_CAN_CLIENT_LIFE;
    w.real = true;
    begin_with(NULL, SCENARIO_1S "steps:\n" BEGUN
                                 "  - write: /0/1\n    tlv: {0: \"coap://mgmt.example/x\"}\n    expect: 2.04\n");
    pass_until(1050 * BJ_MS);
    client_requests(BS, POST, "/bs", "ep=dev-1");
    client_gets();
    bj_coap m = client_obeys(CODE(2, 4));
    static const char uri[] = "coap://127.0.0.1:45684/x";
    assert_memory_equal(m.payload + m.payload_length - (sizeof uri - 1), uri, sizeof uri - 1);
    expect_pass();
    BJ_TEXT(text, 100);
    bj_engine_client_uri(w.engine, "coap://bs.example", &text);
    assert_string_equal(text.start, "coap://127.0.0.1:45683");
    text = bj_text_over(text_room, sizeof text_room);
    bj_engine_client_uri(w.engine, "coap://bs.example:/y", &text);
    assert_string_equal(text.start, "coap://127.0.0.1:45683/y");
    text = bj_text_over(text_room, sizeof text_room);
    bj_engine_client_uri(w.engine, "coap://bs.example:0", &text);
    assert_string_equal(text.start, "coap://127.0.0.1:0");
    text = bj_text_over(text_room, sizeof text_room);
    bj_engine_client_uri(w.engine, "coap://nowhere.example", &text);
    assert_string_equal(text.start, "coap://nowhere.example");
}

static bj_time came_at_1200_ms(bj_world *world) {
    (void) world;
    return 1200 * BJ_MS;
}

/* A machine that is busy tells the engine late: the client was in time all the same. */
static void a_request_that_came_in_time_and_is_told_late(void **state) {
    (void) state;
    for (int told = 0; told < 2; told++) {
        world_reset();
        w.ops.can = BJ_CAN_CLIENT_LIFE;
        w.real = true;
        w.ops.came = told ? came_at_1200_ms : NULL;
        begin_with(NULL, SCENARIO_1S "steps:\n  - request: {path: /bs, within: 1500ms}\n  - respond: 2.04\n");
        w.timer = BJ_NEVER; /* what waits is heard before the deadline */
        w.now = 5 * BJ_SECOND;
        client_requests(BS, POST, "/bs", "ep=dev-1");
        if (told) {
            expect_pass();
        } else {
            expect_verdict(BJ_FAIL, "the client sent it at 5.001");
        }
    }
}

static void secure_servers_need_credentials(void **state) {
    (void) state;
    begin("title: t\nclient: {bootstrap: {uri: \"coaps://bs.example\"}}\nsteps: [advance: 1s]\n");
    expect_verdict(BJ_ERROR, "server 'bs': neither a pre-shared key nor a certificate is given");
}

/* --- captured values --- */

static void captured_values_are_used(void **state) {
    (void) state;
    begin_steps(
        "  - request: {path: /rd, query: {ep: \"*\"}, capture: reg}\n  - respond: {code: 2.01, location: /rd/q}\n"
        "  - request: {path: \"${reg}\"}\n  - respond: {code: 2.05, text: \"${reg.query.ep} at ${reg.path}\"}\n");
    client_requests(MGMT, POST, "/rd", "ep=abc");
    client_gets();
    client_requests(MGMT, POST, "/rd/q", NULL);
    bj_coap m = client_gets();
    assert_int_equal(m.payload_length, strlen("abc at /rd"));
    assert_memory_equal(m.payload, "abc at /rd", m.payload_length);
    expect_pass();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_is_met),
        cmocka_unit_test(request_of_another_kind),
        cmocka_unit_test(request_with_another_query),
        cmocka_unit_test(request_never_comes),
        cmocka_unit_test(request_patterns),
        cmocka_unit_test(request_in_its_window),
        cmocka_unit_test(request_is_judged_by_its_first_transmission),
        cmocka_unit_test(strange_messages_fail),
        cmocka_unit_test(respond_piggybacked),
        cmocka_unit_test(respond_separate),
        cmocka_unit_test(a_separate_response_is_retransmitted),
        cmocka_unit_test(respond_with_what_is_wrong),
        cmocka_unit_test(an_empty_acknowledgement_alone),
        cmocka_unit_test(respond_to_non),
        cmocka_unit_test(respond_with_payload_and_options),
        cmocka_unit_test(respond_to_a_captured_exchange),
        cmocka_unit_test(duplicates_get_the_same_answer),
        cmocka_unit_test(a_server_without_deduplication_sees_two_requests),
        cmocka_unit_test(ignored_requests_get_nothing),
        cmocka_unit_test(silence_is_broken),
        cmocka_unit_test(silence_towards_one_server),
        cmocka_unit_test(silence_counts_what_is_sent_before_its_end),
        cmocka_unit_test(silence_sees_what_meets_a_closed_port),
        cmocka_unit_test(advance_keeps_what_comes),
        cmocka_unit_test(advance_to_the_clients_wake),
        cmocka_unit_test(what_is_left_at_the_end_fails),
        cmocka_unit_test(updates_are_passed_over),
        cmocka_unit_test(an_awaited_update_is_a_request),
        cmocka_unit_test(an_update_of_nothing_is_not_lawful),
        cmocka_unit_test(pings_are_answered),
        cmocka_unit_test(write_is_a_put_with_tlv),
        cmocka_unit_test(object_level_write_has_instances),
        cmocka_unit_test(the_wrong_code_fails),
        cmocka_unit_test(a_tolerated_code_warns),
        cmocka_unit_test(a_refusal_with_another_code_warns),
        cmocka_unit_test(a_rejected_operation_fails),
        cmocka_unit_test(an_unanswered_operation_is_retransmitted_and_fails),
        cmocka_unit_test(an_answer_within_its_time),
        cmocka_unit_test(a_separate_answer_is_acknowledged),
        cmocka_unit_test(an_answer_with_a_wrong_token),
        cmocka_unit_test(a_server_does_not_know_the_client),
        cmocka_unit_test(discover_checks_links),
        cmocka_unit_test(read_checks_values),
        cmocka_unit_test(blocks_follow_each_other),
        cmocka_unit_test(a_transfer_that_breaks_off),
        cmocka_unit_test(a_block_that_is_not_confirmed),
        cmocka_unit_test(answers_that_are_awaited_later),
        cmocka_unit_test(non_confirmable_operations),
        cmocka_unit_test(again_the_same_answer),
        cmocka_unit_test(again_another_answer),
        cmocka_unit_test(again_no_answer),
        cmocka_unit_test(raw_bytes_and_reset),
        cmocka_unit_test(a_message_of_which_all_is_chosen),
        cmocka_unit_test(a_message_and_its_answer),
        cmocka_unit_test(a_response_that_nobody_asked_for),
        cmocka_unit_test(faults_names_links),
        cmocka_unit_test(a_restart_forgets),
        cmocka_unit_test(ports_close_and_open),
        cmocka_unit_test(stop_and_exit),
        cmocka_unit_test(exit_with_another_status),
        cmocka_unit_test(an_exit_that_nobody_awaits),
        cmocka_unit_test(a_client_that_is_stuck),
        cmocka_unit_test(notes_and_gaps),
        cmocka_unit_test(repeat_so_often),
        cmocka_unit_test(repeat_until),
        cmocka_unit_test(a_loop_that_waits_for_nothing),
        cmocka_unit_test(when_a_fact_holds),
        cmocka_unit_test(scenarios_need_a_world),
        cmocka_unit_test(a_real_world),
        cmocka_unit_test(a_request_that_came_in_time_and_is_told_late),
        cmocka_unit_test(secure_servers_need_credentials),
        cmocka_unit_test(captured_values_are_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
