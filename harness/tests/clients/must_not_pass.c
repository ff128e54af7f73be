/* SPDX-License-Identifier: Apache-2.0
 *
 * A client that no scenario may pass. Built three times, with SAYS as the code that it answers every request with:
 * 0: it never says anything; 0x44: 2.04 to everything; 0xA0: 5.00 to everything.
 *
 * The two that answer send a proper Bootstrap-Request first (repeated until something comes back, so that they get as
 * far as they can), then answer whatever arrives, from whomever, on the same socket. They understand nothing.
 *
 * Usage: PROGRAM ENDPOINT BOOTSTRAP-HOST BOOTSTRAP-PORT [IGNORED...]
 */
#define _GNU_SOURCE
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SAYS
#error "SAYS must be defined: 0, 0x44 or 0xA0"
#endif

enum { CON = 0, ACK = 2, POST = 2, URI_PATH = 11, URI_QUERY = 15, DATAGRAM = 1280 };

/* CON POST /bs?ep=ENDPOINT, LwM2M Transport 1.1 section 6.4.2. Returns its length. */
static size_t bootstrap_request(uint8_t *out, size_t room, const char *endpoint) {
    const uint8_t begin[] = { 0x44, POST, 0x12, 0x34, 1, 2, 3, 4, URI_PATH << 4 | 2, 'b', 's' };
    size_t query = 3 + strlen(endpoint), length = sizeof begin; /* "ep=" and the name */
    if (query > 255 || room < length + 2 + query) {
        return 0;
    }
    memcpy(out, begin, length);
    out[length++] = (uint8_t) ((URI_QUERY - URI_PATH) << 4 | (query < 13 ? query : 13));
    if (query >= 13) {
        out[length++] = (uint8_t) (query - 13);
    }
    const uint8_t ep[] = { 'e', 'p', '=' };
    memcpy(out + length, ep, sizeof ep);
    memcpy(out + length + sizeof ep, endpoint, query - sizeof ep);
    return length + query;
}

/* The answer to a request: its Message ID and Token, the one code, nothing else. */
static size_t answer(uint8_t *out, const uint8_t *request, size_t length) {
    size_t token = length ? request[0] & 15 : 0;
    if (length < 4 + token || request[1] == 0 || request[1] > 31) {
        return 0;
    }
    memcpy(out, request, 4 + token);
    if ((request[0] >> 4 & 3) == CON) {
        out[0] = (uint8_t) (0x40 | ACK << 4 | token);
    }
    out[1] = SAYS;
    return 4 + token;
}

static int open_socket(const char *host, const char *port, struct sockaddr_storage *peer, socklen_t *peer_length) {
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM }, *found;
    if (getaddrinfo(host, port, &hints, &found) != 0) {
        return -1;
    }
    int s = socket(found->ai_family, SOCK_DGRAM, 0);
    memcpy(peer, found->ai_addr, found->ai_addrlen);
    *peer_length = found->ai_addrlen;
    freeaddrinfo(found);
    return s;
}

/* Answers what waits on the socket; true when there was something. */
static bool answer_one(int s) {
    uint8_t in[DATAGRAM], out[DATAGRAM];
    struct sockaddr_storage from;
    socklen_t from_length = sizeof from;
    ssize_t got = recvfrom(s, in, sizeof in, 0, (struct sockaddr *) &from, &from_length);
    size_t length = got > 0 ? answer(out, in, (size_t) got) : 0;
    if (length) {
        (void) sendto(s, out, length, 0, (struct sockaddr *) &from, from_length);
    }
    return got > 0;
}

static void converse(int s, const struct sockaddr *bs, socklen_t bs_length, const uint8_t *request, size_t length) {
    bool heard = false;
    for (;;) {
        if (!heard) {
            (void) sendto(s, request, length, 0, bs, bs_length);
        }
        struct pollfd ready = { .fd = s, .events = POLLIN };
        if (poll(&ready, 1, heard ? -1 : 2000) > 0) {
            heard = answer_one(s) || heard;
        }
    }
}

int main(int argc, char **argv) {
    if (argc < 4) {
        (void) fprintf(stderr, "usage: %s ENDPOINT BOOTSTRAP-HOST BOOTSTRAP-PORT [IGNORED...]\n", argv[0]);
        return 64;
    }
    if (SAYS == 0) {
        for (;;) {
            pause();
        }
    }
    uint8_t request[DATAGRAM];
    size_t length = bootstrap_request(request, sizeof request, argv[1]);
    struct sockaddr_storage bs;
    socklen_t bs_length;
    int s;
    while ((s = open_socket(argv[2], argv[3], &bs, &bs_length)) < 0) {
        sleep(2);
    }
    converse(s, (const struct sockaddr *) &bs, bs_length, request, length);
}
