/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line of bootjack-client.
 */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/options.h"

#define MOST 24

/* Parses words separated by blanks. The texts of the options point into `words`. */
static bjc_parsed parse(bjc_options *options, char *words) {
    static char name[] = "bootjack-client";
    char *argv[MOST] = { name }, *rest = words;
    int argc = 1;
    for (char *word; (word = strtok_r(rest, " ", &rest)) && argc < MOST - 1;) {
        argv[argc++] = word;
    }
    return bjc_options_parse(options, argc, argv);
}

static void everything(void **state) {
    (void) state;
    bjc_options o;
    char words[] = "--endpoint urn:x --bootstrap coap://bs --bootstrap-instance 4 --holdoff 2.5 --account-timeout 60 "
                   "--holdoff-cap 0.5 --holdoff-jitter 2 --ack-timeout 3 --ack-random-factor 1 --max-retransmit 2";
    assert_int_equal(parse(&o, words), BJC_PARSED_RUN);
    assert_string_equal(o.config.endpoint, "urn:x");
    assert_string_equal(o.bootstrap.instance.server_uri, "coap://bs");
    assert_true(o.bootstrap.instance.bootstrap_server);
    assert_int_equal(o.bootstrap_instance, 4);
    assert_int_equal(o.bootstrap.instance.client_holdoff_s, 3);
    assert_int_equal(o.bootstrap.instance.bootstrap_timeout_s, 60);
    assert_int_equal(o.config.holdoff_cap_ms, 500);
    assert_true(o.config.holdoff_jitter == 2.0);
    assert_int_equal(o.config.tx.ack_timeout_ms, 3000);
    assert_true(o.config.tx.ack_random_factor == 1.0);
    assert_int_equal(o.config.tx.max_retransmit, 2);
    char more[] = "--server coap://s --ssid 7 --lifetime 60 --lwm2m-version 1.0 --strict --log-level error "
                  "--legacy-server-initiated --state /var/lib/x";
    assert_int_equal(parse(&o, more), BJC_PARSED_RUN);
    assert_string_equal(o.server.instance.server_uri, "coap://s");
    assert_int_equal(o.server.instance.ssid, 7);
    assert_int_equal(o.lifetime_s, 60);
    assert_int_equal(o.config.version, BOOTJACK_LWM2M_1_0);
    assert_true(o.config.strict);
    assert_true(o.config.legacy_server_initiated);
    assert_int_equal(o.config.log_level, BOOTJACK_LOG_ERROR);
    assert_string_equal(o.state_file, "/var/lib/x");
    assert_false(o.access_control || o.test_object);
    assert_true(o.config.bootstrap_pack);
    char objects[] =
        "--bootstrap coap://bs --access-control --test-object --pack off --binding UT --stream-timeout 12.5 "
        "--max-payload 4096 --queue";
    assert_int_equal(parse(&o, objects), BJC_PARSED_RUN);
    assert_true(o.access_control && o.test_object && o.config.queue_mode);
    assert_false(o.config.bootstrap_pack);
    assert_string_equal(o.binding, "UT");
    assert_int_equal(o.config.stream_timeout_ms, 12500);
    assert_int_equal(o.config.max_payload, 4096);
    char pack[] = "--bootstrap coap://bs --lwm2m-version 1.2 --pack on";
    assert_int_equal(parse(&o, pack), BJC_PARSED_RUN);
    assert_true(o.config.bootstrap_pack);
    char alone[] = "--state s";
    assert_int_equal(parse(&o, alone), BJC_PARSED_RUN);
    char newest[] = "--bootstrap coap://bs --lwm2m-version 1.2 --preferred-format lwm2m-cbor";
    assert_int_equal(parse(&o, newest), BJC_PARSED_RUN);
    assert_int_equal(o.config.version, BOOTJACK_LWM2M_1_2);
    assert_int_equal(o.config.preferred_format, 11544);
}

static void defaults(void **state) {
    (void) state;
    bjc_options o;
    char words[] = "--bootstrap coap://bs";
    assert_int_equal(parse(&o, words), BJC_PARSED_RUN);
    assert_int_equal(o.config.holdoff_cap_ms, 20000);
    assert_true(o.config.holdoff_jitter == 1.5);
    assert_int_equal(o.config.version, BOOTJACK_LWM2M_1_1);
    assert_false(o.config.strict);
    assert_int_equal(o.bootstrap_instance, -1);
    assert_null(o.server.instance.server_uri);
    assert_null(o.state_file);
}

