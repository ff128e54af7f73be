/* SPDX-License-Identifier: Apache-2.0
 *
 * A client that does what it is told at its standard input: each line is sent to the server as the path of a GET, and
 * so is "end" when the input ends. Arguments: host and port of the server, and how it waits: select, poll, epoll, read,
 * fgets, thread; idle: it does nothing, again and again; late: read, after half a second; or sleep: then it reads
 * nothing and writes much.
 */
#define _GNU_SOURCE
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

static int s = -1;

static void tell(const char *path) {
    static unsigned char id;
    unsigned char message[300] = { 0x50, 0x01, 0x12, ++id };
    size_t length = strcspn(path, "\n");
    length = length < 13 ? length : 12;
    message[4] = (unsigned char) (0xB0 | length);
    memcpy(message + 5, path, length);
    send(s, message, 5 + length, 0);
    printf("told: %.*s\n", (int) length, path);
}

static void await(const char *how) {
    if (strcmp(how, "select") == 0) {
        fd_set set;
        FD_ZERO(&set);
        FD_SET(0, &set);
        FD_SET(s, &set);
        select(s + 1, &set, NULL, NULL, NULL);
    } else if (strcmp(how, "poll") == 0) {
        struct pollfd two[] = { { .fd = 0, .events = POLLIN }, { .fd = s, .events = POLLIN } };
        poll(two, 2, -1);
    } else if (strcmp(how, "epoll") == 0) {
        static int set = -1;
        struct epoll_event event = { .events = EPOLLIN };
        if (set < 0) {
            set = epoll_create1(0);
            epoll_ctl(set, EPOLL_CTL_ADD, 0, &event);
            epoll_ctl(set, EPOLL_CTL_ADD, s, &event);
        }
        epoll_wait(set, &event, 1, -1);
    }
}

static void *obey(void *how) {
    char line[300];
    int again = 1;
    while (again) {
        await(how);
        if (strcmp(how, "fgets") == 0) {
            again = fgets(line, sizeof line, stdin) != NULL;
        } else {
            ssize_t got = read(0, line, sizeof line - 1);
            again = got > 0;
            line[again ? got : 0] = '\0';
        }
        tell(again ? line : "end");
    }
    return NULL;
}

int main(int count, char **words) {
    struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_DGRAM }, *found;
    if (count < 4 || getaddrinfo(words[1], words[2], &hints, &found) != 0) {
        return 64;
    }
    if (strcmp(words[3], "late") == 0) {
        usleep(500000);
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    s = socket(AF_INET, SOCK_DGRAM, 0);
    connect(s, found->ai_addr, found->ai_addrlen);
    puts("listening");
    while (strcmp(words[3], "idle") == 0) {
        usleep(1000);
    }
    if (strcmp(words[3], "sleep") == 0) {
        for (int i = 0; i < 40000; i++) {
            printf("%0100d\n", i);
        }
        sleep(3600);
        tell("slept");
        sleep(3600);
    } else if (strcmp(words[3], "thread") == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, obey, words[3]);
        pthread_join(thread, NULL);
    } else {
        obey(words[3]);
    }
    fputs("no newline", stderr);
    return 7;
}
