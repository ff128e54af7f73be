/* SPDX-License-Identifier: Apache-2.0
 *
 * A secure endpoint and mbedTLS clients in memory: time that the test moves, a network that loses and doubles what the
 * test says, certificates made on the spot. For secure_test.c.
 */
#ifndef BJ_TESTS_SECURE_FIXTURE_H
#define BJ_TESTS_SECURE_FIXTURE_H

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "secure/platform.h"
#include "secure/secure.h"

enum { QUEUE = 64, PACKET = 20000, PEM_ROOM = 4096 };
#define EPOCH ((int64_t) 1704067200)

typedef struct packet {
    size_t length;
    uint8_t bytes[PACKET];
} packet;

typedef struct world {
    bj_arena *arena;
    bj_time now;
    uint64_t seed;
    bj_secure *server;
    packet *queue; /* to the clients, whoever it is for */
    bj_secure_peer queue_to[QUEUE];
    unsigned first, end;
    unsigned sent, received;           /* datagrams of the server, of the clients */
    uint64_t lose_sent, lose_received; /* bit n: the n-th is lost */
    bool twice;                        /* every datagram arrives twice */
    unsigned chunk;                    /* bytes of a stream at a time, 0: all */
    uint64_t digest;                   /* of all that the server sent */
    bj_time times[QUEUE];              /* when it sent */
    unsigned established, ended;
    int alert_sent, alert_received;      /* the last; -2: none */
    char keys[300], suite[80], why[120]; /* the last */
    char name[64];                       /* that the last client asked for */
    unsigned alerts_sent;
    uint8_t heard[65536];
    size_t heard_length;
    unsigned heard_records;
    bool echo, close_on_plain;
    uint8_t hello[600]; /* the last ClientHello that came */
    size_t hello_length;
    size_t fragment;  /* bytes of a ClientHello in a datagram, 0: all */
    bool backwards;   /* the last of its fragments comes first */
    bool odd_version; /* its record has the version {254, 0}, as of some clients */
} world;

typedef struct client {
    world *w;
    bj_secure_peer peer;
    mbedtls_ssl_config config;
    mbedtls_ssl_context ssl;
    mbedtls_x509_crt chain, ca;
    mbedtls_pk_context key;
    bj_time intermediate, final;
    int result; /* of the handshake: 0, or the error */
    bool done;
    size_t taken; /* of the first packet of a stream */
} client;

/* --- the server's world --- */

static uint64_t next_random(uint64_t *state) {
    uint64_t z = *state += 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
}

static bj_time world_now(void *user) {
    return ((world *) user)->now;
}

static uint64_t world_random(void *user) {
    return next_random(&((world *) user)->seed);
}

static void enqueue(world *w, const bj_secure_peer *peer, const uint8_t *data, size_t length) {
    assert_true(length <= PACKET && w->end - w->first < QUEUE);
    packet *p = &w->queue[w->end % QUEUE];
    memcpy(p->bytes, data, length);
    p->length = length;
    w->queue_to[w->end++ % QUEUE] = *peer;
}

static void world_out(void *user, const bj_secure_peer *peer, const uint8_t *data, size_t length) {
    world *w = user;
    for (size_t i = 0; i < length; i++) {
        w->digest = (w->digest ^ data[i]) * 1099511628211U;
    }
    w->times[w->sent % QUEUE] = w->now;
    bool lost = w->sent < 64 && (w->lose_sent >> w->sent & 1);
    w->sent++;
    for (int copies = lost ? 0 : w->twice ? 2 : 1; copies; copies--) {
        enqueue(w, peer, data, length);
    }
}

static void world_plain(void *user, const bj_secure_peer *peer, const uint8_t *data, size_t length) {
    world *w = user;
    assert_true(length <= sizeof w->heard - w->heard_length);
    memcpy(w->heard + w->heard_length, data, length);
    w->heard_length += length;
    w->heard_records++;
    if (w->echo) {
        assert_true(bj_secure_send(w->server, peer, data, length));
    }
    if (w->close_on_plain) {
        bj_secure_close(w->server, peer);
    }
}

