/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening and closing sessions.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transport/internal.h"

bool bjc_transport_does_scheme(bjc_scheme scheme) {
    return scheme == BJC_COAP || scheme == BJC_COAPS || scheme == BJC_COAP_TCP || scheme == BJC_COAPS_TCP;
}

/* The scheme says which transport, the Security Mode whether it is a secure one; that the two go together is the
 * caller's to check. */
static bool protocol_of(const bjc_peer *peer, coap_proto_t *protocol) {
    static const coap_proto_t protocols[2][2] = { { COAP_PROTO_UDP, COAP_PROTO_DTLS },
                                                  { COAP_PROTO_TCP, COAP_PROTO_TLS } };
    bool stream = peer->uri->scheme == BJC_COAP_TCP || peer->uri->scheme == BJC_COAPS_TCP;
    *protocol = protocols[stream][peer->mode != BOOTJACK_SECURITY_NOSEC];
    return bjc_transport_does_scheme(peer->uri->scheme) && bjc_transport_does_mode(peer->mode);
}

/* False, with a line of log: credentials that cannot be used. */
static bool credentials_usable(const bjc_core *core, const bjc_peer *peer) {
    bjc_fault fault = bjc_transport_fault(core, peer);
    if (fault.what) {
        bjc_log(core, BOOTJACK_LOG_WARNING, "credentials: %s", fault.what);
    }
    return !fault.what;
}

static coap_fixed_point_t fixed_point(double number) {
    unsigned thousandths = (unsigned) (number * 1000 + 0.5);
    return (coap_fixed_point_t){ (uint16_t) (thousandths / 1000), (uint16_t) (thousandths % 1000) };
}

