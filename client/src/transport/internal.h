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

#define BJC_TOKEN_LENGTH 8

/* A libcoap context. Sessions without security share one; a secure server needs its own (PKI settings are the
 * context's). */
typedef struct bjc_context {
    struct bjc_context *next;
    coap_context_t *coap;
    bool borrowed; /* the application's */
    bool shared;
    unsigned users;
    bjc_time next_call; /* when libcoap wants to be called */
} bjc_context;

struct bjc_transport {
    const bjc_core *core;
    bjc_scheduler *scheduler;
    bjc_context *contexts;
    bjc_session *sessions;
};

/* Our request that is under way, kept so that it can be sent to the next address. */
typedef struct bjc_pending {
    bool active;
    bool held;           /* until the stream is up: libcoap would wait for that inside coap_send() */
    bjc_request request; /* points into `storage` */
    uint8_t *storage;
    uint8_t token[BJC_TOKEN_LENGTH];
    bjc_completion_fn *completion;
    void *context;
    bjc_timer deadline;
    /* Filled in by libcoap's callbacks, taken by bjc_transport_process(). */
    bool ended;
    bjc_completion result;
    bjc_buffer response; /* that `result` points into */
} bjc_pending;

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
    bool secure, stream; /* DTLS and TLS; TCP and TLS */
    bool up;             /* of a stream: Capabilities and Settings came, requests may be sent */
    uint8_t *secrets;    /* identity, then key; kept for the next address */
    size_t identity_length, key_length;
    char server_name[BJC_URI_MAX + 1]; /* for the Server Name Indication; empty = none */
    bjc_incoming_fn *incoming;
    void *incoming_context;
    bjc_inbound inbound;
    bjc_pending pending;
};

/* context.c */
bjc_context *bjc_context_acquire(bjc_transport *transport, bool shared);
void bjc_context_release(bjc_transport *transport, bjc_context *context);

/* session.c */
bool bjc_session_connect(bjc_session *session); /* to the first of the remaining addresses that can be reached */
void bjc_session_disconnect(bjc_session *session);

/* request.c */
void bjc_pending_init(bjc_session *session);
void bjc_pending_free(bjc_session *session);
/* Whether the session ended under it, and nothing has been said to that yet. */
bool bjc_pending_lost(const bjc_session *session);
void bjc_pending_lose(bjc_session *session);
/* Whether it was held back for a stream that is up by now. */
bool bjc_pending_ready(const bjc_session *session);
void bjc_pending_proceed(bjc_session *session);
/* Ends it with what libcoap's callbacks found. */
void bjc_pending_settle(bjc_session *session);
coap_response_t bjc_on_response(coap_session_t *coap, const coap_pdu_t *sent, const coap_pdu_t *received,
                                coap_mid_t mid);
int bjc_on_event(coap_session_t *coap, coap_event_t event);
void bjc_on_nack(coap_session_t *coap, const coap_pdu_t *sent, coap_nack_reason_t reason, coap_mid_t mid);

/* answer.c */
void bjc_on_request(coap_resource_t *resource, coap_session_t *coap, const coap_pdu_t *request,
                    const coap_string_t *query, coap_pdu_t *response);

#endif
