/* SPDX-License-Identifier: Apache-2.0
 *
 * From the data model to a payload.
 */
#include "model/model.h"

typedef struct reading {
    bjc_object *object;
    const bjc_path *target;
    bjc_writer writer;
    bool all; /* Bootstrap-Read: regardless of the operations that servers may use */
    const bjc_readable *readable;
} reading;

static bool may_show(const reading *r, uint16_t iid) {
    return !r->readable || r->readable->instance(r->readable->context, r->object->definition->oid, iid);
}

static bool may_read(const reading *r, const bootjack_resource *resource) {
    bool value = resource->type != BOOTJACK_TYPE_NONE && !(resource->flags & BOOTJACK_SECRET);
    return value && (r->all || (resource->flags & BOOTJACK_READABLE));
}

static bootjack_error read_value(reading *r, uint16_t iid, const bootjack_resource *resource, int32_t riid) {
    bootjack_value value;
    bjc_path path = { riid < 0 ? 3 : 4, { r->target->ids[0], iid, resource->id, (uint16_t) (riid < 0 ? 0 : riid) } };
    bootjack_error error =
        r->object->handlers->read(r->object->context, iid, resource->id, riid < 0 ? 0 : (uint16_t) riid, &value);
    if (error) {
        return error;
    }
    bool multiple = resource->flags & BOOTJACK_MULTIPLE;
    if (bjc_writer_value(&r->writer, &path, multiple, &value)) {
        return BOOTJACK_OK;
    }
    return bjc_writer_failed(&r->writer) ? BOOTJACK_ERR_MEMORY : BOOTJACK_ERR_NOT_ACCEPTABLE;
}

static bootjack_error read_resource(reading *r, uint16_t iid, const bootjack_resource *resource) {
    const bootjack_object_handlers *handlers = r->object->handlers;
    if (!handlers->present(r->object->context, iid, resource->id)) {
        return BOOTJACK_OK;
    }
    if (!(resource->flags & BOOTJACK_MULTIPLE) || !handlers->next_resource_instance) {
        return read_value(r, iid, resource, -1);
    }
    bootjack_error error = BOOTJACK_OK;
    int32_t riid = -1;
    while (!error && (riid = handlers->next_resource_instance(r->object->context, iid, resource->id, riid)) >= 0) {
        error = read_value(r, iid, resource, riid);
    }
    return error;
}

static bootjack_error read_instance(reading *r, uint16_t iid) {
    bootjack_error error = bjc_writer_instance(&r->writer, iid) ? BOOTJACK_OK : BOOTJACK_ERR_MEMORY;
    for (size_t i = 0; !error && i < r->object->definition->resource_count; i++) {
        const bootjack_resource *resource = &r->object->definition->resources[i];
        error = may_read(r, resource) ? read_resource(r, iid, resource) : BOOTJACK_OK;
    }
    return error;
}

static bootjack_error read_named_resource(reading *r) {
    const bootjack_resource *resource = bjc_resource_find(r->object->definition, r->target->ids[2]);
    uint16_t iid = r->target->ids[1];
    if (!resource || !r->object->handlers->present(r->object->context, iid, resource->id)) {
        return BOOTJACK_ERR_NOT_FOUND;
    }
    if (!may_read(r, resource)) {
        return BOOTJACK_ERR_METHOD;
    }
    if (r->target->depth == 3) {
        return read_resource(r, iid, resource);
    }
    if (!(resource->flags & BOOTJACK_MULTIPLE)) {
        return BOOTJACK_ERR_METHOD;
    }
    bool there = bjc_model_has_resource_instance(r->object, iid, resource, r->target->ids[3]);
    return there ? read_value(r, iid, resource, r->target->ids[3]) : BOOTJACK_ERR_NOT_FOUND;
}

static bootjack_error read_target(reading *r) {
    if (r->target->depth >= 2 && !bjc_model_has_instance(r->object, r->target->ids[1])) {
        return BOOTJACK_ERR_NOT_FOUND;
    }
    if (r->target->depth >= 3) {
        return read_named_resource(r);
    }
    if (r->target->depth == 2) {
        return read_instance(r, r->target->ids[1]);
    }
    bootjack_error error = BOOTJACK_OK;
    int32_t iid = -1;
    while (!error && (iid = r->object->handlers->next_instance(r->object->context, iid)) >= 0) {
        error = may_show(r, (uint16_t) iid) ? read_instance(r, (uint16_t) iid) : BOOTJACK_OK;
    }
    return error;
}

bootjack_error bjc_model_read(const bjc_model *model, const bjc_path *target, const bjc_format *format, bool all,
                              bjc_buffer *out) {
    reading r = { .target = target, .all = all };
    r.object = target->depth >= 1 ? bjc_model_object(model, target->ids[0]) : NULL;
    if (!r.object) {
        return BOOTJACK_ERR_NOT_FOUND;
    }
    if (target->depth < format->least_shown || !format->write) {
        return BOOTJACK_ERR_NOT_ACCEPTABLE;
    }
    bjc_writer_init(&r.writer, format, target, out);
    bootjack_error error = read_target(&r);
    bool written = bjc_writer_finish(&r.writer);
    return error ? error : written ? BOOTJACK_OK : BOOTJACK_ERR_MEMORY;
}

/* What a composite read leaves out, with no word of it. */
static bool left_out(bootjack_error error) {
    return error == BOOTJACK_ERR_NOT_FOUND || error == BOOTJACK_ERR_METHOD || error == BOOTJACK_ERR_UNAUTHORIZED;
}

/* Of an Object the server sees what it may; when that is nothing of something, it is refused. */
static bool refused(const reading *r, const bjc_path *path) {
    if (path->depth >= 2) {
        return bjc_model_has_instance(r->object, path->ids[1]) && !may_show(r, path->ids[1]);
    }
    int32_t iid = -1;
    bool any = false, shown = false;
    while (!shown && (iid = r->object->handlers->next_instance(r->object->context, iid)) >= 0) {
        any = true;
        shown = may_show(r, (uint16_t) iid);
    }
    return any && !shown;
}

static bootjack_error read_part(reading *r, const bjc_model *model, const bjc_path *path) {
    r->target = path;
    r->object = bjc_model_object(model, path->ids[0]);
    if (!r->object) {
        return BOOTJACK_ERR_NOT_FOUND;
    }
    return refused(r, path) ? BOOTJACK_ERR_UNAUTHORIZED : read_target(r);
}

bootjack_error bjc_model_read_paths(const bjc_model *model, const bjc_path *paths, size_t count, bool composite,
                                    const bjc_format *format, const bjc_readable *readable, bjc_buffer *out) {
    static const bjc_path root = { 0 };
    reading r = { .readable = readable };
    bootjack_error error = BOOTJACK_OK;
    if (!format->write || (composite ? 0 : paths[0].depth) < format->least_shown) {
        return BOOTJACK_ERR_NOT_ACCEPTABLE;
    }
    bjc_writer_init(&r.writer, format, composite ? &root : &paths[0], out);
    for (size_t i = 0; i < count && !error; i++) {
        error = read_part(&r, model, &paths[i]);
        error = composite && left_out(error) ? BOOTJACK_OK : error;
    }
    bool written = bjc_writer_finish(&r.writer);
    return error ? error : written ? BOOTJACK_OK : BOOTJACK_ERR_MEMORY;
}
