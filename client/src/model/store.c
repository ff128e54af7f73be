/* SPDX-License-Identifier: Apache-2.0
 *
 * The storage of the ready-made Objects.
 */
#include "model/store.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "formats/utf8.h"

const bootjack_resource *bjc_resource_find(const bootjack_object *object, uint16_t rid) {
    for (size_t i = 0; i < object->resource_count; i++) {
        if (object->resources[i].id == rid) {
            return &object->resources[i];
        }
    }
    return NULL;
}

static bool has_bytes(bootjack_type type) {
    return type == BOOTJACK_TYPE_STRING || type == BOOTJACK_TYPE_OPAQUE || type == BOOTJACK_TYPE_CORELNK;
}

/* --- cells ---------------------------------------------------------------------------------------------------- */

static bjc_cell *cell_new(const bjc_store *store, uint16_t rid, uint16_t riid, const bootjack_value *value) {
    size_t length = has_bytes(value->type) ? value->as.bytes.length : 0;
    size_t size = sizeof(bjc_cell) + length + 1;
    bjc_cell *cell = bjc_allocate(&store->core->allocator, size);
    if (!cell) {
        return NULL;
    }
    cell->rid = rid;
    cell->riid = riid;
    cell->size = size;
    cell->value = *value;
    if (has_bytes(value->type)) {
        if (length) {
            memcpy(cell->bytes, value->as.bytes.data, length);
        }
        cell->value.as.bytes.data = cell->bytes;
    }
    return cell;
}

static void cells_free(const bjc_store *store, bjc_cell *cells) {
    while (cells) {
        bjc_cell *next = cells->next;
        bjc_release_wiped(&store->core->allocator, cells, cells->size);
        cells = next;
    }
}

static bjc_cell **cell_slot(bjc_instance *instance, uint16_t rid, uint16_t riid) {
    bjc_cell **slot = &instance->cells;
    while (*slot && ((*slot)->rid < rid || ((*slot)->rid == rid && (*slot)->riid < riid))) {
        slot = &(*slot)->next;
    }
    return slot;
}

static size_t cell_count(const bjc_instance *instance) {
    size_t count = 0;
    for (const bjc_cell *cell = instance->cells; cell; cell = cell->next) {
        count++;
    }
    return count;
}

/* --- instances ------------------------------------------------------------------------------------------------ */

static void instances_free(const bjc_store *store, bjc_instance *instances) {
    while (instances) {
        bjc_instance *next = instances->next;
        cells_free(store, instances->cells);
        bjc_release(&store->core->allocator, instances);
        instances = next;
    }
}

static bjc_cell *cells_copy(const bjc_store *store, const bjc_cell *cells, bool *failed) {
    bjc_cell *first = NULL, **last = &first;
    for (; cells && !*failed; cells = cells->next) {
        *last = cell_new(store, cells->rid, cells->riid, &cells->value);
        *failed = *last == NULL;
        last = *last ? &(*last)->next : last;
    }
    return first;
}

bootjack_error bjc_store_save(const bjc_store *store, bjc_instance **saved) {
    bjc_instance **last = saved;
    bool failed = false;
    *saved = NULL;
    for (const bjc_instance *instance = store->instances; instance && !failed; instance = instance->next) {
        *last = bjc_allocate(&store->core->allocator, sizeof **last);
        failed = *last == NULL;
        if (*last) {
            (*last)->iid = instance->iid;
            (*last)->born = instance->born;
            (*last)->written = instance->written;
            (*last)->cells = cells_copy(store, instance->cells, &failed);
            last = &(*last)->next;
        }
    }
    if (failed) {
        instances_free(store, *saved);
        *saved = NULL;
    }
    return failed ? BOOTJACK_ERR_MEMORY : BOOTJACK_OK;
}

void bjc_store_restore(bjc_store *store, bjc_instance *saved) {
    instances_free(store, store->instances);
    store->instances = saved;
}

