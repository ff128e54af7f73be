/* SPDX-License-Identifier: Apache-2.0
 *
 * An endpoint: its credentials, what it offers, and its sessions by peer.
 */
#include "secure/secure.h"

#include <assert.h>
#include <string.h>

#include "secure/secure_internal.h"

/* --- sessions --- */

static bool same_peer(const bj_secure_peer *a, const bj_secure_peer *b) {
    return a->connection == b->connection &&
           (a->connection >= 0 || (a->endpoint == b->endpoint && bj_addr_equal(&a->address, &b->address)));
}

static bj__session *find(const bj_secure *secure, const bj_secure_peer *peer) {
    bj__session *s = secure->sessions;
    while (s && (s->ended || !same_peer(&s->peer, peer))) {
        s = s->next;
    }
    return s;
}

static void sweep(bj_secure *secure) {
    for (bj__session **link = &secure->sessions; *link;) {
        bj__session *s = *link;
        if (s->ended && !s->busy) {
            *link = s->next;
            bj__session_free(s);
        } else {
            link = &s->next;
        }
    }
}

static void drop(bj__session *s, const char *why) {
    if (!s->ended) {
        s->ended = true;
        s->intermediate = s->final = BJ_NEVER;
        bj__session_tell(s, BJ_SECURE_ENDED, 0, 0, why);
    }
}

/* Over datagrams nobody need say that he goes. */
static void make_room(bj_secure *secure) {
    bj__session *idlest = NULL;
    for (bj__session *s = secure->sessions; s; s = s->next) {
        idlest = !s->ended && !s->busy && (!idlest || s->used < idlest->used) ? s : idlest;
    }
    if (idlest) {
        drop(idlest, "given up, as many others began since it was used");
    }
}

static bj__session *add(bj_secure *secure, const bj_secure_peer *peer) {
    if (!secure->stream && bj_secure_sessions(secure) >= BJ_SECURE_SESSIONS) {
        make_room(secure);
    }
    bj__session *s = bj__session_new(secure, peer);
    if (s) {
        s->next = secure->sessions;
        secure->sessions = s;
    }
    return s;
}

/* --- what comes in --- */

enum {
    RECORD_ALERT = 21,
    RECORD_HANDSHAKE = 22,
    RECORD_DATA = 23,
    RECORD_HEADER = 13,
    CLIENT_HELLO = 1,
    HELLO_RANDOM = 13 + 12 + 2
};

/* The random of a ClientHello in the first record of a datagram, in the clear; NULL: it is something else. */
static const uint8_t *hello_of(const uint8_t *data, size_t length) {
    bool hello =
        length >= HELLO_RANDOM + 32 && data[0] == RECORD_HANDSHAKE && !(data[3] | data[4]) && data[13] == CLIENT_HELLO;
    return hello ? data + HELLO_RANDOM : NULL;
}

/* Something that is said in a session; its end need not be told to anybody. */
static bool is_encrypted(const uint8_t *data, size_t length) {
    return length >= RECORD_HEADER && data[0] >= RECORD_HANDSHAKE && data[0] <= RECORD_DATA && (data[3] | data[4]);
}

/* A client that starts anew from the same port. mbedTLS sees to it itself when it can ask for a cookie first
 * (RFC 6347 §4.2.8); otherwise the old session gives way. */
static bool replaced(const bj__session *s, const uint8_t *hello) {
    return hello && s->hello_known && memcmp(s->hello, hello, sizeof s->hello) != 0 &&
           !(s->established && s->secure->cookies);
}

/* NULL: it is the fragment of a ClientHello of which there is more to come. */
static const uint8_t *without_fragments(bj_secure *secure, const bj_secure_peer *peer, const uint8_t *data,
                                        size_t *length) {
    if (!bj__is_fragment(data, *length)) {
        return data;
    }
    data = bj__put_together(secure, peer, data, length);
    if (data) {
        bj_secure_event said = { .kind = BJ_SECURE_HELLO, .bytes = data, .length = *length };
        secure->ops->event(secure->user, peer, &said);
    }
    return data;
}

