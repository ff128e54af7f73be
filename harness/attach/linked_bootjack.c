/* SPDX-License-Identifier: Apache-2.0
 *
 * Our client behind the six functions of attach/linked.h. What the scenario says of the client becomes factory data;
 * credentials are handed over, never logged.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/linked_bootjack.h"
#include "bootjack/bootjack.h"

const char bj_linked_profile[] =
    "name: bootjack\n"
    "attach: linked\n"
    "facts: [transactional, discover, bootstrap-read, lwm2m-1.0, lwm2m-1.1, lwm2m-1.2, linked, "
    "deregisters, pack, notifies-writer, bare-accounts, request-tag, overtaking]\n"
    "holdoff-grows: true\n"
    "about: the client of this repository, linked into bootjack\n"
    "deviations:\n"
    "  - rule: COAP-ACK\n"
    "    scenario: \"*\"\n"
    "    text: an Acknowledgement is rejected with a Reset message\n"
    "    reason: libcoap 4.3.1 rejects an Acknowledgement with a code that it does not know, or "
    "with a request, with RST (RFC 7252 4.2)\n"
    "  - rule: COAP-ACK\n"
    "    scenario: \"*\"\n"
    "    text: a Reset message with Message ID 0,\n"
    "    reason: libcoap 4.3.1 rejects what is of another version of CoAP with RST and Message ID 0 (RFC 7252 3)\n"
    "  - rule: COAP-ACK\n"
    "    scenario: \"*\"\n"
    "    text: an Acknowledgement with a method that is not known\n"
    "    reason: libcoap 4.3.1 answers such a request with 4.04 whatever type of message it is in\n"
    "  - rule: COAP-ACK\n"
    "    scenario: \"*\"\n"
    "    text: an Acknowledgement with a request gets a response, 5.05\n"
    "    reason: libcoap 4.3.1 refuses a request with Proxy-Uri whatever type of message it is in\n"
    "  - rule: COAP-ACK\n"
    "    scenario: \"*\"\n"
    "    text: an Acknowledgement with a request gets a response, 4.00\n"
    "    reason: libcoap 4.3.1 refuses a request with a Hop-Limit of 0 whatever type of message it is in\n"
    "  - rule: COAP-ACK\n"
    "    scenario: \"*\"\n"
    "    text: an Acknowledgement with a request gets a response, 5.08\n"
    "    reason: libcoap 4.3.1 has a request with a Hop-Limit of 1 go no further whatever type of message it is in\n"
    "  - rule: COAP-PING\n"
    "    scenario: \"*\"\n"
    "    text: within a second of another or of the start\n"
    "    reason: libcoap 4.3.1 rejects one ping of a session in a quarter of a second, none in the first, and passes "
    "over the others\n"
    "  - rule: COAP-FORMAT\n"
    "    scenario: \"*\"\n"
    "    text: a code of signalling\n"
    "    reason: libcoap 4.3.1 answers Ping and the like of RFC 8323 over UDP, too\n";

typedef struct linked {
    bootjack_client *client;
    bootjack_linked_config config;
    bool refused; /* what was in its state file */
} linked;

static void log_line(void *context, bootjack_log_level level, const char *line) {
    const linked *l = context;
    (void) level;
    l->config.log_line(l->config.context, line);
}

static void state_changed(void *context, const char *text) {
    const linked *l = context;
    l->config.state_changed(l->config.context, text);
}

static bool take_version(const char *text, bootjack_version *version) {
    if (!text) {
        return true;
    }
    static const struct {
        const char *text;
        bootjack_version version;
    } rows[] = { { "1.0", BOOTJACK_LWM2M_1_0 }, { "1.1", BOOTJACK_LWM2M_1_1 }, { "1.2", BOOTJACK_LWM2M_1_2 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(text, rows[i].text) == 0) {
            *version = rows[i].version;
            return true;
        }
    }
    return false;
}

static bool take_config(const bootjack_linked_config *from, bootjack_config *to) {
    bootjack_config_init(to);
    to->endpoint = from->endpoint;
    to->strict = from->strict != 0;
    to->queue_mode = from->queue_mode != 0;
    to->legacy_server_initiated = from->legacy != 0;
    if (from->holdoff_cap_ms >= 0) {
        to->holdoff_cap_ms = from->holdoff_cap_ms > UINT32_MAX ? UINT32_MAX : (uint32_t) from->holdoff_cap_ms;
    }
    if (from->holdoff_jitter > 0) {
        to->holdoff_jitter = from->holdoff_jitter;
    }
    if (from->ack_timeout_ms >= 0) {
        to->tx.ack_timeout_ms = from->ack_timeout_ms > UINT32_MAX ? UINT32_MAX : (uint32_t) from->ack_timeout_ms;
    }
    if (from->ack_random_factor > 0) {
        to->tx.ack_random_factor = from->ack_random_factor;
    }
    if (from->max_retransmit >= 0) {
        to->tx.max_retransmit = (uint16_t) from->max_retransmit;
    }
    if (from->pack >= 0) {
        to->bootstrap_pack = from->pack != 0;
    }
    to->trust_store = from->trust_store;
    to->trust_store_length = from->trust_store_length;
    to->log = log_line;
    to->state_changed = state_changed;
    return take_version(from->lwm2m_version, &to->version);
}

/* A resource holds whole seconds; 0 = absent. */
static int32_t seconds_up(int64_t milliseconds) {
    return milliseconds <= 0 ? 0 : (int32_t) ((milliseconds + 999) / 1000);
}

