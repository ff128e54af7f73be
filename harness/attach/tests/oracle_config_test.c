/* SPDX-License-Identifier: Apache-2.0
 *
 * What oracles are told of a client, from a scenario and a profile.
 */
#include <stdio.h>

#include "load_fixture.h"
#include "oracle/oracle.h"

/* The Object Instance of its bootstrap account; -1: nobody knows. */
static int place(const char *profile, const char *bootstrap) {
    char scenario[200];
    bj_oracle_config config;
    snprintf(scenario, sizeof scenario, "title: t\nclient: {bootstrap: {%s}}\nsteps: [note: n]\n", bootstrap);
    bj_oracle_configure(&config, load(BJ_K_SCENARIO, scenario), load(BJ_K_PROFILE, profile), true);
    return config.accounts[0].instance;
}

static void where_a_client_has_its_bootstrap_account(void **state) {
    (void) state;
    static const char plain[] = "uri: 'coap://b'", told[] = "uri: 'coap://b', instance: 3";
    assert_int_equal(place("name: c\ncommand: [c, '{bs_uri}']\n", plain), -1);
    assert_int_equal(place("name: c\ncommand: [c, '{bs_uri}', '?-i {account_instance}']\n", plain), -1);
    assert_int_equal(place("name: c\ncommand: [c, '?{bs_uri} -i {account_instance}']\n", plain), 0);
    assert_int_equal(place("name: c\ncommand: [c, '{bs_uri}', '{account_instance}']\n", plain), 0);
    assert_int_equal(place("name: c\ncommand: [c, '?{bs_uri} -i {account_instance}']\n", told), 3);
    assert_int_equal(place("name: c\ncommand: [c, '{bs_uri}']\nbuilt-in: {account-instance: 1}\n", plain), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(where_a_client_has_its_bootstrap_account, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
