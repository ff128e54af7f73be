/* SPDX-License-Identifier: Apache-2.0
 *
 * A whole client against servers made of plain sockets on the loopback, in real time: bootstrap, registration,
 * triggers, De-register. What depends on longer times is shown by the scenarios, in virtual time.
 */
#define _GNU_SOURCE
#include "support.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bootjack/bootjack.h"
#include "transport/transport.h"

#define PATIENCE_MS 5000

typedef struct peer {
    int descriptor;
    uint16_t port;
    struct sockaddr_in client;
    uint8_t message[1500];
    size_t length;
    uint16_t message_id; /* of our requests */
} peer;

typedef struct bench {
    bootjack_client *client;
    peer bootstrap, server;
    char states[2000];
} bench;

static void peer_open(peer *p) {
    struct sockaddr_in local = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof local;
    p->descriptor = socket(AF_INET, SOCK_DGRAM, 0);
    assert_return_code(p->descriptor, 0);
    assert_return_code(bind(p->descriptor, (struct sockaddr *) &local, sizeof local), 0);
    assert_return_code(getsockname(p->descriptor, (struct sockaddr *) &local, &length), 0);
    p->port = ntohs(local.sin_port);
    p->message_id = 1000;
}

static void note_state(void *context, const char *text) {
    bench *b = context;
    size_t used = strlen(b->states);
    snprintf(b->states + used, sizeof b->states - used, "%s\n", text);
}

static bool no_jitter(void *context, void *out, size_t length) {
    static uint8_t counter;
    (void) context;
    memset(out, 0, length);
    /* Tokens must differ, the hold-off needs the smallest factor: four bytes are a factor, eight a token. */
    if (length == 8) {
        memset(out, ++counter, length);
    }
    return true;
}

static void bench_open(bench *b, bool strict) {
    char uri[40];
    bootjack_config config;
    uint16_t iid = 3;
    memset(b, 0, sizeof *b);
    peer_open(&b->bootstrap);
    peer_open(&b->server);
    bootjack_config_init(&config);
    config.endpoint = "dev-1";
    config.random = no_jitter;
    config.state_changed = note_state;
    config.state_context = b;
    config.strict = strict;
    config.preferred_format = strict ? 112 : 11542;
    config.tx = (bootjack_tx_params){ .ack_timeout_ms = 1000, .ack_random_factor = 1.0, .max_retransmit = 2 };
    snprintf(uri, sizeof uri, "coap://127.0.0.1:%u/base?a=b", b->bootstrap.port);
    const bootjack_security_instance account = { .bootstrap_server = true,
                                                 .server_uri = uri,
                                                 .security_mode = BOOTJACK_SECURITY_NOSEC };
    assert_int_equal(bootjack_client_create(&config, &b->client), BOOTJACK_OK);
    assert_int_equal(bootjack_security_object_add_instance(b->client, &account, &iid), BOOTJACK_ERR_STATE);
    assert_int_equal(bootjack_security_object_install(b->client), BOOTJACK_OK);
    assert_int_equal(bootjack_server_object_install(b->client), BOOTJACK_OK);
    assert_int_equal(bootjack_device_object_install(b->client, NULL), BOOTJACK_OK);
    assert_int_equal(bootjack_device_object_install(b->client, NULL), BOOTJACK_ERR_EXISTS);
    const bootjack_matching_type none = (bootjack_matching_type) 9;
    const bootjack_security_instance strange = {
        .bootstrap_server = true, .server_uri = uri, .security_mode = BOOTJACK_SECURITY_NOSEC, .matching_type = &none
    };
    assert_int_equal(bootjack_security_object_add_instance(b->client, &strange, &iid), BOOTJACK_ERR_RANGE);
    assert_int_equal(bootjack_security_object_add_instance(b->client, &account, &iid), BOOTJACK_OK);
    assert_int_equal(iid, 3);
    iid = BOOTJACK_ID_INVALID;
    assert_int_equal(bootjack_security_object_add_instance(b->client, &account, &iid), BOOTJACK_ERR_EXISTS);
}

static void bench_close(bench *b) {
    bootjack_client_destroy(b->client);
    close(b->bootstrap.descriptor);
    close(b->server.descriptor);
}

