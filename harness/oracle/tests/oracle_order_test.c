/* SPDX-License-Identifier: Apache-2.0
 *
 * The order in which oracles see events: what a record of DTLS carried, which the log tells when it arrives, counts
 * from the moment on at which the client said it; and a record of which nothing is ever told holds nothing up.
 */
#include "oracle_fixture.h"

/* The client says it in a record of DTLS; nobody knows yet what it is. */
static uint32_t sends_record(unsigned ms) {
    static const uint8_t record[20] = { 23, 254, 253, 0, 1 };
    return client_raw(ms, BS, record, sizeof record);
}

static uint32_t arrives(unsigned ms, uint32_t sent) {
    return put_event((bj_event){
        .kind = BJ_EV_RECEIVED, .actor = BS, .time = ms * BJ_MS, .cause = sent, .from = local, .to = address_of(BS) });
}

/* What the server reads in it. */
static void says(unsigned ms, uint32_t arrival, const msg *m) {
    uint8_t bytes[64];
    put_event((bj_event){ .kind = BJ_EV_PLAIN_RECEIVED,
                          .actor = BS,
                          .time = ms * BJ_MS,
                          .cause = arrival,
                          .number = -1,
                          .from = local,
                          .to = address_of(BS),
                          .raw = bytes,
                          .raw_length = encode(m, bytes, sizeof bytes, false) });
}

/* The answer with that Message ID. */
static void is_read(unsigned ms, uint32_t arrival, uint16_t mid, uint8_t code) {
    says(ms, arrival, &(msg){ .type = BJ_COAP_ACK, .code = code, .mid = mid, .token = "to" });
}

static void asks_secretly(unsigned ms) {
    says(ms + 1, arrives(ms + 1, sends_record(ms)),
         &(msg){ .type = BJ_COAP_CON, .code = POST, .mid = 1, .token = "tb", .path = "/bs", .query = { "ep=dev-1" } });
}

/* A session up to the Finish, which is not answered yet: at 10.9 s. A command behind it, so that it is not the last. */
static void is_told_to_finish(void) {
    opens();
    writes_security(10200, 100, "/0/1", "coap://mgmt.example", false, 101, C(2, 4));
    writes_server(10300, 101, "/1/0", 101, 300, C(2, 4));
    SERVER(10900, BS, .type = BJ_COAP_CON, .code = POST, .mid = 102, .token = "to", .path = "/bs");
    SERVER(10900, BS, .type = BJ_COAP_CON, .code = GET, .mid = 103, .token = "to", .path = "/", .accept = 41);
}

static const uint8_t record[20] = { 23, 254, 253, 0, 1 };

static void fault(unsigned ms, uint32_t cause, const char *text) {
    put_event((bj_event){
        .kind = BJ_EV_FAULT, .time = ms * BJ_MS, .cause = cause, .text = text, .text_length = strlen(text) });
}

/* The server says it in a record of DTLS, which a fault strikes or not, and which arrives like this. */
static void struck_record(unsigned ms, const msg *m, const char *how, const uint8_t *arriving) {
    uint8_t bytes[64];
    bj_event event = { .kind = BJ_EV_SENT,
                       .actor = BS,
                       .time = ms * BJ_MS,
                       .from = address_of(BS),
                       .to = local,
                       .raw = record,
                       .raw_length = sizeof record };
    uint32_t carrier = put_event(event);
    if (how) {
        fault(ms, carrier, how);
    }
    bj_event plain = event;
    plain.kind = BJ_EV_PLAIN_SENT;
    plain.cause = carrier;
    plain.number = -1;
    plain.raw = bytes;
    plain.raw_length = encode(m, bytes, sizeof bytes, false);
    put_event(plain);
    event.kind = BJ_EV_RECEIVED;
    event.actor = BJ_ACTOR_CLIENT;
    event.cause = carrier;
    event.raw = arriving;
    put_event(event);
}

static void server_record(unsigned ms, const msg *m) {
    struck_record(ms, m, NULL, record);
}

