/* SPDX-License-Identifier: Apache-2.0
 *
 * What carries the messages: transports and URIs, handshakes by hand, alerts that nobody sent.
 */
#include "oracle_fixture.h"

enum { SECURE_PORT = 5684, ROOM = 400 };

/* What the client has from the factory beside its bootstrap account: a server at that URI. */
static void has_server(const char *uri, unsigned mode, const char *identity) {
    config.accounts[1] = (bj_oracle_account){ .uri = uri,
                                              .instance = 1,
                                              .ssid = 1,
                                              .lifetime_s = 300,
                                              .binding = "U",
                                              .mode = mode,
                                              .identity = (const uint8_t *) identity,
                                              .identity_length = identity ? strlen(identity) : 0 };
    config.account_count = 2;
}

static bj_addr port_of(int server, uint16_t port) {
    bj_addr address = address_of(server);
    address.port = port;
    return address;
}

static size_t put(uint8_t *out, const void *bytes, size_t length) {
    memcpy(out, bytes, length);
    return length;
}

static size_t put_number(uint8_t *out, size_t width, size_t value) {
    for (size_t i = width; i--; value >>= 8) {
        out[i] = (uint8_t) value;
    }
    return width;
}

/* A record of DTLS with one handshake message. */
static void sends_handshake(unsigned ms, bj_addr to, unsigned type, const uint8_t *body, size_t length) {
    uint8_t record[ROOM] = { 22, 254, 253 };
    size_t at = 11 + put_number(record + 11, 2, 12 + length);
    at += put_number(record + at, 1, type);
    at += put_number(record + at, 3, length);
    at += put_number(record + at, 2, 0);
    at += put_number(record + at, 3, 0);
    at += put_number(record + at, 3, length);
    at += put(record + at, body, length);
    put_event((bj_event){ .kind = BJ_EV_SENT,
                          .actor = BJ_ACTOR_CLIENT,
                          .time = ms * BJ_MS,
                          .from = local,
                          .to = to,
                          .raw = record,
                          .raw_length = at });
}

/* A ClientHello that asks for that host; NULL: for none. */
static void greets(unsigned ms, bj_addr to, const char *host) {
    uint8_t body[ROOM] = { 254, 253 };
    size_t at = 34, length = host ? strlen(host) : 0;
    at += put_number(body + at, 1, 0); /* session */
    at += put_number(body + at, 1, 0); /* cookie */
    at += put_number(body + at, 2, 2);
    at += put_number(body + at, 2, 0xc0a8);
    at += put_number(body + at, 2, 0x0100); /* one compression method: none */
    at += put_number(body + at, 2, host ? length + 9 : 0);
    if (host) {
        at += put_number(body + at, 2, 0);
        at += put_number(body + at, 2, length + 5);
        at += put_number(body + at, 2, length + 3);
        at += put_number(body + at, 1, 0);
        at += put_number(body + at, 2, length);
        at += put(body + at, host, length);
    }
    sends_handshake(ms, to, 1, body, at);
}

static void says_who_it_is(unsigned ms, bj_addr to, const char *identity) {
    uint8_t body[ROOM];
    size_t at = put_number(body, 2, strlen(identity));
    at += put(body + at, identity, strlen(identity));
    sends_handshake(ms, to, 16, body, at);
}

static void registers_at(unsigned ms, bj_addr to) {
    uint8_t bytes[ROOM];
    size_t length = encode(&(msg){ .type = BJ_COAP_NON,
                                   .code = POST,
                                   .mid = 900,
                                   .token = "tr",
                                   .path = "/rd",
                                   .query = { "ep=dev-1", "lt=300" },
                                   .format = 41,
                                   .payload = "</3/0>" },
                           bytes, sizeof bytes, false);
    put_event((bj_event){ .kind = BJ_EV_SENT,
                          .actor = BJ_ACTOR_CLIENT,
                          .time = ms * BJ_MS,
                          .from = local,
                          .to = to,
                          .raw = bytes,
                          .raw_length = length });
}

/* --- transports ----------------------------------------------------------------------------------------------- */

static void a_request_in_clear_to_a_coaps_uri_breaks_the_rule(void **state) {
    (void) state;
    has_server("coaps://mgmt.example", 0, "me");
    registers_at(1000, port_of(MGMT, SECURE_PORT));
    judge(2000);
    assert_broken(BJ_RULE_SEC_PSK, "in clear");
}

