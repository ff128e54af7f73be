/* SPDX-License-Identifier: Apache-2.0
 *
 * Names in the simulated world: answers, failures, slowness, changes over time.
 */
#define _GNU_SOURCE
#include "world_fixture.h"

static int resolve(fixture *f, const char *name, int family, bj_addr *addresses) {
    return bj_sim_resolve(f->sim, name, family, addresses, BJ_DNS_ADDRESSES);
}

static bj_dns_answer answer_with(const char *address, uint32_t times) {
    return (bj_dns_answer){ .count = 1, .addresses = { at(address) }, .times = times };
}

static void a_host_has_its_first_ipv4_address(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    bj_addr found[BJ_DNS_ADDRESSES], expected = at("192.0.2.10");
    assert_int_equal(resolve(f, "bs.example", 0, found), 1);
    assert_true(bj_addr_equal(&found[0], &expected));
    assert_int_equal(resolve(f, "BS.Example.", 4, found), 1);
    assert_int_equal(resolve(f, "bs.example", 6, found), -BJ_DNS_NODATA);
    assert_int_equal(resolve(f, "elsewhere.example", 0, found), -BJ_DNS_NXDOMAIN);
    assert_int_equal(bj_sim_now(f->sim), 0);
    bj_event query, answer;
    assert_true(find_event(f, BJ_EV_DNS_QUERY, 0, &query));
    assert_text(&query, "bs.example");
    assert_true(find_event(f, BJ_EV_DNS_ANSWER, 0, &answer));
    assert_text(&answer, "bs.example = 192.0.2.10");
    assert_int_equal(answer.cause, query.sequence);
    assert_true(find_event(f, BJ_EV_DNS_ANSWER, 3, &answer));
    assert_text(&answer, "elsewhere.example: NXDOMAIN");
    fixture_free(f);
}

static void the_zone_is_asked_first(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    bj_dns_answer answer = { .count = 3 };
    answer.addresses[0] = at("[2001:db8::a]:99");
    answer.addresses[1] = at("192.0.2.10");
    answer.addresses[2] = at("192.0.2.77");
    f->ops->set_dns(f->world, "bs.example", &answer, 1);
    bj_addr found[BJ_DNS_ADDRESSES];
    assert_int_equal(resolve(f, "bs.example", 0, found), 3);
    assert_int_equal(found[0].family, 6);
    assert_int_equal(found[0].port, 0);
    assert_int_equal(resolve(f, "bs.example", 4, found), 2);
    assert_int_equal(found[1].ip[3], 77);
    assert_int_equal(bj_sim_resolve(f->sim, "bs.example", 0, found, 1), 1);
    bj_event event;
    assert_true(find_event(f, BJ_EV_DNS_ANSWER, 0, &event));
    assert_text(&event, "bs.example = 2001:db8::a, 192.0.2.10, 192.0.2.77");
    fixture_free(f);
}

static void fails_twice_and_then_resolves(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    bj_dns_answer answers[] = { { .status = BJ_DNS_SERVFAIL, .times = 2 }, answer_with("192.0.2.10", 0) };
    f->ops->set_dns(f->world, "bs.example", answers, 2);
    bj_addr found[BJ_DNS_ADDRESSES];
    assert_int_equal(resolve(f, "bs.example", 4, found), -BJ_DNS_SERVFAIL);
    assert_int_equal(resolve(f, "bs.example", 4, found), -BJ_DNS_SERVFAIL);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(resolve(f, "bs.example", 4, found), 1);
    }
    fixture_free(f);
}

static void the_last_answer_stays_whatever_its_times(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    bj_dns_answer answers[] = { answer_with("192.0.2.10", 1), answer_with("192.0.2.11", 2),
                                answer_with("192.0.2.12", 1) };
    f->ops->set_dns(f->world, "a.example", answers, 3);
    bj_addr found[BJ_DNS_ADDRESSES];
    const uint8_t expected[] = { 10, 11, 11, 12, 12, 12 };
    for (int i = 0; i < 6; i++) {
        assert_int_equal(resolve(f, "a.example", 4, found), 1);
        assert_int_equal(found[0].ip[3], expected[i]);
    }
    f->ops->set_dns(f->world, "A.EXAMPLE", answers, 1);
    assert_int_equal(resolve(f, "a.example", 4, found), 1);
    assert_int_equal(found[0].ip[3], 10);
    f->ops->set_dns(f->world, "a.example", NULL, 0);
    assert_int_equal(resolve(f, "a.example", 4, found), -BJ_DNS_NXDOMAIN);
    fixture_free(f);
}

