/* SPDX-License-Identifier: Apache-2.0
 *
 * A client that breaks on purpose, for the tests of what is said then: it asks for a bootstrap and answers every
 * command with 2.04, until a payload holds the byte 0xee. Then it crashes, aborts, spins, blocks in a system call of
 * its own, or reads behind a buffer, as its second argument says.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile int sink;

/* Not static, so that their names are known at run time. */
void crash_here(int *nowhere);
void break_down(const char *how);

__attribute__((noinline)) void crash_here(int *nowhere) {
    *nowhere = 1;
}

static void read_behind(void) {
    char *room = malloc(8);
    memset(room, 1, 8);
    sink = room[8 + (sink & 1)];
    free(room);
}

__attribute__((noinline)) void break_down(const char *how) {
    if (strcmp(how, "crash") == 0) {
        crash_here(NULL);
    } else if (strcmp(how, "abort") == 0) {
        abort();
    } else if (strcmp(how, "spin") == 0) {
        for (;;) {
            sink++;
        }
    } else if (strcmp(how, "block") == 0) {
        int ends[2];
        char byte;
        if (pipe(ends) == 0) {
            __asm__ volatile("syscall" : : "a"(0L), "D"((long) ends[0]), "S"(&byte), "d"(1L) : "rcx", "r11", "memory");
        }
    } else if (strcmp(how, "overflow") == 0) {
        read_behind();
    }
}

int main(int count, char **words) {
    struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_DGRAM }, *found;
    if (count < 4 || getaddrinfo(words[1], words[2], &hints, &found) != 0) {
        return 64;
    }
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    static const char request[] = "\x41\x02\x12\x34\x55\xb2"
                                  "bs"
                                  "\x48"
                                  "ep=dev-1";
    connect(s, found->ai_addr, found->ai_addrlen);
    sleep(1);
    send(s, request, sizeof request - 1, 0);
    for (;;) {
        unsigned char m[1500];
        ssize_t got = recv(s, m, sizeof m, 0);
        if (got < 4 || (m[0] & 0x30) != 0) {
            continue;
        }
        if (memchr(m + 4, 0xee, (size_t) got - 4)) {
            fprintf(stderr, "now it breaks\n");
            break_down(words[3]);
        }
        m[0] = (unsigned char) (0x60 | (m[0] & 0x0f));
        m[1] = 0x44;
        send(s, m, 4 + (m[0] & 0x0f), 0);
    }
}
