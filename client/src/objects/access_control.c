/* SPDX-License-Identifier: Apache-2.0
 *
 * Access Control (/2), LwM2M Core 1.1 Appendix E.3: its data. Who may do what is decided elsewhere.
 */
#include <stdio.h>

#include "objects/objects.h"

#define R    BOOTJACK_READABLE
#define RW   (BOOTJACK_READABLE | BOOTJACK_WRITABLE)
#define M    BOOTJACK_MANDATORY
#define MANY BOOTJACK_MULTIPLE

/* TS 1.0 has 16 bits of rights, of which five mean something; release 1.1 allows no others. */
static const bootjack_resource resources[] = {
    { 0, "Object ID", BOOTJACK_TYPE_INTEGER, R | M, 1, 65534, 10 },
    { 1, "Object Instance ID", BOOTJACK_TYPE_INTEGER, R | M, 0, 65535, 10 },
    { 2, "ACL", BOOTJACK_TYPE_INTEGER, RW | MANY, 0, 65535, 10 },
    { 2, "ACL", BOOTJACK_TYPE_INTEGER, RW | MANY, 0, 31, 11 },
    { 3, "Access Control Owner", BOOTJACK_TYPE_INTEGER, RW | M, 0, 65535, 10 },
};

#undef R
#undef RW
#undef M
#undef MANY

static const bootjack_object object = {
    .oid = 2,
    .resources = resources,
    .resource_count = sizeof resources / sizeof *resources,
    .handlers = &bjc_store_handlers,
};

static bool same_target(const bjc_store *store, uint16_t iid, uint16_t other) {
    return bjc_store_integer(store, iid, BJC_ACL_OBJECT, 0) == bjc_store_integer(store, other, BJC_ACL_OBJECT, 0) &&
           bjc_store_integer(store, iid, BJC_ACL_INSTANCE, 0) == bjc_store_integer(store, other, BJC_ACL_INSTANCE, 0);
}

/* Two instances for one target would contradict each other. */
static bootjack_error check(const bjc_store *store, char *reason, size_t reason_size) {
    for (const bjc_instance *instance = store->instances; instance; instance = instance->next) {
        for (const bjc_instance *other = store->instances; other != instance; other = other->next) {
            if (same_target(store, instance->iid, other->iid)) {
                snprintf(reason, reason_size, "/2/%u/1: the same target as /2/%u", instance->iid, other->iid);
                return BOOTJACK_ERR_INCONSISTENT;
            }
        }
    }
    return BOOTJACK_OK;
}

void bjc_access_control_init(bjc_store *store, const bjc_core *core) {
    bjc_store_init(store, core, &object);
    store->check = check;
}

/* --- what it refers to ------------------------------------------------------------------------------------------ */

static bool is_target(const bjc_model *model, int64_t oid, int64_t iid) {
    const bjc_object *target = bjc_model_object(model, (uint16_t) oid);
    return target && (iid == BOOTJACK_ID_INVALID || bjc_model_has_instance(target, (uint16_t) iid));
}

static bool is_listed(const bjc_store *server, int64_t ssid) {
    for (const bjc_instance *instance = server->instances; instance; instance = instance->next) {
        if (bjc_store_integer(server, instance->iid, BJC_SERVER_SSID, 0) == ssid) {
            return true;
        }
    }
    return false;
}

/* 0 stands for every server in the list of rights; the owner 65535 is none. Rights of a server whose account the
 * session takes away are no mistake: they go with it when that is over. */
static bool is_server(const bjc_store *server, int64_t ssid) {
    const bjc_store before = bjc_store_valid(server);
    return is_listed(server, ssid) || is_listed(&before, ssid);
}

static bool entries_known(const bjc_instance *instance, const bjc_store *server, uint16_t *ssid) {
    for (const bjc_cell *cell = instance->cells; cell; cell = cell->next) {
        if (cell->rid == BJC_ACL_ENTRIES && cell->riid != 0 && !is_server(server, cell->riid)) {
            *ssid = cell->riid;
            return false;
        }
    }
    return true;
}

