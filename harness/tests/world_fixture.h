/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of the simulated world share: a world with one server, peers in place of an engine, and questions to
 * the event log.
 */
#ifndef BJ_TESTS_WORLD_FIXTURE_H
#define BJ_TESTS_WORLD_FIXTURE_H

/* cmocka.h wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "world/sim.h"

enum { FIXTURE_LOG = 4 << 20, FIXTURE_ARENA = 64 << 20, BS = BJ_ACTOR_SERVER_0, MGMT };

typedef struct fixture {
    bj_arena *arena;
    void *log_memory;
    bj_log *log;
    bj_sim *sim;
    bj_world *world;
    const bj_world_ops *ops;
    bj_sim_peer peer;

    /* What the peer saw. */
    int endpoint;
    int datagrams;
    uint8_t bytes[70000];
    size_t length;
    bj_addr from;
    int connection;
    bool closed;
    bool reset;
    int ticks;
    bj_time tick_time;
    bool echo; /* the peer sends back what it gets */
} fixture;

static inline bj_addr at(const char *text) {
    bj_addr address;
    assert_true(bj_addr_parse(text, strlen(text), &address));
    return address;
}

static inline void fixture_datagram(void *context, int endpoint, const bj_addr *from, const uint8_t *data,
                                    size_t length, uint32_t event) {
    fixture *f = context;
    f->endpoint = endpoint;
    f->datagrams++;
    f->length = length;
    f->from = *from;
    memcpy(f->bytes, data, length);
    if (f->echo) {
        assert_true(f->ops->send(f->world, endpoint, NULL, from, data, length, event) > 0);
    }
}

static inline void fixture_opened(void *context, int endpoint, int connection, const bj_addr *from, uint32_t event) {
    fixture *f = context;
    (void) event;
    f->endpoint = endpoint;
    f->connection = connection;
    f->from = *from;
}

static inline void fixture_data(void *context, int connection, const uint8_t *data, size_t length, uint32_t event) {
    fixture *f = context;
    assert_int_equal(connection, f->connection);
    assert_true(f->length + length <= sizeof f->bytes);
    memcpy(f->bytes + f->length, data, length);
    f->length += length;
    if (f->echo) {
        assert_true(f->ops->stream_send(f->world, connection, data, length, event) > 0);
    }
}

static inline void fixture_closed(void *context, int connection, bool reset, uint32_t event) {
    fixture *f = context;
    (void) event;
    assert_int_equal(connection, f->connection);
    f->closed = true;
    f->reset = reset;
}

static inline void fixture_tick(void *context) {
    fixture *f = context;
    f->ticks++;
    f->tick_time = f->ops->now(f->world);
}

static inline fixture *fixture_new(uint64_t seed, bj_time budget) {
    fixture *f = calloc(1, sizeof *f);
    f->arena = bj_arena_map(FIXTURE_ARENA);
    f->log_memory = aligned_alloc(16, FIXTURE_LOG);
    memset(f->log_memory, 0, FIXTURE_LOG); /* logs are compared beyond what is used of them, too */
    f->log = bj_log_create(f->log_memory, FIXTURE_LOG);
    bj_sim_config config = { .seed = seed, .budget = budget, .epoch = 1700000000 };
    f->sim = bj_sim_new(f->arena, f->log, &config);
    f->world = bj_sim_world(f->sim);
    f->ops = bj_sim_ops();
    f->peer = (bj_sim_peer){ .context = f,
                             .datagram = fixture_datagram,
                             .stream_opened = fixture_opened,
                             .stream_data = fixture_data,
                             .stream_closed = fixture_closed,
                             .tick = fixture_tick };
    bj_sim_set_peer(f->sim, &f->peer);
    bj_addr bs[] = { at("192.0.2.10"), at("2001:db8::a") };
    bj_addr mgmt[] = { at("192.0.2.11"), at("2001:db8::b") };
    f->ops->declare(f->world, BS, "bs.example", bs, 2);
    f->ops->declare(f->world, MGMT, "mgmt.example", mgmt, 2);
    return f;
}

static inline void fixture_free(fixture *f) {
    bj_arena_unmap(f->arena);
    free(f->log_memory);
    free(f);
}

static inline int fixture_open(fixture *f, uint8_t actor, bj_transport transport, const char *address) {
    bj_addr local = at(address);
    int endpoint = f->ops->open(f->world, actor, transport, &local);
    assert_true(endpoint >= 0);
    return endpoint;
}

static inline bj_sim_socket *connected(fixture *f, const char *address) {
    bj_addr peer = at(address);
    bj_sim_socket *s = bj_sim_socket_new(f->sim, peer.family, false);
    assert_int_equal(bj_sim_connect(s, &peer), 0);
    return s;
}

/* Is the socket ready for any of `events` (or in error)? For bj_sim_wait_until(). */
typedef struct awaited {
    bj_sim_socket *socket;
    short events;
} awaited;

static inline bool is_ready(void *context) {
    const awaited *a = context;
    return (bj_sim_socket_events(a->socket, NULL) & (a->events | POLLERR)) != 0;
}

static inline bj_sim_wait wait_for(fixture *f, bj_sim_socket *s, short events, bj_time deadline) {
    awaited a = { .socket = s, .events = events };
    return bj_sim_wait_until(f->sim, is_ready, &a, deadline);
}

static inline bj_sim_wait let_pass(fixture *f, bj_time duration) {
    return bj_sim_wait_until(f->sim, NULL, NULL, bj_sim_now(f->sim) + duration);
}

static inline int64_t say(bj_sim_socket *s, const char *text) {
    return bj_sim_send(s, NULL, (const uint8_t *) text, strlen(text));
}

/* Reads what is there and compares it with a text. */
static inline void assert_hears(bj_sim_socket *s, const char *text) {
    uint8_t data[2048];
    int64_t length = bj_sim_receive(s, data, sizeof data, false, NULL);
    assert_int_equal(length, strlen(text));
    assert_memory_equal(data, text, strlen(text));
}

/* The n-th event (from 0) of a kind; false when there are fewer. */
static inline bool find_event(const fixture *f, bj_event_kind kind, int n, bj_event *event) {
    size_t cursor = 0;
    while (bj_log_next(f->log, &cursor, event)) {
        if (event->kind == kind && n-- == 0) {
            return true;
        }
    }
    return false;
}

static inline int count_events(const fixture *f, bj_event_kind kind) {
    bj_event event;
    int n = 0;
    while (find_event(f, kind, n, &event)) {
        n++;
    }
    return n;
}

static inline void assert_text(const bj_event *event, const char *part) {
    assert_non_null(event->text);
    if (!memmem(event->text, event->text_length, part, strlen(part))) {
        fail_msg("\"%.*s\" does not contain \"%s\"", (int) event->text_length, event->text, part);
    }
}

#endif
