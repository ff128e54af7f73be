/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates and private keys before they are used, cipher suites against what libcoap offers, the trust store.
 */
#include "support.h"

#include <arpa/inet.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bootjack/bootjack.h"
#include "transport/internal.h"

#define DER 1024

typedef struct der {
    uint8_t bytes[DER];
    size_t length;
} der;

/* Two self-signed certificates; the keys as PKCS#8 and, of the first, as SEC1. */
static der certificate, other, key, other_key, sec1;

static void make_certificate(gnutls_x509_privkey_t private_key, der *out) {
    gnutls_x509_crt_t made;
    assert_return_code(gnutls_x509_crt_init(&made), 0);
    gnutls_x509_crt_set_version(made, 3);
    gnutls_x509_crt_set_serial(made, "\1", 1);
    gnutls_x509_crt_set_activation_time(made, 0);
    gnutls_x509_crt_set_expiration_time(made, 4000000000);
    gnutls_x509_crt_set_dn_by_oid(made, GNUTLS_OID_X520_COMMON_NAME, 0, "x", 1);
    gnutls_x509_crt_set_key(made, private_key);
    assert_return_code(gnutls_x509_crt_sign2(made, made, private_key, GNUTLS_DIG_SHA256, 0), 0);
    out->length = DER;
    assert_return_code(gnutls_x509_crt_export(made, GNUTLS_X509_FMT_DER, out->bytes, &out->length), 0);
    gnutls_x509_crt_deinit(made);
}

static void make_pair(der *public_part, der *private_part, der *old_form) {
    gnutls_x509_privkey_t made;
    assert_return_code(gnutls_x509_privkey_init(&made), 0);
    assert_return_code(
        gnutls_x509_privkey_generate(made, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0), 0);
    private_part->length = old_form->length = DER;
    assert_return_code(gnutls_x509_privkey_export_pkcs8(made, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN,
                                                        private_part->bytes, &private_part->length),
                       0);
    assert_return_code(gnutls_x509_privkey_export(made, GNUTLS_X509_FMT_DER, old_form->bytes, &old_form->length), 0);
    make_certificate(made, public_part);
    gnutls_x509_privkey_deinit(made);
}

static int make_all(void **state) {
    (void) state;
    der unused;
    make_pair(&certificate, &key, &sec1);
    make_pair(&other, &other_key, &unused);
    return 0;
}

static bjc_bytes bytes(const der *from) {
    return (bjc_bytes){ from->bytes, from->length };
}

static bjc_peer peer_with(const der *own, const der *private_key, const der *server) {
    return (bjc_peer){ .mode = BOOTJACK_SECURITY_CERTIFICATE,
                       .identity = bytes(own),
                       .key = bytes(private_key),
                       .server_key = bytes(server),
                       .usage = BOOTJACK_USAGE_DOMAIN_ISSUED };
}

static void forms(void **state) {
    (void) state;
    static const der none = { .length = 0 }, garbage = { { 0x30, 3, 2, 1, 1 }, 5 }, cut = { { 0x30, 0x82, 1 }, 3 };
    const struct {
        const der *own, *private_key, *server;
        bool fine;
        bjc_part part;
    } rows[] = {
        { &certificate, &key, &other, true, 0 },
        { &certificate, &sec1, &other, true, 0 },
        { &other, &other_key, &other, true, 0 },
        { &none, &key, &other, false, BJC_PART_IDENTITY },
        { &garbage, &key, &other, false, BJC_PART_IDENTITY },
        { &cut, &key, &other, false, BJC_PART_IDENTITY },
        { &key, &key, &other, false, BJC_PART_IDENTITY },
        { &certificate, &none, &other, false, BJC_PART_KEY },
        { &certificate, &garbage, &other, false, BJC_PART_KEY },
        { &certificate, &certificate, &other, false, BJC_PART_KEY },
        { &certificate, &other_key, &other, false, BJC_PART_KEY },
        { &certificate, &key, &none, false, BJC_PART_SERVER_KEY },
        { &certificate, &key, &garbage, false, BJC_PART_SERVER_KEY },
        { &certificate, &key, &key, false, BJC_PART_SERVER_KEY },
    };
    bjc_core core = { 0 };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bjc_peer peer = peer_with(rows[i].own, rows[i].private_key, rows[i].server);
        bjc_fault fault = bjc_transport_fault(&core, &peer);
        assert_int_equal(!fault.what, rows[i].fine);
        assert_true(rows[i].fine || fault.part == rows[i].part);
    }
}