static void receive_datagram(bj_secure *secure, const bj_secure_peer *peer, const uint8_t *data, size_t length) {
    data = without_fragments(secure, peer, data, &length);
    if (!data) {
        return;
    }
    const uint8_t *hello = hello_of(data, length);
    bj__session *s = find(secure, peer);
    if (s && replaced(s, hello)) {
        s->ended = true;
        s->intermediate = s->final = BJ_NEVER;
        bj__session_begins_anew(s);
        s = NULL;
    }
    /* The network doubled it: mbedTLS would take it, with its cookie, for a client that has lost the session. */
    bool doubled = s && s->established && hello && s->hello_known && !memcmp(s->hello, hello, sizeof s->hello);
    s = s ? s : hello ? add(secure, peer) : NULL;
    if (!s && is_encrypted(data, length)) {
        bj_secure_event said = { .kind = BJ_SECURE_STRAY };
        secure->ops->event(secure->user, peer, &said);
    }
    if (!s || s->busy || doubled) {
        return;
    }
    s->used = ++secure->uses;
    s->in = data;
    s->in_length = length;
    s->in_hello = hello != NULL;
    bj__session_run(s);
    s->in_length = 0;
    s->in_hello = false;
    if (!s->ended && s->ssl.state <= MBEDTLS_SSL_CLIENT_HELLO) {
        s->ended = true; /* nothing came of it */
    } else if (hello && !s->ended && !s->established) {
        memcpy(s->hello, hello, sizeof s->hello);
        s->hello_known = true;
    }
}

static void receive_stream(bj_secure *secure, const bj_secure_peer *peer, const uint8_t *data, size_t length) {
    bj__session *s = find(secure, peer);
    if (s && !s->busy) {
        s->in = data;
        s->in_length = length;
        bj__session_run(s);
        s->in_length = 0;
    }
}

void bj_secure_open(bj_secure *secure, const bj_secure_peer *peer) {
    assert(secure->stream && peer->connection >= 0);
    bj__platform before = bj__platform_enter(secure);
    add(secure, peer);
    bj__platform_set(before);
}

void bj_secure_receive(bj_secure *secure, const bj_secure_peer *peer, const uint8_t *data, size_t length) {
    bj__platform before = bj__platform_enter(secure);
    if (secure->stream) {
        receive_stream(secure, peer, data, length);
    } else {
        receive_datagram(secure, peer, data, length);
    }
    sweep(secure);
    bj__platform_set(before);
}

/* --- what goes out --- */

bool bj_secure_send(bj_secure *secure, const bj_secure_peer *peer, const uint8_t *data, size_t length) {
    bj__session *s = find(secure, peer);
    if (!s || !s->established) {
        return false;
    }
    s->used = ++secure->uses;
    bj__platform before = bj__platform_enter(secure);
    bool sent = bj__session_send(s, data, length);
    bj__platform_set(before);
    return sent;
}

/* A record of the first epoch with a number beyond those that its HelloVerifyRequests had. */
static void alert_stranger(bj_secure *secure, const bj_secure_peer *peer, uint8_t level, uint8_t number) {
    const uint8_t record[] = { RECORD_ALERT, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 1, 0, 0, 2, level, number };
    bj_secure_event said = { .kind = BJ_SECURE_ALERT_SENT, .level = level, .number = number };
    secure->ops->out(secure->user, peer, record, sizeof record);
    secure->ops->event(secure->user, peer, &said);
}

bool bj_secure_alert(bj_secure *secure, const bj_secure_peer *peer, uint8_t level, uint8_t number) {
    bj__session *s = find(secure, peer);
    if (!s && secure->stream) {
        return false;
    }
    if (!s) {
        alert_stranger(secure, peer, level, number);
        return true;
    }
    bj__platform before = bj__platform_enter(secure);
    bj__session_alert(s, level, number);
    sweep(secure);
    bj__platform_set(before);
    return true;
}

void bj_secure_close(bj_secure *secure, const bj_secure_peer *peer) {
    bj__session *s = find(secure, peer);
    if (s) {
        bj__platform before = bj__platform_enter(secure);
        bj__session_close(s);
        sweep(secure);
        bj__platform_set(before);
    }
}

