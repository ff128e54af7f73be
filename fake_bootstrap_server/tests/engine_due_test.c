/* SPDX-License-Identifier: Apache-2.0
 *
 * Protocol deadlines: each window at its edges, with the numbers of RFC 7252 §4.8.2 and of the hold-off's formula.
 */
#include "engine_fixture.h"

/* One attempt that is refused with 5.00, the answer leaving at `answered` (the request arrives then). */
#define REFUSED "  - request: {path: /bs, at: due(holdoff)}\n  - respond: 5.00\n"

static void scenario(const char *client, const char *steps) {
    char yaml[4096];
    snprintf(yaml, sizeof yaml, "title: t\nclient: %s\nsteps:\n%s", client, steps);
    begin(yaml);
}

/* The request leaves at `when`; what becomes of the run is the test's. */
static void attempt_at(bj_time when) {
    pass_until(when);
    client_requests(BS, POST, "/bs", "ep=dev-1");
}

/* --- hold-off --- */

static void the_first_attempt(void **state) {
    (void) state;
    static const struct {
        bj_time at;
        bool in_time;
    } cases[] = { { 10 * BJ_SECOND, true }, { 10 * BJ_SECOND - BJ_MS + 1, true }, { 10 * BJ_SECOND - BJ_MS, false },
                  { 15 * BJ_SECOND, true }, { 15 * BJ_SECOND + 999, true },       { 15 * BJ_SECOND + 1000, false } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        scenario("{bootstrap: {uri: \"coap://bs.example\", holdoff: 10s}}",
                 "  - request: {path: /bs, at: due(holdoff)}\n");
        attempt_at(cases[i].at);
        if (cases[i].in_time) {
            expect_pass();
        } else {
            expect_fail(cases[i].at < 12 * BJ_SECOND ? "not before 9.999001 s, the client sent it at 9.999000 s"
                                                     : "until 15.000999 s, the client sent it at 15.001000 s");
        }
    }
}

/* h = 3 s, cap 20 s, jitter 1.5: [3, 4.5] [6, 9] [12, 18] [20, 20] [20, 20] after each failure's arrival. */
static void growth_to_the_cap(void **state) {
    (void) state;
    static const bj_time early[] = { 3000, 6000, 12000, 20000, 20000 }, late[] = { 4500, 9000, 18000, 20000, 20000 };
    for (unsigned wrong = 0; wrong < 5; wrong++) {
        for (unsigned side = 0; side < 2; side++) {
            scenario(
                "{bootstrap: {uri: \"coap://bs.example\", holdoff: 3s}}",
                "  - repeat: 5\n    steps:\n      - request: {path: /bs, at: due(holdoff)}\n      - respond: 5.00\n");
            bj_time failed = 0;
            for (unsigned k = 0; k < wrong; k++) {
                attempt_at(failed + (k % 2 ? late[k] : early[k]) * BJ_MS);
                assert_int_equal(client_gets().code, CODE(5, 0));
                failed = taken.time;
            }
            attempt_at(side ? failed + late[wrong] * BJ_MS + BJ_MS : failed + early[wrong] * BJ_MS - BJ_MS);
            expect_fail(side ? "until" : "not before");
        }
    }
}

static void the_cap_never_shortens(void **state) {
    (void) state;
    scenario("{bootstrap: {uri: \"coap://bs.example\", holdoff: 40s}, holdoff-cap: 20s}", REFUSED REFUSED);
    attempt_at(60 * BJ_SECOND);
    client_gets();
    attempt_at(taken.time + 40 * BJ_SECOND);
    expect_pass();
    scenario("{bootstrap: {uri: \"coap://bs.example\", holdoff: 40s}, holdoff-cap: 20s}", REFUSED);
    attempt_at(60 * BJ_SECOND + BJ_MS);
    expect_fail("until 60.000999 s");
}

static void no_holdoff_is_one_second(void **state) {
    (void) state;
    scenario("{bootstrap: {uri: \"coap://bs.example\"}}", REFUSED);
    attempt_at(BJ_SECOND);
    expect_pass();
}

