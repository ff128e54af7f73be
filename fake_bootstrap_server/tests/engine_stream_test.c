/* SPDX-License-Identifier: Apache-2.0
 *
 * CoAP over TCP: settings, Ping, requests in pieces, answers and operations on the connection.
 */
#include "engine_fixture.h"

#define TCP "title: t\nclient: {bootstrap: {uri: \"coap+tcp://bs.example\", holdoff: 1s}}\nsteps:\n"

enum { CONNECTION = 7 };

static void connects(void) {
    bj_engine_stream_opened(w.engine, 0, CONNECTION, &w.client, 0);
}

static void client_streams(const bj_coap *m) {
    uint8_t bytes[256];
    size_t length = bj_coap_tcp_encode(m, bytes, sizeof bytes);
    assert_true(length > 0);
    bj_engine_stream_data(w.engine, CONNECTION, bytes, length, 0);
}

static bj_coap request_of(uint8_t code, const char *path) {
    bj_coap m = { .version = 1, .code = code, .token_length = 1, .token = { 0x42 } };
    bj_coap_add_path(&m, BJ_COAP_URI_PATH, path);
    return m;
}

/* The next message that the server put on the stream. */
static bj_coap streamed(void) {
    static uint8_t kept[STREAM];
    size_t length = bj_coap_tcp_frame(w.stream, w.stream_length);
    assert_true(length > 0 && length <= w.stream_length);
    memcpy(kept, w.stream, length);
    memmove(w.stream, w.stream + length, w.stream_length - length);
    w.stream_length -= length;
    bj_coap m;
    assert_int_equal(bj_coap_tcp_decode(&m, kept, length), BJ_COAP_OK);
    return m;
}

static void settings_come_first(void **state) {
    (void) state;
    begin(TCP "  - request: {to: bs, method: GET, path: /x}\n  - respond: {code: 2.05, text: yes}\n");
    connects();
    assert_int_equal(streamed().code, CODE(7, 1));
    bj_coap settings = { .version = 1, .code = CODE(7, 1) };
    client_streams(&settings);
    bj_coap m = request_of(GET, "/x");
    client_streams(&m);
    bj_coap answer = streamed();
    assert_int_equal(answer.code, CODE(2, 5));
    assert_int_equal(answer.token_length, 1);
    assert_int_equal(answer.token[0], 0x42);
    assert_memory_equal(answer.payload, "yes", 3);
    expect_pass();
}

static void ping_and_pong(void **state) {
    (void) state;
    begin(TCP "  - advance: 1s\n");
    connects();
    streamed();
    bj_coap ping = { .version = 1, .code = CODE(7, 2), .token_length = 2, .token = { 1, 2 } };
    client_streams(&ping);
    bj_coap pong = streamed();
    assert_int_equal(pong.code, CODE(7, 3));
    assert_int_equal(pong.token_length, 2);
    pass(2 * BJ_SECOND);
    expect_pass();
}

/* RFC 8323 §5.4: the Pong has the Ping's token; one that answers nothing is passed over. */
static void a_ping_of_the_server(void **state) {
    (void) state;
    for (int right = 0; right < 2; right++) {
        begin(TCP "  - connection: bs\n  - message: {code: \"7.02\", expect: \"7.03\", within: 2s}\n");
        connects();
        assert_int_equal(streamed().code, CODE(7, 1));
        bj_coap pong = streamed();
        assert_int_equal(pong.code, CODE(7, 2));
        pong.code = CODE(7, 3);
        pong.token[0] ^= right ? 0 : 1;
        client_streams(&pong);
        pass(3 * BJ_SECOND);
        if (right) {
            expect_pass();
        } else {
            expect_fail("expected 7.03 to 7.02");
        }
    }
}

static void a_server_that_says_no_settings(void **state) {
    (void) state;
    begin("title: t\nservers:\n  bs: {transport: tcp, settings: false, pieces: 1}\nsteps:\n"
          "  - connection: {to: bs, ends: established}\n  - raw: 00e1\n  - hang-up: close\n");
    connects();
    assert_int_equal(streamed().code, CODE(7, 1));
    assert_int_equal(w.stream_length, 0);
    assert_int_equal(w.stream_closed, CONNECTION);
    expect_pass();
}