static void a_handshake_with_a_coap_uri_breaks_the_rule(void **state) {
    (void) state;
    has_server("coap://mgmt.example", 3, NULL);
    greets(1000, port_of(MGMT, 5683), "mgmt.example");
    judge(2000);
    assert_broken(BJ_RULE_SEC_PSK, "the URI says coap");
}

static void a_handshake_at_another_port_breaks_the_rule(void **state) {
    (void) state;
    has_server("coaps://mgmt.example", 0, "me");
    greets(1000, port_of(MGMT, 5683), "mgmt.example");
    judge(2000);
    assert_broken(BJ_RULE_SEC_PSK, "a port that no coaps URI leads to");
}

/* What is in a pack is not read: another account may lead there. */
static void whom_a_pack_told_something_else_keeps_it(void **state) {
    (void) state;
    has_server("coap+tcp://mgmt.example", 3, NULL);
    CLIENT(20000, BS, .type = BJ_COAP_CON, .code = GET, .mid = 1, .token = "tb", .path = "/bspack",
           .query = { "ep=dev-1" });
    SERVER(20100, BS, .type = BJ_COAP_ACK, .code = C(2, 5), .mid = 1, .token = "tb", .format = 113, .payload = "[]");
    registers_at(21000, port_of(MGMT, 5683));
    judge(22000);
    assert_nothing_broken();
}

static void a_datagram_to_a_tcp_uri_breaks_the_rule(void **state) {
    (void) state;
    has_server("coap+tcp://mgmt.example", 3, NULL);
    registers_at(1000, port_of(MGMT, 5683));
    judge(2000);
    assert_broken(BJ_RULE_TCP_REQUEST, "means TCP");
}

static void connects(unsigned ms, bj_addr to, const char *first, size_t length) {
    put_event((bj_event){ .kind = BJ_EV_STREAM_OPEN,
                          .actor = BJ_ACTOR_CLIENT,
                          .time = ms * BJ_MS,
                          .from = local,
                          .to = to,
                          .number = 1 });
    put_event((bj_event){ .kind = BJ_EV_STREAM_SENT,
                          .actor = BJ_ACTOR_CLIENT,
                          .time = ms * BJ_MS,
                          .from = local,
                          .to = to,
                          .number = 1,
                          .raw = (const uint8_t *) first,
                          .raw_length = length });
}

static void a_connection_without_tls_breaks_the_rule(void **state) {
    (void) state;
    has_server("coaps+tcp://mgmt.example", 0, "me");
    connects(1000, port_of(MGMT, SECURE_PORT), "\x00\xe1", 2);
    judge(2000);
    assert_broken(BJ_RULE_TCP_REQUEST, "without TLS");
}

static void a_connection_to_a_udp_uri_breaks_the_rule(void **state) {
    (void) state;
    has_server("coap://mgmt.example", 3, NULL);
    connects(1000, port_of(MGMT, 5683), "\x00\xe1", 2);
    judge(2000);
    assert_broken(BJ_RULE_TCP_REQUEST, "means UDP");
}

static void a_connection_as_the_uri_says_is_fine(void **state) {
    (void) state;
    has_server("coap+tcp://mgmt.example", 3, NULL);
    connects(1000, port_of(MGMT, 5683), "\x00\xe1", 2);
    judge(2000);
    assert_nothing_broken();
}

static void a_client_of_which_nobody_knows_all_is_not_judged(void **state) {
    (void) state;
    has_server("coaps://mgmt.example", 0, "me");
    config.state_given = true;
    greets(1000, port_of(MGMT, 5683), NULL);
    judge(2000);
    assert_nothing_broken();
}

/* --- handshakes ----------------------------------------------------------------------------------------------- */

static void who_asks_for_the_host_is_right(void **state) {
    (void) state;
    has_server("coaps://mgmt.example", 0, "me");
    greets(1000, port_of(MGMT, SECURE_PORT), "mgmt.example");
    says_who_it_is(1100, port_of(MGMT, SECURE_PORT), "me");
    judge(2000);
    assert_nothing_broken();
}

static void who_asks_for_none_breaks_the_rule(void **state) {
    (void) state;
    has_server("coaps://mgmt.example", 0, "me");
    greets(1000, port_of(MGMT, SECURE_PORT), NULL);
    judge(2000);
    assert_broken(BJ_RULE_SEC_SNI, "does not say");
}

static void who_asks_for_another_breaks_the_rule(void **state) {
    (void) state;
    has_server("coaps://mgmt.example", 0, "me");
    greets(1000, port_of(MGMT, SECURE_PORT), "other.example");
    judge(2000);
    assert_broken(BJ_RULE_SEC_SNI, "other.example");
}

