/* SPDX-License-Identifier: Apache-2.0
 *
 * The clock of the simulated world: waits and their ends, the order of events, determinism, and the guards against a
 * client that does not get on.
 */
#define _GNU_SOURCE
#include "world_fixture.h"

#include <stdio.h>

static void a_wait_ends_at_its_deadline(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    assert_int_equal(bj_sim_epoch(f->sim), 1700000000);
    assert_int_equal(bj_sim_next_event(f->sim), BJ_NEVER);
    assert_int_equal(let_pass(f, 86400 * BJ_SECOND), BJ_SIM_DEADLINE);
    assert_int_equal(bj_sim_now(f->sim), 86400 * BJ_SECOND);
    /* A deadline in the past costs nothing. */
    assert_int_equal(bj_sim_wait_until(f->sim, NULL, NULL, 5), BJ_SIM_DEADLINE);
    assert_int_equal(bj_sim_now(f->sim), 86400 * BJ_SECOND);
    fixture_free(f);
}

static void the_timer_ticks_once_when_it_is_due(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    f->ops->set_timer(f->world, 10 * BJ_SECOND);
    f->ops->set_timer(f->world, 3 * BJ_SECOND);
    assert_int_equal(bj_sim_next_event(f->sim), 3 * BJ_SECOND);
    let_pass(f, 60 * BJ_SECOND);
    assert_int_equal(f->ticks, 1);
    assert_int_equal(f->tick_time, 3 * BJ_SECOND);
    f->ops->set_timer(f->world, 70 * BJ_SECOND);
    f->ops->set_timer(f->world, BJ_NEVER);
    let_pass(f, 60 * BJ_SECOND);
    assert_int_equal(f->ticks, 1);
    f->ops->set_timer(f->world, BJ_SECOND); /* past: at once */
    let_pass(f, 1);
    assert_int_equal(f->ticks, 2);
    assert_int_equal(f->tick_time, 120 * BJ_SECOND);
    fixture_free(f);
}

/* --- ties ----------------------------------------------------------------------------------------------------- */

/* Two servers' datagrams, sent at one moment, arrive at one moment: which is first? */
static char first_of_two(uint64_t seed) {
    fixture *f = fixture_new(seed, 0);
    int bs = fixture_open(f, BS, BJ_UDP, "192.0.2.10:5683");
    int mgmt = fixture_open(f, MGMT, BJ_UDP, "192.0.2.11:5683");
    bj_addr local = at("192.0.2.1:5683");
    bj_sim_socket *s = bj_sim_socket_new(f->sim, 4, false);
    assert_int_equal(bj_sim_bind(s, &local), 0);
    f->ops->send(f->world, bs, NULL, &local, (const uint8_t *) "b", 1, 0);
    f->ops->send(f->world, mgmt, NULL, &local, (const uint8_t *) "m", 1, 0);
    let_pass(f, BJ_SECOND);
    uint8_t byte = 0;
    assert_int_equal(bj_sim_receive(s, &byte, 1, false, NULL), 1);
    fixture_free(f);
    return (char) byte;
}

static void the_seed_breaks_ties(void **state) {
    (void) state;
    int b = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        char first = first_of_two(seed);
        assert_int_equal(first_of_two(seed), first);
        b += first == 'b';
    }
    assert_in_range(b, 25, 75);
}

static void the_seed_says_whether_a_deadline_or_an_event_is_first(void **state) {
    (void) state;
    int ready = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        fixture *f = fixture_new(seed, 0);
        int bs = fixture_open(f, BS, BJ_UDP, "192.0.2.10:5683");
        bj_sim_socket *s = connected(f, "192.0.2.10:5683");
        bj_addr local;
        bj_sim_local(s, &local);
        f->ops->send(f->world, bs, NULL, &local, (const uint8_t *) "b", 1, 0);
        ready += wait_for(f, s, POLLIN, BJ_MS) == BJ_SIM_READY;
        assert_int_equal(bj_sim_now(f->sim), BJ_MS);
        /* What happens now happens before a wait that ends now. */
        assert_int_equal(wait_for(f, s, POLLIN, BJ_MS), BJ_SIM_READY);
        fixture_free(f);
    }
    assert_in_range(ready, 25, 75);
}

/* --- determinism ---------------------------------------------------------------------------------------------- */

