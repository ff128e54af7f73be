/* SPDX-License-Identifier: Apache-2.0
 *
 * A client that has no optional feature and says yes to everything: it takes a bootstrap in TLV over UDP and IPv4,
 * comes to the one server that it was given, and answers every request with the code of success, whatever it asks.
 * Probes of features must not be taken in by it. What it can: typed u it updates its registration, typed b it asks for
 * a bootstrap.
 *
 * Usage: yes-man ENDPOINT BOOTSTRAP-HOST BOOTSTRAP-PORT [IGNORED...]
 */
#define _GNU_SOURCE
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    GET = 1,
    POST = 2,
    DELETE = 4,
    FETCH = 5,
    URI_PATH = 11,
    CONTENT_FORMAT = 12,
    URI_QUERY = 15,
    BLOCK1 = 27,
    LWM2M_TLV = 11542,
    DATAGRAM = 1280,
};

typedef struct yes_man {
    int s;
    const char *endpoint, *bs_host, *bs_port;
    char host[256], port[8]; /* of its server, once it was written */
    uint8_t mid;
} yes_man;

typedef struct message {
    uint8_t code, token_length;
    char path[64];
    unsigned segments, format;
    bool more; /* blocks follow */
    const uint8_t *payload;
    size_t payload_length;
} message;

/* --- receiving ------------------------------------------------------------------------------------------------ */

/* A delta or length of four bits, with what follows of it. */
static unsigned extended(const uint8_t *in, size_t length, size_t *at, unsigned nibble) {
    if (nibble == 13 && *at < length) {
        return 13U + in[(*at)++];
    }
    if (nibble == 14 && *at + 1 < length) {
        *at += 2;
        return 269U + ((unsigned) in[*at - 2] << 8 | in[*at - 1]);
    }
    return nibble;
}

static void take_option(message *m, unsigned number, const uint8_t *value, size_t length) {
    size_t used = strlen(m->path);
    if (number == URI_PATH && used + length + 2 < sizeof m->path) {
        m->path[used] = '/';
        memcpy(m->path + used + 1, value, length);
        m->segments++;
    } else if (number == CONTENT_FORMAT) {
        m->format = 0;
        for (size_t i = 0; i < length; i++) {
            m->format = m->format << 8 | value[i];
        }
    } else if (number == BLOCK1) {
        m->more = length && value[length - 1] & 8;
    }
}

static bool parse(message *m, const uint8_t *in, size_t length) {
    *m = (message){ .code = length > 1 ? in[1] : 0, .token_length = length ? in[0] & 15 : 0, .format = UINT16_MAX };
    size_t at = 4 + (size_t) m->token_length;
    for (unsigned number = 0; at < length && in[at] != 0xFF;) {
        uint8_t first = in[at++];
        number += extended(in, length, &at, first >> 4);
        unsigned size = extended(in, length, &at, first & 15);
        if (at + size > length) {
            return false;
        }
        take_option(m, number, in + at, size);
        at += size;
    }
    m->payload = at < length ? in + at + 1 : NULL;
    m->payload_length = at < length ? length - at - 1 : 0;
    return m->code >= GET && m->code < 32;
}

/* The server of "coap://HOST:PORT", the first that is written; from TLV alone. */
static void take_account(yes_man *y, const message *m) {
    static const char scheme[] = "coap://";
    const char *uri = m->payload ? memmem(m->payload, m->payload_length, scheme, sizeof scheme - 1) : NULL;
    if (uri && m->format == LWM2M_TLV && !strncmp(m->path, "/0", 2) && !*y->host) {
        char text[300] = "";
        size_t left = m->payload_length - (size_t) (uri - (const char *) m->payload) - (sizeof scheme - 1);
        memcpy(text, uri + sizeof scheme - 1, left < sizeof text ? left : sizeof text - 1);
        (void) sscanf(text, "%255[a-z0-9.-]:%7[0-9]", y->host, y->port);
    }
}

