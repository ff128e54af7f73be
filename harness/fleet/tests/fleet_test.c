/* SPDX-License-Identifier: Apache-2.0
 *
 * Small fleets: all of them come through, the same seed gives the same fleet, and what a client in trouble does is its
 * own affair.
 */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdlib.h>
#include <string.h>

#include "fleet/fleet.h"

static fleet_config small(void) {
    fleet_config config;
    fleet_config_init(&config);
    config.clients = 20;
    config.curve_s = 60;
    return config;
}

static fleet_result run(const fleet_config *config) {
    fleet_result result;
    char why[200] = "";
    if (!fleet_run(config, &result, why, sizeof why)) {
        fail_msg("%s", why);
    }
    return result;
}

static void all_come_through(void **state) {
    (void) state;
    fleet_config config = small();
    fleet_result result = run(&config);
    uint64_t sum = 0;
    assert_int_equal(result.made, 20);
    assert_int_equal(result.complete, 20);
    assert_int_equal(result.counts.bootstraps, 20);
    assert_int_equal(result.counts.registers, 40);
    assert_int_equal(result.counts.observations, 400);
    assert_int_equal(result.counts.refused, 0);
    /* Twenty minutes: two Updates of each lifetime of ten, three notifications of each pmax of five. */
    assert_int_equal(result.counts.updates, 80);
    assert_int_equal(result.counts.notifications, 20 * 2 * 10 * 3);
    assert_true(result.complete_at >= 10 * BJ_SECOND && result.complete_at < 16 * BJ_SECOND);
    assert_true(result.virtual_time >= 20 * 60 * BJ_SECOND);
    for (unsigned i = 0; i < config.curve_s; i++) {
        sum += result.curve[i];
        assert_true(!result.curve[i] || (i >= 10 && i <= 15)); /* the hold-off and its jitter */
    }
    assert_int_equal(sum, 20);
    free(result.curve);
}

static void the_same_seed_is_the_same_fleet(void **state) {
    (void) state;
    fleet_config config = small();
    config.spread = 30 * BJ_SECOND;
    config.duration = 5 * 60 * BJ_SECOND;
    fleet_result first = run(&config), second = run(&config);
    assert_memory_equal(&first.counts, &second.counts, sizeof first.counts);
    assert_memory_equal(first.curve, second.curve, config.curve_s * sizeof *first.curve);
    assert_int_equal(first.complete_at, second.complete_at);
    assert_int_equal(first.steps, second.steps);
    config.seed = 2;
    fleet_result third = run(&config);
    assert_int_not_equal(first.complete_at, third.complete_at);
    assert_int_equal(third.complete, 20);
    free(first.curve);
    free(second.curve);
    free(third.curve);
}

/* A stop before anybody could be complete. */
static void too_short(void **state) {
    (void) state;
    fleet_config config = small();
    config.duration = 5 * BJ_SECOND;
    fleet_result result = run(&config);
    assert_int_equal(result.complete, 0);
    assert_int_equal(result.complete_at, BJ_NEVER);
    assert_int_equal(result.counts.received, 0);
    free(result.curve);
}

static void *none(const bootjack_linked_config *config) {
    (void) config;
    return NULL;
}

static void a_client_that_cannot_be_made(void **state) {
    (void) state;
    const bootjack_linked_client client = { .version = BOOTJACK_LINKED_VERSION, .name = "none", .create = none };
    fleet_config config = small();
    fleet_result result;
    char why[200] = "";
    config.client = &client;
    assert_false(fleet_run(&config, &result, why, sizeof why));
    assert_string_equal(why, "client 0 cannot be made");
    free(result.curve);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_come_through),
        cmocka_unit_test(the_same_seed_is_the_same_fleet),
        cmocka_unit_test(too_short),
        cmocka_unit_test(a_client_that_cannot_be_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
