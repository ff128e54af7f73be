/* SPDX-License-Identifier: Apache-2.0
 *
 * What the simulated world tells an engine, and when. The functions of script/engine.h are played by this file.
 */
#define _GNU_SOURCE
#include "world_fixture.h"

#include <stdio.h>

struct bj_engine {
    fixture *f;
    int ticks;
    int icmps;
    bj_addr refused;
    int names;
    char name[64];
    bool failed;
    int stuck;
    int cuts;
    char how[128];
    uint32_t event;
    bool finish_on_name;
    bool answer_on_tick;
};

void bj_engine_datagram(bj_engine *engine, int endpoint, const bj_addr *from, const uint8_t *data, size_t length,
                        uint32_t event) {
    engine->event = event;
    fixture_datagram(engine->f, endpoint, from, data, length, event);
}

void bj_engine_stream_opened(bj_engine *engine, int endpoint, int connection, const bj_addr *from, uint32_t event) {
    fixture_opened(engine->f, endpoint, connection, from, event);
}

void bj_engine_stream_data(bj_engine *engine, int connection, const uint8_t *data, size_t length, uint32_t event) {
    fixture_data(engine->f, connection, data, length, event);
    engine->f->ops->stream_close(engine->f->world, connection, true);
}

void bj_engine_stream_closed(bj_engine *engine, int connection, bool reset, uint32_t event) {
    fixture_closed(engine->f, connection, reset, event);
}

void bj_engine_dns_answered(bj_engine *engine, const char *name, bool failed, uint32_t event) {
    engine->names++;
    snprintf(engine->name, sizeof engine->name, "%s", name);
    engine->failed = failed;
    engine->event = event;
    if (engine->finish_on_name) {
        engine->f->ops->finish(engine->f->world);
    }
}

void bj_engine_icmp(bj_engine *engine, const bj_addr *to, uint32_t event) {
    engine->icmps++;
    engine->refused = *to;
    engine->event = event;
}

void bj_engine_power_cut(bj_engine *engine, uint32_t event) {
    engine->cuts++;
    engine->event = event;
    engine->f->ops->client_start(engine->f->world);
}

void bj_engine_tick(bj_engine *engine) {
    engine->ticks++;
}

bool bj_engine_is_healing(const bj_engine *engine) {
    (void) engine;
    return false;
}

void bj_engine_client_stuck(bj_engine *engine, const char *how, bool waits, uint32_t event) {
    (void) waits;
    engine->stuck++;
    snprintf(engine->how, sizeof engine->how, "%s", how);
    engine->event = event;
    engine->f->ops->finish(engine->f->world);
}

static fixture *with_engine(bj_engine *engine, bj_time budget) {
    fixture *f = fixture_new(1, budget);
    *engine = (bj_engine){ .f = f };
    bj_sim_set_engine(f->sim, engine);
    return f;
}

static void hears_of_datagrams_and_ticks(void **state) {
    (void) state;
    bj_engine engine;
    fixture *f = with_engine(&engine, 0);
    fixture_open(f, BS, BJ_UDP, "192.0.2.10:5683");
    f->echo = true;
    bj_sim_socket *s = connected(f, "192.0.2.10:5683");
    f->ops->set_timer(f->world, 5 * BJ_SECOND);
    say(s, "x");
    wait_for(f, s, POLLIN, BJ_NEVER);
    bj_event received;
    assert_true(find_event(f, BJ_EV_RECEIVED, 0, &received));
    assert_int_equal(engine.event, received.sequence);
    let_pass(f, 10 * BJ_SECOND);
    assert_int_equal(engine.ticks, 1);
    fixture_free(f);
}

static void hears_when_the_client_learns_of_a_closed_port(void **state) {
    (void) state;
    bj_engine engine;
    fixture *f = with_engine(&engine, 0);
    bj_addr closed = at("192.0.2.10:5683");
    bj_sim_socket *deaf = bj_sim_socket_new(f->sim, 4, false);
    bj_sim_send(deaf, &closed, (const uint8_t *) "x", 1);
    let_pass(f, BJ_SECOND);
    assert_int_equal(count_events(f, BJ_EV_ICMP), 1);
    assert_int_equal(engine.icmps, 0);
    say(connected(f, "192.0.2.10:5683"), "x");
    let_pass(f, BJ_SECOND);
    assert_int_equal(engine.icmps, 1);
    assert_true(bj_addr_equal(&engine.refused, &closed));
    bj_event icmp;
    assert_true(find_event(f, BJ_EV_ICMP, 1, &icmp));
    assert_int_equal(engine.event, icmp.sequence);
    fixture_free(f);
}

