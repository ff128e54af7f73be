/* SPDX-License-Identifier: Apache-2.0
 *
 * Times: the derived parameters of RFC 7252 §4.8.2, the hold-off formula, the scheduler.
 */
#include "support.h"

#include <math.h>

#include "bootstrap/holdoff.h"

static void derived_times(void **state) {
    (void) state;
    static const struct {
        bootjack_tx_params tx;
        double span, wait, exchange, non;
    } rows[] = {
        { { 2000, 1.5, 4 }, 45, 93, 247, 145 },  { { 3000, 1.5, 4 }, 67.5, 139.5, 270.5, 167.5 },
        { { 1000, 1.0, 1 }, 1, 3, 202, 101 },    { { 2000, 1.0, 0 }, 0, 2, 202, 100 },
        { { 30000, 1.0, 1 }, 30, 90, 260, 130 }, { { 5000, 1.5, 3 }, 52.5, 112.5, 257.5, 152.5 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(bjc_max_transmit_span(&rows[i].tx), llround(rows[i].span * 1e9));
        assert_int_equal(bjc_max_transmit_wait(&rows[i].tx), llround(rows[i].wait * 1e9));
        assert_int_equal(bjc_exchange_lifetime(&rows[i].tx), llround(rows[i].exchange * 1e9));
        assert_int_equal(bjc_non_lifetime(&rows[i].tx), llround(rows[i].non * 1e9));
    }
}

static void streams(void **state) {
    (void) state;
    bjc_core core;
    core_start(&core);
    assert_int_equal(bjc_stream_exchange_lifetime(&core.config), 215500 * BJC_MS);
    core.config.stream_timeout_ms = 1000;
    assert_int_equal(bjc_stream_exchange_lifetime(&core.config), 201000 * BJC_MS);
    bjc_core_free(&core);
}

static void holdoff_formula(void **state) {
    (void) state;
    static const struct {
        double holdoff;
        unsigned failures;
        double jitter, cap, wait;
    } rows[] = {
        { 0, 0, 1, 20, 1 },          { 0, 1, 1, 20, 2 },           { 0, 4, 1, 20, 16 },
        { 0, 5, 1, 20, 20 },         { 10, 0, 1.5, 20, 15 },       { 10, 1, 1.5, 20, 20 },
        { 10, 2, 1, 20, 20 },        { 30, 0, 1, 20, 30 },         { 30, 9, 1.2, 20, 36 },
        { 3600, 1, 1, 21600, 7200 }, { 3600, 3, 1, 21600, 21600 }, { 5, 4000000000u, 1, 20, 20 },
        { 0.25, 0, 1, 0, 1 },        { 15, 1, 1.4, 20, 21 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double wait = bjc_holdoff_formula(rows[i].holdoff, rows[i].failures, rows[i].jitter, rows[i].cap);
        assert_true(fabs(wait - rows[i].wait) < 1e-9);
    }
}

static bool fixed_random(void *context, void *out, size_t length) {
    memset(out, *(const int *) context, length);
    return true;
}

static void jitter_is_drawn_from_the_source(void **state) {
    (void) state;
    bjc_core core;
    int byte = 0xFF;
    core_start(&core);
    core.config.random = fixed_random;
    core.config.random_context = &byte;
    assert_int_equal(bjc_holdoff_wait(&core, 10, 0), 15 * BJC_SECOND);
    byte = 0;
    assert_int_equal(bjc_holdoff_wait(&core, 10, 0), 10 * BJC_SECOND);
    byte = 0xFF; /* centuries are no moment */
    core.config.holdoff_jitter = 1000;
    assert_true(bjc_holdoff_wait(&core, UINT32_MAX, 0) > UINT32_MAX * BJC_SECOND);
    bjc_core_free(&core);
}

typedef struct trace {
    bjc_scheduler scheduler;
    bjc_timer timers[3];
    char fired[16];
    size_t count;
} trace;

static trace traced;

static void fire(void *context) {
    traced.fired[traced.count++] = (char) ('a' + ((bjc_timer *) context - traced.timers));
}

static void timers_fire_in_order(void **state) {
    (void) state;
    bjc_time now = bjc_now();
    for (size_t i = 0; i < 3; i++) {
        bjc_timer_init(&traced.timers[i], fire, &traced.timers[i]);
    }
    bjc_timer_arm(&traced.scheduler, &traced.timers[0], 3 * BJC_SECOND);
    bjc_timer_arm(&traced.scheduler, &traced.timers[1], 1 * BJC_SECOND);
    bjc_timer_arm(&traced.scheduler, &traced.timers[2], 2 * BJC_SECOND);
    assert_true(bjc_scheduler_next(&traced.scheduler) >= now + BJC_SECOND);
    bjc_scheduler_run(&traced.scheduler, now);
    assert_int_equal(traced.count, 0);
    bjc_timer_cancel(&traced.scheduler, &traced.timers[2]);
    bjc_timer_arm(&traced.scheduler, &traced.timers[1], 4 * BJC_SECOND); /* again: later */
    bjc_scheduler_run(&traced.scheduler, bjc_now() + 10 * BJC_SECOND);
    assert_string_equal(traced.fired, "ab");
    assert_int_equal(bjc_scheduler_next(&traced.scheduler), BJC_TIME_NEVER);
    bjc_timer_arm(&traced.scheduler, &traced.timers[0], INT64_MAX);
    assert_int_equal(bjc_scheduler_next(&traced.scheduler), BJC_TIME_NEVER - 1);
}

static void configurations(void **state) {
    (void) state;
    bjc_core core;
    bootjack_config config;
    memset(&core, 0, sizeof core);
    bootjack_config_init(&config);
    assert_int_equal(bjc_core_init(&core, &config), BOOTJACK_ERR_ARGUMENT); /* no endpoint */
    config.endpoint = "dev-1";
    config.tx.max_retransmit = 0;
    assert_int_equal(bjc_core_init(&core, &config), BOOTJACK_ERR_ARGUMENT);
    config.tx.max_retransmit = 1;
    config.tx.ack_random_factor = 0.9;
    assert_int_equal(bjc_core_init(&core, &config), BOOTJACK_ERR_ARGUMENT);
    config.tx.ack_random_factor = 1;
    config.version = (bootjack_version) 13;
    assert_int_equal(bjc_core_init(&core, &config), BOOTJACK_ERR_ARGUMENT);
    config.version = BOOTJACK_LWM2M_1_1;
    config.preferred_format = 11544;
    assert_int_equal(bjc_core_init(&core, &config), BOOTJACK_ERR_ARGUMENT);
    config.preferred_format = 0;
    assert_int_equal(bjc_core_init(&core, &config), BOOTJACK_ERR_ARGUMENT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derived_times),        cmocka_unit_test(streams),
        cmocka_unit_test(holdoff_formula),      cmocka_unit_test(configurations),
        cmocka_unit_test(timers_fire_in_order), cmocka_unit_test(jitter_is_drawn_from_the_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
