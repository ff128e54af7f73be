/* SPDX-License-Identifier: Apache-2.0
 *
 * What an application may ask of a client that is not under way: wrong arguments, the wrong moment, an end before the
 * beginning.
 */
#include "support.h"

#include "bootjack/bootjack.h"

static bootjack_client *made(void) {
    bootjack_config config;
    bootjack_client *client;
    bootjack_config_init(&config);
    config.endpoint = "dev-1";
    assert_int_equal(bootjack_client_create(&config, &client), BOOTJACK_OK);
    return client;
}

static void phases_have_names_of_their_own(void **state) {
    (void) state;
    for (int a = BOOTJACK_CLIENT_IDLE; a <= BOOTJACK_CLIENT_STOPPED; a++) {
        const char *text = bootjack_client_phase_text((bootjack_client_phase) a);
        assert_string_not_equal(text, "unknown");
        for (int b = BOOTJACK_CLIENT_IDLE; b < a; b++) {
            assert_string_not_equal(text, bootjack_client_phase_text((bootjack_client_phase) b));
        }
    }
    assert_string_equal(bootjack_client_phase_text((bootjack_client_phase) (BOOTJACK_CLIENT_STOPPED + 1)), "unknown");
}

static void a_configuration_that_cannot_be_is_refused(void **state) {
    (void) state;
    bootjack_config config;
    bootjack_client *client = (bootjack_client *) 1;
    bootjack_config_init(&config);
    assert_int_equal(bootjack_client_create(&config, &client), BOOTJACK_ERR_ARGUMENT); /* no endpoint */
    assert_null(client);
    config.endpoint = "dev-1";
    config.tx.ack_random_factor = 0.5;
    assert_int_equal(bootjack_client_create(&config, &client), BOOTJACK_ERR_ARGUMENT);
    assert_null(client);
    bootjack_client_destroy(NULL);
}

static int32_t next_instance(void *context, int32_t after) {
    (void) context;
    return after < 0 ? 0 : -1;
}

static bool present(void *context, uint16_t iid, uint16_t rid) {
    (void) context;
    return iid == 0 && rid == 0;
}

/* An Object whose handlers are not all there could not be read, or written. */
static void an_object_needs_its_handlers(void **state) {
    (void) state;
    static const bootjack_object_handlers some = { .next_instance = next_instance, .present = present };
    const bootjack_object without = { .oid = 4711 }, half = { .oid = 4711, .handlers = &some };
    bootjack_client *client = made();
    assert_int_equal(bootjack_object_install(client, NULL, NULL), BOOTJACK_ERR_ARGUMENT);
    assert_int_equal(bootjack_object_install(client, &without, NULL), BOOTJACK_ERR_ARGUMENT);
    assert_int_equal(bootjack_object_install(client, &half, NULL), BOOTJACK_ERR_ARGUMENT);
    bootjack_client_destroy(client);
}

static void objects_are_installed_once_and_before_the_start(void **state) {
    (void) state;
    bootjack_client *client = made();
    assert_int_equal(bootjack_security_object_install(client), BOOTJACK_OK);
    assert_int_equal(bootjack_security_object_install(client), BOOTJACK_ERR_EXISTS);
    assert_int_equal(bootjack_server_object_install(client), BOOTJACK_OK);
    bootjack_client_step(client);
    assert_int_equal(bootjack_server_object_install(client), BOOTJACK_ERR_STATE);
    assert_int_equal(bootjack_device_object_install(client, NULL), BOOTJACK_ERR_STATE);
    bootjack_client_destroy(client);
}

/* Without accounts there is nothing to wait for; a stop ends the run, whether or not it has begun. */
static void a_client_that_has_nothing_to_do_idles_and_stops(void **state) {
    (void) state;
    bootjack_client *client = made();
    assert_int_equal(bootjack_security_object_install(client), BOOTJACK_OK);
    assert_int_equal(bootjack_server_object_install(client), BOOTJACK_OK);
    bootjack_client_step(client);
    assert_int_equal(bootjack_client_state(client), BOOTJACK_CLIENT_IDLE);
    assert_int_equal(bootjack_client_next_deadline_ms(client), -1);
    bootjack_client_stop(client);
    assert_int_equal(bootjack_client_run(client), BOOTJACK_OK);
    assert_int_equal(bootjack_client_state(client), BOOTJACK_CLIENT_STOPPED);
    bootjack_client_stop(client);
    bootjack_client_step(client);
    assert_int_equal(bootjack_client_state(client), BOOTJACK_CLIENT_STOPPED);
    bootjack_client_destroy(client);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phases_have_names_of_their_own),
        cmocka_unit_test(a_configuration_that_cannot_be_is_refused),
        cmocka_unit_test(an_object_needs_its_handlers),
        cmocka_unit_test(objects_are_installed_once_and_before_the_start),
        cmocka_unit_test(a_client_that_has_nothing_to_do_idles_and_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