/* libcoap keeps ACK_TIMEOUT in sixty-fourths of a second: not shorter than it was told. */
static void set_parameters(bjc_session *session) {
    const bootjack_tx_params *tx = &session->transport->core->config.tx;
    coap_session_set_app_data(session->coap, session);
    coap_session_set_ack_timeout(session->coap, fixed_point(ceil(tx->ack_timeout_ms * 64 / 1000.0) / 64));
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

/* libcoap copies identity and key, the name it keeps a pointer to. */
static coap_session_t *psk_session(bjc_session *session, const coap_address_t *remote) {
    const bjc_security *security = &session->security;
    coap_dtls_cpsk_t setup = {
        .version = COAP_DTLS_CPSK_SETUP_VERSION,
        .client_sni = security->server_name[0] ? session->security.server_name : NULL,
        .psk_info = { .identity = { .length = security->identity.length, .s = security->identity.data },
                      .key = { .length = security->key.length, .s = security->key.data } },
    };
    return coap_new_client_session_psk2(session->context->coap, NULL, remote, session->protocol, &setup);
}

/* libcoap is to let every server pass: it is judged by us (gnutls.c). All pointers are kept. */
static coap_session_t *certificate_session(bjc_session *session, const coap_address_t *remote) {
    const bjc_security *security = &session->security;
    coap_dtls_pki_t setup = {
        .version = COAP_DTLS_PKI_SETUP_VERSION,
        .verify_peer_cert = 0,
        .client_sni = security->server_name[0] ? session->security.server_name : NULL,
        .pki_key = { .key_type = COAP_PKI_KEY_ASN1,
                     .key.asn1 = { .public_cert = security->identity.data,
                                   .public_cert_len = security->identity.length,
                                   .private_key = security->key.data,
                                   .private_key_len = security->key.length,
                                   .private_key_type = COAP_ASN1_PKEY_EC } },
    };
    return coap_new_client_session_pki(session->context->coap, NULL, remote, session->protocol, &setup);
}

static coap_session_t *session_of(bjc_session *session, const coap_address_t *remote) {
    switch (session->security.mode) {
    case BOOTJACK_SECURITY_PSK:
        return psk_session(session, remote);
    case BOOTJACK_SECURITY_CERTIFICATE:
        return certificate_session(session, remote);
    default:
        return coap_new_client_session(session->context->coap, NULL, remote, session->protocol);
    }
}

static bool connect_to(bjc_session *session, const bjc_address *address) {
    coap_address_t remote;
    coap_address_init(&remote);
    remote.size = address->length;
    assert(address->length <= sizeof remote.addr);
    memcpy(&remote.addr, &address->socket, address->length);
    describe_address(session, address);
    session->heard = session->over = session->told = session->settings = false;
    session->up = !session->secure && !session->stream;
    session->security.accepted = session->security.approved = false;
    session->security.suite = 0;
    session->last_response.expires = 0;
    session->coap = session_of(session, &remote);
    if (!session->coap) {
        bjc_log(session->transport->core, BOOTJACK_LOG_WARNING, "no way to %s", session->address_text);
        return false;
    }
    set_parameters(session);
    bjc_security_watch(session);
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
    bjc_behind_free(session);
    if (session->coap) {
        coap_session_set_app_data(session->coap, NULL);
        coap_session_disconnected(session->coap, COAP_NACK_NOT_DELIVERABLE);
        coap_session_release(session->coap);
        session->coap = NULL;
    }
}

static bjc_session *session_new(bjc_transport *transport, coap_proto_t protocol, bool alone, bjc_incoming_fn *incoming,
                                void *context) {
    bool secure = protocol == COAP_PROTO_DTLS || protocol == COAP_PROTO_TLS;
    bjc_session *session = bjc_allocate(&transport->core->allocator, sizeof *session);
    bjc_context *place = session ? bjc_context_acquire(transport, !secure && !alone) : NULL;
    if (!place) {
        bjc_release(&transport->core->allocator, session);
        return NULL;
    }
    session->transport = transport;
    session->context = place;
    session->secure = secure;
    session->stream = protocol == COAP_PROTO_TCP || protocol == COAP_PROTO_TLS;
    session->protocol = protocol;
    session->incoming = incoming;
    session->incoming_context = context;
    bjc_inbound_init(&session->inbound, transport->core);
    session->inbound.stream = session->stream;
    bjc_pending_init(session);
    session->next = transport->sessions;
    transport->sessions = session;
    return session;
}

/* Over a stream the server is judged before its settings (RFC 8323 §5.3) came: a wrong one may never send any. */
static void judge(bjc_session *session) {
    bjc_security *security = &session->security;
    security->approved = security->approved || bjc_security_approved(session);
    session->over = !security->approved;
    session->up = security->approved && (session->settings || !session->stream);
}

/* The handshake ended well, or the session did, which libcoap does not always tell. */
static void look_at_handshake(bjc_session *session) {
    bjc_security_watch(session);
    coap_session_state_t state = coap_session_get_state(session->coap);
    if (state == COAP_SESSION_STATE_NONE) {
        session->over = true;
    } else if (state == COAP_SESSION_STATE_CSM || state == COAP_SESSION_STATE_ESTABLISHED) {
        judge(session);
    }
}

void bjc_session_look(bjc_session *session) {
    if (session->coap && session->secure && !session->up && !session->over) {
        look_at_handshake(session);
    } else if (session->stream && !session->secure) {
        session->up = session->settings;
    }
}

bootjack_error bjc_session_open(bjc_transport *transport, const bjc_peer *peer, bjc_incoming_fn *incoming,
                                void *context, bjc_session **session) {
    coap_proto_t protocol;
    *session = NULL;
    if (!protocol_of(peer, &protocol) || !credentials_usable(transport->core, peer)) {
        return BOOTJACK_ERR_UNSUPPORTED;
    }
    bjc_session *made = session_new(transport, protocol, peer->sleeps, incoming, context);
    if (!made || !bjc_security_take(made, peer)) {
        bjc_session_close(made);
        return BOOTJACK_ERR_MEMORY;
    }
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
    bjc_beside_free(session);
    bjc_session_disconnect(session);
    bjc_inbound_free(&session->inbound);
    bjc_context_release(transport, session->context);
    bjc_security_forget(session);
    bjc_release(&transport->core->allocator, session);
}

bool bjc_session_alive(const bjc_session *session) {
    return session->coap && !session->over;
}

int bjc_session_alert(const bjc_session *session) {
    return session->security.alert;
}

/* --- ends, sleep, another network ------------------------------------------------------------------------------- */

void bjc_session_watch(bjc_session *session, void (*ended)(void *context), void (*used)(void *context)) {
    session->ended = ended;
    session->used = used;
}

void bjc_session_note_use(const bjc_session *session) {
    if (session->used) {
        session->used(session->incoming_context);
    }
}

bool bjc_session_untold(const bjc_session *session) {
    return session->over && !session->told && session->ended && !session->pending.active;
}

void bjc_session_sleep(bjc_session *session) {
    assert(!session->context->shared && !session->pending.active && !session->beside);
    session->context->asleep = true;
}

bool bjc_session_asleep(const bjc_session *session) {
    return session->context->asleep;
}

void bjc_session_wake(bjc_session *session) {
    if (session->context->asleep) {
        session->context->asleep = false;
        session->deaf = !session->stream;
        if (session->deaf) {
            bjc_context_drain(session->transport, session->context);
        }
        session->deaf = false;
    }
}

static bool same_host(const struct sockaddr_storage *a, const coap_address_t *b) {
    if (a->ss_family != b->addr.sa.sa_family) {
        return false;
    }
    if (a->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *) a;
        return v4->sin_addr.s_addr == b->addr.sin.sin_addr.s_addr;
    }
    const struct sockaddr_in6 *v6 = (const void *) a;
    return memcmp(&v6->sin6_addr, &b->addr.sin6.sin6_addr, sizeof v6->sin6_addr) == 0;
}

/* A datagram socket that is connected says which address would be used; nothing is sent for that. */
bool bjc_session_moved(const bjc_session *session) {
    if (session->stream || !bjc_session_alive(session)) {
        return false;
    }
    const bjc_address *remote = &session->addresses[session->address_index - 1];
    const coap_address_t *local = coap_session_get_addr_local(session->coap);
    struct sockaddr_storage found;
    socklen_t length = sizeof found;
    int probe = socket(remote->socket.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (probe < 0) {
        return false;
    }
    bool known = local && connect(probe, &remote->socket.any, remote->length) == 0 &&
                 getsockname(probe, (struct sockaddr *) &found, &length) == 0;
    close(probe);
    return known && !same_host(&found, local);
}

bjc_time bjc_session_exchange_lifetime(const bjc_session *session) {
    const bootjack_config *config = &session->transport->core->config;
    return session->stream ? bjc_stream_exchange_lifetime(config) : bjc_exchange_lifetime(&config->tx);
}

const char *bjc_session_address(const bjc_session *session) {
    return session->address_text;
}
