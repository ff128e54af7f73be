/* SPDX-License-Identifier: Apache-2.0
 *
 * Hand-made event logs for the tests of the oracles: who says what, when. Times are in milliseconds.
 */
#ifndef BJ_ORACLE_FIXTURE_H
#define BJ_ORACLE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "oracle/oracle.h"
#include "wire/coap.h"
#include "wire/tlv.h"

enum { LOG_SIZE = 4 << 20, ARENA_SIZE = 16 << 20, NO_FORMAT = 0 };
enum { BS = BJ_ACTOR_SERVER_0, MGMT = BJ_ACTOR_SERVER_0 + 1 };

static _Alignas(16) char log_memory[LOG_SIZE];
static bj_log *run_log;
static bj_arena *arena;
static bj_oracle_config config;
static bj_finding *found;
static size_t found_count;
static bj_recovery recovered;

static bj_addr local = { 4, { 192, 0, 2, 1 }, 49152 };

/* A message; what is left out is not there. `format`, `accept` and blocks are one more than the number. */
typedef struct msg {
    uint8_t type, code;
    uint16_t mid;
    const char *token;
    const char *path;
    const char *location; /* Location-Path */
    const char *query[4];
    uint32_t format, accept, block1, block2;
    uint32_t option;          /* one more, of that number */
    const char *option_value; /* NULL: it is empty */
    uint32_t observe;         /* one more than the number */
    const char *payload;
    size_t length; /* of the payload; 0: strlen() */
} msg;

#define GET     1
#define POST    2
#define PUT     3
#define DELETE_ 4
#define C(a, b) BJ_COAP_CODE(a, b)

static bj_addr address_of(int server) {
    return (bj_addr){ 4, { 192, 0, 2, (uint8_t) (10 + server - BS) }, 5683 };
}

static uint32_t put_event(bj_event event) {
    return bj_log_append(run_log, &event);
}

static size_t encode(const msg *m, uint8_t *out, size_t room, bool stream) {
    uint8_t rooms[5][4];
    bj_coap c = { .version = 1, .type = m->type, .code = m->code, .mid = m->mid };
    c.token_length = m->token ? (uint8_t) strlen(m->token) : 0;
    memcpy(c.token, m->token ? m->token : "", c.token_length);
    if (m->location) {
        bj_coap_add_path(&c, BJ_COAP_LOCATION_PATH, m->location);
    }
    if (m->path) {
        bj_coap_add_path(&c, BJ_COAP_URI_PATH, m->path);
    }
    if (m->format) {
        bj_coap_add_uint(&c, BJ_COAP_CONTENT_FORMAT, m->format - 1, rooms[0]);
    }
    for (int i = 0; i < 4 && m->query[i]; i++) {
        bj_coap_add(&c, BJ_COAP_URI_QUERY, m->query[i], strlen(m->query[i]));
    }
    if (m->accept) {
        bj_coap_add_uint(&c, BJ_COAP_ACCEPT, m->accept - 1, rooms[1]);
    }
    if (m->block1) {
        bj_coap_add_uint(&c, BJ_COAP_BLOCK1, m->block1 - 1, rooms[2]);
    }
    if (m->block2) {
        bj_coap_add_uint(&c, BJ_COAP_BLOCK2, m->block2 - 1, rooms[4]);
    }
    if (m->observe) {
        bj_coap_add_uint(&c, BJ_COAP_OBSERVE, m->observe - 1, rooms[3]);
    }
    if (m->option) {
        const char *value = m->option_value ? m->option_value : "";
        bj_coap_add(&c, m->option, value, strlen(value));
    }
    if (m->payload) {
        c.payload = (const uint8_t *) m->payload;
        c.payload_length = m->length ? m->length : strlen(m->payload);
    }
    return stream ? bj_coap_tcp_encode(&c, out, room) : bj_coap_encode(&c, out, room);
}

/* The client sends these bytes in a datagram. */
static uint32_t client_raw(unsigned ms, int server, const void *bytes, size_t length) {
    return put_event((bj_event){ .kind = BJ_EV_SENT,
                                 .actor = BJ_ACTOR_CLIENT,
                                 .time = ms * BJ_MS,
                                 .from = local,
                                 .to = address_of(server),
                                 .raw = bytes,
                                 .raw_length = length });
}

static uint32_t client_says(unsigned ms, int server, const msg *m) {
    uint8_t bytes[2048];
    return client_raw(ms, server, bytes, encode(m, bytes, sizeof bytes, false));
}