/* Every prefix of what is good is bad, and says so; so is a byte too many. */
static void cut_short(void **state) {
    (void) state;
    bjc_core core = { 0 };
    bjc_peer peer = peer_with(&certificate, &key, &other);
    for (size_t length = 0; length < certificate.length; length++) {
        uint8_t *exact = malloc(length + 1);
        memcpy(exact, certificate.bytes, length);
        peer.identity = (bjc_bytes){ exact, length };
        assert_int_equal(bjc_transport_fault(&core, &peer).part, BJC_PART_IDENTITY);
        free(exact);
    }
    peer = peer_with(&certificate, &key, &other);
    for (size_t length = 0; length < key.length; length++) {
        uint8_t *exact = malloc(length + 1);
        memcpy(exact, key.bytes, length);
        peer.key = (bjc_bytes){ exact, length };
        assert_int_equal(bjc_transport_fault(&core, &peer).part, BJC_PART_KEY);
        free(exact);
    }
}

static void digests(void **state) {
    (void) state;
    static const struct {
        bootjack_matching_type matching;
        size_t length;
        bool fine;
    } rows[] = { { BOOTJACK_MATCH_SHA256, 32, true }, { BOOTJACK_MATCH_SHA256, 31, false },
                 { BOOTJACK_MATCH_SHA384, 48, true }, { BOOTJACK_MATCH_SHA384, 32, false },
                 { BOOTJACK_MATCH_SHA512, 64, true }, { BOOTJACK_MATCH_SHA512, 65, false },
                 { BOOTJACK_MATCH_SHA256, 1, false } };
    bjc_core core = { 0 };
    der digest = { { 0 }, 0 };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        digest.length = rows[i].length;
        bjc_peer peer = peer_with(&certificate, &key, &digest);
        peer.matching = rows[i].matching;
        assert_int_equal(!bjc_transport_fault(&core, &peer).what, rows[i].fine);
    }
}

static void usages_need_a_trust_store(void **state) {
    (void) state;
    bjc_core core = { 0 };
    for (unsigned usage = 0; usage < 4; usage++) {
        bjc_peer peer = peer_with(&certificate, &key, &other);
        peer.usage = (bootjack_certificate_usage) usage;
        core.config.trust_store_length = 0;
        bjc_fault fault = bjc_transport_fault(&core, &peer);
        assert_int_equal(!fault.what, usage >= 2);
        assert_true(usage >= 2 || (fault.part == BJC_PART_USAGE && fault.unsupported));
        core.config.trust_store_length = 1;
        assert_null(bjc_transport_fault(&core, &peer).what);
    }
}

static void a_name_that_is_too_long(void **state) {
    (void) state;
    char name[BJC_URI_MAX + 1];
    bjc_core core = { 0 };
    memset(name, 'a', sizeof name);
    bjc_peer peer = peer_with(&certificate, &key, &other);
    peer.server_name = (bjc_text){ name, BJC_URI_MAX };
    assert_null(bjc_transport_fault(&core, &peer).what);
    peer.server_name.length++;
    assert_int_equal(bjc_transport_fault(&core, &peer).part, BJC_PART_NAME);
}

/* --- cipher suites ---------------------------------------------------------------------------------------------- */