static void credentials(void **state) {
    (void) state;
    bjc_options o;
    char name[] = "/tmp/bootjack-cli-XXXXXX", more[200];
    int file = mkstemp(name);
    assert_return_code(file, errno);
    assert_int_equal(write(file, "a\0b", 3), 3);
    close(file);
    char words[] = "--bootstrap coaps://bs --bootstrap-identity 646500Ff --bootstrap-key 00";
    assert_int_equal(parse(&o, words), BJC_PARSED_RUN);
    assert_int_equal(o.bootstrap.instance.security_mode, BOOTJACK_SECURITY_PSK);
    assert_int_equal(o.server.instance.security_mode, BOOTJACK_SECURITY_NOSEC);
    assert_int_equal(o.bootstrap.instance.public_key_or_identity_length, 4);
    assert_memory_equal(o.bootstrap.instance.public_key_or_identity, "de\0\xff", 4);
    assert_int_equal(o.bootstrap.instance.secret_key_length, 1);
    snprintf(more, sizeof more, "--server coaps://s --server-identity 61 --server-key @%s", name);
    assert_int_equal(parse(&o, more), BJC_PARSED_RUN);
    assert_int_equal(o.server.instance.secret_key_length, 3);
    assert_memory_equal(o.server.instance.secret_key, "a\0b", 3);
    assert_int_equal(o.server.instance.public_key_or_identity_length, 1);
    unlink(name);
}

/* A temporary file of these bytes; its name goes to `name`. */
static void file_of(char *name, const char *bytes) {
    strcpy(name, "/tmp/bootjack-cli-XXXXXX");
    int file = mkstemp(name);
    assert_return_code(file, errno);
    assert_int_equal(write(file, bytes, strlen(bytes)), strlen(bytes));
    close(file);
}

static void certificates(void **state) {
    (void) state;
    bjc_options o;
    char pem[40], bundle[40], words[400];
    file_of(pem, "x\n-----BEGIN X-----\nAAEC\nAw==\n-----END X-----\n-----BEGIN X-----\n/w==\n-----END X-----\n");
    file_of(bundle, "-----BEGIN X-----\nAAEC\n-----END X-----\n");
    snprintf(
        words, sizeof words,
        "--bootstrap coaps://bs --bootstrap-certificate @%s --bootstrap-private-key 0a0b --bootstrap-peer-certificate "
        "0c --bootstrap-certificate-usage 2 --bootstrap-matching-type 1 --bootstrap-sni n --trust-store @%s",
        pem, bundle);
    assert_int_equal(parse(&o, words), BJC_PARSED_RUN);
    const bootjack_security_instance *bootstrap = &o.bootstrap.instance, *server = &o.server.instance;
    assert_int_equal(bootstrap->security_mode, BOOTJACK_SECURITY_CERTIFICATE);
    assert_int_equal(bootstrap->public_key_or_identity_length, 4);
    assert_memory_equal(bootstrap->public_key_or_identity, "\0\1\2\3", 4);
    assert_int_equal(bootstrap->secret_key_length, 2);
    assert_int_equal(bootstrap->server_public_key_length, 1);
    assert_int_equal(*bootstrap->certificate_usage, BOOTJACK_USAGE_TRUST_ANCHOR);
    assert_int_equal(*bootstrap->matching_type, BOOTJACK_MATCH_SHA256);
    assert_string_equal(bootstrap->server_name, "n");
    assert_int_equal(o.config.trust_store_length, 39);
    assert_memory_equal(o.config.trust_store, "-----BEGIN", 10);
    bjc_options_free(&o);
    char more[] = "--server coaps://s --server-ciphersuites 0xC0AE,49187 --server-identity 61 --server-key 62";
    assert_int_equal(parse(&o, more), BJC_PARSED_RUN);
    assert_int_equal(server->ciphersuite_count, 2);
    assert_int_equal(server->ciphersuites[0], 0xC0AE);
    assert_int_equal(server->ciphersuites[1], 0xC023);
    assert_null(server->certificate_usage);
    assert_null(server->matching_type);
    assert_null(o.config.trust_store);
    unlink(pem);
    unlink(bundle);
}

