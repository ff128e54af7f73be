/* SPDX-License-Identifier: Apache-2.0
 *
 * Separate responses, and what libcoap makes of their Message IDs; messages that come over a stream in one piece.
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

/* --- over a stream ------------------------------------------------------------------------------------------------ */

#define ROOM 64

static int listener, connection;
static char order[16]; /* r: our request ended, i: one of the server was given to us */

static void note(char what) {
    size_t length = strlen(order);
    assert_true(length + 1 < sizeof order);
    order[length] = what;
}

static void on_stream_request(void *context, const bjc_incoming *request, bjc_reply *reply) {
    (void) context;
    note('i');
    assert_true(request->payload_length > 0);
    reply->code = request->payload[request->payload_length - 1] == 'U' ? BJC_CHANGED : 0;
}

static void on_stream_completion(void *context, const bjc_completion *completion) {
    (void) completion;
    note('r');
    if (context) {
        bjc_session_close(session);
    }
}

static int start_stream(void **state) {
    (void) state;
    struct sockaddr_in local = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof local;
    bjc_uri uri;
    const char *reason;
    char text[40];
    memset(order, 0, sizeof order);
    core_start(&core);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_return_code(bind(listener, (struct sockaddr *) &local, sizeof local), 0);
    assert_return_code(listen(listener, 1), 0);
    assert_return_code(getsockname(listener, (struct sockaddr *) &local, &size), 0);
    snprintf(text, sizeof text, "coap+tcp://127.0.0.1:%u", ntohs(local.sin_port));
    assert_true(bjc_uri_parse(&uri, text, strlen(text), &reason));
    assert_int_equal(bjc_transport_new(&core, &core.scheduler, &transport), BOOTJACK_OK);
    const bjc_peer whom = { .uri = &uri, .mode = BOOTJACK_SECURITY_NOSEC };
    assert_int_equal(bjc_session_open(transport, &whom, on_stream_request, NULL, &session), BOOTJACK_OK);
    connection = accept(listener, NULL, NULL);
    assert_return_code(connection, 0);
    const struct timeval patience = { .tv_sec = 10 };
    assert_return_code(setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    pass_on();
    return 0;
}

static int finish_stream(void **state) {
    (void) state;
    bjc_transport_free(transport);
    bjc_core_free(&core);
    close(connection);
    close(listener);
    return 0;
}

/* Asks, and is sent the response and what stands in `more` in one piece; what the client sends then, as much as is
 * expected, is in `bytes`. */
static size_t answer_with_more(void *context, const uint8_t *more, size_t more_length, uint8_t *bytes,
                               size_t expected) {
    static const uint8_t settings[] = { 0x00, 0xE1 };
    const bjc_request request = { .method = BJC_GET, .content_format = -1 };
    assert_int_equal(recv(connection, bytes, ROOM, 0), 6); /* the client's settings */
    assert_int_equal(send(connection, settings, sizeof settings, 0), sizeof settings);
    pass_on();
    assert_int_equal(bjc_session_request(session, &request, on_stream_completion, context), BOOTJACK_OK);
    pass_on();
    assert_int_equal(recv(connection, bytes, ROOM, 0), 10);
    uint8_t piece[2048] = { 0x08, BJC_CONTENT };
    memcpy(piece + 2, bytes + 2, 8);
    memcpy(piece + 10, more, more_length);
    assert_int_equal(send(connection, piece, 10 + more_length, 0), 10 + more_length);
    pass_on();
    ssize_t got = recv(connection, bytes, expected ? expected : ROOM, expected ? MSG_WAITALL : MSG_DONTWAIT);
    return got > 0 ? (size_t) got : 0;
}

#define PUT(payload) 0x41, BJC_PUT, 0x77, 0xB1, '3', 0xFF, payload

/* A stream delivers once, and in order (RFC 8323 §3): what comes behind a response finds what the response made. */
static void requests_behind_a_response_come_behind_it(void **state) {
    (void) state;
    static const uint8_t puts[] = { PUT('U'), PUT('x'), PUT('U') }, changed[] = { 0x01, BJC_CHANGED, 0x77 };
    uint8_t bytes[ROOM];
    assert_int_equal(answer_with_more(NULL, puts, sizeof puts, bytes, 2 * sizeof changed), 2 * sizeof changed);
    assert_string_equal(order, "riii");
    assert_memory_equal(bytes, changed, sizeof changed);
    assert_memory_equal(bytes + sizeof changed, changed, sizeof changed);
}

/* More than may be sent to the server, that is; and with Accept twice (RFC 7252 §5.4.5). */
static void they_are_as_they_came(void **state) {
    (void) state;
    enum { SIZE = 1200, LONG = 2 + 1 + SIZE - 269 };
    static const uint8_t changed[] = { 0x01, BJC_CHANGED, 0x77, 0x01, BJC_BAD_OPTION, 0x77 };
    static const uint8_t large[] = { 0xE1, LONG >> 8, LONG & 0xFF, BJC_PUT, 0x77, 0xB1, '3', 0xFF };
    static const uint8_t odd[] = { 0x61, BJC_PUT, 0x77, 0xB1, '3', 0x61, 0x00, 0x01, 0x00 };
    uint8_t bytes[ROOM], more[sizeof large + SIZE + sizeof odd];
    memcpy(more, large, sizeof large);
    memset(more + sizeof large, 'U', SIZE);
    memcpy(more + sizeof large + SIZE, odd, sizeof odd);
    assert_int_equal(answer_with_more(NULL, more, sizeof more, bytes, sizeof changed), sizeof changed);
    assert_string_equal(order, "ri");
    assert_memory_equal(bytes, changed, sizeof changed);
}

static void they_go_with_a_session_that_the_response_ended(void **state) {
    (void) state;
    static const uint8_t puts[] = { PUT('U'), PUT('U') };
    uint8_t bytes[ROOM];
    assert_int_equal(answer_with_more(&order, puts, sizeof puts, bytes, 0), 0);
    assert_string_equal(order, "r");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(repetitions_are_acknowledged, start, finish),
        cmocka_unit_test_setup_teardown(repetitions_are_rejected, start, finish),
        cmocka_unit_test_setup_teardown(another_response_has_the_same_message_id, start, finish),
        cmocka_unit_test_setup_teardown(requests_behind_a_response_come_behind_it, start_stream, finish_stream),
        cmocka_unit_test_setup_teardown(they_are_as_they_came, start_stream, finish_stream),
        cmocka_unit_test_setup_teardown(they_go_with_a_session_that_the_response_ended, start_stream, finish_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
