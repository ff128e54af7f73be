/* SPDX-License-Identifier: Apache-2.0
 *
 * A whole client against a Bootstrap-Server and an LwM2M Server made of plain sockets on the loopback, in virtual time:
 * the test program's clock_gettime() stands still while anything happens, and jumps to the next deadline when nothing
 * does. To be included once in a program.
 */
#ifndef BJC_TESTS_LOOPBACK_H
#define BJC_TESTS_LOOPBACK_H

#include <arpa/inet.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "bootjack/bootjack.h"
#include "transport/transport.h"

#define ROUNDS 5000 /* of a loop that waits for something */

/* How far the clock was moved, milliseconds. */
static int64_t clock_offset_ms;

int clock_gettime(clockid_t clock, struct timespec *now) {
    static struct timespec start[16];
    struct timespec *origin = &start[(unsigned) clock % 16];
    if (origin->tv_sec == 0 && syscall(SYS_clock_gettime, clock, origin) != 0) {
        return -1;
    }
    *now = *origin;
    now->tv_sec += clock_offset_ms / 1000;
    now->tv_nsec += clock_offset_ms % 1000 * 1000000;
    now->tv_sec += now->tv_nsec / 1000000000;
    now->tv_nsec %= 1000000000;
    return 0;
}

typedef struct peer {
    int descriptor;
    uint16_t port, message_id;
    struct sockaddr_in client;
    uint8_t message[1500];
    size_t length;
} peer;

typedef struct step {
    uint8_t method;
    const char *path, *tlv; /* "{account}" = the Security account of the LwM2M Server */
    uint8_t block;          /* value of Block1 (RFC 7959 §2.2), 0 = none */
    const char *json;       /* SenML JSON in place of TLV */
} step;

typedef struct net {
    peer bootstrap, server;
    const step *steps; /* of a bootstrap; ends with method 0 */
    size_t at;
    unsigned requests;  /* Bootstrap-Requests that came */
    bool finished;      /* the client answered a Finish with 2.04 */
    char pack[400];     /* SenML JSON for a Bootstrap-Pack-Request, in blocks of 64 bytes; empty = none */
    unsigned packs;     /* such requests that were answered to the end */
    unsigned registers; /* Registers and Updates that came */
    uint8_t body[8192]; /* of a Register that came in blocks */
    size_t body_length;
    unsigned blocks;
    uint8_t block_exponent; /* SZX that the LwM2M Server asks for, 0 = takes them as they come */
    uint8_t answered;       /* code of the last answer to a request of the LwM2M Server, 0 = none */
    unsigned left;
    int64_t idle_ms;                                  /* how far the next deadline is when nothing happens */
    void (*on_answer)(struct net *net, uint8_t code); /* of the client to a bootstrap command; NULL = none */
    void *context;
} net;

/* The loopback delivers what a processor sends in its order, but on a loaded machine not always before sendto()
 * returns. So that "nothing happens" is true: what was sent before this call has arrived behind it, for a datagram that
 * this same processor sent later has. */
static inline void settle(void) {
    static int echo = -1;
    char byte = 0;
    if (echo < 0) {
        struct sockaddr_in own = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t length = sizeof own;
        cpu_set_t here;
        CPU_ZERO(&here);
        CPU_SET((unsigned) sched_getcpu(), &here);
        assert_return_code(sched_setaffinity(0, sizeof here, &here), 0);
        echo = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        assert_return_code(bind(echo, (struct sockaddr *) &own, sizeof own), 0);
        assert_return_code(getsockname(echo, (struct sockaddr *) &own, &length), 0);
        assert_return_code(connect(echo, (struct sockaddr *) &own, length), 0);
    }
    assert_int_equal(send(echo, &byte, 1, 0), 1);
    assert_int_equal(recv(echo, &byte, 1, 0), 1);
}

static inline void peer_open(peer *p) {
    struct sockaddr_in local = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof local;
    p->descriptor = socket(AF_INET, SOCK_DGRAM, 0);
    assert_return_code(p->descriptor, 0);
    assert_return_code(bind(p->descriptor, (struct sockaddr *) &local, sizeof local), 0);
    assert_return_code(getsockname(p->descriptor, (struct sockaddr *) &local, &length), 0);
    p->port = ntohs(local.sin_port);
    p->message_id = 1000;
}

static inline void net_open(net *n, const step *steps) {
    memset(n, 0, sizeof *n);
    peer_open(&n->bootstrap);
    peer_open(&n->server);
    n->steps = steps;
}

static inline void net_close(net *n) {
    close(n->bootstrap.descriptor);
    close(n->server.descriptor);
}

static inline bool receive(peer *p) {
    socklen_t length = sizeof p->client;
    ssize_t count =
        recvfrom(p->descriptor, p->message, sizeof p->message, MSG_DONTWAIT, (struct sockaddr *) &p->client, &length);
    p->length = count > 0 ? (size_t) count : 0;
    return p->length >= 4;
}