void bjc_store_forget(const bjc_store *store, bjc_instance *saved) {
    instances_free(store, saved);
}

void bjc_store_init(bjc_store *store, const bjc_core *core, const bootjack_object *object) {
    *store = (bjc_store){ .core = core, .object = object };
}

void bjc_store_free(bjc_store *store) {
    instances_free(store, store->instances);
    instances_free(store, store->before);
    store->instances = store->before = NULL;
}

bjc_instance *bjc_store_instance(const bjc_store *store, uint16_t iid) {
    bjc_instance *instance = store->instances;
    while (instance && instance->iid != iid) {
        instance = instance->next;
    }
    return instance;
}

bool bjc_store_written(const bjc_store *store, uint16_t iid) {
    const bjc_instance *instance = bjc_store_instance(store, iid);
    return store->in_transaction && instance && instance->written;
}

uint16_t bjc_store_free_id(const bjc_store *store) {
    uint16_t iid = 0;
    while (bjc_store_instance(store, iid)) {
        iid++;
    }
    return iid;
}

bootjack_error bjc_store_create(bjc_store *store, uint16_t iid) {
    if (iid == BOOTJACK_ID_INVALID || (store->object->single_instance && iid != 0)) {
        return BOOTJACK_ERR_PATH;
    }
    size_t count = 0;
    bjc_instance **slot = &store->instances;
    for (; *slot && (*slot)->iid < iid; slot = &(*slot)->next) {
        count++;
    }
    if (*slot && (*slot)->iid == iid) {
        return BOOTJACK_ERR_EXISTS;
    }
    for (const bjc_instance *rest = *slot; rest; rest = rest->next) {
        count++;
    }
    if (count >= BJC_STORE_MAX_INSTANCES) {
        return BOOTJACK_ERR_LIMIT;
    }
    bjc_instance *instance = bjc_allocate(&store->core->allocator, sizeof *instance);
    if (!instance) {
        return BOOTJACK_ERR_MEMORY;
    }
    instance->iid = iid;
    instance->born = ++store->births;
    instance->next = *slot;
    *slot = instance;
    return BOOTJACK_OK;
}

bootjack_error bjc_store_remove(bjc_store *store, uint16_t iid) {
    bjc_instance **slot = &store->instances;
    while (*slot && (*slot)->iid != iid) {
        slot = &(*slot)->next;
    }
    if (!*slot) {
        return BOOTJACK_ERR_NOT_FOUND;
    }
    bjc_instance *instance = *slot;
    *slot = instance->next;
    instance->next = NULL;
    instances_free(store, instance);
    return BOOTJACK_OK;
}

/* --- values --------------------------------------------------------------------------------------------------- */

const bootjack_value *bjc_store_get(const bjc_store *store, uint16_t iid, uint16_t rid, uint16_t riid) {
    bjc_instance *instance = bjc_store_instance(store, iid);
    const bjc_cell *cell = instance ? *cell_slot(instance, rid, riid) : NULL;
    return cell && cell->rid == rid && cell->riid == riid ? &cell->value : NULL;
}

int64_t bjc_store_integer(const bjc_store *store, uint16_t iid, uint16_t rid, int64_t absent) {
    const bootjack_value *value = bjc_store_get(store, iid, rid, 0);
    if (!value) {
        return absent;
    }
    if (value->type == BOOTJACK_TYPE_UNSIGNED) {
        return value->as.unsigned_integer > INT64_MAX ? INT64_MAX : (int64_t) value->as.unsigned_integer;
    }
    return value->as.integer;
}

bjc_store bjc_store_valid(const bjc_store *store) {
    return (bjc_store){ .core = store->core,
                        .object = store->object,
                        .instances = store->in_transaction ? store->before : store->instances };
}

bool bjc_store_boolean(const bjc_store *store, uint16_t iid, uint16_t rid, bool absent) {
    const bootjack_value *value = bjc_store_get(store, iid, rid, 0);
    return value ? value->as.boolean : absent;
}