static void world_event(void *user, const bj_secure_peer *peer, const bj_secure_event *event) {
    world *w = user;
    (void) peer;
    w->established += event->kind == BJ_SECURE_ESTABLISHED;
    w->ended += event->kind == BJ_SECURE_ENDED;
    w->alerts_sent += event->kind == BJ_SECURE_ALERT_SENT;
    if (event->kind == BJ_SECURE_ESTABLISHED) {
        strcpy(w->name, event->server_name ? event->server_name : "");
    }
    w->alert_sent = event->kind == BJ_SECURE_ALERT_SENT ? event->number : w->alert_sent;
    w->alert_received = event->kind == BJ_SECURE_ALERT_RECEIVED ? event->number : w->alert_received;
    char *to = event->kind == BJ_SECURE_KEYS          ? w->keys
               : event->kind == BJ_SECURE_ESTABLISHED ? w->suite
               : event->kind == BJ_SECURE_ENDED       ? w->why
                                                      : NULL;
    if (to) {
        strcpy(to, event->text);
    }
}

static const bj_secure_ops world_ops = { world_now, world_random, world_out, world_plain, world_event };

static void world_begin(world *w, bool stream) {
    *w = (world){ .arena = bj_arena_map((size_t) 64 << 20), .seed = 1, .alert_sent = -2, .alert_received = -2 };
    w->queue = bj_arena_calloc(w->arena, QUEUE, sizeof *w->queue);
    w->chunk = stream ? 7 : 0;
    bj_secure_platform(w->arena, EPOCH);
}

static void world_end(world *w) {
    bj_secure_free(w->server);
    bj_arena_unmap(w->arena);
    bj_secure_platform(NULL, 0);
}

/* --- credentials --- */

static const uint8_t secret[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

static bj_secure_bytes text_bytes(const char *text) {
    return (bj_secure_bytes){ (const uint8_t *) text, strlen(text) };
}

static bj_secure_psk device(void) {
    return (bj_secure_psk){ text_bytes("device"), { secret, sizeof secret } };
}

/* A key on secp256r1 and a certificate that it signed itself. */
typedef struct identity {
    uint8_t der[1024], key_der[256];
    bj_secure_bytes certificate, key;
    char pem[PEM_ROOM], key_pem[PEM_ROOM];
} identity;

static int test_random(void *state, unsigned char *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        bytes[i] = (unsigned char) next_random(state);
    }
    return 0;
}

static void write_certificate(identity *id, mbedtls_pk_context *key, const char *subject, uint64_t *seed) {
    mbedtls_x509write_cert writer;
    mbedtls_x509write_crt_init(&writer);
    mbedtls_mpi serial;
    mbedtls_mpi_init(&serial);
    mbedtls_mpi_lset(&serial, 1);
    mbedtls_x509write_crt_set_version(&writer, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(&writer, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(&writer, key);
    mbedtls_x509write_crt_set_issuer_key(&writer, key);
    mbedtls_x509write_crt_set_serial(&writer, &serial);
    assert_int_equal(mbedtls_x509write_crt_set_subject_name(&writer, subject), 0);
    assert_int_equal(mbedtls_x509write_crt_set_issuer_name(&writer, subject), 0);
    assert_int_equal(mbedtls_x509write_crt_set_validity(&writer, "20230101000000", "20330101000000"), 0);
    assert_int_equal(mbedtls_x509write_crt_set_basic_constraints(&writer, 1, -1), 0);
    int length = mbedtls_x509write_crt_der(&writer, id->der, sizeof id->der, test_random, seed);
    assert_true(length > 0);
    id->certificate = (bj_secure_bytes){ id->der + sizeof id->der - length, (size_t) length };
    assert_int_equal(mbedtls_x509write_crt_pem(&writer, (uint8_t *) id->pem, sizeof id->pem, test_random, seed), 0);
    mbedtls_x509write_crt_free(&writer);
    mbedtls_mpi_free(&serial);
}

static void make_identity(identity *id, const char *subject, uint64_t seed) {
    mbedtls_pk_context key;
    mbedtls_pk_init(&key);
    assert_int_equal(mbedtls_pk_setup(&key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)), 0);
    assert_int_equal(mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(key), test_random, &seed), 0);
    write_certificate(id, &key, subject, &seed);
    int length = mbedtls_pk_write_key_der(&key, id->key_der, sizeof id->key_der);
    assert_true(length > 0);
    id->key = (bj_secure_bytes){ id->key_der + sizeof id->key_der - length, (size_t) length };
    assert_int_equal(mbedtls_pk_write_key_pem(&key, (uint8_t *) id->key_pem, sizeof id->key_pem), 0);
    mbedtls_pk_free(&key);
}

