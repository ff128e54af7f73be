/* SPDX-License-Identifier: Apache-2.0
 *
 * LwM2M Server (/1), LwM2M Core 1.1 Appendix E.2.
 */
#include <stdio.h>
#include <string.h>

#include "objects/objects.h"

#define R  BOOTJACK_READABLE
#define RW (BOOTJACK_READABLE | BOOTJACK_WRITABLE)
#define E  BOOTJACK_EXECUTABLE
#define M  BOOTJACK_MANDATORY

/* Release 1.2 made /13 to /20 known to servers. */
static const bootjack_resource resources[] = {
    { 0, "Short Server ID", BOOTJACK_TYPE_INTEGER, R | M, 1, 65534, 10 },
    { 1, "Lifetime", BOOTJACK_TYPE_INTEGER, RW | M, 0, UINT32_MAX, 10 },
    { 2, "Default Minimum Period", BOOTJACK_TYPE_INTEGER, RW, 0, INT64_MAX, 10 },
    { 3, "Default Maximum Period", BOOTJACK_TYPE_INTEGER, RW, 1, INT64_MAX, 10 },
    { 4, "Disable", BOOTJACK_TYPE_NONE, E, 0, 0, 10 },
    { 5, "Disable Timeout", BOOTJACK_TYPE_INTEGER, RW, 0, UINT32_MAX, 10 },
    { 6, "Notification Storing", BOOTJACK_TYPE_BOOLEAN, RW | M, 0, 0, 10 },
    { 7, "Binding", BOOTJACK_TYPE_STRING, RW | M, 1, 8, 10 },
    { 8, "Registration Update Trigger", BOOTJACK_TYPE_NONE, E | M, 0, 0, 10 },
    { 9, "Bootstrap-Request Trigger", BOOTJACK_TYPE_NONE, E, 0, 0, 11 },
    { 10, "APN Link", BOOTJACK_TYPE_OBJLNK, RW, 0, 0, 11 },
    { 11, "TLS-DTLS Alert Code", BOOTJACK_TYPE_UNSIGNED, R, 0, 255, 11 },
    { 12, "Last Bootstrapped", BOOTJACK_TYPE_TIME, R, 0, 0, 11 },
    { 13, "Registration Priority Order", BOOTJACK_TYPE_UNSIGNED, 0, 0, 0, 11 },
    { 13, "Registration Priority Order", BOOTJACK_TYPE_UNSIGNED, R, 0, 0, 12 },
    { 14, "Initial Registration Delay Timer", BOOTJACK_TYPE_UNSIGNED, 0, 0, 0, 11 },
    { 14, "Initial Registration Delay Timer", BOOTJACK_TYPE_UNSIGNED, RW, 0, 0, 12 },
    { 15, "Registration Failure Block", BOOTJACK_TYPE_BOOLEAN, 0, 0, 0, 11 },
    { 15, "Registration Failure Block", BOOTJACK_TYPE_BOOLEAN, R, 0, 0, 12 },
    { 16, "Bootstrap on Registration Failure", BOOTJACK_TYPE_BOOLEAN, 0, 0, 0, 11 },
    { 16, "Bootstrap on Registration Failure", BOOTJACK_TYPE_BOOLEAN, R, 0, 0, 12 },
    { 17, "Communication Retry Count", BOOTJACK_TYPE_UNSIGNED, 0, 1, INT64_MAX, 11 },
    { 17, "Communication Retry Count", BOOTJACK_TYPE_UNSIGNED, RW, 1, INT64_MAX, 12 },
    { 18, "Communication Retry Timer", BOOTJACK_TYPE_UNSIGNED, 0, 0, 0, 11 },
    { 18, "Communication Retry Timer", BOOTJACK_TYPE_UNSIGNED, RW, 0, 0, 12 },
    { 19, "Communication Sequence Delay Timer", BOOTJACK_TYPE_UNSIGNED, 0, 0, 0, 11 },
    { 19, "Communication Sequence Delay Timer", BOOTJACK_TYPE_UNSIGNED, RW, 0, 0, 12 },
    { 20, "Communication Sequence Retry Count", BOOTJACK_TYPE_UNSIGNED, 0, 1, INT64_MAX, 11 },
    { 20, "Communication Sequence Retry Count", BOOTJACK_TYPE_UNSIGNED, RW, 1, INT64_MAX, 12 },
    { 21, "Trigger", BOOTJACK_TYPE_BOOLEAN, RW, 0, 0, 11 },
    { 22, "Preferred Transport", BOOTJACK_TYPE_STRING, RW, 1, 1, 11 },
    { 23, "Mute Send", BOOTJACK_TYPE_BOOLEAN, RW, 0, 0, 11 },
    { 24, "Alternate APN Links", BOOTJACK_TYPE_OBJLNK, RW | BOOTJACK_MULTIPLE, 0, 0, 12 },
    { 25, "Supported Server Versions", BOOTJACK_TYPE_STRING, RW | BOOTJACK_MULTIPLE, 0, 0, 12 },
    { 26, "Default Notification Mode", BOOTJACK_TYPE_INTEGER, RW, 0, 1, 12 },
    { 27, "Profile ID Hash Algorithm", BOOTJACK_TYPE_UNSIGNED, RW, 0, 255, 12 },
};

#undef R
#undef RW
#undef E
#undef M

static const bootjack_object object = {
    .oid = 1,
    .resources = resources,
    .resource_count = sizeof resources / sizeof *resources,
    .handlers = &bjc_store_handlers,
};

