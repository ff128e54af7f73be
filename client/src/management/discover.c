/* SPDX-License-Identifier: Apache-2.0
 *
 * Discover (LwM2M Core 1.1 §6.3.2): what there is below a path, with versions, dimensions and the attributes that this
 * server has set.
 */
#include <string.h>

#include "formats/link.h"
#include "management/operation.h"

typedef struct discovery {
    bjc_operation *op;
    bjc_links links;
    unsigned deepest; /* level of paths that are still shown: 1 = Objects */
} discovery;

static void link(discovery *d, const bjc_path *path) {
    const bjc_attributes_table *table = &d->op->management->reporting->attributes;
    /* A resource that is asked for itself is shown with what it inherits. */
    bool asked = path->depth == d->op->path.depth && path->depth >= 3;
    bjc_attributes attributes =
        asked ? bjc_attributes_effective(table, d->op->ssid, path) : bjc_attributes_own(table, d->op->ssid, path);
    bjc_attributes_print(&attributes, d->links.out);
}

static unsigned dimension(const bjc_object *object, const bjc_path *path) {
    unsigned count = 0;
    int32_t riid = -1;
    while ((riid = object->handlers->next_resource_instance(object->context, path->ids[1], path->ids[2], riid)) >= 0) {
        count++;
    }
    return count;
}

static void resource_instance(discovery *d, const bjc_path *resource, uint16_t riid) {
    bjc_path path = *resource;
    path.ids[path.depth++] = riid;
    bjc_link_begin(&d->links, &path);
    link(d, &path);
}

static void resource(discovery *d, const bjc_path *path, const bootjack_resource *definition) {
    const bjc_object *object = d->op->object;
    bool multiple = (definition->flags & BOOTJACK_MULTIPLE) && object->handlers->next_resource_instance;
    bjc_link_begin(&d->links, path);
    if (multiple) {
        bjc_link_number(&d->links, "dim", dimension(object, path));
    }
    link(d, path);
    int32_t riid = -1;
    while (multiple && d->deepest >= 4 &&
           (riid = object->handlers->next_resource_instance(object->context, path->ids[1], path->ids[2], riid)) >= 0) {
        resource_instance(d, path, (uint16_t) riid);
    }
}

static void instance(discovery *d, uint16_t iid) {
    const bjc_object *object = d->op->object;
    bjc_path path = { 2, { object->definition->oid, iid } };
    bjc_link_begin(&d->links, &path);
    link(d, &path);
    for (size_t i = 0; i < object->definition->resource_count && d->deepest >= 3; i++) {
        const bootjack_resource *definition = &object->definition->resources[i];
        if (object->handlers->present(object->context, iid, definition->id)) {
            path.depth = 3;
            path.ids[2] = definition->id;
            resource(d, &path, definition);
        }
    }
}

static void object_and_instances(discovery *d) {
    const bjc_operation *op = d->op;
    const bjc_object *object = op->object;
    int32_t iid = -1;
    bjc_link_begin(&d->links, &op->path);
    const char *version = bjc_model_version(op->model, object);
    if (version) {
        bjc_link_version(&d->links, op->release, version);
    }
    link(d, &op->path);
    while (d->deepest >= 2 && (iid = object->handlers->next_instance(object->context, iid)) >= 0) {
        if (bjc_access_allowed(op->model, op->ssid, op->path.ids[0], (uint16_t) iid, BJC_RIGHT_READ)) {
            instance(d, (uint16_t) iid);
        }
    }
}

/* How deep is shown without a word about it: resources of Objects and instances, instances of a resource. From LwM2M
 * 1.2 on the server may ask (Core 1.2 §6.3.2). */
static bool depth_asked(const bjc_operation *op, unsigned *deepest) {
    const bjc_text *query = op->request->query;
    *deepest = op->path.depth < 3 ? 3 : op->release >= BOOTJACK_LWM2M_1_1 ? 4 : 3;
    if (op->request->query_count == 0) {
        return true;
    }
    bool depth = op->release >= BOOTJACK_LWM2M_1_2 && op->request->query_count == 1 && query->length == 7 &&
                 memcmp(query->data, "depth=", 6) == 0 && query->data[6] >= '0' && query->data[6] <= '3';
    *deepest = depth ? op->path.depth + (unsigned) (query->data[6] - '0') : 0;
    return depth;
}

bootjack_error bjc_operation_discover(bjc_operation *op) {
    discovery d = { .op = op, .links = { .out = &op->reply->payload } };
    if (op->path.depth == 0 || op->path.depth == 4) {
        return BOOTJACK_ERR_METHOD;
    }
    if (!bjc_operation_target_exists(op)) {
        return BOOTJACK_ERR_NOT_FOUND;
    }
    if (!bjc_operation_allowed(op, BJC_RIGHT_READ)) {
        return BOOTJACK_ERR_UNAUTHORIZED;
    }
    if (!depth_asked(op, &d.deepest)) {
        return BOOTJACK_ERR_ARGUMENT;
    }
    if (op->path.depth == 1) {
        object_and_instances(&d);
    } else if (op->path.depth == 2) {
        instance(&d, op->path.ids[1]);
    } else {
        resource(&d, &op->path, bjc_operation_resource(op));
    }
    op->reply->content_format = BJC_FORMAT_LINK;
    return op->reply->payload.failed ? BOOTJACK_ERR_MEMORY : BOOTJACK_OK;
}
