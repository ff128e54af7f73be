/* SPDX-License-Identifier: Apache-2.0
 *
 * The servers' DTLS and TLS, with mbedTLS as the client, in memory.
 */
#define _GNU_SOURCE
#include "secure_fixture.h"

#include <time.h>

#define CHECK(condition) assert_true(condition)

static world *begin(bool stream) {
    static world w;
    world_begin(&w, stream);
    return &w;
}

static void serve(world *w, const bj_secure_config *config) {
    BJ_TEXT(why, 200);
    w->server = bj_secure_new(w->arena, config, &world_ops, w, &why);
    if (!w->server) {
        fail_msg("%s", why.start);
    }
}

static void serve_psk(world *w, bool stream, bool cookies) {
    bj_secure_psk psk = device();
    bj_secure_config config = { .stream = stream, .psks = &psk, .psk_count = 1, .cookies = cookies, .epoch = EPOCH };
    serve(w, &config);
}

static void connect_psk(client *c, world *w, uint16_t port, bool stream) {
    client_begin(c, w, port, stream);
    client_psk(c, text_bytes("device"), secret, sizeof secret);
    client_ready(c, 0);
}

/* The client says something, the server echoes it. */
static void talk(client *c) {
    world *w = c->w;
    w->echo = true;
    w->heard_length = 0;
    uint8_t answer[64];
    assert_int_equal(mbedtls_ssl_write(&c->ssl, (const uint8_t *) "hello", 5), 5);
    assert_int_equal(mbedtls_ssl_read(&c->ssl, answer, sizeof answer), 5);
    assert_memory_equal(answer, "hello", 5);
    assert_int_equal(w->heard_length, 5);
    w->echo = false;
}

/* --- every suite, over datagrams and over a stream --- */

static void psk_suite(int suite, const char *name) {
    for (int stream = 0; stream < 2; stream++) {
        for (int cookies = 0; cookies < 2; cookies++) {
            world *w = begin(stream);
            serve_psk(w, stream, cookies);
            client c;
            client_begin(&c, w, 5000, stream);
            client_psk(&c, text_bytes("device"), secret, sizeof secret);
            client_ready(&c, suite);
            assert_int_equal(client_handshake(&c), 0);
            assert_int_equal(w->established, 1);
            assert_string_equal(w->suite, name);
            CHECK(bj_secure_established(w->server, &c.peer));
            talk(&c);
            client_end(&c);
            world_end(w);
        }
    }
}

static void test_psk_ccm8(void **state) {
    (void) state;
    psk_suite(BJ_SUITE_PSK_CCM8, "TLS-PSK-WITH-AES-128-CCM-8");
}

static void test_psk_cbc(void **state) {
    (void) state;
    psk_suite(BJ_SUITE_PSK_CBC, "TLS-PSK-WITH-AES-128-CBC-SHA256");
}

static void certificate_suite(int suite, const char *name, bool pem) {
    for (int stream = 0; stream < 2; stream++) {
        world *w = begin(stream);
        identity server;
        make_identity(&server, "CN=bs.example", 7);
        bj_secure_config config = { .stream = stream, .epoch = EPOCH };
        config.certificate = pem ? text_bytes(server.pem) : server.certificate;
        config.private_key = pem ? text_bytes(server.key_pem) : server.key;
        serve(w, &config);
        client c;
        client_begin(&c, w, 5000, stream);
        client_certificates(&c, NULL, &server);
        client_ready(&c, suite);
        mbedtls_ssl_set_hostname(&c.ssl, "bs.example");
        assert_int_equal(client_handshake(&c), 0);
        assert_string_equal(w->suite, name);
        talk(&c);
        client_end(&c);
        world_end(w);
    }
}

static void test_certificates(void **state) {
    (void) state;
    certificate_suite(BJ_SUITE_ECDSA_CCM8, "TLS-ECDHE-ECDSA-WITH-AES-128-CCM-8", false);
    certificate_suite(BJ_SUITE_ECDSA_CBC, "TLS-ECDHE-ECDSA-WITH-AES-128-CBC-SHA256", true);
}

