/* SPDX-License-Identifier: Apache-2.0
 *
 * A world small enough to see through, for the engine's tests: one link of 1 ms, a clock that the test moves, a client
 * whose every message the test sends by hand. Included by one test program each; everything is static.
 */
#ifndef BJ_TESTS_ENGINE_FIXTURE_H
#define BJ_TESTS_ENGINE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "script/engine.h"
#include "script/load.h"
#include "wire/coap.h"

enum { FLIGHTS = 256, INBOX = 64, DATAGRAM = 2048, STREAM = 8192, ENDPOINTS = 64, LOG_SIZE = 32 << 20 };

typedef struct flight {
    bool used, to_client;
    bj_time arrives;
    int endpoint;
    bj_addr from, to;
    uint8_t data[DATAGRAM];
    size_t length;
    uint32_t cause;
    uint64_t order;
} flight;

typedef struct letter {
    bj_time time;
    bj_addr from;
    uint8_t data[DATAGRAM];
    size_t length;
} letter;

struct bj_world {
    bj_arena *arena;
    bj_log *log;
    void *log_memory;
    bj_engine *engine;
    bj_world_ops ops;
    bj_time now, timer, latency;
    uint64_t random, order;
    bj_addr endpoints[ENDPOINTS];
    bool open[ENDPOINTS], silent[ENDPOINTS];
    int endpoint_count;
    flight flights[FLIGHTS];
    letter inbox[INBOX];
    unsigned inbox_count;
    bool finished;
    int lose; /* so many of the servers' datagrams are lost */
    int signalled;
    unsigned faults, names;
    bj_fault last_fault;
    char last_name[64];
    bj_dns_answer last_answer;
    bj_time wake;
    uint16_t mid;
    uint8_t stream[STREAM];
    size_t stream_length;
    int stream_closed;
    bj_addr client;
    bool real;
};

static bj_world w;

/* --- the world's side --- */

static bj_time fake_now(bj_world *world) {
    return world->now;
}

static uint64_t fake_random(bj_world *world) {
    world->random = world->random * 6364136223846793005U + 1442695040888963407U;
    return world->random >> 16;
}

static bj_log *fake_log(bj_world *world) {
    return world->log;
}

static void fake_declare(bj_world *world, uint8_t actor, const char *name, const bj_addr *addresses, size_t count) {
    bj_event event = { .time = world->now, .kind = BJ_EV_ACTOR, .actor = actor, .text = name };
    if (count) {
        event.from = addresses[0];
    }
    bj_log_append(world->log, &event);
}

static int fake_open(bj_world *world, uint8_t actor, bj_transport transport, const bj_addr *local) {
    (void) actor;
    (void) transport;
    assert_true(world->endpoint_count < ENDPOINTS);
    world->endpoints[world->endpoint_count] = *local;
    world->open[world->endpoint_count] = true;
    return world->endpoint_count++;
}

static void fake_close(bj_world *world, int endpoint, bool silent) {
    world->open[endpoint] = false;
    world->silent[endpoint] = silent;
}

static flight *free_flight(bj_world *world) {
    for (int i = 0; i < FLIGHTS; i++) {
        if (!world->flights[i].used) {
            memset(&world->flights[i], 0, sizeof world->flights[i]);
            world->flights[i].used = true;
            world->flights[i].order = world->order++;
            return &world->flights[i];
        }
    }
    fail_msg("too much under way");
    return NULL;
}

static int64_t fake_send(bj_world *world, int endpoint, const bj_addr *source, const bj_addr *peer, const uint8_t *data,
                         size_t length, uint32_t cause) {
    if (source && world->real) {
        return -ENOTSUP;
    }
    bj_event event = { .time = world->now,
                       .kind = BJ_EV_SENT,
                       .actor = BJ_ACTOR_SERVER_0,
                       .cause = cause,
                       .from = source ? *source : world->endpoints[endpoint],
                       .to = *peer,
                       .raw = data,
                       .raw_length = length };
    uint32_t sent = bj_log_append(world->log, &event);
    if (world->lose > 0) {
        world->lose--;
        bj_event lost = { .time = world->now, .kind = BJ_EV_LOST, .cause = sent };
        bj_log_append(world->log, &lost);
        return sent;
    }
    assert_true(length <= DATAGRAM);
    flight *f = free_flight(world);
    f->to_client = true;
    f->arrives = world->now + world->latency;
    f->from = event.from;
    f->to = *peer;
    memcpy(f->data, data, length);
    f->length = length;
    f->cause = sent;
    return sent;
}

static int64_t fake_stream_send(bj_world *world, int connection, const uint8_t *data, size_t length, uint32_t cause) {
    (void) connection;
    (void) cause;
    assert_true(world->stream_length + length <= STREAM);
    memcpy(world->stream + world->stream_length, data, length);
    world->stream_length += length;
    return 0;
}

