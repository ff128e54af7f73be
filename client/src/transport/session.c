/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening and closing sessions.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "transport/internal.h"

/* What this build can do. A row for each scheme and for each Security Mode, so that more is a changed line. */
bool bjc_transport_does_mode(bootjack_security_mode mode) {
    return mode == BOOTJACK_SECURITY_NOSEC;
}

/* Of coaps:// only the Security Modes are missing: they refuse the account by themselves. */
bool bjc_transport_does_scheme(bjc_scheme scheme) {
    return scheme == BJC_COAP || scheme == BJC_COAPS;
}

/* The scheme says which transport, the Security Mode whether it is a secure one; that the two go together is the
 * caller's to check. */
static bool protocol_of(const bjc_peer *peer, coap_proto_t *protocol) {
    *protocol = COAP_PROTO_UDP;
    return bjc_transport_does_scheme(peer->uri->scheme) && bjc_transport_does_mode(peer->mode);
}

static coap_fixed_point_t fixed_point(double number) {
    unsigned thousandths = (unsigned) (number * 1000 + 0.5);
    return (coap_fixed_point_t){ (uint16_t) (thousandths / 1000), (uint16_t) (thousandths % 1000) };
}

static void set_parameters(bjc_session *session) {
    const bootjack_tx_params *tx = &session->transport->core->config.tx;
    coap_session_set_app_data(session->coap, session);
    coap_session_set_ack_timeout(session->coap, fixed_point(tx->ack_timeout_ms / 1000.0));
    coap_session_set_ack_random_factor(session->coap, fixed_point(tx->ack_random_factor));
    coap_session_set_max_retransmit(session->coap, tx->max_retransmit);
}

static void describe_address(bjc_session *session, const bjc_address *address) {
    char host[INET6_ADDRSTRLEN] = "?";
    bool v6 = address->socket.any.sa_family == AF_INET6;
    const void *raw = v6 ? (const void *) &address->socket.v6.sin6_addr : (const void *) &address->socket.v4.sin_addr;
    inet_ntop(address->socket.any.sa_family, raw, host, sizeof host);
    snprintf(session->address_text, sizeof session->address_text, v6 ? "[%s]:%u" : "%s:%u", host,
             ntohs(v6 ? address->socket.v6.sin6_port : address->socket.v4.sin_port));
}

static bool connect_to(bjc_session *session, const bjc_address *address) {
    coap_address_t remote;
    coap_address_init(&remote);
    remote.size = address->length;
    assert(address->length <= sizeof remote.addr);
    memcpy(&remote.addr, &address->socket, address->length);
    describe_address(session, address);
    session->heard = false;
    session->coap = coap_new_client_session(session->context->coap, NULL, &remote, session->protocol);
    if (!session->coap) {
        bjc_log(session->transport->core, BOOTJACK_LOG_WARNING, "no way to %s", session->address_text);
        return false;
    }
    set_parameters(session);
    return true;
}

bool bjc_session_connect(bjc_session *session) {
    while (session->address_index < session->address_count) {
        if (connect_to(session, &session->addresses[session->address_index++])) {
            return true;
        }
    }
    return false;
}

/* Releasing alone would go on retransmitting and hold the local port: the session is told to be at an end first. */
void bjc_session_disconnect(bjc_session *session) {
    if (session->coap) {
        coap_session_set_app_data(session->coap, NULL);
        coap_session_disconnected(session->coap, COAP_NACK_NOT_DELIVERABLE);
        coap_session_release(session->coap);
        session->coap = NULL;
    }
}

static bjc_session *session_new(bjc_transport *transport, bjc_incoming_fn *incoming, void *context) {
    bjc_session *session = bjc_allocate(&transport->core->allocator, sizeof *session);
    bjc_context *shared = session ? bjc_context_acquire(transport, true) : NULL;
    if (!shared) {
        bjc_release(&transport->core->allocator, session);
        return NULL;
    }
    session->transport = transport;
    session->context = shared;
    session->incoming = incoming;
    session->incoming_context = context;
    bjc_inbound_init(&session->inbound, transport->core);
    bjc_pending_init(session);
    session->next = transport->sessions;
    transport->sessions = session;
    return session;
}

bootjack_error bjc_session_open(bjc_transport *transport, const bjc_peer *peer, bjc_incoming_fn *incoming,
                                void *context, bjc_session **session) {
    coap_proto_t protocol;
    *session = NULL;
    if (!protocol_of(peer, &protocol)) {
        return BOOTJACK_ERR_UNSUPPORTED;
    }
    bjc_session *made = session_new(transport, incoming, context);
    if (!made) {
        return BOOTJACK_ERR_MEMORY;
    }
    made->protocol = protocol;
    made->address_count = bjc_resolve(transport->core, peer->uri, made->addresses);
    bool resolved = made->address_count > 0;
    if (!resolved || !bjc_session_connect(made)) {
        bjc_session_close(made);
        return resolved ? BOOTJACK_ERR_NETWORK : BOOTJACK_ERR_NAME;
    }
    *session = made;
    return BOOTJACK_OK;
}

void bjc_session_close(bjc_session *session) {
    if (!session) {
        return;
    }
    bjc_transport *transport = session->transport;
    bjc_session **slot = &transport->sessions;
    while (*slot != session) {
        slot = &(*slot)->next;
    }
    *slot = session->next;
    bjc_pending_free(session);
    bjc_session_disconnect(session);
    bjc_inbound_free(&session->inbound);
    bjc_context_release(transport, session->context);
    bjc_release(&transport->core->allocator, session);
}

const char *bjc_session_address(const bjc_session *session) {
    return session->address_text;
}
