/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the transport: what sessions are made of. Included by the files of transport/ only.
 */
#ifndef BJC_TRANSPORT_INTERNAL_H
#define BJC_TRANSPORT_INTERNAL_H

#include <coap3/coap.h>

#include "transport/inbound.h"
#include "transport/resolve.h"
#include "transport/transport.h"

#define BJC_TOKEN_LENGTH BJC_TOKEN_MAX

/* Largest payload of one message (RFC 7252 §4.6), and its exponent in a Block option. */
#define BJC_MESSAGE_PAYLOAD       1024u
#define BJC_MESSAGE_SIZE_EXPONENT 6u

/* A libcoap context. Sessions without security take what another of them has left (`shared`); a secure server needs its
 * own (PKI settings are the context's). */
typedef struct bjc_context {
    struct bjc_context *next;
    coap_context_t *coap;
    bool borrowed; /* the application's */
    bool shared;
    bool asleep; /* it is not looked at; only of one that is not shared */
    unsigned users;
    bjc_time next_call; /* when libcoap wants to be called */
} bjc_context;

struct bjc_transport {
    const bjc_core *core;
    void *trust; /* of gnutls.c: the application's trust store; NULL = none */
    bjc_scheduler *scheduler;
    bjc_context *contexts;
    bjc_session *sessions;
};

/* A request, kept so that it can be sent in blocks, or to the next address. */
typedef struct bjc_outgoing {
    bjc_request request; /* points into `storage` */
    uint8_t *storage;
    bool in_blocks;         /* its payload leaves in blocks */
    size_t sent;            /* bytes of it that the server has by then */
    unsigned size_exponent; /* of these blocks, SZX */
} bjc_outgoing;

/* Our request that is under way. */
typedef struct bjc_pending {
    bool active;
    bool held; /* until the session is up: over streams libcoap would wait for that inside coap_send() */
    bjc_outgoing out;
    bool continues; /* the next block is to be sent */
    coap_mid_t message_id;
    uint8_t token[BJC_TOKEN_LENGTH];
    bjc_completion_fn *completion;
    void *context;
    bjc_timer deadline;
    /* A response in blocks: how much of it is there, what was agreed on, and whether the next is to be asked for. */
    bjc_buffer body;
    bool next_wanted;
    unsigned size_exponent;
    size_t etag_length;
    uint8_t etag[8];
    /* Filled in by libcoap's callbacks, taken by bjc_transport_process(). */
    bool ended;
    bjc_completion result;
    bjc_buffer response; /* that `result` points into */
} bjc_pending;

/* A message of ours that is under way beside it: a Confirmable notification, or a report. */
typedef struct bjc_beside {
    struct bjc_beside *next;
    bjc_session *session;
    coap_mid_t message_id;
    uint8_t token[BJC_TOKEN_LENGTH];
    size_t token_length;
    bjc_completion_fn *completion; /* NULL: a notification */
    void *context;
    bjc_timer deadline;
    bool ended;
    bool continues; /* the next block of a report is to be sent */
    bjc_outcome outcome;
    uint8_t code;
    bjc_outgoing out; /* of a report */
    bjc_notification notification;
    uint8_t payload[]; /* of the notification */
} bjc_beside;

/* What makes a session secure: our credentials, what the server is judged by, and what came of it. Credentials are kept
 * for the next address, and for libcoap, which takes no copy. */
typedef struct bjc_security {
    bootjack_security_mode mode;
    uint8_t *secrets; /* identity, key, server key, one behind the other */
    bjc_bytes identity, key, server_key;
    bootjack_certificate_usage usage;
    bootjack_matching_type matching;
    char server_name[BJC_URI_MAX + 1]; /* for the Server Name Indication; empty = none */
    char reference[BJC_URI_MAX + 1];   /* the name or address that the server's certificate must be for */
    uint16_t suites[BJC_SUITES];
    size_t suite_count;
    void *tls;      /* the GnuTLS session that our hooks are in; NULL = none yet, or no more */
    unsigned suite; /* that the server chose, 0 = not known */
    bool accepted;  /* the server's certificate */
    bool approved;  /* the server, see bjc_security_approved() */
    int alert;      /* see bjc_session_alert() */
} bjc_security;