static void fake_stream_close(bj_world *world, int connection, bool reset) {
    (void) reset;
    world->stream_closed = connection;
}

static void fake_set_timer(bj_world *world, bj_time when) {
    world->timer = when;
}

static void fake_set_link(bj_world *world, uint8_t actor, const bj_link *link) {
    (void) actor;
    world->latency = link->latency;
}

static void fake_add_fault(bj_world *world, const bj_fault *fault) {
    world->faults++;
    world->last_fault = *fault;
}

static void fake_clear_faults(bj_world *world) {
    world->faults = 0;
}

static void fake_set_dns(bj_world *world, const char *name, const bj_dns_answer *answers, size_t count) {
    world->names++;
    snprintf(world->last_name, sizeof world->last_name, "%s", name);
    world->last_answer = answers[count - 1];
}

static int fake_signal(bj_world *world, int number) {
    world->signalled = number;
    return 0;
}

static bj_time fake_wake(bj_world *world) {
    return world->wake;
}

static void fake_finish(bj_world *world) {
    world->finished = true;
}

static bool fake_real_address(bj_world *world, const char *name, uint16_t port, bj_addr *address) {
    if (!world->real) {
        return false;
    }
    bj_addr_parse("127.0.0.1", 9, address);
    address->port = (uint16_t) (40000 + port + (name[0] == 'm'));
    return true;
}

static void world_reset(void) {
    if (w.arena) {
        bj_arena_unmap(w.arena);
        free(w.log_memory);
    }
    memset(&w, 0, sizeof w);
    w.arena = bj_arena_map((size_t) 256 << 20);
    w.log_memory = aligned_alloc(16, LOG_SIZE);
    assert_non_null(w.log_memory);
    w.log = bj_log_create(w.log_memory, LOG_SIZE);
    w.timer = w.wake = BJ_NEVER;
    w.latency = BJ_MS;
    w.random = 42;
    w.mid = 1000;
    w.ops = (bj_world_ops){ .can = BJ_CAN_DNS | BJ_CAN_FAULTS | BJ_CAN_VIRTUAL_TIME | BJ_CAN_CLIENT_LIFE | BJ_CAN_WAKE,
                            .now = fake_now,
                            .random = fake_random,
                            .log = fake_log,
                            .declare = fake_declare,
                            .open = fake_open,
                            .close = fake_close,
                            .send = fake_send,
                            .stream_send = fake_stream_send,
                            .stream_close = fake_stream_close,
                            .set_timer = fake_set_timer,
                            .set_link = fake_set_link,
                            .add_fault = fake_add_fault,
                            .clear_faults = fake_clear_faults,
                            .set_dns = fake_set_dns,
                            .client_signal = fake_signal,
                            .client_wake = fake_wake,
                            .finish = fake_finish,
                            .real_address = fake_real_address };
    bj_addr_parse("192.0.2.1:50000", 15, &w.client);
}

/* --- time --- */

static void deliver_to_client(flight *f) {
    bj_event event = { .time = w.now,
                       .kind = BJ_EV_RECEIVED,
                       .actor = BJ_ACTOR_CLIENT,
                       .cause = f->cause,
                       .from = f->from,
                       .to = f->to,
                       .raw = f->data,
                       .raw_length = f->length };
    bj_log_append(w.log, &event);
    assert_true(w.inbox_count < INBOX);
    letter *l = &w.inbox[w.inbox_count++];
    l->time = w.now;
    l->from = f->from;
    memcpy(l->data, f->data, f->length);
    l->length = f->length;
}

static void deliver_to_server(const flight *f) {
    bj_event event = { .time = w.now,
                       .kind = BJ_EV_RECEIVED,
                       .actor = BJ_ACTOR_SERVER_0,
                       .cause = f->cause,
                       .from = f->from,
                       .to = f->to,
                       .raw = f->data,
                       .raw_length = f->length };
    uint32_t sequence = bj_log_append(w.log, &event);
    bj_engine_datagram(w.engine, f->endpoint, &f->from, f->data, f->length, sequence);
}

static flight *next_flight(void) {
    flight *first = NULL;
    for (int i = 0; i < FLIGHTS; i++) {
        flight *f = &w.flights[i];
        if (f->used &&
            (!first || f->arrives < first->arrives || (f->arrives == first->arrives && f->order < first->order))) {
            first = f;
        }
    }
    return first;
}

