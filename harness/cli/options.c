/* SPDX-License-Identifier: Apache-2.0
 *
 * What the command lines of several commands have in common.
 */
#define _GNU_SOURCE
#include <net/if.h>
#include <stdio.h>
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

void cli_put(FILE *stream, const char *text) {
    for (const unsigned char *at = (const unsigned char *) text; *at; at++) {
        bool c1 = at[0] == 0xC2 && at[1] >= 0x80 && at[1] < 0xA0; /* U+0080 to U+009F, in UTF-8 */
        at += c1;
        if (c1 || (*at < 0x20 && *at != '\t' && *at != '\n') || *at == 0x7F) {
            fprintf(stream, "\\x%02x", *at);
        } else {
            fputc(*at, stream);
        }
    }
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

/* Takes the zone out of the text (RFC 4007 §11: ADDRESS%ZONE); false: there is no such interface. */
static bool take_zone(char *text, uint32_t *interface) {
    char *zone = strchr(text, '%');
    *interface = 0;
    if (!zone) {
        return true;
    }
    char name[IF_NAMESIZE] = "";
    size_t length = strcspn(zone + 1, "]");
    if (length < sizeof name) {
        memcpy(name, zone + 1, length);
    }
    memmove(zone, zone + 1 + length, strlen(zone + 1 + length) + 1);
    *interface = if_nametoindex(name);
    return *interface != 0;
}

static bool is_link_local(const bj_addr *address) {
    return address->family == 6 && address->ip[0] == 0xFE && (address->ip[1] & 0xC0) == 0x80; /* RFC 4291 §2.5.6 */
}

int cli_take_listen(const char *command, const char *given, bj_addr *address, uint32_t *interface) {
    char text[128];
    snprintf(text, sizeof text, "%s", strlen(given) < sizeof text ? given : "");
    if (!take_zone(text, interface)) {
        return cli_usage_error(command, "--listen %s: there is no such interface", given);
    }
    if (!bj_addr_parse(text, strlen(text), address)) {
        return cli_usage_error(command, "--listen %s: expected ADDRESS:PORT", given);
    }
    if (is_link_local(address) != (*interface != 0)) {
        return cli_usage_error(
            command,
            *interface ? "--listen %s: only a link-local address has an interface"
                       : "--listen %s: a link-local address needs its interface, [ADDRESS%%eth0]:PORT",
            given);
    }
    bool has_port = strchr(text, ']') ? strstr(text, "]:") != NULL : address->family == 4 && strchr(text, ':');
    address->port = has_port ? address->port : COAP_PORT;
    return -1;
}