bootjack_error bjc_store_set(bjc_store *store, uint16_t iid, uint16_t rid, uint16_t riid, const bootjack_value *value) {
    bjc_instance *instance = bjc_store_instance(store, iid);
    const bootjack_resource *resource = bjc_resource_find(store->object, rid);
    if (!instance || !resource) {
        return BOOTJACK_ERR_NOT_FOUND;
    }
    if (resource->type != value->type || resource->type == BOOTJACK_TYPE_NONE) {
        return BOOTJACK_ERR_TYPE;
    }
    bjc_cell **slot = cell_slot(instance, rid, riid);
    bool replaces = *slot && (*slot)->rid == rid && (*slot)->riid == riid;
    if ((has_bytes(value->type) && value->as.bytes.length > BJC_STORE_MAX_VALUE) ||
        (!replaces && cell_count(instance) >= BJC_STORE_MAX_CELLS)) {
        return BOOTJACK_ERR_LIMIT;
    }
    bjc_cell *cell = cell_new(store, rid, riid, value);
    if (!cell) {
        return BOOTJACK_ERR_MEMORY;
    }
    bjc_cell *old = replaces ? *slot : NULL;
    cell->next = old ? old->next : *slot;
    *slot = cell;
    if (old) {
        old->next = NULL;
        cells_free(store, old);
    }
    return BOOTJACK_OK;
}

bootjack_error bjc_store_set_integer(bjc_store *store, uint16_t iid, uint16_t rid, int64_t number) {
    const bootjack_resource *resource = bjc_resource_find(store->object, rid);
    if (!resource) {
        return BOOTJACK_ERR_NOT_FOUND; /* a release of LwM2M that does not have it */
    }
    bootjack_value value = { .type = resource->type };
    if (resource->type == BOOTJACK_TYPE_UNSIGNED) {
        value.as.unsigned_integer = (uint64_t) number;
    } else {
        value.as.integer = number;
    }
    return bjc_store_set(store, iid, rid, 0, &value);
}

bootjack_error bjc_store_set_boolean(bjc_store *store, uint16_t iid, uint16_t rid, bool boolean) {
    bootjack_value value = { .type = BOOTJACK_TYPE_BOOLEAN, .as.boolean = boolean };
    return bjc_store_set(store, iid, rid, 0, &value);
}

bootjack_error bjc_store_set_bytes(bjc_store *store, uint16_t iid, uint16_t rid, const uint8_t *data, size_t length) {
    const bootjack_resource *resource = bjc_resource_find(store->object, rid);
    if (!resource) {
        return BOOTJACK_ERR_NOT_FOUND;
    }
    assert(has_bytes(resource->type));
    bootjack_value value = { .type = resource->type, .as.bytes = { data, length } };
    return bjc_store_set(store, iid, rid, 0, &value);
}

bootjack_error bjc_store_set_text(bjc_store *store, uint16_t iid, uint16_t rid, const char *text) {
    return bjc_store_set_bytes(store, iid, rid, (const uint8_t *) text, strlen(text));
}

/* --- validation ----------------------------------------------------------------------------------------------- */

static bool in_range(const bootjack_resource *resource, const bootjack_value *value) {
    if (resource->minimum == 0 && resource->maximum == 0) {
        return true;
    }
    int64_t number = 0;
    if (has_bytes(value->type)) {
        number = (int64_t) value->as.bytes.length;
    } else if (value->type == BOOTJACK_TYPE_UNSIGNED) {
        number = value->as.unsigned_integer > INT64_MAX ? INT64_MAX : (int64_t) value->as.unsigned_integer;
    } else if (value->type == BOOTJACK_TYPE_INTEGER || value->type == BOOTJACK_TYPE_TIME) {
        number = value->as.integer;
    } else {
        return true;
    }
    return number >= resource->minimum && number <= resource->maximum;
}

