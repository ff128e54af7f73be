/* SPDX-License-Identifier: Apache-2.0
 *
 * Rights of servers.
 */
#include "management/access.h"

#include "objects/objects.h"

#define ANY_SERVER 0 /* the entry for servers that have none of their own */

static unsigned servers(const bjc_model *model) {
    const bjc_object *server = bjc_model_object(model, 1);
    unsigned count = 0;
    int32_t iid = -1;
    while (server && (iid = server->handlers->next_instance(server->context, iid)) >= 0) {
        count++;
    }
    return count;
}

/* A number of an instance of /2; -1 = absent. */
static int64_t number(const bjc_object *acl, uint16_t iid, uint16_t rid, uint16_t riid) {
    bootjack_value value;
    if (acl->handlers->read(acl->context, iid, rid, riid, &value)) {
        return -1;
    }
    return value.type == BOOTJACK_TYPE_UNSIGNED ? (int64_t) value.as.unsigned_integer : value.as.integer;
}

static int32_t acl_of(const bjc_object *acl, uint16_t oid, uint16_t iid) {
    int32_t at = -1;
    while ((at = acl->handlers->next_instance(acl->context, at)) >= 0) {
        if (number(acl, (uint16_t) at, BJC_ACL_OBJECT, 0) == oid &&
            number(acl, (uint16_t) at, BJC_ACL_INSTANCE, 0) == iid) {
            break;
        }
    }
    return at;
}

/* The server's own entry counts; without one, the owner has all rights, others have those of the default entry. */
static int64_t rights(const bjc_object *acl, uint16_t iid, uint16_t ssid, bool owner_counts) {
    int64_t own = number(acl, iid, BJC_ACL_ENTRIES, ssid);
    if (own >= 0) {
        return own;
    }
    if (owner_counts && number(acl, iid, BJC_ACL_OWNER, 0) == ssid) {
        return BJC_RIGHT_READ | BJC_RIGHT_WRITE | BJC_RIGHT_EXECUTE | BJC_RIGHT_DELETE;
    }
    int64_t others = number(acl, iid, BJC_ACL_ENTRIES, ANY_SERVER);
    return others >= 0 ? others : 0;
}

/* The instances of /2 have none of their own: everyone may look, only the owner may change (§8.2). */
static bool allowed_on_acl(const bjc_object *acl, uint16_t ssid, uint16_t iid, bjc_right right) {
    return right == BJC_RIGHT_READ || (right == BJC_RIGHT_WRITE && number(acl, iid, BJC_ACL_OWNER, 0) == ssid);
}

bool bjc_access_allowed(const bjc_model *model, uint16_t ssid, uint16_t oid, uint16_t iid, bjc_right right) {
    const bjc_object *acl = bjc_model_object(model, 2);
    if (!acl || servers(model) <= 1) {
        return true;
    }
    if (oid == 2) {
        return allowed_on_acl(acl, ssid, iid, right);
    }
    int32_t at = acl_of(acl, oid, iid);
    return at >= 0 && (rights(acl, (uint16_t) at, ssid, true) & right);
}

bool bjc_access_may_create(const bjc_model *model, uint16_t ssid, uint16_t oid) {
    const bjc_object *acl = bjc_model_object(model, 2);
    if (!acl || servers(model) <= 1) {
        return true;
    }
    int32_t at = acl_of(acl, oid, BOOTJACK_ID_INVALID);
    return at >= 0 && (rights(acl, (uint16_t) at, ssid, false) & BJC_RIGHT_CREATE);
}

/* --- instances that come and go --------------------------------------------------------------------------------- */

static bootjack_error put(const bjc_object *acl, uint16_t iid, uint16_t rid, int64_t value) {
    const bootjack_resource *resource = bjc_resource_find(acl->definition, rid);
    bootjack_value number = { .type = resource ? resource->type : BOOTJACK_TYPE_INTEGER };
    if (number.type == BOOTJACK_TYPE_UNSIGNED) {
        number.as.unsigned_integer = (uint64_t) value;
    } else {
        number.as.integer = value;
    }
    return acl->handlers->write(acl->context, iid, rid, 0, &number);
}

static uint16_t free_instance(const bjc_object *acl) {
    int32_t iid = -1, free_id = 0;
    while ((iid = acl->handlers->next_instance(acl->context, iid)) >= 0 && iid == free_id) {
        free_id++;
    }
    return (uint16_t) free_id;
}

bootjack_error bjc_access_created(bjc_model *model, uint16_t ssid, uint16_t oid, uint16_t iid) {
    const bjc_object *acl = bjc_model_object(model, 2);
    if (!acl || servers(model) <= 1 || !acl->handlers->create || acl_of(acl, oid, iid) >= 0) {
        return BOOTJACK_OK;
    }
    uint16_t at = free_instance(acl);
    bootjack_error error = acl->handlers->create(acl->context, at);
    if (error) {
        return error;
    }
    error = put(acl, at, BJC_ACL_OBJECT, oid);
    error = error ? error : put(acl, at, BJC_ACL_INSTANCE, iid);
    error = error ? error : put(acl, at, BJC_ACL_OWNER, ssid);
    if (error) {
        acl->handlers->remove(acl->context, at);
    }
    return error;
}