void bj_secure_forget(bj_secure *secure, const bj_secure_peer *peer) {
    bj__session *s = find(secure, peer);
    if (s) {
        drop(s, "forgotten");
        sweep(secure);
    }
}

void bj_secure_forget_all(bj_secure *secure) {
    for (bj__session *s = secure->sessions; s; s = s->next) {
        drop(s, "forgotten");
    }
    sweep(secure);
    bj__free_fragments(secure);
}

bool bj_secure_established(const bj_secure *secure, const bj_secure_peer *peer) {
    const bj__session *s = find(secure, peer);
    return s && s->established;
}

size_t bj_secure_sessions(const bj_secure *secure) {
    size_t count = 0;
    for (const bj__session *s = secure->sessions; s; s = s->next) {
        count += !s->ended;
    }
    return count;
}

/* --- time --- */

bj_time bj_secure_deadline(const bj_secure *secure) {
    bj_time when = BJ_NEVER;
    for (const bj__session *s = secure->sessions; s; s = s->next) {
        when = s->final < when ? s->final : when;
    }
    return when;
}

void bj_secure_tick(bj_secure *secure) {
    bj__platform before = bj__platform_enter(secure);
    for (bj__session *s = secure->sessions; s; s = s->next) {
        if (!s->ended && !s->busy && s->final <= secure->ops->now(secure->user)) {
            bj__session_run(s);
        }
    }
    sweep(secure);
    bj__platform_set(before);
}

/* --- credentials --- */

/* mbedTLS gives the identity as bytes. An unknown one is refused with alert 115, RFC 4279 §2. */
static int find_key(void *user, mbedtls_ssl_context *ssl, const unsigned char *identity, size_t length) {
    const bj_secure *secure = user;
    if (secure->current) {
        bj_secure_event shown = { .kind = BJ_SECURE_IDENTITY, .bytes = identity, .length = length };
        secure->ops->event(secure->user, &secure->current->peer, &shown);
    }
    for (size_t i = 0; i < secure->psk_count; i++) {
        const bj_secure_psk *psk = &secure->psks[i];
        if (psk->identity.length == length && (!length || !memcmp(psk->identity.bytes, identity, length))) {
            return mbedtls_ssl_set_hs_psk(ssl, psk->key.bytes, psk->key.length);
        }
    }
    return MBEDTLS_ERR_SSL_UNKNOWN_IDENTITY;
}

static bj_secure_bytes copy(bj_arena *arena, bj_secure_bytes from) {
    return (bj_secure_bytes){ bj_arena_copy(arena, from.bytes, from.length), from.length };
}

static bool take_keys(bj_secure *secure, const bj_secure_config *config, bj_text *why) {
    secure->psks = bj_arena_calloc(secure->arena, config->psk_count + 1, sizeof *secure->psks);
    for (size_t i = 0; i < config->psk_count; i++) {
        const bj_secure_psk *psk = &config->psks[i];
        if (!psk->key.length || psk->key.length > BJ_SECURE_KEY) {
            bj_text_printf(why, "a pre-shared key has %zu bytes; mbedTLS takes 1 to %d", psk->key.length,
                           BJ_SECURE_KEY);
            return false;
        }
        secure->psks[i].identity = copy(secure->arena, psk->identity);
        secure->psks[i].key = copy(secure->arena, psk->key);
        secure->psk_count++;
    }
    if (secure->psk_count) {
        mbedtls_ssl_conf_psk_cb(&secure->config, find_key, secure);
    }
    return true;
}

static bool is_pem(bj_secure_bytes from) {
    return from.length > 10 && !memcmp(from.bytes, "-----BEGIN", 10);
}

/* PEM must end in a NUL for mbedTLS. */
static int parse_pem(bj_secure *secure, mbedtls_x509_crt *chain, bj_secure_bytes from) {
    char *text = bj_arena_strndup(secure->arena, (const char *) from.bytes, from.length);
    int error = mbedtls_x509_crt_parse(chain, (const uint8_t *) text, from.length + 1);
    bj_arena_free(secure->arena, text);
    return error;
}

