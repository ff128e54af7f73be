/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's life in the simulated world: its power goes, its host is silent, it starts again.
 */
#define _GNU_SOURCE
#include "world_fixture.h"

#include <fcntl.h>

static void start_on_tick(void *context) {
    fixture *f = context;
    assert_int_equal(f->ops->client_start(f->world), 0);
}

/* A world with one UDP and one TCP server, in which each tick starts the client. */
static fixture *new_life(void) {
    fixture *f = fixture_new(7, 86400 * BJ_SECOND);
    f->peer.tick = start_on_tick;
    bj_sim_set_peer(f->sim, &f->peer);
    fixture_open(f, BS, BJ_UDP, "192.0.2.10:5683");
    fixture_open(f, BS, BJ_TCP, "192.0.2.10:5683");
    return f;
}

static uint32_t cut(fixture *f, bj_keeps keeps) {
    bj_power_cut wish = { .keeps = keeps, .outcome = -1 };
    int64_t event = f->ops->power_cut(f->world, &wish);
    assert_true(event > 0);
    assert_true(bj_sim_over(f->sim) && bj_sim_was_cut(f->sim));
    return (uint32_t) event;
}

/* Off for so long. */
static void stay_off(fixture *f, bj_time duration) {
    f->ops->set_timer(f->world, bj_sim_now(f->sim) + duration);
    assert_true(bj_sim_without_client(f->sim));
    assert_false(bj_sim_over(f->sim));
}

/* A file with content that is not synced. */
static void write_file(fixture *f, const char *text) {
    bj_disk_node *node;
    assert_int_equal(bj_disk_open(bj_sim_disk(f->sim), "f", O_WRONLY | O_CREAT, 0600, 1, &node), 0);
    bj_sim_disk_used(f->sim);
    int64_t expected = bj_sim_over(f->sim) ? -EIO : (int64_t) strlen(text); /* without power nothing is written */
    assert_int_equal(bj_disk_write(bj_sim_disk(f->sim), node, 0, text, strlen(text), 1), expected);
    bj_sim_disk_used(f->sim);
    if (!bj_sim_over(f->sim)) {
        bj_disk_close(bj_sim_disk(f->sim), node);
    }
}

static void a_client_without_power(void **state) {
    (void) state;
    fixture *f = new_life();
    bj_sim_socket *s = connected(f, "192.0.2.10:5683");
    say(s, "hello");
    assert_int_equal(let_pass(f, 10 * BJ_MS), BJ_SIM_DEADLINE);
    assert_int_equal(f->datagrams, 1);
    cut(f, BJ_KEEPS_ALL);
    assert_int_equal(wait_for(f, s, POLLIN, BJ_NEVER), BJ_SIM_OVER);
    assert_int_equal(bj_sim_polled(f->sim), BJ_SIM_OVER);
    say(s, "is lost"); /* a thread that runs on */
    assert_true(f->ops->send(f->world, f->endpoint, NULL, &f->from, (const uint8_t *) "you?", 4, 0) > 0);
    stay_off(f, BJ_SECOND);
    assert_int_equal(f->datagrams, 1);
    bj_event event;
    assert_true(find_event(f, BJ_EV_LOST, 0, &event));
    assert_text(&event, "the client's power is off");
    assert_int_equal(count_events(f, BJ_EV_ICMP), 0);
    assert_int_equal(bj_sim_now(f->sim), BJ_SECOND + 10 * BJ_MS);
    bj_sim_socket_close(s);
    s = connected(f, "192.0.2.10:5683");
    say(s, "again");
    let_pass(f, 10 * BJ_MS);
    assert_int_equal(f->datagrams, 2);
    fixture_free(f);
}

static bj_sim_socket *connect_stream(fixture *f) {
    bj_addr server = at("192.0.2.10:5683");
    bj_sim_socket *s = bj_sim_socket_new(f->sim, 4, true);
    assert_int_equal(bj_sim_connect(s, &server), -EINPROGRESS);
    assert_int_equal(wait_for(f, s, POLLOUT, BJ_NEVER), BJ_SIM_READY);
    let_pass(f, 10 * BJ_MS);
    return s;
}

static void a_connection_is_gone_without_a_word(void **state) {
    (void) state;
    fixture *f = new_life();
    bj_sim_socket *s = connect_stream(f);
    cut(f, BJ_KEEPS_ALL);
    stay_off(f, 60 * BJ_SECOND);
    assert_false(f->closed); /* nobody told the server */
    bj_sim_socket_close(s);
    let_pass(f, 10 * BJ_MS);
    assert_false(f->closed);
    assert_true(f->ops->stream_send(f->world, f->connection, (const uint8_t *) "x", 1, 0) > 0);
    let_pass(f, 10 * BJ_MS);
    assert_true(f->closed && f->reset); /* a host that knows of no such connection */
    fixture_free(f);
}

static void a_server_whose_client_is_off_gives_up(void **state) {
    (void) state;
    fixture *f = new_life();
    bj_sim_socket *s = connect_stream(f);
    cut(f, BJ_KEEPS_ALL);
    assert_true(f->ops->stream_send(f->world, f->connection, (const uint8_t *) "x", 1, 0) > 0);
    stay_off(f, 900 * BJ_SECOND);
    assert_false(f->closed);
    bj_sim_socket_close(s);
    let_pass(f, 60 * BJ_SECOND);
    assert_true(f->closed);
    fixture_free(f);
}

