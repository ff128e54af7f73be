/* SPDX-License-Identifier: Apache-2.0
 *
 * A template for attaching another client as `linked`: copy it with linked.h, put your client's calls where this one
 * does something of its own, build it as a shared object and run `bootjack run SCENARIO --client linked:./it.so`.
 *
 * What stands here in place of a client sends a Bootstrap-Request, waits for an answer, and tries again after the
 * hold-off when it is refused. It is no LwM2M client; it shows who calls what, and it is compiled by the tests.
 */
#define _GNU_SOURCE
#include "attach/linked.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { RUNNING = 0, STOPPED = 1 };
enum { HOST = 256, MESSAGE = 1152, RETRANSMITS = 4 };

/* Everything of one client; nothing is global, two clients can live in one process. */
typedef struct template_client {
    const bootjack_linked_config *config; /* lives as long as the client */
    const bootjack_linked_account *account;
    int fd;
    int state;
    int64_t due_ms; /* when step() has something to do by itself */
    int retransmits;
    int64_t timeout_ms;
    uint16_t message_id;
    uint8_t request[MESSAGE];
    size_t request_length; /* 0: nothing is outstanding */
} template_client;

/* An ordinary clock: during a run it shows virtual time. */
static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void changed(template_client *c, const char *text) {
    c->config->state_changed(c->config->context, text);
}

static const bootjack_linked_account *bootstrap_account(const bootjack_linked_config *config) {
    for (size_t i = 0; i < config->account_count; i++) {
        if (config->accounts[i].bootstrap) {
            return &config->accounts[i];
        }
    }
    return NULL;
}

/* A connected socket to coap://HOST[:PORT]; -1 when the name does not resolve. getaddrinfo() asks the scenario. */
static int connect_to(const char *uri) {
    char host[HOST], port[8] = "5683";
    if (sscanf(uri, "coap://%255[^:/]:%7[0-9]", host, port) < 1) {
        return -1;
    }
    struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *found;
    if (getaddrinfo(host, port, &hints, &found) != 0) {
        return -1;
    }
    int fd = socket(found->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

/* CON POST /bs?ep=NAME. Endpoint Client Names of this template are shorter than 10 bytes. */
static void compose_request(template_client *c) {
    const char *endpoint = c->config->endpoint;
    size_t length = strlen(endpoint);
    uint8_t head[] = { 0x41,
                       0x02,
                       (uint8_t) (c->message_id >> 8),
                       (uint8_t) c->message_id,
                       0x7e,
                       0xb2,
                       'b',
                       's',
                       (uint8_t) (0x40 | (3 + length)),
                       'e',
                       'p',
                       '=' };
    c->message_id++;
    memcpy(c->request, head, sizeof head);
    c->request_length = sizeof head + length;
    memcpy(c->request + sizeof head, endpoint, c->request_length - sizeof head);
}

static void retry_later(template_client *c) {
    c->request_length = 0;
    c->due_ms = now_ms() + (c->account->holdoff_ms > 1000 ? c->account->holdoff_ms : 1000);
    changed(c, "waiting -> hold-off: the bootstrap failed");
}

static void transmit(template_client *c) {
    if (send(c->fd, c->request, c->request_length, 0) < 0) {
        retry_later(c);
        return;
    }
    c->due_ms = now_ms() + c->timeout_ms;
    c->timeout_ms *= 2;
}

static void begin(template_client *c) {
    compose_request(c);
    c->retransmits = 0;
    c->timeout_ms = 2000;
    changed(c, "hold-off -> waiting: Bootstrap-Request");
    transmit(c);
}

static void receive(template_client *c) {
    uint8_t message[MESSAGE];
    ssize_t length = recv(c->fd, message, sizeof message, 0);
    if (length < 0 && errno != EAGAIN) {
        retry_later(c);
    } else if (length >= 4 && c->request_length && message[2] == c->request[2] && message[3] == c->request[3]) {
        if (message[1] >> 5 == 2) {
            c->request_length = 0;
            c->due_ms = -1; /* the session's commands would be served from here on */
            changed(c, "waiting -> session: Bootstrap-Request accepted");
        } else {
            retry_later(c);
        }
    }
}

/* --- the six functions ---------------------------------------------------------------------------------------- */

static void *create(const bootjack_linked_config *config) {
    const bootjack_linked_account *account = bootstrap_account(config);
    template_client *c = account && strlen(config->endpoint) < 10 ? calloc(1, sizeof *c) : NULL;
    if (!c) {
        config->log_line(config->context, "a bootstrap account and a short endpoint name are needed");
        return NULL;
    }
    *c = (template_client){ .config = config, .account = account, .fd = connect_to(account->uri), .message_id = 1 };
    if (c->fd < 0) {
        config->log_line(config->context, "the bootstrap server's name does not resolve");
        free(c);
        return NULL;
    }
    c->due_ms = now_ms() + (account->holdoff_ms > 0 ? account->holdoff_ms : 0);
    return c;
}

static void step(void *client) {
    template_client *c = client;
    receive(c);
    if (c->due_ms < 0 || now_ms() < c->due_ms) {
        return;
    }
    if (!c->request_length) {
        begin(c);
    } else if (c->retransmits++ < RETRANSMITS) {
        transmit(c);
    } else {
        retry_later(c);
    }
}

static int64_t next_deadline(void *client) {
    template_client *c = client;
    int64_t left = c->due_ms - now_ms();
    return c->due_ms < 0 ? -1 : left > 0 ? left : 0;
}

static void stop(void *client) {
    ((template_client *) client)->state = STOPPED; /* yours sends De-register first */
}

static int state(void *client) {
    return ((template_client *) client)->state;
}

static void destroy(void *client) {
    template_client *c = client;
    close(c->fd);
    free(c);
}

__attribute__((visibility("default"))) const bootjack_linked_client bootjack_client = {
    .version = BOOTJACK_LINKED_VERSION,
    .name = "template",
    .create = create,
    .step = step,
    .next_deadline = next_deadline,
    .stop = stop,
    .state = state,
    .destroy = destroy,
};
