/* SPDX-License-Identifier: Apache-2.0
 *
 * What libcoap does not reach of GnuTLS: the server's whole chain, names, the negotiated suite, the last alert, and
 * credentials before they are used. Hooks go into the GnuTLS session between the ClientHello, which leaves while
 * libcoap makes it, and the server's answer; libcoap drives it otherwise.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>

#include "transport/internal.h"

/* The priorities that libcoap 4.3.1 sets: what is offered. */
#define PRIORITIES "NORMAL:+ECDHE-PSK:+PSK:+ECDHE-ECDSA:+AES-128-CCM-8:+CTYPE-CLI-ALL:+CTYPE-SRV-ALL:+SHA256"
/* Certificates of a chain that are looked at; GnuTLS takes no longer one either. */
#define CHAIN 16
/* 112 bits: no RSA below 2048 bits, no curve below 224, no SHA-1 (LwM2M Transport 1.1 §5.2.8). */
#define STRENGTH GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM)
/* Number of an extension of ours that is never sent (RFC 8446 §11: private use). */
#define OWN_EXTENSION 65300

static gnutls_datum_t datum(bjc_bytes bytes) {
    return (gnutls_datum_t){ (unsigned char *) (uintptr_t) bytes.data, (unsigned) bytes.length };
}

/* --- credentials before they are used --------------------------------------------------------------------------- */

static bool is_certificate(bjc_bytes der) {
    gnutls_x509_crt_t certificate;
    gnutls_datum_t bytes = datum(der);
    if (gnutls_x509_crt_init(&certificate) < 0) {
        return false;
    }
    int result = gnutls_x509_crt_import(certificate, &bytes, GNUTLS_X509_FMT_DER);
    gnutls_x509_crt_deinit(certificate);
    return result >= 0;
}

static bool is_private_key(bjc_bytes der) {
    gnutls_x509_privkey_t key;
    gnutls_datum_t bytes = datum(der);
    if (gnutls_x509_privkey_init(&key) < 0) {
        return false;
    }
    int result = gnutls_x509_privkey_import2(key, &bytes, GNUTLS_X509_FMT_DER, NULL, 0);
    gnutls_x509_privkey_deinit(key);
    return result >= 0;
}

/* By the call that libcoap will make. */
static bool belong_together(bjc_bytes certificate, bjc_bytes key) {
    gnutls_certificate_credentials_t credentials;
    gnutls_datum_t first = datum(certificate), second = datum(key);
    if (gnutls_certificate_allocate_credentials(&credentials) < 0) {
        return false;
    }
    int result = gnutls_certificate_set_x509_key_mem(credentials, &first, &second, GNUTLS_X509_FMT_DER);
    gnutls_certificate_free_credentials(credentials);
    return result >= 0;
}

static gnutls_digest_algorithm_t digest_of(bootjack_matching_type matching) {
    return matching == BOOTJACK_MATCH_SHA256   ? GNUTLS_DIG_SHA256
           : matching == BOOTJACK_MATCH_SHA384 ? GNUTLS_DIG_SHA384
                                               : GNUTLS_DIG_SHA512;
}

bjc_fault bjc_x509_fault(const bjc_peer *peer) {
    if (!is_certificate(peer->identity)) {
        return (bjc_fault){ "not an X.509 certificate in DER", BJC_PART_IDENTITY, false };
    }
    if (!is_private_key(peer->key)) {
        return (bjc_fault){ "not a private key in DER (PKCS#8 or SEC1)", BJC_PART_KEY, false };
    }
    if (!belong_together(peer->identity, peer->key)) {
        return (bjc_fault){ "not the private key of the certificate", BJC_PART_KEY, false };
    }
    if (peer->matching == BOOTJACK_MATCH_EXACT && !is_certificate(peer->server_key)) {
        return (bjc_fault){ "not an X.509 certificate in DER", BJC_PART_SERVER_KEY, false };
    }
    if (peer->matching != BOOTJACK_MATCH_EXACT &&
        peer->server_key.length != gnutls_hash_get_len((gnutls_digest_algorithm_t) digest_of(peer->matching))) {
        return (bjc_fault){ "not as long as a digest of the Matching Type", BJC_PART_SERVER_KEY, false };
    }
    return (bjc_fault){ 0 };
}

/* --- cipher suites ---------------------------------------------------------------------------------------------- */