/* Lets everything happen up to and with `until`. */
static void pass_until(bj_time until) {
    for (;;) {
        flight *f = next_flight();
        bj_time next = f && f->arrives < w.timer ? f->arrives : w.timer;
        if (next > until || next == BJ_NEVER) {
            break;
        }
        if (next > w.now) {
            w.now = next;
        }
        if (f && f->arrives <= w.now) {
            flight copy = *f;
            f->used = false;
            if (copy.to_client) {
                deliver_to_client(&copy);
            } else {
                deliver_to_server(&copy);
            }
        } else {
            w.timer = BJ_NEVER;
            bj_engine_tick(w.engine);
        }
    }
    if (until > w.now && until != BJ_NEVER) {
        w.now = until;
    }
}

static void pass(bj_time duration) {
    pass_until(w.now + duration);
}

/* --- the client's side --- */

static void client_sends_bytes(const bj_addr *to, const uint8_t *data, size_t length) {
    bj_event event = { .time = w.now,
                       .kind = BJ_EV_SENT,
                       .actor = BJ_ACTOR_CLIENT,
                       .from = w.client,
                       .to = *to,
                       .raw = data,
                       .raw_length = length };
    uint32_t sent = w.real ? 0 : bj_log_append(w.log, &event);
    for (int e = 0; e < w.endpoint_count; e++) {
        if (bj_addr_equal(&w.endpoints[e], to) && w.open[e]) {
            flight *f = free_flight(&w);
            f->arrives = w.now + w.latency;
            f->endpoint = e;
            f->from = w.client;
            f->to = *to;
            memcpy(f->data, data, length);
            f->length = length;
            f->cause = sent;
            return;
        }
    }
}

static void client_sends(const bj_addr *to, const bj_coap *m) {
    uint8_t bytes[DATAGRAM];
    size_t length = bj_coap_encode(m, bytes, sizeof bytes);
    assert_true(length > 0);
    client_sends_bytes(to, bytes, length);
}

static bj_addr server_address(unsigned index) {
    bj_addr address;
    char text[32];
    snprintf(text, sizeof text, "192.0.2.%u:5683", 10 + index);
    assert_true(bj_addr_parse(text, strlen(text), &address));
    return address;
}

static bj_coap last_request;
static unsigned last_server;
static char query_room[8][64];

/* A confirmable request; `query` is "a=b&c=d" or NULL. Time then passes until it has arrived. */
static void client_requests_as(uint8_t type, unsigned server, uint8_t method, const char *path, const char *query) {
    bj_coap m = { .version = 1, .type = type, .code = method, .mid = w.mid++, .token_length = 2 };
    m.token[0] = (uint8_t) (m.mid >> 8);
    m.token[1] = (uint8_t) m.mid;
    bj_coap_add_path(&m, BJ_COAP_URI_PATH, path);
    unsigned n = 0;
    for (const char *q = query; q && *q; n++) {
        size_t length = strcspn(q, "&");
        snprintf(query_room[n], sizeof query_room[n], "%.*s", (int) length, q);
        bj_coap_add(&m, BJ_COAP_URI_QUERY, query_room[n], length);
        q += length + (q[length] == '&');
    }
    bj_addr to = server_address(server);
    last_request = m;
    last_server = server;
    client_sends(&to, &m);
    pass(w.latency);
}

static void client_requests(unsigned server, uint8_t method, const char *path, const char *query) {
    client_requests_as(BJ_COAP_CON, server, method, path, query);
}

/* The last request once more, byte for byte. */
static void client_repeats(void) {
    bj_addr to = server_address(last_server);
    client_sends(&to, &last_request);
    pass(w.latency);
}

/* The oldest message that reached the client and was not looked at. */
static letter taken;
static bj_coap client_gets(void) {
    pass(w.latency);
    if (!w.inbox_count) {
        fail_msg("nothing reached the client");
    }
    taken = w.inbox[0];
    memmove(&w.inbox[0], &w.inbox[1], (w.inbox_count - 1) * sizeof w.inbox[0]);
    w.inbox_count--;
    bj_coap m;
    assert_int_equal(bj_coap_decode(&m, taken.data, taken.length), BJ_COAP_OK);
    return m;
}

static void client_gets_nothing(void) {
    pass(w.latency);
    assert_int_equal(w.inbox_count, 0);
}

static void client_answers_with(const bj_coap *request, uint8_t code, uint32_t format, const void *payload,
                                size_t length) {
    uint8_t room[4];
    bj_coap m = { .version = 1,
                  .type = BJ_COAP_ACK,
                  .code = code,
                  .mid = request->mid,
                  .token_length = request->token_length,
                  .payload = payload,
                  .payload_length = length };
    memcpy(m.token, request->token, sizeof m.token);
    if (payload) {
        bj_coap_add_uint(&m, BJ_COAP_CONTENT_FORMAT, format, room);
    }
    client_sends(&taken.from, &m);
    pass(w.latency);
}

static void client_answers(const bj_coap *request, uint8_t code) {
    client_answers_with(request, code, 0, NULL, 0);
}