static void test_client_certificates(void **state) {
    (void) state;
    for (int shown = 0; shown < 3; shown++) { /* none, the right one, another one */
        world *w = begin(false);
        identity server, known, other;
        make_identity(&server, "CN=bs.example", 7);
        make_identity(&known, "CN=dev-1", 8);
        make_identity(&other, "CN=dev-2", 9);
        serve(w, &(bj_secure_config){ .certificate = server.certificate,
                                      .private_key = server.key,
                                      .client_ca = known.certificate,
                                      .epoch = EPOCH });
        client c;
        client_begin(&c, w, 5000, false);
        client_certificates(&c, shown == 1 ? &known : shown == 2 ? &other : NULL, &server);
        client_ready(&c, BJ_SUITE_ECDSA_CCM8);
        int result = client_handshake(&c);
        assert_int_equal(result == 0, shown == 1);
        assert_int_equal(w->alert_sent, shown == 0 ? 40 : shown == 1 ? -2 : 48);
        client_end(&c);
        world_end(w);
    }
}

/* --- credentials that do not fit --- */

static void refused(bj_secure_bytes who, const uint8_t *key, size_t length, int suite, int alert, bool stream) {
    world *w = begin(stream);
    serve_psk(w, stream, true);
    client c;
    client_begin(&c, w, 5000, stream);
    client_psk(&c, who, key, length);
    client_ready(&c, suite);
    CHECK(client_handshake(&c) != 0);
    assert_int_equal(w->alert_sent, alert);
    assert_int_equal(w->established, 0);
    assert_int_equal(w->ended, 1);
    assert_int_equal(bj_secure_sessions(w->server), 0);
    client_end(&c);
    world_end(w);
}

static void test_refusals(void **state) {
    (void) state;
    uint8_t wrong[16] = { 9 };
    for (int stream = 0; stream < 2; stream++) {
        refused(text_bytes("device"), wrong, sizeof wrong, 0, 20, stream);
        refused(text_bytes("devicf"), secret, sizeof secret, 0, 115, stream);
        refused(text_bytes("device"), secret, sizeof secret, MBEDTLS_TLS_PSK_WITH_AES_256_CCM, 40, stream);
    }
}

static void test_identities_are_bytes(void **state) {
    (void) state;
    static const uint8_t with_nul[] = { 'a', 0, 'b', 0xFF };
    static uint8_t long_key[BJ_SECURE_KEY];
    bj_secure_psk psks[] = { { { with_nul, 1 }, { secret, 4 } }, { { with_nul, 4 }, { long_key, sizeof long_key } } };
    world *w = begin(false);
    serve(w, &(bj_secure_config){ .psks = psks, .psk_count = 2 });
    client c;
    client_begin(&c, w, 5000, false);
    client_psk(&c, psks[1].identity, long_key, sizeof long_key);
    client_ready(&c, 0);
    assert_int_equal(client_handshake(&c), 0);
    client_end(&c);
    world_end(w);
}

static void unusable(world *w, bj_secure_config config, const char *part) {
    BJ_TEXT(why, 200);
    size_t before = bj_arena_in_use(w->arena);
    assert_null(bj_secure_new(w->arena, &config, &world_ops, w, &why));
    if (!strstr(why.start, part)) {
        fail_msg("'%s' is not in '%s'", part, why.start);
    }
    assert_int_equal(bj_arena_in_use(w->arena), before);
}

static void test_unusable_configurations(void **state) {
    (void) state;
    world *w = begin(false);
    identity a, b;
    make_identity(&a, "CN=a", 1);
    make_identity(&b, "CN=b", 2);
    uint8_t key[33] = { 0 };
    bj_secure_psk psk = { text_bytes("x"), { key, sizeof key } };
    unusable(w, (bj_secure_config){ .psks = &psk, .psk_count = 1 }, "33 bytes");
    psk.key.length = 0;
    unusable(w, (bj_secure_config){ .psks = &psk, .psk_count = 1 }, "0 bytes");
    unusable(w, (bj_secure_config){ .stream = true }, "neither");
    unusable(w, (bj_secure_config){ .certificate = text_bytes("garbage"), .private_key = a.key }, "certificate");
    unusable(w, (bj_secure_config){ .certificate = a.certificate }, "private key");
    unusable(w, (bj_secure_config){ .certificate = a.certificate, .private_key = b.key }, "private key");
    bj_secure_config ca = { .certificate = a.certificate, .private_key = a.key, .client_ca = text_bytes("0\x82") };
    unusable(w, ca, "CA");
    world_end(w);
}

/* --- a network that loses, doubles and delays --- */

