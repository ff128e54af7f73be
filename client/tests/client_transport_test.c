/* SPDX-License-Identifier: Apache-2.0
 *
 * Separate responses, and what libcoap makes of their Message IDs.
 */
#define _GNU_SOURCE
#include "support.h"

#include "loopback.h"

#define SEPARATE 0x1234

static bjc_core core;
static bjc_transport *transport;
static bjc_session *session;
static peer server;
static unsigned completions;
static bjc_outcome outcome;
static uint8_t response[12] = { 0x48, 0x45, SEPARATE >> 8, SEPARATE & 0xFF };

static void on_request(void *context, const bjc_incoming *request, bjc_reply *reply) {
    (void) context, (void) request, (void) reply;
}

static void on_completion(void *context, const bjc_completion *completion) {
    (void) context;
    completions++;
    outcome = completion->outcome;
}

static int start(void **state) {
    (void) state;
    bjc_uri uri;
    const char *reason;
    char text[40];
    completions = 0;
    core_start(&core);
    peer_open(&server);
    snprintf(text, sizeof text, "coap://127.0.0.1:%u", server.port);
    assert_true(bjc_uri_parse(&uri, text, strlen(text), &reason));
    assert_int_equal(bjc_transport_new(&core, &core.scheduler, &transport), BOOTJACK_OK);
    const bjc_peer whom = { .uri = &uri, .mode = BOOTJACK_SECURITY_NOSEC };
    assert_int_equal(bjc_session_open(transport, &whom, on_request, NULL, &session), BOOTJACK_OK);
    return 0;
}

static int finish(void **state) {
    (void) state;
    bjc_transport_free(transport);
    bjc_core_free(&core);
    close(server.descriptor);
    return 0;
}

static void pass_on(void) {
    settle();
    bjc_scheduler_run(&core.scheduler, bjc_now());
    bjc_transport_process(transport);
    bjc_transport_prepare(transport);
    settle();
}

static void send_to_client(const uint8_t *message, size_t length) {
    assert_int_equal(
        sendto(server.descriptor, message, length, 0, (const struct sockaddr *) &server.client, sizeof server.client),
        (ssize_t) length);
    pass_on();
}

/* The client asks, and the server answers in a message of its own. */
static void exchange(bool reset) {
    const bjc_request request = { .method = BJC_GET, .content_format = -1 };
    assert_int_equal(bjc_session_request(session, &request, on_completion, NULL), BOOTJACK_OK);
    pass_on();
    assert_true(receive(&server));
    const uint8_t *asked = server.message;
    const uint8_t acknowledgement[] = { 0x60, 0, asked[2], asked[3] };
    send_to_client(acknowledgement, sizeof acknowledgement);
    memcpy(response + 4, asked + 4, 8);
    response[4] ^= reset;
    send_to_client(response, sizeof response);
}

static void expect_empty(unsigned type) {
    const uint8_t empty[] = { (uint8_t) (0x40 | type << 4), 0, SEPARATE >> 8, SEPARATE & 0xFF };
    assert_true(receive(&server));
    assert_int_equal(server.length, sizeof empty);
    assert_memory_equal(server.message, empty, sizeof empty);
    assert_false(receive(&server));
}

/* RFC 7252 §4.5. */
static void repetitions_are_acknowledged(void **state) {
    (void) state;
    exchange(false);
    expect_empty(2);
    clock_offset_ms += 2000;
    send_to_client(response, sizeof response);
    expect_empty(2);
    assert_int_equal(completions, 1);
}

static void repetitions_are_rejected(void **state) {
    (void) state;
    exchange(true);
    expect_empty(3);
    send_to_client(response, sizeof response);
    expect_empty(3);
    assert_int_equal(completions, 0);
}

/* RFC 7252 §4.4: a Message ID may be that of another message after EXCHANGE_LIFETIME. */
static void another_response_has_the_same_message_id(void **state) {
    (void) state;
    exchange(false);
    expect_empty(2);
    clock_offset_ms += 248000;
    pass_on();
    exchange(false);
    expect_empty(2);
    assert_int_equal(completions, 2);
    assert_int_equal(outcome, BJC_RESPONSE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(repetitions_are_acknowledged, start, finish),
        cmocka_unit_test_setup_teardown(repetitions_are_rejected, start, finish),
        cmocka_unit_test_setup_teardown(another_response_has_the_same_message_id, start, finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
