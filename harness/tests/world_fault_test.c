/* SPDX-License-Identifier: Apache-2.0
 *
 * What can happen to a datagram on its way: faults that strike chosen ones, and the conditions of a link.
 */
#define _GNU_SOURCE
#include "world_fixture.h"

/* A client that sent ten numbered datagrams to a server that counts them. */
static fixture *with_fault(const bj_fault *fault, bj_sim_socket **socket) {
    fixture *f = fixture_new(7, 0);
    fixture_open(f, BS, BJ_UDP, "192.0.2.10:5683");
    fixture_open(f, MGMT, BJ_UDP, "192.0.2.11:5683");
    f->ops->add_fault(f->world, fault);
    *socket = connected(f, "192.0.2.10:5683");
    return f;
}

static void send_numbers(fixture *f, bj_sim_socket *s, int count) {
    for (int i = 0; i < count; i++) {
        char number = (char) ('0' + i);
        assert_int_equal(bj_sim_send(s, NULL, (const uint8_t *) &number, 1), 1);
    }
    let_pass(f, BJ_SECOND);
}

/* The first bytes of what the server received, in its order. */
static void assert_received(const fixture *f, const char *expected) {
    char seen[64] = "";
    bj_event event;
    for (int i = 0; i < 63 && find_event(f, BJ_EV_RECEIVED, i, &event); i++) {
        seen[i] = event.raw_length ? (char) event.raw[0] : '-';
    }
    assert_string_equal(seen, expected);
}

static void drops_those_that_are_meant(void **state) {
    (void) state;
    bj_fault fault = { .kind = BJ_FAULT_DROP, .from = BJ_ACTOR_CLIENT, .to = BS, .skip = 2, .count = 3 };
    fault.position = (bj_position){ 12, 5 };
    bj_sim_socket *s;
    fixture *f = with_fault(&fault, &s);
    send_numbers(f, s, 8);
    assert_received(f, "01567");
    bj_event on, struck, lost, sent;
    assert_true(find_event(f, BJ_EV_FAULT, 0, &on));
    assert_text(&on, "on: drop, from client to bs.example, after 2, 3 times");
    assert_true(find_event(f, BJ_EV_FAULT, 1, &struck));
    assert_text(&struck, "struck: drop");
    assert_int_equal(struck.position.line, 12);
    assert_true(find_event(f, BJ_EV_SENT, 2, &sent));
    assert_int_equal(struck.cause, sent.sequence);
    assert_true(find_event(f, BJ_EV_LOST, 0, &lost));
    assert_text(&lost, "dropped by a fault");
    assert_int_equal(lost.cause, sent.sequence);
    assert_int_equal(count_events(f, BJ_EV_FAULT), 4);
    fixture_free(f);
}

static void leaves_others_alone_and_can_be_switched_off(void **state) {
    (void) state;
    bj_fault fault = { .kind = BJ_FAULT_DROP, .from = BS, .to = BJ_ACTOR_CLIENT, .count = UINT32_MAX };
    bj_sim_socket *s;
    fixture *f = with_fault(&fault, &s);
    f->echo = true;
    send_numbers(f, s, 3);
    assert_int_equal(f->datagrams, 3);
    assert_int_equal(bj_sim_pending(s), 0);
    f->ops->clear_faults(f->world);
    f->ops->clear_faults(f->world);
    send_numbers(f, s, 1);
    assert_int_equal(bj_sim_pending(s), 1);
    bj_event off;
    assert_true(find_event(f, BJ_EV_FAULT, 4, &off));
    assert_text(&off, "all off");
    assert_int_equal(count_events(f, BJ_EV_FAULT), 5);
    fixture_free(f);
}

static void one_after_the_other_in_a_row(void **state) {
    (void) state;
    bj_fault fault = { .kind = BJ_FAULT_DROP, .count = 1 };
    bj_sim_socket *s;
    fixture *f = with_fault(&fault, &s);
    f->ops->add_fault(f->world, &fault);
    send_numbers(f, s, 4);
    assert_received(f, "23");
    /* Both are spent and forgotten. */
    f->ops->add_fault(f->world, &fault);
    send_numbers(f, s, 2);
    assert_received(f, "231");
    fixture_free(f);
}

static void a_delayed_one_is_overtaken(void **state) {
    (void) state;
    bj_fault fault = { .kind = BJ_FAULT_DELAY, .count = 1, .amount = 100 * BJ_MS };
    bj_sim_socket *s;
    fixture *f = with_fault(&fault, &s);
    send_numbers(f, s, 3);
    assert_received(f, "120");
    bj_event event;
    assert_true(find_event(f, BJ_EV_RECEIVED, 2, &event));
    assert_int_equal(event.time, 101 * BJ_MS);
    fixture_free(f);
}