/* A server's datagram reaches the client. */
static void server_raw(unsigned ms, int server, const void *bytes, size_t length) {
    bj_event event = { .kind = BJ_EV_SENT,
                       .actor = (uint8_t) server,
                       .time = ms * BJ_MS,
                       .from = address_of(server),
                       .to = local,
                       .raw = bytes,
                       .raw_length = length };
    event.cause = put_event(event);
    event.kind = BJ_EV_RECEIVED;
    event.actor = BJ_ACTOR_CLIENT;
    put_event(event);
}

static void server_says(unsigned ms, int server, const msg *m) {
    uint8_t bytes[2048];
    server_raw(ms, server, bytes, encode(m, bytes, sizeof bytes, false));
}

#define CLIENT(ms, server, ...) client_says(ms, server, &(msg){ __VA_ARGS__ })
#define SERVER(ms, server, ...) server_says(ms, server, &(msg){ __VA_ARGS__ })

/* The client connects to that server; what it says on the connection of that number, and hears there. */
static inline void stream_opens(unsigned ms, int server, unsigned number) {
    put_event((bj_event){ .kind = BJ_EV_STREAM_OPEN,
                          .actor = BJ_ACTOR_CLIENT,
                          .time = ms * BJ_MS,
                          .number = number,
                          .from = local,
                          .to = address_of(server) });
}

static inline void stream_event(bj_event_kind kind, unsigned ms, unsigned number, const void *bytes, size_t length) {
    put_event((bj_event){ .kind = kind,
                          .actor = BJ_ACTOR_CLIENT,
                          .time = ms * BJ_MS,
                          .number = number,
                          .raw = bytes,
                          .raw_length = length });
}

static inline void stream_says(bj_event_kind kind, unsigned ms, unsigned number, const msg *m) {
    uint8_t bytes[2048];
    stream_event(kind, ms, number, bytes, encode(m, bytes, sizeof bytes, true));
}

#define STREAM(kind, ms, number, ...) stream_says(BJ_EV_STREAM_##kind, ms, number, &(msg){ __VA_ARGS__ })

static void declare(int server, const char *name, const char *host) {
    put_event((bj_event){ .kind = BJ_EV_ACTOR, .actor = (uint8_t) server, .from = address_of(server), .text = name });
    BJ_TEXT(text, 100);
    bj_addr address = address_of(server);
    address.port = 0;
    bj_text_printf(&text, "%s = ", host);
    bj_addr_print(&text, &address);
    put_event((bj_event){ .kind = BJ_EV_DNS_ANSWER, .actor = BJ_ACTOR_CLIENT, .text = text.start });
}

/* An empty log, with the client just started; /0/x/11 is 10 s, its account is /0/0. */
static int set_up(void **state) {
    (void) state;
    memset(log_memory, 0, sizeof log_memory);
    run_log = bj_log_create(log_memory, sizeof log_memory);
    arena = bj_arena_map(ARENA_SIZE);
    bj_oracle_configure(&config, NULL, NULL, true);
    config.known = true;
    config.endpoint = "dev-1";
    config.holdoff = 10 * BJ_SECOND;
    config.transactional = true;
    config.accounts[0] = (bj_oracle_account){ .uri = "coap://bs.example", .bootstrap = true, .instance = 0 };
    config.account_count = 1;
    declare(BS, "bs", "bs.example");
    declare(MGMT, "mgmt", "mgmt.example");
    put_event((bj_event){ .kind = BJ_EV_CLIENT_START, .actor = BJ_ACTOR_CLIENT, .text = "a test" });
    return 0;
}

static int tear_down(void **state) {
    (void) state;
    bj_arena_unmap(arena);
    return 0;
}

/* The run ends at that time, and the oracles say what they found. */
static void judge(unsigned ms) {
    put_event((bj_event){ .kind = BJ_EV_RUN_END, .time = ms * BJ_MS });
    bj_oracle *oracle = bj_oracle_new(arena, &config);
    bj_oracle_judge(oracle, run_log);
    found_count = bj_oracle_findings(oracle, &found);
    recovered = bj_oracle_recovery(oracle);
}

static void assert_nothing_broken(void) {
    for (size_t i = 0; i < found_count; i++) {
        print_error("%s: %s\n", bj_rule_id(found[i].rule), found[i].text);
    }
    assert_int_equal(found_count, 0);
}

/* That rule is broken, and no other; `text` stands in what is said of it. */
static void assert_broken(bj_rule rule, const char *text) {
    for (size_t i = 0; i < found_count; i++) {
        if (found_count != 1 || found[i].rule != rule || !strstr(found[i].text, text)) {
            print_error("%s: %s\n", bj_rule_id(found[i].rule), found[i].text);
        }
    }
    assert_int_equal(found_count, 1);
    assert_int_equal(found[0].rule, rule);
    assert_non_null(strstr(found[0].text, text));
}