/* RFC 6347 §4.1.2.7: what does not authenticate is passed over. */
static void what_was_in_a_damaged_record_was_not_read(void **state) {
    (void) state;
    static const uint8_t damaged[20] = { 23, 254, 253, 0, 1, [19] = 1 };
    fault(9000, 0, "on: corrupt, from any to any");
    asks(10000, 1);
    struck_record(10100, &(msg){ .type = BJ_COAP_ACK, .code = C(4, 0), .mid = 1, .token = "tb" },
                  "struck: corrupt, from any to any", damaged);
    server_record(10110, &(msg){ .type = BJ_COAP_ACK, .code = C(2, 4), .mid = 1, .token = "tb" });
    writes_security(10200, 100, "/0/1", "coap://mgmt.example", false, 101, C(2, 4));
    writes_server(10300, 101, "/1/0", 101, 300, C(2, 4));
    command(10900, 102, POST, "/bs", C(2, 4));
    registers(11000, 50, "lt=300");
    judge(12000);
    assert_nothing_broken();
}

/* A byte behind its end. */
static void what_a_fault_left_as_it_was_is_read(void **state) {
    (void) state;
    fault(9000, 0, "on: corrupt byte 11544, from any to any");
    opens();
    struck_record(10200, &(msg){ .type = BJ_COAP_CON, .code = DELETE_, .mid = 9, .token = "to", .path = "/1" },
                  "struck: corrupt byte 11544, from any to any", record);
    answers(10210, BS, 9, C(2, 2));
    judge(12000);
    assert_nothing_broken();
}

static void what_is_told_later_counts_from_when_it_was_said(void **state) {
    (void) state;
    is_told_to_finish();
    uint32_t finished = sends_record(10901), refused = sends_record(10902);
    registers(10903, 50, "lt=300");
    is_read(10951, arrives(10951, finished), 102, C(2, 4));
    is_read(10952, arrives(10952, refused), 103, C(4, 0));
    judge(12000);
    assert_nothing_broken();
}

static void what_was_never_said_counts_never(void **state) {
    (void) state;
    is_told_to_finish();
    uint32_t refused = sends_record(10902);
    registers(10903, 50, "lt=300");
    is_read(10952, arrives(10952, refused), 103, C(4, 0));
    judge(12000);
    assert_broken(BJ_RULE_BS_REGISTER, "before any bootstrap has ended");
}

static void a_lost_record_holds_nothing_up(void **state) {
    (void) state;
    is_told_to_finish();
    put_event((bj_event){ .kind = BJ_EV_LOST, .time = 10901 * BJ_MS, .cause = sends_record(10901) });
    registers(10903, 50, "lt=300");
    judge(10904);
    assert_broken(BJ_RULE_BS_REGISTER, "before any bootstrap has ended");
}

static void a_record_that_a_server_passes_over_holds_nothing_up(void **state) {
    (void) state;
    is_told_to_finish();
    arrives(10902, sends_record(10901));
    registers(10903, 50, "lt=300");
    judge(10904);
    assert_broken(BJ_RULE_BS_REGISTER, "before any bootstrap has ended");
}

static void what_waits_at_the_end_is_judged(void **state) {
    (void) state;
    is_told_to_finish();
    sends_record(10901);
    registers(10903, 50, "lt=300");
    judge(10904);
    assert_broken(BJ_RULE_BS_REGISTER, "before any bootstrap has ended");
}

/* A command overtook the answer to the Bootstrap-Request. The client has taken the Finish, and the record that says so
 * is lost; then comes the answer, which is a refusal, too late. */
static void a_refusal_behind_a_finish_leaves_its_outcome_open(void **state) {
    (void) state;
    asks(10000, 1);
    writes_security(10200, 100, "/0/1", "coap://mgmt.example", false, 101, C(2, 4));
    writes_server(10300, 101, "/1/0", 101, 300, C(2, 4));
    server_record(10900, &(msg){ .type = BJ_COAP_CON, .code = POST, .mid = 102, .token = "to", .path = "/bs" });
    put_event((bj_event){ .kind = BJ_EV_LOST, .time = 10901 * BJ_MS, .cause = sends_record(10901) });
    SERVER(10902, BS, .type = BJ_COAP_ACK, .code = C(4, 0), .mid = 1, .token = "tb");
    registers(10903, 50, "lt=300");
    judge(10904);
    assert_nothing_broken();
}