static bool binding_1_0(const uint8_t *text, size_t length) {
    static const char *const values[] = { "U", "UQ", "S", "SQ", "US", "UQS" };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        if (length == strlen(values[i]) && memcmp(text, values[i], length) == 0) {
            return true;
        }
    }
    return false;
}

/* Letters of release 1.1: UDP, TCP, SMS, Non-IP. */
static bool is_transport(uint8_t letter) {
    return letter == 'U' || letter == 'T' || letter == 'S' || letter == 'N';
}

bool bjc_binding_usable(bootjack_version version, bool strict, const uint8_t *text, size_t length) {
    /* Servers of release 1.1 go on writing the queue mode's old letter; it is tolerated where nothing else is asked. */
    if (version == BOOTJACK_LWM2M_1_0 || !strict) {
        if (binding_1_0(text, length)) {
            return true;
        }
    }
    if (version == BOOTJACK_LWM2M_1_0 || length == 0) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (!is_transport(text[i]) || memchr(text + i + 1, text[i], length - i - 1)) {
            return false;
        }
    }
    return true;
}

static bootjack_error check_instance(const bjc_store *store, uint16_t iid, char *reason, size_t size) {
    const bootjack_config *config = &store->core->config;
    const bootjack_value *binding = bjc_store_get(store, iid, BJC_SERVER_BINDING, 0);
    const bootjack_value *preferred = bjc_store_get(store, iid, 22, 0);
    if (binding &&
        !bjc_binding_usable(config->version, config->strict, binding->as.bytes.data, binding->as.bytes.length)) {
        snprintf(reason, size, "/1/%u/7: not a binding of this release", iid);
        return BOOTJACK_ERR_RANGE;
    }
    if (preferred && !is_transport(preferred->as.bytes.length ? preferred->as.bytes.data[0] : 0)) {
        snprintf(reason, size, "/1/%u/22: not a transport", iid);
        return BOOTJACK_ERR_RANGE;
    }
    int64_t ssid = bjc_store_integer(store, iid, BJC_SERVER_SSID, 0); /* 0: it has none yet */
    for (const bjc_instance *other = store->instances; other && other->iid != iid; other = other->next) {
        if (ssid && bjc_store_integer(store, other->iid, BJC_SERVER_SSID, 0) == ssid) {
            snprintf(reason, size, "/1/%u/0: Short Server ID used twice", iid);
            return BOOTJACK_ERR_INCONSISTENT;
        }
    }
    return BOOTJACK_OK;
}

static bootjack_error check(const bjc_store *store, char *reason, size_t reason_size) {
    for (const bjc_instance *instance = store->instances; instance; instance = instance->next) {
        bootjack_error error = check_instance(store, instance->iid, reason, reason_size);
        if (error) {
            return error;
        }
    }
    return BOOTJACK_OK;
}

bootjack_error bjc_server_check(const bjc_store *store) {
    char reason[80];
    bootjack_error error = check(store, reason, sizeof reason);
    return error == BOOTJACK_ERR_INCONSISTENT ? BOOTJACK_ERR_EXISTS : error;
}

void bjc_server_init(bjc_store *store, const bjc_core *core, bjc_server_execute_fn *execute, void *context) {
    bjc_store_init(store, core, &object);
    store->check = check;
    store->execute = execute;
    store->context = context;
}

static bootjack_error add_optional(bjc_store *store, uint16_t iid, const bootjack_server_instance *instance) {
    const struct {
        uint16_t rid;
        int32_t number;
    } optional[] = { { 2, instance->default_min_period_s },
                     { 3, instance->default_max_period_s },
                     { 5, instance->disable_timeout_s } };
    bootjack_error error = BOOTJACK_OK;
    for (size_t i = 0; i < sizeof optional / sizeof *optional && !error; i++) {
        if (optional[i].number) {
            error = bjc_store_set_integer(store, iid, optional[i].rid, optional[i].number);
        }
    }
    return error;
}

static bootjack_error add_resources(bjc_store *store, uint16_t iid, const bootjack_server_instance *instance) {
    bootjack_error error = bjc_store_set_integer(store, iid, BJC_SERVER_SSID, instance->ssid);
    error = error ? error : bjc_store_set_integer(store, iid, BJC_SERVER_LIFETIME, instance->lifetime_s);
    error = error ? error : bjc_store_set_boolean(store, iid, 6, instance->notification_storing);
    error =
        error ? error : bjc_store_set_text(store, iid, BJC_SERVER_BINDING, instance->binding ? instance->binding : "U");
    return error ? error : add_optional(store, iid, instance);
}

bootjack_error bjc_server_add(bjc_store *store, const bootjack_server_instance *instance, uint16_t *iid) {
    if (instance->ssid == 0 || instance->ssid == 65535 || instance->lifetime_s < 0 ||
        instance->default_min_period_s < 0 || instance->default_max_period_s < 0 || instance->disable_timeout_s < 0) {
        return BOOTJACK_ERR_ARGUMENT;
    }
    char reason[80];
    uint16_t chosen = *iid == BOOTJACK_ID_INVALID ? bjc_store_free_id(store) : *iid;
    bootjack_error error = bjc_store_create(store, chosen);
    if (error) {
        return error;
    }
    error = add_resources(store, chosen, instance);
    error = error ? error : bjc_store_check_ranges(store, chosen, reason, sizeof reason);
    error = error ? error : bjc_server_check(store);
    if (error) {
        bjc_store_remove(store, chosen);
        return error;
    }
    *iid = chosen;
    return BOOTJACK_OK;
}
