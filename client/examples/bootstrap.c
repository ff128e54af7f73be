/* SPDX-License-Identifier: Apache-2.0
 *
 * A client that knows nothing but its Bootstrap-Server: the Server Object is there without an instance, so that the
 * Bootstrap-Server can make one.
 */
#include <bootjack/bootjack.h>
#include <stdio.h>

static void log_line(void *context, bootjack_log_level level, const char *line) {
    (void) context;
    (void) level;
    fprintf(stderr, "%s\n", line);
}

/* Installs the Security Object and the Bootstrap-Server account. */
static bootjack_error set_up_security(bootjack_client *client, const char *uri) {
    const bootjack_security_instance instance = {
        .bootstrap_server = true,
        .server_uri = uri,
        .security_mode = BOOTJACK_SECURITY_NOSEC,
        .client_holdoff_s = 2,
    };
    uint16_t iid = BOOTJACK_ID_INVALID; /* the client chooses */
    bootjack_error error = bootjack_security_object_install(client);
    return error ? error : bootjack_security_object_add_instance(client, &instance, &iid);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s ENDPOINT BOOTSTRAP-SERVER-URI\n", argv[0]);
        return 64;
    }
    bootjack_config config;
    bootjack_client *client;
    bootjack_config_init(&config);
    config.endpoint = argv[1];
    config.log = log_line;
    bootjack_error error = bootjack_client_create(&config, &client);
    error = error ? error : set_up_security(client, argv[2]);
    error = error ? error : bootjack_server_object_install(client);
    error = error ? error : bootjack_device_object_install(client, NULL);
    error = error ? error : bootjack_client_run(client);
    if (error) {
        fprintf(stderr, "%s\n", bootjack_error_text(error));
    }
    bootjack_client_destroy(client);
    return error ? 1 : 0;
}
