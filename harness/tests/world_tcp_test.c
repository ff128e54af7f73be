/* SPDX-License-Identifier: Apache-2.0
 *
 * TCP in the simulated world: the handshake's round trip, data in order, windows, ends of every kind, and the client's
 * own host.
 */
#define _GNU_SOURCE
#include "world_fixture.h"

static bj_sim_socket *begin_connect(fixture *f, const char *address) {
    bj_addr peer = at(address);
    bj_sim_socket *s = bj_sim_socket_new(f->sim, peer.family, true);
    assert_true(bj_sim_is_stream(s));
    assert_int_equal(bj_sim_socket_events(s, NULL), POLLOUT | POLLHUP);
    assert_int_equal(bj_sim_connect(s, &peer), -EINPROGRESS);
    assert_int_equal(bj_sim_connect(s, &peer), s && bj_sim_socket_events(s, NULL) ? 0 : -EALREADY);
    return s;
}

static bj_sim_socket *stream_to(fixture *f, const char *address) {
    bj_sim_socket *s = begin_connect(f, address);
    assert_int_equal(wait_for(f, s, POLLOUT, BJ_NEVER), BJ_SIM_READY);
    assert_int_equal(bj_sim_take_error(s), 0);
    return s;
}

static void connecting_takes_a_round_trip(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    int endpoint = fixture_open(f, BS, BJ_TCP, "192.0.2.10:5683");
    bj_sim_socket *s = begin_connect(f, "192.0.2.10:5683");
    bj_addr address, server = at("192.0.2.10:5683");
    uint8_t byte;
    assert_int_equal(bj_sim_peer_of(s, &address), -ENOTCONN);
    assert_int_equal(bj_sim_receive(s, &byte, 1, false, NULL), -EAGAIN);
    assert_int_equal(say(s, "x"), -EAGAIN);
    assert_int_equal(wait_for(f, s, POLLOUT, BJ_NEVER), BJ_SIM_READY);
    assert_int_equal(bj_sim_now(f->sim), 2 * BJ_MS);
    assert_int_equal(bj_sim_socket_events(s, NULL), POLLOUT);
    assert_int_equal(bj_sim_connect(s, &server), 0);
    assert_int_equal(bj_sim_connect(s, &server), -EISCONN);
    assert_int_equal(bj_sim_peer_of(s, &address), 0);
    assert_true(bj_addr_equal(&address, &server));
    assert_int_equal(f->connection, 0);
    let_pass(f, BJ_SECOND);
    assert_int_equal(f->connection, 1);
    assert_int_equal(f->endpoint, endpoint);
    bj_event asked, opened;
    assert_true(find_event(f, BJ_EV_STREAM_OPEN, 0, &asked));
    assert_true(find_event(f, BJ_EV_STREAM_OPEN, 1, &opened));
    assert_int_equal(asked.actor, BJ_ACTOR_CLIENT);
    assert_int_equal(opened.actor, BS);
    assert_int_equal(opened.cause, asked.sequence);
    assert_int_equal(opened.time, 3 * BJ_MS);
    fixture_free(f);
}