/* --- usual courses -------------------------------------------------------------------------------------------- */

static inline void asks(unsigned ms, uint16_t mid) {
    CLIENT(ms, BS, .type = BJ_COAP_CON, .code = POST, .mid = mid, .token = "tb", .path = "/bs",
           .query = { "ep=dev-1" });
}

static inline void accepts(unsigned ms, uint16_t mid) {
    SERVER(ms, BS, .type = BJ_COAP_ACK, .code = C(2, 4), .mid = mid, .token = "tb");
}

/* The client asks after its hold-off, and the session is open: at 10.1 s. */
static inline void opens(void) {
    asks(10000, 1);
    accepts(10100, 1);
}

static inline void answers(unsigned ms, int server, uint16_t mid, uint8_t code) {
    CLIENT(ms, server, .type = BJ_COAP_ACK, .code = code, .mid = mid, .token = "to");
}

/* A command of the bootstrap server, answered 10 ms later. */
static inline void command(unsigned ms, uint16_t mid, uint8_t method, const char *path, uint8_t answer) {
    SERVER(ms, BS, .type = BJ_COAP_CON, .code = method, .mid = mid, .token = "to", .path = path);
    answers(ms + 10, BS, mid, answer);
}

static inline void writes(unsigned ms, uint16_t mid, const char *path, const void *tlv, size_t length, uint8_t answer) {
    SERVER(ms, BS, .type = BJ_COAP_CON, .code = PUT, .mid = mid, .token = "to", .path = path, .format = 11543,
           .payload = tlv, .length = length);
    answers(ms + 10, BS, mid, answer);
}

/* /0/ID of a server (or bootstrap) account, in TLV. */
static inline void writes_security(unsigned ms, uint16_t mid, const char *path, const char *uri, bool bootstrap,
                                   int ssid, uint8_t answer) {
    uint8_t bytes[300];
    bj_tlv_writer w = { .out = bytes, .room = sizeof bytes };
    bj_tlv_put(&w, BJ_TLV_RESOURCE, 0, uri, strlen(uri));
    bj_tlv_put_bool(&w, BJ_TLV_RESOURCE, 1, bootstrap);
    bj_tlv_put_int(&w, BJ_TLV_RESOURCE, 2, strncmp(uri, "coaps", 5) ? 3 : 0);
    bj_tlv_put(&w, BJ_TLV_RESOURCE, 3, "me", 2);
    bj_tlv_put(&w, BJ_TLV_RESOURCE, 5, "0123456789abcdef", 16);
    if (ssid) {
        bj_tlv_put_int(&w, BJ_TLV_RESOURCE, 10, ssid);
    }
    writes(ms, mid, path, bytes, w.used, answer);
}

static inline void writes_server(unsigned ms, uint16_t mid, const char *path, int ssid, int lifetime, uint8_t answer) {
    uint8_t bytes[100];
    bj_tlv_writer w = { .out = bytes, .room = sizeof bytes };
    bj_tlv_put_int(&w, BJ_TLV_RESOURCE, 0, ssid);
    bj_tlv_put_int(&w, BJ_TLV_RESOURCE, 1, lifetime);
    bj_tlv_put_bool(&w, BJ_TLV_RESOURCE, 6, false);
    bj_tlv_put(&w, BJ_TLV_RESOURCE, 7, "U", 1);
    writes(ms, mid, path, bytes, w.used, answer);
}

static inline void discovers(unsigned ms, uint16_t mid, const char *path, const char *links) {
    SERVER(ms, BS, .type = BJ_COAP_CON, .code = GET, .mid = mid, .token = "to", .path = path, .accept = 41);
    CLIENT(ms + 10, BS, .type = BJ_COAP_ACK, .code = C(2, 5), .mid = mid, .token = "to", .format = 41,
           .payload = links);
}

/* A whole bootstrap with one server account, from 10 s to 11 s. */
static inline void bootstraps(void) {
    opens();
    writes_security(10200, 100, "/0/1", "coap://mgmt.example", false, 101, C(2, 4));
    writes_server(10300, 101, "/1/0", 101, 300, C(2, 4));
    command(10900, 102, POST, "/bs", C(2, 4));
}

static inline void registers(unsigned ms, uint16_t mid, const char *lt) {
    CLIENT(ms, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = mid, .token = "tr", .path = "/rd",
           .query = { "ep=dev-1", lt, "b=U" }, .format = 41, .payload = "</1/0>,</3/0>");
}

static inline void registered(unsigned ms, uint16_t mid) {
    SERVER(ms, MGMT, .type = BJ_COAP_ACK, .code = C(2, 1), .mid = mid, .token = "tr", .location = "/rd/1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