/* A second at least is the rule of the client of this repository, not of others. */
static void no_holdoff_is_none_without_growth(void **state) {
    (void) state;
    world_reset();
    begin_with(profile_of("name: x\ncommand: x\nholdoff-grows: false\n"),
               "title: t\nclient: {bootstrap: {uri: \"coap://bs.example\"}}\nsteps:\n" REFUSED);
    attempt_at(100 * BJ_MS);
    expect_pass();
}

static void jitter_of_the_scenario(void **state) {
    (void) state;
    scenario("{bootstrap: {uri: \"coap://bs.example\", holdoff: 10s}, holdoff-jitter: \"2.25\"}", REFUSED);
    attempt_at(22500 * BJ_MS);
    expect_pass();
    scenario("{bootstrap: {uri: \"coap://bs.example\", holdoff: 10s}, holdoff-jitter: \"1\"}", REFUSED);
    attempt_at(10001 * BJ_MS);
    expect_fail("until");
}

static void a_profile_without_growth(void **state) {
    (void) state;
    static const char yaml[] =
        "title: t\nclient: {bootstrap: {uri: \"coap://bs.example\", holdoff: 5s}}\nsteps:\n" REFUSED
        "  - request: {path: /bs, at: due(holdoff)}\n";
    world_reset();
    begin_with(profile_of("name: x\ncommand: x\nholdoff-grows: false\nholdoff-latest: 30s\n"), yaml);
    attempt_at(6 * BJ_SECOND);
    client_gets();
    attempt_at(taken.time + 5 * BJ_SECOND);
    expect_pass();
    world_reset();
    begin_with(profile_of("name: x\ncommand: x\nholdoff-grows: false\nholdoff-latest: 30s\n"), yaml);
    attempt_at(6 * BJ_SECOND);
    client_gets();
    attempt_at(taken.time + 36 * BJ_SECOND);
    expect_verdict(BJ_WARN, "long after the hold-off");
    world_reset();
    begin_with(profile_of("name: x\ncommand: x\nholdoff-grows: false\n"), yaml);
    attempt_at(6 * BJ_SECOND);
    client_gets();
    attempt_at(taken.time + 4 * BJ_SECOND);
    expect_fail("not before");
}

static void tolerance_of_a_profile(void **state) {
    (void) state;
    world_reset();
    begin_with(profile_of("name: x\ncommand: x\ntolerance: 1s\n"),
               "title: t\nclient: {bootstrap: {uri: \"coap://bs.example\", holdoff: 10s}}\nsteps:\n" REFUSED);
    attempt_at(16 * BJ_SECOND);
    expect_pass();
}

static void a_registration_resets_the_holdoff(void **state) {
    (void) state;
    scenario("{bootstrap: {uri: \"coap://bs.example\", holdoff: 2s}}", REFUSED REFUSED
             "  - request: {path: /rd}\n  - respond: 2.01\n  - request: {path: /rd}\n  - respond: 4.03\n"
             "  - silence: due(holdoff)-2ms\n  - request: {path: /bs, at: due(holdoff)}\n");
    attempt_at(2 * BJ_SECOND);
    client_gets();
    attempt_at(taken.time + 4 * BJ_SECOND);
    client_gets();
    client_requests(MGMT, POST, "/rd", NULL);
    client_gets();
    client_requests(MGMT, POST, "/rd", NULL);
    client_gets();
    attempt_at(taken.time + 2 * BJ_SECOND);
    expect_pass();
}

static void the_default_within(void **state) {
    (void) state;
    scenario("{bootstrap: {uri: \"coap://bs.example\", holdoff: 10s}}", "  - request: {path: /bs}\n");
    pass_until(15999 * BJ_MS);
    expect_running();
    pass_until(17 * BJ_SECOND);
    expect_fail("until 16.002000 s; the client sent nothing");
}

/* --- what a failure is --- */

#define NEXT "  - request: {path: /bs, at: due(holdoff)}\n"

static void next_attempt(bj_time failed) {
    attempt_at(failed + 4 * BJ_SECOND);
    expect_pass();
}