/* A conversation in which chance has much to say. */
static fixture *play(uint64_t seed) {
    fixture *f = fixture_new(seed, 0);
    fixture_open(f, BS, BJ_UDP, "192.0.2.10:5683");
    fixture_open(f, MGMT, BJ_UDP, "192.0.2.11:5683");
    f->echo = true;
    bj_link link = {
        .latency = 5 * BJ_MS, .jitter = 3 * BJ_MS, .loss = 100000, .duplicate = 100000, .reorder = 100000
    };
    f->ops->set_link(f->world, BJ_ACTOR_WORLD, &link);
    bj_fault fault = { .kind = BJ_FAULT_CORRUPT, .count = UINT32_MAX, .amount = BJ_NEVER };
    f->ops->add_fault(f->world, &fault);
    bj_sim_socket *a = connected(f, "192.0.2.10:5683");
    bj_sim_socket *b = connected(f, "192.0.2.11:5683");
    for (int i = 0; i < 100; i++) {
        uint64_t random = bj_sim_random(f->sim);
        bj_sim_send(random & 1 ? a : b, NULL, (const uint8_t *) &random, sizeof random);
        wait_for(f, a, POLLIN, bj_sim_now(f->sim) + random % 20000);
        bj_sim_receive(a, f->bytes, sizeof f->bytes, false, NULL);
        bj_sim_receive(b, f->bytes, sizeof f->bytes, false, NULL);
    }
    return f;
}

static bool same_events(const fixture *a, const fixture *b) {
    size_t at_a = 0, at_b = 0;
    bj_event x, y;
    static char text_a[8192], text_b[8192];
    for (;;) {
        bool more = bj_log_next(a->log, &at_a, &x);
        if (more != bj_log_next(b->log, &at_b, &y) || !more) {
            return !more;
        }
        bj_text json_a = bj_text_over(text_a, sizeof text_a), json_b = bj_text_over(text_b, sizeof text_b);
        bj_event_json(&json_a, &x, NULL);
        bj_event_json(&json_b, &y, NULL);
        if (strcmp(text_a, text_b) != 0) {
            return false;
        }
    }
}

static void the_same_seed_gives_the_same_bytes(void **state) {
    (void) state;
    fixture *first = play(42);
    fixture *second = play(42);
    fixture *other = play(43);
    assert_true(bj_log_last(first->log) > 200);
    assert_true(same_events(first, second));
    assert_false(same_events(first, other));
    assert_memory_equal(first->log_memory, second->log_memory, 65536);
    fixture_free(first);
    fixture_free(second);
    fixture_free(other);
}

static void the_clients_numbers_do_not_move_the_worlds(void **state) {
    (void) state;
    fixture *a = fixture_new(1, 0);
    fixture *b = fixture_new(1, 0);
    bj_sim_random(b->sim);
    assert_int_equal(a->ops->random(a->world), b->ops->random(b->world));
    assert_int_not_equal(bj_sim_random(a->sim), bj_sim_random(b->sim));
    assert_int_not_equal(a->ops->random(a->world), bj_sim_random(a->sim));
    fixture_free(a);
    fixture_free(b);
}

/* --- the guards ----------------------------------------------------------------------------------------------- */

static void assert_stuck(fixture *f, const char *how, int64_t until) {
    bj_event event;
    assert_true(find_event(f, BJ_EV_WAIT, 0, &event));
    assert_text(&event, how);
    assert_int_equal(event.number, until);
    assert_true(bj_sim_over(f->sim));
    assert_int_equal(let_pass(f, 1), BJ_SIM_OVER);
    assert_int_equal(bj_sim_polled(f->sim), BJ_SIM_OVER);
    assert_int_equal(bj_sim_glanced(f->sim), BJ_SIM_OVER);
}

static void who_blocks_for_ever_is_found_out(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 100 * BJ_SECOND);
    bj_sim_socket *s = connected(f, "192.0.2.10:5683");
    let_pass(f, BJ_SECOND);
    assert_int_equal(wait_for(f, s, POLLIN, BJ_NEVER), BJ_SIM_OVER);
    assert_int_equal(bj_sim_now(f->sim), BJ_SECOND);
    assert_stuck(f, "blocks for ever", -1);
    fixture_free(f);
}

static void who_waits_for_the_timer_is_not_stuck(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 100 * BJ_SECOND);
    bj_sim_socket *s = connected(f, "192.0.2.10:5683");
    f->ops->set_timer(f->world, 50 * BJ_SECOND);
    assert_int_equal(wait_for(f, s, POLLIN, BJ_NEVER), BJ_SIM_OVER);
    assert_int_equal(f->ticks, 1);
    assert_int_equal(bj_sim_now(f->sim), 50 * BJ_SECOND);
    fixture_free(f);
}