/* --- a client --- */

/* A ClientHello, RFC 6347 §4.2.3. */
static void send_fragments(client *c, const uint8_t *data, size_t length) {
    world *w = c->w;
    enum { HEADERS = 13 + 12 };
    size_t body = length - HEADERS, count = (body + w->fragment - 1) / w->fragment;
    for (size_t i = 0; i < count; i++) {
        size_t n = w->backwards ? count - 1 - i : i, at = n * w->fragment;
        size_t part = body - at < w->fragment ? body - at : w->fragment;
        uint8_t datagram[PACKET];
        memcpy(datagram, data, HEADERS);
        memcpy(datagram + HEADERS, data + HEADERS + at, part);
        datagram[11] = (uint8_t) ((12 + part) >> 8);
        datagram[12] = (uint8_t) (12 + part);
        datagram[20] = (uint8_t) (at >> 8);
        datagram[21] = (uint8_t) at;
        datagram[23] = (uint8_t) (part >> 8);
        datagram[24] = (uint8_t) part;
        bool lost = w->received < 64 && (w->lose_received >> w->received & 1);
        w->received++;
        for (int copies = lost ? 0 : w->twice ? 2 : 1; copies; copies--) {
            bj_secure_receive(w->server, &c->peer, datagram, HEADERS + part);
        }
    }
}

static int client_send(void *user, const unsigned char *data, size_t length) {
    client *c = user;
    world *w = c->w;
    if (w->fragment && data[0] == 22 && length > 25 && data[13] == 1) {
        send_fragments(c, data, length);
        return (int) length;
    }
    bool lost = w->received < 64 && (w->lose_received >> w->received & 1);
    w->received++;
    size_t step = w->chunk ? w->chunk : length;
    for (int copies = lost ? 0 : w->twice ? 2 : 1; copies; copies--) {
        for (size_t at = 0; at < length; at += step) {
            if (data[0] == 22 && length > 13 && data[13] == 1 && length <= sizeof w->hello) {
                memcpy(w->hello, data, length);
                w->hello_length = length;
                w->hello[2] = w->odd_version ? 0 : data[2];
                data = w->hello;
            }
            bj_secure_receive(w->server, &c->peer, data + at, length - at < step ? length - at : step);
        }
    }
    return (int) length;
}

static bool same_end(const bj_secure_peer *a, const bj_secure_peer *b) {
    return a->connection == b->connection && bj_addr_equal(&a->address, &b->address);
}

static int client_receive(void *user, unsigned char *room, size_t size) {
    client *c = user;
    world *w = c->w;
    while (w->first != w->end && !same_end(&w->queue_to[w->first % QUEUE], &c->peer)) {
        w->first++; /* for a client that is no more */
    }
    if (w->first == w->end) {
        return MBEDTLS_ERR_SSL_WANT_READ;
    }
    packet *p = &w->queue[w->first % QUEUE];
    size_t left = p->length - c->taken;
    size_t taken = left < size ? left : size;
    memcpy(room, p->bytes + c->taken, taken);
    c->taken += taken;
    if (c->peer.connection < 0 || c->taken == p->length) {
        c->taken = 0;
        w->first++;
    }
    return (int) taken;
}

static void client_set_timer(void *user, uint32_t intermediate, uint32_t final) {
    client *c = user;
    c->intermediate = final ? c->w->now + intermediate * BJ_MS : BJ_NEVER;
    c->final = final ? c->w->now + final * BJ_MS : BJ_NEVER;
}

