/* SPDX-License-Identifier: Apache-2.0
 *
 * Datagrams in the simulated world: latency, order, closed ports, addresses of both families, the client's own host.
 */
#define _GNU_SOURCE
#include "world_fixture.h"

static void echoes_after_a_round_trip(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    int endpoint = fixture_open(f, BS, BJ_UDP, "192.0.2.10:5683");
    f->echo = true;
    bj_sim_socket *s = connected(f, "192.0.2.10:5683");
    assert_int_equal(bj_sim_socket_events(s, NULL), POLLOUT);
    assert_int_equal(say(s, "hello"), 5);
    assert_int_equal(bj_sim_receive(s, f->bytes, 10, false, NULL), -EAGAIN);
    assert_int_equal(wait_for(f, s, POLLIN, BJ_NEVER), BJ_SIM_READY);
    assert_int_equal(bj_sim_now(f->sim), 2 * BJ_MS);
    assert_int_equal(f->endpoint, endpoint);
    assert_int_equal(bj_sim_pending(s), 5);
    assert_hears(s, "hello");
    assert_int_equal(bj_sim_receive(s, f->bytes, 10, false, NULL), -EAGAIN);
    fixture_free(f);
}

static void logs_every_step_with_its_cause(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    fixture_open(f, BS, BJ_UDP, "192.0.2.10:5683");
    f->echo = true;
    bj_sim_socket *s = connected(f, "192.0.2.10:5683");
    say(s, "hello");
    wait_for(f, s, POLLIN, BJ_NEVER);
    bj_event sent, received, answer, back;
    assert_true(find_event(f, BJ_EV_SENT, 0, &sent));
    assert_true(find_event(f, BJ_EV_RECEIVED, 0, &received));
    assert_true(find_event(f, BJ_EV_SENT, 1, &answer));
    assert_true(find_event(f, BJ_EV_RECEIVED, 1, &back));
    assert_int_equal(sent.actor, BJ_ACTOR_CLIENT);
    assert_int_equal(received.actor, BS);
    assert_int_equal(received.cause, sent.sequence);
    assert_int_equal(received.time, BJ_MS);
    assert_int_equal(answer.actor, BS);
    assert_int_equal(answer.cause, received.sequence);
    assert_int_equal(back.actor, BJ_ACTOR_CLIENT);
    assert_int_equal(back.cause, answer.sequence);
    bj_addr server = at("192.0.2.10:5683");
    assert_true(bj_addr_equal(&sent.to, &server));
    assert_int_equal(sent.from.port, 49152);
    assert_memory_equal(sent.raw, "hello", 5);
    fixture_free(f);
}

static void a_closed_port_is_refused_after_a_round_trip(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    bj_sim_socket *s = connected(f, "192.0.2.10:5683");
    say(s, "hello");
    assert_int_equal(wait_for(f, s, POLLIN, BJ_NEVER), BJ_SIM_READY);
    assert_int_equal(bj_sim_now(f->sim), 2 * BJ_MS);
    assert_int_equal(bj_sim_socket_events(s, NULL), POLLOUT | POLLERR);
    uint8_t data[8];
    assert_int_equal(bj_sim_receive(s, data, 8, false, NULL), -ECONNREFUSED);
    assert_int_equal(bj_sim_receive(s, data, 8, false, NULL), -EAGAIN);
    bj_event sent, lost, icmp;
    assert_true(find_event(f, BJ_EV_SENT, 0, &sent));
    assert_true(find_event(f, BJ_EV_LOST, 0, &lost));
    assert_true(find_event(f, BJ_EV_ICMP, 0, &icmp));
    assert_text(&lost, "the port is closed");
    assert_int_equal(icmp.cause, sent.sequence);
    assert_int_equal(icmp.actor, BJ_ACTOR_CLIENT);
    say(s, "again");
    wait_for(f, s, POLLIN, BJ_NEVER);
    assert_int_equal(say(s, "x"), -ECONNREFUSED);
    assert_int_equal(say(s, "x"), 1);
    wait_for(f, s, POLLIN, BJ_NEVER);
    assert_int_equal(bj_sim_take_error(s), ECONNREFUSED);
    assert_int_equal(bj_sim_take_error(s), 0);
    fixture_free(f);
}

