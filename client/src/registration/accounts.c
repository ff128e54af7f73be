/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether there are server accounts that the client can use.
 */
#define _GNU_SOURCE
#include "registration/accounts.h"

#include <time.h>

bootjack_error bjc_accounts_check_existence(const bjc_store *security, const bjc_store *server, const char **reason) {
    bool keys = false;
    for (const bjc_instance *instance = security->instances; instance; instance = instance->next) {
        keys = keys || !bjc_store_boolean(security, instance->iid, BJC_SECURITY_BOOTSTRAP, false);
    }
    *reason = server->instances ? "no Security instance of a server (/0)" : "no Server instance (/1)";
    return server->instances && keys ? BOOTJACK_OK : BOOTJACK_ERR_INCONSISTENT;
}

static int32_t server_of(const bjc_store *server, int64_t ssid) {
    for (const bjc_instance *instance = server->instances; instance; instance = instance->next) {
        if (bjc_store_integer(server, instance->iid, BJC_SERVER_SSID, 0) == ssid) {
            return instance->iid;
        }
    }
    return -1;
}

static void note_unused(const bjc_core *core, const bjc_store *security, const bjc_store *server) {
    for (const bjc_instance *instance = security->instances; instance; instance = instance->next) {
        int64_t ssid = bjc_store_integer(security, instance->iid, BJC_SECURITY_SSID, 0);
        bool bootstrap = bjc_store_boolean(security, instance->iid, BJC_SECURITY_BOOTSTRAP, false);
        if (!bootstrap && server_of(server, ssid) < 0) {
            bjc_log(core, BOOTJACK_LOG_WARNING, "/0/%u belongs to no Server instance (Short Server ID %d)",
                    instance->iid, (int) ssid);
        }
    }
}

/* To see the harness notice the absence of the rule, let this return BOOTJACK_OK (and bjc_security_of_server() any
 * instance). */
bootjack_error bjc_accounts_check_ids(const bjc_core *core, const bjc_store *security, const bjc_store *server,
                                      const char **reason) {
    *reason = "a Server instance (/1) whose Short Server ID no Security instance (/0) has";
    note_unused(core, security, server);
    for (const bjc_instance *instance = server->instances; instance; instance = instance->next) {
        int64_t ssid = bjc_store_integer(server, instance->iid, BJC_SERVER_SSID, 0);
        if (ssid < 1 || ssid > 65534 || bjc_security_of_server(security, (uint16_t) ssid) < 0) {
            bjc_log(core, BOOTJACK_LOG_WARNING, "/1/%u: Short Server ID %d matches no Security instance", instance->iid,
                    (int) ssid);
            return BOOTJACK_ERR_INCONSISTENT;
        }
    }
    return BOOTJACK_OK;
}

/* --- has it changed? -------------------------------------------------------------------------------------------- */