static void a_connection_that_must_not_be(void **state) {
    (void) state;
    begin(TCP "  - connection: {to: bs, ends: refused}\n");
    connects();
    expect_fail("expected a connection with bs, refused: it was established");
    begin(TCP "  - connection: {to: bs, within: 1s}\n");
    pass(3 * BJ_SECOND);
    expect_fail("expected a connection with bs until 1.0");
}

static void messages_come_in_pieces(void **state) {
    (void) state;
    begin(TCP "  - request: {path: /first}\n  - request: {path: /second}\n");
    connects();
    uint8_t bytes[256];
    bj_coap m = request_of(GET, "/first");
    size_t length = bj_coap_tcp_encode(&m, bytes, sizeof bytes);
    m = request_of(POST, "/second");
    length += bj_coap_tcp_encode(&m, bytes + length, sizeof bytes - length);
    for (size_t i = 0; i < length; i++) {
        assert_false(bj_engine_done(w.engine));
        bj_engine_stream_data(w.engine, CONNECTION, bytes + i, 1, 0);
    }
    expect_pass();
}

static void operations_go_over_the_connection(void **state) {
    (void) state;
    begin(
        TCP
        "  - request: {path: /bs}\n  - respond: 2.04\n  - delete: /0\n    expect: 2.02\n  - finish: {expect: 2.04}\n");
    connects();
    streamed();
    bj_coap m = request_of(POST, "/bs");
    client_streams(&m);
    assert_int_equal(streamed().code, CODE(2, 4));
    bj_coap command = streamed();
    assert_int_equal(command.code, DELETE);
    pass(20 * BJ_SECOND);
    assert_int_equal(w.stream_length, 0); /* nothing is retransmitted */
    bj_coap answer = { .version = 1, .code = CODE(2, 2), .token_length = command.token_length };
    memcpy(answer.token, command.token, sizeof answer.token);
    client_streams(&answer);
    command = streamed();
    assert_int_equal(command.code, POST);
    answer.code = CODE(4, 6);
    memcpy(answer.token, command.token, sizeof answer.token);
    client_streams(&answer);
    expect_fail("expected 2.04 to POST /bs, the client answered 4.06");
}

/* The client, or the server, ends the connection behind its request, and the server is to do something else then. */
static void connection_ends_before(const char *by_server, const char *step) {
    char script[400];
    snprintf(script, sizeof script, TCP "  - request: {path: /bs}\n%s  - advance: 1s\n  - %s\n", by_server, step);
    begin(script);
    connects();
    bj_coap m = request_of(POST, "/bs");
    client_streams(&m);
    if (!*by_server) {
        bj_engine_stream_closed(w.engine, CONNECTION, false, 0);
    }
    pass(2 * BJ_SECOND);
}

/* Who awaits an answer of it has a client that fails, not a script that cannot be played. */
static void a_closed_connection_is_no_peer(void **state) {
    (void) state;
    connection_ends_before("", "delete: /0");
    expect_fail("the client ended its session with the server 'bs' at 0.0");
    connection_ends_before("", "delete: /0\n    wait: false");
    expect_verdict(BJ_ERROR, "the client ended its session with the server 'bs' at 0.0");
    connection_ends_before("", "raw: 00e1");
    expect_verdict(BJ_ERROR, "the client ended its session with the server 'bs' at 0.0");
    connection_ends_before("  - hang-up: close\n", "delete: /0");
    expect_verdict(BJ_ERROR, "the server 'bs' has no session with the client any more");
}

static void a_reply_after_the_connection_is_gone(void **state) {
    (void) state;
    begin(TCP "  - request: {path: /bs}\n  - advance: 1s\n  - respond: 2.04\n");
    connects();
    bj_coap m = request_of(POST, "/bs");
    client_streams(&m);
    bj_engine_stream_closed(w.engine, CONNECTION, false, 0);
    w.stream_length = 0;
    pass(2 * BJ_SECOND);
    expect_pass();
    assert_int_equal(w.stream_length, 0);
}

static void a_closed_port_closes_connections(void **state) {
    (void) state;
    begin(TCP "  - request: {path: /bs}\n  - port: closed\n");
    connects();
    bj_coap m = request_of(POST, "/bs");
    client_streams(&m);
    assert_int_equal(w.stream_closed, CONNECTION);
    expect_pass();
}