/* Lets the client run until something arrives at the peer. */
static void await(bench *b, peer *p) {
    for (int64_t waited = 0; waited < PATIENCE_MS;) {
        struct pollfd watched[2] = { { .fd = p->descriptor, .events = POLLIN }, { .fd = -1, .events = POLLIN } };
        bootjack_client_step(b->client);
        bootjack_client_descriptors(b->client, &watched[1].fd, 1);
        int64_t wait = bootjack_client_next_deadline_ms(b->client);
        wait = wait < 0 || wait > 100 ? 100 : wait;
        poll(watched, 2, (int) wait);
        waited += wait;
        if (watched[0].revents & POLLIN) {
            socklen_t length = sizeof p->client;
            ssize_t received =
                recvfrom(p->descriptor, p->message, sizeof p->message, 0, (struct sockaddr *) &p->client, &length);
            assert_true(received >= 4);
            p->length = (size_t) received;
            return;
        }
    }
    fail_msg("nothing arrived; states:\n%s", b->states);
}

static void send_bytes(peer *p, const uint8_t *bytes, size_t length) {
    assert_int_equal(sendto(p->descriptor, bytes, length, 0, (struct sockaddr *) &p->client, sizeof p->client), length);
}

/* Answers what arrived last, piggybacked; `options` go behind the token. */
static void answer(peer *p, uint8_t code, const char *options) {
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

/* Sends a Confirmable request with up to three numbers (or "bs") as path; returns the code of the answer. */
static uint8_t request(bench *b, peer *p, uint8_t method, const char *path, const char *tlv) {
    uint8_t bytes[400] = { 0x41, method, (uint8_t) (++p->message_id >> 8), (uint8_t) p->message_id, 0x77 };
    size_t length = 5;
    unsigned number = 0;
    for (const char *at = path; *at;) {
        size_t segment = strcspn(at, "/");
        bytes[length++] = (uint8_t) ((11 - number) << 4 | segment);
        memcpy(bytes + length, at, segment);
        length += segment;
        number = 11;
        at += segment + (at[segment] == '/');
    }
    if (tlv) {
        static const uint8_t format[] = { 0x12, 0x2D, 0x16, 0xFF };
        assert_int_equal(number, 11);
        memcpy(bytes + length, format, sizeof format);
        length += sizeof format;
        length += from_hex(tlv, bytes + length);
    }
    send_bytes(p, bytes, length);
    await(b, p);
    assert_int_equal(p->message[0], 0x61);
    assert_int_equal(p->message[4], 0x77);
    assert_int_equal(p->message[2] << 8 | p->message[3], p->message_id);
    return p->message[1];
}

static bool arrived(const peer *p, const char *part) {
    return memmem(p->message, p->length, part, strlen(part)) != NULL;
}

#define SERVER_101 "C1 00 65 C4 01 00 01 51 80 C1 06 00 C1 07 55"

/* A Security account for the peer: its URI, NoSec, Short Server ID 101. */
static void account_hex(const peer *p, char *hex, size_t size) {
    char uri[32];
    snprintf(uri, sizeof uri, "coap://127.0.0.1:%u", p->port);
    size_t used = (size_t) snprintf(hex, size, "C8 00 %02zX ", strlen(uri));
    for (const char *at = uri; *at; at++) {
        used += (size_t) snprintf(hex + used, size - used, "%02X", (unsigned) *at);
    }
    snprintf(hex + used, size - used, "C1 01 00 C1 02 03 C0 03 C0 04 C0 05 C1 0A 65");
}

static void bootstrap_and_register(bench *b) {
    char account[300];
    account_hex(&b->server, account, sizeof account);
    await(b, &b->bootstrap);
    assert_int_equal(b->bootstrap.message[1], BJC_POST);
    assert_true(arrived(&b->bootstrap, "\xB4"
                                       "base\x02"
                                       "bs\x43"
                                       "a=b\x08"
                                       "ep=dev-1\x09pct=11542"));
    answer(&b->bootstrap, BJC_CHANGED, "");
    assert_int_equal(request(b, &b->bootstrap, BJC_PUT, "0/1", account), BJC_CHANGED);
    assert_int_equal(request(b, &b->bootstrap, BJC_PUT, "1/0", SERVER_101), BJC_CHANGED);
    assert_int_equal(request(b, &b->bootstrap, BJC_POST, "bs", NULL), BJC_CHANGED);
    await(b, &b->server);
    assert_true(arrived(&b->server, "ep=dev-1"));
    assert_true(arrived(&b->server, "</1/0>,</3/0>"));
    assert_false(arrived(&b->server, "</0"));
    answer(&b->server, BJC_CREATED,
           "\x82rd\x03"
           "abc");
}

static void good_course(void **state) {
    (void) state;
    bench b;
    bench_open(&b, false);
    bootstrap_and_register(&b);
    /* Managed: what may be read, what may not, the Update trigger. */
    assert_int_equal(request(&b, &b.server, BJC_GET, "1/0/1", NULL), BJC_CONTENT);
    assert_true(arrived(&b.server, "86400"));
    assert_int_equal(bootjack_client_state(b.client), BOOTJACK_CLIENT_REGISTERED);
    assert_int_equal(request(&b, &b.server, BJC_GET, "0", NULL), BJC_UNAUTHORIZED);
    assert_int_equal(request(&b, &b.server, BJC_GET, "7", NULL), BJC_NOT_FOUND);
    assert_int_equal(request(&b, &b.server, BJC_PUT, "1/0/0", "C1 00 05"), BJC_NOT_ALLOWED);
    assert_int_equal(request(&b, &b.server, BJC_DELETE, "3/0", NULL), BJC_NOT_ALLOWED);
    assert_int_equal(request(&b, &b.server, BJC_POST, "bs", NULL), BJC_NOT_FOUND);
    assert_int_equal(request(&b, &b.server, BJC_POST, "1/0/8", NULL), BJC_CHANGED);
    await(&b, &b.server);
    assert_true(arrived(&b.server, "\xB2rd\x03"
                                   "abc"));
    answer(&b.server, BJC_CHANGED, "");
    /* A lifetime that cannot be is refused, a changed one is told at once. */
    assert_int_equal(request(&b, &b.server, BJC_PUT, "1/0/1", "C1 01 FF"), BJC_BAD_REQUEST);
    assert_int_equal(request(&b, &b.server, BJC_PUT, "1/0/1", "C1 01 3C"), BJC_CHANGED);
    await(&b, &b.server);
    assert_true(arrived(&b.server, "lt=60"));
    answer(&b.server, BJC_CHANGED, "");
    /* The Bootstrap-Server has nothing to say any more; its last command, sent again, is answered as before. */
    b.bootstrap.message_id--;
    assert_int_equal(request(&b, &b.bootstrap, BJC_POST, "bs", NULL), BJC_CHANGED);
    assert_int_equal(request(&b, &b.bootstrap, BJC_DELETE, "1", NULL), BJC_BAD_REQUEST);
    bootjack_client_stop(b.client);
    await(&b, &b.server);
    assert_int_equal(b.server.message[1], BJC_DELETE);
    answer(&b.server, BJC_DELETED, "");
    assert_int_equal(bootjack_client_run(b.client), BOOTJACK_OK);
    assert_int_equal(bootjack_client_state(b.client), BOOTJACK_CLIENT_STOPPED);
    bench_close(&b);
}

static void trigger(void **state) {
    (void) state;
    bench b;
    bench_open(&b, false);
    bootstrap_and_register(&b);
    assert_int_equal(request(&b, &b.server, BJC_POST, "1/0/9", NULL), BJC_CHANGED);
    await(&b, &b.bootstrap);
    assert_true(arrived(&b.bootstrap, "ep=dev-1"));
    answer(&b.bootstrap, BJC_CODE(4, 0), "");
    await(&b, &b.bootstrap);
    assert_non_null(strstr(b.states, "holding off: Bootstrap-Request Trigger"));
    assert_non_null(strstr(b.states, "holding off: Bootstrap-Request answered with 4.00"));
    bench_close(&b);
}

/* 4.06 keeps the session open: what was missing is written, and a second Finish is accepted. */
static void strict_finish(void **state) {
    (void) state;
    bench b;
    char account[300];
    bench_open(&b, true);
    account_hex(&b.server, account, sizeof account);
    await(&b, &b.bootstrap);
    assert_true(arrived(&b.bootstrap, "\x07pct=112"));
    answer(&b.bootstrap, BJC_CHANGED, "");
    assert_int_equal(request(&b, &b.bootstrap, BJC_POST, "bs", NULL), BJC_NOT_ACCEPTABLE);
    assert_int_equal(request(&b, &b.bootstrap, BJC_PUT, "1/0", SERVER_101), BJC_CHANGED);
    assert_int_equal(request(&b, &b.bootstrap, BJC_POST, "bs", NULL), BJC_NOT_ACCEPTABLE);
    assert_int_equal(request(&b, &b.bootstrap, BJC_PUT, "0/0", account), BJC_CHANGED);
    assert_int_equal(request(&b, &b.bootstrap, BJC_POST, "b", NULL), BJC_BAD_REQUEST);
    assert_int_equal(request(&b, &b.bootstrap, BJC_POST, "bs", NULL), BJC_CHANGED);
    /* A Register that nobody answers comes again, the same message. */
    await(&b, &b.server);
    uint16_t message_id = (uint16_t) (b.server.message[2] << 8 | b.server.message[3]);
    await(&b, &b.server);
    assert_int_equal(b.server.message[2] << 8 | b.server.message[3], message_id);
    bench_close(&b);
}

static void codes(void **state) {
    (void) state;
    static const struct {
        uint8_t method;
        const char *path, *tlv;
        uint8_t code;
    } rows[] = {
        { BJC_DELETE, "", NULL, BJC_DELETED },
        { BJC_DELETE, "0", NULL, BJC_DELETED },
        { BJC_DELETE, "3", NULL, BJC_DELETED },
        { BJC_DELETE, "0/3", NULL, BJC_BAD_REQUEST },
        { BJC_DELETE, "3/0", NULL, BJC_BAD_REQUEST },
        { BJC_DELETE, "1/0", NULL, BJC_BAD_REQUEST },
        { BJC_DELETE, "77", NULL, BJC_BAD_REQUEST },
        { BJC_DELETE, "1/0/1", NULL, BJC_BAD_REQUEST },
        { BJC_DELETE, "bs", NULL, BJC_BAD_REQUEST },
        { BJC_PUT, "1/0", NULL, BJC_BAD_REQUEST },
        { BJC_PUT, "77/0", "C1 00 01", BJC_BAD_REQUEST },
        { BJC_PUT, "bs", "C1 00 01", BJC_BAD_REQUEST },
        { BJC_PUT, "1/0", "C3 01 00 00 00", BJC_BAD_REQUEST },
        { BJC_PUT, "0/9/1", "C1 01 01", BJC_BAD_REQUEST },
        { BJC_GET, "0", NULL, BJC_NOT_ALLOWED },
        { BJC_GET, "1/5", NULL, BJC_NOT_FOUND },
        { BJC_GET, "3", NULL, BJC_NOT_ALLOWED },
        { BJC_GET, "2", NULL, BJC_NOT_FOUND },
        { BJC_GET, "1", NULL, BJC_CONTENT },
        { BJC_POST, "1", NULL, BJC_BAD_REQUEST },
        { BJC_POST, "bs", "C1 00 01", BJC_BAD_REQUEST },
        { 5, "1", NULL, BJC_NOT_ALLOWED },
    };
    bench b;
    bench_open(&b, false);
    await(&b, &b.bootstrap);
    answer(&b.bootstrap, BJC_CHANGED, "");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(request(&b, &b.bootstrap, rows[i].method, rows[i].path, rows[i].tlv), rows[i].code);
    }
    bench_close(&b);
}