static bool fits_mode(gnutls_kx_algorithm_t exchange, bootjack_security_mode mode) {
    bool shared = exchange == GNUTLS_KX_PSK || exchange == GNUTLS_KX_ECDHE_PSK || exchange == GNUTLS_KX_DHE_PSK;
    return shared == (mode == BOOTJACK_SECURITY_PSK);
}

bool bjc_suite_offered(uint16_t suite, bootjack_security_mode mode) {
    gnutls_priority_t priorities;
    bool found = false;
    if (gnutls_priority_init(&priorities, PRIORITIES, NULL) < 0) {
        return false;
    }
    unsigned index, i = 0;
    for (int result = 0; result != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE && !found; i++) {
        unsigned char id[2];
        gnutls_kx_algorithm_t exchange;
        gnutls_protocol_t least;
        result = gnutls_priority_get_cipher_suite_index(priorities, i, &index);
        if (result >= 0 && gnutls_cipher_suite_info(index, id, &exchange, NULL, NULL, &least)) {
            found = (id[0] << 8 | id[1]) == suite && least != GNUTLS_TLS1_3 && fits_mode(exchange, mode);
        }
    }
    gnutls_priority_deinit(priorities);
    return found;
}

static bool may_be_used(const bjc_security *security) {
    for (size_t i = 0; i < security->suite_count; i++) {
        if (security->suites[i] == security->suite) {
            return true;
        }
    }
    return security->suite_count == 0;
}

/* --- the server's certificate ----------------------------------------------------------------------------------- */

/* Why a server is refused, for the log and for the server. */
typedef struct refusal {
    const char *why; /* NULL = it is not */
    gnutls_alert_description_t alert;
} refusal;

static const refusal right = { NULL, GNUTLS_A_CLOSE_NOTIFY };

/* What the server showed, its own certificate first. */
typedef struct shown {
    gnutls_x509_crt_t chain[CHAIN];
    const gnutls_datum_t *der;
    unsigned count;
} shown;

static void shown_free(shown *all) {
    for (unsigned i = 0; i < all->count; i++) {
        gnutls_x509_crt_deinit(all->chain[i]);
    }
}

static refusal shown_take(shown *all, gnutls_session_t tls) {
    unsigned count = 0;
    all->count = 0;
    all->der = gnutls_certificate_type_get2(tls, GNUTLS_CTYPE_SERVER) == GNUTLS_CRT_X509
                   ? gnutls_certificate_get_peers(tls, &count)
                   : NULL;
    if (!all->der || count == 0 || count > CHAIN) {
        return (refusal){ "no chain of X.509 certificates, or too long a one", GNUTLS_A_BAD_CERTIFICATE };
    }
    for (; all->count < count; all->count++) {
        gnutls_x509_crt_t *place = &all->chain[all->count];
        if (gnutls_x509_crt_init(place) < 0) {
            return (refusal){ "no memory", GNUTLS_A_INTERNAL_ERROR };
        }
        if (gnutls_x509_crt_import(*place, &all->der[all->count], GNUTLS_X509_FMT_DER) < 0) {
            gnutls_x509_crt_deinit(*place);
            return (refusal){ "a certificate that cannot be read", GNUTLS_A_BAD_CERTIFICATE };
        }
    }
    return right;
}

/* Whether /0/x/4 stands for this certificate, /0/x/13 being how. */
static bool matches(const bjc_security *security, const gnutls_datum_t *der) {
    uint8_t digest[64];
    const uint8_t *form = der->data;
    size_t length = der->size;
    if (security->matching != BOOTJACK_MATCH_EXACT) {
        gnutls_digest_algorithm_t algorithm = digest_of(security->matching);
        length = gnutls_hash_get_len(algorithm);
        assert(length <= sizeof digest);
        if (gnutls_hash_fast(algorithm, der->data, der->size, digest) < 0) {
            return false;
        }
        form = digest;
    }
    return length == security->server_key.length && memcmp(form, security->server_key.data, length) == 0;
}

static bool matches_certificate(const bjc_security *security, gnutls_x509_crt_t certificate) {
    gnutls_datum_t der;
    if (gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_DER, &der) < 0) {
        return false;
    }
    bool found = matches(security, &der);
    gnutls_free(der.data);
    return found;
}

