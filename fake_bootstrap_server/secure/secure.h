/* SPDX-License-Identifier: Apache-2.0
 *
 * DTLS 1.2 (RFC 6347) and TLS 1.2 (RFC 5246) in front of a scripted server, on mbedTLS: pre-shared keys and X.509
 * certificates. One endpoint per server; it holds one session for each peer address (datagrams) or connection
 * (streams): of datagrams BJ_SECURE_SESSIONS, and the one that was used least lately gives way to more.
 *
 * Nothing here opens a socket, reads a clock or calls malloc(): records go in and out as bytes, time and randomness
 * come from callbacks, memory (that of mbedTLS included, secure/platform.c) from one arena. The same randomness and the
 * same bytes in give the same bytes out. Callbacks are called from within the functions below; they may call
 * bj_secure_send(), bj_secure_close() and bj_secure_forget(), nothing else of this header.
 *
 * What mbedTLS keeps in a session points to its own code and tables: sessions do not outlive their process.
 */
#ifndef BJ_SECURE_SECURE_H
#define BJ_SECURE_SECURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/text.h"

typedef struct bj_secure bj_secure;

typedef struct bj_secure_bytes {
    const uint8_t *bytes;
    size_t length;
} bj_secure_bytes;

typedef struct bj_secure_psk {
    bj_secure_bytes identity;
    bj_secure_bytes key; /* at most BJ_SECURE_KEY bytes: a limit of Debian's mbedTLS */
} bj_secure_psk;

enum { BJ_SECURE_KEY = 32, BJ_SECURE_SUITES = 16, BJ_SECURE_SESSIONS = 256, BJ_SECURE_RECORD = 16384 };

/* Cipher suites that LwM2M Transport 1.1 §5.2 asks for, and what an endpoint offers when no list is given. */
enum {
    BJ_SUITE_PSK_CCM8 = 0xC0A8,
    BJ_SUITE_PSK_CBC = 0x00AE,
    BJ_SUITE_ECDSA_CCM8 = 0xC0AE,
    BJ_SUITE_ECDSA_CBC = 0xC023,
};

/* Everything is copied. Certificates and keys are DER or PEM; several certificates follow one another. */
typedef struct bj_secure_config {
    bool stream; /* TLS */
    const bj_secure_psk *psks;
    size_t psk_count;
    bj_secure_bytes certificate; /* the server's own first, then what leads to its CA */
    bj_secure_bytes private_key;
    bj_secure_bytes client_ca; /* given: clients must show a certificate that leads to one of these */
    const uint16_t *suites;    /* in order of preference; none: those above for which there are credentials */
    size_t suite_count;
    bool cookies;          /* HelloVerifyRequest, RFC 6347 §4.2.1 */
    bj_time first_timeout; /* of a flight, RFC 6347 §4.2.4.1; 0: 1 s */
    bj_time last_timeout;  /* it doubles up to this, then the handshake ends; 0: 60 s */
    uint16_t mtu;          /* largest datagram of a handshake; 0: no limit */
    int64_t epoch;         /* Unix time at time 0, for the validity of certificates */
} bj_secure_config;

/* Who is at the other end. `endpoint` is the caller's: which port of the server was reached. */
typedef struct bj_secure_peer {
    int endpoint;
    int connection; /* -1: datagrams */
    bj_addr address;
} bj_secure_peer;

typedef enum bj_secure_kind {
    BJ_SECURE_ESTABLISHED = 1,    /* text, number: the cipher suite */
    BJ_SECURE_ALERT_SENT = 2,     /* level, number */
    BJ_SECURE_ALERT_RECEIVED = 3, /* level, number */
    BJ_SECURE_KEYS = 4,           /* text: a line of a key log, as NSS writes it and Wireshark reads it */
    BJ_SECURE_ENDED = 5,          /* text: why; the session is gone, but for the peer's next where it begins `anew` */
    BJ_SECURE_IDENTITY = 6,       /* bytes, length: the PSK identity that the peer shows, known or not */
    BJ_SECURE_HELLO = 7, /* bytes, length: a ClientHello that came in fragments, as the one record it could be */
    BJ_SECURE_STRAY = 8, /* an encrypted record of a peer without a session, which is dropped */
} bj_secure_kind;

typedef struct bj_secure_event {
    bj_secure_kind kind;
    uint8_t level; /* 1 warning, 2 fatal */
    int number;    /* of the alert; -1: it was encrypted, and not known */
    const char *text;
    const char *server_name; /* that the client asked for (SNI, RFC 6066 §3); NULL: it named none */
    uint16_t suite;          /* of an established session */
    bool established;        /* the handshake is over */
    bool anew;               /* ENDED: by another handshake from the same address (RFC 6347 §4.2.8) */
    const uint8_t *bytes;    /* IDENTITY, HELLO */
    size_t length;
} bj_secure_event;

typedef struct bj_secure_ops {
    bj_time (*now)(void *user);
    uint64_t (*random)(void *user);
    /* A datagram, or bytes of a stream, for the peer. */
    void (*out)(void *user, const bj_secure_peer *peer, const uint8_t *data, size_t length);
    /* What the peer said: one record; in a stream, records and messages have nothing to do with one another. */
    void (*plain)(void *user, const bj_secure_peer *peer, const uint8_t *data, size_t length);
    void (*event)(void *user, const bj_secure_peer *peer, const bj_secure_event *event);
} bj_secure_ops;

/* NULL when the configuration cannot be used, with the reason in *why. `ops` and `user` must outlive the endpoint. */
bj_secure *bj_secure_new(bj_arena *arena, const bj_secure_config *config, const bj_secure_ops *ops, void *user,
                         bj_text *why);
/* Drops all sessions without a word and gives all memory back. NULL is allowed. */
void bj_secure_free(bj_secure *secure);

/* Streams only: a connection was opened. Bytes of connections that were not, or whose session ended, are dropped. */
void bj_secure_open(bj_secure *secure, const bj_secure_peer *peer);

/* A datagram or bytes of a stream came. Whatever they are, the endpoint survives. A datagram that is not the beginning
 * of a handshake and belongs to no session is dropped. */
void bj_secure_receive(bj_secure *secure, const bj_secure_peer *peer, const uint8_t *data, size_t length);
/* Sends `length` bytes in one record (streams: as many as needed). false when there is no session, its handshake is not
 * finished, or a datagram would be too long. */
bool bj_secure_send(bj_secure *secure, const bj_secure_peer *peer, const uint8_t *data, size_t length);
/* Sends an alert, in the handshake or behind it; a fatal one (level 2) ends the session. To a peer without a session
 * (it is asked for a cookie yet) it goes in the clear. false: there is nobody to send it to. */
bool bj_secure_alert(bj_secure *secure, const bj_secure_peer *peer, uint8_t level, uint8_t number);
/* Ends the session with a close_notify alert. */
void bj_secure_close(bj_secure *secure, const bj_secure_peer *peer);
/* Ends the session without a word: the connection is gone, or the server restarts. */
void bj_secure_forget(bj_secure *secure, const bj_secure_peer *peer);
void bj_secure_forget_all(bj_secure *secure);

bool bj_secure_established(const bj_secure *secure, const bj_secure_peer *peer);
size_t bj_secure_sessions(const bj_secure *secure);

/* When bj_secure_tick() wants to be called next (flights are sent again), BJ_NEVER = not. Ask after every call. */
bj_time bj_secure_deadline(const bj_secure *secure);
void bj_secure_tick(bj_secure *secure);

#endif
