/* SPDX-License-Identifier: Apache-2.0
 *
 * From a payload to the data model. Two walks over the payload: the first only looks, so that a payload with a mistake
 * changes nothing; the second writes.
 */
#include <assert.h>
#include <string.h>

#include "model/model.h"

/* More entries than the ready-made Objects could hold. */
#define MAX_ENTRIES (BJC_STORE_MAX_INSTANCES * BJC_STORE_MAX_CELLS)

typedef struct writing {
    bjc_model *model;
    bjc_object *object;
    const bjc_path *target;
    bjc_buffer scratch;
    bjc_buffer paths; /* uint64_t each, ascending: what the payload names */
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

/* Instances, resources and resource instances in the order of their ids, what is above before what is below. */
static uint64_t path_key(const bjc_path *path) {
    uint64_t key = 0;
    for (unsigned i = 1; i < 4; i++) {
        key = key << 17 | (i < path->depth ? path->ids[i] + UINT64_C(1) : 0);
    }
    return key;
}

static bjc_path key_path(const writing *w, uint64_t key) {
    bjc_path path = { 1, { w->target->ids[0] } };
    for (unsigned i = 1; i < 4; i++) {
        uint32_t id = (uint32_t) (key >> (17 * (3 - i))) & 0x1FFFF;
        if (id > 0) {
            path.ids[path.depth++] = (uint16_t) (id - 1);
        }
    }
    return path;
}

/* Formats put entries in any order. A path that comes twice has no meaning in any of them. */
static bootjack_error note_path(writing *w, const bjc_path *path) {
    uint64_t key = path_key(path);
    size_t count = w->paths.length / sizeof key, low = 0, high = count;
    if (count >= MAX_ENTRIES) {
        return BOOTJACK_ERR_LIMIT;
    }
    uint64_t *keys = (uint64_t *) (void *) w->paths.data;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        low = keys[middle] < key ? middle + 1 : low;
        high = keys[middle] < key ? high : middle;
    }
    if (low < count && keys[low] == key) {
        return BOOTJACK_ERR_FORMAT;
    }
    if (!bjc_buffer_append(&w->paths, &key, sizeof key)) {
        return BOOTJACK_ERR_MEMORY;
    }
    keys = (uint64_t *) (void *) w->paths.data;
    memmove(keys + low + 1, keys + low, (count - low) * sizeof key);
    keys[low] = key;
    return BOOTJACK_OK;
}

static bool has_invalid_id(const bjc_path *path) {
    bool invalid = false;
    for (unsigned i = 0; i < path->depth; i++) {
        invalid = invalid || path->ids[i] == BOOTJACK_ID_INVALID;
    }
    return invalid;
}

static bootjack_error look_at(writing *w, const bjc_entry *entry) {
    const bootjack_resource *resource;
    bootjack_value value;
    if (has_invalid_id(&entry->path)) {
        return BOOTJACK_ERR_PATH;
    }
    bootjack_error error = note_path(w, &entry->path);
    if (error || entry->path.depth < 3) {
        return error;
    }
    error = entry_resource(w, entry, &resource);
    if (error || !resource || entry->form == BJC_FORM_NOTHING) {
        return error;
    }
    return bjc_entry_value(entry, resource->type, &w->scratch, &value);
}

/* An instance is made, or emptied when the payload stands for all of it. */
static bootjack_error open_instance(writing *w, uint16_t iid) {
    const bootjack_object_handlers *handlers = w->object->handlers;
    if (!bjc_model_has_instance(w->object, iid)) {
        return handlers->create ? handlers->create(w->object->context, iid) : BOOTJACK_ERR_METHOD;
    }
    bool whole = w->target->depth < 3;
    return whole && handlers->reset ? handlers->reset(w->object->context, iid) : BOOTJACK_OK;
}

/* A multiple resource loses its instances to those of the payload. */
static bootjack_error empty_multiple(const writing *w, const bjc_path *path) {
    const bootjack_resource *resource = bjc_resource_find(w->object->definition, path->ids[2]);
    bool multiple = resource && resource->type != BOOTJACK_TYPE_NONE && (resource->flags & BOOTJACK_MULTIPLE);
    return multiple && w->object->handlers->clear
               ? w->object->handlers->clear(w->object->context, path->ids[1], path->ids[2])
               : BOOTJACK_OK;
}

/* Everything that the payload replaces goes first, once, whatever the order of its entries. */
static bootjack_error make_room(writing *w) {
    const uint64_t *keys = (const uint64_t *) (const void *) w->paths.data;
    bjc_path last = { 0 };
    bootjack_error error = w->target->depth >= 2 ? open_instance(w, w->target->ids[1]) : BOOTJACK_OK;
    for (size_t i = 0; !error && i < w->paths.length / sizeof *keys; i++) {
        bjc_path path = key_path(w, keys[i]);
        bool other_instance = last.depth == 0 || path.ids[1] != last.ids[1];
        if (other_instance && w->target->depth == 1) {
            error = open_instance(w, path.ids[1]);
        }
        if (!error && path.depth >= 3 && (other_instance || last.depth < 3 || path.ids[2] != last.ids[2])) {
            error = empty_multiple(w, &path);
        }
        last = path;
    }
    return error;
}

static bootjack_error write_entry(writing *w, const bjc_entry *entry) {
    const bootjack_resource *resource;
    bootjack_value value;
    const bjc_path *path = &entry->path;
    if (path->depth < 3 || entry->form == BJC_FORM_NOTHING) {
        return BOOTJACK_OK;
    }
    bootjack_error error = entry_resource(w, entry, &resource);
    if (error || !resource) {
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
        if (result == BJC_READ_ERROR) {
            bjc_log(w->model->core, BOOTJACK_LOG_WARNING, "Write refused: %s: %s", format->name, reader.reason);
        }
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
    error = error ? error : make_room(w);
    return error ? error : walk(w, format, payload, length, write_entry);
}

bootjack_error bjc_model_write(bjc_model *model, const bjc_path *target, const bjc_format *format,
                               const uint8_t *payload, size_t length) {
    assert(target->depth >= 1 && target->depth <= 3);
    writing w = { .model = model, .target = target };
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
    bjc_buffer_init(&w.paths, &model->core->allocator);
    error = apply(&w, format, payload, length);
    bjc_buffer_free(&w.scratch);
    bjc_buffer_free(&w.paths);
    if (error && w.object->store) {
        bjc_store_restore(w.object->store, saved);
    } else if (w.object->store) {
        bjc_store_forget(w.object->store, saved);
    }
    return error;
}
