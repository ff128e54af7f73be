/* SPDX-License-Identifier: Apache-2.0
 *
 * Read-Composite and Write-Composite (LwM2M Core 1.1 §6.3.8, §6.3.9), Observe-Composite and its end (§6.4.4, §6.4.5).
 */
#include "management/operation.h"
#include "model/path.h"

static bootjack_error add_path(bjc_path *paths, size_t *count, const bjc_path *path) {
    return bjc_paths_add(paths, count, BJC_COMPOSITE_PATHS, path) ? BOOTJACK_OK : BOOTJACK_ERR_LIMIT;
}

/* The root stands for all that a server may see. */
static bool hidden(uint16_t oid) {
    return oid == 0 || oid == 21 || oid == 23;
}

static bootjack_error add_named(const bjc_operation *op, bjc_path *paths, size_t *count, const bjc_path *path) {
    bootjack_error error = BOOTJACK_OK;
    if (path->depth > 0) {
        return hidden(path->ids[0]) ? BOOTJACK_OK : add_path(paths, count, path);
    }
    for (const bjc_object *object = op->model->objects; object && !error; object = object->next) {
        bjc_path all = { 1, { object->definition->oid } };
        error = hidden(object->definition->oid) ? BOOTJACK_OK : add_path(paths, count, &all);
    }
    return error;
}

static bootjack_error named_paths(const bjc_operation *op, bjc_path *paths, size_t *count) {
    const bjc_format *format = bjc_format_of_release(op->request->content_format, op->release);
    bjc_reader reader;
    bjc_entry entry;
    bjc_read result;
    bootjack_error error = BOOTJACK_OK;
    *count = 0;
    if (!format || format->least_depth > 0) {
        return BOOTJACK_ERR_CONTENT_FORMAT;
    }
    bjc_reader_init_paths(&reader, format, &op->path, op->request->payload, op->request->payload_length);
    bool any = false;
    while (!error && (result = bjc_reader_next(&reader, &entry)) != BJC_READ_END) {
        error = result == BJC_READ_ERROR ? BOOTJACK_ERR_FORMAT : add_named(op, paths, count, &entry.path);
        any = true;
    }
    return error ? error : any ? BOOTJACK_OK : BOOTJACK_ERR_FORMAT;
}

/* --- reading ---------------------------------------------------------------------------------------------------- */

static bool readable(void *context, uint16_t oid, uint16_t iid) {
    const bjc_operation *op = context;
    return bjc_access_allowed(op->model, op->ssid, oid, iid, BJC_RIGHT_READ);
}

static void observe(const bjc_operation *op, const bjc_path *paths, size_t count, int format) {
    const bjc_observe wanted = { .ssid = op->ssid,
                                 .token = op->request->token,
                                 .token_length = op->request->token_length,
                                 .paths = paths,
                                 .path_count = count,
                                 .composite = true,
                                 .format = format };
    op->reply->observed = count > 0 && !bjc_reporting_observe(op->management->reporting, &wanted, &op->reply->payload,
                                                              &op->reply->sequence);
}

bootjack_error bjc_operation_read_composite(bjc_operation *op) {
    bjc_path paths[BJC_COMPOSITE_PATHS];
    size_t count;
    const bjc_readable filter = { readable, op };
    if (op->request->query_count > 0) {
        return BOOTJACK_ERR_ARGUMENT;
    }
    if (op->request->observe == 1) {
        bjc_reporting_cancel(op->management->reporting, op->ssid, op->request->token, op->request->token_length);
    }
    bootjack_error error = named_paths(op, paths, &count);
    if (error) {
        return error;
    }
    const bjc_format *format = bjc_operation_format(op);
    error = format && format->least_shown == 0
                ? bjc_model_read_paths(op->model, paths, count, true, format, &filter, &op->reply->payload)
                : BOOTJACK_ERR_NOT_ACCEPTABLE;
    if (error) {
        return error;
    }
    op->reply->content_format = format->number;
    if (op->request->observe == 0) {
        observe(op, paths, count, format->number);
    }
    return BOOTJACK_OK;
}

/* --- writing ---------------------------------------------------------------------------------------------------- */

typedef struct composite_write {
    bjc_operation *op;
    bjc_write write;
    bjc_object *objects[BJC_COMPOSITE_PATHS]; /* that the payload names */
    size_t count;
} composite_write;

static bootjack_error add_object(composite_write *w, const bjc_path *path) {
    const bjc_operation *op = w->op;
    bjc_object *object = bjc_model_object(op->model, path->ids[0]);
    if (hidden(path->ids[0])) {
        return BOOTJACK_ERR_UNAUTHORIZED;
    }
    if (!object || !bjc_model_has_instance(object, path->ids[1])) {
        return BOOTJACK_ERR_NOT_FOUND;
    }
    if (!bjc_access_allowed(op->model, op->ssid, path->ids[0], path->ids[1], BJC_RIGHT_WRITE)) {
        return BOOTJACK_ERR_UNAUTHORIZED;
    }
    for (size_t i = 0; i < w->count; i++) {
        if (w->objects[i] == object) {
            return BOOTJACK_OK;
        }
    }
    if (w->count == BJC_COMPOSITE_PATHS) {
        return BOOTJACK_ERR_LIMIT;
    }
    w->objects[w->count++] = object;
    return BOOTJACK_OK;
}

static bootjack_error find_objects(composite_write *w) {
    bjc_reader reader;
    bjc_entry entry;
    bjc_read result;
    bootjack_error error = BOOTJACK_OK;
    bjc_reader_init(&reader, w->write.format, &w->write.target, w->write.payload, w->write.length);
    while (!error && (result = bjc_reader_next(&reader, &entry)) != BJC_READ_END) {
        error = result == BJC_READ_ERROR ? BOOTJACK_ERR_FORMAT : add_object(w, &entry.path);
    }
    for (size_t i = 0; i < w->count && !error; i++) {
        error = bjc_model_look(w->op->model, &w->write, w->objects[i]);
    }
    return error ? error : w->count > 0 ? BOOTJACK_OK : BOOTJACK_ERR_FORMAT;
}

/* All or nothing (§6.3.9). */
static bootjack_error apply(composite_write *w) {
    bootjack_error error = BOOTJACK_OK;
    size_t begun = 0;
    while (begun < w->count && !error) {
        error = bjc_model_begin_write(w->objects[begun]);
        begun += !error;
    }
    for (size_t i = 0; i < w->count && !error; i++) {
        error = bjc_model_apply(w->op->model, &w->write, w->objects[i]);
    }
    while (begun > 0) {
        bjc_model_end_write(w->objects[--begun], !error);
    }
    return error;
}

bootjack_error bjc_operation_write_composite(bjc_operation *op) {
    composite_write w = { .op = op,
                          .write = { .mode = BJC_WRITE_UPDATE,
                                     .format = bjc_format_of_release(op->request->content_format, op->release),
                                     .payload = op->request->payload,
                                     .length = op->request->payload_length,
                                     .placeholder = -1 } };
    if (op->request->query_count > 0) {
        return BOOTJACK_ERR_ARGUMENT;
    }
    if (!w.write.format || w.write.format->least_depth > 0) {
        return BOOTJACK_ERR_CONTENT_FORMAT;
    }
    bootjack_error error = find_objects(&w);
    error = error ? error : apply(&w);
    for (size_t i = 0; i < w.count && !error; i++) {
        bjc_path path = { 1, { w.objects[i]->definition->oid } };
        bjc_operation_changed(op, &path);
    }
    return error;
}
