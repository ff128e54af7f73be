/* SPDX-License-Identifier: Apache-2.0
 *
 * One session: an mbedTLS context between the records of one peer and the plaintext of the server, its flight timer,
 * and what it has to tell (alerts, keys, its end).
 */
#include "secure/secure_internal.h"

#include <assert.h>
#include <string.h>

enum { RECORD_ALERT = 21, TLS_HEADER = 5, DTLS_HEADER = 13 };

void bj__session_tell(bj__session *s, bj_secure_kind kind, uint8_t level, int number, const char *text) {
    bj_secure_event event = { .kind = kind, .level = level, .number = number, .text = text };
    event.server_name = s->server_name[0] ? s->server_name : NULL;
    event.established = s->established;
    event.anew = s->anew;
    event.suite = s->established ? (uint16_t) mbedtls_ssl_get_ciphersuite_id(mbedtls_ssl_get_ciphersuite(&s->ssl)) : 0;
    s->secure->ops->event(s->secure->user, &s->peer, &event);
}

static void end(bj__session *s, const char *why) {
    if (!s->ended) {
        s->ended = true;
        s->intermediate = s->final = BJ_NEVER;
        bj__session_tell(s, BJ_SECURE_ENDED, 0, 0, why);
    }
}

void bj__session_begins_anew(bj__session *s) {
    s->anew = true;
    bj__session_tell(s, BJ_SECURE_ENDED, 0, 0, "the client begins anew");
    s->anew = s->established = false;
    s->server_name[0] = '\0';
}

/* --- what mbedTLS asks for --- */

int bj__random(void *secure, unsigned char *bytes, size_t length) {
    bj_secure *owner = secure;
    for (size_t i = 0; i < length; i += sizeof(uint64_t)) {
        uint64_t value = owner->ops->random(owner->user);
        memcpy(bytes + i, &value, length - i < sizeof value ? length - i : sizeof value);
    }
    return 0;
}

int bj__take_server_name(void *secure, mbedtls_ssl_context *ssl, const unsigned char *name, size_t length) {
    bj__session *s = ((bj_secure *) secure)->current;
    (void) ssl;
    if (s && length < sizeof s->server_name) {
        memcpy(s->server_name, name, length);
        s->server_name[length] = '\0';
    }
    return 0;
}

int bj__export_keys(void *secure, const unsigned char *master, const unsigned char *keys, size_t mac_length,
                    size_t key_length, size_t iv_length, const unsigned char client_random[32],
                    const unsigned char server_random[32], mbedtls_tls_prf_types prf) {
    (void) keys, (void) mac_length, (void) key_length, (void) iv_length, (void) server_random, (void) prf;
    bj__session *s = ((bj_secure *) secure)->current;
    BJ_TEXT(line, 256);
    bj_text_add(&line, "CLIENT_RANDOM ");
    bj_text_hex(&line, client_random, 32);
    bj_text_add(&line, " ");
    bj_text_hex(&line, master, 48);
    if (s) {
        bj__session_tell(s, BJ_SECURE_KEYS, 0, 0, line.start);
    }
    return 0;
}

static void set_timer(void *session, uint32_t intermediate_ms, uint32_t final_ms) {
    bj__session *s = session;
    bj_time now = s->secure->ops->now(s->secure->user);
    s->intermediate = final_ms ? now + intermediate_ms * BJ_MS : BJ_NEVER;
    s->final = final_ms ? now + final_ms * BJ_MS : BJ_NEVER;
}

static int get_timer(void *session) {
    const bj__session *s = session;
    if (s->final == BJ_NEVER) {
        return -1;
    }
    bj_time now = s->secure->ops->now(s->secure->user);
    return now >= s->final ? 2 : now >= s->intermediate ? 1 : 0;
}

/* --- records --- */

/* Alerts that leave in the clear tell their number; of the others only that there was one. */
static void look_for_alerts(bj__session *s, const uint8_t *data, size_t length) {
    size_t header = s->secure->stream ? TLS_HEADER : DTLS_HEADER;
    while (length >= header) {
        size_t body = (size_t) data[header - 2] << 8 | data[header - 1];
        if (body > length - header) {
            return;
        }
        bool clear = s->secure->stream ? !s->ssl.transform_out : !(data[3] | data[4]);
        if (data[0] == RECORD_ALERT && clear && body == 2) {
            bj__session_tell(s, BJ_SECURE_ALERT_SENT, data[header], data[header + 1], NULL);
        } else if (data[0] == RECORD_ALERT) {
            s->hidden_alert = true;
        }
        data += header + body;
        length -= header + body;
    }
}