static void who_asks_for_an_address_breaks_the_rule(void **state) {
    (void) state;
    has_server("coaps://192.0.2.11", 0, "me");
    greets(1000, port_of(MGMT, SECURE_PORT), "192.0.2.11");
    judge(2000);
    assert_broken(BJ_RULE_SEC_SNI, "an address");
}

static void an_address_is_not_asked_for(void **state) {
    (void) state;
    has_server("coaps://192.0.2.11", 0, "me");
    greets(1000, port_of(MGMT, SECURE_PORT), NULL);
    judge(2000);
    assert_nothing_broken();
}

static void an_account_with_a_name_of_its_own_is_not_judged(void **state) {
    (void) state;
    has_server("coaps://mgmt.example", 0, "me");
    config.accounts[1].sni = true;
    greets(1000, port_of(MGMT, SECURE_PORT), "other.example");
    judge(2000);
    assert_nothing_broken();
}

static void an_identity_of_nobody_breaks_the_rule(void **state) {
    (void) state;
    has_server("coaps://mgmt.example", 0, "me and more");
    says_who_it_is(1100, port_of(MGMT, SECURE_PORT), "me");
    judge(2000);
    assert_broken(BJ_RULE_SEC_OPAQUE_IDENTITY, "no account has");
}

static void with_certificates_the_exchange_is_another(void **state) {
    (void) state;
    has_server("coaps://mgmt.example", 2, "me and more");
    says_who_it_is(1100, port_of(MGMT, SECURE_PORT), "me");
    judge(2000);
    assert_nothing_broken();
}

static void a_handshake_that_is_cut_is_passed_over(void **state) {
    (void) state;
    has_server("coaps://mgmt.example", 0, "me");
    uint8_t body[2] = { 254, 253 };
    for (unsigned type = 0; type < 20; type++) {
        sends_handshake(1000 + type, port_of(MGMT, SECURE_PORT), type, body, type % 3);
    }
    judge(2000);
    assert_nothing_broken();
}

/* --- alerts --------------------------------------------------------------------------------------------------- */

static void reads_an_alert(unsigned ms) {
    bootstraps();
    registers(12000, 900, "lt=300");
    registered(12100, 900);
    SERVER(ms, MGMT, .type = BJ_COAP_CON, .code = GET, .mid = 70, .token = "to", .path = "/1/0/11", .accept = 1);
    CLIENT(ms + 10, MGMT, .type = BJ_COAP_ACK, .code = C(2, 5), .mid = 70, .token = "to", .format = 1, .payload = "40");
}

static void an_alert_that_nobody_sent_breaks_the_rule(void **state) {
    (void) state;
    reads_an_alert(13000);
    judge(14000);
    assert_broken(BJ_RULE_SEC_ALERT, "never had a secure session");
}

static void an_alert_after_a_handshake_may_be_so(void **state) {
    (void) state;
    has_server("coaps://mgmt.example", 0, "me");
    greets(1000, port_of(MGMT, SECURE_PORT), "mgmt.example");
    reads_an_alert(13000);
    judge(14000);
    assert_nothing_broken();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_request_in_clear_to_a_coaps_uri_breaks_the_rule),
        TEST(a_handshake_with_a_coap_uri_breaks_the_rule),
        TEST(a_handshake_at_another_port_breaks_the_rule),
        TEST(whom_a_pack_told_something_else_keeps_it),
        TEST(a_datagram_to_a_tcp_uri_breaks_the_rule),
        TEST(a_connection_without_tls_breaks_the_rule),
        TEST(a_connection_to_a_udp_uri_breaks_the_rule),
        TEST(a_connection_as_the_uri_says_is_fine),
        TEST(a_client_of_which_nobody_knows_all_is_not_judged),
        TEST(who_asks_for_the_host_is_right),
        TEST(who_asks_for_none_breaks_the_rule),
        TEST(who_asks_for_another_breaks_the_rule),
        TEST(who_asks_for_an_address_breaks_the_rule),
        TEST(an_address_is_not_asked_for),
        TEST(an_account_with_a_name_of_its_own_is_not_judged),
        TEST(an_identity_of_nobody_breaks_the_rule),
        TEST(with_certificates_the_exchange_is_another),
        TEST(a_handshake_that_is_cut_is_passed_over),
        TEST(an_alert_that_nobody_sent_breaks_the_rule),
        TEST(an_alert_after_a_handshake_may_be_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