void bjc_access_deleted(bjc_model *model, uint16_t oid, uint16_t iid) {
    const bjc_object *acl = bjc_model_object(model, 2);
    int32_t at = acl ? acl_of(acl, oid, iid) : -1;
    if (at >= 0 && acl->handlers->remove) {
        acl->handlers->remove(acl->context, (uint16_t) at);
    }
}

/* --- a server that went ----------------------------------------------------------------------------------------- */

/* Entries are put back without the server's: Objects can take a resource away as a whole only. False: no memory. */
static bool drop_entry(const bjc_object *acl, uint16_t iid, uint16_t ssid) {
    enum { MOST = 64 };
    struct {
        uint16_t ssid;
        int64_t rights;
    } kept[MOST];
    unsigned count = 0;
    int32_t at = -1;
    while ((at = acl->handlers->next_resource_instance(acl->context, iid, BJC_ACL_ENTRIES, at)) >= 0 && count < MOST) {
        if (at != ssid) {
            kept[count].ssid = (uint16_t) at;
            kept[count++].rights = number(acl, iid, BJC_ACL_ENTRIES, (uint16_t) at);
        }
    }
    acl->handlers->clear(acl->context, iid, BJC_ACL_ENTRIES);
    const bootjack_resource *resource = bjc_resource_find(acl->definition, BJC_ACL_ENTRIES);
    bool good = true;
    for (unsigned i = 0; i < count && resource; i++) {
        bootjack_value value = { .type = resource->type };
        value.as.integer = kept[i].rights;
        good = !acl->handlers->write(acl->context, iid, BJC_ACL_ENTRIES, kept[i].ssid, &value) && good;
    }
    return good;
}

/* The server with the greatest sum of the rights to write and to delete; -1 = nobody has any right. */
static int32_t heir(const bjc_object *acl, uint16_t iid, bool *reachable) {
    int32_t at = -1, best = -1;
    int64_t most = -1;
    *reachable = false;
    while ((at = acl->handlers->next_resource_instance(acl->context, iid, BJC_ACL_ENTRIES, at)) >= 0) {
        int64_t entry = number(acl, iid, BJC_ACL_ENTRIES, (uint16_t) at);
        int64_t sum = entry & (BJC_RIGHT_WRITE | BJC_RIGHT_DELETE);
        *reachable = *reachable || entry > 0;
        if (at != ANY_SERVER && sum > most) {
            most = sum;
            best = at;
        }
    }
    return best;
}

/* What nobody can reach any more goes. Single instances and accounts stay: they are the client's, not the server's. */
static bool goes_along(const bjc_object *object, int64_t iid) {
    return object && object->definition->oid > 2 && !object->definition->single_instance && object->handlers->remove &&
           iid < BOOTJACK_ID_INVALID && bjc_model_has_instance(object, (uint16_t) iid);
}

static void pass_on(bjc_model *model, const bjc_object *acl, uint16_t iid, uint16_t ssid,
                    void (*removed)(void *context, const bjc_path *instance), void *context) {
    bool reachable;
    bool owned = number(acl, iid, BJC_ACL_OWNER, 0) == ssid;
    if (number(acl, iid, BJC_ACL_ENTRIES, ssid) >= 0 && !drop_entry(acl, iid, ssid)) {
        bjc_log(model->core, BOOTJACK_LOG_ERROR, "/2/%u lost entries: out of memory", iid);
    }
    int32_t best = heir(acl, iid, &reachable);
    if (!owned) {
        return;
    }
    if (reachable) {
        (void) put(acl, iid, BJC_ACL_OWNER, best >= 0 ? best : BOOTJACK_ID_INVALID);
        return;
    }
    int64_t oid = number(acl, iid, BJC_ACL_OBJECT, 0), target = number(acl, iid, BJC_ACL_INSTANCE, 0);
    bjc_object *object = bjc_model_object(model, (uint16_t) oid);
    if (goes_along(object, target)) {
        bjc_path path = { 2, { (uint16_t) oid, (uint16_t) target } };
        object->handlers->remove(object->context, (uint16_t) target);
        removed(context, &path);
    }
    acl->handlers->remove(acl->context, iid);
}

void bjc_access_forget_server(bjc_model *model, uint16_t ssid, void (*removed)(void *context, const bjc_path *instance),
                              void *context) {
    const bjc_object *acl = bjc_model_object(model, 2);
    bool usable = acl && acl->handlers->remove && acl->handlers->clear && acl->handlers->next_resource_instance;
    int32_t at = -1;
    while (usable && (at = acl->handlers->next_instance(acl->context, at)) >= 0) {
        pass_on(model, acl, (uint16_t) at, ssid, removed, context);
    }
}