bootjack_error bjc_store_may_set(const bjc_store *store, uint16_t rid, uint16_t riid, const bootjack_value *value) {
    const bootjack_resource *resource = bjc_resource_find(store->object, rid);
    if (!resource) {
        return BOOTJACK_ERR_NOT_FOUND;
    }
    if (resource->type != value->type || resource->type == BOOTJACK_TYPE_NONE) {
        return BOOTJACK_ERR_TYPE;
    }
    bool multiple = resource->flags & BOOTJACK_MULTIPLE;
    if (multiple ? riid == BOOTJACK_ID_INVALID : riid != 0) {
        return BOOTJACK_ERR_PATH;
    }
    bool text = value->type == BOOTJACK_TYPE_STRING || value->type == BOOTJACK_TYPE_CORELNK;
    bool good = !text || bjc_utf8(value->as.bytes.data, value->as.bytes.length);
    return good && in_range(resource, value) ? BOOTJACK_OK : BOOTJACK_ERR_RANGE;
}

static bootjack_error validate_ranges(const bjc_store *store, const bjc_instance *instance, char *reason, size_t size) {
    for (const bjc_cell *cell = instance->cells; cell; cell = cell->next) {
        const bootjack_resource *resource = bjc_resource_find(store->object, cell->rid);
        if (!in_range(resource, &cell->value)) {
            snprintf(reason, size, "/%u/%u/%u (%s) is outside its range", store->object->oid, instance->iid, cell->rid,
                     resource->name);
            return BOOTJACK_ERR_RANGE;
        }
    }
    return BOOTJACK_OK;
}

bootjack_error bjc_store_check_ranges(const bjc_store *store, uint16_t iid, char *reason, size_t reason_size) {
    const bjc_instance *instance = store->instances;
    while (instance && instance->iid != iid) {
        instance = instance->next;
    }
    return instance ? validate_ranges(store, instance, reason, reason_size) : BOOTJACK_OK;
}

static bootjack_error validate_mandatory(const bjc_store *store, const bjc_instance *instance, char *reason,
                                         size_t size) {
    for (size_t i = 0; i < store->object->resource_count; i++) {
        const bootjack_resource *resource = &store->object->resources[i];
        bool demanded = (resource->flags & BOOTJACK_MANDATORY) && resource->type != BOOTJACK_TYPE_NONE;
        if (demanded && !bjc_store_handlers.present((void *) (uintptr_t) store, instance->iid, resource->id)) {
            snprintf(reason, size, "/%u/%u/%u (%s) is mandatory and missing", store->object->oid, instance->iid,
                     resource->id, resource->name);
            return BOOTJACK_ERR_INCONSISTENT;
        }
    }
    return BOOTJACK_OK;
}

bootjack_error bjc_store_validate(const bjc_store *store, char *reason, size_t reason_size) {
    for (const bjc_instance *instance = store->instances; instance; instance = instance->next) {
        bootjack_error error = validate_mandatory(store, instance, reason, reason_size);
        if (!error) {
            error = validate_ranges(store, instance, reason, reason_size);
        }
        if (error) {
            return error;
        }
    }
    return store->check ? store->check(store, reason, reason_size) : BOOTJACK_OK;
}

/* --- handlers ------------------------------------------------------------------------------------------------- */

static int32_t next_instance(void *context, int32_t after) {
    const bjc_store *store = context;
    const bjc_instance *instance = store->instances;
    while (instance && (int32_t) instance->iid <= after) {
        instance = instance->next;
    }
    return instance ? instance->iid : -1;
}

static bootjack_error note_written(bjc_store *store, uint16_t iid, bootjack_error error) {
    bjc_instance *instance = error ? NULL : bjc_store_instance(store, iid);
    if (instance) {
        instance->written = true;
    }
    return error;
}

static bootjack_error create(void *context, uint16_t iid) {
    return note_written(context, iid, bjc_store_create(context, iid));
}

static bootjack_error remove_instance(void *context, uint16_t iid) {
    return bjc_store_remove(context, iid);
}

