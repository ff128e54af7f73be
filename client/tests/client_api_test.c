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

/* What cannot be set leaves nothing behind: an instance without resources, a number out of its range or the second
 * value of a single resource would be refused at every Bootstrap-Finish, or not be read any more. */
static void what_cannot_be_set_changes_nothing(void **state) {
    (void) state;
    bootjack_client *client = made();
    bootjack_value number = { .type = BOOTJACK_TYPE_INTEGER, .as.integer = 60 };
    const bootjack_value text = { .type = BOOTJACK_TYPE_STRING, .as.bytes = { (const uint8_t *) "U", 1 } };
    bootjack_value found;
    uint16_t iid = 0;
    const bootjack_server_instance server = { .ssid = 1, .lifetime_s = 86400 }, other = { .ssid = 2 };
    assert_int_equal(bootjack_server_object_install(client), BOOTJACK_OK);
    assert_int_equal(bootjack_device_object_install(client, NULL), BOOTJACK_OK);
    assert_int_equal(bootjack_resource_set(client, 1, 0, 1, 0, &text), BOOTJACK_ERR_TYPE);
    assert_int_equal(bootjack_resource_set(client, 1, 0, 99, 0, &number), BOOTJACK_ERR_NOT_FOUND);
    assert_int_equal(bootjack_server_object_add_instance(client, &server, &iid), BOOTJACK_OK); /* there is no /1/0 */
    number.as.integer = -1;
    assert_int_equal(bootjack_resource_set(client, 1, 0, 1, 0, &number), BOOTJACK_ERR_RANGE);
    assert_int_equal(bootjack_resource_set(client, 1, 7, 1, 0, &number), BOOTJACK_ERR_RANGE);
    number.as.integer = 60;
    const bootjack_value latin1 = { .type = BOOTJACK_TYPE_STRING,
                                    .as.bytes = { (const uint8_t *) "\xB0"
                                                                    "C",
                                                  2 } };
    assert_int_equal(bootjack_resource_set(client, 3, 0, 14, 0, &latin1), BOOTJACK_ERR_RANGE); /* no UTF-8 */
    assert_int_equal(bootjack_resource_set(client, 1, 0, 1, 3, &number), BOOTJACK_ERR_PATH);
    assert_int_equal(bootjack_resource_set(client, 3, 0, 7, BOOTJACK_ID_INVALID, &number), BOOTJACK_ERR_PATH);
    assert_int_equal(bootjack_resource_set(client, 3, 0, 7, 3, &number), BOOTJACK_OK);
    assert_int_equal(bootjack_resource_get(client, 1, 0, 1, 0, &found), BOOTJACK_OK);
    assert_int_equal(found.as.integer, 86400);
    assert_int_equal(bootjack_resource_get(client, 1, 0, 1, 3, &found), BOOTJACK_ERR_NOT_FOUND);
    assert_int_equal(bootjack_resource_get(client, 1, 7, 1, 0, &found), BOOTJACK_ERR_NOT_FOUND);
    iid = 7;
    assert_int_equal(bootjack_server_object_add_instance(client, &other, &iid), BOOTJACK_OK);
    bootjack_client_destroy(client);
}

/* A Binding that is none, or a Short Server ID of another instance, would be refused at every Bootstrap-Finish and at
 * every Write of a server to any instance of /1. */