uint64_t bjc_fingerprint(uint64_t present, const void *data, size_t length) {
    const uint8_t *bytes = data;
    for (size_t i = 0; i < length; i++) {
        present = (present ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
    return present;
}

static uint64_t of_cell(uint64_t present, const bjc_cell *cell) {
    const bootjack_value *value = &cell->value;
    const uint16_t ids[] = { cell->rid, cell->riid, (uint16_t) value->type };
    present = bjc_fingerprint(present, ids, sizeof ids);
    switch (value->type) {
    case BOOTJACK_TYPE_STRING:
    case BOOTJACK_TYPE_OPAQUE:
    case BOOTJACK_TYPE_CORELNK:
        return bjc_fingerprint(present, value->as.bytes.data, value->as.bytes.length);
    case BOOTJACK_TYPE_BOOLEAN:
        return bjc_fingerprint(present, &value->as.boolean, sizeof value->as.boolean);
    case BOOTJACK_TYPE_OBJLNK:
        return bjc_fingerprint(present, &value->as.link, sizeof value->as.link);
    case BOOTJACK_TYPE_FLOAT:
        return bjc_fingerprint(present, &value->as.real, sizeof value->as.real);
    default:
        return bjc_fingerprint(present, &value->as.integer, sizeof value->as.integer);
    }
}

static uint64_t of_instance(const bjc_store *store, const bjc_instance *instance) {
    uint64_t mark = BJC_FINGERPRINT;
    for (const bjc_cell *cell = instance->cells; cell; cell = cell->next) {
        bool own = store->object->oid == 1 &&
                   (cell->rid == BJC_SERVER_ALERT_CODE || cell->rid == BJC_SERVER_LAST_BOOTSTRAPPED);
        mark = own ? mark : of_cell(mark, cell);
    }
    return mark;
}

bjc_account_mark bjc_account_mark_of(const bjc_store *security, int32_t security_iid, const bjc_store *server,
                                     uint16_t server_iid) {
    const bjc_instance *keys = security_iid < 0 ? NULL : bjc_store_instance(security, (uint16_t) security_iid);
    const bjc_instance *settings = bjc_store_instance(server, server_iid);
    bjc_account_mark mark = { 0 };
    if (keys) {
        mark.security_born = keys->born;
        mark.security = of_instance(security, keys);
    }
    if (settings) {
        mark.server_born = settings->born;
        mark.server = of_instance(server, settings);
    }
    return mark;
}

int32_t bjc_account_of_mark(const bjc_store *security, bjc_account_mark mark) {
    const bjc_instance *keys = security->instances;
    while (keys && keys->born != mark.security_born) {
        keys = keys->next;
    }
    return keys ? keys->iid : -1;
}

static bool has_keys(const bjc_store *security, int64_t ssid) {
    return ssid > 0 && ssid < 65535 && bjc_security_of_server(security, (uint16_t) ssid) >= 0;
}

/* Had the Short Server ID a Security instance before this session? */
static bool had_keys(const bjc_store *security, int64_t ssid) {
    const bjc_store before = bjc_store_valid(security);
    return has_keys(&before, ssid);
}

static bool any_pair(const bjc_store *security, const bjc_store *server) {
    for (const bjc_instance *instance = server->instances; instance; instance = instance->next) {
        if (has_keys(security, bjc_store_integer(server, instance->iid, BJC_SERVER_SSID, 0))) {
            return true;
        }
    }
    return false;
}

void bjc_accounts_drop_unpaired(const bjc_core *core, const bjc_store *security, bjc_store *server) {
    const bjc_instance *next = any_pair(security, server) ? server->instances : NULL;
    while (next) {
        const bjc_instance *instance = next;
        next = instance->next;
        int64_t ssid = bjc_store_integer(server, instance->iid, BJC_SERVER_SSID, 0);
        if (!has_keys(security, ssid) && had_keys(security, ssid) && !bjc_store_written(server, instance->iid)) {
            bjc_log(core, BOOTJACK_LOG_INFO, "/1/%u goes with the Security instance of server %d", instance->iid,
                    (int) ssid);
            bjc_store_remove(server, instance->iid);
        }
    }
}

/* An account has several instances of /0 when it has several transports. */
static bool was_written(const bjc_store *security, const bjc_store *server, uint16_t server_iid) {
    int64_t ssid = bjc_store_integer(server, server_iid, BJC_SERVER_SSID, 0);
    bool written = bjc_store_written(server, server_iid);
    for (const bjc_instance *keys = security->instances; keys && !written; keys = keys->next) {
        written = bjc_store_written(security, keys->iid) &&
                  !bjc_store_boolean(security, keys->iid, BJC_SECURITY_BOOTSTRAP, false) &&
                  bjc_store_integer(security, keys->iid, BJC_SECURITY_SSID, 0) == ssid;
    }
    return written;
}

void bjc_accounts_note_bootstrap(const bjc_core *core, const bjc_store *security, bjc_store *server) {
    if (core->config.version < BOOTJACK_LWM2M_1_1) {
        return;
    }
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    for (const bjc_instance *instance = server->instances; instance; instance = instance->next) {
        if (was_written(security, server, instance->iid)) {
            /* Optional: when memory has run out, it is left as it was. */
            (void) bjc_store_set_integer(server, instance->iid, BJC_SERVER_LAST_BOOTSTRAPPED, now.tv_sec);
        }
    }
}