static int client_get_timer(void *user) {
    const client *c = user;
    return c->final == BJ_NEVER ? -1 : c->w->now >= c->final ? 2 : c->w->now >= c->intermediate;
}

static void client_begin(client *c, world *w, uint16_t port, bool stream) {
    static uint64_t seed;
    seed = port;
    *c = (client){ .w = w, .intermediate = BJ_NEVER, .final = BJ_NEVER };
    c->peer = (bj_secure_peer){ .connection = stream ? port : -1 };
    c->peer.address = (bj_addr){ .family = 4, .ip = { 192, 0, 2, 1 }, .port = port };
    mbedtls_ssl_init(&c->ssl);
    mbedtls_ssl_config_init(&c->config);
    mbedtls_x509_crt_init(&c->chain);
    mbedtls_x509_crt_init(&c->ca);
    mbedtls_pk_init(&c->key);
    int transport = stream ? MBEDTLS_SSL_TRANSPORT_STREAM : MBEDTLS_SSL_TRANSPORT_DATAGRAM;
    mbedtls_ssl_config_defaults(&c->config, MBEDTLS_SSL_IS_CLIENT, transport, MBEDTLS_SSL_PRESET_DEFAULT);
    mbedtls_ssl_conf_rng(&c->config, test_random, &seed);
    mbedtls_ssl_conf_authmode(&c->config, MBEDTLS_SSL_VERIFY_REQUIRED);
}

static void client_psk(client *c, bj_secure_bytes who, const uint8_t *key, size_t length) {
    assert_int_equal(mbedtls_ssl_conf_psk(&c->config, key, length, who.bytes, who.length), 0);
}

static void client_certificates(client *c, const identity *own, const identity *server) {
    if (server) {
        mbedtls_x509_crt_parse_der(&c->ca, server->certificate.bytes, server->certificate.length);
        mbedtls_ssl_conf_ca_chain(&c->config, &c->ca, NULL);
    }
    if (own) {
        mbedtls_x509_crt_parse_der(&c->chain, own->certificate.bytes, own->certificate.length);
        mbedtls_pk_parse_key(&c->key, own->key.bytes, own->key.length, NULL, 0);
        mbedtls_ssl_conf_own_cert(&c->config, &c->chain, &c->key);
    }
}

/* The rest of its configuration is done: begin. `suite` 0: any. */
static void client_ready(client *c, int suite) {
    static int suites[2];
    suites[0] = suite;
    if (suite) {
        mbedtls_ssl_conf_ciphersuites(&c->config, suites);
    }
    assert_int_equal(mbedtls_ssl_setup(&c->ssl, &c->config), 0);
    mbedtls_ssl_set_bio(&c->ssl, c, client_send, client_receive, NULL);
    mbedtls_ssl_set_timer_cb(&c->ssl, c, client_set_timer, client_get_timer);
    if (c->peer.connection >= 0) {
        bj_secure_open(c->w->server, &c->peer);
    }
}

static void client_step(client *c) {
    do {
        c->result = c->done ? c->result : mbedtls_ssl_handshake(&c->ssl);
        c->done = c->result != MBEDTLS_ERR_SSL_WANT_READ;
    } while (!c->done && c->w->first != c->w->end);
}

/* Until the client's handshake has a result, or nothing will ever happen. */
static int client_handshake(client *c) {
    world *w = c->w;
    client_step(c);
    while (!c->done) {
        bj_time server = bj_secure_deadline(w->server);
        bj_time when = c->final < server ? c->final : server;
        if (when == BJ_NEVER) {
            return MBEDTLS_ERR_SSL_WANT_READ;
        }
        w->now = when > w->now ? when : w->now;
        bj_secure_tick(w->server);
        client_step(c);
    }
    return c->result;
}

static void client_end(client *c) {
    mbedtls_ssl_free(&c->ssl);
    mbedtls_ssl_config_free(&c->config);
    mbedtls_x509_crt_free(&c->chain);
    mbedtls_x509_crt_free(&c->ca);
    mbedtls_pk_free(&c->key);
}

#endif