static bool refers(const bjc_model *model, const bjc_store *acl, const bjc_instance *instance, const bjc_store *server,
                   char *reason, size_t size) {
    int64_t oid = bjc_store_integer(acl, instance->iid, BJC_ACL_OBJECT, 0);
    int64_t iid = bjc_store_integer(acl, instance->iid, BJC_ACL_INSTANCE, 0);
    int64_t owner = bjc_store_integer(acl, instance->iid, BJC_ACL_OWNER, 0);
    uint16_t ssid = 0;
    if (!is_target(model, oid, iid)) {
        snprintf(reason, size, "/2/%u/1: there is no /%d/%d", instance->iid, (int) oid, (int) iid);
    } else if (owner != BOOTJACK_ID_INVALID && !is_server(server, owner)) {
        snprintf(reason, size, "/2/%u/3: there is no server with Short Server ID %d", instance->iid, (int) owner);
    } else if (!entries_known(instance, server, &ssid)) {
        snprintf(reason, size, "/2/%u/2/%u: there is no server with that Short Server ID", instance->iid, ssid);
    } else {
        return true;
    }
    return false;
}

bootjack_error bjc_access_control_check_references(const bjc_model *model, const bjc_store *acl,
                                                   const bjc_store *server, char *reason, size_t size) {
    for (const bjc_instance *instance = acl->instances; instance; instance = instance->next) {
        if (!refers(model, acl, instance, server, reason, size)) {
            return BOOTJACK_ERR_INCONSISTENT;
        }
    }
    return BOOTJACK_OK;
}

/* --- factory data ----------------------------------------------------------------------------------------------- */

static bootjack_error add_entries(bjc_store *store, uint16_t iid, const bootjack_access_control_instance *instance) {
    bootjack_error error = BOOTJACK_OK;
    for (size_t i = 0; i < instance->entry_count && !error; i++) {
        const bootjack_access_entry *entry = &instance->entries[i];
        bootjack_value rights = { .type = BOOTJACK_TYPE_INTEGER, .as.integer = entry->rights };
        error = entry->ssid == BOOTJACK_ID_INVALID ? BOOTJACK_ERR_ARGUMENT
                                                   : bjc_store_set(store, iid, BJC_ACL_ENTRIES, entry->ssid, &rights);
    }
    return error;
}

static bootjack_error add_resources(bjc_store *store, uint16_t iid, const bootjack_access_control_instance *instance) {
    char reason[100];
    bootjack_error error = bjc_store_set_integer(store, iid, BJC_ACL_OBJECT, instance->target_object);
    error = error ? error : bjc_store_set_integer(store, iid, BJC_ACL_INSTANCE, instance->target_instance);
    error = error ? error : bjc_store_set_integer(store, iid, BJC_ACL_OWNER, instance->owner);
    error = error ? error : add_entries(store, iid, instance);
    error = error ? error : bjc_store_validate(store, reason, sizeof reason);
    return error == BOOTJACK_ERR_RANGE ? BOOTJACK_ERR_ARGUMENT : error;
}

bootjack_error bjc_access_control_add(bjc_store *store, const bootjack_access_control_instance *instance,
                                      uint16_t *iid) {
    uint16_t chosen = *iid == BOOTJACK_ID_INVALID ? bjc_store_free_id(store) : *iid;
    bootjack_error error = bjc_store_create(store, chosen);
    if (error) {
        return error;
    }
    error = add_resources(store, chosen, instance);
    if (error) {
        bjc_store_remove(store, chosen);
        return error == BOOTJACK_ERR_INCONSISTENT ? BOOTJACK_ERR_EXISTS : error;
    }
    *iid = chosen;
    return BOOTJACK_OK;
}