/* The Confirmable response that came last. */
typedef struct bjc_last_response {
    bjc_time expires; /* when its Message ID may be that of another; 0 = there was none */
    uint16_t message_id;
    bool rejected;
} bjc_last_response;

/* A request that came over a stream behind a response that is not settled. */
typedef struct bjc_behind {
    struct bjc_behind *next;
    coap_pdu_t *request;
} bjc_behind;

struct bjc_session {
    bjc_session *next;
    bjc_transport *transport;
    bjc_context *context;
    coap_session_t *coap;
    coap_proto_t protocol;
    bjc_address addresses[BJC_ADDRESSES];
    size_t address_count, address_index;
    char address_text[64];
    bool heard; /* something came from the present address */
    /* What holds the session ended, the connection or its security: another one has to be wanted by the owner. */
    bool over;
    bool told;           /* ... and was told so */
    bool deaf;           /* what comes now came while nobody listened */
    bool secure, stream; /* DTLS and TLS; TCP and TLS */
    bool settings;       /* of a stream: Capabilities and Settings came */
    bool up;             /* requests may be sent: the server is the right one, and has said what it must */
    bjc_security security;
    bjc_incoming_fn *incoming;
    void (*ended)(void *context), (*used)(void *context);
    void *incoming_context; /* of all three */
    bjc_inbound inbound;
    bjc_last_response last_response;
    bjc_pending pending;
    bjc_beside *beside;
    bjc_behind *behind; /* as they came */
    bjc_notified_fn *notified;
    void *notified_context;
};

/* context.c */
bjc_context *bjc_context_acquire(bjc_transport *transport, bool shared);
void bjc_context_release(bjc_transport *transport, bjc_context *context);
/* Reads what waits there, for the sessions to throw away. */
void bjc_context_drain(const bjc_transport *transport, const bjc_context *context);
/* A context of ours, and not the application's (early.c). */
void bjc_context_mark(coap_context_t *coap);

/* session.c */
void bjc_session_wake(bjc_session *session);
/* Something beside the requests leaves, or is over. */
void bjc_session_note_use(const bjc_session *session);
/* Whether it ended and its owner does not know yet. */
bool bjc_session_untold(const bjc_session *session);
bool bjc_session_connect(bjc_session *session); /* to the first of the remaining addresses that can be reached */
void bjc_session_disconnect(bjc_session *session);
/* Whether requests may be sent by now: the handshake is over, and what it brought is right; Settings came. */
void bjc_session_look(bjc_session *session);

/* credentials.c */
bool bjc_security_take(bjc_session *session, const bjc_peer *peer); /* false: no memory */
void bjc_security_forget(bjc_session *session);

/* gnutls.c: all that libcoap does not reach. */
bootjack_error bjc_trust_new(const bjc_core *core, void **trust); /* NULL where the configuration has no trust store */
void bjc_trust_free(void *trust);
/* Whether certificate and private key can be read and belong together, and so on. */
bjc_fault bjc_x509_fault(const bjc_peer *peer);
/* Whether the client offers the suite in this mode, of those of (D)TLS 1.2. */
bool bjc_suite_offered(uint16_t suite, bootjack_security_mode mode);
/* Puts hooks into the GnuTLS session, as soon as there is one: the handshake ends with an alert when the server is the
 * wrong one. */
void bjc_security_watch(bjc_session *session);
/* After the handshake: whether server and suite were found right, by the hooks or, where they came late, here. */
bool bjc_security_approved(bjc_session *session);