static void the_budget_ends_a_run(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 100 * BJ_SECOND);
    assert_int_equal(let_pass(f, 100 * BJ_SECOND), BJ_SIM_DEADLINE);
    assert_int_equal(let_pass(f, 1), BJ_SIM_OVER);
    assert_int_equal(bj_sim_now(f->sim), 100 * BJ_SECOND);
    assert_stuck(f, "needs more than the 1m40s of virtual time", 100000001);
    fixture_free(f);
}

static void an_event_beyond_the_budget_ends_a_run(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 100 * BJ_SECOND);
    f->ops->set_timer(f->world, 101 * BJ_SECOND);
    bj_sim_socket *s = connected(f, "192.0.2.10:5683");
    assert_int_equal(wait_for(f, s, POLLIN, BJ_NEVER), BJ_SIM_OVER);
    assert_stuck(f, "virtual time", -1);
    fixture_free(f);
}

static void a_poll_costs_the_quantum(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    fixture_open(f, BS, BJ_UDP, "192.0.2.10:5683");
    f->echo = true;
    bj_sim_socket *s = connected(f, "192.0.2.10:5683");
    say(s, "x");
    int polls = 0;
    while (bj_sim_pending(s) == 0) {
        assert_int_not_equal(bj_sim_polled(f->sim), BJ_SIM_OVER);
        polls++;
    }
    assert_in_range(polls, 200, 201);
    assert_int_equal(bj_sim_now(f->sim), polls * 10);
    fixture_free(f);
}

static void a_thousand_glances_are_free(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    for (int i = 0; i < 1000; i++) {
        bj_sim_glanced(f->sim);
    }
    assert_int_equal(bj_sim_now(f->sim), 0);
    for (int i = 0; i < 100; i++) {
        bj_sim_glanced(f->sim);
    }
    assert_int_equal(bj_sim_now(f->sim), 1000);
    let_pass(f, BJ_SECOND);
    for (int i = 0; i < 1000; i++) {
        bj_sim_glanced(f->sim);
    }
    assert_int_equal(bj_sim_now(f->sim), BJ_SECOND + 1000);
    fixture_free(f);
}

static int polls_until_over(bj_sim_wait (*poll_once)(bj_sim *sim)) {
    fixture *f = fixture_new(1, 0);
    int calls = 0;
    while (poll_once(f->sim) != BJ_SIM_OVER) {
        calls++;
        assert_true(calls < 1000000);
    }
    assert_true(bj_sim_spun(f->sim));
    assert_stuck(f, "spins: 200000 calls", -1);
    fixture_free(f);
    return calls;
}

static bool always(void *context) {
    (void) context;
    return true;
}

static bj_sim_wait wait_for_what_is_ready(bj_sim *sim) {
    return bj_sim_wait_until(sim, always, NULL, BJ_NEVER);
}

static bj_sim_wait wait_for_the_past(bj_sim *sim) {
    return bj_sim_wait_until(sim, NULL, NULL, 0);
}

static void who_spins_is_found_out(void **state) {
    (void) state;
    assert_int_equal(polls_until_over(bj_sim_polled), 200000);
    assert_int_equal(polls_until_over(bj_sim_glanced), 200000);
    assert_int_equal(polls_until_over(wait_for_what_is_ready), 200000);
    assert_in_range(polls_until_over(wait_for_the_past), 200000, 300000);
}

static void who_sends_without_end_is_found_out(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    bj_sim_socket *receiver = bj_sim_socket_new(f->sim, 4, false);
    bj_addr self = at("127.0.0.1:7");
    assert_int_equal(bj_sim_bind(receiver, &self), 0);
    bj_sim_socket *s = connected(f, "127.0.0.1:7");
    int sent = 0;
    while (!bj_sim_over(f->sim)) {
        say(s, "x");
        bj_sim_receive(receiver, f->bytes, 1, false, NULL);
        sent++;
    }
    assert_int_equal(sent, 100001);
    assert_stuck(f, "sends or receives without end", -1);
    fixture_free(f);
}

static void a_busy_client_that_gets_on_is_left_alone(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    fixture_open(f, BS, BJ_UDP, "192.0.2.10:5683");
    f->echo = true;
    bj_sim_socket *s = connected(f, "192.0.2.10:5683");
    for (int i = 0; i < 300; i++) {
        say(s, "x");
        for (int k = 0; k < 1000; k++) {
            assert_int_equal(bj_sim_polled(f->sim), BJ_SIM_DEADLINE);
        }
        assert_hears(s, "x");
    }
    fixture_free(f);
}

/* --- signals, and the end ------------------------------------------------------------------------------------- */

typedef struct signalled {
    fixture *f;
    int count;
    int number;
} signalled;

static void on_signal(void *context, int number) {
    signalled *s = context;
    s->count++;
    s->number = number;
}