static int send_record(void *session, const unsigned char *data, size_t length) {
    bj__session *s = session;
    look_for_alerts(s, data, length);
    s->secure->ops->out(s->secure->user, &s->peer, data, length);
    return (int) length;
}

/* A datagram is read whole or not at all: what does not fit is lost. */
static int receive_record(void *session, unsigned char *room, size_t size) {
    bj__session *s = session;
    if (!s->in_length) {
        return MBEDTLS_ERR_SSL_WANT_READ;
    }
    size_t taken = s->in_length < size ? s->in_length : size;
    memcpy(room, s->in, taken);
    if (s->in_hello) {
        room[2] =
            0xFF; /* any {254, x} is lawful (RFC 5246 E.1), and mbedTLS drops odd ones in a session that there is */
    }
    s->in += taken;
    s->in_length = s->secure->stream ? s->in_length - taken : 0;
    return (int) taken;
}

/* --- the end --- */

static int hidden_number(int error) {
    switch (error) {
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
        return MBEDTLS_SSL_ALERT_MSG_CLOSE_NOTIFY;
    case MBEDTLS_ERR_SSL_INVALID_MAC:
        return MBEDTLS_SSL_ALERT_MSG_BAD_RECORD_MAC;
    case MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE:
        return MBEDTLS_SSL_ALERT_MSG_UNEXPECTED_MESSAGE;
    case MBEDTLS_ERR_SSL_BAD_HS_FINISHED:
        return MBEDTLS_SSL_ALERT_MSG_DECRYPT_ERROR;
    default:
        return -1;
    }
}

static void tell_hidden(bj__session *s, uint8_t level, int number) {
    if (s->hidden_alert) {
        s->hidden_alert = false;
        bj__session_tell(s, BJ_SECURE_ALERT_SENT, level, number, NULL);
    }
}

static void tell_hidden_alert(bj__session *s, int number) {
    tell_hidden(s, number ? 2 : 1, number);
}

/* The one alert that mbedTLS sends by itself and goes on: it refuses to negotiate again (RFC 5246 §7.2.2). */
static void tell_refusal(bj__session *s, int result) {
    if (result > 0 || result == MBEDTLS_ERR_SSL_WANT_READ || result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY ||
        result == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE || result == MBEDTLS_ERR_SSL_CLIENT_RECONNECT) {
        tell_hidden(s, MBEDTLS_SSL_ALERT_LEVEL_WARNING, MBEDTLS_SSL_ALERT_MSG_NO_RENEGOTIATION);
    }
}

static const char *reason(int error) {
    switch (error) {
    case MBEDTLS_ERR_SSL_TIMEOUT:
        return "the peer does not answer the handshake";
    case MBEDTLS_ERR_SSL_UNKNOWN_IDENTITY:
        return "unknown PSK identity";
    case MBEDTLS_ERR_SSL_NO_CIPHER_CHOSEN:
        return "no common cipher suite";
    case MBEDTLS_ERR_SSL_BAD_HS_PROTOCOL_VERSION:
        return "protocol version not supported";
    case MBEDTLS_ERR_SSL_INVALID_MAC:
        return "a record that fails authentication";
    case MBEDTLS_ERR_SSL_CONN_EOF:
        return "the connection ended";
    case MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE:
    case MBEDTLS_ERR_X509_CERT_VERIFY_FAILED:
        return "the client's certificate is not accepted";
    default:
        return NULL;
    }
}

static void failed(bj__session *s, int error) {
    BJ_TEXT(text, 96);
    if (error == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
        bj__session_tell(s, BJ_SECURE_ALERT_RECEIVED, s->ssl.in_msg[0], s->ssl.in_msg[1], NULL);
        bj_text_printf(&text, "the peer sent alert %u", s->ssl.in_msg[1]);
    } else if (error == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
        bj__session_tell(s, BJ_SECURE_ALERT_RECEIVED, 1, MBEDTLS_SSL_ALERT_MSG_CLOSE_NOTIFY, NULL);
        mbedtls_ssl_close_notify(&s->ssl); /* RFC 5246 §7.2.1: answered, then closed */
        bj_text_add(&text, "the peer closed the session");
    } else if (reason(error)) {
        if (error == MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE) { /* RFC 5246 §7.4.6; mbedTLS leaves it to us */
            mbedtls_ssl_send_alert_message(&s->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                           MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE);
        }
        bj_text_add(&text, reason(error));
    } else {
        bj_text_printf(&text, "mbedTLS error -0x%04x", (unsigned) -error);
    }
    tell_hidden_alert(s, hidden_number(error));
    end(s, text.start);
}

/* --- life --- */