static void test_lost_datagrams(void **state) {
    (void) state;
    for (int cookies = 0; cookies < 2; cookies++) {
        for (unsigned n = 0; n < 8; n++) {
            for (int direction = 0; direction < 3; direction++) {
                world *w = begin(false);
                serve_psk(w, false, cookies);
                w->lose_sent = direction != 1 ? (uint64_t) 1 << n : 0;
                w->lose_received = direction != 0 ? (uint64_t) 1 << n : 0;
                client c;
                connect_psk(&c, w, 5000, false);
                assert_int_equal(client_handshake(&c), 0);
                w->lose_sent = w->lose_received = 0;
                talk(&c);
                client_end(&c);
                world_end(w);
            }
        }
    }
}

/* RFC 6347 §4.2.4.1: after 1 s, then twice as long each time up to 60 s. */
static void test_flights_are_repeated_at_their_deadlines(void **state) {
    (void) state;
    world *w = begin(false);
    serve_psk(w, false, false);
    client c;
    connect_psk(&c, w, 5000, false);
    w->lose_received = ~(uint64_t) 1; /* only its ClientHello arrives */
    client_step(&c);
    unsigned flight = w->sent;
    CHECK(flight > 0);
    static const bj_time seconds[] = { 1, 3, 7, 15, 31, 63 };
    for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        assert_int_equal(bj_secure_deadline(w->server), seconds[i] * BJ_SECOND);
        w->now = seconds[i] * BJ_SECOND - 1;
        bj_secure_tick(w->server);
        assert_int_equal(w->sent, flight * (i + 1));
        w->now++;
        bj_secure_tick(w->server);
        assert_int_equal(w->sent, flight * (i + 2));
        w->first = w->end;
    }
    while (bj_secure_deadline(w->server) != BJ_NEVER) {
        w->now = bj_secure_deadline(w->server);
        bj_secure_tick(w->server);
        w->first = w->end;
    }
    assert_int_equal(w->now, 123 * BJ_SECOND);
    assert_string_equal(w->why, "the peer does not answer the handshake");
    assert_int_equal(bj_secure_sessions(w->server), 0);
    client_end(&c);
    world_end(w);
}

static void test_duplicates_are_ignored(void **state) {
    (void) state;
    world *w = begin(false);
    serve_psk(w, false, true);
    w->twice = true;
    client c;
    connect_psk(&c, w, 5000, false);
    assert_int_equal(client_handshake(&c), 0);
    w->heard_records = 0;
    mbedtls_ssl_write(&c.ssl, (const uint8_t *) "once", 4);
    mbedtls_ssl_write(&c.ssl, (const uint8_t *) "more", 4);
    assert_int_equal(w->heard_records, 2);
    assert_memory_equal(w->heard, "oncemore", 8);
    client_end(&c);
    world_end(w);
}

/* --- clients that come and go --- */

/* A client at a port that had another, whose random numbers it has not. */
static void connect_anew(client *c, world *w, uint16_t port) {
    static uint64_t seed;
    seed = 99;
    client_begin(c, w, port, false);
    mbedtls_ssl_conf_rng(&c->config, test_random, &seed);
    client_psk(c, text_bytes("device"), secret, sizeof secret);
    client_ready(c, 0);
}

static void test_a_client_that_starts_anew(void **state) {
    (void) state;
    for (int cookies = 0; cookies < 2; cookies++) {
        for (int finished = 0; finished < 3; finished++) {
            world *w = begin(false);
            w->odd_version = finished == 2;
            serve_psk(w, false, cookies);
            client first, second;
            connect_psk(&first, w, 5000, false);
            w->lose_received = finished ? 0 : (uint64_t) 0xFC;
            (void) (finished ? client_handshake(&first) : (client_step(&first), 0));
            w->lose_received = 0;
            w->first = w->end;
            client_end(&first);
            connect_anew(&second, w, 5000);
            assert_int_equal(client_handshake(&second), 0);
            talk(&second);
            assert_int_equal(bj_secure_sessions(w->server), 1);
            client_end(&second);
            world_end(w);
        }
    }
}

/* RFC 6347 §4.2.8: the session before is told as ended, and the name that the client asked for then was for that one.
 */