static void too_early(bj_time failed) {
    attempt_at(failed + 4 * BJ_SECOND - BJ_MS);
    expect_fail("not before");
}

static void begin_2s(const char *steps) {
    scenario("{bootstrap: {uri: \"coap://bs.example\", holdoff: 2s}}", steps);
    attempt_at(2 * BJ_SECOND);
}

static void a_reset_is_a_failure(void **state) {
    (void) state;
    begin_2s("  - request: {path: /bs}\n  - respond: {reset: true}\n" NEXT);
    client_gets();
    next_attempt(taken.time);
    begin_2s("  - request: {path: /bs}\n  - respond: {reset: true}\n" NEXT);
    client_gets();
    too_early(taken.time);
}

static void a_lost_refusal_counts_when_it_is_repeated(void **state) {
    (void) state;
    scenario("{bootstrap: {uri: \"coap://bs.example\", holdoff: 2s}}",
             "  - request: {path: /bs}\n  - respond: 5.00\n" NEXT);
    w.lose = 1;
    attempt_at(2 * BJ_SECOND);
    client_gets_nothing();
    pass(2500 * BJ_MS);
    client_repeats();
    client_gets();
    too_early(taken.time);
    scenario("{bootstrap: {uri: \"coap://bs.example\", holdoff: 2s}}",
             "  - request: {path: /bs}\n  - respond: 5.00\n" NEXT);
    w.lose = 1;
    attempt_at(2 * BJ_SECOND);
    client_gets_nothing();
    pass(2500 * BJ_MS);
    client_repeats();
    client_gets();
    next_attempt(taken.time);
}

static void an_unusable_configuration(void **state) {
    (void) state;
    begin_2s("  - request: {path: /bs}\n  - respond: 2.04\n  - finish: {expect: 2.04}\n" NEXT);
    client_gets();
    bj_coap m = client_gets();
    bj_time finished = taken.time;
    client_answers(&m, CODE(2, 4));
    next_attempt(finished);
}

static void a_refused_finish_is_no_failure(void **state) {
    (void) state;
    begin_2s(
        "  - request: {path: /bs}\n  - respond: 2.04\n  - finish: {expect: 4.06}\n  - silence: due(finish)\n" NEXT);
    client_gets();
    client_obeys(CODE(4, 6));
    next_attempt(taken.time + 247 * BJ_SECOND);
}

static void a_refused_registration(void **state) {
    (void) state;
    begin_2s("  - request: {path: /bs}\n  - respond: 2.04\n  - finish: {expect: 2.04}\n  - request: {path: /rd}\n"
             "  - respond: 4.03\n" NEXT);
    client_gets();
    client_obeys(CODE(2, 4));
    client_requests(MGMT, POST, "/rd", NULL);
    client_gets();
    next_attempt(taken.time);
}

static void log_dns(bj_event_kind kind, const char *text) {
    bj_event event = { .time = w.now, .kind = (uint8_t) kind, .actor = BJ_ACTOR_CLIENT, .text = text };
    bj_log_append(w.log, &event);
}

static void names_that_do_not_resolve(void **state) {
    (void) state;
    scenario("{bootstrap: {uri: \"coap://bs.example\", holdoff: 2s}}", NEXT);
    pass_until(2 * BJ_SECOND);
    bj_engine_dns_answered(w.engine, "bs.example", true, 0);
    bj_engine_dns_answered(w.engine, "bs.example", true, 0); /* the other family */
    next_attempt(2 * BJ_SECOND);
    begin_2s("  - request: {path: /bs}\n  - respond: 2.04\n  - finish: {expect: 2.04}\n" NEXT);
    client_gets();
    client_obeys(CODE(2, 4));
    log_dns(BJ_EV_DNS_QUERY, "nowhere.example");
    pass(17 * BJ_SECOND);
    log_dns(BJ_EV_DNS_ANSWER, "nowhere.example: SERVFAIL");
    bj_engine_dns_answered(w.engine, "nowhere.example", true, 0);
    next_attempt(w.now);
}