static void a_duplicate_comes_later(void **state) {
    (void) state;
    bj_fault fault = { .kind = BJ_FAULT_DUPLICATE, .skip = 1, .count = 1, .amount = 50 * BJ_MS };
    bj_sim_socket *s;
    fixture *f = with_fault(&fault, &s);
    send_numbers(f, s, 3);
    assert_received(f, "0121");
    bj_event sent, again;
    assert_true(find_event(f, BJ_EV_SENT, 1, &sent));
    assert_true(find_event(f, BJ_EV_RECEIVED, 3, &again));
    assert_int_equal(again.cause, sent.sequence);
    assert_int_equal(again.time, 51 * BJ_MS);
    fixture_free(f);
}

static void truncates(void **state) {
    (void) state;
    bj_fault fault = { .kind = BJ_FAULT_TRUNCATE, .count = UINT32_MAX, .amount = 3 };
    bj_sim_socket *s;
    fixture *f = with_fault(&fault, &s);
    say(s, "abcdef");
    let_pass(f, BJ_SECOND);
    assert_int_equal(f->length, 3);
    assert_memory_equal(f->bytes, "abc", 3);
    say(s, "ab");
    let_pass(f, BJ_SECOND);
    assert_int_equal(f->length, 2);
    fixture_free(f);
}

static void corrupts_the_byte_that_is_named(void **state) {
    (void) state;
    bj_fault fault = { .kind = BJ_FAULT_CORRUPT, .count = UINT32_MAX, .amount = 1 };
    bj_sim_socket *s;
    fixture *f = with_fault(&fault, &s);
    say(s, "abc");
    let_pass(f, BJ_SECOND);
    assert_memory_equal(f->bytes,
                        "a\x9d"
                        "c",
                        3);
    say(s, "a");
    say(s, "");
    let_pass(f, BJ_SECOND);
    assert_int_equal(f->datagrams, 3);
    bj_event sent;
    assert_true(find_event(f, BJ_EV_SENT, 0, &sent));
    assert_memory_equal(sent.raw, "abc", 3);
    fixture_free(f);
}

static void corrupts_a_byte_that_the_seed_chooses(void **state) {
    (void) state;
    bj_fault fault = { .kind = BJ_FAULT_CORRUPT, .count = UINT32_MAX, .amount = BJ_NEVER };
    bj_sim_socket *s;
    fixture *f = with_fault(&fault, &s);
    for (int i = 0; i < 20; i++) {
        say(s, "abcdefgh");
        let_pass(f, BJ_SECOND);
        int different = 0;
        for (int k = 0; k < 8; k++) {
            different += f->bytes[k] != (uint8_t) "abcdefgh"[k];
        }
        assert_int_equal(different, 1);
    }
    fixture_free(f);
}

/* --- links ---------------------------------------------------------------------------------------------------- */

static fixture *with_link(uint64_t seed, const bj_link *link, bj_sim_socket **socket) {
    fixture *f = fixture_new(seed, 0);
    fixture_open(f, BS, BJ_UDP, "192.0.2.10:5683");
    fixture_open(f, MGMT, BJ_UDP, "192.0.2.11:5683");
    f->ops->set_link(f->world, BS, link);
    *socket = connected(f, "192.0.2.10:5683");
    return f;
}

static void a_link_has_its_latency(void **state) {
    (void) state;
    bj_link link = { .latency = 300 * BJ_MS };
    bj_sim_socket *s;
    fixture *f = with_link(1, &link, &s);
    f->echo = true;
    bj_sim_socket *other = connected(f, "192.0.2.11:5683");
    say(s, "far");
    say(other, "near");
    assert_int_equal(wait_for(f, other, POLLIN, BJ_NEVER), BJ_SIM_READY);
    assert_int_equal(bj_sim_now(f->sim), 2 * BJ_MS);
    assert_int_equal(wait_for(f, s, POLLIN, BJ_NEVER), BJ_SIM_READY);
    assert_int_equal(bj_sim_now(f->sim), 600 * BJ_MS);
    bj_event set;
    assert_true(find_event(f, BJ_EV_FAULT, 0, &set));
    assert_text(&set, "link of bs.example: latency 300ms");
    fixture_free(f);
}

static void all_links_at_once_and_those_to_come(void **state) {
    (void) state;
    bj_link link = { .latency = 20 * BJ_MS };
    fixture *f = fixture_new(1, 0);
    f->ops->set_link(f->world, BJ_ACTOR_WORLD, &link);
    bj_addr third = at("192.0.2.12");
    f->ops->declare(f->world, MGMT + 1, "third.example", &third, 1);
    fixture_open(f, MGMT + 1, BJ_UDP, "192.0.2.12:5683");
    fixture_open(f, MGMT, BJ_UDP, "192.0.2.11:5683");
    say(connected(f, "192.0.2.12:5683"), "x");
    say(connected(f, "192.0.2.11:5683"), "x");
    let_pass(f, 20 * BJ_MS - 1);
    assert_int_equal(f->datagrams, 0);
    let_pass(f, 2);
    assert_int_equal(f->datagrams, 2);
    fixture_free(f);
}