/* The suites of a ClientHello in DTLS (RFC 6347 §4.2.2): behind random, session id and cookie. */
static size_t suites_of(const uint8_t *hello, size_t length, uint16_t *suites) {
    size_t at = 13 + 12 + 2 + 32;
    at += 1u + hello[at];
    at += 1u + hello[at];
    size_t count = ((size_t) hello[at] << 8 | hello[at + 1]) / 2;
    assert_true(at + 2 + 2 * count <= length);
    for (size_t i = 0; i < count; i++) {
        suites[i] = (uint16_t) (hello[at + 2 + 2 * i] << 8 | hello[at + 3 + 2 * i]);
    }
    return count;
}

/* What the client sends first to an account. */
static size_t offered(const bjc_peer *credentials, uint16_t *suites) {
    bjc_core core;
    bjc_transport *transport;
    bjc_session *session;
    bjc_uri uri;
    const char *reason;
    char text[40];
    uint8_t hello[1500];
    struct sockaddr_in local = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof local;
    int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
    assert_return_code(bind(descriptor, (struct sockaddr *) &local, sizeof local), 0);
    assert_return_code(getsockname(descriptor, (struct sockaddr *) &local, &size), 0);
    int length = snprintf(text, sizeof text, "coaps://127.0.0.1:%u", ntohs(local.sin_port));
    assert_true(bjc_uri_parse(&uri, text, (size_t) length, &reason));
    bjc_peer peer = *credentials;
    peer.uri = &uri;
    core_start(&core);
    assert_int_equal(bjc_transport_new(&core, &core.scheduler, &transport), BOOTJACK_OK);
    assert_int_equal(bjc_session_open(transport, &peer, NULL, NULL, &session), BOOTJACK_OK);
    ssize_t count = recv(descriptor, hello, sizeof hello, 0);
    assert_true(count > 60);
    bjc_transport_free(transport);
    bjc_core_free(&core);
    close(descriptor);
    return suites_of(hello, (size_t) count, suites);
}

static bool is_among(uint16_t suite, const uint16_t *suites, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (suites[i] == suite) {
            return true;
        }
    }
    return false;
}

/* Of all numbers in use, those that we take to be offered are those of the ClientHello. */
static void suites_are_those_of_the_hello(void **state) {
    (void) state;
    static const bjc_peer psk = { .mode = BOOTJACK_SECURITY_PSK,
                                  .identity = { (const uint8_t *) "i", 1 },
                                  .key = { (const uint8_t *) "0123456789abcdef", 16 } };
    static const struct {
        uint16_t first, last;
    } registered[] = {
        { 0x0000, 0x00FE }, { 0x1301, 0x1307 }, { 0xC001, 0xC0FF }, { 0xCCA8, 0xCCAE }, { 0xD001, 0xD005 }
    };
    const bjc_peer x509 = peer_with(&certificate, &key, &other);
    const bjc_peer *const peers[] = { &psk, &x509 };
    for (size_t p = 0; p < 2; p++) {
        uint16_t suites[128];
        size_t count = offered(peers[p], suites);
        assert_true(count > 1 && count < 128);
        for (size_t r = 0; r < sizeof registered / sizeof *registered; r++) {
            for (unsigned suite = registered[r].first; suite <= registered[r].last; suite++) {
                assert_int_equal(bjc_suite_offered((uint16_t) suite, peers[p]->mode),
                                 is_among((uint16_t) suite, suites, count));
            }
        }
    }
    assert_true(bjc_suite_offered(0xC0A8, BOOTJACK_SECURITY_PSK));
    assert_true(bjc_suite_offered(0x00AE, BOOTJACK_SECURITY_PSK));
    assert_true(bjc_suite_offered(0xC0AE, BOOTJACK_SECURITY_CERTIFICATE));
    assert_true(bjc_suite_offered(0xC023, BOOTJACK_SECURITY_CERTIFICATE));
    assert_false(bjc_suite_offered(0xC0AE, BOOTJACK_SECURITY_PSK));
    assert_false(bjc_suite_offered(0xC0A8, BOOTJACK_SECURITY_CERTIFICATE));
    assert_false(bjc_suite_offered(0x0000, BOOTJACK_SECURITY_PSK));
}