static void only_those_who_ask_hear_of_it_unconnected(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    bj_addr peer = at("192.0.2.10:5683");
    bj_sim_socket *s = bj_sim_socket_new(f->sim, 4, false);
    assert_int_equal(bj_sim_send(s, &peer, (const uint8_t *) "a", 1), 1);
    assert_int_equal(let_pass(f, BJ_SECOND), BJ_SIM_DEADLINE);
    assert_int_equal(bj_sim_take_error(s), 0);
    bj_sim_want_errors(s, 4, true);
    assert_int_equal(bj_sim_send(s, &peer, (const uint8_t *) "b", 1), 1);
    assert_int_equal(wait_for(f, s, POLLIN, BJ_NEVER), BJ_SIM_READY);
    assert_int_equal(bj_sim_take_error(s), ECONNREFUSED);
    fixture_free(f);
}

static void a_dead_host_says_nothing_until_it_is_back(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    int endpoint = fixture_open(f, BS, BJ_UDP, "192.0.2.10:5683");
    f->ops->close(f->world, endpoint, true);
    bj_sim_socket *s = connected(f, "192.0.2.10:5683");
    say(s, "a");
    assert_int_equal(wait_for(f, s, POLLIN, 10 * BJ_SECOND), BJ_SIM_DEADLINE);
    assert_int_equal(count_events(f, BJ_EV_ICMP), 0);
    assert_int_equal(fixture_open(f, BS, BJ_UDP, "192.0.2.10:5683"), endpoint);
    say(s, "b");
    let_pass(f, BJ_SECOND);
    assert_int_equal(f->datagrams, 1);
    f->ops->close(f->world, endpoint, false);
    say(s, "c");
    assert_int_equal(wait_for(f, s, POLLIN, BJ_NEVER), BJ_SIM_READY);
    assert_int_equal(bj_sim_take_error(s), ECONNREFUSED);
    fixture_free(f);
}

static void an_address_without_a_host_loses_all(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    bj_sim_socket *four = connected(f, "203.0.113.9:5683");
    bj_sim_socket *six = connected(f, "[2001:db8:ffff::9]:5683");
    assert_int_equal(say(four, "a"), 1);
    assert_int_equal(say(six, "b"), 1);
    let_pass(f, BJ_SECOND);
    assert_int_equal(count_events(f, BJ_EV_LOST), 2);
    assert_int_equal(bj_sim_take_error(four), 0);
    assert_int_equal(bj_sim_take_error(six), 0);
    fixture_free(f);
}

static void keeps_the_order_of_one_direction(void **state) {
    (void) state;
    for (uint64_t seed = 1; seed < 20; seed++) {
        fixture *f = fixture_new(seed, 0);
        int endpoint = fixture_open(f, BS, BJ_UDP, "192.0.2.10:5683");
        bj_link link = { .latency = 10 * BJ_MS, .jitter = 50 * BJ_MS };
        f->ops->set_link(f->world, BS, &link);
        bj_sim_socket *s = connected(f, "192.0.2.10:5683");
        say(s, "x");
        let_pass(f, BJ_SECOND);
        for (uint8_t i = 0; i < 50; i++) {
            f->ops->send(f->world, endpoint, NULL, &f->from, &i, 1, 0);
        }
        let_pass(f, BJ_SECOND);
        for (uint8_t i = 0; i < 50; i++) {
            uint8_t byte;
            assert_int_equal(bj_sim_receive(s, &byte, 1, false, NULL), 1);
            assert_int_equal(byte, i);
        }
        fixture_free(f);
    }
}