static void damaged_pem(void **state) {
    (void) state;
    static const char *const rows[] = { "-----BEGIN X-----\nAAEC\n", "-----BEGIN X-----\nA!EC\n-----END X-----\n",
                                        "-----BEGIN X-----" };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bjc_options o;
        char name[40], words[100];
        file_of(name, rows[i]);
        snprintf(words, sizeof words, "--server coaps://s --server-peer-certificate @%s", name);
        assert_int_equal(parse(&o, words), BJC_PARSED_WRONG);
        unlink(name);
    }
}

static void mistakes(void **state) {
    (void) state;
    static const char *const rows[] = {
        "",
        "--strict",
        "--bootstrap",
        "--bootstrap coap://bs more",
        "--unknown",
        "--bootstrap=",
        "--bootstrap coap://bs --server=",
        "--bootstrap coap://bs --ssid 0",
        "--bootstrap coap://bs --ssid 65535",
        "--bootstrap coap://bs --ssid 1.5",
        "--bootstrap coap://bs --holdoff -1",
        "--bootstrap coap://bs --holdoff 1s",
        "--bootstrap coap://bs --holdoff nan",
        "--bootstrap coap://bs --holdoff-jitter 0.5",
        "--bootstrap coap://bs --ack-timeout 0.5",
        "--bootstrap coap://bs --max-retransmit 0",
        "--bootstrap coap://bs --lwm2m-version 1.3",
        "--bootstrap coap://bs --preferred-format text",
        "--bootstrap coap://bs --preferred-format lwm2m-cbor",
        "--bootstrap coap://bs --log-level loud",
        "--bootstrap coap://bs --pack maybe",
        "--bootstrap coap://bs --pack",
        "--bootstrap coap://bs --max-payload 15",
        "--bootstrap coap://bs --max-payload 1.5",
        "--bootstrap coap://bs --stream-timeout 0",
        "--bootstrap coap://bs --binding",
        "--bootstrap coap://bs --access-control=yes",
        "--bootstrap coaps://bs --bootstrap-identity= --bootstrap-key 00",
        "--bootstrap coaps://bs --bootstrap-identity 00 --bootstrap-key=",
        "--bootstrap coaps://bs --bootstrap-key @/dev/null",
        "--bootstrap coaps://bs --bootstrap-peer-certificate=",
        "--bootstrap coaps://bs --trust-store=",
        "--bootstrap coaps://bs --trust-store @/dev/null",
        "--bootstrap coaps://bs --bootstrap-key 0",
        "--bootstrap coaps://bs --bootstrap-key 0g",
        "--bootstrap coaps://bs --bootstrap-key @/nowhere/key",
        "--bootstrap coaps://bs --server-key @/dev/zero",
        "--bootstrap coaps://bs --bootstrap-certificate zz",
        "--bootstrap coaps://bs --bootstrap-certificate 00 --bootstrap-key 00",
        "--bootstrap coaps://bs --bootstrap-identity 00 --bootstrap-private-key 00",
        "--bootstrap coaps://bs --bootstrap-certificate-usage 4",
        "--bootstrap coaps://bs --bootstrap-matching-type -1",
        "--bootstrap coaps://bs --bootstrap-ciphersuites x",
        "--bootstrap coaps://bs --bootstrap-ciphersuites 1,",
        "--bootstrap coaps://bs --bootstrap-ciphersuites 65536",
        "--bootstrap coaps://bs --bootstrap-ciphersuites -1",
        "--bootstrap coaps://bs --trust-store @/nowhere",
        "--bootstrap coaps://bs --trust-store @/dev/zero",
    };
    assert_non_null(freopen("/dev/null", "w", stderr));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bjc_options o;
        char words[120];
        snprintf(words, sizeof words, "%s", rows[i]);
        assert_int_equal(parse(&o, words), BJC_PARSED_WRONG);
        bjc_options_free(&o);
    }
}

static void help_and_version(void **state) {
    (void) state;
    bjc_options o;
    char help[] = "--help", version[] = "--version";
    assert_int_equal(parse(&o, help), BJC_PARSED_DONE);
    assert_int_equal(parse(&o, version), BJC_PARSED_DONE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything),   cmocka_unit_test(defaults),    cmocka_unit_test(credentials),
        cmocka_unit_test(certificates), cmocka_unit_test(damaged_pem), cmocka_unit_test(help_and_version),
        cmocka_unit_test(mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