static void hears_of_names(void **state) {
    (void) state;
    bj_engine engine;
    fixture *f = with_engine(&engine, 0);
    bj_addr found[4];
    bj_sim_resolve(f->sim, "bs.example", 4, found, 4);
    assert_string_equal(engine.name, "bs.example");
    assert_false(engine.failed);
    bj_sim_resolve(f->sim, "bs.example", 6, found, 4);
    assert_true(engine.failed);
    bj_sim_resolve(f->sim, "localhost", 6, found, 4);
    assert_int_equal(engine.names, 2);
    engine.finish_on_name = true;
    assert_int_equal(bj_sim_resolve(f->sim, "bs.example", 4, found, 4), BJ_SIM_RESOLVE_OVER);
    assert_true(bj_sim_over(f->sim));
    fixture_free(f);
}

static void may_end_a_connection_while_it_hears_of_it(void **state) {
    (void) state;
    bj_engine engine;
    fixture *f = with_engine(&engine, 0);
    fixture_open(f, BS, BJ_TCP, "192.0.2.10:5683");
    bj_addr peer = at("192.0.2.10:5683");
    bj_sim_socket *s = bj_sim_socket_new(f->sim, 4, true);
    bj_sim_connect(s, &peer);
    wait_for(f, s, POLLOUT, BJ_NEVER);
    say(s, "x");
    assert_int_equal(wait_for(f, s, POLLIN, BJ_NEVER), BJ_SIM_READY);
    assert_int_equal(bj_sim_take_error(s), ECONNRESET);
    bj_event received, closed;
    assert_true(find_event(f, BJ_EV_STREAM_RECEIVED, 0, &received));
    assert_true(find_event(f, BJ_EV_STREAM_CLOSED, 0, &closed));
    assert_int_equal(closed.cause, received.sequence);
    assert_false(f->closed);
    bj_sim_socket_close(s);
    fixture_free(f);
}

static void assert_told(const bj_engine *engine, const char *how) {
    bj_event wait;
    assert_int_equal(engine->stuck, 1);
    assert_non_null(strstr(engine->how, how));
    assert_true(find_event(engine->f, BJ_EV_WAIT, 0, &wait));
    assert_int_equal(engine->event, wait.sequence);
}

static void hears_of_a_client_that_is_stuck(void **state) {
    (void) state;
    bj_engine engine;
    fixture *f = with_engine(&engine, 0);
    assert_int_equal(bj_sim_wait_until(f->sim, NULL, NULL, BJ_NEVER), BJ_SIM_OVER);
    assert_told(&engine, "blocks for ever");
    assert_int_equal(bj_sim_wait_until(f->sim, NULL, NULL, BJ_NEVER), BJ_SIM_OVER);
    assert_int_equal(engine.stuck, 1);
    fixture_free(f);

    f = with_engine(&engine, 60 * BJ_SECOND);
    assert_int_equal(let_pass(f, 61 * BJ_SECOND), BJ_SIM_OVER);
    assert_told(&engine, "needs more than the 1m of virtual time");
    fixture_free(f);

    f = with_engine(&engine, 0);
    while (bj_sim_polled(f->sim) != BJ_SIM_OVER) {
    }
    assert_told(&engine, "spins");
    fixture_free(f);
}

static void hears_of_a_power_cut_at_an_operation(void **state) {
    (void) state;
    bj_engine engine;
    fixture *f = with_engine(&engine, 0);
    bj_event event;
    bj_sim_cut_at(f->sim, 2, 0);
    assert_int_equal(bj_disk_mkdir(bj_sim_disk(f->sim), "a", 0700, 1), 0);
    bj_sim_disk_used(f->sim);
    assert_int_equal(engine.cuts, 0);
    assert_int_equal(bj_disk_mkdir(bj_sim_disk(f->sim), "b", 0700, 1), 0);
    bj_sim_disk_used(f->sim);
    assert_int_equal(engine.cuts, 1);
    assert_true(find_event(f, BJ_EV_POWER_CUT, 0, &event));
    assert_int_equal(engine.event, event.sequence);
    assert_true(bj_sim_without_client(f->sim)); /* it started the client when it heard */
    fixture_free(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hears_of_datagrams_and_ticks),
        cmocka_unit_test(hears_when_the_client_learns_of_a_closed_port),
        cmocka_unit_test(hears_of_names),
        cmocka_unit_test(may_end_a_connection_while_it_hears_of_it),
        cmocka_unit_test(hears_of_a_client_that_is_stuck),
        cmocka_unit_test(hears_of_a_power_cut_at_an_operation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
