/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line of bootjack-client.
 */
#ifndef BJC_CLI_OPTIONS_H
#define BJC_CLI_OPTIONS_H

#include "bootjack/bootjack.h"

/* Exit statuses, beside 0 = stopped in order. */
#define BJC_EXIT_FAILED 1  /* the client could not be made, or failed inside */
#define BJC_EXIT_STATE  3  /* the state file is there and cannot be used; it is left as it is */
#define BJC_EXIT_USAGE  64 /* wrong usage */

/* What an option gave as bytes: an identity, a key, a certificate; as much as a resource of /0 can hold. */
#define BJC_SECRET_MAX    8192
#define BJC_OPTION_SUITES 64
typedef struct bjc_secret {
    uint8_t bytes[BJC_SECRET_MAX];
    size_t length;
} bjc_secret;

/* One account; `instance` points to the rest. */
typedef struct bjc_account {
    bootjack_security_instance instance; /* server_uri NULL = none */
    bjc_secret identity, key, server_key;
    bootjack_certificate_usage usage;
    bootjack_matching_type matching;
    uint16_t suites[BJC_OPTION_SUITES];
} bjc_account;

typedef struct bjc_options {
    bootjack_config config;
    bjc_account bootstrap, server;
    int bootstrap_instance; /* -1 = the lowest free one */
    int32_t lifetime_s;
    const char *binding;    /* NULL = U */
    const char *state_file; /* NULL = nothing is kept */
    bool access_control;    /* has /2 */
    bool test_object;       /* has /3442 */
    uint8_t *trust_store;   /* that `config` points to */
} bjc_options;

typedef enum bjc_parsed { BJC_PARSED_RUN, BJC_PARSED_DONE, BJC_PARSED_WRONG } bjc_parsed;

/* Texts of the options point into `argv`, credentials into `options`, which must not move. Help and version go to
 * standard output, mistakes to standard error. Whatever came of it, bjc_options_free() is to be called. */
bjc_parsed bjc_options_parse(bjc_options *options, int argc, char **argv);
void bjc_options_free(bjc_options *options);

/* credentials.c: hexadecimal digits, or "@" and the name of a file, of which with `pem` the first block of PEM counts
 * where there is one. False, with a line on standard error that shows no byte of it. */
bool bjc_take_bytes(const char *option, const char *text, bool pem, bjc_secret *secret);
/* The same, but all of the file as it is; `*bytes` is allocated. */
bool bjc_take_trust_store(const char *option, const char *text, uint8_t **bytes, size_t *length);

#endif
