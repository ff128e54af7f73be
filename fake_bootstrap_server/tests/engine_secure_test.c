/* SPDX-License-Identifier: Apache-2.0
 *
 * Servers behind DTLS, with mbedTLS as the client: a whole bootstrap, what the log holds of it, and when attempts begin
 * and fail whose handshakes are part of them.
 */
#include "engine_fixture.h"

#include <mbedtls/ssl.h>

#include "secure/platform.h"

#define ACCOUNT "title: t\nclient: {bootstrap: {uri: \"coaps://bs.example\", security: psk, "
#define DEVICE  ACCOUNT "identity: !text device, key: 00112233445566778899aabbccddeeff, holdoff: 2s}}\n"
#define SECURE  DEVICE "steps:\n"

static const uint8_t fitting[16] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                     0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };

/* --- a client --- */

static mbedtls_ssl_context ssl;
static mbedtls_ssl_config config;
static bj_addr bootstrap_server;

static int take_random(void *state, unsigned char *bytes, size_t length) {
    uint64_t *seed = state;
    for (size_t i = 0; i < length; i++) {
        *seed = *seed * 6364136223846793005U + 1442695040888963407U;
        bytes[i] = (unsigned char) (*seed >> 56);
    }
    return 0;
}

static int send_record(void *unused, const unsigned char *data, size_t length) {
    (void) unused;
    client_sends_bytes(&bootstrap_server, data, length);
    return (int) length;
}

static int receive_record(void *unused, unsigned char *room, size_t size) {
    (void) unused;
    if (!w.inbox_count) {
        return MBEDTLS_ERR_SSL_WANT_READ;
    }
    size_t length = w.inbox[0].length;
    assert_true(length <= size);
    memcpy(room, w.inbox[0].data, length);
    memmove(&w.inbox[0], &w.inbox[1], (w.inbox_count - 1) * sizeof w.inbox[0]);
    w.inbox_count--;
    return (int) length;
}

static void set_timer(void *unused, uint32_t intermediate, uint32_t final) {
    (void) unused;
    (void) intermediate;
    (void) final;
}

static int get_timer(void *unused) {
    (void) unused;
    return 0;
}

static void client_end(void) {
    mbedtls_ssl_free(&ssl);
    mbedtls_ssl_config_free(&config);
}

/* 0, or the error. The attempt begins now and takes its round trips. */
static int client_connects(const uint8_t *key) {
    static uint64_t seed = 1;
    bj_secure_platform(w.arena, 1704067200);
    assert_true(bj_addr_parse("192.0.2.10:5684", 15, &bootstrap_server));
    mbedtls_ssl_init(&ssl);
    mbedtls_ssl_config_init(&config);
    mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_DATAGRAM,
                                MBEDTLS_SSL_PRESET_DEFAULT);
    mbedtls_ssl_conf_rng(&config, take_random, &seed);
    assert_int_equal(mbedtls_ssl_conf_psk(&config, key, 16, (const uint8_t *) "device", 6), 0);
    assert_int_equal(mbedtls_ssl_setup(&ssl, &config), 0);
    mbedtls_ssl_set_bio(&ssl, NULL, send_record, receive_record, NULL);
    mbedtls_ssl_set_timer_cb(&ssl, NULL, set_timer, get_timer);
    int result = MBEDTLS_ERR_SSL_WANT_READ;
    for (int i = 0; i < 40 && result == MBEDTLS_ERR_SSL_WANT_READ; i++) {
        result = mbedtls_ssl_handshake(&ssl);
        if (result == MBEDTLS_ERR_SSL_WANT_READ) {
            pass(w.latency);
        }
    }
    return result;
}

static void client_says(const bj_coap *m) {
    uint8_t bytes[DATAGRAM];
    size_t length = bj_coap_encode(m, bytes, sizeof bytes);
    assert_int_equal(mbedtls_ssl_write(&ssl, bytes, length), length);
    pass(w.latency);
}

static void client_asks(const char *path) {
    bj_coap m = { .version = 1, .code = POST, .mid = w.mid++, .token_length = 1, .token = { 7 } };
    bj_coap_add_path(&m, BJ_COAP_URI_PATH, path);
    client_says(&m);
}