static void send_sigterm(void *context) {
    fixture *f = context;
    f->ticks++;
    assert_int_equal(f->ops->client_signal(f->world, 15), 0);
}

static void a_signal_ends_a_wait(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    signalled seen = { .f = f };
    bj_sim_attach(f->sim, on_signal, &seen);
    f->peer.tick = send_sigterm;
    bj_sim_set_peer(f->sim, &f->peer);
    f->ops->set_timer(f->world, 5 * BJ_SECOND);
    bj_sim_socket *s = connected(f, "192.0.2.10:5683");
    assert_int_equal(wait_for(f, s, POLLIN, 60 * BJ_SECOND), BJ_SIM_SIGNAL);
    assert_int_equal(bj_sim_now(f->sim), 5 * BJ_SECOND);
    assert_int_equal(seen.number, 15);
    assert_int_equal(wait_for(f, s, POLLIN, 60 * BJ_SECOND), BJ_SIM_DEADLINE);
    /* One that is pending already ends the next wait at once. */
    assert_int_equal(f->ops->client_signal(f->world, 10), 0);
    assert_int_equal(f->ops->client_signal(f->world, 0), -EINVAL);
    assert_int_equal(wait_for(f, s, POLLIN, 90 * BJ_SECOND), BJ_SIM_SIGNAL);
    assert_int_equal(seen.count, 2);
    bj_event event;
    assert_true(find_event(f, BJ_EV_CLIENT_SIGNAL, 0, &event));
    assert_int_equal(event.number, 15);
    fixture_free(f);
}

static bj_time wake_seen;

static void look_at_wake(void *context) {
    fixture *f = context;
    wake_seen = f->ops->client_wake(f->world);
}

static void the_engine_sees_how_long_the_client_waits(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    f->peer.tick = look_at_wake;
    bj_sim_set_peer(f->sim, &f->peer);
    assert_int_equal(f->ops->client_wake(f->world), 0);
    f->ops->set_timer(f->world, BJ_SECOND);
    let_pass(f, 7 * BJ_SECOND);
    assert_int_equal(wake_seen, 7 * BJ_SECOND);
    f->ops->set_timer(f->world, 8 * BJ_SECOND);
    bj_sim_socket *s = connected(f, "192.0.2.10:5683");
    wait_for(f, s, POLLIN, BJ_NEVER);
    assert_int_equal(wake_seen, BJ_NEVER);
    fixture_free(f);
}

static void finish_in_tick(void *context) {
    fixture *f = context;
    f->ops->finish(f->world);
}

static void nothing_happens_after_the_end(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    fixture_open(f, BS, BJ_UDP, "192.0.2.10:5683");
    f->peer.tick = finish_in_tick;
    bj_sim_set_peer(f->sim, &f->peer);
    f->ops->set_timer(f->world, BJ_SECOND);
    assert_int_equal(let_pass(f, 2 * BJ_SECOND), BJ_SIM_OVER);
    assert_int_equal(bj_sim_now(f->sim), BJ_SECOND);
    bj_sim_socket *s = connected(f, "192.0.2.10:5683");
    uint32_t last = bj_log_last(f->log);
    assert_int_equal(say(s, "x"), 1);
    assert_int_equal(bj_log_last(f->log), last);
    assert_int_equal(let_pass(f, BJ_SECOND), BJ_SIM_OVER);
    assert_int_equal(f->datagrams, 0);
    bj_sim_socket_close(s);
    fixture_free(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wait_ends_at_its_deadline),
        cmocka_unit_test(the_timer_ticks_once_when_it_is_due),
        cmocka_unit_test(the_seed_breaks_ties),
        cmocka_unit_test(the_seed_says_whether_a_deadline_or_an_event_is_first),
        cmocka_unit_test(the_same_seed_gives_the_same_bytes),
        cmocka_unit_test(the_clients_numbers_do_not_move_the_worlds),
        cmocka_unit_test(who_blocks_for_ever_is_found_out),
        cmocka_unit_test(who_waits_for_the_timer_is_not_stuck),
        cmocka_unit_test(the_budget_ends_a_run),
        cmocka_unit_test(an_event_beyond_the_budget_ends_a_run),
        cmocka_unit_test(a_poll_costs_the_quantum),
        cmocka_unit_test(a_thousand_glances_are_free),
        cmocka_unit_test(who_spins_is_found_out),
        cmocka_unit_test(who_sends_without_end_is_found_out),
        cmocka_unit_test(a_busy_client_that_gets_on_is_left_alone),
        cmocka_unit_test(a_signal_ends_a_wait),
        cmocka_unit_test(the_engine_sees_how_long_the_client_waits),
        cmocka_unit_test(nothing_happens_after_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