static void test_what_a_client_that_starts_anew_leaves_behind(void **state) {
    (void) state;
    for (int cookies = 0; cookies < 2; cookies++) {
        world *w = begin(false);
        serve_psk(w, false, cookies);
        client first, second;
        client_begin(&first, w, 5000, false);
        client_psk(&first, text_bytes("device"), secret, sizeof secret);
        client_ready(&first, 0);
        mbedtls_ssl_set_hostname(&first.ssl, "bs.example");
        assert_int_equal(client_handshake(&first), 0);
        assert_string_equal(w->name, "bs.example");
        assert_int_equal(w->ended, 0);
        client_end(&first);
        connect_anew(&second, w, 5000);
        assert_int_equal(client_handshake(&second), 0);
        assert_int_equal(w->established, 2);
        assert_string_equal(w->name, "");
        assert_int_equal(w->ended, 1);
        assert_string_equal(w->why, "the client begins anew");
        client_end(&second);
        world_end(w);
    }
}

/* The network doubles the ClientHello that holds the cookie: RFC 6347 §4.2.8 is not for that. */
static void test_a_hello_that_comes_late_once_more(void **state) {
    (void) state;
    world *w = begin(false);
    serve_psk(w, false, true);
    client c;
    connect_psk(&c, w, 5000, false);
    assert_int_equal(client_handshake(&c), 0);
    assert_true(w->hello_length > 0);
    bj_secure_receive(w->server, &c.peer, w->hello, w->hello_length);
    talk(&c);
    assert_int_equal(bj_secure_sessions(w->server), 1);
    assert_int_equal(w->established, 1);
    client_end(&c);
    world_end(w);
}

static void test_an_interrupted_stream(void **state) {
    (void) state;
    world *w = begin(true);
    serve_psk(w, true, false);
    size_t before = bj_arena_in_use(w->arena);
    static const uint8_t half[] = { 22, 3, 1, 0, 100, 1, 0, 0, 96, 3, 3, 1, 2, 3 };
    bj_secure_peer peer = { .connection = 4 };
    bj_secure_receive(w->server, &peer, half, sizeof half);
    assert_int_equal(bj_secure_sessions(w->server), 0);
    bj_secure_open(w->server, &peer);
    bj_secure_receive(w->server, &peer, half, sizeof half);
    assert_int_equal(bj_secure_sessions(w->server), 1);
    CHECK(!bj_secure_send(w->server, &peer, half, 1));
    assert_int_equal(bj_secure_deadline(w->server), BJ_NEVER);
    bj_secure_forget(w->server, &peer);
    assert_int_equal(w->ended, 1);
    assert_int_equal(bj_arena_in_use(w->arena), before);
    world_end(w);
}

static void test_the_client_closes(void **state) {
    (void) state;
    for (int stream = 0; stream < 2; stream++) {
        world *w = begin(stream);
        serve_psk(w, stream, true);
        client c;
        connect_psk(&c, w, 5000, stream);
        assert_int_equal(client_handshake(&c), 0);
        mbedtls_ssl_close_notify(&c.ssl);
        assert_int_equal(w->alert_received, 0);
        assert_int_equal(w->alert_sent, 0);
        assert_int_equal(w->ended, 1);
        client_end(&c);
        world_end(w);
    }
}

/* RFC 5246 §7.2.2: no_renegotiation is a warning, behind which the session goes on. */
static void test_a_client_that_negotiates_again(void **state) {
    (void) state;
    for (int stream = 0; stream < 2; stream++) {
        world *w = begin(stream);
        serve_psk(w, stream, true);
        client c;
        client_begin(&c, w, 5000, stream);
        mbedtls_ssl_conf_renegotiation(&c.config, MBEDTLS_SSL_RENEGOTIATION_ENABLED);
        client_psk(&c, text_bytes("device"), secret, sizeof secret);
        client_ready(&c, 0);
        assert_int_equal(client_handshake(&c), 0);
        assert_int_equal(w->alerts_sent, 0);
        CHECK(mbedtls_ssl_renegotiate(&c.ssl) != 0);
        assert_int_equal(w->alert_sent, MBEDTLS_SSL_ALERT_MSG_NO_RENEGOTIATION);
        assert_int_equal(w->ended, 0);
        bj_secure_close(w->server, &c.peer);
        assert_int_equal(w->alert_sent, MBEDTLS_SSL_ALERT_MSG_CLOSE_NOTIFY);
        assert_int_equal(w->alerts_sent, 2);
        client_end(&c);
        world_end(w);
    }
}

