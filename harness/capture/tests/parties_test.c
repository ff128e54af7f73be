/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose conversation is whose: many clients at once, names that come later, ports that change hands, clients behind one
 * translated address, clients that move.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/gather.h"

enum { MANY = 3000, SERVER = 1, OTHER_SERVER = 2 };

static bj_addr address(unsigned host, uint16_t port) {
    return (bj_addr){ .family = 4, .port = port, .ip = { 10, 0, (uint8_t) (host >> 8), (uint8_t) host } };
}

static int set_up(void **state) {
    bj_parties *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->flow_room = 2 * MANY + 10;
    p->flows = calloc(p->flow_room, sizeof *p->flows);
    assert_non_null(p->flows);
    *state = p;
    return 0;
}

static int tear_down(void **state) {
    bj_parties_free(*state);
    free(*state);
    return 0;
}

/* A flow from `begin` to `end`; name "": none was said. */
static bj_flow *add(bj_parties *p, bj_addr client, const char *name, bj_time begin, bj_time end) {
    assert_true(p->flow_count < p->flow_room);
    bj_flow *f = &p->flows[p->flow_count++];
    *f = (bj_flow){ .client = client,
                    .server = address(SERVER, 5683),
                    .party = UINT32_MAX,
                    .instance = -1,
                    .first_frame = (uint32_t) p->flow_count,
                    .last_frame = (uint32_t) p->flow_count,
                    .first = begin,
                    .last = end };
    snprintf(f->endpoint, sizeof f->endpoint, "%s", name);
    return f;
}

static bj_flow *add_bootstrap(bj_parties *p, bj_addr client, unsigned server, const char *name, bj_time begin,
                              bj_time end) {
    bj_flow *f = add(p, client, name, begin, end);
    f->server = address(server, 5683);
    f->bootstrap = true;
    f->asked_first = begin;
    f->asked_last = end;
    return f;
}

static void gather(bj_parties *p, size_t count) {
    assert_true(bj_parties_gather(p));
    assert_int_equal(p->count, count);
}

static const char *name_of(const bj_parties *p, size_t flow) {
    return p->all[p->flows[flow].party].endpoint;
}

static void assert_names(const bj_parties *p, const char *const names[], size_t count) {
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(name_of(p, i), names[i]);
    }
}

/* Each registers from another port than the one of its bootstrap, in the opposite order; `hosts` apart, or all on one.
 */
static void check_many(bj_parties *p, bool hosts) {
    char name[20];
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "dev-%u", i);
        add_bootstrap(p, address(hosts ? 100 + i : 100, (uint16_t) (10000 + i)), SERVER, name, i, i);
    }
    for (unsigned i = MANY; i-- > 0;) {
        snprintf(name, sizeof name, "dev-%u", i);
        add(p, address(hosts ? 100 + i : 100, (uint16_t) (20000 + i)), name, MANY + i, 2 * MANY);
    }
    gather(p, MANY);
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(p->flows[i].party, i);
        assert_int_equal(p->flows[2 * MANY - 1 - i].party, i);
        assert_int_equal(p->all[i].flows, 2);
    }
}

static void test_many_hosts(void **state) {
    check_many(*state, true);
}

static void test_many_clients_behind_one_address(void **state) {
    check_many(*state, false);
}

static void test_many_ports_of_one_client(void **state) {
    bj_parties *p = *state;
    for (unsigned i = 0; i < MANY; i++) {
        add_bootstrap(p, address(100, (uint16_t) (10000 + i)), SERVER, "dev", 2 * i, 2 * i);
        add(p, address(100, (uint16_t) (20000 + i)), "", 2 * i + 1, 2 * i + 1);
    }
    gather(p, 1);
    assert_int_equal(p->all[0].flows, 2 * MANY);
}