static refusal refusal_of(unsigned status) {
    if (status & (GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNER_NOT_CA)) {
        return (refusal){ "its certificate leads to no CA that is trusted", GNUTLS_A_UNKNOWN_CA };
    }
    if (status & GNUTLS_CERT_EXPIRED) {
        return (refusal){ "its certificate has expired", GNUTLS_A_CERTIFICATE_EXPIRED };
    }
    if (status & GNUTLS_CERT_NOT_ACTIVATED) {
        return (refusal){ "its certificate is not valid yet", GNUTLS_A_CERTIFICATE_EXPIRED };
    }
    if (status & GNUTLS_CERT_PURPOSE_MISMATCH) {
        return (refusal){ "its certificate is not for a server", GNUTLS_A_UNSUPPORTED_CERTIFICATE };
    }
    if (status & GNUTLS_CERT_INSECURE_ALGORITHM) {
        return (refusal){ "its certificate rests on weak keys or signatures", GNUTLS_A_INSUFFICIENT_SECURITY };
    }
    return status ? (refusal){ "its certificate is not valid", GNUTLS_A_BAD_CERTIFICATE } : right;
}

/* The path to one of the anchors, with periods of validity, by the clock that the client sees (RFC 5280 §6). */
static refusal path_refusal(shown *all, gnutls_x509_trust_list_t anchors) {
    unsigned status = GNUTLS_CERT_INVALID;
    gnutls_typed_vdata_st purpose = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
                                      .data = (unsigned char *) (uintptr_t) GNUTLS_KP_TLS_WWW_SERVER };
    if (gnutls_x509_trust_list_verify_crt2(anchors, all->chain, all->count, &purpose, 1, STRENGTH, &status, NULL) < 0) {
        return (refusal){ "its certificate cannot be checked", GNUTLS_A_BAD_CERTIFICATE };
    }
    return refusal_of(status);
}

/* Usage 2: what /0/x/4 stands for is the only anchor. Of a digest, the server has to show the certificate. */
static refusal anchor_refusal(const bjc_security *security, shown *all) {
    gnutls_x509_trust_list_t anchors;
    gnutls_datum_t der = datum(security->server_key);
    for (unsigned i = 0; i < all->count && security->matching != BOOTJACK_MATCH_EXACT; i++) {
        if (matches(security, &all->der[i])) {
            der = all->der[i];
        }
    }
    if (gnutls_x509_trust_list_init(&anchors, 0) < 0) {
        return (refusal){ "no memory", GNUTLS_A_INTERNAL_ERROR };
    }
    /* A digest that matched nothing is no certificate, and is not added. */
    refusal found = { "its certificate leads to no CA that is trusted", GNUTLS_A_UNKNOWN_CA };
    if (gnutls_x509_trust_list_add_trust_mem(anchors, &der, NULL, GNUTLS_X509_FMT_DER, 0, 0) == 1) {
        found = path_refusal(all, anchors);
    }
    gnutls_x509_trust_list_deinit(anchors, 1);
    return found;
}

/* Usage 0: whether a CA on the way from the server's certificate to the anchor is the one. The way was found good
 * before; it is walked again because GnuTLS does not show it. */
static bool passes_by(const bjc_security *security, const shown *all, gnutls_x509_trust_list_t anchors) {
    gnutls_x509_crt_t at = all->chain[0], next;
    for (unsigned step = 0; step < all->count; step++) {
        if (gnutls_x509_trust_list_get_issuer(anchors, at, &next, GNUTLS_TL_GET_COPY) >= 0) {
            bool found = matches_certificate(security, next);
            gnutls_x509_crt_deinit(next);
            return found;
        }
        next = NULL;
        for (unsigned i = 1; i < all->count && !next; i++) {
            next = gnutls_x509_crt_check_issuer(at, all->chain[i]) ? all->chain[i] : NULL;
        }
        if (!next || matches_certificate(security, next)) {
            return next != NULL;
        }
        at = next;
    }
    return false;
}

static refusal store_refusal(const bjc_session *session, shown *all) {
    const bjc_security *security = &session->security;
    gnutls_x509_trust_list_t anchors = session->transport->trust;
    if (!anchors) {
        return (refusal){ "there is no trust store to judge it by", GNUTLS_A_UNKNOWN_CA };
    }
    refusal found = path_refusal(all, anchors);
    bool ca = security->usage == BOOTJACK_USAGE_CA_CONSTRAINT;
    if (!found.why && ca && !passes_by(security, all, anchors)) {
        found = (refusal){ "its certificate does not lead by the CA of the account", GNUTLS_A_UNKNOWN_CA };
    }
    return found;
}

/* The name, but where the account holds the very certificate (LwM2M Transport 1.1 §5.2.8.7). */
static refusal name_refusal(const bjc_security *security, const shown *all) {
    bool named = gnutls_x509_crt_check_hostname2(all->chain[0], security->reference, 0) != 0;
    return named ? right : (refusal){ "its certificate is for another name", GNUTLS_A_BAD_CERTIFICATE };
}