/* Found by fuzz_bootstrap_session: /0/x/13 to /0/x/16 came with LwM2M 1.1. */
static void resources_of_a_later_release_are_refused(void **state) {
    (void) state;
    bootjack_config config;
    bootjack_client *client;
    uint16_t iid = BOOTJACK_ID_INVALID;
    const bootjack_matching_type exact = BOOTJACK_MATCH_EXACT;
    bootjack_security_instance account = { .bootstrap_server = true,
                                           .server_uri = "coap://127.0.0.1",
                                           .security_mode = BOOTJACK_SECURITY_NOSEC,
                                           .matching_type = &exact };
    bootjack_config_init(&config);
    config.endpoint = "dev-1";
    config.version = BOOTJACK_LWM2M_1_0;
    assert_int_equal(bootjack_client_create(&config, &client), BOOTJACK_OK);
    assert_int_equal(bootjack_security_object_install(client), BOOTJACK_OK);
    assert_int_equal(bootjack_security_object_add_instance(client, &account, &iid), BOOTJACK_ERR_NOT_FOUND);
    account.matching_type = NULL;
    account.server_name = "bs.example";
    assert_int_equal(bootjack_security_object_add_instance(client, &account, &iid), BOOTJACK_ERR_NOT_FOUND);
    account.server_name = NULL;
    assert_int_equal(bootjack_security_object_add_instance(client, &account, &iid), BOOTJACK_OK);
    bootjack_client_destroy(client);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resources_of_a_later_release_are_refused),
        cmocka_unit_test(good_course),
        cmocka_unit_test(trigger),
        cmocka_unit_test(strict_finish),
        cmocka_unit_test(codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