static void closed_ports(void **state) {
    (void) state;
    scenario("{bootstrap: {uri: \"coap://bs.example\", holdoff: 2s}}",
             "  - port: closed\n  - advance: 3s\n  - port: open\n" NEXT);
    pass_until(2 * BJ_SECOND);
    client_requests(BS, POST, "/bs", NULL);
    bj_addr to = server_address(BS);
    bj_engine_icmp(w.engine, &to, 0);
    next_attempt(w.now);
}

static void the_trigger(void **state) {
    (void) state;
    begin_2s("  - request: {path: /bs}\n  - respond: 2.04\n  - finish: {expect: 2.04}\n  - request: {path: /rd}\n"
             "  - respond: 2.01\n  - write: /1/0/9\n    server: mgmt\n    method: POST\n    format: none\n    expect: "
             "2.04\n" NEXT);
    client_gets();
    client_obeys(CODE(2, 4));
    client_requests(MGMT, POST, "/rd", NULL);
    client_gets();
    client_obeys(CODE(2, 4));
    attempt_at(taken.time + 3 * BJ_SECOND);
    expect_pass();
}

static void the_account_is_rewritten(void **state) {
    (void) state;
    begin_2s("  - request: {path: /bs}\n  - respond: 2.04\n  - write: /0/0\n    tlv: {0: \"coap://bs.example\", 1: "
             "true, 11: 7}\n"
             "    expect: 2.04\n  - finish: {expect: 2.04}\n" NEXT);
    client_gets();
    client_obeys(CODE(2, 4));
    client_obeys(CODE(2, 4));
    attempt_at(taken.time + 14 * BJ_SECOND);
    expect_pass();
}

/* The answer to Finish and the Register leave together, and the Register comes first. */
static void a_register_overtakes_the_answer(void **state) {
    (void) state;
    begin_2s("  - request: {path: /bs}\n  - respond: 2.04\n  - write: /0\n    tlv: {0: {0: \"coap://bs.example\", 1: "
             "true, 11: 7}}\n"
             "    expect: 2.04\n  - finish: {expect: 2.04}\n  - request: {path: /rd}\n  - respond: 4.03\n" NEXT);
    client_gets();
    client_obeys(CODE(2, 4));
    bj_coap m = client_gets();
    bj_coap request = { .version = 1, .code = POST, .mid = 1, .token_length = 1, .token = { 1 } };
    bj_coap_add_path(&request, BJ_COAP_URI_PATH, "/rd");
    bj_addr mgmt = server_address(MGMT);
    client_sends(&mgmt, &request);
    client_answers(&m, CODE(2, 4));
    client_gets();
    attempt_at(taken.time + 14 * BJ_SECOND);
    expect_pass();
}

static void a_client_that_is_registered_needs_no_bootstrap(void **state) {
    (void) state;
    scenario("{bootstrap: {uri: \"coap://bs.example\"}}",
             "  - request: {path: /rd}\n  - respond: 2.01\n  - silence: due(holdoff)\n");
    client_requests(MGMT, POST, "/rd", NULL);
    expect_verdict(BJ_ERROR, "due(holdoff): the client is registered: nothing calls for a bootstrap");
}

/* --- Finish: EXCHANGE_LIFETIME, RFC 7252 §4.8.2 --- */

static void finish_timeout(const char *transmission, bj_time lifetime) {
    char yaml[1024];
    snprintf(yaml, sizeof yaml,
             SCENARIO_1S
             "transmission: %s\nsteps:\n  - request: {path: /bs}\n  - respond: 2.04\n  - silence: due(finish)\n",
             transmission);
    begin(yaml);
    attempt_at(1200 * BJ_MS);
    client_gets();
    pass_until(taken.time + lifetime - 1);
    expect_running();
    pass_until(taken.time + lifetime);
    expect_pass();
}