static void servers_that_no_finish_could_make_good(void **state) {
    (void) state;
    static const char *const bindings[] = { "", "X", "UU", "UTSNUTSNU" };
    bootjack_client *client = made();
    bootjack_value found, text = { .type = BOOTJACK_TYPE_STRING, .as.bytes = { (const uint8_t *) "UX", 2 } };
    const bootjack_value number = { .type = BOOTJACK_TYPE_INTEGER, .as.integer = 1 };
    bootjack_server_instance server = { .ssid = 1, .lifetime_s = 86400 };
    uint16_t iid = 5;
    assert_int_equal(bootjack_server_object_install(client), BOOTJACK_OK);
    for (size_t i = 0; i < sizeof bindings / sizeof *bindings; i++) {
        server.binding = bindings[i];
        assert_int_equal(bootjack_server_object_add_instance(client, &server, &iid), BOOTJACK_ERR_RANGE);
        assert_int_equal(bootjack_resource_get(client, 1, 5, 0, 0, &found), BOOTJACK_ERR_NOT_FOUND);
    }
    server.binding = "UT";
    assert_int_equal(bootjack_server_object_add_instance(client, &server, &iid), BOOTJACK_OK);
    for (iid = 4; iid < 7; iid += 2) {
        assert_int_equal(bootjack_server_object_add_instance(client, &server, &iid), BOOTJACK_ERR_EXISTS);
    }
    assert_int_equal(bootjack_resource_set(client, 1, 5, 7, 0, &text), BOOTJACK_ERR_RANGE);
    assert_int_equal(bootjack_resource_set(client, 1, 6, 7, 0, &text), BOOTJACK_ERR_RANGE);
    text.as.bytes.length = 1;
    assert_int_equal(bootjack_resource_set(client, 1, 6, 7, 0, &text), BOOTJACK_OK);
    assert_int_equal(bootjack_resource_set(client, 1, 8, 7, 0, &text), BOOTJACK_OK); /* neither has a number yet */
    assert_int_equal(bootjack_resource_set(client, 1, 6, 0, 0, &number), BOOTJACK_ERR_EXISTS);
    assert_int_equal(bootjack_resource_get(client, 1, 6, 0, 0, &found), BOOTJACK_ERR_NOT_FOUND);
    assert_int_equal(bootjack_resource_get(client, 1, 5, 7, 0, &found), BOOTJACK_OK);
    assert_int_equal(found.as.bytes.length, 2);
    assert_memory_equal(found.as.bytes.data, "UT", 2);
    bootjack_client_destroy(client);
}

/* A second Bootstrap-Server account, or one server twice over one transport, would be refused at every
 * Bootstrap-Finish. */
static void accounts_that_no_finish_could_make_good(void **state) {
    (void) state;
    static const char other_port[] = "coap://192.0.2.2:5685";
    bootjack_client *client = made();
    bootjack_value found;
    const bootjack_value yes = { .type = BOOTJACK_TYPE_BOOLEAN, .as.boolean = true },
                         one = { .type = BOOTJACK_TYPE_INTEGER, .as.integer = 1 },
                         udp = { .type = BOOTJACK_TYPE_STRING,
                                 .as.bytes = { (const uint8_t *) other_port, sizeof other_port - 1 } };
    bootjack_security_instance account = { .bootstrap_server = true, .server_uri = "coap://192.0.2.1" };
    uint16_t iid = 0;
    assert_int_equal(bootjack_security_object_install(client), BOOTJACK_OK);
    assert_int_equal(bootjack_security_object_add_instance(client, &account, &iid), BOOTJACK_OK);
    account.bootstrap_server = false;
    account.ssid = 1;
    iid = 3;
    assert_int_equal(bootjack_security_object_add_instance(client, &account, &iid), BOOTJACK_OK);
    account.server_uri = "coap+tcp://192.0.2.1";
    iid = 4;
    assert_int_equal(bootjack_security_object_add_instance(client, &account, &iid), BOOTJACK_OK);
    account.server_uri = "coap://192.0.2.2";
    for (iid = 2; iid < 6; iid += 3) {
        assert_int_equal(bootjack_security_object_add_instance(client, &account, &iid), BOOTJACK_ERR_EXISTS);
        assert_int_equal(bootjack_resource_get(client, 0, iid, 0, 0, &found), BOOTJACK_ERR_NOT_FOUND);
    }
    account.ssid = 2;
    iid = 5;
    assert_int_equal(bootjack_security_object_add_instance(client, &account, &iid), BOOTJACK_OK);
    assert_int_equal(bootjack_resource_set(client, 0, 5, 10, 0, &one), BOOTJACK_ERR_EXISTS);
    assert_int_equal(bootjack_resource_set(client, 0, 4, 0, 0, &udp), BOOTJACK_ERR_EXISTS);
    assert_int_equal(bootjack_resource_set(client, 0, 5, 1, 0, &yes), BOOTJACK_ERR_EXISTS);
    assert_int_equal(bootjack_resource_set(client, 0, 7, 1, 0, &yes), BOOTJACK_ERR_EXISTS);
    assert_int_equal(bootjack_resource_get(client, 0, 7, 1, 0, &found), BOOTJACK_ERR_NOT_FOUND);
    assert_int_equal(bootjack_resource_get(client, 0, 5, 10, 0, &found), BOOTJACK_OK);
    assert_int_equal(found.as.integer, 2);
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
        cmocka_unit_test(what_cannot_be_set_changes_nothing),
        cmocka_unit_test(servers_that_no_finish_could_make_good),
        cmocka_unit_test(accounts_that_no_finish_could_make_good),
        cmocka_unit_test(a_client_that_has_nothing_to_do_idles_and_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