/* As is_told_to_finish(), in a record of DTLS, and with nothing behind it. */
static void is_secretly_told_to_finish(void) {
    opens();
    writes_security(10200, 100, "/0/1", "coap://mgmt.example", false, 101, C(2, 4));
    writes_server(10300, 101, "/1/0", 101, 300, C(2, 4));
    server_record(10900, &(msg){ .type = BJ_COAP_CON, .code = POST, .mid = 102, .token = "to", .path = "/bs" });
}

/* Nor when the client begins anew, for there is nobody there where it registered. */
static void a_finish_whose_answer_is_lost_stays_open(void **state) {
    (void) state;
    is_secretly_told_to_finish();
    put_event((bj_event){ .kind = BJ_EV_LOST, .time = 10901 * BJ_MS, .cause = sends_record(10901) });
    registers(10903, 50, "lt=300");
    SERVER(10904, MGMT, .type = BJ_COAP_ACK, .code = C(4, 0), .mid = 50, .token = "tr");
    asks(300000, 2);
    SERVER(300010, BS, .type = BJ_COAP_ACK, .code = C(2, 4), .mid = 2, .token = "tb");
    command(300020, 200, POST, "/bs", C(2, 4));
    registers(301000, 51, "lt=300"); /* with what it was told the first time */
    judge(302000);
    assert_nothing_broken();
}

/* The answer to the Finish is lost, that to its repetition is not: the hold-off runs since the first. */
static void asks_behind_a_repeated_finish(unsigned ms) {
    static const msg finish = { .type = BJ_COAP_CON, .code = POST, .mid = 102, .token = "to", .path = "/bs" };
    opens();
    server_record(10900, &finish);
    put_event((bj_event){ .kind = BJ_EV_LOST, .time = 10901 * BJ_MS, .cause = sends_record(10901) });
    server_record(13900, &finish);
    uint32_t answer = sends_record(13901);
    is_read(13902, arrives(13902, answer), 102, C(2, 4));
    asks(ms, 2);
    judge(ms + 1);
}

static void a_hold_off_counts_from_the_first_finish(void **state) {
    (void) state;
    asks_behind_a_repeated_finish(21000);
    assert_nothing_broken();
}

static void less_than_that_is_found(void **state) {
    (void) state;
    asks_behind_a_repeated_finish(20000);
    assert_broken(BJ_RULE_BS_HOLDOFF, "s after the last");
}

/* The client is in no session any more when it refuses what came behind the Finish. */
static void a_finish_whose_answer_is_lost_stays_open_behind_a_refusal(void **state) {
    (void) state;
    is_secretly_told_to_finish();
    server_record(10900, &(msg){ .type = BJ_COAP_CON, .code = POST, .mid = 103, .token = "to", .path = "/bs" });
    server_record(10900, &(msg){ .type = BJ_COAP_CON, .code = DELETE_, .mid = 104, .token = "to", .path = "/1" });
    put_event((bj_event){ .kind = BJ_EV_LOST, .time = 10901 * BJ_MS, .cause = sends_record(10901) });
    uint32_t refusal = sends_record(10902);
    registers(10903, 50, "lt=300");
    is_read(10904, arrives(10904, refusal), 103, C(4, 0));
    judge(10910);
    assert_nothing_broken();
}

/* What is done behind it shows that the session goes on, and that it was refused. */
static void a_finish_behind_which_a_command_is_done_was_refused(void **state) {
    (void) state;
    is_secretly_told_to_finish();
    server_record(10900, &(msg){ .type = BJ_COAP_CON, .code = DELETE_, .mid = 104, .token = "to", .path = "/3442" });
    put_event((bj_event){ .kind = BJ_EV_LOST, .time = 10901 * BJ_MS, .cause = sends_record(10901) });
    is_read(10903, arrives(10903, sends_record(10902)), 104, C(2, 2));
    registers(10904, 50, "lt=300");
    judge(10910);
    assert_broken(BJ_RULE_BS_REGISTER, "before any bootstrap has ended");
}

