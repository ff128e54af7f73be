/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line of bootjack-client.
 */
#define _GNU_SOURCE
#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What there is for each account, in the order of `enum credential`. */
#define CREDENTIALS(X, NAME, name)                                                                                     \
    X(NAME##_IDENTITY, name "-identity", "HEX|@FILE", "pre-shared key's identity there; PSK is used then")             \
    X(NAME##_KEY, name "-key", "HEX|@FILE", "the pre-shared key")                                                      \
    X(NAME##_CERTIFICATE, name "-certificate", "HEX|@FILE", "the client's certificate there; X.509 is used then")      \
    X(NAME##_PRIVATE_KEY, name "-private-key", "HEX|@FILE", "its private key, PKCS#8 or SEC1")                         \
    X(NAME##_PEER, name "-peer-certificate", "HEX|@FILE", "what the server is judged by, /0/x/4")                      \
    X(NAME##_USAGE, name "-certificate-usage", "N", "Certificate Usage, /0/x/15, 0 to 3 (default: 3)")                 \
    X(NAME##_MATCHING, name "-matching-type", "N", "Matching Type, /0/x/13, 0 to 3 (default: 0)")                      \
    X(NAME##_SNI, name "-sni", "NAME", "name in place of the URI's host, /0/x/14")                                     \
    X(NAME##_SUITES, name "-ciphersuites", "N,...", "cipher suites that may be used, /0/x/16 (default: all)")

#define OPTIONS(X)                                                                                                     \
    X(ENDPOINT, "endpoint", "NAME", "Endpoint Client Name (default: dev-1)")                                           \
    X(BOOTSTRAP, "bootstrap", "URI", "address of the Bootstrap-Server")                                                \
    X(BOOTSTRAP_INSTANCE, "bootstrap-instance", "N", "its Object Instance in /0 (default: the lowest free one)")       \
    CREDENTIALS(X, BOOTSTRAP, "bootstrap")                                                                             \
    X(HOLDOFF, "holdoff", "SECONDS", "Client Hold Off Time, /0/x/11, rounded up (default: absent)")                    \
    X(ACCOUNT_TIMEOUT, "account-timeout", "SECONDS", "Bootstrap-Server Account Timeout, /0/x/12 (default: absent)")    \
    X(HOLDOFF_CAP, "holdoff-cap", "SECONDS", "how far the hold-off may grow (default: 20)")                            \
    X(HOLDOFF_JITTER, "holdoff-jitter", "FACTOR", "upper end of its random factor (default: 1.5)")                     \
    X(SERVER, "server", "URI", "address of an LwM2M Server known from the factory")                                    \
    CREDENTIALS(X, SERVER, "server")                                                                                   \
    X(SSID, "ssid", "N", "its Short Server ID (default: 1)")                                                           \
    X(LIFETIME, "lifetime", "SECONDS", "lifetime of the registration there (default: 86400)")                          \
    X(BINDING, "binding", "LETTERS", "Binding there, /1/x/7 (default: U)")                                             \
    X(ACK_TIMEOUT, "ack-timeout", "SECONDS", "ACK_TIMEOUT of RFC 7252, at least 1 (default: 2)")                       \
    X(ACK_RANDOM_FACTOR, "ack-random-factor", "F", "ACK_RANDOM_FACTOR (default: 1.5)")                                 \
    X(MAX_RETRANSMIT, "max-retransmit", "N", "MAX_RETRANSMIT, 1 to 16 (default: 4)")                                   \
    X(STREAM_TIMEOUT, "stream-timeout", "SECONDS", "how long a request over TCP or TLS may take (default: 30)")        \
    X(MAX_PAYLOAD, "max-payload", "BYTES", "largest body that may come in blocks (default: 16384)")                    \
    X(VERSION_USED, "lwm2m-version", "1.0|1.1|1.2", "enabler release (default: 1.1)")                                  \
    X(FORMAT, "preferred-format", "FORMAT", "tlv, senml-json, senml-cbor or lwm2m-cbor (default: tlv)")                \
    X(PACK, "pack", "on|off", "ask for a Bootstrap-Pack first, with LwM2M 1.2 (default: on)")                          \
    X(STRICT, "strict", "", "refuse at Bootstrap-Finish all that can be known then")                                   \
    X(QUEUE, "queue", "", "queue mode with every server")                                                              \
    X(ACCESS_CONTROL, "access-control", "", "have Access Control, /2, for configurations with several servers")        \
    X(TEST_OBJECT, "test-object", "", "have the test object, /3442, with a resource of every type")                    \
    X(LEGACY, "legacy-server-initiated", "", "take bootstrap operations that nobody asked for")                        \
    X(TRUST_STORE, "trust-store", "HEX|@FILE", "CAs for Certificate Usage 0 and 1, PEM or DER")                        \
    X(STATE, "state", "FILE", "keep the accounts there; those given here count only while it is missing")              \
    X(LOG_LEVEL, "log-level", "LEVEL", "error, warning, info or debug (default: info)")                                \
    X(HELP, "help", "", "this text")                                                                                   \
    X(VERSION, "version", "", "version of the program")

#define OPTION_ENUM(name, text, argument, help) OPT_##name,
enum { OPT_FIRST = 256, OPTIONS(OPTION_ENUM) };
#undef OPTION_ENUM

#define OPTION_LONG(name, text, argument, help)                                                                        \
    { text, (argument)[0] ? required_argument : no_argument, NULL, OPT_##name },
static const struct option long_options[] = { OPTIONS(OPTION_LONG){ 0 } };
#undef OPTION_LONG

static void print_option(const char *name, const char *argument, const char *help) {
    char left[64];
    snprintf(left, sizeof left, "--%s%s%s", name, *argument ? " " : "", argument);
    printf("  %-44s %s\n", left, help);
}

static void print_help(void) {
    puts("usage: bootjack-client [--bootstrap URI] [--server URI] [OPTION]...\n"
         "An LwM2M client. Its log goes to standard error; SIGTERM and SIGINT de-register it.\n");
#define OPTION_HELP(name, text, argument, help) print_option(text, argument, help);
    OPTIONS(OPTION_HELP)
#undef OPTION_HELP
    puts("\nHEX|@FILE: hexadecimal digits, or a file with the bytes themselves, of certificates and their keys also in "
         "PEM;\nother users see the digits in the list of processes.");
    puts("\nExit status: 0 stopped in order, 1 the client could not be made or failed inside, 3 the state file is "
         "there\n"
         "and cannot be used (it is left as it is), 64 wrong usage.");
}

static bool wrong(const char *option, const char *text) {
    fprintf(stderr, "bootjack-client: --%s: \"%s\" is not what it takes (see --help)\n", option, text);
    return false;
}

static bool take_number(const char *option, const char *text, double least, double most, double *number) {
    char *end;
    errno = 0;
    *number = strtod(text, &end);
    bool good = end != text && *end == '\0' && errno == 0 && *number >= least && *number <= most;
    return good ? true : wrong(option, text);
}

static bool take_whole(const char *option, const char *text, double least, double most, int32_t *number) {
    double value;
    if (!take_number(option, text, least, most, &value)) {
        return false;
    }
    *number = (int32_t) value;
    return (double) *number == value ? true : wrong(option, text);
}

static bool take_milliseconds(const char *option, const char *text, double least_s, uint32_t *milliseconds) {
    double seconds;
    if (!take_number(option, text, least_s, 4000000, &seconds)) {
        return false;
    }
    *milliseconds = (uint32_t) llround(seconds * 1000);
    return true;
}

/* A resource holds whole seconds. */
static bool take_seconds_up(const char *option, const char *text, int32_t *seconds) {
    double value;
    if (!take_number(option, text, 0, INT32_MAX, &value)) {
        return false;
    }
    *seconds = (int32_t) ceil(value);
    return true;
}

static bool take_level(const char *option, const char *text, bootjack_log_level *level) {
    static const char *const levels[] = { "error", "warning", "info", "debug" };
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        if (strcmp(text, levels[i]) == 0) {
            *level = (bootjack_log_level) i;
            return true;
        }
    }
    return wrong(option, text);
}

static bool take_format(const char *option, const char *text, uint16_t *format) {
    static const struct {
        const char *name;
        uint16_t number;
    } rows[] = { { "tlv", 11542 }, { "senml-json", 110 }, { "senml-cbor", 112 }, { "lwm2m-cbor", 11544 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(text, rows[i].name) == 0) {
            *format = rows[i].number;
            return true;
        }
    }
    return wrong(option, text);
}

static bool take_version(const char *option, const char *text, bootjack_version *version) {
    if (strcmp(text, "1.0") == 0) {
        *version = BOOTJACK_LWM2M_1_0;
    } else if (strcmp(text, "1.1") == 0) {
        *version = BOOTJACK_LWM2M_1_1;
    } else if (strcmp(text, "1.2") == 0) {
        *version = BOOTJACK_LWM2M_1_2;
    } else {
        return wrong(option, text);
    }
    return true;
}

static bool take_switch(const char *option, const char *text, bool *on) {
    *on = strcmp(text, "on") == 0;
    return *on || strcmp(text, "off") == 0 ? true : wrong(option, text);
}

/* Which of CREDENTIALS an option is. */
enum credential { IDENTITY, KEY, CERTIFICATE, PRIVATE_KEY, SERVER_KEY, USAGE, MATCHING, SNI, SUITES, CREDENTIAL_COUNT };

/* The mode that the credential is for; false: another one is given, too. */
static bool take_mode(const char *option, bootjack_security_instance *account, bootjack_security_mode mode) {
    if (account->security_mode != BOOTJACK_SECURITY_NOSEC && account->security_mode != mode) {
        fprintf(stderr, "bootjack-client: --%s: pre-shared key and certificate exclude each other (see --help)\n",
                option);
        return false;
    }
    account->security_mode = mode;
    return true;
}

static bool take_identity(const char *option, const char *text, bjc_account *a, bootjack_security_mode mode) {
    bool taken = take_mode(option, &a->instance, mode) &&
                 bjc_take_bytes(option, text, mode == BOOTJACK_SECURITY_CERTIFICATE, &a->identity);
    a->instance.public_key_or_identity = a->identity.bytes;
    a->instance.public_key_or_identity_length = a->identity.length;
    return taken;
}

static bool take_key(const char *option, const char *text, bjc_account *a, bootjack_security_mode mode) {
    bool taken = take_mode(option, &a->instance, mode) &&
                 bjc_take_bytes(option, text, mode == BOOTJACK_SECURITY_CERTIFICATE, &a->key);
    a->instance.secret_key = a->key.bytes;
    a->instance.secret_key_length = a->key.length;
    return taken;
}

static bool take_server_key(const char *option, const char *text, bjc_account *a) {
    bool taken = take_mode(option, &a->instance, BOOTJACK_SECURITY_CERTIFICATE) &&
                 bjc_take_bytes(option, text, true, &a->server_key);
    a->instance.server_public_key = a->server_key.bytes;
    a->instance.server_public_key_length = a->server_key.length;
    return taken;
}

static bool take_usage(const char *option, const char *text, bjc_account *a) {
    int32_t number = 0;
    bool taken = take_whole(option, text, 0, 3, &number);
    a->usage = (bootjack_certificate_usage) number;
    a->instance.certificate_usage = &a->usage;
    return taken;
}

static bool take_matching(const char *option, const char *text, bjc_account *a) {
    int32_t number = 0;
    bool taken = take_whole(option, text, 0, 3, &number);
    a->matching = (bootjack_matching_type) number;
    a->instance.matching_type = &a->matching;
    return taken;
}

/* "0xC0AE,49187" */
static bool take_suites(const char *option, const char *text, bjc_account *a) {
    size_t *count = &a->instance.ciphersuite_count;
    *count = 0;
    for (const char *at = text;; at++) {
        char *end;
        errno = 0;
        unsigned long number = strtoul(at, &end, 0);
        if (end == at || errno || number > 65535 || *at == '-' || *count == BJC_OPTION_SUITES ||
            (*end && *end != ',')) {
            return wrong(option, text);
        }
        a->suites[(*count)++] = (uint16_t) number;
        at = end;
        if (!*at) {
            a->instance.ciphersuites = a->suites;
            return true;
        }
    }
}

static bool take_credential(bjc_account *a, int which, const char *name, const char *text) {
    switch (which) {
    case IDENTITY:
        return take_identity(name, text, a, BOOTJACK_SECURITY_PSK);
    case CERTIFICATE:
        return take_identity(name, text, a, BOOTJACK_SECURITY_CERTIFICATE);
    case KEY:
        return take_key(name, text, a, BOOTJACK_SECURITY_PSK);
    case PRIVATE_KEY:
        return take_key(name, text, a, BOOTJACK_SECURITY_CERTIFICATE);
    case SERVER_KEY:
        return take_server_key(name, text, a);
    case USAGE:
        return take_usage(name, text, a);
    case MATCHING:
        return take_matching(name, text, a);
    case SNI:
        a->instance.server_name = text;
        return *text ? true : wrong(name, text);
    default:
        return take_suites(name, text, a);
    }
}

static bool take_trust_store(bjc_options *o, const char *name, const char *text) {
    bool taken = bjc_take_trust_store(name, text, &o->trust_store, &o->config.trust_store_length);
    o->config.trust_store = o->trust_store;
    return taken;
}

static bool take_transmission(bjc_options *o, int option, const char *name, const char *text) {
    int32_t number = 0;
    switch (option) {
    case OPT_ACK_TIMEOUT:
        return take_milliseconds(name, text, 1, &o->config.tx.ack_timeout_ms);
    case OPT_ACK_RANDOM_FACTOR:
        return take_number(name, text, 1, 100, &o->config.tx.ack_random_factor);
    case OPT_STREAM_TIMEOUT:
        return take_milliseconds(name, text, 0.001, &o->config.stream_timeout_ms);
    case OPT_MAX_PAYLOAD:
        if (!take_whole(name, text, 16, 1 << 24, &number)) {
            return false;
        }
        o->config.max_payload = (size_t) number;
        return true;
    default:
        if (!take_whole(name, text, 1, 16, &number)) {
            return false;
        }
        o->config.tx.max_retransmit = (uint16_t) number;
        return true;
    }
}

static bool take_account(bjc_options *o, int option, const char *name, char *text) {
    int32_t number = 0;
    switch (option) {
    case OPT_BOOTSTRAP:
        o->bootstrap.instance.server_uri = text;
        return *text ? true : wrong(name, text);
    case OPT_SERVER:
        o->server.instance.server_uri = text;
        return *text ? true : wrong(name, text);
    case OPT_HOLDOFF:
        return take_seconds_up(name, text, &o->bootstrap.instance.client_holdoff_s);
    case OPT_ACCOUNT_TIMEOUT:
        return take_seconds_up(name, text, &o->bootstrap.instance.bootstrap_timeout_s);
    case OPT_LIFETIME:
        return take_seconds_up(name, text, &o->lifetime_s);
    case OPT_BINDING:
        o->binding = text;
        return *text ? true : wrong(name, text);
    case OPT_BOOTSTRAP_INSTANCE:
        return take_whole(name, text, 0, 65534, &o->bootstrap_instance);
    default:
        if (!take_whole(name, text, 1, 65534, &number)) {
            return false;
        }
        o->server.instance.ssid = (uint16_t) number;
        return true;
    }
}

static bool take(bjc_options *o, int option, const char *name, char *text) {
    int bootstrap = option - OPT_BOOTSTRAP_IDENTITY, server = option - OPT_SERVER_IDENTITY;
    if (bootstrap >= 0 && bootstrap < CREDENTIAL_COUNT) {
        return take_credential(&o->bootstrap, bootstrap, name, text);
    }
    if (server >= 0 && server < CREDENTIAL_COUNT) {
        return take_credential(&o->server, server, name, text);
    }
    switch (option) {
    case OPT_ENDPOINT:
        o->config.endpoint = text;
        return *text && strlen(text) <= BOOTJACK_MAX_ENDPOINT ? true : wrong(name, text);
    case OPT_HOLDOFF_CAP:
        return take_milliseconds(name, text, 0, &o->config.holdoff_cap_ms);
    case OPT_HOLDOFF_JITTER:
        return take_number(name, text, 1, 1000, &o->config.holdoff_jitter);
    case OPT_STRICT:
        o->config.strict = true;
        return true;
    case OPT_QUEUE:
        o->config.queue_mode = true;
        return true;
    case OPT_PACK:
        return take_switch(name, text, &o->config.bootstrap_pack);
    case OPT_ACCESS_CONTROL:
        o->access_control = true;
        return true;
    case OPT_TEST_OBJECT:
        o->test_object = true;
        return true;
    case OPT_LEGACY:
        o->config.legacy_server_initiated = true;
        return true;
    case OPT_STATE:
        o->state_file = text;
        return *text ? true : wrong(name, text);
    case OPT_LOG_LEVEL:
        return take_level(name, text, &o->config.log_level);
    case OPT_FORMAT:
        return take_format(name, text, &o->config.preferred_format);
    case OPT_VERSION_USED:
        return take_version(name, text, &o->config.version);
    case OPT_ACK_TIMEOUT:
    case OPT_ACK_RANDOM_FACTOR:
    case OPT_MAX_RETRANSMIT:
    case OPT_STREAM_TIMEOUT:
    case OPT_MAX_PAYLOAD:
        return take_transmission(o, option, name, text);
    case OPT_TRUST_STORE:
        return take_trust_store(o, name, text);
    default:
        return take_account(o, option, name, text);
    }
}

static void set_defaults(bjc_options *o) {
    memset(o, 0, sizeof *o);
    bootjack_config_init(&o->config);
    o->config.endpoint = "dev-1";
    o->bootstrap.instance.bootstrap_server = true;
    o->bootstrap.instance.security_mode = o->server.instance.security_mode = BOOTJACK_SECURITY_NOSEC;
    o->bootstrap_instance = -1;
    o->server.instance.ssid = 1;
    o->lifetime_s = 86400;
}

static bjc_parsed complete(const bjc_options *o, int argc, char **argv) {
    if (optind < argc) {
        fprintf(stderr, "bootjack-client: unexpected \"%s\" (see --help)\n", argv[optind]);
        return BJC_PARSED_WRONG;
    }
    if (!o->bootstrap.instance.server_uri && !o->server.instance.server_uri && !o->state_file) {
        fprintf(stderr, "bootjack-client: neither --bootstrap nor --server nor --state given (see --help)\n");
        return BJC_PARSED_WRONG;
    }
    if (o->config.preferred_format == 11544 && o->config.version < BOOTJACK_LWM2M_1_2) {
        fprintf(stderr, "bootjack-client: --preferred-format lwm2m-cbor needs --lwm2m-version 1.2\n");
        return BJC_PARSED_WRONG;
    }
    return BJC_PARSED_RUN;
}

void bjc_options_free(bjc_options *o) {
    free(o->trust_store);
    o->trust_store = NULL;
    o->config.trust_store = NULL;
    o->config.trust_store_length = 0;
}

bjc_parsed bjc_options_parse(bjc_options *o, int argc, char **argv) {
    set_defaults(o);
    optind = 0; /* begins anew, also for a second command line */
    for (;;) {
        int which = 0, option = getopt_long(argc, argv, "", long_options, &which);
        if (option == -1) {
            return complete(o, argc, argv);
        }
        if (option == OPT_HELP) {
            print_help();
            return BJC_PARSED_DONE;
        }
        if (option == OPT_VERSION) {
            printf("bootjack-client %s\n", bootjack_library_version());
            return BJC_PARSED_DONE;
        }
        if (option == '?' || !take(o, option, long_options[which].name, optarg)) {
            return BJC_PARSED_WRONG;
        }
    }
}