static void test_the_server_closes(void **state) {
    (void) state;
    for (int inside = 0; inside < 2; inside++) {
        world *w = begin(false);
        serve_psk(w, false, true);
        client c;
        connect_psk(&c, w, 5000, false);
        assert_int_equal(client_handshake(&c), 0);
        w->close_on_plain = inside;
        if (inside) {
            mbedtls_ssl_write(&c.ssl, (const uint8_t *) "x", 1);
        } else {
            bj_secure_close(w->server, &c.peer);
        }
        uint8_t room[8];
        assert_int_equal(mbedtls_ssl_read(&c.ssl, room, sizeof room), MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY);
        assert_int_equal(w->alert_sent, 0);
        assert_int_equal(bj_secure_sessions(w->server), 0);
        CHECK(!bj_secure_send(w->server, &c.peer, room, 1));
        client_end(&c);
        world_end(w);
    }
}

static void test_a_fatal_alert_of_the_client(void **state) {
    (void) state;
    for (int late = 0; late < 2; late++) {
        world *w = begin(false);
        serve_psk(w, false, false);
        client c;
        connect_psk(&c, w, 5000, false);
        if (late) {
            assert_int_equal(client_handshake(&c), 0);
        } else {
            w->lose_sent = UINT64_MAX;
            client_step(&c);
        }
        mbedtls_ssl_send_alert_message(&c.ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL, MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR);
        assert_int_equal(w->alert_received, 80);
        assert_int_equal(w->ended, 1);
        client_end(&c);
        world_end(w);
    }
}

/* Right behind the ClientHello, or before it: the record has the version that the client offers. */
static void test_an_alert_before_a_version_is_agreed_upon(void **state) {
    (void) state;
    world *w = begin(true);
    serve_psk(w, true, false);
    client c;
    connect_psk(&c, w, 5000, true);
    assert_true(
        bj_secure_alert(w->server, &c.peer, MBEDTLS_SSL_ALERT_LEVEL_FATAL, MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR));
    static const uint8_t alert[] = { 21, 3, 3, 0, 2, 2, 80 };
    assert_int_equal(w->queue[w->first % QUEUE].length, sizeof alert);
    assert_memory_equal(w->queue[w->first % QUEUE].bytes, alert, sizeof alert);
    assert_int_equal(client_handshake(&c), MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE);
    assert_int_equal(w->ended, 1);
    client_end(&c);
    world_end(w);
}

/* --- keys, determinism, memory --- */

static void test_the_key_log(void **state) {
    (void) state;
    world *w = begin(false);
    serve_psk(w, false, true);
    client c;
    connect_psk(&c, w, 5000, false);
    assert_int_equal(client_handshake(&c), 0);
    BJ_TEXT(master, 120);
    bj_text_hex(&master, c.ssl.session->master, 48);
    assert_int_equal(strlen(w->keys), strlen("CLIENT_RANDOM ") + 64 + 1 + 96);
    CHECK(!strncmp(w->keys, "CLIENT_RANDOM ", 14) && strstr(w->keys, master.start));
    client_end(&c);
    world_end(w);
}

static uint64_t transcript(uint64_t seed, bool certificates, bool stream) {
    world *w = begin(stream);
    w->seed = seed;
    identity server;
    make_identity(&server, "CN=bs.example", 7);
    bj_secure_psk psk = device();
    bj_secure_config config = { .stream = stream, .cookies = true, .epoch = EPOCH };
    if (certificates) {
        config.certificate = server.certificate;
        config.private_key = server.key;
    } else {
        config.psks = &psk;
        config.psk_count = 1;
    }
    serve(w, &config);
    client c;
    client_begin(&c, w, 5000, stream);
    client_psk(&c, text_bytes("device"), secret, sizeof secret);
    client_certificates(&c, NULL, &server);
    client_ready(&c, 0);
    assert_int_equal(client_handshake(&c), 0);
    talk(&c);
    uint64_t digest = w->digest;
    client_end(&c);
    world_end(w);
    return digest;
}

static void test_determinism(void **state) {
    (void) state;
    for (int kind = 0; kind < 4; kind++) {
        uint64_t first = transcript(1, kind & 1, kind & 2);
        assert_true(first == transcript(1, kind & 1, kind & 2));
        assert_true(first != transcript(2, kind & 1, kind & 2));
    }
}