static bj_coap client_hears(void) {
    static uint8_t bytes[DATAGRAM];
    bj_coap m;
    pass(w.latency);
    int length = mbedtls_ssl_read(&ssl, bytes, sizeof bytes);
    if (length <= 0) {
        fail_msg("nothing was heard: -0x%04x", (unsigned) -length);
    }
    assert_int_equal(bj_coap_decode(&m, bytes, (size_t) length), BJ_COAP_OK);
    return m;
}

static void client_does(uint8_t code) {
    bj_coap operation = client_hears();
    bj_coap answer = { .version = 1, .type = BJ_COAP_ACK, .code = code, .mid = operation.mid };
    answer.token_length = operation.token_length;
    memcpy(answer.token, operation.token, sizeof answer.token);
    client_says(&answer);
}

/* --- tests --- */

static void a_whole_bootstrap(void **state) {
    (void) state;
    begin(SECURE "  - request: {to: bs, method: POST, path: /bs}\n  - respond: 2.04\n"
                 "  - write: /1/0\n    tlv: {0: 101}\n    expect: 2.04\n  - finish: {expect: 2.04}\n");
    pass(2 * BJ_SECOND);
    assert_int_equal(client_connects(fitting), 0);
    client_asks("/bs");
    assert_int_equal(client_hears().code, CODE(2, 4));
    client_does(CODE(2, 4));
    client_does(CODE(2, 4));
    expect_pass();
    assert_int_equal(count_logged(BJ_EV_PLAIN_RECEIVED), 3);
    assert_int_equal(count_logged(BJ_EV_PLAIN_SENT), 3);
    assert_int_equal(count_logged(BJ_EV_TLS_KEYS), 1);
    client_end();
}

static void a_lost_command_is_sent_again(void **state) {
    (void) state;
    begin(SECURE "  - request: {to: bs, method: POST, path: /bs}\n  - respond: 2.04\n"
                 "  - write: /1/0\n    tlv: {0: 101}\n    expect: 2.04\n");
    pass(2 * BJ_SECOND);
    assert_int_equal(client_connects(fitting), 0);
    client_asks("/bs");
    w.lose = 0;
    assert_int_equal(client_hears().code, CODE(2, 4));
    bj_coap first = client_hears();
    pass(4 * BJ_SECOND);
    bj_coap second = client_hears();
    assert_int_equal(first.mid, second.mid);
    bj_coap answer = { .version = 1, .type = BJ_COAP_ACK, .code = CODE(2, 4), .mid = second.mid };
    answer.token_length = second.token_length;
    memcpy(answer.token, second.token, sizeof answer.token);
    client_says(&answer);
    expect_pass();
    client_end();
}

static void a_repeated_request_is_known(void **state) {
    (void) state;
    begin(SECURE "  - request: {to: bs, method: POST, path: /bs}\n  - ignore: {}\n"
                 "  - retransmission: 1\n  - advance: 1s\n");
    pass(2 * BJ_SECOND);
    assert_int_equal(client_connects(fitting), 0);
    client_asks("/bs");
    pass(2500 * BJ_MS - w.latency);
    w.mid--;
    client_asks("/bs");
    pass(BJ_SECOND);
    expect_pass();
    client_end();
}

/* The hold-off is 2 s: [2, 3], then [4, 6] from the moment when the alert reached the client. The attempt begins with
 * its handshake. */
static void an_attempt_that_fails_in_the_handshake(void **state) {
    (void) state;
    static const struct {
        bj_time after;
        bool in_time;
    } cases[] = { { 4000 * BJ_MS, true }, { 3998 * BJ_MS, false }, { 6000 * BJ_MS, true }, { 6001 * BJ_MS, false } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin(SECURE "  - advance: 2500ms\n  - request: {to: bs, method: POST, path: /bs, at: due(holdoff)}\n");
        static const uint8_t wrong[16] = { 1 };
        pass(2 * BJ_SECOND);
        assert_int_equal(client_connects(wrong), MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE);
        assert_int_equal(logged(BJ_EV_TLS_STATE).number, -1);
        client_end();
        pass(cases[i].after);
        w.client.port++;
        if (!client_connects(fitting)) {
            client_asks("/bs");
        }
        if (cases[i].in_time) {
            expect_pass();
        } else {
            expect_fail(cases[i].after < 4 * BJ_SECOND ? "not before 6.005" : "until 8.006");
        }
        client_end();
    }
}

