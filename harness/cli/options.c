/* SPDX-License-Identifier: Apache-2.0
 *
 * What the command lines of several commands have in common.
 */
#define _GNU_SOURCE
#include <string.h>

#include "cli/cli.h"

enum { COAP_PORT = 5683 }; /* RFC 7252 section 6.1 */

int cli_read_options(const char *command, int argc, char **argv, const char *short_options,
                     const struct option *long_options, cli_take_fn *take, void *context) {
    optind = 0;
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, short_options, long_options, NULL)) != -1;) {
        if (option == '?') {
            return cli_usage_error(command, "%s: unknown option, or its value is missing", argv[optind - 1]);
        }
        int status = take(context, option);
        if (status >= 0) {
            return status;
        }
    }
    return -1;
}

bool cli_close_file(FILE *file) {
    bool failed = ferror(file) != 0;
    return fclose(file) == 0 && !failed;
}

int cli_take_seed(const char *command, const char *text, uint64_t *seed) {
    return cli_parse_u64(text, 0, INT64_MAX, seed) ? -1 : cli_usage_error(command, "--seed %s: not a number", text);
}

int cli_take_limit(const char *command, const char *text, unsigned *milliseconds) {
    return cli_parse_seconds(text, milliseconds)
               ? -1
               : cli_usage_error(command, "--limit %s: not a number of seconds", text);
}

int cli_take_listen(const char *command, const char *text, bj_addr *address) {
    if (!bj_addr_parse(text, strlen(text), address)) {
        return cli_usage_error(command, "--listen %s: expected ADDRESS:PORT", text);
    }
    bool has_port = strchr(text, ']') ? strstr(text, "]:") != NULL : address->family == 4 && strchr(text, ':');
    address->port = has_port ? address->port : COAP_PORT;
    return -1;
}