/* Every way to an end gives everything back. */
static void one_session(world *w, unsigned n) {
    client c;
    connect_psk(&c, w, (uint16_t) (1 + n), w->chunk > 0);
    w->lose_received = n % 4 == 3 ? ~(uint64_t) 3 : 0;
    w->received = 0;
    if (n % 4 == 3) {
        client_step(&c);
    } else {
        assert_int_equal(client_handshake(&c), 0);
    }
    if (n % 4 == 0) {
        mbedtls_ssl_close_notify(&c.ssl);
    } else if (n % 4 == 1) {
        bj_secure_close(w->server, &c.peer);
    } else {
        bj_secure_forget(w->server, &c.peer);
    }
    w->first = w->end;
    client_end(&c);
}

static void test_thousands_of_sessions(void **state) {
    (void) state;
    for (int stream = 0; stream < 2; stream++) {
        world *w = begin(stream);
        w->chunk = stream ? 1000 : 0;
        serve_psk(w, stream, true);
        size_t before = bj_arena_in_use(w->arena), peak = 0;
        for (unsigned n = 0; n < 2000; n++) {
            one_session(w, n);
            assert_int_equal(bj_secure_sessions(w->server), 0);
            assert_int_equal(bj_arena_in_use(w->arena), before);
            peak = n == 100 ? bj_arena_peak(w->arena) : peak;
        }
        assert_int_equal(bj_arena_peak(w->arena), peak);
        bj_secure_free(w->server);
        w->server = NULL;
        world_end(w);
    }
}

static void test_many_sessions_at_once(void **state) {
    (void) state;
    world *w = begin(false);
    serve_psk(w, false, true);
    enum { CLIENTS = 20 };
    static client clients[CLIENTS];
    for (unsigned i = 0; i < CLIENTS; i++) {
        connect_psk(&clients[i], w, (uint16_t) (100 + i), false);
        assert_int_equal(client_handshake(&clients[i]), 0);
    }
    assert_int_equal(bj_secure_sessions(w->server), CLIENTS);
    for (unsigned i = 0; i < CLIENTS; i++) {
        talk(&clients[i]);
        client_end(&clients[i]);
    }
    bj_secure_forget_all(w->server);
    assert_int_equal(bj_secure_sessions(w->server), 0);
    world_end(w);
}

/* A client that comes from another port each time and never says that it goes: the session that was used least lately
 * gives way. */
static void test_sessions_that_nobody_ends(void **state) {
    (void) state;
    world *w = begin(false);
    serve_psk(w, false, true);
    client faithful, other;
    connect_psk(&faithful, w, 5000, false);
    assert_int_equal(client_handshake(&faithful), 0);
    size_t in_use = 0;
    for (unsigned i = 0; i < 2000; i++) {
        connect_psk(&other, w, (uint16_t) (10000 + i), false);
        assert_int_equal(client_handshake(&other), 0);
        talk(&other);
        talk(&faithful);
        in_use = i == 2 * BJ_SECURE_SESSIONS ? bj_arena_in_use(w->arena) : in_use;
        client_end(&other);
    }
    assert_int_equal(bj_secure_sessions(w->server), BJ_SECURE_SESSIONS);
    assert_int_equal(w->ended, 2001 - BJ_SECURE_SESSIONS);
    assert_string_equal(w->why, "given up, as many others began since it was used");
    connect_psk(&other, w, 9999, false);
    assert_int_equal(client_handshake(&other), 0);
    talk(&other);
    talk(&faithful);
    assert_int_equal(bj_arena_in_use(w->arena), in_use);
    client_end(&other);
    client_end(&faithful);
    world_end(w);
}

/* --- sizes --- */

static void test_long_messages(void **state) {
    (void) state;
    static uint8_t data[40000];
    for (int stream = 0; stream < 2; stream++) {
        world *w = begin(stream);
        serve_psk(w, stream, false);
        client c;
        connect_psk(&c, w, 5000, stream);
        assert_int_equal(client_handshake(&c), 0);
        assert_int_equal(bj_secure_send(w->server, &c.peer, data, sizeof data), stream);
        CHECK(bj_secure_send(w->server, &c.peer, data, 16000));
        CHECK(bj_secure_send(w->server, &c.peer, data, 0));
        client_end(&c);
        world_end(w);
    }
}

