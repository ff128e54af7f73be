/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of secure/ share, and nobody else includes.
 */
#ifndef BJ_SECURE_INTERNAL_H
#define BJ_SECURE_INTERNAL_H

#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cookie.h>

#include "secure/secure.h"

typedef struct bj__session {
    struct bj__session *next;
    bj_secure *secure;
    bj_secure_peer peer;
    mbedtls_ssl_context ssl;
    const uint8_t *in; /* what came and is not read yet */
    size_t in_length;
    bool in_hello;               /* it begins with a ClientHello, in the clear */
    bj_time intermediate, final; /* of the flight's timer; BJ_NEVER: it does not run */
    uint8_t hello[32];           /* the client's random, once its handshake began */
    bool hello_known;
    char server_name[256]; /* of the ClientHello; empty: none */
    bool established, ended;
    bool anew;         /* what is told as ended gives way to another handshake of the peer */
    bool hidden_alert; /* an encrypted alert left, and its number is to be told */
    uint64_t used;     /* the latest of its peer's datagrams, and of those to it, as secure->uses counts them */
    unsigned busy;     /* mbedTLS or a callback is at work on it: it is freed later */
} bj__session;

enum { BJ__HELLOS = 4 };

struct bj_secure {
    bj_arena *arena;
    const bj_secure_ops *ops;
    void *user;
    bool stream;
    int64_t epoch;
    bj_secure_psk *psks;
    size_t psk_count;
    int suites[BJ_SECURE_SUITES + 1];
    bool has_certificate, cookies;
    uint16_t mtu;
    mbedtls_ssl_config config;
    mbedtls_ssl_cookie_ctx cookie;
    mbedtls_x509_crt certificate, client_ca;
    mbedtls_pk_context private_key;
    bj__session *sessions;
    uint64_t uses;
    bj__session *current;                 /* whose keys mbedTLS exports */
    uint8_t *record;                      /* BJ_SECURE_RECORD bytes */
    struct bj__hello *hellos[BJ__HELLOS]; /* of which fragments are here; NULL: none yet */
    unsigned next_hello;
};

/* --- platform.c: what mbedTLS calls instead of libc --- */

typedef struct bj__platform {
    bj_arena *arena;
    int64_t unix_time;
} bj__platform;

/* From now on mbedTLS allocates in that arena and sees that time; returns what was before. */
bj__platform bj__platform_set(bj__platform platform);
bj__platform bj__platform_enter(const bj_secure *secure);

/* --- fragments.c: RFC 6347 §4.2.3 --- */

/* A datagram that begins with a part of a ClientHello. */
bool bj__is_fragment(const uint8_t *data, size_t length);
/* Keeps what is in it. The whole ClientHello as one record, and its length, once all of it is here: it stays until the
 * next call. NULL: there is more to come. */
const uint8_t *bj__put_together(bj_secure *secure, const bj_secure_peer *peer, const uint8_t *data, size_t *length);
void bj__free_fragments(bj_secure *secure);

/* --- session.c --- */

/* NULL when mbedTLS refuses. */
bj__session *bj__session_new(bj_secure *secure, const bj_secure_peer *peer);
/* Lets mbedTLS go on with what lies in `in`, and with its timer. */
void bj__session_run(bj__session *session);
bool bj__session_send(bj__session *session, const uint8_t *data, size_t length);
void bj__session_alert(bj__session *session, uint8_t level, uint8_t number);
void bj__session_close(bj__session *session);
/* Tells that the session before has ended, as the peer begins another handshake (RFC 6347 §4.2.8). */
void bj__session_begins_anew(bj__session *session);
void bj__session_free(bj__session *session);
void bj__session_tell(bj__session *session, bj_secure_kind kind, uint8_t level, int number, const char *text);
/* The client names the server that it wants (RFC 6066 §3); any name will do. */
int bj__take_server_name(void *secure, mbedtls_ssl_context *ssl, const unsigned char *name, size_t length);
int bj__random(void *secure, unsigned char *bytes, size_t length);
int bj__export_keys(void *secure, const unsigned char *master, const unsigned char *keys, size_t mac_length,
                    size_t key_length, size_t iv_length, const unsigned char client_random[32],
                    const unsigned char server_random[32], mbedtls_tls_prf_types prf);

#endif