/* request.c */
void bjc_pending_init(bjc_session *session);
void bjc_pending_free(bjc_session *session);
/* Whether the session ended under it, and nothing has been said to that yet. */
bool bjc_pending_lost(const bjc_session *session);
void bjc_pending_lose(bjc_session *session);
/* Whether it was held back for a session that is up by now. */
bool bjc_pending_ready(const bjc_session *session);
void bjc_pending_proceed(bjc_session *session);
/* Whether the next block of a response is to be asked for. */
bool bjc_pending_wants_block(const bjc_session *session);
void bjc_pending_ask_block(bjc_session *session);
/* Whether its message, or that of the present block, has this Message ID and was not acknowledged. */
bool bjc_pending_awaits(const bjc_session *session, coap_mid_t message_id);
/* That Message ID was acknowledged. */
void bjc_pending_acknowledge(bjc_session *session, coap_mid_t message_id);
/* Ends it with what libcoap's callbacks found. */
void bjc_pending_settle(bjc_session *session);
coap_response_t bjc_on_response(coap_session_t *coap, const coap_pdu_t *sent, const coap_pdu_t *received,
                                coap_mid_t mid);
int bjc_on_event(coap_session_t *coap, coap_event_t event);
void bjc_on_nack(coap_session_t *coap, const coap_pdu_t *sent, coap_nack_reason_t reason, coap_mid_t mid);

/* outgoing.c */
/* Copies the request. False: no memory. */
bool bjc_outgoing_keep(bjc_outgoing *out, const bootjack_allocator *allocator, const bjc_request *request);
void bjc_outgoing_free(bjc_outgoing *out, const bootjack_allocator *allocator);
/* It is to be sent again from its beginning. */
void bjc_outgoing_rewind(bjc_outgoing *out);
/* A Confirmable message with what is to leave now, in blocks where there is no room for all; NULL: it cannot be built.
 */
coap_pdu_t *bjc_outgoing_pdu(bjc_outgoing *out, bjc_session *session, const uint8_t token[BJC_TOKEN_LENGTH]);
/* Whether the response only asks for the next block, which then is to leave. */
bool bjc_outgoing_goes_on(bjc_outgoing *out, const coap_pdu_t *received);

/* beside.c */
/* Takes a response, or what libcoap says of a message that was not delivered, when it belongs to one of them. */
bool bjc_beside_response(bjc_session *session, const coap_pdu_t *received);
void bjc_beside_nack(bjc_session *session, const coap_pdu_t *sent, bjc_outcome outcome);
/* The same for them. */
bool bjc_beside_awaits(const bjc_session *session, coap_mid_t message_id);
void bjc_beside_acknowledge(bjc_session *session, coap_mid_t message_id);
/* What libcoap does not retransmit any more is settled; calls completions. */
void bjc_beside_settle(bjc_session *session);
/* All of them are lost. */
void bjc_beside_lose(bjc_session *session);
/* Ends all of them with what is known. */
void bjc_beside_free(bjc_session *session);
bool bjc_beside_waiting(const bjc_session *session);

/* again.c */
/* libcoap reads the messages of this session from now on; NULL: of none. */
void bjc_again_read(bjc_session *session);
/* A response was taken, or rejected. */
void bjc_again_note(bjc_session *session, const coap_pdu_t *received, bool rejected);

/* behind.c */
/* Whether a request that comes now has to wait. */
bool bjc_behind_waits(const bjc_session *session);
/* Copies it. False: no memory. */
bool bjc_behind_keep(bjc_session *session, const coap_pdu_t *request);
void bjc_behind_free(bjc_session *session);
/* Answers the first of them, now that the response is settled. */
void bjc_behind_settle(bjc_session *session);

/* pong.c */
void bjc_on_ping(coap_session_t *session, const coap_pdu_t *ping, coap_mid_t mid);

/* answer.c */
void bjc_on_request(coap_resource_t *resource, coap_session_t *coap, const coap_pdu_t *request,
                    const coap_string_t *query, coap_pdu_t *response);
/* The answer to a request that is no repetition; the code stays empty where there is none. */
void bjc_answer_new(bjc_session *session, const coap_pdu_t *request, coap_pdu_t *response);

#endif