static void test_a_handshake_in_small_datagrams(void **state) {
    (void) state;
    world *w = begin(false);
    identity server;
    make_identity(&server, "CN=bs.example", 7);
    serve(w, &(bj_secure_config){ .certificate = server.certificate, .private_key = server.key, .mtu = 200 });
    client c;
    client_begin(&c, w, 5000, false);
    client_certificates(&c, NULL, &server);
    client_ready(&c, BJ_SUITE_ECDSA_CCM8);
    assert_int_equal(client_handshake(&c), 0);
    CHECK(w->sent > 4);
    client_end(&c);
    world_end(w);
}

/* The server's sessions, cookies and repetitions are as with a ClientHello in one piece. */
static void in_fragments(size_t fragment, bool backwards, bool twice, bool cookies, uint64_t lose) {
    world *w = begin(false);
    w->fragment = fragment;
    w->backwards = backwards;
    w->twice = twice;
    w->lose_received = lose;
    serve_psk(w, false, cookies);
    client first, second;
    connect_psk(&first, w, 5000, false);
    assert_int_equal(client_handshake(&first), 0);
    talk(&first);
    client_end(&first);
    w->first = w->end;
    connect_anew(&second, w, 5000);
    assert_int_equal(client_handshake(&second), 0);
    talk(&second);
    assert_int_equal(bj_secure_sessions(w->server), 1);
    assert_int_equal(w->ended, 1);
    client_end(&second);
    size_t before = bj_arena_in_use(w->arena);
    bj_secure_free(w->server);
    w->server = NULL;
    CHECK(bj_arena_in_use(w->arena) < before);
    world_end(w);
}

static void test_a_hello_in_fragments(void **state) {
    (void) state;
    for (int cookies = 0; cookies < 2; cookies++) {
        in_fragments(40, false, false, cookies, 0);
        in_fragments(40, true, false, cookies, 0);
        in_fragments(1, false, true, cookies, 0);
        in_fragments(100, false, false, cookies, 2);
    }
}

/* Five clients begin at once: there is room for the fragments of four. */
static void test_fragments_of_many(void **state) {
    (void) state;
    world *w = begin(false);
    serve_psk(w, false, false);
    enum { CLIENTS = 5 };
    static client clients[CLIENTS];
    w->fragment = 100;
    w->lose_received = 2 | 2 << 3 | 2 << 6 | 2 << 9;
    for (unsigned i = 0; i < CLIENTS; i++) {
        connect_psk(&clients[i], w, (uint16_t) (100 + i), false);
        client_step(&clients[i]);
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        assert_int_equal(client_handshake(&clients[i]), 0);
        client_end(&clients[i]);
    }
    world_end(w);
}

/* --- anything at all --- */

static void feed_garbage(world *w, const bj_secure_peer *peer, uint64_t *seed, const uint8_t *base,
                         size_t base_length) {
    uint8_t bytes[600];
    size_t length = next_random(seed) % sizeof bytes;
    if (base && base_length <= sizeof bytes && next_random(seed) % 4) {
        memcpy(bytes, base, base_length);
        length = base_length;
        for (unsigned changes = next_random(seed) % 4; changes; changes--) {
            bytes[next_random(seed) % length] = (uint8_t) next_random(seed);
        }
        length = next_random(seed) % 3 ? length : next_random(seed) % length;
    } else {
        test_random(seed, bytes, length);
        if (length > 13 && next_random(seed) % 2) {
            memcpy(bytes, (uint8_t[]){ 22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, (uint8_t) (length - 13) }, 13);
            bytes[0] = (uint8_t) (20 + next_random(seed) % 4);
        }
    }
    bj_secure_receive(w->server, peer, bytes, length);
    w->first = w->end;
}

/* A ClientHello as a client sends it. */
static size_t a_hello(world *w, bool stream, uint8_t *hello) {
    client c;
    connect_psk(&c, w, 6000, stream);
    mbedtls_ssl_handshake_step(&c.ssl);
    mbedtls_ssl_handshake_step(&c.ssl);
    size_t length = 0;
    if (c.ssl.out_buf) {
        mbedtls_ssl_handshake_step(&c.ssl);
        length = c.ssl.out_msglen + (stream ? 5 : 13);
        memcpy(hello, c.ssl.out_hdr, length < 400 ? length : 400);
    }
    client_end(&c);
    bj_secure_forget_all(w->server);
    w->first = w->end;
    return length < 400 ? length : 400;
}