static void what_the_disk_keeps(void **state) {
    (void) state;
    fixture *f = new_life();
    bj_file_look file;
    write_file(f, "hello");
    bj_event event;
    uint32_t logged = cut(f, BJ_KEEPS_NONE);
    assert_true(bj_log_find(f->log, logged, &event));
    assert_int_equal(event.kind, BJ_EV_POWER_CUT);
    assert_int_equal(event.number, 1);
    assert_int_equal(event.other, 12);
    assert_text(&event, "f: what was not synced is lost; of 1 changes of names the last 1 are lost");
    assert_false(f->ops->look_at_file(f->world, "f", &file));
    stay_off(f, 1);
    write_file(f, "hello");
    cut(f, BJ_KEEPS_ALL);
    assert_true(f->ops->look_at_file(f->world, "f", &file));
    assert_int_equal(file.length, 5);
    assert_memory_equal(file.data, "hello", 5);
    assert_int_equal(file.mode, 0600);
    fixture_free(f);
}

static void at_an_operation(void **state) {
    (void) state;
    fixture *f = new_life();
    bj_power_cut wish = { .outcome = 0, .at_operation = 2 };
    assert_int_equal(f->ops->power_cut(f->world, &wish), 0);
    write_file(f, "hello"); /* creates: 1, writes: 2 */
    assert_true(bj_sim_was_cut(f->sim));
    stay_off(f, 1);
    write_file(f, "hello again"); /* once */
    assert_false(bj_sim_was_cut(f->sim));
    fixture_free(f);
    f = new_life();
    bj_sim_cut_at(f->sim, 1, 1);
    write_file(f, "hello");
    assert_true(bj_sim_was_cut(f->sim));
    fixture_free(f);
}

static void who_is_dead_gets_no_signal(void **state) {
    (void) state;
    fixture *f = new_life();
    bj_power_cut wish = { .outcome = -1 };
    assert_int_equal(f->ops->client_start(f->world), -EALREADY);
    cut(f, BJ_KEEPS_DRAWN);
    assert_int_equal(f->ops->client_signal(f->world, 15), -ESRCH);
    assert_int_equal(f->ops->power_cut(f->world, &wish), -ESRCH);
    stay_off(f, 1);
    assert_int_equal(f->ops->client_signal(f->world, 15), 0);
    bj_sim_client_left(f->sim); /* by itself */
    assert_int_equal(f->ops->power_cut(f->world, &wish), -ESRCH);
    assert_int_equal(f->ops->client_start(f->world), 0);
    assert_true(bj_sim_without_client(f->sim));
    fixture_free(f);
}

static void a_client_that_ended_leaves_its_host(void **state) {
    (void) state;
    fixture *f = new_life();
    bj_sim_socket *s = connected(f, "192.0.2.10:5683");
    say(s, "hello");
    let_pass(f, 10 * BJ_MS);
    bj_sim_socket_close(s);
    bj_sim_client_left(f->sim);
    assert_true(f->ops->send(f->world, f->endpoint, NULL, &f->from, (const uint8_t *) "you?", 4, 0) > 0);
    stay_off(f, BJ_SECOND);
    assert_int_equal(count_events(f, BJ_EV_ICMP), 1);
    fixture_free(f);
}

static void nobody_starts_it(void **state) {
    (void) state;
    fixture *f = new_life();
    f->peer.tick = fixture_tick;
    bj_sim_set_peer(f->sim, &f->peer);
    cut(f, BJ_KEEPS_DRAWN);
    assert_false(bj_sim_without_client(f->sim)); /* nothing is to come */
    fixture_free(f);
}

static void the_disk_is_ordered_to_fail(void **state) {
    (void) state;
    fixture *f = new_life();
    bj_disk_node *node;
    bj_disk_order order = { .error = EIO, .operation = BJ_DISK_OPENS, .count = 1, .space = 4 };
    f->ops->order_disk(f->world, &order);
    assert_int_equal(bj_disk_open(bj_sim_disk(f->sim), "f", O_WRONLY | O_CREAT, 0600, 1, &node), -EIO);
    assert_int_equal(bj_disk_space(bj_sim_disk(f->sim)), 4);
    order = (bj_disk_order){ .error = EROFS, .count = UINT32_MAX };
    f->ops->order_disk(f->world, &order);
    assert_int_equal(bj_disk_mkdir(bj_sim_disk(f->sim), "d", 0700, 1), 0);
    assert_int_equal(bj_disk_unlink(bj_sim_disk(f->sim), "d", 1), -EISDIR);
    assert_int_equal(bj_disk_rmdir(bj_sim_disk(f->sim), "d", 1), -EROFS);
    order = (bj_disk_order){ .error = 0 };
    f->ops->order_disk(f->world, &order);
    write_file(f, "1234");
    fixture_free(f);
}

static void a_file_is_put_there(void **state) {
    (void) state;
    fixture *f = new_life();
    bj_file_look file = { .mode = 0400, .data = (const uint8_t *) "old", .length = 3 };
    f->ops->put_file(f->world, "state", &file);
    assert_int_equal(bj_disk_outcomes(bj_sim_disk(f->sim)), 1);
    assert_int_equal(bj_disk_operations(bj_sim_disk(f->sim)), 0);
    assert_true(f->ops->look_at_file(f->world, "state", &file));
    assert_int_equal(file.mode, 0400);
    assert_int_equal(count_events(f, BJ_EV_DISK), 0);
    fixture_free(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_without_power),
        cmocka_unit_test(a_connection_is_gone_without_a_word),
        cmocka_unit_test(a_server_whose_client_is_off_gives_up),
        cmocka_unit_test(what_the_disk_keeps),
        cmocka_unit_test(at_an_operation),
        cmocka_unit_test(who_is_dead_gets_no_signal),
        cmocka_unit_test(a_client_that_ended_leaves_its_host),
        cmocka_unit_test(nobody_starts_it),
        cmocka_unit_test(the_disk_is_ordered_to_fail),
        cmocka_unit_test(a_file_is_put_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