static bootjack_error add_server(bootjack_client *client, const bootjack_linked_account *account) {
    uint16_t iid = account->instance < 0 ? BOOTJACK_ID_INVALID : (uint16_t) account->instance;
    const bootjack_server_instance server = {
        .ssid = (uint16_t) account->ssid,
        .lifetime_s = account->lifetime_ms < 0 ? 86400 : seconds_up(account->lifetime_ms),
        .binding = account->binding,
    };
    return bootjack_server_object_add_instance(client, &server, &iid);
}

#define SUITES 64

/* False: more than the client takes. */
static bool take_suites(const bootjack_linked_account *account, uint16_t *suites) {
    for (size_t i = 0; i < account->suite_count && i < SUITES; i++) {
        suites[i] = (uint16_t) account->suites[i];
    }
    return account->suite_count <= SUITES;
}

static bootjack_error add_account(bootjack_client *client, const bootjack_linked_account *account) {
    uint16_t iid = account->instance < 0 ? BOOTJACK_ID_INVALID : (uint16_t) account->instance;
    uint16_t suites[SUITES];
    const bootjack_matching_type matching = (bootjack_matching_type) account->matching_type;
    const bootjack_certificate_usage usage = (bootjack_certificate_usage) account->certificate_usage;
    if (!take_suites(account, suites)) {
        return BOOTJACK_ERR_LIMIT;
    }
    const bootjack_security_instance security = {
        .ssid = (uint16_t) account->ssid,
        .bootstrap_server = account->bootstrap != 0,
        .server_uri = account->uri,
        .security_mode = (bootjack_security_mode) account->security_mode,
        .public_key_or_identity = account->identity,
        .public_key_or_identity_length = account->identity_length,
        .secret_key = account->key,
        .secret_key_length = account->key_length,
        .client_holdoff_s = seconds_up(account->holdoff_ms),
        .bootstrap_timeout_s = seconds_up(account->timeout_ms),
        .server_public_key = account->server_key,
        .server_public_key_length = account->server_key_length,
        .matching_type = account->matching_type < 0 ? NULL : &matching,
        .server_name = account->sni,
        .certificate_usage = account->certificate_usage < 0 ? NULL : &usage,
        .ciphersuites = suites,
        .ciphersuite_count = account->suite_count,
    };
    bootjack_error error = bootjack_security_object_add_instance(client, &security, &iid);
    return error || account->bootstrap ? error : add_server(client, account);
}

/* Accounts from the factory, where there is no state yet. */
static bootjack_error take_accounts(linked *l) {
    const char *file = l->config.state_path;
    bootjack_error error = file ? bootjack_persistence_load(l->client, file) : BOOTJACK_ERR_NOT_FOUND;
    if (error && error != BOOTJACK_ERR_NOT_FOUND) {
        l->refused = error != BOOTJACK_ERR_MEMORY;
        return l->refused ? BOOTJACK_OK : error;
    }
    bool none = error == BOOTJACK_ERR_NOT_FOUND;
    error = BOOTJACK_OK;
    for (size_t i = 0; none && i < l->config.account_count && !error; i++) {
        error = add_account(l->client, &l->config.accounts[i]);
    }
    return error;
}

static bootjack_error furnish(linked *l) {
    const bootjack_device device = { .manufacturer = "Bootjack",
                                     .model_number = "linked",
                                     .serial_number = l->config.endpoint,
                                     .firmware_version = bootjack_library_version() };
    bootjack_error error = bootjack_security_object_install(l->client);
    error = error ? error : bootjack_server_object_install(l->client);
    error = error ? error : bootjack_device_object_install(l->client, &device);
    error = error || !l->config.access_control ? error : bootjack_access_control_object_install(l->client);
    error = error || !l->config.test_object ? error : bootjack_test_object_install(l->client);
    return error ? error : take_accounts(l);
}

static void destroy(void *client) {
    linked *l = client;
    bootjack_client_destroy(l->client);
    free(l);
}

void *bj_linked_bootjack_create(const bootjack_linked_config *config, const bootjack_allocator *allocator,
                                struct coap_context_t *context) {
    bootjack_config own;
    linked *l = calloc(1, sizeof *l);
    if (!l) {
        return NULL;
    }
    l->config = *config;
    bool known = take_config(config, &own);
    own.log_context = own.state_context = l;
    own.allocator = allocator;
    own.coap_context = context;
    bootjack_error error = known ? bootjack_client_create(&own, &l->client) : BOOTJACK_ERR_UNSUPPORTED;
    error = error ? error : furnish(l);
    if (error) {
        config->log_line(config->context, bootjack_error_text(error));
        destroy(l);
        return NULL;
    }
    return l;
}

static void *create(const bootjack_linked_config *config) {
    return bj_linked_bootjack_create(config, NULL, NULL);
}

static void step(void *client) {
    const linked *l = client;
    if (!l->refused) {
        bootjack_client_step(l->client);
    }
}

static int64_t next_deadline(void *client) {
    const linked *l = client;
    return bootjack_client_next_deadline_ms(l->client);
}

static void stop(void *client) {
    const linked *l = client;
    bootjack_client_stop(l->client);
}

static int state(void *client) {
    enum { STATE_REFUSED = 3 };
    const linked *l = client;
    return l->refused ? STATE_REFUSED : bootjack_client_state(l->client) == BOOTJACK_CLIENT_STOPPED;
}

const bootjack_linked_client bootjack_client_linked = {
    .version = BOOTJACK_LINKED_VERSION,
    .name = "bootjack",
    .create = create,
    .step = step,
    .next_deadline = next_deadline,
    .stop = stop,
    .state = state,
    .destroy = destroy,
};
