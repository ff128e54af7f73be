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
    bjc_object *object; /* entries of others are passed over; they belong to another writing of the same payload */
    const bjc_path *target;
    bjc_write_mode mode;
    int32_t placeholder;   /* what Object Instance ID 65535 stands for, -1 = nothing */
    const bjc_path *named; /* by the request; the root when the payload has several Objects, of which this is one */
    bjc_buffer scratch;
    bjc_buffer paths; /* uint64_t each, ascending: what the payload names */
} writing;

/* Whether what cannot be written is an error, and not passed over as a Bootstrap-Server's payload has it. */
static bool refuses_strangers(const writing *w) {
    return w->target->depth >= 3 || w->mode == BJC_WRITE_REPLACE || w->mode == BJC_WRITE_UPDATE;
}

/* The resource that an entry is for; NULL with BOOTJACK_OK: passed over. */
static bootjack_error entry_resource(const writing *w, const bjc_entry *entry, const bootjack_resource **resource) {
    *resource = bjc_resource_find(w->object->definition, entry->path.ids[2]);
    if (!*resource || (*resource)->type == BOOTJACK_TYPE_NONE) {
        bootjack_error error = *resource ? BOOTJACK_ERR_METHOD : BOOTJACK_ERR_NOT_FOUND;
        *resource = NULL;
        return refuses_strangers(w) ? error : BOOTJACK_OK;
    }
    bool server = w->mode == BJC_WRITE_REPLACE || w->mode == BJC_WRITE_UPDATE;
    if (server && !((*resource)->flags & BOOTJACK_WRITABLE)) {
        return BOOTJACK_ERR_METHOD;
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
    if (w->mode != BJC_WRITE_BOOTSTRAP && w->mode != BJC_WRITE_CREATE &&
        !bjc_model_has_instance(w->object, entry->path.ids[1])) {
        return BOOTJACK_ERR_NOT_FOUND;
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

/* What a server replaces of an instance (LwM2M Core 1.1 §6.3.3): resources that it may write. Mandatory ones that the
 * payload does not name stay, since the instance cannot be without them. */
static bootjack_error clear_writable(const writing *w, uint16_t iid) {
    const bootjack_object *definition = w->object->definition;
    bootjack_error error = BOOTJACK_OK;
    for (size_t i = 0; i < definition->resource_count && !error && w->object->handlers->clear; i++) {
        const bootjack_resource *resource = &definition->resources[i];
        if ((resource->flags & BOOTJACK_WRITABLE) && !(resource->flags & BOOTJACK_MANDATORY)) {
            error = w->object->handlers->clear(w->object->context, iid, resource->id);
        }
    }
    return error;
}

/* A single instance is number 0, whatever an application would make of it. */
static bootjack_error make_instance(const writing *w, uint16_t iid) {
    bool possible = iid == 0 || !w->object->definition->single_instance;
    return possible ? w->object->handlers->create(w->object->context, iid) : BOOTJACK_ERR_PATH;
}

/* An instance is made, or emptied when the payload stands for all of it. */
static bootjack_error open_instance(writing *w, uint16_t iid) {
    const bootjack_object_handlers *handlers = w->object->handlers;
    if (!bjc_model_has_instance(w->object, iid)) {
        return handlers->create ? make_instance(w, iid) : BOOTJACK_ERR_METHOD;
    }
    if (w->target->depth >= 3 || w->mode == BJC_WRITE_UPDATE) {
        return BOOTJACK_OK;
    }
    if (w->mode == BJC_WRITE_REPLACE) {
        return clear_writable(w, iid);
    }
    return handlers->reset ? handlers->reset(w->object->context, iid) : BOOTJACK_OK;
}

/* A multiple resource loses its instances to those of the payload. */
static bootjack_error empty_multiple(const writing *w, const bjc_path *path) {
    const bootjack_resource *resource = bjc_resource_find(w->object->definition, path->ids[2]);
    bool multiple = resource && resource->type != BOOTJACK_TYPE_NONE && (resource->flags & BOOTJACK_MULTIPLE);
    bool keeps = w->mode == BJC_WRITE_UPDATE || w->target->depth == 4;
    return multiple && !keeps && w->object->handlers->clear
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
    bjc_reader_init(&reader, format, w->named, payload, length);
    reader.placeholder = w->placeholder;
    for (;;) {
        bjc_read result = bjc_reader_next(&reader, &entry);
        if (result == BJC_READ_ERROR) {
            bjc_log(w->model->core, BOOTJACK_LOG_WARNING, "Write refused: %s: %s", format->name, reader.reason);
        }
        if (result != BJC_READ_ENTRY) {
            return result == BJC_READ_END ? BOOTJACK_OK : BOOTJACK_ERR_FORMAT;
        }
        bool ours = entry.path.ids[0] == w->object->definition->oid;
        bootjack_error error = ours ? visit(w, &entry) : BOOTJACK_OK;
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

static bootjack_error write_object(bjc_model *model, const bjc_path *target, const bjc_path *named,
                                   const bjc_format *format, const uint8_t *payload, size_t length) {
    writing w = { .model = model, .target = target, .named = named, .placeholder = -1 };
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

bootjack_error bjc_model_write(bjc_model *model, const bjc_path *target, const bjc_format *format,
                               const uint8_t *payload, size_t length) {
    assert(target->depth >= 1 && target->depth <= 3);
    return write_object(model, target, target, format, payload, length);
}

/* The lowest Object ID above `after` in the payload; -1 = none. */
static bootjack_error next_object(const bjc_model *model, const bjc_format *format, const uint8_t *payload,
                                  size_t length, int32_t after, int32_t *oid) {
    static const bjc_path root = { 0 };
    bjc_reader reader;
    bjc_entry entry;
    bjc_read result;
    *oid = -1;
    bjc_reader_init(&reader, format, &root, payload, length);
    while ((result = bjc_reader_next(&reader, &entry)) == BJC_READ_ENTRY) {
        int32_t id = entry.path.ids[0];
        *oid = id > after && (*oid < 0 || id < *oid) ? id : *oid;
    }
    if (result == BJC_READ_ERROR) {
        bjc_log(model->core, BOOTJACK_LOG_WARNING, "payload refused: %s: %s", format->name, reader.reason);
    }
    return result == BJC_READ_END ? BOOTJACK_OK : BOOTJACK_ERR_FORMAT;
}

bootjack_error bjc_model_write_objects(bjc_model *model, const bjc_format *format, const uint8_t *payload,
                                       size_t length) {
    static const bjc_path root = { 0 };
    int32_t oid = -1;
    bootjack_error error = next_object(model, format, payload, length, -1, &oid);
    if (!error && oid < 0) {
        return BOOTJACK_ERR_FORMAT;
    }
    while (!error && oid >= 0) {
        const bjc_path object = { 1, { (uint16_t) oid } };
        error = write_object(model, &object, &root, format, payload, length);
        if (error == BOOTJACK_ERR_NOT_FOUND) {
            bjc_log(model->core, BOOTJACK_LOG_WARNING, "payload refused: there is no Object /%d", (int) oid);
        }
        error = error ? error : next_object(model, format, payload, length, oid, &oid);
    }
    return error;
}

/* --- the writes of servers -------------------------------------------------------------------------------------- */

bootjack_error bjc_model_check_instance(const bjc_object *object, uint16_t iid) {
    for (size_t i = 0; i < object->definition->resource_count; i++) {
        const bootjack_resource *resource = &object->definition->resources[i];
        bool demanded = (resource->flags & BOOTJACK_MANDATORY) && resource->type != BOOTJACK_TYPE_NONE;
        if (demanded && !object->handlers->present(object->context, iid, resource->id)) {
            return BOOTJACK_ERR_INCONSISTENT;
        }
    }
    return BOOTJACK_OK;
}

/* A configuration that Bootstrap-Finish would refuse is refused here, too. */
static bootjack_error check_result(writing *w) {
    char reason[200] = "";
    bootjack_error error = BOOTJACK_OK;
    const uint64_t *keys = (const uint64_t *) (const void *) w->paths.data;
    for (size_t i = 0; !error && i < w->paths.length / sizeof *keys; i++) {
        error = bjc_model_check_instance(w->object, key_path(w, keys[i]).ids[1]);
    }
    if (!error && w->object->handlers->validate) {
        error = w->object->handlers->validate(w->object->context, reason, sizeof reason);
    }
    if (error) {
        bjc_log(w->model->core, BOOTJACK_LOG_WARNING, "Write refused: %s",
                reason[0] ? reason : bootjack_error_text(error));
    }
    return error;
}

static void writing_start(writing *w, bjc_model *model, const bjc_write *write, bjc_object *object) {
    *w = (writing){ .model = model,
                    .object = object,
                    .target = &write->target,
                    .named = &write->target,
                    .mode = write->mode,
                    .placeholder = write->placeholder };
    bjc_buffer_init(&w->scratch, &model->core->allocator);
    bjc_buffer_init(&w->paths, &model->core->allocator);
}

static void writing_end(writing *w) {
    bjc_buffer_free(&w->scratch);
    bjc_buffer_free(&w->paths);
}

bootjack_error bjc_model_begin_write(bjc_object *object) {
    bootjack_error error = object->handlers->begin ? object->handlers->begin(object->context) : BOOTJACK_OK;
    object->begun = !error;
    return error;
}

void bjc_model_end_write(bjc_object *object, bool keep) {
    void (*end)(void *) = keep ? object->handlers->commit : object->handlers->roll_back;
    if (object->begun && end) {
        end(object->context);
    }
    object->begun = false;
}

bootjack_error bjc_model_look(bjc_model *model, const bjc_write *write, bjc_object *object) {
    writing w;
    writing_start(&w, model, write, object);
    bootjack_error error = walk(&w, write->format, write->payload, write->length, look_at);
    writing_end(&w);
    return error;
}

bootjack_error bjc_model_apply(bjc_model *model, const bjc_write *write, bjc_object *object) {
    writing w;
    writing_start(&w, model, write, object);
    bootjack_error error = apply(&w, write->format, write->payload, write->length);
    error = error ? error : check_result(&w);
    writing_end(&w);
    return error;
}
