/* SPDX-License-Identifier: Apache-2.0
 *
 * All Objects of a client, and the transaction over them.
 */
#include "model/model.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void bjc_model_init(bjc_model *model, const bjc_core *core) {
    *model = (bjc_model){ .core = core };
}

void bjc_model_free(bjc_model *model) {
    if (model->in_transaction) {
        bjc_model_roll_back(model);
    }
    while (model->objects) {
        bjc_object *object = model->objects;
        model->objects = object->next;
        bjc_release(&model->core->allocator, object);
    }
}

bjc_object *bjc_model_object(const bjc_model *model, uint16_t oid) {
    bjc_object *object = model->objects;
    while (object && object->definition->oid != oid) {
        object = object->next;
    }
    return object;
}

bool bjc_model_has_instance(const bjc_object *object, uint16_t iid) {
    return object->handlers->next_instance(object->context, (int32_t) iid - 1) == iid;
}

bool bjc_model_has_resource_instance(const bjc_object *object, uint16_t iid, const bootjack_resource *resource,
                                     uint16_t riid) {
    const bootjack_object_handlers *handlers = object->handlers;
    return (resource->flags & BOOTJACK_MULTIPLE) && handlers->next_resource_instance &&
           handlers->next_resource_instance(object->context, iid, resource->id, (int32_t) riid - 1) == riid;
}

/* A row for each resource that the release has; where a later release changed one, the latest row that is not newer. */
static void select_resources(bjc_object *object, const bootjack_object *from, bootjack_version release) {
    bootjack_resource *rows = object->resources;
    size_t count = 0;
    for (size_t i = 0; i < from->resource_count; i++) {
        if (from->resources[i].since > (unsigned) release) {
            continue;
        }
        bool changed = count > 0 && rows[count - 1].id == from->resources[i].id;
        rows[changed ? count - 1 : count++] = from->resources[i];
    }
    object->own = *from;
    object->own.resources = rows;
    object->own.resource_count = count;
    object->definition = &object->own;
    if (object->store) {
        object->store->object = &object->own;
    }
}

bootjack_error bjc_model_install(bjc_model *model, const bootjack_object *definition, void *context, bjc_store *store) {
    if (model->in_transaction) {
        return BOOTJACK_ERR_STATE;
    }
    bjc_object **slot = &model->objects;
    while (*slot && (*slot)->definition->oid < definition->oid) {
        slot = &(*slot)->next;
    }
    if (*slot && (*slot)->definition->oid == definition->oid) {
        return BOOTJACK_ERR_EXISTS;
    }
    size_t table = definition->resource_count * sizeof(bootjack_resource);
    bjc_object *object = bjc_allocate(&model->core->allocator, sizeof *object + table);
    if (!object) {
        return BOOTJACK_ERR_MEMORY;
    }
    object->next = *slot;
    object->handlers = definition->handlers;
    object->context = context;
    object->store = store;
    select_resources(object, definition, model->core->config.version);
    *slot = object;
    return BOOTJACK_OK;
}

void bjc_model_uninstall(bjc_model *model, uint16_t oid) {
    bjc_object **slot = &model->objects;
    while (*slot && (*slot)->definition->oid != oid) {
        slot = &(*slot)->next;
    }
    bjc_object *object = *slot;
    if (object) {
        *slot = object->next;
        bjc_release(&model->core->allocator, object);
    }
}

/* The Object versions that an enabler release implies; 1.0 of every other Object. */
static const char *implied_version(bootjack_version release, uint16_t oid) {
    static const char *const versions[][4] = { { "1.0", "1.0", "1.0", "1.0" },
                                               { "1.1", "1.1", "1.0", "1.1" },
                                               { "1.2", "1.2", "1.1", "1.2" } };
    return oid < 4 ? versions[release - BOOTJACK_LWM2M_1_0][oid] : "1.0";
}

const char *bjc_model_version(const bjc_model *model, const bjc_object *object) {
    const char *version = object->definition->version;
    bool told = version && strcmp(version, implied_version(model->core->config.version, object->definition->oid)) != 0;
    return told ? version : NULL;
}

bootjack_error bjc_model_begin(bjc_model *model) {
    assert(!model->in_transaction);
    model->in_transaction = true;
    for (bjc_object *object = model->objects; object; object = object->next) {
        bootjack_error error = object->handlers->begin ? object->handlers->begin(object->context) : BOOTJACK_OK;
        object->begun = !error;
        if (error) {
            bjc_log(model->core, BOOTJACK_LOG_ERROR, "/%u: no transaction: %s", object->definition->oid,
                    bootjack_error_text(error));
            bjc_model_roll_back(model);
            return error;
        }
    }
    return BOOTJACK_OK;
}

/* Rule: mandatory resources are there, of the application's own Objects, too; stores look for themselves. */
static bootjack_error check_mandatory(const bjc_object *object, uint16_t iid, char *reason, size_t size) {
    for (size_t i = 0; i < object->definition->resource_count; i++) {
        const bootjack_resource *resource = &object->definition->resources[i];
        bool demanded = (resource->flags & BOOTJACK_MANDATORY) && resource->type != BOOTJACK_TYPE_NONE;
        if (demanded && !object->handlers->present(object->context, iid, resource->id)) {
            snprintf(reason, size, "/%u/%u/%u (%s) is mandatory and missing", object->definition->oid, iid,
                     resource->id, resource->name ? resource->name : "");
            return BOOTJACK_ERR_INCONSISTENT;
        }
    }
    return BOOTJACK_OK;
}

static bootjack_error check_instances(const bjc_object *object, char *reason, size_t size) {
    bootjack_error error = BOOTJACK_OK;
    int32_t iid = -1;
    while (!error && (iid = object->handlers->next_instance(object->context, iid)) >= 0) {
        error = check_mandatory(object, (uint16_t) iid, reason, size);
    }
    return error;
}

bootjack_error bjc_model_validate(bjc_model *model) {
    for (bjc_object *object = model->objects; object; object = object->next) {
        char reason[200] = "";
        bootjack_error error = object->store ? BOOTJACK_OK : check_instances(object, reason, sizeof reason);
        if (!error && object->handlers->validate) {
            error = object->handlers->validate(object->context, reason, sizeof reason);
        }
        if (error) {
            bjc_log(model->core, BOOTJACK_LOG_WARNING, "/%u refuses the configuration: %s", object->definition->oid,
                    reason[0] ? reason : bootjack_error_text(error));
            return error;
        }
    }
    return BOOTJACK_OK;
}

static void end_transaction(bjc_model *model, bool keep) {
    assert(model->in_transaction);
    for (bjc_object *object = model->objects; object; object = object->next) {
        void (*end)(void *) = keep ? object->handlers->commit : object->handlers->roll_back;
        if (object->begun && end) {
            end(object->context);
        }
        object->begun = false;
    }
    model->in_transaction = false;
}

void bjc_model_commit(bjc_model *model) {
    end_transaction(model, true);
}

void bjc_model_roll_back(bjc_model *model) {
    end_transaction(model, false);
}
