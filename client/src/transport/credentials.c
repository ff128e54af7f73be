/* SPDX-License-Identifier: Apache-2.0
 *
 * Credentials: what can be said of them before anything is sent, and their keeping for the life of a session.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#include "transport/internal.h"

static const char missing[] = "empty, though the Security Mode needs it";

static bjc_fault usable(void) {
    return (bjc_fault){ 0 };
}

static bjc_fault malformed(bjc_part part, const char *what) {
    return (bjc_fault){ what, part, false };
}

static bjc_fault unsupported(bjc_part part, const char *what) {
    return (bjc_fault){ what, part, true };
}

bool bjc_transport_does_mode(bootjack_security_mode mode) {
    return mode == BOOTJACK_SECURITY_NOSEC || mode == BOOTJACK_SECURITY_PSK || mode == BOOTJACK_SECURITY_CERTIFICATE;
}

/* libcoap hands the identity to GnuTLS as a text, which ends at the first NUL. */
static bjc_fault psk_fault(const bjc_peer *peer) {
    if (memchr(peer->identity.data, 0, peer->identity.length)) {
        return unsupported(BJC_PART_IDENTITY, "an identity with a NUL byte is not supported by this build");
    }
    if (peer->identity.length > BJC_IDENTITY_MAX) {
        return unsupported(BJC_PART_IDENTITY, "an identity so long is not supported by this build");
    }
    if (peer->key.length > BJC_KEY_MAX) {
        return unsupported(BJC_PART_KEY, "a key so long is not supported by this build");
    }
    return usable();
}

static bjc_fault trust_fault(const bjc_core *core, const bjc_peer *peer) {
    bool pkix = peer->usage == BOOTJACK_USAGE_CA_CONSTRAINT || peer->usage == BOOTJACK_USAGE_SERVICE_CONSTRAINT;
    if (pkix && !core->config.trust_store_length) {
        return unsupported(BJC_PART_USAGE, "this Certificate Usage needs a trust store, and none is configured");
    }
    if (peer->server_key.length == 0) {
        return malformed(BJC_PART_SERVER_KEY, missing);
    }
    return bjc_x509_fault(peer);
}

/* A list of which nothing can be offered leads nowhere (LwM2M Core 1.1 Appendix E.1, /0/x/16). */
static bjc_fault suites_fault(const bjc_peer *peer) {
    for (size_t i = 0; i < peer->suite_count; i++) {
        if (bjc_suite_offered(peer->suites[i], peer->mode)) {
            return usable();
        }
    }
    return peer->suite_count ? unsupported(BJC_PART_SUITES, "none of these cipher suites is supported by this build")
                             : usable();
}

bjc_fault bjc_transport_fault(const bjc_core *core, const bjc_peer *peer) {
    if (peer->mode == BOOTJACK_SECURITY_NOSEC) {
        return usable();
    }
    if (peer->mode != BOOTJACK_SECURITY_EST && peer->identity.length == 0) {
        return malformed(BJC_PART_IDENTITY, missing);
    }
    if (peer->mode != BOOTJACK_SECURITY_EST && peer->key.length == 0) {
        return malformed(BJC_PART_KEY, missing);
    }
    if (!bjc_transport_does_mode(peer->mode)) {
        return unsupported(BJC_PART_MODE, "Security Mode not supported by this build");
    }
    if (peer->server_name.length > BJC_URI_MAX) {
        return unsupported(BJC_PART_NAME, "a name so long is not supported by this build");
    }
    bjc_fault fault = peer->mode == BOOTJACK_SECURITY_PSK ? psk_fault(peer) : trust_fault(core, peer);
    return fault.what ? fault : suites_fault(peer);
}

/* --- keeping them ----------------------------------------------------------------------------------------------- */

static bjc_bytes keep(bjc_bytes from, uint8_t **at) {
    bjc_bytes kept = { *at, from.length };
    if (from.length) {
        memcpy(*at, from.data, from.length);
    }
    *at += from.length;
    return kept;
}

/* LwM2M Transport 1.1 §5.2.8.7: the name of the URI is indicated, never an address; /0/x/14 stands in for it. */
static void take_names(bjc_security *security, const bjc_peer *peer) {
    struct in_addr v4;
    struct in6_addr v6;
    const char *host = peer->uri->host;
    bool literal = inet_pton(AF_INET, host, &v4) == 1 || inet_pton(AF_INET6, host, &v6) == 1;
    bjc_text name = peer->server_name;
    if (name.length == 0) {
        name = (bjc_text){ host, strlen(host) };
    }
    if (name.length > 1 && name.data[name.length - 1] == '.') {
        name.length--; /* RFC 6066 §3: without the dot of an absolute name, which no certificate has either */
    }
    assert(name.length < sizeof security->reference);
    memcpy(security->reference, name.data, name.length);
    if (peer->server_name.length > 0 || !literal) {
        memcpy(security->server_name, name.data, name.length);
    }
}

bool bjc_security_take(bjc_session *session, const bjc_peer *peer) {
    bjc_security *security = &session->security;
    security->mode = peer->mode;
    security->alert = -1;
    if (!session->secure) {
        return true;
    }
    size_t size = peer->identity.length + peer->key.length + peer->server_key.length;
    security->secrets = bjc_allocate(&session->transport->core->allocator, size);
    if (!security->secrets) {
        return false;
    }
    uint8_t *at = security->secrets;
    security->identity = keep(peer->identity, &at);
    security->key = keep(peer->key, &at);
    security->server_key = keep(peer->server_key, &at);
    security->usage = peer->usage;
    security->matching = peer->matching;
    memcpy(security->suites, peer->suites, sizeof security->suites);
    security->suite_count = peer->suite_count;
    take_names(security, peer);
    return true;
}

void bjc_security_forget(bjc_session *session) {
    bjc_security *security = &session->security;
    bjc_release_wiped(&session->transport->core->allocator, security->secrets,
                      security->identity.length + security->key.length + security->server_key.length);
    security->secrets = NULL;
}