static void a_slow_answer_takes_its_time(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    fixture_open(f, BS, BJ_UDP, "192.0.2.10:5683");
    bj_dns_answer answer = answer_with("192.0.2.10", 0);
    answer.delay = 5 * BJ_SECOND;
    f->ops->set_dns(f->world, "bs.example", &answer, 1);
    bj_sim_socket *s = connected(f, "192.0.2.10:5683");
    say(s, "x");
    bj_addr found[BJ_DNS_ADDRESSES];
    assert_int_equal(resolve(f, "bs.example", 4, found), 1);
    assert_int_equal(bj_sim_now(f->sim), 5 * BJ_SECOND);
    assert_int_equal(f->datagrams, 1);
    bj_event event;
    assert_true(find_event(f, BJ_EV_DNS_ANSWER, 0, &event));
    assert_int_equal(event.time, 5 * BJ_SECOND);
    fixture_free(f);
}

static void an_answer_that_never_comes_blocks(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    bj_dns_answer answer = { .delay = BJ_NEVER };
    f->ops->set_dns(f->world, "bs.example", &answer, 1);
    bj_addr found[BJ_DNS_ADDRESSES];
    assert_int_equal(resolve(f, "bs.example", 4, found), BJ_SIM_RESOLVE_OVER);
    assert_true(bj_sim_over(f->sim));
    assert_int_equal(resolve(f, "bs.example", 4, found), BJ_SIM_RESOLVE_OVER);
    fixture_free(f);
}

static void can_be_asked_in_two_halves(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    bj_dns_answer answer = answer_with("192.0.2.10", 0);
    answer.delay = BJ_SECOND;
    f->ops->set_dns(f->world, "bs.example", &answer, 1);
    let_pass(f, BJ_SECOND);
    bj_sim_query *query = bj_sim_ask(f->sim, "bs.example");
    assert_int_equal(bj_sim_answer_due(query), 2 * BJ_SECOND);
    let_pass(f, BJ_SECOND);
    bj_addr found[BJ_DNS_ADDRESSES];
    assert_int_equal(bj_sim_answer(f->sim, query, 4, found, BJ_DNS_ADDRESSES), 1);
    fixture_free(f);
}

static void a_loop_of_look_ups_spins(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    bj_addr found[BJ_DNS_ADDRESSES];
    int calls = 0;
    while (resolve(f, "localhost", 0, found) != BJ_SIM_RESOLVE_OVER) {
        assert_int_equal(found[1].family, 6);
        assert_true(++calls < 1000000);
    }
    assert_int_equal(calls, 200000);
    assert_int_equal(count_events(f, BJ_EV_DNS_QUERY), 0);
    fixture_free(f);
}

static void addresses_have_names(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    bj_addr mgmt = at("[2001:db8::b]:5683"), client = at("192.0.2.1"), nobody = at("192.0.2.99");
    assert_string_equal(bj_sim_name_of(f->sim, &mgmt), "mgmt.example");
    assert_string_equal(bj_sim_name_of(f->sim, &client), "client");
    assert_null(bj_sim_name_of(f->sim, &nobody));
    fixture_free(f);
}

static void queries_leave_no_memory_behind(void **state) {
    (void) state;
    fixture *f = fixture_new(1, 0);
    bj_addr found[BJ_DNS_ADDRESSES];
    resolve(f, "bs.example", 0, found);
    size_t before = bj_arena_in_use(f->arena);
    for (int i = 0; i < 500; i++) {
        resolve(f, "bs.example", 0, found);
    }
    assert_int_equal(bj_arena_in_use(f->arena), before);
    fixture_free(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_has_its_first_ipv4_address),
        cmocka_unit_test(the_zone_is_asked_first),
        cmocka_unit_test(fails_twice_and_then_resolves),
        cmocka_unit_test(the_last_answer_stays_whatever_its_times),
        cmocka_unit_test(a_slow_answer_takes_its_time),
        cmocka_unit_test(an_answer_that_never_comes_blocks),
        cmocka_unit_test(can_be_asked_in_two_halves),
        cmocka_unit_test(a_loop_of_look_ups_spins),
        cmocka_unit_test(addresses_have_names),
        cmocka_unit_test(queries_leave_no_memory_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