static void takes_only_what_its_peer_sends_when_connected(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    int bs = fixture_open(f, BS, BJ_UDP, "192.0.2.10:5683");
    int mgmt = fixture_open(f, MGMT, BJ_UDP, "192.0.2.11:5683");
    bj_sim_socket *s = connected(f, "192.0.2.10:5683");
    bj_addr local;
    bj_sim_local(s, &local);
    bj_addr expected = at("192.0.2.1:49152");
    assert_true(bj_addr_equal(&local, &expected));
    assert_true(f->ops->send(f->world, mgmt, NULL, &local, (const uint8_t *) "mgmt", 4, 0) > 0);
    bj_addr other = at("192.0.2.10:9999");
    assert_true(f->ops->send(f->world, bs, &other, &local, (const uint8_t *) "port", 4, 0) > 0);
    assert_true(f->ops->send(f->world, bs, NULL, &local, (const uint8_t *) "bs", 2, 0) > 0);
    let_pass(f, BJ_SECOND);
    assert_hears(s, "bs");
    assert_int_equal(bj_sim_pending(s), 0);
    assert_int_equal(count_events(f, BJ_EV_LOST), 2);
    bj_addr none = { 0 };
    assert_int_equal(bj_sim_connect(s, &none), 0);
    assert_int_equal(bj_sim_peer_of(s, &local), -ENOTCONN);
    fixture_free(f);
}

static void cuts_peeks_and_tells_about_a_datagram(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    fixture_open(f, BS, BJ_UDP, "192.0.2.10:5683");
    f->echo = true;
    bj_sim_socket *s = connected(f, "192.0.2.10:5683");
    say(s, "0123456789");
    wait_for(f, s, POLLIN, BJ_NEVER);
    uint8_t data[4];
    bj_sim_received about;
    assert_int_equal(bj_sim_receive(s, data, 4, true, &about), 4);
    assert_int_equal(about.full_length, 10);
    assert_int_equal(about.time, 2 * BJ_MS);
    assert_int_equal(about.from.port, 5683);
    assert_int_equal(about.to.port, 49152);
    assert_int_equal(bj_sim_receive(s, data, 4, false, &about), 4);
    assert_memory_equal(data, "0123", 4);
    assert_int_equal(bj_sim_receive(s, data, 4, false, &about), -EAGAIN);
    fixture_free(f);
}

static void an_ipv6_socket_speaks_ipv4_too(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    fixture_open(f, BS, BJ_UDP, "192.0.2.10:5683");
    f->echo = true;
    bj_addr mapped = at("[::ffff:192.0.2.10]:5683");
    bj_sim_socket *s = bj_sim_socket_new(f->sim, 6, false);
    assert_int_equal(bj_sim_send(s, &mapped, (const uint8_t *) "x", 1), 1);
    assert_int_equal(wait_for(f, s, POLLIN, BJ_NEVER), BJ_SIM_READY);
    assert_int_equal(f->from.family, 4);
    bj_sim_received about;
    uint8_t byte;
    assert_int_equal(bj_sim_receive(s, &byte, 1, false, &about), 1);
    assert_true(bj_addr_equal(&about.from, &mapped));
    bj_addr local;
    bj_sim_local(s, &local);
    assert_int_equal(local.family, 6);
    assert_int_equal(local.ip[10], 0);
    assert_int_equal(bj_sim_connect(s, &mapped), 0);
    bj_sim_local(s, &local);
    assert_int_equal(local.family, 6);
    assert_int_equal(local.ip[12], 192);
    bj_sim_socket *only = bj_sim_socket_new(f->sim, 6, false);
    bj_sim_set_v6only(only, true);
    assert_int_equal(bj_sim_connect(only, &mapped), -ENETUNREACH);
    fixture_free(f);
}