static void a_link_loses_its_share(void **state) {
    (void) state;
    bj_link link = { .latency = BJ_MS, .loss = 250000 };
    bj_sim_socket *s;
    fixture *f = with_link(1, &link, &s);
    for (int i = 0; i < 2000; i++) {
        say(s, "x");
    }
    let_pass(f, BJ_SECOND);
    assert_in_range(f->datagrams, 1400, 1600);
    assert_int_equal(count_events(f, BJ_EV_LOST), 2000 - f->datagrams);
    link.loss = 1000000;
    f->ops->set_link(f->world, BS, &link);
    f->datagrams = 0;
    say(s, "x");
    let_pass(f, BJ_SECOND);
    assert_int_equal(f->datagrams, 0);
    fixture_free(f);
}

static void a_link_duplicates_its_share(void **state) {
    (void) state;
    bj_link link = { .latency = BJ_MS, .duplicate = 500000 };
    bj_sim_socket *s;
    fixture *f = with_link(1, &link, &s);
    for (int i = 0; i < 1000; i++) {
        say(s, "x");
    }
    let_pass(f, BJ_SECOND);
    assert_in_range(f->datagrams, 1400, 1600);
    fixture_free(f);
}

static void a_link_reorders_some(void **state) {
    (void) state;
    bj_link link = { .latency = 100 * BJ_MS, .reorder = 300000 };
    bj_sim_socket *s;
    fixture *f = with_link(3, &link, &s);
    int inversions = 0;
    for (int i = 0; i < 50; i++) {
        char number = (char) i;
        bj_sim_send(s, NULL, (const uint8_t *) &number, 1);
        let_pass(f, BJ_MS);
    }
    let_pass(f, BJ_SECOND);
    bj_event before, after;
    for (int i = 1; find_event(f, BJ_EV_RECEIVED, i, &after); i++) {
        find_event(f, BJ_EV_RECEIVED, i - 1, &before);
        find_event(f, BJ_EV_RECEIVED, i, &after);
        inversions += after.raw[0] < before.raw[0];
    }
    assert_int_equal(f->datagrams, 50);
    assert_in_range(inversions, 3, 30);
    fixture_free(f);
}

static void what_is_larger_than_the_mtu_is_lost(void **state) {
    (void) state;
    bj_link link = { .latency = BJ_MS, .mtu = 4 };
    bj_sim_socket *s;
    fixture *f = with_link(1, &link, &s);
    say(s, "1234");
    assert_int_equal(say(s, "12345"), 5);
    let_pass(f, BJ_SECOND);
    assert_int_equal(f->datagrams, 1);
    bj_event lost;
    assert_true(find_event(f, BJ_EV_LOST, 0, &lost));
    assert_text(&lost, "larger than the MTU");
    fixture_free(f);
}

static void an_endless_delay_never_arrives(void **state) {
    (void) state;
    bj_fault fault = { .kind = BJ_FAULT_DELAY, .count = 1, .amount = BJ_NEVER };
    bj_sim_socket *s;
    fixture *f = with_fault(&fault, &s);
    say(s, "x");
    assert_int_equal(bj_sim_next_event(f->sim), BJ_NEVER);
    assert_int_equal(wait_for(f, s, POLLIN, BJ_NEVER), BJ_SIM_OVER);
    bj_event lost;
    assert_true(find_event(f, BJ_EV_LOST, 0, &lost));
    assert_text(&lost, "delayed for ever");
    fixture_free(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drops_those_that_are_meant),
        cmocka_unit_test(leaves_others_alone_and_can_be_switched_off),
        cmocka_unit_test(one_after_the_other_in_a_row),
        cmocka_unit_test(a_delayed_one_is_overtaken),
        cmocka_unit_test(a_duplicate_comes_later),
        cmocka_unit_test(truncates),
        cmocka_unit_test(corrupts_the_byte_that_is_named),
        cmocka_unit_test(corrupts_a_byte_that_the_seed_chooses),
        cmocka_unit_test(a_link_has_its_latency),
        cmocka_unit_test(all_links_at_once_and_those_to_come),
        cmocka_unit_test(a_link_loses_its_share),
        cmocka_unit_test(a_link_duplicates_its_share),
        cmocka_unit_test(a_link_reorders_some),
        cmocka_unit_test(what_is_larger_than_the_mtu_is_lost),
        cmocka_unit_test(an_endless_delay_never_arrives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
