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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echoes_after_a_round_trip),
        cmocka_unit_test(logs_every_step_with_its_cause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