/* The end of the session overtook it: no server can read it any more. */
static void a_finish_whose_answer_is_passed_over_stays_open(void **state) {
    (void) state;
    is_secretly_told_to_finish();
    arrives(10902, sends_record(10901));
    registers(10903, 50, "lt=300");
    SERVER(10904, MGMT, .type = BJ_COAP_ACK, .code = C(4, 0), .mid = 50, .token = "tr");
    asks(300000, 2);
    judge(300001);
    assert_nothing_broken();
}

static void starts_anew(void) {
    put_event((bj_event){ .kind = BJ_EV_CLIENT_SIGNAL, .time = 12000 * BJ_MS, .number = 15 });
    put_event((bj_event){ .kind = BJ_EV_CLIENT_EXIT, .actor = BJ_ACTOR_CLIENT, .time = 12001 * BJ_MS });
    put_event((bj_event){ .kind = BJ_EV_CLIENT_START, .actor = BJ_ACTOR_CLIENT, .time = 20000 * BJ_MS });
}

/* Nobody knows what the client had saved: it goes on with what it was told, or asks again. */
static void a_finish_whose_answer_is_passed_over_stays_open_in_the_next_life(void **state) {
    for (unsigned i = 0; i < 2; i++) {
        tear_down(state);
        set_up(state);
        config.persistent = true;
        is_secretly_told_to_finish();
        arrives(10902, sends_record(10901));
        registers(10903, 50, "lt=300");
        starts_anew();
        i ? registers(20001, 51, "lt=300") : asks(40000, 2);
        judge(41000);
        assert_nothing_broken();
    }
}

static void a_finish_that_was_refused_is_none_in_the_next_life(void **state) {
    (void) state;
    config.persistent = true;
    opens();
    server_record(10900, &(msg){ .type = BJ_COAP_CON, .code = POST, .mid = 102, .token = "to", .path = "/bs" });
    uint32_t refused = sends_record(10901);
    is_read(10902, arrives(10902, refused), 102, C(4, 6));
    starts_anew();
    registers(20001, 51, "lt=300");
    judge(41000);
    assert_broken(BJ_RULE_BS_REGISTER, "before any bootstrap has ended");
}

/* A Register that was refused made the next attempt necessary, and not that no Finish came. */
static void a_finish_whose_answer_is_lost_ends_the_wait_for_it(void **state) {
    (void) state;
    is_secretly_told_to_finish();
    put_event((bj_event){ .kind = BJ_EV_LOST, .time = 10901 * BJ_MS, .cause = sends_record(10901) });
    registers(10903, 50, "lt=300");
    SERVER(10904, MGMT, .type = BJ_COAP_ACK, .code = C(4, 0), .mid = 50, .token = "tr");
    asks(21000, 2);
    judge(22000);
    assert_nothing_broken();
}

/* With it the hold-off that was written may count. */
static void a_finish_whose_answer_is_lost_may_make_the_hold_off_shorter(void **state) {
    (void) state;
    opens();
    SERVER(10150, BS, .type = BJ_COAP_CON, .code = PUT, .mid = 99, .token = "to", .path = "/0/0/11", .format = 1,
           .payload = "1");
    answers(10160, BS, 99, C(2, 4));
    writes_security(10200, 100, "/0/1", "coap://mgmt.example", false, 101, C(2, 4));
    writes_server(10300, 101, "/1/0", 101, 300, C(2, 4));
    server_record(10900, &(msg){ .type = BJ_COAP_CON, .code = POST, .mid = 102, .token = "to", .path = "/bs" });
    put_event((bj_event){ .kind = BJ_EV_LOST, .time = 10901 * BJ_MS, .cause = sends_record(10901) });
    registers(10903, 50, "lt=300");
    SERVER(10904, MGMT, .type = BJ_COAP_ACK, .code = C(4, 0), .mid = 50, .token = "tr");
    asks(12000, 2);
    judge(12001);
    assert_nothing_broken();
}

