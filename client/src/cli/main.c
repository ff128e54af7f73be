/* SPDX-License-Identifier: Apache-2.0
 *
 * bootjack-client: the stack as a program. Logs to standard error; SIGTERM and SIGINT de-register.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "cli/options.h"

/* Set by the signal handler; the only thing of the program that is shared with one. */
static volatile sig_atomic_t stop_wanted;

static void on_signal(int number) {
    (void) number;
    stop_wanted = 1;
}

static void log_line(void *context, bootjack_log_level level, const char *line) {
    static const char *const levels[] = { "error", "warning", "info", "debug" };
    (void) context;
    fprintf(stderr, "bootjack-client: %s: %s\n", levels[level], line);
}

/* Signals are let through only while the program waits, so that none is missed between looking and waiting. */
static void catch_signals(sigset_t *while_waiting) {
    sigset_t blocked;
    struct sigaction action = { .sa_handler = on_signal };
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGINT);
    sigprocmask(SIG_BLOCK, &blocked, while_waiting);
    sigdelset(while_waiting, SIGTERM);
    sigdelset(while_waiting, SIGINT);
}

static bool wait_for_work(bootjack_client *client, const sigset_t *while_waiting) {
    int descriptors[BOOTJACK_MAX_DESCRIPTORS];
    struct pollfd watched[BOOTJACK_MAX_DESCRIPTORS];
    size_t count = bootjack_client_descriptors(client, descriptors, BOOTJACK_MAX_DESCRIPTORS);
    for (size_t i = 0; i < count; i++) {
        watched[i] = (struct pollfd){ .fd = descriptors[i], .events = POLLIN };
    }
    int64_t wait = bootjack_client_next_deadline_ms(client);
    struct timespec timeout = { .tv_sec = wait / 1000, .tv_nsec = wait % 1000 * 1000000 };
    return ppoll(watched, (nfds_t) count, wait < 0 ? NULL : &timeout, while_waiting) >= 0 || errno == EINTR;
}

static bool run(bootjack_client *client) {
    sigset_t while_waiting;
    catch_signals(&while_waiting);
    for (;;) {
        bootjack_client_step(client);
        if (bootjack_client_state(client) == BOOTJACK_CLIENT_STOPPED) {
            return true;
        }
        if (!wait_for_work(client, &while_waiting)) {
            perror("bootjack-client: poll");
            return false;
        }
        if (stop_wanted) {
            bootjack_client_stop(client);
        }
    }
}

static bootjack_error add_server(bootjack_client *client, const bjc_options *o) {
    uint16_t security = BOOTJACK_ID_INVALID, server = BOOTJACK_ID_INVALID;
    const bootjack_server_instance instance = { .ssid = o->server.instance.ssid,
                                                .lifetime_s = o->lifetime_s,
                                                .binding = o->binding };
    bootjack_error error = bootjack_security_object_add_instance(client, &o->server.instance, &security);
    return error ? error : bootjack_server_object_add_instance(client, &instance, &server);
}

static bootjack_error add_accounts(bootjack_client *client, const bjc_options *o) {
    bootjack_error error = BOOTJACK_OK;
    if (o->bootstrap.instance.server_uri) {
        uint16_t iid = o->bootstrap_instance < 0 ? BOOTJACK_ID_INVALID : (uint16_t) o->bootstrap_instance;
        error = bootjack_security_object_add_instance(client, &o->bootstrap.instance, &iid);
    }
    return !error && o->server.instance.server_uri ? add_server(client, o) : error;
}

static bootjack_error furnish(bootjack_client *client, const bjc_options *o) {
    const bootjack_device device = { .manufacturer = "Bootjack",
                                     .model_number = "bootjack-client",
                                     .serial_number = o->config.endpoint,
                                     .firmware_version = bootjack_library_version() };
    bootjack_error error = bootjack_security_object_install(client);
    error = error ? error : bootjack_server_object_install(client);
    error = error ? error : bootjack_device_object_install(client, &device);
    error = error || !o->access_control ? error : bootjack_access_control_object_install(client);
    error = error || !o->test_object ? error : bootjack_test_object_install(client);
    return error;
}

/* Accounts from the state file, or those of the command line when there is none yet; an exit status. */
static int take_accounts(bootjack_client *client, const bjc_options *o) {
    bootjack_error error = o->state_file ? bootjack_persistence_load(client, o->state_file) : BOOTJACK_ERR_NOT_FOUND;
    if (error == BOOTJACK_ERR_MEMORY) {
        return BJC_EXIT_FAILED;
    }
    if (error && error != BOOTJACK_ERR_NOT_FOUND) {
        fprintf(stderr,
                "bootjack-client: %s: %s\n"
                "bootjack-client: move the file away to start with the accounts of the command line\n",
                o->state_file, bootjack_error_text(error));
        return BJC_EXIT_STATE;
    }
    if (error && !o->bootstrap.instance.server_uri && !o->server.instance.server_uri) {
        fprintf(stderr, "bootjack-client: %s: not there, and neither --bootstrap nor --server given\n", o->state_file);
        return BJC_EXIT_USAGE;
    }
    error = error ? add_accounts(client, o) : BOOTJACK_OK;
    if (error) {
        fprintf(stderr, "bootjack-client: account: %s\n", bootjack_error_text(error));
    }
    return error ? BJC_EXIT_FAILED : 0;
}

int main(int argc, char **argv) {
    bjc_options options;
    bootjack_client *client;
    bjc_parsed parsed = bjc_options_parse(&options, argc, argv);
    if (parsed != BJC_PARSED_RUN) {
        bjc_options_free(&options);
        return parsed == BJC_PARSED_DONE ? 0 : BJC_EXIT_USAGE;
    }
    options.config.log = log_line;
    bootjack_error error = bootjack_client_create(&options.config, &client);
    if (!error) {
        error = furnish(client, &options);
    }
    if (error) {
        fprintf(stderr, "bootjack-client: cannot be made: %s\n", bootjack_error_text(error));
    }
    int status = error ? BJC_EXIT_FAILED : take_accounts(client, &options);
    if (!status && !run(client)) {
        status = BJC_EXIT_FAILED;
    }
    bootjack_client_destroy(client);
    bjc_options_free(&options);
    return status;
}