/* Two clients without a name bootstrap on one host, at the same time; one says its name as it registers. */
static void test_a_name_that_comes_later(void **state) {
    bj_parties *p = *state;
    add_bootstrap(p, address(100, 1000), SERVER, "", 0, 100);
    add_bootstrap(p, address(100, 2000), OTHER_SERVER, "", 0, 100);
    add(p, address(100, 1000), "a", 200, 210)->server = address(OTHER_SERVER, 5684);
    add(p, address(100, 3000), "a", 300, 310); /* the client of that name, who has one now */
    add(p, address(100, 4000), "b", 400, 410); /* the one that is still without a name */
    add(p, address(100, 5000), "c", 500, 510); /* neither of the two: both have other names */
    add(p, address(200, 6000), "a", 600, 610); /* the first has moved */
    gather(p, 3);
    const char *const names[] = { "a", "b", "a", "a", "b", "c", "a" };
    assert_names(p, names, sizeof names / sizeof names[0]);
}

/* A flow without a name: the first client of its port, whoever spoke last; else who spoke last before it began. */
static void test_ports_that_change_hands(void **state) {
    bj_parties *p = *state;
    add_bootstrap(p, address(100, 1000), SERVER, "a", 0, 10);
    add_bootstrap(p, address(100, 2000), SERVER, "b", 20, 30);
    add_bootstrap(p, address(100, 1000), OTHER_SERVER, "c", 40, 50);
    add_bootstrap(p, address(200, 9000), SERVER, "d", 60, 70);
    add(p, address(100, 1000), "", 100, 110);
    add(p, address(100, 9000), "", 35, 38);   /* 9000 is of another host: b was the last at 35 */
    add(p, address(100, 9001), "", 120, 130); /* the flow of a, until 110 */
    add(p, address(200, 1000), "", 140, 150);
    gather(p, 4);
    const char *const names[] = { "a", "b", "c", "d", "a", "b", "a", "d" };
    assert_names(p, names, sizeof names / sizeof names[0]);
}

/* Of those that began before, the later in the capture where two spoke last at once; where none did, the first. */
static void test_who_spoke_last(void **state) {
    bj_parties *p = *state;
    add_bootstrap(p, address(100, 1000), SERVER, "a", 10, 90);
    add_bootstrap(p, address(100, 2000), SERVER, "b", 20, 90);
    add_bootstrap(p, address(100, 3000), SERVER, "c", 30, 80);
    add(p, address(100, 4000), "", 50, 50);
    add(p, address(100, 5000), "", 15, 15);
    add(p, address(100, 6000), "", 5, 5);
    gather(p, 3);
    assert_string_equal(name_of(p, 3), "b");
    assert_string_equal(name_of(p, 4), "a");
    assert_string_equal(name_of(p, 5), "a");
}

/* One client under many translated addresses, one after the other; and one that is two at the same time. */
static void test_clients_that_move(void **state) {
    bj_parties *p = *state;
    for (unsigned i = 0; i < MANY; i++) {
        add_bootstrap(p, address(100 + i, 1000), SERVER, "dev", i * 2 * BJ_SECOND, i * 2 * BJ_SECOND + 10);
    }
    p->flows[MANY - 1].instance = 7;
    p->flows[MANY / 2].instance = 5;
    add_bootstrap(p, address(90, 1000), SERVER, "dev", 10, 3 * BJ_SECOND);
    gather(p, 2);
    assert_int_equal(p->all[0].flows, MANY);
    assert_int_equal(p->all[0].instance, 5);
    assert_int_equal(p->flows[MANY].party, 1);
    assert_true(bj_parties_join(p, "dev"));
    assert_int_equal(p->count, 1);
    assert_int_equal(p->all[0].flows, MANY + 1);
}

/* Captured before and behind a translation of addresses; who bootstraps again a second later has moved. */
static void test_a_translation_inside_the_capture(void **state) {
    bj_parties *p = *state;
    add_bootstrap(p, address(100, 1000), SERVER, "dev", 0, 10);
    add_bootstrap(p, address(200, 1000), SERVER, "dev", 20, 30);
    add_bootstrap(p, address(300, 1000), SERVER, "dev", BJ_SECOND, BJ_SECOND);
    gather(p, 2);
    assert_int_equal(p->flows[0].party, 0);
    assert_int_equal(p->flows[1].party, 1);
    assert_int_equal(p->flows[2].party, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_many_hosts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_clients_behind_one_address, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_ports_of_one_client, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_name_that_comes_later, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ports_that_change_hands, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_who_spoke_last, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_clients_that_move, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_translation_inside_the_capture, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
