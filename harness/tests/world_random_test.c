/* SPDX-License-Identifier: Apache-2.0
 *
 * Clients and servers that do anything at all, in any order: the simulated world keeps its promises (assertions in it),
 * tells the same story twice for one seed, and keeps no memory of what is gone.
 */
#define _GNU_SOURCE
#include "world_fixture.h"

enum { SOCKETS = 12, STEPS = 4000, SEEDS = 100 };

typedef struct chaos {
    fixture *f;
    uint64_t state;
    bj_sim_socket *sockets[SOCKETS];
    int endpoints[4]; /* -1 = closed */
    int last_connection;
    uint8_t data[70000];
} chaos;

static unsigned draw(chaos *c, unsigned bound) {
    c->state = c->state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned) ((c->state >> 33) % bound);
}

static void chaos_datagram(void *context, int endpoint, const bj_addr *from, const uint8_t *data, size_t length,
                           uint32_t event) {
    chaos *c = context;
    if (draw(c, 3)) {
        c->f->ops->send(c->f->world, endpoint, NULL, from, data, length, event);
    }
}

static void chaos_opened(void *context, int endpoint, int connection, const bj_addr *from, uint32_t event) {
    chaos *c = context;
    (void) endpoint;
    (void) from;
    c->last_connection = connection;
    if (draw(c, 4) == 0) {
        c->f->ops->stream_send(c->f->world, connection, (const uint8_t *) "hello", 5, event);
    } else if (draw(c, 8) == 0) {
        c->f->ops->stream_close(c->f->world, connection, draw(c, 2));
    }
}

static void chaos_data(void *context, int connection, const uint8_t *data, size_t length, uint32_t event) {
    chaos *c = context;
    if (draw(c, 2)) {
        c->f->ops->stream_send(c->f->world, connection, data, length, event);
    }
    if (draw(c, 10) == 0) {
        c->f->ops->stream_close(c->f->world, connection, draw(c, 2));
    }
}

static void chaos_closed(void *context, int connection, bool reset, uint32_t event) {
    chaos *c = context;
    (void) reset;
    if (draw(c, 2)) {
        c->f->ops->stream_send(c->f->world, connection, (const uint8_t *) "bye", 3, event);
    }
}

static const char *const places[] = { "192.0.2.10:5683",    "192.0.2.11:5683",
                                      "[2001:db8::a]:5683", "[::ffff:192.0.2.10]:5683",
                                      "127.0.0.1:7000",     "[::1]:7000",
                                      "192.0.2.1:7000",     "203.0.113.1:1",
                                      "192.0.2.10:1",       "0.0.0.0:7000" };
enum { PLACES = sizeof places / sizeof *places };

static void toggle_port(chaos *c) {
    static const struct {
        uint8_t actor;
        bj_transport transport;
        const char *address;
    } ports[4] = { { BS, BJ_UDP, "192.0.2.10:5683" },
                   { BS, BJ_TCP, "192.0.2.10:5683" },
                   { MGMT, BJ_TCP, "0.0.0.0:5683" },
                   { BS, BJ_UDP, "[2001:db8::a]:5683" } };
    unsigned i = draw(c, 4);
    if (c->endpoints[i] >= 0) {
        c->f->ops->close(c->f->world, c->endpoints[i], draw(c, 2));
        c->endpoints[i] = -1;
    } else {
        c->endpoints[i] = fixture_open(c->f, ports[i].actor, ports[i].transport, ports[i].address);
    }
}

static void change_conditions(chaos *c) {
    bj_link link = { .latency = draw(c, 3000),
                     .jitter = draw(c, 5000),
                     .loss = draw(c, 4) ? draw(c, 300000) : draw(c, 1000001),
                     .duplicate = draw(c, 500000),
                     .reorder = draw(c, 500000),
                     .mtu = draw(c, 3) ? 0 : 100 };
    bj_fault fault = { .kind = (uint8_t) draw(c, 5),
                       .from = (uint8_t) draw(c, 5),
                       .to = (uint8_t) draw(c, 5),
                       .skip = draw(c, 3),
                       .count = draw(c, 5) ? draw(c, 4) : UINT32_MAX,
                       .amount = draw(c, 5) ? draw(c, 5000) : BJ_NEVER };
    switch (draw(c, 3)) {
    case 0:
        c->f->ops->set_link(c->f->world, draw(c, 2) ? BS : BJ_ACTOR_WORLD, &link);
        break;
    case 1:
        c->f->ops->add_fault(c->f->world, &fault);
        break;
    default:
        c->f->ops->clear_faults(c->f->world);
    }
}