static void ipv6_works_and_does_not_mix(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    fixture_open(f, BS, BJ_UDP, "[2001:db8::a]:5683");
    f->echo = true;
    bj_sim_socket *s = connected(f, "[2001:db8::a]:5683");
    say(s, "six");
    assert_int_equal(wait_for(f, s, POLLIN, BJ_NEVER), BJ_SIM_READY);
    assert_hears(s, "six");
    bj_addr six = at("[2001:db8::a]:5683");
    bj_sim_socket *four = bj_sim_socket_new(f->sim, 4, false);
    assert_int_equal(bj_sim_connect(four, &six), -EAFNOSUPPORT);
    assert_int_equal(bj_sim_bind(four, &six), -EAFNOSUPPORT);
    fixture_free(f);
}

static void a_port_belongs_to_one_socket(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    bj_addr any = at("0.0.0.0:5683"), own = at("192.0.2.1:5683"), foreign = at("192.0.2.10:5683");
    bj_addr any6 = at("[::]:5683"), nothing = at("0.0.0.0");
    bj_sim_socket *a = bj_sim_socket_new(f->sim, 4, false);
    bj_sim_socket *b = bj_sim_socket_new(f->sim, 4, false);
    bj_sim_socket *c = bj_sim_socket_new(f->sim, 6, false);
    assert_int_equal(bj_sim_bind(a, &foreign), -EADDRNOTAVAIL);
    assert_int_equal(bj_sim_bind(a, &any), 0);
    assert_int_equal(bj_sim_bind(a, &any), -EINVAL);
    assert_int_equal(bj_sim_bind(b, &own), -EADDRINUSE);
    assert_int_equal(bj_sim_bind(c, &any6), -EADDRINUSE);
    bj_sim_set_v6only(c, true);
    assert_int_equal(bj_sim_bind(c, &any6), 0);
    bj_sim_set_reuse(a, true);
    bj_sim_set_reuse(b, true);
    assert_int_equal(bj_sim_bind(b, &own), 0);
    bj_sim_socket_close(a);
    bj_sim_socket_close(b);
    a = bj_sim_socket_new(f->sim, 4, false);
    assert_int_equal(bj_sim_bind(a, &own), 0);
    b = bj_sim_socket_new(f->sim, 4, false);
    assert_int_equal(bj_sim_bind(b, &nothing), 0);
    bj_addr local;
    bj_sim_local(b, &local);
    assert_int_equal(local.port, 49152);
    fixture_free(f);
}

static void ephemeral_ports_run_out(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    bj_addr peer = at("192.0.2.10:5683");
    for (int i = 0; i < 65536 - 49152; i += 64) {
        bj_sim_socket *s = bj_sim_socket_new(f->sim, 4, false);
        assert_int_equal(bj_sim_connect(s, &peer), 0);
        bj_addr local;
        bj_sim_local(s, &local);
        assert_int_equal(local.port, 49152 + i);
        /* The ports between are drawn and given back. */
        for (int k = 1; k < 64; k++) {
            bj_sim_socket *other = bj_sim_socket_new(f->sim, 4, false);
            assert_int_equal(bj_sim_connect(other, &peer), 0);
            bj_sim_socket_close(other);
        }
    }
    bj_sim_socket *s = bj_sim_socket_new(f->sim, 4, false);
    assert_int_equal(bj_sim_connect(s, &peer), 0);
    bj_addr local;
    bj_sim_local(s, &local);
    assert_int_equal(local.port, 49153);
    fixture_free(f);
}