/* The length of the DER value at the beginning; 0: there is none. */
static size_t der_length(const uint8_t *bytes, size_t length) {
    if (length < 2 || bytes[0] != 0x30) {
        return 0;
    }
    size_t header = 2, content = bytes[1];
    if (content & 0x80) {
        header += content & 0x7F;
        content = 0;
        for (size_t i = 2; i < header && header <= 5 && i < length; i++) {
            content = content << 8 | bytes[i];
        }
    }
    return header > 5 || header > length || content > length - header ? 0 : header + content;
}

static int parse_chain(bj_secure *secure, mbedtls_x509_crt *chain, bj_secure_bytes from) {
    if (is_pem(from)) {
        return parse_pem(secure, chain, from);
    }
    size_t at = 0;
    while (at < from.length) {
        size_t length = der_length(from.bytes + at, from.length - at);
        int error =
            length ? mbedtls_x509_crt_parse_der(chain, from.bytes + at, length) : MBEDTLS_ERR_X509_INVALID_FORMAT;
        if (error) {
            return error;
        }
        at += length;
    }
    return at ? 0 : MBEDTLS_ERR_X509_INVALID_FORMAT;
}

static int parse_private_key(bj_secure *secure, bj_secure_bytes from) {
    char *text = bj_arena_strndup(secure->arena, (const char *) from.bytes, from.length);
    int error = mbedtls_pk_parse_key(&secure->private_key, (const uint8_t *) text, from.length + is_pem(from), NULL, 0);
    memset(text, 0, from.length);
    bj_arena_free(secure->arena, text);
    return error;
}

static bool refuse(bj_text *why, const char *what, int error) {
    bj_text_printf(why, "%s cannot be used (mbedTLS -0x%04x)", what, (unsigned) -error);
    return false;
}

static bool take_certificates(bj_secure *secure, const bj_secure_config *config, bj_text *why) {
    if (config->certificate.length) {
        int error = parse_chain(secure, &secure->certificate, config->certificate);
        if (error) {
            return refuse(why, "the certificate", error);
        }
        error = parse_private_key(secure, config->private_key);
        error = error ? error : mbedtls_pk_check_pair(&secure->certificate.pk, &secure->private_key);
        error = error ? error : mbedtls_ssl_conf_own_cert(&secure->config, &secure->certificate, &secure->private_key);
        if (error) {
            return refuse(why, "the private key", error);
        }
        secure->has_certificate = true;
    }
    if (config->client_ca.length) {
        int error = parse_chain(secure, &secure->client_ca, config->client_ca);
        if (error) {
            return refuse(why, "the CA for clients", error);
        }
        mbedtls_ssl_conf_ca_chain(&secure->config, &secure->client_ca, NULL);
        mbedtls_ssl_conf_authmode(&secure->config, MBEDTLS_SSL_VERIFY_REQUIRED);
    }
    return true;
}

/* --- what is offered --- */

static void take_suites(bj_secure *secure, const bj_secure_config *config) {
    size_t count = 0;
    for (size_t i = 0; i < config->suite_count && count < BJ_SECURE_SUITES; i++) {
        secure->suites[count++] = config->suites[i];
    }
    if (!count && secure->has_certificate) {
        secure->suites[count++] = BJ_SUITE_ECDSA_CCM8;
        secure->suites[count++] = BJ_SUITE_ECDSA_CBC;
    }
    if (!config->suite_count && secure->psk_count) {
        secure->suites[count++] = BJ_SUITE_PSK_CCM8;
        secure->suites[count++] = BJ_SUITE_PSK_CBC;
    }
    mbedtls_ssl_conf_ciphersuites(&secure->config, secure->suites);
}