/* What is too short for a record, GnuTLS takes for the beginning of the next, which it then passes over. */
static void what_comes_in_clear_may_cost_the_record_behind_it(void **state) {
    (void) state;
    static const msg refused = { .type = BJ_COAP_ACK, .code = C(5, 0), .mid = 1, .token = "tb" };
    asks_secretly(10000);
    server_raw(10002, BS, "\x40\x00\x00\x01", 4);
    server_record(10002, &refused);
    asks_secretly(12600);
    judge(13000);
    assert_nothing_broken();
}

static void a_repetition_under_dtls_is_found(void **state) {
    (void) state;
    static const msg refused = { .type = BJ_COAP_ACK, .code = C(5, 0), .mid = 1, .token = "tb" };
    asks_secretly(10000);
    server_record(10002, &refused);
    asks_secretly(12600);
    judge(13000);
    assert_broken(BJ_RULE_COAP_RETRANSMIT, "after it was acknowledged");
}

/* Of a record that was minutes on its way, behind so many events that nothing waits for it any more, or that it is
 * forgotten; a copy of what is in it was seen before, or not. */
static void the_repetition_arrives_late(bool seen, unsigned events, unsigned ms) {
    if (seen) {
        asks_secretly(10000);
    } else {
        put_event((bj_event){ .kind = BJ_EV_LOST, .time = 10001 * BJ_MS, .cause = sends_record(10000) });
    }
    uint32_t slow = sends_record(12600);
    for (unsigned i = 0; i < events; i++) {
        put_event((bj_event){ .kind = BJ_EV_CLIENT_STATE, .actor = BJ_ACTOR_CLIENT, .time = 12600 * BJ_MS });
    }
    says(300001, arrives(300001, sends_record(300000)),
         &(msg){ .type = BJ_COAP_CON, .code = POST, .mid = 2, .token = "tc", .path = "/bs", .query = { "ep=dev-1" } });
    says(ms, arrives(ms, slow),
         &(msg){ .type = BJ_COAP_CON, .code = POST, .mid = 1, .token = "tb", .path = "/bs", .query = { "ep=dev-1" } });
    judge(ms + 1);
}

static void what_was_on_its_way_for_long_begins_no_attempt(void **state) {
    static const unsigned events[] = { 10, 300, 2000 };
    for (unsigned i = 0; i < 6; i++) {
        tear_down(state);
        set_up(state);
        the_repetition_arrives_late(i % 2, events[i / 2], 303000);
        assert_nothing_broken();
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_was_in_a_damaged_record_was_not_read),
        TEST(what_a_fault_left_as_it_was_is_read),
        TEST(what_is_told_later_counts_from_when_it_was_said),
        TEST(what_was_never_said_counts_never),
        TEST(a_lost_record_holds_nothing_up),
        TEST(a_record_that_a_server_passes_over_holds_nothing_up),
        TEST(what_waits_at_the_end_is_judged),
        TEST(a_refusal_behind_a_finish_leaves_its_outcome_open),
        TEST(a_finish_whose_answer_is_lost_stays_open),
        TEST(a_finish_whose_answer_is_passed_over_stays_open),
        TEST(a_finish_whose_answer_is_passed_over_stays_open_in_the_next_life),
        TEST(a_finish_that_was_refused_is_none_in_the_next_life),
        TEST(a_finish_whose_answer_is_lost_ends_the_wait_for_it),
        TEST(a_finish_whose_answer_is_lost_may_make_the_hold_off_shorter),
        TEST(a_finish_whose_answer_is_lost_stays_open_behind_a_refusal),
        TEST(a_hold_off_counts_from_the_first_finish),
        TEST(less_than_that_is_found),
        TEST(a_finish_behind_which_a_command_is_done_was_refused),
        TEST(what_was_on_its_way_for_long_begins_no_attempt),
        TEST(what_comes_in_clear_may_cost_the_record_behind_it),
        TEST(a_repetition_under_dtls_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