static void the_own_host_is_reached_at_once(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    uint32_t before = bj_log_last(f->log);
    const char *names[] = { "127.0.0.1:7000", "[::1]:7001", "192.0.2.1:7002", "[2001:db8::1]:7003" };
    for (int i = 0; i < 4; i++) {
        bj_addr address = at(names[i]);
        bj_sim_socket *server = bj_sim_socket_new(f->sim, address.family, false);
        assert_int_equal(bj_sim_bind(server, &address), 0);
        bj_sim_socket *s = connected(f, names[i]);
        assert_int_equal(say(s, "me"), 2);
        uint8_t data[8];
        bj_sim_received about;
        assert_int_equal(bj_sim_receive(server, data, 8, false, &about), 2);
        assert_true(bj_addr_same_host(&about.from, &address));
        assert_int_equal(bj_sim_send(server, &about.from, (const uint8_t *) "you", 3), 3);
        assert_hears(s, "you");
    }
    bj_sim_socket *nobody = connected(f, "127.0.0.1:9");
    say(nobody, "x");
    assert_int_equal(bj_sim_take_error(nobody), ECONNREFUSED);
    assert_int_equal(bj_sim_now(f->sim), 0);
    assert_int_equal(bj_log_last(f->log), before);
    fixture_free(f);
}

static void says_what_cannot_be_sent(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    static uint8_t big[65508];
    bj_addr peer = at("192.0.2.10:5683"), no_port = at("192.0.2.10");
    bj_sim_socket *s = bj_sim_socket_new(f->sim, 4, false);
    assert_int_equal(bj_sim_send(s, NULL, big, 1), -EDESTADDRREQ);
    assert_int_equal(bj_sim_send(s, &peer, big, sizeof big), -EMSGSIZE);
    assert_int_equal(bj_sim_send(s, &no_port, big, 1), -EINVAL);
    assert_int_equal(bj_sim_send(s, &peer, big, 65507), 65507);
    assert_int_equal(bj_sim_send(s, &peer, big, 0), 0);
    assert_int_equal(bj_sim_send_from(s, &peer, &peer, big, 1), -EINVAL);
    bj_addr own = at("192.0.2.1");
    assert_int_equal(bj_sim_send_from(s, &own, &peer, big, 1), 1);
    assert_int_equal(bj_sim_shutdown(s, true, true), -ENOTCONN);
    bj_sim_connect(s, &peer);
    assert_int_equal(bj_sim_shutdown(s, false, true), 0);
    assert_int_equal(bj_sim_send(s, &peer, big, 1), -EPIPE);
    fixture_free(f);
}

static void a_full_socket_loses_the_rest(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    int endpoint = fixture_open(f, BS, BJ_UDP, "192.0.2.10:5683");
    bj_sim_socket *s = connected(f, "192.0.2.10:5683");
    bj_addr local;
    bj_sim_local(s, &local);
    static uint8_t big[60000];
    for (int i = 0; i < 5; i++) {
        assert_true(f->ops->send(f->world, endpoint, NULL, &local, big, sizeof big, 0) > 0);
    }
    let_pass(f, BJ_SECOND);
    bj_event lost;
    assert_int_equal(count_events(f, BJ_EV_RECEIVED), 3);
    assert_true(find_event(f, BJ_EV_LOST, 1, &lost));
    assert_text(&lost, "buffer is full");
    fixture_free(f);
}

static void says_what_a_server_cannot_do(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    bj_addr bs = at("192.0.2.10:5683"), foreign = at("192.0.2.99:1"), no_port = at("192.0.2.10");
    bj_addr six = at("[2001:db8::1]:1");
    uint8_t byte = 0;
    assert_int_equal(f->ops->open(f->world, BS, BJ_UDP, &foreign), -EADDRNOTAVAIL);
    assert_int_equal(f->ops->open(f->world, BS, BJ_UDP, &no_port), -EINVAL);
    int endpoint = f->ops->open(f->world, BS, BJ_UDP, &bs);
    assert_int_equal(f->ops->open(f->world, BS, BJ_UDP, &bs), -EADDRINUSE);
    int stream = f->ops->open(f->world, BS, BJ_TCP, &bs);
    assert_true(stream >= 0 && stream != endpoint);
    assert_int_equal(f->ops->send(f->world, stream, NULL, &bs, &byte, 1, 0), -EBADF);
    assert_int_equal(f->ops->send(f->world, 99, NULL, &bs, &byte, 1, 0), -EBADF);
    assert_int_equal(f->ops->send(f->world, endpoint, NULL, &six, f->bytes, 65508, 0), -EMSGSIZE);
    f->ops->close(f->world, endpoint, false);
    f->ops->close(f->world, endpoint, false);
    assert_int_equal(f->ops->send(f->world, endpoint, NULL, &bs, &byte, 1, 0), -EBADF);
    fixture_free(f);
}