/* The same edges, of the handshake itself: 1 ms early, and 1 ms late, is a failure. */
static void a_handshake_at_its_due_time(void **state) {
    (void) state;
    static const struct {
        bj_time after;
        bool in_time;
    } cases[] = { { 4000 * BJ_MS, true }, { 3998 * BJ_MS, false }, { 6000 * BJ_MS, true }, { 6001 * BJ_MS, false } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin(SECURE "  - client-hello: {to: bs, at: due(holdoff), ends: refused, alert: bad_record_mac}\n"
                     "  - client-hello: {to: bs, at: due(holdoff), ends: established, identity: !text device}\n"
                     "  - request: {to: bs, method: POST, path: /bs}\n");
        static const uint8_t wrong[16] = { 1 };
        pass(2 * BJ_SECOND);
        assert_int_equal(client_connects(wrong), MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE);
        client_end();
        pass(cases[i].after);
        w.client.port++;
        if (!client_connects(fitting)) {
            client_asks("/bs");
        }
        if (cases[i].in_time) {
            expect_pass();
        } else {
            expect_fail(cases[i].after < 4 * BJ_SECOND ? "not before 6.005" : "until 8.006");
        }
        client_end();
    }
}

static void expect_handshake(const char *step, const char *reason) {
    BJ_TEXT(script, 600);
    bj_text_printf(&script, SECURE "  - client-hello: {to: bs, %s}\n", step);
    begin(script.start);
    pass(2 * BJ_SECOND);
    (void) client_connects(fitting); /* the run may be over before it is through */
    if (reason) {
        expect_fail(reason);
    } else {
        expect_pass();
    }
    client_end();
}

static void what_a_handshake_must_be_like(void **state) {
    (void) state;
    expect_handshake("name: \"\", offers: TLS_PSK_WITH_AES_128_CCM_8, suite: TLS_PSK_WITH_AES_128_CCM_8", NULL);
    expect_handshake("name: bs.example", "no name is indicated");
    expect_handshake("withholds: TLS_PSK_WITH_AES_128_CCM_8", "the cipher suite 0xC0A8 is offered");
    expect_handshake("ends: refused", "with bs, refused: it was established");
    expect_handshake("ends: established, alert: 40", "there was no alert");
    expect_handshake("identity: !text stranger", "another identity was shown: 646576696365");
    expect_handshake("suite: TLS_PSK_WITH_AES_128_CBC_SHA256", "the cipher suite is 0xC0A8");
}

static void a_handshake_that_does_not_come(void **state) {
    (void) state;
    begin(SECURE "  - client-hello: {to: bs, at: due(holdoff)}\n");
    pass(4 * BJ_SECOND);
    expect_fail("expected a handshake with bs until 3.000");
    begin(SECURE "  - client-hello: {to: bs, within: 1s}\n");
    pass(4 * BJ_SECOND);
    expect_fail("expected a handshake with bs until 1.0");
}

/* Alerts before there is a session, within it, and none to nobody. */
static void alerts_at_a_chosen_moment(void **state) {
    (void) state;
    begin(DEVICE "servers: {bs: {cookies: false}}\nsteps:\n"
                 "  - client-hello: bs\n  - alert: handshake_failure\n  - client-hello: {to: bs, at: due(holdoff)}\n"
                 "  - advance: 1s\n  - alert: internal_error\n");
    pass(2 * BJ_SECOND);
    assert_int_equal(client_connects(fitting), MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE);
    assert_int_equal(ssl.in_msg[1], 40);
    client_end();
    pass(5 * BJ_SECOND);
    w.client.port++;
    expect_running();
    assert_int_equal(client_connects(fitting), 0);
    pass(BJ_SECOND);
    uint8_t room[16];
    assert_int_equal(mbedtls_ssl_read(&ssl, room, sizeof room), MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE);
    assert_int_equal(ssl.in_msg[1], 80);
    expect_pass();
    client_end();
    begin(SECURE "  - alert: internal_error\n");
    expect_verdict(BJ_ERROR, "the server 'bs' has no handshake or session with the client");
    begin(SECURE "  - hang-up: reset\n");
    expect_verdict(BJ_ERROR, "the server 'bs' has no TCP connection with the client");
}

static void a_session_that_the_client_ended_takes_no_command(void **state) {
    (void) state;
    begin(SECURE "  - request: {to: bs, method: POST, path: /bs}\n  - advance: 1s\n  - delete: /0\n");
    pass(2 * BJ_SECOND);
    assert_int_equal(client_connects(fitting), 0);
    client_asks("/bs");
    mbedtls_ssl_close_notify(&ssl);
    pass(2 * BJ_SECOND);
    expect_fail("the client ended its session with the server 'bs' at 2.");
    client_end();
}