static int set_up(bj__session *s) {
    int error = mbedtls_ssl_setup(&s->ssl, &s->secure->config);
    if (error) {
        return error;
    }
    mbedtls_ssl_set_bio(&s->ssl, s, send_record, receive_record, NULL);
    if (s->secure->stream) {
        return 0;
    }
    mbedtls_ssl_set_timer_cb(&s->ssl, s, set_timer, get_timer);
    if (s->secure->mtu) {
        mbedtls_ssl_set_mtu(&s->ssl, s->secure->mtu);
    }
    const bj_addr *address = &s->peer.address;
    uint8_t id[18] = { (uint8_t) (address->port >> 8), (uint8_t) address->port };
    memcpy(id + 2, address->ip, address->family == 4 ? 4 : 16);
    return mbedtls_ssl_set_client_transport_id(&s->ssl, id, sizeof id);
}

bj__session *bj__session_new(bj_secure *secure, const bj_secure_peer *peer) {
    bj__session *s = bj_arena_alloc(secure->arena, sizeof *s);
    *s = (bj__session){ .secure = secure, .peer = *peer, .intermediate = BJ_NEVER, .final = BJ_NEVER };
    mbedtls_ssl_init(&s->ssl);
    if (set_up(s)) {
        bj__session_free(s);
        return NULL;
    }
    return s;
}

void bj__session_free(bj__session *s) {
    mbedtls_ssl_free(&s->ssl);
    bj_arena_free(s->secure->arena, s);
}

/* One step of the handshake; true when there may be more to do. */
static bool shake_hands(bj__session *s) {
    int result = mbedtls_ssl_handshake(&s->ssl);
    if (result == MBEDTLS_ERR_SSL_WANT_READ || result == MBEDTLS_ERR_SSL_WANT_WRITE) {
        return false;
    }
    if (result == MBEDTLS_ERR_SSL_HELLO_VERIFY_REQUIRED) {
        s->ended = true; /* nothing is kept until the cookie comes back; RFC 6347 §4.2.1 */
        return false;
    }
    if (result) {
        failed(s, result);
        return false;
    }
    s->established = true;
    const char *suite = mbedtls_ssl_get_ciphersuite(&s->ssl);
    bj__session_tell(s, BJ_SECURE_ESTABLISHED, 0, mbedtls_ssl_get_ciphersuite_id(suite), suite);
    return true;
}

static bool read_record(bj__session *s) {
    int result = mbedtls_ssl_read(&s->ssl, s->secure->record, BJ_SECURE_RECORD);
    tell_refusal(s, result);
    if (result > 0) {
        s->secure->ops->plain(s->secure->user, &s->peer, s->secure->record, (size_t) result);
        return true;
    }
    if (result == MBEDTLS_ERR_SSL_WANT_READ || result == MBEDTLS_ERR_SSL_WANT_WRITE) {
        return false;
    }
    if (result == MBEDTLS_ERR_SSL_CLIENT_RECONNECT) { /* RFC 6347 §4.2.8: the same port, a new handshake */
        bj__session_begins_anew(s);
        return true;
    }
    failed(s, result ? result : MBEDTLS_ERR_SSL_CONN_EOF);
    return false;
}

void bj__session_run(bj__session *s) {
    assert(!s->busy);
    s->busy++;
    bj__session *before = s->secure->current;
    s->secure->current = s;
    while (!s->ended && (s->established ? read_record(s) : shake_hands(s))) {
    }
    s->secure->current = before;
    s->busy--;
}

bool bj__session_send(bj__session *s, const uint8_t *data, size_t length) {
    while (length && !s->ended) {
        int written = mbedtls_ssl_write(&s->ssl, data, length);
        if (written <= 0) {
            return false;
        }
        data += written;
        length -= (size_t) written;
    }
    return !s->ended;
}

void bj__session_alert(bj__session *s, uint8_t level, uint8_t number) {
    if (s->ended) {
        return;
    }
    if (!s->ssl.major_ver) { /* before a version is agreed upon, records have the one that is hoped for */
        s->ssl.major_ver = MBEDTLS_SSL_MAJOR_VERSION_3;
        s->ssl.minor_ver = MBEDTLS_SSL_MINOR_VERSION_3;
    }
    mbedtls_ssl_send_alert_message(&s->ssl, level, number);
    tell_hidden(s, level, number);
    if (level == MBEDTLS_SSL_ALERT_LEVEL_FATAL) { /* RFC 5246 §7.2.2 */
        end(s, "a fatal alert was sent");
    }
}

void bj__session_close(bj__session *s) {
    if (!s->ended && s->established) {
        mbedtls_ssl_close_notify(&s->ssl);
        tell_hidden_alert(s, MBEDTLS_SSL_ALERT_MSG_CLOSE_NOTIFY);
    }
    end(s, "closed by the server");
}