/* --- the trust store -------------------------------------------------------------------------------------------- */

static bootjack_error create_with(const void *store, size_t length) {
    bootjack_config config;
    bootjack_client *client = NULL;
    bootjack_config_init(&config);
    config.endpoint = "dev-1";
    config.trust_store = store;
    config.trust_store_length = length;
    bootjack_error error = bootjack_client_create(&config, &client);
    bootjack_client_destroy(client);
    return error;
}

static void trust_stores(void **state) {
    (void) state;
    gnutls_datum_t one = { certificate.bytes, (unsigned) certificate.length }, pem;
    assert_int_equal(create_with(certificate.bytes, certificate.length), BOOTJACK_OK);
    assert_return_code(gnutls_pem_base64_encode2("CERTIFICATE", &one, &pem), 0);
    assert_int_equal(create_with(pem.data, pem.size), BOOTJACK_OK);
    gnutls_free(pem.data);
    assert_int_equal(create_with(key.bytes, key.length), BOOTJACK_ERR_ARGUMENT);
    assert_int_equal(create_with("-----BEGIN", 10), BOOTJACK_ERR_ARGUMENT);
    assert_int_equal(create_with("", 1), BOOTJACK_ERR_ARGUMENT);
    assert_int_equal(create_with(NULL, 1), BOOTJACK_ERR_ARGUMENT);
    assert_int_equal(create_with(NULL, 0), BOOTJACK_OK);
}

/* --- accounts from the factory ---------------------------------------------------------------------------------- */

static void all_of_an_account(void **state) {
    (void) state;
    static const bootjack_matching_type matching = BOOTJACK_MATCH_SHA256;
    static const bootjack_certificate_usage usage = BOOTJACK_USAGE_TRUST_ANCHOR;
    static const uint16_t suites[] = { 0xC0AE, 0xC023 };
    furnished f;
    furnish(&f);
    bootjack_security_instance instance = { .ssid = 1,
                                            .server_uri = "coaps://s.example",
                                            .security_mode = BOOTJACK_SECURITY_CERTIFICATE,
                                            .matching_type = &matching,
                                            .server_name = "name.example",
                                            .certificate_usage = &usage,
                                            .ciphersuites = suites,
                                            .ciphersuite_count = 2 };
    uint16_t iid = 3;
    bjc_uri uri;
    const char *reason;
    assert_int_equal(bjc_security_add(&f.security, &instance, &iid), BOOTJACK_OK);
    assert_true(bjc_security_uri(&f.security, 3, &uri, &reason));
    bjc_peer peer = bjc_security_peer(&f.security, 3, &uri);
    assert_int_equal(peer.matching, matching);
    assert_int_equal(peer.usage, usage);
    assert_int_equal(peer.server_name.length, 12);
    assert_int_equal(peer.suite_count, 2);
    assert_int_equal(peer.suites[1], 0xC023);
    instance.ciphersuite_count = BJC_SUITES + 1;
    iid = 4;
    assert_int_equal(bjc_security_add(&f.security, &instance, &iid), BOOTJACK_ERR_ARGUMENT);
    unfurnish(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms),
        cmocka_unit_test(cut_short),
        cmocka_unit_test(digests),
        cmocka_unit_test(usages_need_a_trust_store),
        cmocka_unit_test(a_name_that_is_too_long),
        cmocka_unit_test(suites_are_those_of_the_hello),
        cmocka_unit_test(trust_stores),
        cmocka_unit_test(all_of_an_account),
    };
    return cmocka_run_group_tests(tests, make_all, NULL);
}