static refusal chain_refusal(const bjc_session *session, shown *all) {
    const bjc_security *security = &session->security;
    bool itself =
        security->usage == BOOTJACK_USAGE_DOMAIN_ISSUED || security->usage == BOOTJACK_USAGE_SERVICE_CONSTRAINT;
    if (itself && !matches(security, &all->der[0])) {
        return (refusal){ "its certificate is not the one of the account", GNUTLS_A_BAD_CERTIFICATE };
    }
    if (security->usage == BOOTJACK_USAGE_DOMAIN_ISSUED) {
        return right;
    }
    refusal found =
        security->usage == BOOTJACK_USAGE_TRUST_ANCHOR ? anchor_refusal(security, all) : store_refusal(session, all);
    return found.why ? found : name_refusal(security, all);
}

static refusal certificate_refusal(const bjc_session *session, gnutls_session_t tls) {
    shown all;
    refusal found = shown_take(&all, tls);
    if (!found.why) {
        found = chain_refusal(session, &all);
    }
    shown_free(&all);
    return found;
}

/* --- hooks ------------------------------------------------------------------------------------------------------ */

/* A result that ends the handshake; libcoap then sends no alert of its own. */
static int refuse(const bjc_session *session, gnutls_session_t tls, refusal found) {
    bjc_log(session->transport->core, BOOTJACK_LOG_WARNING, "%s: server refused: %s", session->address_text, found.why);
    gnutls_alert_send(tls, GNUTLS_AL_FATAL, found.alert);
    return GNUTLS_E_SESSION_EOF;
}

static int on_certificate(gnutls_session_t tls) {
    bjc_session *session = gnutls_session_get_ptr(tls);
    refusal found = certificate_refusal(session, tls);
    session->security.accepted = !found.why;
    return found.why ? refuse(session, tls, found) : 0;
}

static refusal suite_refusal(const bjc_security *security) {
    return may_be_used(security)
               ? right
               : (refusal){ "it chose a cipher suite that is not on the account's list", GNUTLS_A_HANDSHAKE_FAILURE };
}

/* ServerHello: version, random, session id, suite (RFC 5246 §7.4.1.3). */
static int on_server_hello(gnutls_session_t tls, unsigned type, unsigned when, unsigned incoming,
                           const gnutls_datum_t *message) {
    (void) type, (void) when, (void) incoming;
    bjc_session *session = gnutls_session_get_ptr(tls);
    size_t at = message->size > 34 ? 35u + message->data[34] : SIZE_MAX - 1;
    if (message->size < 2 || at > message->size - 2) {
        return 0; /* GnuTLS says what is wrong */
    }
    session->security.suite = (unsigned) message->data[at] << 8 | message->data[at + 1];
    refusal found = suite_refusal(&session->security);
    return found.why ? refuse(session, tls, found) : 0;
}

static int no_extension_in(gnutls_session_t tls, const unsigned char *data, size_t length) {
    (void) tls, (void) data, (void) length;
    return 0;
}

static int no_extension_out(gnutls_session_t tls, gnutls_buffer_t out) {
    (void) tls, (void) out;
    return 0;
}

/* libcoap frees the GnuTLS session before it tells anybody that it failed. Data of an extension are freed with it, and
 * that is the last moment to ask for the alert. */
static void on_end(gnutls_ext_priv_data_t data) {
    bjc_session *session = data;
    bjc_security *security = &session->security;
    int alert = security->tls ? (int) gnutls_alert_get(security->tls) : 0;
    security->tls = NULL;
    if (alert > 0) {
        security->alert = alert;
        bjc_log(session->transport->core, BOOTJACK_LOG_WARNING, "%s: the server sent alert %d (%s)",
                session->address_text, alert, gnutls_alert_get_name((gnutls_alert_description_t) alert));
    }
}

/* The one certificate that there is, also for a server that names other CAs: it may know the device by the certificate
 * itself, and if not its alert tells more than the one for no certificate at all. */