static bootjack_error reset(void *context, uint16_t iid) {
    bjc_store *store = context;
    bjc_instance *instance = bjc_store_instance(store, iid);
    if (!instance) {
        return BOOTJACK_ERR_NOT_FOUND;
    }
    bjc_cell **slot = &instance->cells;
    while (*slot) {
        bjc_cell *cell = *slot;
        if (store->keeps && store->keeps(bjc_resource_find(store->object, cell->rid))) {
            slot = &cell->next;
            continue;
        }
        *slot = cell->next;
        cell->next = NULL;
        cells_free(store, cell);
    }
    return note_written(store, iid, BOOTJACK_OK);
}

static int32_t next_resource_instance(void *context, uint16_t iid, uint16_t rid, int32_t after) {
    bjc_instance *instance = bjc_store_instance(context, iid);
    const bjc_cell *cell = instance && after < UINT16_MAX ? *cell_slot(instance, rid, (uint16_t) (after + 1)) : NULL;
    return cell && cell->rid == rid ? cell->riid : -1;
}

static bool present(void *context, uint16_t iid, uint16_t rid) {
    const bjc_store *store = context;
    const bootjack_resource *resource = bjc_resource_find(store->object, rid);
    if (resource && resource->type == BOOTJACK_TYPE_NONE) {
        return store->execute && bjc_store_instance(store, iid);
    }
    return next_resource_instance(context, iid, rid, -1) >= 0;
}

static bootjack_error read(void *context, uint16_t iid, uint16_t rid, uint16_t riid, bootjack_value *value) {
    const bootjack_value *found = bjc_store_get(context, iid, rid, riid);
    if (found) {
        *value = *found;
    }
    return found ? BOOTJACK_OK : BOOTJACK_ERR_NOT_FOUND;
}

static bootjack_error write(void *context, uint16_t iid, uint16_t rid, uint16_t riid, const bootjack_value *value) {
    return note_written(context, iid, bjc_store_set(context, iid, rid, riid, value));
}

static bootjack_error clear(void *context, uint16_t iid, uint16_t rid) {
    bjc_instance *instance = bjc_store_instance(context, iid);
    bjc_cell **slot = instance ? cell_slot(instance, rid, 0) : NULL;
    while (slot && *slot && (*slot)->rid == rid) {
        bjc_cell *cell = *slot;
        *slot = cell->next;
        cell->next = NULL;
        cells_free(context, cell);
    }
    return note_written(context, iid, BOOTJACK_OK);
}

static bootjack_error execute(void *context, uint16_t iid, uint16_t rid, const uint8_t *arguments, size_t length) {
    const bjc_store *store = context;
    return store->execute ? store->execute(store->context, iid, rid, arguments, length) : BOOTJACK_ERR_METHOD;
}

static bootjack_error begin(void *context) {
    bjc_store *store = context;
    assert(!store->in_transaction);
    for (bjc_instance *instance = store->instances; instance; instance = instance->next) {
        instance->written = false;
    }
    bootjack_error error = bjc_store_save(store, &store->before);
    store->in_transaction = !error;
    return error;
}

static bootjack_error validate(void *context, char *reason, size_t reason_size) {
    return bjc_store_validate(context, reason, reason_size);
}

static void commit(void *context) {
    bjc_store *store = context;
    assert(store->in_transaction);
    instances_free(store, store->before);
    store->before = NULL;
    store->in_transaction = false;
}

static void roll_back(void *context) {
    bjc_store *store = context;
    assert(store->in_transaction);
    bjc_store_restore(store, store->before);
    store->before = NULL;
    store->in_transaction = false;
}

const bootjack_object_handlers bjc_store_handlers = {
    .next_instance = next_instance,
    .create = create,
    .remove = remove_instance,
    .reset = reset,
    .present = present,
    .next_resource_instance = next_resource_instance,
    .read = read,
    .write = write,
    .clear = clear,
    .execute = execute,
    .begin = begin,
    .validate = validate,
    .commit = commit,
    .roll_back = roll_back,
};