static void use_socket(chaos *c, bj_sim_socket **slot) {
    uint8_t *data = c->data;
    bj_addr place = at(places[draw(c, draw(c, 2) ? 4 : PLACES)]);
    if (!*slot) {
        *slot = bj_sim_socket_new(c->f->sim, draw(c, 2) ? 4 : 6, draw(c, 2));
        bool wants = draw(c, 2);
        bj_sim_want_errors(*slot, 4, wants);
        bj_sim_want_errors(*slot, 6, wants);
        bj_sim_set_v6only(*slot, draw(c, 4) == 0);
        bj_sim_set_reuse(*slot, draw(c, 4) == 0);
        return;
    }
    bj_sim_socket *s = *slot;
    bj_addr none = { 0 };
    size_t length = draw(c, 40) ? draw(c, 200) : draw(c, sizeof c->data);
    switch (draw(c, 20)) {
    case 0:
        bj_sim_connect(s, draw(c, 8) ? &place : &none);
        break;
    case 1:
        bj_sim_bind(s, &place);
        break;
    case 2:
        bj_sim_listen(s);
        break;
    case 3:
        bj_sim_shutdown(s, draw(c, 2), draw(c, 2));
        break;
    case 4:
        if (draw(c, 2)) {
            return; /* longer lives */
        }
        draw(c, 2) ? bj_sim_socket_close(s) : bj_sim_socket_abort(s);
        *slot = NULL;
        break;
    case 5: {
        bj_sim_socket *accepted = bj_sim_accept(s, &place);
        bj_sim_socket **other = &c->sockets[draw(c, SOCKETS)];
        if (accepted && !*other) {
            *other = accepted;
        } else if (accepted) {
            bj_sim_socket_close(accepted);
        }
        break;
    }
    case 6:
        bj_sim_take_error(s);
        bj_sim_receive_error(s, data, length, NULL);
        bj_sim_socket_events(s, NULL);
        bj_sim_peer_of(s, &place);
        bj_sim_local(s, &place);
        break;
    case 7:
    case 8:
        bj_sim_receive(s, data, length, draw(c, 4) == 0, NULL);
        break;
    default:
        bj_sim_send(s, draw(c, 2) ? &place : NULL, data, length);
    }
}

static void let_time_pass(chaos *c) {
    bj_sim_socket *s = c->sockets[draw(c, SOCKETS)];
    bj_time until = bj_sim_now(c->f->sim) + draw(c, 20000);
    if (s && draw(c, 2)) {
        wait_for(c->f, s, POLLIN, until);
    } else if (draw(c, 50) == 0) {
        let_pass(c->f, draw(c, 1000) * BJ_SECOND);
    } else {
        bj_sim_wait_until(c->f->sim, NULL, NULL, until);
    }
}

static void one_step(chaos *c) {
    bj_addr found[BJ_DNS_ADDRESSES];
    switch (draw(c, 60)) {
    case 0:
        toggle_port(c);
        break;
    case 1:
        if (draw(c, 3) == 0) {
            change_conditions(c);
        }
        break;
    case 2:
        bj_sim_resolve(c->f->sim, draw(c, 2) ? "bs.example" : "x", 0, found, draw(c, BJ_DNS_ADDRESSES));
        break;
    case 3:
        bj_sim_polled(c->f->sim);
        c->f->ops->stream_close(c->f->world, c->last_connection, draw(c, 2));
        break;
    default:
        if (draw(c, 5) == 0) {
            let_time_pass(c);
        } else {
            use_socket(c, &c->sockets[draw(c, SOCKETS)]);
        }
    }
}

/* Everything is closed and all that was on its way has arrived. */
static void put_away(chaos *c) {
    for (int i = 0; i < SOCKETS; i++) {
        if (c->sockets[i]) {
            bj_sim_socket_close(c->sockets[i]);
        }
    }
    c->f->ops->clear_faults(c->f->world);
    let_pass(c->f, 3000 * BJ_SECOND);
    assert_int_equal(bj_sim_next_event(c->f->sim), BJ_NEVER);
}

static fixture *play(uint64_t seed, size_t *left) {
    chaos c = { .f = fixture_new(seed, 0), .state = seed, .endpoints = { -1, -1, -1, -1 } };
    bj_sim_peer peer = { .context = &c,
                         .datagram = chaos_datagram,
                         .stream_opened = chaos_opened,
                         .stream_data = chaos_data,
                         .stream_closed = chaos_closed };
    bj_sim_set_peer(c.f->sim, &peer);
    for (int i = 0; i < 4; i++) {
        toggle_port(&c);
    }
    for (int i = 0; i < STEPS; i++) {
        one_step(&c);
    }
    put_away(&c);
    *left = bj_arena_in_use(c.f->arena);
    return c.f;
}

static void anything_may_happen(void **state) {
    (void) state;
    uint32_t most = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        size_t left;
        fixture *f = play(seed, &left);
        /* Hosts, ports, faults, the queue's heap; no packet, socket or connection. */
        if (left > 16384) {
            fail_msg("seed %u leaves %zu bytes", (unsigned) seed, left);
        }
        most = bj_log_last(f->log) > most ? bj_log_last(f->log) : most;
        fixture_free(f);
    }
    assert_true(most > 800);
}

static void and_happens_again(void **state) {
    (void) state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        size_t left, again;
        fixture *a = play(seed, &left);
        fixture *b = play(seed, &again);
        assert_int_equal(left, again);
        assert_int_equal(bj_log_last(a->log), bj_log_last(b->log));
        assert_int_equal(memcmp(a->log_memory, b->log_memory, 1 << 18), 0);
        fixture_free(a);
        fixture_free(b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(anything_may_happen),
        cmocka_unit_test(and_happens_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