/* Gets a request of a server and answers it. */
static bj_coap client_obeys(uint8_t code) {
    bj_coap m = client_gets();
    client_answers(&m, code);
    return m;
}

static void client_sends_empty(uint8_t type, uint16_t mid) {
    bj_coap m = { .version = 1, .type = type, .mid = mid };
    bj_addr to = server_address(last_server);
    client_sends(&to, &m);
    pass(w.latency);
}

/* --- the run --- */

static bj_record *profile_of(const char *yaml) {
    bj_mistakes mistakes = { .count = 0 };
    bj_record *profile = bj_load_bytes(w.arena, BJ_K_PROFILE, "profile", yaml, strlen(yaml), &mistakes);
    if (!profile) {
        fail_msg("%u: %s", mistakes.items[0].position.line, mistakes.items[0].text);
    }
    return profile;
}

static void begin_with(const bj_record *profile, const char *yaml) {
    bj_mistakes mistakes = { .count = 0 };
    bj_record *scenario = bj_load_bytes(w.arena, BJ_K_SCENARIO, "test", yaml, strlen(yaml), &mistakes);
    if (!scenario) {
        fail_msg("%u:%u: %s", mistakes.items[0].position.line, mistakes.items[0].position.column,
                 mistakes.items[0].text);
    }
    w.engine = bj_engine_new(w.arena, scenario, profile, &w, &w.ops);
    bj_engine_start(w.engine);
}

#define SCENARIO_1S "title: t\nclient: {bootstrap: {uri: \"coap://bs.example\", holdoff: 1s}}\n"

static void begin(const char *yaml) {
    world_reset();
    begin_with(NULL, yaml);
}

/* The steps alone, with a hold-off of 1 s. */
static void begin_steps(const char *steps) {
    char yaml[4096];
    int length = snprintf(yaml, sizeof yaml, SCENARIO_1S "steps:\n%s", steps);
    assert_true(length > 0 && (size_t) length < sizeof yaml);
    begin(yaml);
}

static const char *reason(void) {
    static char text[1024];
    size_t cursor = 0;
    bj_event event;
    text[0] = '\0';
    while (bj_log_next(w.log, &cursor, &event)) {
        if (event.kind == BJ_EV_VERDICT) {
            snprintf(text, sizeof text, "%.*s", (int) event.text_length, event.text);
        }
    }
    return text;
}

static bj_event logged(bj_event_kind kind) {
    size_t cursor = 0;
    bj_event event, last = { .sequence = 0 };
    while (bj_log_next(w.log, &cursor, &event)) {
        if (event.kind == kind) {
            last = event;
        }
    }
    return last;
}

static unsigned count_logged(bj_event_kind kind) {
    size_t cursor = 0;
    bj_event event;
    unsigned count = 0;
    while (bj_log_next(w.log, &cursor, &event)) {
        count += event.kind == kind;
    }
    return count;
}

static void print_log(void) {
    size_t cursor = 0;
    bj_event event;
    while (bj_log_next(w.log, &cursor, &event)) {
        static char room[4096];
        bj_text text = bj_text_over(room, sizeof room);
        bj_event_json(&text, &event, NULL);
        print_message("%s\n", room);
    }
}

static void expect_verdict(bj_verdict verdict, const char *part) {
    if (!bj_engine_done(w.engine) || bj_engine_verdict(w.engine) != verdict || !strstr(reason(), part)) {
        print_log();
        fail_msg("expected %s \"%s\", have %s \"%s\"", bj_verdict_name(verdict), part,
                 bj_engine_done(w.engine) ? bj_verdict_name(bj_engine_verdict(w.engine)) : "no verdict", reason());
    }
    assert_true(w.finished);
}

static void expect_pass(void) {
    expect_verdict(BJ_PASS, "");
}

static void expect_fail(const char *part) {
    expect_verdict(BJ_FAIL, part);
}

static void expect_running(void) {
    if (bj_engine_done(w.engine)) {
        print_log();
        fail_msg("the run is over: %s", reason());
    }
}

enum { GET = 1, POST = 2, PUT = 3, DELETE = 4 };
#define CODE(class, detail) BJ_COAP_CODE(class, detail)
enum { BS = 0, MGMT = 1 };

/* What tests do not use is no mistake. */
__attribute__((unused)) static void fixture_uses_all(void) {
    (void) profile_of;
    (void) client_requests_as;
    (void) client_requests;
    (void) client_answers;
    (void) client_gets;
    (void) server_address;
    (void) client_repeats;
    (void) client_gets_nothing;
    (void) client_obeys;
    (void) client_sends_empty;
    (void) begin_steps;
    (void) logged;
    (void) count_logged;
    (void) expect_pass;
    (void) expect_fail;
    (void) expect_running;
}

#endif
