/* SPDX-License-Identifier: Apache-2.0
 *
 * From a payload to the data model. Two walks over the payload: the first only looks, so that a payload with a mistake
 * changes nothing; the second writes.
 */
#include <assert.h>

#include "model/model.h"

typedef struct writing {
    bjc_model *model;
    bjc_object *object;
    const bjc_path *target;
    bjc_buffer scratch;
    int32_t instance; /* that is being written whole, -1 = none yet */
    int32_t resource; /* multiple resource that was emptied for its new instances */
} writing;

/* The resource that an entry is for; NULL with BOOTJACK_OK: passed over. */
static bootjack_error entry_resource(const writing *w, const bjc_entry *entry, const bootjack_resource **resource) {
    *resource = bjc_resource_find(w->object->definition, entry->path.ids[2]);
    bool named_by_path = w->target->depth >= 3;
    if (!*resource || (*resource)->type == BOOTJACK_TYPE_NONE) {
        bootjack_error error = *resource ? BOOTJACK_ERR_METHOD : BOOTJACK_ERR_NOT_FOUND;
        *resource = NULL;
        return named_by_path ? error : BOOTJACK_OK;
    }
    bool multiple = (*resource)->flags & BOOTJACK_MULTIPLE;
    return multiple == entry->multiple ? BOOTJACK_OK : BOOTJACK_ERR_FORMAT;
}

static bootjack_error look_at(writing *w, const bjc_entry *entry) {
    const bootjack_resource *resource;
    bootjack_value value;
    if (entry->path.ids[1] == BOOTJACK_ID_INVALID) {
        return BOOTJACK_ERR_PATH;
    }
    if (entry->path.depth < 3) {
        return BOOTJACK_OK;
    }
    bootjack_error error = entry_resource(w, entry, &resource);
    if (error || !resource || entry->form == BJC_FORM_NOTHING) {
        return error;
    }
    return bjc_entry_value(entry, resource->type, &w->scratch, &value);
}

/* Before the first entry of an instance: it is made, or emptied when the payload stands for all of it. */
static bootjack_error open_instance(writing *w, uint16_t iid) {
    if (w->instance == iid) {
        return BOOTJACK_OK;
    }
    w->instance = iid;
    w->resource = -1;
    const bootjack_object_handlers *handlers = w->object->handlers;
    if (!bjc_model_has_instance(w->object, iid)) {
        return handlers->create ? handlers->create(w->object->context, iid) : BOOTJACK_ERR_METHOD;
    }
    bool whole = w->target->depth < 3;
    return whole && handlers->reset ? handlers->reset(w->object->context, iid) : BOOTJACK_OK;
}

static bootjack_error empty_multiple(writing *w, const bjc_path *path) {
    if (w->resource == path->ids[2]) {
        return BOOTJACK_OK;
    }
    w->resource = path->ids[2];
    return w->object->handlers->clear ? w->object->handlers->clear(w->object->context, path->ids[1], path->ids[2])
                                      : BOOTJACK_OK;
}

static bootjack_error write_entry(writing *w, const bjc_entry *entry) {
    const bootjack_resource *resource;
    bootjack_value value;
    const bjc_path *path = &entry->path;
    bootjack_error error = open_instance(w, path->ids[1]);
    if (error || path->depth < 3) {
        return error;
    }
    error = entry_resource(w, entry, &resource);
    if (error || !resource) {
        return error;
    }
    if (entry->multiple) {
        error = empty_multiple(w, path);
    }
    if (error || entry->form == BJC_FORM_NOTHING) {
        return error;
    }
    error = bjc_entry_value(entry, resource->type, &w->scratch, &value);
    uint16_t riid = path->depth == 4 ? path->ids[3] : 0;
    return error ? error : w->object->handlers->write(w->object->context, path->ids[1], path->ids[2], riid, &value);
}

static bootjack_error walk(writing *w, const bjc_format *format, const uint8_t *payload, size_t length,
                           bootjack_error (*visit)(writing *, const bjc_entry *)) {
    bjc_reader reader;
    bjc_entry entry;
    bjc_reader_init(&reader, format, w->target, payload, length);
    for (;;) {
        bjc_read result = bjc_reader_next(&reader, &entry);
        if (result != BJC_READ_ENTRY) {
            return result == BJC_READ_END ? BOOTJACK_OK : BOOTJACK_ERR_FORMAT;
        }
        bootjack_error error = visit(w, &entry);
        if (error) {
            char path[BJC_PATH_TEXT];
            bjc_log(w->model->core, BOOTJACK_LOG_WARNING, "Write refused at %s: %s", bjc_path_text(&entry.path, path),
                    bootjack_error_text(error));
            return error;
        }
    }
}

static bootjack_error apply(writing *w, const bjc_format *format, const uint8_t *payload, size_t length) {
    bootjack_error error = walk(w, format, payload, length, look_at);
    /* An instance written whole is there afterwards, even without a single resource. */
    if (!error && w->target->depth == 2) {
        error = open_instance(w, w->target->ids[1]);
    }
    return error ? error : walk(w, format, payload, length, write_entry);
}

bootjack_error bjc_model_write(bjc_model *model, const bjc_path *target, const bjc_format *format,
                               const uint8_t *payload, size_t length) {
    assert(target->depth >= 1 && target->depth <= 3);
    writing w = { .model = model, .target = target, .instance = -1, .resource = -1 };
    w.object = bjc_model_object(model, target->ids[0]);
    if (!w.object || (target->depth == 1 && length == 0)) {
        return w.object ? BOOTJACK_ERR_FORMAT : BOOTJACK_ERR_NOT_FOUND;
    }
    bjc_instance *saved = NULL;
    bootjack_error error = w.object->store ? bjc_store_save(w.object->store, &saved) : BOOTJACK_OK;
    if (error) {
        return error;
    }
    bjc_buffer_init(&w.scratch, &model->core->allocator);
    error = apply(&w, format, payload, length);
    bjc_buffer_free(&w.scratch);
    if (error && w.object->store) {
        bjc_store_restore(w.object->store, saved);
    } else if (w.object->store) {
        bjc_store_forget(w.object->store, saved);
    }
    return error;
}