static void exchange_lifetimes(void **state) {
    (void) state;
    finish_timeout("{}", 247 * BJ_SECOND);
    finish_timeout("{ack-timeout: 3s}", 270500 * BJ_MS);
    finish_timeout("{ack-timeout: 1s, ack-random-factor: \"1\", max-retransmit: 1}", 202 * BJ_SECOND);
    finish_timeout("{ack-timeout: 2s, ack-random-factor: \"1\", max-retransmit: 0}", 202 * BJ_SECOND);
    finish_timeout("{ack-timeout: 30s, ack-random-factor: \"1\", max-retransmit: 1}", 260 * BJ_SECOND);
    finish_timeout("{ack-timeout: 5s, max-retransmit: 3}", 257500 * BJ_MS);
}

static void a_commands_arrival_counts(void **state) {
    (void) state;
    begin_2s("  - request: {path: /bs}\n  - respond: 2.04\n  - advance: 100s\n  - delete: /0\n  - finish: {at: "
             "due(finish)-1ms, expect: 2.04}\n");
    client_gets();
    pass(101 * BJ_SECOND);
    bj_coap m = client_gets();
    bj_time commanded = taken.time;
    client_answers(&m, CODE(2, 2));
    pass(300 * BJ_SECOND);
    client_gets();
    assert_int_equal(taken.time, commanded + 247 * BJ_SECOND - BJ_MS);
}

static void a_finish_after_the_deadline_does_not_count(void **state) {
    (void) state;
    begin_2s("  - request: {path: /bs}\n  - respond: 2.04\n  - finish: {at: due(finish)+1ms, wait: false}\n" NEXT);
    client_gets();
    bj_time answered = taken.time;
    pass_until(answered + 247 * BJ_SECOND + BJ_MS);
    client_gets();
    assert_int_equal(taken.time, answered + 247 * BJ_SECOND + BJ_MS);
    next_attempt(answered + 247 * BJ_SECOND);
}

static void a_profiles_finish_timeout(void **state) {
    (void) state;
    world_reset();
    begin_with(profile_of("name: x\ncommand: x\nfinish-timeout: 93s\n"),
               SCENARIO_1S "steps:\n  - request: {path: /bs}\n  - respond: 2.04\n  - silence: due(finish)\n");
    attempt_at(1200 * BJ_MS);
    client_gets();
    pass_until(taken.time + 93 * BJ_SECOND);
    expect_pass();
}

static void a_deadline_that_has_passed(void **state) {
    (void) state;
    begin_2s("  - request: {path: /bs}\n  - respond: 2.04\n  - advance: 300s\n  - finish: {at: due(finish)}\n");
    client_gets();
    pass(301 * BJ_SECOND);
    expect_verdict(BJ_ERROR, "due(finish): it has passed already");
}

static void no_session_no_deadline(void **state) {
    (void) state;
    begin_2s("  - request: {path: /bs}\n  - respond: 4.00\n  - silence: due(finish)\n");
    expect_verdict(BJ_ERROR, "due(finish): no bootstrap session is open");
}

/* --- retransmission, giving up --- */

static void retransmit_at(bj_time when) {
    pass_until(when);
    client_repeats();
}

static void retransmissions_double(void **state) {
    (void) state;
    begin_2s("  - request: {path: /bs}\n  - retransmission: 1\n  - retransmission: 2\n  - retransmission: 3\n");
    retransmit_at(4500 * BJ_MS);
    retransmit_at(9500 * BJ_MS);
    retransmit_at(19500 * BJ_MS + BJ_MS);
    expect_pass();
    begin_2s("  - request: {path: /bs}\n  - retransmission: 1\n  - retransmission: 2\n");
    retransmit_at(4500 * BJ_MS);
    retransmit_at(9490 * BJ_MS);
    expect_fail("expected retransmission 2 not before");
    begin_2s("  - request: {path: /bs}\n  - retransmission: 1\n");
    retransmit_at(3990 * BJ_MS);
    expect_fail("expected retransmission 1 not before 3.999001 s, the client sent it at 3.990000 s");
    begin_2s("  - request: {path: /bs}\n  - retransmission: 1\n");
    pass(10 * BJ_SECOND);
    expect_fail("expected retransmission 1 until 5.000999 s; the client sent nothing");
}