static int on_certificate_wanted(gnutls_session_t tls, const gnutls_datum_t *authorities, int authority_count,
                                 const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_retr2_st *out) {
    (void) authorities, (void) authority_count, (void) algorithms, (void) algorithm_count;
    gnutls_certificate_credentials_t own;
    memset(out, 0, sizeof *out);
    if (gnutls_credentials_get(tls, GNUTLS_CRD_CERTIFICATE, (void **) &own) < 0 ||
        gnutls_certificate_get_x509_key(own, 0, &out->key.x509) < 0) {
        return -1;
    }
    if (gnutls_certificate_get_x509_crt(own, 0, &out->cert.x509, &out->ncerts) < 0) {
        gnutls_x509_privkey_deinit(out->key.x509);
        return -1;
    }
    out->cert_type = GNUTLS_CRT_X509;
    out->key_type = GNUTLS_PRIVKEY_X509;
    out->deinit_all = 1;
    return 0;
}

static void show_certificate(gnutls_session_t tls) {
    gnutls_certificate_credentials_t own;
    if (gnutls_credentials_get(tls, GNUTLS_CRD_CERTIFICATE, (void **) &own) >= 0) {
        gnutls_certificate_set_retrieve_function(own, on_certificate_wanted);
    }
}

void bjc_security_watch(bjc_session *session) {
    bjc_security *security = &session->security;
    gnutls_session_t tls = session->coap ? coap_session_get_tls(session->coap, NULL) : NULL;
    if (!tls || security->tls) {
        return;
    }
    security->tls = tls;
    gnutls_session_set_ptr(tls, session);
    gnutls_session_set_verify_function(tls, on_certificate);
    if (security->mode == BOOTJACK_SECURITY_CERTIFICATE) {
        show_certificate(tls);
    }
    gnutls_handshake_set_hook_function(tls, GNUTLS_HANDSHAKE_SERVER_HELLO, GNUTLS_HOOK_POST, on_server_hello);
    if (gnutls_session_ext_register(tls, "bootjack", OWN_EXTENSION, GNUTLS_EXT_TLS, no_extension_in, no_extension_out,
                                    on_end, NULL, NULL, 0) >= 0) {
        gnutls_ext_set_data(tls, OWN_EXTENSION, session);
    }
}

/* A server that answered before the hooks were in is judged by what GnuTLS keeps. */
static refusal late_refusal(bjc_session *session, gnutls_session_t tls) {
    bjc_security *security = &session->security;
    refusal found = right;
    if (security->mode == BOOTJACK_SECURITY_CERTIFICATE && !security->accepted) {
        found = certificate_refusal(session, tls);
    }
    if (!found.why && security->suite == 0 && security->suite_count > 0) {
        found = (refusal){ "the cipher suite is not known", GNUTLS_A_HANDSHAKE_FAILURE };
    }
    return found.why ? found : suite_refusal(security);
}

bool bjc_security_approved(bjc_session *session) {
    gnutls_session_t tls = session->security.tls;
    refusal found = { "there is no secure session", GNUTLS_A_INTERNAL_ERROR };
    if (tls) {
        found = late_refusal(session, tls);
        if (found.why) {
            refuse(session, tls, found);
        } else {
            bjc_log(session->transport->core, BOOTJACK_LOG_INFO, "%s: secure session, cipher suite 0x%04X",
                    session->address_text, session->security.suite);
        }
    }
    return !found.why;
}

/* --- the application's trust store ------------------------------------------------------------------------------ */

static bool is_pem(const bootjack_config *config) {
    return memmem(config->trust_store, config->trust_store_length, "-----BEGIN", 10) != NULL;
}

bootjack_error bjc_trust_new(const bjc_core *core, void **trust) {
    const bootjack_config *config = &core->config;
    gnutls_x509_trust_list_t list;
    *trust = NULL;
    if (config->trust_store_length == 0) {
        return BOOTJACK_OK;
    }
    gnutls_datum_t bytes = datum((bjc_bytes){ config->trust_store, config->trust_store_length });
    if (gnutls_x509_trust_list_init(&list, 0) < 0) {
        return BOOTJACK_ERR_MEMORY;
    }
    gnutls_x509_crt_fmt_t format = is_pem(config) ? GNUTLS_X509_FMT_PEM : GNUTLS_X509_FMT_DER;
    if (gnutls_x509_trust_list_add_trust_mem(list, &bytes, NULL, format, 0, 0) < 1) {
        bjc_log(core, BOOTJACK_LOG_ERROR, "the trust store holds no certificate that can be read");
        gnutls_x509_trust_list_deinit(list, 1);
        return BOOTJACK_ERR_ARGUMENT;
    }
    *trust = list;
    return BOOTJACK_OK;
}

void bjc_trust_free(void *trust) {
    if (trust) {
        gnutls_x509_trust_list_deinit(trust, 1);
    }
}
