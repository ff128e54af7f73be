/* SPDX-License-Identifier: Apache-2.0
 *
 * A CoAP client that asks once and then listens for ten answers: it crashes at 2.05, and hangs at 5.03. Arguments: host
 * and port of the server.
 */
#define _GNU_SOURCE
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

static int ask(const char *host, const char *port) {
    static const unsigned char request[] = { 0x41, 0x01, 0x12, 0x34, 0x01, 0xB1, 'x' };
    const struct addrinfo wish = { .ai_family = AF_INET, .ai_socktype = SOCK_DGRAM };
    const struct timeval patience = { .tv_sec = 60 };
    struct addrinfo *where;
    if (getaddrinfo(host, port, &wish, &where) != 0) {
        exit(1);
    }
    int link = socket(where->ai_family, where->ai_socktype, 0);
    setsockopt(link, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sendto(link, request, sizeof request, 0, where->ai_addr, where->ai_addrlen);
    freeaddrinfo(where);
    return link;
}

int main(int argc, char **argv) {
    volatile unsigned char answer[2048];
    int link = argc == 3 ? ask(argv[1], argv[2]) : -1;
    for (int i = 0; i < 10 && recv(link, (void *) answer, sizeof answer, 0) > 1; i++) {
        if (answer[1] == 0x45) {
            raise(SIGSEGV);
        }
        while (answer[1] == 0xA3) {
        }
    }
    return 0;
}