static inline void send_bytes(peer *p, const uint8_t *bytes, size_t length) {
    ssize_t sent = sendto(p->descriptor, bytes, length, 0, (struct sockaddr *) &p->client, sizeof p->client);
    assert_int_equal(sent, length);
}

/* Piggybacked, with options behind the token. */
static inline void answer(peer *p, uint8_t code, const char *options) {
    size_t token = p->message[0] & 15u, length = 4 + token;
    uint8_t bytes[64];
    memcpy(bytes, p->message, length);
    bytes[0] = (uint8_t) (0x60 | token);
    bytes[1] = code;
    for (const char *at = options; *at; at++) {
        bytes[length++] = (uint8_t) *at;
    }
    send_bytes(p, bytes, length);
}

/* A Security account for the peer: its URI, NoSec, Short Server ID 101. */
static inline void account_hex(const peer *p, char *hex, size_t size) {
    char uri[32];
    snprintf(uri, sizeof uri, "coap://127.0.0.1:%u", p->port);
    size_t used = (size_t) snprintf(hex, size, "C8 00 %02zX ", strlen(uri));
    for (const char *at = uri; *at; at++) {
        used += (size_t) snprintf(hex + used, size - used, "%02X", (unsigned) *at);
    }
    snprintf(hex + used, size - used, "C1 01 00 C1 02 03 C0 03 C0 04 C0 05 C1 0A 65");
}

static inline void send_step(net *n, peer *p, const step *s) {
    char account[300];
    uint8_t bytes[400] = { 0x41, s->method, (uint8_t) (++p->message_id >> 8), (uint8_t) p->message_id, 0x77 };
    size_t length = 5;
    unsigned number = 0;
    for (const char *at = s->path; *at;) {
        size_t segment = strcspn(at, "/");
        bytes[length++] = (uint8_t) ((11 - number) << 4 | segment);
        memcpy(bytes + length, at, segment);
        length += segment;
        number = 11;
        at += segment + (at[segment] == '/');
    }
    if (s->json) {
        static const uint8_t format[] = { 0x11, 110, 0xFF };
        memcpy(bytes + length, format, sizeof format);
        memcpy(bytes + length + sizeof format, s->json, strlen(s->json));
        length += sizeof format + strlen(s->json);
    }
    if (s->tlv) {
        const uint8_t options[] = { 0x12, 0x2D, 0x16, 0xD1, 27 - 12 - 13, s->block };
        size_t used = s->block ? sizeof options : 3;
        account_hex(&n->server, account, sizeof account);
        memcpy(bytes + length, options, used);
        length += used;
        bytes[length++] = 0xFF;
        length += from_hex(strcmp(s->tlv, "{account}") == 0 ? account : s->tlv, bytes + length);
    }
    send_bytes(p, bytes, length);
}

/* The number in the Block2 option of the request, 0 = none. */
static inline unsigned wanted_block(const peer *p) {
    unsigned option = 0;
    for (size_t at = 4 + (p->message[0] & 15u); at < p->length && p->message[at] != 0xFF;) {
        unsigned delta = p->message[at] >> 4, length = p->message[at] & 15u;
        at++;
        if (delta == 13) {
            delta = 13u + p->message[at++];
        }
        if (length == 13) {
            length = 13u + p->message[at++];
        }
        option += delta;
        if (option == 23 && length == 1) {
            return p->message[at] >> 4;
        }
        at += length;
    }
    return 0;
}

static inline void answer_with_pack(net *n) {
    peer *p = &n->bootstrap;
    size_t token = p->message[0] & 15u, used = 4 + token, total = strlen(n->pack);
    unsigned block = wanted_block(p);
    size_t offset = block * (size_t) 64, length = total - offset < 64 ? total - offset : 64;
    uint8_t bytes[100];
    assert_true(offset < total);
    memcpy(bytes, p->message, used);
    bytes[0] = (uint8_t) (0x60 | token);
    bytes[1] = BJC_CONTENT;
    bytes[used++] = 0xC1;
    bytes[used++] = 110;
    bytes[used++] = 0xB1;
    bytes[used++] = (uint8_t) (block << 4 | (offset + length < total ? 8 : 0) | 2);
    bytes[used++] = 0xFF;
    memcpy(bytes + used, n->pack + offset, length);
    n->packs += offset + length == total;
    send_bytes(p, bytes, used + length);
}

/* An answer that was none of 2.xx, or none at all, ends this bootstrap: the client has to come again. */
static inline void serve_bootstrap(net *n) {
    peer *p = &n->bootstrap;
    uint8_t code = p->message[1];
    if (code == BJC_GET && n->pack[0]) {
        answer_with_pack(n);
        n->at = SIZE_MAX;
    } else if (code == BJC_POST) {
        n->requests++;
        n->at = 0;
        answer(p, BJC_CHANGED, "");
    } else if (code >> 5 == 0 || (p->message[2] << 8 | p->message[3]) != p->message_id) {
        return; /* a Reset, or the answer to something earlier */
    } else {
        if (n->on_answer) {
            n->on_answer(n, code);
        }
        n->at = code >> 5 == 2 ? n->at + 1 : SIZE_MAX;
        n->finished = n->finished || (n->at != SIZE_MAX && n->steps[n->at].method == 0);
    }
    if (n->at != SIZE_MAX && n->steps[n->at].method) {
        send_step(n, p, &n->steps[n->at]);
    }
}