static void a_closed_port_refuses(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    bj_sim_socket *s = begin_connect(f, "192.0.2.10:5683");
    assert_int_equal(wait_for(f, s, POLLOUT, BJ_NEVER), BJ_SIM_READY);
    assert_int_equal(bj_sim_now(f->sim), 2 * BJ_MS);
    assert_int_equal(bj_sim_socket_events(s, NULL), POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
    assert_int_equal(bj_sim_take_error(s), ECONNREFUSED);
    bj_event closed;
    assert_true(find_event(f, BJ_EV_STREAM_CLOSED, 0, &closed));
    assert_int_equal(closed.other, ECONNREFUSED);
    /* The same socket may try again, once it was told that nothing came of the first. */
    fixture_open(f, BS, BJ_TCP, "192.0.2.10:5683");
    bj_addr peer = at("192.0.2.10:5683");
    assert_int_equal(bj_sim_connect(s, &peer), -ECONNABORTED);
    assert_int_equal(bj_sim_connect(s, &peer), -EINPROGRESS);
    assert_int_equal(wait_for(f, s, POLLOUT, BJ_NEVER), BJ_SIM_READY);
    assert_int_equal(bj_sim_socket_events(s, NULL), POLLOUT);
    fixture_free(f);
}

static void a_silent_host_times_out(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    int endpoint = fixture_open(f, BS, BJ_TCP, "192.0.2.10:5683");
    f->ops->close(f->world, endpoint, true);
    bj_sim_socket *dead = begin_connect(f, "192.0.2.10:5683");
    bj_sim_socket *nobody = begin_connect(f, "203.0.113.9:5683");
    assert_int_equal(wait_for(f, nobody, POLLOUT, BJ_NEVER), BJ_SIM_READY);
    assert_int_equal(bj_sim_now(f->sim), 127 * BJ_SECOND);
    let_pass(f, 1);
    assert_int_equal(bj_sim_take_error(dead), ETIMEDOUT);
    assert_int_equal(bj_sim_take_error(nobody), ETIMEDOUT);
    fixture_free(f);
}

static void a_host_that_comes_back_answers_the_next_syn(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    int endpoint = fixture_open(f, BS, BJ_TCP, "192.0.2.10:5683");
    f->ops->close(f->world, endpoint, true);
    bj_sim_socket *s = begin_connect(f, "192.0.2.10:5683");
    let_pass(f, 4 * BJ_SECOND);
    fixture_open(f, BS, BJ_TCP, "192.0.2.10:5683");
    assert_int_equal(wait_for(f, s, POLLOUT, BJ_NEVER), BJ_SIM_READY);
    assert_int_equal(bj_sim_now(f->sim), 7 * BJ_SECOND + 2 * BJ_MS);
    assert_int_equal(bj_sim_take_error(s), 0);
    fixture_free(f);
}

static void data_goes_both_ways_in_order(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    fixture_open(f, BS, BJ_TCP, "192.0.2.10:5683");
    f->echo = true;
    bj_link link = { .latency = 10 * BJ_MS, .jitter = 30 * BJ_MS, .loss = 200000 };
    f->ops->set_link(f->world, BS, &link);
    bj_sim_socket *s = stream_to(f, "192.0.2.10:5683");
    char expected[101] = "";
    for (int i = 0; i < 50; i++) {
        char text[3] = { (char) ('a' + i % 26), (char) ('A' + i % 26) };
        memcpy(expected + 2 * (size_t) i, text, 2);
        assert_int_equal(say(s, text), 2);
    }
    let_pass(f, 600 * BJ_SECOND);
    assert_int_equal(f->length, 100);
    assert_memory_equal(f->bytes, expected, 100);
    char heard[100];
    bj_sim_received about;
    assert_int_equal(bj_sim_pending(s), 100);
    assert_int_equal(bj_sim_receive(s, (uint8_t *) heard, 3, true, NULL), 3);
    assert_int_equal(bj_sim_receive(s, (uint8_t *) heard, 3, false, &about), 3);
    assert_int_equal(about.from.port, 5683);
    assert_int_equal(bj_sim_receive(s, (uint8_t *) heard + 3, 200 - 3, false, NULL), 97);
    assert_memory_equal(heard, expected, 100);
    fixture_free(f);
}

static void the_window_fills_and_opens(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    fixture_open(f, BS, BJ_TCP, "192.0.2.10:5683");
    bj_sim_socket *s = stream_to(f, "192.0.2.10:5683");
    static uint8_t big[100000];
    assert_int_equal(bj_sim_send(s, NULL, big, sizeof big), 65536);
    assert_int_equal(bj_sim_send(s, NULL, big, 1), -EAGAIN);
    uint64_t edges, later;
    assert_int_equal(bj_sim_socket_events(s, &edges), 0);
    assert_int_equal(wait_for(f, s, POLLOUT, BJ_NEVER), BJ_SIM_READY);
    assert_int_equal(bj_sim_now(f->sim), 4 * BJ_MS);
    bj_sim_socket_events(s, &later);
    assert_true(later > edges);
    assert_int_equal(f->length, 65536);
    fixture_free(f);
}

static void the_client_closes(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    fixture_open(f, BS, BJ_TCP, "192.0.2.10:5683");
    bj_sim_socket *s = stream_to(f, "192.0.2.10:5683");
    say(s, "bye");
    bj_sim_socket_close(s);
    let_pass(f, BJ_SECOND);
    assert_int_equal(f->length, 3);
    assert_true(f->closed);
    assert_false(f->reset);
    assert_int_equal(f->ops->stream_send(f->world, f->connection, f->bytes, 1, 0), -ENOTCONN);
    fixture_free(f);
}

static void the_client_says_no_more_and_listens_on(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    fixture_open(f, BS, BJ_TCP, "192.0.2.10:5683");
    bj_sim_socket *s = stream_to(f, "192.0.2.10:5683");
    let_pass(f, BJ_SECOND);
    assert_int_equal(bj_sim_shutdown(s, false, true), 0);
    assert_int_equal(say(s, "x"), -EPIPE);
    assert_true(f->ops->stream_send(f->world, f->connection, (const uint8_t *) "late", 4, 0) > 0);
    let_pass(f, BJ_SECOND);
    assert_true(f->closed);
    assert_false(f->reset);
    assert_hears(s, "late");
    uint8_t byte;
    assert_int_equal(bj_sim_receive(s, &byte, 1, false, NULL), 0);
    assert_int_equal(bj_sim_socket_events(s, NULL), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
    bj_sim_socket_close(s);
    fixture_free(f);
}

static void unread_data_makes_a_reset(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    fixture_open(f, BS, BJ_TCP, "192.0.2.10:5683");
    f->echo = true;
    bj_sim_socket *s = stream_to(f, "192.0.2.10:5683");
    say(s, "x");
    assert_int_equal(wait_for(f, s, POLLIN, BJ_NEVER), BJ_SIM_READY);
    bj_sim_socket_close(s);
    let_pass(f, BJ_SECOND);
    assert_true(f->closed);
    assert_true(f->reset);
    fixture_free(f);
}

static void what_reaches_a_closed_socket_is_reset(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    fixture_open(f, BS, BJ_TCP, "192.0.2.10:5683");
    f->echo = true;
    bj_sim_socket *s = stream_to(f, "192.0.2.10:5683");
    say(s, "x");
    bj_sim_socket_abort(s);
    let_pass(f, BJ_SECOND);
    assert_true(f->closed);
    assert_true(f->reset);
    bj_event closed;
    assert_true(find_event(f, BJ_EV_STREAM_CLOSED, 0, &closed));
    assert_int_equal(closed.other, ECONNRESET);
    fixture_free(f);
}

static void the_server_closes(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    fixture_open(f, BS, BJ_TCP, "192.0.2.10:5683");
    bj_sim_socket *s = stream_to(f, "192.0.2.10:5683");
    let_pass(f, BJ_SECOND);
    f->ops->stream_send(f->world, f->connection, (const uint8_t *) "last", 4, 0);
    f->ops->stream_close(f->world, f->connection, false);
    f->ops->stream_close(f->world, f->connection, false);
    assert_int_equal(f->ops->stream_send(f->world, f->connection, f->bytes, 1, 0), -ENOTCONN);
    let_pass(f, BJ_SECOND);
    assert_int_equal(bj_sim_socket_events(s, NULL), POLLIN | POLLOUT | POLLRDHUP);
    assert_hears(s, "last");
    uint8_t byte;
    assert_int_equal(bj_sim_receive(s, &byte, 1, false, NULL), 0);
    /* RFC 9293: what is still sent to the closed end is answered with a reset. Linux: who reads sees the end only. */
    assert_int_equal(say(s, "x"), 1);
    let_pass(f, BJ_SECOND);
    assert_true(bj_sim_socket_events(s, NULL) & POLLERR);
    assert_int_equal(bj_sim_receive(s, &byte, 1, false, NULL), 0);
    assert_int_equal(say(s, "x"), -EPIPE);
    assert_false(f->closed);
    bj_sim_socket_close(s);
    fixture_free(f);
}

static void the_server_resets(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    fixture_open(f, BS, BJ_TCP, "192.0.2.10:5683");
    bj_sim_socket *s = stream_to(f, "192.0.2.10:5683");
    let_pass(f, BJ_SECOND);
    f->ops->stream_send(f->world, f->connection, (const uint8_t *) "last", 4, 0);
    f->ops->stream_close(f->world, f->connection, true);
    let_pass(f, BJ_SECOND);
    assert_int_equal(bj_sim_socket_events(s, NULL), POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
    assert_hears(s, "last");
    uint8_t byte;
    assert_int_equal(bj_sim_receive(s, &byte, 1, false, NULL), -ECONNRESET);
    fixture_free(f);
}

static void a_new_connection_knows_nothing_of_the_old(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    fixture_open(f, BS, BJ_TCP, "192.0.2.10:5683");
    bj_sim_socket *s = stream_to(f, "192.0.2.10:5683");
    let_pass(f, BJ_SECOND);
    f->ops->stream_send(f->world, f->connection, (const uint8_t *) "old", 3, 0);
    f->ops->stream_close(f->world, f->connection, true);
    let_pass(f, BJ_SECOND);
    assert_int_equal(bj_sim_take_error(s), ECONNRESET);
    assert_int_equal(bj_sim_pending(s), 3);
    bj_addr peer = at("192.0.2.10:5683");
    assert_int_equal(bj_sim_connect(s, &peer), -ECONNABORTED);
    assert_int_equal(bj_sim_connect(s, &peer), -EINPROGRESS);
    assert_int_equal(wait_for(f, s, POLLOUT, BJ_NEVER), BJ_SIM_READY);
    assert_int_equal(bj_sim_pending(s), 0);
    assert_int_equal(say(s, "new"), 3);
    let_pass(f, BJ_SECOND);
    assert_int_equal(f->connection, 2);
    assert_memory_equal(f->bytes, "new", 3);
    fixture_free(f);
}

static void a_port_that_closes_resets_its_connections(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    int endpoint = fixture_open(f, BS, BJ_TCP, "192.0.2.10:5683");
    bj_sim_socket *s = stream_to(f, "192.0.2.10:5683");
    let_pass(f, BJ_SECOND);
    f->ops->close(f->world, endpoint, false);
    let_pass(f, BJ_SECOND);
    assert_int_equal(bj_sim_take_error(s), ECONNRESET);
    assert_false(f->closed);
    fixture_free(f);
}

static void a_host_that_dies_is_noticed_late(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    int endpoint = fixture_open(f, BS, BJ_TCP, "192.0.2.10:5683");
    bj_sim_socket *s = stream_to(f, "192.0.2.10:5683");
    let_pass(f, BJ_SECOND);
    f->ops->close(f->world, endpoint, true);
    bj_time start = bj_sim_now(f->sim);
    say(s, "x");
    assert_int_equal(wait_for(f, s, POLLIN, BJ_NEVER), BJ_SIM_READY);
    assert_int_equal(bj_sim_take_error(s), ETIMEDOUT);
    assert_in_range(bj_sim_now(f->sim) - start, 924 * BJ_SECOND, 925 * BJ_SECOND);
    fixture_free(f);
}

static void who_gives_up_connecting_leaves_nothing_to_come(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    int endpoint = fixture_open(f, BS, BJ_TCP, "192.0.2.10:5683");
    f->ops->close(f->world, endpoint, true);
    size_t before = 0;
    for (int i = 0; i < 20; i++) {
        bj_sim_socket *s = begin_connect(f, i % 2 ? "192.0.2.10:5683" : "203.0.113.9:5683");
        let_pass(f, 100 * BJ_MS);
        bj_sim_socket_close(s);
        assert_int_equal(bj_sim_next_event(f->sim), BJ_NEVER);
        before = i == 2 ? bj_arena_in_use(f->arena) : before;
    }
    assert_int_equal(bj_arena_in_use(f->arena), before);
    fixture_free(f);
}

static void a_link_that_loses_all_breaks_the_connection(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    fixture_open(f, BS, BJ_TCP, "192.0.2.10:5683");
    bj_sim_socket *s = stream_to(f, "192.0.2.10:5683");
    let_pass(f, BJ_SECOND);
    bj_link link = { .latency = BJ_MS, .loss = 1000000 };
    f->ops->set_link(f->world, BS, &link);
    say(s, "x");
    assert_int_equal(wait_for(f, s, POLLIN, BJ_NEVER), BJ_SIM_READY);
    assert_int_equal(bj_sim_take_error(s), ETIMEDOUT);
    assert_true(f->closed);
    assert_true(f->reset);
    bj_sim_socket *late = begin_connect(f, "192.0.2.10:5683");
    bj_time start = bj_sim_now(f->sim);
    assert_int_equal(wait_for(f, late, POLLOUT, BJ_NEVER), BJ_SIM_READY);
    assert_int_equal(bj_sim_now(f->sim) - start, 127 * BJ_SECOND);
    fixture_free(f);
}

static void connections_leave_no_memory_behind(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    int endpoint = fixture_open(f, BS, BJ_TCP, "192.0.2.10:5683");
    f->echo = true;
    size_t before = 0;
    for (int i = 0; i < 400; i++) {
        bj_sim_socket *s = stream_to(f, "192.0.2.10:5683");
        f->length = 0;
        say(s, "hello");
        if (i % 3) {
            wait_for(f, s, POLLIN, BJ_NEVER);
        }
        if (i % 3 && i % 4 == 1) {
            assert_hears(s, "hello");
        }
        if (i % 5 == 1) {
            f->ops->stream_close(f->world, f->connection, i % 2);
        } else if (i % 7 == 1) {
            f->ops->close(f->world, endpoint, i % 2);
            fixture_open(f, BS, BJ_TCP, "192.0.2.10:5683");
        }
        bj_sim_socket_close(s);
        let_pass(f, BJ_SECOND);
        before = i == 50 ? bj_arena_in_use(f->arena) : before;
    }
    assert_int_equal(bj_arena_in_use(f->arena), before);
    fixture_free(f);
}

/* --- the own host --------------------------------------------------------------------------------------------- */

static void own_sockets_connect_at_once(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    uint32_t before = bj_log_last(f->log);
    bj_addr any = at("127.0.0.1"), address, peer;
    bj_sim_socket *listener = bj_sim_socket_new(f->sim, 4, true);
    assert_int_equal(bj_sim_bind(listener, &any), 0);
    assert_int_equal(bj_sim_listen(listener), 0);
    assert_int_equal(bj_sim_socket_events(listener, NULL), 0);
    bj_sim_local(listener, &address);
    bj_sim_socket *s = bj_sim_socket_new(f->sim, 4, true);
    assert_int_equal(bj_sim_connect(s, &address), -EINPROGRESS);
    assert_int_equal(bj_sim_socket_events(s, NULL), POLLOUT);
    assert_int_equal(bj_sim_socket_events(listener, NULL), POLLIN);
    bj_sim_socket *accepted = bj_sim_accept(listener, &peer);
    assert_non_null(accepted);
    assert_null(bj_sim_accept(listener, NULL));
    assert_int_equal(peer.port, 49153);
    say(s, "ping");
    assert_hears(accepted, "ping");
    say(accepted, "pong");
    assert_hears(s, "pong");
    bj_sim_socket_close(s);
    uint8_t byte;
    assert_int_equal(bj_sim_receive(accepted, &byte, 1, false, NULL), 0);
    bj_sim_socket_close(accepted);
    bj_sim_socket_close(listener);
    assert_int_equal(bj_sim_now(f->sim), 0);
    assert_int_equal(bj_log_last(f->log), before);
    fixture_free(f);
}

static void own_ports_without_a_listener_refuse(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    bj_addr address = at("[::1]:4000");
    bj_sim_socket *s = bj_sim_socket_new(f->sim, 6, true);
    assert_int_equal(bj_sim_connect(s, &address), -EINPROGRESS);
    assert_int_equal(bj_sim_connect(s, &address), -ECONNREFUSED);
    bj_sim_socket_close(s);
    fixture_free(f);
}

static void own_windows_fill_until_they_are_read(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    bj_addr address = at("127.0.0.1:4000");
    bj_sim_socket *listener = bj_sim_socket_new(f->sim, 4, true);
    bj_sim_bind(listener, &address);
    bj_sim_listen(listener);
    bj_sim_socket *s = bj_sim_socket_new(f->sim, 4, true);
    bj_sim_connect(s, &address);
    bj_sim_socket *accepted = bj_sim_accept(listener, NULL);
    static uint8_t big[65536];
    assert_int_equal(bj_sim_send(s, NULL, big, 40000), 40000);
    assert_int_equal(bj_sim_send(s, NULL, big, 40000), 25536);
    assert_int_equal(bj_sim_send(s, NULL, big, 1), -EAGAIN);
    uint64_t edges, later;
    bj_sim_socket_events(s, &edges);
    assert_int_equal(bj_sim_receive(accepted, big, 30000, false, NULL), 30000);
    assert_int_equal(bj_sim_socket_events(s, &later), POLLOUT);
    assert_true(later > edges);
    assert_int_equal(bj_sim_send(s, NULL, big, 40000), 30000);
    assert_int_equal(bj_sim_receive(accepted, big, sizeof big, false, NULL), 65536);
    /* A reset from the other end. */
    say(s, "x");
    bj_sim_socket_close(accepted);
    assert_int_equal(bj_sim_take_error(s), ECONNRESET);
    bj_sim_socket_close(s);
    fixture_free(f);
}

static void a_listener_that_goes_resets_those_who_wait(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    bj_addr address = at("[::]:4000"), four = at("127.0.0.1:4000");
    bj_sim_socket *listener = bj_sim_socket_new(f->sim, 6, true);
    bj_sim_bind(listener, &address);
    assert_int_equal(bj_sim_listen(listener), 0);
    assert_true(bj_sim_is_listening(listener));
    bj_sim_socket *s = bj_sim_socket_new(f->sim, 4, true);
    bj_sim_connect(s, &four);
    assert_int_equal(bj_sim_socket_events(s, NULL), POLLOUT);
    bj_sim_socket_close(listener);
    assert_int_equal(bj_sim_take_error(s), ECONNRESET);
    bj_sim_socket_close(s);
    bj_sim_socket *datagrams = bj_sim_socket_new(f->sim, 4, false);
    assert_int_equal(bj_sim_listen(datagrams), -EOPNOTSUPP);
    fixture_free(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connecting_takes_a_round_trip),
        cmocka_unit_test(a_closed_port_refuses),
        cmocka_unit_test(a_silent_host_times_out),
        cmocka_unit_test(a_host_that_comes_back_answers_the_next_syn),
        cmocka_unit_test(data_goes_both_ways_in_order),
        cmocka_unit_test(the_window_fills_and_opens),
        cmocka_unit_test(the_client_closes),
        cmocka_unit_test(the_client_says_no_more_and_listens_on),
        cmocka_unit_test(unread_data_makes_a_reset),
        cmocka_unit_test(what_reaches_a_closed_socket_is_reset),
        cmocka_unit_test(the_server_closes),
        cmocka_unit_test(the_server_resets),
        cmocka_unit_test(a_new_connection_knows_nothing_of_the_old),
        cmocka_unit_test(a_port_that_closes_resets_its_connections),
        cmocka_unit_test(a_host_that_dies_is_noticed_late),
        cmocka_unit_test(who_gives_up_connecting_leaves_nothing_to_come),
        cmocka_unit_test(a_link_that_loses_all_breaks_the_connection),
        cmocka_unit_test(connections_leave_no_memory_behind),
        cmocka_unit_test(own_sockets_connect_at_once),
        cmocka_unit_test(own_ports_without_a_listener_refuse),
        cmocka_unit_test(own_windows_fill_until_they_are_read),
        cmocka_unit_test(a_listener_that_goes_resets_those_who_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