static void a_length_that_is_absurd(void **state) {
    (void) state;
    static const uint8_t absurd[] = { 0xF0, 0xFF, 0xFF, 0xFF, 0x00, 0x01 };
    begin(TCP "  - request: {to: bs, method: POST, path: /bs}\n");
    connects();
    bj_engine_stream_data(w.engine, CONNECTION, absurd, sizeof absurd, 0);
    assert_int_equal(w.stream_closed, CONNECTION);
    expect_fail("the client sent a message of a length that no message has to bs");
}

/* A write of 5000 bytes to a client that takes messages of so many bytes, and what its first block is. */
static bj_coap first_block_to(uint32_t largest, const char *block) {
    static char yaml[12000];
    uint8_t room[4];
    size_t used = (size_t) snprintf(yaml, sizeof yaml,
                                    TCP "  - request: {to: bs, method: POST, path: /bs}\n  - respond: 2.04\n"
                                        "  - write: /0/1\n    block: %s\n    expect: 2.04\n    hex: ",
                                    block);
    for (unsigned i = 0; i < 5000; i++) {
        used += (size_t) snprintf(yaml + used, sizeof yaml - used, "%02x", i / 1024);
    }
    begin(yaml);
    connects();
    bj_coap settings = { .version = 1, .code = CODE(7, 1) };
    bj_coap_add_uint(&settings, 2, largest, room);
    client_streams(&settings);
    bj_coap m = request_of(POST, "/bs");
    client_streams(&m);
    assert_int_equal(streamed().code, CODE(7, 1));
    assert_int_equal(streamed().code, CODE(2, 4));
    return streamed();
}

static void expect_block(const bj_coap *m, uint32_t value, size_t length, uint8_t first) {
    uint32_t block = 0xFFFFFF;
    assert_true(bj_coap_find_uint(m, BJ_COAP_BLOCK1, &block));
    assert_int_equal(block, value);
    assert_int_equal(m->payload_length, length);
    assert_int_equal(m->payload[0], first);
}

static bj_coap continues(const bj_coap *request, uint32_t block) {
    uint8_t room[4];
    bj_coap m = { .version = 1, .code = CODE(2, 31), .token_length = request->token_length };
    memcpy(m.token, request->token, sizeof m.token);
    bj_coap_add_uint(&m, BJ_COAP_BLOCK1, block, room);
    client_streams(&m);
    return streamed();
}

/* RFC 8323 §6: SZX 7, numbers count units of 1024 bytes; no more of them than the client takes. */
static void bert(void **state) {
    (void) state;
    bj_coap m = first_block_to(8192, "2048");
    expect_block(&m, 0x0F, 2048, 0);
    m = continues(&m, 0x0F);
    expect_block(&m, 0x2F, 2048, 2);
    m = continues(&m, 0x2F);
    expect_block(&m, 0x47, 904, 4);
    m = first_block_to(4500, "8192"); /* there is room for four units */
    expect_block(&m, 0x0F, 4096, 0);
    m = first_block_to(1152, "4096");
    expect_block(&m, 0x0E, 1024, 0);
    m = first_block_to(8192, "2048"); /* the client asks for smaller blocks */
    m = continues(&m, 0x0E);
    expect_block(&m, 0x2E, 1024, 2);
}

static void settings_of_the_server(void **state) {
    (void) state;
    uint32_t largest = 0;
    begin("title: t\nclient: {bootstrap: {uri: \"coap+tcp://bs.example\"}}\n"
          "servers: {bs: {transport: tcp, max-message-size: 300}}\nsteps:\n  - advance: 1s\n");
    connects();
    bj_coap m = streamed();
    assert_int_equal(m.code, CODE(7, 1));
    assert_true(bj_coap_find_uint(&m, 2, &largest));
    assert_int_equal(largest, 300);
    assert_non_null(bj_coap_find(&m, 4, 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_come_first),
        cmocka_unit_test(settings_of_the_server),
        cmocka_unit_test(bert),
        cmocka_unit_test(ping_and_pong),
        cmocka_unit_test(a_ping_of_the_server),
        cmocka_unit_test(a_server_that_says_no_settings),
        cmocka_unit_test(a_connection_that_must_not_be),
        cmocka_unit_test(messages_come_in_pieces),
        cmocka_unit_test(operations_go_over_the_connection),
        cmocka_unit_test(a_closed_connection_is_no_peer),
        cmocka_unit_test(a_reply_after_the_connection_is_gone),
        cmocka_unit_test(a_closed_port_closes_connections),
        cmocka_unit_test(a_length_that_is_absurd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