static void a_new_request_is_no_retransmission(void **state) {
    (void) state;
    begin_2s("  - request: {path: /bs}\n  - retransmission: 1\n");
    attempt_at(4500 * BJ_MS);
    expect_fail("expected retransmission 1, the client sent POST /bs?ep=dev-1 to bs");
}

/* Measured T = 2.5 s: given up after 2.5 * 31 s. */
static void giving_up_follows_the_measured_timeout(void **state) {
    (void) state;
    begin_2s("  - request: {path: /bs}\n  - retransmission: 1\n  - silence: due(giveup)\n  - request: {path: /bs, at: "
             "due(holdoff)}\n");
    retransmit_at(4500 * BJ_MS);
    retransmit_at(9500 * BJ_MS);
    retransmit_at(19500 * BJ_MS);
    retransmit_at(39500 * BJ_MS);
    attempt_at(79500 * BJ_MS + 4 * BJ_SECOND);
    expect_pass();
}

static void giving_up_unmeasured_is_a_range(void **state) {
    (void) state;
    begin_2s("  - request: {path: /bs}\n  - request: {path: /bs, at: due(holdoff)}\n");
    attempt_at(2 * BJ_SECOND + 62 * BJ_SECOND + 4 * BJ_SECOND);
    expect_pass();
    begin_2s("  - request: {path: /bs}\n  - request: {path: /bs, at: due(holdoff)}\n");
    attempt_at(2 * BJ_SECOND + 93 * BJ_SECOND + 6 * BJ_SECOND);
    expect_pass();
    begin_2s("  - request: {path: /bs}\n  - request: {path: /bs, at: due(holdoff)}\n");
    attempt_at(2 * BJ_SECOND + 61 * BJ_SECOND + 4 * BJ_SECOND);
    expect_fail("not before");
}

/* --- lifetime --- */

static void the_registrations_lifetime(void **state) {
    (void) state;
    begin_2s("  - request: {path: /bs}\n  - respond: 2.04\n  - finish: {expect: 2.04}\n  - request: {path: /rd}\n"
             "  - respond: {code: 2.01, location: /rd/1}\n  - request: {path: /rd/1, at: ..due(lifetime)}\n");
    client_gets();
    client_obeys(CODE(2, 4));
    client_requests(MGMT, POST, "/rd", "ep=dev-1&lt=60");
    client_gets();
    pass_until(taken.time + 60 * BJ_SECOND);
    client_requests(MGMT, POST, "/rd/1", NULL);
    expect_pass();
    begin_2s("  - request: {path: /rd}\n");
    expect_fail("expected a request to /rd, the client sent POST /bs?ep=dev-1 to bs");
}

/* --- an attempt that begins with a slow look-up --- */

static void a_slow_lookup_is_part_of_the_attempt(void **state) {
    (void) state;
    scenario("{bootstrap: {uri: \"coap://bs.example\", holdoff: 2s}}", NEXT);
    pass_until(2500 * BJ_MS);
    log_dns(BJ_EV_DNS_QUERY, "bs.example");
    pass(10 * BJ_SECOND);
    expect_running();
    log_dns(BJ_EV_DNS_ANSWER, "bs.example = 192.0.2.10");
    bj_engine_dns_answered(w.engine, "bs.example", false, 0);
    client_requests(BS, POST, "/bs", NULL);
    expect_pass();
}

/* --- what is no failure --- */

static void one_family_without_an_address(void **state) {
    (void) state;
    scenario("{bootstrap: {uri: \"coap://bs.example\", holdoff: 2s}}", NEXT);
    bj_engine_dns_answered(w.engine, "bs.example", true, 0); /* IPv6 */
    bj_engine_dns_answered(w.engine, "bs.example", false, 0);
    attempt_at(2 * BJ_SECOND);
    expect_pass();
}

static void a_failed_attempt_keeps_its_time(void **state) {
    (void) state;
    begin_2s("  - request: {path: /bs}\n  - respond: 5.00\n" NEXT);
    client_gets();
    bj_time failed = taken.time;
    pass(3 * BJ_SECOND);
    bj_engine_dns_answered(w.engine, "bs.example", true, 0);
    bj_engine_dns_answered(w.engine, "bs.example", false, 0);
    next_attempt(failed);
}