/* The value of Block1 (RFC 7959 §2.2), one byte of it; -1 = none. `*payload` is where the payload begins. */
static inline int block1_of(const peer *p, size_t *payload) {
    size_t at = 4 + (p->message[0] & 15u);
    unsigned number = 0;
    int value = -1;
    while (at < p->length && p->message[at] != 0xFF) {
        unsigned delta = p->message[at] >> 4, length = p->message[at] & 15u;
        at++;
        delta = delta == 13 ? p->message[at++] + 13u : delta;
        length = length == 13 ? p->message[at++] + 13u : length;
        number += delta;
        value = number == 27 ? (length ? p->message[at] : 0) : value;
        at += length;
    }
    *payload = at + 1;
    return value;
}

/* True: more blocks are to come, and were asked for. */
static inline bool take_block(net *n) {
    peer *p = &n->server;
    size_t payload;
    int block = block1_of(p, &payload);
    if (block < 0) {
        return false;
    }
    assert_int_equal(n->body_length, (size_t) (block >> 4) * ((size_t) 16 << (block & 7)));
    assert_true(n->body_length + p->length - payload <= sizeof n->body);
    memcpy(n->body + n->body_length, p->message + payload, p->length - payload);
    n->body_length += p->length - payload;
    n->blocks++;
    if (!(block & 8)) {
        return false;
    }
    char option[4] = { (char) 0xD1, 27 - 13, (char) block, 0 };
    if (n->block_exponent) {
        option[2] = (char) ((block & ~7) | n->block_exponent);
    }
    answer(p, BJC_CONTINUE, option);
    return true;
}

static inline void serve_management(net *n) {
    peer *p = &n->server;
    uint8_t code = p->message[1];
    if (code == BJC_POST && take_block(n)) {
        return;
    }
    if (code == BJC_POST && memmem(p->message, p->length, "ep=", 3)) {
        n->registers++;
        answer(p, BJC_CREATED,
               "\x82rd\x03"
               "abc");
    } else if (code == BJC_POST) {
        n->registers++;
        answer(p, BJC_CHANGED, "");
    } else if (code == BJC_DELETE) {
        n->left++;
        answer(p, BJC_DELETED, "");
    } else if (code >> 5) {
        n->answered = code;
    }
}

/* True: something came to the servers. */
static inline bool serve(net *n) {
    bool busy = false;
    for (; receive(&n->bootstrap); busy = true) {
        serve_bootstrap(n);
    }
    for (; receive(&n->server); busy = true) {
        serve_management(n);
    }
    return busy;
}

/* Whether anything happens at the present moment; what is still on its way either way is waited for. */
static inline bool happens(net *n, bootjack_client *client) {
    bootjack_client_step(client);
    if (serve(n)) {
        return true;
    }
    settle();
    bootjack_client_step(client);
    settle();
    return serve(n);
}

/* One round; time passes only after one in which nothing arrived, and not beyond `end`. False: the client waits for
 * nothing any more.
 */
static inline bool turn_before(net *n, bootjack_client *client, int64_t end) {
    clock_offset_ms += n->idle_ms;
    clock_offset_ms = clock_offset_ms < end ? clock_offset_ms : end;
    bool busy = happens(n, client);
    int64_t wait = bootjack_client_next_deadline_ms(client);
    n->idle_ms = busy || wait < 0 ? 0 : wait ? wait : 1;
    return busy || wait >= 0;
}

static inline bool turn(net *n, bootjack_client *client) {
    return turn_before(n, client, INT64_MAX);
}

/* Until the client is in that phase; false when it never comes. */
static inline bool run_until(net *n, bootjack_client *client, bootjack_client_phase phase) {
    for (int i = 0; i < ROUNDS && bootjack_client_state(client) != phase; i++) {
        if (!turn(n, client)) {
            break;
        }
    }
    return bootjack_client_state(client) == phase;
}

/* Until that much time has passed. */
static inline void run_for(net *n, bootjack_client *client, int64_t duration_ms) {
    int64_t end = clock_offset_ms + duration_ms;
    for (int i = 0; i < ROUNDS && clock_offset_ms < end && turn_before(n, client, end); i++) {
    }
}

/* A request of the LwM2M Server; the code of the answer, 0 = none within a second. */
static inline uint8_t ask(net *n, bootjack_client *client, const step *s) {
    n->answered = 0;
    send_step(n, &n->server, s);
    n->idle_ms = 0;
    int64_t end = clock_offset_ms + 1000;
    for (int i = 0; i < ROUNDS && !n->answered && clock_offset_ms < end && turn_before(n, client, end); i++) {
    }
    return n->answered;
}

#endif