static void test_garbage(void **state) {
    (void) state;
    uint64_t seed = 42;
    for (int kind = 0; kind < 4; kind++) {
        bool stream = kind & 1;
        world *w = begin(stream);
        serve_psk(w, stream, kind & 2);
        uint8_t hello[400];
        size_t length = a_hello(w, stream, hello);
        CHECK(length > 60 && hello[0] == 22);
        size_t before = bj_arena_in_use(w->arena);
        for (unsigned i = 0; i < 20000; i++) {
            bj_secure_peer peer = { .connection = stream ? (int) (i / 3) : -1 };
            peer.address = (bj_addr){ .family = 6, .ip = { 1 }, .port = (uint16_t) (i / 5 % 50) };
            if (stream && i % 3 == 0) {
                bj_secure_open(w->server, &peer);
            }
            feed_garbage(w, &peer, &seed, hello, length);
            if (stream && i % 3 == 2) {
                bj_secure_forget(w->server, &peer);
            }
        }
        bj_secure_forget_all(w->server);
        assert_int_equal(bj_arena_in_use(w->arena), before);
        client c;
        connect_psk(&c, w, 5000, stream);
        assert_int_equal(client_handshake(&c), 0);
        client_end(&c);
        world_end(w);
    }
}

/* Into a session that is established, garbage changes nothing (RFC 6347 §4.1.2.7). */
static void test_garbage_in_a_session(void **state) {
    (void) state;
    uint64_t seed = 43;
    world *w = begin(false);
    serve_psk(w, false, true);
    client c;
    connect_psk(&c, w, 5000, false);
    assert_int_equal(client_handshake(&c), 0);
    talk(&c);
    for (unsigned i = 0; i < 5000; i++) {
        uint8_t record[80] = { 23, 254, 253, 0, 1, 0, 0, 0, 0, 1, 0, 0, 60 };
        record[0] = (uint8_t) (20 + i % 4);
        test_random(&seed, record + 13, 60);
        bj_secure_receive(w->server, &c.peer, record, i % 2 ? 73 : next_random(&seed) % 73);
    }
    talk(&c);
    assert_int_equal(w->ended, 0);
    client_end(&c);
    world_end(w);
}

/* --- what mbedTLS gets instead of libc --- */

static void test_dates(void **state) {
    (void) state;
    uint64_t seed = 5;
    for (int i = 0; i < 20000; i++) {
        time_t when = (time_t) (next_random(&seed) % 8000000000U) - 3000000000;
        struct tm ours, libcs;
        bj__mbedtls_gmtime_r(&when, &ours);
        gmtime_r(&when, &libcs);
        CHECK(ours.tm_year == libcs.tm_year && ours.tm_mon == libcs.tm_mon && ours.tm_mday == libcs.tm_mday);
        CHECK(ours.tm_hour == libcs.tm_hour && ours.tm_min == libcs.tm_min && ours.tm_sec == libcs.tm_sec);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_psk_ccm8),
        cmocka_unit_test(test_psk_cbc),
        cmocka_unit_test(test_certificates),
        cmocka_unit_test(test_client_certificates),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_identities_are_bytes),
        cmocka_unit_test(test_unusable_configurations),
        cmocka_unit_test(test_lost_datagrams),
        cmocka_unit_test(test_flights_are_repeated_at_their_deadlines),
        cmocka_unit_test(test_duplicates_are_ignored),
        cmocka_unit_test(test_a_client_that_starts_anew),
        cmocka_unit_test(test_what_a_client_that_starts_anew_leaves_behind),
        cmocka_unit_test(test_a_hello_that_comes_late_once_more),
        cmocka_unit_test(test_an_interrupted_stream),
        cmocka_unit_test(test_the_client_closes),
        cmocka_unit_test(test_a_client_that_negotiates_again),
        cmocka_unit_test(test_the_server_closes),
        cmocka_unit_test(test_a_fatal_alert_of_the_client),
        cmocka_unit_test(test_an_alert_before_a_version_is_agreed_upon),
        cmocka_unit_test(test_the_key_log),
        cmocka_unit_test(test_determinism),
        cmocka_unit_test(test_thousands_of_sessions),
        cmocka_unit_test(test_many_sessions_at_once),
        cmocka_unit_test(test_sessions_that_nobody_ends),
        cmocka_unit_test(test_long_messages),
        cmocka_unit_test(test_a_handshake_in_small_datagrams),
        cmocka_unit_test(test_a_hello_in_fragments),
        cmocka_unit_test(test_fragments_of_many),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_garbage_in_a_session),
        cmocka_unit_test(test_dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
