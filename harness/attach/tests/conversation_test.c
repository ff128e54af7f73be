/* SPDX-License-Identifier: Apache-2.0
 *
 * The event log as lines for people: names for addresses, messages decoded, what is left out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "attach/conversation.h"

enum { LOG_SIZE = 1 << 20 };

static bj_log *log_with_names(void *memory) {
    bj_log *log = bj_log_create(memory, LOG_SIZE);
    bj_event event = { .kind = BJ_EV_ACTOR, .actor = BJ_ACTOR_SERVER_0, .text = "bs" };
    assert_true(bj_addr_parse("192.0.2.10:5683", 15, &event.from));
    bj_log_append(log, &event);
    event = (bj_event){ .kind = BJ_EV_ACTOR, .actor = BJ_ACTOR_SERVER_0 + 1, .text = "mgmt" };
    assert_true(bj_addr_parse("[2001:db8::b]:5683", 18, &event.from));
    bj_log_append(log, &event);
    return log;
}

static bj_addr address(const char *text) {
    bj_addr addr = { 0 };
    assert_true(bj_addr_parse(text, strlen(text), &addr));
    return addr;
}

/* The line of one event that follows those of log_with_names(), "" for none. */
static const char *line_of(bj_event event) {
    void *memory = aligned_alloc(16, LOG_SIZE);
    assert_non_null(memory);
    bj_log *log = log_with_names(memory);
    event.time = 1234567;
    bj_log_append(log, &event);
    bj_conversation *conversation = bj_conversation_new(log);
    static char room[4096];
    bj_event read;
    for (size_t cursor = 0; bj_log_next(log, &cursor, &read);) {
        bj_text text = bj_text_over(room, sizeof room);
        if (!bj_conversation_line(conversation, &read, &text)) {
            room[0] = '\0';
        }
    }
    bj_conversation_free(conversation);
    free(memory);
    return room;
}

/* The line without its time. */
static const char *said(bj_event event) {
    const char *line = line_of(event);
    return strlen(line) > 15 ? line + 15 : line;
}

static const uint8_t get_hello[] = { 0x41, 0x01, 0x12, 0x34, 0x55, 0xb5, 'h', 'e', 'l', 'l', 'o' };

static bj_event datagram(uint8_t kind, uint8_t actor, const char *to) {
    return (
        bj_event){ .kind = kind, .actor = actor, .to = address(to), .raw = get_hello, .raw_length = sizeof get_hello };
}

static void messages_have_names(void **state) {
    (void) state;
    bj_event event = datagram(BJ_EV_SENT, BJ_ACTOR_CLIENT, "192.0.2.10:5683");
    assert_string_equal(line_of(event), "     1.234567  client -> bs: CON GET /hello [mid 4660, token 55]");
    event.to = address("[2001:db8::b]:5684"); /* another port of the same host */
    assert_string_equal(said(event), "client -> mgmt: CON GET /hello [mid 4660, token 55]");
    event.to = address("198.51.100.1:7");
    assert_string_equal(said(event), "client -> 198.51.100.1:7: CON GET /hello [mid 4660, token 55]");
    event = datagram(BJ_EV_SENT, BJ_ACTOR_SERVER_0, "192.0.2.1:49152");
    assert_string_equal(said(event), "bs -> client: CON GET /hello [mid 4660, token 55]");
}

static void arrivals_are_shown_where_nobody_saw_the_message_leave(void **state) {
    (void) state;
    bj_event event = datagram(BJ_EV_RECEIVED, BJ_ACTOR_SERVER_0, "192.0.2.10:5683");
    assert_string_equal(said(event), "client -> bs: CON GET /hello [mid 4660, token 55]");
    event.to = address("127.0.0.2:5683"); /* the server has many addresses, and was called on this one */
    assert_string_equal(said(event), "client -> bs: CON GET /hello [mid 4660, token 55]");
    event.kind = BJ_EV_PLAIN_RECEIVED;
    event.number = -1;
    assert_string_equal(said(event), "client => bs: CON GET /hello [mid 4660, token 55]");
    event = datagram(BJ_EV_RECEIVED, BJ_ACTOR_SERVER_0, "192.0.2.10:5683");
    event.cause = 2;
    assert_string_equal(said(event), "");
}

