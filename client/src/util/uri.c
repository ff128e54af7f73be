/* SPDX-License-Identifier: Apache-2.0
 *
 * Server URIs.
 */
#define _GNU_SOURCE
#include "util/uri.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *text;
    uint16_t port;
    bool secure;
} schemes[] = {
    [BJC_COAP] = { "coap", 5683, false },
    [BJC_COAPS] = { "coaps", 5684, true },
    [BJC_COAP_TCP] = { "coap+tcp", 5683, false },
    [BJC_COAPS_TCP] = { "coaps+tcp", 5684, true },
};

bool bjc_scheme_is_secure(bjc_scheme scheme) {
    return schemes[scheme].secure;
}

const char *bjc_scheme_text(bjc_scheme scheme) {
    return schemes[scheme].text;
}

typedef struct cursor {
    const char *at, *end;
    char *store; /* next free byte of uri->storage */
    const char **reason;
} cursor;

static bool refuse(const cursor *c, const char *reason) {
    *c->reason = reason;
    return false;
}

static bool parse_scheme(bjc_uri *uri, cursor *c) {
    const char *colon = memchr(c->at, ':', (size_t) (c->end - c->at));
    size_t length = colon ? (size_t) (colon - c->at) : 0;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        if (length == strlen(schemes[i].text) && strncasecmp(c->at, schemes[i].text, length) == 0) {
            uri->scheme = (bjc_scheme) i;
            uri->port = schemes[i].port;
            c->at = colon + 1;
            if (c->end - c->at < 2 || memcmp(c->at, "//", 2) != 0) {
                return refuse(c, "no // after the scheme");
            }
            c->at += 2;
            return true;
        }
    }
    return refuse(c, "scheme is none of coap, coaps, coap+tcp, coaps+tcp");
}

static bool host_character(char character, bool literal) {
    if (literal) {
        return isxdigit((unsigned char) character) || character == ':' || character == '.';
    }
    return isalnum((unsigned char) character) || character == '-' || character == '.' || character == '_' ||
           character == '~';
}

static bool parse_host(bjc_uri *uri, cursor *c) {
    bool literal = c->at < c->end && *c->at == '[';
    c->at += literal ? 1 : 0;
    size_t length = 0;
    while (c->at < c->end && *c->at && host_character(*c->at, literal)) {
        uri->host[length++] = *c->at++;
    }
    uri->host[length] = '\0';
    if (literal && (c->at == c->end || *c->at++ != ']')) {
        return refuse(c, "IP literal without end");
    }
    return length > 0 ? true : refuse(c, "no host");
}

static bool parse_port(bjc_uri *uri, cursor *c) {
    if (c->at == c->end || *c->at != ':') {
        return true;
    }
    c->at++;
    if (c->at == c->end || !isdigit((unsigned char) *c->at)) {
        return true; /* RFC 3986 §3.2.3: an empty port is the scheme's */
    }
    unsigned port = 0;
    while (c->at < c->end && isdigit((unsigned char) *c->at)) {
        port = port * 10 + (unsigned) (*c->at++ - '0');
        if (port > 65535) {
            return refuse(c, "port above 65535");
        }
    }
    uri->port = (uint16_t) port;
    return port > 0 ? true : refuse(c, "port 0");
}

static int hex_digit(char digit) {
    if (isdigit((unsigned char) digit)) {
        return digit - '0';
    }
    return isxdigit((unsigned char) digit) ? tolower((unsigned char) digit) - 'a' + 10 : -1;
}

/* One segment or one part of a query, up to a character of `stops`, percent-decoded into the storage. */
static bool parse_part(cursor *c, const char *stops, bjc_text *part) {
    part->data = c->store;
    while (c->at < c->end && !(*c->at && strchr(stops, *c->at))) {
        char character = *c->at++;
        if (!isgraph((unsigned char) character)) {
            return refuse(c, "character that a URI cannot have");
        }
        if (character == '%') {
            if (c->end - c->at < 2 || hex_digit(c->at[0]) < 0 || hex_digit(c->at[1]) < 0) {
                return refuse(c, "broken percent-encoding");
            }
            character = (char) (hex_digit(c->at[0]) * 16 + hex_digit(c->at[1]));
            c->at += 2;
        }
        *c->store++ = character;
    }
    part->length = (size_t) (c->store - part->data);
    return true;
}

static bool parse_path(bjc_uri *uri, cursor *c) {
    while (c->at < c->end && *c->at == '/') {
        c->at++;
        if (uri->path_count == BJC_URI_PARTS) {
            return refuse(c, "path with too many segments");
        }
        if (!parse_part(c, "/?#", &uri->path[uri->path_count++])) {
            return false;
        }
    }
    /* "/" and a final slash stand for nothing that could go before "bs" or "rd". */
    if (uri->path_count > 0 && uri->path[uri->path_count - 1].length == 0) {
        uri->path_count--;
    }
    return true;
}

static bool parse_query(bjc_uri *uri, cursor *c) {
    bool more = c->at < c->end && *c->at == '?';
    while (more) {
        c->at++;
        if (uri->query_count == BJC_URI_PARTS) {
            return refuse(c, "query with too many parts");
        }
        bjc_text *part = &uri->query[uri->query_count];
        if (!parse_part(c, "&#", part)) {
            return false;
        }
        uri->query_count += part->length > 0;
        more = c->at < c->end && *c->at == '&';
    }
    return true;
}

bool bjc_uri_parse(bjc_uri *uri, const char *text, size_t length, const char **reason) {
    memset(uri, 0, sizeof *uri);
    cursor c = { .at = text, .end = text + length, .store = uri->storage, .reason = reason };
    if (length > BJC_URI_MAX) {
        return refuse(&c, "longer than 255 bytes");
    }
    if (!parse_scheme(uri, &c) || !parse_host(uri, &c) || !parse_port(uri, &c) || !parse_path(uri, &c) ||
        !parse_query(uri, &c)) {
        return false;
    }
    return c.at == c.end ? true : refuse(&c, "characters where host, port, path or query were expected");
}