static uint8_t yes(const message *m) {
    if (m->more) {
        return 0x5F; /* go on */
    }
    switch (m->code) {
    case GET:
    case FETCH:
        return 0x45;
    case DELETE:
        return 0x42;
    case POST:
        return m->segments == 1 && strcmp(m->path, "/bs") != 0 ? 0x41 : 0x44;
    default:
        return 0x44;
    }
}

/* --- sending -------------------------------------------------------------------------------------------------- */

static size_t put_option(uint8_t *out, unsigned delta, const char *text) {
    size_t length = strlen(text), at = 1;
    out[0] = (uint8_t) (delta << 4 | (length < 13 ? length : 13));
    if (length >= 13) {
        out[at++] = (uint8_t) (length - 13);
    }
    for (size_t i = 0; i < length; i++) {
        out[at++] = (uint8_t) text[i];
    }
    return at;
}

/* CON POST /PATH?ep=ENDPOINT to a host, by its IPv4 address. */
static void ask(yes_man *y, const char *host, const char *port, const char *path) {
    uint8_t out[DATAGRAM] = { 0x44, POST, 0x12, ++y->mid, 1, 2, 3, y->mid };
    char query[200], segment[20];
    struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_DGRAM }, *found;
    size_t length = 8;
    for (unsigned delta = URI_PATH; *path; delta = 0) {
        size_t size = strcspn(path, "/");
        snprintf(segment, sizeof segment, "%.*s", (int) size, path);
        length += put_option(out + length, delta, segment);
        path += size + (path[size] == '/');
    }
    snprintf(query, sizeof query, "ep=%s", y->endpoint);
    length += put_option(out + length, URI_QUERY - URI_PATH, query);
    length += put_option(out + length, 0, "lwm2m=0.9");
    if (getaddrinfo(host, port, &hints, &found) == 0) {
        (void) sendto(y->s, out, length, 0, found->ai_addr, found->ai_addrlen);
        freeaddrinfo(found);
    }
}

static void answer(yes_man *y) {
    uint8_t in[DATAGRAM];
    struct sockaddr_storage from;
    socklen_t from_length = sizeof from;
    message m;
    ssize_t got = recvfrom(y->s, in, sizeof in, 0, (struct sockaddr *) &from, &from_length);
    if (got < 4 || !parse(&m, in, (size_t) got)) {
        return;
    }
    take_account(y, &m);
    in[0] = (uint8_t) (0x60 | m.token_length);
    in[1] = yes(&m);
    (void) sendto(y->s, in, 4U + m.token_length, 0, (struct sockaddr *) &from, from_length);
    if (m.code == POST && !strcmp(m.path, "/bs") && *y->host) {
        ask(y, y->host, y->port, "rd");
    }
}

/* What is typed. */
static bool obey(yes_man *y) {
    char typed[100];
    ssize_t got = read(STDIN_FILENO, typed, sizeof typed);
    if (got > 0 && typed[0] == 'u' && *y->host) {
        ask(y, y->host, y->port, "rd/1");
    } else if (got > 0 && typed[0] == 'b') {
        ask(y, y->bs_host, y->bs_port, "bs");
    }
    return got > 0;
}

int main(int argc, char **argv) {
    if (argc < 4) {
        (void) fprintf(stderr, "usage: %s ENDPOINT BOOTSTRAP-HOST BOOTSTRAP-PORT [IGNORED...]\n", argv[0]);
        return 64;
    }
    yes_man y = { .s = socket(AF_INET, SOCK_DGRAM, 0), .endpoint = argv[1], .bs_host = argv[2], .bs_port = argv[3] };
    struct pollfd ready[2] = { { .fd = y.s, .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN } };
    ask(&y, y.bs_host, y.bs_port, "bs");
    for (;;) {
        if (poll(ready, 2, -1) > 0 && ready[0].revents) {
            answer(&y);
        }
        if (ready[1].revents && !obey(&y)) {
            ready[1].fd = -1;
        }
    }
}
