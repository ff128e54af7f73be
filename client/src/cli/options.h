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

/* What an option gave as bytes: an identity, a key. */
#define BJC_SECRET_MAX 1024
typedef struct bjc_secret {
    uint8_t bytes[BJC_SECRET_MAX];
    size_t length;
} bjc_secret;

typedef struct bjc_options {
    bootjack_config config;
    bootjack_security_instance bootstrap; /* server_uri NULL = none */
    int bootstrap_instance;               /* -1 = the lowest free one */
    bootjack_security_instance server;    /* server_uri NULL = none */
    int32_t lifetime_s;
    const char *state_file; /* NULL = nothing is kept */
    bool access_control;    /* has /2 */
    bool test_object;       /* has /3442 */
    bjc_secret bootstrap_identity, bootstrap_key, server_identity, server_key;
} bjc_options;

typedef enum bjc_parsed { BJC_PARSED_RUN, BJC_PARSED_DONE, BJC_PARSED_WRONG } bjc_parsed;

/* Texts of the options point into `argv`, credentials into `options`, which must not move. Help and version go to
 * standard output, mistakes to standard error. */
bjc_parsed bjc_options_parse(bjc_options *options, int argc, char **argv);

#endif