/* Transport 1.1 §5.2: secp256r1, SHA-256; renegotiation must not happen; version 1.2 and no other. */
static int take_protocol(bj_secure *secure, const bj_secure_config *config) {
    static const mbedtls_ecp_group_id curves[] = { MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_NONE };
    static const int hashes[] = { MBEDTLS_MD_SHA256, MBEDTLS_MD_NONE };
    mbedtls_ssl_config *ssl = &secure->config;
    int transport = secure->stream ? MBEDTLS_SSL_TRANSPORT_STREAM : MBEDTLS_SSL_TRANSPORT_DATAGRAM;
    int error = mbedtls_ssl_config_defaults(ssl, MBEDTLS_SSL_IS_SERVER, transport, MBEDTLS_SSL_PRESET_DEFAULT);
    if (error) {
        return error;
    }
    mbedtls_ssl_conf_min_version(ssl, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_max_version(ssl, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_curves(ssl, curves);
    mbedtls_ssl_conf_sig_hashes(ssl, hashes);
    mbedtls_ssl_conf_rng(ssl, bj__random, secure);
    mbedtls_ssl_conf_sni(ssl, bj__take_server_name, secure);
    mbedtls_ssl_conf_export_keys_ext_cb(ssl, bj__export_keys, secure);
    if (secure->stream) {
        return 0;
    }
    bj_time first = config->first_timeout ? config->first_timeout : BJ_SECOND;
    bj_time last = config->last_timeout ? config->last_timeout : 60 * BJ_SECOND;
    mbedtls_ssl_conf_handshake_timeout(ssl, (uint32_t) (first / BJ_MS), (uint32_t) (last / BJ_MS));
    if (!config->cookies) {
        mbedtls_ssl_conf_dtls_cookies(ssl, NULL, NULL, NULL);
        return 0;
    }
    mbedtls_ssl_conf_dtls_cookies(ssl, mbedtls_ssl_cookie_write, mbedtls_ssl_cookie_check, &secure->cookie);
    return mbedtls_ssl_cookie_setup(&secure->cookie, bj__random, secure);
}

/* --- life --- */

static bool configure(bj_secure *secure, const bj_secure_config *config, bj_text *why) {
    int error = take_protocol(secure, config);
    if (error) {
        return refuse(why, "mbedTLS", error);
    }
    if (!take_keys(secure, config, why) || !take_certificates(secure, config, why)) {
        return false;
    }
    if (!secure->psk_count && !secure->has_certificate) {
        bj_text_add(why, "neither a pre-shared key nor a certificate is given");
        return false;
    }
    take_suites(secure, config);
    return true;
}

bj_secure *bj_secure_new(bj_arena *arena, const bj_secure_config *config, const bj_secure_ops *ops, void *user,
                         bj_text *why) {
    bj_secure *secure = bj_arena_alloc(arena, sizeof *secure);
    *secure = (bj_secure){ .arena = arena,
                           .ops = ops,
                           .user = user,
                           .stream = config->stream,
                           .epoch = config->epoch,
                           .cookies = config->cookies,
                           .mtu = config->mtu };
    secure->record = bj_arena_alloc(arena, BJ_SECURE_RECORD);
    bj__platform before = bj__platform_enter(secure);
    mbedtls_ssl_config_init(&secure->config);
    mbedtls_ssl_cookie_init(&secure->cookie);
    mbedtls_x509_crt_init(&secure->certificate);
    mbedtls_x509_crt_init(&secure->client_ca);
    mbedtls_pk_init(&secure->private_key);
    bool usable = configure(secure, config, why);
    bj__platform_set(before);
    if (!usable) {
        bj_secure_free(secure);
        return NULL;
    }
    return secure;
}

static void free_keys(bj_secure *secure) {
    for (size_t i = 0; i < secure->psk_count; i++) {
        bj_arena_free(secure->arena, (void *) (uintptr_t) secure->psks[i].identity.bytes);
        bj_arena_free(secure->arena, (void *) (uintptr_t) secure->psks[i].key.bytes);
    }
    bj_arena_free(secure->arena, secure->psks);
}

void bj_secure_free(bj_secure *secure) {
    if (!secure) {
        return;
    }
    for (bj__session *s = secure->sessions, *next; s; s = next) {
        next = s->next;
        assert(!s->busy);
        bj__session_free(s);
    }
    mbedtls_ssl_config_free(&secure->config);
    mbedtls_ssl_cookie_free(&secure->cookie);
    mbedtls_x509_crt_free(&secure->certificate);
    mbedtls_x509_crt_free(&secure->client_ca);
    mbedtls_pk_free(&secure->private_key);
    free_keys(secure);
    bj__free_fragments(secure);
    bj_arena_free(secure->arena, secure->record);
    bj_arena_free(secure->arena, secure);
}