static void a_server_may_listen_on_all_its_addresses(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    fixture_open(f, BS, BJ_UDP, "0.0.0.0:5683");
    f->echo = true;
    bj_sim_socket *s = connected(f, "192.0.2.10:5683");
    say(s, "any");
    assert_int_equal(wait_for(f, s, POLLIN, BJ_NEVER), BJ_SIM_READY);
    assert_hears(s, "any");
    bj_sim_socket *other = connected(f, "192.0.2.11:5683");
    say(other, "x");
    wait_for(f, other, POLLIN, BJ_NEVER);
    assert_int_equal(bj_sim_take_error(other), ECONNREFUSED);
    fixture_free(f);
}

static void a_server_hears_that_the_client_is_gone(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    int endpoint = fixture_open(f, BS, BJ_UDP, "192.0.2.10:5683");
    bj_addr gone = at("192.0.2.1:50000");
    int64_t sent = f->ops->send(f->world, endpoint, NULL, &gone, (const uint8_t *) "x", 1, 0);
    let_pass(f, BJ_SECOND);
    bj_event icmp;
    assert_true(find_event(f, BJ_EV_ICMP, 0, &icmp));
    assert_int_equal(icmp.actor, BS);
    assert_int_equal(icmp.cause, sent);
    fixture_free(f);
}

static void memory_of_delivered_datagrams_comes_back(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    fixture_open(f, BS, BJ_UDP, "192.0.2.10:5683");
    f->echo = true;
    size_t before = 0;
    for (int i = 0; i < 2000; i++) {
        bj_sim_socket *s = connected(f, "192.0.2.10:5683");
        say(s, "hello");
        wait_for(f, s, POLLIN, BJ_NEVER);
        if (i % 2) {
            assert_hears(s, "hello");
        }
        bj_sim_socket_close(s);
        before = i == 10 ? bj_arena_in_use(f->arena) : before;
    }
    assert_int_equal(bj_arena_in_use(f->arena), before);
    fixture_free(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echoes_after_a_round_trip),
        cmocka_unit_test(logs_every_step_with_its_cause),
        cmocka_unit_test(a_closed_port_is_refused_after_a_round_trip),
        cmocka_unit_test(only_those_who_ask_hear_of_it_unconnected),
        cmocka_unit_test(a_dead_host_says_nothing_until_it_is_back),
        cmocka_unit_test(an_address_without_a_host_loses_all),
        cmocka_unit_test(keeps_the_order_of_one_direction),
        cmocka_unit_test(takes_only_what_its_peer_sends_when_connected),
        cmocka_unit_test(cuts_peeks_and_tells_about_a_datagram),
        cmocka_unit_test(an_ipv6_socket_speaks_ipv4_too),
        cmocka_unit_test(ipv6_works_and_does_not_mix),
        cmocka_unit_test(a_port_belongs_to_one_socket),
        cmocka_unit_test(ephemeral_ports_run_out),
        cmocka_unit_test(the_own_host_is_reached_at_once),
        cmocka_unit_test(says_what_cannot_be_sent),
        cmocka_unit_test(a_full_socket_loses_the_rest),
        cmocka_unit_test(says_what_a_server_cannot_do),
        cmocka_unit_test(a_server_may_listen_on_all_its_addresses),
        cmocka_unit_test(a_server_hears_that_the_client_is_gone),
        cmocka_unit_test(memory_of_delivered_datagrams_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