static void what_is_not_coap(void **state) {
    (void) state;
    bj_event event = datagram(BJ_EV_SENT, BJ_ACTOR_CLIENT, "192.0.2.10:5683");
    static const uint8_t junk[40] = { 0xff, 0x01 };
    event.raw = junk;
    event.raw_length = 2;
    assert_string_equal(said(event), "client -> bs: not CoAP (shorter than the header): 2 bytes ff01");
    event.raw_length = sizeof junk;
    assert_non_null(strstr(said(event), "40 bytes ff01"));
    assert_non_null(strstr(said(event), "..."));
}

static void streams(void **state) {
    (void) state;
    bj_event event = { .kind = BJ_EV_STREAM_OPEN, .number = 3, .from = address("192.0.2.1:49152") };
    event.to = address("192.0.2.10:5683");
    assert_string_equal(said(event), "client connects to bs (connection 3)");
    static const uint8_t settings[] = { 0x00, 0xe1 };
    event = (bj_event){
        .kind = BJ_EV_STREAM_SENT, .actor = BJ_ACTOR_SERVER_0, .number = 3, .raw = settings, .raw_length = 2
    };
    assert_non_null(strstr(said(event), "bs -> client: "));
    event.kind = BJ_EV_STREAM_RECEIVED; /* nobody saw it leave */
    assert_string_equal(said(event), "client -> bs: CSM");
    event.cause = 2;
    assert_string_equal(said(event), "");
    event = (bj_event){ .kind = BJ_EV_STREAM_OPEN, .actor = BJ_ACTOR_SERVER_0, .to = address("127.0.0.2:5683") };
    assert_string_equal(said(event), "client connects to bs (connection 0)");
    event = (bj_event){ .kind = BJ_EV_STREAM_CLOSED, .actor = BJ_ACTOR_CLIENT, .number = 3 };
    assert_string_equal(said(event), "client: connection 3 is closed");
    event.other = 104;
    assert_string_equal(said(event), "client: connection 3 is reset");
}

static void the_rest(void **state) {
    (void) state;
    static const struct {
        bj_event event;
        const char *line;
    } cases[] = {
        { { .kind = BJ_EV_CLIENT_EXIT, .number = 3 }, "the client exits with status 3" },
        { { .kind = BJ_EV_CLIENT_EXIT, .other = 11 }, "the client is killed by signal 11" },
        { { .kind = BJ_EV_CLIENT_STATE, .text = "a -> b: c" }, "client: a -> b: c" },
        { { .kind = BJ_EV_STEP_BEGIN, .position = { 7, 3 }, .text = "finish" }, "line 7: finish" },
        { { .kind = BJ_EV_STEP_FAILED, .position = { 7, 3 }, .text = "no" }, "FAILED, line 7: no" },
        { { .kind = BJ_EV_VERDICT, .number = BJ_PASS }, "verdict: pass" },
        { { .kind = BJ_EV_VERDICT, .number = BJ_FAIL, .text = "so" }, "verdict: fail: so" },
        { { .kind = BJ_EV_VERDICT, .number = 99 }, "verdict: ?" },
        { { .kind = BJ_EV_POWER_CUT, .text = "all" }, "the client's power goes: all" },
        { { .kind = BJ_EV_DISK, .text = "sync f" }, "the client's disk: sync f" },
        { { .kind = BJ_EV_BRANCH, .text = "refused" }, "branch: refused" },
        { { .kind = BJ_EV_WAIT, .number = 5 }, "" },
        { { .kind = BJ_EV_STEP_END }, "" },
        { { .kind = 200 }, "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(said(cases[i].event), cases[i].line);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_have_names),
        cmocka_unit_test(arrivals_are_shown_where_nobody_saw_the_message_leave),
        cmocka_unit_test(what_is_not_coap),
        cmocka_unit_test(streams),
        cmocka_unit_test(the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
