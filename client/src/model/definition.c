/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether an application's description of an Object can be worked with.
 */
#include <ctype.h>

#include "model/model.h"

/* "1.0": two numbers with a point between them (LwM2M Core 1.1 §7.2.2). */
static bool version_usable(const char *text) {
    const char *at = text;
    for (int part = 0; part < 2; part++) {
        const char *digits = at;
        while (isdigit((unsigned char) *at)) {
            at++;
        }
        if (at == digits || at - digits > 3 || (part == 0 && *at++ != '.')) {
            return false;
        }
    }
    return *at == '\0';
}

static bool resource_usable(const bootjack_resource *resource, const bootjack_object_handlers *handlers) {
    bool value = resource->type != BOOTJACK_TYPE_NONE;
    bool multiple = resource->flags & BOOTJACK_MULTIPLE;
    if (resource->id == BOOTJACK_ID_INVALID || (unsigned) resource->type > BOOTJACK_TYPE_CORELNK) {
        return false;
    }
    if (value ? resource->flags & BOOTJACK_EXECUTABLE : resource->flags & (BOOTJACK_READABLE | BOOTJACK_WRITABLE)) {
        return false;
    }
    /* The whole of a multiple resource is replaced by a Write: that takes `clear`. */
    return !multiple || (value && handlers->next_resource_instance && handlers->clear);
}

static bool resources_usable(const bootjack_object *definition) {
    for (size_t i = 0; i < definition->resource_count; i++) {
        const bootjack_resource *resource = &definition->resources[i], *before = i ? resource - 1 : NULL;
        bool in_order =
            !before || before->id < resource->id || (before->id == resource->id && before->since < resource->since);
        if (!in_order || !resource_usable(resource, definition->handlers)) {
            return false;
        }
    }
    return true;
}

bool bjc_definition_usable(const bootjack_object *definition) {
    const bootjack_object_handlers *handlers = definition->handlers;
    bool enough = handlers && handlers->next_instance && handlers->present && handlers->read && handlers->write;
    /* Whoever begins a transaction must be able to end it either way. */
    bool paired = enough && (!handlers->begin || (handlers->commit && handlers->roll_back));
    return paired && definition->oid != BOOTJACK_ID_INVALID &&
           (definition->resources || definition->resource_count == 0) &&
           (!definition->version || version_usable(definition->version)) && resources_usable(definition);
}