static void a_pack_request_comes_first(void **state) {
    (void) state;
    scenario("{bootstrap: {uri: \"coap://bs.example\", holdoff: 2s}}", NEXT "  - respond: 5.00\n" NEXT);
    pass_until(2 * BJ_SECOND);
    client_requests(BS, GET, "/bspack", "ep=dev-1");
    assert_int_equal(client_gets().code, CODE(5, 1));
    client_requests(BS, POST, "/bs", "ep=dev-1");
    assert_int_equal(client_gets().code, CODE(5, 0));
    next_attempt(taken.time); /* one failure, not two */
}

static void a_pack_request_is_an_attempt(void **state) {
    (void) state;
    scenario("{bootstrap: {uri: \"coap://bs.example\", holdoff: 2s}}", "  - silence: 1s\n");
    client_requests(BS, GET, "/bspack", "ep=dev-1");
    expect_fail("the client sent GET /bspack");
    scenario("{bootstrap: {uri: \"coap://bs.example\", holdoff: 2s}}", NEXT);
    client_requests(BS, GET, "/bspack", "ep=dev-1");
    client_gets();
    client_requests(BS, POST, "/bs", "ep=dev-1");
    expect_fail("not before");
}

static void a_register_may_take_its_time(void **state) {
    (void) state;
    begin_2s("  - request: {path: /bs}\n  - respond: 2.04\n  - finish: {expect: 2.04}\n  - request: {path: /rd}\n");
    client_gets();
    client_obeys(CODE(2, 4));
    pass(99 * BJ_SECOND);
    client_requests(MGMT, POST, "/rd", "ep=dev-1");
    expect_pass();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_attempt),
        cmocka_unit_test(growth_to_the_cap),
        cmocka_unit_test(the_cap_never_shortens),
        cmocka_unit_test(no_holdoff_is_one_second),
        cmocka_unit_test(no_holdoff_is_none_without_growth),
        cmocka_unit_test(jitter_of_the_scenario),
        cmocka_unit_test(a_profile_without_growth),
        cmocka_unit_test(tolerance_of_a_profile),
        cmocka_unit_test(a_registration_resets_the_holdoff),
        cmocka_unit_test(the_default_within),
        cmocka_unit_test(a_reset_is_a_failure),
        cmocka_unit_test(a_lost_refusal_counts_when_it_is_repeated),
        cmocka_unit_test(an_unusable_configuration),
        cmocka_unit_test(a_refused_finish_is_no_failure),
        cmocka_unit_test(a_refused_registration),
        cmocka_unit_test(names_that_do_not_resolve),
        cmocka_unit_test(closed_ports),
        cmocka_unit_test(the_trigger),
        cmocka_unit_test(the_account_is_rewritten),
        cmocka_unit_test(a_register_overtakes_the_answer),
        cmocka_unit_test(a_client_that_is_registered_needs_no_bootstrap),
        cmocka_unit_test(exchange_lifetimes),
        cmocka_unit_test(a_commands_arrival_counts),
        cmocka_unit_test(a_finish_after_the_deadline_does_not_count),
        cmocka_unit_test(a_profiles_finish_timeout),
        cmocka_unit_test(a_deadline_that_has_passed),
        cmocka_unit_test(no_session_no_deadline),
        cmocka_unit_test(retransmissions_double),
        cmocka_unit_test(a_new_request_is_no_retransmission),
        cmocka_unit_test(giving_up_follows_the_measured_timeout),
        cmocka_unit_test(giving_up_unmeasured_is_a_range),
        cmocka_unit_test(the_registrations_lifetime),
        cmocka_unit_test(a_slow_lookup_is_part_of_the_attempt),
        cmocka_unit_test(one_family_without_an_address),
        cmocka_unit_test(a_failed_attempt_keeps_its_time),
        cmocka_unit_test(a_pack_request_comes_first),
        cmocka_unit_test(a_pack_request_is_an_attempt),
        cmocka_unit_test(a_register_may_take_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