static void a_server_that_restarts_knows_no_session(void **state) {
    (void) state;
    begin(SECURE "  - request: {to: bs, method: POST, path: /bs}\n  - respond: 2.04\n  - restart: bs\n"
                 "  - request: {to: bs, method: POST, path: /bs, within: 60s}\n");
    pass(2 * BJ_SECOND);
    assert_int_equal(client_connects(fitting), 0);
    client_asks("/bs");
    pass(w.latency);
    client_asks("/bs");
    assert_int_equal(count_logged(BJ_EV_PLAIN_RECEIVED), 1);
    expect_running();
    client_end();
    assert_int_equal(client_connects(fitting), 0);
    client_asks("/bs");
    expect_pass();
    client_end();
}

static void a_handshake_is_awaited(void **state) {
    (void) state;
    begin(SECURE "  - handshake: {to: bs, sni: \"\", suite: TLS_PSK_WITH_AES_128_CCM_8}\n"
                 "  - request: {to: bs, method: POST, path: /bs}\n");
    pass(2 * BJ_SECOND);
    assert_int_equal(client_connects(fitting), 0);
    expect_running();
    client_asks("/bs");
    expect_pass();
    client_end();
}

static void a_handshake_is_not_as_awaited(void **state) {
    (void) state;
    static const struct {
        const char *step, *says;
    } cases[] = {
        { "{to: bs, sni: bs.example}",
          "it ended well, with cipher suite 0xC0A8, and the client had asked for no name" },
        { "{to: bs, alert: 48}", "that the client refuses with alert 48: it ended well" },
        { "{to: bs, ends: badly}", "that fails: it ended well" },
        { "{to: bs, suite: 1}", "that ends well: it ended well, with cipher suite 0xC0A8" },
    };
    static const uint8_t wrong[16] = { 1 };
    char script[400];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(script, sizeof script, "%s  - handshake: %s\n", SECURE, cases[i].step);
        begin(script);
        pass(2 * BJ_SECOND);
        assert_int_equal(client_connects(fitting), 0);
        expect_fail(cases[i].says);
        client_end();
    }
    begin(SECURE "  - handshake: bs\n");
    pass(2 * BJ_SECOND);
    client_connects(wrong);
    expect_fail("it failed without an alert of the client");
    client_end();
    begin(SECURE "  - handshake: {to: bs, within: 5s}\n");
    pass(6 * BJ_SECOND);
    expect_fail("there was none in time");
}

static void a_server_says_nothing_to_strangers(void **state) {
    (void) state;
    begin(SECURE "  - advance: 10s\n");
    bj_coap m = { .version = 1, .code = POST, .mid = 1 };
    assert_true(bj_addr_parse("192.0.2.10:5684", 15, &bootstrap_server));
    client_sends(&bootstrap_server, &m);
    pass(11 * BJ_SECOND);
    assert_int_equal(w.inbox_count, 0);
    expect_pass();
}

static void credentials_that_cannot_be_used(void **state) {
    (void) state;
    begin(ACCOUNT "identity: 00, key: \"\"}}\nsteps: [advance: 1s]\n");
    expect_verdict(BJ_ERROR, "a pre-shared key has 0 bytes");
    begin("title: t\nservers:\n  bs: {transport: tls, certificate: !text x, private-key: 00}\nsteps: [advance: 1s]\n");
    expect_verdict(BJ_ERROR, "the certificate cannot be used");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_bootstrap),
        cmocka_unit_test(a_lost_command_is_sent_again),
        cmocka_unit_test(a_repeated_request_is_known),
        cmocka_unit_test(an_attempt_that_fails_in_the_handshake),
        cmocka_unit_test(a_handshake_at_its_due_time),
        cmocka_unit_test(what_a_handshake_must_be_like),
        cmocka_unit_test(a_handshake_that_does_not_come),
        cmocka_unit_test(alerts_at_a_chosen_moment),
        cmocka_unit_test(a_session_that_the_client_ended_takes_no_command),
        cmocka_unit_test(a_server_that_restarts_knows_no_session),
        cmocka_unit_test(a_handshake_is_awaited),
        cmocka_unit_test(a_handshake_is_not_as_awaited),
        cmocka_unit_test(a_server_says_nothing_to_strangers),
        cmocka_unit_test(credentials_that_cannot_be_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
