/* SPDX-License-Identifier: Apache-2.0
 *
 * What a linked client is told, from a scenario and a profile.
 */
#include <string.h>

#include "attach/linked_config.h"
#include "load_fixture.h"

static bootjack_linked_config config_of(const char *scenario, const char *profile) {
    bootjack_linked_config config;
    bj_linked_config_fill(&config, arena, load(BJ_K_SCENARIO, scenario), load(BJ_K_PROFILE, profile));
    return config;
}

static void what_is_not_said_is_the_clients_default(void **state) {
    (void) state;
    bootjack_linked_config config = config_of("title: t\nsteps: [note: n]\n", "name: c\nattach: linked\n");
    assert_string_equal(config.endpoint, "dev-1");
    assert_null(config.lwm2m_version);
    assert_int_equal(config.account_count, 0);
    assert_int_equal(config.holdoff_cap_ms, -1);
    assert_true(config.holdoff_jitter == 0);
    assert_int_equal(config.ack_timeout_ms, -1);
    assert_true(config.ack_random_factor == 0);
    assert_int_equal(config.max_retransmit, -1);
    assert_int_equal(config.strict, 0);
    assert_null(config.state_path);
}

static void all_that_can_be_said(void **state) {
    (void) state;
    static const char scenario[] =
        "title: t\nsteps: [note: n]\n"
        "transmission: {ack-timeout: 2500ms, ack-random-factor: '1.25', max-retransmit: 2}\n"
        "client:\n"
        "  endpoint: e\n  version: '1.0'\n  holdoff-cap: 1h\n  holdoff-jitter: '1'\n  strict: true\n  state: {}\n"
        "  bootstrap: {uri: 'coap://b', holdoff: 1500ms, timeout: 1m, instance: 3}\n"
        "  accounts: [{uri: 'coap://s', ssid: 7, lifetime: 90s, binding: UT}]\n";
    bootjack_linked_config config = config_of(scenario, "name: c\nattach: linked\nholdoff-cap: 5s\n");
    assert_string_equal(config.endpoint, "e");
    assert_string_equal(config.lwm2m_version, "1.0");
    assert_int_equal(config.holdoff_cap_ms, 3600000);
    assert_true(config.holdoff_jitter == 1);
    assert_int_equal(config.ack_timeout_ms, 2500);
    assert_true(config.ack_random_factor == 1.25);
    assert_int_equal(config.max_retransmit, 2);
    assert_int_equal(config.strict, 1);
    assert_string_equal(config.state_path, "/bootjack-disk/state");
    assert_int_equal(config.account_count, 2);
    const bootjack_linked_account *bootstrap = &config.accounts[0], *server = &config.accounts[1];
    assert_int_equal(bootstrap->bootstrap, 1);
    assert_string_equal(bootstrap->uri, "coap://b");
    assert_int_equal(bootstrap->holdoff_ms, 1500);
    assert_int_equal(bootstrap->timeout_ms, 60000);
    assert_int_equal(bootstrap->instance, 3);
    assert_int_equal(bootstrap->security_mode, 3);
    assert_int_equal(bootstrap->ssid, 0);
    assert_int_equal(server->bootstrap, 0);
    assert_int_equal(server->instance, -1);
    assert_int_equal(server->holdoff_ms, -1);
    assert_int_equal(server->ssid, 7);
    assert_int_equal(server->lifetime_ms, 90000);
    assert_string_equal(server->binding, "UT");
}

static void certificates(void **state) {
    (void) state;
    bootjack_linked_config config = config_of(
        "title: t\nclient:\n  trust-store: 0a0b0c\n"
        "  bootstrap: {uri: \"coaps://b\", security: certificate, identity: 01, key: 0203, server-key: 040506,\n"
        "    matching-type: 1, sni: s, certificate-usage: 2, suites: [0, TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8]}\n"
        "  accounts: {uri: \"coaps://s\"}\n"
        "steps: [advance: 1s]\n",
        "name: c\nattach: linked\n");
    const bootjack_linked_account *bootstrap = &config.accounts[0], *server = &config.accounts[1];
    assert_int_equal(config.trust_store_length, 3);
    assert_memory_equal(config.trust_store, "\x0a\x0b\x0c", 3);
    assert_int_equal(bootstrap->security_mode, 2);
    assert_int_equal(bootstrap->server_key_length, 3);
    assert_memory_equal(bootstrap->server_key, "\4\5\6", 3);
    assert_int_equal(bootstrap->matching_type, 1);
    assert_int_equal(bootstrap->certificate_usage, 2);
    assert_string_equal(bootstrap->sni, "s");
    assert_int_equal(bootstrap->suite_count, 2);
    assert_int_equal(bootstrap->suites[1], 0xC0AE);
    assert_int_equal(server->matching_type, -1);
    assert_int_equal(server->certificate_usage, -1);
    assert_null(server->sni);
    assert_null(server->server_key);
    assert_int_equal(server->suite_count, 0);
}

static void a_profile_fills_in(void **state) {
    (void) state;
    bootjack_linked_config config =
        config_of("title: t\nsteps: [note: n]\n", "name: c\nattach: linked\nholdoff-cap: 5s\nholdoff-jitter: '1.2'\n");
    assert_int_equal(config.holdoff_cap_ms, 5000);
    assert_true(config.holdoff_jitter == 1.2);
}

static void credentials(void **state) {
    (void) state;
    static const char scenario[] = "title: t\nsteps: [note: n]\nclient:\n"
                                   "  bootstrap: {uri: 'coaps://b', security: psk, identity: 0061, key: ff00ff}\n";
    bootjack_linked_config config = config_of(scenario, "name: c\nattach: linked\n");
    const bootjack_linked_account *account = &config.accounts[0];
    assert_int_equal(account->security_mode, 0);
    assert_int_equal(account->identity_length, 2);
    assert_memory_equal(account->identity, "\0a", 2);
    assert_int_equal(account->key_length, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_said_is_the_clients_default),
        cmocka_unit_test(all_that_can_be_said),
        cmocka_unit_test(certificates),
        cmocka_unit_test(a_profile_fills_in),
        cmocka_unit_test(credentials),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
